/* start, finish: open commits. */
#include "api/change.h"
#include "base/str.h"

static struct dom *row_open(struct arena *a, struct str repo, const struct open_commit *o, const struct commit *c)
{
	struct dom *row = row_commit(a, repo, o->branch, c);

	dom_set_bool(a, row, "open", true);
	row_time(a, row, "expires", o->expires);
	return row;
}

static int start(struct change *c, void *own, struct err *e)
{
	struct write *w = own;
	struct store *s = c->api->store;
	struct arena *a = c->api->arena;
	struct open_new n = {.branch = w->branch, .message = w->message, .author = w->author, .meta = w->meta,
	                     .id = c->id};
	struct open_commit o;
	struct commit as;

	if (repo_ensure(s, a, w->repo, REPO_SOURCE, STR_NULL, &n.repo, e) || open_start(s, a, &n, &o, e) ||
	    open_as_commit(s, &o, &as, e))
		return -1;
	vec_push(a, &c->rows, row_open(a, n.repo.name, &o, &as));
	return 0;
}

/* The whole repo is written to, not a path of it. */
static int whole_target(struct change *c, struct str text, bool make, struct write *w, struct err *e)
{
	if (change_target(c, text, make, w, e))
		return -1;
	if (w->path.n)
		return err_set(e, ERR_BAD_REQUEST, "'%.*s' names a path; an open commit is of a whole repo",
		               STR_ARG(text));
	return 0;
}

int api_start(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct write w = {0};
	struct change c;
	int rc;

	change_begin(&c, api, args);
	c.no_event = true; /* its id is the event's, which is recorded when it is finished */
	change_step(&c, start, &w);
	rc = whole_target(&c, args_pos(args, 0), true, &w, e) ||
			     change_words(args, &w.message, &w.author, &w.meta, e) || change_do(&c, out, e)
		     ? -1
		     : 0;
	change_end(&c);
	if (!rc)
		sink_note(out, "put into it: leat put %.*s@%s FILE, or LEAT_COMMIT=%s; then leat finish %.*s@%.*s",
		          STR_ARG(w.repo), c.id.hex, c.id.hex, STR_ARG(w.repo), STR_ARG(w.branch));
	return rc;
}

struct finishing {
	struct open_commit open;
	struct repo repo;
	struct open_finishing how;
};

static int finish(struct change *c, void *own, struct err *e)
{
	struct finishing *f = own;
	struct store *s = c->api->store;
	struct arena *a = c->api->arena;
	struct commit made;
	int r = open_find(s, a, f->repo.id, str_of(f->open.id.hex), &f->open, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "the open commit %s is not there", f->open.id.hex);
	if (f->open.state != OPEN_OPEN)
		return open_closed(&f->open, f->repo.name, e);
	if (open_finish(s, c->in, &f->open, &f->repo, &f->how, &made, e))
		return -1;
	vec_push(a, &c->rows, row_commit(a, f->repo.name, f->open.branch, &made));
	return 0;
}

/* The one that is open on a branch; else what became of the last one. */
static int find_open(struct api *api, const struct repo *repo, struct str branch, struct open_commit *out,
                     struct err *e)
{
	struct open_commit last;
	int r = open_of_branch(api->store, api->arena, repo->id, branch, out, e);

	if (r)
		return r < 0 ? -1 : 0;
	r = open_last(api->store, api->arena, repo->id, branch, &last, e);
	if (r < 0)
		return -1;
	if (r && last.state == OPEN_EXPIRED)
		return open_closed(&last, repo->name, e);
	err_set(e, ERR_NOT_FOUND, "%.*s@%.*s has no open commit", STR_ARG(repo->name), STR_ARG(branch));
	return err_hint(e, "leat start %.*s@%.*s opens one", STR_ARG(repo->name), STR_ARG(branch));
}

int api_finish(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct finishing f = {.how.force = args_flag(args, "force")};
	struct write w = {0};
	struct change c;
	int rc, found;

	change_begin(&c, api, args);
	change_step(&c, finish, &f);
	rc = whole_target(&c, args_pos(args, 0), false, &w, e) ||
			     change_words(args, &f.how.message, &f.how.author, &f.how.meta, e)
		     ? -1
		     : 0;
	if (!rc) {
		found = repo_find(api->store, api->arena, w.repo, &f.repo, e);
		rc = found < 0 ? -1 : !found ? repo_not_found(api->store, w.repo, e) : 0;
	}
	if (!rc && w.open.hex[0]) /* named by its id, or by LEAT_COMMIT */
		rc = open_find(api->store, api->arena, f.repo.id, str_of(w.open.hex), &f.open, e) < 0 ? -1 : 0;
	else if (!rc)
		rc = find_open(api, &f.repo, w.branch, &f.open, e);
	if (!rc && f.open.state == OPEN_OPEN)
		rc = open_merge(api->store, c.in, &f.open, &f.repo, &f.how, e);
	if (!rc) {
		c.id = f.open.id;
		rc = change_do(&c, out, e);
	}
	change_end(&c);
	return rc;
}
