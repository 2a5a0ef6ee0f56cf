/*
 * api/backfill.h: `leat run JOB` where the work is to outlive the command: --idempotency-key, --detach. It becomes
 * requests (flow/request.h), which the daemon runs, or a runner of their own.
 */
#ifndef LEAT_API_BACKFILL_H
#define LEAT_API_BACKFILL_H

#include "api/ask.h"

bool backfill_is_later(const struct args *args);
must_check int backfill_run_later(struct api *api, const struct args *args, struct asking *q, struct sink *out,
                                  struct err *e);

#endif
