#!/usr/bin/env bash
# gc: what nothing needs goes, old versions lie as pieces of others, and all that is left reads as before (SEMANTICS 8).
. "$(dirname "$0")/../lib.sh"

store_bytes() { # what the store takes; .leat/old, .leat/cache and what init writes for editors (.leat/schema) are none of it
	find .leat -type f ! -path ".leat/old/*" ! -path ".leat/cache/*" ! -path ".leat/schema/*" -printf "%s\n" | awk '{n += $1} END {print n + 0}'
}
at_most() { [ "$2" -le "$1" ] || { echo "$2, at most $1" >&2; return 1; }; }
key() { # NAME FILE: of the first document
	python3 -c "import json, sys; print(json.dumps(json.loads(open(sys.argv[2]).readline())[sys.argv[1]]))" "$1" "$2"
}
sha() { sha256sum | cut -d" " -f1; }

test_expect 'three versions of a 64 MiB file cost 64 MiB and at most 64 KiB for each further one; all read back with their hashes' '
	workspace big && head -c 67108864 /dev/urandom > v1 && { printf x; cat v1; } > v2 && cp v2 v3 &&
	dd if=/dev/urandom of=v3 bs=4096 count=1 seek=8000 conv=notrunc status=none &&
	for v in v1 v2 v3; do leat put raw/big:/f $v; done && leat gc --json > ../gc.json &&
	before=$(store_bytes) && at_most $((67108865 + 2 * 65536 + 400000)) "$before" && at_most 131072 "$(key repacked_after ../gc.json)" &&
	for i in 1 2 3; do eq "$(leat cat raw/big@master.$i:/f | sha)" "$(sha < v$i)"; done && leat fsck
'
test_expect 'when the file that history lies in is replaced, its own versions stay readable' '
	cd big && head -c 300000 /dev/urandom > v4 && leat put raw/big:/f v4 && leat gc &&
	for i in 1 2 3 4; do eq "$(leat cat raw/big@master.$i:/f | sha)" "$(sha < v$i)"; done && leat fsck &&
	leat put raw/big:/f v2 && leat gc && for i in 1 2 3 4; do eq "$(leat cat raw/big@master.$i:/f | sha)" "$(sha < v$i)"; done && leat fsck
'
test_expect 'a second gc has nothing to do' '
	cd big && leat gc --json > ../gc.json && eq "$(key objects ../gc.json) $(key repacked ../gc.json) $(key packs_written ../gc.json)" "0 0 0"
'
test_expect 'ten copies of one file in five commits and two repos grow the store by at most 300 kB; one repo deleted, the others read' '
	workspace ten && head -c 134000 /dev/urandom > f && leat put raw/a:/0 f && leat gc && empty=$(store_bytes) && leat put raw/b:/x f &&
	for i in 1 2 3 4; do leat put raw/a:/$i f && leat put raw/b:/$i f; done && leat gc && at_most $((empty + 300000)) "$(store_bytes)" &&
	leat rm --repo raw/a && leat gc && leat fsck && leat cat raw/b:/3 | cmp - f && leat cat raw/b@master.1:/x | cmp - f
'
test_expect 'ten copies of one file in five commits and two repos: after deleting both and gc at most 64 kB remain, the database too' '
	workspace bare && head -c 134000 /dev/urandom > f && for i in 0 1 2 3 4; do leat put raw/a:/$i f && leat put raw/b:/$i f; done &&
	leat rm --repo raw/a && leat rm --repo raw/b && leat gc && at_most 64000 "$(store_bytes)" && eq "$(find .leat/blobs .leat/packs .leat/views -type f | wc -l)" 0 &&
	leat fsck && leat put raw/a f && leat cat raw/a:/f | cmp - f
'
test_expect 'after deleting much more and gc at most 64 kB remain beyond an empty store' '
	workspace none && empty=$(store_bytes) && for i in $(seq 300); do echo "$i" > "../small$i"; done && head -c 500000 /dev/urandom > f &&
	leat put raw/a f ../small* && leat put raw/b:/x/f f && leat rm --repo raw/a && leat rm --repo raw/b && leat gc && leat fsck &&
	at_most $((empty + 65536)) "$(store_bytes)" && eq "$(find .leat/blobs .leat/packs .leat/views -type f | wc -l)" 0
'
test_expect 'gc --dry-run says what would go and changes nothing' '
	workspace dry && head -c 100000 /dev/urandom > f && leat put raw/a f && leat rm --repo raw/a && state . > ../before &&
	leat gc --dry-run --json > ../gc.json && state . > ../after && same ../before ../after && eq "$(key dry_run ../gc.json)" true
'
test_expect 'many small files move from rows into packs, and packs that are mostly dead into others' '
	workspace packs && for i in $(seq 200); do echo "file $i" > g && leat put raw/s:/d/$i g -m "$i" > ../out || return 1; done && leat gc && leat fsck &&
	for i in 1 77 200; do eq "$(leat cat raw/s:/d/$i)" "file $i"; done && eq "$(leat cat raw/s@master.7:/d/7)" "file 7" &&
	leat put raw/t:/only g && leat rm --repo raw/s && leat gc && leat gc && leat fsck && eq "$(leat cat raw/t:/only)" "file 200"
'
test_expect 'what a killed put left is swept; what a put is writing is not' '
	workspace left && echo x > .leat/staging/in-0123 && mkdir -p .leat/blobs/ab && head -c 70000 /dev/zero > .leat/blobs/ab/$(printf "c%.0s" {1..62}) &&
	echo y > f && leat put raw/a f && leat gc --json > ../gc.json && eq "$(key files ../gc.json)" 1 && test ! -e .leat/staging/in-0123 && leat fsck &&
	eq "$(leat cat raw/a:/f)" y
'
test_expect 'a commit that was dropped stays whole while somebody reads it' '
	workspace lease && head -c 30000000 /dev/urandom > f && leat put raw/a:/f f && echo new > g && leat put raw/a:/f g && mkfifo pipe &&
	{ leat cat raw/a@master.1:/f > pipe & } && reader=$! && exec 7< pipe && head -c 100000 <&7 > head1 && leat squash raw/a@master.1 && leat gc &&
	cat head1 - <&7 | cmp - f && exec 7<&- && wait $reader && leat gc && at_most 3000000 "$(store_bytes)" && leat fsck
'
test_expect 'du tells heads from history, repo by repo, and names the parts of .leat' '
	workspace du && head -c 200000 /dev/urandom > f && head -c 100000 /dev/urandom > g && leat put raw/a:/f f && leat put raw/a:/f g && leat du > out &&
	has out raw/a "all repos together" .leat/packs garbage && eq "$(leat du raw/a --json > ../du.json && key head ../du.json)" 100000 && eq "$(key history ../du.json)" 200000 &&
	exits 1 leat du raw/nope
'
test_done
