/*
 * A stream of tar archives (POSIX ustar and pax, GNU's long names), taken in as it comes. Files and folders only: links
 * and devices are refused by name, and so is what would lie outside of the folder.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/name.h"
#include "base/str.h"
#include "base/tar.h"
#include "job/stay.h"
#include "sys/dir.h"
#include "sys/fd.h"
#include "sys/file.h"

#define MAX_EXTENDED ((int64_t)1 << 20) /* a pax header, a long name */
#define MAX_PATH 4096

enum taking { AT_HEAD, AT_FILE, AT_EXTENDED, AT_PADDING };

struct stay_tar {
	char *dir;
	enum taking at;
	char head[TAR_BLOCK];
	size_t have;                 /* of head */
	unsigned empty;              /* blocks of zeros in a row */
	bool within;
	int fd;
	int64_t left, padding;
	char *path;                  /* of the file at work */
	char type;
	char *extended;
	size_t n_extended;
	char long_name[MAX_PATH + 1]; /* for the next member; "" */
	int64_t long_size;            /* -1 */
	size_t n_files;
};

struct stay_tar *stay_tar_new(const char *dir)
{
	struct stay_tar *t = xcalloc(1, sizeof(*t));

	t->dir = xstrdup(dir);
	t->fd = -1;
	t->long_size = -1;
	return t;
}

void stay_tar_again(struct stay_tar *t)
{
	char *dir = t->dir;

	fd_close(&t->fd);
	free(t->path);
	free(t->extended);
	*t = (struct stay_tar){.dir = dir, .fd = -1, .long_size = -1};
}

void stay_tar_free(struct stay_tar *t)
{
	if (!t)
		return;
	stay_tar_again(t);
	free(t->dir);
	free(t);
}

bool stay_tar_within(const struct stay_tar *t)
{
	return t->within || t->have;
}

/* Octal, or GNU's base 256 for what is too large for it. */
static bool number(const char *field, size_t n, int64_t *out)
{
	const unsigned char *p = (const unsigned char *)field;
	int64_t v = 0;
	size_t i = 0;

	if (p[0] & 0x80) {
		v = p[0] & 0x3f;
		for (i = 1; i < n; i++) {
			if (v > INT64_MAX >> 8)
				return false;
			v = v << 8 | p[i];
		}
		*out = v;
		return !(p[0] & 0x40);
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
		if (v > INT64_MAX >> 3)
			return false;
		v = v << 3 | (p[i] - '0');
	}
	*out = v;
	return i == n || !p[i] || p[i] == ' ';
}

static bool sum_holds(const char *h)
{
	int64_t want, sum = 8 * ' ';

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? 0 : (unsigned char)h[i];
	return number(h + 148, 8, &want) && want == sum;
}

static struct str field(const char *p, size_t n)
{
	return (struct str){p, strnlen(p, n)};
}

/* "path" and "size" of a pax header: lines "27 path=a/b\n". */
static void pax(struct stay_tar *t)
{
	struct str left = {t->extended, t->n_extended}, key, value, count;
	int64_t n;

	while (str_cut(left, ' ', &count, &value) && str_to_i64(count, &n) && n > (int64_t)count.n + 1 &&
	       n <= (int64_t)left.n) {
		struct str line = str_sub(left, count.n + 1, (size_t)n - count.n - 2);

		if (str_cut(line, '=', &key, &value) && str_is(key, "path") && value.n <= MAX_PATH) {
			memcpy(t->long_name, value.p, value.n);
			t->long_name[value.n] = 0;
		} else if (str_is(key, "size") && (!str_to_i64(value, &t->long_size) || t->long_size < 0)) {
			t->long_size = -1;
		}
		left = str_sub(left, (size_t)n, left.n);
	}
}

static void end_extended(struct stay_tar *t)
{
	if (t->type == 'x')
		pax(t);
	if (t->type == 'L' && t->n_extended <= MAX_PATH) {
		memcpy(t->long_name, t->extended, t->n_extended);
		t->long_name[t->n_extended] = 0;
	}
	free(t->extended);
	t->extended = NULL;
}

static int begin_extended(struct stay_tar *t, int64_t size, struct err *e)
{
	if (size > MAX_EXTENDED)
		return err_set(e, ERR_BAD_DATA, "a name in the archive is longer than %lld bytes",
		               (long long)MAX_EXTENDED);
	t->extended = xmalloc((size_t)size + 1);
	t->n_extended = 0;
	t->left = size;
	t->at = AT_EXTENDED;
	return 0;
}

static int begin_member(struct stay_tar *t, struct str path, int64_t size, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	bool folder = t->type == '5' || str_has_suffix(path, STR("/"));
	char clean[NAME_MAX_PATH + 1];
	size_t n;

	while (str_has_prefix(path, STR("./")))
		path = str_sub(path, 2, path.n);
	if (folder && (!path.n || str_is(path, ".")))
		return 0; /* the folder itself, and what follows is in it */
	if (name_path(path, clean, &n, NULL, e))
		return -1;
	if (t->type != '0' && t->type != 0 && t->type != '7' && !folder)
		return err_set(e, ERR_REFUSED, "%s is no plain file, and a spout commits files only", STR_SHOWN(path));
	if (folder)
		return dir_make(arena_printf(a, "%s/%s", t->dir, clean), 0755, e);
	if (++t->n_files > STAY_MAX_FILES)
		return err_set(e, ERR_LIMIT, "more than %d files in one archive", STAY_MAX_FILES);
	free(t->path);
	t->path = xstrdup(arena_printf(a, "%s/%s", t->dir, clean));
	t->left = size;
	t->at = AT_FILE;
	return dir_make_parent(t->path, 0755, e) || file_open_write(t->path, O_TRUNC, 0644, &t->fd, e) ? -1 : 0;
}

static int take_head(struct stay_tar *t, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str name = field(t->head, 100), prefix = STR("");
	int64_t size = 0;
	int rc;

	if (!sum_holds(t->head) || !number(t->head + 124, 12, &size))
		return err_set(e, ERR_BAD_DATA, "what is written to /pfs/out is no tar archive");
	t->within = true;
	t->type = t->head[156];
	t->at = AT_HEAD;
	t->left = 0;
	if (!memcmp(t->head + 257, "ustar\0", 6))
		prefix = field(t->head + 345, 155);
	if (t->type == 'x' || t->type == 'g' || t->type == 'L' || t->type == 'K') {
		t->padding = (int64_t)tar_padding(size);
		return begin_extended(t, size, e);
	}
	if (t->long_size >= 0)
		size = t->long_size;
	if (prefix.n)
		name = arena_strf(a, "%.*s/%.*s", STR_ARG(prefix), STR_ARG(name));
	if (t->long_name[0])
		name = str_of(t->long_name);
	t->padding = (int64_t)tar_padding(size);
	rc = begin_member(t, name, size, e);
	t->long_name[0] = 0;
	t->long_size = -1;
	return rc;
}

static bool is_empty(const char *p)
{
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (p[i])
			return false;
	return true;
}

/* A whole block of a head: 1 the archive has ended. */
static int end_head(struct stay_tar *t, struct err *e)
{
	t->have = 0;
	if (!is_empty(t->head)) {
		t->empty = 0;
		return take_head(t, e);
	}
	if (!t->within || ++t->empty < 2)
		return 0; /* what fills the last record after the end */
	t->within = false;
	t->empty = 0;
	t->n_files = 0;
	return 1;
}

/* The member at work has all its bytes. */
static void next(struct stay_tar *t)
{
	if (t->at == AT_FILE)
		fd_close(&t->fd);
	if (t->at == AT_EXTENDED)
		end_extended(t);
	t->at = t->at == AT_PADDING || !t->padding ? AT_HEAD : AT_PADDING;
	t->left = t->at == AT_PADDING ? t->padding : 0;
}

int stay_tar_take(struct stay_tar *t, const char *p, size_t n, size_t *used, struct err *e)
{
	size_t at = 0;

	while (at < n || (t->at != AT_HEAD && !t->left)) {
		size_t part = t->at == AT_HEAD ? TAR_BLOCK - t->have : (size_t)MIN(t->left, (int64_t)(n - at));
		int r;

		part = MIN(part, n - at);
		if (t->at == AT_HEAD)
			memcpy(t->head + t->have, p + at, part);
		else if (t->at == AT_FILE && fd_write_all(t->fd, p + at, part, t->path, e))
			return -1;
		else if (t->at == AT_EXTENDED)
			memcpy(t->extended + t->n_extended, p + at, part);
		at += part;
		if (t->at == AT_HEAD) {
			t->have += part;
			r = t->have == TAR_BLOCK ? end_head(t, e) : 0;
			*used = at;
			if (r)
				return r;
			continue;
		}
		t->n_extended += t->at == AT_EXTENDED ? part : 0;
		t->left -= (int64_t)part;
		if (!t->left)
			next(t);
	}
	*used = at;
	return 0;
}
