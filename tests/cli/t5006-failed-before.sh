#!/usr/bin/env bash
# What is said after a check has failed: of the same days at once, and by the next plan.
. "$(dirname "$0")/../lib.sh"

days() { # VALUE: raw/x of five days
	for i in 1 2 3 4 5; do printf 'n\n%d\n' "$1" | leat put raw/x --ds 2024-01-0$i --name a.csv - >/dev/null; done
}
test_expect 'a check that fails on five days is told once, with how many others and which' '
	workspace w && mkdir -p jobs/j jobs/k && printf "kind: sql\noutput: tables/t\npartition: daily\nchecks:\n  - max(n) < 5\n" > jobs/j/job.yaml && echo "select * from raw.x" > jobs/j/job.sql &&
	printf "kind: sql\noutput: tables/k\npartition: daily\n" > jobs/k/job.yaml && echo "select n from tables.t" > jobs/k/job.sql &&
	days 1 && leat run && days 9 && exits 1 leat run -j 1 2> err && eq "$(grep -c "check failed" err)" 1 && has err "failed  j on 4 more days, as on 2024-01-01: 2024-01-02..2024-01-05"
'
test_expect 'plan, run and why then say what failed, not that the input changed; the input that changed again is what counts' '
	cd w && leat plan -v > out && has out "the last run of it failed  2024-01-01" "check failed: max(n) < 5" && lacks out "input changed" &&
	leat why j 2024-01-02 > out && has out "failed-before" "check failed: max(n) < 5" && leat plan --json | has - failed-before &&
	printf "n\n7\n" | leat put raw/x --ds 2024-01-02 --name a.csv - && leat why j 2024-01-02 > out && has out "input-changed"
'
test_expect 'a job that did not start because of another one has not failed' '
	cd w && leat jobs > out && grep "^j " out | has - failed && grep "^k " out | has - upstream-failed && leat runs k > out && has out upstream-failed
'
test_expect 'failures that differ are told one by one' '
	cd w && mkdir jobs/s && printf "kind: script\noutput: raw/s\npartition: daily\n" > jobs/s/job.yaml && printf "#!/bin/sh\nexit \${DS#2024-01-0}\n" > jobs/s/job.sh && chmod +x jobs/s/job.sh &&
	exits 1 leat run s 2024-01-01..2024-01-03 2> err && has err "s 2024-01-01" "s 2024-01-02" "s 2024-01-03" && lacks err " more "
'
test_done
