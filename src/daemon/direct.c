/*
 * Slots that go to the runner that is ready for them: their requests are given to it in the transaction that makes
 * them. Only where no rule could hold any of them, and none has to do with another: an order is kept, and things are
 * published together, within one runner. All else is queued, and dispatch.c looks at it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/rules.h"
#include "daemon/runner.h"
#include "flow/state.h"

/* In one look at the clock. */
struct direct {
	struct arena *a;
	bool mixed; /* they are of several instants or ds */
	int64_t slot;
	bool open; /* there is a runner for it, and nothing was asked for before */
	struct rules rules;
	struct map to; /* ds: what its requests are given as */
	struct runner_told told;
	int64_t pid, pid_start;
};

static void drop(struct daemon *d)
{
	if (d->direct)
		arena_free(d->direct->a);
	d->direct = NULL;
}

static bool is_plain(const void *ptr, const struct job *j)
{
	const struct daemon *d = ptr;
	const struct graph_node *node = graph_node(d->flow->graph, j);

	return rules_free(&d->direct->rules, j) && !node->n_up && !node->n_down && !j->pipeline.n;
}

static int look(struct daemon *d, struct direct *x, struct err *e)
{
	struct request *list;
	size_t n;

	x->pid = standby_pid(d, &x->pid_start);
	if (!x->pid || d->n_runners >= DAEMON_RUNNERS || d->stopping)
		return 0;
	if (request_list_open(d->store->db, x->a, 1, &list, &n, e))
		return -1;
	if (n)
		return 0;
	if (request_list(d->store->db, x->a, state_word(STATE_RUNNING), DAEMON_REQUESTS, &list, &n, e) ||
	    rules_begin(&x->rules, d, x->a, list, n, e))
		return -1;
	map_init(&x->to, x->a);
	x->told.batch = id_new();
	x->open = clock_due_all(d->slots, is_plain, d);
	return 0;
}

int direct_due(void *ptr, struct request_new *r, struct err *e)
{
	struct daemon *d = ptr;
	const struct job *j = jobs_get(d->flow->jobs, r->job);
	struct direct *x = d->direct;
	struct request as = {.job = r->job};
	struct request_giving *to;

	if (!x) {
		struct arena *a = arena_new();

		x = d->direct = arena_new_of(a, struct direct);
		x->a = a;
		if (look(d, x, e))
			return -1;
	}
	if (!x->open || r->skipped || !j || !rules_free(&x->rules, j))
		return 0;
	to = map_get(&x->to, str_of(r->ds));
	if (!to) {
		to = arena_new_of(x->a, struct request_giving);
		*to = (struct request_giving){
			.batch = x->told.batch, .event = id_new(), .pid = x->pid, .pid_start = x->pid_start};
		map_set(&x->to, arena_str(x->a, str_of(r->ds)), to);
	}
	rules_starts(&x->rules, &as);
	r->to = to;
	x->told.event = to->event;
	x->told.n++;
	x->mixed |= x->to.n > 1 || (x->slot && x->slot != r->slot);
	x->slot = r->slot;
	return 0;
}

int direct_go(struct daemon *d, bool made, struct err *e)
{
	struct direct *x = d->direct;
	int rc = 0;

	if (made && x && x->told.n) {
		x->told.n = x->mixed ? 0 : x->told.n;
		rc = dispatch_given(d, &x->told, e);
	}
	drop(d);
	return rc;
}
