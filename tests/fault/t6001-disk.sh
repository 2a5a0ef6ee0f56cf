#!/usr/bin/env bash
# Writes of a small run fail, by ENOSPC and by EIO, and are torn.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/fault/lib-run.sh"
needs_faults
WITH_SQL=0
DAYS='1 2'
# Each try waits for the disk many times: so in memory, and every third write, begun at another one for each kind; under the
# sanitizers, where all takes four times as long, every twelfth. LEAT_TEST_FAULT_STEP=1 tries all (make soak does).
STEP=${LEAT_TEST_FAULT_STEP:-$([ -n "${LEAT_TEST_ASAN:-}" ] && echo 12 || echo 3)}
FAST=$(mktemp -d /dev/shm/leat-test.XXXXXX 2>/dev/null) && trap 'rm -rf "$FAST"; t_end' EXIT || FAST=$TRASH

run_it() { # FAULT: sets STATUS
	rm -rf "$FAST/w" && cp -a template "$FAST/w" && cd "$FAST/w" || return 1
	STATUS=0
	LEAT_FAULT=$1 timeout 300 "$LEAT_BIN" run two 2018-01-01..2018-01-02 -u -j 1 >fault.out 2>&1 9>&- || STATUS=$?
}

test_expect 'a pipeline of two scripts with a day made, and how many writes the run of another makes' '
	make_pipeline template && leat -C template run two 2018-01-01 -u && cp -a template w && cd w &&
	LEAT_FAULT_COUNT=$TRASH/count leat run two 2018-01-01..2018-01-02 -u -j 1 && N=$(sort -n "$TRASH/count" | tail -1 | cut -d" " -f1) && test "$N" -gt 50
'

every() { # KIND FIRST: tries every STEP-th write; each must fail cleanly or not matter, and leave what can be run again
	local n
	for ((n = $2; n <= N; n += STEP)); do
		run_it "$1@$n" || return 1
		case $STATUS in
		0 | 1 | 2) [ "$1" != torn ] || [ $STATUS = 0 ] || { echo "torn@$n: status $STATUS"; return 1; } ;;
		137) [ "$1" = torn ] || { echo "$1@$n: killed"; return 1; } ;;
		*) echo "$1@$n: status $STATUS" && cat fault.out && return 1 ;;
		esac
		[ $STATUS != 0 ] || lacks fault.out "failed" || return 1
		consistent && ends_right || { echo "after $1@$n (status $STATUS):" && cat fault.out && return 1; }
		cd "$TRASH" || return 1
	done
}

test_expect 'a full disk at each write: said, nothing half is visible, the re-run ends right' 'every enospc 1'
test_expect 'an I/O error at each write: the same' 'every eio 2'
test_expect 'half a write and death at each write: the same' 'every torn 3'
test_done
