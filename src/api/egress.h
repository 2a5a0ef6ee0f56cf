/* api/egress.h: after jobs have run: what they published is pushed to where their `egress:` says. */
#ifndef LEAT_API_EGRESS_H
#define LEAT_API_EGRESS_H

#include "api/api.h"

/*
 * The newest commit of each of these outputs (NULL: all jobs), unless it is there already; what failed before is tried
 * again. A failure is told, noted, and makes the exit status 1; it undoes nothing.
 */
must_check int egress_push_all(struct api *api, const struct job **jobs, size_t n, struct sink *out, struct err *e);

#endif
