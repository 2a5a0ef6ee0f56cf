/*
 * repo/statcache.h: the hash of a file of datastore/ by its stat, so that unchanged files are not read again
 * (SEMANTICS 6). One file per repo in .leat/cache/, appended to; it may be deleted at any time, and nothing that goes
 * wrong with it is an error. Only under .leat/datastore.lock.
 */
#ifndef LEAT_REPO_STATCACHE_H
#define LEAT_REPO_STATCACHE_H

#include "repo/store.h"
#include "sys/file.h"

struct statcache;
struct statcache *statcache_open(struct store *s, int64_t repo);
/* Writes what is new. NULL is fine. */
void statcache_close(struct statcache *c);
void statcache_drop(struct statcache *c); /* writes nothing */

/* The hash of the file with that stat, if it can be trusted. */
bool statcache_get(const struct statcache *c, struct str path, const struct file_key *k, struct sha *id);
/* Whether Leat put the file there: same file, size and mtime (a rename of ours may have changed its ctime). */
bool statcache_is_ours(const struct statcache *c, struct str path, const struct file_key *k);
/* started_ns: when its hashing began, of statcache_now_ns. Not remembered if the file was changed less than 20 ms
 * before. */
void statcache_hashed(struct statcache *c, struct str path, const struct file_key *k, const struct sha *id,
		      int64_t started_ns);
/* A file that Leat wrote before anybody else could see it. */
void statcache_ours(struct statcache *c, struct str path, const struct file_key *k, const struct sha *id);
int64_t statcache_now_ns(void); /* the clock that stamps files, which no test sets */

#endif
