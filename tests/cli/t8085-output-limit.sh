#!/usr/bin/env bash
# What a cell gives beyond output_limit lies in files beside the page, which links to them.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
needs python3

workspace w >/dev/null 2>&1 || exit 1
size() { stat -c %s "$1"; }

test_expect '50 MB that are printed, and 50 MB of HTML: page and notebook stay small, both link to all of it, the last cell is there' '
	cd w && notebook big <<\X &&
# %%
line = "x" * 99 + "\n"
for i in range(50):
    print(line * 10000, end="")
print("last of all")
# %%
class H:
    def _repr_html_(self): return "<table>" + "<tr><td>cell</td></tr>" * 2200000 + "</table><script>alert(1)</script>"
    def __repr__(self): return "a large table"
H()
# %%
print("the end")
X
	leat run big 2018-01-01 && p=$(page big 2018-01-01) && [ $(size $p.html) -lt 1500000 ] && [ $(size $p.ipynb) -lt 1500000 ] && [ $(size $p.cell-1.stdout.txt) = 50000012 ] && [ $(size $p.cell-2.output-1.html) -gt 40000000 ] &&
	has $p.html "href=\"notebook.cell-1.stdout.txt\"" "href=\"notebook.cell-2.output-1.html\"" "the end" && tail -1 $p.cell-1.stdout.txt >last && has last "last of all" && ! grep -q "<script" $p.cell-2.output-1.html && has $p.html "46.2 MB of text/html" && has $p.ipynb "a large table"
'
test_expect 'the job says another limit: many small outputs count together, an image is decoded' '
	cd w && notebook small "output_limit: 20K" <<\X &&
# %%
print("y" * 15000)
# %%
for i in range(30):
    display({"n": "z" * 1000})
# %%
import base64
class P:
    def _repr_png_(self): return b"\x89PNG" + bytes(300000)
P()
# %%
print("end")
X
	leat run small 2018-01-01 && p=$(page small 2018-01-01) && [ $(size $p.cell-1.stdout.txt) = 15001 ] && has $p.html "The first 9 KB of 15 KB" && ls $p.cell-2.* >files && count 11 cat files && [ $(size $p.cell-2.output-1.txt) -gt 1000 ] &&
	[ $(size $p.cell-3.output-1.png) = 300004 ] && eq "$(head -c 4 $p.cell-3.output-1.png | tail -c 3)" PNG && has $p.html "notebook.cell-3.output-1.png"
'
test_expect 'a notebook that gives little has no files beside it; what is no size is refused' '
	cd w && notebook none <<\X &&
# %%
print("little")
X
	leat run none 2018-01-01 && eq "$(ls "$(dirname "$(page none 2018-01-01)")" | tr "\n" " ")" "notebook.html notebook.ipynb " && echo "output_limit: lots" >>jobs/none/job.yaml && exits 2 leat run none 2018-01-01 2>err && has err "output_limit"
'
test_done
