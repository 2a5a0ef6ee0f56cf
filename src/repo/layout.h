/*
 * repo/layout.h: many files of the store as plain files in a folder of the user's, fast: the caller walks and looks up,
 * threads read packs and write. For checkout.c and export.c.
 *
 * A file gets mode 0444, or what `writable` says. Its bytes are checked against what the store says of them when they
 * are read there; they may be links to blobs where `protect: link` allows it (SEMANTICS 6), reflinks where the file
 * system can, else copies. Nothing is synced: what is laid out can be laid out again.
 */
#ifndef LEAT_REPO_LAYOUT_H
#define LEAT_REPO_LAYOUT_H

#include "repo/tree.h"

#define LAYOUT_THREADS 8         /* at most, and not more than processors */
#define LAYOUT_SMALL (64 << 10)  /* files up to this travel as bytes, others as descriptors */
#define LAYOUT_BATCH_BYTES (1 << 20)
#define LAYOUT_BATCH_FILES 256
#define LAYOUT_BATCH_FDS 16
#define LAYOUT_AHEAD (256 << 10) /* bytes of a pack that are read at once */
#define LAYOUT_GAP (4 << 10)     /* of them, what may lie between two objects that are wanted */
#define LAYOUT_CACHE_KIB (32 << 10) /* of leat.db: the places of 100,000 objects are some 6 MB */
#define LAYOUT_WAITING 32        /* batches that wait to be written, in all threads together */
#define LAYOUT_PACKS 256         /* open at once; what lies in others is read by the caller's thread */
#define LAYOUT_SAME_FOLDER 4096  /* files of one folder before another thread gets the rest of it */

struct layout;
/*
 * `temps`: an absolute path of a folder that is there, on the same file system: what replaces files is written there
 * first, and what a crash left there is the caller's to remove; NULL where nothing is replaced. `writable`: ordinary
 * files (mode 0644 and the umask), never links: for who takes them away.
 */
struct layout *layout_new(struct store *s, const char *temps, bool writable);
/* Ends the threads. What waits is not written unless layout_wait came before. NULL is fine. */
void layout_free(struct layout *l);

/*
 * `to` is absolute, its folder is there. replace: it may be there, and is replaced by one rename from `temps`; else an
 * error. Errors of looking up and writing may come with later files, or from layout_wait.
 */
must_check int layout_file(struct layout *l, const char *to, const struct entry *entry, bool replace, struct err *e);
/* Until all is written; an error of any of them. */
must_check int layout_wait(struct layout *l, struct err *e);
/* A whole tree into `dir`, which is there and holds nothing that the tree has. */
must_check int layout_tree(struct layout *l, const char *dir, const struct sha *tree, struct err *e);

#endif
