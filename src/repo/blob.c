#include "repo/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/blob_in.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/rand.h"

#define MEMORY_MAX ((int64_t)64 << 20) /* larger copies of objects lie on disk */

void blob_path(const struct store *s, const struct sha *id, char *out, size_t cap)
{
	char hex[SHA_HEX + 1];

	sha_hex(id, hex);
	snprintf(out, cap, "%s/blobs/%.2s/%s", s->leat_dir, hex, hex + 2);
}

static int record(struct store *s, const struct sha *id, int64_t size, int64_t mtime_ns, struct err *e)
{
	struct q *q = db_query(s->db, "update blob set size = ?, mtime_ns = ? where id = ?");

	q_int(q, 1, size);
	q_int(q, 2, mtime_ns);
	q_sha(q, 3, id);
	return q_run(q, e);
}

/* Equal bytes under a changed stat: remembered, so that they are not hashed again. Where it cannot be written, they
 * will be. */
static void record_anew(struct store *s, const struct sha *id, const struct stat *st)
{
	struct err ignored = ERR_INIT;
	struct file_key k = file_key_of(st);

	if (db_in_write(s->db)) {
		if (record(s, id, k.size, k.mtime_ns, &ignored))
			return;
	} else if (!db_in_read(s->db) && !db_begin_durable(s->db, DB_PROCESS, &ignored)) {
		if (record(s, id, k.size, k.mtime_ns, &ignored) || db_commit(s->db, &ignored))
			db_rollback(s->db);
	}
}

void blob_distrust(struct store *s, const struct sha *id, enum blob_place place)
{
	/* a whole file's time, a record's place, a row's bytes: such as nothing has */
	static const char *const marks[] = {
		[BLOB_WHOLE] = "update blob set mtime_ns = -1 where id = ?",
		[BLOB_PACKED] = "update packed set at = -1 where id = ?",
		[BLOB_SMALL] = "update small set body = zeroblob(0) where id = ?",
	};
	struct err ignored = ERR_INIT;
	struct q *q;

	BUG_IF(place >= ARRAY_LEN(marks));
	if (db_in_read(s->db) || db_begin_durable(s->db, DB_PROCESS, &ignored))
		return;
	q = db_query(s->db, marks[place]);
	q_sha(q, 1, id);
	if (q_run(q, &ignored) || db_commit(s->db, &ignored))
		db_rollback(s->db);
}

/* Whether the file at `path` holds the bytes of `id`; st as it stands. Reads it only if its stat is not the recorded
 * one. */
static int holds(struct store *s, const struct sha *id, const char *path, const struct stat *st, int64_t size,
                 int64_t mtime_ns, struct err *e)
{
	struct file_key k = file_key_of(st);
	struct sha have;

	if (k.size == size && k.mtime_ns == mtime_ns)
		return 1;
	if (k.size != size)
		return 0;
	if (file_sha(path, &have, NULL, e))
		return -1;
	if (!sha_eq(&have, id))
		return 0;
	record_anew(s, id, st);
	return 1;
}

static int lost(const char *path, const struct sha *id, bool there, struct err *e)
{
	char hex[SHA_HEX + 1];

	sha_hex(id, hex);
	err_set(e, ERR_DAMAGED,
		there ? "%s does not hold the bytes with SHA-256 %s any more" : "%s is gone (SHA-256 %s)", path, hex);
	return err_hint(e, "leat fsck names the commits that hold it; putting a file with the same bytes repairs it");
}

/* What a row of WHERE says. */
enum { ROW_WHOLE, ROW_PACKED, ROW_SMALL, ROW_RECIPE };
#define EMPTY_SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define WHERE                                                                                                          \
	"select 0, size, mtime_ns, 0, 0 from blob where id = ?1"                                                       \
	" union all select 1, size, pack, at, stored from packed where id = ?1 and at >= 0"                            \
	" union all select 2, length(body), 0, 0, 0 from small where id = ?1 and"                                      \
	"  (length(body) > 0 or id = x'" EMPTY_SHA "')"                                                                \
	" union all select 3, size, 0, 0, 0 from recipe where id = ?1"

/* The file of a row of `blob`: 1, 0, -1. */
static int whole_stands(struct store *s, const struct sha *id, int64_t size, int64_t mtime_ns, struct err *e)
{
	char path[BLOB_PATH_CAP];
	struct stat st;

	blob_path(s, id, path, sizeof(path));
	fault_step("look");
	if (lstat(path, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return err_errno(e, errno, "cannot look at %s", path);
	}
	return holds(s, id, path, &st, size, mtime_ns, e);
}

/* `spoilt` tells whether there is a row of a whole file that does not stand. */
static int look_once(struct store *s, const struct sha *id, struct blob_at *out, bool *spoilt, struct err *e)
{
	struct blob_at at = {0};
	struct q *q = db_query(s->db, WHERE);
	int64_t mtime_ns = 0;
	bool whole = false, other = false;
	int r;

	/* Nothing is done between the rows: a file may have to be hashed, and its row be written anew. */
	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1 && q_col_int(q, 0) == ROW_WHOLE) {
		struct stat st;
		char path[BLOB_PATH_CAP];
		whole = true;
		at.size = q_col_int(q, 1);
		mtime_ns = q_col_int(q, 2);
		blob_path(s, id, path, sizeof(path));
		fault_step("look");
		if (!lstat(path, &st)) {
			struct file_key k = file_key_of(&st);
			if (k.size == at.size && k.mtime_ns == mtime_ns) { /* nearly always */
				q_done(q);
				*out = at;
				return 1;
			}
		}
	}
	struct blob_at next = {0};
	if (whole)
		r = q_step(q, e);
	if (r == 1) {
		other = true;
		next.place = (enum blob_place)(q_col_int(q, 0) - ROW_WHOLE);
		next.size = q_col_int(q, 1);
		if (next.place == BLOB_PACKED)
			next.pack = (struct pack_at){q_col_int(q, 2), q_col_int(q, 3), q_col_int(q, 4), next.size};
	}
	q_done(q);
	if (r < 0)
		return -1;
	if (whole) {
		r = whole_stands(s, id, at.size, mtime_ns, e);
		if (r < 0)
			return -1;
		if (r) {
			*out = at;
			return 1;
		}
		*spoilt = true;
	}
	if (other)
		*out = next;
	return other;
}

#define LOOKS 3

/* Re-packing may take the file away between its row and the look at it; then another row is there. */
static int look(struct store *s, const struct sha *id, struct blob_at *out, bool *spoilt, struct err *e)
{
	for (int tries = 0;; tries++) {
		bool now = false;
		int r = look_once(s, id, out, &now, e);
		if (!r && now && tries < LOOKS && !db_in_read(s->db))
			continue;
		if (spoilt)
			*spoilt = now;
		return r;
	}
}

int blob_look(struct store *s, const struct sha *id, struct blob_at *out, struct err *e)
{
	return look(s, id, out, NULL, e);
}

int blob_present(struct store *s, const struct sha *id, struct err *e)
{
	struct blob_at at;

	return look(s, id, &at, NULL, e);
}

int blob_need(struct store *s, const struct sha *id, struct blob_at *out, struct err *e)
{
	char path[BLOB_PATH_CAP];
	bool spoilt = false;
	int r = look(s, id, out, &spoilt, e);

	if (r)
		return r < 0 ? -1 : 0;
	blob_path(s, id, path, sizeof(path));
	return lost(path, id, spoilt && file_exists(path), e);
}

static int small_bytes(struct store *s, const struct sha *id, char *out, int64_t size, struct err *e)
{
	struct q *q = db_query(s->db, "select body from small where id = ?");
	int r;

	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1) {
		struct str body = q_col_blob(q, 0);
		r = (int64_t)body.n == size;
		if (r)
			memcpy(out, body.p, body.n);
	}
	q_done(q);
	if (!r)
		return err_set(e, ERR_NOT_FOUND, "a small object has moved");
	if (r < 0)
		return -1;
	struct sha have = sha_of(out, (size_t)size);
	if (!sha_eq(&have, id)) {
		err_set(e, ERR_DAMAGED, "a row of `small` in leat.db does not hold the bytes that its id says");
		return err_hint(e, "leat fsck names the files that it hits");
	}
	return 0;
}

int blob_whole_object(struct store *s, const struct sha *id, const struct blob_at *at, char *out, struct err *e)
{
	return at->place == BLOB_PACKED ? pack_fetch(s, id, &at->pack, out, e)
					: small_bytes(s, id, out, at->size, e);
}

/* Re-packing may move an object between the look and the reading; it moves it once. */
#define TRIES 3
static bool moved(struct store *s, const struct err *e, int tries)
{
	return e->code == ERR_NOT_FOUND && tries < TRIES && !db_in_read(s->db);
}

static int open_whole(struct store *s, const struct sha *id, int *fd, struct err *e)
{
	char path[BLOB_PATH_CAP];

	blob_path(s, id, path, sizeof(path));
	return file_open_read(path, fd, e);
}

/* A nameless file for bytes that have none. */
static int nameless(struct store *s, int64_t size, int *fd, struct err *e)
{
	char path[BLOB_PATH_CAP];
	int got = size <= MEMORY_MAX ? memfd_create("leat", MFD_CLOEXEC) : -1;

	if (got < 0) {
		snprintf(path, sizeof(path), "%s/staging", s->leat_dir);
		got = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	}
	if (got < 0)
		return err_errno(e, errno, "cannot make room for an object of %lld bytes", (long long)size);
	*fd = got;
	return 0;
}

static int to_fd(void *ptr, const void *p, size_t n, struct err *e)
{
	return fd_write_all(*(int *)ptr, p, n, "a copy of an object", e);
}

/* All bytes of what is no whole file, checked before the last of them is given. */
static int stream(struct store *s, const struct sha *id, const struct blob_at *at, blob_sink *sink, void *ptr,
		  struct err *e)
{
	char *bytes;
	int rc;

	if (at->place == BLOB_RECIPE)
		return recipe_stream(s, id, at->size, sink, ptr, e);
	bytes = xmalloc((size_t)at->size + 1);
	rc = blob_whole_object(s, id, at, bytes, e);
	if (!rc)
		rc = sink(ptr, bytes, (size_t)at->size, e);
	free(bytes);
	return rc;
}

int blob_open(struct store *s, const struct sha *id, int *fd, struct err *e)
{
	struct err inner = ERR_INIT;
	struct blob_at at;

	for (int tries = 0;; tries++) {
		int got FD_CLEANUP = -1, rc;
		if (blob_need(s, id, &at, e))
			return -1;
		if (at.place == BLOB_WHOLE) {
			rc = open_whole(s, id, &got, &inner);
		} else {
			rc = nameless(s, at.size, &got, &inner) || stream(s, id, &at, to_fd, &got, &inner) ? -1 : 0;
			if (!rc && lseek(got, 0, SEEK_SET) < 0)
				rc = err_errno(&inner, errno, "a copy of an object");
		}
		if (!rc) {
			*fd = fd_steal(&got);
			return 0;
		}
		if (!moved(s, &inner, tries)) {
			*e = inner;
			return -1;
		}
		err_clear(&inner);
	}
}

struct window {
	char *out;
	int64_t from, n, at; /* what is wanted; how much has gone by */
	size_t got;
};

static int to_part(void *ptr, const void *p, size_t n, struct err *e)
{
	struct window *w = ptr;
	int64_t from = MAX(w->from, w->at), to = MIN(w->from + w->n, w->at + (int64_t)n);

	(void)e;
	if (from < to) {
		memcpy(w->out + (from - w->from), (const char *)p + (from - w->at), (size_t)(to - from));
		w->got += (size_t)(to - from);
	}
	w->at += (int64_t)n;
	return 0;
}

static int read_once(struct store *s, const struct sha *id, const struct blob_at *at, struct window *w, struct err *e)
{
	int fd FD_CLEANUP = -1;
	char path[BLOB_PATH_CAP];

	if (at->place == BLOB_RECIPE)
		return recipe_read(s, id, w->from, w->out, (size_t)w->n, &w->got, e);
	if (at->place != BLOB_WHOLE)
		return stream(s, id, at, to_part, w, e);
	blob_path(s, id, path, sizeof(path));
	return open_whole(s, id, &fd, e) ||
			       fd_pread_full(fd, w->out, (size_t)w->n, (off_t)w->from, &w->got, path, e)
		       ? -1
		       : 0;
}

int blob_read(struct store *s, const struct sha *id, int64_t from, void *p, size_t n, size_t *got, struct err *e)
{
	struct err inner = ERR_INIT;
	struct blob_at at;

	for (int tries = 0;; tries++) {
		struct window w = {.out = p, .from = from, .n = (int64_t)n};
		if (blob_need(s, id, &at, e))
			return -1;
		if (!read_once(s, id, &at, &w, &inner)) {
			*got = w.got;
			return 0;
		}
		if (!moved(s, &inner, tries)) {
			*e = inner;
			return -1;
		}
		err_clear(&inner);
	}
}

int blob_bytes(struct store *s, const struct sha *id, struct arena *a, size_t max, struct str *out, struct err *e)
{
	struct blob_at at;
	size_t got = 0;
	char *bytes;

	if (blob_need(s, id, &at, e))
		return -1;
	if (at.size > (int64_t)max)
		return err_set(e, ERR_LIMIT, "an object has %lld bytes, more than %zu", (long long)at.size, max);
	bytes = arena_alloc(a, (size_t)at.size + 1);
	if (blob_read(s, id, 0, bytes, (size_t)at.size, &got, e))
		return -1;
	*out = (struct str){bytes, got};
	return 0;
}

int blob_write_to(struct store *s, const struct sha *id, const char *path, mode_t mode, struct err *e)
{
	struct err inner = ERR_INIT;
	char from[BLOB_PATH_CAP];
	struct blob_at at;

	for (int tries = 0;; tries++) {
		int fd FD_CLEANUP = -1, rc;
		if (blob_need(s, id, &at, e))
			return -1;
		if (at.place == BLOB_WHOLE) {
			blob_path(s, id, from, sizeof(from));
			rc = file_copy(from, path, mode, 0, &inner);
		} else {
			rc = file_open_write(path, O_EXCL, mode, &fd, &inner);
			if (!rc && stream(s, id, &at, to_fd, &fd, &inner)) {
				(void)unlink(path);
				rc = -1;
			}
		}
		if (!rc)
			return 0;
		if (!moved(s, &inner, tries)) {
			*e = inner;
			return -1;
		}
		err_clear(&inner);
	}
}

int blob_link_to(struct store *s, const struct sha *id, const char *path, struct err *e)
{
	char from[BLOB_PATH_CAP];
	struct blob_at at;

	if (blob_need(s, id, &at, e))
		return -1;
	if (at.place != BLOB_WHOLE)
		return 0;
	blob_path(s, id, from, sizeof(from));
	return file_link(from, path, e);
}

int blob_quarantine(struct store *s, const struct sha *id, struct err *e)
{
	char from[BLOB_PATH_CAP], to[BLOB_PATH_CAP], hex[SHA_HEX + 1], name[RAND_NAME];

	sha_hex(id, hex);
	rand_name(name);
	blob_path(s, id, from, sizeof(from));
	snprintf(to, sizeof(to), "%s/lost+found/blobs/%s.%s", s->leat_dir, hex, name);
	return dir_make_parent(to, 0777, e) ? -1 : file_rename(from, to, e);
}

