/* The SQL worker through its client: this program is also the worker, when it is started as one. */
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "db/duck.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "tests/t.h"

static struct arena *a;
static struct duck *d;
static char dir[] = "/tmp/leat-duck-XXXXXX";

static const char *path(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

/* The first cell of a query, or the error's word. */
static const char *one(const char *sql)
{
	struct duck_sql q = {.sql = str_of(sql)};
	struct duck_small s;
	struct err e = ERR_INIT;

	if (duck_small(d, a, &q, &s, NULL, &e))
		return arena_printf(a, "%s: %s", err_word(e.code), e.msg);
	return s.rows.n_rows && s.rows.at[0].p ? arena_cstr(a, s.rows.at[0]) : "(nothing)";
}

static int first_json(void *ptr, const struct duck_msg *m)
{
	const char **out = ptr;

	if (m->kind == DUCK_ROWS && !*out)
		*out = arena_cstr(a, m->rows.at[0]);
	return 0;
}

static const char *one_json(const char *sql)
{
	struct duck_sql q = {.sql = str_of(sql)};
	struct err e = ERR_INIT;
	const char *out = NULL;

	if (duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_JSON), first_json, &out, NULL, NULL, &e))
		return arena_dup(a, e.msg);
	return out;
}

static void cells(void)
{
	static const struct {
		const char *sql, *text, *json;
	} c[] = {
		{"select true", "true", "true"},
		{"select 1::tinyint - 2", "-1", "-1"},
		{"select 18446744073709551615::ubigint", "18446744073709551615", "18446744073709551615"},
		{"select '-170141183460469231731687303715884105728'::hugeint",
		 "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"},
		{"select 340282366920938463463374607431768211455::uhugeint", "340282366920938463463374607431768211455",
		 "340282366920938463463374607431768211455"},
		{"select 0.1::double + 0.2::double", "0.30000000000000004", "0.30000000000000004"},
		{"select 0.1::float", "0.1", "0.1"},
		{"select 'nan'::double", "nan", "\"nan\""},
		{"select 3::double", "3.0", "3.0"},
		{"select -0.05::decimal(4,2)", "-0.05", "-0.05"},
		{"select 123456789012345678901234567890.12::decimal(38,2)", "123456789012345678901234567890.12",
		 "123456789012345678901234567890.12"},
		{"select date '2018-02-09'", "2018-02-09", "\"2018-02-09\""},
		{"select time '23:59:59.25'", "23:59:59.25", "\"23:59:59.25\""},
		{"select timestamp '1969-12-31 23:59:59.5'", "1969-12-31 23:59:59.5", "\"1969-12-31 23:59:59.5\""},
		{"select timestamptz '2018-02-09 01:00:00+01'", "2018-02-09 00:00:00+00", "\"2018-02-09 00:00:00+00\""},
		{"select timestamp_ns '2018-02-09 01:02:03.123456789'", "2018-02-09 01:02:03.123456789",
		 "\"2018-02-09 01:02:03.123456789\""},
		{"select interval '14 months 3 days 1 second'", "1 year 2 months 3 days 00:00:01",
		 "\"1 year 2 months 3 days 00:00:01\""},
		{"select '00112233-4455-6677-8899-aabbccddeeff'::uuid", "00112233-4455-6677-8899-aabbccddeeff",
		 "\"00112233-4455-6677-8899-aabbccddeeff\""},
		{"select '\\x00ab'::blob", "\\x00ab", "\"\\\\x00ab\""},
		{"select '10110'::bit", "10110", "\"10110\""},
		{"select 'b'::enum('a', 'b')", "b", "\"b\""},
		{"select [1, null, 3]", "[1, NULL, 3]", "[1,null,3]"},
		{"select [[1], []]", "[[1], []]", "[[1],[]]"},
		{"select array_value(1, 2)", "[1, 2]", "[1,2]"},
		{"select {'a': 1, 'b': {'c': 'x'}}", "{'a': 1, 'b': {'c': x}}", "{\"a\":1,\"b\":{\"c\":\"x\"}}"},
		{"select map {'k': 1, 'l': 2}", "{k=1, l=2}", "{\"k\":1,\"l\":2}"},
		{"select union_value(n := 5)", "5", "5"},
		{"select '{\"a\": 1}'::json", "{\"a\": 1}", "{\"a\": 1}"},
		{"select 'a\"b'", "a\"b", "\"a\\\"b\""},
		{"select 'a long string of more than twelve bytes'", "a long string of more than twelve bytes",
		 "\"a long string of more than twelve bytes\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		T_STR(one(c[i].sql), c[i].text, "%s, as text", c[i].sql);
		T_STR(one_json(c[i].sql), c[i].json, "%s, as JSON", c[i].sql);
	}
	T_STR(one_json("select null"), "null", "a null is null in JSON");
	T_STR(one("select typeof(1)"), "INTEGER", "types go by DuckDB's names");
}

static void streams(void)
{
	struct duck_sql q = {.sql = STR("select i, null, 'x' || i from range(100000) t(i)")};
	struct duck_small s;
	struct err e = ERR_INIT;

	T_NO_ERR(duck_small(d, a, &q, &s, NULL, &e), &e, "100,000 rows come through");
	T_INT(s.rows.n_rows, 100000, "all of them");
	T_OK(str_is(s.rows.at[99999 * 3], "99999") && !s.rows.at[99999 * 3 + 1].p &&
		     str_is(s.rows.at[99999 * 3 + 2], "x99999"),
	     "each cell in its place");
	q.sql = STR("from range(100001)");
	e = (struct err)ERR_INIT;
	T_OK(duck_small(d, a, &q, &s, NULL, &e) == -1, "a small result has a limit");
	T_ERR(&e, ERR_LIMIT, "more than 100000 rows", "which is named");
	T_STR(one("select 7"), "7", "and the next query runs");
}

static int cancel_now(void *ptr, const struct duck_msg *m)
{
	(void)ptr;
	(void)m;
	return 1;
}

static void failures(void)
{
	struct duck_sql q = {.sql = STR("-- one\nselect x,\n  nope from range(3) t(x)")};
	struct err e = ERR_INIT;
	int64_t at = -2;

	T_OK(duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_TEXT), NULL, NULL, NULL, &at, &e) == -1,
	     "a wrong column fails");
	T_ERR(&e, ERR_BAD_SQL, "nope", "by its name");
	T_INT(at, 19, "at its place");
	e = (struct err)ERR_INIT;
	q.sql = STR("select 1;\n selec 2");
	T_OK(duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_TEXT), NULL, NULL, NULL, &at, &e) == -1,
	     "so does bad grammar");
	T_INT(at, 11, "in a second statement too");
	e = (struct err)ERR_INIT;
	q.sql = STR("select count(*) from range(100000000000) t(x) where hash(x) = 3");
	T_OK(duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_TEXT), cancel_now, NULL, NULL, &at, &e) == -1,
	     "a cancelled query ends");
	T_ERR(&e, ERR_CANCELLED, "cancelled", "and says that it was cancelled");
	T_STR(one("select 8"), "8", "and the worker goes on");
	e = (struct err)ERR_INIT;
	q.sql = STR("select sum(error('row ' || x)::int) from range(3) t(x)");
	T_OK(duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_TEXT), NULL, NULL, NULL, &at, &e) == -1,
	     "a row can fail a query");
	T_ERR(&e, ERR_BAD_DATA, "row 0", "with its own words");
	T_STR(one("create table t as select 1; set threads = 1; select * from t"), "1", "statements may come before");
	T_OK(!strncmp(one("select * from t"), "bad-sql", 7), "and leave nothing behind");
}

static pid_t worker_pid(void)
{
	char children[64] = "";
	struct err e = ERR_INIT;
	struct str s;

	snprintf(children, sizeof(children), "/proc/self/task/%d/children", (int)getpid());
	return file_read(a, children, 4096, &s, &e) ? 0 : (pid_t)atoi(s.p);
}

/* After statements of the user the worker makes its database anew: cancels that come meanwhile are the request's. */
static void cancel_opening(void)
{
	struct duck_sql q = {.sql = STR("select count(*) from range(100000000000) t(x) where hash(x) = 3")};
	size_t bad = 0;

	for (int i = 0; i < 10 && !bad; i++) {
		struct err e = ERR_INIT;
		struct duck_msg m = {0};

		bad += strcmp(one("set threads = 1; select 1"), "1") != 0;
		if (duck_send(d, duck_req_query(a, &q, DUCK_CELLS_TEXT), &e))
			break;
		pid_t pid = worker_pid();
		struct pollfd p = {.fd = duck_fd(d), .events = POLLIN};

		do {
			while (pid > 1 && !poll(&p, 1, 0))
				kill(pid, SIGINT);
		} while (!duck_recv(d, a, &m) || m.kind == DUCK_PROGRESS);
		bad += m.kind != DUCK_FAILED || m.err->code != ERR_CANCELLED || strcmp(one("select 9"), "9") != 0;
	}
	T_INT(bad, 0, "a cancel while DuckDB opens is a cancel, and the worker goes on: %s", one("select 9"));
}

static int kill_worker(void *ptr, const struct duck_msg *m)
{
	pid_t pid = worker_pid();

	(void)m;
	if (*(bool *)ptr)
		return 0;
	*(bool *)ptr = true;
	if (pid > 1)
		kill(pid, SIGKILL);
	return 0;
}

static void death(void)
{
	struct duck_sql q = {.sql = STR("select count(*) from range(100000000000) t(x) where hash(x) = 3")};
	struct err e = ERR_INIT;
	bool killed = false;

	T_OK(duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_TEXT), kill_worker, &killed, NULL, NULL, &e) == -1,
	     "a worker that is killed fails the request");
	T_ERR(&e, ERR_FAILED, "the SQL worker died (killed by signal 9 (Killed)): out of memory?", "with a sentence");
	T_STR(one("select 9"), "9", "and the next request has a new worker");
	killed = false;
	kill_worker(&killed, NULL);
	usleep(50000);
	T_STR(one("select 10"), "10", "also when it died between two requests");
}

static struct duck_written write_file(const char *sql, const char *name, const char *ds, bool ordered, int threads)
{
	struct duck_write w = {.sql = {.sql = str_of(sql), .threads = threads},
			       .out = path(name),
			       .ds = ds,
			       .ordered = ordered,
			       .row_id = true};
	struct duck_written out = {0};
	const struct dom *reply;
	struct err e = ERR_INIT;

	unlink(w.out);
	if (T_NO_ERR(duck_call(d, a, duck_req_write(a, &w), NULL, NULL, &reply, NULL, &e), &e, "writes %s", name) &&
	    duck_read_write(reply, &out, &e))
		out.rows = -1;
	return out;
}

static int write_fails(const char *sql, const char *ds, struct err *e)
{
	struct duck_sql q = {.sql = str_of(sql)};
	struct duck_write w = {.sql = q, .out = path("fails.parquet"), .ds = ds};

	return duck_call(d, a, duck_req_write(a, &w), NULL, NULL, NULL, NULL, e);
}

static struct sha file_id(const char *name)
{
	struct err e = ERR_INIT;
	struct str s = STR_NULL;

	T_NO_ERR(file_read(a, path(name), 1 << 30, &s, &e), &e, "reads %s", name);
	return sha_of(s.p, s.n);
}

static void threads(void)
{
	const char *group =
		"select x % 1000 as k, count(*) as n, sum(x) as s from range(400000) t(x) group by 1 -- by key";
	struct duck_written one_thread = write_file(group, "w1.parquet", "2018-01-24", false, 1);
	struct duck_written two = write_file(group, "w2.parquet", "2018-01-24", false, 2);

	T_INT(one_thread.rows, 1000, "rows are counted");
	T_OK(one_thread.bytes > 0, "bytes are told");
	T_OK(sha_eq(&one_thread.row_id, &two.row_id), "one thread or two: a group by has the same row id");
}

static void writes(void)
{
	struct err e = ERR_INIT;

	struct duck_written up = write_file("select x from range(10) t(x) order by x", "up.parquet", NULL, true, 1);
	struct duck_written down =
		write_file("select x from range(10) t(x) order by x desc", "down.parquet", NULL, true, 1);
	struct duck_written down2 =
		write_file("select x from range(10) t(x) order by x desc", "down.parquet", NULL, false, 1);
	struct duck_written up2 = write_file("select x from range(10) t(x) order by x", "up.parquet", NULL, false, 1);
	T_OK(!sha_eq(&up.row_id, &down.row_id), "where the user orders rows, another order is another table");
	T_OK(sha_eq(&up2.row_id, &down2.row_id), "where not, it is the same");

	struct duck_written other = write_file("select x::int as x from range(10) t(x)", "o.parquet", NULL, false, 1);
	T_OK(!sha_eq(&up2.row_id, &other.row_id), "another type is another table");
	struct sha one_id = file_id("up.parquet");
	write_file("select x from range(10) t(x) order by x", "up.parquet", NULL, false, 1);
	struct sha two_id = file_id("up.parquet");
	T_OK(sha_eq(&one_id, &two_id), "the same rows give the same bytes");

	struct duck_written none =
		write_file("select 1 as a, 'x' as b where false", "none.parquet", "2018-01-24", false, 1);
	T_INT(none.rows, 0, "no rows are no error");
	T_STR(one(arena_printf(a,
			       "select string_agg(column_name || ' ' || column_type, ', ') from (describe from '%s')",
			       path("none.parquet"))),
	      "a INTEGER, b VARCHAR", "and the file has the schema");

	write_file("pivot (select x % 2 as k, x from range(4) t(x)) on k using sum(x)", "pivot.parquet", "2018-01-24",
		   false, 1);
	T_STR(one(arena_printf(a, "select \"1\" from '%s'", path("pivot.parquet"))), "4", "a unit may be a PIVOT");
	write_file("select x, date '2018-01-24' as ds from range(3) t(x)", "ds.parquet", "2018-01-24", false, 1);
	T_STR(one(arena_printf(a, "select string_agg(column_name) from (describe from '%s')", path("ds.parquet"))), "x",
	      "a column ds that is the unit's own is dropped");
	T_OK(write_fails("select x, date '2018-01-24' + x::int as ds from range(3) t(x)", "2018-01-24", &e) == -1,
	     "one with another value fails the unit");
	T_ERR(&e, ERR_BAD_DATA, "ds 2018-01-25", "and names the value");
	e = (struct err)ERR_INIT;
	T_OK(write_fails("select date '2018-01-24' as ds", "2018-01-24", &e) == -1, "a result of ds alone is refused");
	T_ERR(&e, ERR_FAILED, "no column but ds", "in a sentence");
}

/* What DuckDB alone would write as DOUBLE. */
static void wide(void)
{
	struct err e = ERR_INIT;

	write_file("select 9007199254740993::bigint as x, date '2018-01-24' as ds union all "
		   "select sum(x::bigint), date '2018-01-24' from (values (9007199254740992), (1)) t(x) order by x, ds",
		   "wide.parquet", "2018-01-24", true, 1);
	T_STR(one(arena_printf(a, "select string_agg(x) || ' ' || any_value(typeof(x)) from '%s'",
	                       path("wide.parquet"))),
	      "9007199254740993,9007199254740993 DECIMAL(38,0)", "no digit of a sum of integers is lost");
	write_file(
		"select {'a': [sum(x)]} as s, 170141183460469231731687303715884105::hugeint as \"sum(x)\", 1 as y from "
		"range(3) t(x)",
		"wide.parquet", NULL, false, 1);
	T_STR(one(arena_printf(a, "select typeof(s) || ' ' || typeof(\"sum(x)\") || ' ' || \"sum(x)\" from '%s'",
			       path("wide.parquet"))),
	      "STRUCT(a DECIMAL(38,0)[]) DECIMAL(38,0) 170141183460469231731687303715884105",
	      "nor of one within another type, or of a number of the text");
	write_file("select g, sum(x) as n from (select x, x % 5 as g from range(1000) t(x)) group by g order by n desc",
		   "wide.parquet", NULL, true, 2);
	T_STR(one(arena_printf(a, "select string_agg(g, '') from '%s'", path("wide.parquet"))), "43210",
	      "rows stay in the order that was asked for");
	T_OK(write_fails("select '170141183460469231731687303715884105727'::hugeint as x", NULL, &e) == -1,
	     "what has no place in 38 digits fails the unit");
	e = (struct err)ERR_INIT;
	int64_t at = -1;
	struct duck_write w = {.sql = {.sql = STR("select sum(x) as n, nothing from range(3) t(x)")},
			       .out = path("fails.parquet")};
	T_OK(duck_call(d, a, duck_req_write(a, &w), NULL, NULL, NULL, &at, &e) == -1 && at == 20,
	     "a mistake is told at its place (%lld)", (long long)at);
}

/* Many units as one statement: "label rows row-id-equals-that-of-the-unit-alone". */
static const char *many(const char *text, const char *alone)
{
	static const char *const labels[] = {"2018-01-24", "2018-01-25", "2018-01-26"};
	struct str texts[] = {str_of(text)};
	struct duck_write_many w = {.texts = texts, .n_texts = 1, .labels = labels, .n = 3, .days = true,
				    .dir = path("many")};
	struct buf b cleanup(buf_free) = BUF_INIT(10000);
	struct duck_many_part *parts;
	struct err e = ERR_INIT;
	const struct dom *reply;
	size_t n;

	if (file_exists(w.dir) && dir_remove_tree(w.dir, &e))
		return arena_dup(a, e.msg);
	if (duck_call(d, a, duck_req_write_many(a, &w), NULL, NULL, &reply, NULL, &e) ||
	    duck_read_write_many(a, reply, &parts, &n, &e))
		return arena_printf(a, "%s: %s", err_word(e.code), e.msg);
	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < n; i++) {
			struct duck_written one, got;

			if (!str_is(parts[i].label, labels[l]))
				continue;
			one = write_file(arena_printf(a, alone, labels[l]), "one.parquet", labels[l], false, 1);
			if (duck_call(d, a, duck_req_row_id(a, arena_cstr(a, parts[i].path), false, 1), NULL,
				NULL, &reply,
				      NULL, &e) ||
			    duck_read_write(reply, &got, &e))
				return arena_dup(a, e.msg);
			buf_addf(&b, "%s%s %lld%s", b.n ? ", " : "", labels[l] + 8, (long long)parts[i].rows,
				 sha_eq(&one.row_id, &got.row_id) && got.rows == parts[i].rows ? "" : " differs");
		}
	return arena_dup(a, b.n ? b.p : "none");
}

#define DAYS "(select i as x, date '2018-01-24' + (i // 10)::int as ds from range(20) r(i)) t"
static void many_units(void)
{
	T_STR(many("select * from (select * from " DAYS " where ds = " DUCK_MANY_DAY ") t",
		   "select * from (select * from " DAYS " where ds = '%s') t"),
	      "24 10, 25 10", "each day's rows are in a file of its own, and a day without rows has none");
	T_STR(many("select count(*) as n, sum(x) as s, " DUCK_MANY_DS " as day from (select * from " DAYS
		   " where ds = " DUCK_MANY_DAY ") t",
		   "select count(*) as n, sum(x) as s, '%1$s' as day from (select * from " DAYS
		   " where ds = '%1$s') t"),
	      "24 1, 25 1, 26 1", "an aggregate of nothing is a row, and a sum keeps its digits");
	T_STR(many("select ds + 1 as ds, x from " DAYS, ""),
	      "bad-data: the result has a row with ds 2018-01-25, the unit is of 2018-01-24",
	      "a column ds that is not the unit's own fails all");
	T_OK(strstr(many("select x as a, x as A from " DAYS, ""), "bad-sql: its columns") != NULL,
	     "two columns of one name are refused");
	T_OK(strstr(many("select nothing from " DAYS, ""), "bad-sql: it does not bind") != NULL,
	     "what does not bind is said to be so");
	T_OK(strstr(many("select date '2018-01-24' as ds from " DAYS, ""), "bad-sql: its columns") != NULL,
	     "a result of ds alone is refused");
}

static void reads(void)
{
	struct duck_view v[] = {
		{STR("raw"), STR("a/b"),
		 str_of(arena_printf(a,
				     "select * from read_csv('%s', auto_detect = false, header = true, "
				     "columns = {'a': 'INTEGER', 'b': 'VARCHAR'})",
				     path("x.csv")))},
	};
	struct duck_sql q = {.sql = STR("select sum(a) from raw.\"a/b\""), .views = v, .n_views = 1};
	struct duck_small s;
	struct err e = ERR_INIT;

	T_NO_ERR(file_write(path("x.csv"), STR("a,b\r\n1,x\r\n2,y\r\n"), 0644, 0, &e), &e,
		 "a CSV file with the line ends of Windows");
	if (T_NO_ERR(duck_small(d, a, &q, &s, NULL, &e), &e, "a view is made for the statement"))
		T_STR(arena_cstr(a, s.rows.at[0]), "3", "and read");
	T_NO_ERR(file_write(path("x.csv"), STR("a,b\n1,x\nq,y\n"), 0644, 0, &e), &e, "a CSV file with a wrong row");
	T_OK(duck_small(d, a, &q, &s, NULL, &e) == -1, "fails the query");
	T_ERR(&e, ERR_BAD_DATA, "x.csv: row 3, column a: could not convert string \"q\" to 'INTEGER'",
	      "which names file, row and column");
	e = (struct err)ERR_INIT;
	T_NO_ERR(file_write(path("x.csv"), STR("a,b\n1,x\n2,y,z\n"), 0644, 0, &e), &e,
		 "a CSV file with a row too wide");
	T_OK(duck_small(d, a, &q, &s, NULL, &e) == -1, "fails the query");
	T_ERR(&e, ERR_BAD_DATA, "x.csv: row 3: ", "which names file and row");
	e = (struct err)ERR_INIT;
	T_NO_ERR(file_write(path("x.parquet"), STR("PAR1 but no more of it, PAR2"), 0644, 0, &e), &e,
		 "a file that is no Parquet");
	v[0].sql = str_of(arena_printf(a, "select * from read_parquet('%s')", path("x.parquet")));
	T_OK(duck_small(d, a, &q, &s, NULL, &e) == -1, "fails the query");
	T_ERR(&e, ERR_BAD_DATA, "x.parquet", "which names it");
}

static void sniffs(void)
{
	const struct dom *reply;
	struct err e = ERR_INIT;

	T_NO_ERR(file_write(path("s.csv"), STR("day;n\n2018-01-01;1\n2018-01-02;2\n"), 0644, 0, &e), &e,
		 "a CSV file with semicolons");
	if (T_NO_ERR(duck_call(d, a, duck_req_sniff(a, path("s.csv"), "csv"), NULL, NULL, &reply, NULL, &e), &e,
		     "is sniffed")) {
		struct buf b cleanup(buf_free) = BUF_INIT(10000);

		dom_write_json(&b, reply, DOM_COMPACT);
		T_STR(b.p,
		      "{\"format\":\"csv\",\"columns\":[{\"name\":\"day\",\"type\":\"DATE\"},{\"name\":\"n\",\"type\":"
		      "\"BIGINT\"}],"
		      "\"delim\":\";\",\"quote\":\"\",\"escape\":\"\",\"newline\":\"\\\\n\",\"comment\":\"\",\"skip\":"
		      "0,\"header\":true,"
		      "\"dateformat\":\"%Y-%m-%d\",\"timestampformat\":\"\"}",
		      "into its dialect and columns");
	}
}

int main(int argc, char **argv)
{
	struct duck_conf c = {.threads = 2};
	struct err e = ERR_INIT;
	char version[32], where[4096];

	if (argc > 2 && !strcmp(argv[1], "--role"))
		return duck_worker_main(argc, argv);
	if (duck_library(version, sizeof(version), where, sizeof(where), &e))
		T_SKIP_ALL("%s", e.msg);
	a = arena_new();
	d = duck_new(&c);
	if (!mkdtemp(dir))
		return 1;
	cells();
	streams();
	failures();
	cancel_opening();
	death();
	threads();
	writes();
	wide();
	many_units();
	reads();
	sniffs();
	duck_free(d);
	if (dir_remove_tree(dir, &e))
		err_clear(&e);
	arena_free(a);
	return t_done();
}
