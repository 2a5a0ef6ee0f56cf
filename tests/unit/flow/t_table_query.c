/* A user's own queries: names, pins, times, ds. This program is also the SQL worker. */
#include "base/str.h"
#include "flow/table_query.h"
#include "sys/clock.h"
#include "tests/unit/flow/table_fixture.h"

static const char *ask_at(const char *sql, const char *at, const char *label)
{
	struct buf b cleanup(buf_free) = BUF_INIT(100000);
	struct table_query_ask ask = {.sql = str_of(sql), .file = "query", .at = str_of(at)};
	struct table_query q;
	struct duck_small s;
	struct catalog *c;
	struct err e = ERR_INIT;
	struct ds ds;
	int64_t offset = -1;

	if (label && !ds_parse(str_of(label), &ds, &e))
		ask.ds = &ds;
	if (catalog_new(fx_store, a, &c, &e) || table_query_prepare(fx_store, c, a, d, &ask, &q, &e))
		return arena_printf(a, "%s:%d:%d: %s (%s)", e.file, e.line, e.col, e.msg, e.hint);
	if (duck_small(d, a, &q.bound.sql, &s, &offset, &e)) {
		table_query_error(&e, &q, offset);
		return arena_printf(a, "%s:%d:%d: %s", e.file, e.line, e.col, e.msg);
	}
	for (size_t i = 0; i < s.rows.n_rows * s.rows.n_cols; i++)
		buf_addf(&b, "%s%.*s", i ? "," : "", s.rows.at[i].p ? (int)s.rows.at[i].n : 4,
			 s.rows.at[i].p ? s.rows.at[i].p : "null");
	return arena_dup(a, b.p);
}

static const char *ask(const char *sql)
{
	return ask_at(sql, NULL, NULL);
}

static void heads(void)
{
	T_STR(ask("select sum(n) from raw.sales"), "6", "all of a plain table");
	T_STR(ask("select sum(n) from RAW.Sales s where s.ds = '2018-01-02'"), "2", "names do not look at case");
	T_STR(ask("select n from raw.dim_shop"), "30", "the newest snapshot of a dim_");
	T_STR(ask("select n from raw.dim_shop where ds = '2018-01-02'"), "20",
	      "any snapshot when the query names its ds");
	T_STR(ask("select * exclude (ds) from raw.dim_shop"), "30", "exclude does not name it");
	T_STR(ask("select sum(n) from raw.dim_shop__history"), "60", "its history, all of it");
	T_STR(ask("select sum(x.n), any_value(s.n) from raw.sales x, raw.dim_shop s"), "6,30", "a join of both");
	T_STR(ask("with sales as (from raw.sales) select sum(n) from sales"), "6",
	      "a CTE hides nothing but its own name");
	T_STR(ask("select count(*) from information_schema.tables where false"), "0", "DuckDB's own tables are there");
	T_STR(ask("select sum(n) from raw.\"a/b\""), "7", "a repo in a repo's folder");
	T_STR(ask("select sum(n) from lone"), "8", "a repo without a zone");
	T_STR(ask("select 1 + 1"), "2", "no table at all");
}

static void pins(void)
{
	T_STR(ask("select sum(n) from raw.sales at (version => 'master.1')"), "1", "a table at a pin");
	T_STR(ask("select sum(n) from raw.sales at (version => 'master^')"), "3", "and at an ancestor");
	T_STR(ask("select sum(n) from \"raw.sales@master.2\""), "3", "a pin in the name");
	T_STR(ask("select sum(n) from raw.\"sales@master.2\""), "3", "with the schema outside");
	T_STR(ask("select b.n - a.n from (select sum(n) as n from raw.sales at (version => 'master.1')) a, (select "
		  "sum(n) as n from raw.sales) b"),
	      "5", "two versions beside each other");
	T_STR(ask_at("select sum(n) from raw.sales", "master.2", NULL), "3", "--at is for all tables that name no pin");
	T_STR(ask_at("select sum(n) from raw.sales at (version => 'master.1')", "master.2", NULL), "1",
	      "those that do keep it");
	T_OK(strstr(ask("select sum(n) from raw.sales at (version => 'nope')"), "query:1:20: "),
	     "a pin that is not there is told at its place");
	T_OK(strstr(ask("select sum(n) from raw.sales at (timestamp => timestamp '1999-01-01')"),
		    "raw/sales had no commit yet at 1999-01-01"),
	     "so is a time before the first commit");
	T_STR(ask("select sum(n) from raw.sales at (timestamp => timestamp '2999-01-01')"), "6", "a table at a time");
}

static void days(void)
{
	T_STR(ask_at("select sum(n) from raw.sales", NULL, "2018-01-02"), "2", "--ds reads that partition");
	T_STR(ask_at("select n from raw.dim_shop", NULL, "2018-01-02"), "20", "and the snapshot not after it");
	T_STR(ask_at("select sum(n) from raw.dim_shop__history", NULL, "2018-01-02"), "30", "and the history up to it");
	T_STR(ask_at("select sum(n) from raw.\"a/b\"", NULL, "2018-01-02"), "7",
	      "and a table without partitions as it is");
	T_OK(strstr(ask_at("select sum(n) from raw.sales", NULL, "2018-02-02"),
		    "query:1:20: raw/sales ds=2018-02-02 is missing"),
	     "a partition that is missing is named");
}

static void mistakes(void)
{
	T_STR(ask("select n,\n  nope\nfrom raw.sales"),
	      "query:2:3: referenced column \"nope\" not found in FROM clause",
	      "a wrong column is told at line and column");
	T_STR(ask("select *\nfrom raw.salse"),
	      "query:2:6: there is no table raw.salse (did you mean raw.sales?)",
	      "so is a wrong table, with the nearest");
	T_STR(ask("select *\nfrom sales"), "query:2:6: there is no table sales (did you mean raw.sales?)",
	      "and one whose zone was left out");
	T_STR(ask("select 1\nfrm raw.sales"), "query:2:5: syntax error at or near \"raw\" ()", "and grammar");
	T_STR(ask(" -- nothing"), ":0:0: there is no statement in the query ()", "no statement is an error");
	T_STR(ask("select sum(n) from raw.bad"),
	      ":0:0: raw/bad:/ds=2018-01-01/a.csv: row 2, column n: could not convert string \"x\" to 'BIGINT'",
	      "a bad row is told by its file");
}

int main(int argc, char **argv)
{
	char version[32], where[4096];
	struct err e = ERR_INIT;

	if (argc > 2 && !strcmp(argv[1], "--role"))
		return duck_worker_main(argc, argv);
	if (duck_library(version, sizeof(version), where, sizeof(where), &e))
		T_SKIP_ALL("%s", e.msg);
	fx_begin();
	fx_ws.tz = tz_utc();
	a = fx_arena;
	d = duck_new(&(struct duck_conf){.leat_dir = fx_store->leat_dir, .threads = 2});
	put_text("raw/sales", "ds=2018-01-01/a.csv", "n\n1\n");
	put_text("raw/sales", "ds=2018-01-02/a.csv", "n\n2\n");
	put_text("raw/sales", "ds=2018-01-03/a.csv", "n\n3\n");
	put_text("raw/dim_shop", "ds=2018-01-01/a.csv", "n\n10\n");
	put_text("raw/dim_shop", "ds=2018-01-02/a.csv", "n\n20\n");
	put_text("raw/dim_shop", "ds=2018-01-04/a.csv", "n\n30\n");
	put_text("raw/a/b", "x.csv", "n\n7\n");
	put_text("lone", "x.csv", "n\n8\n");
	put_text("raw/bad", "ds=2018-01-02/a.csv", "n\n1\n");
	ask("from raw.bad"); /* its format is learned here */
	put_text("raw/bad", "ds=2018-01-01/a.csv", "n\nx\n");
	heads();
	pins();
	days();
	mistakes();
	duck_free(d);
	return fx_end();
}
