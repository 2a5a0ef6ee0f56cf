/* SEMANTICS 3-5: which units a plan has, why, in which order, and what is left of it when upstream gave equal rows. */
#include "flow_fx.h"

static const struct plan_ask all = {.mode = PLAN_STALE};

static void job(const char *name, const char *rest)
{
	fx_write(arena_printf(fx_a, "jobs/%s/job.yaml", name), arena_printf(fx_a, "kind: task\n%s", rest));
}

/* What the next `leat run` would do, and then does it; every unit gives `text`. */
static size_t run_all(const char *text)
{
	return fx_carry(fx_plan(&all), &all, text);
}

static const char *plan_all(void)
{
	fx_reload();
	return fx_say(fx_plan(&all));
}

static void first_and_again(void)
{
	fx_parts("raw/x", "2018-01-01..2018-01-03");
	job("a", "partition: daily\noutput: tables/a\ninputs: raw/x\nparams: {speed: 19}\ncommand: one\n");
	job("b", "partition: daily\noutput: tables/b\ninputs: tables/a\n");
	job("total", "partition: none\noutput: tables/total\ninputs: tables/b\n");
	T_STR(plan_all(),
	      "a 2018-01-01 missing; a 2018-01-02 missing; a 2018-01-03 missing; b 2018-01-01 missing later; b "
	      "2018-01-02 missing later; "
	      "b 2018-01-03 missing later; total missing later",
	      "leat run takes every day whose input is there, downstream after upstream, the whole after its days");
	T_INT(run_all(NULL), 7, "each unit runs once");
	T_STR(plan_all(), "", "again: nothing runs");
	T_INT(fx_plan(&all)->n_up_to_date, 7, "... and the plan says of each that it is up to date");
}

static void one_day_changes(void)
{
	struct plan *p;

	fx_put("raw/x", "ds=2018-01-02/f", "late data");
	fx_reload();
	p = fx_plan(&all);
	T_STR(fx_say(p), "a 2018-01-02 input-changed; b 2018-01-02 upstream later; total upstream later",
	      "one changed input day: that day only, downstream too");
	T_STR(p->units[0]->detail, "raw/x ds=2018-01-02 changed", "... and the plan names it");
	T_INT(p->units[2]->n_upstream, 1, "a unit names the units that it waits for");
	T_INT(fx_carry(p, &all, NULL), 1, "upstream gave equal content: downstream is decided again and does not run");
	T_STR(plan_all(), "", "... and is up to date afterwards");
	fx_put("raw/x", "ds=2018-01-02/f", "later data");
	fx_reload();
	T_INT(run_all("other rows"), 3, "upstream gave other content: downstream runs");
}

static void code_changes(void)
{
	const char *back = "partition: daily\noutput: tables/a\ninputs: raw/x\nparams: {speed: 19}\ncommand: one\n";
	struct plan *p;

	job("a", "partition: daily\noutput: tables/a\ninputs: raw/x\nparams: {speed: 19}\ncommand: two\n");
	fx_reload();
	p = fx_plan(&all);
	T_INT(p->n_units, 7, "another command makes all of it stale");
	T_OK(p->units[0]->reason == REASON_SETTING_CHANGED, "... for a setting that counts");
	T_STR(p->units[0]->detail, "command was one, is two", "... which is told with both values");
	job("a", back);
	T_STR(plan_all(), "", "changed back before it ran: nothing is stale");
	job("a", "partition: daily\noutput: tables/a\ninputs: raw/x\nparams: {speed: 19}\ncommand: two\n");
	fx_reload();
	run_all("two");
	job("a", back);
	fx_reload();
	p = fx_plan(&all);
	T_STR(fx_say(p),
	      "a 2018-01-01 setting-changed=known; a 2018-01-02 setting-changed=known; a 2018-01-03 "
	      "setting-changed=known; "
	      "b 2018-01-01 input-changed=known; b 2018-01-02 input-changed=known; b 2018-01-03 "
	      "input-changed=known; total input-changed=known",
	      "changed back after it ran: the memo knows all, downstream too, before anything ran");
	T_INT(fx_carry(p, &all, NULL), 0, "... and nothing runs");
	T_STR(plan_all(), "", "... and then all is up to date");
}

static void what_does_not_count(void)
{
	job("a", "# a comment\ncommand: \"one\"\ninputs: {x: raw/x}\noutput: tables/a\nparams: {speed: "
	      "19}\ndescription: new\nretries: 3\n"
	         "colour: red\npartition: {every: daily}\n");
	T_STR(plan_all(), "", "reordered keys, comments, another spelling, and keys that do not count re-run nothing");
	fx_write("leat.yaml", "name: renamed\n");
	T_STR(plan_all(), "", "neither does a setting of the workspace that does not count");
	fx_write("jobs/renamed/job.yaml", "kind: task\npartition: daily\noutput: tables/b\ninputs: tables/a\n");
	fx_write("jobs/b/job.yaml", "kind: task\npartition: daily\noutput: tables/none\ninputs: tables/absent\n");
	fx_reload();
	T_STR(fx_say(fx_plan(&all)), "", "renaming a job re-runs nothing while its output keeps its name");
	{
		struct err e = ERR_INIT;

		fx_must(dir_remove_tree(arena_printf(fx_a, "%s/jobs/renamed", fx_dir), &e), &e);
	}
	job("b", "partition: daily\noutput: tables/b\ninputs: tables/a\n");
	fx_reload();
}

static void code_files(void)
{
	struct plan *p;

	fx_write("jobs/a/lib/x.py", "print(1)\n");
	fx_reload();
	p = fx_plan(&all);
	T_OK(p->n_units == 7 && p->units[0]->reason == REASON_CODE_CHANGED, "a new file beside job.yaml is code");
	T_STR(p->units[0]->detail, "lib/x.py is new", "... and named");
	run_all("code");
	fx_write("jobs/a/README.md", "text\n");
	fx_write("jobs/a/tests/t.py", "text\n");
	T_STR(plan_all(), "", "README and tests/ are no code");
}

static void asked(void)
{
	const struct job *j;
	struct plan_ask ask = {.mode = PLAN_EXPLICIT};
	struct plan *p;
	struct ds_range r = {.from = ds_of_label("2018-01-02"), .to = ds_of_label("2018-01-05")};

	T_STR(fx_ask("a", "2018-01-02", PLAN_EXPLICIT, false), "", "run JOB ds of what is up to date runs nothing");
	j = fx_job("a");
	ask = (struct plan_ask){.jobs = &j, .n_jobs = 1, .ranges = &r, .n_ranges = 1, .mode = PLAN_EXPLICIT};
	p = fx_plan(&ask);
	T_STR(fx_say_not(p), "a 2018-01-02 up-to-date; a 2018-01-03 up-to-date; a 2018-01-04 input-missing; a "
	      "2018-01-05 input-missing",
	      "A..B has both ends, and says of each why it does not run");
	T_STR(p->not_run[2]->detail, "raw/x ds=2018-01-04 is missing", "... naming the missing partition");
	T_INT(p->n_missing_input, 2, "... and counting them");
	ask.again = true;
	T_STR(fx_say(fx_plan(&ask)), "a 2018-01-02 asked; a 2018-01-03 asked", "--again runs what is up to date");
	ask.again = false;
	T_STR(fx_ask("a", "2018-01-01..2018-01-03", PLAN_ALL, false),
	      "a 2018-01-01 asked; a 2018-01-02 asked; a 2018-01-03 asked",
	      "backfill all runs everything in the range");
	fx_parts("raw/x", "2018-01-04");
	fx_put("raw/x", "ds=2018-01-01/f", "changed for backfill");
	fx_reload();
	T_STR(fx_ask("a", "2018-01-01..2018-01-05", PLAN_STALE, false),
	      "a 2018-01-01 input-changed; a 2018-01-04 missing",
	      "backfill stale takes changed and missing ones");
	T_STR(fx_ask("a", "2018-01-01..2018-01-05", PLAN_MISSING, false), "a 2018-01-04 missing",
	      "backfill missing leaves changed ones");
	T_STR(fx_ask("a", "newest", PLAN_EXPLICIT, false), "a 2018-01-04 missing",
	      "newest is the latest ds whose inputs are there");
	T_STR(fx_ask("b", "newest", PLAN_EXPLICIT, false), "", "... of another job its own latest");
	T_STR(fx_ask("b", "2018-01-04", PLAN_EXPLICIT, true), "a 2018-01-04 missing; b 2018-01-04 missing later",
	      "-u adds what is missing above");
	T_STR(fx_ask("b", "2018-01-01", PLAN_EXPLICIT, true), "a 2018-01-01 input-changed; b 2018-01-01 upstream later",
	      "-u adds what is stale above");
	T_STR(fx_ask("b", "2018-01-01", PLAN_EXPLICIT, false), "", "without -u what is stale above is taken as it is");
	run_all("day 4");
}

static void failed_ones(void)
{
	struct err e = ERR_INIT;
	struct q *q = db_query(fx_store->db, "insert into unit(run, job, ds, global_id, state, created) values"
	                                     " ('f', 'a', '2018-01-05', 'f', 'failed', 1)");

	fx_must(db_begin(fx_store->db, &e), &e);
	fx_must(q_run(q, &e), &e);
	fx_must(db_commit(fx_store->db, &e), &e);
	fx_parts("raw/x", "2018-01-05");
	fx_put("raw/x", "ds=2018-01-01/f", "changed once more");
	fx_reload();
	T_STR(fx_ask("a", "2018-01-01..2018-01-05", PLAN_FAILED, false), "a 2018-01-05 failed-before",
	      "backfill failed takes failed and missing ones, not changed ones");
	run_all("day 5");
}

static void by_hand(void)
{
	const struct job *j = fx_job("a");
	struct dom *params = dom_new(fx_a, DOM_MAP), *wrong = dom_new(fx_a, DOM_MAP);
	struct ds_range r = {.from = ds_of_label("2018-01-03"), .to = ds_of_label("2018-01-03")};
	struct plan_ask ask = {.jobs = &j, .n_jobs = 1, .ranges = &r, .n_ranges = 1, .mode = PLAN_EXPLICIT,
	      .params = params};
	struct err e = ERR_INIT;
	struct plan *p = NULL;

	dom_set_int(fx_a, params, "speed", 25);
	fx_reload();
	j = fx_job("a");
	p = fx_plan(&ask);
	T_STR(fx_say(p), "a 2018-01-03 param-changed", "--param makes another key");
	T_STR(p->units[0]->detail, "speed was 19, is 25", "... and the plan tells what was and what is");
	fx_carry(p, &ask, "by hand");
	fx_reload();
	p = fx_plan(&all);
	T_OK(p->n_units && p->units[0]->reason == REASON_BY_HAND, "a partition made with --param is stale afterwards");
	T_STR(p->n_units ? p->units[0]->detail : "", "speed was 25 by hand", "... and the plan says what was by hand");
	run_all("hand");
	dom_set_int(fx_a, wrong, "spede", 25);
	j = fx_job("a");
	ask.params = wrong;
	T_OK(plan_make(fx_flow, fx_cat, fx_a, &ask, &p, &e) < 0, "a parameter that the job does not have is refused");
	T_ERR(&e, ERR_BAD_REQUEST, "speed", "... with the nearest that it has");
}

static void gone_and_changed(void)
{
	fx_rm("raw/x", "ds=2018-01-05");
	fx_reload();
	T_STR(fx_say(fx_plan(&all)), "", "a deleted input makes nothing run");
	T_OK(strstr(fx_say_not(fx_plan(&all)), "a 2018-01-05 input-gone"),
	      "... its partition is kept and shown as input gone");
	fx_put("tables/a", "ds=2018-01-04/out", "edited behind the back");
	fx_reload();
	T_OK(strstr(fx_say(fx_plan(&all)), "a 2018-01-04 output-changed=known"),
	     "an output that is not what the run made is put back from what is known");
	run_all(NULL);
	fx_rm("tables/a", "ds=2018-01-04");
	fx_reload();
	T_OK(strstr(fx_say(fx_plan(&all)), "a 2018-01-04 missing=known"),
	      "a removed output is missing, and the memo has it");
	run_all(NULL);
	T_STR(plan_all(), "", "... and then all is as it was");
}

static void outside(void)
{
	fx_write("jobs/fetch/job.yaml", "kind: fetch\npartition: daily\noutput: raw/f\ncommand: x\n");
	job("after", "partition: daily\noutput: tables/after\ninputs: raw/f\n");
	T_STR(plan_all(), "", "leat run takes nothing of a job over the outside world without a start");
	T_STR(fx_ask("after", "2018-01-01", PLAN_EXPLICIT, true),
	      "fetch 2018-01-01 missing; after 2018-01-01 missing later",
	      "-u takes it if it is missing");
	{
		const struct job *j = fx_job("after");
		struct ds_range r = {.from = ds_of_label("2018-01-01"), .to = ds_of_label("2018-01-01")};
		struct plan_ask ask = {.jobs = &j, .n_jobs = 1, .ranges = &r, .n_ranges = 1, .mode = PLAN_EXPLICIT,
		      .upstream = true};

		fx_carry(fx_plan(&ask), &ask, "fetched");
	}
	T_STR(fx_ask("fetch", "2018-01-01", PLAN_EXPLICIT, false), "fetch 2018-01-01 asked",
	      "an explicit run asks the outside world again");
	fx_write("jobs/fetch/job.yaml", "kind: fetch\npartition: daily\noutput: raw/f\ncommand: y\n");
	fx_reload();
	T_STR(fx_ask("after", "2018-01-01", PLAN_EXPLICIT, true), "",
	      "-u does not ask it again for what is there, also if it changed");
	fx_write("jobs/fetch/job.yaml", "kind: fetch\npartition: {every: daily, start: 2018-01-01, end: "
	      "2018-01-03}\noutput: raw/f\ncommand: y\n");
	fx_reload();
	T_OK(strstr(fx_say(fx_plan(&all)), "fetch 2018-01-02 missing; fetch 2018-01-03 missing"),
	     "with a start, leat run takes the ended slots that were never published");
	run_all("fetched");
}

static void odd_jobs(void)
{
	job("lonely", "partition: none\noutput: tables/lonely\n");
	T_STR(plan_all(), "lonely missing", "a job without inputs and partition runs if it never did");
	run_all("x");
	T_STR(plan_all(), "", "... and not again by leat run");
	T_STR(fx_ask("lonely", NULL, PLAN_EXPLICIT, false), "lonely asked", "... but by each explicit run");
	job("ruled", "partition: none\noutput: tables/ruled\nparams: {needed: null}\n");
	fx_reload();
	T_OK(strstr(fx_say_not(fx_plan(&all)), "ruled  param-missing"),
	      "a parameter without a value keeps a job from leat run");
	fx_write("jobs/ruled/job.yaml", "kind: task\npartition: none\noutput: tables/ruled\nchecks: [row_count > 0]\n");
	fx_reload();
	run_all("checked");
	fx_reload();
	T_STR(fx_say(fx_plan(&all)), "ruled check-changed=known",
	      "a check that was not tried is tried on the known output, the job does not run");
	{
		struct ds none = {.every = EVERY_NONE};
		struct entry tree;
		struct err e = ERR_INIT;
		struct sha key;
		struct q *q;

		fx_must(catalog_at_head(fx_cat, STR("tables/ruled"), &none, &tree, &e), &e);
		key = key_check(&fx_job("ruled")->checks[0], &tree.id);
		fx_must(db_begin(fx_store->db, &e), &e);
		fx_must(db_make_set(fx_store->db, DB_SET_RUNS, &e), &e);
		q = db_query(fx_store->db, "insert into check_result(key, passed, at) values (?, 1, 1)");
		q_sha(q, 1, &key);
		fx_must(q_run(q, &e), &e);
		fx_must(db_commit(fx_store->db, &e), &e);
	}
	T_STR(plan_all(), "", "... and once it held, all is up to date");
}

static void own_past(void)
{
	fx_parts("raw/inc", "2018-02-01..2018-02-03");
	job("grow", "partition: daily\noutput: tables/grow\ninputs:\n  x: raw/inc\n  before: {repo: tables/grow, "
	      "window: [-1, -1]}\n");
	T_STR(plan_all(), "grow 2018-02-01 missing; grow 2018-02-02 missing later; grow 2018-02-03 missing later",
	      "a job that reads its own day before runs in the order of days");
	T_INT(run_all(NULL), 3, "... each after the one before");
	T_STR(plan_all(), "", "... and is up to date then");
}

static void snapshots(void)
{
	struct plan *p;

	fx_parts("raw/shops", "2018-03-01..2018-03-03");
	fx_parts("raw/sales", "2018-03-02..2018-03-03");
	job("shops", "partition: daily\noutput: tables/dim_shops\ninputs: raw/shops\n");
	job("sales", "partition: daily\noutput: tables/fct_sales\ninputs:\n  sales: raw/sales\n  shops: "
	      "tables/dim_shops\n");
	fx_reload();
	p = fx_plan(&all);
	T_STR(fx_say(p),
	      "shops 2018-03-01 missing; shops 2018-03-02 missing; shops 2018-03-03 missing; sales 2018-03-02 "
	      "missing later; sales 2018-03-03 missing later",
	      "days come from the facts, not from the snapshots");
	T_STR(p->units[3]->upstream[0]->ds.label, "2018-03-02",
	      "if the cascade makes the day's snapshot, the unit waits for it");
	T_INT(p->units[3]->n_upstream, 1, "... and only for it");
	run_all(NULL);
	T_STR(fx_ask("sales", "2018-03-03", PLAN_EXPLICIT, true), "", "with all there, -u adds nothing");
}

int main(void)
{
	fx_begin("name: test\n");
	first_and_again();
	one_day_changes();
	code_changes();
	what_does_not_count();
	code_files();
	asked();
	failed_ones();
	by_hand();
	gone_and_changed();
	outside();
	odd_jobs();
	own_past();
	snapshots();
	return fx_end();
}
