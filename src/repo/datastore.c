#include "repo/datastore.h"

#include <stdio.h>
#include <unistd.h>

#include "base/ds.h"
#include "base/map.h"
#include "base/str.h"
#include "repo/blob.h"
#include "repo/going.h"
#include "repo/place.h"
#include "sys/fault.h"
#include "sys/fd.h"

#define SWAP_MAX 1000 /* files in a folder that is built anew for a swap; above, one rename each */
/* Repos that are brought on at a time, and what one of them may hold if it is not by itself */
#define GO_MANY 64
#define GO_FILES 1000
#define GO_BYTES (16 << 20)

/* The changes of one folder that may be swapped as a whole: a ds=..., or all that lies in none ("") */
struct group {
	struct str common;  /* the deepest folder that holds them all */
	VEC(struct tree_edit) changes;
	bool plain;         /* in no ds=... folder */
};

struct plan {
	struct arena *a;
	struct map by_part;
	VEC(struct group *) groups;
	VEC(struct str) gone; /* folders that hold no files any more */
	bool has_parts;
};

static struct str parent_of(struct str path)
{
	struct str dir, base;

	return str_rcut(path, '/', &dir, &base) ? dir : STR("");
}

static struct str common_folder(struct str a, struct str b)
{
	while (a.n && !(str_has_prefix(b, a) && (b.n == a.n || b.p[a.n] == '/')))
		a = parent_of(a);
	return a;
}

static int plan_change(void *ptr, enum diff_kind kind, struct str path, const struct entry *old,
		       const struct entry *new, struct err *e)
{
	struct plan *p = ptr;
	struct tree_edit ed = {.op = new ? EDIT_PUT : EDIT_REMOVE, .path = arena_str(p->a, path)};
	struct str first = ed.path, rest;
	struct group *g;
	struct ds ds;

	if ((old ? old : new)->kind == ENTRY_FOLDER) {
		/* A partition that was made and holds nothing has no folder, as git has none for such: where a file
		 * system is slow at making folders, that was the dearest part of a unit without output. */
		if (kind == DIFF_REMOVED || (kind == DIFF_CHANGED && !new->files))
			vec_push(p->a, &p->gone, ed.path);
		return 0;
	}
	if (new)
		ed.entry = *new;
	if (!str_cut(ed.path, '/', &first, &rest) || !ds_of_folder(first, &ds))
		first = STR("");
	g = map_get(&p->by_part, first);
	if (!g) {
		g = arena_new_of(p->a, struct group);
		g->common = parent_of(ed.path);
		g->plain = !first.n;
		map_set(&p->by_part, first, g);
		vec_push(p->a, &p->groups, g);
	}
	g->common = common_folder(g->common, parent_of(ed.path));
	p->has_parts |= !g->plain;
	vec_push(p->a, &g->changes, ed);
	return 0;
}

/* Whether a group is better swapped: small enough, and no partition of its own within. 1, 0, -1. */
static int can_swap(struct place *p, const struct plan *plan, const struct group *g, struct err *e)
{
	struct part *parts;
	struct entry t;
	size_t n;
	int r;

	if (g->changes.n < 2)
		return 0;
	if (!dir_exists(disk_path(p->s, p->a, p->repo, g->common)))
		return 1; /* nothing stands there: built once, named once */
	r = tree_find(p->s, NULL, p->next, g->common, &t, e);
	if (r <= 0)
		return r;
	if (t.kind != ENTRY_FOLDER || t.files > SWAP_MAX)
		return 0;
	if (!g->plain || g->common.n)
		return 1;
	if (plan->has_parts || tree_parts(p->s, p->a, p->next, &parts, &n, e))
		return plan->has_parts ? 0 : -1;
	return !n;
}

static int show_group(struct place *p, const struct plan *plan, struct group *g, struct err *e)
{
	int r = can_swap(p, plan, g, e);

	if (r < 0)
		return -1;
	if (r)
		return place_folder(p, g->common, e);
	/* removals first, so that a folder can become a file */
	for (int puts = 0; puts < 2; puts++) {
		for (size_t i = 0; i < g->changes.n; i++) {
			const struct tree_edit *ed = &g->changes.p[i];
			if ((ed->op == EDIT_PUT) == puts && place_one(p, ed->path, puts ? &ed->entry : NULL, e))
				return -1;
		}
	}
	return 0;
}

struct counting {
	struct store *s;
	int64_t small;
};

/*
 * What is small is packed, unless it is Parquet: only what is called so is looked up. Every writer that comes by while
 * a repo lags counts, the lock of datastore/ in hand: 10,000 look-ups would take 80 ms.
 */
static int count_small(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct counting *c = ptr;
	struct blob_at at = {0};
	int r;

	if (entry->size >= BLOB_WHOLE_MIN)
		return 0;
	r = str_has_suffix(path, STR(".parquet")) ? blob_look(c->s, &entry->id, &at, e) : 0;
	if (r < 0)
		return -1;
	c->small += !r || at.place != BLOB_WHOLE;
	return c->small > DISK_SHOWN_MAX;
}

/* Whether datastore/ shows this repo from now on: 1, 0, -1. What was shown stays current. */
static int wanted(struct store *s, const struct disk_repo *r, struct err *e)
{
	enum materialise how = workspace_materialise(s->ws, r->repo.name);
	struct counting c = {.s = s};
	struct sha none = tree_empty_id();

	if (how != MATERIALISE_AUTO)
		return how == MATERIALISE_ON;
	if (r->files <= DISK_SHOWN_MAX || (!r->unshown && !sha_eq(&r->shown, &none)))
		return 1;
	if (tree_walk(s, NULL, &r->head, false, count_small, &c, e))
		return -1;
	return c.small <= DISK_SHOWN_MAX;
}

static int set_unshown(struct store *s, const struct disk_repo *r, bool unshown, struct err *e)
{
	struct q *q;

	if (r->unshown == unshown)
		return 0;
	q = db_query(s->db, unshown ? "insert or ignore into unshown(repo) values(?)"
				    : "delete from unshown where repo = ?");
	q_int(q, 1, r->repo.id);
	return q_run(q, e);
}

/* What Leat put there goes; what users dropped or edited stays. */
static int hide(struct place *p, const struct disk_repo *r, struct err *e)
{
	struct sha *none = arena_new_of(p->a, struct sha);

	*none = tree_empty_id();
	if (sha_eq(&r->shown, none) || !dir_exists(disk_path(p->s, p->a, p->repo, STR(""))))
		return 0;
	p->next = none;
	if (place_folder(p, STR(""), e))
		return -1;
	(void)rmdir(disk_path(p->s, p->a, p->repo, STR("")));
	return 0;
}

/* Brings one repo's folder from r->shown to r->head. */
static int show(struct place *p, const struct disk_repo *r, struct err *e)
{
	struct plan plan = {.a = p->a};
	struct sha none = tree_empty_id();

	map_init(&plan.by_part, p->a);
	if (tree_diff(p->s, &r->shown, &r->head, true, plan_change, &plan, e))
		return -1;
	/* The first time, the whole folder comes at once. */
	if (sha_eq(&r->shown, &none) && plan.groups.n > 1 && !dir_exists(disk_path(p->s, p->a, p->repo, STR("")))) {
		if (place_folder(p, STR(""), e))
			return -1;
	} else {
		for (size_t i = 0; i < plan.groups.n; i++)
			if (show_group(p, &plan, plan.groups.p[i], e))
				return -1;
	}
	for (size_t i = plan.gone.n; i-- > 0;) /* those within others first; foreign files keep theirs */
		(void)rmdir(disk_path(p->s, p->a, p->repo, plan.gone.p[i]));
	return 0;
}

struct halfway {
	struct place *p; /* from the head that was gone to, to the one that is gone to now */
	const struct sha *shown;
};

/* What he had put there, and the head has not. */
static int put_right(void *ptr, enum diff_kind kind, struct str path, const struct entry *old, const struct entry *new,
		     struct err *e)
{
	struct halfway *h = ptr;
	struct place *p = h->p;
	struct disk_scan d = {.s = p->s, .a = p->a, .cache = p->cache, .repo = p->repo, .base = h->shown,
			      .next = p->base};
	struct str mine = arena_str(p->a, path);
	struct disk_file f;
	struct entry t;
	int r;

	(void)old;
	if (kind == DIFF_REMOVED || new->kind != ENTRY_FILE)
		return 0;
	if (disk_look(&d, mine, &f, e))
		return -1;
	r = f.state == DISK_NEXT ? tree_find(p->s, NULL, p->next, mine, &t, e) : 0;
	if (r < 0 || f.state != DISK_NEXT)
		return r;
	return place_one(p, mine, r && t.kind == ENTRY_FILE ? &t : NULL, e);
}

static int resume(struct place *p, const struct disk_repo *r, const struct going_row *left, struct err *e)
{
	struct place from = *p;
	struct halfway h = {&from, &r->shown};

	if (!left || sha_is_zero(&left->to) || sha_eq(&left->to, &r->head))
		return 0;
	from.base = &left->to;
	if (!tree_diff(p->s, &r->shown, &left->to, false, put_right, &h, e))
		return 0;
	if (e->code != ERR_DAMAGED && e->code != ERR_NOT_FOUND)
		return -1;
	err_clear(e); /* that head is no more, nor is its tree: what is left of it is named as foreign */
	return 0;
}

/* Repos that are brought on together: their locks are held from the first look to the row of the last. */
struct go {
	struct store *s;
	struct arena *a;
	datastore_note note;
	void *ptr;
	struct going left;       /* by who died, or was at them before */
	struct disk_repo *repos; /* that lag, or that somebody died at */
	size_t n;
	struct place_old *old;
	const struct disk_repo **had; /* whose locks are held */
	size_t n_had;
};

/* One of them. What is to be recorded of it stands in *r then. */
static int show_one(struct go *g, struct disk_repo *r, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct store *s = g->s;
	struct place p = {.s = s,
			  .a = a,
			  .repo = r->repo.name,
			  .output = r->repo.role == REPO_OUTPUT,
			  .note = g->note,
			  .ptr = g->ptr,
			  .base = &r->shown,
			  .next = &r->head,
			  .old = g->old};
	int want = wanted(s, r, e), rc;

	if (want < 0)
		return -1;
	p.cache = statcache_open(s, r->repo.id);
	rc = resume(&p, r, going_find(&g->left, r->repo.id), e);
	if (!rc)
		rc = want ? show(&p, r, e) : hide(&p, r, e);
	statcache_close(p.cache);
	if (rc)
		return -1;
	r->hidden = !want;
	if (!want && !r->unshown && g->note)
		g->note(g->ptr, arena_printf(a,
					     "datastore/%.*s is not made: it would hold %lld files"
					     " (materialise in leat.yaml, on or off, decides)",
					     STR_ARG(r->repo.name), (long long)r->files));
	if (!want)
		r->head = tree_empty_id();
	return 0;
}

static int record(struct store *s, const struct disk_repo *repos, size_t n, struct err *e)
{
	if (!n)
		return 0;
	fault_crash("datastore-swapped");
	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (disk_shown(s, repos[i].repo.id, &repos[i].head, e) ||
		    set_unshown(s, &repos[i], repos[i].hidden, e)) {
			db_rollback(s->db);
			return -1;
		}
	}
	return db_commit(s->db, e);
}

/* What they show and should show by now, their locks in hand. */
static int look_again(struct go *g, struct err *e)
{
	VEC(struct disk_repo) repos = {0};
	int rc = db_read_begin(g->s->db, e);

	if (rc)
		return -1;
	for (size_t i = 0; i < g->n_had && !rc; i++) {
		int64_t id = g->had[i]->repo.id;
		struct disk_repo *now;
		size_t n = 0;

		rc = disk_repos(g->s, g->a, id, !going_find(&g->left, id), &now, &n, e);
		if (!rc && n)
			vec_push(g->a, &repos, *now);
	}
	db_read_end(g->s->db);
	g->repos = repos.p;
	g->n = repos.n;
	return rc;
}

/* A repo that has ended has no folder. */
static bool has_ended(void *store, int64_t repo)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	struct disk_repo *one;
	size_t n;

	return !disk_repos(store, a, repo, false, &one, &n, &ignored) && !n;
}

static bool is_done(void *ptr, int64_t repo)
{
	struct go *g = ptr;
	size_t i = 0;

	while (i < g->n_had && g->had[i]->repo.id != repo)
		i++;
	return i < g->n_had || has_ended(g->s, repo);
}

/* One that cannot be shown hinders no other: the first error is told when all have had their turn. */
static int bring_on(struct go *g, struct err *e)
{
	struct err first = ERR_INIT, inner = ERR_INIT;
	size_t good = 0;
	char *mark;

	going_read(g->s, g->a, &g->left);
	if (look_again(g, e))
		return -1;
	mark = g->n ? going_write(g->s, g->a, g->repos, g->n) : NULL;
	for (size_t i = 0; i < g->n; i++) {
		struct disk_repo *r = &g->repos[i];
		if (!show_one(g, r, &inner)) {
			g->repos[good++] = *r;
			continue;
		}
		err_wrap(&inner, "datastore/%.*s", STR_ARG(r->repo.name));
		if (first.code == ERR_NONE)
			first = inner;
		err_clear(&inner);
	}
	if (record(g->s, g->repos, good, &inner) && first.code == ERR_NONE)
		first = inner;
	if (first.code != ERR_NONE) {
		*e = first;
		return -1;
	}
	if (mark)
		(void)unlink(mark);
	if (g->left.files.n)
		going_end(g->s, g->a, &g->left, is_done, g);
	return 0;
}

/*
 * Whose head this handle has moved is waited for: its user looks into datastore/ next. Another repo that lags and is
 * being worked on is the business of who works on it, so a small put never waits for the head of a large one. Nobody
 * waits with locks in hand: *busy are those that were not to be had, to be asked for one by one.
 */
static int catch_up(struct store *s, const struct disk_repo *repos, size_t n, bool wait, bool *busy,
		    struct place_old *old, datastore_note note, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct go g = {.s = s, .a = a, .note = note, .ptr = ptr, .old = old};
	int fd FD_CLEANUP = -1;

	g.had = arena_array(a, const struct disk_repo *, n);
	for (size_t i = 0; i < n; i++) {
		int r = disk_lock_more(s, repos[i].repo.name, n == 1 && wait, &fd, e);
		if (r < 0)
			return -1;
		if (r)
			g.had[g.n_had++] = &repos[i];
		busy[i] = !r;
	}
	return g.n_had ? bring_on(&g, e) : 0;
}

/* Those that somebody died at, or is at work on, though they show their head by what the rows say. */
static int halfway_ones(struct store *s, struct arena *a, struct disk_repo **repos, size_t *n, struct err *e)
{
	VEC(struct disk_repo) all = {.p = *repos, .n = *n, .cap = *n};
	struct going g;

	going_read(s, a, &g);
	for (size_t i = 0; i < g.rows.n; i++) {
		int64_t id = g.rows.p[i].repo;
		struct disk_repo *one;
		size_t found, k = 0;

		while (k < all.n && all.p[k].repo.id != id)
			k++;
		if (k < all.n)
			continue;
		if (disk_repos(s, a, id, false, &one, &found, e))
			return -1;
		if (found)
			vec_push(a, &all, *one);
	}
	if (g.rows.n && all.n == *n)
		going_end(s, a, &g, has_ended, s);
	if (g.torn)
		going_tidy(s);
	*repos = all.p;
	*n = all.n;
	return 0;
}

/* Small enough that who waits for another one of the same go does not wait long. */
static bool is_small(const struct disk_repo *r)
{
	return r->files <= GO_FILES && r->bytes <= GO_BYTES;
}

static int update(struct store *s, const struct disk_repo *repos, const bool *wait, size_t n, datastore_note note,
		  void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err first = ERR_INIT, inner = ERR_INIT;
	struct place_old old = {.a = a};

	for (size_t i = 0, end; i < n; i = end) {
		bool busy[GO_MANY] = {0};

		for (end = i + 1; end < n && end - i < GO_MANY && is_small(&repos[i]) && is_small(&repos[end]);)
			end++;
		if (catch_up(s, &repos[i], end - i, wait[i], busy, &old, note, ptr, &inner) &&
		    first.code == ERR_NONE)
			first = inner;
		for (size_t k = i; k < end; k++) {
			err_clear(&inner);
			if (busy[k - i] && wait[k] && end - i > 1 &&
			    catch_up(s, &repos[k], 1, true, &busy[k - i], &old, note, ptr, &inner) &&
			    first.code == ERR_NONE)
				first = inner;
		}
	}
	place_old_drop(&old);
	if (first.code != ERR_NONE) {
		*e = first;
		return -1;
	}
	return 0;
}

int datastore_update(struct store *s, datastore_note note, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct disk_repo *repos;
	size_t n, lagging;
	bool *wait;

	if (s->apart)
		return 0;
	if (disk_repos(s, a, 0, true, &repos, &n, e))
		return -1;
	lagging = n;
	if (halfway_ones(s, a, &repos, &n, e))
		return -1;
	if (n)
		fault_crash("commit-done");
	/* Before, not after: who dies in between leaves at most what he was at himself, and his repo lagging. */
	if (n || place_has_left(s))
		place_sweep(s, note, ptr);
	wait = arena_array(a, bool, n);
	for (size_t i = 0; i < lagging; i++)
		wait[i] = store_has_moved(s, repos[i].repo.id);
	return update(s, repos, wait, n, note, ptr, e);
}

int datastore_update_these(struct store *s, const int64_t *ids, size_t n, datastore_note note, void *ptr,
			   struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(struct disk_repo) repos = {0};
	bool *wait = arena_array(a, bool, n);
	int rc = 0;

	if (s->apart)
		return 0;
	if (db_read_begin(s->db, e))
		return -1;
	for (size_t i = 0; i < n && !rc; i++) {
		struct disk_repo *one;
		size_t found = 0;
		rc = disk_repos(s, a, ids[i], true, &one, &found, e);
		if (!rc && found)
			vec_push(a, &repos, *one);
		wait[i] = true;
	}
	db_read_end(s->db);
	if (rc)
		return -1;
	if (repos.n) {
		fault_crash("commit-done");
		place_sweep(s, note, ptr);
	}
	return update(s, repos.p, wait, repos.n, note, ptr, e);
}

/* The newest ended repo of that name, and what its folder shows. */
static int ended(struct store *s, struct arena *a, struct str name, int64_t *id, struct sha *shown, struct err *e)
{
	struct q *q = db_query(s->db, "select r.id, m.tree from repo r join materialised m on m.repo = r.id"
	                              " where r.name = ? and r.ended is not null order by r.ended desc limit 1");
	int r;

	q_text(q, 1, name);
	r = q_step(q, e);
	if (r == 1) {
		*id = q_col_int(q, 0);
		if (!q_col_sha(q, 1, shown))
			r = 0;
	}
	q_done(q);
	return r;
}

/* Its own folder, and its zone's where that is empty and nobody is about to make another repo's there. */
static void remove_folders(struct store *s, struct arena *a, struct str repo, int *fd)
{
	struct err ignored = ERR_INIT;

	if (rmdir(disk_path(s, a, repo, STR(""))) || disk_lock_all(s, fd, &ignored) != 1)
		return;
	for (repo = parent_of(repo); repo.n && !rmdir(disk_path(s, a, repo, STR("")));)
		repo = parent_of(repo);
}

int datastore_remove(struct store *s, struct str repo, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int fd FD_CLEANUP = -1;
	struct sha shown, none = tree_empty_id();
	struct place p = {.s = s, .a = a, .repo = repo, .output = true, .base = &shown, .next = &none};
	struct q *q;
	int64_t id = 0;
	int r, rc;

	if (disk_lock(s, &repo, 1, 0, &fd, e) < 0)
		return -1;
	r = ended(s, a, repo, &id, &shown, e);
	if (r <= 0)
		return r;
	p.cache = statcache_open(s, id);
	/* Swapped for an empty folder, which then goes, and empty zones with it. */
	rc = dir_exists(disk_path(s, a, repo, STR(""))) ? place_folder(&p, STR(""), e) : 0;
	statcache_close(p.cache);
	if (rc)
		return -1;
	remove_folders(s, a, repo, &fd);
	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	q = db_query(s->db, "delete from materialised where repo = ?");
	q_int(q, 1, id);
	if (q_run(q, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}
