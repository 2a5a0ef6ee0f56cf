#!/usr/bin/env bash
# Retries, time limits, pools, all_done, Ctrl-C, two commands at once.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
background() { # ARGS…: leat, with BG its number; it ends with the script at the latest
	beside "$TRASH/bg" "$LEAT_BIN" "$@"
	BG=$BESIDE
}
last_state() { # JOB STATE
	leat runs "$1" --json | head -1 >runs && has runs "\"state\":\"$2\""
}
ends() { # PID STATUS
	local s=0
	wait_for 20 dead "$1" || kill -9 "$1"
	wait "$1" || s=$?
	eq "$s" "$2"
}

test_expect 'a unit that fails is tried again, and the attempts are told apart' '
	workspace w &&
	job flaky "retries: 2\nretry_delay: 10ms" <<\X &&
echo "attempt $LEAT_ATTEMPT"
[ "$LEAT_ATTEMPT" = 3 ] && echo ok >"$LEAT_OUTPUT/x"
X
	leat run flaky 2018-01-01 2>err && has err retry && leat logs flaky 2018-01-01 >log && has log "attempt 3" &&
	leat logs flaky 2018-01-01 --attempt 1 >log && has log "attempt 1" &&
	job hopeless "retries: 1\nretry_delay: 10ms" <<\X &&
exit 4
X
	exits 1 leat run hopeless 2018-01-01 2>err && has err "exit status 4"
'

test_expect 'what a failed attempt wrote is not there for the next' '
	cd w &&
	job twice "retries: 1\nretry_delay: 1ms" <<\X &&
[ -z "$(ls -A "$LEAT_OUTPUT")" ] || exit 9
[ "$(ls -A)" = job.sh ] || exit 8
echo x >"$LEAT_OUTPUT/$LEAT_ATTEMPT"; echo litter >litter; echo changed >>job.sh
[ "$LEAT_ATTEMPT" = 2 ]; exit $?
X
	leat run twice 2018-01-01..2018-01-03 -j 1 && leat ls raw/twice:/ds=2018-01-02 >ls && has ls 2 && count 1 cat ls
'

test_expect 'a unit that takes longer than its limit is stopped, with all it started, and says so' '
	cd w &&
	job slow "timeout: 300ms\ngrace: 100ms" <<\X &&
trap "" TERM
sleep 300 & echo $! >"$HOME/slow.pid"
wait; wait; sleep 300
X
	exits 1 leat run slow 2018-01-01 2>err && has err "longer than its limit" &&
	! lives "$(cat "$HOME/slow.pid")" && last_state slow failed
'

test_expect 'a query that takes longer than its limit is stopped' '
	cd w && mkdir jobs/long && printf "kind: sql\npartition: daily\ntimeout: 300ms\ngrace: 200ms\n" >jobs/long/job.yaml &&
	echo "select sum(a.i * b.i + c.i) as s from range(100000) a(i), range(100000) b(i), range(1000) c(i)" >jobs/long/job.sql &&
	exits 1 leat run long 2018-01-01 2>err && has err "longer than its limit"
'

test_expect 'units of a pool run no more at once than it has places' '
	cd w && printf "\npools: {one: 1}\n" >>leat.yaml &&
	job pooled "pool: one" <<\X &&
mkdir "$HOME/lock" || exit 7
sleep 0.05; rmdir "$HOME/lock"
X
	leat run pooled 2018-01-01..2018-01-05 -j 4
'

test_expect 'the places of a pool are those of all commands: two at once take turns' '
	cd w && rm -f "$HOME/order" "$HOME/both" && for j in pa pb; do job $j "pool: one" <<\X
echo $LEAT_JOB >> "$HOME/order"; [ $LEAT_JOB$DS != pa2018-01-01 ] || while [ ! -e "$HOME/both" ]; do sleep 0.02; done
mkdir "$HOME/lock" || exit 7
sleep 0.1; rmdir "$HOME/lock"
X
	done &&
	beside ../pa "$LEAT_BIN" run pa 2018-01-01..2018-01-12 -j 2 && a=$BESIDE && wait_for 20 test -s "$HOME/order" && beside ../pb "$LEAT_BIN" run pb 2018-01-01..2018-01-03 -j 2 && wait_for 20 sh -c "\"$LEAT_BIN\" runs pb --json | grep -q \"waiting: pool one\"" &&
	touch "$HOME/both" && wait $BESIDE && lives $a && wait $a &&
	count 15 cat "$HOME/order" && tail -1 "$HOME/order" | grep pa
'

test_expect 'when: all_done runs though what it reads failed; all others do not start' '
	cd w &&
	job up "" <<\X &&
exit 1
X
	job never "inputs: {u: {repo: raw/up, optional: true}}" <<\X &&
echo x >"$LEAT_OUTPUT/x"
X
	job after "when: all_done\ninputs: {u: {repo: raw/up, optional: true}}" <<\X &&
ls -A "$LEAT_INPUT_u" | wc -l >"$LEAT_OUTPUT/x"
X
	exits 1 leat run after 2018-01-01 -u && eq "$(leat cat raw/after:/ds=2018-01-01/x)" 0 &&
	exits 1 leat run never 2018-01-01 -u && exits 1 leat ls raw/never
'

test_expect 'Ctrl-C stops what runs, publishes nothing more and says so' '
	cd w &&
	job int "" <<\X &&
echo $$ >>"$HOME/int.pids"
echo x >"$LEAT_OUTPUT/x"
[ "$DS" = 2018-01-01 ] || sleep 300
X
	background run int 2018-01-01..2018-01-04 -j 2 && wait_for 20 sh -c "test \$(wc -l <$HOME/int.pids) -ge 3" &&
	kill -INT $BG && ends $BG 1 && has "$TRASH/bg" "stopping" &&
	for p in $(cat "$HOME/int.pids"); do ! lives $p || return 1; done &&
	last_state int cancelled &&
	eq "$(leat ls raw/int 2>/dev/null | grep -c 2018-01-02)" 0 && leat fsck
'

test_expect 'Ctrl-C twice ends at once what does not listen' '
	cd w &&
	job deaf "grace: 1h" <<\X &&
trap "" TERM INT
echo $$ >"$HOME/deaf.pid"
while :; do sleep 1; done
X
	background run deaf 2018-01-01 && wait_for 20 test -s "$HOME/deaf.pid" &&
	kill -INT $BG && wait_for 20 has "$TRASH/bg" stopping && lives "$(cat "$HOME/deaf.pid")" && kill -INT $BG && ends $BG 1 && ! lives "$(cat "$HOME/deaf.pid")"
'

test_expect 'two commands at once: a unit runs once, the second waits and reports the same run' '
	cd w &&
	job once "memo: off" <<\X &&
echo x >>"$HOME/once"; while ! [ -e "$HOME/once.go" ]; do sleep 0.05; done
date +%N >"$LEAT_OUTPUT/x"
X
	background run once 2018-01-01 && wait_for 20 test -s "$HOME/once" &&
	beside second "$LEAT_BIN" run once 2018-01-01 && second=$BESIDE && wait_for 20 grep -q "another command works on it" second &&
	touch "$HOME/once.go" && ends $BG 0 && ends $second 0 &&
	count 1 cat "$HOME/once" && run=$(leat runs once --json >runs && json runs "min(d, key=lambda r: r[\"started\"])[\"run\"]") &&
	has second "run ${run:0:12} of another command did it"
'

test_expect 'the second of two commands reports the failure of the first' '
	cd w && rm -f "$HOME/once.go" "$HOME/once" &&
	job fails "" <<\X &&
echo x >>"$HOME/once"; while ! [ -e "$HOME/once.go" ]; do sleep 0.05; done
exit 5
X
	background run fails 2018-01-01 && wait_for 20 test -s "$HOME/once" &&
	beside second "$LEAT_BIN" run fails 2018-01-01 && second=$BESIDE && wait_for 20 grep -q "another command works on it" second &&
	touch "$HOME/once.go" && ends $BG 1 && ends $second 1 && count 1 cat "$HOME/once" && has second "exit status 5"
'

test_expect 'a command whose holder was killed takes the task over, and what that left running is ended with it' '
	cd w && rm -f "$HOME/once.go" "$HOME/once" &&
	job taken "" <<\X &&
echo $$ >>"$HOME/once"; setsid sleep 300 & echo $! >>"$HOME/once"
while ! [ -e "$HOME/once.go" ]; do sleep 0.05; done
echo "$LEAT_RUN" >"$LEAT_OUTPUT/x"
X
	background run taken 2018-01-01 && wait_for 20 sh -c "test \$(wc -l <$HOME/once) = 2" &&
	kill -9 $BG && ends $BG 137 && touch "$HOME/once.go" && pids=$(cat "$HOME/once") &&
	leat run taken 2018-01-01 && for p in $pids; do ! lives $p || return 1; done &&
	count 1 leat runs taken --json && last_state taken success &&
	leat fsck
'

test_expect 'reading commands leave the state as it was' '
	cd w && state . >../before && leat plan >/dev/null && leat status >/dev/null && leat runs >/dev/null && leat why once 2018-01-01 >/dev/null &&
	leat logs once 2018-01-01 >/dev/null && state . >../after && same ../before ../after
'
test_done
