/*
 * What differs between two states of the workspace: workspace branches, master, and the moments right after a run, a
 * batch or any event. An id alone is compared with the moment before it, a workspace branch with where it began.
 */
#include <stdlib.h>

#include "api/diff.h"
#include "base/map.h"
#include "base/str.h"
#include "repo/gone.h"
#include "repo/overlay.h"
#include "repo/refs.h"

#define PREFIX_MIN 4
#define IDS_MAX 10000 /* events of one id */

enum heads_kind { HEADS_MASTER, HEADS_BRANCH, HEADS_ID };

/* What an id did to one repo. */
struct moved {
	struct repo repo;
	struct id before, after;
	struct str branch;
	int64_t first; /* seq of its first move */
};

struct diff_heads {
	struct str word; /* as the user wrote it */
	enum heads_kind kind;
	struct overlay on;   /* BRANCH */
	bool at_base;        /* BRANCH: where it began */
	bool before;         /* ID: the moment before it */
	VEC(struct moved) moved;
	int64_t last;        /* ID: seq of its last move */
	struct str branch;   /* ID: the branch that it moved */
};

/* --- what a word names --- */

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n >= PREFIX_MIN && s.n <= ID_HEX;
}

/* The whole id of an event, batch or run: 1, 0, -1. */
static int find_id(struct store *s, struct str word, struct id *out, bool *run, struct err *e)
{
	struct q *q = db_query(s->db, "select distinct id, 0 from event where id >= ?1 and id < ?1 || 'g' union"
	                              " select distinct batch, 0 from event where batch >= ?1 and batch < ?1 || 'g'"
	                              " union select id, 1 from run where id >= ?1 and id < ?1 || 'g' limit 2");
	struct id found = {""};
	bool is_run = false;
	int r, n = 0;

	q_text(q, 1, word);
	while ((r = q_step(q, e)) == 1) {
		found = id_of(q_col_text(q, 0));
		is_run = q_col_int(q, 1);
		n++;
	}
	q_done(q);
	if (r < 0)
		return -1;
	if (n > 1) {
		err_set(e, ERR_BAD_REQUEST, "%.*s could be several runs or changes", STR_ARG(word));
		return err_hint(e, "give more digits");
	}
	*out = found;
	*run = is_run;
	return n;
}

static struct moved *moved_of(struct diff_heads *h, int64_t repo)
{
	for (size_t i = 0; i < h->moved.n; i++)
		if (h->moved.p[i].repo.id == repo)
			return &h->moved.p[i];
	return NULL;
}

/* What the first move on a workspace branch came from: where it had begun. */
static int before_first(struct store *s, struct moved *m, struct err *e)
{
	struct commit c;
	int r = commit_find(s, m->repo.id, str_of(m->after.hex), &c, e);

	if (r > 0)
		m->before = c.parent;
	return r < 0 ? -1 : 0;
}

static int read_moves(struct api *api, struct diff_heads *h, const struct id *id, bool run, struct err *e)
{
	static const char of_event[] =
		"select m.repo, r.name, m.branch, m.old, m.new, m.seq, r.role from head_move m"
		" join repo r on r.id = m.repo"
		" where m.event in (select id from event where id = ?1 or batch = ?1) order by m.seq limit ?2";
	static const char of_run[] =
		"select m.repo, r.name, m.branch, m.old, m.new, m.seq, r.role from commits c join head_move m"
		" on m.event = c.id and m.repo = c.repo and m.new = c.id join repo r on r.id = m.repo"
		" where c.run = ?1 order by m.seq limit ?2";
	struct arena *a = api->arena;
	struct q *q = db_query(api->store->db, run ? of_run : of_event);
	int r;

	q_cstr(q, 1, id->hex);
	q_int(q, 2, IDS_MAX);
	while ((r = q_step(q, e)) == 1) {
		struct moved *m = moved_of(h, q_col_int(q, 0)), new = {.first = q_col_int(q, 5)};

		if (str_is(q_col_text(q, 6), "system") || q_col_is_null(q, 4))
			continue;
		if (!m) {
			new.repo = (struct repo){.id = q_col_int(q, 0), .name = arena_str(a, q_col_text(q, 1))};
			new.branch = arena_str(a, q_col_text(q, 2));
			new.before = id_of(q_col_text(q, 3));
			vec_push(a, &h->moved, new);
			m = &h->moved.p[h->moved.n - 1];
		}
		m->after = id_of(q_col_text(q, 4));
		h->last = q_col_int(q, 5);
		h->branch = m->branch;
	}
	q_done(q);
	for (size_t i = 0; r >= 0 && i < h->moved.n; i++)
		if (!h->moved.p[i].before.hex[0] && !str_is(h->moved.p[i].branch, BRANCH_DEFAULT) &&
		    before_first(api->store, &h->moved.p[i], e))
			return -1;
	return r < 0 ? -1 : 0;
}

/* No repo with a pin or a path. */
static bool is_plain(struct str word)
{
	return !memchr(word.p, '@', word.n) && !memchr(word.p, ':', word.n) && !memchr(word.p, '/', word.n);
}

/* 1 and *out; 0: it is a pin's, or nothing; -1. */
static int heads_find(struct api *api, struct str word, struct diff_heads *out, struct err *e)
{
	struct diff_heads h = {.word = word};
	struct repo repo;
	struct id id;
	bool run = false;
	int r;

	if (!is_plain(word))
		return 0;
	r = repo_find_any(api->store, api->arena, word, &repo, e);
	if (r)
		return r < 0 ? -1 : 0;
	if (str_is(word, BRANCH_DEFAULT)) {
		*out = h;
		return 1;
	}
	r = overlay_find(api->store, api->arena, word, &h.on, e);
	h.kind = HEADS_BRANCH;
	if (!r && is_hex(word)) {
		h.kind = HEADS_ID;
		r = find_id(api->store, word, &id, &run, e);
		if (r > 0 && read_moves(api, &h, &id, run, e))
			r = -1;
		if (r > 0 && !h.moved.n) {
			err_set(e, ERR_NOT_FOUND, "%.*s moved no head: there is nothing to compare", STR_ARG(word));
			err_hint(e, "what it gave was there already, or it failed: leat why %.*s", STR_ARG(word));
			r = -1;
		}
	}
	if (r > 0)
		*out = h;
	return r;
}

/* --- what it has of a repo --- */

/* Of a repo that an id did not move: as it stood then. 1, 0, -1. */
static int head_then(struct store *s, int64_t repo, struct str branch, int64_t seq, struct id *out, struct err *e)
{
	struct q *q = db_query(s->db, "select new from head_move where repo = ? and branch = ? and seq <= ?"
	                              " order by seq desc limit 1");
	int r;

	q_int(q, 1, repo);
	q_text(q, 2, branch);
	q_int(q, 3, seq);
	r = q_step(q, e);
	if (r == 1)
		*out = id_of(q_col_text(q, 0));
	q_done(q);
	return r;
}

static int id_at(struct store *s, struct diff_heads *h, int64_t repo, struct id *out, struct err *e)
{
	const struct moved *m = moved_of(h, repo);
	int r = 0;

	*out = (struct id){""};
	if (m) {
		*out = h->before ? m->before : m->after;
		return 0;
	}
	if (!str_is(h->branch, BRANCH_DEFAULT))
		r = head_then(s, repo, h->branch, h->last, out, e);
	if (!r)
		r = head_then(s, repo, STR(BRANCH_DEFAULT), h->last, out, e);
	return r < 0 ? -1 : 0;
}

/* 1 a commit, 0 nothing, -1. */
static int head_at(struct store *s, struct diff_heads *h, const struct repo *repo, struct commit *out, struct err *e)
{
	struct overlay_base b;
	struct id id;
	int r;

	if (h->kind == HEADS_MASTER)
		return branch_head(s, repo->id, STR(BRANCH_DEFAULT), out, e);
	if (h->kind == HEADS_BRANCH && !h->at_base)
		return overlay_head(s, &h->on, repo->id, out, e);
	if (h->kind == HEADS_BRANCH) {
		r = overlay_base(s, &h->on, repo->id, &b, e);
		if (r <= 0)
			return r < 0 ? -1 : overlay_head(s, &h->on, repo->id, out, e);
		id = b.base;
	} else if (id_at(s, h, repo->id, &id, e)) {
		return -1;
	}
	if (!id.hex[0])
		return 0;
	r = commit_find(s, repo->id, str_of(id.hex), out, e);
	if (r)
		return r;
	r = gone_tell(s, repo, str_of(id.hex), e);
	return r ? -1
	         : err_set(e, ERR_NOT_FOUND, "%.*s@%.12s is not there any more", STR_ARG(repo->name), id.hex);
}

/* --- the pairs --- */

static int compare_names(const void *x, const void *y)
{
	const struct diff_pair *a = x, *b = y;

	return str_cmp(a->old.repo.name, b->old.repo.name);
}

static int add_pair(struct api *api, struct diff_heads *a, struct diff_heads *b, const struct repo *repo,
                    struct diff_pairs *out, struct err *e)
{
	struct diff_pair p = {.old = {.repo = *repo, .path = STR("")}, .new = {.repo = *repo, .path = STR("")}};
	struct store *s = api->store;
	int had = head_at(s, a, repo, &p.old.commit, e);
	int has = had < 0 ? -1 : head_at(s, b, repo, &p.new.commit, e);

	if (had < 0 || has < 0)
		return -1;
	p.old.has_commit = had;
	p.new.has_commit = has;
	if (!had && !has)
		return 0;
	out->seen++;
	if (had && has && sha_eq(&p.old.commit.tree, &p.new.commit.tree))
		return 0;
	if ((had && store_lease_commit(s, repo->id, p.old.commit.id, e) < 0) ||
	    (has && store_lease_commit(s, repo->id, p.new.commit.id, e) < 0))
		return -1;
	vec_push(api->arena, &out->pairs, p);
	return 0;
}

static int pair_all(struct api *api, struct diff_heads *a, struct diff_heads *b, struct diff_pairs *out, struct err *e)
{
	struct q *q = db_query(api->store->db,
	                       "select id, name from repo where ended is null and role <> 'system' order by name");
	VEC(struct repo) all = {0};
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct repo repo = {.id = q_col_int(q, 0), .name = arena_str(api->arena, q_col_text(q, 1))};

		vec_push(api->arena, &all, repo);
	}
	q_done(q);
	for (size_t i = 0; r >= 0 && i < all.n; i++)
		if (add_pair(api, a, b, &all.p[i], out, e))
			return -1;
	return r < 0 ? -1 : 0;
}

/* Of two ids: the repos that one of them moved. */
static int pair_moved(struct api *api, struct diff_heads *a, struct diff_heads *b, struct diff_pairs *out,
                      struct err *e)
{
	for (size_t i = 0; i < a->moved.n; i++)
		if (add_pair(api, a, b, &a->moved.p[i].repo, out, e))
			return -1;
	for (size_t i = 0; i < b->moved.n; i++)
		if (!moved_of(a, b->moved.p[i].repo.id) && add_pair(api, a, b, &b->moved.p[i].repo, out, e))
			return -1;
	if (out->pairs.n > 1)
		qsort(out->pairs.p, out->pairs.n, sizeof(*out->pairs.p), compare_names);
	return 0;
}

static const char *kind_word(const struct diff_heads *h)
{
	static const char *const kinds[] = {"what all repos show", "a workspace branch", "a run or change"};

	return kinds[h->kind];
}

/* One word is a state of the workspace, the other is not. */
static int mixed(struct api *api, const struct diff_heads *h, struct str other, struct err *e)
{
	struct repo repo;
	int r = is_plain(other) ? repo_find_any(api->store, api->arena, other, &repo, e) : 1;

	if (r <= 0)
		return r < 0 ? -1 : overlay_not_found(api->store, other, e);
	err_set(e, ERR_BAD_REQUEST, "%.*s is %s, %s is not", STR_ARG(h->word), kind_word(h), STR_SHOWN(other));
	return err_hint(e, "compare two of a kind: two pins of a repo (REPO@PIN), or " BRANCH_DEFAULT
	                   " and workspace branches and ids");
}

int diff_heads_find(struct api *api, const struct args *args, struct diff_pairs *out, struct err *e)
{
	struct diff_heads a, b;
	int n = (int)args_n(args), is_a = heads_find(api, args_pos(args, 0), &a, e), is_b;

	*out = (struct diff_pairs){0};
	is_b = is_a < 0 || n < 2 ? is_a : heads_find(api, args_pos(args, 1), &b, e);
	if (is_a < 0 || is_b < 0)
		return -1;
	if (!is_a && !is_b)
		return 0;
	if (is_a != is_b)
		return mixed(api, is_a ? &a : &b, args_pos(args, is_a ? 1 : 0), e);
	if (n < 2 && a.kind == HEADS_MASTER) {
		err_set(e, ERR_BAD_REQUEST, BRANCH_DEFAULT " is compared with what?");
		return err_hint(e, "leat diff " BRANCH_DEFAULT
		                   " NAME shows what the workspace branch NAME has otherwise");
	}
	if (n < 2) {
		b = a;
		a.at_base = a.before = true;
	}
	if (a.kind == HEADS_ID && b.kind == HEADS_ID ? pair_moved(api, &a, &b, out, e) : pair_all(api, &a, &b, out, e))
		return -1;
	return 1;
}
