/*
 * repo/export.h: repos as plain folders for who leaves, or hands data on: DIR/REPO/… holds a pin's files, ordinary
 * and writable, DIR/leat-export.json says which commit each folder is, with the hash of its tree, and DIR/SHA256SUMS
 * lists every file as `sha256sum -c` reads it. Nothing of it needs leat.
 *
 * Built beside DIR and renamed: a crash leaves no DIR.
 */
#ifndef LEAT_REPO_EXPORT_H
#define LEAT_REPO_EXPORT_H

#include "repo/commit.h"

#define EXPORT_FILE "leat-export.json"
#define EXPORT_SUMS "SHA256SUMS"
#define EXPORT_FORMAT 1

struct export_done {
	const char *dir;
	int64_t repos, files, bytes;
};
/* No two pins of one repo. DIR must not be there, or be an empty folder. */
must_check int export_run(struct store *s, struct arena *a, const struct pin *pins, size_t n, const char *dir,
                          struct export_done *out, struct err *e);

#endif
