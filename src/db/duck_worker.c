#include "db/duck_worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "db/duck.h"
#include "db/duck_frame.h"

#define SOCKET 3
#define PROGRESS_MS 100

/*
 * Shared between the three threads, under .lock: the request that waits, whether one is at work, the connection that a
 * cancel interrupts. .write_lock keeps frames whole; who holds it may wait for a slow reader, so it is never taken
 * together with .lock.
 */
static struct {
	pthread_mutex_t lock, write_lock;
	pthread_cond_t come;
	struct buf request;
	bool has_request, working, cancelled;
	duck_connection con;
} shared = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.write_lock = PTHREAD_MUTEX_INITIALIZER,
	.come = PTHREAD_COND_INITIALIZER,
	.request = BUF_INIT(DUCK_MAX_FRAME),
};

bool worker_cancelled(void)
{
	pthread_mutex_lock(&shared.lock);
	bool yes = shared.cancelled;
	pthread_mutex_unlock(&shared.lock);
	return yes;
}

int worker_send(int kind, struct str body, struct err *e)
{
	pthread_mutex_lock(&shared.write_lock);
	int r = frame_write(SOCKET, (enum frame_kind)kind, body, e);
	pthread_mutex_unlock(&shared.write_lock);
	return r;
}

static void cancel(void)
{
	pthread_mutex_lock(&shared.lock);
	if (shared.working) {
		shared.cancelled = true;
		if (shared.con)
			duckdb.interrupt(shared.con);
	}
	pthread_mutex_unlock(&shared.lock);
}

static void take(enum frame_kind kind, struct str body)
{
	if (kind == FRAME_CANCEL) {
		cancel();
		return;
	}
	pthread_mutex_lock(&shared.lock);
	buf_reset(&shared.request);
	buf_addstr(&shared.request, body);
	shared.has_request = shared.working = true;
	shared.cancelled = false;
	pthread_cond_signal(&shared.come);
	pthread_mutex_unlock(&shared.lock);
}

/* Whoever asked is gone when the socket ends: so is the point of going on. */
static void *reader(void *ptr)
{
	struct buf in = BUF_INIT(DUCK_MAX_FRAME + (1 << 20));
	sigset_t set;

	(void)ptr;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	int signals = signalfd(-1, &set, SFD_CLOEXEC);
	for (;;) {
		struct pollfd p[2] = {{.fd = SOCKET, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
		struct signalfd_siginfo si;
		enum frame_kind kind;
		struct str body;
		size_t used;
		int r;

		if (poll(p, 2, -1) < 0)
			continue;
		if ((p[1].revents & POLLIN) && read(signals, &si, sizeof(si)) == sizeof(si))
			cancel();
		if (!p[0].revents)
			continue;
		if (frame_fill(SOCKET, &in, false) == 0)
			_exit(0);
		while ((r = frame_next(&in, &kind, &body, &used)) == 1) {
			take(kind, body);
			buf_consume(&in, used);
		}
		if (r < 0)
			_exit(2);
	}
}

static void *ticker(void *ptr)
{
	const struct timespec tick = {0, PROGRESS_MS * 1000000L};
	double last = -1;

	(void)ptr;
	for (;;) {
		double now = -1;

		nanosleep(&tick, NULL);
		pthread_mutex_lock(&shared.lock);
		if (!shared.working)
			last = -1;
		if (shared.working && shared.con) {
			now = duckdb.query_progress(shared.con).percentage;
			/* An interrupt that came between two statements is forgotten by DuckDB, not by us. */
			if (shared.cancelled)
				duckdb.interrupt(shared.con);
		}
		pthread_mutex_unlock(&shared.lock);
		if (now >= 0 && now != last) {
			struct err e = ERR_INIT;

			if (worker_send(FRAME_PROGRESS, (struct str){(const char *)&now, sizeof(now)}, &e))
				return NULL;
			last = now;
		}
	}
}

static int setting(duck_config c, const char *name, const char *value, struct err *e)
{
	if (duckdb.set_config(c, name, value))
		return err_set(e, ERR_NO_LIBRARY, "this libduckdb (%s) does not know the setting %s",
			       duckdb.library_version(), name);
	return 0;
}

struct conf {
	const char *threads, *memory, *timezone, *leat_dir;
};

static int configure(duck_config c, const struct conf *f, struct err *e)
{
	char memory[48], spill[4200];

	snprintf(memory, sizeof(memory), "%sB", f->memory);
	if (setting(c, "threads", f->threads, e) || setting(c, "memory_limit", memory, e) ||
	    setting(c, "autoinstall_known_extensions", "false", e) ||
	    setting(c, "autoload_known_extensions", "false", e) || setting(c, "errors_as_json", "true", e) ||
	    setting(c, "allow_community_extensions", "false", e))
		return -1;
	if (!f->leat_dir)
		return 0;
	snprintf(spill, sizeof(spill), "%s/staging/duck-%d", f->leat_dir, (int)getpid());
	return setting(c, "temp_directory", spill, e);
}

static duck_database database;

static int open_database(struct worker *w, const struct conf *f, struct err *e)
{
	duck_config c = NULL;
	duck_connection con = NULL;
	char *why = NULL;

	if (duck_abi_load(e))
		return -1;
	if (duckdb.create_config(&c))
		return err_set(e, ERR_NO_LIBRARY, "libduckdb refuses to be configured");
	if (configure(c, f, e)) {
		duckdb.destroy_config(&c);
		return -1;
	}
	if (duckdb.open_ext(NULL, &database, c, &why) || duckdb.connect(database, &con)) {
		err_set(e, ERR_FAILED, "DuckDB does not open: %s", why ? why : "no reason given");
		duckdb.free(why);
		duckdb.destroy_config(&c);
		return -1;
	}
	duckdb.destroy_config(&c);
	w->con = con;
	int64_t threads = 1;
	if (!str_to_i64(str_of(f->threads), &threads))
		threads = 1;
	w->threads_now = w->threads = (int)threads;
	w->timezone = f->timezone;
	w->timezone_now[0] = 0;
	w->order_now = true;

	struct duck_result r;
	if (duckdb.query(con, "set enable_progress_bar = true; set enable_progress_bar_print = false", &r))
		err_set(e, ERR_FAILED, "DuckDB does not open: %s", duckdb.result_error(&r));
	duckdb.destroy_result(&r);
	/* Only now: a cancel of the request that waits already is not to hit what makes the database ready for all. */
	pthread_mutex_lock(&shared.lock);
	shared.con = con;
	pthread_mutex_unlock(&shared.lock);
	return e->code ? -1 : 0;
}

static void close_database(struct worker *w)
{
	pthread_mutex_lock(&shared.lock);
	shared.con = NULL;
	pthread_mutex_unlock(&shared.lock);
	if (w->con)
		duckdb.disconnect(&w->con);
	if (database)
		duckdb.close(&database);
}

static const struct {
	const char *op;
	int (*work)(struct work *k, struct err *e);
} operations[] = {
	{"write", work_write}, {"row_id", work_row_id}, {"query", work_query},
	{"copy", work_copy},   {"sniff", work_sniff},   {"parse", work_parse},
	{"step", work_step}, {"steps", work_steps}, {"write_many", work_write_many}, {"whole", work_whole},
};

static int dispatch(struct work *k, struct err *e)
{
	struct dom *op = dom_get(k->request, "op");

	for (size_t i = 0; op && i < ARRAY_LEN(operations); i++)
		if (str_is(op->s, operations[i].op))
			return operations[i].work(k, e);
	return err_set(e, ERR_INTERNAL, "the SQL worker knows no such request");
}

/* The request is over for the ticker and for cancels before its end is told, so that a cancel cannot hit the next one.
 */
static bool rest(void)
{
	pthread_mutex_lock(&shared.lock);
	bool cancelled = shared.cancelled;
	shared.working = shared.cancelled = false;
	pthread_mutex_unlock(&shared.lock);
	return cancelled;
}

static void answer(struct work *k, int failed, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(DUCK_MAX_FRAME - FRAME_HEADER);
	struct err gone = ERR_INIT;
	bool cancelled = rest();

	if (failed && cancelled) {
		err_clear(e);
		err_set(e, ERR_CANCELLED, "the query was cancelled");
	}
	if (!failed) {
		dom_write_json(&b, k->reply, DOM_COMPACT);
		if (buf_over(&b))
			failed = err_set(e, ERR_LIMIT, "the SQL worker's answer is over its limit of %zu MiB",
					 DUCK_MAX_FRAME >> 20);
	}
	if (failed) {
		struct dom *f = dom_new(k->a, DOM_MAP);

		dom_set_cstr(k->a, f, "code", err_word(e->code));
		dom_set_cstr(k->a, f, "msg", e->msg);
		if (e->hint[0])
			dom_set_cstr(k->a, f, "hint", e->hint);
		if (k->offset >= 0)
			dom_set_int(k->a, f, "offset", k->offset);
		buf_reset(&b);
		dom_write_json(&b, f, DOM_COMPACT);
	}
	if (worker_send(failed ? FRAME_FAILED : FRAME_DONE, buf_str(&b), &gone))
		_exit(0);
}

static void serve(struct worker *w, const struct conf *f)
{
	struct arena *a = arena_new();
	struct err opening = ERR_INIT;
	int broken = open_database(w, f, &opening);

	for (;;) {
		struct err e = ERR_INIT;
		struct dom *request = NULL;
		int failed;

		pthread_mutex_lock(&shared.lock);
		while (!shared.has_request)
			pthread_cond_wait(&shared.come, &shared.lock);
		shared.has_request = false;
		failed = dom_json(a, arena_str(a, buf_str(&shared.request)), "request", &request, &e);
		pthread_mutex_unlock(&shared.lock);

		struct work k = {.w = w, .a = a, .request = request, .reply = dom_new(a, DOM_MAP), .offset = -1};
		if (dom_get(request, "sql"))
			k.sql = dom_get(request, "sql")->s;
		if (broken) {
			failed = -1;
			e = opening;
		}
		if (!failed)
			failed = dispatch(&k, &e);
		answer(&k, failed, &e);
		if (k.dirty) {
			close_database(w);
			err_clear(&opening);
			broken = open_database(w, f, &opening);
		}
		arena_reset(a);
	}
}

int duck_worker_main(int argc, char **argv)
{
	struct worker w = {0};
	struct conf f = {0};
	pthread_t t;
	sigset_t set;

	/* leat --role duck THREADS MEMORY TIMEZONE [LEAT_DIR] */
	if (argc < 6)
		return 2;
	f = (struct conf){argv[3], argv[4], argv[5], argc > 6 ? argv[6] : NULL};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (pthread_create(&t, NULL, reader, NULL) || pthread_create(&t, NULL, ticker, NULL))
		return 2;
	serve(&w, &f);
	return 0;
}
