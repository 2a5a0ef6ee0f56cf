#include "api/proof.h"

#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "base/textdiff.h"
#include "db/sql.h"
#include "flow/catalog.h"
#include "flow/data.h"
#include "flow/rowdiff.h"
#include "flow/table.h"
#include "repo/blob.h"
#include "repo/ingest.h"
#include "sys/file.h"

#define SQL_MAX ((size_t)32 << 20)
#define TEXT_MAX ((size_t)64 << 10) /* of a file whose lines are compared */
#define FILES_MAX 10000

struct proof_look {
	struct proofs *p;
	struct arena *a;
	const struct proof *o;
	struct table_source table; /* what came out */
	bool nothing;              /* it is no table, or has no files at all */
	struct str made;           /* SQL that reads it */
	struct str few;            /* SQL that gives some of its rows: all of those of most tests */
	struct duck_small columns; /* of it, and these rows */
	bool asked, read;          /* for them */
	struct proof_diff *d;
	struct dom *rows;
};

/* --- what came out, as a table --- */

static int size_of(void *ptr, struct str path, const struct entry *en, struct err *e)
{
	(void)path;
	(void)e;
	*(int64_t *)ptr += en->size;
	return 0;
}

/* Finds what it is to be read by; the store may hold another test after that. */
static int find_table(struct proof_look *c, struct err *e)
{
	const struct job *j = c->o->x->job;
	struct sha empty = tree_empty_id();
	struct catalog *cat;
	struct reads r = {.state = READS_OK};
	int64_t bytes = 0;

	c->nothing = !c->o->has_tree || sha_eq(&c->o->tree, &empty);
	if (c->nothing)
		return 0;
	if (catalog_new(c->p->store, c->a, &cat, e) ||
	    reads_for_query(cat, c->a, j->output, j->output_branch, true, &r, e) ||
	    tree_walk(c->p->store, NULL, &c->o->tree, false, size_of, &bytes, e))
		return -1;
	for (size_t i = 0; i < r.n_parts; i++)
		if (!strcmp(r.parts[i].label, c->o->x->ds.label)) {
			r.parts += i;
			r.n_parts = 1;
		}
	if (table_open(c->p->store, c->a, c->p->flow->duck, &r, &c->table, e))
		return -1;
	c->made = arena_strf(c->a, "select * %s from (%.*s)", c->table.every != EVERY_NONE ? "exclude (ds)" : "",
	                     STR_ARG(c->table.view.sql));
	c->few = bytes <= PROOF_TEXT_BYTES ? c->made
	                                   : arena_strf(c->a, "from (%.*s) limit %d", STR_ARG(c->made),
	                                                PROOF_TEXT_ROWS + 1);
	return 0;
}

static int ask_made(struct proof_look *c, struct err *e)
{
	struct duck_sql q = {.sql = c->few, .threads = DUCK_THREADS_ANY};

	c->asked = !c->nothing;
	return c->nothing ? 0 : duck_send(c->p->reader, duck_req_query(c->a, &q, DUCK_CELLS_TEXT), e);
}

static int read_made(struct proof_look *c, struct err *e)
{
	struct duck_sql q = {.threads = DUCK_THREADS_ANY};

	if (!c->asked)
		return 0;
	c->asked = false;
	c->read = true;
	if (!duck_small_wait(c->p->reader, c->a, &c->columns, NULL, e))
		return 0;
	if (e->code != ERR_LIMIT)
		return table_error(e, &c->table, 1);
	/* Very many rows in few bytes: then its columns will do. */
	err_clear(e);
	q.sql = arena_strf(c->a, "from (%.*s) limit %d", STR_ARG(c->made), PROOF_TEXT_ROWS + 1);
	return duck_small(c->p->reader, c->a, &q, &c->columns, NULL, e) ? table_error(e, &c->table, 1) : 0;
}

static int open_made(struct proof_look *c, struct err *e)
{
	if (c->asked)
		return read_made(c, e);
	return c->read ? 0 : find_table(c, e) || ask_made(c, e) ? -1 : read_made(c, e);
}

int proof_look(struct proofs *p, struct arena *a, struct proof *o, struct err *e)
{
	struct proof_look *c = arena_new_of(a, struct proof_look);

	BUG_IF(o->x->expects == EXPECTS_FILES || o->failed.code);
	*c = (struct proof_look){.p = p, .a = a, .o = o};
	if (find_table(c, e) || ask_made(c, e))
		return -1;
	o->look = c;
	return 0;
}

/* --- what is expected, as a table --- */

/* Cells as texts; the types are those of what came out. */
static int write_rows(struct proof_look *c, struct buf *b, struct err *e)
{
	const struct dom *rows = c->o->x->rows;
	struct map seen;
	VEC(const char *) names = {0};

	map_init(&seen, c->a);
	dom_each (row, rows)
		dom_each (v, row)
			if (!map_has(&seen, v->key)) {
				const char *name = arena_cstr(c->a, v->key);

				map_set(&seen, v->key, c->a);
				vec_push(c->a, &names, name);
			}
	if (!names.n) {
		err_set(e, ERR_BAD_REQUEST, "its rows have no columns");
		return err_at(e, fixture_path(c->a, c->o->x, "case.yaml"), rows->line, rows->col);
	}
	buf_adds(b, "select * from (values ");
	dom_each (row, rows) {
		buf_adds(b, row == rows->first ? "(" : ", (");
		for (size_t i = 0; i < names.n; i++) {
			const struct dom *v = dom_get(row, names.p[i]);
			struct buf one cleanup(buf_free) = BUF_INIT(SQL_MAX);

			buf_adds(b, i ? ", " : "");
			if (!v || v->type == DOM_NULL) {
				buf_adds(b, "null::varchar");
				continue;
			}
			if (v->type == DOM_LIST || v->type == DOM_MAP)
				dom_write_json(&one, v, DOM_COMPACT);
			else
				buf_addstr(&one, dom_text(c->a, v));
			sql_add_literal(b, buf_str(&one));
		}
		buf_addc(b, ')');
	}
	buf_adds(b, ") as t(");
	for (size_t i = 0; i < names.n; i++) {
		buf_adds(b, i ? ", " : "");
		sql_add_ident(b, str_of(names.p[i]));
	}
	buf_addc(b, ')');
	return 0;
}

static void write_file(const struct fixture *x, struct buf *b)
{
	struct str ext = str_of(path_ext(x->expected));

	buf_addf(b, "select * from %s(", str_is(ext, ".csv") ? "read_csv" : str_is(ext, ".parquet") ? "read_parquet"
	                                                                                       : "read_json");
	sql_add_path(b, str_of(x->expected));
	buf_addf(b, "%s, hive_partitioning = false)",
	         str_is(ext, ".csv") ? ", all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"'"
	                             : "");
}

static const char *expected_name(struct proof_look *c)
{
	const struct fixture *x = c->o->x;

	return fixture_path(c->a, x, x->rows ? "case.yaml" : path_base(c->a, x->expected));
}

static struct str type_of(const struct proof_look *c, struct str name)
{
	for (size_t i = 0; i < c->columns.rows.n_cols; i++)
		if (str_ieq(c->columns.names[i], name))
			return c->columns.types[i];
	return STR_NULL;
}

static int no_such_column(struct proof_look *c, struct str name, struct err *e)
{
	const struct job *j = c->o->x->job;

	err_set(e, ERR_BAD_REQUEST, "a column %s is expected, which %.*s does not give", STR_SHOWN(name),
	        STR_ARG(j->name));
	keys_hint_nearest(e, name, c->columns.names, c->columns.rows.n_cols);
	return err_at(e, expected_name(c), 0, 0);
}

/* A text that is no value of the type stays a text, and is compared as one. */
static int type_columns(struct proof_look *c, struct str given, const struct duck_small *names, struct str *out,
                        struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX), ask cleanup(buf_free) = BUF_INIT(SQL_MAX);
	struct duck_small bad;
	struct duck_sql q = {.threads = 1};

	buf_adds(&ask, "select true");
	for (size_t i = 0; i < names->rows.n_cols; i++) {
		buf_adds(&ask, ", bool_or(");
		sql_add_ident(&ask, names->names[i]);
		buf_adds(&ask, " is not null and try_cast(");
		sql_add_ident(&ask, names->names[i]);
		buf_addf(&ask, " as %.*s) is null)", STR_ARG(type_of(c, names->names[i])));
	}
	buf_addf(&ask, " from (%.*s)", STR_ARG(given));
	q.sql = buf_str(&ask);
	if (duck_small(c->p->flow->duck, c->a, &q, &bad, NULL, e))
		return -1;
	buf_adds(&b, "select ");
	for (size_t i = 0; i < names->rows.n_cols; i++) {
		struct str t = type_of(c, names->names[i]), cell = bad.rows.at[i + 1];

		buf_adds(&b, i ? ", " : "");
		sql_add_ident(&b, names->names[i]);
		if (!cell.p || !str_is(cell, "true"))
			buf_addf(&b, "::%.*s as ", STR_ARG(t));
		else
			buf_adds(&b, " as ");
		sql_add_ident(&b, names->names[i]);
	}
	buf_addf(&b, " from (%.*s)", STR_ARG(given));
	*out = arena_str(c->a, buf_str(&b));
	return 0;
}

static int open_expected(struct proof_look *c, struct str *out, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	struct duck_sql q = {.threads = 1};
	struct duck_small names;

	if (!c->o->x->rows)
		write_file(c->o->x, &b);
	else if (write_rows(c, &b, e))
		return -1;
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "%s has too many rows", expected_name(c));
	*out = arena_str(c->a, buf_str(&b));
	q.sql = arena_strf(c->a, "from (%.*s) limit 0", STR_ARG(*out));
	if (duck_small(c->p->flow->duck, c->a, &q, &names, NULL, e)) {
		e->code = ERR_BAD_REQUEST;
		return err_at(e, expected_name(c), 0, 0);
	}
	if (c->nothing)
		return 0;
	for (size_t i = 0; i < names.rows.n_cols; i++)
		if (!type_of(c, names.names[i]).p)
			return no_such_column(c, names.names[i], e);
	return type_columns(c, *out, &names, out, e) ? err_at(e, expected_name(c), 0, 0) : 0;
}

/* --- rows --- */

static int on_head(void *ptr, const struct rowdiff *r, struct err *e)
{
	struct proof_look *c = ptr;
	struct dom *columns = dom_new(c->a, DOM_LIST);

	(void)e;
	c->d->added = r->added;
	c->d->removed = r->removed;
	c->d->changed = r->changed;
	for (size_t i = 0; i < r->n_columns; i++)
		if (!r->columns[i].old_type.p)
			dom_add(columns, dom_new_str(c->a, r->columns[i].name));
	c->d->columns = columns->n ? columns : NULL;
	return 0;
}

static int on_row(void *ptr, const struct dom *row, struct err *e)
{
	struct proof_look *c = ptr;
	struct buf b cleanup(buf_free) = BUF_INIT(DUCK_MAX_FRAME);
	struct dom *own; /* its texts live only as long as this call */

	dom_write_json(&b, row, DOM_COMPACT);
	if (dom_json(c->a, buf_str(&b), "row", &own, e))
		return -1;
	dom_add(c->rows, own);
	return 0;
}

static int compare_rows(struct proof_look *c, struct err *e)
{
	const struct fixture *x = c->o->x;
	struct rowdiff_to to = {.head = on_head, .row = on_row, .ptr = c};
	struct rowdiff_ask ask = {.keys = x->keys, .n_keys = x->n_keys, .tolerance = x->tolerance, .limit = PROOF_ROWS,
	                          .threads = 1};

	if (open_made(c, e))
		return -1;
	ask.old.none = x->rows && !x->rows->n;
	if (ask.old.none && c->nothing)
		return 0;
	if (!c->nothing && !ask.old.none && c->columns.rows.n_rows <= PROOF_TEXT_ROWS &&
	    proof_same_texts(c->a, x, &c->columns))
		return 0;
	if (ask.old.none)
		ask.old.reader = c->made;
	else if (open_expected(c, &ask.old.reader, e))
		return -1;
	ask.new.none = c->nothing;
	ask.new.reader = c->nothing ? ask.old.reader : c->made;
	ask.old.name = str_of(expected_name(c));
	ask.new.name = arena_strf(c->a, "what %.*s gives", STR_ARG(x->job->name));
	if (!rowdiff_run(c->p->flow->duck, c->a, &ask, &to, e))
		return 0;
	return e->code == ERR_BAD_REQUEST ? err_at(e, x->shown, 0, 0) : -1;
}

/* --- files --- */

static int lines_of(struct proof_look *c, const struct entry *en, struct str *out, bool *text, struct err *e)
{
	*out = STR("");
	if (!en)
		return 0;
	if (en->size > (int64_t)TEXT_MAX) {
		*text = false;
		return 0;
	}
	if (blob_bytes(c->p->store, &en->id, c->a, TEXT_MAX, out, e))
		return -1;
	*text = *text && textdiff_is_text(*out);
	return 0;
}

static int on_file(void *ptr, enum diff_kind kind, struct str path, const struct entry *old, const struct entry *new,
                   struct err *e)
{
	static const char *const words[] = {"added", "removed", "changed"};
	struct proof_look *c = ptr;
	struct dom *row = dom_new(c->a, DOM_MAP);
	struct buf b cleanup(buf_free) = BUF_INIT(4 * TEXT_MAX);
	bool text = true;
	struct str x, y;

	c->d->added += kind == DIFF_ADDED;
	c->d->removed += kind == DIFF_REMOVED;
	c->d->changed += kind == DIFF_CHANGED;
	if (c->rows->n == PROOF_ROWS)
		return 0;
	dom_set_cstr(c->a, row, "change", words[kind]);
	dom_set_str(c->a, row, "path", arena_strf(c->a, "/%.*s", STR_ARG(path)));
	if (lines_of(c, old, &x, &text, e) || lines_of(c, new, &y, &text, e))
		return -1;
	if (text)
		textdiff_write(&b, x, y);
	if (b.n && !buf_over(&b))
		dom_set_str(c->a, row, "text", buf_str(&b));
	dom_add(c->rows, row);
	return 0;
}

/* What is expected is taken in beside what came out, so that both are trees. */
static int compare_files(struct proof_look *c, struct err *e)
{
	struct ingest *in = ingest_new(c->p->store);
	struct sha tree = tree_empty_id();
	struct entry root;
	int rc = ingest_folder(in, c->o->x->expected, INGEST_COPY, &root, e) || ingest_begin(in, e) ||
	                 db_commit(c->p->store->db, e)
	                 ? -1
	                 : 0;

	if (c->o->has_tree)
		tree = c->o->tree;
	ingest_free(in);
	return rc ? -1 : tree_diff(c->p->store, &root.id, &tree, false, on_file, c, e);
}

int proof_compare(struct proofs *p, struct arena *a, const struct proof *o, struct proof_diff *out, struct err *e)
{
	struct proof_look c = {.p = p, .a = a, .o = o};

	if (o->look)
		c = *o->look;
	c.d = out;
	c.rows = dom_new(a, DOM_LIST);
	*out = (struct proof_diff){0};
	if (o->x->expects == EXPECTS_FILES ? compare_files(&c, e) : compare_rows(&c, e))
		return -1;
	out->rows = c.rows;
	out->same = !out->added && !out->removed && !out->changed && !out->columns;
	return 0;
}

/* --- --update --- */

static int write_table(struct proof_look *c, const char *path, struct err *e)
{
	const char *tmp = arena_printf(c->a, "%s/.%s.new", path_dir(c->a, path), path_base(c->a, path));
	struct duck_sql q = {.sql = arena_strf(c->a, "from (%.*s)", STR_ARG(c->made)), .threads = 1};
	const struct dom *reply;

	if (file_unlink(tmp, e) || duck_call(c->p->flow->duck, c->a, duck_req_copy(c->a, &q, tmp, path_ext(path) + 1),
	                                     NULL, NULL, &reply, NULL, e))
		return -1;
	return file_rename(tmp, path, e);
}

struct cells {
	const struct duck_small *columns;
	struct buf *b;
};

static int on_cells(void *ptr, const struct duck_msg *m)
{
	struct cells *to = ptr;

	for (size_t r = 0; m->kind == DUCK_ROWS && r < m->rows.n_rows; r++) {
		buf_adds(to->b, "  - {");
		for (size_t i = 0; i < m->rows.n_cols; i++) {
			struct str cell = m->rows.at[r * m->rows.n_cols + i];

			buf_adds(to->b, i ? ", " : "");
			json_write_str(to->b, to->columns->names[i]);
			buf_addf(to->b, ": %.*s", cell.p ? (int)cell.n : 4, cell.p ? cell.p : "null");
		}
		buf_adds(to->b, "}\n");
	}
	return 0;
}

/* Where the lines of a key end: before the next one and the comments that belong to that. */
static size_t lines_until(struct str text, int line)
{
	size_t at = 0, end = 0;
	int n = 1;

	while (at < text.n && n < line) {
		size_t from = at;

		while (at < text.n && text.p[at] != '\n')
			at++;
		at += at < text.n;
		if (text.p[from] != '#' && str_trim(str_sub(text, from, at - from)).n)
			end = at;
		n++;
	}
	return line == INT32_MAX ? at : end;
}

/* The rows in case.yaml: the lines of that key are written anew, all others stay as they are. */
static int write_yaml(struct proof_look *c, const char *path, struct err *e)
{
	const struct fixture *x = c->o->x;
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX);
	struct cells to = {&c->columns, &b};
	struct duck_sql q = {.sql = c->made, .threads = 1};
	int from = x->rows->key_line, next = INT32_MAX;
	const struct dom *reply;
	size_t begin, end;

	dom_each (v, x->doc)
		if (v->key_line > from && v->key_line < next)
			next = v->key_line;
	if (x->rows->key_col != 1) {
		err_set(e, ERR_BAD_REQUEST, "the rows stand where they cannot be written anew");
		err_hint(e, "let `expected:` begin a line, or use a file expected.csv");
		return err_at(e, fixture_path(c->a, x, "case.yaml"), from, x->rows->key_col);
	}
	begin = 0;
	for (int n = 1; begin < x->yaml.n && n < from; begin++)
		n += x->yaml.p[begin] == '\n';
	end = lines_until(x->yaml, next);
	buf_add(&b, x->yaml.p, begin);
	buf_adds(&b, c->nothing ? "expected: []\n" : "expected:\n");
	if (!c->nothing) {
		size_t before = b.n;

		if (duck_call(c->p->flow->duck, c->a, duck_req_query(c->a, &q, DUCK_CELLS_JSON), on_cells, &to, &reply,
		              NULL, e))
			return -1;
		if (b.n == before) {
			b.n -= strlen("\n");
			buf_adds(&b, " []\n");
		}
	}
	if (end < x->yaml.n)
		buf_add(&b, x->yaml.p + end, x->yaml.n - end);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "too many rows for %s", fixture_path(c->a, x, "case.yaml"));
	return file_replace(path, buf_str(&b), 0666, 0, e);
}

struct writing {
	struct proof_look *c;
	const char *dir;
	size_t n;
};

static int write_one(void *ptr, struct str path, const struct entry *en, struct err *e)
{
	struct writing *w = ptr;
	const char *to = path_join(w->c->a, w->dir, arena_cstr(w->c->a, path));

	if (++w->n > FILES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d files", FILES_MAX);
	return dir_make_parent(to, 0777, e) || blob_write_to(w->c->p->store, &en->id, to, 0666, e) ? -1 : 0;
}

static int write_files(struct proof_look *c, const char *path, struct err *e)
{
	const char *new = arena_printf(c->a, "%s/.expected.new", c->o->x->dir),
	           *old = arena_printf(c->a, "%s/.expected.old", c->o->x->dir);
	struct writing w = {.c = c, .dir = new};

	if (dir_remove_tree(new, e) || dir_remove_tree(old, e) || dir_make(new, 0777, e) ||
	    (c->o->has_tree && tree_walk(c->p->store, NULL, &c->o->tree, false, write_one, &w, e)) ||
	    (dir_exists(path) && file_rename(path, old, e)) || file_rename(new, path, e))
		return -1;
	return dir_remove_tree(old, e);
}

static bool has_tables(struct proof_look *c)
{
	struct err none = ERR_INIT;

	return !open_made(c, &none) && !c->nothing;
}

int proof_update(struct proofs *p, struct arena *a, const struct proof *o, const char **shown, struct err *e)
{
	struct proof_look c = {.p = p, .a = a, .o = o};
	const struct fixture *x = o->x;
	const char *file = x->expected ? path_base(a, x->expected) : "case.yaml";
	enum fixture_expects how = x->expects;

	if (how == EXPECTS_NONE) {
		how = has_tables(&c) ? EXPECTS_TABLE : EXPECTS_FILES;
		file = how == EXPECTS_TABLE ? "expected.csv" : "expected";
	} else if (how != EXPECTS_FILES && open_made(&c, e)) {
		return -1;
	}
	*shown = fixture_path(a, x, file);
	if (how == EXPECTS_TABLE && c.nothing) {
		err_set(e, ERR_BAD_REQUEST, "%.*s gave no table to write there", STR_ARG(x->job->name));
		return err_at(e, *shown, 0, 0);
	}
	if (how == EXPECTS_FILES)
		return write_files(&c, path_join(a, x->dir, file), e);
	return how == EXPECTS_ROWS ? write_yaml(&c, path_join(a, x->dir, file), e)
	                           : write_table(&c, path_join(a, x->dir, file), e);
}
