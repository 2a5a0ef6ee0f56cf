/*
 * flow/reads.h: which partitions of a repo a unit of ds D reads (SEMANTICS 2), decided in one place for jobs, `leat sql
 * --ds` and `why`. Works on a catalog: the state of all repos at one instant, read from the store once.
 */
#ifndef LEAT_FLOW_READS_H
#define LEAT_FLOW_READS_H

#include "base/ds.h"
#include "flow/job.h"
#include "repo/commit.h"

/* A repo as it stands in the catalog: head (or pinned) tree and its partitions. */
struct catalog_repo {
	struct repo repo;
	bool has_commit;
	struct commit head;
	struct part *parts;      /* in time order; loaded on first need */
	size_t n_parts;
	enum every every;        /* kind of its labels; EVERY_NONE: no ds= folders */
	enum table_kind kind;    /* TABLE_DIM, TABLE_FCT, TABLE_PLAIN */
};

/*
 * The catalog reads heads when it is made and all else when it is first asked for; with it stands what no head shows:
 * partitions laid over (done, unpublished) and planned (catalog.h).
 */
struct catalog;
struct plan_unit;
must_check int catalog_new(struct store *s, struct arena *a, struct catalog **out, struct err *e);
/*
 * 1 found, 0 no such repo, -1. `rev` STR_NULL: master's head with what is laid over it, else a pin ("master.31", an
 * id).
 * Parts are loaded. The result lives as long as the catalog and follows what is laid over.
 */
must_check int catalog_repo(struct catalog *c, struct str name, struct str rev, struct catalog_repo **out,
                            struct err *e);
/*
 * Partitions that the cascade has made (published or not), laid over the head for the jobs that read them. ds NONE: the
 * whole repo, tree is its root. Removes nothing of the store. After a unit has succeeded (or was known) this must be
 * called before plan_decide of what reads it.
 */
must_check int catalog_lay(struct catalog *c, struct str repo, const struct ds *ds, const struct entry *tree,
                           struct err *e);

enum reads_state { READS_OK, READS_MISSING, READS_EMPTY_OPTIONAL };
/* One file or folder that a unit from data takes of an input. */
struct reads_only {
	struct str under; /* the partition that it lies in, "ds=2018-01-02"; STR_NULL: none */
	struct str path;  /* in the repo, or in that partition; "" is its root */
	struct entry entry;
};

struct reads {
	struct catalog_repo *repo; /* NULL when the repo is not there */
	enum reads_state state;
	bool whole;                /* an unpartitioned repo: its root tree */
	struct part *parts;        /* otherwise these, in time order; a dim_: one snapshot */
	struct entry root;         /* of a whole one */
	size_t n_parts;
	/* per part (of a whole one: of that): the unit of a plan that makes it; NULL: none does */
	struct plan_unit **by;
	const struct reads_only *only; /* of a unit from data: nothing but these of the root; NULL: all */
	size_t n_only;
	bool planned;              /* some of it is not made yet: no content id */
	struct ds *missing;        /* the partitions that should be there and are not */
	size_t n_missing;
	const char *problem;       /* MISSING for another reason than partitions: "raw/x is not there"; NULL */
	/* hash over (label, tree id) of all of the above: the input's content id in memo keys */
	struct sha content;
};

/*
 * What a unit of `ds` (every NONE: a job without partition: reads everything) reads of an input. Intervals that do not
 * nest without a window are ERR_BAD_CONFIG at the input's place. MISSING is not an error here.
 */
must_check int reads_for_unit(struct catalog *c, struct arena *a, const struct job *j, const struct job_input *in,
                              const struct ds *ds, struct reads *out, struct err *e);
/* "raw/x ds=2018-01-02 is missing", "raw/x ds=... and 3 more are missing", "raw/x is not there". */
const char *reads_missing_text(struct arena *a, const struct job_input *in, const struct reads *r);
/*
 * The partitions of a kind `every` that a unit of `ds` would read of an input, whether they are there or not, in order.
 * `have` (may be NULL) is the repo as it is: windows begin at its first partition, `all` is what it has.
 */
must_check int reads_wanted(struct arena *a, const struct job *j, const struct job_input *in, const struct ds *ds,
                            enum every every, enum table_kind kind, const struct catalog_repo *have, struct ds **out,
                            size_t *n, struct err *e);
/* What an ad-hoc query reads without a ds: all of a fct_ or plain, the newest of a dim_ (all if all_snapshots). */
must_check int reads_for_query(struct catalog *c, struct arena *a, struct str repo, struct str rev, bool all_snapshots,
                               struct reads *out, struct err *e);
/* The same with --ds D. */
must_check int reads_for_query_ds(struct catalog *c, struct arena *a, struct str repo, struct str rev,
                                  const struct ds *ds,
                                  const struct tz *tz, struct reads *out, struct err *e);

#endif
