#include "db/db_mover.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/base.h"
#include "db/db_vfs.h"

struct db_mover {
	char *path;
	sqlite3 *h; /* the thread's while one is there */
	pthread_t thread;
	bool joins;          /* there is a thread to wait for */
	atomic_bool at_work;
};

static sqlite3 *connect(const char *path)
{
	sqlite3 *h = NULL;

	if (sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
	                    db_vfs()) ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) ||
	    sqlite3_exec(h, "pragma user_version", NULL, NULL, NULL)) { /* one that has read nothing knows of no log */
		sqlite3_close(h);
		return NULL;
	}
	return h;
}

static void *move(void *ptr)
{
	struct db_mover *m = ptr;

	if (!m->h)
		m->h = connect(m->path);
	if (m->h)
		(void)sqlite3_wal_checkpoint_v2(m->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	atomic_store(&m->at_work, false);
	return NULL;
}

struct db_mover *db_mover_new(const char *db_path)
{
	struct db_mover *m = xcalloc(1, sizeof(*m));

	m->path = xstrdup(db_path);
	return m;
}

void db_mover_begin(struct db_mover *m)
{
	if (atomic_load(&m->at_work))
		return;
	db_mover_settle(m);
	atomic_store(&m->at_work, true);
	m->joins = !pthread_create(&m->thread, NULL, move, m);
	if (!m->joins)
		atomic_store(&m->at_work, false);
}

void db_mover_settle(struct db_mover *m)
{
	if (!m || !m->joins)
		return;
	pthread_join(m->thread, NULL);
	m->joins = false;
}

void db_mover_free(struct db_mover *m)
{
	if (!m)
		return;
	db_mover_settle(m);
	sqlite3_close(m->h);
	free(m->path);
	free(m);
}
