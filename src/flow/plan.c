#include <stdlib.h>

#include "base/str.h"
#include "flow/owner.h"
#include "flow/plan_in.h"
#include "flow/settled.h"

struct want {
	struct ds ds;
	enum plan_role role;
};

/* What is wanted of one job. */
struct wants {
	VEC(struct want) v;
	struct map seen; /* label → index + 1, as a pointer; only of many */
	bool seen_made;
	size_t n_seen;   /* wants that the map has */
	bool set;        /* the set of `leat run`, found when its turn comes: what is above it may add to it */
	bool fallback;   /* ... where that is not defined, the last ended interval */
	enum plan_role set_role;
};

struct maker {
	struct flow *flow;
	struct catalog *c;
	struct arena *a;
	const struct plan_ask *ask;
	struct wants *wants; /* by index of the job */
	VEC(struct plan_unit *) units;
	VEC(struct plan_unit *) not_run;
	size_t n;
	size_t n_decided;          /* jobs that were gone through unit by unit */
	struct settled *settled;   /* NULL: all are */
	struct plan *plan;
};

#define FEW_JOBS 64 /* up to here their rows of `current` are read job by job */

#define FEW_WANTS 8 /* up to here looking through them is cheaper than a map */

/* The index + 1 of a ds among the wants of a job; 0: it is not there. */
static size_t find_want(struct maker *m, struct wants *w, const struct ds *ds)
{
	if (w->v.n <= FEW_WANTS) {
		for (size_t i = 0; i < w->v.n; i++)
			if (ds_eq(&w->v.p[i].ds, ds))
				return i + 1;
		return 0;
	}
	if (!w->seen_made) {
		map_init(&w->seen, m->a);
		w->seen_made = true;
	}
	for (; w->n_seen < w->v.n; w->n_seen++)
		map_set(&w->seen, str_of(w->v.p[w->n_seen].ds.label), (void *)(uintptr_t)(w->n_seen + 1));
	return (size_t)(uintptr_t)map_get(&w->seen, str_of(ds->label));
}

static int too_many(struct maker *m, size_t more, struct err *e)
{
	m->n += more;
	return m->n <= PLAN_MAX_UNITS ? 0
	                              : err_set(e, ERR_LIMIT, "the plan would have more than %d units", PLAN_MAX_UNITS);
}

static int want(struct maker *m, const struct job *j, const struct ds *ds, enum plan_role role, struct err *e)
{
	struct wants *w = &m->wants[j->index];
	struct want one = {.ds = *ds, .role = role};
	size_t at = find_want(m, w, ds);

	if (at) {
		/* Asked for by name is more than wanted by another. */
		if (role == ROLE_ASKED)
			w->v.p[at - 1].role = role;
		return 0;
	}
	if (too_many(m, 1, e))
		return -1;
	vec_push(m->a, &w->v, one);
	return 0;
}

/* -u: the units that make what this one reads. */
static int want_above(struct maker *m, const struct job *j, const struct ds *ds, struct err *e)
{
	for (size_t i = 0; i < j->n_inputs + j->n_after; i++) {
		const struct job_input *in = i < j->n_inputs ? &j->inputs[i] : &j->after[i - j->n_inputs];
		const struct job *p = graph_producer(m->flow->graph, in->repo);
		struct catalog_repo *have = NULL;
		struct ds *ds_of = NULL;
		size_t n = 0;
		int got;

		if (!p || p->tree || job_stays(p) || in->pin.p || in->at.p)
			continue;
		got = catalog_repo(m->c, in->repo, STR_NULL, &have, e);
		if (got < 0)
			return -1;
		if (ds->every == EVERY_NONE && p->every != EVERY_NONE && p != j) {
			m->wants[p->index].set = true;
			m->wants[p->index].set_role = ROLE_UPSTREAM;
		}
		if (reads_wanted(m->a, j, in, ds, p->every,
		                 in->order ? TABLE_FCT : workspace_table_kind(m->flow->ws, in->repo),
		                 got ? have : NULL, &ds_of, &n, e) < 0)
			return -1;
		for (size_t k = 0; k < n; k++) {
			if ((p->start.every != EVERY_NONE && ds_cmp(&ds_of[k], &p->start) < 0) ||
			    (p->end.every != EVERY_NONE && ds_cmp(&ds_of[k], &p->end) > 0))
				continue;
			if (want(m, p, &ds_of[k], ROLE_UPSTREAM, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* Downstream first, so that each job's wants are all known when its turn comes to say what it needs itself. */
static int close_above(struct maker *m, struct err *e)
{
	const struct graph *g = m->flow->graph;

	for (size_t i = g->n; i-- > 0;) {
		const struct job *j = g->order[i];
		struct wants *w = &m->wants[j->index];
		const struct graph_node *node = graph_node(g, j);

		for (size_t k = 0; w->set && k < node->n_up; k++) {
			struct wants *up = &m->wants[node->up[k]->job->index];

			if (node->up[k]->job == j || node->up[k]->job->tree ||
			    job_stays(node->up[k]->job) || up->set)
				continue;
			up->set = true;
			up->set_role = ROLE_UPSTREAM;
		}
		for (size_t k = 0; k < w->v.n; k++) { /* grows while a job reads its own past */
			struct ds ds = w->v.p[k].ds;

			if (want_above(m, j, &ds, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int want_asked(struct maker *m, struct err *e)
{
	const struct plan_ask *ask = m->ask;

	for (size_t i = 0; i < ask->n_jobs; i++) {
		const struct job *j = ask->jobs[i];
		struct wants *w = &m->wants[j->index];
		struct ds_list l = {0};

		if (plan_check_params(j, ask->params, e) < 0)
			return -1;
		if (j->tree) /* data.h */
			continue;
		if (!ask->n_ranges && j->every != EVERY_NONE) {
			struct ds last = plan_last_ended(m->flow, j);

			w->set = w->fallback = true;
			w->set_role = ROLE_STALE;
			/*
			 * Whether the set is defined does not hang on data: if it is not, what lies above is wanted
			 * for that ds.
			 */
			if (ask->upstream && plan_set(m->flow, m->c, m->a, j, &l, e) == 0 && want(m, j, &last,
			      ROLE_ASKED, e) < 0)
				return -1;
			continue;
		}
		if (plan_set_ranges(m->flow, m->c, m->a, j, ask->pairs ? &ask->ranges[i] : ask->ranges,
		                    ask->pairs ? 1 : ask->n_ranges, &l, e) < 0)
			return -1;
		for (size_t k = 0; k < l.n; k++)
			if (want(m, j, &l.p[k], ROLE_ASKED, e) < 0)
				return -1;
	}
	return 0;
}

/* The set of a job, at its turn: partitions that are planned above it are there already. */
static int want_set(struct maker *m, const struct job *j, bool *by_time, struct err *e)
{
	struct wants *w = &m->wants[j->index];
	struct ds_list l = {0};
	int got = plan_set(m->flow, m->c, m->a, j, &l, e);

	if (got < 0)
		return -1;
	*by_time = l.by_time;
	if (!got && w->fallback) {
		struct ds last = plan_last_ended(m->flow, j);

		return want(m, j, &last, ROLE_ASKED, e);
	}
	for (size_t i = 0; i < l.n; i++)
		if (want(m, j, &l.p[i], w->set_role, e) < 0)
			return -1;
	return 0;
}

static int in_time(const void *x, const void *y)
{
	const struct want *a = x, *b = y;

	return ds_cmp(&a->ds, &b->ds);
}

static void leave_out(struct maker *m, struct plan_unit *u)
{
	bool up_to_date = u->reason == REASON_UP_TO_DATE || u->reason == REASON_NOT_MEMOISED;

	if (u->role == ROLE_UPSTREAM && up_to_date)
		return;
	m->plan->n_up_to_date += up_to_date;
	m->plan->n_missing_input +=
		u->role == ROLE_ASKED && (u->reason == REASON_INPUT_MISSING || u->reason == REASON_INPUT_GONE);
	vec_push(m->a, &m->not_run, u);
}

/* 1: of this job nothing has moved since there was nothing to do; 0, -1. */
static int still_settled(struct maker *m, const struct job *j, struct err *e)
{
	const struct wants *w = &m->wants[j->index];
	struct settled_job was;

	if (!m->settled || !w->set || w->v.n || !settled_find(m->settled, j, &was) || (was.by_time && w->fallback))
		return 0;
	m->plan->n_settled += was.n;
	m->plan->n_up_to_date += was.n_up_to_date;
	return too_many(m, was.n, e) ? -1 : 1;
}

static int decide_unit(struct maker *m, const struct job *j, const struct want *w, struct plan_unit **out,
                       struct err *e)
{
	struct plan_unit *u = arena_new_of(m->a, struct plan_unit);

	u->job = j;
	u->ds = w->ds;
	u->role = w->role;
	*out = u;
	if (plan_decide(m->flow, m->c, m->a, m->ask, u, e) < 0)
		return -1;
	if (!reason_runs(u->reason)) {
		leave_out(m, u);
		return 0;
	}
	vec_push(m->a, &m->units, u);
	return catalog_plan(m->c, u, u->known ? &u->known_tree : NULL, e);
}

static int decide_job(struct maker *m, const struct job *j, struct err *e)
{
	struct wants *w = &m->wants[j->index];
	bool whole = m->settled && w->set && !w->v.n; /* what is decided here is the job's own set and nothing else */
	struct settled_job now = {0};
	struct catalog_repo *own = NULL;

	if (w->set && want_set(m, j, &now.by_time, e) < 0)
		return -1;
	if (w->v.n > 1)
		qsort(w->v.p, w->v.n, sizeof(*w->v.p), in_time);
	if (w->v.n && ++m->n_decided == FEW_JOBS && catalog_load_currents(m->c, e) < 0)
		return -1;
	if (w->v.n && (catalog_repo(m->c, j->output, STR_NULL, &own, e) < 0 ||
	               (own && own->has_commit && owner_check(j, &own->repo, &own->head.run, e))))
		return -1;
	for (; now.n < w->v.n; now.n++) {
		struct plan_unit *u;
		bool fine;

		if (decide_unit(m, j, &w->v.p[now.n], &u, e) < 0)
			return -1;
		fine = u->reason == REASON_UP_TO_DATE || u->reason == REASON_NOT_MEMOISED;
		now.n_up_to_date += fine;
		whole = whole && (fine || (u->reason == REASON_INPUT_GONE && u->role == ROLE_STALE));
	}
	if (whole && !(now.by_time && w->fallback))
		settled_keep(m->settled, j, &now);
	return 0;
}

static int decide_all(struct maker *m, struct err *e)
{
	const struct graph *g = m->flow->graph;
	int rc = 0;

	catalog_tries(m->c, true);
	for (size_t i = 0; !rc && i < g->n; i++) {
		int still = still_settled(m, g->order[i], e);

		rc = still < 0 || (!still && decide_job(m, g->order[i], e) < 0) ? -1 : 0;
	}
	catalog_tries(m->c, false);
	return rc;
}

static int param_error(struct err *e, const struct job *j, const struct dom *p)
{
	VEC(struct str) names = {0};
	struct arena *a cleanup(arena_cleanup) = arena_new();

	err_set(e, ERR_BAD_REQUEST, "job %.*s has no parameter '%.*s'", STR_ARG(j->name), STR_ARG(p->key));
	dom_each(own, j->params)
		vec_push(a, &names, own->key);
	if (!names.n)
		return err_hint(e, "it has none; add it to params: of %.*s", STR_ARG(j->file));
	return keys_hint_nearest(e, p->key, names.p, names.n);
}

int plan_check_params(const struct job *j, const struct dom *params, struct err *e)
{
	if (params)
		dom_each(p, params) {
			bool known = false;

			dom_each(own, j->params)
				known |= str_eq(own->key, p->key);
			if (!known)
				return param_error(e, j, p);
		}
	dom_each(own, j->params) {
		bool given = own->type != DOM_NULL;

		if (params)
			dom_each(p, params)
				given |= str_eq(own->key, p->key) && p->type != DOM_NULL;
		if (!given) {
			err_set(e, ERR_BAD_REQUEST, "job %.*s needs the parameter '%.*s'", STR_ARG(j->name),
			      STR_ARG(own->key));
			return err_hint(e, "give it with --param %.*s=VALUE, or a value in %.*s", STR_ARG(own->key),
			      STR_ARG(j->file));
		}
	}
	return 0;
}

/* What is stale, of jobs as they are: what a plan of it remembers, and may take from one before. */
static bool is_plain(const struct plan_ask *ask)
{
	return ask->mode == PLAN_STALE && !ask->n_ranges && !ask->upstream && !ask->again && !ask->each &&
	       !(ask->params && ask->params->n);
}

int plan_make(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan **out,
              struct err *e)
{
	struct maker m = {.flow = f, .c = c, .a = a, .ask = ask};
	const struct graph *g = f->graph;

	m.plan = arena_new_of(a, struct plan);
	m.wants = arena_array(a, struct wants, f->jobs->n);
	catalog_graph(c, g);
	if (is_plain(ask) && settled_open(f, c, a, &m.settled, e) < 0)
		return -1;
	if (ask->jobs) {
		if (want_asked(&m, e) < 0 || (ask->upstream && close_above(&m, e) < 0))
			return -1;
	} else {
		for (size_t i = 0; i < g->n; i++) {
			m.wants[g->order[i]->index].set = !g->order[i]->tree && !job_stays(g->order[i]); /* data.h */
			m.wants[g->order[i]->index].set_role = ROLE_STALE;
		}
	}
	if (decide_all(&m, e))
		return -1;
	if (m.settled)
		settled_save(m.settled);
	m.plan->units = m.units.p;
	m.plan->n_units = m.units.n;
	m.plan->not_run = m.not_run.p;
	m.plan->n_not_run = m.not_run.n;
	*out = m.plan;
	return 0;
}
