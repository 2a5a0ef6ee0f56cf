#!/usr/bin/env bash
# python/ of the workspace: what jobs share, importable by each of them, and part of their code.
. "$(dirname "$0")/../lib.sh"
needs python3

ran() { # JOB WHAT: the last line of leat run
	has - "$2" < <(leat run "$1" 2018-01-01 2>&1)
}

test_expect 'scripts, jobs of kind python and notebooks import what lies in python/, in a sandbox too' '
	workspace w && mkdir -p python/shop jobs/s jobs/k jobs/n jobs/sh && echo "def price(n): return n * 2" > python/shop/prices.py && touch python/shop/__init__.py &&
	echo "X = 1" > python/one.py && printf "kind: script\npartition: daily\noutput: raw/s\n" > jobs/s/job.yaml && printf "kind: python\npartition: daily\nsandbox: on\noutput: tables/k\n" > jobs/k/job.yaml &&
	printf "kind: script\npartition: daily\noutput: raw/sh\n" > jobs/sh/job.yaml && echo "echo 1 > \$LEAT_OUTPUT/x" > jobs/sh/job.sh &&
	echo "import leat, one, shop.prices; (leat.output / \"x\").write_text(str(shop.prices.price(one.X)))" > jobs/s/job.py &&
	printf "from shop.prices import price\ndef run(): return [{\"p\": price(4)}]\n" > jobs/k/job.py &&
	printf "kind: notebook\npartition: daily\noutput: raw/n\n" > jobs/n/job.yaml && printf "# %%%%\nimport leat\nfrom shop.prices import price\n(leat.output / \"x\").write_text(str(price(5)))\n" > jobs/n/notebook.py &&
	leat run s 2018-01-01 && leat run k 2018-01-01 && leat run n 2018-01-01 && leat run sh 2018-01-01 && eq "$(leat cat raw/s:/ds=2018-01-01/x)" 2 && eq "$(leat sql "select p from tables.k" --format csv | tail -1)" 8 &&
	eq "$(leat cat raw/n:/ds=2018-01-01/x)" 10
'
test_expect 'it is part of their code: an edit runs them again, and only them; edited back nothing runs' '
	cd w && cp python/shop/prices.py was && echo "def price(n): return n * 3" > python/shop/prices.py && ran s "1 ran" && ran k "1 ran" && ran n "1 ran" && ran sh "1 up to date" &&
	eq "$(leat cat raw/s:/ds=2018-01-01/x)" 3 && cp was python/shop/prices.py && ran s "1 known" && eq "$(leat cat raw/s:/ds=2018-01-01/x)" 2
'
test_expect 'a file that comes, one that goes, and the folder itself are seen' '
	cd w && ran k "known" && echo "Y = 2" > python/shop/more.py && ran k "1 ran" && rm python/shop/more.py && ran k "1 known" && mv python away && exits 1 leat run k 2018-01-01 2> out &&
	has out "ModuleNotFoundError: No module named" && mv away python && ran k "1 up to date"
'
test_expect 'an error in it is told with its file and line there' '
	cd w && echo "def price(n): raise ValueError(\"no price\")" > python/shop/prices.py && exits 1 leat run k 2018-01-01 2> out && has out "python/shop/prices.py:1: ValueError: no price"
'
test_expect 'the job'\''s own files win over it, and a job'\''s own folder python/ is another' '
	cd w && cp was python/shop/prices.py && mkdir -p jobs/k/python && echo "X = 5" > jobs/k/one.py && echo "Z = 1" > jobs/k/python/one.py &&
	printf "import one, python.one\ndef run(): return [{\"p\": one.X + python.one.Z}]\n" > jobs/k/job.py && leat run k 2018-01-01 && eq "$(leat sql "select p from tables.k" --format csv | tail -1)" 6
'
test_done
