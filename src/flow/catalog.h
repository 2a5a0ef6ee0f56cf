/*
 * flow/catalog.h: the rest of the catalog (reads.h), for planning: what the partitions at the heads were made from,
 * which ones a
 * plan will make, how CSV and JSON tables are read.
 */
#ifndef LEAT_FLOW_CATALOG_H
#define LEAT_FLOW_CATALOG_H

#include "flow/graph.h"
#include "flow/partset.h"
#include "flow/plan.h"

/* From now on a repo without partitions has the kind of partition that the job has which makes it. */
void catalog_graph(struct catalog *c, const struct graph *g);
struct store *catalog_store(const struct catalog *c);

/* Row of table `current`. */
struct current {
	char label[24];
	struct sha key, tree;
	int64_t unit;
	bool own;        /* written down for the heads that are read; on a workspace branch not what is master's */
	struct str note; /* parameters that were given by hand: "min_speed was 25 by hand"; "" = none */
};
/* Of one repo, by label. Nothing for a repo that is not there. */
must_check int catalog_currents(struct catalog *c, struct str repo, const struct current **out, size_t *n,
                                struct err *e);
/* 1 there is one, 0, -1 */
must_check int catalog_current(struct catalog *c, struct str repo, const char *label, const struct current **out,
                               struct err *e);
/* The last execution of a unit. */
struct last_try {
	const char *state, *error; /* its word; the sentence it failed with, NULL */
	struct sha key;            /* zero: it came to none */
};
bool catalog_has_failed(const struct last_try *t); /* NULL: no */
/* NULL if it was never tried. A statement each: for those that are to run. */
must_check int catalog_last_try(struct catalog *c, struct str job, const char *label, const struct last_try **out,
                                struct err *e);
/* While a plan is made they may be read together (tries.h). */
void catalog_tries(struct catalog *c, bool together);
/* Reads those of all repos in one go: for plans of everything. */
must_check int catalog_load_currents(struct catalog *c, struct err *e);

/* What the head itself shows, without what is laid over or planned: 1, 0, -1. ds NONE: the root. */
must_check int catalog_at_head(struct catalog *c, struct str repo, const struct ds *ds, struct entry *out,
                               struct err *e);

/* A unit of a plan will make this; tree NULL: not known what. */
must_check int catalog_plan(struct catalog *c, struct plan_unit *u, const struct entry *tree, struct err *e);
/* It turned out that it does not: the head counts again. */
must_check int catalog_unplan(struct catalog *c, const struct plan_unit *u, struct err *e);

/*
 * Partitions of a repo at its head with all that is laid over, for finding spans. NULL: no such repo, or not
 * partitioned.
 */
must_check int catalog_parts(struct catalog *c, struct str repo, struct str rev, struct partset **out, struct err *e);

/*
 * How the text tables of a repo are read: hash of the remembered format (table_format) and of what leat.yaml says of
 * the table that
 * counts; zero if there is neither.
 */
must_check int catalog_format(struct catalog *c, struct str repo, struct sha *out, struct err *e);
/* A format was remembered during this command: it counts from now on (the keys of units that led to it too). */
must_check int catalog_format_learned(struct catalog *c, struct str repo, struct err *e);

/*
 * The head's bytes of this partition are not whole (blob_open said so): it must be made again. ds NONE: the whole
 * repo.
 */
void catalog_lost(struct catalog *c, struct str repo, const struct ds *ds);
bool catalog_is_lost(const struct catalog *c, struct str repo, const struct ds *ds);

/*
 * What a repo is at its head, without reading its partitions; *out NULL: it is not there. False where more counts than
 * that head: something is laid over it, planned or lost.
 */
bool catalog_bare(struct catalog *c, struct str repo, const struct catalog_repo **out);
struct partset *catalog_set(const struct catalog_repo *r); /* its partitions; never NULL */
/* The kind of partition that a repo has, or will have by the job that makes it; NONE for others. */
enum every catalog_every(struct catalog *c, struct str repo);
/*
 * The root of a repo as the catalog shows it, and the unit of a plan that makes it (then id zero: not known): false
 * if there is none.
 */
bool catalog_root(const struct catalog_repo *r, struct entry *root, struct plan_unit **by);
/*
 * What an input names: master's head, a pin, or the head at a time. As catalog_repo. What a pin does not find is 0
 * and *why.
 */
must_check int catalog_input(struct catalog *c, struct arena *a, const struct job_input *in, struct catalog_repo **out,
                             struct partset **parts, const char **why, struct err *e);

#endif
