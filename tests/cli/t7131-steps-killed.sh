#!/usr/bin/env bash
# The runner is killed in the middle of many steps without a process: none is lost, none is done twice.
. "$(dirname "$0")/../lib.sh"
needs_faults

rows() { # 'QUERY': of leat.db, a line each
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True, timeout=20).execute(sys.argv[1]): print(*r)' "$1"
}
ask() { leat backfill "$1" --from 2024-01-01T00 --to 2024-05-31T23 -j 2; } # 3,648 hours
dies() { # JOB POINT
	local got=0
	LEAT_CRASH_AT=$2 "$LEAT_BIN" backfill "$1" --from 2024-01-01T00 --to 2024-05-31T23 -j 2 >crash.out 2>&1 || got=$?
	[ $got -ge 128 ] || { echo "it did not die at $2: $got"; return 1; }
}
once() { # JOB: each hour has one success, noted once; what the dead process left is closed
	eq "$(rows "select count(*), count(distinct ds) from unit where job = '$1' and state = 'success'")" "3648 3648" &&
	eq "$(rows "select count(*) from current c join repo r on r.id = c.repo where r.job = '$1'")" 3648 &&
	eq "$(rows "select count(*) from unit u where job = '$1' and state = 'success' and (select count(*) from attempt t where t.unit = u.id and t.state = 'success') <> 1")" 0 &&
	eq "$(rows "select count(*) from unit where job = '$1' and finished is null")$(rows "select count(*) from attempt where finished is null")$(rows "select count(*) from unit_lease")" 000 && leat fsck
}

for point in run-planned unit-intent-recorded:2 publish-synced:2 publish-recorded:2 publish-before-commit:1 publish-before-commit:3 publish-committed:2; do
	for kind in noop sql; do
		case $kind-$point in noop-unit-intent*) continue ;; esac
		test_expect "$kind: killed at $point, all hours are done once after the next command" '
			workspace '"$kind-${point%:*}-${point#*:}"' && mkdir -p jobs/s && if [ '"$kind"' = noop ]; then printf "kind: noop\npartition: hourly\n" >jobs/s/job.yaml; else printf "output: none\npartition: hourly\n" >jobs/s/job.yaml && echo "select 1 as x" >jobs/s/job.sql; fi &&
			dies s '"$point"' && ask s && once s && ask s >out 2>&1 && once s
		'
	done
done
test_done
