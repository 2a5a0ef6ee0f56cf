#!/usr/bin/env bash
# Notebooks in other languages than Python run by Jupyter's kernels: IRkernel, tslab, ipykernel, each where it is installed.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"

# ipynb JOB KERNEL LANGUAGE CELL...: its notebook; the first cell is tagged parameters
ipynb() {
	python3 - "$@" >"jobs/$1/notebook.ipynb" <<\X
import json, sys
_, job, kernel, language, *cells = sys.argv
print(json.dumps({"nbformat": 4, "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": kernel, "language": language, "display_name": kernel}},
    "cells": [{"cell_type": "code", "id": "c%d" % i, "source": c, "outputs": [], "execution_count": None,
               "metadata": {} if i else {"tags": ["parameters"]}} for i, c in enumerate(cells)]}))
X
}
job() { # NAME [LINES]
	mkdir -p "jobs/$1" && printf 'kind: notebook\npartition: daily\noutput: raw/%s\n%s\n' "$1" "${2-}" >"jobs/$1/job.yaml"
}
kernel() { # NAME COMMAND...: one of the test's own, in share/kernels
	mkdir -p "share/kernels/$1" && python3 -c 'import json, sys; print(json.dumps({"argv": sys.argv[2:], "display_name": sys.argv[1], "language": "javascript" if sys.argv[1] == "jslab" else sys.argv[1]}))' "$@" >"share/kernels/$1/kernel.json"
}
workspace w >/dev/null 2>&1 || exit 1
cd .. || exit 1

test_expect 'a kernel that is not there is named with its package, and there is a page that says so' '
	cd w && job julia && ipynb julia julia-1.9 julia "x = 1" && exits 1 leat run julia 2026-01-01 2>err && has err "no Jupyter kernel julia-1.9 nor one for julia" IJulia && seen "$(page julia 2026-01-01).html" >seen && has seen "no Jupyter kernel julia-1.9" && exits 1 leat ls raw/julia 2>err
'
test_expect 'a kernel that ends at once, or does not speak Jupyter, is a failure with its reason' '
	cd w && kernel ends sh -c "exit 3" && job ends "env: {JUPYTER_PATH: $PWD/share}" && ipynb ends ends ends 1 && exits 1 leat run ends 2026-01-01 2>err && has err "the kernel ends ended before it answered: exit status 3" && [ -f "$(page ends 2026-01-01).html" ]
'
test_expect 'the folder of a kernel whose worker was killed goes with the next kernel; one that somebody holds, or that is no folder of ours, stays' '
	cd w && left=$(mktemp -d /tmp/leat-kernel-XXXXXX) && held=$(mktemp -d /tmp/leat-kernel-XXXXXX) && new=$(mktemp -d /tmp/leat-kernel-XXXXXX) && echo x >"$left/shell-1" && touch -d "1 hour ago" "$left" "$held" &&
	{ python3 -c "import fcntl, os, sys, time; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); open(sys.argv[2], \"w\"); time.sleep(600)" "$held" locked 9>&- & } && t_pids+=($!) && wait_for 60 test -e locked &&
	exits 1 leat run ends 2026-01-02 && [ ! -e "$left" ] && [ -d "$held" ] && [ -d "$new" ] && rmdir "$held" "$new"
'
test_expect 'a language whose values cannot be written takes no parameters' '
	cd w && kernel cobol sh -c "exit 3" && job cobol "params: {a: 1}
env: {JUPYTER_PATH: $PWD/share}" && ipynb cobol cobol cobol 1 && exits 1 leat run cobol 2026-01-01 2>err && has err "how cobol writes values is not known"
'

if [ -e /usr/share/jupyter/kernels/python3/kernel.json ] && /usr/bin/python3 -c 'import ipykernel' 2>/dev/null; then
	test_expect 'kernel: python3 runs a notebook by ipykernel: parameters, magics, a plot'"'"'s data, an error that stops it' '
		cd w && job ik "kernel: python3
params: {n: 3}" && ipynb ik x python "n = 1" "print(n * 2)" "%env LEAT_JOB" "n + 1" && leat run ik 2026-01-01 && seen "$(page ik 2026-01-01).html" >seen && has seen 6 "ik" &&
		eq "$(json "$(page ik 2026-01-01).ipynb" "\"\".join(d[\"cells\"][4][\"outputs\"][0][\"data\"][\"text/plain\"])")" 4 &&
		ipynb ik x python "n = 1" "print(\"before\")" "1 / 0" "print(\"after\")" && exits 1 leat run ik 2026-01-02 2>err && has err "cell 4 failed: ZeroDivisionError" && seen "$(page ik 2026-01-02).html" >seen && has seen before ZeroDivisionError
	'
	test_expect 'its kernel killed, ended or asking a question: the page is there, nothing is published, the next job is not run' '
		cd w && job after "kernel: python3
inputs: {x: raw/ik}" && ipynb after x python "1" &&
		ipynb ik x python "n = 1" "print(\"before\", flush=True)" "import os, signal, time; time.sleep(.2); os.kill(os.getpid(), signal.SIGKILL)" && exits 1 leat run ik 2026-01-03 2>err && has err "the kernel python3 ended: killed by signal 9" && seen "$(page ik 2026-01-03).html" >seen && has seen before "killed by signal 9" &&
		ipynb ik x python "n = 1" "import os; os._exit(3)" && exits 1 leat run -u after 2026-01-04 2>err && has err "exit status 3" && [ -f "$(page ik 2026-01-04).html" ] && [ ! -e "$(page after 2026-01-04).html" ] &&
		ipynb ik x python "n = 1" "input(\"name?\")" && exits 1 leat run ik 2026-01-05 2>err && has err "StdinNotImplementedError" && exits 1 leat ls raw/ik:/ds=2026-01-03 && exits 1 leat ls raw/ik:/ds=2026-01-05
	'
	test_expect 'an endless loop ends at its limit of time, with the page; no kernel and no socket is left' '
		cd w && job spin$$ "kernel: python3
timeout: 20s
grace: 2s" && ipynb spin$$ x python "1" "print(\"on\", flush=True)
while True: pass" && exits 1 leat run spin$$ 2026-01-01 2>err && has err "longer than its limit" && seen "$(page spin$$ 2026-01-01).html" >seen && has seen on "longer than its limit" && ! ls -d /tmp/leat-kernel-*/spin$$ 2>/dev/null && ! grep -lsz "LEAT_JOB=spin$$" /proc/[0-9]*/environ
	'
else
	test_skip 'by ipykernel' 'python3-ipykernel is not installed'
fi

if [ -e /usr/share/jupyter/kernels/ir/kernel.json ] || [ -e /usr/local/share/jupyter/kernels/ir/kernel.json ]; then
	test_expect 'R: parameters of their types, text and a plot, an output; an error stops it and is on the page' '
		cd w && job r "params: {n: 7, name: \"O'"'"'Neil\", on: true, list: [1, 2]}" && ipynb r ir R "n <- 5
name = \"nobody\"
on <- FALSE
list <- list()
ds <- \"\"" "cat(name, n, ds, on, length(list))" "plot(1:n)" "write.csv(data.frame(a = 1:n), file.path(Sys.getenv(\"LEAT_OUTPUT\"), \"x.csv\"))" && leat run r 2026-01-01 && seen "$(page r 2026-01-01).html" >seen && has seen "O'"'"'Neil 7 2026-01-01 TRUE 2" && has "$(page r 2026-01-01).html" "data:image/png" && eq "$(leat cat raw/r:/ds=2026-01-01/x.csv | wc -l)" 8 &&
		ipynb r ir R "n <- 5
name <- \"x\"
on <- TRUE
list <- list()" "cat(\"before\")" "stop(\"no more\")" "cat(\"after\")" && exits 1 leat run r 2026-01-02 2>err && has err "cell 4 failed" "no more" && seen "$(page r 2026-01-02).html" >seen && has seen before "no more" && exits 2 leat run r 2026-01-03 --param nn=3 2>err
	'
else
	test_skip 'R' 'r-cran-irkernel is not installed'
fi

if command -v tslab >/dev/null; then
	test_expect 'JavaScript by tslab: parameters, text, a picture, an error' '
		cd w && kernel jslab "$(command -v tslab)" kernel --js "--config-path={connection_file}" && job js "env: {JUPYTER_PATH: $PWD/share}
params: {n: 4, who: x \"b\"}" && ipynb js jslab javascript "let n = 1;
let who = \"nobody\";" "who + (n * 2)" "import {display} from \"tslab\"; display.html(\"<b>bold</b>\")" && leat run js 2026-01-01 && seen "$(page js 2026-01-01).html" >seen && has seen "x \"b\"8" bold &&
		ipynb js jslab javascript "let n = 1;
let who = \"x\";" "throw new Error(\"no more\")" && exits 1 leat run js 2026-01-02 2>err && has err "cell 3 failed" && seen "$(page js 2026-01-02).html" >seen && has seen "no more"
	'
else
	test_skip 'JavaScript' 'tslab is not installed'
fi
test_done
