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

#define MAGIC "leatst01"
#define RACY_NS 20000000
#define MAX_BYTES ((size_t)1 << 30)
#define GARBAGE 1000 /* rows that may be stale before the file is written anew */

/* A row of the file, followed by the path; native byte order: it never leaves this machine. */
struct row {
	uint64_t check; /* of all that follows */
	struct file_key key;
	struct sha id;
	uint32_t path;
	uint32_t ours;
};

struct statcache {
	struct arena *a;
	struct map rows; /* path -> struct row */
	char path[4352];
	struct buf fresh;
	size_t stale;
	bool begun; /* the file has its head */
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

static void load(struct statcache *c, struct str all)
{
	size_t at = sizeof(MAGIC) - 1;

	if (all.n < at || memcmp(all.p, MAGIC, at))
		return;
	c->begun = true;
	while (all.n - at >= sizeof(struct row)) {
		struct row r;
		struct str path;
		memcpy(&r, all.p + at, sizeof(r));
		at += sizeof(r);
		if (r.path > NAME_MAX_PATH || r.path > all.n - at)
			break;
		path = (struct str){all.p + at, r.path};
		if (check(&r, path) != r.check)
			break;
		at += r.path;
		set(c, path, &r);
	}
	if (at != all.n) /* torn: written anew */
		c->stale = GARBAGE + c->rows.n + 1;
}

struct statcache *statcache_open(struct store *s, int64_t repo)
{
	struct arena *a = arena_new();
	struct statcache *c = arena_new_of(a, struct statcache);
	struct err ignored = ERR_INIT;
	struct str all;

	c->a = a;
	map_init(&c->rows, a);
	buf_init(&c->fresh, MAX_BYTES);
	snprintf(c->path, sizeof(c->path), "%s/cache/stat-%lld", s->leat_dir, (long long)repo);
	if (file_exists(c->path) && !file_read(a, c->path, MAX_BYTES, &all, &ignored))
		load(c, all);
	return c;
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

void statcache_close(struct statcache *c)
{
	struct err ignored = ERR_INIT;
	int fd FD_CLEANUP = -1;

	if (!c)
		return;
	if (buf_over(&c->fresh))
		(void)unlink(c->path);
	else if (c->fresh.n && (!c->begun || c->stale > c->rows.n + GARBAGE)) {
		rewrite(c);
	} else if (c->fresh.n && !file_open_write(c->path, O_APPEND, 0644, &fd, &ignored)) {
		if (fd_write_all(fd, c->fresh.p, c->fresh.n, c->path, &ignored))
			(void)unlink(c->path);
	}
	statcache_drop(c);
}

void statcache_drop(struct statcache *c)
{
	buf_free(&c->fresh);
	arena_free(c->a);
}

bool statcache_get(const struct statcache *c, struct str path, const struct file_key *k, struct sha *id)
{
	const struct row *r = map_get(&c->rows, path);

	if (!r || !file_key_eq(&r->key, k))
		return false;
	*id = r->id;
	return true;
}

bool statcache_is_ours(const struct statcache *c, struct str path, const struct file_key *k)
{
	const struct row *r = map_get(&c->rows, path);

	return r && r->ours && r->key.dev == k->dev && r->key.ino == k->ino && r->key.size == k->size &&
	       r->key.mtime_ns == k->mtime_ns;
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
