#!/usr/bin/env bash
# What tasks take of the machine: it is recorded per try, shown, and held to the limits that their job names.
. "$(dirname "$0")/../lib.sh"
needs python3

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: none\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
tries() { # JOB FILE
	leat runs "$1" --attempts --json >"$2"
}
lives() { # PID: a zombie whose parent does not care is dead
	kill -0 "$1" 2>/dev/null && ! grep -q "State:.Z" "/proc/$1/status" 2>/dev/null
}
hog() { # MB: a line of shell that fills so much memory, and says so when it has
	printf 'python3 -c "x = bytearray(%s << 20); print(len(x) >> 20, flush=True)"' "$1"
}

test_expect 'issue 7: processor time and peak memory of each try are recorded, more of what takes more, and shown to people and programs' '
	workspace w &&
	job small <<X &&
echo x >\$LEAT_OUTPUT/x
X
	job large "retries: 1\nretry_delay: 1ms" <<X &&
$(hog 60); python3 -c "sum(range(3000000))"; [ \$LEAT_ATTEMPT = 2 ] || exit 3; echo x >\$LEAT_OUTPUT/x
X
	leat run && leat runs --attempts >table && has table peak cpu "exit status 3" && count 3 leat runs --attempts --json && tries large two && tries small one &&
	eq "$(wc -l <two)" 2 && python3 - <<X &&
import json
two, one = [json.loads(l) for l in open("two")], json.loads(open("one").read())
assert [t["attempt"] for t in two] == [2, 1] and [t["state"] for t in two] == ["success", "failed"] and two[1]["status"] == 3, two
assert all(60 << 20 < t["peak"] < 400 << 20 for t in two), two
assert 0 < one["peak"] < 60 << 20 and one["cpu"] < min(t["cpu"] for t in two), (one, two)
X
	run=$(leat runs small --json | sed "s/.*\"run\":\"\([0-9a-f]*\).*/\1/") && leat runs "$run" --attempts --json >got && same got one && leat runs "${run%????????}" --attempts | has - success &&
	leat runs nobody --attempts 2>err && has err "no try of"
'

test_expect 'issue 7: status names tasks that run though the process of their run died, until somebody takes them over' '
	cd w &&
	job alone <<X &&
echo \$\$ >$TRASH/alone; while [ ! -e $TRASH/go ]; do sleep 0.02; done; echo x >\$LEAT_OUTPUT/x
X
	{ "$LEAT_BIN" run alone >/dev/null 2>&1 9>&- & } && bg=$! && t_pids+=("$bg") && wait_for 10 test -s $TRASH/alone && leat status | lacks - "still runs" && kill -9 $bg && { wait $bg || true; } && lives $(cat $TRASH/alone) &&
	leat status >said && has said "alone still runs, though the process of run" && leat status --json | has - "though the process of run" && : >$TRASH/go && wait_for 10 sh -c "! kill -0 $(cat $TRASH/alone) 2>/dev/null" &&
	leat status >said && has said "not taken in" && leat run alone && leat status | lacks - "the process of run" && tries alone got && eq "$(json got "d[\"state\"] == \"success\" and d[\"peak\"] > 0")" true
'

test_done
