#!/usr/bin/env bash
# The units of ninety-two days of trips.
. "$(dirname "$0")/../lib.sh"
needs_data citibike

workspace w > /dev/null 2>&1 || exit 1
test_expect 'trips is one unit with the glob /, ninety-two with /*' '
	cd w && leat put trips "$DATA/citibike/trips" &&
	for g in / "/*"; do echo "{\"pipeline\": {\"name\": \"sales\"}, \"transform\": {\"cmd\": [\"true\"]}, \"input\": {\"pfs\": {\"repo\": \"trips\", \"glob\": \"$g\"}}}" > s.json && leat units -f s.json --json | wc -l; done > out && eq "$(tr "\n" " " < out)" "1 92 "
'
test_expect 'their groups by month are three' '
	cd w && echo "{pipeline: {name: s}, transform: {cmd: [x]}, input: {group: [{pfs: {repo: trips, glob: \"/(*)-*-*\", group_by: \$1}}]}}" > s.yaml &&
	leat units -f s.yaml --json > rows && eq "$(json rows "[(r[\"inputs\"][0][\"groupBy\"], len(r[\"inputs\"])) for r in d]")" "[[\"7\", 31], [\"8\", 31], [\"9\", 30]]"
'
test_expect 'a join with weather by day has as many units as days' '
	cd w && leat put weather "$DATA/citibike/weather" && echo "inputs:
  trips: {repo: trips, glob: \"/(*)\", joinOn: \$1}
  weather: {repo: weather, glob: \"/(*)\", joinOn: \$1}" > j.yaml && leat units -f j.yaml --json | wc -l > n && eq "$(cat n)" "$(comm -12 <(ls "$DATA/citibike/trips" | sort) <(ls "$DATA/citibike/weather" | sort) | wc -l)"
'
test_done
