#include "flow/graph.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

struct making {
	struct arena *a;
	struct graph *g;
	struct map repos;   /* every repo that a job reads or writes, in lower case → struct use of its first mention */
	struct err *e;
};

struct use {
	struct str repo;
	const struct job *job;
	const struct job_input *input; /* NULL: its output */
};

const struct job *graph_producer(const struct graph *g, struct str repo)
{
	return map_get(&g->producers, repo);
}

/* ---- names of repos ---- */

static int use_at(struct err *e, const struct use *u)
{
	if (!u->input)
		return job_at(e, u->job, u->job->output_line, u->job->output_col);
	if (u->input->found && u->job->main_file.p)
		return err_at(e, u->job->main_file.p, u->input->line, u->input->col);
	return job_at(e, u->job, u->input->line, u->input->col);
}

static const char *use_word(const struct use *u)
{
	return u->input ? "reads" : "writes";
}

static struct str folded(struct arena *a, struct str s)
{
	char *low = arena_cstr(a, s);

	for (char *p = low; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return (struct str){low, s.n};
}

static int note_use(struct making *m, struct str repo, const struct job *j, const struct job_input *in)
{
	struct str low = folded(m->a, repo);
	struct use *u = map_get(&m->repos, low), now = {repo, j, in};

	if (u && !str_eq(u->repo, repo)) {
		err_set(m->e, ERR_BAD_CONFIG,
			"the repo names %.*s and %.*s are equal but for case (job %.*s %s the other one)",
		        STR_ARG(repo), STR_ARG(u->repo), STR_ARG(u->job->name), use_word(u));
		err_hint(m->e, "write it the same everywhere");
		return use_at(m->e, &now);
	}
	if (u)
		return 0;
	u = arena_new_of(m->a, struct use);
	*u = now;
	map_set(&m->repos, low, u);
	return 0;
}

/* No repo lies inside another one: for each name, no part of it up to a '/' is a repo too. */
static int check_nesting(struct making *m)
{
	struct str key;
	void *value;

	for (size_t i = 0; map_each(&m->repos, &i, &key, &value);) {
		const struct use *inner = value, *outer;

		for (size_t n = 1; n < key.n; n++) {
			if (key.p[n] != '/' || !(outer = map_get(&m->repos, str_sub(key, 0, n))))
				continue;
			if (inner->input && outer->input)
				continue; /* two sources: the store judges them when they are made */
			err_set(m->e, ERR_BAD_CONFIG,
				"the repo %.*s would lie inside the repo %.*s, which job %.*s %s", STR_ARG(inner->repo),
			        STR_ARG(outer->repo), STR_ARG(outer->job->name), use_word(outer));
			err_hint(m->e, "a repo never lies inside another: give one of them another name");
			return use_at(m->e, inner);
		}
	}
	return 0;
}

static int add_producer(struct making *m, const struct job *j)
{
	const struct job *other = map_get(&m->g->producers, j->output);

	if (other) {
		err_set(m->e, ERR_BAD_CONFIG, "two jobs write %.*s: %.*s (%.*s) and %.*s (%.*s)", STR_ARG(j->output),
		        STR_ARG(other->name), STR_ARG(other->file), STR_ARG(j->name), STR_ARG(j->file));
		err_hint(m->e, "each job has an output of its own");
		return job_at(m->e, j, j->output_line, j->output_col);
	}
	map_set(&m->g->producers, j->output, (void *)j);
	return 0;
}

/* ---- edges ---- */

/* A pin stands still, and a window that ends before the unit's own ds reads what other units made. */
static bool depends(const struct job *j, const struct job_input *in, const struct job *producer)
{
	if ((in->pin.p && !str_is(in->pin, "master")) || in->at.p)
		return false;
	return producer != j || in->window != WINDOW_RANGE || in->hi >= 0;
}

static bool has(struct graph_node **list, size_t n, const struct graph_node *node)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == node)
			return true;
	return false;
}

static int by_job(const void *a, const void *b)
{
	const struct graph_node *x = *(struct graph_node *const *)a, *y = *(struct graph_node *const *)b;

	return x->job->index < y->job->index ? -1 : x->job->index > y->job->index;
}

static void add_edges(struct making *m, const struct job *j)
{
	struct graph_node *me = &m->g->nodes[j->index];

	me->up = arena_array(m->a, struct graph_node *, j->n_inputs + j->n_after);
	for (size_t i = 0; i < j->n_inputs + j->n_after; i++) {
		const struct job_input *in = i < j->n_inputs ? &j->inputs[i] : &j->after[i - j->n_inputs];
		const struct job *p = in->order ? jobs_get(m->g->jobs, in->name) : graph_producer(m->g, in->repo);
		struct graph_node *node = p ? &m->g->nodes[p->index] : NULL;

		if (!p || !depends(j, in, p) || has(me->up, me->n_up, node))
			continue;
		me->up[me->n_up++] = node;
		node->n_down++;
	}
	if (me->n_up)
		qsort(me->up, me->n_up, sizeof(*me->up), by_job);
}

static void add_down(struct making *m)
{
	struct graph *g = m->g;

	for (size_t i = 0; i < g->n; i++) {
		g->nodes[i].down = arena_array(m->a, struct graph_node *, g->nodes[i].n_down);
		g->nodes[i].n_down = 0;
	}
	for (size_t i = 0; i < g->n; i++) /* in order of names, so each list is too */
		for (size_t k = 0; k < g->nodes[i].n_up; k++) {
			struct graph_node *up = g->nodes[i].up[k];

			up->down[up->n_down++] = &g->nodes[i];
		}
}

/* ---- order ---- */

struct step {
	struct graph_node *node;
	size_t next;
};

static const struct job_input *input_from(const struct job *j, const struct job *producer)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		if (str_eq(j->inputs[i].repo, producer->output) && depends(j, &j->inputs[i], producer))
			return &j->inputs[i];
	for (size_t i = 0; i < j->n_after; i++)
		if (str_eq(j->after[i].name, producer->name))
			return &j->after[i];
	BUG("an edge without an input");
}

/* stack[from .. n) is the circle: each reads what the next one writes, the last one what the first writes. */
static int cycle(struct making *m, const struct step *stack, size_t from, size_t n)
{
	struct buf text cleanup(buf_free) = BUF_INIT(900);
	const struct job *first = stack[from].node->job, *second = stack[n - from > 1 ? from + 1 : from].node->job;
	struct use u = {second->output, first, input_from(first, second)};
	bool order = false;

	for (size_t i = from; i < n; i++) {
		const struct job *j = stack[i].node->job, *next = stack[i + 1 < n ? i + 1 : from].node->job;

		if (input_from(j, next)->order) {
			order = true;
			buf_addf(&text, "%s%.*s (%.*s) comes after %.*s", i > from ? ", " : "", STR_ARG(j->name),
			         STR_ARG(j->file), STR_ARG(next->name));
			continue;
		}
		buf_addf(&text, "%s%.*s (%.*s) reads %.*s", i > from ? ", " : "", STR_ARG(j->name), STR_ARG(j->file),
		         STR_ARG(next->output));
		if (n - from > 1)
			buf_addf(&text, " of %.*s", STR_ARG(next->name));
	}
	if (n - from == 1) {
		err_set(m->e, ERR_BAD_CONFIG, "a job reads its own output: %s", text.p);
		err_hint(m->e, "`window: [-1, -1]` reads the partition before its own, a pin an older state");
	} else {
		err_set(m->e, ERR_BAD_CONFIG, "jobs %s each other in a circle: %s%s", order ? "wait for" : "read",
		        text.p, buf_over(&text) ? ", ..." : "");
		err_hint(m->e, "one of these inputs has to go, or to be pinned");
	}
	return use_at(m->e, &u);
}

static int sort_from(struct making *m, struct graph_node *root, struct step *stack, uint8_t *state)
{
	struct graph *g = m->g;
	size_t n = 0, at;

	if (state[root->job->index])
		return 0;
	stack[n++] = (struct step){root, 0};
	state[root->job->index] = 1;
	while (n) {
		struct step *s = &stack[n - 1];
		struct graph_node *up;

		if (s->next == s->node->n_up) {
			state[s->node->job->index] = 2;
			s->node->rank = g->n;
			g->order[g->n++] = s->node->job;
			n--;
			continue;
		}
		up = s->node->up[s->next++];
		if (state[up->job->index] == 1) {
			for (at = n - 1; stack[at].node != up; at--)
				;
			return cycle(m, stack, at, n);
		}
		if (state[up->job->index] == 0) {
			state[up->job->index] = 1;
			stack[n++] = (struct step){up, 0};
		}
	}
	return 0;
}

static int sort(struct making *m)
{
	struct graph *g = m->g;
	size_t n = g->n;
	struct step *stack = xcalloc(n, sizeof(*stack));
	uint8_t *state = xcalloc(n, 1); /* 1: on the stack, 2: in the order */
	int r = 0;

	g->order = arena_array(m->a, const struct job *, n);
	g->n = 0;
	for (size_t i = 0; i < n && !r; i++)
		r = sort_from(m, &g->nodes[i], stack, state);
	free(stack);
	free(state);
	return r;
}

/* ---- pipelines ---- */

static int by_pipeline(const void *a, const void *b)
{
	return str_cmp(((const struct graph_pipeline *)a)->name, ((const struct graph_pipeline *)b)->name);
}

static void add_pipelines(struct making *m)
{
	struct graph *g = m->g;
	struct map known;
	VEC(struct graph_pipeline *) all = {0};

	map_init(&known, m->a);
	for (size_t i = 0; i < g->n; i++) {
		const struct job *j = g->order[i];
		struct graph_pipeline *p = j->pipeline.p ? map_get(&known, j->pipeline) : NULL;

		if (!j->pipeline.p)
			continue;
		if (!p) {
			p = arena_new_of(m->a, struct graph_pipeline);
			p->name = j->pipeline;
			map_set(&known, p->name, p);
			vec_push(m->a, &all, p);
		}
		p->n++;
	}
	g->pipelines = arena_array(m->a, struct graph_pipeline, all.n);
	g->n_pipelines = all.n;
	for (size_t i = 0; i < all.n; i++) {
		g->pipelines[i] = *all.p[i];
		g->pipelines[i].jobs = arena_array(m->a, const struct job *, all.p[i]->n);
		g->pipelines[i].n = 0;
		map_set(&known, all.p[i]->name, &g->pipelines[i]);
	}
	for (size_t i = 0; i < g->n; i++) {
		struct graph_pipeline *p = g->order[i]->pipeline.p ? map_get(&known, g->order[i]->pipeline) : NULL;

		if (p)
			p->jobs[p->n++] = g->order[i];
	}
	if (g->n_pipelines)
		qsort(g->pipelines, g->n_pipelines, sizeof(*g->pipelines), by_pipeline);
}

/* ---- all ---- */

static int collect(struct making *m)
{
	const struct jobs *js = m->g->jobs;

	for (size_t i = 0; i < js->n; i++)
		if (add_producer(m, js->all[i]) || note_use(m, js->all[i]->output, js->all[i], NULL))
			return -1;
	for (size_t i = 0; i < js->n; i++)
		for (size_t k = 0; k < js->all[i]->n_inputs; k++)
			if (note_use(m, js->all[i]->inputs[k].repo, js->all[i], &js->all[i]->inputs[k]))
				return -1;
	return check_nesting(m);
}

int graph_make(struct arena *a, const struct jobs *js, struct graph **out, struct err *e)
{
	struct graph *g = arena_new_of(a, struct graph);
	struct making m = {.a = a, .g = g, .e = e};

	g->jobs = js;
	g->n = js->n;
	g->nodes = arena_array(a, struct graph_node, js->n);
	map_init(&g->producers, a);
	map_init(&m.repos, a);
	for (size_t i = 0; i < js->n; i++)
		g->nodes[i].job = js->all[i];
	if (collect(&m))
		return -1;
	for (size_t i = 0; i < js->n; i++)
		add_edges(&m, js->all[i]);
	add_down(&m);
	if (sort(&m))
		return -1;
	add_pipelines(&m);
	*out = g;
	return 0;
}

/* All that can be reached one way, the job itself too, in the graph's order. */
static const struct job **reach(const struct graph *g, struct arena *a, const struct job *j, bool up, size_t *n)
{
	bool *seen = arena_array(a, bool, g->n);
	struct graph_node **todo = arena_array(a, struct graph_node *, g->n);
	const struct job **list;
	size_t left = 0, found = 1;

	seen[j->index] = true;
	todo[left++] = &g->nodes[j->index];
	while (left) {
		struct graph_node *node = todo[--left];
		struct graph_node **next = up ? node->up : node->down;

		for (size_t i = 0; i < (up ? node->n_up : node->n_down); i++) {
			if (seen[next[i]->job->index])
				continue;
			seen[next[i]->job->index] = true;
			found++;
			todo[left++] = next[i];
		}
	}
	list = arena_array(a, const struct job *, found);
	*n = 0;
	for (size_t i = 0; i < g->n; i++)
		if (seen[g->order[i]->index])
			list[(*n)++] = g->order[i];
	return list;
}

const struct job **graph_ancestors(const struct graph *g, struct arena *a, const struct job *j, size_t *n)
{
	return reach(g, a, j, true, n);
}

const struct job **graph_descendants(const struct graph *g, struct arena *a, const struct job *j, size_t *n)
{
	return reach(g, a, j, false, n);
}

int graph_try(struct arena *a, const struct jobs *now, struct job *const *with, size_t n, struct err *e)
{
	struct jobs then = *now;
	struct graph *g;

	then.all = arena_array(a, struct job *, now->n + n);
	then.n = 0;
	for (size_t i = 0; i < now->n; i++) {
		bool replaced = false;

		for (size_t k = 0; k < n; k++)
			replaced |= str_eq(now->all[i]->name, with[k]->name);
		if (!replaced)
			then.all[then.n++] = now->all[i];
	}
	for (size_t k = 0; k < n; k++)
		then.all[then.n++] = with[k];
	jobs_index(&then);
	for (size_t i = 0; i < then.n; i++)
		if (jobs_link(&then, then.all[i], e))
			return -1;
	return graph_make(a, &then, &g, e);
}
