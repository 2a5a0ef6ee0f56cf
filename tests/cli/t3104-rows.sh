#!/usr/bin/env bash
# Empty results, equal rows, line ends of Windows, small things of tables (SEMANTICS 2, 3).
. "$(dirname "$0")/../lib.sh"

ran() { # N words…: leat with these words, whose last line says that N units ran
	local n=$1
	shift
	leat "$@" >"$TRASH/.t/ran" 2>&1 || { cat "$TRASH/.t/ran"; return 1; }
	grep -q "^$n ran" "$TRASH/.t/ran" || { echo "not $n ran: $*"; cat "$TRASH/.t/ran"; return 1; }
}

test_expect 'a unit of SQL without rows writes its file, with the schema and 0 rows; downstream sees it present and empty' '
	workspace em && printf "id,n\n1,2\n" | leat put raw/in --ds 2024-01-01 - --name d.csv && printf "id,n\n1,-2\n" | leat put raw/in --ds 2024-01-02 - --name d.csv &&
	printf -- "-- output: tables/pos\n-- partition: daily\nselect id, n from raw.\"in\" where n > 0\n" > jobs/pos.sql && printf -- "-- output: marts/n\n-- partition: daily\nselect count(*) as c, max(n) as m from tables.pos\n" > jobs/n.sql &&
	ran 4 run && eq "$(leat ls tables/pos:/ds=2024-01-02)" /ds=2024-01-02/part-0.parquet && eq "$(sql "select count(*) from tables.pos where ds = '"'2024-01-02'"'" | tail -1)" 0 &&
	eq "$(sql "select c, m from marts.n order by ds" | tail -n +2 | paste -sd" ")" "1,2 0," && ran 0 run
'
test_expect 'ran and gave nothing differs from missing: only the missing day is named' '
	cd em && exits 1 leat run n 2024-01-02 2024-01-03 > ../out 2>&1 && has ../out "2024-01-03 is missing" && lacks ../out "2024-01-02 is missing"
'
test_expect 'equal rows in another order are the same table: no version, nothing downstream' '
	cd em && printf "id,n\n1,2\n2,3\n3,4\n" | leat put raw/in --ds 2024-01-01 - --name d.csv && ran 2 run && count 3 leat log tables/pos --json && printf "id,n\n3,4\n1,2\n2,3\n" | leat put raw/in --ds 2024-01-01 - --name d.csv &&
	ran 1 run && count 3 leat log tables/pos --json && ran 0 run
'
test_expect 'with an order of its own, the order counts' '
	cd em && sed -i "s/where n > 0/where n > 0 order by n desc/" jobs/pos.sql && leat run > /dev/null 2>&1 && k=$(leat log tables/pos --json | wc -l) && sed -i "s/order by n desc/order by n/" jobs/pos.sql &&
	leat run > /dev/null 2>&1 && test "$(leat log tables/pos --json | wc -l)" -gt "$k" && eq "$(sql "select n from tables.pos where ds = '"'2024-01-01'"'" | tail -n +2 | paste -sd" ")" "2 3 4"
'
test_expect 'each kind run twice gives one version: sql, script, download' '
	workspace tw && mkdir www && printf "id,n\n1,2\n" > www/f.csv && http_server www && printf "kind: download\nurl: %s/f.csv\noutput: raw/f\npartition: daily\n" "$HTTP_URL" > d.yaml && mkdir -p jobs/d jobs/s && mv d.yaml jobs/d/job.yaml &&
	printf -- "-- output: tables/q\n-- partition: daily\nselect n %% 7 as g, count(*) as c, sum(n)::bigint as s from range(100000) t(n) group by 1\n" > jobs/q.sql &&
	printf "kind: script\noutput: raw/s\npartition: daily\n" > jobs/s/job.yaml && printf "#!/bin/sh\necho \$DS > \$LEAT_OUTPUT/f\n" > jobs/s/job.sh && chmod +x jobs/s/job.sh &&
	for j in q s d; do leat run $j 2024-01-01 && leat run --again $j 2024-01-01 && leat run --again $j 2024-01-01; done && for r in tables/q raw/s raw/f; do count 1 leat log $r --json; done
'
test_expect 'many partitions at once and one by one give the same rows' '
	workspace ba && for d in $(seq -w 01 07); do printf "id,n\n$d,2\n$d,3\n" | leat put raw/in --ds 2024-02-$d - --name d.csv > /dev/null; done && printf -- "-- output: tables/b\n-- partition: daily\nselect {{ ds }} as day, id, sum(n)::bigint as n from raw.\"in\" group by all\n" > jobs/b.sql &&
	ran 7 run && sql "from tables.b order by all" > all && sed "s#tables/b#tables/c#" jobs/b.sql > jobs/c.sql && for d in $(seq -w 01 07); do leat run --again c 2024-02-$d > /dev/null 2>&1; done && sql "from tables.c order by all" > one && same all one && count 8 cat one
'
test_expect 'a column ds that equals the ds of the unit is dropped; another one fails the unit' '
	workspace dc && printf -- "-- output: tables/ok\n-- partition: daily\nselect {{ ds }} as ds, 1 as a\n" > jobs/ok.sql && printf -- "-- output: tables/no\n-- partition: daily\nselect '"'2020-01-01'"' as ds, 1 as a\n" > jobs/no.sql &&
	leat run ok 2024-01-01 && eq "$(sql "select ds, a from tables.ok" | tail -1)" 2024-01-01,1 && exits 1 leat run no 2024-01-01 > ../out 2>&1 && has ../out ds && exits 1 leat ls tables/no 2> /dev/null
'
test_expect 'in a source file that has a column ds, the folder wins, and schema says so' '
	cd dc && printf "ds,a\n1999-01-01,1\n" | leat put raw/own --ds 2024-01-01 - --name d.csv && eq "$(sql "select ds, a from raw.own" | tail -1)" 2024-01-01,1 && leat schema raw/own > ../out && has ../out ds folder
'
test_expect 'line ends of Windows in leat.yaml, job.yaml, job.sql, a job of one file and CSV' '
	workspace cr && printf "name: cr\r\nslots: 2\r\n" > leat.yaml && printf "id,name\r\n1,ann\r\n2,bob\r\n" | leat put raw/in --ds 2024-01-01 - --name d.csv && mkdir jobs/w && printf "kind: sql\r\noutput: tables/w\r\npartition: daily\r\nparams:\r\n  low: 1\r\nchecks:\r\n  - row_count = 1\r\n" > jobs/w/job.yaml &&
	printf "select id, name -- who\r\nfrom raw.\"in\"\r\nwhere id > {{ params.low }}\r\n" > jobs/w/job.sql && printf -- "-- output: tables/v\r\n-- partition: daily\r\nselect name || '"'!'"' as name\r\nfrom tables.w\r\n" > jobs/v.sql &&
	ran 2 run && eq "$(sql "select name from tables.v" | tail -1)" "bob!" && sed -i "s/\r//" jobs/w/* jobs/v.sql && ran 0 run && leat plan > ../out && has ../out "nothing to run"
'
test_expect 'the type of ds is DATE in a daily table and text in others, as any DuckDB sees the folders' '
	workspace ty && echo a > f && for d in 2024-01-01 2024-W02 2024-02 2024-01-01T05; do printf "a\n1\n" | leat put raw/t${#d} --ds $d - --name f.csv; done &&
	eq "$(sql "select typeof(ds) from raw.t10" | tail -1)" DATE && eq "$(sql "select typeof(ds), ds from raw.t8" | tail -1)" VARCHAR,2024-W02 && eq "$(sql "select typeof(ds), ds from raw.t7" | tail -1)" VARCHAR,2024-02 && eq "$(sql "select typeof(ds), ds from raw.t13" | tail -1)" VARCHAR,2024-01-01T05
'
test_expect 'a query of one day opens no file of another day' '
	cd em && opens ../trace sql "select count(*) from tables.pos where ds = '"'2024-01-01'"'" --format csv > ../out && eq "$(tail -1 ../out)" 3 &&
	has ../trace "/ds=2024-01-01/" && lacks ../trace "/ds=2024-01-02/"
'
test_expect 'what any DuckDB reads in datastore/ is what leat reads' '
	cd em && f=datastore/tables/pos && python3 - "$PWD/$f" "$CHECKOUT" <<P
import os, sys
paths = [os.path.join(d, x) for d, _, fs in os.walk(sys.argv[1]) for x in fs]
assert paths and all(open(p, "rb").read(4) == b"PAR1" for p in paths), paths
P
'
test_done
