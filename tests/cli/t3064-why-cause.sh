#!/usr/bin/env bash
# why of a unit that did not run names what stands behind it: who failed and how, what is held, what a job's bounds leave
# out; and a plan names what would run, no more.
. "$(dirname "$0")/../lib.sh"

Q="'"
job() { # NAME 'job.yaml' 'SQL'
	rm -rf "jobs/$1" && mkdir -p "jobs/$1" && printf "kind: sql\npartition: daily\n%b" "$2" > "jobs/$1/job.yaml" && echo "$3" > "jobs/$1/job.sql"
}
why() { leat why "$@" > ../why && head -1 ../why; }
of() { json ../why.json "$1"; } # PYTHON, of the last --json
three() { # a, b of a, c of b, over the days of raw/o
	printf 'id\n1\n2\n' > ../d.csv && for d in 1 2; do leat put raw/o:/ds=2024-01-0$d/d.csv ../d.csv || return 1; done && job b "$1" "select * from a where ds = {{ ds }}" && job c "" "select * from b where ds = {{ ds }}"
}

test_expect 'a unit whose upstream failed: the line names the job that failed, at which ds, with its error, however far above' '
	workspace w && three "" && mkdir -p jobs/a && printf "kind: script\npartition: daily\ninputs: {o: raw/o}\n" > jobs/a/job.yaml && printf "#!/bin/sh\nexit 3\n" > jobs/a/job.sh && exits 1 leat run && eq "$(why a 2024-01-01)" "a ds=2024-01-01 is missing: the last run of it failed: exit status 3" &&
	eq "$(why b 2024-01-01)" "b ds=2024-01-01 is waiting: an input is not there: a ds=2024-01-01 is missing: a 2024-01-01 failed: exit status 3" && eq "$(why c 2024-01-02)" "c ds=2024-01-02 is waiting: an input is not there: b ds=2024-01-02 is missing: a 2024-01-02 failed: exit status 3" &&
	leat why c 2024-01-02 --json > ../why.json && eq "$(of "[d[\"cause\"][k] for k in (\"job\", \"ds\", \"state\", \"error\")]")" "[\"a\", \"2024-01-02\", \"failed\", \"exit status 3\"]"
'
test_expect 'one whose upstream failed at a check: which check, and what it found' '
	cd w && job a "checks:\n  - row_count > 5\n" "select id from raw.o where ds = {{ ds }}" && exits 1 leat run && eq "$(why b 2024-01-01)" "b ds=2024-01-01 is waiting: an input is not there: a ds=2024-01-01 is missing: a 2024-01-01 failed: check failed: row_count > 5 (row_count is 2)" && why a 2024-01-01 > line && has line "check failed: row_count > 5 (row_count is 2)"
'
test_expect 'one that was made and is held since another one of its pipeline failed: held, by whom, and why; so for what reads it, and for who failed' '
	workspace p && three "pipeline: both\nchecks: [row_count > 5]\n" && job a "pipeline: both\n" "select id from raw.o where ds = {{ ds }}" && exits 1 leat run && eq "$(why a 2024-01-01)" "a ds=2024-01-01 was made and is held, not published: b 2024-01-01 of the pipeline both failed: check failed: row_count > 5 (row_count is 2)" && leat why a 2024-01-01 --json > ../why.json && eq "$(of "[d[\"cause\"][k] for k in (\"job\", \"state\")]")" "[\"b\", \"held\"]" &&
	why b 2024-01-01 > line && has line "its last run failed: check failed: row_count > 5 (row_count is 2); so the pipeline both publishes nothing of it" && why c 2024-01-01 > line && has line "a 2024-01-01 was made and is held: b 2024-01-01 of the pipeline both failed: check failed: row_count > 5" &&
	job b "pipeline: both\n" "select * from a where ds = {{ ds }}" && leat run && why a 2024-01-01 > line && has line "is up to date" && leat why c 2024-01-01 --json > ../why.json && eq "$(of "d.get(\"cause\")")" null
'
test_expect 'one outside of the start and end of its job says so, and how it is made all the same; what reads it too' '
	workspace e && three "" && job a "" "select id from raw.o where ds = {{ ds }}" && sed -i "s/partition: daily/partition: {every: daily, start: 2024-01-02, end: 2024-01-05}/" jobs/a/job.yaml && leat run && why a 2024-01-01 > line && has line "the first partition of a is 2024-01-02 (partition: start); only ${Q}leat run a 2024-01-01${Q} makes it" &&
	why a 2024-01-09 > line && has line "the last partition of a is 2024-01-05 (partition: end)" && why b 2024-01-01 > line && has line "a ds=2024-01-01 is missing: the first partition of a is 2024-01-02" && leat run a 2024-01-01 && why a 2024-01-01 > line && has line "is up to date" && why b 2024-01-01 > line && has line "is missing: its output is not there" && lacks line partition
'
test_expect 'one that waits for what nobody has run yet says that; for a source that lacks it, that alone' '
	workspace n && three "" && job a "" "select id from raw.o where ds = {{ ds }}" && why b 2024-01-01 > line && has line "is waiting: an input is not there: a" "nobody has run a 2024-01-01 yet" && leat run a 2024-01-01 && why b 2024-01-01 > line && has line "b ds=2024-01-01 is missing: its output is not there" && why a 2024-01-07 > line && has line "raw/o ds=2024-01-07 is missing" && leat why b 2024-01-07 > ../why && has ../why "a 2024-01-07: an input is not there: raw/o ds=2024-01-07 is missing"
'

globs() { mkdir -p jobs/g && printf "kind: script\npartition: daily\ninputs: {o: {repo: raw/o, glob: \"/*\"}}\n" > jobs/g/job.yaml && printf "#!/bin/sh\ncp \$o \$LEAT_OUTPUT/\n" > jobs/g/job.sh; }
rows() { leat plan "$@" --json > ../plan.json && json ../plan.json "[(u[\"ds\"], u[\"reason\"], u[\"known\"]) for u in (d if isinstance(d, list) else [d]) if u.get(\"runs\")]"; }
test_expect 'a job with partitions and globs, of which a part was made by backfill: the plan names the other days, each once, and the job as a whole not beside them' '
	workspace g && for d in 1 2 3; do for f in p q; do echo "$d$f" > $f.csv && leat put raw/o:/ds=2024-01-0$d/$f.csv $f.csv || return 1; done; done && globs && leat backfill g --from 2024-01-01 --to 2024-01-02 && eq "$(rows g)" "[[\"2024-01-03\", \"missing\", false]]" && leat plan g > out && has out "1 to run" && leat run g && eq "$(rows g)" "[]"
'
test_expect 'its code changed and all its days made by backfill: nothing is to run, and it is called up to date' '
	cd g && echo "# other" >> jobs/g/job.sh && leat backfill g --from 2024-01-01 --to 2024-01-01 && eq "$(rows g)" "[[\"2024-01-02\", \"code-changed\", false], [\"2024-01-03\", \"code-changed\", false]]" && leat backfill g --from 2024-01-02 --to 2024-01-03 && eq "$(rows g)" "[[null, \"code-changed\", true]]" && leat plan g > out && has out "0 to run, 1 known" "its days were made one by one" && leat why g > out && has out "g is up to date" && leat run g --json > run && eq "$(json run "d[-1][\"ran\"] if isinstance(d, list) else d[\"ran\"]")" 0
'
test_expect 'a change whose day was made by backfill already is taken without a run, and the plan says so' '
	cd g && echo more >> p.csv && leat put raw/o:/ds=2024-01-03/p.csv p.csv && leat backfill g --from 2024-01-01 --to 2024-01-03 && eq "$(rows g)" "[[null, \"input-changed\", true]]" && leat plan g > out && has out "0 to run, 1 known" && leat run g && eq "$(rows g)" "[]"
'
test_expect 'run --unit of a sql job, and of a script, lists what it wrote, and counts nothing' '
	cd g && mkdir -p jobs/s && printf "kind: sql\ninputs: {o: {repo: raw/o, glob: \"/*/*\"}}\n" > jobs/s/job.yaml && echo "select * from {{ inputs.o }}" > jobs/s/job.sql && leat run s --unit 2 > out 2> err && has out "/part-" ".parquet" && lacks out ran && has err "nothing is published" && leat run g --unit 1 > out 2> err && has out "/p.csv" && lacks out ran
'
test_done
