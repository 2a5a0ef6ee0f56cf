/*
 * repo/image.h: all files of one tree, each with the stat by which its bytes are known to lie in datastore/: what a
 * look at very many unchanged files is compared with. A file of .leat/cache/, mapped and not read, that is written
 * whole and never changed; for statcache.c, which owns it, and disk.c.
 *
 * Invariant: its rows are exactly the files of its tree, in the order of a walk, each with the id and size that it has
 * there. A key whose `ino` is 0 is not known. Reading is safe from several threads.
 */
#ifndef LEAT_REPO_IMAGE_H
#define LEAT_REPO_IMAGE_H

#include "base/hash.h"
#include "base/str.h"
#include "sys/file.h"

struct image;

struct image_row {
	struct str path;
	struct file_key key; /* its size is the tree's */
	struct sha id;
	bool ours;           /* Leat put the file there */
};
/* Rows in the order of a walk (dirs_cmp). */
must_check int image_write(const char *path, const struct sha *tree, const struct image_row *rows, size_t n,
			   struct err *e);
struct image *image_open(const char *path); /* NULL: there is none, or it is not whole */
void image_close(struct image *im);         /* NULL is fine */

const struct sha *image_tree(const struct image *im);
size_t image_n(const struct image *im);
struct image_row image_row(const struct image *im, size_t i);
#define IMAGE_NONE SIZE_MAX
size_t image_find(const struct image *im, struct str folder, struct str name); /* folder "": the root */
bool image_is(const struct image *im, size_t i, const struct file_key *k);     /* just this stat */
/* The rows in a folder ("": all) are those from *from up to, not with, *to. */
void image_range(const struct image *im, struct str folder, size_t *from, size_t *to);

#endif
