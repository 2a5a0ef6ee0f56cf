#!/usr/bin/env bash
# The command line itself: help, words that are nearly right, exit statuses (DESIGN 2.5, 2.8).
. "$(dirname "$0")/../lib.sh"

verbs() { # every command that the help lists
	leat help | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

test_expect 'help lists commands of every area, and a bare leat says the same' '
	leat help > help && leat > bare && same help bare && leat --help > long && same help long &&
	has help "Workspace" "Data" "Work" "Look" "  put " "  run " "  sql " "  playground " && test "$(verbs | wc -l)" -ge 28
'
test_expect 'no line of any help is wider than 80 columns' '
	leat help > all && leat help --all >> all &&
	python3 -c "
import sys
bad = [l for l in open(\"all\", encoding=\"utf-8\").read().split(\"\n\") if len(l) > 80]
print(\"\n\".join(bad))
sys.exit(len(bad) > 0)"
'
test_expect 'every command explains itself by help COMMAND and by --help, alike, and names its options' '
	for v in $(verbs); do
		leat help "$v" > a && leat "$v" --help > b && same a b && has a "leat $v" && test "$(wc -l < a)" -ge 3
	done
'
test_expect 'help of one command is asked for after its other words too' '
	leat put raw/x --ds 2024-01-01 -h > a && has a "leat put" "--ds"
'
test_expect 'a word after -- is no call for help' '
	workspace h1 && exits 1 leat cat -- raw/none:/--help 2> err && has err "raw/none"
'
test_expect 'a command that is nearly right gets the right one, with exit 2' '
	exits 2 leat plna 2> err && has err "there is no command" "did you mean" "leat plan" &&
	exits 2 leat stauts 2> err && has err "leat status" &&
	exits 2 leat xyzzy 2> err && has err "leat help"
'
test_expect 'an option that is nearly right gets the right one, with exit 2' '
	exits 2 leat ls --jsn 2> err && has err "--jsn" "did you mean" "--json" &&
	exits 2 leat run --agian 2> err && has err "--again" &&
	exits 2 leat ls -Z 2> err && has err "-Z" "leat help ls"
'
test_expect 'too many words, too few, a switch with a value and an option without one are refused with exit 2' '
	workspace few && exits 2 leat doctor extra 2> err && has err "extra" "leat help doctor" &&
	exits 2 leat put 2> err && has err "REPO" &&
	exits 2 leat put raw/x 2> err && has err "FILE" &&
	exits 2 leat ls --json=yes 2> err && has err "--json takes no value" &&
	exits 2 leat put raw/x --ds 2> err && has err "--ds needs a value" &&
	exits 2 leat log raw/x -n 2> err && has err "-n needs a value"
'
test_expect 'plural, singular and unambiguous prefixes of a command are that command' '
	workspace h2 && leat job > a && leat jobs > b && same a b && leat stat > a && leat status > b && same a b &&
	leat run --help > a && leat runs --help > b && ! same a b >/dev/null &&
	leat playg --help > a && leat playground --help > b && same a b &&
	exits 2 leat p 2> err
'
test_expect 'words of the systems people come from are accepted, parted or joined' '
	workspace h3 && echo 1 > f && leat put-file raw/x f && leat list-repo > a && leat list repo > b && leat ls > c &&
	same a c && same b c && leat list file raw/x > a && leat ls raw/x > b && same a b && leat generate-job > /dev/null &&
	leat delete-file raw/x:/f && leat delete repo raw/x && count 0 leat ls
'
test_expect 'options stand before, between and after words; letters join; -- ends them' '
	workspace h4 && echo 1 > f && leat put --ds 2024-01-01 raw/x f && leat put raw/x --ds=2024-01-02 f &&
	leat put raw/x f --ds 2024-01-03 && count 3 leat ls -lR raw/x && count 3 leat ls raw/x -R -l && count 1 leat log -n1 raw/x --json &&
	echo 2 > -x && leat put raw/x -- -x && leat cat raw/x:/-x > out && has out 2
'
test_expect '-C names the workspace, LEAT_WORKSPACE too, and -C wins' '
	(workspace wa && echo 1 > f && leat put raw/a f) && (workspace wb && echo 1 > f && leat put raw/b f) && mkdir -p wa/deep/er &&
	leat -C wa ls > out && has out raw/a && leat -C wa/deep/er ls > out && has out raw/a &&
	(cd wa/deep/er && leat ls > "$TRASH/out") && has out raw/a &&
	LEAT_WORKSPACE=$TRASH/wb leat ls > out && has out raw/b && (cd wa && LEAT_WORKSPACE=$TRASH/wb leat ls > "$TRASH/out") && has out raw/b &&
	LEAT_WORKSPACE=$TRASH/wb leat -C wa ls > out && has out raw/a &&
	exits 2 env LEAT_WORKSPACE="$TRASH/none" "$LEAT_BIN" ls 2> err && has err "LEAT_WORKSPACE" "none" &&
	exits 2 leat -C none ls 2> err && has err none && exits 2 leat -C 2> err && has err "-C"
'
test_expect 'without a workspace every command that needs one says so with exit 2' '
	mkdir -p /tmp/leat-none.$$ && cd /tmp/leat-none.$$ &&
	for c in ls status jobs plan run "put raw/x f" "log raw/x" "cat raw/x:/f" "backfill x" "sql select" config fsck commit; do
		exits 2 leat $c 2> err && has err "no leat.yaml" "leat init"
	done && test -z "$(ls -A | grep -v "^err$")" && rm -f err && rmdir /tmp/leat-none.$$
'
test_expect 'the version is one line, and standard output carries nothing but results' '
	count 1 leat --version && workspace h5 && echo 1 > f && leat put raw/x f > out 2> err && has out "raw/x@" && test ! -s err &&
	exits 1 leat cat raw/x:/none > out 2> err && test ! -s out && has err "raw/x has no /none"
'
test_expect 'an output that cannot be written is a failure; a reader that has seen enough is none' '
	workspace h6 && seq 200000 > f && leat put raw/x f > /dev/null && leat cat raw/x:/f | head -1 > out && has out 1 &&
	if [ -e /dev/full ]; then exits 1 sh -c "\"$LEAT_BIN\" cat raw/x:/f > /dev/full" 2> err && has err "standard output"; fi
'
test_expect 'every command that prints data has --json, and what it prints is JSON with the keys of the docs' '
	workspace h7 && echo 1 > f && leat put raw/x f --json > out && eq "$(json out "[d[k] for k in (\"repo\", \"branch\")]")" "[\"raw/x\", \"master\"]" &&
	json out "d[\"commit\"] == d[\"global_id\"] and len(d[\"commit\"])" > n && has n 32 &&
	for c in "ls" "ls raw/x" "log raw/x" "diff raw/x" "tree" "status" "doctor" "config" "jobs" "runs" "rm raw/x:/f"; do
		leat $c --json > out && python3 -c "
import json
for line in open(\"out\"):
    json.loads(line)"
	done
'
test_done
