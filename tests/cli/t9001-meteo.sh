#!/usr/bin/env bash
# A folder of Parquet as Spark leaves it: one full file, five without row groups, _SUCCESS (issue, "done when", second line).
. "$(dirname "$0")/../lib.sh"
needs_data dsflow-sample-project/datastore/tables/meteoparis

test_expect 'the folder is one table of 48,289 rows' '
	workspace w && leat put tables/meteoparis "$DATA/dsflow-sample-project/datastore/tables/meteoparis" && eq "$(sql "select count(*) from tables.meteoparis" | tail -1)" 48289 &&
	eq "$(sql "select distinct ds from tables.meteoparis" | tail -1)" 2018-01-01 && leat ls tables/meteoparis --ds 2018-01-01 > out && has out _SUCCESS
'
test_expect 'its columns have names and types' '
	cd w && leat schema tables/meteoparis > out && has out total_water_precipitation && leat schema tables.meteoparis --format json > out2 && has out2 total_water_precipitation
'
test_expect 'the hourly sum gives 43 hours of 1,123 points each, whatever TZ the machine has' '
	cd w && mkdir jobs/hourly && printf "kind: sql\noutput: marts/hourly\npartition: daily\nchecks: [row_count = 43]\n" > jobs/hourly/job.yaml &&
	printf "select date_trunc('"'hour'"', forecast::timestamptz) as hour, count(*) as points, sum(total_water_precipitation) as water\nfrom tables.meteoparis group by 1 order by 1\n" > jobs/hourly/job.sql &&
	leat run hourly 2018-01-01 && sql "select count(*), min(points), max(points) from marts.hourly" > out && eq "$(tail -1 out)" 43,1123,1123 && sql "select * from marts.hourly order by 1" > utc &&
	for tz in Europe/Paris America/New_York Asia/Kathmandu; do
		TZ=$tz leat run --again hourly 2018-01-01 && count 1 leat log marts/hourly --json && TZ=$tz leat sql "select * from marts.hourly order by 1" --format csv > out && same utc out &&
		TZ=$tz leat sql "$(cat jobs/hourly/job.sql)" --format csv > out && eq "$(tail -n +2 out | wc -l)" 43
	done
'
test_done
