/*
 * base/tz_rule.h: the rule of a POSIX TZ string ("CET-1CEST,M3.5.0,M10.5.0/3"), which says how a zone goes on after the
 * last transition of its file. For tz.c only.
 */
#ifndef LEAT_BASE_TZ_RULE_H
#define LEAT_BASE_TZ_RULE_H

#include "base/base.h"

struct tz_day {
	char form;           /* 'J' 1..365 without the leap day, '0' 0..365 with it, 'M' month.week.weekday */
	int month, week, day;
	int time;            /* seconds after midnight, local time before the change; -167 h .. 167 h */
};

struct tz_rule {
	int standard, summer; /* seconds east of UTC; equal if there is no summer time */
	struct tz_day start, end; /* of summer time */
};

must_check bool tz_rule_parse(struct str text, struct tz_rule *out);

struct tz_change {
	int64_t at;
	int offset; /* from then on */
};
#define TZ_RULE_CHANGES 6
/* The changes of the year that holds `utc` and of its neighbours, in order. 0 if there is no summer time. */
int tz_rule_changes(const struct tz_rule *r, int64_t utc, struct tz_change out[TZ_RULE_CHANGES]);

#endif
