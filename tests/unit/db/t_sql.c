/* Parse results of SQL: meaning, tables, places. This program is also the worker. */
#include "base/str.h"
#include "db/duck.h"
#include "db/sql.h"
#include "db/sql_bind.h"
#include "db/sql_token.h"
#include "tests/t.h"

static struct arena *a;
static struct duck *d;

static struct sql_info parse(const char *sql)
{
	struct str text = str_of(sql);
	const struct dom *reply;
	struct sql_info info = {0};
	struct err e = ERR_INIT;

	if (duck_call(d, a, duck_req_parse(a, &text, 1), NULL, NULL, &reply, NULL, &e))
		info.error = arena_strf(a, "FAILED: %s", e.msg);
	else if (sql_info_read(a, dom_get(reply, "parsed")->first, &info))
		info.error = STR("no parse result");
	return info;
}

/* "schema.name[alias]@at{the text from start to end|the AT clause}!" for each table; ! = its ds is named */
static const char *tables(const char *sql)
{
	struct buf b cleanup(buf_free) = BUF_INIT(10000);
	struct sql_info s = parse(sql);

	if (s.error.n)
		return arena_printf(a, "%.*s at %zu", STR_ARG(s.error), s.error_offset);
	for (size_t i = 0; i < s.n_tables; i++) {
		struct sql_table *t = &s.tables[i];

		buf_addf(&b, "%s%.*s.%.*s", b.n ? " " : "", STR_ARG(t->schema), STR_ARG(t->name));
		if (t->alias.n)
			buf_addf(&b, "[%.*s]", STR_ARG(t->alias));
		if (t->at_unit.n)
			buf_addf(&b, "@%.*s=%.*s", STR_ARG(t->at_unit), STR_ARG(t->at));
		buf_addf(&b, "{%.*s", (int)(t->end - t->start), sql + t->start);
		if (t->at_end)
			buf_addf(&b, "|%.*s", (int)(t->at_end - t->at_start), sql + t->at_start);
		buf_addf(&b, "}%s", t->names_ds ? "!" : "");
	}
	return arena_dup(a, b.p);
}

static const char *join(const struct str *s, size_t n)
{
	struct buf b cleanup(buf_free) = BUF_INIT(10000);

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%.*s", i ? " " : "", STR_ARG(s[i]));
	return arena_dup(a, b.p);
}

static bool same(const char *x, const char *y)
{
	struct sql_info p = parse(x), q = parse(y);

	return !p.error.n && !q.error.n && sha_eq(&p.hash, &q.hash);
}

static void which_tables(void)
{
	static const struct {
		const char *sql, *want;
	} c[] = {
		{"select 1", ""},
		{"from raw.x", "raw.x{raw.x}"},
		{"select * from raw.\"a/b\" as t", "raw.a/b[t]{raw.\"a/b\"}"},
		{"select * from trips", ".trips{trips}"},
		{"select * from tables.sales at (version => 'master.31')",
		 "tables.sales@version=master.31{tables.sales|at (version => 'master.31')}"},
		{"select * from tables . sales s ( x, y ) at (timestamp => timestamp '2020-01-01'), b",
		 "tables.sales[s]@timestamp=2020-01-01{tables . sales|at (timestamp => timestamp '2020-01-01')} .b{b}"},
		{"select * from \"tables.sales@master.31\"", ".tables.sales@master.31{\"tables.sales@master.31\"}"},
		{"with c as (select * from raw.x), c2 as (select * from c) select * from c2 join c using (k)",
		 "raw.x{raw.x}"},
		{"with x as (select * from x) select * from x", ".x{x}"},
		{"with recursive r as (select 1 n union all select n + 1 from r where n < 3) select * from r", ""},
		{"select * from (with c as (select 1) select * from c) q, c", ".c{c}"},
		{"select (select max(k) from raw.y) from raw.x where exists (from raw.z)",
		 "raw.x{raw.x} raw.y{raw.y} raw.z{raw.z}"},
		{"select * from a union all select * from b", ".a{a} .b{b}"},
		{"select 'x' as \"from q\" -- from w\n from e /* from r */", ".e{e}"},
		{"describe raw.x", "raw.x{raw.x}"},
		{"pivot raw.x on y using sum(z)", "raw.x{raw.x}"},
		{"with c as (select * from raw.x) pivot c on y using sum(z)", "raw.x{raw.x}"},
		{"create macro m(v) as v + 1; select m(k) from raw.x, raw.y", "raw.x{raw.x} raw.y{raw.y}"},
		{"create temp table t as select extract(year from day) from raw.x where a in (1, b); from t",
		 "raw.x{raw.x}"},
		{"select \xc3\xa9 from raw.x", "raw.x{raw.x}"},
		/* whose ds */
		{"select ds from x", ".x{x}!"},
		{"select * from x where DS > '2018'", ".x{x}!"},
		{"select * exclude (ds) from x", ".x{x}"},
		{"select x.* exclude (x.ds) from x", ".x{x}"},
		{"select ds from x, y", ".x{x} .y{y}"},
		{"select y.ds from x, y", ".x{x} .y{y}!"},
		{"select b.ds from x as b, y", ".x[b]{x}! .y{y}"},
		{"select * from x join y using (ds)", ".x{x}! .y{y}!"},
		{"select (select max(ds) from y) from x", ".x{x} .y{y}!"},
		{"select * from x where exists (select 1 from y where y.k = x.ds)", ".x{x}! .y{y}"},
		{"select count(*) from x order by ds", ".x{x}!"},
	};

	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char *name = arena_dup(a, c[i].sql);

		for (char *p = name; *p; p++)
			*p = *p == '\n' ? ' ' : *p;
		T_STR(tables(c[i].sql), c[i].want, "the tables of: %s", name);
	}
}

static void meaning(void)
{
	T_OK(same("select a, b from x where c = 1", "SELECT a,\r\n  b -- two\nFROM x /* the table */ WHERE c=1;"),
	     "comments, blanks, line ends and the case of key words do not change a meaning");
	T_OK(!same("select a, b from x", "select b, a from x"), "the order of columns does");
	T_OK(!same("select a from x limit 1", "select a from x limit 2"), "a number does");
	T_OK(!same("select 'a  b' from x", "select 'a b' from x"), "a blank in a string does");
	T_OK(same("pivot x on y using sum(z)", "PIVOT x\n on y -- why\n using sum(z)"), "without a tree, tokens count");
	T_OK(!same("pivot x on y using sum(z)", "pivot x on y using max(z)"), "and differ where they differ");
	T_OK(!same("pivot x on y using sum(z)", "pivot x on y using sum(z) group by k"), "in number too");
	T_OK(!same("select 1", "select 1; select 1"), "two statements are not one");
}

static void facts(void)
{
	struct sql_info s =
		parse("select now(), current_date, Random(), abs(x), uuid() from read_csv('a.csv'), 'b.csv'");

	T_STR(join(s.volatiles, s.n_volatiles), "now current_date random uuid", "volatile functions are named");
	T_STR(join(s.readers, s.n_readers), "read_csv", "functions that read files too");
	T_STR(join(s.files, s.n_files), "b.csv", "and files");
	T_INT(s.n_tables, 0, "which are no tables");
	s = parse("pivot (select now() as y, getenv('HOME') from read_json('x')) on y using sum(z)");
	T_STR(join(s.volatiles, s.n_volatiles), "now getenv", "without a tree as well");
	T_STR(join(s.readers, s.n_readers), "read_json", "and readers");
	T_OK(s.facts & SQL_PIVOT && s.facts & SQL_OPAQUE && s.select, "a pivot is known as one");
	T_INT(parse("select * from x using sample 3").facts, SQL_SAMPLE, "a sample is");
	T_INT(parse("select * from x full join y using (k)").facts, SQL_JOIN | SQL_FULL_JOIN, "a full join is");
	T_INT(parse("select sum(a) over () from x").facts, SQL_WINDOW, "a window is");
	T_INT(parse("from range(3)").facts, SQL_TABLE_FUNCTION, "a table function is");
	T_INT(parse("select * from x order by 1 limit 3").facts, SQL_ORDER | SQL_LIMIT, "a limit is");
	T_INT(parse("select * from (select 1)").facts, 0, "a subquery in FROM is nothing special");
	T_INT(parse("select (select 1)").facts, SQL_CORRELATED, "one in an expression may be correlated");
	T_OK(parse("select a from x order by a").ordered, "an order at the top is seen");
	T_OK(!parse("select * from (select a from x order by a)").ordered, "one below does not count");
	T_OK(parse("select a from x union select b from y order by 1").ordered, "one of a union does");
	T_INT(parse(" -- nothing\n").statements, 0, "a comment is no statement");
	T_INT(parse("select 1; ; select 2;").statements, 2, "empty statements do not count");
	T_OK(!parse("create table x as select 1").select, "a statement that gives no rows is told");
}

static void errors(void)
{
	struct sql_info s = parse("select 1;\nselect a frm, from where");

	T_OK(s.error.n > 0, "bad grammar is an error");
	T_INT(s.error_offset, 29, "at its byte in the whole text");
	T_STR(arena_cstr(a, s.error), "syntax error at or near \"where\"", "in DuckDB's words");
}

/* Every table reads `range(3)` with a column a; the result or the error, with its place in the text. */
static const char *bound(const char *sql)
{
	struct sql_info info = parse(sql);
	struct str *readers = arena_array(a, struct str, info.n_tables);
	struct sql_bound b;
	struct duck_small s;
	struct err e = ERR_INIT;
	int64_t at = -1;

	for (size_t i = 0; i < info.n_tables; i++)
		readers[i] = arena_strf(a, "select range + %zu as a from range(3)", info.tables[i].at.n);
	sql_bind(a, str_of(sql), &info, readers, &b);
	if (!duck_small(d, a, &b.sql, &s, &at, &e))
		return s.rows.n_rows && s.rows.at[0].p ? arena_cstr(a, s.rows.at[0]) : "(nothing)";
	return arena_printf(a, "%s at %lld", e.msg, at < 0 ? -1LL : (long long)sql_bound_offset(&b, (size_t)at));
}

static void binding(void)
{
	T_STR(bound("select sum(a) from raw.x"), "3", "a table is read by its reader");
	T_STR(bound("select sum(x.a) from raw.x"), "3", "its name is its alias");
	T_STR(bound("select sum(raw.x.a) from raw.x"), "3", "with its schema too, which takes a view");
	T_STR(bound("select sum(s.a) from raw.x as s, raw.x t where s.a = t.a"), "3", "an alias stays");
	T_STR(bound("select sum(x.a) from raw.x at (version => 'abc')"), "12", "a table at a pin is another one");
	T_STR(bound("select sum(s.a) - sum(t.a) from raw.x s at (version => 'abc'), raw.x as t where s.a = t.a + 3"),
	      "9", "beside the same at its head");
	T_STR(bound("select sum(a) from \"raw.x@abc\""), "3", "a pin in the name needs no clause");
	T_STR(bound("with x as (select a + 1 as a from raw.x) select sum(a) from x"), "6",
	      "a CTE of its name hides it");
	T_STR(bound("pivot raw.x on a using count(*)"), "1", "PIVOT is read by a view");
	T_STR(bound("create temp table t as from raw.x; select sum(a) from t"), "3",
	      "so are tables in several statements");
	T_STR(bound("select sum(a) from raw.x where nope = 1"),
	      "referenced column \"nope\" not found in FROM clause at 31", "a mistake is told at its place");
	T_STR(bound("select sum(x.a) from raw.x at (version => 'abc') where nope = 1"),
	      "referenced column \"nope\" not found in FROM clause at 55", "behind a clause that was taken out too");
}

static void tokens(void)
{
	struct sql_range *r;
	struct str sql = STR("select ';' ; -- ;\n select $$;$$, e'\\';', \"a;\" /* ; /* ; */ ; */;;"), header;
	int line;

	T_INT(sql_split(a, sql, &r), 2, "semicolons in strings, names and comments split nothing");
	T_STR(arena_cstr(a, str_sub(sql, r[1].start, r[1].end - r[1].start)), "select $$;$$, e'\\';', \"a;\"",
	      "a statement ends before the comment behind it");
	T_OK(sql_header(a, STR("\r\n-- kind: sql\r\n--   schedule: x\r\n-- \r\nselect 1 -- y\n"), &header, &line),
	     "a header of comments");
	T_STR(arena_cstr(a, header), "kind: sql\n  schedule: x\n\n", "is read without its marks");
	T_INT(line, 2, "and knows its line");
	T_OK(sql_header(a, STR("/* kind: sql\n   pool: pg */ select 1"), &header, &line), "a block comment is one too");
	T_STR(arena_cstr(a, header), " kind: sql\n   pool: pg ", "as it stands");
	T_OK(!sql_header(a, STR("select 1 -- kind: sql"), &header, &line), "a comment behind code is none");
}

static void volatile_list(void)
{
	static const char *const ours[] = {
#define V(name) name,
#define W(name)
#define R(name) name,
#define S(name)
#include "defs/sql_functions.def"
	};
	struct buf b cleanup(buf_free) = BUF_INIT(100000);
	struct duck_sql q = {.sql = STR_NULL};
	struct duck_small s;
	struct err e = ERR_INIT;

	buf_adds(&b, "select distinct function_name from duckdb_functions() where ((stability <> 'CONSISTENT' and "
		     "function_type "
		     "= 'scalar') or (function_type in ('table', 'table_macro') and regexp_matches(function_name, "
		     "'^(read|parquet|sniff|glob)'))) and not list_contains([");
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		buf_addf(&b, "%s'%s'", i ? "," : "", ours[i]);
	buf_adds(&b, "], function_name) order by 1");
	q.sql = buf_str(&b);
	if (T_NO_ERR(duck_small(d, a, &q, &s, NULL, &e), &e, "the library tells of its functions"))
		T_STR(join(s.rows.at, s.rows.n_rows), "",
		      "every volatile function and every reader of files is in defs/sql_functions.def");
}

static void names(void)
{
	static const struct {
		const char *name, *as;
	} cases[] = {
		{"sales", "sales"},	  {"t1_x", "t1_x"},	    {"_", "_"},	    {"date", "date"},
		{"tables", "tables"},	  {"a/b", "\"a/b\""},	    {"", "\"\""},     {"1st", "\"1st\""},
		{"Sales", "\"Sales\""},	  {"x@master", "\"x@master\""}, {"a\"b", "\"a\"\"b\""}, {"order", "\"order\""},
		{"left", "\"left\""}, {"values", "\"values\""},   {"s\xc3\xa4", "\"s\xc3\xa4\""},
	};
	struct buf b cleanup(buf_free) = BUF_INIT(100000);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&b);
		sql_add_ident(&b, str_of(cases[i].name));
		T_STR(arena_cstr(a, buf_str(&b)), cases[i].as, "name %zu is quoted if it must be", i);
	}
}

/* Bare, each name must be a column, a table and a schema to DuckDB as well as to us. */
static void keyword_list(void)
{
	struct buf b cleanup(buf_free) = BUF_INIT(100000);
	struct duck_sql q = {
		.sql = STR("select distinct keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
			   " order by 1")};
	struct duck_small s;
	struct err e = ERR_INIT;
	const char *bare = "";

	if (!T_NO_ERR(duck_small(d, a, &q, &s, NULL, &e), &e, "the library tells of its key words"))
		return;
	for (size_t i = 0; i < s.rows.n_rows; i++) {
		buf_reset(&b);
		sql_add_ident(&b, s.rows.at[i]);
		if (*buf_str(&b).p != '"')
			bare = arena_printf(a, "%s %.*s", bare, STR_ARG(s.rows.at[i]));
	}
	T_STR(bare, "", "every key word that is no name without quotes is in defs/sql_keywords.def");
	T_OK(s.rows.n_rows > 100, "and there are many");
}

/* Which queries may run for many ds as one statement: each refusal has its query. */
static void batches(void)
{
	static const struct {
		const char *sql, *why;
	} c[] = {
		{"select speed, count(*) as n from raw.x group by 1", ""},
		{"select * from raw.x where ds = '1583-01-02'", ""},
		{"select x::int as x, '1583-01-02' as day, date '1583-01-02' + 1 as next from raw.x where d between "
		 "'1583-01-02'::date and cast('1583-01-02' as date) + 1",
		 ""},
		{"with a as (select g, sum(x) as s from raw.x group by all having count(*) > 1)"
		 " select a.*, d.name from a "
		 "left join tables.dim_d as d using (g) join c on c.g = a.g where s is not null and g in (1, 2)",
		 ""},
		{"select distinct * exclude (a) from (select * replace (a + 1 as a) from x) union all select * from y",
		 ""},
		{"select case when x > 1 then 'a' else 'b' end as k, max(y) filter (where z) as m from x group by all",
		 ""},
		{"select x from t where d like '1583-01-02'", "ds where its type may matter"},
		{"select strftime('1583-01-02', '%Y') as y from t", "ds where its type may matter"},
		{"select x in ('1583-01-02') as y from t", "ds where its type may matter"},
		{"select x from t where d between '1583-01-02' and z", "ds where its type may matter"},
		{"select ['1583-01-02'] as y from t", "ds where its type may matter"},
		{"select case when x then '1583-01-02' end as y from t", "ds where its type may matter"},
		{"select x, count(*) from t group by x, '1583-01-02'", "ds where its type may matter"},
		{"select '1583-01-02' from t", "a column that is named by ds"},
		{"select * from (select '1583-01-02'::date from t)", "a column that is named by ds"},
		{"select x from t using sample 3", "a sample"},
		{"select x from t tablesample 10%", "a sample"},
		{"pivot t on x using sum(y)", "what the parser does not tell"},
		{"select * from (pivot t on x in (1, 2) using sum(y))", "a pivot"},
		{"unpivot t on x, y", "a pivot"},
		{"select x from a full join b using (x)", "a join that is neither inner nor left"},
		{"select x from a right join b using (x)", "a join that is neither inner nor left"},
		{"select x from a semi join b using (x)", "a join that is neither inner nor left"},
		{"select x from a anti join b using (x)", "a join that is neither inner nor left"},
		{"select x from a asof join b using (x)", "a join that is neither inner nor left"},
		{"select x from a positional join b", "a join that is neither inner nor left"},
		{"select x from a, lateral (select a.x) l", "rows without a table"},
		{"select * from range(3)", "a table function"},
		{"select * from t, unnest([1, 2]) u(x)", "a table function"},
		{"select unnest(l) as x from t", "a function that hangs on the order of rows"},
		{"select * from t, (values (1), (2)) v(x)", "rows of its own (values)"},
		{"select 1 as a", "rows without a table"},
		{"select x, row_number() over (order by x) as n from t", "a window"},
		{"select x from t qualify row_number() over (order by x) = 1", "a window"},
		{"select x from t order by x", "an order by"},
		{"select * from (select x from t order by x)", "an order by"},
		{"select x from t limit 3", "a limit"},
		{"select x from t offset 3", "a limit"},
		{"select x from t limit 10%", "a limit"},
		{"select string_agg(x) as s from t", "a function that hangs on the order of rows"},
		{"select FIRST(x) as s from t group by y", "a function that hangs on the order of rows"},
		{"select arg_max(x, y) as s from t", "a function that hangs on the order of rows"},
		{"select sum(x order by y) as s from t", "an order by"},
		{"select distinct on (x) x, y from t", "distinct on"},
		{"select x, sum(y) as s from t group by rollup (x)", "grouping sets"},
		{"select x, y, sum(z) as s from t group by grouping sets ((x), (y))", "grouping sets"},
		{"with recursive r as (select x from t union all select x + 1 from r) select * from r",
		 "a recursive query"},
		{"select x from t where x = (select max(x) from u)", "a form that is not known to give the same rows"},
		{"select x from t where exists (select 1 from u)", "a form that is not known to give the same rows"},
		{"select list_transform(l, lambda x: x + 1) as l from t", "a lambda"},
		{"select x from t where y collate nocase = 'a'", "a form that is not known to give the same rows"},
		{"create macro m(x) as x + 1; select m(x) as y from t", "what the parser does not tell"},
		{"set threads = 1; select x from t", "what the parser does not tell"},
		{"summarize t", "a form that is not known to give the same rows"},
	};
	static const char *const known[] = {
#define O(name) name,
#define B(name) name,
#include "defs/sql_aggregates.def"
	};
	struct buf b cleanup(buf_free) = BUF_INIT(100000);
	struct duck_sql q = {.sql = STR_NULL};
	struct duck_small s;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct sql_info info = parse(c[i].sql);

		T_STR(info.error.n ? arena_cstr(a, info.error) : arena_cstr(a, info.alone), c[i].why, "one of many: %s",
		      c[i].sql);
	}
	T_INT((int64_t)parse(c[2].sql).stand_ins, 4, "each place of ds is counted");
	buf_adds(&b, "select distinct function_name from duckdb_functions() where function_type = 'aggregate' and not "
		     "list_contains([");
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		buf_addf(&b, "%s'%s'", i ? "," : "", known[i]);
	buf_adds(&b, "], function_name) order by 1");
	q.sql = buf_str(&b);
	if (T_NO_ERR(duck_small(d, a, &q, &s, NULL, &e), &e, "the library tells of its aggregates"))
		T_STR(join(s.rows.at, s.rows.n_rows), "", "every aggregate is in defs/sql_aggregates.def");
}

int main(int argc, char **argv)
{
	struct duck_conf c = {.threads = 1};
	struct err e = ERR_INIT;
	char version[32], where[4096];

	if (argc > 2 && !strcmp(argv[1], "--role"))
		return duck_worker_main(argc, argv);
	a = arena_new();
	tokens();
	names();
	if (duck_library(version, sizeof(version), where, sizeof(where), &e)) {
		printf("ok %d - the rest needs DuckDB # SKIP %s\n", ++t_count, e.msg);
		return t_done();
	}
	d = duck_new(&c);
	which_tables();
	meaning();
	facts();
	errors();
	binding();
	volatile_list();
	keyword_list();
	batches();
	duck_free(d);
	arena_free(a);
	return t_done();
}
