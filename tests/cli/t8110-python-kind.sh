#!/usr/bin/env bash
# Jobs of kind python: def run(inputs, output, params), with a bare python3.
. "$(dirname "$0")/../lib.sh"
needs python3

job() { # NAME KEYS: reads job.py from standard input
	mkdir -p "jobs/$1" && printf '%b' "kind: python\n$2" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.py"
}

test_expect 'run() gets folders, the output and parameters; a list of dicts that it returns is the partition, as Parquet' '
	workspace w && printf "a,b\n1,x\n2,y\n" > t.csv && leat put raw/t t.csv --ds 2018-01-01 && leat put raw/t t.csv --ds 2018-01-02 &&
	job a "partition: daily\ninputs: {t: raw/t}\noutput: tables/a\nparams: {k: 10}\n" <<-"END" &&
	def run(inputs, output, params, ds):
	    lines = (inputs["t"] / "t.csv").read_text().split()[1:]
	    print("at work on", ds)
	    assert output.is_dir() and not list(output.iterdir())
	    return [{"b": b, "n": int(a) * params.k, "day": ds} for a, b in (line.split(",") for line in lines)]
	END
	leat run a 2018-01-01..2018-01-02 -p k=3 &&
	eq "$(leat sql "select b, n, day, ds from tables.a order by ds, b" --format csv | tr "\n" " ")" \
		"b,n,day,ds x,3,2018-01-01,2018-01-01 y,6,2018-01-01,2018-01-01 x,3,2018-01-02,2018-01-02 y,6,2018-01-02,2018-01-02 " &&
	eq "$(leat ls tables/a:/ds=2018-01-01)" "/ds=2018-01-01/part-0.parquet" && has - "at work on 2018-01-02" < <(leat logs a 2018-01-02)
'
test_expect 'arguments by the names of inputs and parameters, as their annotations say; a date for ds; a table as rows' '
	cd w && job b "partition: daily\nsandbox: on\ninputs: {t: raw/t, speeds: {repo: raw/t, window: [-1, 0]}}\noutput: raw/b\nparams: {k: 10}\n" <<-"END" &&
	from __future__ import annotations
	import datetime
	from typing import Dict, List
	def run(t: list, speeds: "List[dict]", inputs: "Dict[str, str]", output: str, params: dict, ds: datetime.date, k, more=5):
	    told = [[r["a"] for r in t], len(speeds), inputs, output, params, ds.day, k, more]
	    open(output + "/told", "w").write(repr(told))
	END
	leat run b 2018-01-02 && eq "$(leat cat raw/b:/ds=2018-01-02/told)" \
		"[[1, 2], 4, {'\''t'\'': '\''/pfs/t'\'', '\''speeds'\'': '\''/pfs/speeds'\''}, '\''/pfs/out'\'', {'\''k'\'': 10}, 2, 10, 5]"
'
test_expect 'what is returned: a dict of frames by name, what yields dicts, a coroutine, a file, a folder, nothing at all' '
	cd w && for how in "return {\"x\": [{\"a\": 1}], \"sub/y.parquet\": [{\"b\": 2}]}" "return ({\"a\": i} for i in range(3))" \
		"open(\"/tmp/$$.csv\", \"w\").write(\"a\"); return \"/tmp/$$.csv\"" "import os; os.makedirs(\"d/e\"); open(\"d/e/f\", \"w\").write(\"1\"); return \"d\"" \
		"(output / \"own.csv\").write_text(\"a\"); return None" "return output"; do
		echo "def run(output): $how" | job how "sandbox: off\noutput: raw/how\n" && leat run how --again -q && leat ls -R raw/how | tr "\n" " " && echo "." || return 1
	done | grep -v " known$" | sed "s/^ *//" > got && rm -f "/tmp/$$.csv" && echo "async def run(): return [{\"z\": 1}]" | job how "output: raw/how\n" && leat run how &&
	eq "$(leat sql "select z from raw.how" --format csv | tail -1)" 1 &&
	printf "%s\n" "/sub/y.parquet /x.parquet ." "/part-0.parquet ." "/$$.csv ." "/e/f ." "/own.csv ." "." > want && same want got
'
test_expect 'an exception fails the unit with its type, text, file and line in the reason; the log has no frames of ours' '
	cd w && job bad "partition: daily\nretries: 0\noutput: raw/bad\n" <<-"END" && echo "def f(x):
	    return x[\"none\"]" | sed "s/^\t//" > jobs/bad/helper.py &&
	import helper
	def run(inputs):
	    return helper.f({})
	END
	exits 1 leat run bad 2018-01-01 > out 2>&1 && has out "jobs/bad/helper.py:2: KeyError: '\''none'\''" &&
	leat logs bad 2018-01-01 > log && has log "Traceback (most recent call last):" "helper.py\", line 2, in f" "job.py\", line 3, in run" &&
	exits 1 grep -E "_job.py|frozen" log && eq "$(leat runs bad --json | head -1 | python3 -c "import json, sys; print(json.load(sys.stdin)[\"reason\"])")" "KeyError: '\''none'\''"
'
test_expect 'a syntax error, no run(), an argument that nothing is called by, a wrong result: each told at its line' '
	cd w && try() { cat > jobs/bad/job.py; exits 1 leat run bad 2018-01-01 2>&1; } &&
	printf "def run():\n    return (\n" | try > out && has out "jobs/bad/job.py:2: SyntaxError: " &&
	echo "x = 1" | try > out && has out "jobs/bad/job.py:1: there is no function run in it" "def run(inputs, output, params)" &&
	printf "\ndef run(input, parms=3): pass\n" | try > out && has out "jobs/bad/job.py:2: run() takes input, which is no input and no parameter" "did you mean inputs?" &&
	printf "def run():\n    return 7\n" | try > out && has out "jobs/bad/job.py:1: run() returned an int" &&
	printf "def run():\n    return {\"a\": 7}\n" | try > out && has out "run() returned a dict with an int under '\''a'\''" &&
	printf "def run():\n    return \"/nowhere\"\n" | try > out && has out "the path /nowhere, which is not there" &&
	printf "import leat\ndef run():\n    leat.sql(\"from x\")\n" | try > out && has out "jobs/bad/job.py:3: x is no input of this task" &&
	leat logs bad 2018-01-01 > log && exits 1 grep -E "_call.py|_data.py" log
'
test_expect 'sys.exit(3), a text, a kill and os._exit are failures; sys.exit(0) is an end' '
	cd w && try() { echo "import sys, os, signal
	def run(output): $1" | sed "s/^\t//" > jobs/bad/job.py; } &&
	try "sys.exit(3)" && exits 1 leat run bad 2018-01-01 > out 2>&1 && has out "exit status 3" &&
	try "sys.exit(\"no data today\")" && exits 1 leat run bad 2018-01-01 > out 2>&1 && has out "no data today" &&
	try "os.kill(os.getpid(), signal.SIGKILL)" && exits 1 leat run bad 2018-01-01 > out 2>&1 && has out "killed" &&
	try "os._exit(4)" && exits 1 leat run bad 2018-01-01 > out 2>&1 && has out "exit status 4" && exits 1 leat ls raw/bad 2>/dev/null &&
	try "sys.exit(0)" && leat run bad 2018-01-01
'
test_expect 'it is remembered as any job is: nothing runs twice, a helper that is edited runs it again, retries and limits count' '
	cd w && job memo "partition: daily\noutput: tables/memo\n" <<-"END" && echo "X = 1" > jobs/memo/own.py &&
	from own import X
	def run(): return [{"x": X}]
	END
	leat run memo 2018-01-01 && has - "1 up to date" < <(leat run memo 2018-01-01 2>&1) && echo "X = 2" > jobs/memo/own.py &&
	has - "1 ran" < <(leat run memo 2018-01-01 2>&1) && eq "$(leat sql "select x from tables.memo" --format csv | tail -1)" 2 &&
	printf "kind: python\noutput: raw/slow\ntimeout: 1s\n" > jobs/memo/job.yaml && echo "import time
def run(): time.sleep(60)" > jobs/memo/job.py && exits 1 leat run memo > out 2>&1 && has out "it took longer than its limit"
'
test_expect 'a file of one job says its kind in its head; a frame of a library that is not there is told, with the argument' '
	cd w && printf "%s\n" "# kind: python" "# output: tables/one" "def run(): return [{\"a\": 1}]" > jobs/one.py && leat run one &&
	eq "$(leat sql "select a from tables.one" --format csv | tail -1)" 1 &&
	printf "%s\n" "# kind: python" "# output: tables/two" "# inputs: {t: tables/one}" "from __future__ import annotations" \
		"def run(t: \"polars.DataFrame\"): return t" > jobs/two.py && printf "%s\n" "raise ImportError" > none.py &&
	if python3 -c "import polars" 2>/dev/null; then leat run two; else exits 1 leat run two > out 2>&1 && has out "the argument t needs polars, which this Python does not have" "pip install polars"; fi
'
test_done
