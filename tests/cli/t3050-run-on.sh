#!/usr/bin/env bash
# Runs on a workspace branch (SEMANTICS 7): what is made there is read there, master stands, the memo knows it afterwards.
. "$(dirname "$0")/../lib.sh"
needs python3

rows() { python3 -c "import sqlite3, sys; print(sqlite3.connect('.leat/leat.db').execute(sys.argv[1]).fetchone()[0])" "$1"; }
job() { # NAME KIND-LINES…: jobs/NAME/job.yaml of lines
	mkdir -p "jobs/$1" && printf '%s\n' "${@:2}" > "jobs/$1/job.yaml"
}
total() { leat sql "select sum(p) from tables.sales" --format csv "$@" | tail -1; }
summary() { # FILE KEY…: of the last line of a run
	python3 -c "import json, sys; r = json.loads(open(sys.argv[1]).read().splitlines()[-1]); print(*[r[k] for k in sys.argv[2:]])" "$@"
}

test_expect 'a changed job runs on a branch: there its output is new, on master nothing has moved and its reader sees the old' '
	workspace w && for d in 1 2 3 4; do printf "id,price\n1,$d\n2,10\n" > f && leat put raw/orders:/ds=2024-01-0$d/a.csv f || return 1; done &&
	job sales "kind: sql" "inputs: {orders: raw/orders}" "output: tables/sales" "partition: daily" && echo "select id, price * 2 as p from {{ inputs.orders }}" > jobs/sales/job.sql &&
	job report "kind: sql" "inputs: {sales: tables/sales}" "output: marts/report" "partition: daily" && echo "select sum(p) as s from {{ inputs.sales }}" > jobs/report/job.sql &&
	leat run && leat ls --json > ../heads && old=$(total) && cp -r datastore ../shown && leat branch fix && echo "select id, price * 3 as p from {{ inputs.orders }}" > jobs/sales/job.sql &&
	leat plan --on fix --json > ../plan && count 8 cat ../plan && leat run --on fix --json > ../run && eq "$(summary ../run ran failed)" "8 0" && leat ls --json > ../after && same ../heads ../after && diff -r ../shown datastore && eq "$(total)" "$old" && eq "$(total --on fix)" $((old / 2 * 3)) &&
	leat plan --on fix > ../out && has ../out "nothing to run" && eq "$(leat log tables/sales --on fix --json | wc -l)" 8 && eq "$(leat log tables/sales --json | wc -l)" 4 && leat fsck
'
test_expect 'what was made on it is known on master: 0 units run there' '
	cd w && leat plan --json > ../plan && count 8 cat ../plan && leat branch again && leat run --on again --json > ../run && eq "$(summary ../run ran known failed)" "0 8 0" && eq "$(total --on again)" "$(total --on fix)" && leat branch --delete again
'
test_expect 'new data on master is seen by the branch where it has written nothing, and made there only' '
	cd w && printf "id,price\n1,100\n" > f && leat put raw/orders:/ds=2024-01-05/a.csv f && leat run --on fix --json > ../run && eq "$(summary ../run ran)" 2 && leat ls tables/sales --on fix > ../out && has ../out 2024-01-05 && leat ls tables/sales > ../out && lacks ../out 2024-01-05 &&
	printf "id,price\n1,7\n" > f && leat put raw/orders:/ds=2024-01-05/a.csv f --on fix && leat run --on fix --json > ../run && eq "$(summary ../run ran)" 2 && eq "$(leat sql "select sum(p) from tables.sales where ds = '"'2024-01-05'"'" --on fix --format csv | tail -1)" 21 && leat plan --on fix > ../out && has ../out "nothing to run"
'
test_expect 'a failed unit counts where it was tried: status and plan of master do not know it' '
	cd w && cp jobs/report/job.sql ../good && echo "select error(s::varchar) as s from (select sum(p) as s from {{ inputs.sales }})" > jobs/report/job.sql && exits 1 leat run report 2024-01-01 --on fix && eq "$(leat status -s --on fix | grep -o "[0-9]* failed")" "1 failed" && leat status -s > ../out && lacks ../out failed && cp ../good jobs/report/job.sql && leat plan --on fix > ../out && has ../out "nothing to run"
'
test_expect 'a job and a repo that are new on it, one that is renamed, one that is deleted: master lists none of the new ones' '
	cd w && leat branch jobs && job extra "kind: sql" "inputs: {sales: tables/sales}" "output: marts/extra" "partition: daily" && echo "select max(p) as m from {{ inputs.sales }}" > jobs/extra/job.sql && mv jobs/report jobs/summary && leat run --on jobs --json > ../run && eq "$(summary ../run failed)" 0 &&
	leat ls --on jobs > ../out && has ../out marts/extra && leat ls > ../out && lacks ../out marts/extra && [ ! -e datastore/marts/extra ] && exits 2 leat sql "select * from marts.extra" && leat sql "select * from marts.extra" --on jobs > ../out && exits 1 leat cat marts/extra:/x && leat status > ../out && mv jobs/summary jobs/report && rm -r jobs/extra &&
	leat rm --repo marts/extra --on jobs && leat ls --on jobs > ../out && lacks ../out marts/extra && leat branch --delete jobs && leat gc && leat fsck && eq "$(rows "select count(*) from repo where name = '"'marts/extra'"' and ended is null")" 0
'
test_expect 'jobs of one pipeline publish together there too: where a check fails no head of the branch moves' '
	workspace p && printf "id\n1\n" > f && leat put raw/a:/ds=2024-01-01/a.csv f && job one "kind: sql" "inputs: {a: raw/a}" "output: tables/one" "partition: daily" "pipeline: both" && echo "select id from {{ inputs.a }}" > jobs/one/job.sql &&
	job two "kind: sql" "inputs: {one: tables/one}" "output: tables/two" "partition: daily" "pipeline: both" "checks: [row_count > 1]" && echo "select id from {{ inputs.one }}" > jobs/two/job.sql && leat branch b && exits 1 leat run --on b && count 0 leat ls tables/one --on b --json && count 0 leat log tables/one --on b --json && job two "kind: sql" "inputs: {one: tables/one}" "output: tables/two" "partition: daily" "pipeline: both" &&
	leat run --on b && leat ls --on b > ../out && has ../out tables/one tables/two && leat ls > ../out && lacks ../out tables/one && exits 1 leat cat tables/one:/x && leat branch --delete b && leat ls --json > ../out && count 1 cat ../out
'
test_expect 'put --run and batch --run run on it what they feed' '
	workspace q && printf "id\n1\n" > f && leat put raw/a:/x.csv f && job copy "kind: script" "input: {pfs: {repo: raw/a, glob: \"/*\"}}" "output: tables/copy" && printf "cp \$LEAT_INPUT_a/* \$LEAT_OUTPUT/\n" > jobs/copy/job.sh && { leat run; leat ls tables/copy; } && count 1 leat ls tables/copy --json && leat branch d && cp f g && echo 2 >> g &&
	leat put raw/a:/y.csv g --on d --run && count 2 leat ls tables/copy --on d --json && leat cat tables/copy:/y.csv --on d | cmp - g && count 1 leat ls tables/copy --json && printf "put raw/a:/z.csv g\n" > lines && leat batch -f lines --on d --run && count 3 leat ls tables/copy --on d --json
'
test_expect 'jobs on data: units that are known on master are known there, files that go take their output with them, master goes on by itself' '
	cd q && leat rm raw/a:/x.csv --on d && leat run --on d --json > ../run && leat ls tables/copy --on d > ../out && lacks ../out x.csv && has ../out y.csv && leat run --on d --json > ../run && eq "$(summary ../run ran failed)" "0 0" && leat plan --on d > ../out && has ../out "nothing to run" && count 1 leat ls tables/copy --json &&
	echo 9 > h && leat put raw/a:/h.csv h && leat run && count 2 leat ls tables/copy --json && leat run --on d && leat ls tables/copy --on d > ../out && lacks ../out h.csv && leat fsck && n=$(rows "select count(*) from datum where repo < 0") && [ "$n" -gt 0 ] && leat branch --delete d && eq "$(rows "select count(*) from datum where repo < 0")" 0 && eq "$(rows "select count(*) from data_job where job like '"'%@%'"'")" 0 && leat gc --memo && leat fsck && count 2 leat ls tables/copy --json && leat run --json > ../run && eq "$(summary ../run ran failed)" "0 0"
'
test_expect 'two commands run one job at once, one on master and one on a branch: neither waits for the other'"'"'s unit' '
	workspace t && echo "slots: 2" >> leat.yaml && printf "id\n1\n" > f && leat put raw/a:/x.csv f && job slow "kind: script" "inputs: {a: raw/a}" "output: tables/slow" && printf "echo x >> $TRASH/began; until [ -e $TRASH/go ]; do sleep 0.05; done; cp \$LEAT_INPUT_a/x.csv \$LEAT_OUTPUT/\n" > jobs/slow/job.sh && leat branch b && leat put raw/a:/x.csv f && { leat run slow > ../m 2>&1 & m=$!; leat run slow --on b > ../b 2>&1 & b=$!; wait_for 20 count 2 cat ../began; touch ../go; wait $m && wait $b; } && lacks ../m "another command" && lacks ../b "another command"
'
test_expect 'a branch that ends while a run is at work on it: the run fails, and leaves no branch of that name' '
	cd t && rm -f ../go ../began && leat branch c && echo "echo 7 >> \$LEAT_OUTPUT/x.csv" >> jobs/slow/job.sh && { leat run slow --on c > ../c 2>&1 & c=$!; wait_for 20 test -s ../began; leat branch --delete c; touch ../go; ! wait $c; } && has ../c "has ended meanwhile" && eq "$(rows "select count(*) from branch where name = '"'c'"'")" 0 && leat run slow && leat fsck
'
test_expect 'what cannot be on a branch is refused: clocks, another branch of an output' '
	cd t && exits 2 leat up --on b && job staged "kind: script" "inputs: {a: {repo: raw/a, glob: \"/*\"}}" "output: tables/staged" "outputBranch: staging" && echo true > jobs/staged/job.sh && exits 2 leat run staged --on b 2> ../e && has ../e outputBranch && leat run staged
'
test_done
