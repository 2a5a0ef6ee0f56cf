#include "base/calendar.h"
#include "base/tz.h"
#include "fuzz.h"

/* A file of holidays: what it says is kept, and no calendar lets a day through that is one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct calendar c = {.days = (enum calendar_days)(n % CALENDAR_DAYS)};
	struct err e = ERR_INIT;
	int rc = calendar_holidays(a, &c, (struct str){(const char *)data, n}, "holidays", &e);

	fuzz_answered(rc, &e);
	if (!rc) {
		const struct calendar_span *which;

		calendar_sort(&c);
		for (size_t i = 0; i < c.holidays.n && i < 20; i++) {
			enum calendar_why why = calendar_ask(&c, c.holidays.p[i].from, &which);

			FUZZ_HOLDS((why == CALENDAR_HOLIDAY) == (which != NULL));
			FUZZ_HOLDS(why != CALENDAR_OPEN || c.days == CALENDAR_WEEKDAYS || c.days == CALENDAR_WEEKENDS ||
			           c.days == CALENDAR_FIRST_WEEKDAY || c.days == CALENDAR_LAST_WEEKDAY);
		}
		for (int64_t day = days_from_civil(2026, 1, 1); day < days_from_civil(2026, 3, 1); day++)
			FUZZ_HOLDS(calendar_ask(&c, day, &which) != CALENDAR_OUT);
		calendar_take_out(a, &c, 0, INT32_MAX);
		FUZZ_HOLDS(calendar_ask(&c, days_from_civil(2026, 1, 1), &which) == CALENDAR_OUT);
	}
	arena_free(a);
	return 0;
}
