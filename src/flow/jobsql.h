/*
 * flow/jobsql.h: what the query of a sql job reads and means, told by DuckDB's parser (db/sql.h).
 *
 * A query is rendered before it is parsed. Where every use of ds in its template is plain, one rendering with a
 * stand-in date serves all units; else each unit has its own. Parse results are kept in .leat/cache/sql by the hash
 * of the text.
 */
#ifndef LEAT_FLOW_JOBSQL_H
#define LEAT_FLOW_JOBSQL_H

#include "base/tmpl.h"
#include "db/duck.h"
#include "db/sql.h"
#include "flow/job.h"

/* The date that stands for any ds in the one rendering, by the kind of partition. */
const char *jobsql_stand_in(enum every every);

/*
 * For all sql jobs whose meaning is not known yet (new or edited ones): renders, parses in one call of the worker,
 * fills sql_meaning, sql_parsed and the inputs found in the query. SQL that does not parse, or a template that does
 * not render, is an error of that job in js->errors with the place in the user's file, and takes the job out of js.
 * `duck` is only started when something must be parsed.
 */
must_check int jobsql_prepare(struct jobs *js, struct duck *duck, struct err *e);
/*
 * Takes the text of the job's query into memory (once), so that edits made later do not reach this process:
 * for every job of a plan before it runs. ERR_CONFLICT if it is no longer what jobs_load saw.
 */
must_check int jobsql_load(const struct jobs *js, const struct job *j, struct err *e);

/* A rendered query of one unit, and what it means. */
struct jobsql {
	struct tmpl_result text;
	struct str source;   /* what was rendered */
	struct sql_info info;
	struct sha meaning;
};
/*
 * Renders with `vars` (jobsql_vars) and tells what it is: from the job where its text is the same for all ds and params
 * are the job's own, else from the parse cache, else from the worker. A table that is no input of the job (a text
 * that depends on ds may name one) is ERR_BAD_SQL.
 */
must_check int jobsql_unit(const struct jobs *js, const struct job *j, const struct dom *vars, struct duck *duck,
                           struct arena *a, struct jobsql *out, struct err *e);
/* What the parser said of the job's text with the stand-in ds: volatile functions, facts, tables. */
must_check int jobsql_info(struct arena *a, const struct job *j, struct sql_info *out, struct err *e);
/* Puts line and column of the user's file to an error at a byte of the rendered text. Returns -1. */
int jobsql_at(struct err *e, const struct job *j, const struct jobsql *q, size_t offset);

/*
 * The variables of a template: {ds, params, inputs: {name: table}, output, job}. ds "" = none. params NULL: the job's.
 */
struct dom *jobsql_vars(struct arena *a, const struct job *j, struct str ds, const struct dom *params);

/*
 * SEMANTICS 10: tables.sales → tables/sales; raw."a/b" → raw/a/b; a plain name → the repo without zone; @PIN cut off.
 */
void jobsql_repo_of(struct arena *a, const struct sql_table *t, struct str *repo, struct str *pin);
/* The job's input that a table of its query is; NULL: none. */
const struct job_input *jobsql_input(struct arena *a, const struct job *j, const struct sql_table *t);
/* The other way, quoted where it must be. */
struct str jobsql_table_of(struct arena *a, struct str repo, struct str pin);

#endif
