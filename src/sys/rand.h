/*
 * sys/rand.h: random bytes of the kernel, and names and ids made of them.
 */
#ifndef LEAT_SYS_RAND_H
#define LEAT_SYS_RAND_H

#include "base/base.h"

#define RAND_ID 33   /* a 128-bit id as 32 hex digits and a NUL: global ids, run ids (SEMANTICS 1) */
#define RAND_NAME 17 /* 64 bits as 16 hex digits and a NUL: temporary names */

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);
void rand_id(char out[RAND_ID]);
void rand_name(char out[RAND_NAME]);

#endif
