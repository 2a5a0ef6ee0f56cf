#include "job/common.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "note/python_warm.h"
#include "sys/fd.h"
#include "sys/file.h"

#define TOLD_MAX 1024

enum { ZYGOTE = 3, GROUP, TOLD, PROGRAM };

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

static int listen_to_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	return sigprocmask(SIG_BLOCK, &set, before) ? -1 : signalfd(-1, &set, SFD_CLOEXEC);
}

static void tell(struct arena *a, const char *path, const struct engine_end *end)
{
	struct dom *d = dom_new(a, DOM_MAP);
	struct buf b cleanup(buf_free) = BUF_INIT(TOLD_MAX);
	struct err ignored = ERR_INIT;

	if (!*path)
		return;
	dom_set_int(a, d, "cpu_ms", end->cpu_ms);
	dom_set_int(a, d, "peak_kb", end->peak_kb);
	dom_set_bool(a, d, "placed", end->placed);
	dom_set_bool(a, d, "left", end->left);
	dom_write_json(&b, d, DOM_COMPACT);
	if (file_replace(path, buf_str(&b), 0644, 0, &ignored))
		err_clear(&ignored); /* then nobody knows */
}

/* As what was forked has ended: by the same signal, where it was one. */
static int end_like(int status, const sigset_t *before)
{
	struct rlimit none = {0, 0};
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (!sig)
		return WEXITSTATUS(status);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(sig, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, before, NULL);
	(void)raise(sig);
	return 128 + sig;
}

static void pass_on(int signals, const struct proc *p)
{
	struct signalfd_siginfo got;

	if (read(signals, &got, sizeof(got)) == sizeof(got))
		proc_signal(p, (int)got.ssi_signo);
}

static int stand_in(struct arena *a, char **argv, const struct warm *w, const struct proc *p, int signals,
                    const sigset_t *before)
{
	struct pollfd f[] = {{.fd = w->conn, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	struct warm_end end;

	for (;;) {
		if (poll(f, ARRAY_LEN(f), -1) < 0 && errno != EINTR)
			return 1;
		if (f[1].revents)
			pass_on(signals, p);
		if (f[0].revents && warm_ended(a, w, false, &end))
			break;
	}
	if (end.lost) {
		(void)fprintf(stderr, "leat: the interpreter that this one was forked from ended\n");
		return 1;
	}
	end.took.placed = *argv[GROUP];
	tell(a, argv[TOLD], &end.took);
	return end_like(end.status, before);
}

int forked_main(int argc, char **argv)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct proc p = PROC_INIT;
	struct warm w = WARM_INIT;
	int link[2], signals FD_CLEANUP = -1;
	sigset_t before;
	bool forked;

	if (argc <= PROGRAM)
		return 2;
	signals = listen_to_signals(&before);
	if (signals >= 0 && !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link)) {
		struct warm_ask ask = {.zygote = argv[ZYGOTE],
		                       .mode = "",
		                       .argv = (const char *const *)argv + PROGRAM + 1,
		                       .env = (const char *const *)environ,
		                       .group = *argv[GROUP] ? argv[GROUP] : NULL,
		                       .link = link[1],
		                       .out = STDOUT_FILENO,
		                       .err = STDERR_FILENO};

		forked = warm_fork(a, &ask, &w, &p);
		fd_close(&link[1]);
		if (forked && send(link[0], "g", 1, MSG_NOSIGNAL) == 1)
			return stand_in(a, argv, &w, &p, signals, &before);
		if (forked)
			proc_signal(&p, SIGKILL);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	execvp(argv[PROGRAM], argv + PROGRAM);
	(void)fprintf(stderr, "leat: %s cannot be started: %s\n", argv[PROGRAM], strerror(errno));
	return 127;
}

/* --- for the kind --- */

static int64_t number(const struct dom *d, const char *key)
{
	const struct dom *v = dom_get(d, key);

	return v && v->type == DOM_INT ? MAX(v->i, 0) : 0;
}

static bool is_true(const struct dom *d, const char *key, bool or)
{
	const struct dom *v = dom_get(d, key);

	return v && v->type == DOM_BOOL ? v->b : or;
}

/*
 * The zygote is the subreaper of what it forks: where it has no child that it does not know, nothing of the task runs
 * on. The task's group of processes, if it has one, has counted its time, and of its memory what it did not share.
 */
void forked_ended(const struct attempt *t, const struct proc_exit *x, const struct dom *told, struct attempt_result *r)
{
	if (x->signal || x->why || x->lost || is_true(told, "left", true))
		(void)proc_kill_marked(t->marker);
	if (!is_true(told, "placed", false))
		r->cpu_ms += number(told, "cpu_ms");
	r->peak_kb = MAX(r->peak_kb, number(told, "peak_kb"));
}
