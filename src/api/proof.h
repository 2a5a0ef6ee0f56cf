/*
 * api/proof.h: tests of jobs carried out: each in a store of its own that knows nothing but what the test gives it, by
 * a clock that stands still; all in this process, with workers that stay warm. Nothing of the workspace's store is
 * read or written.
 */
#ifndef LEAT_API_PROOF_H
#define LEAT_API_PROOF_H

#include "api/fixture.h"
#include "flow/workers.h"
#include "sys/lock.h"

#define PROOF_ROWS 20     /* of a difference that are told */
#define PROOF_LOG_LINES 10
#define PROOF_TEXT_ROWS 1000 /* at most are compared as texts first */
#define PROOF_TEXT_BYTES ((int64_t)256 << 10) /* files of no more are read without a limit of rows, which costs time */

struct proofs {
	struct workspace *ws;
	struct workspace apart; /* the same, but that nothing has to survive a power cut */
	const struct job_kind *const *kinds;
	const char *dir;        /* the folder of the stores */
	const char *path;       /* PATH of tasks; NULL: unknown */
	struct lock lock;
	struct store *home;     /* the workspace's own, for that folder; NULL: there is none */
	struct shelf shelf;
	struct duck *reader;    /* of what came out: it reads that of a test while the next one runs */
	struct store *store;    /* of the test at work */
	struct flow *flow;
};

/* The jobs are loaded then: p->flow. NULL is no p. */
must_check int proofs_begin(struct proofs *p, struct workspace *ws, struct arena *a,
                            const struct job_kind *const *kinds, struct err *e);
void proofs_end(struct proofs *p);

struct proof_look;

/* One test, carried out: what its job made stands in p->store until the next. */
struct proof {
	const struct fixture *x;
	struct err failed;      /* how the job failed; code NONE: it did not */
	struct str log;         /* then the last lines that it printed; "" */
	bool has_tree;
	struct sha tree;        /* of what it made: the folder ds=D, or the root */
	struct proof_look *look; /* begun; NULL */
};
/* -1: the test cannot be run as it stands. */
must_check int proof_run(struct proofs *p, struct arena *a, const struct fixture *x, struct proof *out, struct err *e);

/* --- proof_compare.c --- */

struct proof_diff {
	bool same;
	int64_t added, removed, changed; /* rows, or files */
	const struct dom *columns; /* a list of names that are given and not expected */
	const struct dom *rows;  /* a list as rowdiff gives them, PROOF_ROWS at most; of files {change, path, text} */
};
/*
 * Begins to read what came out, so that the next test may run before proof_compare asks for it; then only rows are
 * compared. One at a time. A must live until then.
 */
must_check int proof_look(struct proofs *p, struct arena *a, struct proof *o, struct err *e);
must_check int proof_compare(struct proofs *p, struct arena *a, const struct proof *o, struct proof_diff *out,
                             struct err *e);
/* What came out becomes what is expected, in the form that it has there. *shown is what was written. */
must_check int proof_update(struct proofs *p, struct arena *a, const struct proof *o, const char **shown,
                            struct err *e);
/* proof_texts.c: whether these rows are, to the letter, all that is expected. */
bool proof_same_texts(struct arena *a, const struct fixture *x, const struct duck_small *made);

#endif
