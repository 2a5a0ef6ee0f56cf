#!/usr/bin/env bash
# A gc that dies at each of its named points: what is left reads, fsck finds nothing wrong, and the next gc ends the work.
. "$(dirname "$0")/../lib.sh"
needs_faults

sha() { sha256sum | cut -d" " -f1; }
reads() { # all versions that are to stay
	local i
	for i in 1 2 3; do eq "$(leat cat raw/big@master.$i:/f | sha)" "$(sha < ../v$i)" || return 1; done
	for i in 1 60 120; do eq "$(leat cat raw/s:/d/$i)" "file $i" || return 1; done
	leat cat raw/kept:/there | cmp - ../v1 && eq "$(leat cat raw/last:/v)" "version 9"
}
whole() { leat fsck > ../fsck.out 2>&1 || { cat ../fsck.out; return 1; }; }

# Something of everything: versions to re-pack, small rows, files and packs that nothing needs, commits to let go.
test_expect 'a store with something of everything that gc does' '
	head -c 900000 /dev/urandom > v1 && { printf x; cat v1; } > v2 && cp v2 v3 && dd if=/dev/urandom of=v3 bs=4096 count=1 seek=100 conv=notrunc status=none &&
	workspace template && for v in 1 2 3; do leat put raw/big:/f ../v$v; done && leat put raw/kept:/there ../v1 && mkdir d &&
	for i in $(seq 120); do echo "file $i" > d/$i; done && leat put raw/s:/d -r d && for i in 1 2 3 4; do head -c 300000 /dev/urandom > x$i; done && leat put raw/gone x1 x2 x3 x4 && leat put raw/gone:/d -r d && leat rm --repo raw/gone &&
	for i in 1 2 3 4 5 6 7 8 9; do echo "version $i" > v && leat put raw/last:/v v; done && leat keep raw/last last 2 && rm -rf d x1 x2 x3 x4 v && reads && whole
'
after() { # POINT[:N]
	rm -rf w && cp -a template w && cd w && dies_at "$1" leat gc --memo && reads && whole && leat gc --memo && reads && whole && eq "$(leat log raw/last --json | wc -l)" 2 &&
		leat put raw/big:/f ../v1 && leat gc --memo && leat cat raw/big@master.3:/f | cmp - ../v3 && whole && [ -z "$(find .leat/staging -name "gc-*")" ]
}
for point in keep-slice gc-slice gc-slice:2 gc-slice:3 gc-slice:5 gc-slice:8 gc-pack-placed gc-turned; do
	test_expect "killed at $point: all reads, fsck finds nothing, a second gc ends the work" "after $point"
done
test_expect 'killed at each slice of gc, one after the other in one store, until it comes to its end' '
	rm -rf w && cp -a template w && cd w && n=0 && while :; do
		s=0; n=$((n + 1)); LEAT_CRASH_AT=gc-slice:2 leat gc --memo > ../crash.out 2>&1 || s=$?
		[ $s = 137 ] || break
		[ $n -lt 60 ] || break
		reads && whole || return 1
	done && echo "$n times" && leat gc --memo && reads && whole
'
test_expect 'killed when files are renamed away and their rows are still there: that is no fault, nobody needs them, and the same bytes can be put again' '
	workspace away && head -c 200000 /dev/urandom > ../a && head -c 200000 /dev/urandom > ../b && leat put raw/a ../a && leat put raw/b ../b && leat rm --repo raw/b && away=0 &&
	for n in 1 2 3 4 5 6 7; do
		rm -rf ../away2 && cp -a "$TRASH/away" ../away2 && cd ../away2 && { LEAT_CRASH_AT=gc-slice:$n leat gc --memo || true; } && whole && { [ -z "$(ls .leat/staging)" ] || away=$((away + 1)); } &&
			leat put raw/c ../b && leat cat raw/c:/b | cmp - ../b && leat gc && leat cat raw/c:/b | cmp - ../b && whole && [ -z "$(ls .leat/staging)" ] || return 1
	done && test $away -gt 0
'
test_done
