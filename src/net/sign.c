#include "net/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/str.h"

#define TEXT_MAX ((size_t)1 << 20) /* of a canonical request: S3 allows URLs and headers of some KB */
#define SCOPE_END "aws4_request"

static struct sha hmac_of(const struct sha *key, const char *text)
{
	return sha_hmac((struct str){(const char *)key->b, SHA_BYTES}, &(struct str){text, strlen(text)}, 1);
}

void sign_time(int64_t unix_s, char out[SIGN_TIME])
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	if (strftime(out, SIGN_TIME, "%Y%m%dT%H%M%SZ", &tm) != SIGN_TIME - 1)
		BUG("a time beyond the year 9999");
}

char *sign_encode(struct arena *a, struct str s, bool path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, 3 * s.n + 1), *p = out;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		    c == '_' || c == '.' || c == '~' || (path && c == '/')) {
			*p++ = (char)c;
		} else {
			*p++ = '%';
			*p++ = hex[c >> 4];
			*p++ = hex[c & 15];
		}
	}
	*p = '\0';
	return out;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *sign_query(struct arena *a, const struct sign_header *pairs, size_t n)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);
	char **each = arena_array(a, char *, n + 1);

	for (size_t i = 0; i < n; i++)
		each[i] = arena_printf(a, "%s=%s", sign_encode(a, str_of(pairs[i].name), false),
		                       pairs[i].value ? sign_encode(a, str_of(pairs[i].value), false) : "");
	if (n)
		qsort(each, n, sizeof(*each), by_text);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? "&" : "", each[i]);
	return arena_dup(a, b.p);
}

static void canonical(const struct sign_request *r, struct buf *b, struct buf *names)
{
	buf_addf(b, "%s\n%s\n%s\n", r->method, r->path, r->query);
	for (size_t i = 0; i < r->n_headers; i++) {
		buf_addf(b, "%s:%s\n", r->headers[i].name, r->headers[i].value);
		buf_addf(names, "%s%s", i ? ";" : "", r->headers[i].name);
	}
	buf_addf(b, "\n%s\n%s", names->p, r->payload);
}

char *sign_request(struct arena *a, const struct sign_request *r)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX), names cleanup(buf_free) = BUF_INIT(TEXT_MAX);
	char hex[SHA_HEX + 1], *scope, *secret;
	struct sha hash, key;

	canonical(r, &b, &names);
	hash = sha_of(b.p, b.n);
	sha_hex(&hash, hex);
	scope = arena_printf(a, "%.8s/%s/%s/" SCOPE_END, r->time, r->region, r->service);
	secret = arena_printf(a, "AWS4%s", r->secret);
	key = sha_hmac(str_of(secret), &(struct str){r->time, 8}, 1);
	key = hmac_of(&key, r->region);
	key = hmac_of(&key, r->service);
	key = hmac_of(&key, SCOPE_END);
	hash = hmac_of(&key, arena_printf(a, "AWS4-HMAC-SHA256\n%s\n%s\n%s", r->time, scope, hex));
	sha_hex(&hash, hex);
	return arena_printf(a, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s", r->key, scope,
	                    names.p, hex);
}
