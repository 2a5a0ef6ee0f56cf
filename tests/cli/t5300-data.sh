#!/usr/bin/env bash
# Jobs whose units come from the data: what runs, what is known, outputs that follow their inputs.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

test_expect 'a job that is new runs over what is there: a unit for each file' '
	workspace w && job copy "/*" images "cp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/" &&
	for i in a b c; do echo "file $i" >$i; done && leat put images a b c &&
	leat run --json >run && says ran 3 known 0 failed 0 && [ "$(files copy)" = "/a /b /c " ] && [ "$(leat cat copy:/b)" = "file b" ]
'
test_expect 'SEMANTICS 1: the output bears the id of the change that caused it, and each change makes one commit of it' '
	cd w && echo "file d" >d && leat put images d && id=$(ids images | head -n 1) &&
	leat run --json >run && says ran 1 known 3 && [ "$(ids copy | head -n 1)" = "$id" ] &&
	leat log "$id" --json | grep -c "\"repo\"" | grep -qx 2
'
test_expect 'one file changed: one unit runs; nothing changed: none does, and none the second time' '
	cd w && echo "file B" >b && leat put images b && leat run --json >run && says ran 1 known 3 &&
	[ "$(leat cat copy:/b)" = "file B" ] && leat run --json >run && says ran 0 known 0
'
test_expect 'a put of what is there already is a commit downstream too, and runs nothing' '
	cd w && n=$(ids copy | wc -l) && leat put images b && leat run --json >run && says ran 0 known 4 &&
	[ "$(ids copy | wc -l)" = $((n + 1)) ]
'
test_expect 'other code: all units run, and nothing of the old output is left; back to the old code: all known' '
	cd w && cp -r jobs/copy keep &&
	job copy "/*" images "for f in \$LEAT_INPUT_in/*; do n=\$(basename \$f | tr a-z A-Z); tr a-z A-Z <\$f >\$LEAT_OUTPUT/\$n; done" &&
	leat run --json >run && says ran 4 known 0 && [ "$(files copy)" = "/A /B /C /D " ] && [ "$(leat cat copy:/A)" = "FILE A" ] &&
	rm -r jobs/copy && mv keep jobs/copy && leat run --json >run && says ran 0 known 4 && [ "$(files copy)" = "/a /b /c /d " ]
'
test_expect 'a file that is deleted takes with it what came of it, without a run; put again it is known' '
	cd w && leat rm images:/c && leat run --json >run && says ran 0 known 3 && [ "$(files copy)" = "/a /b /d " ] &&
	leat put images c && leat run --json >run && says ran 0 known 4 && [ "$(files copy)" = "/a /b /c /d " ]
'
test_expect 'file=foo gives foo, file=bar gives bar; deleted, and file2=foo put: only file2 is there, from the memo of no other path' '
	workspace v && job copy "/*" in "cp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/" &&
	printf foo >file && leat put in file && leat run -q && [ "$(leat cat copy:/file)" = foo ] &&
	printf bar >file && leat put in file && leat run -q && [ "$(leat cat copy:/file)" = bar ] &&
	leat rm in:/file && printf foo >file2 && leat put in file2 && leat run -q && [ "$(files copy)" = "/file2 " ] &&
	[ "$(leat cat copy:/file2)" = foo ] &&
	leat put in file && leat rm in:/file2 && leat run --json >run && says ran 0 && [ "$(files copy)" = "/file " ]
'
test_expect 'the last change of a folder counts: a glob of folders makes a unit of all that is in each' '
	workspace f && job count "/*" in "cd \$LEAT_INPUT_in; for d in *; do ls \$d | wc -l >\$LEAT_OUTPUT/\$d; done" &&
	mkdir -p d/x d/y && touch d/x/1 d/x/2 d/y/1 && leat put in d && leat run --json >run && says ran 2 known 0 &&
	[ "$(leat cat count:/x)" = 2 ] && touch d/y/2 d/y/3 && leat put in d && leat run --json >run && says ran 1 known 1 &&
	[ "$(leat cat count:/y)" = 3 ]
'
test_expect 'two units that write one path: nothing is published, and the error names the path and both units' '
	workspace x && job clash "/*" in "echo 1 >\$LEAT_OUTPUT/same" && touch a b && leat put in a && leat run -q &&
	leat put in b && exits 1 leat run 2>err && grep -q "two units write same: in:/a and in:/b" err &&
	[ "$(ids clash | wc -l)" = 1 ] && exits 1 leat run 2>err && grep -q "two units write same" err &&
	leat rm in:/a && leat run --json >run && says ran 0 known 1 && [ "$(files clash)" = "/same " ]
'
test_expect 'a file and a folder of one name, from two units, are refused too' '
	workspace y && job clash "/*" in "cd \$LEAT_INPUT_in; case \$(ls) in a) echo 1 >\$LEAT_OUTPUT/n;; b) mkdir \$LEAT_OUTPUT/n; echo 1 >\$LEAT_OUTPUT/n/m;; esac" &&
	touch a b && leat put in a b && exits 1 leat run 2>err && grep -q "n/m\|n " err && count 0 leat ls clash
'
test_expect 'a chain: each change runs through, under one id' '
	workspace c && job one "/*" in "cp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/" && job two "/*" one "cp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/" &&
	job three "/" two "cat \$LEAT_INPUT_in/* >\$LEAT_OUTPUT/all" &&
	leat run -q && for i in 1 2 3; do echo $i >f$i; leat put in f$i; done && leat run --json >run && says ran 9 known 6 &&
	eq "$(ids three | head -n 3)" "$(ids in)" &&
	leat cat three:/all >all && printf "1\n2\n3\n" >want && same want all && [ "$(leat cat three@master.2:/all | wc -l)" = 2 ]
'
test_expect 'a diamond joins once for each change' '
	cd c && mkdir -p jobs/join && printf "kind: script\ninputs:\n  a: {repo: one, glob: /}\n  b: {repo: two, glob: /}\n" >jobs/join/job.yaml &&
	printf "#!/bin/sh\nls \$LEAT_INPUT_a \$LEAT_INPUT_b >\$LEAT_OUTPUT/list\n" >jobs/join/job.sh && leat run --json >run &&
	says ran 1 && echo 4 >f4 && leat put in f4 && leat run --json >run && says ran 4 &&
	[ "$(ids join | wc -l)" = 2 ] && eq "$(ids join | head -n 1)" "$(ids in | head -n 1)"
'
test_done
