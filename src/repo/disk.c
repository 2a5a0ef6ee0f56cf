#include "repo/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "base/xx64.h"
#include "repo/blob.h"
#include "sys/dirs.h"
#include "sys/fd.h"
#include "sys/lock.h"

char *disk_path(struct store *s, struct arena *a, struct str repo, struct str path)
{
	return arena_printf(a, "%s/%.*s%s%.*s", s->data_dir, STR_ARG(repo), path.n ? "/" : "", STR_ARG(path));
}

/* What a tree has at a path: nothing, where the size is -1. */
struct expected {
	struct sha id;
	int64_t size;
	bool seen;
};
#define NOTHING (-1)

/* Under `protect: link` the file may be the blob itself, whose ctime any new link changes. */
static bool is_blob(struct disk_scan *d, const struct file_key *k, const struct sha *id)
{
	struct err ignored = ERR_INIT;
	char path[BLOB_PATH_CAP];
	struct file_key blob;

	if (d->s->ws->protect != PROTECT_LINK)
		return false;
	blob_path(d->s, id, path, sizeof(path));
	return !file_stat_key(path, &blob, &ignored) && blob.dev == k->dev && blob.ino == k->ino &&
	       blob_present(d->s, id, &ignored) == 1;
}

/* 1 these bytes, 0 others, 2 it went away, -1. *have is filled by the first call that reads the file. */
static int holds(struct disk_scan *d, struct str path, const struct file_key *k, const struct expected *want,
                 struct sha *have, struct err *e)
{
	struct err inner = ERR_INIT;
	int64_t started;

	if (k->size != want->size)
		return 0;
	if (sha_is_zero(have) && !d->rehash && statcache_get(d->cache, path, k, have))
		return sha_eq(have, &want->id);
	if (sha_is_zero(have) && is_blob(d, k, &want->id)) {
		statcache_hashed(d->cache, path, k, &want->id, statcache_now_ns());
		return 1;
	}
	if (sha_is_zero(have)) {
		started = statcache_now_ns();
		if (file_sha(disk_path(d->s, d->a, d->repo, path), have, NULL, &inner)) {
			if (inner.code == ERR_NOT_FOUND)
				return 2;
			*e = inner;
			return -1;
		}
		statcache_hashed(d->cache, path, k, have, started);
	}
	return sha_eq(have, &want->id);
}

/* -1, 0 = vanished meanwhile, 1 */
static int judge(struct disk_scan *d, struct disk_file *f, const struct expected *base, const struct expected *next,
                 struct err *e)
{
	struct sha have = {0};
	int r = base ? holds(d, f->path, &f->key, base, &have, e) : 0;

	f->state = DISK_SAME;
	if (!r && next) {
		r = holds(d, f->path, &f->key, next, &have, e);
		f->state = DISK_NEXT;
	}
	if (r < 0 || r == 2)
		return r < 0 ? -1 : 0;
	if (!r && !d->rehash && statcache_is_ours(d->cache, f->path, &f->key))
		f->state = DISK_OURS;
	else if (!r)
		f->state = base ? DISK_EDITED : DISK_NEW;
	return 1;
}

/* A file that is not what the image says of its path, or has no row there. */
struct odd {
	struct disk_file f;
	bool plain;
	size_t at; /* its row of the image, or IMAGE_NONE */
};

/* What one thread has found, in memory of its own. */
struct finds {
	struct arena *a;
	VEC(struct odd) odd;
	struct buf folder;
};

enum mark { UNSEEN, SEEN, OTHER }; /* OTHER: the tree has other bytes there, or nothing */

struct walk {
	struct disk_scan *d;
	const struct image *image; /* NULL: what the tree has is all in `base` */
	size_t from, to;           /* its rows below d->sub */
	uint8_t *marks;            /* of these */
	struct map base, next;     /* path -> struct expected: where d->base is not as the image, next not as base */
	struct finds finds[DIRS_THREADS];
	size_t learned; /* rows that an image would hold better */
	const char *root;
	struct err err;            /* of the look at the files */
	bool failed;
};

static struct str full_path(struct disk_scan *d, struct str path)
{
	return d->sub.n ? arena_strf(d->a, "%.*s/%.*s", STR_ARG(d->sub), STR_ARG(path)) : arena_str(d->a, path);
}

struct expecting {
	struct walk *w;
	struct map *map;
};

static int expect_change(void *ptr, enum diff_kind kind, struct str path, const struct entry *old,
			 const struct entry *new, struct err *e)
{
	struct expecting *x = ptr;
	struct expected *t = arena_new_of(x->w->d->a, struct expected);
	struct str full = full_path(x->w->d, path);
	size_t at;

	(void)old;
	(void)e;
	if (kind == DIFF_REMOVED)
		t->size = NOTHING;
	else
		*t = (struct expected){.id = new->id, .size = new->size};
	map_set(x->map, full, t);
	if (x->map == &x->w->base && x->w->image) {
		at = image_find(x->w->image, STR(""), full);
		if (at >= x->w->from && at < x->w->to)
			x->w->marks[at - x->w->from] = OTHER;
	}
	return 0;
}

static int folder_id(struct disk_scan *d, const struct sha *root, struct sha *out, struct err *e)
{
	struct entry t;
	int r = tree_find(d->s, NULL, root, d->sub, &t, e);

	*out = r == 1 && t.kind == ENTRY_FOLDER ? t.id : tree_empty_id();
	return r < 0 ? -1 : 0;
}

/* How the files of `to` below d->sub differ from those of `from`. */
static int expect(struct walk *w, const struct sha *from, const struct sha *to, struct map *out, struct err *e)
{
	struct expecting x = {w, out};
	struct sha a, b;
	int r;

	map_init(out, w->d->a);
	if (sha_eq(from, to))
		return 0;
	/* One transaction: each page of a folder read by itself would take and let go of the database's locks. */
	if (db_read_begin(w->d->s->db, e))
		return -1;
	r = folder_id(w->d, from, &a, e) || folder_id(w->d, to, &b, e) ||
		    tree_diff(w->d->s, &a, &b, false, expect_change, &x, e)
		    ? -1
		    : 0;
	db_read_end(w->d->s->db);
	return r;
}

static int expect_all(struct walk *w, struct err *e)
{
	struct disk_scan *d = w->d;
	struct sha none = tree_empty_id();
	const struct sha *base = d->base ? d->base : &none;

	map_init(&w->base, d->a);
	map_init(&w->next, d->a);
	w->image = statcache_image(d->cache);
	if (w->image) {
		struct err gone = ERR_INIT;
		image_range(w->image, d->sub, &w->from, &w->to);
		w->marks = arena_array(d->a, uint8_t, w->to - w->from);
		if (expect(w, image_tree(w->image), base, &w->base, &gone)) { /* gc has taken its tree away */
			statcache_forget_image(d->cache);
			w->image = NULL;
			w->from = w->to = 0;
		}
	}
	if (!w->image && expect(w, &none, base, &w->base, e))
		return -1;
	return d->next ? expect(w, base, d->next, &w->next, e) : 0;
}

/* Runs in several threads: reads the image, writes marks of its own rows and what is the thread's. */
static int compare(const struct dirs_part *part, void *ptr, struct err *e)
{
	struct walk *w = ptr;
	struct disk_scan *d = w->d;
	struct finds *mine = &w->finds[part->thread];

	(void)e;
	if (!mine->a) {
		mine->a = arena_new();
		buf_init(&mine->folder, (size_t)128 << 10);
	}
	buf_reset(&mine->folder);
	buf_addstr(&mine->folder, d->sub);
	if (d->sub.n && part->folder.n)
		buf_addc(&mine->folder, '/');
	buf_addstr(&mine->folder, part->folder);
	for (size_t i = 0; i < part->n; i++) {
		const struct dirs_entry *t = &part->p[i];
		struct str folder = buf_str(&mine->folder), name = {t->name, t->n};
		struct odd o = {.f = {.key = t->key, .state = DISK_ODD}, .plain = S_ISREG(t->mode)};
		o.at = w->image ? image_find(w->image, folder, name) : IMAGE_NONE;
		if (o.at < w->from || o.at >= w->to)
			o.at = IMAGE_NONE;
		if (o.at != IMAGE_NONE && o.plain && !d->rehash && w->marks[o.at - w->from] != OTHER &&
		    image_is(w->image, o.at, &t->key)) {
			w->marks[o.at - w->from] = SEEN;
			if (!d->all)
				continue;
			o.f.state = DISK_SAME;
		}
		o.f.path = arena_strf(mine->a, "%.*s%s%.*s", STR_ARG(folder), folder.n ? "/" : "", STR_ARG(name));
		vec_push(mine->a, &mine->odd, o);
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return dirs_cmp((*(struct odd *const *)a)->f.path, (*(struct odd *const *)b)->f.path);
}

static int judge_odd(struct walk *w, struct odd *o, struct err *e)
{
	struct disk_scan *d = w->d;
	struct expected *over = map_get(&w->base, o->f.path), *next = map_get(&w->next, o->f.path), in_image;
	struct expected *base = over;
	struct sha have;
	int r = 1;

	if (!base && o->at != IMAGE_NONE) {
		struct image_row row = image_row(w->image, o->at);
		in_image = (struct expected){.id = row.id, .size = row.key.size};
		base = &in_image;
	}
	if (!next)
		next = d->next ? base : NULL;
	o->f.path = arena_str(d->a, o->f.path);
	if (o->plain && o->f.state != DISK_SAME)
		r = judge(d, &o->f, base && base->size != NOTHING ? base : NULL,
			  next && next->size != NOTHING ? next : NULL, e);
	if (r <= 0)
		return r;
	if (over)
		over->seen = true;
	else if (base)
		w->marks[o->at - w->from] = SEEN;
	if (o->f.state == DISK_SAME && !over)
		w->learned += statcache_get(d->cache, o->f.path, &o->f.key, &have) &&
			      !image_is(w->image, o->at, &o->f.key);
	vec_push(d->a, &d->files, o->f);
	return 0;
}

static int judge_all(struct walk *w, struct err *e)
{
	VEC(struct odd *) all = {0};
	struct arena *a cleanup(arena_cleanup) = arena_new();

	for (size_t t = 0; t < DIRS_THREADS; t++)
		for (size_t i = 0; i < w->finds[t].odd.n; i++)
			vec_push(a, &all, &w->finds[t].odd.p[i]);
	if (all.n)
		qsort(all.p, all.n, sizeof(*all.p), by_path);
	for (size_t i = 0; i < all.n; i++)
		if (judge_odd(w, all.p[i], e))
			return -1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return dirs_cmp(((const struct disk_file *)a)->path, ((const struct disk_file *)b)->path);
}

static void add_deleted(struct walk *w)
{
	struct disk_scan *d = w->d;
	size_t first = d->files.n;
	struct str path;
	void *value;

	for (size_t i = w->from; i < w->to; i++) {
		struct disk_file f = {.state = DISK_DELETED};
		if (w->marks[i - w->from] != UNSEEN)
			continue;
		f.path = arena_str(d->a, image_row(w->image, i).path);
		vec_push(d->a, &d->files, f);
	}
	for (size_t i = 0; map_each(&w->base, &i, &path, &value);) {
		struct expected *t = value;
		struct disk_file f = {.path = path, .state = DISK_DELETED};
		if (!t->seen && t->size != NOTHING)
			vec_push(d->a, &d->files, f);
	}
	if (d->files.n > first)
		qsort(d->files.p + first, d->files.n - first, sizeof(*d->files.p), by_name);
}

int disk_scan_begin(struct disk_scan *d, struct err *e)
{
	struct walk *w = arena_new_of(d->a, struct walk);

	w->d = d;
	w->root = disk_path(d->s, d->a, d->repo, d->sub);
	if (expect_all(w, e))
		return -1;
	d->walk = w;
	return 0;
}

void disk_scan_walk(struct disk_scan *d)
{
	struct walk *w = d->walk;

	w->failed = dirs_walk(w->root, DIR_GONE_OK, compare, w, &w->err);
}

int disk_scan_end(struct disk_scan *d, struct err *e)
{
	struct walk *w = d->walk;
	int rc = w->failed ? -1 : judge_all(w, e);

	if (w->failed)
		*e = w->err;
	for (size_t t = 0; t < DIRS_THREADS; t++) {
		buf_free(&w->finds[t].folder);
		arena_free(w->finds[t].a);
	}
	if (rc)
		return -1;
	add_deleted(w);
	if (d->cache && d->base && !d->sub.n && w->base.n + w->learned)
		statcache_settle(d->cache, d->base, w->base.n + w->learned);
	return 0;
}

int disk_scan(struct disk_scan *d, struct err *e)
{
	if (disk_scan_begin(d, e))
		return -1;
	disk_scan_walk(d);
	return disk_scan_end(d, e);
}

static int expected_at(struct disk_scan *d, const struct sha *root, struct str path, struct expected *buf,
                       struct expected **out, struct err *e)
{
	struct entry t;
	int r = root ? tree_find(d->s, NULL, root, path, &t, e) : 0;

	*out = NULL;
	if (r == 1 && t.kind == ENTRY_FILE) {
		*buf = (struct expected){.id = t.id, .size = t.size};
		*out = buf;
	}
	return r < 0 ? -1 : 0;
}

int disk_look(struct disk_scan *d, struct str path, struct disk_file *out, struct err *e)
{
	struct disk_file f = {.path = path, .state = DISK_DELETED};
	struct expected bases, nexts, *base, *next;
	struct err inner = ERR_INIT;
	struct stat st;
	int r = 0;

	if (expected_at(d, d->base, path, &bases, &base, e) || expected_at(d, d->next, path, &nexts, &next, e))
		return -1;
	if (file_lstat(disk_path(d->s, d->a, d->repo, path), &st, &inner)) {
		if (inner.code != ERR_NOT_FOUND && file_exists(disk_path(d->s, d->a, d->repo, path))) {
			*e = inner;
			return -1;
		}
	} else {
		f.key = file_key_of(&st);
		f.state = DISK_ODD;
		if (S_ISREG(st.st_mode)) {
			r = judge(d, &f, base, next, e);
			if (r < 0)
				return -1;
			if (!r)
				f.state = DISK_DELETED;
		}
	}
	*out = f;
	return 0;
}

#define DISK_REPOS                                                                                                     \
	"select r.id, r.name, r.role, r.job, m.tree, c.tree, c.files, u.repo is not null, c.bytes from repo r"         \
	" left join branch b on b.repo = r.id and b.name = 'master'"                                                   \
	" left join commits c on c.repo = b.repo and c.id = b.head"                                                    \
	" left join materialised m on m.repo = r.id"                                                                   \
	" left join unshown u on u.repo = r.id"                                                                        \
	" where r.ended is null and r.made_on is null and r.role <> 'system' and (not ?2 or c.tree is not m.tree or ?3)"

/* Whether its folder is not what it should be. */
static bool should_show(struct store *s, const struct disk_repo *r)
{
	enum materialise how = workspace_materialise(s->ws, r->repo.name);

	if (how == MATERIALISE_OFF)
		return !r->unshown;
	if (how == MATERIALISE_AUTO && r->unshown && r->files > DISK_SHOWN_MAX)
		return false;
	return r->unshown || !sha_eq(&r->shown, &r->head);
}

int disk_repos(struct store *s, struct arena *a, int64_t repo, bool only_lagging, struct disk_repo **out, size_t *n,
               struct err *e)
{
	struct q *q = db_query(s->db, repo ? DISK_REPOS " and r.id = ?1" : DISK_REPOS " and ?1 = 0 order by r.name");
	VEC(struct disk_repo) all = {0};
	int r;

	q_int(q, 1, repo);
	q_int(q, 2, only_lagging);
	/* where a word of leat.yaml may have changed, what is shown may have to go */
	q_int(q, 3, workspace_setting(s->ws, "materialise")->type == DOM_MAP ||
			    workspace_materialise(s->ws, STR("")) != MATERIALISE_AUTO);
	while ((r = q_step(q, e)) == 1) {
		struct disk_repo t = {.shown = tree_empty_id(), .head = tree_empty_id()};
		struct str job = q_col_text(q, 3);
		t.repo = (struct repo){.id = q_col_int(q, 0), .name = arena_str(a, q_col_text(q, 1)),
		                       .role = str_is(q_col_text(q, 2), "output") ? REPO_OUTPUT : REPO_SOURCE,
		                       .job = job.p ? arena_str(a, job) : STR_NULL};
		(void)!q_col_sha(q, 4, &t.shown);
		(void)!q_col_sha(q, 5, &t.head);
		t.files = q_col_int(q, 6);
		t.unshown = q_col_int(q, 7);
		t.bytes = q_col_int(q, 8);
		if (!only_lagging || should_show(s, &t))
			vec_push(a, &all, t);
	}
	q_done(q);
	if (r < 0)
		return -1;
	*out = all.p;
	*n = all.n;
	return 0;
}

int disk_places(struct store *s, struct arena *a, int64_t repo, struct disk_place **out, size_t *n, struct err *e)
{
	struct q *q = db_query(s->db, "select r.id, r.name, m.repo is null and (u.repo is not null or b.head is null)"
	                              " from repo r left join branch b on b.repo = r.id and b.name = 'master'"
	                              " left join materialised m on m.repo = r.id left join unshown u on u.repo = r.id"
	                              " where r.ended is null and r.made_on is null and r.role <> 'system'"
	                              " and (?1 = 0 or r.id = ?1) order by r.name");
	VEC(struct disk_place) all = {0};
	int r;

	q_int(q, 1, repo);
	while ((r = q_step(q, e)) == 1) {
		struct disk_place p = {q_col_int(q, 0), arena_str(a, q_col_text(q, 1)), q_col_int(q, 2)};

		vec_push(a, &all, p);
	}
	q_done(q);
	*out = all.p;
	*n = all.n;
	return r < 0 ? -1 : 0;
}

#define LOCK_BYTES ((uint64_t)1 << 61)

static int lock_open(struct store *s, bool shared, int *fd, struct err *e)
{
	char path[BLOB_PATH_CAP];

	snprintf(path, sizeof(path), "%s/datastore.lock", s->leat_dir);
	if (*fd < 0 && lock_bytes_open(path, fd, e))
		return -1;
	return !shared && access(path, W_OK) ? err_errno(e, errno, "cannot open the lock %s", path) : 0;
}

static uint64_t byte_of(struct str repo)
{
	return xx64(repo.p, repo.n, 0) % LOCK_BYTES;
}

static int by_offset(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int disk_lock(struct store *s, const struct str *repos, size_t n, unsigned how, int *fd, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	uint64_t *at = arena_array(a, uint64_t, n);
	struct err inner = ERR_INIT;
	int r = 1;

	for (size_t i = 0; i < n; i++)
		at[i] = byte_of(repos[i]);
	if (n > 1)
		qsort(at, n, sizeof(*at), by_offset);
	if (lock_open(s, how & DISK_SHARED, fd, &inner)) {
		if (how & DISK_SHARED && inner.code == ERR_PERMISSION)
			return 1; /* there is none, and who may not make it finds nobody there who writes */
		*e = inner;
		return -1;
	}
	for (size_t i = 0; i < n && r > 0; i++) {
		r = (how & DISK_SHARED ? lock_byte : lock_byte_alone)(*fd, at[i], e) ? -1 : 1;
	}
	if (r <= 0)
		fd_close(fd);
	return r;
}

int disk_lock_more(struct store *s, struct str repo, bool wait, int *fd, struct err *e)
{
	if (*fd < 0 && lock_open(s, false, fd, e))
		return -1;
	if (!wait)
		return lock_bytes_alone(*fd, byte_of(repo), 1, e);
	return lock_byte_alone(*fd, byte_of(repo), e) ? -1 : 1;
}

int disk_lock_all(struct store *s, int *fd, struct err *e)
{
	return lock_open(s, false, fd, e) ? -1 : lock_bytes_alone(*fd, 0, LOCK_BYTES, e);
}

int disk_shown(struct store *s, int64_t repo, const struct sha *tree, struct err *e)
{
	struct q *q = db_query(s->db, "insert or replace into materialised(repo, tree) values(?, ?)");

	q_int(q, 1, repo);
	q_sha(q, 2, tree);
	return q_run(q, e);
}
