/* What is damaged in leat.db or in its log is found, wherever it is. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/xx64.h"
#include "db/db.h"
#include "db/db_vfs.h"
#include "sys/file.h"
#include "t.h"

static char dir[256];
static struct err e;

static const char *path(const char *name)
{
	static char out[300];

	snprintf(out, sizeof(out), "%s/%s", dir, name);
	return out;
}

static void flip(const char *name, off_t at, uint8_t bit)
{
	int fd = open(path(name), O_RDWR);
	uint8_t c;

	if (fd < 0 || pread(fd, &c, 1, at) != 1)
		exit(1);
	c ^= bit;
	if (pwrite(fd, &c, 1, at) != 1)
		exit(1);
	close(fd);
}

static int put(struct db *d, const char *key, int64_t v)
{
	struct q *q = db_query(d, "insert or replace into store(key, value) values(?, ?)");

	q_cstr(q, 1, key);
	q_int(q, 2, v);
	return q_run(q, &e);
}

/* Reads the whole database: 0, or -1 with what was found. */
static int read_all(void)
{
	struct db *d;
	struct q *q;
	int r;

	err_clear(&e);
	if (db_open(dir, &d, &e))
		return -1;
	q = db_query(d, "pragma integrity_check");
	while ((r = q_step(q, &e)) == 1)
		if (!str_is(q_col_text(q, 0), "ok")) {
			err_set(&e, ERR_DAMAGED, "%.*s", STR_ARG(q_col_text(q, 0)));
			r = -1;
			break;
		}
	q_done(q);
	db_close(d);
	return r;
}

static void sums(void)
{
	T_OK(xx64("", 0, 0) == 0xef46db3751d8e999u && xx64("abc", 3, 0) == 0x44bc2cf5ad770999u,
	     "XXH64 gives what its specification says");
	T_OK(xx64("Nobody inspects the spammish repetition", 39, 0) == 0xfbcea83c8a378bf1u, "for long texts too");
}

/* Any sqlite3 may read the database, and does this when it closes it. */
static void empty_log(void)
{
	sqlite3 *h;

	T_OK(!sqlite3_open_v2(path("leat.db"), &h, SQLITE_OPEN_READWRITE, db_vfs()) &&
		     !sqlite3_exec(h, "pragma wal_checkpoint(truncate)", NULL, NULL, NULL) && !sqlite3_close(h),
	     "the log is moved into the database");
}

static void pages(void)
{
	struct db *d;
	struct stat st;
	int missed = 0, other = 0, step = 211;

	T_NO_ERR(db_create(dir, &d, &e), &e, "a database is made");
	T_OK(db_begin(d, &e) == 0, "and written");
	for (int i = 0; i < 500; i++) {
		char key[40];
		snprintf(key, sizeof(key), "a key of some length %d", i);
		if (put(d, key, i))
			T_OK(false, "%s", e.msg);
	}
	T_NO_ERR(db_commit(d, &e), &e, "with many rows");
	db_close(d);
	empty_log();
	if (stat(path("leat.db"), &st))
		exit(1);
	for (off_t at = 0; at < st.st_size; at += step) {
		flip("leat.db", at, (uint8_t)(1 << (at % 8)));
		int fd = open(path("leat.db"), O_RDONLY);
		uint8_t page[DB_PAGE];
		if (pread(fd, page, DB_PAGE, at / DB_PAGE * DB_PAGE) != DB_PAGE ||
		    db_page_whole(page, DB_PAGE, at / DB_PAGE + 1))
			missed++;
		close(fd);
		if (at < DB_PAGE && (!read_all() || e.code != ERR_DAMAGED))
			other++;
		flip("leat.db", at, (uint8_t)(1 << (at % 8)));
	}
	T_INT(missed, 0, "each flip of one bit in a page shows in its checksum");
	T_INT(other, 0, "and one in the first page is never read over");
	T_INT(read_all(), 0, "put right, all is well");
}

/* A process writes and is killed: what it wrote lies in the log. */
static void leave_log(int commits)
{
	int status;

	if (!fork()) {
		struct db *d;
		if (db_open(dir, &d, &e))
			_exit(1);
		for (int i = 0; i < commits; i++) {
			char key[40];
			snprintf(key, sizeof(key), "in the log %d", i);
			if (db_begin_durable(d, i % 2 ? DB_POWER : DB_PROCESS, &e) || put(d, key, i) ||
			    db_commit(d, &e))
				_exit(2);
		}
		kill(getpid(), SIGKILL);
	}
	while (wait(&status) > 0)
		;
}

static int64_t count(void)
{
	struct db *d;
	struct q *q;
	int64_t n = -1;

	if (db_open(dir, &d, &e))
		return -1;
	q = db_query(d, "select count(*) from store where key like 'in the log %'");
	if (q_step(q, &e) == 1)
		n = q_col_int(q, 0);
	q_done(q);
	db_close(d);
	return n;
}

static void logs(void)
{
	int64_t missed = 0, tried = 0;
	struct stat st;

	leave_log(20);
	T_OK(!stat(path("leat.db-wal"), &st) && st.st_size > 20 * DB_PAGE, "what a killed process wrote is in the log");
	T_INT(count(), 20, "and is there for who opens next");
	for (off_t at = 0; at < st.st_size; at += 613, tried++) {
		flip("leat.db-wal", at, (uint8_t)(1 << (at % 8)));
		err_clear(&e);
		int64_t n = count();
		/* of a frame's own head some bits say nothing: then all rows are there */
		if (n != 20 && !(n == -1 && e.code == ERR_DAMAGED))
			missed++;
		flip("leat.db-wal", at, (uint8_t)(1 << (at % 8)));
	}
	T_INT(missed, 0, "a flip anywhere in the log is damage and named, never rows missing (%lld tried)",
	      (long long)tried);
	err_clear(&e);
	T_INT(count(), 20, "put right, all rows are there");
	if (truncate(path("leat.db-wal"), st.st_size - DB_PAGE / 2))
		exit(1);
	T_INT(count(), -1, "a log that lost its end is damaged");
	T_ERR(&e, ERR_DAMAGED, "leat.db-wal", "and that is said");
	err_clear(&e);
}

static int say(sqlite3 *h, const char *sql)
{
	return sqlite3_exec(h, sql, NULL, NULL, NULL);
}

static int64_t ask(sqlite3 *h, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t r = -1;

	if (!sqlite3_prepare_v2(h, sql, -1, &st, NULL) && sqlite3_step(st) == SQLITE_ROW)
		r = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return r;
}

/* The log's frames are written together (db_vfs.c): none of those of a transaction that came to nothing may come late,
 * over another's. */
static void rolled_back(void)
{
	sqlite3 *a = NULL, *b = NULL;
	bool kept = true;

	T_OK(!sqlite3_open_v2(path("leat.db"), &a, SQLITE_OPEN_READWRITE, db_vfs()) &&
		     !sqlite3_open_v2(path("leat.db"), &b, SQLITE_OPEN_READWRITE, db_vfs()) &&
		     !say(a, "pragma cache_size = 10; create table spill(v blob); create table sure(n integer)"),
	     "two who write, the one with a cache that is soon full");
	for (int i = 1; i <= 30; i++) {
		char sql[200];

		snprintf(sql, sizeof(sql),
			 "begin immediate; with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)"
			 " insert into spill select randomblob(900) from n; rollback", 7 * i);
		kept &= !say(a, sql) && !say(b, "insert into sure values(1)") && !say(a, "select count(*) from spill");
		kept &= ask(a, "select count(*) from sure") == i && ask(b, "select count(*) from sure") == i;
	}
	T_OK(kept, "what one rolls back leaves the other's rows alone");
	sqlite3_close(a);
	sqlite3_close(b);
	T_INT(read_all(), 0, "and the log is whole");
}

int main(void)
{
	snprintf(dir, sizeof(dir), "%s/leat-unit-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	sums();
	pages();
	logs();
	empty_log();
	rolled_back();
	if (dir_remove_tree(dir, &e))
		printf("# %s\n", e.msg);
	return t_done();
}
