#!/usr/bin/env bash
# A service at three pinned repos, as in Pachyderm's example of 1.x: trips, weather and sales of 31 July; and the same without pins.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"
. "$TESTS/lib-stay.sh"
needs_data citibike

bikes=$DATA/citibike
workspace w >/dev/null 2>&1 || exit 1
p=$(port) q=$(port)
fetch() { python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' "http://127.0.0.1:$1$2"; }

test_expect 'trips and weather come file by file, sales follow them' '
	cd w && job sales / trips "cat \$(find -L \"\$LEAT_INPUT_in\" -type f | sort) | awk -F, \"/^[0-9]/ {print \\\$1 \\\",\\\" 5 * \\\$2}\" >\$LEAT_OUTPUT/sales.csv" && leat run -q &&
	for f in "$bikes"/trips/*; do leat put trips "$f"; done && for f in "$bikes"/weather/*; do leat put weather "$f"; done && leat run -q && eq "$(ids sales)" "$(ids trips)"
'
test_expect 'a job of 1.x, without a name, with three commits and its ports, becomes a service with pins; image, counting and ports are said once' '
	cd w && x=$(leat log trips@master.31 --json -n 1 | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"commit\"])") &&
	printf "%s\n" "{\"service\": {\"internal_port\": $p, \"external_port\": 30888}," "\"transform\": {\"image\": \"jupyter/notebook\", \"cmd\": [\"python3\", \"page.py\"]}," "\"parallelism_spec\": {\"strategy\": \"CONSTANT\", \"constant\": 1}," "\"inputs\": [{\"commit\": {\"repo\": {\"name\": \"trips\"}, \"id\": \"master/30\"}}, {\"commit\": {\"repo\": {\"name\": \"weather\"}, \"id\": \"master/30\"}}, {\"commit\": {\"repo\": {\"name\": \"sales\"}, \"id\": \"$x\"}}]}" >../pinned.json &&
	leat create-job -f ../pinned.json >out 2>err && has out pinned created && has err "trips/master/30 counts from 0, so it is trips@master.31" "port $p of this machine" "externalPort 30888" && count 1 grep "no container engine" err && has jobs/pinned/job.yaml "kind: service" "port: $p" "pin: master.31" "pin: $x" "image: "
'
test_expect 'attached to trips and weather at 31 and to the sales of that id it sees exactly those' '
	cd w && cp "$CHECKOUT/examples/bikes/page.py" jobs/pinned/ && up pinned >out && has out good && eq "$(fetch $p /files | tr "\n" " ")" "trips 31 weather 31 sales 1 " && fetch $p /joined.csv >joined && same "$bikes/sales-expected/joined-commit30.csv" joined
'
test_expect 'Pearson r of sales and rain is -0.507618 to a millionth' '
	cd w && fetch $p /r >r && python3 -c "import sys; sys.exit(abs(float(open(\"r\").read()) + 0.507618) > 1e-6)"
'
test_expect 'a later commit to trips changes nothing there; the same without pins is started anew once and shows one file more' '
	cd w && mkdir -p jobs/free && printf "kind: service\nport: %s\nhealth: /\ncmd: [python3, page.py]\ninputs: [trips, weather, sales]\n" $q >jobs/free/job.yaml && cp "$CHECKOUT/examples/bikes/page.py" jobs/free/ && up free >/dev/null && fetch $q /files >before && has before "trips 92" && fetch $q /joined.csv >all && same "$bikes/sales-expected/joined-all92.csv" all &&
	printf "Date,Trips\n10/1/16,1\n" >10-01-16 && leat put trips 10-01-16 && wait_for 20 is free restarts 1 && wait_for 20 is free health good && fetch $q /files >after && has after "trips 93" && sleep 1 && eq "$(of free restarts)" 1 && eq "$(of pinned restarts)" 0 && fetch $p /files >same && has same "trips 31" && fetch $p /joined.csv >again && same joined again
'
test_expect 'a put with --run moves trips and then sales: one start, not two, and what came of the change is there' '
	cd w && printf "Date,Trips\n10/2/16,2\n" >10-02-16 && leat put --run trips 10-02-16 && wait_for 20 is free restarts 2 && wait_for 20 is free health good && sleep 1 && eq "$(of free restarts)" 2 && fetch $q /files >after && has after "trips 94"
'
test_expect 'what it wrote is a commit of its own when it ends, which tells the three it was made from' '
	cd w && leat down >/dev/null && leat get pinned:/joined.csv -o kept.csv && same "$bikes/sales-expected/joined-commit30.csv" kept.csv && leat log pinned --json >log && eq "$(json log "[d[\"meta\"][n] == n + \"@\" + c for n, c in ((\"trips\", \"$(ids trips@master.31 | head -n 1)\"), (\"sales\", \"$(ids sales@master.31 | head -n 1)\"))]")" "[true, true]" && none_left pinned && none_left free
'
test_done
