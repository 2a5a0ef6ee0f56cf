/*
 * db/db_fault.h: in builds with LEAT_FAULTS, a VFS under SQLite through which its writes, syncs, truncations and
 * removals are counted and fail as sys/fault.h says. In all others there is nothing.
 */
#ifndef LEAT_DB_DB_FAULT_H
#define LEAT_DB_DB_FAULT_H

#include "base/base.h"

/* The name of the VFS to open with; NULL = SQLite's own. */
const char *db_fault_vfs(void);

#endif
