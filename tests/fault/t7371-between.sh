#!/usr/bin/env bash
# What happens between two steps of the daemon, its runners and its shims: a job saved as its run begins, a death between giving and
# taking, a cancel with nobody there, a workspace that goes away.
. "$(dirname "$0")/../lib.sh"
needs_faults
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 LEAT_CLOCK=$TRASH/clock

rows() { # QUERY: of leat.db, fields parted by blanks
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
gives() { [ "$(rows "$1")" = "$2" ]; } # for wait_for
become() { wait_for 20 gives "$1" "$2" || { echo "$1: $(rows "$1"), not $2"; tail -n 20 .leat/logs/serve.log; return 1; }; }
job() { # NAME 'job.sh' KEY...
	mkdir -p "jobs/$1" && printf '%s\n' "$2" > "jobs/$1/.sh" && mv "jobs/$1/.sh" "jobs/$1/job.sh" && printf '%s\n' "kind: script" "output: tables/$1" "${@:3}" > "jobs/$1/.new" && mv "jobs/$1/.new" "jobs/$1/job.yaml"
}
hourly=('partition: hourly' 'schedule: {cron: "0 * * * *", catchup: all}')
runner() { pgrep -f -- "--role runner $PWD " ; }
gone() { ! grep -q "^State:[[:space:]][^ZX]" "/proc/$1/status" 2>/dev/null; }
waits='echo $$ >> '$TRASH'/pids; while [ ! -e '$TRASH'/go ]; do sleep 0.05; done; echo x > $LEAT_OUTPUT/f'

test_expect 'a job that is saved between the look at it and its run is run as it is now, not failed' '
	clock 2026-03-10T00:00:00Z && workspace a && job j "echo old > \$LEAT_OUTPUT/f" "${hourly[@]}" && LEAT_STOP_AT=runner-loaded serve . && clock 2026-03-10T01:00:00Z && wait_for 20 runner && wait_for 20 is_stopped "$(runner)" &&
	job j "echo new > \$LEAT_OUTPUT/f" "${hourly[@]}" && wait_for 20 grep -q "jobs loaded" .leat/logs/serve.log && kill -CONT "$(runner)" && become "select state, tries from request" "success 1" && eq "$(leat cat tables/j:/ds=2026-03-10T00/f)" new && leat serve --stop
'
test_expect 'a daemon that dies between giving a request to a runner and starting it has used up no try, however often' '
	clock 2026-03-10T00:00:00Z && workspace b && job j "echo x > \$LEAT_OUTPUT/f" "${hourly[@]}" && for i in 1 2 3 4; do
		{ LEAT_CRASH_AT=request-given serve . || true; } && clock 2026-03-10T01:00:00Z && wait_for 20 exits 1 leat serve --status || return 1
	done
	eq "$(rows "select state, tries from request")" "running 1" && serve . && become "select state, tries from request" "success 1" && leat serve --stop
'
test_expect 'a request that was given, and whose daemon died, is cancelled though nobody is there' '
	clock 2026-03-10T02:00:00Z && cd b && { LEAT_CRASH_AT=request-given serve . || true; } && wait_for 20 exits 1 leat serve --status && eq "$(rows "select state from request order by id desc limit 1")" running && timeout 20 "$LEAT_BIN" cancel j --json > out && has out cancelled && eq "$(rows "select state from request order by id desc limit 1")" cancelled
'
test_expect 'daemon and runner die, the task goes on: leat cancel, by job or by request, ends the task, the run and the request' '
	clock 2026-03-10T00:00:00Z && workspace c && job j "$waits" "grace: 100ms" "${hourly[@]}" && for way in j request; do
		rm -f "$TRASH/pids" && serve . && clock "2026-03-10T0$(( $(rows "select count(*) from request" 2>/dev/null || echo 0) + 1 )):00:00Z" && wait_for 20 test -s "$TRASH/pids" && kill -9 "$(daemon_pid .)" "$(runner)" && wait_for 20 exits 1 leat serve --status && pid=$(tail -1 "$TRASH/pids") && ! gone "$pid" &&
		what=$way && { [ $way = j ] || what=r$(rows "select max(id) from request"); } && timeout 20 "$LEAT_BIN" cancel $what --json > out && has out cancelled && wait_for 10 gone "$pid" && eq "$(rows "select count(*) from request where finished is null") $(rows "select count(*) from run where finished is null")" "0 0" && eq "$(rows "select distinct state from request")" cancelled || return 1
	done
'
test_expect 'a daemon whose workspace is deleted says so and ends, with exit status 1' '
	clock 2026-03-10T00:00:00Z && workspace d && job j "echo x > \$LEAT_OUTPUT/f" "${hourly[@]}" && { "$LEAT_BIN" serve --port 0 --foreground > ../d.log 2>&1 & } && p=$! && t_pids+=($p) && wait_for 20 grep -q serving ../d.log && cd .. && rm -rf d && wait_for 20 gone $p && s=0 && { wait $p || s=$?; } && eq $s 1 && has d.log "the workspace is not there any more" && exits 1 test -e d
'
test_expect 'so does one whose workspace, or a folder above it, is moved: a daemon at the new place is the only one' '
	clock 2026-03-10T00:00:00Z && workspace m && job j "echo x > \$LEAT_OUTPUT/f" "${hourly[@]}" && serve . && p=$(daemon_pid .) && cd .. && mv m n && wait_for 20 gone $p && cd n && has .leat/logs/serve.log "the workspace is not there any more" && serve . && q=$(daemon_pid .) && [ $p != $q ] && clock 2026-03-10T01:00:00Z && become "select state from request" success &&
	cd .. && mkdir above && leat -C n serve --stop && mv n above/n && serve above/n && p=$(daemon_pid above/n) && mv above below && clock 2026-03-10T02:00:00Z && wait_for 20 gone $p && exits 1 test -e above
'
test_expect 'an idle shim that is killed as it gets an order, which it has not looked at: another one starts the task, and no try is lost' '
	workspace e && for j in one two; do job $j "echo x >> $TRASH/did.$j; echo x > \$LEAT_OUTPUT/f" "partition: none" || return 1; done && job two "echo x >> $TRASH/did.two; echo x > \$LEAT_OUTPUT/f" "partition: none" "after: one" &&
	{ LEAT_STOP_AT=unit-task-announced:2 "$LEAT_BIN" run -j 1 > ../e.out 2>&1 & } && p=$! && t_pids+=($p) && wait_for 20 is_stopped $p && shim=$(pgrep -P $p -f leat-shim || pgrep -P $p leat-shim) && kill -STOP $shim && kill -CONT $p && sleep 0.5 && kill -9 $shim && wait $p && count 1 cat "$TRASH/did.two" && eq "$(rows "select max(attempts) from unit")" 1 && leat fsck
'
test_expect 'late data after a late run that failed is taken too' '
	clock 2026-03-02T12:00:00Z && workspace f && job j "if grep -q bad \$LEAT_INPUT_in/*; then exit 3; fi; cat \$LEAT_INPUT_in/* > \$LEAT_OUTPUT/f" "partition: daily" "inputs: {in: raw/in}" "schedule: \"0 1 * * *\"" "late: run" && put() { echo "$1" > in && leat put raw/in in --ds 2026-03-02; } && put one && serve . && clock 2026-03-03T01:00:00Z && become "select state from request where job = '\''j'\''" success &&
	put bad && become "select group_concat(state) from request where job = '\''j'\''" success,failed && put two && wait_for 20 eval "[ \"\$(leat cat tables/j:/ds=2026-03-02/f)\" = two ]" && sleep 1 && eq "$(rows "select count(*) from request where job = '\''j'\''")" 3 && leat serve --stop
'
test_expect 'so is what comes while that run is at work, which then fails' '
	clock 2026-03-02T12:00:00Z && workspace g && job j "if grep -q bad \$LEAT_INPUT_in/*; then touch $TRASH/bad; while [ ! -e $TRASH/fail ]; do sleep 0.05; done; exit 3; fi; cat \$LEAT_INPUT_in/* > \$LEAT_OUTPUT/f" "partition: daily" "inputs: {in: raw/in}" "schedule: \"0 1 * * *\"" "late: run" && put() { echo "$1" > in && leat put raw/in in --ds 2026-03-02; } && put one && serve . && clock 2026-03-03T01:00:00Z && become "select state from request where job = '\''j'\''" success &&
	put bad && wait_for 20 test -e "$TRASH/bad" && put two && sleep 0.5 && touch "$TRASH/fail" && wait_for 20 eval "[ \"\$(leat cat tables/j:/ds=2026-03-02/f)\" = two ]" && sleep 1 && eq "$(rows "select group_concat(state) from request where job = '\''j'\''")" success,failed,success && leat serve --stop
'
test_done
