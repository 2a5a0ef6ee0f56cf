/*
 * flow/rowdiff.h: the rows in which two tables differ: by key, or as whole rows. DuckDB joins them and counts; the rows
 * come one after the other, so that a large difference needs no memory here.
 */
#ifndef LEAT_FLOW_ROWDIFF_H
#define LEAT_FLOW_ROWDIFF_H

#include "db/duck.h"

#define ROWDIFF_MAX_COLUMNS 500

struct rowdiff_side {
	struct str reader; /* SQL that gives its rows */
	bool none;         /* it has no rows: only the columns of the reader count */
	struct str name;   /* for messages: "raw/x@master.3" */
};

struct rowdiff_ask {
	struct rowdiff_side old, new;
	const struct str *keys; /* columns by which rows are the same one; none: whole rows are compared */
	size_t n_keys;
	double tolerance;       /* numbers that differ by no more are the same; 0: none */
	int64_t limit;          /* rows that are given, in the order of their keys; all are counted. -1: all */
	int threads;            /* as in duck_sql */
};

/* One column of either side. */
struct rowdiff_column {
	struct str name, old_type, new_type; /* STR_NULL: that side has it not */
	bool key;
	int64_t changed; /* rows that both sides have and in which it differs */
};

struct rowdiff {
	struct rowdiff_column *columns; /* in the order of the new side, then what only the old one has */
	size_t n_columns;
	int64_t added, removed, changed; /* rows; changed 0 without keys */
};

/*
 * head comes once, before all rows (its counts are of all). A row is {change: "added" | "removed" | "changed", key:
 * {...}, old: {...}, new: {...}, times}: of a changed one only the columns that differ, without keys all columns of the
 * one side, and `times` how often. It lives until the call returns. Any may be NULL; non-zero stops.
 */
struct rowdiff_to {
	int (*head)(void *ptr, const struct rowdiff *d, struct err *e);
	int (*row)(void *ptr, const struct dom *row, struct err *e);
	int (*progress)(void *ptr, double part); /* 0..100 */
	void *ptr;
};

/*
 * Asks the worker, which must not be busy. A key that a side does not have, or by which one of its rows is not the only
 * one, is ERR_BAD_REQUEST. Columns of which the sides have different kinds are compared as texts.
 */
must_check int rowdiff_run(struct duck *d, struct arena *a, const struct rowdiff_ask *ask, const struct rowdiff_to *to,
                           struct err *e);
/* Only the columns of both sides. */
must_check int rowdiff_columns(struct duck *d, struct arena *a, const struct rowdiff_ask *ask, struct rowdiff *out,
                               struct err *e);

#endif
