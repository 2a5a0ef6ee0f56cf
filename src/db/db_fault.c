#include "db/db_fault.h"

#ifndef LEAT_FAULTS

const char *db_fault_vfs(void)
{
	return NULL;
}

#else

#include <errno.h>
#include <sqlite3.h>

#include "sys/fault.h"

/* The real file lies behind ours in the memory that SQLite gives (szOsFile). */
struct shim {
	sqlite3_file base;
	char path[512];
	sqlite3_file *real;
};

static sqlite3_vfs shim_vfs;
static sqlite3_vfs *real_vfs;

#define REAL(f) (((struct shim *)(f))->real)
#define CALL(f, m, ...) (REAL(f)->pMethods->m(REAL(f), ##__VA_ARGS__))

#define SECTOR 512 /* bytes that any disk writes at once */

static int refuse(const char *op, const char *path, int code)
{
	int err = fault_io_within(op, path);

	if (!err)
		return SQLITE_OK;
	if (err == FAULT_TORN)
		fault_die();
	return err == ENOSPC ? SQLITE_FULL : code;
}

static int shim_close(sqlite3_file *f)
{
	return CALL(f, xClose);
}

static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return CALL(f, xRead, p, n, at);
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int err = fault_io_within("write", ((struct shim *)f)->path);

	if (err == FAULT_TORN) {
		if (at / SECTOR != (at + n - 1) / SECTOR) /* what lies in one is written whole or not at all */
			(void)CALL(f, xWrite, p, n / 2, at);
		fault_die();
	}
	if (err)
		return err == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	return CALL(f, xWrite, p, n, at);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = refuse("truncate", ((struct shim *)f)->path, SQLITE_IOERR_TRUNCATE);

	return rc ? rc : CALL(f, xTruncate, size);
}

static int shim_sync(sqlite3_file *f, int flags)
{
	int rc = refuse("fsync", ((struct shim *)f)->path, SQLITE_IOERR_FSYNC);

	return rc ? rc : CALL(f, xSync, flags);
}

static int shim_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return CALL(f, xFileSize, size);
}

static int shim_lock(sqlite3_file *f, int how)
{
	return CALL(f, xLock, how);
}

static int shim_unlock(sqlite3_file *f, int how)
{
	return CALL(f, xUnlock, how);
}

static int shim_reserved(sqlite3_file *f, int *out)
{
	return CALL(f, xCheckReservedLock, out);
}

static int shim_control(sqlite3_file *f, int op, void *arg)
{
	return CALL(f, xFileControl, op, arg);
}

static int shim_sector(sqlite3_file *f)
{
	return CALL(f, xSectorSize);
}

static int shim_device(sqlite3_file *f)
{
	return CALL(f, xDeviceCharacteristics);
}

static int shim_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return CALL(f, xShmMap, page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return CALL(f, xShmLock, at, n, flags);
}

static void shim_shm_barrier(sqlite3_file *f)
{
	CALL(f, xShmBarrier);
}

static int shim_shm_unmap(sqlite3_file *f, int remove)
{
	return CALL(f, xShmUnmap, remove);
}

static const sqlite3_io_methods shim_methods = {
	.iVersion = 2, /* without memory-mapped reads */
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	struct shim *sh = (struct shim *)f;
	int rc;

	memset(sh, 0, sizeof(*sh));
	sh->real = (sqlite3_file *)(sh + 1);
	if (name)
		memccpy(sh->path, name, 0, sizeof(sh->path) - 1);
	rc = real_vfs->xOpen(real_vfs, name, sh->real, flags, out_flags);
	if (sh->real->pMethods)
		sh->base.pMethods = &shim_methods;
	return rc;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	int rc = refuse("unlink", name, SQLITE_IOERR_DELETE);

	return rc ? rc : real_vfs->xDelete(real_vfs, name, sync);
}

const char *db_fault_vfs(void)
{
	if (!real_vfs) {
		real_vfs = sqlite3_vfs_find(NULL);
		shim_vfs = *real_vfs;
		shim_vfs.zName = "leat-fault";
		shim_vfs.szOsFile = (int)sizeof(struct shim) + real_vfs->szOsFile;
		shim_vfs.pNext = NULL;
		shim_vfs.xOpen = shim_open;
		shim_vfs.xDelete = shim_delete;
		sqlite3_vfs_register(&shim_vfs, 0);
	}
	return shim_vfs.zName;
}

#endif
