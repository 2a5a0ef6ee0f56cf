#!/usr/bin/env bash
# Every operation on the store (the table in stores.py) while one of its writes fails: said in a sentence, or done;
# nothing acknowledged is lost, fsck finds nothing, the same again ends well, gc leaves nothing behind.
. "$(dirname "$0")/../lib.sh"
needs_faults
# Writes of each operation tried by each error, evenly spread; 0: all of them (make soak does).
TRIES=${LEAT_TEST_FAULT_TRIES:-$([ -n "${LEAT_TEST_ASAN:-}" ] && echo 1 || echo 2)}

while read -r name; do
	test_expect "a write that fails, or is torn, within $name" "
		python3 '$TESTS/fault/disk.py' '$LEAT_BIN' '$name' $TRIES ${LEAT_TEST_SEED:-1} > ../found 2>&1 || { cat ../found; return 1; }
		grep -v ^wrong ../found
	"
done < <(python3 "$TESTS/fault/disk.py" "$LEAT_BIN" names)
test_done
