#include "repo/tree.h"

#include "base/name.h"
#include "base/str.h"
#include "repo/tree_page.h"

struct sha tree_empty_id(void)
{
	static struct sha id;

	if (sha_is_zero(&id))
		id = sha_of("\1\0", 3); /* version, level 0, no entries */
	return id;
}

/* One name in one folder: 1, 0, -1. The entry's name is `name` itself. */
static int find_name(struct store *s, struct ingest *in, const struct sha *folder, struct str name, struct entry *out,
                     struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct sha id = *folder;
	int level = -1;

	for (;;) {
		struct page p;
		size_t i;
		if (tree_page_read(s, in, &id, level, a, &p, e))
			return -1;
		i = tree_page_seek(&p, name);
		if (i == p.n)
			return 0;
		if (p.level) {
			id = p.items[i].entry.id;
			level = p.level - 1;
			continue;
		}
		if (!str_eq(p.items[i].entry.name, name))
			return 0;
		*out = p.items[i].entry;
		out->name = name;
		return 1;
	}
}

static int root_entry(struct store *s, struct ingest *in, const struct sha *root, struct entry *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct page p;

	if (tree_page_read(s, in, root, -1, a, &p, e))
		return -1;
	tree_page_sums(&p, out, NULL);
	out->name = STR("");
	out->id = *root;
	return 1;
}

int tree_find(struct store *s, struct ingest *in, const struct sha *root, struct str path, struct entry *out,
              struct err *e)
{
	struct entry at = {.kind = ENTRY_FOLDER, .id = *root};
	struct str name, rest = path;

	if (!path.n)
		return root_entry(s, in, root, out, e);
	while (rest.n) {
		int r;
		if (!str_cut(rest, '/', &name, &rest)) {
			name = rest;
			rest = STR_NULL;
		}
		if (at.kind != ENTRY_FOLDER)
			return 0;
		r = find_name(s, in, &at.id, name, &at, e);
		if (r <= 0)
			return r;
	}
	*out = at;
	return 1;
}

struct walk {
	struct store *s;
	struct ingest *in;
	bool deep, folders;
	struct str after;
	tree_cb cb;
	void *ptr;
	char path[NAME_MAX_PATH + 1];
};

/* 0 go on, 1 stopped, -1. `base` is the length of the folder's path in w->path, with its '/'. */
static int walk_page(struct walk *w, const struct sha *id, int level, size_t base, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct page p;
	size_t i;
	int r;

	if (tree_page_read(w->s, w->in, id, level, a, &p, e))
		return -1;
	i = w->after.p ? tree_page_seek(&p, w->after) : 0;
	for (; i < p.n; i++) {
		const struct entry *t = &p.items[i].entry;
		size_t n = base + t->name.n;
		if (p.level) {
			r = walk_page(w, &t->id, p.level - 1, base, e);
			if (r)
				return r;
			continue;
		}
		if (w->after.p && str_eq(t->name, w->after))
			continue;
		if (n > NAME_MAX_PATH)
			return err_set(e, ERR_LIMIT, "the path %.*s... is longer than %d bytes", (int)MIN(base, 200u),
				       w->path, NAME_MAX_PATH);
		memcpy(w->path + base, t->name.p, t->name.n);
		w->path[n] = 0;
		if (!w->deep || w->folders || t->kind == ENTRY_FILE) {
			r = w->cb(w->ptr, (struct str){w->path, n}, t, e);
			if (r)
				return r;
		}
		if (w->deep && t->kind == ENTRY_FOLDER) {
			w->path[n] = '/';
			r = walk_page(w, &t->id, -1, n + 1, e);
			if (r)
				return r;
		}
	}
	return 0;
}

int tree_list(struct store *s, struct ingest *in, const struct sha *folder, struct str after, tree_cb cb, void *ptr,
              struct err *e)
{
	struct walk w = {.s = s, .in = in, .after = after, .cb = cb, .ptr = ptr};

	return walk_page(&w, folder, -1, 0, e) < 0 ? -1 : 0;
}

int tree_walk(struct store *s, struct ingest *in, const struct sha *root, bool folders, tree_cb cb, void *ptr,
              struct err *e)
{
	struct walk w = {.s = s, .in = in, .deep = true, .folders = folders, .cb = cb, .ptr = ptr};

	return walk_page(&w, root, -1, 0, e) < 0 ? -1 : 0;
}
