#!/usr/bin/env bash
# Jobs of kind python are forked, one process for each unit, from an interpreter that has imported already.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"

# Warm is what no `leat` started: its parent is an interpreter.
HOW='
import os, sys
def how():
    return "warm" if "leat" not in open("/proc/%d/comm" % os.getppid()).read() and "zygote" in open("/proc/%d/cmdline" % os.getppid()).read() else "cold"
'
job() { # NAME KEYS: reads job.py from standard input
	mkdir -p "jobs/$1" && printf '%b' "kind: python\npartition: daily\noutput: raw/$1\n$2" >"jobs/$1/job.yaml" && { echo "$HOW" && echo "def wait_until_ready(ds):" && echo "$READY" | sed "s/^/    /" && cat; } >"jobs/$1/job.py"
}
how() { leat cat "raw/$1:/ds=$2/how"; }
warmed() {
	warm_now() { leat run "$1" "$2" --again >/dev/null 2>&1 && [ "$(how "$1" "$2")" = warm ]; }
	wait_for 60 warm_now "$1" "$2"
}
workspace w >/dev/null 2>&1 || exit 1
cd .. || exit 1
serve w >/dev/null || exit 1

test_expect 'each unit is forked and has its own state, environment, seed and code beside it; its result is the same' '
	cd w && job a "params: {k: 3}\n" <<X && echo "word = 1" >jobs/a/helper.py && rm -f "$HOME/pids" &&
import random, helper
def run(output, params, ds):
    print("seen", getattr(sys, "been_here", None), helper.word, os.getcwd() == os.path.dirname(os.path.abspath(__file__)))
    sys.been_here = ds
    (output / "how").write_text(how())
    (output / "r").write_text(repr(random.random()))
    (output / "told").write_text("%s %s %s %s" % (ds, os.environ["DS"], params.k, os.environ["LEAT_TASK"] in open("/proc/self/environ").read()))
    open(os.environ["HOME"] + "/pids", "a").write("%d %d\n" % (os.getpid(), os.getppid()))
X
	warmed a 2018-01-01 && rm "$HOME/pids" && for d in 2 3 4 5; do
		leat run a 2018-01-0$d && eq "$(how a 2018-01-0$d)" warm && eq "$(leat cat raw/a:/ds=2018-01-0$d/told)" "2018-01-0$d 2018-01-0$d 3 True" &&
		leat logs a 2018-01-0$d >log && has log "seen None 1 True" || return 1
	done && eq "$(cut -d" " -f1 "$HOME/pids" | sort -u | wc -l)" 4 && eq "$(cut -d" " -f2 "$HOME/pids" | sort -u | wc -l)" 1 &&
	eq "$(for d in 2 3 4 5; do leat cat raw/a:/ds=2018-01-0$d/r; echo; done | sort -u | wc -l)" 4
'

test_expect 'an edit of its code, and of what lies beside it, is seen by the next unit' '
	cd w && echo "word = 2" >jobs/a/helper.py && leat run a 2018-01-03 && eq "$(how a 2018-01-03)" warm && leat logs a 2018-01-03 >log && has log "seen None 2 True"
'

test_expect 'however it ends, the run says so: an exception with its line, a status, a signal, its limit of time; nothing runs on' '
	cd w && job bad "retries: 0\ntimeout: 3s\n" <<X &&
import signal, subprocess, time
def run(output, ds):
    (output / "how").write_text(how())
    what = ds[-1]
    if what == "1":
        return
    assert how() == "warm"
    child = subprocess.Popen("setsid sleep 1000 & wait", shell=True)
    open(os.environ["HOME"] + "/bad." + what, "w").write("%d %d" % (os.getpid(), child.pid))
    if what == "3":
        raise ValueError("of three")
    if what == "4":
        sys.exit(7)
    if what == "5":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "6":
        time.sleep(1000)
X
	warmed bad 2018-01-01 && line=$(grep -n "of three" jobs/bad/job.py | cut -d: -f1) &&
	exits 1 leat run bad 2018-01-03 2>err && has err "jobs/bad/job.py:$line: ValueError: of three" &&
	exits 1 leat run bad 2018-01-04 2>err && has err "exit status 7" && exits 1 leat run bad 2018-01-05 2>err && has err "killed by signal 11" &&
	exits 1 leat run bad 2018-01-06 2>err && has err "limit of 3000 ms" && for d in 3 4 5 6; do
		for p in $(cat "$HOME/bad.$d"); do ! kill -0 "$p" 2>/dev/null || grep -q "State:.Z" "/proc/$p/status" || return 1; done
	done
'

test_expect 'its processor time and memory are in its try; memory: holds it' '
	cd w && job big "retries: 0\nmemory: 400M\n" <<X &&
import time
def run(output, ds):
    (output / "how").write_text(how())
    if ds[-1] == "9":
        assert how() == "warm"
        x = bytearray(1000 << 20); time.sleep(60)
    x = bytearray(100 << 20)
X
	warmed big 2018-01-01 && exits 1 leat run big 2018-01-09 2>err && has err "memory: 400M allows" && leat runs big --attempts --json >tries &&
	eq "$(json tries "max(t[\"peak\"] for t in d if t[\"state\"] == \"success\") > 100 << 20")" true
'

test_expect 'isolation: fresh, a sandbox and variables for the interpreter start it anew' '
	cd w && for k in "isolation: fresh" "sandbox: on" "env: {PYTHONHASHSEED: \"0\"}"; do
		echo "def run(output): (output / \"how\").write_text(how())" | job cold "$k\n" && leat run cold 2018-01-02 --again && eq "$(how cold 2018-01-02)" cold || return 1
	done
'

test_expect "a job's own file wins over a module of the same name that could have been imported ahead" '
	cd w && site=$(python3 -m site --user-site) && mkdir -p "$site" && echo "whose = \"of the machine\"" >"$site/requests.py" && python3 -c "import requests" && job own <<X &&
import requests
def run(output):
    (output / "how").write_text(how())
    print("requests is", requests.whose)
X
	warmed own 2018-01-01 && leat logs own 2018-01-01 >log && has log "is of the machine" && echo "whose = \"my own\"" >jobs/own/requests.py && warmed own 2018-01-02 && leat logs own 2018-01-02 >log && has log "is my own" &&
	rm jobs/own/requests.py && warmed own 2018-01-03 && leat logs own 2018-01-03 >log && has log "is of the machine" && rm "$site/requests.py"
'
test_expect 'within memory: 200M rows without any library still become a table' '
	cd w && job small "memory: 200M\n" <<X && sed -i "s|output: raw/small|output: tables/small|" jobs/small/job.yaml &&
def run(ds):
    return [{"a": 1, "b": "x" * 3000000}]
X
	leat run small 2018-01-01 && eq "$(leat sql "select a, length(b) as b from tables.small" --format csv | tail -1)" 1,3000000
'
test_expect 'without a daemon the interpreter lives as long as the run' '
	cd w && kill "$(daemon_pid .)" && wait_for 60 test ! -e .leat/serve.json && job many "" <<X &&
def run(output, ds):
    wait_until_ready(ds)
    (output / "how").write_text(how())
    open(os.environ["HOME"] + "/from", "w").write(str(os.getppid()))
X
	leat run many 2018-01-01..2018-01-04 -j 1 && eq "$(how many 2018-01-01)$(how many 2018-01-04)" coldwarm && wait_for 10 eval "! kill -0 $(cat "$HOME/from") 2>/dev/null"
'

test_expect 'one that is forked outlives its run, which is killed, and the next run takes what it made' '
	cd w && job outlives "" <<X &&
import time
def run(output, ds):
    wait_until_ready(ds)
    if ds[-1] == "3":
        open(os.environ["HOME"] + "/begun", "w").close()
        while not os.path.exists(os.environ["HOME"] + "/go"):
            time.sleep(0.02)
    (output / "how").write_text(how())
X
	{ "$LEAT_BIN" run outlives 2018-01-01..2018-01-03 -j 1 >out 2>err 9>&- & } && bg=$! && t_pids+=($bg) && wait_for 60 test -e "$HOME/begun" && kill -9 $bg && { wait $bg || true; } &&
	: >"$HOME/go" && leat run outlives 2018-01-03 && eq "$(how outlives 2018-01-03)" warm && leat runs outlives --attempts --json >tries &&
	eq "$(json tries "[[t[\"attempt\"], t[\"state\"]] for t in (d if isinstance(d, list) else [d]) if t[\"ds\"] == \"2018-01-03\"]")" "[[1, \"success\"]]"
'

test_done
