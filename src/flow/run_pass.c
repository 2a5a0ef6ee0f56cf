/*
 * Units for which nothing is started (job_kind.passes). They need no slot, no folder and no log; nobody can have begun
 * one and not ended it, so what they intend and how they end is one transaction, of many of them.
 */
#include "flow/run_int.h"

#include "flow/plug.h"
#include "sys/clock.h"

bool run_pass_is(const struct run_unit *u)
{
	return u->p->job->kind->passes;
}

static void pass(struct run_unit *u)
{
	run_rows_begun(u);
	u->quiet = true;
	u->has_tree = true;
	u->tree = (struct entry){.kind = ENTRY_FOLDER, .id = tree_empty_id()};
	run_unit_end(u, STATE_SUCCESS);
}

/* The first whose pool has a place; the place is given back at once. */
static int next(struct engine *g, struct run_unit **out, struct err *e)
{
	struct queue rest = {0};
	struct run_unit *u;
	int r = 0;

	while (!r && (u = queue_pop(&g->passing))) {
		r = run_pool_take(u, e);
		if (!r)
			queue_push(&rest, u);
		else
			*out = u;
	}
	if (rest.n) {
		while ((u = queue_pop(&g->passing)))
			queue_push(&rest, u);
		g->passing = rest;
	}
	return r;
}

int run_pass(struct engine *g, struct err *e)
{
	while (!g->cancelled && !g->flushing && g->passing.n && g->done.n < RUN_PASS) {
		struct run_unit *u = NULL;
		bool runs;
		int r = next(g, &u, e);

		if (r < 0)
			return -1;
		if (!r)
			return 0;
		if (run_unit_decide(u, &runs, e))
			return -1;
		if (runs)
			pass(u);
	}
	return 0;
}
