#include "repo/checkout.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dom.h"
#include "base/map.h"
#include "base/str.h"
#include "repo/blob.h"
#include "repo/layout.h"
#include "repo/statcache.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/rand.h"

/* Clocks of file systems tick (10 ms at most): what is changed this short after may look as if before. */
#define RACY_MS 12
#define RACY_NS (RACY_MS * 1000000)
#define MARKER_MAX (1 << 20)
#define TREES 8          /* of checkouts to one folder that were cut short one after the other */

struct span {
	int64_t from, to;
};

/* What DIR/.leat-checkout says. */
struct marker {
	struct str workspace; /* id of the store */
	bool whole;
	struct sha trees[TREES]; /* what its files are of; while it is not whole more than one */
	size_t n_trees;
	struct span spans[CHECKOUT_SPANS + 1];
	size_t n_spans;
};

struct todo {
	struct str path;
	struct entry entry; /* its name is not set */
	bool replace;
};

struct checkout {
	struct store *s;
	struct arena *a, *row;
	const struct checkout_opts *o;
	char *dir;
	struct marker was;
	bool lost;           /* what was shown is no longer in the store */
	struct map changed;  /* paths where the new tree has what the shown one (if there is one) has not */
	int64_t started;
	struct str folder;   /* that through_link looked at last, */
	bool folder_linked;  /* and what it found */
	VEC(struct todo) todo;
	VEC(struct str) gone;    /* files to remove */
	VEC(struct str) touched; /* what the user made of them */
	size_t n_touched;
	struct checkout_done done;
};

static char *marker_path(const struct checkout *c, const char *dir)
{
	return arena_printf(c->a, "%s/" CHECKOUT_FILE, dir);
}

static int write_marker(struct checkout *c, const char *dir, const struct marker *m, struct err *e)
{
	struct dom *d = dom_new(c->a, DOM_MAP), *trees = dom_new(c->a, DOM_LIST), *spans = dom_new(c->a, DOM_LIST);
	const struct pin *p = c->o->pin;
	struct buf b = BUF_INIT(MARKER_MAX);
	char hex[SHA_HEX + 1];
	int rc;

	dom_set_int(c->a, d, "format", CHECKOUT_FORMAT);
	dom_set_cstr(c->a, d, "what", "a read-only copy by 'leat checkout'; this file tells what is whose");
	dom_set_str(c->a, d, "workspace", m->workspace);
	dom_set_cstr(c->a, d, "from", c->s->ws->dir);
	dom_set_str(c->a, d, "repo", p->repo.name);
	dom_set_cstr(c->a, d, "commit", p->commit.id.hex);
	dom_set_str(c->a, d, "path", p->path);
	dom_set_cstr(c->a, d, "state", m->whole ? "whole" : "incomplete");
	for (size_t i = 0; i < m->n_trees; i++) {
		sha_hex(&m->trees[i], hex);
		dom_add(trees, dom_new_str(c->a, str_of(hex)));
	}
	dom_set(c->a, d, "trees", trees);
	for (size_t i = 0; i < m->n_spans; i++) {
		struct dom *span = dom_new(c->a, DOM_LIST);

		dom_add(span, dom_new_int(c->a, m->spans[i].from));
		dom_add(span, dom_new_int(c->a, m->spans[i].to));
		dom_add(spans, span);
	}
	dom_set(c->a, d, "written", spans);
	dom_write_json(&b, d, DOM_PRETTY);
	buf_addc(&b, '\n');
	rc = file_replace(marker_path(c, dir), buf_str(&b), 0444, FILE_SYNC, e);
	buf_free(&b);
	return rc;
}

static bool read_trees(const struct dom *d, struct marker *m)
{
	const struct dom *trees = dom_get(d, "trees"), *spans = dom_get(d, "written");

	dom_each(t, trees)
		if (m->n_trees == TREES || t->type != DOM_STR || !sha_parse(t->s, &m->trees[m->n_trees++]))
			return false;
	dom_each(t, spans) {
		if (t->type != DOM_LIST || t->n != 2 || t->first->type != DOM_INT || t->last->type != DOM_INT ||
		    m->n_spans == CHECKOUT_SPANS)
			return false;
		m->spans[m->n_spans++] = (struct span){t->first->i, t->last->i};
	}
	return m->n_trees > 0;
}

/* 1 it is a checkout of this workspace, 0 it is none, -1. */
static int read_marker(struct checkout *c, struct marker *m, struct err *e)
{
	char *path = marker_path(c, c->dir);
	const struct dom *ws, *format, *state;
	struct dom *d;
	struct str text;

	if (!file_exists(path))
		return 0;
	if (file_read_plain(c->a, path, MARKER_MAX, &text, e) || dom_json(c->a, text, path, &d, e))
		return -1;
	ws = dom_get(d, "workspace");
	format = dom_get(d, "format");
	state = dom_get(d, "state");
	if (!ws || ws->type != DOM_STR || !format || format->type != DOM_INT || !state)
		return err_set(e, ERR_REFUSED, "%s does not say what leat writes there", path);
	if (format->i > CHECKOUT_FORMAT)
		return err_set(e, ERR_NEWER_FORMAT, "%s was made by a newer leat", c->dir);
	if (!str_eq(ws->s, m->workspace)) {
		err_set(e, ERR_REFUSED, "%s is a checkout of another workspace", c->dir);
		return err_hint(e, "name another folder");
	}
	m->whole = state->type == DOM_STR && str_is(state->s, "whole");
	if (!read_trees(d, m))
		return err_set(e, ERR_REFUSED, "%s does not say what leat writes there", path);
	return 1;
}

/* Puts in that files were written from then until now; the oldest go. */
static void add_span(struct marker *m, int64_t from)
{
	clock_sleep_ms(RACY_MS);
	m->spans[m->n_spans++] = (struct span){from, statcache_now_ns()};
	if (m->n_spans > CHECKOUT_SPANS)
		memmove(m->spans, m->spans + 1, --m->n_spans * sizeof(m->spans[0]));
}

static bool in_span(const struct marker *m, int64_t ctime_ns)
{
	for (size_t i = 0; i < m->n_spans; i++)
		if (ctime_ns >= m->spans[i].from && ctime_ns < m->spans[i].to - RACY_NS)
			return true;
	return false;
}

static void was_touched(struct checkout *c, struct str path)
{
	if (c->n_touched++ < CHECKOUT_NAMED)
		vec_push(c->a, &c->touched, arena_str(c->a, path));
}

/* Whether the bytes at `disk` are those of `id`. */
static int has_bytes(const char *disk, const struct stat *st, const struct entry *en, struct err *e)
{
	struct sha have;

	if (st->st_size != en->size)
		return 0;
	return file_sha(disk, &have, NULL, e) ? -1 : sha_eq(&have, &en->id);
}

/* Whether what lies at a path is what one of the trees that were checked out has there: 1, 0, -1. */
static int is_ours(struct checkout *c, struct str path, const char *disk, const struct stat *st, struct err *e)
{
	const bool trusted = c->was.whole && in_span(&c->was, file_key_of(st).ctime_ns);

	if (c->lost)
		return trusted;
	for (size_t i = 0; i < c->was.n_trees; i++) {
		struct entry had;
		int r = tree_find(c->s, NULL, &c->was.trees[i], path, &had, e);

		if (r == 1 && had.kind == ENTRY_FILE)
			r = trusted && st->st_size == had.size ? 1 : has_bytes(disk, st, &had, e);
		else if (r == 1)
			r = 0;
		if (r)
			return r;
	}
	return 0;
}

/* Whether a folder above is a link of the user's: what lies behind it is none of ours. */
static bool through_link(struct checkout *c, struct str path)
{
	struct str dir, base;
	struct stat st;

	if (!str_rcut(path, '/', &dir, &base))
		return false;
	if (str_eq(dir, c->folder))
		return c->folder_linked;
	c->folder = arena_str(c->a, dir);
	c->folder_linked = false;
	for (size_t i = 0; i <= dir.n && !c->folder_linked; i++)
		if (i == dir.n || dir.p[i] == '/')
			c->folder_linked = !lstat(arena_printf(c->row, "%s/%.*s", c->dir, (int)i, dir.p), &st) &&
					   S_ISLNK(st.st_mode);
	return c->folder_linked;
}

/* 1 it is as it must be, 0 it must be written, -1. */
static int look_at(struct checkout *c, struct str path, const struct entry *entry, bool *replace, struct err *e)
{
	char *disk = arena_printf(c->row, "%s/%.*s", c->dir, STR_ARG(path));
	struct stat st;
	int r;

	if (through_link(c, path) || lstat(disk, &st))
		return entry->kind == ENTRY_FOLDER;
	if (S_ISDIR(st.st_mode)) /* one that was checked out goes, with what was in it */
		return entry->kind == ENTRY_FOLDER;
	if (!S_ISREG(st.st_mode) || entry->kind == ENTRY_FOLDER) {
		r = S_ISREG(st.st_mode) ? is_ours(c, path, disk, &st, e) : 0;
		if (!r)
			was_touched(c, path);
		if (r >= 0)
			vec_push(c->a, &c->gone, arena_str(c->a, path));
		return r < 0 ? -1 : entry->kind == ENTRY_FOLDER;
	}
	*replace = true;
	if (!c->lost && c->was.whole && st.st_size == entry->size && in_span(&c->was, file_key_of(&st).ctime_ns) &&
	    !map_has(&c->changed, path))
		return 1;
	r = has_bytes(disk, &st, entry, e);
	if (r)
		return r;
	r = is_ours(c, path, disk, &st, e);
	if (!r)
		was_touched(c, path);
	return r < 0 ? -1 : 0;
}

static int plan_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct checkout *c = ptr;
	struct todo t = {.entry = *entry};
	int r = look_at(c, path, entry, &t.replace, e);

	arena_reset(c->row);
	if (r) {
		c->done.same += r == 1 && entry->kind == ENTRY_FILE;
		return r < 0 ? -1 : 0;
	}
	t.path = arena_str(c->a, path);
	t.entry.name = STR_NULL;
	vec_push(c->a, &c->todo, t);
	return 0;
}

/* A file that the new tree does not have: 0, -1. */
static int plan_gone(struct checkout *c, struct str path, const struct stat *known, struct err *e)
{
	char *disk = arena_printf(c->row, "%s/%.*s", c->dir, STR_ARG(path));
	struct stat st;
	int r = 0;

	if (through_link(c, path))
		return 0;
	if (known ? (st = *known, true) : !lstat(disk, &st) && !S_ISDIR(st.st_mode)) {
		r = S_ISREG(st.st_mode) ? is_ours(c, path, disk, &st, e) : 0;
		if (!r && !known)
			was_touched(c, path);
		if (r > 0 || (!r && !known))
			vec_push(c->a, &c->gone, arena_str(c->a, path));
	}
	arena_reset(c->row);
	return r < 0 ? -1 : 0;
}

static int plan_diff(void *ptr, enum diff_kind kind, struct str path, const struct entry *had, const struct entry *now,
                     struct err *e)
{
	struct checkout *c = ptr;

	if (kind != DIFF_REMOVED)
		map_set(&c->changed, path, c);
	return kind == DIFF_REMOVED && had->kind == ENTRY_FILE ? plan_gone(c, path, NULL, e) : 0;
}

/* What was shown is no longer known: what is ours and not in the new tree is told by its time. */
static int plan_lost(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct checkout *c = ptr;
	struct entry en;
	int r;

	if (t->type != DIR_FILE || !strcmp(t->path, CHECKOUT_FILE))
		return DIR_GO;
	r = tree_find(c->s, NULL, &c->o->root->id, str_of(t->path), &en, e);
	return r < 0 || (!r && plan_gone(c, str_of(t->path), &t->st, e)) ? -1 : DIR_GO;
}

/* What must be done, and what is in its way; changes nothing. */
static int plan(struct checkout *c, struct err *e)
{
	struct err mine = ERR_INIT;
	struct entry root;

	map_init(&c->changed, c->a);
	for (size_t i = 0; i < c->was.n_trees; i++)
		if (tree_find(c->s, NULL, &c->was.trees[i], STR(""), &root, &mine) < 0)
			c->lost = true; /* dropped, and swept by gc */
	for (size_t i = 0; i < c->was.n_trees && !c->lost; i++)
		if (tree_diff(c->s, &c->was.trees[i], &c->o->root->id, false, plan_diff, c, e))
			return -1;
	if (c->lost && dir_walk(c->dir, 0, plan_lost, c, e))
		return -1;
	return tree_walk(c->s, NULL, &c->o->root->id, true, plan_entry, c, e);
}

static int refuse_touched(struct checkout *c, struct err *e)
{
	struct buf b = BUF_INIT(4000);

	if (!c->n_touched || c->o->force)
		return 0;
	for (size_t i = 0; i < c->touched.n; i++)
		buf_addf(&b, "%s%.*s", i ? ", " : "", STR_ARG(c->touched.p[i]));
	err_set(e, ERR_CONFLICT, "%s holds what leat did not put there: %.*s%s", c->dir, (int)MIN(b.n, 400), b.p,
	        c->n_touched > c->touched.n ? ", ..." : "");
	buf_free(&b);
	return err_hint(e, "move it away, or --force overwrites it");
}

static int make_parent(struct checkout *c, const char *to, struct str *made, struct err *e)
{
	struct str dir, base;

	if (!str_rcut(str_of(to), '/', &dir, &base) || str_eq(dir, *made))
		return 0;
	*made = arena_str(c->a, dir);
	return dir_make(arena_cstr(c->row, dir), 0777, e);
}

static int remove_gone(struct checkout *c, struct err *e)
{
	for (size_t i = 0; i < c->gone.n; i++) {
		struct str path = c->gone.p[i], up, base;

		if (file_unlink(arena_printf(c->row, "%s/%.*s", c->dir, STR_ARG(path)), e))
			return -1;
		while (str_rcut(path, '/', &up, &base) &&
		       !rmdir(arena_printf(c->row, "%s/%.*s", c->dir, STR_ARG(up))))
			path = up;
		arena_reset(c->row);
	}
	c->done.removed = (int64_t)c->gone.n;
	return 0;
}

static int write_todo(struct checkout *c, struct layout *l, struct err *e)
{
	struct str made = STR("");

	for (size_t i = 0; i < c->todo.n; i++) {
		struct todo *t = &c->todo.p[i];
		char *to = arena_printf(c->row, "%s/%.*s", c->dir, STR_ARG(t->path));

		if (make_parent(c, to, &made, e) || layout_file(l, to, &t->entry, true, e))
			return -1;
		c->done.bytes += t->entry.size;
		arena_reset(c->row);
		fault_crash("checkout-half");
	}
	c->done.written = (int64_t)c->todo.n;
	return layout_wait(l, e);
}

/* Brings a folder that is there to the new tree. */
static int change(struct checkout *c, struct err *e)
{
	struct marker half = c->was, whole = c->was;
	const char *temps = arena_printf(c->a, "%s/" CHECKOUT_TEMPS, c->dir);
	struct err ignored = ERR_INIT;
	struct layout *l;
	int rc;

	/* What a killed one left. Names of a checkout are never those of the user's files (CHECKOUT_FILE). */
	if (!c->was.whole && dir_remove_tree(temps, e))
		return -1;
	if (plan(c, e) || refuse_touched(c, e))
		return -1;
	if (c->was.whole && !c->todo.n && !c->gone.n && sha_eq(&c->was.trees[0], &c->o->root->id)) {
		whole.n_trees = 1;
		return write_marker(c, c->dir, &whole, e); /* maybe another commit with the same tree */
	}
	half.whole = false;
	if (half.n_trees == TREES)
		memmove(half.trees + 1, half.trees + 2, (--half.n_trees - 1) * sizeof(half.trees[0]));
	half.trees[half.n_trees++] = c->o->root->id;
	if (write_marker(c, c->dir, &half, e))
		return -1;
	if (dir_make_one(temps, 0700, e))
		return -1;
	l = layout_new(c->s, temps, false);
	rc = remove_gone(c, e) || write_todo(c, l, e) ? -1 : 0;
	layout_free(l);
	if (rc ? dir_remove_tree(temps, &ignored) : dir_remove(temps, e)) {
		err_clear(&ignored);
		rc = -1;
	}
	if (rc)
		return -1;
	whole.whole = true;
	whole.trees[0] = c->o->root->id;
	whole.n_trees = 1;
	if (!c->was.whole) /* nobody knows what was written when */
		whole.n_spans = 0;
	if (c->todo.n)
		add_span(&whole, c->started);
	return write_marker(c, c->dir, &whole, e);
}

/* Folders of checkouts that died: nobody holds them. */
static void sweep(struct checkout *c, const char *parent, const char *prefix)
{
	struct err ignored = ERR_INIT;
	struct dir_names names;

	if (dir_list(c->a, parent, &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++) {
		char *path = arena_printf(c->a, "%s/%s", parent, names.p[i]);
		int fd FD_CLEANUP = -1;

		if (!str_has_prefix(str_of(names.p[i]), str_of(prefix)) || dir_open(path, &fd, &ignored) ||
		    flock(fd, LOCK_EX | LOCK_NB))
			continue;
		if (dir_remove_tree(path, &ignored))
			err_clear(&ignored);
	}
}

/* A folder that is not there: built beside it, then it has the name. */
static int build(struct checkout *c, struct err *e)
{
	struct marker m = {.workspace = c->was.workspace, .whole = true, .trees = {c->o->root->id}, .n_trees = 1};
	struct err ignored = ERR_INIT;
	char name[RAND_NAME], *parent = path_dir(c->a, c->dir), *prefix, *temp;
	int fd FD_CLEANUP = -1, rc;
	struct layout *l;

	prefix = arena_printf(c->a, ".%s.leat-", path_base(c->a, c->dir));
	if (dir_make(parent, 0777, e))
		return -1;
	sweep(c, parent, prefix);
	rand_name(name);
	temp = arena_printf(c->a, "%s/%s%s", parent, prefix, name);
	if (dir_make_one(temp, 0777, e) || dir_open(temp, &fd, e))
		return -1;
	(void)!flock(fd, LOCK_EX);
	l = layout_new(c->s, NULL, false);
	rc = layout_tree(l, temp, &c->o->root->id, e);
	layout_free(l);
	fault_crash("checkout-half");
	add_span(&m, c->started);
	if (rc || write_marker(c, temp, &m, e) || file_rename_new(temp, c->dir, e)) {
		if (dir_remove_tree(temp, &ignored))
			err_clear(&ignored);
		return -1;
	}
	c->done.fresh = true;
	c->done.written = c->o->root->files;
	c->done.bytes = c->o->root->size;
	return 0;
}

static int tree_has_marker(struct checkout *c, struct err *e)
{
	static const char *const ours[] = {CHECKOUT_FILE, CHECKOUT_TEMPS};
	struct entry en;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		int r = tree_find(c->s, NULL, &c->o->root->id, str_of(ours[i]), &en, e);

		if (r < 0)
			return -1;
		if (!r)
			continue;
		err_set(e, ERR_REFUSED, "what is to be checked out has a file %s of its own", ours[i]);
		return err_hint(e, "'leat get -r' copies it");
	}
	return 0;
}

/* Where DIR really is; datastore/ and .leat/ are no place for it. */
static int place(struct checkout *c, struct err *e)
{
	char *real = realpath(c->o->dir, NULL);

	if (real) {
		c->dir = arena_dup(c->a, real);
		free(real);
	} else if (path_absolute(c->a, c->o->dir, &c->dir, e)) {
		return -1;
	}
	if (path_inside(c->s->leat_dir, c->dir, NULL) || path_inside(c->s->data_dir, c->dir, NULL) ||
	    path_inside(c->dir, c->s->ws->dir, NULL)) {
		err_set(e, ERR_REFUSED, "%s is no place for a checkout: the workspace itself lies there", c->dir);
		return err_hint(e, "name a folder of its own");
	}
	return 0;
}

static int into_existing(struct checkout *c, struct err *e)
{
	int fd FD_CLEANUP = -1, r;
	bool empty;

	if (dir_open(c->dir, &fd, e))
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return err_set(e, ERR_BUSY, "another checkout is changing %s", c->dir);
	r = read_marker(c, &c->was, e);
	if (r < 0)
		return -1;
	if (!r) {
		if (dir_is_empty(c->dir, &empty, e))
			return -1;
		if (!empty) {
			err_set(e, ERR_REFUSED, "%s is not empty and no checkout of leat's", c->dir);
			return err_hint(e, "name a new folder; 'leat get -r' copies into one that is there");
		}
		c->done.fresh = true;
		c->was.trees[0] = tree_empty_id();
		c->was.n_trees = 1;
	}
	return change(c, e);
}

int checkout_run(struct store *s, struct arena *a, const struct checkout_opts *o, struct checkout_done *out,
                 struct err *e)
{
	struct checkout c = {.s = s, .a = a, .o = o, .started = statcache_now_ns() - RACY_NS};
	struct stat st;
	int rc;

	c.was.workspace = store_workspace_id(s, a);
	c.row = arena_new();
	rc = place(&c, e) || tree_has_marker(&c, e) ? -1 : 0;
	if (!rc && !lstat(c.dir, &st))
		rc = S_ISDIR(st.st_mode)
		             ? into_existing(&c, e)
		             : err_set(e, ERR_REFUSED, "%s is there and no folder", c.dir);
	else if (!rc)
		rc = build(&c, e);
	arena_free(c.row);
	if (rc)
		return -1;
	c.done.dir = c.dir;
	*out = c.done;
	return 0;
}
