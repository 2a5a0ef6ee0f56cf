#!/usr/bin/env bash
# kill -9 at random moments of put, start, finish, squash, drop and gc with re-pack, several processes at once, with a
# journal outside of the store of what was acknowledged (LEAT_TEST_KILLS of them).
. "$(dirname "$0")/../lib.sh"
KILLS=${LEAT_TEST_KILLS:-200}
# A look for leaks that is killed in its midst says so, and a report fails the script.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0

test_expect "$KILLS kills: all that was acknowledged reads back with its hash, and nothing else; fsck finds nothing; gc leaves nothing" '
	python3 "$TESTS/fault/kill.py" "$LEAT_BIN" $KILLS ${LEAT_TEST_SEED:-1}
'
test_done
