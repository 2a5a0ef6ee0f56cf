#!/usr/bin/env bash
# How each thing that was asked for ended: of a run of several days, each day by itself, and why.
. "$(dirname "$0")/../lib.sh"

rows() { # QUERY: of leat.db, fields parted by blanks
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
ended() { [ "$(rows 'select count(*) from request where finished is null')" = 0 ]; }

test_expect 'a backfill of three days, of which the first fails: it alone is failed, and says why' '
	workspace w && mkdir -p jobs/j && printf "kind: script\npartition: daily\noutput: tables/j\n" > jobs/j/job.yaml &&
	printf "[ \$DS != 2024-01-01 ] || exit 3\necho \$DS > \$LEAT_OUTPUT/f\n" > jobs/j/job.sh && serve . &&
	leat backfill j --from 2024-01-01 --to 2024-01-03 --detach && wait_for 60 ended &&
	eq "$(rows "select ds, state, coalesce(reason, '\''-'\'') from request where kind = '\''backfill'\'' and ds is not null order by ds")" "2024-01-01 failed exit status 3
2024-01-02 success -
2024-01-03 success -"
'
test_expect 'the run of it says in runs why it failed' '
	cd w && leat runs --json > out && has out "exit status 3" && leat runs > out && has out "exit status 3" && leat serve --stop
'
test_expect 'so does a run from the command line, and one of which two days fail says the first' '
	cd w && printf "[ \$DS = 2024-02-03 ] || exit \${DS#2024-02-0}\necho \$DS > \$LEAT_OUTPUT/f\n" > jobs/j/job.sh && exits 1 leat run j 2024-02-01..2024-02-03 -j 1 && leat runs --json > out &&
	eq "$(json out "[r[\"reason\"] for r in d if r[\"units\"] == 3][0]")" "exit status 1"
'
test_done
