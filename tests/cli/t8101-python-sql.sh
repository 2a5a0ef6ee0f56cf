#!/usr/bin/env bash
# leat.sql, table, read and write in a task, and `leat sql --inputs`, which serves them.
. "$(dirname "$0")/../lib.sh"
needs python3

job() { # NAME KEYS: reads job.py from standard input
	mkdir -p "jobs/$1" && printf '%b' "kind: script\n$2" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.py"
}

test_expect 'in a task the tables are its inputs, by name and by repo, typed as leat sql types them; a bare python3 is enough' '
	workspace w && printf "a,b,d\n1,x,2018-01-02\n2,y,2018-01-03\n" > t.csv && leat put raw/t t.csv --ds 2018-01-02 &&
	leat put raw/t t.csv --ds 2018-01-03 &&
	job a "partition: daily\nsandbox: on\ninputs: {t: raw/t, all: {repo: raw/t, window: [-1, 0]}}\noutput: tables/a\n" <<-"END" &&
	import leat, datetime
	rows = leat.sql("select a, b, d, ds from t", frame="rows")
	assert rows == [dict(a=1, b="x", d=datetime.date(2018, 1, 2), ds=datetime.date(2018, 1, 3)),
	                dict(a=2, b="y", d=datetime.date(2018, 1, 3), ds=datetime.date(2018, 1, 3))], rows
	assert rows.types == ["BIGINT", "VARCHAR", "DATE", "DATE"], rows.types
	assert leat.sql("select a, b, d, ds from raw.t", frame="rows") == rows
	assert leat.table("t", frame="rows") == leat.table("raw/t", frame="rows") == leat.table("raw.t", frame="rows") == rows
	assert leat.sql("select count(*) as n, count(distinct ds) as days from \"all\"", frame="rows") == [dict(n=4, days=2)]
	leat.write(leat.sql("select b, sum(a) as n from \"all\" group by b order by b"), "tables/a", ds="2018-01-03")
	END
	leat run a 2018-01-03 && eq "$(leat sql "select b, n from tables.a order by b" --format csv | tr "\n" " ")" "b,n x,2 y,4 "
'
test_expect 'what is no input is refused, with what there is; so are other versions, other repos, other days, and runs' '
	cd w && job no "partition: daily\ninputs: {t: raw/t}\noutput: tables/no\n" <<-"END" &&
	import leat
	def why(f):
	    try:
	        f()
	    except leat.Error as e:
	        return "%s|%s" % (e, e.code)
	told = [why(f).replace("\n  ", "|") for f in (
	    lambda: leat.sql("select * from raw.other"), lambda: leat.sql("from t", at="master.1"),
	    lambda: leat.sql("from raw.t at (version => '\''master.1'\'')"), lambda: leat.write([{"a": 1}], "tables/x"),
	    lambda: leat.write([{"a": 1}], "tables/no", ds="2018-01-03"), lambda: leat.run("a"), lambda: leat.read("raw/other:/x"))]
	(leat.output / "told").write_text("\n".join(told))
	END
	leat run no 2018-01-02 && leat cat tables/no:/ds=2018-01-02/told > got &&
	has got "query:1:15: raw.other is no input of this task|its inputs are t|bad-sql" "at= and ds= are for queries outside" \
		"query:1:6: a task reads its inputs as they are, at no other version|pin it in job.yaml" \
		"this task writes tables/no, not tables/x|" "this task makes ds=2018-01-02, not ds=2018-01-03|" \
		"a task starts no runs" "raw/other is no input of this task"
'
test_expect 'files of an input are read by the repo and by the name, with the ds= folder or without' '
	cd w && job f "partition: daily\ninputs: {t: raw/t}\noutput: raw/f\n" <<-"END" &&
	import leat
	assert leat.read("raw/t:/ds=2018-01-02/t.csv") == leat.read("t:/t.csv") == leat.open("t:/t.csv").read()
	assert leat.open("t:/t.csv", "r").readline() == "a,b,d\n"
	try:
	    leat.read("t:/none")
	except leat.Error as e:
	    (leat.output / "told").write_text("%s %s" % (e.code, e))
	END
	leat run f 2018-01-02 && eq "$(leat cat raw/f:/ds=2018-01-02/told)" "not-found the input t has no /none"
'
test_expect 'rows of every type of Python come through Parquet and back: nested ones, none, bytes, wide numbers, NaN' '
	cd w && job types "output: tables/types\n" <<-"END" &&
	import leat, datetime as d, decimal
	leat.write([{"a": 1, "b": "2018-01-01", "c": d.date(2018, 1, 1), "e": d.datetime(2018, 1, 1, 1, 2, 3, 4), "f": 1, "g": None,
	    "h": b"a\\xff", "i": decimal.Decimal("1.10"), "j": [1, 2], "k": {"x": 1, "y": "1"}, "t": True, "o": d.time(1, 2),
	    "z": d.datetime(2018, 1, 1, tzinfo=d.timezone(d.timedelta(hours=2))), "q\"uo, te": "a\nb,\"c"},
	    {"a": None, "f": 0.5, "b": ""}, {"f": float("inf"), "i": 3, "late": 7}], "tables/types")
	END
	leat run types && cat > look.py <<-"END" &&
	import sys, decimal, datetime as d
	sys.path.insert(0, sys.argv[1])
	import leat
	x, y, z = leat.table("tables/types", frame="rows")
	assert x == {"a": 1, "b": "2018-01-01", "c": d.date(2018, 1, 1), "e": d.datetime(2018, 1, 1, 1, 2, 3, 4), "f": 1.0, "g": None,
	    "h": b"a\\xff", "i": decimal.Decimal("1.10"), "j": [1, 2], "k": {"x": 1, "y": "1"}, "t": True, "o": d.time(1, 2),
	    "z": d.datetime(2017, 12, 31, 22, tzinfo=d.timezone.utc), "q\"uo, te": "a\nb,\"c", "late": None}, x
	assert y["a"] is None and y["f"] == 0.5 and y["b"] == "" and z["f"] == float("inf") and z["late"] == 7 and z["i"] == 3
	END
	LEAT_BIN=$LEAT_BIN python3 look.py "$CHECKOUT/clients/python/src"
'
test_expect 'a column of two types, and what has no place in a table, are refused by name' '
	cd w && cat > two.py <<-"END" &&
	import sys
	sys.path.insert(0, sys.argv[1])
	import leat
	for rows in ([{"a": 1}, {"a": "x"}], [{"a": object()}], [], [{"a": 1}, 3], "x", leat.Table([], columns=["a"])):
	    try:
	        leat.write(rows, "tables/two")
	        print("written")
	    except leat.Error as e:
	        print(e.message)
	END
	LEAT_BIN=$LEAT_BIN python3 two.py "$CHECKOUT/clients/python/src" > got &&
	printf "%s\n" "column a holds BIGINT and VARCHAR: a column has one type" "column a holds a object, which has no place in a table" \
		"there are no rows, so the columns are not known" "a list is no frame: pandas, polars, pyarrow, dask, duckdb or a list of dicts" \
		"a str is no frame: pandas, polars, pyarrow, dask, duckdb or a list of dicts" written > want && same want got
'
test_expect 'leat sql --inputs needs no workspace, and has no tables outside of a task' '
	eq "$(cd / && leat sql --inputs "select 40 + 2 as a" --format csv | tr "\n" " ")" "a 42 " &&
	exits 2 leat sql --inputs "from x" 2> why && has why "query:1:6: x is no input of this task" "job.yaml names none" &&
	exits 2 leat sql --inputs "from x" --at master 2> why && has why "takes no --at"
'
test_expect 'typed rows for programs: the columns in the first line, a list for each row; in a file too' '
	cd w && leat sql "select a, b, null as n from raw.t order by ds, a limit 1" --format typed > got &&
	printf "%s\n" "{\"columns\":[{\"name\":\"a\",\"type\":\"BIGINT\"},{\"name\":\"b\",\"type\":\"VARCHAR\"},{\"name\":\"n\",\"type\":\"INTEGER\"}]}" "[1,\"x\",null]" > want &&
	same want got && leat sql "select a, b, null as n from raw.t order by ds, a limit 1" --format typed -o f.typed && same want f.typed
'
test_expect 'Parquet goes to standard output with -o -, and leaves nothing behind' '
	cd w && mkdir tmp && TMPDIR=$PWD/tmp leat sql "select a from raw.t order by a" --format parquet -o - > x.parquet &&
	eq "$(ls tmp)" "" && leat put tables/back x.parquet && eq "$(leat sql "select sum(a) from tables.back" --format csv | tail -1)" 6 &&
	exits 2 leat sql "select 1" --format parquet 2> why && has why "Parquet goes to a file"
'
test_expect 'folders with two formats, or without a table, are told by name' '
	cd w && printf "[{\"a\":1}]" > x.json && leat put raw/mixed t.csv x.json &&
	echo hi > n.txt && leat put raw/none n.txt &&
	job mix "inputs: {m: raw/mixed, n: raw/none}\noutput: raw/mix\n" <<-"END" &&
	import leat
	for q in ("from m", "from n"):
	    try:
	        leat.sql(q)
	    except leat.Error as e:
	        print(e.message)
	END
	leat run mix && leat logs mix > log &&
	has log "the input m holds csv and json files (t.csv, x.json); a table has one format" "the input n is no table: it has no Parquet, CSV or JSON files"
'
test_done
