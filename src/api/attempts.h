/*
 * api/attempts.h: the tries of units, for `leat runs --attempts`, the HTTP API and `leat status`.
 */
#ifndef LEAT_API_ATTEMPTS_H
#define LEAT_API_ATTEMPTS_H

#include "api/api.h"

/* The newest first, at most so many: of a job, of the run with that id or prefix, or (STR_NULL) of all. */
must_check int attempts_list(struct api *api, struct str what, int64_t most, struct sink *out, struct err *e);

/* For status: tasks that go on though the process of their run has died, until somebody takes them over. */
must_check int attempts_attention(struct api *api, struct dom *list, struct err *e);

#endif
