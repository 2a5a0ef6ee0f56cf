/*
 * api/data.h: data-driven jobs within a command that runs jobs: `run`, `put --run`, `wait`.
 */
#ifndef LEAT_API_DATA_H
#define LEAT_API_DATA_H

#include "api/api.h"
#include "flow/data.h"

/* What of a request is data-driven: parts the jobs asked for (*n 0: all) in two; true if there is any such job. */
bool data_split(struct api *api, const struct job ***jobs, size_t *n, struct data_ask *out);

/*
 * What is decided on, a remembered result above all, has to be there when it is published: a writer from here on. A gc
 * that did not see the session when it let results go has committed that when the lock is ours: we do not see them.
 * store_session_end ends it.
 */
must_check int data_session(struct store *s, struct err *e);
/* Takes the events up to ask->until (data_run), for a command that is not about jobs; exit status 1 if that failed. */
must_check int data_work(struct api *api, const struct args *args, const char *kind, struct data_ask *ask,
                         struct sink *out, struct err *e);
/* A row for each commit that an id or batch named; not `all`: of those that runs made. */
must_check int data_tell(struct api *api, struct id id, bool all, struct sink *out, struct err *e);

/* Runs what depends on the change with that id, and tells the commits that this made. */
must_check int data_follow(struct api *api, const struct args *args, const char *kind, struct id id, struct sink *out,
                           struct err *e);

#endif
