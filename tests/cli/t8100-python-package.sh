#!/usr/bin/env bash
# The Python package leat, as tasks find it.
. "$(dirname "$0")/../lib.sh"
needs python3

test_expect 'a task imports leat without an installation: its parameters, ds, inputs and output are there, typed' '
	workspace w && echo 7 > n && leat put raw/n n --ds 2018-01-02 && mkdir -p jobs/a && cd jobs/a &&
	printf "%s\n" "kind: script" "partition: daily" "inputs: {n: raw/n}" "output: raw/out" \
		"params: {k: 2, names: [x, y z], on: true}" > job.yaml &&
	cat > job.py <<-"END" &&
	import leat
	n = int((leat.inputs["n"] / "n").read_text())
	p = leat.params
	(leat.output / "told").write_text(repr([n * p.k, p["names"], p.on, leat.ds, dict(p), p.get("none", 3)]))
	END
	leat run a 2018-01-02 -p k=3 && leat cat raw/out:/ds=2018-01-02/told > got &&
	eq "$(cat got)" "[21, ['\''x'\'', '\''y z'\''], True, '\''2018-01-02'\'', {'\''k'\'': 3, '\''names'\'': ['\''x'\'', '\''y z'\''], '\''on'\'': True}, 3]"
'
test_expect 'in a sandbox too, where it is read-only' '
	cd w && printf "%s\n" "kind: script" "sandbox: on" "output: raw/boxed" > jobs/a/job.yaml &&
	cat > jobs/a/job.py <<-"END" &&
	import leat, os
	where = os.path.dirname(leat.__file__)
	try:
	    open(where + "/new", "w")
	    free = "writable"
	except OSError:
	    free = "read-only"
	(leat.output / "told").write_text(where + " " + free)
	END
	leat run a && eq "$(leat cat raw/boxed:/told)" "/leat/python/leat read-only"
'
test_expect 'a parameter that is not there is an error with the nearest name' '
	cd w && mkdir -p jobs/p && printf "%s\n" "kind: script" "params: {min_speed: 3}" "output: raw/p" > jobs/p/job.yaml &&
	echo "import leat; leat.params.min_sped" > jobs/p/job.py && exits 1 leat run p && leat logs p > log &&
	has log "there is no parameter '\''min_sped'\''; did you mean min_speed?"
'
test_expect 'what the job says of PYTHONPATH comes before it, a leat.py beside the script first' '
	cd w && mkdir -p own/leat jobs/o && echo "who = 1" > own/leat/__init__.py &&
	printf "%s\n" "kind: script" "output: raw/o" "env: {PYTHONPATH: $PWD/own}" > jobs/o/job.yaml &&
	echo "import leat, os; open(os.environ[\"LEAT_OUTPUT\"] + \"/who\", \"w\").write(str(leat.who))" > jobs/o/job.py &&
	leat run o && eq "$(leat cat raw/o:/who)" 1 &&
	echo "who = 2" > jobs/o/leat.py && leat run o && eq "$(leat cat raw/o:/who)" 2
'
test_expect 'metrics: a line of JSON in the file of LEAT_METRICS, or printed; one that is no number is told and left out' '
	cd w && mkdir -p jobs/m && printf "%s\n" "kind: script" "output: raw/m" > jobs/m/job.yaml &&
	cat > jobs/m/job.py <<-"END" &&
	import leat, os
	leat.put("auc", 0.91)
	leat.put("best", "model b")
	leat.put("bad", float("nan"))
	os.environ["LEAT_METRICS"] = str(leat.output / "metrics")
	leat.put("auc", 0.91)
	leat.put("ok", True)
	leat.log.error("two\nlines")
	END
	leat run m && leat cat raw/m:/metrics > got && printf "%s\n" "{\"name\": \"auc\", \"value\": 0.91}" "{\"name\": \"ok\", \"value\": true}" > want &&
	same want got && leat logs m > log &&
	printf "%s\n" "::metric auc=0.91" "::metric best=model b" "warning: the metric bad is nan, and is not kept" "error: two" "error: lines" > want &&
	same want log
'
test_expect 'many tasks at once that are the first to need it find it whole' '
	workspace many && mkdir -p jobs/a && printf "%s\n" "kind: script" "partition: daily" "output: raw/a" > jobs/a/job.yaml &&
	echo "import leat; (leat.output / \"x\").write_text(leat.Table.__name__)" > jobs/a/job.py &&
	leat run a 2018-01-01..2018-01-06 -j 6 && eq "$(leat cat "raw/a:/**" | tr -d "\n")" TableTableTableTableTableTable &&
	eq "$(ls .leat/cache/python | wc -l)" 1
'
test_done
