/*
 * repo/commit.h: commits, heads and pins.
 */
#ifndef LEAT_REPO_COMMIT_H
#define LEAT_REPO_COMMIT_H

#include "repo/ingest.h"

#define BRANCH_DEFAULT "master"

struct commit {
	int64_t repo;
	struct id id, parent, batch;
	int64_t number, files, bytes, at;
	int64_t forgotten; /* when its data were (repo/keep.h): then its tree is the empty one; 0 */
	struct sha tree;
	struct str author, message; /* in the caller's arena; STR_NULL from functions that are given none */
	struct str meta;            /* what --meta said: a JSON map of texts; likewise */
	struct id run;
};

struct commit_new {
	struct repo repo;
	struct str branch;          /* "master" */
	struct id id, batch;        /* the event's id is the commit's */
	const struct tree_edit *edits;
	size_t n_edits;
	struct str message, meta;
	struct str author;          /* STR_NULL: who runs this process */
	struct id run;
	const struct sha *tree;     /* a tree that is recorded: the commit's, in place of edits; NULL */
	bool clear;                 /* the edits begin with an empty tree, not with the head's */
	const struct sha *expect_tree; /* compare-and-swap on the head's tree; NULL: whatever the head is */
	bool even_if_equal; /* make a commit when the tree stays as it is (put does, a calendar run does not) */
};
/*
 * Inside a write transaction, after ingest_record (`in` may be NULL when the edits bring nothing new; pages made here
 * are recorded here): applies the edits to the head, makes the commit, moves the head, records the move. *made tells
 * whether there is a new commit; *out is the head's commit either way (zero id if the branch is still empty).
 * Called again in the same transaction with the same id it adds to that commit; on another branch of the repo it is
 * ERR_REFUSED, since an id names one commit of a repo.
 */
must_check int commit_make(struct store *s, struct ingest *in, const struct commit_new *c, struct commit *out,
			   bool *made, struct err *e);

/*
 * Moves a branch (made if need be) to a commit, or to nothing (NULL), inside a write transaction, and records the move;
 * then those that follow it (repo/trigger.h).
 */
must_check int branch_move(struct store *s, int64_t repo, struct str branch, const struct id *to, struct id event,
                           struct err *e);
/* Of a workspace branch's name (repo/overlay.h) also where it has written nothing: as it reads the repo. */
must_check int branch_head(struct store *s, int64_t repo, struct str branch, struct commit *out,
			   struct err *e); /* 1, 0 = empty, -1 */
/* The same of the branch's own row only. */
must_check int commit_of_branch(struct store *s, int64_t repo, struct str branch, struct commit *out,
				struct err *e); /* 1, 0 = empty or none, -1 */
must_check int commit_find(struct store *s, int64_t repo, struct str id, struct commit *out,
			   struct err *e); /* 1, 0, -1 */
/* The same with author and message, in the arena. */
must_check int commit_read(struct store *s, struct arena *a, int64_t repo, struct str id, struct commit *out,
                           struct err *e);

/*
 * REPO[@PIN][:/PATH]. Pins: branch, tag, commit id or unique prefix (4 digits and more), with ^ ~n ^n and .N; a global
 * id; an open commit's id. What is not there is ERR_NOT_FOUND with a sentence that says what there is, or what became
 * of it.
 */
struct pin {
	struct repo repo;
	struct str branch; /* STR_NULL when the pin names no branch */
	struct str path;   /* normalised, "" = root */
	bool folder;       /* the path ended in '/' */
	bool has_commit;   /* false: the branch exists but is empty */
	bool open;         /* an open commit: `commit` is what it would be if it were finished over its base */
	struct commit commit;
};
/* Splits only: rev is STR_NULL without '@'; path is as written, without its leading '/', STR_NULL without ':'. */
must_check int pin_parse(struct str text, struct str *repo, struct str *rev, struct str *path, struct err *e);
must_check int pin_resolve(struct store *s, struct arena *a, struct str text, struct pin *out, struct err *e);

/*
 * From `from` back to the first, at most `most` (0: all). cb returns 0 to go on, 1 to stop, -1.
 */
must_check int commit_log(struct store *s, struct arena *a, const struct commit *from, int64_t most,
                          int (*cb)(void *ptr, const struct commit *c, struct err *e), void *ptr, struct err *e);

#endif
