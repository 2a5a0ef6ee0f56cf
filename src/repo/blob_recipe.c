/* Objects that are ranges of others. */
#include <stdlib.h>

#include "base/str.h"
#include "repo/blob_in.h"
#include "sys/file.h"

#define RECIPE_VERSION 1
#define BLOCK ((size_t)256 << 10)

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static uint64_t varint(struct reader *r)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 63 && r->p < r->end; shift += 7) {
		uint8_t c = *r->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			if (!c && shift) /* shortest form only */
				break;
			return v;
		}
	}
	r->bad = true;
	return 0;
}

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(b, (char)(v | 0x80));
	buf_addc(b, (char)v);
}

void recipe_encode(struct buf *b, const struct piece *ranges, size_t n)
{
	buf_addc(b, RECIPE_VERSION);
	put_varint(b, n);
	for (size_t i = 0; i < n; i++) {
		buf_add(b, ranges[i].id.b, SHA_BYTES);
		put_varint(b, (uint64_t)ranges[i].at);
		put_varint(b, (uint64_t)ranges[i].n);
	}
}

static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_DAMAGED, "a recipe is damaged: %s", what);
}

int recipe_decode(struct arena *a, struct str body, struct piece **out, size_t *n, struct err *e)
{
	struct reader r = {(const uint8_t *)body.p, (const uint8_t *)body.p + body.n, false};
	struct piece *all;
	int64_t sum = 0;
	uint64_t count;

	if (!body.n || *r.p != RECIPE_VERSION)
		return damaged(e, "it does not begin as one");
	r.p++;
	count = varint(&r);
	if (r.bad || !count || count > (uint64_t)(r.end - r.p) / (SHA_BYTES + 2))
		return damaged(e, "its head cannot be");
	all = arena_array(a, struct piece, count);
	for (uint64_t i = 0; i < count; i++) {
		if (r.end - r.p < SHA_BYTES)
			return damaged(e, "a range cannot be read");
		memcpy(all[i].id.b, r.p, SHA_BYTES);
		r.p += SHA_BYTES;
		all[i].at = (int64_t)varint(&r);
		all[i].n = (int64_t)varint(&r);
		if (r.bad || !all[i].n || __builtin_add_overflow(sum, all[i].n, &sum) ||
		    all[i].at > INT64_MAX - all[i].n)
			return damaged(e, "a range cannot be");
	}
	if (r.p != r.end)
		return damaged(e, "bytes follow its last range");
	*out = all;
	*n = count;
	return 0;
}

static int load(struct store *s, struct arena *a, const struct sha *id, int64_t size, struct piece **out, size_t *n,
		struct err *e)
{
	struct q *q = db_query(s->db, "select body from recipe where id = ?");
	struct str body = STR_NULL;
	int64_t sum = 0;
	int r;

	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1)
		body = arena_str(a, q_col_blob(q, 0));
	q_done(q);
	if (!r)
		return err_set(e, ERR_NOT_FOUND, "a recipe has moved");
	if (r < 0 || recipe_decode(a, body, out, n, e))
		return -1;
	for (size_t i = 0; i < *n; i++)
		sum += (*out)[i].n;
	return size < 0 || sum == size ? 0 : damaged(e, "its ranges do not give the size that its row says");
}

/* A range of an object that is no recipe, or some of it. */
static int feed(struct store *s, const struct piece *g, int64_t skip, int64_t n, blob_sink *sink, void *ptr,
		struct err *e)
{
	struct blob_at at;
	char path[BLOB_PATH_CAP], *bytes;
	int fd FD_CLEANUP = -1, rc = 0;
	int r = blob_look(s, &g->id, &at, e);

	if (r < 0)
		return -1;
	if (!r || at.place == BLOB_RECIPE || g->at + g->n > at.size) {
		char hex[SHA_HEX + 1];
		sha_hex(&g->id, hex);
		err_set(e, ERR_DAMAGED, "the object %s, of which a range is needed, %s", hex,
			!r ? "is gone" : at.place == BLOB_RECIPE ? "is a recipe itself" : "is shorter");
		return err_hint(e, "leat fsck names the files that it hits");
	}
	if (at.place != BLOB_WHOLE) {
		bytes = xmalloc((size_t)at.size + 1);
		rc = blob_whole_object(s, &g->id, &at, bytes, e) || sink(ptr, bytes + g->at + skip, (size_t)n, e) ? -1
														  : 0;
		free(bytes);
		return rc;
	}
	blob_path(s, &g->id, path, sizeof(path));
	if (file_open_read(path, &fd, e))
		return -1;
	bytes = xmalloc(BLOCK);
	for (int64_t done = 0; done < n && !rc;) {
		size_t want = (size_t)MIN((int64_t)BLOCK, n - done), got = 0;
		rc = fd_pread_full(fd, bytes, want, (off_t)(g->at + skip + done), &got, path, e);
		if (!rc && got < want)
			rc = err_set(e, ERR_DAMAGED, "%s is shorter than it was", path);
		if (!rc)
			rc = sink(ptr, bytes, got, e);
		done += (int64_t)got;
	}
	free(bytes);
	return rc;
}

struct checked {
	struct sha_ctx sha;
	blob_sink *sink;
	void *ptr;
};

static int hash_on(void *ptr, const void *p, size_t n, struct err *e)
{
	struct checked *c = ptr;

	sha_add(&c->sha, p, n);
	return c->sink(c->ptr, p, n, e);
}

int recipe_stream(struct store *s, const struct sha *id, int64_t size, blob_sink *sink, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct checked c = {.sink = sink, .ptr = ptr};
	struct piece *ranges;
	struct sha have;
	size_t n;

	sha_init(&c.sha);
	if (load(s, a, id, size, &ranges, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (feed(s, &ranges[i], 0, ranges[i].n, hash_on, &c, e))
			return -1;
	have = sha_end(&c.sha);
	if (!sha_eq(&have, id)) {
		damaged(e, "its ranges do not give the bytes that its id says");
		return err_hint(e, "leat fsck names the files that it hits");
	}
	return 0;
}

struct into {
	char *p;
};

static int copy_on(void *ptr, const void *p, size_t n, struct err *e)
{
	struct into *t = ptr;

	(void)e;
	memcpy(t->p, p, n);
	t->p += n;
	return 0;
}

int recipe_read(struct store *s, const struct sha *id, int64_t from, char *out, size_t n, size_t *got, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct into t = {out};
	struct piece *ranges;
	int64_t at = 0, end = from + (int64_t)n;
	size_t count;

	if (load(s, a, id, -1, &ranges, &count, e))
		return -1;
	for (size_t i = 0; i < count && at < end; at += ranges[i++].n) {
		int64_t lo = MAX(from, at), hi = MIN(end, at + ranges[i].n);
		if (lo < hi && feed(s, &ranges[i], lo - at, hi - lo, copy_on, &t, e))
			return -1;
	}
	*got = (size_t)(t.p - out);
	return 0;
}
