#include "base/cron.h"

#include "base/keys.h"
#include "base/str.h"
#include "base/tz.h"

#define DAY 86400
#define DAYS_TRIED (9 * 366) /* a 29 February is at most 8 years from the next one */
#define FIELDS_HINT "five fields, as in \"30 6 * * *\": minute, hour, day of month, month, day of week"

struct field {
	const char *name;
	unsigned min, max;
	const char *words; /* of three letters each, from min on; NULL */
};
static const struct field fields[] = {
	{"second", 0, 59, NULL},
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of month", 1, 31, NULL},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{"day of week", 0, 7, "sunmontuewedthufrisat"},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- the text --- */

/* A number or a word at the beginning of *s. */
static int value(const struct field *f, struct str *s, unsigned *out, struct err *e)
{
	unsigned n = 0;
	size_t len = 0;

	for (; len < s->n && is_digit(s->p[len]); len++)
		n = MIN(n * 10 + (unsigned)(s->p[len] - '0'), 100000U);
	for (unsigned i = 0; !len && f->words && s->n >= 3 && f->words[3 * i]; i++) {
		const char *w = f->words + 3 * i;

		if ((s->p[0] | 32) == w[0] && (s->p[1] | 32) == w[1] && (s->p[2] | 32) == w[2]) {
			n = f->min + i;
			len = 3;
		}
	}
	if (!len)
		return err_hint(e, FIELDS_HINT);
	if (n > f->max)
		return err_hint(e, "the %s goes to %u", f->name, f->max);
	if (n < f->min)
		return err_hint(e, "the %s begins with %u", f->name, f->min);
	*s = str_sub(*s, len, s->n);
	*out = n;
	return 0;
}

/* What bits do not say: L, 5#2, 5L. 1: it was one of them, 0, -1. */
static int day_of_its_own(const struct field *f, struct str s, struct cron *out, struct err *e)
{
	struct err not_one = ERR_INIT;
	bool weekday = f->max == 7;
	unsigned day, nth = 6;

	if (f->min == 1 && f->max == 31 && s.n == 1 && (*s.p | 32) == 'l') {
		out->last_day = true;
		return 1;
	}
	if (!weekday || value(f, &s, &day, &not_one) || !s.n || (*s.p != '#' && (*s.p | 32) != 'l'))
		return 0;
	if (*s.p == '#') {
		const struct field week = {"number after #", 1, 5, NULL};

		s = str_sub(s, 1, s.n);
		if (value(&week, &s, &nth, e))
			return -1;
	} else {
		s = str_sub(s, 1, s.n);
	}
	if (s.n)
		return err_hint(e, FIELDS_HINT);
	out->nth[day % 7] |= (uint8_t)(1U << (nth - 1));
	return 1;
}

/* One of a list: *, 5, 1-5, with or without a step. */
static int item(const struct field *f, struct str s, uint64_t *bits, bool *any, struct err *e)
{
	unsigned from = f->min, to = f->max, step = 1;
	bool star = s.n && (s.p[0] == '*' || s.p[0] == '?'), range = star;

	if (star) {
		s = str_sub(s, 1, s.n);
		to = f->max == 7 ? 6 : f->max;
	} else {
		if (value(f, &s, &from, e))
			return -1;
		to = from;
		if (s.n && s.p[0] == '-') {
			s = str_sub(s, 1, s.n);
			range = true;
			if (value(f, &s, &to, e))
				return -1;
		}
		if (to < from)
			return err_hint(e, "a range begins with its smaller end: %u-%u", to, from);
	}
	if (s.n && s.p[0] == '/') {
		const struct field any_step = {"step", 1, 1000, NULL};

		s = str_sub(s, 1, s.n);
		if (value(&any_step, &s, &step, e))
			return -1;
		if (!range)
			to = f->max;
	}
	if (s.n)
		return err_hint(e, FIELDS_HINT);
	*any |= star && step == 1;
	for (unsigned n = from; n <= to; n += step)
		*bits |= (uint64_t)1 << n;
	return 0;
}

static int list(const struct field *f, struct str s, uint64_t *bits, bool *any, struct cron *out, struct err *e)
{
	struct str one, rest = s;

	for (bool more = true; more;) {
		int own;

		more = str_cut(rest, ',', &one, &rest);
		own = day_of_its_own(f, more ? one : rest, out, e);
		if (own < 0 || (!own && item(f, more ? one : rest, bits, any, e)))
			return -1;
	}
	return 0;
}

/* The words of a text parted by blanks, at most `cap`; more count as cap + 1. */
static size_t split(struct str s, struct str *out, size_t cap)
{
	size_t n = 0;

	while ((s = str_trim(s)).n) {
		size_t len = 0;

		while (len < s.n && s.p[len] != ' ' && s.p[len] != '\t')
			len++;
		if (n == cap)
			return cap + 1;
		out[n++] = str_sub(s, 0, len);
		s = str_sub(s, len, s.n);
	}
	return n;
}

static int parse_fields(struct str s, struct cron *out, struct err *e)
{
	struct str words[ARRAY_LEN(fields)];
	size_t n = split(s, words, ARRAY_LEN(words)), first = ARRAY_LEN(fields) - n;
	uint64_t bits[ARRAY_LEN(fields)] = {1}; /* without a field of seconds: the full minute */
	bool any[ARRAY_LEN(fields)] = {false};
	struct cron c = {.kind = CRON_FIELDS};
	int64_t ignored;

	if (n != 5 && n != 6)
		return err_hint(e, FIELDS_HINT);
	if (n == 6)
		bits[0] = 0;
	for (size_t i = 0; i < n; i++)
		if (list(&fields[first + i], words[i], &bits[first + i], &any[first + i], &c, e))
			return -1;
	c.second = bits[0];
	c.minute = bits[1];
	c.hour = (uint32_t)bits[2];
	c.day = (uint32_t)bits[3];
	c.month = (uint32_t)bits[4];
	c.weekday = (uint8_t)((bits[5] | bits[5] >> 7) & 127);
	c.any_day = any[3];
	c.any_weekday = any[5];
	c.elapsed = *words[n - 5].p == '*' || *words[n - 4].p == '*';
	*out = c;
	return cron_next(out, 0, &ignored) ? 0 : err_hint(e, "there is no such day in any year");
}

static int parse(struct str s, struct cron *out, struct err *e)
{
	static const struct {
		const char *word, *fields;
	} words[] = {
		{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
		{"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
		{"@annually", "0 0 1 1 *"},
	};
	int64_t ms;

	*out = (struct cron){.kind = CRON_NEVER};
	if (str_is(s, "never") || str_is(s, "@never"))
		return 0;
	if (str_has_prefix(s, STR("@every"))) {
		out->kind = CRON_EVERY;
		if (s.n < 8 || (s.p[6] != ' ' && s.p[6] != '\t') || !keys_duration(str_trim(str_sub(s, 6, s.n)), &ms) ||
		    ms < 1000)
			return err_hint(e, "@every takes a duration of a second or more: @every 90s, @every 1h30m");
		out->every = ms / 1000;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(s, words[i].word))
			return parse_fields(str_of(words[i].fields), out, e);
	if (s.n && s.p[0] == '@')
		return err_hint(e, "@hourly, @daily, @weekly, @monthly, @yearly or @every 90s");
	if (str_has_prefix(s, STR("TZ=")) || str_has_prefix(s, STR("CRON_TZ=")))
		return err_hint(e, "the zone does not stand here: " FIELDS_HINT);
	return parse_fields(s, out, e);
}

int cron_parse(struct str text, struct cron *out, struct err *e)
{
	struct err mine = ERR_INIT;
	struct cron c;

	if (!parse(str_trim(text), &c, &mine)) {
		*out = c;
		return 0;
	}
	err_set(e, ERR_BAD_CONFIG, "\"%s\" does not say when", STR_SHOWN(text));
	return err_hint(e, "%s", mine.hint);
}

/* --- times --- */

static bool is_day(const struct cron *c, int64_t day)
{
	int year, month, in_month;
	int64_t weekday = (day + 4) % 7; /* 1970-01-01 was a Thursday */
	bool by_day, by_weekday;

	civil_from_days(day, &year, &month, &in_month);
	if (weekday < 0)
		weekday += 7;
	if (!(c->month >> month & 1))
		return false;
	by_day = c->day >> in_month & 1 || (c->last_day && in_month == days_in_month(year, month));
	by_weekday = c->weekday >> weekday & 1 || c->nth[weekday] >> (in_month - 1) / 7 & 1 ||
	             (c->nth[weekday] >> 5 & 1 && in_month + 7 > days_in_month(year, month));
	return c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* The first second of a day, from `from` on, that the fields name; -1. */
static int64_t first_in_day(const struct cron *c, int64_t from)
{
	for (int64_t h = from / 3600; h < 24; h++) {
		if (!(c->hour >> h & 1))
			continue;
		for (int64_t m = h == from / 3600 ? from / 60 % 60 : 0; m < 60; m++) {
			if (!(c->minute >> m & 1))
				continue;
			for (int64_t s = h * 60 + m == from / 60 ? from % 60 : 0; s < 60; s++)
				if (c->second >> s & 1)
					return h * 3600 + m * 60 + s;
		}
	}
	return -1;
}

static int64_t last_in_day(const struct cron *c, int64_t until)
{
	for (int64_t h = until / 3600; h >= 0; h--) {
		if (!(c->hour >> h & 1))
			continue;
		for (int64_t m = h == until / 3600 ? until / 60 % 60 : 59; m >= 0; m--) {
			if (!(c->minute >> m & 1))
				continue;
			for (int64_t s = h * 60 + m == until / 60 ? until % 60 : 59; s >= 0; s--)
				if (c->second >> s & 1)
					return h * 3600 + m * 60 + s;
		}
	}
	return -1;
}

bool cron_next(const struct cron *c, int64_t after, int64_t *out)
{
	int64_t day = floor_div(after + 1, DAY), in_day = after + 1 - day * DAY;

	if (c->kind == CRON_EVERY)
		*out = after + c->every;
	if (c->kind != CRON_FIELDS)
		return c->kind == CRON_EVERY;
	for (int i = 0; i < DAYS_TRIED; i++, day++, in_day = 0) {
		int64_t at = is_day(c, day) ? first_in_day(c, in_day) : -1;

		if (at >= 0) {
			*out = day * DAY + at;
			return true;
		}
	}
	return false;
}

bool cron_last(const struct cron *c, int64_t since, int64_t until, int64_t *out)
{
	int64_t day = floor_div(until, DAY), in_day = until - day * DAY;

	if (until <= since || c->kind == CRON_NEVER)
		return false;
	if (c->kind == CRON_EVERY) {
		*out = until - (until - since) % c->every;
		return *out > since;
	}
	for (int i = 0; i < DAYS_TRIED && day * DAY + DAY > since; i++, day--, in_day = DAY - 1) {
		int64_t at = is_day(c, day) ? last_in_day(c, in_day) : -1;

		if (at >= 0) {
			*out = day * DAY + at;
			return *out > since;
		}
	}
	return false;
}
