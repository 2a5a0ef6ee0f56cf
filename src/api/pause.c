/* pause, resume: whether the clock starts a job. */
#include "api/pause.h"
#include "api/rows.h"
#include "base/str.h"
#include "flow/clock.h"

#define PAUSED_NAMED 5

int pause_names(struct api *api, struct str *out, size_t *n, struct err *e)
{
	struct arena *a = api->arena;
	struct str names = STR_NULL;

	*n = 0;
	for (size_t i = 0; i < api->flow->jobs->n; i++) {
		const struct job *j = api->flow->jobs->all[i];
		struct clock_pause p;
		int r = clock_paused(api->store, a, j, &p, e);

		if (r < 0)
			return -1;
		if (r && (*n)++ < PAUSED_NAMED)
			names = names.p ? arena_strf(a, "%.*s, %.*s", STR_ARG(names), STR_ARG(j->name)) : j->name;
	}
	*out = *n > PAUSED_NAMED ? arena_strf(a, "%.*s and %zu more", STR_ARG(names), *n - PAUSED_NAMED) : names;
	return 0;
}

/* All names are looked at before anything is done. */
static int jobs_of(struct api *api, const struct args *args, struct job ***out, size_t *n, struct err *e)
{
	struct schedules ignored;

	*n = args_n(args);
	*out = arena_array(api->arena, struct job *, *n);
	for (size_t i = 0; i < *n; i++)
		if (jobs_find(api->flow->jobs, args_pos(args, i), &(*out)[i], e) ||
		    schedules_need(api->arena, (*out)[i], &ignored, e))
			return -1;
	return 0;
}

int api_pause(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct job **jobs;
	size_t n;

	if (jobs_of(api, args, &jobs, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dom *row = dom_new(a, DOM_MAP);
		struct clock_pause p;
		int was = clock_pause(api->store, jobs[i], api->flow->now_ms, e);

		if (was < 0 || clock_paused(api->store, a, jobs[i], &p, e) < 0)
			return -1;
		if (!was)
			sink_note(out, "job %.*s was paused already", STR_ARG(jobs[i]->name));
		dom_set_str(a, row, "job", jobs[i]->name);
		dom_set_cstr(a, row, "state", "paused");
		row_time(a, row, "since", p.since_ms);
		if (sink_row(out, row, e))
			return -1;
	}
	return 0;
}

/* The next slot of any of its schedules, ms; 0: there is none. */
static int64_t next_slot(const struct schedules *all, int64_t now)
{
	int64_t at = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct schedule_slot t;

		if (schedule_next_firing(&all->p[i], now, &t) && (!at || t.slot.at < at))
			at = t.slot.at;
	}
	return at * 1000;
}

int api_resume(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	bool catchup = args_flag(args, "catchup");
	struct arena *a = api->arena;
	struct job **jobs;
	size_t n;

	if (jobs_of(api, args, &jobs, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dom *row = dom_new(a, DOM_MAP);
		struct schedules all;
		int was = clock_resume(api->store, jobs[i], catchup, api->flow->now_ms, e);

		if (was < 0 || schedules_of(a, jobs[i], &all, e))
			return -1;
		if (!was)
			sink_note(out, "job %.*s was not paused", STR_ARG(jobs[i]->name));
		for (size_t k = 0; was && catchup && k < all.n; k++)
			if (all.p[k].catchup == CATCHUP_NONE)
				sink_note(out, "job %.*s says catchup: none, so nothing is made up for; leat backfill"
				               " does it", STR_ARG(jobs[i]->name));
		dom_set_str(a, row, "job", jobs[i]->name);
		dom_set_cstr(a, row, "state", "active");
		row_time(a, row, "next", next_slot(&all, floor_div(api->flow->now_ms, 1000)));
		if (sink_row(out, row, e))
			return -1;
	}
	return 0;
}
