/*
 * db/sql_bind.h: a parsed text made ready for the worker: each table it names gets a reader. The text stays the user's
 * but for AT clauses, which become names of their own; places in it can be brought back.
 */
#ifndef LEAT_DB_SQL_BIND_H
#define LEAT_DB_SQL_BIND_H

#include "db/duck.h"
#include "db/sql.h"

struct sql_bound {
	struct duck_sql sql; /* text, views, refs; threads and timezone are the caller's to set */
	struct sql_shift {
		size_t out, in;  /* from byte `out` of the bound text on, it is the original's from `in` on */
	} *shifts;
	size_t n_shifts;
};

/*
 * readers[i]: the SQL that reads info->tables[i] (duck_view.sql of flow/table.h). Equal names must have equal
 * readers. STR_NULL: DuckDB's own, left as it is. */
void sql_bind(struct arena *a, struct str text, const struct sql_info *info, const struct str *readers,
              struct sql_bound *out);
/* The byte of the original that a byte of the bound text is about. */
size_t sql_bound_offset(const struct sql_bound *b, size_t offset);

#endif
