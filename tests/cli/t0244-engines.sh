#!/usr/bin/env bash
# What other engines do with datastore/ as it lies there: they read the head, and what they write is adopted. Each is
# tried where it is installed: the duckdb CLI, and the duckdb, pandas, pyarrow and pyspark of python3 (LEAT_TEST_PYTHON
# names another one; pyspark needs a Java).
. "$(dirname "$0")/../lib.sh"
needs python3
py=${LEAT_TEST_PYTHON:-python3}
# test_with MODULE 'sentence' 'commands'
test_with() {
	if "$py" -c "import $1" >/dev/null 2>&1; then
		test_expect "$2" "$3"
	else
		test_skip "$2" "$py has no $1"
	fi
}
# The table that all read: 3 days, 30 rows, sum(n) 1035; what each writes: 2 days, 4 rows, sum(v) 10.
written() { # REPO: it was adopted, and SQL finds what was written
	eq "$(sql "select count(*) as n, sum(v)::bigint as v, count(distinct ds) as d from raw.$1" | tail -n 1)" "4,10,2"
}

test_expect 'a table of three days lies in datastore/' '
	workspace w && for d in 1 2 3; do
		leat sql "select (range + ($d - 1) * 30)::bigint as n, chr((97 + range % 3)::integer) as k from range(10)" \
			--format parquet -o ../f.parquet && leat put tables/t --ds 2024-01-0$d ../f.parquet || return 1
	done && eq "$(sql "select count(*) as n, sum(n)::bigint as s from tables.t" | tail -n 1)" "30,1035"
'
if command -v duckdb >/dev/null; then
	test_expect 'the duckdb CLI reads it in place, prunes by ds, and what it writes is adopted' '
		cd w && eq "$(duckdb -csv -noheader -c "select count(*), sum(n)::bigint, count(distinct ds) from \
			read_parquet(\$\$datastore/tables/t/**/*.parquet\$\$, hive_partitioning = true)")" "30,1035,3" &&
		mkdir -p datastore/raw/cli && duckdb -c "copy (select * from (values (1, \$\$2024-01-01\$\$), (2, \$\$2024-01-01\$\$), (3, \$\$2024-01-02\$\$), \
			(4, \$\$2024-01-02\$\$)) t(v, ds)) to \$\$datastore/raw/cli\$\$ (format parquet, partition_by (ds), overwrite_or_ignore)" &&
		leat commit raw/cli && written cli
	'
else
	test_skip 'the duckdb CLI reads it in place, prunes by ds, and what it writes is adopted' 'duckdb is not installed'
fi
test_with duckdb 'duckdb in Python reads it in place, prunes by ds, and what it writes is adopted' '
	cd w && mkdir -p datastore/raw/duck && "$py" - > ../got <<-"P" &&
	import duckdb
	t = "read_parquet(\"datastore/tables/t/**/*.parquet\", hive_partitioning = true)".replace("\"", chr(39))
	print(*duckdb.sql("select count(*), sum(n)::bigint, count(distinct ds) from " + t).fetchall()[0])
	print(*duckdb.sql("select count(*) from " + t + " where ds = date \x272024-01-02\x27").fetchall()[0])
	duckdb.execute("copy (select * from (values (1, \x272024-01-01\x27), (2, \x272024-01-01\x27), (3, \x272024-01-02\x27), (4, \x272024-01-02\x27)) t(v, ds)) "
	               "to \x27datastore/raw/duck\x27 (format parquet, partition_by (ds), overwrite_or_ignore)")
	P
	eq "$(tr "\n" " " < ../got)" "30 1035 3 10 " && leat commit raw/duck && written duck
'
test_with pandas 'pandas reads it in place, and what it writes is adopted, as Parquet and as CSV' '
	cd w && "$py" -c "import pyarrow" && "$py" - > ../got <<-"P" &&
	import os, pandas as pd
	d = pd.read_parquet("datastore/tables/t")
	print(len(d), d.n.sum(), d.ds.nunique())
	o = pd.DataFrame({"v": [1, 2, 3, 4], "ds": ["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"]})
	o.to_parquet("datastore/raw/panda", partition_cols=["ds"])
	for ds, g in o.groupby("ds"):
	    os.makedirs("datastore/raw/csv/ds=" + ds)
	    g[["v"]].to_csv("datastore/raw/csv/ds=" + ds + "/x.csv", index=False)
	P
	eq "$(cat ../got)" "30 1035 3" && leat commit && written panda && written csv
'
test_with pyarrow 'pyarrow reads it in place, and what it writes is adopted' '
	cd w && "$py" - > ../got <<-"P" &&
	import pyarrow as pa, pyarrow.compute as pc, pyarrow.dataset as ds
	d = ds.dataset("datastore/tables/t", partitioning="hive")
	t = d.to_table()
	print(t.num_rows, pc.sum(t["n"]), d.to_table(filter=ds.field("ds") == "2024-01-03").num_rows)
	ds.write_dataset(pa.table({"v": [1, 2, 3, 4], "ds": ["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"]}),
	                 "datastore/raw/arrow", format="parquet", partitioning=["ds"], partitioning_flavor="hive")
	P
	eq "$(cat ../got)" "30 1035 10" && leat commit raw/arrow && written arrow
'
test_with pyarrow 'a file that an engine writes over is adopted as a new version, and the old one stays as it was' '
	cd w && f=$(ls datastore/raw/arrow/ds=2024-01-01/*) && "$py" - $f <<-"P" &&
	import os, sys, pyarrow as pa, pyarrow.parquet as pq
	pq.write_table(pa.table({"v": [100]}), "new")
	os.replace("new", sys.argv[1])
	P
	leat status > ../out && leat commit raw/arrow && eq "$(sql "select sum(v)::bigint as v from raw.arrow" | tail -n 1)" 107 &&
	eq "$(sql "select sum(v)::bigint as v from raw.\"arrow@master^\"" | tail -n 1)" 10 && leat fsck
'
spark() { # the program on standard input
	if command -v java >/dev/null; then SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON=$py "$py" - 2>../spark.err || { tail -n 20 ../spark.err; return 1; }; fi
}
if ! command -v java >/dev/null; then
	test_skip 'Spark reads it in place, and what it writes is adopted, appends too' 'java is not installed'
else
	test_with pyspark 'Spark reads it in place, and what it writes is adopted, appends too' '
	cd w && spark > ../got <<-"P" &&
	from pyspark.sql import SparkSession
	from pyspark.sql import functions as F
	s = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.memory", "600m")
	     .config("spark.sql.shuffle.partitions", "1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate())
	t = s.read.parquet("datastore/tables/t")
	r = t.agg(F.count("*"), F.sum("n"), F.countDistinct("ds")).first()
	print(r[0], r[1], r[2], t.where("ds = date \x272024-01-02\x27").count())
	o = s.createDataFrame([(1, "2024-01-01"), (2, "2024-01-01")], "v int, ds string").coalesce(1)
	p = s.createDataFrame([(3, "2024-01-02"), (4, "2024-01-02")], "v int, ds string").coalesce(1)
	o.write.partitionBy("ds").parquet("datastore/raw/spark")
	p.write.mode("append").partitionBy("ds").parquet("datastore/raw/spark")
	P
	eq "$(cat ../got)" "30 1035 3 10" && leat commit raw/spark && written spark && leat status | lacks - uncommitted
	'
fi
test_expect 'the store is whole after all of them' '
	cd w && leat fsck
'
test_done
