/*
 * repo/marks.h: a set of ids, for walks that must know what they have seen (gc, du).
 *
 * Of each id 16 bytes are kept, 32 bytes of memory in all: a million ids take 32 to 64 MiB.
 */
#ifndef LEAT_REPO_MARKS_H
#define LEAT_REPO_MARKS_H

#include "base/err.h"
#include "base/hash.h"

#define MARKS_MAX ((size_t)64 << 20) /* ids in a set */

struct mark {
	uint64_t a, b; /* both 0: free */
};
struct marks {
	struct mark *slots;
	size_t cap, n;
};

/* 1: it was not there and is now; 0: it was; -1: ERR_LIMIT. */
must_check int marks_add(struct marks *m, const struct sha *id, struct err *e);
bool marks_has(const struct marks *m, const struct sha *id);
void marks_free(struct marks *m); /* leaves it empty; for cleanup(marks_free) */

#endif
