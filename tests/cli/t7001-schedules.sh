#!/usr/bin/env bash
# What a schedule can say: several of a job, every, at, offset, calendars; and what it cannot.
. "$(dirname "$0")/../lib.sh"

job() { printf -- "-- output: tables/$1\n-- partition: $2\n-- schedule: $3\nselect 1 as a\n" > jobs/$1.sql; }
slots() { # JOB option...: DUE/DS of each, with ! where it does not fire
	leat schedule sim "$@" --json > rows && json rows '" ".join(r["due"][:16] + "/" + r["ds"] + ("" if r["fires"] else "!") for r in (d if type(d) is list else [d]))' > out
}
is() { echo "$*" | cmp - out; }
bad() { # SCHEDULE WORD...: exit status 2, at the job's line 3, with the words
	job bad daily "$1" && shift && exits 2 leat schedule explain bad 2> err && has err "jobs/bad.sql:3:" "$@"
}

test_expect 'a job has several schedules, each with its zone; their slots come in order, with their names' '
	workspace w && mkdir -p jobs && job two daily "[{name: early, cron: \"0 6 * * *\"}, {cron: \"0 18 * * *\", timezone: Europe/Berlin}, \"30 6 * * *\"]" &&
	slots two --from 2026-07-01 --to 2026-07-02 && is "2026-07-01T06:00/2026-06-30 2026-07-01T06:30/2026-06-30 2026-07-01T16:00/2026-06-30" &&
	eq "$(json rows "[r[\"schedule\"] for r in d]")" "[\"early\", \"3\", \"2\"]" && leat jobs --json > out && has out "0 6 * * *; 0 18 * * *; 30 6 * * *"
'
test_expect 'every follows the time that passes, from start, else on the full hours' '
	cd w && job e hourly "{every: 90m, timezone: Europe/Berlin}" && job s hourly "{every: 90m, start: 2026-03-29T00:10}" && job a hourly "\"@every 6h\"" &&
	slots e --from 2026-03-29T00:00:00Z --to 2026-03-29T05:00:00Z && is "2026-03-29T00:00/2026-03-28T23 2026-03-29T01:30/2026-03-29T00 2026-03-29T03:00/2026-03-29T02 2026-03-29T04:30/2026-03-29T03" &&
	slots s --from 2026-03-29T00:00:00Z --to 2026-03-29T04:00:00Z && is "2026-03-29T01:40/2026-03-29T00 2026-03-29T03:10/2026-03-29T02" &&
	slots a --from 2026-03-29 --to 2026-03-30 && eq "$(wc -w < out)" 4
'
test_expect 'at is a time of each day, a time of the zone once, or an instant' '
	cd w && job t daily "{at: [\"02:30\", \"2026-03-29T02:30\", \"2026-03-28 20:00\", \"2026-03-28T20:30:00Z\"], timezone: Europe/Berlin}" &&
	slots t --from 2026-03-28T10:00:00Z --to 2026-03-30 && is "2026-03-28T19:00/2026-03-27 2026-03-28T20:30/2026-03-27 2026-03-29T01:00/2026-03-28" &&
	job once daily "{at: \"2026-10-25T02:30\", timezone: Europe/Berlin, fold: both}" && slots once --from 2026-10-01 --to 2026-11-01 &&
	is "2026-10-25T00:30/2026-10-24 2026-10-25T01:30/2026-10-24"
'
test_expect 'a daily run for a day fires at the end of that day and the offset; partitions tile: 23 hours and 25' '
	cd w && job o "{every: daily, timezone: Europe/Berlin}" "{offset: 6h}" && slots o --from 2026-03-28 --to 2026-03-31 &&
	is "2026-03-28T05:00/2026-03-27 2026-03-29T05:00/2026-03-28 2026-03-30T04:00/2026-03-29" &&
	slots o --from 2026-10-25 --to 2026-10-27 && is "2026-10-25T04:00/2026-10-24 2026-10-26T05:00/2026-10-25" &&
	job h hourly "{cron: \"@hourly\", offset: 10m}" && slots h --from 2026-03-28 --to 2026-03-28T02:00:00Z && is "2026-03-28T00:10/2026-03-27T23 2026-03-28T01:10/2026-03-28T00"
'
test_expect 'calendars: weekdays, business days with a file of holidays, the last one of a month, days taken out' '
	cd w && printf "# of 2026\n2026-12-25 Christmas Day\r\n12-26,Boxing Day\n2026-12-31\n" > hol.txt &&
	job wd daily "{at: \"06:30\", calendar: weekdays}" && slots wd --from 2026-12-25 --to 2026-12-29 &&
	is "2026-12-25T06:30/2026-12-24 2026-12-26T06:30/2026-12-25! 2026-12-27T06:30/2026-12-26! 2026-12-28T06:30/2026-12-27" &&
	job bd daily "{at: \"06:30\", calendar: {days: business-days, holidays: hol.txt, exclude: [2026-12-29, 2027-01-04..2027-01-05, \"2027-02\"]}}" &&
	slots bd --from 2026-12-24 --to 2027-01-02 && is "2026-12-24T06:30/2026-12-23 2026-12-25T06:30/2026-12-24! 2026-12-26T06:30/2026-12-25! 2026-12-27T06:30/2026-12-26!" \
		"2026-12-28T06:30/2026-12-27 2026-12-29T06:30/2026-12-28! 2026-12-30T06:30/2026-12-29 2026-12-31T06:30/2026-12-30! 2027-01-01T06:30/2026-12-31" &&
	leat schedule sim bd --from 2026-12-24 --to 2027-01-01 > out && has out "calendar: Christmas Day" "calendar: excluded" "calendar: a holiday" "calendar: business-days" &&
	slots bd --from 2027-02-01 --to 2027-03-02 && eq "$(grep -o ! out | wc -l)" 28 &&
	for c in last-business-day/2026-12-30 last-weekday/2026-12-31 first-weekday/2026-12-01 first-business-day/2026-12-01; do
		job c daily "{at: \"06:30\", calendar: {days: ${c%/*}, holidays: hol.txt}}" && slots c --from 2026-12-01 --to 2027-01-01 &&
		eq "$(tr " " "\n" < out | grep -v !)" "${c#*/}T06:30/$(date -d "${c#*/} - 1 day" +%F)" || return 1
	done
'
test_expect 'the calendar may be of the day that a partition is for' '
	cd w && job p daily "{at: \"06:30\", calendar: {days: weekdays, of: ds}}" && slots p --from 2026-12-26 --to 2026-12-30 &&
	is "2026-12-26T06:30/2026-12-25 2026-12-27T06:30/2026-12-26! 2026-12-28T06:30/2026-12-27! 2026-12-29T06:30/2026-12-28"
'
test_expect 'explain says which rule removed a slot, and those in a row for one reason once' '
	cd w && echo 2026-12-24T12:00:00Z > clock && export LEAT_CLOCK=$PWD/clock && leat schedule explain bd -n 2 --json > rows &&
	eq "$(json rows "[[r[\"due\"][8:10], r[\"fires\"], r.get(\"more\")] for r in d]")" "[[\"25\", false, null], [\"26\", false, 1], [\"28\", true, null], [\"29\", false, null], [\"30\", true, null]]" &&
	leat schedule explain bd > out 2> err && has out "Christmas Day" "and 1 more, to 2026-12-27" && has err "at 06:30 by the clock of UTC" &&
	echo 2027-06-01T12:00:00Z > clock && leat schedule explain bd > out 2> err && has err "the file of holidays knows no day after today" && unset LEAT_CLOCK
'
test_expect 'an edited file of holidays counts at once; one that is wrong is told with its line' '
	cd w && echo 2026-12-28 >> hol.txt && slots bd --from 2026-12-28 --to 2026-12-29 && is "2026-12-28T06:30/2026-12-27!" &&
	echo "Easter 2027" >> hol.txt && exits 2 leat schedule sim bd 2> err && has err "hol.txt:6:1" "Easter 2027" "2026-12-25 Christmas Day"
'
test_expect 'start and end may be times' '
	cd w && job b daily "{cron: \"0 * * * *\", timezone: Europe/Berlin, start: 2026-03-01T12:00, end: 2026-03-01T13:00:00Z}" && slots b --from 2026-03-01T10:00:00Z --to 2026-03-01T14:00:00Z &&
	is "2026-03-01T10:00/2026-02-28! 2026-03-01T11:00/2026-02-28 2026-03-01T12:00/2026-02-28 2026-03-01T13:00/2026-02-28!"
'
test_expect 'what cannot be is told with its place and what to write' '
	cd w && bad "{cron: \"0 6 * * *\", every: 1h}" "not by both" list && bad "{timezone: UTC}" "does not say when" "every: 15m" && bad "{every: 10ms}" "a second or longer" &&
	bad "{at: \"25:00\"}" "\"at\" cannot be 25:00" "06:30" && bad "{at: [2026-12-24]}" "cannot be 2026-12-24" && bad "{at: []}" "no time" &&
	bad "{at: \"06:30\", calendar: business-days}" "no file says" holidays.txt && bad "{at: \"06:30\", calendar: {holidays: no.txt}}" "no.txt, cannot be read" &&
	bad "{at: \"06:30\", calendar: {exclude: 2026-12-31..2026-12-01}}" "\"exclude\" cannot be" && bad "{at: \"06:30\", calendar: weekday}" "did you mean \"weekdays\"" &&
	bad "[{at: \"06:30\", name: a}, {every: 1h, name: a}]" "named \"a\"" && bad "{at: \"06:30\", start: soon}" "soon" 2026-01-31 &&
	bad "{at: \"06:30\", start: 2026-05-01, end: 2026-01-01}" "before its start" && bad "{at: \"06:30\", catchup: some}" catchup && bad "{at: \"06:30\", catchup: {mode: all, window: x}}" window 30d &&
	job bad none "{offset: 1h}" && exits 2 leat schedule explain bad 2> err && has err "the job has none" "partition: daily" &&
	job bad monthly "{at: \"06:30\", calendar: {days: weekdays, of: ds}}" && exits 2 leat schedule explain bad 2> err && has err "leave out of: ds"
'
test_expect 'the JSON Schema knows what a schedule may be' '
	cd w && leat config --schema job > schema && json schema "sorted(x[\"type\"] for x in d[\"properties\"][\"schedule\"][\"anyOf\"])" > out && has out array object string &&
	json schema "[sorted(x[\"properties\"]) for x in d[\"properties\"][\"schedule\"][\"anyOf\"] if x[\"type\"] == \"object\"][0]" > out && has out calendar catchup every offset
'
test_done
