/*
 * repo/merge.h: three trees: what changed from a base to one of them is laid over the other one. For open commits and
 * for workspace branches (SEMANTICS 7). Outside of a transaction; only what differs is read.
 *
 * What counts as one thing is a path, or, with `parts`, a ds=... folder of the root with all that is in it. Where both
 * sides changed one and not to the same, that is a conflict; a file where the other side made a folder is one too.
 */
#ifndef LEAT_REPO_MERGE_H
#define LEAT_REPO_MERGE_H

#include "repo/tree.h"

enum merge_take { MERGE_NEITHER, MERGE_TREE, MERGE_ONTO };

struct merge_ask {
	struct sha base, tree, onto; /* what differs between base and tree goes over onto */
	bool parts;
	bool unite;                  /* a ds=... folder to which both only added files: all of them */
	bool whole;                  /* all that there is counts as one thing */
	enum merge_take take;        /* whose stands where both changed a thing; NEITHER: the conflicts are told */
};

struct merge {
	struct sha root;       /* not set where there are conflicts */
	struct str *conflicts; /* paths, in the arena, by name; "" with `whole` */
	size_t n_conflicts;
	size_t taken;          /* things of tree that onto did not have so; 0 where one side changed nothing at all */
	size_t kept;           /* things in conflict that were left as onto has them */
};

must_check int merge_trees(struct store *s, struct ingest *in, struct arena *a, const struct merge_ask *ask,
                           struct merge *out, struct err *e);
/* How many things (with `parts`) differ between two trees. */
must_check int merge_count(struct store *s, const struct sha *base, const struct sha *tree, size_t *out,
                           struct err *e);

#endif
