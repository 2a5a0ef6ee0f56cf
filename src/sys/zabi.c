#include "sys/zabi.h"

#include "sys/dl.h"
#include "sys/file.h"

#define BLOCK ((size_t)128 << 10)

struct zlib_abi zlib;
struct zstd_abi zstd;

static const struct dl_symbol zlib_symbols[] = {
	{.name = "inflateInit2_", .where = &zlib.inflate_init}, {.name = "inflate", .where = &zlib.inflate},
	{.name = "inflateReset", .where = &zlib.inflate_reset}, {.name = "inflateEnd", .where = &zlib.inflate_end},
	{.name = "crc32", .where = &zlib.crc},
};
static const char *const zlib_names[] = {"libz.so.1", NULL};
static struct dl_lib zlib_library = {
	.name = "zlib",
	.package = "zlib1g",
	.paths = zlib_names,
	.symbols = zlib_symbols,
	.n_symbols = ARRAY_LEN(zlib_symbols),
};

static const struct dl_symbol zstd_symbols[] = {
	{.name = "ZSTD_createDStream", .where = &zstd.create},
	{.name = "ZSTD_freeDStream", .where = &zstd.free},
	{.name = "ZSTD_decompressStream", .where = &zstd.decompress},
	{.name = "ZSTD_isError", .where = &zstd.is_error},
	{.name = "ZSTD_getErrorName", .where = &zstd.error_name},
};
static const char *const zstd_names[] = {"libzstd.so.1", NULL};
static struct dl_lib zstd_library = {
	.name = "zstd",
	.package = "libzstd1",
	.paths = zstd_names,
	.symbols = zstd_symbols,
	.n_symbols = ARRAY_LEN(zstd_symbols),
};

int zabi_zlib(struct err *e)
{
	return dl_load(&zlib_library, e);
}

int zabi_zstd(struct err *e)
{
	return dl_load(&zstd_library, e);
}

int zabi_inflate(struct zlib_stream *z, int bits, struct err *e)
{
	*z = (struct zlib_stream){0};
	if (zabi_zlib(e))
		return -1;
	if (zlib.inflate_init(z, bits, "1.2", (int)sizeof(*z)) != ZLIB_OK)
		return err_set(e, ERR_NO_LIBRARY, "zlib at %s is none that leat knows", zlib_library.path);
	return 0;
}

/* A file that is read to its end. */
struct packed {
	const char *path;
	int fd;
	bool any, ended; /* bytes came; the last member or frame is complete */
	uint8_t *in, *out;
	struct zlib_stream z;
	void *zs;
};

static int damaged(const struct packed *k, const char *why, struct err *e)
{
	return err_set(e, ERR_BAD_DATA, "%s is damaged: %s", k->path, why);
}

/* Members that follow each other are one file; zeros behind them pad a tape's block. */
static int gzip_block(struct packed *k, size_t n, struct err *e)
{
	k->z.next_in = k->in;
	k->z.avail_in = (unsigned)n;
	for (;;) {
		int r;

		if (k->ended) {
			for (; k->z.avail_in && !*k->z.next_in; k->z.avail_in--)
				k->z.next_in++;
			if (!k->z.avail_in)
				return 0;
			if (*k->z.next_in != 0x1f)
				return damaged(k, "bytes that are no gzip follow the end of its gzip stream", e);
			if (zlib.inflate_reset(&k->z) != ZLIB_OK)
				return err_set(e, ERR_INTERNAL, "zlib does not begin anew");
			k->ended = false;
		}
		k->z.next_out = k->out;
		k->z.avail_out = (unsigned)BLOCK;
		r = zlib.inflate(&k->z, 0);
		k->ended = r == ZLIB_STREAM_END;
		if (r != ZLIB_OK && r != ZLIB_STREAM_END && r != ZLIB_BUF_ERROR)
			return damaged(k, k->z.msg ? k->z.msg : "its gzip stream does not unpack", e);
		if (!k->ended && !k->z.avail_in && k->z.avail_out)
			return 0;
	}
}

static int zstd_block(struct packed *k, size_t n, struct err *e)
{
	struct zstd_in in = {k->in, n, 0};

	for (;;) {
		struct zstd_out out = {k->out, BLOCK, 0};
		size_t r = zstd.decompress(k->zs, &out, &in);

		if (zstd.is_error(r))
			return damaged(k, zstd.error_name(r), e);
		k->ended = !r;
		if (in.pos == in.n && (k->ended || out.pos < out.n))
			return 0;
	}
}

static int read_all(struct packed *k, bool gzip, bool (*stop)(void), struct err *e)
{
	for (;;) {
		size_t got;

		if (stop && stop())
			return err_set(e, ERR_CANCELLED, "stopped while %s was read", k->path);
		if (fd_read_full(k->fd, k->in, BLOCK, &got, k->path, e))
			return -1;
		if (!got)
			break;
		k->any = true;
		if (gzip ? gzip_block(k, got, e) : zstd_block(k, got, e))
			return -1;
	}
	if (k->any && !k->ended)
		return err_set(e, ERR_BAD_DATA, "%s is cut short: its %s stream ends in the middle", k->path,
			       gzip ? "gzip" : "zstd");
	return 0;
}

int zabi_whole(const char *path, bool gzip, bool (*stop)(void), struct err *e)
{
	static uint8_t in[BLOCK], out[BLOCK];
	struct packed k = {.path = path, .fd = -1, .in = in, .out = out};
	int r;

	if (gzip ? zabi_inflate(&k.z, ZLIB_GZIP, e) : zabi_zstd(e))
		return -1;
	if (!gzip && !(k.zs = zstd.create()))
		return err_set(e, ERR_LIMIT, "no memory to unpack %s", path);
	r = file_open_read(path, &k.fd, e) ? -1 : read_all(&k, gzip, stop, e);
	fd_close(&k.fd);
	if (gzip)
		zlib.inflate_end(&k.z);
	else
		zstd.free(k.zs);
	return r;
}
