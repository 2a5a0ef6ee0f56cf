#!/usr/bin/env bash
# Frames of pandas, polars, pyarrow, dask and DuckDB, each where this python3 has it: in a job of kind python and out of one.
. "$(dirname "$0")/../lib.sh"
needs python3

has_module() { python3 -c "import $1" 2>/dev/null; }
frame_test() { # MODULE 'sentence' 'body'
	if has_module "$1"; then test_expect "$2" "$3"; else test_skip "$2" "this python3 has no $1"; fi
}
job() { # NAME KEYS: reads job.py from standard input
	mkdir -p "jobs/$1" && printf '%b' "kind: python\n$2" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.py"
}
there() { # FILE: runs it with the package of the checkout, outside of a task
	PYTHONPATH=$CHECKOUT/clients/python/src LEAT_BIN=$LEAT_BIN python3 "$@"
}
sum_of() { # TABLE: what each of them gives of the same rows
	leat sql "select k, sum(n) as n, min(day)::date as day, ds from $1 group by k, ds order by k" --format csv | tr "\n" " "
}
want="k,n,day,ds a,4,2018-01-01,2018-01-02 b,2,2018-01-03,2018-01-02 "

test_expect 'the rows that all of them are given' '
	workspace w && printf "k,n,day\na,1,2018-01-01\nb,2,2018-01-03\na,3,2018-01-02\n" > t.csv && leat put raw/t t.csv --ds 2018-01-02
'
frame_test pandas 'pandas: days are datetime64, what is returned loses an unnamed index and keeps a named one as a column' '
	cd w && job p "partition: daily\ninputs: {t: raw/t}\noutput: tables/p\n" <<-"END" &&
	import pandas as pd
	def run(t: pd.DataFrame) -> pd.DataFrame:
	    assert str(t.day.dtype).startswith("datetime64"), t.dtypes
	    assert list(t.columns) == ["k", "n", "day", "ds"]
	    return t.groupby(["k", "day"])[["n"]].sum()
	END
	leat run p 2018-01-02 && eq "$(sum_of tables.p)" "$want" &&
	cat > out.py <<-"END" &&
	import leat, pandas
	df = leat.sql("from raw.t order by n", ds="2018-01-02")
	assert isinstance(df, pandas.DataFrame) and df.n.tolist() == [1, 2, 3]
	id = leat.write(df[df.n > 1].drop(columns="ds"), "tables/out", ds="2018-01-05", message="by hand")
	assert leat.table("tables/out@" + id).n.tolist() == [2, 3]
	assert leat.sql("select sum(n) as s from tables.out", at=id, frame="rows") == [{"s": 5}]
	END
	there out.py && eq "$(leat log tables/out --json | python3 -c "import json, sys; print(json.load(sys.stdin)[\"message\"])")" "by hand"
'
frame_test polars 'polars: frames and lazy ones, in and out' '
	cd w && job q "partition: daily\ninputs: {t: raw/t}\noutput: tables/q\n" <<-"END" &&
	import polars as pl
	def run(t: pl.LazyFrame, inputs: "dict[str, pl.DataFrame]"):
	    assert isinstance(inputs["t"], pl.DataFrame) and inputs["t"]["n"].to_list() == [1, 2, 3]
	    return t.drop("ds")
	END
	leat run q 2018-01-02 && eq "$(sum_of tables.q)" "$want" &&
	echo "import leat, polars; assert isinstance(leat.table(\"raw/t\", frame=\"polars\"), polars.DataFrame)" > a.py && there a.py
'
frame_test pyarrow 'pyarrow: tables, and what reads batches' '
	cd w && job r "partition: daily\ninputs: {t: raw/t}\noutput: tables/r\n" <<-"END" &&
	import pyarrow as pa
	def run(t: pa.Table, params):
	    assert t.column("n").to_pylist() == [1, 2, 3]
	    return t.drop_columns(["ds"]).to_reader()
	END
	leat run r 2018-01-02 && eq "$(sum_of tables.r)" "$want"
'
frame_test duckdb 'DuckDB: relations' '
	cd w && job s "partition: daily\ninputs: {t: raw/t}\noutput: tables/s\n" <<-"END" &&
	import duckdb
	def run(t: duckdb.DuckDBPyRelation):
	    return t.project("k, n, day")
	END
	leat run s 2018-01-02 && eq "$(sum_of tables.s)" "$want"
'
frame_test dask.dataframe 'dask: frames that are computed when they are kept' '
	cd w && job d "partition: daily\ninputs: {t: raw/t}\noutput: tables/d\n" <<-"END" &&
	import dask.dataframe as dd
	def run(t: dd.DataFrame):
	    return t.drop(columns=["ds"])
	END
	leat run d 2018-01-02 && eq "$(sum_of tables.d)" "$want"
'
frame_test pandas 'pandas without pyarrow reads and writes by rows, and gives the same' '
	cd w && mkdir -p none && echo "raise ImportError(\"hidden by the test\")" > none/pyarrow.py &&
	cat > rows.py <<-"END" &&
	import sys, importlib.util
	find = importlib.util.find_spec
	importlib.util.find_spec = lambda name, *more: None if name.partition(".")[0] == "pyarrow" else find(name, *more)
	sys.modules["pyarrow"] = None
	sys.modules.pop("pyarrow")
	import leat, pandas
	df = leat.sql("select k, n, day, 1.5::decimal(4,2) as d, null as none from raw.t order by n", frame="pandas")
	assert str(df.day.dtype).startswith("datetime64") and df.n.tolist() == [1, 2, 3] and str(df.d[0]) == "1.50", df
	leat.write(df.drop(columns=["d", "none"]), "tables/rows", ds="2018-01-02")
	END
	there rows.py && eq "$(leat sql "select k, sum(n) as n, min(day)::date as day, ds from tables.rows group by k, ds order by k" --format csv | tr "\n" " ")" "$want"
'
test_done
