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

#endif
