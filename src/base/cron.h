/*
 * base/cron.h: when something is to happen again and again, as one writes it for cron: five fields (minute, hour, day
 * of month, month, day of week), six with seconds first, @hourly, @daily, @weekly, @monthly, @yearly, `@every 90s`,
 * never.
 *
 * Fields are lists of numbers, ranges and steps (0,30 or 9-17 or 0-59/15), months and weekdays also by their
 * first three letters; Sunday is 0 and 7; ? is *. L as a day of month is its last one; fri#2 is the second Friday of a
 * month, friL its last one. Where the day of month and the day of week both say something, either
 * will do (Vixie's cron, crontab(5)); a field that begins with * and has no step says nothing.
 *
 * Times are seconds of a local clock that knows no time zone, counted from 1970-01-01T00:00:00: of UTC they are UTC
 * seconds. What a zone leaves out or has twice is the caller's to decide.
 */
#ifndef LEAT_BASE_CRON_H
#define LEAT_BASE_CRON_H

#include "base/err.h"

enum cron_kind { CRON_NEVER, CRON_EVERY, CRON_FIELDS };

struct cron {
	enum cron_kind kind;
	int64_t every;           /* seconds, of EVERY */
	uint64_t second, minute; /* bits, of FIELDS */
	uint32_t hour, day, month;
	uint8_t weekday; /* bit 0: Sunday */
	bool any_day, any_weekday;
	bool last_day;  /* L */
	uint8_t nth[7]; /* by weekday: bit 0 the first of a month, ... bit 4 the fifth, bit 5 the last */
	bool elapsed;   /* minute or hour begins with *: it follows the time that passes, not the clock's hands */
};

/* ERR_BAD_CONFIG; the hint says what is wrong with it or what would be right. One that can never be is an error too. */
must_check int cron_parse(struct str text, struct cron *out, struct err *e);
/* The first time after `after`; false: there is none. @every counts from `after`. */
must_check bool cron_next(const struct cron *c, int64_t after, int64_t *out);
/* The last time in (since, until]; false: there is none. @every counts from `since`. */
must_check bool cron_last(const struct cron *c, int64_t since, int64_t until, int64_t *out);

#endif
