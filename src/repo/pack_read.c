/* Reading packs: their footers, and objects by the rows that say where they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/str.h"
#include "repo/pack_format.h"
#include "sys/file.h"

#define OPEN_MAX 16 /* packs open at once */
#define PATH_CAP 4352

struct packs {
	struct {
		int64_t number; /* 0: free */
		int fd;
		uint64_t used;
	} slots[OPEN_MAX];
	uint64_t clock;
	struct pack_reader *reader;
};

struct pack_reader {
	ZSTD_DCtx *z;
	char *stored;
	size_t cap;
	struct {
		char *p;
		size_t cap, n;
		int64_t from;
		int fd;
	} ahead;
};

void pack_u64_put(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t u64_get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

void pack_entry_put(uint8_t out[PACK_ENTRY], const struct pack_entry *t)
{
	memcpy(out, t->id.b, SHA_BYTES);
	pack_u64_put(out + SHA_BYTES, t->at);
	for (int i = 0; i < 4; i++) {
		out[SHA_BYTES + 8 + i] = (uint8_t)(t->stored >> 8 * i);
		out[SHA_BYTES + 12 + i] = (uint8_t)(t->size >> 8 * i);
	}
}

static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_DAMAGED, "a pack is damaged: %s", what);
}

static int by_place(const void *a, const void *b)
{
	const struct pack_entry *const *x = a, *const *y = b;

	if ((*x)->at != (*y)->at)
		return (*x)->at < (*y)->at ? -1 : 1;
	return (*x)->stored < (*y)->stored ? -1 : (*x)->stored > (*y)->stored; /* an empty one before the next */
}

/* Records lie back to back from the head to the footer. */
static bool tiles(struct arena *a, const struct pack_entry *t, size_t n, uint64_t end)
{
	const struct pack_entry **order = arena_array(a, const struct pack_entry *, n);
	uint64_t at = PACK_MAGIC;

	for (size_t i = 0; i < n; i++)
		order[i] = &t[i];
	qsort(order, n, sizeof(*order), by_place);
	for (size_t i = 0; i < n; i++) {
		if (order[i]->at != at)
			return false;
		at += order[i]->stored;
	}
	return at == end;
}

/* The footer, `size` being that of the whole file. */
static int decode(struct arena *a, const uint8_t *foot, size_t n, uint64_t size, struct pack_entry **out, size_t *count,
		  struct err *e)
{
	const uint8_t *tail = foot + n - PACK_TAIL;
	size_t rows = (n - PACK_TAIL) / PACK_ENTRY;
	struct sha sum = sha_of(foot, n - SHA_BYTES - PACK_MAGIC);
	struct pack_entry *all = arena_array(a, struct pack_entry, rows);

	if (memcmp(sum.b, tail + 8, SHA_BYTES))
		return damaged(e, "its footer does not have the hash that it says");
	for (size_t i = 0; i < rows; i++) {
		const uint8_t *p = foot + i * PACK_ENTRY;
		struct pack_entry *t = &all[i];
		memcpy(t->id.b, p, SHA_BYTES);
		t->at = u64_get(p + SHA_BYTES, 8);
		t->stored = (uint32_t)u64_get(p + SHA_BYTES + 8, 4);
		t->size = (uint32_t)u64_get(p + SHA_BYTES + 12, 4);
		if (t->size > PACK_OBJECT_MAX || t->stored > t->size || t->at > size)
			return damaged(e, "an entry cannot be");
		if (i && memcmp(t[-1].id.b, t->id.b, SHA_BYTES) >= 0)
			return damaged(e, "its entries are not in order");
	}
	if (!tiles(a, all, rows, size - n))
		return damaged(e, "its records do not lie back to back");
	*out = all;
	*count = rows;
	return 0;
}

/* From the last bytes: how long the footer is. */
static int footer_size(const uint8_t *tail, uint64_t size, uint64_t *out, struct err *e)
{
	uint64_t count = u64_get(tail, 8);

	if (memcmp(tail + 8 + SHA_BYTES, PACK_FOOT, PACK_MAGIC))
		return damaged(e, "it does not end as a pack ends");
	if (count > (size - PACK_MAGIC - PACK_TAIL) / PACK_ENTRY)
		return damaged(e, "its footer says more objects than it has room for");
	*out = count * PACK_ENTRY + PACK_TAIL;
	return 0;
}

static int check_head(const void *head, uint64_t size, struct err *e)
{
	if (size < PACK_MAGIC + PACK_TAIL || size > (uint64_t)PACK_FILE_MAX)
		return damaged(e, "its length cannot be");
	if (memcmp(head, PACK_HEAD, PACK_MAGIC))
		return damaged(e, "it does not begin as a pack begins");
	return 0;
}

int pack_decode(struct arena *a, struct str file, struct pack_entry **out, size_t *n, struct err *e)
{
	const uint8_t *p = (const uint8_t *)file.p;
	uint64_t foot;

	if (check_head(file.n < PACK_MAGIC ? "        " : file.p, file.n, e) ||
	    footer_size(p + file.n - PACK_TAIL, file.n, &foot, e))
		return -1;
	return decode(a, p + file.n - foot, foot, file.n, out, n, e);
}

static int read_at(int fd, void *p, size_t n, uint64_t at, const char *path, struct err *e)
{
	size_t got = 0;

	if (fd_pread_full(fd, p, n, (off_t)at, &got, path, e))
		return -1;
	return got < n ? damaged(e, "it is shorter than it was") : 0;
}

static int index_of(struct arena *a, int fd, const char *path, uint64_t size, struct pack_entry **out, size_t *n,
		    struct err *e)
{
	uint8_t head[PACK_MAGIC] = {0}, tail[PACK_TAIL], *foot;
	uint64_t len;

	if (size >= PACK_MAGIC + PACK_TAIL && read_at(fd, head, sizeof(head), 0, path, e))
		return -1;
	if (check_head(head, size, e) || read_at(fd, tail, sizeof(tail), size - PACK_TAIL, path, e) ||
	    footer_size(tail, size, &len, e))
		return -1;
	foot = arena_alloc(a, len);
	return read_at(fd, foot, len, size - len, path, e) || decode(a, foot, len, size, out, n, e) ? -1 : 0;
}

int pack_index(struct store *s, struct arena *a, const char *name, struct pack_entry **out, size_t *n, struct err *e)
{
	int fd FD_CLEANUP = -1;
	char path[PATH_CAP];
	struct stat st;

	pack_path(s, name, path, sizeof(path));
	if (file_open_read(path, &fd, e))
		return -1;
	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	return index_of(a, fd, path, (uint64_t)st.st_size, out, n, e) ? err_wrap(e, "%s", path) : 0;
}

static int open_object(ZSTD_DCtx *z, const struct pack_entry *t, const char *stored, char *out, struct err *e)
{
	struct sha have;

	if (t->stored == t->size) {
		if (t->size) /* memcpy may be told no address of nothing */
			memcpy(out, stored, t->size);
	} else {
		size_t n = ZSTD_decompressDCtx(z, out, t->size, stored, t->stored);
		if (ZSTD_isError(n) || n != t->size)
			return damaged(e, "a frame in it cannot be unpacked");
	}
	have = sha_of(out, t->size);
	return sha_eq(&have, &t->id) ? 0 : damaged(e, "an object in it does not hold the bytes that its id says");
}

int pack_open_object(const struct pack_entry *t, const char *stored, char *out, struct err *e)
{
	ZSTD_DCtx *z = t->stored == t->size ? NULL : ZSTD_createDCtx();
	int rc = open_object(z, t, stored, out, e);

	ZSTD_freeDCtx(z);
	return rc;
}

struct pack_reader *pack_reader_new(void)
{
	struct pack_reader *r = xcalloc(1, sizeof(*r));

	r->z = ZSTD_createDCtx();
	BUG_IF(!r->z); /* out of memory */
	return r;
}

void pack_reader_free(struct pack_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->z);
	free(r->stored);
	free(r->ahead.p);
	free(r);
}

void packs_free(struct packs *p)
{
	if (!p)
		return;
	for (int i = 0; i < OPEN_MAX; i++)
		if (p->slots[i].number)
			fd_close(&p->slots[i].fd);
	pack_reader_free(p->reader);
	free(p);
}

static struct packs *packs_of(struct store *s)
{
	if (!s->packs) {
		s->packs = xcalloc(1, sizeof(*s->packs));
		s->packs->reader = pack_reader_new();
	}
	return s->packs;
}

static int name_of(struct store *s, int64_t pack, char out[PACK_NAME], struct err *e)
{
	struct q *q = db_query(s->db, "select name from pack where id = ?");
	int r;

	q_int(q, 1, pack);
	r = q_step(q, e);
	if (r == 1) {
		struct str name = q_col_text(q, 0);
		snprintf(out, PACK_NAME, "%.*s", STR_ARG(name));
	}
	q_done(q);
	if (!r)
		return err_set(e, ERR_NOT_FOUND, "the pack number %lld has no row", (long long)pack);
	return r < 0 ? -1 : 0;
}

int pack_open(struct store *s, int64_t pack, int *fd, struct err *e)
{
	char path[PATH_CAP], name[PACK_NAME];

	if (name_of(s, pack, name, e))
		return -1;
	pack_path(s, name, path, sizeof(path));
	return file_open_read(path, fd, e);
}

/* The slot of an open pack. */
static int slot_of(struct store *s, int64_t pack, struct err *e)
{
	struct packs *p = packs_of(s);
	int oldest = 0, fd;

	p->clock++;
	for (int i = 0; i < OPEN_MAX; i++) {
		if (p->slots[i].number == pack) {
			p->slots[i].used = p->clock;
			return i;
		}
		if (p->slots[i].used < p->slots[oldest].used)
			oldest = i;
	}
	if (pack_open(s, pack, &fd, e))
		return -1;
	if (p->slots[oldest].number)
		fd_close(&p->slots[oldest].fd);
	p->slots[oldest].number = pack;
	p->slots[oldest].fd = fd;
	p->slots[oldest].used = p->clock;
	return oldest;
}

void pack_reader_ahead(struct pack_reader *r, int fd, int64_t from, size_t n)
{
	struct err ignored = ERR_INIT;

	r->ahead.n = 0;
	r->ahead.fd = fd;
	r->ahead.from = from;
	if (r->ahead.cap < n) {
		r->ahead.cap = n;
		r->ahead.p = xrealloc(r->ahead.p, n);
	}
	if (n && fd_pread_full(fd, r->ahead.p, n, (off_t)from, &r->ahead.n, "a pack", &ignored)) {
		r->ahead.n = 0;
		err_clear(&ignored);
	}
}

/* The stored bytes of an object, in memory that is the reader's. */
static const char *stored_bytes(struct pack_reader *r, int fd, const struct pack_entry *t, struct err *e)
{
	const int64_t off = (int64_t)t->at - r->ahead.from;

	if (r->ahead.n && r->ahead.fd == fd && off >= 0 && off + t->stored <= (int64_t)r->ahead.n)
		return r->ahead.p + off;
	if (r->cap < t->stored) {
		r->cap = t->stored + (size_t)4096;
		r->stored = xrealloc(r->stored, r->cap);
	}
	return read_at(fd, r->stored, t->stored, t->at, "a pack", e) ? NULL : r->stored;
}

int pack_reader_fetch(struct pack_reader *r, int fd, const struct sha *id, const struct pack_at *at, char *out,
		      struct err *e)
{
	struct pack_entry t = {.id = *id, .at = (uint64_t)at->at, .stored = (uint32_t)at->stored,
			       .size = (uint32_t)at->size};
	struct err inner = ERR_INIT;
	char link[40], path[PATH_CAP];
	const char *stored;
	ssize_t n;

	if (at->stored < 0 || at->stored > at->size || at->size > PACK_OBJECT_MAX || at->at < PACK_MAGIC)
		return err_set(e, ERR_DAMAGED, "a row about a pack cannot be");
	stored = stored_bytes(r, fd, &t, &inner);
	if (stored && !open_object(r->z, &t, stored, out, &inner))
		return 0;
	*e = inner;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0)
		err_wrap(e, "%.*s", (int)n, path);
	return err_hint(e, "leat fsck names the files that it hits");
}

int pack_fetch(struct store *s, const struct sha *id, const struct pack_at *at, char *out, struct err *e)
{
	int slot = slot_of(s, at->pack, e);

	return slot < 0 ? -1 : pack_reader_fetch(s->packs->reader, s->packs->slots[slot].fd, id, at, out, e);
}
