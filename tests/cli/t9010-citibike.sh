#!/usr/bin/env bash
# Sales from trips, as in Pachyderm's example: 92 days of Citi Bike.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"
needs_data citibike

bikes=$DATA/citibike
sales='cat $(find -L "$LEAT_INPUT_in" -type f | sort) | awk -F, "/^[0-9]/ {print \$1 \",\" 5 * \$2}"'

test_expect 'sales of the whole repo: one run, one unit, as expected' '
	workspace all && job sales / trips "$sales >\$LEAT_OUTPUT/sales.csv" && leat put trips "$bikes/trips" && leat run --json >run && says ran 1 known 0 &&
	leat cat sales:/sales.csv >got && same "$bikes/sales-expected/sales-all92.csv" got && [ "$(awk -F, "{n += \$2} END {print n}" got)" = 22923815 ]
'
test_expect 'a unit for each file: 92 run; one file changed: 1 runs, 91 are known' '
	cd all && job each "/*" trips "$sales >\$LEAT_OUTPUT/\$(ls \$LEAT_INPUT_in)" && leat run each --json >run && says ran 92 known 0 &&
	mkdir new && sed s/39665/39666/ "$bikes/trips/7-01-16" >new/7-01-16 && leat put trips new && leat run each --json >run && says ran 1 known 91 &&
	[ "$(leat cat each:/7-01-16)" = "7/1/16,198330" ]
'
test_expect 'created before the data: 92 commits, 92 runs, and the commit that came of the 31st is that of July' '
	workspace before && job sales / trips "$sales >\$LEAT_OUTPUT/sales.csv" && leat run -q &&
	for f in "$bikes"/trips/*; do leat put trips "$f"; done && leat run --json >run && says ran 92 known 0 failed 0 &&
	x=$(leat log trips@master.31 --json -n 1 | python3 -c "import json,sys; print(json.loads(sys.stdin.readline())[\"commit\"])") &&
	leat cat sales@$x:/sales.csv >got && same "$bikes/sales-expected/sales-commit30.csv" got && [ "$(wc -l <got)" = 31 ] &&
	[ "$(awk -F, "{n += \$2} END {print n}" got)" = 6899290 ] && eq "$(ids sales)" "$(ids trips)"
'
test_done
