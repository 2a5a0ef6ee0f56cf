#!/usr/bin/env bash
# Many partitions of one SQL job as one statement: the rows of unit by unit, whatever happens on the way (SEMANTICS 4).
. "$(dirname "$0")/../lib.sh"

# days FROM N: raw/x of N days, three of 40 without a row
days() {
	python3 - "$@" <<'EOF'
import datetime, os, random, sys
first, n = datetime.date.fromisoformat(sys.argv[1]), int(sys.argv[2])
random.seed(7)
for i in range(n):
    path = 'src/ds=%s' % (first + datetime.timedelta(i))
    os.makedirs(path)
    with open(path + '/a.csv', 'w') as f:
        f.write('g,n,v\n')
        for k in range(0 if i % 17 == 5 else random.randint(1, 200)):
            f.write('g%d,%d,%r\n' % (random.randint(0, 5), random.randint(0, 10**15), random.random() * 1000))
EOF
	leat put raw/x:/ src
}
job() { # NAME OUTPUT 'SQL' [KEYS]: a daily job
	mkdir -p jobs/$1
	printf 'kind: sql\noutput: %s\npartition: daily\n%b' "$2" "${4:-}" > jobs/$1/job.yaml
	printf '%s\n' "$3" > jobs/$1/job.sql
}
jobs() { # one of each kind of reading and of using ds
	job mid tables/mid 'select * from raw.x'
	job out marts/out 'select g, count(*) as rows, sum(n) as n, avg(v) as v, {{ ds }} as day from tables.mid where ds = {{ ds }} and n <> 7 group by all'
	job named marts/named 'with t as (select g, sum(v) as v from tables.mid group by g) select t.g, d.name, d.ds as since, t.v, date {{ ds }} + 1 as next from t left join tables.dim_g as d on d.g = t.g'
	job total marts/total 'select count(*) as rows, sum(n) as n, min({{ ds }}::date) as day from tables.mid'
	job both marts/both 'select distinct g, 1 as k from tables.mid union all select o.g, p.weight from tables.mid o join tables.plain p using (g) where o.n > 5'
	job week marts/week 'select g, count(*) as n from tables.mid group by g' 'inputs: {mid: {repo: tables/mid, window: [-6, 0]}}\n'
	for d in 2017-12-31 2018-01-10 2018-01-30; do
		printf 'g,name\ng0,%s\ng1,b\n' $d | leat put tables/dim_g --ds $d - --name a.csv
	done
	printf 'g,weight\ng0,3\ng1,4\n' | leat put tables/plain - --name a.csv
}
# rows REPO: of each file its ds, its columns and what its rows add up to
rows() {
	local files="$PWD/datastore/$1/*/*.parquet"
	leat sql "select regexp_extract(filename, 'ds=[^/]*') as ds, count(*) as n, sum(hash(t, 1)::hugeint)::varchar as h1,
		sum(hash(t, 2)::hugeint)::varchar as h2 from (select columns(c -> c <> 'filename'), struct_pack(f := filename).f as filename
		from read_parquet('$files', filename = true, hive_partitioning = false)) f, lateral (select f.* exclude (filename)) t
		group by 1 order by 1" --format csv
	leat sql "select regexp_extract(file_name, 'ds=[^/]*') as ds, string_agg(concat_ws(' ', name, type, logical_type, repetition_type), ','
		order by column_id) as columns from parquet_schema('$files') group by 1 order by 1" --format csv
}
with() { # JOB DS: how many ran with it; nothing if it ran alone
	leat why $1 $2 --json | grep -o '"facts":{[^}]*}' | grep -o '"batch":[0-9]*' | cut -d: -f2
}
pair() { # NAME: workspaces NAME-auto and NAME-off, the latter unit by unit
	workspace $1-auto && days 2018-01-01 40 && jobs && cd .. &&
	workspace $1-off && days 2018-01-01 40 && jobs && echo 'batch: off' >> leat.yaml && cd ..
}
same_rows() { # NAME REPO…: both have the same rows in as many files
	local name=$1 r
	shift
	for r; do
		(cd $name-auto && rows $r) > auto.rows && (cd $name-off && rows $r) > off.rows || return 1
		[ -s auto.rows ] && same auto.rows off.rows || { diff auto.rows off.rows; return 1; }
	done
}
all="tables/mid marts/out marts/named marts/total marts/both marts/week"

test_expect 'forty days of six jobs in batches give the files that unit by unit gives, row for row' '
	pair p && (cd p-auto && leat run > ../auto.log) && (cd p-off && leat run > ../off.log) &&
	same auto.log off.log && grep -q "^240 ran" auto.log && same_rows p $all &&
	[ "$(cd p-auto && find datastore/marts -name "*.parquet" | wc -l)" = 200 ]
'
test_expect 'they ran together, and why says with how many; batch: off keeps them apart' '
	cd p-auto && for j in mid out named both week; do [ "$(with $j 2018-01-12)" -ge 4 ] || { echo $j; return 1; }; done &&
	cd ../p-off && for j in mid out named total both week; do eq "$(with $j 2018-01-12)" ""; done
'
test_expect 'a day without rows has its file with the columns, and an aggregate of nothing its row' '
	cd p-auto && eq "$(leat sql "select count(*) from marts.out where ds = date '\''2018-01-06'\''" --format csv | tail -1)" 0 &&
	leat ls marts/out:/ds=2018-01-06 | grep -q part-0.parquet &&
	eq "$(leat sql "select rows from marts.total where ds = date '\''2018-01-06'\''" --format csv | tail -1)" 0
'
test_expect 'each partition is its own unit, version and memo key: nothing runs again, and one changed day runs alone' '
	cd p-auto && leat log marts/out --json > log && [ "$(grep -o '\''"number":40\b'\'' log | wc -l)" = 1 ] && leat run | grep -q "^0 ran\|nothing" &&
	printf "g,n,v\ng0,1,2.5\n" | leat put raw/x --ds 2018-01-20 - --name a.csv && leat run mid 2018-01-20 && leat run out 2018-01-20 &&
	eq "$(leat sql "select day from marts.out where ds = date '\''2018-01-20'\''" --format csv | tail -1)" 2018-01-20
'
test_expect 'batching counts in no memo key' '
	cd p-auto && echo "batch: off" >> leat.yaml && leat run named > log && grep -q "^[01] ran" log && sed -i "/^batch/d" leat.yaml &&
	echo "batch: off" >> jobs/both/job.yaml && leat plan both > log && ! grep -q "code\|setting" log
'
test_expect 'a day whose rows cannot be read fails alone and as it would by itself, the others are made' '
	workspace bad && days 2018-01-01 40 && job mid tables/mid "select g, n::int8 as n from raw.x" && leat run mid 2018-01-01..2018-01-02 &&
	printf "g,n,v\ng1,zwei,3\n" | leat put raw/x --ds 2018-01-21 - --name a.csv && exits 1 leat run mid 2018-01-01..2018-02-09 > log 2>&1 &&
	grep -q "^37 ran.*1 failed\|1 failed" log && grep -q "2018-01-21.*zwei\|zwei" log && count 39 leat ls tables/mid &&
	! leat ls tables/mid | grep -q 2018-01-21 && [ "$(with mid 2018-01-08)" -ge 4 ]
'
test_expect 'what fails in the query fails for its day alone' '
	workspace calc && days 2018-01-01 40 && job div tables/div "select g, case when {{ ds }} = '\''2018-01-15'\'' then error('\''no such day'\'') else n end as n from raw.x" &&
	exits 1 leat run > log 2>&1 && grep -q "no such day" log && count 39 leat ls tables/div && leat fsck
'
test_expect 'a check that fails holds back its day alone' '
	workspace chk && days 2018-01-01 40 && job c marts/c "select count(*) as rows from raw.x" "checks: [min(rows) > 0]\n" &&
	exits 1 leat run > log 2>&1 && count 37 leat ls marts/c && grep -q "check failed" log
'
test_expect 'what a batch may not hold runs unit by unit, with the same result' '
	pair q && for w in q-auto q-off; do (cd $w && rm -r jobs/out jobs/named jobs/total jobs/both jobs/week &&
		job win marts/win "select g, n, row_number() over (partition by g order by n) as k from tables.mid" &&
		job ord marts/ord "select g, n from tables.mid order by n, g" &&
		job samp marts/samp "select g, n from tables.mid using sample 100%" &&
		job full marts/full "select m.g, d.name from tables.mid m full join tables.dim_g d using (g)" &&
		job like marts/like "select g from tables.mid where ds::varchar like {{ ds }}" &&
		job tz marts/tz "select g from tables.mid where ds::timestamp >= {{ ds }}" && leat run); done &&
	same_rows q marts/win marts/ord marts/full marts/like marts/tz && cd q-auto &&
	for j in win ord samp full like; do eq "$(with $j 2018-01-12)" "" || return 1; done
'
test_expect 'days whose files have other columns are not read together' '
	workspace cols && for i in $(seq 10 25); do
		leat sql "select $i as a $([ $((i % 2)) = 0 ] && echo ", 2.5 as b")" --format parquet -o f.parquet && leat put raw/p --ds 2018-01-$i f.parquet --name f.parquet
	done && job p tables/p "select * from raw.p" && leat run && count 16 leat ls tables/p && eq "$(with p 2018-01-12)" "" &&
	eq "$(leat sql "select count(*) from parquet_schema('\''$PWD/datastore/tables/p/ds=2018-01-11/part-0.parquet'\'')" --format csv | tail -1)" 2
'
test_expect 'retries, limits of time, pools and threads are counted per unit, so unit by unit' '
	workspace one && days 2018-01-01 12 && printf "pools: {p: 3}\n" >> leat.yaml &&
	job a t/a "select * from raw.x" "retries: 1\n" && job b t/b "select * from raw.x" "timeout: 1h\n" &&
	job c t/c "select * from raw.x" "pool: p\n" && job d t/d "select * from raw.x" "threads: 1\n" && job e t/e "select * from raw.x" "batch: off\n" &&
	leat run && job f t/f "select g, n from raw.x" && leat run && for j in a b c d e; do eq "$(with $j 2018-01-02)" ""; done && [ "$(with f 2018-01-02)" -ge 4 ]
'
test_expect 'a kill in the middle of a batch leaves nothing half, and the next run ends right' '
	workspace k && days 2018-01-01 40 && job big t/big "select a.g, count(*) as n, sum(a.n + b.n + c.n) as s from raw.x a join raw.x b on a.g <> b.g join raw.x c on c.g <> b.g group by 1" &&
	for wait in 0.05 0.15 0.3 0.6; do
		"$LEAT_BIN" run > log 2>&1 & pid=$!; sleep $wait; kill -9 $pid; wait $pid || true; leat fsck && leat ls t/big > ls || true
	done; leat run > log 2>&1 || { cat log; return 1; }; count 40 leat ls t/big && leat fsck &&
	[ -z "$(ls .leat/staging/run 2>/dev/null)" ] && leat run | grep -q "^0 ran\|nothing"
'
test_expect 'a stop in the middle of a batch publishes nothing more and says so' '
	workspace s && days 2018-01-01 40 && job big t/big "select a.g, count(*) as n from raw.x a join raw.x b on a.g <> b.g join raw.x c on c.g <> b.g join raw.x d on d.g <> c.g group by 1" &&
	beside log "$LEAT_BIN" run && wait_for 20 sh -c "\"$LEAT_BIN\" runs --json | grep -q running" && sleep 0.4 && kill -TERM $BESIDE && { st=0; wait $BESIDE || st=$?; } && [ $st != 0 ] && [ $st -lt 128 ] && grep -q "stopping" log && leat fsck &&
	echo "select count(*) as n from raw.x" > jobs/big/job.sql && leat run && count 40 leat ls t/big
'
every() { # NAME EVERY 'SQL' [KEYS]: a job of another partition, output t/NAME
	mkdir -p jobs/$1
	printf 'kind: sql\noutput: t/%s\npartition: %s\n%b' $1 $2 "${4:-}" > jobs/$1/job.yaml
	printf '%s\n' "$3" > jobs/$1/job.sql
}
hours() { # raw/h: 60 hours from the second day on, every ninth without a row; jobs by hour and by week over hours, days and weeks
	local h ds
	for h in $(seq 0 59); do
		ds=$(printf '2018-01-%02dT%02d' $((2 + h / 24)) $((h % 24)))
		mkdir -p hours/ds=$ds
		{ echo g,n,v; [ $((h % 9)) = 4 ] || for k in 1 2 3; do echo "g$(((h + k) % 4)),$((h * k)),$h.$k"; done; } > hours/ds=$ds/a.csv
	done
	leat put raw/h:/ hours
	every hmid hourly 'select * from raw.h'
	every hsum hourly 'select g, sum(n)::bigint as n, count(*) as rows, {{ ds }} as hour from t.hmid where ds = {{ ds }} group by g'
	every hday hourly 'select h.g, h.n, x.n as day_n, d.name from t.hmid h join tables.dim_g d on d.g = h.g left join (select g, sum(n)::bigint as n from raw.x group by g) x on x.g = h.g'
	every dayh daily 'select g, count(*) as n, sum(n)::bigint as s from t.hmid group by g'
	every wsum weekly 'select g, count(*) as rows, sum(n)::bigint as n, {{ ds }} as week from raw.x group by g'
	every wnext weekly 'select w.g, w.rows, d.name, w.ds as label from t.wsum w left join tables.dim_g d on d.g = w.g'
	every wback weekly 'select g, sum(rows)::bigint as rows from t.wsum group by g' 'inputs: {wsum: {repo: t/wsum, window: [-1, 0]}}\n'
}
test_expect 'hours and weeks in batches give the files that unit by unit gives, row for row, over hours, days and weeks' '
	for b in auto off; do
		workspace e-$b && days 2018-01-01 40 && jobs && rm -r jobs/* && hours && { [ $b = auto ] || echo "batch: off" >> leat.yaml; } && leat run > ../e-$b.log || return 1
		cd ..
	done
	same e-auto.log e-off.log && grep -q "^19[0-9] ran" e-auto.log && same_rows e t/hmid t/hsum t/hday t/dayh t/wsum t/wnext t/wback &&
	cd e-auto && test "$(with hmid 2018-01-03T05)" -ge 4
'
test_done
