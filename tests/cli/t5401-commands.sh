#!/usr/bin/env bash
# The keys of a script job: cmd, stdin, workingDir, acceptReturnCode, errCmd; time limits in a sandbox.
. "$(dirname "$0")/../lib.sh"

job() { # NAME, lines of job.yaml: the job, without a program of its own
	mkdir -p "jobs/$1" && printf 'partition: daily\noutput: raw/%s\n%b\n' "$1" "$2" >"jobs/$1/job.yaml"
}

test_expect 'cmd: a program with its arguments, without a shell and without a file; it says that the job is a script' '
	workspace w &&
	job args "cmd: [python3, -c, \"import sys, os; open(os.environ[\\\\\"LEAT_OUTPUT\\\\\"] + \\\\\"/x\\\\\", \\\\\"w\\\\\").write(repr(sys.argv[1:]))\", \"a b\", \"\$HOME\", 7, \"{{ ds }}\"]" &&
	leat run args 2018-01-01 && eq "$(leat cat raw/args:/ds=2018-01-01/x)" "['\''a b'\'', '\''\$HOME'\'', '\''7'\'', '\''2018-01-01'\'']" &&
	leat jobs | has - args script
'

test_expect 'cmd with stdin: lines for the standard input; its words count in the memo key' '
	cd w &&
	job lines "cmd: [sh, -c, \"cat >\$LEAT_OUTPUT/x\"]\nstdin: [one, two, \"{{ ds }}\"]" &&
	leat run lines 2018-01-01 && eq "$(leat cat raw/lines:/ds=2018-01-01/x | tr "\n" " ")" "one two 2018-01-01 " &&
	leat run lines 2018-01-01 2>&1 | has - "nothing changed" && sed -i s/two/three/ jobs/lines/job.yaml &&
	leat run lines 2018-01-01 && eq "$(leat cat raw/lines:/ds=2018-01-01/x | tr "\n" " ")" "one three 2018-01-01 "
'

test_expect 'stdin is one text or a list, and empty unless it is said' '
	cd w &&
	job text "cmd: [sh, -c, \"cat >\$LEAT_OUTPUT/x\"]\nstdin: |\n  one\n  two" && leat run text 2018-01-01 &&
	leat cat raw/text:/ds=2018-01-01/x | has - one two &&
	job none "cmd: [sh, -c, \"wc -c >\$LEAT_OUTPUT/x\"]" && leat run none 2018-01-01 && eq "$(leat cat raw/none:/ds=2018-01-01/x)" 0
'

test_expect 'workingDir: the folder it starts in, from that of the code' '
	cd w && mkdir -p jobs/dir/sub && echo "echo here >\"\$LEAT_OUTPUT/x\"" >jobs/dir/sub/go.sh && job dir "cmd: [sh, ./go.sh]\nworkingDir: sub" &&
	leat run dir 2018-01-01 && eq "$(leat cat raw/dir:/ds=2018-01-01/x)" here &&
	job nodir "cmd: [sh]\nworkingDir: /not/there" && exits 1 leat run nodir 2018-01-01 2>err && has err "/not/there"
'

test_expect 'acceptReturnCode: other exit statuses that are no failure' '
	cd w && job accept "cmd: [sh, -c, \"echo x >\$LEAT_OUTPUT/x; exit 4\"]\nacceptReturnCode: [3, 4]" &&
	leat run accept 2018-01-01 && eq "$(leat cat raw/accept:/ds=2018-01-01/x)" x &&
	sed -i "s/exit 4/exit 5/" jobs/accept/job.yaml && exits 1 leat run accept 2018-01-01 2>err && has err "exit status 5"
'

test_expect 'an unknown command: five tries are five attempts, each in the log' '
	cd w && job unknown "cmd: [no-such-program, x]\nretries: 4\nretry_delay: 1ms" &&
	exits 1 leat run unknown 2018-01-01 2>err && has err "no program no-such-program" &&
	for n in 1 2 3 4 5; do leat logs unknown 2018-01-01 --attempt $n >log && has log "attempt $n: there is no program no-such-program" || return 1; done &&
	exits 1 leat logs unknown 2018-01-01 --attempt 6
'

test_expect 'errCmd runs once, after the last try, in the folders of the unit; a unit of the calendar has failed all the same' '
	cd w && mkdir -p ../seen &&
	job err "cmd: [sh, -c, \"echo half >\$LEAT_OUTPUT/half; exit 3\"]\nretries: 1\nretry_delay: 1ms\nerrCmd: [sh]\nerrStdin: [\"echo attempt \$LEAT_ATTEMPT\", \"cat \$LEAT_OUTPUT/half\"]" &&
	exits 1 leat run err 2018-01-01 2>err && has err "exit status 3" && leat logs err 2018-01-01 >log && has log "attempt 2" half && lacks log "attempt 1" &&
	exits 1 leat ls raw/err
'

test_expect 'keys that cannot be are refused with their place' '
	cd w && job bad "cmd: sh -c true" && exits 2 leat run bad 2018-01-01 2>err && has err "jobs/bad/job.yaml:3" "cmd" &&
	job bad "cmd: [true]\nacceptReturnCode: [-1]" && exits 2 leat run bad 2018-01-01 2>err && has err acceptReturnCode &&
	job bad "cmd: [true]\nstdinn: [x]" && exits 2 leat run bad 2018-01-01 2>err && has err stdin && rm -r jobs/bad &&
	job empty "kind: script" && exits 1 leat run empty 2018-01-01 2>err && has err "no program" "cmd:"
'

test_expect 'a task that takes longer than its limit is ended in its sandbox, with a grandchild in a session of its own' '
	cd w &&
	job slow "sandbox: auto\ntimeout: 2s\ncmd: [sh]\nstdin: [\"setsid sleep 300 & echo pid \$!\", \"sleep 300\"]" &&
	echo "sandbox: auto" >>leat.yaml &&
	for s in on off; do
		sed -i "s/^sandbox:.*/sandbox: $s/" jobs/slow/job.yaml
		exits 1 leat run slow 2018-01-01 2>err && has err "longer than its limit" || return 1
		pid=$(leat logs slow 2018-01-01 | sed -n "s/^pid //p") && [ -n "$pid" ] && ! lives "$pid" || return 1
	done
'
test_done
