#include "repo/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/blob.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/rand.h"

struct item {
	char *to;
	struct sha id;
	int fd;            /* of a large file: open for reading; else -1 */
	int pack;          /* of one in a pack: open for reading, the layout's; else -1 */
	struct pack_at at; /* there */
	struct str bytes;  /* of another small one */
	bool replace;
};

struct batch {
	struct batch *next;
	struct arena *arena;
	VEC(struct item) items;
	int64_t bytes;
};

struct worker {
	struct layout *l;
	struct pack_reader *reader;
	char *buf;    /* an object of a pack */
	int dir;      /* the folder that was written to last, open; -1 */
	char dir_path[BLOB_PATH_CAP];
	pthread_t thread;
	bool runs;
	struct batch *first, *last;
	size_t waiting;
	pthread_cond_t some;
};

struct layout {
	struct store *s;
	bool writable, link;
	const char *temps; /* the folder for what is replaced */
	struct worker workers[LAYOUT_THREADS];
	size_t n;
	struct {
		int64_t number;
		int fd;
	} packs[LAYOUT_PACKS];
	size_t n_packs;
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

/* The name of `path` in its folder, which is opened unless it was the last one's. NULL: e says why. */
static const char *enter(struct worker *w, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t n = (size_t)(slash - path);

	if (w->dir >= 0 && strlen(w->dir_path) == n && !memcmp(w->dir_path, path, n))
		return slash + 1;
	fd_close(&w->dir);
	w->dir = -1;
	if (n + 1 > sizeof(w->dir_path)) {
		err_set(e, ERR_LIMIT, "the path %s is too long", path);
		return NULL;
	}
	memcpy(w->dir_path, path, n);
	w->dir_path[n] = '\0';
	return dir_open(n ? w->dir_path : "/", &w->dir, e) ? NULL : slash + 1;
}

static int write_small(struct worker *w, const struct item *it, const char *to, struct err *e)
{
	struct str bytes = it->bytes;
	const char *name;
	int fd, rc;

	if (it->pack >= 0) {
		bytes = (struct str){w->buf, (size_t)it->at.size};
		if (pack_reader_fetch(w->reader, it->pack, &it->id, &it->at, w->buf, e))
			return -1;
	}
	name = enter(w, to, e);
	if (!name || file_open_write_at(w->dir, name, to, O_EXCL, w->l->writable ? 0666 : 0444, &fd, e))
		return -1;
	rc = bytes.n ? fd_write_all(fd, bytes.p, bytes.n, to, e) : 0;
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

/* Rows may say anything. */
static bool may_be(const struct item *it)
{
	return it->pack >= 0 && it->at.at >= 0 && it->at.at <= PACK_FILE_MAX && it->at.stored >= 0 &&
	       it->at.stored <= LAYOUT_AHEAD;
}

/*
 * Files that were put together lie in a pack one after another: from item i on, those that do are read at once. Gives
 * the first item that is not among them.
 */
static size_t read_ahead(struct worker *w, const struct batch *b, size_t i)
{
	const struct item *first = &b->items.p[i];
	int64_t end = 0;
	size_t k = i + 1;

	if (may_be(first))
		end = first->at.at + first->at.stored;
	for (; end && k < b->items.n && b->items.p[k].pack == first->pack; k++) {
		const struct pack_at *at = &b->items.p[k].at;

		if (!may_be(&b->items.p[k]) || at->at < end || at->at > end + LAYOUT_GAP ||
		    at->at + at->stored > first->at.at + LAYOUT_AHEAD)
			break;
		end = at->at + at->stored;
	}
	if (k > i + 1)
		pack_reader_ahead(w->reader, first->pack, first->at.at, (size_t)(end - first->at.at));
	return k;
}

static int write_item(struct worker *w, const struct item *it, struct err *e)
{
	char temp[BLOB_PATH_CAP], name[RAND_NAME];
	const char *to = it->to;
	int rc;

	if (it->replace) {
		rand_name(name);
		snprintf(temp, sizeof(temp), "%s/%s", w->l->temps, name);
		to = temp;
	}
	rc = it->fd < 0 ? write_small(w, it, to, e) : write_large(w->l, it, to, e);
	if (!rc && it->replace)
		rc = file_rename(temp, it->to, e);
	if (rc && it->replace)
		unlink(temp);
	return rc;
}

static void write_batch(struct worker *w, struct batch *b)
{
	struct layout *l = w->l;
	struct err e = ERR_INIT;
	size_t known = 0;
	int rc = 0;

	for (size_t i = 0; i < b->items.n && !rc; i++) {
		if (i == known)
			known = read_ahead(w, b, i);
		rc = write_item(w, &b->items.p[i], &e);
	}
	pack_reader_ahead(w->reader, -1, 0, 0);
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
		write_batch(w, b);
	}
}

struct layout *layout_new(struct store *s, const char *temps, bool writable)
{
	struct layout *l = xcalloc(1, sizeof(*l));
	unsigned cpus = proc_cpus();

	l->s = s;
	db_cache(s->db, LAYOUT_CACHE_KIB);
	l->temps = temps;
	l->writable = writable;
	l->link = !writable && s->ws->protect == PROTECT_LINK;
	l->n = MAX(1, MIN(cpus, LAYOUT_THREADS));
	pthread_mutex_init(&l->mutex, NULL);
	pthread_cond_init(&l->room, NULL);
	for (size_t i = 0; i < l->n; i++) {
		struct worker *w = &l->workers[i];

		w->l = l;
		w->dir = -1;
		w->reader = pack_reader_new();
		w->buf = xmalloc(LAYOUT_SMALL);
		pthread_cond_init(&w->some, NULL);
		w->runs = !fault_armed() && !pthread_create(&w->thread, NULL, work, w);
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
		pack_reader_free(l->workers[i].reader);
		free(l->workers[i].buf);
		fd_close(&l->workers[i].dir);
	}
	for (size_t i = 0; i < l->n_packs; i++)
		fd_close(&l->packs[i].fd);
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

/* The open file of a pack, or -1: it has moved, or too many are open. */
static int pack_fd(struct layout *l, int64_t number)
{
	struct err ignored = ERR_INIT;
	int fd;

	for (size_t i = l->n_packs; i-- > 0;)
		if (l->packs[i].number == number)
			return l->packs[i].fd;
	if (l->n_packs == LAYOUT_PACKS)
		return -1;
	if (pack_open(l->s, number, &fd, &ignored)) {
		err_clear(&ignored);
		return -1;
	}
	l->packs[l->n_packs].number = number;
	l->packs[l->n_packs++].fd = fd;
	return fd;
}

/* Opens or reads what threads cannot: they have no database. */
static int prepare_item(struct layout *l, struct batch *b, struct item *it, const struct blob_at *at, struct err *e)
{
	if (at->place == BLOB_PACKED && at->size <= LAYOUT_SMALL) {
		it->at = at->pack;
		it->pack = pack_fd(l, at->pack.pack);
		if (it->pack >= 0)
			return 0;
	}
	if (at->size > LAYOUT_SMALL || (l->link && at->place == BLOB_WHOLE))
		return blob_open(l->s, &it->id, &it->fd, e);
	return blob_bytes(l->s, &it->id, b->arena, LAYOUT_SMALL, &it->bytes, e);
}

/*
 * Looks up all of a batch in one short snapshot, since each look by itself would lock the database.
 */
static int prepare(struct layout *l, struct batch *b, struct err *e)
{
	struct blob_at *at = arena_array(b->arena, struct blob_at, b->items.n);
	int rc = 0;

	if (db_read_begin(l->s->db, e))
		return -1;
	for (size_t i = 0; i < b->items.n && !rc; i++)
		rc = blob_need(l->s, &b->items.p[i].id, &at[i], e);
	db_read_end(l->s->db);
	for (size_t i = 0; i < b->items.n && !rc; i++)
		rc = prepare_item(l, b, &b->items.p[i], &at[i], e);
	return rc;
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
	if (prepare(l, b, e)) {
		batch_free(b);
		return -1;
	}
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
		write_batch(&l->workers[0], b);
	return failed ? -1 : 0;
}

/* Files of one folder go together. */
static int open_batch(struct layout *l, const char *to, struct err *e)
{
	size_t n = (size_t)(strrchr(to, '/') - to);
	struct batch *b = l->open;
	bool same = l->folder && strlen(l->folder) == n && !memcmp(l->folder, to, n);

	if (b && (b->bytes >= LAYOUT_BATCH_BYTES || b->items.n >= LAYOUT_BATCH_FILES ||
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
	struct item it = {.id = entry->id, .fd = -1, .pack = -1, .replace = replace};

	if (open_batch(l, to, e))
		return -1;
	/* A large one travels as a descriptor: weighed so that few of them are open at once. */
	l->open->bytes += entry->size > LAYOUT_SMALL || l->link ? LAYOUT_BATCH_BYTES / LAYOUT_BATCH_FDS : entry->size;
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
