/* leat.db: opening, migrating, writers in a queue, snapshots. */
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "db/db.h"
#include "db/db_vfs.h"
#include "sys/file.h"
#include "t.h"

static char dir[200];
static struct err e;

static struct db *opened(void)
{
	struct db *d = NULL;

	if (db_open(dir, &d, &e))
		T_OK(false, "it opens: %s", e.msg);
	return d;
}

static int64_t one(struct db *d, const char *sql)
{
	struct q *q = db_query(d, sql);
	int64_t v = q_step(q, &e) == 1 ? q_col_int(q, 0) : -1;

	q_done(q);
	return v;
}

static int put(struct db *d, const char *key, int64_t v)
{
	struct q *q = db_query(d, "insert or replace into store(key, value) values(?, ?)");

	q_cstr(q, 1, key);
	q_int(q, 2, v);
	return q_run(q, &e);
}

static void basics(struct db *d)
{
	struct sha id = sha_of("x", 1), back;
	struct q *q;

	T_NO_ERR(db_begin(d, &e), &e, "a write transaction begins");
	T_OK(db_in_write(d), "and is open");
	T_NO_ERR(put(d, "a", 1), &e, "a row is written");
	T_NO_ERR(db_commit(d, &e), &e, "and committed");
	T_INT(one(d, "select value from store where key = 'a'"), 1, "it is there");
	T_NO_ERR(db_begin(d, &e), &e, "another begins");
	T_NO_ERR(put(d, "a", 2), &e, "a row is changed");
	db_rollback(d);
	db_rollback(d);
	T_INT(one(d, "select value from store where key = 'a'"), 1, "what was rolled back is not there");
	q = db_query(d, "select ?, ?, ?, x''");
	q_sha(q, 1, &id);
	q_text(q, 2, STR("text"));
	q_null(q, 3);
	T_INT(q_step(q, &e), 1, "values come back");
	T_OK(q_col_sha(q, 0, &back) && sha_eq(&id, &back), "a hash");
	T_OK(str_is(q_col_text(q, 1), "text"), "a text");
	T_OK(q_col_is_null(q, 2) && !q_col_text(q, 2).p && !q_col_sha(q, 2, &back), "nothing");
	T_OK(q_col_blob(q, 3).p && !q_col_blob(q, 3).n, "and no bytes, which are not nothing");
	q_done(q);
	q = db_query(d, "select 1 union select 2");
	struct q *same = db_query(d, "select 1 union select 2");
	T_OK(q_step(q, &e) == 1 && q_step(same, &e) == 1 && q_step(q, &e) == 1 && q_col_int(q, 0) == 2 &&
		     q_col_int(same, 0) == 1,
	     "one text can be stepped twice at once");
	q_done(q);
	q_done(same);
	T_NO_ERR(db_begin(d, &e), &e, "a transaction");
	q = db_query(d, "insert into repo(id, name, created) values(1, 'a', 0)");
	T_NO_ERR(q_run(q, &e), &e, "with a row");
	q = db_query(d, "insert into repo(id, name, created) values(2, 'A', 0)");
	T_INT(q_run(q, &e), -1, "whose name must be alone");
	T_ERR(&e, ERR_CONFLICT, "UNIQUE", "is a conflict");
	db_rollback(d);
	err_clear(&e);
}

static void snapshots(struct db *d)
{
	struct db *other = opened();
	int64_t before = db_version(d);

	T_NO_ERR(db_read_begin(d, &e), &e, "a reader");
	T_INT(one(d, "select value from store where key = 'a'"), 1, "sees a state");
	if (db_begin(other, &e) || put(other, "a", 5) || db_commit(other, &e))
		T_OK(false, "another writes: %s", e.msg);
	T_INT(one(d, "select value from store where key = 'a'"), 1, "and goes on seeing it while another writes");
	db_read_end(d);
	T_INT(one(d, "select value from store where key = 'a'"), 5, "until it ends");
	T_OK(db_version(d) > before, "the version has grown by another's change");
	before = db_version(d);
	T_INT(db_version(d), before, "and does not grow by looking");
	if (db_begin(d, &e) || put(d, "a", 1) || db_commit(d, &e))
		T_OK(false, "%s", e.msg);
	T_OK(db_version(d) > before, "it grows by an own change too");
	db_close(other);
}

/* Processes that add to one number: none is lost, none fails. */
static void writers(struct db *d)
{
	int bad = 0, status;

	if (db_begin(d, &e) || put(d, "n", 0) || db_commit(d, &e))
		T_OK(false, "%s", e.msg);
	for (int i = 0; i < 4; i++) {
		if (fork())
			continue;
		struct db *own;
		if (db_open(dir, &own, &e))
			_exit(2);
		for (int k = 0; k < 50; k++) {
			if (db_begin_durable(own, DB_PROCESS, &e))
				_exit(3);
			if (put(own, "n", one(own, "select value from store where key = 'n'") + 1) ||
			    db_commit(own, &e))
				_exit(4);
		}
		db_close(own);
		_exit(0);
	}
	while (wait(&status) > 0)
		bad += status != 0;
	T_INT(bad, 0, "four processes that write at once all succeed");
	T_INT(one(d, "select value from store where key = 'n'"), 200, "and no write of theirs is lost");
}

/* A commit that a thread was left with. */
static void later(struct db *d)
{
	struct db *other = opened();
	int bad = 0;

	if (db_begin(d, &e) || put(d, "later", 1))
		T_OK(false, "%s", e.msg);
	db_commit_start(d);
	while (!db_commit_wait(d, 1000))
		continue;
	T_NO_ERR(db_commit_end(d, &e), &e, "a commit that was started ends");
	T_INT(one(other, "select value from store where key = 'later'"), 1, "and is seen by others");
	if (db_begin(d, &e) || put(d, "later", 2))
		T_OK(false, "%s", e.msg);
	db_commit_start(d);
	T_INT(one(d, "select value from store where key = 'later'"), 2, "a query at once waits for it");
	T_OK(!db_in_write(d), "and finds no transaction");
	T_NO_ERR(db_commit_end(d, &e), &e, "how it ended can be asked after that");
	for (int i = 0; i < 500 && !bad; i++) {
		bad = db_begin(d, &e) || put(d, "later", i);
		if (!bad)
			db_commit_start(d);
		bad = bad || one(d, "select value from store where key = 'later'") != i || db_commit_end(d, &e);
	}
	T_INT(bad, 0, "five hundred one after the other are all there");
	if (db_begin(d, &e) || put(d, "later", -1))
		T_OK(false, "%s", e.msg);
	db_commit_start(d);
	db_rollback(d);
	T_NO_ERR(db_commit_end(d, &e), &e, "a roll back that comes too late changes nothing");
	T_INT(one(other, "select value from store where key = 'later'"), -1, "what was committed stays");
	db_close(other);
}

static void log_is_bounded(struct db *d)
{
	char wal[300], key[20];
	struct stat st = {0};

	/* So many that the log would be 40 MB, and without a pause in which nobody writes. */
	snprintf(wal, sizeof(wal), "%s/leat.db-wal", dir);
	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "k%d", i % 100);
		if (db_begin_durable(d, DB_PROCESS, &e) || put(d, key, i) || db_commit(d, &e)) {
			T_OK(false, "%s", e.msg);
			return;
		}
	}
	T_INT(stat(wal, &st), 0, "the write-ahead log is there");
	T_OK(st.st_size < 12000000,
	     "the write-ahead log is moved into the database as it grows (%lld bytes)", (long long)st.st_size);
}

/* One process after the other, as commands are: each takes the log from the files alone. */
static void log_is_moved_once(void)
{
	char wal[300];
	struct stat st = {0};
	struct db *d;

	snprintf(wal, sizeof(wal), "%s/leat.db-wal", dir);
	for (int i = 0; i < 3; i++) {
		d = opened();
		if (db_begin(d, &e) || put(d, "small", i) || db_commit(d, &e))
			T_OK(false, "%s", e.msg);
		db_close(d);
	}
	T_INT(stat(wal, &st), 0, "the write-ahead log is there still");
	T_OK(st.st_size < 100000,
	     "a log that was left long is moved by whoever closes next, and by nobody after that (%lld bytes)",
	     (long long)st.st_size);
	d = opened();
	T_INT(one(d, "select value from store where key = 'small'"), 2, "what was written then is there");
	db_close(d);
}

/* Some hundred pages in the log, the lock free. */
static void write_much(struct db *d)
{
	char key[20];

	for (int i = 0; i < 800; i++) {
		snprintf(key, sizeof(key), "m%d", i);
		if (db_begin_durable(d, DB_PROCESS, &e) || put(d, key, i) || db_commit(d, &e)) {
			T_OK(false, "%s", e.msg);
			return;
		}
	}
}

static long long log_bytes(void)
{
	char wal[300];
	struct stat st = {0};

	snprintf(wal, sizeof(wal), "%s/leat.db-wal", dir);
	return stat(wal, &st) ? 0 : (long long)st.st_size;
}

/* Who closes meanwhile has written as much as others would move. */
static void log_is_kept(void)
{
	struct db *much = opened(), *other;

	db_keep_log(much);
	write_much(much);
	T_OK(log_bytes() > 800 * DB_PAGE, "who keeps the log has written much (%lld bytes)", log_bytes());
	other = opened();
	write_much(other);
	db_close(other);
	T_OK(log_bytes() > 800 * DB_PAGE, "another who closes leaves it as it is (%lld bytes)", log_bytes());
	db_close(much);
	T_OK(log_bytes() < 100 * DB_PAGE, "who kept it has moved it (%lld bytes)", log_bytes());

	pid_t child = fork();
	if (!child) {
		much = opened();
		db_keep_log(much);
		write_much(much);
		_exit(0); /* as one who is killed */
	}
	waitpid(child, NULL, 0);
	other = opened();
	write_much(other);
	db_close(other);
	T_OK(log_bytes() < 100 * DB_PAGE, "of one who died it is moved by whoever closes next (%lld bytes)",
	     log_bytes());
}

static void formats(void)
{
	char path[300];
	sqlite3 *h;
	struct db *d;

	snprintf(path, sizeof(path), "%s/leat.db", dir);
	sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE, db_vfs());
	sqlite3_exec(h, "pragma user_version = 999", NULL, NULL, NULL);
	sqlite3_close(h);
	T_INT(db_open(dir, &d, &e), -1, "a database of a newer format is not opened");
	T_ERR(&e, ERR_NEWER_FORMAT, "format 999", "and that is said");
	err_clear(&e);
	if (file_unlink(path, &e) || file_write(path,
						STR("this is no database, but long enough to look like one, is it not? "
						    "...................................."),
						0644, 0, &e))
		T_OK(false, "%s", e.msg);
	T_INT(db_open(dir, &d, &e), -1, "what is no database is not opened");
	T_ERR(&e, ERR_DAMAGED, "leat.db", "but named as damaged");
	err_clear(&e);
	if (file_unlink(path, &e))
		T_OK(false, "%s", e.msg);
	T_INT(db_open(dir, &d, &e), -1, "where none is");
	T_ERR(&e, ERR_NOT_FOUND, "leat.db", "none is found");
	err_clear(&e);
}

int main(void)
{
	struct db *d;

	snprintf(dir, sizeof(dir), "%s/leat-unit-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	T_NO_ERR(db_create(dir, &d, &e), &e, "a database is made");
	db_close(d);
	T_NO_ERR(db_create(dir, &d, &e), &e, "made again it is left as it is");
	db_close(d);
	d = opened();
	basics(d);
	snapshots(d);
	writers(d);
	later(d);
	log_is_bounded(d);
	db_close(d);
	log_is_moved_once();
	log_is_kept();
	db_close(NULL);
	formats();
	if (dir_remove_tree(dir, &e))
		printf("# %s\n", e.msg);
	return t_done();
}
