#include "fuzz.h"
#include "repo/pack.h"

/* A pack's footer: what decodes has records that tile the file; then each object opens, or is refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct pack_entry *all;
	size_t count;
	int rc = pack_decode(a, (struct str){(const char *)data, n}, &all, &count, &e);

	fuzz_answered(rc, &e);
	if (!rc) {
		uint64_t sum = 0;
		for (size_t i = 0; i < count; i++) {
			char *out = arena_alloc(a, all[i].size + (size_t)1);
			FUZZ_HOLDS(all[i].at + all[i].stored <= n && all[i].stored <= all[i].size);
			sum += all[i].stored;
			err_clear(&e);
			rc = pack_open_object(&all[i], (const char *)data + all[i].at, out, &e);
			fuzz_answered(rc, &e);
		}
		FUZZ_HOLDS(sum + 8 + 48 * (count + 1) == n);
	}
	arena_free(a);
	return 0;
}
