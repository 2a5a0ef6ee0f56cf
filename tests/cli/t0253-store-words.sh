#!/usr/bin/env bash
# What the store says to people: the mistakes of a first hour, counts and sizes, names of what was let go.
. "$(dirname "$0")/../lib.sh"

test_expect 'a bare number is no rule of keep: it would have been seconds' '
	workspace bare && echo a > f && leat put raw/a f && exits 2 leat keep raw/a 90 2> err && has err "last 30" && leat keep raw/a > out && has out "all"
'
test_expect 'export of one repo without a folder is refused, and does not write all repos to a folder of that name' '
	workspace exp && echo a > f && leat put raw/a f && leat put raw/b f && exits 2 leat export raw/a 2> err && has err "leat export raw/a DIR" && ! test -e raw &&
	leat export raw/a ./raw/a 2> err && test -f raw/a/raw/a/f && leat export out && test -f out/raw/b/f
'
test_expect 'put and rm to a number or an ancestor say that a commit never changes' '
	workspace fixed && echo a > f && leat put raw/a f && leat put raw/a f && exits 2 leat put raw/a@master.1 f 2> err && has err "names a commit, which never changes" &&
	has err "raw/a@master" && exits 2 leat rm raw/a@master~1:/f 2> err && has err "never changes" && exits 2 leat put raw/a@feature/x f 2> err && has err "is no branch or tag name"
'
test_expect 'a URL where the repo should stand is not taken as the name of a repo' '
	workspace url && echo a > f && exits 2 leat put http://example.org/x f 2> err && has err "the repo stands first" && eq "$(leat ls --json | wc -l)" 0
'
test_expect 'what is no archive is named as it was given' '
	workspace tar && echo a > "no tar" && exits 1 leat put raw/a --untar "no tar" 2> err && has err "no tar is no tar archive" && ! grep -q "file://" err
'
test_expect 'wait for an open commit that was dropped names its repo' '
	workspace gone && id=$(leat start raw/a) && leat drop "raw/a@$id" && exits 1 leat wait "$id" 2> err && has err "of raw/a was dropped" && has err "leat start raw/a@master"
'
test_expect 'log of an id and ls --json tell author and message' '
	workspace said && echo a > f && leat put raw/a f -m "the word" --author ann && id=$(leat log raw/a --json | sed "s/.*\"commit\":\"\([0-9a-f]*\).*/\1/") &&
	leat log "$id" > out && has out "the word" && leat ls --json > out && has out "\"author\":\"ann\",\"message\":\"the word\""
'
test_expect 'status counts the bytes of small files, which lie in packs and rows' '
	workspace size && mkdir d && for i in $(seq 50); do head -c 3000 /dev/urandom > d/$i || break; done && leat put raw/a d && leat status --json > out &&
	size=$(sed "s/.*\"size\":\([0-9]*\).*/\1/" out) && test "$size" -ge 150000 && echo x > f && leat put raw/b f && leat status --json > out &&
	test "$(sed "s/.*\"size\":\([0-9]*\).*/\1/" out)" -gt "$size"
'
test_expect 'a forgotten commit is marked in the log' '
	workspace forget && echo a > f && leat put raw/a f -m one && echo b > f && leat put raw/a f && leat forget raw/a@.1 && leat log raw/a > out && has out "(forgotten) one" &&
	eq "$(leat log raw/a --json | grep -c "\"forgotten\":\"20")" 1
'
test_expect 'tables align numbers to the right, show bytes as ls does and end no line in blanks' '
	workspace table && head -c 2000 /dev/zero > f && leat put raw/a f && leat put raw/abc f && leat branch raw/a@b && leat branch -d raw/a@b > out && has out "deleted" &&
	leat du > out && has out "2.0 kB" && leat du raw/a > out && eq "$(sed -n 3p out)" "raw/a      1  2.0 kB  2.0 kB      0 B" &&
	for c in ls "log raw/a" branch tag du keep status; do leat $c || break; done > all && has all "all repos together" && ! grep -n " \$" all
'
test_expect 'gc says when there is nothing to give back, and never a negative number of bytes' '
	workspace gc && echo a > f && leat put raw/a f && leat gc > out 2>&1 && leat gc > out2 2> err && ! grep -q -- "-[0-9]" out out2 && has err "nothing to give back"
'
test_expect 'rm of a pattern says that it takes none' '
	workspace rm && echo a > f && leat put raw/a f && exits 1 leat rm "raw/a:/*" 2> err && has err "takes no patterns"
'
test_expect 'checkout and cp in the wrong order or from a file say which command is meant' '
	workspace order && echo a > f && leat put raw/a f && exits 2 leat checkout ./co raw/a 2> err && has err "the repo stands first: leat checkout raw/a ./co" &&
	exits 1 leat cp f raw/a 2> err && has err "leat put raw/a f"
'
test_expect 'commit of another branch is refused, since datastore/ shows master only' '
	workspace branch && echo a > f && leat put raw/a f && leat branch raw/a@dev && chmod u+w datastore/raw/a/f && echo b > datastore/raw/a/f &&
	exits 2 leat commit raw/a@dev 2> err && has err "shows master" && has err "leat put raw/a@dev" && leat commit raw/a@master && eq "$(leat cat raw/a:/f)" b
'
test_expect 'drop of a branch that has only an open commit names that one, and what may be done' '
	workspace v && id=$(leat start r) && exits 1 leat drop r@master 2>err && has err "r@master has no commit yet, only the open one $id" "leat drop r@${id:0:8} takes that one away" &&
	leat drop r@${id:0:8} && exits 1 leat drop r@master 2>err && has err "r@master has no commit" && lacks err "open one"
'
test_expect 'a rule of keep is of a whole repo: one for a branch is refused and says so' '
	cd v && echo a >a && leat put r a && exits 2 leat keep r@master last 3 2>err && has err "is a part of a repo" "leat keep r last 30" && exits 2 leat keep r:/a 2>err && has err "is a part of a repo"
'
test_expect 'a line of a list that cannot be put is named with the list and its number' '
	cd v && printf "a\n\nnope\n" >list && exits 1 leat put r -i list 2>err && has err "list:3: " "nope" && mkfifo pipe && printf "a\npipe\n" >list && exits 2 leat put r -i list 2>err && has err "list:2: pipe is neither a file nor a folder" &&
	printf "nope\n" | exits 1 leat put r -i - 2>err && has err "standard input:1: "
'
test_expect 'commit --restore counts what is as committed again and what was moved' '
	cd v && echo b >b && echo c >c && leat put r b c && chmod u+w datastore/r/a && echo edit >datastore/r/a && rm -f datastore/r/b && echo new >datastore/r/n && leat commit --restore >out 2>err &&
	has out "r  2 files as committed again (1 deleted, 1 edited), 2 moved to .leat/lost+found" && eq "$(cat datastore/r/a datastore/r/b)" "a
b"
'
test_expect 'a device or a pipe that is named as output is written into, or refused, and never replaced' '
	workspace special && echo bytes >f && leat put r f && mkfifo p && { cat p >got & } && leat get r:/f -o p && wait $! && same f got && test -p p && exits 2 leat sql "select 1 x" --format csv -o p 2>err && has err "p is a device or a pipe" &&
	if [ "$(id -u)" = 0 ] && mknod null c 1 3 2>err; then leat get r:/f -o null && leat get r --tar -o null && exits 2 leat sql "select 1 x" --format csv -o null 2>err && test -c null; fi
'
test_expect 'status shows a name with control bytes or of no UTF-8 harmlessly, and says that it cannot be adopted' '
	cd special && echo 1 >"datastore/r/new
line" && echo 2 >"$(printf "datastore/r/bad\\377\\033[31m")" && leat status >out && has out "datastore/r/new?line: new" "bad??[31m: new" "it cannot be adopted: the path" && lacks out "leat commit adopts it"
'
test_done
