/*
 * flow/graph.h: which job makes what another one reads. Made from loaded jobs, whose inputs are all known.
 */
#ifndef LEAT_FLOW_GRAPH_H
#define LEAT_FLOW_GRAPH_H

#include "flow/job.h"

struct graph_node {
	const struct job *job;
	struct graph_node **up, **down; /* whose outputs it reads; who reads its output; each once, by name */
	size_t n_up, n_down;
	size_t rank;                    /* place in the order */
};

struct graph_pipeline {
	struct str name;
	const struct job **jobs;        /* in order */
	size_t n;
};

struct graph {
	const struct jobs *jobs;
	struct graph_node *nodes;       /* nodes[job->index] */
	const struct job **order;       /* upstream first; ties by name, so that it is always the same */
	size_t n;
	struct graph_pipeline *pipelines; /* by name */
	size_t n_pipelines;
	struct map producers;           /* repo → struct job */
};

/*
 * Refused (ERR_BAD_CONFIG at a place): a cycle, naming all of it with files; two jobs with one output; an output inside
 * the name of another repo that a job reads or writes, or above it; names of repos equal but for case. A job that
 * reads its own output at its head is a cycle; at a pin, or with a window that ends before its own ds, it is not.
 */
must_check int graph_make(struct arena *a, const struct jobs *js, struct graph **out, struct err *e);

/*
 * Whether the jobs could stand together with `with` among them, each in place of one of its name if there is one: what
 * jobs_link and graph_make refuse. The jobs are numbered anew: nothing else is to be asked of `now` after this.
 */
must_check int graph_try(struct arena *a, const struct jobs *now, struct job *const *with, size_t n, struct err *e);

const struct job *graph_producer(const struct graph *g, struct str repo); /* NULL: a source */
static inline const struct graph_node *graph_node(const struct graph *g, const struct job *j)
{
	return &g->nodes[j->index];
}
/* The job and all above it (below it), upstream first. */
const struct job **graph_ancestors(const struct graph *g, struct arena *a, const struct job *j, size_t *n);
const struct job **graph_descendants(const struct graph *g, struct arena *a, const struct job *j, size_t *n);

#endif
