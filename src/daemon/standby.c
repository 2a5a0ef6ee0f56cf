/*
 * A runner that is started a moment before a slot is due, and has loaded by then what it needs of the store and of the
 * jobs: it waits at a socket for the name of its batch. It holds nothing and has written nothing: it may be ended at
 * any time, and ends by itself when we do.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "sys/clock.h"
#include "sys/fd.h"

struct standby {
	struct daemon *d;
	struct proc p;
	int64_t pid_start;
	int fd; /* our end */
	struct loop_ev *ev;
};

static void forget(struct standby *s)
{
	s->d->standby = NULL;
	loop_close(s->ev);
	fd_close(&s->fd);
	proc_free(&s->p);
	free(s);
}

static void on_end(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct standby *s = ptr;

	(void)ev;
	(void)x;
	s->ev = NULL;
	forget(s);
}

/* Without one, a runner is started when there is something for it. */
static void start(struct daemon *d)
{
	const char *argv[] = {proc_self_exe(), "--role", RUNNER_ROLE, d->ws->dir, RUNNER_STANDS_BY, NULL};
	struct proc_spec spec = PROC_SPEC;
	struct err ignored = ERR_INIT;
	struct standby *s;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return;
	s = xcalloc(1, sizeof(*s));
	*s = (struct standby){.d = d, .p = PROC_INIT, .fd = pair[0]};
	spec.argv = argv;
	spec.cwd = "/";
	spec.in = pair[1];
	spec.out = -1;
	spec.same_group = true; /* so that it can leave it by setsid */
	if (proc_spawn(&spec, &s->p, &ignored) || loop_child(d->loop, &s->p, on_end, s, &s->ev, &ignored)) {
		err_clear(&ignored);
		forget(s);
	} else {
		s->pid_start = (int64_t)clock_proc_start(s->p.pid);
		d->standby = s;
	}
	fd_close(&pair[1]);
}

static void on_soon(struct loop_ev *ev, void *ptr)
{
	struct daemon *d = ptr;

	(void)ev;
	d->soon = NULL;
	if (!d->standby && !d->stopping)
		start(d);
}

void standby_ahead(struct daemon *d, int64_t now, int64_t due)
{
	loop_close(d->soon);
	d->soon = NULL;
	if (d->stopping)
		return;
	if (due == CLOCK_NEVER || due - now > DAEMON_STANDBY_MS)
		standby_drop(d);
	else if (!d->standby)
		start(d);
	if (due != CLOCK_NEVER && due - now > DAEMON_STANDBY_MS && !clock_is_virtual())
		d->soon = loop_timer(d->loop, due - now - DAEMON_STANDBY_MS, on_soon, d);
}

bool standby_take(struct daemon *d, const struct runner_told *told, struct proc *p)
{
	struct standby *s = d->standby;

	if (!s || send(s->fd, told, sizeof(*told), MSG_NOSIGNAL) != (ssize_t)sizeof(*told))
		return false;
	*p = s->p;
	s->p = (struct proc)PROC_INIT;
	forget(s);
	return true;
}

int64_t standby_pid(const struct daemon *d, int64_t *start)
{
	if (!d->standby)
		return 0;
	*start = d->standby->pid_start;
	return d->standby->p.pid;
}

void standby_drop(struct daemon *d)
{
	struct proc_exit x;
	struct err ignored = ERR_INIT;

	if (!d->standby)
		return;
	loop_close(d->standby->ev);
	d->standby->ev = NULL;
	proc_signal(&d->standby->p, SIGKILL);
	if (proc_wait(&d->standby->p, &x, &ignored))
		err_clear(&ignored);
	forget(d->standby);
}

void standby_end(struct daemon *d)
{
	loop_close(d->soon);
	d->soon = NULL;
	standby_drop(d);
}
