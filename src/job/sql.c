/* A query: its rows become one Parquet file, written by a warm DuckDB worker. */
#include <stdio.h>

#include "base/str.h"
#include "flow/catalog.h"
#include "flow/flow.h"
#include "flow/key.h"
#include "flow/table.h"
#include "flow/workers.h"
#include "job/kinds.h"

#define OUT_NAME "part-0.parquet"

static const char *const code_names[] = {"job.sql", NULL};

struct sql_task {
	struct attempt *t;
	struct jobsql q;
	struct table_source *tables;
	size_t n_tables;
	struct duck_view *views;
	struct work *work;
};

/* Every input is a table of its name in the query. One that is named twice, at different pins, is two. */
static int bind_tables(struct sql_task *k, struct err *e)
{
	struct attempt *t = k->t;
	struct duck *d = workers_borrow(t->workers);
	int rc = 0;

	k->tables = arena_array(t->arena, struct table_source, t->n_inputs);
	k->views = arena_array(t->arena, struct duck_view, t->n_inputs);
	for (size_t i = 0; !rc && i < t->n_inputs; i++) {
		struct table_source *src = &k->tables[k->n_tables];

		rc = table_open(t->flow->store, t->arena, d, &t->inputs[i].reads, src, e);
		if (!rc && src->learned)
			rc = catalog_format_learned(t->catalog, src->repo, e);
		if (!rc)
			k->views[k->n_tables++] = src->view;
	}
	workers_give_back(t->workers, d);
	return rc;
}

static void finish(struct sql_task *k, struct attempt_result *r)
{
	k->work = NULL;
	attempt_done(k->t, r);
}

static void on_message(void *ptr, const struct duck_msg *m)
{
	struct sql_task *k = ptr;
	struct attempt *t = k->t;
	struct attempt_result r = {.state = ATTEMPT_OK, .ordered = k->q.info.ordered, .err = ERR_INIT};
	struct duck_written w = {0};
	struct dom *facts;

	if (m->kind != DUCK_DONE && m->kind != DUCK_FAILED)
		return;
	if (m->kind == DUCK_FAILED || duck_read_write(m->reply, &w, &r.err)) {
		r.state = ATTEMPT_FAILED;
		if (m->kind == DUCK_FAILED) {
			r.err = *m->err;
			if (r.err.code == ERR_CANCELLED)
				r.state = ATTEMPT_CANCELLED;
			table_error(k->tables, k->n_tables, &r.err);
			if (m->offset >= 0)
				jobsql_at(&r.err, t->job, &k->q, (size_t)m->offset);
		}
		finish(k, &r);
		return;
	}
	facts = dom_new(t->arena, DOM_MAP);
	dom_set_int(t->arena, facts, "rows", w.rows);
	if (w.rejected)
		dom_set_int(t->arena, facts, "rejected", w.rejected);
	r.facts = facts;
	finish(k, &r);
}

static int start(struct attempt *t, struct err *e)
{
	struct sql_task *k = arena_new_of(t->arena, struct sql_task);
	struct duck_write w = {.out = arena_printf(t->arena, "%s/" OUT_NAME, t->out_dir)};

	k->t = t;
	if (unit_sql(t->flow, t->arena, t->unit, t->params, &k->q, e) || bind_tables(k, e))
		return -1;
	w.sql = (struct duck_sql){
		.sql = k->q.text.text,
		.views = k->views,
		.n_views = k->n_tables,
		.threads = t->threads,
		.timezone = t->job->timezone.n ? arena_cstr(t->arena, t->job->timezone) : NULL,
	};
	w.ds = t->ds.every == EVERY_NONE ? NULL : t->ds.label;
	w.ordered = k->q.info.ordered;
	t->own = k;
	return workers_send(t->workers, duck_req_write(t->arena, &w), on_message, k, &k->work, e);
}

static void cancel(struct attempt *t, bool hard)
{
	struct sql_task *k = t->own;

	if (k && k->work)
		workers_cancel(k->work, hard);
}

const struct job_kind kind_sql = {
	.name = "sql",
	.text = "A query over tables of the workspace; its rows become a Parquet file.",
	.keys = (const struct key[]){{0}},
	.code_names = code_names,
	.start = start,
	.cancel = cancel,
};
