#!/usr/bin/env bash
# Ninety-two days of trips and weather, each file a commit of its own: any day is read as it was.
. "$(dirname "$0")/../lib.sh"
needs_data citibike

workspace w > /dev/null 2>&1 || exit 1
sums() { # REPO[@PIN]: "files bytes"
	leat ls -R --json "$1" | json /dev/stdin "'%d %d' % (len(d), sum(r['size'] for r in d))"
}
test_expect 'each file of trips and of weather is put as its own commit, in the order of names' '
	cd w && for r in trips weather; do for f in $(ls "$DATA/citibike/$r" | LC_ALL=C sort); do leat put $r "$DATA/citibike/$r/$f" > /dev/null; done; done
'
test_expect 'trips has 92 commits, 92 files, 31,043 bytes' '
	cd w && count 92 leat log trips --json && eq "$(sums trips)" "92 31043" && eq "$(leat log trips -n 1 --json | json /dev/stdin "[d[\"number\"], d[\"files\"], d[\"size\"]]")" "[92, 92, 31043]"
'
test_expect 'trips@master.31 has 31 files and 10,457 bytes, the last of them 7-31-16' '
	cd w && eq "$(sums trips@master.31)" "31 10457" && eq "$(leat ls trips@master.31 | tail -n 1)" /7-31-16 && leat cat trips@master.31:/7-31-16 > got && same got "$DATA/citibike/trips/7-31-16"
'
test_expect 'weather@master.31 has 241,612 bytes' '
	cd w && eq "$(sums weather@master.31)" "31 241612"
'
test_expect 'what came later is not found there, exit 1, with a sentence that says what there is' '
	cd w && exits 1 leat get trips@master.31:/8-01-16 2> err && has err "not found" "31 files" && exits 1 leat ls trips@master.93 2> err && has err "not found" "92 commits" "master.92" && exits 1 leat get trips@master.93:/7-01-16 2> err && has err "not found"
'
test_expect 'every commit is read as it was put' '
	cd w && i=0 && for f in $(ls "$DATA/citibike/trips" | LC_ALL=C sort); do i=$((i + 1)) && { [ $((i % 7)) != 1 ] || { leat get trips@.$i -o at && eq "$(ls at | wc -l)" $i && same "at/$f" "$DATA/citibike/trips/$f" && rm -r at; }; }; done && leat fsck
'
test_done
