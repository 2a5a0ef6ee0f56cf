#!/usr/bin/env bash
# Things that were passed over without a word.
. "$(dirname "$0")/../lib.sh"

test_expect 'a job.yaml under the name of its job is named with where it belongs; a YAML file that is no job is not' '
	workspace w && printf "kind: sql\noutput: tables/a\n" > jobs/a.yaml && printf "some: thing\n" > jobs/b.yml &&
	exits 2 leat run > out 2>&1 && has out "jobs/a.yaml: a job" "make it jobs/a/job.yaml" && lacks out b.yml && leat jobs > out 2>&1 && has out jobs/a.yaml &&
	leat status > out && has out jobs/a.yaml && mkdir jobs/a && mv jobs/a.yaml jobs/a/job.yaml && echo "select 1 as x" > jobs/a/job.sql && leat run a
'
test_expect 'the JSON Schemas need no workspace, a setting does' '
	mkdir -p none && cd none && leat config --schema job | has - "\"properties\"" && leat config --schema workspace | has - pools && exits 2 leat config timezone 2> err && has err "leat.yaml"
'
test_expect 'a column in leat.yaml that the table has not is an error at its place' '
	cd w && printf "speed,n\n1,2\n" > a.csv && leat put raw/x a.csv && printf "tables: {raw/x: {columns: {sped: DOUBLE}}}\n" >> leat.yaml &&
	exits 2 leat sql "from raw.x" 2> err && has err "leat.yaml:" "raw/x has no column \"sped\"" speed && sed -i s/sped:/Speed:/ leat.yaml && leat sql "select typeof(speed) from raw.x" | has - DOUBLE
'
test_expect 'no line of doctor is longer than 80 columns, but for a single long word' '
	cd w && leat doctor > out && awk "length(\$0) > 80" out > long && awk "NF > 4 && length(\$NF) < 50" long > wide && same /dev/null wide && has out "datastore/"
'
test_expect 'files beside the ds= folders of a table are named: they are not read' '
	workspace m && printf "n\n1\n" > a.csv && leat put raw/p --ds 2024-01-01 a.csv && leat sql "select sum(n) from raw.p" > out 2>&1 && lacks out beside &&
	leat put raw/p a.csv && echo no > README.md && leat put raw/p README.md && leat sql "select sum(n) from raw.p" > out 2>&1 && has out "raw/p:/a.csv lies beside the ds= folders" && lacks out README &&
	leat put raw/p:/b.csv a.csv && leat sql "select sum(n) from raw.p" > out 2>&1 && has out "2 files of raw/p (a.csv, ...)"
'
test_expect 'the reference of jobs names the words that a key takes' '
	has "$CHECKOUT/docs/reference/jobs.md" "One of \`run\`, \`report\`." "One of \`all_success\`, \`all_done\`"
'
test_done
