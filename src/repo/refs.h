/*
 * repo/refs.h: branches and tags: the names of commits. Moving a head is branch_move (repo/commit.h).
 */
#ifndef LEAT_REPO_REFS_H
#define LEAT_REPO_REFS_H

#include "repo/commit.h"

struct ref {
	struct str name;   /* in the caller's arena */
	struct id commit;  /* zero: an empty branch */
	int64_t number;    /* of the commit; 0 */
	int64_t at;        /* of the commit, or when the tag was made */
	struct id open;    /* of a branch: its open commit */
};
must_check int refs_branches(struct store *s, struct arena *a, int64_t repo, struct ref **out, size_t *n,
                             struct err *e);
must_check int refs_tags(struct store *s, struct arena *a, int64_t repo, struct ref **out, size_t *n, struct err *e);

/* 1, 0, -1. A branch that is there may be empty; master is there always. */
must_check int refs_has_branch(struct store *s, int64_t repo, struct str name, struct err *e);
must_check int refs_tag(struct store *s, int64_t repo, struct str name, struct id *out, struct err *e);

/* The branch's own row: 1, 0, -1. */
must_check int refs_branch_row(struct store *s, int64_t repo, struct str name, struct err *e);

/* All below inside a write transaction. */
/* Its commits stay. ERR_REFUSED for master and while it has an open commit; ERR_NOT_FOUND naming what there is. */
must_check int refs_delete_branch(struct store *s, const struct repo *r, struct str name, struct id event,
                                  struct err *e);
/* The row of a branch that has no open commit; what else there is of it (a workspace branch's base) stays. */
must_check int refs_drop_branch(struct store *s, const struct repo *r, struct str name, struct id event, struct err *e);
/* A tag stays where it is unless `force`; a name that is a branch's is ERR_REFUSED. */
must_check int refs_set_tag(struct store *s, const struct repo *r, struct str name, struct id commit, bool force,
                            struct err *e);
must_check int refs_delete_tag(struct store *s, const struct repo *r, struct str name, struct err *e);

#endif
