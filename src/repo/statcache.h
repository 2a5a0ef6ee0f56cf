/*
 * repo/statcache.h: the hash of a file of datastore/ by its stat, so that unchanged files are not read again
 * (SEMANTICS 6). Per repo a file in .leat/cache/ that is appended to, and where there are many files an image of a
 * whole tree (image.h) that most of it goes into. They may be deleted at any time, and nothing that goes wrong with
 * them is an error. Only under the repo's lock (disk.h). A row says "with this stat it has these bytes", which stays
 * true.
 */
#ifndef LEAT_REPO_STATCACHE_H
#define LEAT_REPO_STATCACHE_H

#include "repo/image.h"
#include "repo/store.h"
#include "sys/file.h"

struct statcache;
/* Nothing is read before something is looked up: a file at a path where nothing stands costs what it adds. */
struct statcache *statcache_open(struct store *s, int64_t repo); /* 0: one that has no number yet */
void statcache_name(struct statcache *c, int64_t repo);           /* now it has */
/* Writes what is new; without a number nothing. NULL is fine. */
void statcache_close(struct statcache *c);

/* The hash of the file with that stat, if it can be trusted. */
bool statcache_get(struct statcache *c, struct str path, const struct file_key *k, struct sha *id);
/* Whether Leat put the file there: same file, size and mtime (a rename of ours may have changed its ctime). */
bool statcache_is_ours(struct statcache *c, struct str path, const struct file_key *k);
/* started_ns: when its hashing began, of statcache_now_ns. Not remembered if the file was changed less than 20 ms
 * before. */
void statcache_hashed(struct statcache *c, struct str path, const struct file_key *k, const struct sha *id,
		      int64_t started_ns);
/* A file that Leat wrote before anybody else could see it. */
void statcache_ours(struct statcache *c, struct str path, const struct file_key *k, const struct sha *id);
/* The tree that most files are known by; NULL: none. */
const struct image *statcache_image(struct statcache *c);
void statcache_forget_image(struct statcache *c); /* its tree is gone */
/*
 * An image of that tree is written, if there are many files and it would hold `more` rows (0: look yourself) that the
 * old one has not, which makes it worth while. What it holds leaves the file that is appended to.
 */
void statcache_settle(struct statcache *c, const struct sha *tree, size_t more);
int64_t statcache_now_ns(void); /* the clock that stamps files, which no test sets */

#endif
