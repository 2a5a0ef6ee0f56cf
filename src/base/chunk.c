#include "base/chunk.h"

#define SEED 0x6c656174u /* "leat" */
#define WINDOW 64        /* bytes that a 64-bit gear hash remembers */
#define MASK 0xffff000000000000u /* one place in 65,536: of the bits that the whole window has reached */

/* SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from a fixed seed: the same table everywhere. */
static uint64_t table[256];

static void fill(void)
{
	uint64_t state = SEED;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint64_t z = state += 0x9e3779b97f4a7c15u;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		table[i] = z ^ z >> 31;
	}
}

size_t chunk_cut(const uint8_t *p, size_t n)
{
	size_t end = MIN(n, CHUNK_MAX);
	uint64_t h = 0;

	if (n <= CHUNK_MIN)
		return n;
	if (!table[0])
		fill();
	for (size_t i = CHUNK_MIN - WINDOW; i < CHUNK_MIN; i++)
		h = (h << 1) + table[p[i]];
	for (size_t i = CHUNK_MIN; i < end; i++) {
		if (!(h & MASK))
			return i;
		h = (h << 1) + table[p[i]];
	}
	return end;
}
