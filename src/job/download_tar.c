/* Tar: POSIX.1-2001 (ustar and pax), and GNU's long names. */
#include "base/str.h"
#include "job/download.h"
#include "sys/file.h"

#define BLOCK 512
#define MAX_EXTENDED ((int64_t)1 << 20) /* a pax header, a long name */
#define COPY 65536

struct tar {
	struct download_sink *sink;
	struct download_source *src;
	struct str long_name, pax_name; /* for the next member; STR_NULL */
	int64_t pax_size;               /* -1: none */
	uint8_t *copy;
};

static int wrong(struct tar *t, const char *what, struct err *e)
{
	return err_set(e, ERR_BAD_DATA, "%s %s", t->sink->from, what);
}

/* Octal, or GNU's base 256 for what is too large for it. */
static bool number(const uint8_t *p, size_t n, int64_t *out)
{
	int64_t v = 0;

	if (p[0] & 0x80) {
		for (size_t i = 0; i < n; i++) {
			if (v > INT64_MAX >> 8)
				return false;
			v = v << 8 | (i ? p[i] : p[i] & 0x7f);
		}
		*out = v;
		return true;
	}
	for (size_t i = 0; i < n && p[i]; i++) {
		if (p[i] == ' ')
			continue;
		if (p[i] < '0' || p[i] > '7' || v > INT64_MAX >> 3)
			return false;
		v = v << 3 | (p[i] - '0');
	}
	*out = v;
	return true;
}

static bool sum_holds(const uint8_t *h)
{
	int64_t want, sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	return number(h + 148, 8, &want) && want == sum;
}

/* Reads exactly n bytes, or says that the archive is cut off. */
static int take(struct tar *t, void *p, size_t n, struct err *e)
{
	size_t got;

	if (download_unpack_read(t->src, p, n, &got, e))
		return err_wrap(e, "%s", t->sink->from);
	return got == n ? 0 : wrong(t, "ends in the middle of a member", e);
}

static int64_t padded(int64_t size)
{
	return (size + BLOCK - 1) / BLOCK * BLOCK;
}

/* The bytes of a member into fd (-1: past it), and what pads them. */
static int content(struct tar *t, int fd, int64_t size, struct err *e)
{
	if (size > INT64_MAX - BLOCK)
		return wrong(t, "gives a member an impossible size", e);
	for (int64_t left = padded(size), data = size; left > 0;) {
		int64_t n = MIN(left, COPY), of_data = MIN(n, data);

		if (take(t, t->copy, (size_t)n, e))
			return -1;
		if (fd >= 0 && of_data && download_unpack_bytes(t->sink, fd, t->copy, (size_t)of_data, e))
			return -1;
		left -= n;
		data -= of_data;
	}
	return 0;
}

static int extended(struct tar *t, int64_t size, struct str *out, struct err *e)
{
	if (size < 0 || size > MAX_EXTENDED)
		return wrong(t, "has a header of more than 1 MiB", e);
	char *p = arena_alloc(t->sink->arena, (size_t)padded(size) + 1);
	if (take(t, p, (size_t)padded(size), e))
		return -1;
	*out = (struct str){p, (size_t)size};
	return 0;
}

/* "27 path=some/long/name\n" and so on */
static int pax(struct tar *t, struct str records, struct err *e)
{
	while (records.n) {
		struct str length, rest, record, key, value;
		int64_t n;

		if (!str_cut(records, ' ', &length, &rest) || !str_to_i64(length, &n) || n <= (int64_t)length.n + 1 ||
		    n > (int64_t)records.n)
			return wrong(t, "has a pax header that is broken", e);
		record = str_sub(records, length.n + 1, (size_t)n - length.n - 2);
		records = str_sub(records, (size_t)n, records.n);
		if (!str_cut(record, '=', &key, &value))
			return wrong(t, "has a pax header that is broken", e);
		if (str_is(key, "path"))
			t->pax_name = value;
		if (str_is(key, "size") && (!str_to_i64(value, &t->pax_size) || t->pax_size < 0))
			return wrong(t, "has a pax header that is broken", e);
		if (str_has_prefix(key, STR("GNU.sparse.")))
			return wrong(t, "holds a sparse file, which leat does not unpack", e);
	}
	return 0;
}

static struct str field(const uint8_t *p, size_t n)
{
	return (struct str){(const char *)p, strnlen((const char *)p, n)};
}

static struct str member_name(struct tar *t, const uint8_t *h)
{
	struct str name = field(h, 100), prefix = field(h + 345, 155);

	if (t->pax_name.p)
		return t->pax_name;
	if (t->long_name.p)
		return t->long_name;
	if (!memcmp(h + 257, "ustar\0", 6) && prefix.n)
		return arena_strf(t->sink->arena, "%.*s/%.*s", STR_ARG(prefix), STR_ARG(name));
	return arena_str(t->sink->arena, name);
}

static int member(struct tar *t, const uint8_t *h, int64_t size, struct err *e)
{
	struct str name = member_name(t, h);
	char type = (char)h[156];

	t->pax_name = t->long_name = STR_NULL;
	t->pax_size = -1;
	if (type == '5' || (type == '0' && str_has_suffix(name, STR("/"))))
		return content(t, -1, size, e); /* a folder comes with the files in it */
	if (type == '1' || type == '2')
		return download_unpack_refuse(t->sink, name, type == '1' ? "a hard link" : "a symbolic link", e);
	if (type != '0' && type != 0 && type != '7')
		return download_unpack_refuse(t->sink, name, "which is neither a file nor a folder", e);

	int fd FD_CLEANUP = -1;
	if (download_unpack_file(t->sink, name, &fd, e))
		return -1;
	return content(t, fd, size, e);
}

static int one(struct tar *t, const uint8_t *h, struct err *e)
{
	struct str text;
	int64_t size;

	if (!sum_holds(h) || !number(h + 124, 12, &size) || size < 0)
		return wrong(t, "is no tar archive, or a damaged one (other compressions than gzip are not read)", e);
	switch (h[156]) {
	case 'x':
		return extended(t, size, &text, e) ? -1 : pax(t, text, e);
	case 'g': /* for the whole archive: comments, mostly */
		return content(t, -1, size, e);
	case 'L':
		if (extended(t, size, &text, e))
			return -1;
		t->long_name = str_of(text.p);
		return 0;
	case 'K':
		return content(t, -1, size, e);
	default:
		return member(t, h, t->pax_size >= 0 ? t->pax_size : size, e);
	}
}

int download_tar(struct download_sink *s, struct download_source *src, struct err *e)
{
	static const uint8_t zeros[BLOCK];
	struct tar t = {.sink = s, .src = src, .pax_size = -1, .copy = arena_alloc(s->arena, COPY)};
	uint8_t h[BLOCK];

	for (bool any = false;; any = true) {
		size_t got;

		if (download_unpack_read(src, h, BLOCK, &got, e))
			return err_wrap(e, "%s", s->from);
		if ((got == 0 && any) || (got == BLOCK && !memcmp(h, zeros, BLOCK)))
			return 0;
		if (got < BLOCK)
			return wrong(&t, any ? "ends in the middle of a header" : "is no tar archive", e);
		if (one(&t, h, e))
			return -1;
	}
}
