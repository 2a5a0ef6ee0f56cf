#!/usr/bin/env bash
# Issue 3: amis.csv, served on loopback, is downloaded, becomes a table, and is counted.
. "$(dirname "$0")/../lib.sh"
needs python3
needs_data dsflow-sample-project/amis.csv

mkdir srv && cp "$DATA/dsflow-sample-project/amis.csv" srv/
http_server srv --last-modified
leat init w >/dev/null || exit 1

test_expect 'amis.csv is fetched for 2018-02-09 and read as a table: 8,437 rows in 48 groups' '
	cd w
	mkdir -p jobs/amis
	cat >jobs/amis/job.yaml <<-E
	kind: download
	url: $HTTP_URL/amis.csv?day={{ ds }}
	partition: daily
	output: raw/amis
	E
	leat run amis 2018-02-09
	same <(leat cat raw/amis:/ds=2018-02-09/amis.csv) "$DATA/dsflow-sample-project/amis.csv"
	eq "$(sql "select count(*) from raw.amis" --ds 2018-02-09 | tail -n 1)" 8437
	sql "select speed, count(*) from raw.amis group by 1 order by 1" --ds 2018-02-09 | tail -n +2 >groups
	count 48 cat groups
	eq "$(head -n 3 groups)" "$(printf "19,1\n20,4\n21,5")"
'

test_expect 'fetched twice it is one version and no second file; Last-Modified is asked by' '
	cd w
	leat run amis 2018-02-09
	has $HTTP_LOG "304 0 If-Modified-Since="
	count 1 leat log raw/amis --json
	count 1 leat ls raw/amis:/ds=2018-02-09
'
test_done
