#!/usr/bin/env bash
# why: a unit, a file down to what people put, any id.
. "$(dirname "$0")/../lib.sh"

test_expect 'a workspace where two jobs made a table of a file' '
	workspace w && printf "shop,n\na,1\nb,2\n" > f.csv && leat put raw/sales f.csv --ds 2018-01-01 &&
	mkdir -p jobs/daily jobs/top && printf "kind: sql\npartition: daily\noutput: tables/daily\nparams: {least: 1}\nchecks: [row_count > 0]\n" > jobs/daily/job.yaml &&
	printf "select shop, sum(n) as n from raw.sales where n >= {{ params.least }} group by shop\n" > jobs/daily/job.sql &&
	printf -- "-- partition: daily\n-- output: marts/top\nselect max(n) as n from tables.daily\n" > jobs/top.sql && leat run
'
test_expect 'why JOB DS of what is up to date names the run, the inputs with hashes, the code and the checks' '
	cd w && leat why daily 2018-01-01 --json > why &&
	eq "$(json why "d[\"state\"]")" up-to-date && eq "$(json why "d[\"reason\"]")" up-to-date &&
	eq "$(json why "d[\"inputs\"][0][\"files\"][0][\"sha256\"]")" "$(sha256sum < f.csv | cut -c1-64)" &&
	eq "$(json why "d[\"ingredients\"][\"files\"][0][\"sha256\"]")" "$(sha256sum < jobs/daily/job.sql | cut -c1-64)" &&
	eq "$(json why "d[\"checks\"][0][\"passed\"]")" true &&
	eq "$(json why "d[\"made_by\"][\"run\"]")" "$(leat runs --json | python3 -c "import json, sys; print([r[\"run\"] for r in map(json.loads, sys.stdin) if r[\"job\"] == \"daily\"][0])")"
'
test_expect 'a table file is explained down to the file that somebody put, with job version, hashes and runs' '
	cd w && leat why marts/top:/ds=2018-01-01/part-0.parquet --json > why &&
	eq "$(json why "d[\"sha256\"]")" "$(sha256sum < datastore/marts/top/ds=2018-01-01/part-0.parquet | cut -c1-64)" &&
	eq "$(json why "d[\"made_by\"][\"job\"]")" top &&
	eq "$(json why "d[\"made_by\"][\"inputs\"][0][\"made_by\"][\"job\"]")" daily &&
	eq "$(json why "d[\"made_by\"][\"inputs\"][0][\"made_by\"][\"params\"][\"least\"]")" 1 &&
	eq "$(json why "d[\"made_by\"][\"inputs\"][0][\"made_by\"][\"inputs\"][0][\"files\"][0][\"sha256\"]")" "$(sha256sum < f.csv | cut -c1-64)" &&
	has why "leat put raw/sales f.csv"
'
test_expect 'what would run says what differs: the input, the code, the parameter' '
	cd w && printf "shop,n\na,5\n" > g.csv && leat put raw/sales:/ds=2018-01-01/f.csv g.csv && leat why daily 2018-01-01 > why &&
	has why "stale" "raw/sales ds=2018-01-01 changed" &&
	sed -i "s/least: 1/least: 2/" jobs/daily/job.yaml && leat why daily 2018-01-01 > why && has why "least was 1, is 2" &&
	sed -i "s/least: 2/least: 1/" jobs/daily/job.yaml && leat run && leat why daily 2018-01-01 > why && has why "up to date"
'
test_expect 'a unit that waits says for which partition' '
	cd w && leat why daily 2018-01-09 --json > why && eq "$(json why "d[\"state\"]")" waiting && has why "raw/sales ds=2018-01-09 is missing"
'
test_expect 'an old version is explained by the inputs of its time' '
	cd w && leat why "marts/top@master.1:/ds=2018-01-01/part-0.parquet" --json > why && has why "$(sha256sum < f.csv | cut -c1-64)" &&
	leat why marts/top:/ds=2018-01-01/part-0.parquet --json > why && lacks why "$(sha256sum < f.csv | cut -c1-64)" && has why "$(sha256sum < g.csv | cut -c1-64)"
'
test_expect 'why ID tells a run, an event and a batch, by a prefix too' '
	cd w && leat runs --json > runs && run=$(json runs "d[0][\"run\"]") && leat why $run --json > why && eq "$(json why "d[\"type\"]")" run &&
	has why units && leat why ${run:0:10} --json > why && eq "$(json why "d[\"id\"]")" $run &&
	event=$(json why "d[\"units\"][0][\"global_id\"]") && leat why $event --json > why && eq "$(json why "d[\"type\"]")" event && has why commits
'
test_expect 'an id or path that is not there is exit 1 with a sentence' '
	cd w && exits 1 leat why ffffffff 2> err && has err ffffffff && exits 1 leat why raw/sales:/nothing 2> err && has err nothing &&
	exits 1 leat why raw/sales@master.99:/f.csv 2> err && has err master.99
'
test_done
