#!/usr/bin/env bash
# A plan for people: few lines however many units there are, and what they say is so.
. "$(dirname "$0")/../lib.sh"

days() { # FILE: what the lines of a plan count up to
	python3 - "$1" <<-'P'
	import re, sys
	n = 0
	for line in open(sys.argv[1]):
	    if re.match(r"\d+ to run", line):
	        continue
	    m = re.findall(r"\((\d+)\)", line)
	    n += int(m[-1]) if m else 1
	print(n)
	P
}
test_expect '100 days, two jobs that ran, and 103 that did not' '
	workspace w && mkdir -p ../d && python3 - <<-P &&
	import os, datetime
	for i in range(100):
	    d = "../d/ds=%s" % (datetime.date(2020, 1, 1) + datetime.timedelta(i)); os.makedirs(d)
	    open(d + "/f.csv", "w").write("n\n%d\n" % i)
	for name in ("one", "two"):
	    open("jobs/%s.sql" % name, "w").write("-- partition: daily\n-- output: tables/%s\nselect n from raw.x where n >= 0\n" % name)
	P
	leat put raw/x ../d && leat run > ../out 2>&1 && has ../out "200 ran"
' 
test_expect 'a job and a reason are a line with its partitions as ranges; what only one unit has is left out' '
	cd w && sed -i "s/n >= 0/n > -1/" jobs/one.sql && for i in 03 04 07; do printf "n\n7\n" | leat put raw/x --ds 2020-02-$i --name f.csv -; done && leat plan > plan && cat plan &&
	has plan "one                   the code changed  2020-01-01..2020-04-09 (100): job.sql changed: where: n >= 0 -> n > -1" "two                   an input changed  2020-02-03..2020-02-04, 2020-02-07 (3): raw/x changed" "103 to run, 0 known; about " &&
	leat plan -v > plan && eq "$(grep -c "^one .*the code changed  2020-..-..: job.sql" plan)" 100 && has plan "2020-02-03: raw/x ds=2020-02-03 changed" "nothing changed since it was made  2020-01-01" "103 to run, 0 known"
'
test_expect 'time and bytes of what ran before are in the rows, not of what never ran' '
	cd w && leat plan --json > rows && python3 - <<-P
	import json
	rows = [json.loads(l) for l in open("rows")]
	assert len(rows) == 103 and all(r["seconds"] > 0 and r["bytes"] > 100 for r in rows), rows[0]
	P
'
test_expect '10,403 stale units of 105 jobs: at most 40 lines, and their counts are those of the units' '
	cd w && python3 - <<-P &&
	for i in range(103):
	    src = "raw.x" if i < 60 else "tables.t%03d" % (i - 60)
	    open("jobs/t%03d.sql" % i, "w").write("-- partition: daily\n-- output: tables/t%03d\nselect n + %d as n from %s\n" % (i, i, src))
	P
	leat plan > plan && leat plan --json > rows && cat plan && [ "$(wc -l < plan)" -le 40 ] && eq "$(days plan)" "$(wc -l < rows)" && eq "$(wc -l < rows)" 10403 && has plan "10403 to run, 0 known" "103 jobs (t000, t001, ...)" "2020-01-01..2020-04-09 (10300)" "one " "two " "more than " &&
	leat plan -v > all && eq "$(grep -c "its output is not there" all)" 10300
'
test_expect '45 jobs each stale for a reason of its own: at most 40 lines' '
	cd "$TRASH" && workspace v && for i in 1 2; do printf "n\n7\n" | leat put raw/x --ds 2020-02-0$i --name f.csv -; done && for i in $(seq 10 54); do printf -- "-- partition: daily\n-- output: tables/t%d\nselect n + 1 as n from raw.x\n" $i > jobs/t$i.sql; done &&
	leat run > out 2>&1 && has out "90 ran" && for i in $(seq 10 54); do sed -i "s/n + 1/n + $i/" jobs/t$i.sql; done && leat plan > plan && cat plan && [ "$(wc -l < plan)" -le 40 ] &&
	has plan "45 jobs (t10, t11, ...)" "the code changed" "n + 1 as n -> n + 10 as n, and 44 others" "90 to run, 0 known; about" && eq "$(days plan)" 90
'
test_done
