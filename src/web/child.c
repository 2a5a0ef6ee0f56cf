/* Operations carried out by `leat VERB --json`, whose output is the answer. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/fd.h"
#include "sys/proc.h"
#include "web/web_in.h"

#define CHUNK 65536
#define TALK_MAX ((size_t)256 << 10) /* of what it says on its standard error */
#define GRACE_MS 2000

struct child {
	struct web *web;
	struct child *next;
	struct call *call; /* NULL: nobody waits for it any more */
	struct asked asked;
	struct output out;
	struct buf talk;
	struct proc proc;
	struct proc_exit how;
	int fds[2]; /* its standard output and error, our ends; -1: at their end */
	struct loop_ev *evs[2], *ev, *kill;
	bool reads, started, ended, stopped /* by us: more than was asked for */;
};

extern char **environ;

static void start_next(struct web *w);

static void unlink_child(struct child *ch)
{
	struct child **at = &ch->web->children;

	while (*at != ch)
		at = &(*at)->next;
	*at = ch->next;
}

static void child_free(struct child *ch)
{
	for (int i = 0; i < 2; i++) {
		loop_close(ch->evs[i]);
		fd_close(&ch->fds[i]);
	}
	loop_close(ch->ev);
	loop_close(ch->kill);
	buf_free(&ch->talk);
	if (ch->started)
		proc_free(&ch->proc);
	unlink_child(ch);
	free(ch);
}

/* {"error":{"code":...}}, as LEAT_ERRORS=json has it. */
static bool said_error(struct arena *a, struct str line, struct err *e)
{
	struct dom *d, *in;
	struct err ignored = ERR_INIT;
	struct str s;

	if (!str_has_prefix(line, STR("{\"error\":")) || dom_json(a, line, "", &d, &ignored) ||
	    !(in = dom_get(d, "error")))
		return false;
	err_set(e, err_code_of_word(dom_text(a, dom_get(in, "code"))), "%.*s",
	        STR_ARG(dom_text(a, dom_get(in, "message"))));
	s = dom_text(a, dom_get(in, "hint"));
	if (s.n)
		err_hint(e, "%.*s", STR_ARG(s));
	s = dom_text(a, dom_get(in, "file"));
	if (s.n)
		err_at(e, arena_cstr(a, s), dom_get(in, "line") ? (int)dom_get(in, "line")->i : 0,
		       dom_get(in, "col") ? (int)dom_get(in, "col")->i : 0);
	return true;
}

/* What it said, line by line: its error, and notes. */
static bool read_talk(struct child *ch, struct err *e)
{
	struct str rest = buf_str(&ch->talk), line;
	bool failed = false;

	while (str_next_line(&rest, &line)) {
		line = str_trim(line);
		if (!line.n)
			continue;
		if (!failed && said_error(ch->call->a, line, e))
			failed = true;
		else
			output_note(&ch->out, line);
	}
	return failed;
}

static void finish(struct child *ch)
{
	struct call *c = ch->call;
	struct web *w = ch->web;
	struct err e = ERR_INIT;
	char text[PROC_TEXT];
	bool failed;

	if (c) {
		failed = read_talk(ch, &e);
		if (ch->how.signal && !ch->stopped && !failed) {
			proc_exit_text(&ch->how, text);
			err_set(&e, ERR_INTERNAL, "leat %s was %s", c->op->name, text);
			failed = true;
		} else if (ch->how.status == 2 && !failed) {
			err_set(&e, ERR_BAD_REQUEST, "leat %s refused that", c->op->name);
			failed = true;
		}
		c->own = NULL;
		c->end = NULL;
		c->drained = NULL;
		output_end(&ch->out, ch->stopped ? 0 : ch->how.status, failed && !ch->stopped ? &e : NULL);
	}
	*(ch->reads ? &w->readers : &w->writers) -= 1;
	child_free(ch);
	start_next(w);
}

static void look(struct child *ch)
{
	if (ch->ended && ch->fds[0] < 0 && ch->fds[1] < 0)
		finish(ch);
}

static void stop(struct child *ch);

static void on_output(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct child *ch = ptr;
	int which = ev == ch->evs[1];
	char buf[CHUNK];
	ssize_t n = read(ch->fds[which], buf, sizeof(buf));
	struct err ignored = ERR_INIT;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		loop_close(ch->evs[which]);
		ch->evs[which] = NULL;
		fd_close(&ch->fds[which]);
		look(ch);
		return;
	}
	if (which) {
		if (ch->talk.n + (size_t)n <= TALK_MAX)
			buf_add(&ch->talk, buf, (size_t)n);
		return;
	}
	if (!ch->call || ch->stopped)
		return;
	if (!output_bytes(&ch->out, (struct str){buf, (size_t)n})) {
		ch->stopped = true;
		stop(ch);
		return;
	}
	/* Who reads slowly is not written for in advance. */
	if (http_waiting(ch->call->r) > HTTP_STREAM_HIGH && loop_fd_events(ev, 0, &ignored))
		return;
}

static void on_drained(struct call *c)
{
	struct child *ch = c->own;
	struct err ignored = ERR_INIT;

	if (ch->evs[0] && loop_fd_events(ch->evs[0], EPOLLIN, &ignored))
		return;
}

static void on_exit_of(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct child *ch = ptr;

	ch->ev = NULL;
	ch->ended = true;
	ch->how = *x;
	look(ch);
}

static void on_kill(struct loop_ev *ev, void *ptr)
{
	struct child *ch = ptr;

	ch->kill = NULL;
	if (!ch->ended)
		proc_signal(&ch->proc, SIGKILL);
}

static void stop(struct child *ch)
{
	struct err ignored = ERR_INIT;

	if (!ch->started || ch->ended || ch->kill)
		return;
	if (ch->evs[0] && loop_fd_events(ch->evs[0], EPOLLIN, &ignored))
		loop_close(ch->evs[0]);
	if (!ch->reads)
		return;
	proc_signal(&ch->proc, SIGTERM);
	ch->kill = loop_timer(ch->web->loop, GRACE_MS, on_kill, ch);
}

/* The client has gone. What only reads ends; what changes something goes on, unheard. */
static void on_end(struct call *c, bool whole)
{
	struct child *ch = c->own;

	if (c->body >= 0)
		fd_close(&c->body);
	if (!ch)
		return;
	output_drop(&ch->out);
	ch->call = NULL;
	if (!ch->started) {
		ch->web->queued--;
		child_free(ch);
		return;
	}
	stop(ch);
}

static const char *const *child_env(struct arena *a)
{
	VEC(const char *) v = {0};

	for (char **p = environ; *p; p++)
		if (strncmp(*p, "LEAT_ON=", 8))
			vec_push(a, &v, *p);
	vec_push(a, &v, "LEAT_ERRORS=json");
	vec_push(a, &v, "NO_COLOR=1");
	vec_push(a, &v, NULL);
	return v.p;
}

static int spawn(struct child *ch, struct err *e)
{
	struct call *c = ch->call;
	struct arena *a = c->a;
	VEC(const char *) argv = {0};
	struct proc_spec s = PROC_SPEC;
	int out[2], err[2];

	vec_push(a, &argv, proc_self_exe());
	vec_push(a, &argv, "-C");
	vec_push(a, &argv, ch->web->conf.store->ws->dir);
	vec_push(a, &argv, c->op->name);
	if (web_form(c->op) != FORM_BYTES)
		vec_push(a, &argv, "--json");
	if (!strcmp(c->op->name, "get")) /* what an answer is made of, not a file beside the daemon */
		vec_push(a, &argv, "--output=-");
	for (size_t i = 0; i < ch->asked.words.n; i++)
		vec_push(a, &argv, ch->asked.words.p[i]);
	vec_push(a, &argv, NULL);
	if (fd_pipe(out, e))
		return -1;
	if (fd_pipe(err, e)) {
		fd_close(&out[0]);
		fd_close(&out[1]);
		return -1;
	}
	s.argv = argv.p;
	s.env = child_env(a);
	s.cwd = ch->web->conf.store->ws->dir;
	s.in = c->body;
	s.out = out[1];
	s.err = err[1];
	ch->fds[0] = out[0];
	ch->fds[1] = err[0];
	if (c->body >= 0 && lseek(c->body, 0, SEEK_SET) < 0) {
		fd_close(&out[1]);
		fd_close(&err[1]);
		return err_errno(e, errno, "the body of the request");
	}
	if (proc_spawn(&s, &ch->proc, e)) {
		fd_close(&out[1]);
		fd_close(&err[1]);
		return -1;
	}
	ch->started = true;
	fd_close(&out[1]);
	fd_close(&err[1]);
	if (fd_nonblock(out[0], true, e) || fd_nonblock(err[0], true, e) ||
	    loop_fd(ch->web->loop, out[0], EPOLLIN, on_output, ch, &ch->evs[0], e) ||
	    loop_fd(ch->web->loop, err[0], EPOLLIN, on_output, ch, &ch->evs[1], e) ||
	    loop_child(ch->web->loop, &ch->proc, on_exit_of, ch, &ch->ev, e)) {
		struct proc_exit x;
		struct err ignored = ERR_INIT;

		proc_signal(&ch->proc, SIGKILL);
		(void)!proc_wait(&ch->proc, &x, &ignored);
		return -1;
	}
	return 0;
}

static bool has_place(const struct child *ch)
{
	return ch->reads ? ch->web->readers < WEB_READERS : ch->web->writers < WEB_WRITERS;
}

static void start(struct child *ch)
{
	struct call *c = ch->call;
	struct err e = ERR_INIT;

	if (!spawn(ch, &e)) {
		fd_close(&c->body);
		*(ch->reads ? &ch->web->readers : &ch->web->writers) += 1;
		return;
	}
	fd_close(&c->body);
	c->own = NULL;
	c->end = NULL;
	output_end(&ch->out, 1, &e);
	child_free(ch);
}

/* The oldest that waits and has a place; new ones are put in front. */
static void start_next(struct web *w)
{
	struct child *next = NULL;

	for (struct child *ch = w->children; ch; ch = ch->next)
		if (!ch->started && has_place(ch))
			next = ch;
	if (!next)
		return;
	w->queued--;
	start(next);
}

void child_call(struct call *c, const struct asked *asked)
{
	struct web *w = c->web;
	struct child *ch;
	struct err e = ERR_INIT;

	if (w->queued >= WEB_QUEUE) {
		err_set(&e, ERR_OVERLOADED, "%d requests wait already", WEB_QUEUE);
		answer_refusal(c, 503, &e, "Retry-After", "1");
		return;
	}
	ch = xcalloc(1, sizeof(*ch));
	*ch = (struct child){.web = w, .next = w->children, .call = c, .asked = *asked, .proc = PROC_INIT,
	                     .fds = {-1, -1}, .reads = c->reads};
	buf_init(&ch->talk, TALK_MAX);
	output_begin(&ch->out, c, &ch->asked);
	w->children = ch;
	c->own = ch;
	c->end = on_end;
	c->drained = on_drained;
	if (has_place(ch))
		start(ch);
	else
		w->queued++;
}

/* At the end of the daemon: those that read are of no use to anybody; the others finish by themselves. */
void children_end(struct web *w)
{
	while (w->children) {
		struct child *ch = w->children;

		if (ch->started && !ch->ended && ch->reads) {
			struct proc_exit x;
			struct err ignored = ERR_INIT;

			loop_close(ch->ev);
			ch->ev = NULL;
			proc_signal(&ch->proc, SIGKILL);
			(void)!proc_wait(&ch->proc, &x, &ignored);
		}
		child_free(ch);
	}
}
