#!/usr/bin/env bash
# Workspace branches (SEMANTICS 7): a name over all repos that costs nothing to make; what is written there is read there.
. "$(dirname "$0")/../lib.sh"
needs python3

bytes() { # all that the store holds but the database
	find .leat/blobs .leat/packs datastore -type f -printf "%p %s %i\n" | sort | sha256sum
}
rows() { # of a table
	python3 -c "import sqlite3, sys; print(sqlite3.connect('.leat/leat.db').execute(sys.argv[1]).fetchone()[0])" "$1"
}
everything() { # the whole content of the database, events of commands not counted
	python3 - <<-'P'
	import hashlib, sqlite3
	d = sqlite3.connect('.leat/leat.db')
	h = hashlib.sha256()
	for (t,) in d.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by name").fetchall():
	    h.update(repr((t, sorted(map(repr, d.execute('select * from "%s"' % t))))).encode())
	print(h.hexdigest())
	P
}

test_expect 'a branch over 200 tables is made with no bytes and one row, and shows what master shows' '
	workspace w && for i in $(seq 200); do echo "put raw/t$i:/a.csv ../in/$i"; mkdir -p ../in; printf "id\n$i\n" > ../in/$i; done > ../lines && leat batch -f ../lines > ../said && before=$(bytes) && n=$(rows "select count(*) from branch") &&
	leat branch fix 2> ../note && has ../note "on fix" && eq "$(bytes)" "$before" && eq "$(rows "select count(*) from branch")" "$n" && eq "$(rows "select count(*) from workspace_base")" 0 && eq "$(rows "select count(*) from workspace_branch")" 1 &&
	leat ls --json | sed "s/\"master\"/\"fix\"/" > ../a && leat ls --on fix --json > ../b && same ../a ../b && leat branch --json > ../list && eq "$(json ../list "[d[\"on\"], d[\"repos\"], d[\"size\"], d[\"frozen\"]]")" "[\"fix\", 0, 0, false]"
'
test_expect 'what is put on it is read there, by its name from anywhere, and not on master nor in datastore/' '
	cd w && printf "id\n888\n" > ../f && leat put raw/t1:/b.csv ../f --on fix && LEAT_ON=fix leat ls raw/t1 > ../out && has ../out a.csv b.csv && leat ls raw/t1 > ../out && has ../out a.csv && lacks ../out b.csv && eq "$(leat cat raw/t1@fix:/b.csv | tail -1)" 888 &&
	[ ! -e datastore/raw/t1/b.csv ] && exits 1 leat cat raw/t1:/b.csv && leat put raw/new:/x ../f --on fix && leat ls --on fix > ../out && has ../out raw/new && leat ls > ../out && lacks ../out raw/new && exits 1 leat cat raw/new:/x && [ ! -e datastore/raw/new ] &&
	leat cat raw/new@fix:/x | cmp - ../f && leat log raw/t1 --on fix --json > ../l && count 2 cat ../l && count 1 leat log raw/t1 --json && leat glob "raw/t1:/*" --on fix > ../out && has ../out b.csv && leat tree --on fix > ../out && has ../out b.csv && leat get raw/t1 -o ../got --on fix && same ../got/b.csv ../f
'
test_expect 'master is read as it moves where the branch has written nothing; @master is master' '
	cd w && printf "id\n777\n" > ../m && leat put raw/t2:/a.csv ../m && eq "$(leat cat raw/t2:/a.csv --on fix | tail -1)" 777 && leat put raw/t1:/c.csv ../m && exits 1 leat cat raw/t1:/c.csv --on fix && leat cat raw/t1@master:/c.csv --on fix | cmp - ../m &&
	leat sql --on fix "select count(*) n from raw.t1" --format csv > ../out && eq "$(tail -1 ../out)" 2 && leat sql "select count(*) n from raw.t1" --format csv > ../out && eq "$(tail -1 ../out)" 2 && eq "$(leat sql "select count(*) from raw.\"t1@fix\"" --format csv | tail -1)" 2 &&
	eq "$(leat sql --on fix "select count(*) from raw.\"t1@master\" where id = 777" --format csv | tail -1)" 1 && eq "$(leat sql "select count(*) from raw.t1 where id = 888" --format csv | tail -1)" 0 && eq "$(leat sql --on fix "select count(*) from raw.t1 where id = 888" --format csv | tail -1)" 1
'
test_expect 'rm, cp, batch and open commits write on it' '
	cd w && leat rm raw/t3:/a.csv --on fix && count 0 leat ls raw/t3 --on fix --json && leat cat raw/t3:/a.csv > ../out && leat cp raw/t4:/a.csv raw/t5:/copy.csv --on fix && leat cat raw/t5@fix:/copy.csv | cmp - ../in/4 && exits 1 leat cat raw/t5:/copy.csv &&
	printf "put raw/t6:/x ../f\nput raw/t7:/x ../f\n" > ../two && LEAT_ON=fix leat batch -f ../two && leat cat raw/t6@fix:/x | cmp - ../f && leat cat raw/t7@fix:/x | cmp - ../f && exits 1 leat cat raw/t7:/x &&
	id=$(leat start raw/t8 --on fix) && leat put "raw/t8@$id:/o" ../f && leat finish raw/t8 --on fix && leat cat raw/t8@fix:/o | cmp - ../f && exits 1 leat cat raw/t8:/o && printf "put --on fix raw/t9:/x ../f\n" > ../two && exits 2 leat batch -f ../two && leat fsck
'
test_expect 'a repo removed on it is gone there only; put again there it is there again' '
	cd w && leat rm --repo raw/t10 --on fix 2> ../note && has ../note "master keeps it" && leat ls --on fix > ../out && lacks ../out "raw/t10 " && exits 1 leat cat raw/t10:/a.csv --on fix && leat cat raw/t10:/a.csv | cmp - ../in/10 && leat put raw/t10:/z ../f --on fix && count 1 leat ls raw/t10 --on fix --json && leat rm --repo raw/t11 --on fix
'
test_expect 'a frozen branch reads master as it stood, also what is put later' '
	cd w && leat branch ice --freeze && printf "id\nlate\n" > ../late && leat put raw/t20:/a.csv ../late && leat put raw/later:/x ../late && leat cat raw/t20:/a.csv --on ice | cmp - ../in/20 && leat ls --on ice > ../out && lacks ../out raw/later && leat put raw/t20:/b ../f --on ice &&
	leat cat raw/t20:/a.csv --on ice | cmp - ../in/20 && leat cat raw/t20:/b --on ice | cmp - ../f && leat branch > ../out 2> /dev/null && has ../out fix ice
'
test_expect 'what a branch began from is kept: drop, squash, forget and keep leave it' '
	cd w && for c in 1 2 3; do echo $c > ../v && leat put raw/base:/x ../v; done && leat branch hold --freeze && for c in 4 5; do echo $c > ../v && leat put raw/base:/x ../v; done && exits 2 leat forget raw/base@.3 2> ../e && has ../e "workspace branch" && exits 2 leat squash raw/base@.3 2> ../e && has ../e hold &&
	leat keep raw/base last 1 && leat gc && eq "$(leat cat raw/base:/x --on hold)" 3 && exits 2 leat rm --repo raw/base 2> ../e && has ../e hold && leat branch --delete hold && leat branch --delete ice && leat gc && exits 1 leat cat raw/base@.3:/x && leat fsck
'
test_expect 'bad input is a sentence and exit 2, and nothing has changed' '
	cd w && leat branch raw/t1@own && leat tag raw/t1@v1 && was=$(everything) && for c in "branch own" "branch v1" "branch master" "branch fix" "branch a.b" "branch fix --head master" "branch raw/t1@x --freeze" "branch x --freeze --delete" "commit --on fix" "drop raw/t1 --on fix" "squash raw/t1 --on fix" "put raw/q:/x ../f --on" "branch --delete"; do
		exits 2 leat $c 2> ../e && [ "$(wc -l < ../e)" -ge 1 ] && [ "$(wc -l < ../e)" -le 3 ] || { cat ../e; echo "$c"; return 1; }
	done && exits 1 leat ls --on fxi 2> ../e && has ../e "no workspace branch fxi" "did you mean fix" && exits 1 leat branch --delete nope && exits 2 leat branch raw/t2@fix 2> ../e && exits 2 leat tag raw/t2@fix && eq "$(everything)" "$was" && LEAT_ON=gone exits 1 leat ls 2> ../e && has ../e gone
'
test_expect 'deleted, it is gone with the repos that only it had; gc takes what only it held and nothing else' '
	cd w && head -c 200000 /dev/urandom > ../big && leat put raw/t30:/big ../big --on fix && leat put raw/only:/big2 ../big --on fix && head -c 100000 /dev/urandom > ../both && leat put raw/t31:/both ../both --on fix && leat put raw/t32:/both ../both && leat branch other && head -c 90000 /dev/urandom > ../o && leat put raw/t33:/o ../o --on other &&
	big=$(sha256sum < ../big | cut -c1-64) && both=$(sha256sum < ../both | cut -c1-64) && leat ls --json | sort > ../before && leat ls --on other --json | sort > ../before2 && leat gc && [ -e .leat/blobs/${big:0:2}/${big:2} ] && leat branch --delete fix 2> ../note && leat gc --json > ../gc.json && [ ! -e .leat/blobs/${big:0:2}/${big:2} ] && [ -e .leat/blobs/${both:0:2}/${both:2} ] &&
	leat ls --json | sort > ../after && same ../before ../after && leat ls --on other --json | sort > ../after2 && same ../before2 ../after2 && leat cat raw/t33:/o --on other | cmp - ../o && leat cat raw/t32:/both | cmp - ../both && exits 1 leat cat raw/new@fix:/x && exits 1 leat ls --on fix && eq "$(rows "select count(*) from branch where name = '"'fix'"'")" 0 && leat fsck &&
	leat put raw/only:/x ../f && count 1 leat log raw/only --json && leat branch fix && leat cat raw/t1:/a.csv --on fix | cmp - ../in/1 && exits 1 leat cat raw/t1:/b.csv --on fix
'
test_expect 'one that nobody writes to is announced for a week, then gc ends it; one that is written to stays; 0 keeps all' '
	workspace old && echo 2026-01-01T00:00:00Z > ../clock && export LEAT_CLOCK=$TRASH/clock && echo a > f && leat put raw/a f && leat branch idle && leat branch busy && leat put raw/a:/b f --on idle && leat ls --on idle 2> ../e && lacks ../e "ends at" && echo 2026-01-26T00:00:00Z > ../clock && leat ls --on idle 2> ../e && has ../e "ends at the next gc after 2026-01-31" &&
	leat put raw/a:/c f --on busy && echo 2026-02-02T00:00:00Z > ../clock && leat branch > ../out 2> ../e && has ../out idle busy && has ../e idle && leat ls raw/a --on idle > ../out && LEAT__BRANCH_KEEP=0 leat gc && leat ls --on idle && leat gc --dry-run 2> ../e && has ../e "idle would end" && leat ls --on idle && leat gc 2> ../e && has ../e "idle has ended" && exits 1 leat ls --on idle && leat ls --on busy && leat fsck &&
	unset LEAT_CLOCK
'
test_expect 'a mount on it shows its heads, and an explicit @master beside them' '
	[ -e /dev/fuse ] && command -v fusermount3 > /dev/null || { echo "# no fuse here"; return 0; }
	cd w && leat put raw/t40:/m ../f --on other && mkdir -p ../mnt && leat mount ../mnt --background --on other && { same ../mnt/raw/t40/m ../f && [ ! -e ../mnt/raw/t40@master/m ]; r=$?; fusermount3 -u ../mnt; [ $r = 0 ]; }
'
test_expect 'the prompt: the workspace, the branch, what is open' '
	cd w && eq "$(leat status --short --on other)" "w other" && leat start raw/t50 --on other > /dev/null && eq "$(leat status -s --on other)" "w other 1 open" && eq "$(leat status -s)" w
'
test_done
