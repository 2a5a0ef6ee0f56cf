#!/usr/bin/env bash
# A run over the events of data-driven jobs, killed at each point: run again, the commits are those of a run that was not.
# Then run, wait, put --run, batch, apply, lazy inputs, batches of units and egress to each kind of target (the table in data.py), killed at points and at random moments, and again.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"
needs_faults

# Two jobs one after the other, and three changes that they have not taken: files that come, change and go.
prepare() {
	workspace "$1" && job one "/*" in 'cp $LEAT_INPUT_in/* $LEAT_OUTPUT/' && job two / one 'ls $LEAT_INPUT_in >$LEAT_OUTPUT/list' &&
		echo 1 >a && leat put in a && leat run -q && echo 2 >b && leat put in b && echo 3 >a && echo 4 >c && leat put in a c && leat rm in:/b
}
# What it comes to: the same ids in all three repos, what each commit of the last one lists, and a sound store.
is_right() {
	eq "$(ids one | head -n 3)" "$(ids in | head -n 3)" && eq "$(ids two | head -n 3)" "$(ids in | head -n 3)" && count 4 leat log one --json && count 4 leat log two --json &&
		eq "$(leat cat two@master.2:/list | tr '\n' ' ')" "a b " && eq "$(leat cat two@master.3:/list | tr '\n' ' ')" "a b c " &&
		eq "$(leat cat two:/list | tr '\n' ' ')" "a c " && eq "$(leat cat one:/a)" 3 && eq "$(cat datastore/one/c)" 4 && leat fsck >fsck.out
}

test_expect 'a run that is not killed gives a commit for each change' '
	prepare whole && leat run -q && is_right
'
for point in data-leased unit-intent-recorded unit-task-ended unit-output-ingested publish-synced publish-recorded publish-head-moved \
	publish-before-commit publish-committed publish-shown commit-made; do
	test_expect "killed at $point: run again, the same commits, each change taken once" '
		prepare '"$point"' && got=0 && { LEAT_CRASH_AT='"$point"' leat run -q || got=$?; } && [ $got -ge 128 ] && leat run -q && is_right
	'
done
test_expect 'killed at the second change, after the first was published: it is not taken again' '
	prepare second && got=0 && { LEAT_CRASH_AT=publish-head-moved:4 leat run -q || got=$?; } && { [ $got -ge 128 ] || [ $got = 0 ]; } && leat run -q && is_right
'
test_expect "run, wait, put --run, batch, apply and egress, killed ${LEAT_TEST_CRASHES:-1} times at each point, and again: the same commits" '
	python3 "$TESTS/fault/data.py" "$LEAT_BIN" points ${LEAT_TEST_CRASHES:-1} ${LEAT_TEST_SEED:-1}
'
# A look for leaks that is killed in its midst says so, and a report fails the script.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
test_expect "${LEAT_TEST_KILLS:-20} kills of them at random moments, up to three in a row, and again: the same commits" '
	python3 "$TESTS/fault/data.py" "$LEAT_BIN" kills ${LEAT_TEST_KILLS:-20} ${LEAT_TEST_SEED:-1}
'
test_done
