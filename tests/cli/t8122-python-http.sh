#!/usr/bin/env bash
# The Python package over HTTP: LEAT_URL and LEAT_TOKEN in place of the program.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"
needs python3

far() { # FILE: with no program in reach
	PYTHONPATH=$CHECKOUT/clients/python/src LEAT_BIN=/nowhere LEAT_URL=${URL:-$(url_of "$TRASH/w")} LEAT_TOKEN=${TOKEN-$(cat "$TRASH/w/.leat/serve.token")} python3 "$@"
}

test_expect 'queries, tables, files and runs by the daemon, with its errors and their places' '
	workspace w && printf "k,n,day\na,1,2018-01-01\nb,2,2018-01-03\n" > t.csv && leat put raw/t t.csv && leat log raw/t --json > log && id=$(json log "d[\"commit\"]") && leat put raw/t:/u.csv t.csv &&
	mkdir -p jobs/a jobs/c && printf "kind: python\npartition: daily\ninputs: {n: raw/none}\noutput: tables/c\n" > jobs/c/job.yaml && echo "def run(): pass" > jobs/c/job.py &&
	printf "kind: python\npartition: daily\noutput: tables/a\nparams: {k: 1}\n" > jobs/a/job.yaml &&
	printf "def run(k):\n    if k == 9: raise ValueError(\"nine\")\n    return [{\"k\": k}]\n" > jobs/a/job.py && serve . && cd .. && cat > far.py <<-"END" &&
	import leat, sys, datetime
	rows = leat.sql("select k, n, day from raw.t order by n", frame="rows")
	assert len(rows) == 4 and rows[0] == {"k": "a", "n": 1, "day": datetime.date(2018, 1, 1)}, rows
	assert len(leat.table("raw/t@" + sys.argv[1], frame="rows")) == len(leat.table("raw/t", at=sys.argv[1], frame="rows")) == 2
	assert leat.read("raw/t:/t.csv") == leat.open("raw/t:/u.csv").read() != b""
	r = leat.run("a", "2018-01-02", k=3)
	assert r.state == "success" and leat.table(r.outputs[0], frame="rows")[0]["k"] == 3, r
	try:
	    leat.run("a", "2018-01-02", k=9)
	except leat.RunFailed as e:
	    assert e.place == "jobs/a/job.py:2" and "ValueError: nine" in e.message, (e.place, str(e))
	try:
	    leat.run("c", "2018-01-02")
	except leat.RunFailed as e:
	    assert e.code == "missing-input" and "raw/none is not there" in e.message, (e.code, str(e))
	for f, code in ((lambda: leat.sql("from nothing", frame="rows"), "bad-sql"), (lambda: leat.read("raw/t:/none"), "not-found"),
	                (lambda: leat.run("none"), "no-job"), (lambda: leat.write([{"a": 1}], "tables/x"), "bad-request")):
	    try:
	        f()
	        raise SystemExit("it did not fail")
	    except leat.Error as e:
	        assert e.code == code, (code, e.code, str(e))
	        print(e.place)
	END
	eq "$(far far.py "$id" | head -1)" "query:1:6"
'
test_expect 'without the token, at a wrong address and at the socket' '
	cat > one.py <<-"END" &&
	import leat
	try:
	    print(leat.sql("select 40 + 2 as a", frame="rows")[0]["a"])
	except leat.Error as e:
	    print(e.code)
	END
	eq "$(TOKEN= far one.py)" unauthorized && eq "$(URL=http://127.0.0.1:1 far one.py)" network && eq "$(URL=ftp://x far one.py)" bad-request &&
	eq "$(TOKEN= URL=unix:$TRASH/w/.leat/serve.sock far one.py)" 42
'
if python3 -c 'import polars' 2>/dev/null; then
	test_expect 'a frame is written by a put' '
		echo "import leat, polars; leat.write(polars.DataFrame({\"a\": [1, 2]}), \"tables/p\", ds=\"2018-01-01\")" > p.py && far p.py &&
		eq "$(leat -C w sql "select sum(a) as s, min(ds) as ds from tables.p" --format csv | tail -1)" "3,2018-01-01"
	'
else
	test_skip 'a frame is written by a put' 'this python3 has no polars'
fi
test_done
