/*
 * api/ahead.h: a plan made before it was asked for, by who waits for a moment that is known. It is taken only where
 * nothing has been committed meanwhile that plans are made from; what it decides is decided again as each unit starts.
 */
#ifndef LEAT_API_AHEAD_H
#define LEAT_API_AHEAD_H

#include "api/ask.h"

struct ahead {
	struct asking q;     /* what it was made for */
	struct catalog *c;
	struct plan *plan;   /* NULL: there is none */
	struct store_marks {
		int64_t moves, units, events, repos, pauses, sweeps;
	} marks;             /* of the store as it was before */
	int64_t looked, looked_ms; /* as in struct run_opts */
};

/* Those slots of all jobs that are due next; it never fails, it only may make nothing. */
void ahead_make(struct api *api, struct ahead *x);
/* Whether it is a plan of just that, and would be the same now. */
bool ahead_holds(struct api *api, const struct ahead *x, const struct asking *q);

#endif
