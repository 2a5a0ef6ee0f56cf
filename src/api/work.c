#include <stdio.h>
#include <unistd.h>

#include "api/alone.h"
#include "api/attempts.h"
#include "api/backfill.h"
#include "api/carry.h"
#include "api/pause.h"
#include "api/plan.h"
#include "api/plan_row.h"
#include "api/requests.h"
#include "api/rows.h"
#include "api/stay.h"
#include "api/watch.h"
#include "base/str.h"
#include "flow/clock.h"
#include "flow/lease.h"
#include "flow/schedule.h"
#include "sys/clock.h"

#define RUNS_SHOWN 20

static int carry(struct api *api, const struct args *args, struct asking *q, const char *kind, struct sink *out,
                 struct err *e)
{
	struct carry_how how = {.command = args->command, .kind = kind};
	int64_t slots;

	if (args_int(args, "slots", 1, 1024, 0, &slots, e))
		return -1;
	how.slots = (int)slots;
	return carry_out(api, &how, q, out, e);
}

int work_run(struct api *api, const struct args *args, struct asking *q, struct sink *out, struct err *e)
{
	return carry(api, args, q, "run", out, e);
}

static bool has_clock(const struct job *j)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		if (j->inputs[i].cron.p)
			return true;
	return false;
}

/* What a saved plan says, if that is what would run now. */
static int run_saved(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	static const char *const others[] = {"upstream", "param", "again", "unit", "shell", "tick"};
	const char *path = arena_cstr(api->arena, args_value(args, "plan"));
	struct asking q = {0};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (args_count(args, others[i]))
			return err_set(e, ERR_BAD_REQUEST, "--plan says all that is to run: no --%s stands beside it",
			               others[i]);
	if (args_n(args))
		return err_set(e, ERR_BAD_REQUEST, "--plan says all that is to run: no job stands beside it");
	if (plan_check_file(api, path, &q, out, e))
		return -1;
	return carry(api, args, &q, "run", out, e);
}

int api_run(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct asking q = {.ask = {.mode = PLAN_STALE, .upstream = args_flag(args, "upstream"),
	                           .again = args_flag(args, "again")}};
	size_t n = args_n(args);

	if (args_count(args, "plan") && args_flag(args, "watch"))
		return err_set(e, ERR_BAD_REQUEST,
		               "--plan runs once what was saved, --watch what is saved from now on");
	if (args_count(args, "plan"))
		return run_saved(api, args, out, e);
	if (args_flag(args, "watch"))
		return watch_run(api, args, out, e);
	if (n && ask_job(api, args, args_pos(args, 0), &q, e))
		return -1;
	if (args_count(args, "unit") || args_flag(args, "shell"))
		return alone_unit(api, args, n == 1 ? q.jobs.p[0] : NULL, q.ask.params, out, e);
	if (!n && args_count(args, "param"))
		return err_set(e, ERR_BAD_REQUEST, "--param needs a job: leat run JOB --param KEY=VALUE");
	for (size_t i = 1; i < n; i++)
		if (ask_range(api, &q, q.jobs.p[0], args_pos(args, i), e))
			return -1;
	q.tick = args_flag(args, "tick");
	if (q.tick && (!n || !has_clock(q.jobs.p[0]))) {
		err_set(e, ERR_BAD_REQUEST, n ? "%.*s has no cron input" : "--tick needs a job",
		        STR_ARG(n ? q.jobs.p[0]->name : STR("")));
		return err_hint(e, "leat run JOB --tick, of a job whose input is cron");
	}
	if (backfill_is_later(args))
		return backfill_run_later(api, args, &q, out, e);
	q.explicit_ds = n > 1 || (n && q.jobs.p[0]->every == EVERY_NONE);
	if (q.explicit_ds || q.ask.again || q.ask.params)
		q.ask.mode = PLAN_EXPLICIT;
	return carry(api, args, &q, "run", out, e);
}

/* The batch of an id, or of the last command that ran anything. */
static int find_batch(struct api *api, struct str id, char out[ID_HEX + 1], struct err *e)
{
	struct q *q = db_query(api->store->db, id.p ? "select distinct batch from run where id >= ?1 and id < ?1 || 'g'"
	                                              " or batch >= ?1 and batch < ?1 || 'g' limit 2"
	                                            : "select batch from run order by created desc limit 1");
	int rc;

	if (id.p)
		q_text(q, 1, id);
	rc = q_step(q, e);
	if (rc == 1) {
		snprintf(out, ID_HEX + 1, "%.*s", STR_ARG(q_col_text(q, 0)));
		if (id.p && q_step(q, e) == 1)
			rc = err_set(e, ERR_BAD_REQUEST, "'%.*s' begins more than one id", STR_ARG(id));
	} else if (!rc) {
		rc = id.p ? err_set(e, ERR_NOT_FOUND, "no run or batch '%.*s'", STR_ARG(id))
		          : err_set(e, ERR_NOT_FOUND, "nothing has run yet");
	}
	q_done(q);
	return rc == 1 ? 0 : -1;
}

/* The job of --from and all that reads what it makes. */
static int behind_of(struct api *api, struct str name, struct map *out, struct err *e)
{
	const struct job **below;
	struct job *j;
	size_t n;

	if (jobs_find(api->flow->jobs, name, &j, e))
		return -1;
	map_init(out, api->arena);
	map_set(out, j->name, j);
	below = graph_descendants(api->flow->graph, api->arena, j, &n);
	for (size_t i = 0; i < n; i++)
		map_set(out, below[i]->name, j);
	return 0;
}

/* The code as it is now runs: said where that is another one than ran then. */
static int say_code(struct api *api, const struct asking *asked, const char *batch, struct sink *out, struct err *e)
{
	struct q *q = db_query(api->store->db, "select job, code, id from run where batch = ? and code is not null");
	int rc;

	q_cstr(q, 1, batch);
	while ((rc = q_step(q, e)) == 1) {
		const struct job *j = jobs_get(api->flow->jobs, q_col_text(q, 0));
		struct sha then, now;
		bool runs = false;

		for (size_t i = 0; i < asked->jobs.n; i++)
			runs |= asked->jobs.p[i] == j;
		if (!runs || j->sql_by_ds || !q_col_sha(q, 1, &then))
			continue;
		now = job_code_id(j, NULL);
		if (!sha_eq(&then, &now))
			sink_note(out, "%.*s: its code is another one than that of run %.12s; it runs as it is now",
			          STR_ARG(j->name), q_col_text(q, 2).p);
	}
	q_done(q);
	return rc;
}

int api_rerun(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	bool all = args_flag(args, "all"), from = args_count(args, "from");
	struct asking q = {.ask = {.mode = PLAN_EXPLICIT, .again = all || from}, .explicit_ds = true};
	struct map behind;
	char batch[ID_HEX + 1];
	struct q *st;
	int rc;

	if (all + from + args_flag(args, "failed") > 1)
		return err_set(e, ERR_BAD_REQUEST, "of --failed, --from and --all one is meant");
	if ((from && behind_of(api, args_value(args, "from"), &behind, e)) ||
	    find_batch(api, args_pos(args, 0), batch, e))
		return -1;
	st = db_query(api->store->db,
	              "select u.job, u.ds from unit u join run r on r.id = u.run where r.batch = ?"
	              " and (?2 or u.state not in ('success', 'known', 'skipped'))"
	              " group by u.job, u.ds order by min(u.id)");
	q_cstr(st, 1, batch);
	q_int(st, 2, all || from);
	/* One request per unit: jobs and ranges go side by side. */
	while ((rc = q_step(st, e)) == 1) {
		struct job *job;
		struct ds_range r = {0};
		struct str label = arena_str(api->arena, q_col_text(st, 1));

		if (from && !map_has(&behind, q_col_text(st, 0)))
			continue;

		if (jobs_find(api->flow->jobs, arena_str(api->arena, q_col_text(st, 0)), &job, e) ||
		    (label.n && ds_parse(label, &r.from, e))) {
			rc = -1;
			break;
		}
		r.to = r.from;
		vec_push(api->arena, &q.jobs, job);
		vec_push(api->arena, &q.ranges, r);
	}
	q_done(st);
	if (rc < 0)
		return -1;
	if (say_code(api, &q, batch, out, e))
		return -1;
	if (!q.jobs.n) {
		sink_note(out,
		          from ? "nothing in %.12s is of that job or behind it"
		               : "nothing in %.12s failed; --all runs all of it again",
		          batch);
		return 0;
	}
	q.ask.pairs = true;
	return carry(api, args, &q, "rerun", out, e);
}

static struct dom *job_row(struct api *api, const struct job *j, bool paused)
{
	struct arena *a = api->arena;
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_str(a, row, "job", j->name);
	dom_set_str(a, row, "kind", j->kind_name);
	dom_set_cstr(a, row, "partition", every_word(j->every));
	dom_set_str(a, row, "output", j->no_output ? STR_NULL : j->output);
	dom_set_str(a, row, "pipeline", j->pipeline);
	dom_set_str(a, row, "schedule", schedule_words(a, j));
	if (paused)
		dom_set_bool(a, row, "paused", true);
	dom_set_str(a, row, "description", j->description);
	dom_set_str(a, row, "file", j->file);
	return row;
}

int api_jobs(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct jobs *js = api->flow->jobs;
	struct arena *a = api->arena;
	struct str names;
	size_t n_paused;

	for (size_t i = 0; i < js->n; i++) {
		struct clock_pause p;
		int paused = clock_paused(api->store, a, js->all[i], &p, e);
		struct dom *row = job_row(api, js->all[i], paused > 0);
		struct q *q;

		if (paused < 0)
			return -1;
		q = db_query(
			api->store->db,
			"select id, state, coalesce(finished, created) from run where job = ? order by created desc"
			" limit 1");
		int rc;

		q_text(q, 1, js->all[i]->name);
		rc = q_step(q, e);
		if (rc == 1) {
			dom_set_str(a, row, "run", arena_str(a, q_col_text(q, 0)));
			dom_set_str(a, row, "state", arena_str(a, q_col_text(q, 1)));
			row_time(a, row, "last", q_col_int(q, 2));
		}
		q_done(q);
		if (rc < 0 || sink_row(out, row, e))
			return -1;
	}
	if (pause_names(api, &names, &n_paused, e))
		return -1;
	if (n_paused)
		sink_note(out, "paused: %.*s; leat resume JOB lets the clock start it again", STR_ARG(names));
	for (size_t i = 0; i < js->n_errors; i++)
		sink_note(out, "%s", err_text(a, js->errors[i]));
	if (!js->n && !js->n_errors)
		sink_note(out, "no jobs yet; 'leat new' lists templates");
	return 0;
}

static void run_row(struct arena *a, struct q *q, struct dom *row)
{
	char hex[SHA_HEX + 1];
	struct sha code;
	bool orphaned = !q_col_is_null(q, 14) &&
	                !lease_alive(q_col_text(q, 14), q_col_int(q, 15), q_col_int(q, 16));

	dom_set_str(a, row, "run", q_col_text(q, 0));
	dom_set_str(a, row, "job", q_col_text(q, 1));
	dom_set_str(a, row, "state", q_col_text(q, 2));
	dom_set_str(a, row, "reason",
	            orphaned ? STR("orphaned: its process died; the next run takes its tasks over, or closes it")
	                     : q_col_text(q, 3));
	row_time(a, row, "started", q_col_int(q, 4));
	row_time(a, row, "finished", q_col_int(q, 5));
	dom_set_int(a, row, "units", q_col_int(q, 6));
	dom_set_str(a, row, "batch", q_col_text(q, 7));
	if (!q_col_is_null(q, 8)) {
		dom_set_str(a, row, "global_id", q_col_text(q, 8));
		dom_set_int(a, row, "ran", q_col_int(q, 9));
		dom_set_int(a, row, "known", q_col_int(q, 10));
		dom_set_int(a, row, "recovered", q_col_int(q, 11));
		dom_set_int(a, row, "failed", q_col_int(q, 12));
	}
	if (q_col_sha(q, 17, &code)) {
		sha_hex(&code, hex);
		dom_set_str(a, row, "code", arena_strf(a, "%.12s", hex));
	}
	if (orphaned)
		dom_set_bool(a, row, "orphaned", true);
	row_facts(a, row, q_col_text(q, 18));
	if (q_col_int(q, 4) && q_col_int(q, 5))
		dom_set_real(a, row, "seconds", (double)(q_col_int(q, 5) - q_col_int(q, 4)) / 1e3);
}

/* Each by its own index, however many runs there are. */
#define RUN_COLUMNS                                                                                                    \
	"select r.id, r.job, r.state, r.reason, r.started, r.finished,"                                                \
	" (select count(*) from unit u where u.run = r.id), r.batch, r.event, r.ran, r.known, r.recovered, r.failed,"  \
	" r.created, l.boot, l.pid, l.pid_start, r.code,"                                                              \
	" (select " ROW_FACTS " from unit u where u.run = r.id order by u.id desc limit 1)"                            \
	" from run r left join unit_lease l on"                                                                        \
	" l.job = r.job and l.ds = '@' || r.id and r.finished is null "
#define RUNS_OF_JOB RUN_COLUMNS "where r.job = ?1 order by r.created desc limit ?2"
#define RUNS_OF_ALL RUN_COLUMNS "order by r.created desc limit ?2"

int api_runs(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *row_arena;
	struct q *q;
	int64_t most, before = INT64_MAX;
	struct str job = args_pos(args, 0);
	size_t shown = 0;
	int rc;

	if (args_int(args, "limit", 1, INT64_MAX, RUNS_SHOWN, &most, e))
		return -1;
	if (args_flag(args, "attempts"))
		return attempts_list(api, job, most, out, e);
	row_arena = arena_new();
	q = db_query(api->store->db, args_n(args) ? RUNS_OF_JOB : RUNS_OF_ALL);
	rc = requests_open_rows(api, job, most, out, &shown, e);
	if (job.p)
		q_text(q, 1, job);
	q_int(q, 2, rc ? 0 : most);
	while (!rc && shown < (size_t)most && (rc = q_step(q, e)) == 1) {
		struct dom *row = dom_new(row_arena, DOM_MAP);
		int64_t created = q_col_int(q, 13);

		rc = requests_bare_rows(api, job, created, before, most - (int64_t)shown, out, &shown, e);
		before = created;
		if (rc || shown >= (size_t)most)
			break;

		run_row(row_arena, q, row);
		shown++;
		rc = sink_row(out, row, e);
		arena_reset(row_arena);
	}
	q_done(q);
	arena_free(row_arena);
	if (!rc && shown < (size_t)most)
		rc = requests_bare_rows(api, job, 0, before, most - (int64_t)shown, out, &shown, e);
	if (!rc && !shown)
		sink_note(out, args_n(args) ? "it has not run yet" : "nothing has run yet");
	return rc;
}
