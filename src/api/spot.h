/*
 * api/spot.h: what a pin with a path stands for: a file, a folder, or all that match a pattern. For operations that
 * read.
 */
#ifndef LEAT_API_SPOT_H
#define LEAT_API_SPOT_H

#include "api/api.h"

struct spot {
	struct pin pin;       /* pin.commit.tree is the empty tree's where there is no commit */
	struct str shown;     /* REPO[@REV] as the user wrote it */
	struct str path;      /* with --ds in front, without '/' at the end */
	struct entry entry;
	struct glob *glob;    /* the path is a pattern: then entry is not set */
	bool folders;         /* the pattern ends in '/': folders only */
};

/*
 * An entry that is there, with --ds of the request in front of its path; nothing there is an error that says what
 * there is. A path that is not there and holds * ? [ { or \ and the like is a pattern if `patterns`.
 */
must_check int spot_find(struct api *api, const struct args *args, struct str text, bool patterns, struct spot *out,
                         struct err *e);
/* The same, but the path is always a pattern. */
must_check int spot_glob(struct api *api, const struct args *args, struct str text, struct spot *out, struct err *e);
/* What is there, for a spot with a pattern: cb as for tree_glob. */
must_check int spot_each(struct api *api, const struct spot *s, tree_cb cb, void *ptr, struct err *e);
/* A pattern that matched nothing: ERR_NOT_FOUND. */
must_check int spot_nothing(const struct spot *s, struct err *e);

#endif
