/* Bytes out of a repo: cat and get. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "api/rows.h"
#include "api/spot.h"
#include "base/str.h"
#include "base/tar.h"
#include "repo/blob.h"
#include "sys/file.h"

#define CHUNK ((size_t)256 << 10)

/* Some of the bytes of a file; all: from 0, n INT64_MAX. */
struct range {
	int64_t from, n;
};
static const struct range whole = {0, INT64_MAX};

typedef int take_fn(void *ptr, struct str bytes, struct err *e);

static int send_blob(struct api *api, const struct entry *entry, struct range r, take_fn *take, void *ptr,
                     struct err *e)
{
	bool opens = entry->size >= BLOB_WHOLE_MIN; /* what is smaller is read where it lies */
	struct arena *a cleanup(arena_cleanup) = arena_new();
	size_t cap = (size_t)MAX(MIN(MIN(r.n, entry->size), (int64_t)CHUNK), 1);
	char *buf = arena_alloc(a, cap);
	int fd FD_CLEANUP = -1;

	if (opens && blob_open(api->store, &entry->id, &fd, e))
		return -1;
	while (r.n > 0) {
		size_t n, want = (size_t)MIN(r.n, (int64_t)cap);

		if (opens ? fd_pread_full(fd, buf, want, (off_t)r.from, &n, "a file of the store", e)
		          : blob_read(api->store, &entry->id, r.from, buf, want, &n, e))
			return -1;
		if (n && take(ptr, (struct str){buf, n}, e))
			return -1;
		if (n < want)
			break;
		r.from += (int64_t)n;
		r.n -= (int64_t)n;
	}
	return 0;
}

/* FROM-TO (both included, counted from 0), FROM- (to the end), -N (the last N), as in HTTP. */
static int parse_range(const struct args *args, struct range *out, bool *some, int64_t *last, struct err *e)
{
	struct str text = args_value(args, "range"), head, tail;
	int64_t to = INT64_MAX;
	struct range r = whole;

	*some = text.p;
	*last = 0;
	if (!text.p) {
		*out = whole;
		return 0;
	}
	if (!str_cut(text, '-', &head, &tail) || (!head.n && !tail.n) || (head.n && !str_to_i64(head, &r.from)) ||
	    (tail.n && !str_to_i64(tail, &to)) || (head.n && to < r.from)) {
		err_set(e, ERR_BAD_REQUEST, "--range '%.*s' is no range", STR_ARG(text));
		return err_hint(e, "0-99 is the first 100 bytes, 100- what follows them, -100 the last 100");
	}
	if (!head.n)
		*last = to;
	else if (to != INT64_MAX)
		r.n = to - r.from + 1;
	*out = r;
	return 0;
}

/* The range in a file of that size. */
static int fit_range(const struct args *args, const struct entry *entry, struct range *out, struct err *e)
{
	struct range r;
	int64_t last;
	bool some;

	if (parse_range(args, &r, &some, &last, e))
		return -1;
	if (last)
		r.from = MAX(entry->size - last, 0);
	if (some && r.from && r.from >= entry->size)
		return err_set(e, ERR_NOT_FOUND, "%.*s has %lld bytes; --range %.*s begins behind them",
		               STR_ARG(args_pos(args, 0)), (long long)entry->size, STR_ARG(args_value(args, "range")));
	*out = r;
	return 0;
}

static int to_sink(void *ptr, struct str bytes, struct err *e)
{
	struct sink *out = ptr;

	return out->bytes(out->ptr, bytes, e);
}

struct catting {
	struct api *api;
	const struct args *args;
	struct sink *out;
	size_t n;
};

static int cat_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct catting *c = ptr;
	struct range r;

	if (entry->kind == ENTRY_FOLDER)
		return 0;
	c->n++;
	if (fit_range(c->args, entry, &r, e))
		return err_wrap(e, "/%.*s", STR_ARG(path));
	return send_blob(c->api, entry, r, to_sink, c->out, e);
}

int api_cat(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct catting c = {api, args, out, 0};

	for (size_t i = 0; i < args_n(args); i++) {
		struct spot s;

		if (spot_find(api, args, args_pos(args, i), true, &s, e))
			return -1;
		if (s.glob) {
			c.n = 0;
			if (spot_each(api, &s, cat_entry, &c, e))
				return -1;
			if (!c.n)
				return spot_nothing(&s, e);
			continue;
		}
		if (s.entry.kind == ENTRY_FOLDER) {
			err_set(e, ERR_BAD_REQUEST, "%.*s is a folder", STR_ARG(args_pos(args, i)));
			return err_hint(e, "'leat ls' lists it, 'leat get' copies it");
		}
		if (cat_entry(&c, s.path, &s.entry, e))
			return -1;
	}
	return 0;
}

/* ---- get ---- */

struct getting {
	struct api *api;
	const struct args *args;
	struct sink *out;
	const char *dest;  /* the folder it goes to; of a single file, the file */
	struct arena *row; /* emptied after each file */
	struct str under;  /* of a pattern: the folder that every match lies in, left out of the names */
	bool recursive;    /* folders that match, too */
	size_t files, folders, left_out;
	/* a tar archive */
	take_fn *take;
	void *ptr;
	int64_t mtime;
	struct buf head;
};

/* Beside a file, to be renamed over it; a device or pipe itself, which nothing may take the place of (/dev/null). */
static const char *beside(struct arena *a, const char *to, bool *special)
{
	*special = file_is_special(to);
	return *special ? to : arena_printf(a, "%s/.leat-get-%d.tmp", path_dir(a, to), (int)getpid());
}

/* Written beside and renamed over, so that an interrupted get leaves the old file or the new one, never half. */
static int get_file(struct getting *g, const char *to, const struct entry *entry, struct err *e)
{
	bool special;
	const char *tmp = beside(g->row, to, &special);
	struct sha sha;
	int from, fd, rc;

	if (blob_open(g->api->store, &entry->id, &from, e))
		return -1;
	rc = file_open_write(tmp, special ? 0 : O_EXCL, 0666, &fd, e);
	if (!rc) {
		rc = file_copy_fd_sha(from, "the store", fd, tmp, &sha, NULL, e);
		if (!rc && !sha_eq(&sha, &entry->id)) {
			err_set(e, ERR_DAMAGED, "the store's copy of %s is not what was put", to);
			rc = err_hint(e, "'leat fsck' tells what else is damaged");
		}
		if (close(fd) && !rc)
			rc = err_errno(e, errno, "%s", to);
		if (!rc && !special)
			rc = file_rename(tmp, to, e);
		if (rc && !special)
			unlink(tmp);
	}
	close(from);
	return rc;
}

static int get_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct getting *g = ptr;
	char *to = arena_printf(g->row, "%s/%.*s", g->dest, STR_ARG(path));
	int rc;

	g->files += entry->kind == ENTRY_FILE;
	rc = entry->kind == ENTRY_FOLDER ? dir_make(to, 0777, e) : get_file(g, to, entry, e);
	arena_reset(g->row);
	return rc;
}

static int tar_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	static const char zeroes[TAR_BLOCK];
	struct getting *g = ptr;
	bool folder = entry->kind == ENTRY_FOLDER;
	size_t pad = folder ? 0 : tar_padding(entry->size);

	g->files += !folder;
	buf_reset(&g->head);
	tar_head(&g->head, arena_strf(g->row, "%s%.*s%s", g->dest, STR_ARG(path), folder ? "/" : ""),
	         folder ? 0 : entry->size, g->mtime);
	arena_reset(g->row);
	if (g->take(g->ptr, buf_str(&g->head), e))
		return -1;
	if (folder)
		return 0;
	if (send_blob(g->api, entry, whole, g->take, g->ptr, e))
		return -1;
	return pad ? g->take(g->ptr, (struct str){zeroes, pad}, e) : 0;
}

/* What a pattern matched: files as they come, folders with all in them if asked for. */
struct matching {
	struct getting *g;
	tree_cb cb;
	struct str folder; /* whose content is told now */
};

static int match_below(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct matching *m = ptr;
	struct arena *a cleanup(arena_cleanup) = arena_new();

	return m->cb(m->g, arena_strf(a, "%.*s/%.*s", STR_ARG(m->folder), STR_ARG(path)), entry, e);
}

static int match_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct matching *m = ptr;
	struct getting *g = m->g;
	struct arena *a cleanup(arena_cleanup) = arena_new();

	if (entry->kind == ENTRY_FOLDER && !g->recursive) {
		g->left_out++;
		return 0;
	}
	if (g->under.n)
		path = str_sub(path, g->under.n + 1, SIZE_MAX);
	path = arena_str(a, path);
	if (!g->take && dir_make_parent(arena_printf(a, "%s/%.*s", g->dest, STR_ARG(path)), 0777, e))
		return -1;
	if (path.n && m->cb(g, path, entry, e))
		return -1;
	if (entry->kind == ENTRY_FILE)
		return 0;
	g->folders++;
	m->folder = path;
	if (tree_walk(g->api->store, NULL, &entry->id, true, path.n ? match_below : m->cb, path.n ? (void *)m : g, e))
		return -1;
	return TREE_SKIP;
}

static int get_matches(struct getting *g, const struct spot *s, tree_cb cb, struct err *e)
{
	struct matching m = {.g = g, .cb = cb};

	g->under = glob_fixed_prefix(s->glob);
	if (spot_each(g->api, s, match_entry, &m, e))
		return -1;
	if (g->left_out && !g->files && !g->folders) {
		err_set(e, ERR_BAD_REQUEST, "what matches are %zu folders", g->left_out);
		return err_hint(e, "-r takes folders that match with all that is in them");
	}
	if (g->left_out)
		sink_note(g->out, "%zu folder%s that match%s left out; -r takes them with all that is in them",
		          g->left_out, g->left_out == 1 ? "" : "s", g->left_out == 1 ? "es" : "");
	return g->files || g->folders ? 0 : spot_nothing(s, e);
}

struct to_fd {
	int fd;
	const char *path;
};

static int take_fd(void *ptr, struct str bytes, struct err *e)
{
	struct to_fd *t = ptr;

	return fd_write_all(t->fd, bytes.p, bytes.n, t->path, e);
}

static int write_tar(struct getting *g, const struct spot *s, struct err *e)
{
	int rc;

	g->mtime = s->pin.commit.at / 1000;
	g->dest = "";
	if (s->glob)
		rc = get_matches(g, s, tar_entry, e);
	else if (s->entry.kind == ENTRY_FOLDER)
		rc = tree_walk(g->api->store, NULL, &s->entry.id, true, tar_entry, g, e);
	else
		rc = tar_entry(g, str_of(path_base(g->api->arena, arena_cstr(g->api->arena, s->path))), &s->entry, e);
	if (rc)
		return -1;
	buf_reset(&g->head);
	tar_end(&g->head);
	return g->take(g->ptr, buf_str(&g->head), e);
}

/* Runs `work` with g->take going to standard output, or to a file that stands whole or not at all. */
static int with_output(struct getting *g, const struct spot *s,
                       int (*work)(struct getting *g, const struct spot *s, struct err *e), struct err *e)
{
	struct str dest = args_value(g->args, "output");
	struct to_fd *t = arena_new_of(g->api->arena, struct to_fd);
	const char *tmp, *to;
	bool special;
	int rc;

	*t = (struct to_fd){.fd = -1};
	if (!dest.p || str_is(dest, "-")) {
		g->take = to_sink;
		g->ptr = g->out;
		return work(g, s, e);
	}
	to = arena_cstr(g->api->arena, dest);
	tmp = beside(g->api->arena, to, &special);
	if (dir_make_parent(to, 0777, e) || file_open_write(tmp, special ? 0 : O_EXCL, 0666, &t->fd, e))
		return -1;
	t->path = to;
	g->take = take_fd;
	g->ptr = t;
	rc = work(g, s, e);
	if (close(t->fd) && !rc)
		rc = err_errno(e, errno, "%s", to);
	if (!rc && !special)
		rc = file_rename(tmp, to, e);
	if (rc && !special)
		unlink(tmp);
	return rc;
}

static int write_range(struct getting *g, const struct spot *s, struct err *e)
{
	struct range r;

	if (s->glob || s->entry.kind == ENTRY_FOLDER) {
		err_set(e, ERR_BAD_REQUEST, "%.*s is %s; --range is of one file",
		        STR_ARG(args_pos(g->args, 0)), s->glob ? "a pattern" : "a folder");
		return err_hint(e, "'leat cat --range' takes that range of each of several files");
	}
	return fit_range(g->args, &s->entry, &r, e) ? -1 : send_blob(g->api, &s->entry, r, g->take, g->ptr, e);
}

static int whole_file(struct getting *g, const struct spot *s, struct err *e)
{
	return send_blob(g->api, &s->entry, whole, g->take, g->ptr, e);
}

static int get_files(struct getting *g, const struct spot *s, struct err *e)
{
	struct arena *a = g->api->arena;
	struct str dest = args_value(g->args, "output");
	struct stat st;
	struct str base;

	if (s->glob) {
		g->dest = dest.p ? arena_cstr(a, dest) : ".";
		return get_matches(g, s, get_entry, e);
	}
	base = str_of(path_base(a, arena_cstr(a, s->path.n ? s->path : s->pin.repo.name)));
	g->dest = arena_cstr(a, dest.p ? dest : base);
	if (s->entry.kind == ENTRY_FILE) {
		if (dest.n && (dest.p[dest.n - 1] == '/' || (stat(g->dest, &st) == 0 && S_ISDIR(st.st_mode))))
			g->dest = arena_printf(a, "%s/%.*s", g->dest, STR_ARG(base));
		return dir_make_parent(g->dest, 0777, e) ? -1 : get_file(g, g->dest, &s->entry, e);
	}
	if (dir_make(g->dest, 0777, e))
		return -1;
	return tree_walk(g->api->store, NULL, &s->entry.id, true, get_entry, g, e);
}

int api_get(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct getting g = {.api = api, .args = args, .out = out, .recursive = args_flag(args, "recursive"),
	                    .head = BUF_INIT(1 << 16)};
	bool tar = args_flag(args, "tar"), range = args_count(args, "range"), to_stdout;
	struct spot s;
	int rc;

	if (tar && range)
		return err_set(e, ERR_BAD_REQUEST, "--tar and --range do not go together");
	if (spot_find(api, args, args_pos(args, 0), true, &s, e))
		return -1;
	to_stdout = str_is(args_value(args, "output"), "-");
	if (to_stdout && !tar && (s.glob || s.entry.kind == ENTRY_FOLDER)) {
		err_set(e, ERR_BAD_REQUEST, "a folder does not go to standard output");
		return err_hint(e, "with --tar it goes there as an archive: leat get --tar %.*s | tar t",
		                STR_ARG(args_pos(args, 0)));
	}
	g.row = arena_new();
	if (tar)
		rc = with_output(&g, &s, write_tar, e);
	else if (range)
		rc = with_output(&g, &s, write_range, e);
	else if (to_stdout)
		rc = with_output(&g, &s, whole_file, e);
	else
		rc = get_files(&g, &s, e);
	arena_free(g.row);
	buf_free(&g.head);
	return rc;
}
