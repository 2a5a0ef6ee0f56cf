/*
 * base/base.h: what every file may rely on without asking: attributes, the string pair, small macros.
 *
 * Layer 0. Includes nothing of ours. Everything here is free of state.
 */
#ifndef LEAT_BASE_BASE_H
#define LEAT_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define cleanup(f) __attribute__((cleanup(f)))
#define unused __attribute__((unused))
#define noreturn __attribute__((noreturn))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/*
 * A broken invariant of ours, never a user's mistake: prints where, and aborts, so that a test, a core file or the
 * daemon's supervisor sees it. A condition that input can cause is an error (err.h), not a BUG.
 */
noreturn void bug(const char *file, int line, const char *fmt, ...) printf_like(3, 4);
#define BUG(...) bug(__FILE__, __LINE__, __VA_ARGS__)
#define BUG_IF(cond)                                                                                                   \
	do {                                                                                                           \
		if (cond)                                                                                              \
			BUG("%s", #cond);                                                                              \
	} while (0)

/* malloc, calloc, realloc that never return NULL: out of memory aborts (Linux kills us first in practice). */
void *xmalloc(size_t n) __attribute__((returns_nonnull, malloc));
void *xcalloc(size_t n, size_t size) __attribute__((returns_nonnull, malloc));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((returns_nonnull, malloc));

/*
 * The string pair: bytes and a length, not owned, not necessarily terminated by NUL. Whoever holds one says in its own
 * header whose memory it points into (usually an arena). str.h has what one does with it.
 */
struct str {
	const char *p;
	size_t n;
};
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NULL ((struct str){NULL, 0})
/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).p

#endif
