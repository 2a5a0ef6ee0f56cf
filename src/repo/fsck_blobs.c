/*
 * Every byte of every object: whole files, packs (by their footers, or by the rows where a footer is damaged), rows,
 * recipes. An object that is whole in one place is whole. No transaction is held while bytes are read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "repo/blob_in.h"
#include "repo/fsck_in.h"
#include "sys/file.h"

#define BYTES_DAMAGED "does not hold the bytes that its name says"

/* Whole in one place: whatever is wrong elsewhere does not hit it. */
static void redeem(struct fsck *f, struct thing *t)
{
	t->code = NULL;
	for (size_t i = 0; i < f->bad.n; i++)
		if (f->bad.p[i] == t)
			f->bad.p[i] = f->bad.p[--f->bad.n];
}

static int list_whole(struct fsck *f, struct err *e)
{
	struct q *q = db_query(f->s->db, "select id, size from blob");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct sha id;
		if (q_col_sha(q, 0, &id))
			fsck_thing(f, &f->blobs, &id)->size = q_col_int(q, 1);
	}
	q_done(q);
	return r;
}

static int check_whole(struct fsck *f, struct err *e)
{
	struct str id;
	void *value;

	if (list_whole(f, e))
		return -1;
	for (size_t i = 0; map_each(&f->blobs, &i, &id, &value);) {
		struct thing *t = value;
		struct err inner = ERR_INIT;
		char path[BLOB_PATH_CAP];
		uint64_t size;
		struct sha have;
		f->total.blobs++;
		f->total.bytes += t->size;
		blob_path(f->s, &t->id, path, sizeof(path));
		if (!file_exists(path)) {
			fsck_spoil(f, t, "missing-blob", "is gone");
		} else if (file_sha(path, &have, &size, &inner)) {
			if (inner.code == ERR_PERMISSION) {
				*e = inner;
				return -1;
			}
			fsck_spoil(f, t, "damaged-blob", "cannot be read");
		} else if (!sha_eq(&have, &t->id)) {
			fsck_spoil(f, t, "damaged-blob", BYTES_DAMAGED);
			blob_distrust(f->s, &t->id, BLOB_WHOLE);
		} else if ((int64_t)size != t->size &&
			   fsck_finding(f, e, "bad-record", "%s has %lld bytes, its row says %lld",
					path + strlen(f->s->ws->dir) + 1, (long long)size, (long long)t->size)) {
			return -1;
		}
	}
	return 0;
}

struct pack_row {
	int64_t number, bytes;
	char name[PACK_NAME];
	const char *shown; /* ".leat/packs/NAME.pack" */
	VEC(struct thing *) things; /* that rows of `packed` place here */
	bool there;
};

struct packs_seen {
	struct fsck *f;
	VEC(struct pack_row) rows;
};

static struct pack_row *row_of(struct packs_seen *p, int64_t number)
{
	size_t low = 0, high = p->rows.n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (p->rows.p[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->rows.n && p->rows.p[low].number == number ? &p->rows.p[low] : NULL;
}

static int list_packs(struct packs_seen *p, struct err *e)
{
	struct fsck *f = p->f;
	struct q *q = db_query(f->s->db, "select id, name, bytes from pack order by id");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct str name = q_col_text(q, 1);
		struct pack_row row = {.number = q_col_int(q, 0), .bytes = q_col_int(q, 2)};
		snprintf(row.name, sizeof(row.name), "%.*s", STR_ARG(name));
		row.shown = arena_printf(f->a, ".leat/packs/%s.pack", row.name);
		vec_push(f->a, &p->rows, row);
	}
	q_done(q);
	return r;
}

static int list_packed(struct packs_seen *p, struct err *e)
{
	struct fsck *f = p->f;
	struct q *q = db_query(f->s->db, "select id, pack, at, stored, size from packed");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct pack_row *row;
		struct thing *t;
		struct sha id;
		if (!q_col_sha(q, 0, &id))
			continue;
		t = fsck_thing(f, &f->blobs, &id);
		t->at = (struct pack_at){q_col_int(q, 1), q_col_int(q, 2), q_col_int(q, 3), q_col_int(q, 4)};
		t->size = t->at.size;
		f->total.blobs++;
		f->total.bytes += t->size;
		row = row_of(p, t->at.pack);
		if (row)
			vec_push(f->a, &row->things, t);
	}
	q_done(q);
	return r;
}

/* One record: 1 whole, 0 not, -1. */
static int check_record(int fd, const struct pack_entry *t, char *stored, char *out, const char *path, struct err *e)
{
	struct err inner = ERR_INIT;
	size_t got = 0;

	if (fd_pread_full(fd, stored, t->stored, (off_t)t->at, &got, path, &inner))
		return inner.code == ERR_PERMISSION ? (*e = inner, -1) : 0;
	return got == t->stored && !pack_open_object(t, stored, out, &inner);
}

/* An entry of a footer, or of a row. */
static int check_entry(struct fsck *f, const struct pack_row *row, const struct pack_entry *x, bool whole,
		       struct err *e)
{
	struct thing *t = map_get(&f->blobs, fsck_key(&x->id));
	char hex[SHA_HEX + 1];

	if (t && t->at.pack != row->number)
		t = NULL;
	if (!t) {
		sha_hex(&x->id, hex);
		return whole ? 0
			     : fsck_finding(f, e, "damaged-pack",
					    "%s: the record of %s, which nothing needs here, " BYTES_DAMAGED,
					    row->shown, hex);
	}
	t->seen = true;
	if (t->at.at < 0) { /* found before: nobody reads it */
		whole = false;
	} else if ((t->at.at != (int64_t)x->at || t->at.stored != x->stored || t->at.size != x->size)) {
		sha_hex(&x->id, hex);
		if (fsck_finding(f, e, "bad-record", "the row of %s says another place in %s than the pack itself", hex,
				 row->shown))
			return -1;
		whole = false;
	}
	if (whole && t->code)
		redeem(f, t);
	if (!whole && !t->code) {
		sha_hex(&x->id, hex);
		t->place = arena_printf(f->a, "the object %s in %s", hex, row->shown);
		fsck_spoil(f, t, "damaged-blob", BYTES_DAMAGED);
		blob_distrust(f->s, &t->id, BLOB_PACKED);
	}
	return 0;
}

/* Where the footer cannot be believed the rows say what should be there. */
static struct pack_entry *from_rows(struct arena *a, const struct pack_row *row, size_t *n)
{
	struct pack_entry *all = arena_array(a, struct pack_entry, row->things.n);

	*n = 0;
	for (size_t i = 0; i < row->things.n; i++) {
		const struct thing *t = row->things.p[i];
		if (t->at.at < 0 || t->at.stored < 0 || t->at.stored > t->at.size || t->at.size > PACK_OBJECT_MAX)
			continue;
		all[(*n)++] = (struct pack_entry){t->id, (uint64_t)t->at.at, (uint32_t)t->at.stored,
						  (uint32_t)t->at.size};
	}
	return all;
}

static int by_place(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int check_pack(struct fsck *f, struct pack_row *row, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int fd FD_CLEANUP = -1;
	struct err inner = ERR_INIT;
	struct pack_entry *all;
	char path[BLOB_PATH_CAP], *stored, *out;
	size_t n = 0;
	int rc = 0;

	pack_path(f->s, row->name, path, sizeof(path));
	if (file_open_read(path, &fd, &inner)) {
		if (inner.code == ERR_PERMISSION) {
			*e = inner;
			return -1;
		}
		return fsck_finding(f, e, "missing-pack", "%s is gone, or cannot be read", row->shown);
	}
	row->there = true;
	if (pack_index(f->s, a, row->name, &all, &n, &inner)) {
		if (inner.code == ERR_PERMISSION) {
			*e = inner;
			return -1;
		}
		if (fsck_finding(f, e, "damaged-pack", "%s", inner.msg))
			return -1;
		all = from_rows(a, row, &n);
	}
	qsort(all, n, sizeof(*all), by_place);
	stored = arena_alloc(a, (size_t)PACK_OBJECT_MAX);
	out = arena_alloc(a, (size_t)PACK_OBJECT_MAX);
	for (size_t i = 0; i < n && !rc; i++) {
		int whole = check_record(fd, &all[i], stored, out, path, e);
		rc = whole < 0 ? -1 : check_entry(f, row, &all[i], whole, e);
	}
	return rc;
}

static int check_packs(struct fsck *f, struct err *e)
{
	struct packs_seen p = {.f = f};
	struct str id;
	void *value;

	if (list_packs(&p, e) || list_packed(&p, e))
		return -1;
	for (size_t i = 0; i < p.rows.n; i++)
		if (check_pack(f, &p.rows.p[i], e))
			return -1;
	for (size_t i = 0; map_each(&f->blobs, &i, &id, &value);) {
		struct thing *t = value;
		struct pack_row *row;
		char hex[SHA_HEX + 1];
		if (!t->at.pack || t->seen || t->code)
			continue;
		row = row_of(&p, t->at.pack);
		sha_hex(&t->id, hex);
		t->place = arena_printf(f->a, "the object %s in %s", hex, row ? row->shown : "a pack without a row");
		fsck_spoil(f, t, "missing-blob", row && row->there ? "is not in it" : "is gone");
	}
	return 0;
}

static int check_small(struct fsck *f, struct err *e)
{
	struct q *q = db_query(f->s->db, "select id, body from small");
	VEC(struct thing *) spoilt = {0};
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct str body = q_col_blob(q, 1);
		struct sha id, have = sha_of(body.p, body.n);
		char hex[SHA_HEX + 1];
		struct thing *t;
		if (!q_col_sha(q, 0, &id))
			continue;
		t = fsck_thing(f, &f->blobs, &id);
		t->size = (int64_t)body.n;
		f->total.blobs++;
		f->total.bytes += t->size;
		if (sha_eq(&have, &id)) {
			redeem(f, t);
		} else if (!t->code) {
			sha_hex(&id, hex);
			t->place = arena_printf(f->a, "the object %s in a row of leat.db", hex);
			fsck_spoil(f, t, "damaged-blob", BYTES_DAMAGED);
			vec_push(f->a, &spoilt, t);
		}
	}
	q_done(q);
	for (size_t i = 0; i < spoilt.n; i++)
		blob_distrust(f->s, &spoilt.p[i]->id, BLOB_SMALL);
	return r;
}

static int nowhere(void *ptr, const void *p, size_t n, struct err *e)
{
	(void)ptr, (void)p, (void)n, (void)e;
	return 0;
}

struct cold {
	struct sha id;
	int64_t size;
};

static int check_recipes(struct fsck *f, struct err *e)
{
	struct q *q = db_query(f->s->db, "select id, size from recipe");
	VEC(struct cold) all = {0};
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct cold c = {.size = q_col_int(q, 1)};
		if (q_col_sha(q, 0, &c.id))
			vec_push(f->a, &all, c);
	}
	q_done(q);
	if (r < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		struct thing *t = fsck_thing(f, &f->blobs, &all.p[i].id);
		struct err inner = ERR_INIT;
		char hex[SHA_HEX + 1];
		t->size = all.p[i].size;
		f->total.blobs++;
		f->total.bytes += t->size;
		if (!recipe_stream(f->s, &t->id, t->size, nowhere, NULL, &inner)) {
			redeem(f, t);
		} else if (!t->code) {
			sha_hex(&t->id, hex);
			t->place = arena_printf(f->a, "the object %s, kept as ranges of others,", hex);
			fsck_spoil(f, t, "damaged-blob", arena_printf(f->a, "cannot be put together: %s", inner.msg));
		}
	}
	return 0;
}

int fsck_blobs(struct fsck *f, struct err *e)
{
	static int (*const all[])(struct fsck *, struct err *) = {check_whole, check_packs, check_small, check_recipes};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (fsck_borne(f, all[i](f, e), e))
			return -1;
	return 0;
}
