#!/usr/bin/env bash
# From a file on the web to a table and a number, on real data (issue, "done when", first line).
. "$(dirname "$0")/../lib.sh"
needs_data dsflow-sample-project/amis.csv
AMIS=$DATA/dsflow-sample-project/amis.csv

mkdir www && cp "$AMIS" www/amis.csv && http_server www --etag || exit 1
leat init w > /dev/null 2>&1 && cd w && mkdir -p jobs/fetch jobs/speeds jobs/counts && cat > jobs/fetch/job.yaml <<X && cat > jobs/speeds/job.yaml <<X && cat > jobs/speeds/job.sql <<X && cat > jobs/counts.sql <<X && cd .. || exit 1
kind: download
description: Speeds of cars near cameras
url: $HTTP_URL/amis.csv
output: raw/amis
partition: daily
X
kind: sql
output: tables/speeds
partition: daily
checks:
  - row_count > 0
  - missing_count(speed) = 0
X
select rownames, speed, period, warning, pair from raw.amis
X
-- output: tables/speed_counts
-- partition: daily
-- checks:
--   - duplicate_count(speed) = 0
select speed, count(*) as cameras from tables.speeds group by 1 order by 1
X

test_expect 'amis.csv from loopback becomes a table and a count, with what is missing upstream made too' '
	cd w && leat run counts 2018-02-09 -u && eq "$(leat ls tables/speed_counts)" /ds=2018-02-09/ && eq "$(sha256sum < datastore/raw/amis/ds=2018-02-09/amis.csv)" "$(sha256sum < "$AMIS")"
'
test_expect 'the count of 2018-02-09: 8,437 rows, 48 groups, first 19, 20, 21 with 1, 4, 5' '
	cd w && sql "select count(*) from tables.speeds where ds = '"'2018-02-09'"'" > out && eq "$(tail -1 out)" 8437 &&
	sql "select speed, count(*) from tables.speeds where ds = '"'2018-02-09'"' group by 1 order by 1" > out && eq "$(tail -n +2 out | wc -l)" 48 &&
	eq "$(sed -n 2,4p out | paste -sd" ")" "19,1 20,4 21,5" && sql "select speed, cameras from tables.speed_counts order by speed" > out2 && eq "$(tail -n +2 out2)" "$(tail -n +2 out)"
'
test_expect 'mean 37.824227, standard deviation 6.507540' '
	cd w && sql "select printf('"'%.6f'"', avg(speed)), printf('"'%.6f'"', stddev_samp(speed)) from tables.speeds" > out && eq "$(tail -1 out)" 37.824227,6.507540
'
test_expect 'the same again gives no second version and no duplicate row' '
	cd w && leat run fetch 2018-02-09 && leat run && leat run counts 2018-02-09 -u && count 1 leat log tables/speeds --json && count 1 leat log tables/speed_counts --json &&
	eq "$(sql "select count(*) from tables.speeds" | tail -1)" 8437
'
test_expect 'another file there makes another version; the old one stays readable by pin, in sql too' '
	head -1001 "$AMIS" > www/amis.csv && cd w && leat run fetch 2018-02-09 && leat run && eq "$(sql "select count(*) from tables.speeds" | tail -1)" 1000 &&
	count 2 leat log tables/speeds --json && eq "$(sql "select count(*) from \"tables.speeds@master.1\"" | tail -1)" 8437 &&
	eq "$(sql "select count(*) from tables.speeds at (version => '"'master.1'"')" | tail -1)" 8437 && eq "$(sql "select count(*) from tables.speeds at (version => '"'master^'"')" | tail -1)" 8437 &&
	id=$(leat log raw/amis --json | tail -1 | python3 -c "import json,sys; print(json.load(sys.stdin)[\"commit\"])") && leat cat raw/amis@$id:/ds=2018-02-09/amis.csv > out && same out "$AMIS" &&
	eq "$(sql "select count(*) from tables.speeds a join \"tables.speeds@master.1\" b using (rownames)" | tail -1)" 1000
'
test_expect 'why on the output file names the job, its code, the run and the input file with its hash, down to the download' '
	cd w && leat why tables/speed_counts:/ds=2018-02-09/part-0.parquet > out && has out counts "$(sha256sum < datastore/tables/speed_counts/ds=2018-02-09/part-0.parquet | cut -d" " -f1)" \
		"$(sha256sum < datastore/tables/speeds/ds=2018-02-09/part-0.parquet | cut -d" " -f1)" job.sql &&
	leat why raw/amis:/ds=2018-02-09/amis.csv > out && has out "$HTTP_URL/amis.csv" fetch "$(head -1001 "$AMIS" | sha256sum | cut -d" " -f1)"
'
test_expect 'a check that does not hold: exit 1, the old table stays, what is downstream does not start' '
	printf "rownames,speed,period,warning,pair\n1,,1,1,1\n" > www/amis.csv && cd w && leat run fetch 2018-02-09 && exits 1 leat run > out 2>&1 && has out "missing_count(speed)" &&
	eq "$(sql "select count(*) from tables.speeds" | tail -1)" 1000 && count 2 leat log tables/speed_counts --json
'
test_done
