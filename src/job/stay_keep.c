/* The keeper of one job that stays (stay.h). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "job/common.h"
#include "job/kinds.h"
#include "job/stay.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/notify.h"

#define LOOK_MS 100      /* from a change of leat.db to a look at the heads */
#define QUIET_MS 500     /* how long nothing more must move, so that what belongs together is one restart */
#define QUIET_MOST 10    /* ... and how often that is waited for anew */
#define POLL_MS 2000     /* heads are looked at in any case */
#define PROBE_FIRST_MS 50
#define SAVED_MS 150     /* how long nothing more must be saved: editors write several files */
#define SICK_LOOKS 3     /* bad answers in a row after which it is started anew */
#define SICK_MOST 3      /* ... and how often in a row, before it is given up */
#define ALONE_MS 200     /* what has no health check works if it lives that long */
#define BACK_MS 250      /* before it is started again; doubled each time, */
#define BACK_MOST_MS 60000
#define WELL_MS 60000    /* until it has run that long */
#define STREAM 65536

enum want { WANT_UP, WANT_AGAIN, WANT_LATER, WANT_DOWN };

struct keeper {
	struct arena *a;
	struct workspace *ws;
	struct store *s;
	struct flow *f;
	const struct job *j;
	struct stay_place at;
	struct stay_keys keys;
	struct lock lock;
	struct loop *loop;
	struct loop_ev *look, *quiet, *again, *hard, *probing, *stream;
	struct stay_probe *probe;
	struct stay_turn turn;
	struct exec *x;
	struct proc guard, downstream;
	int guard_end, notify, log, pipe;
	enum want want;
	bool running, works, worked; /* the process lives; it works; it has worked once */
	unsigned n, restarts, quiets;
	unsigned bad, sick;     /* answers in a row; restarts for that in a row */
	bool good;              /* this start of it has worked */
	int64_t started, back;
	struct dom *state;
	const char *marker, *spool;
	struct stay_tar *tar;
	bool ended;             /* nobody writes to the stream any more */
	bool deaf;              /* what comes until the end of the stream is no archive */
	struct id commit, followed; /* the last one; up to which what depends on it was run */
	bool over;
	struct err *late;       /* it did not work in time */
	int64_t look_at;
	struct notify *files;   /* mode: dev */
	struct loop_ev *saved;
	bool dirty;             /* something was saved that it does not run with yet */
};

/* ---- what it tells ---- */

static void say(struct keeper *k, const char *fmt, ...) printf_like(2, 3);
static void say(struct keeper *k, const char *fmt, ...)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	va_list ap;
	char *line;

	va_start(ap, fmt);
	line = arena_printf(a, "leat: %s\n", arena_vprintf(a, fmt, ap));
	va_end(ap);
	if (k->log >= 0 && fd_write_all(k->log, line, strlen(line), k->at.log, &e))
		err_clear(&e);
}

static void tell(struct keeper *k, const char *state, const char *health, const struct err *why)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct dom *d = dom_new(a, DOM_MAP);
	struct err e = ERR_INIT;

	dom_set_str(a, d, "job", k->j ? k->j->name : STR_NULL);
	dom_set_str(a, d, "kind", k->j ? k->j->kind_name : STR_NULL);
	dom_set_cstr(a, d, "state", state);
	dom_set_str(a, d, "health", str_of(health));
	if (k->over && strcmp(state, STAY_FAILED) != 0)
		dom_set_str(a, d, "pid", STR_NULL);
	else
		dom_set_int(a, d, "pid", getpid());
	if (k->keys.port)
		dom_set_int(a, d, "port", k->keys.port);
	else
		dom_set_str(a, d, "port", STR_NULL);
	dom_set_int(a, d, "started", k->started);
	dom_set_int(a, d, "restarts", k->restarts);
	dom_set_cstr(a, d, "marker", k->marker);
	dom_set_str(a, d, "commit", k->commit.hex[0] ? str_of(k->commit.hex) : STR_NULL);
	if (k->turn.inputs)
		dom_set(a, d, "inputs", dom_copy(a, k->turn.inputs));
	dom_set_str(a, d, "error", why && why->code ? str_of(why->msg) : STR_NULL);
	dom_set_str(a, d, "hint", why && why->code ? str_of(why->hint) : STR_NULL);
	if (stay_set_state(a, &k->at, d, &e))
		err_clear(&e);
}

/* ---- the end ---- */

static void clear(struct keeper *k)
{
	static const char *const rest[] = {"in", "work", "root", "tmp", "home", "spec.json", "files"};
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rest); i++)
		if (dir_remove_tree(arena_printf(a, "%s/%s", k->at.dir, rest[i]), &e))
			err_clear(&e); /* the next start tries again */
}

/* Who asked it to end; NULL: nobody said, a signal came. */
static const char *who_stopped(struct keeper *k, struct arena *a)
{
	struct err none = ERR_INIT;
	struct str text;

	if (!file_exists(k->at.stop) || file_read(a, k->at.stop, STAY_MAX_STATE, &text, &none)) {
		err_clear(&none);
		return NULL;
	}
	return arena_cstr(a, text);
}

static int commit_out(struct keeper *k, const char *reason, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct stay_commit how = {.command = "leat down", .inputs = k->turn.inputs, .reason = reason};
	struct commit c;
	bool made;

	if (stay_is_spout(k->j) || !dir_exists(k->at.out))
		return 0;
	if (!reason)
		how.reason = who_stopped(k, a);
	if (!how.reason)
		how.reason = "a signal ended it";
	if (stay_commit(k->s, a, k->j, k->at.out, &how, &c, &made, e))
		return err_hint(e, "what it wrote is still in %s", k->at.out);
	if (made)
		k->commit = c.id;
	return 0;
}

static bool read_pipe(struct keeper *k);

/* why NULL: it was asked to end. */
static void finish(struct keeper *k, const struct err *why)
{
	struct err e = ERR_INIT, late = ERR_INIT;

	if (k->over)
		return;
	while (k->pipe >= 0 && read_pipe(k)) /* what it wrote last */
		;
	k->over = true;
	if (commit_out(k, why ? why->msg : NULL, &e)) {
		say(k, "%s", e.msg);
		tell(k, STAY_FAILED, NULL, why ? why : &e);
	} else {
		if (dir_remove_tree(k->at.out, &late))
			err_clear(&late);
		clear(k);
		if (why)
			say(k, "%s", why->msg);
		tell(k, why ? STAY_FAILED : STAY_STOPPED, NULL, why);
	}
	loop_stop(k->loop);
}

/* ---- one start after the other ---- */

static void start(struct keeper *k);
static void on_probe(void *ptr, bool good, const char *text);

static void on_again(struct loop_ev *ev, void *ptr)
{
	struct keeper *k = ptr;

	(void)ev;
	k->again = NULL;
	k->restarts++;
	start(k);
}

static void wait_and_start(struct keeper *k, const struct err *why)
{
	if (clock_mono_ms() - k->turn.since > WELL_MS || !k->back)
		k->back = BACK_MS;
	say(k, "%s; it is started again in %lld ms", why->msg, (long long)k->back);
	tell(k, STAY_WAITING, NULL, why);
	k->again = loop_timer(k->loop, k->back, on_again, k);
	k->back = MIN(2 * k->back, BACK_MOST_MS);
}

static void probe_in(struct keeper *k, int64_t ms);

static void on_probe_time(struct loop_ev *ev, void *ptr)
{
	struct keeper *k = ptr;

	(void)ev;
	k->probing = NULL;
	if (k->keys.health == HEALTH_NONE)
		on_probe(k, true, NULL);
	else if (!stay_probe_ask(k->probe))
		on_probe(k, false, "nobody listens at the port");
}

static void probe_in(struct keeper *k, int64_t ms)
{
	loop_close(k->probing);
	k->probing = loop_timer(k->loop, ms, on_probe_time, k);
}

static void end_process(struct keeper *k, enum want want);

/* It has worked, and does not any more: it is started anew, later each time, and after some times no more. */
static void fell_ill(struct keeper *k, const char *text)
{
	struct err *e = arena_new_of(k->a, struct err);

	*e = (struct err)ERR_INIT;
	if (k->good && clock_mono_ms() - k->turn.since > WELL_MS)
		k->sick = 0;
	if (k->sick++ < SICK_MOST) {
		err_set(e, ERR_FAILED, "it answered badly %d times in a row: %s", SICK_LOOKS, text);
		k->late = e;
		end_process(k, WANT_LATER);
		return;
	}
	err_set(e, ERR_FAILED, "it was started anew %d times and does not work: %s", SICK_MOST, text);
	err_hint(e, "leat logs %.*s shows what it printed; leat up %.*s tries again", STR_ARG(k->j->name),
	         STR_ARG(k->j->name));
	k->late = e;
	end_process(k, WANT_DOWN);
}

static void on_probe(void *ptr, bool good, const char *text)
{
	struct keeper *k = ptr;
	bool checks = k->keys.health != HEALTH_NONE;
	struct err e = ERR_INIT;

	if (!k->running || k->want != WANT_UP)
		return;
	if (good != k->works || (good && !k->worked)) {
		k->works = good;
		k->worked |= good;
		if (!good)
			say(k, "it does not work any more: %s", text);
		tell(k, STAY_RUNNING, !checks ? NULL : good ? "good" : "bad", NULL);
	}
	if (!good && !k->worked && clock_mono_ms() - k->turn.since > k->keys.start_ms) {
		err_set(&e, ERR_TIMEOUT, "it did not work within %lld ms: %s", (long long)k->keys.start_ms, text);
		err_hint(&e, "leat logs %.*s shows what it printed; start_timeout: and health: in %.*s say what is "
		             "waited for", STR_ARG(k->j->name), STR_ARG(k->j->file));
		k->late = arena_new_of(k->a, struct err);
		*k->late = e;
		end_process(k, WANT_DOWN);
		return;
	}
	k->good |= good;
	k->bad = good ? 0 : k->bad + (k->good || clock_mono_ms() - k->turn.since > k->keys.start_ms);
	if (k->bad >= SICK_LOOKS) {
		fell_ill(k, text);
		return;
	}
	if (checks)
		probe_in(k, k->good || clock_mono_ms() - k->turn.since > k->keys.start_ms ? k->keys.every_ms
		                                                                          : PROBE_FIRST_MS);
}

/* What keeps a process that ended by itself from being started again at once. */
static void ended_by_itself(struct keeper *k, const struct proc_exit *x)
{
	struct err e = ERR_INIT;
	char text[PROC_TEXT];

	proc_exit_text(x, text);
	err_set(&e, ERR_FAILED, "it ended by itself: %s", text);
	if (x->status == 127 && !x->signal)
		err_hint(&e, "127 is a shell's word for a program that is not there: leat logs %.*s tells which",
		         STR_ARG(k->j->name));
	else
		err_hint(&e, "leat logs %.*s shows what it printed", STR_ARG(k->j->name));
	k->worked |= stay_is_spout(k->j) && proc_exit_ok(x); /* one that writes and ends well is one too */
	if (!k->worked)
		finish(k, &e);
	else
		wait_and_start(k, &e);
}

static void on_end(void *ptr, const struct proc_exit *x)
{
	struct keeper *k = ptr;

	k->running = k->works = false;
	loop_close(k->hard);
	loop_close(k->probing);
	k->hard = k->probing = NULL;
	stay_probe_end(k->probe);
	if (k->want == WANT_DOWN) {
		finish(k, k->late);
	} else if (k->want == WANT_LATER) {
		const struct err *why = k->late;

		k->want = WANT_UP;
		k->late = NULL;
		wait_and_start(k, why);
	} else if (k->want == WANT_AGAIN) {
		k->want = WANT_UP;
		k->restarts++;
		start(k);
	} else {
		ended_by_itself(k, x);
	}
}

static void on_hard(struct loop_ev *ev, void *ptr)
{
	struct keeper *k = ptr;

	(void)ev;
	k->hard = NULL;
	if (k->running)
		exec_cancel(k->x, true);
}

static void end_process(struct keeper *k, enum want want)
{
	if (k->want == WANT_DOWN && want != WANT_DOWN)
		return;
	k->want = want;
	if (k->running) {
		if (!k->hard) {
			exec_cancel(k->x, false);
			k->hard = loop_timer(k->loop, k->j->grace_ms, on_hard, k);
		}
		tell(k, want == WANT_DOWN ? STAY_STOPPING : STAY_STARTING, NULL, NULL);
		return;
	}
	loop_close(k->again);
	k->again = NULL;
	if (want == WANT_DOWN)
		finish(k, NULL);
}

static void reload(struct keeper *k);

static int launch(struct keeper *k, struct err *e)
{
	struct exec_task task = {0};
	struct err late = ERR_INIT;

	if (k->dirty)
		reload(k);
	k->n++;
	if (stay_turn(&k->turn, k->f, k->loop, k->j, &k->at, k->n, k->marker, k->log, e) ||
	    script_task(&k->turn.t, &task, e) || exec_new(&k->turn.t, &k->x, e) ||
	    exec_run(k->x, &task, on_end, k, e)) {
		const char *program = task.argv ? task.argv[0] : NULL,
			   *instead = program && e->code == ERR_NOT_FOUND ? script_instead(program) : NULL;

		return instead ? err_hint(e, "%s", instead) : -1;
	}
	if (k->n > 1 && dir_remove_tree(arena_printf(k->turn.arena, "%s/in/%u", k->at.dir, k->n - 1), &late))
		err_clear(&late);
	return 0;
}

static void start(struct keeper *k)
{
	struct err e = ERR_INIT;

	if (launch(k, &e)) {
		if (k->worked)
			wait_and_start(k, &e);
		else
			finish(k, &e);
		return;
	}
	k->running = true;
	k->good = false;
	k->bad = 0;
	k->started = clock_now_ms();
	k->turn.since = clock_mono_ms();
	tell(k, STAY_STARTING, NULL, NULL);
	probe_in(k, k->keys.health == HEALTH_NONE ? ALONE_MS : PROBE_FIRST_MS);
}

/* ---- inputs that move ---- */

static bool moved(struct keeper *k)
{
	struct err e = ERR_INIT;
	int r = stay_moved(k->s, k->j, &k->turn, &e);

	if (r < 0)
		say(k, "%s", e.msg);
	return r > 0;
}

static void on_quiet(struct loop_ev *ev, void *ptr)
{
	struct keeper *k = ptr;

	(void)ev;
	k->quiet = NULL;
	if (!k->running || k->want != WANT_UP || !moved(k))
		return;
	say(k, "an input has moved: it is started anew");
	end_process(k, WANT_AGAIN);
}

/* The process goes on writing to the same file, which begins anew (it is open for appending). */
static void turn_log(struct keeper *k)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	char *old;
	struct stat st;

	if (fstat(k->log, &st) || st.st_size <= STAY_MAX_LOG)
		return;
	old = arena_printf(a, "%s.1", k->at.log);
	if (file_unlink(old, &e) || file_copy(k->at.log, old, 0644, 0, &e) || fd_truncate(k->log, 0, k->at.log, &e))
		err_clear(&e); /* the next look tries again */
}

/* Whoever writes goes on for a moment: what is downstream of the same change comes with it. */
static void on_look(struct loop_ev *ev, void *ptr)
{
	struct keeper *k = ptr;

	loop_timer_again(ev, POLL_MS);
	turn_log(k);
	if (!file_exists(k->at.dir)) { /* the workspace is gone, and nobody can end it any more */
		end_process(k, WANT_DOWN);
		return;
	}
	if (!k->running || k->want != WANT_UP)
		return;
	if (k->quiet) {
		if (k->quiets++ < QUIET_MOST)
			loop_timer_again(k->quiet, QUIET_MS);
	} else if (moved(k)) {
		k->quiets = 0;
		k->quiet = loop_timer(k->loop, QUIET_MS, on_quiet, k);
	}
}

static void on_notify(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct keeper *k = ptr;
	char buf[4096];

	(void)ev;
	(void)events;
	while (read(k->notify, buf, sizeof(buf)) > 0)
		;
	if (k->look_at <= clock_mono_ms()) {
		k->look_at = clock_mono_ms() + LOOK_MS;
		loop_timer_again(k->look, LOOK_MS);
	}
}

static int watch_heads(struct keeper *k, struct err *e)
{
	char *log = arena_printf(k->a, "%s/leat.db-wal", k->s->leat_dir);

	k->look = loop_timer(k->loop, POLL_MS, on_look, k);
	k->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	/* Where that cannot be had, the heads are looked at now and then. */
	if (k->notify < 0 || inotify_add_watch(k->notify, log, IN_MODIFY) < 0)
		return 0;
	return loop_fd(k->loop, k->notify, EPOLLIN, on_notify, k, NULL, e);
}

/* ---- what a spout writes ---- */

static void follow(struct keeper *k);

static void on_followed(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct keeper *k = ptr;
	char text[PROC_TEXT];

	(void)ev;
	proc_exit_text(x, text);
	if (!proc_exit_ok(x))
		say(k, "what depends on its commits: %s", text);
	proc_free(&k->downstream);
	k->downstream = (struct proc)PROC_INIT;
	follow(k);
}

/* Runs what depends on its commits, up to the last one, by the command for that. */
static void follow(struct keeper *k)
{
	const char *argv[] = {proc_self_exe(), "-C", k->ws->dir, "wait", k->commit.hex, NULL};
	struct proc_spec spec = PROC_SPEC;
	struct err e = ERR_INIT;

	if (k->downstream.pid || k->over || !k->commit.hex[0] || !strcmp(k->commit.hex, k->followed.hex))
		return;
	k->followed = k->commit;
	spec.argv = argv;
	spec.out = spec.err = k->log;
	spec.die_with_parent = true;
	if (proc_spawn(&spec, &k->downstream, &e) ||
	    loop_child(k->loop, &k->downstream, on_followed, k, NULL, &e)) {
		say(k, "%s", e.msg);
		k->downstream.pid = 0;
	}
}

static int commit_archive(struct keeper *k, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct stay_commit how = {.command = "leat up", .inputs = k->turn.inputs, .reason = "an archive was whole"};
	struct commit c;
	bool made;

	if (stay_commit(k->s, a, k->j, k->spool, &how, &c, &made, e) ||
	    dir_remove_tree(k->spool, e) || dir_make(k->spool, 0755, e))
		return -1;
	if (made) {
		k->commit = c.id;
		k->worked = true;
		tell(k, k->running ? STAY_RUNNING : STAY_WAITING, NULL, NULL);
		follow(k);
	}
	return 0;
}

/* What came of a stream that is no archive, or was cut short, is thrown away. */
static void scrap(struct keeper *k, const char *why)
{
	struct err e = ERR_INIT;

	say(k, "nothing of this archive is committed: %s", why);
	stay_tar_again(k->tar);
	if (dir_remove_tree(k->spool, &e) || dir_make(k->spool, 0755, &e))
		say(k, "%s", e.msg);
}

static void take_bytes(struct keeper *k, const char *p, size_t n)
{
	while (n && !k->deaf) {
		struct err e = ERR_INIT;
		size_t used = 0;
		int r = stay_tar_take(k->tar, p, n, &used, &e);

		if (r > 0 && commit_archive(k, &e))
			r = -1;
		if (r < 0) {
			scrap(k, e.msg);
			k->deaf = true;
		}
		p += used;
		n -= used;
	}
}

static int open_pipe(struct keeper *k, struct err *e);

/* Whether there was something, or may be. */
static bool read_pipe(struct keeper *k)
{
	char *buf = xmalloc(STREAM);
	ssize_t n = read(k->pipe, buf, STREAM);
	bool ended = n == 0;

	if (n > 0)
		take_bytes(k, buf, (size_t)n);
	free(buf);
	k->ended = ended;
	return n > 0;
}

static void on_stream(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct keeper *k = ptr;
	struct err e = ERR_INIT;
	int old;

	(void)events;
	if (read_pipe(k) || !k->ended)
		return;
	/* All who wrote have closed it. Who opens it next must find a reader: the new one, before the old goes. */
	if (stay_tar_within(k->tar))
		scrap(k, "it was not written to its end");
	stay_tar_again(k->tar);
	k->deaf = false;
	old = k->pipe;
	loop_close(ev);
	if (open_pipe(k, &e))
		say(k, "%s", e.msg);
	fd_close(&old);
}

static int open_pipe(struct keeper *k, struct err *e)
{
	k->pipe = open(k->at.out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (k->pipe < 0)
		return err_errno(e, errno, "cannot read %s", k->at.out);
	return loop_fd(k->loop, k->pipe, EPOLLIN, on_stream, k, &k->stream, e);
}

static int make_pipe(struct keeper *k, struct err *e)
{
	k->spool = arena_printf(k->a, "%s/files", k->at.dir);
	k->tar = stay_tar_new(k->spool);
	if (dir_remove_tree(k->at.out, e) || dir_make(k->spool, 0755, e))
		return -1;
	if (mkfifo(k->at.out, 0600))
		return err_errno(e, errno, "cannot make a named pipe %s", k->at.out);
	return open_pipe(k, e);
}

/* ---- beginning ---- */

static int lay_code(struct keeper *k, struct err *e)
{
	for (size_t i = 0; i < k->j->n_code; i++) {
		const struct job_code *c = &k->j->code[i];
		char *from = arena_printf(k->a, "%s/%.*s", k->ws->dir, STR_ARG(c->path));
		char *to = arena_printf(k->a, "%s/work/%.*s", k->at.dir, STR_ARG(c->label));
		struct stat st;

		if (dir_make_parent(to, 0755, e) || file_stat(from, &st, e) ||
		    file_copy(from, to, (st.st_mode & 0777) | 0600, 0, e))
			return -1;
	}
	return 0;
}

/* ---- mode: dev ---- */

/*
 * The job as it is saved now. One with a mistake in it is told, and what was there goes on; its inputs, its port and
 * its kind are those it was started with.
 */
static void reload(struct keeper *k)
{
	struct err e = ERR_INIT;
	struct flow *f = NULL;
	const struct job *old = k->j;
	struct job *j;
	struct stay_keys keys;

	k->dirty = false;
	if (!flow_open(k->s, job_kinds, true, &f, &e) && !jobs_find(f->jobs, old->name, &j, &e)) {
		stay_keys(k->a, j, &keys);
		if (j->kind != old->kind || keys.port != k->keys.port)
			err_set(&e, ERR_BAD_CONFIG, "its kind or port was changed: leat down and leat up take that up");
	}
	if (!e.code) {
		k->j = j;
		if (dir_remove_tree(arena_printf(k->a, "%s/work", k->at.dir), &e) || lay_code(k, &e))
			k->j = old;
	}
	if (e.code) {
		say(k, "%s%s%s", e.file[0] ? e.file : "", e.file[0] ? ": " : "", e.msg);
		flow_close(f);
		return;
	}
	flow_close(k->f);
	k->f = f;
}

static void on_saved(struct loop_ev *ev, void *ptr)
{
	struct keeper *k = ptr;

	(void)ev;
	k->saved = NULL;
	k->dirty = true;
	if (k->want != WANT_UP)
		return;
	say(k, "its files were saved: it is started anew");
	if (k->running) {
		end_process(k, WANT_AGAIN);
	} else if (k->again) { /* it waits after a failure, which this may mend */
		loop_close(k->again);
		k->again = NULL;
		k->restarts++;
		start(k);
	}
}

static bool wants_folder(void *ptr, const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	return name[0] != '.' && strcmp(name, "__pycache__") != 0;
}

static void told_saved(void *ptr, const char *path)
{
	struct keeper *k = ptr;

	if (path[0] && !wants_folder(NULL, path))
		return;
	if (k->saved)
		loop_timer_again(k->saved, SAVED_MS);
	else
		k->saved = loop_timer(k->loop, SAVED_MS, on_saved, k);
}

static void on_files(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct keeper *k = ptr;
	struct err e = ERR_INIT;

	(void)ev;
	(void)events;
	if (notify_read(k->files, told_saved, k, &e))
		say(k, "%s", e.msg);
}

static int watch_files(struct keeper *k, struct err *e)
{
	const struct dom *mode = dom_get(k->j->own, "mode");

	if (!mode || mode->type != DOM_STR || !str_is(mode->s, "dev"))
		return 0;
	if (notify_new(k->ws->dir, wants_folder, k, &k->files, e) ||
	    notify_add(k->files, arena_cstr(k->a, k->j->dir), e))
		return -1;
	if (dir_exists(path_join(k->a, k->ws->dir, "python")) && notify_add(k->files, "python", e))
		return -1;
	return loop_fd(k->loop, notify_fd(k->files), EPOLLIN, on_files, k, NULL, e);
}

/* What a keeper that was killed left there is committed first. */
static int make_folders(struct keeper *k, struct err *e)
{
	static const char *const folders[] = {"in", "work", "root", "tmp", "home"};
	struct stat st;

	if (!lstat(k->at.out, &st) && S_ISDIR(st.st_mode) &&
	    commit_out(k, "its keeper was killed; this is what it had written", e))
		return -1;
	clear(k);
	if (dir_remove_tree(k->at.out, e) || (file_exists(k->at.stop) && file_unlink(k->at.stop, e)))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (dir_make(arena_printf(k->a, "%s/%s", k->at.dir, folders[i]), 0700, e))
			return -1;
	if (lay_code(k, e))
		return -1;
	return stay_is_spout(k->j) ? make_pipe(k, e) : stay_lay_out(k->s, k->a, k->j, k->at.out, e);
}

/* Waits for the end of the keeper, however it comes, and ends what that left running. */
static int post_guard(struct keeper *k, struct err *e)
{
	const char *argv[] = {proc_self_exe(), "--role", STAY_GUARD_ROLE, k->marker, NULL};
	struct proc_spec spec = PROC_SPEC;
	int ends[2];
	int rc;

	if (fd_pipe(ends, e))
		return -1;
	spec.argv = argv;
	spec.out = spec.err = -1;
	spec.fds[0] = ends[0];
	spec.n_fds = 1;
	spec.cwd = "/";
	rc = proc_spawn(&spec, &k->guard, e);
	close(ends[0]);
	k->guard_end = ends[1];
	return rc;
}

static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	(void)ev;
	(void)signo;
	end_process(ptr, WANT_DOWN);
}

static int open_all(struct keeper *k, const char *dir, const char *name, struct err *e)
{
	struct job *j;

	if (workspace_open(dir, &k->ws, e) || store_open(k->ws, &k->s, e))
		return -1;
	stay_place(k->a, k->s, str_of(name), &k->at);
	k->marker = arena_printf(k->a, "stay-%s", id_new().hex);
	if (dir_make(k->at.dir, 0755, e) || lock_try(&k->lock, k->at.lock, "leat up", 0, e))
		return -1;
	if (stay_clean(k->a, &k->at, e) ||
	    (file_exists(k->at.log) && file_rename(k->at.log, arena_printf(k->a, "%s.1", k->at.log), e)) ||
	    file_open_write(k->at.log, O_APPEND, 0644, &k->log, e) || flow_open(k->s, job_kinds, true, &k->f, e) ||
	    jobs_find(k->f->jobs, str_of(name), &j, e))
		return -1;
	k->j = j;
	stay_keys(k->a, j, &k->keys);
	return 0;
}

static int keep(struct keeper *k, struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

	if (k->keys.port && stay_port_free(k->keys.port, e))
		return -1;
	tell(k, STAY_STARTING, NULL, NULL);
	if (loop_new(&k->loop, e) ||
	    loop_signal(k->loop, signals, ARRAY_LEN(signals), on_signal, k, NULL, e) || post_guard(k, e) ||
	    make_folders(k, e) || watch_heads(k, e) || watch_files(k, e))
		return -1;
	k->probe = stay_probe_new(k->a, k->loop, &k->keys, on_probe, k);
	start(k);
	return k->over ? 0 : loop_run(k->loop, e);
}

int stay_worker_main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct keeper k = {.a = a, .guard = PROC_INIT, .downstream = PROC_INIT, .guard_end = -1, .notify = -1,
	                   .log = -1, .pipe = -1, .lock = LOCK_INIT, .turn = {.arena = arena_new()}};
	struct err e = ERR_INIT;
	int rc;

	if (argc < 5)
		return 2;
	(void)setsid(); /* no terminal's hangup or Ctrl-C is meant for it */
	signal(SIGPIPE, SIG_IGN);
	proc_subreaper();
	rc = open_all(&k, argv[3], argv[4], &e) || keep(&k, &e);
	if (rc && k.lock.fd >= 0 && !k.over) {
		tell(&k, STAY_FAILED, NULL, &e);
		say(&k, "%s", e.msg);
	}
	if (rc && k.running)
		exec_cancel(k.x, true);
	loop_free(k.loop);
	stay_tar_free(k.tar);
	flow_close(k.f);
	store_close(k.s);
	workspace_close(k.ws);
	proc_free(&k.guard);
	fd_close(&k.guard_end);
	fd_close(&k.notify);
	notify_free(k.files);
	fd_close(&k.pipe);
	fd_close(&k.log);
	arena_free(k.turn.arena);
	lock_drop(&k.lock);
	arena_free(a);
	return rc ? 1 : 0;
}

int stay_guard_main(int argc, char **argv)
{
	char c;

	if (argc < 4)
		return 2;
	(void)setsid();
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(3, &c, 1) < 0 && errno == EINTR)
		;
	for (int i = 0; i < 500 && proc_kill_marked(argv[3]); i++)
		usleep(10000);
	return 0;
}
