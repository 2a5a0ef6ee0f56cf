/* Cuts by content: the same everywhere, bounded, and back in step soon after a change. */
#include "base/chunk.h"
#include "base/hash.h"
#include "t.h"

#define N ((size_t)16 << 20)

static uint64_t state = 1;

static uint8_t rnd(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint8_t)(state >> 56);
}

struct cuts {
	size_t n, min, max;
	uint64_t ids[4096]; /* of the chunks */
};

static void cut(const uint8_t *p, size_t n, struct cuts *c)
{
	*c = (struct cuts){.min = SIZE_MAX};
	for (size_t at = 0; at < n && c->n < ARRAY_LEN(c->ids);) {
		size_t k = chunk_cut(p + at, n - at);
		c->ids[c->n++] = hash_bytes(p + at, k);
		c->max = MAX(c->max, k);
		if (at + k < n)
			c->min = MIN(c->min, k);
		at += k;
	}
}

static size_t news(const struct cuts *a, const struct cuts *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		size_t k = 0;
		while (k < a->n && a->ids[k] != b->ids[i])
			k++;
		n += k == a->n;
	}
	return n;
}

int main(void)
{
	static uint8_t bytes[N + 1], moved[N + 1];
	static struct cuts a, b;
	size_t mean;

	for (size_t i = 0; i < N; i++)
		bytes[i] = rnd();
	cut(bytes, N, &a);
	mean = N / a.n;
	T_OK(a.min >= CHUNK_MIN && a.max <= CHUNK_MAX, "chunks have 16 to 256 KiB (%zu to %zu)", a.min, a.max);
	T_OK(mean > CHUNK_MEAN * 3 / 4 && mean < CHUNK_MEAN * 5 / 4, "80 KiB on average (%zu)", mean);
	T_OK(chunk_cut(bytes, N) == chunk_cut(bytes, CHUNK_MAX), "a cut depends on nothing behind it");
	T_OK(chunk_cut(bytes, 100) == 100 && chunk_cut(bytes, 0) == 0, "what is short is one chunk");
	memcpy(moved + 1, bytes, N);
	cut(moved, N + 1, &b);
	T_OK(news(&a, &b) <= 2, "one byte in front makes one or two new chunks (%zu)", news(&a, &b));
	memcpy(moved, bytes, N);
	memset(moved + N / 2, 7, 4096);
	cut(moved, N, &b);
	T_OK(news(&a, &b) <= 3, "4 KiB in the middle make at most three (%zu)", news(&a, &b));
	memset(moved, 0, N);
	T_OK(chunk_cut(moved, N) == CHUNK_MAX, "bytes that are all the same make the longest");
	T_OK(chunk_cut(bytes, N) == 91201, "the table is what it was, so that old chunks are found again (%zu)",
	     chunk_cut(bytes, N));
	return t_done();
}
