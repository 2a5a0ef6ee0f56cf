#!/usr/bin/env bash
# Cells of SQL in a Python notebook: over the inputs of the task, bound to its values, with the rows as a table and for Python.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
needs python3

workspace w >/dev/null 2>&1 || exit 1
(printf 'city,n\nParis,3\nRome,5\nOslo,8\n' >t.csv && leat put raw/t t.csv --ds 2018-01-01 && printf 'city,n\nParis,4\n' >t.csv && leat put raw/t t.csv --ds 2018-01-02) >/dev/null 2>&1 || exit 1
in=("inputs: {t: raw/t, all: {repo: raw/t, window: [-1, 0]}}" "params: {least: 4, who: \"O'Brien\"}")

test_expect 'a cell [sql] runs over the inputs of its ds, with ds and parameters bound; its rows stand there as a table' '
	cd w && notebook a "${in[@]}" <<\X &&
# %% tags=["parameters"]
least = 1
who = ""
# %% [sql]
select city, n, {{ who }} as who, {{ ds }} as day from t where n >= {{ least }} order by n
# %% language="sql" magic_args="rows"
# -- all of them, for Python
# select city, sum(n) as n from raw.t group by city order by city
# %%
print("python has", len(rows), rows[0] if isinstance(rows, list) else dict(rows.iloc[0]), rows.columns[1])
X
	leat run a 2018-01-01 && nb=$(page a 2018-01-01) && seen "$nb.html" >seen && has seen "Rome5O&#x27;Brien2018-01-01" "Oslo8" "python has 3" "Paris" && lacks seen "Traceback" &&
	json "$nb.ipynb" "d[\"cells\"][2][\"outputs\"][0][\"data\"]" >data && has data "<td>Rome</td>" "city  n  who" "text/plain" && has "$nb.html" "<td>Oslo</td>"
'
test_expect 'a value with a quote or a semicolon is a value and no text of the query' '
	cd w && notebook inject "${in[@]}" <<\X &&
# %%
name = "x'\''; drop table t; --"
least = [3, 5]
# %% [sql] got
select count(*) as n from t where city = {{ name }} or n in {{ least }}
# %%
print("found", got[0]["n"] if isinstance(got, list) else got["n"][0])
X
	leat run inject 2018-01-01 && seen "$(page inject 2018-01-01).html" >seen && has seen "found 2"
'
test_expect 'a long result shows its first rows, and says so; for Python all of them are there' '
	cd w && notebook long "${in[@]}" <<\X &&
# %% [sql]
select i from range(5000000) r(i)
# %% [sql] all_of_them --frame rows
select i from range(3000) r(i)
# %%
print("have", len(all_of_them), all_of_them[2999])
X
	sed -i "s/^# %% .sql. all_of_them.*/# %% language=\"sql\" magic_args=\"all_of_them --frame rows\"/; s/^select i from range(3000).*/# &/" jobs/long/notebook.py &&
	leat run long 2018-01-01 && seen "$(page long 2018-01-01).html" >seen && has seen "the first 1,000 rows; there are more" "the first 1,000 rows of 3,000" "have 3000" "2999" && [ $(stat -c %s "$(page long 2018-01-01).html") -lt 200000 ]
'
test_expect 'what is wrong in it fails the cell with the line of the cell and no traceback of ours: a misspelt table, a name that is not there, what is no value' '
	cd w && notebook bad1 "${in[0]}" <<\X &&
# %% [sql]
select *
from raw.other
X
	notebook bad2 "${in[0]}" <<\X &&
# %% [sql]
select * from t where n = {{ leest }}
X
	notebook bad3 "${in[0]}" <<\X &&
# %%
thing = {1: 2}
# %% [sql]
select * from t where n = {{ thing }}
X
	exits 1 leat run bad1 2018-01-01 2>err && has err "cell 1 failed: SqlError" && seen "$(page bad1 2018-01-01).html" >seen && has seen "line 3: raw.other is no input of this task" "its inputs are t, all" && lacks seen "Traceback" "_call.py" &&
	exits 1 leat run bad2 2018-01-01 2>err && has err "leest" && exits 1 leat run bad3 2018-01-01 2>err && has err "thing }} is a dict, which is no value of SQL"
'
test_expect 'an .ipynb whose cell says that it is SQL, or begins with %%sql, does the same' '
	cd w && mkdir -p jobs/ip && printf "kind: notebook\npartition: daily\nengine: python\noutput: raw/ip\n%s\n" "${in[0]}" >jobs/ip/job.yaml && cat >jobs/ip/notebook.ipynb <<\X &&
{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}, "cells": [
 {"cell_type": "code", "id": "a", "execution_count": null, "metadata": {"vscode": {"languageId": "sql"}}, "outputs": [], "source": "select max(n) as top from t"},
 {"cell_type": "code", "id": "b", "execution_count": null, "metadata": {}, "outputs": [], "source": "%%sql least <<\nselect min(n) as low from t"}]}
X
	leat run ip 2018-01-01 && seen "$(page ip 2018-01-01).html" >seen && has seen "top8" "low3"
'
test_expect 'both ways between .py and .ipynb the cell and its name come through' '
	cd w && printf "# %%%% [sql] daily\nselect 1\n" >s.py && leat notebook convert s.py s.ipynb && eq "$(json s.ipynb "\"\".join(d[\"cells\"][0][\"source\"])")" "%%sql daily
select 1" && leat notebook convert s.ipynb >back.py && has back.py "language=\"sql\" magic_args=\"daily\"" "# select 1"
'
if python3 -c 'import IPython' 2>/dev/null; then
	test_expect 'with IPython too, where an extension that the notebook loads takes its place' '
		cd w && notebook ipy "engine: ipython" "${in[@]}" <<\X &&
# %% [sql] top
select max(n) as top from t where n > {{ params.least }}
# %%
print("top is", top["top"].iloc[0] if hasattr(top, "iloc") else top[0]["top"])
one = %sql select 41 + 1 as a
from IPython.core.magic import register_cell_magic
@register_cell_magic
def sql(line, cell): print("their own", cell.strip())
# %% [sql]
select theirs
X
		leat run ipy 2018-01-01 && seen "$(page ipy 2018-01-01).html" >seen && has seen "top is 8" "their own select theirs" &&
		notebook ipbad "engine: ipython" "${in[0]}" <<\X &&
# %% [sql]
from nosuch
X
		exits 1 leat run ipbad 2018-01-01 2>err && has err "cell 1 failed: SqlError" "line 2: nosuch is no input" && seen "$(page ipbad 2018-01-01).html" >seen && lacks seen "_cell.py"
	'
else
	test_skip 'with IPython too, where an extension that the notebook loads takes its place' 'python3 has no IPython'
fi
test_expect 'a page has the head of a long text only' '
	cd w && printf "# %%%% [sql]\n# select repeat(chr(121), 3000000) as a from range(3)\n" | notebook wide "engine: python" "${in[0]}" && leat run wide 2018-01-01 && [ $(stat -c %s "$(page wide 2018-01-01).html") -lt 100000 ]
'
test_expect 'leat sql --vars binds for every language' '
	cd w && eq "$(leat sql "select {{ a }} as a, {{ b }} as b" --vars "{\"a\": \"it'\''s\", \"b\": 2}" --format csv | tail -1)" "it'\''s,2" && exits 2 leat sql "select {{ c }}" --vars "{}" 2>err && has err "query:1:11" &&
	eq "$(leat sql "select 5 -{{ a }} as a, 2 as b" --vars "{\"a\": -1}" --format csv | tail -1)" "6,2" && exits 2 leat sql "select '\''{{ a }}'\''" --vars "{\"a\": \"x\u0000y\"}" 2>err && has err "NUL byte" && exits 2 leat sql "select 1" --vars "[1]" 2>err && has err "no JSON object"
'
test_done
