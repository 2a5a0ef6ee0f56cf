/*
 * repo/trigger.h: a branch that follows another one of its repo when enough has come: so many bytes or commits more,
 * or that long after the last time; or at the times of a clock. It moves in the transaction of what moved the other,
 * under the same event, and may be followed in turn.
 *
 * Kept as JSON in branch.trigger of the branch that follows: {"all","branch","commits","cron","rate","since","size"}.
 */
#ifndef LEAT_REPO_TRIGGER_H
#define LEAT_REPO_TRIGGER_H

#include "repo/commit.h"

#define TRIGGER_MAX_CHAIN 16         /* branches that follow one another */
#define TRIGGER_MAX_COMMITS 1000000

struct trigger {
	struct str branch;  /* which it follows */
	int64_t size;       /* bytes that its commit has more, at least; 0: does not count */
	int64_t commits;    /* commits since the last that it took, at least; 0 */
	struct str rate;    /* a cron text (base/cron.h): at most once per time that it names; STR_NULL */
	struct str cron;    /* ... : at each time that it names, and by nothing else; STR_NULL */
	bool all;           /* all of size, commits and rate must hold; else one of them */
	int64_t since;      /* when it was set, in ms: times of `cron` before are none of its */
};

/* ERR_BAD_REQUEST: no condition, one that cannot be, cron beside others. */
must_check int trigger_check(const struct trigger *t, struct err *e);
/* "staging: 100 bytes or 2 commits", in the arena */
struct str trigger_text(struct arena *a, const struct trigger *t);

/*
 * Inside a write transaction. NULL takes it away. The branch is made, empty, if it is not there. ERR_REFUSED where
 * branches would follow one another in a circle.
 */
must_check int trigger_set(struct store *s, const struct repo *r, struct str branch, const struct trigger *t,
                           struct err *e);
must_check int trigger_get(struct store *s, struct arena *a, int64_t repo, struct str branch, struct trigger *out,
                           struct err *e); /* 1, 0, -1 */

/* `branch` has moved, inside the transaction that moved it: whoever follows it moves, if it is time. */
must_check int trigger_fire(struct store *s, int64_t repo, struct str branch, struct id event, struct err *e);

/* A branch that is behind the last time of its clock. */
struct trigger_due {
	int64_t repo;
	struct str branch;
	int64_t at;    /* that time, ms */
	struct id to;  /* where the other stood then */
};
must_check int trigger_due(struct store *s, struct arena *a, int64_t now_ms, struct trigger_due **out, size_t *n,
                           struct err *e);

#endif
