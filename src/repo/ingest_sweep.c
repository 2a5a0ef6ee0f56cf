/* Folders on their way into the store. */
#include <limits.h>
#include <stdlib.h>

#include "base/name.h"
#include "base/str.h"
#include "repo/ingest_in.h"

#define LINK_DEPTH 8 /* folders that symbolic links lead into, one within the other */

struct found {
	char *disk;       /* where it lies */
	struct str path;  /* what it will be called */
	bool link;
};

struct sweep {
	struct arena *a;
	const char *dir;       /* the whole folder, as it was named */
	const char *root;      /* the same with links resolved, once that matters */
	const char *disk;      /* the folder being walked */
	const char *prefix;    /* its path in the result, "" or "x/" */
	int depth;
	VEC(struct found) all;
};

static int sweep_folder(struct sweep *w, const char *disk, const char *prefix, struct err *e);

/* The path with its links resolved, NULL where it leads nowhere. */
static char *real_path(struct arena *a, const char *path)
{
	char *real = realpath(path, NULL);
	char *copy = real ? arena_dup(a, real) : NULL;

	free(real);
	return copy;
}

static bool leads_up(struct sweep *w, const char *disk, const char *target)
{
	const char *here = real_path(w->a, path_dir(w->a, disk));

	return !here || path_inside(target, here, NULL);
}

static int sweep_link(struct sweep *w, const char *disk, struct str path, struct err *e)
{
	char *target = real_path(w->a, disk);
	struct stat st;

	if (!target)
		return err_set(e, ERR_REFUSED, "%s is a symbolic link that leads nowhere", disk);
	if (!w->root)
		w->root = real_path(w->a, w->dir);
	if (!w->root || !path_inside(w->root, target, NULL))
		return err_set(e, ERR_REFUSED, "%s is a symbolic link that leads out of its folder, to %s", disk,
			       target);
	if (file_stat(target, &st, e))
		return -1;
	if (S_ISREG(st.st_mode)) {
		struct found f = {target, path, true};
		vec_push(w->a, &w->all, f);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_REFUSED, "%s leads to what is no plain file", disk);
	if (w->depth >= LINK_DEPTH || leads_up(w, disk, target))
		return err_set(e, ERR_REFUSED, "%s is a symbolic link into a folder that holds it", disk);
	return sweep_folder(w, target, arena_printf(w->a, "%.*s/", STR_ARG(path)), e);
}

static int sweep_entry(const struct dir_entry *d, void *ptr, struct err *e)
{
	struct sweep *w = ptr;
	char *disk, path[NAME_MAX_PATH + 1];
	size_t n;
	struct found f;

	if (d->type == DIR_FOLDER)
		return DIR_GO;
	disk = path_join(w->a, w->disk, d->path);
	f.disk = disk;
	f.path = arena_strf(w->a, "%s%s", w->prefix, d->path);
	f.link = w->depth > 0;
	if (name_path(f.path, path, &n, NULL, e))
		return -1;
	if (d->type == DIR_LINK)
		return sweep_link(w, disk, f.path, e);
	if (d->type != DIR_FILE)
		return err_set(e, ERR_REFUSED, "%s is no plain file (a socket, pipe or device)", disk);
	vec_push(w->a, &w->all, f);
	return DIR_GO;
}

static int sweep_folder(struct sweep *w, const char *disk, const char *prefix, struct err *e)
{
	const char *was_disk = w->disk, *was_prefix = w->prefix;
	int rc;

	w->disk = disk;
	w->prefix = prefix;
	w->depth++;
	rc = dir_walk(disk, DIR_NO_STAT, sweep_entry, w, e);
	w->depth--;
	w->disk = was_disk;
	w->prefix = was_prefix;
	return rc;
}

struct telling {
	tree_cb cb;
	void *ptr;
};

static int tell_one(void *ptr, const struct ingest_item *item, const struct ingest_told *told, struct err *e)
{
	struct telling *t = ptr;
	const struct found *f = item->tag;

	if (told->fail) {
		*e = *told->fail;
		return -1;
	}
	return t->cb(t->ptr, f->path, &told->entry, e);
}

int ingest_each(struct ingest *in, const char *dir, enum ingest_how how, tree_cb cb, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct sweep w = {.a = a, .dir = dir, .depth = -1};
	struct telling t = {cb, ptr};
	struct ingest_item *items;
	size_t n = 0, links = 0;

	if (sweep_folder(&w, dir, "", e))
		return -1;
	items = arena_array(a, struct ingest_item, w.all.n);
	/* What links lead to is copied before anything is moved away. */
	for (int link = 1; link >= 0; link--) {
		for (size_t i = 0; i < w.all.n; i++) {
			struct found *f = &w.all.p[i];
			if (f->link == (link == 1))
				items[n++] = (struct ingest_item){f->disk, f->link ? INGEST_COPY : how, f, !f->link};
		}
		links = link ? n : links;
	}
	return ingest_files(in, items, links, tell_one, &t, e) ||
			       ingest_files(in, items + links, n - links, tell_one, &t, e)
		       ? -1
		       : 0;
}

struct folder {
	struct arena *a;
	VEC(struct tree_edit) edits;
};

static int add_edit(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct folder *f = ptr;
	struct tree_edit ed = {.op = EDIT_PUT, .path = arena_str(f->a, path), .entry = *entry};

	(void)e;
	vec_push(f->a, &f->edits, ed);
	return 0;
}

int ingest_folder(struct ingest *in, const char *dir, enum ingest_how how, struct entry *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct folder f = {.a = a};

	if (ingest_each(in, dir, how, add_edit, &f, e))
		return -1;
	return tree_apply(in->s, in, NULL, f.edits.p, f.edits.n, out, e);
}
