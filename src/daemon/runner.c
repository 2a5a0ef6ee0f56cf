#include "daemon/runner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/carry.h"
#include "base/str.h"
#include "flow/clock.h"
#include "flow/lease.h"
#include "flow/request.h"
#include "flow/state.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define REQUESTS_MAX 100000 /* of one batch */
#define AGAIN_MAX    20     /* a job that is saved over and over again */

struct runner {
	struct api api;
	struct request *r;
	size_t n;
	bool data; /* among them is what data brings */
	struct runner_told told;
	struct ahead ahead;
};

/* --- talk --- */

static int no_row(void *ptr, const struct dom *row, struct err *e)
{
	(void)ptr;
	(void)row;
	(void)e;
	return 0;
}

static void note(void *ptr, const char *text)
{
	(void)ptr;
	fprintf(stderr, "leat runner: %s\n", text);
}

static void on_event(void *ptr, const struct run_event *ev)
{
	(void)ptr;
	if (ev->kind == RUN_UNIT_FAILED && ev->job)
		fprintf(stderr, "leat runner: %.*s %s failed: %s\n", STR_ARG(ev->job->name),
		        ev->ds ? ev->ds->label : "",
		        ev->err    ? ev->err->msg
		        : ev->text ? ev->text
		                   : "");
}

/* --- the requests --- */

/* Those of the batch that nobody else has and of which no run has begun; it is this process's from now on. */
static int take(struct runner *w, struct str batch, struct err *e)
{
	struct db *d = w->api.store->db;
	size_t n, kept = 0;
	bool given = false;

	if (request_list(d, w->api.arena, state_word(STATE_RUNNING), REQUESTS_MAX, &w->r, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		given |= str_eq(w->r[i].batch, batch) && w->r[i].pid == getpid();
	if (!given && (request_taken(d, batch, getpid(), lease_own_start(), e) ||
	               request_list(d, w->api.arena, state_word(STATE_RUNNING), REQUESTS_MAX, &w->r, &n, e)))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (str_eq(w->r[i].batch, batch) && !w->r[i].run.p && w->r[i].pid == getpid() &&
		    w->r[i].pid_start == lease_own_start())
			w->r[kept++] = w->r[i];
	w->n = kept;
	return 0;
}

static int refuse(struct runner *w, const struct request *r, const struct err *why, struct err *e)
{
	return request_over(w->api.store->db, r->id, state_word(STATE_FAILED), err_text(w->api.arena, why), e);
}

/* Adds it to what is asked for. 1; 0: it cannot be, and has failed; -1. */
static int ask_one(struct runner *w, const struct request *r, struct asking *q, struct err *e)
{
	struct err why = ERR_INIT;
	struct ds_range range = {0};
	struct dom *params = NULL;
	struct job *j;

	if (jobs_find(w->api.flow->jobs, r->job, &j, &why) ||
	    (r->params.n && dom_json(w->api.arena, r->params, "params", &params, &why)) ||
	    plan_check_params(j, params, &why) || (r->ds.n && ds_parse(r->ds, &range.from, &why)))
		return refuse(w, r, &why, e);
	range.to = range.from;
	if (params)
		q->ask.params = params;
	vec_push(w->api.arena, &q->jobs, j);
	vec_push(w->api.arena, &q->ranges, range);
	return 1;
}

static int ask_all_of(struct runner *w, struct asking *q, struct err *e)
{
	for (size_t i = 0; i < w->n; i++) {
		int r = 1;

		if (!w->r[i].job.p)
			w->data = true;
		else
			r = ask_one(w, &w->r[i], q, e);
		if (r < 0)
			return -1;
	}
	q->ask.pairs = true;
	return 0;
}

static const struct plan_unit *find_unit(struct plan_unit *const *units, size_t n, const struct request *r)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(units[i]->job->name, r->job) && str_eq(str_of(units[i]->ds.label), r->ds))
			return units[i];
	return NULL;
}

/* Of those that do not run: what they wait for, or that nothing is to be done. */
static int planned(void *ptr, const struct plan *p, struct err *e)
{
	struct runner *w = ptr;

	if (p->n_not_run && !w->n && take(w, str_of(w->told.batch.hex), e)) /* it had not been expected */
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		const struct request *r = &w->r[i];
		const struct plan_unit *u = r->job.p ? find_unit(p->not_run, p->n_not_run, r) : NULL;
		const char *why = u ? plan_say(w->api.arena, u) : NULL;

		if (u && (u->reason == REASON_INPUT_MISSING
		                  ? request_waits(w->api.store->db, r->id, u->detail ? u->detail : why, e)
		                  : request_known(w->api.store->db, r, why, e)))
			return -1;
	}
	return 0;
}

static struct run_label *labels_of(struct runner *w, size_t *n)
{
	struct run_label *l = arena_array(w->api.arena, struct run_label, w->n + 1);

	*n = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (!w->r[i].job.p)
			continue;
		l[*n].label = arena_cstr(w->api.arena, w->r[i].ds);
		l[(*n)++].event = id_of(w->r[i].event);
	}
	return l;
}

/* What neither runs nor waits has nothing to do; a stop leaves it to the next runner. */
static int end_rest(struct runner *w, struct str batch, const struct err *why, struct err *e)
{
	struct request *left;
	size_t n;

	if (request_list(w->api.store->db, w->api.arena, state_word(STATE_RUNNING), REQUESTS_MAX, &left, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool good = !why && (left[i].job.p || !w->api.exit_status);

		if (!str_eq(left[i].batch, batch) || left[i].run.p)
			continue;
		if (request_over(w->api.store->db, left[i].id, state_word(good ? STATE_SUCCESS : STATE_FAILED),
		                 why ? err_text(w->api.arena, why) : NULL, e))
			return -1;
	}
	return 0;
}

/* --- late data --- */

static int ask_late(struct runner *w, const struct plan_unit *u, struct err *e)
{
	struct db *d = w->api.store->db;
	struct request_new r = {.kind = REQUEST_SCHEDULE, .job = u->job->name, .ds = u->ds.label, .slot = REQUEST_NONE,
	                        .who = STR("late data")};
	struct q *q;
	int64_t id;
	int rc;

	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	q = db_query(d, "select 1 from request where job = ? and ds = ? and finished is null");
	q_text(q, 1, r.job);
	q_cstr(q, 2, r.ds);
	rc = q_step(q, e);
	q_done(q);
	if (rc < 0 || (!rc && request_add(d, &r, &id, e) < 0)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

/*
 * Partitions that were made, and of whose inputs the content is another one now, of jobs with a clock that say late:
 * run: each is asked for as a slot of it would be, so that what stands below runs with it and all rules hold.
 */
static int late(struct runner *w, struct err *e)
{
	struct api *api = &w->api;
	struct asking q = {.ask = {.mode = PLAN_STALE}};
	struct jobs *js = api->flow->jobs;
	struct catalog *c;
	struct plan *p;

	for (size_t i = 0; i < js->n; i++) {
		struct job *j = js->all[i];
		struct clock_pause pause;
		int paused = 0;

		if (!j->schedule || !j->late_run || j->tree || job_stays(j))
			continue;
		paused = clock_paused(api->store, api->arena, j, &pause, e);
		if (paused < 0)
			return -1;
		if (!paused)
			vec_push(api->arena, &q.jobs, j);
	}
	if (!q.jobs.n)
		return 0;
	ask_finish(&q);
	if (catalog_new(api->store, api->arena, &c, e) || plan_make(api->flow, c, api->arena, &q.ask, &p, e))
		return -1;
	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = p->units[i];

		if (u->job->late_run && u->reason == REASON_INPUT_CHANGED && u->current_unit && ask_late(w, u, e))
			return -1;
	}
	return 0;
}

/* The requests that have begun nothing yet. */
static int carry_all(struct runner *w, struct str batch, struct err *why, struct err *e)
{
	struct sink out = {.row = no_row, .note = note, .event = on_event};
	struct carry_how how = {
		.command = "leat serve", .batch = id_of(batch), .planned = planned, .ptr = w, .lenient = true};
	struct asking q = {.ask = {.mode = PLAN_EXPLICIT}, .explicit_ds = true};
	int rc = 0;

	if (ask_all_of(w, &q, e))
		return -1;
	how.kind = arena_cstr(w->api.arena, w->r[0].kind);
	how.slots = (int)w->r[0].slots;
	how.reverse = w->r[0].reverse;
	how.ahead = &w->ahead;
	q.ask.again = w->r[0].again;
	how.labels = labels_of(w, &how.n_labels);
	if (w->data) {
		struct asking all = {.ask = {.mode = PLAN_STALE}};
		struct carry_how data = {.command = how.command, .kind = "run", .data_only = true, .lenient = true};

		rc = carry_out(&w->api, &data, &all, &out, why) || late(w, why) ? -1 : 0;
	}
	if (!rc && q.jobs.n)
		rc = carry_out(&w->api, &how, &q, &out, why);
	return rc ? 1 : 0;
}

/* A job was saved between our look at it and its run: it is as it is now that it is to run. */
static int look_again(struct runner *w, struct str batch, struct err *e)
{
	flow_close(w->api.flow);
	w->api.flow = NULL;
	w->ahead.plan = NULL;
	w->data = false;
	return flow_open_live(w->api.store, w->api.kinds, &w->api.flow, e) || take(w, batch, e) ? -1 : 0;
}

/* Until there is a batch for it. false: there is none. */
static bool stand_by(struct runner *w, struct str *batch)
{
	ssize_t n;

	ahead_make(&w->api, &w->ahead);
	do
		n = recv(STDIN_FILENO, &w->told, sizeof(w->told), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(w->told))
		return false;
	*batch = str_of(w->told.batch.hex);
	w->api.flow->now_ms = clock_now_ms(); /* time has gone by */
	return true;
}

/* What it was told of is just what it has a plan for: nothing has to be read. */
static bool as_expected(const struct runner *w)
{
	const struct asking *q = &w->ahead.q;

	if (!w->ahead.plan || w->told.n != q->jobs.n || w->ahead.plan->n_not_run)
		return false;
	for (size_t i = 1; i < q->ranges.n; i++)
		if (strcmp(q->ranges.p[i].from.label, q->ranges.p[0].from.label) != 0)
			return false;
	return true;
}

static int carry_expected(struct runner *w, struct str batch, struct err *why)
{
	struct sink out = {.row = no_row, .note = note, .event = on_event};
	struct run_label label = {.label = w->ahead.q.ranges.p[0].from.label, .event = w->told.event};
	struct carry_how how = {.command = "leat serve",
	                        .kind = request_kind_word(REQUEST_SCHEDULE),
	                        .batch = id_of(batch),
	                        .labels = &label,
	                        .n_labels = 1,
	                        .each_asked = true,
	                        .ahead = &w->ahead,
	                        .planned = planned,
	                        .ptr = w,
	                        .lenient = true};
	struct asking q = w->ahead.q;

	return carry_out(&w->api, &how, &q, &out, why) ? 1 : 0;
}

static int work(struct runner *w, struct str batch, struct err *e)
{
	struct err why = ERR_INIT;
	int rc;

	if (api_open(&w->api, OP_W, e) || flow_open_live(w->api.store, w->api.kinds, &w->api.flow, e))
		return -1;
	if (str_is(batch, RUNNER_STANDS_BY) && !stand_by(w, &batch))
		return 0;
	if (as_expected(w)) {
		fault_crash("runner-loaded");
		rc = carry_expected(w, batch, &why);
	} else {
		if (take(w, batch, e))
			return -1;
		fault_crash("runner-loaded");
		if (!w->n)
			return 0;
		rc = carry_all(w, batch, &why, e);
	}
	for (int i = 0; rc == 1 && why.code == ERR_CODE_MOVED && i < AGAIN_MAX; i++) {
		err_clear(&why);
		if (look_again(w, batch, e))
			return -1;
		rc = w->n ? carry_all(w, batch, &why, e) : 0;
	}
	if (rc < 0)
		return -1;
	if (rc)
		note(NULL, err_text(w->api.arena, &why));
	return end_rest(w, batch, rc ? &why : NULL, e);
}

int runner_main(int argc, char **argv, const struct job_kind *const *kinds)
{
	struct arena *a = arena_new();
	struct runner w = {0};
	struct err e = ERR_INIT;
	int rc;

	if (argc < 5) {
		fprintf(stderr, "usage: leat --role " RUNNER_ROLE " DIR BATCH\n");
		return 2;
	}
	(void)setsid(); /* no terminal's hangup or Ctrl-C is meant for it */
	api_begin(&w.api, a, kinds);
	w.api.dir = argv[3];
	rc = work(&w, str_of(argv[4]), &e);
	if (rc)
		note(NULL, err_text(a, &e));
	api_end(&w.api);
	arena_free(a);
	return rc ? 1 : 0;
}
