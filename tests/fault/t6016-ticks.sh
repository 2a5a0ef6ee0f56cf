#!/usr/bin/env bash
# A run that makes ticks of a clock and moves branches by triggers, killed at each point: run again, the commits are those of a run that was not.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"
needs_faults
export LEAT_CLOCK=$TRASH/clock

# Three ticks that are due, each of which the job takes, and whose output is followed by a branch after two commits.
prepare() {
	echo 2026-01-01T10:30:00Z >"$LEAT_CLOCK" && workspace "$1" && mkdir -p jobs/t && printf 'kind: script\noutputBranch: staging\ninput:\n  cron: {name: tick, spec: "@every 1h"}\n' >jobs/t/job.yaml &&
		printf '#!/bin/sh\ncp -r /pfs/tick/* $LEAT_OUTPUT/\n' >jobs/t/job.sh && job after / t 'ls $LEAT_INPUT_in >$LEAT_OUTPUT/list' && leat run -q && touch f && leat put t@none f 2>/dev/null || :
	leat run -q && echo 2026-01-01T13:30:00Z >"$LEAT_CLOCK"
}
is_right() {
	count 3 leat log t_tick --json && count 3 leat log t@staging --json && eq "$(ids t@staging)" "$(ids t_tick)" &&
		eq "$(files t@staging)" "/2026-01-01T11:30:00Z /2026-01-01T12:30:00Z /2026-01-01T13:30:00Z " && leat fsck >fsck.out
}
test_expect 'a run that is not killed makes each tick once, and its commit' '
	prepare whole && leat run -q && is_right
'
for point in ticks-made commit-made data-leased publish-head-moved publish-committed; do
	test_expect "killed at $point: run again, each tick once, the same commits" '
		prepare '"$point"' && got=0 && { LEAT_CRASH_AT='"$point"' leat run -q || got=$?; } && [ $got -ge 128 ] && leat run -q && is_right
	'
done
# Four puts of which the second and fourth move what the job reads.
test_expect 'puts that move a branch by its trigger, killed in the transaction: both branches or none; and again' '
	workspace two && touch a b && leat put in@other a && leat branch in@master --trigger staging --trigger-commits 2 && leat put in@staging a && got=0 &&
	{ LEAT_CRASH_AT=commit-made leat put in@staging b || got=$?; } && [ $got -ge 128 ] && count 0 leat log in --json && count 1 leat log in@staging --json && leat put in@staging b && eq "$(ids in)" "$(ids in@staging)"
'
test_done
