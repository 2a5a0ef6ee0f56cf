/*
 * api/logs.h: which log is meant by what is typed, and pieces of it: for `leat logs` and the HTTP API.
 */
#ifndef LEAT_API_LOGS_H
#define LEAT_API_LOGS_H

#include "api/api.h"

/* One log: the unit, the attempt and its file (relative to .leat/; "": it printed nothing). */
struct log_spot {
	int64_t unit, attempt;
	struct str job, ds, path, error;
	bool ended;
};

/* Those that the arguments of `logs` mean: RUN or JOB, DS, --attempt, --unit. None is no error. */
must_check int logs_find(struct api *api, const struct args *args, struct log_spot **out, size_t *n, struct err *e);
/* Whether it has ended: 1, 0, -1. */
must_check int logs_ended(struct store *s, const struct log_spot *l, struct err *e);
/*
 * --from and --limit: bytes from the start of the log, below 0 from its end; clipped to what is there. *limit -1: to
 * the end.
 */
must_check int logs_window(const struct args *args, off_t size, off_t *from, off_t *limit, struct err *e);

#endif
