#!/usr/bin/env bash
# SEMANTICS 6: an output deleted or edited behind Leat's back is named and put back without a run; where nothing is left of
# it, it is made again by one; what people dropped elsewhere is named and left.
. "$(dirname "$0")/../lib.sh"

test_expect 'a workspace with a script over three days' '
	workspace w &&
	for d in 1 2 3; do echo $d > f && leat put raw/x f --ds 2018-01-0$d; done && rm f &&
	mkdir -p jobs/copy && printf "kind: script\npartition: daily\ninputs: raw/x\noutput: tables/copy\n" > jobs/copy/job.yaml &&
	printf "#!/bin/sh\ncat \$LEAT_INPUT_x/ds=*/f \$LEAT_INPUT_x/f > \$LEAT_OUTPUT/out 2>/dev/null; echo made \$DS >> \$LEAT_OUTPUT/out\n" > jobs/copy/job.sh && chmod +x jobs/copy/job.sh &&
	leat run && cat datastore/tables/copy/ds=2018-01-02/out > good
'
test_expect 'an output edited and one deleted are named and put back without a run' '
	cd w && echo more >> datastore/tables/copy/ds=2018-01-02/out && rm -r datastore/tables/copy/ds=2018-01-01 &&
	leat plan > plan && has plan "nothing to run" && has datastore/tables/copy/ds=2018-01-02/out more &&
	leat run > out 2> err && has out "0 ran" && has err "ds=2018-01-01/out (deleted)" "ds=2018-01-02/out (edited)" &&
	same good datastore/tables/copy/ds=2018-01-02/out && test -f datastore/tables/copy/ds=2018-01-01/out &&
	leat cat tables/copy:/ds=2018-01-02/out > now && same good now
'
test_expect 'what was written into it is kept in lost+found' '
	cd w && grep -r more .leat/lost+found
'
test_expect 'an output of which nothing is left is planned and made again by a run' '
	cd w && id=$(sha256sum < good | cut -c1-64) && lose_bytes "$id" && rm datastore/tables/copy/ds=2018-01-02/out &&
	leat plan > plan && has plan "2018-01-02" "nothing is left" && leat run > out && has out "1 ran" &&
	same good datastore/tables/copy/ds=2018-01-02/out && leat fsck
'
test_expect 'a job that was not asked for is left as it is' '
	cd w && mkdir -p jobs/other && printf "kind: script\npartition: none\noutput: tables/other\n" > jobs/other/job.yaml &&
	printf "#!/bin/sh\necho x > \$LEAT_OUTPUT/x\n" > jobs/other/job.sh && chmod +x jobs/other/job.sh &&
	echo edited >> datastore/tables/copy/ds=2018-01-03/out && leat run other && has datastore/tables/copy/ds=2018-01-03/out edited &&
	leat run copy 2018-01-03 && lacks datastore/tables/copy/ds=2018-01-03/out edited
'
test_expect 'files that people dropped into a source are named with the command that adopts them, and left' '
	cd w && mkdir -p datastore/raw/x/ds=2018-01-04 && echo 4 > datastore/raw/x/ds=2018-01-04/f &&
	leat run > out 2> err && has err "leat commit raw/x" && has out "0 ran" && test -f datastore/raw/x/ds=2018-01-04/f &&
	leat commit raw/x && leat run > out && has out "1 ran"
'
test_expect 'outputs of jobs whose units come from the data are put back beside the run that takes an event' '
	workspace data && for i in 1 2 3; do echo $i > f && leat put files:/$i f || return 1; done && mkdir -p jobs/one jobs/two &&
	printf "cmd: [cp, -r, /pfs/in/., /pfs/out]\nkind: script\noutput: one\ninputs: {in: {repo: files, glob: \"/*\"}}\n" > jobs/one/job.yaml &&
	sed "s/output: one/output: two/; s/repo: files/repo: one/" jobs/one/job.yaml > jobs/two/job.yaml && leat run &&
	chmod u+w datastore/one/1 && echo more >> datastore/one/1 && rm datastore/two/2 && echo mine > datastore/files/mine &&
	echo 4 > f && leat put files:/4 f && leat run > out 2> err && has out "2 ran" &&
	has err "datastore/one: 1 file put back" "1 (edited)" "datastore/two: 1 file put back" "2 (deleted)" "leat commit files" &&
	echo 1 | cmp - datastore/one/1 && echo 2 | cmp - datastore/two/2 && echo 4 | cmp - datastore/two/4 && grep -r more .leat/lost+found
'
test_expect 'so they are where no event is there, and where one job alone is asked for' '
	cd data && rm datastore/one/1 datastore/two/1 && leat run one > out 2> err && has err "datastore/one: 1 file" && lacks err datastore/two: &&
	test -f datastore/one/1 && ! test -f datastore/two/1 && leat run 2> err && has err "datastore/two: 1 file" && test -f datastore/two/1
'
test_done
