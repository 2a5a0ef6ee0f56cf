/*
 * base/calendar.h: which days a schedule may fire on: weekdays, business days (weekdays that are no holidays), the
 * first or the last of a month of either, and days that are taken out. Days are counted from 1970-01-01 and know no
 * zone.
 *
 * Holidays come from a text of the user's, a day to a line: `2026-12-25 Christmas Day`, or `12-25 Christmas Day` for
 * every year; a comma may stand for the blank; an empty line or one that begins with # says nothing.
 */
#ifndef LEAT_BASE_CALENDAR_H
#define LEAT_BASE_CALENDAR_H

#include "base/arena.h"
#include "base/err.h"

#define CALENDAR_MAX_DAYS 100000 /* lines of a file of holidays, ranges taken out */

enum calendar_days {
	CALENDAR_ANY,
	CALENDAR_WEEKDAYS,
	CALENDAR_WEEKENDS,
	CALENDAR_BUSINESS,
	CALENDAR_FIRST_WEEKDAY, /* of a month */
	CALENDAR_LAST_WEEKDAY,
	CALENDAR_FIRST_BUSINESS,
	CALENDAR_LAST_BUSINESS,
	CALENDAR_DAYS
};
#define CALENDAR_WORDS                                                                                                 \
	"any weekdays weekends business-days first-weekday last-weekday first-business-day last-business-day"

struct calendar_span {
	int64_t from, to; /* days, both included */
	struct str name;  /* of a holiday; STR_NULL */
};

struct calendar {
	enum calendar_days days;
	VEC(struct calendar_span) holidays; /* by day, once calendar_sort ran */
	VEC(struct calendar_span) yearly;   /* from: month * 32 + day */
	VEC(struct calendar_span) out;      /* taken out, by day */
};

enum calendar_why { CALENDAR_OPEN, CALENDAR_NOT_OF_RULE, CALENDAR_HOLIDAY, CALENDAR_OUT };

must_check bool calendar_days_of(struct str word, enum calendar_days *out);
const char *calendar_word(enum calendar_days d); /* "business-days" */
bool calendar_wants_holidays(enum calendar_days d);

/* ERR_BAD_CONFIG with the place in the file. Names lie in `text`, which must outlive it. */
must_check int calendar_holidays(struct arena *a, struct calendar *c, struct str text, const char *file, struct err *e);
void calendar_take_out(struct arena *a, struct calendar *c, int64_t from, int64_t to);
/* Once all days are there, before the first question. */
void calendar_sort(struct calendar *c);
/* Whether the day is one; *which is the span that says no (HOLIDAY, OUT). */
enum calendar_why calendar_ask(const struct calendar *c, int64_t day, const struct calendar_span **which);
/* The last day of which the holidays of one year say anything; INT64_MIN: none. */
int64_t calendar_known_until(const struct calendar *c);

#endif
