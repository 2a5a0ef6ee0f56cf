#include "db/db.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>

#include "base/str.h"
#include "db/db_in.h"
#include "db/db_log.h"
#include "db/db_mover.h"
#include "db/db_roots.h"
#include "db/db_vfs.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/lock.h"

#define DB_BUSY_MS 10000          /* backstop only: writers queue at write.lock */
#define DB_WRITER_KIB 6144         /* of the database in memory, in who writes */
#define DB_STATEMENTS 256         /* different texts kept prepared; more are prepared each time */
/*
 * Who has committed has the write-ahead log moved into the database whenever it has grown by the first number of pages:
 * large enough that pages written again and again are moved once. A handle that closes leaves at most the second
 * number: the log's index is rebuilt by whoever opens first, about a millisecond for that many.
 */
#define DB_CHECKPOINT_PAGES 2500
#define DB_CHECKPOINT_CLOSE 500
/*
 * The log begins anew only when all of it has been moved and nobody wrote meanwhile. Where one transaction follows the
 * other that never comes by itself: from this length on the writer moves the rest in its own time.
 */
#define DB_LOG_PAGES 8000
#define KEEP_AT (((uint64_t)1 << 61) + 8) /* the byte of write.lock that is held by who keeps the log */

struct q {
	struct db *db;
	const char *sql, *from; /* our copy; the caller's, most often a literal, so that its address finds it */
	uint64_t hash;
	sqlite3_stmt *stmt;
	char *lost;             /* what the statement names and the database has no more; stmt is NULL */
	bool busy, cached;
};

struct db {
	sqlite3 *h;
	char *path;
	char *lock_path;
	struct lock lock;
	bool lock_open;
	bool keeps_log, kept; /* db_keep_log; others can see it */
	bool writing;
	int reads;
	int cache_kib; /* 0: SQLite's own 2 MB */
	enum db_durability durability, in_force;
	int log_pages, checkpointed; /* pages in the write-ahead log after the last commit; how many of them were there
					at the last checkpoint */
	struct db_mover *mover; /* NULL: the log has not grown so far yet */
	bool clean; /* the log was emptied: who closes last takes its files away */
	int64_t commits, begun;
	struct {
		bool at_work, over; /* a thread has it; it has been waited for, and nobody has asked how it ended */
		int rc;
		struct err e;
		pthread_t thread;
		sem_t done;
	} later; /* db_commit_start */
	struct err broken; /* the first error of a write transaction, told again by its commit */
	bool has_set[DB_SETS]; /* they were there */
	bool no_set[DB_SETS];  /* they are not, as long as this writes: nobody else can make them */
	bool roots_seen, roots_old; /* db_roots.h: looked at; to be written with the next commit */
	bool copied;       /* it is a copy, which is only read */
	struct q *statements[DB_STATEMENTS];
	int n_statements;
};

static const char *page_text(char *out, size_t cap)
{
	snprintf(out, cap, "page %lld does not hold the bytes that its checksum says", (long long)db_vfs_bad_page());
	return out;
}

static int fail(struct db *d, int rc, struct err *e)
{
	struct err now = ERR_INIT;
	const char *why = d->h ? sqlite3_errmsg(d->h) : sqlite3_errstr(rc);
	enum err_code code = ERR_IO;
	char page[80];

	if (rc == SQLITE_IOERR_DATA) {
		rc = SQLITE_CORRUPT;
		why = page_text(page, sizeof(page));
	}
	switch (rc & 0xff) {
	case SQLITE_FULL:
		code = ERR_DISK_FULL;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = ERR_BUSY;
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		code = ERR_PERMISSION;
		break;
	case SQLITE_CANTOPEN:
		code = access(d->path, F_OK) ? ERR_NOT_FOUND : ERR_PERMISSION;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = ERR_DAMAGED;
		break;
	case SQLITE_CONSTRAINT:
		code = ERR_CONFLICT;
		break;
	case SQLITE_INTERRUPT:
		code = ERR_CANCELLED;
		break;
	case SQLITE_TOOBIG:
		code = ERR_LIMIT;
		break;
	}
	/* sqlite names a full disk, the system says more; an error number of its own is only there after a system call
	 * failed */
	if ((rc & 0xff) == SQLITE_IOERR && d->h && sqlite3_system_errno(d->h) == ENOSPC)
		code = ERR_DISK_FULL;
	err_set(&now, code, "%s: %s", d->path, why);
	if (code == ERR_DAMAGED)
		err_hint(&now, "copy the .leat folder aside, then see `leat fsck`");
	if (d->writing && d->broken.code == ERR_NONE && code != ERR_CONFLICT)
		d->broken = now;
	*e = now;
	return -1;
}

/* Statements that give no rows and whose failure is told by the database alone. */
static int run(struct db *d, const char *sql, struct err *e)
{
	return q_run(db_query(d, sql), e);
}

static int on_log(void *ptr, sqlite3 *h, const char *name, int pages)
{
	((struct db *)ptr)->log_pages = pages;
	return SQLITE_OK;
}

static int user_version(struct db *d, int *out, struct err *e)
{
	struct q *q = db_query(d, "pragma user_version");
	int r = q_step(q, e);

	if (r > 0)
		*out = (int)q_col_int(q, 0);
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int newer(struct db *d, int version, struct err *e)
{
	err_set(e, ERR_NEWER_FORMAT, "%s has format %d; this leat knows formats up to %d", d->path, version,
	        db_schema_latest());
	return err_hint(e, "it was written by a newer leat: use that one (or a later one) for this workspace");
}

/* Steps an older database, or a new one, up to the latest version. */
static int migrate(struct db *d, struct err *e)
{
	int have = 0, at, rc;

	if (db_begin_durable(d, DB_POWER, e))
		return -1;
	if (user_version(d, &have, e)) /* once more under the lock: another process may have done it */
		goto fail;
	if (have > db_schema_latest()) {
		newer(d, have, e);
		goto fail;
	}
	rc = db_schema_raise(d->h, have, &at);
	if (rc) {
		fail(d, rc, e);
		err_wrap(e, "format %d", at);
		goto fail;
	}
	d->roots_old = true;
	return db_commit(d, e);
fail:
	db_rollback(d);
	return -1;
}

bool db_has_set(struct db *d, enum db_set set)
{
	struct q *q;
	struct err e = ERR_INIT;

	if (d->has_set[set] || (d->writing && d->no_set[set]))
		return d->has_set[set];
	q = db_query(d, "select 1 from sqlite_master where type = 'table' and name = ?");
	q_cstr(q, 1, db_schema_mark(set));
	d->has_set[set] = q_step(q, &e) == 1;
	d->no_set[set] = d->writing && !d->has_set[set];
	q_done(q);
	return d->has_set[set];
}

int db_make_set(struct db *d, enum db_set set, struct err *e)
{
	int rc;

	BUG_IF(!db_in_write(d));
	if (db_has_set(d, set))
		return 0;
	rc = db_schema_set(d->h, set);
	d->no_set[set] = false;
	d->roots_old = true;
	return rc ? fail(d, rc, e) : 0;
}

static struct db *handle(const char *leat_dir)
{
	struct db *d = xcalloc(1, sizeof(*d));
	size_t n = strlen(leat_dir) + sizeof("/write.lock");

	d->path = xmalloc(n);
	d->lock_path = xmalloc(n);
	snprintf(d->path, n, "%s/leat.db", leat_dir);
	snprintf(d->lock_path, n, "%s/write.lock", leat_dir);
	d->lock.fd = -1;
	d->in_force = DB_POWER; /* SQLite begins with synchronous = FULL */
	return d;
}

static int open_file(struct db *d, int flags, struct err *e)
{
	int rc =
		sqlite3_open_v2(d->path, &d->h, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, db_vfs());

	if (rc)
		return fail(d, rc, e);
	sqlite3_extended_result_codes(d->h, 1);
	sqlite3_busy_timeout(d->h, DB_BUSY_MS);
	sqlite3_db_config(d->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_wal_hook(d->h, on_log, d); /* also turns SQLite's own checkpoints off */
	return 0;
}

int db_create(const char *leat_dir, struct db **out, struct err *e)
{
	struct db *d = handle(leat_dir);
	int version, reserve = DB_PAGE_SUM;

	if (open_file(d, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e))
		goto fail;
	/* counts only for a file that is empty yet */
	sqlite3_file_control(d->h, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	if (user_version(d, &version, e))
		goto fail;
	if (version > db_schema_latest()) {
		newer(d, version, e);
		goto fail;
	}
	if (version < db_schema_latest()) {
		char sql[128];
		snprintf(sql, sizeof(sql),
			 "pragma page_size = %d; pragma auto_vacuum = incremental; pragma application_id = %d;"
			 "pragma journal_mode = wal",
			 DB_PAGE, DB_APPLICATION);
		int rc = sqlite3_exec(d->h, sql, NULL, NULL, NULL);
		if (rc) {
			fail(d, rc, e);
			goto fail;
		}
		if (migrate(d, e))
			goto fail;
	}
	*out = d;
	return 0;
fail:
	db_close(d);
	return -1;
}

/* What it can give without the pages that say which tables there are; the write lock keeps it as it is. */
static int open_damaged(struct db *d, struct err *e)
{
	int r = db_hold(d, e) ? -1 : db_roots_open(d->path, &d->h, e);

	if (d->lock_open)
		lock_pause(&d->lock);
	d->copied = r > 0;
	return r;
}

int db_open(const char *leat_dir, struct db **out, struct err *e)
{
	struct db *d = handle(leat_dir);
	struct err inner = ERR_INIT;
	struct db_log_mark mark;
	int version, r = 0;

	db_log_mark_read(leat_dir, &mark); /* before the log is looked at: it only grows */
	if (open_file(d, SQLITE_OPEN_READWRITE, e) || user_version(d, &version, e) ||
	    run(d, "select 1 from sqlite_schema limit 0", e))
		goto damaged;
	if (db_log_broken(d->h, leat_dir, &mark, e))
		goto fail;
	if (version > db_schema_latest()) {
		newer(d, version, e);
		goto fail;
	}
	if (version < db_schema_latest() && migrate(d, e))
		goto fail;
	*out = d;
	return 0;
damaged:
	if (e->code != ERR_DAMAGED)
		goto fail;
	db_close(d);
	d = handle(leat_dir);
	r = open_damaged(d, &inner);
	if (r < 0)
		goto fail;
	err_clear(e);
	if (r) {
		*out = d;
		return 0;
	}
	db_close(d);
	return db_open(leat_dir, out, e);
fail:
	db_close(d);
	return -1;
}

bool db_is_copy(const struct db *d)
{
	return d->copied;
}

int db_make_whole(struct db *d, struct err *e)
{
	int rc = db_hold(d, e) || db_roots_replace(d->path, d->h, e) ? -1 : 0;

	db_release(d);
	return rc;
}

static bool log_grown(struct db *d, int pages)
{
	if (d->log_pages < d->checkpointed)
		d->checkpointed = 0; /* the log began anew */
	return d->log_pages - d->checkpointed >= pages;
}

/* Passive: takes nothing from readers. Its failure harms nothing: the log keeps all. */
static void checkpoint(struct db *d, int grown)
{
	if (log_grown(d, grown) && !sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL))
		d->checkpointed = d->log_pages;
}

/*
 * Moves the log, by the lock's holder, and gives its space back unless somebody reads from it: how far it was moved is
 * only known as long as anybody has the database open, so that whoever comes next would move all of it again.
 */
static void empty_log(struct db *d)
{
	sqlite3_busy_timeout(d->h, 0);
	if (!sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL))
		d->log_pages = d->checkpointed = 0;
	sqlite3_busy_timeout(d->h, DB_BUSY_MS);
}

/* A commit that a thread was left with is waited for before anything else is asked of the handle. */
static void settle(struct db *d)
{
	if (!d->later.at_work)
		return;
	pthread_join(d->later.thread, NULL);
	d->later.at_work = false;
	d->later.over = true;
	sem_destroy(&d->later.done);
}

void db_checkpoint(struct db *d)
{
	settle(d);
	BUG_IF(d->writing || d->reads);
	checkpoint(d, 1);
}

void db_keep_log(struct db *d)
{
	d->keeps_log = true;
}

/* Whether another process has said that it sees to the log (a lock of its own tells, which goes with its death). */
static bool left_to_others(struct db *d)
{
	struct err ignored = ERR_INIT;

	return !d->kept && d->log_pages >= DB_CHECKPOINT_CLOSE && lock_byte_held(d->lock.fd, KEEP_AT, &ignored) == 1;
}

void db_close(struct db *d)
{
	bool mine;

	if (!d)
		return;
	db_rollback(d);
	db_mover_free(d->mover);
	mine = d->commits && d->lock_open && !left_to_others(d);
	/* Most of a long log is moved before anybody has to wait for it. */
	if (mine && d->log_pages >= DB_CHECKPOINT_CLOSE)
		checkpoint(d, DB_CHECKPOINT_CLOSE);
	/* Whoever holds the lock now writes, and sees to the log. */
	if (mine && lock_try_again(&d->lock)) {
		if (d->log_pages >= DB_CHECKPOINT_CLOSE)
			empty_log(d);
		lock_pause(&d->lock);
	}
	for (int i = 0; i < d->n_statements; i++) {
		sqlite3_finalize(d->statements[i]->stmt);
		free(d->statements[i]);
	}
	if (d->clean)
		sqlite3_db_config(d->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_close(d->h);
	lock_drop(&d->lock);
	free(d->path);
	free(d->lock_path);
	free(d);
}

void db_set_durability(struct db *d, enum db_durability how)
{
	d->durability = how;
}

void db_cache(struct db *d, int kib)
{
	struct err ignored = ERR_INIT;
	char sql[64];

	settle(d);
	if (kib <= d->cache_kib)
		return;
	d->cache_kib = kib;
	snprintf(sql, sizeof(sql), "pragma cache_size = -%d", kib);
	if (run(d, sql, &ignored))
		err_clear(&ignored); /* it is slower then */
}

static int lock_writers(struct db *d, unsigned how, struct err *e)
{
	struct err ignored = ERR_INIT;

	if (d->keeps_log && !d->kept && d->lock_open)
		d->kept = !lock_byte(d->lock.fd, KEEP_AT, &ignored); /* shared: there is no wait */
	if (d->lock_open)
		return lock_again(&d->lock, e);
	/* Those who write touch rows in many places: of SQLite's 2 MB the pages would be read again and again. */
	db_cache(d, DB_WRITER_KIB);
	if (lock_take(&d->lock, d->lock_path, NULL, LOCK_KEEP | LOCK_FAIR | how, e))
		return -1;
	d->lock_open = d->lock.fd >= 0;
	return 0;
}

void db_log_empty(struct db *d)
{
	struct err ignored = ERR_INIT;

	settle(d);
	BUG_IF(d->writing || d->reads);
	if (d->lock_open ? !lock_try_again(&d->lock) : lock_writers(d, 0, &ignored) != 0)
		return;
	empty_log(d);
	d->clean = true;
	lock_pause(&d->lock);
}

sqlite3 *db_handle(struct db *d)
{
	return d->h;
}

int db_hold(struct db *d, struct err *e)
{
	settle(d);
	return lock_writers(d, LOCK_LOOK, e);
}

void db_release(struct db *d)
{
	lock_pause(&d->lock);
}

const char *db_path(const struct db *d)
{
	return d->path;
}

int db_begin_durable(struct db *d, enum db_durability how, struct err *e)
{
	settle(d);
	BUG_IF(d->writing);
	BUG_IF(d->reads);
	if (d->copied) {
		err_set(e, ERR_DAMAGED, "%s is damaged where it says which tables it has: it is only read", d->path);
		return err_hint(e, "copy the .leat folder aside; leat fsck --repair makes it whole");
	}
	if (lock_writers(d, 0, e))
		return -1;
	if (d->in_force != how) {
		if (run(d, how == DB_POWER ? "pragma synchronous = full" : "pragma synchronous = normal", e))
			goto fail;
		d->in_force = how;
	}
	if (run(d, "begin immediate", e))
		goto fail;
	d->writing = true;
	memset(d->no_set, 0, sizeof(d->no_set));
	d->begun++;
	d->roots_old |= !d->roots_seen && !db_roots_right(d->path, d->h);
	d->roots_seen = true;
	err_clear(&d->broken);
	return 0;
fail:
	lock_pause(&d->lock);
	return -1;
}

int db_begin(struct db *d, struct err *e)
{
	return db_begin_durable(d, d->durability, e);
}

static void rollback(struct db *d)
{
	if (!d->writing)
		return;
	if (!sqlite3_get_autocommit(d->h)) /* some errors have rolled back already */
		(void)sqlite3_exec(d->h, "rollback", NULL, NULL, NULL);
	d->writing = false;
	lock_pause(&d->lock);
}

static int commit(struct db *d, struct err *e)
{
	int rc;

	if (d->broken.code != ERR_NONE) {
		*e = d->broken;
		rollback(d);
		return -1;
	}
	if (d->roots_old)
		db_roots_remove(d->path);
	/* Not by db_query: it would wait for the very thread that this may be. */
	rc = sqlite3_exec(d->h, "commit", NULL, NULL, NULL);
	if (rc) {
		fail(d, sqlite3_extended_errcode(d->h), e);
		rollback(d);
		return -1;
	}
	d->writing = false;
	fault_step("committed"); /* others see it, and cannot write yet */
	d->commits++;
	db_log_mark_write(d->h, d->lock.fd, d->in_force == DB_POWER);
	if (d->roots_old) {
		fault_crash("tables-made");
		db_roots_write(d->path, d->h);
	}
	d->roots_old = false;
	lock_pause(&d->lock);
	if (fault_armed() || fault_weave()) { /* what a test counts must not depend on threads */
		checkpoint(d, DB_CHECKPOINT_PAGES);
	} else if (d->log_pages >= DB_LOG_PAGES) {
		db_mover_settle(d->mover);
		checkpoint(d, DB_CHECKPOINT_CLOSE); /* what a reader still needs is tried again with the next slice */
	} else if (log_grown(d, DB_CHECKPOINT_PAGES)) {
		if (!d->mover)
			d->mover = db_mover_new(d->path);
		db_mover_begin(d->mover);
		d->checkpointed = d->log_pages;
	}
	return 0;
}

int db_commit(struct db *d, struct err *e)
{
	settle(d);
	BUG_IF(!d->writing);
	return commit(d, e);
}

static void *commit_later(void *ptr)
{
	struct db *d = ptr;

	d->later.rc = commit(d, &d->later.e);
	sem_post(&d->later.done);
	return NULL;
}

void db_commit_start(struct db *d)
{
	settle(d);
	BUG_IF(!d->writing);
	d->later.e = (struct err)ERR_INIT;
	sem_init(&d->later.done, 0, 0);
	d->later.at_work = !pthread_create(&d->later.thread, NULL, commit_later, d);
	if (d->later.at_work)
		return;
	commit_later(d);
	d->later.over = true;
	sem_destroy(&d->later.done);
}

bool db_commit_wait(struct db *d, int64_t us)
{
	struct timespec t;

	if (!d->later.at_work)
		return true;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += us % 1000000 * 1000;
	t.tv_sec += us / 1000000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	if (sem_timedwait(&d->later.done, &t))
		return false;
	settle(d);
	return true;
}

int db_commit_end(struct db *d, struct err *e)
{
	settle(d);
	BUG_IF(!d->later.over);
	d->later.over = false;
	if (d->later.rc)
		*e = d->later.e;
	return d->later.rc;
}

void db_rollback(struct db *d)
{
	settle(d);
	rollback(d);
}

bool db_in_write(struct db *d)
{
	settle(d);
	return d->writing;
}

int64_t db_transaction(struct db *d)
{
	settle(d);
	return d->begun;
}

int db_read_begin(struct db *d, struct err *e)
{
	settle(d);
	if (!d->writing && !d->reads && run(d, "begin", e))
		return -1;
	d->reads += !d->writing;
	return 0;
}

void db_read_end(struct db *d)
{
	struct err ignored = ERR_INIT;

	if (d->writing)
		return;
	BUG_IF(!d->reads);
	if (!--d->reads && run(d, "commit", &ignored))
		(void)sqlite3_exec(d->h, "rollback", NULL, NULL, NULL);
}

bool db_in_read(const struct db *d)
{
	return d->reads > 0;
}

/* Whether a table or column that SQLite does not know is one that our migrations make: then somebody took it away. */
static bool is_taken_away(const char *why, char **out)
{
	const char *name = strrchr(why, ' ');

	if (!name || (strncmp(why, "no such table: ", 15) != 0 && strncmp(why, "no such column: ", 16) != 0))
		return false;
	name = strrchr(name, '.') ? strrchr(name, '.') + 1 : name + 1;
	if (!db_schema_names(name))
		return false;
	*out = xcalloc(1, strlen(why) + 1);
	memcpy(*out, why, strlen(why));
	return true;
}

static int say_lost(const struct db *d, const char *why, struct err *e)
{
	err_set(e, ERR_DAMAGED, "%s is damaged: %s", d->path, why);
	return err_hint(e, "put back a copy of it ('leat fsck' tells what it lacks); the data lies in .leat/blobs, "
	                   ".leat/packs and datastore/");
}

struct q *db_query(struct db *d, const char *sql)
{
	uint64_t hash;
	struct q *q;

	settle(d);
	for (int i = 0; i < d->n_statements; i++) {
		q = d->statements[i];
		if (q->from == sql && !q->busy && !strcmp(q->sql, sql)) {
			q->busy = true;
			return q;
		}
	}
	hash = hash_bytes(sql, strlen(sql));
	for (int i = 0; i < d->n_statements; i++) {
		q = d->statements[i];
		if (q->hash == hash && !q->busy && !strcmp(q->sql, sql)) {
			q->busy = true;
			return q;
		}
	}
	q = xcalloc(1, sizeof(*q));
	*q = (struct q){.db = d, .sql = sql, .from = sql, .hash = hash, .busy = true};
	if (sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL)) {
		int rc = sqlite3_extended_errcode(d->h);
		/* A text that cannot be right is our fault; a database that cannot be read shows at the first step. */
		if ((rc & 0xff) == SQLITE_ERROR && !is_taken_away(sqlite3_errmsg(d->h), &q->lost))
			BUG("%s: %s", sqlite3_errmsg(d->h), sql);
		q->stmt = NULL;
	}
	q->cached = q->stmt && d->n_statements < DB_STATEMENTS;
	if (q->cached) {
		q->sql = sqlite3_sql(q->stmt); /* the caller's text may go away */
		d->statements[d->n_statements++] = q;
	}
	return q;
}

void q_int(struct q *q, int i, int64_t v)
{
	if (q->stmt && sqlite3_bind_int64(q->stmt, i, v))
		BUG("parameter %d of: %s", i, q->sql);
}

void q_text(struct q *q, int i, struct str s)
{
	if (q->stmt && (s.p ? sqlite3_bind_text64(q->stmt, i, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8)
			    : sqlite3_bind_null(q->stmt, i)))
		BUG("parameter %d of: %s", i, q->sql);
}

void q_cstr(struct q *q, int i, const char *s)
{
	q_text(q, i, str_of(s));
}

void q_blob(struct q *q, int i, const void *p, size_t n)
{
	if (q->stmt && sqlite3_bind_blob64(q->stmt, i, p, n, SQLITE_STATIC))
		BUG("parameter %d of: %s", i, q->sql);
}

void q_sha(struct q *q, int i, const struct sha *s)
{
	q_blob(q, i, s->b, SHA_BYTES);
}

void q_null(struct q *q, int i)
{
	if (q->stmt && sqlite3_bind_null(q->stmt, i))
		BUG("parameter %d of: %s", i, q->sql);
}

int q_step(struct q *q, struct err *e)
{
	int rc;

	BUG_IF(!q->busy);
	if (!q->db->writing && !q->db->reads && q->stmt && !sqlite3_stmt_busy(q->stmt))
		fault_step("rows");
	if (q->lost) {
		struct err now = ERR_INIT;

		say_lost(q->db, q->lost, &now);
		if (q->db->writing && !q->db->broken.code)
			q->db->broken = now;
		*e = now;
		return -1;
	}
	rc = q->stmt ? sqlite3_step(q->stmt) : sqlite3_extended_errcode(q->db->h);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return fail(q->db, rc, e);
}

int q_run(struct q *q, struct err *e)
{
	int r = q_step(q, e);

	q_done(q);
	return r < 0 ? -1 : 0;
}

bool q_col_is_null(struct q *q, int i)
{
	return sqlite3_column_type(q->stmt, i) == SQLITE_NULL;
}

int64_t q_col_int(struct q *q, int i)
{
	return sqlite3_column_int64(q->stmt, i);
}

struct str q_col_text(struct q *q, int i)
{
	const char *p = (const char *)sqlite3_column_text(q->stmt, i);

	return p ? (struct str){p, (size_t)sqlite3_column_bytes(q->stmt, i)} : STR_NULL;
}

struct str q_col_blob(struct q *q, int i)
{
	const char *p = sqlite3_column_blob(q->stmt, i);
	size_t n = (size_t)sqlite3_column_bytes(q->stmt, i);

	if (q_col_is_null(q, i))
		return STR_NULL;
	return (struct str){p ? p : "", n}; /* SQLite gives NULL for no bytes */
}

bool q_col_sha(struct q *q, int i, struct sha *out)
{
	struct str b = q_col_blob(q, i);

	if (!b.p || b.n != SHA_BYTES)
		return false;
	memcpy(out->b, b.p, SHA_BYTES);
	return true;
}

void q_done(struct q *q)
{
	BUG_IF(!q->busy);
	if (!q->cached) {
		sqlite3_finalize(q->stmt);
		free(q->lost);
		free(q);
		return;
	}
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	q->busy = false;
}

int64_t db_last_rowid(struct db *d)
{
	settle(d);
	return sqlite3_last_insert_rowid(d->h);
}

int64_t db_changes(struct db *d)
{
	settle(d);
	return sqlite3_changes64(d->h);
}

int64_t db_others(struct db *d)
{
	struct err ignored = ERR_INIT;
	struct q *q = db_query(d, "pragma data_version");
	int64_t v = q_step(q, &ignored) == 1 ? q_col_int(q, 0) : 0;

	q_done(q);
	return v;
}

int64_t db_version(struct db *d)
{
	return db_others(d) + d->commits;
}
