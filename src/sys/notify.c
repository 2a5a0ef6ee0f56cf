#include "sys/notify.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/arena.h"
#include "sys/dir.h"
#include "sys/fd.h"
#include "sys/path.h"

#define MASK                                                                                                           \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW |          \
	 IN_EXCL_UNLINK)

struct watch {
	int wd;
	char *path; /* from the root */
};

struct notify {
	int fd;
	char *root;
	notify_wants *wants;
	void *ptr;
	struct watch *watches; /* sorted by nothing */
	size_t n, cap, left_out;
};

/* A folder that is looked at for the first time: its files are told, if somebody wants to hear. */
struct adding {
	struct notify *n;
	const char *base;
	notify_told *told;
	void *ptr;
};

int notify_new(const char *root, notify_wants *wants, void *ptr, struct notify **out, struct err *e)
{
	struct notify *n;
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0) {
		err_errno(e, errno, "files cannot be watched");
		return errno == EMFILE ? err_hint(e, "fs.inotify.max_user_instances is what limits it") : -1;
	}
	n = xcalloc(1, sizeof(*n));
	*n = (struct notify){.fd = fd, .root = xstrdup(root), .wants = wants, .ptr = ptr};
	*out = n;
	return 0;
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		free(n->watches[i].path);
	fd_close(&n->fd);
	free(n->watches);
	free(n->root);
	free(n);
}

int notify_fd(const struct notify *n)
{
	return n->fd;
}

size_t notify_left_out(const struct notify *n)
{
	return n->left_out;
}

static struct watch *find(struct notify *n, int wd)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->watches[i].wd == wd)
			return &n->watches[i];
	return NULL;
}

static void forget(struct notify *n, struct watch *w)
{
	free(w->path);
	*w = n->watches[--n->n];
}

static int watch_one(struct notify *n, const char *path, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct watch *w;
	int wd;

	if (n->n == NOTIFY_MAX) {
		n->left_out++;
		return 0;
	}
	wd = inotify_add_watch(n->fd, path_join(a, n->root, path), MASK);
	if (wd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0; /* it went meanwhile, or is not ours to read */
	if (wd < 0 && errno == ENOSPC) {
		n->left_out++; /* fs.inotify.max_user_watches */
		return 0;
	}
	if (wd < 0)
		return err_errno(e, errno, "%s cannot be watched", path);
	w = find(n, wd);
	if (w) { /* the same folder under another name now */
		free(w->path);
		w->path = xstrdup(path);
		return 0;
	}
	if (n->n == n->cap) {
		n->cap = n->cap ? 2 * n->cap : 64;
		n->watches = xrealloc(n->watches, n->cap * sizeof(*n->watches));
	}
	n->watches[n->n++] = (struct watch){wd, xstrdup(path)};
	return 0;
}

static int add_entry(const struct dir_entry *d, void *ptr, struct err *e)
{
	struct adding *t = ptr;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", t->base, d->path) >= (int)sizeof(path))
		return d->type == DIR_FOLDER ? DIR_SKIP : 0;
	if (d->type != DIR_FOLDER) {
		if (t->told)
			t->told(t->ptr, path);
		return 0;
	}
	if (!t->n->wants(t->n->ptr, path))
		return DIR_SKIP;
	return watch_one(t->n, path, e);
}

/* The folder first, then what is in it: what comes in between is told twice, never missed. */
static int add_tree(struct notify *n, const char *path, notify_told *told, void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct adding t = {n, path, told, ptr};

	if (!n->wants(n->ptr, path))
		return 0;
	if (watch_one(n, path, e))
		return -1;
	return dir_walk(path_join(a, n->root, path), DIR_NO_STAT | DIR_GONE_OK | DIR_SHUT_OK | DIR_UNSORTED, add_entry,
	                &t, e);
}

int notify_add(struct notify *n, const char *path, struct err *e)
{
	return *path ? add_tree(n, path, NULL, NULL, e) : watch_one(n, "", e);
}

/* A folder that was moved away takes its watches with it. */
static void forget_below(struct notify *n, const char *path)
{
	for (size_t i = n->n; i-- > 0;)
		if (path_inside(path, n->watches[i].path, NULL)) {
			inotify_rm_watch(n->fd, n->watches[i].wd);
			forget(n, &n->watches[i]);
		}
}

static int take(struct notify *n, const struct inotify_event *ev, notify_told *told, void *ptr, struct err *e)
{
	struct watch *w = find(n, ev->wd);
	char path[PATH_MAX];
	bool in_root;

	if (ev->mask & IN_Q_OVERFLOW) {
		told(ptr, "");
		return 0;
	}
	if (!w)
		return 0;
	if (ev->mask & IN_IGNORED) {
		forget(n, w);
		return 0;
	}
	in_root = !*w->path;
	if (!ev->len || snprintf(path, sizeof(path), "%s%s%s", w->path, in_root ? "" : "/", ev->name) >=
	                        (int)sizeof(path))
		return 0;
	if (!(ev->mask & IN_ISDIR)) {
		if (!(ev->mask & IN_CREATE)) /* it is told when it was written */
			told(ptr, path);
		return 0;
	}
	if (ev->mask & (IN_CREATE | IN_MOVED_TO))
		return add_tree(n, path, told, ptr, e);
	if (n->wants(n->ptr, path))
		told(ptr, path); /* all that was in it is gone */
	if (ev->mask & IN_MOVED_FROM)
		forget_below(n, path);
	return 0;
}

int notify_read(struct notify *n, notify_told *told, void *ptr, struct err *e)
{
	char buf[65536] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t got;

	while ((got = read(n->fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + got;) {
			const struct inotify_event *ev = (const struct inotify_event *)p;

			if (take(n, ev, told, ptr, e))
				return -1;
			p += sizeof(*ev) + ev->len;
		}
	if (got < 0 && errno != EAGAIN && errno != EINTR)
		return err_errno(e, errno, "what was saved could not be read");
	return 0;
}
