/*
 * flow/accept.h: what is there is declared to be what the new code would give: a memo row from the unit's new key to
 * its present output, with who said so and why (table accepted). No output changes, no head moves, nothing downstream
 * runs; an input that changes later changes the key, and then the new code runs.
 */
#ifndef LEAT_FLOW_ACCEPT_H
#define LEAT_FLOW_ACCEPT_H

#include "flow/plan.h"

#define ACCEPT_MAX_TEXT 2000 /* bytes of a because */

/* Whether a stale unit of a plan has something to accept: NULL, or a sentence's end that says why not. */
const char *accept_refuses(const struct plan_unit *u);

struct accept_ask {
	const struct job *job;
	struct plan_unit **units; /* of this job, none of them refused */
	size_t n;
	struct str because;
	const char *command;
};
/* All or none. Refused (ERR_CONFLICT) where the output's head moved since the catalog was made. */
must_check int accept_units(struct flow *f, struct catalog *c, struct arena *a, const struct accept_ask *ask,
                            struct err *e);

/* What was last said of a key and its output: {by, at, because, what, unit}; NULL: nothing. */
must_check int accept_find(struct store *s, struct arena *a, const struct sha *key, const struct sha *tree,
                           struct dom **out, struct err *e);

#endif
