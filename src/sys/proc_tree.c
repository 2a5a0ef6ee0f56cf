/* Finding and ending all that a task has started. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/proc.h"
#include "sys/proc_int.h"

#define ENVIRON_MAX (4u << 20)
#define TEXT_MAX (1u << 20)
#define POLL_MS 5
#define KILL_MS 10000 /* how long SIGKILL may take: only a process stuck in the kernel needs longer */

static bool subreaper;

void proc_subreaper(void)
{
	subreaper = !prctl(PR_SET_CHILD_SUBREAPER, 1);
}

struct seen {
	pid_t pid, ppid, pgrp, session;
	uint64_t start;
	bool ours;
};

struct table {
	struct seen *p;
	size_t n, cap;
};

static bool read_small(const char *path, struct buf *b)
{
	char chunk[4096];
	int fd FD_CLEANUP = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf_reset(b);
	if (fd < 0)
		return false;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(b, chunk, (size_t)n);
	return n == 0;
}

static bool see(pid_t pid, struct seen *s, struct buf *b)
{
	char path[32], *p, state;
	unsigned long long start;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_small(path, b))
		return false;
	p = strrchr(b->p, ')');
	*s = (struct seen){.pid = pid};
	if (!p || sscanf(p + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
	                 &s->ppid, &s->pgrp, &s->session, &start) != 5)
		return false;
	s->start = start;
	return state != 'Z' && state != 'X';
}

/* All living processes of the machine (that we may see). */
static void see_all(struct table *t, struct buf *b)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	struct seen s;

	while (d && (entry = readdir(d))) {
		int64_t pid;

		if (!str_to_i64(str_of(entry->d_name), &pid) || !see((pid_t)pid, &s, b))
			continue;
		if (t->n == t->cap) {
			t->cap = t->cap ? t->cap * 2 : 256;
			t->p = xrealloc(t->p, t->cap * sizeof(*t->p));
		}
		t->p[t->n++] = s;
	}
	if (d)
		closedir(d);
}

static bool has_marker(pid_t pid, const char *marker, struct buf *b)
{
	char path[40];
	size_t n = strlen(marker);

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	if (!read_small(path, b))
		return false;
	for (const char *p = b->p; p < b->p + b->n; p += strlen(p) + 1)
		if (!strncmp(p, PROC_MARKER "=", sizeof(PROC_MARKER)) &&
		    !strncmp(p + sizeof(PROC_MARKER), marker, n + 1))
			return true;
	return false;
}

bool proc_has_marker(pid_t pid, const char *marker)
{
	struct buf b = BUF_INIT(ENVIRON_MAX);
	bool has = has_marker(pid, marker, &b);

	buf_free(&b);
	return has;
}

static bool belongs(const struct seen *s, const struct proc *p, const char *marker, bool alone, struct buf *b)
{
	if (p && !p->ended && s->pid == p->pid)
		return true;
	if (p && p->own_group && (s->pgrp == p->pid || s->session == p->pid))
		return true;
	if (subreaper && alone && s->ppid == getpid() && !proc_is_known(s->pid))
		return true;
	return marker && has_marker(s->pid, marker, b);
}

/*
 * Marks what belongs to the task. An orphan that came to us and is nobody's (environment wiped, own session) belongs to
 * this task if no other is running; but all orphans of one that has a shim are the shim's, which is none of it.
 */
static size_t mark(struct table *t, const struct proc *p, const char *marker, struct buf *b)
{
	pid_t self = getpid();
	bool alone = p && !p->shimmed && proc_known_count() == (p->ended ? 0 : 1);
	size_t found = 0, before;

	for (size_t i = 0; i < t->n; i++) {
		struct seen *s = &t->p[i];

		if (s->pid == self || s->pid == 1)
			continue;
		s->ours = belongs(s, p, marker, alone, b);
		found += s->ours;
	}
	do {
		before = found;
		for (size_t i = 0; i < t->n; i++)
			for (size_t k = 0; k < t->n && !t->p[i].ours; k++)
				if (t->p[k].ours && t->p[k].pid == t->p[i].ppid && t->p[i].pid != self) {
					t->p[i].ours = true;
					found++;
				}
	} while (found != before);
	for (size_t i = 0; p && p->shimmed && (!p->ended || p->seat) && i < t->n; i++)
		if (t->p[i].pid == p->pid && t->p[i].ours) {
			t->p[i].ours = false;
			found--;
		}
	return found;
}

/* By a pidfd whose process is known to be the one that was seen: a number used again is not hit. */
static void signal_seen(const struct seen *s, int sig)
{
	int fd FD_CLEANUP = (int)syscall(SYS_pidfd_open, s->pid, 0);

	if (fd >= 0 && clock_proc_start(s->pid) == s->start)
		(void)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

static int count_unknown(const char *pids)
{
	int n = 0;
	char *end;

	for (long pid = strtol(pids, &end, 10); end != pids; pids = end, pid = strtol(pids, &end, 10))
		n += !proc_is_known((pid_t)pid);
	return n;
}

/*
 * The children of our first thread, to whom orphans come: its list is kept open, for this is asked after every task.
 * -1 = the kernel does not tell, or there are too many.
 */
static int count_first(void)
{
	static _Thread_local int fd = -1;
	static _Thread_local pid_t of;
	char path[64], text[4096];
	ssize_t n;

	if (of != getpid()) {
		fd_close(&fd);
		of = getpid();
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)of, (int)of);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	if (n < 0 || n == sizeof(text) - 1)
		return -1;
	text[n] = '\0';
	return count_unknown(text);
}

/* /proc/self/task/TID/children of all our threads: cheaper than a walk over /proc. -1 = the kernel does not tell. */
static int count_orphans(struct buf *b)
{
	DIR *d;
	struct dirent *entry;
	int n = proc_spawned_aside() ? -1 : count_first();

	if (n >= 0)
		return n;
	n = 0;
	d = opendir("/proc/self/task");

	while (d && n >= 0 && (entry = readdir(d))) {
		char path[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/children", entry->d_name);
		if (!read_small(path, b)) {
			n = -1;
			break;
		}
		n += count_unknown(b->p);
	}
	if (!d)
		return -1;
	closedir(d);
	return n;
}

unsigned proc_reap_orphans(void)
{
	struct table t = {0};
	struct buf b = BUF_INIT(TEXT_MAX);
	unsigned living = 0;
	pid_t self = getpid();

	if (count_orphans(&b) != 0) {
		DIR *d = opendir("/proc");
		struct dirent *entry;

		while (d && (entry = readdir(d))) {
			struct seen s = {0};
			int64_t pid;
			bool lives;

			if (!str_to_i64(str_of(entry->d_name), &pid))
				continue;
			lives = see((pid_t)pid, &s, &b);
			if (s.ppid != self || proc_is_known((pid_t)pid))
				continue;
			if (lives)
				living++;
			else
				(void)waitpid((pid_t)pid, NULL, WNOHANG);
		}
		if (d)
			closedir(d);
	}
	free(t.p);
	buf_free(&b);
	return living;
}

static int signal_found(const struct proc *p, const char *marker, int sig)
{
	struct table t = {0};
	struct buf b = BUF_INIT(ENVIRON_MAX);
	size_t found;

	see_all(&t, &b);
	found = mark(&t, p, marker, &b);
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i].ours)
			signal_seen(&t.p[i], sig);
	free(t.p);
	buf_free(&b);
	return (int)found;
}

/* What of a process is memory of its own (shared pages by their share); 0: it has gone, or is not ours to look at. */
static uint64_t own_memory(pid_t pid, struct buf *b)
{
	static const char *const lines[] = {"Pss_Anon:", "Pss_Shmem:"};
	char path[40];
	uint64_t kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if (!read_small(path, b))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *at = strstr(b->p, lines[i]);

		kb += at ? strtoull(at + strlen(lines[i]), NULL, 10) : 0;
	}
	return kb * 1024;
}

uint64_t proc_tree_memory(const struct proc *p, const char *marker)
{
	struct table t = {0};
	struct buf b = BUF_INIT(ENVIRON_MAX);
	uint64_t sum = 0;

	see_all(&t, &b);
	mark(&t, p, marker, &b);
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i].ours)
			sum += own_memory(t.p[i].pid, &b);
	free(t.p);
	buf_free(&b);
	return sum;
}

/* Whether it can have left anything: every survivor would be our child by now. */
static bool left_nothing(const struct proc *p)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	bool nothing;

	if (!subreaper || !p->ended || p->shimmed)
		return false;
	nothing = count_orphans(&b) == 0;
	buf_free(&b);
	return nothing;
}

int proc_signal_tree(const struct proc *p, const char *marker, int sig)
{
	return left_nothing(p) ? 0 : signal_found(p, marker, sig);
}

static void reap_if_ended(struct proc *p, struct proc_exit *out)
{
	struct err e = ERR_INIT;

	if (!p->ended && p->pid > 0)
		(void)!proc_poll(p, out, &e);
	if (subreaper)
		(void)proc_reap_orphans();
}

/* Sends nothing (sig 0) or sig, again and again, until nothing is found or the time is over. Returns what is left. */
static int signal_until(struct proc *p, const char *marker, int sig, int64_t ms, struct proc_exit *out, int *first)
{
	int64_t end = clock_mono_ms() + ms;
	int64_t pause = 1;
	int left;

	for (bool again = false;; again = true) {
		struct pollfd pfd = {.fd = p->ended ? -1 : p->pidfd, .events = POLLIN};

		left = signal_found(p, marker, sig);
		if (!again && first)
			*first = left;
		reap_if_ended(p, out);
		if (!left || clock_mono_ms() >= end)
			return left;
		(void)poll(&pfd, 1, (int)MIN(pause, end - clock_mono_ms()));
		pause = MIN(pause * 2, 50);
		reap_if_ended(p, out);
	}
}

int proc_kill_tree(struct proc *p, const char *marker, int64_t grace_ms, struct proc_exit *out, struct err *e)
{
	int killed = 0, left;

	if (left_nothing(p))
		return 0;
	if (grace_ms > 0) {
		(void)signal_found(p, marker, SIGTERM);
		/* What is stopped cannot obey before it goes on. */
		(void)signal_found(p, marker, SIGCONT);
		/* Sends nothing, looks only. */
		if (!signal_until(p, marker, 0, grace_ms, out, NULL) && p->ended)
			return 0;
	}
	left = signal_until(p, marker, SIGKILL, KILL_MS, out, &killed);
	if (left)
		return err_set(e, ERR_TIMEOUT, "%d processes of the task did not end by SIGKILL within %d s", left,
		               KILL_MS / 1000);
	if (p->shimmed && !p->ended && proc_wait_for(p, KILL_MS, out, e) < 0) /* it only has to write that down */
		return -1;
	if (!p->ended && p->pid > 0) {
		/* Only its main thread has ended, which looks like a zombie, or it ended this instant. */
		if (p->seat)
			(void)kill(p->pid, SIGKILL);
		else
			(void)syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
		if (proc_wait(p, out, e))
			return -1;
	}
	return killed;
}

int proc_kill_marked(const char *marker)
{
	int64_t end = clock_mono_ms() + KILL_MS;
	int first = signal_found(NULL, marker, SIGKILL);

	for (int left = first; left && clock_mono_ms() < end; left = signal_found(NULL, marker, SIGKILL))
		clock_sleep_ms(POLL_MS);
	return first;
}
