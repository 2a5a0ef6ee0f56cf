/*
 * The events of data-driven jobs, one after the other: which jobs each moves, and what those are to do about it.
 *
 * Which events are pending is asked of the rows each time: head moves of a job's inputs beyond what it has taken. So
 * nothing is lost with a process that dies, and who works beside takes none of them twice (the job's lease).
 *
 * The jobs of one event are one round: a job is looked at when all whose outputs it reads are through, so those that do
 * not wait for each other run side by side, in the slots of one engine.
 */
#include "base/str.h"
#include "flow/catalog.h"
#include "flow/data_in.h"
#include "flow/lease.h"
#include "flow/lineage.h"
#include "flow/run_int.h"
#include "flow/tick.h"
#include "sys/clock.h"
#include "sys/fault.h"

/* A job in a round. */
enum turn { TURN_NONE, TURN_OPEN, TURN_RUNS, TURN_OVER };

struct driver {
	struct flow *f;
	struct catalog *c;
	struct arena *a;
	const struct data_ask *ask;
	const struct run_opts *o;
	struct run_summary *sum;
	const struct job **jobs; /* in an order in which they can run */
	size_t n_jobs;
	struct id *tried;        /* by job: the event of its last run in this command */
	struct id own, batch;    /* the command's own event, once it is recorded */
	bool recorded;
	/* the round */
	const struct data_event *event; /* NULL: of the heads */
	enum turn *turns;        /* by job */
	bool *waited;            /* by job: it was said that another command works on it */
	struct data_set **sets;  /* those that run or ran */
	size_t n_sets;
	struct data_set *first;  /* found before there was an engine */
	struct data_feed feed;
	bool did;
	/* what is asked for because of how far the job was, which another command may have changed before the lease */
	bool may_be_taken;
	struct data_mark looked;
};

static struct db *db_of(const struct driver *d)
{
	return d->f->store->db;
}

/* --- which jobs --- */

static void add_job(struct driver *d, const struct job *j)
{
	for (size_t i = 0; i < d->n_jobs; i++)
		if (d->jobs[i] == j)
			return;
	d->jobs[d->n_jobs++] = j;
}

/* What a job writes under a name of its own would be everybody's. */
static bool is_kept_off(const struct driver *d, const struct job *j)
{
	return d->f->store->on && j->output_branch.p;
}

/* Those asked for with all above them: an input as it stood at an event is there only when that has been made. */
static void choose(struct driver *d)
{
	const struct graph *g = d->f->graph;
	bool *wanted = arena_array(d->a, bool, g->n + 1);

	d->jobs = arena_array(d->a, const struct job *, g->n + 1);
	d->tried = arena_array(d->a, struct id, g->n + 1);
	d->turns = arena_array(d->a, enum turn, g->n + 1);
	d->waited = arena_array(d->a, bool, g->n + 1);
	d->sets = arena_array(d->a, struct data_set *, g->n + 1);
	for (size_t i = 0; i < d->ask->n_jobs; i++) {
		size_t n = 0;
		const struct job **up = graph_ancestors(g, d->a, d->ask->jobs[i], &n);

		for (size_t k = 0; k < n; k++)
			wanted[up[k]->index] = true;
		wanted[d->ask->jobs[i]->index] = true;
	}
	for (size_t i = 0; i < g->n; i++)
		if (g->order[i]->tree && !job_stays(g->order[i]) && !is_kept_off(d, g->order[i]) &&
		    (!d->ask->jobs || wanted[g->order[i]->index]))
			add_job(d, g->order[i]);
}

static int refuse_kept_off(const struct driver *d, struct err *e)
{
	for (size_t i = 0; i < d->ask->n_jobs; i++) {
		const struct job *j = d->ask->jobs[i];

		if (!is_kept_off(d, j))
			continue;
		err_set(e, ERR_REFUSED,
		        "job %.*s writes the branch %.*s of its output (outputBranch), so it does not run on a"
		        " workspace branch",
		        STR_ARG(j->name), STR_ARG(j->output_branch));
		return job_at(e, j, j->output_line, j->output_col);
	}
	return 0;
}

static bool is_asked(const struct driver *d, const struct job *j)
{
	if (!d->ask->jobs)
		return true;
	for (size_t i = 0; i < d->ask->n_jobs; i++)
		if (d->ask->jobs[i] == j)
			return true;
	return false;
}

static const struct dom *params_of(const struct driver *d, const struct job *j)
{
	return d->ask->params && is_asked(d, j) ? d->ask->params : NULL;
}

/* --- the job's lease --- */

/* 1; 0: another command has it, which is said once; -1. */
static int lease_job(struct driver *d, const struct data_set *set, struct err *e)
{
	struct lease l = {.job = overlay_key(d->f->store, d->a, set->job->name), .ds = "", .run = set->run};
	struct lease_holder holder;
	bool *said = &d->waited[set->job->index];
	size_t which;
	int r;

	if (db_begin_durable(db_of(d), DB_PROCESS, e))
		return -1;
	r = lease_take(db_of(d), &l, 1, &which, &holder, e);
	if (r < 0) {
		db_rollback(db_of(d));
		return -1;
	}
	if (db_commit(db_of(d), e))
		return -1;
	if (!r && !*said && d->o->on_event) {
		struct run_event ev = {.kind = RUN_UNIT_WAITS, .job = set->job, .run_id = holder.run};

		ev.text = arena_printf(d->a, "another command works on it (run %.12s, pid %lld)", holder.run,
		                       (long long)holder.pid);
		d->o->on_event(d->o->ptr, &ev);
	}
	*said |= !r;
	return r;
}

static int release_job(struct driver *d, const struct data_set *set, struct err *e)
{
	struct lease l = {.job = overlay_key(d->f->store, d->a, set->job->name), .ds = "", .run = set->run};

	if (db_begin_durable(db_of(d), DB_PROCESS, e))
		return -1;
	if (lease_drop(db_of(d), &l, e) < 0) {
		db_rollback(db_of(d));
		return -1;
	}
	return db_commit(db_of(d), e);
}

/* --- a run --- */

static int batch_of(struct driver *d, const struct id *event, struct id *out, struct err *e)
{
	struct q *q = db_query(db_of(d), "select batch from event where id = ?");
	int r;

	q_cstr(q, 1, event->hex);
	r = q_step(q, e);
	*out = r == 1 ? id_of(q_col_text(q, 0)) : *event;
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* What is downstream of a failure is not run: it is told so, and the event is used up. */
static int record_unrunnable(struct driver *d, struct data_set *set, struct err *e)
{
	struct run_event ev = {.kind = RUN_UNIT_SKIPPED, .job = set->job, .run_id = set->run};
	struct lease l = {.job = overlay_key(d->f->store, d->a, set->job->name), .ds = "", .run = set->run};
	struct q *q;

	if (db_begin(db_of(d), e))
		return -1;
	q = db_query(db_of(d),
	             "insert into run(id, job, batch, kind, state, reason, command, created, started, finished, event,"
	             " branch) values(?, ?, ?, ?, ?, ?, ?, ?8, ?8, ?8, ?9, ?10)");
	q_cstr(q, 1, set->run);
	q_text(q, 2, set->job->name);
	q_cstr(q, 3, set->batch.hex);
	q_cstr(q, 4, d->o->kind ? d->o->kind : "run");
	q_cstr(q, 5, state_word(STATE_UPSTREAM_FAILED));
	q_cstr(q, 6, set->unrunnable);
	q_cstr(q, 7, d->o->command);
	q_int(q, 8, clock_now_ms());
	q_cstr(q, 9, set->event.hex);
	q_text(q, 10, d->f->store->on ? d->f->store->on->name : STR_NULL);
	if (lineage_ready(d->f->store, e) || q_run(q, e) || data_failed(d->f->store, set, e) ||
	    lease_drop(db_of(d), &l, e) < 0) {
		db_rollback(db_of(d));
		return -1;
	}
	if (db_commit(db_of(d), e))
		return -1;
	d->sum->not_started++;
	ev.text = arena_printf(d->a, "unrunnable: %s", set->unrunnable);
	if (d->o->on_event)
		d->o->on_event(d->o->ptr, &ev);
	return 0;
}

/* Days that were asked for and cannot be made. */
static void tell_missing(struct driver *d, const struct data_set *set)
{
	for (size_t i = 0; set->part && i < set->n_days; i++) {
		const struct data_day *day = &set->days[i];
		struct run_event ev = {.kind = RUN_UNIT_SKIPPED, .job = set->job, .ds = &day->ds, .run_id = set->run,
		                       .text = day->missing};

		if (!day->missing)
			continue;
		d->sum->missing++;
		if (d->o->on_event)
			d->o->on_event(d->o->ptr, &ev);
	}
}

static void unbind(struct driver *d, struct data_set *set)
{
	data_unbind_beside(d->f->store, set, (const struct data_set *const *)d->sets, d->n_sets);
}

/* Nothing of it is to be run. */
static int give_back(struct driver *d, struct data_set *set, struct err *e)
{
	unbind(d, set);
	return release_job(d, set, e);
}

/* With the lease held, which goes back where there is nothing to run: 1 it is to be run; 0; -1. */
static bool is_same_mark(const struct data_mark *a, const struct data_mark *b)
{
	return a->taken == b->taken && a->repo == b->repo && sha_eq(&a->rest, &b->rest) &&
	       str_eq(a->trees, b->trees) && a->failed == b->failed;
}

static int plan_leased(struct driver *d, struct data_set *set, int64_t order, struct err *e)
{
	bool heads = order == DATA_HEADS;
	const char *missing = NULL;
	struct repo repo = {0};
	struct data_mark m;
	size_t n = 0;
	int got;

	if (data_mark(d->f->store, d->a, set->job, &m, e))
		return -1;
	/* another command took it meanwhile */
	if (heads ? d->may_be_taken && !is_same_mark(&m, &d->looked) : m.taken >= order)
		return release_job(d, set, e);
	set->taken = heads ? m.taken : order;
	if (heads && !set->unrunnable && !d->ask->n_ranges && data_last_move(d->f->store, &set->taken, e))
		return -1;
	if (set->unrunnable) {
		d->did = true;
		return record_unrunnable(d, set, e);
	}
	got = repo_find(d->f->store, d->a, set->job->output, &repo, e);
	if (got < 0)
		return -1;
	if (got)
		set->repo = repo;
	got = data_bind(d->f, d->a, set, order, &missing, e);
	if (got < 0)
		return -1;
	if (!got) /* its first data will be an event */
		return give_back(d, set, e);
	d->did = true;
	if (data_days(d->f, d->a, set, d->ask->ranges, d->ask->n_ranges, e) ||
	    (set->part && is_asked(d, set->job) && data_days_only(d->f, d->a, set, d->ask->mode, e)))
		return -1;
	tell_missing(d, set);
	if (data_plan(d->f, d->a, set, params_of(d, set->job), d->ask->again && is_asked(d, set->job), e))
		return -1;
	if (set->part && !set->n_items) { /* as it is asked for, it is */
		d->sum->known += set->total;
		return give_back(d, set, e);
	}
	set->units = arena_array(d->a, struct plan_unit *, set->n_items);
	for (size_t i = 0; i < set->n_items; i++)
		if (set->items[i].run)
			set->units[n++] = set->items[i].run;
	set->n_units = n;
	return 1;
}

/* What a job is to do in a round. */
enum answer { ANSWER_NOTHING, ANSWER_RUNS, ANSWER_LATER };

/* One job at one event; order DATA_HEADS: at the heads. */
static int make_set(struct driver *d, const struct job *j, const struct id *event, int64_t order,
                    const char *unrunnable, struct data_set **out, enum answer *answer, struct err *e)
{
	struct data_set *set = arena_new_of(d->a, struct data_set);
	int r;

	*set = (struct data_set){.job = j, .event = *event, .unrunnable = unrunnable, .refused = ERR_INIT};
	memcpy(set->run, id_new().hex, sizeof(set->run));
	r = batch_of(d, event, &set->batch, e) ? -1 : lease_job(d, set, e);
	*answer = ANSWER_LATER;
	if (r <= 0)
		return r;
	d->tried[j->index] = *event;
	fault_crash("data-leased");
	r = plan_leased(d, set, order, e);
	if (r < 0) {
		struct err ignored = ERR_INIT;

		data_set_free(set);
		unbind(d, set);
		if (release_job(d, set, &ignored))
			err_clear(&ignored);
		return err_wrap(e, "%.*s", STR_ARG(j->name));
	}
	*answer = r ? ANSWER_RUNS : ANSWER_NOTHING;
	*out = set;
	return 0;
}

/* --- the jobs of an event --- */

static int look_event(struct driver *d, const struct job *j, struct data_set **out, enum answer *answer, struct err *e)
{
	const char *why;
	struct data_mark m;
	bool moved;

	*answer = ANSWER_NOTHING;
	if (data_mark(d->f->store, d->a, j, &m, e) ||
	    data_touches(d->f, d->a, j, &d->event->id, &moved, &why, e))
		return -1;
	if (!m.there || m.taken >= d->event->order || (!moved && !why))
		return 0;
	return make_set(d, j, &d->event->id, d->event->order, why, out, answer, e);
}

/* --- the heads --- */

static int record_own(struct driver *d, struct err *e)
{
	struct event ev = {.kind = d->o->kind ? d->o->kind : "run", .label = "", .command = d->o->command};

	if (d->recorded)
		return 0;
	d->recorded = true;
	if (d->ask->id) {
		d->own = *d->ask->id;
		return 0;
	}
	d->own = ev.id = id_new();
	ev.batch = d->sum->batch.hex[0] ? d->sum->batch : id_new();
	d->sum->batch = ev.batch;
	if (db_begin_durable(db_of(d), DB_PROCESS, e))
		return -1;
	if (event_record(d->f->store, &ev, e)) {
		db_rollback(db_of(d));
		return -1;
	}
	return db_commit(db_of(d), e);
}

/* An id names one commit of a repo: 1 it may be used for this output, 0, -1. */
static int id_is_free(struct driver *d, const struct job *j, const struct id *id, struct err *e)
{
	struct repo repo;
	struct commit c;
	int got = repo_find(d->f->store, d->a, j->output, &repo, e);

	if (got > 0)
		got = commit_find(d->f->store, repo.id, str_of(id->hex), &c, e);
	return got < 0 ? -1 : !got;
}

/* Whether it has made something, and the branch that it writes now has no commit: 1, 0, -1. */
static int is_unwritten(struct driver *d, const struct job *j, const struct data_mark *m, struct err *e)
{
	struct commit head;
	int r;

	if (!m->repo || sha_is_zero(&m->rest))
		return 0;
	r = branch_head(d->f->store, m->repo, data_branch(d->f->store, j), &head, e);
	return r < 0 ? -1 : !r;
}

/* Whether it would run at the heads: they are not what its output was made from, or that failed. */
static int is_behind(struct driver *d, const struct job *j, const struct data_mark *m, bool *out, struct err *e)
{
	int untouched = data_untouched(d->f, d->a, j, e), unwritten = is_unwritten(d, j, m, e), r;
	struct data_mark none = *m;

	if (untouched < 0 || unwritten < 0)
		return -1;
	if (m->failed || unwritten) /* whatever they are */
		none.trees = STR_NULL;
	r = untouched ? 0 : data_behind(d->f, d->a, j, &none, (const struct data_set *const *)d->sets, d->n_sets, e);
	if (r < 0)
		return -1;
	*out = r;
	return 0;
}

/* Whether changes stand before it that are not to be taken now: they will be, one by one, each under its own id. */
static int is_owed(struct driver *d, const struct job *j, const struct data_mark *m, bool *out, struct err *e)
{
	struct data_events l = {0};

	if (!sha_is_zero(&m->rest) && data_events(d->f, d->a, j, &l, e))
		return -1;
	*out = l.n;
	return 0;
}

/*
 * The event under which a job above it ran in this round and failed: then this one cannot run either, whether or not
 * what it reads is there. 1 and *why; 0; -1.
 */
static int failed_above(struct driver *d, const struct job *j, struct id *event, const char **why, struct err *e)
{
	*why = NULL;
	for (size_t i = 0; i < j->n_inputs && !*why; i++) {
		const struct job *by = graph_producer(d->f->graph, j->inputs[i].repo);
		bool moved;

		if (!by || !d->tried[by->index].hex[0])
			continue;
		*event = d->tried[by->index];
		if (data_touches(d->f, d->a, j, event, &moved, why, e))
			return -1;
	}
	return *why != NULL;
}

/* Under which id it runs at the heads; `id`: of the newest event of its inputs, or none. */
static int choose_id(struct driver *d, const struct job *j, const struct data_mark *m, bool again, struct id *id,
                     struct err *e)
{
	int free;
	/* Who waits for a change that a job has never seen waits for the job under that change's id. */
	bool waited = d->ask->until && !strcmp(id->hex, d->ask->until->hex);

	if (again || (sha_is_zero(&m->rest) && !waited && !m->failed)) {
		if (record_own(d, e))
			return -1;
		*id = d->own;
	}
	free = id->hex[0] ? id_is_free(d, j, id, e) : 0;
	if (free < 0 || (!free && record_own(d, e)))
		return -1;
	if (!free)
		*id = d->own;
	return 0;
}

/* New and changed jobs, and those whose last run failed. */
static int look_heads(struct driver *d, const struct job *j, struct data_set **out, enum answer *answer, struct err *e)
{
	bool behind, owed, again = d->ask->again && is_asked(d, j) && !d->tried[j->index].hex[0], moved;
	struct id id = {0};
	const char *why = NULL;
	struct data_mark m;
	int failed = d->tried[j->index].hex[0] ? 0 : failed_above(d, j, &id, &why, e), r;

	*answer = ANSWER_NOTHING;
	if (failed < 0 || data_mark(d->f->store, d->a, j, &m, e))
		return -1;
	if (failed)
		return make_set(d, j, &id, DATA_HEADS, why, out, answer, e);
	if (is_behind(d, j, &m, &behind, e) || is_owed(d, j, &m, &owed, e))
		return -1;
	if (!again && (!behind || owed || d->tried[j->index].hex[0] || (d->ask->until && m.failed)))
		return 0;
	if (data_newest(d->f, d->a, j, &id, e) < 0 || choose_id(d, j, &m, again, &id, e) ||
	    data_touches(d->f, d->a, j, &id, &moved, &why, e))
		return -1;
	d->may_be_taken = !again;
	d->looked = m;
	r = make_set(d, j, &id, DATA_HEADS, why, out, answer, e);
	d->may_be_taken = false;
	return r;
}

/* --- days --- */

static int look_days(struct driver *d, const struct job *j, struct data_set **out, enum answer *answer, struct err *e)
{
	return record_own(d, e) ? -1 : make_set(d, j, &d->own, DATA_HEADS, NULL, out, answer, e);
}

/* --- a round --- */

/* Whether all jobs of the round whose outputs it reads are through. */
static bool can_be_looked_at(const struct driver *d, const struct job *j)
{
	const struct graph_node *n = graph_node(d->f->graph, j);

	for (size_t i = 0; i < n->n_up; i++)
		if (d->turns[n->up[i]->job->index] == TURN_OPEN || d->turns[n->up[i]->job->index] == TURN_RUNS)
			return false;
	return true;
}

static int next_set(void *ptr, struct data_set **out, struct err *e)
{
	struct driver *d = ptr;

	*out = d->first;
	d->first = NULL;
	if (*out)
		return 1;
	d->feed.waits = false;
	for (size_t i = 0; i < d->n_jobs; i++) {
		const struct job *j = d->jobs[i];
		enum answer answer;

		if (d->turns[j->index] != TURN_OPEN || !can_be_looked_at(d, j))
			continue;
		if (d->ask->n_ranges ? look_days(d, j, out, &answer, e)
		    : d->event       ? look_event(d, j, out, &answer, e)
		                     : look_heads(d, j, out, &answer, e))
			return -1;
		if (answer == ANSWER_LATER) {
			d->feed.waits = true;
			continue;
		}
		d->turns[j->index] = answer == ANSWER_RUNS ? TURN_RUNS : TURN_OVER;
		if (answer == ANSWER_RUNS) {
			d->sets[d->n_sets++] = *out;
			return 1;
		}
	}
	*out = NULL;
	return 0;
}

static void set_ended(void *ptr, struct data_set *set)
{
	struct driver *d = ptr;

	d->turns[set->job->index] = TURN_OVER;
	/* What was known at no cost is no unit of the plan. */
	d->sum->known += set->total - MIN(set->total, set->n_units);
}

/* What is left of the sets of a round; those that did not end give their jobs back. */
static void round_end(struct driver *d)
{
	for (size_t i = 0; i < d->n_sets; i++) {
		struct err ignored = ERR_INIT;

		data_set_free(d->sets[i]);
		data_unbind(d->f->store, d->sets[i]);
		if (d->turns[d->sets[i]->job->index] == TURN_RUNS && release_job(d, d->sets[i], &ignored))
			err_clear(&ignored);
	}
	d->n_sets = 0;
}

/* Jobs at one event; event NULL: at the heads. */
static int take_round(struct driver *d, const struct data_event *event, const struct job *only, struct err *e)
{
	struct plan_ask ask = {.params = d->ask->params};
	struct run_summary sum = {0};
	struct plan p = {.data = &d->feed};
	int r;

	d->event = event;
	for (size_t i = 0; i < d->n_jobs; i++) {
		d->turns[d->jobs[i]->index] = only && d->jobs[i] != only ? TURN_NONE : TURN_OPEN;
		d->waited[d->jobs[i]->index] = false;
	}
	d->feed = (struct data_feed){.next = next_set, .ended = set_ended, .ptr = d};
	r = next_set(d, &d->first, e);
	if (r > 0 || (!r && d->feed.waits)) {
		r = run_plan(d->f, d->c, &p, &ask, d->o, &sum, e);
		if (!r)
			run_summary_add(d->sum, &sum);
	}
	round_end(d);
	return r < 0 ? -1 : 0;
}

/* --- all of it --- */

/* The days that were asked for, of the jobs that were, whatever they have yet to take. */
static int take_days(struct driver *d, struct err *e)
{
	for (size_t i = 0; i < d->ask->n_jobs && !d->sum->cancelled; i++) {
		const struct job *j = d->ask->jobs[i];
		const char *why = NULL;

		d->did = false;
		if (take_round(d, NULL, j, e))
			return -1;
		if (d->did)
			continue;
		if (data_waits(d->f, d->a, j, &why, e) < 0)
			return -1;
		return err_set(e, ERR_MISSING_INPUT, "job %.*s cannot run: %s", STR_ARG(j->name),
		               why ? why : "nothing is there");
	}
	return 0;
}

static int make_ticks(struct driver *d, struct err *e)
{
	struct tick_ask t = {.jobs = d->jobs, .n = d->n_jobs, .now_ms = d->f->now_ms, .command = d->o->command};

	if (d->ask->tick_now) {
		t.now = d->ask->jobs;
		t.n_now = d->ask->n_jobs;
	}
	return tick_make(d->f->store, d->a, &t, e);
}

int data_run(struct flow *f, struct catalog *c, struct arena *a, const struct data_ask *ask, const struct run_opts *o,
             struct run_summary *sum, struct err *e)
{
	struct driver d = {.f = f, .c = c, .a = a, .ask = ask, .o = o, .sum = sum};

	if (refuse_kept_off(&d, e))
		return -1;
	choose(&d);
	for (size_t i = 0; i < d.n_jobs; i++)
		if (data_see(f, a, d.jobs[i], params_of(&d, d.jobs[i]), e))
			return -1;
	if (ask->n_ranges)
		return take_days(&d, e);
	if (ask->ticks && make_ticks(&d, e))
		return -1;
	do {
		struct data_events l;

		d.did = false;
		if (data_pending(f, a, d.jobs, d.n_jobs, ask->until, &l, e))
			return -1;
		for (size_t i = 0; i < l.n && !sum->cancelled; i++)
			if (take_round(&d, &l.p[i], NULL, e))
				return -1;
		if (!d.did && !sum->cancelled && take_round(&d, NULL, NULL, e))
			return -1;
	} while (d.did && !sum->cancelled);
	return 0;
}
