/* What stands behind the reason of a unit: who failed, with the error; what is held, or outside of a job's bounds. */
#include "base/str.h"
#include "flow/catalog.h"
#include "flow/data.h"
#include "flow/graph.h"
#include "flow/why_in.h"

#define DEEP 100 /* jobs above one another that are looked at */

struct asking {
	struct flow *f;
	struct catalog *c;
	struct arena *a;
};

static const char *named(struct arena *a, const struct job *j, const struct ds *ds)
{
	return arena_printf(a, "%.*s%s%s", STR_ARG(j->name), *ds->label ? " " : "", ds->label);
}

static struct why_cause cause_of(const struct plan_unit *u, const char *state, const char *error, const char *text)
{
	return (struct why_cause){.job = u->job, .ds = u->ds, .state = state, .error = error, .text = text};
}

/* Made and not shown, since another one of its pipeline failed at the same ds. */
static int look_held(struct asking *q, const struct plan_unit *u, struct why_cause *out, struct err *e)
{
	const struct jobs *jobs = q->f->jobs;

	for (size_t i = 0; i < jobs->n && u->known && u->job->pipeline.n && sha_is_zero(&u->current_tree); i++) {
		const struct job *j = jobs->all[i];
		const struct last_try *t = NULL;

		if (j == u->job || !str_eq(j->pipeline, u->job->pipeline))
			continue;
		if (catalog_last_try(q->c, j->name, u->ds.label, &t, e))
			return -1;
		if (!catalog_has_failed(t))
			continue;
		*out = cause_of(u, "held", t->error,
		                arena_printf(q->a, "%s of the pipeline %.*s failed: %s", named(q->a, j, &u->ds),
		                             STR_ARG(j->pipeline), t->error ? t->error : t->state));
		out->job = j;
		return 1;
	}
	return 0;
}

static bool look_bounds(struct asking *q, const struct plan_unit *u, struct why_cause *out)
{
	const struct job *j = u->job;
	bool before = j->start.every != EVERY_NONE && *u->ds.label && ds_cmp(&u->ds, &j->start) < 0;
	bool after = j->end.every != EVERY_NONE && *u->ds.label && ds_cmp(&u->ds, &j->end) > 0;

	if ((!before && !after) || !sha_is_zero(&u->current_tree))
		return false;
	*out = cause_of(u, "outside", NULL,
	                arena_printf(q->a, "%s partition of %.*s is %s (partition: %s); only 'leat run %s' makes it",
	                             before ? "the first" : "the last", STR_ARG(j->name),
	                             before ? j->start.label : j->end.label, before ? "start" : "end",
	                             named(q->a, j, &u->ds)));
	return true;
}

static int look_input(struct asking *q, const struct plan_unit *u, const struct unit_input *in, struct plan_unit **out,
                      struct err *e)
{
	const struct job *by = q->f->graph ? graph_producer(q->f->graph, in->input->repo) : NULL;
	struct ds none = {.every = EVERY_NONE}, ds = none;

	if (in->reads.state != READS_MISSING || !by || by == u->job || in->input->pin.p)
		return 0;
	if (by->tree)
		return data_look(q->f, q->a, by, out, e) ? -1 : 1;
	if (in->reads.n_missing)
		ds = in->reads.missing[0];
	else if (by->every == u->ds.every)
		ds = u->ds;
	if (ds.every != by->every)
		return 0;
	return plan_look(q->f, q->c, q->a, by, &ds, out, e) ? -1 : 1;
}

/* Of a unit above the one that is asked about. */
static int of_upper(struct asking *q, const struct plan_unit *u, struct why_cause *out, struct err *e)
{
	const char *what = named(q->a, u->job, &u->ds);
	int r = look_held(q, u, out, e);

	if (r < 0)
		return -1;
	if (r)
		out->text = arena_printf(q->a, "%s was made and is held: %s", what, out->text);
	else if (u->reason == REASON_FAILED_BEFORE)
		*out = cause_of(u, "failed", u->detail,
		                arena_printf(q->a, "%s failed: %s", what,
		                             u->detail ? u->detail : "'leat logs' tells why"));
	else if (look_bounds(q, u, out))
		;
	else if (reason_runs(u->reason))
		*out = cause_of(u, "not-made", NULL, arena_printf(q->a, "nobody has run %s yet", what));
	else
		*out = cause_of(u, "waiting", NULL, arena_printf(q->a, "%s: %s", what, plan_say(q->a, u)));
	return 1;
}

int why_cause(struct flow *f, struct catalog *c, struct arena *a, const struct plan_unit *u, struct why_cause *out,
              struct err *e)
{
	struct asking q = {f, c, a};
	const struct plan_unit *at = u;
	int r = look_held(&q, u, out, e);

	if (r || look_bounds(&q, u, out))
		return r < 0 ? -1 : 1;
	/* down to the first job that does not itself wait for another one */
	for (int deep = 0; at->reason == REASON_INPUT_MISSING && deep < DEEP; deep++) {
		struct plan_unit *up = NULL;

		for (size_t i = 0; i < at->n_inputs && !up; i++)
			if (look_input(&q, at, &at->inputs[i], &up, e) < 0)
				return -1;
		if (!up)
			break;
		at = up;
	}
	if (at == u)
		return 0;
	if (of_upper(&q, at, out, e) < 0)
		return -1;
	if (out->job == u->job) /* it has failed itself, and so holds what it reads */
		*out = cause_of(u, "failed", out->error,
		                arena_printf(a, "its last run failed: %s; so the pipeline %.*s publishes nothing of it",
		                             out->error ? out->error : "'leat logs' tells why",
		                             STR_ARG(u->job->pipeline)));
	return 1;
}
