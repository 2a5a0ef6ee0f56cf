#include "db/db_log.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xx64.h"
#include "db/db_vfs.h"
#include "sys/clock.h"
#include "sys/file.h"

#define LOG_HEAD 32  /* bytes of the log's own head */
#define LOG_FRAME 24 /* bytes before each page in it */

static uint64_t boot(void)
{
	const char *id = clock_boot_id();

	return xx64(id, strlen(id), 0);
}

static uint64_t check_of(const struct db_log_mark *m)
{
	return xx64(m, offsetof(struct db_log_mark, check), 0);
}

static void read_mark(int fd, struct db_log_mark *out)
{
	if (pread(fd, out, sizeof(*out), 0) != sizeof(*out) || memcmp(out->magic, DB_LOG_MAGIC, sizeof(out->magic)) ||
	    out->check != check_of(out))
		memset(out, 0, sizeof(*out));
}

void db_log_mark_read(const char *leat_dir, struct db_log_mark *out)
{
	char path[4200];
	int fd FD_CLEANUP = -1;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "%s/write.lock", leat_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		read_mark(fd, out);
}

void db_log_mark_write(sqlite3 *h, int lock_fd, bool synced)
{
	struct db_log_mark old, m = {.magic = DB_LOG_MAGIC, .boot = boot()};
	struct err ignored = ERR_INIT;
	struct db_log_head head;

	_Static_assert(sizeof(m) == 40, "no padding");
	if (!db_vfs_log_head(h, &head))
		return;
	memcpy(m.salt, head.salt, sizeof(m.salt));
	m.frames = m.synced = head.frames;
	if (!synced) {
		read_mark(lock_fd, &old);
		m.synced = memcmp(old.salt, m.salt, sizeof(m.salt)) ? 0 : old.synced;
	}
	m.check = check_of(&m);
	if (fd_pwrite_all(lock_fd, &m, sizeof(m), 0, "write.lock", &ignored)) /* then less is known, no more */
		err_clear(&ignored);
}

/*
 * Whether the log's own head is what SQLite wrote: its checksum is over the first 24 bytes, as big-endian words or,
 * more often, in the machine's order.
 */
static bool head_whole(const uint8_t *p)
{
	bool big = p[3] & 1;
	uint32_t s[2] = {0, 0}, want[2];

	for (int i = 0; i < 24; i += 8) {
		for (int k = 0; k < 2; k++) {
			const uint8_t *w = p + i + 4 * k;
			uint32_t v = big ? (uint32_t)w[0] << 24 | (uint32_t)w[1] << 16 | (uint32_t)w[2] << 8 | w[3]
					 : (uint32_t)w[3] << 24 | (uint32_t)w[2] << 16 | (uint32_t)w[1] << 8 | w[0];
			s[k] += v + s[!k];
		}
	}
	for (int k = 0; k < 2; k++) {
		const uint8_t *w = p + 24 + 4 * k;
		want[k] = (uint32_t)w[0] << 24 | (uint32_t)w[1] << 16 | (uint32_t)w[2] << 8 | w[3];
	}
	return s[0] == want[0] && s[1] == want[1];
}

int db_log_broken(sqlite3 *h, const char *leat_dir, const struct db_log_mark *mark, struct err *e)
{
	uint32_t want = mark->boot == boot() ? mark->frames : mark->synced;
	struct db_log_head head;
	uint8_t first[LOG_HEAD];
	char path[4200];
	int fd FD_CLEANUP = -1;
	struct stat st;

	if (!want || !db_vfs_log_head(h, &head))
		return 0;
	snprintf(path, sizeof(path), "%s/leat.db-wal", leat_dir);
	if (!memcmp(head.salt, mark->salt, sizeof(head.salt))) {
		if (head.frames >= want)
			return 0;
		err_set(e, ERR_DAMAGED, "%s: frame %u is damaged, and with it the last %u of %u pages written",
			path, head.frames + 1, want - head.frames, want);
	} else {
		/* another log, begun after the note; or this one, with a head that is none */
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) || st.st_size < LOG_HEAD + LOG_FRAME + 512 ||
		    pread(fd, first, sizeof(first), 0) != sizeof(first) || head_whole(first))
			return 0;
		err_set(e, ERR_DAMAGED, "%s: its head is damaged, and with it %u pages that were written", path, want);
	}
	return err_hint(e, "copy the .leat folder aside; leat fsck --repair goes on without these pages");
}
