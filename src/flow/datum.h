/*
 * flow/datum.h: the units of a data-driven job, from the trees that its inputs point at ("datum" in code, "unit" for
 * users). Which there are follows from the globs and the trees alone; the order is that of the inputs' paths (a group's
 * and a join's: of their keys first), the same each time.
 *
 * What a callback is given lives until it returns; datum_copy keeps it. Without a glob that matches there are none, so
 * a cross with an empty repo gives nothing, and neither does "/" of an empty repo.
 */
#ifndef LEAT_FLOW_DATUM_H
#define LEAT_FLOW_DATUM_H

#include "flow/input.h"
#include "repo/tree.h"

#define DATUM_MAX_HELD 20000000 /* parts that a join, a group or a cross keeps at a time */

/* A file or folder of one input. A group may have several of one leaf. */
struct datum_part {
	size_t leaf;     /* index in job->inputs */
	struct str under; /* the partition of the unit's ds that it lies in, "ds=2018-01-02"; STR_NULL: none */
	struct str path; /* in the repo, or in that partition; "" is its root */
	struct entry entry;
	struct str join, group; /* what joinOn and groupBy came to; STR_NULL without */
};

struct datum {
	struct sha id; /* which it is: a hash of its ds and (input, repo, branch or pin, path) of its parts */
	struct str ds; /* of a job that has partitions too; STR_NULL: none */
	struct sha beside; /* content of what it reads for its ds beside its parts */
	struct datum_part *parts; /* in the order of leaves, then of paths */
	size_t n;
};

/* 0 to go on, 1 to stop (fine), -1 with e filled. */
typedef int (*datum_cb)(void *ptr, const struct datum *d, struct err *e);

/* `trees`: one per input of the job, at its index; zero is an empty one. `a` holds what lasts as long as the call. */
must_check int datum_each(const struct job *j, struct store *s, struct arena *a, const struct sha *trees, datum_cb cb,
                          void *ptr, struct err *e);

/* The same for one ds of a job with partitions. */
struct datum_at {
	const struct sha *trees;
	const struct str *under; /* per input: the partition that its tree is, as in struct datum_part; NULL: none */
	struct str ds;
	struct sha beside;
};
must_check int datum_each_at(const struct job *j, struct store *s, struct arena *a, const struct datum_at *at,
                             datum_cb cb, void *ptr, struct err *e);

/*
 * Only the units that differ between two states of the inputs, at the cost of what differs: was is NULL for a new one,
 * is for one that went, neither for one whose content changed (that of a `reference` input too). A path that was a
 * file and is a folder goes first and then comes. 1 done; 0 cannot be told so (nothing was called: enumerate both).
 */
typedef int (*datum_change_cb)(void *ptr, const struct datum *was, const struct datum *is, struct err *e);
must_check int datum_changes(const struct job *j, struct store *s, struct arena *a, const struct sha *old_trees,
                             const struct sha *new_trees, datum_change_cb cb, void *ptr, struct err *e);

/*
 * What a unit reads, for its memo key: per part name, path and content, with what its tables of keys say counts (of an
 * input with `reference` not its content, of emptyFiles only the names).
 */
must_check int datum_content(const struct job *j, struct store *s, const struct datum *d, struct sha *out,
                             struct err *e);
struct datum *datum_copy(struct arena *a, const struct datum *d);
/* Where a part lies in its repo: "ds=2018-01-02/a.csv". */
struct str datum_path(struct arena *a, const struct datum_part *p);
/* "/1-1-16", "/a + /b", "/a and 30 more", "2018-01-02 /a": for people. */
const char *datum_label(struct arena *a, const struct datum *d);

#endif
