#include "base/calendar.h"

#include <stdlib.h>

#include "base/str.h"
#include "base/tz.h"

static const char *const words[CALENDAR_DAYS] = {
	"any",           "weekdays",     "weekends",           "business-days",
	"first-weekday", "last-weekday", "first-business-day", "last-business-day",
};

bool calendar_days_of(struct str word, enum calendar_days *out)
{
	for (int i = 0; i < CALENDAR_DAYS; i++)
		if (str_is(word, words[i])) {
			*out = (enum calendar_days)i;
			return true;
		}
	return false;
}

const char *calendar_word(enum calendar_days d)
{
	return words[d];
}

bool calendar_wants_holidays(enum calendar_days d)
{
	return d == CALENDAR_BUSINESS || d == CALENDAR_FIRST_BUSINESS || d == CALENDAR_LAST_BUSINESS;
}

/* ---- the file ---- */

static bool number(struct str *s, size_t n, int *out)
{
	int64_t v;

	for (size_t i = 0; i < n; i++)
		if (i >= s->n || s->p[i] < '0' || s->p[i] > '9')
			return false;
	if (!str_to_i64(str_sub(*s, 0, n), &v))
		return false;
	*s = str_sub(*s, n, s->n);
	*out = (int)v;
	return true;
}

static bool dash(struct str *s)
{
	if (!s->n || *s->p != '-')
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

/* 2026-12-25, or 12-25 (year 0), at the beginning of *s. */
static bool day_of(struct str *s, int *year, int *month, int *day)
{
	struct str rest = *s;

	if (!number(&rest, 4, year) || !dash(&rest)) {
		rest = *s;
		*year = 0;
	}
	if (!number(&rest, 2, month) || !dash(&rest) || !number(&rest, 2, day) ||
	    !civil_is_date(*year ? *year : 2000, *month, *day))
		return false;
	*s = rest;
	return !rest.n || strchr(" \t,;", *rest.p);
}

int calendar_holidays(struct arena *a, struct calendar *c, struct str text, const char *file, struct err *e)
{
	struct str line;
	int n = 0;

	while (str_next_line(&text, &line)) {
		struct calendar_span h = {0};
		int year, month, day;

		n++;
		line = str_trim(line);
		if (n == 1 && str_has_prefix(line, STR("\xef\xbb\xbf")))
			line = str_sub(line, 3, line.n);
		if (!line.n || *line.p == '#')
			continue;
		if (n > CALENDAR_MAX_DAYS)
			return err_set(e, ERR_LIMIT, "more than %d lines of holidays", CALENDAR_MAX_DAYS);
		h.name = line;
		if (!day_of(&h.name, &year, &month, &day)) {
			err_set(e, ERR_BAD_CONFIG, "\"%s\" does not begin with a day", STR_SHOWN(line));
			err_hint(e, "a line of holidays is `2026-12-25 Christmas Day`, or `12-25 Christmas Day` for"
			            " every year");
			return err_at(e, file, n, 1);
		}
		while (h.name.n && strchr(" \t,;", *h.name.p))
			h.name = str_sub(h.name, 1, h.name.n);
		h.from = h.to = year ? days_from_civil(year, month, day) : month * 32 + day;
		if (year)
			vec_push(a, &c->holidays, h);
		else
			vec_push(a, &c->yearly, h);
	}
	return 0;
}

void calendar_take_out(struct arena *a, struct calendar *c, int64_t from, int64_t to)
{
	struct calendar_span s = {.from = from, .to = to};

	vec_push(a, &c->out, s);
}

static int by_day(const void *x, const void *y)
{
	const struct calendar_span *a = x, *b = y;

	return (a->from > b->from) - (a->from < b->from);
}

void calendar_sort(struct calendar *c)
{
	if (c->holidays.n)
		qsort(c->holidays.p, c->holidays.n, sizeof(*c->holidays.p), by_day);
}

int64_t calendar_known_until(const struct calendar *c)
{
	return c->holidays.n ? c->holidays.p[c->holidays.n - 1].to : INT64_MIN;
}

/* ---- days ---- */

static bool is_weekday(int64_t day)
{
	int64_t w = (day + 4) % 7; /* 1970-01-01 was a Thursday */

	if (w < 0)
		w += 7;
	return w != 0 && w != 6;
}

static const struct calendar_span *holiday(const struct calendar *c, int64_t day)
{
	const struct calendar_span key = {.from = day};
	const struct calendar_span *h = NULL;
	int year, month, of_month;

	if (c->holidays.n)
		h = bsearch(&key, c->holidays.p, c->holidays.n, sizeof(*c->holidays.p), by_day);
	if (h || !c->yearly.n)
		return h;
	civil_from_days(day, &year, &month, &of_month);
	for (size_t i = 0; i < c->yearly.n; i++)
		if (c->yearly.p[i].from == month * 32 + of_month)
			return &c->yearly.p[i];
	return NULL;
}

/* Whether another day of its month, before it (step -1) or after it, is one too. */
static bool another(const struct calendar *c, int64_t day, int step, bool business)
{
	int year, month, of_month;

	civil_from_days(day, &year, &month, &of_month);
	for (int d = of_month + step; d >= 1 && d <= days_in_month(year, month); d += step) {
		int64_t other = day + d - of_month;

		if (is_weekday(other) && !(business && holiday(c, other)))
			return true;
	}
	return false;
}

enum calendar_why calendar_ask(const struct calendar *c, int64_t day, const struct calendar_span **which)
{
	bool business = calendar_wants_holidays(c->days), week = is_weekday(day);
	bool first = c->days == CALENDAR_FIRST_WEEKDAY || c->days == CALENDAR_FIRST_BUSINESS;
	bool last = c->days == CALENDAR_LAST_WEEKDAY || c->days == CALENDAR_LAST_BUSINESS;

	*which = NULL;
	for (size_t i = 0; i < c->out.n; i++)
		if (day >= c->out.p[i].from && day <= c->out.p[i].to) {
			*which = &c->out.p[i];
			return CALENDAR_OUT;
		}
	if (c->days != CALENDAR_ANY && week == (c->days == CALENDAR_WEEKENDS))
		return CALENDAR_NOT_OF_RULE;
	if (business || c->days == CALENDAR_ANY) {
		*which = holiday(c, day);
		if (*which)
			return CALENDAR_HOLIDAY;
	}
	if ((first && another(c, day, -1, business)) || (last && another(c, day, 1, business)))
		return CALENDAR_NOT_OF_RULE;
	return CALENDAR_OPEN;
}
