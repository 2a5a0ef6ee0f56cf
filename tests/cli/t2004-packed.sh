#!/usr/bin/env bash
# .gz and .zst files as tables: each is unpacked to its end once, because DuckDB reads what stands before a cut.
. "$(dirname "$0")/../lib.sh"
needs gzip zstd

test_expect 'set-up: the same rows as gzip and zstd, CSV and JSON, whole and cut' '
	(workspace w) && seq 1 40000 | awk "BEGIN { print \"id,word\" } { print \$1 \",\" \$1 * 7919 % 100003 }" > t.csv &&
	seq 1 40000 | awk "{ print \"{\\\"id\\\": \" \$1 \", \\\"word\\\": \" \$1 * 7919 % 100003 \"}\" }" > t.json &&
	for f in t.csv t.json; do gzip -nk $f && zstd -q $f; done &&
	for f in t.csv.gz t.csv.zst t.json.gz t.json.zst; do mkdir -p whole cut && cp $f whole/ && head -c $(($(stat -c %s $f) * 2 / 3)) $f > cut/$f; done
'

test_expect 'a file whose stream ends in the middle is named with a remedy, in SQL and by its schema; whole ones are read' '
	cd w && for f in csv.gz csv.zst json.gz json.zst; do
		r=${f/./_} && leat put raw/whole_$r ../whole/t.$f && leat put raw/cut_$r ../cut/t.$f &&
		eq "$(sql "select count(*) from raw.whole_$r" | tail -n 1)" 40000 &&
		exits 1 leat sql "select count(*) from raw.cut_$r" 2>err && has err "raw/cut_$r:/t.$f is cut short: its" "-t'\'' tells" &&
		exits 1 leat schema raw/cut_$r 2>err && has err "raw/cut_$r:/t.$f is cut short" &&
		exits 1 leat schema ../cut/t.$f 2>err && has err "t.$f is cut short" && leat schema ../whole/t.$f >/dev/null
	done
'

test_expect 'a unit that reads one fails, and publishes nothing; a whole copy put in its place is read' '
	cd w && mkdir -p jobs && printf -- "-- output: tables/n\n-- partition: daily\nselect count(*) n from raw.days" > jobs/n.sql &&
	leat put raw/days --ds 2024-01-01 ../cut/t.csv.gz && exits 1 leat run n 2024-01-01 2>err &&
	has err "raw/days:/ds=2024-01-01/t.csv.gz is cut short" && exits 1 leat ls tables/n &&
	leat put raw/days --ds 2024-01-01 ../whole/t.csv.gz && leat run n 2024-01-01 &&
	eq "$(sql "select n from tables.n" | tail -n 1)" 40000
'

test_expect 'a file cut at its very end, in its checksum, is named too; what is no gzip behind the end also' '
	cd w && head -c -1 ../t.csv.gz > t.csv.gz && leat put raw/last t.csv.gz && exits 1 leat sql "select * from raw.last" 2>err &&
	has err "is cut short" && { cat ../t.csv.gz; echo more; } > t.csv.gz && leat put raw/behind t.csv.gz &&
	exits 1 leat sql "select * from raw.behind" 2>err && has err "bytes that are no gzip follow"
'

test_expect 'gzip members and zstd frames that follow each other are one file' '
	cd w && for p in gz zst; do
		{ head -n 20001 ../t.csv | case $p in gz) gzip -n ;; *) zstd -qc ;; esac
		tail -n 20000 ../t.csv | case $p in gz) gzip -n ;; *) zstd -qc ;; esac; } > two.csv.$p &&
		leat put raw/two$p two.csv.$p && eq "$(sql "select count(*), sum(id) from raw.two$p" | tail -n 1)" 40000,800020000
	done
'

test_expect 'each content is unpacked once: what was whole is remembered, whatever repo it is in' '
	cd w && n=$(find .leat/cache/whole -type f | wc -l) && leat put raw/again ../whole/t.csv.gz && leat sql "select count(*) from raw.again" >/dev/null &&
	[ "$(find .leat/cache/whole -type f | wc -l)" = "$n" ] && rm -r .leat/cache && leat sql "select count(*) from raw.again" >/dev/null &&
	[ "$(find .leat/cache/whole -type f | wc -l)" = 1 ]
'

test_done
