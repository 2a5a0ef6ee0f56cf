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

static struct run_pool *pool_of(struct engine *g, struct str name)
{
	const struct dom *places;

	for (size_t i = 0; i < g->n_pools; i++)
		if (str_eq(g->pools[i].name, name))
			return &g->pools[i];
	places = workspace_setting(g->f->ws, arena_printf(g->arena, "pools.%.*s", STR_ARG(name)));
	run_pool_init(g, &g->pools[g->n_pools], name, places ? places->i : 1);
	return &g->pools[g->n_pools++];
}

/* SEMANTICS 5: a pipeline's runs of one ds; else, and for the outside world, the job's own unit. */
static struct group *group_of(struct engine *g, struct map *by_key, const struct plan_unit *p)
{
	const struct job *j = p->job;
	bool chain = j->pipeline.n && !j->kind->outside_world && !g->p->data;
	struct str name = chain ? j->pipeline : j->name;
	const char *label = g->p->data ? "" : p->ds.label; /* all units of an event end together */
	struct str key = arena_strf(g->arena, "%c%.*s %s", chain ? 'p' : 'j', STR_ARG(name), label);
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

	for (size_t i = 0; i < g->n_units; i++)
		for (size_t k = 0; k < g->units[i].n_downs; k++)
			if (g->units[i].downs[k]->group != g->units[i].group)
				g->units[i].downs[k]->group->n_edges++;
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
	for (size_t i = 0; i < g->n_units; i++)
		for (size_t k = 0; k < g->units[i].n_downs; k++) {
			struct group *a = group_root(g->units[i].group), *b = group_root(g->units[i].downs[k]->group);

			if (a != b && !g->units[i].group->ordered && !g->units[i].downs[k]->group->ordered)
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
	}
	g->n_groups = kept;
}

static int downs_make(struct engine *g, struct err *e)
{
	for (size_t i = 0; i < g->n_units; i++)
		for (size_t k = 0; k < g->units[i].p->n_upstream; k++) {
			struct run_unit *up = g->units[i].p->upstream[k]->own;

			if (!up)
				return err_set(e, ERR_INTERNAL, "%.*s %s waits for a unit that is not in the plan",
				               STR_ARG(g->units[i].p->job->name), g->units[i].p->ds.label);
			up->n_downs++;
		}
	for (size_t i = 0; i < g->n_units; i++) {
		g->units[i].downs = arena_array(g->arena, struct run_unit *, g->units[i].n_downs);
		g->units[i].n_downs = 0;
	}
	for (size_t i = 0; i < g->n_units; i++)
		for (size_t k = 0; k < g->units[i].p->n_upstream; k++) {
			struct run_unit *up = g->units[i].p->upstream[k]->own;

			up->downs[up->n_downs++] = &g->units[i];
		}
	return 0;
}

static struct id *event_of(struct engine *g, struct map *by_label, const char *label)
{
	struct id *id = map_get(by_label, str_of(label));

	if (!id) {
		id = arena_new_of(g->arena, struct id);
		*id = id_new();
		map_set(by_label, str_of(label), id);
	}
	return id;
}

/* Its run and its group are there, whether or not a unit is to run. */
static void make_data(struct engine *g, struct data_set *d, struct map *by_name, struct map *by_key)
{
	struct plan_unit any = {.job = d->job, .ds = {.every = EVERY_NONE}};
	struct run_job *r = job_of(g, by_name, d->job);

	memcpy(r->id, d->run, sizeof(r->id));
	r->repo = d->repo;
	group_of(g, by_key, &any)->data = d;
}

int run_make(struct engine *g, struct err *e)
{
	struct map by_name, by_key, by_label;
	size_t n = g->p->n_units;

	map_init(&by_name, g->arena);
	map_init(&by_key, g->arena);
	map_init(&by_label, g->arena);
	g->units = arena_array(g->arena, struct run_unit, n);
	g->groups = arena_array(g->arena, struct group *, n + 1);
	g->jobs = arena_array(g->arena, struct run_job, MIN(n, g->f->jobs->n) + 1);
	g->pools = arena_array(g->arena, struct run_pool, MIN(n, g->f->jobs->n + 1));
	g->n_units = n;
	if (g->p->data)
		make_data(g, g->p->data, &by_name, &by_key);
	for (size_t i = 0; i < n; i++) {
		struct run_unit *u = &g->units[i];

		*u = (struct run_unit){.p = g->p->units[i], .eng = g};
		u->p->own = u;
		u->run = job_of(g, &by_name, u->p->job);
		u->run->n_units++;
		u->run->n_left++;
		u->run->asked |= u->p->role == ROLE_ASKED;
		if (u->p->job->pool.n && !u->run->pool)
			u->run->pool = pool_of(g, u->p->job->pool);
		u->event = g->p->data ? &g->p->data->event : event_of(g, &by_label, u->p->ds.label);
		u->n_wait = u->p->n_upstream + 1; /* 1: the group's leases */
		u->group = group_of(g, &by_key, u->p);
		vec_push(g->arena, &u->group->list, u);
		u->group->n_left++;
	}
	if (downs_make(g, e))
		return -1;
	groups_merge_cycles(g);
	g->n_unleased = g->n_groups;
	return 0;
}
