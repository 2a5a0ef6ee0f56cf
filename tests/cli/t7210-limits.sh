#!/usr/bin/env bash
# What tasks take of the machine: it is recorded per try, shown, and held to the limits that their job names.
. "$(dirname "$0")/../lib.sh"
needs python3

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: none\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && { cat && echo "# $variant"; } >"jobs/$1/job.sh"
}
variant= # what was done once in a way is not known of another
tries() { # JOB FILE
	leat runs "$1" --attempts --json >"$2"
}
last() { # JOB FILE: the newest
	leat runs "$1" --attempts --json -n 1 >"$2"
}
hog() { # MB [SECONDS]: a line of shell that fills so much memory, says so when it has, and keeps it so long
	printf 'python3 -c "import time; x = bytearray(%s << 20); print(len(x) >> 20, flush=True); time.sleep(%s)"' "$1" "${2:-0}"
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

groups() { # RUN: what is left of groups of its tasks
	find /sys/fs/cgroup -maxdepth 8 -type d -name 'leat-*' ! -name "*-try" 2>/dev/null | grep -F "$1" || true
}
try_limits() { # tests that hold with and without groups; $1: what it is called
	variant=$1
	test_expect "issue 7: a task that takes more memory than memory: allows is ended with that reason, its neighbours are not touched ($1)" '
		cd w && rm -rf jobs/* $TRASH/go $TRASH/near $TRASH/n.* &&
		job hog "memory: 100M" <<X &&
echo \$\$ >$TRASH/n.hog; $(hog 60); while [ ! -s $TRASH/near ]; do sleep 0.02; done
python3 -c "
import time
x = bytearray(300 << 20)
time.sleep(60)"
echo never
X
		job near "memory: 200M" <<X &&
echo \$\$ >$TRASH/near; $(hog 60); while [ ! -e $TRASH/go ]; do sleep 0.02; done; $(hog 60); echo near >\$LEAT_OUTPUT/x
X
		job free <<X &&
while [ ! -e $TRASH/go ]; do sleep 0.02; done; $(hog 150); echo free >\$LEAT_OUTPUT/x
X
		{ "$LEAT_BIN" run -j 3 >said 2>err 9>&- & } && bg=$! && t_pids+=("$bg") && wait_for 20 gone hog && : >$TRASH/go && exits 1 wait $bg && has err "hog" "it took more memory than memory: 100M allows" "MB at its most" &&
		leat logs hog >log && has log 60 "more memory than memory: 100M" && ! lives $(cat $TRASH/n.hog) && eq "$(leat cat raw/near:/x)" near && eq "$(leat cat raw/free:/x)" free &&
		last hog got && eq "$(json got "[d[\"state\"], d[\"status\"], d[\"peak\"] > 60 << 20, d[\"reason\"].count(\"100M\")]")" "[\"failed\", 137, true, 1]" && rm -r jobs/hog jobs/near jobs/free
	'
	test_expect "issue 7: what a task started counts, in a session of its own too, and is ended with it; so does a sum that none has alone; exit status 0 does not hide it ($1)" '
		cd w && rm -rf jobs/* $TRASH/n.* &&
		job deep "memory: 100M" <<X &&
setsid sh -c "echo \\\$\\\$ >$TRASH/n.deep; trap : TERM; python3 -c \"import time; x = bytearray(300 << 20); time.sleep(60)\"; sleep 1000" &
echo \$\$ >$TRASH/n.top; sleep 1000
X
		job sum "memory: 150M" <<X &&
for i in 1 2 3; do python3 -c "import time; x = bytearray(70 << 20); time.sleep(60)" & done; wait; exit 0
X
		job hides "memory: 100M" <<X &&
python3 -c "import time; x = bytearray(300 << 20); time.sleep(60)" || true; sleep 0.5; echo done; exit 0
X
		exits 1 leat run -j 3 2>err && has err "deep" "memory: 100M allows" "memory: 150M allows" && for j in deep sum hides; do last $j got && eq "$(json got "d[\"state\"]")" failed || return 1; done &&
		! lives $(cat $TRASH/n.deep) && ! lives $(cat $TRASH/n.top) && rm -r jobs/deep jobs/sum jobs/hides
	'
	test_expect "in a sandbox, with secrets, and one of many units by one program too ($1)" '
		cd w && echo a >a && leat put raw/files a && mkdir -p secrets/s && echo v >secrets/s/k && chmod 600 secrets/s/k &&
		job boxed "memory: 100M\nsandbox: on" <<X &&
$(hog 60); $(hog 300 60)
X
		job secret "memory: 100M\nsecrets: [{name: s, key: k, envVar: V}]" <<X &&
$(hog 60); $(hog 300 60)
X
		job many "memory: 100M\ndatumBatching: true\ninputs: {files: {repo: raw/files, glob: \"/*\"}}" <<X &&
leat next; $(hog 300 60); leat next
X
		for j in boxed secret many; do exits 1 leat run $j 2>err && has err "memory: 100M allows" || return 1; done && rm -r jobs/boxed jobs/secret jobs/many
	'
	test_expect "a task whose limit ended it while leat was dead has that reason, and one that goes on is held to it by who takes it over ($1)" '
		cd w && rm -rf jobs/* $TRASH/go $TRASH/n.* &&
		job left "memory: 100M" <<X &&
echo x >$TRASH/n.left; while [ ! -e $TRASH/go ]; do sleep 0.02; done; python3 -c "import time; x = bytearray(300 << 20); time.sleep(60)"
X
		{ "$LEAT_BIN" run left >/dev/null 2>&1 9>&- & } && bg=$! && t_pids+=("$bg") && wait_for 10 test -s $TRASH/n.left && kill -9 $bg && { wait $bg || true; } && : >$TRASH/go && sleep 0.5 &&
		exits 1 leat run left 2>err && has err "memory: 100M allows" && last left got && eq "$(json got "[d[\"attempt\"], d[\"state\"], d[\"peak\"] > 60 << 20]")" "[1, \"failed\", true]" && rm -r jobs/left
	'
}
gone() { # JOB: its try has ended
	leat runs "$1" --attempts --json 2>/dev/null | has - '"state":"failed"'
}

try_limits "as this machine can"
if find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs -writable 2>/dev/null | grep -q .; then
	test_expect 'nothing is left of groups when tasks have ended, also of those that leat did not see end' '
		cd w && eq "$(groups "$(leat runs left --json | head -1 | sed "s/.*\"run\":\"\([0-9a-f]*\).*/\1/")")" ""
	'
fi
test_expect 'the settings, and what a machine cannot hold is said first' '
	cd w && LEAT__CGROUPS=off && export LEAT__CGROUPS &&
	job slow "cpu: 0.5\nmemory: 1G" <<X &&
echo x >\$LEAT_OUTPUT/x
X
	leat run slow 2>err && has err "slow: cpu: is not held here, and memory: is looked at ten times a second: leat.yaml says cgroups: off" && rm -r jobs/slow
'
try_limits "by looking"
unset LEAT__CGROUPS

test_expect 'issue 7: a task that may have a tenth of a processor takes longer than it works, and its time is recorded' '
	cd w && rm -rf jobs/* &&
	job quick "cpu: 8" <<X &&
python3 -c "sum(range(10000000))"; echo x >\$LEAT_OUTPUT/x
X
	job slow "cpu: 0.1" <<X &&
python3 -c "sum(range(10000000))"; echo x >\$LEAT_OUTPUT/x
X
	leat run -j 1 2>err && last quick q && last slow s && eq "$(json q "d[\"cpu\"] > 0")" true && { grep -q "is not held here" err || python3 - <<X
import json
q, s = json.load(open("q")), json.load(open("s"))
assert s["seconds"] > 3 * s["cpu"], (q, s)
X
	} && rm -r jobs/quick jobs/slow
'

test_expect 'limits that cannot be are refused with their place, and of jobs without a process of their own too' '
	cd w &&
	for bad in "memory: 100" "memory: much" "memory: [1]" "cpu: 0" "cpu: half" "cpu: -1"; do
		job bad "$bad" <<X && exits 2 leat run bad 2>err && has err "jobs/bad/job.yaml:4" "${bad%%:*}" || return 1
X
	done && has err "cpu" && job bad "memory: 100" <<X && exits 2 leat run bad 2>err && has err "1M or more" "100M, 1.5G or 512Mi" && rm -r jobs/bad &&
X
	mkdir -p jobs/q && printf "partition: none\nmemory: 1G\n" >jobs/q/job.yaml && echo "select 1 as a" >jobs/q/job.sql && exits 2 leat run q 2>err && has err "jobs/q/job.yaml:2" memory && rm -r jobs/q
'

test_done
