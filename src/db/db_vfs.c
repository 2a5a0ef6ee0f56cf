#include "db/db_vfs.h"

#include <sqlite3.h>
#include <string.h>

#include "base/xx64.h"
#include "db/db_fault.h"

#define HEADER 100       /* of the file; read by itself when a database is opened */
#define AT_PAGE_SIZE 16  /* in it, two bytes */
#define AT_RESERVED 20   /* one byte */
#define INDEX_HEAD 48    /* bytes of the log's index head, which is there twice */
#define FRAME_HEAD 24    /* bytes before each page in the log */
#define AT_COMMIT 4      /* in them, four bytes: not 0 in the frame that ends a transaction */
#define GATHER_MAX (64 << 10)
#define WRITE_LOCK 0     /* of the log's index: who holds it may append to the log */

/*
 * What SQLite appends to the log comes as two writes for each page. Here they are put together, so that a transaction
 * is one write, made with its last frame: until then nobody looks for the others. A transaction that ends otherwise
 * leaves nothing behind: what was not written by then must not be, for the place in the log is another writer's.
 */
struct gather {
	uint8_t *bytes;
	int n;
	sqlite3_int64 at; /* in the log */
	bool last;        /* the frame that ends a transaction has begun */
};

/* The real file lies behind ours in the memory that SQLite gives (szOsFile). */
struct file {
	sqlite3_file base;
	sqlite3_file *real;
	bool sums;
	int page; /* bytes of a page, as the header says */
	void volatile *index; /* the first block of the log's index */
	uint8_t *copy;        /* of the page being written */
	int copy_n;
	struct file *log;     /* of a database; NULL while it is not open */
	struct file *of;      /* of a log: its database */
	struct gather gathered;
};

static sqlite3_vfs vfs;
static sqlite3_vfs *below;
static int64_t bad_page;

#define REAL(f) (((struct file *)(f))->real)
#define CALL(f, m, ...) (REAL(f)->pMethods->m(REAL(f), ##__VA_ARGS__))

static bool is_page(int n, sqlite3_int64 at)
{
	return n >= 512 && n <= 65536 && !(n & (n - 1)) && at % n == 0;
}

static bool is_header(int n, sqlite3_int64 at)
{
	return !at && n >= HEADER;
}

static uint64_t sum_of(const uint8_t *page, size_t n, int64_t number)
{
	uint64_t sum = xx64(page, n - DB_PAGE_SUM, (uint64_t)number);

	return sum ? sum : 1; /* 0 says that there is none */
}

bool db_page_whole(const uint8_t *page, size_t n, int64_t number)
{
	uint64_t want = sum_of(page, n, number), have;

	memcpy(&have, page + n - DB_PAGE_SUM, sizeof(have));
	return have == want || !have;
}

/* The header says whether there are sums, unless the byte that says it is damaged itself: then the page's own sum
 * tells (one that is there: a page may end in zeros in a database that never had sums). */
static void learn(struct file *f, const uint8_t *header)
{
	uint8_t page[DB_PAGE_MAX];
	uint64_t have;

	f->page = header[AT_PAGE_SIZE] << 8 | header[AT_PAGE_SIZE + 1];
	f->sums = header[AT_RESERVED] == DB_PAGE_SUM;
	if (f->sums || !is_page(f->page, 0) || f->page > DB_PAGE_MAX || CALL(f, xRead, page, f->page, 0))
		return;
	page[AT_RESERVED] = DB_PAGE_SUM;
	memcpy(&have, page + f->page - DB_PAGE_SUM, sizeof(have));
	f->sums = have && db_page_whole(page, (size_t)f->page, 1);
}

static int write_gathered(sqlite3_file *base)
{
	struct gather *g = &((struct file *)base)->gathered;
	int n = g->n;

	g->n = 0;
	return n ? CALL(base, xWrite, g->bytes, n, g->at) : SQLITE_OK;
}

static bool gathers(const struct file *f, int n, sqlite3_int64 at)
{
	const struct gather *g = &f->gathered;

	return f->of && g->bytes && g->n + n <= GATHER_MAX && (n == FRAME_HEAD || n == f->of->page) &&
	       (!g->n || at == g->at + g->n);
}

/* A part of the log. */
static int log_write(struct file *f, const void *p, int n, sqlite3_int64 at)
{
	struct gather *g = &f->gathered;
	int rc = gathers(f, n, at) ? SQLITE_OK : write_gathered(&f->base);

	if (rc)
		return rc;
	if (!gathers(f, n, at))
		return CALL(f, xWrite, p, n, at);
	if (!g->n)
		g->at = at;
	memcpy(g->bytes + g->n, p, (size_t)n);
	g->n += n;
	if (n == FRAME_HEAD) {
		static const uint8_t none[4];
		g->last = memcmp((const uint8_t *)p + AT_COMMIT, none, sizeof(none)) != 0;
		return SQLITE_OK;
	}
	return g->last ? write_gathered(&f->base) : SQLITE_OK;
}

static int file_close(sqlite3_file *base)
{
	struct file *f = (struct file *)base;

	sqlite3_free(f->copy);
	sqlite3_free(f->gathered.bytes);
	if (f->of)
		f->of->log = NULL;
	return CALL(f, xClose);
}

static int file_read(sqlite3_file *base, void *p, int n, sqlite3_int64 at)
{
	struct file *f = (struct file *)base;
	int rc = write_gathered(base);

	if (!rc)
		rc = CALL(f, xRead, p, n, at);
	if (rc || f->of)
		return rc;
	if (is_header(n, at))
		learn(f, p);
	if (!f->sums || !is_page(n, at))
		return SQLITE_OK;
	if (!db_page_whole(p, (size_t)n, at / n + 1)) {
		bad_page = at / n + 1;
		return SQLITE_IOERR_DATA;
	}
	/* So that the log never holds a sum that is not the page's: whoever else moves it into the database (sqlite3,
	 * when it closes) writes pages without one, not with a wrong one. */
	memset((uint8_t *)p + n - DB_PAGE_SUM, 0, DB_PAGE_SUM);
	return SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *p, int n, sqlite3_int64 at)
{
	struct file *f = (struct file *)base;
	uint64_t sum;

	if (f->of)
		return log_write(f, p, n, at);
	if (is_header(n, at))
		f->sums = ((const uint8_t *)p)[AT_RESERVED] == DB_PAGE_SUM;
	if (!f->sums || !is_page(n, at))
		return CALL(f, xWrite, p, n, at);
	if (f->copy_n < n) {
		sqlite3_free(f->copy);
		f->copy_n = 0;
		f->copy = sqlite3_malloc(n);
		if (!f->copy)
			return SQLITE_NOMEM;
		f->copy_n = n;
	}
	memcpy(f->copy, p, (size_t)n - DB_PAGE_SUM);
	sum = sum_of(p, (size_t)n, at / n + 1);
	memcpy(f->copy + n - DB_PAGE_SUM, &sum, sizeof(sum));
	return CALL(f, xWrite, f->copy, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = write_gathered(f);

	return rc ? rc : CALL(f, xTruncate, size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	int rc = write_gathered(f);

	return rc ? rc : CALL(f, xSync, flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int rc = write_gathered(f);

	return rc ? rc : CALL(f, xFileSize, size);
}

static int file_lock(sqlite3_file *f, int how)
{
	return CALL(f, xLock, how);
}

static int file_unlock(sqlite3_file *f, int how)
{
	return CALL(f, xUnlock, how);
}

static int file_reserved(sqlite3_file *f, int *out)
{
	return CALL(f, xCheckReservedLock, out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	return CALL(f, xFileControl, op, arg);
}

static int file_sector(sqlite3_file *f)
{
	return CALL(f, xSectorSize);
}

static int file_device(sqlite3_file *f)
{
	return CALL(f, xDeviceCharacteristics);
}

static int file_shm_map(sqlite3_file *f, int block, int size, int extend, void volatile **out)
{
	int rc = CALL(f, xShmMap, block, size, extend, out);

	if (!rc && !block)
		((struct file *)f)->index = *out;
	return rc;
}

static int file_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	struct file *log = ((struct file *)f)->log;

	if (log && at == WRITE_LOCK && (flags & SQLITE_SHM_UNLOCK))
		log->gathered.n = 0;
	return CALL(f, xShmLock, at, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
	CALL(f, xShmBarrier);
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
	((struct file *)f)->index = NULL;
	return CALL(f, xShmUnmap, remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, /* without memory-mapped reads */
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_device,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
	struct file *f = (struct file *)base;
	struct file *of = NULL;
	int rc;

	if (flags & SQLITE_OPEN_WAL) {
		of = (struct file *)sqlite3_database_file_object(name);
		of = of && of->base.pMethods == &methods ? of : NULL;
	}
	if (!of && !(flags & SQLITE_OPEN_MAIN_DB))
		return below->xOpen(below, name, base, flags, out_flags);
	memset(f, 0, sizeof(*f));
	f->real = (sqlite3_file *)(f + 1);
	rc = below->xOpen(below, name, f->real, flags, out_flags);
	if (!f->real->pMethods)
		return rc;
	f->base.pMethods = &methods;
	if (of) {
		f->of = of;
		of->log = f;
		f->gathered.bytes = sqlite3_malloc(GATHER_MAX); /* NULL: as they come */
	}
	return rc;
}

const char *db_vfs(void)
{
	if (!below) {
		below = sqlite3_vfs_find(db_fault_vfs());
		vfs = *below;
		vfs.zName = "leat";
		vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
		vfs.pNext = NULL;
		vfs.xOpen = vfs_open;
		sqlite3_vfs_register(&vfs, 0);
	}
	return vfs.zName;
}

int64_t db_vfs_bad_page(void)
{
	return bad_page;
}

static struct file *file_of(sqlite3 *h)
{
	sqlite3_file *f = NULL;

	if (sqlite3_file_control(h, "main", SQLITE_FCNTL_FILE_POINTER, &f) || !f || f->pMethods != &methods)
		return NULL;
	return (struct file *)f;
}

int db_vfs_sums(sqlite3 *h)
{
	struct file *f = file_of(h);

	return f && f->sums && f->page <= DB_PAGE_MAX ? f->page : 0;
}

/* SQLite's WalIndexHdr: version, unused, change, flags and page size, frames, pages, sum of the last frame (2),
 * salt (2), own sum (2); written twice, the second copy first, so that equal copies are whole. */
bool db_vfs_log_head(sqlite3 *h, struct db_log_head *out)
{
	struct file *f = file_of(h);
	uint8_t a[INDEX_HEAD], b[INDEX_HEAD];

	if (!f || !f->index)
		return false;
	for (int tries = 0; tries < 100; tries++) {
		memcpy(a, (const void *)f->index, sizeof(a));
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		memcpy(b, (const uint8_t *)f->index + INDEX_HEAD, sizeof(b));
		if (memcmp(a, b, sizeof(a)))
			continue;
		memcpy(&out->frames, a + 16, 4);
		memcpy(out->sum, a + 24, 8);
		memcpy(out->salt, a + 32, 8);
		return true;
	}
	return false;
}
