/* leat.db against its own checksums. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "db/db_in.h"
#include "db/db_log.h"
#include "db/db_roots.h"
#include "db/db_vfs.h"
#include "sys/file.h"

/* 1 whole, 0 not, -1. */
static int page_whole(int fd, const char *path, size_t size, int64_t number, struct err *e)
{
	uint8_t page[DB_PAGE_MAX];
	size_t got = 0;

	if (fd_pread_full(fd, page, size, (off_t)(number - 1) * (off_t)size, &got, path, e))
		return -1;
	return got < size || db_page_whole(page, size, number);
}

/*
 * A page that was torn while it was moved from the log, by a power cut or a kill, is written again from there. Whatever
 * db_checkpoint knows of the log: this process may have written nothing to it.
 */
static int heal(struct db *d, struct err *e)
{
	if (db_hold(d, e))
		return -1;
	/* what cannot be moved, for a reader or for want of space, is whole in the log all the same */
	(void)sqlite3_wal_checkpoint_v2(db_handle(d), NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	db_release(d);
	return 0;
}

int db_check_pages(struct db *d, bool *sums, int (*cb)(void *ptr, int64_t page, struct err *e), void *ptr,
		   struct err *e)
{
	const char *path = db_path(d);
	int fd FD_CLEANUP = -1;
	struct stat st;
	int rc = 0, size = db_vfs_sums(db_handle(d));

	*sums = size;
	if (!size)
		return 0;
	if (heal(d, e))
		return -1;
	if (file_open_read(path, &fd, e))
		return -1;
	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	for (int64_t i = 1; i <= st.st_size / size && !rc; i++) {
		int r = page_whole(fd, path, (size_t)size, i, e);
		if (!r) { /* somebody may just be writing it */
			if (db_hold(d, e))
				return -1;
			r = page_whole(fd, path, (size_t)size, i, e);
			db_release(d);
		}
		rc = r < 0 ? -1 : r ? 0 : cb(ptr, i, e);
	}
	return rc;
}

int db_whole(struct db *d, struct arena *a, const char ***missing, size_t *n, struct err *e)
{
	VEC(const char *) out = {0};
	sqlite3 *fresh = NULL;
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_open(":memory:", &fresh), r = 0;
	unsigned sets = 0;

	for (unsigned i = 0; i < DB_SETS; i++)
		sets |= (unsigned)db_has_set(d, (enum db_set)i) << i;
	BUG_IF(rc || db_schema(fresh, INT_MAX, sets));
	rc = sqlite3_prepare_v2(
		fresh, "select type, name from sqlite_master where name not like 'sqlite_%' order by type desc", -1,
		&st, NULL);
	BUG_IF(rc);
	while (r >= 0 && sqlite3_step(st) == SQLITE_ROW) {
		const char *type = (const char *)sqlite3_column_text(st, 0),
			   *name = (const char *)sqlite3_column_text(st, 1);
		struct q *q = db_query(d, "select 1 from sqlite_master where type = ? and name = ?");

		q_cstr(q, 1, type);
		q_cstr(q, 2, name);
		r = q_step(q, e);
		q_done(q);
		if (!r)
			vec_push(a, &out, arena_printf(a, "the %s %s", type, name));
	}
	sqlite3_finalize(st);
	sqlite3_close(fresh);
	if (r < 0)
		return -1;
	*missing = out.p;
	*n = out.n;
	return 0;
}

bool db_roots_whole(struct db *d)
{
	const char *path = db_path(d);
	char name[4200];
	struct err ignored = ERR_INIT;
	bool right;

	snprintf(name, sizeof(name), "%s" DB_ROOTS, path);
	if (!db_vfs_sums(db_handle(d)) || !file_exists(name) || db_roots_right(path, db_handle(d)))
		return true; /* without sums there is none, whatever lies there */
	if (db_hold(d, &ignored)) { /* somebody may just be writing it */
		err_clear(&ignored);
		return false;
	}
	right = db_roots_right(path, db_handle(d));
	db_release(d);
	return right;
}

int db_accept_log(const char *leat_dir, const char *aside, struct err *e)
{
	struct db_log_mark none = {.magic = ""};
	char path[4200];
	int fd FD_CLEANUP = -1;

	snprintf(path, sizeof(path), "%s/leat.db-wal", leat_dir);
	if (file_exists(path) && (dir_make_parent(aside, 0777, e) || file_copy(path, aside, 0600, 0, e)))
		return -1;
	snprintf(path, sizeof(path), "%s/write.lock", leat_dir);
	return file_open_write(path, 0, 0666, &fd, e) || fd_pwrite_all(fd, &none, sizeof(none), 0, path, e) ? -1 : 0;
}
