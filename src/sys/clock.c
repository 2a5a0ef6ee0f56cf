#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/tz.h"
#include "sys/fault.h"
#include "sys/file.h"

#define RACY_NS 20000000

/* The virtual clock, read anew when the file's key changes. */
static struct {
	pthread_mutex_t mutex;
	bool known; /* LEAT_CLOCK has been looked up */
	const char *path; /* NULL = wall time */
	struct file_key key;
	bool have;
	bool racy; /* written so shortly before it was read that another write may bear the same times */
	int64_t ms;
	int64_t stopped; /* clock_stop_at; -1: it goes */
} virtual = {.mutex = PTHREAD_MUTEX_INITIALIZER, .stopped = -1};

static int64_t ns_now(clockid_t id)
{
	struct timespec t;

	if (fault_weave())
		return fault_weave()->now_ns();
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int read_virtual(struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct file_key key;
	char text[128];
	size_t got;

	if (file_open_read(virtual.path, &fd, e) || file_fd_key(fd, virtual.path, &key, e) ||
	    fd_read_full(fd, text, sizeof(text), &got, virtual.path, e))
		return err_wrap(e, "LEAT_CLOCK");
	if (!time_parse_rfc3339(str_trim((struct str){text, got}), &virtual.ms)) {
		err_set(e, ERR_BAD_CONFIG, "LEAT_CLOCK names %s, which holds no time", virtual.path);
		return err_hint(e, "write one like 2017-11-27T06:30:00Z into it");
	}
	virtual.racy = ns_now(CLOCK_REALTIME) - key.ctime_ns < RACY_NS;
	virtual.key = key;
	virtual.have = true;
	return 0;
}

static void look_up(void)
{
	if (virtual.known)
		return;
	virtual.path = getenv("LEAT_CLOCK");
	if (virtual.path && !*virtual.path)
		virtual.path = NULL;
	virtual.known = true;
}

int64_t clock_now_ms(void)
{
	int64_t now = -1;
	bool have = false;

	pthread_mutex_lock(&virtual.mutex);
	look_up();
	if (virtual.stopped >= 0) {
		have = true;
		now = virtual.stopped;
	} else if (virtual.path) {
		struct err e = ERR_INIT;
		struct stat st;
		struct file_key key;

		/* One stat in the common case; a file that is half written leaves the last time. */
		if (virtual.have && !virtual.racy && !stat(virtual.path, &st) &&
		    (key = file_key_of(&st), file_key_eq(&key, &virtual.key)))
			have = true;
		else
			have = !read_virtual(&e) || virtual.have;
		now = virtual.ms;
	}
	pthread_mutex_unlock(&virtual.mutex);
	return have ? now : ns_now(CLOCK_REALTIME) / 1000000;
}

bool clock_is_virtual(void)
{
	bool is;

	pthread_mutex_lock(&virtual.mutex);
	look_up();
	is = virtual.path != NULL || virtual.stopped >= 0;
	pthread_mutex_unlock(&virtual.mutex);
	return is;
}

void clock_stop_at(int64_t ms)
{
	pthread_mutex_lock(&virtual.mutex);
	virtual.stopped = ms;
	pthread_mutex_unlock(&virtual.mutex);
}

int clock_check(struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&virtual.mutex);
	look_up();
	if (virtual.path)
		rc = read_virtual(e);
	pthread_mutex_unlock(&virtual.mutex);
	return rc;
}

int64_t clock_mono_ns(void)
{
	return ns_now(CLOCK_MONOTONIC);
}

int64_t clock_cpu_ns(void)
{
	return ns_now(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_mono_ms(void)
{
	return ns_now(CLOCK_MONOTONIC) / 1000000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	if (ms <= 0)
		return;
	if (fault_weave()) {
		fault_weave()->sleep(ms);
		return;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		continue;
}

static char boot[CLOCK_BOOT_ID];

static void read_boot_id(void)
{
	int fd FD_CLEANUP = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, boot, sizeof(boot) - 1);

	boot[n > 0 ? n : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
}

const char *clock_boot_id(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_boot_id);
	return boot;
}

uint64_t clock_proc_start(pid_t pid)
{
	char path[32], text[1024], *p;
	int fd FD_CLEANUP = -1;
	ssize_t n;
	char state;
	unsigned long long start;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* proc(5): the name in brackets may hold brackets and blanks; what follows the last one is regular. */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
	                 &state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : start;
}
