/*
 * flow/table_query.h: a user's own query over the tables of the workspace, made ready for the worker: parsed, each
 * table found (at its head, at a pin, at a time, or as a unit of a ds would read it), readers bound. SEMANTICS 2
 * and 10.
 */
#ifndef LEAT_FLOW_TABLE_QUERY_H
#define LEAT_FLOW_TABLE_QUERY_H

#include "base/tmpl.h"
#include "db/sql_bind.h"
#include "flow/catalog.h"
#include "flow/table.h"

struct table_query_ask {
	struct str sql;
	struct str source;   /* what sql was rendered from, and how: places of errors are its. STR_NULL: sql is it */
	const struct tmpl_result *made;
	const char *file;    /* what errors name as the place: the user's file, or "query" */
	struct str at; /* --at: a pin for tables that name none; a global id or time of all repos. STR_NULL: heads */
	const struct ds *ds; /* --ds: read as a unit of it would; NULL */
};

struct table_query {
	struct table_query_ask ask;
	struct sql_info info;
	struct sql_bound bound;       /* .sql is the request's; threads and timezone are the caller's */
	struct table_source *tables;  /* each once */
	size_t n_tables;
};

/*
 * Everything in the arena. Asks the worker (not busy) to parse and, for tables not seen before, to look at files. A
 * query that does not parse or names a table that is not there is an error at its line and column.
 */
must_check int table_query_prepare(struct store *s, struct catalog *c, struct arena *a, struct duck *d,
                                   const struct table_query_ask *ask, struct table_query *out, struct err *e);
/* An error of the worker about the bound text: user's line and column, user's names of files. Returns -1. */
int table_query_error(struct err *e, const struct table_query *q, int64_t offset);

#endif
