#!/usr/bin/env bash
# leat new: templates, names, values.
. "$(dirname "$0")/../lib.sh"

test_expect 'new without words lists the templates' '
	workspace w && leat new > out && has out sql script download
'
test_expect 'each template makes a job that can be planned' '
	cd w && leat new sql agg && leat new script clean && leat new download web && leat jobs --json > out &&
	eq "$(json out "sorted(r[\"job\"] + \" \" + r[\"kind\"] for r in d)")" "[\"agg sql\", \"clean script\", \"web download\"]" && leat plan
'
test_expect 'a template or a value that is nearly right gets the right one; a name that cannot be is refused, nothing is made' '
	cd w && exits 2 leat new sqll x 2> err && has err "did you mean \"sql\"" && exits 2 leat new sql x --set outputs=tables/x 2> err && has err output &&
	exits 2 leat new sql "Bad Name!" 2> err && has err Bad_Name && exits 2 leat new sql 2> err && has err "needs a name" &&
	eq "$(ls jobs | tr "\n" " ")" "agg clean web " && leat new sql x --set output=marts/x && has jobs/x/job.yaml "output: marts/x"
'
test_expect 'a name that a job has already is refused in any letter case, be it a folder, a file or in a pipeline' '
	cd w && mkdir -p pipelines/p && echo "select 1 as a" > jobs/one.sql && echo "select 1 as a" > pipelines/p/two.sql &&
	for n in agg AGG One Two; do exits 2 leat new sql $n 2> err && has err "is there already" || return 1; done &&
	test ! -e jobs/AGG && test ! -e jobs/One && test ! -e jobs/Two
'
test_expect 'two jobs of one name are told with their files and without places that are none' '
	cd w && mkdir jobs/ONE && echo "kind: sql" > jobs/ONE/job.yaml && echo "select 1 as a" > jobs/ONE/job.sql && leat jobs > out 2>&1 && has out "there twice" && lacks out ":0:0" &&
	leat status > out 2>&1 && has out "there twice" && lacks out ":0:0"
'
test_done
