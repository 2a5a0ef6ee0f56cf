#!/usr/bin/env bash
# Issue 6, part 6: tests beside a job.
. "$(dirname "$0")/../lib.sh"

# fixture DIR: a test of the job sales
fixture() {
	mkdir -p "$1/inputs/raw/orders/ds=2024-03-04"
	printf 'product,amount\nbread,2\njam,5\nbread,3\n' > "$1/inputs/raw/orders/ds=2024-03-04/orders.csv"
	echo 'ds: 2024-03-04' > "$1/case.yaml"
	printf 'product,total\nbread,5\njam,5\n' > "$1/expected.csv"
}

shop() { # a clone from git: jobs and leat.yaml, no store
	mkdir -p "$1/jobs/sales" && cd "$1" || return 1
	echo 'name: shop' > leat.yaml
	printf 'kind: sql\npartition: daily\noutput: tables/sales\nparams: {least: 0}\n' > jobs/sales/job.yaml
	echo "select product, sum(amount)::bigint as total from raw.orders where amount >= {{ params.least }} group by product" > jobs/sales/job.sql
	fixture jobs/sales/tests/day
}

files() { find . -path ./.leat/cache -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; }

test_expect 'a test that holds passes, without a store, and leaves nothing behind' '
	shop w && files > ../before &&
	leat test > ../out && grep "^ok    sales/day$" ../out && grep "^1 passed in " ../out &&
	files > ../after && same ../before ../after && [ ! -e .leat ] && [ ! -e datastore ]
'

test_expect 'of a wrong query the rows that differ are shown, and the exit status is 1' '
	cd w && cp jobs/sales/job.sql ../good &&
	echo "select product, max(amount)::bigint as total from raw.orders group by product" > jobs/sales/job.sql &&
	exits 1 leat test > ../out && grep "FAIL  sales/day: 2 rows differ (- expected, + given)" ../out &&
	grep "^ *-  bread  *5" ../out && grep "^ *+  bread  *3" ../out && lacks ../out jam &&
	grep "^0 passed, 1 failed in" ../out
'

test_expect 'with a key the difference is told by column; --json has it as data, the sums last' '
	cd w && echo "key: product" >> jobs/sales/tests/day/case.yaml &&
	exits 1 leat test sales --json > ../out &&
	[ "$(head -1 ../out | jq -c "[.job, .test, .state, .rows, .differences]")" = "[\"sales\",\"day\",\"failed\",{\"added\":0,\"removed\":0,\"changed\":1},[{\"change\":\"changed\",\"key\":{\"product\":\"bread\"},\"old\":{\"total\":5},\"new\":{\"total\":3}}]]" ] &&
	[ "$(tail -1 ../out | jq -c "[.passed, .failed, .errors]")" = "[0,1,0]" ]
'

test_expect '--update writes what comes out, and the test passes then; the right query fails it' '
	cd w && leat test --update > ../out && grep "^new   sales/day: jobs/sales/tests/day/expected.csv" ../out &&
	leat test sales/day && cp ../good jobs/sales/job.sql && exits 1 leat test &&
	leat test --update && printf "product,total\nbread,5\njam,5\n" | sort > ../want &&
	sort jobs/sales/tests/day/expected.csv | same - ../want
'

test_expect 'a fixture with a wrong column, expected or given, is a sentence, and the exit status 2' '
	cd w && sed -i 1s/total/totl/ jobs/sales/tests/day/expected.csv && files > ../before &&
	exits 2 leat test > ../out && grep "a column totl is expected, which sales does not give" ../out &&
	grep "in jobs/sales/tests/day/expected.csv" ../out && grep "did you mean \"total\"" ../out &&
	grep "0 passed, 1 not runnable" ../out &&
	files > ../after && same ../before ../after && sed -i 1s/totl/total/ jobs/sales/tests/day/expected.csv &&
	sed -i 1s/amount/amont/ jobs/sales/tests/day/inputs/raw/orders/ds=2024-03-04/orders.csv &&
	exits 2 leat test > ../out && grep "amount" ../out && grep "in jobs/sales/job.sql:1:" ../out &&
	sed -i 1s/amont/amount/ jobs/sales/tests/day/inputs/raw/orders/ds=2024-03-04/orders.csv &&
	leat test
'

test_expect 'an input that the job does not have, one that is not given, a job without tests, a name that is none' '
	cd w && cp -r jobs/sales/tests/day jobs/sales/tests/odd && mv jobs/sales/tests/odd/inputs/raw/orders jobs/sales/tests/odd/inputs/raw/ordres &&
	exits 2 leat test sales/odd > ../out && grep "job sales has no input raw/ordres" ../out && grep "did you mean .raw/orders" ../out &&
	rm -r jobs/sales/tests/odd/inputs && exits 2 leat test sales/odd > ../out &&
	grep "does not give all that the job reads" ../out && grep "raw/orders" ../out && rm -r jobs/sales/tests/odd &&
	exits 2 leat test sales/dya 2> ../err && grep "did you mean \"day\"" ../err &&
	exits 2 leat test saels 2> ../err && grep "sales" ../err &&
	mv jobs/sales/tests ../kept && exits 2 leat test 2> ../err && grep "no job here has a test" ../err &&
	exits 2 leat test sales 2> ../err && grep "job sales has no tests" ../err && mv ../kept jobs/sales/tests
'

test_expect 'case.yaml: rows instead of files, parameters, and a key that is none is named with its place' '
	cd w && mkdir -p jobs/sales/tests/rows && cat > jobs/sales/tests/rows/case.yaml <<-X &&
	# what is sold for 3 and more
	description: cheap things do not count
	ds: 2024-03-04
	params: {least: 3}
	inputs:
	  raw/orders:
	    - {ds: 2024-03-04, product: bread, amount: 2}
	    - {ds: 2024-03-04, product: jam, amount: 5}
	    - {ds: 2024-03-05, product: jam, amount: 7}
	expected:
	  - {product: jam, total: 4}

	# the end
	key: [product]
	X
	exits 1 leat test sales/rows > ../out && grep "^ *-  jam  *4" ../out && grep "^ *+  jam  *5" ../out &&
	leat test sales/rows --update && leat test sales/rows &&
	grep -A1 "^expected:$" jobs/sales/tests/rows/case.yaml | grep "{\"product\": \"jam\", \"total\": 5}" &&
	grep "^# the end" jobs/sales/tests/rows/case.yaml && grep "^key: \[product\]" jobs/sales/tests/rows/case.yaml &&
	echo "ky: x" >> jobs/sales/tests/rows/case.yaml && exits 2 leat test sales/rows > ../out &&
	grep "in jobs/sales/tests/rows/case.yaml:15:1" ../out && sed -i "\$d" jobs/sales/tests/rows/case.yaml
'

test_expect 'a job that has to fail: its error is what is expected' '
	cd w && mkdir -p jobs/strict && printf "kind: sql\npartition: daily\noutput: tables/strict\nchecks: [row_count > 3]\n" > jobs/strict/job.yaml &&
	echo "from raw.orders" > jobs/strict/job.sql && cp -r jobs/sales/tests jobs/strict && rm -r jobs/strict/tests/rows jobs/strict/tests/day/expected.csv &&
	printf "ds: 2024-03-04\nerror: row_count\n" > jobs/strict/tests/day/case.yaml && leat test strict &&
	sed -i s/row_count/nonsense/ jobs/strict/tests/day/case.yaml && exits 1 leat test strict > ../out && grep "did not say nonsense" ../out &&
	sed -i "s/> 3/> 1/" jobs/strict/job.yaml && exits 1 leat test strict > ../out && grep "it succeeded" ../out
'

test_expect 'a test of the store: nothing of the workspace moves, and no other job runs' '
	cd w && rm -rf jobs/strict && leat init . && mkdir d && printf "product,amount\nmilk,1\n" > d/o.csv && leat put raw/orders d --ds 2024-03-04 && leat run &&
	leat log tables/sales > ../before && leat runs --json > ../runs && leat test && leat log tables/sales | same - ../before &&
	leat runs --json | same - ../runs && leat sql "from tables.sales" --format csv | grep milk && eq "$(find .leat/staging -name "put-*")" ""
'

test_expect 'a workspace branch makes no difference: LEAT_ON does not count, --on is refused with the reason' '
	cd w && leat branch side && leat branch --delete side && LEAT_ON=side leat test && LEAT_ON=nosuch leat test sales/day && exits 2 leat test --on master 2> ../err && grep "does the same on every workspace branch" ../err
'

test_expect 'a script: its files are compared by their bytes, its failure shows what it printed' '
	workspace s && mkdir -p jobs/upper/tests/one/inputs/words jobs/upper/tests/one/expected &&
	printf "kind: script\ninputs: {words: raw/words}\noutput: raw/upper\n" > jobs/upper/job.yaml &&
	printf "tr a-z A-Z < \$LEAT_INPUT_words/w.txt > \$LEAT_OUTPUT/w.txt\n" > jobs/upper/job.sh &&
	printf "one\ntwo\n" > jobs/upper/tests/one/inputs/words/w.txt && printf "ONE\nTWO\n" > jobs/upper/tests/one/expected/w.txt &&
	leat test && printf "ONE\nTO\n" > jobs/upper/tests/one/expected/w.txt && echo x > jobs/upper/tests/one/expected/more &&
	exits 1 leat test > out && grep "2 files differ" out && grep "not there: /more" out && grep -e "-TO" out && grep "+TWO" out &&
	leat test --update && leat test && [ ! -e jobs/upper/tests/one/expected/more ] &&
	printf "echo the dog ate it; exit 3\n" > jobs/upper/job.sh && exits 1 leat test > out && grep "the dog ate it" out && grep "FAIL  upper/one" out
'

test_expect 'units that come from the data, a job that is one file, and JUnit for CI' '
	workspace u && mkdir -p jobs/each/tests/two/inputs/words jobs/each/tests/two/expected tests/n/few &&
	printf "kind: script\ninputs: {words: {repo: raw/words, glob: \"/*\"}}\noutput: raw/each\n" > jobs/each/job.yaml &&
	printf "for f in \$LEAT_INPUT_words/*; do wc -c < \$f > \$LEAT_OUTPUT/\$(basename \$f); done\n" > jobs/each/job.sh &&
	echo a > jobs/each/tests/two/inputs/words/x && echo bcd > jobs/each/tests/two/inputs/words/y &&
	echo 2 > jobs/each/tests/two/expected/x && echo 4 > jobs/each/tests/two/expected/y &&
	echo "select count(*) as n from raw.few" > jobs/n.sql && printf "inputs: {raw.few: [{a: 1}, {a: 2}]}\nexpected: [{n: 2}]\n" > tests/n/few/case.yaml &&
	leat test --junit r.xml > out && grep "^ok    each/two" out && grep "^ok    n/few" out &&
	python3 -c "import xml.etree.ElementTree as t; r = t.parse(\"r.xml\").getroot(); assert r.get(\"tests\") == \"2\" and r.get(\"failures\") == \"0\" and [c.get(\"name\") for c in r] == [\"two\", \"few\"], r.attrib" &&
	echo 5 > jobs/each/tests/two/expected/y && exits 1 leat test --junit r.xml > out &&
	python3 -c "import xml.etree.ElementTree as t; r = t.parse(\"r.xml\").getroot(); assert r.get(\"failures\") == \"1\" and r[0][0].tag == \"failure\", r.attrib"
'

test_expect '100 tests of small SQL jobs run in one process, each in a store of its own' '
	workspace h && for i in $(seq 100); do
		mkdir -p jobs/j$i/tests/t/inputs/raw/x
		echo "output: tables/j$i" > jobs/j$i/job.yaml
		echo "select k, v + $i as v from raw.x" > jobs/j$i/job.sql
		printf "k,v\na,$i\n" > jobs/j$i/tests/t/inputs/raw/x/x.csv
		printf "k,v\na,$((2 * i))\n" > jobs/j$i/tests/t/expected.csv
	done &&
	leat test > out && [ "$(grep -c "^ok    j[0-9]*/t$" out)" = 100 ] && grep "^100 passed in" out &&
	printf "k,v\nb,1\n" > jobs/j7/tests/t/expected.csv && exits 1 leat test > out && grep "^99 passed, 1 failed" out
'

test_expect 'a table of very many rows in few bytes is compared as rows, and what follows it is told after it' '
	workspace m && mkdir -p jobs/ones/tests/all jobs/two/tests/t && echo "select 1 as k from range(200000)" > jobs/ones/job.sql &&
	echo kind: sql | tee jobs/ones/job.yaml > jobs/two/job.yaml && (echo k; seq 200000 | sed "s/.*/1/") > jobs/ones/tests/all/expected.csv && echo "select 2 as k" > jobs/two/job.sql && printf "k\n2\n" > jobs/two/tests/t/expected.csv &&
	leat test > out && [ "$(grep -o "^ok    [a-z/]*" out)" = "$(printf "ok    ones/all\nok    two/t")" ] &&
	echo 3 >> jobs/ones/tests/all/expected.csv && exits 1 leat test > out && grep "FAIL  ones/all: 1 row differs" out && [ "$(grep -n "^FAIL" out | cut -d: -f1)" -lt "$(grep -n "^ok    two/t" out | cut -d: -f1)" ]
'

test_expect 'a job that gives nothing, one that fails and one that is broken between others are each told as what they are' '
	workspace b && for j in a b c d; do mkdir -p jobs/$j/tests/t && echo "kind: sql" > jobs/$j/job.yaml && echo "select 1 as k" > jobs/$j/job.sql && printf "k\n1\n" > jobs/$j/tests/t/expected.csv; done &&
	echo "select error(\$\$no luck\$\$) as k" > jobs/b/job.sql && echo "ky: x" > jobs/c/tests/t/case.yaml &&
	exits 2 leat test --json > out && [ "$(jq -r "select(.test) | .job + \":\" + .state" out | tr "\n" " ")" = "a:passed b:failed c:error d:passed " ] &&
	jq -r "select(.job == \"b\").text" out | grep "no luck"
'

test_expect 'the clock is the end of the ds, or what the test says' '
	workspace c && mkdir -p jobs/stamp/tests/day jobs/stamp/tests/said &&
	printf "kind: script\npartition: daily\noutput: raw/stamp\n" > jobs/stamp/job.yaml && echo "echo \$DS > \$LEAT_OUTPUT/ds.txt" > jobs/stamp/job.sh &&
	echo "ds: 2024-03-04" > jobs/stamp/tests/day/case.yaml && leat test stamp/day --update && echo 2024-03-04 | same - jobs/stamp/tests/day/expected/ds.txt &&
	printf "ds: 2024-03-04\nclock: noon\n" > jobs/stamp/tests/said/case.yaml && exits 2 leat test stamp/said > out && grep "noon is no time" out &&
	printf "ds: 2024-W10\n" > jobs/stamp/tests/said/case.yaml && exits 2 leat test stamp/said > out && grep "2024-W10 is weekly, the job is daily" out &&
	rm jobs/stamp/tests/said/case.yaml && exits 2 leat test stamp/said > out && grep "does not say which it makes" out
'
test_done
