/*
 * flow/clock_in.h: what the files of the clock share.
 */
#ifndef LEAT_FLOW_CLOCK_IN_H
#define LEAT_FLOW_CLOCK_IN_H

#include "flow/clock.h"

struct clock_entry {
	const struct schedule *s;
	int64_t seen; /* UTC seconds, as in its row */
	int64_t next; /* the next slot that fires after that; CLOCK_NEVER */
	bool paused;
};

struct clock {
	struct store *store;
	struct clock_say say;
	struct flow *flow;   /* of the last load */
	struct arena *arena; /* of one load */
	struct arena *forever;
	struct clock_entry *entries, **heap;
	size_t n;
	int64_t now;    /* of the last tick */
	int64_t pauses; /* the last change of job_pause that was looked at */
	size_t made;    /* rows of this transaction */
	bool stale;     /* a transaction failed: what is in memory may be ahead of the rows */
};

void clock_note(struct clock *c, const char *text);
/* When an entry fires next, from what it has seen; all of them in order. */
void clock_ahead(struct clock_entry *en);
void clock_sort(struct clock *c);
/* Inside a write transaction. */
must_check int clock_write_seen(struct clock *c, const struct clock_entry *en, struct err *e);
/* Takes in what somebody else paused or resumed. */
must_check int clock_look_at_pauses(struct clock *c, int64_t now_ms, struct err *e);
must_check int clock_missed_text(struct store *s, struct arena *a, const struct job *j, int64_t id, struct str *out,
                                 struct err *e);

#endif
