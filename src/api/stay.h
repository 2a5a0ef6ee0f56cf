/*
 * api/stay.h: what other operations need to know of services and spouts (job/stay.h).
 */
#ifndef LEAT_API_STAY_H
#define LEAT_API_STAY_H

#include "api/api.h"

/* `commit REPO` where a service writes the repo: 1 done (or nothing to do, which is said), 0 it is none's, -1. */
must_check int stay_commit_repo(struct api *api, const struct args *args, struct str repo, struct sink *out,
                                struct err *e);
/* `logs JOB` of a service or spout: 1 printed, 0 it is none, -1. follow: until it is down. */
must_check int stay_logs(struct api *api, struct str job, bool follow, struct sink *out, struct err *e);
/* `up JOB` and waits until it works; `down JOB`, with a row of what became of it. */
must_check int stay_up(struct api *api, struct str job, struct sink *out, struct err *e);
must_check int stay_down(struct api *api, const struct args *args, struct str job, struct sink *out, struct err *e);

#endif
