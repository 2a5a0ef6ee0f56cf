/* flow/job: job files in all their forms, and every fault of them with its place. */
#include "ws.h"

static const char *text(struct str s)
{
	return s.p ? arena_cstr(ws_arena, s) : NULL;
}

static void whole_job(void)
{
	struct jobs *js;
	struct job *j;
	struct err e = ERR_INIT;

	ws_put("jobs/speed/job.yaml", "kind: sql\r\n"
	                              "description: Speed cameras\r\n"
	                              "inputs:\r\n"
	                              "  speeds: tables/car_speed_limits\r\n"
	                              "  cameras: {repo: tables/dim_cameras, optional: true}\r\n"
	                              "  weather: {repo: raw/weather, pin: master.31, window: [-6, 0]}\r\n"
	                              "  old: raw/weather@abcd\r\n"
	                              "output: tables/speed_counts\r\n"
	                              "pipeline: cameras\r\n"
	                              "partition: {timezone: Europe/Paris, start: 2018-01-01}\r\n"
	                              "schedule: \"30 6 * * *\"\r\n"
	                              "params: {z: 1, min_speed: 19}\r\n"
	                              "retries: 3\r\nretry_delay: 5s\r\ntimeout: 1h\r\nthreads: 1\r\nmemo: off\r\n"
	                              "checks:\r\n"
	                              "  - row_count > 0\r\n"
	                              "  - {check: duplicate_count(speed) = 0, scope: table}\r\n");
	ws_put("jobs/speed/job.sql", "select 1\r\n");
	js = ws_load();
	T_INT(js->n_errors_all, 0, "a job with every form of key has no errors");
	if (js->n_errors)
		t_diag("error", js->errors[0]->msg);
	if (!T_NO_ERR(jobs_find(js, STR("speed"), &j, &e), &e, "it is found by its name"))
		return;
	T_STR(text(j->file), "jobs/speed/job.yaml", "its file is known");
	T_STR(text(j->main_file), "jobs/speed/job.sql", "its main file is job.sql");
	T_INT(j->n_inputs, 4, "it has four inputs");
	T_STR(text(j->inputs[0].repo), "tables/car_speed_limits", "an input may be a repo's name");
	T_INT(j->inputs[0].line, 4, "an input knows its line");
	T_INT(j->inputs[0].col, 11, "an input knows its column");
	T_OK(j->inputs[1].optional && !j->inputs[0].optional, "an input may be optional");
	T_STR(text(j->inputs[2].pin), "master.31", "an input may be pinned by a key");
	T_OK(j->inputs[2].window == WINDOW_RANGE && j->inputs[2].lo == -6 && j->inputs[2].hi == 0,
	     "a window is two numbers");
	T_STR(text(j->inputs[3].pin), "abcd", "an input may be pinned by @");
	T_STR(text(j->inputs[3].repo), "raw/weather", "the repo stands before the @");
	T_STR(text(j->output), "tables/speed_counts", "it has an output");
	T_STR(text(j->pipeline), "cameras", "it is in a pipeline");
	T_INT(j->every, EVERY_DAY, "a partition map without every: is daily");
	T_STR(tz_name(j->tz), "Europe/Paris", "its partitions have a zone");
	T_STR(j->start.label, "2018-01-01", "its partitions have a start");
	T_INT(j->end.every, EVERY_NONE, "and no end");
	T_STR(text(dom_get(j->schedule->first, "cron")->s), "30 6 * * *", "a bare cron line is a schedule's cron");
	T_STR(text(j->params->first->key), "z", "parameters keep their order");
	T_INT(j->retries, 3, "retries are read");
	T_INT(j->retry_delay_ms, 5000, "retry_delay is read");
	T_INT(j->timeout_ms, 3600000, "timeout is read");
	T_INT(j->grace_ms, 10000, "grace has its default");
	T_OK(j->backoff == 2 && j->jitter == 0.1, "backoff and jitter have their defaults");
	T_INT(j->memo, MEMO_OFF, "memo: off is no boolean and still off");
	T_INT(j->n_checks, 2, "it has two checks");
	T_STR(text(j->checks[1].text), "duplicate_count(speed) = 0", "a check may be a map");
	T_OK(j->checks[1].whole_table && !j->checks[0].whole_table, "a check may be of the whole table");
	T_INT(j->checks[0].line, 19, "a check knows its line");
	T_INT(j->n_code, 1, "job.yaml is no code");
	jobs_free(js);
	ws_clear();
}

static void forms(void)
{
	struct jobs *js;
	struct job *j;

	ws_put("jobs/a.sql",
	       "-- Counts.\n-- partition: monthly\n-- inputs: raw/x-y\n--\n-- Note: an ordinary comment\nselect 1\n");
	ws_put("jobs/b.sh", "#!/bin/sh\n# output: raw/b\n# timeout: 5m\n\n# later: not a key\necho\n");
	ws_put("jobs/c.py", "# -*- coding: utf-8 -*-\n# Says hello: to you\nprint(1)\n");
	ws_put("pipelines/p/d/job.yaml", "inputs: [raw/a, raw/b.c, {repo: raw/a, name: again, window: all}]\n");
	ws_put("pipelines/p/d/job.sh", "true\n");
	ws_put("jobs/e/job.yaml", "");
	ws_put("jobs/e/job.py", "x\n");
	ws_put("jobs/lib/util.py", "x\n");
	ws_put("jobs/_old/job.yaml", "nonsense: true\n");
	ws_put("jobs/.git/job.yaml", "nonsense: true\n");
	ws_put("jobs/README.md", "x\n");
	js = ws_load();
	for (size_t i = 0; i < js->n_errors; i++)
		t_diag("error", js->errors[i]->msg);
	T_INT(js->n_errors_all, 0, "jobs of one file, of pipelines and with an empty job.yaml have no errors");
	T_INT(js->n, 5, "folders without a job, and those that begin with _ or a dot, are no jobs");
	j = jobs_get(js, STR("a"));
	T_OK(j->single && j->every == EVERY_MONTH, "a .sql file has its keys in -- comments");
	T_STR(text(j->kind_name), "sql", "a .sql file is of kind sql");
	T_STR(text(j->output), "a", "an output that is not said is named as the job");
	T_STR(text(j->inputs[0].name), "x_y", "an input without a name is called by its repo's last part");
	T_INT(j->inputs[0].line, 3, "a key in a comment knows its line");
	T_INT(j->inputs[0].col, 12, "a key in a comment knows its column");
	j = jobs_get(js, STR("b"));
	T_STR(text(j->output), "raw/b", "a .sh file has its keys in # comments after the #! line");
	T_INT(j->timeout_ms, 300000, "all of them");
	T_STR(text(j->kind_name), "script", "a .sh file is of kind script");
	T_OK(jobs_get(js, STR("c"))->doc->n == 0, "comments without a key are ordinary comments");
	j = jobs_get(js, STR("d"));
	T_STR(text(j->pipeline), "p", "a job under pipelines/P/ is in pipeline P");
	T_INT(j->n_inputs, 3, "inputs may be a list");
	T_STR(text(j->inputs[1].name), "b_c", "with names from the repos");
	T_STR(text(j->inputs[2].name), "again", "or names of their own");
	T_OK(j->inputs[2].window == WINDOW_ALL, "a window may be all");
	T_STR(text(jobs_get(js, STR("e"))->kind_name), "script", "job.py makes a script of an empty job.yaml");
	jobs_free(js);
	ws_clear();
}

static const struct bad {
	const char *path, *text, *want;
} bads[] = {
	{"jobs/x/job.yaml", "kind: sql\nretrys: 1\n",
		"jobs/x/job.yaml:2:1: unknown key \"retrys\" (did you mean \"retries\"?)"},
	{"jobs/x/job.yaml", "kind: sqll\n",
		"jobs/x/job.yaml:1:7: there is no kind of job named \"sqll\" (did you mean \"sql\"?)"},
	{"jobs/x/job.yaml", "kind: [sql]\n", "jobs/x/job.yaml:1:7: \"kind\" must be text, not a list"},
	{"jobs/x/job.yaml", "knid: sql\n", "jobs/x/job.yaml:1:1: unknown key \"knid\" (did you mean \"kind\"?)"},
	{"jobs/x/job.yaml", "output: y\n",
		"the key \"kind\" is missing, and no file of the job tells it (there are: sql, script"},
	{"jobs/x/job.yaml", "kind: sql\nurl: http://x\n", "jobs/x/job.yaml:2:1: unknown key \"url\""},
	{"jobs/x/job.yaml", "kind: download\n", "jobs/x/job.yaml:1:1: the key \"url\" is missing"},
	{"jobs/x/job.yaml", "kind: sql\n  retries: 1\n", "jobs/x/job.yaml:2:"},
	{"jobs/x/job.yaml", "kind: sql\nkind: sql\n", "jobs/x/job.yaml:2:1"},
	{"jobs/x/job.yaml", "kind: sql\ninputs: {a-b: raw/x}\n",
		"jobs/x/job.yaml:2:10: an input cannot be called \"a-b\""},
	{"jobs/x/job.yaml", "kind: sql\ninputs: [raw/x, tables/x]\n",
		"jobs/x/job.yaml:2:17: two inputs are called \"x\""},
	{"jobs/x/job.yaml", "kind: sql\ninputs: {a: }\n", "jobs/x/job.yaml:2:10: the input has no repo"},
	{"jobs/x/job.yaml", "kind: sql\ninputs: {a: {pin: b}}\n", "jobs/x/job.yaml:2:13: the key \"repo\" is missing"},
	{"jobs/x/job.yaml", "kind: sql\ninputs: {a: {repo: b@c, pin: d}}\n",
		"jobs/x/job.yaml:2:30: the repo is pinned twice"},
	{"jobs/x/job.yaml", "kind: sql\ninputs: {a: Raw Data}\n", "jobs/x/job.yaml:2:13: \"a\" cannot be \"Raw Data\""},
	{"jobs/x/job.yaml", "kind: sql\npartition: daily\ninputs: {a: {repo: b, window: [0, -6]}}\n",
	 "jobs/x/job.yaml:3:31: a window is two numbers"},
	{"jobs/x/job.yaml", "kind: sql\ninputs: {a: {repo: b, window: [-6, 0]}}\n",
	 "jobs/x/job.yaml:2:13: a window counts in partitions, and the job has none"},
	{"jobs/x/job.yaml", "kind: sql\npartition: weekley\n",
		"jobs/x/job.yaml:2:12: \"partition\" cannot be \"weekley\" (did you mean"},
	{"jobs/x/job.yaml", "kind: sql\npartition: {start: 2017-99-99}\n",
		"jobs/x/job.yaml:2:20: \"start\" cannot be \"2017-99-99\""},
	{"jobs/x/job.yaml", "kind: sql\npartition: {start: 2018-02-01, end: 2018-01-01}\n",
	 "jobs/x/job.yaml:2:37: the end, 2018-01-01, is before the start, 2018-02-01"},
	{"jobs/x/job.yaml", "kind: sql\npartition: {every: none, start: 2018-02-01}\n",
	 "jobs/x/job.yaml:2:33: a job without partitions has no start"},
	{"jobs/x/job.yaml", "kind: sql\ntimezone: Mars/Olympus\n",
		"jobs/x/job.yaml:2:11: \"timezone\" cannot be \"Mars/Olympus\""},
	{"jobs/x/job.yaml", "kind: sql\nschedule: sometimes\n",
		"jobs/x/job.yaml:2:11: \"schedule\" cannot be \"sometimes\""},
	{"jobs/x/job.yaml", "kind: sql\nparams: {a b: 1}\n",
		"jobs/x/job.yaml:2:10: a parameter cannot be called \"a b\""},
	{"jobs/x/job.yaml", "kind: sql\nenv: {A=B: 1}\n", "jobs/x/job.yaml:2:7: \"A=B\" cannot be a variable"},
	{"jobs/x/job.yaml", "kind: sql\ncode: nothere.sql\n",
		"jobs/x/job.yaml:2:7: code: there is no jobs/x/nothere.sql"},
	{"jobs/x/job.yaml", "kind: sql\ncode: ../../../etc/passwd\n",
		"jobs/x/job.yaml:2:7: code: ../../../etc/passwd lies outside"},
	{"jobs/x/job.yaml", "kind: sql\nchecks: [{scope: table}]\n",
		"jobs/x/job.yaml:2:10: the key \"check\" is missing"},
	{"jobs/my job/job.yaml", "kind: sql\n", "jobs/my job/job.yaml"},
	{"jobs/Bad Name!.sql", "select 1\n", "jobs/Bad Name!.sql"},
	{"jobs/x/job.sql", "select 1\n", "jobs/x:0:0: the folder has no job.yaml"},
	{"jobs/x/job.yml", "kind: sql\n", "jobs/x:0:0: the folder has no job.yaml (rename job.yml"},
	{"jobs/x.sql", "-- outpt: y\nselect 1\n", "jobs/x.sql:1:4: unknown key \"outpt\" (did you mean \"output\"?)"},
	{"jobs/x.sh", "#!/bin/sh\n# retries: many\n", "jobs/x.sh:2:12: \"retries\" must be a whole number, not many"},
	{"jobs/x.sql", "-- output: y\n-- and some words\nselect 1\n", "jobs/x.sql:2"},
	{"pipelines/p/x/job.yaml", "kind: sql\npipeline: q\n",
		"pipelines/p/x/job.yaml:2:11: the job lies in pipelines/p and says"},
	{"pipelines/p/job.yaml", "kind: sql\n", "pipelines/p/job.yaml:0:0: a pipeline's folder holds jobs"},
};

static void faults(void)
{
	char all[2048];

	for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
		struct jobs *js;
		bool held;

		ws_clear();
		ws_put("jobs/good.sql", "select 1\n");
		ws_put(bads[i].path, bads[i].text);
		js = ws_load();
		all[0] = '\0';
		if (js->n_errors)
			snprintf(all, sizeof(all), "%s:%d:%d: %s (%s)", js->errors[0]->file, js->errors[0]->line,
			         js->errors[0]->col, js->errors[0]->msg, js->errors[0]->hint);
		held = js->n_errors_all == 1 && strstr(all, bads[i].want) && js->n == 1;
		if (!T_OK(held, "fault %zu is named at its place, the other job stays: %s", i, bads[i].want))
			t_diag("got", all);
		jobs_free(js);
	}
	ws_clear();
}

static void many_faults(void)
{
	struct jobs *js;
	struct job *j;
	struct err e = ERR_INIT;

	ws_put("jobs/a/job.yaml", "kind: sql\nx: 1\n");
	ws_put("jobs/b/job.yaml", "kind: sql\ny: 1\n");
	ws_put("jobs/c/job.yaml", "kind: sql\n");
	ws_put("jobs/C.sql", "select 1\n");
	ws_put("pipelines/p/c/job.yaml", "kind: sql\n");
	js = ws_load();
	T_INT(js->n_errors_all, 4, "all faults of all jobs are collected");
	T_INT(js->n, 1, "of jobs with one name, or equal but for case, one stays");
	T_OK(strstr(js->errors[2]->msg, "is there twice") && strstr(js->errors[2]->msg, "jobs/C.sql"),
	     "both files are named");
	T_OK(jobs_find(js, STR("a"), &j, &e), "a broken job is not found");
	T_ERR(&e, ERR_BAD_CONFIG, "jobs/a/job.yaml:2:1: unknown key \"x\"", "asking for it says what is wrong with it");
	err_clear(&e);
	T_OK(jobs_find(js, STR("cc"), &j, &e), "a job that is not there is not found");
	T_ERR(&e, ERR_NO_JOB, "there is: C", "and those that there are are named");
	jobs_free(js);
	ws_clear();
}

static struct sha code_id(const char *name)
{
	struct jobs *js = ws_load();
	struct job *j = jobs_get(js, str_of(name));
	struct sha id = {0};

	if (j)
		id = job_code_id(j, NULL);
	else
		t_diag("no job", js->n_errors ? js->errors[0]->msg : name);
	jobs_free(js);
	return id;
}

static void code(void)
{
	struct sha first, now, single;

	ws_put("jobs/s/job.yaml", "description: one\n");
	ws_put("jobs/s/job.py", "import lib\n");
	ws_put("jobs/s/lib/a.py", "a\n");
	first = code_id("s");
	T_OK(!sha_is_zero(&first), "a job has a code id");
#define SAME(what)                                                                                                     \
	now = code_id("s");                                                                                            \
	T_OK(sha_eq(&first, &now), what " is no code")
#define DIFFERS(what)                                                                                                  \
	now = code_id("s");                                                                                            \
	T_OK(!sha_eq(&first, &now), what " is code");                                                                  \
	first = now
	ws_put("jobs/s/job.yaml", "description: another\n");
	SAME("job.yaml");
	ws_put("jobs/s/README.md", "x");
	SAME("README");
	ws_put("jobs/s/tests/t.py", "x");
	SAME("tests/");
	ws_put("jobs/s/.hidden", "x");
	SAME("a dot file");
	ws_put("jobs/s/__pycache__/x.pyc", "x");
	SAME("what Python leaves behind");
	ws_put("jobs/s/lib/a.py", "b\n");
	DIFFERS("a file below the folder");
	ws_put("jobs/s/lib/b.py", "b\n");
	DIFFERS("a new file");
	ws_put("lib/common.py", "1\n");
	ws_put("jobs/s/job.yaml", "code: [../../lib]\n");
	DIFFERS("what code: names");
	ws_put("lib/common.py", "2\n");
	DIFFERS("the content of what code: names");
	ws_put("jobs/one.sh", "# description: a\necho\n");
	single = code_id("one");
	ws_put("jobs/one.sh", "# description: b\n# retries: 2\necho\n");
	now = code_id("one");
	T_OK(sha_eq(&single, &now), "the keys in a file are no code");
	ws_put("jobs/one.sh", "# description: b\necho 2\n");
	now = code_id("one");
	T_OK(!sha_eq(&single, &now), "the rest of it is");
	ws_rm("lib");
	ws_clear();
}

static void schema(void)
{
	struct dom *s = job_json_schema(ws_arena, ws_kinds);

	T_INT(dom_path(s, "properties.kind.enum")->n, 3, "the schema of job.yaml knows the kinds");
	T_OK(dom_path(s, "properties.url.description"), "it has the keys of each kind");
	T_INT(dom_path(s, "allOf")->n, 3, "and says for each kind which are its own");
}

int main(void)
{
	ws_begin();
	whole_job();
	forms();
	faults();
	many_faults();
	code();
	schema();
	ws_end();
	return t_done();
}
