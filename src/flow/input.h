/*
 * flow/input.h: what the units of a data-driven job are made of (docs/how-to/units.md): a tree whose leaves are inputs
 * of the job with a glob, and whose other nodes combine what their kids give. For jobs in both forms of writing it:
 * flat `inputs:` of which one at least has a glob, and `input:` as in a Pachyderm pipeline, camelCase or snake_case.
 *
 * Invariants: a leaf is PFS or CRON and has no kids; the others have one kid at least; every declared input of a
 * data-driven job is the leaf of one node, in the order in which they are written. Names are unequal but for those of
 * different kids of a union. All in the arena of the jobs.
 */
#ifndef LEAT_FLOW_INPUT_H
#define LEAT_FLOW_INPUT_H

#include "flow/job.h"
#include "repo/commit.h"

#define INPUT_MAX_LEAVES 1000
#define INPUT_MAX_GROUPS 32 /* ( ) of one glob */

enum input_kind { INPUT_PFS, INPUT_CROSS, INPUT_UNION, INPUT_JOIN, INPUT_GROUP, INPUT_CRON };

struct input_node {
	enum input_kind kind;
	size_t leaf;                    /* of PFS and CRON: index in job->inputs */
	const struct input_node **kids; /* of the others */
	size_t n;
	int line, col; /* in job->file */
};

const char *input_word(enum input_kind k); /* "join" */

/*
 * Fills j->inputs and j->tree from the keys `inputs` and `input` (either may be NULL), which have passed keys_check.
 * ERR_BAD_CONFIG with the place of what cannot be.
 */
must_check int input_parse(struct arena *a, struct job *j, const struct dom *flat, const struct dom *tree,
                           struct err *e);
/* Renames snake_case keys of inputs (join_on) to the ones of the tables (joinOn), before keys_check. */
void input_rename(struct dom *doc);

/* The revision that a unit reads: the pin, else the branch; STR_NULL: master. */
struct str input_rev(const struct job_input *in);
/* It stands still: no commit ever moves it. */
bool input_is_pinned(const struct job_input *in);
/* A job one of whose inputs is pinned. */
bool input_any_pinned(const struct job *j);

/*
 * Where an input stands now: 1 with *out, 0 nothing is there yet (no repo, no branch, no commit), -1: a pin that is not
 * there, at its place in the job's file.
 */
must_check int input_resolve(struct store *s, struct arena *a, const struct job *j, const struct job_input *in,
                             struct commit *out, struct err *e);

/*
 * "$1-$2" with the groups of a path that a glob captured, in the arena. ERR_BAD_CONFIG where there is no such group:
 * groups NULL only checks, `n` is how many there are.
 */
must_check int input_expand(struct arena *a, struct str pattern, const struct str *groups, size_t n, struct str *out,
                            struct err *e);

#endif
