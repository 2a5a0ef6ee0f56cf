/*
 * flow/why_in.h: rows of the store as documents, shared by the files of why.
 */
#ifndef LEAT_FLOW_WHY_IN_H
#define LEAT_FLOW_WHY_IN_H

#include "flow/why.h"

void why_hex(struct arena *a, struct dom *map, const char *key, const struct sha *s);
void why_time(struct arena *a, struct dom *map, const char *key, int64_t ms); /* RFC 3339; null for 0 */

/* The row of a unit with its run: {job, ds, unit, run, ...}; 1, 0 = there is none, -1. *ingredients may be NULL. */
must_check int why_unit_row(struct catalog *c, struct arena *a, int64_t unit, struct dom **out,
                            const struct dom **ingredients,
                            struct err *e);
/*
 * Files below a tree: [{path, sha256, size}], paths with `prefix` before them; at most WHY_MAX_FILES, then {more: n}.
 */
must_check int why_files(struct catalog *c, struct arena *a, const struct sha *tree, const char *prefix,
                         struct dom **out,
                         struct err *e);

/* The values of a map that another one has not, moved into it. */
void why_move(struct arena *a, struct dom *to, struct dom *from);
/* What an id or a unique beginning of one is: *type run, event, batch, commit, open commit or unit. */
must_check int why_find(struct catalog *c, struct arena *a, struct str text, const char **type, struct str *id,
                        struct err *e);
/* What stands behind the reason of a unit. state: failed, held, outside, not-made, waiting. */
struct why_cause {
	const struct job *job; /* the unit that it comes from, itself maybe */
	struct ds ds;
	const char *state, *error; /* error may be NULL */
	const char *text;          /* a sentence */
};
/* 1; 0: nothing but the reason itself; -1. */
must_check int why_cause(struct flow *f, struct catalog *c, struct arena *a, const struct plan_unit *u,
                         struct why_cause *out, struct err *e);
/* Of a run of a job that stays: its program, inputs and end, as `stayed` of the document; nothing of another. */
must_check int why_stay(struct catalog *c, struct arena *a, struct str run, struct dom *doc, struct err *e);
/* REPO[@PIN][:/PATH] and what stands there. */
must_check int why_pin(struct store *s, struct arena *a, struct str text, struct pin *pin, struct entry *at,
                       struct err *e);
/* What a unit read, and who made that, as `inputs` of its document. */
must_check int why_inputs(struct flow *f, struct catalog *c, struct arena *a, const struct dom *ingredients,
                          struct dom *doc, struct err *e);

/*
 * Of what key_diff gave of two units' ingredients: an input that changed is told with the files of it that did, as
 * `files` [{path, change, before, now}] and in `text`, WHY_FILES_TOLD at most; not where the store has let one go.
 */
#define WHY_FILES_TOLD 5
void why_name_files(struct catalog *c, struct arena *a, const struct dom *before, const struct dom *now,
                    struct dom *changes);

#endif
