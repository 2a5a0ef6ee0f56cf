#include "repo/contents.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "repo/contents_in.h"
#include "sys/clock.h"
#include "sys/lock.h"

#define PAGE_ENTRIES 256               /* at most, but for many of one hash */
#define RUN_MAX      ((size_t)1 << 17) /* entries in a run that others are merged into */
#define PIECE_MAX    ((size_t)1 << 18) /* collected in memory before they are written */
#define SAME_FIRST   8                 /* of more entries of one hash than both in one run only these are kept */
#define SAME_LAST    24
#define BUDGET_MS    500               /* after that what is left of a long backlog is left to the next command */
#define LISTS_MAX    ((size_t)1 << 20) /* bytes of the row that names the runs */
#define FOREVER_MS   (INT64_MAX / 1000000)
#define PATH_CAP     4352
#define RUN_BITS     20 /* contents_page.id is the run's number, then this many bits of the page's */

uint64_t contents_hash(const struct sha *id)
{
	uint64_t h;

	memcpy(&h, id->b, sizeof(h));
	return be64toh(h);
}

void contents_push(struct list *l, struct entry16 x)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->p = xrealloc(l->p, l->cap * sizeof(*l->p));
	}
	l->p[l->n++] = x;
}

/* By hash. Hashes are spread evenly, so that one pass by their first bits leaves little to do; equal ones stay in
 * order. */
static void sort(struct list *l)
{
	struct entry16 *to;
	size_t *at;
	int bits = 1;

	if (l->n < 2)
		return;
	while ((size_t)1 << bits < l->n && bits < 20)
		bits++;
	at = xcalloc(((size_t)1 << bits) + 1, sizeof(*at));
	to = xmalloc(l->n * sizeof(*to));
	for (size_t i = 0; i < l->n; i++)
		at[(l->p[i].hash >> (64 - bits)) + 1]++;
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		at[i + 1] += at[i];
	for (size_t i = 0; i < l->n; i++)
		to[at[l->p[i].hash >> (64 - bits)]++] = l->p[i];
	for (size_t i = 1; i < l->n; i++) {
		struct entry16 x = to[i];
		size_t k = i;

		for (; k && to[k - 1].hash > x.hash; k--)
			to[k] = to[k - 1];
		to[k] = x;
	}
	free(at);
	free(l->p);
	l->p = to;
	l->cap = l->n;
}

/* Content that stands in very many places (the empty file) would fill pages: the first and the last tell enough. */
static void thin(struct list *l)
{
	size_t to = 0;

	for (size_t i = 0, end; i < l->n; i = end) {
		for (end = i + 1; end < l->n && l->p[end].hash == l->p[i].hash; end++)
			;
		for (size_t k = i; k < end; k++)
			if (k < i + SAME_FIRST || k + SAME_LAST >= end)
				l->p[to++] = l->p[k];
	}
	l->n = to;
}

/* --- runs: lists of entries in leat.db, in pages by the first bits of the hash --- */

size_t contents_page_of(const struct run *r, uint64_t hash)
{
	return r->bits ? hash >> (64 - r->bits) : 0;
}

static bool parse_run(struct str word, struct run *out)
{
	struct str id, n, bits;
	int64_t b;

	if (!str_cut(word, ':', &id, &n) || !str_cut(n, ':', &n, &bits) || !str_to_i64(id, &out->id) ||
	    !str_to_i64(n, &out->n) || !str_to_i64(bits, &b) || b < 0 || b > RUN_BITS)
		return false;
	out->bits = (int)b;
	return true;
}

int contents_lists_read(struct store *s, struct arena *a, struct lists *out, struct err *e)
{
	struct q *q = db_query(s->db, "select value from store where key = 'contents'");
	VEC(struct run) v = {0};
	struct lists l = {0};
	struct str rest = STR_NULL, word;
	int r = q_step(q, e);
	bool right = true;

	if (r == 1)
		rest = arena_str(a, q_col_text(q, 0));
	q_done(q);
	if (r < 0)
		return -1;
	for (bool first = true; right && rest.n; first = false) {
		struct run one;
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest = STR_NULL;
		}
		right = first ? str_to_i64(word, &l.taken) : parse_run(word, &one);
		if (right && !first)
			vec_push(a, &v, one);
	}
	if (!right) /* as if there were none: it can be made again */
		l.taken = 0;
	l.runs = v.p;
	l.n = right ? v.n : 0;
	*out = l;
	return 0;
}

static int lists_write(struct store *s, const struct lists *l, struct err *e)
{
	struct buf b = BUF_INIT(LISTS_MAX);
	struct q *q;
	int rc;

	buf_addf(&b, "%lld", (long long)l->taken);
	for (size_t i = 0; i < l->n; i++)
		buf_addf(&b, " %lld:%lld:%d", (long long)l->runs[i].id, (long long)l->runs[i].n, l->runs[i].bits);
	if (buf_over(&b)) {
		buf_free(&b);
		return err_set(e, ERR_LIMIT, "the index of contents has too many parts");
	}
	q = db_query(s->db, "insert into store(key, value) values('contents', ?1)"
	                    " on conflict(key) do update set value = ?1");
	q_text(q, 1, buf_str(&b));
	rc = q_run(q, e);
	buf_free(&b);
	return rc;
}

static int64_t last_id(const struct lists *l)
{
	int64_t id = 0;

	for (size_t i = 0; i < l->n; i++)
		id = MAX(id, l->runs[i].id);
	return id;
}

/* The entries of one page; none where it has no row. */
int contents_page_read(struct store *s, const struct run *r, size_t page, struct list *out, struct err *e)
{
	struct q *q = db_query(s->db, "select body from contents_page where id = ?");
	int got;

	q_int(q, 1, r->id << RUN_BITS | (int64_t)page);
	got = q_step(q, e);
	if (got == 1) {
		struct str body = q_col_blob(q, 0);
		for (size_t i = 0; i + sizeof(struct entry16) <= body.n; i += sizeof(struct entry16)) {
			struct entry16 x;
			memcpy(&x, body.p + i, sizeof(x));
			contents_push(out, (struct entry16){le64toh(x.hash), le32toh(x.move), le32toh(x.rank)});
		}
	}
	q_done(q);
	return got < 0 ? -1 : 0;
}

static int page_write(struct store *s, const struct run *r, size_t page, const struct entry16 *p, size_t n,
                      struct err *e)
{
	struct q *q = db_query(s->db, "insert into contents_page(id, body) values(?, ?)");
	struct entry16 *body = xmalloc(n * sizeof(*body));
	int rc;

	for (size_t i = 0; i < n; i++)
		body[i] = (struct entry16){htole64(p[i].hash), htole32(p[i].move), htole32(p[i].rank)};
	q_int(q, 1, r->id << RUN_BITS | (int64_t)page);
	q_blob(q, 2, body, n * sizeof(*body));
	rc = q_run(q, e);
	free(body);
	return rc;
}

static int begin(struct store *s, struct err *e)
{
	return db_begin_durable(s->db, DB_PROCESS, e); /* it can be made again */
}

static int end(struct store *s, int rc, struct err *e)
{
	if (rc) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

/* Pages from one number up to before another, some at a time. */
static int drop_pages(struct store *s, int64_t from, int64_t to, struct err *e)
{
	for (;;) {
		struct q *q =
			db_query(s->db, "select id from contents_page where id >= ? and id < ? order by id limit 1"
		                        " offset ?");
		int64_t upto = to;
		int r;

		q_int(q, 1, from);
		q_int(q, 2, to);
		q_int(q, 3, CONTENTS_SLICE);
		r = q_step(q, e);
		if (r == 1)
			upto = q_col_int(q, 0);
		q_done(q);
		if (r < 0 || begin(s, e))
			return -1;
		q = db_query(s->db, "delete from contents_page where id >= ? and id < ?");
		q_int(q, 1, from);
		q_int(q, 2, upto);
		if (end(s, q_run(q, e), e))
			return -1;
		if (r != 1)
			return 0;
		from = upto;
	}
}

static int write_pages(struct store *s, const struct run *r, const struct list *l, struct err *e)
{
	size_t i = 0, done = 0;
	int rc = begin(s, e);

	if (rc)
		return -1;
	while (!rc && i < l->n) {
		size_t page = contents_page_of(r, l->p[i].hash), to = i;

		while (to < l->n && contents_page_of(r, l->p[to].hash) == page)
			to++;
		rc = page_write(s, r, page, l->p + i, to - i, e);
		i = to;
		if (!rc && ++done % CONTENTS_SLICE == 0 && i < l->n) {
			if (end(s, 0, e) || begin(s, e))
				return -1;
		}
	}
	return rc; /* the last of these transactions is the caller's to end */
}

/* A run of what is in `l` (sorted) in place of n_old others, which stand one after the other; *all is then as it is. */
static int put_run(struct store *s, struct arena *a, struct list *l, struct lists *all, size_t old, size_t n_old,
                   int64_t taken, struct err *e)
{
	struct run r = {.id = last_id(all) + 1, .n = (int64_t)l->n};
	struct lists now = {.taken = taken, .runs = arena_array(a, struct run, all->n + 1)};
	int rc;

	while (r.bits < RUN_BITS && l->n >> r.bits > PAGE_ENTRIES)
		r.bits++;
	for (size_t i = 0; i < all->n; i++)
		if (i < old || i >= old + n_old)
			now.runs[now.n++] = all->runs[i];
	if (r.n)
		now.runs[now.n++] = r;
	rc = write_pages(s, &r, l, e);
	if (rc && !db_in_write(s->db))
		return -1;
	if (end(s, rc || lists_write(s, &now, e), e))
		return -1;
	for (size_t i = old; i < old + n_old; i++)
		if (drop_pages(s, all->runs[i].id << RUN_BITS, (all->runs[i].id + 1) << RUN_BITS, e))
			return -1;
	*all = now;
	return 0;
}

static int run_read(struct store *s, const struct run *r, struct list *out, struct err *e)
{
	for (size_t page = 0; page < (size_t)1 << r->bits; page++)
		if (contents_page_read(s, r, page, out, e))
			return -1;
	return 0;
}

/* What was collected becomes a run, together with the last ones while they are not much larger. */
static int add_run(struct store *s, struct list *l, int64_t taken, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct lists all;
	size_t from, total = l->n;
	struct list whole = {0};
	int rc = 0;

	if (contents_lists_read(s, a, &all, e))
		return -1;
	for (from = all.n; from && (size_t)all.runs[from - 1].n <= 2 * total; from--) {
		if (total + (size_t)all.runs[from - 1].n > RUN_MAX)
			break;
		total += (size_t)all.runs[from - 1].n;
	}
	/* the older first: equal hashes stay in the order in which they came */
	for (size_t i = from; !rc && i < all.n; i++)
		rc = run_read(s, &all.runs[i], &whole, e);
	for (size_t i = 0; i < l->n; i++)
		contents_push(&whole, l->p[i]);
	if (!rc) {
		sort(&whole);
		thin(&whole);
		rc = put_run(s, a, &whole, &all, from, all.n - from, taken < 0 ? all.taken : taken, e);
	}
	free(whole.p);
	return rc;
}

/* --- what is not in it yet --- */

static int number(struct store *s, const char *sql, int64_t *out, struct err *e)
{
	struct q *q = db_query(s->db, sql);
	int r = q_step(q, e);

	*out = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

int contents_backlog(struct store *s, int64_t *taken, int64_t *newest, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct lists all;

	if (contents_lists_read(s, a, &all, e) || number(s, "select max(seq) from head_move", newest, e))
		return -1;
	*taken = all.taken;
	return 0;
}

int contents_next_moves(struct store *s, int64_t from, struct move *out, size_t *n, struct err *e)
{
	struct q *q =
		db_query(s->db, "select seq, repo, case when event = new or not exists (select 1 from event where id"
	                        " = new) then new end from head_move m where seq > ? order by seq limit ?");
	int r;

	*n = 0;
	q_int(q, 1, from);
	q_int(q, 2, CONTENTS_SLICE);
	while ((r = q_step(q, e)) == 1)
		out[(*n)++] = (struct move){q_col_int(q, 0), q_col_int(q, 1), id_of(q_col_text(q, 2))};
	q_done(q);
	return r < 0 ? -1 : 0;
}

struct taking {
	taker *fn;
	void *ptr;
	const struct move *move;
};

static int take(void *ptr, const struct entry *entry, int64_t rank, struct err *e)
{
	struct taking *t = ptr;

	return t->fn(t->ptr, t->move, entry, rank, e);
}

/* The files that one commit brought. A commit that was let go meanwhile, or whose pages are damaged, tells nothing. */
int contents_each_new(struct store *s, const struct move *m, taker *fn, void *ptr, struct err *e)
{
	struct taking t = {fn, ptr, m};
	struct err inner = ERR_INIT;
	struct commit now, before;
	struct sha none = tree_empty_id();
	int had = 0, got = m->commit.hex[0] ? commit_find(s, m->repo, str_of(m->commit.hex), &now, e) : 0;

	if (got > 0 && now.parent.hex[0])
		had = commit_find(s, m->repo, str_of(now.parent.hex), &before, e);
	if (got <= 0 || had < 0)
		return MIN(got, had);
	if (!tree_news(s, had ? &before.tree : &none, &now.tree, take, &t, &inner) || inner.code == ERR_DAMAGED)
		return 0;
	*e = inner;
	return -1;
}

struct collecting {
	struct store *store;
	struct store *s; /* NULL: nothing is to be written yet */
	struct list *l;
};

/* Whether an entry with that hash is written: 1, 0, -1. */
static int has(struct store *s, uint64_t hash, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct list page = {0};
	struct lists all;
	bool found = false;
	int rc = contents_lists_read(s, a, &all, e);

	for (size_t i = all.n; !rc && !found && i-- > 0;) {
		page.n = 0;
		rc = contents_page_read(s, &all.runs[i], contents_page_of(&all.runs[i], hash), &page, e);
		for (size_t k = 0; !rc && !found && k < page.n; k++)
			found = page.p[k].hash == hash;
	}
	free(page.p);
	return rc ? -1 : found;
}

/*
 * A folder that comes whole, and stood somewhere before: a rename or copy of it brings no bytes, and one entry tells of
 * all its files: those are looked for below it (contents_find). Hence folders of some size have entries, by their ids.
 */
static int collect(void *ptr, const struct move *m, const struct entry *entry, int64_t rank, struct err *e)
{
	struct collecting *c = ptr;
	int known = 0;

	if (m->seq > UINT32_MAX || rank > UINT32_MAX)
		return 0;
	if (entry->kind == ENTRY_FOLDER) {
		known = entry->files < CONTENTS_FOLDER ? 0 : has(c->store, contents_hash(&entry->id), e);
		if (known < 0 || entry->files < CONTENTS_FOLDER)
			return known;
	}
	contents_push(c->l, (struct entry16){contents_hash(&entry->id), (uint32_t)m->seq, (uint32_t)rank});
	if (c->l->n < PIECE_MAX || !c->s)
		return known ? TREE_SKIP : 0;
	db_read_end(c->s->db); /* that of collect_moves */
	if (add_run(c->s, c->l, -1, e) || /* of one very large commit; the rest of it follows */
	    db_read_begin(c->s->db, e))
		return -1;
	c->l->n = 0;
	return known ? TREE_SKIP : 0;
}

static const char *lock_path(struct store *s, char out[PATH_CAP])
{
	snprintf(out, PATH_CAP, "%s/contents.lock", s->leat_dir);
	return out;
}

/* What a crash left of a run that was not finished. */
static int sweep(struct store *s, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct lists all;
	int64_t page;

	if (contents_lists_read(s, a, &all, e) || number(s, "select max(id) from contents_page", &page, e))
		return -1;
	return page >> RUN_BITS > last_id(&all) ? drop_pages(s, (last_id(&all) + 1) << RUN_BITS, INT64_MAX, e) : 0;
}

/* Of as many as one look gives, under one lock: small commits are read in less time than that takes. */
static int collect_slice(struct store *s, struct collecting *c, int64_t *taken, size_t *n, struct err *e)
{
	struct move moves[CONTENTS_SLICE];
	int rc = 0;

	if (db_read_begin(s->db, e))
		return -1;
	rc = contents_next_moves(s, *taken, moves, n, e);
	for (size_t i = 0; i < *n && !rc; i++) {
		rc = contents_each_new(s, &moves[i], collect, c, e);
		if (!rc)
			*taken = moves[i].seq;
	}
	if (db_in_read(s->db)) /* else `collect` could not go on with it */
		db_read_end(s->db);
	return rc;
}

static int collect_moves(struct store *s, struct collecting *c, int64_t *taken, int64_t budget_ms, struct err *e)
{
	int64_t began = clock_mono_ns();

	for (size_t n = 1; n && clock_mono_ns() - began < budget_ms * 1000000;)
		if (collect_slice(s, c, taken, &n, e))
			return -1;
	return 0;
}

static int keep_up(struct store *s, int64_t taken, int64_t budget_ms, struct err *e)
{
	struct list l = {0};
	struct collecting c = {s, s, &l};
	int rc = sweep(s, e) || collect_moves(s, &c, &taken, budget_ms, e) || add_run(s, &l, taken, e) ? -1 : 0;

	free(l.p);
	return rc;
}

int contents_keep_up(struct store *s, struct err *e)
{
	struct lock l cleanup(lock_drop) = LOCK_INIT;
	struct err busy = ERR_INIT;
	int64_t taken, newest;
	char path[PATH_CAP];

	BUG_IF(db_in_write(s->db));
	if (!s->n_moved)
		return 0;
	if (contents_backlog(s, &taken, &newest, e))
		return -1;
	if (newest - taken < CONTENTS_MOVES && s->brought < CONTENTS_FILES)
		return 0;
	s->brought = 0;
	if (lock_try(&l, lock_path(s, path), NULL, 0, &busy)) { /* another one does it */
		if (busy.code == ERR_BUSY)
			return 0;
		*e = busy;
		return -1;
	}
	return contents_backlog(s, &taken, &newest, e) || keep_up(s, taken, BUDGET_MS, e) ? -1 : 0;
}

int contents_keep_all(struct store *s, struct err *e)
{
	struct lock l cleanup(lock_drop) = LOCK_INIT;
	int64_t taken, newest;
	char path[PATH_CAP];

	if (contents_backlog(s, &taken, &newest, e))
		return -1;
	if (newest <= taken)
		return 0;
	if (lock_take(&l, lock_path(s, path), NULL, 0, e) || contents_backlog(s, &taken, &newest, e))
		return -1;
	return keep_up(s, taken, FOREVER_MS, e);
}

struct contents_ahead {
	struct list l;
	int64_t to;
};

int contents_ahead(struct store *s, struct contents_ahead **out, struct err *e)
{
	struct contents_ahead *h = xcalloc(1, sizeof(*h));
	struct collecting c = {s, NULL, &h->l};
	int64_t newest;

	if (contents_backlog(s, &h->to, &newest, e) || collect_moves(s, &c, &h->to, FOREVER_MS, e)) {
		contents_ahead_free(h);
		return -1;
	}
	*out = h;
	return 0;
}

int contents_ahead_write(struct store *s, struct contents_ahead *h, struct err *e)
{
	struct lock l cleanup(lock_drop) = LOCK_INIT;
	int64_t taken, newest;
	char path[PATH_CAP];

	if (!h->l.n)
		return 0;
	if (lock_take(&l, lock_path(s, path), NULL, 0, e) || contents_backlog(s, &taken, &newest, e))
		return -1;
	return taken >= h->to ? 0 : sweep(s, e) || add_run(s, &h->l, h->to, e) ? -1 : 0;
}

void contents_ahead_free(struct contents_ahead *h)
{
	if (!h)
		return;
	free(h->l.p);
	free(h);
}

/* --- gc --- */

/* The moves to commits of repos that were ended: nothing tells of them any more. One bit each. */
static int dead_moves(struct store *s, uint8_t *bits, int64_t top, int64_t *n, struct err *e)
{
	struct q *q = db_query(s->db, "select m.seq from head_move m where m.new is not null and not exists"
	                              " (select 1 from commits c where c.repo = m.repo and c.id = m.new) and not exists"
	                              " (select 1 from gone g where g.repo = m.repo and g.id = m.new)");
	int r;

	*n = 0;
	while ((r = q_step(q, e)) == 1) {
		int64_t seq = q_col_int(q, 0);
		if (seq <= top) {
			bits[seq / 8] |= (uint8_t)(1 << seq % 8);
			++*n;
		}
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* 1: it was written anew, as the last; 0: nothing of it goes; -1. */
static int sweep_run(struct store *s, struct arena *a, struct lists *all, size_t i, const uint8_t *bits, int64_t top,
                     struct err *e)
{
	struct list l = {0};
	size_t had, to = 0;
	int rc = run_read(s, &all->runs[i], &l, e);

	had = l.n;
	for (size_t k = 0; k < l.n; k++)
		if (l.p[k].move > top || !(bits[l.p[k].move / 8] >> l.p[k].move % 8 & 1))
			l.p[to++] = l.p[k];
	l.n = to;
	if (!rc && to < had)
		rc = put_run(s, a, &l, all, i, 1, all->taken, e) ? -1 : 1;
	free(l.p);
	return rc;
}

int contents_let_go(struct store *s, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct lock l cleanup(lock_drop) = LOCK_INIT;
	int64_t top, taken, dead, known;
	uint8_t *bits;
	struct lists all;
	char path[PATH_CAP];
	int rc;

	if (lock_take(&l, lock_path(s, path), NULL, 0, e) || contents_backlog(s, &taken, &top, e) ||
	    number(s, "select value from store where key = 'contents_dead'", &known, e) ||
	    contents_lists_read(s, a, &all, e))
		return -1;
	bits = xcalloc((size_t)top / 8 + 1, 1);
	rc = dead_moves(s, bits, top, &dead, e);
	for (size_t i = 0, left = all.n; rc >= 0 && dead != known && left; left--) {
		rc = sweep_run(s, a, &all, i, bits, top, e);
		i += !rc;
	}
	free(bits);
	if (rc < 0 || dead == known)
		return MIN(rc, 0);
	if (begin(s, e))
		return -1;
	struct q *q = db_query(s->db, "insert into store(key, value) values('contents_dead', ?1)"
	                              " on conflict(key) do update set value = ?1");
	q_int(q, 1, dead);
	return end(s, q_run(q, e), e);
}
