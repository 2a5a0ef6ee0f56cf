#include "base/ds.h"
#include "base/str.h"
#include "t.h"

#define HOUR 3600
#define DAY 86400

static const struct tz *zone(const char *name)
{
	const struct tz *z = tz_utc();
	struct err e = ERR_INIT;

	T_NO_ERR(tz_load(name, &z, &e), &e, "the zone %s is there", name);
	return z;
}

static struct ds label(const char *text)
{
	struct ds d = {0};
	struct err e = ERR_INIT;

	if (ds_parse(str_of(text), &d, &e))
		T_OK(false, "%s is a label (%s)", text, e.msg);
	return d;
}

static int64_t utc(const char *text)
{
	int64_t ms = 0;

	T_OK(time_parse_rfc3339(str_of(text), &ms), "%s is a time", text);
	return ms / 1000;
}

static void length_is(const char *text, const struct tz *z, int64_t want, const char *start)
{
	struct ds d = label(text);
	struct interval i = ds_interval(&d, z);
	char got[TIME_TEXT];

	time_rfc3339(i.start * 1000, got);
	got[16] = '\0'; /* to the minute */
	T_INT(i.end - i.start, want, "%s in %s lasts %lld s", text, tz_name(z), (long long)want);
	T_STR(got, start, "%s in %s begins at %s UTC", text, tz_name(z), start);
}

static void later(const char *from, int64_t n, const struct tz *z, const char *want)
{
	struct ds d = label(from), got = ds_add(&d, n, z), back = ds_add(&got, -n, z);

	T_STR(got.label, want, "%s and %lld in %s is %s", from, (long long)n, tz_name(z), want);
	T_STR(back.label, from, "and back again");
}

/* Whether the partitions from `from` on follow each other without gap or overlap, and hold their own instants. */
static bool tiles(enum every every, const char *from, int n, const struct tz *z)
{
	struct ds d = ds_at(every, utc(from), z);

	for (int i = 0; i < n; i++) {
		struct interval in = ds_interval(&d, z);
		struct ds next = ds_add(&d, 1, z), first = ds_at(every, in.start, z),
		        last = ds_at(every, in.end - 1, z);
		struct interval after = ds_interval(&next, z);

		if (in.start >= in.end || after.start != in.end || !ds_eq(&first, &d) || !ds_eq(&last, &d)) {
			printf("# at %s, next %s\n", d.label, next.label);
			return false;
		}
		d = next;
	}
	return true;
}

static void clock_changes(void)
{
	const struct tz *paris = zone("Europe/Paris"), *berlin = zone("Europe/Berlin"),
	        *york = zone("America/New_York");
	const struct tz *apia = zone("Pacific/Apia"), *howe = zone("Australia/Lord_Howe"),
	        *johns = zone("America/St_Johns");
	static const char *const begins[] = {"2026-03-28T20:00Z", "2026-10-24T20:00Z", "2026-11-01T00:00Z",
	        "2026-03-08T00:00Z",
	                                     "2026-04-04T00:00Z", "2026-10-03T00:00Z", "2011-12-29T00:00Z",
	        "2006-10-29T00:00Z"};
	const struct tz *zones[] = {paris, berlin, york, apia, howe, johns, tz_utc()};

	length_is("2026-03-29", paris, 23 * HOUR, "2026-03-28T23:00");
	length_is("2026-10-25", paris, 25 * HOUR, "2026-10-24T22:00");
	length_is("2026-03-29", berlin, 23 * HOUR, "2026-03-28T23:00");
	length_is("2026-10-25", berlin, 25 * HOUR, "2026-10-24T22:00");
	length_is("2026-11-01", york, 25 * HOUR, "2026-11-01T04:00");
	length_is("2026-03-08", york, 23 * HOUR, "2026-03-08T05:00");
	length_is("2026-10-25T02", paris, HOUR, "2026-10-25T00:00");
	length_is("2026-10-25T02+01", paris, HOUR, "2026-10-25T01:00");
	length_is("2026-03-29T02", paris, 0, "2026-03-29T01:00");
	length_is("2026-W44", paris, 7 * DAY, "2026-10-25T23:00");
	length_is("2026-W43", paris, 7 * DAY + HOUR, "2026-10-18T22:00");
	length_is("2011-12-30", apia, 0, "2011-12-30T10:00");
	length_is("2011-12-31", apia, DAY, "2011-12-30T10:00");
	length_is("2066-07-01", paris, DAY, "2066-06-30T22:00");
	later("2011-12-29", 1, apia, "2011-12-31");
	later("2011-12-28", 10, apia, "2012-01-08");
	later("2026-10-25T02", 1, paris, "2026-10-25T02+01");
	later("2026-10-25T02+01", 1, paris, "2026-10-25T03");
	later("2026-03-29T01", 1, paris, "2026-03-29T03");
	later("2026-01-01T00", 24 * 365, paris, "2027-01-01T00");
	for (size_t k = 0; k < ARRAY_LEN(zones); k++)
		for (size_t i = 0; i < ARRAY_LEN(begins); i++)
			T_OK(tiles(EVERY_HOUR, begins[i], 60, zones[k]) && tiles(EVERY_DAY, begins[i], 5, zones[k]),
			     "hours and days tile the time after %s in %s", begins[i], tz_name(zones[k]));
}

static void weeks_and_months(void)
{
	static const struct {
		const char *day, *week;
	} weeks[] = {{"2017-01-01", "2016-W52"}, {"2018-12-31", "2019-W01"}, {"2020-12-31", "2020-W53"},
	        {"2021-01-03", "2020-W53"},
	             {"2021-01-04", "2021-W01"}, {"2017-11-27", "2017-W48"}, {"2024-12-30", "2025-W01"}};
	struct ds d;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(weeks); i++) {
		d = ds_at(EVERY_WEEK, utc(weeks[i].day), tz_utc());
		T_STR(d.label, weeks[i].week, "the week of %s is that of ISO 8601", weeks[i].day);
	}
	T_INT(ds_parse(STR("2021-W53"), &d, &e), -1, "a year of 52 weeks has no 53rd");
	later("2020-W53", 1, tz_utc(), "2021-W01");
	later("2017-11", 2, tz_utc(), "2018-01");
	later("2017-11", -11, tz_utc(), "2016-12");
	later("2016-02-28", 1, tz_utc(), "2016-02-29");
	length_is("2016-02", tz_utc(), 29 * DAY, "2016-02-01T00:00");
}

static void nesting(void)
{
	static const struct {
		const char *inner, *outer;
		enum ds_nest how;
	} cases[] = {
		{"2017-11-27", "2017-11-27", DS_SAME}, {"2017-11-27T05", "2017-11-27", DS_INSIDE},
		{"2017-11-27", "2017-11-27T05", DS_CONTAINS},
		{"2017-11-27", "2017-W48", DS_INSIDE}, {"2017-11-27", "2017-W47", DS_APART},
		{"2017-W48", "2017-11", DS_CROSSES},
		{"2017-W47", "2017-11", DS_INSIDE}, {"2017-11-30", "2017-11", DS_INSIDE},
		{"2017-11-27", "2017-11-28", DS_APART},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ds in = label(cases[i].inner), out = label(cases[i].outer);

		T_INT(ds_nesting(&in, &out, tz_utc()), cases[i].how, "%s lies to %s as it should", cases[i].inner,
		        cases[i].outer);
	}
	T_OK(every_nests(EVERY_HOUR, EVERY_MONTH) && every_nests(EVERY_WEEK, EVERY_DAY),
	        "hours lie in months, days in weeks");
	T_OK(!every_nests(EVERY_WEEK, EVERY_MONTH) && !every_nests(EVERY_MONTH, EVERY_WEEK),
	        "weeks and months do not nest");
}

static void labels(void)
{
	static const struct {
		const char *label, *says;
	} bad[] = {{"2017-99-99", "no month 99"}, {"2017-02-29", "no day 29"}, {"2017-W54", "no week 54"},
	        {"2017-11-27T24", "00 to 23"},
	           {"20171127", "did you mean 2017-11-27?"}, {"0000-01-01", "0001"}, {"2017-1-1", "write a day as"},
	        {"x", "write a day as"}};
	struct ds d = {.label = "kept"}, f;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;

		T_INT(ds_parse(str_of(bad[i].label), &d, &e), -1, "%s is no label", bad[i].label);
		T_ERR(&e, ERR_BAD_DS, bad[i].says, "the refusal of %s says %s", bad[i].label, bad[i].says);
	}
	T_STR(d.label, "kept", "a refusal leaves the output alone");
	T_OK(ds_of_folder(STR("ds=2017-W48"), &f) && f.every == EVERY_WEEK, "a folder of a week is one");
	T_OK(!ds_of_folder(STR("ds="), &f) && !ds_of_folder(STR("ds=2017-99-99"), &f) &&
	        !ds_of_folder(STR("2017-11-27"), &f),
	     "other folders are none");
	struct ds a = label("2026-10-25T02"), b = label("2026-10-25T02+01"), c = label("2026-10-25T03");
	T_OK(ds_cmp(&a, &b) < 0 && ds_cmp(&b, &c) < 0, "doubled hours are in order");
}

static void words(void)
{
	const struct tz *paris = zone("Europe/Paris");
	static const struct {
		const char *word;
		enum every every;
		const char *from, *to; /* from NULL: to is what the refusal says */
	} cases[] = {
		{"today", EVERY_DAY, "2026-10-25", "2026-10-25"}, {"yesterday", EVERY_DAY, "2026-10-24", "2026-10-24"},
		{"today", EVERY_HOUR, "2026-10-25T00", "2026-10-25T23"}, {"today", EVERY_WEEK, "2026-W43", "2026-W43"},
		{"2017-11-29..2017-12-03", EVERY_DAY, "2017-11-29", "2017-12-03"},
		{"yesterday..today", EVERY_DAY, "2026-10-24", "2026-10-25"},
		{"2026-10-25T02+02", EVERY_HOUR, "2026-10-25T02", "2026-10-25T02"},
		{"2017-12-03..2017-11-29", EVERY_DAY, NULL, "2017-11-29..2017-12-03"},
		{"2017-W48", EVERY_DAY, NULL, "the job is daily, 2017-W48 is a week"},
		{"2017-11-27", EVERY_NONE, NULL, "leave 2017-11-27 out"},
		{"2026-03-29T02", EVERY_HOUR, NULL, "there is no 2026-03-29T02 in Europe/Paris"},
		{"todya", EVERY_DAY, NULL, "did you mean today?"},
		{"..2017-11-27", EVERY_DAY, NULL, ""}, {"2017-11-27..", EVERY_DAY, NULL, ""},
		{"0001-01-01T00..9999-01-01T00", EVERY_HOUR, NULL, "partitions"},
	};
	int64_t now = utc("2026-10-24T22:30:00Z"); /* half past midnight in Paris */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ds_range r = {0};
		struct err e = ERR_INIT;
		int rc = ds_words(str_of(cases[i].word), cases[i].every, paris, now, &r, &e);

		if (cases[i].from)
			T_OK(!rc && !strcmp(r.from.label, cases[i].from) && !strcmp(r.to.label, cases[i].to),
			        "%s of a %s job is %s to %s",
			     cases[i].word, every_word(cases[i].every), cases[i].from, cases[i].to);
		else
			T_ERR(&e, i == ARRAY_LEN(cases) - 1 ? ERR_LIMIT : ERR_BAD_DS, cases[i].to,
			        "%s of a %s job is refused", cases[i].word,
			      every_word(cases[i].every));
	}
	struct ds_range r = {0};
	struct err e = ERR_INIT;
	T_OK(!ds_words(STR("2017-11-01..newest"), EVERY_DAY, paris, now, &r, &e) && r.newest &&
	        !strcmp(r.from.label, "2017-11-01"),
	     "a range may end with the newest");
	T_OK(!ds_words(STR("newest"), EVERY_DAY, paris, now, &r, &e) && r.newest && !r.from.label[0],
	        "newest alone is left to the caller");
	struct ds last = ds_last_ended(EVERY_DAY, utc("2017-11-28T00:00:00Z"), tz_utc());
	T_STR(last.label, "2017-11-27", "a day has ended when the next begins");
}

static void zones(void)
{
	static const char *const bad[] = {"../etc/passwd", "/etc/localtime", "", "Europe", "Europe/../Europe/Paris",
	        "right/UTC"};
	const struct tz *z = NULL;
	struct err e = ERR_INIT;
	int64_t ms;
	char text[TIME_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err no = ERR_INIT;

		T_INT(tz_load(bad[i], &z, &no), -1, "the zone \"%s\" is refused", bad[i]);
	}
	T_OK(!z && tz_load("europe/pariss", &z, &e) && strstr(e.hint, "Europe/Paris"),
	        "a zone that is not there has a nearest one");
	e = (struct err)ERR_INIT;
	T_OK(tz_load("paris", &z, &e) && strstr(e.hint, "Europe/Paris"), "a city alone is found");
	T_OK(time_parse_rfc3339(STR("2017-11-27 05:00"), &ms) && ms == 1511758800000, "a time without zone is UTC");
	T_OK(time_parse_rfc3339(STR("2017-11-27T06:00:00.250+01:00"), &ms) && ms == 1511758800250, "an offset counts");
	T_OK(!time_parse_rfc3339(STR("2017-02-29T00:00Z"), &ms) && !time_parse_rfc3339(STR("2017-11-27T25:00Z"), &ms) &&
	             !time_parse_rfc3339(STR("2017-11-27T05:00Zx"), &ms),
	     "what is no time is refused");
	time_rfc3339(-1, text);
	T_STR(text, "1969-12-31T23:59:59.999Z", "times before 1970 are written right");
	bool same = true;
	for (int64_t day = -800000; day < 3000000; day += 97) {
		int y, m, d;

		civil_from_days(day, &y, &m, &d);
		same = same && days_from_civil(y, m, d) == day && civil_is_date(y, m, d);
	}
	T_OK(same, "days and dates agree over 10,000 years");
}

int main(void)
{
	struct err e = ERR_INIT;
	const struct tz *z;

	if (tz_load("Europe/Paris", &z, &e))
		T_SKIP_ALL("no zone files here (tzdata)");
	clock_changes();
	weeks_and_months();
	nesting();
	labels();
	words();
	zones();
	return t_done();
}
