#include "flow/clock.h"

#include <inttypes.h>

#include "base/str.h"
#include "flow/clock_in.h"

/* ---- the heap: what fires next is at its top ---- */

/* At one time in the order of their names. */
static bool before(const struct clock_entry *x, const struct clock_entry *y)
{
	return x->next != y->next ? x->next < y->next : x < y;
}

static void sift(struct clock *c, size_t i)
{
	struct clock_entry *en = c->heap[i];

	for (size_t k; (k = 2 * i + 1) < c->n; i = k) {
		if (k + 1 < c->n && before(c->heap[k + 1], c->heap[k]))
			k++;
		if (before(en, c->heap[k]))
			break;
		c->heap[i] = c->heap[k];
	}
	c->heap[i] = en;
}

void clock_sort(struct clock *c)
{
	for (size_t i = c->n / 2; i-- > 0;)
		sift(c, i);
}

/* Whether it may have slots that the clock leaves out and that are to be skipped. */
static bool skips(const struct schedule *s)
{
	for (size_t i = 0; i < s->n_instants; i++)
		if (s->instants[i].note == SLOT_SKIPPED)
			return true;
	return s->n_rules && s->rules[0].gap == SLOT_GAP_SKIP;
}

void clock_ahead(struct clock_entry *en)
{
	struct schedule_slot t;
	int64_t at = en->seen;

	en->next = CLOCK_NEVER;
	if (en->paused)
		return;
	if (schedule_next_firing(en->s, at, &t))
		en->next = t.slot.at;
	if (!skips(en->s))
		return;
	for (int n = 0; n < CLOCK_MAX_ROWS && schedule_next(en->s, at, &t) && t.slot.at < en->next; n++, at = t.slot.at)
		if (t.why == SCHEDULE_SKIPPED) {
			en->next = t.slot.at; /* it is listed when its time has come */
			return;
		}
}

/* ---- slots that are due ---- */

struct due {
	struct clock_entry *en;
	int64_t now;
	VEC(struct schedule_slot) fire;
	struct schedule_slot first, last; /* of those that do not */
	int64_t missed;                   /* how many; -1: more than were counted */
	bool more;                        /* there are others that fire, for the next time */
	struct arena *a;
};

static void miss(struct due *d, const struct schedule_slot *t)
{
	if (!d->missed++)
		d->first = *t;
	d->last = *t;
}

/* Those before `until` that do not fire; of too many only the first and the last are looked for. */
static void miss_until(struct due *d, int64_t from, int64_t until)
{
	struct schedule_slot t;
	int64_t at = from;

	for (int n = 0; schedule_next_firing(d->en->s, at, &t) && t.slot.at < until; at = t.slot.at) {
		miss(d, &t);
		if (++n < CLOCK_MAX_COUNTED)
			continue;
		if (schedule_last_firing(d->en->s, at, until - 1, &t))
			d->last = t;
		d->missed = -1;
		return;
	}
}

/* Which slots in (seen, now] fire. */
static void choose(struct due *d)
{
	const struct schedule *s = d->en->s;
	int64_t from = d->en->seen, limit = s->window == INT64_MAX ? INT64_MIN : d->now - s->window;
	struct schedule_slot newest, t;
	bool on_time;

	if (!schedule_last_firing(s, from, d->now, &newest))
		return;
	on_time = d->now - newest.slot.at <= CLOCK_ON_TIME;
	if (s->catchup != CATCHUP_ALL) {
		bool fires = on_time || (s->catchup == CATCHUP_LAST && newest.slot.at >= limit);

		miss_until(d, from, fires ? newest.slot.at : newest.slot.at + 1);
		if (fires)
			vec_push(d->a, &d->fire, newest);
		return;
	}
	if (on_time)
		limit = MIN(limit, newest.slot.at); /* also where the window is shorter than a minute */
	if (limit > from) {
		miss_until(d, from, limit);
		from = limit - 1;
	}
	while (schedule_next_firing(s, from, &t) && t.slot.at <= d->now) {
		if (d->fire.n == CLOCK_MAX_ROWS / 2) {
			d->more = true;
			return;
		}
		vec_push(d->a, &d->fire, t);
		from = t.slot.at;
	}
}

/* ---- rows ---- */

static int request(struct clock *c, const struct schedule_slot *t, const char *skipped, struct err *e)
{
	struct request_new r = {.kind = REQUEST_SCHEDULE,
	                        .job = t->of->job->name,
	                        .ds = t->ds.label,
	                        .schedule = t->of->name,
	                        .slot = t->slot.at,
	                        .due_ms = t->slot.at * 1000,
	                        .skipped = skipped};
	int64_t id;

	c->made++;
	if (c->say.due && c->say.due(c->say.ptr, &r, e))
		return -1;
	return request_add(c->store->db, &r, &id, e) < 0 ? -1 : 0;
}

/* What the clock left out and is to be skipped is listed; of long ago it is not looked for. */
static int list_skipped(struct clock *c, struct due *d, int64_t until, struct err *e)
{
	struct schedule_slot t;
	int64_t at = d->en->seen;

	if (!skips(d->en->s))
		return 0;
	for (int n = 0; n < CLOCK_MAX_ROWS && schedule_next(d->en->s, at, &t) && t.slot.at <= until; n++) {
		if (t.why == SCHEDULE_SKIPPED && request(c, &t, schedule_note(d->a, &t), e))
			return -1;
		at = t.slot.at;
	}
	return 0;
}

static int record_missed(struct clock *c, const struct due *d, struct err *e)
{
	static const char *const modes[] = {"none", "last", "all"};
	const struct schedule *s = d->en->s;
	struct q *q =
		db_query(c->store->db, "insert into schedule_missed(job, name, first, last, n, why, first_ds, last_ds,"
	                               " at) values(?, ?, ?, ?, ?, ?, ?, ?, ?)");
	struct str text;

	q_text(q, 1, s->job->name);
	q_text(q, 2, s->name);
	q_int(q, 3, d->first.slot.at);
	q_int(q, 4, d->last.slot.at);
	q_int(q, 5, MAX(d->missed, 0));
	q_cstr(q, 6,
	       s->window == INT64_MAX ? arena_printf(d->a, "catchup: %s", modes[s->catchup])
	                              : arena_printf(d->a, "catchup: %s, with a window", modes[s->catchup]));
	q_cstr(q, 7, d->first.ds.label);
	q_cstr(q, 8, d->last.ds.label);
	q_int(q, 9, d->now * 1000);
	if (q_run(q, e) || clock_missed_text(c->store, d->a, s->job, db_last_rowid(c->store->db), &text, e))
		return -1;
	clock_note(c, text.p);
	return 0;
}

static int one(struct clock *c, struct clock_entry *en, int64_t now, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct due d = {.en = en, .now = now, .a = a};
	int64_t until = now;

	choose(&d);
	if (d.more)
		until = d.fire.p[d.fire.n - 1].slot.at;
	if (list_skipped(c, &d, until, e) || (d.missed && record_missed(c, &d, e)))
		return -1;
	for (size_t i = 0; i < d.fire.n; i++)
		if (request(c, &d.fire.p[i], NULL, e))
			return -1;
	en->seen = until;
	return clock_write_seen(c, en, e);
}

static int all_due(struct clock *c, int64_t now, struct err *e)
{
	c->made = 0;
	while (c->n && c->heap[0]->next <= now && c->made < CLOCK_MAX_ROWS) {
		struct clock_entry *en = c->heap[0];

		if (one(c, en, now, e))
			return -1;
		clock_ahead(en);
		sift(c, 0);
	}
	return 0;
}

/* An earlier time by the clock: what was looked at begins anew there. Slots that fired stay fired by their rows. */
static void set_back(struct clock *c, int64_t now)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->entries[i].seen > now) {
			c->entries[i].seen = now;
			clock_ahead(&c->entries[i]);
		}
	clock_sort(c);
}

bool clock_due_all(const struct clock *c, bool (*is)(const void *ptr, const struct job *j), const void *ptr)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->entries[i].next <= c->now && !is(ptr, c->entries[i].s->job))
			return false;
	return true;
}

int clock_tick(struct clock *c, int64_t now_ms, int64_t *next_ms, struct err *e)
{
	int64_t now = floor_div(now_ms, 1000);

	if (c->stale && clock_load(c, c->flow, now_ms, e))
		return -1;
	if (clock_look_at_pauses(c, now_ms, e))
		return -1;
	if (now < c->now)
		set_back(c, now);
	c->now = now;
	if (c->n && c->heap[0]->next <= now) {
		c->stale = true; /* until it is committed: what is in memory is not what the rows say */
		if (db_begin_durable(c->store->db, DB_PROCESS, e))
			return -1;
		if (all_due(c, now, e)) {
			db_rollback(c->store->db);
			return -1;
		}
		if (db_commit(c->store->db, e))
			return -1;
		c->stale = false;
	}
	*next_ms = !c->n || c->heap[0]->next == CLOCK_NEVER ? CLOCK_NEVER : c->heap[0]->next * 1000;
	return 0;
}
