#!/usr/bin/env bash
# What one change causes, under one id: `put --run`, `wait ID`, `log ID`; failures.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

copy='cp $LEAT_INPUT_in/* $LEAT_OUTPUT/'

test_expect 'put --run does what a change causes, and prints the commits that it made' '
	workspace p && job one "/*" in "$copy" && job two "/*" one "$copy" && echo 1 >f1 && leat put in f1 --run --json >out &&
	[ "$(json out "[r[\"repo\"] for r in d]")" = "[\"in\", \"one\", \"two\"]" ] &&
	[ "$(json out "len(set(r[\"commit\"] for r in d))")" = 1 ] && [ "$(leat cat two:/f1)" = 1 ]
'
test_expect 'wait ID does what is pending up to that change, and prints each repo and commit; log ID names them' '
	cd p && echo 2 >f2 && leat put in f2 && x=$(ids in | head -n 1) && echo 3 >f3 && leat put in f3 &&
	leat wait "$x" --json >out && [ "$(json out "sorted(r[\"repo\"] for r in d)")" = "[\"in\", \"one\", \"two\"]" ] &&
	[ "$(json out "[r[\"commit\"] for r in d]")" = "[\"$x\", \"$x\", \"$x\"]" ] && [ "$(files two)" = "/f1 /f2 " ] &&
	leat log "$x" --json >log && [ "$(json log "len(d)")" = 3 ] &&
	leat run --json >run && says ran 2 known 4 && [ "$(files two)" = "/f1 /f2 /f3 " ] && leat run --json >run && says ran 0 known 0
'
test_expect 'who waits a second time for a change that is done takes nothing else: what followed it is taken one by one' '
	workspace t && job one "/*" in "$copy" && touch f1 f2 f3 f4 && leat put in f1 && leat run -q && leat put in f2 && x=$(ids in | head -n 1) && leat put in f3 &&
	leat put in f4 && leat wait "$x" && leat wait "$x" && eq "$(ids one | head -n 1)" "$x" && leat run --json >run && says ran 2 &&
	eq "$(ids one | head -n 3)" "$(ids in | head -n 3)" && count 4 leat log one --json
'
test_expect 'who waits for a change that a new job has not seen gets that job under its id' '
	workspace q && echo 1 >f1 && leat put in f1 && x=$(ids in) && job one "/*" in "$copy" && leat wait "$x" --json >out &&
	[ "$(json out "[[r[\"repo\"], r[\"commit\"]] for r in d]")" = "[[\"in\", \"$x\"], [\"one\", \"$x\"]]" ]
'
test_expect 'two inputs changed in a batch: one run; in two puts: two' '
	workspace b && mkdir -p jobs/both && printf "kind: script\ninputs:\n  a: {repo: a, glob: /}\n  b: {repo: b, glob: /}\n" >jobs/both/job.yaml &&
	printf "#!/bin/sh\nls \$LEAT_INPUT_a \$LEAT_INPUT_b >\$LEAT_OUTPUT/l\n" >jobs/both/job.sh && touch 1 2 3 && leat put a 1 && leat put b 1 &&
	leat run -q && printf "put a 2\nput b 2\n" >list && leat batch -f list && leat run --json >run && says ran 1 &&
	leat put a 3 && leat put b 3 && leat run --json >run && says ran 2 && count 4 leat log both --json &&
	leat cat both@master.3:/l | tr "\n" " " | grep -q "1 2 3 .*1 2 $"
'
test_expect 'a branch that is led back is a change: the output follows, from the memo' '
	workspace h && job one "/*" in "$copy" && touch x && leat put in x && leat run -q && touch y && leat put in y && leat run -q &&
	leat branch in@master --head master~1 && leat run --json >run && says ran 0 known 1 && [ "$(files one)" = "/x " ]
'
test_expect 'a file deleted and put again between two runs: three runs, each as it stood' '
	workspace d && job one "/*" in "$copy" && touch x y && leat put in x y && leat run -q && leat rm in:/x && leat put in x &&
	leat run --json >run && says ran 0 && count 3 leat log one --json && [ "$(files one@master.2)" = "/y " ] && [ "$(files one)" = "/x /y " ]
'
test_expect 'a unit fails: nothing is published, the head stays, the others are known the next time; downstream does not run' '
	workspace f && job one "/*" in "grep -L bad \$LEAT_INPUT_in/* | xargs -I{} cp {} \$LEAT_OUTPUT/; ! grep bad \$LEAT_INPUT_in/*" &&
	job two "/*" one "$copy" && job three "/*" two "$copy" && echo 1 >a && leat put in a && leat run -q && head=$(ids one) &&
	echo bad >b && echo 2 >c && leat put in b c && exits 1 leat run --json >run && says ran 1 known 1 failed 1 not_started 2 &&
	eq "$(ids one)" "$head" && eq "$(ids three)" "$head" && leat runs --json >runs &&
	[ "$(json runs "[r[\"state\"] for r in d[:3]]")" = "[\"upstream-failed\", \"upstream-failed\", \"failed\"]" ] &&
	[ "$(json runs "[d[2][k] for k in (\"ran\", \"known\", \"recovered\", \"failed\")]")" = "[1, 1, 0, 1]" ]
'
test_expect 'what failed is tried again by the next run, under the id of the change; once it is mended all of it follows' '
	cd f && exits 1 leat run --json >run && says ran 0 known 2 failed 1 && echo 3 >b && leat put in b && leat run --json >run &&
	says ran 5 && eq "$(ids three | head -n 1)" "$(ids in | head -n 1)" && [ "$(files three)" = "/a /b /c " ] && count 2 leat log three --json
'
test_expect 'a job that failed over a change that no other follows makes it when its code is mended' '
	workspace m && job one "/*" in "false" && job two "/*" one "$copy" && touch x && leat put in x && exits 1 leat run -q &&
	job one "/*" in "$copy" && leat run --json >run && says ran 2 failed 0 && [ "$(files two)" = "/x " ]
'
test_expect 'an explicit run takes the jobs above it with it; --again runs what is known' '
	workspace u && job one "/*" in "$copy" && job two "/*" one "$copy" && job other "/*" in "$copy" && touch x y && leat put in x y &&
	leat run two --json >run && says ran 4 && exits 1 leat log other 2>err && leat run two --again --json >run && says ran 2 known 0
'
test_expect 'why tells of a file which unit wrote it, from which files and with which code, down to the put' '
	cd p && leat why two:/f1 --json >why && [ "$(json why "[d[\"made_by\"][\"job\"], d[\"made_by\"][\"inputs\"][0][\"path\"]]")" = "[\"two\", \"/f1\"]" ] &&
	[ "$(json why "len(d[\"made_by\"][\"inputs\"])")" = 1 ] && [ "$(json why "d[\"made_by\"][\"code_files\"][0][\"path\"]")" = job.sh ] &&
	[ "$(json why "d[\"made_by\"][\"inputs\"][0][\"made_by\"][\"job\"]")" = one ] &&
	[ "$(json why "d[\"made_by\"][\"inputs\"][0][\"made_by\"][\"inputs\"][0][\"put\"][\"kind\"]")" = put ] && leat why two:/f1
'
test_expect 'one is fine, one fails, one recovers: the run failed and names it; errCmd true: two recovered, the first is known' '
	workspace r && mkdir -p jobs/e && e() { printf "kind: script\ninputs:\n  in: {repo: in, glob: \"/*\"}\ncmd: [sh]\nstdin: [\"grep -q good /pfs/in/* && cp /pfs/in/* /pfs/out\"]\nerrCmd: [sh]\nerrStdin: [\"$1\"]\n" >jobs/e/job.yaml; } &&
	e "grep -q spare /pfs/in/*" && echo good >file1 && echo bad >file2 && echo spare >file3 && leat put in file1 file2 file3 &&
	exits 1 leat run --json >run && says ran 1 recovered 1 failed 1 && grep -q "\"event\":\"failed\".*\"label\":\"/file2\"" run && count 0 leat ls e &&
	e true && leat run --json >run && says ran 0 known 1 recovered 2 failed 0 && [ "$(files e)" = "/file1 " ]
'
test_expect 'plan and why tell what a job has to do: changes to take, other code, nothing' '
	workspace l && job one "/*" in "$copy" && touch x y && leat put in x && leat plan --json >plan && [ "$(json plan "d[\"reason\"]")" = missing ] &&
	leat run -q && count 0 leat plan --json && leat why one | grep -q "one is up to date" && leat put in x && leat put in y && leat plan --json >plan &&
	[ "$(json plan "[d[\"reason\"], d[\"detail\"]]")" = "[\"input-changed\", \"2 changes to take\"]" ] && leat run -q &&
	echo "# more" >>jobs/one/job.sh && leat why one --json >why && [ "$(json why "d[\"reason\"]")" = code-changed ]
'
test_done
