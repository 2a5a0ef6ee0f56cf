/*
 * base/arena.h: memory by lifetime. An arena is named for when it ends (a command, a request, a unit); all it gave is
 * freed together. Nothing in it is freed alone, and nothing with a descriptor or a lock lives in it.
 *
 * Invariants: what is given is zeroed and aligned for any type; a size of 0 gives a valid pointer; never NULL.
 */
#ifndef LEAT_BASE_ARENA_H
#define LEAT_BASE_ARENA_H

#include <stdarg.h>

#include "base/base.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);   /* NULL is fine */
void arena_reset(struct arena *a);  /* frees what it gave, keeps one block */
void arena_cleanup(struct arena **a); /* for cleanup(arena_cleanup) */
size_t arena_bytes(const struct arena *a);

void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
#define arena_new_of(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc_array((a), sizeof(type), (n)))
void *arena_alloc_array(struct arena *a, size_t size, size_t n) __attribute__((returns_nonnull));

/* Copies end in a NUL that the length does not count, so .p of the result is a C string if it holds no NUL itself. */
struct str arena_str(struct arena *a, struct str s);
char *arena_cstr(struct arena *a, struct str s) __attribute__((returns_nonnull));
char *arena_dup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3) __attribute__((returns_nonnull));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __attribute__((returns_nonnull));
struct str arena_strf(struct arena *a, const char *fmt, ...) printf_like(2, 3);

/*
 * A vector in an arena: struct { T *p; size_t n, cap; }. Growing copies to new memory of the arena; old pointers into
 * it stay readable but are stale.  VEC(int) v = {0}; vec_push(a, &v, 3);
 */
#define VEC(T)                                                                                                         \
	struct {                                                                                                       \
		T *p;                                                                                                  \
		size_t n, cap;                                                                                         \
	}
#define vec_push(a, v, x)                                                                                              \
	do {                                                                                                           \
		if ((v)->n == (v)->cap)                                                                                \
			(v)->p = arena_grow((a), (v)->p, &(v)->cap, (v)->n, sizeof(*(v)->p));                          \
		(v)->p[(v)->n++] = (x);                                                                                \
	} while (0)
void *arena_grow(struct arena *a, void *p, size_t *cap, size_t n, size_t size);

#endif
