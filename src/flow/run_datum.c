/* The folder in which the task of a datum finds its files of one input, under their paths in the repo. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/str.h"
#include "flow/run_int.h"
#include "repo/blob.h"
#include "sys/dir.h"

struct laying {
	struct store *s;
	struct arena *a;
	const char *dir;
	struct str parent; /* made last */
	bool copy, names;  /* names: of the files only */
	struct task *lazy; /* named pipes, for it; NULL: files */
};

static int lay_pipe(struct laying *l, const char *to, const struct sha *id, struct err *e)
{
	struct attempt *t = &l->lazy->t;

	if (t->n_lazy >= RUN_MAX_LAZY) {
		err_set(e, ERR_LIMIT, "more than %d lazy files in one unit", RUN_MAX_LAZY);
		return err_hint(e, "a finer glob makes smaller units; without `lazy: true` there is no such limit");
	}
	if (!t->lazy)
		t->lazy = arena_array(l->a, struct lazy_file, RUN_MAX_LAZY);
	t->lazy[t->n_lazy++] = (struct lazy_file){to, *id};
	return file_fifo(to, e);
}

static int lay_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct laying *l = ptr;
	char *to = arena_printf(l->a, "%s/%.*s", l->dir, STR_ARG(path));
	struct str parent = STR(""), base;
	int r = 0;

	if (str_rcut(path, '/', &parent, &base) && !str_eq(parent, l->parent)) {
		if (dir_make_parent(to, 0700, e))
			return -1;
		l->parent = arena_str(l->a, parent);
	}
	if (l->lazy)
		return lay_pipe(l, to, &entry->id, e);
	if (l->names) {
		int fd FD_CLEANUP = -1;

		return file_open_write(to, O_CREAT | O_EXCL, 0444, &fd, e);
	}
	if (!l->copy)
		r = blob_link_to(l->s, &entry->id, to, e);
	return r < 0 ? -1 : r ? 0 : blob_write_to(l->s, &entry->id, to, 0444, e);
}

static int lay_part(const struct laying *all, const struct datum_part *p, struct err *e)
{
	struct laying l = *all;

	l.parent = STR("");
	if (p->entry.kind == ENTRY_FILE)
		return lay_file(&l, p->path, &p->entry, e);
	if (p->path.n)
		l.dir = arena_printf(l.a, "%s/%.*s", l.dir, STR_ARG(p->path));
	return dir_make(l.dir, 0700, e) || tree_walk(l.s, NULL, &p->entry.id, false, lay_file, &l, e) ? -1 : 0;
}

int run_lay_part(struct store *s, struct arena *a, const struct datum_part *p, const char *dir, bool names, bool copy,
                 struct err *e)
{
	struct laying l = {.s = s, .a = a, .dir = dir, .copy = copy, .names = names};

	return lay_part(&l, p, e);
}

int run_datum_folder(struct task *t, size_t input, const char *dir, bool copy, struct err *e)
{
	const struct datum *d = t->t.datum;
	struct laying l = {.s = t->eng->f->store, .a = t->t.arena, .dir = dir, .copy = copy,
	                   .names = t->t.inputs[input].input->empty_files};

	if (t->t.inputs[input].input->lazy && !l.names)
		l.lazy = t;
	t->t.lazy_dir = t->desk->dir;
	if (!t->desk->extra_kept && dir_make(dir, 0700, e))
		return -1;
	for (size_t i = 0; i < d->n; i++)
		if (d->parts[i].leaf == input && lay_part(&l, &d->parts[i], e))
			return -1;
	return 0;
}

static bool as_made(const char *dir)
{
	struct err e = ERR_INIT;
	struct stat st;
	bool empty;

	return !file_lstat(dir, &st, &e) && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700 &&
	       !dir_is_empty(dir, &empty, &e) && empty;
}

/* Takes away the files of a datum of few files; false: there is more, or somebody changed something. */
static bool take_away(struct task *t)
{
	const struct datum *d = t->t.datum;
	struct arena *a = t->t.arena;
	struct err e = ERR_INIT;

	if (d->n > RUN_MAX_KEPT)
		return false;
	for (size_t i = 0; i < d->n; i++) {
		const struct datum_part *p = &d->parts[i];

		if (p->entry.kind != ENTRY_FILE || memchr(p->path.p, '/', p->path.n) ||
		    file_unlink(arena_printf(a, "%s/%.*s/%.*s", t->desk->extra,
		                             STR_ARG(t->t.inputs[p->leaf].input->name), STR_ARG(p->path)),
		                &e))
			return false;
	}
	for (size_t i = 0; i < t->t.n_inputs; i++)
		if (!as_made(arena_printf(a, "%s/%.*s", t->desk->extra, STR_ARG(t->t.inputs[i].input->name))))
			return false;
	return true;
}

void run_datum_clear(struct task *t)
{
	struct err e = ERR_INIT;

	if (!t->desk->extra_kept && !file_exists(t->desk->extra))
		return;
	t->desk->extra_kept = take_away(t);
	if (!t->desk->extra_kept && dir_remove_tree(t->desk->extra, &e))
		err_clear(&e); /* the desk is not clean then, and not used again */
}
