#!/usr/bin/env bash
# leat.run: jobs run from Python, and what it says when they fail.
. "$(dirname "$0")/../lib.sh"
needs python3

there() { PYTHONPATH=$CHECKOUT/clients/python/src LEAT_BIN=$LEAT_BIN python3 "$@"; }

test_expect 'a run gives its state, its units and the pins of what it made; again there is nothing to do' '
	workspace w && mkdir -p jobs/a jobs/bad && printf "%s\n" "kind: python" "partition: daily" "output: tables/a" "params: {k: 1, names: []}" > jobs/a/job.yaml &&
	echo "def run(k, names, ds): return [{\"k\": k, \"n\": len(names), \"day\": ds}]" > jobs/a/job.py &&
	cat > run.py <<-"END" &&
	import leat
	r = leat.run("a", "2018-01-01", k=3, names=["x", "y"])
	assert r.state == "success" and len(r.units) == 1 and r.units[0]["ds"] == "2018-01-01", (r, r.units)
	assert len(r.outputs) == 1 and leat.table(r.outputs[0], frame="rows")[0]["k"] == 3, r
	r = leat.run("a", "2018-01-01", k=3, names=["x", "y"])
	assert r.state == "up-to-date" and not r.units and not r.outputs, r
	r = leat.run("a", "2018-01-01..2018-01-03", again=True)
	assert r.state == "success" and len(r.units) == 3 and leat.sql("select count(*) as n from tables.a", frame="rows")[0]["n"] == 3, r
	END
	there run.py
'
test_expect 'a failure is RunFailed, with the reason, its place in the code, the log and what the run came to' '
	cd w && printf "%s\n" "kind: python" "partition: daily" "output: tables/bad" > jobs/bad/job.yaml && printf "def run():\n    print(1)\n    raise ValueError(\"no data\")\n" > jobs/bad/job.py &&
	cat > bad.py <<-"END" &&
	import leat, pickle
	try:
	    leat.run("bad", "2018-01-01")
	    raise SystemExit("it did not fail")
	except leat.RunFailed as e:
	    assert isinstance(e, leat.Error) and e.message == "bad 2018-01-01: ValueError: no data" and e.place == "jobs/bad/job.py:3", (e.message, e.place)
	    assert e.run.state == "failed" and e.run.id and e.log[0] == "1", (e.run, e.log)
	    assert str(pickle.loads(pickle.dumps(e))) == str(e)
	for job, ds, code in (("nothing", None, "no-job"), ("a", "2018-13-01", "bad-ds")):
	    try:
	        leat.run(job, ds)
	        raise SystemExit("it did not fail")
	    except leat.Error as e:
	        assert e.code == code, (e.code, str(e))
	END
	there bad.py
'
test_expect 'a leat that ends before it has begun, in the midst or by a signal: the sentence of the program, or that there is none; never a run that is up to date' '
	cd w && cat > cut.py <<-"END" &&
	import leat, os, sys
	def stub(text):
	    with open("stub", "w") as f:
	        f.write("#!/bin/sh\n" + text)
	    os.chmod("stub", 0o755)
	    os.environ["LEAT_BIN"] = os.path.abspath("stub")
	    try:
	        raise SystemExit("it did not fail: %r" % leat.run("a", "2018-01-01"))
	    except leat.Error as e:
	        return e
	e = stub("""echo "{\\"error\\": {\\"code\\": \\"disk-full\\", \\"message\\": \\"the disk is full\\"}}" >&2; exit 1""")
	assert (e.code, e.message) == ("disk-full", "the disk is full") and not isinstance(e, leat.RunFailed), (e.code, str(e))
	e = stub("""echo "{\\"event\\": \\"started\\", \\"job\\": \\"a\\", \\"ds\\": \\"2018-01-01\\"}"; exit 1""")
	assert e.message == "a 2018-01-01: leat ended before it said how the run went" and e.run.state == "failed" and not e.run.outputs, (str(e), e.run)
	e = stub("kill -9 $$")
	assert isinstance(e, leat.Error) and e.message, str(e)
	print(e)
	END
	there cut.py
'
test_expect 'a missing input is told by name' '
	cd w && mkdir -p jobs/c && printf "%s\n" "kind: python" "partition: daily" "inputs: {t: raw/t}" "output: tables/c" > jobs/c/job.yaml && echo "def run(t): pass" > jobs/c/job.py &&
	cat > missing.py <<-"END" &&
	import leat
	try:
	    leat.run("c", "2018-01-01")
	    raise SystemExit("it did not fail")
	except leat.RunFailed as e:
	    assert e.message == "c 2018-01-01: it was not started: raw/t is not there" and e.code == "missing-input", (e.code, str(e))
	END
	there missing.py
'
test_expect 'outside of a workspace, and with a word that is none, the sentence is that of the program' '
	cat > out.py <<-"END" &&
	import leat
	for f, word in ((lambda: leat.sql("select 1"), "no-workspace"), (lambda: leat.connection, "no-library")):
	    try:
	        f()
	        raise SystemExit("it did not fail")
	    except leat.Error as e:
	        assert e.code == word, (e.code, str(e))
	try:
	    leat.sqll
	except AttributeError as e:
	    assert str(e) == "leat has no '\''sqll'\''; did you mean sql?", str(e)
	END
	cd / && there "$TRASH/out.py"
'
test_done
