#!/usr/bin/env bash
# Bit flips in every file of the store: fsck finds each, names what it hits, and what is whole is still served.
. "$(dirname "$0")/../lib.sh"

flip() { # FILE AT: one bit, and back when called again
	python3 -c "
import os, sys
f = os.open(sys.argv[1], os.O_RDWR)
st = os.fstat(f)
at = int(sys.argv[2])
b = os.pread(f, 1, at)
os.pwrite(f, bytes([b[0] ^ (1 << (at % 8))]), at)
os.utime(f, ns=(st.st_atime_ns, st.st_mtime_ns))" "$1" "$2"
}
places() { # FILE N: places in it
	python3 -c "
import os, random, sys
n = os.path.getsize(sys.argv[1])
r = random.Random(n)
print(*sorted({0, n - 1} | {r.randrange(n) for _ in range(int(sys.argv[2]))}))" "$1" "$2"
}
missed() { # FILE N: how many flips of N fsck says nothing of
	local at bad=0
	chmod u+w "$1"
	rm -rf ../keep && cp -a .leat ../keep # what is found is remembered
	for at in $(places "$1" "$2"); do
		flip "$1" "$at"
		if leat fsck >../found 2>../talk; then echo "$1: $at"; bad=$((bad + 1)); fi
		rm -rf .leat && cp -a ../keep .leat
	done
	[ $bad = 0 ]
}

test_expect 'a store with whole files, packs, rows, recipes and pages of folders' '
	workspace w && head -c 300000 /dev/urandom > big && { printf x; cat big; } > big2 && leat put raw/big:/deep/f big && leat put raw/big:/deep/f big2 &&
	cp big2 big3 && dd if=/dev/urandom of=big3 bs=4096 count=1 seek=30 conv=notrunc status=none && leat put raw/big:/deep/f big3 &&
	mkdir s && for i in $(seq 100); do echo "small file $i of many" > s/$i; done && leat put raw/small:/ s && echo one > one && leat put raw/one one && leat gc && leat fsck
'
test_expect 'fsck finds flips in whole files and names the files they hit' '
	cd w && f=$(find .leat/blobs -type f -size +100k | head -1) && missed $f 4 && flip $f 1000 && exits 1 leat fsck > ../found &&
	has ../found damaged-blob raw/big deep/f && leat cat raw/small:/7 && leat cat raw/one:/one && flip $f 1000 && rm -rf .leat && cp -a ../keep .leat && leat fsck
'
test_expect 'fsck finds flips in packs' '
	cd w && ls .leat/packs/*.pack && for f in .leat/packs/*.pack; do missed $f 3; done && leat fsck
'
test_expect 'fsck finds flips in leat.db, in any page' '
	cd w && leat gc && test ! -e .leat/leat.db-wal && missed .leat/leat.db 12 && leat fsck
'
test_expect 'a page of leat.db that is damaged harms what lies in it, and nothing else' '
	cd w && served=0 && refused=0 && size=$(stat -c %s .leat/leat.db) && for page in $(seq 2 4 $((size / 1024 - 1))); do
		flip .leat/leat.db $((page * 1024 + 777))
		if leat cat raw/one:/one > ../got 2> ../err; then served=$((served + 1)) && eq "$(cat ../got)" one || return 1
		else refused=$((refused + 1)) && has ../err "leat.db" || return 1; fi
		flip .leat/leat.db $((page * 1024 + 777))
	done && echo "$served served, $refused refused" && [ $served -gt $refused ] && leat fsck
'
test_expect 'a damaged page that says which tables there are: all is served, nothing is written; fsck --repair makes the database whole' '
	cp -a w roots && cd roots && leat put raw/one ../w/big && test -s .leat/leat.db-wal && rm -rf ../keep2 && cp -a .leat ../keep2 && leat ls -R raw/big raw/small raw/one > ../want &&
	for page in $(python3 "$TESTS/fake/schema_pages.py" .leat); do
		rm -rf .leat && cp -a ../keep2 .leat && flip .leat/leat.db $((page * 1024 - 700)) && leat ls -R raw/big raw/small raw/one > ../got && same ../want ../got &&
			eq "$(leat cat raw/one:/one)" one && exits 1 leat put raw/one one 2> ../err && has ../err "only read" "fsck --repair" && exits 1 leat gc &&
			exits 1 leat fsck > ../found && has ../found "page $page does not hold" "does not say which tables" && [ -z "$(ls .leat/staging)" ] || return 1
	done && leat fsck --repair && leat fsck && leat ls -R raw/big raw/small raw/one > ../got && same ../want ../got && leat put raw/one one && leat gc && leat fsck
'
test_expect 'a damaged page of the facts about the store (its age, the PATH of tasks) hits no file' '
	cd roots && rm -rf .leat && cp -a ../keep2 .leat && leat gc && leat ls -R raw/big raw/small raw/one > ../want && flip .leat/leat.db 2700 && exits 1 leat fsck > ../found && has ../found "page 3 does not hold" &&
	leat ls -R raw/big raw/small raw/one > ../got && same ../want ../got && eq "$(leat cat raw/one:/one)" one && rm -rf .leat && cp -a ../keep2 .leat
'
test_expect 'a database that another process has open is not made anew beneath it' '
	cd roots && rm -rf .leat && cp -a ../keep2 .leat && rm -f .leat/leat.db-shm && mkfifo ../slow || return 1
	leat put raw/one:/slow - < ../slow 2> ../talk & p=$!
	exec 8> ../slow
	until [ -s .leat/leat.db-shm ]; do sleep 0.05; done
	flip .leat/leat.db 300
	exits 1 leat fsck --repair 2> ../err && has ../err "cannot be made whole" "leat.db open" && s=0 || s=1
	exec 8>&-
	wait $p || true
	eq $s 0 && leat fsck --repair && leat fsck
'
test_expect 'what says where the tables begin is made anew by whoever writes next, when it is lost or wrong' '
	cd roots && rm -rf .leat && cp -a ../keep2 .leat && cp .leat/leat.db-roots ../right && rm .leat/leat.db-roots && leat fsck && leat put raw/one one && same ../right .leat/leat.db-roots &&
	flip .leat/leat.db-roots 99 && exits 1 leat fsck > ../found && has ../found "leat.db-roots" && leat put raw/one one && same ../right .leat/leat.db-roots && leat fsck &&
	flip .leat/leat.db-roots 99 && leat fsck --repair && same ../right .leat/leat.db-roots
'
test_expect 'a repair that was cut short after the new database had its name is ended by whoever opens it next' '
	cd roots && rm -rf .leat && cp -a ../keep2 .leat && leat ls raw/one > ../want && flip .leat/leat.db 300 && leat fsck --repair && cp .leat/leat.db ../whole.db && rm -rf .leat && cp -a ../keep2 .leat &&
	flip .leat/leat.db 300 && cp ../whole.db .leat/leat.db-new && leat ls raw/one > ../got && same ../want ../got && [ ! -e .leat/leat.db-new ] && leat put raw/one one && leat fsck
'
test_expect 'a log that was damaged is named; fsck --repair leaves it aside and goes on' '
	cp -a w log && cd log &&
	( echo more > m; leat put raw/one m ) && test -s .leat/leat.db-wal && flip .leat/leat.db-wal 5000 && exits 1 leat ls 2> ../err && has ../err "leat.db-wal" --repair &&
	exits 1 leat fsck 2> ../err && leat fsck --repair > ../found 2> ../err; has ../err lost+found && leat cat raw/one:/one && ls .leat/lost+found/leat.db-wal.*
'
test_expect 'fsck --repair takes damaged and missing files from equal copies, and rows of packs from the packs' '
	cp -a w again && cd again && f=$(find .leat/blobs -type f -size +100k | head -1) && chmod u+w $f && flip $f 4000 &&
	exits 1 leat fsck && leat fsck --repair 2> ../err && has ../err "was put right from datastore/" && leat fsck && rm -f $f && leat fsck --repair && leat cat raw/big:/deep/f | cmp - big3 &&
	python3 "$TESTS/fake/edit_db.py" .leat/leat.db "delete from packed" && exits 1 leat fsck > ../found && leat fsck --repair 2> ../err && has ../err "their rows again" && leat fsck &&
	leat cat raw/small:/20 | cmp - s/20
'
test_expect 'a copy in a view that readers would take as it is: named by fsck, taken away by --repair, made anew by who reads' '
	workspace views && printf "a,b\n1,2\n" > x.csv && leat put raw/v x.csv --ds 2024-01-01 && leat sql "select sum(b) from raw.v" --format csv > want && f=$(find .leat/views -name x.csv) && test -f "$f" && leat fsck &&
	chmod u+w "$f" && flip "$f" 6 && exits 1 leat fsck > found && has found damaged-view "$f is a copy for readers" && leat fsck --repair 2> err && has err "no true copy any more" && ! test -e "$f" && leat sql "select sum(b) from raw.v" --format csv > got && same got want && leat fsck
'
test_done
