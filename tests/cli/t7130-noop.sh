#!/usr/bin/env bash
# Steps without a process: jobs that only order others (kind: noop), queries without output (output: none).
. "$(dirname "$0")/../lib.sh"

noop() { # NAME LINES
	mkdir -p "jobs/$1" && printf 'kind: noop\npartition: daily\n%b\n' "${2:-}" >"jobs/$1/job.yaml"
}
tells() { # NAME LINES [COMMAND]: a script that tells $TRASH/order that it ran
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\noutput: t/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && printf '#!/bin/sh\necho %s >>"%s/order"\n%b\n' "$1" "$TRASH" "${3:-}" >"jobs/$1/job.sh"
}
query() { # NAME LINES SQL
	mkdir -p "jobs/$1" && printf 'output: none\npartition: daily\n%b\n' "$2" >"jobs/$1/job.yaml" && echo "$3" >"jobs/$1/job.sql"
}
rows() { # 'QUERY': of leat.db, a line each
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
states() { # JOB: the state of each ds as it was last
	rows "select state from unit where job = '$1' and id in (select max(id) from unit group by job, ds) order by ds" | tr '\n' ' '
}
ran() { tr '\n' ' ' <"$TRASH/order"; }

test_expect 'a step that joins others: they come first, what comes after it last; it has no output, no log and no folder' '
	workspace w && noop begin && tells b "after: begin" && tells c "after: begin" && noop join "after: [b, c]" && tells end "after: join" && : >"$TRASH/order" &&
	exits 1 leat run end 2024-01-01 2>err && has err "end 2024-01-01: join has to succeed first, for ds=2024-01-01 (after)" &&
	leat run end 2024-01-01..2024-01-02 -u >out && has out "10 ran" && eq "$(tail -2 "$TRASH/order" | tr "\n" " ")" "end end " &&
	leat runs join --json >runs && has runs success && leat jobs --json >jobs.out && eq "$(json jobs.out "[r.get(\"output\") for r in d if r[\"kind\"] == \"noop\"]")" "[null, null]" &&
	leat ls >ls && lacks ls join begin @ && [ -z "$(find .leat/logs .leat/staging -name "*join*")" ] && leat fsck && leat graph >g && has g "[join]" && lacks g @ &&
	leat why join 2024-01-02 >why && has why "join ds=2024-01-02 is up to date" && lacks why @
'
test_expect 'what is done stays done; a new key or --again makes it run once more' '
	cd w && leat run >out 2>&1 && has out "0 ran, 0 known" && leat run join 2024-01-01 >out && has out "0 ran, 0 known" && : >"$TRASH/order" &&
	printf "params: {n: 1}\n" >>jobs/join/job.yaml && leat plan --json >plan && eq "$(json plan "sorted((r[\"job\"], r[\"ds\"], r[\"reason\"]) for r in d)")" "[[\"join\", \"2024-01-01\", \"param-changed\"], [\"join\", \"2024-01-02\", \"param-changed\"]]" &&
	leat run >out && has out "2 ran" && eq "$(ran)" "" && leat run join 2024-01-01 --again >out && has out "1 ran" && leat backfill join --from 2024-01-01 --to 2024-01-04 --mode missing --dry-run >out 2>&1 && has out "2024-01-03"
'
test_expect 'its days are those of what comes first, and it is a day for what comes after' '
	cd w && tells first "" && noop mid "after: first" && noop last "after: mid" && leat run first 2024-05-01..2024-05-03 && leat run >out && has out "6 ran" && leat run >out 2>&1 && has out "0 ran, 0 known"
'
test_expect 'when: a join is not made after a failure, one of all_done is, one of one_failed only then' '
	workspace rules && noop a && tells good "after: a" && tells bad "after: a" "exit 3" && noop all "after: [good, bad]" && noop done "after: [good, bad]\nwhen: all_done" &&
	noop alarm "after: [good, bad]\nwhen: one_failed" && noop fine "after: good\nwhen: one_failed" && tells cleanup "after: done" && tells never "after: all" && : >"$TRASH/order" &&
	tells top "after: [fine, alarm, never, cleanup]\nwhen: all_done" && exits 1 leat run top 2024-01-01 -u >out 2>err &&
	eq "$(states all)$(states done)$(states alarm)$(states fine)" "upstream-failed success success skipped " &&
	grep -q cleanup "$TRASH/order" && exits 1 grep -q never "$TRASH/order"
'
test_expect 'one that needs a place of a full pool waits for it and says so; cancelled, it is cancelled, and nothing that comes after it ran' '
	workspace pool && printf "\nslots: 4\npools: {one: 1}\n" >>leat.yaml && tells hold "pool: one" "while [ ! -e \"$TRASH/go\" ]; do sleep 0.05; done" && noop gate "pool: one" && tells behind "after: gate" && rm -f "$TRASH/go" && : >"$TRASH/order" &&
	beside hold.out "$LEAT_BIN" run hold 2024-01-01 && h=$BESIDE && wait_for 20 grep -q hold "$TRASH/order" &&
	beside behind.out "$LEAT_BIN" run behind 2024-01-01 -u && b=$BESIDE && wait_for 20 sh -c "\"$LEAT_BIN\" runs gate --json | grep -q \"waiting: pool one 1/1 held by hold 2024-01-01\"" &&
	leat cancel gate >/dev/null && exits 1 wait $b && eq "$(states gate)" "cancelled " && touch "$TRASH/go" && wait $h && eq "$(ran)" "hold " && leat run behind 2024-01-01 -u && eq "$(ran)" "hold behind "
'
test_expect 'while all slots are taken it passes: it needs none' '
	workspace slots && printf "\nslots: 1\n" >>leat.yaml && tells hold "" "while [ ! -e \"$TRASH/go\" ]; do sleep 0.05; done" && noop free && rm -f "$TRASH/go" && : >"$TRASH/order" &&
	beside hold.out "$LEAT_BIN" run hold 2024-01-01 && h=$BESIDE && wait_for 20 grep -q hold "$TRASH/order" && timeout 60 "$LEAT_BIN" run free 2024-01-01 >out && has out "1 ran" && touch "$TRASH/go" && wait $h
'
test_expect 'events tell of it as of all others, and it is in the runs of the daemon' '
	workspace ev && noop a && serve . && leat run a 2024-01-01 --detach 2>/dev/null && wait_for 20 sh -c "\"$LEAT_BIN\" runs a --json | grep -q success" &&
	told() { curl -sN -m 2 --unix-socket .leat/serve.sock "http://x/api/v1/events" -H "Last-Event-ID: 0" >ev; grep -q "\"job\": *\"a\"" ev && grep -q success ev; } && wait_for 20 told
'
test_expect 'a query without output: its rows are in its log and in why, nothing is published, and it is done' '
	workspace sql && query q "" "select 42 as answer, '"'{{ ds }}'"' as d" && leat run q 2024-01-01..2024-01-06 >out && has out "6 ran" && leat logs q 2024-01-03 >log && printf "answer\td\n42\t2024-01-03\n" | same log - &&
	leat why q 2024-01-03 --json >why && eq "$(json why "d[\"made_by\"][\"facts\"][\"result\"]")" "[[42, \"2024-01-03\"]]" && leat ls >ls && lacks ls q && [ -z "$(find .leat -name "*.parquet")" ] && leat run q 2024-01-01..2024-01-06 >out 2>&1 && has out "0 ran, 0 known" &&
	echo "select 43 as answer" >jobs/q/job.sql && leat plan q --ds 2024-01-01..2024-01-06 --json >plan && eq "$(json plan "sorted({r[\"reason\"] for r in d})")" "[\"code-changed\"]" && leat run q 2024-01-01..2024-01-06 >out && has out "6 ran" && leat run q 2024-01-01 >out && has out "0 ran" && leat fsck
'
test_expect 'of many at once the one that fails fails, with its error, and the others do not; cancelled states and retries are as ever' '
	cd sql && query many "" "select case when '"'{{ ds }}'"' = '"'2024-02-03'"' then error('"'not this day'"') else 1 end as x" && exits 1 leat run many 2024-02-01..2024-02-08 >out 2>err && has out "7 ran" && cat out err >both && has both "not this day" &&
	eq "$(states many)" "success success failed success success success success success " && leat backfill many --from 2024-02-01 --to 2024-02-08 --mode failed --dry-run --json >dry && has dry 2024-02-03 && [ "$(grep -c "\"runs\":true" dry)" = 1 ] &&
	eq "$(rows "select count(*), sum(t.n) from unit u join attempt t on t.unit = u.id where u.job = '"'many'"' and u.state = '"'success'"'")" "7 7"
'
test_expect 'a query without output over a table waits for it, and is stale when it changes' '
	cd sql && printf "v\n1\n2\n" >t.csv && query total "" "select sum(v) as v from raw.t" && exits 1 leat run total 2024-03-01 2>/dev/null && leat put raw/t t.csv --ds 2024-03-01 && leat run total 2024-03-01 && leat logs total 2024-03-01 >log && has log 3 &&
	printf "v\n5\n" >t.csv && leat put raw/t t.csv --ds 2024-03-01 && leat run && leat logs total 2024-03-01 >log && has log 5
'
test_expect 'more rows than are kept are counted' '
	cd sql && query rows "" "select range as n from range(1000)" && leat run rows 2024-01-01 && leat logs rows 2024-01-01 >log 2>err && count 11 cat log && has err "1000 rows, the first 10 of them" && leat why rows 2024-01-01 --json >why && eq "$(json why "d[\"made_by\"][\"facts\"][\"rows\"]")" 1000
'
test_expect 'on a workspace branch it is done there, and on master anew' '
	workspace on && noop a && leat run a 2024-01-01 && leat branch try 2>/dev/null && leat run a 2024-01-01..2024-01-03 --on try >out && has out "2 ran" && leat run a 2024-01-01..2024-01-03 --on try >out && has out "0 ran" &&
	leat run a 2024-01-02 >out && has out "1 ran" && leat merge try 2>/dev/null && leat run a 2024-01-01..2024-01-03 >out && has out "1 ran" && leat fsck
'
test_expect 'where its ends are noted is nobody else'"'"'s name for anything' '
	cd on && exits 1 leat cat a:/x 2>err && has err "there is no repo a" && lacks err @ && exits 2 leat sql "select * from a" 2>err && has err "there is no table a" && lacks err @
'
test_expect 'there is nothing to accept of it' '
	cd on && printf "params: {n: 1}\n" >>jobs/a/job.yaml && exits 2 leat accept a 2024-01-01 --because so 2>err && has err "a has no output that could be accepted"
'
test_expect 'mistakes are told at their place' '
	workspace bad && noop a "output: t/a" && exits 2 leat plan 2>err && has err "jobs/a/job.yaml:3:9: a job of kind noop writes nothing" &&
	noop a "checks: [rows > 0]" && exits 2 leat plan 2>err && has err "jobs/a/job.yaml:3:9: checks is for jobs with an output, and this one has none" &&
	rm -r jobs/a && query q "egress: /tmp/x" "select 1" && exits 2 leat plan 2>err && has err "egress is for jobs with an output" &&
	rm -r jobs/q && tells s && sed -i "s/^output:.*/output: none/" jobs/s/job.yaml && exits 2 leat plan 2>err && has err "jobs/s/job.yaml:3:9: a job of kind script has an output" "it may stay empty"
'
test_done
