#!/usr/bin/env bash
# cp: by reference, within a repo and between repos, out of any pin.
. "$(dirname "$0")/../lib.sh"

mkdir -p in/a/b && echo 1 > in/a/1 && echo 2 > in/a/b/2 && echo top > in/top && head -c 300000 /dev/urandom > in/a/big
workspace w > /dev/null 2>&1 && leat put raw/x ../in > /dev/null && echo new > f && leat put raw/x:/top f > /dev/null || exit 1
lists() { # 'PATHS' REPO
	eq "$(leat ls -R "$2" | tr '\n' ' ')" "${1:+$1 }"
}

test_expect 'a file: to a path, into a folder that ends in a slash, to the root of another repo' '
	cd w && leat cp raw/x:/a/1 raw/x:/c/one && leat cp raw/x:/a/1 raw/x:/d/ && leat cp raw/x:/a/1 raw/y && leat cp raw/x:/a/1 raw/y:/ && lists "/a/1 /a/b/2 /a/big /c/one /d/1 /top" raw/x && lists "/1" raw/y && eq "$(leat cat raw/x:/c/one)" 1
'
test_expect 'out of the past: an old version comes back as a commit that says so' '
	cd w && leat cp raw/x@master.1:/top raw/x:/top -m "as it was" --json > out && eq "$(leat cat raw/x:/top)" top && leat log raw/x:/top > log && has log "as it was" && eq "$(json out "d[\"repo\"]")" raw/x
'
test_expect 'a folder: its content to the root, or under a path; what is there beside it stays' '
	cd w && leat cp raw/x:/a raw/z && lists "/1 /b/2 /big" raw/z && leat cp raw/x:/a raw/z:/q && lists "/1 /b/2 /big /q/1 /q/b/2 /q/big" raw/z && leat put raw/z:/q/b/mine f && leat put raw/z:/q/1 f && leat cp raw/x:/a raw/z:/q && lists "/1 /b/2 /big /q/1 /q/b/2 /q/b/mine /q/big" raw/z && eq "$(leat cat raw/z:/q/1)" 1 &&
	leat cp raw/x raw/all && eq "$(leat ls -R raw/all)" "$(leat ls -R raw/x)"
'
test_expect 'several, and patterns: each keeps its name; folders that match only with -r' '
	cd w && leat cp raw/x:/a/1 raw/x:/a/b raw/m:/in && lists "/in/1 /in/b/2" raw/m && leat cp "raw/x:/**/[0-9]" raw/n && lists "/a/1 /a/b/2 /d/1" raw/n && leat cp "raw/x:/a/*" raw/o && lists "/1 /big" raw/o && leat cp -r "raw/x:/a/*" raw/p:/k && lists "/k/1 /k/b/2 /k/big" raw/p
'
test_expect 'no bytes move: the store grows by rows, not by the file; the bytes are the same object' '
	cd w && sha=$(leat ls --json raw/x:/a/big | tr "," "\n" | grep sha256) && before=$(du -sb .leat/blobs .leat/packs | cut -f1 | paste -sd+ | bc) && for i in 1 2 3 4 5; do leat cp raw/x:/a raw/big$i > /dev/null || return 1; done &&
	eq "$(du -sb .leat/blobs .leat/packs | cut -f1 | paste -sd+ | bc)" "$before" && eq "$(leat ls --json raw/big5:/big | tr "," "\n" | grep sha256)" "$sha" && leat get raw/big5:/big -o back && same back ../in/a/big
'
test_expect 'a folder of many files goes by one id: the pages of leat.db that are made do not follow its size' '
	cd w && mkdir many && (cd many && touch n{1..3000}) && leat put raw/many:/m many && pages() { python3 -c "import sqlite3; print(sqlite3.connect(\"file:.leat/leat.db?mode=ro\", uri=True).execute(\"select count(*) from tree\").fetchone()[0])"; } && before=$(pages) && leat cp raw/many:/m raw/many:/renamed && after=$(pages) &&
	[ $((after - before)) -le 1 ] && eq "$(leat ls -R raw/many:/renamed | wc -l)" 3000 && leat rm -r raw/many:/m && eq "$(leat ls raw/many)" /renamed/
'
test_expect 'refused: into a commit, a job output, a file in the place of a folder, two things at one path' '
	cd w && leat log raw/y -n 1 --json > log && id=$(json log "d[\"commit\"]") && exits 2 leat cp raw/x:/top raw/y@$id:/t 2> err && has err "never changes" && exits 2 leat cp raw/x:/top raw/x:/a 2> err && has err "a is a folder" && exits 2 leat cp raw/x:/a raw/x:/top 2> err && has err "top" && exits 1 leat cp raw/x:/top/ raw/q 2> err &&
	exits 2 leat cp raw/x:/a/1 raw/z:/q/b/mine/deeper 2> err && has err "mine is a file" && leat put raw/u:/s/1 f && exits 2 leat cp raw/x:/a/1 raw/u:/s/1 raw/v 2> err && has err "two different things" && exits 1 leat ls raw/v 2> err &&
	mkdir -p jobs && printf "#!/bin/sh\n# output: tables/t\n# partition: none\necho 1 > \$LEAT_OUTPUT/f\n" > jobs/j.sh && chmod +x jobs/j.sh && leat run j && exits 2 leat cp raw/x:/top tables/t:/g 2> err && has err "output of job j" && leat cp tables/t:/f raw/fromjob && eq "$(leat cat raw/fromjob:/f)" 1
'
test_expect 'what is not there: exit 1, and nothing is made; one argument or none: exit 2' '
	cd w && exits 1 leat cp raw/x:/none raw/new 2> err && has err "no /none" && exits 1 leat cp raw/nope:/x raw/new 2> err && exits 1 leat cp "raw/x:/none*" raw/new 2> err && exits 1 leat ls raw/new 2> err && exits 2 leat cp raw/x:/top 2> err && exits 2 leat cp 2> err
'
test_expect 'in a batch it sees what the lines before it did; all or none' '
	cd w && printf "%s\n" "put raw/b1:/orig f" "cp raw/b1:/orig raw/b2:/copy" > b && leat batch -f b && eq "$(leat cat raw/b2:/copy)" new &&
	printf "%s\n" "cp raw/b1:/orig raw/b3:/copy" "cp raw/b1:/none raw/b3:/other" > b && exits 1 leat batch -f b 2> err && exits 1 leat ls raw/b3 2> err
'
test_expect 'a folder in itself, again and again, stops at the longest path that may be' '
	workspace deep && n=$(printf "n%.0s" {1..255}) && echo 1 > f && leat put raw/d:/f f && exits 2 sh -c "for i in \$(seq 20); do $LEAT_BIN cp raw/d raw/d:/$n || exit; done" 2> err && has err "more than 4096 bytes" && leat ls -R raw/d > out && leat fsck
'
test_expect 'ds folders of both' '
	cd w && leat put raw/s --ds 2024-03-04 f && leat cp --ds 2024-03-04 raw/s:/f raw/t:/g && lists "/ds=2024-03-04/g" raw/t && leat cp --ds 2024-03-04 raw/s raw/t && lists "/ds=2024-03-04/f /ds=2024-03-04/g" raw/t
'
test_expect 'the store is whole' '
	cd w && leat fsck
'
test_done
