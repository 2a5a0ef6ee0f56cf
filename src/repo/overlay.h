/*
 * repo/overlay.h: workspace branches: a named overlay over all repos (SEMANTICS 7). Workspace branch N is branch N of
 * every repo that it has written; every other repo is read at master as it moves (or, of a frozen one, where master
 * stood then). Making one is a row, whatever there is; datastore/ shows master only.
 *
 * A command that works on one has it as `s->on` (overlay_use). Then a plain name of a repo is the branch's: branch_head
 * of store_branch(s), pin_resolve without @REV, repo_find, repo_list and the catalog read through it; an explicit
 * @master is master. branch_head of a workspace branch's name is its head as it reads, also where it has written
 * nothing.
 *
 * Nobody notes the first write of a repo but branch_move: it records the base in the same transaction.
 */
#ifndef LEAT_REPO_OVERLAY_H
#define LEAT_REPO_OVERLAY_H

#include "repo/commit.h"

struct overlay {
	int64_t id;
	struct str name; /* in the caller's arena */
	struct str who;
	int64_t created, used; /* ms; used: last written to */
	bool frozen;
};

enum overlay_state {
	OVERLAY_MASTER,  /* no row: read as master stands */
	OVERLAY_WRITTEN, /* it has a branch of its own (which may be empty) */
	OVERLAY_FROZEN,  /* read at base */
	OVERLAY_REMOVED, /* rm --repo: not there */
};
/* What a branch has instead of master in one repo. */
struct overlay_base {
	int64_t num; /* names the state of data-driven jobs: datum.repo is -num */
	struct repo repo;
	struct id base; /* zero: master had nothing when it began */
	enum overlay_state state;
	bool made_here; /* master has nothing of the repo: it was made on the branch */
};

/* Whether there ever was one: without, there are no tables of theirs (defs/branch_tables.def). */
bool overlay_any(struct store *s);
/* A live one: 1, 0, -1. */
must_check int overlay_find(struct store *s, struct arena *a, struct str name, struct overlay *out, struct err *e);
must_check int overlay_list(struct store *s, struct arena *a, struct overlay **out, size_t *n,
                            struct err *e); /* by name */
/* ERR_REFUSED while a repo has an open commit on it. */
must_check int overlay_check_open(struct store *s, const struct overlay *o, struct err *e);
/* A repo that is to end: ERR_REFUSED while a branch (but that of the number `except`) has written it or is
 * frozen at it. */
must_check int overlay_check_based(struct store *s, const struct repo *r, int64_t except, struct err *e);
/* ERR_NOT_FOUND with the nearest name as hint. */
int overlay_not_found(struct store *s, struct str name, struct err *e);
/* The handle works on it from now on; STR_NULL or master: on none. The arena must live as long as the handle. */
must_check int overlay_use(struct store *s, struct arena *a, struct str name, struct err *e);

/* Its rows, by name of the repo: written, frozen, removed ones. */
must_check int overlay_bases(struct store *s, struct arena *a, const struct overlay *o, struct overlay_base **out,
                             size_t *n, struct err *e);
/* That of one repo: 1; 0 it has none (the repo is read as master stands); -1. out->repo has only its id. */
must_check int overlay_base(struct store *s, const struct overlay *o, int64_t repo, struct overlay_base *out,
                            struct err *e);
/* What is read of a repo on it (NULL: on master): 1, 0 = empty or not there, -1. */
must_check int overlay_head(struct store *s, const struct overlay *o, int64_t repo, struct commit *out, struct err *e);
/* For branch_head: that of a live workspace branch of this name; 0 if there is none. */
must_check int overlay_head_named(struct store *s, int64_t repo, struct str name, struct commit *out, struct err *e);
/* Where a plain name stood at a time: 1, 0, -1. */
must_check int overlay_head_at(struct store *s, int64_t repo, int64_t at_ms, struct id *out, struct err *e);
/* The branch that a plain name of a repo means: the overlay's name, or "master". */
struct str store_branch(const struct store *s);
/* Whether the handle's readers see that there is this repo: not one that only a branch has made, or has removed. */
must_check int overlay_shows(struct store *s, int64_t repo, struct err *e); /* 1, 0, -1 */
/*
 * The same as a condition of a query on handles with s->on: `repo r left join workspace_base w on w.repo = r.id and
 * w.branch = ?1`. overlay_bind binds ?1 and ?2.
 */
#define OVERLAY_SHOWS                                                                                                  \
	"r.ended is null and case when w.state is null then r.made_on is ?1 or (r.made_on is null and not ?2)"         \
	" else w.state <> 'removed' end"
void overlay_bind(const struct store *s, struct q *q);
/* A job's name in tables that have a row per job: the name itself on master, JOB@BRANCH on a branch. In the arena. */
struct str overlay_key(const struct store *s, struct arena *a, struct str job);
/* In datum.repo and the like: the repo's number on master; -num where the branch has written the repo; 0: it has not.
 */
must_check int overlay_state_id(struct store *s, int64_t repo, int64_t *out, struct err *e);

/* All below inside a write transaction. */
/* ERR_REFUSED or ERR_BAD_NAME: master, a branch or tag of a repo, one that is there. */
must_check int overlay_make(struct store *s, struct arena *a, struct str name, bool freeze, struct overlay *out,
                            struct err *e);
/* rm --repo on it: the repo is not there for its readers. One that was made on it ends. */
must_check int overlay_remove(struct store *s, const struct overlay *o, const struct repo *r, struct id event,
                              struct err *e);
/* The repo is read as master stands (or stood, of a frozen one) again: its branch, bases, state of jobs there go. */
must_check int overlay_forget(struct store *s, const struct overlay *o, const struct repo *r, struct id event,
                              struct err *e);
/* After a merge that keeps the branch: from now on it has begun from this commit (NULL: nothing). */
must_check int overlay_rebase(struct store *s, const struct overlay *o, int64_t repo, const struct id *base,
                              struct err *e);
/*
 * It ends. how: "merged" (its commits stay), "deleted" or "expired" (commits that only it shows go, so that gc takes
 * what they hold). Repos that master has nothing of end. ERR_REFUSED while one of them has an open commit on it.
 */
must_check int overlay_end(struct store *s, const struct overlay *o, const char *how, struct id event, struct err *e);

/* ERR_CONFLICT where the branch that the handle is on has ended. */
must_check int overlay_alive(struct store *s, struct err *e);
/* For branch_move: a branch of that name is about to move. */
must_check int overlay_moving(struct store *s, int64_t repo, struct str branch, struct err *e);

#endif
