/* `leat mount`: starts the server of a mount, says what it says, and ends it. */
#include <signal.h>
#include <unistd.h>

#include "api/rows.h"
#include "base/str.h"
#include "repo/mount.h"
#include "repo/overlay.h"
#include "sys/fd.h"
#include "sys/loop.h"

#define LINE_CAP 4096
#define END_MS 10000 /* a server that was told to end */

struct mounting {
	struct sink *out;
	struct loop *loop;
	const char *dir;
	struct str shown; /* what is said when it is mounted */
	struct err *e;
	struct proc proc;
	int from, to; /* its standard output and input */
	char line[LINE_CAP];
	size_t n;
	bool stay, ready, ended, failed, stopping;
	struct proc_exit exit;
};

static void on_line(struct mounting *m, struct str line)
{
	struct str word, text;

	if (!str_cut(line, ' ', &word, &text))
		return;
	if (str_is(word, "ready")) {
		m->ready = true;
		sink_note(m->out, "%.*s", STR_ARG(m->shown));
		if (m->stay)
			loop_stop(m->loop);
	} else if (str_is(word, "note")) {
		sink_note(m->out, "%.*s", STR_ARG(text));
	} else if (str_is(word, "error")) {
		m->failed = true;
		err_set(m->e, ERR_REFUSED, "%.*s", STR_ARG(text));
	} else if (str_is(word, "hint") && text.n) {
		err_hint(m->e, "%.*s", STR_ARG(text));
	}
}

/* False at its end. */
static bool read_lines(struct mounting *m)
{
	ssize_t n = read(m->from, m->line + m->n, sizeof(m->line) - m->n);
	char *end;

	if (n <= 0)
		return false;
	m->n += (size_t)n;
	while ((end = memchr(m->line, '\n', m->n))) {
		size_t len = (size_t)(end - m->line);

		on_line(m, (struct str){m->line, len});
		m->n -= len + 1;
		memmove(m->line, end + 1, m->n);
	}
	if (m->n == sizeof(m->line))
		m->n = 0;
	return true;
}

static void on_output(struct loop_ev *ev, uint32_t events, void *ptr)
{
	(void)events;
	if (!read_lines(ptr))
		loop_close(ev);
}

static void on_end(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct mounting *m = ptr;

	m->exit = *x;
	m->ended = true;
	while (read_lines(m))
		;
	loop_stop(loop_of(ev));
}

static void too_long(struct loop_ev *ev, void *ptr)
{
	struct mounting *m = ptr;

	proc_signal(&m->proc, SIGKILL);
}

static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	struct mounting *m = ptr;

	(void)signo;
	if (m->stopping)
		return;
	m->stopping = true;
	proc_signal(&m->proc, SIGTERM);
	loop_timer(loop_of(ev), END_MS, too_long, m);
}

static int watch(struct mounting *m, struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	if (loop_child(m->loop, &m->proc, on_end, m, NULL, e) ||
	    loop_fd(m->loop, m->from, EPOLLIN, on_output, m, NULL, e) ||
	    loop_signal(m->loop, signals, ARRAY_LEN(signals), on_signal, m, NULL, e))
		return -1;
	return loop_run(m->loop, e);
}

static int start(struct mounting *m, const struct api *api, bool others, struct err *e)
{
	const char *argv[12] = {proc_self_exe(), "--role", MOUNT_ROLE, api->ws->dir, m->dir};
	struct proc_spec spec = PROC_SPEC;
	int in[2] = {-1, -1}, out[2] = {-1, -1}, n = 5, rc;

	if (others)
		argv[n++] = "allow-other";
	if (m->stay)
		argv[n++] = "stay";
	if (api->store->on)
		argv[n++] = arena_printf(api->arena, "on=%.*s", STR_ARG(api->store->on->name));
	if (fd_pipe(in, e))
		return -1;
	rc = fd_pipe(out, e);
	if (!rc) {
		spec.argv = argv;
		spec.in = in[0];
		spec.out = out[1];
		spec.cwd = "/";
		rc = proc_spawn(&spec, &m->proc, e);
	}
	fd_close(&in[0]);
	fd_close(&out[1]);
	m->to = in[1];
	m->from = out[0];
	return rc;
}

int api_mount(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct mounting m = {.out = out, .from = -1, .to = -1, .proc = PROC_INIT, .e = e,
	                     .stay = args_flag(args, "background")};
	struct err mine = ERR_INIT;
	char *dir;
	bool made;
	int rc;

	if (mount_possible(e) ||
	    mount_prepare(api->store, api->arena, arena_cstr(api->arena, args_pos(args, 0)), &dir, &made, e))
		return -1;
	m.dir = dir;
	m.shown = arena_strf(api->arena, "every repo is in %s; %s", dir,
	                     m.stay ? arena_printf(api->arena, "'fusermount3 -u %s' ends it", dir) : "Ctrl-C ends it");
	m.e = &mine;
	if (loop_new(&m.loop, e))
		return -1;
	rc = start(&m, api, args_flag(args, "allow-other"), e);
	if (!rc)
		rc = watch(&m, e);
	if (!rc && m.failed) {
		*e = mine;
		rc = -1;
	} else if (!rc && m.ended && !proc_exit_ok(&m.exit)) {
		char text[PROC_TEXT];

		proc_exit_text(&m.exit, text);
		mount_clear(dir);
		rc = err_set(e, ERR_FAILED, "the server of the mount ended: %s", text);
	}
	loop_free(m.loop);
	fd_close(&m.to);
	fd_close(&m.from);
	proc_free(&m.proc);
	if (made && (m.ended || rc))
		(void)!rmdir(dir);
	return rc;
}
