#!/usr/bin/env bash
# Tasks so short that many end while the results of others are being written down: each gives what it gave, once.
. "$(dirname "$0")/../lib.sh"

test_expect 'a workspace whose tasks write something on every third day, fail on every seventh, and print on every fifth' '
	workspace w && mkdir -p jobs && cat > ../job.sh <<\END &&
#!/bin/sh
# output: tables/short
# partition: daily
n=$(($(date -d "$DS" +%s) / 86400))
[ $((n % 3)) != 0 ] || echo "$DS" > "$LEAT_OUTPUT/day.txt"
[ $((n % 5)) != 0 ] || echo "day $n"
[ $((n % 7)) != 0 ]
END
	mv ../job.sh jobs/short.sh && exits 1 leat backfill short --from 2024-01-01 --to 2024-10-26 -j 4 > out 2>&1
'
test_expect 'those that failed are no versions, all others are, each with its own day and nothing else' '
	cd w && python3 - > want <<\END &&
import datetime
d = datetime.date(2024, 1, 1)
while d <= datetime.date(2024, 10, 26):
	n = (d - datetime.date(1970, 1, 1)).days
	if n % 7:
		print("ds=%s/%s" % (d, "day.txt" if n % 3 == 0 else ""))
	d += datetime.timedelta(1)
END
	leat ls tables/short --json | python3 -c "
import json, sys
for r in map(json.loads, sys.stdin):
	print(r[\"path\"].strip(\"/\") + \"/\" + (\"day.txt\" if r[\"size\"] else \"\"))" > got &&
	diff want got && grep day.txt want | while read -r f; do eq "$(leat cat "tables/short:/$f")" "${f:3:10}" || exit 1; done
'
test_expect 'what printed has its log, what did not has none, and a failure keeps its own' '
	cd w && has - "day 19725" <<< "$(leat logs short 2024-01-03)" && has - "day 19730" <<< "$(leat logs short 2024-01-08)" &&
	lacks - "day" <<< "$(leat logs short 2024-01-02 2>&1)"
'
test_expect 'the same again tries those that failed and nothing else' '
	cd w && exits 1 leat backfill short --from 2024-01-01 --to 2024-10-26 -j 4 > out 2>&1 && has out "0 ran" && leat fsck
'
test_done
