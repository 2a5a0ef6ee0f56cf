#!/usr/bin/env bash
# Operations on the store (the table in stores.py) that die at each named point they pass: what was acknowledged is there,
# all else is as before or as after, fsck finds nothing, the same again ends well (t6000 does so for runs).
. "$(dirname "$0")/../lib.sh"
needs_faults

test_expect "killed ${LEAT_TEST_CRASHES:-1} times at each point of src/defs/faults.def that an operation on the store passes" '
	python3 "$TESTS/fault/points.py" "$LEAT_BIN" ${LEAT_TEST_CRASHES:-1} ${LEAT_TEST_SEED:-1}
'
test_done
