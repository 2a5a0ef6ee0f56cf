#!/usr/bin/env bash
# Two commands, or two runners, that saw the same unit not made: who gets its lease second looks again, also where the first one has
# ended before the second asked for it.
. "$(dirname "$0")/../lib.sh"
needs_faults

stopped_at() { # POINT leat's arguments...
	{ LEAT_STOP_AT=$1 "$LEAT_BIN" "${@:2}" > "$TRASH/stopped.out" 2>&1 9>&- & } && stopped=$! && t_pids+=("$stopped") && wait_for 10 is_stopped "$stopped"
}
goes_on() { # its exit status
	local got=0
	kill -CONT "$stopped" && { wait "$stopped" || got=$?; } && cat "$TRASH/stopped.out" && eq "$got" "$1"
}
job() { # NAME LINE...
	mkdir -p "jobs/$1" && printf "%s\n" "kind: script" "partition: daily" "output: tables/$1" "${@:2}" > "jobs/$1/job.yaml" &&
		printf 'echo x >> %s/ran.%s\necho $DS > $LEAT_OUTPUT/f\n' "$TRASH" "$1" > "jobs/$1/job.sh"
}
ran() { eq "$(wc -l < "$TRASH/ran.$1")" "$2"; }

test_expect 'one command plans, another makes the unit and ends: the first one does not make it again' '
	workspace w && job one && stopped_at run-planned run one 2024-01-01 && leat run one 2024-01-01 && goes_on 0 &&
	ran one 1 && count 1 leat log tables/one --json && leat fsck
'
test_expect 'nor where results are not remembered: it may have done something outside' '
	cd w && job two "memo: false" && stopped_at run-planned run two 2024-01-01 && leat run two 2024-01-01 && goes_on 0 &&
	ran two 1 && count 1 leat log tables/two --json
'
test_expect 'nor with a job after it in the same command, which runs once too' '
	cd w && job three "inputs: {one: tables/one}" && stopped_at run-planned run -u three 2024-01-01 && leat run -u three 2024-01-01 && goes_on 0 &&
	ran three 1 && ran one 1 && count 1 leat log tables/three --json
'
test_expect 'what the other one failed at has failed for both; --again makes it anew' '
	cd w && job four && echo "exit 3" >> jobs/four/job.sh && stopped_at run-planned run four 2024-01-01 && exits 1 leat run four 2024-01-01 && goes_on 1 && ran four 1 &&
	stopped_at run-planned run two 2024-01-01 --again && leat run two 2024-01-02 && goes_on 0 && ran two 3
'
test_done
