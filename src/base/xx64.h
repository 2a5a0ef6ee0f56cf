/*
 * base/xx64.h: XXH64, a fast checksum for what lies on the disk (pages of leat.db). It finds damage; it is no identity:
 * that is SHA-256 (hash.h). By Yann Collet's specification (xxhash, doc/xxhash_spec.md, version 0.2.0).
 */
#ifndef LEAT_BASE_XX64_H
#define LEAT_BASE_XX64_H

#include "base/base.h"

uint64_t xx64(const void *p, size_t n, uint64_t seed);

#endif
