/*
 * repo/open.h: open commits (SEMANTICS 7): puts of several clients that become one commit when it is finished.
 *
 * A row holds the tree it began from and the tree it has now, so that each put is one short transaction and a killed
 * client leaves what was put before. Who names it reads it; no branch shows it. `finish` lays what differs between the
 * two trees over the head of that moment. At most one is open per branch; one that nobody put into for its lease is
 * expired: it is as if it were not there, and the next command that writes closes it with an event.
 */
#ifndef LEAT_REPO_OPEN_H
#define LEAT_REPO_OPEN_H

#include "repo/commit.h"

enum open_state { OPEN_OPEN, OPEN_FINISHED, OPEN_DROPPED, OPEN_EXPIRED };

struct open_commit {
	struct id id, base;         /* base: the head when it was started; zero: the branch was empty */
	int64_t repo, base_number, at, expires, closed;
	struct str branch, author, message, meta; /* in the caller's arena */
	struct sha base_tree, tree;
	enum open_state state;      /* EXPIRED as soon as the time is past */
};

/* What is open on a branch now: 1, 0, -1. */
must_check int open_of_branch(struct store *s, struct arena *a, int64_t repo, struct str branch,
                              struct open_commit *out, struct err *e);
/* The last one that was started on a branch, in any state: 1, 0, -1. */
must_check int open_last(struct store *s, struct arena *a, int64_t repo, struct str branch, struct open_commit *out,
                         struct err *e);
/* By id, or the unique beginning of one (4 digits and more), in any state: 1, 0, -1. repo 0: of any repo. */
must_check int open_find(struct store *s, struct arena *a, int64_t repo, struct str id, struct open_commit *out,
                         struct err *e);
/* One that cannot be put into or finished any more: ERR_NOT_FOUND or ERR_REFUSED that tells what became of it. */
must_check int open_closed(const struct open_commit *o, struct str repo, struct err *e);
/* The same, for who does not know the name of its repo. */
must_check int open_closed_in(struct store *s, const struct open_commit *o, struct err *e);

/* All below inside a write transaction, but for open_merge, open_as_commit and open_expire. */
struct open_new {
	struct repo repo;
	struct str branch, author, message, meta;
	struct id id;
};
/* ERR_BUSY naming the one that is open there. */
must_check int open_start(struct store *s, struct arena *a, const struct open_new *n, struct open_commit *out,
                          struct err *e);
/* Applies edits (`clear`: to an empty tree) and renews the lease. */
must_check int open_edit(struct store *s, struct ingest *in, const struct open_commit *o, const struct tree_edit *edits,
                         size_t n, bool clear, struct commit *out, struct err *e);
must_check int open_close(struct store *s, const struct open_commit *o, enum open_state state, struct err *e);
/*
 * Makes the commit. Paths that were changed here and at the head since the start are ERR_CONFLICT that names them,
 * unless `force`: then ours stand. The caller has recorded the event, whose id is the commit's.
 */
struct open_finishing {
	struct str message, author, meta; /* STR_NULL: those of the start */
	bool force;
	/* by open_merge: */
	bool merged;
	struct sha head, tree, root; /* of this head and this tree the result is that */
};
/*
 * Outside of the transaction, so that a large one keeps nobody waiting: works out what open_finish will make, into the
 * session. It is worked out again there if the head or the open commit has moved by then.
 */
must_check int open_merge(struct store *s, struct ingest *in, const struct open_commit *o, const struct repo *repo,
                          struct open_finishing *f, struct err *e);
must_check int open_finish(struct store *s, struct ingest *in, const struct open_commit *o, const struct repo *repo,
                           const struct open_finishing *f, struct commit *out, struct err *e);

/* The commit that it would be over its base. */
must_check int open_as_commit(struct store *s, const struct open_commit *o, struct commit *out, struct err *e);

/* Closes those whose lease has ended, in a transaction of its own if there are any. */
must_check int open_expire(struct store *s, void (*note)(void *ptr, const char *text), void *ptr, struct err *e);

#endif
