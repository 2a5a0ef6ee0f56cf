#!/usr/bin/env bash
# One bit that flips, anywhere in any file of a store (LEAT_TEST_FLIPS in each): fsck finds it and names the files that
# it hits; all else is served, and nothing with other bytes.
. "$(dirname "$0")/../lib.sh"
FLIPS=${LEAT_TEST_FLIPS:-$([ -n "${LEAT_TEST_ASAN:-}" ] && echo 2 || echo 4)}

flips() { # KIND TIMES
	python3 "$TESTS/fault/flip.py" "$LEAT_BIN" "$1" $(($FLIPS * $2)) ${LEAT_TEST_SEED:-1}
}
test_expect 'in whole files' 'flips blobs 1'
test_expect 'in packs' 'flips packs 2'
test_expect 'in leat.db, page by page' 'flips leat.db 3'
test_expect 'in what says where its tables begin' 'flips roots 1'
test_expect 'in its log' 'flips log 1'
test_done
