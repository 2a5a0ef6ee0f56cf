/*
 * db/db_log.h: how far the write-ahead log of leat.db must reach.
 *
 * SQLite takes a frame of the log whose checksum is wrong for the torn end of what a crash cut short, and silently
 * leaves out all that follows. So each writer notes in write.lock, which it holds, where the log ended after its
 * commit: a log that is read to a place before that has been damaged, and is not used as it is.
 *
 * The note is not synced. After a power cut an older one may be found (then less is known), never one that says more
 * than was synced: what is not synced yet counts only within one boot of the machine.
 */
#ifndef LEAT_DB_DB_LOG_H
#define LEAT_DB_DB_LOG_H

#include "base/err.h"

struct sqlite3;

/* As it lies at the beginning of write.lock; integers little-endian. */
struct db_log_mark {
	char magic[8];    /* DB_LOG_MAGIC; anything else: there is no note */
	uint8_t salt[8];  /* of which log */
	uint32_t frames;  /* in it after the last commit */
	uint32_t synced;  /* of these, on disk for certain */
	uint64_t boot;    /* XXH64 of the boot id */
	uint64_t check;   /* XXH64 of all before */
};
#define DB_LOG_MAGIC "leatlog1"

/* All zero where there is none. */
void db_log_mark_read(const char *leat_dir, struct db_log_mark *out);
/* After a commit, with the lock held; `synced`: the commit waited for the disk. */
void db_log_mark_write(struct sqlite3 *h, int lock_fd, bool synced);
/* After the database has been read once: -1 and ERR_DAMAGED if the log ends before it should. */
must_check int db_log_broken(struct sqlite3 *h, const char *leat_dir, const struct db_log_mark *mark, struct err *e);

#endif
