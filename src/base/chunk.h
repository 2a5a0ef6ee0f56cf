/*
 * base/chunk.h: where bytes are cut into chunks by what they hold, so that an insertion moves cuts only near it: equal
 * stretches of two files become equal chunks wherever they lie. Gear hash (Xia et al., "FastCDC", USENIX ATC 2016).
 *
 * The cuts are no part of any format: whoever reads needs none of this. But equal programs cut alike, and changing a
 * number here costs every store the duplicates of its next re-packing.
 */
#ifndef LEAT_BASE_CHUNK_H
#define LEAT_BASE_CHUNK_H

#include "base/base.h"

#define CHUNK_MIN ((size_t)16 << 10)
#define CHUNK_MEAN ((size_t)80 << 10) /* of random bytes */
#define CHUNK_MAX ((size_t)256 << 10)

/*
 * Bytes of the first chunk of p[0..n): at most CHUNK_MAX, all n if n <= CHUNK_MIN. It depends on nothing beyond it, so
 * give CHUNK_MAX bytes, or all that are left.
 */
size_t chunk_cut(const uint8_t *p, size_t n);

#endif
