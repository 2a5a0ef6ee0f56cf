/*
 * repo/blob.h: the bytes of an object, wherever they are (docs/formats/store.md):
 *   whole   a read-only file of its own, .leat/blobs/ab/cd…
 *   packed  a record of a pack (repo/pack.h)
 *   small   a row of leat.db
 *   recipe  ranges of other objects, of which none is a recipe
 * An object may be in several places; the first of these that stands counts. Re-packing moves objects, so none of this
 * is for the inside of a read snapshot that began earlier (BUG), but inside a write transaction it may be.
 */
#ifndef LEAT_REPO_BLOB_H
#define LEAT_REPO_BLOB_H

#include <sys/types.h>

#include "repo/pack.h"
#include "repo/tree.h"

#define BLOB_PATH_CAP 4352 /* bytes that hold the path of any blob or view */
#define BLOB_WHOLE_MIN ((int64_t)64 << 10) /* files of this size and more, and Parquet, are stored whole */

enum blob_place { BLOB_WHOLE, BLOB_PACKED, BLOB_SMALL, BLOB_RECIPE };
struct blob_at {
	enum blob_place place;
	int64_t size;
	struct pack_at pack; /* BLOB_PACKED */
};
/*
 * Where is it? A whole file is looked at: one whose size or mtime is not the recorded one is hashed, and does not count
 * if its bytes are others. Of what is in packs and rows only the row is looked at. 1, 0: nowhere, -1.
 */
must_check int blob_look(struct store *s, const struct sha *id, struct blob_at *out, struct err *e);
/* The same, and what is not there is ERR_DAMAGED, which names the repair. */
must_check int blob_need(struct store *s, const struct sha *id, struct blob_at *out, struct err *e);
/* The same without a word about where. */
must_check int blob_present(struct store *s, const struct sha *id, struct err *e);

/*
 * Opens its bytes for reading: the whole file itself, else a nameless copy in memory (or on disk, if large), which was
 * checked against the id. ERR_DAMAGED names the file and the repair.
 */
must_check int blob_open(struct store *s, const struct sha *id, int *fd, struct err *e);
/* All its bytes, NUL-terminated, in the arena, checked against the id if it is not a whole file; larger: ERR_LIMIT. */
must_check int blob_bytes(struct store *s, const struct sha *id, struct arena *a, size_t max, struct str *out,
			  struct err *e);
/* n bytes from `at` on; *got < n only at the end. Of what is no whole file at least those bytes are checked. */
must_check int blob_read(struct store *s, const struct sha *id, int64_t at, void *p, size_t n, size_t *got,
			 struct err *e);
/* Makes a file of it (which must not exist yet), with reflink where the file system can, and checks it as blob_open. */
must_check int blob_write_to(struct store *s, const struct sha *id, const char *path, mode_t mode, struct err *e);
/*
 * A hard link to a whole blob: 1; 0: it is not a whole file, or cannot be linked; -1. What an owner may write through:
 * for folders inside .leat, and where the setting `protect: link` allows it.
 */
must_check int blob_link_to(struct store *s, const struct sha *id, const char *path, struct err *e);

/* --- whole files --- */

void blob_path(const struct store *s, const struct sha *id, char *out, size_t cap); /* absolute; there or not */
/* A file that is no longer what its name says goes to .leat/lost+found/blobs/, so that the right bytes can take its
 * place. */
must_check int blob_quarantine(struct store *s, const struct sha *id, struct err *e);
/* Its bytes in this place (not a recipe's) are wrong, under the recorded stat if it is a whole file: from now on they
 * do not count, or only after they were read whole, and they can be put again. */
void blob_distrust(struct store *s, const struct sha *id, enum blob_place place);

/* --- recipes (blob_recipe.c) --- */

struct piece {
	struct sha id;   /* of a whole, packed or small object */
	int64_t at, n;   /* n > 0 */
};
/* The body of a row of `recipe`; the sum of n is the object's size. ERR_DAMAGED says what is wrong. */
must_check int recipe_decode(struct arena *a, struct str body, struct piece **out, size_t *n, struct err *e);
void recipe_encode(struct buf *b, const struct piece *ranges, size_t n);

#endif
