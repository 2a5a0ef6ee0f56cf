/* `leat cancel`, `leat approve`: what a person says of requests and runs. */
#include "api/requests.h"
#include "api/rows.h"
#include "api/serve.h"
#include "base/str.h"
#include "flow/lease.h"
#include "flow/state.h"
#include "flow/stop.h"
#include "sys/clock.h"

#define LOOK_MS    20
#define AGAIN      25 /* of those looks */
#define PREFIX_MIN 4
#define BACKFILL   "backfill-"
#define TEXT_MAX   4096

/* What is to be ended: a request that no runner has, or a run, or units of one ds of it. */
struct target {
	int64_t request; /* 0: none */
	struct str run;  /* STR_NULL: it has none (yet) */
	struct str had;  /* of a request that is to have another: its last one; STR_NULL */
	struct str job, ds;
	bool part; /* of the run that ds alone */
	bool orphan; /* its process has died */
	bool asked;
};

struct ending {
	struct api *api;
	struct str word, ds, who;
	int64_t request, backfill;
	VEC(struct target) list;
};

static struct target *target_of(struct ending *c, int64_t request, struct str run, struct str ds)
{
	for (size_t i = 0; i < c->list.n; i++) {
		struct target *t = &c->list.p[i];

		if ((request && t->request == request) ||
		    (run.p && t->run.p && str_eq(t->run, run) && (!t->part || str_eq(t->ds, ds))))
			return t;
	}
	return NULL;
}

static void add(struct ending *c, struct target t)
{
	struct arena *a = c->api->arena;
	struct target *old = target_of(c, t.request, t.run, t.ds);

	if (old) {
		if (!old->run.p && t.run.p)
			old->run = arena_str(a, t.run);
		return;
	}
	t.run = t.run.p ? arena_str(a, t.run) : STR_NULL;
	t.had = t.had.p ? arena_str(a, t.had) : STR_NULL;
	t.job = t.job.p ? arena_str(a, t.job) : STR_NULL;
	t.ds = t.ds.p ? arena_str(a, t.ds) : STR_NULL;
	vec_push(a, &c->list, t);
}

/* Its process has died, and it does nothing but what is to be ended: 1; 0; -1. */
static int is_orphan(struct ending *c, struct str run, struct str ds, struct err *e)
{
	struct q *q = db_query(c->api->store->db,
	                       "select l.boot, l.pid, l.pid_start, exists(select 1 from unit u where u.run = l.run"
	                       " and u.finished is null and u.ds <> ?2) from unit_lease l where l.run = ?1"
	                       " and (l.ds = '@' || l.run or l.ds = '')");
	int rc;

	q_text(q, 1, run);
	q_text(q, 2, ds.p ? ds : STR(""));
	rc = q_step(q, e);
	if (rc == 1)
		rc = !lease_alive(q_col_text(q, 0), q_col_int(q, 1), q_col_int(q, 2)) && (!ds.n || !q_col_int(q, 3));
	q_done(q);
	return rc;
}

/* No daemon is there to see that a runner has died: what such had is nobody's now. 1; 0: one is; -1. */
static int unserved(struct ending *c, struct err *e)
{
	const struct dom *place;
	int served = serve_place(c->api->store, c->api->arena, &place, e);
	size_t lost;

	if (served || !db_has_set(c->api->store->db, DB_SET_TIME))
		return served < 0 ? -1 : 0;
	return request_recover(c->api->store->db, STR_NULL, false, &lost, e) ? -1 : 1;
}

/* The runs of those that have lost their runner so: they end here, with their tasks. */
static int add_orphans(struct ending *c, struct err *e)
{
	size_t n = c->list.n;

	for (size_t i = 0; i < n; i++) {
		struct target t = c->list.p[i];
		struct str run = t.had;
		int r = t.request && run.p ? is_orphan(c, run, t.ds, e) : 0;

		if (r < 0)
			return -1;
		if (r)
			add(c, (struct target){.run = run, .job = t.job, .ds = t.ds, .orphan = true});
	}
	return 0;
}

static int find_requests(struct ending *c, struct err *e)
{
	struct q *q;
	int rc;

	if (!db_has_set(c->api->store->db, DB_SET_TIME))
		return 0;
	q = db_query(c->api->store->db,
	             "select id, run, job, ds, state from request where finished is null and (id = ?1 or backfill = ?2"
	             " or (?1 = 0 and ?2 = 0 and (job = ?3 or (length(?3) >= ?5 and (run >= ?3 and run < ?3 || 'g'"
	             " or batch >= ?3 and batch < ?3 || 'g'))))) and (?4 is null or ds = ?4)");
	q_int(q, 1, c->request);
	q_int(q, 2, c->backfill);
	q_text(q, 3, c->word);
	q_text(q, 4, c->ds);
	q_int(q, 5, PREFIX_MIN);
	while ((rc = q_step(q, e)) == 1) {
		bool runs = !q_col_is_null(q, 1) && str_is(q_col_text(q, 4), state_word(STATE_RUNNING));

		add(c, (struct target){.request = q_col_int(q, 0),
		                       .run = runs ? q_col_text(q, 1) : STR_NULL,
		                       .had = runs || q_col_is_null(q, 1) ? STR_NULL : q_col_text(q, 1),
		                       .job = q_col_is_null(q, 2) ? STR_NULL : q_col_text(q, 2),
		                       .ds = q_col_text(q, 3),
		                       .part = true});
	}
	q_done(q);
	return rc;
}

#define OF_WORD                                                                                                        \
	" where (l.ds = '@' || l.run or l.ds = '') and r.finished is null and (r.job = ?1 or (length(?1) >= ?2"        \
	" and (r.id >= ?1 and r.id < ?1 || 'g' or r.batch >= ?1 and r.batch < ?1 || 'g'))) group by r.id"

/*
 * Runs that a process has, or had (but those of requests, which another takes over): by their own id, their batch's or
 * their job's name.
 */
static int find_runs(struct ending *c, struct err *e)
{
	struct q *q;
	int rc;

	if (c->request || c->backfill)
		return 0;
	q = db_query(
		c->api->store->db,
		db_has_set(c->api->store->db, DB_SET_TIME)
			? "select r.id, r.job, l.boot, l.pid, l.pid_start, exists(select 1 from request a where"
			  " a.run = r.id and a.finished is null) from unit_lease l join run r on r.id = l.run" OF_WORD
			: "select r.id, r.job, l.boot, l.pid, l.pid_start, 0 from unit_lease l join run r on"
			  " r.id = l.run" OF_WORD);
	q_text(q, 1, c->word);
	q_int(q, 2, PREFIX_MIN);
	while ((rc = q_step(q, e)) == 1) {
		bool alive = lease_alive(q_col_text(q, 2), q_col_int(q, 3), q_col_int(q, 4));

		if (alive || (!c->ds.p && !q_col_int(q, 5)))
			add(c, (struct target){.run = q_col_text(q, 0),
			                       .job = q_col_text(q, 1),
			                       .ds = c->ds,
			                       .part = c->ds.p,
			                       .orphan = !alive});
	}
	q_done(q);
	return rc;
}

/* Of those whose process has died: nobody else will end them. */
static int end_orphans(struct ending *c, struct err *e)
{
	const char *why = arena_printf(c->api->arena, "cancelled by %.*s", STR_ARG(c->who));

	for (size_t i = 0; i < c->list.n; i++) {
		struct target *t = &c->list.p[i];
		int r = t->orphan ? run_cancel_orphan(c->api->store, arena_cstr(c->api->arena, t->run), why, e) : 0;

		if (r < 0)
			return -1;
		t->asked |= r;
	}
	return 0;
}

/* In one transaction: what no runner has ends now, of the rest it is written down that it is to. */
static int ask(struct ending *c, struct err *e)
{
	struct db *d = c->api->store->db;
	struct arena *a = c->api->arena;
	const char *why = arena_printf(a, "cancelled by %.*s", STR_ARG(c->who));

	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	for (size_t i = 0; i < c->list.n; i++) {
		struct target *t = &c->list.p[i];
		int r = 1;

		if (t->asked)
			continue;
		if (t->run.p)
			r = stop_ask(d, arena_cstr(a, t->run), t->part && t->ds.n ? arena_cstr(a, t->ds) : NULL, c->who,
			             e)
			            ? -1
			            : 1;
		else if (t->request)
			r = request_cancel(d, t->request, why, e); /* 0: its runner is about to begin */
		if (r < 0) {
			db_rollback(d);
			return -1;
		}
		t->asked = r;
	}
	if (db_commit(d, e))
		return -1;
	for (size_t i = 0; i < c->list.n; i++)
		if (c->list.p[i].run.p && stop_tell(d, arena_cstr(a, c->list.p[i].run), e) < 0)
			return -1;
	return 0;
}

/* 1: it has ended, and its state; 0; -1. */
static int ended(struct ending *c, const struct target *t, struct str *state, struct err *e)
{
	bool by_unit = t->run.p && t->part && t->ds.p;
	struct q *q = db_query(c->api->store->db,
	                       by_unit    ? "select state, finished is not null from unit where run = ?1 and ds = ?2"
	                                    " order by id desc limit 1"
	                       : t->run.p ? "select state, finished is not null from run where id = ?1"
	                                  : "select state, finished is not null from request where id = ?3");
	int rc;

	if (t->run.p)
		q_text(q, 1, t->run);
	if (by_unit)
		q_text(q, 2, t->ds);
	if (!t->run.p)
		q_int(q, 3, t->request);
	rc = q_step(q, e);
	if (rc == 1) {
		rc = q_col_int(q, 1) != 0;
		*state = arena_str(c->api->arena, q_col_text(q, 0));
	} else if (!rc) {
		*state = STR("gone");
		rc = 1;
	}
	q_done(q);
	return rc;
}

/* The daemon and the runner have died since it was asked. */
static int end_left(struct ending *c, struct target *t, struct err *e)
{
	const char *why = arena_printf(c->api->arena, "cancelled by %.*s", STR_ARG(c->who));
	int r = t->run.p ? is_orphan(c, t->run, t->part ? t->ds : STR_NULL, e) : 0;

	if (r > 0)
		r = run_cancel_orphan(c->api->store, arena_cstr(c->api->arena, t->run), why, e);
	return r < 0 ? -1 : 0;
}

static int wait_all(struct ending *c, struct sink *out, struct err *e)
{
	struct arena *a = c->api->arena;
	unsigned n = 0;

	for (size_t i = 0; i < c->list.n; i++) {
		struct dom *row = dom_new(a, DOM_MAP);
		struct str state;
		int r;

		while (!(r = ended(c, &c->list.p[i], &state, e))) {
			clock_sleep_ms(LOOK_MS);
			if (!(++n % AGAIN) && unserved(c, e) == 1 && end_left(c, &c->list.p[i], e))
				return -1;
			/* One whose runner was about to begin has a run by now; a run whose process died has an end. */
			if (!c->list.p[i].asked && (find_requests(c, e) || ask(c, e)))
				return -1;
			if (c->list.p[i].run.p && !stop_tell(c->api->store->db, arena_cstr(a, c->list.p[i].run), e) &&
			    run_recover(c->api->store, e))
				return -1;
		}
		if (r < 0)
			return -1;
		if (c->list.p[i].request)
			dom_set_int(a, row, "request", c->list.p[i].request);
		dom_set_str(a, row, "run", c->list.p[i].run);
		dom_set_str(a, row, "job", c->list.p[i].job);
		dom_set_str(a, row, "ds", c->list.p[i].ds.n ? c->list.p[i].ds : STR_NULL);
		dom_set_str(a, row, "state", state);
		if (sink_row(out, row, e))
			return -1;
	}
	return 0;
}

static int nothing(struct ending *c, struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "nothing of '%.*s'%s%.*s waits or runs", STR_ARG(c->word), c->ds.p ? " " : "",
	        STR_ARG(c->ds));
	return err_hint(e, "'leat runs' lists what does: a run's or batch's id, r12 of a request, a job's name");
}

int api_cancel(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct ending c = {.api = api, .word = args_pos(args, 0), .ds = args_pos(args, 1), .who = str_of(store_who())};
	struct ds ds;

	if (c.ds.p && ds_parse(c.ds, &ds, e))
		return -1;
	if (str_has_prefix(c.word, STR(BACKFILL)) &&
	    !str_to_i64(str_sub(c.word, strlen(BACKFILL), SIZE_MAX), &c.backfill))
		c.backfill = 0;
	if (!requests_word(c.word, &c.request))
		c.request = 0;
	if (unserved(&c, e) < 0 || find_runs(&c, e) || find_requests(&c, e) || add_orphans(&c, e))
		return -1;
	if (!c.list.n)
		return nothing(&c, e);
	return end_orphans(&c, e) || ask(&c, e) ? -1 : wait_all(&c, out, e);
}

int api_approve(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str why = str_trim(args_value(args, "because")), word = args_pos(args, 0), ds = args_pos(args, 1);
	struct str who = str_of(store_who());
	struct arena *a = api->arena;
	VEC(int64_t) ids = {0};
	int64_t id = 0;
	struct q *q;
	int rc = 0;

	if (why.n > TEXT_MAX)
		return err_set(e, ERR_BAD_REQUEST, "--because is a text of at most %d bytes", TEXT_MAX);
	if (!requests_word(word, &id))
		id = 0;
	if (why.n)
		who = arena_strf(a, "%.*s: %.*s", STR_ARG(who), STR_ARG(why));
	if (db_has_set(api->store->db, DB_SET_TIME)) {
		q = db_query(api->store->db, "select id from request where finished is null and state <> 'running' and"
		                             " approved is null and (id = ?1 or (?1 = 0 and job = ?2))"
		                             " and (?3 is null or ds = ?3)");
		q_int(q, 1, id);
		q_text(q, 2, word);
		q_text(q, 3, ds);
		while ((rc = q_step(q, e)) == 1)
			vec_push(a, &ids, q_col_int(q, 0));
		q_done(q);
	}
	if (rc)
		return -1;
	if (!ids.n) {
		err_set(e, ERR_NOT_FOUND, "nothing of '%.*s' waits for an approval", STR_ARG(word));
		return err_hint(e, "'leat runs' lists what does");
	}
	if (db_begin(api->store->db, e))
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (request_approve(api->store->db, ids.p[i], who, e) < 0) {
			db_rollback(api->store->db);
			return -1;
		}
	if (db_commit(api->store->db, e))
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct dom *row = dom_new(a, DOM_MAP);

		dom_set_int(a, row, "request", ids.p[i]);
		dom_set_str(a, row, "approved", who);
		if (sink_row(out, row, e))
			return -1;
	}
	return 0;
}
