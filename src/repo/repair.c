#include "repo/repair.h"

#include <stdio.h>
#include <unistd.h>

#include "base/map.h"
#include "base/str.h"
#include "repo/blob.h"
#include "repo/pack.h"
#include "repo/view.h"
#include "sys/file.h"
#include "sys/rand.h"

#define ROWS 500 /* of packs, in one transaction */

struct lost_blob {
	struct sha id;
	int64_t size;
	bool found;
};

struct repair {
	struct store *s;
	struct arena *a;
	VEC(struct lost_blob) lost;
	int64_t open; /* of these, not found yet */
	void (*note)(void *ptr, const char *text);
	void *ptr;
};

printf_like(2, 3) static void say(struct repair *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (r->note)
		r->note(r->ptr, arena_vprintf(r->a, fmt, ap));
	va_end(ap);
}

/* Whole files whose bytes are not those of their names. */
static int find_lost(struct repair *r, struct err *e)
{
	struct q *q = db_query(r->s->db, "select id, size from blob");
	VEC(struct lost_blob) all = {0};
	char path[BLOB_PATH_CAP];
	int got;

	while ((got = q_step(q, e)) == 1) {
		struct lost_blob b = {.size = q_col_int(q, 1)};
		if (q_col_sha(q, 0, &b.id))
			vec_push(r->a, &all, b);
	}
	q_done(q);
	if (got < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		struct err ignored = ERR_INIT;
		struct sha have;
		blob_path(r->s, &all.p[i].id, path, sizeof(path));
		if (file_sha(path, &have, NULL, &ignored) || !sha_eq(&have, &all.p[i].id))
			vec_push(r->a, &r->lost, all.p[i]);
	}
	r->open = (int64_t)r->lost.n;
	return 0;
}

/* A copy with the right bytes takes the place. */
static int put_back(struct repair *r, struct lost_blob *b, const char *from, struct err *e)
{
	char path[BLOB_PATH_CAP], temp[BLOB_PATH_CAP], name[RAND_NAME];
	struct file_key k;
	struct sha have;
	struct q *q;

	rand_name(name);
	snprintf(temp, sizeof(temp), "%s/staging/in-%s", r->s->leat_dir, name);
	if (file_copy_sha(from, temp, 0444, FILE_SYNC, &have, NULL, e))
		return -1;
	if (!sha_eq(&have, &b->id)) { /* it changed while it was read */
		(void)unlink(temp);
		return 0;
	}
	blob_path(r->s, &b->id, path, sizeof(path));
	if ((file_exists(path) && blob_quarantine(r->s, &b->id, e)) || dir_make_parent(path, 0777, e) ||
	    file_rename(temp, path, e) || file_stat_key(path, &k, e) || db_begin(r->s->db, e))
		return -1;
	q = db_query(r->s->db, "update blob set size = ?, mtime_ns = ? where id = ?");
	q_int(q, 1, k.size);
	q_int(q, 2, k.mtime_ns);
	q_sha(q, 3, &b->id);
	if (q_run(q, e) || db_commit(r->s->db, e)) {
		db_rollback(r->s->db);
		return -1;
	}
	b->found = true;
	r->open--;
	say(r, "%s was put right from %s", path + strlen(r->s->ws->dir) + 1, from + strlen(r->s->ws->dir) + 1);
	return 0;
}

static int look(struct repair *r, const char *root, const struct dir_entry *t, struct err *e)
{
	struct err ignored = ERR_INIT;
	char *path = NULL;
	struct sha have;

	if (t->type != DIR_FILE || !r->open)
		return r->open ? DIR_GO : DIR_STOP;
	for (size_t i = 0; i < r->lost.n; i++) {
		struct lost_blob *b = &r->lost.p[i];
		if (b->found || b->size != (int64_t)t->st.st_size)
			continue;
		if (!path) {
			path = arena_printf(r->a, "%s/%s", root, t->path);
			if (file_sha(path, &have, NULL, &ignored))
				return DIR_GO;
		}
		if (sha_eq(&have, &b->id) && put_back(r, b, path, e))
			return -1;
	}
	return DIR_GO;
}

static int in_datastore(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct repair *r = ptr;

	return look(r, r->s->data_dir, t, e);
}

static int in_lost(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct repair *r = ptr;

	return look(r, arena_printf(r->a, "%s/lost+found", r->s->leat_dir), t, e);
}

static int in_old(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct repair *r = ptr;

	return look(r, arena_printf(r->a, "%s/old", r->s->leat_dir), t, e);
}

/* The row of a pack, made if need be: its number. Inside a transaction. */
static int pack_row(struct repair *r, const char *name, size_t n, int64_t bytes, int64_t *number, struct err *e)
{
	struct q *q = db_query(r->s->db, "insert into pack(name, bytes, objects, created) values(?, ?, ?, 0)"
					 " on conflict(name) do update set bytes = excluded.bytes returning id");
	int got;

	q_cstr(q, 1, name);
	q_int(q, 2, bytes);
	q_int(q, 3, (int64_t)n);
	got = q_step(q, e);
	if (got == 1)
		*number = q_col_int(q, 0);
	q_done(q);
	return got < 0 ? -1 : 0;
}

static int record_rows(struct repair *r, const char *name, int64_t bytes, const struct pack_entry *all, size_t n,
		       struct err *e)
{
	for (size_t i = 0; i < n;) {
		int64_t number = 0;
		int rc;
		if (db_begin(r->s->db, e))
			return -1;
		rc = pack_row(r, name, n, bytes, &number, e);
		for (size_t end = MIN(n, i + ROWS); i < end && !rc; i++) {
			struct q *q = db_query(r->s->db, "insert or ignore into packed(id, pack, at, stored, size)"
							 " values(?, ?, ?, ?, ?)");
			q_sha(q, 1, &all[i].id);
			q_int(q, 2, number);
			q_int(q, 3, (int64_t)all[i].at);
			q_int(q, 4, all[i].stored);
			q_int(q, 5, all[i].size);
			rc = q_run(q, e);
		}
		if (rc || db_commit(r->s->db, e)) {
			db_rollback(r->s->db);
			return -1;
		}
	}
	return 0;
}

/* What a pack holds and no row names is found again; what was garbage goes at the next gc. */
static int read_pack(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct repair *r = ptr;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(struct pack_entry) missing = {0};
	struct err ignored = ERR_INIT;
	struct pack_entry *all;
	struct str base, ext;
	size_t n;
	char *name;

	if (t->type != DIR_FILE || !str_rcut(str_of(t->name), '.', &base, &ext) || !str_is(ext, "pack"))
		return DIR_GO;
	name = arena_cstr(a, base);
	if (pack_index(r->s, a, name, &all, &n, &ignored))
		return DIR_GO; /* fsck tells of it */
	for (size_t i = 0; i < n; i++) {
		struct blob_at at;
		int got = blob_look(r->s, &all[i].id, &at, e);
		if (got < 0)
			return -1;
		if (!got)
			vec_push(a, &missing, all[i]);
	}
	if (!missing.n)
		return DIR_GO;
	if (record_rows(r, name, (int64_t)t->st.st_size, missing.p, missing.n, e))
		return -1;
	say(r, "%zu objects of .leat/packs/%s have their rows again", missing.n, t->name);
	return DIR_GO;
}

static int drop_view(void *ptr, const char *view, const char *path, struct err *e)
{
	struct repair *r = ptr;

	(void)path;
	if (dir_remove_tree(view, e))
		return -1;
	say(r, "%s was no true copy any more and is taken away", view + strlen(r->s->ws->dir) + 1);
	return 0;
}

int repair_run(struct store *s, void (*note)(void *ptr, const char *text), void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct repair r = {.s = s, .a = a, .note = note, .ptr = ptr};
	int rc = find_lost(&r, e);

	if (!rc && r.open)
		rc = dir_walk(s->data_dir, DIR_GONE_OK, in_datastore, &r, e);
	if (!rc && r.open)
		rc = dir_walk(arena_printf(a, "%s/lost+found", s->leat_dir), DIR_GONE_OK, in_lost, &r, e);
	if (!rc && r.open)
		rc = dir_walk(arena_printf(a, "%s/old", s->leat_dir), DIR_GONE_OK, in_old, &r, e);
	if (!rc)
		rc = dir_walk(arena_printf(a, "%s/packs", s->leat_dir), DIR_FLAT | DIR_GONE_OK, read_pack, &r, e);
	return rc ? -1 : view_check(s, drop_view, &r, e);
}
