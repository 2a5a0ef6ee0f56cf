/* What differs in datastore/ from what Leat put there, and which folders there are no repo's. */
#include "base/name.h"
#include "base/str.h"
#include "repo/drift.h"
#include "sys/fd.h"

struct drift_found {
	struct str name;
	const char *why_not;
};

struct strays {
	struct store *s;
	struct arena *a;
	const struct repo *repos;
	size_t n;
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
	enum relation r = APART;

	for (size_t i = 0; i < st->n; i++) {
		struct str name = st->repos[i].name;
		if (str_eq(name, path))
			return IS_REPO;
		if (name.n > path.n && str_has_prefix(name, path) && name.p[path.n] == '/')
			r = ABOVE_REPOS;
	}
	return r;
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
	size_t n;

	if (!dir_exists(s->data_dir))
		return 0;
	if (repo_list(s, a, &repos, &n, e))
		return -1;
	do {
		found.all.n = 0;
		st.repos = repos;
		st.n = n;
		st.ptr = &found;
		if (within(&st, STR(""), e) || repo_list(s, a, &repos, &n, e))
			return -1;
	} while (n > st.n);
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

static int repo_drift(struct store *s, struct drifts *ds, const struct disk_repo *r, bool rehash, struct err *e)
{
	struct disk_scan scan = {
		.s = s, .a = ds->a, .repo = r->repo.name, .base = &r->shown, .next = r->unshown ? NULL : &r->head,
		.rehash = rehash};
	struct drift d = {.repo = r->repo.name, .output = r->repo.role == REPO_OUTPUT};
	int rc;

	if (!r->unshown && !sha_eq(&r->shown, &r->head)) {
		d.kind = DRIFT_LAGS;
		d.path = STR("");
		vec_push(ds->a, &ds->all, d);
	}
	scan.cache = statcache_open(s, r->repo.id);
	rc = disk_scan(&scan, e);
	statcache_close(scan.cache);
	if (rc)
		return -1;
	for (size_t i = 0; i < scan.files.n; i++) {
		d.path = scan.files.p[i].path;
		switch (scan.files.p[i].state) {
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

/* While nobody changes its folder, and by what it shows then. */
static int locked_drift(struct store *s, struct drifts *ds, const struct disk_repo *known, bool rehash, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct disk_repo *now;
	size_t n;

	if (disk_lock(s, &known->repo.name, 1, DISK_SHARED, &fd, e) < 0 ||
	    disk_repos(s, ds->a, known->repo.id, false, &now, &n, e))
		return -1;
	return n ? repo_drift(s, ds, now, rehash, e) : 0;
}

int datastore_drift(struct store *s, struct arena *a, struct str repo, bool rehash, struct drift **out, size_t *n,
                    struct err *e)
{
	struct drifts ds = {.a = a};
	struct disk_repo *repos;
	struct repo one = {0};
	size_t many;

	if (repo.p) {
		int r = repo_find(s, a, repo, &one, e);
		if (r <= 0)
			return r < 0 ? -1 : repo_not_found(s, repo, e);
	}
	if (disk_repos(s, a, one.id, false, &repos, &many, e))
		return -1;
	for (size_t i = 0; i < many; i++)
		if (locked_drift(s, &ds, &repos[i], rehash, e))
			return -1;
	if (!repo.p && drift_strays(s, a, stray, &ds, e))
		return -1;
	*out = ds.all.p;
	*n = ds.all.n;
	return 0;
}
