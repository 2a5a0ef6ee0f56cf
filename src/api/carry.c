/* Carries out what a command, or a runner, was asked for: data first, then the calendar. */
#include "api/carry.h"

#include <stdio.h>

#include "api/data.h"
#include "api/egress.h"
#include "api/failures.h"
#include "api/plan.h"
#include "api/plan_row.h"
#include "api/rows.h"
#include "base/str.h"
#include "sys/clock.h"
#include "flow/restore.h"
#include "flow/tick.h"

#define REPEAT_MAX 20 /* lines about single units that did not run; the rest is counted */

struct running {
	struct api *api;
	struct sink *out;
	struct arena *row;
	struct failures failures;
};

static const char *event_words[] = {
	[RUN_UNIT_STARTED] = "started", [RUN_UNIT_DONE] = "done",
	[RUN_UNIT_KNOWN] = "known",     [RUN_UNIT_FAILED] = "failed",
	[RUN_UNIT_RETRY] = "retry",     [RUN_UNIT_SKIPPED] = "skipped",
	[RUN_UNIT_WAITS] = "waits",     [RUN_PUBLISHED] = "published",
	[RUN_NOT_PUBLISHED] = "held",   [RUN_NOTE] = "note",
};

static void on_event(void *ptr, const struct run_event *ev)
{
	struct running *r = ptr;
	struct dom *row;
	struct err ignored = ERR_INIT;

	if (ev->kind == RUN_UNIT_FAILED && ev->unit_id)
		failures_add(r->api->arena, &r->failures, ev->unit_id);
	if (r->out->event) {
		r->out->event(r->out->ptr, ev);
		return;
	}
	row = dom_new(r->row, DOM_MAP);
	dom_set_cstr(r->row, row, "event", event_words[ev->kind]);
	if (ev->job)
		unit_row_key(r->row, row, ev->job, ev->ds ? ev->ds : &(struct ds){0});
	if (ev->label)
		dom_set_cstr(r->row, row, "label", ev->label);
	dom_set_str(r->row, row, "run", str_of(ev->run_id));
	if (ev->unit_id)
		dom_set_int(r->row, row, "unit", ev->unit_id);
	dom_set_str(r->row, row, "reason", str_of(ev->text));
	if (ev->err)
		row_err(r->row, row, ev->err);
	if (sink_row(r->out, row, &ignored))
		r->api->exit_status = 1;
	arena_reset(r->row);
}

#define SOURCES_NAMED 3

/* How to get what nobody makes: said once of each repo. */
static void say_sources(struct api *api, const struct plan *p, struct sink *out)
{
	struct map said;
	size_t n = 0;

	map_init(&said, api->arena);
	for (size_t i = 0; out->people && i < p->n_not_run; i++) {
		const struct plan_unit *u = p->not_run[i];

		for (size_t k = 0; u->reason == REASON_INPUT_MISSING && k < u->n_inputs; k++) {
			const struct job_input *in = u->inputs[k].input;
			const struct reads *r = &u->inputs[k].reads;
			const char *ds = r->n_missing ? r->missing[0].label : r->repo ? "" : u->ds.label;

			if (r->state != READS_MISSING || in->pin.p || in->at.p || map_has(&said, in->repo) ||
			    graph_producer(api->flow->graph, in->repo))
				continue;
			map_set(&said, in->repo, api);
			if (n++ < SOURCES_NAMED)
				sink_note(out, "no job makes %.*s: 'leat put %.*s FILE%s%s' gives it",
				          STR_ARG(in->repo), STR_ARG(in->repo), *ds ? " --ds " : "", ds);
		}
	}
}

static bool can_be_made(struct api *api, const struct plan_unit *u)
{
	bool any = false;

	for (size_t i = 0; i < u->n_inputs; i++) {
		any |= u->inputs[i].reads.state == READS_MISSING;
		if (u->inputs[i].reads.state == READS_MISSING &&
		    graph_producer(api->flow->graph, u->inputs[i].input->repo))
			return true;
	}
	return !any && u->job->n_after; /* then it is a job that comes first */
}

/* What was asked for and does not run, said once each up to a number: an explicit request deserves an answer. */
static void say_not_run(struct api *api, const struct plan *p, bool is_explicit, bool hint, struct sink *out,
                        size_t *missing, size_t *up_to_date)
{
	size_t said = 0;

	*up_to_date += p->n_settled;
	for (size_t i = 0; i < p->n_not_run; i++) {
		const struct plan_unit *u = p->not_run[i];
		bool lacks = u->reason == REASON_INPUT_MISSING;

		*missing += lacks;
		*up_to_date += !lacks;
		if (!out->people || (!is_explicit && !lacks) || said++ >= REPEAT_MAX)
			continue;
		sink_note(out, "%.*s%s%s: %s%s%s%s", STR_ARG(u->job->name), *u->ds.label ? " " : "", u->ds.label,
		          lacks ? "" : reason_text(u->reason), u->detail && !lacks ? ": " : "",
		          u->detail ? u->detail
		          : lacks   ? reason_text(u->reason)
		                    : "",
		          hint && lacks && can_be_made(api, u) ? "; -u first makes what other jobs give" : "");
	}
	if (said > REPEAT_MAX)
		sink_note(out, "... and %zu more", said - REPEAT_MAX);
	say_sources(api, p, out);
}

static void on_note(void *ptr, const char *text)
{
	sink_note(ptr, "%s", text);
}

/* A run under way, of data-driven and of calendar jobs. */
struct whole {
	const struct carry_how *how;
	struct run_opts o;
	struct run_summary sum;
	struct data_ask data;
	bool has_data;
	const struct plan *p; /* of the calendar */
	size_t missing, up_to_date;
	struct restore *restore; /* what is not as the jobs made it in datastore/ */
	struct restored restored;
};

/* Jobs whose units come from the data and that wait for something to be there. */
static int say_waiting(struct api *api, struct whole *w, bool asked, struct sink *out, struct err *e)
{
	struct jobs *js = api->flow->jobs;
	size_t n = asked ? w->data.n_jobs : js->n;

	for (size_t i = 0; i < n; i++) {
		const struct job *j = asked ? w->data.jobs[i] : js->all[i];
		const char *why = NULL;
		int r = j->tree && !job_stays(j) ? data_waits(api->flow, api->arena, j, &why, e) : 0;
		struct data_bad b;
		int bad = r > 0 ? data_bad_now(api->store, api->arena, j, &b, e) : 0;

		if (r < 0 || bad < 0)
			return -1;
		if (bad && b.unrunnable) /* it has been said, and counted, that it cannot run */
			continue;
		w->missing += (size_t)r;
		if (r && out->people && w->missing <= REPEAT_MAX)
			sink_note(out, "%.*s waits: %s", STR_ARG(j->name), why);
	}
	return 0;
}

/* The catalog of a plan that was made ahead, while that would be the same now. */
static int look_at(struct api *api, const struct carry_how *how, const struct asking *q, struct catalog **c,
                   struct err *e)
{
	if (!ahead_holds(api, how->ahead, q))
		return catalog_new(api->store, api->arena, c, e);
	*c = how->ahead->c;
	return 0;
}

static int plan_calendar(struct api *api, struct whole *w, const struct asking *q, struct catalog **c, struct plan **p,
                         struct err *e)
{
	const struct ahead *x = w->how->ahead && w->how->ahead->c == *c ? w->how->ahead : NULL;

	w->o.outputs_tried = ahead_holds(api, x, q);
	if (!w->o.outputs_tried)
		return (x && catalog_new(api->store, api->arena, c, e)) ||
		                       plan_make(api->flow, *c, api->arena, &q->ask, p, e)
		               ? -1
		               : 0;
	*p = x->plan;
	w->o.looked = x->looked;
	w->o.looked_ms = x->looked_ms;
	return 0;
}

/* Pending events first: what they give is there for the calendar; then what that gave may be data for others. */
static int run_both(struct api *api, struct asking *q, struct whole *w, struct catalog *c, struct sink *out,
                    struct err *e)
{
	struct tick_ask ticks = {.now_ms = api->flow->now_ms, .command = w->o.command};
	struct run_summary calendar = {0};
	int64_t before = db_version(api->store->db);
	struct plan *p;

	w->data.again = q->ask.again || q->ask.mode == PLAN_ALL;
	w->data.params = q->ask.params;
	w->data.mode = q->ask.mode;
	w->data.ticks = !api->store->on; /* clocks are master's */
	w->data.tick_now = q->tick;
	if (!q->ask.pairs) { /* rerun: what failed is taken at the heads */
		w->data.ranges = q->ranges.p;
		w->data.n_ranges = q->ranges.n;
	}
	w->has_data = data_split(api, &q->jobs.p, &q->jobs.n, &w->data);
	if (w->has_data) { /* which does not ask what is lost of partitions */
		w->o.beside = restore_go_on;
		w->o.beside_ptr = w->restore;
	} else if (restore_go_on(w->restore, true, e) < 0) {
		return -1;
	}
	if (w->has_data ? data_run(api->flow, c, api->arena, &w->data, &w->o, &w->sum, e) ||
	                          say_waiting(api, w, w->data.n_jobs > 0, out, e)
	    : api->store->on ? 0
	                : tick_make(api->store, api->arena, &ticks, e))
		return -1;
	w->o.beside = NULL;
	if (restore_go_on(w->restore, true, e) < 0)
		return -1;
	if ((w->data.n_jobs && !q->jobs.n) || w->how->data_only)
		return 0;
	/* What data brought has moved heads; a new look at them has to see once more what is lost, if something was. */
	if (db_version(api->store->db) != before &&
	    (catalog_new(api->store, api->arena, &c, e) ||
	     (w->restored.lost && restore_look(api->flow, c, api->arena, &q->ask, e))))
		return -1;
	ask_finish(q);
	if (w->sum.batch.hex[0])
		w->o.batch = w->sum.batch;
	if (plan_calendar(api, w, q, &c, &p, e) || plan_say_idle(api, c, q, p, out, e) ||
	    (q->saved && plan_hold(api, c, q, p, w->has_data, out, e)))
		return -1;
	w->p = p;
	if (w->how->planned && w->how->planned(w->how->ptr, p, e))
		return -1;
	say_not_run(api, p, q->explicit_ds, q->jobs.n && !q->ask.upstream, out, &w->missing, &w->up_to_date);
	if (!p->n_units || w->sum.cancelled)
		return 0;
	if (run_plan(api->flow, c, p, &q->ask, &w->o, &calendar, e))
		return -1;
	run_summary_add(&w->sum, &calendar);
	w->sum.batch = calendar.batch;
	return w->has_data ? data_run(api->flow, c, api->arena, &w->data, &w->o, &w->sum, e) : 0;
}

static struct dom *summary_row(struct api *api, const struct whole *w)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);
	const struct run_summary *sum = &w->sum;

	dom_set_str(api->arena, row, "batch", sum->batch.hex[0] ? str_of(sum->batch.hex) : STR_NULL);
	dom_set_int(api->arena, row, "ran", (int64_t)sum->ran);
	dom_set_int(api->arena, row, "known", (int64_t)sum->known);
	if (w->has_data)
		dom_set_int(api->arena, row, "recovered", (int64_t)sum->recovered);
	dom_set_int(api->arena, row, "up_to_date", (int64_t)w->up_to_date);
	dom_set_int(api->arena, row, "failed", (int64_t)sum->failed);
	dom_set_int(api->arena, row, "not_started", (int64_t)(sum->not_started + sum->missing + w->missing));
	dom_set_int(api->arena, row, "input_missing", (int64_t)(sum->missing + w->missing));
	dom_set_int(api->arena, row, "skipped", (int64_t)sum->skipped);
	dom_set_int(api->arena, row, "held", (int64_t)sum->held_groups);
	dom_set_bool(api->arena, row, "cancelled", sum->cancelled);
	return row;
}

int carry_out(struct api *api, const struct carry_how *how, struct asking *q, struct sink *out, struct err *e)
{
	struct running r = {.api = api, .out = out, .row = arena_new()};
	struct dom *row;
	struct whole w = {.how = how,
	                  .o = {.command = how->command,
	                        .kind = how->kind,
	                        .on_event = on_event,
	                        .ptr = &r,
	                        .slots = how->slots,
	                        .reverse = how->reverse,
	                        .batch = how->batch,
	                        .labels = how->labels,
	                        .n_labels = how->n_labels,
	                        .each_asked = how->each_asked}};
	const struct job **asked = q->jobs.p;
	size_t n_asked = q->jobs.n;
	struct run_summary before = {.first = ERR_INIT};
	struct catalog *c;
	int64_t began = clock_now_ms();
	int rc = -1, taken;

	ask_finish(q);
	if (data_session(api->store, e)) {
		arena_free(r.row);
		return -1;
	}
	w.o.looked_ms = began;
	w.o.looked = db_others(api->store->db);
	if ((!how->lenient && ask_refuse_broken(api, q, out, e)) ||
	    run_recover(api->store, e) ||
	    look_at(api, how, q, &c, e) ||
	    (taken = run_adopt(api->flow, c, &w.o, &before, e)) < 0 ||
	    (taken && catalog_new(api->store, api->arena, &c, e)))
		goto done;
	w.o.since_ms = taken ? began : 0;
	if (before.cancelled) {
		w.sum = before;
		api->exit_status = 1;
		row = summary_row(api, &w);
		rc = failures_tell(api, &r.failures, row, e) || sink_row(out, row, e) ? -1 : 0;
		goto done;
	}
	w.restore = restore_begin(api->flow, c, api->arena, &q->ask, on_note, out, &w.restored);
	if (!api->flow->jobs->n)
		sink_note(out, "no jobs yet; 'leat new' lists templates");
	if (run_both(api, q, &w, c, out, e) || egress_push_all(api, asked, n_asked, out, e))
		goto done;
	run_summary_add(&w.sum, &before);
	/* What had to be made again is in the store now, and can be shown. */
	if (w.restored.lost && (catalog_new(api->store, api->arena, &c, e) ||
	                        restore_outputs(api->flow, c, api->arena, &q->ask, on_note, out, &w.restored, e)))
		goto done;
	/*
	 * An input that is not there fails who asked for that very partition, also where `run JOB` stands for the last
	 * one; `leat run` and a backfill count it and go on.
	 */
	if (w.sum.failed || w.sum.not_started || w.sum.cancelled || (w.missing && q->explicit_ds) ||
	    (((w.p && w.p->n_missing_input) || w.sum.missing) && strcmp(how->kind, "backfill") != 0))
		api->exit_status = 1;
	row = summary_row(api, &w);
	rc = failures_tell(api, &r.failures, row, e) || sink_row(out, row, e) ? -1 : 0;
done:
	restore_end(w.restore);
	store_session_end(api->store);
	arena_free(r.row);
	return rc;
}
