#!/usr/bin/env bash
# Bad input is refused with exit 2 and a sentence that names place and remedy, and nothing is written (issue, "done when").
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
printf 'id,n\n1,2\n' | leat put raw/in --ds 2024-01-01 - --name d.csv > /dev/null
mkdir -p jobs/good && printf 'kind: sql\noutput: tables/good\npartition: daily\nparams: {min: 0, must: null}\n' > jobs/good/job.yaml
echo 'select id, n from raw."in" where n > {{ params.min }} and id <> {{ params.must }}' > jobs/good/job.sql
leat sql 'from raw."in"' > /dev/null # how the table is read is remembered from now on
W=$PWD
cd ..

# refused 'sentence' STATUS 'text' 'another text' words…: state stays as it was
refused() {
	local sentence=$1
	STATUS=$2 TEXT=$3 MORE=$4
	shift 4
	WORDS=("$@")
	test_expect "$sentence" '
		state w > before && exits "$STATUS" leat -C w "${WORDS[@]}" > out 2> err && { cat out >> err; has err "$TEXT" "$MORE"; } && test "$(grep -c "^leat: " err)" = 1 &&
		state w > after && same before after
	'
}
# broken 'sentence' 'file:line:col' 'text' FILE 'content': a job file that cannot be; then it is taken away
broken() {
	PLACE=$2 TEXT=$3 FILE=$4 CONTENT=$5
	test_expect "$1" '
		cd w && mkdir -p "$(dirname "$FILE")" && printf "%b" "$CONTENT" > "$FILE" && state . > ../before &&
		for c in run plan "run bad 2024-01-01"; do
			exits 2 leat $c > ../out 2>&1 && has ../out "$PLACE" "$TEXT" && lacks ../out "nothing to run"
		done && state . > ../after && same ../before ../after && leat status > ../out && has ../out "$PLACE"
	'
	rm -rf "$W/jobs/bad" "$W"/jobs/bad.*
}

refused 'a day that cannot be' 2 '"2017-99-99"' 'month 99' run good 2017-99-99 --param must=1
refused 'a label of another kind than the job has' 2 'daily' '2024-W01' run good 2024-W01 --param must=1
refused 'a range that goes backwards' 2 '2024-01-02..2024-01-01' '' run good 2024-01-02..2024-01-01 --param must=1
refused 'a job that is not there, with the nearest' 2 '"god"' 'did you mean "good"?' run god 2024-01-01
refused 'a parameter that the job does not have, with the nearest' 2 "no parameter 'mn'" "min" run good 2024-01-01 --param mn=1
refused 'a parameter that is missing, at its place' 2 "needs the parameter 'must'" '--param must=VALUE' run good 2024-01-01
refused 'a parameter that is no KEY=VALUE' 2 'KEY=VALUE' 'must' run good 2024-01-01 --param must
refused 'a number of slots that cannot be' 2 '--slots' '0' run good 2024-01-01 -j 0 --param must=1
refused 'a backfill whose end comes first' 2 '2024-01-02' '' backfill good --from 2024-01-02 --to 2024-01-01 --param must=1
refused 'a job name that cannot be' 2 'Bad Name!' '' new sql 'Bad Name!'
refused 'a template that is not there, with the nearest' 2 'sqll' 'sql' new sqll x
refused 'a template value that the template does not ask for' 2 'colour' '' new sql x --set colour=red
refused 'SQL that does not parse, at its place' 2 'query:1:15' 'syntax error' sql 'select 1 FORM x y z'
refused 'a table that is not there, with the nearest' 2 'raw.inn' 'raw.in' sql 'select * from raw.inn'
refused 'a column that is not there, at its place' 2 'query:1:8' 'nn' sql 'select nn from raw."in"'
refused 'a pin past the last version, with the versions that there are' 1 'master.99 is not there' 'the newest master.' sql 'select 1 from raw."in" at (version => '"'master.99'"')'
refused 'a pin written bare in a query, with how it is written' 2 'query:1:20' 'at (version =>' sql 'select 1 from raw.a@master.1'
refused 'a date without quotes, with how it is written' 1 'INTEGER -> DATE' 'in quotes' sql 'select 1 where date '"'2024-01-01'"' = 2024-01-01'
refused 'a query that would write, with what does' 2 'does not exist' 'leat put' sql 'insert into raw."in" values (1)'
refused 'an option --ds where the ds is a word, with how it is written' 2 '--ds' 'leat run JOB' run good --ds 2024-01-01
refused 'a format that is not there' 2 '--format' 'parquet' sql 'select 1' --format xml
refused 'a pin that is not there' 1 'nope' '' sql 'select 1 from raw."in"' --at nope
refused 'an unknown run' 1 'ffffffff' '' why ffffffff
refused 'a path that was never there' 1 'raw/in has no /x' '' why raw/in:/x

broken 'an unknown key of job.yaml, with the nearest' 'jobs/bad/job.yaml:2:1' 'output' jobs/bad/job.yaml 'kind: script\noutputt: x/y\n'
broken 'a value of the wrong kind' 'jobs/bad/job.yaml:2:10' 'number' jobs/bad/job.yaml 'kind: script\nretries: many\noutput: x/y\n'
broken 'a word that is none of those allowed' 'jobs/bad/job.yaml:2:12' 'daily' jobs/bad/job.yaml 'kind: script\npartition: dayly\noutput: x/y\n'
broken 'YAML that is broken' 'jobs/bad/job.yaml:3:1' 'is missing' jobs/bad/job.yaml 'kind: script\noutput: [x\n'
broken 'a key twice' 'jobs/bad/job.yaml:3:1' 'kind' jobs/bad/job.yaml 'kind: script\noutput: x/y\nkind: sql\n'
broken 'a kind that is not there' 'jobs/bad/job.yaml:1:7' 'sqll' jobs/bad/job.yaml 'kind: sqll\noutput: x/y\n'
broken 'code that is not there' 'jobs/bad/job.yaml' 'job.sql' jobs/bad/job.yaml 'kind: sql\noutput: x/y\n'
broken 'two jobs with one output' 'jobs/' 'tables/good' jobs/bad.sql '-- output: tables/good\nselect 1 as a\n'
broken 'an output that cannot be a repo' 'jobs/bad.sql:1:12' 'no repo name' jobs/bad.sql '-- output: "Bad Name!"\nselect 1 as a\n'
broken 'SQL that does not parse, at line and column of the file' 'jobs/bad.sql:3:' '' jobs/bad.sql '-- output: x/y\nselect id\nfrom raw."in" wheree id = 1 2\n'
broken 'a template that does not close' 'jobs/bad.sql:2:14' '}}' jobs/bad.sql '-- output: x/y\nselect {{ ds as d\n'
broken 'a template variable that is not there, with the nearest' 'jobs/bad.sql:4:' 'params' jobs/bad.sql '-- output: x/y\n-- partition: daily\n-- params: {low: 1}\nselect {{ param.low }} as a\n'
broken 'a parameter in a template that is not declared' 'jobs/bad.sql:4:' 'low' jobs/bad.sql '-- output: x/y\n-- partition: daily\n-- params: {low: 1}\nselect {{ params.lo }} as a\n'
broken 'an unknown time zone' 'jobs/bad.sql:2:14' 'Mars/Phobos' jobs/bad.sql '-- output: x/y\n-- timezone: Mars/Phobos\nselect 1 as a\n'
broken 'a schedule that cannot be' 'jobs/bad.sql:3:14' 'minute goes to 59' jobs/bad.sql '-- output: x/y\n-- partition: daily\n-- schedule: "61 6 * * *"\nselect 1 as a\n'

test_expect 'jobs that read each other in a circle are named, all of them' '
	cd w && printf -- "-- output: tables/one\n-- partition: daily\nselect * from tables.two\n" > jobs/one.sql && printf -- "-- output: tables/two\n-- partition: daily\nselect * from tables.one\n" > jobs/two.sql &&
	exits 2 leat plan > ../out 2>&1 && has ../out one two && exits 2 leat run one 2024-01-01 > ../out 2>&1 && has ../out one two && rm jobs/one.sql jobs/two.sql
'
test_expect 'a job folder whose name cannot be is told, with its place' '
	cd w && mkdir "jobs/Bad Name!" && echo "select 1 as a" > "jobs/Bad Name!/job.sql" && exits 2 leat plan > ../out 2>&1 && has ../out "Bad Name!" && rm -r "jobs/Bad Name!"
'
test_expect 'a job that reads a repo that is not there is told of by a plan of all, with the nearest repo; -u is not advised where no job can help' '
	cd w && printf -- "-- output: x/lost\n-- partition: daily\nselect * from raw.inn\n" > jobs/lost.sql && leat plan > ../out 2> ../err && has ../err "lost never ran: raw/inn is not there; did you mean raw/in?" && exits 1 leat run lost 2024-01-01 > ../out 2> ../err && has ../err "did you mean raw/in?" && lacks ../err "-u first" && rm jobs/lost.sql
'
test_expect 'a column that is not there is found at the line and column of the file when it runs, nothing is published' '
	cd w && printf -- "-- output: tables/col\n-- partition: daily\nselect id,\n       nn\nfrom raw.\"in\"\n" > jobs/col.sql && exits 1 leat run col 2024-01-01 > ../out 2>&1 && has ../out "jobs/col.sql:4:8" nn &&
	exits 1 leat ls tables/col 2> /dev/null && rm jobs/col.sql
'
test_expect 'a bad row of a CSV is named by file and row, exit 1, nothing published; ignore_errors leaves it out and counts it' '
	cd w && { echo id,n; for i in $(seq 3000); do echo $i,$i; done; } > ../good.csv && leat put raw/rows --ds 2024-01-01 ../good.csv &&
	printf -- "-- output: tables/rows\n-- partition: daily\nselect sum(n)::bigint as s, count(*) as c from raw.rows\n" > jobs/rows.sql && leat run rows 2024-01-01 &&
	sed "2500s/.*/2499,oops/" ../good.csv > ../bad.csv && leat put raw/rows --ds 2024-01-02 ../bad.csv && exits 1 leat run rows 2024-01-02 > ../out 2>&1 && has ../out bad.csv 2500 &&
	count 1 leat ls tables/rows && printf "tables: {raw/rows: {ignore_errors: true}}\n" >> leat.yaml && leat run rows 2024-01-02 > ../out 2>&1 &&
	eq "$(sql "select c from tables.rows where ds = '"'2024-01-02'"'" | tail -1)" 2999 && leat why rows 2024-01-02 > ../out && has ../out rejected
'
test_expect 'a corrupt Parquet file is named, exit 1' '
	cd w && sql "select 1 as a" --format parquet -o ../ok.parquet && head -c 100 ../ok.parquet > ../torn.parquet && leat put raw/pq --ds 2024-01-01 ../torn.parquet &&
	exits 1 leat sql "select * from raw.pq" > ../out 2>&1 && has ../out torn.parquet && printf -- "-- output: tables/pq\n-- partition: daily\nselect * from raw.pq\n" > jobs/pq.sql &&
	exits 1 leat run pq 2024-01-01 > ../out 2>&1 && has ../out torn.parquet && exits 1 leat ls tables/pq 2> /dev/null
'
test_expect 'a table name of too many parts is told how a repo of many parts is written' '
	workspace parts && printf "a\n1\n" | leat put raw/a/b/c - --name f.csv && exits 2 leat sql "from raw.a.b.c" 2> err && has err "raw.\"a/b\"" &&
	eq "$(sql "from raw.\"a/b/c\"" | tail -1)" 1
'
test_expect 'an argument of a type that a function does not take is told with those that it takes' '
	workspace args && exits 2 leat sql "select sum(\$\$x\$\$::varchar)" 2> err && has err "sum(VARCHAR)" "Candidate functions: sum(DECIMAL)"
'
test_expect 'gap and fold of a schedule take the words that there are, and no others' '
	workspace sched && job() { printf -- "-- output: t/g\n-- partition: daily\n-- schedule: {cron: \"0 6 * * *\", $1}\nselect 1 as a\n" > jobs/g.sql; } &&
	for ok in "gap: skip" "gap: run-at-transition, fold: first" "fold: both"; do job "$ok" && leat jobs > ../out && has ../out g || return 1; done &&
	job "gap: leap" && exits 2 leat plan > ../out 2>&1 && has ../out "jobs/g.sql:3" leap run-at-transition skip && job "fold: last" && exits 2 leat plan > ../out 2>&1 && has ../out "jobs/g.sql:3" last first both
'
test_done
