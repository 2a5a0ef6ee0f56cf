#include "base/ds.h"

#include <stdio.h>

#include "base/str.h"

#define DAY 86400
#define HOUR 3600
#define MAX_YEAR 99999 /* labels that are computed may pass 9999, which one can write; none passes this */
#define MIN_UTC (-INT64_C(62160000000)) /* in the year 0 */
#define MAX_UTC INT64_C(3093400000000)  /* in the year 99997 */
#define MAX_STEP (10 * (int64_t)DS_RANGE_MAX)

static const struct {
	const char *word, *noun, *example;
} kinds[] = {
	[EVERY_NONE] = {"none", "no ds", ""},
	[EVERY_HOUR] = {"hourly", "an hour", "2017-11-27T05"},
	[EVERY_DAY] = {"daily", "a day", "2017-11-27"},
	[EVERY_WEEK] = {"weekly", "a week", "2017-W48"},
	[EVERY_MONTH] = {"monthly", "a month", "2017-11"},
};

const char *every_word(enum every e)
{
	return kinds[e].word;
}

bool every_parse(struct str word, enum every *out)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_is(word, kinds[i].word)) {
			*out = (enum every)i;
			return true;
		}
	return false;
}

/* ---- ISO weeks ---- */

static int64_t weekday(int64_t day) /* 0 = Monday */
{
	return ((day + 3) % 7 + 7) % 7;
}

static int64_t first_monday(int year) /* of week 1, the one that holds January 4th */
{
	int64_t d = days_from_civil(year, 1, 4);

	return d - weekday(d);
}

/* ---- labels ---- */

/* A label taken apart. */
struct parts {
	enum every every;
	int year, month, day, week, hour;
	bool has_offset;
	int offset;
};

static bool number(struct str s, size_t at, size_t n, int *out)
{
	int v = 0;

	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = v;
	return true;
}

static bool is_at(struct str s, size_t i, char c)
{
	return i < s.n && s.p[i] == c;
}

/* +01, -0330, +000921 behind an hour. */
static bool take_offset(struct str s, struct parts *p)
{
	int h, m = 0, sec = 0;

	if (s.n != 3 && s.n != 5 && s.n != 7)
		return false;
	if ((s.p[0] != '+' && s.p[0] != '-') || !number(s, 1, 2, &h) || (s.n > 3 && !number(s, 3, 2, &m)) ||
	    (s.n > 5 && !number(s, 5, 2, &sec)) || h > 25 || m > 59 || sec > 59)
		return false;
	p->has_offset = true;
	p->offset = (h * HOUR + m * 60 + sec) * (s.p[0] == '-' ? -1 : 1);
	return true;
}

/* By its form only: digits where digits stand. */
static bool take_apart(struct str s, struct parts *p)
{
	size_t y = is_at(s, 5, '-') && s.p[4] != '-' ? 5 : 4; /* ds_add may give 10000-01-01 */

	*p = (struct parts){.every = EVERY_NONE};
	if (!number(s, 0, y, &p->year) || !is_at(s, y, '-'))
		return false;
	s = str_sub(s, y + 1, s.n);
	if (is_at(s, 0, 'W')) {
		p->every = EVERY_WEEK;
		return s.n == 3 && number(s, 1, 2, &p->week);
	}
	p->every = EVERY_MONTH;
	if (!number(s, 0, 2, &p->month))
		return false;
	if (s.n == 2)
		return true;
	p->every = EVERY_DAY;
	if (!is_at(s, 2, '-') || !number(s, 3, 2, &p->day))
		return false;
	if (s.n == 5)
		return true;
	p->every = EVERY_HOUR;
	return is_at(s, 5, 'T') && number(s, 6, 2, &p->hour) && (s.n == 8 || take_offset(str_sub(s, 8, s.n), p));
}

static int refuse(struct str label, const char *why, struct err *e)
{
	int y, m, d;

	err_set(e, ERR_BAD_DS, "\"%s\" is no date label%s%s", STR_SHOWN(label), why[0] ? ": " : "", why);
	if (label.n == 8 && number(label, 0, 4, &y) && number(label, 4, 2, &m) && number(label, 6, 2, &d) &&
	        civil_is_date(y, m, d))
		return err_hint(e, "did you mean %04d-%02d-%02d?", y, m, d);
	return err_hint(e,
	        "write a day as 2017-11-27, an hour as 2017-11-27T05, a week as 2017-W48, a month as 2017-11");
}

int ds_parse(struct str label, struct ds *out, struct err *e)
{
	struct parts p;
	char why[80] = "";

	if (!label.n) {
		*out = (struct ds){.every = EVERY_NONE};
		return 0;
	}
	if (label.n >= sizeof(out->label) || !take_apart(label, &p))
		return refuse(label, why, e);
	if (p.year < 1 || p.year > 9999)
		snprintf(why, sizeof(why), "years go from 0001 to 9999");
	else if (p.every == EVERY_WEEK &&
	        (p.week < 1 || p.week > (first_monday(p.year + 1) - first_monday(p.year)) / 7))
		snprintf(why, sizeof(why), "%d has no week %d", p.year, p.week);
	else if (p.every != EVERY_WEEK && (p.month < 1 || p.month > 12))
		snprintf(why, sizeof(why), "there is no month %02d", p.month);
	else if (p.every <= EVERY_DAY && (p.day < 1 || p.day > days_in_month(p.year, p.month)))
		snprintf(why, sizeof(why), "%04d-%02d has no day %02d", p.year, p.month, p.day);
	else if (p.every == EVERY_HOUR && p.hour > 23)
		snprintf(why, sizeof(why), "hours go from 00 to 23");
	if (why[0])
		return refuse(label, why, e);
	*out = (struct ds){.every = p.every};
	memcpy(out->label, label.p, label.n);
	return 0;
}

static struct parts parts_of(const struct ds *d)
{
	struct parts p;

	if (d->every == EVERY_NONE)
		return (struct parts){.every = EVERY_NONE};
	BUG_IF(!take_apart(str_of(d->label), &p) || p.every != d->every);
	return p;
}

bool ds_eq(const struct ds *a, const struct ds *b)
{
	return a->every == b->every && !strcmp(a->label, b->label);
}

int ds_cmp(const struct ds *a, const struct ds *b)
{
	int c = a->every != b->every ? (int)a->every - (int)b->every : strcmp(a->label, b->label);

	return (c > 0) - (c < 0);
}

bool ds_of_folder(struct str name, struct ds *out)
{
	struct err e = ERR_INIT;

	return str_has_prefix(name, STR("ds=")) && name.n > 3 && !ds_parse(str_sub(name, 3, name.n), out, &e);
}

/* ---- days, weeks, months: bounds are midnights ---- */

static int64_t midnight(int64_t day, const struct tz *z)
{
	struct civil c = {0};
	int64_t first, second;

	civil_from_days(day, &c.year, &c.month, &c.day);
	tz_to_utc(z, &c, &first, &second); /* where midnight is left out, the day begins at the change */
	return first;
}

/* The days [*from, *to) of a label that is no hour. */
static void day_bounds(const struct parts *p, int64_t *from, int64_t *to)
{
	switch (p->every) {
	case EVERY_DAY:
		*from = days_from_civil(p->year, p->month, p->day);
		*to = *from + 1;
		break;
	case EVERY_WEEK:
		*from = first_monday(p->year) + (p->week - 1) * 7;
		*to = *from + 7;
		break;
	default:
		*from = days_from_civil(p->year, p->month, 1);
		*to = *from + days_in_month(p->year, p->month);
	}
}

/* The label of the kind that holds the day. */
static struct ds of_day(enum every every, int64_t day)
{
	struct ds d = {.every = every};
	int64_t thursday = day - weekday(day) + 3, least = days_from_civil(0, 1, 10),
	        most = days_from_civil(MAX_YEAR, 12, 20);
	int y, m, dom;

	day = MAX(least, MIN(day, most));
	thursday = MAX(least, MIN(thursday, most));
	civil_from_days(every == EVERY_WEEK ? thursday : day, &y, &m, &dom);
	if (every == EVERY_WEEK)
		snprintf(d.label, sizeof(d.label), "%04d-W%02d", y % 100000,
		        (int)(thursday - days_from_civil(y, 1, 1)) / 7 + 1);
	else if (every == EVERY_MONTH)
		snprintf(d.label, sizeof(d.label), "%04d-%02d", y % 100000, m % 100);
	else
		snprintf(d.label, sizeof(d.label), "%04d-%02d-%02d", y % 100000, m % 100, dom % 100);
	return d;
}

/* ---- hours ---- */

/*
 * An hour is the time during which the local clock shows one hour of one day without going back; so it is shorter or
 * longer than 3600 s where the offset changes by no whole hours, and it is there twice where the clock goes back.
 */
struct hour {
	int64_t start, end, local; /* local: what the clock shows at the full hour, in seconds */
};

static struct hour hour_at(int64_t utc, const struct tz *z)
{
	int offset = tz_offset(z, utc), before, after;
	struct hour h = {.local = floor_div(utc + offset, HOUR) * HOUR};
	int64_t at, probe;

	h.start = h.local - offset;
	for (probe = utc; tz_last(z, probe, &at) && at > h.start; probe = at - 1) {
		before = tz_offset(z, at - 1);
		/* The clock went back, or jumped into the hour? */
		if (before > tz_offset(z, at) || at + before <= h.local) {
			h.start = at;
			break;
		}
		h.start = h.local - before;
	}
	h.end = h.local + HOUR - offset;
	for (probe = utc; tz_next(z, probe, &at) && at < h.end; probe = at) {
		after = tz_offset(z, at);
		if (after < tz_offset(z, at - 1) || at + after >= h.local + HOUR) {
			h.end = at;
			break;
		}
		h.end = h.local + HOUR - after;
	}
	return h;
}

static void civil_of_local(int64_t local, struct civil *c)
{
	int64_t day = floor_div(local, DAY);
	int s = (int)(local - day * DAY);

	civil_from_days(day, &c->year, &c->month, &c->day);
	c->hour = s / HOUR;
	c->minute = s / 60 % 60;
	c->second = s % 60;
}

static struct ds hour_label(const struct hour *h, const struct tz *z)
{
	struct ds d = {.every = EVERY_HOUR};
	int offset = tz_offset(z, h->start), abs = offset < 0 ? -offset : offset, n;
	struct civil c;
	int64_t first, second;

	civil_of_local(h->local, &c);
	n = snprintf(d.label, sizeof(d.label), "%04d-%02d-%02dT%02d", c.year % 100000, c.month % 100, c.day % 100,
	        c.hour % 100);
	civil_of_local(h->start + offset, &c);
	if (tz_to_utc(z, &c, &first, &second) != TZ_FOLD || first == h->start)
		return d;
	n += snprintf(d.label + n, sizeof(d.label) - (size_t)n, "%c%02d", offset < 0 ? '-' : '+', abs / HOUR % 100);
	if (abs % HOUR)
		n += snprintf(d.label + n, sizeof(d.label) - (size_t)n, "%02d", abs / 60 % 60);
	if (abs % 60)
		snprintf(d.label + n, sizeof(d.label) - (size_t)n, "%02d", abs % 60);
	return d;
}

static struct interval hour_interval(const struct parts *p, const struct tz *z)
{
	struct civil c = {p->year, p->month, p->day, p->hour, 0, 0};
	int64_t local = days_from_civil(p->year, p->month, p->day) * DAY + p->hour * HOUR, first, second;
	struct hour h;

	if (p->has_offset) {
		first = local - p->offset;
		/* The second passing of an hour may begin in its middle, where the clock went back to. */
		if (tz_offset(z, first) != p->offset)
			tz_next(z, first, &first);
		h = hour_at(first, z);
		if (h.local != local || tz_offset(z, h.start) != p->offset)
			return (struct interval){local - p->offset, local - p->offset + HOUR};
		return (struct interval){h.start, h.end};
	}
	tz_to_utc(z, &c, &first, &second);
	h = hour_at(first, z);
	return h.local == local ? (struct interval){h.start, h.end} : (struct interval){first, first};
}

/* n hours on from the one that holds utc: a step is an hour of the zone; long stretches of one offset are one jump. */
static int64_t hours_later(int64_t utc, int64_t n, const struct tz *z)
{
	while (n > 0) {
		struct hour h = hour_at(utc, z);
		int64_t change, whole = n;

		/* From h.end on there are whole hours up to the change, if the clock shows one at h.end. */
		if (tz_next(z, h.end - 1, &change))
			whole = (change - h.end) / HOUR;
		if ((h.end + tz_offset(z, h.end)) % HOUR)
			whole = 0;
		if (n - 1 <= whole)
			return h.end + (n - 1) * HOUR;
		utc = h.end + whole * HOUR;
		n -= 1 + whole;
	}
	while (n < 0) {
		struct hour h = hour_at(utc, z);
		int64_t change, whole = -n;

		if (tz_last(z, h.start - 1, &change))
			whole = (h.start - change) / HOUR;
		if ((h.start + tz_offset(z, h.start - 1)) % HOUR)
			whole = 0;
		if (-n <= whole)
			return h.start + n * HOUR;
		utc = whole ? h.start - whole * HOUR : h.start - 1;
		n += whole ? whole : 1;
	}
	return utc;
}

/* ---- intervals ---- */

struct interval ds_interval(const struct ds *d, const struct tz *z)
{
	struct parts p = parts_of(d);
	int64_t from, to;

	if (p.every == EVERY_NONE)
		return (struct interval){INT64_MIN, INT64_MAX};
	if (p.every == EVERY_HOUR)
		return hour_interval(&p, z);
	day_bounds(&p, &from, &to);
	return (struct interval){midnight(from, z), midnight(to, z)};
}

struct ds ds_at(enum every every, int64_t utc, const struct tz *z)
{
	struct hour h;
	int64_t day;

	if (every == EVERY_NONE)
		return (struct ds){.every = EVERY_NONE};
	utc = MAX(MIN_UTC, MIN(utc, MAX_UTC));
	if (every == EVERY_HOUR) {
		h = hour_at(utc, z);
		return hour_label(&h, z);
	}
	day = floor_div(utc + tz_offset(z, utc), DAY);
	/* Where the clock went back over midnight, the day that has begun goes on. */
	while (utc >= midnight(day + 1, z))
		day++;
	while (utc < midnight(day, z))
		day--;
	return of_day(every, day);
}

static struct ds days_later(const struct ds *d, int64_t n, const struct tz *z)
{
	struct parts p = parts_of(d);
	int64_t from, to, target, next;

	day_bounds(&p, &from, &to);
	for (target = from + n;; target = next) { /* days that the zone left out do not count */
		next = from + n;
		next += n > 0 ? tz_days_left_out(z, from, target) : -tz_days_left_out(z, target - 1, from - 1);
		if (next == target)
			break;
	}
	return of_day(EVERY_DAY, target);
}

struct ds ds_add(const struct ds *d, int64_t n, const struct tz *z)
{
	struct parts p = parts_of(d);
	struct interval i;
	int64_t from, to, month;

	n = MAX(-MAX_STEP, MIN(n, MAX_STEP));
	switch (p.every) {
	case EVERY_HOUR:
		i = hour_interval(&p, z);
		if (!n)
			return *d;
		n -= n > 0 && i.start == i.end; /* an hour that is left out: at its place is the next one already */
		return ds_at(EVERY_HOUR, hours_later(i.start, n, z), z);
	case EVERY_DAY:
		return days_later(d, n, z);
	case EVERY_WEEK:
		day_bounds(&p, &from, &to);
		return of_day(EVERY_WEEK, from + 7 * n);
	case EVERY_MONTH:
		month = MAX(0, MIN((int64_t)p.year * 12 + p.month - 1 + n, (int64_t)MAX_YEAR * 12));
		return of_day(EVERY_MONTH, days_from_civil((int)(month / 12), (int)(month % 12) + 1, 15));
	default:
		return *d;
	}
}

struct ds ds_last_ended(enum every every, int64_t utc, const struct tz *z)
{
	struct ds now = ds_at(every, utc, z);

	return ds_add(&now, -1, z);
}

enum ds_nest ds_nesting(const struct ds *inner, const struct ds *outer, const struct tz *z)
{
	struct interval i = ds_interval(inner, z), o = ds_interval(outer, z);

	if (i.start == o.start && i.end == o.end)
		return DS_SAME;
	if (i.end <= o.start || o.end <= i.start)
		return DS_APART;
	if (i.start >= o.start && i.end <= o.end)
		return DS_INSIDE;
	return o.start >= i.start && o.end <= i.end ? DS_CONTAINS : DS_CROSSES;
}

bool every_nests(enum every a, enum every b)
{
	return !((a == EVERY_WEEK && b == EVERY_MONTH) || (a == EVERY_MONTH && b == EVERY_WEEK));
}

/* ---- words of the user ---- */

static int check_label(struct ds *d, enum every every, const struct tz *z, struct err *e)
{
	struct interval i;
	struct parts p;

	if (d->every != every && every == EVERY_NONE) {
		err_set(e, ERR_BAD_DS, "the job has no partition, so it takes no ds");
		return err_hint(e, "leave %s out", d->label[0] ? d->label : "it");
	}
	if (d->every != every) {
		err_set(e, ERR_BAD_DS, "the job is %s, %s is %s", kinds[every].word, d->label[0] ? d->label : "nothing",
		        kinds[d->every].noun);
		return err_hint(e, "write %s as %s", kinds[every].noun, kinds[every].example);
	}
	i = ds_interval(d, z);
	if (i.start == i.end) {
		err_set(e, ERR_BAD_DS, "there is no %s in %s", d->label, tz_name(z));
		return err_hint(e, "the clocks there were put forward over it");
	}
	p = parts_of(d);
	if (p.has_offset && tz_offset(z, i.start) != p.offset) {
		err_set(e, ERR_BAD_DS, "there is no %s in %s, where the offset is another one then", d->label,
		        tz_name(z));
		return err_hint(e, "only an hour that is there twice has an offset in its label");
	}
	if (p.has_offset) /* the first of two hours has its offset written, too: its label has none */
		*d = ds_at(EVERY_HOUR, i.start, z);
	return 0;
}

/* One end: a label or a word. `today` of an hourly job is a range by itself. */
static int one_word(struct str word, enum every every, const struct tz *z, int64_t now, struct ds_range *out,
        struct err *e)
{
	struct ds day;
	struct interval i;
	static const struct str words[] = {{"today", 5}, {"yesterday", 9}, {"newest", 6}};
	int near;

	if (str_is(word, "newest")) {
		out->newest = true;
		return 0;
	}
	if (str_is(word, "today") || str_is(word, "yesterday")) {
		if (every == EVERY_NONE) {
			err_set(e, ERR_BAD_DS, "the job is not partitioned, \"%.*s\" is a day", STR_ARG(word));
			return err_hint(e, "it has no ds: leave it out");
		}
		day = ds_at(EVERY_DAY, now, z);
		if (word.p[0] == 'y')
			day = ds_add(&day, -1, z);
		i = ds_interval(&day, z);
		out->from = ds_at(every, i.start, z);
		out->to = ds_at(every, i.end - 1, z);
		return 0;
	}
	if (ds_parse(word, &out->from, e)) {
		near = str_nearest(word, words, ARRAY_LEN(words));
		return near >= 0 ? err_hint(e, "did you mean %s?", words[near].p) : -1;
	}
	if (check_label(&out->from, every, z, e))
		return -1;
	out->to = out->from;
	return 0;
}

static int check_range(const struct ds_range *r, struct str word, const struct tz *z, struct err *e)
{
	static const int shortest[] = {1, 1200, DAY - 7200, 6 * DAY, 27 * DAY};
	int64_t from = ds_interval(&r->from, z).start, to = ds_interval(&r->to, z).start;

	if (from > to) {
		err_set(e, ERR_BAD_DS, "the range %s ends before it begins", STR_SHOWN(word));
		return err_hint(e, "write %s..%s", r->to.label, r->from.label);
	}
	if (r->from.every != EVERY_NONE && (to - from) / shortest[r->from.every] > 3 * (int64_t)DS_RANGE_MAX)
		return err_set(e, ERR_LIMIT, "the range %s has more than %d partitions", STR_SHOWN(word), DS_RANGE_MAX);
	return 0;
}

int ds_words(struct str word, enum every every, const struct tz *z, int64_t now, struct ds_range *out, struct err *e)
{
	struct ds_range r = {0}, last = {0};
	const char *dots = word.n ? memmem(word.p, word.n, "..", 2) : NULL;
	struct str from = word;

	if (dots)
		from = str_sub(word, 0, (size_t)(dots - word.p));
	if (one_word(from, every, z, now, &r, e))
		return -1;
	if (dots) {
		if (r.newest) {
			err_set(e, ERR_BAD_DS, "the range %s begins with its newest", STR_SHOWN(word));
			return err_hint(e, "newest may stand at the end: 2017-11-01..newest");
		}
		if (!from.n || one_word(str_sub(word, from.n + 2, word.n), every, z, now, &last, e)) {
			if (!from.n)
				refuse(word, "", e);
			return err_hint(e, "a range is written 2017-11-01..2017-11-30, both ends included");
		}
		r.to = last.to;
		r.newest = last.newest;
		if (!r.newest && check_range(&r, word, z, e))
			return -1;
	}
	*out = r;
	return 0;
}
