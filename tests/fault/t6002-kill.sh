#!/usr/bin/env bash
# kill -9 at random moments of a run, each followed by reads, fsck and a re-run (LEAT_TEST_KILLS of them).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/fault/lib-run.sh"
WITH_SQL=0
KILLS=${LEAT_TEST_KILLS:-200}
# A look for leaks that is killed in its midst says so, and a report fails the script.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
RANDOM=${LEAT_TEST_SEED:-1}

test_expect 'a pipeline of two scripts, and how long a run of it takes' '
	make_pipeline template && cp -a template w && cd w && t0=$(date +%s%N) &&
	leat run two 2018-01-01..2018-01-03 -u -j 2 && SPAN=$((($(date +%s%N) - t0) / 1000)) && test $SPAN -gt 0
'

kills() { # FROM TO: the workspace is kept over a few kills, so that they meet what others left
	local i p
	for ((i = $1; i < $2; i++)); do
		if ((i % 4 == 0)); then rm -rf "$TRASH/w" && cp -a "$TRASH/template" "$TRASH/w" || return 1; fi
		cd "$TRASH/w" || return 1
		sed -i "s/{v: [0-9]*}/{v: $i}/" jobs/one/job.yaml
		"$LEAT_BIN" run two 2018-01-01..2018-01-03 -u -j 2 >kill.out 2>&1 9>&- &
		p=$!
		sleep "$(printf '0.%06d' $((RANDOM * SPAN * 12 / 10 / 32768)))"
		kill -9 $p 2>/dev/null
		wait $p 2>/dev/null
		consistent || { echo "after kill $i" && cat kill.out && return 1; }
		((i % 4 != 3)) || { LOOSE=1 ends_right || { echo "the re-run after kill $i" && return 1; }; }
	done
}

for ((k = 0; k < KILLS; k += 40)); do
	test_expect "kills $k to $((k + 40 < KILLS ? k + 40 : KILLS)): acknowledged commits are there, nothing half is visible, the re-run ends right" "
		kills $k $((k + 40 < KILLS ? k + 40 : KILLS))
	"
done
test_done
