#!/usr/bin/env bash
# A store that somebody, or a power cut, has been at: what is derived heals by itself, what is lost is told, and nothing
# that is lost is taken for new.
. "$(dirname "$0")/../lib.sh"

fresh() { # a copy of the made workspace
	rm -rf "$TRASH/c" && cp -a "$TRASH/w" "$TRASH/c" && cd "$TRASH/c"
}
blob_of() { # PIN: its blob's path from .leat/blobs
	leat ls "$1" --json | python3 -c 'import json,sys; h=json.loads(sys.stdin.readline())["sha256"]; print(h[:2]+"/"+h[2:])'
}

test_expect 'a workspace with a source, a table and a mart' '
	workspace w && mkdir -p in/ds=2024-01-01 in/ds=2024-01-02 jobs && echo "a,b
1,2" > in/ds=2024-01-01/x.csv && echo "a,b
3,4" > in/ds=2024-01-02/x.csv && leat put raw/t in &&
	printf -- "-- output: tables/t\n-- partition: daily\nselect * exclude(ds) from raw.t\n" > jobs/t.sql &&
	printf -- "-- output: marts/s\n-- partition: none\nselect sum(a) s from tables.t\n" > jobs/s.sql &&
	leat run && eq "$(sql "from marts.s" | tail -1)" 4 && leat run s --again &&
	printf "a,b\n1,2\n3,4\n" | gzip > z.csv.gz && leat put raw/z z.csv.gz && eq "$(sql "select sum(a) from raw.z" | tail -1)" 4
'
test_expect 'a leat.db that was emptied is not taken for a new store, by any command' '
	fresh && : > .leat/leat.db && rm -f .leat/leat.db-* &&
	for c in status ls fsck run "put raw/y leat.yaml"; do exits 1 leat $c 2> err && has err "was deleted or emptied"; done
'
test_expect 'a leat.db that was deleted is missed, and init does not make an empty one over what is there' '
	fresh && rm -f .leat/leat.db* &&
	for c in status ls fsck init; do exits 1 leat $c 2> err && has err "was deleted or emptied"; done &&
	mv .leat old.leat && leat init && leat commit raw/t && eq "$(sql "select sum(a) from raw.t" | tail -1)" 4
'
for how in emptied shortened 'filled with garbage'; do
	test_expect "files of .leat/cache that were $how are made anew" "
		fresh && find .leat/cache -type f | while read -r f; do
			case '$how' in emptied) : > \$f;; shortened) truncate -s \$((\$(stat -c %s \$f) / 2)) \$f;; *) head -c 3000 /dev/urandom > \$f;; esac; done &&
		leat run s --again && leat plan && leat commit && eq \"\$(sql 'from marts.s' | tail -1)\" 4 && leat fsck
	"
	test_expect "files of .leat/views that were $how are made anew" "
		fresh && find .leat/views -type f > ../views && test -s ../views && while read -r f; do
			n=\$(stat -c %s \$f); rm -f \$f
			case '$how' in emptied) : > \$f;; shortened) ;; *) head -c \$n /dev/urandom > \$f;; esac; done < ../views &&
		eq \"\$(sql 'select sum(a) from raw.z' | tail -1)\" 4 && leat run s --again && eq \"\$(sql 'from marts.s' | tail -1)\" 4 && leat fsck
	"
done
test_expect 'a whole file changed under its old size and time is found by fsck, and putting the bytes again repairs it, as it says' '
	fresh && head -c 70000 /dev/zero > good && leat put raw/big good && b=.leat/blobs/$(blob_of raw/big) && touch -r $b time && chmod u+w $b && printf X | dd of=$b bs=1 conv=notrunc && touch -r time $b &&
	exits 1 leat fsck && exits 1 leat cat raw/big:/good 2> err && has err "does not hold the bytes" &&
	leat put raw/again good && leat fsck && leat cat raw/big:/good > back && same back good
'
test_expect 'a flipped bit in a pack, wherever it is, is found by fsck and never read as good; putting the bytes again repairs what it hit' '
	fresh && mkdir many && for i in $(seq 1 150); do head -c 700 /dev/urandom > many/f$i; done && leat put raw/many many && leat fsck &&
	p=$(find .leat/packs -type f) && cp "$p" whole && n=$(stat -c %s "$p") && chmod u+w "$p" &&
	for at in 3 8 9000 50000 $((n - 7000)) $((n - 60)) $((n - 45)) $((n - 30)) $((n - 1)); do
		python3 -c "import sys; p, at = sys.argv[1], int(sys.argv[2]); b = bytearray(open(p, \"rb\").read()); b[at] ^= 16; open(p, \"wb\").write(b)" "$p" $at &&
		exits 1 leat fsck > out && has out pack && cat whole > "$p" || return 1
	done &&
	leat put raw/many:/again/ many && leat fsck && leat get raw/many -o back && rm -r back/again && diff -r many back
'
test_expect 'a row with other bytes than its id says is found by fsck, never read as good, and repaired by putting the bytes again' '
	fresh && python3 "$TESTS/fake/edit_db.py" .leat/leat.db "update small set body = replace(body, char(10), char(9))" &&
	exits 1 leat cat raw/t:/ds=2024-01-01/x.csv 2> err && has err "does not hold the bytes" && exits 1 leat fsck > out && has out "raw/t@" x.csv &&
	exits 1 leat fsck && leat put raw/t ../w/in && leat put raw/z ../w/z.csv.gz && leat fsck && leat cat raw/t:/ds=2024-01-01/x.csv > back && same back ../w/in/ds=2024-01-01/x.csv
'
test_expect 'garbage in staging, blobs, old and lost+found stands in nobody'\''s way' '
	fresh && mkdir -p .leat/staging/run/zz/x .leat/blobs/zz && touch .leat/staging/a .leat/staging/run/b .leat/staging/run/zz/x/y .leat/blobs/0 .leat/old/x .leat/lost+found/x &&
	leat run s --again && leat put raw/q leat.yaml && leat fsck
'
test_expect 'times in the future make nothing stale' '
	fresh && find jobs leat.yaml datastore .leat/views -exec touch -h -d 2099-01-01 {} + && leat plan > out && has out "nothing to run" && leat commit > out 2>&1 && has out "nothing to commit"
'
test_done
