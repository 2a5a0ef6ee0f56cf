#!/usr/bin/env bash
# Whatever ends a notebook: the page is there with all cells up to the failed one, and nothing is published.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"

# NAME TEXT…: the notebook failed in its third cell; its page says TEXT, links to that cell, and shows the cells before.
failed() {
	local name=$1 html
	shift
	html=$(page "$name" 2018-01-01).html
	[ -s "$html" ] && seen "$html" >seen && has seen "first cell was here" "To cell 3" "$@" && has "$html" 'href="#error"' 'id=error' &&
		json "${html%.html}.ipynb" '" ".join(c["metadata"]["papermill"]["status"] for c in d["cells"] if "papermill" in c["metadata"])' >status &&
		has status "completed completed failed" &&
		json "${html%.html}.ipynb" 'd["cells"][0]["metadata"]["tags"][0]' >tag && has tag papermill-error-cell-tag &&
		exits 1 leat ls "raw/$name" && leat run "after-$name" 2018-01-01 2>err
	lacks err "1 ran" && [ ! -e "datastore/raw/after-$name" ]
}
# NAME [lines of job.yaml]: the third cell from standard input, and a job that reads what it makes.
failing() {
	local name=$1 cell
	cell=$(cat)
	{
		printf '# %%%%\nimport os, sys, time, signal\nprint("first cell was here")\n# %%%%\nopen(outputs + "/x", "w").write("x")\n# %%%%\n'
		printf '%s\n# %%%%\nprint("never")\n' "$cell"
	} | notebook "$@"
	mkdir -p "jobs/after-$name" && printf 'kind: script\npartition: daily\noutput: raw/after-%s\ninputs: {x: raw/%s}\n' "$name" "$name" >"jobs/after-$name/job.yaml" &&
		printf '#!/bin/sh\ncp "$LEAT_INPUT_x/x" "$LEAT_OUTPUT/y"\n' >"jobs/after-$name/job.sh"
}

test_expect 'an exception: the traceback shows the lines of the cell, and the command names the page' '
	workspace w &&
	failing raises <<\X &&
def inner():
    return 1 / 0
inner()
X
	exits 1 leat run raises 2018-01-01 2>err && has err "cell 3 failed: ZeroDivisionError: division by zero" "$(page raises 2018-01-01).html" &&
	failed raises "ZeroDivisionError: division by zero" "return 1 / 0" && lacks seen "run_cell" "driver"
'

test_expect 'kill -9 of the interpreter' '
	cd w && failing killed <<\X &&
os.kill(os.getpid(), signal.SIGKILL)
X
	exits 1 leat run killed 2018-01-01 2>err && has err "killed by signal 9" && failed killed "its Python process ended: killed by signal 9"
'

test_expect 'kill -9 of the worker that runs the notebook' '
	cd w && failing orphan <<\X &&
os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)
X
	exits 1 leat run orphan 2018-01-01 2>err && failed orphan "killed by signal 9"
'

test_expect 'os._exit(0) is no success' '
	cd w && failing exits0 <<\X &&
os._exit(0)
X
	exits 1 leat run exits0 2018-01-01 2>err && failed exits0 "its Python process ended: exit status 0"
'

test_expect 'sys.exit(3) fails, sys.exit(0) ends the notebook well' '
	cd w && failing exit3 <<\X &&
sys.exit(3)
X
	exits 1 leat run exit3 2018-01-01 2>err && failed exit3 "SystemExit: 3" &&
	notebook exit0 <<\X &&
# %%
open(outputs + "/x", "w").write("good"); import sys; sys.exit()
# %%
raise ValueError("not come to")
X
	leat run exit0 2018-01-01 && eq "$(leat cat raw/exit0:/ds=2018-01-01/x)" good
'

test_expect 'a magic, where there is no IPython: the sentence names what brings it' '
	cd w && failing magic <<\X &&
%timeit 1 + 1
X
	exits 1 leat run magic 2018-01-01 2>err && failed magic "%timeit is a magic of IPython" "pip install ipython" &&
	failing bash <<\X &&
%%bash
exit 3
X
	exits 1 leat run bash 2018-01-01 2>err && failed bash "%%bash is a magic of IPython"
'

test_expect 'a limit of time: the cell that was at work is named, also if it does not listen' '
	cd w && failing slow "timeout: 5s" <<\X &&
time.sleep(600)
X
	exits 1 leat run slow 2018-01-01 2>err && has err "longer than its limit" && failed slow "it took longer than its limit of 5000 ms" &&
	failing deaf "timeout: 5s" <<\X &&
while True:
    try:
        time.sleep(600)
    except BaseException:
        pass
X
	exits 1 leat run deaf 2018-01-01 2>err && failed deaf "it took longer than its limit of 5000 ms"
'

test_expect 'more memory than it may have' '
	cd w && failing greedy "memory: 150M" <<\X &&
hoard = []
while True:
    hoard.append(bytearray(b"x" * (10 << 20)))
X
	exits 1 leat run greedy 2018-01-01 2>err && has err "memory" && failed greedy
'

test_expect 'Ctrl-C in an endless loop: the page is there, and says so' '
	cd w && failing loop <<\X &&
open(os.environ["HOME"] + "/begun", "w").close()
while True: time.sleep(0.01)
X
	set -m && { "$LEAT_BIN" run loop 2018-01-01 2>err & p=$!; set +m; } && t_pids+=($p) && wait_for 60 test -e "$HOME/begun" &&
	kill -INT $p && exits 1 wait $p && failed loop "the run was stopped"
'

test_expect 'a notebook that cannot begin has a page too: no interpreter, no notebook, another language' '
	cd w && echo "# %%" | notebook nopython "python: python9" && exits 1 leat run nopython 2018-01-01 2>err &&
	seen "$(page nopython 2018-01-01).html" >seen && has seen "python9" && has err "python9" &&
	notebook broken </dev/null && rm jobs/broken/notebook.py && echo "{not json" >jobs/broken/notebook.ipynb &&
	exits 1 leat run broken 2018-01-01 2>err && has err "jobs/broken/notebook.ipynb:1" && seen "$(page broken 2018-01-01).html" >seen && has seen "notebook.ipynb:1" &&
	notebook other </dev/null && rm jobs/other/notebook.py &&
	printf "%s" "{\"nbformat\": 4, \"nbformat_minor\": 5, \"metadata\": {\"kernelspec\": {\"name\": \"nosuch\", \"language\": \"befunge\"}}, \"cells\": []}" >jobs/other/notebook.ipynb &&
	exits 1 leat run other 2018-01-01 2>err && has err "nosuch"
'

test_expect 'input() says that nobody can answer' '
	cd w && failing asks <<\X &&
name = input("who? ")
X
	exits 1 leat run asks 2018-01-01 2>err && failed asks "input() cannot ask here" "as a parameter"
'

test_done
