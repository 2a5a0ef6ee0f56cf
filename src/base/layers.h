/*
 * base/layers.h: where the nodes of a directed graph stand when it is drawn downwards: each below all that lead to it,
 * in an order with few crossings, near to what it is joined with. For `leat graph`; knows nothing of what is drawn.
 *
 * An edge that passes layers goes through nodes of width 1 that stand for it there; edges of one node share them.
 */
#ifndef LEAT_BASE_LAYERS_H
#define LEAT_BASE_LAYERS_H

#include "base/arena.h"

#define LAYERS_MAX_NODES 5000 /* with those that edges pass through */

struct layers_edge {
	size_t from, to;
};

struct layers_node {
	int width;
	int layer, x;   /* from 0; the middle */
	bool passes;    /* stands for an edge that goes on */
	size_t place;   /* in its layer */
	size_t *up, *down; /* nodes of the layer above and below that it is joined with */
	size_t n_up, n_down;
};

struct layers {
	struct layers_node *nodes; /* those that were given, then those that edges pass through */
	size_t n;
	struct layer {
		size_t *nodes; /* from left to right */
		size_t n;
	} *layers;
	size_t n_layers;
	int width;
};

/*
 * `gap` stays free between two nodes of a layer. The graph has no cycle. false: more nodes than LAYERS_MAX_NODES.
 */
must_check bool layers_place(struct arena *a, const int *widths, size_t n, const struct layers_edge *edges,
                             size_t n_edges, int gap, struct layers **out);

#endif
