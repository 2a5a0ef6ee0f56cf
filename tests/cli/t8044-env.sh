#!/usr/bin/env bash
# leat env: packages are added to a job, its environment is entered, what a run found is printed and made anew.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-env.sh"
export PIP_FIND_LINKS="$TRASH/wheels"
cd "$TRASH" && wheel wheels tiny 1.0 && wheel wheels tiny 2.0 && wheel wheels other 1.0 || exit 1
OUT='import os, tiny
open(os.environ["LEAT_OUTPUT"] + "/v", "w").write("of " + tiny.VERSION)'

test_expect 'env add gives a job without one a requirements.txt, makes it, and changes a version that stands there' '
	workspace w && script one "$OUT" && exits 1 leat env shell one 2>err && has err "leat env add" && leat env add tiny==1.0 other --job one >path 2>err && has err "building environment jobs/one/requirements.txt" && test -x "$(cat path)/bin/python" &&
	eq "$(cat jobs/one/requirements.txt)" "tiny==1.0
other" && has jobs/one/job.yaml "environment: requirements.txt" && leat run one 2>err && lacks err building && eq "$(leat cat raw/one:/v)" "of 1.0" &&
	leat env add "Tiny==2.0" --job one && eq "$(cat jobs/one/requirements.txt)" "other
Tiny==2.0" && leat run one && eq "$(leat cat raw/one:/v)" "of 2.0"
'

test_expect 'a package that cannot be had leaves the file as it was; what is no request is refused' '
	cd w && cp jobs/one/requirements.txt before && exits 1 leat env add nosuch --job one 2>err && has err "there is no nosuch" && same before jobs/one/requirements.txt &&
	exits 2 leat env add tiny 2>err && has err "--job JOB" && exits 2 leat env add tiny --job nojob && exits 2 leat env add "--find-links=x" --job one && exits 2 leat env jump 2>err && has err freeze &&
	exits 2 leat env add "==1" --job one && same before jobs/one/requirements.txt
'

test_expect 'env shell: a shell with it' '
	cd w && echo "python -c \"import tiny, sys; print(tiny.VERSION, sys.prefix)\"" | SHELL=/bin/sh leat env shell one >out && has out "2.0 $PWD/.leat/cache/env/" &&
	echo "exit 3" | exits 1 env SHELL=/bin/sh "$LEAT_BIN" env shell one
'

test_expect 'env lists them' '
	cd w && leat env >out && has out jobs/one/requirements.txt && leat env list --json >out && json out "len(d) if isinstance(d, list) else 1" >n && eq "$(cat n)" 2
'

test_expect 'env freeze prints what a run found; env build --from makes it in an empty place, and the run gives the same again' '
	cd w && leat env add tiny==1.0 --job one && leat run one && leat cat raw/one:/v >first && run=$(leat runs one --json | head -n 1 | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"run\"])") &&
	leat env add tiny==2.0 --job one && leat run one && eq "$(leat cat raw/one:/v)" "of 2.0" &&
	leat env freeze $run >freeze && has freeze tiny==1.0 other==1.0 && exits 1 leat env freeze 0000000000 && exits 2 leat env freeze &&
	rm -rf .leat/cache/env && leat env build --from ${run:0:12} >path && script one "$OUT" "environment: $(cat path)" && leat run one 2>err && lacks err building && leat cat raw/one:/v >again && same first again &&
	cp freeze jobs/one/requirements.txt && script one "$OUT" "environment: requirements.txt" && leat env build one && leat run one && leat cat raw/one:/v >again && same first again
'
test_done
