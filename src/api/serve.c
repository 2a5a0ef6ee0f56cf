/* `leat serve`: starts the daemon, says where it is, ends it. */
#include "api/serve.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

#define READY_MS  30000
#define END_MS    10000
#define LOOK_MS   10
#define PLACE_MAX 4096
#define OPENAPI_MAX ((size_t)16 << 20)
#define LOG       "logs/serve.log"

static const char *lock_path(struct store *s, struct arena *a)
{
	return arena_printf(a, "%s/serve.lock", s->leat_dir);
}

int serve_place(struct store *s, struct arena *a, const struct dom **out, struct err *e)
{
	const char *path = arena_printf(a, "%s/serve.json", s->leat_dir);
	char who[LOCK_TEXT];
	struct dom *doc;
	struct str text;

	if (!lock_is_held(lock_path(s, a), who) || !file_exists(path))
		return 0;
	if (file_read(a, path, PLACE_MAX, &text, e) || dom_json(a, text, path, &doc, e))
		return -1;
	*out = doc;
	return 1;
}

static int say_place(struct api *api, struct sink *out, struct err *e)
{
	const struct dom *place;
	struct dom *row = dom_new(api->arena, DOM_MAP);
	int r = serve_place(api->store, api->arena, &place, e);

	if (r < 0)
		return -1;
	dom_set_cstr(api->arena, row, "state", r ? "serving" : "stopped");
	if (!r) {
		api->exit_status = 1;
		return sink_row(out, row, e);
	}
	dom_set_int(api->arena, row, "pid", dom_int(place, "pid"));
	if (dom_int(place, "port"))
		dom_set_str(api->arena, row, "url",
		            arena_strf(api->arena, "http://127.0.0.1:%lld", (long long)dom_int(place, "port")));
	if (dom_int(place, "port"))
		dom_set_cstr(api->arena, row, "token",
		             arena_printf(api->arena, "%s/serve.token", api->store->leat_dir));
	dom_set_cstr(api->arena, row, "log", arena_printf(api->arena, "%s/" LOG, api->store->leat_dir));
	return sink_row(out, row, e);
}

static int stop(struct api *api, struct sink *out, struct err *e)
{
	const struct dom *place;
	int r = serve_place(api->store, api->arena, &place, e);
	int64_t until = clock_mono_ms() + END_MS;
	pid_t pid;

	if (r < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, "no daemon serves this workspace");
	pid = (pid_t)dom_int(place, "pid");
	if (pid <= 0 || clock_proc_start(pid) != (uint64_t)dom_int(place, "start"))
		return err_set(e, ERR_NOT_FOUND, "the daemon (pid %d) is not there any more", (int)pid);
	if (kill(pid, SIGTERM))
		return err_errno(e, errno, "the daemon (pid %d) cannot be ended", (int)pid);
	while (clock_proc_start(pid) == (uint64_t)dom_int(place, "start")) {
		if (clock_mono_ms() > until)
			return err_set(e, ERR_TIMEOUT, "the daemon (pid %d) does not end", (int)pid);
		clock_sleep_ms(LOOK_MS);
	}
	sink_note(out, "stopped; runs that were under way go on");
	return 0;
}

/* The daemon's first line: that it is ready, or why not. */
static int wait_ready(struct api *api, int fd, struct err *e)
{
	struct str text;

	if (file_read_fd(api->arena, fd, "the daemon", PLACE_MAX, &text, e))
		return -1;
	text = str_trim(text);
	if (str_is(text, "ready"))
		return 0;
	return err_set(e, text.n ? ERR_REFUSED : ERR_FAILED, "the daemon did not start: %.*s",
	               STR_ARG(text.n ? text : STR("it ended at once, its log says why")));
}

static int background(struct api *api, const char *port, const char *format, const char *host, struct err *e)
{
	const char *argv[] = {proc_self_exe(), "--role", DAEMON_ROLE, api->ws->dir, port, "3", format, host, NULL};
	struct proc_spec spec = PROC_SPEC;
	struct proc p = PROC_INIT;
	int log FD_CLEANUP = -1, ends[2], rc;

	const char *log_path = arena_printf(api->arena, "%s/" LOG, api->store->leat_dir);

	if (dir_make_parent(log_path, 0777, e) || file_open_write(log_path, O_APPEND, 0600, &log, e))
		return -1;
	if (pipe2(ends, O_CLOEXEC))
		return err_errno(e, errno, "no pipe");
	spec.argv = argv;
	spec.cwd = "/";
	spec.out = -1;
	spec.err = log;
	spec.fds[0] = ends[1];
	spec.n_fds = 1;
	spec.same_group = true; /* so that it can leave it by setsid */
	rc = proc_spawn(&spec, &p, e);
	close(ends[1]);
	if (!rc)
		rc = wait_ready(api, ends[0], e);
	close(ends[0]);
	proc_free(&p);
	return rc;
}

/* In the place of this process: nothing is opened twice. */
static int foreground(struct api *api, const char *port, const char *format, const char *host, struct err *e)
{
	const char *words[] = {"leat", "--role", DAEMON_ROLE, api->ws->dir, port, "-1", format, host};
	char *argv[ARRAY_LEN(words) + 1] = {NULL};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv[i] = arena_printf(api->arena, "%s", words[i]);
	store_close(api->store);
	api->store = NULL;
	execv(proc_self_exe(), argv);
	return err_errno(e, errno, "%s", proc_self_exe());
}

/* What the API is made of lies above us: another process of this program tells it. */
static int openapi(struct api *api, struct sink *out, struct err *e)
{
	const char *argv[] = {proc_self_exe(), "--role", WEB_OPENAPI_ROLE, NULL};
	struct proc_spec spec = PROC_SPEC;
	struct proc_exit x;
	struct str text;

	spec.argv = argv;
	if (proc_output(api->arena, &spec, OPENAPI_MAX, READY_MS, &text, &x, e))
		return -1;
	return out->bytes(out->ptr, text, e);
}

/* The name that a proxy answers to. It finds us by a port that is always the same. */
static int behind(struct api *api, struct str name, int64_t port, const char **out, struct err *e)
{
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) && !strchr(".-:", name.p[i])) {
			err_set(e, ERR_BAD_REQUEST, "--behind %s: not the name of a host", STR_SHOWN(name));
			return err_hint(e, "as it stands in the browser, without https:// : leat.example.org");
		}
	if (!name.n || port <= 0) {
		err_set(e, ERR_BAD_REQUEST,
		        name.n ? "--behind wants --port: the proxy has to know it" : "--behind wants a name");
		return err_hint(e, "leat serve --behind leat.example.org --port 8787");
	}
	*out = arena_cstr(api->arena, name);
	return 0;
}

int api_serve(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	char who[LOCK_TEXT];
	struct str format = args_value(args, "log");
	const char *how = format.p ? arena_cstr(api->arena, format) : "text", *port, *host = "";
	int64_t n;

	if (args_int(args, "port", 0, 65535, -1, &n, e))
		return -1;
	port = arena_printf(api->arena, "%lld", (long long)n);
	if (format.p && !str_is(format, "text") && !str_is(format, "json"))
		return err_set(e, ERR_BAD_REQUEST, "--log %.*s: it is text or json", STR_ARG(format));
	if (args_value(args, "behind").p && behind(api, args_value(args, "behind"), n, &host, e))
		return -1;
	if (args_flag(args, "openapi"))
		return openapi(api, out, e);
	if (args_flag(args, "stop"))
		return stop(api, out, e);
	if (args_flag(args, "status"))
		return say_place(api, out, e);
	if (lock_is_held(lock_path(api->store, api->arena), who)) {
		err_set(e, ERR_REFUSED, "a daemon serves this workspace: %s", who);
		return err_hint(e, "leat serve --stop ends it");
	}
	if (args_flag(args, "foreground"))
		return foreground(api, port, how, host, e);
	return background(api, port, how, host, e) ? -1 : say_place(api, out, e);
}
