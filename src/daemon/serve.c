/* The daemon's frame: its lock, its loop, its log. */
#include "daemon/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/file.h"

#define LINE_MAX_BYTES ((size_t)64 << 10)
#define TEXT_MAX       512 /* of a value that is not quoted */

static void add_quoted(struct buf *b, struct arena *a, const char *s)
{
	dom_write_json(b, dom_new_str(a, str_of(s)), DOM_COMPACT);
}

static bool is_plain(const char *s)
{
	size_t n = strlen(s);

	return n && n < TEXT_MAX && !strpbrk(s, " \t\r\n\"'=\\");
}

void daemon_log_line(struct daemon *d, const char *level, const char *msg, ...)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	char when[32];
	int64_t now = clock_now_ms();
	time_t sec = (time_t)(now / 1000);
	struct tm tm;
	va_list ap;
	const char *key;

	gmtime_r(&sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_addf(&b, d->json ? "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"msg\":" : "time=%s.%03dZ level=%s msg=", when,
	         (int)(now % 1000), level);
	add_quoted(&b, a, msg);
	va_start(ap, msg);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		buf_addf(&b, d->json ? ",\"%s\":" : " %s=", key);
		if (!d->json && is_plain(value))
			buf_adds(&b, value);
		else
			add_quoted(&b, a, value);
	}
	va_end(ap);
	buf_adds(&b, d->json ? "}\n" : "\n");
	if (fd_write_all(STDERR_FILENO, b.p, b.n, "log", &(struct err)ERR_INIT))
		d->json |= false; /* a log that cannot be written hinders nothing */
	buf_free(&b);
}

static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	struct daemon *d = ptr;

	(void)ev;
	if (signo == SIGHUP) {
		events_reload(d);
		return;
	}
	daemon_log(d, "info", "stopping; what runs goes on", "signal", signo == SIGINT ? "INT" : "TERM");
	d->stopping = true;
	loop_stop(d->loop);
}

/* Who and where it is, for those who look for it; goes with the daemon. */
static int write_place(struct daemon *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct dom *m = dom_new(a, DOM_MAP);
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	int rc;

	dom_set_int(a, m, "pid", getpid());
	dom_set_cstr(a, m, "boot", clock_boot_id());
	dom_set_int(a, m, "start", (int64_t)clock_proc_start(getpid()));
	dom_set_int(a, m, "since", d->since);
	dom_set_cstr(a, m, "version", LEAT_VERSION);
	if (d->port > 0)
		dom_set_int(a, m, "port", d->port);
	if (d->behind)
		dom_set_cstr(a, m, "behind", d->behind);
	dom_write_json(&b, m, DOM_COMPACT);
	buf_adds(&b, "\n");
	rc = file_replace(arena_printf(a, "%s/serve.json", d->store->leat_dir), buf_str(&b), 0, 0, e);
	buf_free(&b);
	return rc;
}

static bool has_job(void *ptr, struct str name, struct err *e)
{
	struct daemon *d = ptr;
	struct job *j;

	return !jobs_find(d->flow->jobs, name, &j, e);
}

/* Without libmicrohttpd, or where the socket's name is too long, the rest of the daemon is of use all the same. */
static int begin_web(struct daemon *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct web_conf conf = {.store = d->store,
	                        .kinds = d->kinds,
	                        .port = MAX(d->port, 0),
	                        .behind = d->behind,
	                        .has_job = has_job,
	                        .ptr = d};
	struct err why = ERR_INIT;

	conf.socket = arena_printf(a, "%s/serve.sock", d->store->leat_dir);
	if (strlen(conf.socket) > WEB_SOCKET_MAX) {
		daemon_log(d, "warning", "no unix socket: its path would be too long", "path", conf.socket);
		conf.socket = NULL;
	}
	if (web_new(d->loop, &conf, &d->web, &why)) {
		if (d->port >= 0 || why.code != ERR_NO_LIBRARY) {
			*e = why;
			return -1;
		}
		daemon_log(d, "warning", "no HTTP", "reason", err_text(a, &why));
		return 0;
	}
	d->port = web_port(d->web);
	return 0;
}

static int begin(struct daemon *d, struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct arena *a cleanup(arena_cleanup) = arena_new();

	if (workspace_open(d->dir, &d->ws, e) || store_open(d->ws, &d->store, e) ||
	    lock_try(&d->lock, arena_printf(a, "%s/serve.lock", d->store->leat_dir), "leat serve", 0, e))
		return -1;
	d->since = clock_now_ms();
	if (events_load(d, &d->flow, e) || loop_new(&d->loop, e) ||
	    loop_signal(d->loop, signals, ARRAY_LEN(signals), on_signal, d, NULL, e) || events_begin(d, e) ||
	    dispatch_begin(d, e) || begin_web(d, e))
		return -1;
	return write_place(d, e);
}

static void end(struct daemon *d)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();

	if (d->lock.fd >= 0 && d->store)
		(void)unlink(arena_printf(a, "%s/serve.json", d->store->leat_dir));
	web_free(d->web);
	sweep_end(d);
	standby_end(d);
	lineage_end(d);
	dispatch_end(d);
	events_end(d);
	loop_free(d->loop);
	flow_close(d->flow);
	store_close(d->store);
	workspace_close(d->ws);
	lock_drop(&d->lock);
}

/* Whoever started us waits for this line: "ready\n", or the reason why not. */
static void tell(int fd, const char *text)
{
	struct err e = ERR_INIT;

	if (fd >= 0 && (fd_write_all(fd, text, strlen(text), "ready", &e) || fd_write_all(fd, "\n", 1, "ready", &e)))
		err_clear(&e); /* nobody waits any more */
	if (fd >= 0)
		close(fd);
}

int daemon_main(int argc, char **argv, const struct job_kind *const *kinds)
{
	struct daemon d = {.kinds = kinds, .lock = LOCK_INIT, .written = -1, .wd_clock = -1};
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	int64_t port = -1, ready = -1;
	int rc;

	if (argc < 7 || !str_to_i64(str_of(argv[4]), &port) || !str_to_i64(str_of(argv[5]), &ready)) {
		fprintf(stderr, "usage: leat --role " DAEMON_ROLE " DIR PORT READY_FD LOG [HOST]\n");
		return 2;
	}
	if (ready >= 0)
		(void)setsid(); /* in the background: no terminal's hangup is meant for it */
	d.dir = argv[3];
	d.port = (int)port;
	d.json = !strcmp(argv[6], "json");
	d.behind = argc > 7 && *argv[7] ? argv[7] : NULL;
	rc = begin(&d, &e);
	if (rc) {
		tell((int)ready, err_text(a, &e));
		if (ready < 0)
			fprintf(stderr, "leat: %s\n", err_text(a, &e));
		end(&d);
		return e.code == ERR_BUSY ? 2 : 1;
	}
	sweep_begin(&d);
	lineage_watch(&d);
	daemon_log(&d, "info", "serving", "workspace", d.ws->dir, "version", LEAT_VERSION, "http",
	           d.web ? arena_printf(a, "http://127.0.0.1:%d", d.port) : "no");
	tell((int)ready, "ready");
	events_tick(&d);
	events_look(&d);
	rc = loop_run(d.loop, &e);
	if (rc)
		daemon_log(&d, "error", err_text(a, &e));
	end(&d);
	return rc || d.gone ? 1 : 0;
}
