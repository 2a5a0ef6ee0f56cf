/*
 * repo/place.h: putting files of a commit into datastore/REPO and taking away what stands in their place. For
 * datastore.c (a new head) and adopt.c (restore).
 */
#ifndef LEAT_REPO_PLACE_H
#define LEAT_REPO_PLACE_H

#include "repo/disk.h"

/*
 * Files of ours that were replaced, to be unlinked when all new ones stand: an ext4 without a journal goes past each
 * inode that it freed in the last seconds whenever it makes a file (150 us for one after 200 of them).
 */
struct place_old {
	struct arena *a;
	VEC(char *) files;
	int64_t bytes;
};
void place_old_drop(struct place_old *o); /* unlinks them; what cannot be unlinked is garbage for gc */

struct place {
	struct store *s;
	struct arena *a;
	struct str repo;
	bool output;          /* a job's output: foreign files do not stay */
	struct statcache *cache;
	datastore_note note;  /* may be NULL */
	void *ptr;
	const struct sha *base, *next;
	struct place_old *old; /* NULL: unlinked at once */
};

/* A folder of ours in .leat/staging, not made yet. */
char *place_temp(struct place *p, const char *what);
/* Copies (links, where `protect` says so) a blob to `to`, for the name `path` in the repo. */
must_check int place_copy(struct place *p, const struct entry *entry, struct str path, const char *to, struct err *e);
/* Moves a foreign file or folder (at `disk`, which would be `path` in the repo) to lost+found, and says so. */
must_check int place_lost(struct place *p, const char *disk, struct str path, struct err *e);
/*
 * Makes one path what `next` has there (entry NULL: nothing), by one rename. What stands there and is not ours goes to
 * lost+found; but a foreign file stays where `next` has nothing, unless this is an output.
 */
must_check int place_one(struct place *p, struct str path, const struct entry *entry, struct err *e);
/* Makes a whole folder of the repo ("" = all) what `next` has there, by one exchange. */
must_check int place_folder(struct place *p, struct str folder, struct err *e);
/* Removes folders that were left empty, from that of `path` up to the repo's own (which stays). */
void place_prune(struct place *p, struct str path);

/* .leat/old, and what a crash left in .leat/staging if nobody works on datastore/. Who holds a lock of it must not. */
bool place_has_left(
	struct store *s); /* is there anything of the kind in .leat/staging? Theirs who hold the lock, too */
void place_sweep(struct store *s, datastore_note note, void *ptr);

#endif
