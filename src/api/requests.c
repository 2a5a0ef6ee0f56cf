#include "api/requests.h"

#include <stdio.h>
#include <unistd.h>

#include "api/failures.h"
#include "api/rows.h"
#include "api/serve.h"
#include "base/str.h"
#include "flow/state.h"
#include "sys/clock.h"
#include "sys/proc.h"

#define SHOWN 5 /* of those that wait, in status */

bool requests_word(struct str word, int64_t *id)
{
	return word.n > 1 && word.p[0] == 'r' && str_to_i64(str_sub(word, 1, SIZE_MAX), id) && *id > 0;
}

/* --- rows --- */

#define COLUMNS                                                                                                        \
	"select id, kind, job, ds, state, reason, due, finished, batch, who, approved, event, coalesce(backfill, 0)"   \
	" from request"

static struct dom *row_of(struct arena *a, struct q *q, bool people)
{
	struct dom *row = dom_new(a, DOM_MAP);
	struct str job = q_col_is_null(q, 2) ? STR_NULL : q_col_text(q, 2), ds = q_col_text(q, 3);

	dom_set_int(a, row, "request", q_col_int(q, 0));
	if (people)
		dom_set_str(a, row, "run", arena_strf(a, "r%lld", (long long)q_col_int(q, 0)));
	dom_set_str(a, row, "kind", q_col_text(q, 1));
	if (people)
		dom_set_str(a, row, "job",
		            job.p ? arena_strf(a, "%.*s%s%.*s", STR_ARG(job), ds.n ? " " : "", STR_ARG(ds))
		                  : STR("(what data brings)"));
	else
		dom_set_str(a, row, "job", job);
	dom_set_str(a, row, "ds", ds.n ? ds : STR_NULL);
	dom_set_str(a, row, "state", q_col_text(q, 4));
	dom_set_str(a, row, "reason", q_col_is_null(q, 5) ? STR_NULL : q_col_text(q, 5));
	row_time(a, row, "due", q_col_int(q, 6));
	row_time(a, row, "finished", q_col_int(q, 7));
	dom_set_str(a, row, "batch", q_col_is_null(q, 8) ? STR_NULL : q_col_text(q, 8));
	dom_set_str(a, row, "who", q_col_is_null(q, 9) ? STR_NULL : q_col_text(q, 9));
	dom_set_str(a, row, "approved", q_col_is_null(q, 10) ? STR_NULL : q_col_text(q, 10));
	dom_set_str(a, row, "global_id", q_col_is_null(q, 11) ? STR_NULL : q_col_text(q, 11));
	if (q_col_int(q, 12))
		dom_set_str(a, row, "backfill", arena_strf(a, "backfill-%lld", (long long)q_col_int(q, 12)));
	return row;
}

static int give_rows(struct q *q, struct sink *out, size_t *n, struct err *e)
{
	struct arena *a = arena_new();
	int rc;

	while ((rc = q_step(q, e)) == 1) {
		rc = sink_row(out, row_of(a, q, out->people), e);
		arena_reset(a);
		if (rc)
			break;
		++*n;
	}
	q_done(q);
	arena_free(a);
	return rc;
}

int requests_open_rows(struct api *api, struct str job, int64_t most, struct sink *out, size_t *n, struct err *e)
{
	struct q *q;

	if (!db_has_set(api->store->db, DB_SET_TIME))
		return 0;
	q = db_query(api->store->db, COLUMNS " where finished is null and (run is null or state <> 'running')"
	                                     " and (?1 is null or job = ?1) order by priority desc, id limit ?2");
	q_text(q, 1, job);
	q_int(q, 2, most);
	return give_rows(q, out, n, e);
}

int requests_bare_rows(struct api *api, struct str job, int64_t since, int64_t before, int64_t most, struct sink *out,
                       size_t *n, struct err *e)
{
	struct q *q;

	if (!db_has_set(api->store->db, DB_SET_TIME))
		return 0;
	q = db_query(api->store->db, COLUMNS " where run is null and finished is not null and job is not null"
	                                     " and created >= ?3 and created < ?4 and (?1 is null or job = ?1)"
	                                     " order by id desc limit ?2");
	q_text(q, 1, job);
	q_int(q, 2, most);
	q_int(q, 3, since);
	q_int(q, 4, before);
	return give_rows(q, out, n, e);
}

/* Runs of commands by hand that wait for a place; those of requests are told with them. */
static int runs_attention(struct api *api, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;
	struct q *q = db_query(
		api->store->db,
		db_has_set(api->store->db, DB_SET_TIME)
			? "select r.job, min(u.ds), r.reason from unit u join run r on r.id = u.run"
			  " where u.finished is null and r.reason like 'waiting: %'"
			  " and not exists(select 1 from request x where x.run = r.id) group by r.id limit ?"
			: "select r.job, min(u.ds), r.reason from unit u join run r on r.id = u.run"
			  " where u.finished is null and r.reason like 'waiting: %' group by r.id limit ?");
	int rc;

	q_int(q, 1, SHOWN);
	while ((rc = q_step(q, e)) == 1) {
		struct dom *w = dom_new(a, DOM_MAP);
		struct str ds = q_col_text(q, 1);

		dom_set_str(a, w, "text",
		            arena_strf(a, "%.*s%s%.*s is %.*s", STR_ARG(q_col_text(q, 0)), ds.n ? " " : "", STR_ARG(ds),
		                       STR_ARG(q_col_text(q, 2))));
		dom_set_str(a, w, "hint", STR("slots: and pools: of leat.yaml say how many there are"));
		dom_add(list, w);
	}
	q_done(q);
	return rc;
}

int requests_attention(struct api *api, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;
	int64_t left = 0;
	struct q *q;
	int rc;

	if (runs_attention(api, list, e))
		return -1;
	if (!db_has_set(api->store->db, DB_SET_TIME))
		return 0;
	q = db_query(
		api->store->db,
		"select id, job, ds, state, reason, count(*) over () from request where finished is null and reason"
		" is not null order by priority desc, id limit ?");
	q_int(q, 1, SHOWN);
	while ((rc = q_step(q, e)) == 1) {
		struct dom *w = dom_new(a, DOM_MAP);
		struct str ds = q_col_text(q, 2), why = q_col_text(q, 4);
		bool said = str_has_prefix(why, STR("waiting: ")); /* its runner has it, and has no place for it */

		left = q_col_int(q, 5) - SHOWN;
		dom_set_str(a, w, "text",
		            arena_strf(a, "%.*s%s%.*s is %.*s%s%.*s (r%lld)", STR_ARG(q_col_text(q, 1)),
		                       ds.n ? " " : "", STR_ARG(ds), STR_ARG(said ? STR("") : q_col_text(q, 3)),
		                       said ? "" : ": ", STR_ARG(why), (long long)q_col_int(q, 0)));
		dom_set_str(a, w, "hint", left > 0 ? STR_NULL : STR("leat runs lists what waits"));
		dom_add(list, w);
	}
	q_done(q);
	if (rc || left <= 0)
		return rc;
	struct dom *more = dom_new(a, DOM_MAP);

	dom_set_str(a, more, "text", arena_strf(a, "... and %lld more wait", (long long)left));
	dom_set_str(a, more, "hint", STR("leat runs lists them"));
	dom_add(list, more);
	return 0;
}

/* --- starting --- */

static int own_runner(struct api *api, const int64_t *ids, size_t n, struct err *e)
{
	struct id batch = id_new();
	const char *argv[] = {proc_self_exe(), "--role", RUNNER_ROLE, api->ws->dir, batch.hex, NULL};
	struct request **give = arena_array(api->arena, struct request *, n + 1), *open;
	struct proc_spec spec = PROC_SPEC;
	struct proc p = PROC_INIT;
	size_t n_open, n_give = 0, lost;

	if (request_recover(api->store->db, STR_NULL, false, &lost, e) ||
	    request_list_open(api->store->db, api->arena, REQUESTS_MAX, &open, &n_open, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n_open; k++)
			if (open[k].id == ids[i])
				give[n_give++] = &open[k];
	if (!n_give)
		return 0;
	spec.argv = argv;
	spec.out = spec.err = -1;
	spec.same_group = true; /* so that it can leave it by setsid */
	if (request_give(api->store->db, give, n_give, batch, e) || proc_spawn(&spec, &p, e))
		return -1;
	proc_free(&p);
	return 0;
}

int requests_go(struct api *api, const int64_t *ids, size_t n, struct err *e)
{
	const struct dom *place;
	int there = serve_place(api->store, api->arena, &place, e);

	if (there < 0)
		return -1;
	return there ? 0 : own_runner(api, ids, n, e);
}

/* --- following --- */

struct follow {
	struct api *api;
	struct sink *out;
	size_t n, ended, ran, failed, not_started, running;
	struct failures failures;
};

/* The units of its run that failed, for the summary. */
static int note_failure(struct follow *f, int64_t id, struct err *e)
{
	struct q *q = db_query(f->api->store->db,
	                       "select u.id from request r join unit u on u.run = r.run and u.ds = r.ds where r.id = ?"
	                       " and u.state in ('failed', 'timed-out', 'lost') order by u.id");
	int rc;

	q_int(q, 1, id);
	while ((rc = q_step(q, e)) == 1)
		failures_add(f->api->arena, &f->failures, q_col_int(q, 0));
	q_done(q);
	return rc;
}

static int say_end(struct follow *f, int64_t id, struct str job, struct str ds, enum state s, struct str why,
                   struct str run, struct err *e)
{
	struct dom *row;
	struct err none = ERR_INIT;
	struct ds label = {0};
	struct run_event ev = {.kind = state_good(s) ? RUN_UNIT_DONE : RUN_UNIT_SKIPPED,
	                       .job = f->api->flow ? jobs_get(f->api->flow->jobs, job) : NULL,
	                       .ds = &label,
	                       .run_id = arena_cstr(f->api->arena, run),
	                       .text = why.n ? arena_cstr(f->api->arena, why) : NULL,
	                       .done = f->ended,
	                       .total = f->n,
	                       .running = f->running};
	bool failed = s == STATE_FAILED || s == STATE_TIMED_OUT || s == STATE_LOST;
	struct err err = ERR_INIT;

	if (ds.n && ds_parse(ds, &label, &none))
		return 0;
	if (failed) {
		err_set(&err, ERR_FAILED, "%.*s", STR_ARG(why.n ? why : str_of(state_text(s))));
		ev.kind = RUN_UNIT_FAILED;
		ev.err = &err;
	} else if (!why.n && !state_good(s)) {
		ev.text = state_text(s);
	}
	if (failed && note_failure(f, id, e))
		return -1;
	if (f->out->event && ev.job) {
		f->out->event(f->out->ptr, &ev);
		return 0;
	}
	if (f->out->event)
		return 0;
	row = dom_new(f->api->arena, DOM_MAP);
	dom_set_cstr(f->api->arena, row, "event", failed ? "failed" : state_good(s) ? "done" : "skipped");
	dom_set_int(f->api->arena, row, "request", id);
	dom_set_str(f->api->arena, row, "job", job);
	dom_set_str(f->api->arena, row, "ds", ds.n ? ds : STR_NULL);
	dom_set_str(f->api->arena, row, "run", run);
	dom_set_cstr(f->api->arena, row, "state", state_word(s));
	dom_set_str(f->api->arena, row, "reason", why);
	return sink_row(f->out, row, e);
}

static int look_at(struct follow *f, int64_t id, bool *over, struct str *waits, struct err *e)
{
	struct q *q =
		db_query(f->api->store->db, "select state, reason, job, ds, run, finished is not null from request"
	                                    " where id = ?");
	int rc;

	q_int(q, 1, id);
	rc = q_step(q, e);
	if (rc == 1) {
		enum state s = state_of_word(q_col_text(q, 0));
		struct str why = q_col_is_null(q, 1) ? STR_NULL : q_col_text(q, 1);

		*over = q_col_int(q, 5);
		if (*over) {
			bool failed = s == STATE_FAILED || s == STATE_TIMED_OUT || s == STATE_LOST;

			f->ended++;
			f->ran += s == STATE_SUCCESS;
			f->failed += failed;
			f->not_started += !failed && !state_good(s);
			if (say_end(f, id, q_col_text(q, 2), q_col_text(q, 3), s, why,
			            q_col_is_null(q, 4) ? STR_NULL : q_col_text(q, 4), e))
				rc = -1;
		} else {
			f->running += s != STATE_WAITING;
			if (s == STATE_WAITING)
				*waits = arena_strf(f->api->arena, "r%lld, %.*s%s%.*s, waits: %.*s", (long long)id,
				                    STR_ARG(q_col_text(q, 2)), q_col_text(q, 3).n ? " " : "",
				                    STR_ARG(q_col_text(q, 3)), STR_ARG(why));
		}
	} else if (!rc) {
		*over = true; /* taken away */
	}
	q_done(q);
	return rc < 0 ? -1 : 0;
}

static int summary(struct follow *f, struct err *e)
{
	struct arena *a = f->api->arena;
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_str(a, row, "batch", STR_NULL);
	dom_set_int(a, row, "ran", (int64_t)f->ran);
	dom_set_int(a, row, "known", 0);
	dom_set_int(a, row, "failed", (int64_t)f->failed);
	dom_set_int(a, row, "not_started", (int64_t)f->not_started);
	if (f->failed || f->not_started)
		f->api->exit_status = 1;
	if (failures_tell(f->api, &f->failures, row, e))
		return -1;
	return sink_row(f->out, row, e);
}

int requests_follow(struct api *api, const int64_t *ids, size_t n, struct sink *out, struct err *e)
{
	struct follow f = {.api = api, .out = out, .n = n};
	bool *over = arena_array(api->arena, bool, n + 1);
	struct str *waits = arena_array(api->arena, struct str, n + 1);
	int64_t version = -1, moved = clock_mono_ms();

	while (f.ended < n) {
		if (version != db_version(api->store->db)) {
			version = db_version(api->store->db);
			moved = clock_mono_ms();
			f.running = 0;
			for (size_t i = 0; i < n; i++)
				if (!over[i] && look_at(&f, ids[i], &over[i], &waits[i], e))
					return -1;
		}
		if (!f.running && clock_mono_ms() - moved > REQUESTS_STILL_MS)
			break;
		if (f.ended < n)
			clock_sleep_ms(REQUESTS_FOLLOW_MS);
	}
	for (size_t i = 0; i < n; i++)
		if (!over[i]) {
			f.not_started++;
			if (out->people && waits[i].p)
				sink_note(out, "%.*s", STR_ARG(waits[i]));
		}
	return summary(&f, e);
}
