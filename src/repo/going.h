/*
 * repo/going.h: the head that datastore/REPO is being brought to, written down while that lasts (.leat/staging/show-*).
 * Who dies in the middle of it leaves files of that head, and the next head may know nothing of them: who comes after
 * him finds here whose they are. Derived, as all of datastore/ is: not synced. For datastore.c.
 *
 * A marker is written and unlinked under the locks of all repos that it names (disk.h).
 */
#ifndef LEAT_REPO_GOING_H
#define LEAT_REPO_GOING_H

#include "repo/disk.h"
#include "sys/dir.h"

struct going_row {
	int64_t repo;
	struct sha to; /* zero: nothing was shown yet */
	size_t file;
};
/* What the markers say, those of who is at work now among them. In the arena. */
struct going {
	struct dir_names files;
	VEC(struct going_row) rows;
	bool torn; /* one of them names nothing: it is being written, or who wrote it died */
};
void going_read(struct store *s, struct arena *a, struct going *out); /* what cannot be read says nothing */
const struct going_row *going_find(const struct going *g, int64_t repo); /* NULL: none */

/* Writes one of these repos and their heads. A full disk is no reason to lag: then there is none. Its path. */
char *going_write(struct store *s, struct arena *a, const struct disk_repo *repos, size_t n);
/* Unlinks those that name no repo for which `is_done` says no: their locks are held, or they have ended. */
void going_end(struct store *s, struct arena *a, const struct going *g, bool (*is_done)(void *ptr, int64_t repo),
	       void *ptr);
/* Unlinks those that name nothing, if nobody is at work on datastore/. Who holds a lock of it must not. */
void going_tidy(struct store *s);

#endif
