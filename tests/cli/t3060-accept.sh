#!/usr/bin/env bash
# accept: what is there counts as made by the new code; nothing runs, nothing changes, and why says who said so.
. "$(dirname "$0")/../lib.sh"

heads() { for r in tables/daily marts/top; do leat log $r --json | head -1; done; find datastore -type f -exec sha256sum {} + | LC_ALL=C sort; }
day() { printf "shop,n\na,%d\nb,2\n" "$2" | leat put raw/sales --ds "$1" --name f.csv -; }
to_run() { leat plan > .plan && has .plan "$1"; }

test_expect 'a workspace where two jobs made tables of three days' '
	workspace w && for d in 1 2 3; do day 2018-01-0$d $d; done && mkdir -p jobs/daily &&
	printf "kind: sql\npartition: daily\noutput: tables/daily\nparams: {least: 1}\nchecks: [row_count > 0]\n" > jobs/daily/job.yaml &&
	printf "with recent as (\n  select shop, n from raw.sales where n > 0 and shop <> \047x\047\n)\nselect shop, sum(n) as n from recent where n >= {{ params.least }} group by shop\n" > jobs/daily/job.sql &&
	printf -- "-- partition: daily\n-- output: marts/top\nselect max(n) as n from tables.daily\n" > jobs/top.sql && leat run && to_run "nothing to run"
'
test_expect 'accept of nothing stale says so and changes nothing' '
	cd w && state . > ../before && leat accept daily --because "no need" > out 2> err && has err "nothing of daily is stale" && leat accept daily 2018-01-01 --because "no need" 2> err && has err "daily 2018-01-01 is up to date" &&
	rm out err && state . > ../after && same ../before ../after
'
test_expect 'plan and why name which part of the query changed' '
	cd w && cp jobs/daily/job.sql ../job.sql && sed -i "s/n > 0/n > -1/; s/sum(n) as n/sum(n) + 100 as n/" jobs/daily/job.sql && leat plan > plan &&
	has plan "the code changed" "where of recent: n > 0 -> n > -1" "select: sum(n) as n -> sum(n) + 100 as n" && leat why daily 2018-01-02 --json > why &&
	eq "$(json why "d[\"changes\"][0][\"places\"][0]")" "{\"where\": \"where of recent\", \"line\": 2, \"before\": \"n > 0\", \"now\": \"n > -1\"}" && has plan "6 to run"
'
test_expect 'several ds are accepted: outputs, heads and datastore/ stay, downstream does not run, the third day is stale yet' '
	cd w && heads > ../before && leat accept daily 2018-01-01..2018-01-02 --because "the same rows" --json > rows && count 2 cat rows && heads > ../after && same ../before ../after &&
	to_run "2 to run" && has .plan 2018-01-03 && lacks .plan 2018-01-01 2018-01-02 && leat fsck
'
test_expect 'why shows who accepted it, when and why, and what had changed' '
	cd w && USER=ann leat accept daily --because "looked at all rows" && to_run "nothing to run" && leat why daily 2018-01-03 > why && has why "accepted by ann: looked at all rows" && leat why daily 2018-01-03 --json > why &&
	eq "$(json why "d[\"state\"]")" up-to-date && eq "$(json why "d[\"accepted\"][\"by\"]")" ann && has why "where of recent" && eq "$(json why "d[\"made_by\"][\"original\"]")" "$(leat why tables/daily:/ds=2018-01-03/part-0.parquet --json > f; json f "d[\"made_by\"][\"unit\"]")" &&
	leat runs daily > runs && has runs "looked at all rows" && ran_none=$(leat run 2>&1) && case $ran_none in *"0 ran"*) ;; *) return 1 ;; esac && heads > ../after && same ../before ../after
'
test_expect 'an accepted unit whose input changes runs with the new code, and only it; why then says the input' '
	cd w && day 2018-01-03 5 && leat plan > plan && has plan "an input changed" && lacks plan "code changed" && leat run > out 2>&1 && has out "2 ran" && eq "$(sql "select max(n) from tables.daily where ds = \$\$2018-01-03\$\$" | tail -1)" 105 &&
	eq "$(sql "select max(n) from tables.daily where ds = \$\$2018-01-02\$\$" | tail -1)" 2 && leat why daily 2018-01-03 > why && lacks why accepted
'
test_expect 'the code as it was gives what it gave; the new one again what was accepted: both from the memo' '
	cd w && cp jobs/daily/job.sql ../new.sql && cp ../job.sql jobs/daily/job.sql && leat plan > plan && lacks plan "to run, 0 known" && leat run > out 2>&1 && cp ../new.sql jobs/daily/job.sql && leat run > out 2>&1 && has out "0 ran" && to_run "nothing to run"
'
test_expect 'a parameter by hand is accepted as it stands' '
	cd w && leat run daily 2018-01-01 --param least=2 && leat plan > plan && has plan "by hand" && leat accept daily 2018-01-01 --because "that day had test sales" && leat plan > plan && lacks plan "by hand" && leat run && to_run "nothing to run" && leat why daily 2018-01-01 > why && has why "test sales"
'
test_expect 'without a reason, of no such job, of a day that is not there, of one that never ran: a sentence, exit 2, nothing changed' '
	cd w && printf "\n" >> jobs/top.sql && sed -i "s/max(n)/min(n)/" jobs/top.sql && state . > ../before && exits 2 leat accept top 2> ../err && has ../err "accept needs a reason" "leat why" && exits 2 leat accept top --because " " 2> ../err && has ../err "needs a reason" &&
	exits 2 leat accept tpo --because x 2> ../err && has ../err "did you mean" && exits 2 leat accept top 2018-01-09 --because x 2> ../err && has ../err "ds=2018-01-09" "is missing" &&
	exits 2 leat accept top 2018-13-09 --because x 2> ../err && exits 2 leat accept top 2018-01-01 2018-01-09 --because x 2> ../err && state . > ../after && same ../before ../after && leat plan > ../plan && has ../plan "top "
'
test_expect 'of a job whose units come from the data it is refused with a sentence' '
	cd w && mkdir -p jobs/words && printf "kind: script\ninputs:\n  in: {repo: raw/sales, glob: /*}\noutput: raw/words\n" > jobs/words/job.yaml && echo "ls \$LEAT_INPUT_in > \$LEAT_OUTPUT/x" > jobs/words/job.sh &&
	exits 2 leat accept words --because x 2> err && has err "of the data of its inputs" "leat run words"
'
test_expect 'gc keeps what an accepted partition has, and a dropped head leaves no false memory' '
	cd w && rm -r jobs/words && leat accept top --because fine && leat gc --memo && leat fsck && to_run "nothing to run" && leat sql "from marts.top" > rows && count 5 cat rows
'
test_expect 'a script says which line changed' '
	cd w && printf "#!/bin/sh\n# partition: daily\n# output: raw/lines\n# inputs:\n#   s: raw/sales\nsort \$LEAT_INPUT_s/f.csv > \$LEAT_OUTPUT/o\n" > jobs/lines.sh && leat run && sed -i "s/^sort/sort -u/" jobs/lines.sh && leat plan > plan && has plan "job.sh changed: line 6: sort " "-> sort -u "
'
test_done
