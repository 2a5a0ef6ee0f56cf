/* Letting go: which history stays (keep), and data that must not (forget). */
#include "api/rows.h"
#include "api/store_keep.h"
#include "base/str.h"
#include "flow/data.h"
#include "flow/flow.h"
#include "repo/keep.h"

/* Commits that stay since a data-driven job has yet to take them. */
struct untaken {
	const char *job;
	size_t n;
};

struct pins {
	VEC(struct id) ids;
	VEC(const char *) jobs;
	VEC(struct untaken) untaken;
};

/* Commits of a repo that jobs name. A pin that is not there any more pins nothing. */
static int pinned(struct api *api, struct str repo, struct pins *out, struct err *e)
{
	const struct jobs *js = api->flow->jobs;

	for (size_t i = 0; i < js->n; i++)
		for (size_t k = 0; k < js->all[i]->n_inputs; k++) {
			const struct job_input *in = &js->all[i]->inputs[k];
			struct err inner = ERR_INIT;
			struct pin p;
			if (!in->pin.p || !str_eq(in->repo, repo))
				continue;
			if (pin_resolve(api->store, api->arena,
					arena_strf(api->arena, "%.*s@%.*s", STR_ARG(repo), STR_ARG(in->pin)), &p,
					&inner)) {
				if (inner.code == ERR_NOT_FOUND)
					continue;
				*e = inner;
				return -1;
			}
			if (!p.has_commit)
				continue;
			store_lease_drop(api->store, p.commit.id);
			vec_push(api->arena, &out->ids, p.commit.id);
			vec_push(api->arena, &out->jobs, arena_cstr(api->arena, js->all[i]->name));
		}
	return 0;
}

/* What data-driven jobs have yet to take. */
static int waited_for(struct api *api, const struct repo *r, struct pins *out, struct err *e)
{
	const struct jobs *js = api->flow->jobs;

	for (size_t i = 0; i < js->n; i++) {
		struct untaken u = {.job = arena_cstr(api->arena, js->all[i]->name)};
		struct id *ids;

		if (data_untaken(api->flow, api->arena, r, js->all[i], &ids, &u.n, e))
			return -1;
		for (size_t k = 0; k < u.n; k++) {
			vec_push(api->arena, &out->ids, ids[k]);
			vec_push(api->arena, &out->jobs, NULL);
		}
		if (u.n > 1) /* the one it stands at is no news */
			vec_push(api->arena, &out->untaken, u);
	}
	return 0;
}

static int goes(struct api *api, const struct repo *r, struct str rule, struct commit **list, size_t *n, struct pins *p,
		struct err *e)
{
	struct keep_rule k;

	return keep_parse(rule, &k, e) || pinned(api, r->name, p, e) || waited_for(api, r, p, e) ||
			       keep_list(api->store, api->arena, r->id, &k, p->ids.p, p->ids.n, list, n, e)
		       ? -1
		       : 0;
}

static int show(struct api *api, const struct repo *r, struct sink *out, struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);
	struct commit *list = NULL;
	struct pins p = {0};
	struct str rule;
	size_t n = 0;

	if (keep_get(api->store, api->arena, r->id, &rule, e) ||
	    (rule.p && goes(api, r, rule, &list, &n, &p, e)))
		return -1;
	dom_set_str(api->arena, row, "repo", r->name);
	dom_set_str(api->arena, row, "keep", rule.p ? rule : STR("all"));
	dom_set_int(api->arena, row, "goes", (int64_t)n);
	return sink_row(out, row, e);
}

/* A rule is a repo's, for all its branches. */
static int whole_repo(struct str text, struct err *e)
{
	const char *end = memchr(text.p, '@', text.n);

	if (!end)
		end = memchr(text.p, ':', text.n);
	if (!end)
		return 0;
	err_set(e, ERR_BAD_REQUEST, "'%.*s' is a part of a repo; what is kept is said of the whole", STR_ARG(text));
	return err_hint(e, "leat keep %.*s last 30 keeps 30 commits of each of its branches", (int)(end - text.p),
	                text.p);
}

int api_keep(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct keep_rule k;
	struct pins p = {0};
	struct commit *list;
	struct repo *repos, r;
	struct str rule;
	size_t n;
	int got;

	if (!args_n(args)) {
		if (repo_list(api->store, a, &repos, &n, e))
			return -1;
		for (size_t i = 0; i < n; i++)
			if (show(api, &repos[i], out, e))
				return -1;
		return 0;
	}
	if (whole_repo(args_pos(args, 0), e))
		return -1;
	got = repo_find(api->store, a, args_pos(args, 0), &r, e);
	if (got <= 0)
		return got ? -1 : repo_not_found(api->store, args_pos(args, 0), e);
	if (args_n(args) == 1)
		return show(api, &r, out, e);
	rule = args_n(args) > 2 ? arena_strf(a, "%.*s %.*s", STR_ARG(args_pos(args, 1)), STR_ARG(args_pos(args, 2)))
				: args_pos(args, 1);
	if (keep_parse(rule, &k, e) || goes(api, &r, rule, &list, &n, &p, e) || db_begin(api->store->db, e))
		return -1;
	if (keep_set(api->store, r.id, rule, e) || db_commit(api->store->db, e)) {
		db_rollback(api->store->db);
		return -1;
	}
	for (size_t i = 0; i < p.ids.n && k.what != KEEP_ALL; i++)
		if (p.jobs.p[i])
			sink_note(out, "%.*s@%.8s stays: the job %s pins it", STR_ARG(r.name), p.ids.p[i].hex,
				  p.jobs.p[i]);
	for (size_t i = 0; i < p.untaken.n && k.what != KEEP_ALL; i++)
		sink_note(out, "%zu of %.*s stay until the job %s has taken them: leat run %s", p.untaken.p[i].n,
			  STR_ARG(r.name), p.untaken.p[i].job, p.untaken.p[i].job);
	return show(api, &r, out, e);
}

int keep_apply_all(struct api *api, struct sink *out, bool dry_run, int64_t *went, struct err *e)
{
	struct repo *repos;
	size_t n, k;

	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct commit *list;
		struct pins p = {0};
		struct str rule;
		if (keep_get(api->store, api->arena, repos[i].id, &rule, e))
			return -1;
		if (!rule.p)
			continue;
		if (api->flow->jobs->n_errors) { /* it may pin what the rule lets go */
			sink_note(out, "%.*s: nothing was let go, since a job file is broken (leat jobs names it)",
				  STR_ARG(repos[i].name));
			continue;
		}
		if (goes(api, &repos[i], rule, &list, &k, &p, e))
			return -1;
		if (dry_run)
			*went += (int64_t)k;
		else if (keep_apply(api->store, &repos[i], list, k, went, e))
			return -1;
	}
	return 0;
}

static int refuse_pinned(struct api *api, const struct pin *p, struct err *e)
{
	struct pins pins = {0};

	if (pinned(api, p->repo.name, &pins, e))
		return -1;
	for (size_t i = 0; i < pins.ids.n; i++)
		if (!strcmp(pins.ids.p[i].hex, p->commit.id.hex))
			return err_set(e, ERR_REFUSED, "the job %s pins %.*s@%.8s", pins.jobs.p[i],
				       STR_ARG(p->repo.name), p->commit.id.hex);
	return 0;
}

static int forget_one(struct api *api, const struct args *args, const struct pin *p, struct id batch, struct err *e)
{
	struct event ev = {.id = id_new(), .batch = batch, .kind = "forget", .label = "", .command = args->command};

	return event_record(api->store, &ev, e) || keep_forget(api->store, &p->repo, &p->commit, ev.id, e) ? -1 : 0;
}

int api_forget(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	size_t n = args_n(args);
	struct pin *pins = arena_array(a, struct pin, n);
	struct id batch = id_new();

	for (size_t i = 0; i < n; i++) {
		if (pin_resolve(api->store, a, args_pos(args, i), &pins[i], e))
			return -1;
		if (pins[i].path.n)
			return err_set(e, ERR_BAD_REQUEST, "forget takes whole commits; %.*s names a path in one",
				       STR_ARG(args_pos(args, i)));
		if (pins[i].open || !pins[i].has_commit)
			return err_set(e, ERR_BAD_REQUEST, "%.*s is no commit that is finished",
				       STR_ARG(args_pos(args, i)));
		if (refuse_pinned(api, &pins[i], e))
			return -1;
	}
	if (db_begin(api->store->db, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (forget_one(api, args, &pins[i], batch, e)) {
			db_rollback(api->store->db);
			return -1;
		}
	if (db_commit(api->store->db, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (sink_row(out, row_commit(a, pins[i].repo.name, STR_NULL, &pins[i].commit), e))
			return -1;
	sink_note(out, "leat gc gives the space back");
	return 0;
}
