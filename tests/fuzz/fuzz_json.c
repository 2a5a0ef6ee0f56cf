#include "base/dom.h"
#include "fuzz.h"

#define CEILING ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct dom *d = NULL, *again = NULL;
	struct err e = ERR_INIT;
	int rc = dom_json(a, (struct str){(const char *)data, n}, "fuzz.json", &d, &e);

	fuzz_answered(rc, &e);
	if (rc == 0) {
		/* What was written is read as the same again. */
		for (int how = DOM_COMPACT; how <= DOM_CANONICAL; how++) {
			struct buf b = BUF_INIT(CEILING);
			dom_write_json(&b, d, how);
			if (!buf_over(&b)) {
				FUZZ_HOLDS(dom_json(a, buf_str(&b), "again.json", &again, &e) == 0);
				FUZZ_HOLDS(dom_equal(d, again));
			}
			buf_free(&b);
		}
	}
	arena_free(a);
	return 0;
}
