#!/usr/bin/env bash
# Patterns: the language, glob, find, and ls, cat and get by pattern.
. "$(dirname "$0")/../lib.sh"

mkdir -p in/dir1 in/dir2/dir3
for i in {0..99}; do
	echo "$i" > in/file$i && echo "1 $i" > in/dir1/file$i && echo "3 $i" > in/dir2/dir3/file$i
done
workspace w > /dev/null 2>&1 && leat put raw/g ../in > /dev/null || exit 1
globs() { # COUNT PATTERN
	count "$1" leat -C "$TRASH/w" glob "raw/g:/$2"
}
lists() { # 'WANT WORDS' command…: the lines it prints, as words
	local want=$1
	shift
	eq "$("$@" | tr '\n' ' ')" "${want:+$want }"
}

test_expect 'over 300 files in three folders each pattern finds what it should, folders too' '
	globs 102 "*" && globs 100 "file*" && globs 100 "dir1/*" && globs 101 "*/*" && globs 10 "dir2/dir3/file1?" && globs 30 "**file1?" &&
	globs 2 "dir?" && globs 5 "file[0-4]" && globs 303 "**" && globs 300 "**/file*"
'
test_expect 'alternatives, negations, repeats, classes and quoting' '
	globs 4 "file{7,8}?(0)" && globs 2 "@(dir1|dir2)" && globs 11 "file+(1)*([0-9])" && globs 90 "file!(?)" && globs 3 "!(file[1-9]*)" &&
	globs 10 "file[[:digit:]]" && globs 1 "file[!1-9]*" && globs 0 "file\\*" && globs 200 "{dir1,dir2/dir3}/file*" && globs 100 "**/dir3/*"
'
test_expect 'a slash at the end asks for folders; the root alone is the root' '
	cd w && lists "/dir1/ /dir2/" leat glob "raw/g:/*/" && lists "/" leat glob raw/g:/ && lists "/dir1/ /dir2/ /dir2/dir3/" leat glob "raw/g:/**/"
'
test_expect 'output is in the order of paths, each line one that cat takes; -l adds size and hash; --json has the keys of ls' '
	cd w && leat glob "raw/g:/dir1/file9?" > out && lists "$(leat cat raw/g:/dir1/file90 raw/g:/dir1/file91 | tr "\n" " " | sed "s/ $//")" leat cat "raw/g:$(sed -n 1p out)" "raw/g:$(sed -n 2p out)" &&
	leat glob -l raw/g:/file7 > long && has long "$(sha256sum < ../in/file7 | cut -c1-64)" " 2 " &&
	leat glob --json raw/g:/file7 > a && leat ls --json raw/g:/file7 > b && same a b && leat glob --json "raw/g:/dir?" > c && eq "$(json c "[(r[\"path\"], r[\"type\"], r[\"files\"]) for r in d]")" "[[\"/dir1\", \"folder\", 100], [\"/dir2\", \"folder\", 100]]"
'
test_expect 'a pattern in a commit of the past, in a ds folder, several at once' '
	cd w && echo x > new.csv && leat put raw/g --ds 2024-03-04 new.csv && lists "/ds=2024-03-04/new.csv" leat glob --ds 2024-03-04 "raw/g:/*.csv" &&
	lists "" leat glob "raw/g@master.1:/**/*.csv" && lists "/file1 /dir1/file1" leat glob raw/g:/file1 raw/g:/dir1/file1
' 
test_expect 'what matches nothing: exit 0 and a note; a wrong pattern: exit 2 and its place; no repo: exit 1' '
	cd w && leat glob "raw/g:/none*" > out 2> err && same out /dev/null && has err "nothing matches" &&
	exits 2 leat glob "raw/g:/file[" 2> err && has err "character 5" "closing ]" && exits 1 leat glob "raw/none:/*" 2> err && exits 2 leat glob 2> err
'
test_expect 'names that hold pattern characters: a path that is there is itself; quoted it always is' '
	workspace odd && for f in "a*b" axb "[x]" "q?" "{1,2}" "back\\\\slash"; do echo "$f" > f && leat put "raw/o:/$f" f || return 1; done &&
	eq "$(leat cat "raw/o:/a*b")" "a*b" && lists "/a*b /axb" leat glob "raw/o:/a*b" && lists "/a*b" leat glob "raw/o:/a\\*b" && lists "/[x]" leat ls "raw/o:/[x]" &&
	eq "$(leat cat "raw/o:/q\\?")" "q?" && eq "$(leat cat "raw/o:/{1,2}")" "{1,2}" && leat get "raw/o:/[x]" -o back && same back <(echo "[x]")
'
test_expect 'ls and cat take patterns; nothing there is exit 1 with what to do' '
	cd w && lists "/file50 /file51" leat ls "raw/g:/file5[01]" && eq "$(leat cat "raw/g:/file5[0-2]" | tr "\n" " ")" "50 51 52 " &&
	exits 1 leat ls "raw/g:/none*" 2> err && has err "nothing in raw/g matches /none*" "leat ls -R raw/g" && exits 1 leat cat "raw/g:/none*" 2> err
'
test_expect 'find by name, size, type and hash, in one repo and in all' '
	cd w && count 33 leat find raw/g --name "file1*([0-9])" && count 30 leat find raw/g --name "file1?" && lists "/dir2/dir3/" leat find raw/g --type folder --name "dir3" &&
	head -c 5000 /dev/zero > big && leat put raw/h:/x/big big && lists "raw/h:/x/big" leat find --size +5kB && lists "/x/big" leat find raw/h -s +4KiB && lists "" leat find raw/h --size +5001 &&
	count 10 leat find raw/g:/dir1 --size 4 && lists "raw/g:/dir1/file77" leat find --sha256 $(sha256sum < ../in/dir1/file77 | cut -c1-20) &&
	count 5 leat find raw/g --limit 5 && leat find --json --name big > out && eq "$(json out "[d[\"repo\"], d[\"path\"], d[\"size\"]]")" "[\"raw/h\", \"/x/big\", 5000]"
'
test_expect 'find refuses what cannot be: a size, a type, a hash, a path as name' '
	cd w && exits 2 leat find raw/g --size big 2> err && has err "+10MB" && exits 2 leat find raw/g --type x 2> err && exits 2 leat find --sha256 xyz 2> err && exits 2 leat find --name a/b 2> err && has err "leat glob" && exits 1 leat find raw/none 2> err
'
test_expect 'deleting the root deletes all: then ** matches nothing, and the past is as it was' '
	cd w && exits 2 leat rm raw/g:/ 2> err && has err "-r" && leat rm -r raw/g:/ &&
	count 0 leat glob "raw/g:/**" && count 300 leat glob "raw/g@master.1:/**/file*"
'
test_done
