/*
 * db/db_in.h: between db.c and db_check.c.
 */
#ifndef LEAT_DB_DB_IN_H
#define LEAT_DB_DB_IN_H

#include "db/db.h"

struct sqlite3;

struct sqlite3 *db_handle(struct db *d);
const char *db_path(const struct db *d);
/* The write lock without a transaction: nobody moves pages from the log meanwhile. */
must_check int db_hold(struct db *d, struct err *e);
void db_release(struct db *d);

#endif
