/*
 * net/sign.h: AWS Signature Version 4 in the Authorization header, as S3 wants it ("Authenticating Requests: Using the
 * Authorization Header", AWS API reference). libcurl's own lacks x-amz-content-sha256 in the versions that are about.
 */
#ifndef LEAT_NET_SIGN_H
#define LEAT_NET_SIGN_H

#include "base/arena.h"
#include "base/hash.h"

#define SIGN_TIME 17 /* bytes that hold 20130524T000000Z */

struct sign_header {
	const char *name; /* lower case */
	const char *value; /* without blanks around it */
};

struct sign_request {
	const char *method;
	const char *path;  /* encoded, from the first '/' on */
	const char *query; /* sign_query's, or "" */
	const struct sign_header *headers; /* by name; host and x-amz-date among them */
	size_t n_headers;
	const char *payload; /* SHA-256 of the body in hex */
	const char *time;    /* as in x-amz-date */
	const char *region, *service;
	const char *key, *secret;
};

/* The value of Authorization. In the arena. */
char *sign_request(struct arena *a, const struct sign_request *r) __attribute__((returns_nonnull));

/* All but A-Z a-z 0-9 - _ . ~ as %XX, '/' too unless `path`. */
char *sign_encode(struct arena *a, struct str s, bool path) __attribute__((returns_nonnull));
/* name=value&..., encoded and in the order that is signed; value NULL counts as "". */
char *sign_query(struct arena *a, const struct sign_header *pairs, size_t n) __attribute__((returns_nonnull));

void sign_time(int64_t unix_s, char out[SIGN_TIME]);

#endif
