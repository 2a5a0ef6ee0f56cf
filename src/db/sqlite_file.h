/*
 * db/sqlite_file.h: tables of somebody's SQLite file, replaced in one transaction. The file is made if it is not there.
 * Dropped before sqlite_file_commit, nothing has changed.
 */
#ifndef LEAT_DB_SQLITE_FILE_H
#define LEAT_DB_SQLITE_FILE_H

#include "base/arena.h"
#include "base/err.h"

#define SQLITE_FILE_WAIT_MS 30000 /* for another who writes to it */

struct sqlite_file;

must_check int sqlite_file_open(const char *path, struct sqlite_file **out, struct err *e);
void sqlite_file_close(struct sqlite_file *f); /* NULL is fine */
/* Names of the columns of a table, in the arena: *n = 0: it is not there. */
must_check int sqlite_file_columns(struct sqlite_file *f, struct arena *a, struct str table, struct str **out,
                                   size_t *n, struct err *e);
/* A new table; types are those of DuckDB. */
must_check int sqlite_file_make(struct sqlite_file *f, struct str table, const struct str *columns,
                                const struct str *types, size_t n, struct err *e);
must_check int sqlite_file_clear(struct sqlite_file *f, struct str table, struct err *e);
/* Rows follow, of these columns; cells as text (.p NULL: null), which the column's own kind makes numbers of. */
must_check int sqlite_file_into(struct sqlite_file *f, struct str table, const struct str *columns, size_t n,
                                struct err *e);
must_check int sqlite_file_row(struct sqlite_file *f, const struct str *cells, struct err *e);
must_check int sqlite_file_commit(struct sqlite_file *f, struct err *e);

#endif
