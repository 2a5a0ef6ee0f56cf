#!/usr/bin/env bash
# Units from data, tried once more by a stranger: what a spec asks for and is not there, circles, and each form of an
# input through the real program. docs/how-to/inputs.md, docs/how-to/pachyderm.md, SEMANTICS 5.
. "$(dirname "$0")/../lib.sh"

workspace w >/dev/null 2>&1 || exit 1
mkdir -p "$TRASH/three" && for i in 1 2 3; do echo "$i" >"$TRASH/three/$i"; done && leat put trips "$TRASH/three" >/dev/null 2>&1 || exit 1
spec() { # NAME INPUT [more keys]: a file NAME.json
	printf '{"pipeline": {"name": "%s"}, "transform": {"cmd": ["sh"], "stdin": ["%s"]}, "input": %s}\n' "$1" "${3:-true}" "$2" >"$1.json"
}

test_expect 'a spec with a pin that is not there is a bad request (exit 2) wherever it is given, a command with one fails (exit 1): with the place and what there is' '
	cd w
	for pin in deadbeef master.77 nobranch; do
		spec p "{\"pfs\": {\"repo\": \"trips\", \"glob\": \"/*\", \"commit\": \"$pin\"}}"
		for c in "units -f p.json" "apply -f p.json" "apply --dry-run -f p.json"; do exits 2 leat $c > out 2> err && has err "p.json:1:" "$pin" "master"; done
		exits 1 leat get "trips@$pin:/1" 2> err && has err "$pin" && exits 1 leat sql "from \"trips@$pin\"" 2> err && has err "$pin"
	done
	spec p "{\"pfs\": {\"repo\": \"nosuch\", \"glob\": \"/*\", \"commit\": \"master.1\"}}" && exits 2 leat units -f p.json 2> err && has err "no repo nosuch" && exits 2 leat apply -f p.json 2> err && has err "no repo nosuch" "p.json:1:" && test ! -e jobs/p
'
test_expect 'a job whose pin is not there: plan says what is lacking, as run and units do, before and after it first ran' '
	cd w && mkdir -p jobs/q && printf "kind: script\ninputs:\n  t: {repo: trips, pin: master.9, glob: /*}\n" > jobs/q/job.yaml && echo "cp \$LEAT_INPUT_t/* \$LEAT_OUTPUT" > jobs/q/job.sh &&
	leat plan q > out && has out "an input is not there" "jobs/q/job.yaml:3:6" master.9 "nothing to run" && exits 1 leat run q 2> err && has err "waits" master.9 && exits 1 leat units q 2> err && has err master.9 && leat run > out 2>&1 && has out "lacks an input" &&
	sed -i "s/master.9/master.1/" jobs/q/job.yaml && leat run q > out 2>&1 && has out "3 ran" && sed -i "s/master.1/master.8/; s/inputs:/params: {a: 1}\ninputs:/" jobs/q/job.yaml && leat plan q > out && has out "an input is not there" master.8 && exits 1 leat run q && rm -r jobs/q
'
test_expect 'units -f refuses a job that reads its own output, and jobs of a file that read each other in a circle, as apply does' '
	cd w && spec own "{\"pfs\": {\"repo\": \"own\", \"glob\": \"/*\"}}" && exits 2 leat units -f own.json 2> err && has err "own.json:1:" "reads its own output" &&
	spec aa "{\"pfs\": {\"repo\": \"bb\", \"glob\": \"/*\"}}" && spec bb "{\"pfs\": {\"repo\": \"aa\", \"glob\": \"/*\"}}" && cat aa.json bb.json > two.json && exits 2 leat units -f two.json 2> err && has err "in a circle" &&
	printf "kind: script\noutput: qq\ninputs:\n  t: {repo: qq, glob: /*}\n" > own.yaml && exits 2 leat units -f own.yaml 2> err && has err "own.yaml:4:6" "reads its own output" &&
	spec old "{\"pfs\": {\"repo\": \"trips\", \"glob\": \"/*\", \"commit\": \"master.1\"}}" && eq "$(leat units -f old.json --json | wc -l)" 3 && eq "$(cat own.json aa.json | tail -1 | leat units -f - --json 2> err | wc -l)" 0 && has err "bb holds nothing yet"
'
test_expect 'wait and flush-commit take a commit by its pin too; REPO/BRANCH/N of Pachyderm 1.x is told what it is here' '
	cd w && spec copy "{\"pfs\": {\"repo\": \"trips\", \"glob\": \"/*\"}}" "cp /pfs/trips/* /pfs/out" && leat apply -f copy.json && leat run copy && echo 4 | leat put trips:/4 - && leat wait trips@master > out && has out "run copy" && eq "$(leat ls copy | wc -l)" 4 &&
	id=$(leat log trips --json | head -1 | json /dev/stdin "d[\"commit\"]") && leat flush-commit "$id" > want && leat flush-commit trips > got && same want got && leat flush-commit "trips@$id" > got && same want got &&
	exits 1 leat flush-commit trips/master/0 2> err && has err "trips@master.1" "counts from 0" && exits 1 leat list-file trips/master/0 2> err && has err "trips@master.1" && exits 1 leat ls trips/sub/x 2> err && has err "trips:/sub/x" && lacks err Pachyderm &&
	exits 1 leat wait trips@master.99 2> err && has err "2 commits" && exits 2 leat wait nosuch 2> err && has err "is no id" "REPO@PIN"
'
test_expect 'Pachyderm 1.x: what only reads a part of the data is refused with the reason, what is for a cluster is listed' '
	cd w && old() { printf "{\"pipeline\": {\"name\": \"o\"}, \"transform\": {\"cmd\": [\"true\"]}, \"inputs\": [{\"repo\": {\"name\": \"trips\"}, \"glob\": \"/\"%s}]%s}\n" "$1" "$2" > o.json; } &&
	old "" ", \"gc_policy\": {\"success\": \"3600s\"}, \"incremental\": false, \"standby\": true" && leat apply -f o.json > out 2> err && has err "ignored" gcPolicy standby && lacks err incremental && old "" ", \"incremental\": true" && exits 2 leat apply -f o.json 2> err && has err "o.json:1:" incremental "known do not run again" &&
	for k in "\"from\": {\"repo\": {\"name\": \"trips\"}, \"id\": \"x\"}" "\"from_commit\": \"x\""; do old ", $k" "" && exits 2 leat apply -f o.json 2> err && has err "o.json:1:" "sees all files"; done
'
test_expect 'SEMANTICS 3: a sql job with a glob: each file gives its own part-HASH.parquet, which follows its file' '
	workspace sq && for i in 1 2 3; do printf "id,v\n$i,$((i * 10))\n" | leat put raw/in:/f$i.csv -; done && mkdir -p jobs/tot && printf "kind: sql\ninputs:\n  f: {repo: raw/in, glob: /*}\noutput: tables/tot\n" > jobs/tot/job.yaml && echo "select id, v * 2 as w from f" > jobs/tot/job.sql &&
	rows() { leat sql "select string_agg(id || chr(58) || w, chr(32) order by id) r from tables.tot" --format csv | tail -1; } && leat run tot > out 2>&1 && has out "3 ran" && eq "$(rows)" "1:20 2:40 3:60" && leat ls tables/tot > l && count 3 grep -E "^/part-[0-9a-f]{12}\.parquet$" l &&
	printf "id,v\n4,40\n" | leat put raw/in:/f4.csv - && leat run > out 2>&1 && has out "1 ran" && leat ls tables/tot > l4 && eq "$(comm -13 l4 l)" "" && leat rm raw/in:/f1.csv && leat run > out 2>&1 && has out "0 ran" && eq "$(rows)" "2:40 3:60 4:80"
'
test_expect 'a comment in it runs nothing, another query all; a file of another shape fails alone and is named; two files of one content are two units' '
	cd sq && printf -- "-- c\nselect id, v * 2 as w from f\n" > jobs/tot/job.sql && leat run > out 2>&1 && has out "0 ran" && echo "select id, v * 3 as w from f" > jobs/tot/job.sql && leat run > out 2>&1 && has out "3 ran" && eq "$(rows)" "2:60 3:90 4:120" &&
	echo "a,b" | leat put raw/in:/f5.csv - && exits 1 leat run > out 2>&1 && has out "raw/in:/f5.csv" && eq "$(rows)" "2:60 3:90 4:120" && leat rm raw/in:/f5.csv && leat cp raw/in:/f2.csv raw/in:/again.csv && leat run > out 2>&1 && has out "1 ran" && eq "$(rows)" "2:60 2:60 3:90 4:120"
'
test_expect 'a sql job with a partition and a glob; a cross of two inputs; the whole of a repo' '
	cd sq && for d in 1 2; do printf "k\n$d\n" | leat put raw/day:/x.csv - --ds 2018-01-0$d; done && mkdir -p jobs/both jobs/x jobs/all && printf "kind: sql\npartition: daily\ninputs:\n  d: raw/day\n  f: {repo: raw/in, glob: /*}\noutput: tables/both\n" > jobs/both/job.yaml && echo "select k, id from d, f" > jobs/both/job.sql &&
	printf "kind: sql\ninput:\n  cross:\n  - pfs: {repo: raw/in, name: a, glob: /*}\n  - pfs: {repo: raw/in, name: b, glob: /*}\noutput: tables/x\n" > jobs/x/job.yaml && echo "select a.id as i, b.id as j from a, b" > jobs/x/job.sql && printf "kind: sql\ninputs:\n  f: {repo: raw/in, glob: /}\noutput: tables/all\n" > jobs/all/job.yaml && echo "select sum(v) s from f" > jobs/all/job.sql && leat run > out 2>&1 &&
	eq "$(leat sql "select count(*) n, count(distinct ds) d, sum(id) s from tables.both" --format csv | tail -1)" "8,2,22" && leat ls -R tables/both > l && count 8 grep -E "^/ds=2018-01-0[12]/part-[0-9a-f]{12}.parquet" l && eq "$(leat sql "select count(*) n, sum(i * 10 + j) s from tables.x" --format csv | tail -1)" "16,484" && eq "$(leat sql "from tables.all" --format csv | tail -1)" 110
'
test_done
