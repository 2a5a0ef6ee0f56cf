#!/usr/bin/env bash
# What is let go (forget, retention, drop) beside those who still read it, or have yet to.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

test_expect 'SEMANTICS 5: commits that a data-driven job has yet to take stay, whatever the rule, and keep says so; each event sees its own files' '
	workspace e && job copy "/*" in "cp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/" && touch a && leat put in a && leat run -q &&
	for i in 1 2 3 4; do echo $i >f$i; leat put in f$i || return 1; done && leat rm in:/a &&
	leat keep in last 1 2>err && has err "6 of in stay until the job copy has taken them" && leat gc && leat gc --memo &&
	leat run -q && for i in 2 3 4 5; do eq "$(leat ls "copy@.$i" | wc -l)" $i || return 1; done && eq "$(leat ls copy | wc -l)" 4 &&
	count 6 ids in && leat gc && count 1 ids in && eq "$(leat ls copy | wc -l)" 4 && leat fsck
'
test_expect 'an event whose commit was forgotten is taken with what stands there now, never as an empty repo' '
	cd e && leat keep in all && echo 5 >f5 && leat put in f5 && leat put in f1 && leat forget in@^ && leat gc &&
	leat run -q && eq "$(leat ls copy@^ | wc -l)" 5 && leat fsck
'
test_expect 'forget and gc beside a run that reads the forgotten version: the run keeps what it pinned, to its end' '
	workspace w && mkdir -p jobs/slow jobs/after && echo "k,v" >x.csv && seq -f %.0f,1 1 20000 >>x.csv && leat put raw/x x.csv && leat put raw/small:/s.csv x.csv &&
	printf "kind: script\npipeline: p\ninputs: {x: raw/x}\noutput: tables/slow\n" >jobs/slow/job.yaml &&
	printf "touch %s/started; while [ ! -e %s/go ]; do sleep 0.05; done; cp \$LEAT_INPUT_x/x.csv \$LEAT_OUTPUT/\n" "$TRASH" "$TRASH" >jobs/slow/job.sh &&
	printf "kind: sql\npipeline: p\noutput: tables/after\n" >jobs/after/job.yaml &&
	echo "select count(*) n, sum(a.v) v, (select sum(b.v) from tables.slow b) w from raw.x a" >jobs/after/job.sql &&
	{ leat run >../run.out 2>&1 & } && wait_for 30 test -e ../started && sed -i s/,1/,2/ x.csv && leat put raw/x x.csv && leat forget raw/x@.1 &&
	leat gc --memo && leat gc --memo && touch ../go && wait $! && eq "$(sql "select n, v, w from tables.after" | tail -n 1)" 20000,20000,20000 &&
	exits 1 leat cat raw/x@.1:/x.csv && leat run -q && eq "$(sql "select n, v, w from tables.after" | tail -n 1)" 20000,40000,40000 && leat gc --memo && leat fsck
'
rows() { # one value of leat.db
	python3 -c "import sqlite3, sys; print(*[r[0] for r in sqlite3.connect(sys.argv[1]).execute(sys.argv[2])])" .leat/leat.db "$1"
}
test_expect 'a version that is forgotten and that retention then lets go stays whole for a run that reads it (schedule 84:65 of the interleavings)' '
	cd w || return 1
	rm -f ../started ../go
	id=$(ids raw/x | head -n 1)
	tree=$(rows "select hex(tree) from commits where id = '\''$id'\''")
	leat run slow --again >../run.out 2>&1 & p=$!
	s=1
	if wait_for 30 test -e ../started && sed -i s/,2/,3/ x.csv && leat put raw/x x.csv && leat forget "raw/x@$id" && leat keep raw/x last 1 && leat gc --memo && leat gc --memo; then s=0; fi
	kept=$(rows "select hex(g.tree) from gone g join tree t on t.id = g.tree where g.id = '\''$id'\''")
	touch ../go
	wait $p
	eq $s 0 && eq "$kept" "$tree" && leat gc --memo && leat fsck
'
test_done
