#!/usr/bin/env bash
# leat new: jobs from templates, and the jobs they make work.
. "$(dirname "$0")/../lib.sh"

test_expect 'without words it lists the templates, each with a sentence' '
	leat init w && cd w && leat new > out 2> err && has out sql script download && has err "leat new TEMPLATE NAME" && leat generate-job > out2 2> err && same out out2
'
test_expect 'every template makes a job that loads, with nothing left to fill in' '
	cd w && for t in $(leat new 2> /dev/null | awk "NF > 1 && \$1 != \"template\" && \$1 != \"dag\" && \$1 !~ /^-/ {print \$1}"); do
		leat new $t made_$t > ../out && has ../out made_$t && leat jobs > ../jobs && has ../jobs made_$t && exits 1 grep -rq "{{ name }}\|NAME" jobs/made_$t*
	done && leat plan > /dev/null && leat status > ../out && lacks ../out "job.yaml:"
'
test_expect 'values are given by --set; what the template does not ask for is refused, naming what it does' '
	cd w && leat new download cars --set url=http://127.0.0.1:9/cars.csv && has "$(ls jobs/cars/job.yaml)" "http://127.0.0.1:9/cars.csv" && exits 2 leat new download other --set uri=x 2> err && has err uri url && test ! -e jobs/other
'
test_expect 'a job that is there is not written over, a name that cannot be is refused' '
	cd w && cp -r jobs before && exits 2 leat new sql cars 2> err && has err cars && exits 2 leat new sql "Bad Name!" 2> err && exits 2 leat new sql ../up 2> err && exits 2 leat new sql 2> err && exits 2 leat new sqll x 2> err && has err sql && diff -r before jobs
'
test_expect 'the job of the script template runs as it is' '
	workspace s && leat new script hello && { leat run hello 2024-01-01 || leat run hello; } && leat runs > ../out && has ../out hello success
'
test_expect 'jobs of the templates sql and script bring a test that holds, also for a table of a longer name' '
	workspace g && leat new sql sales && leat new script hello && leat new sql deep --set "from=raw.\"a/b\"" && leat test > out &&
	grep "^ok    sales/example" out && grep "^ok    hello/example" out && grep "^ok    deep/example" out && grep "^3 passed" out
'
test_expect 'a template or a value that is nearly right gets the right one, a name that cannot be a better one' '
	cd w && exits 2 leat new sqll y 2> err && has err "did you mean \"sql\"" && exits 2 leat new sql y --set outputs=tables/x 2> err && has err output &&
	exits 2 leat new sql "Bad Name!" 2> err && has err Bad_Name && exits 2 leat new sql 2> err && has err "needs a name" && test ! -e jobs/y &&
	leat new sql z --set output=marts/x && has jobs/z/job.yaml "output: marts/x"
'
test_expect 'a name that a job has already is refused in any letter case, be it a folder, a file or in a pipeline' '
	workspace c && leat new sql agg && mkdir -p pipelines/p && echo "select 1 as a" > jobs/one.sql && echo "select 1 as a" > pipelines/p/two.sql &&
	for n in agg AGG One Two; do exits 2 leat new sql $n 2> err && has err "is there already" || return 1; done &&
	test ! -e jobs/AGG && test ! -e jobs/One && test ! -e jobs/Two
'
test_expect 'two jobs of one name are told with their files and without places that are none' '
	cd c && mkdir jobs/ONE && echo "kind: sql" > jobs/ONE/job.yaml && echo "select 1 as a" > jobs/ONE/job.sql && leat jobs > out 2>&1 && has out "there twice" && lacks out ":0:0" &&
	leat status > out 2>&1 && has out "there twice" && lacks out ":0:0"
'
test_done
