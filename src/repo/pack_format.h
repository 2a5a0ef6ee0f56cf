/*
 * repo/pack_format.h: the bytes of a pack's head and footer (docs/formats/store.md), for pack.c and pack_read.c.
 */
#ifndef LEAT_REPO_PACK_FORMAT_H
#define LEAT_REPO_PACK_FORMAT_H

#include "repo/pack.h"

#define PACK_MAGIC 8 /* bytes of each of these */
#define PACK_HEAD "leatpk01"
#define PACK_FOOT "leatpkff"
#define PACK_ENTRY (SHA_BYTES + 16)                   /* id, at, stored, size */
#define PACK_TAIL (8 + SHA_BYTES + (size_t)PACK_MAGIC) /* count, hash of entries and count, magic */

/* Little endian, whatever the machine. */
void pack_u64_put(uint8_t *p, uint64_t v);
void pack_entry_put(uint8_t out[PACK_ENTRY], const struct pack_entry *t);

#endif
