/*
 * sys/hasher.h: SHA-256 of a stream whose blocks are wanted for something else too (they are written somewhere). Of a
 * long stream another thread does the hashing, so that both cost the longer of the two and not their sum.
 *
 *   struct hasher *h = hasher_new();
 *   while (... n bytes into block = hasher_block(h)) { use block; hasher_add(h, n); }
 *   id = hasher_end(h);
 */
#ifndef LEAT_SYS_HASHER_H
#define LEAT_SYS_HASHER_H

#include "base/hash.h"

#define HASHER_BLOCK ((size_t)256 << 10)

struct hasher;
struct hasher *hasher_new(void);
/* Room for HASHER_BLOCK bytes, which are the caller's until hasher_add, and may only be read by him until then. */
void *hasher_block(struct hasher *h) __attribute__((returns_nonnull));
void hasher_add(struct hasher *h, size_t n);
struct sha hasher_end(struct hasher *h);   /* frees it */
void hasher_cancel(struct hasher *h);      /* frees it; NULL is fine */

#endif
