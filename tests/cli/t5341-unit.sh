#!/usr/bin/env bash
# leat run JOB --unit N: one unit alone, and a shell in its folders; nothing is published.
. "$(dirname "$0")/../lib.sh"

leat doctor --json >.t/doctor 2>/dev/null
sandbox=$(json .t/doctor '[r["state"] for r in d if r["what"] == "sandbox"][0]')
state() { leat ls --json; leat log in --json; leat runs --json; leat jobs --json; find .leat/blobs .leat/packs -type f 2>/dev/null | sort; }

test_expect 'a unit by its number, path or id runs alone: its files are listed; nothing is published, recorded or remembered' '
	workspace w && mkdir in && for i in a b c; do echo "file $i" >in/$i; done && leat put in in && mkdir -p jobs/p &&
	printf "inputs: [{repo: in, glob: \"/*\"}]\ncmd: [sh, -c, \"echo told; cp \$in \$LEAT_OUTPUT/got; test \$(basename \$in) != c || exit 7\"]\n" >jobs/p/job.yaml &&
	state >before && leat run p --unit 2 --json >rows 2>err && has rows "\"path\":\"/got\",\"size\":7" && has err told "nothing is published" &&
	eq "$(cat .leat/staging/unit/p/now/out/got)" "file b" && leat run p --unit /a 2>/dev/null && eq "$(cat .leat/staging/unit/p/now/out/got)" "file a" &&
	id=$(leat units p --json | sed -n 2p >.row && json .row "d[\"id\"]") && leat run p --unit "${id:0:8}" 2>/dev/null && eq "$(cat .leat/staging/unit/p/now/out/got)" "file b" &&
	state >after && same before after && exits 1 leat ls p 2>/dev/null && sed -i "s/exit 7/exit 0/" jobs/p/job.yaml && exits 1 leat run --json >run && tail -1 run | has - "\"ran\":3" && leat fsck
'

test_expect 'its exit status is that of the program, of a signal and of a limit too' '
	cd w && sed -i "s/exit 0/exit 7/" jobs/p/job.yaml && exits 7 leat run p --unit 3 2>err && has err "exit status 7" &&
	mkdir -p jobs/slow && printf "inputs: [{repo: in, glob: /}]\ntimeout: 300ms\ncmd: [sleep, 60]\n" >jobs/slow/job.yaml &&
	leat run slow --unit 1 2>err && return 1; has err "longer than its limit" && exits 1 leat ls slow 2>/dev/null
'

test_expect 'a unit that is not there, or more than one that could be meant, is a sentence with what there is' '
	cd w && exits 1 leat run p --unit 4 2>err && has err "no unit 4; it has 3" "leat units p" && exits 1 leat run p --unit /d 2>err && has err "no unit /d" &&
	exits 2 leat run p --shell 2>err && has err "which unit" "1 (/a), 2 (/b), 3 (/c)" && exits 2 leat run --unit 1 2>err && has err "whose unit" &&
	mkdir -p jobs/day && printf "partition: daily\ncmd: [true]\n" >jobs/day/job.yaml && exits 2 leat run day --unit 1 2>err && has err calendar && rm -r jobs/day
'

test_expect '--shell: a shell in the folders of the unit, with its variables; its exit status; nothing is published' '
	cd w && printf "basename \$in; cat \$in; cp \$in \$LEAT_OUTPUT/x; echo more >>\$in; echo \"[\$LEAT_JOB \$LEAT_UNIT]\"; exit 5\n" >say && state >before &&
	SHELL=/bin/sh exits 5 leat run p --unit /b --shell <say >out 2>err && has out b "file b" "[p 2]" && eq "$(cat .leat/staging/unit/p/now/out/x)" "file b" &&
	has err "nothing is published" && state >after && same before after && eq "$(leat cat in:/b)" "file b"
'

if [ "$sandbox" = ok ]; then
test_expect '--shell sees the root of the unit: /pfs with its file alone, /pfs/out, no store' '
	cd w && printf "cd /pfs; find . -type f; ls; ls -A $PWD/.leat | wc -l; echo \$in; exit 0\n" >say &&
	SHELL=/bin/bash leat run p --unit 1 --shell <say >out 2>/dev/null && eq "$(tr "\n" " " <out)" "./in/a in out 0 /pfs/in/a "
'
fi

test_expect 'a second one waits for nobody: it says who has the folders' '
	cd w && mkfifo gate && rm -f .leat/staging/unit/p/lock && (SHELL=/bin/sh leat run p --unit 1 --shell <gate >/dev/null 2>&1 &) && exec 8>gate && until [ -s .leat/staging/unit/p/lock ]; do sleep 0.05; done &&
	exits 1 leat run p --unit 2 2>err && has err "another unit of p is open" "held by pid" && exec 8>&-
'
test_done
