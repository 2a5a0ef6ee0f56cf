#include "db/duck.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/str.h"
#include "db/duck_abi.h"
#include "db/duck_frame.h"
#include "sys/file.h"
#include "sys/proc.h"

#define TICK_MS 100
#define LAST_BREATH_MS 2000 /* between the end of its socket and the end of a worker */

struct duck {
	struct duck_conf conf;
	char *leat_dir, *timezone;
	struct proc proc;
	int fd;
	bool busy, cancelled;
	struct buf in;
};

struct duck *duck_new(const struct duck_conf *c)
{
	struct duck *d = xcalloc(1, sizeof(*d));

	d->conf = *c;
	d->leat_dir = c->leat_dir ? xstrdup(c->leat_dir) : NULL;
	d->timezone = xstrdup(c->timezone ? c->timezone : "UTC");
	d->proc = (struct proc)PROC_INIT;
	d->fd = -1;
	buf_init(&d->in, DUCK_MAX_FRAME + (1 << 20));
	return d;
}

/* Reaps the worker, by force where it does not end by itself, and removes what it spilled. */
static void reap(struct duck *d, struct proc_exit *x)
{
	struct err e = ERR_INIT;

	if (d->fd < 0)
		return;
	*x = (struct proc_exit){0};
	fd_close(&d->fd);
	d->fd = -1;
	buf_reset(&d->in);
	if (proc_wait_for(&d->proc, LAST_BREATH_MS, x, &e) != 1) {
		proc_signal(&d->proc, SIGKILL);
		if (proc_wait(&d->proc, x, &e))
			err_clear(&e);
	}
	if (d->leat_dir) {
		char spill[4200];

		snprintf(spill, sizeof(spill), "%s/staging/duck-%d", d->leat_dir, (int)d->proc.pid);
		if (dir_remove_tree(spill, &e))
			err_clear(&e); /* a folder of temporary files that stays is swept with staging */
	}
	proc_free(&d->proc);
	d->proc = (struct proc)PROC_INIT;
}

void duck_free(struct duck *d)
{
	struct proc_exit x;

	if (!d)
		return;
	if (d->busy && d->fd >= 0)
		proc_signal(&d->proc, SIGKILL);
	reap(d, &x);
	buf_free(&d->in);
	free(d->leat_dir);
	free(d->timezone);
	free(d);
}

int duck_start(struct duck *d, struct err *e)
{
	struct proc_spec s = PROC_SPEC;
	char threads[16], memory[32];
	int pair[2], leat FD_CLEANUP = -1;

	if (d->fd >= 0)
		return 0;
	unsigned cpus = proc_cpus();
	/* What is left for others: several workers, the program itself, the file cache. */
	uint64_t most = d->conf.memory ? d->conf.memory : proc_memory() / 10 * 6;
	snprintf(threads, sizeof(threads), "%d", d->conf.threads ? d->conf.threads : (int)cpus);
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)most);
	const char *argv[] = {proc_self_exe(), "--role", "duck", threads, memory, d->timezone, d->leat_dir, NULL};

	if (d->leat_dir && dir_open(d->leat_dir, &leat, e))
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_errno(e, errno, "no socket for the SQL worker");
	s.argv = argv;
	s.fds[0] = pair[1];
	s.fds[1] = leat;
	s.n_fds = leat >= 0 ? 2 : 1;
	s.die_with_parent = true;
	if (proc_spawn(&s, &d->proc, e)) {
		fd_close(&pair[0]);
		fd_close(&pair[1]);
		return err_wrap(e, "the SQL worker could not be started");
	}
	fd_close(&pair[1]);
	d->fd = pair[0];
	return 0;
}

bool duck_busy(const struct duck *d)
{
	return d->busy;
}

int duck_fd(const struct duck *d)
{
	return d->fd;
}

int duck_send(struct duck *d, const struct dom *request, struct err *e)
{
	struct buf body cleanup(buf_free) = BUF_INIT(DUCK_MAX_FRAME);
	struct proc_exit x;

	BUG_IF(d->busy);
	dom_write_json(&body, request, DOM_COMPACT);
	if (buf_over(&body))
		return err_set(e, ERR_LIMIT, "a request to the SQL worker is over its limit of %zu MiB",
			       DUCK_MAX_FRAME >> 20);
	for (int attempt = 0;; attempt++) {
		struct err why = ERR_INIT;

		if (duck_start(d, e))
			return -1;
		if (!frame_write(d->fd, FRAME_REQUEST, buf_str(&body), &why))
			break;
		reap(d, &x); /* it died since the last request: a fresh one, once */
		if (attempt) {
			*e = why;
			return -1;
		}
	}
	d->busy = true;
	d->cancelled = false;
	return 0;
}

void duck_cancel(struct duck *d)
{
	struct err e = ERR_INIT;

	if (!d->busy || d->cancelled || d->fd < 0)
		return;
	d->cancelled = true;
	if (frame_write(d->fd, FRAME_CANCEL, STR(""), &e))
		err_clear(&e); /* it is dead: duck_recv says so */
}

static void died(struct duck *d, struct arena *a, struct duck_msg *out)
{
	struct proc_exit x;
	char how[PROC_TEXT];

	reap(d, &x);
	d->busy = false;
	proc_exit_text(&x, how);
	*out = (struct duck_msg){.kind = DUCK_FAILED, .offset = -1, .err = arena_new_of(a, struct err)};
	if (d->cancelled) {
		err_set(out->err, ERR_CANCELLED, "the query was cancelled");
		return;
	}
	err_set(out->err, ERR_FAILED, "the SQL worker died (%s)%s", how, x.signal == SIGKILL ? ": out of memory?" : "");
	err_hint(out->err, x.signal == SIGKILL
				   ? "give it less at once, or the machine more memory; nothing was published"
				   : "run it again; nothing was published");
}

static void read_rows(struct arena *a, struct str body, struct duck_rows *out)
{
	const char *p = body.p, *end = body.p + body.n;
	uint32_t n[2];

	BUG_IF(body.n < sizeof(n));
	memcpy(n, p, sizeof(n));
	p += sizeof(n);
	/* One copy of the body holds all cells: they point into it. */
	struct str copy = arena_str(a, (struct str){p, (size_t)(end - p)});
	p = copy.p;
	end = p + copy.n;
	out->n_rows = n[0];
	out->n_cols = n[1];
	out->at = arena_array(a, struct str, (size_t)n[0] * n[1]);
	for (size_t i = 0; i < (size_t)n[0] * n[1]; i++) {
		uint32_t len;

		BUG_IF((size_t)(end - p) < sizeof(len));
		memcpy(&len, p, sizeof(len));
		p += sizeof(len);
		if (len == FRAME_NULL)
			continue;
		BUG_IF((size_t)(end - p) < len);
		out->at[i] = (struct str){p, len};
		p += len;
	}
}

static void read_failure(struct arena *a, const struct dom *doc, struct duck_msg *out)
{
	struct dom *hint = dom_get(doc, "hint"), *offset = dom_get(doc, "offset");
	struct str code = dom_text(a, dom_get(doc, "code")), msg = dom_text(a, dom_get(doc, "msg"));

	out->err = arena_new_of(a, struct err);
	out->offset = offset ? offset->i : -1;
	err_set(out->err, err_code_of_word(code), "%.*s", STR_ARG(msg));
	if (hint)
		err_hint(out->err, "%.*s", STR_ARG(hint->s));
}

/* Turns a frame into a message; in `last` if it ends the request, else in `a`. */
static void decode(struct duck *d, enum frame_kind kind, struct str body, struct arena *a, struct arena *last,
                   struct duck_msg *out)
{
	struct dom *doc = NULL;
	struct err e = ERR_INIT;

	*out = (struct duck_msg){.offset = -1};
	if (kind == FRAME_DONE || kind == FRAME_FAILED) {
		a = last;
		d->busy = false;
	}
	if (kind == FRAME_DONE || kind == FRAME_FAILED || kind == FRAME_HEAD)
		if (dom_json(a, arena_str(a, body), "worker", &doc, &e))
			BUG("a reply of the SQL worker is no JSON: %s", e.msg);
	switch (kind) {
	case FRAME_PROGRESS:
		out->kind = DUCK_PROGRESS;
		BUG_IF(body.n != sizeof(out->progress));
		memcpy(&out->progress, body.p, sizeof(out->progress));
		break;
	case FRAME_HEAD:
		out->kind = DUCK_HEAD;
		out->reply = doc;
		break;
	case FRAME_ROWS:
		out->kind = DUCK_ROWS;
		read_rows(a, body, &out->rows);
		break;
	case FRAME_DONE:
		out->kind = DUCK_DONE;
		out->reply = doc;
		break;
	case FRAME_FAILED:
		out->kind = DUCK_FAILED;
		read_failure(a, doc, out);
		break;
	default:
		BUG("the SQL worker sent a frame of kind %d", kind);
	}
}

static int receive(struct duck *d, struct arena *a, struct arena *last, struct duck_msg *out)
{
	enum frame_kind kind;
	struct str body;
	size_t used;

	while (d->fd >= 0) {
		int r = frame_next(&d->in, &kind, &body, &used);

		if (r == 1) {
			decode(d, kind, body, a, last, out);
			buf_consume(&d->in, used);
			return 1;
		}
		long got = r < 0 ? 0 : frame_fill(d->fd, &d->in, false);
		if (got > 0)
			continue;
		if (got < 0)
			return 0;
		if (d->busy) {
			died(d, last, out);
			return 1;
		}
		struct proc_exit x;
		reap(d, &x); /* idle: the next request starts another */
	}
	return 0;
}

int duck_recv(struct duck *d, struct arena *a, struct duck_msg *out)
{
	return receive(d, a, a, out);
}

int duck_wait(struct duck *d, struct arena *a, duck_cb cb, void *ptr, const struct dom **reply, int64_t *offset,
              struct err *e)
{
	struct arena *tmp cleanup(arena_cleanup) = arena_new();
	struct duck_msg m = {0}, tick = {.kind = DUCK_PROGRESS};

	for (;;) {
		if (!receive(d, tmp, a, &m)) {
			struct pollfd p = {.fd = d->fd, .events = POLLIN};

			if (poll(&p, 1, TICK_MS) <= 0 && cb && cb(ptr, &tick))
				duck_cancel(d);
			continue;
		}
		if (m.kind == DUCK_DONE) {
			if (reply)
				*reply = m.reply;
			return 0;
		}
		if (m.kind == DUCK_FAILED) {
			*e = *m.err;
			if (offset)
				*offset = m.offset;
			return -1;
		}
		if (m.kind == DUCK_PROGRESS)
			tick = m;
		if (cb && cb(ptr, &m))
			duck_cancel(d);
		arena_reset(tmp);
	}
}

int duck_call(struct duck *d, struct arena *a, const struct dom *request, duck_cb cb, void *ptr,
              const struct dom **reply, int64_t *offset, struct err *e)
{
	return duck_send(d, request, e) ? -1 : duck_wait(d, a, cb, ptr, reply, offset, e);
}

struct sha duck_library_id(void)
{
	const char *path = duck_abi_would_load();
	struct file_key key;
	struct sha none = {0};
	struct stat st;

	if (!path || stat(path, &st)) /* through a link: it is the file behind it that speaks */
		return none;
	key = file_key_of(&st);
	return sha_of(&key, sizeof(key));
}

int duck_library(char *version, size_t cap, char *path, size_t path_cap, struct err *e)
{
	if (duck_abi_load(e))
		return -1;
	snprintf(version, cap, "%s", duckdb.library_version());
	snprintf(path, path_cap, "%s", duck_abi_path());
	return 0;
}
