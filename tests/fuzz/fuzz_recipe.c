#include "fuzz.h"
#include "repo/blob.h"

/* A recipe: what decodes is canonical, so encoding it again gives the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct piece *all;
	size_t count;
	int rc = recipe_decode(a, (struct str){(const char *)data, n}, &all, &count, &e);

	fuzz_answered(rc, &e);
	if (!rc) {
		struct buf b = BUF_INIT(n + 1);
		recipe_encode(&b, all, count);
		FUZZ_HOLDS(b.n == n && !memcmp(b.p, data, n));
		buf_free(&b);
	}
	arena_free(a);
	return 0;
}
