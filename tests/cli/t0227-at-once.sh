#!/usr/bin/env bash
# Puts, open commits, squashes, batches and branches of one repo by many processes at once.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
echo 1 > f
puts() { for i in $(seq 12); do echo "$1.$i" > "f.$1" && leat put raw/a "f.$1" || touch "failed.put.$1.$i"; done; }
squashes() { for i in 2 3 4 5 6 7; do leat squash raw/a@.$i || touch "failed.squash.$i"; done; }
opens() { for i in $(seq 6); do id=$(leat start "raw/a@o$1") && leat put "raw/a@$id" f && leat finish "raw/a@o$1" || touch "failed.open.$1.$i"; done; }
branches() { for i in $(seq 8); do leat branch "raw/a@b$i" || touch "failed.branch.$i"; done; }
batches() { for i in $(seq 6); do printf 'put raw/c f\nput raw/d f\nrm raw/a:/gone%s\n' "$i" | leat batch -f - || touch "failed.batch.$i"; done; }

test_expect 'all at once: each does its work, or is refused by a rule; no lock is met' '
	cd w && for i in 1 2 3 4 5 6; do echo $i > gone$i && leat put raw/a gone$i; done && leat put raw/a f && leat put raw/a f &&
	{ puts 1 & puts 2 & squashes & opens 1 & opens 2 & branches & batches & } > out 2> err && wait && lacks err "locked" "damaged" "internal" && test -z "$(ls failed.* 2> /dev/null)"
'
test_expect 'history is whole: 6 of 38 commits were squashed, the numbers of the others stand, each id once, each reads' '
	cd w && leat log raw/a --json > log && eq "$(json log "[len(d), d[0][\"number\"], len(set(r[\"commit\"] for r in d)), sorted(set(range(1, 39)) - set(r[\"number\"] for r in d))]")" "[32, 38, 32, [2, 3, 4, 5, 6, 7]]" &&
	eq "$(json log "all(a[\"parent\"] == b[\"commit\"] and a[\"number\"] > b[\"number\"] for a, b in zip(d, d[1:]))")" true && eq "$(leat cat raw/a:/f.1 raw/a:/f.2 | paste -sd" ")" "1.12 2.12"
'
test_expect 'batches are whole: both repos have six commits of the same ids' '
	cd w && leat log raw/c --json | json /dev/stdin "[r[\"commit\"] for r in d]" > c && leat log raw/d --json | json /dev/stdin "[r[\"commit\"] for r in d]" > d && same c d && eq "$(json c "len(d)")" 6
'
test_expect 'fsck is content' '
	cd w && leat fsck
'
test_done
