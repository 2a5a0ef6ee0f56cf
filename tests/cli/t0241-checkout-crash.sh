#!/usr/bin/env bash
. "$(dirname "$0")/../lib.sh"
needs_faults
crashes() { # POINT leat's arguments…: killed at that point
	local got=0
	LEAT_CRASH_AT=$1 leat "${@:2}" || got=$?
	eq $got 137
}

test_expect 'two trees of 300 files' '
	workspace w && mkdir a b && for i in $(seq 300); do echo a$i > a/f$i; echo b$i > b/f$i; done && echo new > b/new &&
	leat put raw/a a && leat put raw/b b
'

test_expect 'a new checkout that is killed leaves no folder, and the next one sweeps what it left' '
	cd w && crashes checkout-half checkout raw/a ../c && test ! -e ../c &&
	ls -A .. | grep "^.c.leat-" && leat checkout raw/a ../c && diff -r -x .leat-checkout a ../c &&
	count 0 find .. -maxdepth 1 -name ".c.leat-*"
' 
test_expect 'one that is killed while it changes says that it is not whole, and the next one makes it whole' '
	cd w && for n in 1 5 290; do
		crashes checkout-half:$n checkout raw/b ../c && has ../c/.leat-checkout incomplete &&
		leat checkout raw/a ../c && diff -r -x .leat-checkout a ../c || return 1
	done &&
	crashes checkout-half:290 checkout raw/b ../c && crashes checkout-half:10 checkout raw/a ../c &&
	has ../c/.leat-checkout incomplete &&
	leat checkout raw/b ../c && diff -r -x .leat-checkout b ../c && has ../c/.leat-checkout whole &&
	count 0 find ../c -name ".leat-checkout.tmp"
'
test_expect 'one that is killed within a write leaves its halves in one folder, which the next one removes' '
	cd w && leat checkout raw/a ../t && left=0 &&
	for n in 12 13 14 15 60 61 62; do
		got=0; LEAT_FAULT=torn@$n leat checkout raw/b ../t || got=$?
		eq $got 137 || return 1
		left=$((left + $(ls -A ../t/.leat-checkout.tmp 2> ../err | wc -l)))
		leat checkout raw/a ../t && diff -r -x .leat-checkout a ../t || return 1
	done && test $left -gt 0
'
test_expect 'a tree that has a file of the name of that folder is refused' '
	cd w && mkdir n && echo x > n/.leat-checkout.tmp && leat put raw/n n && exits 2 leat checkout raw/n ../n 2> ../err &&
	has ../err "has a file .leat-checkout.tmp of its own" && test ! -e ../n
'
test_expect 'a disk that is full in the middle leaves no new folder, or one that the next checkout makes whole' '
	cd w && for n in 3 20 100 250; do
		exits 1 env LEAT_FAULT=enospc@$n "$LEAT_BIN" checkout raw/a ../full && test ! -e ../full || return 1
	done && for n in 20 100 250; do
		leat checkout raw/b ../c && exits 1 env LEAT_FAULT=enospc@$n "$LEAT_BIN" checkout raw/a ../c || return 1
	done && leat checkout raw/a ../c && diff -r -x .leat-checkout a ../c
'
test_expect 'an export that is killed or finds no room leaves no folder' '
	cd w && crashes export-half export ../x && test ! -e ../x &&
	exits 1 env LEAT_FAULT=enospc@50 "$LEAT_BIN" export ../x && test ! -e ../x && leat export ../x && diff -r a ../x/raw/a
'
test_done
