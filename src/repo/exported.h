/*
 * repo/exported.h: what left the workspace in another form than it has here: the result of a query in a file. Noted so
 * that `whence` finds it again. Files that leave as they are (get, checkout, export, egress) need no note: their hash
 * is that of the store (repo/contents.h).
 *
 * Notes stay in leat.db and go nowhere else. The last so many are kept (setting exports_keep; 0: none is made).
 */
#ifndef LEAT_REPO_EXPORTED_H
#define LEAT_REPO_EXPORTED_H

#include "base/dom.h"
#include "repo/store.h"

#define EXPORTED_MAX_DOC ((size_t)64 << 10) /* a note that is larger is not made */

struct exported {
	struct sha sha;
	int64_t size, at;
	struct str who, name;  /* name: of the file, without folders */
	const struct dom *doc; /* what it was made from: {query, ...} */
};

/*
 * Outside of any transaction. The same bytes under the same name are noted once, with the last time. A note that cannot
 * be made hinders nobody: whoever may only read the workspace has none.
 */
void exported_note(struct store *s, const struct sha *sha, int64_t size, struct str name, const struct dom *doc);
/* Of these bytes, the newest first; all in the arena. */
must_check int exported_find(struct store *s, struct arena *a, const struct sha *sha, struct exported **out, size_t *n,
                             struct err *e);
/* The last so many, without their documents. */
must_check int exported_last(struct store *s, struct arena *a, int64_t most, struct exported **out, size_t *n,
                             struct err *e);

#endif
