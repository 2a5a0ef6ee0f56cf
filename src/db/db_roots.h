/*
 * db/db_roots.h: opening a leat.db that cannot say any more which tables it has.
 *
 * The names and SQL of all tables and indices are known (defs/migrations.def, defs/data_tables.def); at which page
 * each begins is kept beside the database, in .leat/leat.db-roots (docs/formats/store.md). With that a database whose
 * first page, or another that lists its tables, is damaged is read all the same: from a copy with new such pages.
 *
 * The file is taken away before a change of the tables is committed and written after it, so that whoever dies between
 * leaves none rather than one that looks damaged. Whoever writes first in a process compares it, so that one that is
 * lost, damaged, or not of this database (whose pages somebody moved with another program) does not stay.
 */
#ifndef LEAT_DB_DB_ROOTS_H
#define LEAT_DB_DB_ROOTS_H

#include "base/err.h"

struct sqlite3;

#define DB_ROOTS "-roots" /* after the name of the database */

/* Whether the file is what db_roots_write would write; false also where that cannot be told. */
bool db_roots_right(const char *path, struct sqlite3 *h);
/* With the write lock held; `path` is the database's. What fails is tried again by the next who writes. */
void db_roots_write(const char *path, struct sqlite3 *h);
void db_roots_remove(const char *path);

/*
 * A damaged database as a copy that is only read, and nobody else sees: 1 *out; 0 there is a whole one in its place
 * now (what db_roots_replace had begun was ended); -1. The write lock is in hand.
 */
must_check int db_roots_open(const char *path, struct sqlite3 **out, struct err *e);
/*
 * Makes the database anew from such a copy, all pages of which must be whole, and puts it in place. The write lock is
 * in hand. ERR_BUSY while another process has it open.
 */
must_check int db_roots_replace(const char *path, struct sqlite3 *copy, struct err *e);

#endif
