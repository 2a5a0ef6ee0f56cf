/*
 * Editing a folder costs the pages on the path. At each level of pages the same thing happens: a sorted list of
 * changes is laid over the sorted list of items, page by page. From the first touched page on, items are dealt out into
 * new pages by the same rule that made the old ones, until a new page ends exactly where an old one did: from there on
 * all old pages stand. Which pages went and which came are the changes of the level above.
 */
#include <stdlib.h>

#include "base/name.h"
#include "base/str.h"
#include "repo/ingest_session.h"
#include "repo/tree_page.h"

struct change {
	struct str name;
	bool put;
	struct item item;
};
struct changes {
	VEC(struct change) v;
};

/* Pages read lately: the root is looked at once for each thing that is asked of it. */
#define SEEN 4
struct seen {
	struct sha id;
	struct page page;
};

struct folder {
	struct store *s;
	struct ingest *in;
	struct arena *a;
	struct seen seen[SEEN];
	size_t n_seen;
};

static int read_page(struct folder *f, const struct sha *id, int level, struct page *out, struct err *e)
{
	struct seen *slot;

	for (size_t i = 0; i < MIN(f->n_seen, (size_t)SEEN); i++)
		if (sha_eq(&f->seen[i].id, id) && (level < 0 || f->seen[i].page.level == level)) {
			*out = f->seen[i].page;
			return 0;
		}
	slot = &f->seen[f->n_seen % SEEN];
	if (tree_page_read(f->s, f->in, id, level, f->a, out, e))
		return -1;
	*slot = (struct seen){*id, *out};
	f->n_seen++;
	return 0;
}

/* One level being rewritten. */
struct level {
	struct folder *f;
	const struct sha *root; /* of the old folder; NULL: there is none */
	int n, top;             /* this level; that of the old root */
	struct page old;        /* the page being laid under, */
	size_t at;              /* and how much of it has been taken */
	bool old_last;          /* nothing follows it */
	VEC(struct item) out;   /* the page being made */
	VEC(struct str) gone;   /* last names of pages that no longer stand */
	VEC(struct item) come;  /* pages made */
};

/*
 * The page of level l->n that holds `name`, or would: the last one if name is beyond all. after = true: the page that
 * begins right after `name`, which is the last name of one. 1, 0 = there is none, -1.
 */
static int load(struct level *l, struct str name, bool after, struct err *e)
{
	struct sha id;
	int level = -1;
	bool last = true;

	if (!l->root)
		return 0;
	id = *l->root;
	for (;;) {
		struct page p;
		size_t i;
		if (read_page(l->f, &id, level, &p, e))
			return -1;
		if (p.level == l->n) {
			if (after && (!p.n || str_cmp(p.items[p.n - 1].entry.name, name) <= 0))
				return 0;
			l->old = p;
			l->at = 0;
			l->old_last = last;
			if (p.n)
				vec_push(l->f->a, &l->gone, p.items[p.n - 1].entry.name);
			return 1;
		}
		if (p.level < l->n)
			BUG("a page of level %d where %d is sought", p.level, l->n);
		i = tree_page_seek(&p, name);
		if (after && i < p.n && str_eq(p.items[i].entry.name, name))
			i++;
		if (i == p.n) {
			if (after)
				return 0;
			i = p.n - 1;
		}
		last = last && i == p.n - 1;
		id = p.items[i].entry.id;
		level = p.level - 1;
	}
}

static void flush(struct level *l)
{
	struct item ref = {0};
	struct page p = {l->n, l->out.p, l->out.n};

	tree_page_sums(&p, &ref.entry, &ref.n);
	ref.entry.id = tree_page_made(l->f->s, l->f->in, l->n, l->out.p, l->out.n);
	ref.entry.name = l->out.p[l->out.n - 1].entry.name;
	vec_push(l->f->a, &l->come, ref);
	l->out.n = 0;
}

static void emit(struct level *l, const struct item *t)
{
	vec_push(l->f->a, &l->out, *t);
	if (tree_page_ends(l->n, t->entry.name, l->out.n))
		flush(l);
}

/* Lays sorted changes over level l->n; the pages that went and came are *up, sorted. */
static int rewrite(struct level *l, const struct changes *c, struct changes *up, struct err *e)
{
	size_t i = 0, g = 0, m = 0;
	bool under = false; /* an old page is loaded and not used up */

	while (i < c->v.n || under || l->out.n) {
		if (!under) {
			int r;
			if (l->out.n) /* the new page goes on past the old one's end */
				r = l->old_last || !l->old.n ? 0
							     : load(l, l->old.items[l->old.n - 1].entry.name, true, e);
			else if (l->old.n && l->old_last && i < c->v.n)
				r = 0; /* beyond the last old page, which is used up */
			else
				r = load(l, c->v.p[i].name, false, e);
			if (r < 0)
				return -1;
			under = r && l->old.n;
			if (!r && l->out.n && i == c->v.n) {
				flush(l);
				continue;
			}
		}
		if (under && (i == c->v.n || str_cmp(l->old.items[l->at].entry.name, c->v.p[i].name) < 0)) {
			/* a page that nothing touches any more would come out as it went in */
			emit(l, &l->old.items[l->at++]);
		} else if (i < c->v.n) {
			const struct change *ch = &c->v.p[i++];
			if (under && str_eq(l->old.items[l->at].entry.name, ch->name))
				l->at++;
			if (ch->put)
				emit(l, &ch->item);
		}
		if (under && l->at == l->old.n)
			under = false;
	}
	while (g < l->gone.n || m < l->come.n) {
		int order = g == l->gone.n   ? 1
		            : m == l->come.n ? -1
		                             : str_cmp(l->gone.p[g], l->come.p[m].entry.name);
		struct change ch = {0};
		if (order < 0) {
			ch.name = l->gone.p[g++];
		} else {
			ch = (struct change){l->come.p[m].entry.name, true, l->come.p[m]};
			m++;
			g += !order;
		}
		vec_push(l->f->a, &up->v, ch);
	}
	return 0;
}

/* A root page of references to one page only is no root: that page is. */
static int settle(struct folder *f, struct sha id, struct entry *out, struct err *e)
{
	int level = -1;

	for (;;) {
		struct page p;
		if (read_page(f, &id, level, &p, e))
			return -1;
		if (p.level && p.n == 1) {
			id = p.items[0].entry.id;
			level = p.level - 1;
			continue;
		}
		tree_page_sums(&p, out, NULL);
		out->id = id;
		return 0;
	}
}

/* Changes, sorted and unique by name, over one folder (root NULL: an empty one). */
static int edit_folder(struct folder *f, const struct sha *root, const struct changes *c, struct entry *out,
                       struct err *e)
{
	struct changes now = *c;
	int top = 0;

	if (root) {
		struct page p;
		if (read_page(f, root, -1, &p, e))
			return -1;
		top = p.level;
		if (!p.n)
			root = NULL;
	}
	for (int n = 0;; n++) {
		struct level l = {.f = f, .root = root && n <= top ? root : NULL, .n = n, .top = top};
		struct changes up = {0};
		size_t puts = 0, last = 0;
		if (n > TREE_PAGE_MAX_LEVEL)
			return err_set(e, ERR_LIMIT, "a folder has too many entries");
		if (rewrite(&l, &now, &up, e))
			return -1;
		for (size_t i = 0; i < up.v.n; i++) {
			if (up.v.p[i].put) {
				puts++;
				last = i;
			}
		}
		if (n >= top || !root) { /* no old pages stand above: what came is all there is */
			if (puts == 0) {
				out->id = tree_page_made(f->s, f->in, 0, NULL, 0);
				out->kind = ENTRY_FOLDER;
				out->size = out->files = 0;
				return 0;
			}
			if (puts == 1)
				return settle(f, up.v.p[last].item.entry.id, out, e);
		}
		now = up;
	}
}

/* Order of paths with '/' below every other byte, so that a folder stands right before what is in it. */
static int path_order(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);

	for (size_t i = 0; i < n; i++) {
		int x = a.p[i] == '/' ? -1 : (uint8_t)a.p[i], y = b.p[i] == '/' ? -1 : (uint8_t)b.p[i];
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

static int edit_order(const void *a, const void *b)
{
	const struct tree_edit *const *x = a, *const *y = b;
	int order = path_order((*x)->path, (*y)->path);

	return order ? order : *x < *y ? -1 : *x > *y; /* the later of two on one path wins */
}

static struct str first_segment(struct str path, struct str *rest)
{
	struct str head = path;

	*rest = STR_NULL;
	if (str_cut(path, '/', &head, rest))
		return head;
	return path;
}

static int refuse_file(struct str path, size_t upto, struct err *e)
{
	return err_set(e, ERR_REFUSED, "%.*s is a file, so nothing can lie in it", (int)upto, path.p);
}

static int apply(struct folder *f, const struct sha *base, const struct tree_edit **edits, size_t n, size_t skip,
                 struct entry *out, struct err *e);

/* What one name of a folder becomes. */
struct slot {
	struct str name;
	size_t end;             /* length of its path: where paths below it go on, after a '/' */
	struct entry old, made;
	bool had, have;         /* before, after */
	bool put_over;          /* something was put in the place of something */
};

/* Edits of what lies below the name. */
static int apply_below(struct folder *f, struct slot *t, const struct tree_edit **edits, size_t n, struct err *e)
{
	struct sha id = t->made.id, empty = tree_empty_id();
	bool puts = false;

	for (size_t i = 0; i < n; i++)
		puts |= edits[i]->op == EDIT_PUT;
	if (t->have && t->made.kind == ENTRY_FILE)
		return puts ? refuse_file(edits[0]->path, t->end, e) : 0;
	if (!t->have && !puts)
		return 0;
	if (apply(f, t->have ? &id : NULL, edits, n, t->end + 1, &t->made, e))
		return -1;
	/* a folder that removals left empty goes; one that was put empty stays */
	t->have = puts || !sha_eq(&t->made.id, &empty) || (t->have && sha_eq(&id, &empty));
	return 0;
}

/* The edits of one name: those on the name itself, then those below it. */
static int apply_name(struct folder *f, struct slot *t, const struct tree_edit **edits, size_t n, struct err *e)
{
	size_t i = 0;

	t->have = t->had;
	t->made = t->old;
	for (; i < n && edits[i]->path.n == t->end; i++) {
		bool put = edits[i]->op == EDIT_PUT;
		/* what was removed first may be of another kind */
		t->put_over = put && (t->put_over || t->have);
		t->have = put;
		if (put)
			t->made = edits[i]->entry;
	}
	if (i < n && apply_below(f, t, edits + i, n - i, e))
		return -1;
	if (t->put_over && t->have && t->had && t->old.kind != t->made.kind) {
		bool file = t->old.kind == ENTRY_FILE;
		err_set(e, ERR_REFUSED, "/%.*s is a %s: no %s can take its place", (int)t->end, edits[0]->path.p,
			file ? "file" : "folder", file ? "folder" : "file");
		return file ? err_hint(e, "leat rm takes the file away first")
			    : err_hint(e, "/%.*s/, with a slash, is in it; leat rm -r takes the folder away first",
				       (int)t->end, edits[0]->path.p);
	}
	return 0;
}

/* Edits [0, n), sorted, all below the folder `base` (NULL: not there), their paths counted from `skip`. */
static int apply(struct folder *f, const struct sha *base, const struct tree_edit **edits, size_t n, size_t skip,
                 struct entry *out, struct err *e)
{
	struct changes c = {0};

	for (size_t i = 0, next; i < n; i = next) {
		struct str rest;
		struct slot t = {.name = first_segment(str_sub(edits[i]->path, skip, SIZE_MAX), &rest)};
		struct change ch = {.name = t.name};
		for (next = i + 1; next < n; next++)
			if (!str_eq(first_segment(str_sub(edits[next]->path, skip, SIZE_MAX), &rest), t.name))
				break;
		t.end = skip + t.name.n;
		if (base) {
			int r = tree_find(f->s, f->in, base, t.name, &t.old, e);
			if (r < 0)
				return -1;
			t.had = r;
		}
		if (apply_name(f, &t, edits + i, next - i, e))
			return -1;
		if (t.have) {
			ch.put = true;
			ch.item = (struct item){t.made, 1};
			ch.item.entry.name = t.name;
		}
		if (t.have != t.had || (t.have && (!sha_eq(&t.old.id, &t.made.id) || t.old.kind != t.made.kind)))
			vec_push(f->a, &c.v, ch);
	}
	if (!c.v.n && base) /* nothing changes here */
		return tree_find(f->s, f->in, base, STR(""), out, e) < 0 ? -1 : 0;
	return edit_folder(f, base, &c, out, e);
}

int tree_apply(struct store *s, struct ingest *in, const struct sha *base, const struct tree_edit *edits, size_t n,
               struct entry *out_root, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct folder f = {.s = s, .in = in, .a = a};
	const struct tree_edit **sorted = arena_array(a, const struct tree_edit *, n);
	struct entry root = {.kind = ENTRY_FOLDER};

	if (ingest_applied(in, base, edits, n, out_root))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!edits[i].path.n)
			return err_set(e, ERR_REFUSED, "the root of a repo cannot be replaced by one entry");
		sorted[i] = &edits[i];
	}
	qsort(sorted, n, sizeof(*sorted), edit_order);
	if (apply(&f, base, sorted, n, 0, &root, e))
		return -1;
	root.name = STR("");
	root.kind = ENTRY_FOLDER;
	ingest_applied_set(in, base, edits, n, &root);
	*out_root = root;
	return 0;
}
