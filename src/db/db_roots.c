#include "db/db_roots.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/xx64.h"
#include "db/db_in.h"
#include "db/db_vfs.h"
#include "sys/file.h"
#include "sys/rand.h"

#define ROOTS_MAX (64 << 10) /* bytes of the file: a table takes about 3 */
#define SUM_TEXT 18          /* at its end */
#define PATH_CAP 4200
#define HEADER 100           /* of a database; its first page begins behind it */
#define OPEN_BYTE 128        /* of the log's index: SQLite locks it as long as a process has the database open */

struct roots {
	int page, version, vacuum, sets; /* sets: a bit for each enum db_set whose tables are there */
	struct str text;                 /* up to the sum */
	const char *list;                /* within it: a number for each */
	uint64_t sum;
};

/* --- the file --- */

static int number_of(sqlite3 *h, const char *pragma)
{
	sqlite3_stmt *st = NULL;
	int n = -1;

	if (!sqlite3_prepare_v2(h, pragma, -1, &st, NULL) && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return n;
}

#define LIST "select name, rootpage from sqlite_schema where rootpage > 0 order by name"

/* The sum is over the names too, which do not stand in the file. */
static uint64_t sum_of(sqlite3 *h, struct str text)
{
	sqlite3_stmt *st = NULL;
	uint64_t sum = 0;

	if (!sqlite3_prepare_v2(h, LIST, -1, &st, NULL))
		while (sqlite3_step(st) == SQLITE_ROW)
			sum = xx64(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0), sum);
	sqlite3_finalize(st);
	return xx64(text.p, text.n, sum);
}

static bool make_text(sqlite3 *h, struct buf *b)
{
	sqlite3_stmt *st = NULL;
	int rc, page = db_vfs_sums(h);
	unsigned sets = 0;

	if (!page)
		return false;
	for (unsigned i = 0; i < DB_SETS; i++) {
		char sql[120];

		snprintf(sql, sizeof(sql), "select count(*) from sqlite_schema where name = '%s'",
			 db_schema_mark((enum db_set)i));
		sets |= (unsigned)(number_of(h, sql) == 1) << i;
	}
	buf_addf(b, "leatroots1 %d %d %d %d %d", page, number_of(h, "pragma user_version"),
		 number_of(h, "pragma auto_vacuum"), number_of(h, "pragma schema_version"),
		 (int)sets);
	rc = sqlite3_prepare_v2(h, LIST, -1, &st, NULL);
	while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		buf_addf(b, " %d", sqlite3_column_int(st, 1));
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	buf_addf(b, " %016" PRIx64 "\n", sum_of(h, buf_str(b)));
	return rc == SQLITE_DONE && !buf_over(b);
}

static struct str roots_path(const char *path, char *out)
{
	snprintf(out, PATH_CAP, "%s" DB_ROOTS, path);
	return str_of(out);
}

bool db_roots_right(const char *path, sqlite3 *h)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf b cleanup(buf_free) = BUF_INIT(ROOTS_MAX);
	struct err ignored = ERR_INIT;
	struct str have;
	char name[PATH_CAP];

	if (!make_text(h, &b) || file_read(a, roots_path(path, name).p, ROOTS_MAX, &have, &ignored))
		return false;
	return str_eq(have, buf_str(&b));
}

void db_roots_write(const char *path, sqlite3 *h)
{
	struct buf b cleanup(buf_free) = BUF_INIT(ROOTS_MAX);
	struct err ignored = ERR_INIT;
	char name[PATH_CAP];

	if (make_text(h, &b) && file_replace(roots_path(path, name).p, buf_str(&b), 0, 0, &ignored))
		err_clear(&ignored);
}

void db_roots_remove(const char *path)
{
	struct err ignored = ERR_INIT;
	char name[PATH_CAP];

	if (file_unlink(roots_path(path, name).p, &ignored))
		err_clear(&ignored);
}

static int read_roots(struct arena *a, const char *path, struct roots *out, struct err *e)
{
	char name[PATH_CAP];
	int at = 0;

	if (file_read(a, roots_path(path, name).p, ROOTS_MAX, &out->text, e))
		return -1;
	if (sscanf(out->text.p, "leatroots1 %d %d %d %*d %d%n", &out->page, &out->version, &out->vacuum, &out->sets,
		   &at) != 4 || out->text.n < (size_t)at + SUM_TEXT || out->page < 512 || out->page > DB_PAGE_MAX)
		return err_set(e, ERR_DAMAGED, "%s is damaged", name);
	out->text.n -= SUM_TEXT;
	out->list = out->text.p + at;
	out->sum = strtoull(out->text.p + out->text.n + 1, NULL, 16);
	return 0;
}

/* --- an empty database of the same tables, each of which begins where the file says --- */

struct image {
	uint8_t *p;
	int page;
	uint32_t pages;
};

static int set_roots(sqlite3 *h, const struct roots *r)
{
	sqlite3_stmt *all = NULL, *st = NULL;
	int rc = r->sum != sum_of(h, r->text);
	const char *at = r->list;

	/* of a newer leat, or none of ours, or damaged */
	if (rc || sqlite3_exec(h, "pragma writable_schema = on; create temp table t as " LIST, NULL, NULL, NULL))
		return -1;
	rc = sqlite3_prepare_v2(h, "select rowid from temp.t order by rowid", -1, &all, NULL);
	if (!rc)
		rc = sqlite3_prepare_v2(h, "update sqlite_schema set rootpage = ?2 where name ="
					   " (select name from temp.t where rowid = ?1)", -1, &st, NULL);
	while (!rc && (rc = sqlite3_step(all)) == SQLITE_ROW) {
		char *end;

		sqlite3_bind_int64(st, 1, sqlite3_column_int64(all, 0));
		sqlite3_bind_int64(st, 2, strtoll(at, &end, 10));
		rc = end == at || sqlite3_step(st) != SQLITE_DONE || sqlite3_changes(h) != 1;
		sqlite3_reset(st);
		at = end;
	}
	sqlite3_finalize(all);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE && at == r->text.p + r->text.n ? 0 : -1;
}

static int make_image(const struct roots *r, struct image *out, struct err *e)
{
	sqlite3 *h = NULL;
	int reserve = DB_PAGE_SUM, rc = sqlite3_open(":memory:", &h);
	sqlite3_int64 size = 0;
	char sql[160];

	snprintf(sql, sizeof(sql), "pragma page_size = %d; pragma auto_vacuum = %d; pragma application_id = %d",
		 r->page, r->vacuum, DB_APPLICATION);
	if (!rc)
		rc = sqlite3_file_control(h, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	if (!rc)
		rc = sqlite3_exec(h, sql, NULL, NULL, NULL);
	snprintf(sql, sizeof(sql), "pragma user_version = %d", r->version);
	*out = (struct image){0};
	if (!rc && !db_schema(h, r->version, (unsigned)r->sets) && !sqlite3_exec(h, sql, NULL, NULL, NULL) &&
	    !set_roots(h, r)) {
		out->p = sqlite3_serialize(h, "main", &size, 0);
		out->page = r->page;
		out->pages = (uint32_t)(size / r->page);
	}
	sqlite3_close(h);
	return out->p ? 0 : err_set(e, ERR_DAMAGED, "where its tables begin is not known");
}

/* SQLite's file format, sections 1.6 and 2.1. Integers are big-endian. */

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static size_t varint(const uint8_t *p, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++) {
		v = v << 7 | (p[i] & 0x7f);
		if (!(p[i] & 0x80)) {
			*out = v;
			return i + 1;
		}
	}
	*out = v << 8 | p[8];
	return 9;
}

/* What a cell of a leaf does not hold lies in a chain of other pages. */
static void shift_chain(struct image *m, uint8_t *cell, uint32_t by)
{
	uint64_t n, row, usable = (uint64_t)m->page - DB_PAGE_SUM, most = usable - 35,
			 least = (usable - 12) * 32 / 255 - 23;
	size_t head = varint(cell, &n);
	uint8_t *at;

	head += varint(cell + head, &row);
	if (n <= most)
		return;
	row = least + (n - least) % (usable - 4);
	at = cell + head + (row <= most ? row : least);
	while (get32(at)) {
		uint32_t next = get32(at);

		BUG_IF(next > m->pages);
		put32(at, next + by);
		at = m->p + (size_t)(next - 1) * (size_t)m->page;
	}
}

/* The pages of the list of tables are to stand `by` pages further on. */
static void shift(struct image *m, uint32_t number, uint32_t by)
{
	uint8_t *page = m->p + (size_t)(number - 1) * (size_t)m->page, *head = page + (number == 1 ? HEADER : 0);
	int cells = head[3] << 8 | head[4];
	bool inner = head[0] == 5;

	BUG_IF(number > m->pages || (!inner && head[0] != 13));
	for (int i = 0; i <= cells; i++) {
		uint8_t *ref = head + (inner ? 12 : 8) + 2 * i, *cell = page + (ref[0] << 8 | ref[1]);

		if (i == cells)
			cell = head + 8;
		if (!inner && i < cells)
			shift_chain(m, cell, by);
		if (!inner)
			continue;
		shift(m, get32(cell), by);
		put32(cell, get32(cell) + by);
	}
}

/* --- the copy --- */

static int failed(const char *path, sqlite3 *h, struct err *e)
{
	return err_set(e, ERR_DAMAGED, "%s: %s", path, sqlite3_errmsg(h));
}

/* Pages that stand in the log go into the copy; the first need not be whole for that, but one must be there. */
static int move_log(const char *copy, int fd, const struct image *m, struct err *e)
{
	uint8_t page[DB_PAGE_MAX];
	sqlite3 *h = NULL;
	size_t got;
	int rc;

	if (fd_pread_full(fd, page, (size_t)m->page, 0, &got, copy, e))
		return -1;
	if (!db_page_whole(page, (size_t)m->page, 1)) {
		memcpy(page, m->p, (size_t)m->page);
		page[18] = page[19] = 2; /* it has a log */
		if (fd_pwrite_all(fd, page, (size_t)m->page, 0, copy, e))
			return -1;
	}
	rc = sqlite3_open_v2(copy, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, db_vfs());
	if (!rc)
		rc = number_of(h, "pragma user_version") < 0; /* which opens the log */
	if (!rc)
		rc = sqlite3_wal_checkpoint_v2(h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc)
		failed(copy, h, e);
	sqlite3_close(h);
	return rc ? -1 : 0;
}

static int put_pages(const char *copy, int fd, struct image *m, struct err *e)
{
	struct stat st;
	uint32_t pages;

	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot look at %s", copy);
	pages = (uint32_t)(st.st_size / m->page);
	shift(m, 1, pages);
	put32(m->p + 24, 1); /* counts changes; for which of them the number of pages holds stands at 92 */
	put32(m->p + 92, 1);
	put32(m->p + 28, pages + m->pages);
	put32(m->p + 32, 0); /* nothing is known of free pages */
	put32(m->p + 36, 0);
	m->p[18] = m->p[19] = 1; /* no log */
	return fd_pwrite_all(fd, m->p, (size_t)m->pages * (size_t)m->page, (off_t)pages * m->page, copy, e) ||
	       fd_pwrite_all(fd, m->p, (size_t)m->page, 0, copy, e)
		       ? -1
		       : 0;
}

static int make_copy(const char *path, const char *copy, struct image *m, struct err *e)
{
	char log[PATH_CAP + 16], copy_log[PATH_CAP + 16];
	int fd FD_CLEANUP = -1;

	snprintf(log, sizeof(log), "%s-wal", path);
	snprintf(copy_log, sizeof(copy_log), "%s-wal", copy);
	if (file_copy(path, copy, 0600, 0, e) || (file_exists(log) && file_copy(log, copy_log, 0600, 0, e)) ||
	    file_open_write(copy, O_RDWR, 0600, &fd, e))
		return -1;
	return move_log(copy, fd, m, e) || put_pages(copy, fd, m, e) ? -1 : 0;
}

static void remove_copy(const char *copy)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char name[PATH_CAP + 16];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", copy, ends[i]);
		(void)unlink(name);
	}
}

/* A name in `folder` beside the database. */
static void name_beside(const char *path, const char *folder, const char *what, char *out)
{
	char name[RAND_NAME];

	rand_name(name);
	snprintf(out, PATH_CAP, "%.*s/%s/%s-%s", (int)(strrchr(path, '/') - path), path, folder, what, name);
}

static int put_new(const char *path, struct err *e);

int db_roots_open(const char *path, sqlite3 **out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct roots r;
	struct image m = {0};
	char copy[PATH_CAP], whole[PATH_CAP];
	int rc = -1;

	snprintf(whole, sizeof(whole), "%s-new", path);
	if (file_exists(whole))
		return put_new(path, e);
	name_beside(path, "staging", "db", copy);
	if (read_roots(a, path, &r, e) || make_image(&r, &m, e))
		return -1;
	*out = NULL;
	if (make_copy(path, copy, &m, e))
		goto out;
	if (sqlite3_open_v2(copy, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, db_vfs()) ||
	    number_of(*out, "select count(*) from sqlite_schema") < 0) {
		failed(path, *out, e);
		sqlite3_close(*out);
		goto out;
	}
	rc = 1;
out:
	remove_copy(copy); /* it stays open */
	sqlite3_free(m.p);
	return rc;
}

/* --- a whole one --- */

/* Nobody reads from the one that goes, or would write to it. */
static int nobody_has(const char *path, struct err *e)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = OPEN_BYTE, .l_len = 1};
	char index[PATH_CAP];
	int fd FD_CLEANUP = -1;

	snprintf(index, sizeof(index), "%s-shm", path);
	if (!file_exists(index))
		return 0;
	if (file_open_write(index, O_RDWR, 0600, &fd, e))
		return -1;
	if (fcntl(fd, F_GETLK, &l))
		return err_errno(e, errno, "cannot look at %s", index);
	if (l.l_type == F_UNLCK)
		return 0;
	err_set(e, ERR_BUSY, "the process %d has %s open", (int)l.l_pid, path);
	return err_hint(e, "end it, then try again");
}

/* The new one is whole and has its name: the old one and its log go, in an order in which this can be done again. */
static int put_new(const char *path, struct err *e)
{
	static const char *const old[] = {"-wal", "-shm", DB_ROOTS};
	char name[PATH_CAP], whole[PATH_CAP];

	snprintf(whole, sizeof(whole), "%s-new", path);
	snprintf(name, sizeof(name), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (nobody_has(path, e) || dir_sync(name, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(old); i++) {
		snprintf(name, sizeof(name), "%s%s", path, old[i]);
		if (file_unlink(name, e))
			return -1;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(strrchr(path, '/') - path), path);
	return dir_sync(name, e) || file_rename(whole, path, e) || dir_sync(name, e) ? -1 : 0;
}

/* As SQLite made it, it has no log. */
static int give_log(const char *made, int size, struct err *e)
{
	uint8_t page[DB_PAGE_MAX];
	int fd FD_CLEANUP = -1;
	size_t got;

	if (file_open_write(made, O_RDWR, 0644, &fd, e) || fd_pread_full(fd, page, (size_t)size, 0, &got, made, e))
		return -1;
	page[18] = page[19] = 2;
	memset(page + size - DB_PAGE_SUM, 0, DB_PAGE_SUM); /* none, until it is written again */
	return fd_pwrite_all(fd, page, (size_t)size, 0, made, e) || fd_sync(fd, made, e) ? -1 : 0;
}

int db_roots_replace(const char *path, sqlite3 *copy, struct err *e)
{
	char made[PATH_CAP], whole[PATH_CAP];
	sqlite3_stmt *st = NULL;
	int rc;

	name_beside(path, "staging", "db", made);
	snprintf(whole, sizeof(whole), "%s-new", path);
	if (nobody_has(path, e))
		return -1;
	rc = sqlite3_prepare_v2(copy, "vacuum into ?", -1, &st, NULL);
	if (!rc) {
		sqlite3_bind_text(st, 1, made, -1, SQLITE_STATIC);
		rc = sqlite3_step(st) == SQLITE_DONE ? 0 : -1;
	}
	sqlite3_finalize(st);
	rc = rc ? failed(path, copy, e)
		: give_log(made, db_vfs_sums(copy), e) || file_rename(made, whole, e) || put_new(path, e);
	remove_copy(made);
	return rc ? -1 : 0;
}
