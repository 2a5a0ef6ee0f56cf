#!/usr/bin/env bash
# Each run of a notebook or a kind python keeps which Python ran it and the packages that it found, once by their hash.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
. "$TESTS/lib-env.sh"

text_of() { python3 -c 'import sqlite3, sys; print(sqlite3.connect(".leat/leat.db").execute("select body from code_text where id = ?", (bytes.fromhex(sys.argv[1]),)).fetchone()[0], end="")' "$1"; }
python_of() { leat runs "$1" --attempts --json >"$TRASH/a.json" && json "$TRASH/a.json" "[x for x in (d if isinstance(d, list) else [d])][0][\"python\"].get(\"$2\")"; }

test_expect 'a notebook: version, path, number and list of packages, in runs, why and attempts' '
	workspace w && wheel wheels tiny 1.0 && wheel wheels tiny 2.0 && wheel wheels other 1.0 &&
	printf "# %%%%\nimport tiny\nopen(outputs + \"/v\", \"w\").write(tiny.VERSION)\n" | notebook note "environment: requirements.txt" && requires note tiny 1.0 &&
	leat run note 2018-01-01 && eq "$(python_of note packages)" 1 && eq "$(python_of note environment)" jobs/note/requirements.txt &&
	eq "$(python_of note version)" "$(python3 -c "import platform; print(platform.python_version())")" &&
	text_of "$(python_of note freeze)" >freeze && has freeze "tiny==1.0" "--find-links $PWD/wheels" && lacks freeze pip &&
	leat why note 2018-01-01 --json >why && has why "$(python_of note freeze)" && leat runs --json >runs && has runs "$(python_of note freeze)"
'

test_expect 'one that failed has them too, a kind python, and a job without an environment' '
	cd w && printf "# %%%%\nraise ValueError(1)\n" | notebook bad && exits 1 leat run bad 2018-01-01 && test "$(python_of bad freeze)" != None &&
	mkdir -p jobs/py && printf "kind: python\noutput: raw/py\nenvironment: jobs/note/requirements.txt\n" >jobs/py/job.yaml && printf "def run(output):\n    (output / \"x\").write_text(\"x\")\n" >jobs/py/job.py && leat run py &&
	eq "$(python_of py freeze)" "$(python_of note freeze)"
'

test_expect 'what is installed meanwhile is another list; what stays is asked for once' '
	cd w && python3 -m venv --without-pip own && sites=$(echo own/lib/python3*/site-packages) && python3 -m zipfile -e wheels/tiny-1.0-py3-none-any.whl "$sites" &&
	printf "import tiny\n" | script own "import tiny" "environment: own" && leat run own && text_of "$(python_of own freeze)" >a && eq "$(cat a)" tiny==1.0 &&
	ls -l --time-style=full-iso .leat/cache/env/packages-* >before && leat run own && ls -l --time-style=full-iso .leat/cache/env/packages-* >after && same before after &&
	python3 -m zipfile -e wheels/other-1.0-py3-none-any.whl "$sites" && leat run own && text_of "$(python_of own freeze)" >b && eq "$(tr "\n" " " <b)" "other==1.0 tiny==1.0 "
'
test_done
