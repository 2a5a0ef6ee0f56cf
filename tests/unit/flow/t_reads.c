/* SEMANTICS 2: what a calendar unit of ds D reads, in each mix of kinds. */
#include "flow_fx.h"

static void job(const char *name, const char *partition, const char *input)
{
	fx_write(arena_printf(fx_a, "jobs/%s/job.yaml", name),
	         arena_printf(fx_a, "kind: task\npartition: %s\noutput: marts/%s\ninputs:\n  in: %s\n", partition,
	      name, input));
}

/* One job per mix: NAME_of_INPUT. */
static void make_jobs(void)
{
	static const char *const kinds[][2] = {{"h", "hourly"}, {"d", "daily"}, {"w", "weekly"}, {"m", "monthly"},
	      {"n", "none"}};
	static const char *const inputs[][2] = {
		{"hours", "raw/hours"}, {"days", "raw/days"}, {"weeks", "raw/weeks"}, {"months", "raw/months"},
		      {"whole", "raw/whole"},
		{"dim", "tables/dim_d"}, {"dimm", "tables/dim_m"}, {"dimh", "tables/dim_h"}, {"fct", "tables/fct_d"},
		      {"gone", "raw/gone"},
		{"six", "{repo: raw/days, window: [-6, 0]}"}, {"all", "{repo: raw/days, window: all}"},
		{"past", "{repo: raw/days, window: [-2, -1]}"}, {"next", "{repo: raw/days, window: [0, 1]}"},
		{"opt", "{repo: raw/days, optional: true}"}, {"optgone", "{repo: raw/gone, optional: true}"},
		{"optwin", "{repo: raw/days, optional: true, window: [-6, 0]}"}, {"wk",
		      "{repo: raw/weeks, window: [0, 0]}"},
		{"dimall", "{repo: tables/dim_d, window: all}"}, {"pin", "{repo: raw/whole, pin: master.1}"},
		{"hwin", "{repo: raw/hours, window: [-1, 0]}"}, {"dwin", "{repo: raw/days, window: [-1, 0]}"}};

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < ARRAY_LEN(inputs); i++)
			if (kinds[k][0][0] != 'n' || !strstr(inputs[i][1], "window: ["))
				job(arena_printf(fx_a, "%s_%s", kinds[k][0], inputs[i][0]), kinds[k][1], inputs[i][1]);
}

static void same_and_finer(void)
{
	T_STR(fx_reads("d_days", "2018-01-05"), "2018-01-05", "a daily unit reads its own day of a daily input");
	T_STR(fx_reads("d_fct", "2018-01-05"), "2018-01-05", "a unit reads its own ds of a fct_, not all");
	T_STR(fx_reads("d_hours", "2018-01-01"), "2018-01-01T00..2018-01-01T23 (24)",
	      "a daily unit reads the 24 hours of its day");
	T_STR(fx_reads("d_hours", "2018-01-02"), "missing: raw/hours ds=2018-01-02T05 is missing",
	      "a missing hour is named");
	T_STR(fx_reads("w_days", "2018-W02"), "2018-01-08..2018-01-14 (7)",
	      "a weekly unit reads 7 days, Monday to Sunday");
	T_STR(fx_reads("m_days", "2018-01"), "2018-01-01..2018-01-31 (31)",
	      "a monthly unit reads the days of its month");
	T_STR(fx_reads("m_days", "2018-02"), "missing: raw/days ds=2018-02-10 and 16 more are missing",
	      "a month with a hole and an open end names what lacks");
	T_STR(fx_reads("m_hours", "2018-03"), "missing: raw/hours ds=2018-03-01T00 and 743 more are missing",
	      "a month of hours that are not there lacks each hour");
}

static void coarser(void)
{
	T_STR(fx_reads("h_days", "2018-01-05T13"), "2018-01-05", "an hourly unit reads the day that contains it");
	T_STR(fx_reads("h_months", "2018-01-05T13"), "2018-01", "an hourly unit reads the month that contains it");
	T_STR(fx_reads("d_months", "2018-01-31"), "2018-01", "a daily unit reads the month that contains it");
	T_STR(fx_reads("d_weeks", "2018-01-14"), "2018-W02",
	      "a daily unit reads the week that contains it: Sunday is its last day");
	T_STR(fx_reads("d_months", "2018-03-01"), "missing: raw/months ds=2018-03 is missing",
	      "the month that lacks is named for a day");
	T_OK(strstr(fx_reads("m_weeks", "2018-01"), "error jobs/m_weeks/job.yaml:5"),
	      "monthly reads weekly: an error at the input's place");
	T_OK(strstr(fx_reads("w_months", "2018-W02"), "do not fit"),
	      "weekly reads monthly: an error, for weeks cross the ends of months");
	T_STR(fx_reads("m_wk", "2018-01"), "2018-W01..2018-W04 (4)",
	      "with a window a month reads the weeks that lie in it whole");
	T_STR(fx_reads("h_dwin", "2018-01-05T00"), "2018-01-04..2018-01-05 (2)",
	      "a window in hours reads the days it touches");
	T_STR(fx_reads("d_hwin", "2018-01-01"), "2018-01-01T00..2018-01-01T23 (24)",
	      "a window in days over hours begins at the first hour there is");
}

static void snapshots(void)
{
	T_STR(fx_reads("d_dim", "2018-01-05"), "2018-01-03", "of a dim_ the newest snapshot not after the ds is read");
	T_STR(fx_reads("d_dim", "2018-01-03"), "2018-01-03", "a snapshot of the ds itself is not after it");
	T_STR(fx_reads("d_dim", "2019-06-01"), "2018-01-20", "the last snapshot is the newest for ever after");
	T_STR(fx_reads("d_dim", "2018-01-02"), "missing: tables/dim_d ds=2018-01-02 is missing",
	      "before the first snapshot there is none");
	T_STR(fx_reads("h_dim", "2018-01-20T07"), "2018-01-20", "an hour reads the snapshot of its day");
	T_STR(fx_reads("w_dim", "2018-W03"), "2018-01-03", "a week reads the snapshot not after its Monday");
	T_STR(fx_reads("m_dim", "2018-02"), "2018-01-20", "a month reads the snapshot not after its first day");
	T_STR(fx_reads("d_dimm", "2018-01-31"), "2018-01", "a monthly snapshot that began before the day is read");
	T_STR(fx_reads("d_dimh", "2018-01-02"), "2018-01-01T06",
	      "of hourly snapshots the newest that began not after the day");
	T_STR(fx_reads("n_dim", ""), "2018-01-20", "a job without partition reads the newest snapshot");
	T_STR(fx_reads("n_dimall", ""), "2018-01-03..2018-01-20 (2)", "... with window: all, each of them");
	T_STR(fx_reads("d_dimall", "2018-01-10"), "2018-01-03..2018-01-20 (2)",
	      "window: all over a dim_ reads all snapshots; gaps are none");
}

static void windows(void)
{
	T_STR(fx_reads("d_six", "2018-01-10"), "2018-01-04..2018-01-10 (7)",
	      "window: [-6, 0] reads a week up to the ds");
	T_STR(fx_reads("d_six", "2018-01-03"), "2018-01-01..2018-01-03 (3)",
	      "partitions before the input's first are skipped in a window");
	T_STR(fx_reads("d_six", "2018-02-12"), "missing: raw/days ds=2018-02-10 is missing",
	      "a hole after the first is missing in a window");
	T_STR(fx_reads("d_six", "2017-12-31"), "missing: raw/days ds=2017-12-31 is missing",
	      "its own partition must be there, also before the first");
	T_STR(fx_reads("d_past", "2018-01-05"), "2018-01-03..2018-01-04 (2)",
	      "a window that leaves out its own ds does not need it");
	T_STR(fx_reads("d_past", "2018-01-01"), "empty",
	      "a window wholly before the first partition is empty, not missing");
	T_STR(fx_reads("d_next", "2018-01-05"), "2018-01-05..2018-01-06 (2)", "a window may reach ahead");
	T_STR(fx_reads("d_next", "2018-02-12"), "missing: raw/days ds=2018-02-13 is missing",
	      "what a window reaches ahead for must be there");
	T_STR(fx_reads("w_six", "2018-W03"), "2018-01-01..2018-01-21 (21)",
	      "a window is counted in units of the job: weeks of days");
	T_STR(fx_reads("d_all", "2018-01-05"), "missing: raw/days ds=2018-02-10 is missing",
	      "window: all reads every partition, and a hole lacks");
	T_STR(fx_reads("n_all", ""), "2018-01-01..2018-02-12 (42)", "a job without partition reads what there is");
}

static void others(void)
{
	T_STR(fx_reads("d_whole", "2018-01-05"), "whole", "a repo without ds= folders is read whole");
	T_STR(fx_reads("n_whole", ""), "whole", "... by a job without partition too");
	T_STR(fx_reads("d_pin", "2018-01-05"), "whole", "a pinned input is read as it was");
	T_STR(fx_reads("d_gone", "2018-01-05"), "missing: raw/gone is not there",
	      "a repo that is not there is missing");
	T_STR(fx_reads("d_optgone", "2018-01-05"), "nothing", "optional: a repo that is not there is an empty folder");
	T_STR(fx_reads("d_opt", "2018-02-10"), "nothing", "optional: a missing partition is nothing");
	T_STR(fx_reads("d_opt", "2018-02-09"), "2018-02-09", "optional: what is there is taken");
	T_STR(fx_reads("d_optwin", "2018-02-12"), "2018-02-06..2018-02-12 (6)",
	      "optional in a window: takes what is there, holes or not");
	T_STR(fx_reads("n_days", ""), "2018-01-01..2018-02-12 (42)", "a job without partition reads all partitions");
	T_STR(fx_reads("d_empty", "2018-01-05"), "2018-01-05", "a partition that was made and holds nothing is there");
}

static void pins(void)
{
	const struct job *j = fx_job("d_pin"), *head = fx_job("d_whole");
	struct ds d = ds_of_label("2018-01-05");
	struct reads a = {0}, b = {0};
	struct err e = ERR_INIT;

	fx_must(reads_for_unit(fx_cat, fx_a, j, &j->inputs[0], &d, &a, &e), &e);
	fx_must(reads_for_unit(fx_cat, fx_a, head, &head->inputs[0], &d, &b, &e), &e);
	T_OK(!sha_eq(&a.content, &b.content), "the content of a pinned input is that of its commit");
	fx_put("raw/whole", "new.csv", "3");
	fx_reload();
	j = fx_job("d_pin");
	fx_must(reads_for_unit(fx_cat, fx_a, j, &j->inputs[0], &d, &b, &e), &e);
	T_OK(sha_eq(&a.content, &b.content), "... and stays so when the head moves");
}

static void queries(void)
{
	struct reads r = {0};
	struct ds d = ds_of_label("2018-01-05"), early = ds_of_label("2018-01-02");
	struct err e = ERR_INIT;

	T_OK(reads_for_query(fx_cat, fx_a, STR("tables/fct_d"), STR_NULL, false, &r, &e) == 0 && r.n_parts == 31,
	     "a query reads all of a fct_");
	T_OK(reads_for_query(fx_cat, fx_a, STR("tables/dim_d"), STR_NULL, false, &r, &e) == 0 && r.n_parts == 1 &&
	             !strcmp(r.parts[0].label, "2018-01-20"),
	     "a query reads the newest of a dim_");
	T_OK(reads_for_query(fx_cat, fx_a, STR("tables/dim_d"), STR_NULL, true, &r, &e) == 0 && r.n_parts == 2,
	     "a query that names its ds reads all snapshots");
	T_OK(reads_for_query_ds(fx_cat, fx_a, STR("tables/dim_d"), STR_NULL, &d, tz_utc(), &r, &e) == 0 &&
	      r.n_parts == 1 &&
	             !strcmp(r.parts[0].label, "2018-01-03"),
	     "--ds D reads as a unit of D would: the snapshot not after it");
	T_OK(reads_for_query_ds(fx_cat, fx_a, STR("tables/dim_d"), STR_NULL, &early, tz_utc(), &r, &e) == 0 &&
	             r.state == READS_MISSING,
	     "--ds D before the first snapshot: it is missing, not an error");
	T_OK(reads_for_query(fx_cat, fx_a, STR("tables/fct_x"), STR_NULL, false, &r, &e) < 0,
	      "a table that is not there is an error");
	T_ERR(&e, ERR_NOT_FOUND, "fct_", "... that names it");
}

int main(void)
{
	struct err e = ERR_INIT;
	struct ingest *in;
	struct tree_edit ed = {.op = EDIT_PUT, .path = STR("ds=2018-01-05")};

	fx_begin("name: test\n");
	fx_parts("raw/hours", "2018-01-01T00..2018-01-02T23");
	fx_rm("raw/hours", "ds=2018-01-02T05");
	fx_parts("raw/days", "2018-01-01..2018-02-12");
	fx_rm("raw/days", "ds=2018-02-10");
	fx_parts("raw/weeks", "2017-W50..2018-W10");
	fx_parts("raw/months", "2017-11..2018-02");
	fx_parts("tables/dim_d", "2018-01-03 2018-01-20");
	fx_parts("tables/dim_m", "2017-12 2018-01");
	fx_parts("tables/dim_h", "2018-01-01T06 2018-01-02T07");
	fx_parts("tables/fct_d", "2018-01-01..2018-01-31");
	fx_put("raw/whole", "a.csv", "1");
	fx_put("raw/whole", "a.csv", "2");
	in = ingest_new(fx_store);
	ed.entry = (struct entry){.kind = ENTRY_FOLDER, .id = tree_empty_id()};
	fx_put_as(STR("raw/empty"), REPO_SOURCE, &ed, 1, in);
	make_jobs();
	job("d_empty", "daily", "raw/empty");
	fx_reload();
	catalog_graph(fx_cat, fx_flow->graph);
	same_and_finer();
	coarser();
	snapshots();
	windows();
	others();
	pins();
	queries();
	err_clear(&e);
	return fx_end();
}
