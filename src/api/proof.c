#include "api/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/data.h"
#include "base/str.h"
#include "flow/catalog.h"
#include "repo/ingest.h"
#include "repo/scratch.h"
#include "sys/clock.h"
#include "sys/file.h"

#define COMMAND "leat test"
#define LOG_MAX 65536
#define ROWS_FILE "rows.jsonl"
#define ROWS_MAX ((size_t)16 << 20)

/* --- where --- */

/* A clone from git has no store yet, and needs none: then the folder is in TMPDIR. */
static int make_folder(struct proofs *p, struct arena *a, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	struct err none = ERR_INIT;
	char *dir;

	if (!store_open(p->ws, &p->home, &none) && !access(p->home->leat_dir, W_OK)) {
		if (scratch_make(p->home, a, &p->lock, &dir, e))
			return -1;
		p->dir = dir;
		return 0;
	}
	dir = arena_printf(a, "%s/leat-test-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return err_set(e, ERR_IO, "no folder for the tests can be made as %s", dir);
	p->dir = dir;
	return 0;
}

/* Tasks have the PATH that they have in a run. */
static void find_path(struct proofs *p, struct arena *a)
{
	struct err none = ERR_INIT;
	struct q *q;

	p->path = getenv("PATH");
	if (!p->home)
		return;
	q = db_query(p->home->db, "select value from store where key = 'path'");
	if (q_step(q, &none) == 1)
		p->path = arena_cstr(a, q_col_text(q, 0));
	q_done(q);
}

int proofs_begin(struct proofs *p, struct workspace *ws, struct arena *a, const struct job_kind *const *kinds,
                 struct err *e)
{
	*p = (struct proofs){.ws = ws, .apart = *ws, .kinds = kinds, .lock = LOCK_INIT};
	p->apart.durable_power = false;
	if (make_folder(p, a, e) || store_open_apart(&p->apart, p->dir, &p->store, e) ||
	    flow_open_warm(p->store, kinds, true, &p->shelf, &p->flow, e)) {
		proofs_end(p);
		return -1;
	}
	p->reader = duck_new(&(struct duck_conf){.leat_dir = p->store->leat_dir, .threads = 1});
	find_path(p, a);
	return 0;
}

void proofs_end(struct proofs *p)
{
	struct err e = ERR_INIT;

	flow_close(p->flow);
	store_close(p->store);
	shelf_empty(&p->shelf);
	duck_free(p->reader);
	if (p->dir && dir_remove_tree(p->dir, &e))
		err_clear(&e); /* in .leat/staging it is swept */
	lock_drop(&p->lock);
	store_close(p->home);
	clock_stop_at(-1);
}

/* --- what is given --- */

struct laid {
	struct sha tree;
	VEC(struct tree_edit) edits;
};

static int row_label(const struct dom *row, const struct fixture *x, struct arena *a, struct ds *out, struct err *e)
{
	const struct dom *v = dom_get(row, "ds");

	*out = (struct ds){0};
	if (!v || !ds_parse(dom_text(a, v), out, e))
		return 0;
	return err_at(e, fixture_path(a, x, "case.yaml"), v->line, v->col);
}

static void write_row(struct buf *b, struct arena *a, const struct dom *row)
{
	struct dom *rest = dom_new(a, DOM_MAP);

	dom_each (v, row)
		if (!str_is(v->key, "ds"))
			dom_set(a, rest, arena_cstr(a, v->key), dom_copy(a, v));
	dom_write_json(b, rest, DOM_COMPACT);
	buf_addc(b, '\n');
}

/* Each partition that rows name is a file. */
static int lay_rows(struct ingest *in, struct arena *a, const struct fixture *x, const struct dom *rows,
                    struct laid *out, struct err *e)
{
	struct map seen;

	map_init(&seen, a);
	dom_each (first, rows) {
		struct buf b cleanup(buf_free) = BUF_INIT(ROWS_MAX);
		struct tree_edit edit = {.op = EDIT_PUT};
		struct ds ds, other;

		if (row_label(first, x, a, &ds, e))
			return -1;
		if (map_has(&seen, str_of(ds.label)))
			continue;
		map_set(&seen, arena_strf(a, "%s", ds.label), a);
		for (struct dom *row = first; row; row = row->next) {
			if (row_label(row, x, a, &other, e))
				return -1;
			if (!strcmp(other.label, ds.label))
				write_row(&b, a, row);
		}
		if (buf_over(&b))
			return err_set(e, ERR_LIMIT, "the rows of %s are more than %zu MiB", x->shown, ROWS_MAX >> 20);
		edit.path = *ds.label ? arena_strf(a, "ds=%s/" ROWS_FILE, ds.label) : STR(ROWS_FILE);
		if (ingest_bytes(in, buf_str(&b), &edit.entry, e))
			return -1;
		vec_push(a, &out->edits, edit);
	}
	return 0;
}

static int commit_inputs(struct proofs *p, struct arena *a, struct ingest *in, const struct fixture *x,
                         const struct laid *laid, struct err *e)
{
	struct event ev = {.id = id_new(), .kind = "put", .label = "", .command = COMMAND};
	struct commit made;
	bool is_new;

	ev.batch = ev.id;
	if (event_record(p->store, &ev, e))
		return -1;
	for (size_t i = 0; i < x->n_inputs; i++) {
		const struct job_input *input = x->inputs[i].input;
		struct commit_new c = {.branch = data_input_branch(p->store, input), .id = ev.id, .batch = ev.id,
		                       .edits = laid[i].edits.p, .n_edits = laid[i].edits.n,
		                       .message = STR(COMMAND), .even_if_equal = true};

		c.tree = x->inputs[i].dir ? &laid[i].tree : NULL;
		if (repo_ensure(p->store, a, input->repo, REPO_SOURCE, STR_NULL, &c.repo, e) ||
		    commit_make(p->store, in, &c, &made, &is_new, e))
			return -1;
	}
	return 0;
}

static int lay_path(struct proofs *p, struct err *e)
{
	struct q *q;

	if (!p->path)
		return 0;
	q = db_query(p->store->db, "insert or replace into store(key, value) values('path', ?)");
	q_cstr(q, 1, p->path);
	return q_run(q, e);
}

static int lay(struct proofs *p, struct arena *a, const struct fixture *x, struct err *e)
{
	struct laid *laid = arena_array(a, struct laid, x->n_inputs + 1);
	struct ingest *in = ingest_new(p->store);
	int rc = 0;

	for (size_t i = 0; !rc && i < x->n_inputs; i++) {
		struct entry root;

		if (x->inputs[i].rows) {
			rc = lay_rows(in, a, x, x->inputs[i].rows, &laid[i], e);
			continue;
		}
		rc = ingest_folder(in, x->inputs[i].dir, INGEST_COPY, &root, e);
		if (!rc)
			laid[i].tree = root.id;
	}
	if (!rc)
		rc = ingest_begin(in, e);
	if (!rc && (lay_path(p, e) || commit_inputs(p, a, in, x, laid, e) || db_commit(p->store->db, e))) {
		db_rollback(p->store->db);
		rc = -1;
	}
	ingest_free(in);
	return rc;
}

/* --- the run --- */

/* The job by itself: what others make is given, and nobody reads what it makes. */
struct alone_view {
	struct jobs jobs, *all;
	struct graph *graph, *graph_all;
	struct job *one[1];
	size_t index;
};

static int view_begin(struct alone_view *v, struct flow *f, struct arena *a, struct job *j, struct err *e)
{
	v->all = f->jobs;
	v->graph_all = f->graph;
	v->jobs = *f->jobs;
	v->jobs.all = v->one;
	v->jobs.n = 1;
	v->jobs.n_errors = v->jobs.n_errors_all = 0;
	v->one[0] = j;
	v->index = j->index;
	map_init(&v->jobs.by_name, a);
	map_set(&v->jobs.by_name, j->name, j);
	j->index = 0;
	for (size_t i = 0; i < j->n_inputs; i++) /* what was pinned is what the test gives */
		if (!j->inputs[i].found)
			j->inputs[i].pin = j->inputs[i].at = STR_NULL;
	j->n_after = 0; /* nothing comes before what a test runs */
	if (graph_make(a, &v->jobs, &v->graph, e)) {
		j->index = v->index;
		return -1;
	}
	f->jobs = &v->jobs;
	f->graph = v->graph;
	return 0;
}

static void view_end(struct alone_view *v, struct flow *f)
{
	v->one[0]->index = v->index;
	f->jobs = v->all;
	f->graph = v->graph_all;
}

static int lacks(const struct fixture *x, struct arena *a, const char *why, struct err *e)
{
	err_set(e, ERR_BAD_REQUEST, "the test does not give all that the job reads: %s", why);
	err_hint(e, "put files into %s, or rows into its case.yaml", fixture_path(a, x, "inputs/NAME/"));
	return err_at(e, x->shown, 0, 0);
}

static int run_calendar(struct proofs *p, struct arena *a, const struct fixture *x, const struct run_opts *o,
                        struct run_summary *sum, struct err *e)
{
	const struct job *jobs[] = {x->job};
	struct ds_range range = {.from = x->ds, .to = x->ds};
	struct plan_ask ask = {.jobs = jobs, .n_jobs = 1, .ranges = &range, .n_ranges = x->ds.every != EVERY_NONE,
	                       .mode = PLAN_EXPLICIT, .params = x->params};
	struct catalog *c;
	struct plan *plan;

	if (catalog_new(p->store, a, &c, e) || plan_make(p->flow, c, a, &ask, &plan, e))
		return -1;
	if (plan->n_units)
		return run_plan(p->flow, c, plan, &ask, o, sum, e);
	return lacks(x, a, plan->n_not_run ? plan_say(a, plan->not_run[0]) : "nothing is there", e);
}

static int run_data(struct proofs *p, struct arena *a, const struct fixture *x, const struct run_opts *o,
                    struct run_summary *sum, struct err *e)
{
	const struct job *jobs[] = {x->job};
	struct ds_range range = {.from = x->ds, .to = x->ds};
	struct data_ask ask = {.jobs = jobs, .n_jobs = 1, .params = x->params, .ranges = &range,
	                       .n_ranges = x->ds.every != EVERY_NONE, .ticks = true};
	const char *why = NULL;
	struct catalog *c;
	int r;

	for (size_t i = 0; i < x->job->n_inputs; i++)
		ask.tick_now |= x->job->inputs[i].cron.p != NULL;
	if (catalog_new(p->store, a, &c, e) || data_run(p->flow, c, a, &ask, o, sum, e))
		return -1;
	r = data_waits(p->flow, a, x->job, &why, e);
	return r < 0 ? -1 : r ? lacks(x, a, why, e) : 0;
}

static struct str last_lines(struct str text, size_t n)
{
	size_t at;

	text = str_trim(text);
	for (at = text.n; at > 0; at--)
		if (text.p[at - 1] == '\n' && !n--)
			break;
	return str_sub(text, at, text.n);
}

static int read_log(struct proofs *p, struct arena *a, struct str *out, struct err *e)
{
	static const char last[] = "select log from attempt where log <> '' order by unit desc, n desc limit 1";
	struct q *q = db_query(p->store->db, last);
	int r = q_step(q, e);
	const char *path = r == 1 ? path_join(a, p->store->leat_dir, arena_cstr(a, q_col_text(q, 0))) : NULL;
	struct err none = ERR_INIT;

	q_done(q);
	*out = STR("");
	if (path && !file_read(a, path, LOG_MAX, out, &none))
		*out = last_lines(*out, PROOF_LOG_LINES - 1);
	return r < 0 ? -1 : 0;
}

static int find_made(struct proofs *p, struct arena *a, struct proof *o, struct err *e)
{
	const struct fixture *x = o->x;
	struct repo repo;
	struct commit head;
	struct entry part;
	int r = repo_find(p->store, a, x->job->output, &repo, e);

	if (r == 1)
		r = branch_head(p->store, repo.id, data_branch(p->store, x->job), &head, e);
	if (r <= 0)
		return r;
	o->tree = head.tree;
	if (x->ds.every != EVERY_NONE) {
		r = tree_find(p->store, NULL, &head.tree, arena_strf(a, "ds=%s", x->ds.label), &part, e);
		if (r <= 0)
			return r;
		o->tree = part.id;
	}
	o->has_tree = true;
	return 0;
}

static int run_it(struct proofs *p, struct arena *a, struct proof *o, struct err *e)
{
	/* One slot: a single thread is faster for few rows. What a run left is removed with all else, at the end. */
	struct run_opts opts = {.command = COMMAND, .kind = "run", .slots = 1, .keep_staging = true};
	struct run_summary sum = {.first = ERR_INIT};
	struct alone_view view;
	int rc;

	if (view_begin(&view, p->flow, a, o->x->job, e))
		return -1;
	rc = data_session(p->store, e);
	if (!rc) {
		rc = (o->x->job->tree ? run_data : run_calendar)(p, a, o->x, &opts, &sum, e);
		store_session_end(p->store);
	}
	view_end(&view, p->flow);
	if (rc)
		return -1;
	if (sum.cancelled)
		return err_set(e, ERR_CANCELLED, "somebody asked to stop it");
	if (!sum.failed && !sum.not_started && !sum.held_groups)
		return find_made(p, a, o, e);
	o->failed = sum.first;
	if (!o->failed.code)
		err_set(&o->failed, ERR_FAILED, "nothing came of it");
	return read_log(p, a, &o->log, e);
}

int proof_run(struct proofs *p, struct arena *a, const struct fixture *x, struct proof *out, struct err *e)
{
	*out = (struct proof){.x = x, .failed = ERR_INIT, .log = STR("")};
	clock_stop_at(x->clock_ms);
	if (store_empty(p->store, e))
		return -1;
	flow_turn(p->flow, p->store);
	return lay(p, a, x, e) || run_it(p, a, out, e) ? -1 : 0;
}
