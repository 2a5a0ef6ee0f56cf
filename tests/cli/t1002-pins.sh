#!/usr/bin/env bash
# Pins: branch, commit, short id, ancestry (SEMANTICS 1), and log, diff, tree over them.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
for i in 1 2 3 4 5; do
	echo $i > n && echo $i > n$i && leat put raw/a n n$i -m "load $i" > /dev/null
done
mapfile -t ids < <(leat log raw/a --json | python3 -c 'import json,sys; print("\n".join(json.loads(l)["commit"] for l in sys.stdin))')
W=$PWD
reads() { # PIN WANT: the file n at that pin
	eq "$(leat -C "$W" cat "raw/a@$1:/n")" "$2"
}

test_expect 'a branch, its ancestors by ^ and ~n, and by number' '
	reads master 5 && reads master^ 4 && reads master^^ 3 && reads master~1 4 && reads master~4 1 && reads master^2 3 && reads master.1 1 &&
	reads master.5 5 && reads master.3 3 && reads master~1^ 3 && reads master.4^ 3
'
test_expect 'without a branch it is master: @^, @~2, @.3' '
	reads ^ 4 && reads "~2" 3 && reads .3 3
'
test_expect 'a commit by its id, by a short one of 4 digits and more, and its ancestors' '
	reads ${ids[0]} 5 && reads ${ids[4]} 1 && reads ${ids[2]:0:8} 3 && reads ${ids[2]:0:31} 3 && reads ${ids[0]}^ 4 && reads ${ids[0]:0:12}~3 2 && reads ${ids[1]}.2 2
'
test_expect 'what is before the first or after the last is named, with what there is, exit 1' '
	cd w && for p in master.9 master~5 master~9 master.0 ${ids[4]}^; do
		exits 1 leat cat raw/a@$p:/n 2> err && has err "is not there" "the first is" 
	done
'
test_expect 'a pin that is none: exit 1 for one that could be, 2 for one that cannot' '
	cd w && exits 1 leat cat raw/a@nope:/n 2> err && has err nope "it has master" && exits 1 leat cat raw/a@${ids[0]:0:3}:/n 2> err &&
	exits 2 leat cat "raw/a@a b:/n" 2> err && exits 2 leat cat raw/a@master.x:/n 2> err && has err "no pin" && exits 2 leat cat raw/a^:/n 2> err
'
test_expect 'an ambiguous short id lists what it could be' '
	workspace amb && echo 1 > f && leat put raw/a f && for d in a b; do
		python3 "$TESTS/fake/edit_db.py" .leat/leat.db "create temp table one as select * from commits where number = 1" \
			"update one set id = \"0123$(printf "$d%.0s" {1..28})\", number = (select 1 + count(*) from commits)" "insert into commits select * from one" || return 1
	done &&
	exits 2 leat cat raw/a@0123:/f 2> err && has err "could be 2 commits" 0123aaaa 0123bbbb && leat cat raw/a@0123a:/f
'
test_expect 'an id of another repo says whose it is' '
	cd w && leat put raw/other n && exits 1 leat ls raw/other@${ids[0]} 2> err && has err raw/a
'
test_expect 'log has the newest first, with number, time and message; -n limits it; a pin begins it there' '
	cd w && eq "$(leat log raw/a --json | python3 -c "import json,sys; print([(r[\"number\"], r[\"message\"]) for r in map(json.loads, sys.stdin)])")" \
		"[(5, '"'load 5'"'), (4, '"'load 4'"'), (3, '"'load 3'"'), (2, '"'load 2'"'), (1, '"'load 1'"')]" &&
	count 2 leat log raw/a -n 2 --json && count 3 leat log raw/a@master.3 --json && leat log raw/a > out && has out "load 3" ${ids[2]:0:12}
'
test_expect 'log of an id or a short one names every commit of that event' '
	cd w && leat log ${ids[1]} --json > out && eq "$(json out "d[\"repo\"] + str(d[\"number\"])")" raw/a4 && leat log ${ids[1]:0:6} --json > out2 && same out out2
'
test_expect 'diff of two pins: added, deleted, changed, with sizes and ids; of one with its parent; --name-only' '
	cd w && leat rm raw/a:/n2 && leat diff raw/a@master.4 raw/a@master.6 --json > out &&
	eq "$(json out "sorted((r[\"change\"], r[\"path\"]) for r in d)")" "[[\"added\", \"/n5\"], [\"changed\", \"/n\"], [\"deleted\", \"/n2\"]]" &&
	eq "$(json out "[r for r in d if r[\"path\"] == \"/n\"][0][\"sha256\"]")" "$(echo 5 | sha256sum | cut -d" " -f1)" &&
	eq "$(leat diff raw/a --name-only)" /n2 && eq "$(leat diff raw/a@master.1 --name-only | paste -sd" ")" "/n /n1" &&
	leat diff raw/a@master.4 raw/a@master.6 > out && has out "+ /n5" "- /n2" "~ /n" && count 0 leat diff raw/a raw/a &&
	leat diff raw/a raw/other --name-only > out && has out /n1 && exits 1 grep -qx /n out
'
test_expect 'diff exits 0 whether or not there are differences, and 1 for what is not there' '
	cd w && leat diff raw/a@.1 raw/a@.2 && exits 1 leat diff raw/a@.1 raw/nope 2> err
'
test_expect 'tree draws folders, as deep as asked, of one repo or all, at a pin' '
	cd w && mkdir -p D/x/y && echo 1 > D/x/y/z && leat put raw/deep D && leat tree raw/deep > out && has out "x/" "y/" "z" &&
	leat tree raw/deep 1 > out && has out "x/" && lacks out "y/" "z" && leat tree > out && has out raw/a raw/deep raw/other n1 &&
	leat tree 0 > out && lacks out n1 && leat tree raw/a@master.1 > out && has out n1 && lacks out n5 && leat tree raw/deep:/x 1 > out && has out "y/"
'
test_expect 'an older version stays readable whole, whatever came later' '
	cd w && leat rm -r raw/deep:/x && leat get raw/deep@master.1 -o old && diff -r old D && leat ls raw/deep@.1 > out && has out /x/
'
test_expect 'rm makes a commit whose parent keeps the file; -r takes folders, --ds a partition' '
	cd w && leat put raw/d n --ds 2024-01-01 && leat put raw/d n --ds 2024-01-02 && leat rm -r raw/d --ds 2024-01-01 -m gone && eq "$(leat ls raw/d)" /ds=2024-01-02/ &&
	eq "$(leat cat raw/d@^:/ds=2024-01-01/n)" 5 && leat rm raw/d:/n --ds 2024-01-02 && count 0 leat ls raw/d && leat log raw/d > out && has out gone
'
test_expect 'several files are removed by one commit' '
	cd w && leat rm raw/a:/n1 raw/a:/n3 && leat diff raw/a --name-only > out && eq "$(paste -sd" " out)" "/n1 /n3"
'
test_done
