#!/usr/bin/env bash
# A plan is a file: run --plan does exactly it, or is refused and names what moved.
. "$(dirname "$0")/../lib.sh"

day() { printf "shop,n\na,%d\nb,2\n" "$2" | leat put raw/sales --ds "$1" --name f.csv -; }
refused() { state . > ../before && exits 2 leat run --plan "$@" 2> ../err && state . > ../after && same ../before ../after && has ../err "nothing was run" "look at it again"; }

test_expect 'a plan of four stale units of two jobs is saved as JSON, and changes nothing' '
	workspace w && for d in 1 2; do day 2018-01-0$d $d; done && printf -- "-- partition: daily\n-- output: tables/daily\n-- params: {least: 0}\nselect shop, sum(n) as n from raw.sales where n >= {{ params.least }} group by shop\n" > jobs/daily.sql &&
	printf -- "-- partition: daily\n-- output: marts/top\nselect max(n) as n from tables.daily\n" > jobs/top.sql && leat plan > /dev/null && state . > ../before && leat plan --save ../plan.json > out 2> err && rm -f out && mv err ../err && state . > ../after && same ../before ../after &&
	has ../err "leat run --plan ../plan.json" && cd .. && eq "$(json plan.json "d[\"format\"]")" 1 && eq "$(json plan.json "len(d[\"units\"])")" 4 && eq "$(json plan.json "sorted(h[\"repo\"] for h in d[\"heads\"])")" "[\"marts/top\", \"raw/sales\", \"tables/daily\"]" && eq "$(json plan.json "d[\"on\"]")" master
'
test_expect 'run --plan does exactly that' '
	cd w && leat run --plan ../plan.json > out 2>&1 && has out "4 ran" && leat plan > plan && has plan "nothing to run"
'
test_expect 'done once it is refused: none of its units would run now' '
	cd w && rm -f out plan && refused ../plan.json && has ../err "daily 2018-01-01 would not run now" "tables/daily moved: nothing -> " "4 units differ"
'
test_expect 'a plan of one ds of one job runs that and nothing else' '
	cd w && day 2018-01-01 5 && day 2018-01-02 6 && leat plan daily --ds 2018-01-02 --save ../one.json > ../out && has ../out "1 to run" && leat run --plan ../one.json > ../out 2>&1 && has ../out "1 ran" "daily 2018-01-02" && leat plan > ../plan && has ../plan "daily " "2018-01-01" "3 to run"
'
test_expect 'after one more put it is refused, naming the repo and the unit' '
	cd w && leat plan --save ../p.json > /dev/null && day 2018-01-03 1 && refused ../p.json && has ../err "raw/sales moved: " "daily 2018-01-03 would run too: its output is not there" && lacks ../err "daily.sql changed"
'
test_expect 'after an edited query it is refused, naming the file; a comment is no other query' '
	cd w && leat plan --save ../p.json > /dev/null && printf "/* it */\n" >> jobs/daily.sql && cp jobs/daily.sql ../daily.sql && sed -i "s/sum(n) as n/max(n) as n/" jobs/daily.sql && refused ../p.json && has ../err "jobs/daily.sql changed" "would do something else: the code changed" && lacks ../err "moved: "
'
test_expect 'after a parameter of job.yaml changed it is refused, naming it' '
	cd w && sed "s/least: 0/least: 1/" ../daily.sql > jobs/daily.sql && refused ../p.json && has ../err "the parameters of daily changed" "least was 0, is 1"
'
test_expect 'after a head was moved back it is refused, naming it; moved forth again it runs' '
	cd w && cp ../daily.sql jobs/daily.sql && head=$(leat log raw/sales --json | head -1 | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"commit\"])") && leat branch raw/sales@master --head master^^ && refused ../p.json && has ../err "raw/sales moved: ${head:0:12} -> " &&
	leat branch raw/sales@master --head $head && leat run --plan ../p.json > ../out 2>&1 && has ../out " ran" && leat plan > ../out && has ../out "nothing to run"
'
test_expect 'of another workspace, another version, another format, no plan, no file: each a sentence, exit 2 or 1' '
	cd w && sed -i "s/>= /> /" jobs/daily.sql && leat plan --save ../p.json > /dev/null && cd .. && workspace other && exits 2 leat run --plan ../p.json 2> ../err && has ../err "another workspace" && cd ../w &&
	sed "s/\"format\": 1/\"format\": 2/" ../p.json > ../q.json && exits 2 leat run --plan ../q.json 2> ../err && has ../err "format 2" "make it again" &&
	sed "s/\"leat\": \"[^\"]*\"/\"leat\": \"9.9\"/" ../p.json > ../q.json && exits 2 leat run --plan ../q.json 2> ../err && has ../err "a plan of leat 9.9" &&
	echo "{}" > ../q.json && exits 2 leat run --plan ../q.json 2> ../err && has ../err "is no plan" && echo "[1" > ../q.json && exits 2 leat run --plan ../q.json 2> ../err && has ../err "is no plan" &&
	printf "{\"format\": 1, \"leat\": \"0.1.0\"}" > ../q.json && exits 2 leat run --plan ../q.json 2> ../err && exits 1 leat run --plan ../none.json 2> ../err && has ../err none.json
'
test_expect 'a job, -u, --param or --again beside a plan: exit 2' '
	cd w && exits 2 leat run daily --plan ../p.json 2> ../err && has ../err "no job stands beside it" && exits 2 leat run -u --plan ../p.json 2> ../err && has ../err "upstream" && exits 2 leat run --again --plan ../p.json 2> ../err && exits 2 leat run -p least=2 --plan ../p.json 2> ../err
'
test_expect 'a unit taken out of the file by hand is a unit more now: refused' '
	cd w && python3 -c "import json; d = json.load(open(\"../p.json\")); d[\"units\"].pop(); json.dump(d, open(\"../q.json\", \"w\"))" && refused ../q.json && has ../err "would run too"
'
test_expect 'as Markdown it is for reading: heads, units and why; it cannot be run' '
	cd w && leat plan --save ../plan.md > /dev/null && has ../plan.md "| job | ds | why | what |" "| raw/sales | " "the code changed" "job.sql changed: " && exits 2 leat run --plan ../plan.md 2> ../err && has ../err "for reading"
'
test_expect 'with a parameter by hand, and upstream: the plan keeps both' '
	cd w && leat run > /dev/null 2>&1; leat plan daily --ds 2018-01-01 -p least=3 --save ../p.json > ../out && has ../out "1 to run" && leat run --plan ../p.json > ../out 2>&1 && has ../out "1 ran" && leat plan > ../out && has ../out "least was 3 by hand" &&
	day 2018-01-04 9 && leat plan top --ds 2018-01-04 -u --save ../p.json > ../out && has ../out "2 to run" && leat run --plan ../p.json > ../out 2>&1 && has ../out "2 ran" "top 2018-01-04"
'
test_expect 'what comes from the data runs with it, and of the calendar only what the plan says' '
	cd w && leat run > /dev/null 2>&1; mkdir -p jobs/copy && printf "kind: script\ninputs:\n  in: {repo: raw/files, glob: /*}\noutput: raw/copied\n" > jobs/copy/job.yaml && printf "#!/bin/sh\ncp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/\n" > jobs/copy/job.sh && printf "n\n1\n" > ../a.csv && leat put raw/files ../a.csv &&
	printf -- "-- output: marts/all\nselect * from raw.copied\n" > jobs/all.sql && leat run > ../out 2>&1 && printf "n\n2\n" > ../b.csv && leat put raw/files ../b.csv && leat plan --save ../p.json > ../out && cat ../out && leat run --plan ../p.json > ../out 2>&1 && has ../out "1 ran" && leat plan > ../out && has ../out "all " "1 to run"
'
test_done
