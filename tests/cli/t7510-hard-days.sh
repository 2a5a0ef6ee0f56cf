#!/usr/bin/env bash
# The daemon on hard days: a full disk, a log of one endless line, very many tasks ready at once, a job file deleted while its job
# runs, the year 2038. LEAT_TEST_LINE (bytes of the line), LEAT_TEST_READY (tasks): the suite has small ones, `make soak` 2 GB and 10,000.
. "$(dirname "$0")/../lib.sh"
LINE=${LEAT_TEST_LINE:-20000000}
READY=${LEAT_TEST_READY:-300}
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 LEAT_CLOCK=$TRASH/clock

rows() { # QUERY: of leat.db, fields parted by blanks
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
gives() { [ "$(rows "$1")" = "$2" ]; } # for wait_for
become() { wait_for "${3:-60}" gives "$1" "$2" || { echo "$1: $(rows "$1"), not $2"; rows "select id, kind, job, ds, state, held, reason, tries from request" | head -40; tail -n 20 .leat/logs/serve.log; return 1; }; }
job() { # NAME 'job.sh' KEY...
	mkdir -p "jobs/$1" && printf '%s\n' "$2" > "jobs/$1/job.sh" && printf '%s\n' "kind: script" "output: tables/$1" "${@:3}" > "jobs/$1/.new" && mv "jobs/$1/.new" "jobs/$1/job.yaml"
}
hourly=('partition: hourly' 'schedule: {cron: "0 * * * *", catchup: all}')
open="select count(*) from request where finished is null"
# Memory at most, in KB, of the daemon and of what it has started so far and waited for.
daemon_peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(daemon_pid .)/status"; }

peak_of() { # COMMAND...: its memory at most, in KB
	python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
}
SLACK=0
! grep -q __asan_init "$LEAT_BIN" || SLACK=600000 # shadow memory, and what is freed is kept for a while

full_disk() { # in a mount namespace, in $TRASH/disk
	mount -t tmpfs -o size=8m tmpfs "$TRASH/disk" && cd "$TRASH/disk" && clock 2026-03-10T00:00:00Z && workspace w &&
		mkdir "$TRASH/logs" && ln -s "$TRASH/logs" .leat/logs &&
		job tick 'echo $DS > $LEAT_OUTPUT/f' "${hourly[@]}" && job big 'head -c 20000000 /dev/urandom > $LEAT_OUTPUT/f' 'partition: daily' 'schedule: {cron: "5 0 * * *"}' &&
		serve . && pid=$(daemon_pid .) && clock 2026-03-10T00:05:00Z && become "select state from request where job = 'big'" failed &&
		rows "select error from unit where job = 'big'" > reason && cat reason && grep -q "the disk of .* is full" reason && leat runs --json > runs && grep -q failed runs &&
		{ head -c 100M /dev/zero > ../fill || true; } && clock 2026-03-10T01:00:00Z && wait_for 20 grep -q "disk is full" .leat/logs/serve.log && sleep 2.5 &&
		eq "$(grep -c "disk is full" .leat/logs/serve.log)" 1 && eq "$(daemon_pid .)" "$pid" && leat runs > ../../runs && leat status > ../../status && leat serve --status > ../../status &&
		leat cat raw/none > ../../none 2>&1; rm ../fill && become "select job, ds, state from request where job = 'tick'" "tick 2026-03-10T00 success" &&
		sed -i 's/20000000/20/' jobs/big/job.sh && wait_for 20 grep -q "jobs loaded" .leat/logs/serve.log && clock 2026-03-11T00:05:00Z && become "select group_concat(state) from request where job = 'big'" failed,success && become "$open" 0 &&
		eq "$(leat ls tables/tick --json | wc -l)" 24 && leat fsck && eq "$(daemon_pid .)" "$pid" && leat serve --stop
}
if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; then
	test_expect 'the disk is full: tasks fail with the reason, the daemon lives and says so once, all can be read; when there is space it goes on by itself' '
		mkdir disk && declare -f > functions && declare -p TRASH LEAT_BIN LEAT_CLOCK hourly open t_served >> functions && unshare -m bash -c ". ./functions; set -x; export LEAT_CLOCK; full_disk"
	'
else
	test_skip 'the disk is full' 'no mount namespace can be made here'
fi

test_expect "a task that prints $LINE bytes on one line: neither who runs it nor who shows it takes their size in memory" '
	clock 2026-03-10T00:00:00Z && workspace line && job line "head -c $LINE /dev/zero | tr \"\\000\" x; echo x > \$LEAT_OUTPUT/f" "${hourly[@]}" && serve . && clock 2026-03-10T01:00:00Z &&
	become "select state from request" success 600 && [ "$(daemon_peak)" -lt $((60000 + SLACK)) ] &&
	[ "$(leat logs line 2026-03-10T00 | wc -c)" = $((LINE + 0)) -o "$(leat logs line 2026-03-10T00 | wc -c)" = $((LINE + 1)) ] &&
	kb=$(peak_of "$LEAT_BIN" logs line 2026-03-10T00) && echo "$kb KB" && [ "$kb" -lt $((60000 + SLACK)) ] && leat serve --stop
'

test_expect "$READY tasks are ready at once: each is done once, and the daemon stays small" '
	clock 2026-03-10T00:00:00Z && workspace many && for ((i = 0; i < READY; i++)); do mkdir -p jobs/j$i && printf "kind: script\noutput: t/j%d\npartition: hourly\nschedule: \"0 * * * *\"\n" $i > jobs/j$i/job.yaml && printf "echo %d >> %s/did\n" $i "$TRASH" > jobs/j$i/job.sh; done &&
	serve . && clock 2026-03-10T01:00:00Z && become "select count(*), count(distinct job) from request where state = '\''success'\''" "$READY $READY" 900 && become "$open" 0 &&
	eq "$(wc -l < "$TRASH/did")" $READY && eq "$(sort -u "$TRASH/did" | wc -l)" $READY && echo "$(daemon_peak) KB" && [ "$(daemon_peak)" -lt $((60000 + READY * 10 + SLACK)) ] && leat serve --stop
'

test_expect 'a job file that is deleted while its job runs: the run goes on to its end, and then there is no such job' '
	clock 2026-03-10T00:00:00Z && workspace gone && echo "slots: 2" >>leat.yaml && job slow "echo begun >> $TRASH/begun; while [ ! -e $TRASH/go ]; do sleep 0.05; done; echo done > \$LEAT_OUTPUT/f" "${hourly[@]}" && job other "echo \$DS > \$LEAT_OUTPUT/f" "${hourly[@]}" && serve . &&
	clock 2026-03-10T01:00:00Z && wait_for 30 test -s "$TRASH/begun" && rm -r jobs/slow && wait_for 30 grep -q "msg=\"jobs loaded\" jobs=1" .leat/logs/serve.log && clock 2026-03-10T02:00:00Z && become "select count(*) from request where job = '\''other'\'' and state = '\''success'\''" 2 &&
	touch "$TRASH/go" && become "select state, ds from request where job = '\''slow'\''" "success 2026-03-10T00" && become "$open" 0 && [ "$(leat cat tables/slow:/ds=2026-03-10T00/f)" = done ] && eq "$(wc -l < "$TRASH/begun")" 1 && leat serve --stop
'

test_expect 'the clock passes 2038-01-19T03:14:07Z, and stands in 2039: each slot has its run' '
	clock 2038-01-19T02:30:00Z && workspace late && job tick "echo \$DS > \$LEAT_OUTPUT/f" "${hourly[@]}" && job min "echo \$DS > \$LEAT_OUTPUT/f" "partition: daily" "schedule: {cron: \"14 3 * * *\", timezone: Europe/Berlin}" && serve . &&
	clock 2038-01-19T03:14:07Z && become "select count(*) from request where job = '\''tick'\'' and state = '\''success'\''" 1 && clock 2038-01-19T03:14:08Z && clock 2038-01-19T04:00:00Z && become "select group_concat(ds) from request where job = '\''tick'\'' and state = '\''success'\''" 2038-01-19T02,2038-01-19T03 &&
	kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status && clock 2039-06-01T01:14:00Z && rm -r jobs/tick && serve . && become "select ds, state, slot from request where job = '\''min'\'' order by id desc limit 1" "2039-05-31 success 2190503640" &&
	leat runs --json > out && has out 2039-06-01 && leat log tables/min > out && has out 2039 && leat schedule explain min > out && has out 2039-06-02 && leat serve --stop && leat fsck
'
test_done
