#!/usr/bin/env bash
# A run that dies at each named point on the way of a publish, followed by reads, fsck and a re-run.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/fault/lib-run.sh"
needs_faults

POINTS=$(sed -n 's/^F("\([a-z-]*\)".*/\1/p' "$CHECKOUT/src/defs/faults.def")
OURS=$(sed -n 's/^F("\([a-z-]*\)", "flow\/.*/\1/p' "$CHECKOUT/src/defs/faults.def" | grep -v recover)

test_expect 'a pipeline of two scripts and a query' 'make_pipeline template'

crash() { # POINT[:K]: runs it all with that point; says whether it was reached
	rm -rf w && cp -a template w && cd w || return 1
	local s=0
	LEAT_CRASH_AT=$1 "$LEAT_BIN" run three 2018-01-01..2018-01-03 -u -j 2 >crash.out 2>&1 9>&- || s=$?
	[ $s = 137 ] || [ $s = 0 ] || { echo "status $s"; cat crash.out; return 1; }
	echo $s >reached
}

for p in $POINTS; do
	case " $(echo $OURS) " in
	*" $p "*)
		test_expect "killed at $p: what was acknowledged is there, nothing half is visible, the re-run ends right" "
			crash $p && eq \$(cat reached) 137 && consistent && ends_right
		"
		test_expect "killed when $p is reached the second time: the same" "
			crash $p:2 && consistent && ends_right
		"
		;;
	*) test_expect "killed at $p, if it is on the way: the same" "crash $p && consistent && ends_right" ;;
	esac
done

test_expect 'killed in the middle of recovering from a kill: the next command finishes it' '
	crash unit-task-ended && s=0 && { LEAT_CRASH_AT=recover-half leat run three 2018-01-01 -u || s=$?; } && eq $s 137 &&
	consistent && ends_right
'
test_done
