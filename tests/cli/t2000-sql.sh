#!/usr/bin/env bash
# leat sql, schema, plot: as people type them (issue, "tables and SQL"; SEMANTICS 10).
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
for d in 1 2 3; do printf 'id,name,n\n%s,ann,%s\n9,"b, ob",\n' $d $((d * 10)) | leat put raw/people --ds 2024-01-0$d - --name p.csv > /dev/null; done
cd ..

test_expect 'a table is aligned columns, numbers to the right, NULL where there is nothing' '
	cd w && leat sql "select id, name, n from raw.people where ds = '"'2024-01-02'"' order by id" > out && eq "$(head -2 out | tail -1 | tr -d "\n")" "--  -----  ----" && has out " 2  ann      20" " 9  b, ob  NULL" && lacks out "rows"
'
test_expect 'csv quotes what needs it, json is one document, markdown is a table, parquet goes to a file' '
	cd w && Q="select id, name, n from raw.people where ds = '"'2024-01-02'"' order by id" && leat sql "$Q" --format csv > out && eq "$(tail -1 out)" "9,\"b, ob\"," && leat sql "$Q" --format json > out && eq "$(json out d)" "[{\"id\": 2, \"name\": \"ann\", \"n\": 20}, {\"id\": 9, \"name\": \"b, ob\", \"n\": null}]" &&
	leat sql "$Q" --json > out2 && same out out2 && leat sql "$Q" --format markdown > out && has out "| id | name | n |" "| --- |" && leat sql "$Q" --format parquet -o p.parquet > out && eq "$(head -c 4 p.parquet)" PAR1 &&
	eq "$(sql "select count(*) from '"'p.parquet'"'" | tail -1)" 2 && exits 2 leat sql "$Q" --format parquet > out 2>&1 && has out "-o FILE"
'
test_expect '-o writes each format to a file, and standard output stays empty of results' '
	cd w && for f in csv json markdown parquet; do leat sql "select 42 as a" --format $f -o o.$f > out && test -s o.$f; done && eq "$(cat o.csv | paste -sd" ")" "a 42"
'
test_expect '-f reads a query from a file, comments and a semicolon at the end and all; its errors name that file' '
	cd w && printf -- "-- all\nselect count(*) as c\nfrom raw.people; -- end\n" > q.sql && eq "$(leat sql -f q.sql --format csv | tail -1)" 6 && printf "select 1,\n  nothere\nfrom raw.people" > q.sql && exits 2 leat sql -f q.sql 2> err && has err "q.sql:2:3" nothere &&
	exits 2 leat sql "select 1" -f q.sql 2> err && has err both && exits 2 leat sql 2> err && has err "no query" && exits 1 leat sql -f none.sql 2> err && has err none.sql
'
test_expect 'a table, a column, a keyword that is wrong: place, and what was meant' '
	cd w && exits 2 leat sql "select * from raw.poeple" 2> err && has err "query:1:15" people && exits 2 leat sql "select nmae from raw.people" 2> err && has err "query:1:8" name && exits 2 leat sql "select from where" 2> err && has err "query:1:" && exits 2 leat sql "from people" 2> err && has err people
'
test_expect 'show tables and describe tell what there is' '
	cd w && sql "show tables" > out && has out raw.people && sql "describe raw.people" > out && has out "id,BIGINT" "ds,DATE"
'
test_expect 'a table at a pin: in quotes, by at (version), by at (timestamp), and all tables by --at' '
	cd w && n() { sql "$@" | tail -1; } && eq "$(n "select count(*) from \"raw.people@master.1\"")" 2 && eq "$(n "select count(*) from raw.people at (version => '"'master^'"')")" 4 && eq "$(n "select count(*) from raw.people" --at master.1)" 2 &&
	eq "$(n "select count(*) from raw.people at (timestamp => '"'2020-01-01 00:00'"')" 2>&1 | grep -c "leat:\|^0")" 1 && eq "$(n "select count(*) from raw.people at (timestamp => '"'2099-01-01 00:00'"')")" 6 &&
	id=$(leat log raw/people --json | tail -1 | python3 -c "import json,sys; print(json.load(sys.stdin)[\"commit\"])") && eq "$(n "select count(*) from \"raw.people@${id:0:8}\"")" 2 && eq "$(n "select count(*) from raw.people" --at $id)" 2 &&
	exits 1 leat sql "from raw.people" --at master.9 2> err && exits 2 leat sql "from raw.people" --at raw/people@master.1 2> err && has err "version"
'
test_expect '--ds reads as a unit of that day would' '
	cd w && eq "$(sql "select count(*), min(ds) from raw.people" --ds 2024-01-02 | tail -1)" 2,2024-01-02 && exits 1 leat sql "from raw.people" --ds 2024-01-09 2> err && has err "2024-01-09"
'
test_expect 'CSV, TSV, JSON, NDJSON, and each of them with gzip and zstd, are tables; _SUCCESS and hidden files are not of them' '
	cd w && mkdir -p d && printf "a,b\n1,x\n" > d/f.csv && printf "a\tb\n1\tx\n" > d/f.tsv && printf "[{\"a\":1,\"b\":\"x\"}]" > d/f.json && printf "{\"a\":1,\"b\":\"x\"}\n" > d/f.ndjson && cp d/f.ndjson d/f.jsonl && python3 -c "
import gzip
for e in (\"csv\", \"tsv\", \"ndjson\"):
    gzip.open(\"d/f.%s.gz\" % e, \"wb\").write(open(\"d/f.\" + e, \"rb\").read())" && : > _SUCCESS && : > .hidden &&
	for e in csv tsv json ndjson jsonl csv.gz tsv.gz ndjson.gz; do
		leat put raw/t_${e/./_} d/f.$e _SUCCESS .hidden && eq "$(sql "select a, b from raw.t_${e/./_}" | tail -1)" 1,x
	done
'
test_expect 'mixed formats in one table are an error that names both' '
	cd w && leat put raw/mixed d/f.csv d/f.json && exits 1 leat sql "from raw.mixed" 2> err && has err f.csv f.json
'
test_expect 'a repo of three parts, of one, and one whose name is a keyword' '
	cd w && leat put raw/a/b d/f.csv && leat put solo d/f.csv && leat put raw/order d/f.csv && eq "$(sql "select b from raw.\"a/b\"" | tail -1)" x && eq "$(sql "select b from solo" | tail -1)" x && eq "$(sql "select b from raw.\"order\"" | tail -1)" x
'
test_expect 'types do not drift: what was sniffed on the first day holds on the next, and a file that does not fit is named with its row' '
	cd w && printf "id,v\n1,5\n2,6\n" | leat put raw/drift --ds 2024-01-01 - --name f.csv && sql "select typeof(v) from raw.drift limit 1" > out && has out BIGINT && printf "id,v\n1,7\n2,eight\n" | leat put raw/drift --ds 2024-01-02 - --name g.csv &&
	exits 1 leat sql "select sum(v) from raw.drift" 2> err && has err g.csv eight && has err "3" && eq "$(sql "select sum(v)::int from raw.drift where ds = '"'2024-01-01'"'" | tail -1)" 11
'
test_expect 'columns in another order in a later file are found by their names; a missing one is told' '
	cd w && printf "v,id\n9,3\n" | leat put raw/drift --ds 2024-01-02 - --name g.csv && eq "$(sql "select v, id from raw.drift where ds = '"'2024-01-02'"'" | tail -1)" 9,3 && printf "id\n3\n" | leat put raw/drift --ds 2024-01-03 - --name h.csv && exits 1 leat sql "from raw.drift" 2> err && has err h.csv v
'
test_expect 'leat.yaml says how a table is read: delimiter, header, types' '
	cd w && printf "1;01\n2;02\n" | leat put raw/said - --name f.csv 2>&1 || printf "1;01\n2;02\n" | leat put raw/said:/f.csv - && printf "tables:\n  raw/said: {delimiter: \";\", header: false, columns: {column0: integer}}\n" >> leat.yaml && eq "$(sql "select * from raw.said order by 1" | tail -n +2 | paste -sd" ")" "1,01 2,02" && eq "$(sql "select typeof(column0) from raw.said" | tail -1)" INTEGER
'
test_expect 'schema prints a table, JSON or DDL, of a table, a repo, or a file outside' '
	cd w && leat schema raw.people > out && has out id BIGINT ds && leat schema raw/people --format ddl > out && has out "create table" BIGINT && leat schema raw/people --format json > out && eq "$(json out "d[\"format\"]")" csv && leat schema d/f.csv > out && has out "a" BIGINT && exits 1 leat schema raw.nope 2> err && has err "no table and no file" nope
'
test_expect 'schema of one file of a repo, at a pin, packed or whole, tells the names and types of that very file' '
	workspace sf && printf "a,b\n1,x\n" > a.csv && leat put raw/m --ds 2024-01-01 a.csv && printf "a,c\n1,2024-01-01\n" > b.csv && gzip -k b.csv && leat put raw/m:/in/ b.csv b.csv.gz && leat sql "select 1 as one, 2.5 as half" -o p.parquet && leat put raw/pq p.parquet &&
	leat schema raw/m:/ds=2024-01-01/a.csv --json > out && eq "$(json out "[(c[\"name\"], c[\"type\"]) for c in d[\"columns\"]]")" "[[\"a\", \"BIGINT\"], [\"b\", \"VARCHAR\"]]" && eq "$(json out "d[\"name\"]")" "raw/m:/ds=2024-01-01/a.csv" && leat schema raw/m:/in/b.csv > out && has out DATE &&
	leat schema raw/m:/in/b.csv.gz > out && has out DATE && leat schema raw/pq:/p.parquet --format ddl > out && has out "half DECIMAL" && printf "zz\n1\n" > a.csv && leat put raw/m --ds 2024-01-01 a.csv && leat schema raw/m@master~2:/ds=2024-01-01/a.csv > out && lacks out zz && has out VARCHAR &&
	exits 1 leat schema raw/m:/nope.csv 2> err && has err "raw/m has no /nope.csv" && exits 2 leat schema raw/m:/in 2> err && has err "raw/m:/in is a folder" && head -c 20 b.csv.gz > cut.csv.gz && leat put raw/m:/in/ cut.csv.gz && exits 1 leat schema raw/m:/in/cut.csv.gz 2> err && has err "raw/m:/in/cut.csv.gz" &&
	echo x > x.txt && leat put raw/t x.txt && exits 2 leat schema raw/t:/x.txt 2> err && has err "raw/t:/x.txt has no ending" && ls .leat/cache > ../out && lacks ../out schema-
'
test_expect 'sessions are in UTC whatever TZ the machine has' '
	cd w && for tz in UTC America/New_York Asia/Kathmandu; do eq "$(TZ=$tz leat sql "select timestamptz '"'2024-01-01 00:00:00+00'"' as t, current_setting('"'TimeZone'"') as z" --format csv | tail -1)" "2024-01-01 00:00:00+00,UTC"; done
'
test_expect '--max-rows shows that many and says how many there are; without it all come through a pipe' '
	cd w && leat sql "from range(100)" --max-rows 5 > out && has out "5 of 100" && leat sql "from range(100)" > out && test "$(wc -l < out)" -ge 102
'
test_expect 'plot draws bars as wide as asked' '
	cd w && leat plot "select name, sum(n) from raw.people group by 1 order by 1" --width 40 > out && has out ann "█" && python3 -c "
assert max(len(l.rstrip()) for l in open(\"out\", encoding=\"utf-8\")) <= 40"
'
busy() { # PID: it, or what it started, has used a second of the processor: it is at the query
	local p n=0
	for p in $1 $(pgrep -P "$1"); do n=$((n + $(awk '{print $14 + $15}' "/proc/$p/stat" 2>/dev/null || echo 0))); done
	[ $n -ge "$(getconf CLK_TCK)" ]
}
test_expect 'Ctrl-C ends a long query, and nothing is left running' '
	cd w && beside ../out "$LEAT_BIN" sql "select count(*) from range(100000000000) a, range(1000) b" && wait_for 60 busy $BESIDE && kill -INT $BESIDE && ends 1 && has ../out "leat:"
'
test_expect 'sql, schema and plot change nothing of the store' '
	cd w && sql "from raw.people" > /dev/null && state . > ../before && sql "from raw.people" | cat > ../o1 && leat schema raw/people > ../o2 && leat plot "select name, n from raw.people" > ../o3 && state . > ../after && same ../before ../after
'
test_done
