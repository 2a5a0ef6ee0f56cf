#!/usr/bin/env bash
# What put, get and rm refuse: a sentence with place and remedy, and nothing written.
. "$(dirname "$0")/../lib.sh"

leat init w > /dev/null 2>&1
echo f > f; echo g > g; mkdir -p D E && echo 1 > D/x && echo 2 > E/x
leat -C w put raw/x f > /dev/null
leat -C w put raw/x:/folder/f f > /dev/null
long=$(printf 'x%.0s' {1..255})

# refused 'sentence' STATUS 'text of the error' words…
refused() {
	local sentence=$1
	STATUS=$2 TEXT=$3
	shift 3
	WORDS=("$@")
	test_expect "$sentence" '
		state w > before && exits "$STATUS" leat -C w "${WORDS[@]}" < f > out 2> err && has err "$TEXT" && test ! -s out &&
		test "$(wc -l < err)" -le 3 && state w > after && same before after
	'
}
refused 'a repo name that cannot be, with one that can' 2 'Bad_Name' put 'Bad Name!' f
refused 'a repo name that begins with a dot' 2 'no repo name' put .hidden f
refused 'a repo name that goes up' 2 'no repo name' put ../x f
refused 'a repo inside another' 2 'raw/x:/y is a path in it' put raw/x/y f
refused 'a repo around another' 2 'never lies inside another' put raw f
refused 'a repo that differs from another only in case' 2 'differs only in case' put raw/X f
refused 'a path that goes up' 2 '".."' put raw/x:/../y f
refused 'a path with a part of one dot' 2 '"."' put raw/x:/a/./b f
refused 'a path with a line break' 2 'control character' put "raw/x:/a
b" f
refused 'a path that is no UTF-8' 2 'UTF-8' put "raw/x:/$(printf 'bad\377')" f
refused 'a name of more than 255 bytes' 2 '255' put "raw/x:/y$long" f
refused 'a day that is none' 2 '2024-02 has no day 30' put raw/x f --ds 2024-02-30
refused 'a month that is none' 2 '2017-99-99' put raw/x f --ds 2017-99-99
refused 'a week that is none' 2 '2024-W60' put raw/x f --ds 2024-W60
refused 'an hour that is none' 2 '2024-01-01T25' put raw/x f --ds 2024-01-01T25
refused 'a ds word where a label is asked for' 2 'no date label' put raw/x f --ds tomorrowish
refused 'standard input without a name' 2 '--name' put raw/x -
refused 'standard input with --ds and no name' 2 '--name' put raw/x - --ds 2024-01-01
refused 'a file that is not there' 1 'nofile' put raw/x nofile
refused 'a URL that nobody answers' 1 'leat new download' put raw/x http://127.0.0.1:1/x
refused 'a scheme that is none of ours: taken for a file' 1 'gopher' put raw/x gopher://localhost/x
refused 'a file where a folder lies' 2 'folder is a folder' put raw/x:/folder f
refused 'a file below a file' 2 'f is a file' put raw/x:/f/y f
refused 'a device' 2 'neither a file nor a folder' put raw/x /dev/null
refused 'the workspace itself' 2 'holds the workspace itself' put raw/x w
refused 'the store itself' 2 'holds the workspace itself' put raw/x w/.leat
refused 'a branch name that cannot be' 2 'no branch or tag name' put 'raw/x@a b' f
refused 'nothing after @' 2 'nothing after' put raw/x@ f
refused 'a repo that is not there' 1 'no repo raw/y' ls raw/y
refused 'a repo that is nearly there, with the one that is' 1 'did you mean raw/x?' ls raw/xx
refused 'a path that is not there' 1 'raw/x has no /none' cat raw/x:/none
refused 'a folder where a file is asked for' 2 'is a folder' cat raw/x:/folder
refused 'a file named as a folder' 1 'raw/x has no /f/' ls raw/x:/f/
refused 'a folder to standard output' 2 'standard output' get raw/x:/folder -o -
refused 'deleting a folder without -r' 2 '-r deletes folders' rm raw/x:/folder
refused 'deleting what is not there' 1 'raw/x has no /none' rm raw/x:/none
refused 'deleting a whole repo by its name alone' 2 'rm --repo' rm raw/x
refused 'ending a repo that is not there' 1 'no repo' rm --repo raw/zzz
refused 'a log of what is not there' 1 'no repo' log raw/zzz
refused 'an id that names nothing' 1 'no repo, commit or batch' log ffffffff
refused 'a number of commits that is none' 2 '--limit' log raw/x -n 0
refused 'a depth that is none' 2 'is not a depth' tree raw/x deep

test_expect 'two different files that would get one name are refused, and no commit is made' '
	leat -C w log raw/x > before && exits 2 leat -C w put raw/x D/x E/x 2> err && has err "two different files" /x &&
	exits 2 leat -C w put raw/x D/. E/. 2> err && has err "two different files" && leat -C w log raw/x > after && same before after
'
test_expect 'a name of 255 bytes, one in UTF-8, one with spaces and signs, and a hidden one come back as they are' '
	mkdir names && cd names && echo 1 > "$long" && echo 2 > "Größe €.csv" && echo 3 > "a b  c;d\$e" && echo 4 > .hidden && mkdir "d e" && echo 5 > "d e/f" &&
	leat -C ../w put raw/names . && leat -C ../w get raw/names -o ../back && diff -r . ../back && diff -r . ../w/datastore/raw/names &&
	leat -C ../w cat "raw/names:/Größe €.csv" > ../out && eq "$(cat ../out)" 2
'
test_expect 'a link that leads out of its folder, nowhere or around is refused, naming it' '
	mkdir -p K1 K2 K3/a && ln -s /etc/hostname K1/out && ln -s nowhere K2/gone && ln -s .. K3/a/up &&
	exits 2 leat -C w put raw/k K1 2> err && has err K1/out /etc/hostname && exits 2 leat -C w put raw/k K2 2> err && has err K2/gone &&
	exits 2 leat -C w put raw/k K3 2> err && has err "a/up" && exits 1 leat -C w ls raw/k 2> err
'
test_expect 'a folder with a pipe in it is refused, naming the pipe, and not waited for' '
	mkdir P && mkfifo P/fifo && exits 2 leat -C w put raw/p P 2> err && has err P/fifo && exits 2 leat -C w put raw/p P/fifo 2> err
'
test_expect 'a commit is no branch: put and rm into one are refused' '
	c=$(leat -C w log raw/x --json | head -1 | python3 -c "import json,sys; print(json.load(sys.stdin)[\"commit\"])") &&
	exits 2 leat -C w put raw/x@$c f 2> err && has err "never changes" raw/x@master && exits 2 leat -C w put raw/x@${c:0:8} f 2> err &&
	exits 2 leat -C w rm raw/x@$c:/f 2> err && has err "never changes" && leat -C w ls raw/x:/f
'
test_expect 'one rm is one commit: of two repos it is refused' '
	leat -C w put raw/x2 f && exits 2 leat -C w rm raw/x:/f raw/x2:/f 2> err && has err "one commit" && leat -C w ls raw/x:/f && leat -C w ls raw/x2:/f
'
test_expect 'the output of a job is written by the job alone: put, rm and rm --repo name it' '
	workspace o && mkdir jobs/make && printf "kind: script\noutput: tables/made\npartition: none\n" > jobs/make/job.yaml &&
	printf "#!/bin/sh\necho 1 > \$LEAT_OUTPUT/x\n" > jobs/make/job.sh && chmod +x jobs/make/job.sh && leat run make &&
	for c in "put tables/made ../f" "rm tables/made:/x" "rm --repo tables/made"; do
		exits 2 leat $c 2> err && has err "make"
	done && leat cat tables/made:/x > out && eq "$(cat out)" 1
'
test_expect 'a repo that a job reads is not ended; a job that cannot be read holds it back too' '
	workspace rr && leat put raw/in ../f && mkdir jobs/use && printf "kind: script\ninputs: {in: raw/in}\noutput: tables/u\npartition: none\n" > jobs/use/job.yaml &&
	printf "#!/bin/sh\n" > jobs/use/job.sh && chmod +x jobs/use/job.sh && exits 2 leat rm --repo raw/in 2> err && has err "job use reads raw/in" &&
	echo "kindd: x" > jobs/use/job.yaml && exits 2 leat rm --repo raw/in 2> err && has err "jobs/use/job.yaml:1:1" && rm -r jobs/use &&
	leat rm --repo raw/in && exits 1 leat ls raw/in && test ! -e datastore/raw/in
'
test_expect 'a repo that was ended may begin anew, and has no past' '
	workspace again && leat put raw/a ../f && leat put raw/a ../f && leat rm --repo raw/a && leat put raw/a ../g && count 1 leat log raw/a --json &&
	eq "$(leat ls raw/a)" /g
'
test_expect 'a store written by a newer leat is refused by name, and left alone' '
	workspace nf && leat put raw/x ../f && python3 "$TESTS/fake/edit_db.py" .leat/leat.db "pragma user_version = 99" &&
	sha256sum .leat/leat.db > ../before && exits 2 leat ls 2> ../err && has ../err newer && exits 2 leat put raw/x ../f 2> ../err && sha256sum .leat/leat.db > ../after && same ../before ../after
'
test_expect 'a store that is no store is a sentence, not a crash' '
	workspace broken && rm -f .leat/leat.db-* && head -c 5000 /dev/urandom > .leat/leat.db && exits 1 leat ls 2> err && has err leat.db
'
test_expect 'the output of a job that was removed is a plain repo, which put and rm write; not while a job file is broken or another job writes it' '
	workspace removed && printf -- "-- output: marts/c\nselect 1 as a\n" > jobs/c.sql && leat run && echo x > f && exits 2 leat put marts/c f &&
	mv jobs/c.sql jobs/d.sql && exits 2 leat put marts/c f && printf -- "-- outpt: marts/c\nselect 1 as a\n" > jobs/d.sql && exits 2 leat put marts/c f && rm jobs/d.sql &&
	leat put marts/c:/f f && eq "$(leat cat marts/c:/f)" x && leat rm marts/c:/part-0.parquet && count 1 leat ls marts/c && leat cat marts/c~2:/part-0.parquet > old 2> /dev/null || leat cat "marts/c@~2:/part-0.parquet" > old &&
	test -s old && leat fsck
'
test_done
