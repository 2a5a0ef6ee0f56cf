#!/usr/bin/env bash
# Notebooks of one job after the second are forked from an interpreter that has imported already: faster, and as clean.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"

test_expect 'the first two units start cold, what comes then is forked; each has its own state, environment and seed' '
	workspace w &&
	{ printf "# %%%%\nimport os, random, sys\n%s\n" "$WARM$READY" && cat; } <<\X >cells &&
print("seen", getattr(sys, "been_here", None)); sys.been_here = ds
print(os.environ["DS"], os.environ["LEAT_TASK"] in open("/proc/self/environ").read(), os.getcwd() == os.environ["PWD"] if "PWD" in os.environ else True)
open(outputs + "/r", "w").write(repr(random.random()))
X
	notebook many <cells && leat run many 2018-01-01..2018-01-06 -j 1 &&
	for d in 1 2; do seen "$(page many 2018-01-0$d).html" >seen && has seen "cold start" || return 1; done &&
	for d in 3 4 5 6; do
		seen "$(page many 2018-01-0$d).html" >seen && has seen "warm start" "seen None" "2018-01-0$d True" || return 1
	done &&
	eq "$(for d in 1 2 3 4 5 6; do leat cat raw/many:/ds=2018-01-0$d/r; echo; done | sort -u | wc -l)" 6
'

test_expect 'with the run its interpreter ends' '
	cd w && { printf "# %%%%\nimport os\n%s\n" "$WARM$READY"; echo "open(os.environ[\"HOME\"] + \"/from\", \"w\").write(str(os.getppid()))"; } | notebook from &&
	leat run from 2018-01-01..2018-01-03 -j 1 && seen "$(page from 2018-01-03).html" >seen && has seen "warm start" &&
	wait_for 10 eval "! kill -0 $(cat "$HOME/from")"
'

test_expect 'isolation: fresh, limits and an environment of its own start cold' '
	cd w && grep -v "^while ds" cells >alone && notebook fresh "isolation: fresh" <alone && leat run fresh 2018-01-01..2018-01-04 -j 1 &&
	seen "$(page fresh 2018-01-04).html" >seen && has seen "cold start" &&
	notebook own "env: {PYTHONHASHSEED: \"0\"}" <alone && leat run own 2018-01-01..2018-01-04 -j 1 &&
	seen "$(page own 2018-01-04).html" >seen && has seen "cold start"
'

test_expect 'inputs are as read-only in one that is forked' '
	cd w && for d in 1 2 3 4; do echo $d >f && leat put raw/in f --ds 2018-01-0$d || return 1; done &&
	{ printf "# %%%%\nimport os\n%s\n" "$WARM$READY" && cat; } <<\X | notebook reads "inputs: {days: raw/in}" &&
print("read", open(inputs["days"] + "/f").read())
try:
    open(inputs["days"] + "/f", "a").write("no")
    print("written")
except OSError as e:
    print("refused")
X
	leat run reads 2018-01-01..2018-01-04 -j 1 && seen "$(page reads 2018-01-04).html" >seen && has seen "read 4" refused && leat fsck
'

test_expect 'whatever ends a forked one: the page is there, and nothing of it runs on' '
	cd w && { printf "# %%%%\nimport os, signal, subprocess, time, sys\n%s\n" "$WARM$READY" && cat; } <<\X | notebook ends "timeout: 4s" &&
# %%
how = {"3": "kill", "4": "worker", "5": "exit", "6": "raise", "7": "limit"}.get(ds[-1])
child = subprocess.Popen(["sleep", "777777"]); open(os.environ["HOME"] + "/pids." + ds[-1], "w").write("%d %d" % (os.getpid(), child.pid))
if how == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
elif how == "worker":
    [os.kill(int(p), 9) for p in os.listdir("/proc") if p.isdigit() and os.environ["LEAT_TASK"] in open("/proc/%s/environ" % p, errors="replace").read()
     and "notebook" in open("/proc/%s/cmdline" % p).read()]
    time.sleep(600)
elif how == "exit":
    os._exit(0)
elif how == "raise":
    raise ValueError("bad")
elif how == "limit":
    time.sleep(600)
child.kill()
X
	exits 1 leat run ends 2018-01-01..2018-01-07 -j 1 2>err &&
	for d in 3 4 5 6 7; do
		seen "$(page ends 2018-01-0$d).html" >seen && has seen "warm start" "To cell 2" || return 1
		for p in $(cat "$HOME/pids.$d"); do ! kill -0 "$p" || grep -q "State:.Z" "/proc/$p/status" || return 1; done
	done &&
	has err "killed by signal 9" "exit status 0" "ValueError: bad" "longer than its limit" && leat ls raw/ends >ls && count 2 cat ls
'

test_expect 'with a daemon the interpreter serves one command after the other, and ends with the daemon' '
	cd w && { printf "# %%%%\nimport os\n%s\n" "$WARM$READY"; echo "open(os.environ[\"HOME\"] + \"/by.\" + ds, \"w\").write(str(os.getppid()))"; } | notebook served &&
	serve && leat run served 2018-01-01 && warm() { leat run served 2018-01-02 --again && seen "$(page served 2018-01-02).html" >seen && has seen "warm start"; } &&
	wait_for 30 warm && leat run served 2018-01-03 && seen "$(page served 2018-01-03).html" >seen && has seen "warm start" &&
	eq "$(cat "$HOME/by.2018-01-02")" "$(cat "$HOME/by.2018-01-03")" && z=$(cat "$HOME/by.2018-01-03") &&
	kill "$(daemon_pid .)" && gone() { ! kill -0 "$z" 2>/dev/null || grep -q "State:.Z" "/proc/$z/status"; } && wait_for 30 gone
'

test_done
