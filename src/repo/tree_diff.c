/*
 * Two folders are read side by side. A cursor stands on an entry, or on a page not yet opened; where both stand on the
 * same page, or the same folder, neither opens it, so that the cost is that of what differs.
 */
#include "base/name.h"
#include "base/str.h"
#include "repo/tree_page.h"

struct cursor {
	struct sha root;
	struct {
		struct arena *a; /* of this page; emptied for the next one of its level */
		struct page page;
		size_t at;
	} up[TREE_PAGE_MAX_LEVEL + 2];
	int depth; /* -1: stands on the unopened root */
	bool end;
	int64_t files; /* that it has passed, in the folders around it too */
};

struct diff {
	struct store *s;
	bool folders;
	diff_cb cb;
	tree_new_cb on_new; /* in place of cb: of b's files alone, with their rank */
	int64_t rank;       /* of the file that is told */
	void *ptr;
	char path[NAME_MAX_PATH + 1];
};

static const struct item *here(const struct cursor *c)
{
	return &c->up[c->depth].page.items[c->up[c->depth].at];
}

/* Level of the unopened page the cursor stands on; -1: it stands on an entry; INT8_MAX: on the root. */
static int page_level(const struct cursor *c)
{
	return c->depth < 0 ? INT8_MAX : c->up[c->depth].page.level - 1;
}

static const struct sha *page_id(const struct cursor *c)
{
	return c->depth < 0 ? &c->root : &here(c)->entry.id;
}

static void settle(struct cursor *c)
{
	while (c->depth >= 0 && c->up[c->depth].at == c->up[c->depth].page.n) {
		c->depth--;
		if (c->depth >= 0)
			c->up[c->depth].at++;
	}
	c->end = c->depth < 0;
}

static void step(struct cursor *c)
{
	if (c->depth < 0) {
		c->end = true;
		return;
	}
	c->files += here(c)->entry.files;
	c->up[c->depth].at++;
	settle(c);
}

static int open_page(struct store *s, struct cursor *c, struct err *e)
{
	int level = c->depth < 0 ? -1 : c->up[c->depth].page.level - 1;
	struct arena **a = &c->up[c->depth + 1].a;
	struct page p;

	if (*a)
		arena_reset(*a);
	else
		*a = arena_new();
	if (tree_page_read(s, NULL, page_id(c), level, *a, &p, e))
		return -1;
	c->depth++;
	c->up[c->depth].page = p;
	c->up[c->depth].at = 0;
	settle(c);
	return 0;
}

static int compare(struct diff *d, const struct sha *a, const struct sha *b, size_t base, int64_t rank, struct err *e);

static int tell(struct diff *d, enum diff_kind kind, size_t n, const struct entry *old, const struct entry *new,
                struct err *e)
{
	const struct entry *t = old ? old : new;

	if (t->kind == ENTRY_FOLDER && !d->folders)
		return 0;
	if (d->on_new)
		return new && (t->kind == ENTRY_FILE || !old) ? d->on_new(d->ptr, new, d->rank, e) : 0;
	return d->cb(d->ptr, kind, (struct str){d->path, n}, old, new, e);
}

/* One name that is on one side, or on both; rank: of its first file in b. 0 go on, 1 stop, -1. */
static int entry(struct diff *d, const struct entry *old, const struct entry *new, size_t base, int64_t rank,
                 struct err *e)
{
	struct str name = old ? old->name : new->name;
	size_t n = base + name.n;
	struct sha none = tree_empty_id();
	int r;

	if (n + 1 > NAME_MAX_PATH)
		return err_set(e, ERR_LIMIT, "a path is longer than %d bytes", NAME_MAX_PATH);
	memcpy(d->path + base, name.p, name.n);
	d->path[n] = 0;
	if (old && new && old->kind != new->kind) {
		r = entry(d, old, NULL, base, rank, e);
		return r ? r : entry(d, NULL, new, base, rank, e);
	}
	if (d->on_new && !new)
		return 0;
	d->rank = rank;
	r = tell(d, !old ? DIFF_ADDED : !new ? DIFF_REMOVED : DIFF_CHANGED, n, old, new, e);
	if (r || (old ? old : new)->kind == ENTRY_FILE)
		return r == TREE_SKIP ? 0 : r;
	d->path[n] = '/';
	return compare(d, old ? &old->id : &none, new ? &new->id : &none, n + 1, rank, e);
}

static int walk(struct diff *d, struct cursor *x, struct cursor *y, size_t base, struct err *e)
{
	while (!x->end || !y->end) {
		int lx = x->end ? -1 : page_level(x), ly = y->end ? -1 : page_level(y), order, r;
		if (lx >= 0 && lx == ly && sha_eq(page_id(x), page_id(y))) {
			step(x);
			step(y);
			continue;
		}
		if (lx >= 0 && lx >= ly) {
			if (open_page(d->s, x, e))
				return -1;
			if (ly != lx)
				continue;
		}
		if (ly >= 0) {
			if (open_page(d->s, y, e))
				return -1;
			continue;
		}
		order = x->end ? 1 : y->end ? -1 : str_cmp(here(x)->entry.name, here(y)->entry.name);
		if (!order && here(x)->entry.kind == here(y)->entry.kind &&
		    sha_eq(&here(x)->entry.id, &here(y)->entry.id)) {
			step(x);
			step(y);
			continue;
		}
		r = entry(d, order <= 0 ? &here(x)->entry : NULL, order >= 0 ? &here(y)->entry : NULL, base,
		          y->files, e);
		if (r)
			return r;
		if (order <= 0)
			step(x);
		if (order >= 0)
			step(y);
	}
	return 0;
}

static void cursor_end(struct cursor *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->up); i++)
		arena_free(c->up[i].a);
}

static int compare(struct diff *d, const struct sha *a, const struct sha *b, size_t base, int64_t rank, struct err *e)
{
	struct cursor x = {.root = *a, .depth = -1}, y = {.root = *b, .depth = -1, .files = rank};
	int r;

	if (sha_eq(a, b))
		return 0;
	r = walk(d, &x, &y, base, e);
	cursor_end(&x);
	cursor_end(&y);
	return r;
}

int tree_diff(struct store *s, const struct sha *a, const struct sha *b, bool folders, diff_cb cb, void *ptr,
              struct err *e)
{
	struct diff d = {.s = s, .folders = folders, .cb = cb, .ptr = ptr};

	return compare(&d, a, b, 0, 0, e) < 0 ? -1 : 0;
}

int tree_news(struct store *s, const struct sha *a, const struct sha *b, tree_new_cb cb, void *ptr, struct err *e)
{
	struct diff d = {.s = s, .folders = true, .on_new = cb, .ptr = ptr};

	return compare(&d, a, b, 0, 0, e) < 0 ? -1 : 0;
}

/* One of two folders on the way down to a name. */
struct side {
	struct sha id;
	int level;        /* of that page; -1: the root of the folder, not read yet */
	bool gone;        /* the name is not below it */
	struct page page; /* read */
};

static int read_side(struct store *s, struct side *t, struct arena *a, struct err *e)
{
	if (tree_page_read(s, NULL, &t->id, t->level, a, &t->page, e))
		return -1;
	t->level = t->page.level;
	return 0;
}

/* To the page below that holds the name, or would. */
static int down(struct store *s, struct side *t, struct str name, struct arena *a, struct err *e)
{
	size_t i = tree_page_seek(&t->page, name);

	t->gone = i == t->page.n;
	if (t->gone)
		return 0;
	t->id = t->page.items[i].entry.id;
	t->level--;
	return read_side(s, t, a, e);
}

static bool entry_of(const struct side *t, struct str name, struct entry *out)
{
	size_t i = t->gone ? t->page.n : tree_page_seek(&t->page, name);

	if (i == t->page.n || !str_eq(t->page.items[i].entry.name, name))
		return false;
	*out = t->page.items[i].entry;
	out->name = name;
	return true;
}

/* One name in two folders. */
static int compare_name(struct store *s, const struct sha *a, const struct sha *b, struct str name, struct entry *was,
                        struct entry *is, struct err *e)
{
	struct arena *arena cleanup(arena_cleanup) = arena_new();
	struct side x = {.id = *a, .level = -1}, y = {.id = *b, .level = -1};
	struct entry old, new;
	bool had, has;

	if (sha_eq(a, b))
		return TREE_SAME;
	if (read_side(s, &x, arena, e) || read_side(s, &y, arena, e))
		return -1;
	while ((x.level && !x.gone) || (y.level && !y.gone)) {
		int lx = x.gone ? 0 : x.level, ly = y.gone ? 0 : y.level;
		if (lx >= ly && down(s, &x, name, arena, e))
			return -1;
		if (ly >= lx && down(s, &y, name, arena, e))
			return -1;
		if (!x.gone && !y.gone && sha_eq(&x.id, &y.id))
			return TREE_SAME;
	}
	had = entry_of(&x, name, &old);
	has = entry_of(&y, name, &new);
	if (had == has && (!had || (old.kind == new.kind && sha_eq(&old.id, &new.id))))
		return TREE_SAME;
	if (had)
		*was = old;
	if (has)
		*is = new;
	return had && has ? TREE_CHANGED : has ? TREE_ADDED : TREE_GONE;
}

int tree_compare(struct store *s, const struct sha *a, const struct sha *b, struct str path, struct entry *was,
                 struct entry *is, struct err *e)
{
	struct entry old = {.kind = ENTRY_FOLDER, .id = *a}, new = {.kind = ENTRY_FOLDER, .id = *b};
	struct sha none = tree_empty_id();
	struct str rest = path, name;
	int r = sha_eq(a, b) ? TREE_SAME : TREE_CHANGED;

	while (rest.n && r != TREE_SAME) {
		struct sha x = r != TREE_ADDED && old.kind == ENTRY_FOLDER ? old.id : none;
		struct sha y = r != TREE_GONE && new.kind == ENTRY_FOLDER ? new.id : none;
		if (!str_cut(rest, '/', &name, &rest)) {
			name = rest;
			rest = STR_NULL;
		}
		r = compare_name(s, &x, &y, name, &old, &new, e);
		if (r < 0)
			return -1;
	}
	if (r == TREE_GONE || r == TREE_CHANGED)
		*was = old;
	if (r == TREE_ADDED || r == TREE_CHANGED)
		*is = new;
	return r;
}
