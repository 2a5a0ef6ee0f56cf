#include "api/graph.h"

#include "api/rows.h"
#include "base/dom.h"
#include "base/str.h"
#include "flow/input.h"
#include "sys/term.h"

#define COLUMNS 80
#define COLUMNS_MAX 200

struct viewing {
	struct api *api;
	struct arena *a;
	const struct graph *g;
	struct map picked; /* names of jobs; empty: all */
	bool all;
	struct map places; /* of repos: number of the item + 1 */
	VEC(struct graph_item) items;
	VEC(struct layers_edge) edges;
};

static size_t item_of(struct viewing *v, struct str repo, const struct job *j)
{
	struct graph_item it = {.job = j, .repo = repo};
	uintptr_t at = (uintptr_t)map_get(&v->places, repo);

	if (!at) {
		vec_push(v->a, &v->items, it);
		at = v->items.n;
		map_set(&v->places, repo, (void *)at);
	}
	return at - 1;
}

static bool shown(const struct viewing *v, const struct job *j)
{
	return v->all || map_has(&v->picked, j->name);
}

/* A version that stands still is a thing of its own. */
static struct str name_of(struct viewing *v, const struct job_input *in)
{
	if (in->pin.p)
		return arena_strf(v->a, "%.*s@%.*s", STR_ARG(in->repo), STR_ARG(in->pin));
	if (in->branch.p && !str_is(in->branch, BRANCH_DEFAULT))
		return arena_strf(v->a, "%.*s@%.*s", STR_ARG(in->repo), STR_ARG(in->branch));
	return in->repo;
}

static void add_edge(struct viewing *v, size_t from, size_t to)
{
	struct layers_edge e = {from, to};

	for (size_t i = v->edges.n; i-- && v->edges.p[i].to == to;)
		if (v->edges.p[i].from == from)
			return;
	vec_push(v->a, &v->edges, e);
}

static void add_job(struct viewing *v, const struct job *j)
{
	size_t sources[INPUT_MAX_LEAVES], n = 0, at;
	bool own = false;

	for (size_t i = 0; i < j->n_inputs && n < ARRAY_LEN(sources); i++) {
		if (j->inputs[i].cron.p)
			continue;
		if (!j->inputs[i].pin.p && str_eq(j->inputs[i].repo, j->output))
			own = true;
		else
			sources[n++] = item_of(v, name_of(v, &j->inputs[i]), NULL);
	}
	for (size_t i = 0; i < j->n_after && n < ARRAY_LEN(sources); i++)
		sources[n++] = item_of(v, j->after[i].repo, NULL);
	at = item_of(v, j->output, j);
	v->items.p[at].own = own;
	for (size_t i = 0; i < n; i++)
		add_edge(v, sources[i], at);
}

static void pick(struct viewing *v, const struct job *j)
{
	size_t n;
	const struct job **near = graph_ancestors(v->g, v->a, j, &n);

	for (size_t i = 0; i < n; i++)
		map_set(&v->picked, near[i]->name, v);
	near = graph_descendants(v->g, v->a, j, &n);
	for (size_t i = 0; i < n; i++)
		map_set(&v->picked, near[i]->name, v);
	map_set(&v->picked, j->name, v);
}

/* A job, or a repo that a job makes or reads, with all above and below it. */
static int pick_named(struct viewing *v, struct str what, struct err *e)
{
	const struct job *j = jobs_get(v->api->flow->jobs, what);
	struct repo repo;
	int got;

	if (!j)
		j = graph_producer(v->g, what);
	if (j) {
		pick(v, j);
		return 0;
	}
	for (size_t i = 0; i < v->g->n; i++)
		for (size_t k = 0; k < v->g->order[i]->n_inputs; k++)
			if (str_eq(v->g->order[i]->inputs[k].repo, what)) {
				size_t n;
				const struct job **near = graph_descendants(v->g, v->a, v->g->order[i], &n);

				map_set(&v->picked, v->g->order[i]->name, v);
				for (size_t m = 0; m < n; m++)
					map_set(&v->picked, near[m]->name, v);
			}
	if (v->picked.n)
		return 0;
	got = repo_find(v->api->store, v->a, what, &repo, e);
	if (got > 0)
		item_of(v, what, NULL);
	if (!got) {
		struct job *none;

		return jobs_find(v->api->flow->jobs, what, &none, e) ? -1 : 0;
	}
	return got < 0 ? -1 : 0;
}

static int view(struct viewing *v, struct str what, struct graph_view *out, struct err *e)
{
	VEC(struct str) alone = {0};
	struct repo *repos;
	size_t n = 0;

	v->all = !what.p;
	if (what.p && pick_named(v, what, e))
		return -1;
	for (size_t i = 0; i < v->g->n; i++)
		if (shown(v, v->g->order[i]))
			add_job(v, v->g->order[i]);
	if (v->all && repo_list(v->api->store, v->a, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (repos[i].role != REPO_SYSTEM && !map_has(&v->places, repos[i].name))
			vec_push(v->a, &alone, repos[i].name);
	for (size_t i = 0; i < v->items.n; i++)
		if (v->items.p[i].job)
			v->items.p[i].repo = job_output(v->items.p[i].job);
	*out = (struct graph_view){v->items.p, v->items.n, v->edges.p, v->edges.n, alone.p, alone.n};
	return 0;
}

/* {job, kind, output, pipeline, reads [repo]} of each job, {repo} of what no job makes */
static int rows(struct arena *a, const struct graph_view *v, struct sink *out, struct err *e)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct graph_item *it = &v->items[i];
		struct dom *doc = dom_new(a, DOM_MAP), *reads = dom_new(a, DOM_LIST);

		if (it->job) {
			dom_set_str(a, doc, "job", it->job->name);
			dom_set_str(a, doc, "kind", it->job->kind_name);
			if (it->job->pipeline.p)
				dom_set_str(a, doc, "pipeline", it->job->pipeline);
		}
		dom_set_str(a, doc, "repo", it->repo);
		for (size_t k = 0; k < v->n_edges; k++)
			if (v->edges[k].to == i)
				dom_add(reads, dom_new_str(a, v->items[v->edges[k].from].repo));
		if (it->own)
			dom_add(reads, dom_new_str(a, it->repo));
		if (it->job)
			dom_set(a, doc, "reads", reads);
		if (sink_row(out, doc, e))
			return -1;
	}
	for (size_t i = 0; i < v->n_alone; i++) {
		struct dom *doc = dom_new(a, DOM_MAP);

		dom_set_str(a, doc, "repo", v->alone[i]);
		if (sink_row(out, doc, e))
			return -1;
	}
	return 0;
}

static int columns(const struct sink *out)
{
	int n = out->people && term_is_tty(1) ? (int)term_columns(1) : COLUMNS;

	return MIN(MAX(n, COLUMNS), COLUMNS_MAX);
}

int api_graph(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct viewing v = {.api = api, .a = api->arena, .g = api->flow->graph};
	struct str format = args_value(args, "format");
	struct buf text = BUF_INIT(GRAPH_MAX_BYTES);
	struct graph_view g;
	int r = 0;

	map_init(&v.picked, v.a);
	map_init(&v.places, v.a);
	if (format.p && !str_is(format, "ascii") && !str_is(format, "svg") && !str_is(format, "dot")) {
		err_set(e, ERR_BAD_REQUEST, "there is no format '%.*s' of a graph", STR_ARG(format));
		return err_hint(e, "--format ascii, svg or dot; --json for programs");
	}
	if (view(&v, args_pos(args, 0), &g, e))
		return -1;
	if (args_flag(args, "json"))
		return rows(v.a, &g, out, e);
	if (!g.n && !g.n_alone) {
		sink_note(out, "there are no jobs and no repos yet");
		return 0;
	}
	if (str_is(format, "svg"))
		r = graph_svg(v.a, &g, &text, e);
	else if (str_is(format, "dot"))
		graph_dot(v.a, &g, &text);
	else
		graph_ascii(v.a, &g, columns(out), &text);
	if (!r && buf_over(&text))
		r = err_set(e, ERR_LIMIT, "the graph is larger than %zu MB", GRAPH_MAX_BYTES >> 20);
	if (!r)
		r = out->bytes(out->ptr, buf_str(&text), e);
	buf_free(&text);
	return r;
}
