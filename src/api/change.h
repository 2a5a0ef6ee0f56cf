/*
 * api/change.h: what one command, or a batch of them, wants to change: made ready first (bytes are taken in, no lock
 * held), done in one transaction then, step by step, each seeing what those before it did. All or none, under one
 * global id.
 *
 *   struct change c;  change_begin(&c, api, args);
 *   struct write *w = change_write(&c, "put");   change_target(&c, text, true, w, e);   ingest_*(c.in, ...);
 *   change_put(&c, w, path, &entry, e) ...       or w->ready, which looks at the tree as it stands and adds edits
 *   rc = change_do(&c, out, e);  change_end(&c);
 */
#ifndef LEAT_API_CHANGE_H
#define LEAT_API_CHANGE_H

#include "api/rows.h"
#include "base/map.h"
#include "repo/open.h"
#include "sys/lock.h"

struct change;

/* One step of it: runs inside the write transaction; nothing may be read there but rows. */
struct change_step {
	int (*run)(struct change *c, void *own, struct err *e);
	void *own;
	int line; /* of the batch's file; 0 */
};

struct change {
	struct api *api;
	struct str message;      /* of commits that have none of their own */
	const char *file;        /* of the batch, for messages */
	const struct args *args; /* of the whole: the batch's, or the one command's */
	struct ingest *in;
	struct id id;            /* of the event: of every commit that is made */
	bool run;                /* what depends on it is to run afterwards */
	bool no_event;           /* nothing happens to any branch */
	bool batch;              /* one of several commands: others may come before and after it */
	VEC(struct change_step) steps;
	VEC(struct dom *) rows;  /* what the steps have to tell, once it is done */
	struct map commits;      /* by repo: the row of its commit */
	bool moved;     /* a head that many edits were applied to has moved since */
	int tries;      /* of the transaction, from 1 */
	bool stale;              /* change_do failed since a file that was read before had changed since: try again */
	char *scratch;           /* a folder in .leat/staging, once change_scratch was called */
	struct lock scratch_lock;
};

void change_begin(struct change *c, struct api *api, const struct args *args);
void change_end(struct change *c);
void change_step(struct change *c, int (*run)(struct change *c, void *own, struct err *e), void *own);
/* Brings the bytes to disk, then one transaction: the event, every step. The rows go to `out` when it is done. */
must_check int change_do(struct change *c, struct sink *out, struct err *e);
/* A folder for bytes on their way; change_end removes it, or the next one who needs one if this process dies. */
must_check int change_scratch(struct change *c, const char **out, struct err *e);

/* A file as it was when bytes were made from it (append): another one there makes the change stale. */
struct write_expect {
	struct str path;
	bool there;
	struct sha id;
};

/* Edits of one branch, or of an open commit. */
struct write {
	const char *kind;             /* put, rm, cp */
	struct str repo, branch;
	struct str path;              /* of the target, "" = root; without a trailing '/' */
	bool into;                    /* it ended in one */
	struct id open;               /* into that open commit; zero: a commit of its own */
	bool make;                    /* the repo is made if it is not there */
	struct str message, author, meta;
	bool clear;                   /* the edits begin with an empty tree */
	VEC(struct tree_edit) edits;
	VEC(struct write_expect) expects;
	/* Inside the transaction, before the edits: the tree as it stands (the empty one where there is none). */
	int (*ready)(struct change *c, struct write *w, const struct repo *repo, const struct sha *tree, struct err *e);
	void *own;
	bool ready_ahead; /* `ready` looks at nothing else that others may change: it may run before the transaction */
	bool ahead;     /* its edits were applied before the transaction, */
	struct sha met; /* to this tree */
};
/* A write as the next step, with the message, author and meta of `args` if the operation has those options. */
struct write *change_write(struct change *c, const struct args *args, const char *kind);
/*
 * REPO[@BRANCH|@ID][:/PATH] as something to write to; a branch that LEAT_COMMIT names the open commit of means that
 * commit. Refuses what can be refused without reading bytes: a commit that never changes, a job's output.
 */
must_check int change_target(struct change *c, struct str text, bool make, struct write *w, struct err *e);
must_check int change_put(struct change *c, struct write *w, struct str path, const struct entry *entry, struct err *e);
must_check int change_remove(struct change *c, struct write *w, struct str path, struct err *e);
/* What writes of this change, made ready before, put at a path of the branch: 1; 0: they say nothing; -1: remove it. */
must_check int change_pending(struct change *c, const struct write *w, struct str path, struct entry *out);

/* A job that was removed leaves a plain repo; the output of one that is there is ERR_REFUSED. */
must_check int change_check_output(struct api *api, struct repo *repo, struct err *e);

/* A repo that is to end: ERR_REFUSED while a job reads or writes it. */
must_check int change_check_unused(struct api *api, const struct repo *repo, struct err *e);

/* --message, --author and --meta of a request; each STR_NULL if it is not there. meta as a JSON map. */
must_check int change_words(const struct args *args, struct str *message, struct str *author, struct str *meta,
                            struct err *e);

/* What a line of a batch may be, made ready as steps of it (each in the file of its command). */
typedef int change_fn(struct change *c, const struct args *args, struct err *e);
change_fn put_ready, rm_ready, cp_ready, branch_ready, tag_ready;

#endif
