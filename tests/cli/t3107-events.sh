#!/usr/bin/env bash
# Ids: what one event and one command caused, and how it is named (SEMANTICS 1).
. "$(dirname "$0")/../lib.sh"

field() { # FILE KEY: of the last line
	tail -1 "$1" | python3 -c "import json,sys; print(json.load(sys.stdin)['$2'])"
}
workspace w > /dev/null 2>&1 || exit 1
for d in 1 2 3; do printf 'a\n%s\n' $d | leat put raw/in --ds 2024-01-0$d - --name f.csv > /dev/null; done
printf -- '-- output: tables/one\n-- partition: daily\n-- pipeline: p\nselect a from raw."in"\n' > jobs/one.sql
printf -- '-- output: tables/two\n-- partition: daily\n-- pipeline: p\nselect a + 1 as a from tables.one\n' > jobs/two.sql
leat run > /dev/null 2>&1
cd ..

test_expect 'the commits of one ds of one pipeline have one id, which names them in every repo' '
	cd w && leat log tables/one -n 1 --json > ../one && id=$(field ../one commit) && leat log tables/two --json > ../two && has ../two "$id" && eq "$(field ../one global_id)" "$id" &&
	leat log $id --json > ../both && eq "$(json ../both "sorted(r[\"repo\"] for r in d)")" "[\"tables/one\", \"tables/two\"]" && leat ls tables/one@$id && leat ls tables/two@${id:0:8} && exits 1 leat ls raw/in@$id 2> ../err && has ../err tables/one
'
test_expect 'days of one command have ids of their own and share a batch, which log takes too' '
	cd w && leat log tables/one --json > ../one && eq "$(json ../one "len({r[\"commit\"] for r in d})")" 3 && eq "$(json ../one "len({r[\"batch\"] for r in d})")" 1 && b=$(field ../one batch) && leat log $b --json > ../all && eq "$(wc -l < ../all)" 6
'
test_expect 'an id is 32 lower-case hex digits, and each commit knows its number, its parent and its run' '
	cd w && leat log tables/one --json > ../one && eq "$(json ../one "all(len(r[\"commit\"]) == 32 and set(r[\"commit\"]) <= set(\"0123456789abcdef\") for r in d)")" true && eq "$(json ../one "[r[\"number\"] for r in d]")" "[3, 2, 1]" &&
	eq "$(json ../one "[d[i][\"parent\"] for i in range(3)] == [d[1][\"commit\"], d[2][\"commit\"], None]")" true && eq "$(json ../one "all(r[\"run\"] for r in d)")" true && leat why "$(field ../one run)" > ../out && has ../out one && leat logs "$(field ../one run)"
'
test_expect 'put always makes a commit; a run whose output equals the head makes none' '
	cd w && n=$(leat log tables/one --json | wc -l) && leat put raw/in --ds 2024-01-01 - --name f.csv < <(printf "a\n1\n") && count 4 leat log raw/in --json && leat run --again one 2024-01-01..2024-01-03 && count $n leat log tables/one --json
'
test_expect 'runs lists runs, newest first, with state and units; of one job alone; as many as asked' '
	cd w && leat runs --json > ../out && eq "$(json ../out "d[0][\"job\"]")" one && leat runs two --json > ../out && eq "$(json ../out "{r[\"job\"] for r in d} == {\"two\"}")" true && count 1 leat runs -n 1 --json && exits 2 leat runs nojob 2> err || { leat runs nojob --json > ../out && test ! -s ../out; }
'
test_expect 'jobs shows each job with kind, partition, output, pipeline and its last state' '
	cd w && leat jobs > ../out && has ../out one two sql daily tables/one success " p " && leat jobs --json > ../out && eq "$(json ../out "{r[\"job\"]: r[\"output\"] for r in d}[\"two\"]")" tables/two
'
test_done
