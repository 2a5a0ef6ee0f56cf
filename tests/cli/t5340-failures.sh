#!/usr/bin/env bash
# What fails in a unit that comes from data: tries, errCmd, limits of time, and what it writes elsewhere.
. "$(dirname "$0")/../lib.sh"

spec() { # NAME, fields: a Pachyderm pipeline over the files of `in`
	printf '{"pipeline": {"name": "%s"}, "input": {"pfs": {"repo": "in", "glob": "/*"}}, %s}' "$1" "$2" >"$1.json" && leat apply -f "$1.json"
}
says() { # NUMBERS: the last line of the run in `run`
	tail -1 run >.last && while [ $# -gt 0 ]; do eq "$(json .last "d['$1']")" "$2" || return 1; shift 2; done
}

test_expect 'one unit is fine, one fails, one fails and its errCmd does not: numbers, name and head say so; then errCmd true recovers both' '
	workspace w && for i in 1 2 3; do echo $i >file$i; done && leat put in file1 file2 file3 &&
	run="\"cmd\": [\"sh\", \"-c\", \"basename \$in | grep -q 1 && cp \$in \$LEAT_OUTPUT\"]" &&
	spec p "\"datumTries\": 1, \"transform\": {$run, \"errCmd\": [\"sh\", \"-c\", \"basename \$in | grep -q 3\"]}" &&
	exits 1 leat run --json >run && says ran 1 recovered 1 failed 1 && exits 1 leat run p 2>err && has err file2 && eq "$(leat ls p 2>/dev/null)" "" &&
	spec p "\"datumTries\": 1, \"transform\": {$run, \"errCmd\": [\"true\"]}" && leat run --json >run && says ran 0 recovered 2 known 1 failed 0 &&
	eq "$(leat ls p)" /file1
'

test_expect 'datumTries: five tries of a command that is not there are five attempts, each in the log' '
	workspace v && echo 1 >f && leat put in f && spec five "\"datumTries\": 5, \"transform\": {\"cmd\": [\"no-such-program\"]}" &&
	exits 1 leat run --json >run && says failed 1 && for n in 1 2 3 4 5; do leat logs five --attempt $n >log && has log "attempt $n: there is no program" || return 1; done &&
	exits 1 leat logs five --attempt 6
'

test_expect 'datumTimeout ends a unit and all it started; errCmd has its turn after that, and what is downstream is unrunnable' '
	workspace t && echo 1 >f && leat put in f &&
	spec slow "\"datumTries\": 1, \"datumTimeout\": \"4s\", \"transform\": {\"cmd\": [\"sh\"], \"stdin\": [\"echo task \$\$\", \"setsid sleep 600 & echo child \$!\", \"grep -q 1 \$in || sleep 600\"]}" &&
	sed "s/\"slow\"/\"down\"/; s/\"repo\": \"in\"/\"repo\": \"slow\"/" slow.json >down.json && leat apply -f down.json && leat run -q &&
	echo 2 >f && leat put in f && exits 1 leat run >out 2>&1 && has out "longer than its limit" unrunnable &&
	leat logs slow >log && for pid in $(sed -n "s/^task //p; s/^child //p" log); do ! lives "$pid" || return 1; done
'

test_expect 'what ignores TERM is killed soon after its limit, with all that left its session and its environment; grace: gives it longer' '
	cd t && spec deaf "\"datumTries\": 1, \"datumTimeout\": \"2s\", \"transform\": {\"cmd\": [\"bash\"], \"stdin\": [\"trap \\\"\\\" TERM; echo task \$\$; setsid sleep 610 & echo child \$!; env -i setsid -f sh -c \\\"echo child \\\\\$\$; exec sleep 620\\\"\", \"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 0.5; echo tick \$i; done\"]}" &&
	exits 1 leat run deaf 2>err && has err "longer than its limit" && leat logs deaf >log && has log "tick 1" && lacks log "tick 15" && count 3 grep -E "task|child" log &&
	for pid in $(sed -n "s/^task //p; s/^child //p" log); do ! lives "$pid" || return 1; done &&
	echo "grace: 20s" >>jobs/deaf/job.yaml && exits 1 leat run deaf 2>err && has err "longer than its limit" && leat logs deaf >log && has log "tick 15"
'

test_expect 'errCmd runs after a limit of time, for as long at most as the unit may take; if it ends well the unit is recovered' '
	cd t && spec late "\"datumTries\": 1, \"datumTimeout\": \"2s\", \"transform\": {\"cmd\": [\"sleep\", \"600\"], \"errCmd\": [\"echo\", \"stands by\"]}" &&
	leat run late --json >run && says recovered 1 failed 0 && leat logs late | has - "stands by" &&
	spec late "\"datumTries\": 1, \"datumTimeout\": \"300ms\", \"transform\": {\"cmd\": [\"sh\", \"-c\", \"trap exit TERM; sleep 600 & wait\"], \"errCmd\": [\"sleep\", \"600\"]}" &&
	exits 1 leat run late --json >run && says recovered 0 failed 1 && exits 1 leat run late 2>err && has err "longer than its limit"
'

test_expect 'a unit that writes a link, a socket or a hole of a terabyte fails with a sentence, one that writes elsewhere cannot; nothing is lost' '
	workspace bad && for i in good link socket hole else; do echo $i >$i; done && leat put in good link socket hole else &&
	spec p "\"datumTries\": 1, \"transform\": {\"cmd\": [\"sh\"], \"stdin\": [\"cd \$LEAT_OUTPUT; n=\$(basename \$in)\", \"case \$n in link) ln -s /etc/passwd x;; socket) python3 -c \\\"import socket; socket.socket(socket.AF_UNIX).bind(\\x27x\\x27)\\\";; hole) truncate -s 1T x;; else) touch /pfs/else /pfs/in/else /usr/else || exit 5;; *) cp \$in \$n;; esac\"]}" &&
	exits 1 leat run >out 2>&1 && has out "/x is a symbolic link" "/x is no plain file (a socket" "mostly holes" "exit status 5" && lacks out staging && eq "$(leat ls p 2>/dev/null)" "" && leat fsck && ! [ -e /usr/else ] &&
	leat rm in:/link && leat rm in:/socket && leat rm in:/hole && leat rm in:/else && exits 1 leat run && eq "$(leat ls p)" /good
'
test_done
