/* The operations of the SQL worker that run statements. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"
#include "db/duck.h"
#include "db/duck_frame.h"
#include "db/duck_shape.h"
#include "db/duck_worker.h"
#include "db/sql.h"
#include "db/sql_token.h"
#include "sys/zabi.h"

#define MAX_SQL ((size_t)64 << 20)
#define ROWS_BYTES ((size_t)256 << 10) /* a frame of rows is sent when it has grown to this */

int work_result(struct work *k, const char *sql, struct duck_result *out, struct err *e)
{
	if (worker_cancelled())
		return err_set(e, ERR_CANCELLED, "the query was cancelled");
	if (!duckdb.query(k->w->con, sql, out))
		return 0;
	duck_error(e, duckdb.result_error(out), &k->offset);
	duckdb.destroy_result(out);
	return -1;
}

int work_exec(struct work *k, const char *sql, struct err *e)
{
	struct duck_result r;

	if (work_result(k, sql, &r, e))
		return -1;
	duckdb.destroy_result(&r);
	return 0;
}

static const char *text_of(const struct work *k, const char *key)
{
	struct dom *d = dom_get(k->request, key);

	return d && d->type == DOM_STR ? arena_cstr(k->a, d->s) : NULL;
}

static bool flag(const struct work *k, const char *key)
{
	struct dom *d = dom_get(k->request, key);

	return d && d->type == DOM_BOOL && d->b;
}

static int set_threads(struct work *k, struct err *e)
{
	struct dom *t = dom_get(k->request, "threads");
	int want = t ? (int)t->i : k->w->threads;
	char sql[64];

	/* A change ends threads and gives back all that they had allocated, to be asked of the kernel again. */
	if (want < 0 || want == k->w->threads_now)
		return 0;
	snprintf(sql, sizeof(sql), "set threads = %d", want);
	if (work_exec(k, sql, e))
		return -1;
	k->w->threads_now = want;
	return 0;
}

static int set_timezone(struct work *k, struct err *e)
{
	const char *own = text_of(k, "timezone"), *want = own ? own : k->w->timezone;
	struct buf b cleanup(buf_free) = BUF_INIT(1024);

	if (!strcmp(want, k->w->timezone_now))
		return 0;
	buf_adds(&b, "set timezone = ");
	sql_add_literal(&b, str_of(want));
	if (tz_load(want, &k->w->tz, e) || work_exec(k, b.p, e))
		return -1;
	snprintf(k->w->timezone_now, sizeof(k->w->timezone_now), "%s", want);
	return 0;
}

int work_session(struct work *k, struct err *e)
{
	return set_threads(k, e) || set_timezone(k, e) ? -1 : 0;
}

/* One thread keeps the order by itself; several need only where the user asked for an order. */
static int set_order(struct work *k, bool keep, struct err *e)
{
	if (k->w->order_now == keep)
		return 0;
	if (work_exec(k, keep ? "set preserve_insertion_order = true" : "set preserve_insertion_order = false", e))
		return -1;
	k->w->order_now = keep;
	return 0;
}

/*
 * Everything a request makes is made in one transaction that is rolled back at its end. What is not undone by that
 * (set, attach) can only come from further statements of the user: then the whole database is made anew (.dirty).
 * Requests of a session (a notebook's cells) leave what they make to those after them.
 */
static int begin(struct work *k, struct err *e)
{
	struct dom *views = dom_get(k->request, "views");
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_SQL);
	bool stays = flag(k, "session");

	if (work_session(k, e))
		return -1;
	if (k->inlined)
		return 0;
	if (!stays && work_exec(k, "begin transaction", e))
		return -1;
	dom_each(v, views) {
		struct dom *schema = v->first, *name = schema->next, *sql = name->next;

		buf_reset(&b);
		if (schema->s.n) {
			buf_adds(&b, "create schema if not exists ");
			sql_add_ident(&b, schema->s);
			buf_adds(&b, stays ? "; create or replace view " : "; create view ");
			sql_add_ident(&b, schema->s);
			buf_addc(&b, '.');
		} else {
			buf_adds(&b, stays ? "create or replace view " : "create view ");
		}
		sql_add_ident(&b, name->s);
		buf_adds(&b, " as ");
		buf_addstr(&b, sql->s);
		if (buf_over(&b))
			return err_set(e, ERR_LIMIT, "the table %.*s has too many files for one statement",
				       STR_ARG(name->s));
		if (work_exec(k, b.p, e)) {
			k->offset = -1; /* a place in our text, not in the user's */
			return -1;
		}
	}
	return 0;
}

static void end(struct work *k)
{
	bool stays = flag(k, "session");
	struct err e = ERR_INIT;
	struct duck_result r;

	k->dirty &= !stays;
	/* By hand: a cancelled request has to be rolled back too. */
	if (!k->inlined && !stays && duckdb.query(k->w->con, "rollback", &r) &&
	    !strstr(duckdb.result_error(&r), "no transaction is active"))
		k->dirty = true;
	if (!k->inlined && !stays)
		duckdb.destroy_result(&r);
	if (set_order(k, true, &e))
		k->dirty = true;
}

/* Puts a place in `sent` back to the user's text; `prefix` bytes of ours stand before the statement. */
static int place(struct work *k, const struct sql_range *stmt, size_t prefix)
{
	if (k->offset >= 0) {
		int64_t at = k->offset - (int64_t)prefix;

		k->offset = at < 0 || at > (int64_t)(stmt->end - stmt->start) ? -1 : at + (int64_t)stmt->start;
	}
	return -1;
}

/* Opens the transaction, runs all statements but the last, which is given back. */
static int prelude(struct work *k, struct sql_range *last, struct err *e)
{
	struct sql_range *list;
	size_t n = sql_split(k->a, k->sql, &list);

	if (!n)
		return err_set(e, ERR_BAD_SQL, "there is no statement in it");
	if (begin(k, e))
		return -1;
	k->dirty = n > 1;
	for (size_t i = 0; i + 1 < n; i++)
		if (work_exec(k, arena_cstr(k->a, str_sub(k->sql, list[i].start, list[i].end - list[i].start)), e))
			return place(k, &list[i], 0);
	*last = list[n - 1];
	return 0;
}

static struct str statement(const struct work *k, const struct sql_range *r)
{
	return str_sub(k->sql, r->start, r->end - r->start);
}

/* The text with each table's reader in its place; false where that cannot be. */
static bool inline_tables(struct work *k)
{
	struct dom *refs = dom_get(k->request, "refs"), *views = dom_get(k->request, "views");
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_SQL);
	struct str text = dom_get(k->request, "sql")->s;
	size_t at = 0;

	if (!refs)
		return false;
	dom_each(v, views)
		if (memmem(v->last->s.p, v->last->s.n, "store_rejects", 13))
			return false; /* only the rollback clears what was rejected */
	dom_each(r, refs) {
		size_t start = (size_t)r->first->i, stop = (size_t)r->first->next->i;
		int64_t n = r->first->next->next->i;
		struct dom *v = views->first;

		for (; n; n--)
			v = v->next;
		buf_addstr(&b, str_sub(text, at, start - at));
		buf_addc(&b, '(');
		buf_addstr(&b, v->last->s);
		buf_addc(&b, ')');
		if (!r->last->b) {
			buf_adds(&b, " as ");
			sql_add_ident(&b, v->first->next->s);
		}
		at = stop;
	}
	buf_addstr(&b, str_sub(text, at, text.n));
	if (buf_over(&b))
		return false;
	k->sql = arena_str(k->a, buf_str(&b));
	return true;
}

/*
 * Tries with the tables put in place; what does not bind so (tables.sales.x as a column, a mistake of the user's) is
 * tried again with views, whose names and places are the user's.
 */
static int run(struct work *k, int (*work)(struct work *k, struct err *e), struct err *e)
{
	struct err first = ERR_INIT;

	if (!flag(k, "session") && inline_tables(k)) {
		k->inlined = true;
		int r = work(k, &first);

		end(k);
		if (!r)
			return 0;
		if (first.code != ERR_BAD_SQL || k->told) {
			k->offset = -1;
			*e = first;
			return -1;
		}
		k->inlined = false;
	}
	k->sql = dom_get(k->request, "sql")->s;
	k->offset = -1;
	int r = work(k, e);
	end(k);
	return r;
}

int work_prepare(struct work *k, const char *sql, duck_prepared *out, struct err *e)
{
	duck_prepared p = NULL;

	if (worker_cancelled())
		return err_set(e, ERR_CANCELLED, "the query was cancelled");
	if (duckdb.prepare(k->w->con, sql, &p)) {
		duck_error(e, duckdb.prepare_error(p), &k->offset);
		duckdb.destroy_prepare(&p);
		return -1;
	}
	*out = p;
	return 0;
}

static int file_size(const char *path, int64_t *out, struct err *e)
{
	struct stat st;

	if (stat(path, &st))
		return err_set(e, ERR_IO, "DuckDB wrote no file at %s", path);
	*out = st.st_size;
	return 0;
}

/* copy (<before> statement <after>) to out (options): the rows it wrote. */
static int copy_out(struct work *k, const struct sql_range *stmt, const char *before, const char *after,
		    const char *out, const char *options, int64_t *rows, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_SQL);
	struct duck_result r;

	buf_adds(&b, "copy (\n");
	buf_adds(&b, before);
	size_t prefix = b.n;
	buf_addstr(&b, statement(k, stmt));
	/* The line break ends a comment that the statement ends in. */
	buf_adds(&b, "\n");
	buf_adds(&b, after);
	buf_adds(&b, ") to ");
	sql_add_literal(&b, str_of(out));
	buf_addf(&b, " (%s)", options);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the statement is over its limit of %zu MiB", MAX_SQL >> 20);
	if (work_result(k, b.p, &r, e))
		return place(k, stmt, prefix);
	*rows = (int64_t)duckdb.rows_changed(&r);
	duckdb.destroy_result(&r);
	return 0;
}

static int row_id(struct work *k, const char *path, bool ordered, struct sha *out, int64_t *rows, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(16384);
	struct sha_ctx c;
	duck_prepared p;
	struct str *cells;
	size_t n, cols;

	/* Sums of another version's hash function are not comparable. */
	sha_init(&c);
	sha_field(&c, str_of(duckdb.library_version()));
	buf_adds(&b, "from read_parquet(");
	sql_add_path(&b, str_of(path));
	buf_adds(&b, ", hive_partitioning = false)");
	if (work_prepare(k, b.p, &p, e))
		return -1;
	for (duck_idx i = 0; i < duckdb.prepared_statement_column_count(p); i++) {
		const char *name = duckdb.prepared_statement_column_name(p, i);
		duck_type t = duckdb.prepared_statement_column_logical_type(p, i);

		buf_reset(&b);
		duck_type_text(&b, t);
		sha_field(&c, str_of(name));
		sha_field(&c, buf_str(&b));
		duckdb.destroy_logical_type(&t);
		duckdb.free((void *)(uintptr_t)name);
	}
	duckdb.destroy_prepare(&p);
	buf_reset(&b);
	buf_adds(
		&b,
		"select count(*), sum(hash(leat_row, 1)::hugeint), sum(hash(leat_row, 2)::hugeint) from read_parquet(");
	sql_add_path(&b, str_of(path));
	buf_addf(&b, ", hive_partitioning = false%s) leat_row", ordered ? ", file_row_number = true" : "");
	if (work_rows(k, b.p, &cells, &n, &cols, e))
		return -1;
	for (size_t i = 0; i < n * cols; i++)
		sha_field(&c, cells[i]);
	sha_field(&c, ordered ? STR("ordered") : STR("any order"));
	*out = sha_end(&c);
	if (!str_to_i64(cells[0], rows))
		BUG("count(*) is no number");
	return 0;
}

static int reply_row_id(struct work *k, const char *path, bool ordered, int64_t *rows, struct err *e)
{
	struct sha id;
	char hex[SHA_HEX + 1];

	if (row_id(k, path, ordered, &id, rows, e))
		return -1;
	sha_hex(&id, hex);
	dom_set_cstr(k->a, k->reply, "row_id", hex);
	return 0;
}

/* Rows that a table with ignore_errors left out: DuckDB keeps them beside the connection until the rollback. */
static int reply_rejected(struct work *k, struct err *e)
{
	struct dom *views = dom_get(k->request, "views");
	struct str *cells;
	size_t n, cols;
	int64_t rejected;
	bool counts = false;

	dom_each(v, views)
		counts |= memmem(v->last->s.p, v->last->s.n, "store_rejects", 13) != NULL;
	if (!counts)
		return 0;
	if (work_rows(k, "select count(distinct (scan_id, file_id, line)) from reject_errors", &cells, &n, &cols, e))
		return -1;
	if (str_to_i64(cells[0], &rejected))
		dom_set_int(k->a, k->reply, "rejected", rejected);
	return 0;
}

static int reply_written(struct work *k, const char *path, int64_t rows, struct err *e)
{
	int64_t bytes = 0;

	if (file_size(path, &bytes, e))
		return -1;
	dom_set_int(k->a, k->reply, "rows", rows);
	dom_set_int(k->a, k->reply, "bytes", bytes);
	return 0;
}

/* PIVOT and such are several statements inside: they can be run, but not prepared. */
static bool is_compound(const struct err *e)
{
	return strstr(e->msg, "annot prepare multiple statements") != NULL;
}

/* The result of such a statement as a table of the transaction, which then is read in its place. */
static int settle(struct work *k, struct sql_range *stmt, struct err *e)
{
	static const char head[] = "create or replace temp table leat_result as ";
	const char *sql = arena_printf(k->a, "%s%.*s", head, STR_ARG(statement(k, stmt)));

	if (work_exec(k, sql, e))
		return place(k, stmt, sizeof(head) - 1);
	k->sql = STR("from leat_result");
	*stmt = (struct sql_range){0, k->sql.n};
	return 0;
}

/* The shape of what a statement gives, where it may need more than to be written as it is. */
static int look(struct work *k, struct sql_range *stmt, const char *ds, struct shape *out, struct err *e)
{
	struct err first = ERR_INIT;

	if (!shape_matters(k, ds != NULL) || !shape_read(k, statement(k, stmt), ds != NULL, out, &first))
		return 0;
	if (!is_compound(&first)) {
		*e = first;
		return place(k, stmt, 0);
	}
	return settle(k, stmt, e) ? -1 : shape_read(k, statement(k, stmt), ds != NULL, out, e);
}

/* The last statement as one Parquet file; ds: of the unit, whose column is dropped. */
static int copy_parquet(struct work *k, struct sql_range *last, const char *ds, int64_t *rows, struct err *e)
{
	struct buf before cleanup(buf_free) = BUF_INIT(MAX_SQL), after cleanup(buf_free) = BUF_INIT(MAX_SQL);
	struct shape shape = {0};

	if (look(k, last, ds, &shape, e))
		return -1;
	buf_adds(&before, "");
	buf_adds(&after, "");
	if (shape.differs) {
		struct buf label cleanup(buf_free) = BUF_INIT(1024);

		buf_adds(&label, "");
		if (ds)
			sql_add_literal(&label, str_of(ds));
		shape_add(&before, &after, &shape, label.p);
	}
	return copy_out(k, last, before.p, after.p, text_of(k, "out"), WORK_PARQUET, rows, e);
}

static int write_unit(struct work *k, struct err *e)
{
	const char *ds = text_of(k, "ds"), *out = text_of(k, "out");
	bool ordered = flag(k, "ordered");
	struct sql_range last;
	int64_t rows;

	if (prelude(k, &last, e) || set_order(k, ordered || k->w->threads_now == 1, e) ||
	    copy_parquet(k, &last, ds, &rows, e) || reply_written(k, out, rows, e) || reply_rejected(k, e))
		return -1;
	return flag(k, "row_id") ? reply_row_id(k, out, ordered, &rows, e) : 0;
}

int work_write(struct work *k, struct err *e)
{
	return run(k, write_unit, e);
}

int work_row_id(struct work *k, struct err *e)
{
	const char *path = text_of(k, "path");
	int64_t rows;

	return set_threads(k, e) || reply_row_id(k, path, flag(k, "ordered"), &rows, e) ||
			       reply_written(k, path, rows, e)
		       ? -1
		       : 0;
}

static int copy(struct work *k, struct err *e)
{
	static const struct {
		const char *format, *options;
	} formats[] = {
		{"parquet", WORK_PARQUET},
		{"csv", "format csv, header true"},
		{"json", "format json, array true"},
		{"jsonl", "format json, array false"},
	};
	const char *format = text_of(k, "format"), *out = text_of(k, "out"), *options = NULL;
	struct sql_range last;
	int64_t rows;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (!strcmp(format, formats[i].format))
			options = formats[i].options;
	if (!options)
		return err_set(e, ERR_BAD_REQUEST, "no file can be written as %s", format);
	if (prelude(k, &last, e))
		return -1;
	if (!strcmp(format, "parquet") ? copy_parquet(k, &last, NULL, &rows, e)
				       : copy_out(k, &last, "", "", out, options, &rows, e))
		return -1;
	return reply_written(k, out, rows, e) || reply_rejected(k, e) ? -1 : 0;
}

int work_copy(struct work *k, struct err *e)
{
	return run(k, copy, e);
}

/* A result on its way to the client, or into memory. */
struct stream {
	struct work *k;
	struct duck_result result;
	struct cell **cells;
	size_t cols;
	bool json;
	struct buf rows;      /* body of a frame of rows, its two counts first */
	uint32_t n;
	int64_t total;
};

static int stream_open(struct stream *s, struct dom *columns, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);
	struct arena *a = s->k->a;

	s->cols = duckdb.column_count(&s->result);
	s->cells = arena_array(a, struct cell *, s->cols);
	for (size_t i = 0; i < s->cols; i++) {
		struct dom *c = dom_new(a, DOM_MAP);
		const char *name = duckdb.column_name(&s->result, i);
		duck_type t = duckdb.column_logical_type(&s->result, i);
		int r = cell_new(a, t, name, &s->cells[i], e);

		buf_reset(&b);
		duck_type_text(&b, t);
		duckdb.destroy_logical_type(&t);
		if (r)
			return -1;
		dom_set_cstr(a, c, "name", name);
		dom_set_str(a, c, "type", buf_str(&b));
		dom_add(columns, c);
	}
	return 0;
}

static void add_cell(struct stream *s, size_t col, duck_idx row)
{
	uint32_t n = FRAME_NULL;
	size_t at = s->rows.n;

	buf_add(&s->rows, &n, sizeof(n));
	if (!s->json && cell_is_null(s->cells[col], row))
		return;
	if (s->json)
		cell_json(s->cells[col], row, s->k->w->tz, &s->rows);
	else
		cell_text(s->cells[col], row, s->k->w->tz, &s->rows);
	n = (uint32_t)(s->rows.n - at - sizeof(n));
	memcpy(s->rows.p + at, &n, sizeof(n));
}

static int flush(struct stream *s, struct err *e)
{
	uint32_t counts[2] = {s->n, (uint32_t)s->cols};

	if (!s->n)
		return 0;
	if (buf_over(&s->rows))
		return err_set(e, ERR_LIMIT, "a row is over the limit of %zu MiB", DUCK_MAX_FRAME >> 20);
	memcpy(s->rows.p, counts, sizeof(counts));
	if (worker_send(FRAME_ROWS, buf_str(&s->rows), e))
		return -1;
	s->n = 0;
	buf_reset(&s->rows);
	buf_add(&s->rows, counts, sizeof(counts));
	return 0;
}

static int stream_chunk(struct stream *s, duck_chunk chunk, struct err *e)
{
	duck_idx n = duckdb.data_chunk_get_size(chunk);

	for (size_t c = 0; c < s->cols; c++)
		cell_bind(s->cells[c], duckdb.data_chunk_get_vector(chunk, c));
	for (duck_idx r = 0; r < n; r++) {
		for (size_t c = 0; c < s->cols; c++)
			add_cell(s, c, r);
		s->n++;
		if (s->rows.n >= ROWS_BYTES && flush(s, e))
			return -1;
	}
	s->total += (int64_t)n;
	return 0;
}

static int stream_all(struct stream *s, struct err *e)
{
	uint32_t none[2] = {0};
	duck_chunk chunk;
	int r = 0;

	buf_add(&s->rows, none, sizeof(none));
	while (!r && (chunk = duckdb.fetch_chunk(s->result))) {
		r = stream_chunk(s, chunk, e);
		duckdb.destroy_data_chunk(&chunk);
		if (!r && worker_cancelled())
			r = err_set(e, ERR_CANCELLED, "the query was cancelled");
	}
	/* An error in the middle of a streamed result ends the chunks and stands in the result. */
	const char *why = duckdb.result_error(&s->result);
	if (!r && why && *why)
		r = duck_error(e, why, &s->k->offset);
	return r ? r : flush(s, e);
}

static int start(struct work *k, const char *sql, struct duck_result *out, struct err *e)
{
	duck_prepared p;
	duck_pending pending = NULL;
	int r = 0;

	if (work_prepare(k, sql, &p, e)) {
		if (!is_compound(e)) /* which cannot be streamed either */
			return -1;
		err_clear(e);
		return work_result(k, sql, out, e);
	}
	if (duckdb.pending_prepared_streaming(p, &pending)) {
		r = duck_error(e, duckdb.pending_error(pending), &k->offset);
	} else if (duckdb.execute_pending(pending, out)) {
		r = duck_error(e, duckdb.result_error(out), &k->offset);
		duckdb.destroy_result(out);
	}
	duckdb.destroy_pending(&pending);
	duckdb.destroy_prepare(&p);
	return r;
}

static int query(struct work *k, struct err *e)
{
	struct stream s = {.k = k, .json = flag(k, "json"), .rows = BUF_INIT(DUCK_MAX_FRAME - FRAME_HEADER)};
	struct buf head cleanup(buf_free) = BUF_INIT(DUCK_MAX_FRAME - FRAME_HEADER);
	struct dom *doc = dom_new(k->a, DOM_MAP), *columns = dom_new(k->a, DOM_LIST);
	struct sql_range last;

	if (prelude(k, &last, e))
		return -1;
	if (start(k, arena_cstr(k->a, statement(k, &last)), &s.result, e))
		return place(k, &last, 0);
	int r = stream_open(&s, columns, e);
	dom_set(k->a, doc, "columns", columns);
	dom_write_json(&head, doc, DOM_COMPACT);
	if (!r)
		r = worker_send(FRAME_HEAD, buf_str(&head), e);
	k->told = true;
	if (!r && (r = stream_all(&s, e)))
		place(k, &last, 0);
	duckdb.destroy_result(&s.result);
	buf_free(&s.rows);
	dom_set_int(k->a, k->reply, "rows", s.total);
	return r ? r : reply_rejected(k, e);
}

int work_query(struct work *k, struct err *e)
{
	return run(k, query, e);
}

static int step(struct work *k, struct err *e)
{
	struct duck_result result;
	struct sql_range last;
	int r;

	if (prelude(k, &last, e))
		return -1;
	if (start(k, arena_cstr(k->a, statement(k, &last)), &result, e))
		return place(k, &last, 0);
	r = work_step_read(k, &result, k->reply, e);
	duckdb.destroy_result(&result);
	return r ? place(k, &last, 0) : reply_rejected(k, e);
}

int work_step(struct work *k, struct err *e)
{
	return run(k, step, e);
}

int work_rows(struct work *k, const char *sql, struct str **cells, size_t *rows, size_t *cols, struct err *e)
{
	struct dom *columns = dom_new(k->a, DOM_LIST);
	struct stream s = {.k = k};
	VEC(struct str) v = {0};
	duck_chunk chunk;

	if (work_result(k, sql, &s.result, e))
		return -1;
	if (stream_open(&s, columns, e)) {
		duckdb.destroy_result(&s.result);
		return -1;
	}
	for (; (chunk = duckdb.fetch_chunk(s.result)); duckdb.destroy_data_chunk(&chunk)) {
		duck_idx n = duckdb.data_chunk_get_size(chunk);

		for (size_t c = 0; c < s.cols; c++)
			cell_bind(s.cells[c], duckdb.data_chunk_get_vector(chunk, c));
		for (duck_idx r = 0; r < n; r++)
			for (size_t c = 0; c < s.cols; c++) {
				struct buf b cleanup(buf_free) = BUF_INIT(DUCK_MAX_FRAME);

				if (!cell_is_null(s.cells[c], r))
					cell_text(s.cells[c], r, k->w->tz, &b);
				vec_push(k->a, &v,
					 cell_is_null(s.cells[c], r) ? STR_NULL : arena_str(k->a, buf_str(&b)));
			}
		s.total += (int64_t)n;
	}
	duckdb.destroy_result(&s.result);
	*cells = v.p;
	*rows = (size_t)s.total;
	*cols = s.cols;
	return 0;
}

static void add_hints(struct work *k, struct buf *b)
{
	dom_each(h, dom_get(k->request, "hints")) {
		buf_addf(b, ", %.*s = ", STR_ARG(h->key));
		if (h->type == DOM_BOOL)
			buf_adds(b, h->b ? "true" : "false");
		else
			sql_add_literal(b, dom_text(k->a, h));
	}
}

static void reply_columns(struct work *k, const struct str *cells, size_t rows, size_t cols, size_t at)
{
	struct dom *columns = dom_new(k->a, DOM_LIST);

	for (size_t i = 0; i < rows; i++) {
		struct dom *c = dom_new(k->a, DOM_MAP);

		dom_set_str(k->a, c, "name", cells[i * cols + at]);
		dom_set_str(k->a, c, "type", cells[i * cols + at + 1]);
		dom_add(columns, c);
	}
	dom_set(k->a, k->reply, "columns", columns);
}

/* The dialect stands in the first columns of the answer, in the order of `keys`. */
static int sniff_csv(struct work *k, struct str path, struct err *e)
{
	static const char *const keys[] = {"delim", "quote",  "escape",     "newline",        "comment",
					   "skip",  "header", "dateformat", "timestampformat"};
	struct buf b cleanup(buf_free) = BUF_INIT(65536);
	struct str *cells;
	size_t rows, cols;

	buf_adds(&b, "select \"Delimiter\", \"Quote\", \"Escape\", \"NewLineDelimiter\", \"Comment\", \"SkipRows\", "
		     "\"HasHeader\","
		     " \"DateFormat\", \"TimestampFormat\", unnest(\"Columns\", max_depth := 2) from sniff_csv(");
	sql_add_path(&b, path);
	add_hints(k, &b);
	buf_adds(&b, ")");
	if (work_rows(k, b.p, &cells, &rows, &cols, e))
		return -1;
	reply_columns(k, cells, rows, cols, ARRAY_LEN(keys));
	for (size_t i = 0; rows && i < ARRAY_LEN(keys); i++) {
		struct str v = cells[i];
		int64_t skip;

		/* DuckDB shows "none" as (empty) or as a NUL. */
		if (!v.p || str_is(v, "(empty)") || (v.n == 1 && !*v.p))
			v = STR("");
		if (!strcmp(keys[i], "skip") && str_to_i64(v, &skip))
			dom_set_int(k->a, k->reply, keys[i], skip);
		else if (!strcmp(keys[i], "header"))
			dom_set_bool(k->a, k->reply, keys[i], str_is(v, "true"));
		else
			dom_set_str(k->a, k->reply, keys[i], v);
	}
	return 0;
}

/* Whether there is a row to judge types by. */
static int sniff_rows(struct work *k, struct str path, const char *format, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(65536);
	struct str *cells;
	size_t rows, cols;

	buf_addf(&b, "select count(*) from (from read_%s(", format);
	sql_add_path(&b, path);
	if (!strcmp(format, "csv")) {
		add_hints(k, &b);
		buf_adds(&b, ", all_varchar = true");
	}
	buf_adds(&b, ", hive_partitioning = false) limit 1)");
	if (work_rows(k, b.p, &cells, &rows, &cols, e))
		return -1;
	if (str_is(cells[0], "0"))
		dom_set_bool(k->a, k->reply, "empty", true);
	return 0;
}

/* Only a value makes a column of a CSV anything but text: then there is a row, and nobody has to look for one. */
static bool typed(const struct work *k)
{
	dom_each(c, dom_get(k->reply, "columns"))
		if (!str_is(dom_get(c, "type")->s, "VARCHAR"))
			return true;
	return false;
}

int work_sniff(struct work *k, struct err *e)
{
	struct str path = str_of(text_of(k, "path")), *cells;
	const char *format = text_of(k, "format");
	struct buf b cleanup(buf_free) = BUF_INIT(65536);
	size_t rows, cols;

	dom_set_cstr(k->a, k->reply, "format", format);
	if (set_timezone(k, e))
		return -1;
	if (!strcmp(format, "csv"))
		return sniff_csv(k, path, e) || (!typed(k) && sniff_rows(k, path, format, e)) ? -1 : 0;
	buf_addf(&b, "describe from read_%s(", format);
	sql_add_path(&b, path);
	buf_adds(&b, ", hive_partitioning = false)");
	if (work_rows(k, b.p, &cells, &rows, &cols, e))
		return -1;
	reply_columns(k, cells, rows, cols, 0);
	return sniff_rows(k, path, format, e);
}

int work_whole(struct work *k, struct err *e)
{
	dom_each(p, dom_get(k->request, "paths")) {
		bool gzip = str_has_suffix(p->s, STR(".gz"));

		if (!zabi_whole(arena_cstr(k->a, p->s), gzip, worker_cancelled, e))
			continue;
		if (e->code == ERR_BAD_DATA)
			err_hint(e, "put a whole copy of it ('%s' tells whether one is whole)",
			         gzip ? "gzip -t" : "zstd -t");
		return -1;
	}
	return 0;
}
