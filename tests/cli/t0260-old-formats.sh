#!/usr/bin/env bash
# A store of each older format is opened, read and stepped up whole, also when the step is killed (docs/formats/store.md).
. "$(dirname "$0")/../lib.sh"
needs python3 strace
steps=$CHECKOUT/src/defs/migrations.def
last=$(grep -oE '^M\([0-9]+' "$steps" | tail -n 1 | tr -d 'M(')

older() { # VERSION: the store that was made once, in that format
	cp -a ../made "../f$1" && cd "../f$1" && python3 "$TESTS/fake/old_store.py" "$steps" "$1" .leat/leat.db
}
version() {
	python3 -c 'import struct; print(struct.unpack(">I", open(".leat/leat.db", "rb").read(64)[60:])[0])'
}
reads() { # what the store held still does
	leat cat raw/r@.1:/big >got && same got ../big1 && leat cat raw/r:/big >got && same got ../big2 && leat cat raw/r@v1:/big >got && same got ../big1 &&
		count 2 leat log raw/r --json && leat fsck >said 2>&1
}

test_expect 'a store with two commits, a tag and a head in datastore/, of files that each format keeps whole' '
	workspace made && head -c 70000 /dev/urandom >../big1 && head -c 80000 /dev/urandom >../big2 && leat put raw/r:/big ../big1 && leat tag raw/r@v1 &&
	leat put raw/r:/big ../big2 && reads
'
for v in $(seq $((last - 1))); do
	V=$v
	test_expect "format $v is read, written to, and then is the newest with all that it held" '
		cd made && older $V && eq "$(version)" $V && leat cat raw/r:/big >got && same got ../big2 && echo new >new && leat put raw/r:/new new && eq "$(leat cat raw/r:/new)" new &&
		leat rm raw/r:/new && eq "$(leat log raw/r --json | wc -l)" 4 && leat drop raw/r@master && leat drop raw/r@master && reads && leat keep raw/r last 2 && leat gc && reads &&
		id=$(leat start raw/r) && leat put "raw/r@$id:/o" new && leat finish raw/r && eq "$(leat cat raw/r:/o)" new && same datastore/raw/r/big ../big2
	'
	test_expect "one that dies at any write of the step from format $v leaves it or the newest, and the next goes on" '
		cd made && rm -rf "../f$V" && older $V && echo new >new && cp -a .leat ../kept$V && for n in 1 2 3 4 6 9 14; do
			rm -rf .leat && cp -a ../kept$V .leat && { ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -o /dev/null -e trace=pwrite64,pwritev -e inject=pwrite64,pwritev:signal=KILL:when=$n "$LEAT_BIN" put raw/n:/f new || true; } >said 2>&1 &&
			reads && leat put raw/n:/g new && eq "$(leat cat raw/n:/g)" new || return 1
		done
	'
	test_expect "format $V with a damaged page that says which tables there are: a sentence, no crash, and no byte of blobs changes" '
		cd made && rm -rf "../f$V" && older $V && find .leat/blobs -type f -exec sha256sum {} + | sort >before && printf "\377\377\377\377\377\377\377\377" | dd of=.leat/leat.db bs=1 seek=104 conv=notrunc status=none &&
		for c in "cat raw/r:/big" "fsck" "fsck --repair" "put raw/r:/x before"; do
			exits 1 leat $c >said 2>err && has err leat.db && [ "$(wc -l <err)" -le 4 ] || return 1
		done && find .leat/blobs -type f -exec sha256sum {} + | sort >after && same before after
	'
done
test_done
