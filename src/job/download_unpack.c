#include <fcntl.h>

#include "base/name.h"
#include "base/str.h"
#include "job/download.h"
#include "sys/file.h"
#include "sys/zabi.h"

#define BLOCK 65536

int download_unpack_refuse(struct download_sink *s, struct str member, const char *what, struct err *e)
{
	err_set(e, ERR_REFUSED, "%s holds %s, %s", s->from, STR_SHOWN(member), what);
	return err_hint(e, "nothing of it was kept; unpack: none keeps the archive as it is, for a script to open");
}

int download_unpack_file(struct download_sink *s, struct str member, int *fd, struct err *e)
{
	char path[NAME_MAX_PATH + 1];
	struct str name = member;
	struct err why = ERR_INIT;
	bool folder = false;
	size_t n;

	if (str_has_prefix(name, STR("/")))
		return download_unpack_refuse(s, member, "an absolute path", e);
	while (str_has_prefix(name, STR("./")))
		name = str_sub(name, 2, name.n);
	if (name_path(name, path, &n, &folder, &why))
		return download_unpack_refuse(s, member, why.msg, e);
	if (!n || folder)
		return download_unpack_refuse(s, member, "which is no name of a file", e);
	if (++s->files > DOWNLOAD_MAX_FILES)
		return err_set(e, ERR_LIMIT, "%s holds more than %d files", s->from, DOWNLOAD_MAX_FILES);

	char *full = path_join(s->arena, s->dir, path);
	if (file_exists(full))
		return download_unpack_refuse(s, member, "which is there already: it comes twice", e);
	if (dir_make_parent(full, 0755, e) || file_open_write(full, O_EXCL, 0644, fd, e))
		return err_wrap(e, "%s", s->from);
	return 0;
}

int download_unpack_bytes(struct download_sink *s, int fd, const void *p, size_t n, struct err *e)
{
	if ((int64_t)n > s->left) {
		err_set(e, ERR_LIMIT, "%s unpacks to more than %lld bytes", s->from, (long long)s->max);
		return err_hint(e, "max_size: in the job allows more");
	}
	s->left -= (int64_t)n;
	return fd_write_all(fd, p, n, s->dir, e);
}

struct download_source {
	int fd;
	const char *path;
	bool gzip, ended; /* ended: the last gzip member is complete */
	struct zlib_stream z;
	uint8_t in[BLOCK];
};

int download_unpack_open(struct arena *a, const char *path, bool must_be_gzip, struct download_source **out,
                         struct err *e)
{
	uint8_t magic[2] = {0};
	size_t got;
	struct download_source *s = arena_new_of(a, struct download_source);

	s->path = path;
	if (file_open_read(path, &s->fd, e))
		return -1;
	if (fd_pread_full(s->fd, magic, sizeof(magic), 0, &got, path, e))
		goto failed;
	s->gzip = got == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
	if (must_be_gzip && !s->gzip) {
		err_set(e, ERR_BAD_DATA, "it is no gzip file");
		goto failed;
	}
	if (s->gzip && zabi_inflate(&s->z, ZLIB_GZIP, e))
		goto failed;
	*out = s;
	return 0;
failed:
	fd_close(&s->fd);
	return -1;
}

void download_unpack_close(struct download_source *s)
{
	if (s->gzip)
		zlib.inflate_end(&s->z);
	fd_close(&s->fd);
}

/* After the end of a gzip member: another one may follow, or zeros that pad a tape's block. */
static int next_member(struct download_source *s, struct err *e)
{
	while (s->z.avail_in && !*s->z.next_in) {
		s->z.next_in++;
		s->z.avail_in--;
	}
	if (!s->z.avail_in)
		return 0;
	if (*s->z.next_in != 0x1f)
		return err_set(e, ERR_BAD_DATA, "bytes that are no gzip follow the end of its gzip stream");
	s->ended = false;
	return zlib.inflate_reset(&s->z) == ZLIB_OK ? 0 : err_set(e, ERR_INTERNAL, "zlib does not begin anew");
}

static int refill(struct download_source *s, struct err *e)
{
	size_t got;

	if (s->z.avail_in)
		return 0;
	if (fd_read_full(s->fd, s->in, sizeof(s->in), &got, s->path, e))
		return -1;
	s->z.next_in = s->in;
	s->z.avail_in = (unsigned)got;
	return 0;
}

int download_unpack_read(struct download_source *s, void *p, size_t n, size_t *got, struct err *e)
{
	if (!s->gzip)
		return fd_read_full(s->fd, p, n, got, s->path, e);
	s->z.next_out = p;
	s->z.avail_out = (unsigned)n;
	while (s->z.avail_out) {
		if (refill(s, e))
			return -1;
		if (s->ended && s->z.avail_in && next_member(s, e))
			return -1;
		if (!s->z.avail_in) {
			if (!s->ended)
				return err_set(e, ERR_BAD_DATA, "its gzip stream ends in the middle");
			break;
		}
		if (s->ended)
			continue;
		int r = zlib.inflate(&s->z, 0);
		s->ended = r == ZLIB_STREAM_END;
		if (r != ZLIB_OK && r != ZLIB_STREAM_END && r != ZLIB_BUF_ERROR)
			return err_set(e, ERR_BAD_DATA, "its gzip stream is damaged%s%s", s->z.msg ? ": " : "",
			               s->z.msg ? s->z.msg : "");
	}
	*got = n - s->z.avail_out;
	return 0;
}

static int gunzip(struct download_sink *s, struct download_source *src, const char *name, struct err *e)
{
	uint8_t *block = arena_alloc(s->arena, BLOCK);
	int fd FD_CLEANUP = -1;
	size_t got = 1;

	if (download_unpack_file(s, str_of(name), &fd, e))
		return -1;
	while (got) {
		if (download_unpack_read(src, block, BLOCK, &got, e))
			return err_wrap(e, "%s", s->from);
		if (got && download_unpack_bytes(s, fd, block, got, e))
			return -1;
	}
	return 0;
}

int download_unpack(struct download_sink *s, const char *archive, enum download_unpack how, const char *name,
                    struct err *e)
{
	struct download_source *src;
	int r;

	if (how == UNPACK_UNZIP)
		return download_zip(s, archive, e);
	if (download_unpack_open(s->arena, archive, how == UNPACK_GUNZIP, &src, e))
		return err_wrap(e, "%s", s->from);
	r = how == UNPACK_GUNZIP ? gunzip(s, src, name, e) : download_tar(s, src, e);
	download_unpack_close(src);
	return r;
}
