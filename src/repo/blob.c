#include "repo/blob.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/file.h"
#include "sys/rand.h"

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

void blob_distrust(struct store *s, const struct sha *id)
{
	char path[BLOB_PATH_CAP];
	struct err ignored = ERR_INIT;
	struct file_key k;

	blob_path(s, id, path, sizeof(path));
	if (file_stat_key(path, &k, &ignored) || db_in_read(s->db) || db_begin_durable(s->db, DB_PROCESS, &ignored))
		return;
	if (record(s, id, k.size, -1, &ignored) || db_commit(s->db, &ignored))
		db_rollback(s->db);
}

/* 1 recorded, 0 not, -1. */
static int recorded(struct store *s, const struct sha *id, int64_t *size, int64_t *mtime_ns, struct err *e)
{
	struct q *q = db_query(s->db, "select size, mtime_ns from blob where id = ?");
	int r;

	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1) {
		*size = q_col_int(q, 0);
		*mtime_ns = q_col_int(q, 1);
	}
	q_done(q);
	return r;
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

int blob_open(struct store *s, const struct sha *id, int *fd, struct err *e)
{
	char path[BLOB_PATH_CAP];
	int64_t size = 0, mtime_ns = 0;
	int got FD_CLEANUP = -1, r;
	struct stat st;

	r = recorded(s, id, &size, &mtime_ns, e);
	if (r < 0)
		return -1;
	blob_path(s, id, path, sizeof(path));
	if (!r || !file_exists(path))
		return lost(path, id, false, e);
	if (file_open_read(path, &got, e))
		return -1;
	if (fstat(got, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	r = holds(s, id, path, &st, size, mtime_ns, e);
	if (r < 0)
		return -1;
	if (!r)
		return lost(path, id, true, e);
	*fd = fd_steal(&got);
	return 0;
}

int blob_present(struct store *s, const struct sha *id, struct err *e)
{
	char path[BLOB_PATH_CAP];
	int64_t size = 0, mtime_ns = 0;
	struct stat st;
	int r = recorded(s, id, &size, &mtime_ns, e);

	if (r <= 0)
		return r;
	blob_path(s, id, path, sizeof(path));
	if (lstat(path, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return err_errno(e, errno, "cannot look at %s", path);
	}
	return holds(s, id, path, &st, size, mtime_ns, e);
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

struct view {
	struct store *s;
	const char *dir;  /* being built; NULL: only looked at */
	char folder[BLOB_PATH_CAP]; /* made last */
	const char *made; /* the one that is there */
	bool broken;      /* it is not what it was */
};

/* A link to the blob, or a copy of it (where a file has too many links). */
static bool view_holds(const char *file, const char *blob, const struct sha *id)
{
	struct err ignored = ERR_INIT;
	struct stat have, want;
	struct sha sha;

	if (lstat(file, &have) || lstat(blob, &want))
		return false;
	if (have.st_ino == want.st_ino && have.st_dev == want.st_dev)
		return true;
	return S_ISREG(have.st_mode) && have.st_size == want.st_size && !file_sha(file, &sha, NULL, &ignored) &&
	       sha_eq(&sha, id);
}

static int view_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct view *v = ptr;
	char blob[BLOB_PATH_CAP], to[2 * BLOB_PATH_CAP];
	int r = blob_present(v->s, &entry->id, e);
	struct str dir = STR(""), base;

	if (r < 0)
		return -1;
	blob_path(v->s, &entry->id, blob, sizeof(blob));
	if (!r)
		return lost(blob, &entry->id, file_exists(blob), e);
	if (!v->dir) {
		snprintf(to, sizeof(to), "%s/%.*s", v->made, STR_ARG(path));
		v->broken |= !v->broken && !view_holds(to, blob, &entry->id);
		return 0;
	}
	snprintf(to, sizeof(to), "%s/%.*s", v->dir, STR_ARG(path));
	if (str_rcut(path, '/', &dir, &base) && !str_is(dir, v->folder)) {
		if (dir_make_parent(to, 0777, e))
			return -1;
		snprintf(v->folder, sizeof(v->folder), "%.*s", STR_ARG(dir));
	}
	r = file_link(blob, to, e);
	if (!r) /* too many links to one file: an empty _SUCCESS, say */
		r = file_copy(blob, to, 0444, 0, e);
	return r < 0 ? -1 : 0;
}

static int view_build(struct store *s, const struct sha *tree, const char *path, bool *broken, struct err *e)
{
	char temp[BLOB_PATH_CAP], name[RAND_NAME];
	struct err inner = ERR_INIT, ignored = ERR_INIT;
	struct view v = {.s = s, .made = path};

	if (!dir_exists(path)) {
		rand_name(name);
		snprintf(temp, sizeof(temp), "%s/views/.new-%s", s->leat_dir, name);
		v.dir = temp;
		if (dir_make(temp, 0777, e))
			return -1;
	}
	if (tree_walk(s, NULL, tree, false, view_file, &v, &inner) ||
	    (v.dir && (dir_make_parent(path, 0777, &inner) || file_rename_new(temp, path, &inner)))) {
		/* somebody else made the same one meanwhile: theirs is as good */
		bool fine = v.dir && inner.code == ERR_CONFLICT && dir_exists(path);
		if (v.dir && dir_remove_tree(temp, &ignored))
			err_clear(&ignored);
		if (!fine) {
			*e = inner;
			return -1;
		}
	}
	*broken = v.broken;
	return 0;
}

int view_make(struct store *s, const struct sha *tree, const char *as, char *out, size_t cap, struct err *e)
{
	char path[BLOB_PATH_CAP], hex[SHA_HEX + 1];
	bool broken;

	sha_hex(tree, hex);
	snprintf(path, sizeof(path), "%s/views/%s/%s", s->leat_dir, hex, as);
	if (view_build(s, tree, path, &broken, e))
		return -1;
	if (broken && (dir_remove_tree(path, e) || view_build(s, tree, path, &broken, e)))
		return -1;
	if ((size_t)snprintf(out, cap, "%s", path) >= cap)
		return err_set(e, ERR_LIMIT, "the path %s is too long", path);
	return 0;
}
