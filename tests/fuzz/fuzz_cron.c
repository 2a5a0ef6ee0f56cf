#include "base/slot.h"
#include "fuzz.h"

#define NOW 1511784000 /* 2017-11-27T12:00:00Z */

/* Slots come one after the other, in any zone and by any policy. */
static void fuzz_slots(const struct cron *c, size_t n)
{
	static const char *const zones[] = {"Europe/Berlin", "Australia/Lord_Howe", "UTC"};
	struct slot_rule r = {.cron = *c, .gap = n & 1, .fold = n >> 1 & 1, .since = NOW};
	struct err e = ERR_INIT;
	int64_t at = NOW + (int64_t)(n % 40) * 9 * 86400;
	struct slot s;

	if (tz_load(zones[n % ARRAY_LEN(zones)], &r.tz, &e))
		return;
	for (int i = 0; i < 4 && slot_next(&r, at, &s); i++) {
		FUZZ_HOLDS(s.at > at);
		at = s.at;
	}
}

/* A text that says when, and the times that follow from it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cron c;
	struct err e = ERR_INIT;
	int rc = cron_parse((struct str){(const char *)data, n}, &c, &e);
	int64_t at = NOW, next, last;

	fuzz_answered(rc, &e);
	if (rc)
		return 0;
	for (int i = 0; i < 3 && cron_next(&c, at, &next); i++) {
		FUZZ_HOLDS(next > at);
		FUZZ_HOLDS(cron_last(&c, at, next, &last) && last == next);
		FUZZ_HOLDS(!cron_last(&c, at, next - 1, &last));
		at = next;
	}
	FUZZ_HOLDS(at > NOW || c.kind == CRON_NEVER);
	fuzz_slots(&c, n);
	return 0;
}
