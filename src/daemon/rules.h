/*
 * daemon/rules.h: by which rule a request that could go is held: approval, depends_on_past, overlap. Looked at whenever
 * something is written; what is said is kept in its row (request_hold), for whoever asks why it waits.
 */
#ifndef LEAT_DAEMON_RULES_H
#define LEAT_DAEMON_RULES_H

#include "base/map.h"
#include "daemon/daemon.h"

/* Something of a job that runs, or begins now. */
struct rules_busy {
	struct str run;   /* STR_NULL: not yet known */
	int64_t backfill; /* 0: of none */
	bool begins;
	struct rules_busy *next;
};

/* As things stand in one look; in the arena. */
struct rules {
	struct daemon *d;
	struct arena *a;
	struct map busy;   /* job: its list */
	struct map runs;   /* ids of runs that are in it */
	struct map paused; /* jobs */
	bool data;         /* what data brings is being taken */
};

struct rules_held {
	enum request_rule rule; /* RULE_NONE: it can go */
	const char *why;
	bool skip; /* it is left out */
};

must_check int rules_begin(struct rules *x, struct daemon *d, struct arena *a, const struct request *running, size_t n,
                           struct err *e);
bool rules_free(const struct rules *x, const struct job *j); /* a slot of it could be held by none */
must_check int rules_hold(struct rules *x, const struct request *r, struct rules_held *h, struct err *e);
void rules_starts(struct rules *x, const struct request *r); /* it goes: others of its job see it */

#endif
