#!/usr/bin/env bash
# Names of files, folders and repos: what may be, what may not, each refusal with the path named.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 && echo hello > f || exit 1

test_expect 'UTF-8, spaces, quotes, newcomers to file systems and 255 bytes in a part are fine, everywhere' '
	cd w && l=$(printf "n%.0s" {1..255}) && for n in "Zürich/日本語 📦.csv" "a b/c  d" " lead" "trail " "-dash" "--help" "quote'"'"'s \"and\" more" "\$HOME \`x\` ;&|<>" "#hash" "a=b" "CON" "$l/$l" "x:y@z" "~" "...." ".hidden" "*?[]{}"; do
		leat put "raw/n:/$n" f > /dev/null && eq "$(leat cat "raw/n:/$n")" hello && leat get "raw/n:/$n" -o back && same back f || { echo "$n"; return 1; }
	done && eq "$(leat ls -R raw/n | wc -l)" 17 && leat find raw/n --name "日本*" > out && eq "$(cat out)" "/Zürich/日本語 📦.csv" && leat fsck
'
test_expect 'the same names go in and out as a folder, and by datastore/' '
	cd w && leat get raw/n -o out1 && leat put raw/m out1 && leat get raw/m -o out2 && diff -r out1 out2 && mkdir -p datastore/raw/k && cp -r out1/. datastore/raw/k && leat commit raw/k && leat get raw/k -o out3 && diff -r out1 out3
'
refused() { # PATH text…: put there is refused with exit 2, the message names each text
	local p=$1
	shift
	exits 2 leat put "raw/n:$p" f 2> err && has err "$@"
}
test_expect 'parts that are . or .. are refused' '
	cd w && refused "/a/../b" "a/../b" && refused "/.." ".." && refused "/./x" "./x" && refused "/a/." "a/." && refused "/a/../../etc/passwd" "etc/passwd"
'
test_expect 'control bytes are refused, so is what is no UTF-8' '
	cd w && refused "/a
b" "control character" && refused "/tab	x" "control character" && refused "/esc$(printf "\033")[2J" "control character" && refused "/del$(printf "\177")" "control character" && refused "/$(printf "\377\376")" "UTF-8"
'
test_expect 'a part of 256 bytes and a path of more than 4096 are refused' '
	cd w && l=$(printf "n%.0s" {1..256}) && refused "/x/$l" "longer than 255 bytes" && p=$(printf "/%.0s0123456789012345678901234567890" {1..140}) && refused "$p" "longer than 4096 bytes" && refused "/$(printf "é%.0s" {1..128})" "255 bytes"
'
test_expect 'no name at all is refused' '
	cd w && exits 2 leat put raw/n:/ - < f 2> err && has err "no name" && exits 2 leat put "" f 2> err && exits 2 leat put ":/x" f 2> err
'
test_expect 'a file cannot lie in a file, nor be where a folder is: refused, the path named, nothing changed' '
	cd w && leat put raw/t:/d/x f && leat put raw/t:/file f && exits 2 leat put raw/t:/file/y f 2> err && has err "file is a file" && exits 2 leat put raw/t:/d f 2> err && has err "d is a folder" &&
	exits 2 leat put raw/t:/d/x/y/z f 2> err && has err "d/x is a file" && mkdir -p one/file && cp f one/file/in && exits 2 leat put raw/t one 2> err && has err "file is a file" && eq "$(leat ls -R raw/t | tr "\n" " ")" "/d/x /file "
'
test_expect 'names in a folder that is put are held to the same rules, the file named' '
	cd w && mkdir bad && touch "bad/x$(printf "\001")y" && exits 2 leat put raw/t bad 2> err && has err "control character" && rm bad/* && touch "bad/$(printf "no\377")" && exits 2 leat put raw/t bad 2> err && has err "UTF-8" "no" && eq "$(leat ls -R raw/t | tr "\n" " ")" "/d/x /file "
'
test_expect 'a repo inside another, or above one, is refused with both named' '
	cd w && exits 2 leat put raw/n/inner f 2> err && has err "raw/n/inner" "raw/n" "never lies inside" && exits 2 leat put raw f 2> err && has err "inside raw" && exits 2 leat put raw/N f 2> err && has err "raw/n" && eq "$(leat ls --json | wc -l)" 4
'
test_expect 'repo names are letters, digits, _ . and -; others are refused with what could be' '
	cd w && for r in "a b" "../x" "raw/.x" "/raw/x" "raw//x" "raw/é" "raw/x/" "-x"; do exits 2 leat put -- "$r" f 2> err || return 1; done && exits 2 leat put "raw/my data" f 2> err && has err "my_data" && exits 2 leat put "$(printf "a/%.0s" {1..9})b" f 2> err && has err "at most 8"
'
test_expect 'reading refuses the same paths as writing, and never leaves the repo' '
	cd w && for c in cat ls get log; do exits 2 leat $c raw/n:/../../leat.yaml 2> err && has err ".." || return 1; done && exits 2 leat get "raw/n:/a/./b" 2> err
'
test_done
