#include "repo/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/blob.h"
#include "repo/ingest_session.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "sys/rand.h"

#define SMALL (256u << 10)   /* files up to this size are read before they are written: most were seen before */
#define SYNC_GROUP 128       /* files open at once while syncing */
#define LINK_DEPTH 8         /* folders that symbolic links lead into, one within the other */

struct new_blob {
	struct sha id;
	int64_t size, mtime_ns;
	bool synced;
	int64_t recorded; /* as in struct tree_new */
};

struct ingest {
	struct store *s;
	struct arena *a;
	struct map pages, blobs; /* by the 32 bytes of the id: struct tree_new, struct new_blob */
	VEC(struct tree_new *) page_list;
	VEC(struct new_blob *) blob_list;
	bool dirty[256], new_folder; /* folders of blobs/ with new names; blobs/ itself */
};

static struct str key(const struct sha *id)
{
	return (struct str){(const char *)id->b, SHA_BYTES};
}

struct ingest *ingest_new(struct store *s)
{
	struct arena *a = arena_new();
	struct ingest *in = arena_new_of(a, struct ingest);

	in->s = s;
	in->a = a;
	map_init(&in->pages, a);
	map_init(&in->blobs, a);
	return in;
}

void ingest_free(struct ingest *in)
{
	if (in)
		arena_free(in->a);
}

void ingest_page_add(struct ingest *in, const struct sha *id, struct str body)
{
	struct tree_new *t;

	if (map_has(&in->pages, key(id)))
		return;
	t = arena_new_of(in->a, struct tree_new);
	*t = (struct tree_new){.id = *id, .body = arena_str(in->a, body)};
	map_set(&in->pages, key(id), t);
	vec_push(in->a, &in->page_list, t);
}

bool ingest_page_get(struct ingest *in, const struct sha *id, struct str *body)
{
	struct tree_new *t = map_get(&in->pages, key(id));

	if (t)
		*body = t->body;
	return t;
}

struct tree_new *ingest_page_at(struct ingest *in, size_t i)
{
	return i < in->page_list.n ? in->page_list.p[i] : NULL;
}

static void add_blob(struct ingest *in, struct new_blob b)
{
	struct new_blob *t;

	if (map_has(&in->blobs, key(&b.id)))
		return;
	t = arena_new_of(in->a, struct new_blob);
	*t = b;
	t->recorded = 0;
	map_set(&in->blobs, key(&b.id), t);
	vec_push(in->a, &in->blob_list, t);
}

void ingest_merge(struct ingest *to, struct ingest *from)
{
	for (size_t i = 0; i < from->page_list.n; i++)
		ingest_page_add(to, &from->page_list.p[i]->id, from->page_list.p[i]->body);
	for (size_t i = 0; i < from->blob_list.n; i++)
		add_blob(to, *from->blob_list.p[i]);
	for (int i = 0; i < 256; i++)
		to->dirty[i] |= from->dirty[i];
	to->new_folder |= from->new_folder;
	map_init(&from->pages, from->a);
	map_init(&from->blobs, from->a);
	from->page_list.n = from->blob_list.n = 0;
	memset(from->dirty, 0, sizeof(from->dirty));
	from->new_folder = false;
}

static void temp_path(struct ingest *in, char *out, size_t cap)
{
	char name[RAND_NAME];

	rand_name(name);
	snprintf(out, cap, "%s/staging/in-%s", in->s->leat_dir, name);
}

/* 1: these bytes are in the store, or in this session. */
static int seen(struct ingest *in, const struct sha *id, struct err *e)
{
	return map_has(&in->blobs, key(id)) ? 1 : blob_present(in->s, id, e);
}

/*
 * A file of that name without a row: of a session beside this one, or left by a crash, maybe torn. Equal bytes are
 * taken (and synced here, since nobody else may have), others make way. 1 taken, 0 made way, -1.
 */
static int take_existing(struct ingest *in, const char *path, const struct sha *id, struct err *e)
{
	struct sha have;

	if (file_sha(path, &have, NULL, e))
		return -1;
	if (!sha_eq(&have, id))
		return blob_quarantine(in->s, id, e);
	return file_chmod(path, 0444, e) ? -1 : 1;
}

/* Gives a whole, read-only file that only we can have open its name among the blobs. `temp` is gone afterwards. */
static int place(struct ingest *in, const char *temp, const struct sha *id, struct err *e)
{
	struct new_blob b = {.id = *id};
	struct err inner = ERR_INIT;
	struct file_key k;
	char path[BLOB_PATH_CAP];

	blob_path(in->s, id, path, sizeof(path));
	for (int tries = 0; file_rename_new(temp, path, &inner); tries++) {
		int r = -1;
		if (inner.code == ERR_NOT_FOUND && !tries && file_exists(temp)) {
			struct err made = ERR_INIT;
			r = dir_make_parent(path, 0777, &made) ? -1 : 0;
			inner = r ? made : inner;
			in->new_folder = true;
		} else if (inner.code == ERR_CONFLICT && tries < 3) {
			err_clear(&inner);
			r = take_existing(in, path, id, &inner);
		}
		if (r < 0) {
			(void)unlink(temp);
			*e = inner;
			return -1;
		}
		err_clear(&inner);
		if (r == 1) {
			(void)unlink(temp);
			break;
		}
	}
	if (file_stat_key(path, &k, e))
		return -1;
	b.size = k.size;
	b.mtime_ns = k.mtime_ns;
	in->dirty[id->b[0]] = true;
	add_blob(in, b);
	return 0;
}

static void entry_of(struct entry *out, const struct sha *id, uint64_t size)
{
	*out = (struct entry){.name = STR(""), .kind = ENTRY_FILE, .id = *id, .size = (int64_t)size, .files = 1};
}

int ingest_bytes(struct ingest *in, struct str bytes, struct entry *out, struct err *e)
{
	struct sha id = sha_of(bytes.p, bytes.n);
	int r = seen(in, &id, e);
	char temp[BLOB_PATH_CAP];

	if (r < 0)
		return -1;
	if (!r) {
		temp_path(in, temp, sizeof(temp));
		if (file_write(temp, bytes, 0444, FILE_EXCL, e)) {
			(void)unlink(temp);
			return -1;
		}
		if (place(in, temp, &id, e))
			return -1;
	}
	entry_of(out, &id, bytes.n);
	return 0;
}

/* A temp file whose hash is known: kept if its bytes are new, else removed. */
static int keep(struct ingest *in, const char *temp, const struct sha *id, uint64_t size, struct entry *out,
                struct err *e)
{
	int r = seen(in, id, e);

	if (r < 0 || (r == 0 && place(in, temp, id, e)))
		return -1;
	if (r == 1)
		(void)unlink(temp);
	entry_of(out, id, size);
	return 0;
}

int ingest_fd(struct ingest *in, int fd, struct entry *out, struct err *e)
{
	char temp[BLOB_PATH_CAP];
	int to FD_CLEANUP = -1;
	struct sha id;
	uint64_t size;

	temp_path(in, temp, sizeof(temp));
	if (file_open_write(temp, O_EXCL, 0444, &to, e))
		return -1;
	if (file_copy_fd_sha(fd, "the input", to, temp, &id, &size, e)) {
		(void)unlink(temp);
		return -1;
	}
	return keep(in, temp, &id, size, out, e);
}

static bool same_bytes(const struct file_key *a, const struct file_key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static int small_file(struct ingest *in, int fd, const char *path, struct entry *out, struct err *e)
{
	struct buf b = BUF_INIT(SMALL + 1);
	size_t got = 0;
	int rc;

	buf_reserve(&b, SMALL + 1);
	rc = fd_read_full(fd, b.p, SMALL + 1, &got, path, e);
	if (!rc && got > SMALL)
		rc = err_set(e, ERR_BUSY, "%s is still being written", path);
	if (!rc)
		rc = ingest_bytes(in, (struct str){b.p, got}, out, e);
	buf_free(&b);
	return rc;
}

static int large_file(struct ingest *in, const char *path, bool link, struct entry *out, struct err *e)
{
	char temp[BLOB_PATH_CAP];
	struct sha id;
	uint64_t size;
	int linked = 0;

	temp_path(in, temp, sizeof(temp));
	if (link) {
		linked = file_link(path, temp, e);
		if (linked < 0)
			return -1;
	}
	if (linked ? file_sha(temp, &id, &size, e) : file_copy_sha(path, temp, 0444, 0, &id, &size, e)) {
		(void)unlink(temp);
		return -1;
	}
	return keep(in, temp, &id, size, out, e);
}

/* COPY and ADOPT: the source stays where it is, and is looked at again after it was read. */
static int copy(struct ingest *in, const char *path, bool adopt, struct entry *out, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct file_key before, after;
	struct entry made;
	bool link = adopt && in->s->ws->protect == PROTECT_LINK;

	if (file_open_read(path, &fd, e))
		return -1;
	if (adopt && file_lease_read(fd) == 0)
		return err_set(e, ERR_BUSY, "%s is still being written", path);
	if (adopt)
		(void)fchmod(
			fd,
			0444); /* refused where it is another user's file; the second look finds what it then does */
	if (file_fd_key(fd, path, &before, e))
		return -1;
	if (before.size <= SMALL && !link ? small_file(in, fd, path, &made, e) : large_file(in, path, link, &made, e))
		return -1;
	if (file_stat_key(path, &after, e))
		return -1;
	if (!same_bytes(&before, &after) || made.size != after.size)
		return err_set(e, ERR_BUSY, "%s is still being written", path);
	*out = made;
	return 0;
}

static int move(struct ingest *in, const char *path, struct entry *out, struct err *e)
{
	int fd FD_CLEANUP = -1, r;
	struct stat st;
	struct sha id;
	uint64_t size;

	if (file_open_read(path, &fd, e))
		return -1;
	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	if (st.st_nlink > 1) /* another name for it, which we cannot take away (a link to an input, say) */
		return copy(in, path, false, out, e);
	if ((st.st_mode & 07777) != 0444 && file_chmod(path, 0444, e))
		return -1;
	if (fd_sha(fd, &id, &size, path, e))
		return -1;
	r = seen(in, &id, e);
	if (r < 0 || (!r && place(in, path, &id, e)))
		return -1;
	/* On its way to the disk while others are taken in; ingest_sync then waits for less. */
	if (!r && in->s->ws->durable_power)
		fd_start_sync(fd);
	entry_of(out, &id, size);
	return 0;
}

int ingest_file(struct ingest *in, const char *path, enum ingest_how how, struct entry *out, struct err *e)
{
	struct stat st;

	if (file_stat(path, &st, e))
		return -1;
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_REFUSED, S_ISDIR(st.st_mode) ? "%s is a folder" : "%s is no plain file", path);
	return how == INGEST_MOVE ? move(in, path, out, e) : copy(in, path, how == INGEST_ADOPT, out, e);
}

struct found {
	char *disk;       /* where it lies */
	struct str path;  /* what it will be called */
	bool link;
};

struct sweep {
	struct arena *a;
	const char *root;      /* of the whole folder, links resolved */
	const char *disk;      /* the folder being walked */
	const char *prefix;    /* its path in the result, "" or "x/" */
	int depth;
	VEC(struct found) all;
};

static int sweep_folder(struct sweep *w, const char *disk, const char *prefix, struct err *e);

static int sweep_link(struct sweep *w, const char *disk, struct str path, struct err *e)
{
	char *real = realpath(disk, NULL), *target;
	struct stat st;
	const char *rest;

	if (!real)
		return err_set(e, ERR_REFUSED, "%s is a symbolic link that leads nowhere", disk);
	target = arena_dup(w->a, real);
	free(real);
	if (!path_inside(w->root, target, &rest))
		return err_set(e, ERR_REFUSED, "%s is a symbolic link that leads out of its folder, to %s", disk,
			       target);
	if (file_stat(target, &st, e))
		return -1;
	if (S_ISREG(st.st_mode)) {
		struct found f = {target, path, true};
		vec_push(w->a, &w->all, f);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_REFUSED, "%s leads to what is no plain file", disk);
	if (w->depth >= LINK_DEPTH || path_inside(target, disk, &rest))
		return err_set(e, ERR_REFUSED, "%s is a symbolic link into a folder that holds it", disk);
	return sweep_folder(w, target, arena_printf(w->a, "%.*s/", STR_ARG(path)), e);
}

static int sweep_entry(const struct dir_entry *d, void *ptr, struct err *e)
{
	struct sweep *w = ptr;
	char *disk, path[NAME_MAX_PATH + 1];
	size_t n;
	struct found f;

	if (d->type == DIR_FOLDER)
		return DIR_GO;
	disk = path_join(w->a, w->disk, d->path);
	f.disk = disk;
	f.path = arena_strf(w->a, "%s%s", w->prefix, d->path);
	f.link = w->depth > 0;
	if (name_path(f.path, path, &n, NULL, e))
		return -1;
	if (d->type == DIR_LINK)
		return sweep_link(w, disk, f.path, e);
	if (d->type != DIR_FILE)
		return err_set(e, ERR_REFUSED, "%s is no plain file (a socket, pipe or device)", disk);
	vec_push(w->a, &w->all, f);
	return DIR_GO;
}

static int sweep_folder(struct sweep *w, const char *disk, const char *prefix, struct err *e)
{
	const char *was_disk = w->disk, *was_prefix = w->prefix;
	int rc;

	w->disk = disk;
	w->prefix = prefix;
	w->depth++;
	rc = dir_walk(disk, DIR_NO_STAT, sweep_entry, w, e);
	w->depth--;
	w->disk = was_disk;
	w->prefix = was_prefix;
	return rc;
}

/* Very many files take minutes: who asks to stop is heard. A few are finished. */
static int go_on(size_t done, struct err *e)
{
	return done % SYNC_GROUP || done < SYNC_GROUP || !loop_stop_asked()
	           ? 0
	           : err_set(e, ERR_CANCELLED, "stopped while files were taken in; nothing of them has been published");
}

int ingest_folder(struct ingest *in, const char *dir, enum ingest_how how, struct entry *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct sweep w = {.a = a, .depth = -1};
	struct tree_edit *edits;
	char *real = realpath(dir, NULL);

	if (!real)
		return err_errno(e, errno, "cannot open the folder %s", dir);
	w.root = arena_dup(a, real);
	free(real);
	if (sweep_folder(&w, w.root, "", e))
		return -1;
	edits = arena_array(a, struct tree_edit, w.all.n);
	/* What links lead to is copied before anything is moved away. */
	for (int links = 1; links >= 0; links--) {
		for (size_t i = 0; i < w.all.n; i++) {
			const struct found *f = &w.all.p[i];
			if (f->link != (links == 1))
				continue;
			if (go_on(i, e) || ingest_file(in, f->disk, f->link ? INGEST_COPY : how, &edits[i].entry, e))
				return -1;
			edits[i].op = EDIT_PUT;
			edits[i].path = f->path;
		}
	}
	return tree_apply(in->s, in, NULL, edits, w.all.n, out, e);
}

static int sync_files(struct ingest *in, size_t from, size_t n, struct err *e)
{
	int fds[SYNC_GROUP], rc = 0, error;
	char path[BLOB_PATH_CAP];
	size_t opened = 0, which;

	for (; opened < n && !rc; opened += !rc) {
		fds[opened] = -1;
		if (in->blob_list.p[from + opened]->synced)
			continue;
		blob_path(in->s, &in->blob_list.p[from + opened]->id, path, sizeof(path));
		rc = file_open_read(path, &fds[opened], e);
		if (!rc)
			fd_start_sync(fds[opened]);
	}
	if (!rc && (error = fd_sync_all(fds, n, false, &which))) {
		blob_path(in->s, &in->blob_list.p[from + which]->id, path, sizeof(path));
		rc = err_errno(e, error, "cannot bring %s to disk", path);
	}
	for (size_t i = 0; i < opened; i++) {
		in->blob_list.p[from + i]->synced |= !rc;
		fd_close(&fds[i]);
	}
	return rc;
}

/* Those of blobs/ that have new names. */
static int sync_folders(struct ingest *in, struct err *e)
{
	int fds[256], names[256], rc = 0, error;
	char path[BLOB_PATH_CAP];
	size_t n = 0, which;

	for (int i = 0; i < 256 && !rc; i++) {
		if (!in->dirty[i])
			continue;
		fds[n] = -1;
		names[n] = i;
		snprintf(path, sizeof(path), "%s/blobs/%02x", in->s->leat_dir, (unsigned)i);
		rc = dir_open(path, &fds[n], e);
		n += !rc;
	}
	if (!rc && (error = fd_sync_all(fds, n, true, &which)))
		rc = err_errno(e, error, "cannot bring the folder %s/blobs/%02x to disk", in->s->leat_dir,
		               (unsigned)names[which]);
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
	if (!rc)
		memset(in->dirty, 0, sizeof(in->dirty));
	return rc;
}

int ingest_sync(struct ingest *in, struct err *e)
{
	char path[BLOB_PATH_CAP];

	fault_crash("ingest-placed");
	if (in->s->ws->durable_power) {
		for (size_t i = 0; i < in->blob_list.n; i += SYNC_GROUP)
			if (go_on(i, e) || sync_files(in, i, MIN(in->blob_list.n - i, (size_t)SYNC_GROUP), e))
				return -1;
		if (sync_folders(in, e))
			return -1;
		snprintf(path, sizeof(path), "%s/blobs", in->s->leat_dir);
		if (in->new_folder && dir_sync(path, e))
			return -1;
		in->new_folder = false;
	}
	fault_crash("ingest-synced");
	return 0;
}

int ingest_record(struct ingest *in, struct err *e)
{
	int64_t now = db_transaction(in->s->db);

	BUG_IF(!db_in_write(in->s->db));
	for (size_t i = 0; i < in->blob_list.n; i++) {
		struct new_blob *b = in->blob_list.p[i];
		struct q *q;
		if (b->recorded == now)
			continue;
		q = db_query(in->s->db, "insert or replace into blob(id, size, mtime_ns) values(?, ?, ?)");
		q_sha(q, 1, &b->id);
		q_int(q, 2, b->size);
		q_int(q, 3, b->mtime_ns);
		if (q_run(q, e))
			return -1;
		b->recorded = now;
	}
	return tree_record(in->s, in, e);
}
