/*
 * base/hash.h: SHA-256 (identity of bytes; FIPS 180-4, by OpenSSL's libcrypto) and a fast hash for tables in memory.
 */
#ifndef LEAT_BASE_HASH_H
#define LEAT_BASE_HASH_H

#include "base/base.h"

#define SHA_BYTES 32
#define SHA_HEX 64

struct sha {
	uint8_t b[SHA_BYTES];
};

struct sha_ctx {
	uint64_t opaque[16]; /* holds libcrypto's SHA256_CTX (checked at compile time in hash.c) */
};

void sha_init(struct sha_ctx *c);
void sha_add(struct sha_ctx *c, const void *p, size_t n);
/* Adds a length-prefixed field, so that ("ab","c") and ("a","bc") differ. */
void sha_field(struct sha_ctx *c, struct str s);
struct sha sha_end(struct sha_ctx *c);
struct sha sha_of(const void *p, size_t n);
/* HMAC-SHA256 (RFC 2104) of the parts, one after the other. */
struct sha sha_hmac(struct str key, const struct str *parts, size_t n);

bool sha_eq(const struct sha *a, const struct sha *b);
bool sha_is_zero(const struct sha *a); /* all zero stands for "none" */
void sha_hex(const struct sha *s, char out[SHA_HEX + 1]);
must_check bool sha_parse(struct str hex, struct sha *out);

void hex_encode(const uint8_t *p, size_t n, char *out); /* out: 2n + 1 bytes */
must_check bool hex_decode(struct str hex, uint8_t *out, size_t n);

/* Not for identity: tables in memory only (FNV-1a folded; seeded by nothing, inputs are the user's own). */
uint64_t hash_bytes(const void *p, size_t n);

#endif
