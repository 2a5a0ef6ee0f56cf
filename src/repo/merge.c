#include "repo/merge.h"

#include "base/map.h"
#include "base/str.h"

/* What one side made of a thing. */
struct change {
	struct str path;
	bool there;                /* it has it; else it took it away */
	bool above;                /* no change itself: a folder that holds something which that side put */
	struct entry entry;        /* if it is there */
	struct sha was;            /* what the base has, of a partition; the empty tree's */
};

struct side {
	struct arena *a;
	struct map at;                /* by path, with the folders above what was put */
	VEC(struct change *) changes; /* without those */
	bool parts;
	bool only_added;
};

struct merging {
	struct store *s;
	struct ingest *in;
	struct arena *a;
	const struct merge_ask *ask;
	struct side tree, onto;
	struct map puts;              /* paths that `tree` put */
	VEC(struct tree_edit) edits;
	VEC(struct str) conflicts;
	size_t kept;
};

static bool is_part(struct str path, const struct entry *entry)
{
	return entry->kind == ENTRY_FOLDER && str_has_prefix(path, STR("ds=")) && !memchr(path.p, '/', path.n);
}

static int on_change(void *ptr, enum diff_kind kind, struct str path, const struct entry *old_entry,
                     const struct entry *new_entry, struct err *e)
{
	struct side *side = ptr;
	bool part = side->parts && is_part(path, old_entry ? old_entry : new_entry);
	struct change *c;

	(void)e;
	if (!part && (old_entry ? old_entry : new_entry)->kind == ENTRY_FOLDER)
		return 0;
	c = arena_new_of(side->a, struct change);
	*c = (struct change){.path = arena_str(side->a, path), .there = kind != DIFF_REMOVED};
	c->was = old_entry ? old_entry->id : tree_empty_id();
	if (new_entry)
		c->entry = *new_entry;
	side->only_added = side->only_added && kind == DIFF_ADDED;
	map_set(&side->at, c->path, c);
	vec_push(side->a, &side->changes, c);
	return part ? TREE_SKIP : 0;
}

static void mark_above(struct side *side, struct str path)
{
	for (size_t i = path.n; i-- > 0;) {
		struct str folder = {path.p, i};
		struct change *c;

		if (path.p[i] != '/')
			continue;
		if (map_has(&side->at, folder))
			return;
		c = arena_new_of(side->a, struct change);
		*c = (struct change){.path = folder, .above = true};
		map_set(&side->at, folder, c);
	}
}

static int read_side(struct merging *m, struct side *side, const struct sha *to, bool parts, struct err *e)
{
	*side = (struct side){.a = m->a, .parts = parts, .only_added = true};
	map_init(&side->at, m->a);
	if (tree_diff(m->s, &m->ask->base, to, parts, on_change, side, e))
		return -1;
	for (size_t i = 0; i < side->changes.n; i++)
		if (side->changes.p[i]->there)
			mark_above(side, side->changes.p[i]->path);
	return 0;
}

static int read_sides(struct merging *m, struct err *e)
{
	const struct merge_ask *ask = m->ask;

	if (read_side(m, &m->tree, &ask->tree, ask->parts, e) || read_side(m, &m->onto, &ask->onto, ask->parts, e))
		return -1;
	map_init(&m->puts, m->a);
	for (size_t i = 0; i < m->tree.changes.n; i++)
		if (m->tree.changes.p[i]->there)
			map_set(&m->puts, m->tree.changes.p[i]->path, m);
	return 0;
}

/* A file of theirs where we have a folder, or the other way round. */
static bool kinds_clash(const struct merging *m, const struct change *c)
{
	const struct change *o = map_get(&m->onto.at, c->path);

	if (!c->there)
		return false;
	if (o && o->above)
		return true;
	for (size_t i = c->path.n; i-- > 0;) {
		if (c->path.p[i] != '/')
			continue;
		o = map_get(&m->onto.at, (struct str){c->path.p, i});
		if (o && o->there && o->entry.kind == ENTRY_FILE)
			return true;
	}
	return false;
}

enum how { HOW_PUT, HOW_SAME, HOW_CONFLICT };

static enum how how(const struct merging *m, const struct change *c)
{
	const struct change *o = map_get(&m->onto.at, c->path);

	if (kinds_clash(m, c))
		return HOW_CONFLICT;
	if (!o || o->above)
		return HOW_PUT;
	if (c->there != o->there)
		return HOW_CONFLICT;
	return !c->there || (c->entry.kind == o->entry.kind && sha_eq(&c->entry.id, &o->entry.id)) ? HOW_SAME
	                                                                                            : HOW_CONFLICT;
}

static int lay(struct merging *m, struct entry *root, struct err *e);

/* Two states of a partition to which both sides only added: 1 and *out holds the files of both; 0 they differ; -1. */
static int unite(struct merging *m, const struct change *c, struct entry *out, struct err *e)
{
	const struct change *o = map_get(&m->onto.at, c->path);
	struct merge_ask ask = {.base = c->was};
	struct merging inner = {.s = m->s, .in = m->in, .a = m->a, .ask = &ask};

	if (!m->ask->unite || !c->there || !o || !o->there || c->entry.kind != ENTRY_FOLDER ||
	    o->entry.kind != ENTRY_FOLDER)
		return 0;
	ask.tree = c->entry.id;
	ask.onto = o->entry.id;
	if (read_sides(&inner, e))
		return -1;
	if (!inner.tree.only_added || !inner.onto.only_added)
		return 0;
	for (size_t i = 0; i < inner.tree.changes.n; i++)
		if (how(&inner, inner.tree.changes.p[i]) == HOW_CONFLICT)
			return 0;
	return lay(&inner, out, e) ? -1 : 1;
}

static void add_edit(struct merging *m, const struct change *c)
{
	struct tree_edit ed = {.op = c->there ? EDIT_PUT : EDIT_REMOVE, .path = c->path, .entry = c->entry};

	vec_push(m->a, &m->edits, ed);
}

/* What `onto` has where a thing of `tree` must go, of another kind, is removed first. */
static void make_way(struct merging *m)
{
	for (size_t k = 0; k < m->onto.changes.n; k++) {
		const struct change *o = m->onto.changes.p[k], *c = map_get(&m->tree.at, o->path);
		struct tree_edit ed = {.op = EDIT_REMOVE, .path = o->path};
		bool way = o->there && c && (c->above || (c->there && c->entry.kind != o->entry.kind));

		for (size_t i = o->path.n; o->there && !way && i-- > 0;) {
			ed.path.n = i; /* the folder that a file replaces goes as a whole */
			way = o->path.p[i] == '/' && map_has(&m->puts, ed.path);
		}
		if (way)
			vec_push(m->a, &m->edits, ed);
	}
}

/* The edits that lay the changes of `tree` over `onto`, and then the tree that they make. */
static int lay(struct merging *m, struct entry *root, struct err *e)
{
	if (m->ask->take == MERGE_TREE)
		make_way(m);
	for (size_t i = 0; i < m->tree.changes.n; i++) {
		struct change *c = m->tree.changes.p[i];
		struct change both = *c;
		enum how h = how(m, c);
		int r = h == HOW_CONFLICT ? unite(m, c, &both.entry, e) : 0;

		if (r < 0)
			return -1;
		if (r || h == HOW_PUT || (h == HOW_CONFLICT && m->ask->take == MERGE_TREE)) {
			both.entry.kind = c->entry.kind;
			add_edit(m, &both);
		} else if (h == HOW_CONFLICT && m->ask->take == MERGE_NEITHER) {
			vec_push(m->a, &m->conflicts, c->path);
		} else if (h == HOW_CONFLICT) {
			m->kept++;
		}
	}
	if (m->conflicts.n)
		return 0;
	return tree_apply(m->s, m->in, &m->ask->onto, m->edits.p, m->edits.n, root, e);
}

static int merge_whole(struct merging *m, struct merge *out)
{
	struct str *all = arena_new_of(m->a, struct str);

	*all = STR("");
	if (m->ask->take == MERGE_NEITHER)
		*out = (struct merge){.conflicts = all, .n_conflicts = 1};
	else if (m->ask->take == MERGE_TREE)
		*out = (struct merge){.root = m->ask->tree, .taken = 1};
	else
		*out = (struct merge){.root = m->ask->onto, .kept = 1};
	return 0;
}

int merge_trees(struct store *s, struct ingest *in, struct arena *a, const struct merge_ask *ask, struct merge *out,
                struct err *e)
{
	struct merging m = {.s = s, .in = in, .a = a, .ask = ask};
	struct entry root;

	if (sha_eq(&ask->base, &ask->onto) || sha_eq(&ask->tree, &ask->onto) || sha_eq(&ask->base, &ask->tree)) {
		*out = (struct merge){.root = sha_eq(&ask->base, &ask->tree) ? ask->onto : ask->tree};
		return 0;
	}
	if (ask->whole)
		return merge_whole(&m, out);
	if (read_sides(&m, e) || lay(&m, &root, e))
		return -1;
	*out = (struct merge){.conflicts = m.conflicts.p, .n_conflicts = m.conflicts.n, .kept = m.kept};
	if (!m.conflicts.n) {
		out->root = root.id;
		out->taken = m.edits.n;
	}
	return 0;
}

static int count_one(void *ptr, enum diff_kind kind, struct str path, const struct entry *old_entry,
                     const struct entry *new_entry, struct err *e)
{
	const struct entry *entry = new_entry ? new_entry : old_entry;
	bool part = is_part(path, entry);

	(void)kind;
	(void)e;
	*(size_t *)ptr += part || entry->kind == ENTRY_FILE;
	return part ? TREE_SKIP : 0;
}

int merge_count(struct store *s, const struct sha *base, const struct sha *tree, size_t *out, struct err *e)
{
	*out = 0;
	return tree_diff(s, base, tree, true, count_one, out, e);
}
