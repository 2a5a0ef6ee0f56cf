#!/usr/bin/env bash
# datumBatching: one long-lived program takes one unit after the other, each when it asks for it by `leat next`.
. "$(dirname "$0")/../lib.sh"

job() { # NAME: the rest of its job.yaml from standard input
	mkdir -p "jobs/$1" && cat >"jobs/$1/job.yaml"
}
says() { # NUMBERS: the last line of the run in `run`
	tail -1 run >.last && while [ $# -gt 0 ]; do eq "$(json .last "d['$1']")" "$2" || return 1; shift 2; done
}
each() { # NAME COMMANDS [KEY]: a loop that does COMMANDS for each unit ($n: the name of its file), with both sandboxes
	printf 'inputs: [{repo: in, glob: "/*"}]\ndatumBatching: true\n%b\ncmd: [bash]\nstdin:\n  - echo $$ >$HOME/pid; trap "echo bye $(cat $HOME/pid)" EXIT\n  - while leat next; do . $(dirname $LEAT_OUTPUT)/.env 2>/dev/null || . $(dirname $LEAT_OUTPUT)/pfs/.env; n=$(basename $in); %s; done\n' "$3" "$2" | job "$1"
}

test_expect 'one process takes all units: each sees its own files and variables, and its output is its own' '
	workspace w && mkdir in && for i in 1 2 3 4 5 6 7 8 9; do echo "file $i" >in/$i; done && leat put in in &&
	for s in auto off; do
		each p-$s "ls \$(dirname \$in) | tr -d \"\\\\n\" >\$LEAT_OUTPUT/\$n; echo \" \$\$ \$PACH_DATUM_ID \$LEAT_UNIT\" >>\$LEAT_OUTPUT/\$n; cat \$in >>\$LEAT_OUTPUT/\$n; echo told \$n" "sandbox: $s" &&
		leat run p-$s -j 1 --json >run && says ran 9 failed 0 && eq "$(leat ls p-$s | wc -l)" 9 && leat get p-$s: -r -o got-$s &&
		for i in 1 2 3 4 5 6 7 8 9; do has got-$s/$i "file $i" && eq "$(head -c 2 got-$s/$i)" "$i " || return 1; done &&
		eq "$(cat got-$s/* | sed -n "s/^. \([0-9]*\) .*/\1/p" | sort -u | wc -l)" 1 && eq "$(cat got-$s/* | sed -n "s/^. [0-9]* \([0-9a-f]*\) .*/\1/p" | sort -u | wc -l)" 9 || return 1
	done && leat run --json >run && says ran 0 && echo more >in/3 && leat put in in/3 && leat run --json >run && says ran 2 && leat cat p-auto:/3 | has - more
'

test_expect 'the log of a unit is its own; pachctl next datum and --error are understood' '
	cd w && leat why p-off:/7 >why && job pach <<\X &&
inputs: [{repo: in, glob: "/*"}]
datumBatching: true
cmd: [bash]
stdin:
  - why=""
  - while true; do
  - pachctl next datum ${why:+--error "$why"} || exit; why=""
  - . /pfs/.env 2>/dev/null || . $(dirname $LEAT_OUTPUT)/pfs/.env
  - echo "log of $(basename $in)"
  - cp $in $LEAT_OUTPUT
  - test $(basename $in) != 4 || why="four is bad"
  - done
X
	exits 1 leat run pach --json >run && says ran 8 failed 1 && exits 1 leat run pach 2>err && has err "four is bad" "/4" && eq "$(leat ls pach 2>/dev/null)" "" &&
	leat logs pach >log && has log "log of 4" && lacks log "log of 5"
'

test_expect 'a program that dies in the middle fails only the unit that it is at; the others go on in another one' '
	cd w && each die "echo \$\$ >\$LEAT_OUTPUT/\$n; test \$n != 5 || kill -9 \$\$; test \$n != 7 || exit 3" && exits 1 leat run die -j 1 --json >run && says ran 7 failed 2 &&
	exits 1 leat run die 2>err && has err "signal 9" "exit status 3" && sed -i "s/n != 5/n != 0/; s/n != 7/n != 0/" jobs/die/job.yaml && leat run die --json >run && says failed 0
'

test_expect 'a limit of time is that of one unit; what it left in its output is gone with it' '
	cd w && each slow "echo x >\$LEAT_OUTPUT/\$n; test \$n != 2 || sleep 60" "timeout: 2s" && exits 1 leat run slow -j 1 --json >run && says ran 8 failed 1 && exits 1 leat run slow 2>err && has err "/2" "longer than its limit"
'

test_expect 'what it writes late or holds open reaches no other unit, and not what the store has' '
	cd w && each late "exec 7>>\$LEAT_OUTPUT/\$n; echo \$n >&7; test -z \"\$before\" || echo LATE >&6; before=1; exec 6>&7" && leat run late -j 1 && leat get late: -r -o late && for i in 1 2 3 4 5 6 7 8 9; do eq "$(cat late/$i)" $i || return 1; done && leat fsck
'

test_expect 'one that never asks, and one that ends without a word, fail with a sentence; leat next elsewhere does too' '
	cd w && job mute <<\X &&
inputs: [{repo: in, glob: "/1"}]
datumBatching: true
cmd: [sh, -c, "echo hello"]
X
	exits 1 leat run mute 2>err && has err "it ended before it asked for the next unit" && leat logs mute | has - hello && exits 2 leat next 2>err && has err "there is no next unit here"
'

test_expect 'lazy inputs are new pipes for each unit, in one process: read whole, in part, twice or not at all; nothing is left of what fills them' '
	workspace z && mkdir in && for i in 1 2 3 4 5 6; do head -c 200000 /dev/urandom >in/$i; done && leat put in in &&
	for s in auto off; do
		each z-$s "test -p \$in || exit 8; case \$n in 2) ;; 3) head -c 10 \$in >\$LEAT_OUTPUT/3;; 4) cat \$in \$in >\$LEAT_OUTPUT/4;; *) cat \$in >\$LEAT_OUTPUT/\$n;; esac; echo \$\$ >>\$LEAT_OUTPUT/pid-\$n" "sandbox: $s" && sed -i "s|glob: \"/\*\"|glob: \"/*\", lazy: true|" jobs/z-$s/job.yaml &&
		leat run z-$s -j 1 --json >run && says ran 6 failed 0 && leat get z-$s: -r -o got && for i in 1 5 6; do same got/$i in/$i; done && cat in/4 in/4 | same - got/4 && head -c 10 in/3 | same - got/3 && ! [ -e got/2 ] && eq "$(cat got/pid-* | sort -u | wc -l)" 1 && rm -r got || return 1
	done && ! pgrep -f "role pipes $TRASH/z" >/dev/null
'
test_expect 'bytes of a lazy input that the store has lost fail that unit of a batch and no other' '
	cd z && blob=.leat/blobs/$(sha256sum <in/5 | sed "s/^\(..\)\([0-9a-f]*\).*/\1\/\2/") && cp -p $blob keep && chmod u+w $blob && printf XXXX | dd of=$blob bs=1 seek=190000 conv=notrunc status=none &&
	each lost "cat \$in >\$LEAT_OUTPUT/\$n" "sandbox: auto" && sed -i "s|glob: \"/\*\"|glob: \"/*\", lazy: true|" jobs/lost/job.yaml && exits 1 leat run lost -j 1 --json >run && says ran 5 failed 1 && exits 1 leat run lost 2>err && has err "/5" "a lazy input could not be read" && leat logs lost | has - "lazy input cannot be read"
'

test_expect 'errCmd recovers a unit of such a job, and a unit runs alone' '
	cd w && each err "cp \$in \$LEAT_OUTPUT; test \$n != 6 || exit 4" "errCmd: [echo, stands by]" && leat run err --json >run && says ran 8 recovered 1 failed 0 &&
	leat run err --unit 2 --json 2>/dev/null | has - "\"path\":\"/2\"" && ! pgrep -f "$TRASH/w/.leat/staging" >/dev/null
'
test_done
