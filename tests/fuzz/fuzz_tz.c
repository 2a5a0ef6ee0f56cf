#include "base/ds.h"
#include "base/tz_rule.h"
#include "fuzz.h"

#define LEAST (-INT64_C(50000000000))
#define MOST INT64_C(250000000000)

/* The bytes are a TZif file; whatever it says, time goes on and every instant lies in its own partition. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str bytes = {(const char *)data, n};
	struct tz_rule rule;
	struct tz *z = tz_of_bytes("Fuzz/Zone", bytes);

	if (tz_rule_parse(bytes, &rule))
		FUZZ_HOLDS(rule.standard >= -25 * 3600 && rule.standard <= 25 * 3600);
	if (!z)
		return 0;
	for (int64_t at = LEAST; at < MOST; at += (MOST - LEAST) / 16) {
		int64_t next, first, second;
		struct civil c;

		if (tz_next(z, at, &next))
			FUZZ_HOLDS(next > at);
		if (tz_last(z, at, &next))
			FUZZ_HOLDS(next <= at);
		tz_to_civil(z, at, &c);
		FUZZ_HOLDS(civil_is_date(c.year, c.month, c.day) && c.hour < 24);
		if (tz_to_utc(z, &c, &first, &second) == TZ_ONE)
			FUZZ_HOLDS(first == at && second == at);
		for (int every = EVERY_HOUR; every <= EVERY_MONTH; every++) {
			struct ds d = ds_at(every, at, z);
			struct interval i = ds_interval(&d, z);

			FUZZ_HOLDS(d.label[0] && i.start <= i.end);
		}
	}
	tz_free(z);
	return 0;
}
