/*
 * repo/alias.h: paths of whole blobs that DuckDB may be given, so that reading a partition makes no folder and no link.
 *
 * DuckDB takes a partition's value from the path. .leat/labels/ds=D is a symbolic link to .leat/blobs, made once for
 * all repos: labels/ds=D/ab/cdef… is the blob itself, under a folder of the right name. What such a path cannot say (an
 * ending that tells of compression, further folders k=v, a blob that is no file of its own) needs view_make.
 */
#ifndef LEAT_REPO_ALIAS_H
#define LEAT_REPO_ALIAS_H

#include "repo/blob.h"

/*
 * The path relative to .leat, with "ds=D" in it if `label` is that (NULL: none). The blob is looked at as blob_open
 * does. 1, 0: the store has no whole file of it, -1.
 */
must_check int alias_path(struct store *s, const struct sha *id, const char *label, char *out, size_t cap,
			  struct err *e);

#endif
