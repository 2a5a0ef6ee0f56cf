#include "base/glob.h"
#include "fuzz.h"

/* The first line is the pattern, the rest the path. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct str path = {(const char *)data, n}, pattern = fuzz_line(&path);
	struct glob *g = NULL;
	struct err e = ERR_INIT;
	int rc = glob_compile(a, pattern, &g, &e);

	fuzz_answered(rc, &e);
	if (rc == 0) {
		struct str prefix = glob_fixed_prefix(g);
		bool matched = glob_match(g, path);
		FUZZ_HOLDS(!matched || (path.n >= prefix.n && (!prefix.n || memcmp(path.p, prefix.p, prefix.n) == 0)));
	}
	arena_free(a);
	return 0;
}
