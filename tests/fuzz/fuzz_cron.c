#include "base/cron.h"
#include "fuzz.h"

#define NOW 1511784000 /* 2017-11-27T12:00:00Z */

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
	return 0;
}
