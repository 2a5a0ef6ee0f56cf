/*
 * repo/overlay_merge.h: a workspace branch becomes master (SEMANTICS 7). What each repo comes to is worked out before
 * the transaction; in it heads are compared and moved, all of them or none, and nothing is run: what partitions were
 * made from, and how far data-driven jobs are, goes over with them.
 */
#ifndef LEAT_REPO_OVERLAY_MERGE_H
#define LEAT_REPO_OVERLAY_MERGE_H

#include "base/map.h"
#include "repo/merge.h"
#include "repo/overlay.h"

enum merged {
	MERGED_NOTHING,  /* the branch has nothing that master has not */
	MERGED_NEW,      /* master had nothing of the repo */
	MERGED_FAST,     /* master stood where the branch began: its head is the branch's commit */
	MERGED_LAID,     /* a commit with what both sides changed */
	MERGED_REMOVED,  /* the repo ends */
	MERGED_KEPT,     /* --ours of a repo that the branch removed */
	MERGED_CONFLICT,
};

struct overlay_merge_repo {
	struct overlay_base base;
	enum merge_take take;      /* the caller's; NEITHER */
	enum merged how;
	size_t changed;            /* partitions and files outside of them that the branch changed */
	struct merge trees;        /* of LAID, and the things in CONFLICT */
	const char *why;           /* of a CONFLICT that is about the whole repo: "removed on x, changed on master" */
	struct commit now;         /* master's head afterwards (of what has none: id zero) */
	/* for overlay_merge_do */
	struct id ours, theirs;
	struct sha root;           /* what master shows afterwards */
	struct str *made;          /* partitions whose row of current_on counts then, unless */
	size_t n_made;
	bool all_made;             /* all of its rows do */
};

struct overlay_merge {
	const struct overlay *on;
	struct overlay_merge_repo *repos; /* by name; the caller sets their `take` between _begin and _plan */
	size_t n, n_conflicts;
	const struct map *owed; /* data-driven jobs with changes on master that they have yet to take; NULL: none */
	const struct map *behind; /* those with changes that they have yet to take on the branch; NULL: none */
	bool keep;              /* the branch lives on, and begins at what master is then */
	bool moved;             /* overlay_merge_do failed since a head moved meanwhile: begin again */
};

/* Which repos it is about. ERR_REFUSED while one of them has an open commit on the branch. */
must_check int overlay_merge_begin(struct store *s, struct arena *a, const struct overlay *o, struct overlay_merge *out,
                                   struct err *e);
/* What becomes of each; conflicts are no error here. */
must_check int overlay_merge_plan(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m,
                                  struct err *e);
/* Names of the data-driven jobs that have a state of their own there. */
must_check int overlay_merge_jobs(struct store *s, struct arena *a, const struct overlay *o, struct str **out,
                                  size_t *n, struct err *e);
/* Inside the write transaction, without conflicts; the event is recorded by the caller, whose id is the commits'. */
must_check int overlay_merge_do(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m,
                                struct id event, struct err *e);

#endif
