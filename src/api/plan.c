#include "api/plan.h"

#include "api/plan_file.h"
#include "api/plan_row.h"
#include "base/str.h"
#include "flow/data.h"
#include "flow/estimate.h"
#include "flow/restore.h"

#define REPEAT_MAX 20 /* jobs that never ran and are told of */

struct guesses {
	struct estimate *of; /* by index of the job */
	bool *made;
};

static void guesses_init(struct api *api, struct guesses *g)
{
	g->of = arena_array(api->arena, struct estimate, api->flow->jobs->n + 1);
	g->made = arena_array(api->arena, bool, api->flow->jobs->n + 1);
}

/* The row of a unit; of one that is to run with what that may take, if the past tells. */
static int row_of(struct api *api, struct arena *a, struct guesses *g, const struct plan_unit *u, struct dom **out,
                  struct err *e)
{
	const struct job *j = u->job;

	*out = plan_row(a, u);
	if (u->known || !reason_runs(u->reason))
		return 0;
	if (!g->made[j->index] && estimate_job(api->store, j, &g->of[j->index], e))
		return -1;
	g->made[j->index] = true;
	if (g->of[j->index].runs) {
		dom_set_real(a, *out, "seconds", g->of[j->index].seconds);
		dom_set_int(a, *out, "bytes", g->of[j->index].bytes);
	}
	return 0;
}

/* A sink that keeps the rows, and gives them on if there is somebody. */
struct keeper {
	struct sink *to;
	struct dom *rows;
};

static int keep_row(void *ptr, const struct dom *row, struct err *e)
{
	struct keeper *k = ptr;

	if (k->to && sink_row(k->to, row, e))
		return -1;
	dom_add(k->rows, (struct dom *)row); /* of the command's arena, and of no other list */
	return 0;
}

int plan_rows(struct api *api, const struct plan *p, bool all, struct sink *out, struct err *e)
{
	struct arena *scratch cleanup(arena_cleanup) = arena_new();
	struct arena *a = out->row == keep_row ? api->arena : scratch; /* there may be very many of them */
	struct guesses g;
	struct dom *row;

	guesses_init(api, &g);
	for (size_t i = 0; i < p->n_units; i++) {
		arena_reset(scratch);
		if (row_of(api, a, &g, p->units[i], &row, e) || sink_row(out, row, e))
			return -1;
	}
	for (size_t i = 0; i < p->n_not_run; i++) {
		arena_reset(scratch);
		if ((all || p->not_run[i]->reason == REASON_INPUT_MISSING) &&
		    sink_row(out, plan_row(a, p->not_run[i]), e))
			return -1;
	}
	return 0;
}

int plan_say_idle(struct api *api, struct catalog *c, const struct asking *q, const struct plan *p, struct sink *out,
                        struct err *e)
{
	struct jobs *js = api->flow->jobs;
	struct map seen;
	size_t said = 0;

	map_init(&seen, api->arena);
	for (size_t i = 0; i < p->n_units; i++)
		map_set(&seen, p->units[i]->job->name, api);
	for (size_t i = 0; i < p->n_not_run; i++)
		map_set(&seen, p->not_run[i]->job->name, api);
	for (size_t i = 0; out->people && i < js->n && said < REPEAT_MAX; i++) {
		const struct job *j = js->all[i];
		const char *why = NULL;
		const struct catalog_repo *made;
		bool told = map_get(&seen, j->name) || j->tree || job_stays(j) || !ask_names(q, j);

		if (told || (catalog_bare(c, j->output, &made), made))
			continue;
		for (size_t k = 0; k < j->n_inputs && !why; k++) {
			struct catalog_repo *repo;
			struct partset *parts;

			if (!j->inputs[k].optional &&
			    catalog_input(c, api->arena, &j->inputs[k], &repo, &parts, &why, e) < 0)
				return -1;
		}
		if (why)
			sink_note(out, "%.*s never ran: %s", STR_ARG(j->name), why);
		else
			sink_note(out, "%.*s never ran, and nothing tells for which ds: leat run %.*s DS",
			          STR_ARG(j->name), STR_ARG(j->name));
		said++;
	}
	return 0;
}

/* What of a request would run, as rows, and the catalog that it was decided by. */
static int look(struct api *api, struct asking *q, bool all, struct sink *out, struct catalog **cat, struct err *e)
{
	struct catalog *c;
	struct plan *p;

	ask_finish(q);
	q->ask.each = all;
	if (ask_refuse_broken(api, q, out, e) || catalog_new(api->store, api->arena, &c, e) ||
	    restore_look(api->flow, c, api->arena, &q->ask, e) ||
	    plan_make(api->flow, c, api->arena, &q->ask, &p, e) || plan_say_idle(api, c, q, p, out, e))
		return -1;
	for (size_t i = 0; i < api->flow->jobs->n; i++) {
		const struct job *j = api->flow->jobs->all[i];
		struct plan_unit *u;
		size_t days = 0;
		bool shown;

		if (!j->tree || job_stays(j) || !ask_names(q, j))
			continue;
		if (data_look(api->flow, api->arena, j, &u, e))
			return -1;
		if (j->every != EVERY_NONE &&
		    plan_days(api, j, q->ranges.n ? ask_own_range(q, j) : NULL, q->ranges.n > 0, PLAN_STALE, out,
		              &days, e))
			return -1;
		if (q->ranges.n || (days && reason_runs(u->reason)))
			continue;
		/* a change to take, of which no day has anything to run */
		u->known |= j->every != EVERY_NONE && u->reason == REASON_INPUT_CHANGED;
		shown = reason_runs(u->reason) || u->reason == REASON_INPUT_MISSING ||
			u->reason == REASON_UPSTREAM_FAILED || all;
		if (shown && sink_row(out, plan_row(api->arena, u), e))
			return -1;
	}
	*cat = c;
	return plan_rows(api, p, all, out, e);
}

static void keep_note(void *ptr, const char *text)
{
	struct keeper *k = ptr;

	if (k->to)
		sink_note(k->to, "%s", text);
}

static int look_kept(struct api *api, struct asking *q, bool all, struct sink *out, struct dom **doc, struct err *e)
{
	struct keeper k = {out, dom_new(api->arena, DOM_LIST)};
	struct sink keeping = {.ptr = &k, .row = keep_row, .note = keep_note, .people = out && out->people};
	struct catalog *c;

	return look(api, q, all, &keeping, &c, e) || plan_file_make(api, c, q, k.rows, doc, e) ? -1 : 0;
}

int plan_check_file(struct api *api, const char *path, struct asking *q, struct sink *out, struct err *e)
{
	struct dom *plan, *now;

	if (plan_file_read(api, path, &plan, e) || plan_file_ask(api, plan, q, e) ||
	    look_kept(api, q, false, NULL, &now, e) || plan_file_same(api, path, plan, now, out, e))
		return -1;
	q->saved = path;
	q->saved_plan = plan;
	return 0;
}

/* Units that the saved plan names, and what these read. */
static void keep_named(struct api *api, const struct dom *saved, struct plan *p)
{
	struct map named, needed;
	size_t n = 0;

	map_init(&named, api->arena);
	map_init(&needed, api->arena);
	dom_each (u, dom_get(saved, "units"))
		map_set(&named, plan_file_unit(api->arena, u), p);
	for (size_t i = p->n_units; i-- > 0;) {
		const struct plan_unit *u = p->units[i];
		struct str key = arena_strf(api->arena, "%.*s\n%s", STR_ARG(u->job->name), u->ds.label);

		if (!map_has(&named, key) && !map_has(&needed, key))
			continue;
		map_set(&needed, key, p);
		for (size_t k = 0; k < u->n_upstream; k++)
			map_set(&needed, arena_strf(api->arena, "%.*s\n%s", STR_ARG(u->upstream[k]->job->name),
			                            u->upstream[k]->ds.label), p);
	}
	for (size_t i = 0; i < p->n_units; i++)
		if (map_has(&needed, arena_strf(api->arena, "%.*s\n%s", STR_ARG(p->units[i]->job->name),
		                                p->units[i]->ds.label)))
			p->units[n++] = p->units[i];
	p->n_units = n;
}

int plan_hold(struct api *api, struct catalog *c, const struct asking *q, struct plan *p, bool after_data,
              struct sink *out, struct err *e)
{
	struct keeper k = {NULL, dom_new(api->arena, DOM_LIST)};
	struct sink keeping = {.ptr = &k, .row = keep_row, .note = keep_note};
	struct dom *now;

	if (after_data) {
		keep_named(api, q->saved_plan, p);
		return 0;
	}
	if (plan_rows(api, p, false, &keeping, e) || plan_file_make(api, c, q, k.rows, &now, e))
		return -1;
	return plan_file_same(api, q->saved, q->saved_plan, now, out, e);
}

int api_plan(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct asking q = {.ask = {.mode = PLAN_STALE, .upstream = args_flag(args, "upstream")}};
	struct str save = args_value(args, "save");
	bool all = args_flag(args, "verbose");
	const char *path = arena_cstr(api->arena, save);
	struct catalog *c;
	struct dom *doc;

	for (size_t i = 0; i < args_n(args); i++) {
		if (ask_job(api, args, args_pos(args, i), &q, e))
			return -1;
		if (args_count(args, "ds") && ask_range(api, &q, q.jobs.p[i], args_value(args, "ds"), e))
			return -1;
	}
	if (!args_n(args) && args_count(args, "ds") && ask_all(api, args_value(args, "ds"), &q, e))
		return -1;
	if (q.ranges.n) {
		q.ask.mode = PLAN_EXPLICIT;
		q.ask.pairs = true; /* each range was read by its job's zone and kind */
	}
	if (!save.p)
		return look(api, &q, all, out, &c, e);
	if (look_kept(api, &q, all, out, &doc, e) || plan_file_write(api->arena, path, doc, e))
		return -1;
	if (str_has_suffix(save, STR(".md")))
		sink_note(out, "the plan is in %s, for reading", path);
	else
		sink_note(out, "the plan is in %s: 'leat run --plan %s' does that, and nothing else", path, path);
	return 0;
}
