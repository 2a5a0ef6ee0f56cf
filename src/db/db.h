/*
 * db/db.h: leat.db, the one SQLite file of a workspace (WAL), and its only write lock.
 *
 * A writer takes flock on .leat/write.lock (blocking, fair), then BEGIN IMMEDIATE: short, no data is read or written
 * inside but rows (SEMANTICS 9). Readers need nothing: each db_read_begin..end sees one state. Statements are cached by
 * their text. Not for several threads. Every struct db is used by one process; never across fork.
 */
#ifndef LEAT_DB_DB_H
#define LEAT_DB_DB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

struct db;

enum db_durability { DB_POWER, DB_PROCESS };

/*
 * leat_dir is the .leat folder. db_create also makes the schema (finishing one that a crash left half-made); db_open
 * migrates an older one, refuses a newer one (ERR_NEWER_FORMAT). The version is SQLite's user_version.
 */
must_check int db_create(const char *leat_dir, struct db **out, struct err *e);
must_check int db_open(const char *leat_dir, struct db **out, struct err *e);
void db_close(struct db *d); /* NULL is fine */
/* What db_begin promises: DB_POWER unless set. */
void db_set_durability(struct db *d, enum db_durability how);

/* Tables that only some stores have. Made in a write transaction. */
enum db_set {
	DB_SET_DATA,     /* defs/data_tables.def: with data-driven jobs */
	DB_SET_BRANCHES, /* defs/branch_tables.def: with workspace branches */
	DB_SET_RUNS,     /* defs/run_tables.def: with runs, exports */
	DB_SET_TIME,     /* defs/time_tables.def: with the clock and the daemon */
	DB_SET_WATCH,    /* defs/watch_tables.def: with who follows what happens; wants DB_SET_TIME */
	DB_SET_MOVED,    /* defs/moved_tables.def: with runs that publish */
	DB_SET_LINEAGE,  /* defs/lineage_tables.def: with runs that are told as OpenLineage events */
	DB_SETS
};
bool db_has_set(struct db *d, enum db_set set);
must_check int db_make_set(struct db *d, enum db_set set, struct err *e);
static inline bool db_has_data(struct db *d)
{
	return db_has_set(d, DB_SET_DATA);
}

/* In a write transaction: all rows go but those of `store`. */
must_check int db_empty(struct db *d, struct err *e);

/* Write transaction. Nested begins are a BUG. A commit that fails has rolled back. */
must_check int db_begin(struct db *d, struct err *e);
must_check int db_begin_durable(struct db *d, enum db_durability how, struct err *e);
must_check int db_commit(struct db *d, struct err *e);
/*
 * The same, with the wait for the disk left to a thread: db_commit_start goes on at once, db_commit_wait tells whether
 * it is over, waiting at most that long, db_commit_end how it ended (as db_commit). Whatever else is asked of the
 * handle in between waits for the commit first.
 */
void db_commit_start(struct db *d);
bool db_commit_wait(struct db *d, int64_t us);
must_check int db_commit_end(struct db *d, struct err *e);
void db_rollback(struct db *d); /* nothing to do when none is open */
bool db_in_write(struct db *d);
/* Keeps at least so much of the database in memory from now on: for who looks up very many rows in many places. */
void db_cache(struct db *d, int kib);
int64_t db_transaction(struct db *d); /* counts the write transactions begun by this handle; 0 before the first */
/*
 * Moves the log into the database, with no transaction and no lock that a writer waits for: for who writes much in many
 * short transactions, so that none of them has to.
 */
void db_checkpoint(struct db *d);
/*
 * This handle writes much, and sees to the log until it is closed: others who write little and close meanwhile leave
 * the log as it is, however long; otherwise each of them would wait until it had moved what this one wrote.
 */
void db_keep_log(struct db *d);
/* And gives its space back, if nobody reads from it; its files go when the last who has them open closes. */
void db_log_empty(struct db *d);
/*
 * Reads leat.db itself, page by page, against its checksums: cb for each page (from 1) that is damaged. *sums: false
 * where the database has none (one that the first format made). No transaction may be open.
 */
must_check int db_check_pages(struct db *d, bool *sums, int (*cb)(void *ptr, int64_t page, struct err *e), void *ptr,
			      struct err *e);
/*
 * A database that does not say any more which tables it has is opened as a copy (db_roots.h), where all else can be
 * read; db_begin refuses, with ERR_DAMAGED. db_make_whole puts a whole one in its place, for who opens it next; every
 * page with rows must be whole, and no other process have it open.
 */
bool db_is_copy(const struct db *d);
must_check int db_make_whole(struct db *d, struct err *e);
/* Whether .leat/leat.db-roots is right, or not there (who writes next makes it). No transaction may be open. */
bool db_roots_whole(struct db *d);
/* For who goes on without what a damaged log held: db_open then takes it as far as it is whole. The log is copied to
 * `aside` first. */
must_check int db_accept_log(const char *leat_dir, const char *aside, struct err *e);
/* Read snapshot; may nest (counted); inside a write transaction it is that one. */
must_check int db_read_begin(struct db *d, struct err *e);
void db_read_end(struct db *d);
bool db_in_read(const struct db *d);

/*
 * One statement:  struct q *q = db_query(d, "select head from branch where repo = ? and name = ?");
 *   q_int(q, 1, repo); q_text(q, 2, name);
 *   while ((r = q_step(q, e)) == 1) { ... q_col_int(q, 0) ... }   r: 1 row, 0 done, -1 error (e filled)
 *   q_done(q);      resets and gives it back to the cache; always, also after an error
 * A statement that does not compile is a BUG (its text is ours). Columns of text and blobs live until the next q_step
 * or q_done.
 */
struct q;
struct q *db_query(struct db *d, const char *sql);
/*
 * Tables and indices that should be there and are not ("the table commits"): somebody changed the database by hand. A
 * statement that needs one of them is ERR_DAMAGED at its first step.
 */
must_check int db_whole(struct db *d, struct arena *a, const char ***missing, size_t *n, struct err *e);
void q_int(struct q *q, int i, int64_t v);
void q_text(struct q *q, int i, struct str s); /* STR_NULL binds null */
void q_cstr(struct q *q, int i, const char *s); /* NULL binds null */
void q_blob(struct q *q, int i, const void *p, size_t n);
void q_sha(struct q *q, int i, const struct sha *s);
void q_null(struct q *q, int i);
must_check int q_step(struct q *q, struct err *e);
/* Runs a statement that gives no rows, then q_done. */
must_check int q_run(struct q *q, struct err *e);
bool q_col_is_null(struct q *q, int i);
int64_t q_col_int(struct q *q, int i);
struct str q_col_text(struct q *q, int i);
struct str q_col_blob(struct q *q, int i);
bool q_col_sha(struct q *q, int i, struct sha *out); /* false if null or of another size */
void q_done(struct q *q);

int64_t db_last_rowid(struct db *d);
int64_t db_changes(struct db *d);
/* Grows by one whenever any process has committed a change (PRAGMA data_version and own commits). */
int64_t db_version(struct db *d);
/* Another one than before whenever another connection has committed a change; never 0. */
int64_t db_others(struct db *d);

#endif
