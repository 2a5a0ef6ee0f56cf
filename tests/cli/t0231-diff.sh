#!/usr/bin/env bash
# diff: counts with folders, files with sizes, the lines of texts; and the history of one file.
. "$(dirname "$0")/../lib.sh"

workspace d > /dev/null 2>&1 || exit 1
counts() { # 'N new, M old' [diff's arguments]
	local want=$1
	shift
	leat diff --stat "${@:-raw/d}" > "$TRASH/counts" && has "$TRASH/counts" "$want (folders counted)"
}

test_expect 'what is new and what is old is counted with folders, the root too' '
	cd d && echo foo > f && leat put raw/d:/foo f && counts "2 new, 0 old" && echo more >> f && leat put raw/d:/foo f && counts "2 new, 2 old" &&
	leat put raw/d:/bar f && counts "2 new, 1 old" && leat rm raw/d:/bar && counts "1 new, 2 old" &&
	mkdir -p s && cp f s/fizz && cp f s/buzz && leat put raw/d:/dir s && counts "4 new, 1 old" && echo x >> s/fizz && leat put raw/d:/dir/fizz s/fizz && counts "3 new, 3 old" &&
	counts "0 new, 0 old" raw/d raw/d && counts "5 new, 2 old" raw/d@master.1 raw/d
'
test_expect 'counts of files and bytes, as JSON' '
	cd d && leat diff --stat --json raw/d@master.2 raw/d > out && eq "$(json out "sorted(d.items())")" "[[\"added\", 2], [\"changed\", 0], [\"deleted\", 0], [\"new\", 4], [\"old\", 1], [\"old_size\", 0], [\"size\", 20]]" &&
	leat diff --stat raw/d > out && has out "files: 0 added, 1 changed, 0 deleted; 9 -> 11 bytes"
'
test_expect 'deleting everything leaves nothing new' '
	cd d && leat rm -r raw/d:/ && counts "0 new, 5 old"
'
test_expect 'added, changed and deleted files by path, with sizes; folders that are equal are not read' '
	workspace e && mkdir -p t/a t/b && for i in 1 2 3; do echo $i > t/a/$i && echo $i > t/b/$i; done && leat put raw/e t &&
	echo other > x && leat put raw/e:/a/2 x && leat put raw/e:/c/new x && leat rm raw/e:/b/3 &&
	leat diff raw/e@master.1 raw/e > out && same out - <<O && leat diff --name-only raw/e@master.1 raw/e > out && eq "$(tr "\n" " " < out)" "/a/2 /b/3 /c/new " &&
~ /a/2  2 -> 6 bytes
- /b/3  2 -> 0 bytes
+ /c/new  0 -> 6 bytes
O
	leat diff --name-only raw/e@master.1:/a raw/e:/a > out && eq "$(cat out)" /a/2 && leat diff raw/e@master.1:/a raw/e:/b --name-only > out && eq "$(cat out)" /b/3
'
test_expect 'a file in the place of a folder, and the other way round' '
	cd e && leat rm -r raw/e:/a && leat put raw/e:/a x && leat diff raw/e@master.1 raw/e --json > out && eq "$(json out "[(r[\"change\"], r[\"path\"]) for r in d if r[\"path\"].startswith(\"/a\")]")" "[[\"deleted\", \"/a/1\"], [\"deleted\", \"/a/2\"], [\"deleted\", \"/a/3\"], [\"added\", \"/a\"]]" || return 1
	exits 2 leat diff raw/e@master.1:/a raw/e:/a 2> err && has err "two folders, or two files"
'
test_expect 'two repos, and a path that is on one side only' '
	cd e && leat put raw/f:/a/2 x && leat diff --name-only raw/e@master.2:/a raw/f:/a > out && eq "$(tr "\n" " " < out)" "/a/1 /a/3 " && leat diff --name-only raw/e@master.1:/c raw/e:/c > out && eq "$(cat out)" /c/new &&
	exits 1 leat diff raw/e@master.1:/none raw/e:/none 2> err && has err "either side" && exits 2 leat diff --stat -p raw/e 2> err
'
patches() { # OLD NEW: what diff -p says makes NEW of OLD, by patch
	rm -rf po pn && mkdir po && leat get "$1" -o po && leat get "$2" -o pn && leat diff -p "$1" "$2" > p && (cd po && patch -s -p1 < ../p) && diff -r po pn
}
test_expect 'lines of texts are a unified diff that patch applies: changes, ends without a newline, CRLF, new and gone files' '
	command -v patch || return 0
	workspace p && mkdir -p t/sub && seq 1 200 > t/n && printf "a\nb" > t/end && printf "a\r\nb\r\n" > t/crlf && echo gone > t/gone && echo same > t/same && seq 1 40 > "t/sub/a b" && leat put raw/p t &&
	sed -i "3d;50s/.*/fifty/;56a new" t/n && sed -i "120,130d" t/n && printf "a\nb\nc\n" > t/end && printf "a\r\nx\r\nb\r\n" > t/crlf && rm t/gone && echo "é" > t/new && sed -i 1d "t/sub/a b" && leat put raw/p t && leat rm raw/p:/gone && patches raw/p@master.1 raw/p && patches raw/p raw/p@master.1
'
test_expect 'of a single text file the lines come unasked; of others what changed' '
	cd p && leat diff raw/p@master.1:/end raw/p:/end > out && same out - <<O && head -c 100 /dev/urandom > b && printf "\\0" >> b && leat put raw/p:/b b && printf x >> b && leat put raw/p:/b b && leat diff raw/p:/b > out && eq "$(cat out)" "~ /b  101 -> 102 bytes" &&
--- a/end
+++ b/end
@@ -1,2 +1,3 @@
 a
-b
\ No newline at end of file
+b
+c
O
	leat diff --name-only raw/p:/b > out && eq "$(cat out)" /b && leat diff -p --json raw/p@master.1 raw/p@master.2 > out && eq "$(json out "[r[\"path\"] for r in d if \"@@\" in r.get(\"text\", \"\")]")" "[\"/crlf\", \"/end\", \"/n\", \"/new\", \"/sub/a b\"]"
'
test_expect 'texts that have nothing in common, and large ones, are told in bounded time' '
	cd p && seq 1 60000 > l && leat put raw/p:/l l && seq 100001 160000 > l && leat put raw/p:/l l && leat diff raw/p:/l > out && eq "$(grep -c "^-[0-9]" out) $(grep -c "^+[0-9]" out)" "60000 60000" &&
	head -c 9000000 /dev/zero | tr "\0" "x" > l && leat put raw/p:/l l && leat diff raw/p:/l > out && has out "~ /l  420000 -> 9000000 bytes"
'
test_expect 'log of a file has the commits that changed it, newest first, with what they did' '
	workspace h && echo 1 > a && echo 1 > b && leat put raw/h:/d/a a -m one && leat put raw/h:/b b -m two && echo 2 > a && leat put raw/h:/d/a a -m three && leat rm raw/h:/d/a -m four && leat put raw/h:/b a -m five && leat put raw/h:/d/a a -m six &&
	leat log raw/h:/d/a --json > out && eq "$(json out "[(r[\"message\"], r[\"change\"], r.get(\"path_size\")) for r in d]")" "[[\"six\", \"added\", 2], [\"four\", \"deleted\", null], [\"three\", \"changed\", 2], [\"one\", \"added\", 2]]" &&
	leat log raw/h:/d --json > out2 && eq "$(json out2 "[r[\"number\"] for r in d]")" "[6, 4, 3, 1]" && count 2 leat log raw/h:/d/a -n 2 --json && leat log raw/h@master.4:/d/a --json > out && eq "$(json out "[r[\"message\"] for r in d]")" "[\"four\", \"three\", \"one\"]" &&
	leat log raw/h:/d/a > out && has out three "changed, 2 B" deleted
'
test_expect 'log of what never was: exit 1, and where to look; of a ds folder' '
	cd h && exits 1 leat log raw/h:/none 2> err && has err "never had" && leat put raw/h --ds 2024-03-04 a && leat log raw/h --ds 2024-03-04 --json > out && eq "$(json out "d[\"path\"] + d[\"change\"]")" /ds=2024-03-04added
'
test_expect 'log of a file over a long history reads of each commit only what may differ' '
	workspace long && mkdir many && for i in {1..300}; do echo $i > many/f$i; done && leat put raw/l:/m many && leat put raw/l:/x/deep/file many/f1 && for i in {1..40}; do echo $i > n && leat put raw/l:/m/f7 n > /dev/null || return 1; done &&
	leat log raw/l:/x/deep/file --json > out && eq "$(json out "d[\"number\"]")" 2 && count 41 leat log raw/l:/m/f7 --json
'
test_done
