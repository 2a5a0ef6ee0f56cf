#include "api/change.h"
#include "base/glob.h"
#include "base/str.h"
#include "flow/flow.h"
#include "repo/datastore.h"
#include "repo/overlay.h"

/* On a workspace branch it is not there for its readers; master keeps it. */
static int remove_on(struct api *api, const struct repo *repo, struct sink *out, struct err *e)
{
	struct store *s = api->store;
	struct event ev = {.id = id_new(), .kind = "rm", .label = "", .command = "leat rm --repo"};

	ev.batch = ev.id;
	if (db_begin(s->db, e))
		return -1;
	if (event_record(s, &ev, e) || overlay_remove(s, s->on, repo, ev.id, e)) {
		db_rollback(s->db);
		return -1;
	}
	if (db_commit(s->db, e))
		return -1;
	sink_note(out, "%.*s is not there any more on %.*s; master keeps it", STR_ARG(repo->name),
	          STR_ARG(s->on->name));
	return 0;
}

int change_check_unused(struct api *api, const struct repo *repo, struct err *e)
{
	if (api_open(api, OP_W | OP_J | OP_R, e))
		return -1;
	for (size_t i = 0; i < api->flow->jobs->n; i++) {
		const struct job *j = api->flow->jobs->all[i];

		if (str_eq(j->output, repo->name) && repo->role == REPO_OUTPUT)
			return err_set(e, ERR_REFUSED, "job %.*s writes %.*s", STR_ARG(j->name), STR_ARG(repo->name));
		for (size_t k = 0; k < j->n_inputs; k++)
			if (str_eq(j->inputs[k].repo, repo->name))
				return err_set(e, ERR_REFUSED, "job %.*s reads %.*s", STR_ARG(j->name),
				               STR_ARG(repo->name));
	}
	if (api->flow->jobs->n_errors) { /* a job that cannot be read may be the one that needs it */
		*e = *api->flow->jobs->errors[0];
		return err_hint(e, "put it right first: what jobs read and write must be known before a repo ends");
	}
	return 0;
}

static int end_repo(struct api *api, struct str name, struct sink *out, struct err *e)
{
	struct store *s = api->store;
	struct repo repo;
	int rc = repo_find(s, api->arena, name, &repo, e);

	if (rc <= 0)
		return rc ? -1 : repo_not_found(s, name, e);
	if (change_check_unused(api, &repo, e))
		return -1;
	if (s->on)
		return remove_on(api, &repo, out, e);
	if (db_begin(s->db, e))
		return -1;
	if (overlay_check_based(s, &repo, 0, e) || repo_end(s, &repo, e)) {
		db_rollback(s->db);
		return -1;
	}
	if (db_commit(s->db, e))
		return -1;
	if (datastore_remove(s, name, e))
		return -1;
	sink_note(out, "%.*s has ended; its commits stay in the store", STR_ARG(name));
	return 0;
}

struct removal {
	bool recursive;
	VEC(struct str) paths; /* "" = everything */
};

static int not_there(struct str repo, struct str path, struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "%.*s has no /%.*s", STR_ARG(repo), STR_ARG(path));
	if (glob_has_magic(path))
		return err_hint(e, "rm takes no patterns; leat glob '%.*s:/%.*s' lists what one matches", STR_ARG(repo),
		                STR_ARG(path));
	return -1;
}

static int remove_path(struct change *c, struct write *w, const struct repo *repo, const struct sha *tree,
                       struct str path, bool recursive, struct err *e)
{
	struct entry entry;
	int rc = tree_find(c->api->store, c->in, tree, path, &entry, e);

	if (rc < 0)
		return -1;
	if (!rc)
		return not_there(repo->name, path, e);
	if (entry.kind == ENTRY_FOLDER && !recursive) {
		err_set(e, ERR_BAD_REQUEST, "/%.*s is a folder of %lld file%s", STR_ARG(path), (long long)entry.files,
		        entry.files == 1 ? "" : "s");
		return err_hint(e, "-r deletes folders");
	}
	if (!path.n) {
		w->clear = true;
		return 0;
	}
	return change_remove(c, w, path, e);
}

static int ready(struct change *c, struct write *w, const struct repo *repo, const struct sha *tree, struct err *e)
{
	const struct removal *r = w->own;

	w->edits.n = 0;
	w->clear = false;
	for (size_t i = 0; i < r->paths.n; i++)
		if (remove_path(c, w, repo, tree, r->paths.p[i], r->recursive, e))
			return -1;
	return 0;
}

/* A branch that is not there has nothing to delete; it is not made for that. */
static int check_branch(struct change *c, const struct write *w, struct err *e)
{
	struct pin pin;

	if (w->open.hex[0] || c->batch)
		return 0;
	return pin_resolve(c->api->store, c->api->arena,
	                   arena_strf(c->api->arena, "%.*s@%.*s", STR_ARG(w->repo), STR_ARG(w->branch)), &pin, e);
}

int rm_ready(struct change *c, const struct args *args, struct err *e)
{
	struct removal *r = arena_new_of(c->api->arena, struct removal);
	struct write *w = change_write(c, args, "rm");
	struct str prefix;

	if (args_flag(args, "repo"))
		return err_set(e, ERR_BAD_REQUEST, "rm --repo ends a repo at once, so it stands in no batch");
	r->recursive = args_flag(args, "recursive");
	w->own = r;
	w->ready = ready;
	if (rows_ds_prefix(args, &prefix, e) || change_words(args, &w->message, &w->author, &w->meta, e))
		return -1;
	for (size_t i = 0; i < args_n(args); i++) {
		struct str text = args_pos(args, i), path;
		struct write at = {0};

		if (change_target(c, text, false, &at, e) || check_branch(c, &at, e))
			return -1;
		if (i && (!str_eq(w->repo, at.repo) || !str_eq(w->branch, at.branch)))
			return err_set(e, ERR_BAD_REQUEST, "one rm is one commit of one repo and branch");
		w->repo = at.repo;
		w->branch = at.branch;
		w->open = at.open;
		path = arena_strf(args->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(at.path));
		if (path.n && path.p[path.n - 1] == '/')
			path.n--;
		if (!path.n && !str_has_suffix(text, STR(":/"))) {
			err_set(e, ERR_BAD_REQUEST, "'%.*s' names no file", STR_ARG(text));
			return err_hint(e, "REPO:/PATH names one; 'leat rm --repo REPO' ends the whole repo");
		}
		vec_push(args->arena, &r->paths, path);
	}
	return 0;
}

int api_rm(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct change c;
	int rc;

	if (args_flag(args, "repo")) {
		for (size_t i = 0; i < args_n(args); i++)
			if (end_repo(api, args_pos(args, i), out, e))
				return -1;
		return 0;
	}
	change_begin(&c, api, args);
	rc = rm_ready(&c, args, e) || change_do(&c, out, e) ? -1 : 0;
	change_end(&c);
	return rc;
}
