/* Packs: rows of `small` move into them, and what is left of packs that are mostly dead, or very small, into others. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "repo/gc_in.h"
#include "repo/pack.h"
#include "sys/fault.h"
#include "sys/file.h"

#define SMALL_ROWS 64            /* fewer rows of `small` stay rows, */
#define SMALL_BYTES 262144       /* unless they hold this much */
#define TINY ((int64_t)1 << 20)  /* packs below this are merged, */
#define TINY_MANY 8              /* when there are so many */
#define ROUND 100000             /* objects moved at a time: 8 MB of memory */

struct moved {
	struct sha id;
	struct pack_at at; /* pack 0: a row of `small` */
};

struct round {
	struct gc *g;
	struct arena *a;
	VEC(struct moved) list;
	struct pack_writer *w;
};

/* 1, 0: it was swept since it was listed, -1. */
static int fetch(struct round *d, const struct moved *m, struct buf *b, struct err *e)
{
	struct q *q;
	int r;

	BUG_IF(db_in_write(d->g->s->db));
	buf_reset(b);
	buf_reserve(b, (size_t)m->at.size + 1);
	if (m->at.pack) {
		if (pack_fetch(d->g->s, &m->id, &m->at, b->p, e))
			return -1;
		b->n = (size_t)m->at.size;
		return 1;
	}
	q = db_query(d->g->s->db, "select body from small where id = ?");
	q_sha(q, 1, &m->id);
	r = q_step(q, e);
	if (r == 1)
		buf_addstr(b, q_col_blob(q, 0));
	q_done(q);
	return r;
}

/* One row now says the new place, if it still says the old one. */
static int redirect(struct round *d, const struct pack_entry *t, struct err *e)
{
	struct q *q = db_query(d->g->s->db, "insert into packed(id, pack, at, stored, size) values(?, ?, ?, ?, ?)"
					    " on conflict(id) do update set pack = excluded.pack, at = excluded.at,"
					    " stored = excluded.stored");

	q_sha(q, 1, &t->id);
	q_int(q, 2, pack_number(d->w));
	q_int(q, 3, (int64_t)t->at);
	q_int(q, 4, t->stored);
	q_int(q, 5, t->size);
	if (q_run(q, e))
		return -1;
	q = db_query(d->g->s->db, "delete from small where id = ?");
	q_sha(q, 1, &t->id);
	return q_run(q, e);
}

/* What was swept meanwhile is not brought back. */
static int still(struct round *d, const struct sha *id, struct err *e)
{
	struct q *q = db_query(d->g->s->db, "select 1 from packed where id = ?1 union all"
					    " select 1 from small where id = ?1");
	int r;

	q_sha(q, 1, id);
	r = q_step(q, e);
	q_done(q);
	return r;
}

static int record(struct round *d, struct err *e)
{
	size_t n = pack_objects(d->w);
	struct gc *g = d->g;

	for (size_t i = 0; i < n || !i;) {
		if (gc_slice_begin(g, e))
			return -1;
		int rc = i ? 0 : pack_record(d->w, e);
		for (; i < n && !rc && (!i || !gc_slice_over(g)); i++) {
			int r = still(d, &pack_entry(d->w, i)->id, e);
			rc = r < 0 ? -1 : r ? redirect(d, pack_entry(d->w, i), e) : 0;
		}
		if (rc) {
			gc_slice_drop(g);
			return -1;
		}
		if (gc_slice_end(g, e))
			return -1;
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	if (x->at.pack != y->at.pack)
		return x->at.pack < y->at.pack ? -1 : 1;
	return x->at.at < y->at.at ? -1 : x->at.at > y->at.at;
}

int gc_pack_close(struct gc *g, struct pack_writer *w, struct err *e)
{
	char packs[BLOB_PATH_CAP];

	BUG_IF(db_in_write(g->s->db));
	snprintf(packs, sizeof(packs), "%s/packs", g->s->leat_dir);
	if (pack_finish(w, e) || pack_sync(w, e) || pack_place(w, e) || dir_sync(packs, e))
		return -1;
	g->r.packs++;
	fault_crash("gc-pack-placed");
	return 0;
}

static int add(struct round *d, const struct moved *m, struct pack_squeezer *z, struct buf *raw, struct buf *frame,
	       struct err *e)
{
	int r = fetch(d, m, raw, e);
	bool squeezed;

	if (r <= 0 || (!d->w && pack_create(d->g->s, &d->w, e)))
		return r ? -1 : 0;
	squeezed = pack_squeeze(z, buf_str(raw), frame);
	return pack_add(d->w, &m->id, buf_str(raw), squeezed ? buf_str(frame) : STR_NULL, e);
}

/* Writes the objects of a round into packs and turns their rows there. */
static int move(struct round *d, struct err *e)
{
	struct pack_squeezer *z = pack_squeezer_new();
	struct buf raw = BUF_INIT((size_t)PACK_OBJECT_MAX + 1), frame = BUF_INIT((size_t)PACK_OBJECT_MAX + 1);
	int rc = 0;

	if (d->list.n)
		qsort(d->list.p, d->list.n, sizeof(*d->list.p), by_place);
	for (size_t i = 0; i < d->list.n && !rc; i++) {
		gc_say(d->g, "packing", (double)i / (double)d->list.n);
		rc = add(d, &d->list.p[i], z, &raw, &frame, e);
		if (!rc && d->w && (pack_written(d->w) >= PACK_FULL || i + 1 == d->list.n)) {
			rc = gc_pack_close(d->g, d->w, e) || record(d, e) ? -1 : 0;
			pack_writer_free(d->w);
			d->w = NULL;
		}
	}
	pack_writer_free(d->w);
	d->w = NULL;
	d->list.n = 0;
	buf_free(&raw);
	buf_free(&frame);
	pack_squeezer_free(z);
	return rc;
}

static int pack_small(struct gc *g, struct err *e)
{
	struct round d = {.g = g, .a = arena_new()};
	struct q *q = db_query(g->s->db, "select count(*), coalesce(sum(length(body)), 0) from small");
	int r = q_step(q, e), rc = 0;
	bool worth = r == 1 && (q_col_int(q, 0) >= SMALL_ROWS || q_col_int(q, 1) >= SMALL_BYTES ||
				(g->how->eager && q_col_int(q, 0)));

	q_done(q);
	while (worth && r >= 0 && !rc) {
		struct moved m = {0};
		q = db_query(g->s->db, "select id, length(body) from small order by rowid limit ?");
		q_int(q, 1, ROUND);
		while ((r = q_step(q, e)) == 1) {
			m.at.size = q_col_int(q, 1);
			if (q_col_sha(q, 0, &m.id))
				vec_push(d.a, &d.list, m);
		}
		q_done(q);
		worth = d.list.n == ROUND;
		rc = r < 0 || (d.list.n && move(&d, e)) ? -1 : 0;
	}
	arena_free(d.a);
	return r < 0 || rc ? -1 : 0;
}

struct stat_pack {
	int64_t id, bytes, live, objects;
	bool goes;
	char name[PACK_NAME];
};
struct packs_seen {
	VEC(struct stat_pack) list; /* by id */
};

static struct stat_pack *seen(struct packs_seen *p, int64_t id)
{
	size_t lo = 0, hi = p->list.n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (p->list.p[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->list.n && p->list.p[lo].id == id ? &p->list.p[lo] : NULL;
}

static int list_packs(struct gc *g, struct arena *a, struct packs_seen *p, struct err *e)
{
	struct q *q = db_query(g->s->db, "select id, bytes, name from pack order by id");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct stat_pack t = {.id = q_col_int(q, 0), .bytes = q_col_int(q, 1)};
		snprintf(t.name, sizeof(t.name), "%.*s", STR_ARG(q_col_text(q, 2)));
		vec_push(a, &p->list, t);
	}
	q_done(q);
	return r;
}

/* Which packs go: empty ones, mostly dead ones, and tiny ones if they are many. */
static int choose(struct gc *g, struct packs_seen *p, bool *any, struct err *e)
{
	struct q *q = db_query(g->s->db, "select pack, count(*), sum(stored) from packed group by pack");
	int64_t tiny = 0;
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct stat_pack *t = seen(p, q_col_int(q, 0));
		if (!t)
			continue;
		t->objects = q_col_int(q, 1);
		t->live = q_col_int(q, 2);
	}
	q_done(q);
	for (size_t i = 0; i < p->list.n; i++)
		tiny += p->list.p[i].bytes < TINY;
	for (size_t i = 0; i < p->list.n; i++) {
		struct stat_pack *t = &p->list.p[i];
		/* beside the records a pack has 48 bytes an object, and 56 */
		t->goes = !t->objects || t->bytes - 48 * t->objects - 56 > 2 * t->live ||
			  ((tiny >= TINY_MANY || g->how->eager) && t->bytes < TINY);
		*any |= t->goes;
	}
	return r;
}

static int collect(struct gc *g, struct round *d, struct packs_seen *p, struct sha *after, bool *first, struct err *e)
{
	struct q *q = db_query(g->s->db, "select id, pack, at, stored, size from packed where id > ? order by id");
	int r;

	q_blob(q, 1, after->b, *first ? 0 : SHA_BYTES);
	*first = false;
	while (d->list.n < ROUND && (r = q_step(q, e)) == 1) {
		struct stat_pack *t = seen(p, q_col_int(q, 1));
		struct moved m = {.at = {q_col_int(q, 1), q_col_int(q, 2), q_col_int(q, 3), q_col_int(q, 4)}};
		if (!q_col_sha(q, 0, &m.id))
			continue;
		*after = m.id;
		if (t && t->goes)
			vec_push(d->a, &d->list, m);
	}
	q_done(q);
	return d->list.n < ROUND && r < 0 ? -1 : 0;
}

/* The packs that nothing lies in any more: rows, then files. */
static int drop(struct gc *g, struct packs_seen *p, struct err *e)
{
	char path[BLOB_PATH_CAP];
	bool any = false;

	for (size_t i = 0; i < p->list.n;) {
		if (gc_slice_begin(g, e))
			return -1;
		for (; i < p->list.n && !gc_slice_over(g); i++) {
			struct q *q;
			if (!p->list.p[i].goes)
				continue;
			any = true;
			q = db_query(g->s->db, "delete from pack where id = ?");
			q_int(q, 1, p->list.p[i].id);
			if (q_run(q, e)) {
				gc_slice_drop(g);
				return -1;
			}
		}
		if (gc_slice_end(g, e))
			return -1;
	}
	if (!any)
		return 0;
	if (gc_settle(g, e))
		return -1;
	for (size_t i = 0; i < p->list.n; i++) {
		if (!p->list.p[i].goes)
			continue;
		pack_path(g->s, p->list.p[i].name, path, sizeof(path));
		if (gc_trash(g, path, e))
			return -1;
		g->r.packed++;
	}
	return gc_trash_empty(g, e);
}

int gc_pack(struct gc *g, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct round d = {.g = g, .a = a};
	struct packs_seen p = {0};
	struct sha after = {0};
	bool any = false, first = true;
	int64_t epoch;
	int r;

	if (pack_small(g, e) || list_packs(g, a, &p, e) || store_epoch(g->s, &epoch, e))
		return -1;
	/* A session may be in the middle of the rows of a pack that was listed. Those that begin now have others. */
	r = store_sessions_before(g->s, epoch + 1, e);
	if (r) {
		g->r.writers |= r > 0;
		return r < 0 ? -1 : 0;
	}
	if (choose(g, &p, &any, e))
		return -1;
	if (!any)
		return 0;
	for (bool more = true; more;) {
		if (collect(g, &d, &p, &after, &first, e))
			return -1;
		more = d.list.n == ROUND;
		if (d.list.n && move(&d, e))
			return -1;
	}
	return drop(g, &p, e);
}
