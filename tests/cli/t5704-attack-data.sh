#!/usr/bin/env bash
# Data as the world sends it, SQL that means harm, secrets of the caller, and a datastore/ that cannot be written.
. "$(dirname "$0")/../lib.sh"

refused() { # NAME TEXT…: the table of that file cannot be read: exit 1 and a sentence that names it
	exits 1 leat sql "select * from raw.$1" 2> err && shift && has err "$@"
}
test_expect 'a workspace with odd files' '
	workspace w && printf "name,b\ncaf\351,2\n" > l.csv && leat put raw/latin l.csv && printf "a,b\n1,2\n3,x\n" > b.csv && printf "a,b\n1,2\n" > a.csv &&
	mkdir two && mv a.csv b.csv two && leat put raw/two two && printf "\357\273\277a,b\r\n1,\"x\ny\"\r\n" > bom.csv && leat put raw/bom bom.csv &&
	leat sql "select range a, hash(range) b from range(5000)" -o p.parquet &&
	for i in 1 2 3 4 5 6 7 8 9; do head -c $(($(stat -c %s p.parquet) * i / 10)) p.parquet > c$i.parquet; leat put raw/cut$i c$i.parquet; done && echo no > n.csv.gz && leat put raw/nogz n.csv.gz
'
test_expect 'a file that is no UTF-8 is named once, with its row and what to do' '
	cd w && refused latin "raw/latin:/l.csv: row 2" "save the file as UTF-8" && lacks err "l.csv: raw/latin" "name,b"
'
test_expect 'a row of another type is named with file, row and column' '
	cd w && refused two "raw/two:/b.csv: row 3, column b"
'
test_expect 'a byte order mark, CRLF and line ends inside quotes are no obstacle' '
	cd w && eq "$(sql "select length(b) from raw.bom where a = 1" | tail -1)" 3
'
test_expect 'Parquet cut anywhere is named, and what is no gzip too' '
	cd w && for i in 1 2 3 4 5 6 7 8 9; do refused cut$i raw/cut$i:/c$i.parquet; done && refused nogz raw/nogz:/n.csv.gz
'
test_expect 'a job cannot copy to, attach or chain its way to a file of others' '
	cd w && mkdir -p jobs && for sql in "copy (select 1) to '\''$TRASH/evil.csv'\''" "select 1 a) to '\''$TRASH/evil.csv'\''; copy (select 2" "select 1; copy (select 1) to '\''$TRASH/evil.csv'\''"; do
		printf -- "-- output: marts/e\n-- partition: none\n%s\n" "$sql" > jobs/e.sql; exits 2 leat run e 2> err && has err jobs/e.sql; done && test ! -e "$TRASH/evil.csv" && rm jobs/e.sql
'
test_expect 'an endless template ends with its place' '
	cd w && printf -- "-- output: marts/e\n-- partition: none\n{%% for a in range(1000000) %%}{%% for b in range(1000000) %%}{{ a }}{%% endfor %%}{%% endfor %%}\n" > jobs/e.sql &&
	got=0 && { leat run e 2> err || got=$?; } && [ $got -gt 0 ] && has err "jobs/e.sql:" "steps" && rm jobs/e.sql
'
test_expect 'nothing of the environment of the caller reaches a task' '
	cd w && mkdir -p jobs/env && printf "kind: script\npartition: none\noutput: marts/env\n" > jobs/env/job.yaml && printf "#!/bin/sh\nenv > \$LEAT_OUTPUT/env\n" > jobs/env/job.sh &&
	SECRET_TOKEN=hunter2 LD_PRELOAD= PYTHONPATH=/hunter2 BASH_ENV=/hunter2 leat run env && leat cat marts/env:/env > env && lacks env hunter2 SECRET && ! grep -rq hunter2 .leat/logs .leat/leat.db*
'
test_expect 'a put whose datastore/ cannot be written is made and says so; the next one completes it' '
	cd w && mv datastore/raw raw.kept && touch datastore/raw && echo 1 > one && leat put raw/lag one > out 2> err && has out raw/lag@ && has err "tries again" && leat cat raw/lag:/one &&
	rm datastore/raw && mv raw.kept datastore/raw && leat put raw/other one && same one datastore/raw/lag/one && leat fsck
'
test_done
