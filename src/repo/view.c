#include "repo/view.h"

#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/file.h"
#include "sys/rand.h"

struct view {
	struct store *s;
	const char *dir;  /* being built; NULL: only looked at */
	char folder[BLOB_PATH_CAP]; /* made last */
	const char *made; /* the one that is there */
	bool broken;      /* it is not what it was */
};

/* A copy's time says which bytes it was made of, so that one that somebody wrote to shows by its stat. */
static int64_t copy_time(const struct sha *id)
{
	uint32_t s = 0;

	for (int i = 0; i < 4; i++)
		s = s << 8 | id->b[i];
	return (int64_t)(s >> 2) * 1000000000 + id->b[4]; /* 1970 to 2004 */
}

static bool view_holds(const struct view *v, const char *file, const struct sha *id, const struct blob_at *at)
{
	char blob[BLOB_PATH_CAP];
	struct stat have, want;

	if (lstat(file, &have) || !S_ISREG(have.st_mode))
		return false;
	if (at->place == BLOB_WHOLE) {
		blob_path(v->s, id, blob, sizeof(blob));
		if (!lstat(blob, &want) && have.st_ino == want.st_ino && have.st_dev == want.st_dev)
			return true;
	}
	return have.st_size == at->size && file_key_of(&have).mtime_ns == copy_time(id);
}

static int view_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct view *v = ptr;
	char to[2 * BLOB_PATH_CAP];
	struct str dir = STR(""), base;
	struct blob_at at;
	int r;

	if (!v->dir) {
		r = blob_need(v->s, &entry->id, &at, e);
		snprintf(to, sizeof(to), "%s/%.*s", v->made, STR_ARG(path));
		v->broken |= !r && !v->broken && !view_holds(v, to, &entry->id, &at);
		return r;
	}
	snprintf(to, sizeof(to), "%s/%.*s", v->dir, STR_ARG(path));
	if (str_rcut(path, '/', &dir, &base) && !str_is(dir, v->folder)) {
		if (dir_make_parent(to, 0777, e))
			return -1;
		snprintf(v->folder, sizeof(v->folder), "%.*s", STR_ARG(dir));
	}
	r = blob_link_to(v->s, &entry->id, to, e);
	if (!r) /* no file of its own; or too many links to one: an empty _SUCCESS, say */
		r = blob_write_to(v->s, &entry->id, to, 0444, e) ||
				    file_set_mtime(to, copy_time(&entry->id), e)
			    ? -1
			    : 0;
	return r < 0 ? -1 : 0;
}

static int view_build(struct store *s, const struct sha *tree, const char *path, bool *broken, struct err *e)
{
	char temp[BLOB_PATH_CAP], name[RAND_NAME];
	struct err inner = ERR_INIT, ignored = ERR_INIT;
	struct view v = {.s = s, .made = path};

	if (!dir_exists(path)) {
		rand_name(name);
		snprintf(temp, sizeof(temp), "%s/views/.new-%s", s->leat_dir, name);
		v.dir = temp;
		if (dir_make(temp, 0777, e))
			return -1;
	}
	if (tree_walk(s, NULL, tree, false, view_file, &v, &inner) ||
	    (v.dir && (dir_make_parent(path, 0777, &inner) || file_rename_new(temp, path, &inner)))) {
		/* somebody else made the same one meanwhile: theirs is as good */
		bool fine = v.dir && inner.code == ERR_CONFLICT && dir_exists(path);
		if (v.dir && dir_remove_tree(temp, &ignored))
			err_clear(&ignored);
		if (!fine) {
			*e = inner;
			return -1;
		}
	}
	*broken = v.broken;
	return 0;
}

int view_make(struct store *s, const struct sha *tree, const char *as, char *out, size_t cap, struct err *e)
{
	char path[BLOB_PATH_CAP], hex[SHA_HEX + 1];
	bool broken;

	sha_hex(tree, hex);
	snprintf(path, sizeof(path), "%s/views/%s/%s", s->leat_dir, hex, as);
	if (view_build(s, tree, path, &broken, e))
		return -1;
	if (broken && (dir_remove_tree(path, e) || view_build(s, tree, path, &broken, e)))
		return -1;
	if ((size_t)snprintf(out, cap, "%s", path) >= cap)
		return err_set(e, ERR_LIMIT, "the path %s is too long", path);
	return 0;
}

/* --- whether copies are what they say --- */

struct checking {
	struct view v;
	struct arena *a;
	char *bad; /* the first file that is not what it says */
};

static int check_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct checking *c = ptr;
	char *file = arena_printf(c->a, "%s/%.*s", c->v.made, STR_ARG(path));
	struct err ignored = ERR_INIT;
	struct blob_at at;
	struct stat st;
	struct sha have;

	(void)e;
	if (c->bad || blob_need(c->v.s, &entry->id, &at, &ignored) || !view_holds(&c->v, file, &entry->id, &at))
		return 0; /* fsck tells of the object; and who needs the view makes it anew */
	if (lstat(file, &st) || file_key_of(&st).mtime_ns != copy_time(&entry->id))
		return 0; /* a link */
	if (file_sha(file, &have, NULL, &ignored) || !sha_eq(&have, &entry->id))
		c->bad = arena_cstr(c->a, path);
	return 0;
}

static int check_views(struct store *s, struct arena *a, const char *dir, const struct sha *tree, view_bad_cb cb,
                       void *ptr, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct dir_names as;

	if (dir_list(a, dir, &as, &ignored))
		return 0; /* it went meanwhile */
	for (size_t i = 0; i < as.n; i++) {
		struct checking c = {.v = {.s = s, .made = path_join(a, dir, as.p[i])}, .a = a};

		if (tree_walk(s, NULL, tree, false, check_file, &c, &ignored))
			err_clear(&ignored); /* a tree that is gone or damaged: nobody reads by it */
		if (c.bad && cb(ptr, c.v.made, c.bad, e))
			return -1;
	}
	return 0;
}

int view_check(struct store *s, view_bad_cb cb, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new(), *one cleanup(arena_cleanup) = arena_new();
	char *views = arena_printf(a, "%s/views", s->leat_dir);
	struct dir_names trees;

	if (!dir_exists(views))
		return 0;
	if (dir_list(a, views, &trees, e))
		return -1;
	for (size_t i = 0; i < trees.n; i++) {
		struct sha tree;

		if (sha_parse(str_of(trees.p[i]), &tree) &&
		    check_views(s, one, path_join(one, views, trees.p[i]), &tree, cb, ptr, e))
			return -1;
		arena_reset(one);
	}
	return 0;
}
