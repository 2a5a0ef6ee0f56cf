/*
 * flow/data_in.h: what the files of data-driven jobs share: how far a job is and which events are pending
 * (data_event.c), what its inputs were at one of them (data_bind.c), what is run when (data_run.c).
 */
#ifndef LEAT_FLOW_DATA_IN_H
#define LEAT_FLOW_DATA_IN_H

#include "flow/data.h"
#include "repo/refs.h"

#define DATA_HEADS INT64_MAX /* as the order of an event: as things stand now */

struct data_event {
	struct id id;
	int64_t order; /* the first of its head moves */
};
struct data_events {
	struct data_event *p;
	size_t n, cap;
};

/* --- data_event.c --- */

/* How far a job is. */
struct data_mark {
	bool there;
	int64_t taken, repo;
	struct sha rest;      /* zero: nothing was made yet, or the job was changed */
	struct str trees;
	bool failed;
};
must_check int data_mark(struct store *s, struct arena *a, const struct job *j, struct data_mark *out, struct err *e);
must_check int data_last_move(struct store *s, int64_t *out, struct err *e);
/* Events of its inputs that it has not taken; they are added to *l. */
must_check int data_events(struct flow *f, struct arena *a, const struct job *j, struct data_events *l, struct err *e);
/* Those of all jobs, in order, each once; until NULL: whatever comes after, too. */
must_check int data_pending(struct flow *f, struct arena *a, const struct job **jobs, size_t n, const struct id *until,
                            struct data_events *out, struct err *e);
/*
 * Whether the event moved an input, or was to move it and did not: *why, a sentence that names the job that failed and
 * what makes this one run.
 */
must_check int data_touches(struct flow *f, struct arena *a, const struct job *j, const struct id *event, bool *moved,
                            const char **why, struct err *e);
/* The newest event of its inputs: 1, 0 there is none, -1. */
must_check int data_newest(struct flow *f, struct arena *a, const struct job *j, struct id *out, struct err *e);

/* --- data_bind.c --- */

/* As data_unbind, but for leases of commits that others read, too: they are the process's. */
void data_unbind_beside(struct store *s, struct data_set *set, const struct data_set *const *others, size_t n);
/* Whether the heads of its inputs are there and not what its output was made from: 1, 0, -1; others: as above. */
must_check int data_behind(struct flow *f, struct arena *a, const struct job *j, const struct data_mark *m,
                           const struct data_set *const *others, size_t n, struct err *e);
/* Whether none of its inputs ever had a commit: 1, 0, -1. Then there is nothing to run, not even for no units. */
must_check int data_untouched(struct flow *f, struct arena *a, const struct job *j, struct err *e);

#endif
