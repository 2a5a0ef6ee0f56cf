/*
 * Two folders are read side by side. A cursor stands on an entry, or on a page not yet opened; where both stand on the
 * same page, or the same folder, neither opens it, so that the cost is that of what differs.
 */
#include "base/name.h"
#include "base/str.h"
#include "repo/tree_page.h"

struct cursor {
	struct arena *a;
	struct sha root;
	struct {
		struct page page;
		size_t at;
	} up[TREE_PAGE_MAX_LEVEL + 2];
	int depth; /* -1: stands on the unopened root */
	bool end;
};

struct diff {
	struct store *s;
	bool folders;
	diff_cb cb;
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
	c->up[c->depth].at++;
	settle(c);
}

static int open_page(struct store *s, struct cursor *c, struct err *e)
{
	int level = c->depth < 0 ? -1 : c->up[c->depth].page.level - 1;
	struct page p;

	if (tree_page_read(s, NULL, page_id(c), level, c->a, &p, e))
		return -1;
	c->depth++;
	c->up[c->depth].page = p;
	c->up[c->depth].at = 0;
	settle(c);
	return 0;
}

static int compare(struct diff *d, const struct sha *a, const struct sha *b, size_t base, struct err *e);

static int tell(struct diff *d, enum diff_kind kind, size_t n, const struct entry *old, const struct entry *new,
                struct err *e)
{
	const struct entry *t = old ? old : new;

	if (t->kind == ENTRY_FOLDER && !d->folders)
		return 0;
	return d->cb(d->ptr, kind, (struct str){d->path, n}, old, new, e);
}

/* One name that is on one side, or on both. 0 go on, 1 stop, -1. */
static int entry(struct diff *d, const struct entry *old, const struct entry *new, size_t base, struct err *e)
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
		r = entry(d, old, NULL, base, e);
		return r ? r : entry(d, NULL, new, base, e);
	}
	r = tell(d, !old ? DIFF_ADDED : !new ? DIFF_REMOVED : DIFF_CHANGED, n, old, new, e);
	if (r || (old ? old : new)->kind == ENTRY_FILE)
		return r;
	d->path[n] = '/';
	return compare(d, old ? &old->id : &none, new ? &new->id : &none, n + 1, e);
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
		r = entry(d, order <= 0 ? &here(x)->entry : NULL, order >= 0 ? &here(y)->entry : NULL, base, e);
		if (r)
			return r;
		if (order <= 0)
			step(x);
		if (order >= 0)
			step(y);
	}
	return 0;
}

static int compare(struct diff *d, const struct sha *a, const struct sha *b, size_t base, struct err *e)
{
	struct arena *arena cleanup(arena_cleanup) = arena_new();
	struct cursor *x, *y;

	if (sha_eq(a, b))
		return 0;
	x = arena_new_of(arena, struct cursor);
	y = arena_new_of(arena, struct cursor);
	*x = (struct cursor){.a = arena, .root = *a, .depth = -1};
	*y = (struct cursor){.a = arena, .root = *b, .depth = -1};
	return walk(d, x, y, base, e);
}

int tree_diff(struct store *s, const struct sha *a, const struct sha *b, bool folders, diff_cb cb, void *ptr,
              struct err *e)
{
	struct diff d = {.s = s, .folders = folders, .cb = cb, .ptr = ptr};

	return compare(&d, a, b, 0, e) < 0 ? -1 : 0;
}
