/*
 * repo/contents.h: which commits brought which bytes: from the hash of a file to the places where it stood
 * (docs/formats/store.md, "Contents").
 *
 * The index is derived from head_move and the trees, and written after a change, never in its transaction: a command
 * that changed little leaves it to a later one, and who asks looks through what is not in it yet. So it costs a put or
 * a run a few microseconds a file, and a crash nothing. An entry stays when its bytes are let go: then it tells which
 * commit had them.
 */
#ifndef LEAT_REPO_CONTENTS_H
#define LEAT_REPO_CONTENTS_H

#include "repo/commit.h"

#define CONTENTS_MOVES    64  /* moves of heads that may be left to a later command, */
#define CONTENTS_FILES    256 /* unless this one brought so many files */
#define CONTENTS_MAX_HITS 64

/* For who has changed something, when that is done; never inside a transaction. gc: also lets go what nobody can tell
 * of. */
must_check int contents_keep_up(struct store *s, struct err *e);
/* The same, whatever is left: before gc lets go of commits, which could not be read after that. */
must_check int contents_keep_all(struct store *s, struct err *e);
/*
 * The same for a change that takes commits away and may yet be refused: read before it, written when it is done. A
 * contents_ahead is freed by contents_ahead_free (NULL is fine).
 */
struct contents_ahead;
must_check int contents_ahead(struct store *s, struct contents_ahead **out, struct err *e);
must_check int contents_ahead_write(struct store *s, struct contents_ahead *h, struct err *e);
void contents_ahead_free(struct contents_ahead *h);
must_check int contents_let_go(struct store *s, struct err *e);

struct contents_hit {
	size_t which; /* of the ids that were asked for */
	uint64_t move; /* of a head, by which it came: the newest is the largest */
	int64_t repo;
	struct commit commit; /* let_go and not in history any more: its id and repo only */
	struct id brought;    /* the commit that brought it; another one where that was squashed or forgotten since */
	struct str path;      /* in the arena; let_go: STR_NULL */
	bool let_go;          /* its bytes, or the commit itself */
};
/*
 * The commits that brought one of these contents, or a folder that it stands in, the newest first, each path once; at
 * most CONTENTS_MAX_HITS, *more counts the others. Of what was let go only 8 bytes of the hash are compared.
 */
must_check int contents_find(struct store *s, struct arena *a, const struct sha *ids, size_t n,
                             struct contents_hit **out, size_t *n_out, int64_t *more, struct err *e);

#endif
