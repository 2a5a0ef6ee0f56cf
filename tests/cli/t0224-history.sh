#!/usr/bin/env bash
# Branches, tags, moving a head back, ancestry, squash and drop.
. "$(dirname "$0")/../lib.sh"

holds() { # REPO[@PIN]: /path=bytes of it
	leat ls -R "$1" | while read -r p; do echo "$p=$(leat cat "$1:$p")"; done | paste -sd" "
}
abc() { # REPO: c1 A,B; c2 +C; c3 A',C'
	echo A > A && echo B > B && leat put $1 A B && echo C > C && leat put $1 C && echo "A'" > A && echo "C'" > C && leat put $1 A C && rm A B C
} > /dev/null
id_of() { # REPO N
	leat log $1 --json | json /dev/stdin "[r['commit'] for r in (d if type(d) == list else [d]) if r['number'] == $2][0]"
}
workspace w > /dev/null 2>&1 || exit 1

test_expect 'ancestry: three commits writing 1, 2, 3, and the same after ten more' '
	cd w && for i in 1 2 3; do echo $i > f && leat put raw/anc f; done && at() { eq "$(leat cat raw/anc@$1:/f)" $2; } &&
	at master^ 2 && at "master~" 2 && at master^1 2 && at "^" 2 && at "~" 2 && at "^1" 2 && at master^^ 1 && at "master~2" 1 && at .1 1 && at .2 2 && at .3 3 && exits 1 leat cat raw/anc@master^3:/f 2> err && has err "not found" "3 commits" && exits 1 leat cat raw/anc@^3:/f 2> err &&
	for i in $(seq 4 13); do echo $i > f && leat put raw/anc f; done && at .1 1 && at .2 2 && at .3 3 && at master.3 3 && at .13 13 && at "master~12" 1 && at "master~11^" 1 && exits 1 leat cat raw/anc@^13:/f 2> err && has err "13 commits"
'
test_expect 'squash: the last commit is refused, it has no child; drop: the first is refused, it has' '
	cd w && abc raw/s && rm -f f err && state . > ../before && exits 2 leat squash raw/s@.3 2> ../err && has ../err "head of master" "drop" && exits 2 leat drop raw/s@.1 2> ../err && has ../err "commits after it" ".2" && state . > ../after && same ../before ../after
'
test_expect 'squash of the first: the others read as before, and .1 says what it was squashed into' '
	cd w && C1=$(id_of raw/s 1) C2=$(id_of raw/s 2) && leat squash raw/s@.1 > out && has out squashed ${C1:0:12} && eq "$(holds raw/s@.2)" "/A=A /B=B /C=C" && eq "$(holds raw/s@.3)" "/A=A'"'"' /B=B /C=C'"'"'" && count 2 leat log raw/s --json &&
	exits 1 leat ls raw/s@.1 2> err && has err "squashed into master.2" $C2 && exits 1 leat ls raw/s@$C1 2> err && has err "squashed into $C2" && exits 1 leat ls raw/s@${C1:0:8} 2> err && has err "squashed into $C2" && exits 1 leat ls raw/s@^^ 2> err && leat ls raw/s@^ > out && leat fsck
'
test_expect 'drop of the last: the head is the one before, with the original bytes, in datastore/ too' '
	cd w && C3=$(id_of raw/s 3) && leat drop raw/s@master > out && has out dropped ${C3:0:12} && eq "$(holds raw/s)" "/A=A /B=B /C=C" && eq "$(cat datastore/raw/s/A)" A && eq "$(leat branch raw/s --json | json /dev/stdin "d[\"number\"]")" 2 && exits 1 leat ls raw/s@$C3 2> err && has err "was dropped" && leat fsck &&
	leat drop raw/s@.2 && count 0 leat ls raw/s && count 0 leat log raw/s --json && test -z "$(ls datastore/raw/s 2>/dev/null)" && echo again > n && leat put raw/s n && eq "$(leat log raw/s --json | json /dev/stdin "d[\"number\"]")" 1
'
test_expect 'what was an open commit once, and was finished and dropped, says so' '
	cd w && id=$(leat start raw/so) && echo 1 > f && leat put raw/so@$id f && leat finish raw/so && leat drop raw/so@$id && exits 1 leat ls raw/so@$id 2> err && has err "was dropped"
'
test_expect 'squash from the middle; of several at once; the chain of squashes is followed' '
	cd w && for i in 1 2 3 4 5; do echo $i > f && leat put raw/m f; done && I2=$(id_of raw/m 2) I3=$(id_of raw/m 3) I4=$(id_of raw/m 4) && leat squash raw/m@.2 raw/m@.3 && eq "$(leat cat raw/m@.4:/f)" 4 && eq "$(leat cat raw/m@.4^:/f)" 1 && eq "$(leat cat raw/m@.1:/f)" 1 && exits 1 leat cat raw/m@.3:/f 2> err && has err "squashed into master.4" && exits 1 leat cat raw/m@master.2:/f 2> err && has err "squashed into master.4" &&
	exits 1 leat ls raw/m@$I2 2> err && has err "squashed into $I4" && exits 1 leat ls raw/m@master^^^ 2> err && has err "not found" && leat fsck
'
test_expect 'a tag holds a commit: neither squash nor drop takes it' '
	cd w && leat tag raw/m@keep .4 && exits 2 leat squash raw/m@.4 2> err && has err "tagged keep" && leat tag raw/m@top && exits 2 leat drop raw/m@master 2> err && has err "tagged top" && leat tag -d raw/m@top && leat drop raw/m@master && exits 2 leat drop raw/m@keep 2> err && has err keep
'
test_expect 'a pin of a job holds a commit' '
	cd w && abc raw/p && mkdir -p jobs/pinned && printf "kind: script\ninputs:\n  p: {repo: raw/p, pin: master.2}\noutput: tables/pinned\n" > jobs/pinned/job.yaml && echo "cp \$LEAT_INPUT_p/A \$LEAT_OUTPUT/" > jobs/pinned/job.sh &&
	exits 2 leat squash raw/p@.2 2> err && has err "job pinned" "raw/p@master.2" && leat squash raw/p@.1 && rm -r jobs/pinned
'
test_expect 'what runs made of a commit: squash and drop are refused and name it; --recursive takes it along' '
	cd w && mkdir -p jobs/up && printf "kind: script\ninputs: {p: raw/in}\noutput: tables/up\npartition: daily\n" > jobs/up/job.yaml && echo "cat \$LEAT_INPUT_p/* > \$LEAT_OUTPUT/x" > jobs/up/job.sh && for d in 1 2; do echo $d > f && leat put raw/in f --ds 2024-01-0$d && leat run up 2024-01-0$d; done &&
	exits 2 leat drop raw/in@master 2> err && has err "tables/up.2" "--recursive" && exits 2 leat squash raw/in@.1 2> err && has err "tables/up.1" && count 2 leat ls raw/in && leat drop -r raw/in@master --json > out && eq "$(json out "sorted(r[\"repo\"] for r in d)")" "[\"raw/in\", \"tables/up\"]" && eq "$(leat ls tables/up)" /ds=2024-01-01/ && leat fsck &&
	leat plan --json > out && lacks out "2024-01-02" && leat put raw/in f --ds 2024-01-02 && leat run > out && eq "$(leat cat tables/up:/ds=2024-01-02/x)" 2 && leat squash -r raw/in@.1 && eq "$(leat ls tables/up | paste -sd" ")" "/ds=2024-01-01/ /ds=2024-01-02/" && leat plan > out && lacks out stale && leat fsck
'
test_expect 'a later run that used nothing of a commit does not hold it' '
	cd w && echo other > f && leat put raw/in f --ds 2024-01-03 && leat run up 2024-01-01 --again && leat drop raw/in@master && eq "$(leat ls raw/in | paste -sd" ")" "/ds=2024-01-01/ /ds=2024-01-02/"
'
test_expect 'an id alone is its commits in every repo' '
	cd w && echo 1 > f && leat put raw/e1 f && leat put raw/e2 f && printf "put raw/e1:/g f\nput raw/e2:/g f\n" | leat batch -f - && id=$(id_of raw/e1 2) && leat drop $id --json > out && count 2 cat out && eq "$(leat ls raw/e1)" /f && eq "$(leat ls raw/e2)" /f && exits 1 leat drop $id 2> err && exits 2 leat drop raw/e1 2> err && has err "names no commit"
'
test_expect 'branch: made at the head of master or at a pin, listed, deleted; commits stay' '
	cd w && for i in 1 2 3; do echo $i > f && leat put raw/b f; done && leat branch raw/b@here && leat branch raw/b@there --head master~1 && leat branch raw/b@id --head $(id_of raw/b 1) && leat branch raw/b@full --head raw/b@.2 && eq "$(leat cat raw/b@here:/f)" 3 && eq "$(leat cat raw/b@there:/f)" 2 && eq "$(leat cat raw/b@id:/f)" 1 && eq "$(leat cat raw/b@full:/f)" 2 &&
	eq "$(leat branch raw/b --json | json /dev/stdin "[[r[\"branch\"], r[\"number\"]] for r in d]")" "[[\"full\", 2], [\"here\", 3], [\"id\", 1], [\"master\", 3], [\"there\", 2]]" && leat branch --repos > out && has out raw/b there raw/anc && echo 4 > f && leat put raw/b@there f && eq "$(leat cat raw/b@there.3:/f)" 4 && eq "$(leat cat raw/b@master.3:/f)" 3 && eq "$(leat cat raw/b:/f)" 3 &&
	I=$(id_of raw/b@there 3) && leat branch -d raw/b@there && exits 1 leat ls raw/b@there 2> err && eq "$(leat cat raw/b@$I:/f)" 4
'
test_expect 'branch refuses: one that is there, a pin of another repo or that is not there, a name that cannot be, deleting master' '
	cd w && exits 2 leat branch raw/b@here 2> err && has err "already" "--head" && exits 1 leat branch raw/b@x --head nope 2> err && exits 2 leat branch raw/b@x --head raw/anc@.1 2> err && has err "no commit of raw/b" && exits 2 leat branch "raw/b@a b" 2> err && exits 2 leat branch -d raw/b@master 2> err && has err datastore && exits 1 leat branch -d raw/b@nope 2> err && has err "it has" && exits 1 leat branch raw/none@x 2> err && exits 2 leat branch raw/b -d 2> err && exits 2 leat branch raw/b:/p 2> err || exits 1 leat branch raw/b:/p 2> err
'
test_expect 'moving a head back: what is read and shown is the older one; what came after stays readable by its id' '
	cd w && I=$(id_of raw/b 3) && leat branch raw/b@master --head "master~2" && eq "$(leat cat raw/b:/f)" 1 && eq "$(cat datastore/raw/b/f)" 1 && eq "$(leat cat raw/b@$I:/f)" 3 && leat branch raw/b@master --head $I && eq "$(leat cat raw/b:/f)" 3 && eq "$(cat datastore/raw/b/f)" 3 && leat fsck
'
test_expect 'the master of an output is moved by its job only' '
	cd w && exits 2 leat branch tables/up@master --head .1 2> err && has err "job up" && leat branch tables/up@mine --head .2 && leat ls tables/up@mine
'
test_expect 'tag: a name for a commit, read as a pin, moved only by --force, listed, deleted' '
	cd w && leat tag raw/b@v1 .1 && leat tag raw/b@v3 && eq "$(leat cat raw/b@v1:/f)" 1 && eq "$(leat cat raw/b@v3^:/f)" 2 && exits 2 leat tag raw/b@v1 .2 2> err && has err "already" --force && leat tag raw/b@v1 .1 && leat tag raw/b@v1 .2 --force && eq "$(leat cat raw/b@v1:/f)" 2 &&
	eq "$(leat tag raw/b --json | json /dev/stdin "[[r[\"tag\"], r[\"number\"]] for r in d]")" "[[\"v1\", 2], [\"v3\", 3]]" && exits 2 leat tag raw/b@here 2> err && has err "branch" && exits 2 leat branch raw/b@v1 2> err && has err "tag" && exits 2 leat put raw/b@v1 f 2> err && has err "never changes" &&
	leat tag --delete raw/b@v1 && exits 1 leat ls raw/b@v1 2> err && exits 1 leat tag -d raw/b@v1 2> err && has err "it has v3"
'
test_expect 'old words: create branch, list branch, delete branch, squash commit, delete commit' '
	cd w && leat create branch raw/b@old && leat list branch raw/b > out && has out old && leat delete branch raw/b@old && leat squash commit raw/b@.1 --help > out && leat delete commit raw/b@.1 --help > out && has out drop
'
test_expect 'wait of a run ends when it has; of one that failed it exits 1' '
	cd w && printf "kind: script\noutput: tables/slow\n" > jobs/slow.yaml; mkdir -p jobs/slow && printf "kind: script\noutput: tables/slow\n" > jobs/slow/job.yaml && rm jobs/slow.yaml && echo "sleep 1; echo 1 > \$LEAT_OUTPUT/x" > jobs/slow/job.sh && { leat run slow > run.out 2>&1 & } && wait_for 20 sh -c "$LEAT_BIN runs slow -n 1 --json | grep -q run" && R=$(leat runs slow -n 1 --json | json /dev/stdin "d[\"run\"]") && leat wait $R --timeout 60s && leat ls tables/slow > out && has out x &&
	mkdir -p jobs/bad && printf "kind: script\noutput: tables/bad\n" > jobs/bad/job.yaml && echo "exit 3" > jobs/bad/job.sh && exits 1 leat run bad && exits 1 leat wait $(leat runs bad -n 1 --json | json /dev/stdin "d[\"run\"]") 2> err && has err "did not succeed"
'
test_done
