/*
 * flow/owner.h: whose a repo is. A job owns its output from its first unit on; a repo that people filled by hand is
 * theirs, and no job takes it over. What a job made that is gone is a plain repo (SEMANTICS 4), which it may have back
 * as long as nobody wrote to it meanwhile.
 */
#ifndef LEAT_FLOW_OWNER_H
#define LEAT_FLOW_OWNER_H

#include "flow/flow.h"

/* ERR_REFUSED at the place of `output:` where that repo was filled by hand: `run` of its head is none. */
must_check int owner_check(const struct job *j, const struct repo *r, const struct id *run, struct err *e);
/* Inside a write transaction: finds or makes the job's output and records that it is the job's. */
must_check int owner_take(struct store *s, struct arena *a, const struct job *j, struct repo *out, struct err *e);
/* Whether it would do that. Writes nothing. */
must_check int owner_try(struct store *s, struct arena *a, const struct job *j, struct err *e);
/*
 * Outputs of jobs that are gone become plain repos. None is one while a job file cannot be read: it may be the one that
 * writes it.
 */
must_check int owner_release(struct flow *f, struct err *e);
bool owner_is_orphan(const struct flow *f, struct str repo);

#endif
