#!/usr/bin/env bash
# A run of units (ds, file) that is killed at each point, and at any moment: run again, the same final commits.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"
needs_faults

# Two days and two files, taken; then a file, a day and late data that are not.
prepare() {
	workspace "$1" && mkdir -p jobs/score &&
		printf 'kind: script\npartition: daily\ninputs:\n  trips: raw/trips\n  models: {repo: models, glob: "/*"}\n' >jobs/score/job.yaml &&
		printf '#!/bin/sh\nset -e\n[ "$DS $(cat $models)" != "2018-01-02 bad" ] || exit 3\necho "$DS $(cat $LEAT_INPUT_trips/* $models)" >$LEAT_OUTPUT/$(basename $models)\n' >jobs/score/job.sh &&
		echo 1 >t && leat put raw/trips t --ds 2018-01-01 && leat put raw/trips t --ds 2018-01-02 && echo a >a && echo b >b && leat put models a b && leat run -q &&
		echo c >c && leat put models c && echo 2 >t && leat put raw/trips t --ds 2018-01-03 && leat put raw/trips t --ds 2018-01-01 && leat rm models:/b
}
# Each change made one commit under its id, and the days are as they shall be.
is_right() {
	eq "$(ids score | head -n 4 | sort)" "$({ ids models | head -n 2; ids raw/trips | head -n 2; } | sort)" && count 5 leat log score --json &&
		eq "$(leat ls -R score | tr '\n' ' ')" "/ds=2018-01-01/a /ds=2018-01-01/c /ds=2018-01-02/a /ds=2018-01-02/c /ds=2018-01-03/a /ds=2018-01-03/c " &&
		eq "$(leat cat score:/ds=2018-01-01/a)" "2018-01-01 2
a" && eq "$(leat cat score:/ds=2018-01-02/c)" "2018-01-02 1
c" && eq "$(cat datastore/score/ds=2018-01-03/c)" "2018-01-03 2
c" && leat fsck >fsck.out
}
test_expect 'a run that is not killed gives a commit for each change' '
	prepare whole && leat run -q && is_right
'
for point in data-leased unit-intent-recorded unit-output-ingested publish-synced publish-recorded publish-head-moved publish-before-commit publish-committed publish-shown; do
	test_expect "killed at $point: run again, the same commits" '
		prepare '"$point"' && got=0 && { LEAT_CRASH_AT='"$point"' leat run -q || got=$?; } && [ $got -ge 128 ] && leat run -q && is_right
	'
done
# A look for leaks that is killed in its midst says so, and a report fails the script.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
test_expect 'killed at any moment, again and again: the same commits' '
	for ms in 2 15 30 50 70 90 120; do
		prepare any$ms && for again in 1 2; do timeout -s KILL 0.$(printf %03d $ms) "$LEAT_BIN" run -q 2>/dev/null 9>&- || true; done && leat run -q && is_right && cd .. || exit 1
	done
'
test_expect 'a day that fails, killed where the others are published: again, that day alone is as it was' '
	prepare bad && printf bad >d && leat put models d && got=0 && { LEAT_CRASH_AT=publish-head-moved:5 leat run -q 2>/dev/null || got=$?; } && [ $got -ge 128 ] && exits 1 leat run -q 2>/dev/null &&
	eq "$(leat ls -R score | grep -c /d)" 8 && eq "$(leat ls -R score | grep "/d$" | tr "\n" " ")" "/ds=2018-01-01/d /ds=2018-01-03/d " && leat fsck >fsck.out
'
test_done
