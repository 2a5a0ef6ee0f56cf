#!/usr/bin/env bash
# The files that an environment is made of: what Pipfile, Pipfile.lock, uv.lock, poetry.lock and environment.yml mean.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-env.sh"
export PIP_NO_INDEX=1 PIP_FIND_LINKS="$TRASH/wheels"
cd "$TRASH" && for n in tiny other left; do wheel wheels $n 1.0 && wheel wheels $n 2.0 || exit 1; done
workspace w >/dev/null 2>&1 || exit 1
cd "$TRASH" || exit 1
HAS='import os, importlib
out = open(os.environ["LEAT_OUTPUT"] + "/v", "w")
for name in ("tiny", "other", "left"):
    try:
        out.write("%s %s;" % (name, importlib.import_module(name).VERSION))
    except ImportError:
        pass'
sha() { sha256sum "$TRASH/wheels/$1-py3-none-any.whl" | cut -d" " -f1; }
gives() { # JOB WHAT
	leat run "$1" 2>"$TRASH/err" || { cat "$TRASH/err" && return 1; }
	eq "$(leat cat "raw/$1:/v")" "$2"
}
minor=$(python3 -c 'import sys; print("3.%d" % sys.version_info[1])')
toml() { python3 -c 'import tomllib' 2>/dev/null || python3 -c 'import pip._vendor.tomli' 2>/dev/null; }

test_expect 'Pipfile.lock: versions, hashes, markers; a wrong hash is refused; the Python it asks for is looked at' '
	cd w && script lock "$HAS" "environment: Pipfile.lock" && cat >jobs/lock/Pipfile.lock <<X &&
{"_meta": {"requires": {"python_version": "$minor"}, "sources": [{"name": "x", "url": "", "verify_ssl": true}]},
 "default": {"tiny": {"version": "==1.0", "hashes": ["sha256:$(sha tiny-1.0)", "sha256:$(sha tiny-2.0)"]},
             "left": {"version": "==1.0", "markers": "sys_platform == \"win32\"", "hashes": ["sha256:$(sha left-1.0)"]},
             "other": {"version": "==2.0", "hashes": ["sha256:$(sha other-2.0)"]}}, "develop": {"left": {"version": "==2.0"}}}
X
	gives lock "tiny 1.0;other 2.0;" && sed -i "s/\"sha256:$(sha other-2.0)\"/\"sha256:$(sha other-1.0)\"/" jobs/lock/Pipfile.lock &&
	exits 1 leat run lock 2>err && has err "other==2.0 is not what was locked" &&
	sed -i "s/\"$minor\"/\"3.1\"/" jobs/lock/Pipfile.lock && exits 1 leat run lock 2>err && has err "it is for Python ==3.1.*, and this is $minor" "python: python3.N" &&
	echo "{" >jobs/lock/Pipfile.lock && exits 1 leat run lock 2>err && has err "not of the form that it is called by"
'

test_expect 'Pipfile: its packages; where there is a Pipfile.lock, what that says' '
	cd w && if toml; then
		script pip "$HAS" "environment: Pipfile" && printf "[[source]]\nurl = \"\"\n[packages]\ntiny = \"<2\"\nother = {version = \"*\", markers = \"sys_platform == \\\\\"linux\\\\\"\"}\n[dev-packages]\nleft = \"*\"\n" >jobs/pip/Pipfile &&
		gives pip "tiny 1.0;other 2.0;" &&
		printf "{\"default\": {\"tiny\": {\"version\": \"==2.0\"}}}" >jobs/pip/Pipfile.lock && gives pip "tiny 2.0;"
	fi
'

test_expect 'uv.lock: what the project leads to here, by markers and extras, with its hashes' '
	cd w && if toml; then
		script uv "$HAS" "environment: uv.lock" && cat >jobs/uv/uv.lock <<X &&
version = 1
requires-python = ">=3.6"

[[package]]
name = "project"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "tiny", extra = ["more"] },
    { name = "left", marker = "sys_platform == '"'win32'"'" },
]

[[package]]
name = "tiny"
version = "2.0"
source = { registry = "" }
wheels = [ { url = "x", hash = "sha256:$(sha tiny-2.0)" } ]

[package.optional-dependencies]
more = [ { name = "other" } ]

[[package]]
name = "other"
version = "1.0"
source = { registry = "" }
wheels = [ { url = "x", hash = "sha256:$(sha other-1.0)" } ]

[[package]]
name = "left"
version = "1.0"
source = { registry = "" }
wheels = [ { url = "x", hash = "sha256:$(sha left-1.0)" } ]
X
		gives uv "tiny 2.0;other 1.0;" && sed -i "s/>=3.6/>=3.99/" jobs/uv/uv.lock && exits 1 leat run uv 2>err && has err "it is for Python >=3.99"
	fi
'

test_expect 'poetry.lock: what pyproject.toml beside it asks for, and what that needs; without it all that nobody asks for' '
	cd w && if toml; then
		script poetry "$HAS" "environment: poetry.lock" && cat >jobs/poetry/poetry.lock <<X &&
[[package]]
name = "tiny"
version = "1.0"
optional = false
python-versions = ">=3.6"
files = [ {file = "x", hash = "sha256:$(sha tiny-1.0)"} ]

[package.dependencies]
other = {version = "*", markers = "sys_platform == '"'linux'"'"}

[[package]]
name = "other"
version = "2.0"
optional = false
python-versions = "*"
files = [ {file = "x", hash = "sha256:$(sha other-2.0)"} ]

[[package]]
name = "left"
version = "1.0"
optional = false
python-versions = "*"
files = [ {file = "x", hash = "sha256:$(sha left-1.0)"} ]

[metadata]
lock-version = "2.0"
python-versions = "^3.6"
X
		gives poetry "tiny 1.0;other 2.0;left 1.0;" &&
		printf "[tool.poetry.dependencies]\npython = \"^3.6\"\ntiny = \"*\"\n[tool.poetry.group.dev.dependencies]\nleft = \"*\"\n" >jobs/poetry/pyproject.toml &&
		gives poetry "tiny 1.0;other 2.0;"
	fi
'

test_expect 'environment.yml: names and versions of conda as pip has them, its pip section; what only conda has is refused by name' '
	cd w && script conda "$HAS" "environment: environment.yml" && cat >jobs/conda/environment.yml <<X &&
name: x
channels: [conda-forge]
dependencies:
  - python=$minor
  - conda-forge::tiny=1
  - other==2.0=py_0
  - pip
  - pip:
      - left>1.0
X
	gives conda "tiny 1.0;other 2.0;left 2.0;" && sed -i "s/  - pip$/  - libgcc-ng=12/" jobs/conda/environment.yml && exits 1 leat run conda 2>err && has err "libgcc-ng is a package of conda" "apt" &&
	sed -i "s/python=.*/python=3.99/" jobs/conda/environment.yml && exits 1 leat run conda 2>err && has err "there is no python3.99"
'
test_done
