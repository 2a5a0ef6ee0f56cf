/*
 * job/notebook_table.h: the first rows of a query as the output of a cell: a table for the page, and as plain text.
 */
#ifndef LEAT_JOB_NOTEBOOK_TABLE_H
#define LEAT_JOB_NOTEBOOK_TABLE_H

#include "db/duck.h"

#define NOTEBOOK_TABLE_ROWS 1000

struct notebook_table {
	VEC(struct str) names;
	VEC(struct str *) rows; /* each of names.n cells; .p NULL = null */
	int64_t all;            /* how many there are; -1: not known */
	bool full;              /* there are more than are kept */
};

void notebook_table_head(struct arena *a, struct notebook_table *t, const struct dom *head);
/* True: it has enough. */
bool notebook_table_rows(struct arena *a, struct notebook_table *t, const struct duck_rows *r);
/* Whether there is something to show: not of a statement that only says what it did. */
bool notebook_table_shows(const struct notebook_table *t, bool select);
struct dom *notebook_table_output(struct arena *a, const struct notebook_table *t, int64_t count);

#endif
