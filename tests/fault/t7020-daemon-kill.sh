#!/usr/bin/env bash
# kill -9 of the daemon, of its runners, or of both, at random moments while data comes and slots are due; each time a new
# daemon takes over (LEAT_TEST_KILLS of them).
. "$(dirname "$0")/../lib.sh"
KILLS=${LEAT_TEST_KILLS:-12}
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
RANDOM=${LEAT_TEST_SEED:-1}
killed=0 # runners

rows() { # QUERY: of leat.db, fields parted by blanks
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
runners() { pgrep -f -- "--role runner $TRASH/w " || true; }
# Whoever inherits the dead may be slow to bury them: on some machines that took two seconds, in which nothing was killed.
gone() { ! grep -q "^State:[[:space:]][^ZX]" "/proc/$1/status" 2>/dev/null; }
kill_some() { # daemon, runner, both; PID of the daemon
	case $1 in runner) ;; *) kill -9 "$2" ;; esac
	case $1 in daemon) ;; *) for p in $(runners); do kill -9 "$p" 2>/dev/null && killed=$((killed + 1)); done ;; esac
	[ "$1" = runner ] || wait_for 20 gone "$2"
}
minute() { date -u -d "2026-03-10 UTC + $1 minutes" +%Y-%m-%dT%H:%M:00Z; }
quiet() { eq "$(rows 'select count(*) from request where finished is null')" 0 && eq "$(runners)" ""; }
# A request has failed when three runners have died on it (docs/decisions/0009): the third is let live.
may_kill() { eq "$(rows 'select count(*) from request where finished is null and tries > 1')" 0; }
all_there() { # what came last may not have been seen yet when nothing is open
	eq "$(rows "select count(*) from request where job = 'tick'")" "$KILLS" && count "$KILLS" leat ls tables/up --json
}
seen() { # what there is, when something is not as it should be
	echo "--- requests:"
	rows "select id, kind, job, ds, state, held, reason, tries, created, started, finished, batch, run, pid from request where state <> 'success' or tries > 1"
	echo "--- runs:"
	rows "select id, job, kind, state, reason, batch from run where state <> 'success'"
	echo "--- units made twice:"
	rows "select job, ds, datum, global_id, group_concat(id) from unit where state = 'success' and original is null group by 1, 2, 3, 4 having count(*) > 1"
	echo "--- processes: $(runners)"
	for r in up tick after; do echo "--- tables/$r: $(leat ls tables/$r --json | wc -l) files, $(leat log tables/$r --json | wc -l) commits"; done
	leat plan | tail -n 20
	echo "--- log:"
	tail -n 40 .leat/logs/serve.log
	return 1
}

test_expect 'a workspace in which a file comes and a slot is due at each turn' '
	minute 0 > "$TRASH/clock" && export LEAT_CLOCK=$TRASH/clock && workspace w &&
	mkdir -p jobs/up jobs/tick jobs/after &&
	printf "kind: script\ninputs: {raw: {repo: raw/x, glob: /*}}\noutput: tables/up\n" > jobs/up/job.yaml &&
	printf "sleep 0.1\nfor f in \$LEAT_INPUT_raw/*; do cp \$f \$LEAT_OUTPUT/; done\n" > jobs/up/job.sh &&
	printf "kind: script\npartition: hourly\noutput: tables/tick\nschedule: {cron: \"0 * * * *\", catchup: all}\n" > jobs/tick/job.yaml &&
	printf "sleep 0.1\necho \$DS > \$LEAT_OUTPUT/f\n" > jobs/tick/job.sh &&
	printf "kind: script\npartition: hourly\ninputs: {tick: tables/tick}\noutput: tables/after\n" > jobs/after/job.yaml &&
	printf "sleep 0.05\ncp \$LEAT_INPUT_tick/f \$LEAT_OUTPUT/ || cp \$LEAT_INPUT_tick/*/f \$LEAT_OUTPUT/\n" > jobs/after/job.sh &&
	serve .
'

test_expect "kills 1 to $KILLS: whoever was killed, a new daemon takes over and refuses nobody" '
	cd w && for ((k = 1; k <= KILLS; k++)); do
		wait_for 120 may_kill && pid=$(daemon_pid .) && minute $((k * 60)) > "$TRASH/clock.new" &&
		case $((RANDOM % 3)) in 0) who=daemon ;; 1) who=runner ;; *) who=both ;; esac &&
		echo "$k" > f && leat put "raw/x:/f$k" f && mv "$TRASH/clock.new" "$TRASH/clock" &&
		sleep "0.$((RANDOM % 3))$((RANDOM % 10))" && kill_some $who "$pid" && { [ $who = runner ] || serve .; } || { seen; return 1; }
	done
'

test_expect 'every file and every slot has its effect, exactly once, and nothing is left over' '
	cd w && wait_for 120 all_there && wait_for 120 quiet && leat serve --stop &&
	count $KILLS leat ls tables/up --json && count $KILLS leat ls tables/tick --json && count $KILLS leat ls tables/after --json &&
	count $KILLS leat log tables/tick --json && count $KILLS leat log tables/after --json &&
	eq "$(rows "select count(*) from request where state <> '\''success'\''")" 0 &&
	eq "$(rows "select job, ds, datum, global_id from unit where state = '\''success'\'' and original is null group by 1, 2, 3, 4 having count(*) > 1")" "" &&
	leat fsck && eq "$(leat plan --json | grep "\"runs\":true")" "" || seen
'

test_done
