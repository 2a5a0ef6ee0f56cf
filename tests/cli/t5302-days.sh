#!/usr/bin/env bash
# Jobs with partitions and globs: their units are (ds, file).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

# dated NAME 'INPUTS' 'SCRIPT': a daily job
dated() {
	mkdir -p "jobs/$1"
	printf 'kind: script\npartition: daily\ninputs:\n%s\n' "$2" >"jobs/$1/job.yaml"
	printf '#!/bin/sh\nset -e\n%s\n' "$3" >"jobs/$1/job.sh"
}
both='  trips: raw/trips
  models: {repo: models, glob: "/*"}'
score='m=$(basename "$models"); echo "$DS $m $(cat $LEAT_INPUT_trips/* | wc -l) $(cat "$models")" >$LEAT_OUTPUT/$m'
all() { leat ls -R "$1" | tr '\n' ' '; }

test_expect 'SEMANTICS 3: the units of a job with a partition and a glob are (ds, file), and write below ds=' '
	workspace w && dated score "$both" "$score" &&
	for d in 1 2; do seq $((d * 3)) >t$d; leat put raw/trips:/t t$d --ds 2018-01-0$d; done && echo one >m1 && echo two >m2 && leat put models m1 m2 &&
	leat units score --json >units && count 4 cat units && grep -c "\"ds\":\"2018-01-02\"" units | grep -qx 2 &&
	leat run --json >run && says ran 4 known 0 failed 0 &&
	eq "$(all score)" "/ds=2018-01-01/m1 /ds=2018-01-01/m2 /ds=2018-01-02/m1 /ds=2018-01-02/m2 " &&
	[ "$(leat cat score:/ds=2018-01-02/m2)" = "2018-01-02 m2 6 two" ] && leat run --json >run && says ran 0
'
test_expect 'a new file runs for every day that there is, under the id of its put; one changed file too' '
	cd w && echo three >m3 && leat put models m3 && leat run --json >run && says ran 2 known 4 &&
	eq "$(ids score | head -n 1)" "$(ids models | head -n 1)" && echo TWO >m2 && leat put models m2 && leat run --json >run &&
	says ran 2 known 4 && [ "$(leat cat score:/ds=2018-01-01/m2)" = "2018-01-01 m2 3 TWO" ]
'
test_expect 'a new day runs for every file, late data for those of its day' '
	cd w && seq 9 >t3 && leat put raw/trips:/t t3 --ds 2018-01-03 && leat run --json >run && says ran 3 known 6 &&
	seq 4 >t1 && leat put raw/trips:/t t1 --ds 2018-01-01 && leat run --json >run && says ran 3 known 6 &&
	[ "$(leat cat score:/ds=2018-01-01/m1)" = "2018-01-01 m1 4 one" ] && [ "$(leat cat score:/ds=2018-01-03/m1)" = "2018-01-03 m1 9 one" ]
'
test_expect 'a file that is deleted takes what came of it from all days; a day whose partition is deleted keeps what it has (SEMANTICS 2)' '
	cd w && leat rm models:/m3 && leat run --json >run && says ran 0 known 6 &&
	leat rm -r raw/trips:/ds=2018-01-03 && leat run --json >run && says ran 0 known 4 &&
	eq "$(all score)" "/ds=2018-01-01/m1 /ds=2018-01-01/m2 /ds=2018-01-02/m1 /ds=2018-01-02/m2 /ds=2018-01-03/m1 /ds=2018-01-03/m2 " &&
	leat put models m3 && leat run --json >run && says ran 0 known 6 && leat rm models:/m3 && leat run -q &&
	leat put raw/trips:/t t3 --ds 2018-01-03 && leat run --json >run && says ran 0 known 6
'
test_expect 'run JOB A..B takes those days alone, at the heads; what is missing is named and is exit status 1; the rest stays to do' '
	cd w && echo four >m4 && leat put models m4 && leat plan score --ds 2018-01-02 --json >plan && grep -q "\"ds\":\"2018-01-02\".*/m4" plan &&
	leat run score 2018-01-02 --json >run && says ran 1 known 2 && eq "$(all score | tr " " "\n" | grep -c m4)" 1 &&
	exits 1 leat run score 2018-01-02..2018-01-04 --json >run && says ran 1 known 5 not_started 1 &&
	grep -q "raw/trips ds=2018-01-04 is missing" run && leat run --json >run && says ran 1 known 8 &&
	eq "$(all score | tr " " "\n" | grep -c m4)" 3 && leat run score 2018-01-02 --json >run && says ran 0 known 3
'
test_expect 'why tells of a file which unit wrote it, from which day and file; --used-by the other way; of a day what is to run' '
	cd w && leat why score:/ds=2018-01-02/m1 --json >out && grep -q "raw/trips" out && grep -q "t2\|/t" out && grep -q "/m1" out &&
	leat why --used-by models:/m1 >out && grep -q "3 units" out && grep -q "/ds=2018-01-03/m1" out &&
	leat why --used-by raw/trips:/ds=2018-01-02/t >out && grep -q "3 units" out && ! grep -q "2018-01-01" out &&
	leat why score 2018-01-02 | grep -q "up to date" && leat why score 2018-01-09 | grep -q "raw/trips ds=2018-01-09 is missing" &&
	echo five >m5 && leat put models m5 && leat why score 2018-01-02 | grep -q "1 unit: /m5" && leat rm models:/m5 && leat run -q
'
test_expect 'one unit that fails: its day keeps what it shows, the others are published, exit status 1; then only that unit runs' '
	cd w && echo bad >m6 && cp jobs/score/job.sh keep && printf "[ \"\$DS\$(cat \"\$models\")\" != 2018-01-02bad ] || exit 3\n" >>jobs/score/job.sh &&
	leat run -q && leat put models m6 && exits 1 leat run --json >run && says ran 2 failed 1 && grep -q "2018-01-02 /m6" run &&
	eq "$(all score | tr " " "\n" | grep m6 | tr "\n" " ")" "/ds=2018-01-01/m6 /ds=2018-01-03/m6 " &&
	eq "$(ids score | head -n 1)" "$(ids models | head -n 1)" && leat runs score -n 1 | grep -q failed &&
	exits 1 leat run --json >run && says ran 0 failed 1 && leat rm models:/m6 && leat run --json >run && says ran 0 failed 0 &&
	leat put models m6 && exits 1 leat run -q 2>/dev/null && printf good >m6 && leat put models m6 && leat run --json >run && says ran 3 failed 0 &&
	eq "$(all score | tr " " "\n" | grep -c m6)" 3
'
test_expect 'what is downstream takes the days that were published' '
	cd w && printf bad >m7 && job total "/*" score "cat \$LEAT_INPUT_in/*/* >\$LEAT_OUTPUT/\$(basename \$in)" && leat run -q && leat put models m7 &&
	exits 1 leat run --json >run && says ran 4 failed 1 && leat cat total:/ds=2018-01-01 | grep -q m7 && exits 1 leat cat total:/ds=2018-01-02 2>/dev/null -q ||
	{ ! leat cat total:/ds=2018-01-02 | grep -q m7; } && leat rm models:/m7 && leat run -q
'
test_expect 'two units that write one path of a day: that day keeps what it has, the error names both' '
	workspace x && dated clash "$both" "if [ \$DS = 2018-01-02 ]; then echo 1 >\$LEAT_OUTPUT/same; else echo 1 >\$LEAT_OUTPUT/\$(basename \$models); fi" &&
	touch t a b && leat put raw/trips t --ds 2018-01-01 && leat put raw/trips t --ds 2018-01-02 && leat put models a && leat run -q &&
	leat put models b && exits 1 leat run 2>err && grep -q "two units write ds=2018-01-02/same: ds=2018-01-02 .*models:/a and ds=2018-01-02 .*models:/b" err &&
	eq "$(all clash)" "/ds=2018-01-01/a /ds=2018-01-01/b /ds=2018-01-02/same " && leat rm models:/a && leat run --json >run && says ran 0 known 2 &&
	eq "$(all clash)" "/ds=2018-01-01/b /ds=2018-01-02/same "
'
test_expect 'a glob of a repo with partitions takes the files of the day; a day without that partition has no units' '
	workspace g && dated up "  in: {repo: raw/shots, glob: \"/*.txt\"}" "f=\$(ls \$LEAT_INPUT_in); tr a-z A-Z <\$LEAT_INPUT_in/\$f >\$LEAT_OUTPUT/\$f; test -f \"\$in\"" &&
	mkdir d && echo aa >d/a.txt && echo bb >d/b.txt && echo no >d/c.bin && leat put raw/shots d --ds 2018-01-01 && leat put raw/shots:/a.txt d/b.txt --ds 2018-01-02 &&
	leat run --json >run && says ran 3 && eq "$(all up)" "/ds=2018-01-01/a.txt /ds=2018-01-01/b.txt /ds=2018-01-02/a.txt " &&
	[ "$(leat cat up:/ds=2018-01-02/a.txt)" = BB ] && leat units up | grep -q "2018-01-01 /a.txt" && echo cc >n.txt &&
	leat put raw/shots n.txt --ds 2018-01-02 && leat run --json >run && says ran 1 known 3 &&
	leat rm raw/shots:/ds=2018-01-01/b.txt && leat run --json >run && says ran 0 known 3 &&
	leat why --used-by raw/shots:/ds=2018-01-02/n.txt | grep -q "/ds=2018-01-02/n.txt" &&
	leat rm -r raw/shots:/ds=2018-01-02 && leat run --json >run && says ran 0 && eq "$(all up)" "/ds=2018-01-01/a.txt "
'
test_expect 'beside it a window, an optional input, a whole repo and dim_ are read as by any unit of that day' '
	workspace k && dated k "  win: {repo: raw/trips, window: [-1, 0]}
  opt: {repo: raw/extra, optional: true}
  dim: raw/dim_shops
  whole: params
  f: {repo: files, glob: \"/*\"}" "cd \$LEAT_OUTPUT; { ls \$LEAT_INPUT_win | tr \"\\n\" \" \"; ls \$LEAT_INPUT_opt | wc -l; cat \$LEAT_INPUT_dim/* \$LEAT_INPUT_whole/*; } | tr \"\\n\" \" \" >\$(basename \$f)" &&
	echo 1 >t && echo p >p && echo s1 >s1 && echo s2 >s2 && leat put raw/trips t --ds 2018-01-01 && leat put raw/trips t --ds 2018-01-02 &&
	leat put raw/dim_shops:/s s1 --ds 2018-01-01 && leat put raw/dim_shops:/s s2 --ds 2018-01-02 && leat put params p && echo x >x && leat put files x && leat run -q &&
	eq "$(leat cat k:/ds=2018-01-01/x)" "ds=2018-01-01 0 s1 p " && eq "$(leat cat k:/ds=2018-01-02/x)" "ds=2018-01-01 ds=2018-01-02 0 s2 p " &&
	leat put raw/extra t --ds 2018-01-01 && leat run --json >run && says ran 1 known 1 && eq "$(leat cat k:/ds=2018-01-01/x)" "ds=2018-01-01 1 s1 p " &&
	leat put raw/dim_shops:/s s1 --ds 2018-01-02 && leat run --json >run && says ran 1 known 1 &&
	echo q >p && leat put params p && leat run --json >run && says ran 2 known 0
'
test_expect 'input: as in Pachyderm, with inputs: for the calendar beside it; a join of each day' '
	workspace j && mkdir -p jobs/j && cat >jobs/j/job.yaml <<-"Y" && printf "#!/bin/sh\ncat \$LEAT_INPUT_day/* \$a \$b | tr \"\\n\" \" \" >\$LEAT_OUTPUT/\$(basename \$a)\n" >jobs/j/job.sh &&
	kind: script
	partition: daily
	inputs: {day: raw/day}
	input:
	  join: [{pfs: {name: a, repo: ra, glob: "/(*)", joinOn: "$1"}}, {pfs: {name: b, repo: rb, glob: "/(*)", joinOn: "$1"}}]
	Y
	echo D >d && leat put raw/day d --ds 2018-01-01 && for f in 1 2 3; do echo $f >$f; done && leat put ra 1 2 && leat put rb 2 3 &&
	leat run --json >run && says ran 1 && eq "$(leat cat j:/ds=2018-01-01/2)" "D 2 2 "
'
test_expect 'other code: all days anew, nothing of the old is left; back to it: all known; without partition: as if it never had one' '
	cd w && rm -r jobs/total && cp -r jobs/score keep2 && leat ls -R score >before && dated score "$both" "echo \$DS >\$LEAT_OUTPUT/\$(basename \$models).new" && leat run -q &&
	! all score | grep -q "m1 " && all score | grep -q "ds=2018-01-02/m1.new" && rm -r jobs/score && mv keep2 jobs/score &&
	leat run --json >run && says ran 0 && leat ls -R score >after && same before after &&
	sed -i -e "/^partition/d" -e "/trips:/d" jobs/score/job.yaml && printf "#!/bin/sh\ncp \$models \$LEAT_OUTPUT/\n" >jobs/score/job.sh && leat run -q && ! all score | grep -q ds=
'
test_expect 'a day asked for after the code has changed is made anew, and the other days keep theirs until the rest is run' '
	workspace r && dated score "$both" "$score" && seq 3 >t && for d in 1 2; do leat put raw/trips t --ds 2018-01-0$d; done && echo a >a && leat put models a && leat run -q &&
	printf "echo new >>\$LEAT_OUTPUT/\$m\n" >>jobs/score/job.sh && leat run score 2018-01-02 --json >run && says ran 1 &&
	leat cat score:/ds=2018-01-02/a | grep -q new && exits 1 grep -q new <(leat cat score:/ds=2018-01-01/a) &&
	leat run --json >run && says ran 1 known 1 && leat cat score:/ds=2018-01-01/a | grep -q new
'
test_expect 'a job without partitions to read has the days that were asked for, and from start: on those that have ended' '
	workspace s && dated s "  f: {repo: files, glob: \"/*\"}" "echo \$DS >\$LEAT_OUTPUT/\$(basename \$f)" && echo 1 >a && leat put files a && leat run --json >run && says ran 0 &&
	leat run s 2018-01-05 --json >run && says ran 1 && echo 2 >b && leat put files b && leat run --json >run && says ran 1 known 1 &&
	eq "$(all s)" "/ds=2018-01-05/a /ds=2018-01-05/b " && export LEAT_CLOCK=$PWD/clock && echo 2018-01-08T12:00:00Z >clock &&
	sed -i "s/^partition.*/partition: {every: daily, start: 2018-01-05}/" jobs/s/job.yaml && leat run --json >run && says ran 4 && echo 2018-01-09T12:00:00Z >clock && leat run --json >run && says ran 2 && leat run --json >run && says ran 0 && unset LEAT_CLOCK
'
test_expect 'run --unit takes a number, a path with its ds, and sees that day; nothing is published' '
	cd r && n=$(ids score | wc -l) && leat run score --unit "2018-01-02 /a" && grep -q 2018-01-02 .leat/staging/unit/score/now/out/a &&
	leat run score --unit 1 && grep -q 2018-01-01 .leat/staging/unit/score/now/out/a && exits 2 leat run score --unit /a 2>err && grep -q "2018-01-01 /a" err &&
	[ "$(ids score | wc -l)" = $n ]
'
test_expect 'a calendar job downstream reads its days; checks, retries and slots are as for all units' '
	cd r && mkdir -p jobs/day && printf "kind: script\npartition: daily\ninputs: {s: score}\n" >jobs/day/job.yaml && printf "#!/bin/sh\ncat \$LEAT_INPUT_s/* >\$LEAT_OUTPUT/all\n" >jobs/day/job.sh &&
	leat run -j 4 --json >run && leat cat day:/ds=2018-01-02/all | grep -q "2018-01-02 a" && echo b >b && leat put models b && leat run -j 4 -q && leat cat day:/ds=2018-01-01/all | grep -q "2018-01-01 b"
'
test_expect 'mistakes: a glob over hours in a daily job, a window on a glob, its own output, a ds of another kind' '
	workspace m && dated h "  in: {repo: raw/hours, glob: \"/*\"}" true && touch t && leat put raw/hours t --ds 2018-01-01T01 && leat put raw/hours t --ds 2018-01-01T02 &&
	exits 2 leat run 2>err && grep -q "reads several hourly partitions of raw/hours, and a glob takes the files of one" err && grep -q "jobs/h/job.yaml:4" err &&
	dated h "  in: {repo: raw/hours, glob: \"/*\", window: [-1, 0]}" true && exits 2 leat run 2>err && grep -q "window is for what a unit reads whole, and this input has a glob" err &&
	dated h "  in: {repo: h, glob: \"/*\"}" true && exits 2 leat run 2>err && grep -q "cannot read its own output, h" err &&
	dated h "  in: {repo: raw/x, glob: \"/*\"}" true && exits 2 leat run h nonsense 2>err && exits 1 leat run h 2018-01-01 2>err && grep -q "raw/x is not there" err
'
test_expect 'backfill: a dry run says what of each day is to run, before the job ever ran, and makes nothing; then exactly that runs' '
	workspace fill && dated score "$both" "$score" && for d in 1 2 3 5; do seq $d >t$d; leat put raw/trips:/t t$d --ds 2018-01-0$d; done && echo one >m1 && echo two >m2 && leat put models m1 m2 &&
	leat backfill score --from 2018-01-01 --to 2018-01-02 --dry-run --json > dry && eq "$(json dry "[(r[\"ds\"], r[\"reason\"], r[\"runs\"]) for r in d]")" "[[\"2018-01-01\", \"missing\", true], [\"2018-01-02\", \"missing\", true]]" && has dry "2 units: /m1, ..." && exits 1 leat ls score &&
	leat backfill score --from 2018-01-01 --to 2018-01-02 --json > run && says ran 4 known 0 failed 0 && eq "$(all score)" "/ds=2018-01-01/m1 /ds=2018-01-01/m2 /ds=2018-01-02/m1 /ds=2018-01-02/m2 " &&
	leat backfill score --from 2018-01-01 --to 2018-01-02 --json > run && says ran 0 known 4
'
test_expect 'backfill: a day whose input is not there is counted and left out, with exit 0 (SEMANTICS 2); asked for by name it is 1' '
	cd fill && leat backfill score --from 2018-01-01 --to 2018-01-05 --json > run && says ran 4 known 4 input_missing 1 not_started 1 && leat ls score:/ > l && lacks l 01-04 && exits 1 leat run score 2018-01-04 && leat backfill score --from 2018-01-01 --to 2018-01-05 > out 2> err && has out "1 lacks an input" && has err "ds=2018-01-04 is missing"
'
test_expect 'backfill: missing takes days that are not there, failed also those of which a unit failed, stale what changed, all everything' '
	cd fill && echo TWO > m2 && leat put models m2 && seq 6 > t6 && leat put raw/trips:/t t6 --ds 2018-01-06 && fill() { leat backfill score --from 2018-01-01 --to 2018-01-06 "$@" --json; } &&
	fill --mode missing --dry-run > dry && eq "$(json dry "sorted((r[\"ds\"][-1], r[\"reason\"]) for r in d)")" "[[\"1\", \"not-in-mode\"], [\"2\", \"not-in-mode\"], [\"3\", \"not-in-mode\"], [\"4\", \"input-missing\"], [\"5\", \"not-in-mode\"], [\"6\", \"missing\"]]" &&
	fill --mode missing > run && says ran 2 failed 0 && eq "$(leat cat score:/ds=2018-01-01/m2)" "2018-01-01 m2 1 two" && fill --mode failed > run && says ran 0 &&
	sed -i "2a [ \$DS != 2018-01-02 ]" jobs/score/job.sh && exits 1 leat backfill score --from 2018-01-02 --to 2018-01-03 && sed -i 3d jobs/score/job.sh && fill --mode missing > run && says ran 0 && fill --mode failed > run && says ran 1 failed 0 && eq "$(leat cat score:/ds=2018-01-02/m2)" "2018-01-02 m2 2 TWO" &&
	fill > run && says ran 3 failed 0 && fill > run && says ran 0 known 10 && fill --mode all > run && says ran 10 known 0 && leat run --json > run && says ran 0
'
test_done
