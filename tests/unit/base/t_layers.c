#include "base/layers.h"

#include "t.h"

#define N 60

/* Widths and edges from lower to higher numbers, by a little generator. */
static size_t graph_of(unsigned seed, size_t n, int *widths, struct layers_edge *edges)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		widths[i] = 1 + (int)(seed >> 16) % 20;
		for (size_t k = i + 1; k < n; k++) {
			seed = seed * 1103515245 + 12345;
			if ((seed >> 16) % n < 2)
				edges[m++] = (struct layers_edge){i, k};
		}
	}
	return m;
}

static bool apart(const struct layers *l, int gap)
{
	for (size_t i = 0; i < l->n_layers; i++)
		for (size_t k = 1; k < l->layers[i].n; k++) {
			const struct layers_node *a = &l->nodes[l->layers[i].nodes[k - 1]];
			const struct layers_node *b = &l->nodes[l->layers[i].nodes[k]];

			if (b->x - a->x < a->width / 2 + b->width / 2 + gap || b->place != k)
				return false;
		}
	return true;
}

static bool inside(const struct layers *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->nodes[i].x - l->nodes[i].width / 2 < 0 ||
		    l->nodes[i].x + (l->nodes[i].width + 1) / 2 > l->width)
			return false;
	return true;
}

/* Whether `to` is reached from `from` through nodes that stand for edges. */
static bool reaches(const struct layers *l, size_t from, size_t to)
{
	for (size_t i = 0; i < l->nodes[from].n_down; i++) {
		size_t next = l->nodes[from].down[i];

		if (l->nodes[next].layer != l->nodes[from].layer + 1)
			return false;
		if (next == to || (l->nodes[next].passes && reaches(l, next, to)))
			return true;
	}
	return false;
}

int main(void)
{
	struct arena *a = arena_new();
	int widths[N], wide[] = {5, 5, 5};
	static int many[LAYERS_MAX_NODES + 1];
	struct layers_edge edges[N * N], chain[] = {{0, 1}, {1, 2}}, far[] = {{0, 1}, {1, 2}, {0, 2}};
	struct layers *l, *again;
	bool down = true, free = true, in = true, same = true, led = true;

	for (unsigned seed = 1; seed <= 40; seed++) {
		size_t n = 2 + seed % (N - 2), m = graph_of(seed, n, widths, edges);

		if (!layers_place(a, widths, n, edges, m, 3, &l) || !layers_place(a, widths, n, edges, m, 3, &again))
			return 1;
		for (size_t i = 0; i < m; i++) {
			down &= l->nodes[edges[i].from].layer < l->nodes[edges[i].to].layer;
			led &= reaches(l, edges[i].from, edges[i].to);
		}
		free &= apart(l, 3);
		in &= inside(l);
		for (size_t i = 0; i < l->n; i++)
			same &= l->nodes[i].x == again->nodes[i].x && l->nodes[i].place == again->nodes[i].place;
	}
	T_OK(down, "each edge leads down");
	T_OK(led, "each edge is there, through the layers between its ends, and no other edge leads to its end");
	T_OK(free, "no two nodes of a layer are nearer than the gap");
	T_OK(in, "all stands within the width");
	T_OK(same, "the same graph is placed in the same way");
	T_OK(layers_place(a, wide, 3, chain, 2, 3, &l) && l->n_layers == 3 && l->nodes[0].x == l->nodes[2].x,
	   "a chain stands straight");
	T_OK(layers_place(a, wide, 3, far, 3, 3, &l) && l->n == 4 && l->nodes[3].passes && l->nodes[3].layer == 1,
	   "an edge over a layer has a node there");
	T_OK(layers_place(a, NULL, 0, NULL, 0, 3, &l) && l->n_layers == 0, "nothing is placed as nothing");
	T_OK(!layers_place(a, many, ARRAY_LEN(many), NULL, 0, 3, &l), "too many nodes are refused");
	arena_free(a);
	return t_done();
}
