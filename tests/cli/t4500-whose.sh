#!/usr/bin/env bash
# Whose a repo is: no job writes over what people filled, and what a removed job made is a plain repo again.
. "$(dirname "$0")/../lib.sh"

job() { # NAME OUTPUT
	mkdir -p jobs/$1 && printf 'kind: sql\noutput: %s\npartition: daily\n' "$2" > jobs/$1/job.yaml && echo "select * from raw.x" > jobs/$1/job.sql
}
test_expect 'set-up' '
	workspace w && echo "n
1" > a.csv && leat put raw/x --ds 2024-01-01 a.csv && leat put raw/x --ds 2024-01-02 a.csv
'
test_expect 'a job whose output was filled by hand is refused at its place, with what to do; plan says the same, nothing is written' '
	cd w && leat put tables/mine a.csv && job j tables/mine && state > ../before &&
	for c in "run j 2024-01-01" "run" "plan" "plan j --ds 2024-01-01" "backfill j --from 2024-01-01 --to 2024-01-02"; do
		exits 2 leat $c 2> err && has err "jobs/j/job.yaml:2:" "tables/mine was filled by hand" "leat rm --repo tables/mine"; done && state > ../after && same ../before ../after &&
	leat status > out && has out "tables/mine was filled by hand" && leat ls tables/mine | has - a.csv
'
test_expect 'both remedies work: another name, and rm --repo' '
	cd w && sed -i "s/mine/own/" jobs/j/job.yaml && leat run j 2024-01-01 && sed -i "s/own/mine/" jobs/j/job.yaml &&
	leat rm --repo tables/mine && leat run j 2024-01-01 && leat ls tables/mine | has - ds=2024-01-01 && exits 2 leat rm --repo tables/mine 2> err && has err "job j writes"
'
test_expect 'SEMANTICS 4: the output of a removed job is a plain repo: status names it so, commit adopts what was changed there' '
	cd w && mv jobs/j ../gone && echo "n
7" > datastore/tables/mine/new.csv && leat status > out && has out "leat commit adopts it" && lacks out "what the job made" &&
	leat commit > out && leat ls tables/mine | has - new.csv
'
test_expect 'the job that comes back is refused, because people wrote there meanwhile; where they did not, it goes on' '
	cd w && mv ../gone jobs/j && exits 2 leat run j 2024-01-02 2> err && has err "filled by hand" &&
	job k tables/kept && leat run k 2024-01-01 && mv jobs/k ../gone && leat commit && mv ../gone jobs/k && leat run k 2024-01-02 &&
	exits 2 leat put tables/kept a.csv 2> err && has err "output of job k"
'
test_expect 'a job that was renamed keeps its output, under its new name' '
	cd w && mv jobs/k jobs/k2 && leat run k2 2024-01-02 --again && exits 2 leat put tables/kept a.csv 2> err && has err "output of job k2"
'
test_done
