#!/usr/bin/env bash
# merge: what a workspace branch has becomes master's, all repos at once (SEMANTICS 7).
. "$(dirname "$0")/../lib.sh"

day() { # REPO DAY NAME TEXT [option...]: one file of a partition
	printf '%s\n' "$4" > "$3" && leat put "$1:/ds=2024-01-0$2/$3" "$3" "${@:5}" > /dev/null
}
head_of() { leat log "$1" --json | head -1 | json /dev/stdin 'd["commit"]'; }
tree() { leat ls --json; } # the heads of master
fresh() { # NAME [option]: a workspace branch, whatever a test before has left
	leat branch --delete "$1" > /dev/null 2>&1
	leat branch "$@"
}
merges() { leat merge "$@" --json > out; }
how() { json out '" ".join("%s=%s" % (r["repo"], r["how"]) for r in (d if isinstance(d, list) else [d]))'; }
workspace w > /dev/null 2>&1 || exit 1

test_expect 'where master has not moved its heads become those of the branch, of all repos at once; datastore/ shows them' '
	cd w && for r in a b c; do day raw/$r 1 f one && day raw/$r 2 f one || return 1; done && fresh fix && day raw/a 2 f two --on fix && day raw/b 3 f three --on fix && a=$(head_of raw/a@fix) && b=$(head_of raw/b@fix) &&
	eq "$(leat cat raw/a:/ds=2024-01-02/f)" one && merges fix && eq "$(how)" "raw/a=fast raw/b=fast" && eq "$(head_of raw/a)" "$a" && eq "$(head_of raw/b)" "$b" && eq "$(cat datastore/raw/a/ds=2024-01-02/f datastore/raw/b/ds=2024-01-03/f | tr "\n" " ")" "two three " && leat fsck
'
test_expect 'the branch has ended: its name is free, what it had is told no more, and merging it again is refused' '
	cd w && exits 1 leat merge fix && exits 1 leat ls raw/a@fix && exits 1 leat ls --on fix && leat branch --json > out && lacks out fix && fresh fix && leat branch --delete fix
'
test_expect 'where master has moved in another partition both are kept, in a commit of the merge' '
	cd w && fresh fix && day raw/a 1 f mine --on fix && day raw/b 1 f mine --on fix && day raw/a 2 f theirs && old=$(head_of raw/a) && merges fix && eq "$(how)" "raw/a=merged raw/b=fast" && eq "$(leat cat raw/a:/ds=2024-01-01/f)" mine && eq "$(leat cat raw/a:/ds=2024-01-02/f)" theirs &&
	leat log raw/a --json | head -1 > log && eq "$(json log "d[\"message\"]")" "merge fix" && eq "$(json log "d[\"parent\"]")" "$old" && eq "$(json log "d[\"global_id\"]")" "$(head_of raw/a)" && eq "$(cat datastore/raw/a/*/f | tr "\n" " ")" "mine theirs "
'
test_expect 'where both changed one partition the conflict is named, exit status 1, and nothing has moved' '
	cd w && fresh fix && day raw/a 1 f left --on fix && day raw/a 2 f left --on fix && day raw/c 1 f left --on fix && day raw/a 1 f right && day raw/a 2 g right && tree > before && exits 1 leat merge fix 2> err && has err "fix and master both changed raw/a ds=2024-01-01, ds=2024-01-02" && has err "--ours REPO" && tree > after && same before after && eq "$(leat cat raw/c:/ds=2024-01-01/f)" one && eq "$(leat cat raw/c:/ds=2024-01-01/f --on fix)" left
'
test_expect '--dry-run tells it, moves nothing, and exits 1; all conflicts stand in its JSON' '
	cd w && exits 1 leat merge fix --dry-run --json > out && eq "$(how)" "raw/a=conflict raw/c=fast" && eq "$(json out "d[0][\"conflicts\"]")" "[\"ds=2024-01-01\", \"ds=2024-01-02\"]" && tree > after && same before after && exits 1 leat merge fix -n > out && has out "conflict"
'
test_expect '--ours and --theirs choose per repo, for what is in conflict only' '
	cd w && day raw/b 1 f left --on fix && day raw/b 1 f right && day raw/a 3 f left --on fix && merges fix --ours raw/a --theirs raw/b && eq "$(how)" "raw/a=merged raw/b=merged raw/c=fast" && eq "$(leat cat raw/a:/ds=2024-01-01/f)" right && eq "$(leat cat raw/a:/ds=2024-01-03/f)" left && eq "$(leat cat raw/b:/ds=2024-01-01/f)" left && eq "$(leat cat raw/c:/ds=2024-01-01/f)" left && leat fsck
'
test_expect 'equal content on both sides is no conflict' '
	cd w && fresh fix && day raw/a 1 f same --on fix && day raw/a 1 f same && merges fix && eq "$(leat cat raw/a:/ds=2024-01-01/f)" same
'
test_expect 'append-only: of a partition to which both only added files all are kept; one that one side changed is a conflict' '
	cd w && fresh fix && day raw/log 1 base x && fresh two && day raw/log 1 m1 m && day raw/log 1 f1 f --on two && day raw/log 2 f2 f --on two && day raw/log 2 m2 m && merges two && eq "$(find datastore/raw/log -type f | wc -l)" 5 && fresh two && day raw/log 1 base y --on two && day raw/log 1 more z && exits 1 leat merge two 2> err && has err "raw/log ds=2024-01-01" && leat branch --delete two && leat branch --delete fix
'
test_expect 'outside of ds= folders files count one by one' '
	cd w && for f in p q; do echo $f > $f && leat put raw/files $f || return 1; done && fresh fix && echo left > p && leat put raw/files p --on fix && echo right > q && leat put raw/files q && merges fix && eq "$(leat cat raw/files:/p)$(leat cat raw/files:/q)" leftright && fresh fix && echo l > p && leat put raw/files p --on fix && echo r > p && leat put raw/files p && exits 1 leat merge fix 2> err && has err "raw/files /p" && merges fix --theirs raw/files && eq "$(leat cat raw/files:/p)" l
'
test_expect 'repos that were made on the branch come, repos that it removed end' '
	cd w && day raw/old 1 f x && fresh fix && day raw/new 1 f n --on fix && leat rm --repo raw/old --on fix && exits 1 leat ls raw/new && leat ls raw/old && merges fix && eq "$(how)" "raw/new=new raw/old=removed" && eq "$(leat cat raw/new:/ds=2024-01-01/f)" n && exits 1 leat ls raw/old && [ ! -e datastore/raw/old ] && [ -e datastore/raw/new/ds=2024-01-01/f ] && leat fsck
'
test_expect 'a repo that the branch removed and master changed is a conflict; so is one that another branch still has' '
	cd w && day raw/x 1 f x && fresh fix && leat rm --repo raw/x --on fix && day raw/x 1 f y && exits 1 leat merge fix 2> err && has err "raw/x (removed on fix, changed on master)" && merges fix --ours raw/x && eq "$(how)" "raw/x=kept" && leat ls raw/x &&
	fresh fix && fresh two && leat rm --repo raw/x --on fix && day raw/x 2 f z --on two && exits 2 leat merge fix 2> err && has err "the workspace branch two has raw/x" && leat ls raw/x && leat branch --delete two && day raw/x 3 f y && merges fix --theirs raw/x && exits 1 leat ls raw/x
'
test_expect 'two branches of one base, one after the other: the second is merged by partition, and told of what the first took' '
	cd w && fresh one && fresh two && day raw/b 1 f one --on one && day raw/b 2 f one --on one && day raw/b 3 f two --on two && day raw/c 2 f two --on two && merges one && eq "$(how)" "raw/b=fast" && merges two && eq "$(how)" "raw/b=merged raw/c=fast" && eq "$(cat datastore/raw/b/*/f | tr "\n" " ")" "one one two " &&
	fresh one && fresh two && day raw/b 1 f A --on one && day raw/b 1 f B --on two && merges one && exits 1 leat merge two 2> err && has err "raw/b ds=2024-01-01" && merges two --theirs raw/b && eq "$(leat cat raw/b:/ds=2024-01-01/f)" B
'
test_expect '--keep: the branch goes on from what master has; its next merge takes only what came after' '
	cd w && fresh fix && day raw/a 1 f k1 --on fix && day raw/a 2 f m1 && merges fix --keep && eq "$(how)" "raw/a=merged" && eq "$(leat cat raw/a:/ds=2024-01-02/f --on fix)" m1 && leat diff master fix > out && has out "0 repos differ" && day raw/a 2 f m2 && day raw/a 1 f k2 --on fix && eq "$(leat cat raw/a:/ds=2024-01-02/f --on fix)" m1 && merges fix && eq "$(cat datastore/raw/a/ds=2024-01-0[12]/f | tr "\n" " ")" "k2 m2 "
'
test_expect 'a frozen branch is merged against where it was frozen' '
	cd w && fresh fix --freeze && day raw/a 1 f later && day raw/a 2 f ice --on fix && merges fix && eq "$(how)" "raw/a=merged" && eq "$(cat datastore/raw/a/ds=2024-01-0[12]/f | tr "\n" " ")" "later ice "
'
test_expect 'a branch with an open commit is refused, exit status 2, nothing changed' '
	cd w && fresh fix && day raw/a 1 f o1 --on fix && id=$(leat start raw/b --on fix) && tree > before && exits 2 leat merge fix 2> err && has err "raw/b has the open commit" && tree > after && same before after && leat drop raw/b@$id && merges fix
'
test_expect 'bad input: exit status 2 and a sentence' '
	cd w && fresh fix && day raw/a 1 f q --on fix && exits 2 leat merge master 2> err && has err "master is what is merged into" && exits 2 leat merge fix --ours raw/nono 2> err && has err "fix has written no such repo" && exits 2 leat merge fix --ours raw/a --theirs raw/a 2> err && has err "not both" && exits 2 leat merge && exits 2 leat merge fix two && exits 1 leat merge fxi 2> err && has err "did you mean fix?" && fresh two && exits 2 leat merge fix --on two 2> err && has err "this is on two" && exits 2 leat merge fix --nono && LEAT_ON=fix leat merge fix && leat branch --delete two
'
test_expect 'a branch without anything ends, and says so' '
	cd w && fresh fix && leat merge fix > out 2> err && has err "master has all of it already" && [ ! -s out ] && exits 1 leat merge fix
'
test_expect 'a merge is one event: wait, log and diff take its id' '
	cd w && fresh fix && day raw/a 1 f e1 --on fix && day raw/c 1 f e1 --on fix && day raw/c 2 f e2 && merges fix && id=$(head_of raw/c) && leat diff $id > out && has out "~ raw/a" && has out "~ raw/c" && has out "2 repos differ" && leat log $id > out && has out raw/c
'
test_done
