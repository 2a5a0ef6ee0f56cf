#!/usr/bin/env bash
# Slots that go to the runner that stands by: their requests are given in the transaction that makes them, and planned before. What
# comes in between counts all the same, and a death at any moment loses nothing and does nothing twice.
. "$(dirname "$0")/../lib.sh"
needs_faults
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 LEAT_CLOCK=$TRASH/clock

rows() { # QUERY: of leat.db, fields parted by blanks
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
gives() { [ "$(rows "$1" 2>/dev/null)" = "$2" ]; } # for wait_for
become() { wait_for 60 gives "$1" "$2" || { echo "$1: $(rows "$1"), not $2"; tail -n 20 .leat/logs/serve.log; return 1; }; }
clock() { echo "$1" > "$TRASH/clock.new" && mv "$TRASH/clock.new" "$TRASH/clock"; }
standby() { # its pid
	local p
	for p in $(cat "/proc/$(daemon_pid .)/task/$(daemon_pid .)/children"); do tr '\0' ' ' < "/proc/$p/cmdline" 2>/dev/null | grep -q -- "--role runner .* - \$" && echo "$p"; done
}
# It waits at its socket (recvfrom), and so has planned; where that cannot be seen: it is there.
stands() { local p; p=$(standby) && [ -n "$p" ] && case $(cut -d" " -f1 "/proc/$p/syscall" 2>/dev/null) in 45 | 207 | "") ;; *) false ;; esac; }
job() { # NAME 'job.sh' KEY...
	mkdir -p "jobs/$1" && printf '%s\n' "$2" > "jobs/$1/job.sh" && printf '%s\n' "kind: script" "output: tables/$1" "${@:3}" > "jobs/$1/job.yaml"
}
daily=('partition: daily' 'schedule: "0 1 * * *"')
stopped() { grep -q "^State:.T" "/proc/$1/status"; }
gone() { ! grep -q "^State:[[:space:]][^ZX]" "/proc/$1/status" 2>/dev/null; }

test_expect 'what was put, and what was paused, after the plan was made counts: the new data is read, the paused job does not run' '
	clock 2026-03-03T00:50:00Z && workspace a && job reads "cat \$LEAT_INPUT_in/* > \$LEAT_OUTPUT/f" "${daily[@]}" "inputs: {in: raw/in}" && job rests "echo x > \$LEAT_OUTPUT/f" "${daily[@]}" && echo one > in && leat put raw/in in --ds 2026-03-02 && serve . &&
	clock 2026-03-03T00:59:59Z && wait_for 60 stands && p=$(standby) && echo two > in && leat put raw/in in --ds 2026-03-02 && leat pause rests && clock 2026-03-03T01:00:00Z && become "select job, state, tries from request" "reads success 1" && eq "$(rows "select pid from request")" $p && eq "$(leat cat tables/reads:/ds=2026-03-02/f)" two && leat serve --stop
'
test_expect 'an input that went after the plan was made is waited for, by name' '
	clock 2026-03-03T00:50:00Z && workspace b && job reads "cat \$LEAT_INPUT_in/* > \$LEAT_OUTPUT/f" "${daily[@]}" "inputs: {in: raw/in}" && echo one > in && leat put raw/in in --ds 2026-03-01 && leat put raw/in in --ds 2026-03-02 && serve . && clock 2026-03-03T00:59:59Z && wait_for 60 stands && leat rm -r raw/in:/ds=2026-03-02 && clock 2026-03-03T01:00:00Z && become "select state, held from request" "waiting input" && rows "select reason from request" | has - raw/in &&
	leat put raw/in in --ds 2026-03-02 && become "select state from request" success && leat serve --stop
'
test_expect 'one that was there when the plan was made and could not run then does' '
	clock 2026-03-03T00:50:00Z && workspace c && job reads "cat \$LEAT_INPUT_in/* > \$LEAT_OUTPUT/f" "${daily[@]}" "inputs: {in: raw/in}" && job other "echo x > \$LEAT_OUTPUT/f" "${daily[@]}" && serve . && clock 2026-03-03T00:59:59Z && wait_for 60 stands && echo one > in && leat put raw/in in --ds 2026-03-02 && clock 2026-03-03T01:00:00Z && become "select group_concat(state) from request" success,success && leat serve --stop
'
test_expect 'a day that somebody made by hand meanwhile is not made twice' '
	clock 2026-03-03T00:50:00Z && workspace d && job once "echo x >> $TRASH/did; cat \$LEAT_INPUT_in/* > \$LEAT_OUTPUT/f" "${daily[@]}" "inputs: {in: raw/in}" && echo one > in && leat put raw/in in --ds 2026-03-02 && serve . && clock 2026-03-03T00:59:59Z && wait_for 60 stands && leat run once 2026-03-02 && clock 2026-03-03T01:00:00Z && become "select state from request" success && count 1 cat "$TRASH/did" && leat serve --stop
'
test_expect 'jobs that read each other, or publish together, and are due at one moment go to one runner, in their order' '
	clock 2026-03-03T00:50:00Z && workspace g && job zup "cat $TRASH/val > \$LEAT_OUTPUT/f" "partition: none" "schedule: \"0 1 * * *\"" && job down "cat \$LEAT_INPUT_in/f > \$LEAT_OUTPUT/f" "partition: none" "schedule: \"0 1 * * *\"" "inputs: {in: tables/zup}" && job alone "echo x > \$LEAT_OUTPUT/f" "${daily[@]}" && echo 1 > "$TRASH/val" && serve . &&
	clock 2026-03-03T00:59:59Z && wait_for 60 stands && clock 2026-03-03T01:00:00Z && become "select group_concat(state) from request" success,success,success && eq "$(rows "select count(distinct batch) from request")" 1 && echo 2 > "$TRASH/val" && clock 2026-03-04T00:59:59Z && wait_for 60 stands && p=$(standby) && clock 2026-03-04T01:00:00Z && become "select count(*) from request where state = '\''success'\''" 6 &&
	eq "$(leat cat tables/down:/f)" 2 && eq "$(rows "select count(distinct batch), count(distinct pid), max(pid) from (select * from request order by id desc limit 3)")" "1 1 $p" && eq "$(rows "select count(*) from unit where job = '\''down'\''")" 2 && leat serve --stop &&
	clock 2026-03-03T00:50:00Z && cd .. && workspace h && job one "echo x > \$LEAT_OUTPUT/f" "${daily[@]}" "pipeline: both" && job two "echo x > \$LEAT_OUTPUT/f" "${daily[@]}" "pipeline: both" && serve . && clock 2026-03-03T00:59:59Z && wait_for 60 stands && clock 2026-03-03T01:00:00Z && become "select group_concat(state) from request" success,success && eq "$(rows "select count(distinct batch) from request")" 1 && leat serve --stop
'
test_expect 'a daemon that dies when it has made a slot for the runner that stands by, and has not told it: no try is used up, however often' '
	clock 2026-03-03T00:50:00Z && workspace e && job j "echo x >> $TRASH/did.e; echo x > \$LEAT_OUTPUT/f" "${daily[@]}" && LEAT_CRASH_AT=request-given serve . && clock 2026-03-03T00:59:59Z && wait_for 60 stands && p=$(standby) && clock 2026-03-03T01:00:00Z && wait_for 60 exits 1 leat serve --status && wait_for 60 gone $p && eq "$(rows "select state, tries, pid from request")" "running 0 $p" && for i in 1 2 3; do
		{ LEAT_CRASH_AT=request-given serve . || true; } && wait_for 60 exits 1 leat serve --status || return 1
	done
	exits 1 test -e "$TRASH/did.e" && serve . && become "select state, tries from request" "success 1" && count 1 cat "$TRASH/did.e" && leat serve --stop
'
test_expect 'a runner that is killed among the rows of very many: each slot is made once, and none is lost' '
	clock 2026-03-03T00:50:00Z && workspace f && printf "name: f\nslots: 2\n" > leat.yaml && for i in $(seq 430); do printf -- "-- output: none\n-- partition: daily\n-- schedule: \"0 1 * * *\"\nselect %d as n\n" $i > jobs/s$i.sql || return 1; done && LEAT_STOP_AT=runs-begun serve . && clock 2026-03-03T00:59:59Z && wait_for 60 stands && p=$(standby) && clock 2026-03-03T01:00:00Z && wait_for 60 stopped $p &&
	eq "$(rows "select count(*), count(run), max(tries) from request")" "430 250 1" && eq "$(rows "select count(*) from unit")" 250 && kill -9 $p $(daemon_pid .) && wait_for 60 exits 1 leat serve --status && serve . && become "select count(*) from request where state = '\''success'\''" 430 && eq "$(rows "select count(*), count(distinct job) from unit where state = '\''success'\''")" "430 430" &&
	eq "$(rows "select count(*) from run where finished is null")" 0 && eq "$(rows "select count(*) from unit where finished is null")" 0 && leat serve --stop && leat fsck
'
test_done
