#!/usr/bin/env bash
# why UNIT UNIT: what differs in what two units were made of.
. "$(dirname "$0")/../lib.sh"

test_expect 'a job of two days, run, edited, run' '
	workspace w && for d in 1 2; do printf "n\n%d\n" $d | leat put raw/x --ds 2018-01-0$d --name f.csv -; done && printf -- "-- partition: daily\n-- output: tables/t\n-- params: {least: 0}\nselect n from raw.x where n >= {{ params.least }}\n" > jobs/t.sql && leat run -j 1 &&
	sed -i "s/select n from/select n + 1 as n from/" jobs/t.sql && leat run -j 1
'
test_expect 'two units of one ds differ in the part of the query' '
	cd w && leat runs t --json > runs && new=$(json runs "d[0][\"run\"]") && old=$(json runs "d[1][\"run\"]") && leat why $old --json > o && leat why $new --json > n && a=$(json o "[u[\"unit\"] for u in d[\"units\"] if u[\"ds\"] == \"2018-01-01\"][0]") && b=$(json n "[u[\"unit\"] for u in d[\"units\"] if u[\"ds\"] == \"2018-01-01\"][0]") &&
	leat why $a $b > why && has why "units $a and $b differ: job.sql changed: select: n -> n + 1 as n" && leat why $a $b --json > why && eq "$(json why "len(d[\"changes\"])")" 1 && eq "$(json why "d[\"same\"]")" false && leat why $a $a > why && has why "were made of the same"
'
test_expect 'two days of a job differ in their ds and the partition that they read' '
	cd w && leat why t 2018-01-01 2018-01-02 > why && has why "ds is 2018-01-01 there, 2018-01-02 here" "raw/x ds=2018-01-02 is new" && lacks why "job.sql changed"
'
test_expect 'units that are not there, days that no run made, a job without partitions: a sentence' '
	cd w && exits 1 leat why 1 99999 2> err && has err "no unit 99999" && exits 1 leat why t 2018-01-01 2018-01-09 2> err && has err "ds=2018-01-09" && exits 2 leat why tt 2018-01-01 2018-01-02 2> err && has err tt && exits 2 leat why t 2018-01-01 nonsense 2> err
'
test_expect 'units from the data differ in the file' '
	cd w && mkdir jobs/copy && printf "kind: script\ninputs:\n  in: {repo: raw/f, glob: /*}\noutput: raw/g\n" > jobs/copy/job.yaml && printf "#!/bin/sh\ncp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/\n" > jobs/copy/job.sh && echo 1 > a.txt && echo 2 > b.txt && leat put raw/f a.txt b.txt && leat run > out 2>&1 && leat runs copy --json > runs && leat why $(json runs "d[\"run\"]") --json > o &&
	leat why $(json o "d[\"units\"][0][\"unit\"]") $(json o "d[\"units\"][1][\"unit\"]") > why && has why "raw/f:/a.txt" "raw/f:/b.txt"
'
test_expect 'units of the calendar differ in the files of a partition, and of a repo without any: the one that differs is named, not the others' '
	workspace f && mkdir d && printf "k,v\na,1\n" > d/a.csv && printf "k,v\nb,1\n" > d/b.csv && leat put raw/x d --ds 2018-01-01 && leat put raw/w d &&
	printf -- "-- output: tables/t\n-- partition: daily\nselect x.k, count(*) n from raw.x x, raw.w w group by 1\n" > jobs/t.sql && leat run t 2018-01-01 && printf "k,v\nb,2\n" > b2 && leat put raw/x:/ds=2018-01-01/b.csv b2 &&
	leat why t 2018-01-01 > why && has why "raw/x ds=2018-01-01 changed: b.csv changed" && leat run t 2018-01-01 && leat put raw/w:/b.csv b2 && leat put raw/w:/c.csv b2 && leat rm raw/w:/a.csv && leat run t 2018-01-01 &&
	leat why 1 2 > why && has why "units 1 and 2 differ: raw/x ds=2018-01-01 changed: b.csv changed" && lacks why a.csv && leat why 2 3 > why && has why "units 2 and 3 differ: raw/w changed: a.csv is gone, b.csv changed, c.csv is new" &&
	leat why 1 2 --json > why && eq "$(json why "[(f[\"path\"], f[\"change\"], f[\"now\"]) for f in d[\"changes\"][0][\"files\"]]")" "[[\"b.csv\", \"changed\", \"$(sha256sum < b2 | cut -c1-64)\"]]"
'
test_expect 'of very many files that differ some are named and the others counted' '
	cd f && mkdir many && for i in $(seq 10 29); do echo "k,v" > many/f$i.csv; echo "$i,1" >> many/f$i.csv; done && leat put raw/x:/ds=2018-01-01/ many/*.csv && leat run t 2018-01-01 && leat why 3 4 > why && has why "f10.csv is new, f11.csv is new, f12.csv is new, f13.csv is new, f14.csv is new, and 15 files more"
'
test_done
