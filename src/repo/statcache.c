#include "repo/statcache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/tree.h"
#include "sys/dirs.h"

#define MAGIC "leatst01"
#define RACY_NS 20000000
#define MAX_BYTES ((size_t)1 << 30)
#define GARBAGE 1000 /* rows that may be stale before the file is written anew */
#define IMAGE_MIN 200 /* files that are worth an image */
#define IMAGE_NEW 100 /* rows that an image may lack, or a 64th of its own, before another one is written */

/* A row of the file, followed by the path; native byte order: it never leaves this machine. */
struct row {
	uint64_t check; /* of all that follows */
	struct file_key key;
	struct sha id;
	uint32_t path;
	uint32_t ours;
};

struct statcache {
	struct store *s;
	struct arena *a;
	struct map rows; /* path -> struct row */
	struct image *image;
	char path[4352], image_path[4352]; /* "": it has no number */
	struct buf fresh; /* rows that the file has not yet */
	size_t stale;
	bool loaded; /* else `rows` is empty and `image` not looked for: many commits look nothing up */
	bool begun;  /* the file has its head */
};

int64_t statcache_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t check(const struct row *r, struct str path)
{
	return hash_bytes((const char *)r + sizeof(r->check), sizeof(*r) - sizeof(r->check)) ^
	       hash_bytes(path.p, path.n);
}

static void set(struct statcache *c, struct str path, const struct row *r)
{
	struct row *own = map_get(&c->rows, path);

	if (own) {
		c->stale++;
	} else {
		own = arena_new_of(c->a, struct row);
		map_set(&c->rows, path, own);
	}
	*own = *r;
}

/* Whether all of it are whole rows. */
static bool set_all(struct statcache *c, struct str rows)
{
	size_t at = 0;

	while (rows.n - at >= sizeof(struct row)) {
		struct row r;
		struct str path;
		memcpy(&r, rows.p + at, sizeof(r));
		if (r.path > NAME_MAX_PATH || r.path > rows.n - at - sizeof(r))
			return false;
		path = (struct str){rows.p + at + sizeof(r), r.path};
		if (check(&r, path) != r.check)
			return false;
		at += sizeof(r) + r.path;
		set(c, path, &r);
	}
	return at == rows.n;
}

/* What the file says, and after it what this process has learned. */
static void load(struct statcache *c)
{
	size_t head = sizeof(MAGIC) - 1;
	struct err ignored = ERR_INIT;
	bool whole = true;
	struct str all;

	if (c->loaded)
		return;
	c->loaded = true;
	if (c->path[0] && !file_read(c->a, c->path, MAX_BYTES, &all, &ignored) &&
	    all.n >= head && !memcmp(all.p, MAGIC, head)) {
		c->begun = true;
		whole = set_all(c, str_sub(all, head, SIZE_MAX));
	}
	if (c->path[0])
		c->image = image_open(c->image_path);
	if (c->fresh.n)
		(void)set_all(c, arena_str(c->a, buf_str(&c->fresh)));
	if (!whole) /* torn: written anew */
		c->stale = GARBAGE + c->rows.n + 1;
}

struct statcache *statcache_open(struct store *s, int64_t repo)
{
	struct arena *a = arena_new();
	struct statcache *c = arena_new_of(a, struct statcache);

	c->s = s;
	c->a = a;
	map_init(&c->rows, a);
	buf_init(&c->fresh, MAX_BYTES);
	if (repo)
		statcache_name(c, repo);
	return c;
}

void statcache_name(struct statcache *c, int64_t repo)
{
	snprintf(c->path, sizeof(c->path), "%s/cache/stat-%lld", c->s->leat_dir, (long long)repo);
	snprintf(c->image_path, sizeof(c->image_path), "%s/cache/image-%lld", c->s->leat_dir, (long long)repo);
}

static void add(struct statcache *c, struct buf *b, struct str path, const struct row *r)
{
	buf_add(b, r, sizeof(*r));
	buf_addstr(b, path);
}

static void rewrite(struct statcache *c)
{
	struct buf all = BUF_INIT(MAX_BYTES);
	struct err ignored = ERR_INIT;
	struct str path;
	void *row;

	buf_adds(&all, MAGIC);
	for (size_t i = 0; map_each(&c->rows, &i, &path, &row);)
		add(c, &all, path, row);
	if (buf_over(&all) || file_replace(c->path, buf_str(&all), 0644, 0, &ignored))
		(void)unlink(c->path);
	buf_free(&all);
}

static void drop(struct statcache *c)
{
	image_close(c->image);
	buf_free(&c->fresh);
	arena_free(c->a);
}

void statcache_close(struct statcache *c)
{
	struct err ignored = ERR_INIT;
	struct file_key k;
	int fd FD_CLEANUP = -1;

	if (!c)
		return;
	if (c->path[0] && c->fresh.n && !c->loaded) {
		c->begun = !file_stat_key(c->path, &k, &ignored) && k.size >= (int64_t)sizeof(MAGIC) - 1;
		if (!c->begun)
			load(c);
	}
	if (!c->path[0])
		;
	else if (buf_over(&c->fresh))
		(void)unlink(c->path);
	else if (c->fresh.n && (!c->begun || c->stale > c->rows.n + GARBAGE)) {
		rewrite(c);
	} else if (c->fresh.n && !file_open_write(c->path, O_APPEND, 0644, &fd, &ignored)) {
		if (fd_write_all(fd, c->fresh.p, c->fresh.n, c->path, &ignored))
			(void)unlink(c->path);
	}
	drop(c);
}

/* The row of the image, if it has one. */
static bool in_image(const struct statcache *c, struct str path, struct image_row *out)
{
	size_t i = c->image ? image_find(c->image, STR(""), path) : IMAGE_NONE;

	if (i != IMAGE_NONE)
		*out = image_row(c->image, i);
	return i != IMAGE_NONE;
}

bool statcache_get(struct statcache *c, struct str path, const struct file_key *k, struct sha *id)
{
	const struct row *r;
	struct image_row t;

	load(c);
	r = map_get(&c->rows, path);
	if (r && file_key_eq(&r->key, k)) {
		*id = r->id;
		return true;
	}
	if (!in_image(c, path, &t) || !t.key.ino || !file_key_eq(&t.key, k))
		return false;
	*id = t.id;
	return true;
}

static bool is_ours(const struct file_key *a, const struct file_key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

bool statcache_is_ours(struct statcache *c, struct str path, const struct file_key *k)
{
	const struct row *r;
	struct image_row t;

	load(c);
	r = map_get(&c->rows, path);
	return (r && r->ours && is_ours(&r->key, k)) || (in_image(c, path, &t) && t.ours && is_ours(&t.key, k));
}

static void put(struct statcache *c, struct str path, const struct file_key *k, const struct sha *id, bool ours)
{
	struct row r;

	memset(&r, 0, sizeof(r));
	r.key = *k;
	r.id = *id;
	r.path = (uint32_t)path.n;
	r.ours = ours;
	r.check = check(&r, path);
	if (c->loaded)
		set(c, path, &r);
	add(c, &c->fresh, path, &r);
}

void statcache_hashed(struct statcache *c, struct str path, const struct file_key *k, const struct sha *id,
		      int64_t started_ns)
{
	if (MAX(k->mtime_ns, k->ctime_ns) + RACY_NS < started_ns)
		put(c, path, k, id, false);
}

void statcache_ours(struct statcache *c, struct str path, const struct file_key *k, const struct sha *id)
{
	put(c, path, k, id, true);
}

const struct image *statcache_image(struct statcache *c)
{
	if (!c)
		return NULL;
	load(c);
	return c->image;
}

void statcache_forget_image(struct statcache *c)
{
	load(c);
	image_close(c->image);
	c->image = NULL;
	(void)unlink(c->image_path);
}

/* The rows of a new image: those of the old one that are the same in the new tree, and what else that has. */
struct settling {
	struct statcache *c;
	struct arena *a;
	VEC(struct image_row) rows;
	size_t at, n_old; /* of the old image */
};

/* What is known of the file now: the last row of the two that says these bytes. */
static void settle_row(struct settling *t, struct image_row row)
{
	const struct row *r = map_get(&t->c->rows, row.path);

	if (r && sha_eq(&r->id, &row.id) && r->key.size == row.key.size) {
		row.key = r->key;
		row.ours = r->ours;
	}
	vec_push(t->a, &t->rows, row);
}

/* Those of the old image before `path`, and that one itself out of the way. */
static void settle_until(struct settling *t, const struct str *path)
{
	for (; t->at < t->n_old; t->at++) {
		struct image_row row = image_row(t->c->image, t->at);
		int order = path ? dirs_cmp(row.path, *path) : -1;
		if (order > 0)
			return;
		if (order < 0)
			settle_row(t, row);
	}
}

static int settle_change(void *ptr, enum diff_kind kind, struct str path, const struct entry *old,
			 const struct entry *new, struct err *e)
{
	struct settling *t = ptr;

	(void)old;
	(void)e;
	settle_until(t, &path);
	if (kind != DIFF_REMOVED)
		settle_row(t, (struct image_row){
				      .path = arena_str(t->a, path), .key = {.size = new->size}, .id = new->id});
	return 0;
}

/* What the image holds now goes; what is true of bytes that no tree has there stays. */
static void leave_rest(struct statcache *c)
{
	struct map rows;
	struct str path;
	void *value;

	map_init(&rows, c->a);
	for (size_t i = 0; map_each(&c->rows, &i, &path, &value);) {
		const struct row *r = value;
		struct image_row t;
		if (!in_image(c, path, &t) || !file_key_eq(&t.key, &r->key))
			map_set(&rows, path, value);
	}
	c->rows = rows;
	buf_reset(&c->fresh);
	rewrite(c);
	c->begun = true;
	c->stale = 0;
}

/* Few files are left: they are rows as others. */
static void without_image(struct statcache *c, const struct image_row *rows, size_t n)
{
	if (!c->image)
		return;
	for (size_t i = 0; i < n; i++)
		if (rows[i].key.ino)
			put(c, rows[i].path, &rows[i].key, &rows[i].id, rows[i].ours);
	statcache_forget_image(c);
}

void statcache_settle(struct statcache *c, const struct sha *tree, size_t more)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const struct image *old = statcache_image(c);
	struct sha from = old ? *image_tree(old) : tree_empty_id();
	struct settling t = {.c = c, .a = a, .n_old = old ? image_n(old) : 0};
	size_t least = MAX(t.n_old / 64, (size_t)IMAGE_NEW);
	struct err ignored = ERR_INIT;
	int rc;

	if (!c->path[0] || (more ? more : c->rows.n) < least || db_read_begin(c->s->db, &ignored))
		return;
	rc = tree_diff(c->s, &from, tree, false, settle_change, &t, &ignored);
	db_read_end(c->s->db);
	if (rc)
		return;
	settle_until(&t, NULL);
	if (t.rows.n < IMAGE_MIN) {
		without_image(c, t.rows.p, t.rows.n);
		return;
	}
	if (image_write(c->image_path, tree, t.rows.p, t.rows.n, &ignored))
		return;
	image_close(c->image);
	c->image = image_open(c->image_path);
	if (c->image)
		leave_rest(c);
}
