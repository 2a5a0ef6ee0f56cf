/*
 * sys/path.h: paths as text; nothing here asks the file system but path_absolute (the current folder).
 */
#ifndef LEAT_SYS_PATH_H
#define LEAT_SYS_PATH_H

#include "base/arena.h"
#include "base/err.h"

/* "a" + "b/c" = "a/b/c"; an absolute b wins; "" on either side gives the other. */
char *path_join(struct arena *a, const char *dir, const char *rest) __attribute__((returns_nonnull));
/* "/a/b/c" → "c"; "a/" → "a"; "/" → "/". Points into the input but for trailing slashes (then a copy). */
const char *path_base(struct arena *a, const char *path) __attribute__((returns_nonnull));
/* "/a/b/c" → "/a/b"; "c" → "."; "/c" → "/" */
char *path_dir(struct arena *a, const char *path) __attribute__((returns_nonnull));
/* Without doubled '/', "." and (by text, not by links) "..". "" gives ".". */
char *path_clean(struct arena *a, const char *path) __attribute__((returns_nonnull));
must_check int path_absolute(struct arena *a, const char *path, char **out, struct err *e); /* cleaned, from the cwd */
/* How to name `path` from folder `from`, both absolute: "../x/y"; "." if equal. */
char *path_relative(struct arena *a, const char *from, const char *path) __attribute__((returns_nonnull));
/* Whether path is dir or lies in it (both clean). *rest, if not NULL, is what follows ("" if equal). */
bool path_inside(const char *dir, const char *path, const char **rest);
/* The last ".x" of the base name, "" if none or if the name begins with its only dot. Points into path. */
const char *path_ext(const char *path) __attribute__((returns_nonnull));

#endif
