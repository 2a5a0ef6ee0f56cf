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

int tree_nth(struct store *s, struct arena *arena, const struct sha *root, int64_t rank, struct str *path,
             struct entry *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf name = BUF_INIT(NAME_MAX_PATH);
	struct sha id = *root;
	int level = -1, found = 0;

	while (!found) {
		struct page p;
		size_t i = 0;
		if (tree_page_read(s, NULL, &id, level, a, &p, e)) {
			found = -1;
			break;
		}
		while (i < p.n && rank >= p.items[i].entry.files)
			rank -= p.items[i++].entry.files;
		if (i == p.n)
			break;
		id = p.items[i].entry.id;
		level = p.level ? p.level - 1 : -1;
		if (p.level)
			continue;
		if (name.n)
			buf_addc(&name, '/');
		buf_addstr(&name, p.items[i].entry.name);
		if (p.items[i].entry.kind == ENTRY_FILE) {
			*out = p.items[i].entry;
			*path = arena_str(arena, buf_str(&name));
			out->name = STR_NULL;
			found = 1;
		}
	}
	buf_free(&name);
	return found;
}

struct walk {
	struct store *s;
	struct ingest *in;
	bool deep, folders;
	struct str after;
	const struct glob *glob; /* NULL: everything */
	tree_cb cb;
	void *ptr;
	char path[NAME_MAX_PATH + 1];
	/* of the pages on the way to where it is, one each, used again for the next page as deep */
	struct arena *own;
	VEC(struct arena *) pages;
	size_t depth;
};

/* A folder that is being walked. */
struct walk_folder {
	size_t base; /* length of its path in w->path, with its '/' */
	struct glob_at at;
	struct str begin; /* what all names that are asked for begin with; STR_NULL: any name */
	bool whole;       /* and that is all of it */
};

enum { WALK_STOPPED = 1, WALK_PAST = 2 /* no more of this folder is asked for */ };

static int walk_page(struct walk *w, const struct sha *id, int level, struct walk_folder *f, struct err *e);

static int walk_folder(struct walk *w, const struct sha *id, size_t base, const struct glob_at *at, struct err *e)
{
	struct walk_folder f = {.base = base, .begin = w->after};
	char begin[TREE_PAGE_MAX_NAME];
	int r;

	if (w->glob) {
		f.at = *at;
		f.begin = (struct str){begin, glob_names_begin(w->glob, at, base, begin, sizeof(begin), &f.whole)};
	}
	r = walk_page(w, id, -1, &f, e);
	return r == WALK_PAST ? 0 : r;
}

/* One entry, its path of n bytes in w->path. */
static int walk_entry(struct walk *w, const struct entry *t, size_t n, struct walk_folder *f, struct err *e)
{
	struct glob_at below = {0};
	struct str path = {w->path, n};
	bool folder = t->kind == ENTRY_FOLDER, into = w->deep && folder;

	if ((!folder || w->folders || !w->deep) && (!w->glob || glob_here(w->glob, &f->at, path, f->base))) {
		int r = w->cb(w->ptr, path, t, e);
		if (r == TREE_SKIP)
			into = false;
		else if (r)
			return r < 0 ? -1 : WALK_STOPPED;
	}
	if (!into || (w->glob && !glob_into(w->glob, &f->at, path, f->base, &below)))
		return 0;
	w->path[n] = '/';
	return walk_folder(w, &t->id, n + 1, &below, e);
}

/* 0 go on, WALK_…, -1. */
static int walk_items(struct walk *w, struct arena *a, const struct sha *id, int level, struct walk_folder *f,
                      struct err *e)
{
	struct page p;
	int r = 0;

	if (tree_page_read(w->s, w->in, id, level, a, &p, e))
		return -1;
	for (size_t i = f->begin.n ? tree_page_seek(&p, f->begin) : 0; !r && i < p.n; i++) {
		const struct entry *t = &p.items[i].entry;
		size_t n = f->base + t->name.n;
		bool fits = !w->glob || str_has_prefix(t->name, f->begin);
		if (p.level) { /* its name is the last one below: what is wanted may end before it */
			r = walk_page(w, &t->id, p.level - 1, f, e);
			if (!r && !fits)
				r = WALK_PAST;
			continue;
		}
		if (w->after.p && str_eq(t->name, w->after))
			continue;
		if (!fits || (f->whole && t->name.n > f->begin.n))
			return WALK_PAST;
		if (n > NAME_MAX_PATH)
			return err_set(e, ERR_LIMIT, "the path %.*s... is longer than %d bytes",
			               (int)MIN(f->base, 200u), w->path, NAME_MAX_PATH);
		memcpy(w->path + f->base, t->name.p, t->name.n);
		w->path[n] = 0;
		r = walk_entry(w, t, n, f, e);
	}
	return r;
}

static int walk_page(struct walk *w, const struct sha *id, int level, struct walk_folder *f, struct err *e)
{
	int r;

	if (w->depth == w->pages.n)
		vec_push(w->own, &w->pages, arena_new());
	else
		arena_reset(w->pages.p[w->depth]);
	w->depth++;
	r = walk_items(w, w->pages.p[w->depth - 1], id, level, f, e);
	w->depth--;
	return r;
}

static int walk(struct walk *w, const struct sha *root, const struct glob_at *at, struct err *e)
{
	int r;

	w->own = arena_new();
	r = walk_folder(w, root, 0, at, e);
	for (size_t i = 0; i < w->pages.n; i++)
		arena_free(w->pages.p[i]);
	arena_free(w->own);
	return r < 0 ? -1 : 0;
}

int tree_list(struct store *s, struct ingest *in, const struct sha *folder, struct str after, tree_cb cb, void *ptr,
              struct err *e)
{
	struct walk w = {.s = s, .in = in, .after = after, .cb = cb, .ptr = ptr};

	return walk(&w, folder, NULL, e);
}

int tree_walk(struct store *s, struct ingest *in, const struct sha *root, bool folders, tree_cb cb, void *ptr,
              struct err *e)
{
	struct walk w = {.s = s, .in = in, .deep = true, .folders = folders, .cb = cb, .ptr = ptr};

	return walk(&w, root, NULL, e);
}

int tree_glob(struct store *s, const struct sha *root, const struct glob *g, tree_cb cb, void *ptr, struct err *e)
{
	struct walk w = {.s = s, .deep = true, .folders = true, .glob = g, .cb = cb, .ptr = ptr};
	struct glob_at at = glob_root(g);

	return walk(&w, root, &at, e);
}
