#!/usr/bin/env bash
# Sentences of SEMANTICS 1, 6 and 8 about paths, numbers and names, each tried through the program.
. "$(dirname "$0")/../lib.sh"

test_expect 'commit REPO:/PATH adopts what lies at the path, a folder or one file, and leaves the rest for later' '
	workspace w && mkdir -p ../d/q && echo 1 >../d/q/a && echo 2 >../d/top && echo one >../one && leat put raw/r ../d &&
	mkdir datastore/raw/r/s && echo 5 >datastore/raw/r/s/in && echo 6 >datastore/raw/r/out && rm -f datastore/raw/r/q/a && echo 7 >datastore/raw/r/st &&
	leat commit raw/r:/s/ >said && has said "1 added, 0 changed, 0 deleted" && eq "$(leat ls raw/r | tr "\n" " ")" "/q/ /s/ /top " &&
	leat status >s && has s raw/r/out raw/r/q/a raw/r/st && lacks s raw/r/s/in &&
	leat commit raw/r:/q/a >said && has said "0 added, 0 changed, 1 deleted" && leat commit raw/r:/out && eq "$(leat cat raw/r:/out)" 6 &&
	leat status >s && has s raw/r/st && lacks s raw/r/out raw/r/q && leat commit raw/r && eq "$(leat cat raw/r:/st)" 7 && leat status >s && lacks s "datastore/raw/r"
'
test_expect 'a path where nothing was changed is nothing to commit, and no other file is' '
	cd w && echo 8 >datastore/raw/r/more && leat commit raw/r:/s >said 2>&1 && has said "nothing to commit at /s" && exits 1 leat cat raw/r:/more && leat commit
'
test_expect 'a number above the head that was dropped says so, and one that never was says what there is' '
	cd w && for i in 1 2 3; do echo $i >f && leat put raw/n f || return 1; done && leat drop raw/n@master &&
	exits 1 leat cat raw/n@master.3:/f 2>err && has err "(number 3) was dropped at" "the newest of raw/n is master.2" &&
	exits 1 leat cat raw/n@master.9:/f 2>err && has err "raw/n has 2 commits" && echo again >f && leat put raw/n f && eq "$(leat cat raw/n@.3:/f)" again
'
test_expect 'a zone is no repo: not by put, start, branch or cp; what lies right in it is named and not adopted' '
	cd w && for z in raw tables marts; do
		exits 2 leat -C . put $z f 2>err && has err "$z" || return 1
	done && mkdir ../v && leat init ../v && cd ../v && echo 1 >f && for c in "put raw f" "put tables@b f" "start marts"; do
		exits 2 leat $c 2>err && has err "is a zone" "/NAME" && [ "$(wc -l <err)" -le 3 ] || return 1
	done && mkdir -p datastore/raw/ds=2024-01-01 && echo 1 >datastore/raw/ds=2024-01-01/x && leat commit >said 2>&1 && has said "right in a zone" &&
	[ -f datastore/raw/ds=2024-01-01/x ] && leat put raw/t f && eq "$(leat ls --json | wc -l)" 1
'
test_expect 'a file put where a folder lies is told which it is and what to do; so is a folder where a file lies' '
	cd w && leat put raw/k ../d && exits 2 leat put raw/k:/q ../one 2>err && has err "/q is a folder" "/q/, with a slash, is in it" "leat rm -r" &&
	exits 2 leat put raw/k:/top/x ../one 2>err && has err "top" file && leat put raw/k:/q/ ../one && eq "$(leat cat raw/k:/q/one)" one
'
test_expect 'a tag or branch may be told a repo by its name: its head is meant; another repo is refused by name' '
	cd w && leat tag raw/n@here raw/n && eq "$(leat get raw/n@here:/f -o - | cat)" again && leat branch raw/n@side --head raw/n && leat branch raw/n@side --head raw/n@.1 &&
	exits 2 leat tag raw/n@there raw/r 2>err && has err "raw/r" "no commit of raw/n" && exits 2 leat keep raw/n 30 2>err && has err "does not say what to keep" &&
	exits 1 leat get raw/n:/f --range 100- 2>err && has err "raw/n:/f has 6 bytes"
'
test_done
