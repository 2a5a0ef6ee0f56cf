/*
 * base/buf.h: bytes that grow, up to a ceiling that the owner names.
 *
 * Invariants: .p is never NULL and always ends in a NUL that .n does not count; .n <= .max. What would pass the ceiling
 * is not added and sets .over, which stays: check buf_over() once at the end, where it matters, instead of each add.
 */
#ifndef LEAT_BASE_BUF_H
#define LEAT_BASE_BUF_H

#include <stdarg.h>

#include "base/base.h"

struct buf {
	char *p;
	size_t n, cap, max;
	bool over;
};

extern char buf_empty[1];
#define BUF_INIT(ceiling) {.p = buf_empty, .max = (ceiling)}

void buf_init(struct buf *b, size_t ceiling);
void buf_free(struct buf *b); /* leaves it empty and usable */
void buf_reset(struct buf *b); /* empties, keeps the memory, clears .over */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addstr(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
void buf_addvf(struct buf *b, const char *fmt, va_list ap);
void buf_consume(struct buf *b, size_t n); /* drops n bytes from the front */

static inline bool buf_over(const struct buf *b)
{
	return b->over;
}

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

#endif
