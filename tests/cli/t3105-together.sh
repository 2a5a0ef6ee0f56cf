#!/usr/bin/env bash
# Two commands at once; a run that is stopped or killed in the middle (DESIGN 2.1, 2.2; issue, "done when").
. "$(dirname "$0")/../lib.sh"

slow_job() { # a script of one day that says when it began and waits until it may end
	mkdir -p jobs/slow
	printf 'kind: script\noutput: raw/slow\npartition: daily\n' > jobs/slow/job.yaml
	printf '#!/bin/sh\necho "began $$" >> %s/began\nwhile [ ! -e %s/go ]; do sleep 0.02; done\necho done > "$LEAT_OUTPUT/f"\n' "$PWD" "$PWD" > jobs/slow/job.sh
	chmod +x jobs/slow/job.sh
	printf -- '#!/bin/sh\n# output: raw/after\n# partition: daily\n# inputs: {slow: raw/slow}\ncat "$LEAT_INPUT_slow/f" > "$LEAT_OUTPUT/f"\n' > jobs/after.sh
	chmod +x jobs/after.sh
}

test_expect 'two leat run of the same unit at once: it runs once, the second waits and reports the same run' '
	workspace two && slow_job && { leat run slow 2024-01-01 --json > ../a 2>&1 & } && a=$! && t_pids+=($a) && wait_for 20 test -s began && beside ../b "$LEAT_BIN" run slow 2024-01-01 --json && b=$BESIDE && wait_for 20 has ../b "\"event\":\"waits\"" && touch go && wait $a && wait $b &&
	count 1 cat began && count 1 leat log raw/slow --json && ra=$(grep -o "\"run\":\"[0-9a-f]*" ../a | head -1) && has ../b "run $(echo "${ra#*:\"}" | cut -c1-12) of another command did it" "\"ran\":0" &&
	grep -o "\"\(run\|unit\|batch\)\":[\"0-9a-f]*" ../a | sort -u > ../ids.a && grep -o "\"\(run\|unit\|batch\)\":[\"0-9a-f]*" ../b | sort -u > ../ids.b && count 3 cat ../ids.a && same ../ids.a ../ids.b
'
test_expect 'leat put, ls and sql go on while a run is going on' '
	workspace going && slow_job && { leat run slow 2024-01-01 > ../a 2>&1 & } && a=$! && t_pids+=($a) && wait_for 20 test -s began && echo 1 > f && leat put raw/x f && leat ls raw/x && sql "select 1" && leat status && leat jobs && leat runs > ../out && has ../out slow running && touch go && wait $a && leat ls raw/slow
'
test_expect 'Ctrl-C stops the children, publishes nothing and says so; the same again ends right' '
	workspace int && slow_job && { "$LEAT_BIN" run after 2024-01-01 -u > ../a 2>&1 & } && a=$! && t_pids+=($a) && wait_for 20 test -s began && pid=$(sed "s/began //" began) && kill -INT $a && exits 1 wait $a && has ../a "nothing" &&
	wait_for 10 sh -c "! kill -0 $pid 2> /dev/null" && exits 1 leat ls raw/slow 2> /dev/null && exits 1 leat ls raw/after 2> /dev/null && leat fsck && touch go && leat run after 2024-01-01 -u && eq "$(leat cat raw/after:/ds=2024-01-01/f)" done && count 2 cat began
'
test_expect 'a run that was killed (-9) leaves nothing half; its task is ended, and the next command takes over at once' '
	workspace kil && slow_job && { "$LEAT_BIN" run after 2024-01-01 -u > ../a 2>&1 & } && a=$! && t_pids+=($a) && wait_for 20 test -s began && pid=$(sed "s/began //" began) && kill -KILL $a && { wait $a || true; } &&
	exits 1 leat ls raw/slow 2> /dev/null && leat fsck && touch go && leat run after 2024-01-01 -u && eq "$(leat cat raw/after:/ds=2024-01-01/f)" done && count 1 leat log raw/slow --json && wait_for 10 sh -c "! kill -0 $pid 2> /dev/null" && leat fsck &&
	leat runs --json > ../out && has ../out lost && lacks ../out "\"state\":\"running\""
'
test_expect 'eight puts at once into one repo are eight commits, none lost' '
	workspace put8 && for i in 1 2 3 4 5 6 7 8; do echo $i > f$i && { leat put raw/x f$i > /dev/null 2>> ../err & } && p[i]=$!; done && for i in 1 2 3 4 5 6 7 8; do wait ${p[i]}; done && count 8 leat log raw/x --json && count 8 leat ls raw/x &&
	eq "$(ls datastore/raw/x | wc -l)" 8 && leat fsck && leat status > ../out && lacks ../out datastore
'
test_expect 'a script that exits 3 in the middle of a chain: exit 1, nothing published, log kept, downstream not started' '
	workspace ex && slow_job && printf "#!/bin/sh\necho trouble here\necho to err >&2\necho half > \$LEAT_OUTPUT/f\nexit 3\n" > jobs/slow/job.sh && exits 1 leat run after 2024-01-01 -u > ../a 2>&1 && has ../a "3" "after" && exits 1 leat ls raw/slow 2> /dev/null &&
	exits 1 leat ls raw/after 2> /dev/null && leat logs slow 2024-01-01 > ../out 2>&1 && has ../out "trouble here" "to err" && leat jobs > ../out && has ../out failed && leat runs > ../out && has ../out failed && leat why slow 2024-01-01 > ../out && has ../out fail
'
test_expect 'rerun takes what failed, and only that' '
	cd ex && printf "#!/bin/sh\necho whole > \$LEAT_OUTPUT/f\n" > jobs/slow/job.sh && leat rerun && eq "$(leat cat raw/slow:/ds=2024-01-01/f)" whole && eq "$(leat cat raw/after:/ds=2024-01-01/f)" whole
'
test_expect 'logs -f shows what a unit prints while it runs, and ends with it' '
	workspace lf && slow_job && sed -i "s/^while/echo hello\nwhile/" jobs/slow/job.sh && { leat run slow 2024-01-01 > ../a 2>&1 & } && a=$! && t_pids+=($a) && wait_for 20 test -s began && { leat logs -f slow 2024-01-01 > ../log 2>&1 & } && l=$! && t_pids+=($l) && wait_for 20 grep -q hello ../log && kill -0 $l && touch go && wait $l && wait $a
'
test_expect 'a run whose reader goes away does its work to the end' '
	workspace gone && printf "#!/bin/sh\n# output: raw/g\n# partition: daily\necho 1 > \$LEAT_OUTPUT/f\n" > jobs/g.sh && chmod +x jobs/g.sh && { leat run g 2024-01-01..2024-01-20 --json 2>&1 || true; } | head -1 > ../out && count 20 leat ls raw/g
'
test_done
