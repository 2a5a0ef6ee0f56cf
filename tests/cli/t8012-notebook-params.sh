#!/usr/bin/env bash
# Parameters, metrics and IPython of notebook jobs.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"

test_expect 'parameters have the types of their defaults' '
	workspace w &&
	notebook typed "params: {n: \"12\", x: 3, s: 0042, on: \"true\", l: [1, two], d: {a: 5}}" <<\X &&
# %% tags=["parameters"]
n = 1
x: float = 0.5   # a comment
s = "text"
on = False
l = [
    1,
]
d = {}
missing = None
# %%
print(repr([n, x, s, on, l, d, missing]))
X
	leat run typed 2018-01-01 && seen "$(page typed 2018-01-01).html" >seen && has seen "[12, 3.0, '\''0042'\'', True, [1, '\''two'\''], {'\''a'\'': 5}, None]" &&
	leat run typed 2018-01-01 --param n=99 && seen "$(page typed 2018-01-01).html" >seen && has seen "[99, 3.0"
'

test_expect 'a value that is not of the type, and a parameter that is not declared, are errors with the place and the nearest name' '
	cd w && notebook wrong "params: {min_sped: 3}" <<\X &&
# %%
1
# %% tags=["parameters"]
min_speed = 19
other = 2
X
	exits 1 leat run wrong 2018-01-01 2>err && has err "has no parameter min_sped" "did you mean min_speed" "jobs/wrong/notebook.py:" &&
	seen "$(page wrong 2018-01-01).html" >seen && has seen "no parameter min_sped" &&
	sed -i "s/min_sped: 3/other: [1]/" jobs/wrong/job.yaml && exits 1 leat run wrong 2018-01-01 2>err && has err "other is a whole number by its default"
'

test_expect 'without a tagged cell parameters stand on top; an injected cell of old is replaced' '
	cd w && notebook top "params: {v: 7}" <<\X &&
# %%
print("v is", v)
X
	leat run top 2018-01-01 && seen "$(page top 2018-01-01).html" >seen && has seen "v is 7" &&
	notebook old "params: {v: 8}" <<\X &&
# %% tags=["injected-parameters"]
v = 1
# %%
print("v is", v)
X
	leat run old 2018-01-01 && seen "$(page old 2018-01-01).html" >seen && has seen "v is 8" && lacks seen "v = 1"
'

test_expect 'metrics: a printed line, the package leat, a display; the last value counts, and runs and the page show them' '
	cd w && notebook metrics <<\X &&
# %%
print("::metric auc=0.5"); print("no ::metric this=1")
print("::met", end=""); print("ric auc=0.91")
import leat, os
leat.put("rows", 12)
os.system("echo ::metric word=good")
display({"application/vnd.leat.metric+json": {"name": "shown", "value": 2}, "text/plain": "x"}, raw=True)
X
	leat run metrics 2018-01-01 && leat runs metrics --json >runs &&
	eq "$(json runs "json.dumps((d if isinstance(d, dict) else d[0])[\"metrics\"], sort_keys=True)")" "{\"auc\": 0.91, \"rows\": 12, \"shown\": 2, \"word\": \"good\"}" &&
	eq "$(json runs "(d if isinstance(d, dict) else d[0])[\"page\"]")" "$(page metrics 2018-01-01).html" && test -s "$(page metrics 2018-01-01).html" &&
	seen "$(page metrics 2018-01-01).html" >seen && has seen "auc = 0.91" &&
	leat runs metrics --attempts --json >tries && has tries "\"auc\"" && json runs "(d if isinstance(d, dict) else d[0])[\"python\"][\"version\"]" >version && has version 3.
'

test_expect 'what is printed beyond the limit lies beside the page, which links to it' '
	cd w && notebook much <<\X &&
# %%
for i in range(100000):
    print("line", i)
# %%
import os
os.write(1, b"x" * (50 << 20))
print("the end")
X
	leat run much 2018-01-01 && html=$(page much 2018-01-01).html && dir=$(dirname "$html") &&
	eq "$(wc -l <"$dir/notebook.cell-1.stdout.txt")" 100000 && eq "$(tail -1 "$dir/notebook.cell-1.stdout.txt")" "line 99999" &&
	has "$html" "href=\"notebook.cell-1.stdout.txt\"" && [ "$(stat -c %s "$html")" -lt 3000000 ] &&
	[ "$(stat -c %s "$dir/notebook.cell-2.stdout.txt")" -gt 52428800 ]
'

ipython() { python3 -c 'import IPython' 2>/dev/null; }
if ipython; then
	test_expect 'IPython: magics, rich display, handles of displays; an unknown magic and a failing %%bash are failures' '
		cd w && notebook ip "engine: ipython" "hide_input: true" <<\X &&
# %%
!echo from the shell
x = %time 1 + 1
# %%
from IPython.display import display, HTML, clear_output
h = display("first", display_id=True); h.update("second")
print("cleared"); clear_output(); HTML("<b>bold</b>")
# %% language="bash"
# echo "in bash $DS"
X
		leat run ip 2018-01-01 && seen "$(page ip 2018-01-01).html" >seen && has seen "from the shell" "bold" "in bash 2018-01-01" && lacks seen "cleared" &&
		notebook ipbad "engine: ipython" <<\X &&
# %%
%nosuchmagic
X
		exits 1 leat run ipbad 2018-01-01 2>err && has err "cell 1 failed: UsageError" "nosuchmagic" &&
		printf "# %%%% language=\"bash\"\n# exit 3\n" >jobs/ipbad/notebook.py && exits 1 leat run ipbad 2018-01-01 2>err && has err "CalledProcessError"
	'
	test_expect 'IPython: an exception and sys.exit are as they are without it' '
		cd w && notebook ipfail "engine: ipython" <<\X &&
# %%
def f():
    return 1 / 0
f()
X
		exits 1 leat run ipfail 2018-01-01 2>err && has err "cell 1 failed: ZeroDivisionError: division by zero" &&
		printf "# %%%%\nimport sys; sys.exit(3)\n" >jobs/ipfail/notebook.py && exits 1 leat run ipfail 2018-01-01 2>err && has err "SystemExit: 3" &&
		printf "# %%%%\nimport sys; sys.exit()\n" >jobs/ipfail/notebook.py && leat run ipfail 2018-01-01
	'
else
	test_skip 'IPython executes cells with magics' 'python3 has no IPython here'
fi

test_done
