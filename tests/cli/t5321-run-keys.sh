#!/usr/bin/env bash
# jobTimeout, reprocessSpec and outputBranch; what a job says that waits for an input; inputs that cannot be.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

copy='cp $LEAT_INPUT_in/* $LEAT_OUTPUT/'
nap=61.$$ # a sleep that is of this script
# ended FAILED NOT_STARTED: of a run that its limit ended; of the units that could have begun by then, a slow machine may not have begun all
ended() {
	json run "(lambda r: r['ran'] == 0 and 0 <= r['failed'] <= $1 and r['failed'] + r['not_started'] == $(($1 + $2)))(d[-1])" | grep -qx true || { tail -n 1 run; return 1; }
}
# with NAME 'KEYS': more keys for a job
with() { printf '%s\n' "$2" >>"jobs/$1/job.yaml"; }

test_expect 'jobTimeout: the run ends with a sentence, what works and what waits with it; the head stays, no process is left' '
	workspace limit && job slow "/*" in "grep -q now \$LEAT_INPUT_in/* || exec sleep $nap; $copy" && with slow "retries: 3" && with slow "jobTimeout: 1s" && with slow "grace: 1s" &&
	for n in 1 2 3 4 5; do echo $n >f$n; done && echo now >f0 && leat put in f0 && leat run -q && head=$(ids slow) && leat put in f1 f2 f3 f4 f5 &&
	exits 1 leat run -j 2 --json >run 2>err && says known 1 && ended 2 3 && grep -q "the run took longer than its limit of 1000 ms" run && eq "$(ids slow)" "$head" &&
	leat runs slow --json >runs && [ "$(json runs "[r[\"state\"] for r in d]")" = "[\"timed-out\", \"success\"]" ] && ! pgrep -f "^sleep $nap" && leat fsck
'
test_expect '... what was good before the limit is known the next time' '
	cd limit && for n in 1 2 3 4 5; do echo now $n >f$n; done && leat put in f1 f2 f3 f4 f5 && leat run --json >run && says ran 5 failed 0 && [ "$(leat ls slow | wc -l)" = 6 ]
'
test_expect 'jobTimeout does not go by errCmd, and holds for runs of the calendar too' '
	workspace limit2 && job slow "/*" in "exec sleep $nap" && with slow "jobTimeout: 1s" && with slow "errCmd: [\"true\"]" && touch f && leat put in f && exits 1 leat run --json >run && ended 1 0 && says recovered 0 &&
	mkdir jobs/day && printf "kind: script\npartition: daily\njobTimeout: 1s\ninputs: {}\n" >jobs/day/job.yaml && printf "#!/bin/sh\nexec sleep %s\n" $nap >jobs/day/job.sh &&
	exits 1 leat run day 2026-01-01..2026-01-03 -j 1 --json >run && ended 1 2 && ! pgrep -f "^sleep $nap"
'
test_expect 'reprocessSpec: every_job runs all units at each change; without it what is known is not run' '
	workspace again && job one "/*" in "$copy" && job two "/*" in "$copy" && with one "reprocessSpec: every_job" && touch a b && leat put in a b && leat run -q && echo 1 >c && leat put in c &&
	leat run one --json >run && says ran 3 known 0 && leat run two --json >run && says ran 1 known 2 && leat run --json >run && says ran 0
'
test_expect 'outputBranch: the job writes that branch, master is led there by hand; what reads master runs then' '
	workspace branch && job one "/*" in "$copy" && with one "outputBranch: staging" && job two "/*" one "$copy" && echo 1 >a && leat put in a && leat run -q && echo 2 >b && leat put in b && leat run -q &&
	count 2 leat log one@staging --json && count 0 leat log one --json && exits 1 leat log two && exits 2 leat branch one@staging --head staging~1 2>err && grep -q "which alone moves its staging" err &&
	leat branch one@master --head staging && leat run --json >run && says ran 2 && eq "$(files two)" "/a /b " && leat fsck
'
test_expect '... or by a trigger, under the id of the change; a failure of the job leaves what reads master alone' '
	cd branch && leat branch one@master --trigger staging --trigger-commits 1 && echo 3 >c && leat put in c && leat run --json >run && says ran 2 && eq "$(ids two | head -n 1)" "$(ids in | head -n 1)" &&
	leat branch one@master --no-trigger && job one "/*" in "false" && with one "outputBranch: staging" && echo 4 >d && leat put in d && exits 1 leat run --json >run && says not_started 0
'
test_expect 'a branch that is new gets all that the job has made, without running it' '
	workspace other && job one "/*" in "$copy" && touch a b && leat put in a b && leat run -q && with one "outputBranch: test" && leat run --json >run && says ran 0 known 2 && eq "$(files one@test)" "/a /b "
'
test_expect 'keys of jobs on data are refused where units come from the calendar; words that are none are named' '
	workspace keys && mkdir -p jobs/d && printf "kind: script\npartition: daily\noutputBranch: x\n" >jobs/d/job.yaml && echo true >jobs/d/job.sh && exits 2 leat run 2>err && grep -q "jobs/d/job.yaml:3:15: outputBranch is for jobs whose units come from the data" err &&
	printf "kind: script\npartition: daily\nreprocessSpec: every_job\n" >jobs/d/job.yaml && exits 2 leat run 2>err && grep -q "reprocessSpec is for jobs" err && rm -r jobs/d &&
	job one "/*" in "$copy" && with one "reprocessSpec: sometimes" && exits 2 leat run 2>err && grep -q "job.yaml:4:.*reprocessSpec.*sometimes" err && job one "/*" in "$copy" && with one "outputBranch: a/b" && exits 2 leat run 2>err && grep -q "job.yaml:4:15" err &&
	job one "/*" in "$copy" && with one "jobTimeout: soon" && exits 2 leat run 2>err && grep -q "jobTimeout.*soon" err
'
test_expect 'an input that is not there: run JOB says which repo or branch it waits for and exits with 1, run counts it' '
	workspace waits && job one "/*" nowhere "$copy" && exits 1 leat run one --json >run 2>err && says ran 0 input_missing 1 && leat run >out 2>err && grep -q "one waits: the repo nowhere is not there" err && leat plan --json >plan && [ "$(json plan "[d[\"runs\"], d[\"detail\"]]")" = "[false, \"the repo nowhere is not there\"]" ] &&
	printf "kind: script\ninputs:\n  in: {repo: in, glob: \"/*\", branch: dev}\n" >jobs/one/job.yaml && touch f && leat put in f && exits 1 leat run one 2>err && grep -q "one waits: in has no branch dev" err &&
	job one "/*" empty "$copy" && leat put empty@x f && exits 1 leat run one 2>err && grep -q "one waits: empty has no commit on master yet" err && exits 1 leat runs one --json >runs || count 0 leat runs one --json
'
test_expect 'a pin that is not there is named with its place in the job; other jobs run' '
	workspace pin && touch f && leat put in f && job good "/*" in "$copy" && mkdir jobs/bad && cp jobs/good/job.sh jobs/bad/ && printf "kind: script\ninputs:\n  in: {repo: in, glob: \"/*\", pin: master.7}\n" >jobs/bad/job.yaml &&
	exits 1 leat run bad 2>err && grep -q "bad waits: jobs/bad/job.yaml:3:7: .*master.7" err && leat run --json >run && says ran 1 input_missing 1 && eq "$(files good)" "/f "
'
test_expect 'a circle of jobs, and an output that two jobs write, are refused before anything runs; apply writes nothing then' '
	workspace circle && job a "/*" b true && job b "/*" a true && touch f && exits 2 leat run 2>err && grep -q "a.*b" err && rm -r jobs/b && job c "/*" in true && with c "output: a" && exits 2 leat run 2>err && grep -q "two jobs write a: " err && rm -r jobs/a jobs/c &&
	spec() { printf "{\"pipeline\":{\"name\":\"%s\"},\"transform\":{\"cmd\":[\"true\"]},\"input\":{\"pfs\":{\"repo\":\"%s\",\"glob\":\"/\"}}}\n" "$1" "$2"; } && { spec p q && spec q p; } >two.json && exits 2 leat apply -f two.json 2>err && [ ! -e jobs/p ] && leat put in f && leat fsck
'
test_done
