/*
 * api/diff.h: `leat diff`: what differs between two pins of tables, row by row, and between
 * two states of the workspace.
 */
#ifndef LEAT_API_DIFF_H
#define LEAT_API_DIFF_H

#include "api/api.h"

/*
 * `old` and `new` are resolved; their paths may name one partition. Rows: one for each column that only one side has or
 * whose type is another {column, change, type, old_type}, then {change, key, old, new, times} (flow/rowdiff.h), at the
 * end {rows: {added, removed, changed, shown}, columns: {NAME: changed}, partitions: {compared, same}}.
 */
must_check int diff_rows(struct api *api, const struct args *args, const struct pin *old, const struct pin *new,
                         struct sink *out, struct err *e);

/* Repos that differ between two states of the workspace, by name; their commits are leased. */
struct diff_pair {
	struct pin old, new; /* without commit: that side has it not */
};
struct diff_pairs {
	VEC(struct diff_pair) pairs;
	size_t seen; /* repos that were compared */
};
/*
 * diff_heads.c: the words of the request as states: a workspace branch, "master", an event, a batch, a run. 1 and *out;
 * 0 they are pins; -1.
 */
must_check int diff_heads_find(struct api *api, const struct args *args, struct diff_pairs *out, struct err *e);
/*
 * diff_state.c: rows: {repo, change, old_commit, commit, partitions: {added, deleted, changed}, files: {the same}} of
 * each, then {repo, change, partition or path, size, old_size} (for people the first ones, and {repo, more}) and what
 * diff_table tells of its columns, or of its rows; at the end {repos: {added, deleted, changed, same}}.
 */
must_check int diff_state(struct api *api, const struct args *args, const struct diff_pairs *pairs, struct sink *out,
                          struct err *e);

/* diff_rows.c: tables one after the other, by one worker; each row says which `repo` it is of. */
struct diff_tables {
	struct api *api;
	const struct args *args;
	struct sink *out;
	struct catalog *catalog;
	struct duck *duck;
	size_t keyed, unkeyed; /* tables that had the columns of --key, or had not: of those whole rows were compared */
};
must_check int diff_tables_begin(struct diff_tables *t, struct api *api, const struct args *args, struct sink *out,
                                 struct err *e);
void diff_tables_end(struct diff_tables *t);
/*
 * With `rows` as diff_rows, else only what differs between the columns. What is no table is noted, or with `rows` off
 * passed by.
 */
must_check int diff_table(struct diff_tables *t, const struct diff_pair *p, bool rows, struct err *e);

#endif
