/*
 * sys/zabi.h: the parts of zlib (1.2) and of libzstd (1.4) that reading packed files needs, declared by us, so that no
 * header of theirs is needed and nothing links against them. Names, numbers and shapes are those of their stable ABIs.
 * In worker processes only: what they read is not ours.
 */
#ifndef LEAT_SYS_ZABI_H
#define LEAT_SYS_ZABI_H

#include "base/err.h"

struct zlib_stream {
	const uint8_t *next_in;
	unsigned avail_in;
	unsigned long total_in;
	uint8_t *next_out;
	unsigned avail_out;
	unsigned long total_out;
	const char *msg;
	void *state, *zalloc, *zfree, *opaque;
	int data_type;
	unsigned long adler, reserved;
};
enum { ZLIB_OK = 0, ZLIB_STREAM_END = 1, ZLIB_BUF_ERROR = -5 };
#define ZLIB_GZIP (15 + 16) /* window bits: a gzip stream */
#define ZLIB_RAW (-15)      /* a deflate stream without head, as zip holds it */

struct zlib_abi {
	int (*inflate_init)(struct zlib_stream *, int bits, const char *version, int size);
	int (*inflate)(struct zlib_stream *, int flush);
	int (*inflate_reset)(struct zlib_stream *);
	int (*inflate_end)(struct zlib_stream *);
	unsigned long (*crc)(unsigned long, const uint8_t *, unsigned);
};
extern struct zlib_abi zlib;
must_check int zabi_zlib(struct err *e);
must_check int zabi_inflate(struct zlib_stream *z, int bits, struct err *e); /* loads, and begins a stream */

struct zstd_in {
	const void *p;
	size_t n, pos;
};
struct zstd_out {
	void *p;
	size_t n, pos;
};
struct zstd_abi {
	void *(*create)(void);
	size_t (*free)(void *);
	size_t (*decompress)(void *, struct zstd_out *, struct zstd_in *); /* 0: a frame has ended */
	unsigned (*is_error)(size_t);
	const char *(*error_name)(size_t);
};
extern struct zstd_abi zstd;
must_check int zabi_zstd(struct err *e);

/*
 * Reads a .gz (`gzip`) or .zst file to its end, in bounded memory, and keeps nothing: 0 when every member or frame of
 * it ends as it should, ERR_BAD_DATA with a sentence that begins with `path` otherwise. `stop` (may be NULL) is asked
 * between blocks; ERR_CANCELLED when it says so.
 */
must_check int zabi_whole(const char *path, bool gzip, bool (*stop)(void), struct err *e);

#endif
