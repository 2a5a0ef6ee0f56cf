/* Civil dates and RFC 3339 texts (tz.h); what needs no zone. */
#include <stdio.h>

#include "base/str.h"
#include "base/tz.h"

#define DAY 86400

int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Years are counted from March, so that the leap day is the last of its year; 400 of them have 146097 days. */
int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2), era = floor_div(y, 400), of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468, era = floor_div(z, 146097), d = z - era * 146097;
	int64_t of_era = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t of_year = d - (365 * of_era + of_era / 4 - of_era / 100), m = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(of_era + era * 400 + (*month <= 2));
}

int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool civil_is_date(int year, int month, int day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month);
}

void time_rfc3339(int64_t utc_ms, char out[TIME_TEXT])
{
	int64_t s = floor_div(utc_ms, 1000), days = floor_div(s, DAY);
	int ms = (int)(utc_ms - s * 1000), of_day = (int)(s - days * DAY), y, m, d;

	civil_from_days(days, &y, &m, &d);
	snprintf(out, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", y, m, d, of_day / 3600 % 24, of_day / 60 % 60,
	         of_day % 60, ms);
}

/* `n` digits off the front of *s. */
static bool take(struct str *s, size_t n, int *out)
{
	int v = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = str_sub(*s, n, s->n);
	*out = v;
	return true;
}

static bool take_char(struct str *s, const char *any_of)
{
	if (!s->n || !s->p[0] || !strchr(any_of, s->p[0]))
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static bool take_fraction(struct str *s, int *ms)
{
	int scale = 100, digits = 0, d;

	for (; take(s, 1, &d); scale /= 10, digits++)
		*ms += d * scale;
	return digits > 0;
}

/* Z, +01:00, +0100, +01, or nothing. */
static bool take_zone(struct str *s, int *offset)
{
	char sign = s->n ? s->p[0] : '\0';
	int h, m = 0;

	*offset = 0;
	if (take_char(s, "Zz") || !s->n)
		return true;
	if (!take_char(s, "+-") || !take(s, 2, &h))
		return false;
	take_char(s, ":");
	if ((s->n && !take(s, 2, &m)) || h > 23 || m > 59)
		return false;
	*offset = (h * 3600 + m * 60) * (sign == '-' ? -1 : 1);
	return true;
}

bool time_parse_rfc3339(struct str s, int64_t *utc_ms)
{
	int y, mo, d, h = 0, mi = 0, sec = 0, ms = 0, offset = 0;

	if (!take(&s, 4, &y) || !take_char(&s, "-") || !take(&s, 2, &mo) || !take_char(&s, "-") || !take(&s, 2, &d) ||
	    !civil_is_date(y, mo, d))
		return false;
	if (s.n) {
		if (!take_char(&s, "Tt ") || !take(&s, 2, &h) || !take_char(&s, ":") || !take(&s, 2, &mi))
			return false;
		if (take_char(&s, ":") && (!take(&s, 2, &sec) || (take_char(&s, ".") && !take_fraction(&s, &ms))))
			return false;
		if (!take_zone(&s, &offset) || s.n || h > 23 || mi > 59 || sec > 60)
			return false;
	}
	*utc_ms = (days_from_civil(y, mo, d) * DAY + h * 3600 + mi * 60 + sec - offset) * 1000 + ms;
	return true;
}
