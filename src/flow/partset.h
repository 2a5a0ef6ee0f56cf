/*
 * flow/partset.h: the partitions of one repo in order of time, with their intervals, for finding those of a span
 * quickly.
 *
 * Invariants: all labels are of one kind (mixed sets say so in .other); starts ascend; a slice (pointer into .p and
 * .by)
 * stays readable for as long as the arena, also when partitions are added later. Times are UTC seconds.
 */
#ifndef LEAT_FLOW_PARTSET_H
#define LEAT_FLOW_PARTSET_H

#include "base/ds.h"
#include "repo/tree.h"

struct plan_unit;

struct partset {
	struct arena *arena;
	struct part *p;
	struct plan_unit **by;  /* which unit of a plan makes it; NULL where none is asked for; as long as p */
	struct interval *at;    /* of each, in zone tz; NULL until partset_zone */
	size_t *holes;          /* how many gaps lie before it */
	size_t n, cap;
	size_t n_by;            /* entries of .by that are set */
	bool lent;              /* slices are in use: what would shift them is done in new arrays */
	const struct tz *tz;
	enum every every;       /* NONE when empty */
	const char *other;      /* a label of another kind that is among them; NULL */
};

/* Takes over `p`. */
void partset_init(struct partset *s, struct arena *a, struct part *p, size_t n);
/* The same content in memory of its own. */
void partset_copy(struct partset *to, const struct partset *from);
/* Computes intervals in that zone (again, if it was another one). */
void partset_zone(struct partset *s, const struct tz *z);
/* Replaces or adds one partition; its place. */
size_t partset_put(struct partset *s, const char *label, const struct entry *tree, struct plan_unit *by);
void partset_del(struct partset *s, const char *label);
/* The place of a label; -1 if it is not there. */
ptrdiff_t partset_find(const struct partset *s, const char *label);
/* Partitions that lie wholly in [from, to): *first, count. partset_zone must have run. */
size_t partset_inside(const struct partset *s, int64_t from, int64_t to, size_t *first);
/* The last one that starts at or before the instant; -1. */
ptrdiff_t partset_newest(const struct partset *s, int64_t at);
/* Whether slice [first, first + n) is without gaps. */
bool partset_gapless(const struct partset *s, size_t first, size_t n);

struct ds ds_of_label(const char *label); /* of a label that is known to be right */

#endif
