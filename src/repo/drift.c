/* What differs in datastore/ from what Leat put there, and which folders there are no repo's. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/drift.h"
#include "sys/fault.h"
#include "sys/fd.h"

struct drift_found {
	struct str name;
	const char *why_not;
};

struct strays {
	struct store *s;
	struct arena *a;
	struct map names; /* of repos, and of what lies above one: its enum relation, as a pointer */
	drift_stray cb;
	void *ptr;
};

static bool is_zone(const struct workspace *w, struct str name)
{
	for (size_t i = 0; i < w->n_zones; i++)
		if (str_eq(w->zones[i], name))
			return true;
	return false;
}

static bool is_partition(struct str name)
{
	return name.n && memchr(name.p + 1, '=', name.n - 1);
}

enum relation { APART, IS_REPO, ABOVE_REPOS };

static enum relation relation(const struct strays *st, struct str path)
{
	return (enum relation)(uintptr_t)map_get(&st->names, path);
}

static void note_names(struct strays *st, const struct repo *repos, size_t n)
{
	struct str up, last;

	map_init(&st->names, st->a);
	for (size_t i = 0; i < n; i++) {
		map_set(&st->names, repos[i].name, (void *)(uintptr_t)IS_REPO);
		for (up = repos[i].name; str_rcut(up, '/', &up, &last) && !map_has(&st->names, up);)
			map_set(&st->names, up, (void *)(uintptr_t)ABOVE_REPOS);
	}
}

static int folder(struct strays *st, struct str path, bool zone, struct err *e);

/* The entries of a folder that is no repo: zones, and what lies above repos. */
static int within(struct strays *st, struct str path, struct err *e)
{
	struct dir_names names;
	char *disk = disk_path(st->s, st->a, path, STR(""));
	bool loose = false, parts = false;

	if (dir_list(st->a, disk, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct str sub = arena_strf(st->a, "%.*s%s%s", STR_ARG(path), path.n ? "/" : "", names.p[i]);
		struct stat at;
		if (lstat(path_join(st->a, disk, names.p[i]), &at))
			continue;
		if (S_ISDIR(at.st_mode) && !is_partition(str_of(names.p[i]))) {
			if (folder(st, sub, !path.n && is_zone(st->s->ws, sub), e))
				return -1;
		} else {
			loose = true;
			parts |= S_ISDIR(at.st_mode);
		}
	}
	if (!loose)
		return 0;
	/* raw/ds=...: a k=v folder is never part of a name, so the repo would be the zone itself */
	if (path.n && parts && is_zone(st->s->ws, path) && relation(st, path) == APART)
		return st->cb(st->ptr, path, "partitions right in a zone: a repo of it is a folder of its own", e);
	if (path.n && parts && relation(st, path) == APART)
		return st->cb(st->ptr, path, NULL, e);
	return st->cb(st->ptr, path, path.n ? "files that lie in no repo" : "files that lie in no folder", e);
}

static int folder(struct strays *st, struct str path, bool zone, struct err *e)
{
	enum relation r = relation(st, path);
	struct err why = ERR_INIT;
	bool empty;

	if (r == IS_REPO)
		return 0;
	if (r == ABOVE_REPOS || zone)
		return within(st, path, e);
	if (dir_is_empty(disk_path(st->s, st->a, path, STR("")), &empty, e))
		return -1;
	if (empty)
		return 0;
	if (name_check_repo(path, &why))
		return st->cb(st->ptr, path, arena_dup(st->a, why.msg), e);
	return st->cb(st->ptr, path, NULL, e);
}

struct found {
	struct arena *a;
	VEC(struct drift_found) all;
};

static int keep(void *ptr, struct str name, const char *why_not, struct err *e)
{
	struct found *f = ptr;
	struct drift_found one = {arena_str(f->a, name), why_not};

	(void)e;
	vec_push(f->a, &f->all, one);
	return 0;
}

/* The folder of a repo that came while they were looked at is no stray: then the look is taken anew. */
int drift_strays(struct store *s, struct arena *a, drift_stray cb, void *ptr, struct err *e)
{
	struct strays st = {.s = s, .a = a, .cb = keep};
	struct found found = {.a = a};
	struct repo *repos;
	size_t n, looked;
	bool empty;

	if (!dir_exists(s->data_dir))
		return 0;
	if (dir_is_empty(s->data_dir, &empty, e))
		return -1;
	if (empty)
		return 0;
	if (repo_list(s, a, &repos, &n, e))
		return -1;
	do {
		found.all.n = 0;
		note_names(&st, repos, n);
		looked = n;
		st.ptr = &found;
		if (within(&st, STR(""), e) || repo_list(s, a, &repos, &n, e))
			return -1;
	} while (n > looked);
	for (size_t i = 0; i < found.all.n; i++)
		if (cb(ptr, found.all.p[i].name, found.all.p[i].why_not, e))
			return -1;
	return 0;
}

struct drifts {
	struct arena *a;
	VEC(struct drift) all;
};

static int stray(void *ptr, struct str name, const char *why_not, struct err *e)
{
	struct drifts *ds = ptr;
	struct drift d = {.kind = why_not ? DRIFT_NEW : DRIFT_NEW_REPO, .repo = name};

	vec_push(ds->a, &ds->all, d);
	return 0;
}

/* One repo, while nobody changes its folder, and by what it shows then. */
struct look_one {
	struct disk_scan scan;
	struct disk_repo *repo; /* NULL: it has ended */
	int lock;
};

static int begin_one(struct store *s, struct arena *a, const struct disk_place *p, bool rehash, struct look_one *o,
                     struct err *e)
{
	struct disk_repo *now;
	size_t n;

	*o = (struct look_one){.lock = -1};
	if (disk_lock(s, &p->name, 1, DISK_SHARED, &o->lock, e) < 0 ||
	    disk_repos(s, a, p->repo, false, &now, &n, e))
		return -1;
	if (!n)
		return 0;
	o->scan = (struct disk_scan){.s = s, .a = a, .repo = now->repo.name, .base = &now->shown,
	                             .next = now->unshown ? NULL : &now->head, .rehash = rehash};
	o->scan.cache = statcache_open(s, now->repo.id);
	if (disk_scan_begin(&o->scan, e))
		return -1;
	o->repo = now;
	return 0;
}

/* What it found, and its lock goes; `ds` NULL: only that. */
static int end_one(struct look_one *o, struct drifts *ds, struct err *e)
{
	struct drift d = {0};
	int rc = 0;

	if (o->repo)
		rc = disk_scan_end(&o->scan, e);
	statcache_close(o->scan.cache);
	fd_close(&o->lock);
	if (rc || !ds || !o->repo)
		return rc;
	d.repo = o->repo->repo.name;
	d.output = o->repo->repo.role == REPO_OUTPUT;
	if (!o->repo->unshown && !sha_eq(&o->repo->shown, &o->repo->head)) {
		d.kind = DRIFT_LAGS;
		d.path = STR("");
		vec_push(ds->a, &ds->all, d);
	}
	for (size_t i = 0; i < o->scan.files.n; i++) {
		d.path = o->scan.files.p[i].path;
		switch (o->scan.files.p[i].state) {
		case DISK_NEW:
		case DISK_ODD:
			d.kind = DRIFT_NEW;
			break;
		case DISK_EDITED:
			d.kind = DRIFT_EDITED;
			break;
		case DISK_DELETED:
			d.kind = DRIFT_DELETED;
			break;
		default:
			continue;
		}
		vec_push(ds->a, &ds->all, d);
	}
	return 0;
}

/* Looks at the folder above but once for those that lie in it, which come one after the other. */
struct above {
	struct str name; /* STR_NULL: none yet */
	bool is_there;
};

/* Whether nothing is there, as of most outputs where datastore/ does not show them. */
static bool is_bare(struct store *s, struct arena *a, struct above *b, const struct disk_place *p)
{
	struct str above, last;

	if (!p->bare)
		return false;
	if (!str_rcut(p->name, '/', &above, &last))
		above = STR("");
	if (!b->name.p || !str_eq(b->name, above)) {
		b->name = above;
		b->is_there = dir_exists(disk_path(s, a, above, STR("")));
	}
	return !b->is_there || !file_exists(disk_path(s, a, p->name, STR("")));
}

static int locked_drift(struct store *s, struct drifts *ds, const struct disk_place *p, bool rehash, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct look_one o;

	if (begin_one(s, ds->a, p, rehash, &o, e)) {
		(void)!end_one(&o, NULL, &ignored);
		return -1;
	}
	if (o.repo)
		disk_scan_walk(&o.scan);
	return end_one(&o, ds, e);
}

int datastore_drift(struct store *s, struct arena *a, struct str repo, bool rehash, struct drift **out, size_t *n,
                    struct err *e)
{
	struct drifts ds = {.a = a};
	struct disk_place *places;
	struct above above = {0};
	struct repo one = {0};
	size_t many;

	if (repo.p) {
		int r = repo_find(s, a, repo, &one, e);
		if (r <= 0)
			return r < 0 ? -1 : repo_not_found(s, repo, e);
	}
	if (disk_places(s, a, one.id, &places, &many, e))
		return -1;
	for (size_t i = 0; i < many; i++)
		if (!is_bare(s, a, &above, &places[i]) && locked_drift(s, &ds, &places[i], rehash, e))
			return -1;
	if (!repo.p && drift_strays(s, a, stray, &ds, e))
		return -1;
	*out = ds.all.p;
	*n = ds.all.n;
	return 0;
}

/* --- while others work --- */

struct drift_look {
	struct store *s;
	struct arena *a;
	struct look_one *repos;
	size_t n;
	pthread_t thread;
	bool threaded;
	atomic_bool done;
};

static void *walk_all(void *ptr)
{
	struct drift_look *l = ptr;

	for (size_t i = 0; i < l->n; i++)
		if (l->repos[i].repo)
			disk_scan_walk(&l->repos[i].scan);
	atomic_store(&l->done, true);
	return NULL;
}

static void start(struct drift_look *l)
{
	sigset_t all, old;

	sigfillset(&all); /* signals are for the thread that has the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	/* what faults count must not depend on threads */
	l->threaded = !fault_armed() && !fault_weave() && !pthread_create(&l->thread, NULL, walk_all, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!l->threaded)
		walk_all(l);
}

int datastore_look_begin(struct store *s, struct arena *a, struct drift_look **out, struct err *e)
{
	struct drift_look *l = arena_new_of(a, struct drift_look);
	struct disk_place *places;
	struct above above = {0};
	size_t n;

	l->s = s;
	l->a = a;
	atomic_init(&l->done, false);
	if (disk_places(s, a, 0, &places, &n, e))
		return -1;
	l->repos = arena_array(a, struct look_one, n);
	for (size_t i = 0; i < n; i++) {
		if (is_bare(s, a, &above, &places[i]))
			continue;
		if (begin_one(s, a, &places[i], false, &l->repos[l->n++], e)) {
			struct err ignored = ERR_INIT;

			(void)!end_one(&l->repos[--l->n], NULL, &ignored);
			walk_all(l);
			datastore_look_drop(l);
			return -1;
		}
	}
	start(l);
	*out = l;
	return 0;
}

bool datastore_look_is_done(struct drift_look *l)
{
	return atomic_load(&l->done);
}

int datastore_look_end(struct drift_look *l, struct drift **out, size_t *n, struct err *e)
{
	struct drifts ds = {.a = l->a};
	struct err inner = ERR_INIT;
	int rc = 0;

	if (l->threaded)
		pthread_join(l->thread, NULL);
	for (size_t i = 0; i < l->n; i++)
		if (end_one(&l->repos[i], rc || !out ? NULL : &ds, rc ? &inner : e))
			rc = -1;
	if (rc || !out)
		return rc;
	if (drift_strays(l->s, l->a, stray, &ds, e))
		return -1;
	*out = ds.all.p;
	*n = ds.all.n;
	return 0;
}

void datastore_look_drop(struct drift_look *l)
{
	struct err ignored = ERR_INIT;

	if (l)
		(void)!datastore_look_end(l, NULL, NULL, &ignored);
}
