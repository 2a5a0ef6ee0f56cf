/* A folder of this machine: it holds the files of the commit; what the last push brought and is gone goes. */
#include <errno.h>

#include "base/map.h"
#include "base/str.h"
#include "conn/conn.h"
#include "repo/blob.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/rand.h"

#define TEMP ".leat-egress.tmp" /* what a push that was killed was writing: the next one removes it */

struct pushing {
	struct egress_push *p;
	const char *dir;
	bool removing; /* the first pass: a file may take the place of a folder */
	bool again;      /* a file may come more than once: */
	struct map done; /* it is written already */
};

static char *at(const struct pushing *w, struct arena *a, struct str path)
{
	return arena_printf(a, "%s/%.*s", w->dir, STR_ARG(path));
}

/* In a folder of its own, then by name: who reads it sees the old or the new one. */
static int write_file(struct pushing *w, struct str path, const struct entry *en, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	char *to = at(w, a, path),
	     *temp = arena_printf(a, "%s/" TEMP "/%016llx", w->dir, (unsigned long long)rand_u64());

	if (w->again && map_has(&w->done, path))
		return 0;
	if (dir_make_parent(to, 0755, e) || blob_write_to(w->p->flow->store, &en->id, temp, 0644, e))
		return -1;
	if (file_rename(temp, to, e))
		return -1;
	if (w->again)
		map_set(&w->done, path, w);
	w->p->n_written++;
	fault_crash("egress-file-done");
	return 0;
}

static int remove_file(struct pushing *w, struct str path, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str parent = path, base;
	bool empty = true;

	/* What a push that was not done was to bring may not be there, or a folder in its place. */
	if (dir_exists(at(w, a, path)))
		return 0;
	if (file_exists(at(w, a, path))) {
		if (file_unlink(at(w, a, path), e))
			return -1;
		w->p->n_removed++;
		fault_crash("egress-file-done");
	}
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

/* Against what the last push left there, and against what those that were not done since then may have. */
static int each_diff(struct pushing *w, struct err *e)
{
	struct egress_push *p = w->p;
	struct store *s = p->flow->store;

	if (p->was && tree_diff(s, p->was, p->now, false, on_diff, w, e))
		return -1;
	for (size_t i = 0; i < p->n_tries; i++)
		if (tree_diff(s, &p->tries[i], p->now, false, on_diff, w, e))
			return -1;
	return 0;
}

/* First what goes: a file may take the place of a folder. */
static int write_all(struct pushing *w, bool known, struct err *e)
{
	struct egress_push *p = w->p;
	w->removing = true;
	if (each_diff(w, e))
		return -1;
	w->removing = false;
	w->again = p->n_tries;
	map_init(&w->done, p->arena);
	return known ? each_diff(w, e) : tree_walk(p->flow->store, NULL, p->now, false, on_file, w, e);
}

static int push(struct egress_push *p, struct err *e)
{
	char *place = arena_cstr(p->arena, p->to->place);
	struct pushing w = {.p = p};
	struct err late = ERR_INIT;
	const char *temp;
	bool known;
	int rc;

	w.dir = *place == '/' ? place : path_join(p->arena, p->flow->ws->dir, place);
	temp = arena_printf(p->arena, "%s/" TEMP, w.dir);
	known = p->was && dir_exists(w.dir);
	if (dir_make(w.dir, 0755, e) || dir_remove_tree(temp, e) || dir_make_one(temp, 0700, e))
		return -1;
	rc = write_all(&w, known, e);
	if (dir_remove_tree(temp, rc ? &late : e))
		rc = -1;
	return rc;
}

const struct egress_kind egress_path = {.scheme = "", .push = push};
const struct egress_kind egress_folder = {.scheme = "file", .push = push};
