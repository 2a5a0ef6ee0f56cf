#!/usr/bin/env bash
# The clock of the daemon, virtual, with real processes: each slot starts its job once, whatever happens to the clock, the
# machine and the job's file.
. "$(dirname "$0")/../lib.sh"

job() { # NAME PARTITION SCHEDULE [key line...]
	mkdir -p "jobs/$1" && printf 'kind: script\noutput: tables/%s\npartition: %s\nschedule: %s\n' "$1" "$2" "$3" > "jobs/$1/.new" &&
	printf '%s\n' "${@:4}" >> "jobs/$1/.new" && { [ -e "jobs/$1/job.sh" ] || printf 'echo $DS > $LEAT_OUTPUT/f\n' > "jobs/$1/job.sh"; } && mv "jobs/$1/.new" "jobs/$1/job.yaml"
}
slots() { # JOB: SLOT/DS of all its requests by the clock, ! where it was skipped, ? where it has not ended well
	python3 -c 'import sqlite3, sys, datetime
q = "select slot, ds, state from request where kind = ? and job = ? order by id"
print(" ".join(datetime.datetime.fromtimestamp(s, datetime.timezone.utc).strftime("%m-%dT%H:%M") + "/" + ds + {"success": "", "skipped": "!"}.get(st, "?") for s, ds, st in sqlite3.connect(".leat/leat.db").execute(q, ("schedule", sys.argv[1]))))' "$1"
}
are() { [ "$(slots "$1")" = "$2" ]; }
become() { wait_for 20 are "$@" || { slots "$1"; return 1; }; }
stay() { sleep 0.3; eq "$(slots "$1")" "$2"; }
down() { kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status; }
in_log() { wait_for 20 grep -qF -- "$1" .leat/logs/serve.log; }
export LEAT_CLOCK=$TRASH/clock LEAT__REQUESTS_KEEP=5000d # months go by in a second, and their slots are counted
berlin='{every: daily, timezone: Europe/Berlin}'

test_expect '30 2 * * * of Berlin: on 2026-03-29 one run at 01:00Z for the day before, with gap: skip none, and it is listed' '
	clock 2026-03-28T12:00:00Z && workspace w && job night "$berlin" "\"30 2 * * *\"" && job skips "$berlin" "{cron: \"30 2 * * *\", gap: skip}" &&
	job both "$berlin" "{cron: \"30 2 * * *\", fold: both}" && serve . && clock 2026-03-29T01:00:00Z && become night 03-29T01:00/2026-03-28 && become skips 03-29T01:00/2026-03-28! &&
	become both 03-29T01:00/2026-03-28 && [ "$(leat runs night --json | wc -l)" = 1 ] && [ "$(leat cat tables/night:/ds=2026-03-28/f)" = 2026-03-28 ] && exits 1 leat ls tables/skips
'
test_expect 'on 2026-10-25 one run at 00:30Z, with fold: both two with different ids' '
	cd w && down && rm -r jobs/skips && clock 2026-10-24T12:00:00Z && serve . && clock 2026-10-25T00:30:00Z && become both "03-29T01:00/2026-03-28 10-24T00:30/2026-10-23 10-25T00:30/2026-10-24" &&
	clock 2026-10-25T01:30:00Z && become both "03-29T01:00/2026-03-28 10-24T00:30/2026-10-23 10-25T00:30/2026-10-24 10-25T01:30/2026-10-24" &&
	stay night "03-29T01:00/2026-03-28 10-24T00:30/2026-10-23 10-25T00:30/2026-10-24" &&
	[ "$(python3 -c "import sqlite3; print(*sqlite3.connect(\".leat/leat.db\").execute(\"select count(distinct run), count(distinct event) from request where job = ? and slot > 1792886400\", (\"both\",)).fetchone())")" = "2 2" ]
'
test_expect 'an hourly job, daemon down from 09:10 to 12:40: none fires next at 13:00, last makes one run, all three in order; a second restart adds none' '
	cd w && down && rm -r jobs/* && clock 2026-11-20T08:30:00Z && for c in none last all; do job $c hourly "{cron: \"0 * * * *\", catchup: $c}"; done &&
	serve . && clock 2026-11-20T09:00:00Z && for c in none last all; do become $c 11-20T09:00/2026-11-20T08; done && clock 2026-11-20T09:10:00Z && down &&
	clock 2026-11-20T12:40:00Z && serve . && become last "11-20T09:00/2026-11-20T08 11-20T12:00/2026-11-20T11" &&
	become all "11-20T09:00/2026-11-20T08 11-20T10:00/2026-11-20T09 11-20T11:00/2026-11-20T10 11-20T12:00/2026-11-20T11" && in_log "job none: 3 slots from 2026-11-20T10:00Z to 2026-11-20T12:00Z did not fire (catchup: none)" &&
	down && clock 2026-11-20T12:45:00Z && serve . && stay all "11-20T09:00/2026-11-20T08 11-20T10:00/2026-11-20T09 11-20T11:00/2026-11-20T10 11-20T12:00/2026-11-20T11" && stay none 11-20T09:00/2026-11-20T08 &&
	clock 2026-11-20T13:00:00Z && become none "11-20T09:00/2026-11-20T08 11-20T13:00/2026-11-20T12" && [ "$(leat runs last --json | wc -l)" = 3 ]
'
test_expect 'the clock is set back: no slot fires twice' '
	cd w && clock 2026-11-20T12:30:00Z && sleep 0.2 && clock 2026-11-20T13:00:30Z && stay none "11-20T09:00/2026-11-20T08 11-20T13:00/2026-11-20T12" &&
	stay last "11-20T09:00/2026-11-20T08 11-20T12:00/2026-11-20T11 11-20T13:00/2026-11-20T12" && clock 2026-11-20T14:00:00Z && become last "11-20T09:00/2026-11-20T08 11-20T12:00/2026-11-20T11 11-20T13:00/2026-11-20T12 11-20T14:00/2026-11-20T13"
'
test_expect 'a new job with a start 3 years ago: one run, and the message says how to get the rest' '
	cd w && job old daily "{at: \"06:00\", start: 2023-11-20}" && become old 11-20T06:00/2026-11-19 &&
	in_log "job old: 1096 slots from 2023-11-20T06:00Z to 2026-11-19T06:00Z did not fire (catchup: last); leat backfill old --from 2023-11-19 --to 2026-11-18 makes what is missing" &&
	leat schedule explain old 2> err && has err "1096 slots" "leat backfill old" && [ "$(leat runs old --json | wc -l)" = 1 ]
'
test_expect 'paused for 3 days and resumed: nothing is caught up unless it is asked for; jobs and status say who is paused' '
	cd w && leat pause all old > out && has out paused && leat jobs 2> err && has err "paused: all, old" && leat status > out && has out "jobs are paused: all, old" && leat jobs --json > rows && [ "$(json rows "[r[\"job\"] for r in d if r.get(\"paused\")]")" = "[\"all\", \"old\"]" ] &&
	slots old > before && clock 2026-11-23T14:30:00Z && become last "$(slots last | cut -d" " -f 1-4) 11-23T14:00/2026-11-23T13" && same before <(slots old) && leat schedule explain old 2> err && has err "it is paused since 2026-11-20T14:00:00" &&
	leat resume old > out && has out active "2026-11-24 06:00" && stay old "$(cat before)" && clock 2026-11-24T06:00:00Z && become old "$(cat before) 11-24T06:00/2026-11-23" &&
	slots all > before && leat resume all --catchup && wait_for 20 sh -c "! leat status --json | grep -q paused" && wait_for 30 eval "[ \$(slots all | wc -w) = \$((\$(wc -w < before) + 88)) ]" && leat pause none && leat resume none --catchup 2> err && has err "catchup: none" "leat backfill"
'
test_expect 'paused: true begins paused; resumed for the first time it catches up from its start' '
	cd w && job first daily "{at: \"06:00\", start: 2026-11-22, catchup: all}" "paused: true" && leat serve --stop && serve . && stay first "" && leat schedule explain first 2> err && has err "paused: true" "leat resume first" &&
	leat resume first && become first "11-22T06:00/2026-11-21 11-23T06:00/2026-11-22 11-24T06:00/2026-11-23" && leat serve --stop && serve . && leat jobs 2> err && lacks err paused
'
test_expect 'a schedule is edited while its job runs: the running one goes on with its version, no slot before the edit fires' '
	cd w && mkdir -p jobs/edit && printf "echo old > \$LEAT_OUTPUT/f\necho begun >> $TRASH/begun\nwhile [ ! -e $TRASH/go ]; do sleep 0.05; done\n" > jobs/edit/job.sh && job edit daily "{at: \"07:00\", catchup: all}" && in_log "jobs=6" &&
	clock 2026-11-24T07:00:00Z && wait_for 20 test -s $TRASH/begun && clock 2026-11-24T10:00:00Z && printf "echo new > \$LEAT_OUTPUT/f\n" > jobs/edit/job.sh && job edit daily "{at: [\"08:00\", \"09:00\", \"11:00\"], catchup: all}" &&
	in_log "job edit: its schedule is another one now" && touch "$TRASH/go" && become edit 11-24T07:00/2026-11-23 && [ "$(leat cat tables/edit:/ds=2026-11-23/f)" = old ] && stay edit 11-24T07:00/2026-11-23 &&
	clock 2026-11-24T11:00:00Z && become edit "11-24T07:00/2026-11-23 11-24T11:00/2026-11-23" && [ "$(leat cat tables/edit:/ds=2026-11-23/f)" = new ] && [ "$(wc -l < $TRASH/begun)" = 1 ]
'
test_expect 'a job without inputs and partition runs at every slot; an hourly schedule of a daily job gives a run a slot' '
	cd w && job tick none "{every: 10m}" && printf "echo x >> $TRASH/ticks; echo a > \$LEAT_OUTPUT/f\n" > jobs/tick/job.sh && job often daily "\"0 * * * *\"" && in_log "jobs=8" && for m in 10 20 30; do
		clock 2026-11-24T12:$m:00Z && wait_for 20 eval "[ \$(grep -c x $TRASH/ticks) = ${m%0} ]" || return 1; done &&
	clock 2026-11-24T13:00:00Z && become often "11-24T12:00/2026-11-23 11-24T13:00/2026-11-23" && clock 2026-11-24T14:00:00Z && become often "11-24T12:00/2026-11-23 11-24T13:00/2026-11-23 11-24T14:00/2026-11-23" &&
	[ "$(leat runs often --json | wc -l)" = 3 ] && leat runs often > out && has out "nothing changed"
'
test_expect 'a job that is deleted fires no more; one of no schedule cannot be paused' '
	cd w && rm -r jobs/edit && slots edit > before && wait_for 20 exits 2 leat pause edit && clock 2026-11-25T12:00:00Z && become old "$(slots old | cut -d" " -f 1-2) 11-25T06:00/2026-11-24" && same before <(slots edit) &&
	printf -- "-- output: t/x\n-- partition: daily\nselect 1 as a\n" > jobs/none2.sql && exits 2 leat pause none2 2> err && has err "no schedule" && exits 2 leat resume nix 2> err && has err nix && leat serve --stop
'
test_done
