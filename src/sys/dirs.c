#include "sys/dirs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/dir_in.h"
#include "sys/fault.h"

#define PIECE 512      /* names of a folder that one thread looks at */
#define TOLD 256       /* entries that are told of at once */
#define ALONE 256      /* names and folders that are seen before more threads are worth it */
#define PATH_CEILING (64u << 10)

/* Open while somebody reads it, and until all folders in it have been opened. */
struct folder {
	struct folder *up;
	atomic_int refs;
	int fd;
	unsigned depth; /* 0: the root */
	struct dir_listing names;
	size_t n;
	char path[]; /* relative to the root */
};

struct task {
	struct folder *folder;
	size_t from, to; /* of its names; 0, 0: it is not open yet */
};

struct work {
	const char *root;
	unsigned flags;
	dirs_visit *visit;
	void *ptr;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	struct task *tasks;
	size_t n, cap;
	size_t busy, seen; /* threads at a task; names and folders so far */
	bool failed;
	struct err err;
	struct buf err_path; /* whose it is */
	atomic_uint next_thread;
};

struct worker {
	struct work *w;
	unsigned thread;
	char *chunk;
	struct dirs_entry *told;
	struct task *found; /* folders of the one being read */
	size_t n_found, cap_found;
};

int dirs_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n), i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i == n)
		return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
	if (a.p[i] == '/' || b.p[i] == '/')
		return a.p[i] == '/' ? -1 : 1;
	return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;
}

static struct folder *folder_new(struct folder *up, const char *name)
{
	size_t n = strlen(name), at = up && up->n ? up->n + 1 : 0;
	struct folder *f = xmalloc(sizeof(*f) + at + n + 1);

	*f = (struct folder){.up = up, .fd = -1, .depth = up ? up->depth + 1 : 0, .n = at + n};
	atomic_init(&f->refs, 1);
	if (at) {
		memcpy(f->path, up->path, up->n);
		f->path[at - 1] = '/';
	}
	memcpy(f->path + at, name, n + 1);
	if (up)
		atomic_fetch_add_explicit(&up->refs, 1, memory_order_relaxed);
	return f;
}

static void folder_drop(struct folder *f)
{
	while (f && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1) {
		struct folder *up = f->up;

		fd_close(&f->fd);
		dir_listing_free(&f->names);
		free(f);
		f = up;
	}
}

static void fail(struct work *w, struct str path, const struct err *e)
{
	pthread_mutex_lock(&w->mutex);
	if (!w->failed || dirs_cmp(path, buf_str(&w->err_path)) < 0) {
		w->failed = true;
		w->err = *e;
		buf_reset(&w->err_path);
		buf_addstr(&w->err_path, path);
	}
	pthread_mutex_unlock(&w->mutex);
}

static void fail_at(struct work *w, const struct folder *f, const char *name, const struct err *e)
{
	struct buf path = BUF_INIT((size_t)PATH_CEILING * 2);

	buf_add(&path, f->path, f->n);
	if (f->n)
		buf_addc(&path, '/');
	buf_adds(&path, name);
	fail(w, buf_str(&path), e);
	buf_free(&path);
}

static void grow(struct task **p, size_t *cap, size_t n)
{
	while (n > *cap) {
		*cap = *cap ? *cap * 2 : 64;
		*p = xrealloc(*p, *cap * sizeof(**p));
	}
}

static void push(struct work *w, const struct task *t, size_t n, size_t seen)
{
	pthread_mutex_lock(&w->mutex);
	grow(&w->tasks, &w->cap, w->n + n);
	if (n) /* of nothing there may be no address */
		memcpy(w->tasks + w->n, t, n * sizeof(*t));
	w->n += n;
	w->seen += seen;
	if (n > 1)
		pthread_cond_broadcast(&w->more);
	else if (n)
		pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->mutex);
}

static struct file_key key_of(const struct statx *st)
{
	return (struct file_key){
		.dev = makedev(st->stx_dev_major, st->stx_dev_minor),
		.ino = st->stx_ino,
		.size = (int64_t)st->stx_size,
		.mtime_ns = st->stx_mtime.tv_sec * 1000000000 + st->stx_mtime.tv_nsec,
		.ctime_ns = st->stx_ctime.tv_sec * 1000000000 + st->stx_ctime.tv_nsec,
	};
}

/* 1 = filled, 0 = it vanished, -1 */
static int look(struct work *w, const struct folder *f, struct dirs_entry *t)
{
	struct err e = ERR_INIT;
	struct statx st;

	if (!statx(f->fd, t->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st)) {
		t->mode = st.stx_mode;
		t->key = key_of(&st);
		return 1;
	}
	if (errno == ENOENT)
		return 0;
	(void)!err_errno(&e, errno, "cannot look at %s%s%s/%s", w->root, f->n ? "/" : "", f->path, t->name);
	fail_at(w, f, t->name, &e);
	return -1;
}

static void found_folder(struct worker *k, struct folder *in, const char *name)
{
	struct work *w = k->w;
	struct err e = ERR_INIT;

	if (in->depth + 1 >= DIR_MAX_DEPTH)
		(void)!err_set(&e, ERR_LIMIT, "%s%s%s/%s: folders more than %d deep", w->root, in->n ? "/" : "",
			       in->path, name, DIR_MAX_DEPTH);
	else if (in->n + strlen(name) >= PATH_CEILING)
		(void)!err_set(&e, ERR_LIMIT, "%s: a path longer than %u bytes", w->root, PATH_CEILING);
	if (e.code != ERR_NONE) {
		fail_at(w, in, name, &e);
		return;
	}
	grow(&k->found, &k->cap_found, k->n_found + 1);
	k->found[k->n_found++] = (struct task){folder_new(in, name), 0, 0};
}

static void tell(struct worker *k, const struct folder *f, size_t n)
{
	struct dirs_part part = {{f->path, f->n}, k->told, n, k->thread};
	struct err e = ERR_INIT;

	if (n && k->w->visit(&part, k->w->ptr, &e))
		fail(k->w, part.folder, &e);
}

static void look_at(struct worker *k, struct folder *f, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		struct dirs_entry *t = &k->told[n];

		t->name = f->names.p[i] + 1;
		t->n = strlen(t->name);
		if (f->names.p[i][0] == DT_DIR) {
			found_folder(k, f, t->name);
			continue;
		}
		if (look(k->w, f, t) <= 0)
			continue;
		if (S_ISDIR(t->mode)) /* a file system that does not say so with the name */
			found_folder(k, f, t->name);
		else
			n++;
		if (n == TOLD) {
			tell(k, f, n);
			n = 0;
		}
	}
	tell(k, f, n);
	push(k->w, k->found, k->n_found, to - from + k->n_found);
	k->n_found = 0;
}

static const char *last_name(const struct folder *f)
{
	const char *slash = memrchr(f->path, '/', f->n);

	return slash ? slash + 1 : f->path;
}

/* 1 = open, 0 = it is gone, or something else by now; -1 */
static int open_folder(struct work *w, struct folder *f)
{
	const char *name = f->up ? last_name(f) : w->root;
	struct err e = ERR_INIT;
	bool gone;

	f->fd = openat(f->up ? f->up->fd : AT_FDCWD, name,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | (f->up ? O_NOFOLLOW : 0));
	if (f->fd >= 0)
		return 1;
	gone = f->up ? errno == ENOENT || errno == ENOTDIR || errno == ELOOP
		     : errno == ENOENT && (w->flags & DIR_GONE_OK);
	if (gone)
		return 0;
	(void)!err_errno(&e, errno, "cannot open the folder %s%s%s", w->root, f->n ? "/" : "", f->path);
	fail(w, (struct str){f->path, f->n}, &e);
	return -1;
}

static void read_folder(struct worker *k, struct folder *f)
{
	struct task pieces[64];
	struct err e = ERR_INIT;
	size_t n = 0, at = PIECE;
	int r = open_folder(k->w, f);

	/* The one that holds it may be closed when nobody else needs it. */
	folder_drop(f->up);
	f->up = NULL;
	if (r <= 0)
		return;
	if (dir_listing_read(f->fd, k->chunk, DIR_UNSORTED, &f->names, f->n ? f->path : k->w->root, &e)) {
		fail(k->w, (struct str){f->path, f->n}, &e);
		return;
	}
	for (; at < f->names.n; at += PIECE) {
		atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
		pieces[n++] = (struct task){f, at, MIN(at + PIECE, f->names.n)};
		if (n == ARRAY_LEN(pieces)) {
			push(k->w, pieces, n, 0);
			n = 0;
		}
	}
	push(k->w, pieces, n, 0);
	look_at(k, f, 0, MIN((size_t)PIECE, f->names.n));
}

static bool take(struct work *w, struct task *out, bool done)
{
	bool any;

	pthread_mutex_lock(&w->mutex);
	if (done && !--w->busy && !w->n)
		pthread_cond_broadcast(&w->more);
	while (!w->n && w->busy)
		pthread_cond_wait(&w->more, &w->mutex);
	any = w->n;
	if (any) {
		*out = w->tasks[--w->n];
		w->busy++;
	}
	pthread_mutex_unlock(&w->mutex);
	return any;
}

static void step(struct worker *k, const struct task *t)
{
	if (t->to)
		look_at(k, t->folder, t->from, t->to);
	else
		read_folder(k, t->folder);
	folder_drop(t->folder);
}

static void worker_init(struct worker *k, struct work *w)
{
	*k = (struct worker){.w = w, .thread = atomic_fetch_add(&w->next_thread, 1)};
	k->chunk = xmalloc(DIR_CHUNK);
	k->told = xmalloc(TOLD * sizeof(*k->told));
}

static void worker_free(struct worker *k)
{
	free(k->chunk);
	free(k->told);
	free(k->found);
}

static void *helper(void *ptr)
{
	struct worker k;
	struct task t;

	worker_init(&k, ptr);
	for (bool done = false; take(k.w, &t, done); done = true)
		step(&k, &t);
	worker_free(&k);
	return NULL;
}

/* Whether it is time for more threads: once, when there turns out to be much to look at. */
static size_t start(struct work *w, pthread_t *threads)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	sigset_t all, old;
	size_t n = 0;

	sigfillset(&all); /* signals are for the thread that has the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (n + 1 < DIRS_THREADS && (long)n + 1 < MAX(cpus, 2L) && !pthread_create(&threads[n], NULL, helper, w))
		n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return n;
}

static bool is_much(struct work *w)
{
	bool much;

	pthread_mutex_lock(&w->mutex);
	much = w->n && w->seen >= ALONE;
	pthread_mutex_unlock(&w->mutex);
	return much;
}

int dirs_walk(const char *path, unsigned flags, dirs_visit *visit, void *ptr, struct err *e)
{
	struct work w = {.root = path, .flags = flags, .visit = visit, .ptr = ptr, .err = ERR_INIT,
			 .err_path = BUF_INIT((size_t)PATH_CEILING * 2)};
	bool alone = fault_armed() || fault_weave(); /* what they count must not depend on threads */
	pthread_t threads[DIRS_THREADS];
	size_t started = 0;
	struct worker k;
	struct task t = {folder_new(NULL, ""), 0, 0};

	pthread_mutex_init(&w.mutex, NULL);
	pthread_cond_init(&w.more, NULL);
	worker_init(&k, &w);
	push(&w, &t, 1, 0);
	for (bool done = false; take(&w, &t, done); done = true) {
		step(&k, &t);
		if (!alone && is_much(&w)) {
			started = start(&w, threads);
			alone = true;
		}
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	worker_free(&k);
	free(w.tasks);
	pthread_cond_destroy(&w.more);
	pthread_mutex_destroy(&w.mutex);
	buf_free(&w.err_path);
	if (w.failed)
		*e = w.err;
	return w.failed ? -1 : 0;
}
