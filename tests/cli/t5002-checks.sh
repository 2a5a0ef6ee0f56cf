#!/usr/bin/env bash
# Checks: what each rule means, and what is said when it does not hold.
. "$(dirname "$0")/../lib.sh"

test_expect 'a workspace with a table of four rows, one value missing, one doubled' '
	workspace w && printf "id,v,w\n1,a,1.5\n2,b,2.5\n2,,3.5\n4,a,4.5\n" | leat put raw/x --ds 2018-01-01 - --name a.csv &&
	mkdir -p jobs/t && echo "select id, v, w from raw.x" >jobs/t/job.sql
'
check() { # RULE…: a job with these rules is run
	printf 'kind: sql\npartition: daily\noutput: tables/t\nchecks:\n' >jobs/t/job.yaml
	for r; do printf '  - "%s"\n' "$r" >>jobs/t/job.yaml; done
	leat run t 2018-01-01
}
holds() { cd w && check "$@"; }
fails() { # TEXT RULE
	cd w && t=$1 && shift && exits 1 check "$@" 2>err && has err "$t" "jobs/t/job.yaml:5:5"
}

test_expect 'rules that hold let it publish' '
	holds "row_count > 0" "row_count = 4" "row_count() >= 4" "missing_count(v) = 1" "missing_count(id) = 0" "duplicate_count(id) = 1" \
		"duplicate_count(id, w) = 0" "duplicate_count(v) = 1" "min(id) = 1" "max(w) < 5" "avg(w) = 3" "sum(id) = 9" "values(v) in ('"'a', 'b'"')" \
		"count(*) filter (where id > 2) = 1" "min(id) < max(id) and row_count between 1 and 10" "max(v) <> '"'>'"'" && eq "$(leat ls tables/t | grep -c ds=)" 1
'
test_expect 'a rule that does not hold names the value that is there, and its place' '
	fails "row_count is 4" "row_count > 4"
'
test_expect 'missing_count says how many' 'fails "missing_count(v) is 1" "missing_count(v) = 0"'
test_expect 'duplicate_count says how many' 'fails "duplicate_count(id) is 1" "duplicate_count(id) = 0"'
test_expect 'values names what is not in the list' 'fails "values(v) has b" "values(v) in ('"'a'"')"'
test_expect 'an expression that is false says so' 'fails "it is false" "max(id) = 4 and min(id) = 2"'
test_expect 'all rules that fail are named' '
	fails "max(id) is 4" "max(id) < 2" "row_count < 1" && has err "row_count is 4"
'
test_expect 'an unknown column in a rule is an error at the rule' 'fails "nocolumn" "max(nocolumn) = 1"'
test_expect 'a rule that is not one is refused before anything runs, with exit 2' '
	cd w && leat runs >before && exits 2 check "row_count > (1" 2>err && has err "jobs/t/job.yaml:5:5" "bracket" && leat runs >after && same before after
'
test_expect 'an empty table: row_count is 0, and max has no value, which does not hold' '
	cd w && echo "select id, v, w from raw.x where id > 100" >jobs/t/job.sql &&
	exits 1 check "row_count > 0" 2>err && has err "row_count is 0" && exits 1 check "max(id) < 5" 2>err && has err "has no value"
'
test_expect 'a changed check is tried on the known output, the job is not run again' '
	cd w && echo "select id, v, w from raw.x" >jobs/t/job.sql && check "row_count > 0" && check "row_count > 1" &&
	leat runs t --json >runs && eq "$(leat logs t 2018-01-01)" "" &&
	sed -i "s/row_count > 1/row_count > 2/" jobs/t/job.yaml &&
	leat run --json >out && eq "$(json out "[x[\"known\"] for x in d if \"known\" in x]")" "[1]"
'
test_expect 'scope: table looks at the whole table with the new partition laid over' '
	cd w && printf "id,v,w\n7,a,1\n" | leat put raw/x --ds 2018-01-02 - --name a.csv &&
	printf "kind: sql\npartition: daily\noutput: tables/t\nchecks:\n  - {check: row_count = 5, scope: table}\n" >jobs/t/job.yaml &&
	leat run t 2018-01-02 && printf "id,v,w\n7,a,1\n" | leat put raw/x --ds 2018-01-03 - --name a.csv &&
	exits 1 leat run t 2018-01-03 2>err && has err "row_count is 6"
'
test_expect 'scope: table of days that run together does not count those that are still to be made' '
	workspace together && for d in 1 2 3 4; do printf "a\n$d\n" | leat put raw/x --ds 2018-01-0$d - --name a.csv; done &&
	printf -- "-- output: tables/d\n-- partition: daily\n-- checks: [{check: max(a) >= 1, scope: table}]\nselect a from raw.x\n" >jobs/d.sql &&
	leat run d && eq "$(sql "select count(*) from tables.d" | tail -1)" 4 &&
	printf -- "-- output: tables/d\n-- partition: daily\n-- checks: [{check: row_count = 4, scope: table}]\nselect a + 1 as a from raw.x\n" >jobs/d.sql &&
	leat run d && eq "$(sql "select sum(a) from tables.d" | tail -1)" 14
'
test_expect 'checks on what a script gave as CSV' '
	cd w && mkdir -p jobs/s && printf "kind: script\npartition: daily\noutput: raw/s\nchecks: [row_count = 2, max(a) < 3]\n" >jobs/s/job.yaml &&
	printf "printf \"a,b\\\\n1,x\\\\n2,y\\\\n\" >\"\$LEAT_OUTPUT/s.csv\"\n" >jobs/s/job.sh && leat run s 2018-01-01 &&
	sed -i "s/max(a) < 3/max(a) < 2/" jobs/s/job.yaml && exits 1 leat run s 2018-01-01 2>err && has err "max(a) is 2"
'
test_done
