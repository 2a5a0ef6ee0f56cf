/* merge: what a workspace branch has becomes master's, all of it in one transaction, and nothing is run. */
#include "api/change.h"
#include "base/str.h"
#include "flow/data.h"
#include "flow/flow.h"
#include "flow/lease.h"
#include "repo/datastore.h"
#include "repo/overlay_merge.h"
#include "sys/fault.h"

#define TRIES 50        /* when heads move meanwhile */
#define THINGS_NAMED 10 /* of each repo in conflict */
#define REPOS_NAMED 5
#define CONFLICT_BYTES 900

struct merging {
	struct api *api;
	const struct args *args;
	struct overlay on;
	struct overlay_merge m;
	struct map owed, behind;
};

static const char *const words[] = {
	[MERGED_NOTHING] = "same", [MERGED_NEW] = "new",   [MERGED_FAST] = "fast",
	[MERGED_LAID] = "merged",  [MERGED_KEPT] = "kept", [MERGED_REMOVED] = "removed",
	[MERGED_CONFLICT] = "conflict",
};

/* --- what is asked for --- */

static int choose(struct merging *g, const char *option, enum merge_take take, struct err *e)
{
	for (size_t i = 0; i < args_count(g->args, option); i++) {
		struct str name = args_nth(g->args, option, i);
		struct overlay_merge_repo *r = NULL;

		for (size_t k = 0; k < g->m.n && !r; k++)
			if (str_eq(g->m.repos[k].base.repo.name, name) && g->m.repos[k].base.state != OVERLAY_MASTER)
				r = &g->m.repos[k];
		if (!r) {
			err_set(e, ERR_BAD_REQUEST, "--%s %s: %.*s has written no such repo", option, STR_SHOWN(name),
			        STR_ARG(g->on.name));
			return err_hint(e, "leat merge %.*s --dry-run lists what it has written",
			                STR_ARG(g->on.name));
		}
		if (r->take != MERGE_NEITHER && r->take != take)
			return err_set(e, ERR_BAD_REQUEST, "--ours or --theirs of %.*s, not both", STR_ARG(name));
		r->take = take;
	}
	return 0;
}

static int find_branch(struct merging *g, struct err *e)
{
	struct store *s = g->api->store;
	struct str name = args_pos(g->args, 0);
	int r;

	if (str_is(name, BRANCH_DEFAULT)) {
		err_set(e, ERR_BAD_REQUEST, BRANCH_DEFAULT " is what is merged into");
		return err_hint(e, "leat merge NAME takes over what the workspace branch NAME has;"
		                   " leat branch lists them");
	}
	if (s->on && !str_eq(s->on->name, name)) {
		err_set(e, ERR_BAD_REQUEST, "%s would be merged into " BRANCH_DEFAULT ", but this is on %.*s",
		        STR_SHOWN(name), STR_ARG(s->on->name));
		return err_hint(e, "leat --on " BRANCH_DEFAULT " merge %s", STR_SHOWN(name));
	}
	s->on = NULL;
	r = overlay_find(s, g->api->arena, name, &g->on, e);
	return r < 0 ? -1 : r ? 0 : overlay_not_found(s, name, e);
}

/* Whether a data-driven job has yet to take changes, on the branch or (NULL) on master: 1, 0, -1. */
static int owes(struct merging *g, const struct job *j, const struct overlay *on, struct err *e)
{
	struct store *s = g->api->store;
	struct plan_unit *u;
	int rc;

	s->on = on;
	rc = data_look(g->api->flow, g->api->arena, j, &u, e);
	s->on = NULL;
	return rc ? -1 : u->reason == REASON_INPUT_CHANGED;
}

/*
 * Data-driven jobs that have yet to take changes on master: their turn at those comes as it would have. Those of the
 * branch come to master with its heads, after which no event tells of them.
 */
static int look_at_jobs(struct merging *g, struct err *e)
{
	struct arena *a = g->api->arena;
	struct str *jobs;
	size_t n;

	map_init(&g->owed, a);
	map_init(&g->behind, a);
	g->m.owed = &g->owed;
	g->m.behind = &g->behind;
	if (overlay_merge_jobs(g->api->store, a, &g->on, &jobs, &n, e))
		return -1;
	if (!n)
		return 0;
	if (api_open(g->api, OP_W | OP_J | OP_R, e))
		return -1;
	for (size_t i = 0; i < g->api->flow->jobs->n; i++) {
		const struct job *j = g->api->flow->jobs->all[i];

		for (size_t k = 0; k < n; k++) {
			if (!str_eq(jobs[k], j->name) || !j->tree || job_stays(j))
				continue;
			int on_master = owes(g, j, NULL, e), there = on_master < 0 ? -1 : owes(g, j, &g->on, e);
			if (there < 0)
				return -1;
			if (on_master)
				map_set(&g->owed, j->name, g);
			if (there)
				map_set(&g->behind, j->name, g);
		}
	}
	return 0;
}

/* --- what is told --- */

static struct str thing(struct arena *a, struct str path)
{
	if (!path.n)
		return STR("as a whole");
	return str_has_prefix(path, STR("ds=")) && !memchr(path.p, '/', path.n) ? path
	                                                                        : arena_strf(a, "/%.*s", STR_ARG(path));
}

static struct dom *row_merged(struct arena *a, const struct overlay_merge_repo *r)
{
	struct dom *row = dom_new(a, DOM_MAP), *list;

	dom_set_str(a, row, "repo", r->base.repo.name);
	dom_set_cstr(a, row, "how", words[r->how]);
	dom_set_int(a, row, "changed", (int64_t)r->changed);
	if (r->how == MERGED_CONFLICT) {
		list = dom_new(a, DOM_LIST);
		for (size_t i = 0; i < r->trees.n_conflicts; i++)
			dom_add(list, dom_new_str(a, thing(a, r->trees.conflicts[i])));
		if (r->why)
			dom_add(list, dom_new_str(a, str_of(r->why)));
		dom_set(a, row, "conflicts", list);
		return row;
	}
	dom_set_str(a, row, "commit", r->now.id.hex[0] ? str_of(r->now.id.hex) : STR_NULL);
	if (r->now.id.hex[0])
		dom_set_int(a, row, "number", r->now.number);
	return row;
}

static int tell(struct merging *g, bool dry, struct sink *out, struct err *e)
{
	for (size_t i = 0; i < g->m.n; i++) {
		struct overlay_merge_repo *r = &g->m.repos[i];

		if (r->base.state == OVERLAY_MASTER || (r->how == MERGED_NOTHING && !dry))
			continue;
		if (dry && r->how != MERGED_NOTHING && r->how != MERGED_KEPT)
			r->now = (struct commit){0}; /* not made */
		if (sink_row(out, row_merged(g->api->arena, r), e))
			return -1;
	}
	return 0;
}

static void add_conflict(struct buf *b, struct arena *a, const struct overlay_merge_repo *r)
{
	buf_addf(b, "%s%.*s", b->n ? "; " : "", STR_ARG(r->base.repo.name));
	if (r->why)
		buf_addf(b, " (%s)", r->why);
	for (size_t i = 0; i < r->trees.n_conflicts && i < THINGS_NAMED; i++)
		buf_addf(b, "%s%.*s", i ? ", " : " ", STR_ARG(thing(a, r->trees.conflicts[i])));
	if (r->trees.n_conflicts > THINGS_NAMED)
		buf_addf(b, " and %zu more", r->trees.n_conflicts - THINGS_NAMED);
}

static int tell_conflicts(struct merging *g, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);
	size_t named = 0;

	for (size_t i = 0; i < g->m.n; i++) {
		size_t before = b.n;

		if (g->m.repos[i].how != MERGED_CONFLICT || named == REPOS_NAMED)
			continue;
		add_conflict(&b, g->api->arena, &g->m.repos[i]);
		if (named && b.n > CONFLICT_BYTES) {
			b.n = before;
			break;
		}
		named++;
	}
	if (g->m.n_conflicts > named)
		buf_addf(&b, "; and in %zu more repos", g->m.n_conflicts - named);
	err_set(e, ERR_CONFLICT, "nothing is merged: %.*s and " BRANCH_DEFAULT " both changed %.*s",
	        STR_ARG(g->on.name), STR_ARG(buf_str(&b)));
	return err_hint(e, "--ours REPO keeps there what " BRANCH_DEFAULT " has, --theirs REPO takes what %.*s has; "
	                   "leat diff " BRANCH_DEFAULT " %.*s shows both", STR_ARG(g->on.name), STR_ARG(g->on.name));
}

/* --- the change --- */

/* What a run publishes on the branch after it has ended would be nobody's. */
static int check_idle(struct merging *g, struct err *e)
{
	struct lease_holder holder;
	int r = lease_of_branch(g->api->store->db, g->on.name, &holder, e);

	if (r <= 0)
		return r;
	err_set(e, ERR_BUSY, "the run %.12s works on %.*s (pid %lld)", holder.run, STR_ARG(g->on.name),
	        (long long)holder.pid);
	return err_hint(e, "merge when it has ended");
}

static int in_transaction(struct change *c, void *own, struct err *e)
{
	struct merging *g = own;

	if (check_idle(g, e))
		return -1;

	return overlay_merge_do(g->api->store, c->in, g->api->arena, &g->m, c->id, e);
}

static int work_out(struct merging *g, struct change *c, struct err *e)
{
	struct api *api = g->api;

	g->m = (struct overlay_merge){0};
	if (overlay_merge_begin(api->store, api->arena, &g->on, &g->m, e) || choose(g, "ours", MERGE_ONTO, e) ||
	    choose(g, "theirs", MERGE_TREE, e) || look_at_jobs(g, e))
		return -1;
	g->m.keep = args_flag(g->args, "keep");
	if (overlay_merge_plan(api->store, c->in, api->arena, &g->m, e))
		return -1;
	for (size_t i = 0; i < g->m.n; i++)
		if (g->m.repos[i].how == MERGED_REMOVED && change_check_unused(api, &g->m.repos[i].base.repo, e))
			return -1;
	return 0;
}

static int merge(struct merging *g, struct change *c, bool dry, struct sink *out, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		if (i)
			err_clear(e);
		if (work_out(g, c, e))
			return -1;
		if (dry)
			return 0;
		if (g->m.n_conflicts)
			return tell_conflicts(g, e);
		if (!change_do(c, out, e))
			return 0;
		if (!g->m.moved)
			return -1;
	}
	return -1;
}

/* Whose repos have ended are not shown any more. */
static int show_removed(struct merging *g, struct err *e)
{
	for (size_t i = 0; i < g->m.n; i++)
		if (g->m.repos[i].how == MERGED_REMOVED &&
		    datastore_remove(g->api->store, g->m.repos[i].base.repo.name, e))
			return -1;
	return 0;
}

int api_merge(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct merging g = {.api = api, .args = args};
	bool dry = args_flag(args, "dry-run"), any = false;
	struct change c;
	int rc;

	if (find_branch(&g, e))
		return -1;
	change_begin(&c, api, args);
	change_step(&c, in_transaction, &g);
	rc = merge(&g, &c, dry, out, e);
	change_end(&c);
	if (rc || tell(&g, dry, out, e))
		return -1;
	for (size_t i = 0; i < g.m.n; i++)
		any = any || g.m.repos[i].how != MERGED_NOTHING;
	if (dry) {
		api->exit_status = g.m.n_conflicts ? 1 : 0;
		return 0;
	}
	fault_crash("merge-committed");
	sink_note(out, "%s%.*s %s", any ? "" : BRANCH_DEFAULT " has all of it already; ", STR_ARG(g.on.name),
	          g.m.keep ? "goes on from here" : "is merged and has ended");
	return show_removed(&g, e);
}
