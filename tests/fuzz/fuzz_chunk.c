#include "base/chunk.h"
#include "fuzz.h"

/* Cuts of any bytes: within bounds, and the same whatever follows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	for (size_t at = 0; at < n;) {
		size_t k = chunk_cut(data + at, n - at);
		FUZZ_HOLDS(k > 0 && k <= CHUNK_MAX && k <= n - at && (k >= CHUNK_MIN || k == n - at));
		if (at + k < n)
			FUZZ_HOLDS(chunk_cut(data + at, k + 1) == k);
		at += k;
	}
	return 0;
}
