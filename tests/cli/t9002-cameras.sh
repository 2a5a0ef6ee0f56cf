#!/usr/bin/env bash
# dim_cameras: a dimension of real data, JSON that nests, and the snapshot that a day reads.
. "$(dirname "$0")/../lib.sh"
needs_data dsflow-sample-project/datastore/raw/dim_cameras

test_expect 'mockdata.json of 2018-01-24 is a table' '
	workspace w && leat put raw/dim_cameras "$DATA/dsflow-sample-project/datastore/raw/dim_cameras" && n=$(sql "select count(*) from raw.dim_cameras" | tail -1) && test "$n" -gt 0 &&
	eq "$(sql "select count(*) from raw.dim_cameras where ds = '"'2018-01-24'"'" | tail -1)" $n
'
test_expect 'readers get the newest snapshot not after their ds; where ds = ... finds an older one' '
	cd w && printf "{\"id\": 1, \"v\": \"a\"}\n" > s && leat put raw/dim_x --ds 2017-12-01 - --name x.json < s && printf "{\"id\": 1, \"v\": \"b\"}\n{\"id\": 2, \"v\": \"b\"}\n" > s &&
	leat put raw/dim_x --ds 2017-12-05 - --name x.json < s && printf "{\"id\": 1, \"v\": \"c\"}\n" > s && leat put raw/dim_x --ds 2017-12-09 - --name x.json < s &&
	eq "$(sql "select v from raw.dim_x" | tail -n +2)" c && eq "$(sql "select v from raw.dim_x" --ds 2017-12-07 | tail -n +2 | paste -sd" ")" "b b" &&
	eq "$(sql "select count(*) from raw.dim_x where ds = '"'2017-12-05'"'" | tail -1)" 2 && eq "$(sql "select count(*) from raw.dim_x where ds = date '"'2017-12-01'"'" | tail -1)" 1 &&
	eq "$(sql "select count(*) from raw.dim_x__history" | tail -1)" 4
'
test_expect 'a daily job reads the snapshot not after its day, and NAME__history up to it' '
	cd w && mkdir jobs/snap && printf "kind: sql\noutput: marts/snap\npartition: {every: daily, start: 2017-12-01}\n" > jobs/snap/job.yaml &&
	echo "select v, (select count(*) from raw.dim_x__history) as seen from raw.dim_x" > jobs/snap/job.sql && leat run snap 2017-12-02 2017-12-07 2017-12-09 &&
	eq "$(sql "select ds, v, seen, count(*) from marts.snap group by all order by ds" | tail -n +2 | paste -sd" ")" "2017-12-02,a,1,1 2017-12-07,b,3,2 2017-12-09,c,4,1" &&
	exits 1 leat run snap 2017-11-30 2> err
'
test_done
