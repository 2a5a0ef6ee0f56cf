#include "exec/local_pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "flow/flow.h"
#include "repo/blob.h"
#include "sys/file.h"

#define LIST_MAX ((size_t)256 << 20)
#define CHUNK 65536
#define STACK_BYTES ((size_t)512 << 10) /* of which a thread that waits touches two pages */

/* --- the worker --- */

struct pipes {
	struct arena *a;
	const char *dir;           /* the workspace */
	pthread_mutex_t lock;      /* of all below */
	struct workspace *ws;
	struct store *store;       /* opened when something is read */
	unsigned long made;        /* pipes, for their names */
};

struct one {
	struct pipes *all;
	const char *path;
	struct sha id;
};

static void give_up(const struct err *e)
{
	fprintf(stderr, "leat: a lazy input cannot be read: %s\n", e->msg);
	_exit(1);
}

static void *wait_and_serve(void *ptr);

static void start(struct one *o)
{
	struct err e = ERR_INIT;
	pthread_attr_t attr;
	pthread_t t;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&t, &attr, wait_and_serve, o);
	pthread_attr_destroy(&attr);
	if (error) {
		err_errno(&e, error, "no thread for %s", o->path);
		give_up(&e);
	}
}

/* Another pipe takes the name of the one that was just opened. */
static int renew(struct one *o, struct err *e)
{
	char next[PATH_MAX];
	unsigned long n;

	pthread_mutex_lock(&o->all->lock);
	n = o->all->made++;
	pthread_mutex_unlock(&o->all->lock);
	/* Beside the folder that the task sees. */
	snprintf(next, sizeof(next), "%s/pipe-%d-%lu", getenv("TMPDIR"), (int)getpid(), n);
	return file_fifo(next, e) || file_rename(next, o->path, e) ? -1 : 0;
}

static int open_bytes(struct one *o, int *fd, struct err *e)
{
	struct pipes *p = o->all;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (!p->store)
		rc = workspace_open(p->dir, &p->ws, e) || store_open(p->ws, &p->store, e);
	rc = rc || blob_open(p->store, &o->id, fd, e);
	pthread_mutex_unlock(&p->lock);
	return rc ? -1 : 0;
}

static void *wait_and_serve(void *ptr)
{
	struct one *o = ptr;
	struct err e = ERR_INIT;
	char chunk[CHUNK];
	int to, from = -1;
	bool over = false;
	size_t n;

	do {
		to = open(o->path, O_WRONLY | O_CLOEXEC);
	} while (to < 0 && errno == EINTR);
	if (to < 0) {
		err_errno(&e, errno, "cannot open %s", o->path);
		give_up(&e);
	}
	if (renew(o, &e) || open_bytes(o, &from, &e))
		give_up(&e);
	start(o);
	while (!over) {
		if (fd_read_full(from, chunk, sizeof(chunk), &n, o->path, &e))
			give_up(&e);
		over = n < sizeof(chunk);
		for (size_t done = 0; done < n;) {
			ssize_t w = write(to, chunk + done, n - done);

			if (w < 0 && errno == EINTR)
				continue;
			if (w < 0) { /* it was closed early */
				over = true;
				break;
			}
			done += (size_t)w;
		}
	}
	close(from);
	close(to);
	return NULL;
}

int pipes_worker_main(int argc, char **argv)
{
	struct pipes p = {.a = arena_new(), .lock = PTHREAD_MUTEX_INITIALIZER};
	struct err e = ERR_INIT;
	struct str list, line;

	if (argc < 4 || !getenv("TMPDIR"))
		return 2;
	p.dir = argv[3];
	signal(SIGPIPE, SIG_IGN);
	if (file_read_fd(p.a, STDIN_FILENO, "standard input", LIST_MAX, &list, &e))
		give_up(&e);
	while (str_cut(list, 0, &line, &list)) {
		struct one *o = arena_new_of(p.a, struct one);

		o->all = &p;
		if (line.n <= SHA_HEX || !sha_parse(str_sub(line, 0, SHA_HEX), &o->id))
			return 2;
		o->path = arena_cstr(p.a, str_sub(line, SHA_HEX, line.n));
		start(o);
	}
	for (;;) /* until it is killed, with its task */
		pause();
}

/* --- starting it --- */

static int list_fd(const struct attempt *t, int *fd, struct err *e)
{
	int f FD_CLEANUP = memfd_create("pipes", MFD_CLOEXEC);
	struct buf b cleanup(buf_free) = BUF_INIT(LIST_MAX);

	if (f < 0)
		return err_errno(e, errno, "cannot make the list of lazy inputs");
	for (size_t i = 0; i < t->n_lazy; i++) {
		char hex[SHA_HEX + 1];

		sha_hex(&t->lazy[i].id, hex);
		buf_addf(&b, "%s%s", hex, t->lazy[i].path);
		buf_addc(&b, 0);
	}
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the list of lazy inputs is larger than %zu bytes", LIST_MAX);
	if (fd_pwrite_all(f, b.p, b.n, 0, "the list of lazy inputs", e))
		return -1;
	*fd = fd_steal(&f);
	return 0;
}

int pipes_start(const struct attempt *t, int log, struct proc *out, struct err *e)
{
	const char *argv[] = {proc_self_exe(), "--role", PIPES_ROLE, t->flow->ws->dir, NULL};
	const char *env[] = {arena_printf(t->arena, "TMPDIR=%s", t->lazy_dir), "LANG=C.UTF-8", NULL};
	struct proc_spec s = PROC_SPEC;
	int in FD_CLEANUP = -1;

	if (list_fd(t, &in, e))
		return -1;
	s.argv = argv;
	s.env = env;
	s.in = in;
	s.out = s.err = log;
	s.die_with_parent = true;
	return proc_spawn(&s, out, e);
}
