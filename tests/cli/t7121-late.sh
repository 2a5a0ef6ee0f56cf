#!/usr/bin/env bash
# Data of a past day that comes late, under the daemon.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [key line...]
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\ninputs: [%s]\noutput: tables/%s\n' "$2" "$1" >"jobs/$1/.new" && printf '%s\n' "${@:3}" >>"jobs/$1/.new" && printf 'cat $LEAT_INPUT_%s/*/* $LEAT_INPUT_%s/* 2>/dev/null >$LEAT_OUTPUT/f; true\n' "${2#*/}" "${2#*/}" >"jobs/$1/job.sh" && mv "jobs/$1/.new" "jobs/$1/job.yaml"
}
export LEAT_CLOCK=$TRASH/clock
put() { echo "$2" >in && leat put raw/in in --ds "$1"; }
is() { eq "$(leat cat "tables/$1:/ds=$2/f")" "$3" >/dev/null; }

test_expect 'late: run makes the day again under the daemon, and with it what stands below; report leaves it, and status tells' '
	clock 2026-03-02T12:00:00Z && workspace w && job taken raw/in "schedule: \"0 1 * * *\"" "late: run" && job told raw/in "schedule: \"0 1 * * *\"" && job below tables/taken && put 2026-03-01 one && put 2026-03-02 one &&
	serve . && clock 2026-03-03T01:00:00Z && wait_for 20 is taken 2026-03-02 one && wait_for 20 is told 2026-03-02 one && wait_for 20 is below 2026-03-02 one &&
	put 2026-03-02 two && wait_for 20 is taken 2026-03-02 two && wait_for 20 is below 2026-03-02 two && is told 2026-03-02 one && leat plan told >out && has out "input" && leat status >st && has st "stale or missing"
'
test_expect 'what was never made is not made by it, and nothing is made twice' '
	cd w && sleep 0.5 && exits 1 leat ls tables/taken:/ds=2026-03-01 && exits 1 leat ls tables/below:/ds=2026-03-01 && count 2 leat runs taken --json && count 2 leat runs below --json
'
test_expect 'data that came while no daemon was there is taken when it starts' '
	cd w && kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status && put 2026-03-02 three && serve . && wait_for 20 is taken 2026-03-02 three && wait_for 20 is below 2026-03-02 three && count 3 leat runs taken --json
'
test_expect 'a paused job takes none' '
	cd w && leat pause taken && put 2026-03-02 four && sleep 1 && is taken 2026-03-02 three && leat resume taken && put 2026-03-01 x && wait_for 20 is taken 2026-03-02 four
'
test_done
