/*
 * db/duck_shape.h: inside the worker: the columns of a unit's result, where they are not written as they stand.
 *
 * A column `ds` is the folder's name and no column of the file. HUGEINT and UHUGEINT (the sum of integers) are written
 * as DECIMAL(38,0), wherever they stand in a type: DuckDB would write them as DOUBLE and lose digits without a word.
 */
#ifndef LEAT_DB_DUCK_SHAPE_H
#define LEAT_DB_DUCK_SHAPE_H

#include "db/duck_worker.h"

struct shape {
	size_t n, ds;          /* columns; which is ds, n = none */
	const char **names;
	const char **casts;    /* what it is written as; NULL: as it is */
	bool differs;          /* from the statement's own columns */
};

/* By the words of the request: false saves the second binding of a statement that cannot need it. */
bool shape_matters(const struct work *k, bool ds);
/* ds: a column of that name is to be dropped. A result that has no other one is ERR_FAILED. */
must_check int shape_read(struct work *k, struct str stmt, bool ds, struct shape *out, struct err *e);
/*
 * What stands before and after a statement to make its columns so. A row whose ds is not `label`, an expression, is an
 * error of the query.
 */
void shape_add(struct buf *before, struct buf *after, const struct shape *s, const char *label);

#endif
