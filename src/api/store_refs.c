/* branch, tag: the names of commits. */
#include "api/change.h"
#include "api/workbranch.h"
#include "base/keys.h"
#include "base/name.h"
#include "base/str.h"
#include "flow/graph.h"
#include "repo/overlay.h"
#include "repo/refs.h"
#include "repo/trigger.h"
#include "sys/clock.h"

/* One branch or tag to make, move or delete. */
struct naming {
	struct str repo, name, pin; /* pin: STR_NULL = as it comes */
	bool remove, force;
	const struct trigger *trigger; /* NULL: as it is */
	bool no_trigger;
	struct str written;            /* the branch that a job writes of the repo; STR_NULL: none does */
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

/* How a branch follows another one, for people. */
static int say_trigger(struct api *api, const struct repo *repo, struct str branch, struct dom *row, struct err *e)
{
	struct trigger t;
	int r = trigger_get(api->store, api->arena, repo->id, branch, &t, e);

	if (r >= 0)
		dom_set_str(api->arena, row, "trigger", r ? trigger_text(api->arena, &t) : STR_NULL);
	return r < 0 ? -1 : 0;
}

static int list_repo(struct api *api, const struct repo *repo, bool tags, struct sink *out, struct err *e)
{
	struct ref *refs;
	size_t n;

	if (tags ? refs_tags(api->store, api->arena, repo->id, &refs, &n, e)
	         : refs_branches(api->store, api->arena, repo->id, &refs, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dom *row = row_ref(api->arena, repo->name, tags ? "tag" : "branch", &refs[i]);

		if ((!tags && say_trigger(api, repo, refs[i].name, row, e)) || sink_row(out, row, e))
			return -1;
	}
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

	/* no branch has a slash in its name: it is a repo's, whose head is meant */
	if (!memchr(text.p, '@', text.n) && !memchr(text.p, '/', text.n))
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

static int refuse_output(const struct naming *n, const struct repo *repo, struct err *e)
{
	if (repo->role != REPO_OUTPUT || !str_eq(n->name, n->written.p ? n->written : STR(BRANCH_DEFAULT)))
		return 0;
	err_set(e, ERR_REFUSED, "%.*s is the output of job %.*s, which alone moves its %.*s", STR_ARG(repo->name),
	        STR_ARG(repo->job), STR_ARG(n->name));
	return err_hint(e, "move the branch of what the job reads, and run it: what is known is not run again");
}

/* Where the branch is to point: 1 *head; 0 to nothing; -1. */
static int new_head(struct change *c, const struct naming *n, const struct repo *repo, struct commit *head,
                    struct err *e)
{
	struct pin pin;

	if (!n->pin.p)
		return branch_head(c->api->store, repo->id, store_branch(c->api->store), head, e);
	if (resolve(c, n, &pin, e))
		return -1;
	*head = pin.commit;
	return pin.has_commit;
}

static int check_names(struct change *c, const struct naming *n, const struct repo *repo, int is, struct err *e)
{
	struct id tagged;
	int has;

	if (is && !n->pin.p && !n->trigger && !n->no_trigger) {
		err_set(e, ERR_REFUSED, "%.*s has a branch %.*s already", STR_ARG(repo->name), STR_ARG(n->name));
		return err_hint(e, "--head PIN moves it");
	}
	has = refs_tag(c->api->store, repo->id, n->name, &tagged, e);
	if (has > 0)
		err_set(e, ERR_REFUSED, "%.*s is a tag of %.*s, so no branch can have that name", STR_ARG(n->name),
		        STR_ARG(repo->name));
	return has ? -1 : refuse_output(n, repo, e);
}

static int run_branch(struct change *c, void *own, struct err *e)
{
	const struct naming *n = own;
	struct store *s = c->api->store;
	struct repo repo;
	struct commit head = {0};
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
	if (is < 0 || check_names(c, n, &repo, is, e))
		return -1;
	if (n->pin.p || (!is && !n->trigger)) {
		has = new_head(c, n, &repo, &head, e);
		if (has < 0 || branch_move(s, repo.id, n->name, has ? &head.id : NULL, c->id, e))
			return -1;
	} else {
		has = branch_head(s, repo.id, n->name, &head, e);
		if (has < 0)
			return -1;
	}
	if ((n->trigger || n->no_trigger) && trigger_set(s, &repo, n->name, n->trigger, e))
		return -1;
	tell(c, n, "branch", has ? &head : NULL);
	return say_trigger(c->api, &repo, n->name, c->rows.p[c->rows.n - 1], e);
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

static int read_trigger(const struct args *args, struct naming *n, struct err *e)
{
	static const char *const conditions[] = {"trigger-commits", "trigger-size", "trigger-rate", "trigger-cron"};
	struct trigger *t = arena_new_of(args->arena, struct trigger);
	struct str size = args_value(args, "trigger-size");
	bool any = args_flag(args, "trigger-all");

	*t = (struct trigger){.branch = args_value(args, "trigger"), .rate = args_value(args, "trigger-rate"),
	                      .cron = args_value(args, "trigger-cron"), .all = any, .since = clock_now_ms()};
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		any |= args_count(args, conditions[i]) > 0;
	n->no_trigger = args_flag(args, "no-trigger");
	if (n->no_trigger && (any || t->branch.p))
		return err_set(e, ERR_BAD_REQUEST, "--no-trigger and --trigger do not go together");
	if (n->remove && (n->no_trigger || any || t->branch.p))
		return err_set(e, ERR_BAD_REQUEST, "--delete and --trigger do not go together");
	if (!t->branch.p) {
		if (!any)
			return 0;
		err_set(e, ERR_BAD_REQUEST, "which branch is to be followed?");
		return err_hint(e, "--trigger BRANCH names it");
	}
	if (name_check_branch(t->branch, e) ||
	    args_int(args, "trigger-commits", 1, TRIGGER_MAX_COMMITS, 0, &t->commits, e))
		return -1;
	if (size.p && !keys_size(size, &t->size)) {
		err_set(e, ERR_BAD_REQUEST, "--trigger-size cannot be \"%s\"", STR_SHOWN(size));
		return err_hint(e, "bytes, or 3KB, 100M, 1.5G");
	}
	n->trigger = t;
	return trigger_check(t, e);
}

/* Which branch of an output its job writes: asked of the jobs, where they can be read. */
static int find_written(struct change *c, struct naming *n, struct err *e)
{
	struct err why = ERR_INIT;
	const struct job *j;
	struct repo repo;
	int r = repo_find(c->api->store, c->api->arena, n->repo, &repo, e);

	if (r <= 0 || repo.role != REPO_OUTPUT || api_open(c->api, OP_W | OP_J | OP_R, &why))
		return r < 0 ? -1 : 0;
	j = graph_producer(c->api->flow->graph, repo.name);
	if (j)
		n->written = j->output_branch;
	return 0;
}

int branch_ready(struct change *c, const struct args *args, struct err *e)
{
	struct naming *n = arena_new_of(args->arena, struct naming);

	n->remove = args_flag(args, "delete");
	n->pin = args_value(args, "head");
	if (n->remove && n->pin.p)
		return err_set(e, ERR_BAD_REQUEST, "--delete and --head do not go together");
	change_step(c, run_branch, n);
	return parse(c, args_pos(args, 0), n, e) || read_trigger(args, n, e) || find_written(c, n, e) ? -1 : 0;
}

int tag_ready(struct change *c, const struct args *args, struct err *e)
{
	struct naming *n = arena_new_of(args->arena, struct naming);

	n->remove = args_flag(args, "delete");
	n->force = args_flag(args, "force");
	n->pin = args_n(args) > 1 ? args_pos(args, 1) : store_branch(c->api->store);
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
		if (args_flag(args, "delete") || args_n(args) > 1 ||
		    (!tags && (args_count(args, "head") || args_count(args, "trigger") ||
		               args_flag(args, "no-trigger"))))
			return err_set(e, ERR_BAD_REQUEST, "which %s? REPO@NAME names one", args->op->name);
		return list(api, text, tags, out, e);
	}
	change_begin(&c, api, args);
	rc = ready(&c, args, e) || change_do(&c, out, e) ? -1 : 0;
	change_end(&c);
	return rc;
}

/* What only branches of a repo take. */
static int refuse_repo_options(const struct args *args, struct str name, struct err *e)
{
	static const char *const options[] = {"head", "trigger", "trigger-commits", "trigger-size", "trigger-rate",
	                                      "trigger-cron", "trigger-all", "no-trigger"};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (!args_count(args, options[i]))
			continue;
		err_set(e, ERR_BAD_REQUEST, "--%s is of a branch of a repo, and %.*s is none", options[i],
		        STR_ARG(name));
		return err_hint(e, "REPO@NAME names one");
	}
	return 0;
}

/* A word that is no repo and has no '@': a workspace branch. 1 it was one, 0, -1. */
static int on_workspace(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str name = args_pos(args, 0);
	bool remove = args_flag(args, "delete"), freeze = args_flag(args, "freeze");
	struct repo repo;
	int found;

	if (!name.p && !remove && !freeze && !args_flag(args, "repos")) {
		if (refuse_repo_options(args, STR("a list"), e))
			return -1;
		return workbranch_list(api, out, e) ? -1 : 1;
	}
	if (!name.p || memchr(name.p, '@', name.n) || memchr(name.p, '/', name.n) || memchr(name.p, ':', name.n)) {
		if (freeze)
			return err_set(e, ERR_BAD_REQUEST,
			               "--freeze is of a workspace branch: leat branch NAME --freeze");
		return 0;
	}
	found = repo_find_any(api->store, api->arena, name, &repo, e);
	if (found && !freeze)
		return found < 0 ? -1 : 0;
	if (found) {
		err_set(e, ERR_REFUSED, "%.*s is a repo, so no workspace branch can have that name", STR_ARG(name));
		return err_hint(e, "take another name; leat branch %.*s lists its branches", STR_ARG(name));
	}
	if (refuse_repo_options(args, name, e))
		return -1;
	if (remove && freeze)
		return err_set(e, ERR_BAD_REQUEST, "--delete and --freeze do not go together");
	if (remove ? workbranch_delete(api, args, name, out, e) : workbranch_make(api, args, name, out, e))
		return -1;
	return 1;
}

int api_branch(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	int did = on_workspace(api, args, out, e);

	if (did)
		return did < 0 ? -1 : 0;
	return name_or_list(api, args, false, branch_ready, out, e);
}

int api_tag(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	return name_or_list(api, args, true, tag_ready, out, e);
}
