#!/usr/bin/env bash
# SQL notebooks: -- %% cells or an .ipynb of language sql, run by DuckDB with no Python; a report whatever ends them.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
needs python3 # for looking at what comes out only: PATH of the tasks has none

workspace w >/dev/null 2>&1 || exit 1
(printf 'city,n\nParis,3\nRome,5\nOslo,8\n' >t.csv && leat put raw/t t.csv --ds 2018-01-01 && printf 'city,n\nParis,4\nRome,1\n' >t.csv && leat put raw/t t.csv --ds 2018-01-02) >/dev/null 2>&1 || exit 1
mkdir -p "$TRASH/bin" && ln -s "$(command -v sh)" "$(command -v env)" "$TRASH/bin/" && echo "path: $TRASH/bin" >>leat.yaml
# NAME [lines of job.yaml]: the notebook from standard input
nb() {
	local name=$1
	shift
	mkdir -p "jobs/$name" && { printf 'kind: notebook\npartition: daily\noutput: tables/%s\ninputs: {t: raw/t, all: {repo: raw/t, window: [-1, 0]}}\n' "$name" && printf '%s\n' "$@"; } >"jobs/$name/job.yaml" && cat >"jobs/$name/notebook.sql"
}
csv() { leat sql "$1" --format csv | tr '\n' ' '; }

test_expect 'its cells run one after the other over the inputs, what one makes is there for the next, and the last one is the table of the ds' '
	cd w && nb a "params: {least: 4}" <<\X &&
-- %% [markdown]
-- # Cities of *a day*

-- %%
-- more than a few
create temp table big as select * from t where n >= {{ least }};
create macro twice(x) as 2 * x;

-- %% totals
select city, sum(n) as n from raw.t group by city order by city

-- %%
select b.city, twice(b.n) as n, {{ ds }} as day, {{ params.least }} as least from big b join totals using (city) order by n
X
	leat run a 2018-01-01 && leat run a 2018-01-02 && eq "$(csv "select city, n, day, least from tables.a where ds = '\''2018-01-01'\'' order by n")" "city,n,day,least Rome,10,2018-01-01,4 Oslo,16,2018-01-01,4 " &&
	eq "$(csv "select city, n from tables.a where ds = '\''2018-01-02'\''")" "city,n Paris,8 "
'
test_expect 'its page has text, cells and tables; the notebook is an .ipynb of language sql that others read' '
	cd w && nb=$(page a 2018-01-01) && seen "$nb.html" >seen && has seen "Cities of a day" "cityn" "Oslo8" "Rome102018-01-014" && has "$nb.html" "<td>Oslo</td>" && lacks seen "%%cell" &&
	eq "$(json "$nb.ipynb" "d[\"metadata\"][\"kernelspec\"][\"language\"] + str(d[\"cells\"][2][\"execution_count\"]) + d[\"cells\"][2][\"metadata\"][\"papermill\"][\"status\"]")" sql2completed &&
	json "$nb.ipynb" "\"\".join(d[\"cells\"][2][\"outputs\"][0][\"data\"][\"text/plain\"])" >plain && has plain "city   n" "Oslo   8" && leat runs a --attempts --json >rows && has rows "\"engine\":\"duckdb\""
'
test_expect 'a second run knows it; another query or parameter runs it again' '
	cd w && leat run a 2018-01-01 >out 2>&1 && has out "up to date" && leat run a 2018-01-01 --param least=8 && eq "$(csv "select count(*) as n from tables.a where ds = '\''2018-01-01'\''")" "n 1 "
'
test_expect 'a cell called output is the table, wherever it stands; a column of the ds goes, as of sql jobs' '
	cd w && nb o <<\X &&
-- %% output
select city, n, ds from t
-- %%
select 1 as not_this
X
	leat run o 2018-01-02 && eq "$(csv "select city, n, ds from tables.o order by n")" "city,n,ds Rome,1,2018-01-02 Paris,4,2018-01-02 "
'
test_expect 'a long result shows its first rows and says so; the table has all of them' '
	cd w && nb long <<\X &&
-- %%
select i from range(3000000) r(i)
-- %%
select i from range(3000) r(i)
X
	leat run long 2018-01-01 && seen "$(page long 2018-01-01).html" >seen && has seen "the first 1000 rows; there are more" "the first 1000 rows of 3000" && eq "$(csv "select count(*) as n from tables.long")" "n 3000 " && [ $(stat -c %s "$(page long 2018-01-01).html") -lt 200000 ]
'
# NAME TEXT: it failed in its second cell: the page says so, the cell before is there, nothing is published.
failed() {
	local html
	html=$(page "$1" 2018-01-01).html
	[ -s "$html" ] && seen "$html" >seen && has seen "first cell was here" "To cell 2" "$2" && has "$html" 'id=error' && exits 1 leat ls "tables/$1" 2>err &&
		json "${html%.html}.ipynb" '" ".join(c["metadata"]["papermill"]["status"] for c in d["cells"] if "papermill" in c["metadata"])' >status && has status "completed failed pending"
}
failing() { # NAME [lines of job.yaml]: the second cell from standard input
	local name=$1 cell
	cell=$(cat)
	shift
	printf -- "-- %%%%\nselect 'first cell was here' as a\n-- %%%%\n%s\n-- %%%%\nselect 3 as never\n" "$cell" | nb "$name" "$@"
}
test_expect 'a failure has a page too, with the line of the cell: syntax, a table that is not there, a value, a name that is not known' '
	cd w && echo "select
from where" | failing syntax && exits 1 leat run syntax 2018-01-01 2>err && has err "cell 2 failed: SqlError: line 2: " && failed syntax "syntax error" &&
	echo "select * from nosuch" | failing table && exits 1 leat run table 2018-01-01 2>err && has err "nosuch does not exist" && failed table "the inputs are t, all" &&
	echo "select cast(city as int) from t" | failing cast && exits 1 leat run cast 2018-01-01 2>err && failed cast "could not convert string" &&
	echo "select {{ leest }}" | failing name && exits 1 leat run name 2018-01-01 2>err && failed name "leest"
'
# JOB: the DuckDB of that job, when its slow cell has kept it busy for a while.
at_work() {
	local p stat
	for p in /proc/[0-9]*; do
		tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q -- '--role duck ' && tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -q "^LEAT_JOB=$1\$" &&
			tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -q "^LEAT_OUTPUT=$TRASH" && read -ra stat <"$p/stat" && [ "${stat[13]}" -gt 50 ] && echo "${p#/proc/}" && return 0
	done
	return 1
}
test_expect 'and a limit of time, a killed DuckDB, a killed worker' '
	cd w && echo "select sum(hash(i, j)) from range(10000000) a(i), range(100000) b(j)" >slow && failing limit "timeout: 2s" <slow && exits 1 leat run limit 2018-01-01 2>err && failed limit "longer than its limit of 2000 ms" &&
	for who in duck worker; do
		failing "killed-$who" "timeout: 5m" <slow && { "$LEAT_BIN" run "killed-$who" 2018-01-01 2>err & p=$!; } && t_pids+=($p) && wait_for 60 at_work "killed-$who" && victim=$(at_work "killed-$who") || return 1
		[ $who = duck ] || victim=$(awk "/^PPid/ { print \$2 }" /proc/$victim/status)
		kill -9 "$victim" && exits 1 wait $p && failed "killed-$who" "killed by signal 9" || return 1
	done
'
test_expect 'a last cell that gives no rows, or only comments, is no output: the run fails and says so; one that writes the output itself is fine' '
	cd w && printf -- "-- %%%%\nselect 1 as a\n-- %%%%\ncreate macro m(x) as x;\n" | nb norows && exits 1 leat run norows 2018-01-01 2>err && has err "cell 2 failed: SqlError: this cell is to give the table of the job, and gives no rows" && exits 1 leat ls tables/norows &&
	printf -- "-- %%%%\nselect 1 as a\n-- %%%%\n-- the end\n" | nb comment && exits 1 leat run comment 2018-01-01 2>err && has err "gives no rows" &&
	printf -- "-- %%%%\ncopy (select 7 as a) to '\''{{ outputs }}/x.parquet'\'';\n" | nb itself && leat run itself 2018-01-01 && eq "$(csv "select a from tables.itself")" "a 7 "
'
test_expect 'what only Python runs is no code of it: config/startup.py and python/ make nothing again' '
	cd w && leat run itself 2018-01-01 && mkdir -p config python && echo "x = 1" >config/startup.py && echo "y = 1" >python/m.py && leat run itself 2018-01-01 >out 2>&1 && has out "0 ran, 0 known, 1 up to date" && rm -r config python
'
test_expect 'a long text is cut between two characters' '
	cd w && printf -- "-- %%%%\nselect chr(45) || repeat(chr(233), 6000) as a\n" | nb cut && leat run cut 2018-01-01 && python3 -c "import sys; [open(f, encoding=\"utf-8\").read() for f in sys.argv[1:]]" "$(page cut 2018-01-01)".{html,ipynb}
'
test_expect 'an .ipynb of language sql does the same; cells begin with %%sql NAME or not' '
	cd w && mkdir -p jobs/ip && printf "kind: notebook\npartition: daily\noutput: tables/ip\ninputs: {t: raw/t}\n" >jobs/ip/job.yaml && cat >jobs/ip/notebook.ipynb <<\X &&
{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "sql", "language": "sql", "display_name": "SQL"}}, "cells": [
 {"cell_type": "code", "id": "a", "execution_count": null, "metadata": {}, "outputs": [], "source": "%%sql top\nselect max(n) as n from t"},
 {"cell_type": "code", "id": "b", "execution_count": null, "metadata": {}, "outputs": [], "source": "select n + 1 as n from top"}]}
X
	leat run ip 2018-01-01 && eq "$(csv "select n from tables.ip")" "n 9 "
'
test_expect 'leat notebook convert knows the form, both ways' '
	cd w && leat notebook convert jobs/a/notebook.sql a.ipynb && leat notebook convert a.ipynb back.sql && same jobs/a/notebook.sql back.sql && has a.ipynb "\"language\": \"sql\""
'
test_done
