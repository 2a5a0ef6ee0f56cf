/*
 * db/sql_alone.h: whether many units of a query may run as one statement, told from its parse tree (SEMANTICS
 * 4). Inside
 * the worker: duck_req_parse's reply holds it.
 *
 * Only what is known to give the same rows may: everything that is not in the lists of sql_alone.c is refused, and the
 * tests have a query for each refusal. ds must have been rendered as a stand-in (SQL_STAND_IN), and may stand
 * only where its
 * type cannot matter: under a cast, in a comparison (which does not bind where it would matter), and as a named column.
 */
#ifndef LEAT_DB_SQL_ALONE_H
#define LEAT_DB_SQL_ALONE_H

#include "base/dom.h"

/* NULL: it may be one of many, and *stand_ins says how often ds stands in it. Else why each unit must run alone. */
const char *sql_alone(const struct dom *node, size_t *stand_ins);

#endif
