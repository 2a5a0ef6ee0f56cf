/*
 * flow/egress.h: where the commits of a job's output are pushed after they are published (`egress:` of job.yaml,
 * docs/how-to/egress.md), what was pushed there last, and the interface of those who can (src/conn/).
 */
#ifndef LEAT_FLOW_EGRESS_H
#define LEAT_FLOW_EGRESS_H

#include "flow/flow.h"
#include "repo/commit.h"

struct egress {
	const struct job *job;
	struct str url;         /* as written; may hold a password: never shown */
	struct str told;        /* the same without one: for people, and for the row */
	struct str scheme;      /* "" of a plain path */
	struct str place;       /* what follows scheme:// (or all of it), without options */
	bool sql;               /* sqlDatabase: tables; else files */
	struct str type;        /* of fileFormat: CSV, JSON, PARQUET; STR_NULL: each by its ending */
	struct str connection;  /* of leat.yaml; STR_NULL: none is named */
	struct str *columns;    /* of fileFormat */
	size_t n_columns;
	int line, col;          /* in job->file */
};

#define EGRESS_MAX_TRIES 32 /* pushes one after the other that were not done; after more the target is not known */

/*
 * One push: all of `now`, where `was` (NULL: not known) is what the target was left with by the last that was done, and
 * since then some of each of `tries` may have got there.
 */
struct egress_push {
	const struct egress *to;
	struct flow *flow;
	struct arena *arena;
	const struct sha *was, *now;
	const struct sha *tries;
	size_t n_tries;
	struct str repo;
	const struct id *commit; /* whose tree `now` is */
	size_t n_written, n_removed; /* out: files, or tables */
};

struct egress_kind {
	const char *scheme;     /* "file", "s3", "duckdb" */
	bool sql;
	/* Whether what the job says of it can be; NULL: always. */
	must_check int (*check)(struct flow *f, const struct egress *x, struct err *e);
	/* All of it or, of tables, none. What was pushed before may be pushed again. */
	must_check int (*push)(struct egress_push *p, struct err *e);
};

/* 1 it has one, 0, -1 with the place of what cannot be. */
must_check int egress_of(struct arena *a, const struct job *j, struct egress *out, struct err *e);

/* Rows of table `egress`: the last commit that was pushed, and what became of the last try. */
struct egress_row {
	bool there, failed;
	struct id commit;
	bool has_tree;
	struct sha tree;        /* of the last that went well */
	struct sha tries[EGRESS_MAX_TRIES]; /* trees of those that were begun since, and are in history */
	size_t n_tries;
};
must_check int egress_look(struct store *s, int64_t repo, struct str told, struct egress_row *out, struct err *e);
/* Before anything is changed there, so that the next push knows what a killed or failed one may have left. */
must_check int egress_begin(struct store *s, int64_t repo, struct str told, const struct commit *c, struct err *e);
/* error NULL: it went well. */
must_check int egress_note(struct store *s, int64_t repo, struct str told, const struct commit *c, const char *error,
                           struct err *e);

#endif
