/*
 * repo/contents_in.h: the index of contents as it lies in leat.db (docs/formats/store.md), shared by who writes it and
 * who asks it.
 */
#ifndef LEAT_REPO_CONTENTS_IN_H
#define LEAT_REPO_CONTENTS_IN_H

#include "repo/contents.h"
#include "repo/tree.h"

#define CONTENTS_FOLDER 16 /* files of a folder that has an entry of its own */
#define CONTENTS_SLICE  64 /* pages written or removed in one transaction, moves read at once */

/* As it lies in a page, but for the order of its bytes. */
struct entry16 {
	uint64_t hash;
	uint32_t move, rank;
};
_Static_assert(sizeof(struct entry16) == 16, "what lies in a page has no holes");

struct list {
	struct entry16 *p;
	size_t n, cap;
};

uint64_t contents_hash(const struct sha *id);
void contents_push(struct list *l, struct entry16 x);

struct run {
	int64_t id, n;
	int bits;
};

size_t contents_page_of(const struct run *r, uint64_t hash);

/* What the row `contents` of store says: up to which move, and which runs, the oldest first. */
struct lists {
	int64_t taken;
	struct run *runs;
	size_t n;
};

must_check int contents_lists_read(struct store *s, struct arena *a, struct lists *out, struct err *e);
/* The entries of one page; none where it has no row. */
must_check int contents_page_read(struct store *s, const struct run *r, size_t page, struct list *out, struct err *e);

struct move {
	int64_t seq, repo;
	struct id commit;
};

/* Up to which move of heads it is written, and which was the last. */
must_check int contents_backlog(struct store *s, int64_t *taken, int64_t *newest, struct err *e);
/*
 * Commits that came with the moves after `from`, at most CONTENTS_SLICE; a head that moves to one that is there brings
 * nothing.
 */
must_check int contents_next_moves(struct store *s, int64_t from, struct move *out, size_t *n, struct err *e);

typedef int taker(void *ptr, const struct move *m, const struct entry *entry, int64_t rank, struct err *e);
/* The files that one commit brought. A commit that was let go meanwhile, or whose pages are damaged, tells nothing. */
must_check int contents_each_new(struct store *s, const struct move *m, taker *fn, void *ptr, struct err *e);

#endif
