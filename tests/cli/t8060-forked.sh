#!/usr/bin/env bash
# What is forked for a unit ahead of it: one unit for each, its limits held, what it took written down, nothing left running.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"

workspace w >/dev/null 2>&1 || exit 1
cd .. || exit 1
serve w >/dev/null || exit 1
# warmed JOB DS: an interpreter of its own stands ready, and this unit was forked from it
warmed() {
	warm_now() { leat run "$1" "$2" --again >/dev/null 2>&1 && seen "$(page "$1" "$2").html" >warm && grep -q "warm start" warm; }
	wait_for 60 warm_now "$1" "$2"
}
# of JOB DS: its last try
of() { leat runs "$1" --attempts --json >tries && json tries "[t for t in (d if isinstance(d, list) else [d]) if t[\"ds\"] == \"$2\"][0]"; }

test_expect 'each unit has a process of its own, forked before it was asked for or not; none sees what another did' '
	cd w && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X | notebook own &&
import sys, time
print("seen", getattr(sys, "been_here", None), "counted", globals().get("counted")); sys.been_here = ds; counted = 1
open(os.environ["HOME"] + "/pids", "a").write("%d %d\n" % (os.getpid(), os.getppid()))
X
	warmed own 2018-01-01 && rm "$HOME/pids" && for d in 2 3 4 5 6; do
		leat run own 2018-01-0$d && seen "$(page own 2018-01-0$d).html" >seen && has seen "warm start" "seen None counted None" || return 1
	done && eq "$(cut -d" " -f1 "$HOME/pids" | sort -u | wc -l)" 5 && eq "$(cut -d" " -f2 "$HOME/pids" | sort -u | wc -l)" 1
'

test_expect 'processor time and memory of an interpreter that is no child of its worker are in its try' '
	cd w && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X | notebook takes &&
import time
x = bytearray(150 << 20)
until = time.process_time() + 0.3
while time.process_time() < until:
    pass
X
	warmed takes 2018-01-01 && of takes 2018-01-01 >last && eq "$(json last "[d[\"cpu\"] >= 0.25, d[\"peak\"] > 150 << 20]")" "[true, true]"
'

test_expect 'a process that a unit leaves, in a session of its own, is ended with it, and only that of this unit' '
	cd w && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X | notebook leaves &&
import subprocess
child = subprocess.Popen("setsid sh -c \"echo \$\$ >$HOME/left; exec sleep 1000\" & while [ ! -s $HOME/left ]; do sleep 0.01; done", shell=True); child.wait()
X
	warmed leaves 2018-01-01 && : >"$HOME/left" && leat run leaves 2018-01-02 && [ -s "$HOME/left" ] && ! kill -0 "$(cat "$HOME/left")"
'

test_expect 'an interpreter that was replaced in its place is not the one that is forked from any more' '
	cd w && mkdir -p "$TRASH/py" && real=$(python3 -c "import sys; print(sys.executable)") && placed() { rm -f "$TRASH/py/python3" && printf "#!/bin/sh\nexec $real -X mark=$1 \"\$@\"\n" >"$TRASH/py/python3" && chmod +x "$TRASH/py/python3"; } && placed one && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X | notebook other "python: $TRASH/py/python3" &&
import sys
print("mark is", sys._xoptions["mark"])
X
	warmed other 2018-01-01 && has warm "mark is one" && placed two && leat run other 2018-01-02 && seen "$(page other 2018-01-02).html" >seen && has seen "mark is two" && warmed other 2018-01-03 && has warm "mark is two"
'

test_expect 'what is registered for the end runs, and what it prints there holds nobody up' '
	cd w && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X | notebook ends &&
import atexit
f = open(outputs + "/late", "w"); f.write("kept")
atexit.register(lambda: print("x" * 300000, "at the end", flush=True))
X
	warmed ends 2018-01-01 && leat run ends 2018-01-02 && leat logs ends 2018-01-02 >log && has log "at the end" && eq "$(leat cat raw/ends:/ds=2018-01-02/late)" kept
'

test_expect 'with memory: and cpu: it is forked too, and held to them' '
	cd w && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X | notebook held "memory: 400M" "cpu: 1" &&
print(open("/proc/self/cgroup").read().count("leat-") if os.path.exists("/proc/self/cgroup") else 0, "groups", open("/proc/%d/cgroup" % os.getppid()).read().count("leat-"))
# %%
if ds[-1] == "9":
    x = bytearray(1000 << 20)
    import time; time.sleep(60)
print("to the end")
X
	warmed held 2018-01-01 && exits 1 leat run held 2018-01-09 2>err && has err "memory: 400M allows" &&
	seen "$(page held 2018-01-09).html" >seen && has seen "warm start" "cell 2 failed" && of held 2018-01-09 >last && has last "\"state\": \"failed\"" && eq "$(json last "d[\"peak\"] > 50 << 20")" true &&
	leat run held 2018-01-08 && seen "$(page held 2018-01-08).html" >seen && has seen "warm start" "to the end"
'

if python3 -c 'import numpy' 2>/dev/null; then
	test_expect 'numpy has as many threads as in an interpreter that was started for itself' '
		cd w && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X >wide &&
import numpy
a = numpy.random.rand(600, 600)
for _ in range(3):
    a = a @ a / 600
print("threads", [line.split()[1] for line in open("/proc/self/status") if line.startswith("Threads:")][0], "of", "numpy")
X
		notebook wide <wide && notebook alone "isolation: fresh" <wide && warmed wide 2018-01-01 && leat run alone 2018-01-01 &&
		for j in wide alone; do seen "$(page $j 2018-01-01).html" | grep -o "threads [0-9]* of numpy" >threads.$j || return 1; done && same threads.alone threads.wide
	'
else
	test_skip 'threads of numpy' 'python3 has no numpy'
fi

test_expect 'a daemon that is killed takes no unit with it' '
	cd w && { printf "# %%%%\n%s\n" "$WARM" && cat; } <<\X | notebook goes &&
import time
if ds[-1] == "9":
    print("begun", flush=True)
    open(os.environ["HOME"] + "/begun", "w").close()
    while not os.path.exists(os.environ["HOME"] + "/go"):
        time.sleep(0.02)
print("to the end")
X
	warmed goes 2018-01-01 && { "$LEAT_BIN" run goes 2018-01-09 >out 2>err 9>&- & } && bg=$! && t_pids+=("$bg") && wait_for 60 test -e "$HOME/begun" &&
	kill -9 "$(daemon_pid .)" && : >"$HOME/go" && wait $bg && seen "$(page goes 2018-01-09).html" >seen && has seen "warm start" "to the end"
'

test_done
