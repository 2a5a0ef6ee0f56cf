/* Axes: where ticks stand, and how numbers and times read there. */
#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "base/tz.h"
#include "plot/plot_in.h"

#define DAY 86400.0
#define MAX_TICKS 200

double plot_step(double range, size_t most)
{
	double raw = range / (double)MAX(most, (size_t)1), unit = pow(10, floor(log10(raw))), part = raw / unit;

	return unit * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

void plot_axis_fit(struct plot_axis *ax, double lo, double hi)
{
	double far = MAX(fabs(lo), fabs(hi));

	if (lo > hi) { /* nothing */
		lo = 0;
		hi = 1;
	} else if (hi - lo <= MAX(far * 1e-12, 1e-290)) { /* all equal, or too near for a double to part them */
		double room = far < 1e-290 ? 1 : ax->kind == AXIS_TIME ? DAY / 2 : far * 0.05;

		lo -= room;
		hi += room;
	}
	ax->lo = lo;
	ax->hi = hi;
}

void plot_axis_round(struct plot_axis *ax, size_t most)
{
	double step = plot_step(ax->hi - ax->lo, most);

	ax->lo = floor(ax->lo / step) * step;
	ax->hi = ceil(ax->hi / step) * step;
}

struct str plot_number(struct arena *a, double v)
{
	char text[40];

	if (isnan(v))
		return STR("none");
	snprintf(text, sizeof(text), "%.15g", v == 0 ? 0.0 : v);
	return arena_str(a, str_of(text));
}

struct str plot_short(struct arena *a, double v)
{
	char text[40];

	snprintf(text, sizeof(text), "%.5g", v == 0 ? 0.0 : v);
	return arena_str(a, str_of(text));
}

/* As many digits as the step needs, in thousands, millions... where the axis reaches so far. */
static struct str tick_number(struct arena *a, double v, double far, double step)
{
	static const struct { double unit; const char *sign; } units[] = {
		{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}
	};
	double unit = 1;
	const char *sign = "";
	int digits;

	if (fabs(v) < step / 1e6)
		v = 0;
	if (far >= 1e15 || far < 1e-4) {
		digits = (int)MAX(0.0, floor(log10(far)) - floor(log10(step) + 1e-9));
		return v == 0 ? STR("0") : arena_strf(a, "%.*e", MIN(digits, 15), v);
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (far >= units[i].unit) {
			unit = units[i].unit == 1e4 ? 1e3 : units[i].unit;
			sign = units[i].sign;
			break;
		}
	digits = (int)MAX(0.0, -floor(log10(step / unit) + 1e-9));
	return arena_strf(a, "%.*f%s", MIN(digits, 15), v / unit, v == 0 ? "" : sign);
}

static size_t number_ticks(struct arena *a, const struct plot_axis *ax, size_t most, struct plot_tick *out)
{
	double step = plot_step(ax->hi - ax->lo, most), far = MAX(fabs(ax->lo), fabs(ax->hi));
	double first = ceil(ax->lo / step - 1e-9);
	size_t n = 0;

	for (; n < MAX_TICKS && (first + (double)n) * step <= ax->hi + step * 1e-6; n++)
		out[n] = (struct plot_tick){
			(first + (double)n) * step,
			tick_number(a, (first + (double)n) * step, far, step)
		};
	return n;
}

/* --- time --- */

static void civil_at(double t, struct civil *c)
{
	tz_to_civil(tz_utc(), (int64_t)floor(t), c);
}

static struct str time_text(struct arena *a, double t, double step)
{
	struct civil c;
	double part = t - floor(t);

	civil_at(t, &c);
	if (step < 1)
		return arena_strf(a, "%02d:%02d:%06.3f", c.hour, c.minute, c.second + part);
	if (step < 60)
		return arena_strf(a, "%02d:%02d:%02d", c.hour, c.minute, c.second);
	if (step < DAY && (c.hour || c.minute))
		return arena_strf(a, "%02d:%02d", c.hour, c.minute);
	if (step < 28 * DAY)
		return arena_strf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
	if (step < 365 * DAY)
		return arena_strf(a, "%04d-%02d", c.year, c.month);
	return arena_strf(a, "%d", c.year);
}

/* Every so many months, from a month of which the number is a multiple. */
static size_t month_ticks(struct arena *a, const struct plot_axis *ax, int64_t months, struct plot_tick *out)
{
	struct civil c;
	int64_t m;
	size_t n = 0;

	civil_at(ax->lo, &c);
	m = floor_div((int64_t)c.year * 12 + c.month - 1, months) * months;
	for (; n < MAX_TICKS; m += months) {
		int year = (int)floor_div(m, 12), month = (int)(m - (int64_t)year * 12) + 1;
		double at = (double)days_from_civil(year, month, 1) * DAY;

		if (at > ax->hi)
			break;
		if (at >= ax->lo)
			out[n++] =
				(struct plot_tick){at, time_text(a, at, months < 12 ? 28 * DAY : 365 * DAY)};
	}
	return n;
}

static size_t time_ticks(struct arena *a, const struct plot_axis *ax, size_t most, struct plot_tick *out)
{
	static const double steps[] = {
		1,    2,    5,    10,    15,    30,    60,  120,     300,     600,     900,
		1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY, 14 * DAY
	};
	static const int64_t months[] = {1, 2, 3, 6, 12};
	double raw = (ax->hi - ax->lo) / (double)MAX(most, (size_t)1), step = 0, first, from = 0;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(steps) && step < raw; i++)
		step = steps[i];
	if (raw <= 0.5)
		step = plot_step(ax->hi - ax->lo, most);
	if (step < raw) {
		for (size_t i = 0; i < ARRAY_LEN(months); i++)
			if ((double)months[i] * 30 * DAY >= raw)
				return month_ticks(a, ax, months[i], out);
		step = plot_step((ax->hi - ax->lo) / (365.25 * DAY), most); /* years */
		return month_ticks(a, ax, 12 * (int64_t)MAX(1.0, step), out);
	}
	if (step >= 7 * DAY) /* weeks begin on a Monday; 1970 began on a Thursday */
		from = 4 * DAY;
	first = ceil((ax->lo - from) / step);
	for (; n < MAX_TICKS && (first + (double)n) * step + from <= ax->hi; n++) {
		double at = (first + (double)n) * step + from;

		out[n] = (struct plot_tick){at, time_text(a, at, step)};
	}
	return n;
}

static size_t text_ticks(const struct plot_axis *ax, size_t most, struct plot_tick *out)
{
	size_t every = (ax->n_labels + MAX(most, (size_t)1) - 1) / MAX(most, (size_t)1), n = 0;

	for (size_t i = 0; i < ax->n_labels && n < MAX_TICKS; i += MAX(every, (size_t)1))
		out[n++] = (struct plot_tick){(double)i, ax->labels[i]};
	return n;
}

size_t plot_ticks(struct arena *a, const struct plot_axis *ax, size_t most, struct plot_tick **out)
{
	*out = arena_array(a, struct plot_tick, MAX_TICKS);
	switch (ax->kind) {
	case AXIS_TIME:
		return time_ticks(a, ax, MIN(most, (size_t)MAX_TICKS), *out);
	case AXIS_TEXT:
		return text_ticks(ax, MIN(most, (size_t)MAX_TICKS), *out);
	default:
		return number_ticks(a, ax, MIN(most, (size_t)MAX_TICKS / 2), *out);
	}
}

struct str plot_label(struct arena *a, const struct plot_axis *ax, double v)
{
	struct civil c;

	if (ax->kind == AXIS_TEXT)
		return v >= 0 && v < (double)ax->n_labels ? ax->labels[(size_t)v] : STR("");
	if (ax->kind == AXIS_NUMBER || isnan(v))
		return plot_number(a, v);
	civil_at(v, &c);
	if (!c.hour && !c.minute && !c.second)
		return time_text(a, v, DAY);
	return arena_strf(a, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

/* --- reading --- */

/* The number that s begins with, of n digits and more; it goes from s. */
static bool digits(struct str *s, size_t n, int *out)
{
	size_t i = 0;
	int v = 0;

	while (i < s->n && i < 7 && s->p[i] >= '0' && s->p[i] <= '9')
		v = v * 10 + s->p[i++] - '0';
	*s = str_sub(*s, i, s->n);
	*out = v;
	return i >= n;
}

static bool skip(struct str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

/* +02, -03:30 */
static bool zone(struct str *s, double *seconds)
{
	int sign = s->n && s->p[0] == '-' ? -1 : 1, h = 0, m = 0;

	*seconds = 0;
	if (!skip(s, '+') && !skip(s, '-'))
		return true;
	if (!digits(s, 2, &h) || (skip(s, ':') && !digits(s, 2, &m)))
		return false;
	*seconds = sign * (h * 3600.0 + m * 60.0);
	return true;
}

/* As cells of DATE and TIMESTAMP read: 2024-01-31, 2024-01-31 05:06:07.25, +02 behind it. */
bool plot_time_parse(struct str s, double *out)
{
	int year, month, day, h = 0, m = 0, sec = 0;
	double t, part = 0, unit = 0.1, east = 0;

	if (!digits(&s, 4, &year) || !skip(&s, '-') || !digits(&s, 2, &month) || !skip(&s, '-') ||
	    !digits(&s, 2, &day) || !civil_is_date(year, month, day))
		return false;
	if (skip(&s, ' ') || skip(&s, 'T')) {
		if (!digits(&s, 2, &h) || (skip(&s, ':') && !digits(&s, 2, &m)) ||
		    (skip(&s, ':') && !digits(&s, 2, &sec)))
			return false;
		if (skip(&s, '.'))
			for (; s.n && s.p[0] >= '0' && s.p[0] <= '9'; s = str_sub(s, 1, s.n), unit /= 10)
				part += unit * (s.p[0] - '0');
		if (!skip(&s, 'Z') && !zone(&s, &east))
			return false;
	}
	if (s.n)
		return false;
	t = (double)days_from_civil(year, month, day) * DAY + h * 3600.0 + m * 60.0 + sec + part - east;
	*out = t;
	return true;
}

struct str plot_cut(struct arena *a, struct str s, size_t columns, const char *dots)
{
	size_t keep = str_columns(str_of(dots)), at = 0, wide = 0, len;
	uint32_t cp;

	if (str_columns(s) <= columns)
		return s;
	while (at < s.n) {
		len = str_utf8_get(str_sub(s, at, 4), &cp);
		wide += str_columns(str_sub(s, at, MAX(len, (size_t)1)));
		if (wide + keep > columns)
			break;
		at += MAX(len, (size_t)1);
	}
	return arena_strf(a, "%.*s%s", (int)at, s.p, dots);
}
