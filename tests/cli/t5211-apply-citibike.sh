#!/usr/bin/env bash
# The sales pipeline of Pachyderm's example, as a spec, over ninety-two days of trips.
. "$(dirname "$0")/../lib.sh"
needs_data citibike

workspace w > /dev/null 2>&1 || exit 1
cat > "$TRASH/sales.json" << 'EOF'
{
  "pipeline": {"name": "sales"},
  "transform": {
    "image": "pachyderm/sales_data",
    "cmd": ["sh"],
    "stdin": [
      "cd /pfs/trips",
      "awk -F, 'FNR == 2 { print $1 \",\" 5 * $2 }' * > /pfs/out/sales.csv"
    ]
  },
  "input": {"atom": {"repo": "trips", "glob": "/"}}
}
EOF
test_expect 'applied before the load, each of 92 commits of trips is one run, with its id; that of the 31st is as expected' '
	cd w && leat apply -f ../sales.json 2> /dev/null && for f in $(ls "$DATA/citibike/trips" | LC_ALL=C sort); do leat put trips "$DATA/citibike/trips/$f" > /dev/null; done &&
	leat run > /dev/null 2>&1 && eq "$(leat log sales --json | wc -l)" 92 &&
	leat log trips --json > t && leat log sales --json > s && eq "$(json t "[r[\"commit\"] for r in d]")" "$(json s "[r[\"commit\"] for r in d]")" &&
	leat cat "sales@$(json t "[r[\"commit\"] for r in d if r[\"number\"] == 31][0]"):/sales.csv" > got && same got "$DATA/citibike/sales-expected/sales-commit30.csv" && eq "$(awk -F, "{ n += \$2 } END { print NR, n }" got)" "31 6899290"
'
test_expect 'applied after it, all that is there is one run of one unit, with the total of 22,923,815' '
	cd w && sed "s/\"sales\"/\"later\"/" ../sales.json > ../later.json && leat apply -f ../later.json 2> /dev/null && leat run > /dev/null 2>&1 && eq "$(leat log later --json | wc -l)" 1 &&
	leat cat later:/sales.csv > got && same got "$DATA/citibike/sales-expected/sales-all92.csv" && eq "$(awk -F, "{ n += \$2 } END { print n }" got)" 22923815
'
test_expect 'another description or knob for Kubernetes runs nothing; another command does' '
	cd w && sed "s/\"input\"/\"description\": \"x\", \"resource_requests\": {\"cpu\": 1}, \"input\"/" ../later.json > ../l2.json && leat apply -f ../l2.json > out 2> /dev/null && has out updated && leat run > /dev/null 2>&1 && eq "$(leat log later --json | wc -l)" 1 &&
	sed "s/5 \* /6 * /" ../l2.json > ../l3.json && leat apply -f ../l3.json 2> /dev/null && leat run > /dev/null 2>&1 && eq "$(leat cat later:/sales.csv | head -n 1)" "7/1/16,237990"
'
test_done
