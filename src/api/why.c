#include "api/rows.h"
#include "base/str.h"
#include "flow/data.h"
#include "flow/why_used.h"

/* A job whose units come from the data, as a whole. */
static int why_data(struct api *api, const struct job *j, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *doc = dom_new(a, DOM_MAP);
	struct plan_unit *u;
	const char *state;

	if (data_look(api->flow, a, j, &u, e))
		return -1;
	state = reason_runs(u->reason) && !u->known     ? "stale"
	        : u->reason == REASON_UPSTREAM_FAILED ? "unrunnable"
	        : u->reason == REASON_INPUT_MISSING   ? "waiting"
	                                                : "up-to-date";
	if (u->reason == REASON_UPSTREAM_FAILED)
		dom_set_str(a, doc, "answer", arena_strf(a, "%.*s is unrunnable: %s", STR_ARG(j->name), u->detail));
	else
		dom_set_str(a, doc, "answer",
		            arena_strf(a, "%.*s is %s: %s", STR_ARG(j->name),
		                       !strcmp(state, "up-to-date") ? "up to date" : state, plan_say(a, u)));
	dom_set_str(a, doc, "job", j->name);
	dom_set_cstr(a, doc, "state", state);
	dom_set_cstr(a, doc, "reason", reason_word(u->reason));
	if (u->detail)
		dom_set_cstr(a, doc, "detail", u->detail);
	dom_set_str(a, doc, "output", j->output);
	return sink_row(out, doc, e);
}

/* One ds of a job that has globs too: what a run of it would do. */
static int why_day(struct api *api, const struct job *j, const struct ds_range *r, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *doc = dom_new(a, DOM_MAP);
	const char *why = NULL, *says = NULL, *state = "missing-input";
	struct data_set set = {0};
	size_t n = 0;
	int got = data_look_days(api->flow, a, j, r, 1, PLAN_STALE, &set, &why, e);

	if (got < 0)
		return -1;
	if (got && set.n_days) {
		why = set.days[0].missing;
		says = data_day_says(a, &set, &set.days[0], &n);
	}
	if (!why)
		state = set.n_items ? "stale" : "up-to-date";
	if (!why && n)
		why = arena_printf(a, "stale: %s", says);
	else if (!why)
		why = set.n_items ? "stale: what went or is known is to be published" : "up to date";
	else
		why = arena_printf(a, "waiting: %s", why);
	dom_set_str(a, doc, "answer",
	            arena_strf(a, "%.*s %s is %s", STR_ARG(j->name), set.n_days ? set.days[0].ds.label : "", why));
	dom_set_str(a, doc, "job", j->name);
	if (set.n_days)
		dom_set_cstr(a, doc, "ds", set.days[0].ds.label);
	dom_set_cstr(a, doc, "state", state);
	dom_set_int(a, doc, "units", (int64_t)set.total);
	dom_set_int(a, doc, "to_run", (int64_t)n);
	data_set_free(&set);
	dom_set_str(a, doc, "output", j->output);
	return sink_row(out, doc, e);
}

/* What was made from REPO[@PIN][:/PATH] or what an id names; a repo's name wins over an id. */
static int why_used_by(struct api *api, struct catalog *c, struct str what, struct sink *out, struct err *e)
{
	const struct dom *doc;
	struct repo repo;
	int rc;

	rc = strpbrk(arena_cstr(api->arena, what), ":@/") ? 1 : repo_find(api->store, api->arena, what, &repo, e);
	if (rc < 0 || why_used(api->flow, c, api->arena, what, !rc, &doc, e))
		return -1;
	return sink_row(out, doc, e);
}

/* The unit that made what a partition of a job holds. */
static int unit_at(struct api *api, struct catalog *c, const struct job *j, struct str label, int64_t *out,
                   struct err *e)
{
	const struct current *cur = NULL;
	struct ds_range r = {0};

	if (ds_words(label, j->every, j->tz, api->flow->now_ms / 1000, &r, e) ||
	    catalog_current(c, j->output, r.from.label, &cur, e) < 0)
		return -1;
	if (!cur) {
		err_set(e, ERR_NOT_FOUND, "no run of %.*s made ds=%.*s", STR_ARG(j->name), STR_ARG(label));
		return err_hint(e, "leat why %.*s %.*s says what it waits for", STR_ARG(j->name), STR_ARG(label));
	}
	*out = cur->unit;
	return 0;
}

/* UNIT UNIT, by their numbers, or JOB DS DS: 1; 0 it is about neither; -1. */
static int why_both(struct api *api, struct catalog *c, const struct args *args, struct sink *out, struct err *e)
{
	struct job *j = jobs_get(api->flow->jobs, args_pos(args, 0));
	const struct dom *doc;
	int64_t one, two;

	if (args_n(args) == 3) {
		if (jobs_find(api->flow->jobs, args_pos(args, 0), &j, e))
			return -1;
		if (j->tree || j->every == EVERY_NONE)
			return err_set(e, ERR_BAD_REQUEST, "job %.*s has no partitions to compare", STR_ARG(j->name));
		if (unit_at(api, c, j, args_pos(args, 1), &one, e) || unit_at(api, c, j, args_pos(args, 2), &two, e))
			return -1;
	} else if (args_n(args) < 2 || j || !str_to_i64(args_pos(args, 0), &one) ||
	           !str_to_i64(args_pos(args, 1), &two)) {
		return 0;
	}
	return why_two(api->flow, c, api->arena, one, two, &doc, e) || sink_row(out, doc, e) ? -1 : 1;
}

/* JOB [DS] | REPO[@PIN][:/PATH] | ID: a job's name wins over a repo's, a repo's over an id. */
int api_why(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str what = args_pos(args, 0), label = args_pos(args, 1);
	struct ds_range r = {0};
	const struct dom *doc;
	struct job *job = jobs_get(api->flow->jobs, what);
	struct catalog *c;
	struct repo repo;
	int rc;

	if (catalog_new(api->store, api->arena, &c, e))
		return -1;
	if (args_flag(args, "used-by")) {
		if (job || label.p) /* of what it wrote: nobody asks who used a program */
			what = arena_strf(api->arena, "%.*s:/%s%.*s", STR_ARG(job ? job->output : what),
			                  label.p ? "ds=" : "", STR_ARG(label));
		return why_used_by(api, c, what, out, e);
	}
	rc = why_both(api, c, args, out, e);
	if (rc)
		return MIN(rc, 0);
	if (label.p && jobs_find(api->flow->jobs, what, &job, e))
		return -1;
	if (job && job_stays(job))
		job = NULL; /* nothing but its repo can be asked about */
	if (job && job->tree && !label.p)
		return why_data(api, job, out, e);
	if (job) {
		if (!label.p && job->every != EVERY_NONE) {
			err_set(e, ERR_BAD_REQUEST, "which ds of job %.*s?", STR_ARG(what));
			return err_hint(e, "leat why %.*s newest", STR_ARG(what));
		}
		if (label.p && ds_words(label, job->every, job->tz, api->flow->now_ms / 1000, &r, e))
			return -1;
		if (r.newest) {
			rc = plan_newest(api->flow, c, api->arena, job, &r.from, e);
			if (rc <= 0)
				return rc ? -1
				          : err_set(e, ERR_NOT_FOUND, "no ds has all inputs of job %.*s",
				                    STR_ARG(what));
		}
		if (job->tree)
			return why_day(api, job, &r, out, e);
		if (why_unit(api->flow, c, api->arena, job, &r.from, &doc, e))
			return -1;
		return sink_row(out, doc, e);
	}
	rc = strpbrk(arena_cstr(api->arena, what), ":@/") ? 1 : repo_find(api->store, api->arena, what, &repo, e);
	if (rc < 0)
		return -1;
	if (rc ? why_path(api->flow, c, api->arena, what, &doc, e) : why_id(api->flow, c, api->arena, what, &doc, e))
		return -1;
	return sink_row(out, doc, e);
}
