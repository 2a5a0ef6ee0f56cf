/*
 * bench-whence DB FILE: the floor of `leat whence`: hashes the file and looks one row up by its key in a database.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/hash.h"

int main(int argc, char **argv)
{
	sqlite3 *db;
	sqlite3_stmt *q;
	struct stat st;
	int fd = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1, got;
	const void *p;
	struct sha id;

	if (fd < 0 || fstat(fd, &st) || st.st_size <= 0) {
		fprintf(stderr, "usage: bench-whence DB FILE\n");
		return 2;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	id = sha_of(p, (size_t)st.st_size);
	if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) ||
	    sqlite3_prepare_v2(db, "select body from contents_page where id >= ? limit 1", -1, &q, NULL))
		return 1;
	sqlite3_bind_int64(q, 1, id.b[0]);
	got = sqlite3_step(q);
	return got == SQLITE_ROW || got == SQLITE_DONE ? 0 : 1;
}
