#!/usr/bin/env bash
# leat notebook diff: two notebooks as they ran, cell by cell: source, outputs, parameters, metrics.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
needs python3

workspace w >/dev/null 2>&1 || exit 1
run_of() { leat runs "$1" --attempts --json -n 1 | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["run"])'; }

test_expect 'two days of a job: what differs is told by words: parameters, source, outputs, metrics; what is the same is counted' '
	cd w && notebook a "params: {factor: 3}" <<\X &&
# %% tags=["parameters"]
factor = 1
ds = ""
# %%
print("the same each day")
class T: pass
T()
# %%
n = int(ds[-1]) * factor
print("the day", ds, "\n", "n is", n)
# %%
import base64
class P:
    def _repr_png_(self): return base64.b64decode("iVBORw0KGgo=") + bytes([n])
P()
# %%
import leat
leat.put("auc", n / 10)
X
	leat run a 2018-01-01..2018-01-02 && leat notebook diff a@2018-01-01 a@2018-01-02 >out && has out "auc: 0.3 -> 0.6" "-the day 2018-01-01" "+the day 2018-01-02" "+ n is 6" "cell 2: changed" "-ds = \"2018-01-01\"" "cells are the same" "-[image/png, 12 bytes" &&
	lacks out "the same each day" "T object" && ! grep -q "0x[0-9a-f]" out && awk "length > 80 { exit 1 }" out
'
test_expect 'JSON has the same for programs' '
	cd w && leat notebook diff a@2018-01-01 a@2018-01-02 --json >out && eq "$(json out "d[\"metrics\"]")" "{\"auc\": [0.3, 0.6]}" && eq "$(json out "[c[\"cell\"] for c in d[\"cells\"]]")" "[2, 4, 5]" && has out "+the day 2018-01-02" && eq "$(json out "d[\"same\"]")" 3
'
test_expect 'two runs of one ds by their ids, with other parameters and an edited notebook: cells that came and went' '
	cd w && first=$(run_of a) && sed -i "/^leat.put/d; s/^import leat/print(1)\n# %%\nprint(2)/" jobs/a/notebook.py && leat run a 2018-01-02 --param factor=4 && second=$(run_of a) && [ "$first" != "$second" ] &&
	leat notebook diff $first@2018-01-02 $second >out && has out "factor: 3 -> 4" "cell 6: changed" "cell 7: added" "+print(2)" "auc: 0.6 -> (none)" &&
	leat notebook diff $second $first@2018-01-02 >out && has out "cell 7: removed"
'
test_expect 'pins of job_runs, and files' '
	cd w && leat notebook diff job_runs/a@master~1:/ds=2018-01-02 job_runs/a:/ds=2018-01-02 >out && has out "factor: 3 -> 4" && leat notebook diff jobs/a/notebook.py "$(page a 2018-01-02).ipynb" >out && has out "cell 2: added" &&
	leat notebook diff a@2018-01-02 "$(page a 2018-01-02).ipynb" --json >out && eq "$(json out "d[\"cells\"]")" "[]"
'
test_expect 'what names none, or several, is refused with what would do' '
	cd w && exits 1 leat notebook diff nosuch a@2018-01-02 2>err && has err "nosuch is no run that left a notebook" && exits 2 leat notebook diff a@2018-01-02 2>err && has err "two notebooks" && leat run a 2018-01-03..2018-01-04 && exits 2 leat notebook diff $(run_of a) a@2018-01-02 2>err && has err "more than one notebook" "@DS" &&
	exits 1 leat notebook diff a@2018-01-09 a@2018-01-02 2>err
'
test_expect 'what a notebook holds drives no terminal' '
	cd w && printf "# %%%%\n# \033[31mred\033]0;mine\007\n1\n" >x.py && printf "# %%%%\n# blue\n1\n" >y.py && leat notebook diff x.py y.py >out && has out "\\x1b[31mred" "+# blue" && ! grep -q "$(printf "\033")" out
'
test_done
