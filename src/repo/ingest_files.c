/*
 * Many files on their way into the store. Threads read and hash them and pack their bytes (what costs time and touches
 * nothing but the file itself); the caller's thread takes the results in the order of the list and alone knows the
 * session and the database. With a fault set nothing is done side by side: which operation it hits must not depend on
 * threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "repo/ingest_in.h"
#include "repo/statcache.h"
#include "sys/fault.h"
#include "sys/loop.h"

#define SMALL (256u << 10) /* files up to this size are read before they are written: most were seen before */
#define RING 256           /* files that may be read ahead */
#define CLAIM 16           /* files that a thread takes at once */
#define THREADS 4          /* at most; fewer where there are fewer processors */
#define FILES_MIN 4        /* fewer are not worth a thread */
#define AHEAD 2048         /* files that are made read-only before they are read */
#define WAIT_BYTES ((uint64_t)64 << 20) /* of these, or so many of them, are worth a wait of WAIT_NS */
#define WAIT_FILES 1000
#define WAIT_NS 25000000   /* more than the stat cache asks for */
#define KEEP_CAP ((size_t)64 << 10) /* a slot's memory that is not given back */

/* One file, read. */
struct slot {
	struct err err;
	bool failed;
	struct ingest_told told;
	enum { AS_BYTES, AS_TEMP, AS_IS } kind; /* AS_IS: the file itself is ours to move */
	uint64_t size;
	char *bytes; /* AS_BYTES; NULL or of `cap` bytes */
	size_t cap;
	struct buf frame;
	bool frame_tried; /* empty: it is not smaller */
	char temp[BLOB_PATH_CAP];
	int fd; /* AS_IS */
	_Atomic bool ready;
};

struct reading {
	struct ingest *in;
	const struct ingest_item *items;
	size_t n, next, taken;
	bool stop;
	pthread_mutex_t mutex;
	pthread_cond_t room, ready;
	struct slot ring[]; /* RING, or fewer for fewer files */
};

static int being_written(const char *path, struct err *e)
{
	return err_set(e, ERR_BUSY, "%s is still being written", path);
}

static int no_plain_file(const char *path, const struct stat *st, struct err *e)
{
	return err_set(e, ERR_REFUSED, S_ISDIR(st->st_mode) ? "%s is a folder" : "%s is no plain file", path);
}

static bool same_bytes(const struct file_key *a, const struct file_key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static char *room_for(struct slot *t, size_t n)
{
	if (t->cap < n) {
		free(t->bytes);
		t->cap = MAX(n, (size_t)16 << 10);
		t->bytes = xmalloc(t->cap);
	}
	return t->bytes;
}

/* All of a file that has `size` bytes; that it has no more, a later look at it tells. */
static int read_small(struct slot *t, struct pack_squeezer *q, int fd, int64_t size, const char *path, struct err *e)
{
	size_t got = 0;
	struct str bytes;

	room_for(t, (size_t)size + 1);
	if (fd_pread_full(fd, t->bytes, (size_t)size, 0, &got, path, e))
		return -1;
	if ((int64_t)got != size)
		return being_written(path, e);
	bytes = (struct str){t->bytes, got};
	t->kind = AS_BYTES;
	t->size = got;
	t->told.entry.id = sha_of(bytes.p, bytes.n);
	t->frame_tried = q && ingest_is_small(bytes);
	if (t->frame_tried && !pack_squeeze(q, bytes, &t->frame))
		buf_reset(&t->frame);
	return 0;
}

static int read_large(struct ingest *in, struct slot *t, const char *path, bool link, struct err *e)
{
	int linked = 0;

	ingest_temp(in, t->temp, sizeof(t->temp));
	if (link) {
		linked = file_link(path, t->temp, e);
		if (linked < 0)
			return -1;
	}
	if (linked ? file_sha(t->temp, &t->told.entry.id, &t->size, e)
		   : file_copy_sha(path, t->temp, 0444, in->s->ws->durable_power ? FILE_START : 0,
				   &t->told.entry.id, &t->size, e)) {
		(void)unlink(t->temp);
		return -1;
	}
	t->kind = AS_TEMP;
	return 0;
}

static void drop(struct slot *t)
{
	if (!t->failed && t->kind == AS_TEMP)
		(void)unlink(t->temp);
	t->kind = AS_BYTES;
	fd_close(&t->fd);
}

/* COPY and ADOPT: the source stays where it is, and is looked at again after it was read. */
static int read_copy(struct ingest *in, struct slot *t, struct pack_squeezer *q, const char *path, bool adopt,
		     struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct file_key before, after;
	bool link = adopt && in->s->ws->protect == PROTECT_LINK;
	struct stat st;

	if (file_open_plain(path, &fd, &st, e))
		return -1;
	if (!S_ISREG(st.st_mode))
		return no_plain_file(path, &st, e);
	if (adopt && file_lease_read(fd) == 0)
		return being_written(path, e);
	/* refused where it is another user's file; the second look finds what it then does */
	if (adopt && (st.st_mode & 07777) != 0444 && !fchmod(fd, 0444) && fstat(fd, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	before = file_key_of(&st);
	if (before.size < BLOB_WHOLE_MIN || (!link && before.size <= SMALL)) {
		if (read_small(t, q, fd, before.size, path, e))
			return -1;
		if (link && !ingest_is_small((struct str){t->bytes, t->size}) && read_large(in, t, path, true, e))
			return -1;
	} else if (read_large(in, t, path, link, e)) {
		return -1;
	}
	if ((adopt ? file_stat_key(path, &after, e) : file_fd_key(fd, path, &after, e))) {
		drop(t);
		return -1;
	}
	if (!same_bytes(&before, &after) || (int64_t)t->size != after.size) {
		drop(t);
		return being_written(path, e);
	}
	t->told.key = after;
	return 0;
}

static int read_own(struct ingest *in, struct slot *t, struct pack_squeezer *q, const char *path, int fd,
		    const struct stat *st, struct err *e)
{
	if (st->st_nlink > 1) /* another name for it, which we cannot take away (a link to an input, say) */
		return read_copy(in, t, q, path, false, e);
	if ((st->st_mode & 07777) != 0444 && file_chmod(path, 0444, e))
		return -1;
	t->told.key = file_key_of(st);
	if (st->st_size < BLOB_WHOLE_MIN) {
		if (read_small(t, q, fd, st->st_size, path, e))
			return -1;
		if (ingest_is_small((struct str){t->bytes, t->size}))
			return 0;
	} else if (fd_sha(fd, &t->told.entry.id, &t->size, path, e)) {
		return -1;
	}
	t->kind = AS_IS;
	return 0;
}

static int read_file(struct ingest *in, struct slot *t, struct pack_squeezer *q, const struct ingest_item *item,
		     struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct stat st;

	t->kind = AS_BYTES;
	t->frame_tried = false;
	t->told.started_ns = statcache_now_ns();
	if (item->how != INGEST_MOVE && item->how != INGEST_KEEP) {
		/* Not even opened: some devices do things then. */
		if (!item->plain && file_stat(item->path, &st, e))
			return -1;
		if (!item->plain && !S_ISREG(st.st_mode))
			return no_plain_file(item->path, &st, e);
		return read_copy(in, t, q, item->path, item->how == INGEST_ADOPT, e);
	}
	if (file_open_read(item->path, &fd, e))
		return -1;
	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot look at %s", item->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_REFUSED, "%s is no plain file", item->path);
	if (read_own(in, t, q, item->path, fd, &st, e))
		return -1;
	if (t->kind == AS_IS)
		t->fd = fd_steal(&fd);
	return 0;
}

static void prepare(struct ingest *in, struct slot *t, struct pack_squeezer *q, const struct ingest_item *item)
{
	err_clear(&t->err);
	t->failed = false;
	t->failed = read_file(in, t, q, item, &t->err) != 0;
}

/* What was read becomes part of the session. */
static int take(struct ingest *in, struct slot *t, const struct ingest_item *item, struct err *e)
{
	struct sha id = t->told.entry.id;
	struct str bytes = {t->bytes, t->size};
	int r;

	if (t->kind == AS_TEMP) {
		t->kind = AS_BYTES; /* gone, whatever comes */
		return ingest_keep(in, t->temp, &id, t->size, item->path, &t->told.entry, e);
	}
	r = ingest_seen(in, &id, item->path, e);
	if (!r && t->kind == AS_IS)
		r = ingest_keep_own(in, item->path, item->how == INGEST_KEEP, &id, e); /* 0 */
	else if (!r)
		r = ingest_new_bytes(in, &id, bytes, t->frame_tried ? buf_str(&t->frame) : STR_NULL, e);
	/* On its way to the disk while others are taken in; ingest_sync then waits for less. */
	if (!r && t->kind == AS_IS && in->s->ws->durable_power)
		fd_start_sync(t->fd);
	fd_close(&t->fd);
	if (r < 0)
		return -1;
	ingest_entry(&t->told.entry, &id, t->size);
	return 0;
}

static int take_and_tell(struct ingest *in, struct slot *t, const struct ingest_item *item, ingest_tell *tell,
			 void *ptr, struct err *e)
{
	struct err why = ERR_INIT;

	t->told.fail = NULL;
	if (t->failed || take(in, t, item, &why)) {
		if (!t->failed)
			t->err = why;
		t->told.fail = &t->err;
	}
	return tell(ptr, item, &t->told, e);
}

static void slot_free(struct slot *t)
{
	drop(t);
	free(t->bytes);
	buf_free(&t->frame);
}

static void slot_init(struct slot *t)
{
	*t = (struct slot){.failed = true, .fd = -1};
	buf_init(&t->frame, (size_t)BLOB_WHOLE_MIN + 1);
}

/*
 * What is adopted becomes read-only. That is a change of the file, and the stat cache trusts no file that was changed
 * just before it was hashed: it would all be read again by the next commit. So it is done some files ahead. 1 + its
 * bytes if it was changed, else 0; errors are found when it is read.
 */
static uint64_t shut(const struct ingest_item *item)
{
	int fd FD_CLEANUP = -1;
	struct err ignored = ERR_INIT;
	struct stat st;

	if (item->how != INGEST_ADOPT || file_open_plain(item->path, &fd, &st, &ignored) || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 07777) == 0444 || file_lease_read(fd) == 0 || fchmod(fd, 0444))
		return 0;
	return 1 + (uint64_t)st.st_size;
}

static void shut_first(struct reading *r)
{
	uint64_t bytes = 0, files = 0;

	for (size_t i = 0; i < r->n && i < AHEAD; i++) {
		uint64_t did = shut(&r->items[i]);
		bytes += did;
		files += did > 0;
	}
	if ((bytes >= WAIT_BYTES || files >= WAIT_FILES) && !fault_weave())
		(void)nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
}

/* Some at a time, so that threads seldom meet at the lock. */
static bool claim(struct reading *r, size_t *from, size_t *to)
{
	bool any;

	pthread_mutex_lock(&r->mutex);
	while (!r->stop && r->next < r->n && r->next >= r->taken + RING)
		pthread_cond_wait(&r->room, &r->mutex);
	any = !r->stop && r->next < r->n;
	if (any) {
		*from = r->next;
		*to = r->next = MIN(MIN(r->next + CLAIM, r->n), r->taken + RING);
	}
	pthread_mutex_unlock(&r->mutex);
	return any;
}

static void *read_some(void *ptr)
{
	struct reading *r = ptr;
	struct pack_squeezer *q = pack_squeezer_new();
	size_t from, to;

	while (claim(r, &from, &to)) {
		for (size_t i = from; i < to; i++)
			if (i + AHEAD < r->n)
				(void)shut(&r->items[i + AHEAD]);
		for (size_t i = from; i < to; i++) {
			struct slot *t = &r->ring[i % RING];
			prepare(r->in, t, q, &r->items[i]);
			atomic_store_explicit(&t->ready, true, memory_order_release);
		}
		pthread_mutex_lock(&r->mutex);
		pthread_cond_signal(&r->ready);
		pthread_mutex_unlock(&r->mutex);
	}
	pack_squeezer_free(q);
	return NULL;
}

static void publish(struct reading *r, size_t taken, bool stop)
{
	pthread_mutex_lock(&r->mutex);
	r->taken = taken;
	r->stop |= stop;
	pthread_cond_broadcast(&r->room);
	pthread_mutex_unlock(&r->mutex);
}

static void await(struct reading *r, struct slot *t)
{
	if (atomic_load_explicit(&t->ready, memory_order_acquire))
		return;
	pthread_mutex_lock(&r->mutex);
	while (!atomic_load_explicit(&t->ready, memory_order_acquire))
		pthread_cond_wait(&r->ready, &r->mutex);
	pthread_mutex_unlock(&r->mutex);
}

int ingest_go_on(size_t done, struct err *e)
{
	return done % INGEST_GROUP || done < INGEST_GROUP || !loop_stop_asked()
	           ? 0
	           : err_set(e, ERR_CANCELLED, "stopped while files were taken in; nothing of them has been published");
}

/* Rows are looked at in one snapshot for some hundred files: each look by itself would take and give back a lock. */
static int snapshot(struct ingest *in, size_t i, size_t n, struct err *e)
{
	if (i && i % INGEST_GROUP == 0)
		db_read_end(in->s->db);
	return i % INGEST_GROUP || i == n ? 0 : db_read_begin(in->s->db, e);
}

static int take_all(struct reading *r, size_t threads, ingest_tell *tell, void *ptr, struct err *e)
{
	size_t i = 0;
	int rc = 0;

	for (; i < r->n && !rc; i++) {
		struct slot *t = &r->ring[threads ? i % RING : 0];
		rc = snapshot(r->in, i, r->n, e);
		if (rc)
			break;
		rc = ingest_go_on(i, e);
		if (!rc && threads)
			await(r, t);
		else if (!rc)
			prepare(r->in, t, NULL, &r->items[i]);
		if (!rc)
			rc = take_and_tell(r->in, t, &r->items[i], tell, ptr, e);
		if (!rc && t->cap > KEEP_CAP) {
			free(t->bytes);
			t->bytes = NULL;
			t->cap = 0;
		}
		if (!rc)
			atomic_store_explicit(&t->ready, false, memory_order_relaxed);
		if (threads && (i % (RING / 8) == 0 || rc))
			publish(r, i + 1, rc);
	}
	if (db_in_read(r->in->s->db))
		db_read_end(r->in->s->db);
	if (threads)
		publish(r, i, true);
	return rc;
}

static size_t start(struct reading *r, pthread_t *threads)
{
	sigset_t all, old;
	size_t n = 0;
	long cpus;

	if (r->n < FILES_MIN || fault_armed())
		return 0;
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	sigfillset(&all); /* signals are for the thread that has the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (n < THREADS && (long)n < MAX(cpus, 2L) && !pthread_create(&threads[n], NULL, read_some, r))
		n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return n;
}

int ingest_files(struct ingest *in, const struct ingest_item *items, size_t n, ingest_tell *tell, void *ptr,
		 struct err *e)
{
	struct reading *r;
	pthread_t threads[THREADS];
	size_t started, slots = MIN(n, (size_t)RING);
	int rc;

	if (!n)
		return 0;
	if (ingest_lease(in, e))
		return -1;
	r = xcalloc(1, sizeof(*r) + slots * sizeof(r->ring[0]));
	r->in = in;
	r->items = items;
	r->n = n;
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->room, NULL);
	pthread_cond_init(&r->ready, NULL);
	for (size_t i = 0; i < slots; i++)
		slot_init(&r->ring[i]);
	shut_first(r);
	started = start(r, threads);
	rc = take_all(r, started, tell, ptr, e);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < slots; i++)
		slot_free(&r->ring[i]);
	pthread_cond_destroy(&r->ready);
	pthread_cond_destroy(&r->room);
	pthread_mutex_destroy(&r->mutex);
	free(r);
	return rc;
}

static int tell_entry(void *ptr, const struct ingest_item *item, const struct ingest_told *told, struct err *e)
{
	(void)item;
	if (told->fail) {
		*e = *told->fail;
		return -1;
	}
	*(struct entry *)ptr = told->entry;
	return 0;
}

int ingest_file(struct ingest *in, const char *path, enum ingest_how how, struct entry *out, struct err *e)
{
	struct ingest_item item = {path, how, NULL};
	struct entry got;

	if (ingest_files(in, &item, 1, tell_entry, &got, e))
		return -1;
	*out = got;
	return 0;
}
