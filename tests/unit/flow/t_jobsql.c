/* flow/jobsql: what queries read and mean, found by DuckDB's parser, remembered by the caches. */
#include "flow/graph.h"
#include "flow/jobsql.h"
#include "ws.h"

static struct duck *duck;

static void job(const char *name, const char *keys, const char *sql)
{
	ws_put(arena_printf(ws_arena, "jobs/%s/job.yaml", name), keys);
	ws_put(arena_printf(ws_arena, "jobs/%s/job.sql", name), sql);
}

/* may_ask false: by a worker of its own, which must not have been started in the end. */
static struct jobs *prepared(bool may_ask)
{
	struct duck_conf none = {.threads = 1};
	struct duck *dead = NULL;
	struct err e = ERR_INIT;
	struct jobs *js = ws_load();

	if (!may_ask)
		dead = duck_new(&none);
	T_NO_ERR(jobsql_prepare(js, may_ask ? duck : dead, &e), &e, "queries are told%s", may_ask ? ""
		 : " from the caches");
	if (dead)
		T_INT(duck_fd(dead), -1, "and no worker was started");
	duck_free(dead);
	for (size_t i = 0; i < js->n_errors; i++)
		t_diag("broken", js->errors[i]->msg);
	return js;
}

static const char *inputs(const struct job *j)
{
	struct buf b = BUF_INIT(10000);
	const char *out;

	for (size_t i = 0; i < j->n_inputs; i++) {
		const struct job_input *in = &j->inputs[i];

		buf_addf(&b, "%s%s=%.*s", i ? " " : "", in->name.p, STR_ARG(in->repo));
		if (in->pin.p)
			buf_addf(&b, "@%.*s", STR_ARG(in->pin));
		if (in->at.p)
			buf_adds(&b, "@time");
		if (in->window == WINDOW_HISTORY)
			buf_adds(&b, "(history)");
		if (in->found)
			buf_addf(&b, ":%d:%d", in->line, in->col);
	}
	out = arena_dup(ws_arena, b.p);
	buf_free(&b);
	return out;
}

static const char *inputs_of(const struct jobs *js, const char *name)
{
	struct job *j = jobs_get(js, str_of(name));

	return j ? inputs(j) : "no such job";
}

static void finding(void)
{
	struct jobs *js;

	job("a", "partition: daily\n",
	    "with c as (select * from tables.sales)\nselect * from c join raw.\"x/y\" using (k)\n"
	                               "join plain using (k) join tables.sales s2 using (k)\n");
	job("b", "inputs: {mine: tables/sales}\nparams: {n: 3}\n", "");
	ws_put("jobs/b/job.sql",
	       "select * from {{ inputs.mine }} where n > {{ params.n }}\r\n"
	       "union all select * from tables.other at (version => 'master.31')\r\n"
	       "union all select * from \"tables.third@abcd1234\"\r\n"
	       "union all select * from tables.\"fourth@v1\"\r\n"
	       "union all select * from tables.dim_s__history\r\n");
	ws_put("jobs/c.sql", "-- partition: daily\n\nselect ds from a where ds = {{ ds }}\n");
	ws_age();
	js = prepared(true);
	T_INT(js->n_errors_all, 0, "there are no errors");
	T_STR(inputs_of(js, "a"), "sales=tables/sales:1:26 y=raw/x/y:2:22 plain=plain:3:6",
	      "tables are found once each, with places; CTEs are none");
	T_STR(inputs_of(js, "b"),
	      "mine=tables/sales other=tables/other@master.31:2:25 third=tables/third@abcd1234:3:25 "
	      "fourth=tables/fourth@v1:4:25 dim_s__history=tables/dim_s(history):5:25",
	      "declared inputs stand; pins and history are told");
	T_STR(inputs_of(js, "c"), "a=a:3:16", "a job reads another one's output");
	T_OK(!jobs_get(js, STR("c"))->sql_by_ds, "a plain ds does not change the shape of a text");
	jobs_free(js);
	js = prepared(false);
	T_INT(js->stats.read, 0, "nothing is read again");
	T_STR(inputs_of(js, "a"), "sales=tables/sales:1:26 y=raw/x/y:2:22 plain=plain:3:6",
	      "the cache keeps the inputs");
	jobs_free(js);
	ws_rm(".leat/cache/jobs");
	js = prepared(false);
	T_STR(inputs_of(js, "c"), "a=a:3:16", "without the cache of jobs, parse results are still known");
	jobs_free(js);
	ws_clear();
}

static struct sha code(const char *keys, const char *sql)
{
	struct jobs *js;
	struct job *j;
	struct sha id = {0};

	job("m", keys, sql);
	js = prepared(true);
	j = jobs_get(js, STR("m"));
	if (j)
		id = job_code_id(j, NULL);
	jobs_free(js);
	return id;
}

static void meaning(void)
{
	const char *daily = "partition: daily\n";
	struct sha first = code(daily, "select a, b from raw.x where ds = {{ ds }}"), now;

	T_OK(!sha_is_zero(&first), "a query has a meaning");
	now = code(daily, "-- a comment\nSELECT a,\r\n  b FROM raw.x\nWHERE ds = {{ ds }} -- another\n");
	T_OK(sha_eq(&first, &now), "comments, case of keywords and line breaks do not change it");
	now = code("partition: daily\ndescription: other\nretries: 3\n", "select a, b from raw.x where ds = {{ ds }}");
	T_OK(sha_eq(&first, &now), "keys are no code");
	now = code(daily, "select b, a from raw.x where ds = {{ ds }}");
	T_OK(!sha_eq(&first, &now), "another order of columns does");
	now = code(daily, "select a, b from raw.x where ds = '2018-01-01'");
	T_OK(!sha_eq(&first, &now), "a date in place of ds does");
	ws_put("jobs/m/macro.sql", "x");
	now = code(daily, "select a, b from raw.x where ds = {{ ds }}");
	T_OK(!sha_eq(&first, &now), "another file of the folder does");
	ws_clear();
}

static void faults(void)
{
	static const struct {
		const char *sql, *want;
	} bad[] = {
		{"select 1,\n  from from x\n", "jobs/x/job.sql:2:"},
		{"select {{ params.none }}\n", "jobs/x/job.sql:1:"},
		{"select 1\n{% if %}\n", "jobs/x/job.sql:2:"},
		{"select {{ ds }}\n", "jobs/x/job.sql:1:"},
		{"-- nothing\n", "jobs/x/job.sql:1:1: the file holds no statement"},
		{"create table t as select 1", "jobs/x/job.sql:1:1: the last statement gives no rows"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char all[2048] = "";
		struct jobs *js;

		job("x", "params: {a: 1}\n", bad[i].sql);
		job("good", "", "select 1");
		js = prepared(true);
		if (js->n_errors)
			snprintf(all, sizeof(all), "%s:%d:%d: %s", js->errors[0]->file, js->errors[0]->line,
				 js->errors[0]->col,
			         js->errors[0]->msg);
		if (!T_OK(js->n_errors_all == 1 && strstr(all, bad[i].want), "fault %zu of SQL is named at its place",
			  i))
			t_diag("got", all);
		T_OK(!jobs_get(js, STR("x")) && jobs_get(js, STR("good")) && jobs_get(js, STR("good"))->index == 0,
		     "fault %zu takes out its job alone", i);
		jobs_free(js);
		ws_clear();
	}
	ws_put("jobs/x/job.yaml", "kind: sql\n");
	struct jobs *js = prepared(true);
	T_OK(js->n_errors == 1 && strstr(js->errors[0]->msg, "the job has no SQL"), "a sql job without SQL is told so");
	jobs_free(js);
	ws_clear();
}

static const char *unit(const struct jobs *js, const char *name, const char *ds, const struct dom *params,
			struct jobsql *q)
{
	struct job *j = jobs_get(js, str_of(name));
	struct err e = ERR_INIT;

	if (jobsql_unit(js, j, jobsql_vars(ws_arena, j, str_of(ds), params), duck, ws_arena, q, &e))
		return arena_printf(ws_arena, "%s:%d: %s", e.file, e.line, e.msg);
	return arena_cstr(ws_arena, q->text.text);
}

static void units(void)
{
	struct jobs *js;
	struct jobsql q, r;
	struct dom *params = dom_new(ws_arena, DOM_MAP);
	struct err e = ERR_INIT;

	job("p", "partition: daily\nparams: {n: 1}\n", "select {{ params.n }} from raw.x where ds = {{ ds }}");
	job("s", "partition: daily\n",
	    "{% if ds < '2018-01-01' %}select 1 from raw.old{% else %}select 2 from raw.new{% endif %}");
	job("t", "partition: daily\ninputs: [raw/old, raw/new]\n",
	    "{% if ds < '2018-01-01' %}select 1 from raw.old{% else %}select 2 from raw.new{% endif %}");
	job("n", "partition: daily\n", "select * from raw.\"x@{{ ds }}\"");
	js = prepared(true);
	T_STR(unit(js, "p", "2018-01-24", NULL, &q), "select 1 from raw.x where ds = '2018-01-24'",
	      "a unit's text has its ds");
	T_OK(sha_eq(&q.meaning, &jobs_get(js, STR("p"))->sql_meaning), "its meaning is the job's");
	T_INT(q.info.n_tables, 1, "its tables are told");
	T_INT(q.info.tables[0].start, 14, "at their places in its text");
	dom_set_int(ws_arena, params, "n", 2);
	unit(js, "p", "2018-01-24", params, &q);
	unit(js, "p", "2018-01-25", params, &r);
	T_OK(!sha_eq(&q.meaning, &jobs_get(js, STR("p"))->sql_meaning), "parameters by hand change the meaning");
	T_OK(sha_eq(&q.meaning, &r.meaning), "the same for every ds");
	T_OK(jobs_get(js, STR("s"))->sql_by_ds, "a text whose shape depends on ds is told per unit");
	T_STR(unit(js, "s", "2017-06-01", NULL, &q), "select 1 from raw.old", "each ds has its text");
	T_STR(unit(js, "s", "2018-06-01", NULL, &r),
	      "jobs/s/job.sql:1: for this ds the query reads raw/new, which is no input of the job",
	      "a table that only some ds name must be declared");
	T_STR(unit(js, "t", "2018-06-01", NULL, &r), "select 2 from raw.new", "then it is read");
	unit(js, "t", "2017-06-01", NULL, &q);
	T_OK(!sha_eq(&q.meaning, &r.meaning), "texts of another shape differ in meaning");
	T_OK(jobs_get(js, STR("n"))->sql_by_ds, "ds in the name of a table makes it so too");
	jobs_free(js);
	ws_age();
	jobs_free(prepared(true));
	js = prepared(true);
	ws_put("jobs/p/job.sql", "select 3");
	T_OK(jobsql_load(js, jobs_get(js, STR("p")), &e) == -1,
	     "a query edited after the jobs were loaded is not run as theirs");
	T_ERR(&e, ERR_CONFLICT, "has changed since", "and that is said");
	jobs_free(js);
	ws_clear();
}

static void graph(void)
{
	struct jobs *js;
	struct graph *g;
	struct err e = ERR_INIT;

	ws_put("jobs/a.sql", "-- output: tables/a\n\nselect * from tables.b\n");
	ws_put("jobs/b.sql", "-- output: tables/b\n\nselect *\nfrom tables.a\n");
	js = prepared(true);
	T_OK(graph_make(ws_arena, js, &g, &e) == -1, "queries that read each other are a circle");
	T_ERR(&e, ERR_BAD_CONFIG, "jobs/a.sql:3:15: jobs read each other in a circle",
	      "named at the place in the query");
	jobs_free(js);
	ws_clear();
}

static void names(void)
{
	T_STR(jobsql_table_of(ws_arena, STR("tables/sales"), STR_NULL).p, "tables.sales",
	      "tables/sales is tables.sales");
	T_STR(jobsql_table_of(ws_arena, STR("raw/a/b"), STR_NULL).p, "raw.\"a/b\"", "raw/a/b is raw.\"a/b\"");
	T_STR(jobsql_table_of(ws_arena, STR("trips"), STR_NULL).p, "trips", "a repo without zone stands alone");
	T_STR(jobsql_table_of(ws_arena, STR("raw/x"), STR("master.31")).p, "raw.\"x@master.31\"",
	      "a pin is part of the name");
}

int main(int argc, char **argv)
{
	struct duck_conf c = {.threads = 1};
	struct err e = ERR_INIT;
	char version[32], where[4096];

	if (argc > 2 && !strcmp(argv[1], "--role"))
		return duck_worker_main(argc, argv);
	if (duck_library(version, sizeof(version), where, sizeof(where), &e))
		T_SKIP_ALL("%s", e.msg);
	ws_begin();
	duck = duck_new(&c);
	finding();
	meaning();
	faults();
	units();
	graph();
	names();
	duck_free(duck);
	ws_end();
	return t_done();
}
