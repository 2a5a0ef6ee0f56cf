#!/usr/bin/env bash
# Jobs of kind notebook: how their cells run, what they leave, and that the report is a repo like any other.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"

test_expect 'a notebook runs for each ds with its parameters, publishes what it writes, and leaves its page and itself' '
	workspace w &&
	notebook a "params: {factor: 3}" <<\X &&
# %% [markdown]
# # A day of *trips*
# %% tags=["parameters"]
factor = 1
ds = "2000-01-01"
# %%
print("the day", ds, "times", factor)
open(outputs + "/x.txt", "w").write(f"{ds} {factor}")
# %%
factor * 2
X
	leat run a 2018-01-01..2018-01-05 &&
	for d in 1 2 3 4 5; do
		eq "$(leat cat raw/a:/ds=2018-01-0$d/x.txt)" "2018-01-0$d 3" &&
		seen "$(page a 2018-01-0$d).html" >seen && has seen "the day 2018-01-0$d times 3" "A day of trips" &&
		lacks seen "<" || return 1
	done &&
	eq "$(json "$(page a 2018-01-03).ipynb" "\"\".join(d[\"cells\"][4][\"outputs\"][0][\"data\"][\"text/plain\"])")" 6 &&
	eq "$(json "$(page a 2018-01-03).ipynb" "str(d[\"nbformat\"]) + \".\" + str(d[\"nbformat_minor\"])")" 4.5
'

test_expect 'the injected cell stands after the one tagged parameters, and papermill'\''s readers find what they look for' '
	cd w && nb=$(page a 2018-01-02).ipynb &&
	eq "$(json "$nb" "d[\"cells\"][2][\"metadata\"][\"tags\"][0]")" injected-parameters &&
	json "$nb" "\"\".join(d[\"cells\"][2][\"source\"])" >injected && has injected "factor = 3" "ds = \"2018-01-02\"" &&
	eq "$(json "$nb" "d[\"cells\"][3][\"metadata\"][\"papermill\"][\"status\"]")" completed &&
	json "$nb" "str(d[\"cells\"][3][\"metadata\"][\"papermill\"][\"duration\"] >= 0)" >ok && has ok True &&
	eq "$(json "$nb" "str(d[\"metadata\"][\"papermill\"][\"parameters\"][\"factor\"])")" 3 &&
	eq "$(json "$nb" "str(d[\"metadata\"][\"papermill\"][\"exception\"])")" None
'

test_expect 'a second run finds all of it known, and makes no other report' '
	cd w && leat log job_runs/a >before && leat run a 2018-01-01..2018-01-05 >out 2>&1 && has out "0 ran" &&
	leat log job_runs/a >after && same before after && leat fsck
'

test_expect 'the reports are a repo of their own: versioned, an output of the job, and nothing in datastore/ differs' '
	cd w && leat ls job_runs/a >ls && count 5 cat ls &&
	leat run a 2018-01-01 --again && count 8 leat log job_runs/a &&
	leat status >status && has status "nothing wants attention" &&
	echo x >f && exits 2 leat put job_runs/a f 2>err && has err "is the output of job a" &&
	chmod -R u+w datastore/job_runs && echo x >>"$(page a 2018-01-01).html" && leat status >status && has status "job_runs/a"
'

test_expect 'a job whose notebook is an .ipynb runs it as it is, and its old outputs are gone' '
	cd w && mkdir -p jobs/ip && printf "kind: notebook\npartition: none\nengine: python\noutput: raw/ip\n" >jobs/ip/job.yaml &&
	cat >jobs/ip/notebook.ipynb <<\X &&
{"nbformat": 4, "nbformat_minor": 2, "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}},
 "cells": [{"cell_type": "code", "execution_count": 7, "metadata": {}, "outputs": [{"output_type": "stream", "name": "stdout", "text": "of old"}],
  "source": ["x = 20\n", "x + 1"]}]}
X
	leat run ip && nb=datastore/job_runs/ip/notebook.ipynb && lacks "$nb" "of old" && has "$nb" 21 &&
	eq "$(json "$nb" "str(d[\"cells\"][0][\"execution_count\"])")" 1
'

test_expect 'what is printed, by Python, by its errors and by programs that it starts, stands in its order' '
	cd w && notebook order <<\X &&
# %%
import sys, os, subprocess
print("one"); print("two", file=sys.stderr); print("three"); os.system("echo four; echo five >&2"); sys.stdout.write("six")
display({"a": 1})
print("seven"); subprocess.run(["sh", "-c", "echo eight"]); os.write(1, b"nine\n")
X
	leat run order 2018-01-01 && seen "$(page order 2018-01-01).html" >seen &&
	tr -s "\n" " " <seen >line && has line "one two three" "four" "five" && grep -q "six.*a.: 1.*seven eight nine" line &&
	leat logs order 2018-01-01 >log && has log one three eight
'

test_expect 'tags do what they do elsewhere: skipped cells, errors that are meant, hidden input' '
	cd w && notebook tags <<\X &&
# %% tags=["skip-execution"]
raise SystemError("never")
# %% tags=["raises-exception"]
raise ValueError("meant")
# %% tags=["remove-cell"]
print("in nobody'\''s page")
# %% tags=["hide-input"]
hidden = 41; print("forty", hidden + 1)
# %%
print("to the end")
X
	leat run tags 2018-01-01 && seen "$(page tags 2018-01-01).html" >seen &&
	has seen "meant" "forty 42" "to the end" "not run" && lacks seen "SystemError: never" "page" "hidden = 41" &&
	has "$(page tags 2018-01-01).ipynb" "in nobody"
'

test_expect 'a report hides all cells, and shows what they gave' '
	cd w && notebook report "hide_input: true" <<\X &&
# %%
secret_sauce = 1; print("the number is", secret_sauce)
X
	leat run report 2018-01-01 && seen "$(page report 2018-01-01).html" >seen && has seen "the number is 1" && lacks seen "secret_sauce"
'

test_expect 'rich outputs are shown, HTML that tries scripts is inert' '
	cd w && notebook rich "hide_input: true" <<\X &&
# %%
class T:
    def _repr_html_(self):
        return "<table><tr><td>cell</td></tr></table><script>alert(1)</script><img src=x onerror=alert(2)>"
T()
X
	leat run rich 2018-01-01 && html=$(page rich 2018-01-01).html && has "$html" "<td>cell</td>" && lacks "$html" "<script" "onerror" "alert(1)" &&
	has "$(page rich 2018-01-01).ipynb" "<script>alert(1)"
'

test_expect 'the notebook knows its job: inputs, outputs, ds, run_id, TASK_SPECS, with blanks intact' '
	cd w && mkdir -p src && echo 1 >src/f && leat put raw/in src/f --ds 2018-01-01 &&
	notebook knows "inputs: {days: raw/in}" "params: {what: \"a b  c\"}" <<\X &&
# %%
import os, json
print(open(inputs["days"] + "/f").read().strip(), os.environ["LEAT_JOB"], ds, len(run_id))
print(json.loads(os.environ["TASK_SPECS"])["params"]["what"] + "|" + what)
X
	leat run knows 2018-01-01 && seen "$(page knows 2018-01-01).html" >seen && has seen "1 knows 2018-01-01 32" "a b  c|a b  c"
'

test_done
