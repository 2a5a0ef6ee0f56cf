/* A folder of this machine: it holds the files of the commit; what the last push brought and is gone goes. */
#include <errno.h>

#include "base/str.h"
#include "conn/conn.h"
#include "repo/blob.h"
#include "sys/file.h"
#include "sys/rand.h"

struct pushing {
	struct egress_push *p;
	const char *dir;
	bool removing; /* the first pass: a file may take the place of a folder */
};

static char *at(const struct pushing *w, struct arena *a, struct str path)
{
	return arena_printf(a, "%s/%.*s", w->dir, STR_ARG(path));
}

/* Beside its place, then by name: who reads it sees the old or the new one. */
static int write_file(struct pushing *w, struct str path, const struct entry *en, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	char *to = at(w, a, path), *temp = arena_printf(a, "%s.leat-%08x", to, (unsigned)rand_u64());
	struct err ignored = ERR_INIT;

	if (dir_make_parent(to, 0755, e) || blob_write_to(w->p->flow->store, &en->id, temp, 0644, e))
		return -1;
	if (file_rename(temp, to, e)) {
		if (file_unlink(temp, &ignored))
			err_clear(&ignored);
		return -1;
	}
	w->p->n_written++;
	return 0;
}

static int remove_file(struct pushing *w, struct str path, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str parent = path, base;
	bool empty = true;

	if (file_unlink(at(w, a, path), e))
		return -1;
	w->p->n_removed++;
	while (empty && str_rcut(parent, '/', &parent, &base)) {
		const char *dir = at(w, a, parent);

		if (!dir_exists(dir))
			continue;
		if (dir_is_empty(dir, &empty, e) || (empty && dir_remove(dir, e)))
			return -1;
	}
	return 0;
}

static int on_diff(void *ptr, enum diff_kind kind, struct str path, const struct entry *was, const struct entry *is,
                   struct err *e)
{
	struct pushing *w = ptr;

	(void)was;
	if (w->removing)
		return kind == DIFF_REMOVED ? remove_file(w, path, e) : 0;
	return kind == DIFF_REMOVED ? 0 : write_file(w, path, is, e);
}

static int on_file(void *ptr, struct str path, const struct entry *en, struct err *e)
{
	return write_file(ptr, path, en, e);
}

static int push(struct egress_push *p, struct err *e)
{
	struct store *s = p->flow->store;
	char *place = arena_cstr(p->arena, p->to->place);
	struct pushing w = {.p = p};

	w.dir = *place == '/' ? place : path_join(p->arena, p->flow->ws->dir, place);
	if (p->was && dir_exists(w.dir)) {
		w.removing = true;
		if (tree_diff(s, p->was, p->now, false, on_diff, &w, e))
			return -1;
		w.removing = false;
		return tree_diff(s, p->was, p->now, false, on_diff, &w, e);
	}
	return dir_make(w.dir, 0755, e) || tree_walk(s, NULL, p->now, false, on_file, &w, e) ? -1 : 0;
}

const struct egress_kind egress_path = {.scheme = "", .push = push};
const struct egress_kind egress_folder = {.scheme = "file", .push = push};
