#include "base/slot.h"
#include "base/str.h"
#include "t.h"

static int64_t utc(const char *text)
{
	int64_t ms = 0;

	T_OK(time_parse_rfc3339(str_of(text), &ms), "%s is a time", text);
	return ms / 1000;
}

static struct slot_rule rule(const char *cron, const char *zone)
{
	struct slot_rule r = {0};
	struct err e = ERR_INIT;

	T_OK(!cron_parse(str_of(cron), &r.cron, &e) && !tz_load(zone, &r.tz, &e), "\"%s\" in %s: %s", cron, zone,
	     e.msg);
	return r;
}

/* `wants`: slots one after the other, with what is said of each: "" left-out skipped second */
struct want {
	const char *at, *note;
};
static void follows(const struct slot_rule *r, const char *what, const char *after, const struct want *w, size_t n)
{
	static const char *const notes[] = {"", "left-out", "skipped", "second"};
	int64_t at = utc(after);

	for (size_t i = 0; i < n; i++) {
		char got[TIME_TEXT] = "none";
		struct slot s = {0};

		if (slot_next(r, at, &s))
			time_rfc3339(s.at * 1000, got);
		got[16] = '\0';
		T_OK(!strcmp(got, w[i].at) && !strcmp(notes[s.note], w[i].note), "%s: after %lld: %s %s, wanted %s %s",
		     what, (long long)at, got, notes[s.note], w[i].at, w[i].note);
		at = s.at;
	}
}
#define FOLLOWS(r, what, after, ...)                                                                                   \
	do {                                                                                                           \
		static const struct want wants[] = {__VA_ARGS__};                                                      \
		follows(r, what, after, wants, ARRAY_LEN(wants));                                                      \
	} while (0)

static int count(const struct slot_rule *r, const char *from, const char *to, int64_t *least, int64_t *most)
{
	int64_t at = utc(from) - 1, end = utc(to), last = 0;
	struct slot s;
	int n = 0;

	*least = INT64_MAX;
	*most = 0;
	while (slot_next(r, at, &s) && s.at < end) {
		if (n++) {
			*least = MIN(*least, s.at - last);
			*most = MAX(*most, s.at - last);
		}
		at = last = s.at;
	}
	return n;
}

static void fixed_times(void)
{
	struct slot_rule r = rule("30 2 * * *", "Europe/Berlin");

	FOLLOWS(&r, "02:30 at the change to summer time", "2026-03-27T12:00:00Z", {"2026-03-28T01:30", ""},
	        {"2026-03-29T01:00", "left-out"}, {"2026-03-30T00:30", ""});
	FOLLOWS(&r, "02:30 at the change back", "2026-10-24T12:00:00Z", {"2026-10-25T00:30", ""},
	        {"2026-10-26T01:30", ""});
	r.fold = SLOT_FOLD_BOTH;
	FOLLOWS(&r, "both of them", "2026-10-24T12:00:00Z", {"2026-10-25T00:30", ""}, {"2026-10-25T01:30", "second"},
	        {"2026-10-26T01:30", ""});
	r.gap = SLOT_GAP_SKIP;
	FOLLOWS(&r, "what is skipped is told", "2026-03-27T12:00:00Z", {"2026-03-28T01:30", ""},
	        {"2026-03-29T01:00", "skipped"}, {"2026-03-30T00:30", ""});

	r = rule("0,30 2,3 * * *", "Europe/Berlin");
	FOLLOWS(&r, "several in the gap and at its end are one", "2026-03-28T12:00:00Z",
	        {"2026-03-29T01:00", "left-out"}, {"2026-03-29T01:30", ""}, {"2026-03-30T00:00", ""},
	        {"2026-03-30T00:30", ""});
	FOLLOWS(&r, "in the fold once each", "2026-10-24T12:00:00Z", {"2026-10-25T00:00", ""}, {"2026-10-25T00:30", ""},
	        {"2026-10-25T02:00", ""}, {"2026-10-25T02:30", ""});
	r.gap = SLOT_GAP_SKIP;
	FOLLOWS(&r, "one at the end of the gap fires though those in it are skipped", "2026-03-28T12:00:00Z",
	        {"2026-03-29T01:00", ""}, {"2026-03-29T01:30", ""});
	r.fold = SLOT_FOLD_BOTH;
	FOLLOWS(&r, "in the fold in the order of time", "2026-10-24T12:00:00Z", {"2026-10-25T00:00", ""},
	        {"2026-10-25T00:30", ""}, {"2026-10-25T01:00", "second"}, {"2026-10-25T01:30", "second"},
	        {"2026-10-25T02:00", ""});
	r = rule("0 12 * * *", "Pacific/Apia");
	FOLLOWS(&r, "a day that a zone left out", "2011-12-28T23:00:00Z", {"2011-12-29T22:00", ""},
	        {"2011-12-30T10:00", "left-out"}, {"2011-12-30T22:00", ""});
}

static void time_that_passes(void)
{
	struct slot_rule r = rule("0 * * * *", "Europe/Berlin");
	int64_t least, most;

	T_INT(count(&r, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", &least, &most), 23,
	      "hourly: 23 on the short day");
	T_OK(least == 3600 && most == 3600, "... an hour apart");
	T_INT(count(&r, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", &least, &most), 25,
	      "hourly: 25 on the long day");
	T_OK(least == 3600 && most == 3600, "... an hour apart");
	r = rule("*/15 2 * * *", "Europe/Berlin");
	T_INT(count(&r, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", &least, &most), 0,
	      "none in an hour that is not there");
	T_INT(count(&r, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", &least, &most), 8,
	      "eight in one that is there twice");
	r = rule("@every 90m", "Europe/Berlin");
	r.since = utc("2026-03-28T23:00:00Z");
	T_INT(count(&r, "2026-03-28T23:00:01Z", "2026-03-29T22:00:00Z", &least, &most), 15,
	      "@every 90m: 15 in 23 hours");
	T_OK(least == 5400 && most == 5400, "... as far apart as it says");
	FOLLOWS(&r, "@every begins with its first", "2026-03-01T00:00:00Z", {"2026-03-29T00:30", ""});
	r = rule("0 0 1 1 *", "UTC");
	FOLLOWS(&r, "far away", "2390-06-01T00:00:00Z", {"2391-01-01T00:00", ""});
	r = rule("never", "UTC");
	T_OK(!slot_next(&r, 0, &(struct slot){0}), "never has none");
}

/* Whatever the rule and the zone, one slot after the other, and the clock shows what the rule says. */
static void always(void)
{
	static const char *const zones[] = {"Europe/Berlin",     "America/New_York", "Australia/Lord_Howe",
	                                    "Africa/Casablanca", "Asia/Kathmandu",   "America/Scoresbysund"};
	static const char *const rules[] = {"30 2 * * *", "15 0-3 * * *", "*/10 * * * *", "0 0 * * *", "59 1,2 * * 0"};
	int bad = 0, n = 0;

	for (size_t z = 0; z < ARRAY_LEN(zones); z++)
		for (size_t k = 0; k < ARRAY_LEN(rules) * 4; k++) {
			struct slot_rule r = rule(rules[k / 4], zones[z]);
			int64_t at = utc("2024-01-01T00:00:00Z");
			struct slot s;

			r.gap = k & 1 ? SLOT_GAP_SKIP : SLOT_GAP_RUN;
			r.fold = k & 2 ? SLOT_FOLD_BOTH : SLOT_FOLD_FIRST;
			for (int i = 0; i < 2000 && slot_next(&r, at, &s); i++, n++) {
				bool shown = s.at + tz_offset(r.tz, s.at) == s.local;

				bad += s.at <= at || (s.note <= SLOT_PLAIN || s.note == SLOT_SECOND ? !shown : shown);
				at = s.at;
			}
		}
	T_OK(!bad && n > 200000, "%d slots in order, each where the clock shows its time or leaves it out: %d bad", n,
	     bad);
}

int main(void)
{
	fixed_times();
	time_that_passes();
	always();
	return t_done();
}
