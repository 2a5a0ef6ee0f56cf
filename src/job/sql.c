/* A query: its rows become one Parquet file, written by a warm DuckDB worker. */
#include <stdio.h>

#include "base/str.h"
#include "db/sql_bind.h"
#include "flow/catalog.h"
#include "flow/datum.h"
#include "flow/flow.h"
#include "flow/key.h"
#include "flow/table.h"
#include "flow/workers.h"
#include "job/kinds.h"
#include "job/sql_many.h"
#include "job/sql_step.h"

static const char *const code_names[] = {"job.sql", NULL};

struct sql_task {
	struct sql_own own; /* first */
	struct attempt *t;
	struct jobsql q;
	struct table_source *tables; /* one per input; those that the query does not name are empty */
	struct sql_bound bound;
};

/* Of an input with a glob a unit reads what it is made of. */
static const struct reads *reads_of(const struct attempt *t, size_t n)
{
	struct reads *r = arena_new_of(t->arena, struct reads);
	struct reads_only *only;

	*r = t->inputs[n].reads;
	if (!t->datum || !t->inputs[n].input->glob.p)
		return r;
	only = arena_array(t->arena, struct reads_only, t->datum->n + 1);
	for (size_t i = 0; i < t->datum->n; i++) {
		const struct datum_part *p = &t->datum->parts[i];

		if (&t->job->inputs[p->leaf] == t->inputs[n].input)
			only[r->n_only++] = (struct reads_only){p->under, p->path, p->entry};
	}
	r->only = only;
	return r;
}

/* Each table that the query names is an input; one that is named twice, at different pins, is two. */
static int bind_tables(struct sql_task *k, struct err *e)
{
	struct attempt *t = k->t;
	const struct sql_info *info = &k->q.info;
	struct duck *d = workers_borrow(t->workers);
	struct str *readers = arena_array(t->arena, struct str, info->n_tables);
	int rc = 0;

	k->tables = arena_array(t->arena, struct table_source, t->n_inputs);
	for (size_t i = 0; !rc && i < info->n_tables; i++) {
		const struct job_input *in = jobsql_input(t->arena, t->job, &info->tables[i]);
		size_t n = 0;

		while (n < t->n_inputs && t->inputs[n].input != in)
			n++;
		if (n == t->n_inputs)
			continue; /* DuckDB's own (information_schema); others jobsql_unit has refused */
		struct table_source *src = &k->tables[n];
		if (!src->repo.n) {
			rc = table_open(t->flow->store, t->arena, d, reads_of(t, n), src, e);
			if (!rc && src->learned) {
				t->learned = true;
				rc = catalog_format_learned(t->catalog, src->repo, e);
			}
		}
		if (!rc)
			readers[i] = src->view.sql;
	}
	workers_give_back(t->workers, d);
	if (!rc)
		sql_bind(t->arena, k->q.text.text, info, readers, &k->bound);
	return rc;
}

static void finish(struct sql_task *k, struct attempt_result *r)
{
	k->own.work = NULL;
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
	if (m->kind == DUCK_FAILED || (!t->job->no_output && duck_read_write(m->reply, &w, &r.err))) {
		r.state = ATTEMPT_FAILED;
		if (m->kind == DUCK_FAILED) {
			r.err = *m->err;
			if (r.err.code == ERR_CANCELLED)
				r.state = ATTEMPT_CANCELLED;
			table_error(&r.err, k->tables, t->n_inputs);
			if (m->offset >= 0)
				jobsql_at(&r.err, t->job, &k->q, sql_bound_offset(&k->bound, (size_t)m->offset));
		}
		finish(k, &r);
		return;
	}
	if (t->job->no_output) {
		r.facts = sql_step_facts(t->arena, m->reply);
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

/* Units from data write side by side, so each has a name of its own: by its paths (SEMANTICS 3). */
static const char *out_name(const struct attempt *t)
{
	char hex[SHA_HEX + 1];
	struct sha_ctx c;
	struct sha paths;

	if (!t->datum)
		return SQL_OUT_NAME;
	sha_init(&c);
	for (size_t i = 0; i < t->datum->n; i++) {
		const struct datum_part *p = &t->datum->parts[i];

		sha_field(&c, t->job->inputs[p->leaf].name);
		sha_field(&c, p->under);
		sha_field(&c, p->path);
	}
	paths = sha_end(&c);
	sha_hex(&paths, hex);
	return arena_printf(t->arena, "part-%.12s.parquet", hex);
}

static int start(struct attempt *t, struct err *e)
{
	struct sql_task *k = arena_new_of(t->arena, struct sql_task);
	struct duck_write w = {0};
	const struct dom *request;

	k->t = t;
	if (unit_sql(t->flow, t->arena, t->unit, t->params, &k->q, e) || bind_tables(k, e))
		return -1;
	w.sql = k->bound.sql;
	w.sql.threads = t->threads;
	w.sql.timezone = t->job->timezone.n ? arena_cstr(t->arena, t->job->timezone) : NULL;
	w.out = t->job->no_output ? NULL : arena_printf(t->arena, "%s/%s", t->out_dir, out_name(t));
	w.ds = t->ds.every == EVERY_NONE ? NULL : t->ds.label;
	w.ordered = k->q.info.ordered;
	t->own = k;
	request = t->job->no_output ? duck_req_step(t->arena, &w.sql) : duck_req_write(t->arena, &w);
	return workers_send(t->workers, request, on_message, k, &k->own.work, e);
}

static void cancel(struct attempt *t, bool hard)
{
	struct sql_own *own = t->own;

	/* Units that run together are asked to end one by one. */
	if (!own || !own->work || (hard ? own->killed : own->asked))
		return;
	own->asked = true;
	own->killed |= hard;
	workers_cancel(own->work, hard);
}

static bool many(struct flow *f, const struct job *j, struct arena *a, void **out)
{
	return j->no_output ? sql_steps(f, j, a, out) : sql_many(f, j, a, out);
}

static bool many_fit(const void *kept, const struct plan_unit *first, const struct plan_unit *u)
{
	return u->job->no_output || sql_many_fit(kept, first, u);
}

static int start_many(const void *kept, struct attempt **t, size_t n, struct err *e)
{
	return t[0]->job->no_output ? sql_steps_start(kept, t, n, e) : sql_many_start(kept, t, n, e);
}

const struct job_kind kind_sql = {
	.name = "sql",
	.text = "A query over tables of the workspace; its rows become a Parquet file.",
	.keys = (const struct key[]){
#define K(...) {__VA_ARGS__},
		K("", "batch", KEYS_STR | KEYS_BOOL, KEYS_WORDS, "auto off true false", NULL, NULL, 0,
		  "Whether partitions may run as one statement where that gives the same rows: auto, or off.")
#undef K
		{0}},
	.code_names = code_names,
	.start = start,
	.may_lack_output = true,
	.many = many,
	.many_fit = many_fit,
	.start_many = start_many,
	.cancel = cancel,
};
