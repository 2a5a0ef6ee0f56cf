#!/usr/bin/env bash
. "$(dirname "$0")/../lib.sh"

test_expect 'a workspace with a repo of three commits' '
	workspace w &&
	mkdir d && printf one > d/a && printf two > d/b && mkdir d/sub && printf three > d/sub/c && printf "" > d/empty &&
	leat put raw/t d && head -c 300000 /dev/zero > d/big && printf ONE > d/a && leat put raw/t d &&
	leat rm -r raw/t:/sub && leat log raw/t
'

test_expect 'checkout makes a folder with the files of a pin, read-only' '
	cd w && leat checkout raw/t@master.2 ../c > ../out 2>&1 && rm -f ../c/.leat-checkout.gone &&
	diff -r -x .leat-checkout d ../c && eq "$(stat -c %a ../c/a)" 444 && eq "$(stat -c %a ../c/big)" 444 &&
	eq "$(stat -c %h ../c/big)" 1 && has ../out "5 files written" && eq "$(ls -A | grep -c "leat-[0-9a-f]")" 0
'

test_expect 'to another pin only what differs is touched' '
	cd w && ls -i ../c/b ../c/empty > ../before &&
	leat checkout raw/t@master.1 ../c --json > ../j &&
	eq "$(json ../j "[d[\"written\"], d[\"removed\"], d[\"same\"]]")" "[1, 1, 3]" &&
	eq "$(cat ../c/a)" one && test ! -e ../c/big && ls -i ../c/b ../c/empty > ../after && same ../before ../after &&
	leat checkout raw/t ../c --json > ../j && eq "$(json ../j "[d[\"written\"], d[\"removed\"]]")" "[2, 1]" &&
	test ! -e ../c/sub && eq "$(cat ../c/a)" ONE
'

test_expect 'a folder that is not empty and no checkout is refused and left as it was' '
	cd w && mkdir ../mine && echo x > ../mine/x && exits 2 leat checkout raw/t ../mine 2> ../err &&
	has ../err "not empty and no checkout" && count 1 ls -A ../mine &&
	exits 2 leat checkout raw/t datastore/x 2> ../err && has ../err "no place for a checkout" &&
	exits 2 leat checkout raw/t . && exits 2 leat checkout raw/t ../mine/x && exits 2 leat checkout raw/t:/a ../n 2> ../err &&
	has ../err "is a file" && exits 1 leat checkout raw/t@master.9 ../n && test ! -e ../n &&
	exits 1 leat checkout raw/nope ../n && exits 2 leat checkout raw/t
'

test_expect 'an empty folder is filled where it is, so that who stands in it stays there' '
	cd w && mkdir ../here && (cd ../here && leat -C ../w checkout raw/t@master.1 . && test -e a && test -e sub/c)
'

test_expect 'what the user changed in a checkout is refused by name, and --force overwrites it' '
	cd w && chmod +w ../c/a && printf "my own" > ../c/a && exits 1 leat checkout raw/t@master.1 ../c 2> ../err &&
	has ../err "holds what leat did not put there: a" && eq "$(cat ../c/a)" "my own" && test -e ../c/big &&
	exits 1 leat checkout raw/t ../c 2> ../err && eq "$(cat ../c/a)" "my own" &&
	leat checkout raw/t@master.1 ../c --force && eq "$(cat ../c/a)" one && test ! -e ../c/big
'

test_expect 'a file of the same size and a time that was put back is found by its bytes' '
	cd w && touch -r ../c/b ../stamp && chmod +w ../c/b && printf TWO > ../c/b && touch -r ../stamp ../c/b &&
	exits 1 leat checkout raw/t ../c 2> ../err && has ../err "did not put there: b" &&
	printf two > ../c/b && leat checkout raw/t ../c && eq "$(cat ../c/a)" ONE
'

test_expect 'files of the user stay, and one that is in the way is named' '
	cd w && echo note > ../c/note && mkdir ../c/sub && echo mine > ../c/sub/c &&
	exits 1 leat checkout raw/t@master.1 ../c 2> ../err && has ../err "sub/c" && rm -r ../c/sub &&
	leat checkout raw/t@master.1 ../c && eq "$(cat ../c/note)" note && eq "$(cat ../c/sub/c)" three
'

test_expect 'deleted files are put back, and a link to elsewhere is not followed' '
	cd w && rm ../c/a ../c/sub/c && leat checkout raw/t@master.1 ../c && eq "$(cat ../c/a)$(cat ../c/sub/c)" onethree &&
	mkdir ../other && rm -r ../c/sub && ln -s ../other ../c/sub && exits 1 leat checkout raw/t@master.1 ../c 2> ../err &&
	has ../err "sub" && leat checkout raw/t@master.1 ../c -f && eq "$(cat ../c/sub/c)" three && count 0 ls -A ../other
'

test_expect 'a folder of a pin, a partition, an empty repo' '
	cd w && leat checkout raw/t@master.1:/sub ../s && count 2 ls -A ../s && eq "$(cat ../s/c)" three &&
	leat put raw/p --ds 2024-01-01 d/a && leat checkout raw/p --ds 2024-01-01 ../p && eq "$(cat ../p/a)" ONE &&
	leat rm -r raw/p:/ds=2024-01-01 && leat checkout raw/p ../e && count 1 ls -A ../e
'

test_expect 'a file may become a folder and a folder a file' '
	cd w && mkdir k1 k2 k2/x && echo file > k1/x && echo inner > k2/x/y && leat put raw/k1 k1 && leat put raw/k2 k2 &&
	leat checkout raw/k1 ../k && leat checkout raw/k2 ../k && eq "$(cat ../k/x/y)" inner &&
	leat checkout raw/k1 ../k && eq "$(cat ../k/x)" file
'

test_expect 'a checkout of another workspace is refused' '
	leat init v && cd v && echo 1 > f && leat put raw/t f && exits 2 leat checkout raw/t ../k 2> ../err &&
	has ../err "of another workspace"
'

test_expect 'protect: link shares the bytes of whole files' '
	cd w && cp leat.yaml ../yaml && echo "protect: link" >> leat.yaml && leat checkout raw/t@master.2 ../linked &&
	test "$(stat -c %h ../linked/big)" -gt 1 && diff -x .leat-checkout -r d ../linked &&
	leat checkout raw/t@master.1 ../linked && test ! -e ../linked/big && eq "$(cat ../linked/a)" one && cp ../yaml leat.yaml &&
	leat fsck
'

test_expect 'a folder of 3,000 files in 30 folders comes whole, twice' '
	cd w && mkdir many && for d in $(seq 30); do mkdir many/d$d && for f in $(seq 100); do echo $d $f > many/d$d/f$f; done; done &&
	leat put raw/many many && leat checkout raw/many ../many && diff -r -x .leat-checkout many ../many &&
	rm -r ../many/d7 && leat checkout raw/many ../many && diff -r -x .leat-checkout many ../many
'

test_expect 'what was shown may have been let go: a checkout still knows its own files' '
	cd w && leat checkout raw/t@master.1 ../old && sleep 0.1 && echo keep > ../old/mine &&
	python3 - <<-"P" &&
	import json
	m = json.load(open("../old/.leat-checkout"))
	m["trees"] = ["ab" * 32]
	import os
	os.chmod("../old/.leat-checkout", 0o644)
	json.dump(m, open("../old/.leat-checkout", "w"))
	P
	leat checkout raw/k2 ../old && count 3 ls -A ../old && test -e ../old/mine && test -e ../old/x/y
'
test_expect 'a checkout touches nothing through a folder that the user moved away and linked to' '
	workspace link && mkdir -p src/sub && echo a > src/top && echo b > src/sub/f && leat put raw/l src && leat checkout raw/l ../out9 &&
	mv ../out9/sub ../moved9 && ln -s ../moved9 ../out9/sub && leat rm -r raw/l:/sub && leat checkout raw/l ../out9 &&
	eq "$(cat ../moved9/f)" b && test -L ../out9/sub && leat put raw/l:/sub/g src/top && exits 1 leat checkout raw/l ../out9 2> ../err && has ../err sub &&
	leat checkout --force raw/l ../out9 && eq "$(ls ../moved9)" f && eq "$(cat ../out9/sub/g)" a && test ! -L ../out9/sub
'
test_done
