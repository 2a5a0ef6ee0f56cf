/*
 * repo/blob.h: whole blobs, read-only files named by the SHA-256 of their bytes.
 */
#ifndef LEAT_REPO_BLOB_H
#define LEAT_REPO_BLOB_H

#include "repo/tree.h"

#define BLOB_PATH_CAP 4352 /* bytes that hold the path of any blob or view */

void blob_path(const struct store *s, const struct sha *id, char *out, size_t cap); /* absolute */
/*
 * Opens for reading; compares size and mtime with the record (one fstat); if they differ the bytes are hashed again:
 * equal bytes are recorded anew, others are ERR_DAMAGED naming the file and the repair.
 */
must_check int blob_open(struct store *s, const struct sha *id, int *fd, struct err *e);
/* Is it there, whole (by the same one-stat rule)? 1, 0, -1. Not recorded: 0, whatever the file is. */
must_check int blob_present(struct store *s, const struct sha *id, struct err *e);
/* A file that is no longer what its name says goes to .leat/lost+found/blobs/, so that the right bytes can take its
 * place. */
must_check int blob_quarantine(struct store *s, const struct sha *id, struct err *e);

/* Its bytes are wrong under the recorded stat: from now on it is read whole before it is used, and can be put again. */
void blob_distrust(struct store *s, const struct sha *id);

/*
 * A read-only folder with the content of `tree`: .leat/views/<tree id>/<as>/…, made once of hard links to blobs (never
 * handed to anybody who might write as root without a read-only bind), so that DuckDB sees real names. Its blobs are
 * looked at each time, as blob_open does; a view that lacks files or holds others is made anew. `as` is "ds=D", or
 * "all" for a whole repo.
 */
must_check int view_make(struct store *s, const struct sha *tree, const char *as, char *out, size_t cap, struct err *e);
#endif
