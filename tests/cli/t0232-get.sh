#!/usr/bin/env bash
# get by pattern, as tar, ranges of bytes.
. "$(dirname "$0")/../lib.sh"

mkdir -p in/2023/q1 in/2024/q1 in/2024/q2 && for f in 2023/a.csv 2023/q1/b.csv 2024/c.csv 2024/q1/d.csv 2024/q1/e.txt 2024/q2/f.csv top.csv; do echo $f > in/$f; done
workspace w > /dev/null 2>&1 && leat put raw/g ../in > /dev/null || exit 1
files() { # DIR: its files as words
	(cd "$1" && find . -type f | LC_ALL=C sort | tr '\n' ' ')
}

test_expect 'a pattern copies the files that match, named from the folder that all lie in' '
	cd w && leat get "raw/g:/2024/**/*.csv" -o out && eq "$(files out)" "./c.csv ./q1/d.csv ./q2/f.csv " && same out/q1/d.csv ../in/2024/q1/d.csv &&
	leat get "raw/g:/**/*.csv" -o all && eq "$(files all)" "./2023/a.csv ./2023/q1/b.csv ./2024/c.csv ./2024/q1/d.csv ./2024/q2/f.csv ./top.csv " && mkdir here && cd here && leat -C .. get "raw/g:/2024/q1/*" && eq "$(files .)" "./d.csv ./e.txt "
'
test_expect 'folders that match are left out with a note, and taken whole with -r' '
	cd w && leat get "raw/g:/2024/*" -o some 2> err && eq "$(files some)" "./c.csv " && has err "2 folders that match left out" && leat get -r "raw/g:/2024/*" -o rec && diff -r rec ../in/2024 &&
	exits 2 leat get "raw/g:/202?" -o none 2> err && has err "-r takes" && leat get -r "raw/g:/202?" -o years && diff -r years/2023 ../in/2023 && diff -r years/2024 ../in/2024 && leat get -r "raw/g:/**" -o star && diff -r star ../in
'
test_expect 'a folder goes without -r as it always did, and with it the same' '
	cd w && leat get raw/g:/2024 -o f1 && diff -r f1 ../in/2024 && leat get -r raw/g:/2024 -o f2 && diff -r f2 ../in/2024
'
test_expect 'nothing that matches: exit 1, and nothing is made' '
	cd w && exits 1 leat get "raw/g:/*.parquet" -o nothing 2> err && has err "matches" && exits 1 test -e nothing && exits 1 leat get "raw/g:/no/such" 2> err
'
test_expect 'tar to standard output or a file: of the repo, a folder, a pattern, a file; equal trees give equal archives' '
	cd w && leat get --tar raw/g | (mkdir t1 && tar x -C t1) && diff -r t1 ../in && leat get --tar raw/g:/2024 -o y.tar && mkdir t2 && tar xf y.tar -C t2 && diff -r t2 ../in/2024 && leat get --tar raw/g:/2024 > z.tar && same y.tar z.tar &&
	leat get --tar "raw/g:/**/*.csv" | tar t > names && eq "$(tr "\n" " " < names)" "2023/a.csv 2023/q1/b.csv 2024/c.csv 2024/q1/d.csv 2024/q2/f.csv top.csv " && leat get --tar raw/g:/top.csv -o - | tar xO > one && same one ../in/top.csv
'
test_expect 'tar has long and foreign names whole, and python reads it' '
	workspace long && l=$(printf "x%.0s" {1..200}) && mkdir -p "s/$l/$l" && echo 1 > "s/$l/$l/$l" && echo 2 > "s/Zürich 日本" && d=$(printf "%.0sd/" {1..70}) && mkdir -p "s/$d" && echo 3 > "s/${d}f" && : > s/empty && head -c 100000 /dev/urandom > s/big &&
	leat put raw/l s && leat get --tar raw/l > l.tar && mkdir t && tar xf l.tar -C t && diff -r t s && python3 -c "
import tarfile
t = tarfile.open(\"l.tar\"); t.extractall(\"py\")
assert all(m.mtime > 1e9 and m.uid == 0 for m in t.getmembers())
" && diff -r py s
'
test_expect 'ranges of bytes: from and to, to the end, the last ones; of several files with cat' '
	cd w && seq 1 100000 > n && leat put raw/n n && r() { eq "$(leat cat raw/n:/n --range "$1" | sha256sum)" "$(tail -c +$(($2 + 1)) n | head -c $3 | sha256sum)"; } &&
	r 0-99 0 100 && r 100- 100 588795 && r 5-5 5 1 && r -100 588795 100 && r 300000-500000 300000 200001 && r 588890-999999999 588890 5 && r -9999999 0 588895 && leat get raw/n:/n --range 10-19 -o part && eq "$(cat part | wc -c)" 10 &&
	leat get raw/n:/n --range 0-3 -o - > four && same four <(printf "1\n2\n") && eq "$(leat cat raw/n:/n raw/g:/top.csv --range 0-2 | tr "\n" ,)" "1,2top"
'
test_expect 'a range that cannot be is refused' '
	cd w && for r in 5 9-3 - a-b -x 3-2; do exits 2 leat cat raw/n:/n --range $r 2> err || return 1; done && has err "first 100 bytes" && exits 1 leat cat raw/n:/n --range 588895- 2> err && has err "588895 bytes" &&
	exits 2 leat get raw/g --range 1-2 2> err && exits 2 leat get raw/g --tar --range 1-2 2> err && exits 2 leat get raw/g -o - 2> err && has err "--tar"
'
test_expect 'get -o - prints the bytes; a failing get leaves no file' '
	cd w && leat get raw/n:/n -o - > back && same back n && exits 1 leat get raw/n:/n --range 999999- -o gone 2> err && exits 1 test -e gone && eq "$(find . -name ".leat-get*")" ""
'
test_done
