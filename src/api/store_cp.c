/*
 * Copies by reference: a file or folder of any pin is put at another path, in its own repo or another, by its id. No
 * bytes move, and a folder costs what a file does, unless there is one at its new path already: then the two are
 * merged, as put merges a folder into what is there.
 */
#include "api/change.h"
#include "api/spot.h"
#include "base/map.h"
#include "base/name.h"
#include "base/str.h"
#include "sys/file.h"

#define LENGTH_LOOKS 4096 /* entries of a folder looked at for paths that would get too long */

struct copying {
	struct change *c;
	struct write *w;
	const struct args *args;
	bool recursive;
	const struct sha *tree; /* of the target, as it stands */
	struct str prefix;      /* ds=D/ of the target, or "" */
	struct str under;       /* of a pattern: the folder that all matches lie in */
	struct map puts;        /* what this cp puts where */
	size_t n, left_out;
};

static struct str join(struct arena *a, struct str dir, struct str name)
{
	return arena_strf(a, "%.*s%s%.*s", STR_ARG(dir), dir.n && name.n ? "/" : "", STR_ARG(name));
}

static int merge(struct copying *k, const struct entry *from, struct str to, struct err *e);

struct merging {
	struct copying *k;
	struct str to;
};

static int merge_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct merging *m = ptr;

	return merge(m->k, entry, join(m->k->c->api->arena, m->to, path), e);
}

struct lengths {
	size_t most, looks;
};

static int look_length(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct lengths *l = ptr;

	if (path.n <= l->most)
		return ++l->looks == LENGTH_LOOKS;
	err_set(e, ERR_BAD_NAME, "\"%s\" would get a path of more than %d bytes", STR_SHOWN(path), NAME_MAX_PATH);
	return err_hint(e, "copy it to where the path is shorter");
}

/* A folder that goes down from its root far enough to pass the limit shows it early; all of a large one is not read. */
static int check_length(struct copying *k, const struct entry *from, struct str to, struct err *e)
{
	struct lengths l = {.most = NAME_MAX_PATH - to.n - 1};

	if (to.n >= NAME_MAX_PATH)
		l.most = 0;
	if (from->kind == ENTRY_FILE)
		return 0;
	return tree_walk(k->c->api->store, k->c->in, &from->id, false, look_length, &l, e);
}

static int put(struct copying *k, const struct entry *from, struct str to, struct err *e)
{
	struct arena *a = k->c->api->arena;
	struct entry *other = map_get(&k->puts, to), *own;

	if (other && !sha_eq(&other->id, &from->id)) {
		err_set(e, ERR_BAD_REQUEST, "two different things would both be /%.*s", STR_ARG(to));
		return err_hint(e, "copy them with two commands, or into two folders");
	}
	own = arena_new_of(a, struct entry);
	*own = *from;
	map_set(&k->puts, to, own);
	return check_length(k, from, to, e) ? -1 : change_put(k->c, k->w, to, from, e);
}

static int merge(struct copying *k, const struct entry *from, struct str to, struct err *e)
{
	struct merging m = {k, to};
	struct entry there;
	int rc;

	if (from->kind == ENTRY_FILE)
		return put(k, from, to, e);
	rc = tree_find(k->c->api->store, k->c->in, k->tree, to, &there, e);
	if (rc < 0)
		return -1;
	if (!rc || there.kind == ENTRY_FILE)
		return put(k, from, to, e);
	if (sha_eq(&from->id, &there.id))
		return 0;
	return tree_list(k->c->api->store, k->c->in, &from->id, STR_NULL, merge_entry, &m, e);
}

static int copy_match(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct copying *k = ptr;
	struct arena *a = k->c->api->arena;

	if (entry->kind == ENTRY_FOLDER && !k->recursive) {
		k->left_out++;
		return 0;
	}
	if (k->under.n)
		path = str_sub(path, k->under.n + 1, SIZE_MAX);
	k->n++;
	if (merge(k, entry, join(a, k->w->path, path), e))
		return -1;
	return entry->kind == ENTRY_FOLDER ? TREE_SKIP : 0;
}

static int copy_pattern(struct copying *k, const struct spot *s, struct err *e)
{
	size_t before = k->n;

	k->under = glob_fixed_prefix(s->glob);
	k->left_out = 0;
	if (spot_each(k->c->api, s, copy_match, k, e))
		return -1;
	if (k->n > before)
		return 0;
	if (!k->left_out)
		return spot_nothing(s, e);
	err_set(e, ERR_BAD_REQUEST, "what matches are %zu folders", k->left_out);
	return err_hint(e, "-r takes folders that match with all that is in them");
}

/* Inside the transaction: the trees as they stand now. */
/* A file of the user's own is for put. */
static int outside(const struct copying *k, size_t i, struct err *e)
{
	struct str from = args_pos(k->args, i), to = args_pos(k->args, args_n(k->args) - 1);

	if (e->code != ERR_NOT_FOUND || !file_exists(arena_cstr(k->c->api->arena, from)))
		return -1;
	return err_hint(e, "cp copies within the store; a file of yours: leat put %.*s %.*s", STR_ARG(to),
			STR_ARG(from));
}

static int ready(struct change *c, struct write *w, const struct repo *repo, const struct sha *tree, struct err *e)
{
	struct copying *k = w->own;
	size_t n = args_n(k->args) - 1;

	w->edits.n = 0;
	k->tree = tree;
	k->n = 0;
	map_init(&k->puts, c->api->arena);
	for (size_t i = 0; i < n; i++) {
		struct str to = w->path, dir, base;
		struct spot s;

		if (spot_find(c->api, k->args, args_pos(k->args, i), true, &s, e))
			return outside(k, i, e);
		if (s.glob) {
			if (copy_pattern(k, &s, e))
				return -1;
			continue;
		}
		if (!str_rcut(s.path, '/', &dir, &base))
			base = s.path;
		/* the rules of put: a folder's content goes to the target, a file into it if it is a folder */
		if (n > 1 || (s.entry.kind == ENTRY_FILE && (w->into || !w->path.n)))
			to = join(c->api->arena, w->path, base);
		if (merge(k, &s.entry, to, e))
			return -1;
	}
	return 0;
}

int cp_ready(struct change *c, const struct args *args, struct err *e)
{
	struct copying *k = arena_new_of(c->api->arena, struct copying);
	struct write *w = change_write(c, args, "cp");

	*k = (struct copying){.c = c, .w = w, .args = args, .recursive = args_flag(args, "recursive")};
	w->own = k;
	w->ready = ready;
	w->ready_ahead = true; /* what is copied is pinned as it is found */
	if (rows_ds_prefix(args, &k->prefix, e) || change_words(args, &w->message, &w->author, &w->meta, e) ||
	    change_target(c, args_pos(args, args_n(args) - 1), true, w, e))
		return -1;
	if (k->prefix.n) {
		w->path = arena_strf(c->api->arena, "%.*s%.*s", STR_ARG(k->prefix), STR_ARG(w->path));
		if (w->path.p[w->path.n - 1] == '/') {
			w->path.n--;
			w->into = true;
		}
	}
	return 0;
}

int api_cp(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct change c;
	int rc;

	change_begin(&c, api, args);
	rc = cp_ready(&c, args, e) || change_do(&c, out, e) ? -1 : 0;
	change_end(&c);
	return rc;
}
