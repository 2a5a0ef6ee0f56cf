/*
 * The engine for any kernel of Jupyter. It is watched by its pidfd: its death is known at once, not by heartbeats. What
 * it says may be lost until it has heard that we listen, so it is asked what it is until the answer comes on both
 * sockets. A cell is done when both its reply and the `idle` of its own id have come, in either order.
 */
#include "note/kernel.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "note/engine.h"
#include "note/kernel_in.h"
#include "note/outputs.h"
#include "sys/clock.h"
#include "sys/env.h"

#define CONNECT_STEP_MS 5
#define INFO_STEP_MS 100
#define START_MS 60000 /* until it answers: what papermill and nbclient grant */
#define LATE_MS 4000  /* after the reply, without a word: what it says may have been lost (nbclient waits as long) */
#define CODE_MAX ((size_t)64 << 20)
#define SOCKETS 3

extern char **environ;

enum phase { CONNECTING, ASKING, IDLE, BUSY, DEAD };

struct kernel {
	struct arena *a;      /* the caller's */
	struct arena *turn;   /* what one message holds */
	struct arena *cell;   /* what is kept until the cell is done */
	struct loop *loop;
	struct engine_start s;
	enum phase phase;
	struct proc proc;
	struct loop_ev *child, *timer, *watch[SOCKETS];
	struct kernel_session session;
	struct kernel_place place;
	struct zmtp sockets[SOCKETS];
	char identity[RAND_ID];
	int64_t until;        /* that it must have answered by */
	struct str waiting;   /* a cell that was asked for before it had */
	char id[KERNEL_ID];   /* of the cell that runs */
	bool replied, idle;
	bool silent;          /* what runs is no cell: its count does not go on */
	int64_t heard_ms;     /* when it last said something */
	struct engine_done done;
	struct dom *about;
};

enum { SHELL, IOPUB, CONTROL };
static const struct {
	enum zmtp_type type;
	const char *name;
	int port;
} ends[SOCKETS] = {[SHELL] = {ZMTP_DEALER, "shell", KERNEL_SHELL},
                   [IOPUB] = {ZMTP_SUB, "iopub", KERNEL_IOPUB},
                   [CONTROL] = {ZMTP_DEALER, "control", KERNEL_CONTROL}};

static int take_messages(struct kernel *k, int from, struct err *e);

/* --- its end --- */

static void close_handles(struct kernel *k)
{
	loop_close(k->timer);
	k->timer = NULL;
	for (int i = 0; i < SOCKETS; i++) {
		loop_close(k->watch[i]);
		k->watch[i] = NULL;
	}
}

static void died(struct kernel *k, const char *how)
{
	bool known = k->phase == DEAD;

	k->phase = DEAD;
	close_handles(k);
	if (!known)
		k->s.told->died(k->s.ptr, how);
}

/* What it does is no kernel's any more. */
static void fail(struct kernel *k, const struct err *e)
{
	char *why = arena_dup(k->a, e->msg);

	proc_signal(&k->proc, SIGKILL);
	died(k, why);
}

/* Its last words first. */
static void on_exit_of(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct kernel *k = ptr;
	struct err e = ERR_INIT;
	char text[PROC_TEXT];

	(void)ev;
	k->child = NULL;
	for (int i = 0; i < SOCKETS && k->phase != DEAD; i++) {
		if (k->sockets[i].fd >= 0 && zmtp_pump(&k->sockets[i], &e))
			err_clear(&e);
		if (take_messages(k, i, &e))
			err_clear(&e);
	}
	proc_exit_text(x, text);
	died(k, k->about ? arena_dup(k->a, text)
	                 : arena_printf(k->a, "the kernel %s ended before it answered: %s", k->s.kernel->name, text));
}

/* --- what it says --- */

static struct dom *output_of(struct kernel *k, const struct kernel_message *m)
{
	int64_t count = dom_int(m->content, "execution_count");

	return outputs_one(k->turn, dom_get(m->content, "data"), dom_get(m->content, "metadata"),
	                   str_is(m->type, "execute_result") ? &count : NULL);
}

/* An error comes as an output and in the reply, in some kernels in one of them only: the first that says it counts. */
static void keep_error(struct kernel *k, const struct kernel_message *m)
{
	struct err e = ERR_INIT;
	struct dom *d, *lines;

	k->done.how = ENGINE_ERROR;
	if (k->done.ename.n || dom_json(k->cell, m->text, NULL, &d, &e))
		return;
	lines = dom_get(d, "traceback");
	k->done.ename = dom_str(d, "ename");
	k->done.evalue = dom_str(d, "evalue");
	k->done.traceback = lines && lines->type == DOM_LIST ? lines : dom_new(k->cell, DOM_LIST);
}

static void take_said(struct kernel *k, const struct kernel_message *m)
{
	const struct dom *wait = dom_get(m->content, "wait");
	struct str id = dom_str(dom_get(m->content, "transient"), "display_id");

	if (str_is(m->type, "status"))
		k->idle |= str_is(dom_str(m->content, "execution_state"), "idle");
	else if (str_is(m->type, "stream"))
		k->s.told->stream(k->s.ptr, str_is(dom_str(m->content, "name"), "stderr"), dom_str(m->content, "text"));
	else if (str_is(m->type, "display_data") || str_is(m->type, "execute_result"))
		k->s.told->output(k->s.ptr, output_of(k, m), id);
	else if (str_is(m->type, "update_display_data"))
		k->s.told->update(k->s.ptr, output_of(k, m), id);
	else if (str_is(m->type, "clear_output"))
		k->s.told->clear(k->s.ptr, wait && wait->type == DOM_BOOL && wait->b);
	else if (str_is(m->type, "error"))
		keep_error(k, m);
}

static void take_reply(struct kernel *k, const struct kernel_message *m)
{
	const struct dom *count = dom_get(m->content, "execution_count");
	struct str status = dom_str(m->content, "status");

	k->replied = true;
	if (count && count->type == DOM_INT)
		k->done.count = count->i;
	if (str_is(status, "error")) {
		keep_error(k, m);
	} else if (str_is(status, "aborted") || str_is(status, "abort")) {
		k->done.how = ENGINE_ERROR;
		k->done.ename = STR("Aborted");
		k->done.evalue = STR("the kernel did not run this cell, for one before it had failed");
	}
}

/* {version, executable, engine}, as the driver of Python says it. */
static void take_info(struct kernel *k, const struct kernel_message *m)
{
	const struct dom *language = dom_get(m->content, "language_info");

	k->replied = true;
	if (k->about)
		return;
	k->about = dom_new(k->a, DOM_MAP);
	dom_set_str(k->a, k->about, "version", arena_str(k->a, dom_str(language, "version")));
	dom_set_str(k->a, k->about, "language", arena_str(k->a, dom_str(language, "name")));
	dom_set_cstr(k->a, k->about, "executable", k->s.kernel->argv[0]);
	dom_set_cstr(k->a, k->about, "engine", arena_printf(k->a, "jupyter %s", k->s.kernel->name));
}

/* Of an answer to one of our questions what it is: there may have been several. */
static bool is_info_id(const struct kernel *k, struct str id)
{
	size_t n = strlen(k->session.id);
	int64_t number;

	return id.n > n + 1 && !memcmp(id.p, k->session.id, n) && id.p[n] == '_' &&
	       str_to_i64(str_sub(id, n + 1, id.n), &number) && number <= (int64_t)k->session.sent;
}

static bool send_cell(struct kernel *k, struct str source);

static void cell_done(struct kernel *k)
{
	struct engine_done d = k->done;

	loop_close(k->timer);
	k->timer = NULL;
	k->phase = IDLE;
	if (!d.traceback)
		d.traceback = dom_new(k->cell, DOM_LIST);
	k->s.told->done(k->s.ptr, &d);
}

/* Of what is said a kernel drops what we were too slow to take: the word that it is idle, too. */
static void on_late(struct loop_ev *ev, void *ptr)
{
	struct kernel *k = ptr;
	int64_t left = k->heard_ms + LATE_MS - clock_mono_ms();

	if (left > 0) {
		loop_timer_again(ev, left);
		return;
	}
	k->timer = NULL; /* it closes itself */
	cell_done(k);
}

static void answered(struct kernel *k)
{
	struct str source = k->waiting;

	loop_close(k->timer);
	k->timer = NULL;
	k->phase = IDLE;
	k->waiting = STR_NULL;
	k->s.told->ready(k->s.ptr, k->about);
	if (source.p && k->phase == IDLE)
		(void)send_cell(k, source);
}

static void take_message(struct kernel *k, int from, const struct kernel_message *m)
{
	bool info = k->phase == ASKING;

	if (!(info ? is_info_id(k, m->parent) : k->phase == BUSY && str_is(m->parent, k->id)))
		return; /* it answers something that nobody waits for any more */
	if (from == IOPUB) {
		take_said(k, m);
	} else if (from == SHELL && str_has_suffix(m->type, STR("_reply"))) {
		if (info)
			take_info(k, m);
		else
			take_reply(k, m);
	}
	k->heard_ms = clock_mono_ms();
	if (k->phase == BUSY && k->replied && !k->idle && !k->timer)
		k->timer = loop_timer(k->loop, LATE_MS, on_late, k);
	if (k->phase == DEAD || !k->replied || !k->idle)
		return;
	if (info)
		answered(k);
	else
		cell_done(k);
}

/* All that are whole. */
static int take_messages(struct kernel *k, int from, struct err *e)
{
	struct str key = {k->session.key, strlen(k->session.key)};
	struct zmtp_message z;
	struct kernel_message m;
	int rc = 1;

	while (rc == 1 && k->phase != DEAD) {
		arena_reset(k->turn);
		if ((rc = zmtp_next(&k->sockets[from], k->turn, &z, e)) != 1)
			return rc;
		if ((rc = kernel_message_read(k->turn, key, &z, &m, e)) < 0)
			return -1;
		if (rc == 1)
			take_message(k, from, &m);
		rc = 1;
	}
	return 0;
}

static void watch_writes(struct kernel *k)
{
	struct err e = ERR_INIT;

	for (int i = 0; i < SOCKETS; i++)
		if (k->watch[i] &&
		    loop_fd_events(k->watch[i], EPOLLIN | (zmtp_wants_out(&k->sockets[i]) ? EPOLLOUT : 0), &e))
			err_clear(&e); /* then it is sent with the next that comes */
}

static void on_socket(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct kernel *k = ptr;
	struct err e = ERR_INIT;
	int i = 0;

	(void)events;
	while (i < SOCKETS - 1 && k->watch[i] != ev)
		i++;
	if (zmtp_pump(&k->sockets[i], &e)) {
		/* A kernel that ends closes its sockets first: what it was its process tells. */
		loop_close(k->watch[i]);
		k->watch[i] = NULL;
		if (e.code == ERR_NOT_FOUND)
			err_clear(&e);
	}
	if (e.code || take_messages(k, i, &e))
		fail(k, &e);
	else
		watch_writes(k);
}

/* --- asking --- */

static bool send_cell(struct kernel *k, struct str source)
{
	struct buf b cleanup(buf_free) = BUF_INIT(CODE_MAX);
	struct err e = ERR_INIT;

	arena_reset(k->cell);
	k->done = (struct engine_done){.how = ENGINE_OK};
	k->replied = k->idle = false;
	buf_adds(&b, "{\"code\":");
	json_write_str(&b, source);
	buf_addf(&b, ",\"silent\":%s,\"store_history\":%s,\"user_expressions\":{},\"allow_stdin\":false,"
	             "\"stop_on_error\":false}",
	         k->silent ? "true" : "false", k->silent ? "false" : "true");
	k->phase = BUSY;
	if (kernel_request(&k->session, &k->sockets[SHELL], "execute_request", buf_str(&b), k->id, &e)) {
		fail(k, &e);
		return false;
	}
	watch_writes(k);
	return true;
}

static int execute(struct kernel *k, struct str source, bool silent, struct err *e)
{
	k->silent = silent;
	if (source.n > CODE_MAX / 8)
		return err_set(e, ERR_LIMIT, "a cell is larger than %zu MB", CODE_MAX / 8 >> 20);
	if (k->phase == DEAD || k->phase == BUSY)
		return err_set(e, ERR_FAILED, "the kernel %s does not listen", k->s.kernel->name);
	if (k->phase != IDLE)
		k->waiting = arena_str(k->a, source);
	else
		(void)send_cell(k, source);
	return 0;
}

static int run(struct engine *g, struct str source, const char *name, struct err *e)
{
	(void)name;
	return execute((struct kernel *)g, source, false, e);
}

static int startup(struct engine *g, struct str source, const char *name, struct err *e)
{
	(void)name;
	return execute((struct kernel *)g, source, true, e);
}

/* Names are set by the cell of parameters only: there is no way to do it that all languages have. */
static int set(struct engine *g, const struct dom *vars, struct err *e)
{
	(void)g;
	(void)vars;
	(void)e;
	return 0;
}

static void interrupt(struct engine *g)
{
	struct kernel *k = (struct kernel *)g;
	struct err e = ERR_INIT;
	char id[KERNEL_ID];

	if (k->phase == DEAD || !k->proc.pid)
		return;
	if (!k->s.kernel->interrupt_by_message)
		(void)kill(k->proc.pid, SIGINT);
	else if (kernel_request(&k->session, &k->sockets[CONTROL], "interrupt_request", STR("{}"), id, &e))
		fail(k, &e);
}

/* --- starting --- */

static const char *replace(struct arena *a, const char *text, const char *word, const char *with)
{
	const char *at = strstr(text, word);

	if (!at)
		return text;
	return arena_printf(a, "%.*s%s%s", (int)(at - text), text, with, replace(a, at + strlen(word), word, with));
}

static int spawn(struct kernel *k, struct err *e)
{
	const struct kernel_spec *described = k->s.kernel;
	const char *argv[KERNEL_ARGS_MAX + 1];
	struct proc_spec spec = PROC_SPEC;
	struct env env;
	size_t n = 0;

	for (; described->argv[n]; n++)
		argv[n] = replace(k->a, replace(k->a, described->argv[n], "{connection_file}", k->place.file),
		                  "{resource_dir}", described->folder);
	argv[n] = NULL;
	env_init(&env, k->a);
	for (const char *const *v = k->s.env ? k->s.env : (const char *const *)environ; *v; v++) {
		const char *equals = strchr(*v, '=');

		if (equals)
			env_set(&env, arena_cstr(k->a, (struct str){*v, (size_t)(equals - *v)}), equals + 1);
	}
	dom_each(v, described->env)
		env_set(&env, arena_cstr(k->a, v->key), arena_cstr(k->a, dom_text(k->a, v)));
	spec.argv = argv;
	spec.env = env_array(&env);
	spec.same_group = true;
	spec.die_with_parent = true;
	if (proc_spawn(&spec, &k->proc, e))
		return err_wrap(e, "the kernel %s", described->name);
	return loop_child(k->loop, &k->proc, on_exit_of, k, &k->child, e);
}

static void too_late(struct kernel *k)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_TIMEOUT, "the kernel %s did not answer within %d s", k->s.kernel->name, START_MS / 1000);
	fail(k, &e);
}

static void ask_what_it_is(struct kernel *k)
{
	struct err e = ERR_INIT;
	char id[KERNEL_ID];

	if (kernel_request(&k->session, &k->sockets[SHELL], "kernel_info_request", STR("{}"), id, &e))
		fail(k, &e);
	else
		watch_writes(k);
}

/* 1 = all listen, 0 = not yet. */
static int connect_all(struct kernel *k, struct err *e)
{
	int all = 1;

	for (int i = 0; i < SOCKETS; i++) {
		struct zmtp *z = &k->sockets[i];
		int port = k->place.ports[ends[i].port], rc;

		if (z->fd >= 0)
			continue;
		arena_reset(k->turn);
		rc = zmtp_connect(z, arena_printf(k->turn, "%s-%d", k->place.sockets, port), k->place.tcp ? port : 0,
		                  e);
		if (rc < 0)
			return -1;
		if (rc && loop_fd(k->loop, z->fd, EPOLLIN | EPOLLOUT, on_socket, k, &k->watch[i], e))
			return -1;
		all &= rc;
	}
	return all;
}

static void on_timer(struct loop_ev *ev, void *ptr)
{
	struct kernel *k = ptr;
	struct err e = ERR_INIT;
	int rc = k->phase == CONNECTING ? connect_all(k, &e) : 1;

	if (rc < 0) {
		fail(k, &e);
		return;
	}
	if (clock_mono_ms() >= k->until) {
		too_late(k);
		return;
	}
	if (rc) {
		k->phase = ASKING;
		ask_what_it_is(k);
	}
	if (k->phase != DEAD)
		loop_timer_again(ev, rc ? INFO_STEP_MS : CONNECT_STEP_MS);
}

static void free_kernel(struct kernel *k)
{
	close_handles(k);
	loop_close(k->child);
	k->child = NULL;
	for (int i = 0; i < SOCKETS; i++)
		zmtp_close(&k->sockets[i]);
	proc_free(&k->proc);
	arena_free(k->turn);
	arena_free(k->cell);
	k->turn = k->cell = NULL;
}

static int start(struct arena *a, struct loop *l, const struct engine_start *s, struct engine **out, struct err *e)
{
	struct kernel *k = arena_new_of(a, struct kernel);

	*k = (struct kernel){.a = a, .loop = l, .s = *s, .proc = PROC_INIT, .until = clock_mono_ms() + START_MS};
	k->turn = arena_new();
	k->cell = arena_new();
	rand_id(k->session.id);
	rand_id(k->session.key);
	rand_id(k->identity);
	for (int i = 0; i < SOCKETS; i++)
		zmtp_init(&k->sockets[i], ends[i].type, ends[i].name, ends[i].type == ZMTP_DEALER ? k->identity : NULL);
	if (kernel_place(a, s->folder, s->kernel->name, k->session.key, &k->place, e) || spawn(k, e)) {
		if (k->proc.pid)
			proc_signal(&k->proc, SIGKILL);
		free_kernel(k);
		return -1;
	}
	k->timer = loop_timer(l, CONNECT_STEP_MS, on_timer, k);
	*out = (struct engine *)k;
	return 0;
}

static void stop(struct engine *g, int64_t ms)
{
	struct kernel *k = (struct kernel *)g;
	struct proc_exit x;
	struct err e = ERR_INIT;
	char id[KERNEL_ID];

	loop_close(k->child);
	k->child = NULL;
	if (k->proc.pid && !k->proc.ended) {
		int ended = 0;

		if (ms > 0 && k->phase != DEAD && k->sockets[CONTROL].ready &&
		    !kernel_request(&k->session, &k->sockets[CONTROL], "shutdown_request", STR("{\"restart\":false}"),
		                    id, &e))
			ended = proc_wait_for(&k->proc, ms, &x, &e);
		if (ended <= 0) {
			(void)kill(k->proc.pid, SIGKILL);
			(void)!proc_wait(&k->proc, &x, &e);
		}
	}
	k->phase = DEAD;
	free_kernel(k);
}

const struct engine_kind engine_kernel = {
	.name = "jupyter", .start = start, .set = set, .run = run, .startup = startup, .interrupt = interrupt,
	.stop = stop};
