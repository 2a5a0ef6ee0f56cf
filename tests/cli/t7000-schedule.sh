#!/usr/bin/env bash
# When the clock starts a job: slots, the partition that each is for, and what the change to summer time does to them.
. "$(dirname "$0")/../lib.sh"

slots() { # JOB option...: DUE/DS of each, with ! where it does not fire
	leat schedule sim "$@" --json > rows && json rows '" ".join(r["due"][:16] + "/" + r["ds"] + ("" if r["fires"] else "!") for r in (d if type(d) is list else [d]))'
}

test_expect 'a workspace with jobs by the clock of Berlin' '
	workspace w && mkdir -p jobs &&
	job() { printf -- "-- output: tables/$1\n-- partition: {every: $2, timezone: Europe/Berlin}\n-- schedule: $3\nselect 1 as a\n" > jobs/$1.sql; } &&
	job night daily "\"30 2 * * *\"" && job skips daily "{cron: \"30 2 * * *\", gap: skip}" &&
	job both daily "{cron: \"30 2 * * *\", fold: both}" && job hourly hourly "\"0 * * * *\"" && job yearly daily "\"@yearly\"" &&
	job ends daily "{cron: \"0 6 * * *\", start: 2026-03-02, end: 2026-03-03}"
'
test_expect 'what the clock leaves out fires at the change, for the day before' '
	cd w && slots night --from 2026-03-28 --to 2026-03-31 > out &&
	echo "2026-03-28T01:30/2026-03-27 2026-03-29T01:00/2026-03-28 2026-03-30T00:30/2026-03-29" | cmp - out
'
test_expect 'with gap: skip it does not, and is listed' '
	cd w && slots skips --from 2026-03-28 --to 2026-03-31 > out &&
	echo "2026-03-28T01:30/2026-03-27 2026-03-29T01:00/2026-03-28! 2026-03-30T00:30/2026-03-29" | cmp - out &&
	leat schedule sim skips --from 2026-03-29 --to 2026-03-30 > out && has out "gap: skip" "2026-03-29T02:30"
'
test_expect 'what the clock shows twice fires the first time, or both' '
	cd w && slots night --from 2026-10-25 --to 2026-10-26 > out && echo "2026-10-25T00:30/2026-10-24" | cmp - out &&
	slots both --from 2026-10-25 --to 2026-10-26 > out && echo "2026-10-25T00:30/2026-10-24 2026-10-25T01:30/2026-10-24" | cmp - out
'
test_expect 'an hourly job has 23 slots on the short day and 25 on the long one, an hour apart, each for another hour' '
	cd w && for day in "29 30 03 23" "25 26 10 25"; do
		set -- $day
		leat schedule sim hourly --from 2026-$3-$1 --to 2026-$3-$2 --json > out && eq "$(wc -l < out)" $4 &&
		eq "$(json out "len({r[\"ds\"] for r in d})")" $4 &&
		eq "$(json out "{(int(b[\"due\"][11:13]) - int(a[\"due\"][11:13])) % 24 for a, b in zip(d, d[1:])} == {1}")" true || return 1
	done
'
test_expect 'start and end bound it, and --to is not included' '
	cd w && slots ends --from 2026-03-01 --to 2026-03-06 > out &&
	echo "2026-03-01T05:00/2026-02-28! 2026-03-02T05:00/2026-03-01 2026-03-03T05:00/2026-03-02 2026-03-04T05:00/2026-03-03! 2026-03-05T05:00/2026-03-04!" | cmp - out &&
	slots ends --from 2026-03-02T05:00:00Z --to 2026-03-03T05:00:00Z > out && echo "2026-03-02T05:00/2026-03-01" | cmp - out
'
test_expect 'explain tells the rules and the next slots, by the virtual clock' '
	cd w && echo 2026-03-27T12:00:00Z > clock && export LEAT_CLOCK=$PWD/clock && leat schedule explain night -n 2 > out 2> err &&
	leat schedule explain night -n 2 --json > rows && eq "$(json rows "[r[\"due\"][8:10] for r in d]")" "[\"28\", \"29\"]" &&
	has err "30 2 * * *" "Europe/Berlin" "2026-03-29T01:00:00" "gap: run-at-transition" && has out "2026-03-28" &&
	leat schedule explain hourly > out 2> err && has err "time that passes" &&
	echo 2027-01-01T00:00:00Z > clock && leat schedule explain ends > out 2> err && has err "it has ended" && ! test -s out
'
test_expect 'it starts nothing and changes nothing' '
	cd w && unset LEAT_CLOCK && state . > ../before && leat schedule sim night > /dev/null && leat schedule explain night > /dev/null && state . > ../after && same ../before ../after
'
test_expect 'a job without a schedule, words that are none and times that cannot be are told' '
	cd w && printf -- "-- output: t/x\n-- partition: daily\nselect 1 as a\n" > jobs/none.sql &&
	exits 2 leat schedule explain none 2> err && has err "no schedule" "jobs/none.sql" &&
	exits 2 leat schedule when night 2> err && has err "sim" &&
	exits 2 leat schedule sim night --from soon 2> err && has err "is no time" &&
	exits 2 leat schedule sim night --from 2026-03-29 --to 2026-03-29 2> err && has err "not after" &&
	exits 2 leat schedule explain night --from 2026-03-29 2> err && has err "schedule sim night" &&
	leat schedule sim yearly --from 2026-03-01 --to 2026-03-02 > out 2> err && has err "no slot"
'
test_done
