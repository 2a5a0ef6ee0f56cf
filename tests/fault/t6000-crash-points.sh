#!/usr/bin/env bash
# A run that dies at each named point on the way of a publish, followed by reads, fsck and a re-run.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/fault/lib-run.sh"
needs_faults

POINTS=$(sed -n 's/^F("\([a-z-]*\)".*/\1/p' "$CHECKOUT/src/defs/faults.def" | grep -v '^egress-')
# Those of calendar runs; the others are on the way of t6004, run-folder-moved (of a chain) of t5008, runs-begun (of very many)
# of t7372, environment-made of t6005.
OURS=$(sed -n 's/^F("\([a-z-]*\)", "flow\/.*/\1/p' "$CHECKOUT/src/defs/faults.def" | grep -vE "recover|^data-|^ticks-|^run-folder-|^runs-begun|^environment-")

test_expect 'a pipeline of two scripts and a query' 'make_pipeline template'

crash_after() { # DAYS POINT[:K]: the same in a workspace where so many days were made before
	cp -a template made || return 1
	[ "$1" = 0 ] || (cd made && leat run three "2018-01-01..2018-01-0$1" -u >crash.out 2>&1) || return 1
	mv template template-0 && mv made template || return 1
	(crash "$2")
	local s=$?
	rm -rf template && mv template-0 template && [ $s = 0 ] && cd w
}
crash() { # POINT[:K]: runs it all with that point; says whether it was reached
	rm -rf w && cp -a template w && cd w || return 1
	local s=0
	LEAT_CRASH_AT=$1 "$LEAT_BIN" run three 2018-01-01..2018-01-03 -u -j 2 >crash.out 2>&1 9>&- || s=$?
	[ $s = 137 ] || [ $s = 0 ] || { echo "status $s"; cat crash.out; return 1; }
	echo $s >reached
}

# LEAT_TEST_CRASHES of each (default 2); every further one at another time that it is passed, with other days made before.
more() { # POINT
	local i before
	for ((i = 3; i <= ${LEAT_TEST_CRASHES:-2}; i++)); do
		before=$((i % 3))
		crash_after $before "$1:$((i % 5 + 1))" && consistent && ends_right || { echo "time $((i % 5 + 1)) of $1, after $before days"; return 1; }
		cd "$TRASH" || return 1
	done
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
		[ "${LEAT_TEST_CRASHES:-2}" -le 2 ] || test_expect "and $LEAT_TEST_CRASHES times" "more $p"
		;;
	*) test_expect "killed at $p, if it is on the way: the same" "crash $p && consistent && ends_right" ;;
	esac
done

test_expect 'killed in the middle of recovering from a kill: the next command finishes it' '
	crash unit-task-ended && s=0 && { LEAT_CRASH_AT=recover-half leat run three 2018-01-01 -u || s=$?; } && eq $s 137 &&
	consistent && ends_right
'
test_done
