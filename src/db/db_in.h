/*
 * db/db_in.h: between db.c, db_check.c and db_roots.c.
 */
#ifndef LEAT_DB_DB_IN_H
#define LEAT_DB_DB_IN_H

#include "db/db.h"

struct sqlite3;

#define DB_APPLICATION 0x4c656174 /* "Leat" */

/* Makes the tables of all versions up to that one, and those of data_tables.def; gives SQLite's result code. */
int db_schema(struct sqlite3 *h, int version, bool data);
struct sqlite3 *db_handle(struct db *d);
const char *db_path(const struct db *d);
/* The write lock without a transaction: nobody moves pages from the log meanwhile. */
must_check int db_hold(struct db *d, struct err *e);
void db_release(struct db *d);

#endif
