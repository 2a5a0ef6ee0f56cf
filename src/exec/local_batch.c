/* Who takes many units: see exec.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "exec/local_in.h"
#include "flow/datum.h"
#include "sys/file.h"

#define ENV_MAX ((size_t)16 << 20)
#define LAZY_FAILED "a lazy input could not be read"
#define ASK_MS 200 /* for a request that was begun */

struct batch {
	struct host *first;
	int made;
};

struct host {
	struct arena *a;
	struct batch *all;
	struct host *next;
	const char *dir;
	struct attempt own;       /* the first unit's, with folders of this process */
	struct exec *x;
	struct loop_ev *asked;
	int listening, asking;    /* asking: who waits for the next unit; -1 */
	struct attempt *t;        /* the unit that it has; NULL */
	bool given;               /* it knows of it */
	bool broken;              /* its folders cannot be emptied: no other unit */
	exec_batch_cb *cb;
	void *ptr;
};

static const char *in(const struct host *h, const char *name)
{
	return arena_printf(h->a, "%s/%s", h->dir, name);
}

/* --- folders --- */

struct copying {
	const char *from, *to;
};

static int copy_entry(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct copying *c = ptr;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	char *from = arena_printf(a, "%s/%s", c->from, entry->path), *to = arena_printf(a, "%s/%s", c->to, entry->path);
	char link[4096];
	ssize_t n;

	switch (entry->type) {
	case DIR_FOLDER:
		return dir_make_one(to, 0700, e);
	case DIR_FILE:
		return file_copy(from, to, 0, 0, e);
	case DIR_LINK:
		n = readlink(from, link, sizeof(link) - 1);
		return n < 0 ? err_errno(e, errno, "%s", entry->path)
		             : file_symlink(arena_printf(a, "%.*s", (int)n, link), to, e);
	default:
		return err_set(e, ERR_FAILED, "the output %s is no plain file (a socket, pipe or device)",
		               entry->path);
	}
}

static int copy_tree(const char *from, const char *to, struct err *e)
{
	struct copying c = {from, to};

	return dir_walk(from, 0, copy_entry, &c, e);
}

/* The folder itself stays: it is what the process has mounted. */
static int empty(const char *dir, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct dir_names names = {0};

	if (dir_list(a, dir, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (dir_remove_tree(arena_printf(a, "%s/%s", dir, names.p[i]), e))
			return -1;
	return 0;
}

/* --- a unit --- */

static const char *seen_pfs(const struct host *h)
{
	return h->own.root_dir ? "/pfs" : in(h, "pfs");
}

static const char *folder_of(struct attempt *t, size_t i)
{
	const struct job_input *input = t->inputs[i].input;

	return arena_cstr(t->arena, input->folder.p ? input->folder : input->name);
}

static bool has_input(const struct attempt *t, size_t i)
{
	for (size_t k = 0; k < t->datum->n; k++)
		if (t->datum->parts[k].leaf == i)
			return true;
	return false;
}

static void add_quoted(struct buf *b, const char *text)
{
	buf_addc(b, '\'');
	for (; *text; text++)
		if (*text == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *text);
	buf_addc(b, '\'');
}

/* What the variables of this unit are, for `source /pfs/.env`. */
static int write_env(struct host *h, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(ENV_MAX);
	struct env v;

	env_init(&v, h->t->arena);
	local_unit_env(h->t, seen_pfs(h), &v);
	for (size_t i = 0; i < v.vars.n; i++) {
		const char *is = strchr(v.vars.p[i], '=');

		if (!is || !keys_is_ident((struct str){v.vars.p[i], (size_t)(is - v.vars.p[i])}))
			continue;
		buf_addf(&b, "export %.*s=", (int)(is - v.vars.p[i]), v.vars.p[i]);
		add_quoted(&b, is + 1);
		buf_addc(&b, '\n');
	}
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the variables of a unit take more than %zu bytes", ENV_MAX);
	return file_replace(in(h, "pfs/.env"), buf_str(&b), 0644, 0, e);
}

/* Its pipes are where the process sees them now. */
static void lazy_moved(struct attempt *t, const char *from, const char *to)
{
	struct str dir = str_of(arena_printf(t->arena, "%s/", from));

	for (size_t i = 0; i < t->n_lazy; i++)
		if (str_has_prefix(str_of(t->lazy[i].path), dir))
			t->lazy[i].path = arena_printf(t->arena, "%s/%s", to, t->lazy[i].path + dir.n);
}

/* Inputs go into what the process sees, or back to the folders of the attempt; pipes go: errCmd gets new ones. */
static int show_inputs(struct host *h, bool there, struct err *e)
{
	struct attempt *t = h->t;
	int rc = 0;

	for (size_t i = 0; i < t->n_inputs && !rc; i++) {
		const char *mine = arena_printf(t->arena, "%s/pfs/%s", h->dir, folder_of(t, i)), *theirs;

		if (!has_input(t, i))
			continue;
		if (there) {
			rc = attempt_input_folder(t, i, &theirs, e) || file_rename(theirs, mine, e);
			if (!rc)
				lazy_moved(t, theirs, mine);
		} else if (t->inputs[i].input->lazy) {
			rc = file_exists(mine) && dir_remove_tree(mine, e);
		} else if (file_exists(mine)) {
			rc = file_rename(mine, arena_printf(t->arena, "%s/%.*s", t->in_dir,
			                                    STR_ARG(t->inputs[i].input->name)), e);
		}
	}
	if (!there)
		t->n_lazy = 0;
	return rc ? -1 : 0;
}

static void answer(struct host *h, const char *line)
{
	ssize_t n = send(h->asking, line, strlen(line), MSG_NOSIGNAL);

	(void)n; /* who has gone needs no answer */
	fd_close(&h->asking);
}

static int give(struct host *h, struct err *e)
{
	if (empty(in(h, "out"), e) || show_inputs(h, true, e) || write_env(h, e) || local_fill(h->x, h->t, e))
		return -1;
	h->given = true;
	answer(h, "unit\n");
	return 0;
}

/* It has no unit any more; the attempt has its folders back. */
static void take_back(struct host *h)
{
	struct err ignored = ERR_INIT;

	(void)local_filled(h->x);
	if (h->given && show_inputs(h, false, &ignored)) {
		err_clear(&ignored);
		h->broken = true;
	}
	local_log(h->x, -1, NULL);
	h->t = NULL;
	h->given = false;
}

static void finish(struct host *h, const struct err *why, int status)
{
	struct attempt *t = h->t;
	struct err e = ERR_INIT;

	if (!local_filled(h->x)) {
		exec_batch_cancel(h, true); /* its death may be on the way, and is this unit's, not the next one's */
		if (!why)
			err_set(&e, ERR_FAILED, LAZY_FAILED);
		why = why ? why : &e;
	}
	local_drain(h->x);
	if (!why && copy_tree(in(h, "out"), t->out_dir, &e))
		why = &e;
	if (empty(in(h, "out"), &e))
		h->broken = true;
	take_back(h);
	h->cb(h->ptr, why, why && !status ? 1 : status);
}

/* --- what it asks --- */

static void on_asked(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct host *h = ptr;
	struct timeval most = {.tv_usec = ASK_MS * 1000};
	int fd = accept4(h->listening, NULL, NULL, SOCK_CLOEXEC);
	char line[EXEC_NEXT_MAX + 1];
	struct err e = ERR_INIT;
	ssize_t n;

	(void)ev;
	(void)events;
	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	n = recv(fd, line, EXEC_NEXT_MAX, 0);
	if (n <= 0 || h->asking >= 0) { /* one asks at a time */
		fd_close(&fd);
		return;
	}
	if (h->t && h->given && local_over(h->x)) { /* its end tells that */
		fd_close(&fd);
		return;
	}
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	h->asking = fd;
	if (h->t && h->given) {
		bool failed = !strncmp(line, "error", 5);

		if (failed)
			err_set(&e, ERR_FAILED, "%s",
			        line[5] == ' ' && line[6] ? line + 6 : "it said that the unit failed");
		finish(h, failed ? &e : NULL, 0);
		return;
	}
	if (h->t && give(h, &e)) {
		h->broken = true;
		finish(h, &e, 1);
	}
}

static void forget(struct host *h)
{
	for (struct host **p = &h->all->first; *p; p = &(*p)->next)
		if (*p == h) {
			*p = h->next;
			break;
		}
	loop_close(h->asked);
	fd_close(&h->asking);
	fd_close(&h->listening);
	arena_free(h->a);
}

static void on_end(void *ptr, const struct proc_exit *exit)
{
	struct host *h = ptr;
	struct attempt *t = h->t;
	exec_batch_cb *cb = h->cb;
	void *cb_ptr = h->ptr;
	char text[PROC_TEXT];
	struct err e = ERR_INIT;

	proc_exit_text(exit, text);
	if (t && !local_filled(h->x))
		err_set(&e, ERR_FAILED, LAZY_FAILED);
	else if (t && proc_exit_ok(exit))
		err_set(&e, ERR_FAILED, "it ended before it asked for the next unit");
	else if (t && exit->why)
		e = *exit->why;
	else if (t)
		err_set(&e, ERR_FAILED, "%s", text);
	if (t)
		take_back(h);
	forget(h);
	if (t)
		cb(cb_ptr, &e, exit->signal ? 128 + exit->signal : exit->status ? exit->status : 1);
}

/* --- starting and ending --- */

static int listen_at(const char *dir, int *out, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd FD_CLEANUP = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), at FD_CLEANUP = -1;

	/* The path of a workspace may be longer than an address. */
	if (fd < 0 || dir_open(dir, &at, e))
		return fd < 0 ? err_errno(e, errno, "no socket") : -1;
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/next", at);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		return err_errno(e, errno, "no socket in %s", dir);
	*out = fd_steal(&fd);
	return 0;
}

static int make_folders(struct host *h, struct attempt *t, struct err *e)
{
	static const char *const names[] = {"pfs", "pfs/out", "out", "work", "ctl", "root", "tmp", "home", "bin"};

	if (dir_make(h->dir, 0700, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (dir_make_one(in(h, names[i]), 0700, e))
			return -1;
	if (!t->root_dir && (file_symlink(proc_self_exe(), in(h, "bin/leat"), e) ||
	                     file_symlink(proc_self_exe(), in(h, "bin/pachctl"), e)))
		return -1;
	return copy_tree(t->work_dir, in(h, "work"), e) || file_copy(t->spec_path, in(h, "spec.json"), 0444, 0, e) ||
	                       listen_at(in(h, "ctl"), &h->listening, e)
	               ? -1
	               : 0;
}

static int launch(struct host *h, struct attempt *t, exec_make *make, struct err *e)
{
	struct root_mount more[] = {
		{.source = in(h, "pfs"), .target = "/pfs"},
		{.source = in(h, "ctl"), .target = "/leat/ctl"},
		{.source = proc_self_exe(), .target = "/leat/bin/leat", .file = true},
		{.source = proc_self_exe(), .target = "/leat/bin/pachctl", .file = true},
	};
	struct exec_task task = {0};
	const char *bin = t->root_dir ? "/leat/bin" : in(h, "bin");
	int log;

	h->own = *t;
	h->own.arena = h->a;
	h->own.datum = NULL;
	h->own.n_inputs = 0;
	h->own.n_lazy = 0;
	h->own.marker = arena_dup(h->a, t->marker);
	h->own.log_path = arena_dup(h->a, t->log_path);
	h->own.out_dir = in(h, "out");
	h->own.work_dir = in(h, "work");
	h->own.spec_path = in(h, "spec.json");
	h->own.root_dir = t->root_dir ? in(h, "root") : NULL;
	h->own.tmp_dir = in(h, "tmp");
	h->own.home_dir = in(h, "home");
	if (make(&h->own, &task, e) || local_host(&h->own, more, ARRAY_LEN(more), &h->x, e) ||
	    attempt_log_fd(t, &log, e))
		return -1;
	local_set(h->x, EXEC_NEXT, t->root_dir ? "/leat/ctl/next" : in(h, "ctl/next"));
	local_set(h->x, "PATH", arena_printf(h->a, "%s:%s", bin, exec_path(t)));
	local_log(h->x, log, t->log_path);
	return loop_fd(t->loop, h->listening, EPOLLIN, on_asked, h, &h->asked, e) ||
	                       exec_run(h->x, &task, on_end, h, e)
	               ? -1
	               : 0;
}

static int start_one(struct attempt *t, struct batch *b, exec_make *make, struct host **out, struct err *e)
{
	struct arena *a = arena_new();
	struct host *h = arena_new_of(a, struct host);
	struct str dir = str_of(t->work_dir), parent, base;

	/* work_dir is RUN/DESK/work */
	for (int i = 0; i < 2; i++)
		if (str_rcut(dir, '/', &parent, &base))
			dir = parent;
	*h = (struct host){.a = a, .all = b, .listening = -1, .asking = -1};
	h->dir = arena_printf(a, "%.*s/host-%d", STR_ARG(dir), ++b->made);
	h->next = b->first;
	b->first = h;
	if (make_folders(h, t, e) || launch(h, t, make, e)) {
		forget(h);
		return -1;
	}
	*out = h;
	return 0;
}

int exec_batch_start(struct attempt *t, exec_make *make, exec_batch_cb *cb, void *ptr, struct host **out,
                     struct err *e)
{
	struct batch *b = *t->kept;
	struct host *h;
	int log;

	if (!b) {
		b = xcalloc(1, sizeof(*b));
		*t->kept = b;
	}
	for (h = b->first; h; h = h->next)
		if (!h->t && h->asking >= 0 && !h->broken)
			break;
	if (!h) {
		if (start_one(t, b, make, &h, e))
			return -1;
		h->t = t;
	} else {
		h->t = t;
		if (attempt_log_fd(t, &log, e)) {
			h->t = NULL;
			return -1;
		}
		local_log(h->x, log, t->log_path);
		if (give(h, e)) {
			h->broken = true;
			take_back(h);
			return -1;
		}
	}
	h->cb = cb;
	h->ptr = ptr;
	*out = h;
	return 0;
}

void exec_batch_cancel(struct host *h, bool hard)
{
	h->broken = true; /* who asks for the next one at this moment dies of the signal all the same */
	exec_cancel(h->x, hard);
}

void exec_batch_end(void *kept)
{
	struct batch *b = kept;
	struct host *h;

	while ((h = b->first)) {
		if (h->asking >= 0)
			answer(h, "end\n");
		local_end(h->x, h->t ? 0 : EXEC_NEXT_END_MS);
		forget(h);
	}
	free(b);
}
