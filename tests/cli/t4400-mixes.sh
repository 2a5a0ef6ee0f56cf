#!/usr/bin/env bash
# Plans in less common shapes: a query whose text depends on ds, snapshots and their history, whole repos that hold ds
# folders, parameters that must be given, start and end.
. "$(dirname "$0")/../lib.sh"

nothing() {
	leat plan >.plan && has .plan "nothing to run"
}

test_expect 'a query whose text depends on ds is its own code for each ds' '
	workspace w && for d in 1 2 3; do printf "n\n$d\n" > f.csv && leat put raw/x f.csv --ds 2018-01-0$d; done &&
	mkdir -p jobs/by && printf "partition: daily\noutput: tables/by\nkind: sql\n" > jobs/by/job.yaml &&
	printf "select n{%% if ds >= \"2018-01-03\" %%} + 1 as n{%% endif %%} from raw.x\n" > jobs/by/job.sql && leat run > out && has out "3 ran" && nothing &&
	printf "select n{%% if ds >= \"2018-01-03\" %%} + 2 as n{%% endif %%} from raw.x\n" > jobs/by/job.sql && leat plan > plan && has plan "2018-01-03" &&
	lacks plan "2018-01-01" "2018-01-02" && leat run > out && has out "1 ran" && nothing
'
test_expect 'of a dim_ a unit reads one snapshot; NAME__history reads all up to its ds' '
	cd w && for d in 1 5 9; do printf "shop\ns$d\n" > f.csv && leat put tables/dim_shop f.csv --ds 2018-02-0$d; done &&
	printf -- "-- partition: daily\n-- output: marts/one\nselect shop from tables.dim_shop\n" > jobs/one.sql &&
	printf -- "-- partition: daily\n-- output: marts/hist\nselect count(*) as n from tables.dim_shop__history\n" > jobs/hist.sql &&
	leat run one 2018-02-06 && leat run hist 2018-02-06 && leat why hist 2018-02-06 --json > why &&
	eq "$(json why "len(d[\"inputs\"][0][\"files\"])")" 2 && leat why one 2018-02-06 --json > why && eq "$(json why "d[\"inputs\"][0][\"from\"]")" 2018-02-05
'
test_expect 'a new snapshot re-runs the days that read it, not those before it' '
	cd w && leat run one 2018-02-03 && leat run one 2018-02-08 && printf "shop\nnew\n" > f.csv && leat put tables/dim_shop f.csv --ds 2018-02-07 &&
	leat plan one --ds 2018-02-03..2018-02-08 > plan && has plan "2018-02-08: tables/dim_shop ds=2018-02-07 is new" && lacks plan "2018-02-03: tables" "2018-02-06: tables"
'
test_expect 'a job without partition may write ds folders; days read them, and why finds the job' '
	cd w && mkdir -p jobs/all && printf "kind: script\npartition: none\noutput: tables/all\n" > jobs/all/job.yaml &&
	printf "#!/bin/sh\nfor d in 1 2; do mkdir \$LEAT_OUTPUT/ds=2018-03-0\$d && echo \$d > \$LEAT_OUTPUT/ds=2018-03-0\$d/f; done\n" > jobs/all/job.sh && chmod +x jobs/all/job.sh &&
	mkdir -p jobs/days && printf "kind: script\npartition: daily\noutput: marts/days\ninputs: tables/all\n" > jobs/days/job.yaml &&
	printf "#!/bin/sh\ncp -rL \$LEAT_INPUT_all/. \$LEAT_OUTPUT/\n" > jobs/days/job.sh && chmod +x jobs/days/job.sh &&
	leat run all && leat run days && leat plan days > plan && has plan "nothing to run" && leat why tables/all:/ds=2018-03-02/f --json > why && eq "$(json why "d[\"made_by\"][\"job\"]")" all &&
	leat why days 2018-03-02 --json > why && eq "$(json why "d[\"state\"]")" up-to-date
'
test_expect 'a parameter without a value keeps a job out of leat run, and must be given by name' '
	cd w
	printf -- "-- partition: none\n-- output: marts/need\n-- params: {least: }\nselect count(*) as n from raw.x where n >= {{ params.least }}\n" > jobs/need.sql
	leat run; exits 2 leat run need 2> err && has err least && leat run need --param least=2 && rm jobs/need.sql
'
test_expect 'start and end bound what leat run looks at' '
	cd w && printf -- "-- partition: {every: daily, start: 2018-01-02, end: 2018-01-02}\n-- output: marts/bound\nselect n from raw.x\n" > jobs/bound.sql &&
	leat plan bound > plan && has plan "2018-01-02" && lacks plan "2018-01-01" "2018-01-03"
'
test_expect 'a weekly unit over days, in a cascade of its days, waits for all of them' '
	cd w && rm -r jobs && mkdir -p jobs && for d in 08 09 10 11 12 13 14; do printf "n\n1$d\n" > f.csv && leat put raw/y f.csv --ds 2018-01-$d; done &&
	printf -- "-- partition: daily\n-- output: tables/d\nselect n from raw.y\n" > jobs/d.sql &&
	printf -- "-- partition: weekly\n-- output: marts/w\nselect sum(n) as n from tables.d\n" > jobs/w.sql &&
	leat plan > plan && has plan "2018-W02" && leat run > out && has out "8 ran" && nothing
'
test_expect 'backfill of a day upstream is seen by the week, once' '
	cd w && printf "n\n100\n" > f.csv && leat put raw/y f.csv --ds 2018-01-09 && leat run > out && has out "2 ran" && nothing
'
test_done
