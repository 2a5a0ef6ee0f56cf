#!/usr/bin/env bash
# batch: several commands on several repos, all or none, one global id.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
for f in a b c; do echo $f > $f; done
mkdir -p D && echo d > "D/a file" 
rows() { # what anybody could see
	python3 -c 'import sqlite3
c = sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True)
for t in "repo branch tag commits event head_move open_commit gone materialised".split():
    print(t, *c.execute("select * from %s" % t), sep="\n")'
}
test_expect 'a batch writes several repos by one event, under one global id' '
	cd w && leat put raw/old a b && printf "%s\n" "put raw/x a" "put raw/y:/p/ b c   # two" "" "# a comment" "rm raw/old:/a" "put raw/x --ds 2024-01-02 b" > cmds && leat batch -f cmds -m monday --json > out &&
	ID=$(json out "d[0][\"commit\"]") && eq "$(json out "sorted((r[\"repo\"], r[\"number\"], r[\"commit\"] == \"$ID\", r[\"message\"]) for r in d)")" "[[\"raw/old\", 2, true, \"monday\"], [\"raw/x\", 1, true, \"monday\"], [\"raw/y\", 1, true, \"monday\"]]" &&
	eq "$(leat ls -R raw/x | paste -sd" ")" "/a /ds=2024-01-02/b" && eq "$(leat ls -R raw/y | paste -sd" ")" "/p/b /p/c" && eq "$(leat ls raw/old)" /b && count 3 leat log $ID --json && test -f datastore/raw/y/p/c
'
test_expect 'each line sees what the lines before it did' '
	cd w && printf "%s\n" "put raw/seq a b" "rm raw/seq:/a" "put raw/seq:/a c" "tag raw/seq@v1" "branch raw/seq@dev --head v1" > cmds && leat batch -f cmds > out && has out "raw/seq@v1  tag" "raw/seq@dev  branch" && eq "$(leat ls raw/seq | paste -sd" ")" "/a /b" && eq "$(leat cat raw/seq@v1:/a)" c && eq "$(leat cat raw/seq@dev:/b)" b && count 1 leat log raw/seq --json
'
test_expect 'from standard input; quotes as in a shell; old names of commands' '
	cd w && printf "%s\n" "put raw/q \"D/a file\" " "put '"'raw/q:/with blank'"' a" "put-file \"raw/q:/it'"'"'s\" a" "create-branch raw/q@dev" | leat batch -f - && eq "$(leat ls raw/q | paste -sd,)" "/a file,/it'"'"'s,/with blank" && leat ls raw/q@dev > out && has out "a file"
'
test_expect 'all or none: a line that fails is named, and nothing of the others has happened' '
	cd w && rows > ../before && printf "%s\n" "put raw/x b" "put raw/new a" "rm raw/y:/nothing" > cmds && exits 1 leat batch -f cmds 2> err && has err "cmds:3" nothing && printf "%s\n" "put raw/x b" "put raw/new nofile" > cmds && exits 1 leat batch -f cmds 2> err && has err "cmds:2" nofile &&
	printf "%s\n" "put raw/new a" "tag raw/x@v9" "tag raw/nope@v" > cmds && exits 1 leat batch -f cmds 2> err && has err "cmds:3" raw/nope && printf "%s\n" "put raw/new a" "put raw/new@dev a" > cmds && exits 2 leat batch -f cmds 2> err && has err "cmds:2" "two branches" "raw/new" &&
	rows > ../after && same ../before ../after && count 0 find datastore -name new
'
test_expect 'what stands in no batch, and lines that are wrong, are refused with their number before anything is done' '
	cd w && echo "put raw/x a" > cmds && for l in "run" "sql q" "start raw/x" "fsck" "nonsense" "leat put raw/x a" "put" "put raw/x --nope" "put raw/x \"open" "rm --repo raw/x" "put raw/x -"; do { echo "put raw/bad a"; echo "$l"; } > cmds; exits 2 leat batch -f cmds 2> err; has err "cmds:2"; done && exits 1 leat ls raw/bad 2> err &&
	: > cmds && exits 2 leat batch -f cmds 2> err && has err "no command" && exits 2 leat batch 2> err && has err "-f FILE" && exits 1 leat batch -f nocmds 2> err
'
test_expect 'appending in a batch; not to what the same batch puts' '
	cd w && leat put raw/log:/l a && printf "%s\n" "put -a raw/log:/l b" "put -a raw/log:/m b" > cmds && leat batch -f cmds && printf "a\nb\n" > want && leat cat raw/log:/l > out && same want out && printf "%s\n" "put raw/log:/n a" "put -a raw/log:/n b" > cmds && exits 2 leat batch -f cmds 2> err && has err "cmds:2" /n
'
test_expect 'into an open commit' '
	cd w && id=$(leat start raw/x) && printf "%s\n" "put raw/x@$id:/o1 a" "put raw/x@$id:/o2 b" "put raw/y:/o3 c" > cmds && leat batch -f cmds && eq "$(leat cat raw/x@$id:/o2)" b && exits 1 leat cat raw/x:/o1 2> err && leat finish raw/x && eq "$(leat cat raw/x:/o1)" a && eq "$(leat cat raw/y:/o3)" c
'
test_expect 'a hundred repos at once; fsck is content' '
	cd w && for i in $(seq 100); do echo "put raw/n$i a"; done > cmds && leat batch -f cmds > out && count 100 cat out && leat fsck
'
lines() { # of a batch: 600 puts, one over another, a folder that becomes a file, and a file that becomes a folder
	for i in $(seq 600); do echo "put raw/a:/d$((i % 7))/$i one"; done; echo "put raw/a:/d1/1 two"; echo "rm -r raw/a:/d2"; echo "put raw/a:/d2 one"
	echo "cp raw/src:/s raw/a:/d3/copy"; echo "put raw/b:/x one -m last"; echo "put raw/a:/d0/7/below two"
}
test_expect 'a batch of very many lines gives what its lines give one after the other' '
	cd .. && rm -rf many && workspace many && echo one > one && echo two > two && leat put raw/a:/keep one && leat put raw/src:/s one &&
	lines > b &&
	sed -i "s/^put raw.a:.d0.7 one$/# &/" b && leat batch -f b > ../out && eq "$(leat cat raw/a:/d1/1)" two && eq "$(leat cat raw/a:/d2)" one && eq "$(leat cat raw/a:/d0/7/below)" two &&
	eq "$(leat cat raw/a:/d3/copy)" one && eq "$(leat ls -R raw/a | grep -c /)" "$((1 + 599 - 86 + 3))" && eq "$(leat log raw/a --json | wc -l)" 2 &&
	{ cat b; echo "put raw/a:/d2/under one"; } > c && exits 2 leat batch -f c 2> ../err && has ../err c:2: && eq "$(leat log raw/a --json | wc -l)" 2 && leat fsck
'
test_done
