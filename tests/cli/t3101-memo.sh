#!/usr/bin/env bash
# What does not make work, and what does (issue: "cache faults of others do not happen"; SEMANTICS 4).
. "$(dirname "$0")/../lib.sh"

ran() { # N words…: leat with these words, whose last line says that N units ran
	local n=$1
	shift
	leat "$@" >"$TRASH/.t/ran" 2>&1 || { cat "$TRASH/.t/ran"; return 1; }
	grep -q "^$n ran" "$TRASH/.t/ran" || { echo "not $n ran: $*"; cat "$TRASH/.t/ran"; return 1; }
}
to_run() { # N: what plan would run
	leat plan >"$TRASH/.t/plan" 2>&1 || { cat "$TRASH/.t/plan"; return 1; }
	if [ "$1" = 0 ]; then grep -q "nothing to run\|^0 to run" "$TRASH/.t/plan"; else grep -q "^$1 to run" "$TRASH/.t/plan"; fi || {
		echo "not $1 to run:"
		cat "$TRASH/.t/plan"
		return 1
	}
}
setup() { # DIR: three days of raw/in; a sql job and a script that reads its table
	leat init "$1" && cd "$1" && mkdir -p jobs/mid jobs/end && for d in 1 2 3; do
		printf 'id,n\n1,%s\n2,%s\n' $d $d | leat put raw/in --ds 2024-01-0$d - --name data.csv
	done
	cat > jobs/mid/job.yaml <<-X
		# a comment
		kind: sql
		description: doubles
		output: tables/mid
		partition: daily
		params: {factor: 2, other: 1}
		retries: 1
	X
	printf -- '-- doubles\nselect id, n * {{ params.factor }} as n\nfrom raw."in"\nwhere n > 0\n' > jobs/mid/job.sql
	printf 'kind: script\ninputs: {mid: tables/mid}\noutput: marts/end\npartition: daily\nenv: {A: one}\n' > jobs/end/job.yaml
	printf '#!/bin/sh\n# counts\nls "$LEAT_INPUT_mid" | wc -l > "$LEAT_OUTPUT/f"\n' > jobs/end/job.sh
	chmod +x jobs/end/job.sh
	ran 6 run && to_run 0
}

test_expect 'a workspace with three days of two jobs, run' 'setup w'
test_expect 'a comment in the SQL, another layout, other case of keywords: 0 units' '
	cd w && printf -- "/* doubled */ SELECT id,\n\n   n*{{params.factor}}   AS n -- so\nFROM raw.\"in\" WHERE n>0" > jobs/mid/job.sql && to_run 0 && ran 0 run
'
test_expect 'keys of job.yaml in another order, comments, quotes, flow or block style: 0 units' '
	cd w && printf "partition: \"daily\"\nparams:\n  other: 1\n  factor: 2\n\noutput: tables/mid   # here\nkind: sql\nretries: 1\n" > jobs/mid/job.yaml && to_run 0
'
test_expect 'description, retries, checks that hold and other keys that do not count: 0 units' '
	cd w && printf "kind: sql\ndescription: other words\noutput: tables/mid\npartition: daily\nparams: {factor: 2, other: 1}\nretries: 7\ntimeout: 1h\nschedule: \"30 6 * * *\"\n" > jobs/mid/job.yaml && to_run 0
'
test_expect 'touch, other modes and times of every file: 0 units' '
	cd w && find . -path ./.leat -prune -o -type f -exec touch {} + && chmod 600 jobs/mid/* && to_run 0 && ran 0 run
'
test_expect 'README, tests/ and dot files in the folder of a job: 0 units' '
	cd w && echo hi > jobs/end/README.md && mkdir jobs/end/tests && echo x > jobs/end/tests/t && echo y > jobs/end/.note && to_run 0
'
test_expect 'another folder, another user, another host name: 0 units' '
	cp -a w moved && cd moved && to_run 0 && ran 0 run && USER=somebody LOGNAME=somebody HOSTNAME=elsewhere TZ=Asia/Tokyo LANG=C to_run 0
'
test_expect 'the job renamed while its output keeps its name: 0 units' '
	cd w && mv jobs/mid jobs/doubles && to_run 0 && ran 0 run && leat why doubles 2024-01-02 > out && has out "up to date" && mv jobs/doubles jobs/mid
'
test_expect 'upstream run again with equal rows: downstream does not run' '
	cd w && ran 3 run --again mid 2024-01-01..2024-01-03 && to_run 0 && count 3 leat log tables/mid --json && ran 0 run
'
test_expect 'an input put again with equal bytes: 0 units' '
	cd w && printf "id,n\n1,2\n2,2\n" | leat put raw/in --ds 2024-01-02 - --name data.csv && to_run 0
'
test_expect 'an input whose bytes changed but whose table upstream did not: upstream runs, downstream not' '
	cd w && printf "id,n\n1,2\n2,2\n3,-1\n" | leat put raw/in --ds 2024-01-02 - --name data.csv && to_run 2 && ran 1 run && to_run 0 && count 3 leat log tables/mid --json
'
test_expect 'the meaning of the SQL changed: every day runs, and downstream the one day whose rows are others now' '
	cd w && sed -i "s/n>0/n>1/" jobs/mid/job.sql && leat plan mid > out && has out "3 to run" && ran 4 run && to_run 0
'
test_expect 'a parameter changed: every day runs; changed back: none' '
	cd w && sed -i "s/factor: 2/factor: 3/" jobs/mid/job.yaml && leat plan mid > out && has out "3 to run" && leat run 2> /dev/null && sed -i "s/factor: 3/factor: 2/" jobs/mid/job.yaml &&
	leat plan mid > out && has out "0 to run" && ran 0 run && to_run 0
'
test_expect 'the command of a script changed, a file beside it, a variable of its environment: each runs' '
	cd w && echo "# more" >> jobs/end/job.sh && to_run 3 && ran 3 run && echo 1 > jobs/end/helper.txt && to_run 3 && ran 3 run &&
	sed -i "s/A: one/A: two/" jobs/end/job.yaml && to_run 3 && ran 3 run && sed -i "s/A: two/A: one/" jobs/end/job.yaml && to_run 0
'
test_expect 'a commit of an input elsewhere in its repo does not touch the other days' '
	cd w && leat run > /dev/null 2>&1; printf "id,n\n1,9\n" | leat put raw/in --ds 2024-01-09 - --name data.csv && leat plan > out && has out "2 to run" 2024-01-09 && lacks out 2024-01-01 2024-01-02 2024-01-03
'
test_expect 'SQL that calls a volatile function is not remembered, plan says so; memo: on overrides' '
	cd w && leat run > /dev/null 2>&1; mkdir jobs/vol && printf "kind: sql\noutput: tables/vol\npartition: daily\n" > jobs/vol/job.yaml && echo "select id, random() as r from raw.\"in\"" > jobs/vol/job.sql &&
	ran 4 run && leat plan vol --ds 2024-01-01 -v > out && has out "random" && ran 1 run vol 2024-01-01 && ran 0 run &&
	echo "memo: on" >> jobs/vol/job.yaml && ran 0 run vol 2024-01-01 && rm -r jobs/vol && leat rm --repo tables/vol
'
test_expect 'a parameter by hand is recorded, and plan says that the partition is stale by it' '
	cd w && leat run > /dev/null 2>&1; leat run mid 2024-01-02 --param factor=5 && eq "$(sql "select max(n) from tables.mid where ds = '"'2024-01-02'"'" | tail -1)" 10 &&
	leat plan mid > out && has out "factor was 5 by hand" "2024-01-02" && lacks out 2024-01-01 && leat run > /dev/null 2>&1; to_run 0
'
test_expect 'plan says exactly what run then does' '
	cd w && printf "id,n\n1,6\n" | leat put raw/in --ds 2024-01-01 - --name data.csv && printf "id,n\n1,6\n" | leat put raw/in --ds 2024-01-04 - --name data.csv &&
	sed -i "s/wc -l/wc -c/" jobs/end/job.sh && leat plan --json > plan && leat run --json > run &&
	python3 -c "
import json
plan = [json.loads(l) for l in open(\"plan\")]
ran = [json.loads(l) for l in open(\"run\")]
want = sorted((r[\"job\"], r[\"ds\"]) for r in plan if r.get(\"job\") and not r.get(\"known\"))
done = sorted((r[\"job\"], r[\"ds\"]) for r in ran if r.get(\"event\") == \"started\")
print(want); print(done)
assert want and want == done"
'
test_expect 'plan, status, why, jobs, runs and logs leave every byte of state as it was' '
	cd w && printf "id,n\n1,8\n" | leat put raw/in --ds 2024-01-01 - --name data.csv && state . > ../before && leat plan -v > /dev/null && leat plan --ds 2024-01-01..2024-01-05 > /dev/null &&
	leat status > /dev/null && leat why mid 2024-01-01 > /dev/null && leat why tables/mid:/ds=2024-01-01/part-0.parquet > /dev/null && leat jobs > /dev/null && leat runs > /dev/null &&
	leat logs end 2024-01-01 > /dev/null && leat ls > /dev/null && leat log tables/mid > /dev/null && leat backfill mid --from 2024-01-01 --to 2024-01-02 --dry-run > /dev/null &&
	state . > ../after && same ../before ../after
'
test_expect 'deleting .leat/cache changes nothing but time' '
	cd w && leat run > /dev/null 2>&1; rm -rf .leat/cache && to_run 0 && ran 0 run
'
test_done
