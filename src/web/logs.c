/* A log by byte offset: a piece of the file as it lies there, or what comes as it comes. */
#include <stdio.h>
#include <stdlib.h>

#include "api/logs.h"
#include "base/str.h"
#include "sys/file.h"
#include "web/web_in.h"

#define LOOK_MS 100
#define CHUNK 65536

struct follow {
	struct call *call;
	struct log_spot spot;
	const char *path;
	off_t at;
	struct loop_ev *timer;
};

static void on_look(struct loop_ev *ev, void *ptr);

static void follow_end(struct follow *f)
{
	loop_close(f->timer);
	f->timer = NULL;
	f->call->end = NULL;
	f->call->web->streams--;
}

static void on_gone(struct call *c, bool whole)
{
	follow_end(c->own);
}

/* What is there now, as far as the reader takes it. False: it cannot be read. */
static bool send_new(struct follow *f, bool *all)
{
	char buf[CHUNK];
	struct err ignored = ERR_INIT;
	int fd FD_CLEANUP = -1;
	size_t n = 0;

	*all = false;
	if (!file_exists(f->path)) {
		*all = true;
		return true;
	}
	if (file_open_read(f->path, &fd, &ignored))
		return false;
	while (http_waiting(f->call->r) < HTTP_STREAM_HIGH) {
		if (fd_pread_full(fd, buf, sizeof(buf), f->at, &n, f->path, &ignored))
			return false;
		f->at += (off_t)n;
		http_send(f->call->r, (struct str){buf, n});
		if (n < sizeof(buf)) {
			*all = true;
			break;
		}
	}
	return true;
}

static void look(struct follow *f)
{
	struct err e = ERR_INIT;
	struct call *c = f->call;
	int ended = f->spot.ended ? 1 : logs_ended(c->web->conf.store, &f->spot, &e);
	bool all = false, fine = ended >= 0 && send_new(f, &all);

	f->spot.ended = ended > 0;
	if (fine && !(ended && all)) {
		if (!f->timer)
			f->timer = loop_timer(c->web->loop, LOOK_MS, on_look, f);
		return;
	}
	follow_end(f);
	http_end(c->r, !fine);
}

static void on_look(struct loop_ev *ev, void *ptr)
{
	struct follow *f = ptr;

	f->timer = NULL;
	look(f);
}

static void on_drained(struct call *c)
{
	struct follow *f = c->own;

	if (f->timer)
		loop_timer_again(f->timer, 0);
}

static void follow(struct call *c, const struct log_spot *l, const char *path, off_t from, const char *const *headers)
{
	struct follow *f;
	struct err e = ERR_INIT;

	if (c->web->streams >= WEB_STREAMS) {
		err_set(&e, ERR_OVERLOADED, "%d clients follow something already", WEB_STREAMS);
		answer_refusal(c, 503, &e, "Retry-After", "10");
		return;
	}
	f = arena_new_of(c->a, struct follow);
	*f = (struct follow){.call = c, .spot = *l, .path = path, .at = from};
	c->web->streams++;
	c->own = f;
	c->end = on_gone;
	c->drained = on_drained;
	http_begin(c->r, 200, headers);
	look(f);
}

static int piece(struct call *c, const struct log_spot *l, const struct args *args, struct err *e)
{
	const char *path = arena_printf(c->a, "%s/%.*s", c->web->conf.store->leat_dir, STR_ARG(l->path));
	bool follows = args_flag(args, "follow");
	struct stat st = {0};
	int fd FD_CLEANUP = -1;
	off_t from, limit, end;
	const char *headers[] = {"Content-Type",
	                         "text/plain; charset=utf-8",
	                         "Leat-Log-Size",
	                         NULL,
	                         "Leat-Log-From",
	                         NULL,
	                         "Leat-Log-Ended",
	                         l->ended ? "true" : "false",
	                         "Leat-Log-Unit",
	                         NULL,
	                         NULL,
	                         NULL,
	                         NULL};

	if (l->path.n && file_exists(path) && (file_open_read(path, &fd, e) || file_stat(path, &st, e)))
		return -1;
	if (logs_window(args, st.st_size, &from, &limit, e))
		return -1;
	if (follows && limit >= 0)
		return err_set(e, ERR_BAD_REQUEST,
		               "follow goes on to the end of the log: limit has no meaning with it");
	headers[3] = arena_printf(c->a, "%lld", (long long)st.st_size);
	headers[5] = arena_printf(c->a, "%lld", (long long)from);
	headers[9] = arena_printf(c->a, "%lld", (long long)l->unit);
	if (follows) {
		follow(c, l, path, from, headers);
		return 0;
	}
	end = limit < 0 ? st.st_size : MIN(st.st_size, from + limit);
	headers[10] = "Leat-Log-Next";
	headers[11] = arena_printf(c->a, "%lld", (long long)MAX(end, from));
	if (fd < 0 || end <= from)
		http_answer(c->r, 200, headers, STR(""));
	else
		http_answer_file(c->r, 200, headers, fd_steal(&fd), (uint64_t)from, (uint64_t)(end - from));
	return 0;
}

static bool wants_piece(const struct args *args)
{
	return args_count(args, "from") || args_count(args, "limit") || args_flag(args, "follow");
}

static int which_unit(struct call *c, const struct args *args, const struct log_spot *logs, size_t n, struct err *e)
{
	struct buf b = BUF_INIT(400);

	for (size_t i = 0; i < n && i < 12; i++)
		buf_addf(&b, "%s%lld (%.*s %.*s)", i ? ", " : "", (long long)logs[i].unit, STR_ARG(logs[i].job),
		         STR_ARG(logs[i].ds));
	err_set(e, ERR_BAD_REQUEST, "'%s' is %zu logs: name one of them with unit", STR_SHOWN(args_pos(args, 0)), n);
	err_hint(e, "%s%s", b.p, n > 12 ? ", ..." : "");
	buf_free(&b);
	return -1;
}

void logs_call(struct call *c, const struct asked *asked)
{
	struct err e = ERR_INIT;
	struct args args;
	struct api api;
	struct log_spot *logs;
	size_t n = 0;

	api_begin(&api, c->a, c->web->conf.kinds);
	api.ws = c->web->conf.store->ws;
	api.store = c->web->conf.store;
	if (args_parse(c->op, c->a, (int)asked->words.n, asked->words.p, &args, &e) ||
	    logs_find(&api, &args, &logs, &n, &e) ||
	    (n > 1 && wants_piece(&args) && which_unit(c, &args, logs, n, &e)) || (n == 1 && piece(c, logs, &args, &e)))
		answer_problem(c, &e);
	else if (n != 1) /* of a service, of several units, of none */
		child_call(c, asked);
}
