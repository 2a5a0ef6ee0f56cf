/*
 * Tables of a database file, DuckDB's or SQLite's: the first folder of a path is the table, the files below it are its
 * rows. All tables are replaced in one transaction. DuckDB reads the files, and writes its own kind of database.
 */
#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "conn/conn.h"
#include "db/sql.h"
#include "db/sqlite_file.h"
#include "flow/table.h"
#include "repo/view.h"
#include "sys/fault.h"
#include "sys/file.h"

#define SQL_MAX ((size_t)60 << 20)
#define THERE "leat_egress"

struct table {
	struct str name;
	VEC(struct str) files;      /* from its folder */
	enum table_format format;
	struct str *columns, *types;
	size_t n_columns;
	struct str reader;          /* a query that gives its rows */
	struct str *there;          /* columns that it has in the target; n 0: it is not there */
	size_t n_there;
};

struct loading {
	struct egress_push *p;
	struct arena *a;
	const char *path;           /* of the database */
	VEC(struct table) tables;
	VEC(struct str) gone;       /* tables of the last push that have no files any more */
	/* while rows are carried to SQLite */
	struct sqlite_file *file;
	struct err err;
};

/* --- which files --- */

static int format_of(struct loading *l, struct str path, enum table_format *out, struct err *e)
{
	static const char *const words[] = {[TABLE_PARQUET] = "PARQUET", [TABLE_CSV] = "CSV", [TABLE_JSON] = "JSON"};
	struct str type = l->p->to->type;

	for (size_t i = 0; type.p && i < ARRAY_LEN(words); i++)
		if (str_ieq(type, str_of(words[i]))) {
			*out = (enum table_format)i;
			return 0;
		}
	if (!type.p && table_format_of(path, out, NULL))
		return 0;
	err_set(e, ERR_BAD_DATA, "/%.*s is no CSV, JSON or Parquet file by its ending", STR_ARG(path));
	return err_hint(e, "fileFormat: {type: CSV} says what the files are");
}

static int on_file(void *ptr, struct str path, const struct entry *en, struct err *e)
{
	struct loading *l = ptr;
	struct str name, rest, parent, base;
	enum table_format format;
	struct table *t;

	if (!str_cut(path, '/', &name, &rest)) {
		err_set(e, ERR_BAD_DATA, "/%.*s lies in no folder, so it is of no table", STR_ARG(path));
		return err_hint(e, "the first folder is the table: /TABLE/FILE");
	}
	if (!str_rcut(path, '/', &parent, &base))
		base = path;
	if (base.p[0] == '_' || base.p[0] == '.' || !en->size)
		return 0;
	if (format_of(l, path, &format, e))
		return -1;
	if (!l->tables.n || !str_eq(l->tables.p[l->tables.n - 1].name, name)) {
		struct table one = {.name = arena_str(l->a, name), .format = format};

		vec_push(l->a, &l->tables, one);
	}
	t = &l->tables.p[l->tables.n - 1];
	if (t->format != format)
		return err_set(e, ERR_BAD_DATA, "the files of table %.*s are of more than one format", STR_ARG(name));
	vec_push(l->a, &t->files, arena_str(l->a, rest));
	return 0;
}

static bool has_table(const struct loading *l, struct str name)
{
	for (size_t i = 0; i < l->tables.n; i++)
		if (str_eq(l->tables.p[i].name, name))
			return true;
	for (size_t i = 0; i < l->gone.n; i++)
		if (str_eq(l->gone.p[i], name))
			return true;
	return false;
}

static int on_diff(void *ptr, enum diff_kind kind, struct str path, const struct entry *was, const struct entry *is,
                   struct err *e)
{
	struct loading *l = ptr;
	struct str name, rest;

	(void)was;
	(void)is;
	(void)e;
	if (kind == DIFF_REMOVED && str_cut(path, '/', &name, &rest) && !has_table(l, name))
		vec_push(l->a, &l->gone, arena_str(l->a, name));
	return 0;
}

/* --- how they are read --- */

static int ask(struct loading *l, struct str sql, struct duck_small *out, struct err *e)
{
	struct duck_sql q = {.sql = sql};

	return duck_small(l->p->flow->duck, l->a, &q, out, NULL, e);
}

static int text_of(struct loading *l, struct buf *b, struct str *out, struct err *e)
{
	if (buf_over(b))
		return err_set(e, ERR_LIMIT, "%s: too many files for one statement", l->path);
	*out = arena_str(l->a, buf_str(b));
	return 0;
}

static void add_list(struct buf *b, const char *dir, const struct str *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf path = BUF_INIT(SQL_MAX);

		buf_addf(&path, "%s/%.*s", dir, STR_ARG(files[i]));
		buf_addc(b, i ? ',' : '[');
		sql_add_literal(b, buf_str(&path));
		buf_free(&path);
	}
	buf_addc(b, ']');
}

/* Whether the first line of a CSV file holds the names of fileFormat.columns, in whatever order: 1, 0, -1. */
static int names_first(struct loading *l, const struct table *t, const char *dir, struct err *e)
{
	const struct egress *to = l->p->to;
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	struct duck_small first;
	size_t found = 0;
	struct str sql;

	buf_adds(&b, "select * from read_csv(");
	add_list(&b, dir, t->files.p, 1);
	buf_adds(&b, ", header = false, all_varchar = true, null_padding = true) limit 1");
	if (text_of(l, &b, &sql, e) || ask(l, sql, &first, e))
		return -1;
	for (size_t i = 0; first.rows.n_rows && i < to->n_columns; i++)
		for (size_t k = 0; k < first.rows.n_cols; k++)
			if (first.rows.at[k].p && str_eq(str_trim(first.rows.at[k]), to->columns[i])) {
				found++;
				break;
			}
	return found == to->n_columns;
}

static int read_csv(struct loading *l, const struct table *t, const char *dir, struct buf *b, struct err *e)
{
	const struct egress *to = l->p->to;
	int named = to->n_columns ? names_first(l, t, dir, e) : 1;

	if (named < 0)
		return -1;
	buf_adds(b, "select ");
	for (size_t i = 0; i < to->n_columns; i++) {
		buf_adds(b, i ? ", " : "");
		sql_add_ident(b, to->columns[i]);
	}
	buf_adds(b, to->n_columns ? " from read_csv(" : "* from read_csv(");
	add_list(b, dir, t->files.p, t->files.n);
	if (named)
		buf_adds(b, to->n_columns ? ", header = true, union_by_name = true)" : ", union_by_name = true)");
	for (size_t i = 0; !named && i < to->n_columns; i++) {
		buf_adds(b, i ? ", " : ", header = false, names = [");
		sql_add_literal(b, to->columns[i]);
	}
	if (!named)
		buf_adds(b, "])");
	return 0;
}

/* Those packed must end as they should: one cut short would give its first rows. */
static int look_whole(struct loading *l, const struct table *t, const char *dir, struct err *e)
{
	struct str *packed = arena_array(l->a, struct str, t->files.n + 1);
	const struct dom *reply;
	size_t n = 0;

	for (size_t i = 0; i < t->files.n; i++)
		if (str_has_suffix(t->files.p[i], STR(".gz")) || str_has_suffix(t->files.p[i], STR(".zst")))
			packed[n++] = arena_strf(l->a, "%s/%.*s", dir, STR_ARG(t->files.p[i]));
	return n ? duck_call(l->p->flow->duck, l->a, duck_req_whole(l->a, packed, n), NULL, NULL, &reply, NULL, e) : 0;
}

static int make_reader(struct loading *l, struct table *t, struct err *e)
{
	struct store *s = l->p->flow->store;
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	char view[BLOB_PATH_CAP], *dir;
	struct duck_small columns;
	struct entry folder;
	struct str sql;

	if (tree_find(s, NULL, l->p->now, t->name, &folder, e) < 0 ||
	    view_make(s, &folder.id, "all", view, sizeof(view), e))
		return -1;
	dir = arena_printf(l->a, DUCK_LEAT "%s", view + strlen(s->leat_dir));
	if (look_whole(l, t, dir, e))
		return -1;
	if (t->format == TABLE_CSV) {
		if (read_csv(l, t, dir, &b, e))
			return -1;
	} else {
		buf_adds(&b, t->format == TABLE_JSON ? "select * from read_json(" : "select * from read_parquet(");
		add_list(&b, dir, t->files.p, t->files.n);
		buf_adds(&b, ", union_by_name = true)");
	}
	if (text_of(l, &b, &t->reader, e))
		return -1;
	sql = arena_strf(l->a, "describe %.*s", STR_ARG(t->reader));
	if (ask(l, sql, &columns, e))
		return -1;
	t->n_columns = columns.rows.n_rows;
	t->columns = arena_array(l->a, struct str, t->n_columns + 1);
	t->types = arena_array(l->a, struct str, t->n_columns + 1);
	for (size_t i = 0; i < t->n_columns; i++) {
		t->columns[i] = columns.rows.at[i * columns.rows.n_cols];
		t->types[i] = columns.rows.at[i * columns.rows.n_cols + 1];
	}
	return 0;
}

/* A table that is there keeps its own kinds and rules, so its columns must be those of the files. */
static int must_fit(const struct loading *l, const struct table *t, struct err *e)
{
	size_t same = 0;

	for (size_t i = 0; i < t->n_columns; i++)
		for (size_t k = 0; k < t->n_there; k++)
			same += str_ieq(t->columns[i], t->there[k]);
	if (!t->n_there || (same == t->n_columns && same == t->n_there))
		return 0;
	err_set(e, ERR_CONFLICT, "%s: the table %.*s has other columns than the files", l->path, STR_ARG(t->name));
	return err_hint(e, "drop it there, and it is made of the files");
}

static int begin(struct loading *l, struct egress_push *p, struct err *e)
{
	const struct egress *to = p->to;
	struct str place = to->place, file, options;
	char *path;

	if (str_cut(place, '?', &file, &options))
		place = file;
	path = arena_cstr(p->arena, place);
	*l = (struct loading){.p = p, .a = p->arena, .err = ERR_INIT};
	l->path = *path == '/' ? path : path_join(p->arena, p->flow->ws->dir, path);
	if (dir_make_parent(l->path, 0755, e) || tree_walk(p->flow->store, NULL, p->now, false, on_file, l, e) ||
	    (p->was && tree_diff(p->flow->store, p->was, p->now, false, on_diff, l, e)))
		return -1;
	for (size_t i = 0; i < p->n_tries; i++)
		if (tree_diff(p->flow->store, &p->tries[i], p->now, false, on_diff, l, e))
			return -1;
	for (size_t i = 0; i < l->tables.n; i++)
		if (make_reader(l, &l->tables.p[i], e))
			return err_wrap(e, "table %.*s", STR_ARG(l->tables.p[i].name));
	return 0;
}

/* --- DuckDB --- */

/* The worker's own transaction is of no use for a database of others. */
static void open_there(const struct loading *l, struct buf *b)
{
	buf_adds(b, "commit; attach ");
	sql_add_literal(b, str_of(l->path));
	buf_adds(b, " as " THERE "; begin transaction; ");
}

static void add_name(struct buf *b, struct str table)
{
	buf_adds(b, THERE ".main.");
	sql_add_ident(b, table);
}

static int look_there(struct loading *l, struct map *there, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	struct duck_small found;
	struct str sql;

	open_there(l, &b);
	buf_adds(&b, "select table_name, column_name from duckdb_columns() where database_name = '" THERE
	             "' and schema_name = 'main' order by table_oid, column_index");
	if (text_of(l, &b, &sql, e) || ask(l, sql, &found, e))
		return -1;
	for (size_t i = 0; i < found.rows.n_rows; i++) {
		map_set(there, found.rows.at[2 * i], l);
		for (size_t k = 0; k < l->tables.n; k++) {
			struct table *t = &l->tables.p[k];

			if (!str_ieq(t->name, found.rows.at[2 * i]))
				continue;
			if (!t->there)
				t->there = arena_array(l->a, struct str, found.rows.n_rows);
			t->there[t->n_there++] = found.rows.at[2 * i + 1];
		}
	}
	return 0;
}

static int push_duckdb(struct egress_push *p, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	struct duck_small done;
	struct loading l;
	struct map there;
	struct str sql;

	map_init(&there, p->arena);
	if (begin(&l, p, e) || look_there(&l, &there, e))
		return -1;
	open_there(&l, &b);
	for (size_t i = 0; i < l.tables.n; i++) {
		const struct table *t = &l.tables.p[i];

		if (must_fit(&l, t, e))
			return -1;
		if (t->n_there) {
			buf_adds(&b, "delete from ");
			add_name(&b, t->name);
			buf_adds(&b, "; insert into ");
			add_name(&b, t->name);
			buf_adds(&b, " by name ");
		} else {
			buf_adds(&b, "create table ");
			add_name(&b, t->name);
			buf_adds(&b, " as ");
		}
		buf_addstr(&b, t->reader);
		buf_adds(&b, "; ");
	}
	for (size_t i = 0; i < l.gone.n; i++)
		if (map_get(&there, l.gone.p[i])) {
			buf_adds(&b, "delete from ");
			add_name(&b, l.gone.p[i]);
			buf_adds(&b, "; ");
			p->n_removed++;
		}
	buf_adds(&b, "commit; begin transaction; select 1");
	p->n_written = l.tables.n;
	return text_of(&l, &b, &sql, e) || ask(&l, sql, &done, e) ? -1 : 0;
}

/* --- SQLite --- */

static int on_rows(void *ptr, const struct duck_msg *m)
{
	struct loading *l = ptr;

	if (m->kind != DUCK_ROWS)
		return 0;
	for (size_t i = 0; i < m->rows.n_rows; i++)
		if (sqlite_file_row(l->file, m->rows.at + i * m->rows.n_cols, &l->err))
			return 1;
	return 0;
}

static int carry(struct loading *l, const struct table *t, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	struct duck_sql q = {0};
	const struct dom *reply;
	int rc;

	buf_adds(&b, "select ");
	for (size_t i = 0; i < t->n_columns; i++) {
		bool truth = str_is(t->types[i], "BOOLEAN");

		buf_adds(&b, i ? ", " : "");
		sql_add_ident(&b, t->columns[i]);
		buf_adds(&b, truth ? "::integer::varchar" : "::varchar");
	}
	buf_addf(&b, " from (%.*s)", STR_ARG(t->reader));
	if (text_of(l, &b, &q.sql, e) || sqlite_file_into(l->file, t->name, t->columns, t->n_columns, e))
		return -1;
	rc = duck_call(l->p->flow->duck, l->a, duck_req_query(l->a, &q, DUCK_CELLS_TEXT), on_rows, l, &reply, NULL, e);
	if (!l->err.code)
		return rc;
	*e = l->err; /* the query may have been over before it heard of that */
	return -1;
}

static int load(struct loading *l, struct err *e)
{
	for (size_t i = 0; i < l->tables.n; i++) {
		struct table *t = &l->tables.p[i];

		if (sqlite_file_columns(l->file, l->a, t->name, &t->there, &t->n_there, e) || must_fit(l, t, e) ||
		    (t->n_there ? sqlite_file_clear(l->file, t->name, e)
		                : sqlite_file_make(l->file, t->name, t->columns, t->types, t->n_columns, e)) ||
		    carry(l, t, e))
			return -1;
		l->p->n_written++;
	}
	for (size_t i = 0; i < l->gone.n; i++) {
		struct str *columns;
		size_t n;

		if (sqlite_file_columns(l->file, l->a, l->gone.p[i], &columns, &n, e) ||
		    (n && sqlite_file_clear(l->file, l->gone.p[i], e)))
			return -1;
		l->p->n_removed += n > 0;
	}
	fault_crash("egress-tables-filled");
	return sqlite_file_commit(l->file, e);
}

static int push_sqlite(struct egress_push *p, struct err *e)
{
	struct loading l;
	int rc;

	if (begin(&l, p, e) || sqlite_file_open(l.path, &l.file, e))
		return -1;
	rc = load(&l, e);
	sqlite_file_close(l.file);
	return rc;
}

const struct egress_kind egress_duckdb = {.scheme = "duckdb", .sql = true, .push = push_duckdb};
const struct egress_kind egress_sqlite = {.scheme = "sqlite", .sql = true, .push = push_sqlite};
