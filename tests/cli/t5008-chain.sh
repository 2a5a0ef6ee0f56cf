#!/usr/bin/env bash
# A chain of small jobs: the folders of a run that is over serve the next, and nobody sees anything of it.
. "$(dirname "$0")/../lib.sh"
needs_faults

chain() { # three jobs, each with code of its own; the first prints, the second says what lies in its folder
	mkdir -p jobs/a jobs/b jobs/c &&
	printf 'kind: script\npartition: none\noutput: raw/a\n' >jobs/a/job.yaml && printf 'echo a says "$1"; echo a >$LEAT_OUTPUT/a\n' >jobs/a/job.sh && echo of a >jobs/a/help.txt &&
	printf 'kind: script\npartition: none\noutput: raw/b\nafter: a\n' >jobs/b/job.yaml && printf 'o=$(ls $LEAT_OUTPUT); ls >$LEAT_OUTPUT/seen; echo "<$o>" >$LEAT_OUTPUT/out; echo $PWD >$LEAT_OUTPUT/at; echo x >>%s/n.b\n' "$TRASH" >jobs/b/job.sh &&
	printf 'kind: script\npartition: none\noutput: raw/c\nafter: b\n' >jobs/c/job.yaml && printf 'ls >$LEAT_OUTPUT/seen; echo $PWD >$LEAT_OUTPUT/at; echo c says; echo x >>%s/n.c\n' "$TRASH" >jobs/c/job.sh
}
run_of() { leat runs "$1" --json | head -1 | sed 's/.*"run":"\([0-9a-f]*\).*/\1/'; }

test_expect 'each task finds its own code and an empty output in a folder of its own run' '
	workspace w && chain && leat run -j 1 && eq "$(leat cat raw/b:/seen)" job.sh && eq "$(leat cat raw/b:/out)" "<>" && eq "$(leat cat raw/c:/seen)" job.sh &&
	eq "$(leat cat raw/b:/at)" "$PWD/.leat/staging/run/$(run_of b)/1/work" && eq "$(leat cat raw/c:/at)" "$PWD/.leat/staging/run/$(run_of c)/1/work"
'
test_expect 'what one printed stays its log, and who printed nothing has none' '
	cd w && eq "$(leat logs a)" "a says " && eq "$(leat logs c)" "c says" && eq "$(ls .leat/logs/$(run_of a) .leat/logs/$(run_of c) | grep log\$ | sort | tr "\n" " ")" "a.1.log c.1.log " &&
	lacks - says <<<"$(leat logs b 2>&1)" && eq "$(ls .leat/staging/run)" ""
'
test_expect 'the folder of one that wrote nothing is the next one'"'"'s: of a chain of ten no more are made than of one' '
	workspace ten && for i in 0 1 2 3 4 5 6 7 8 9; do
		mkdir -p jobs/h$i && printf "kind: script\npartition: none\noutput: raw/h$i\ncmd: [/bin/true]\n%s" "$([ $i = 0 ] || echo "after: h$((i - 1))")" >jobs/h$i/job.yaml || return 1
	done && leat run && eq "$(ls .leat/logs)" "$(run_of h9)" && eq "$(leat runs --json | grep -c success)" 10 && leat fsck
'
test_expect 'SEMANTICS 5: killed when a folder has just become the next run'"'"'s, each task is done once' '
	rm -f n.b n.c && workspace killed && chain && { { LEAT_CRASH_AT=run-folder-moved leat run -j 1 >/dev/null 2>&1 || true; } 2>/dev/null; } && test ! -e ../n.b &&
	eq "$(ls .leat/staging/run | wc -l)" 1 && leat run -j 1 && eq "$(cat ../n.b ../n.c)" "x
x" && eq "$(ls .leat/staging/run)" "" && eq "$(leat cat raw/b:/seen)" job.sh && leat run | has - "0 ran" && leat fsck
'
test_expect 'SEMANTICS 5: killed while a task works in such a folder, the next command takes it over there' '
	cd killed && rm -f ../n.b ../n.c ../go ../begun && printf "echo begun >%s/begun; while [ ! -e %s/go ]; do sleep 0.02; done; echo over >\$LEAT_OUTPUT/over; echo b says; echo x >>%s/n.b\n" "$TRASH" "$TRASH" "$TRASH" >jobs/b/job.sh &&
	echo "# once more" >>jobs/a/job.sh && { "$LEAT_BIN" run -j 1 >/dev/null 2>&1 9>&- & } && pid=$! && t_pids+=("$pid") && wait_for 10 test -s ../begun && kill -9 $pid && { wait $pid 2>/dev/null || true; } && : >../go && sleep 0.3 &&
	leat run -j 1 && eq "$(cat ../n.b)" x && eq "$(leat cat raw/b:/over)" over && eq "$(leat logs b)" "b says" && eq "$(ls .leat/staging/run)" "" && leat fsck
'
test_expect 'who sweeps what a crash left leaves the folder of a run that is over to the process that has it' '
	workspace swept && rm -f ../n.b ../n.c && chain && mkdir -p jobs/other && printf "kind: script\npartition: none\noutput: raw/other\ncmd: [/bin/true]\n" >jobs/other/job.yaml &&
	{ LEAT_STOP_AT=publish-committed "$LEAT_BIN" run c -u -j 1 >"$TRASH/stopped.out" 2>&1 9>&- & } && stopped=$! && t_pids+=("$stopped") && wait_for 10 is_stopped $stopped &&
	a=$(run_of a) && leat runs a --json | has - success && ls .leat/staging/run/$a/1/out && leat run other && ls .leat/staging/run/$a/1/out &&
	kill -CONT $stopped && wait $stopped && test ! -e .leat/staging/run/$a && eq "$(leat cat raw/b:/at)" "$PWD/.leat/staging/run/$(run_of b)/1/work" && eq "$(ls .leat/staging/run)" ""
'
test_done
