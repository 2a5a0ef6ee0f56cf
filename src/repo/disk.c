#include "repo/disk.h"

#include <errno.h>

#include "base/map.h"
#include "base/str.h"
#include "repo/blob.h"

char *disk_path(struct store *s, struct arena *a, struct str repo, struct str path)
{
	return arena_printf(a, "%s/%.*s%s%.*s", s->data_dir, STR_ARG(repo), path.n ? "/" : "", STR_ARG(path));
}

struct expected {
	struct sha id;
	int64_t size;
	bool seen;
};

struct expecting {
	struct disk_scan *d;
	struct map *map;
};

static int expect_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct expecting *x = ptr;
	struct expected *t = arena_new_of(x->d->a, struct expected);
	struct str full = path;

	t->id = entry->id;
	t->size = entry->size;
	if (x->d->sub.n)
		full = arena_strf(x->d->a, "%.*s/%.*s", STR_ARG(x->d->sub), STR_ARG(path));
	map_set(x->map, full, t);
	return 0;
}

/* All files of a tree below d->sub, by path in the repo. */
static int expect(struct disk_scan *d, const struct sha *root, struct map *out, struct err *e)
{
	struct expecting x = {d, out};
	struct entry folder;
	int r;

	map_init(out, d->a);
	if (!root)
		return 0;
	r = tree_find(d->s, NULL, root, d->sub, &folder, e);
	if (r < 0)
		return -1;
	if (!r || folder.kind != ENTRY_FOLDER)
		return 0;
	/* One transaction: each page of a folder read by itself would take and let go of the database's locks. */
	if (db_read_begin(d->s->db, e))
		return -1;
	r = tree_walk(d->s, NULL, &folder.id, false, expect_file, &x, e);
	db_read_end(d->s->db);
	return r;
}

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
	if (sha_is_zero(have) && is_blob(d, k, &want->id))
		return 1;
	if (sha_is_zero(have) && (d->rehash || !statcache_get(d->cache, path, k, have))) {
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

struct walk {
	struct disk_scan *d;
	struct map base, next;
};

static int visit(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct walk *w = ptr;
	struct disk_scan *d = w->d;
	struct disk_file f = {.key = file_key_of(&t->st)};
	struct expected *base;
	int r = 1;

	if (t->type == DIR_FOLDER)
		return DIR_GO;
	f.path = arena_strf(d->a, "%.*s%s%s", STR_ARG(d->sub), d->sub.n ? "/" : "", t->path);
	base = map_get(&w->base, f.path);
	if (base)
		base->seen = true;
	if (t->type == DIR_FILE)
		r = judge(d, &f, base, map_get(&w->next, f.path), e);
	else
		f.state = DISK_ODD;
	if (r < 0)
		return -1;
	if (!r && base)
		base->seen = false;
	if (r)
		vec_push(d->a, &d->files, f);
	return DIR_GO;
}

int disk_scan(struct disk_scan *d, struct err *e)
{
	struct walk w = {.d = d};
	struct str path;
	void *value;

	if (expect(d, d->base, &w.base, e))
		return -1;
	if (d->base && d->next && sha_eq(d->base, d->next))
		w.next = w.base;
	else if (expect(d, d->next, &w.next, e))
		return -1;
	if (dir_walk(disk_path(d->s, d->a, d->repo, d->sub), DIR_GONE_OK, visit, &w, e))
		return -1;
	for (size_t i = 0; map_each(&w.base, &i, &path, &value);) {
		struct expected *t = value;
		if (!t->seen) {
			struct disk_file f = {.path = path, .state = DISK_DELETED};
			vec_push(d->a, &d->files, f);
		}
	}
	return 0;
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
	"select r.id, r.name, r.role, r.job, m.tree, c.tree, c.files, u.repo is not null from repo r"                  \
	" left join branch b on b.repo = r.id and b.name = 'master'"                                                   \
	" left join commits c on c.repo = b.repo and c.id = b.head"                                                    \
	" left join materialised m on m.repo = r.id"                                                                   \
	" left join unshown u on u.repo = r.id"                                                                        \
	" where r.ended is null and r.role <> 'system' and (not ?2 or c.tree is not m.tree or ?3)"

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

int disk_shown(struct store *s, int64_t repo, const struct sha *tree, struct err *e)
{
	struct q *q = db_query(s->db, "insert or replace into materialised(repo, tree) values(?, ?)");

	q_int(q, 1, repo);
	q_sha(q, 2, tree);
	return q_run(q, e);
}
