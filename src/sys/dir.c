#include "sys/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/dir_in.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/rand.h"

#define CHUNK DIR_CHUNK
#define PATH_CEILING (64u << 10)
#define NAMES_CEILING ((size_t)4 << 30)

void dir_listing_free(struct dir_listing *l)
{
	buf_free(&l->bytes);
	free(l->p);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

static void add_name(struct dir_listing *l, const struct dirent64 *d)
{
	buf_addc(&l->bytes, (char)d->d_type);
	buf_add(&l->bytes, d->d_name, strlen(d->d_name) + 1);
	l->n++;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* By getdents64 itself: opendir's buffer and stream are paid for each folder, and a walk meets many. */
int dir_listing_read(int fd, char *chunk, unsigned flags, struct dir_listing *l, const char *path, struct err *e)
{
	ssize_t got;

	buf_init(&l->bytes, NAMES_CEILING);
	while ((got = getdents64(fd, chunk, CHUNK)) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *d = (const struct dirent64 *)(void *)(chunk + at);

			at += d->d_reclen;
			if (!is_dots(d->d_name) && !((flags & DIR_SKIP_DOT) && d->d_name[0] == '.'))
				add_name(l, d);
		}
		if (l->n > DIR_MAX_ENTRIES || buf_over(&l->bytes))
			return err_set(e, ERR_LIMIT, "%s: more than %d names in one folder", path, DIR_MAX_ENTRIES);
	}
	if (got < 0 && errno != ENOENT) /* ENOENT: removed while we read it */
		return err_errno(e, errno, "cannot list %s", path);
	l->p = xmalloc((l->n + 1) * sizeof(*l->p));
	for (size_t i = 0, at = 0; i < l->n; i++) {
		l->p[i] = l->bytes.p + at;
		at += strlen(l->p[i] + 1) + 2;
	}
	if (!(flags & DIR_UNSORTED) && l->n > 1)
		qsort(l->p, l->n, sizeof(*l->p), by_name);
	return 0;
}

struct walk {
	unsigned flags;
	dir_visit *visit;
	void *ptr;
	const char *root; /* for messages */
	struct buf path;  /* of the entry being visited */
	char *chunk;
};

static enum dir_type type_of_mode(mode_t mode)
{
	return S_ISREG(mode) ? DIR_FILE : S_ISDIR(mode) ? DIR_FOLDER : S_ISLNK(mode) ? DIR_LINK : DIR_OTHER;
}

static const char *walk_name(struct walk *w)
{
	return w->path.n ? w->path.p : w->root;
}

/* 1 = filled, 0 = it vanished */
static int look(struct walk *w, int fd, unsigned char d_type, struct dir_entry *entry, struct err *e)
{
	if ((w->flags & DIR_NO_STAT) && d_type != DT_UNKNOWN) {
		entry->st.st_mode = (mode_t)DTTOIF(d_type);
	} else if (fstatat(fd, entry->name, &entry->st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return 0;
		return err_errno(e, errno, "cannot look at %s/%s", w->root, w->path.p);
	}
	entry->type = type_of_mode(entry->st.st_mode);
	return 1;
}

static int walk_folder(struct walk *w, int fd, unsigned depth, struct err *e);

static int walk_into(struct walk *w, const struct dir_entry *entry, struct err *e)
{
	struct dir_entry leave = {.dir_fd = entry->dir_fd, .type = DIR_FOLDER, .depth = entry->depth, .leaving = true};
	int fd FD_CLEANUP = -1;
	size_t path_n = w->path.n;
	int rc;

	if (entry->depth >= DIR_MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "%s/%s: folders more than %d deep", w->root, w->path.p, DIR_MAX_DEPTH);
	fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return DIR_GO; /* gone, or something else by now */
	if (fd < 0 && errno == EACCES && (w->flags & DIR_SHUT_OK))
		return DIR_GO;
	if (fd < 0)
		return err_errno(e, errno, "cannot open the folder %s/%s", w->root, w->path.p);
	rc = walk_folder(w, fd, entry->depth + 1, e);
	if (rc || !(w->flags & DIR_LEAVE))
		return rc;
	/* The path's memory may have moved meanwhile. */
	leave.path = w->path.p;
	leave.name = w->path.p + path_n - strlen(entry->name);
	rc = w->visit(&leave, w->ptr, e);
	return rc == DIR_SKIP ? DIR_GO : rc;
}

static int walk_one(struct walk *w, int fd, const char *typed, unsigned depth, struct err *e)
{
	struct dir_entry entry = {.name = typed + 1, .dir_fd = fd, .depth = depth};
	size_t keep = w->path.n;
	int rc;

	if (keep)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, typed + 1);
	if (buf_over(&w->path))
		return err_set(e, ERR_LIMIT, "%s: a path longer than %u bytes", w->root, PATH_CEILING);
	entry.path = w->path.p;
	rc = look(w, fd, (unsigned char)typed[0], &entry, e);
	if (rc > 0) {
		rc = w->visit(&entry, w->ptr, e);
		if (rc == DIR_GO && entry.type == DIR_FOLDER && !(w->flags & DIR_FLAT))
			rc = walk_into(w, &entry, e);
	}
	w->path.n = keep;
	w->path.p[keep] = '\0';
	return rc == DIR_SKIP ? DIR_GO : rc;
}

static int walk_folder(struct walk *w, int fd, unsigned depth, struct err *e)
{
	struct dir_listing l = {0};
	int rc = dir_listing_read(fd, w->chunk, w->flags, &l, walk_name(w), e);

	for (size_t i = 0; !rc && i < l.n; i++)
		rc = walk_one(w, fd, l.p[i], depth, e);
	dir_listing_free(&l);
	return rc;
}

int dir_walk_at(int dir_fd, const char *name, unsigned flags, dir_visit *visit, void *ptr, struct err *e)
{
	struct walk w = {.flags = flags, .visit = visit, .ptr = ptr, .root = name, .path = BUF_INIT(PATH_CEILING)};
	int fd FD_CLEANUP = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0 && ((errno == ENOENT && (flags & DIR_GONE_OK)) || (errno == EACCES && (flags & DIR_SHUT_OK))))
		return 0;
	if (fd < 0)
		return err_errno(e, errno, "cannot open the folder %s", name);
	w.chunk = xmalloc(CHUNK);
	rc = walk_folder(&w, fd, 1, e);
	free(w.chunk);
	buf_free(&w.path);
	return rc < 0 ? -1 : 0;
}

int dir_walk(const char *path, unsigned flags, dir_visit *visit, void *ptr, struct err *e)
{
	return dir_walk_at(AT_FDCWD, path, flags, visit, ptr, e);
}

int dir_list(struct arena *a, const char *path, struct dir_names *out, struct err *e)
{
	struct dir_listing l = {0};
	int fd FD_CLEANUP = -1;
	char *chunk;
	int rc;

	if (dir_open(path, &fd, e))
		return -1;
	chunk = xmalloc(CHUNK);
	rc = dir_listing_read(fd, chunk, 0, &l, path, e);
	free(chunk);
	if (!rc) {
		out->p = arena_array(a, char *, l.n + 1);
		out->n = l.n;
		for (size_t i = 0; i < l.n; i++)
			out->p[i] = arena_dup(a, l.p[i] + 1);
	}
	dir_listing_free(&l);
	return rc;
}

int dir_open(const char *path, int *fd, struct err *e)
{
	int got = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (got < 0)
		return err_errno(e, errno, "cannot open the folder %s", path);
	*fd = got;
	return 0;
}

bool dir_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int stop_at_first(const struct dir_entry *entry, void *ptr, struct err *e)
{
	(void)entry;
	(void)e;
	*(bool *)ptr = false;
	return DIR_STOP;
}

int dir_is_empty(const char *path, bool *out, struct err *e)
{
	bool empty = true;

	if (dir_walk(path, DIR_FLAT | DIR_NO_STAT | DIR_UNSORTED, stop_at_first, &empty, e))
		return -1;
	*out = empty;
	return 0;
}

int dir_make_one(const char *path, mode_t mode, struct err *e)
{
	int error = fault_io("mkdir", path);

	if (!error && mkdir(path, mode))
		error = errno;
	if (error == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s is there already", path);
	return error ? err_errno(e, error, "cannot make the folder %s", path) : 0;
}

/* Makes what is missing of path[0..n); path is ours to cut. */
static int make_parents(char *path, size_t n, mode_t mode, struct err *e)
{
	char keep = path[n];
	size_t up = n;
	int error = 0;

	path[n] = '\0';
	if (dir_exists(path))
		goto out;
	while (up > 0 && path[up - 1] != '/')
		up--;
	while (up > 1 && path[up - 1] == '/')
		up--;
	if (up > (path[0] == '/') && make_parents(path, up, mode, e)) {
		path[n] = keep;
		return -1;
	}
	error = fault_io("mkdir", path);
	if (!error && mkdir(path, mode))
		error = errno == EEXIST && dir_exists(path) ? 0 : errno; /* somebody made it meanwhile */
	if (error == EEXIST)
		err_set(e, ERR_CONFLICT, "%s is there and is no folder", path);
	else if (error)
		err_errno(e, error, "cannot make the folder %s", path);
out:
	path[n] = keep;
	return error ? -1 : 0;
}

int dir_make(const char *path, mode_t mode, struct err *e)
{
	size_t n = strlen(path);
	char *own;
	int rc;

	if (dir_exists(path))
		return 0;
	own = xstrdup(path);
	while (n > 1 && own[n - 1] == '/')
		own[--n] = '\0';
	rc = make_parents(own, n, mode, e);
	free(own);
	return rc;
}

int dir_make_parent(const char *path, mode_t mode, struct err *e)
{
	char *own = xstrdup(path);
	size_t n = strlen(own);
	int rc = 0;

	while (n > 1 && own[n - 1] == '/')
		n--;
	while (n > 0 && own[n - 1] != '/')
		n--;
	own[n] = '\0';
	if (n > 1)
		rc = dir_make(own, mode, e);
	free(own);
	return rc;
}

int dir_remove(const char *path, struct err *e)
{
	int error = fault_io("unlink", path);

	if (!error && rmdir(path))
		error = errno;
	return error && error != ENOENT ? err_errno(e, error, "cannot remove the folder %s", path) : 0;
}

/* A folder that its owner may not write keeps what it holds: ours to open up, by descriptor so that no link is met. */
static void open_up(int dir_fd, const char *name)
{
	int fd FD_CLEANUP = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char proc[40];

	if (fd < 0)
		return;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	(void)chmod(proc, 0700);
}

#define DEEP_FOLDERS 64 /* below this, or at a path this long, a folder is first moved up to the root */
#define DEEP_BYTES 2048

struct removal {
	const char *path;
	int fd;      /* of path */
	bool large;  /* what is large goes in steps */
	bool again;  /* folders were moved up: the root has to be walked once more */
};

/* A tree deeper than a walk goes, or a path may be long, is taken apart in pieces. */
static bool move_up(struct removal *r, const struct dir_entry *entry)
{
	char name[RAND_NAME + 16], id[RAND_NAME];

	if (entry->depth < DEEP_FOLDERS && strlen(entry->path) < DEEP_BYTES)
		return false;
	rand_name(id);
	snprintf(name, sizeof(name), ".leat-deep-%s", id);
	if (renameat(entry->dir_fd, entry->name, r->fd, name))
		return false;
	r->again = true;
	return true;
}

static int remove_entry(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct removal *r = ptr;
	bool folder = entry->type == DIR_FOLDER;
	int error;

	if (folder && !entry->leaving) {
		if ((entry->st.st_mode & 0700) != 0700 && geteuid() != 0)
			open_up(entry->dir_fd, entry->name);
		return move_up(r, entry) ? DIR_SKIP : DIR_GO;
	}
	if (r->large && !folder)
		return file_unlink_large_at(entry->dir_fd, entry->name, entry->path, e) ? -1 : DIR_GO;
	error = fault_io("unlink", entry->path);
	if (!error && unlinkat(entry->dir_fd, entry->name, folder ? AT_REMOVEDIR : 0))
		error = errno;
	if (error && error != ENOENT)
		return err_errno(e, error, "cannot remove %s/%s", r->path, entry->path);
	return DIR_GO;
}

static int remove_below(const char *path, unsigned flags, bool large, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct removal r = {.path = path, .large = large};

	if (dir_open(path, &fd, e))
		return -1;
	r.fd = fd;
	do {
		r.again = false;
		if (dir_walk(path, flags, remove_entry, &r, e))
			return -1;
	} while (r.again);
	return 0;
}

static int remove_tree(const char *path, bool large, struct err *e)
{
	struct stat st;
	unsigned flags = DIR_LEAVE | DIR_UNSORTED | DIR_GONE_OK;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return err_errno(e, errno, "cannot remove %s", path);
	}
	if (!S_ISDIR(st.st_mode))
		return large ? file_unlink_large(path, e) : file_unlink(path, e);
	if (geteuid() == 0)
		flags |= DIR_NO_STAT; /* nothing needs opening up for root */
	else if ((st.st_mode & 0700) != 0700)
		open_up(AT_FDCWD, path);
	if (remove_below(path, flags, large, e))
		return -1;
	return dir_remove(path, e);
}

int dir_remove_tree(const char *path, struct err *e)
{
	return remove_tree(path, false, e);
}

int dir_remove_large(const char *path, struct err *e)
{
	return remove_tree(path, true, e);
}

int dir_sync(const char *path, struct err *e)
{
	int fd FD_CLEANUP = -1;
	int error;

	if (dir_open(path, &fd, e))
		return -1;
	error = fault_io("fsync", path);
	if (!error && fsync(fd))
		error = errno;
	return error ? err_errno(e, error, "cannot bring the folder %s to disk", path) : 0;
}
