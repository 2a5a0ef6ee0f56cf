#!/usr/bin/env bash
# A process that dies while an open commit is put into or finished, or while history is taken out: all of it or nothing.
. "$(dirname "$0")/../lib.sh"
needs_faults

both_or_neither() { # REPO: a=1 and b=2 at the head, or neither; prints how many
	local n
	n=$(leat ls "$1" 2> /dev/null | grep -cE '^/(a|b)$')
	[ "$n" = 0 ] || [ "$n" = 2 ] || { echo "one of a and b in $1"; return 1; }
	[ "$n" = 0 ] || { [ "$(leat cat "$1:/a")" = 1 ] && [ "$(leat cat "$1:/b")" = 2 ]; } || { echo "$1 holds other bytes"; return 1; }
	echo "$n"
}
attempt() { # REPO
	local id
	id=$(leat start "$1") && leat put "$1@$id" a && leat put "$1@$id" b && leat finish "$1"
}
workspace w > /dev/null 2>&1 || exit 1
echo 1 > a && echo 2 > b

for point in ingest-placed ingest-synced; do
	test_expect "death at $point of a put into an open commit leaves it as it was; it can go on" "
		cd w && id=\$(leat start raw/$point) && leat put raw/$point@\$id a && dies_at $point leat put raw/$point@\$id b && eq \"\$(leat ls raw/$point@\$id)\" /a && leat put raw/$point@\$id b && leat fsck && leat finish raw/$point && eq \$(both_or_neither raw/$point) 2
	"
done
for point in commit-made open-finished; do
	test_expect "death at $point of a finish leaves the open commit open, and neither file at the head; finish then ends it" "
		cd w && id=\$(leat start raw/$point) && leat put raw/$point@\$id a && leat put raw/$point@\$id b && dies_at $point leat finish raw/$point && leat fsck && eq \$(both_or_neither raw/$point) 0 && count 2 leat ls raw/$point@\$id && leat finish raw/$point && eq \$(both_or_neither raw/$point) 2
	"
done
for point in datastore-built datastore-swapped; do
	test_expect "death at $point of a finish: it is finished, and the next writer shows it" "
		cd w && leat put raw/$point:/old a && id=\$(leat start raw/$point) && leat put raw/$point@\$id a && leat put raw/$point@\$id b && dies_at $point leat finish raw/$point && leat fsck && eq \$(both_or_neither raw/$point) 2 && exits 1 leat finish raw/$point && leat put raw/next a && same datastore/raw/$point/b b
	"
done
test_expect 'kill -9 at any time while a=1 and b=2 go into an open commit and it is finished: both or neither' '
	cd w && seen=0 && for i in $(seq 25); do
		attempt raw/kill$i > /dev/null 2>&1 & sh=$!
		sleep 0.0$((RANDOM % 90 + 10)) && { pkill -9 -P $sh; kill -9 $sh; } 2> /dev/null; wait $sh 2> /dev/null || true
		n=$(both_or_neither raw/kill$i) && seen=$((seen + n)) || return 1
	done && leat fsck && echo "$seen files"
'
for point in commit-squashed commit-dropped; do
	test_expect "death at $point changes nothing" "
		cd w && for i in 1 2 3; do echo \$i > f && leat put raw/$point f; done && leat log raw/$point --json > before && verb=squash && pin=.2 && { [ $point = commit-squashed ] || { verb=drop; pin=master; }; } && dies_at $point leat \$verb raw/$point@\$pin && leat fsck && leat log raw/$point --json > after && same before after && leat \$verb raw/$point@\$pin && count 2 leat log raw/$point --json && leat fsck
	"
done
test_expect 'death in the middle of a batch leaves none of it' '
	cd w && printf "put raw/b1 a\nput raw/b2 b\nput raw/b3 a\n" > cmds && dies_at commit-made leat batch -f cmds && exits 1 leat ls raw/b1 && exits 1 leat ls raw/b2 && dies_at commit-made:2 leat batch -f cmds && exits 1 leat ls raw/b1 && leat fsck && leat batch -f cmds && leat ls raw/b3
'
test_expect 'a disk that is full at any write of start, put and finish leaves a whole store and both or neither' '
	cd w && for n in $(seq 1 2 60); do
		rc=0; id=$(LEAT_FAULT=enospc@$n leat start raw/full$n 2> /dev/null) || rc=$?
		[ $rc -le 1 ] && { [ -n "$id" ] || id=$(leat start raw/full$n) || id=$(leat branch raw/full$n --json | json /dev/stdin "d[\"open\"]"); } || { echo "start at $n: $rc"; return 1; }
		rc=0; echo "$n" > c && LEAT_FAULT=enospc@$n leat put raw/full$n@$id a c || rc=$?
		[ $rc -le 1 ] && leat put raw/full$n@$id a b || { echo "put at $n: $rc"; return 1; }
		rc=0; LEAT_FAULT=enospc@$n leat finish raw/full$n || rc=$?
		[ $rc -le 1 ] && both_or_neither raw/full$n > n && { [ "$(cat n)" = 2 ] || leat finish raw/full$n > /dev/null; } || { echo "finish at $n: $rc"; return 1; }
		eq "$(both_or_neither raw/full$n)" 2
	done && leat fsck
'
test_done
