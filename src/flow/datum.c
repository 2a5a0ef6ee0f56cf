#include "flow/datum.h"

#include <stdlib.h>

#include "base/str.h"

/* 0 go on, 1 stop, -1: as all that returns through here. */
typedef int (*parts_cb)(void *ptr, const struct datum_part *parts, size_t n, struct err *e);

struct leaf {
	struct glob *glob; /* NULL until it is needed */
	size_t groups;
	bool root; /* it is "/" */
};

struct each {
	const struct job *j;
	struct store *s;
	struct arena *a;
	const struct sha *trees;
	const struct str *under;
	struct str ds;
	struct sha beside;
	struct leaf *leaves;
	size_t held;
	struct map seen; /* ids told so far, if the same one can come twice */
	bool twice;
	datum_cb cb;
	void *ptr;
};

static bool is_leaf(const struct input_node *n)
{
	return n->kind == INPUT_PFS || n->kind == INPUT_CRON;
}

/* ---- one leaf ---- */

static int leaf_glob(struct each *x, size_t i, struct leaf **out, struct err *e)
{
	struct leaf *l = &x->leaves[i];

	if (!l->glob && glob_compile_groups(x->a, x->j->inputs[i].glob, &l->glob, e))
		return job_at(e, x->j, x->j->inputs[i].line, x->j->inputs[i].col);
	l->groups = glob_groups(l->glob);
	l->root = str_is(x->j->inputs[i].glob, "/"); /* no other pattern means the repo as a whole */
	*out = l;
	return 0;
}

struct pfs {
	struct each *x;
	size_t leaf;
	const struct leaf *l;
	struct arena *scratch; /* of one part */
	parts_cb cb;
	void *ptr;
	bool stopped;
};

static int make_part(const struct pfs *p, struct str path, const struct entry *entry, struct datum_part *out,
                     struct err *e)
{
	const struct job_input *in = &p->x->j->inputs[p->leaf];
	struct str groups[INPUT_MAX_GROUPS];

	*out = (struct datum_part){.leaf = p->leaf, .path = path, .entry = *entry};
	if (p->x->under)
		out->under = p->x->under[p->leaf];
	if (!in->join_on.p && !in->group_by.p)
		return 0;
	arena_reset(p->scratch);
	if (!glob_capture(p->l->glob, path, groups))
		BUG("a path that matched matches no more");
	if (in->join_on.p && input_expand(p->scratch, in->join_on, groups, p->l->groups, &out->join, e))
		return -1;
	return in->group_by.p ? input_expand(p->scratch, in->group_by, groups, p->l->groups, &out->group, e) : 0;
}

static int pfs_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct pfs *p = ptr;
	struct datum_part part;
	int r;

	if (make_part(p, path, entry, &part, e))
		return -1;
	r = p->cb(p->ptr, &part, 1, e);
	p->stopped = r == 1;
	return r;
}

/* The root as one thing, for "/": 1 there, 0 empty. */
static int root_entry(struct each *x, const struct sha *tree, struct entry *out, struct err *e)
{
	struct sha none = tree_empty_id();
	int r;

	if (sha_is_zero(tree) || sha_eq(tree, &none))
		return 0;
	r = tree_find(x->s, NULL, tree, STR(""), out, e);
	return r;
}

static int each_pfs(struct each *x, const struct input_node *n, parts_cb cb, void *ptr, struct err *e)
{
	struct arena *scratch cleanup(arena_cleanup) = arena_new();
	struct pfs p = {.x = x, .leaf = n->leaf, .scratch = scratch, .cb = cb, .ptr = ptr};
	struct leaf *l;
	struct entry root;
	int r;

	if (sha_is_zero(&x->trees[n->leaf]))
		return 0;
	if (leaf_glob(x, n->leaf, &l, e))
		return -1;
	p.l = l;
	if (l->root) {
		r = root_entry(x, &x->trees[n->leaf], &root, e);
		if (r > 0)
			r = pfs_entry(&p, STR(""), &root, e);
		if (r)
			return r;
	}
	if (tree_glob(x->s, &x->trees[n->leaf], l->glob, pfs_entry, &p, e))
		return -1;
	return p.stopped;
}

static int each_node(struct each *x, const struct input_node *n, parts_cb cb, void *ptr, struct err *e);

/* ---- what is kept ---- */

struct tuple {
	struct datum_part *parts;
	size_t n;
	struct str key;
	size_t kid, seq;
};

struct held {
	struct each *x;
	bool by_join, by_group; /* what its key is */
	size_t kid;
	VEC(struct tuple) tuples;
};

static struct datum_part part_copy(struct arena *a, const struct datum_part *from)
{
	struct datum_part p = *from;
	size_t name = p.entry.name.n;

	p.path = arena_str(a, p.path);
	if (p.under.p)
		p.under = arena_str(a, p.under);
	p.entry.name = name && name <= p.path.n ? str_sub(p.path, p.path.n - name, name) : STR("");
	if (p.join.p)
		p.join = arena_str(a, p.join);
	if (p.group.p)
		p.group = arena_str(a, p.group);
	return p;
}

static struct str key_of(struct arena *a, const struct datum_part *parts, size_t n, bool join)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SIZE_MAX);
	struct str only = STR_NULL;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct str k = join ? parts[i].join : parts[i].group;

		if (!k.p)
			continue;
		only = k;
		if (found++)
			buf_addstr(&b, k);
		else
			buf_addstr(&b, only);
	}
	return found == 1 ? only : arena_str(a, buf_str(&b));
}

static int hold(void *ptr, const struct datum_part *parts, size_t n, struct err *e)
{
	struct held *h = ptr;
	struct arena *a = h->x->a;
	struct tuple t = {.n = n, .kid = h->kid, .seq = h->tuples.n};

	h->x->held += n;
	if (h->x->held > DATUM_MAX_HELD)
		return err_set(e, ERR_LIMIT, "the inputs of job %.*s give more than %d files to combine",
		               STR_ARG(h->x->j->name), DATUM_MAX_HELD);
	t.parts = arena_array(a, struct datum_part, n);
	for (size_t i = 0; i < n; i++)
		t.parts[i] = part_copy(a, &parts[i]);
	if (h->by_join || h->by_group)
		t.key = key_of(a, t.parts, n, h->by_join);
	vec_push(a, &h->tuples, t);
	return 0;
}

/* ---- cross ---- */

struct product {
	const struct tuple **lists; /* one per factor */
	size_t *counts;
	size_t n;
	struct datum_part *parts;
	parts_cb cb;
	void *ptr;
};

static int multiply(struct product *p, size_t factor, size_t n_parts, struct err *e)
{
	int r = 0;

	if (factor == p->n)
		return p->cb(p->ptr, p->parts, n_parts, e);
	for (size_t i = 0; i < p->counts[factor] && !r; i++) {
		const struct tuple *t = &p->lists[factor][i];

		memcpy(p->parts + n_parts, t->parts, t->n * sizeof(*t->parts));
		r = multiply(p, factor + 1, n_parts + t->n, e);
	}
	return r;
}

static size_t most_parts(const struct tuple *list, size_t n)
{
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		most = MAX(most, list[i].n);
	return most;
}

struct cross {
	struct product p;
	struct arena *a;
	size_t others; /* parts of all but the streamed factor, at most */
	size_t at;     /* which factor that is */
	struct tuple now;
};

static int cross_one(void *ptr, const struct datum_part *parts, size_t n, struct err *e)
{
	struct cross *c = ptr;

	arena_reset(c->a);
	c->now = (struct tuple){.parts = (struct datum_part *)parts, .n = n};
	c->p.lists[c->at] = &c->now;
	c->p.counts[c->at] = 1;
	c->p.parts = arena_array(c->a, struct datum_part, c->others + n);
	return multiply(&c->p, 0, 0, e);
}

/* All kids but the streamed one are held. 0 with c->p.n 0: one of them is empty. */
static int cross_hold(struct each *x, const struct input_node *n, size_t at, struct cross *c, struct err *e)
{
	c->at = at;
	c->p.n = n->n;
	c->p.lists = arena_array(x->a, const struct tuple *, n->n);
	c->p.counts = arena_array(x->a, size_t, n->n);
	for (size_t i = 0; i < n->n; i++) {
		struct held h = {.x = x, .kid = i};

		if (i == at)
			continue;
		if (each_node(x, n->kids[i], hold, &h, e) < 0)
			return -1;
		if (!h.tuples.n)
			c->p.n = 0;
		if (!h.tuples.n)
			return 0;
		c->p.lists[i] = h.tuples.p;
		c->p.counts[i] = h.tuples.n;
		c->others += most_parts(h.tuples.p, h.tuples.n);
	}
	return 0;
}

static int each_cross(struct each *x, const struct input_node *n, parts_cb cb, void *ptr, struct err *e)
{
	struct arena *scratch cleanup(arena_cleanup) = arena_new();
	struct cross c = {.a = scratch, .p = {.cb = cb, .ptr = ptr}};

	if (cross_hold(x, n, 0, &c, e))
		return -1;
	return c.p.n ? each_node(x, n->kids[0], cross_one, &c, e) : 0;
}

/* ---- join and group ---- */

static int by_key(const void *a, const void *b)
{
	const struct tuple *x = a, *y = b;
	int r = str_cmp(x->key, y->key);

	if (r)
		return r;
	return x->kid != y->kid ? (x->kid < y->kid ? -1 : 1) : x->seq < y->seq ? -1 : x->seq > y->seq;
}

static bool outer_below(const struct job *j, const struct input_node *n)
{
	if (is_leaf(n))
		return j->inputs[n->leaf].outer;
	for (size_t i = 0; i < n->n; i++)
		if (outer_below(j, n->kids[i]))
			return true;
	return false;
}

/* The tuples of one key, by kid: all combinations; where a kid has none, of the outer ones alone. */
static int join_key(struct each *x, const struct input_node *n, const struct tuple *t, size_t n_t, parts_cb cb,
                    void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct product p = {.cb = cb,
	                    .ptr = ptr,
	                    .lists = arena_array(a, const struct tuple *, n->n),
	                    .counts = arena_array(a, size_t, n->n)};
	size_t kids = 0, most = 0;

	for (size_t i = 0; i < n_t; i++)
		kids += !i || t[i].kid != t[i - 1].kid;
	for (size_t i = 0, to; i < n_t; i = to) {
		for (to = i; to < n_t && t[to].kid == t[i].kid; to++)
			;
		if (kids < n->n && !outer_below(x->j, n->kids[t[i].kid]))
			continue;
		p.lists[p.n] = &t[i];
		p.counts[p.n++] = to - i;
		most += most_parts(&t[i], to - i);
	}
	p.parts = arena_array(a, struct datum_part, most);
	return p.n ? multiply(&p, 0, 0, e) : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct datum_part *x = a, *y = b;

	if (x->leaf != y->leaf)
		return x->leaf < y->leaf ? -1 : 1;
	return str_cmp(x->path, y->path);
}

/* All that has the key, each file once. */
static int group_key(const struct tuple *t, size_t n_t, parts_cb cb, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct datum_part *all;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < n_t; i++)
		n += t[i].n;
	all = arena_array(a, struct datum_part, n);
	n = 0;
	for (size_t i = 0; i < n_t; i++) {
		memcpy(all + n, t[i].parts, t[i].n * sizeof(*all));
		n += t[i].n;
	}
	qsort(all, n, sizeof(*all), by_place);
	for (size_t i = 0; i < n; i++)
		if (!kept || by_place(&all[kept - 1], &all[i]))
			all[kept++] = all[i];
	return cb(ptr, all, kept, e);
}

static int each_keyed(struct each *x, const struct input_node *n, parts_cb cb, void *ptr, struct err *e)
{
	bool join = n->kind == INPUT_JOIN;
	struct held h = {.x = x, .by_join = join, .by_group = !join};
	int r = 0;

	for (size_t i = 0; i < n->n; i++) {
		h.kid = i;
		if (each_node(x, n->kids[i], hold, &h, e) < 0)
			return -1;
	}
	if (h.tuples.n)
		qsort(h.tuples.p, h.tuples.n, sizeof(*h.tuples.p), by_key);
	for (size_t i = 0, to; i < h.tuples.n && !r; i = to) {
		for (to = i; to < h.tuples.n && str_eq(h.tuples.p[to].key, h.tuples.p[i].key); to++)
			;
		r = join ? join_key(x, n, &h.tuples.p[i], to - i, cb, ptr, e)
		         : group_key(&h.tuples.p[i], to - i, cb, ptr, e);
	}
	return r;
}

/* ---- all ---- */

static int each_node(struct each *x, const struct input_node *n, parts_cb cb, void *ptr, struct err *e)
{
	int r = 0;

	switch (n->kind) {
	case INPUT_PFS:
	case INPUT_CRON:
		return each_pfs(x, n, cb, ptr, e);
	case INPUT_CROSS:
		return each_cross(x, n, cb, ptr, e);
	case INPUT_UNION:
		for (size_t i = 0; i < n->n && !r; i++)
			r = each_node(x, n->kids[i], cb, ptr, e);
		return r;
	case INPUT_JOIN:
	case INPUT_GROUP:
		return each_keyed(x, n, cb, ptr, e);
	}
	BUG("a kind of input");
}

static void datum_make(const struct each *x, const struct datum_part *parts, size_t n, struct datum *out)
{
	const struct job *j = x->j;
	struct sha_ctx c;

	sha_init(&c);
	sha_field(&c, STR("leat datum 1"));
	if (x->ds.p)
		sha_field(&c, x->ds);
	for (size_t i = 0; i < n; i++) {
		const struct job_input *in = &j->inputs[parts[i].leaf];
		struct str rev = input_rev(in);

		sha_field(&c, in->name);
		sha_field(&c, in->repo);
		sha_field(&c, rev.p ? rev : STR(""));
		sha_field(&c, parts[i].path);
	}
	*out = (struct datum){.id = sha_end(&c), .ds = x->ds, .beside = x->beside, .parts = (struct datum_part *)parts,
	                      .n = n};
}

static int tell(void *ptr, const struct datum_part *parts, size_t n, struct err *e)
{
	struct each *x = ptr;
	struct datum d;

	datum_make(x, parts, n, &d);
	if (x->twice) {
		struct str id = {(const char *)d.id.b, SHA_BYTES};

		if (map_has(&x->seen, id))
			return 0;
		if (x->seen.n == DATUM_MAX_HELD)
			return err_set(e, ERR_LIMIT, "more than %d units", DATUM_MAX_HELD);
		map_set(&x->seen, id, x);
	}
	return x->cb(x->ptr, &d, e);
}

/* Only a union can give one thing twice: of two leaves that are the same but for the glob. */
static bool has_twins(const struct job *j)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		for (size_t k = 0; k < i; k++) {
			const struct job_input *x = &j->inputs[i], *y = &j->inputs[k];

			if (!x->found && !y->found && str_eq(x->name, y->name) && str_eq(x->repo, y->repo) &&
			    str_eq(input_rev(x), input_rev(y)))
				return true;
		}
	return false;
}

static void each_init(struct each *x, const struct job *j, struct store *s, struct arena *a, const struct sha *trees)
{
	BUG_IF(!j->tree);
	*x = (struct each){.j = j, .s = s, .a = a, .trees = trees};
	x->leaves = arena_array(a, struct leaf, j->n_inputs);
	map_init(&x->seen, a);
}

int datum_each(const struct job *j, struct store *s, struct arena *a, const struct sha *trees, datum_cb cb, void *ptr,
               struct err *e)
{
	struct datum_at at = {.trees = trees};

	return datum_each_at(j, s, a, &at, cb, ptr, e);
}

int datum_each_at(const struct job *j, struct store *s, struct arena *a, const struct datum_at *at, datum_cb cb,
                  void *ptr, struct err *e)
{
	struct each x;

	each_init(&x, j, s, a, at->trees);
	x.under = at->under;
	x.ds = at->ds;
	x.beside = at->beside;
	x.twice = has_twins(j);
	x.cb = cb;
	x.ptr = ptr;
	return each_node(&x, j->tree, tell, &x, e) < 0 ? -1 : 0;
}

/* ---- changes ---- */

struct change {
	struct each x; /* its trees are the new ones */
	const struct sha *old;
	datum_change_cb cb;
	void *ptr;
	const struct input_node *node; /* the leaf that is compared */
	struct pfs pfs;
	struct cross *cross; /* the cross that it is a factor of; NULL */
	int side;            /* of the units that cross_one makes: 1 was, 2 is, 3 both */
	const struct entry *was_entry, *is_entry;
	bool stopped;
};

static bool moved(const struct change *c, const struct input_node *n)
{
	if (is_leaf(n))
		return !sha_eq(&c->old[n->leaf], &c->x.trees[n->leaf]);
	for (size_t i = 0; i < n->n; i++)
		if (moved(c, n->kids[i]))
			return true;
	return false;
}

/* Leaves, unions of leaves, and crosses of which one factor, a leaf, has moved. */
static bool can(const struct change *c, const struct input_node *n)
{
	size_t n_moved = 0;

	if (is_leaf(n) || !moved(c, n))
		return true;
	for (size_t i = 0; i < n->n; i++) {
		if (n->kind == INPUT_UNION && !can(c, n->kids[i]))
			return false;
		if (moved(c, n->kids[i]) && ++n_moved && n->kind == INPUT_CROSS && !is_leaf(n->kids[i]))
			return false;
	}
	return n->kind == INPUT_UNION || (n->kind == INPUT_CROSS && n_moved == 1);
}

static int told_change(void *ptr, const struct datum_part *parts, size_t n, struct err *e)
{
	struct change *c = ptr;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct datum was = {0}, is = {0};
	int r;

	if (c->side & 1) {
		struct datum_part *p = arena_array(a, struct datum_part, n);

		memcpy(p, parts, n * sizeof(*p));
		for (size_t i = 0; i < n; i++)
			if (p[i].leaf == c->node->leaf)
				p[i].entry = *c->was_entry;
		datum_make(&c->x, p, n, &was);
	}
	if (c->side & 2)
		datum_make(&c->x, parts, n, &is);
	r = c->cb(c->ptr, c->side & 1 ? &was : NULL, c->side & 2 ? &is : NULL, e);
	c->stopped |= r == 1;
	return r;
}

static int entry_changed(void *ptr, enum diff_kind kind, struct str path, const struct entry *was,
                         const struct entry *is, struct err *e)
{
	struct change *c = ptr;
	struct datum_part part;

	if (!glob_match(c->pfs.l->glob, path))
		return 0;
	c->side = kind == DIFF_ADDED ? 2 : kind == DIFF_REMOVED ? 1 : 3;
	c->was_entry = was;
	if (make_part(&c->pfs, path, is ? is : was, &part, e))
		return -1;
	return c->cross ? cross_one(c->cross, &part, 1, e) : told_change(c, &part, 1, e);
}

static int root_changed(struct change *c, struct err *e)
{
	struct entry was, is;
	int w = root_entry(&c->x, &c->old[c->node->leaf], &was, e), i;

	if (w < 0)
		return -1;
	i = root_entry(&c->x, &c->x.trees[c->node->leaf], &is, e);
	if (i < 0 || (!w && !i))
		return i;
	return entry_changed(c,
	                     !w   ? DIFF_ADDED
	                     : !i ? DIFF_REMOVED
	                          : DIFF_CHANGED,
	                     STR(""), w ? &was : NULL, i ? &is : NULL, e);
}

static int change_leaf(struct change *c, const struct input_node *n, struct err *e)
{
	struct arena *scratch cleanup(arena_cleanup) = arena_new();
	struct sha none = tree_empty_id();
	const struct sha *old = &c->old[n->leaf], *new = &c->x.trees[n->leaf];
	struct leaf *l;
	int r = 0;

	if (leaf_glob(&c->x, n->leaf, &l, e))
		return -1;
	c->node = n;
	c->pfs = (struct pfs){.x = &c->x, .leaf = n->leaf, .l = l, .scratch = scratch};
	if (l->root)
		r = root_changed(c, e);
	if (!r)
		r = tree_diff(c->x.s, sha_is_zero(old) ? &none : old, sha_is_zero(new) ? &none : new, true,
		              entry_changed, c, e);
	return r < 0 ? -1 : c->stopped;
}

static int change_node(struct change *c, const struct input_node *n, struct err *e)
{
	struct arena *scratch cleanup(arena_cleanup) = NULL;
	struct cross cross;
	size_t at = 0;
	int r = 0;

	if (!moved(c, n))
		return 0;
	if (is_leaf(n))
		return change_leaf(c, n, e);
	if (n->kind == INPUT_UNION) {
		for (size_t i = 0; i < n->n && !r; i++)
			r = change_node(c, n->kids[i], e);
		return r;
	}
	while (!moved(c, n->kids[at]))
		at++;
	scratch = arena_new();
	cross = (struct cross){.a = scratch, .p = {.cb = told_change, .ptr = c}};
	if (cross_hold(&c->x, n, at, &cross, e))
		return -1;
	c->cross = &cross;
	if (cross.p.n)
		r = change_leaf(c, n->kids[at], e);
	c->cross = NULL;
	return r;
}

int datum_changes(const struct job *j, struct store *s, struct arena *a, const struct sha *old_trees,
                  const struct sha *new_trees, datum_change_cb cb, void *ptr, struct err *e)
{
	struct change c = {.old = old_trees, .cb = cb, .ptr = ptr};

	each_init(&c.x, j, s, a, new_trees);
	if (has_twins(j) || !can(&c, j->tree))
		return 0;
	return change_node(&c, j->tree, e) < 0 ? -1 : 1;
}

/* ---- content, label ---- */

static int add_name(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	(void)e;
	sha_field(ptr, path);
	sha_field(ptr, entry->kind == ENTRY_FILE ? STR("f") : STR("d"));
	return 0;
}

int datum_content(const struct job *j, struct store *s, const struct datum *d, struct sha *out, struct err *e)
{
	struct sha_ctx c;

	sha_init(&c);
	sha_field(&c, STR("leat datum content 1"));
	if (d->ds.p) {
		sha_field(&c, d->ds);
		sha_add(&c, d->beside.b, SHA_BYTES);
	}
	for (size_t i = 0; i < d->n; i++) {
		const struct datum_part *p = &d->parts[i];
		const struct job_input *in = &j->inputs[p->leaf];

		sha_field(&c, in->folder.p ? in->folder : in->name);
		sha_field(&c, p->path);
		sha_field(&c, p->join.p ? p->join : STR(""));
		sha_field(&c, p->group.p ? p->group : STR(""));
		sha_field(&c, in->reference ? STR("reference") : in->empty_files ? STR("names") : STR("content"));
		if (in->reference)
			continue;
		sha_field(&c, p->entry.kind == ENTRY_FILE ? STR("f") : STR("d"));
		if (!in->empty_files)
			sha_add(&c, p->entry.id.b, SHA_BYTES);
		else if (p->entry.kind == ENTRY_FOLDER && tree_walk(s, NULL, &p->entry.id, true, add_name, &c, e))
			return -1;
	}
	*out = sha_end(&c);
	return 0;
}

struct datum *datum_copy(struct arena *a, const struct datum *d)
{
	struct datum *c = arena_new_of(a, struct datum);

	*c = *d;
	if (d->ds.p)
		c->ds = arena_str(a, d->ds);
	c->parts = arena_array(a, struct datum_part, d->n);
	for (size_t i = 0; i < d->n; i++)
		c->parts[i] = part_copy(a, &d->parts[i]);
	return c;
}

struct str datum_path(struct arena *a, const struct datum_part *p)
{
	if (!p->under.p)
		return p->path;
	return arena_strf(a, "%.*s%s%.*s", STR_ARG(p->under), p->path.n ? "/" : "", STR_ARG(p->path));
}

#define LABEL_PARTS 3
const char *datum_label(struct arena *a, const struct datum *d)
{
	const char *out = d->ds.p ? arena_printf(a, "%.*s ", STR_ARG(d->ds)) : "";

	if (d->n > LABEL_PARTS)
		return arena_printf(a, "%s/%.*s and %zu more", out, STR_ARG(d->parts[0].path), d->n - 1);
	for (size_t i = 0; i < d->n; i++)
		out = arena_printf(a, "%s%s/%.*s", out, i ? " + " : "", STR_ARG(d->parts[i].path));
	return out;
}
