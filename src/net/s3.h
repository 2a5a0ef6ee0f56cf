/*
 * net/s3.h: one bucket of an object store that speaks S3 (AWS, MinIO, Ceph, ...): objects put, looked at, read and
 * removed. For worker processes: it loads libcurl.
 *
 * Each request is tried again where that may help (5xx, 429, connections that break, answers that do not come), with
 * pauses that double. Bytes are sent with their SHA-256, which the other side checks. Messages name the object as
 * s3://BUCKET/KEY and never hold the secret. One struct s3 is for one thread; a second one costs a connection.
 */
#ifndef LEAT_NET_S3_H
#define LEAT_NET_S3_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

#define S3_TRIES 5                              /* of a request, the first one included */
#define S3_PAUSE_MS 200                         /* before the second; doubled each time */
#define S3_MAX_PAUSE_MS 10000                   /* whatever Retry-After says */
#define S3_PART ((int64_t)16 << 20)             /* larger objects are sent in parts of this size, or larger ones ... */
#define S3_PARTS_MIN ((int64_t)32 << 20)        /* ... from this size on ... */
#define S3_MAX_PARTS 10000                      /* ... since there can be no more */
#define S3_MAX_SIZE ((int64_t)5 << 40)          /* of an object: the other side's limit */

struct s3_target { /* texts are the caller's and outlive the struct s3 */
	const char *endpoint; /* https://host[:port] */
	bool path_style;      /* the bucket is the path's first part, not of the host's name */
	const char *bucket, *region;
	const char *key, *secret, *token; /* token NULL: none */
	const char *ca_file;  /* absolute; NULL: the system's */
	int64_t stall_ms;     /* how long nothing may come or go */
};

struct s3;
must_check int s3_open(const struct s3_target *t, struct s3 **out, struct err *e);
void s3_close(struct s3 *s); /* NULL is fine */

/* The whole object, in the arena: 1; 0: there is none; -1. Larger than max is ERR_LIMIT. */
must_check int s3_get(struct s3 *s, struct arena *a, const char *key, size_t max, struct str *out, struct err *e);
/* Whether it stands there as s3_put put it with that id and size: 1, 0, -1. */
must_check int s3_has(struct s3 *s, const char *key, const struct sha *id, int64_t size, struct err *e);
/* `size` bytes of fd from 0 on, whose SHA-256 is `id`. An object is there as a whole or not at all. */
must_check int s3_put(struct s3 *s, const char *key, const struct sha *id, int fd, int64_t size, struct err *e);
must_check int s3_put_text(struct s3 *s, const char *key, struct str text, struct err *e);
must_check int s3_remove(struct s3 *s, const char *key, struct err *e); /* absent is fine */
/* Parts of uploads of this object that never ended take space that nobody sees: they are let go. */
must_check int s3_drop_parts(struct s3 *s, const char *key, struct err *e);

#endif
