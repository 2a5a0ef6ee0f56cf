#!/usr/bin/env bash
# Jobs of kind script: what a task gets, what becomes of what it writes, prints and returns.
. "$(dirname "$0")/../lib.sh"

job() { # NAME OUTPUT [more lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\noutput: %s\n%s\n' "$2" "${3:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}

test_expect 'a script writes one partition per ds, and what it prints is its log' '
	workspace w &&
	job a raw/a <<\X &&
#!/bin/sh
echo "making $DS"; echo "to the errors" >&2
echo "day $DS" >"$LEAT_OUTPUT/x.txt"
X
	leat run a 2018-01-01..2018-01-03 &&
	eq "$(leat cat raw/a:/ds=2018-01-02/x.txt)" "day 2018-01-02" &&
	leat logs a 2018-01-02 >log &&
	has log "making 2018-01-02" "to the errors"
'

test_expect 'the environment of a task is the declared one and nothing else' '
	cd w &&
	job env raw/env "env: {MY: \"x {{ ds }}\", N: 3}" <<\X &&
#!/bin/sh
env | sort >"$LEAT_OUTPUT/env.txt"
cp "$LEAT_SPEC" "$LEAT_OUTPUT/spec.json"
pwd >"$LEAT_OUTPUT/pwd.txt"; ls -A >"$LEAT_OUTPUT/here.txt"
X
	FOREIGN=1 LC_ALL=C TZ=Asia/Tokyo leat run env 2018-01-01 &&
	leat cat raw/env:/ds=2018-01-01/env.txt | sed "s/=.*//" | tr "\n" " " >names &&
	eq "$(cat names)" "DS HOME LANG LEAT_ATTEMPT LEAT_BIN LEAT_DS LEAT_JOB LEAT_OUTPUT LEAT_RUN LEAT_SPEC LEAT_TASK LEAT_UNIT MY N PATH PWD PYTHONPATH TZ " &&
	leat cat raw/env:/ds=2018-01-01/env.txt >env.txt &&
	has env.txt "DS=2018-01-01" "LEAT_JOB=env" "LEAT_ATTEMPT=1" "TZ=UTC" "LANG=C.UTF-8" "MY=x 2018-01-01" "N=3" &&
	leat cat raw/env:/ds=2018-01-01/spec.json >spec.json &&
	eq "$(json spec.json "d[\"ds\"] + d[\"output\"]")" "2018-01-01raw/env" &&
	eq "$(leat cat raw/env:/ds=2018-01-01/here.txt)" "job.sh"
'

test_expect 'an input of its own ds is a folder with the files of that partition, read-only' '
	cd w &&
	job b raw/b "inputs: {days: raw/a}" <<\X &&
#!/bin/sh
ls "$LEAT_INPUT_days" >"$LEAT_OUTPUT/ls.txt"
cat "$LEAT_INPUT_days/x.txt" >"$LEAT_OUTPUT/x.txt"
for f in "$LEAT_INPUT_days"/new "$LEAT_INPUT_days"/x.txt; do (echo no >>"$f") 2>/dev/null; done
exit 0
X
	leat run b 2018-01-02 &&
	eq "$(leat cat raw/b:/ds=2018-01-02/ls.txt)" x.txt &&
	eq "$(leat cat raw/b:/ds=2018-01-02/x.txt)" "day 2018-01-02" &&
	eq "$(leat cat raw/a:/ds=2018-01-02/x.txt)" "day 2018-01-02" &&
	leat fsck
'

test_expect 'an input with a window is a folder with a ds=... folder for each partition' '
	cd w &&
	job win raw/win "inputs: {days: {repo: raw/a, window: [-1, 0]}}" <<\X &&
#!/bin/sh
cd "$LEAT_INPUT_days" && find . -type f | sort >"$LEAT_OUTPUT/ls.txt"
X
	leat run win 2018-01-02 &&
	eq "$(leat cat raw/win:/ds=2018-01-02/ls.txt | tr "\n" " ")" "./ds=2018-01-01/x.txt ./ds=2018-01-02/x.txt "
'

test_expect 'a job without partition gives the whole repo: what it no longer writes is gone' '
	cd w && mkdir -p jobs/all && printf "kind: script\npartition: none\noutput: marts/all\ninputs: {days: raw/a}\n" >jobs/all/job.yaml &&
	printf "#!/bin/sh\nfind \"\$LEAT_INPUT_days\" -name x.txt | sort | xargs cat >\"\$LEAT_OUTPUT/all.txt\"\necho 1 >\"\$LEAT_OUTPUT/old\"\n" >jobs/all/job.sh &&
	leat run all && count 3 leat cat marts/all:/all.txt && count 2 leat ls marts/all &&
	sed -i /old/d jobs/all/job.sh &&
	leat run all && count 1 leat ls marts/all
'

test_expect 'a script that gives nothing makes its partition, present and empty' '
	cd w && echo "exit 0" | job nothing raw/nothing && leat run nothing 2018-01-01 &&
	leat ls raw/nothing >ls && has ls "ds=2018-01-01" && count 0 leat ls raw/nothing:/ds=2018-01-01 &&
	job after raw/after "inputs: {n: raw/nothing}" <<\X &&
ls -A "$LEAT_INPUT_n" | wc -l >"$LEAT_OUTPUT/n"
X
	leat run after 2018-01-01 && eq "$(leat cat raw/after:/ds=2018-01-01/n)" 0
'

test_expect 'a script that exits 3 fails the run with status 1, publishes nothing, keeps its log; downstream does not start' '
	cd w &&
	job bad raw/bad <<\X &&
#!/bin/sh
echo half >"$LEAT_OUTPUT/half"; echo "what went wrong"; exit 3
X
	job down raw/down "inputs: {bad: raw/bad}" <<\X &&
echo ran >"$LEAT_OUTPUT/x"
X
	exits 1 leat run down 2018-01-01 -u 2>err && has err "exit status 3" "bad" &&
	exits 1 leat ls raw/bad && exits 1 leat ls raw/down &&
	leat logs bad 2018-01-01 >log && has log "what went wrong"
'

test_expect 'what a task leaves running is ended with it, its own session or not' '
	cd w &&
	job left raw/left <<\X &&
#!/bin/sh
sleep 300 & echo $! >"$LEAT_OUTPUT/pid1"
setsid sleep 300 & echo $! >"$LEAT_OUTPUT/pid2"
sleep 0.2
X
	leat run left 2018-01-01 &&
	! lives "$(leat cat raw/left:/ds=2018-01-01/pid1)" && ! lives "$(leat cat raw/left:/ds=2018-01-01/pid2)"
'

test_expect 'line ends of Windows in job.yaml and job.sh are no obstacle, with and without #!' '
	cd w && mkdir -p jobs/crlf jobs/crlf2 &&
	printf "kind: script\r\npartition: daily\r\noutput: raw/crlf\r\n" >jobs/crlf/job.yaml &&
	printf "#!/bin/sh\r\nif true; then\r\n  echo \"\$DS\" >\"\$LEAT_OUTPUT/x\"\r\nfi\r\n" >jobs/crlf/job.sh &&
	printf "kind: script\r\npartition: daily\r\noutput: raw/crlf2\r\n" >jobs/crlf2/job.yaml &&
	printf "echo \"\$DS\" >\"\$LEAT_OUTPUT/x\"\r\n" >jobs/crlf2/job.sh &&
	leat run crlf 2018-01-01 && leat run crlf2 2018-01-01 &&
	eq "$(leat cat raw/crlf:/ds=2018-01-01/x)" 2018-01-01 && eq "$(leat cat raw/crlf2:/ds=2018-01-01/x)" 2018-01-01
'

test_expect 'a job of one file, in Python, with its keys in a comment' '
	cd w &&
	cat >jobs/py.py <<\X &&
# kind: script
# partition: daily
# output: raw/py
import os
open(os.environ["LEAT_OUTPUT"] + "/x", "w").write(os.environ["DS"])
X
	leat run py 2018-01-01 && eq "$(leat cat raw/py:/ds=2018-01-01/x)" 2018-01-01
'

test_expect 'a link out of the output, a socket and a terabyte of holes are refused by name' '
	cd w &&
	job odd raw/odd "params: {what: link}" <<\X &&
#!/bin/sh
case $(sed "s/.*\"what\":\"\([a-z]*\)\".*/\1/" "$LEAT_SPEC") in
link) ln -s /etc/passwd "$LEAT_OUTPUT/away" ;;
hole) truncate -s 1T "$LEAT_OUTPUT/huge" ;;
socket) python3 -c "import socket, os; os.chdir(os.environ[\"LEAT_OUTPUT\"]); socket.socket(socket.AF_UNIX).bind(\"sock\")" ;;
esac
X
	exits 1 leat run odd 2018-01-01 2>err && has err away &&
	exits 1 leat run odd 2018-01-01 --param what=hole 2>err && has err huge &&
	exits 1 leat run odd 2018-01-01 --param what=socket 2>err && has err sock &&
	exits 1 leat ls raw/odd
'

test_expect 'code edited during a run: the run keeps its own' '
	cd w &&
	job slow raw/slow <<\X &&
#!/bin/sh
while ! [ -e "$HOME/go" ]; do sleep 0.05; done
echo one >"$LEAT_OUTPUT/x"
X
	{ leat run slow 2018-01-01..2018-01-04 -j 1 >out 2>&1 & } && pid=$! && t_pids+=($pid) &&
	wait_for 10 sh -c "ls .leat/staging/run/*/1/work/job.sh" &&
	sed -i s/one/two/ jobs/slow/job.sh && touch "$HOME/go" && wait $pid &&
	for d in 1 2 3 4; do eq "$(leat cat raw/slow:/ds=2018-01-0$d/x)" one; done
'

test_expect 'no staging folder and no process of a run is left' '
	cd w && eq "$(find .leat/staging/run -mindepth 1 | wc -l)" 0
'
test_done
