#include "base/calendar.h"
#include "base/str.h"
#include "base/tz.h"
#include "t.h"

static struct arena *a;

/* The days of a month on which it is open, as "1 2 30". */
static const char *open_days(struct calendar *c, int year, int month)
{
	char *out = arena_dup(a, "");

	for (int d = 1; d <= days_in_month(year, month); d++) {
		const struct calendar_span *which;

		if (calendar_ask(c, days_from_civil(year, month, d), &which) == CALENDAR_OPEN)
			out = arena_printf(a, "%s%s%d", out, *out ? " " : "", d);
	}
	return out;
}

static struct calendar of(const char *word, const char *holidays)
{
	struct calendar c = {0};
	struct err e = ERR_INIT;

	T_OK(calendar_days_of(str_of(word), &c.days) && !calendar_holidays(a, &c, str_of(holidays), "h", &e), "%s: %s",
	     word, e.msg);
	calendar_sort(&c);
	return c;
}

static void bad(const char *text, int line)
{
	struct calendar c = {0};
	struct err e = ERR_INIT;

	T_OK(calendar_holidays(a, &c, str_of(text), "h", &e) && e.line == line && e.code == ERR_BAD_CONFIG,
	     "\"%s\" is refused at line %d, not %d", text, line, e.line);
}

int main(void)
{
	struct calendar c;
	enum calendar_days d;
	const struct calendar_span *which;

	a = arena_new();
	for (d = CALENDAR_ANY; d < CALENDAR_DAYS; d++) {
		enum calendar_days got;

		T_OK(calendar_days_of(str_of(calendar_word(d)), &got) && got == d, "the word %s", calendar_word(d));
		T_OK(strstr(CALENDAR_WORDS, calendar_word(d)), "%s is in the table of keys", calendar_word(d));
	}
	c = of("last-business-day", "2026-12-31\n12-30 each year\n");
	T_STR(open_days(&c, 2026, 12), "29", "the last business day before two holidays");
	T_STR(open_days(&c, 2027, 12), "31", "a holiday of one year is none of the next");
	c = of("first-business-day", "2026-08-03 a Monday\n");
	T_STR(open_days(&c, 2026, 8), "4", "the month begins with a weekend and a holiday");
	c = of("first-weekday", "2026-08-03\n");
	T_STR(open_days(&c, 2026, 8), "3", "weekdays know no holidays");
	c = of("weekends", "");
	T_STR(open_days(&c, 2026, 2), "1 7 8 14 15 21 22 28", "weekends");
	T_STR(open_days(&c, 1969, 12), "6 7 13 14 20 21 27 28", "before 1970 too");
	c = of("any", "\xef\xbb\xbf# a comment\n\n2026-02-02;a\r\n2026-02-01, b c\n02-03");
	T_INT(calendar_ask(&c, days_from_civil(2026, 2, 1), &which), CALENDAR_HOLIDAY, "holidays are no days");
	T_OK(str_is(which->name, "b c"), "a holiday has a name");
	T_OK(calendar_known_until(&c) == days_from_civil(2026, 2, 2), "what it knows of");
	T_INT(calendar_ask(&c, days_from_civil(2030, 2, 3), &which), CALENDAR_HOLIDAY, "each year");
	calendar_take_out(a, &c, days_from_civil(2026, 2, 5), days_from_civil(2026, 2, 27));
	T_STR(open_days(&c, 2026, 2), "4 28", "days taken out");
	bad("2026-02-30", 1);
	bad("\n2026-2-3", 2);
	bad("2026-02-031", 1);
	bad("13-01", 1);
	bad("Christmas", 1);
	arena_free(a);
	return t_done();
}
