/*
 * The operations of the SQL worker for statements whose rows become no file: steps without output. How many rows there
 * were is told, and the first of them.
 */
#include "base/str.h"
#include "db/duck.h"
#include "db/duck_worker.h"

#define MAX_BYTES 4096 /* of the rows that are told, as JSON */

struct rows {
	struct work *k;
	struct cell **cells;
	size_t cols;
	struct buf json;
	int64_t n;
	bool full;
};

static int open_rows(struct rows *r, struct duck_result *from, struct dom *columns, struct err *e)
{
	struct arena *a = r->k->a;

	r->cols = duckdb.column_count(from);
	r->cells = arena_array(a, struct cell *, r->cols);
	for (size_t i = 0; i < r->cols; i++) {
		const char *name = duckdb.column_name(from, i);
		duck_type t = duckdb.column_logical_type(from, i);
		int rc = cell_new(a, t, name, &r->cells[i], e);

		duckdb.destroy_logical_type(&t);
		if (rc)
			return -1;
		dom_add(columns, dom_new_str(a, str_of(arena_dup(a, name))));
	}
	return 0;
}

static void tell(struct rows *r, duck_idx row)
{
	size_t before = r->json.n;

	buf_adds(&r->json, r->n ? ",[" : "[");
	for (size_t c = 0; c < r->cols; c++) {
		buf_adds(&r->json, c ? "," : "");
		cell_json(r->cells[c], row, r->k->w->tz, &r->json);
	}
	buf_addc(&r->json, ']');
	if (buf_over(&r->json) || r->json.n > MAX_BYTES) {
		r->full = true;
		r->json.n = before;
	}
}

static int count(struct rows *r, struct duck_result *from, struct err *e)
{
	duck_chunk chunk;

	while ((chunk = duckdb.fetch_chunk(*from))) {
		duck_idx n = duckdb.data_chunk_get_size(chunk);

		for (size_t c = 0; c < r->cols && !r->full; c++)
			cell_bind(r->cells[c], duckdb.data_chunk_get_vector(chunk, c));
		for (duck_idx i = 0; i < n; i++, r->n++) {
			r->full |= r->n >= DUCK_STEP_ROWS;
			if (!r->full)
				tell(r, i);
		}
		duckdb.destroy_data_chunk(&chunk);
		if (worker_cancelled())
			return err_set(e, ERR_CANCELLED, "the query was cancelled");
	}
	/* An error in the middle of a streamed result ends the chunks and stands in the result. */
	const char *why = duckdb.result_error(from);

	return why && *why ? duck_error(e, why, &r->k->offset) : 0;
}

int work_step_read(struct work *k, struct duck_result *from, struct dom *out, struct err *e)
{
	struct buf json cleanup(buf_free) = BUF_INIT(DUCK_MAX_FRAME);
	struct dom *columns = dom_new(k->a, DOM_LIST), *list;
	struct rows r = {.k = k};
	int rc;

	r.json = json;
	buf_addc(&r.json, '[');
	rc = open_rows(&r, from, columns, e) || count(&r, from, e) ? -1 : 0;
	buf_addc(&r.json, ']');
	if (!rc)
		rc = dom_json(k->a, arena_str(k->a, buf_str(&r.json)), "", &list, e);
	json = r.json;
	if (rc)
		return -1;
	dom_set_int(k->a, out, "rows", r.n);
	dom_set(k->a, out, "columns", columns);
	dom_set(k->a, out, "result", list);
	return 0;
}

static int one(struct work *k, duck_prepared p, struct dom *out, struct err *e)
{
	struct duck_result result;
	duck_pending pending = NULL;
	int rc = -1;

	if (duckdb.pending_prepared_streaming(p, &pending)) {
		duck_error(e, duckdb.pending_error(pending), &k->offset);
	} else if (duckdb.execute_pending(pending, &result)) {
		duck_error(e, duckdb.result_error(&result), &k->offset);
		duckdb.destroy_result(&result);
	} else {
		rc = work_step_read(k, &result, out, e);
		duckdb.destroy_result(&result);
	}
	duckdb.destroy_pending(&pending);
	return rc;
}

/* Each by itself; null for one that failed, which is run once more alone and then says why. */
int work_steps(struct work *k, struct err *e)
{
	struct dom *steps = dom_new(k->a, DOM_LIST);
	duck_prepared p = NULL;
	int rc;

	k->inlined = true;
	rc = work_session(k, e);
	for (const struct dom *text = dom_get(k->request, "texts")->first; text && !rc; text = text->next) {
		struct dom *out = dom_new(k->a, DOM_MAP);
		struct err why = ERR_INIT;
		bool fine = true;

		if (text->s.n) { /* else the one before, once more */
			if (p)
				duckdb.destroy_prepare(&p);
			p = NULL;
			fine = !work_prepare(k, arena_cstr(k->a, text->s), &p, &why);
		}
		fine = fine && p && !one(k, p, out, &why);
		dom_add(steps, fine ? out : dom_new(k->a, DOM_NULL));
		if (why.code == ERR_CANCELLED || worker_cancelled())
			rc = err_set(e, ERR_CANCELLED, "the query was cancelled");
	}
	if (p)
		duckdb.destroy_prepare(&p);
	k->offset = -1;
	dom_set(k->a, k->reply, "steps", steps);
	return rc;
}
