#include "repo/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/blob.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/rand.h"

struct item {
	char *to;
	struct str bytes; /* of a small file */
	int fd;           /* else: open for reading; -1 */
	bool replace;
};

struct batch {
	struct batch *next;
	struct arena *arena;
	VEC(struct item) items;
	size_t bytes, fds;
};

struct worker {
	struct layout *l;
	pthread_t thread;
	bool runs;
	struct batch *first, *last;
	size_t waiting;
	pthread_cond_t some;
};

struct layout {
	struct store *s;
	bool writable, link;
	struct worker workers[LAYOUT_THREADS];
	size_t n;
	pthread_mutex_t mutex;
	pthread_cond_t room; /* something was written */
	size_t waiting;      /* batches, the ones being written too */
	bool end, failed;
	struct err err; /* the first */
	struct batch *open;
	char *folder; /* of the open batch */
	size_t folder_cap, in_folder;
	struct worker *to;
};

static void batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->items.n; i++)
		fd_close(&b->items.p[i].fd);
	arena_free(b->arena);
	free(b);
}

/* 1 linked, 0 it cannot be, -1. Bytes that lie in no file of their own (a pack's) cannot be linked. */
static int link_fd(int fd, const char *to, struct err *e)
{
	char from[40];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (!linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW))
		return 1;
	return errno == EEXIST ? err_set(e, ERR_CONFLICT, "%s is there already", to) : 0;
}

static int write_small(const struct layout *l, const struct item *it, const char *to, struct err *e)
{
	int fd, rc;

	if (file_open_write(to, O_EXCL, l->writable ? 0666 : 0444, &fd, e))
		return -1;
	rc = it->bytes.n ? fd_write_all(fd, it->bytes.p, it->bytes.n, to, e) : 0;
	if (close(fd) && !rc)
		rc = err_errno(e, errno, "%s", to);
	return rc;
}

static int write_large(const struct layout *l, const struct item *it, const char *to, struct err *e)
{
	char from[40];
	int r = l->link ? link_fd(it->fd, to, e) : 0;

	if (r)
		return r < 0 ? -1 : 0;
	snprintf(from, sizeof(from), "/proc/self/fd/%d", it->fd);
	return file_copy(from, to, l->writable ? 0644 : 0444, 0, e);
}

static int write_item(const struct layout *l, const struct item *it, struct err *e)
{
	char temp[BLOB_PATH_CAP], name[RAND_NAME];
	const char *to = it->to;
	int rc;

	if (it->replace) {
		rand_name(name);
		snprintf(temp, sizeof(temp), "%.*s.leat-%s.tmp", (int)(strrchr(to, '/') + 1 - to), to, name);
		to = temp;
	}
	rc = it->fd < 0 ? write_small(l, it, to, e) : write_large(l, it, to, e);
	if (!rc && it->replace)
		rc = file_rename(temp, it->to, e);
	if (rc && it->replace)
		unlink(temp);
	return rc;
}

static void write_batch(struct layout *l, struct batch *b)
{
	struct err e = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < b->items.n && !rc; i++)
		rc = write_item(l, &b->items.p[i], &e);
	pthread_mutex_lock(&l->mutex);
	if (rc && !l->failed) {
		l->failed = true;
		l->err = e;
	}
	l->waiting--;
	pthread_cond_broadcast(&l->room);
	pthread_mutex_unlock(&l->mutex);
	batch_free(b);
}

static void *work(void *ptr)
{
	struct worker *w = ptr;
	struct layout *l = w->l;

	for (;;) {
		struct batch *b;

		pthread_mutex_lock(&l->mutex);
		while (!w->first && !l->end)
			pthread_cond_wait(&w->some, &l->mutex);
		b = w->first;
		if (b) {
			w->first = b->next;
			if (!w->first)
				w->last = NULL;
			w->waiting--;
		}
		pthread_mutex_unlock(&l->mutex);
		if (!b)
			return NULL;
		write_batch(l, b);
	}
}

struct layout *layout_new(struct store *s, bool writable)
{
	struct layout *l = xcalloc(1, sizeof(*l));
	unsigned cpus = proc_cpus();

	l->s = s;
	l->writable = writable;
	l->link = !writable && s->ws->protect == PROTECT_LINK;
	l->n = MIN(cpus, LAYOUT_THREADS);
	pthread_mutex_init(&l->mutex, NULL);
	pthread_cond_init(&l->room, NULL);
	for (size_t i = 0; i < l->n; i++) {
		l->workers[i].l = l;
		pthread_cond_init(&l->workers[i].some, NULL);
		l->workers[i].runs = !pthread_create(&l->workers[i].thread, NULL, work, &l->workers[i]);
	}
	return l;
}

void layout_free(struct layout *l)
{
	struct batch *b;

	if (!l)
		return;
	pthread_mutex_lock(&l->mutex);
	for (size_t i = 0; i < l->n; i++)
		while ((b = l->workers[i].first)) {
			l->workers[i].first = b->next;
			batch_free(b);
		}
	l->end = true;
	for (size_t i = 0; i < l->n; i++)
		pthread_cond_signal(&l->workers[i].some);
	pthread_mutex_unlock(&l->mutex);
	for (size_t i = 0; i < l->n; i++) {
		if (l->workers[i].runs)
			pthread_join(l->workers[i].thread, NULL);
		pthread_cond_destroy(&l->workers[i].some);
	}
	pthread_cond_destroy(&l->room);
	pthread_mutex_destroy(&l->mutex);
	if (l->open)
		batch_free(l->open);
	free(l->folder);
	free(l);
}

/* The one with the least to do. NULL: no thread could be started. */
static struct worker *idlest(struct layout *l)
{
	struct worker *best = NULL;

	for (size_t i = 0; i < l->n; i++)
		if (l->workers[i].runs && (!best || l->workers[i].waiting < best->waiting))
			best = &l->workers[i];
	return best;
}

/* Hands the open batch over; waits while too much waits. */
static int send(struct layout *l, struct err *e)
{
	struct batch *b = l->open;
	struct worker *w;
	bool failed;

	if (!b)
		return 0;
	l->open = NULL;
	pthread_mutex_lock(&l->mutex);
	while (l->waiting >= LAYOUT_WAITING && !l->failed)
		pthread_cond_wait(&l->room, &l->mutex);
	/* Two threads in one folder wait for each other: a folder stays with one, unless it is large. */
	if (!l->to || l->in_folder >= LAYOUT_SAME_FOLDER) {
		l->to = idlest(l);
		l->in_folder = 0;
	}
	l->in_folder += b->items.n;
	l->waiting++;
	w = l->to;
	if (w) {
		if (w->last)
			w->last->next = b;
		else
			w->first = b;
		w->last = b;
		w->waiting++;
		pthread_cond_signal(&w->some);
	}
	failed = l->failed;
	if (failed)
		*e = l->err;
	pthread_mutex_unlock(&l->mutex);
	if (!w)
		write_batch(l, b);
	return failed ? -1 : 0;
}

/* Files of one folder go together. */
static int open_batch(struct layout *l, const char *to, struct err *e)
{
	size_t n = (size_t)(strrchr(to, '/') - to);
	struct batch *b = l->open;
	bool same = l->folder && strlen(l->folder) == n && !memcmp(l->folder, to, n);

	if (b && (b->bytes >= LAYOUT_BATCH_BYTES || b->items.n >= LAYOUT_BATCH_FILES || b->fds >= LAYOUT_BATCH_FDS ||
	          (!same && b->items.n >= LAYOUT_BATCH_FILES / 4)) &&
	    send(l, e))
		return -1;
	if (!same) {
		if (n + 1 > l->folder_cap)
			l->folder = xrealloc(l->folder, l->folder_cap = 2 * (n + 1));
		memcpy(l->folder, to, n);
		l->folder[n] = '\0';
		if (!l->open)
			l->to = NULL;
	}
	if (!l->open) {
		l->open = xcalloc(1, sizeof(*l->open));
		l->open->arena = arena_new();
	}
	return 0;
}

int layout_file(struct layout *l, const char *to, const struct entry *entry, bool replace, struct err *e)
{
	struct item it = {.fd = -1, .replace = replace};

	if (open_batch(l, to, e))
		return -1;
	if (entry->size > LAYOUT_SMALL || l->link) {
		if (blob_open(l->s, &entry->id, &it.fd, e))
			return -1;
		l->open->fds++;
	} else if (blob_bytes(l->s, &entry->id, l->open->arena, LAYOUT_SMALL, &it.bytes, e)) {
		return -1;
	}
	l->open->bytes += it.bytes.n;
	it.to = arena_dup(l->open->arena, to);
	vec_push(l->open->arena, &l->open->items, it);
	return 0;
}

int layout_wait(struct layout *l, struct err *e)
{
	int rc = 0;

	if (send(l, e))
		return -1;
	pthread_mutex_lock(&l->mutex);
	while (l->waiting && !l->failed)
		pthread_cond_wait(&l->room, &l->mutex);
	if (l->failed) {
		*e = l->err;
		rc = -1;
	}
	pthread_mutex_unlock(&l->mutex);
	return rc;
}

struct laying {
	struct layout *l;
	const char *dir;
	struct arena *row; /* emptied after each entry */
};

static int lay_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct laying *g = ptr;
	char *to = arena_printf(g->row, "%s/%.*s", g->dir, STR_ARG(path));
	int rc = entry->kind == ENTRY_FOLDER ? dir_make_one(to, 0777, e) : layout_file(g->l, to, entry, false, e);

	arena_reset(g->row);
	return rc;
}

int layout_tree(struct layout *l, const char *dir, const struct sha *tree, struct err *e)
{
	struct laying g = {l, dir, arena_new()};
	int rc = tree_walk(l->s, NULL, tree, true, lay_entry, &g, e);

	arena_free(g.row);
	return rc ? -1 : layout_wait(l, e);
}
