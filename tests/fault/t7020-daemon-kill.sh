#!/usr/bin/env bash
# kill -9 of the daemon, of its runners, or of both, at random moments while data comes and slots are due; each time a new
# daemon takes over (LEAT_TEST_KILLS of them).
. "$(dirname "$0")/../lib.sh"
KILLS=${LEAT_TEST_KILLS:-12}
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
RANDOM=${LEAT_TEST_SEED:-1}

rows() { # QUERY: of leat.db, fields parted by blanks
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
runners() { pgrep -f -- "--role runner $TRASH/w " || true; }
kill_some() { # daemon, runner, both
	local p
	case $1 in runner) ;; *) p=$(daemon_pid .) && kill -9 "$p" && wait_for 20 exits 1 kill -0 "$p" ;; esac
	case $1 in daemon) ;; *) for p in $(runners); do kill -9 "$p" 2>/dev/null; done ;; esac
	return 0
}
minute() { date -u -d "2026-03-10 UTC + $1 minutes" +%Y-%m-%dT%H:%M:00Z; }
quiet() { [ "$(rows 'select count(*) from request where finished is null')" = 0 ] && [ -z "$(runners)" ]; }

test_expect 'a workspace in which a file comes and a slot is due at each turn' '
	minute 0 > "$TRASH/clock" && export LEAT_CLOCK=$TRASH/clock && workspace w &&
	mkdir -p jobs/up jobs/tick jobs/after &&
	printf "kind: script\ninputs: {raw: {repo: raw/x, glob: /*}}\noutput: tables/up\n" > jobs/up/job.yaml &&
	printf "sleep 0.0\$((RANDOM %% 9))\nfor f in \$LEAT_INPUT_raw/*; do cp \$f \$LEAT_OUTPUT/; done\n" > jobs/up/job.sh &&
	printf "kind: script\npartition: hourly\noutput: tables/tick\nschedule: {cron: \"0 * * * *\", catchup: all}\n" > jobs/tick/job.yaml &&
	printf "sleep 0.0\$((RANDOM %% 9))\necho \$DS > \$LEAT_OUTPUT/f\n" > jobs/tick/job.sh &&
	printf "kind: script\npartition: hourly\ninputs: {tick: tables/tick}\noutput: tables/after\n" > jobs/after/job.yaml &&
	printf "cp \$LEAT_INPUT_tick/f \$LEAT_OUTPUT/ || cp \$LEAT_INPUT_tick/*/f \$LEAT_OUTPUT/\n" > jobs/after/job.sh &&
	serve .
'

test_expect "kills 1 to $KILLS: whoever was killed, a new daemon takes over and refuses nobody" '
	cd w && for ((k = 1; k <= KILLS; k++)); do
		echo "$k" > f && leat put "raw/x:/f$k" f && minute $((k * 60)) > "$TRASH/clock.new" && mv "$TRASH/clock.new" "$TRASH/clock" &&
		sleep "0.$((RANDOM % 3))$((RANDOM % 10))" &&
		case $((RANDOM % 3)) in 0) who=daemon ;; 1) who=runner ;; *) who=both ;; esac &&
		kill_some $who && { [ $who = runner ] || serve .; }
	done
'

test_expect 'every file and every slot has its effect, exactly once, and nothing is left over' '
	cd w && wait_for 120 quiet && leat serve --stop &&
	[ "$(leat ls tables/up --json | wc -l)" = $KILLS ] &&
	[ "$(leat ls tables/tick --json | wc -l)" = $KILLS ] && [ "$(leat ls tables/after --json | wc -l)" = $KILLS ] &&
	[ "$(leat log tables/tick --json | wc -l)" = $KILLS ] && [ "$(leat log tables/after --json | wc -l)" = $KILLS ] &&
	[ "$(rows "select count(*) from request where state <> '\''success'\''")" = 0 ] &&
	[ -z "$(rows "select job, ds, datum, global_id from unit where state = '\''success'\'' and original is null group by 1, 2, 3, 4 having count(*) > 1")" ] &&
	leat fsck && [ "$(leat plan --json | grep -c "\"runs\":true")" = 0 ]
'

test_done
