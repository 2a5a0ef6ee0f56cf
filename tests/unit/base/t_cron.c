#include "base/cron.h"
#include "base/str.h"
#include "base/tz.h"
#include "t.h"

static int64_t utc(const char *text)
{
	int64_t ms = 0;

	T_OK(time_parse_rfc3339(str_of(text), &ms), "%s is a time", text);
	return ms / 1000;
}

static bool parsed(const char *text, struct cron *out)
{
	struct err e = ERR_INIT;

	if (!cron_parse(str_of(text), out, &e))
		return true;
	T_OK(false, "'%s' says when (%s)", text, e.hint);
	return false;
}

/* `wants`: times one after the other, each the next of the one before, and back again. */
static void follows(const char *text, const char *after, const char *const *wants, size_t n)
{
	struct cron c;
	int64_t at = utc(after), next = 0, last = 0;

	if (!parsed(text, &c))
		return;
	for (size_t i = 0; i < n; i++, at = next) {
		char got[TIME_TEXT] = "none";

		if (cron_next(&c, at, &next))
			time_rfc3339(next * 1000, got);
		got[19] = '\0';
		T_OK(!strcmp(got, wants[i]), "'%s' comes next at %s: %s", text, wants[i], got);
		T_OK(cron_last(&c, at, next, &last) && last == next, "... and was last then");
		T_OK(!cron_last(&c, at, next - 1, &last), "... and not before");
	}
}
#define FOLLOWS(text, after, ...)                                                                                      \
	do {                                                                                                           \
		static const char *const wants[] = {__VA_ARGS__};                                                      \
		follows(text, after, wants, ARRAY_LEN(wants));                                                         \
	} while (0)

static void times(void)
{
	FOLLOWS("30 6 * * *", "2017-11-27T06:29:59Z", "2017-11-27T06:30:00", "2017-11-28T06:30:00");
	FOLLOWS("0 * * * *", "2017-11-27T06:00:00Z", "2017-11-27T07:00:00", "2017-11-27T08:00:00");
	FOLLOWS("@hourly", "2017-12-31T22:59:59Z", "2017-12-31T23:00:00", "2018-01-01T00:00:00");
	FOLLOWS("@daily", "2016-02-28T12:00:00Z", "2016-02-29T00:00:00", "2016-03-01T00:00:00");
	FOLLOWS("@weekly", "2017-11-27T00:00:00Z", "2017-12-03T00:00:00", "2017-12-10T00:00:00");
	FOLLOWS("@monthly", "2017-11-27T00:00:00Z", "2017-12-01T00:00:00", "2018-01-01T00:00:00");
	FOLLOWS("@yearly", "1969-11-27T00:00:00Z", "1970-01-01T00:00:00", "1971-01-01T00:00:00");
	FOLLOWS("*/20 9-10 * * *", "2017-11-27T09:30:00Z", "2017-11-27T09:40:00", "2017-11-27T10:00:00",
	        "2017-11-27T10:20:00", "2017-11-27T10:40:00", "2017-11-28T09:00:00");
	FOLLOWS("5/25 0 * * *", "2017-11-27T00:00:00Z", "2017-11-27T00:05:00", "2017-11-27T00:30:00",
	        "2017-11-27T00:55:00", "2017-11-28T00:05:00");
	FOLLOWS("0 0 1,15 feb,Apr *", "2017-11-27T00:00:00Z", "2018-02-01T00:00:00", "2018-02-15T00:00:00",
	        "2018-04-01T00:00:00");
	FOLLOWS("0 12 * * mon-fri", "2017-11-24T12:00:00Z", "2017-11-27T12:00:00", "2017-11-28T12:00:00");
	FOLLOWS("0 0 * * 5-7", "2017-11-23T00:00:00Z", "2017-11-24T00:00:00", "2017-11-25T00:00:00",
	        "2017-11-26T00:00:00", "2017-12-01T00:00:00");
	FOLLOWS("0 0 13 * 5", "2017-10-10T00:00:00Z", "2017-10-13T00:00:00", "2017-10-20T00:00:00",
	        "2017-10-27T00:00:00", "2017-11-03T00:00:00", "2017-11-10T00:00:00", "2017-11-13T00:00:00");
	FOLLOWS("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00");
	FOLLOWS("15,45 0 0 ? * *", "2017-11-27T00:00:20Z", "2017-11-27T00:00:45", "2017-11-28T00:00:15");
	FOLLOWS("0 0 L * *", "2024-01-31T00:00:00Z", "2024-02-29T00:00:00", "2024-03-31T00:00:00",
	        "2024-04-30T00:00:00");
	FOLLOWS("0 0 1,L feb *", "2024-01-31T00:00:00Z", "2024-02-01T00:00:00", "2024-02-29T00:00:00",
	        "2025-02-01T00:00:00", "2025-02-28T00:00:00");
	FOLLOWS("0 0 * * fri#2", "2024-01-01T00:00:00Z", "2024-01-12T00:00:00", "2024-02-09T00:00:00");
	FOLLOWS("0 0 * * mon#5", "2024-01-01T00:00:00Z", "2024-01-29T00:00:00", "2024-04-29T00:00:00");
	FOLLOWS("0 0 * * 7L,mon#1", "2024-01-02T00:00:00Z", "2024-01-28T00:00:00", "2024-02-05T00:00:00",
	        "2024-02-25T00:00:00");
	FOLLOWS(" 0\t0  * * * ", "2017-11-27T00:00:20Z", "2017-11-28T00:00:00");
}

static void periods(void)
{
	struct cron c;
	int64_t since = utc("2017-11-27T00:00:07Z"), at = 0;

	FOLLOWS("@every 1h30m", "2017-11-27T00:00:07Z", "2017-11-27T01:30:07", "2017-11-27T03:00:07");
	if (parsed("@every 10s", &c)) {
		T_OK(cron_last(&c, since, since + 25, &at) && at == since + 20, "@every counts from where it began");
		T_OK(!cron_last(&c, since, since + 9, &at), "... and has not been before its first time");
	}
	if (parsed("never", &c)) {
		T_OK(!cron_next(&c, since, &at), "never has no next time");
		T_OK(!cron_last(&c, 0, since, &at), "... and no last one");
	}
}

static void refused(void)
{
	static const struct {
		const char *text, *hint;
	} cases[] = {
		{"", "five fields"},
		{"* * * *", "five fields"},
		{"* * * * * * *", "five fields"},
		{"61 6 * * *", "the minute goes to 59"},
		{"0 24 * * *", "the hour goes to 23"},
		{"0 0 0 * *", "the day of month begins with 1"},
		{"0 0 1 13 *", "the month goes to 12"},
		{"0 0 1 * 8", "the day of week goes to 7"},
		{"0 0 1 * mo", "five fields"},
		{"5-1 * * * *", "a range begins with its smaller end: 1-5"},
		{"*/0 * * * *", "the step begins with 1"},
		{"1,,2 * * * *", "five fields"},
		{"0 0 30 2 *", "there is no such day in any year"},
		{"0 0 L-3 * *", "five fields"},
		{"L 0 * * *", "five fields"},
		{"0 0 * * fri#6", "the number after # goes to 5"},
		{"0 0 * * fri#", "five fields"},
		{"0 0 * * friLL", "five fields"},
		{"0 0 * * L", "five fields"},
		{"@noon", "@hourly, @daily"},
		{"@every", "@every takes a duration of a second or more"},
		{"@every 10ms", "@every takes a duration of a second or more"},
		{"@every fast", "@every takes a duration of a second or more"},
		{"CRON_TZ=Europe/Paris 0 0 * * *", "the zone does not stand here"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct cron c;

		T_INT(cron_parse(str_of(cases[i].text), &c, &e), -1, "'%s' is refused", cases[i].text);
		T_OK(e.code == ERR_BAD_CONFIG && !strncmp(e.hint, cases[i].hint, strlen(cases[i].hint)), "... for: %s",
		     e.hint);
	}
}

int main(void)
{
	times();
	periods();
	refused();
	return t_done();
}
