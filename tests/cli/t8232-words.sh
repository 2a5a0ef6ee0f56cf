#!/usr/bin/env bash
# What words of dsflow's users meet: tree of a zone, tests of jobs without output, the numbers of a plot (issue 8, parts 8 and 10).
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
printf 'city,n\nParis,3\nLyon,5\n' > ../t.csv && leat put raw/t --ds 2024-01-01 ../t.csv > /dev/null && leat put tables/t ../t.csv > /dev/null && leat put tables/u ../t.csv > /dev/null || exit 1
cd ..
numbers() { # QUERY EXPRESSION [option...]: of what leat plot --json tells
	leat plot "$1" --json "${@:3}" > "$TRASH/doc" && json "$TRASH/doc" "$2"
}

test_expect 'leat tree ZONE draws the repos of a zone, and no others' '
	cd w && leat tree tables > out && has out tables/t tables/u t.csv && lacks out raw/t && leat tree raw 1 > out && has out "ds=2024-01-01" && lacks out t.csv tables && leat tree tables/ --json > out && eq "$(json out "sorted({r[\"repo\"] for r in d})")" "[\"tables/t\", \"tables/u\"]" &&
	exits 1 leat tree nope 2> err && has err nope
'
test_expect 'leat test of a job without output: it has to succeed, or to say what error: names' '
	cd w && mkdir -p jobs/least/tests/good jobs/least/tests/bad jobs/stop/tests/it && printf "kind: sql\noutput: none\npartition: daily\n" > jobs/least/job.yaml && echo "select case when n < 0 then error(\$\$below\$\$) end from raw.t" > jobs/least/job.sql &&
	printf "ds: 2024-01-01\ninputs:\n  raw.t: [{n: 1}]\n" > jobs/least/tests/good/case.yaml && printf "ds: 2024-01-01\ninputs:\n  raw.t: [{n: -1}]\nerror: below\n" > jobs/least/tests/bad/case.yaml && printf "kind: noop\npartition: daily\n" > jobs/stop/job.yaml && echo "ds: 2024-01-01" > jobs/stop/tests/it/case.yaml &&
	leat test > out && has out "3 passed" && leat test --update > out && has out "3 passed" && test ! -e jobs/least/tests/good/expected && sed -i "s/error: below/error: above/" jobs/least/tests/bad/case.yaml && exits 1 leat test > out && has out "did not say above" &&
	printf "ds: 2024-01-01\ninputs:\n  raw.t: [{n: -1}]\n" > jobs/least/tests/bad/case.yaml && exits 1 leat test least > out && has out below "1 failed"
'
test_expect 'rows that a job without output is expected to give are refused, not compared with nothing' '
	cd w && printf "ds: 2024-01-01\ninputs:\n  raw.t: [{n: 1}]\nexpected: [{n: 1}]\n" > jobs/least/tests/good/case.yaml && exits 2 leat test least/good > out 2>&1 && has out "has no output" "error: TEXT" && sed -i "s/expected:.*/expected: []/" jobs/least/tests/good/case.yaml && leat test least/good > out && has out "1 passed"
'
test_expect 'leat plot --json: lines with their times, bars with their labels, bins, cells' '
	cd w && eq "$(numbers "select city, n from tables.t" "[d[\"kind\"], d[\"x\"][\"type\"], d[\"series\"][0][\"points\"], d[\"rows\"]]")" "[\"bar\", \"text\", [[\"Paris\", 3.0], [\"Lyon\", 5.0]], 2]" &&
	eq "$(numbers "select date \$\$2024-01-01\$\$ + i::int as day, case when i <> 1 then i end as n from range(3) t(i)" "[d[\"kind\"], d[\"x\"], d[\"series\"][0][\"points\"], d[\"left_out\"]]")" "[\"line\", {\"title\": \"day\", \"type\": \"time\"}, [[\"2024-01-01\", 0.0], [\"2024-01-02\", null], [\"2024-01-03\", 2.0]], 1]" &&
	eq "$(numbers "select n from tables.t" "[d[\"kind\"], sum(p[1] for p in d[\"series\"][0][\"points\"])]")" "[\"hist\", 2.0]" && eq "$(numbers "select city, n, n * 2 as v from tables.t" "d[\"cells\"]" --kind heat)" "[[\"Paris\", \"3\", 6.0], [\"Lyon\", \"5\", 10.0]]"
'
test_expect 'a long line comes reduced as in a picture; with -o the picture is there too; too many lone points are refused' '
	cd w && n=$(numbers "select i as x, i % 7 as y from range(200000) t(i)" "len(d[\"series\"][0][\"points\"])") && [ "$n" -gt 800 ] && [ "$n" -le 4806 ] && eq "$(numbers "select city, n from tables.t" "d[\"path\"]" -o x.svg 2> err)" x.svg && has x.svg "<svg" && has err "drawn to x.svg" &&
	exits 1 leat plot "select i as x, random() as y from range(200000) t(i)" --kind scatter --json 2> err && has err "too many" "--kind line" && exits 2 leat plot "select 1" --json --format svg 2> err && has err "--format"
'
test_done
