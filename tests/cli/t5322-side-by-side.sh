#!/usr/bin/env bash
# Jobs of one event: those that do not read each other run side by side in the slots of the command; what is downstream
# of a failure is unrunnable and says so, whether or not what it reads was ever there.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

copy='cp $LEAT_INPUT_in/* $LEAT_OUTPUT/'
nap=61.$$ # a sleep that is of this script
# meets ME OTHER: a script that ends well only while OTHER is at work too
meets() { printf '>"%s/%s"\nfor i in $(seq 10000); do [ ! -e "%s/%s" ] || { %s; exit 0; }; sleep 0.02; done; exit 9' "$TRASH" "$1" "$TRASH" "$2" "$copy"; }
open_job() { job "$@" && echo 'sandbox: off' >>"jobs/$1/job.yaml"; }
# joins NAME REPO REPO: a job that reads two repos whole
joins() {
	mkdir -p "jobs/$1" && printf 'kind: script\ninputs:\n  a: {repo: %s, glob: "/"}\n  b: {repo: %s, glob: "/"}\n' "$2" "$3" >"jobs/$1/job.yaml" &&
		printf '#!/bin/sh\nls $LEAT_INPUT_a $LEAT_INPUT_b >$LEAT_OUTPUT/list\n' >"jobs/$1/job.sh"
}

test_expect 'both arms of a diamond are at work at one time, under the change of their input and as new jobs; the end joins once' '
	workspace arms && echo "slots: 4" >>leat.yaml && job top "/" in "$copy" && open_job left "/" top "$(meets l r)" && open_job right "/" top "$(meets r l)" && joins end left right && echo 1 >f && leat put in f &&
	leat run -j 2 --json >run && says ran 4 failed 0 && rm "$TRASH/l" "$TRASH/r" && echo 2 >g && leat put in g && id=$(ids in | head -n 1) && leat run -j 2 --json >run && says ran 4 failed 0 &&
	leat log "$id" --json >log && [ "$(json log "sorted(r[\"repo\"] for r in d)")" = "[\"end\", \"in\", \"left\", \"right\", \"top\"]" ] && count 2 leat log end --json && leat fsck
'
test_expect '... also by put --run and by wait, and with a code that changed' '
	cd arms && rm "$TRASH/l" "$TRASH/r" && echo 3 >h && leat put --run in h && [ "$(leat ls left | wc -l)" = 3 ] && rm "$TRASH/l" "$TRASH/r" && echo 4 >i && leat put in i && leat wait "$(ids in | head -n 1)" && [ "$(leat ls right | wc -l)" = 4 ] &&
	rm "$TRASH/l" "$TRASH/r" && echo "# new" >>jobs/left/job.sh && echo "# new" >>jobs/right/job.sh && leat run --json >run && says ran 2 failed 0
'
test_expect 'a job starts as soon as what it reads is there, whatever else of the event is still at work' '
	workspace depth && open_job slow "/" in "$(meets slow deep)" && job near "/" in "$copy" && open_job deep "/" near "$(meets deep slow)" && echo 1 >f && leat put in f && leat run -j 2 --json >run && says ran 3 failed 0
'
test_expect 'with one slot the units of jobs that are side by side take turns' '
	workspace turns && for j in a b; do open_job $j "/*" in "echo $j >>$TRASH/order; $copy"; done && for n in 1 2 3; do echo $n >f$n; done && leat put in f1 f2 f3 && leat run -j 1 --json >run && says ran 6 && eq "$(tr -d "\n" <"$TRASH/order")" ababab
'
test_expect 'one arm fails: the other goes on and publishes, and what reads it; what reads the failed one is unrunnable, and tells why and what makes it run' '
	workspace half && job top "/" in "$copy" && job left "/" top "$copy" && job right "/" top "$copy" && joins end left right && job more "/" right "$copy" && echo 1 >f && leat put in f && leat run -q &&
	echo bad >f && job left "/" top "if grep -q bad \$LEAT_INPUT_in/f; then exit 3; fi; $copy" && leat run -q && leat put in f && id=$(ids in | head -n 1) && exits 1 leat run -j 2 --json >run 2>err && says ran 3 failed 1 not_started 1 &&
	eq "$(leat cat right:/f) $(leat cat more:/f) $(leat cat left:/f)" "bad bad 1" && grep -q "\"job\":\"end\".*unrunnable: left could not be made: job left failed; runs once that succeeds" run &&
	[ "$(leat runs end --json | head -n 1 | python3 -c "import json,sys; r=json.loads(sys.stdin.readline()); print(r[\"state\"], r[\"global_id\"])")" = "upstream-failed $id" ] &&
	leat log "$id" >log 2>&1 && has log "end" "unrunnable: left could not be made" && exits 1 leat wait "$id" >wait 2>&1 && has wait "end" "unrunnable: left could not be made" "run more" && leat status >status 2>&1 && has status "end is unrunnable: left could not be made" &&
	echo good >f && leat put in f && leat run --json >run && says failed 0 && leat status >status 2>&1 && lacks status unrunnable && leat fsck
'
test_expect 'a job whose input was never made, because what makes it failed, is unrunnable too: in run, status, log and wait' '
	workspace never && job a "/*" in "exit 3" && job b "/*" a "$copy" && job c "/*" b "$copy" && echo 1 >f && leat put in f && exits 1 leat run >out 2>&1 && has out "b" "c" "unrunnable: a could not be made: job a failed; runs once that succeeds" && lacks out "waits: the repo" &&
	leat status >status 2>&1 && has status "b is unrunnable: a could not be made" "c is unrunnable" "a failed: " && leat why c >why && has why "c is unrunnable: a could not be made" && echo 2 >g && leat put in g && id=$(ids in | head -n 1) && exits 1 leat run >out 2>&1 && [ "$(grep -c "unrunnable: a could not be made" out)" = 2 ] &&
	leat log "$id" --json >log && [ "$(json log "[[r[\"job\"], r[\"state\"]] for r in d if r.get(\"job\") and r.get(\"state\")]")" = "[[\"a\", \"failed\"], [\"b\", \"upstream-failed\"], [\"c\", \"upstream-failed\"]]" ] &&
	exits 1 leat wait "$id" >wait 2>&1 && has wait "b" "c" "a failed"
'
test_expect '... and again when it is tried again in vain; once it works they run' '
	cd never && exits 1 leat run --json >run && says failed 2 not_started 2 && exits 1 leat run b --json >run && says not_started 1 && job a "/*" in "$copy" && leat run --json >run && says failed 0 not_started 0 && eq "$(files c)" "/f /g " && leat status >status 2>&1 && lacks status unrunnable && leat fsck
'
test_expect 'a job of a run that took too long makes what reads it unrunnable, though another of its inputs moved' '
	workspace late && job slow "/" in "[ ! -e \$LEAT_INPUT_in/late ] || exec sleep $nap; $copy" && job fast "/" in "$copy" && joins end slow fast && touch f && leat put in f && leat run -q && printf "jobTimeout: 1s\n" >>jobs/slow/job.yaml && touch late && leat put in late && exits 1 leat run --json >run && says not_started 1 && count 1 leat log end --json
'
test_expect 'Ctrl-C with two jobs at work publishes neither and leaves no process; the next run takes the change' '
	workspace stop && open_job a "/" in "[ -e $TRASH/go ] || { touch $TRASH/a; sleep $nap; }; $copy" && open_job b "/" in "[ -e $TRASH/go ] || { touch $TRASH/b; sleep $nap; }; $copy" && touch f && leat put in f && beside out "$LEAT_BIN" run -j 2 &&
	wait_for 20 test -e "$TRASH/a" -a -e "$TRASH/b" && kill -INT $BESIDE && ends 1 && ! pgrep -f "^sleep $nap" && touch "$TRASH/go" && leat run --json >run && says ran 2 failed 0 && count 1 leat log a --json && count 1 leat log b --json && leat fsck
'
test_expect 'kill -9 with two jobs at work, and again: each has its one commit' '
	workspace kill && rm "$TRASH/go" "$TRASH/a" "$TRASH/b" && open_job a "/" in "[ -e $TRASH/go ] || touch $TRASH/a; while [ ! -e $TRASH/go ]; do sleep 0.05; done; $copy" && open_job b "/" in "[ -e $TRASH/go ] || touch $TRASH/b; while [ ! -e $TRASH/go ]; do sleep 0.05; done; $copy" && joins c a b && touch f && leat put in f && { "$LEAT_BIN" run -j 2 >out 2>&1 & pid=$!; } &&
	wait_for 20 test -e "$TRASH/a" -a -e "$TRASH/b" && kill -9 $pid && { wait $pid || true; } && touch "$TRASH/go" && leat run --json >run && says ran 3 failed 0 && for r in a b c; do count 1 leat log $r --json; done && leat fsck
'
test_expect 'two commands beside each other run each job of an event once' '
	workspace both && for j in a b c; do open_job $j "/" in "echo $j >>$TRASH/ran; sleep 0.3; $copy"; done && joins end a b && touch f && leat put in f && { "$LEAT_BIN" run -j 2 --json >one 2>&1 & p=$!; } && leat run -j 2 --json >two 2>&1 && wait $p && eq "$(sort "$TRASH/ran" | tr -d "\n")" abc && for r in a b c end; do count 1 leat log $r --json; done && leat fsck
'
test_done
