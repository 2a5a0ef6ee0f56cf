/*
 * db/db_mover.h: moves the write-ahead log into leat.db beside a writer that goes on.
 *
 * That takes some ten milliseconds in which nobody has to wait: a thread with a connection of its own does it, as
 * another process might. It takes no lock that a writer or a reader waits for (a passive checkpoint). What fails harms
 * nothing: the log keeps all, and is tried again when it has grown.
 */
#ifndef LEAT_DB_DB_MOVER_H
#define LEAT_DB_DB_MOVER_H

struct db_mover;

struct db_mover *db_mover_new(const char *db_path);
/* Begins a round, unless one is under way or the connection cannot be made. At once; never waits for the disk. */
void db_mover_begin(struct db_mover *m);
void db_mover_settle(struct db_mover *m); /* waits for a round under way; NULL is fine */
void db_mover_free(struct db_mover *m); /* the same first */

#endif
