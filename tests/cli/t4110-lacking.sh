#!/usr/bin/env bash
# What a run says, and how it ends, where an input is not there (SEMANTICS 2).
. "$(dirname "$0")/../lib.sh"

job() { # NAME QUERY
	mkdir -p jobs/$1 && printf 'kind: sql\noutput: tables/%s\npartition: daily\n' "$1" > jobs/$1/job.yaml && echo "$2" > jobs/$1/job.sql
}
test_expect 'a job whose input is not there at all: run JOB ends 1 with the sentence and how to get it, with a ds or without' '
	workspace w && job one "select * from raw.x" && job two "select one.n from tables.one one join raw.x using (n)" && cd .. && cd w &&
	for ds in "" 2024-01-01; do exits 1 leat run one $ds > out 2>&1 && has out "raw/x is not there" "leat put raw/x FILE --ds 20" "1 lacks an input"; done
'
test_expect 'a job that reads what another one makes, of which nothing is known yet, says so too' '
	cd w && leat run two > out 2>&1 && has out "two never ran: " "is not there"
'
test_expect 'SEMANTICS 2: leat run, leat run JOB and backfill count it, name it and go on; a ds by name ends 1' '
	cd w && printf "n\n1\n" > a.csv && leat put raw/x --ds 2024-01-01 a.csv && leat put tables/three --ds 2024-01-02 a.csv && job four "select x.n from raw.x x join tables.three using (n)" &&
	leat run four > out 2>&1 && has out "four 2024-01-01: tables/three ds=2024-01-01 is missing" "four 2024-01-02: raw/x ds=2024-01-02 is missing" "2 lack an input" "leat put raw/x FILE --ds 2024-01-02" &&
	leat run > out 2>&1 && has out "2 ran" "2 lack an input" &&
	leat backfill one --from 2024-01-01 --to 2024-01-03 > out 2>&1 && has out "1 up to date, 2 lack an input" &&
	exits 1 leat run four 2024-01-02 && exits 1 leat run one 2024-01-01..2024-01-02
'
test_expect '-u is named only where it would make what lacks' '
	cd w && exits 1 leat run two 2024-01-02 > out 2>&1 && has out "two 2024-01-02: " && exits 1 leat run four 2024-01-02 > out 2>&1 && lacks out "-u"
'
test_expect 'JSON counts them apart' '
	cd w && leat backfill one --from 2024-01-01 --to 2024-01-03 --json > j && tail -n 1 j | tr -d " " | has - "\"input_missing\":2" "\"not_started\":2"
'
test_done
