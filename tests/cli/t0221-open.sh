#!/usr/bin/env bash
# Open commits: start, puts of several clients, finish; leases, conflicts, refusals (SEMANTICS 7).
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
W=$PWD
holds() { # REPO: what one reads there, as /path=bytes
	leat -C "$W" ls -R "$1" | while read -r p; do echo "$p=$(leat -C "$W" cat "${1%%:*}:$p")"; done | paste -sd" "
}
opened() { # REPO: starts a commit and prints its id
	leat -C "$W" start "$1" 2> "$TRASH/err"
}

test_expect 'start prints the id, alone on standard output, and how to go on' '
	cd w && echo 0 > f && leat put raw/a f && leat start raw/a > out 2> err && eq "$(wc -l < out)" 1 && eq "$(wc -c < out)" 33 && ID=$(cat out) && has err "leat put raw/a@$ID" "leat finish raw/a"
'
test_expect 'who names the open commit reads it, by id or short id; the head shows nothing of it' '
	cd w && echo 1 > a && echo 2 > b && leat put raw/a@$ID a && leat put raw/a@${ID:0:8} b && eq "$(holds raw/a@$ID)" "/a=1 /b=2 /f=0" &&
	eq "$(holds raw/a)" /f=0 && eq "$(holds raw/a@${ID:0:6})" "/a=1 /b=2 /f=0" && eq "$(holds raw/a@$ID^)" /f=0 && test ! -e datastore/raw/a/a &&
	leat diff raw/a raw/a@$ID --name-only > out && eq "$(paste -sd" " out)" "/a /b" && leat get raw/a@$ID:/a -o back && same back a && count 1 leat log raw/a --json
'
test_expect 'LEAT_COMMIT=ID makes puts and rms to its repo and branch go into it, those to others make their own commit' '
	cd w && export LEAT_COMMIT=$ID && echo 3 > c && leat put raw/a c && leat rm raw/a:/f && leat put raw/other c && leat put raw/a@dev c && unset LEAT_COMMIT &&
	eq "$(holds raw/a@$ID)" "/a=1 /b=2 /c=3" && eq "$(holds raw/a)" /f=0 && eq "$(holds raw/other)" /c=3 && eq "$(holds raw/a@dev)" /c=3
'
test_expect 'a plain put meanwhile makes its own commit' '
	cd w && echo 4 > own && leat put raw/a own && eq "$(holds raw/a)" "/f=0 /own=4" && eq "$(holds raw/a@$ID)" "/a=1 /b=2 /c=3"
'
test_expect 'a second start is refused, naming the open one and what may be done; another branch has its own' '
	cd w && exits 1 leat start raw/a 2> err && has err $ID "leat finish" "leat drop" && leat start raw/a@dev > dev && exits 1 leat start raw/a@dev 2> err && has err "$(cat dev)" && leat drop raw/a@$(cat dev)
'
test_expect 'branch names the open commit' '
	cd w && eq "$(leat branch raw/a --json | json /dev/stdin "[r[\"open\"] for r in d if r[\"branch\"] == \"master\"][0]")" $ID
'
test_expect 'finish lays the changes over the head of that moment, in one commit of that id, with its words' '
	cd w && leat finish raw/a -m "all of it" --author Ada --meta source=hand > out && has out ${ID:0:12} "number 3" && eq "$(holds raw/a)" "/a=1 /b=2 /c=3 /own=4" &&
	eq "$(leat log raw/a -n 1 --json | json /dev/stdin "[d[\"commit\"], d[\"message\"], d[\"author\"], d[\"meta\"][\"source\"], d[\"global_id\"]]")" "[\"$ID\", \"all of it\", \"Ada\", \"hand\", \"$ID\"]" &&
	test -f datastore/raw/a/a && test ! -e datastore/raw/a/f
'
test_expect 'a put into a finished commit by its id is refused, and so is a second finish' '
	cd w && exits 2 leat put raw/a@$ID own 2> err && has err "was finished" $ID && exits 2 leat put raw/a@${ID:0:8} own 2> err && has err "was finished" &&
	LEAT_COMMIT=$ID exits 2 leat put raw/a own 2> err && has err "was finished" && exits 2 leat rm raw/a@$ID:/own 2> err && has err "was finished" &&
	exits 1 leat finish raw/a 2> err && has err "no open commit" && exits 2 leat finish raw/a@$ID 2> err && has err "was finished" && eq "$(leat cat raw/a@$ID:/own)" 4
'
test_expect 'what is no open commit: an id that is none, a finished commit of another event, LEAT_COMMIT that names nothing' '
	cd w && exits 1 leat put raw/a@00000000000000000000000000000000 own 2> err && has err "not found" &&
	first=$(leat log raw/a --json | tail -n 1 | json /dev/stdin "d[\"commit\"]") && exits 2 leat put raw/a@$first own 2> err && has err "never changes" &&
	LEAT_COMMIT=12345678 exits 1 leat put raw/a own 2> err && has err "LEAT_COMMIT"
'
test_expect 'a path that the branch and the open commit both changed is a conflict that is named; nothing has changed then; --force takes ours' '
	cd w && id=$(opened raw/a) && echo ours > a && leat put raw/a@$id a && leat rm raw/a@$id:/b && echo theirs > a && leat put raw/a a && echo theirs > b && leat put raw/a b &&
	exits 1 leat finish raw/a 2> err && has err "/a, /b" $id "--force" && eq "$(holds raw/a)" "/a=theirs /b=theirs /c=3 /own=4" && eq "$(holds raw/a@$id)" "/a=ours /c=3 /own=4" &&
	leat finish raw/a --force && eq "$(holds raw/a)" "/a=ours /c=3 /own=4"
'
test_expect 'the same change by both is no conflict' '
	cd w && id=$(opened raw/a) && echo both > n && leat put raw/a@$id n && leat rm raw/a@$id:/c && leat put raw/a n && leat rm raw/a:/c && leat finish raw/a && eq "$(holds raw/a)" "/a=ours /n=both /own=4"
'
test_expect 'a file of theirs where we have a folder, and the other way round, are conflicts; --force takes ours' '
	cd w && echo 1 > x && leat put raw/k x && id=$(opened raw/k) && leat put raw/k@$id:/d/f x && leat put raw/k@$id:/g x && leat put raw/k:/d x && leat put raw/k:/g/h/i x &&
	exits 1 leat finish raw/k 2> err && has err /d/f /g && leat finish raw/k --force && eq "$(leat ls -R raw/k | paste -sd" ")" "/d/f /g /x"
'
test_expect 'several clients put into one open commit at once: all of it is there' '
	cd w && id=$(opened raw/many) && for i in 1 2 3 4; do (for k in 1 2 3 4 5; do echo $i.$k > p$i.$k && leat put raw/many@$id p$i.$k || touch failed; done) & done; wait && test ! -e failed &&
	count 20 leat ls raw/many@$id && count 0 leat ls raw/many && leat finish raw/many && count 20 leat ls raw/many && count 1 leat log raw/many --json
'
test_expect 'a branch that is not there begins empty; an open commit that nothing was put into makes a commit all the same' '
	cd w && id=$(opened raw/a@fresh) && leat branch raw/a > out && has out fresh && leat finish raw/a@fresh && count 0 leat ls raw/a@fresh && eq "$(leat log raw/a@fresh --json | json /dev/stdin "d[\"commit\"]")" $id
'
test_expect 'drop of an open commit ends it; the branch is as it was, and who names it is told' '
	cd w && id=$(opened raw/a) && leat put raw/a@$id x && leat drop raw/a@$id > out && has out dropped && exits 1 leat ls raw/a@$id 2> err && has err "was dropped" && exits 1 leat put raw/a@$id x 2> err && has err "was dropped" &&
	exits 1 leat finish raw/a 2> err && leat start raw/a > id2 && leat drop raw/a@$(cat id2)
'
test_expect 'an open commit into which nothing is put for 24 h is dropped with an event, and never blocks the branch' '
	cd w && export LEAT_CLOCK=$PWD/clock && echo 2030-01-01T00:00:00Z > clock && id=$(opened raw/a) && echo 2030-01-01T23:00:00Z > clock && leat put raw/a@$id x && echo 2030-01-02T22:59:00Z > clock && leat ls raw/a@$id > out && has out x &&
	echo 2030-01-02T23:00:01Z > clock && exits 1 leat ls raw/a@$id 2> err && has err "lease ended" $id && exits 1 leat finish raw/a 2> err && has err "lease ended" &&
	exits 1 leat put raw/a@$id x 2> err && has err "lease ended" "open_lease" && leat start raw/a > next && exits 1 leat ls raw/a@$id 2> err && has err "lease ended" &&
	eq "$(python3 -c "import sqlite3; print(sqlite3.connect(\"file:.leat/leat.db?mode=ro\", uri=True).execute(\"select kind from event where id = ?\", (\"$id\",)).fetchone()[0])")" expire && leat drop raw/a@$(cat next) && unset LEAT_CLOCK
'
test_expect 'the setting open_lease says how long' '
	cd w && export LEAT_CLOCK=$PWD/clock LEAT__OPEN_LEASE=1m && echo 2030-01-01T00:00:00Z > clock && id=$(opened raw/a) && echo 2030-01-01T00:01:01Z > clock && leat put raw/a x 2> err && has err $id "dropped" && exits 1 leat put raw/a@$id x 2> err && unset LEAT_CLOCK LEAT__OPEN_LEASE
'
test_expect 'wait ends when the open commit is finished, with the commit, and fails when it is dropped or time is up' '
	cd w && id=$(opened raw/z) && exits 1 leat wait $id --timeout 100ms 2> err && has err "not done" && { (sleep 0.3; leat finish raw/z) > fin & } && leat wait ${id:0:12} --timeout 30s --json > out && eq "$(json out "d[\"commit\"]")" $id && id=$(opened raw/z) && { (sleep 0.3; leat drop raw/z@$id) > fin & } && exits 1 leat wait $id --timeout 30s 2> err && has err "was dropped" &&
	exits 1 leat wait 0123456789 2> err && exits 2 leat wait nope 2> err
'
test_expect 'start is refused on the output of a job, on a path, and on a commit' '
	cd w && mkdir -p jobs/out && echo "select 1 as a" > jobs/out/job.sql && printf "kind: sql\noutput: tables/out\n" > jobs/out/job.yaml && leat run out && exits 2 leat start tables/out 2> err && has err "job out" &&
	exits 2 leat start raw/a:/x 2> err && first=$(leat log raw/a --json | tail -n 1 | json /dev/stdin "d[\"commit\"]") && exits 2 leat start raw/a@$first 2> err && has err "never changes"
'
test_expect 'a repo that ends takes its open commit with it' '
	cd w && echo 1 > x && leat put raw/end x && id=$(opened raw/end) && leat put raw/end@$id x && leat rm --repo raw/end && leat put raw/end x && exits 1 leat ls raw/end@$id 2> err && leat start raw/end > next && leat drop raw/end@$(cat next)
'
test_expect 'a large open commit beside a head that moves: both are there' '
	cd w && mkdir -p many && for i in $(seq 1200); do echo $i > many/n$i; done && id=$(opened raw/large) && leat put raw/large@$id many && leat put raw/large x && leat finish raw/large && count 1201 leat ls raw/large
'
test_expect 'status names what is open; why tells of it; log begins at it' '
	cd w && leat put raw/st x && id=$(opened raw/st) && leat put raw/st@$id many && leat status > out && has out "raw/st@master has the open commit ${id:0:12}" "leat finish raw/st@master" && leat why $id > out && has out "raw/st" open && count 2 leat log raw/st@$id --json && leat finish raw/st && leat status > out && lacks out "$id" && leat why $id > out && has out finish
'
test_expect 'fsck is content' '
	cd w && leat fsck
'
test_done
