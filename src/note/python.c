/*
 * The engine for Python: the driver (driver/driver.py) in a python3 of the task's PATH. We hold the other ends of its
 * socket and of the pipes that are its standard output and errors, so what its own children print is caught too.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "note/driver.h"
#include "note/frames.h"
#include "note/python_warm.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define READ_CHUNK 65536
#define KILLED_MS 1000
#define GONE "j{\"gone\": true}" /* driver.py: leave */
#define DRIVER_FD "3" /* the first of proc_spec.fds */

struct python {
	struct arena *a;
	struct loop *loop;
	struct engine_start s;
	struct frames frames;
	int link, out[2];                    /* out: its standard output, its standard errors */
	struct loop_ev *watch, *out_watch[2], *child;
	struct proc proc;
	struct warm warm;                    /* conn -1: it is our child */
	struct loop_ev *warm_watch;
	bool heard, dead;                    /* it has said something */
	bool gone;                           /* all that it had to say */
	struct engine_end end;
};

static int begin(struct python *p, bool warm, struct err *e);

/* What it has printed until now, and no more: what goes on printing would hold us. */
static void drain(struct python *p, int which)
{
	char chunk[READ_CHUNK];
	int left = 0;

	if (p->out[which] < 0 || ioctl(p->out[which], FIONREAD, &left))
		return;
	while (left > 0) {
		ssize_t n = read(p->out[which], chunk, MIN(sizeof(chunk), (size_t)left));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		left -= (int)n;
		p->s.told->stream(p->s.ptr, which == 1, (struct str){chunk, (size_t)n});
	}
}

static void on_printed(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct python *p = ptr;
	int which = ev == p->out_watch[1];

	drain(p, which);
	if ((events & EPOLLHUP) && !(events & EPOLLIN)) { /* nobody has the other end any more */
		loop_close(ev);
		p->out_watch[which] = NULL;
	}
}

static void close_all(struct python *p)
{
	loop_close(p->watch);
	loop_close(p->child);
	loop_close(p->warm_watch);
	p->watch = p->child = p->warm_watch = NULL;
	for (int i = 0; i < 2; i++) {
		loop_close(p->out_watch[i]);
		p->out_watch[i] = NULL;
		fd_close(&p->out[i]);
	}
	fd_close(&p->link);
	fd_close(&p->warm.conn);
	fd_close(&p->warm.life);
	proc_free(&p->proc);
	p->proc = (struct proc)PROC_INIT;
}

static void end(struct python *p, const char *how)
{
	struct err e = ERR_INIT;

	if (p->dead)
		return;
	if (p->warm.conn >= 0 && !p->heard) { /* whatever went wrong there */
		close_all(p);
		p->end = (struct engine_end){0};
		if (!begin(p, false, &e))
			return;
		how = arena_dup(p->a, e.msg);
	}
	p->dead = true;
	drain(p, 0);
	drain(p, 1);
	loop_close(p->watch);
	loop_close(p->warm_watch);
	for (int i = 0; i < 2; i++)
		loop_close(p->out_watch[i]);
	p->watch = p->warm_watch = p->out_watch[0] = p->out_watch[1] = NULL;
	p->s.told->died(p->s.ptr, how);
}

static void on_ack(void *from, int64_t number)
{
	struct python *p = from;
	char answer[32];
	int n = snprintf(answer, sizeof(answer), "a%lld", (long long)number);

	(void)!send(p->link, answer, (size_t)n, MSG_NOSIGNAL);
}

/* A packet; false: none is there. */
static bool take_packet(struct python *p)
{
	char packet[FRAME_MAX];
	struct err e = ERR_INIT;
	ssize_t n = recv(p->link, packet, sizeof(packet), MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	if (!n) {
		loop_close(p->watch); /* it has closed its end, and ends */
		p->watch = NULL;
		return false;
	}
	p->heard = true;
	drain(p, 0);
	drain(p, 1);
	if (str_is((struct str){packet, (size_t)n}, GONE)) {
		p->gone = true;
		return true;
	}
	if (frames_take(&p->frames, (struct str){packet, (size_t)n}, &e)) {
		proc_signal(&p->proc, SIGKILL);
		end(p, arena_dup(p->a, e.msg));
		return false;
	}
	return !p->dead;
}

static void on_packet(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct python *p = ptr;

	(void)ev;
	(void)events;
	while (p->watch && !p->dead && take_packet(p))
		;
}

static void on_exit_of(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct python *p = ptr;
	char text[PROC_TEXT];

	(void)ev;
	p->child = NULL;
	while (p->watch && !p->dead && take_packet(p)) /* its last words */
		;
	proc_exit_text(x, text);
	end(p, arena_dup(p->a, text));
}

/* Whether the zygote has told of its end; *how (may be NULL): how that was. */
static bool warm_over(struct python *p, bool wait, char how[PROC_TEXT])
{
	struct warm_end told;
	bool placed = p->end.placed;

	if (!p->proc.ended && !warm_ended(p->a, &p->warm, wait, &told))
		return false;
	if (p->proc.ended)
		return true;
	p->proc.ended = true;
	p->end = told.took;
	p->end.placed = placed;
	if (how && told.lost) {
		snprintf(how, PROC_TEXT, "the interpreter that it was forked from ended");
	} else if (how) {
		bool killed = WIFSIGNALED(told.status);
		struct proc_exit x = {.status = killed ? -1 : WEXITSTATUS(told.status),
		                      .signal = killed ? WTERMSIG(told.status) : 0};

		proc_exit_text(&x, how);
	}
	return true;
}

static void on_warm(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct python *p = ptr;
	char how[PROC_TEXT];

	(void)events;
	if (!warm_over(p, false, how))
		return;
	loop_close(ev);
	p->warm_watch = NULL;
	while (p->watch && !p->dead && take_packet(p))
		;
	end(p, arena_dup(p->a, how));
}

static int spawn(struct python *p, int link, int out, int err, struct err *e)
{
	struct proc_spec spec = PROC_SPEC;
	const char *argv[] = {p->s.program, "-c", note_driver, "serve", DRIVER_FD, p->s.mode, p->s.notebook, NULL};

	spec.argv = argv;
	spec.env = p->s.env;
	spec.fds[0] = link;
	spec.n_fds = 1;
	spec.out = out;
	spec.err = err;
	spec.same_group = true;
	spec.die_with_parent = true;
	if (proc_spawn(&spec, &p->proc, e)) {
		if (e->code == ERR_NOT_FOUND)
			err_hint(e, "`apt install python3` brings one; `python:` in the job names another");
		return -1;
	}
	return loop_child(p->loop, &p->proc, on_exit_of, p, &p->child, e);
}

static bool fork_warm(struct python *p, int link, int out, int err)
{
	const char *argv[] = {p->s.notebook, NULL};
	struct warm_ask ask = {.zygote = p->s.zygote,
	                       .mode = p->s.mode,
	                       .argv = argv,
	                       .env = p->s.env,
	                       .group = p->s.group,
	                       .link = link,
	                       .out = out,
	                       .err = err};

	if (!warm_fork(p->a, &ask, &p->warm, &p->proc))
		return false;
	p->end = (struct engine_end){.apart = true, .placed = p->s.group && *p->s.group, .left = true};
	return true;
}

static void free_python(struct python *p)
{
	close_all(p);
	frames_free(&p->frames);
}

static int start_process(struct python *p, bool warm, struct err *e)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, pair[2] = {-1, -1}, rc = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err_errno(e, errno, "no socket for a notebook's process");
		goto done;
	}
	if (fd_pipe(out, e) || fd_pipe(err, e))
		goto done;
	p->link = fd_steal(&pair[0]);
	p->out[0] = fd_steal(&out[0]);
	p->out[1] = fd_steal(&err[0]);
	if (fd_nonblock(p->out[0], true, e) || fd_nonblock(p->out[1], true, e))
		goto done;
	if (warm && fork_warm(p, pair[1], out[1], err[1]))
		rc = loop_fd(p->loop, p->warm.conn, EPOLLIN, on_warm, p, &p->warm_watch, e);
	else
		rc = spawn(p, pair[1], out[1], err[1], e);
done:
	for (int i = 0; i < 2; i++) {
		fd_close(&pair[i]);
		fd_close(&out[i]);
		fd_close(&err[i]);
	}
	return rc;
}

static int begin(struct python *p, bool warm, struct err *e)
{
	p->heard = false;
	return start_process(p, warm, e) || loop_fd(p->loop, p->link, EPOLLIN, on_packet, p, &p->watch, e) ||
	                       loop_fd(p->loop, p->out[0], EPOLLIN, on_printed, p, &p->out_watch[0], e) ||
	                       loop_fd(p->loop, p->out[1], EPOLLIN, on_printed, p, &p->out_watch[1], e)
	               ? -1
	               : 0;
}

static int start(struct arena *a, struct loop *l, const struct engine_start *s, struct engine **out, struct err *e)
{
	struct python *p = arena_new_of(a, struct python);

	*p = (struct python){.a = a, .loop = l, .s = *s, .link = -1, .out = {-1, -1}, .proc = PROC_INIT,
	                     .warm = WARM_INIT};
	frames_init(&p->frames, s->told, s->ptr, on_ack, p);
	if (begin(p, s->zygote && *s->zygote, e)) {
		proc_signal(&p->proc, SIGKILL);
		free_python(p);
		return -1;
	}
	*out = (struct engine *)p;
	return 0;
}

static int send_message(struct python *p, const struct dom *m, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(FRAME_MESSAGE_MAX);
	struct str rest;

	dom_write_json(&b, m, DOM_COMPACT);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "a cell is larger than %zu MB", FRAME_MESSAGE_MAX >> 20);
	rest = buf_str(&b);
	while (rest.n) {
		char packet[FRAME_MAX];
		size_t n = MIN(rest.n, (size_t)FRAME_PIECE);

		packet[0] = n == rest.n ? 'j' : 'J';
		memcpy(packet + 1, rest.p, n);
		if (send(p->link, packet, n + 1, MSG_NOSIGNAL) < 0) {
			if (errno == EINTR)
				continue;
			return err_errno(e, errno, "its process does not listen");
		}
		rest = str_sub(rest, n, rest.n);
	}
	return 0;
}

static int set(struct engine *g, const struct dom *vars, struct err *e)
{
	struct python *p = (struct python *)g;
	struct dom *m = dom_new(p->a, DOM_MAP);

	dom_set(p->a, m, "vars", dom_copy(p->a, vars));
	return send_message(p, m, e);
}

static int send_code(struct engine *g, const char *how, struct str source, const char *name, struct err *e)
{
	struct python *p = (struct python *)g;
	struct dom *m = dom_new(p->a, DOM_MAP);

	dom_set_str(p->a, m, how, source);
	dom_set_cstr(p->a, m, "name", name);
	return send_message(p, m, e);
}

static int run(struct engine *g, struct str source, const char *name, struct err *e)
{
	return send_code(g, "run", source, name, e);
}

static int startup(struct engine *g, struct str source, const char *name, struct err *e)
{
	return send_code(g, "startup", source, name, e);
}

static void interrupt(struct engine *g)
{
	struct python *p = (struct python *)g;

	if (!p->dead && p->proc.pid)
		proc_signal(&p->proc, SIGINT);
}

/* Until it has said all, or has ended: what it prints and tells meanwhile is taken, so that nothing holds it up. */
static bool hear_out(struct python *p, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (!p->gone && !p->proc.ended && clock_mono_ms() < until) {
		struct pollfd f[] = {{.fd = p->watch ? p->link : -1, .events = POLLIN},
		                     {.fd = p->warm.conn, .events = POLLIN},
		                     {.fd = p->out[0], .events = POLLIN},
		                     {.fd = p->out[1], .events = POLLIN}};

		if (poll(f, ARRAY_LEN(f), (int)(until - clock_mono_ms())) < 0 && errno != EINTR)
			return false;
		for (int i = 0; i < 2; i++) {
			drain(p, i);
			if (f[2 + i].revents & POLLHUP)
				fd_close(&p->out[i]);
		}
		if (f[0].revents)
			while (p->watch && !p->dead && take_packet(p))
				;
		if (f[1].revents)
			(void)warm_over(p, false, NULL);
	}
	return p->gone || p->proc.ended;
}

/* The zygote reaps it, and tells us (over). */
static void stop_warm(struct python *p, int64_t ms)
{
	if (p->proc.ended)
		return;
	if (ms > 0 && !p->dead) {
		(void)!send(p->link, "j{\"leave\":1}", 12, MSG_NOSIGNAL);
		if (hear_out(p, ms))
			return;
	}
	proc_signal(&p->proc, SIGKILL);
}

static void stop_cold(struct python *p, int64_t ms)
{
	struct proc_exit x;
	struct err e = ERR_INIT;
	int ended = 0;

	loop_close(p->child);
	p->child = NULL;
	if (p->proc.ended || !p->proc.pid)
		return;
	if (ms > 0 && !p->dead)
		(void)!send(p->link, "j{\"leave\":1}", 12, MSG_NOSIGNAL);
	ended = ms > 0 ? proc_wait_for(&p->proc, ms, &x, &e) : 0;
	if (ended > 0)
		return;
	err_clear(&e);
	proc_signal(&p->proc, SIGKILL);
	if (proc_wait(&p->proc, &x, &e))
		err_clear(&e);
}

static void stop(struct engine *g, int64_t ms)
{
	struct python *p = (struct python *)g;

	for (int i = 0; i < 2; i++) {
		loop_close(p->out_watch[i]);
		p->out_watch[i] = NULL;
	}
	if (p->warm.conn >= 0)
		stop_warm(p, ms);
	else
		stop_cold(p, ms);
	drain(p, 0);
	drain(p, 1);
	p->dead = true;
}

/* One that was not waited for ends soon: it has nothing left to do but that, or was killed. */
static void free_ended(struct engine *g, struct engine_end *out)
{
	struct python *p = (struct python *)g;

	if (p->warm.conn >= 0 && !p->proc.ended) {
		struct pollfd f = {.fd = p->warm.conn, .events = POLLIN};

		if (poll(&f, 1, KILLED_MS) <= 0)
			proc_signal(&p->proc, SIGKILL);
		while (!warm_over(p, true, NULL))
			;
	}
	*out = p->end;
	free_python(p);
}

const struct engine_kind engine_python = {.name = "python",
                                          .start = start,
                                          .set = set,
                                          .run = run,
                                          .startup = startup,
                                          .interrupt = interrupt,
                                          .stop = stop,
                                          .free = free_ended};
