#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/*
 * Blocks double from 4 KiB up to 8 MiB; what is larger than OWN_BLOCK gets one of its own. From HUGE on they ask for
 * huge pages: a tree of a 40 MB document is 100,000 small pages, and their faults took four times as long as the
 * parsing.
 */
#define BLOCK_MIN ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)8 << 20)
#define OWN_BLOCK ((size_t)256 << 10)
#define HUGE ((size_t)2 << 20)
#define ALIGN (_Alignof(max_align_t))

struct block {
	struct block *next;
	size_t used, cap;
	max_align_t data[];
};

struct arena {
	struct block *blocks; /* the first is the one being filled */
	size_t next_cap, bytes;
};

static struct block *block_new(size_t cap)
{
	size_t n = sizeof(struct block) + cap;
	struct block *b;

	if (cap < 2 * HUGE) {
		b = xmalloc(n);
	} else {
		n = (n + HUGE - 1) & ~(HUGE - 1);
		b = aligned_alloc(HUGE, n);
		if (!b)
			BUG("out of memory (%zu bytes)", n);
		madvise(b, n, MADV_HUGEPAGE); /* advice: where it is refused, all is as before */
		cap = n - sizeof(struct block);
	}
	b->next = NULL;
	b->used = 0;
	b->cap = cap;
	return b;
}

struct arena *arena_new(void)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->next_cap = BLOCK_MIN;
	return a;
}

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	free_blocks(a->blocks);
	free(a);
}

void arena_cleanup(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

void arena_reset(struct arena *a)
{
	if (!a->blocks)
		return;
	free_blocks(a->blocks->next);
	a->blocks->next = NULL;
	a->blocks->used = 0;
	a->bytes = 0;
}

size_t arena_bytes(const struct arena *a)
{
	return a->bytes;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	void *p;

	BUG_IF(n > SIZE_MAX / 2);
	n = (n + ALIGN - 1) & ~(ALIGN - 1);
	a->bytes += n;
	if (b && b->cap - b->used >= n) {
		p = (char *)b->data + b->used;
		b->used += n;
		return memset(p, 0, n);
	}
	if (b && n > OWN_BLOCK) { /* a block of its own, behind the one being filled */
		struct block *own = block_new(n);

		own->used = n;
		own->next = b->next;
		b->next = own;
		return memset(own->data, 0, n);
	}
	while (a->next_cap < n)
		a->next_cap *= 2;
	b = block_new(a->next_cap);
	if (a->next_cap < BLOCK_MAX)
		a->next_cap *= 2;
	b->next = a->blocks;
	a->blocks = b;
	b->used = n;
	return memset(b->data, 0, n);
}

void *arena_alloc_array(struct arena *a, size_t size, size_t n)
{
	size_t bytes;

	if (__builtin_mul_overflow(size, n, &bytes))
		BUG("array of %zu x %zu bytes", size, n);
	return arena_alloc(a, bytes);
}

void *arena_grow(struct arena *a, void *p, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap * 2 : 8;
	void *q = arena_alloc_array(a, size, want);

	if (n)
		memcpy(q, p, n * size);
	*cap = want;
	return q;
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	return (struct str){arena_cstr(a, s), s.n};
}

char *arena_dup(struct arena *a, const char *s)
{
	return arena_cstr(a, (struct str){s, strlen(s)});
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	int n;
	char *p;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	BUG_IF(n < 0);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

struct str arena_strf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return (struct str){p, strlen(p)};
}
