#!/usr/bin/env bash
# SEMANTICS 4: what counts in the key of a unit and what does not; a plan says exactly what a run then does.
. "$(dirname "$0")/../lib.sh"

# Units that would run, and units that then ran, one "JOB DS" a line.
planned() {
	leat plan "$@" --json >.plan && json .plan '"\n".join(sorted("%s %s" % (x["job"], x["ds"]) for x in d if x["runs"] and not x["known"]))'
}
ran() {
	leat run "$@" --json >.run 2>.err
	json .run '"\n".join(sorted("%s %s" % (x["job"], x["ds"]) for x in d if x.get("event") == "done" or x.get("state") == "done"))'
}
nothing() { # nothing is to be run
	leat plan >.plan && has .plan "nothing to run"
}

test_expect 'a workspace with two SQL jobs over three days' '
	workspace w &&
	for d in 1 2 3; do printf "shop,n\na,%s\nb,2\n" $d > f.csv && leat put raw/sales f.csv --ds 2018-01-0$d; done && rm f.csv &&
	mkdir -p jobs/daily && printf "kind: sql\npartition: daily\noutput: tables/daily\nparams: {least: 1}\n" > jobs/daily/job.yaml &&
	printf "select shop, sum(n) as n from raw.sales where n >= {{ params.least }} group by shop\n" > jobs/daily/job.sql &&
	mkdir -p jobs/top && printf "partition: daily\noutput: marts/top\n" > jobs/top/job.yaml &&
	printf "select max(n) as n from tables.daily\n" > jobs/top/job.sql &&
	planned > plan && ran > run && same plan run && eq "$(wc -l < run)" 6 && nothing
'
test_expect 'a comment, other line breaks, reordered keys and Windows line ends re-run nothing' '
	cd w &&
	printf -- "-- how much\nselect shop,\r\n  sum(n)  as n /* here */\r\nFROM raw.sales\r\n where n >= {{ params.least }} group by shop;\r\n" > jobs/daily/job.sql && nothing &&
	printf "# new\nparams: {\"least\": 1}\noutput: \"tables/daily\"\r\npartition: {every: daily}\r\ndescription: what it is\nretries: 2\nkind: sql\n" > jobs/daily/job.yaml && nothing
'
test_expect 'touch, and the same workspace in another folder, re-run nothing' '
	cd w && touch jobs/daily/job.sql jobs/daily/job.yaml leat.yaml && nothing &&
	cd .. && cp -r w elsewhere && cd elsewhere && nothing
'
test_expect 'another SQL re-runs all its days and what is below; changed back re-runs nothing' '
	cd w && cp jobs/daily/job.sql old.sql &&
	printf "select shop, sum(n) + 1 as n from raw.sales where n >= {{ params.least }} group by shop\n" > jobs/daily/job.sql &&
	leat plan > plan && has plan "job.sql changed" && ran > run && eq "$(grep -c daily run)" 3 && eq "$(grep -c top run)" 3 && nothing &&
	cp old.sql jobs/daily/job.sql && eq "$(planned)" "" && leat run 2> err > out && has out "0 ran, 6 known" && nothing
'
test_expect 'one changed day re-runs that day only, downstream too' '
	cd w && printf "shop,n\na,7\n" > f.csv && leat put raw/sales f.csv --ds 2018-01-02 && rm f.csv &&
	planned > plan && ran > run && same plan run && printf "daily 2018-01-02\ntop 2018-01-02\n" > want && printf "%s\n" "$(cat run)" > got && same want got
'
test_expect 'upstream run again with equal rows: downstream does not run' '
	cd w && leat run daily 2018-01-01..2018-01-03 --again && nothing &&
	printf "select shop, sum(n) + 0 as n from raw.sales where n >= {{ params.least }} group by shop\n" > jobs/daily/job.sql &&
	ran > run && eq "$(grep -c daily run)" 3 && exits 1 grep top run && nothing
'
test_expect 'a parameter by hand makes the partition stale, and plan says which it was' '
	cd w && leat run daily 2018-01-01 --param least=2 && leat plan > plan && has plan "least was 2 by hand" && leat run && nothing &&
	exits 2 leat run daily 2018-01-01 --param lest=2 2> err && has err least &&
	sed -i "s/least.: 1/least\": 2/" jobs/daily/job.yaml && leat plan > plan && has plan "least was 1, is 2" && sed -i "s/least.: 2/least\": 1/" jobs/daily/job.yaml && nothing
'
test_expect 'a volatile function is not memoised, plan says why, and not memoised is not stale' '
	cd w && mkdir -p jobs/clock && printf "partition: daily\noutput: marts/clock\n" > jobs/clock/job.yaml &&
	printf "select now() as at, count(*) as n from raw.sales\n" > jobs/clock/job.sql && leat run && nothing &&
	leat why clock 2018-01-01 > why && has why "now()" && leat run clock 2018-01-01 > out && has out "1 ran" && nothing &&
	printf "partition: daily\noutput: marts/clock\nmemo: on\n" > jobs/clock/job.yaml && leat run clock 2018-01-01 > out && has out "0 ran"
'
test_expect 'what leat.yaml says of how a table is read counts' '
	cd w && cp leat.yaml old.yaml && printf "tables:\n  raw/sales: {columns: {n: double}}\n" >> leat.yaml && leat plan > plan && has plan "how raw/sales is read changed" &&
	cp old.yaml leat.yaml && nothing
'
test_expect 'a script is stale for its command, its files and its env, not for README or tests/' '
	cd w && mkdir -p jobs/copy/tests && printf "kind: script\npartition: daily\ninputs: raw/sales\noutput: marts/copy\nenv: {A: 1}\n" > jobs/copy/job.yaml &&
	printf "#!/bin/sh\ncp -r \$LEAT_INPUT_sales/. \$LEAT_OUTPUT\n" > jobs/copy/job.sh && chmod +x jobs/copy/job.sh && leat run && nothing &&
	echo x > jobs/copy/README.md && echo x > jobs/copy/tests/t && nothing &&
	echo x > jobs/copy/data.txt && leat plan > plan && has plan "data.txt is new" && rm jobs/copy/data.txt && nothing &&
	sed -i "s/A: 1/A: 2/" jobs/copy/job.yaml && leat plan > plan && has plan env && sed -i "s/A: 2/A: 1/" jobs/copy/job.yaml && nothing
'
test_expect 'renaming a job re-runs nothing while its output keeps its name' '
	cd w && mv jobs/top jobs/highest && nothing
'
test_expect 'a job of its own past begins empty and goes on day by day' '
	cd w && mkdir -p jobs/sum && printf "partition: daily\noutput: marts/sum\ninputs:\n  sales: raw/sales\n  before: {repo: marts/sum, window: [-1, -1], optional: true}\nkind: script\n" > jobs/sum/job.yaml &&
	printf "#!/bin/sh\n{ cat \$LEAT_INPUT_before/ds=*/days 2>/dev/null; echo \$DS; } > \$LEAT_OUTPUT/days\n" > jobs/sum/job.sh && chmod +x jobs/sum/job.sh &&
	leat run && nothing && eq "$(leat cat marts/sum:/ds=2018-01-03/days | wc -l)" 3
'
test_expect 'plan, status and why leave state as it was' '
	cd w && printf "shop,n\na,9\n" > f.csv && leat put raw/sales f.csv --ds 2018-01-04 && rm f.csv &&
	cd .. && state w > before && cd w && leat plan && leat plan highest --ds 2018-01-04 && leat status && leat why daily 2018-01-04 && leat why raw/sales:/ds=2018-01-04/f.csv &&
	cd .. && state w > after && same before after
'
test_done
