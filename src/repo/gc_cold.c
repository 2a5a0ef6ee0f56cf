/*
 * Whole files that no head needs become recipes: what they share with the file that stands at their path today lies
 * there, the rest in packs, cut by content (base/chunk.h) so that versions share it.
 *
 * A recipe may name ranges of a whole file. When that file grows cold itself, its recipe is laid into those that name
 * it, one by one, before its own row turns: so a recipe never names a recipe, and what is history stays readable.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chunk.h"
#include "base/map.h"
#include "base/name.h"
#include "base/str.h"
#include "base/xx64.h"
#include "repo/gc_in.h"
#include "repo/pack.h"
#include "repo/tree_page.h"
#include "sys/fault.h"
#include "sys/file.h"

#define BATCH_FILES 256           /* cold files whose pieces share packs, */
#define BATCH_BYTES PACK_FULL     /* until those are this large */
#define PLAIN_MAX ((int64_t)64 << 10) /* smaller ones are packed as they are */
#define COMPARE ((size_t)64 << 10)
#define RECIPE_MAX ((size_t)64 << 20) /* bytes of one: a file of some 100 GB */

struct cold_file {
	struct sha id;
	int64_t size;
	int64_t repo;
	const char *path;       /* where it was last, NULL: not found (only a source) */
	bool skip;              /* packed as it is, or already done, or not readable */
	bool packed;            /* in the packs of this batch under its own id */
	struct piece *pieces;
	size_t n;
};

struct cut { /* a chunk of the file that a cold one is compared with */
	uint64_t sum;
	int64_t at;
	uint32_t n, next; /* index + 1 of the next with that slot */
};

struct cold {
	struct gc *g;
	struct arena *a, *batch;
	struct map files;                 /* by id: struct cold_file */
	VEC(struct cold_file *) list;
	struct map users;                 /* source's id -> struct user: recipes that name it */
	struct marks walked;
	int64_t repo;                     /* being walked */
	char walk_path[NAME_MAX_PATH + 1];
	/* the file compared with last */
	struct sha base;
	int64_t base_size;
	int base_fd;
	struct arena *base_arena;
	VEC(struct cut) cuts;
	uint32_t *slots;
	size_t n_slots;
	struct pack_writer *w;
	struct map added;                 /* ids in w */
	struct pack_squeezer *z;
	struct buf frame;
	uint8_t *block;                   /* CHUNK_MAX bytes */
	VEC(struct cold_file *) ready;
};

struct user {
	struct sha recipe;
	struct user *next;
};

static struct str key(const struct sha *id)
{
	return (struct str){(const char *)id->b, SHA_BYTES};
}

/* --- which --- */

static int list_cold(struct cold *c, struct err *e)
{
	struct q *q = db_query(c->g->s->db, "select id, size from blob");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct cold_file *f;
		struct sha id;
		if (!q_col_sha(q, 0, &id) || marks_has(&c->g->hot, &id) || !marks_has(&c->g->cold, &id))
			continue;
		f = arena_new_of(c->a, struct cold_file);
		*f = (struct cold_file){.id = id, .size = q_col_int(q, 1)};
		map_set(&c->files, key(&id), f);
		vec_push(c->a, &c->list, f);
	}
	q_done(q);
	return r;
}

static int list_users(struct cold *c, struct err *e)
{
	struct q *q = db_query(c->g->s->db, "select id, body from recipe");
	struct arena *a = arena_new();
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct piece *p;
		struct sha id;
		size_t n;
		if (!q_col_sha(q, 0, &id))
			continue;
		if (recipe_decode(a, q_col_blob(q, 1), &p, &n, e)) {
			r = -1;
			break;
		}
		for (size_t i = 0; i < n; i++) {
			struct user *first = map_get(&c->users, key(&p[i].id)), *u;
			if (!map_has(&c->files, key(&p[i].id)) || (first && sha_eq(&first->recipe, &id)))
				continue;
			u = arena_new_of(c->a, struct user);
			*u = (struct user){id, first};
			map_set(&c->users, key(&p[i].id), u);
		}
		arena_reset(a);
	}
	q_done(q);
	arena_free(a);
	return r < 0 ? -1 : 0;
}

/* Finds the paths of cold files in history; what heads show holds none. */
static int walk(struct cold *c, const struct sha *id, int level, size_t base, struct err *e)
{
	struct sha none = tree_empty_id();
	struct arena *a;
	struct page p;
	int r = sha_eq(id, &none) || marks_has(&c->g->hot_pages, id) ? 0 : marks_add(&c->walked, id, e), rc = 0;

	if (r <= 0)
		return r;
	a = arena_new();
	if (tree_page_read(c->g->s, NULL, id, level, a, &p, e)) {
		arena_free(a);
		return -1;
	}
	for (size_t i = 0; i < p.n && !rc; i++) {
		const struct entry *t = &p.items[i].entry;
		size_t n = base + (p.level ? 0 : t->name.n);
		if (n + 1 > NAME_MAX_PATH)
			continue;
		if (p.level) {
			rc = walk(c, &t->id, p.level - 1, base, e);
			continue;
		}
		memcpy(c->walk_path + base, t->name.p, t->name.n);
		if (t->kind == ENTRY_FOLDER) {
			c->walk_path[n] = '/';
			rc = walk(c, &t->id, -1, n + 1, e);
		} else {
			struct cold_file *f = map_get(&c->files, key(&t->id));
			if (f && !f->path) {
				f->path = arena_printf(c->a, "%.*s", (int)n, c->walk_path);
				f->repo = c->repo;
			}
		}
	}
	arena_free(a);
	return rc;
}

static int find_paths(struct cold *c, struct err *e)
{
	struct q *q = db_query(c->g->s->db, "select c.repo, c.tree from commits c join repo r on r.id = c.repo"
					    " where r.ended is null order by c.repo, c.number desc");
	VEC(int64_t) repos = {0};
	VEC(struct sha) trees = {0};
	struct sha tree;
	int r;

	while ((r = q_step(q, e)) == 1)
		if (q_col_sha(q, 1, &tree)) {
			vec_push(c->a, &repos, q_col_int(q, 0));
			vec_push(c->a, &trees, tree);
		}
	q_done(q);
	for (size_t i = 0; r >= 0 && i < trees.n; i++) {
		c->repo = repos.p[i];
		if (walk(c, &trees.p[i], -1, 0, e))
			return -1;
	}
	return r;
}

/* Versions of one path come together, so that the file that they are compared with is cut once. */
static int by_path(const void *pa, const void *pb)
{
	const struct cold_file *a = *(struct cold_file *const *)pa, *b = *(struct cold_file *const *)pb;

	if (a->repo != b->repo)
		return a->repo < b->repo ? -1 : 1;
	if (!a->path || !b->path)
		return (a->path != NULL) - (b->path != NULL);
	int r = strcmp(a->path, b->path);
	return r ? r : memcmp(a->id.b, b->id.b, SHA_BYTES);
}

/* --- cutting --- */

static void base_close(struct cold *c)
{
	fd_close(&c->base_fd);
	arena_reset(c->base_arena);
	memset(&c->cuts, 0, sizeof(c->cuts));
	c->slots = NULL;
	memset(&c->base, 0, sizeof(c->base));
}

static int read_at(int fd, void *p, size_t n, int64_t at, struct err *e)
{
	size_t got = 0;

	if (fd_pread_full(fd, p, n, (off_t)at, &got, "an object", e))
		return -1;
	return got == n ? 0 : err_set(e, ERR_DAMAGED, "an object is shorter than its row says");
}

static int base_open(struct cold *c, const struct sha *id, int64_t size, struct err *e)
{
	if (sha_eq(&c->base, id) && c->base_fd >= 0)
		return 0;
	base_close(c);
	if (blob_open(c->g->s, id, &c->base_fd, e))
		return -1;
	c->base = *id;
	c->base_size = size;
	for (int64_t at = 0; at < size;) {
		size_t n = (size_t)MIN((int64_t)CHUNK_MAX, size - at);
		struct cut t = {.at = at};
		if (read_at(c->base_fd, c->block, n, at, e))
			return -1;
		t.n = (uint32_t)chunk_cut(c->block, n);
		t.sum = xx64(c->block, t.n, 0);
		vec_push(c->base_arena, &c->cuts, t);
		at += t.n;
	}
	for (c->n_slots = 64; c->n_slots < 2 * c->cuts.n;)
		c->n_slots *= 2;
	c->slots = arena_array(c->base_arena, uint32_t, c->n_slots);
	for (size_t i = 0; i < c->cuts.n; i++) {
		uint32_t *s = &c->slots[c->cuts.p[i].sum & (c->n_slots - 1)];
		c->cuts.p[i].next = *s;
		*s = (uint32_t)i + 1;
	}
	return 0;
}

/* Whether n bytes of the base at `at` are those of p: 1, 0, -1. */
static int base_is(struct cold *c, int64_t at, const uint8_t *p, size_t n, struct err *e)
{
	uint8_t other[4096];

	for (size_t done = 0; done < n;) {
		size_t k = MIN(sizeof(other), n - done);
		if (read_at(c->base_fd, other, k, at + (int64_t)done, e))
			return -1;
		if (memcmp(other, p + done, k))
			return 0;
		done += k;
	}
	return 1;
}

/* The file that stands today where a cold one stood: 1 and it is open and cut, 0, -1. */
static int find_base(struct cold *c, const struct cold_file *f, struct err *e)
{
	struct commit head;
	struct entry t;
	struct blob_at at;
	int r = f->path ? branch_head(c->g->s, f->repo, STR(BRANCH_DEFAULT), &head, e) : 0;

	if (r > 0)
		r = tree_find(c->g->s, NULL, &head.tree, str_of(f->path), &t, e);
	if (r <= 0 || t.kind != ENTRY_FILE || !marks_has(&c->g->hot, &t.id))
		return r < 0 ? -1 : 0;
	r = blob_look(c->g->s, &t.id, &at, e);
	if (r <= 0 || at.place != BLOB_WHOLE || at.size < (int64_t)CHUNK_MIN)
		return r < 0 ? -1 : 0;
	return base_open(c, &t.id, at.size, e) ? -1 : 1;
}

/* A stretch of a cold file: of the base, or (at -1) its own. */
struct run {
	int64_t from, n, at;
};
struct runs {
	VEC(struct run) list;
};

static void add_run(struct cold *c, struct runs *r, int64_t from, int64_t n, int64_t at)
{
	struct run *last = r->list.n ? &r->list.p[r->list.n - 1] : NULL;

	if (last && (last->at < 0 ? at < 0 : at == last->at + last->n))
		last->n += n;
	else
		vec_push(c->batch, &r->list, ((struct run){from, n, at}));
}

static int match(struct cold *c, int fd, const struct cold_file *f, bool base, struct runs *out, struct err *e)
{
	for (int64_t at = 0; at < f->size;) {
		size_t n = (size_t)MIN((int64_t)CHUNK_MAX, f->size - at), k;
		int64_t found = -1;
		uint64_t sum;
		if (read_at(fd, c->block, n, at, e))
			return -1;
		k = chunk_cut(c->block, n);
		sum = base ? xx64(c->block, k, 0) : 0;
		for (uint32_t i = base ? c->slots[sum & (c->n_slots - 1)] : 0; i; i = c->cuts.p[i - 1].next) {
			const struct cut *t = &c->cuts.p[i - 1];
			int r = t->sum == sum && t->n == k ? base_is(c, t->at, c->block, k, e) : 0;
			if (r < 0)
				return -1;
			if (r)
				found = t->at;
		}
		add_run(c, out, at, (int64_t)k, found);
		at += (int64_t)k;
	}
	return 0;
}

/* How many bytes of both files agree from there on (step 1) or before there (step -1), at most `most`. */
static int agree(struct cold *c, int fd, int64_t at, int64_t base_at, int64_t most, int step, int64_t *out,
		 struct err *e)
{
	static uint8_t mine[COMPARE], theirs[COMPARE];
	int64_t same = 0;

	while (same < most) {
		size_t n = (size_t)MIN((int64_t)COMPARE, most - same), i = 0;
		int64_t from = step > 0 ? same : -same - (int64_t)n;
		if (read_at(fd, mine, n, at + from, e) || read_at(c->base_fd, theirs, n, base_at + from, e))
			return -1;
		while (i < n && (step > 0 ? mine[i] == theirs[i] : mine[n - 1 - i] == theirs[n - 1 - i]))
			i++;
		same += (int64_t)i;
		if (i < n)
			break;
	}
	*out = same;
	return 0;
}

/* Chunks that differ mostly agree at one end with what stands beside them: stretches are made as long as they go. */
static int widen(struct cold *c, int fd, struct runs *r, struct err *e)
{
	for (size_t i = 0; i < r->list.n; i++) {
		struct run *t = &r->list.p[i], *before = i ? t - 1 : NULL, *after = i + 1 < r->list.n ? t + 1 : NULL;
		int64_t same;
		if (t->at >= 0)
			continue;
		if (before && before->at >= 0) {
			int64_t base_at = before->at + before->n;
			if (agree(c, fd, t->from, base_at, MIN(t->n, c->base_size - base_at), 1, &same, e))
				return -1;
			before->n += same;
			t->from += same;
			t->n -= same;
		}
		if (after && after->at >= 0) {
			if (agree(c, fd, after->from, after->at, MIN(t->n, after->at), -1, &same, e))
				return -1;
			after->from -= same;
			after->at -= same;
			after->n += same;
			t->n -= same;
		}
	}
	return 0;
}

static int add_object(struct cold *c, const struct sha *id, struct str bytes, struct err *e)
{
	bool squeezed;

	if (!c->w && pack_create(c->g->s, &c->w, e))
		return -1;
	squeezed = pack_squeeze(c->z, bytes, &c->frame);
	map_set(&c->added, key(id), c);
	if (marks_add(&c->g->cold, id, e) < 0)
		return -1;
	return pack_add(c->w, id, bytes, squeezed ? buf_str(&c->frame) : STR_NULL, e);
}

/* Bytes of its own, as objects in packs; those that are in one already are not written again. */
static int own_bytes(struct cold *c, int fd, const struct run *t, struct cold_file *f, size_t *n, struct err *e)
{
	for (int64_t done = 0; done < t->n;) {
		size_t want = (size_t)MIN((int64_t)CHUNK_MAX, t->n - done), k;
		struct blob_at at;
		struct sha id;
		int r;
		if (read_at(fd, c->block, want, t->from + done, e))
			return -1;
		k = chunk_cut(c->block, want);
		id = sha_of(c->block, k);
		r = map_has(&c->added, key(&id)) ? 1 : gc_needs(c->g, &id) ? blob_look(c->g->s, &id, &at, e) : 0;
		if (r > 0 && !map_has(&c->added, key(&id)) && (at.place == BLOB_RECIPE || at.place == BLOB_WHOLE))
			r = 0;
		if (r < 0 || (!r && add_object(c, &id, (struct str){(char *)c->block, k}, e)))
			return -1;
		f->pieces[(*n)++] = (struct piece){id, 0, (int64_t)k};
		done += (int64_t)k;
	}
	return 0;
}

static int make_pieces(struct cold *c, struct cold_file *f, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct runs runs = {0};
	size_t n = 0, most = 0;
	struct sha have;
	int base;

	if (blob_open(c->g->s, &f->id, &fd, e) || fd_sha(fd, &have, NULL, "an object", e))
		return -1;
	if (!sha_eq(&have, &f->id)) { /* never make of damaged bytes what looks whole: fsck tells of it */
		f->skip = true;
		return 0;
	}
	if (f->size < PLAIN_MAX) {
		char bytes[PLAIN_MAX];
		if (read_at(fd, bytes, (size_t)f->size, 0, e))
			return -1;
		f->packed = true;
		return map_has(&c->added, key(&f->id))
			       ? 0
			       : add_object(c, &f->id, (struct str){bytes, (size_t)f->size}, e);
	}
	base = find_base(c, f, e);
	if (base < 0 || match(c, fd, f, base, &runs, e) || (base && widen(c, fd, &runs, e)))
		return -1;
	for (size_t i = 0; i < runs.list.n; i++)
		most += runs.list.p[i].at >= 0 ? 1 : (size_t)(runs.list.p[i].n / (int64_t)CHUNK_MIN) + 1;
	f->pieces = arena_array(c->batch, struct piece, most);
	for (size_t i = 0; i < runs.list.n; i++) {
		const struct run *t = &runs.list.p[i];
		if (t->at >= 0 && t->n)
			f->pieces[n++] = (struct piece){c->base, t->at, t->n};
		else if (t->at < 0 && own_bytes(c, fd, t, f, &n, e))
			return -1;
	}
	f->n = n;
	return 0;
}

/* --- turning --- */

/* What [at, at + n) of a file is, by its pieces. */
static void lay(struct arena *a, const struct cold_file *f, int64_t at, int64_t n, struct piece **p, size_t *np,
		size_t *cap)
{
	int64_t pos = 0;

	for (size_t i = 0; i < f->n; pos += f->pieces[i++].n) {
		const struct piece *t = &f->pieces[i];
		int64_t lo = MAX(at, pos), hi = MIN(at + n, pos + t->n);
		if (lo >= hi)
			continue;
		if (*np == *cap)
			*p = arena_grow(a, *p, cap, *np, sizeof(**p));
		(*p)[(*np)++] = (struct piece){t->id, t->at + lo - pos, hi - lo};
	}
}

/* One recipe that names a file which now has pieces: inside a slice. */
static int relay(struct cold *c, const struct sha *recipe, const struct cold_file *f, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(c->g->s->db, "select body from recipe where id = ?");
	struct buf b = BUF_INIT(RECIPE_MAX);
	struct piece *old, *p = NULL;
	size_t n_old, n = 0, cap = 0;
	struct str body = STR_NULL;
	struct piece whole = {f->id, 0, f->size};
	struct cold_file as = *f;
	int r, rc;

	if (f->packed) { /* ranges of the packed object */
		as.pieces = &whole;
		as.n = 1;
	}
	q_sha(q, 1, recipe);
	r = q_step(q, e);
	if (r == 1)
		body = arena_str(a, q_col_blob(q, 0));
	q_done(q);
	if (r <= 0 || recipe_decode(a, body, &old, &n_old, e))
		return r ? -1 : 0;
	for (size_t i = 0; i < n_old; i++) {
		if (sha_eq(&old[i].id, &f->id)) {
			lay(a, &as, old[i].at, old[i].n, &p, &n, &cap);
			continue;
		}
		if (n == cap)
			p = arena_grow(a, p, &cap, n, sizeof(*p));
		p[n++] = old[i];
	}
	recipe_encode(&b, p, n);
	q = db_query(c->g->s->db, "update recipe set body = ? where id = ?");
	q_blob(q, 1, b.p, b.n);
	q_sha(q, 2, recipe);
	rc = buf_over(&b) ? err_set(e, ERR_LIMIT, "a recipe has more than %zu bytes", RECIPE_MAX) : q_run(q, e);
	if (buf_over(&b))
		q_done(q);
	buf_free(&b);
	return rc;
}

static int turn_users(struct cold *c, const struct cold_file *f, struct err *e)
{
	struct user *u = map_get(&c->users, key(&f->id));

	if (f->packed)
		return 0; /* they name the same object, wherever it is */
	while (u) {
		if (gc_slice_begin(c->g, e))
			return -1;
		for (; u && !gc_slice_over(c->g); u = u->next)
			if (relay(c, &u->recipe, f, e)) {
				gc_slice_drop(c->g);
				return -1;
			}
		if (gc_slice_end(c->g, e))
			return -1;
	}
	return 0;
}

/* Inside a slice: the recipe's row comes, the file's row goes. A file that a head needs since a moment ago stays. */
static int turn(struct cold *c, struct cold_file *f, struct err *e)
{
	struct buf b = BUF_INIT(RECIPE_MAX);
	struct q *q;
	int rc = 0;

	if (marks_has(&c->g->hot, &f->id)) {
		f->skip = true;
		return 0;
	}
	if (!f->packed) {
		recipe_encode(&b, f->pieces, f->n);
		q = db_query(c->g->s->db, "insert or replace into recipe(id, size, body) values(?, ?, ?)");
		q_sha(q, 1, &f->id);
		q_int(q, 2, f->size);
		q_blob(q, 3, b.p, b.n);
		rc = q_run(q, e);
		c->g->r.cold_after += (int64_t)b.n + SHA_BYTES + 8;
	}
	if (!rc) {
		q = db_query(c->g->s->db, "delete from blob where id = ?");
		q_sha(q, 1, &f->id);
		rc = q_run(q, e);
	}
	buf_free(&b);
	return rc;
}

static int record_pack(struct cold *c, struct err *e)
{
	size_t n = c->w ? pack_objects(c->w) : 0;

	for (size_t i = 0; i < n;) {
		if (gc_slice_begin(c->g, e))
			return -1;
		int rc = i ? 0 : pack_record(c->w, e);
		do
			rc = rc ? rc : pack_record_rows(c->w, i++, 1, e);
		while (!rc && i < n && !gc_slice_over(c->g));
		if (rc) {
			gc_slice_drop(c->g);
			return -1;
		}
		if (gc_slice_end(c->g, e))
			return -1;
	}
	return 0;
}

/*
 * Who began to read since the marking may have been told where a file lies, and open it later. Who begins now finds its
 * recipe. So the files of what is being read now stay, with their rows, until another gc.
 */
static int keep_read(struct cold *c, struct err *e)
{
	char path[BLOB_PATH_CAP];

	if (gc_mark_leased(c->g, e))
		return -1;
	for (size_t i = 0; i < c->ready.n; i++) {
		struct cold_file *f = c->ready.p[i];
		struct file_key k;
		struct q *q;
		if (f->skip || !marks_has(&c->g->hot, &f->id))
			continue;
		f->skip = true;
		blob_path(c->g->s, &f->id, path, sizeof(path));
		if (file_stat_key(path, &k, e) || gc_slice_begin(c->g, e))
			return -1;
		q = db_query(c->g->s->db, "insert or replace into blob(id, size, mtime_ns) values(?, ?, ?)");
		q_sha(q, 1, &f->id);
		q_int(q, 2, k.size);
		q_int(q, 3, k.mtime_ns);
		if (q_run(q, e)) {
			gc_slice_drop(c->g);
			return -1;
		}
		if (gc_slice_end(c->g, e))
			return -1;
	}
	return 0;
}

static int close_batch(struct cold *c, struct err *e)
{
	if (c->w) {
		c->g->r.cold_after += (int64_t)pack_written(c->w);
		if (gc_pack_close(c->g, c->w, e) || record_pack(c, e))
			return -1;
	}
	for (size_t i = 0; i < c->ready.n; i++)
		if (turn_users(c, c->ready.p[i], e))
			return -1;
	for (size_t i = 0; i < c->ready.n;) {
		if (gc_slice_begin(c->g, e))
			return -1;
		do
			if (turn(c, c->ready.p[i], e)) {
				gc_slice_drop(c->g);
				return -1;
			}
		while (++i < c->ready.n && !gc_slice_over(c->g));
		if (gc_slice_end(c->g, e))
			return -1;
	}
	if (gc_settle(c->g, e))
		return -1;
	fault_crash("gc-turned");
	if (keep_read(c, e))
		return -1;
	for (size_t i = 0; i < c->ready.n; i++) {
		struct cold_file *f = c->ready.p[i];
		if (f->skip)
			continue;
		if (gc_trash_blob(c->g, &f->id, e))
			return -1;
		c->g->r.cold++;
		c->g->r.cold_before += f->size;
	}
	c->ready.n = 0;
	pack_writer_free(c->w);
	c->w = NULL;
	base_close(c);
	memset(&c->ready, 0, sizeof(c->ready));
	arena_reset(c->batch);
	map_init(&c->added, c->batch);
	return gc_trash_empty(c->g, e);
}

static int repack(struct cold *c, struct err *e)
{
	for (size_t i = 0; i < c->list.n; i++) {
		struct cold_file *f = c->list.p[i];
		struct err inner = ERR_INIT;
		gc_say(c->g, "re-packing", (double)i / (double)c->list.n);
		if (make_pieces(c, f, &inner)) {
			if (inner.code != ERR_DAMAGED) {
				*e = inner;
				return -1;
			}
			f->skip = true; /* fsck tells of it */
		}
		if (!f->skip)
			vec_push(c->batch, &c->ready, f);
		if (c->ready.n &&
		    (c->ready.n >= BATCH_FILES || (c->w && pack_written(c->w) >= BATCH_BYTES) || i + 1 == c->list.n) &&
		    close_batch(c, e))
			return -1;
	}
	return 0;
}

int gc_cold(struct gc *g, struct err *e)
{
	struct cold c = {.g = g, .a = arena_new(), .batch = arena_new(), .base_arena = arena_new(), .base_fd = -1};
	int rc;

	map_init(&c.files, c.a);
	map_init(&c.users, c.a);
	map_init(&c.added, c.batch);
	c.z = pack_squeezer_new();
	buf_init(&c.frame, (size_t)PACK_OBJECT_MAX + 1);
	c.block = arena_alloc(c.a, CHUNK_MAX);
	rc = list_cold(&c, e);
	if (!rc && c.list.n) {
		rc = list_users(&c, e) || find_paths(&c, e) ? -1 : 0;
		if (!rc) {
			qsort(c.list.p, c.list.n, sizeof(*c.list.p), by_path);
			rc = repack(&c, e);
		}
	}
	pack_writer_free(c.w);
	base_close(&c);
	marks_free(&c.walked);
	buf_free(&c.frame);
	pack_squeezer_free(c.z);
	arena_free(c.base_arena);
	arena_free(c.batch);
	arena_free(c.a);
	return rc;
}
