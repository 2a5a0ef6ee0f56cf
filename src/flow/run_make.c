/* Units, runs, events and publish groups of a plan, before anything happens. */
#include "base/str.h"
#include "flow/run_int.h"

static struct run_job *job_of(struct engine *g, struct map *by_name, const struct job *j)
{
	struct run_job *r = map_get(by_name, j->name);

	if (r)
		return r;
	r = &g->jobs[g->n_jobs++];
	r->job = j;
	memcpy(r->id, id_new().hex, sizeof(r->id));
	map_set(by_name, j->name, r);
	return r;
}

/* SEMANTICS 5: a pipeline's runs of one ds; else, and for the outside world, the job's own unit. */
static struct group *group_of(struct engine *g, struct map *by_key, const struct plan_unit *p)
{
	const struct job *j = p->job;
	bool chain = j->pipeline.n && !j->kind->outside_world;
	struct str name = chain ? j->pipeline : j->name;
	struct str key = arena_strf(g->arena, "%c%.*s %s", chain ? 'p' : 'j', STR_ARG(name), p->ds.label);
	struct group *gr = map_get(by_key, key);

	if (!gr) {
		gr = arena_new_of(g->arena, struct group);
		gr->key = key;
		map_set(by_key, key, gr);
		g->groups[g->n_groups++] = gr;
	}
	return gr;
}

static struct group *group_root(struct group *gr)
{
	while (gr->into)
		gr = gr->into;
	return gr;
}

/*
 * Groups that read each other in a circle (a pipeline's job reads what a job outside made of the pipeline's own) cannot
 * publish one after the other: they become one.
 */
static void groups_merge_cycles(struct engine *g)
{
	struct group *first = NULL, *last = NULL;
	size_t kept = 0, n_ordered = 0;

	for (size_t i = 0; i < g->units.n; i++)
		for (size_t k = 0; k < g->units.p[i]->n_downs; k++)
			if (g->units.p[i]->downs[k]->group != g->units.p[i]->group)
				g->units.p[i]->downs[k]->group->n_edges++;
	for (size_t i = 0; i < g->n_groups; i++)
		if (!g->groups[i]->n_edges) {
			if (last)
				last->next = g->groups[i];
			else
				first = g->groups[i];
			last = g->groups[i];
		}
	for (struct group *gr = first; gr; gr = gr->next) {
		gr->ordered = true;
		n_ordered++;
		for (size_t i = 0; i < gr->list.n; i++)
			for (size_t k = 0; k < gr->list.p[i]->n_downs; k++) {
				struct group *to = gr->list.p[i]->downs[k]->group;

				if (to != gr && !--to->n_edges) {
					last->next = to;
					last = to;
				}
			}
	}
	if (n_ordered == g->n_groups)
		return;
	for (size_t i = 0; i < g->units.n; i++)
		for (size_t k = 0; k < g->units.p[i]->n_downs; k++) {
			struct group *a = group_root(g->units.p[i]->group);
			struct group *b = group_root(g->units.p[i]->downs[k]->group);

			if (a != b && !g->units.p[i]->group->ordered && !g->units.p[i]->downs[k]->group->ordered)
				b->into = a;
		}
	for (size_t i = 0; i < g->n_groups; i++) {
		struct group *gr = g->groups[i], *to = group_root(gr);

		if (to == gr) {
			g->groups[kept++] = gr;
			continue;
		}
		for (size_t k = 0; k < gr->list.n; k++) {
			vec_push(g->arena, &to->list, gr->list.p[k]);
			gr->list.p[k]->group = to;
		}
		to->n_left += gr->n_left;
		to->steps &= gr->steps;
	}
	g->n_groups = kept;
}

static void down_of(struct run_unit *up, struct run_unit *u, bool count)
{
	if (!count)
		up->downs[up->n_downs] = u;
	up->n_downs++;
}

/* depends_on_past: an order that nothing is read by. */
static bool past_apart(const struct run_unit *u)
{
	for (size_t i = 0; u->past && i < u->p->n_upstream; i++)
		if (u->p->upstream[i] == u->past->p)
			return false;
	return u->past;
}

static int downs_make(struct engine *g, struct err *e)
{
	for (size_t i = 0; i < g->units.n; i++)
		for (size_t k = 0; k < g->units.p[i]->p->n_upstream; k++) {
			struct run_unit *up = g->units.p[i]->p->upstream[k]->own;

			if (!up)
				return err_set(e, ERR_INTERNAL, "%.*s %s waits for a unit that is not in the plan",
				               STR_ARG(g->units.p[i]->p->job->name), g->units.p[i]->p->ds.label);
			up->n_downs++;
		}
	for (size_t i = 0; i < g->units.n; i++)
		if (past_apart(g->units.p[i]))
			down_of(g->units.p[i]->past, g->units.p[i], true);
	for (size_t i = 0; i < g->units.n; i++) {
		g->units.p[i]->downs = arena_array(g->arena, struct run_unit *, g->units.p[i]->n_downs);
		g->units.p[i]->n_downs = 0;
	}
	for (size_t i = 0; i < g->units.n; i++)
		for (size_t k = 0; k < g->units.p[i]->p->n_upstream; k++) {
			struct run_unit *up = g->units.p[i]->p->upstream[k]->own;

			up->downs[up->n_downs++] = g->units.p[i];
		}
	for (size_t i = 0; i < g->units.n; i++)
		if (past_apart(g->units.p[i]))
			down_of(g->units.p[i]->past, g->units.p[i], false);
	return 0;
}

static struct id *event_of(struct engine *g, struct map *by_label, const char *label)
{
	struct id *id = map_get(by_label, str_of(label));

	if (!id) {
		id = arena_new_of(g->arena, struct id);
		*id = id_new();
		for (size_t i = 0; i < g->o->n_labels; i++)
			if (!strcmp(g->o->labels[i].label, label))
				*id = g->o->labels[i].event;
		map_set(by_label, str_of(label), id);
	}
	return id;
}

/* A unit of the plan, its run and its group. */
static void make_unit(struct engine *g, struct run_unit *u, struct plan_unit *p, struct run_job *r,
                      const struct id *event, struct group *gr)
{
	*u = (struct run_unit){.p = p, .eng = g, .run = r, .event = event, .group = gr};
	p->own = u;
	u->turn = r->n_units / (p->job->kind->many ? run_many_most(u) : 1);
	r->n_units++;
	r->n_left++;
	g->spawns |= !p->job->no_output;
	r->asked |= p->role == ROLE_ASKED;
	if (p->job->pool.n && !r->pool)
		r->pool = run_pool_of(g, p->job->pool);
	u->n_wait = p->n_upstream + 1; /* 1: the group's leases */
	if (p->job->n_inputs + p->job->n_after > p->n_upstream) /* what is not made here is there */
		u->n_good = p->job->n_inputs + p->job->n_after - p->n_upstream;
	gr->steps = (run_pass_is(u) || job_is_step(p->job)) && (!gr->list.n || gr->steps);
	vec_push(g->arena, &gr->list, u);
	gr->n_left++;
	vec_push(g->arena, &g->units, u);
}

/* Its run and its group are there, whether or not a unit is to run. The leases are held since before it was planned. */
struct group *run_make_set(struct engine *g, struct data_set *d)
{
	struct run_unit *units = arena_array(g->arena, struct run_unit, d->n_units + 1);
	struct run_job *r = &g->jobs[g->n_jobs++];
	struct group *gr = arena_new_of(g->arena, struct group);

	r->job = d->job;
	r->data = d;
	r->repo = d->repo;
	memcpy(r->id, d->run, sizeof(r->id));
	gr->key = d->job->name;
	gr->data = r;
	gr->leased = gr->told = true;
	g->groups[g->n_groups++] = gr;
	for (size_t i = 0; i < d->n_units; i++)
		make_unit(g, &units[i], d->units[i], r, &d->event, gr);
	return gr;
}

static void past_make(struct engine *g)
{
	struct map made;
	bool any = false;

	map_init(&made, g->arena);
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		if (!u->p->job->past)
			continue;
		any = true;
		map_set(&made, arena_strf(g->arena, "%s %.*s", u->p->ds.label, STR_ARG(u->p->job->name)), u);
	}
	for (size_t i = 0; any && i < g->units.n; i++)
		run_rule_past(g, &made, g->units.p[i]);
}

static int make_plan(struct engine *g, struct err *e)
{
	struct map by_name, by_key, by_label;
	size_t n = g->p->n_units;
	struct run_unit *units = arena_array(g->arena, struct run_unit, n + 1);

	map_init(&by_name, g->arena);
	map_init(&by_key, g->arena);
	map_init(&by_label, g->arena);
	g->units.p = arena_array(g->arena, struct run_unit *, n + 1);
	g->units.cap = n + 1;
	for (size_t i = 0; i < n; i++) {
		struct plan_unit *p = g->p->units[g->o->reverse ? n - 1 - i : i];

		make_unit(g, &units[i], p, job_of(g, &by_name, p->job), event_of(g, &by_label, p->ds.label),
		          group_of(g, &by_key, p));
	}
	past_make(g);
	if (downs_make(g, e))
		return -1;
	groups_merge_cycles(g);
	g->n_unleased = g->n_groups;
	return 0;
}

int run_make(struct engine *g, struct err *e)
{
	/* A data-driven job runs once in an engine. */
	size_t n_jobs = g->p->data ? g->f->jobs->n : MIN(g->p->n_units, g->f->jobs->n);
	size_t n_groups = g->p->data ? n_jobs : g->p->n_units;

	g->groups = arena_array(g->arena, struct group *, n_groups + 1);
	g->jobs = arena_array(g->arena, struct run_job, n_jobs + 1);
	g->pools = arena_array(g->arena, struct run_pool, n_jobs + 1);
	g->hungry = g->p->data;
	return g->p->data ? 0 : make_plan(g, e);
}
