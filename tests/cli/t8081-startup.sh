#!/usr/bin/env bash
# config/startup.py of the workspace: what runs before the first cell of each Python notebook, and before Python jobs.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
needs python3

ran() { # JOB WHAT: the last line of leat run
	has - "$2" < <(leat run "$1" 2018-01-01 2>&1)
}

test_expect 'its names are there in the first cell; what it prints is in the log and not in the page' '
	workspace w && mkdir config && printf "import math\nprint(\"starting up\")\ndef twice(n): return 2 * n\n" >config/startup.py &&
	notebook a <<\X &&
# %%
print("pi is", round(math.pi, 2), "four is", twice(2))
X
	leat run a 2018-01-01 && seen "$(page a 2018-01-01).html" >seen && has seen "pi is 3.14 four is 4" && lacks seen "starting up" &&
	leat logs a 2018-01-01 >log && has log "starting up" &&
	eq "$(json "$(page a 2018-01-01).ipynb" "str(d[\"cells\"][0][\"execution_count\"])")" 1
'
test_expect 'in a job of kind python too, and in a sandbox' '
	cd w && mkdir -p jobs/k && printf "kind: python\npartition: daily\nsandbox: on\noutput: tables/k\n" >jobs/k/job.yaml &&
	printf "def run(): return [{\"n\": twice(21)}]\n" >jobs/k/job.py && leat run k 2018-01-01 && eq "$(leat sql "select n from tables.k" --format csv | tail -1)" 42
'
test_expect 'it is code of these jobs and of no others: an edit runs them again, edited back nothing runs; gone, it is missed' '
	cd w && mkdir -p jobs/s && printf "kind: script\npartition: daily\noutput: raw/s\n" >jobs/s/job.yaml && echo "echo 1 >\$LEAT_OUTPUT/x" >jobs/s/job.sh && leat run s 2018-01-01 &&
	cp config/startup.py was && sed -i "s/2 \* n/3 * n/" config/startup.py && ran a "1 ran" && ran k "1 ran" && ran s "1 up to date" && eq "$(leat sql "select n from tables.k" --format csv | tail -1)" 63 &&
	cp was config/startup.py && ran a "1 known" && ran k "1 known" && mv config/startup.py away && exits 1 leat run a 2018-01-01 2>err && has err "NameError" && mv away config/startup.py && ran a "1 up to date"
'
test_expect 'an interpreter that is forked from a warm one runs it after the fork: what it says holds for each ds, and an edit is seen' '
	cd w && notebook warm <<\X &&
# %%
print("since", BORN, "four is", twice(2))
X
	printf "import os, math\nBORN = os.environ[\"LEAT_DS\"]\ndef twice(n): return 2 * n\n" >config/startup.py && leat run warm 2018-01-01..2018-01-05 && for d in 1 5; do
		seen "$(page warm 2018-01-0$d).html" >seen && has seen "since 2018-01-0$d four is 4" || return 1
	done
'
test_expect 'an error in it is told with its file and line, by command, page and log; the notebook has run no cell' '
	cd w && printf "def f():\n    return 1 / 0\nf()\n" >config/startup.py && exits 1 leat run a 2018-01-01 2>err && has err "config/startup.py:2: ZeroDivisionError: division by zero" &&
	seen "$(page a 2018-01-01).html" >seen && has seen "config/startup.py:2: ZeroDivisionError" "pi is" && lacks seen "pi is 3" && leat logs a 2018-01-01 >log && has log "return 1 / 0" "line 3, in" &&
	exits 1 leat run k 2018-01-01 2>err && has err "config/startup.py:2: ZeroDivisionError" &&
	printf "x = (\n" >config/startup.py && exits 1 leat run a 2018-01-01 2>err && has err "config/startup.py:1: SyntaxError"
'
test_expect 'one that does not end is ended by the limit of time, and says so' '
	cd w && printf "import time\ntime.sleep(600)\n" >config/startup.py && notebook slow "timeout: 2s" <<\X &&
# %%
print("never")
X
	exits 1 leat run slow 2018-01-01 2>err && seen "$(page slow 2018-01-01).html" >seen && has seen "config/startup.py was ended: it took longer than its limit of 2000 ms"
'

test_expect 'config/spark-defaults.conf is what Spark finds, and code too' '
	cd w && rm config/startup.py && echo "spark.master local[1]" >config/spark-defaults.conf && notebook sp <<\X &&
# %%
import os
print("conf:", open(os.environ["SPARK_CONF_DIR"] + "/spark-defaults.conf").read())
X
	leat run sp 2018-01-01 && seen "$(page sp 2018-01-01).html" >seen && has seen "conf: spark.master local[1]" && echo "spark.master local[2]" >config/spark-defaults.conf && ran sp "1 ran"
'

if python3 -c 'import IPython' 2>/dev/null; then
	test_expect 'with IPython the same' '
		cd w && printf "def twice(n): return 2 * n\n" >config/startup.py && notebook ip "engine: ipython" <<\X &&
# %%
twice(4)
X
		leat run ip 2018-01-01 && eq "$(json "$(page ip 2018-01-01).ipynb" "str(d[\"cells\"][0][\"execution_count\"]) + \" \" + \"\".join(d[\"cells\"][0][\"outputs\"][0][\"data\"][\"text/plain\"])")" "1 8"
	'
else
	test_skip 'with IPython the same' 'python3 has no IPython'
fi
if python3 -c 'import ipykernel' 2>/dev/null; then
	test_expect 'by a kernel of Jupyter the same' '
		cd w && printf "def twice(n): return 2 * n\n" >config/startup.py && notebook kn "engine: auto" "kernel: python3" <<\X &&
# %%
twice(5)
X
		leat run kn 2018-01-01 && eq "$(json "$(page kn 2018-01-01).ipynb" "str(d[\"cells\"][0][\"execution_count\"]) + \" \" + \"\".join(d[\"cells\"][0][\"outputs\"][0][\"data\"][\"text/plain\"])")" "1 10" &&
		printf "x = 1\nnosuch\n" >config/startup.py && exits 1 leat run kn 2018-01-01 2>err && has err "config/startup.py" "NameError"
	'
else
	test_skip 'by a kernel of Jupyter the same' 'python3 has no ipykernel'
fi
test_done
