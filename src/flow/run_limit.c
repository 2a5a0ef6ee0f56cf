/*
 * How long a run may take (jobTimeout): at the end of that its units at work are ended, and those that wait do not
 * begin.
 */
#include "flow/run_int.h"

static const char *sentence(const struct run_job *r, struct arena *a)
{
	return arena_printf(a, "the run took longer than its limit of %lld ms", (long long)r->job->run_timeout_ms);
}

void run_limit_say(const struct run_unit *u, struct err *e)
{
	err_set(e, ERR_TIMEOUT, "%s", sentence(u->run, u->eng->arena));
	err_hint(e, "jobTimeout: in %.*s sets it", STR_ARG(u->p->job->file));
}

static void on_over(struct loop_ev *ev, void *ptr)
{
	struct run_unit *first = ptr;
	struct engine *g = first->eng;
	struct run_job *r = first->run;

	(void)ev;
	r->limit = NULL;
	if (r->n_left == 0 || g->cancelled)
		return;
	r->over = true;
	run_stop(r, g, NULL, sentence(r, g->arena));
}

void run_limit_begin(struct run_unit *u)
{
	if (!u->run->job->run_timeout_ms || u->run->limited)
		return;
	u->run->limited = true;
	u->run->limit = loop_timer(u->eng->loop, u->run->job->run_timeout_ms, on_over, u);
}

void run_limit_end(struct run_job *r)
{
	loop_close(r->limit);
	r->limit = NULL;
}
