/* The low-level calls are deprecated, but the new ones first build tables of providers, which costs a bare command more
 * than all the rest of its start. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <openssl/sha.h>

#define SHA_BLOCK 64 /* bytes of a block of SHA-256 */

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha_ctx), "struct sha_ctx of hash.h is too small");
_Static_assert(SHA256_DIGEST_LENGTH == SHA_BYTES, "SHA-256 has 32 bytes");

static SHA256_CTX *ctx(struct sha_ctx *c)
{
	return (SHA256_CTX *)(void *)c;
}

void sha_init(struct sha_ctx *c)
{
	SHA256_Init(ctx(c));
}

void sha_add(struct sha_ctx *c, const void *p, size_t n)
{
	if (n)
		SHA256_Update(ctx(c), p, n);
}

void sha_field(struct sha_ctx *c, struct str s)
{
	uint8_t len[8];

	for (int i = 0; i < 8; i++)
		len[i] = (uint8_t)((uint64_t)s.n >> (8 * i));
	sha_add(c, len, sizeof(len));
	sha_add(c, s.p, s.n);
}

struct sha sha_end(struct sha_ctx *c)
{
	struct sha s;

	SHA256_Final(s.b, ctx(c));
	return s;
}

struct sha sha_of(const void *p, size_t n)
{
	struct sha_ctx c;

	sha_init(&c);
	sha_add(&c, p, n);
	return sha_end(&c);
}

struct sha sha_hmac(struct str key, const struct str *parts, size_t n)
{
	uint8_t inner[SHA_BLOCK], outer[SHA_BLOCK];
	struct sha_ctx c;
	struct sha hash;

	memset(inner, 0x36, sizeof(inner));
	memset(outer, 0x5c, sizeof(outer));
	if (key.n > SHA_BLOCK) {
		hash = sha_of(key.p, key.n);
		key = (struct str){(const char *)hash.b, SHA_BYTES};
	}
	for (size_t i = 0; i < key.n; i++) {
		inner[i] ^= (uint8_t)key.p[i];
		outer[i] ^= (uint8_t)key.p[i];
	}
	sha_init(&c);
	sha_add(&c, inner, sizeof(inner));
	for (size_t i = 0; i < n; i++)
		sha_add(&c, parts[i].p, parts[i].n);
	hash = sha_end(&c);
	sha_init(&c);
	sha_add(&c, outer, sizeof(outer));
	sha_add(&c, hash.b, sizeof(hash.b));
	return sha_end(&c);
}

bool sha_eq(const struct sha *a, const struct sha *b)
{
	return !memcmp(a->b, b->b, SHA_BYTES);
}

bool sha_is_zero(const struct sha *a)
{
	static const struct sha zero;

	return sha_eq(a, &zero);
}

void sha_hex(const struct sha *s, char out[SHA_HEX + 1])
{
	hex_encode(s->b, SHA_BYTES, out);
}

bool sha_parse(struct str hex, struct sha *out)
{
	return hex_decode(hex, out->b, SHA_BYTES);
}

void hex_encode(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct str hex, uint8_t *out, size_t n)
{
	if (hex.n != 2 * n)
		return false;
	for (size_t i = 0; i < hex.n; i++)
		if (nibble(hex.p[i]) < 0)
			return false;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(nibble(hex.p[2 * i]) << 4 | nibble(hex.p[2 * i + 1]));
	return true;
}

uint64_t hash_bytes(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 32; /* the low bits choose the slot */
}
