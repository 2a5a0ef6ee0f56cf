#!/usr/bin/env bash
# environment: a job runs with the packages of its requirements file, in a virtual environment that is made once.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
. "$TESTS/lib-env.sh"

SAY='def say():
    import sys
    print("said by", VERSION, "of", sys.prefix)'
OUT='import os, sys, tiny
open(os.environ["LEAT_OUTPUT"] + "/v", "w").write(tiny.VERSION)
print("prefix", sys.prefix, os.environ["VIRTUAL_ENV"], os.environ["PATH"])'

test_expect 'a script, a kind python and a notebook get theirs; two versions of a package in one run' '
	workspace w && wheel wheels tiny 1.0 "$SAY" && wheel wheels tiny 2.0 "$SAY" &&
	script one "$OUT" "environment: requirements.txt" && requires one tiny 1.0 &&
	script two "$OUT" "environment: requirements.txt" && requires two tiny 2.0 &&
	mkdir -p jobs/py && printf "kind: python\noutput: raw/py\nenvironment: {file: jobs/two/requirements.txt}\n" >jobs/py/job.yaml &&
	printf "import tiny\ndef run(output):\n    (output / \"v\").write_text(tiny.VERSION)\n" >jobs/py/job.py &&
	printf "# %%%%\nimport tiny, sys\nopen(outputs + \"/v\", \"w\").write(tiny.VERSION)\nprint(sys.executable)\n" | notebook note "environment: jobs/one/requirements.txt" &&
	leat run one 2>err && has err "building environment jobs/one/requirements.txt with Python 3" "1 package," &&
	leat run -j 2 2>err && leat run note 2018-01-01 2>err &&
	for j in one:1.0 two:2.0 py:2.0; do eq "$(leat cat raw/${j%:*}:/v)" "${j#*:}" || return 1; done &&
	eq "$(leat cat raw/note:/ds=2018-01-01/v)" 1.0 &&
	seen "$(page note 2018-01-01).html" >seen && has seen ".leat/cache/env/" &&
	eq "$(envs | wc -l)" 2 && leat logs one >log && has log "prefix $PWD/.leat/cache/env/" "/venv/bin:"
'

test_expect 'it is made once: the next run, another job with the same file, find it' '
	cd w && envs >before && script more "$OUT" "environment: ../one/requirements.txt" && leat run more 2>err && lacks err building &&
	envs >after && same before after && eq "$(leat cat raw/more:/v)" 1.0
'

test_expect 'its file counts in the memo key: a change runs the job again, and why tells the line' '
	cd w && leat plan one >plan && lacks plan requirements.txt && requires one tiny 2.0 && leat plan one >plan && has plan requirements.txt && leat run one 2>err && eq "$(leat cat raw/one:/v)" 2.0 &&
	leat why raw/one:/v >why && has why requirements.txt
'

test_expect 'warm notebooks: each environment has an interpreter of its own to be forked from' '
	cd w && for v in 1.0 2.0; do
		printf "# %%%%\nimport tiny, os\nprint(\"cold\" if \"leat\" in open(\"/proc/%%d/comm\" %% os.getppid()).read() else \"warm\")\nopen(outputs + \"/v\", \"w\").write(tiny.VERSION)\n" |
			notebook warm${v%.0} "environment: requirements.txt" && requires warm${v%.0} tiny $v || return 1
	done &&
	leat run warm1 2018-01-01..2018-01-04 -j 1 && leat run warm2 2018-01-01..2018-01-04 -j 1 &&
	for v in 1 2; do
		seen "$(page warm$v 2018-01-04).html" >seen && has seen warm && eq "$(leat cat raw/warm$v:/ds=2018-01-04/v)" $v.0 || return 1
	done
'

test_expect 'its programs are on PATH, also in a root of the task'"'"'s own and after the workspace has moved' '
	cd w && mkdir -p jobs/sh && printf "kind: script\noutput: raw/sh\nenvironment: requirements.txt\n" >jobs/sh/job.yaml && requires sh tiny 1.0 &&
	printf "#!/bin/sh\ntiny-say >\"\$LEAT_OUTPUT/v\"\n" >jobs/sh/job.sh && leat run sh && leat cat raw/sh:/v >v && has v "said by 1.0" &&
	cd .. && mv w "moved to" && cd "moved to" && echo "# again" >>jobs/sh/job.sh && leat run sh 2>err && lacks err building && leat cat raw/sh:/v >v && has v "said by 1.0" "moved to" && cd .. && mv "moved to" w && cd w &&
	if leat doctor | grep -q "sandbox *ok"; then
		echo "sandbox: on" >>jobs/sh/job.yaml && leat run sh && leat cat raw/sh:/v >v && has v "said by 1.0 of /leat/environment"
	fi
'

test_expect 'the folder of a virtual environment is taken as it is; leat.yaml names one for all jobs in Python' '
	cd w && python3 -m venv --without-pip "my venv" && cp wheels/tiny-2.0-py3-none-any.whl t.zip && python3 -m zipfile -e t.zip "$(echo my*/lib/python3*/site-packages)" &&
	script own "$OUT" "environment: my venv" && leat run own 2>err && lacks err building && eq "$(leat cat raw/own:/v)" 2.0 && leat logs own >log && has log "prefix $PWD/my venv" &&
	script all "$OUT" && exits 1 leat run all && echo "environment: my venv" >>leat.yaml && leat run all && eq "$(leat cat raw/all:/v)" 2.0 &&
	script not "print(__import__(\"sys\").prefix)" "environment: none" && leat run not && leat logs not >log && lacks log "my venv" && sed -i /environment/d leat.yaml
'

test_expect 'gc lets go those that were not needed for as long as memo_keep, and what a killed build left' '
	cd w && envs >all && dir=$(head -n 1 all) && mkdir "$dir.new" && leat gc >out && test ! -e "$dir.new" && test -e "$dir" && touch -d "40 days ago" "$dir" &&
	leat gc --dry-run >out && has out "Python environments" && test -e "$dir" && leat gc >out && has out "Python environments" && test ! -e "$dir" && eq "$(envs | wc -l)" $(($(wc -l <all) - 1))
'

test_expect 'lock: counts as code does' '
	cd w && script locked "import os; open(os.environ[\"LEAT_OUTPUT\"] + \"/v\", \"w\").write(\"x\")" "lock: some.lock" && echo 1 >jobs/locked/some.lock && leat run locked &&
	echo 2 >jobs/locked/some.lock && leat plan locked >plan && has plan some.lock
'
test_done
