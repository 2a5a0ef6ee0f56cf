#include "base/tz_rule.h"

#include <stdlib.h>

#include "base/str.h"
#include "base/tz.h"

#define DAY 86400

/* ---- parsing ---- */

static bool take_char(struct str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static bool take_number(struct str *s, int least, int most, int *out)
{
	size_t n = 0;
	int v = 0;

	for (; n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		v = v * 10 + (s->p[n] - '0');
	if (!n || v < least || v > most)
		return false;
	*s = str_sub(*s, n, s->n);
	*out = v;
	return true;
}

/* The abbreviation of a zone: letters, or anything in <>. */
static bool skip_name(struct str *s)
{
	struct str in;
	size_t n = 0;

	if (take_char(s, '<'))
		return str_cut(*s, '>', &in, s);
	while (n < s->n && ((s->p[n] >= 'a' && s->p[n] <= 'z') || (s->p[n] >= 'A' && s->p[n] <= 'Z')))
		n++;
	*s = str_sub(*s, n, s->n);
	return n >= 3;
}

static bool take_time(struct str *s, int max_hours, int *out)
{
	bool minus = take_char(s, '-');
	int h, m = 0, sec = 0;

	if (!minus)
		take_char(s, '+');
	if (!take_number(s, 0, max_hours, &h))
		return false;
	if (take_char(s, ':') && (!take_number(s, 0, 59, &m) || (take_char(s, ':') && !take_number(s, 0, 59, &sec))))
		return false;
	*out = (h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
	return true;
}

static bool take_day(struct str *s, struct tz_day *d)
{
	bool ok;

	d->time = 2 * 3600;
	if (take_char(s, 'M')) {
		d->form = 'M';
		ok = take_number(s, 1, 12, &d->month) && take_char(s, '.') && take_number(s, 1, 5, &d->week) &&
		     take_char(s, '.') && take_number(s, 0, 6, &d->day);
	} else if (take_char(s, 'J')) {
		d->form = 'J';
		ok = take_number(s, 1, 365, &d->day);
	} else {
		d->form = '0';
		ok = take_number(s, 0, 365, &d->day);
	}
	return ok && (!take_char(s, '/') || take_time(s, 167, &d->time));
}

bool tz_rule_parse(struct str s, struct tz_rule *out)
{
	struct tz_rule r = {0};
	int west;

	if (!skip_name(&s) || !take_time(&s, 24, &west))
		return false;
	r.standard = r.summer = -west;
	if (s.n) {
		if (!skip_name(&s))
			return false;
		r.summer = r.standard + 3600;
		if (s.n && s.p[0] != ',') {
			if (!take_time(&s, 24, &west))
				return false;
			r.summer = -west;
		}
		if (!take_char(&s, ',') || !take_day(&s, &r.start) || !take_char(&s, ',') || !take_day(&s, &r.end) ||
		    s.n)
			return false;
	}
	*out = r;
	return true;
}

/* ---- changes ---- */

static int64_t day_of(const struct tz_day *d, int year)
{
	int64_t first = days_from_civil(year, 1, 1), day;
	int weekday;

	if (d->form == '0')
		return first + d->day;
	if (d->form == 'J')
		return first + d->day - 1 + (d->day >= 60 && days_in_month(year, 2) == 29);
	first = days_from_civil(year, d->month, 1);
	weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
	day = (d->day - weekday + 7) % 7 + (d->week - 1) * 7;
	if (day >= days_in_month(year, d->month)) /* week 5 is the last one */
		day -= 7;
	return first + day;
}

static int by_time(const void *x, const void *y)
{
	const struct tz_change *a = x, *b = y;

	/* A zone that is always in summer time ends it when it begins: the later offset stands last. */
	return a->at != b->at ? (a->at < b->at ? -1 : 1) : (a->offset > b->offset) - (a->offset < b->offset);
}

int tz_rule_changes(const struct tz_rule *r, int64_t utc, struct tz_change out[TZ_RULE_CHANGES])
{
	int year, month, day, n = 0;

	if (r->standard == r->summer)
		return 0;
	civil_from_days(floor_div(utc, DAY), &year, &month, &day);
	for (int y = year - 1; y <= year + 1; y++) {
		out[n++] = (struct tz_change){day_of(&r->start, y) * DAY + r->start.time - r->standard, r->summer};
		out[n++] = (struct tz_change){day_of(&r->end, y) * DAY + r->end.time - r->summer, r->standard};
	}
	qsort(out, (size_t)n, sizeof(*out), by_time);
	return n;
}
