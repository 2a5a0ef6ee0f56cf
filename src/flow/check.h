/*
 * flow/check.h: rules on the output of a unit (job.yaml `checks:`), run by a worker on what is staged, before anything
 * is published.
 *
 *   row_count OP n     missing_count(c) OP n     duplicate_count(c[, c2...]) OP n     min|max|avg|sum(c) OP n
 *   values(c) in ('a', 'b')     and any SQL expression over aggregates that is true or false
 *
 * duplicate_count counts the rows beyond the first of each value (missing ones aside); values does not look at missing
 * ones. A rule without a value (max of no rows) does not hold: row_count tells whether there must be rows.
 * A rule becomes SQL by its tokens, so what it may say in an expression is DuckDB's own; columns are quoted as in SQL.
 */
#ifndef LEAT_FLOW_CHECK_H
#define LEAT_FLOW_CHECK_H

#include "db/db.h"
#include "db/duck.h"
#include "flow/job.h"

#define CHECK_MAX_TEXT 4096
#define CHECK_MAX_RULES 200

/* What a rule says in SQL: `ok` true or false, `actual` the value on its left side as text ("" if it has none). */
struct check_sql {
	struct str ok, actual;
	struct str what; /* the left side as the user wrote it: "row_count"; "" if the rule is no comparison */
};
/* ERR_BAD_CONFIG at the rule's place: empty, too long, brackets or quotes that do not match, more than one statement.
 */
must_check int check_compile(struct arena *a, const struct job *j, const struct job_check *k, struct check_sql *out,
                             struct err *e);

/* One query for many rules over one table, which it sees as `from_sql`. */
struct check_set {
	const struct job *job;
	const struct job_check **rules;
	size_t n;
	struct check_sql *sql;
	size_t *start;      /* where each rule stands in text; start[n] = its end */
	struct str text;
};
must_check int check_set_make(struct arena *a, const struct job *j, const struct job_check **rules, size_t n,
                              struct str from_sql, struct check_set *out, struct err *e);

struct check_result {
	const struct job_check *rule;
	bool passed;
	struct str detail; /* "row_count is 0" */
};
/* From the one row that the query gave. */
must_check int check_set_read(struct arena *a, const struct check_set *s, const struct duck_rows *rows,
                              struct check_result *out, struct err *e);
/*
 * What was found when that check was tried on that output (key_check): 1; 0: it was not; -1. detail, which may be NULL,
 * in the arena.
 */
must_check int check_result_find(struct db *d, struct arena *a, const struct sha *key, bool *passed, struct str *detail,
                                 struct err *e);
/* The query failed: names the rule it was about and its place. Returns -1. */
int check_set_failed(const struct check_set *s, int64_t offset, struct err *e);

#endif
