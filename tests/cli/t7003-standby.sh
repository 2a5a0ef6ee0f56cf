#!/usr/bin/env bash
# A runner that the daemon makes ready just before a slot: it does what any other would, and nobody depends on it.
. "$(dirname "$0")/../lib.sh"

standby() { # its pid
	local p
	for p in $(cat "/proc/$(daemon_pid .)/task/$(daemon_pid .)/children"); do tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q -- "--role runner .* - \$" && echo "$p"; done
}
stands() { [ -n "$(standby)" ]; }
another() { stands && [ "$(standby)" != "$1" ]; }
none_stands() { [ -z "$(standby)" ]; }
rows() { python3 -c 'import sqlite3, sys; print(" ".join(str(c) for r in sqlite3.connect(".leat/leat.db").execute(sys.argv[1]) for c in r))' "$1"; }
done_are() { [ "$(rows "select count(*) from request where state = 'success' and run is not null" 2>/dev/null)" = "$1" ]; }
export LEAT_CLOCK=$TRASH/clock

test_expect 'a second before a slot a runner stands by, and has asked for nothing; the slot is its' '
	clock 2026-03-01T12:00:10Z && workspace w && mkdir -p jobs/tick && printf "kind: script\noutput: tables/tick\npartition: none\nschedule: \"* * * * *\"\n" >jobs/tick/job.yaml &&
	printf "echo one >\$LEAT_OUTPUT/f\n" >jobs/tick/job.sh && serve . && none_stands && clock 2026-03-01T12:00:59Z && wait_for 20 stands && p=$(standby) && eq "$(leat runs --json | wc -l | tr -d " ")" 0 &&
	clock 2026-03-01T12:01:00Z && wait_for 20 done_are 1 && eq "$(rows "select pid from request")" $p && eq "$(leat cat tables/tick:/f)" one && leat runs tick --json | has - success
'
test_expect 'one that was made ready before its job was edited is not taken' '
	cd w && clock 2026-03-01T12:01:59Z && wait_for 20 stands && p=$(standby) && printf "echo two >\$LEAT_OUTPUT/f\n" >jobs/tick/job.sh && touch jobs/tick/job.yaml && wait_for 20 grep -q "jobs loaded" .leat/logs/serve.log &&
	wait_for 20 another $p && wait_for 20 dead $p && clock 2026-03-01T12:02:00Z && wait_for 20 done_are 2 && eq "$(leat cat tables/tick:/f)" two
'
test_expect 'one that was killed is missed by nobody' '
	cd w && clock 2026-03-01T12:02:59Z && wait_for 20 stands && kill -9 $(standby) && clock 2026-03-01T12:03:00Z && wait_for 20 done_are 3
'
test_expect 'where nothing is to be done at the slot none goes on standing by' '
	cd w && clock 2026-03-01T12:03:59Z && wait_for 20 stands && leat pause tick && clock 2026-03-01T12:04:30Z && wait_for 20 none_stands && done_are 3 && leat resume tick
'
test_expect 'it ends with a daemon that is killed' '
	cd w && clock 2026-03-01T12:05:59Z && wait_for 20 stands && p=$(standby) && kill -9 $(daemon_pid .) && wait_for 20 dead $p && leat fsck
'
test_done
