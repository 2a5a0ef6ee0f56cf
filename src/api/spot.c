#include "api/spot.h"

#include "api/rows.h"
#include "base/name.h"
#include "base/str.h"

/* The commit, and what of the text is the path. */
static int resolve(struct api *api, const struct args *args, struct str text, struct str *prefix, struct str *path,
                   struct spot *s, struct err *e)
{
	struct str repo, rev;

	if (rows_ds_prefix(args, prefix, e) || pin_parse(text, &repo, &rev, path, e))
		return -1;
	s->shown = arena_strf(api->arena, "%.*s%s%.*s", STR_ARG(repo), rev.n ? "@" : "", STR_ARG(rev));
	if (pin_resolve(api->store, api->arena, s->shown, &s->pin, e))
		return -1;
	if (!s->pin.has_commit)
		s->pin.commit.tree = tree_empty_id();
	return 0;
}

static int pattern(struct api *api, struct str prefix, struct str path, struct spot *s, struct err *e)
{
	s->folders = path.n && path.p[path.n - 1] == '/' && (path.n < 2 || path.p[path.n - 2] != '\\');
	while (s->folders && path.n && path.p[path.n - 1] == '/')
		path.n--;
	s->path = arena_strf(api->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(path));
	return glob_compile(api->arena, s->path, &s->glob, e);
}

static bool is_pattern(struct str path)
{
	return glob_has_magic(path) || (path.n && memchr(path.p, '\\', path.n));
}

static int not_there(const struct spot *s, const char *end, struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "not found: %.*s has no /%.*s%s", STR_ARG(s->shown), STR_ARG(s->path), end);
	return err_hint(e, "'leat ls -R %.*s' lists what is there (%lld file%s)", STR_ARG(s->shown),
	                (long long)s->pin.commit.files, s->pin.commit.files == 1 ? "" : "s");
}

int spot_nothing(const struct spot *s, struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "nothing in %.*s matches /%.*s%s", STR_ARG(s->shown), STR_ARG(s->path),
	        s->folders ? "/" : "");
	return err_hint(e, "'leat ls -R %.*s' lists what is there (%lld file%s); * stops at '/', ** does not",
	                STR_ARG(s->shown), (long long)s->pin.commit.files, s->pin.commit.files == 1 ? "" : "s");
}

int spot_find(struct api *api, const struct args *args, struct str text, bool patterns, struct spot *out, struct err *e)
{
	struct spot s = {0};
	struct str prefix, path;
	struct err bad = ERR_INIT;
	char clean[NAME_MAX_PATH + 1];
	size_t n;
	int rc;

	if (resolve(api, args, text, &prefix, &path, &s, e))
		return -1;
	patterns = patterns && is_pattern(path);
	if (name_path(arena_strf(api->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(path)), clean, &n, &s.pin.folder,
	              &bad)) {
		if (!patterns) {
			*e = bad;
			return -1;
		}
		rc = 0;
	} else {
		s.path = s.pin.path = arena_str(api->arena, (struct str){clean, n});
		rc = tree_find(api->store, NULL, &s.pin.commit.tree, s.path, &s.entry, e);
	}
	if (rc < 0)
		return -1;
	if (!rc && patterns) {
		if (pattern(api, prefix, path, &s, e))
			return -1;
	} else if (!rc || (s.pin.folder && s.path.n && s.entry.kind == ENTRY_FILE)) {
		return not_there(&s, s.pin.folder ? "/" : "", e);
	}
	*out = s;
	return 0;
}

int spot_glob(struct api *api, const struct args *args, struct str text, struct spot *out, struct err *e)
{
	struct spot s = {0};
	struct str prefix, path;

	if (resolve(api, args, text, &prefix, &path, &s, e) || pattern(api, prefix, path.p ? path : STR("*"), &s, e))
		return -1;
	*out = s;
	return 0;
}

struct each {
	const struct spot *spot;
	tree_cb cb;
	void *ptr;
};

static int each(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct each *k = ptr;

	return k->spot->folders && entry->kind == ENTRY_FILE ? 0 : k->cb(k->ptr, path, entry, e);
}

int spot_each(struct api *api, const struct spot *s, tree_cb cb, void *ptr, struct err *e)
{
	struct each k = {s, cb, ptr};
	struct entry root;
	int rc;

	if (s->path.n)
		return tree_glob(api->store, &s->pin.commit.tree, s->glob, each, &k, e);
	/* "/" is the root, as everywhere */
	rc = tree_find(api->store, NULL, &s->pin.commit.tree, STR(""), &root, e);
	return rc < 0 || (root.files && cb(ptr, STR(""), &root, e) < 0) ? -1 : 0;
}
