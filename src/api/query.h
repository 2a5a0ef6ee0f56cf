/*
 * api/query.h: SQL over the workspace's tables with a small result, for operations that show one.
 */
#ifndef LEAT_API_QUERY_H
#define LEAT_API_QUERY_H

#include "api/api.h"
#include "db/duck.h"

/* {columns: [{name, type}], rows: [[text or null]]} */
must_check int query_rows(struct api *api, struct str sql, struct dom **out, struct err *e);

/* `show tables`: DuckDB has none of its own, so what it would list is asked for by a query of our making. */
bool query_asks_tables(struct str sql);
must_check int query_list_tables(struct api *api, struct str *sql, struct err *e);

/*
 * The request's query (its first word, --ds, --at), row by row as text. done comes after the last row and may name the
 * file that the result was written to, which whence then knows.
 */
struct query_reader {
	void *ptr;
	int (*head)(void *ptr, const struct dom *columns, struct err *e);
	int (*rows)(void *ptr, const struct duck_rows *r, struct err *e);
	int (*done)(void *ptr, const char **path, struct err *e);
};
must_check int query_read(struct api *api, const struct args *args, struct sink *out, const struct query_reader *reader,
                          struct err *e);

#endif
