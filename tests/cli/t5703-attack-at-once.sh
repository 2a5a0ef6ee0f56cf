#!/usr/bin/env bash
# Many commands at once on one workspace.
. "$(dirname "$0")/../lib.sh"

test_expect 'twelve puts at once into one repo make twelve commits, each file in the last' '
	workspace w && pids=() && for i in $(seq 12); do echo $i > f$i; "$LEAT_BIN" put raw/c f$i 9>&- & pids+=($!); done &&
	for p in "${pids[@]}"; do wait $p; done && count 12 leat ls raw/c && eq "$(leat log raw/c --json | wc -l)" 12 && leat fsck
'
test_expect 'five runs at once over overlapping days: each day runs once, and all five end well' '
	cd w && mkdir -p jobs/slow && printf "kind: script\npartition: daily\noutput: marts/slow\n" > jobs/slow/job.yaml &&
	printf "#!/bin/sh\nsleep 0.1; echo \$DS >> $TRASH/ran; echo \$DS > \$LEAT_OUTPUT/o\n" > jobs/slow/job.sh &&
	pids=() && for k in 1 2 3 4 5; do "$LEAT_BIN" run slow 2024-01-0$k..2024-01-1$k -j 2 > out$k 2>&1 9>&- & pids+=($!); done &&
	for p in "${pids[@]}"; do wait $p; done && eq "$(sort "$TRASH/ran" | uniq -d)" "" && eq "$(wc -l < "$TRASH/ran")" 15 && count 15 leat ls marts/slow -R && leat fsck
'
test_expect 'one of three runs is killed in the middle: the others take its days over and end well' '
	cd w && rm "$TRASH/ran" && sed -i "s/sleep 0.1/sleep 0.2/" jobs/slow/job.sh && pids=() &&
	for k in 1 2 3; do "$LEAT_BIN" run slow 2024-02-0$k..2024-02-09 -j 1 > out$k 2>&1 9>&- & pids+=($!); sleep 0.15; done &&
	kill -9 ${pids[0]} && { wait ${pids[0]} || true; } && wait ${pids[1]} && wait ${pids[2]} && leat run slow 2024-02-01 && count 24 leat ls marts/slow -R && leat fsck &&
	lacks out2 failed && lacks out3 failed
'
test_expect 'a workspace in a folder whose name is no UTF-8 is refused at init; one with line ends, quotes and globs works' '
	d=$(printf "$TRASH/lat\\351in") && exits 2 leat init "$d" 2> err && has err "no UTF-8" &&
	d="$TRASH/a b=c
\"q\" {x}[y]*?%s;\$z" && leat playground "$d" > out && cd "$d" && leat run weather 2024-01-03 --again && leat fsck && eq "$(sql "select count(*) from tables.weather" | tail -1)" 30
'
test_done
