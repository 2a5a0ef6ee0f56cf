#!/usr/bin/env bash
# What is laid down in datastore/ for one repo keeps nobody waiting who works on another (SEMANTICS 6, decision 0006).
. "$(dirname "$0")/../lib.sh"

amid() { # SIGNAL leat's arguments…: begins them, and sends them the signal when they have laid down twenty files of a folder
	python3 -c 'import glob, os, signal, subprocess, sys, time
child = subprocess.Popen([os.environ["LEAT_BIN"]] + sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
end = time.time() + 60
while child.poll() is None and time.time() < end:
    for swap in glob.glob(".leat/staging/swap-*"):
        try:
            laid = len(os.listdir(swap))
        except FileNotFoundError:
            continue
        if laid >= 20:
            child.send_signal(getattr(signal, sys.argv[1]))
            print(child.pid)
            sys.exit(0)
sys.exit("it was through before")' "$@"
}
export LEAT_BIN
ended() { # PID: waits until it has
	timeout 60 tail --pid="$1" -f /dev/null
}

test_expect 'a put of 3,000 files is stopped in the midst of laying them down in datastore/' '
	workspace w && mkdir ../big && (cd ../big && seq -f %08.0f 3000 | split -a 4 -l 1 - f) && echo one >../one &&
	leat put raw/small:/a ../one && pid=$(amid SIGSTOP put raw/big ../big) && t_pids+=($pid) && sleep 0.1 && eq "$(leat ls raw/big | wc -l)" 3000 && [ ! -e datastore/raw/big/faaaa ] &&
	swap=$(echo .leat/staging/swap-*) && laid=$(ls "$swap" | wc -l) && [ "$laid" -lt 3000 ]
'
test_expect 'puts, removals and commits of another repo do not wait, and are laid down; nor does a new repo, or the end of one' '
	cd w && timeout 60 "$LEAT_BIN" put raw/small:/b ../one && [ -f datastore/raw/small/b ] &&
	timeout 60 "$LEAT_BIN" rm raw/small:/a && [ ! -e datastore/raw/small/a ] && echo mine >datastore/raw/small/c &&
	timeout 60 "$LEAT_BIN" commit raw/small && eq "$(leat cat raw/small:/c)" mine &&
	timeout 60 "$LEAT_BIN" put other/new:/x ../one && [ -f datastore/other/new/x ] &&
	timeout 60 "$LEAT_BIN" rm --repo other/new && [ ! -e datastore/other/new ] &&
	printf "put raw/small:/d ../one\nput raw/third:/d ../one\n" >../b && timeout 60 "$LEAT_BIN" batch -f ../b && [ -f datastore/raw/third/d ]
'
test_expect 'none of them, nor gc, takes for a leftover what the stopped one has built so far' '
	cd w && timeout 60 "$LEAT_BIN" gc && eq "$(ls "$swap" | wc -l)" "$laid"
'
test_expect 'a put to the same repo commits at once, and waits only to see its file laid down' '
	cd w && beside ../late "$LEAT_BIN" put raw/big:/late ../one && late=$BESIDE && wait_for 60 leat cat raw/big:/late && eq "$(leat cat raw/big:/late)" one && sleep 1 && lives $late && [ ! -e datastore/raw/big ] && kill -9 $late
'
test_expect 'when the stopped one goes on it ends its work, and the next command that writes lays down what came after' '
	cd w && kill -CONT $pid && ended $pid && eq "$(cat datastore/raw/big/faaab)" 00000002 && eq "$(leat ls raw/big | wc -l)" 3001 &&
	leat put raw/small:/e ../one && eq "$(cat datastore/raw/big/late)" one && leat status >s && lacks s "not committed" raw/big
'
test_expect 'one that is killed there leaves it to the next command, whichever repo that writes' '
	cd w && pid=$(amid SIGKILL put raw/large ../big) && ended $pid && leat put raw/small:/f ../one && eq "$(cat datastore/raw/large/faaab)" 00000002 &&
	eq "$(ls .leat/staging)" "" && leat fsck
'
test_done
