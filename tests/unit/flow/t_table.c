/* Repos as tables: files, formats, readers. This program is also the SQL worker. */
#include "base/str.h"
#include "tests/unit/flow/table_fixture.h"

static int open_table(const char *repo, struct table_source *t, struct err *e)
{
	struct catalog *c;
	struct reads r;

	if (catalog_new(fx_store, a, &c, e) || reads_for_query(c, a, str_of(repo), STR_NULL, true, &r, e))
		return -1;
	if (!r.repo)
		return err_set(e, ERR_NOT_FOUND, "no repo %s", repo);
	return table_open(fx_store, a, d, &r, t, e);
}

/* All cells of a query over one repo, rows ended by "; ", or the error. `$` is the table. */
static const char *ask(const char *repo, const char *sql)
{
	struct buf b cleanup(buf_free) = BUF_INIT(100000), text cleanup(buf_free) = BUF_INIT(10000);
	struct table_source t = {0};
	struct duck_small s;
	struct err e = ERR_INIT;

	if (open_table(repo, &t, &e))
		return arena_printf(a, "%s: %s", err_word(e.code), e.msg);
	for (const char *p = sql; *p; p++) {
		if (*p != '$')
			buf_addc(&text, *p);
		else
			buf_addf(&text, "%.*s%s\"%.*s\"", STR_ARG(t.view.schema), t.view.schema.n ? "." : "",
				 STR_ARG(t.view.name));
	}
	struct duck_sql q = {.sql = buf_str(&text), .views = &t.view, .n_views = 1};
	if (duck_small(d, a, &q, &s, NULL, &e)) {
		table_error(&e, &t, 1);
		return arena_printf(a, "%s: %s", err_word(e.code), e.msg);
	}
	for (size_t r = 0; r < s.rows.n_rows; r++) {
		for (size_t c = 0; c < s.rows.n_cols; c++) {
			struct str cell = s.rows.at[r * s.rows.n_cols + c];

			buf_addf(&b, "%s%.*s",
				 c   ? ","
				 : r ? "; "
				     : "",
				 cell.p ? (int)cell.n : 4, cell.p ? cell.p : "null");
		}
	}
	return arena_dup(a, b.p);
}

static void names(void)
{
	struct str schema, name;
	enum table_format f;
	bool packed;

	table_sql_name(STR("raw/a/b"), &schema, &name);
	T_OK(str_is(schema, "raw") && str_is(name, "a/b"), "raw/a/b is raw.\"a/b\"");
	table_sql_name(STR("trips"), &schema, &name);
	T_OK(str_is(schema, "") && str_is(name, "trips"), "a repo without a zone is in main");
	T_STR(table_repo_name(a, STR("raw"), STR("a/b")).p, "raw/a/b", "and back");
	T_STR(table_repo_name(a, STR("main"), STR("trips")).p, "trips", "main is no zone");
	T_OK(table_format_of(STR("x/a.tsv.gz"), &f, &packed) && f == TABLE_CSV && packed, "a.tsv.gz is packed CSV");
	T_OK(!table_format_of(STR("x/_a.csv"), &f, &packed) && !table_format_of(STR("_SUCCESS"), &f, &packed) &&
		     !table_format_of(STR(".x.parquet"), &f, &packed) &&
		     !table_format_of(STR("a.parquet.gz"), &f, &packed) &&
		     !table_format_of(STR("README.md"), &f, &packed),
	     "what begins with _ or . or ends otherwise is no table file");
}

static void csv(void)
{
	put_text("raw/c", "ds=2018-01-01/a.csv", "id,name\n1,x\n");
	put_text("raw/c", "ds=2018-01-02/b.csv", "id,name\r\n2,\"y, z\"\r\n");
	T_STR(ask("raw/c", "select * from $ order by id"), "1,x,2018-01-01; 2,y, z,2018-01-02",
	      "CSV of two days, with a quote and CRLF in the second");
	T_STR(ask("raw/c", "select column_type from (describe $)"), "BIGINT; VARCHAR; DATE",
	      "ds is a DATE in a daily table");
	put_text("raw/c", "ds=2018-01-03/c.csv", "id,name\nxx,w\n");
	T_STR(ask("raw/c", "select * from $"),
	      "bad-data: raw/c:/ds=2018-01-03/c.csv: row 2, column id: could not convert string \"xx\" to 'BIGINT'",
	      "types do not drift: a day that does not fit is named with row and column");
	put_text("raw/c", "ds=2018-01-03/c.csv", "name,id\nw,3\n");
	T_STR(ask("raw/c", "select id, name from $ order by id"), "1,x; 2,y, z; 3,w",
	      "columns in another order are read by name");
	put_text("raw/c", "ds=2018-01-03/c.csv", "id,nome\n3,w\n");
	T_STR(ask("raw/c", "select * from $"),
	      "bad-data: raw/c:/ds=2018-01-03/c.csv: row 1, column 2: the header says \"nome\" where the table has "
	      "\"name\"",
	      "a header that is another is named");
	put_text("raw/c", "ds=2018-01-03/c.csv", "");
	T_STR(ask("raw/c", "select count(*) from $"), "2", "a file of no bytes has no rows");

	put_text("raw/h", "ds=2018-01-01/a.csv", "id,day\n");
	T_STR(ask("raw/h", "select * from $"), "", "a header alone is a table without rows");
	put_text("raw/h", "ds=2018-01-02/a.csv", "id,day\n7,2018-03-04\n");
	T_STR(ask("raw/h", "select column_type from (describe $)"), "BIGINT; DATE; DATE",
	      "whose types come with the first row");

	put_text("raw/own", "ds=2018-01-01/a.csv", "id,ds\n1,1999-01-01\n");
	T_STR(ask("raw/own", "select * from $"), "1,2018-01-01", "the folder's ds wins over the file's");
	put_text("raw/hour", "ds=2018-01-01T05/a.csv", "id\n1\n");
	T_STR(ask("raw/hour", "select ds, typeof(ds) from $"), "2018-01-01T05,VARCHAR",
	      "ds is a label in an hourly table");
	put_text("plain", "a[1]*?.csv", "id;v\n1;2\n");
	T_STR(ask("plain", "select * from $"), "1,2",
	      "a name with signs of a glob is that file, and semicolons are found");
	put_text("raw/tsv", "a.tsv", "id\tv\n1\t2\n");
	T_STR(ask("raw/tsv", "select v from $"), "2", "tabs are found");
}

static void packed(void)
{
	static const unsigned char gz[] = {31, 139, 8,  0,   0, 0, 0,   0, 2,   255, 75, 212, 73, 226,
					   50, 212, 49, 226, 2, 0, 123, 7, 151, 10,  8,  0,   0,  0};

	put("raw/gz", "ds=2018-01-01/a.csv.gz", (struct str){(const char *)gz, sizeof(gz)});
	T_STR(ask("raw/gz", "select a, b from $"), "1,2", "gzip is read");
	static const unsigned char zst[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x41, 0x00, 0x00,
					    'a',  ',',  'b',  0x0a, '1',  ',',  '2',  0x0a};
	put("raw/zst", "a.csv.zst", (struct str){(const char *)zst, sizeof(zst)});
	T_STR(ask("raw/zst", "select a, b from $"), "1,2", "zstd is read");
	put_text("raw/gz", "ds=2018-01-02/a.csv", "b,a\n4,3\n");
	T_STR(ask("raw/gz", "select a, b from $ order by a"), "1,2; 3,4",
	      "beside files that are not packed, by their headers");
}

static void json(void)
{
	put_text("raw/j", "ds=2018-01-01/a.jsonl", "{\"id\": 1, \"tags\": [\"a\"]}\n{\"id\": 2}\n");
	put_text("raw/j", "ds=2018-01-02/a.json", "[{\"id\": 3, \"tags\": [], \"new\": true}]");
	T_STR(ask("raw/j", "select * from $ order by id"), "1,[a],2018-01-01; 2,null,2018-01-01; 3,[],2018-01-02",
	      "lines and lists of JSON in one table, with the columns of the first");
	put_text("raw/j", "ds=2018-01-03/a.json", "{\"id\": \"x\"}");
	T_OK(strstr(ask("raw/j", "select * from $"), "raw/j:/ds=2018-01-03/a.json"),
	     "a file that does not fit is named");
}

static void parquet(void)
{
	put_sql("tables/p", "ds=2018-01-01/part-0.parquet", "select 1 as a, 'x' as b");
	T_STR(ask("tables/p", "select * from $"), "1,x,2018-01-01", "one Parquet file");
	put_sql("tables/p", "ds=2018-01-02/part-0.parquet", "select 2 as a, 'y' as b");
	put_sql("tables/p", "ds=2018-01-03/part-0.parquet", "select 9 as a, 'z' as b where false");
	T_STR(ask("tables/p", "select * from $ order by a"), "1,x,2018-01-01; 2,y,2018-01-02",
	      "several days of one schema, one of them without rows");
	put_sql("tables/p", "ds=2018-01-04/part-0.parquet", "select 4::bigint as a, 2.5 as c");
	T_STR(ask("tables/p", "select a, b, c, ds from $ order by a"),
	      "1,x,null,2018-01-01; 2,y,null,2018-01-02; 4,null,2.5,2018-01-04",
	      "days with other columns are put together by name");
	T_STR(ask("tables/p", "select ds, count(*) from $ where ds = '2018-01-02' group by 1"), "2018-01-02,1",
	      "one day is found");
	put_text("tables/p", "ds=2018-01-05/part-0.parquet", "PAR1 no more");
	T_OK(strstr(ask("tables/p", "select * from $"), "raw/") == NULL &&
		     strstr(ask("tables/p", "select * from $"), "tables/p:/ds=2018-01-05/part-0.parquet"),
	     "a damaged file is named");
}

/* Files of a table that the worker opens for a query of one day: the others are taken away, so opening one would fail.
 */
static void pruning(void)
{
	struct table_source t;
	struct duck_small s;
	struct err e = ERR_INIT;

	put_sql("tables/q", "ds=2018-01-01/part-0.parquet", "select 1 as a");
	put_sql("tables/q", "ds=2018-01-02/part-0.parquet", "select 2 as a");
	put_sql("tables/q", "ds=2018-01-03/part-0.parquet", "select 3 as a");
	T_STR(ask("tables/q", "select sum(a) from $"), "6", "a table of three days");
	T_NO_ERR(open_table("tables/q", &t, &e), &e, "is opened");
	for (size_t i = 0; i < t.n_files; i++)
		if (!str_has_prefix(t.files[i].in_repo, STR("ds=2018-01-02")))
			T_NO_ERR(
				file_replace(fx_path(arena_printf(a, ".leat%s", t.files[i].path.p + strlen(DUCK_LEAT))),
					     STR("x"), 0644, 0, &e),
				&e, "a file of another day is spoiled");
	struct duck_sql q = {
		.sql = STR("select a from tables.q where ds = '2018-01-02'"), .views = &t.view, .n_views = 1};
	if (T_NO_ERR(duck_small(d, a, &q, &s, NULL, &e), &e, "a query for one day opens only that day's file"))
		T_STR(arena_cstr(a, s.rows.at[0]), "2", "and gives its row");
	q.sql = STR("select a from tables.q where ds between '2018-01-02' and '2018-01-02'");
	T_NO_ERR(duck_small(d, a, &q, &s, NULL, &e), &e, "so does one for a span");
	q.sql = STR("select a from tables.q");
	T_OK(duck_small(d, a, &q, &s, NULL, &e) == -1, "a query for all days opens the others");
}

static void refusals(void)
{
	put_text("raw/mixed", "ds=2018-01-01/a.csv", "a\n1\n");
	put_text("raw/mixed", "ds=2018-01-02/a.json", "{\"a\": 1}\n");
	T_STR(ask("raw/mixed", "select 1"),
	      "bad-data: raw/mixed holds csv and json files (ds=2018-01-01/a.csv, ds=2018-01-02/a.json); a table has "
	      "one format",
	      "mixed formats are named");
	put_text("raw/pics", "a.png", "x");
	T_STR(ask("raw/pics", "select 1"), "not-found: raw/pics is no table: it has no Parquet, CSV or JSON files",
	      "a repo of other files is no table");
}

static void settings(void)
{
	struct err e = ERR_INIT;
	struct dom *yaml;

	T_NO_ERR(dom_yaml(a,
			  STR("tables:\n  raw/s: {columns: {code: VARCHAR}, ignore_errors: true}\n  raw/n: {header: "
			      "false}\n"),
			  "leat.yaml", &yaml, &e),
		 &e, "settings are read");
	fx_ws.yaml = yaml;
	put_text("raw/s", "ds=2018-01-01/a.csv", "code,n\n007,1\n008,x\n009,3\n");
	put_text("raw/n", "a.csv", "1,2\n3,4\n");
	T_STR(ask("raw/s", "select code from $ where code = '007'"), "007", "a type that leat.yaml gives wins");
	T_STR(ask("raw/n", "select count(*) from $"), "2", "so does what it says of the header");
	put_text("raw/s", "ds=2018-01-01/a.csv", "code,n\n007,1\n008,2\n");
	fx_ws.yaml = NULL;
}

static void rejects(void)
{
	struct err e = ERR_INIT;
	struct table_source t;
	struct dom *yaml;
	const struct dom *reply;

	put_text("raw/e", "ds=2018-01-01/a.csv", "n\n1\n2\n");
	T_STR(ask("raw/e", "select sum(n) from $"), "3", "a table of numbers");
	put_text("raw/e", "ds=2018-01-02/a.csv", "n\nx\n4\ny\n");
	T_OK(strstr(ask("raw/e", "select sum(n) from $"), "ds=2018-01-02/a.csv: row 2, column n"),
	     "a bad row fails it");
	T_NO_ERR(dom_yaml(a, STR("tables: {raw/e: {ignore_errors: true}}"), "leat.yaml", &yaml, &e), &e,
		 "ignore_errors is said");
	fx_ws.yaml = yaml;
	T_STR(ask("raw/e", "select sum(n) from $"), "7", "then it is left out");
	T_NO_ERR(open_table("raw/e", &t, &e), &e, "the table is opened");
	struct duck_sql q = {.sql = STR("select * from raw.e"), .views = &t.view, .n_views = 1};
	if (T_NO_ERR(duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_TEXT), NULL, NULL, &reply, NULL, &e), &e,
		     "and read"))
		T_INT(dom_get(reply, "rejected")->i, 2, "and counted");
	fx_ws.yaml = NULL;
}

static void shared_data(void)
{
	const char *root = getenv("LEAT_TEST_DATA"), *dir, *meteo;
	struct dir_names files;
	struct err e = ERR_INIT;

	if (!root)
		root = "../shared/data";
	dir = arena_printf(a, "%s/dsflow-sample-project", root);
	if (!dir_exists(dir)) {
		printf("ok %d - real files # SKIP no %s\n", ++t_count, dir);
		return;
	}
	meteo = arena_printf(a, "%s/datastore/tables/meteoparis/ds=2018-01-01", dir);
	if (!T_NO_ERR(dir_list(a, meteo, &files, &e), &e, "the meteo folder is listed"))
		return;
	for (size_t i = 0; i < files.n; i++)
		put("tables/meteoparis", arena_printf(a, "ds=2018-01-01/%s", files.p[i]),
		    file_text(arena_printf(a, "%s/%s", meteo, files.p[i])));
	T_STR(ask("tables/meteoparis", "select count(*), count(distinct ds) from $"), "48289,1",
	      "one full file, five without row groups and _SUCCESS are one table of 48,289 rows");
	T_STR(ask("tables/meteoparis", "with h as (select date_trunc('hour', forecast::timestamptz) as h, "
				       "sum(total_water_precipitation) as s, count(*) as n "
				       "from $ group by 1) select count(*), min(n), max(n) from h"),
	      "43,1123,1123", "43 hours of 1,123 points each, by the strings' own offset");
	put("raw/dim_cameras", "ds=2018-01-24/mockdata.json",
	    file_text(arena_printf(a, "%s/datastore/raw/dim_cameras/ds=2018-01-24/mockdata.json", dir)));
	T_STR(ask("raw/dim_cameras", "select count(*) > 0, count(distinct ds) from $"), "true,1",
	      "cameras come from JSON lines");
	put("raw/amis", "ds=2018-02-09/amis.csv", file_text(arena_printf(a, "%s/amis.csv", dir)));
	T_STR(ask("raw/amis",
		  "select count(*), count(distinct speed), round(avg(speed), 6), round(stddev(speed), 6) from $"),
	      "8437,48,37.824227,6.50754", "speeds: 8,437 rows, 48 groups, mean 37.824227, sd 6.507540");
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
	names();
	csv();
	packed();
	json();
	parquet();
	pruning();
	refusals();
	settings();
	rejects();
	shared_data();
	duck_free(d);
	return fx_end();
}
