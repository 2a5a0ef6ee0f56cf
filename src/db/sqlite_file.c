#include "db/sqlite_file.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/sql.h"

#define SQL_MAX ((size_t)4 << 20)

struct sqlite_file {
	sqlite3 *h;
	sqlite3_stmt *insert;
	size_t n;      /* columns of it */
	char *path;
};

static int fail(struct sqlite_file *f, int rc, struct err *e)
{
	enum err_code code = rc == SQLITE_BUSY ? ERR_BUSY : rc == SQLITE_FULL ? ERR_DISK_FULL : ERR_FAILED;

	return err_set(e, code, "%s: %s", f->path, f->h ? sqlite3_errmsg(f->h) : sqlite3_errstr(rc));
}

static int exec(struct sqlite_file *f, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(f->h, sql, NULL, NULL, NULL);

	return rc ? fail(f, rc, e) : 0;
}

int sqlite_file_open(const char *path, struct sqlite_file **out, struct err *e)
{
	struct sqlite_file *f = xcalloc(1, sizeof(*f));
	int rc;

	f->path = xstrdup(path);
	rc = sqlite3_open_v2(path, &f->h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc) {
		fail(f, rc, e);
		sqlite_file_close(f);
		return -1;
	}
	sqlite3_busy_timeout(f->h, SQLITE_FILE_WAIT_MS);
	if (exec(f, "begin immediate", e)) {
		sqlite_file_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

void sqlite_file_close(struct sqlite_file *f)
{
	if (!f)
		return;
	sqlite3_finalize(f->insert);
	sqlite3_close(f->h); /* what was not committed is rolled back */
	free(f->path);
	free(f);
}

int sqlite_file_columns(struct sqlite_file *f, struct arena *a, struct str table, struct str **out, size_t *n,
                        struct err *e)
{
	VEC(struct str) list = {0};
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(f->h, "select name from pragma_table_info(?)", -1, &st, NULL);

	if (rc)
		return fail(f, rc, e);
	sqlite3_bind_text(st, 1, table.p, (int)table.n, SQLITE_STATIC);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct str name = str_of(arena_dup(a, (const char *)sqlite3_column_text(st, 0)));

		vec_push(a, &list, name);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		return fail(f, rc, e);
	*out = list.p;
	*n = list.n;
	return 0;
}

/* DuckDB's kind as one of SQLite's. */
static const char *kind_of(struct str type)
{
	static const struct {
		const char *begins, *kind;
	} kinds[] = {{"BIGINT", "INTEGER"},  {"INTEGER", "INTEGER"}, {"SMALLINT", "INTEGER"}, {"TINYINT", "INTEGER"},
	             {"UBIGINT", "INTEGER"}, {"UINTEGER", "INTEGER"}, {"USMALLINT", "INTEGER"}, {"UTINYINT", "INTEGER"},
	             {"BOOLEAN", "INTEGER"}, {"DOUBLE", "REAL"},      {"FLOAT", "REAL"},        {"DECIMAL", "NUMERIC"}};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_has_prefix(type, str_of(kinds[i].begins)) && !str_has_suffix(type, STR("]")))
			return kinds[i].kind;
	return "TEXT";
}

static int run(struct sqlite_file *f, struct buf *b, struct err *e)
{
	int rc = buf_over(b) ? err_set(e, ERR_LIMIT, "%s: a table with too many columns", f->path)
	                     : exec(f, b->p, e);

	buf_free(b);
	return rc;
}

int sqlite_file_make(struct sqlite_file *f, struct str table, const struct str *columns, const struct str *types,
                     size_t n, struct err *e)
{
	struct buf b = BUF_INIT(SQL_MAX);

	buf_adds(&b, "create table ");
	sql_add_ident(&b, table);
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i ? ", " : "(");
		sql_add_ident(&b, columns[i]);
		buf_addf(&b, " %s", kind_of(types[i]));
	}
	buf_addc(&b, ')');
	return run(f, &b, e);
}

int sqlite_file_clear(struct sqlite_file *f, struct str table, struct err *e)
{
	struct buf b = BUF_INIT(SQL_MAX);

	buf_adds(&b, "delete from ");
	sql_add_ident(&b, table);
	return run(f, &b, e);
}

int sqlite_file_into(struct sqlite_file *f, struct str table, const struct str *columns, size_t n, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	int rc;

	buf_adds(&b, "insert into ");
	sql_add_ident(&b, table);
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i ? ", " : "(");
		sql_add_ident(&b, columns[i]);
	}
	buf_adds(&b, ") values(");
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, i ? ", ?" : "?");
	buf_addc(&b, ')');
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "%s: a table with too many columns", f->path);
	sqlite3_finalize(f->insert);
	f->insert = NULL;
	f->n = n;
	rc = sqlite3_prepare_v2(f->h, b.p, (int)b.n, &f->insert, NULL);
	return rc ? fail(f, rc, e) : 0;
}

int sqlite_file_row(struct sqlite_file *f, const struct str *cells, struct err *e)
{
	int rc;

	for (size_t i = 0; i < f->n; i++)
		if (cells[i].p)
			sqlite3_bind_text(f->insert, (int)i + 1, cells[i].p, (int)cells[i].n, SQLITE_STATIC);
		else
			sqlite3_bind_null(f->insert, (int)i + 1);
	rc = sqlite3_step(f->insert);
	sqlite3_reset(f->insert);
	return rc == SQLITE_DONE ? 0 : fail(f, rc, e);
}

int sqlite_file_commit(struct sqlite_file *f, struct err *e)
{
	return exec(f, "commit", e);
}
