/* Zip: PKWARE's APPNOTE.TXT 6.3.10: files that are stored or deflated, zip64 too, read by the central directory. */
#include <sys/stat.h>

#include "base/str.h"
#include "job/download.h"
#include "sys/file.h"
#include "sys/zabi.h"

#define END_SIZE 22
#define END64_SIZE 56
#define LOCATOR_SIZE 20
#define CENTRAL_SIZE 46
#define LOCAL_SIZE 30
#define MAX_COMMENT 65535
#define MAX_DIRECTORY ((uint64_t)128 << 20)
#define COPY 65536

struct zip {
	struct download_sink *sink;
	const char *path;
	int fd;
	uint64_t size;
	uint64_t dir_at, dir_size, n;
	uint8_t *in, *out;
};

struct zip_member {
	struct str name;
	unsigned flags, method, host;
	uint32_t crc, attributes;
	uint64_t packed, size, at;
};

static uint64_t le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static int wrong(struct zip *z, const char *what, struct err *e)
{
	return err_set(e, ERR_BAD_DATA, "%s %s", z->sink->from, what);
}

static int take(struct zip *z, void *p, uint64_t n, uint64_t at, struct err *e)
{
	size_t got;

	if (at > z->size || n > z->size - at)
		return wrong(z, "is a damaged zip archive: it points behind its end", e);
	if (fd_pread_full(z->fd, p, n, (off_t)at, &got, z->path, e))
		return -1;
	return got == n ? 0 : wrong(z, "ends in the middle of a file", e);
}

static int find_end64(struct zip *z, uint64_t end_at, struct err *e)
{
	uint8_t locator[LOCATOR_SIZE], end[END64_SIZE];

	if (end_at < LOCATOR_SIZE)
		return 0;
	if (take(z, locator, sizeof(locator), end_at - LOCATOR_SIZE, e))
		return -1;
	if (le(locator, 4) != 0x07064b50)
		return 0;
	if (take(z, end, sizeof(end), le(locator + 8, 8), e))
		return -1;
	if (le(end, 4) != 0x06064b50)
		return wrong(z, "is a damaged zip archive: its zip64 end is not where it should be", e);
	z->n = le(end + 32, 8);
	z->dir_size = le(end + 40, 8);
	z->dir_at = le(end + 48, 8);
	return 0;
}

static int find_directory(struct zip *z, struct err *e)
{
	uint64_t n = MIN(z->size, END_SIZE + MAX_COMMENT);
	uint8_t *tail = arena_alloc(z->sink->arena, n);

	if (take(z, tail, n, z->size - n, e))
		return -1;
	for (int64_t i = (int64_t)n - END_SIZE; i >= 0; i--) {
		if (le(tail + i, 4) != 0x06054b50)
			continue;
		z->n = le(tail + i + 10, 2);
		z->dir_size = le(tail + i + 12, 4);
		z->dir_at = le(tail + i + 16, 4);
		if (z->n == 0xffff || z->dir_size == 0xffffffff || z->dir_at == 0xffffffff)
			return find_end64(z, z->size - n + (uint64_t)i, e);
		return 0;
	}
	return wrong(z, "is no zip archive", e);
}

/* Sizes and place that did not fit into four bytes stand in the zip64 extra field, in this order. */
static int extra64(struct zip *z, struct str extra, struct zip_member *m, struct err *e)
{
	const uint8_t *p = (const uint8_t *)extra.p, *end = p + extra.n;
	uint64_t *wide[3] = {&m->size, &m->packed, &m->at};

	while (end - p >= 4) {
		unsigned id = (unsigned)le(p, 2), n = (unsigned)le(p + 2, 2);

		p += 4;
		if (n > end - p)
			break;
		for (unsigned i = 0, at = 0; id == 1 && i < 3; i++) {
			if (*wide[i] != 0xffffffff)
				continue;
			if (at + 8 > n)
				return wrong(z, "is a damaged zip archive: a zip64 field is cut off", e);
			*wide[i] = le(p + at, 8);
			at += 8;
		}
		p += n;
	}
	return 0;
}

static int inflate_to(struct zip *z, int fd, const struct zip_member *m, uint64_t at, uint32_t *crc, uint64_t *size,
                      struct err *e)
{
	struct zlib_stream s;
	uint64_t left = m->packed;
	int r = ZLIB_OK, failed = 0;

	if (zabi_inflate(&s, ZLIB_RAW, e))
		return -1;
	while (r != ZLIB_STREAM_END && !failed) {
		if (!s.avail_in && left) {
			uint64_t n = MIN(left, COPY);

			failed = take(z, z->in, n, at, e);
			s.next_in = z->in;
			s.avail_in = (unsigned)n;
			at += n;
			left -= n;
		}
		s.next_out = z->out;
		s.avail_out = COPY;
		if (failed)
			break;
		r = zlib.inflate(&s, 0);
		unsigned n = COPY - s.avail_out;

		if ((r != ZLIB_OK && r != ZLIB_STREAM_END && r != ZLIB_BUF_ERROR) ||
		    (r != ZLIB_STREAM_END && !n && !left && !s.avail_in))
			failed = wrong(z, "is a damaged zip archive: a file in it does not inflate", e);
		else if (n)
			failed = download_unpack_bytes(z->sink, fd, z->out, n, e);
		*crc = (uint32_t)zlib.crc(*crc, z->out, n);
		*size += n;
	}
	zlib.inflate_end(&s);
	return failed;
}

static int copy_to(struct zip *z, int fd, const struct zip_member *m, uint64_t at, uint32_t *crc, uint64_t *size,
                   struct err *e)
{
	if (zabi_zlib(e))
		return -1;
	for (uint64_t left = m->packed; left;) {
		uint64_t n = MIN(left, COPY);

		if (take(z, z->in, n, at, e) || download_unpack_bytes(z->sink, fd, z->in, n, e))
			return -1;
		*crc = (uint32_t)zlib.crc(*crc, z->in, (unsigned)n);
		*size += n;
		at += n;
		left -= n;
	}
	return 0;
}

static int refuse_kind(struct zip *z, const struct zip_member *m, struct err *e)
{
	unsigned type = m->host == 3 ? m->attributes >> 16 & S_IFMT : 0;

	if (type == S_IFLNK)
		return download_unpack_refuse(z->sink, m->name, "a symbolic link", e);
	if (type && type != S_IFREG)
		return download_unpack_refuse(z->sink, m->name, "which is neither a file nor a folder", e);
	if (m->flags & 1)
		return download_unpack_refuse(z->sink, m->name, "which is encrypted", e);
	if (m->method != 0 && m->method != 8)
		return download_unpack_refuse(z->sink, m->name, "packed in a way other than deflate", e);
	return 0;
}

static int member(struct zip *z, const struct zip_member *m, struct err *e)
{
	uint8_t local[LOCAL_SIZE];
	uint32_t crc = 0;
	uint64_t size = 0, at;
	int fd FD_CLEANUP = -1;

	if (str_has_suffix(m->name, STR("/")) && !m->size)
		return 0; /* a folder comes with the files in it */
	if (refuse_kind(z, m, e) || take(z, local, sizeof(local), m->at, e))
		return -1;
	if (le(local, 4) != 0x04034b50)
		return wrong(z, "is a damaged zip archive: a file is not where its directory says", e);
	at = m->at + LOCAL_SIZE + le(local + 26, 2) + le(local + 28, 2);
	if (download_unpack_file(z->sink, m->name, &fd, e))
		return -1;
	if ((m->method ? inflate_to : copy_to)(z, fd, m, at, &crc, &size, e))
		return -1;
	if (crc != m->crc || size != m->size)
		return err_set(e, ERR_BAD_DATA, "%s is a damaged zip archive: %s has another checksum than it says",
		               z->sink->from, STR_SHOWN(m->name));
	return 0;
}

static int each(struct zip *z, struct err *e)
{
	uint8_t *dir, *p, *end;

	if (z->dir_size > MAX_DIRECTORY)
		return wrong(z, "has a directory of more than 128 MiB", e);
	dir = p = arena_alloc(z->sink->arena, z->dir_size);
	end = dir + z->dir_size;
	if (take(z, dir, z->dir_size, z->dir_at, e))
		return -1;
	for (uint64_t i = 0; i < z->n; i++) {
		if (end - p < CENTRAL_SIZE || le(p, 4) != 0x02014b50)
			return wrong(z, "is a damaged zip archive: its directory ends early", e);
		uint64_t name = le(p + 28, 2), extra = le(p + 30, 2), comment = le(p + 32, 2);
		struct zip_member m = {
			.host = p[5],
			.flags = (unsigned)le(p + 8, 2),
			.method = (unsigned)le(p + 10, 2),
			.crc = (uint32_t)le(p + 16, 4),
			.packed = le(p + 20, 4),
			.size = le(p + 24, 4),
			.attributes = (uint32_t)le(p + 38, 4),
			.at = le(p + 42, 4),
			.name = {(char *)p + CENTRAL_SIZE, name},
		};

		p += CENTRAL_SIZE;
		if (name + extra + comment > (uint64_t)(end - p))
			return wrong(z, "is a damaged zip archive: its directory ends early", e);
		if (extra64(z, (struct str){(char *)p + name, extra}, &m, e) || member(z, &m, e))
			return -1;
		p += name + extra + comment;
	}
	return 0;
}

int download_zip(struct download_sink *s, const char *path, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct stat st;
	struct zip z = {.sink = s, .path = path, .in = arena_alloc(s->arena, COPY), .out = arena_alloc(s->arena, COPY)};

	if (file_open_read(path, &fd, e) || file_stat(path, &st, e))
		return -1;
	z.fd = fd;
	z.size = (uint64_t)st.st_size;
	return find_directory(&z, e) || each(&z, e) ? -1 : 0;
}
