#!/usr/bin/env bash
# Environments that cannot be made, or not to the end: the job fails with a sentence, nothing half-made is ever taken.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
. "$TESTS/lib-env.sh"

OUT='import os, tiny
open(os.environ["LEAT_OUTPUT"] + "/v", "w").write(tiny.VERSION)'
sha() { sha256sum "$1" | cut -d" " -f1; }

# An interpreter that says it has begun, and goes on when it is told to.
waiting_python() {
	mkfifo began go && printf '#!/bin/sh\ncase "$2" in build) echo x >%s; read x <%s;; esac\nexec python3 "$@"\n' "'$PWD/began'" "'$PWD/go'" >waiting && chmod +x waiting
}

test_expect 'hashes are checked: a file that is not what was locked is refused, and named; one that is comes in' '
	workspace w && wheel wheels tiny 1.0 && wheel wheels tiny 2.0 && wheel wheels other 1.0 && script bad "$OUT" "environment: requirements.txt" &&
	script after "print(1)" "inputs: [raw/bad]" && script good "$OUT" "environment: requirements.txt" &&
	printf -- "--no-index\n--find-links ../../wheels\ntiny==1.0 --hash=sha256:%s\nother==1.0 --hash=sha256:%s\n" "$(sha wheels/tiny-1.0-py3-none-any.whl)" "$(sha wheels/other-1.0-py3-none-any.whl)" >jobs/good/requirements.txt &&
	sed "s/tiny==1.0 .*/tiny==1.0 --hash=sha256:$(sha wheels/tiny-2.0-py3-none-any.whl)/" jobs/good/requirements.txt >jobs/bad/requirements.txt &&
	exits 1 leat run 2>err && has err "environment jobs/bad/requirements.txt: tiny==1.0 is not what was locked" "$(sha wheels/tiny-1.0-py3-none-any.whl | cut -c1-12)" &&
	eq "$(leat cat raw/good:/v)" 1.0 && exits 1 leat cat raw/bad:/v && exits 1 leat ls raw/after && leat runs --json >runs && has runs "is not what was locked" &&
	sed -i "s/ --hash.*//" jobs/bad/requirements.txt && echo "other==1.0 --hash=sha256:$(sha wheels/other-1.0-py3-none-any.whl)" >>jobs/bad/requirements.txt &&
	exits 1 leat run bad 2>err && has err "has no hash, and others have one"
'

test_expect 'a package that is not there, a line that is none, a folder that is none: each is a sentence; the log is kept' '
	cd w && printf -- "--no-index\n--find-links ../../wheels\ntiny==3.0\n" >jobs/bad/requirements.txt && exits 1 leat run bad 2>err && has err "there is no tiny==3.0 for Python 3" &&
	cat .leat/cache/env/*.failed.log >logs && has logs "No matching distribution" &&
	printf "tiny!!!\n" >jobs/bad/requirements.txt && exits 1 leat run bad 2>err && has err "environment jobs/bad/requirements.txt: pip failed" &&
	script bad "$OUT" "environment: nowhere.txt" && exits 2 leat run bad 2>err && has err "jobs/bad/job.yaml:3:14" "there is no nowhere.txt" &&
	script bad "$OUT" "environment: job.py" && exits 2 leat run bad 2>err && has err "no file that an environment is made of" poetry.lock &&
	script bad "$OUT" "environment: wheels" && exits 2 leat run bad 2>err && has err "wheels is no virtual environment" "python3 -m venv" &&
	script bad "$OUT" "environment: {file: requirements.txt, python: python3.99}" && exits 1 leat run bad 2>err && has err "there is no python3.99" &&
	script bad "$OUT" "environment: {file: requirements.txt, python: $(type -P true)}" && exits 1 leat run bad 2>err && has err "true does not run as a Python"
'

test_expect 'no network: that is what it says' '
	cd w && script bad "$OUT" "environment: requirements.txt" && echo tiny==1.0 >jobs/bad/requirements.txt && (unset PIP_NO_INDEX && PIP_INDEX_URL=http://127.0.0.1:9/ PIP_RETRIES=1 exits 1 leat run bad 2>err) && has err "tiny==1.0 cannot be fetched: the package index cannot be reached"
'

test_expect 'a link that leads out of the workspace is refused; one within it is followed' '
	cd w && echo tiny >../outside.txt && script bad "$OUT" "environment: requirements.txt" && ln -sf ../../../outside.txt jobs/bad/requirements.txt && exits 2 leat run bad 2>err && has err "leads out of the workspace" &&
	ln -sf ../good/requirements.txt jobs/bad/requirements.txt && leat run bad && eq "$(leat cat raw/bad:/v)" 1.0
'

test_expect 'what a requirements file includes counts, and is taken as it was; names with blanks' '
	cd w && mkdir "jobs/two words" 2>/dev/null; mkdir -p "lib of all" && printf "tiny==1.0\n" >"lib of all/common.txt" && script inc "$OUT" "environment: lib of all/my requirements.txt" &&
	rmdir "jobs/two words" && printf -- "--no-index\n--find-links \"%s\"\n-r common.txt\n" "$PWD/wheels" >"lib of all/my requirements.txt" && leat run inc && eq "$(leat cat raw/inc:/v)" 1.0 &&
	printf "tiny==2.0\n" >"lib of all/common.txt" && leat run inc && eq "$(leat cat raw/inc:/v)" 2.0
'

test_expect 'a Python without venv: the package is named that brings it' '
	cd w && mkdir -p fake && printf "import sys\nprint(\"The virtual environment was not created successfully because ensurepip is not available.\")\nsys.exit(1)\n" >fake/venv.py &&
	printf "#!/bin/sh\nPYTHONPATH=%s exec python3 \"\$@\"\n" "$PWD/fake" >bare && chmod +x bare &&
	script novenv "$OUT" "environment: {file: jobs/good/requirements.txt, python: ./bare}" && printf "# another\n" >>jobs/good/requirements.txt && exits 1 leat run novenv 2>err && has err "cannot make virtual environments: its ensurepip is not there" "apt install python3." "-venv"
'

test_expect 'two commands that need the same: one makes it, the other waits for it and says so' '
	cd w && waiting_python && requires good tiny 2.0 && for j in x y; do script $j "$OUT" "environment: {file: jobs/good/requirements.txt, python: ./waiting}" || return 1; done &&
	{ "$LEAT_BIN" run x >x.out 2>&1 9>&- & } && x=$! && t_pids+=("$x") && read -r _ <began && { "$LEAT_BIN" run y >y.out 2>&1 9>&- & } && y=$! && t_pids+=("$y") &&
	wait_for 60 grep -q "another command makes it" y.out && echo go >go && wait $x && wait $y && has x.out "building environment" && lacks y.out "building environment" &&
	eq "$(leat cat raw/x:/v)$(leat cat raw/y:/v)" 2.02.0
'

test_expect 'kill -9 while it is made: nothing of it is taken; the next run makes it. What the file is changed to meanwhile is another one' '
	cd w && envs >before && echo "# once more" >>jobs/good/requirements.txt && { "$LEAT_BIN" run x >x.out 2>&1 9>&- & } && x=$! && t_pids+=("$x") && read -r _ <began && kill -9 $x && { wait $x || :; } &&
	{ "$LEAT_BIN" run x >x.out 2>&1 9>&- & } && x=$! && t_pids+=("$x") && read -r _ <began && requires good tiny 1.0 && echo go >go && wait $x && eq "$(leat cat raw/x:/v)" 2.0 &&
	{ "$LEAT_BIN" run x >x.out 2>&1 9>&- & } && x=$! && t_pids+=("$x") && read -r _ <began && echo go >go && wait $x && eq "$(leat cat raw/x:/v)" 1.0 &&
	! envs | grep -q new && leat fsck
'

test_expect 'a run that is stopped while it makes one ends, and nothing is left' '
	cd w && requires good tiny 2.0 && echo "# stopped" >>jobs/good/requirements.txt && { "$LEAT_BIN" run x >x.out 2>&1 9>&- & } && x=$! && t_pids+=("$x") && read -r _ <began && kill -TERM $x && { wait $x || :; } &&
	has x.out stopped && ! envs | grep -q new && leat fsck
'

test_expect 'a full disk: a sentence, and no half environment' '
	cd w && if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
		script full "$OUT" "environment: requirements.txt" && requires full tiny 1.0 && cat >full.sh <<X || return 1
mount -t tmpfs -o size=1m tmpfs .leat/cache/env && "$LEAT_BIN" run full 2>err
echo \$? >status
find .leat/cache/env -mindepth 1 -maxdepth 1 -type d >left
X
		unshare -m sh full.sh && eq "$(cat status)" 1 && has err "disk is full" && eq "$(cat left)" ""
	fi
'
test_done
