/*
 * exec/local_layout.h: where a task of a job with `layout: dsflow` finds its folders besides: /data/REPO/ds=DS, as in
 * dsflow's containers. Not for units that come from data.
 */
#ifndef LEAT_EXEC_LOCAL_LAYOUT_H
#define LEAT_EXEC_LOCAL_LAYOUT_H

#include "exec/exec.h"

#define LAYOUT_SPECS "TASK_SPECS"

bool layout_wanted(const struct attempt *t);
/* Absolute, in its arena. */
const char *layout_input(const struct attempt *t, size_t i);

struct layout_place {
	const char *source, *target;
};
struct layout_places {
	struct layout_place *p;
	size_t n, cap;
};
/* What of an input's folder is shown where: all in one, or, where inputs or the output share a repo, each partition.
 * Nothing without a layout. */
must_check int layout_input_places(const struct attempt *t, size_t i, const char *folder, struct layout_places *out,
                                   struct err *e);
const char *layout_output(const struct attempt *t); /* NULL: it has none */
/* Those paths, ds and the parameters, as dsflow gives them to a task: JSON. */
const char *layout_specs(const struct attempt *t);

#endif
