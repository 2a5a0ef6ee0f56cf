#!/usr/bin/env bash
# gc beside what others are doing: nothing that is in use, or that was promised, goes (SEMANTICS 8 and 9).
. "$(dirname "$0")/../lib.sh"

gc_until() { # FILE: gc again and again until the file is there; counts into gcs, the first error ends it
	gcs=0
	while [ ! -e "$1" ]; do
		"$LEAT_BIN" gc --memo --json > ../gc.out 2> ../gc.err 9>&- || { cat ../gc.err >&2; return 1; }
		gcs=$((gcs + 1)) && sleep 0.03
	done
	echo "$gcs rounds of gc"
}
days() { echo "2018-01-01..2018-01-$1"; }
# One job gives what its code says, its reader is slow: both publish together, long after the plan.
make_jobs() { # SECONDS
	mkdir -p jobs/one jobs/two &&
		printf 'kind: script\npartition: daily\noutput: raw/one\npipeline: p\n' > jobs/one/job.yaml &&
		printf '#!/bin/sh\nV=1; printf "%%s of %%s\\n" "$V" "$DS" > "$LEAT_OUTPUT/a"; head -c 70000 /dev/zero | tr "\\\\0" "$V" > "$LEAT_OUTPUT/big"; echo "$DS" >> "$LEAT_OUTPUT/big"; echo made\n' > jobs/one/job.sh &&
		printf 'kind: script\npartition: daily\noutput: raw/two\npipeline: p\ninputs: {one: raw/one}\n' > jobs/two/job.yaml &&
		printf '#!/bin/sh\nsleep %s; cp "$LEAT_INPUT_one/a" "$LEAT_OUTPUT/b"\n' "$1" > jobs/two/job.sh
}

test_expect 'results that a run has decided to use stay beside a gc that lets go all remembered ones; what it publishes reads back' '
	rm -f run.out ended && workspace memo && make_jobs 0 && leat run two $(days 12) -u && sed -i "s/V=1/V=2/" jobs/one/job.sh && leat run two $(days 12) -u &&
	leat keep raw/one last 1 && leat keep raw/two last 1 && leat gc --no-repack && sed -i "s/V=2/V=1/" jobs/one/job.sh && sed -i "s/sleep 0/sleep 0.3/" jobs/two/job.sh &&
	{ { s=0; "$LEAT_BIN" run two $(days 12) -u -j 2 --json > ../run.out 2>&1 9>&- || s=$?; echo $s > ../ended; } & } && run=$! && wait_for 10 test -s ../run.out && gc_until ../ended && wait $run && { eq "$(cat ../ended)" 0 || { cat ../run.out; return 1; } } && eq "$(grep -c "\"event\":\"known\"" ../run.out)" 12 &&
	leat fsck && for d in 01 07 12; do eq "$(leat cat raw/one:/ds=2018-01-$d/a)" "1 of 2018-01-$d" && eq "$(leat cat raw/two:/ds=2018-01-$d/b)" "1 of 2018-01-$d" && eq "$(leat cat raw/one:/ds=2018-01-$d/big | wc -c)" 70011; done &&
	leat gc --memo && leat fsck
'
test_expect 'files of an output that are put back from the store are there beside gc, run after run' '
	workspace back && make_jobs 0 && leat run two $(days 06) -u && rm -f ../ended &&
	{ { for i in 1 2 3 4 5 6; do rm -f datastore/raw/one/ds=2018-01-0$i/a && "$LEAT_BIN" run two $(days 06) -u 9>&- || { echo 1 > ../ended; exit 1; }; done > ../run.out 2>&1; echo 0 > ../ended; } & } && run=$! && gc_until ../ended && wait $run && { eq "$(cat ../ended)" 0 || { cat ../run.out; return 1; } } && leat fsck &&
	for i in 1 2 3 4 5 6; do eq "$(leat cat raw/one:/ds=2018-01-0$i/a)" "1 of 2018-01-0$i" && same <(leat cat raw/one:/ds=2018-01-0$i/a) datastore/raw/one/ds=2018-01-0$i/a; done
'
test_expect 'an open commit keeps what was put into it, however often gc runs, and what its base held' '
	workspace open && head -c 300000 /dev/urandom > f && head -c 900 /dev/urandom > g && leat put raw/a:/base f && id=$(leat start raw/a) && leat put raw/a@$id:/f g &&
	head -c 200000 /dev/urandom > h && leat put raw/a@$id:/h h && leat gc --memo && leat gc --memo && leat fsck && leat cat raw/a@$id:/f | cmp - g && leat cat raw/a@$id:/h | cmp - h &&
	leat finish raw/a && leat cat raw/a:/h | cmp - h && leat cat raw/a:/base | cmp - f && leat cat raw/a:/f | cmp - g && leat gc && leat fsck
'
test_expect 'a slow reader of a commit that retention lets go meanwhile reads to its end' '
	workspace reader && head -c 20000000 /dev/urandom > f && leat put raw/a:/f f && echo x > g && leat put raw/a:/f g && leat keep raw/a last 1 && mkfifo pipe &&
	{ "$LEAT_BIN" get raw/a@master.1:/f -o - > pipe 9>&- & } && reader=$! && exec 7< pipe && head -c 65536 <&7 > part && for i in 1 2 3; do leat gc --memo || return 1; done &&
	eq "$(leat log raw/a --json | wc -l)" 1 && { cat part; cat <&7; } | cmp - f && exec 7<&- && wait $reader && leat gc && leat fsck && exits 1 leat cat raw/a@master.1:/f &&
	test "$(find .leat/blobs .leat/packs -type f -size +1M | wc -l)" = 0
'
test_expect 'the same of a version that gc has laid into packs, while its packs are written anew' '
	workspace packed && head -c 6000000 /dev/urandom > f && leat put raw/a:/f f && echo x > g && leat put raw/a:/f g && leat gc && leat keep raw/a last 1 && mkfifo pipe &&
	{ "$LEAT_BIN" get raw/a@master.1:/f -o - > pipe 9>&- & } && reader=$! && exec 7< pipe && head -c 65536 <&7 > part && leat gc --memo && leat gc &&
	{ cat part; cat <&7; } | cmp - f && exec 7<&- && wait $reader && leat gc && leat fsck
'
slow_put() { # feeds a put in four pieces; gc between them
	exec 7> pipe && for i in 1 2 3 4; do
		cat piece$i >&7 && leat gc --memo > ../gc.out 2>&1 || { cat ../gc.out; return 1; }
	done
	exec 7>&-
}
test_expect 'a put that is fed slowly beside gc is whole when it ends, or says that it is to be run again' '
	workspace writer && for i in 1 2 3 4; do head -c 1500000 /dev/urandom > piece$i; done && cat piece* > all && mkfifo pipe &&
	{ "$LEAT_BIN" put raw/a:/f - < pipe > ../put.out 2>&1 9>&- & } && writer=$! && slow_put && s=0 && { wait $writer || s=$?; } &&
	if [ $s = 0 ]; then leat cat raw/a:/f | cmp - all; else has ../put.out "again" && leat put raw/a:/f all; fi && leat gc && leat fsck && leat cat raw/a:/f | cmp - all
'
test_expect 'what a slow put counts on because it was there stays, though nothing else needs it any more' '
	workspace counts && head -c 400000 /dev/urandom > there && leat put raw/old:/f there && for i in 1 2 3 4; do head -c 1500000 /dev/urandom > piece$i; done && cat piece* > all && mkdir d && cp there d/a && mkfifo pipe &&
	{ "$LEAT_BIN" put raw/a --untar - < pipe > ../put.out 2>&1 9>&- & } && writer=$! && cp all d/z && tar cf t.tar -C d a z && split -n 4 -d -a 1 --numeric-suffixes=1 t.tar piece && leat rm --repo raw/old &&
	exec 7> pipe && cat piece1 >&7 && sleep 0.2 && leat gc --memo && cat piece2 >&7 && leat gc --memo && cat piece3 piece4 >&7 && exec 7>&- && s=0 && { wait $writer || s=$?; } &&
	if [ $s = 0 ]; then leat cat raw/a:/a | cmp - there && leat cat raw/a:/z | cmp - all; else has ../put.out "again"; fi && leat gc && leat fsck
'
can_mount() {
	workspace probe > /dev/null && "$LEAT_BIN" mount "$TRASH/at" -b > /dev/null 2>&1 9>&-
}
off() { fusermount3 -u "$1" 2> /dev/null || umount "$1"; }
if (can_mount) && off "$TRASH/at"; then
	test_expect 'a file that is open in a mount reads to its end though its commit was let go and gc ran' '
		workspace mount && head -c 9000000 /dev/urandom > f && leat put raw/a:/f f && leat mount "$TRASH/m" -b && exec 7< "$TRASH/m/raw/a@master.1/f" && head -c 65536 <&7 > part &&
		echo x > g && leat put raw/a:/f g && leat keep raw/a last 1 && leat gc --memo && leat gc --memo && { cat part; cat <&7; } | cmp - f; s=$?; exec 7<&-; off "$TRASH/m"; [ $s = 0 ] && leat gc && leat fsck
	'
	gives() { leat gc >../gc.out 2>../gc.err && has ../gc.out "objects that nothing needs"; }
	test_expect 'a mount of an open commit shows what it holds now; gc says that it is read, and gives the space back once nobody is in it though the mount stays' '
		workspace opened && head -c 2000000 /dev/urandom >x && echo a >a && echo b >b && leat put x x && id=$(leat start r) && leat put r@$id a && leat mount "$TRASH/o" -b && m=$TRASH/o/r@$id && eq "$(cat "$m/a")" a &&
		leat rm --repo x && cd "$m" && leat -C "$TRASH/opened" gc 2>"$TRASH/gc.err" && has "$TRASH/gc.err" "reading" && lacks "$TRASH/gc.err" "all is needed" && leat -C "$TRASH/opened" put r@$id "$TRASH/opened/b" && eq "$(ls "$m" | tr "\\n" " ")" "a b " && eq "$(cat "$m/b")" b && eq "$(cat a)" a &&
		cd "$TRASH/opened" && exec 7<"$m/b" && leat drop r@$id && exits 1 cat "$m/a" && eq "$(cat <&7)" b && exec 7<&- && wait_for 20 gives; s=$?; exec 7<&-; cd "$TRASH" && off "$TRASH/o"; [ $s = 0 ] && leat -C opened fsck
	'
else
	test_skip 'a mount of an open commit' 'nothing can be mounted here'
	test_skip 'a file that is open in a mount reads to its end though its commit was let go and gc ran' 'nothing can be mounted here'
fi
test_done
