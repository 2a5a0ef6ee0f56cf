/* api/watch.h: `leat run --watch`. */
#ifndef LEAT_API_WATCH_H
#define LEAT_API_WATCH_H

#include "api/ask.h"

/* What carries a run out: work_run. api->flow holds the jobs. */
must_check int work_run(struct api *api, const struct args *args, struct asking *q, struct sink *out, struct err *e);
/* Until Ctrl-C; 0 then. */
must_check int watch_run(struct api *api, const struct args *args, struct sink *out, struct err *e);

#endif
