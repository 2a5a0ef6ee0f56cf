#include "repo/tree_page.h"

#include <stdlib.h>

#include "base/str.h"
#include "repo/ingest_session.h"

#define CACHE_SLOTS 1024
#define CACHE_MAX_BODY (32u << 10) /* larger pages are rare and not kept */

struct tree_cache {
	struct {
		struct sha id;
		char *body;
		size_t n;
	} slots[CACHE_SLOTS];
};

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static void put_varint(struct buf *b, uint64_t v)
{
	uint8_t out[10];
	size_t n = 0;

	while (v >= 0x80) {
		out[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	out[n++] = (uint8_t)v;
	buf_add(b, out, n);
}

/* Shortest form only and at most 63 bits, so that a number has one encoding and fits int64_t. */
static uint64_t get_varint(struct reader *r)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 63 && r->p < r->end; shift += 7) {
		uint8_t c = *r->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			if (!c && shift)
				break;
			return v;
		}
	}
	r->bad = true;
	return 0;
}

void tree_page_encode(struct buf *b, int level, const struct item *items, size_t n)
{
	uint8_t head[2] = {TREE_PAGE_VERSION, (uint8_t)level};

	buf_add(b, head, sizeof(head));
	put_varint(b, n);
	for (size_t i = 0; i < n; i++) {
		const struct entry *t = &items[i].entry;
		if (!level)
			buf_addc(b, (char)t->kind);
		put_varint(b, t->name.n);
		buf_addstr(b, t->name);
		buf_add(b, t->id.b, SHA_BYTES);
		put_varint(b, (uint64_t)t->size);
		if (level || t->kind == ENTRY_FOLDER)
			put_varint(b, (uint64_t)t->files);
		if (level)
			put_varint(b, (uint64_t)items[i].n);
	}
}

static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_DAMAGED, "a page of a folder is damaged: %s", what);
}

static bool get_item(struct reader *r, int level, struct item *t)
{
	uint64_t n;

	*t = (struct item){.entry.kind = ENTRY_FOLDER, .n = 1};
	if (!level) {
		if (r->p == r->end || *r->p > ENTRY_FOLDER)
			return false;
		t->entry.kind = (enum entry_kind)*r->p++;
	}
	n = get_varint(r);
	if (r->bad || !n || n > TREE_PAGE_MAX_NAME || n + SHA_BYTES > (uint64_t)(r->end - r->p))
		return false;
	t->entry.name = (struct str){(const char *)r->p, n};
	r->p += n;
	memcpy(t->entry.id.b, r->p, SHA_BYTES);
	r->p += SHA_BYTES;
	t->entry.size = (int64_t)get_varint(r);
	t->entry.files = level || t->entry.kind == ENTRY_FOLDER ? (int64_t)get_varint(r) : 1;
	if (level)
		t->n = (int64_t)get_varint(r);
	return !r->bad && t->n > 0;
}

/* FNV-1a, mixed by a multiplication so that its top bits depend on all of the name; each level looks at other bits. */
static bool ends(int level, struct str name, size_t n, int bits)
{
	uint64_t h = 0xcbf29ce484222325u;

	if (n >= TREE_PAGE_MAX)
		return true;
	if (level && n < 2) /* an index page of one would not make the levels fewer */
		return false;
	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 0x100000001b3u;
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
	return !(h >> (64 - bits * (level % 10 + 1)) & ((1u << bits) - 1));
}

/* Whether it was cut by another rule than that of so many bits. */
static bool goes_on(const struct page *p, int bits)
{
	for (size_t i = 0; i + 1 < p->n; i++)
		if (ends(p->level, p->items[i].entry.name, i + 1, bits))
			return true;
	return false;
}

int tree_page_decode(struct arena *a, struct str body, struct page *out, struct err *e)
{
	struct reader r = {(const uint8_t *)body.p, (const uint8_t *)body.p + body.n, false};
	struct page p = {0};
	int64_t size = 0, files = 0;

	if (body.n < 3 || body.n > TREE_PAGE_MAX_BYTES)
		return damaged(e, "its length cannot be");
	if (r.p[0] != TREE_PAGE_VERSION)
		return err_set(e, ERR_NEWER_FORMAT, "a page of a folder has format %d; this leat knows %d", r.p[0],
		               TREE_PAGE_VERSION);
	p.level = r.p[1];
	r.p += 2;
	p.n = get_varint(&r);
	if (r.bad || p.n > TREE_PAGE_MAX || p.level > TREE_PAGE_MAX_LEVEL || (p.level && !p.n))
		return damaged(e, "its head cannot be");
	p.items = arena_array(a, struct item, p.n);
	for (size_t i = 0; i < p.n; i++) {
		struct item *t = &p.items[i];
		if (!get_item(&r, p.level, t))
			return damaged(e, "an entry cannot be read");
		if (memchr(t->entry.name.p, '/', t->entry.name.n) || memchr(t->entry.name.p, 0, t->entry.name.n))
			return damaged(e, "a name holds a '/' or a zero byte");
		if (i && str_cmp(t[-1].entry.name, t->entry.name) >= 0)
			return damaged(e, "its names are not in order");
		if (__builtin_add_overflow(size, t->entry.size, &size) ||
		    __builtin_add_overflow(files, t->entry.files, &files))
			return damaged(e, "its sums cannot be");
	}
	if (r.p != r.end)
		return damaged(e, "bytes follow its last entry");
	if (goes_on(&p, TREE_PAGE_BITS) && goes_on(&p, TREE_PAGE_BITS_OLD))
		return damaged(e, "it goes on after the entry that ends it");
	*out = p;
	return 0;
}

bool tree_page_ends(int level, struct str name, size_t n)
{
	return ends(level, name, n, TREE_PAGE_BITS);
}

void tree_page_sums(const struct page *p, struct entry *out, int64_t *entries)
{
	out->kind = ENTRY_FOLDER;
	out->size = out->files = 0;
	if (entries)
		*entries = 0;
	for (size_t i = 0; i < p->n; i++) {
		out->size += p->items[i].entry.size;
		out->files += p->items[i].entry.files;
		if (entries)
			*entries += p->items[i].n;
	}
}

struct tree_cache *tree_cache_new(void)
{
	return xcalloc(1, sizeof(struct tree_cache));
}

void tree_cache_free(struct tree_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		free(c->slots[i].body);
	free(c);
}

static size_t cache_slot(const struct sha *id)
{
	return (id->b[0] | (size_t)id->b[1] << 8) % CACHE_SLOTS;
}

static void cache_add(struct tree_cache *c, const struct sha *id, struct str body)
{
	size_t i = cache_slot(id);

	if (body.n > CACHE_MAX_BODY)
		return;
	c->slots[i].body = xrealloc(c->slots[i].body, body.n);
	memcpy(c->slots[i].body, body.p, body.n);
	c->slots[i].id = *id;
	c->slots[i].n = body.n;
}

int tree_page_bytes(struct store *s, struct ingest *in, const struct sha *id, struct arena *a, struct str *out,
                    struct err *e)
{
	size_t i = cache_slot(id);
	struct str body;
	struct q *q;
	int r;

	if (s->trees->slots[i].body && sha_eq(&s->trees->slots[i].id, id)) {
		*out = arena_str(a, (struct str){s->trees->slots[i].body, s->trees->slots[i].n});
		return 0;
	}
	if (in && ingest_page_get(in, id, &body)) {
		*out = arena_str(a, body);
		return 0;
	}
	q = db_query(s->db, "select body from tree where id = ?");
	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1) {
		*out = arena_str(a, q_col_blob(q, 0));
		cache_add(s->trees, id, *out);
	}
	q_done(q);
	if (!r) {
		struct sha empty = tree_empty_id();
		if (sha_eq(&empty, id)) { /* known without a row */
			*out = (struct str){"\1\0", 3};
			return 0;
		}
		char hex[SHA_HEX + 1];
		sha_hex(id, hex);
		return err_set(e, ERR_DAMAGED, "the store lacks the page %s of a folder", hex);
	}
	return r < 0 ? -1 : 0;
}

int tree_page_read(struct store *s, struct ingest *in, const struct sha *id, int level, struct arena *a,
                   struct page *out, struct err *e)
{
	struct str body;
	struct page p;

	if (tree_page_bytes(s, in, id, a, &body, e) || tree_page_decode(a, body, &p, e))
		return -1;
	if (level >= 0 && p.level != level)
		return damaged(e, "it is not of the level that the page above it says");
	*out = p;
	return 0;
}

size_t tree_page_seek(const struct page *p, struct str name)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (str_cmp(p->items[mid].entry.name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct sha tree_page_made(struct store *s, struct ingest *in, int level, const struct item *items, size_t n)
{
	struct buf b = BUF_INIT(TREE_PAGE_MAX_BYTES);
	struct sha id;

	tree_page_encode(&b, level, items, n);
	BUG_IF(buf_over(&b));
	id = sha_of(b.p, b.n);
	ingest_page_add(in, &id, buf_str(&b));
	cache_add(s->trees, &id, buf_str(&b));
	buf_free(&b);
	return id;
}

int tree_record_page(struct store *s, const struct tree_new *t, struct err *e)
{
	struct q *q = db_query(s->db, "insert or ignore into tree(id, body) values(?, ?)");

	q_sha(q, 1, &t->id);
	q_blob(q, 2, t->body.p, t->body.n);
	return q_run(q, e);
}

int tree_record(struct store *s, struct ingest *in, struct err *e)
{
	size_t *i = ingest_pages_written(in);
	struct tree_new *t;

	BUG_IF(!db_in_write(s->db));
	for (; (t = ingest_page_at(in, *i)); ++*i)
		if (ingest_take(in, &t->recorded) && tree_record_page(s, t, e))
			return -1;
	return 0;
}
