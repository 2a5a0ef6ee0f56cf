#include "api/change.h"

#include <stdlib.h>

#include "base/name.h"
#include "base/str.h"
#include "flow/owner.h"
#include "repo/overlay.h"
#include "repo/refs.h"
#include "repo/scratch.h"

#define AHEAD_MIN 500 /* edits that are applied before the transaction */
#define AHEAD_TRIES 5 /* then inside, whoever waits */
#define META_MAX ((size_t)64 << 10) /* of all --meta of one commit */

void change_begin(struct change *c, struct api *api, const struct args *args)
{
	*c = (struct change){.api = api, .args = args, .in = ingest_new(api->store), .id = id_new()};
	c->scratch_lock = (struct lock)LOCK_INIT;
	map_init(&c->commits, api->arena);
}

void change_end(struct change *c)
{
	struct err ignored = ERR_INIT;

	ingest_free(c->in);
	if (c->scratch && dir_remove_large(c->scratch, &ignored))
		err_clear(&ignored); /* the next one who makes such a folder removes it, or gc */
	lock_drop(&c->scratch_lock);
}

void change_step(struct change *c, int (*run)(struct change *c, void *own, struct err *e), void *own)
{
	struct change_step s = {.run = run, .own = own};

	vec_push(c->api->arena, &c->steps, s);
}

int change_scratch(struct change *c, const char **out, struct err *e)
{
	if (!c->scratch && scratch_make(c->api->store, c->api->arena, &c->scratch_lock, &c->scratch, e))
		return -1;
	*out = c->scratch;
	return 0;
}

static int run_write(struct change *c, void *own, struct err *e);
static int find_tree(struct change *c, const struct write *w, const struct repo *repo, struct open_commit *o,
                     struct sha *tree, struct err *e);

/* What is put into an open commit is no event: its finish is. */
static bool is_event(const struct change *c)
{
	bool only_open = c->steps.n > 0;

	for (size_t i = 0; i < c->steps.n; i++) {
		const struct write *w = c->steps.p[i].own;
		only_open = only_open && c->steps.p[i].run == run_write && w->open.hex[0];
	}
	return !only_open && !c->no_event;
}

static int in_transaction(struct change *c, struct err *e)
{
	struct event ev = {.id = c->id, .batch = c->id, .kind = c->args->op->name, .label = "",
	                   .command = c->args->command};

	if (is_event(c) && event_record(c->api->store, &ev, e))
		return -1;
	for (size_t i = 0; i < c->steps.n; i++)
		if (c->steps.p[i].run(c, c->steps.p[i].own, e))
			return c->steps.p[i].line ? err_at(e, c->file, c->steps.p[i].line, 0) : -1;
	return 0;
}

/*
 * What very many edits make of the head as it is now, worked out before the transaction, in which it would keep others
 * waiting (tree_apply knows it there). A head that has moved by then: again, a few times.
 */
static int apply_ahead(struct change *c, struct err *e)
{
	struct store *s = c->api->store;

	for (size_t i = 0; i < c->steps.n; i++) {
		struct write *w = c->steps.p[i].own;
		struct open_commit o;
		struct repo repo = {0};
		struct entry root;
		bool ready = c->steps.p[i].run == run_write && w->ready && w->ready_ahead && !c->batch;
		int r;
		if (c->steps.p[i].run != run_write || (!ready && (w->edits.n < AHEAD_MIN || w->ready)))
			continue;
		w->met = tree_empty_id();
		w->ahead = false;
		r = repo_find_any(s, c->api->arena, w->repo, &repo, e);
		if (r < 0 || (r && find_tree(c, w, &repo, &o, &w->met, e)) ||
		    (ready && w->ready(c, w, &repo, &w->met, e)))
			return -1;
		if (w->edits.n < AHEAD_MIN)
			continue;
		if (tree_apply(s, c->in, w->clear ? NULL : &w->met, w->edits.p, w->edits.n, &root, e))
			return -1;
		w->ahead = true;
	}
	return 0;
}

static int one_transaction(struct change *c, struct err *e)
{
	struct db *d = c->api->store->db;

	c->stale = c->moved = false;
	c->rows.n = 0;
	map_init(&c->commits, c->api->arena);
	if (apply_ahead(c, e) || ingest_begin(c->in, e))
		return -1;
	if (in_transaction(c, e)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

/* Paths of edits that are one, and the folders above them. */
struct joined {
	struct arena *a;
	struct map paths, folders;
};

/* Whether an edit says the same before and after the others: no other is at its path, above or below it. */
static bool stands_alone(const struct joined *j, const struct tree_edit *ed)
{
	if (ed->op != EDIT_PUT || map_has(&j->paths, ed->path) || map_has(&j->folders, ed->path))
		return false;
	for (size_t i = ed->path.n; i-- > 0;)
		if (ed->path.p[i] == '/' && map_has(&j->paths, (struct str){ed->path.p, i}))
			return false;
	return true;
}

static void joined_add(struct joined *j, const struct tree_edit *ed)
{
	map_set(&j->paths, ed->path, j);
	for (size_t i = ed->path.n; i-- > 0;)
		if (ed->path.p[i] == '/')
			map_set(&j->folders, (struct str){ed->path.p, i}, j);
}

static bool same_target(const struct write *w, const struct write *o)
{
	return str_eq(w->repo, o->repo) && str_eq(w->branch, o->branch) && !strcmp(w->open.hex, o->open.hex) &&
	       w->make == o->make && !o->clear && !o->ready && !o->expects.n && !w->ready && !w->expects.n;
}

/* The steps as they were before they were joined. */
struct lines {
	struct change_step *steps; /* NULL: they are not */
	struct write *writes;      /* what theirs said */
	size_t n;
};

static void lines_note(struct change *c, struct lines *was)
{
	was->n = c->steps.n;
	was->steps = arena_array(c->api->arena, struct change_step, was->n);
	was->writes = arena_array(c->api->arena, struct write, was->n);
	for (size_t i = 0; i < was->n; i++) {
		was->steps[i] = c->steps.p[i];
		if (was->steps[i].run == run_write)
			was->writes[i] = *(struct write *)was->steps[i].own;
	}
}

/* One by one after all, to tell which line it is that fails. */
static void lines_part(struct change *c, struct lines *was)
{
	for (size_t i = 0; i < was->n; i++) {
		c->steps.p[i] = was->steps[i];
		if (was->steps[i].run == run_write)
			*(struct write *)was->steps[i].own = was->writes[i];
	}
	c->steps.n = was->n;
	was->steps = NULL;
}

/* Very many lines of a batch, each a write, would keep others waiting: those beside each other that can are one. */
static void join_steps(struct change *c, struct lines *was)
{
	struct joined j = {.a = arena_new()};
	struct write *w = NULL;
	size_t n = 0;

	lines_note(c, was);
	for (size_t i = 0; i < c->steps.n; i++) {
		struct write *o = c->steps.p[i].run == run_write ? c->steps.p[i].own : NULL;
		bool joins = o && w && same_target(w, o);
		for (size_t k = 0; joins && k < o->edits.n; k++)
			joins = stands_alone(&j, &o->edits.p[k]);
		if (!joins) {
			arena_reset(j.a);
			map_init(&j.paths, j.a);
			map_init(&j.folders, j.a);
			c->steps.p[n++] = c->steps.p[i];
			w = o;
		}
		for (size_t k = 0; o && k < o->edits.n; k++) {
			joined_add(&j, &o->edits.p[k]);
			if (joins)
				vec_push(c->api->arena, &w->edits, o->edits.p[k]);
		}
		if (joins && o->message.p)
			w->message = o->message;
		if (joins && o->meta.p)
			w->meta = o->meta;
	}
	c->steps.n = n;
	arena_free(j.a);
}

int change_do(struct change *c, struct sink *out, struct err *e)
{
	struct err inner = ERR_INIT;
	struct lines was = {0};
	struct str key;
	void *row;

	if (c->steps.n >= AHEAD_MIN)
		join_steps(c, &was);

	for (c->tries = 1; one_transaction(c, &inner); c->tries++) {
		if (!c->moved && !c->stale && was.steps &&
		    (inner.code == ERR_REFUSED || inner.code == ERR_BAD_REQUEST)) {
			lines_part(c, &was);
		} else if (!c->moved) {
			*e = inner;
			return -1;
		}
		err_clear(&inner);
	}
	for (size_t i = 0; map_each(&c->commits, &i, &key, &row);)
		if (sink_row(out, row, e))
			return -1;
	for (size_t i = 0; i < c->rows.n; i++)
		if (sink_row(out, c->rows.p[i], e))
			return -1;
	return 0;
}

/* --- what is written to --- */

/* Only asked for where a repo would be refused, so that put loads no jobs otherwise. */
static int release_output(struct api *api, struct repo *repo, struct err *e)
{
	struct err why = ERR_INIT;

	if (repo->role != REPO_OUTPUT || api_open(api, OP_W | OP_J | OP_R, &why))
		return 0;
	if (!owner_is_orphan(api->flow, repo->name))
		return 0;
	repo->role = REPO_SOURCE;
	return owner_release(api->flow, e);
}

static int refuse_output(const struct repo *repo, struct err *e)
{
	if (repo->role != REPO_OUTPUT)
		return 0;
	err_set(e, ERR_REFUSED, "%.*s is the output of job %.*s, which alone writes it", STR_ARG(repo->name),
	        STR_ARG(repo->job));
	return err_hint(e, "put into one of the job's inputs, or into a repo of another name");
}

int change_check_output(struct api *api, struct repo *repo, struct err *e)
{
	return release_output(api, repo, e) || refuse_output(repo, e) ? -1 : 0;
}

static bool is_id(struct str s)
{
	struct id id = id_of(s);

	return id.hex[0];
}

/* An open commit by its id, or a commit, which never changes: 1 *out is open, 0 it is neither, -1. */
static int by_id(struct change *c, struct str text, const struct repo *repo, struct str rev, struct open_commit *out,
                 struct err *e)
{
	struct arena *a = c->api->arena;
	struct err none = ERR_INIT;
	struct pin pin;
	int r = open_find(c->api->store, a, repo->id, rev, out, e);

	if (r < 0)
		return -1;
	if (r)
		return out->state == OPEN_OPEN ? 1 : open_closed(out, repo->name, e);
	text = arena_strf(a, "%.*s@%.*s", STR_ARG(repo->name), STR_ARG(rev));
	if (!pin_resolve(c->api->store, a, text, &pin, &none)) {
		if (pin.branch.n)
			return 0;
		err_set(e, ERR_REFUSED, "'%.*s' names a commit, which never changes", STR_ARG(text));
		return err_hint(e, "put into a branch: %.*s@" BRANCH_DEFAULT, STR_ARG(repo->name));
	}
	if (!is_id(rev))
		return 0; /* a branch to be made */
	*e = none;
	return -1;
}

/* LEAT_COMMIT=ID: writes into the open commit where its repo and branch are named. 1, 0, -1. */
static int by_environment(struct change *c, const struct repo *repo, struct str branch, struct open_commit *out,
                          struct err *e)
{
	struct str id = str_of(getenv("LEAT_COMMIT"));
	int r;

	if (!id.n)
		return 0;
	r = open_find(c->api->store, c->api->arena, 0, id, out, e);
	if (r < 0)
		return -1;
	if (!r) {
		err_set(e, ERR_NOT_FOUND, "LEAT_COMMIT names %s, which is no open commit", STR_SHOWN(id));
		return err_hint(e, "leat start REPO opens one and prints its id");
	}
	if (out->repo != repo->id || !str_eq(out->branch, branch))
		return 0; /* another one is written to: a commit of its own */
	return out->state == OPEN_OPEN ? 1 : open_closed(out, repo->name, e);
}

static int find_branch(struct change *c, struct str text, const struct repo *repo, struct str rev, struct write *w,
                       struct err *e)
{
	struct open_commit o;
	int r = 0;

	if (!str_is(rev, BRANCH_DEFAULT)) {
		r = refs_has_branch(c->api->store, repo->id, rev, e);
		if (r < 0)
			return -1;
		r = r ? 0 : by_id(c, text, repo, rev, &o, e);
	}
	if (!r)
		r = by_environment(c, repo, rev, &o, e);
	if (r < 0)
		return -1;
	w->branch = r ? o.branch : rev;
	w->open = r ? o.id : (struct id){""};
	return 0;
}

/* A number or an ancestor is a commit; a branch of that name cannot be. */
static int refuse_pin(struct change *c, struct str repo, struct str rev, struct err *e)
{
	struct err none = ERR_INIT;
	struct pin pin;
	struct str text = arena_strf(c->api->arena, "%.*s@%.*s", STR_ARG(repo), STR_ARG(rev));

	if (!name_check_branch(rev, &none) || pin_resolve(c->api->store, c->api->arena, text, &pin, &none))
		return 0;
	err_set(e, ERR_REFUSED, "'%.*s' names a commit, which never changes", STR_ARG(text));
	return err_hint(e, "name a branch: %.*s@" BRANCH_DEFAULT, STR_ARG(repo));
}

int change_target(struct change *c, struct str text, bool make, struct write *w, struct err *e)
{
	struct arena *a = c->api->arena;
	struct str rev, path;
	char norm[NAME_MAX_PATH + 1];
	struct repo repo;
	bool named;
	size_t n;
	int found;

	if (pin_parse(text, &w->repo, &rev, &path, e))
		return -1;
	named = rev.n;
	if (!named)
		rev = store_branch(c->api->store);
	if (refuse_pin(c, w->repo, rev, e) || name_check_branch(rev, e) || name_path(path, norm, &n, &w->into, e))
		return -1;
	w->path = arena_str(a, (struct str){norm, n});
	w->make = make;
	w->branch = rev;
	found = named ? repo_find_any(c->api->store, a, w->repo, &repo, e)
	              : repo_find(c->api->store, a, w->repo, &repo, e);
	if (found < 0)
		return -1;
	if (!found) /* made by this change, or by a line of the batch before */
		return make || c->batch ? 0 : repo_not_found(c->api->store, w->repo, e);
	return change_check_output(c->api, &repo, e) || find_branch(c, text, &repo, rev, w, e) ? -1 : 0;
}

/* --- edits --- */

static int add_edit(struct change *c, struct write *w, enum edit_op op, struct str path, const struct entry *entry,
                    struct err *e)
{
	struct tree_edit edit = {.op = op};
	char norm[NAME_MAX_PATH + 1];
	size_t n;

	if (name_path(path, norm, &n, NULL, e))
		return -1;
	edit.path = arena_str(c->api->arena, (struct str){norm, n});
	if (entry)
		edit.entry = *entry;
	vec_push(c->api->arena, &w->edits, edit);
	return 0;
}

int change_put(struct change *c, struct write *w, struct str path, const struct entry *entry, struct err *e)
{
	return add_edit(c, w, EDIT_PUT, path, entry, e);
}

int change_remove(struct change *c, struct write *w, struct str path, struct err *e)
{
	return add_edit(c, w, EDIT_REMOVE, path, NULL, e);
}

int change_pending(struct change *c, const struct write *w, struct str path, struct entry *out)
{
	for (size_t i = c->steps.n; i-- > 0;) {
		const struct write *o = c->steps.p[i].own;

		if (c->steps.p[i].run != run_write || !str_eq(o->repo, w->repo) || !str_eq(o->branch, w->branch) ||
		    strcmp(o->open.hex, w->open.hex))
			continue;
		for (size_t k = o->edits.n; k-- > 0;) {
			if (!str_eq(o->edits.p[k].path, path))
				continue;
			if (o->edits.p[k].op == EDIT_REMOVE)
				return -1;
			*out = o->edits.p[k].entry;
			return 1;
		}
	}
	return 0;
}

struct write *change_write(struct change *c, const struct args *args, const char *kind)
{
	struct write *w = arena_new_of(c->api->arena, struct write);

	w->kind = kind;
	if (op_option(args->op, STR("message")))
		w->message = args_value(args, "message");
	change_step(c, run_write, w);
	return w;
}

int change_words(const struct args *args, struct str *message, struct str *author, struct str *meta, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(META_MAX);
	struct dom *map = dom_new(args->arena, DOM_MAP);
	size_t n = args_count(args, "meta");

	for (size_t i = 0; i < n; i++) {
		struct str word = args_nth(args, "meta", i), key, value;
		if (!str_cut(word, '=', &key, &value) || !key.n || !str_is_utf8(word))
			return err_set(e, ERR_BAD_REQUEST, "--meta '%s' is not KEY=VALUE", STR_SHOWN(word));
		if (dom_get(map, arena_cstr(args->arena, key)))
			return err_set(e, ERR_BAD_REQUEST, "--meta gives %s twice", STR_SHOWN(key));
		dom_set_str(args->arena, map, arena_cstr(args->arena, key), value);
	}
	dom_write_json(&b, map, DOM_CANONICAL);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "--meta holds more than %zu KiB", META_MAX >> 10);
	*message = args_value(args, "message");
	*author = args_value(args, "author");
	*meta = n ? arena_str(args->arena, buf_str(&b)) : STR_NULL;
	return 0;
}

/* --- inside the transaction --- */

static int find_repo(struct change *c, struct write *w, struct repo *repo, struct err *e)
{
	int found;

	if (w->make)
		return repo_ensure(c->api->store, c->api->arena, w->repo, REPO_SOURCE, STR_NULL, repo, e) ||
				       refuse_output(repo, e)
			       ? -1
			       : 0;
	found = repo_find_any(c->api->store, c->api->arena, w->repo, repo, e);
	if (found <= 0)
		return found < 0 ? -1 : repo_not_found(c->api->store, w->repo, e);
	return refuse_output(repo, e);
}

/* The tree that the edits meet. */
static int find_tree(struct change *c, const struct write *w, const struct repo *repo, struct open_commit *o,
                     struct sha *tree, struct err *e)
{
	struct store *s = c->api->store;
	struct commit head;
	int r;

	if (w->open.hex[0]) {
		r = open_find(s, c->api->arena, repo->id, str_of(w->open.hex), o, e);
		if (r <= 0)
			return r < 0 ? -1
				     : err_set(e, ERR_NOT_FOUND, "the open commit %s is not there", w->open.hex);
		if (o->state != OPEN_OPEN)
			return open_closed(o, repo->name, e);
		*tree = o->tree;
		return 0;
	}
	r = branch_head(s, repo->id, w->branch, &head, e);
	if (r < 0)
		return -1;
	*tree = r ? head.tree : tree_empty_id();
	return 0;
}

static int check_expected(struct change *c, const struct write *w, const struct sha *tree, struct err *e)
{
	for (size_t i = 0; i < w->expects.n; i++) {
		const struct write_expect *x = &w->expects.p[i];
		struct entry now;
		int r = tree_find(c->api->store, c->in, tree, x->path, &now, e);

		if (r < 0)
			return -1;
		if ((r == 1) == x->there && (!r || sha_eq(&now.id, &x->id)))
			continue;
		c->stale = true;
		err_set(e, ERR_CONFLICT, "%.*s@%.*s:/%.*s has changed meanwhile", STR_ARG(w->repo), STR_ARG(w->branch),
		        STR_ARG(x->path));
		return err_hint(e, "do it again: it is then appended to what is there");
	}
	return 0;
}

static int run_write(struct change *c, void *own, struct err *e)
{
	struct write *w = own;
	struct store *s = c->api->store;
	struct open_commit o;
	struct commit made;
	struct repo repo;
	struct sha tree;
	struct dom *row;
	bool is_new;

	if (find_repo(c, w, &repo, e) || find_tree(c, w, &repo, &o, &tree, e) || check_expected(c, w, &tree, e))
		return -1;
	c->moved = w->ahead && !w->clear && c->tries < AHEAD_TRIES && !sha_eq(&tree, &w->met);
	if (!c->moved && w->ready && !(w->ahead && sha_eq(&tree, &w->met)) && w->ready(c, w, &repo, &tree, e))
		return -1;
	if (c->moved)
		return err_set(e, ERR_CONFLICT, "%.*s@%.*s has moved meanwhile", STR_ARG(w->repo), STR_ARG(w->branch));
	if (w->open.hex[0]) {
		if (open_edit(s, c->in, &o, w->edits.p, w->edits.n, w->clear, &made, e))
			return -1;
	} else {
		struct commit_new n = {
			.repo = repo, .branch = w->branch, .id = c->id, .batch = c->id,
			.edits = w->edits.p, .n_edits = w->edits.n, .clear = w->clear,
			.message = w->message.p ? w->message : c->message, .author = w->author, .meta = w->meta,
			.even_if_equal = true,
		};
		if (commit_make(s, c->in, &n, &made, &is_new, e))
			return -1;
	}
	row = row_commit(c->api->arena, repo.name, w->branch, &made);
	if (w->open.hex[0])
		dom_set_bool(c->api->arena, row, "open", true);
	/* several writes of a batch to one repo are one commit */
	map_set(&c->commits, arena_strf(c->api->arena, "%.*s %s", STR_ARG(repo.name), made.id.hex), row);
	return 0;
}
