#include "base/str.h"
#include "db/duck.h"

/* The other end of each of these is in duck_worker.c, under the same word. */
static struct dom *request(struct arena *a, const char *op)
{
	struct dom *r = dom_new(a, DOM_MAP);

	dom_set_cstr(a, r, "op", op);
	return r;
}

static void add_sql(struct arena *a, struct dom *r, const struct duck_sql *q)
{
	struct dom *views = dom_new(a, DOM_LIST), *refs = dom_new(a, DOM_LIST);

	dom_set_str(a, r, "sql", q->sql);
	for (size_t i = 0; i < q->n_views; i++) {
		struct dom *v = dom_new(a, DOM_LIST);

		dom_add(v, dom_new_str(a, q->views[i].schema));
		dom_add(v, dom_new_str(a, q->views[i].name));
		dom_add(v, dom_new_str(a, q->views[i].sql));
		dom_add(views, v);
	}
	dom_set(a, r, "views", views);
	for (size_t i = 0; i < q->n_refs; i++) {
		struct dom *ref = dom_new(a, DOM_LIST);

		dom_add(ref, dom_new_int(a, (int64_t)q->refs[i].start));
		dom_add(ref, dom_new_int(a, (int64_t)q->refs[i].end));
		dom_add(ref, dom_new_int(a, (int64_t)q->refs[i].view));
		dom_add(ref, dom_new_bool(a, q->refs[i].alias));
		dom_add(refs, ref);
	}
	if (q->n_refs)
		dom_set(a, r, "refs", refs);
	if (q->threads)
		dom_set_int(a, r, "threads", q->threads);
	if (q->timezone)
		dom_set_cstr(a, r, "timezone", q->timezone);
}

struct dom *duck_req_write(struct arena *a, const struct duck_write *w)
{
	struct dom *r = request(a, "write");

	add_sql(a, r, &w->sql);
	dom_set_cstr(a, r, "out", w->out);
	if (w->ds)
		dom_set_cstr(a, r, "ds", w->ds);
	dom_set_bool(a, r, "ordered", w->ordered);
	dom_set_bool(a, r, "row_id", w->row_id);
	return r;
}

int duck_read_write(const struct dom *reply, struct duck_written *out, struct err *e)
{
	struct dom *rows = dom_get(reply, "rows"), *bytes = dom_get(reply, "bytes"), *id = dom_get(reply, "row_id");
	struct dom *rejected = dom_get(reply, "rejected");
	struct duck_written w = {0};

	if (!rows || !bytes || (id && !sha_parse(id->s, &w.row_id)))
		return err_set(e, ERR_INTERNAL, "the SQL worker's reply has no rows");
	w.rows = rows->i;
	w.bytes = bytes->i;
	w.rejected = rejected ? rejected->i : 0;
	*out = w;
	return 0;
}

struct dom *duck_req_write_many(struct arena *a, const struct duck_write_many *w)
{
	struct dom *r = request(a, "write_many"), *texts = dom_new(a, DOM_LIST), *labels = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < w->n_texts; i++)
		dom_add(texts, dom_new_str(a, w->texts[i]));
	for (size_t i = 0; i < w->n; i++)
		dom_add(labels, dom_new_str(a, str_of(w->labels[i])));
	dom_set(a, r, "texts", texts);
	dom_set(a, r, "labels", labels);
	dom_set_bool(a, r, "days", w->days);
	dom_set_cstr(a, r, "dir", w->dir);
	dom_set_int(a, r, "threads", 1); /* more would write more than one file for a ds */
	if (w->timezone)
		dom_set_cstr(a, r, "timezone", w->timezone);
	return r;
}

int duck_read_write_many(struct arena *a, const struct dom *reply, struct duck_many_part **out, size_t *n,
	struct err *e)
{
	struct dom *parts = dom_get(reply, "parts");

	if (!parts)
		return err_set(e, ERR_INTERNAL, "the SQL worker's reply has no files");
	*out = arena_array(a, struct duck_many_part, parts->n);
	*n = 0;
	dom_each(p, parts)
		(*out)[(*n)++] = (struct duck_many_part){.label = arena_str(a, dom_get(p, "label")->s),
							 .path = arena_str(a, dom_get(p, "path")->s),
							 .rows = dom_get(p, "rows")->i};
	return 0;
}

struct dom *duck_req_step(struct arena *a, const struct duck_sql *q)
{
	struct dom *r = request(a, "step");

	add_sql(a, r, q);
	return r;
}

struct dom *duck_req_steps(struct arena *a, const struct str *texts, size_t n, const char *timezone)
{
	struct dom *r = request(a, "steps"), *list = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < n; i++)
		dom_add(list, dom_new_str(a, texts[i]));
	dom_set(a, r, "texts", list);
	dom_set_int(a, r, "threads", 1);
	if (timezone)
		dom_set_cstr(a, r, "timezone", timezone);
	return r;
}

struct dom *duck_req_row_id(struct arena *a, const char *path, bool ordered, int threads)
{
	struct dom *r = request(a, "row_id");

	dom_set_cstr(a, r, "path", path);
	dom_set_bool(a, r, "ordered", ordered);
	if (threads)
		dom_set_int(a, r, "threads", threads);
	return r;
}

struct dom *duck_req_query(struct arena *a, const struct duck_sql *q, enum duck_cells cells)
{
	struct dom *r = request(a, "query");

	add_sql(a, r, q);
	dom_set_bool(a, r, "json", cells == DUCK_CELLS_JSON);
	return r;
}

struct dom *duck_req_copy(struct arena *a, const struct duck_sql *q, const char *out, const char *format)
{
	struct dom *r = request(a, "copy");

	add_sql(a, r, q);
	dom_set_cstr(a, r, "out", out);
	dom_set_cstr(a, r, "format", format);
	return r;
}

struct dom *duck_req_sniff(struct arena *a, const char *path, const char *format)
{
	struct dom *r = request(a, "sniff");

	dom_set_cstr(a, r, "path", path);
	dom_set_cstr(a, r, "format", format);
	return r;
}

struct dom *duck_req_whole(struct arena *a, const struct str *paths, size_t n)
{
	struct dom *r = request(a, "whole"), *list = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < n; i++)
		dom_add(list, dom_new_str(a, paths[i]));
	dom_set(a, r, "paths", list);
	return r;
}

struct dom *duck_req_parse(struct arena *a, const struct str *texts, size_t n)
{
	struct dom *r = request(a, "parse"), *list = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < n; i++)
		dom_add(list, dom_new_str(a, texts[i]));
	dom_set(a, r, "texts", list);
	return r;
}

struct small {
	struct arena *a;
	struct duck_small *out;
	VEC(struct str) cells;
	size_t n_rows;
	bool over;
};

static int gather(void *ptr, const struct duck_msg *m)
{
	struct small *s = ptr;

	if (m->kind == DUCK_HEAD) {
		struct dom *columns = dom_get(m->reply, "columns");
		size_t i = 0;

		s->out->rows.n_cols = columns->n;
		s->out->names = arena_array(s->a, struct str, columns->n);
		s->out->types = arena_array(s->a, struct str, columns->n);
		dom_each(c, columns) {
			s->out->names[i] = arena_str(s->a, dom_get(c, "name")->s);
			s->out->types[i++] = arena_str(s->a, dom_get(c, "type")->s);
		}
	}
	if (m->kind != DUCK_ROWS || s->over)
		return s->over;
	for (size_t i = 0; i < m->rows.n_rows * m->rows.n_cols; i++) {
		struct str cell = m->rows.at[i];

		vec_push(s->a, &s->cells, cell.p ? arena_str(s->a, cell) : STR_NULL);
	}
	s->n_rows += m->rows.n_rows;
	s->over = s->n_rows > DUCK_SMALL_ROWS;
	return s->over;
}

int duck_small(struct duck *d, struct arena *a, const struct duck_sql *q, struct duck_small *out, int64_t *offset,
               struct err *e)
{
	return duck_send(d, duck_req_query(a, q, DUCK_CELLS_TEXT), e) ? -1 : duck_small_wait(d, a, out, offset, e);
}

int duck_small_wait(struct duck *d, struct arena *a, struct duck_small *out, int64_t *offset, struct err *e)
{
	struct duck_small got = {0};
	struct small s = {.a = a, .out = &got};
	struct err why = ERR_INIT;

	int r = duck_wait(d, a, gather, &s, NULL, offset, &why);
	if (s.over)
		return err_set(e, ERR_LIMIT, "the result has more than %d rows", DUCK_SMALL_ROWS);
	if (r) {
		*e = why;
		return -1;
	}
	got.rows.n_rows = s.n_rows;
	got.rows.at = s.cells.p;
	*out = got;
	return 0;
}
