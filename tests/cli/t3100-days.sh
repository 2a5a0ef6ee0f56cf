#!/usr/bin/env bash
# Days of a job: the ds it was asked for is the ds it reads and writes; backfills; what changes when something changes.
. "$(dirname "$0")/../lib.sh"

# ran N words…: leat with these words, whose last line says that N units ran
ran() {
	local n=$1
	shift
	leat "$@" >"$TRASH/.t/ran" 2>&1 || { cat "$TRASH/.t/ran"; return 1; }
	grep -q "^$n ran" "$TRASH/.t/ran" || { echo "not $n ran: $*"; cat "$TRASH/.t/ran"; return 1; }
}
two_jobs() { # raw/in -> tables/mid (sql) -> marts/out (sql), daily
	mkdir -p jobs/mid jobs/out
	printf 'kind: sql\ninputs: {in: raw/in}\noutput: tables/mid\npartition: daily\n' > jobs/mid/job.yaml
	echo 'select id, n * 2 as n from in' | sed 's/from in/from "in"/' > jobs/mid/job.sql
	printf 'kind: sql\noutput: marts/out\npartition: daily\n' > jobs/out/job.yaml
	echo 'select count(*) as rows, sum(n)::bigint as n from tables.mid' > jobs/out/job.sql
}
day() { # DS N: raw/in of that day
	printf 'id,n\n1,%s\n2,%s\n' "$2" "$2" | leat put raw/in --ds "$1" - --name data.csv
}

test_expect 'a job generated today and run for ds=2018-01-24 reads and writes 2018-01-24' '
	workspace gen && day 2018-01-23 1 && day 2018-01-24 5 && day 2018-01-25 9 && mkdir jobs/mid && two_jobs && rm -r jobs/out &&
	ran 1 run mid 2018-01-24 && eq "$(leat ls tables/mid)" /ds=2018-01-24/ && eq "$(sql "select sum(n) from tables.mid" | tail -1)" 20 &&
	eq "$(sql "select distinct ds from tables.mid" | tail -1)" 2018-01-24
'
test_expect 'a script run for a day finds it in DS and LEAT_DS, and its output lies under it' '
	cd gen && mkdir jobs/echo && printf "kind: script\noutput: raw/echo\npartition: daily\n" > jobs/echo/job.yaml &&
	printf "#!/bin/sh\necho \$DS \$LEAT_DS > \$LEAT_OUTPUT/f\n" > jobs/echo/job.sh && chmod +x jobs/echo/job.sh &&
	ran 1 run echo 2018-01-24 && eq "$(leat cat raw/echo:/ds=2018-01-24/f)" "2018-01-24 2018-01-24" && count 1 leat ls raw/echo
'
test_expect 'a backfill of five days makes five partitions once each, in order' '
	workspace bf && two_jobs && for d in 2017-11-28 2017-11-29 2017-11-30 2017-12-01 2017-12-02 2017-12-03 2017-12-04; do day $d 1; done &&
	ran 5 backfill mid --from 2017-11-29 --to 2017-12-03 -j 1 && count 5 leat ls tables/mid &&
	leat log tables/mid --json > log && eq "$(grep -o "\"number\":[0-9]*" log | tr -cd "0-9\n" | paste -sd" ")" "5 4 3 2 1" &&
	for i in 1 2 3 4 5; do leat diff tables/mid@master.$i --name-only; done > order &&
	eq "$(sed "s/.*ds=\([^/]*\).*/\1/" order | uniq | paste -sd" ")" "2017-11-29 2017-11-30 2017-12-01 2017-12-02 2017-12-03"
'
test_expect 'the same backfill again runs nothing, makes no version, and why says so' '
	cd bf && ran 0 backfill mid --from 2017-11-29 --to 2017-12-03 && count 5 leat log tables/mid --json && leat why mid 2017-12-01 > out && has out "up to date" "nothing changed"
'
test_expect 'a backfill never runs more than -j units at a time' '
	cd bf && mkdir jobs/slow && printf "kind: script\noutput: raw/slow\npartition: daily\n" > jobs/slow/job.yaml && mkdir -p "$TRASH/run" "$TRASH/begun" && # the first two wait for each other
	cat > jobs/slow/job.sh <<X && chmod +x jobs/slow/job.sh &&
#!/bin/sh
mkdir $TRASH/run/\$DS $TRASH/begun/\$DS && until [ \$(ls $TRASH/begun | wc -l) -ge 2 ]; do sleep 0.02; done; ls $TRASH/run | wc -l >> $TRASH/most && sleep 0.15 && rmdir $TRASH/run/\$DS && echo 1 > \$LEAT_OUTPUT/f
X
	ran 8 backfill slow --from 2017-11-01 --to 2017-11-08 -j 2 && count 8 cat "$TRASH/most" && eq "$(sort -n "$TRASH/most" | tail -1)" 2 && count 8 leat ls raw/slow
'
test_expect 'leat run makes all that is stale, up to the last table' '
	cd bf && rm -r jobs/slow && ran 9 run && count 7 leat ls tables/mid && count 7 leat ls marts/out && ran 0 run
'
test_expect 'one input day changed: that day runs again, downstream too, and no other' '
	cd bf && day 2017-12-01 7 && leat plan > out && has out "2 to run" "2017-12-01" && lacks out 2017-12-02 && ran 2 run &&
	eq "$(sql "select n from marts.out where ds = '"'2017-12-01'"'" | tail -1)" 28 && leat why out 2017-12-01 > out && has out "2017-12-01" && ran 0 run
'
test_expect 'the SQL changed: every day runs again' '
	cd bf && cp jobs/mid/job.sql ../was.sql && sed -i "s/\* 2/* 3/" jobs/mid/job.sql && leat plan mid > out && has out "7 to run" && ran 14 run &&
	eq "$(sql "select n from marts.out where ds = '"'2017-12-01'"'" | tail -1)" 42
'
test_expect 'the SQL changed back: nothing runs, and the old tables are there again' '
	cd bf && cp ../was.sql jobs/mid/job.sql && leat plan > out && has out "0 to run" "14 known" && ran 0 run && leat run 2>/dev/null &&
	eq "$(sql "select n from marts.out where ds = '"'2017-12-01'"'" | tail -1)" 28 && ran 0 run
'
test_expect 'backfill --mode missing takes only what is not there; all takes everything; a wrong mode is refused' '
	cd bf && day 2017-12-05 1 && sed -i "s/\* 2/* 4/" jobs/mid/job.sql && ran 1 backfill mid --from 2017-12-03 --to 2017-12-05 --mode missing &&
	ran 2 backfill mid --from 2017-12-03 --to 2017-12-05 && ran 3 backfill mid --from 2017-12-03 --to 2017-12-05 --mode all &&
	exits 2 leat backfill mid --from 2017-12-03 --to 2017-12-05 --mode some 2> err && has err missing failed stale all
'
test_expect 'backfill --mode failed takes what failed or is not there' '
	workspace bff && mkdir jobs/f && printf "kind: script\noutput: raw/f\npartition: daily\n" > jobs/f/job.yaml &&
	printf "#!/bin/sh\n[ \$DS != 2017-11-02 ] || [ -e %s/ok ] || exit 3\necho 1 > \$LEAT_OUTPUT/f\n" "$TRASH" > jobs/f/job.sh && chmod +x jobs/f/job.sh &&
	exits 1 leat backfill f --from 2017-11-01 --to 2017-11-03 && count 2 leat ls raw/f && touch "$TRASH/ok" &&
	ran 1 backfill f --from 2017-11-01 --to 2017-11-03 --mode failed && count 3 leat ls raw/f
'
test_expect 'backfill --dry-run and plan --ds name the days and change nothing' '
	cd bf && sed -i "s/\* 4/* 5/" jobs/mid/job.sql && state . > ../before && leat backfill mid --from 2017-12-03 --to 2017-12-05 --dry-run > ../out &&
	has ../out 2017-12-03 3 && leat plan mid --ds 2017-12-03..2017-12-05 > ../out && has ../out "3 to run" && state . > ../after && same ../before ../after
'
test_expect 'a range the wrong way round, of mixed kinds, or half given is refused with exit 2' '
	cd bf && exits 2 leat backfill mid --from 2017-12-05 --to 2017-12-03 2> err && exits 2 leat run mid 2017-12-05..2017-12-03 2> err &&
	exits 2 leat run mid 2017-12-05..2017-W50 2> err && exits 2 leat run mid 2017-12 2> err && has err daily
'
test_expect 'today, yesterday and newest are days' '
	cd bf && export LEAT_CLOCK=$TRASH/clock && clock 2033-03-01T00:00:00Z && exits 1 leat run mid today 2> err && has err 2033-03-01 missing && exits 1 leat run mid yesterday 2> err && has err 2033-02-28 && unset LEAT_CLOCK &&
	leat run mid newest 2> err && leat why mid 2017-12-05 > out && has out "up to date"
'
test_done
