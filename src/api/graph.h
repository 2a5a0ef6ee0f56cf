/*
 * api/graph.h: the jobs and repos of a workspace as a graph to draw: a node is a job with the repo that it makes, or a
 * repo that none of these jobs makes (also a version that is pinned, which no commit moves).
 */
#ifndef LEAT_API_GRAPH_H
#define LEAT_API_GRAPH_H

#include "base/buf.h"
#include "base/layers.h"
#include "flow/job.h"

#define GRAPH_MAX_BYTES ((size_t)64 << 20)

struct graph_item {
	const struct job *job; /* NULL: a repo only */
	struct str repo;       /* "trips", "trips@master.31" */
	bool own;              /* the job reads what it made before */
};

struct graph_view {
	struct graph_item *items; /* what leads to others first */
	size_t n;
	struct layers_edge *edges; /* no cycle; each once */
	size_t n_edges;
	struct str *alone;         /* repos that no job reads or makes */
	size_t n_alone;
};

/* In at most so many columns, as a list where that cannot be. */
void graph_ascii(struct arena *a, const struct graph_view *v, int columns, struct buf *out);
void graph_dot(struct arena *a, const struct graph_view *v, struct buf *out);
must_check int graph_svg(struct arena *a, const struct graph_view *v, struct buf *out, struct err *e);

#endif
