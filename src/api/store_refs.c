/* branch, tag: the names of commits. */
#include "api/change.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/refs.h"

/* One branch or tag to make, move or delete. */
struct naming {
	struct str repo, name, pin; /* pin: STR_NULL = as it comes */
	bool remove, force;
};

static struct dom *row_ref(struct arena *a, struct str repo, const char *what, const struct ref *ref)
{
	struct dom *row = dom_new(a, DOM_MAP);
	bool has = ref->commit.hex[0];

	dom_set_str(a, row, "repo", repo);
	dom_set_str(a, row, what, ref->name);
	dom_set_str(a, row, "commit", has ? str_of(ref->commit.hex) : STR_NULL);
	if (has)
		dom_set_int(a, row, "number", ref->number);
	else
		dom_set_str(a, row, "number", STR_NULL);
	row_time(a, row, "at", ref->at);
	if (!strcmp(what, "branch"))
		dom_set_str(a, row, "open", ref->open.hex[0] ? str_of(ref->open.hex) : STR_NULL);
	return row;
}

static int list_repo(struct api *api, const struct repo *repo, bool tags, struct sink *out, struct err *e)
{
	struct ref *refs;
	size_t n;

	if (tags ? refs_tags(api->store, api->arena, repo->id, &refs, &n, e)
	         : refs_branches(api->store, api->arena, repo->id, &refs, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (sink_row(out, row_ref(api->arena, repo->name, tags ? "tag" : "branch", &refs[i]), e))
			return -1;
	return 0;
}

static int list(struct api *api, struct str name, bool tags, struct sink *out, struct err *e)
{
	struct repo *repos, one;
	size_t n;
	int found;

	if (name.p) {
		found = repo_find(api->store, api->arena, name, &one, e);
		if (found <= 0)
			return found < 0 ? -1 : repo_not_found(api->store, name, e);
		return list_repo(api, &one, tags, out, e);
	}
	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (repos[i].role != REPO_SYSTEM && list_repo(api, &repos[i], tags, out, e))
			return -1;
	return 0;
}

static int find_repo(struct change *c, struct str name, struct repo *out, struct err *e)
{
	int found = repo_find(c->api->store, c->api->arena, name, out, e);

	return found < 0 ? -1 : found ? 0 : repo_not_found(c->api->store, name, e);
}

/* A pin of this repo: "v1", "master~2", "REPO@v1". */
static int resolve(struct change *c, const struct naming *n, struct pin *out, struct err *e)
{
	struct arena *a = c->api->arena;
	struct str text = n->pin;

	if (!memchr(text.p, '@', text.n))
		text = arena_strf(a, "%.*s@%.*s", STR_ARG(n->repo), STR_ARG(text));
	if (pin_resolve(c->api->store, a, text, out, e))
		return -1;
	if (!str_eq(out->repo.name, n->repo))
		return err_set(e, ERR_BAD_REQUEST, "'%.*s' is no commit of %.*s", STR_ARG(text), STR_ARG(n->repo));
	if (out->open) {
		err_set(e, ERR_REFUSED, "'%.*s' is an open commit, which no name can have yet", STR_ARG(text));
		return err_hint(e, "finish it first");
	}
	if (out->path.n)
		return err_set(e, ERR_BAD_REQUEST, "'%.*s' names a path, not a commit", STR_ARG(text));
	return 0;
}

static void tell(struct change *c, const struct naming *n, const char *what, const struct commit *at)
{
	struct arena *a = c->api->arena;
	struct ref ref = {.name = n->name};
	struct dom *row;

	if (at) {
		ref.commit = at->id;
		ref.number = at->number;
		ref.at = at->at;
	}
	row = row_ref(a, n->repo, what, &ref);
	if (n->remove)
		dom_set_bool(a, row, "deleted", true);
	vec_push(a, &c->rows, row);
}

static int refuse_output(const struct repo *repo, struct str branch, struct err *e)
{
	if (repo->role != REPO_OUTPUT || !str_is(branch, BRANCH_DEFAULT))
		return 0;
	err_set(e, ERR_REFUSED, "%.*s is the output of job %.*s, which alone moves its %.*s", STR_ARG(repo->name),
	        STR_ARG(repo->job), STR_ARG(branch));
	return err_hint(e, "move the branch of what the job reads, and run it: what is known is not run again");
}

static int run_branch(struct change *c, void *own, struct err *e)
{
	const struct naming *n = own;
	struct store *s = c->api->store;
	struct repo repo;
	struct commit head;
	struct pin pin;
	struct id tagged;
	int is, has;

	if (find_repo(c, n->repo, &repo, e))
		return -1;
	if (n->remove) {
		if (refs_delete_branch(s, &repo, n->name, c->id, e))
			return -1;
		tell(c, n, "branch", NULL);
		return 0;
	}
	is = refs_has_branch(s, repo.id, n->name, e);
	if (is < 0)
		return -1;
	if (is && !n->pin.p) {
		err_set(e, ERR_REFUSED, "%.*s has a branch %.*s already", STR_ARG(repo.name), STR_ARG(n->name));
		return err_hint(e, "--head PIN moves it");
	}
	has = refs_tag(s, repo.id, n->name, &tagged, e);
	if (has < 0)
		return -1;
	if (has)
		return err_set(e, ERR_REFUSED, "%.*s is a tag of %.*s, so no branch can have that name",
		               STR_ARG(n->name), STR_ARG(repo.name));
	if (refuse_output(&repo, n->name, e))
		return -1;
	if (n->pin.p) {
		if (resolve(c, n, &pin, e))
			return -1;
		has = pin.has_commit;
		head = pin.commit;
	} else {
		has = branch_head(s, repo.id, STR(BRANCH_DEFAULT), &head, e);
		if (has < 0)
			return -1;
	}
	if (branch_move(s, repo.id, n->name, has ? &head.id : NULL, c->id, e))
		return -1;
	tell(c, n, "branch", has ? &head : NULL);
	return 0;
}

static int run_tag(struct change *c, void *own, struct err *e)
{
	struct naming *n = own;
	struct repo repo;
	struct pin pin;

	if (find_repo(c, n->repo, &repo, e))
		return -1;
	if (n->remove) {
		if (refs_delete_tag(c->api->store, &repo, n->name, e))
			return -1;
		tell(c, n, "tag", NULL);
		return 0;
	}
	if (resolve(c, n, &pin, e))
		return -1;
	if (!pin.has_commit)
		return err_set(e, ERR_NOT_FOUND, "%.*s@%.*s has no commit that could be tagged", STR_ARG(n->repo),
		               STR_ARG(n->pin));
	if (refs_set_tag(c->api->store, &repo, n->name, pin.commit.id, n->force, e))
		return -1;
	tell(c, n, "tag", &pin.commit);
	return 0;
}

/* REPO@NAME */
static int parse(struct change *c, struct str text, struct naming *n, struct err *e)
{
	struct str path;

	if (pin_parse(text, &n->repo, &n->name, &path, e))
		return -1;
	if (!n->name.n || path.n) {
		err_set(e, ERR_BAD_REQUEST, "'%.*s' is not REPO@NAME", STR_ARG(text));
		return err_hint(e, "leat %s alone lists those that are there", c->args->op->name);
	}
	return name_check_branch(n->name, e);
}

int branch_ready(struct change *c, const struct args *args, struct err *e)
{
	struct naming *n = arena_new_of(args->arena, struct naming);

	n->remove = args_flag(args, "delete");
	n->pin = args_value(args, "head");
	if (n->remove && n->pin.p)
		return err_set(e, ERR_BAD_REQUEST, "--delete and --head do not go together");
	change_step(c, run_branch, n);
	return parse(c, args_pos(args, 0), n, e);
}

int tag_ready(struct change *c, const struct args *args, struct err *e)
{
	struct naming *n = arena_new_of(args->arena, struct naming);

	n->remove = args_flag(args, "delete");
	n->force = args_flag(args, "force");
	n->pin = args_n(args) > 1 ? args_pos(args, 1) : STR(BRANCH_DEFAULT);
	if (n->remove && args_n(args) > 1)
		return err_set(e, ERR_BAD_REQUEST, "--delete takes no PIN");
	change_step(c, run_tag, n);
	return parse(c, args_pos(args, 0), n, e);
}

static int name_or_list(struct api *api, const struct args *args, bool tags, change_fn *ready, struct sink *out,
                        struct err *e)
{
	struct str text = args_pos(args, 0);
	struct change c;
	int rc;

	if (!text.p || !memchr(text.p, '@', text.n)) {
		if (args_flag(args, "delete") || args_n(args) > 1 || (!tags && args_count(args, "head")))
			return err_set(e, ERR_BAD_REQUEST, "which %s? REPO@NAME names one", args->op->name);
		return list(api, text, tags, out, e);
	}
	change_begin(&c, api, args);
	rc = ready(&c, args, e) || change_do(&c, out, e) ? -1 : 0;
	change_end(&c);
	return rc;
}

int api_branch(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	return name_or_list(api, args, false, branch_ready, out, e);
}

int api_tag(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	return name_or_list(api, args, true, tag_ready, out, e);
}
