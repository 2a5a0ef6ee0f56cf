#!/usr/bin/env bash
# A database that somebody changed by hand: told as damage, by fsck as findings, never a crash.
. "$(dirname "$0")/../lib.sh"

hand() { # SQL
	python3 "$TESTS/fake/edit_db.py" .leat/leat.db "$1"
}
test_expect 'a table that was dropped is a finding of fsck, whichever it is' '
	workspace w && printf "n\n1\n" > a.csv && leat put raw/x --ds 2024-01-01 a.csv && cp -r .leat ../whole && leat fsck &&
	for t in $(python3 -c "import sqlite3
for r in sqlite3.connect(\".leat/leat.db\").execute(\"select name from sqlite_master where type = '\''table'\'' and name not like '\''sqlite%'\''\"): print(r[0])"); do
		rm -rf .leat && cp -r ../whole .leat && hand "drop table \"$t\"" && exits 1 leat fsck > out 2>&1 && { grep -q "the table $t is not there" out || has out "is damaged: no such table: $t"; } || return 1
	done
'
test_expect 'every other command that needs the table says that the database is damaged, and what to do' '
	cd w && rm -rf .leat && cp -r ../whole .leat && hand "drop table commits" &&
	for c in "ls raw/x" "log raw/x" "put raw/x a.csv" "sql select(1)from(raw.x)" "status" "plan" "run"; do exits 1 leat $c > out 2>&1 && has out "leat.db is damaged: no such table: commits" "put back a copy" || return 1; done &&
	rm -rf .leat && cp -r ../whole .leat && hand "alter table commits rename column tree to wood" && exits 1 leat ls raw/x > out 2>&1 && has out "is damaged: no such column"
'
test_expect 'an index that was dropped is a finding too, and the rest is still looked at' '
	cd w && rm -rf .leat && cp -r ../whole .leat && hand "drop index run_job" && exits 1 leat fsck > out 2>&1 && has out "the index run_job is not there" && leat ls raw/x
'
test_expect 'a look at leat.db by another program harms nothing, though it moves the log into the database when it closes' '
	rm -rf look && mkdir look && cd look && leat init && for i in 1 2 3; do
		echo $i > f && leat put raw/x:/$i f && python3 -c "
import sqlite3
c = sqlite3.connect(\".leat/leat.db\")
assert c.execute(\"select count(*) from commits\").fetchone()[0] == $i
c.close()" && test ! -s .leat/leat.db-wal || return 1; done &&
	count 3 leat ls raw/x --json && leat fsck && eq "$(leat cat raw/x:/1 raw/x:/3 | tr -d "\n")" 13 && leat run && leat status
'
test_done
