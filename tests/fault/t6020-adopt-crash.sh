#!/usr/bin/env bash
# leat is killed at each place on the way of a task, and the next command makes the effect be there once.
# ADOPT_TIMES (1): how often at each.
. "$(dirname "$0")/../lib.sh"
needs_faults
RUNS=0 # each makes one commit

count_of() { # JOB: how often its task did what is seen outside
	cat "$TRASH/n.$1" 2>/dev/null | wc -l | tr -d ' '
}
killed_at() { # POINT [POINT of the next command]
	rm -f "$TRASH"/n.* && for k in 1 2 3; do
		mkdir -p "jobs/j$k" && printf 'kind: script\npartition: none\noutput: raw/j%s\nenv: {AGAIN: "%s %s"}\n' "$k" "$1" "$RANDOM$RANDOM" >"jobs/j$k/job.yaml" || return 1
		printf 'echo x >>%s/n.j%s; head -c 100000 /dev/urandom >"$LEAT_OUTPUT/big"; echo "%s $AGAIN" >"$LEAT_OUTPUT/x"; echo said\n' "$TRASH" "$k" "$k" >"jobs/j$k/job.sh" || return 1
	done
	{ LEAT_CRASH_AT=$1 leat run -j 2 >/dev/null 2>&1 || true; } 2>/dev/null
	[ -z "${2:-}" ] || { LEAT_CRASH_AT=$2 leat run -j 2 >/dev/null 2>&1 || true; } 2>/dev/null
	leat run -j 2 >out 2>&1 || { cat out; return 1; }
	for k in 1 2 3; do
		eq "$1 $k: $(count_of j$k) times" "$1 $k: 1 times" && leat cat raw/j$k:/x | has - "$k $1" || return 1
		eq "$(leat cat raw/j$k:/big | wc -c | tr -d ' ')" 100000 && eq "$(leat logs j$k)" said || return 1
	done
	eq "$(ls .leat/staging/run)" "" && leat run | has - "0 ran" && RUNS=$((RUNS + 1)) && for k in 1 2 3; do count $RUNS leat log raw/j$k --json || return 1; done
}

test_expect 'a place to work' 'workspace w'
for point in unit-intent-recorded unit-task-announced unit-task-started unit-task-started:2 unit-task-ended unit-output-ingested publish-synced publish-recorded \
	publish-head-moved publish-before-commit publish-committed publish-shown; do
	test_expect "issue 7: killed at $point, each task has done its work exactly once" "
		cd w && RUNS=\$({ leat log raw/j1 --json 2>/dev/null || true; } | wc -l) && for i in \$(seq \${ADOPT_TIMES:-1}); do killed_at $point || return 1; done
	"
done
test_expect 'issue 7: who takes over may be killed too' '
	cd w && RUNS=$(leat log raw/j1 --json | wc -l) && for i in $(seq ${ADOPT_TIMES:-1}); do killed_at unit-task-started publish-before-commit && killed_at unit-task-ended unit-output-ingested || return 1; done
'
test_done
