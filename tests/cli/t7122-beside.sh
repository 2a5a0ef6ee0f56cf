#!/usr/bin/env bash
# A command by hand beside the daemon; units out of a list that a task made; which code a rerun runs.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\nsandbox: off\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
slow() {
	job "$1" <<'Y'
echo "$LEAT_JOB $DS" >>"$HOME/ran"; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; echo x >"$LEAT_OUTPUT/x"; [ ! -e "$HOME/bad" ]
Y
}

test_expect 'run and rerun beside a daemon that has the same unit at work wait for it, say so in one sentence, report its run, and nothing runs twice' '
	workspace w && printf "slots: 4\n" >>leat.yaml && rm -f "$HOME"/go "$HOME"/ran "$HOME"/bad && slow j && serve . && leat run j 2026-03-01 --detach 2>/dev/null && wait_for 20 test -s "$HOME/ran" &&
	beside hand "$LEAT_BIN" run j 2026-03-01 && a=$BESIDE && wait_for 20 grep -q "waits   j 2026-03-01  another command works on it (run" hand && touch "$HOME/go" && wait $a && count 1 cat "$HOME/ran" && has hand "0 ran, 1 known" "of another command did it"
'
test_expect 'a hand that has it first is waited for by the daemon, whose request ends with it' '
	cd w && rm -f "$HOME"/go "$HOME"/ran && beside hand "$LEAT_BIN" run j 2026-03-02 && a=$BESIDE && wait_for 20 test -s "$HOME/ran" && leat run j 2026-03-02 --detach 2>/dev/null && sleep 0.5 && touch "$HOME/go" && wait $a &&
	ended() { leat runs j --json >r && lacks r "\"state\":\"waiting\"" "\"state\":\"queued\"" "\"state\":\"running\""; } && wait_for 20 ended && count 1 cat "$HOME/ran"
'
test_expect 'rerun of what failed while the daemon runs it again runs it once' '
	cd w && rm -f "$HOME"/ran && touch "$HOME/bad" && exits 1 leat run j 2026-03-03 2>/dev/null && rm "$HOME"/go "$HOME"/bad "$HOME"/ran && leat run j 2026-03-03 --detach 2>/dev/null && wait_for 20 test -s "$HOME/ran" &&
	b=$(python3 -c "import sqlite3; print(sqlite3.connect(\".leat/leat.db\").execute(\"select batch from run where state = ? order by created desc\", (\"failed\",)).fetchone()[0])") && beside hand "$LEAT_BIN" rerun "$b" && a=$BESIDE && wait_for 20 grep -q "another command works on it" hand && touch "$HOME/go" && wait $a && count 1 cat "$HOME/ran"
'

test_expect 'rerun runs the code as it is now, and says so where it is another one; each run keeps which code it ran' '
	workspace code && job c <<\X && exits 1 leat run c 2026-03-01 2>/dev/null && exits 1 leat rerun 2>err && lacks err "its code is another" && printf "echo mended >\$LEAT_OUTPUT/x\n" >jobs/c/job.sh && leat rerun 2>err && has err "c: its code is another one than that of run " "it runs as it is now" &&
exit 3
X
	eq "$(leat cat raw/c:/ds=2026-03-01/x)" mended && leat runs c --json >r && eq "$(python3 -c "import json; c = [json.loads(l)[\"code\"] for l in open(\"r\")]; print(len(c), len(set(c)), c[1] == c[2], len(c[0]))")" "3 2 True 12"
'

test_expect 'a list that a task made becomes a unit for each file: more of them later, only those; what it says is not to run is skipped, with the reason' '
	workspace fan && rm -f "$HOME/ran" && mkdir -p jobs/list jobs/each jobs/sum && printf "kind: script\noutput: raw/list\nsandbox: off\nskips: true\n" >jobs/list/job.yaml && printf "for n in \$(cat \$HOME/names); do echo \$n >\$LEAT_OUTPUT/\$n; done; [ ! -e \$HOME/nosum ] || echo sum >\$LEAT_SKIP\n" >jobs/list/job.sh &&
	printf "kind: script\ninputs: {one: {repo: raw/list, glob: \"/[a-z]*\"}}\noutput: tables/each\nsandbox: off\n" >jobs/each/job.yaml && printf "for f in \$LEAT_INPUT_one/*; do echo \$(basename \$f) >>$HOME/ran; tr a-z A-Z <\$f >\$LEAT_OUTPUT/\$(basename \$f); done\n" >jobs/each/job.sh &&
	printf "kind: script\ninputs: [raw/list]\noutput: tables/sum\nsandbox: off\n" >jobs/sum/job.yaml && printf "ls \$LEAT_INPUT_list | grep -c . >\$LEAT_OUTPUT/n\n" >jobs/sum/job.sh &&
	echo a b c >"$HOME/names" && leat run list && leat run && eq "$(sort "$HOME/ran" | xargs)" "a b c" && eq "$(leat cat tables/each:/b)" B && rm "$HOME/ran" && echo a c d >"$HOME/names" && leat run list --again && leat run && eq "$(sort "$HOME/ran" | xargs)" d && exits 1 leat cat tables/each:/b && eq "$(leat ls tables/each | xargs -n1 basename | xargs)" "a c d" &&
	touch "$HOME/nosum" && echo a c d e >"$HOME/names" && leat run list --again && leat run >out 2>err && leat why tables/each:/e | has - each && eq "$(leat cat tables/sum:/n)" 3 && leat plan --json >plan && eq "$(sort "$HOME/ran" | xargs)" "d e"
'
test_done
