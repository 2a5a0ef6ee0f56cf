#!/usr/bin/env bash
# Two writers and a reader, ten writers and ten readers, each command a process of its own. `make soak` does it for long.
. "$(dirname "$0")/../lib.sh"
needs python3

test_expect 'SEMANTICS 9: two processes make 100 commits each to one repo while a third reads: all are there, none starved' '
	python3 "$TESTS/soak/at_once.py" "$LEAT_BIN" history 100
'
test_expect 'ten writers and ten readers at once on one repo: every commit whole, no lock error, no reader sees a mixture' '
	python3 "$TESTS/soak/at_once.py" "$LEAT_BIN" mixture 4
'
test_done
