#!/usr/bin/env bash
# SEMANTICS 2 through the real program: what a calendar unit of ds D finds in its input folders. Each job writes down the
# names of the partitions that it saw.
. "$(dirname "$0")/../lib.sh"

# job NAME PARTITION INPUT: a job that lists what it reads
job() {
	mkdir -p "jobs/$1" &&
		printf 'kind: script\npartition: %s\noutput: marts/%s\ninputs:\n  in: %s\n' "$2" "$1" "$3" >"jobs/$1/job.yaml" &&
		printf '#!/bin/sh\ncd "$LEAT_INPUT_in" && find . -type f | sort | sed "s,^./,," > "$LEAT_OUTPUT/seen"\n' >"jobs/$1/job.sh" &&
		chmod +x "jobs/$1/job.sh"
}

# parts REPO LABEL…: one small file in each
parts() {
	local repo=$1 d
	shift
	for d; do
		mkdir -p "in/ds=$d" && echo "$repo $d" >"in/ds=$d/f"
	done
	leat put "$repo" in && rm -r in
}

# seen NAME [DS]: what the unit of that ds found
seen() {
	leat cat "marts/$1:/${2:+ds=$2/}seen"
}

hours() { # DAY FROM TO
	local h
	for h in $(seq -f %02g "$2" "$3"); do echo "${1}T$h"; done
}

test_expect 'a workspace with inputs of each kind' '
	workspace w &&
	parts raw/hours $(hours 2018-01-01 0 23) $(hours 2018-01-02 0 4) $(hours 2018-01-02 6 23) &&
	parts raw/days $(seq -f 2018-01-%02g 1 20) &&
	parts raw/months 2017-12 2018-01 &&
	parts raw/weeks 2018-W01 2018-W02 2018-W03 2018-W04 &&
	parts tables/dim_shops 2018-01-03 2018-01-15 &&
	parts tables/fct_sales 2018-01-04 2018-01-05 &&
	echo all > whole && leat put raw/whole whole
'
test_expect 'a daily unit reads its own day, the 24 hours of it, the month around it, and a whole repo as it is' '
	cd w &&
	job d1 daily raw/days && leat run d1 2018-01-05 && eq "$(seen d1 2018-01-05)" f &&
	job d2 daily raw/hours && leat run d2 2018-01-01 && eq "$(seen d2 2018-01-01 | wc -l)" 24 &&
	job d3 daily raw/months && leat run d3 2018-01-20 && leat why d3 2018-01-20 --json > why && eq "$(json why "d[\"inputs\"][0][\"from\"]")" 2018-01 &&
	job d4 daily raw/whole && leat run d4 2018-01-20 && eq "$(seen d4 2018-01-20)" whole
'
test_expect 'a missing hour is named, the unit does not start, and the exit status is 1' '
	cd w && exits 1 leat run d2 2018-01-02 2> err && has err "raw/hours ds=2018-01-02T05" && exits 1 leat get marts/d2:/ds=2018-01-02/seen
'
test_expect 'a weekly unit reads seven days, a monthly one its days, an hourly one the day that holds it' '
	cd w &&
	job w1 weekly raw/days && leat run w1 2018-W02 && eq "$(seen w1 2018-W02 | head -1)" ds=2018-01-08/f && eq "$(seen w1 2018-W02 | wc -l)" 7 &&
	job h1 hourly raw/days && leat run h1 2018-01-05T13 && leat why h1 2018-01-05T13 --json > why &&
	eq "$(json why "d[\"inputs\"][0][\"from\"]")" 2018-01-05 &&
	job m1 monthly raw/days && exits 1 leat run m1 2018-01 2> err && has err "ds=2018-01-21" "10 more"
'
test_expect 'kinds that do not nest are an error at the place of the input, which asks for a window' '
	cd w && job m2 monthly raw/weeks && exits 2 leat run m2 2018-01 2> err && has err jobs/m2/job.yaml:5 window &&
	job m2 monthly "{repo: raw/weeks, window: [0, 0]}" && leat run m2 2018-01 && eq "$(seen m2 2018-01 | wc -l)" 4
'
test_expect 'of a dim_ the newest snapshot not after the ds is read, of a fct_ the own day' '
	cd w &&
	job s1 daily tables/dim_shops && leat run s1 2018-01-14 && leat why s1 2018-01-14 --json > why &&
	eq "$(json why "d[\"inputs\"][0][\"from\"]")" 2018-01-03 &&
	leat run s1 2018-01-15 && leat why s1 2018-01-15 --json > why && eq "$(json why "d[\"inputs\"][0][\"from\"]")" 2018-01-15 &&
	exits 1 leat run s1 2018-01-02 2> err && has err "tables/dim_shops ds=2018-01-02" &&
	job s2 daily tables/fct_sales && leat run s2 2018-01-05 && leat why s2 2018-01-05 --json > why &&
	eq "$(json why "len(d[\"inputs\"][0][\"files\"])")" 1
'
test_expect 'leat.yaml may say that a table is a dim' '
	cd w && printf "tables: {raw/months: dim}\n" >> leat.yaml && job s3 daily raw/months && leat run s3 2019-05-05 &&
	leat why s3 2019-05-05 --json > why && eq "$(json why "d[\"inputs\"][0][\"from\"]")" 2018-01
'
test_expect 'a window reads more, skips what lies before the first partition, and names a hole after it' '
	cd w &&
	job x1 daily "{repo: raw/days, window: [-6, 0]}" && leat run x1 2018-01-10 && eq "$(seen x1 2018-01-10 | wc -l)" 7 &&
	leat run x1 2018-01-03 && eq "$(seen x1 2018-01-03 | wc -l)" 3 &&
	exits 1 leat run x1 2018-01-21 2> err && has err "raw/days ds=2018-01-21" &&
	leat rm -r raw/days:/ds=2018-01-18 && exits 1 leat run x1 2018-01-20 2> err && has err "raw/days ds=2018-01-18" &&
	job x2 none raw/days && leat run x2 && eq "$(seen x2 | wc -l)" 19
'
test_expect 'optional: takes what is there; nothing is an empty folder' '
	cd w &&
	job o1 daily "{repo: raw/days, optional: true}" && leat run o1 2018-01-18 && eq "$(seen o1 2018-01-18)" "" &&
	job o2 daily "{repo: raw/absent, optional: true}" && leat run o2 2018-01-18 && eq "$(seen o2 2018-01-18)" "" &&
	job o3 daily "{repo: raw/days, optional: true, window: [-2, 0]}" && leat run o3 2018-01-19 && eq "$(seen o3 2018-01-19 | wc -l)" 2
'
test_expect 'a range runs the days whose input is there, names the others, and exits with 1' '
	cd w && exits 1 leat run d1 2018-01-17..2018-01-19 2> err && has err "raw/days ds=2018-01-18" &&
	seen d1 2018-01-17 && seen d1 2018-01-19 && exits 1 leat cat marts/d1:/ds=2018-01-18/seen
'
test_expect 'late data makes only its day stale; leat run takes it' '
	cd w && leat run && leat plan > before && has before "nothing to run" &&
	echo late > f && leat put raw/days f --ds 2018-01-17 && leat plan > plan &&
	lacks plan "2018-01-16 " && has plan "raw/days ds=2018-01-17 changed" && leat run && leat plan > after && has after "nothing to run"
'
test_expect 'a deleted input leaves the partition, shown as input gone' '
	cd w && leat rm -r raw/days:/ds=2018-01-05 && leat run && seen d1 2018-01-05 && leat why d1 2018-01-05 --json > why &&
	eq "$(json why "d[\"state\"]")" input-gone
'
test_done
