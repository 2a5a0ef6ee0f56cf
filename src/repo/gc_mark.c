/* What is needed. */
#include <stdlib.h>

#include "base/str.h"
#include "repo/gc_in.h"
#include "repo/overlay.h"
#include "repo/tree_page.h"
#include "sys/clock.h"

static int mark_sources_of(struct gc *g, struct arena *a, struct str body, struct err *e)
{
	struct piece *p;
	size_t n;

	if (recipe_decode(a, body, &p, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!marks_has(&g->hot, &p[i].id) && marks_add(&g->cold, &p[i].id, e) < 0)
			return -1;
	return 0;
}

/* News may need a recipe that nothing needed, and what that is made of. */
static int mark_recipe(struct gc *g, struct arena *a, const struct sha *id, struct err *e)
{
	struct q *q = db_query(g->s->db, "select body from recipe where id = ?");
	int r;

	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1)
		r = mark_sources_of(g, a, q_col_blob(q, 0), e);
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int mark_object(struct gc *g, struct marks *objects, struct arena *a, const struct sha *id, struct err *e)
{
	if (g->news && !gc_needs(g, id) && mark_recipe(g, a, id, e))
		return -1;
	return marks_add(objects, id, e) < 0 ? -1 : 0;
}

static int mark_page(struct gc *g, struct marks *objects, const struct sha *id, int level, struct err *e)
{
	struct sha none = tree_empty_id();
	struct arena *a;
	struct page p;
	int r = marks_add(&g->pages, id, e), rc = 0;

	if (r <= 0 || sha_eq(id, &none))
		return r < 0 ? -1 : 0;
	if (objects == &g->hot && marks_add(&g->hot_pages, id, e) < 0)
		return -1;
	a = arena_new();
	if (tree_page_read(g->s, NULL, id, level, a, &p, e)) {
		arena_free(a);
		return -1;
	}
	for (size_t i = 0; i < p.n && !rc; i++) {
		const struct entry *c = &p.items[i].entry;
		if (p.level)
			rc = mark_page(g, objects, &c->id, p.level - 1, e);
		else if (c->kind == ENTRY_FOLDER)
			rc = mark_page(g, objects, &c->id, -1, e);
		else if (objects == &g->hot || !marks_has(&g->hot, &c->id))
			rc = mark_object(g, objects, a, &c->id, e);
	}
	arena_free(a);
	return rc;
}

/* Trees are collected before they are walked: no statement stays open while pages are read. */
struct trees {
	VEC(struct sha) list;
};

static int collect(struct gc *g, struct arena *a, struct trees *t, struct q *q, struct err *e)
{
	struct sha id;
	int r;

	(void)g;
	while ((r = q_step(q, e)) == 1)
		if (q_col_sha(q, 0, &id))
			vec_push(a, &t->list, id);
	q_done(q);
	return r;
}

static int mark_all(struct gc *g, struct marks *objects, const struct trees *t, const char *what, struct err *e)
{
	for (size_t i = 0; i < t->list.n; i++) {
		if (what && i % 64 == 0)
			gc_say(g, what, (double)i / (double)t->list.n);
		if (mark_page(g, objects, &t->list.p[i], -1, e))
			return -1;
	}
	return 0;
}

#define LIVE_REPO "(select id from repo where ended is null)"

/* Trees of which a branch or somebody's work shows what they hold now. */
static const char *const hot_roots[] = {
	"select c.tree from branch b join commits c on c.repo = b.repo and c.id = b.head"
	" where b.repo in " LIVE_REPO,
	"select tree from open_commit where state = 'open' and repo in " LIVE_REPO,
	"select tree from materialised where repo in " LIVE_REPO,
	"select tree from unit where finished is null and tree is not null",
	/* what has ended well and waits for the rest of its pipeline */
	"select u.tree from run r join unit u on u.run = r.id where r.finished is null and u.tree is not null",
};
/* Trees that stay readable. */
static const char *const cold_roots[] = {
	"select tree from commits where repo in " LIVE_REPO,
	"select base_tree from open_commit where state = 'open' and repo in " LIVE_REPO,
	"select tree from current where repo in " LIVE_REPO,
};
static const char *const branch_roots[] = {
	"select tree from current_on where branch in (select id from workspace_branch where ended is null)"};
static const char *const data_roots[] = {"select tree from datum where repo < 0 or repo in " LIVE_REPO};

static int mark_queries(struct gc *g, struct marks *objects, const char *const *sql, size_t n, const char *what,
			struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct trees t = {0};

	for (size_t i = 0; i < n; i++)
		if (collect(g, a, &t, db_query(g->s->db, sql[i]), e))
			return -1;
	return mark_all(g, objects, &t, what, e);
}

/*
 * What a reader may hold a lease of. A lease of what has gone counts from before it went; one may also be there for a
 * moment, until who took it sees that it has gone. Then its pages may have been swept, and that they are not there is
 * no damage.
 */
static const struct {
	const char *sql;
	bool gone;
} leased_roots[] = {
	{"select id, tree from commits", false},
	{"select id, tree from open_commit where state = 'open'", false},
	{"select id, tree from gone", true},
};

static int collect_leased(struct gc *g, struct arena *a, struct trees *t, struct q *q, struct err *e)
{
	struct sha tree;
	int r;

	while ((r = q_step(q, e)) == 1) {
		int held = store_lease_held(g->s, id_of(q_col_text(q, 0)), e);
		if (held < 0)
			r = -1;
		if (held > 0 && q_col_sha(q, 1, &tree))
			vec_push(a, &t->list, tree);
		if (r < 0)
			break;
	}
	q_done(q);
	return r;
}

/* As mark_page, of pages that may have been marked for less. */
static int mark_leased_page(struct gc *g, const struct sha *id, int level, bool gone, struct err *e)
{
	struct err inner = ERR_INIT;
	struct sha none = tree_empty_id();
	int r = sha_eq(id, &none) ? 0 : marks_add(&g->leased_pages, id, e), rc = 0;
	struct arena *a;
	struct page p;

	if (r <= 0)
		return r;
	if (marks_add(&g->pages, id, e) < 0 || marks_add(&g->hot_pages, id, e) < 0)
		return -1;
	a = arena_new();
	if (tree_page_read(g->s, NULL, id, level, a, &p, &inner)) {
		arena_free(a);
		if (gone && inner.code == ERR_DAMAGED)
			return 0;
		*e = inner;
		return -1;
	}
	for (size_t i = 0; i < p.n && !rc; i++) {
		const struct entry *c = &p.items[i].entry;
		if (p.level || c->kind == ENTRY_FOLDER)
			rc = mark_leased_page(g, &c->id, p.level ? p.level - 1 : -1, gone, e);
		else
			rc = marks_add(&g->hot, &c->id, e) < 0 ? -1 : 0;
	}
	arena_free(a);
	return rc;
}

static int mark_leased(struct gc *g, const char *sql, bool gone, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct trees t = {0};
	int rc = collect_leased(g, a, &t, db_query(g->s->db, sql), e);

	for (size_t i = 0; !rc && i < t.list.n; i++)
		rc = mark_leased_page(g, &t.list.p[i], -1, gone, e);
	return rc;
}

int gc_mark_leased(struct gc *g, struct err *e)
{
	int held = store_lease_any(g->s, e);

	for (size_t i = 0; held > 0 && i < ARRAY_LEN(leased_roots); i++)
		if (mark_leased(g, leased_roots[i].sql, leased_roots[i].gone, e))
			return -1;
	return held < 0 ? -1 : 0;
}

/* Results that are remembered: those that are young hold their trees; of the others gc_sweep_memos decides. */
static int mark_memos(struct gc *g, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(g->s->db, "select tree from memo where at >= ?1 and repo in " LIVE_REPO
					 " union all select tree from unit where tree is not null and finished >= ?1"
					 " and state != 'success'");
	struct trees t = {0};

	q_int(q, 1, g->how->memo_now ? INT64_MAX : clock_now_ms() - g->how->memo_keep_ms);
	return collect(g, a, &t, q, e) || mark_all(g, &g->cold, &t, "marking results", e) ? -1 : 0;
}

/* A recipe that is needed needs what it is made of. */
static int mark_sources(struct gc *g, struct err *e)
{
	struct q *q = db_query(g->s->db, "select id, body from recipe");
	struct arena *a = arena_new();
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct sha id;
		if (!q_col_sha(q, 0, &id) || !gc_needs(g, &id))
			continue;
		if (mark_sources_of(g, a, q_col_blob(q, 1), e)) {
			r = -1;
			break;
		}
		arena_reset(a);
	}
	q_done(q);
	arena_free(a);
	return r < 0 ? -1 : 0;
}

int gc_mark_memos_all(struct gc *g, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct trees t = {0};

	return collect(g, a, &t, db_query(g->s->db, "select tree from memo"), e) ||
			       mark_all(g, &g->cold, &t, NULL, e) || mark_sources(g, e)
		       ? -1
		       : 0;
}

static int number(struct gc *g, const char *sql, int64_t *out, struct err *e)
{
	struct q *q = db_query(g->s->db, sql);
	int r = q_step(q, e);

	*out = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* Changes by others. */
static int64_t version(struct gc *g)
{
	return db_version(g->s->db) - g->r.transactions;
}

/* Where the news begin, noted before the first look. */
int gc_mark_begin(struct gc *g, struct err *e)
{
	struct q *q;
	int r;

	g->version = version(g);
	if (number(g, "select coalesce(max(seq), 0) from head_move", &g->move, e) ||
	    number(g, "select coalesce(max(id), 0) from unit", &g->unit, e))
		return -1;
	g->live_units.n = 0;
	q = db_query(g->s->db, "select id from unit where finished is null");
	while ((r = q_step(q, e)) == 1)
		vec_push(g->a, &g->live_units, q_col_int(q, 0));
	q_done(q);
	return r;
}

int gc_mark(struct gc *g, struct err *e)
{
	gc_say(g, "marking", 0);
	if (gc_mark_begin(g, e) || mark_queries(g, &g->hot, hot_roots, ARRAY_LEN(hot_roots), "marking heads", e) ||
	    mark_queries(g, &g->cold, cold_roots, ARRAY_LEN(cold_roots), "marking history", e) ||
	    (overlay_any(g->s) &&
	     mark_queries(g, &g->cold, branch_roots, ARRAY_LEN(branch_roots), "marking branches", e)) ||
	    (db_has_data(g->s->db) &&
	     mark_queries(g, &g->cold, data_roots, ARRAY_LEN(data_roots), "marking what units gave", e)) ||
	    mark_memos(g, e))
		return -1;
	/* After history: a commit that has been taken out of it since is found now, with its reader. */
	return gc_mark_leased(g, e) || mark_sources(g, e) ? -1 : 0;
}

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

/* One that has ended since: what it wrote waits for the rest of its pipeline. */
static int unit_tree(struct gc *g, struct arena *a, struct trees *t, int64_t unit, struct err *e)
{
	struct q *q = db_query(g->s->db, "select tree from unit where id = ? and tree is not null");

	q_int(q, 1, unit);
	return collect(g, a, t, q, e);
}

/*
 * Units that were at work, or have begun since. One has its tree when it ends, and then is asked for once: a run may
 * have very many, and there are many slices.
 */
static int units_news(struct gc *g, struct arena *a, struct trees *t, struct err *e)
{
	struct q *q = db_query(g->s->db, "select id from unit where id > ?");
	VEC(int64_t) now = {0};
	size_t left = 0;
	int r;

	q_int(q, 1, g->unit);
	while ((r = q_step(q, e)) == 1)
		vec_push(g->a, &g->live_units, q_col_int(q, 0));
	q_done(q);
	if (r < 0)
		return -1;
	q = db_query(g->s->db, "select id from unit where finished is null"); /* of an index of its own */
	while ((r = q_step(q, e)) == 1)
		vec_push(a, &now, q_col_int(q, 0));
	q_done(q);
	if (r < 0)
		return -1;
	if (now.n)
		qsort(now.p, now.n, sizeof(*now.p), by_number);
	for (size_t i = 0; i < g->live_units.n; i++) {
		int64_t unit = g->live_units.p[i];

		if (now.n && bsearch(&unit, now.p, now.n, sizeof(*now.p), by_number))
			g->live_units.p[left++] = unit;
		else if (unit_tree(g, a, t, unit, e))
			return -1;
	}
	g->live_units.n = left;
	return 0;
}

int gc_mark_news(struct gc *g, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int64_t now = version(g), move = g->move, unit = g->unit;
	struct trees t = {0};
	struct q *q;

	if (now == g->version)
		return 0;
	if (number(g, "select coalesce(max(seq), 0) from head_move", &move, e) ||
	    number(g, "select coalesce(max(id), 0) from unit", &unit, e))
		return -1;
	/*
	 * Not by the events: those of a run stand from its beginning, its commits come later. Also those that were
	 * taken out again since: somebody may be reading them.
	 */
	q = db_query(g->s->db, "select c.tree from head_move m join commits c on c.repo = m.repo and c.id = m.new"
			       " where m.seq > ?1 union all select o.tree from head_move m"
			       " join gone o on o.repo = m.repo and o.id = m.new where m.seq > ?1");
	q_int(q, 1, g->move);
	if (collect(g, a, &t, q, e))
		return -1;
	if (units_news(g, a, &t, e) || collect(g, a, &t, db_query(g->s->db, hot_roots[1]), e) ||
	    collect(g, a, &t, db_query(g->s->db, cold_roots[1]), e))
		return -1;
	g->news = true;
	if (mark_all(g, &g->hot, &t, NULL, e))
		return -1;
	g->version = now;
	g->move = move;
	g->unit = unit;
	return 0;
}
