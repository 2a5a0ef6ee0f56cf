/*
 * repo/view.h: the files of a tree under their names, for readers that need paths.
 */
#ifndef LEAT_REPO_VIEW_H
#define LEAT_REPO_VIEW_H

#include "repo/blob.h"

/*
 * A read-only folder with the content of `tree`: .leat/views/<tree id>/<as>/…, made once of hard links to whole blobs
 * and copies of all others (never handed to anybody who might write as root without a read-only bind), so that DuckDB
 * sees real names. Its files are looked at each time: one that is no link to its blob, or no copy that nobody touched,
 * has the view made anew. `as` is "ds=D", or "all" for a whole repo.
 */
must_check int view_make(struct store *s, const struct sha *tree, const char *as, char *out, size_t cap, struct err *e);

/*
 * Every copy in a view that would be taken as it is (its stat is right) and does not hold the bytes of its object: once
 * for each such view, with its folder (absolute) and the path of the first such file in it. -1 also if cb gives that.
 */
typedef int (*view_bad_cb)(void *ptr, const char *view, const char *path, struct err *e);
must_check int view_check(struct store *s, view_bad_cb cb, void *ptr, struct err *e);

#endif
