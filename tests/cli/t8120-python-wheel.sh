#!/usr/bin/env bash
# The Python package by itself: its doctests, and its wheel in a fresh venv, offline. LEAT_TEST_PYTHONS names more interpreters
# than python3 (blanks between them).
. "$(dirname "$0")/../lib.sh"
needs python3
PACKAGE=$CHECKOUT/clients/python

# shellcheck disable=SC2086
for py in python3 ${LEAT_TEST_PYTHONS:-}; do
	what="Python $("$py" -c 'import platform; print(platform.python_version())')" || skip_all "$py does not run"
	test_expect "$what: the examples in its texts do what they say" '
		for f in "$PACKAGE"/src/leat/_*.py "$PACKAGE"/src/dsflow/__init__.py; do PYTHONPATH=$PACKAGE/src "$py" -m doctest "$f" || return 1; done
	'
	if ! "$py" -c 'import venv, ensurepip' 2>/dev/null || ! "$py" -m pip --version >/dev/null 2>&1; then
		test_skip "$what: the wheel in a fresh venv" "it has no venv or no pip"
		continue
	fi
	test_expect "$what: pip builds the wheel from the sources with no network and no other package, twice the same bytes" '
		rm -rf src one two && cp -r "$PACKAGE" src && mkdir one two &&
		"$py" -m pip -q --disable-pip-version-check wheel --no-index --no-deps -w one ./src &&
		"$py" -m pip -q --disable-pip-version-check wheel --no-index --no-deps -w two ./src &&
		same one/leat-0.1.0-py3-none-any.whl two/leat-0.1.0-py3-none-any.whl
	'
	test_expect "$what: installed in a fresh venv it finds the program on PATH, and queries, writes and reads" '
		rm -rf v w && "$py" -m venv v && v/bin/python -m pip -q --disable-pip-version-check install --no-index one/*.whl &&
		has - "leat 0.1.0" < <(v/bin/python -m pip --disable-pip-version-check list 2>/dev/null | tr -s " ") &&
		workspace w && mkdir bin && ln -s "$LEAT_BIN" bin/leat && echo hello > f && leat put raw/f f &&
		cat > try.py <<-"END" &&
		import leat, os
		assert "site-packages" in leat.__file__, leat.__file__
		id = leat.write([{"a": 1, "b": "x"}, {"a": 2, "b": None}], "tables/t", ds="2018-01-02")
		rows = leat.table("tables/t", frame="rows")
		assert [(r["a"], r["b"], r["ds"].isoformat()) for r in rows] == [(1, "x", "2018-01-02"), (2, None, "2018-01-02")], rows
		assert leat.sql("select max(a) as m from tables.t", at=id, frame="rows")[0]["m"] == 2
		assert leat.read("raw/f:/f") == b"hello\n" and leat.open("raw/f:/f", "r").read() == "hello\n"
		assert dict(leat.params) == {} and leat.ds is None
		leat.put("n", 3)
		try:
		    leat.table("tables/nothing")
		except leat.Error as e:
		    assert (e.code, e.place) == ("bad-sql", "query:1:6") and "there is no table tables.nothing" in str(e), (e.code, e.place)
		os.environ["PATH"] = "/nowhere"
		try:
		    leat.sql("select 1")
		except leat.Error as e:
		    assert e.code == "no-library" and str(e) == "the program leat is not on PATH\n  put it there, or name it in LEAT_BIN", str(e)
		print("good")
		END
		eq "$(PATH=$PWD/bin:$PATH ../v/bin/python try.py | tr "\n" " ")" "::metric n=3 good "
	'
done
if python3 -c 'import mypy' 2>/dev/null; then
	test_expect 'its types are strict' 'cd "$PACKAGE" && python3 -m mypy --strict --cache-dir "$TRASH/mypy" src'
else
	test_skip 'its types are strict' 'this python3 has no mypy'
fi
test_done
