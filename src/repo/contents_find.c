/* From the hash of a file to the commits that brought it. */
#include <stdlib.h>

#include "base/str.h"
#include "repo/contents_in.h"

#define HEIRS_MAX 1000 /* commits that one may have been squashed into, one into the other */

struct found {
	uint64_t move;
	uint32_t rank;
	size_t which;
};
struct asking {
	const struct sha *ids;
	size_t n;
	struct arena *a;
	VEC(struct found) all;
};

static int ask_new(void *ptr, const struct move *m, const struct entry *entry, int64_t rank, struct err *e)
{
	struct asking *k = ptr;

	for (size_t i = 0; i < k->n && entry->kind == ENTRY_FILE; i++)
		if (sha_eq(&k->ids[i], &entry->id))
			vec_push(k->a, &k->all, ((struct found){(uint64_t)m->seq, (uint32_t)rank, i}));
	return 0;
}

static int ask_runs(struct store *s, struct asking *k, struct err *e)
{
	struct list page = {0};
	struct lists all;
	int rc = contents_lists_read(s, k->a, &all, e);

	for (size_t r = 0; !rc && r < all.n; r++) {
		for (size_t i = 0; !rc && i < k->n; i++) {
			uint64_t hash = contents_hash(&k->ids[i]);

			page.n = 0;
			rc = contents_page_read(s, &all.runs[r], contents_page_of(&all.runs[r], hash), &page, e);
			for (size_t x = 0; !rc && x < page.n; x++)
				if (page.p[x].hash == hash)
					vec_push(k->a, &k->all, ((struct found){page.p[x].move, page.p[x].rank, i}));
		}
	}
	free(page.p);
	return rc;
}

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->move != y->move ? (x->move < y->move ? 1 : -1) : (x->rank > y->rank) - (x->rank < y->rank);
}

/* The commit that a commit's changes are in, if that was squashed; if its data were forgotten, the next one. 1, 0, -1.
 */
static int heir(struct store *s, int64_t repo, struct id *id, struct err *e)
{
	struct q *q =
		db_query(s->db, "select into_id from gone where repo = ?1 and id = ?2 and into_id is not null union all"
	                        " select id from commits where repo = ?1 and parent = ?2 limit 1");
	int r;

	q_int(q, 1, repo);
	q_cstr(q, 2, id->hex);
	r = q_step(q, e);
	if (r == 1)
		*id = id_of(q_col_text(q, 0));
	q_done(q);
	return r;
}

/* Of a commit that was taken out of history, or forgotten: its bytes may stand in those after it. */
static int inherited(struct store *s, struct arena *a, int64_t repo, struct id id, const struct sha *sha,
                     struct contents_hit *out, struct err *e)
{
	struct asking k = {.ids = sha, .n = 1, .a = a};
	struct move m = {.repo = repo, .commit = id};
	struct entry at;

	for (int i = 0; i < HEIRS_MAX && !k.all.n; i++) {
		int r = heir(s, repo, &m.commit, e);
		if (r <= 0)
			return r;
		if (contents_each_new(s, &m, ask_new, &k, e))
			return -1;
	}
	if (!k.all.n || commit_find(s, repo, str_of(m.commit.hex), &out->commit, e) != 1)
		return 0;
	return tree_nth(s, a, &out->commit.tree, k.all.p[0].rank, &out->path, &at, e);
}

/* Where it stands, or that it does not any more. 1; 0: other bytes that begin with the same hash; -1. */
static int resolve(struct store *s, struct arena *a, const struct found *f, const struct sha *id,
                   struct contents_hit *out, struct err *e)
{
	struct q *q = db_query(s->db, "select repo, new from head_move where seq = ?");
	struct contents_hit h = {.which = f->which, .move = f->move};
	struct err inner = ERR_INIT;
	struct entry at;
	struct id commit = {0};
	int r;

	q_int(q, 1, (int64_t)f->move);
	r = q_step(q, e);
	if (r == 1) {
		h.repo = q_col_int(q, 0);
		commit = id_of(q_col_text(q, 1));
	}
	q_done(q);
	if (r <= 0)
		return r;
	h.brought = commit;
	r = commit_find(s, h.repo, str_of(commit.hex), &h.commit, e);
	if (r < 0)
		return -1;
	if (!r)
		h.commit = (struct commit){.repo = h.repo, .id = commit};
	if (r && !h.commit.forgotten)
		r = tree_nth(s, a, &h.commit.tree, f->rank, &h.path, &at, &inner);
	else
		r = -1;
	if (r < 0 && inner.code && inner.code != ERR_DAMAGED) {
		*e = inner;
		return -1;
	}
	h.let_go = r < 0;
	if (h.let_go) {
		r = inherited(s, a, h.repo, commit, id, &h, e);
		if (r < 0)
			return -1;
		h.let_go = !r;
		*out = h;
		return 1;
	}
	if (r == 0 || (r > 0 && !sha_eq(&at.id, id)))
		return 0;
	*out = h;
	return 1;
}

static bool told(const struct contents_hit *all, size_t n, const struct contents_hit *h)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].repo == h->repo && all[i].let_go == h->let_go && str_eq(all[i].path, h->path) &&
		    (!h->let_go || !strcmp(all[i].commit.id.hex, h->commit.id.hex)))
			return true;
	return false;
}

/* The commit of a move, if it is still there with its files: 1, 0, -1. */
static int commit_of(struct store *s, uint64_t move, struct commit *out, struct err *e)
{
	struct q *q = db_query(s->db, "select repo, new from head_move where seq = ?");
	struct id id = {0};
	int64_t repo = 0;
	int r;

	q_int(q, 1, (int64_t)move);
	r = q_step(q, e);
	if (r == 1) {
		repo = q_col_int(q, 0);
		id = id_of(q_col_text(q, 1));
	}
	q_done(q);
	if (r == 1)
		r = commit_find(s, repo, str_of(id.hex), out, e);
	return r == 1 && out->forgotten ? 0 : r;
}

/* Where a folder came again: the path of the same file below it. 1, 0: it is not there, -1. */
static int below(struct store *s, struct arena *a, const struct found *f, const struct sha *folder, struct str rest,
                 const struct sha *id, struct contents_hit *out, struct err *e)
{
	struct err inner = ERR_INIT;
	struct str first;
	struct entry at;
	int r = commit_of(s, f->move, &out->commit, e);

	if (r <= 0 || tree_nth(s, a, &out->commit.tree, f->rank, &first, &at, &inner) != 1)
		return MIN(r, 0);
	for (size_t i = 0; i < first.n; i++) {
		struct str dir = str_sub(first, 0, i);

		if (first.p[i] != '/' || tree_find(s, NULL, &out->commit.tree, dir, &at, &inner) != 1 ||
		    !sha_eq(&at.id, folder))
			continue;
		out->path = arena_strf(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(rest));
		out->repo = out->commit.repo;
		out->brought = out->commit.id;
		return tree_find(s, NULL, &out->commit.tree, out->path, &at, &inner) == 1 && sha_eq(&at.id, id);
	}
	return 0;
}

struct hits {
	VEC(struct contents_hit) v;
};

/* The folders that a file stands in may have come again elsewhere, each as one entry. */
static int elsewhere(struct store *s, struct arena *a, struct contents_hit h, const struct sha *id, struct hits *hits,
                     struct err *e)
{
	for (size_t i = h.path.n; i-- > 0;) {
		struct asking k = {.n = 1, .a = a};
		struct err inner = ERR_INIT;
		struct entry folder;
		int rc;

		if (h.path.p[i] != '/' ||
		    tree_find(s, NULL, &h.commit.tree, str_sub(h.path, 0, i), &folder, &inner) != 1 ||
		    folder.files < CONTENTS_FOLDER)
			continue;
		k.ids = &folder.id;
		if (db_read_begin(s->db, e))
			return -1;
		rc = ask_runs(s, &k, e);
		db_read_end(s->db);
		if (rc)
			return -1;
		for (size_t n = k.all.n; n-- > 0 && hits->v.n < CONTENTS_MAX_HITS;) {
			struct contents_hit x = {.which = h.which, .move = k.all.p[n].move};

			rc = below(s, a, &k.all.p[n], &folder.id, str_sub(h.path, i + 1, h.path.n), id, &x, e);
			if (rc < 0)
				return -1;
			if (rc && !told(hits->v.p, hits->v.n, &x))
				vec_push(a, &hits->v, x);
		}
	}
	return 0;
}

static void newest_hit_first(struct contents_hit *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct contents_hit x = p[i];
		size_t k = i;

		for (; k && p[k - 1].move < x.move; k--)
			p[k] = p[k - 1];
		p[k] = x;
	}
}

int contents_find(struct store *s, struct arena *a, const struct sha *ids, size_t n, struct contents_hit **out,
                  size_t *n_out, int64_t *more, struct err *e)
{
	struct asking k = {.ids = ids, .n = n, .a = a};
	struct hits hits = {0};
	struct move moves[CONTENTS_SLICE];
	int64_t taken, newest;
	size_t n_moves = 1, i;

	/* first what is not in it: what another command takes in meanwhile is then seen twice, not missed */
	if (contents_backlog(s, &taken, &newest, e))
		return -1;
	for (int64_t at = taken; n_moves;) {
		if (contents_next_moves(s, at, moves, &n_moves, e))
			return -1;
		for (i = 0; i < n_moves; i++) {
			if (contents_each_new(s, &moves[i], ask_new, &k, e))
				return -1;
			at = moves[i].seq;
		}
	}
	if (db_read_begin(s->db, e)) /* one state: runs are merged into others meanwhile */
		return -1;
	int rc = ask_runs(s, &k, e);
	db_read_end(s->db);
	if (rc)
		return -1;
	if (k.all.n)
		qsort(k.all.p, k.all.n, sizeof(*k.all.p), newest_first);
	for (i = 0; i < k.all.n && hits.v.n < CONTENTS_MAX_HITS; i++) {
		struct contents_hit h;
		int r = resolve(s, a, &k.all.p[i], &ids[k.all.p[i].which], &h, e);
		if (r < 0)
			return -1;
		if (r && !told(hits.v.p, hits.v.n, &h))
			vec_push(a, &hits.v, h);
	}
	for (size_t x = 0; x < hits.v.n; x++) /* they become more meanwhile */
		if (!hits.v.p[x].let_go && elsewhere(s, a, hits.v.p[x], &ids[hits.v.p[x].which], &hits, e))
			return -1;
	newest_hit_first(hits.v.p, hits.v.n);
	*out = hits.v.p;
	*n_out = hits.v.n;
	*more = (int64_t)(k.all.n - i);
	return 0;
}
