/*
 * api/failures.h: what a run says of its failures at its end: which unit, why, and the last lines of its log. Few of
 * them, short ones: the logs have the rest.
 */
#ifndef LEAT_API_FAILURES_H
#define LEAT_API_FAILURES_H

#include "api/api.h"
#include "base/dom.h"

#define FAILURES_SHOWN 3
#define FAILURES_LINES 20
#define FAILURES_WIDTH 400             /* bytes of a line, at most */
#define FAILURES_READ ((size_t)65536)  /* of the end of a log */

struct failures {
	VEC(int64_t) units; /* the first ones */
	size_t n;           /* how many failed */
};

void failures_add(struct arena *a, struct failures *f, int64_t unit);
/* Sets `failures` in the row if there are any: a list of maps {job, ds, run, unit, reason, status, log: [LINE...]}. */
must_check int failures_tell(struct api *api, const struct failures *f, struct dom *row, struct err *e);

#endif
