#include "flow/request.h"

#include <stdio.h>

#include "base/map.h"
#include "base/str.h"
#include "flow/lease.h"
#include "flow/state.h"
#include "sys/clock.h"

static const char *const kind_words[REQUEST_KINDS] = {"schedule", "data", "backfill", "api", "webhook", "rerun"};

const char *request_kind_word(enum request_kind k)
{
	return kind_words[k];
}

static const char *const rule_words[REQUEST_RULES] = {
	[RULE_APPROVAL] = "approval", [RULE_PAST] = "past",   [RULE_OVERLAP] = "overlap",
	[RULE_BUSY] = "busy",         [RULE_INPUT] = "input", [RULE_PAUSED] = "paused",
};

static enum request_rule rule_of(struct str word)
{
	for (int i = 1; i < REQUEST_RULES; i++)
		if (str_is(word, rule_words[i]))
			return (enum request_rule)i;
	return RULE_NONE;
}

/* 1 and its id, 0, -1 */
static int found(struct q *q, int64_t *id, struct err *e)
{
	int got = q_step(q, e);

	if (got == 1)
		*id = q_col_int(q, 0);
	q_done(q);
	return got;
}

/* Each by an index of its own: in one statement with `or` SQLite takes several times as long. */
static int find(struct db *d, const struct request_new *r, int64_t *id, struct err *e)
{
	struct q *q;
	int got = 0;

	if (r->idem.p) {
		q = db_query(d, "select id from request where idem = ? and idem is not null");
		q_text(q, 1, r->idem);
		got = found(q, id, e);
	}
	if (!got && r->slot != REQUEST_NONE) {
		q = db_query(d, "select id from request where job = ? and schedule = ? and slot = ?"
		                " and slot is not null");
		q_text(q, 1, r->job);
		q_text(q, 2, r->schedule.p ? r->schedule : STR(""));
		q_int(q, 3, r->slot);
		got = found(q, id, e);
	}
	if (!got && r->kind == REQUEST_BACKFILL && !r->params.n) {
		q = db_query(d, "select id from request where job = ? and ds = ? and params is null"
		                " and finished is null limit 1");
		q_text(q, 1, r->job);
		q_cstr(q, 2, r->ds ? r->ds : "");
		got = found(q, id, e);
	}
	return got;
}

int request_add(struct db *d, const struct request_new *r, int64_t *id, struct err *e)
{
	int64_t now = clock_now_ms();
	struct q *q;
	int got;

	if (db_make_set(d, DB_SET_TIME, e))
		return -1;
	/* What an index tells apart is looked up where it was there: a slot hardly ever is. */
	got = r->kind == REQUEST_BACKFILL ? find(d, r, id, e) : 0;
	if (got)
		return got < 0 ? -1 : 0;
	q = db_query(d,
	             "insert or ignore into request(kind, job, ds, schedule, slot, params, idem, who, priority,"
	             " backfill, state, reason, created, due, finished, parent, slots, reverse, again, event, batch,"
	             " boot, pid, pid_start)"
	             " values(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	             " nullif(?10, 0), ?11, ?12, ?13, ?14, ?15, nullif(?16, 0), nullif(?17, 0), ?18, ?19, ?20, ?21,"
	             " ?22, ?23, ?24)");
	q_cstr(q, 1, kind_words[r->kind]);
	q_text(q, 2, r->job);
	q_cstr(q, 3, r->ds ? r->ds : "");
	q_text(q, 4, r->schedule.p ? r->schedule : STR(""));
	if (r->slot == REQUEST_NONE)
		q_null(q, 5);
	else
		q_int(q, 5, r->slot);
	q_text(q, 6, r->params);
	q_text(q, 7, r->idem);
	q_text(q, 8, r->who);
	q_int(q, 9, r->priority);
	q_int(q, 10, r->backfill);
	q_cstr(q, 11, state_word(r->skipped ? STATE_SKIPPED : r->to ? STATE_RUNNING : STATE_QUEUED));
	q_cstr(q, 12, r->skipped);
	q_int(q, 13, now);
	q_int(q, 14, r->due_ms ? r->due_ms : now);
	if (r->skipped)
		q_int(q, 15, now);
	else
		q_null(q, 15);
	q_int(q, 16, r->parent);
	q_int(q, 17, r->slots);
	q_int(q, 18, r->reverse);
	q_int(q, 19, r->again);
	if (r->to) {
		q_cstr(q, 20, r->to->event.hex);
		q_cstr(q, 21, r->to->batch.hex);
		q_cstr(q, 22, clock_boot_id());
		q_int(q, 23, r->to->pid);
		q_int(q, 24, r->to->pid_start);
	}
	if (q_run(q, e))
		return -1;
	if (!db_changes(d)) {
		got = find(d, r, id, e);
		BUG_IF(!got);
		return got < 0 ? -1 : 0;
	}
	*id = db_last_rowid(d);
	return 1;
}

int request_leads(struct db *d, int64_t id, struct err *e)
{
	struct q *q = db_query(d, "update request set backfill = id where id = ?");

	q_int(q, 1, id);
	return q_run(q, e);
}

#define COLUMNS                                                                                                        \
	"select id, kind, job, ds, params, state, reason, event, batch, run, slot, priority, due, tries, boot, pid,"   \
	" pid_start, coalesce(parent, 0), approved, held, coalesce(backfill, 0), coalesce(slots, 0), reverse, again"   \
	" from request"

static struct request read_row(struct arena *a, struct q *q)
{
	struct request r = {.id = q_col_int(q, 0),
	                    .slot = q_col_is_null(q, 10) ? REQUEST_NONE : q_col_int(q, 10),
	                    .priority = q_col_int(q, 11),
	                    .due_ms = q_col_int(q, 12),
	                    .tries = q_col_int(q, 13),
	                    .pid = q_col_int(q, 15),
	                    .pid_start = q_col_int(q, 16),
	                    .parent = q_col_int(q, 17),
	                    .held = q_col_is_null(q, 19) ? RULE_NONE : rule_of(q_col_text(q, 19)),
	                    .backfill = q_col_int(q, 20),
	                    .slots = q_col_int(q, 21),
	                    .reverse = q_col_int(q, 22),
	                    .again = q_col_int(q, 23)};
	struct str *texts[] = {&r.kind, &r.job, &r.ds, &r.params, &r.state, &r.reason, &r.event, &r.batch, &r.run};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = q_col_is_null(q, (int)i + 1) ? STR_NULL : arena_str(a, q_col_text(q, (int)i + 1));
	r.boot = q_col_is_null(q, 14) ? STR_NULL : arena_str(a, q_col_text(q, 14));
	r.approved = q_col_is_null(q, 18) ? STR_NULL : arena_str(a, q_col_text(q, 18));
	return r;
}

static int read_all(struct q *q, struct arena *a, struct request **out, size_t *n, struct err *e)
{
	VEC(struct request) v = {0};
	int rc;

	while ((rc = q_step(q, e)) == 1) {
		struct request r = read_row(a, q);

		vec_push(a, &v, r);
	}
	q_done(q);
	*out = v.p;
	*n = v.n;
	return rc;
}

int request_list(struct db *d, struct arena *a, const char *state, size_t n_max, struct request **out, size_t *n,
                 struct err *e)
{
	struct q *q;

	*n = 0;
	if (!db_has_set(d, DB_SET_TIME))
		return 0;
	q = db_query(d, COLUMNS " where state = ?1 and finished is null order by priority desc, id limit ?2");
	q_cstr(q, 1, state);
	q_int(q, 2, (int64_t)n_max);
	return read_all(q, a, out, n, e);
}

int request_list_open(struct db *d, struct arena *a, size_t n_max, struct request **out, size_t *n, struct err *e)
{
	struct q *q;

	*n = 0;
	if (!db_has_set(d, DB_SET_TIME))
		return 0;
	q = db_query(d, COLUMNS " where finished is null and (state = ?1 or (state = ?2 and held <> 'input'))"
	                        " order by priority desc, id limit ?3");
	q_cstr(q, 1, state_word(STATE_QUEUED));
	q_cstr(q, 2, state_word(STATE_WAITING));
	q_int(q, 3, (int64_t)n_max);
	return read_all(q, a, out, n, e);
}

static int set_state(struct db *d, int64_t id, enum state s, const char *why, struct err *e)
{
	struct q *q = db_query(
		d, "update request set state = ?2, reason = ?3, finished = ?4, held = null where id = ?1 and finished"
		   " is null");

	q_int(q, 1, id);
	q_cstr(q, 2, state_word(s));
	q_cstr(q, 3, why);
	if (state_final(s))
		q_int(q, 4, clock_now_ms());
	else
		q_null(q, 4);
	return q_run(q, e);
}

static int in_transaction(struct db *d, int (*fn)(struct db *d, void *ptr, struct err *e), void *ptr, struct err *e)
{
	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	if (fn(d, ptr, e)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

struct giving {
	struct request *const *r;
	size_t n;
	struct id batch;
	struct arena *a;
};

static int give(struct db *d, void *ptr, struct err *e)
{
	struct giving *g = ptr;
	struct map by_ds;

	map_init(&by_ds, g->a);
	for (size_t i = 0; i < g->n; i++) {
		struct request *r = g->r[i];
		const char *event = r->event.n ? arena_cstr(g->a, r->event) : map_get(&by_ds, r->ds);
		struct q *q;

		if (!event) {
			event = arena_strf(g->a, "%s", id_new().hex).p;
			map_set(&by_ds, r->ds, (void *)event);
		}
		q = db_query(d, "update request set state = ?2, reason = null, held = null, event = ?3, batch = ?4,"
		                " tries = tries + 1, run = null, boot = null, pid = null where id = ?1 and finished is"
		                " null");
		q_int(q, 1, r->id);
		q_cstr(q, 2, state_word(STATE_RUNNING));
		q_cstr(q, 3, event);
		q_cstr(q, 4, g->batch.hex);
		if (q_run(q, e))
			return -1;
		r->event = str_of(event);
		r->batch = arena_str(g->a, str_of(g->batch.hex));
	}
	return 0;
}

int request_give(struct db *d, struct request *const *r, size_t n, struct id batch, struct err *e)
{
	struct arena *a = arena_new();
	struct giving g = {r, n, batch, a};
	int rc = in_transaction(d, give, &g, e);

	arena_free(a);
	return rc;
}

struct taking {
	struct str batch;
	int64_t pid, pid_start;
};

static int take(struct db *d, void *ptr, struct err *e)
{
	struct taking *t = ptr;
	struct q *q =
		db_query(d, "update request set boot = ?2, pid = ?3, pid_start = ?4 where batch = ?1 and state = ?5"
	                    " and boot is null");

	q_text(q, 1, t->batch);
	q_cstr(q, 2, clock_boot_id());
	q_int(q, 3, t->pid);
	q_int(q, 4, t->pid_start);
	q_cstr(q, 5, state_word(STATE_RUNNING));
	return q_run(q, e);
}

int request_taken(struct db *d, struct str batch, int64_t pid, int64_t pid_start, struct err *e)
{
	struct taking t = {batch, pid, pid_start};

	return in_transaction(d, take, &t, e);
}

struct change {
	int64_t id;
	enum state state;
	const char *why;
};

static int change(struct db *d, void *ptr, struct err *e)
{
	struct change *c = ptr;

	return set_state(d, c->id, c->state, c->why, e);
}

int request_hold(struct db *d, int64_t id, enum request_rule rule, const char *why, struct err *e)
{
	/* Its runner, if it had one, counts as none: it has not been tried. */
	struct q *q =
		db_query(d, "update request set state = ?2, held = ?3, reason = ?4, tries = case when state ="
	                    " 'running' then tries - 1 else tries end, batch = null, run = null, boot = null"
	                    " where id = ?1 and finished is null");

	q_int(q, 1, id);
	q_cstr(q, 2, state_word(STATE_WAITING));
	q_cstr(q, 3, rule_words[rule]);
	q_cstr(q, 4, why);
	return q_run(q, e);
}

int request_cancel(struct db *d, int64_t id, const char *why, struct err *e)
{
	struct q *q = db_query(d, "update request set state = ?2, reason = ?3, finished = ?4, held = null where id = ?1"
	                          " and finished is null and state <> ?5");

	q_int(q, 1, id);
	q_cstr(q, 2, state_word(STATE_CANCELLED));
	q_cstr(q, 3, why);
	q_int(q, 4, clock_now_ms());
	q_cstr(q, 5, state_word(STATE_RUNNING));
	return q_run(q, e) ? -1 : db_changes(d) > 0;
}

int request_approve(struct db *d, int64_t id, struct str who, struct err *e)
{
	struct q *q = db_query(d, "update request set approved = ?2 where id = ?1 and finished is null");

	q_int(q, 1, id);
	q_text(q, 2, who);
	return q_run(q, e) ? -1 : db_changes(d) > 0;
}

static int wait_input(struct db *d, void *ptr, struct err *e)
{
	struct change *c = ptr;

	return request_hold(d, c->id, RULE_INPUT, c->why, e);
}

int request_waits(struct db *d, int64_t id, const char *why, struct err *e)
{
	struct change c = {id, STATE_WAITING, why};

	return in_transaction(d, wait_input, &c, e);
}

int request_over(struct db *d, int64_t id, const char *state, const char *why, struct err *e)
{
	struct change c = {id, state_of_word(str_of(state)), why};

	BUG_IF(c.state == STATE_COUNT || !state_final(c.state));
	return in_transaction(d, change, &c, e);
}

struct known {
	const struct request *r;
	const char *why;
	struct id run;
};

/* Each slot is a run of its own, also one that has nothing to do. */
static int known(struct db *d, void *ptr, struct err *e)
{
	struct known *k = ptr;
	struct q *q =
		db_query(d, "insert into run(id, job, batch, kind, state, reason, command, created, started, finished)"
	                    " values(?1, ?2, ?3, ?4, ?5, ?6, 'leat serve', ?7, ?7, ?7)");

	q_cstr(q, 1, k->run.hex);
	q_text(q, 2, k->r->job);
	q_text(q, 3, k->r->batch);
	q_text(q, 4, k->r->kind);
	q_cstr(q, 5, state_word(STATE_SUCCESS));
	q_cstr(q, 6, k->why);
	q_int(q, 7, clock_now_ms());
	if (q_run(q, e) || set_state(d, k->r->id, STATE_SUCCESS, k->why, e))
		return -1;
	q = db_query(d, "update request set run = ? where id = ?");
	q_cstr(q, 1, k->run.hex);
	q_int(q, 2, k->r->id);
	return q_run(q, e);
}

int request_known(struct db *d, const struct request *r, const char *why, struct err *e)
{
	struct known k = {r, why, id_new()};

	return in_transaction(d, known, &k, e);
}

struct prune {
	int64_t before, from, to, n;
};

static int prune(struct db *d, void *ptr, struct err *e)
{
	struct prune *p = ptr;
	struct q *q = db_query(
		d, "delete from request where id > ?1 and id <= ?2 and finished < ?3"
		   " and (job is null or id <> (select id from request x where x.job = request.job"
		   "  order by created desc, id desc limit 1))"
		   " and (slot is null or slot < (select max(slot) from request x where x.job = request.job"
		   "  and x.schedule = request.schedule))"
		   " and id not in (select parent from request where finished is null and parent is not null)"
		   " and (backfill is null or backfill not in"
		   "  (select backfill from request where finished is null and backfill is not null))");

	q_int(q, 1, p->from);
	q_int(q, 2, p->to);
	q_int(q, 3, p->before);
	if (q_run(q, e))
		return -1;
	p->n = db_changes(d);
	return 0;
}

int request_prune(struct db *d, int64_t before, int64_t *from, int64_t *n, struct err *e)
{
	struct prune p = {.before = before, .from = *from};
	bool any = false;
	struct q *q;
	int rc;

	*n = 0;
	if (!db_has_set(d, DB_SET_TIME))
		return 0;
	q = db_query(d, "select max(id), min(created) from"
	                " (select id, created from request where id > ?1 order by id limit ?2)");
	q_int(q, 1, *from);
	q_int(q, 2, REQUEST_PRUNE_STEP);
	rc = q_step(q, e);
	if (rc == 1) {
		p.to = q_col_int(q, 0);
		any = !q_col_is_null(q, 0) && q_col_int(q, 1) < before;
	}
	q_done(q);
	if (rc < 0 || (any && in_transaction(d, prune, &p, e)))
		return -1;
	*n = p.n;
	*from = p.to;
	return any;
}

int request_age(struct db *d, int64_t *now_ms, struct err *e)
{
	struct q *q;
	int rc = 0;

	*now_ms = clock_now_ms();
	if (!db_has_set(d, DB_SET_TIME))
		return 0;
	q = db_query(d, "select created from request order by id desc limit 1");
	rc = q_step(q, e);
	if (rc == 1)
		*now_ms = MIN(*now_ms, q_col_int(q, 0));
	q_done(q);
	return rc < 0 ? -1 : 0;
}

static int wake(struct db *d, void *ptr, struct err *e)
{
	const struct str *job = ptr;
	struct q *q = db_query(d, "update request set state = ?2, held = null where state = ?3 and finished is null and"
	                          " coalesce(held, 'input') = 'input' and (?1 is null or job = ?1)");

	q_text(q, 1, *job);
	q_cstr(q, 2, state_word(STATE_QUEUED));
	q_cstr(q, 3, state_word(STATE_WAITING));
	return q_run(q, e);
}

int request_wake(struct db *d, struct str job, struct err *e)
{
	return in_transaction(d, wake, &job, e);
}

int request_jobs(struct db *d, struct arena *a, struct str batch, const char *state, struct str **out, size_t *n,
                 struct err *e)
{
	VEC(struct str) v = {0};
	struct q *q = db_query(d, "select distinct job from request where batch = ? and state = ? and job is not null");
	int rc;

	q_text(q, 1, batch);
	q_cstr(q, 2, state);
	while ((rc = q_step(q, e)) == 1)
		vec_push(a, &v, arena_str(a, q_col_text(q, 0)));
	q_done(q);
	*out = v.p;
	*n = v.n;
	return rc;
}

/* What its unit came to, if that was recorded: it is over, whatever became of its runner then. 1, 0, -1. */
static int settled(struct db *d, struct arena *a, const struct request *r, enum state *out, const char **why,
                   struct err *e)
{
	struct q *q =
		db_query(d, "select state, error from unit where global_id = ?1 and job = ?2 and ds = ?3"
	                    " and finished is not null order by id desc limit 1");
	int got;

	q_text(q, 1, r->event);
	q_text(q, 2, r->job);
	q_text(q, 3, r->ds);
	got = q_step(q, e);
	if (got == 1) {
		*out = state_of_word(q_col_text(q, 0));
		*why = q_col_is_null(q, 1) ? NULL : arena_cstr(a, q_col_text(q, 1));
	}
	q_done(q);
	return got == 1 ? *out != STATE_LOST && *out != STATE_CANCELLED && *out != STATE_COUNT : got;
}

/* Somebody has asked to end what the dead one had of it. 1, 0, -1. */
static int is_stopped(struct db *d, const struct request *r, struct err *e)
{
	struct q *q;
	int got;

	if (!r->run.p)
		return 0;
	q = db_query(d, "select 1 from stop where run = ?1 and (ds is null or ds = ?2)");
	q_text(q, 1, r->run);
	q_text(q, 2, r->ds);
	got = q_step(q, e);
	q_done(q);
	return got;
}

/* It was given to a runner that its daemon did not live to start: it has not been tried. */
static int take_off_try(struct db *d, struct request *r, struct err *e)
{
	struct q *q = db_query(d, "update request set tries = max(tries - 1, 0) where id = ?");

	r->tries = MAX(r->tries - 1, 0);
	q_int(q, 1, r->id);
	return q_run(q, e);
}

/* It was made with its runner, which counts from its run on, and dead before. */
static int count_try(struct db *d, struct request *r, struct err *e)
{
	struct q *q = db_query(d, "update request set tries = 1 where id = ?");

	r->tries = 1;
	q_int(q, 1, r->id);
	return q_run(q, e);
}

static int recover_one(struct db *d, struct arena *a, const struct request *r, struct err *e)
{
	enum state s = STATE_LOST;
	const char *said = NULL;
	int got = r->event.p && r->job.p ? settled(d, a, r, &s, &said, e) : 0;
	char why[96];

	if (got < 0)
		return -1;
	if (got)
		return set_state(d, r->id, s, said, e);
	got = is_stopped(d, r, e);
	if (got)
		return got < 0 ? -1 : set_state(d, r->id, STATE_CANCELLED, "cancelled", e);
	if (r->tries < REQUEST_MAX_TRIES)
		return set_state(d, r->id, STATE_QUEUED, "its runner died", e);
	snprintf(why, sizeof(why), "its runner died %lld times", (long long)r->tries);
	return set_state(d, r->id, STATE_FAILED, why, e);
}

int request_recover(struct db *d, struct str batch, bool tried, size_t *n, struct err *e)
{
	struct arena *a = arena_new();
	struct request *r;
	size_t n_all, n_lost = 0;
	int rc = request_list(d, a, state_word(STATE_RUNNING), SIZE_MAX >> 1, &r, &n_all, e);

	for (size_t i = 0; !rc && i < n_all; i++)
		if ((!batch.p || str_eq(batch, r[i].batch)) &&
		    (!r[i].boot.p || !lease_alive(r[i].boot, r[i].pid, r[i].pid_start)))
			r[n_lost++] = r[i];
	*n = n_lost;
	if (!rc && n_lost) {
		rc = db_begin_durable(d, DB_PROCESS, e);
		for (size_t i = 0; !rc && i < n_lost; i++)
			rc = (!tried && !r[i].boot.p && take_off_try(d, &r[i], e)) ||
			                     (tried && !r[i].tries && count_try(d, &r[i], e)) ||
			                     recover_one(d, a, &r[i], e)
			             ? -1
			             : 0;
		if (rc && db_in_write(d))
			db_rollback(d);
		else if (!rc)
			rc = db_commit(d, e);
	}
	arena_free(a);
	return rc;
}

/* By the index of its job: of those that run there may be tens of thousands, and each of them begins and ends. */
#define OF_RUN                                                                                                         \
	"job = (select job from run where id = ?1) and run = ?1 and finished is null and +state = 'running'"

int request_begun(struct db *d, const char *batch, struct str job, const char *run, struct err *e)
{
	struct q *q;

	if (!db_has_set(d, DB_SET_TIME))
		return 0;
	q = db_query(d, "update request set run = ?3, started = coalesce(started, ?4), tries = max(tries, 1)"
	                " where batch = ?1 and job = ?2 and"
	                " finished is null and state = 'running'");
	q_cstr(q, 1, batch);
	q_text(q, 2, job);
	q_cstr(q, 3, run);
	q_int(q, 4, clock_now_ms());
	return q_run(q, e);
}

int request_says(struct db *d, const char *run, struct str why, struct err *e)
{
	struct q *q;

	if (!db_has_set(d, DB_SET_TIME))
		return 0;
	q = db_query(d, "update request set reason = ?2 where " OF_RUN);
	q_cstr(q, 1, run);
	q_text(q, 2, why);
	return q_run(q, e);
}

int request_ended(struct db *d, const char *run, const char *state, struct str why, struct err *e)
{
	struct q *q;

	if (!db_has_set(d, DB_SET_TIME))
		return 0;
	q = db_query(d, "update request set state = coalesce((select u.state from unit u where u.run = ?1 and u.ds ="
	                " request.ds and u.finished is not null order by u.id desc limit 1), ?2), reason = coalesce(?3,"
	                " (select u.error from unit u where u.run = ?1 and u.ds = request.ds and u.finished is not null"
	                " order by u.id desc limit 1)), finished = ?4 where " OF_RUN);
	q_cstr(q, 1, run);
	q_cstr(q, 2, state);
	q_text(q, 3, why);
	q_int(q, 4, clock_now_ms());
	return q_run(q, e);
}
