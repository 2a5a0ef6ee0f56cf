#!/usr/bin/env bash
# Places of pools and slots of the workspace over all commands and runners; why a run waits; turns and priority.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\nsandbox: off\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
holder() { # NAME [lines]: tells that it began, and ends when $HOME/go.NAME is there
	job "$1" "${2:-}" <<'Y'
touch "$HOME/began.$LEAT_JOB.$DS"; while [ ! -e "$HOME/go.$LEAT_JOB" ]; do sleep 0.05; done; touch "$HOME/ended.$LEAT_JOB.$DS"; echo x >"$LEAT_OUTPUT/x"
Y
}
crowd() { # NAME N [lines]: fails if more than N of all crowds are at work at once; the first N wait for each other
	job "$1" "${3:-}" <<Y
touch "\$HOME/in/\$LEAT_JOB.\$DS" "\$HOME/met.\$LEAT_JOB.\$DS"; until [ \$(ls "\$HOME" | grep -c "^met[.]") -ge $2 ]; do sleep 0.02; done; sleep 0.1
n=\$(ls "\$HOME/in" | wc -l); rm "\$HOME/in/\$LEAT_JOB.\$DS"; echo \$n >>"\$HOME/most"
[ "\$n" -le $2 ] || exit 7; echo x >"\$LEAT_OUTPUT/x"
Y
}
fresh() { workspace "$1" && printf '\nslots: %s\n' "$2" >>leat.yaml && rm -rf "$HOME"/began.* "$HOME"/go.* "$HOME"/ended.* "$HOME"/met.* "$HOME/in" "$HOME/most" "$HOME/order" && mkdir "$HOME/in"; }
behind() { beside "$HOME/out" "$LEAT_BIN" "$@"; } # $! is its process
events_tell() { # TEXT
	curl -sN -m 2 --unix-socket .leat/serve.sock "http://x/api/v1/events?kind=run" -H "Last-Event-ID: 0" >ev
	grep -qF "$1" ev
}
says() { "$LEAT_BIN" runs --json >"$TRASH/runs" && has "$TRASH/runs" "$@"; }

test_expect 'leat is killed and its task goes on: the place stays taken until the task ends, and is free then at once' '
	fresh k 4 && printf "pools: {one: 1}\n" >>leat.yaml && holder a "pool: one" && holder b "pool: one" && touch "$HOME/go.b" &&
	behind run a 2026-03-01 && a=$! && wait_for 20 test -e "$HOME/began.a.2026-03-01" && behind run b 2026-03-01 && b=$! && wait_for 20 says "pool one 1/1 held by a 2026-03-01" &&
	kill -KILL $a && { wait $a || true; } && sleep 1 && exits 1 test -e "$HOME/began.b.2026-03-01" && kill -0 $b && touch "$HOME/go.a" && wait $b && test -e "$HOME/ended.b.2026-03-01" && leat run && eq "$(leat cat raw/a:/ds=2026-03-01/x)" x
'

test_expect 'leat is killed with its task: the place is free at once' '
	fresh kk 4 && printf "pools: {one: 1}\n" >>leat.yaml && holder b "pool: one" && touch "$HOME/go.b" && job a "pool: one" <<\X &&
echo $$ >"$HOME/began.a.pid"; exec sleep 600
X
	behind run a 2026-03-01 && a=$! && wait_for 20 test -s "$HOME/began.a.pid" && behind run b 2026-03-01 && b=$! && wait_for 20 says "pool one 1/1 held by a 2026-03-01" &&
	shim=$(ps -o ppid= -p "$(cat "$HOME/began.a.pid")") && kill -KILL $a $shim "$(cat "$HOME/began.a.pid")" && { wait $a || true; } && wait_for 10 test -e "$HOME/ended.b.2026-03-01" && wait $b
'

test_expect 'two commands at once have no more units at work than the workspace has slots, whatever their number; -j brings slots of its own' '
	fresh s 2 && crowd a 2 && crowd b 2 && behind run a 2026-03-01..2026-03-08 && a=$! && leat run b 2026-03-01..2026-03-08 && wait $a && count 16 cat "$HOME/most" && grep -qx 2 "$HOME/most" &&
	holder h && holder i && behind run h 2026-03-01..2026-03-02 && h=$! && wait_for 20 test -e "$HOME/began.h.2026-03-02" && touch "$HOME/go.i" && timeout 60 "$LEAT_BIN" run i 2026-03-01 -j 1 && touch "$HOME/go.h" && wait $h
'

test_expect 'the runner of the daemon and a run by hand share the slots, and a run that waits says for what: in runs, in status, as an event' '
	fresh d 1 && holder a && holder b && serve . && leat run a 2026-03-01 --detach 2>/dev/null && wait_for 20 test -e "$HOME/began.a.2026-03-01" &&
	behind run b 2026-03-01 && b=$! && wait_for 20 says "waiting: slots 1/1 held by a 2026-03-01 (" && exits 1 test -e "$HOME/began.b.2026-03-01" && wait_for 5 grep -q "waits   b 2026-03-01  slots 1/1 held by a 2026-03-01 (" "$HOME/out" &&
	leat status >st && has st "b 2026-03-01 is waiting: slots 1/1 held by a 2026-03-01 (" &&
	touch "$HOME/go.a" && wait_for 20 test -e "$HOME/began.b.2026-03-01" && leat runs b --json >r && lacks r waiting && leat run a 2026-03-02 --detach 2>/dev/null && wait_for 20 says "waiting: slots 1/1 held by b 2026-03-01 (" && leat status >st && has st "a 2026-03-02 is waiting: slots 1/1 held by b 2026-03-01 (" &&
	wait_for 20 events_tell "waiting: slots 1/1 held by b 2026-03-01" && touch "$HOME/go.b" && wait $b && wait_for 20 leat cat raw/a:/ds=2026-03-02/x && leat runs a --json >r && lacks r waiting
'

says_of() { # COUNT: so many runs say that they wait for the slot, and the one job that has it is in $TRASH/has
	python3 - "$1" "$TRASH/has" <<'X'
import sqlite3, sys
d = sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20)
has = d.execute("select job from unit where state = 'running'").fetchall()
n = len(has) == 1 and d.execute("select count(*) from run where reason like ? and finished is null", ("waiting: slots 1/1 held by %s %%" % has[0],)).fetchone()[0]
open(sys.argv[2], "w").write(has[0][0] if has else "")
sys.exit(n < int(sys.argv[1]))
X
}
burst() { # SEQ: most rows that those who follow got within half a second since then
	python3 - "$1" <<'X'
import sqlite3, sys
at = [r[0] for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute("select at from change where kind = 'run' and seq > ? order by at", sys.argv[1:])]
print(max(sum(1 for t in at[i:] if t < a + 500) for i, a in enumerate(at)))
X
}
test_expect 'very many runs wait for a slot that another one has each time: all say so, and a look writes no more than fifty of them anew' '
	fresh f 1 && for i in $(seq 150); do mkdir -p jobs/w$i && printf "kind: script\npartition: none\noutput: t/w%d\n" $i >jobs/w$i/job.yaml && printf "while [ ! -e \"\$HOME/go.\$LEAT_JOB\" ]; do sleep 0.05; done; echo x >\$LEAT_OUTPUT/x\n" >jobs/w$i/job.sh; done &&
	serve . && leat serve --stop && behind run --local && a=$! && wait_for 30 says_of 149 && seq=$(python3 -c "import sqlite3; print(sqlite3.connect(\".leat/leat.db\").execute(\"select max(seq) from change\").fetchone()[0])") && touch "$HOME/go.$(cat "$TRASH/has")" && wait_for 60 says_of 100 &&
	b=$(burst $seq) && echo "$b" && [ "$b" -le 60 ] && wait_for 60 says_of 148 && kill -INT $a && { wait $a || true; }
'

test_expect 'a command inside a task needs no slot of its own' '
	fresh n 1 && holder in && touch "$HOME/go.in" && job out <<X &&
cd "$PWD" && "$LEAT_BIN" run in 2026-03-01 && echo x >"\$LEAT_OUTPUT/x"
X
	timeout 60 "$LEAT_BIN" run out 2026-03-01
'

test_expect 'what is known needs no slot' '
	fresh m 1 && holder a && mkdir -p jobs/q && printf "kind: sql\npartition: daily\noutput: t/q\n" >jobs/q/job.yaml && echo "select 1 as x" >jobs/q/job.sql &&
	leat run q 2026-03-01 && sed -i "s/t.q/t\/r/" jobs/q/job.yaml && behind run a 2026-03-01 && a=$! && wait_for 20 test -e "$HOME/began.a.2026-03-01" && timeout 60 "$LEAT_BIN" run q 2026-03-01 >out && has out "1 known" && touch "$HOME/go.a" && wait $a
'

test_expect 'jobs of one command go by turns: forty units of one do not hold up the one of another, and a higher priority goes first' '
	fresh t 1 && for n in a b c; do job $n "inputs: [raw/in_$n]" <<\X || return 1
echo $LEAT_JOB >>"$HOME/order"; echo x >"$LEAT_OUTPUT/x"
X
	done && printf "priority: 5\n" >>jobs/c/job.yaml && for i in $(seq 0 39); do d=$(date -u -d "2026-01-01 $i days" +%F) && mkdir -p in/ds=$d && echo $i >in/ds=$d/f || return 1; done && leat put raw/in_a in && leat put raw/in_b in/ds=2026-01-01/f --ds 2026-01-01 && leat put raw/in_c in/ds=2026-02-09/f --ds 2026-02-09 &&
	leat run >out && has out "42 ran" && eq "$(head -1 "$HOME/order")" c && [ "$(grep -n b "$HOME/order" | cut -d: -f1)" -le 4 ]
'

test_expect 'with batches too: a query over many days is no reason for another to wait until all are through' '
	cd t && rm -rf jobs/* && for n in q z; do mkdir -p jobs/$n && printf "kind: sql\npartition: daily\noutput: t/%s\n" $n >jobs/$n/job.yaml && echo "select ds, count(*) as n from raw.src_$n group by ds" >jobs/$n/job.sql || return 1; done &&
	for i in $(seq 0 119); do d=$(date -u -d "2026-01-01 $i days" +%F) && mkdir -p src/ds=$d && echo "x,$i" >src/ds=$d/f.csv || return 1; done && leat put raw/src_q src && leat put raw/src_z src/ds=2026-01-01/f.csv --ds 2026-01-01 && leat run --json >out && has out "\"ran\":121" &&
	[ "$(python3 -c "import sqlite3; c = sqlite3.connect(\".leat/leat.db\"); print(c.execute(\"select count(*) from unit where job = ? and started < (select started from unit where job = ?)\", (\"q\", \"z\")).fetchone()[0])")" -le 64 ]
'

test_done
