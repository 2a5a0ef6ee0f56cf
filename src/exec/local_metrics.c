/* What a task tells of itself: lines `::metric NAME=VALUE` of its log (note/metrics.h). */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "exec/exec.h"
#include "note/metrics.h"
#include "sys/fd.h"
#include "sys/file.h"

#define CHUNK 65536
#define LOOKED_AT_MAX ((off_t)256 << 20) /* of a longer log its end, at a few hundred MB a second */

/* The log as it was opened has no name yet, and cannot be read. */
static int open_log(struct attempt *t, int *out, off_t *size, struct err *e)
{
	struct stat st;
	int fd;

	if (attempt_log_fd(t, &fd, e))
		return -1;
	*out = -1;
	*size = 0;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return 0;
	*size = st.st_size;
	return file_open_read(arena_printf(t->arena, "/proc/self/fd/%d", fd), out, e);
}

static void read_log(struct metrics *m, int fd, off_t size)
{
	off_t at = size > LOOKED_AT_MAX ? size - LOOKED_AT_MAX : 0;
	char chunk[CHUNK];
	ssize_t n;

	while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		metrics_stream(m, false, (struct str){chunk, (size_t)n});
		at += n;
	}
	metrics_stream(m, false, STR("\n")); /* the last line may have no end */
}

void exec_metrics(struct attempt *t, struct attempt_result *r)
{
	struct metrics m;
	int fd FD_CLEANUP = -1;
	struct err e = ERR_INIT;
	struct dom *facts;
	off_t size;

	if (open_log(t, &fd, &size, &e)) {
		err_clear(&e); /* what cannot be read tells nothing */
		return;
	}
	if (fd < 0)
		return;
	metrics_init(&m, t->arena);
	read_log(&m, fd, size);
	metrics_free(&m);
	if (!m.all->n)
		return;
	facts = r->facts ? dom_copy(t->arena, r->facts) : dom_new(t->arena, DOM_MAP);
	dom_set(t->arena, facts, "metrics", m.all);
	r->facts = facts;
}
