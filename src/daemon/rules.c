/* By which rule a request that could go is held: a person's word, the partition before, another run of its job. */
#include "daemon/rules.h"

#include "base/str.h"
#include "flow/lease.h"
#include "flow/state.h"
#include "flow/stop.h"

/* --- what runs --- */

static void busy_add(struct rules *x, struct str job, struct str run, int64_t backfill, bool begins)
{
	struct rules_busy *b = arena_new_of(x->a, struct rules_busy);

	*b = (struct rules_busy){.run = run, .backfill = backfill, .begins = begins, .next = map_get(&x->busy, job)};
	map_set(&x->busy, job, b);
}

void rules_starts(struct rules *x, const struct request *r)
{
	if (r->job.p)
		busy_add(x, r->job, STR_NULL, r->backfill, true);
	else
		x->data = true;
}

/* Also what a command by hand runs. */
static int busy_by_lease(struct rules *x, struct err *e)
{
	struct q *q =
		db_query(x->d->store->db, "select r.job, r.id, r.kind, l.boot, l.pid, l.pid_start from unit_lease l"
	                                  " join run r on r.id = l.run where l.ds = '@' || l.run");
	int rc;

	while ((rc = q_step(q, e)) == 1)
		if (!map_has(&x->runs, q_col_text(q, 1)) && !str_is(q_col_text(q, 2), "backfill") &&
		    lease_alive(q_col_text(q, 3), q_col_int(q, 4), q_col_int(q, 5)))
			busy_add(x, arena_str(x->a, q_col_text(q, 0)), arena_str(x->a, q_col_text(q, 1)), 0, false);
	q_done(q);
	return rc;
}

static int paused(struct rules *x, struct err *e)
{
	struct q *q = db_query(x->d->store->db, "select job from job_pause where paused is not null");
	int rc;

	while ((rc = q_step(q, e)) == 1)
		map_set(&x->paused, arena_str(x->a, q_col_text(q, 0)), x);
	q_done(q);
	return rc;
}

int rules_begin(struct rules *x, struct daemon *d, struct arena *a, const struct request *running, size_t n,
                struct err *e)
{
	*x = (struct rules){.d = d, .a = a};
	map_init(&x->busy, a);
	map_init(&x->runs, a);
	map_init(&x->paused, a);
	for (size_t i = 0; i < n; i++) {
		if (!running[i].job.p) {
			x->data = true;
			continue;
		}
		busy_add(x, running[i].job, running[i].run, running[i].backfill, false);
		if (running[i].run.p)
			map_set(&x->runs, running[i].run, x);
	}
	return paused(x, e) || busy_by_lease(x, e) ? -1 : 0;
}

/* --- overlap --- */

/* Of a run that is to go for it; asked once. */
static int stop_old(struct rules *x, struct str run, struct err *e)
{
	struct db *db = x->d->store->db;
	const char *id = arena_cstr(x->a, run);
	struct q *q;
	int there = 0;

	if (db_has_set(db, DB_SET_TIME)) {
		q = db_query(db, "select 1 from stop where run = ?");
		q_text(q, 1, run);
		there = q_step(q, e);
		q_done(q);
	}
	if (there)
		return there < 0 ? -1 : 0;
	if (db_begin_durable(db, DB_PROCESS, e))
		return -1;
	if (stop_ask(db, id, NULL, STR("a newer one (overlap: cancel-old)"), e)) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e) || stop_tell(db, id, e) < 0 ? -1 : 0;
}

/* Units of a backfill go beside those of the clock; those of one backfill together. */
static bool beside(const struct rules_busy *b, const struct request *r)
{
	return !b->backfill != !r->backfill || (b->backfill && b->backfill == r->backfill);
}

static int hold_overlap(struct rules *x, const struct job *j, const struct request *r, struct rules_held *h,
                        struct err *e)
{
	enum job_overlap how = j ? j->overlap : OVERLAP_QUEUE;
	const struct rules_busy *b = map_get(&x->busy, r->job);

	while (b && beside(b, r))
		b = b->next;
	if (!b || how == OVERLAP_ALLOW)
		return 0;
	h->rule = RULE_OVERLAP;
	h->why = b->run.p ? arena_printf(x->a, "overlap: run %.8s of the same job still runs", b->run.p)
	                  : "overlap: another of the same job goes first";
	if (!b->run.p)
		return 0;
	h->skip = how == OVERLAP_SKIP;
	for (; how == OVERLAP_CANCEL_OLD && b; b = b->next)
		if (b->run.p && !beside(b, r) && stop_old(x, b->run, e))
			return -1;
	return 0;
}

/* --- depends_on_past --- */

/* The last word on that partition: 1 and its state, 0: never run, -1; *open: it has not ended. */
static int past_state(struct rules *x, const struct request *r, const char *ds, enum state *out, bool *open,
                      struct err *e)
{
	struct db *db = x->d->store->db;
	struct q *q = db_query(db, "select state, finished is null from unit where job = ? and ds = ? order by id desc"
	                           " limit 1");
	int rc;

	q_text(q, 1, r->job);
	q_cstr(q, 2, ds);
	rc = q_step(q, e);
	if (rc == 1) {
		*out = state_of_word(q_col_text(q, 0));
		*open = q_col_int(q, 1);
	}
	q_done(q);
	if (rc < 0)
		return -1;
	q = db_query(db, "select 1 from request where job = ? and ds = ? and finished is null limit 1");
	q_text(q, 1, r->job);
	q_cstr(q, 2, ds);
	int waits = q_step(q, e);
	q_done(q);
	if (waits < 0)
		return -1;
	/* One that waits for others of its past, and was made by hand meanwhile, is done. */
	*open |= waits && !(rc && state_good(*out));
	return rc || *open;
}

/* Whether it is the first there is: none before it has run or is to. */
static int is_first(struct rules *x, const struct request *r, struct err *e)
{
	struct q *q = db_query(x->d->store->db,
	                       "select exists(select 1 from unit where job = ?1 and ds < ?2)"
	                       " or exists(select 1 from request where job = ?1 and ds < ?2 and finished is null)");
	int rc;

	q_text(q, 1, r->job);
	q_text(q, 2, r->ds);
	rc = q_step(q, e);
	if (rc == 1)
		rc = !q_col_int(q, 0);
	q_done(q);
	return rc;
}

static int hold_past(struct rules *x, const struct job *j, const struct request *r, struct rules_held *h, struct err *e)
{
	enum state s = STATE_COUNT;
	struct err ignored = ERR_INIT;
	struct ds ds, before;
	bool open = false;
	int got;

	if (!j || !j->past || !r->ds.n || ds_parse(r->ds, &ds, &ignored))
		return 0;
	before = ds_add(&ds, -1, j->tz);
	if (j->start.every && ds_cmp(&before, &j->start) < 0)
		return 0;
	got = past_state(x, r, before.label, &s, &open, e);
	if (!got)
		got = is_first(x, r, e) == 1 ? 2 : 0;
	if (got < 0)
		return -1;
	if (got == 2 || (got == 1 && !open && state_good(s)))
		return 0;
	h->rule = RULE_PAST;
	h->why = arena_printf(x->a, "depends_on_past: %s %s", before.label,
	                      !got                ? "has not run"
	                      : open              ? "has not ended"
	                      : s == STATE_COUNT  ? "has not run"
	                      : s == STATE_FAILED ? "failed"
	                                          : arena_printf(x->a, "is %s", state_word(s)));
	return 0;
}

bool rules_free(const struct rules *x, const struct job *j)
{
	return !j->approve && !j->past && !map_has(&x->busy, j->name) && !map_has(&x->paused, j->name);
}

int rules_hold(struct rules *x, const struct request *r, struct rules_held *h, struct err *e)
{
	const struct job *j = r->job.p ? jobs_get(x->d->flow->jobs, r->job) : NULL;

	*h = (struct rules_held){.rule = RULE_NONE};
	if (!r->job.p) {
		if (x->data)
			*h = (struct rules_held){.rule = RULE_OVERLAP,
			                         .why = "overlap: jobs on data take what came before"};
		return 0;
	}
	if (str_is(r->kind, "schedule") && map_has(&x->paused, r->job)) {
		h->rule = RULE_PAUSED;
		h->why = arena_printf(x->a, "paused: leat resume %.*s", STR_ARG(r->job));
		return 0;
	}
	if (j && j->approve && !r->approved.p) {
		h->rule = RULE_APPROVAL;
		h->why = arena_printf(x->a, "approval: leat approve r%lld", (long long)r->id);
		return 0;
	}
	if (hold_past(x, j, r, h, e))
		return -1;
	return h->rule ? 0 : hold_overlap(x, j, r, h, e);
}
