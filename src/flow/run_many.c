/*
 * Units of one job that run as one piece of work: they share one slot and the kind's one statement, and are apart again
 * as soon as that is done. What then fails of them is tried with half as many, until what is at fault stands alone and
 * runs as if there had been no others.
 */
#include "flow/run_int.h"

#include <string.h>

#include "flow/plug.h"

struct many {
	struct engine *eng;
	size_t left, n;
	int64_t slot; /* of the workspace's; 0: none */
	struct run_unit **units;
	struct loop_ev *loud; /* until it is recorded that they run; NULL: it is, or they are through */
};

bool run_many_can(struct run_unit *u)
{
	struct run_job *r;

	if (!u)
		return false;
	r = u->run;
	/* Tries, limits of time, places and threads are counted per unit; a parameter by hand is of one unit. */
	if (!r->looked)
		r->together = r->job->kind->many && !r->pool && !r->job->retries && !r->job->timeout_ms &&
			      !r->job->threads && r->job->kind->many(u->eng->f, r->job, u->eng->arena, &r->many);
	r->looked = true;
	return r->together && !u->p->datum && u->with != 1 && u->attempts <= 1 && !u->checked_only && !run_params(u);
}

size_t run_many_most(const struct run_unit *u)
{
	return u->p->job->no_output ? RUN_MANY_STEPS : RUN_MANY;
}

static int64_t bytes_of(const struct run_unit *u)
{
	int64_t n = 0;

	for (size_t i = 0; i < u->p->n_inputs; i++) {
		const struct reads *r = &u->p->inputs[i].reads;

		n += r->whole ? r->root.size : 0;
		for (size_t k = 0; k < r->n_parts; k++)
			n += r->parts[k].entry.size;
	}
	return n;
}

/* Takes those that may run with `first` out of the queue of prepared ones. */
static size_t gather(struct run_unit *first, struct run_unit **out)
{
	struct engine *g = first->eng;
	size_t waiting = 1 + g->prepared.n + g->hot.n + g->cold.n, free = (size_t)(g->slots - g->used), n = 0;
	size_t most = MIN((waiting + free - 1) / free, run_many_most(first));
	int64_t bytes = bytes_of(first);
	struct queue rest = {0};
	struct run_unit *u;

	if (first->with)
		most = MIN(most, first->with);
	if (most < 2 || !first->run->job->kind->many_fit(first->run->many, first->p, first->p))
		return 0;
	out[n++] = first;
	while ((u = queue_pop(&g->prepared))) {
		int64_t more = n < most && u->run == first->run && u->with == first->with && run_many_can(u)
			? bytes_of(u) : -1;

		if (more >= 0 && bytes + more <= RUN_MANY_BYTES &&
		    first->run->job->kind->many_fit(first->run->many, first->p, u->p)) {
			bytes += more;
			out[n++] = u;
		} else {
			queue_push(&rest, u);
		}
	}
	g->prepared = rest;
	return n;
}

/* Back to where they were, in their order, before all others. */
static void put_back(struct engine *g, struct run_unit **list, size_t n)
{
	while (n) {
		struct run_unit *u = list[--n];

		u->step = STEP_PREPARED;
		u->next = g->prepared.first;
		g->prepared.first = u;
		if (!g->prepared.last)
			g->prepared.last = u;
		g->prepared.n++;
	}
}

static void apart(struct run_unit *u, size_t with)
{
	run_dir_done(u->task);
	u->task = NULL;
	u->with = with;
}

/* Makes ready what each finds; a unit for which that cannot be done says so alone. */
static size_t fill(struct run_unit **list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct task *t = run_unit_task(list[i]);
		struct err e = ERR_INIT;

		if (!run_unit_fill(t, &e)) {
			t->t.threads = 1;
			continue;
		}
		for (size_t k = 0; k <= i; k++)
			apart(list[k], 1);
		return 0;
	}
	return n;
}

/* They take longer than a moment: whoever looks is to see that they run. */
static void on_loud(struct loop_ev *ev, void *ptr)
{
	struct many *m = ptr;
	struct queue list = {0};
	struct err e = ERR_INIT;

	if (m->eng->flushing) {
		loop_timer_again(ev, RUN_QUIET_MS);
		return;
	}
	loop_close(ev);
	m->loud = NULL;
	for (size_t i = 0; i < m->n; i++) {
		struct run_unit *u = m->units[i];

		if (!u->task || u->task->many != m || !u->quiet)
			continue;
		u->quiet = false;
		queue_push(&list, u);
	}
	if (list.n && run_rows_intents(m->eng, list.first, &e))
		run_fatal(m->eng, &e);
}

bool run_many_start(struct run_unit *first)
{
	struct engine *g = first->eng;
	struct run_unit *list[RUN_MANY_STEPS];
	struct attempt *t[RUN_MANY_STEPS];
	struct err e = ERR_INIT;
	struct many *m;
	size_t n;

	if (!run_many_can(first))
		return false;
	n = gather(first, list);
	if (n < RUN_MANY_MIN || !fill(list, n)) {
		if (n > 1)
			put_back(g, list + 1, n - 1);
		return false;
	}
	m = arena_new_of(g->arena, struct many);
	*m = (struct many){.eng = g, .left = n, .n = n, .units = arena_array(g->arena, struct run_unit *, n)};
	memcpy(m->units, list, n * sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		struct run_unit *u = list[i];

		u->task->many = m;
		u->task->started = true;
		t[i] = &u->task->t;
	}
	g->used++;
	m->slot = run_slot_have(g);
	if (first->run->job->kind->start_many(first->run->many, t, n, &e)) {
		g->used--;
		run_slot_give(g, &m->slot);
		for (size_t i = 0; i < n; i++) {
			g->learned += t[i]->learned;
			apart(list[i], 1);
		}
		put_back(g, list + 1, n - 1);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		g->learned += t[i]->learned;
		if (!list[i]->said)
			run_event(g, RUN_UNIT_STARTED, list[i], plan_say(list[i]->arena, list[i]->p), NULL, 0);
		list[i]->said = true;
	}
	if (first->quiet && m->left)
		m->loud = loop_timer(g->loop, RUN_QUIET_MS, on_loud, m);
	return true;
}

void run_many_done(struct task *t, const struct attempt_result *r)
{
	struct run_unit *u = t->u;
	struct engine *g = u->eng;
	struct many *m = t->many;

	t->result = *r;
	t->many = NULL;
	if (r->state == ATTEMPT_APART && (g->cancelled || t->t.cancelled))
		t->result.state = ATTEMPT_CANCELLED;
	if (r->state == ATTEMPT_CANCELLED && !g->cancelled && !u->stopped && !t->t.timed_out) {
		t->result.state = ATTEMPT_APART; /* another one of them was meant */
		t->result.alone = true;
	}
	if (t->result.state == ATTEMPT_APART) {
		t->started = false;
		loop_close(t->grace);
		t->grace = NULL;
		apart(u, t->result.alone ? 1 : r->with / 2);
		u->step = STEP_PREPARED;
		queue_push(&g->prepared, u);
	} else {
		queue_push(&g->arrived, u);
	}
	if (--m->left)
		return;
	loop_close(m->loud);
	m->loud = NULL;
	g->used--;
	run_slot_give(g, &m->slot);
	run_wake(g);
}

void run_many_arrive(struct engine *g)
{
	while (g->arrived.n && g->used < g->slots) {
		struct run_unit *u = queue_pop(&g->arrived);
		struct attempt_result r = u->task->result;

		u->in_slot = true;
		g->used++;
		attempt_done(&u->task->t, &r);
	}
}
