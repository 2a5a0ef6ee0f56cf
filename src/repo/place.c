#include "repo/place.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/map.h"
#include "base/str.h"
#include "repo/blob.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/rand.h"

#define OLD_MS 60000              /* how long a reader that has listed a folder can still open its files */
#define OLD_MANY 1000             /* replaced files that wait to be unlinked, and what they hold */
#define OLD_FEW 32
#define OLD_BYTES (64 << 20)
#define BACKDATE_NS 25000000      /* files are dated back, so that a write right after shows by its time */

char *place_temp(struct place *p, const char *what)
{
	char name[RAND_NAME];

	rand_name(name);
	return arena_printf(p->a, "%s/staging/%s-%s", p->s->leat_dir, what, name);
}

int place_copy(struct place *p, const struct entry *entry, struct str path, const char *to, struct err *e)
{
	struct file_key k;
	int r = p->s->ws->protect == PROTECT_LINK ? blob_link_to(p->s, &entry->id, to, e) : 0;

	if (r < 0 || (!r && (blob_write_to(p->s, &entry->id, to, 0444, e) ||
			     file_set_mtime(to, statcache_now_ns() - BACKDATE_NS, e)))) {
		if (e->code == ERR_DAMAGED)
			err_wrap(e, "%.*s:/%.*s", STR_ARG(p->repo), STR_ARG(path));
		return -1;
	}
	if (file_stat_key(to, &k, e))
		return -1;
	statcache_ours(p->cache, path, &k, &entry->id);
	return 0;
}

static void say(struct place *p, const char *text)
{
	if (p->note)
		p->note(p->ptr, text);
}

int place_lost(struct place *p, const char *disk, struct str path, struct err *e)
{
	char when[TIME_TEXT], name[RAND_NAME], *to;
	struct err inner = ERR_INIT;

	time_rfc3339(statcache_now_ns() / 1000000, when);
	when[19] = 0; /* to the second */
	to = arena_printf(p->a, "%s/lost+found/%.*s/%s/%.*s", p->s->leat_dir, STR_ARG(p->repo), when, STR_ARG(path));
	if (dir_make_parent(to, 0777, e))
		return -1;
	if (file_rename_new(disk, to, &inner)) {
		if (inner.code == ERR_NOT_FOUND && !file_exists(disk))
			return 0; /* its owner took it away meanwhile */
		if (inner.code != ERR_CONFLICT) {
			*e = inner;
			return -1;
		}
		rand_name(name);
		to = arena_printf(p->a, "%s.%s", to, name);
		if (file_rename_new(disk, to, e))
			return -1;
	}
	say(p, arena_printf(p->a, "datastore/%.*s/%.*s was not put there by leat: moved to %s", STR_ARG(p->repo),
			    STR_ARG(path), to + strlen(p->s->ws->dir) + 1));
	return 0;
}

void place_prune(struct place *p, struct str path)
{
	struct str dir, base;

	while (str_rcut(path, '/', &dir, &base)) {
		if (rmdir(disk_path(p->s, p->a, p->repo, dir)))
			return;
		path = dir;
	}
}

static struct disk_scan scan_of(struct place *p, struct str sub)
{
	return (struct disk_scan){.s = p->s, .a = p->a, .cache = p->cache, .repo = p->repo, .sub = sub, .base = p->base,
	                          .next = p->next};
}

static bool is_foreign(const struct disk_file *f)
{
	return f->state == DISK_EDITED || f->state == DISK_NEW || f->state == DISK_ODD;
}

struct some {
	char **files;
	size_t n;
};

static void *unlink_some(void *ptr)
{
	const struct some *f = ptr;
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < f->n; i++)
		if (file_unlink(f->files[i], &ignored))
			err_clear(&ignored);
	return NULL;
}

/* The file system gives back what a file held after it has let go of the folder: by two, that is half the time. */
void place_old_drop(struct place_old *o)
{
	size_t half = o->files.n < OLD_FEW ? 0 : o->files.n / 2;
	struct some one = {o->files.p, half}, other = {o->files.p + half, o->files.n - half};
	pthread_t thread;
	bool beside = half && !fault_armed() && !pthread_create(&thread, NULL, unlink_some, &one);

	unlink_some(&other);
	if (beside)
		pthread_join(thread, NULL);
	else
		unlink_some(&one);
	o->files.n = 0;
	o->bytes = 0;
}

static int unlink_old(struct place *p, const char *path, int64_t size, struct err *e)
{
	struct place_old *o = p->old;

	if (!o || size > FILE_LARGE_STEP)
		return file_unlink_large(path, e);
	if (o->files.n == OLD_MANY || o->bytes + size > OLD_BYTES)
		place_old_drop(o);
	vec_push(o->a, &o->files, arena_dup(o->a, path));
	o->bytes += size;
	return 0;
}

/* Takes away what stands at a path, if it is still what was looked at; else it is foreign after all. */
static int take_away(struct place *p, const struct disk_file *f, const char *disk, struct err *e)
{
	char *temp = place_temp(p, "out");
	struct file_key k;

	if (file_rename(disk, temp, e) || file_stat_key(temp, &k, e))
		return -1;
	if (k.ino != f->key.ino || k.size != f->key.size || k.mtime_ns != f->key.mtime_ns)
		return place_lost(p, temp, f->path, e);
	return file_unlink_large(temp, e);
}

/* A folder where a file must stand, or a file where a folder must: out of the way. 1 something was moved, 0, -1. */
static int clear_way(struct place *p, struct str path, struct err *e)
{
	struct stat st;

	for (size_t i = 0; i <= path.n; i++) {
		struct str up = {path.p, i};
		char *disk;
		if (i < path.n && path.p[i] != '/')
			continue;
		disk = disk_path(p->s, p->a, p->repo, up);
		if (lstat(disk, &st))
			return 0;
		if (i == path.n ? S_ISDIR(st.st_mode) : !S_ISDIR(st.st_mode))
			return i == path.n && !rmdir(disk) ? 1 : place_lost(p, disk, up, e) ? -1 : 1;
	}
	return 0;
}

int place_one(struct place *p, struct str path, const struct entry *entry, struct err *e)
{
	struct disk_scan d = scan_of(p, STR(""));
	char *disk = disk_path(p->s, p->a, p->repo, path), *temp;
	struct disk_file f;
	struct file_key k;
	int r = 0;

	if (entry && clear_way(p, path, e) < 0)
		return -1;
	if (disk_look(&d, path, &f, e))
		return -1;
	if (!entry) {
		if (f.state == DISK_DELETED || (is_foreign(&f) && !p->output))
			return 0;
		if (is_foreign(&f) ? place_lost(p, disk, path, e) : take_away(p, &f, disk, e))
			return -1;
		place_prune(p, path);
		return 0;
	}
	if (f.state == DISK_NEXT || (f.state == DISK_SAME && p->base == p->next))
		return 0;
	if (is_foreign(&f) && place_lost(p, disk, path, e))
		return -1;
	temp = place_temp(p, "in");
	if (place_copy(p, entry, path, temp, e) || dir_make_parent(disk, 0777, e))
		return -1;
	fault_crash("datastore-built");
	if (f.state == DISK_SAME || f.state == DISK_OURS)
		r = file_exchange(temp, disk, e);
	if (r < 0)
		return -1;
	if (r) {
		if (file_stat_key(temp, &k, e))
			return -1;
		if (k.ino != f.key.ino || k.size != f.key.size || k.mtime_ns != f.key.mtime_ns
			    ? place_lost(p, temp, path, e)
			    : unlink_old(p, temp, k.size, e))
			return -1;
	} else if (file_rename(temp, disk, e)) {
		return -1;
	}
	if (file_stat_key(disk, &k, e)) /* a rename changes the ctime */
		return -1;
	statcache_ours(p->cache, path, &k, &entry->id);
	return 0;
}

/* A folder being built beside the one that it will replace. */
struct swap {
	struct place *p;
	struct str folder;
	char *temp;          /* the new one, then the old one */
	struct map disk;     /* path in the repo -> struct disk_file: what lies in the old one */
	struct map come;     /* path -> anything: files of the new one */
	struct str made;     /* folder made last */
	int64_t built;
};

static int folder_of(struct swap *w, const char *to, struct str path, struct err *e)
{
	struct str dir = STR(""), base;

	if (str_rcut(path, '/', &dir, &base) && !str_eq(dir, w->made)) {
		if (dir_make_parent(to, 0777, e))
			return -1;
		w->made = arena_str(w->p->a, dir);
	}
	return 0;
}

static char *new_path(struct swap *w, struct str path)
{
	struct str rest = w->folder.n ? str_sub(path, w->folder.n + 1, SIZE_MAX) : path;

	return arena_printf(w->p->a, "%s/%.*s", w->temp, STR_ARG(rest));
}

/* Links a file of the old folder into the new one. 1, 0 = cannot be linked or is gone, -1. */
static int carry(struct swap *w, struct str path, const struct sha *ours, struct err *e)
{
	struct err inner = ERR_INIT;
	char *to = new_path(w, path);
	struct file_key k;
	int r;

	if (folder_of(w, to, path, e))
		return -1;
	r = file_link(disk_path(w->p->s, w->p->a, w->p->repo, path), to, &inner);
	if (r < 0 && inner.code != ERR_NOT_FOUND) {
		*e = inner;
		return -1;
	}
	if (r == 1 && ours) {
		if (file_stat_key(to, &k, e))
			return -1;
		statcache_ours(w->p->cache, path, &k, ours);
	}
	return r == 1;
}

static int build_file(void *ptr, struct str rest, const struct entry *entry, struct err *e)
{
	struct swap *w = ptr;
	struct place *p = w->p;
	struct str path = arena_strf(p->a, "%.*s%s%.*s", STR_ARG(w->folder), w->folder.n ? "/" : "", STR_ARG(rest));
	struct disk_file *f = map_get(&w->disk, path);
	struct entry old;
	int changed = 1, r = 0;

	if (p->base) {
		r = tree_find(p->s, NULL, p->base, path, &old, e);
		if (r < 0)
			return -1;
		changed = !r || !sha_eq(&old.id, &entry->id);
	}
	if (!changed && !p->output && f && (f->state == DISK_DELETED || is_foreign(f)))
		return 0; /* the user's own change at a path that this commit does not touch */
	map_set(&w->come, path, w);
	if (f && (f->state == DISK_NEXT || (f->state == DISK_SAME && !changed))) {
		r = carry(w, path, &entry->id, e);
		if (r)
			return r < 0 ? -1 : 0;
	}
	char *to = new_path(w, path);
	return folder_of(w, to, path, e) || place_copy(p, entry, path, to, e) ? -1 : 0;
}

/* After the exchange w->temp is the old folder: what is foreign in it and has not come along is not lost. */
static int leave_clean(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct swap *w = ptr;
	struct place *p = w->p;
	struct str path = arena_strf(p->a, "%.*s%s%s", STR_ARG(w->folder), w->folder.n ? "/" : "", t->path);
	const struct disk_file *f = map_get(&w->disk, path);
	char *here = arena_printf(p->a, "%s/%s", w->temp, t->path), *there = disk_path(p->s, p->a, p->repo, path);
	struct file_key k = file_key_of(&t->st);
	struct err inner = ERR_INIT;
	struct stat st;

	if (t->type == DIR_FOLDER)
		return DIR_GO;
	/* ours, and nobody has written it since it was looked at (a new link changes only the ctime) */
	if (f && !is_foreign(f) && f->key.ino == k.ino && f->key.size == k.size && f->key.mtime_ns == k.mtime_ns)
		return DIR_GO;
	if (!lstat(there, &st) && st.st_ino == t->st.st_ino && st.st_dev == t->st.st_dev)
		return DIR_GO; /* it came along */
	if (!p->output && !map_has(&w->come, path) && !dir_make_parent(there, 0777, &inner) &&
	    !file_rename_new(here, there, &inner))
		return DIR_GO;
	return place_lost(p, here, path, e);
}

static int retire(struct swap *w, struct err *e)
{
	char *old = arena_printf(w->p->a, "%s/old/%lld-%s", w->p->s->leat_dir,
				 (long long)(statcache_now_ns() / 1000000), strrchr(w->temp, '-') + 1);

	return dir_walk(w->temp, 0, leave_clean, w, e) || file_rename(w->temp, old, e) ? -1 : 0;
}

static int exchange(struct swap *w, const char *target, struct err *e)
{
	struct err inner = ERR_INIT;
	char *aside;
	int r;

	if (dir_make_parent(target, 0777, e))
		return -1;
	fault_crash("datastore-built");
	if (!file_rename_new(w->temp, target, &inner))
		return 0;
	if (inner.code != ERR_CONFLICT) {
		*e = inner;
		return -1;
	}
	r = file_exchange(w->temp, target, e);
	if (r < 0)
		return -1;
	if (!r) { /* no exchange here: two renames, and for a moment nothing */
		aside = place_temp(w->p, "swap");
		if (file_rename(target, aside, e) || file_rename(w->temp, target, e))
			return -1;
		w->temp = aside;
	}
	return retire(w, e);
}

int place_folder(struct place *p, struct str folder, struct err *e)
{
	struct swap w = {.p = p, .folder = folder};
	struct disk_scan d = scan_of(p, folder);
	const char *target = disk_path(p->s, p->a, p->repo, folder);
	struct entry root;
	int r = tree_find(p->s, NULL, p->next, folder, &root, e);

	if (r < 0 || (folder.n && clear_way(p, arena_strf(p->a, "%.*s/x", STR_ARG(folder)), e) < 0))
		return -1;
	map_init(&w.disk, p->a);
	map_init(&w.come, p->a);
	d.all = true;
	if (disk_scan(&d, e))
		return -1;
	for (size_t i = 0; i < d.files.n; i++)
		map_set(&w.disk, d.files.p[i].path, &d.files.p[i]);
	w.temp = place_temp(p, "swap");
	if (dir_make(w.temp, 0777, e))
		return -1;
	if (r && root.kind == ENTRY_FOLDER && tree_walk(p->s, NULL, &root.id, false, build_file, &w, e))
		return -1;
	for (size_t i = 0; i < d.files.n; i++) {
		const struct disk_file *f = &d.files.p[i];
		if (!is_foreign(f))
			continue;
		/* What cannot come along by a link is moved after the exchange. */
		if (!p->output && f->state != DISK_ODD && !map_has(&w.come, f->path)) {
			struct err inner = ERR_INIT;
			if (carry(&w, f->path, NULL, &inner) < 0)
				err_clear(&inner);
		}
	}
	if (exchange(&w, target, e))
		return -1;
	return 0;
}

/* A swap that a crash cut short: whatever the store does not hold goes to lost+found. */
static int rescue(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct place *p = ptr;
	char *here = arena_printf(p->a, "%.*s/%s", STR_ARG(p->repo), t->path);
	struct err inner = ERR_INIT;
	struct sha id;
	struct place as = *p;

	if (t->type == DIR_FOLDER || t->st.st_nlink > 1) /* a link that was to come along stands where it stood */
		return DIR_GO;
	if (t->type == DIR_FILE && !file_sha(here, &id, NULL, &inner) && blob_present(p->s, &id, &inner) == 1)
		return DIR_GO;
	as.repo = STR("interrupted");
	return place_lost(&as, here, str_of(t->path), e);
}

static bool is_swap(const char *name)
{
	return str_has_prefix(str_of(name), STR("swap-"));
}

static bool is_out(const char *name)
{
	return str_has_prefix(str_of(name), STR("out-"));
}

bool place_has_left(struct store *s)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	struct dir_names names;

	if (dir_list(a, arena_printf(a, "%s/staging", s->leat_dir), &names, &ignored))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (is_swap(names.p[i]) || is_out(names.p[i]))
			return true;
	return false;
}

/* What lies there is somebody's who is at work, or was left by one who died: only when nobody is at work. */
static void sweep_staging(struct store *s, datastore_note note, void *ptr)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	struct dir_names names;
	int fd FD_CLEANUP = -1;

	if (!place_has_left(s) || disk_lock_all(s, &fd, &ignored) != 1 ||
	    dir_list(a, arena_printf(a, "%s/staging", s->leat_dir), &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++) {
		char *path = arena_printf(a, "%s/staging/%s", s->leat_dir, names.p[i]);
		struct place p = {.s = s, .a = a, .repo = str_of(path), .note = note, .ptr = ptr};
		struct stat st;
		if (is_swap(names.p[i])) {
			if (!dir_walk(path, 0, rescue, &p, &ignored) && dir_remove_large(path, &ignored))
				err_clear(&ignored);
		} else if (is_out(names.p[i]) && !lstat(path, &st)) {
			struct sha id;
			p.repo = STR("interrupted");
			if (file_sha(path, &id, NULL, &ignored) || blob_present(s, &id, &ignored) != 1
				    ? place_lost(&p, path, str_of(names.p[i]), &ignored)
				    : file_unlink_large(path, &ignored))
				err_clear(&ignored);
		}
	}
}

void place_sweep(struct store *s, datastore_note note, void *ptr)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int64_t now = statcache_now_ns() / 1000000, at;
	struct err ignored = ERR_INIT;
	struct str stamp, rest;
	struct dir_names names;

	if (!dir_list(a, arena_printf(a, "%s/old", s->leat_dir), &names, &ignored)) {
		for (size_t i = 0; i < names.n; i++) {
			if (str_cut(str_of(names.p[i]), '-', &stamp, &rest) && str_to_i64(stamp, &at) &&
			    now - at > OLD_MS &&
			    dir_remove_large(arena_printf(a, "%s/old/%s", s->leat_dir, names.p[i]), &ignored))
				err_clear(&ignored);
		}
	}
	sweep_staging(s, note, ptr);
}
