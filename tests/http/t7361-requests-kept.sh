#!/usr/bin/env bash
# Issue 7: what was asked for is remembered for a time; no slot fires twice for that.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

requests() { # WHERE: how many
	python3 -c 'import sqlite3, sys; print(sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True).execute("select count(*) from request where " + sys.argv[1]).fetchone()[0])' "$1"
}
are() { # NUMBER WHERE
	[ "$(requests "$2")" = "$1" ]
}
swept() { grep -c 'let go' .leat/logs/serve.log || :; }

test_expect 'requests that ended are let go by their age; the last of each job, and the last slot of each schedule, stay' '
	workspace w && for j in tick other; do mkdir -p jobs/$j && printf "kind: script\npartition: none\noutput: tables/$j\n" > jobs/$j/job.yaml && printf "echo 1 > \$LEAT_OUTPUT/f\n" > jobs/$j/job.sh || return 1; done &&
	printf "schedule: {every: 1h, catchup: all}\n" >> jobs/tick/job.yaml && export LEAT_CLOCK=$PWD/clock LEAT__REQUESTS_KEEP=1d && clock 2026-01-01T00:30:00Z && serve . &&
	clock 2026-01-01T05:30:00Z && wait_for 60 are 5 "slot is not null and state = '"'success'"'" &&
	post /api/v1/run "{\"job\": \"other\"}" -H "Idempotency-Key: one" && post /api/v1/run "{\"job\": \"other\"}" -H "Idempotency-Key: two" && wait_for 60 are 2 "kind = '"'api'"' and finished is not null" && leat serve --stop
'

test_expect 'a clock that jumps ahead ages nothing by itself' '
	cd w && export LEAT_CLOCK=$PWD/clock LEAT__REQUESTS_KEEP=1d && printf "kind: script\npartition: none\noutput: tables/tick\nschedule: {every: 1h, catchup: none}\n" > jobs/tick/job.yaml && clock 2026-03-01T00:30:00Z && serve . && sleep 2.5 &&
	eq "$(requests "slot is not null and state = '"'success'"'")" 5 && eq "$(swept)" 0
'

test_expect 'with the next thing that is asked for they go' '
	cd w && export LEAT_CLOCK=$PWD/clock LEAT__REQUESTS_KEEP=1d && post /api/v1/run "{\"job\": \"other\"}" -H "Idempotency-Key: three" && wait_for 60 are 3 "kind = '"'api'"' and finished is not null" &&
	leat serve --stop && serve . && wait_for 30 are 1 "slot is not null and state = '"'success'"'" && are 1 "slot = strftime('"'%s'"', '"'2026-01-01T05:00:00Z'"')" && are 1 "kind = '"'api'"'" && are 1 "idem = '"'api:three'"'" &&
	wait_for 20 grep -q "let go.* requests=6" .leat/logs/serve.log
'

test_expect 'the clock set back over the slot that stayed fires it not again' '
	cd w && export LEAT_CLOCK=$PWD/clock LEAT__REQUESTS_KEEP=1d && runs=$(leat runs tick --json | wc -l) && leat serve --stop && clock 2026-01-01T04:59:00Z && serve . && clock 2026-01-01T05:00:01Z &&
	post /api/v1/run "{\"job\": \"other\"}" -H "Idempotency-Key: four" && wait_for 60 are 1 "idem = '"'api:four'"' and finished is not null" &&
	are 1 "slot = strftime('"'%s'"', '"'2026-01-01T05:00:00Z'"')" && are 1 "job = '"'tick'"' and slot is not null" && eq "$(leat runs tick --json | wc -l)" "$runs"
'

test_expect 'how long is a duration, or is told with its place' '
	cd w && printf "requests_keep: soon\n" > leat.yaml && exits 2 leat ls 2> err && has err "leat.yaml:1:16" && printf "requests_keep: 30d\n" > leat.yaml && leat ls
'

test_done
