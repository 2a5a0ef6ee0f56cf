/*
 * flow/live.h: the jobs that the daemon works with: a copy of their files in .leat/live/, taken when they were good. A
 * job whose file was saved half-written, or with a mistake, goes on as it was until it is good again.
 *
 *   .leat/live/jobs/..., .leat/live/pipelines/..., and what `code:` and `holidays:` name
 *   .leat/live/jobs.json     [{"job", "id": what it was made of, "files": [paths from the workspace]}]
 *   .leat/live.lock          shared while jobs are loaded from there, alone while they are changed
 *
 * It may be deleted at any time while no daemon runs: the next one makes it anew.
 */
#ifndef LEAT_FLOW_LIVE_H
#define LEAT_FLOW_LIVE_H

#include "flow/job.h"
#include "repo/store.h"
#include "sys/lock.h"

#define LIVE_ROOT ".leat/live/"

/*
 * Takes over the jobs that `js`, loaded from the workspace, holds as good; those that it names as broken stay as they
 * are, and those that are there no more go. *changed: how many.
 */
must_check int live_update(struct store *s, const struct jobs *js, size_t *changed, struct err *e);
must_check int live_lock(struct store *s, unsigned flags, struct lock *l, struct err *e);

#endif
