/* The clock: which slots become requests, when, and what is said of those that do not. */
#include "flow/clock.h"
#include "flow_fx.h"

static struct clock *c;
static char *said;
static int64_t last_id;
static int64_t next_ms;

static int64_t ms(const char *text)
{
	int64_t t = 0;

	if (!time_parse_rfc3339(str_of(text), &t))
		BUG("%s is no time", text);
	return t;
}

static void note(void *ptr, const char *text)
{
	said = arena_printf(fx_a, "%s%s\n", said, text);
}

static void job(const char *name, const char *partition, const char *schedule)
{
	fx_write(arena_printf(fx_a, "jobs/%s/job.yaml", name),
	         arena_printf(fx_a, "kind: fetch\ncommand: x\npartition: %s\nschedule: %s\n", partition, schedule));
}

/* What a daemon does at its start. */
static void start(const char *at)
{
	struct err e = ERR_INIT;

	clock_free(c);
	fx_reload();
	said = arena_dup(fx_a, "");
	c = clock_new(fx_store, (struct clock_say){note, NULL});
	fx_must(clock_load(c, fx_flow, ms(at), &e), &e);
}

/* What it does when a file has changed. */
static void reload(const char *at)
{
	struct err e = ERR_INIT;
	struct flow *old = fx_flow;

	fx_flow = NULL;
	fx_must(flow_open(fx_store, fx_kinds, true, &fx_flow, &e), &e);
	fx_must(clock_load(c, fx_flow, ms(at), &e), &e);
	flow_close(old);
}

/* The requests that a tick makes, as "JOB 03-29T01:00/DS", parted by blanks; ! behind those that are skipped. */
static const char *tick(const char *at)
{
	char *out = arena_dup(fx_a, "");
	struct err e = ERR_INIT;
	struct q *q;

	said = arena_dup(fx_a, "");
	do
		fx_must(clock_tick(c, ms(at), &next_ms, &e), &e);
	while (next_ms <= ms(at));
	if (!db_has_set(fx_store->db, DB_SET_TIME))
		return out;
	q = db_query(fx_store->db, "select id, job, schedule, slot, ds, state from request where id > ? order by id");
	q_int(q, 1, last_id);
	while (q_step(q, &e) == 1) {
		char text[TIME_TEXT];

		last_id = q_col_int(q, 0);
		time_rfc3339(q_col_int(q, 3) * 1000, text);
		text[16] = '\0';
		out = arena_printf(fx_a, "%s%s%.*s%s%.*s %s/%.*s%s", out, *out ? " " : "", STR_ARG(q_col_text(q, 1)),
		                   q_col_text(q, 2).n ? "." : "", STR_ARG(q_col_text(q, 2)), text + 5,
		                   STR_ARG(q_col_text(q, 4)), str_is(q_col_text(q, 5), "skipped") ? "!" : "");
	}
	q_done(q);
	return out;
}

static const char *next(void)
{
	static char text[TIME_TEXT];

	if (next_ms == CLOCK_NEVER)
		return "never";
	time_rfc3339(next_ms, text);
	text[16] = '\0';
	return text + 5;
}

static int64_t count(const char *sql)
{
	struct q *q = db_query(fx_store->db, sql);
	struct err e = ERR_INIT;
	int64_t n = q_step(q, &e) == 1 ? q_col_int(q, 0) : -1;

	q_done(q);
	return n;
}

static void forget(const char *name)
{
	struct err e = ERR_INIT;

	fx_must(dir_remove_tree(arena_printf(fx_a, "%s/jobs/%s", fx_dir, name), &e), &e);
}

static void summer_time(void)
{
	const char *berlin = "{every: daily, timezone: Europe/Berlin}";

	job("both", berlin, "{cron: \"30 2 * * *\", fold: both}");
	job("night", berlin, "\"30 2 * * *\"");
	job("skips", berlin, "{cron: \"30 2 * * *\", gap: skip}");
	start("2026-03-28T12:00:00Z");
	T_STR(tick("2026-03-28T12:00:01Z"), "", "a job that is new has nothing due");
	T_STR(next(), "03-29T01:00", "the next call is at the change");
	T_STR(tick("2026-03-29T00:59:59Z"), "", "not before its time");
	T_STR(tick("2026-03-29T01:00:00Z"),
	      "both 03-29T01:00/2026-03-28 night 03-29T01:00/2026-03-28 skips 03-29T01:00/2026-03-28!",
	      "30 2 * * * on 2026-03-29: one run at 01:00Z for 2026-03-28; with gap: skip none, and it is listed");
	T_STR(tick("2026-03-30T00:30:00Z"),
	      "both 03-30T00:30/2026-03-29 night 03-30T00:30/2026-03-29 skips 03-30T00:30/2026-03-29", "the next day");
	tick("2026-10-24T12:00:00Z");
	T_STR(tick("2026-10-25T00:30:00Z"),
	      "both 10-25T00:30/2026-10-24 night 10-25T00:30/2026-10-24 skips 10-25T00:30/2026-10-24",
	      "2026-10-25: one run at 00:30Z");
	T_STR(tick("2026-10-25T01:30:00Z"), "both 10-25T01:30/2026-10-24", "and with fold: both another one");
	forget("both");
	forget("night");
	forget("skips");
}

static void missed(void)
{
	job("all", "hourly", "{cron: \"0 * * * *\", catchup: all}");
	job("last", "hourly", "\"0 * * * *\"");
	job("none", "hourly", "{cron: \"0 * * * *\", catchup: none}");
	job("win", "hourly", "{cron: \"0 * * * *\", catchup: {mode: all, window: 1h30m}}");
	start("2026-11-20T08:30:00Z");
	T_STR(tick("2026-11-20T09:00:02Z"),
	      "all 11-20T09:00/2026-11-20T08 last 11-20T09:00/2026-11-20T08"
	      " none 11-20T09:00/2026-11-20T08 win 11-20T09:00/2026-11-20T08",
	      "what is due at one time, in the order of names");
	start("2026-11-20T12:40:00Z"); /* down from 09:10 to 12:40 */
	T_STR(tick("2026-11-20T12:40:00Z"),
	      "all 11-20T10:00/2026-11-20T09 all 11-20T11:00/2026-11-20T10 all 11-20T12:00/2026-11-20T11"
	      " last 11-20T12:00/2026-11-20T11 win 11-20T12:00/2026-11-20T11",
	      "an hourly job, down from 09:10 to 12:40: all: three in order; last: one; none: none");
	T_STR(next(), "11-20T13:00", "the next one is at 13:00");
	T_OK(strstr(said,
	            "job none: 3 slots from 2026-11-20T10:00Z to 2026-11-20T12:00Z did not fire (catchup: none); "
			    "leat backfill"
	            " none --from 2026-11-20T09 --to 2026-11-20T11"),
	     "what did not fire is told: %s", said);
	T_OK(strstr(said, "job last: 2 slots") && strstr(said, "job win: 2 slots") && !strstr(said, "job all"), "%s",
	     said);
	start("2026-11-20T12:45:00Z");
	T_STR(tick("2026-11-20T12:45:00Z"), "", "a second restart adds none");
	T_STR(said, "", "and says nothing");
	T_STR(tick("2026-11-20T13:00:59Z"),
	      "all 11-20T13:00/2026-11-20T12 last 11-20T13:00/2026-11-20T12"
	      " none 11-20T13:00/2026-11-20T12 win 11-20T13:00/2026-11-20T12",
	      "a minute is no delay");
	T_STR(tick("2026-11-20T15:30:00Z"),
	      "all 11-20T14:00/2026-11-20T13 all 11-20T15:00/2026-11-20T14"
	      " last 11-20T15:00/2026-11-20T14 win 11-20T14:00/2026-11-20T13 win 11-20T15:00/2026-11-20T14",
	      "a laptop that was asleep has been down");
	T_INT(count("select count(*) from schedule_missed where job = 'none'"), 2, "each time of missing is a row");
	T_STR(tick("2026-11-20T14:30:00Z"), "", "the clock is set back: nothing");
	T_STR(next(), "11-20T15:00", "it goes on from there");
	T_STR(tick("2026-11-20T15:00:00Z"), "none 11-20T15:00/2026-11-20T14",
	      "no slot fires twice; one that never has does");
	start("2026-11-20T11:00:00Z");
	T_STR(tick("2026-11-20T12:00:00Z"), "none 11-20T12:00/2026-11-20T11",
	      "nor after a restart with a clock that is behind");
	forget("all");
	reload("2026-11-20T15:30:00Z");
	T_STR(tick("2039-01-01T00:00:00Z"),
	      "last 01-01T00:00/2038-12-31T23 none 01-01T00:00/2038-12-31T23"
	      " win 12-31T23:00/2038-12-31T22 win 01-01T00:00/2038-12-31T23",
	      "a clock in 2039");
	forget("last");
	forget("none");
	forget("win");
}

static void new_jobs(void)
{
	start("2026-11-20T12:00:00Z");
	job("old", "daily", "{at: \"06:00\", start: 2023-11-20}");
	job("every", "daily", "{at: \"06:00\", start: 2026-11-18, catchup: all}");
	job("parts", "{every: daily, start: 2026-11-17}", "{at: \"06:00\", catchup: all}");
	job("later", "daily", "{at: \"06:00\", start: 2026-11-22}");
	reload("2026-11-20T12:00:00Z");
	T_STR(tick("2026-11-20T12:00:00Z"),
	      "old 11-20T06:00/2026-11-19 every 11-18T06:00/2026-11-17"
	      " every 11-19T06:00/2026-11-18 every 11-20T06:00/2026-11-19 parts "
	      "11-18T06:00/2026-11-17 parts 11-19T06:00/2026-11-18 parts 11-20T06:00/2026-11-19",
	      "a new job with a start 3 years ago: one run; with catchup: all each slot since its start");
	T_OK(strstr(said,
	            "job old: 1096 slots from 2023-11-20T06:00Z to "
	            "2026-11-19T06:00Z did not fire (catchup: last); leat backfill"
	            " old --from 2023-11-19 --to 2026-11-18"),
	     "the message says how to get the rest: %s", said);
	T_STR(tick("2026-11-21T06:00:00Z"),
	      "every 11-21T06:00/2026-11-20 old 11-21T06:00/2026-11-20 parts 11-21T06:00/2026-11-20",
	      "a job whose start is to come waits for it");
	T_STR(tick("2026-11-22T06:00:00Z"),
	      "every 11-22T06:00/2026-11-21 later 11-22T06:00/2026-11-21 old 11-22T06:00/2026-11-21"
	      " parts 11-22T06:00/2026-11-21",
	      "and then fires");
	forget("old");
	forget("every");
	forget("parts");
	forget("later");
}

static void edited(void)
{
	job("edit", "daily", "{at: \"06:00\", catchup: all}");
	start("2026-12-01T07:00:00Z");
	T_STR(tick("2026-12-02T06:00:00Z"), "edit 12-02T06:00/2026-12-01", "by the first schedule");
	job("edit", "daily", "{at: [\"05:00\", \"08:00\"], catchup: all}");
	reload("2026-12-02T10:00:00Z");
	T_STR(tick("2026-12-02T10:00:00Z"), "", "a schedule is edited: no slot before the edit fires");
	T_STR(tick("2026-12-03T05:00:00Z"), "edit 12-03T05:00/2026-12-02", "those after it do");
	job("edit", "daily", "{at: [\"05:00\", \"08:00\"], catchup: none}");
	start("2026-12-03T09:00:00Z");
	T_STR(tick("2026-12-03T09:00:00Z"), "", "another catchup is no other schedule, and counts at once");
	T_OK(strstr(said, "a slot of 2026-12-03T08:00Z did not fire (catchup: none)"), "%s", said);
	fx_write("jobs/edit/job.yaml", "kind: fetch\nschedule: [\n");
	reload("2026-12-03T10:00:00Z");
	T_STR(tick("2026-12-04T09:00:00Z"), "", "a broken job fires nothing");
	job("edit", "daily", "{at: [\"05:00\", \"08:00\"], catchup: all}");
	reload("2026-12-04T10:00:00Z");
	T_STR(tick("2026-12-04T10:00:00Z"), "edit 12-04T05:00/2026-12-03 edit 12-04T08:00/2026-12-03",
	      "mended, it has missed them");
	forget("edit");
	reload("2026-12-04T11:00:00Z");
	T_STR(tick("2026-12-05T11:00:00Z"), "", "a job that was deleted fires nothing");
	T_STR(next(), "never", "and nothing is to be waited for");
	job("edit", "daily", "{at: [\"05:00\", \"08:00\"], catchup: all}");
	reload("2026-12-05T12:00:00Z");
	T_STR(tick("2026-12-06T05:00:00Z"), "edit 12-06T05:00/2026-12-05",
	      "one that is there again begins at that moment");
	forget("edit");
}

static void paused(void)
{
	struct err e = ERR_INIT;
	struct clock_pause p;

	job("a", "daily", "{at: \"06:00\", catchup: all}");
	job("b", "daily", "{at: \"06:00\", catchup: all}");
	start("2026-12-10T07:00:00Z");
	T_INT(clock_pause(fx_store, fx_job("a"), ms("2026-12-10T08:00:00Z"), &e), 1, "paused");
	T_INT(clock_pause(fx_store, fx_job("a"), ms("2026-12-10T08:30:00Z"), &e), 0, "it was already");
	T_INT(clock_pause(fx_store, fx_job("b"), ms("2026-12-10T08:00:00Z"), &e), 1, "another one");
	T_INT(clock_paused(fx_store, fx_a, fx_job("a"), &p, &e), 1, "it is told");
	T_OK(p.since_ms == ms("2026-12-10T08:00:00Z") && p.who.n, "since when, by whom");
	T_STR(tick("2026-12-13T07:00:00Z"), "", "paused for 3 days: nothing fires");
	T_INT(clock_resume(fx_store, fx_job("a"), false, ms("2026-12-13T07:10:00Z"), &e), 1, "resumed");
	T_INT(clock_resume(fx_store, fx_job("a"), false, ms("2026-12-13T07:10:00Z"), &e), 0, "it was already");
	T_STR(tick("2026-12-13T07:10:00Z"), "", "nothing is caught up unless asked");
	T_INT(clock_resume(fx_store, fx_job("b"), true, ms("2026-12-13T07:10:00Z"), &e), 1, "resumed to catch up");
	T_STR(tick("2026-12-13T07:10:00Z"),
	      "b 12-11T06:00/2026-12-10 b 12-12T06:00/2026-12-11 b 12-13T06:00/2026-12-12",
	      "asked, it is, by its policy");
	T_STR(tick("2026-12-14T06:00:00Z"), "a 12-14T06:00/2026-12-13 b 12-14T06:00/2026-12-13", "both go on");
	fx_write("jobs/c/job.yaml", "kind: fetch\ncommand: x\npartition: daily\npaused: true\n"
	                            "schedule: {at: \"06:00\", catchup: all, start: 2026-12-13}\n");
	reload("2026-12-15T07:00:00Z");
	T_STR(tick("2026-12-15T07:00:00Z"), "a 12-15T06:00/2026-12-14 b 12-15T06:00/2026-12-14",
	      "a job may be paused at first");
	T_INT(clock_paused(fx_store, fx_a, fx_job("c"), &p, &e), 1, "its file says so");
	T_INT(clock_resume(fx_store, fx_job("c"), false, ms("2026-12-15T08:00:00Z"), &e), 1,
	      "resumed for the first time");
	T_STR(tick("2026-12-15T08:00:00Z"),
	      "c 12-13T06:00/2026-12-12 c 12-14T06:00/2026-12-13 c 12-15T06:00/2026-12-14",
	      "then it catches up from its start");
	T_INT(count("select count(*) from request where kind <> 'schedule'"), 0, "the clock asks for slots alone");
	forget("a");
	forget("b");
	forget("c");
}

static void several(void)
{
	struct str *lines;
	struct err e = ERR_INIT;
	size_t n;

	job("s", "daily", "[{name: early, at: \"05:00\"}, {at: \"06:00\"}, {cron: \"0 6 * * *\"}]");
	start("2027-02-01T00:00:00Z");
	T_STR(tick("2027-02-01T05:00:00Z"), "s.early 02-01T05:00/2027-01-31", "by name");
	T_STR(tick("2027-02-01T06:00:00Z"), "s.2 02-01T06:00/2027-01-31 s.3 02-01T06:00/2027-01-31",
	      "two at one time are two slots");
	job("s", "daily", "[{name: early, at: \"05:00\"}, {at: \"07:00\"}, {cron: \"0 6 * * *\"}]");
	start("2027-02-01T08:00:00Z");
	T_STR(tick("2027-02-02T06:00:00Z"), "s.early 02-02T05:00/2027-02-01 s.3 02-02T06:00/2027-02-01",
	      "one is edited, the others go on");
	job("s", "daily", "{every: 1s, start: 2026-02-01, catchup: none}");
	start("2027-02-03T00:00:00Z");
	fx_must(clock_missed(fx_store, fx_a, fx_job("s"), 5, &lines, &n, &e), &e);
	T_INT(n, 0, "an edited schedule has missed nothing");
	job("t", "none", "{every: 1s, start: 2026-02-01, catchup: last}");
	reload("2027-02-03T00:00:00Z");
	tick("2027-02-03T00:00:00Z");
	fx_must(clock_missed(fx_store, fx_a, fx_job("t"), 5, &lines, &n, &e), &e);
	T_OK(n == 1 && strstr(lines[0].p,
	                      "more than 20000 slots from 2026-02-01T00:00Z to 2027-02-02T23:59Z did not fire"),
	     "a year of"
	     " seconds: %s",
	     n ? lines[0].p : "");
	forget("s");
	forget("t");
}

static void crowds(void)
{
	char *text = arena_dup(fx_a, "");
	struct err e = ERR_INIT;
	int64_t before;

	for (int i = 0; i < 1000; i++)
		job(arena_printf(fx_a, "many%03d", i), "daily", "\"0 6 * * *\"");
	job("flood", "hourly", "{every: 1m, start: 2027-02-25, catchup: all}");
	start("2027-03-01T00:00:00Z");
	before = count("select count(*) from request");
	fx_must(clock_tick(c, ms("2027-03-01T00:00:00Z"), &next_ms, &e), &e);
	T_INT(count("select count(*) from request") - before, CLOCK_MAX_ROWS, "a transaction has a limit");
	T_OK(next_ms <= ms("2027-03-01T00:00:00Z"), "the rest comes at once");
	tick("2027-03-01T00:00:00Z");
	T_INT(count("select count(*) from request where job = 'flood'"), 4 * 24 * 60, "all of them come, none twice");
	text = (char *)tick("2027-03-01T06:00:00Z");
	T_INT(count("select count(*) from request where job like 'many%'"), 1000, "1,000 slots of one second");
	T_OK(strstr(text, "many000") && strstr(text, "many999"), "all of them");
	T_STR(tick("2027-03-01T06:00:01Z"), "", "once");
}

int main(void)
{
	fx_begin("name: x\n");
	summer_time();
	missed();
	new_jobs();
	edited();
	paused();
	several();
	crowds();
	clock_free(c);
	return fx_end();
}
