#!/usr/bin/env bash
# Issue 7, part 7: work is ended, approved, paused, resumed and backfilled over HTTP, and it has the outcome that the command line gives.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

job() { # NAME KEYS COMMANDS
	mkdir -p "jobs/$1" && printf "kind: script\noutput: tables/$1\n$2\n" > "jobs/$1/job.yaml" && printf '%s\n' "$3" > "jobs/$1/job.sh"
}
state_of() { # REQUEST
	get /api/v1/runs && json body "[r[\"state\"] for r in d[\"items\"] if r.get(\"request\") == $1 or r.get(\"run\") == \"r$1\"]"
}
db() { # QUERY
	python3 -c 'import sqlite3, sys; print(" ".join(str(x) for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True).execute(sys.argv[1]) for x in r))' "$1"
}
is() { [ "$(db "$1")" = "$2" ]; }

test_expect 'POST cancel ends a task that runs, and leaves no process of it' '
	workspace w && job long "partition: none" "echo \$\$ > $TRASH/pid; sleep 1000" && job days "partition: daily" "echo \$DS > \$LEAT_OUTPUT/f" && job ask "partition: none
approve: true" "echo 1 > \$LEAT_OUTPUT/f" && job tick "partition: none
schedule: {every: 1h}" "echo 1 > \$LEAT_OUTPUT/f" && export LEAT_CLOCK=$PWD/clock && clock 2026-03-01T00:30:00Z && serve . &&
	post /api/v1/run "{\"job\": \"long\"}" -H "Idempotency-Key: l" && wait_for 60 test -s "$TRASH/pid" && post /api/v1/cancel "{\"id\": \"long\"}" &&
	wait_for 60 is "select state from request where job = '"'long'"'" cancelled && wait_for 20 eval "! kill -0 \$(cat $TRASH/pid) 2>/dev/null" && exits 1 leat cat tables/long:/f
'

test_expect 'POST approve lets go what waits for a person, and keeps who said so' '
	cd w && post /api/v1/run "{\"job\": \"ask\"}" -H "Idempotency-Key: a" && r=$(json body "d[\"requests\"][0]") && wait_for 60 is "select held from request where id = $r" approval && exits 1 leat cat tables/ask:/f &&
	post /api/v1/approve "{\"id\": \"r$r\", \"because\": \"looked at it\"}" && wait_for 60 is "select state from request where id = $r" success && leat cat tables/ask:/f && db "select approved from request where id = $r" | grep -q "looked at it" &&
	asked POST /api/v1/approve 409 -H "$(token)" -H "Content-Type: application/json" -d "{\"id\": \"r$r\"}" || asked POST /api/v1/approve 404 -H "$(token)" -H "Content-Type: application/json" -d "{\"id\": \"r$r\"}"
'

test_expect 'POST pause stops the clock for a job, POST resume starts it again' '
	cd w && post /api/v1/pause "{\"job\": [\"tick\"]}" && clock 2026-03-01T01:30:00Z && post /api/v1/run "{\"job\": \"days\", \"ds\": \"2026-01-01\"}" -H "Idempotency-Key: d" && wait_for 60 is "select state from request where job = '"'days'"'" success &&
	is "select count(*) from request where job = '"'tick'"'" 0 && post /api/v1/resume "{\"job\": [\"tick\"]}" && sleep 1 && clock 2026-03-01T02:00:00Z && wait_for 60 is "select strftime('"'%H:%M'"', slot, '"'unixepoch'"'), state from request where job = '"'tick'"'" "02:00 success"
'

test_expect 'POST backfill makes the days that are missing; with detach they are rows that the daemon carries out' '
	cd w && post /api/v1/backfill "{\"job\": \"days\", \"from\": \"2026-01-01\", \"to\": \"2026-01-04\", \"mode\": \"missing\", \"detach\": true}" &&
	wait_for 60 is "select count(*) from request where kind = '"'backfill'"' and state = '"'success'"'" 3 && eq "$(leat cat tables/days:/ds=2026-01-04/f)" 2026-01-04 &&
	post /api/v1/backfill "{\"job\": \"days\", \"from\": \"2026-01-01\", \"to\": \"2026-01-05\", \"mode\": \"missing\"}" && wait_for 60 is "select count(*) from request where kind = '"'backfill'"' and state = '"'success'"'" 4 && leat cat tables/days:/ds=2026-01-05/f
'

test_expect 'each of them needs the token, and says what is not there' '
	cd w && for o in cancel approve pause resume backfill rerun; do asked POST /api/v1/$o 401 -H "Content-Type: application/json" -d "{}" || return 1; asked GET /api/v1/$o 405 || return 1; done &&
	asked POST /api/v1/pause 404 -H "$(token)" -H "Content-Type: application/json" -d "{\"job\": [\"nope\"]}" && asked POST /api/v1/cancel 404 -H "$(token)" -H "Content-Type: application/json" -d "{\"id\": \"nope\"}"
'

test_done
