#include "repo/datastore.h"

#include <stdio.h>
#include <unistd.h>

#include "base/ds.h"
#include "base/map.h"
#include "base/str.h"
#include "repo/blob.h"
#include "repo/place.h"
#include "sys/fault.h"
#include "sys/fd.h"

#define GOING "show-" /* .leat/staging/show-REPO */
#define SWAP_MAX 1000 /* files in a folder that is built anew for a swap; above, one rename each */

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

static int record(struct store *s, const struct disk_repo *r, struct err *e)
{
	fault_crash("datastore-swapped");
	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	if (disk_shown(s, r->repo.id, &r->head, e) || set_unshown(s, r, r->hidden, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

/*
 * Who dies in the middle of it leaves files of the head that he was going to, and the next head may know nothing of
 * them: so that is written down while it is shown, under the repo's lock. Derived as all of it is, so it is not synced.
 */
static char *going_path(struct store *s, struct arena *a, int64_t repo)
{
	return arena_printf(a, "%s/staging/" GOING "%lld", s->leat_dir, (long long)repo);
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

static int resume(struct place *p, const struct disk_repo *r, struct err *e)
{
	struct err gone = ERR_INIT;
	struct str text;
	struct sha to;
	struct place from = *p;
	struct halfway h = {&from, &r->shown};

	if (file_read(p->a, going_path(p->s, p->a, r->repo.id), SHA_HEX, &text, &gone) || !sha_parse(text, &to) ||
	    sha_eq(&to, &r->head))
		return 0;
	from.base = &to;
	if (!tree_diff(p->s, &r->shown, &to, false, put_right, &h, e))
		return 0;
	if (e->code != ERR_DAMAGED && e->code != ERR_NOT_FOUND)
		return -1;
	err_clear(e); /* that head is no more, nor is its tree: what is left of it is named as foreign */
	return 0;
}

/* One repo that lags, its byte of the lock in hand. */
static int show_one(struct store *s, struct disk_repo *r, datastore_note note, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct place p = {.s = s,
			  .a = a,
			  .repo = r->repo.name,
			  .output = r->repo.role == REPO_OUTPUT,
			  .note = note,
			  .ptr = ptr,
			  .base = &r->shown,
			  .next = &r->head};
	int want = wanted(s, r, e), rc;
	struct err ignored = ERR_INIT;
	char hex[SHA_HEX + 1];

	if (want < 0)
		return -1;
	sha_hex(&r->head, hex);
	p.cache = statcache_open(s, r->repo.id);
	rc = resume(&p, r, e);
	/* a full disk is no reason to lag */
	(void)!file_write(going_path(s, a, r->repo.id), str_of(hex), 0600, 0, &ignored);
	if (!rc)
		rc = want ? show(&p, r, e) : hide(&p, r, e);
	statcache_close(p.cache);
	if (rc)
		return -1;
	r->hidden = !want;
	if (!want && !r->unshown && note)
		note(ptr, arena_printf(a,
				       "datastore/%.*s is not made: it would hold %lld files"
				       " (materialise in leat.yaml, on or off, decides)",
				       STR_ARG(r->repo.name), (long long)r->files));
	if (!want)
		r->head = tree_empty_id();
	if (record(s, r, e))
		return -1;
	(void)unlink(going_path(s, a, r->repo.id));
	return 0;
}

/*
 * Whose head this handle has moved is waited for: its user looks into datastore/ next. Another repo that lags and is
 * being worked on is the business of who works on it, so a small put never waits for the head of a large one.
 */
static int catch_up(struct store *s, const struct disk_repo *known, bool wait, datastore_note note, void *ptr,
		    struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int fd FD_CLEANUP = -1;
	struct disk_repo *now;
	size_t n;
	int r = disk_lock(s, &known->repo.name, 1, wait ? 0 : DISK_TRY, &fd, e);
	bool halfway;

	if (r <= 0)
		return r;
	halfway = file_exists(going_path(s, a, known->repo.id)); /* nobody is at it who lives */
	if (disk_repos(s, a, known->repo.id, !halfway, &now, &n, e) || (n && show_one(s, now, note, ptr, e)))
		return err_wrap(e, "datastore/%.*s", STR_ARG(known->repo.name));
	return 0;
}

/* Those that somebody died at, or is at work on, though they show their head by what the rows say. */
static int halfway_ones(struct store *s, struct arena *a, struct disk_repo **repos, size_t *n, struct err *e)
{
	VEC(struct disk_repo) all = {.p = *repos, .n = *n, .cap = *n};
	struct err ignored = ERR_INIT;
	struct dir_names names;

	if (dir_list(a, arena_printf(a, "%s/staging", s->leat_dir), &names, &ignored))
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		struct str name = str_of(names.p[i]);
		struct disk_repo *one;
		size_t found, k = 0;
		int64_t id;

		if (!str_has_prefix(name, STR(GOING)) || !str_to_i64(str_sub(name, strlen(GOING), SIZE_MAX), &id) ||
		    !id)
			continue;
		while (k < *n && (*repos)[k].repo.id != id)
			k++;
		if (k < *n)
			continue;
		if (disk_repos(s, a, id, false, &one, &found, e))
			return -1;
		if (found)
			vec_push(a, &all, *one);
		else /* the repo has ended, and its folder with it */
			(void)unlink(going_path(s, a, id));
	}
	*repos = all.p;
	*n = all.n;
	return 0;
}

int datastore_update(struct store *s, int64_t repo, datastore_note note, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err first = ERR_INIT;
	struct disk_repo *repos;
	size_t n, lagging;

	if (s->apart)
		return 0;
	if (disk_repos(s, a, repo, true, &repos, &n, e))
		return -1;
	lagging = n;
	if (!repo && halfway_ones(s, a, &repos, &n, e))
		return -1;
	if (n)
		fault_crash("commit-done");
	/* Before, not after: who dies in between leaves at most what he was at himself, and his repo lagging. */
	if (n || place_has_left(s))
		place_sweep(s, note, ptr);
	for (size_t i = 0; i < n; i++) {
		struct err inner = ERR_INIT;
		bool wait = repo || (i < lagging && store_has_moved(s, repos[i].repo.id));

		if (catch_up(s, &repos[i], wait, note, ptr, &inner) && first.code == ERR_NONE)
			first = inner; /* one repo that cannot be shown hinders no other */
	}
	if (first.code != ERR_NONE) {
		*e = first;
		return -1;
	}
	return 0;
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
