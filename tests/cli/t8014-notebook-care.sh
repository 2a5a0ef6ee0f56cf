#!/usr/bin/env bash
# What a notebook must not do to others: secrets into a report, a report over somebody's files, a page that holds leat up.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
workspace w >/dev/null 2>&1 || exit 1
cd .. || exit 1

test_expect 'a secret that a cell prints, shows or raises is in no log, page, notebook, row or message' '
	cd w && mkdir -p secrets/db && printf "s3cr\"t<&word" >secrets/db/pw && chmod 600 secrets/db/pw && notebook leaks "secrets: [{name: db, key: pw, envVar: PW}]" <<\X &&
# %%
import os
print("it is", os.environ["PW"])
os.environ["PW"]
# %%
raise ValueError("bad " + os.environ["PW"])
X
	exits 1 leat run leaks 2026-01-01 2>err && has err "ValueError: bad ***" && ! grep -rlF "s3cr\"t<&word" err .leat/logs .leat/leat.db* datastore && ! grep -rlE "s3cr(.|&quot;|..)t(<|&lt;)(&|&amp;)word" datastore .leat/leat.db* && has "$(page leaks 2026-01-01).html" "***" "it is" && json "$(page leaks 2026-01-01).ipynb" "len(d[\"cells\"])" >n
'
test_expect 'a kind python that raises one neither' '
	cd w && mkdir -p jobs/py && printf "kind: python\noutput: raw/py\nsecrets: [{name: db, key: pw, envVar: PW}]\n" >jobs/py/job.yaml && printf "import os\ndef run():\n    raise ValueError(\"bad \" + os.environ[\"PW\"])\n" >jobs/py/job.py && exits 1 leat run py 2>err && has err "bad ***" && ! grep -rlF "s3cr\"t<&word" err .leat/logs .leat/leat.db*
'
test_expect 'a repo of that name that is somebody'"'"'s own is not written over; the run says so and does its work' '
	cd w && printf x >p && leat put job_runs/mine:/keep.txt p && notebook mine <<\X &&
# %%
open(outputs + "/x", "w").write("1")
X
	leat run mine 2026-01-01 2>err && has err "is not the repo of this job" && eq "$(leat ls job_runs/mine)" /keep.txt && eq "$(leat cat raw/mine:/ds=2026-01-01/x)" 1
'
test_expect 'a pipe in place of the page holds nobody up, and there is a page' '
	cd w && notebook pipe <<\X &&
# %%
print("on", flush=True)
# %%
import os, signal
d = os.environ["LEAT_REPORT"]
for f in os.listdir(d):
    os.unlink(d + "/" + f)
    os.mkfifo(d + "/" + f)
os.kill(os.getppid(), signal.SIGKILL)
X
	exits 1 timeout 60 "$LEAT_BIN" run pipe 2026-01-01 2>err && [ -f "$(page pipe 2026-01-01).html" ] && timeout 60 "$LEAT_BIN" run mine 2026-01-02
'
test_expect 'numbers that JSON does not know are shown as nothing, and end nothing' '
	cd w && notebook nan <<\X &&
# %%
class A:
    def _repr_mimebundle_(self, **_):
        return {"text/plain": "A", "application/json": {"a": float("nan"), "b": [float("inf"), 1.5]}}
A()
# %%
print("after")
X
	leat run nan 2026-01-01 && seen "$(page nan 2026-01-01).html" >seen && has seen after
'
test_expect 'what is shown anew again and again costs what it shows last; a fork that comes back is no second notebook' '
	cd w && notebook anew "engine: ipython" <<\X &&
# %%
import os
from IPython.display import clear_output, display
h = display("first", display_id="h")
for i in range(1500):
    h.update("x" * 100000 + str(i))
for i in range(300):
    clear_output(wait=True)
    display("y" * 100000 + str(i))
# %%
h.update("gone already")
if os.fork() == 0:
    pass
else:
    os.wait()
    print("one", "parent")
X
	if /usr/bin/python3 -c "import IPython" 2>/dev/null; then sed -i "s|^engine: .*|&\npython: /usr/bin/python3|" jobs/anew/job.yaml && leat run anew 2026-01-01 && eq "$(json "$(page anew 2026-01-01).ipynb" "len(d[\"cells\"][0][\"outputs\"])")" 1 && seen "$(page anew 2026-01-01).html" >seen && has seen 299 && eq "$(grep -o "one parent" seen | wc -l)" 1 && [ "$(leat runs --attempts --json | python3 -c "import json, sys; print(max(json.loads(l).get(\"peak_kb\") or 0 for l in sys.stdin) < 250000)")" = True ]; fi
'
test_expect 'a notebook that is slow to write has each cell in its file soon, also while the next one runs' '
	cd w && notebook large "output_limit: 100M" <<\X && leat run large 2026-01-01
# %%
for i in range(400000):
    print("a line that is not so short, number", i)
# %%
print("a short one")
# %%
import json, os, time
path = [os.path.join(os.environ["LEAT_REPORT"], name) for name in os.listdir(os.environ["LEAT_REPORT"]) if name.endswith(".ipynb")][0]
until = time.monotonic() + 60
while json.load(open(path))["cells"][1]["metadata"]["papermill"]["status"] != "completed":
    if time.monotonic() > until:
        raise SystemExit("the second cell is not in the file")
    time.sleep(0.1)
X
'
test_done
