/*
 * Data-driven runs, which join an engine as what they read has come to be: each is recorded, its units go into the
 * queue beside those of the others, and when its group has ended there may be more.
 */
#include "base/str.h"
#include "flow/publish.h"

#include "flow/plug.h"

/* Units of runs side by side go by turns, so that a long one does not hold up a short one. */
static void queue_units(struct engine *g, struct group *gr)
{
	size_t turn = g->cold.first ? g->cold.first->turn : 0;
	struct queue more = {0};

	for (size_t i = 0; i < gr->list.n; i++) {
		struct run_unit *u = gr->list.p[i];

		u->n_wait = 0;
		u->turn = turn + i;
		u->step = STEP_READY;
		run_rows_set_state(u, STATE_QUEUED);
		queue_push(&more, u);
	}
	queue_join(&g->cold, &more);
}

static int join(struct engine *g, struct data_set *d, struct err *e)
{
	struct group *gr = run_make_set(g, d);

	if (run_join(g, gr->data, e) || run_rows_begin_set(g, gr, e))
		return -1;
	run_join_tell(g, gr->data);
	if (!gr->list.n) /* all is known */
		return publish_alone(g, gr, e);
	queue_units(g, gr);
	return 0;
}

static void on_feed_timer(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;

	(void)ev;
	g->feed_timer = NULL;
	g->hungry = true;
	run_wake(g);
}

int run_feed(struct engine *g, struct err *e)
{
	struct data_feed *feed = g->p->data;
	struct data_set *d;
	int r;

	g->hungry = false;
	while ((r = feed->next(feed->ptr, &d, e)) == 1)
		if (join(g, d, e))
			return err_wrap(e, "%.*s", STR_ARG(d->job->name));
	if (r < 0)
		return -1;
	if (feed->waits && !g->feed_timer)
		g->feed_timer = loop_timer(g->loop, DATA_LEASE_POLL_MS, on_feed_timer, g);
	return 0;
}

bool run_feed_open(const struct engine *g)
{
	return !g->cancelled && g->p->data && (g->hungry || g->feed_timer);
}

void run_feed_ended(struct engine *g, struct group *gr)
{
	g->hungry = true;
	g->p->data->ended(g->p->data->ptr, gr->data->data);
}
