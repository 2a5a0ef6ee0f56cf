/*
 * base/slot.h: when a schedule fires: a cron rule read by the clock of a time zone. A slot is an instant, seconds since
 * 1970 UTC.
 *
 * At the change to summer time and back the rule is Debian's cron(8): one whose minute or hour begins with * follows
 * the time that passes (it fires at each instant at which the clock shows a time that it names, so "0 * * * *" fires
 * 23 and 25 times on those days, an hour apart), and so does @every. One of fixed times fires once a day: what the
 * clock leaves out fires when it is put forward, unless it is to be skipped, what the clock shows twice fires the first
 * time, unless it is to be both times.
 */
#ifndef LEAT_BASE_SLOT_H
#define LEAT_BASE_SLOT_H

#include "base/cron.h"
#include "base/tz.h"

enum slot_gap { SLOT_GAP_RUN, SLOT_GAP_SKIP };
enum slot_fold { SLOT_FOLD_FIRST, SLOT_FOLD_BOTH };

struct slot_rule {
	struct cron cron;
	const struct tz *tz;
	enum slot_gap gap;
	enum slot_fold fold;
	int64_t since; /* @every counts from here */
};

enum slot_note {
	SLOT_PLAIN,
	SLOT_LEFT_OUT, /* the clock leaves its time out: it is at the instant of the change */
	SLOT_SKIPPED,  /* the same, and it is to be skipped: it does not fire */
	SLOT_SECOND,   /* the clock shows its time for the second time */
};
struct slot {
	int64_t at;
	int64_t local; /* what the rule says: seconds of a clock without zone, as in cron.h */
	enum slot_note note;
};

/* The first slot after `after`, skipped ones too; false: there is none. Each instant comes once. */
must_check bool slot_next(const struct slot_rule *r, int64_t after, struct slot *out);

#endif
