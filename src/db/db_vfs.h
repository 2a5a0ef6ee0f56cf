/*
 * db/db_vfs.h: checksums of the pages of leat.db (docs/formats/store.md), as a layer of SQLite's file system.
 *
 * The last 8 bytes of each page are kept free by SQLite (its "reserved bytes") and hold XXH64 over the others, with
 * the page's number as seed. They are written whenever a page is written into leat.db (checkpoints, mostly) and
 * compared whenever one is read: a page that is not what it was is an error (SQLITE_IOERR_DATA), never an answer. 0
 * stands for no sum: such pages come about when another program (sqlite3, say) moves the log into the database. Pages
 * in the write-ahead log are not touched: the log has checksums of its own (db_log.h).
 */
#ifndef LEAT_DB_DB_VFS_H
#define LEAT_DB_DB_VFS_H

#include "base/base.h"

/*
 * A workspace has about 50 tables and indices, each of at least a page: with SQLite's 4096 bytes an empty store took
 * 200 kB, and a small commit logged three times the bytes. Large ones are as fast with either.
 */
#define DB_PAGE 1024     /* of a new database */
#define DB_PAGE_MAX 4096 /* of any; those that were made before had that */
#define DB_PAGE_SUM 8    /* bytes at its end */

struct sqlite3;

const char *db_vfs(void); /* its name, for sqlite3_open_v2 */
/* The page of leat.db that was damaged when it was last read by this process, from 1; 0: none so far. */
int64_t db_vfs_bad_page(void);
/* The size of the open database's pages if they have checksums (those made by the first format had not), else 0. */
int db_vfs_sums(struct sqlite3 *h);
/* The head of the log's index, shared by all processes: copied to `out`; false if there is none (yet). */
struct db_log_head {
	uint32_t frames;  /* whole, committed ones in the log */
	uint32_t sum[2];  /* checksum of the last of them */
	uint8_t salt[8];  /* which log it is */
};
bool db_vfs_log_head(struct sqlite3 *h, struct db_log_head *out);

/* A page as it stands in the file: whether its sum is right, or there is none. */
bool db_page_whole(const uint8_t *page, size_t n, int64_t number);

#endif
