/*
 * flow/restore.h: before a plan is made: outputs in datastore/ that somebody edited or deleted are put back from the
 * store, without
 * a run (SEMANTICS 6); where nothing is left of the bytes, the catalog is told, so that the plan makes them again.
 * What people put into
 * source repos is only named.
 */
#ifndef LEAT_FLOW_RESTORE_H
#define LEAT_FLOW_RESTORE_H

#include "flow/catalog.h"
#include "repo/datastore.h"

struct restored {
	size_t back; /* files put back */
	size_t lost; /* files of which nothing is left: after the run that makes them again, call it once more */
};
/*
 * For the outputs of the jobs that are asked for (with -u, or without jobs: of all). Nothing that differs: nothing is
 * written.
 */
must_check int restore_outputs(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask,
                               datastore_note note, void *ptr, struct restored *out, struct err *e);
/*
 * The same beside a run (run_opts.beside): all that it is given, and *out, must outlive it. restore_end follows,
 * whatever came of it.
 */
struct restore;
struct restore *restore_begin(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask,
                              datastore_note note, void *ptr, struct restored *out);
/* Of a struct restore: looks, in a thread; with `rest` to the end. 1: there is more; 0; -1. */
must_check int restore_go_on(void *restore, bool rest, struct err *e);
void restore_end(struct restore *r); /* NULL is fine */
/* For `plan`: tells the catalog what is lost, changes nothing. */
must_check int restore_look(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask,
                            struct err *e);

#endif
