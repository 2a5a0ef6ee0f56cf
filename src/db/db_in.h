/*
 * db/db_in.h: between db.c, db_check.c, db_roots.c and db_schema.c.
 */
#ifndef LEAT_DB_DB_IN_H
#define LEAT_DB_DB_IN_H

#include "db/db.h"

struct sqlite3;

#define DB_APPLICATION 0x4c656174 /* "Leat" */

/* Makes the tables of all versions up to that one, and sets (a bit each) of others; gives SQLite's result code. */
int db_schema(struct sqlite3 *h, int version, unsigned sets);
int db_schema_latest(void);
/* From an older version to the latest, in the open transaction; *at: the step that failed. */
int db_schema_raise(struct sqlite3 *h, int have, int *at);
bool db_schema_names(const char *name); /* some step makes a table or column of that name */
int db_schema_set(struct sqlite3 *h, enum db_set set);
const char *db_schema_mark(enum db_set set); /* the last of its tables */
struct sqlite3 *db_handle(struct db *d);
const char *db_path(const struct db *d);
/* The write lock without a transaction: nobody moves pages from the log meanwhile. */
must_check int db_hold(struct db *d, struct err *e);
void db_release(struct db *d);

#endif
