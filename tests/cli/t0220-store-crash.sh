#!/usr/bin/env bash
# A process that dies at each named point of a put: what was acknowledged is there, nothing half is visible, and the
# next command completes what lagged.
. "$(dirname "$0")/../lib.sh"
needs_faults

test_expect 'a workspace with two commits' '
	workspace w && mkdir -p a b && echo 1 > a/x && echo 2 > a/y && leat put raw/t:/ds=2020-01-01 a &&
	echo 3 > b/x && echo 4 > b/y && echo 5 > b/z && leat fsck
'

for point in ingest-placed ingest-synced commit-made; do
	test_expect "death at $point before the commit leaves the old head, and the same put then succeeds" "
		cd w && n=\$(leat log raw/t | wc -l) &&
		dies_at $point leat put raw/t:/ds=2020-01-02 b &&
		leat fsck && [ \"\$(leat log raw/t | wc -l)\" = \"\$n\" ] && exits 1 leat cat raw/t:/ds=2020-01-02/x &&
		[ ! -e datastore/raw/t/ds=2020-01-02 ]
	"
done

for point in commit-done datastore-built datastore-swapped; do
	test_expect "death at $point after the commit leaves the new head, and the next writer shows it whole" "
		cd w && echo $point > b/x && echo $point > b/y &&
		dies_at $point leat put raw/t:/ds=2020-01-01 b &&
		leat fsck && [ \"\$(leat cat raw/t:/ds=2020-01-01/x)\" = $point ] &&
		leat put raw/other b &&
		diff -r b datastore/raw/t/ds=2020-01-01 &&
		[ -z \"\$(find .leat/lost+found -type f)\" ]
	"
done

test_expect 'what a put had shown when it died, and the next command takes away or puts back, does not stay' '
	workspace halfway && mkdir -p f && echo a > f/a && leat put r f && cp -r f more && echo new > more/new && echo other > more/a &&
	for point in datastore-built datastore-swapped; do
		dies_at $point leat put r more && leat rm r:/new && leat put r:/a f/a &&
		diff -r f datastore/r || return 1
	done && for i in 1 2 3; do mkdir -p more/d$i && echo $i > more/d$i/x || return 1; done &&
	dies_at datastore-swapped leat put r more && leat branch r@master --head master~1 && diff -r f datastore/r &&
	leat status > out 2>&1 && lacks out "not committed" && [ -z "$(find .leat/lost+found -type f)" ] && [ -z "$(ls .leat/staging)" ]
'

test_expect 'death when the first run has just made its tables is no damage: fsck finds nothing' '
	workspace tables && mkdir -p jobs/one && printf "kind: script\noutput: raw/one\n" > jobs/one/job.yaml && echo "echo 1 > \$LEAT_OUTPUT/f" > jobs/one/job.sh && [ -e .leat/leat.db-roots ] &&
	dies_at tables-made leat run one && exits 1 test -e .leat/leat.db-roots && leat fsck && leat run one && [ -e .leat/leat.db-roots ] && leat fsck
'

# Several small repos are shown in one go, under one marker.
many() { # DIR WORD: files of eight repos, whose heads move in one transaction
	mkdir -p "$1" && for i in 1 2 3 4 5 6 7 8; do echo "$2 $i" > "$1/f$i" && echo "put raw/m$i:/f $1/f$i" && echo "put raw/m$i:/$2 $1/f$i"; done > lines && leat batch -f lines
}
shown() { for i in 1 2 3 4 5 6 7 8; do [ ! -e datastore/raw/m$i ] || { leat get raw/m$i:/ -o got$i && diff -r got$i datastore/raw/m$i && rm -rf got$i; } || return 1; done; }

for point in commit-done datastore-built datastore-built:4 datastore-built:8 datastore-swapped; do
	test_expect "death at $point of a batch over eight repos: the next writer shows all of them, and nothing is left behind" "
		rm -rf many && workspace many && many a one && dies_at $point many b two && leat fsck && leat put raw/other lines && shown && [ -e datastore/raw/m8/two ] &&
		leat status > out 2>&1 && lacks out 'not committed' && [ -z \"\$(find .leat/lost+found -type f)\" ] && eq \"\$(ls .leat/staging | grep -v ^in-)\" ''
	"
	test_expect "death at $point, and what comes next takes away in two of them what had been shown, and ends one: none of it stays" "
		rm -rf many && workspace many && many a one && dies_at $point many b two && leat rm raw/m1:/two && leat rm raw/m8:/two && leat rm --repo raw/m2 &&
		leat put raw/other lines && shown && [ ! -e datastore/raw/m1/two ] && [ ! -e datastore/raw/m8/two ] && [ ! -e datastore/raw/m2 ] &&
		leat status > out 2>&1 && lacks out 'not committed' && [ -z \"\$(find .leat/lost+found -type f)\" ] && eq \"\$(ls .leat/staging | grep -v ^in-)\" ''
	"
done
test_expect 'a marker of several repos that was cut short, or names none that is there, hinders nobody and goes' '
	rm -rf many && workspace many && many a one && : > .leat/staging/show-many-1 && printf "77 %064d\nx\n1 abc" 5 > .leat/staging/show-many-2 && printf "1 " > .leat/staging/show-1 &&
	many b two && shown && leat put raw/other lines && eq "$(ls .leat/staging)" ""
'

test_expect 'a disk that is full at any write of a put leaves a whole store and the old head' '
	cd w && for i in 1 2 3 4 5 6; do echo "$i-$RANDOM" > "b/n$i"; done &&
	LEAT_FAULT_COUNT=$TRASH/count leat put raw/probe b && total=$(awk "{print \$1}" "$TRASH/count") && [ "$total" -gt 20 ] &&
	head=$(leat log raw/t --json | head -c 200) &&
	for n in $(seq 1 3 "$total"); do
		for i in 1 2 3 4 5 6; do echo "$n-$i" > "b/n$i"; done
		rc=0; LEAT_FAULT=enospc@$n leat put "raw/full$n" b || rc=$?
		[ $rc = 0 ] || [ $rc = 1 ] || { echo "at $n: status $rc"; return 1; }
		leat fsck > "$TRASH/fsck" || { echo "at $n"; cat "$TRASH/fsck"; return 1; }
		if [ $rc = 0 ]; then leat cat "raw/full$n:/n1" > got && [ "$(cat got)" = "$n-1" ]; fi
	done
'

test_expect 'a write that is torn by a kill does so too' '
	cd w && total=$(awk "END {print \$1}" "$TRASH/count") &&
	for n in $(seq 2 3 "$total"); do
		for i in 1 2 3 4 5 6; do echo "torn$n-$i" > "b/n$i"; done
		rc=0; LEAT_FAULT=torn@$n leat put "raw/torn$n" b || rc=$?
		leat fsck > "$TRASH/fsck" || { echo "at $n"; cat "$TRASH/fsck"; return 1; }
		leat put "raw/torn$n" b && leat cat "raw/torn$n:/n6" > got && [ "$(cat got)" = "torn$n-6" ] &&
		diff -r b "datastore/raw/torn$n"
	done
'

test_done
