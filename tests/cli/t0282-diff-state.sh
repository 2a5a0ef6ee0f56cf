#!/usr/bin/env bash
# diff of two states of the workspace: workspace branches, master, runs and changes.
. "$(dirname "$0")/../lib.sh"

parquet() { # FILE VALUES COLUMNS
	leat sql -o "$1" "select * from (values $2) t($3)" 2> /dev/null
}
workspace w > /dev/null 2>&1 || exit 1

test_expect 'what a branch has otherwise than master: repos, partitions, files, and how many are the same' '
	cd w && echo x > f && for d in 1 2; do leat put raw/a:/ds=2024-01-0$d/f f && leat put raw/b:/ds=2024-01-0$d/f f || return 1; done && leat put raw/files f && leat put raw/same f && leat branch fix && echo longer > f && leat put raw/a:/ds=2024-01-02/f f --on fix && leat put raw/a:/ds=2024-01-03/f f --on fix && leat rm -r raw/b:/ds=2024-01-01 --on fix && leat put raw/files:/g f --on fix && leat put raw/new f --on fix &&
	leat diff master fix > out && same out - <<O
~ raw/a  1 partition added, 1 partition changed
  ~ ds=2024-01-02  2 -> 7 bytes
  + ds=2024-01-03  0 -> 7 bytes

~ raw/b  1 partition deleted
  - ds=2024-01-01  2 -> 0 bytes

~ raw/files  1 file added
  + /g  0 -> 7 bytes

+ raw/new  1 file added
  + /f  0 -> 7 bytes

4 repos differ, 1 the same
O
'
test_expect 'the other way round, by name, by count, as JSON and for a pull request' '
	cd w && leat diff fix master > out && has out "- raw/new  1 file deleted" "  - ds=2024-01-03" && leat diff master fix --name-only > out && same out - <<O && leat diff master fix --stat > out && has out "~ raw/a  1 partition added, 1 partition changed" && lacks out "ds=2024-01-02" && leat diff master fix --json > out && eq "$(json out "d[-1]")" "{\"repos\": {\"added\": 1, \"deleted\": 0, \"changed\": 3, \"same\": 1}}" && eq "$(json out "[d[0][\"repo\"], d[0][\"change\"], d[0][\"partitions\"], d[1][\"partition\"], d[1][\"size\"]]")" "[\"raw/a\", \"changed\", {\"added\": 1, \"deleted\": 0, \"changed\": 1}, \"2024-01-02\", 7]" && leat diff master fix --markdown > out && has out "### raw/a" "* + \`ds=2024-01-03\`" "### raw/new (new)"
raw/a:/ds=2024-01-02
raw/a:/ds=2024-01-03
raw/b:/ds=2024-01-01
raw/files:/g
raw/new:/f
O
'
test_expect 'a branch alone is compared with where it began, whatever master has become since' '
	cd w && echo later > f && leat put raw/a:/ds=2024-01-09/f f && leat put raw/same f && leat diff fix > out && lacks out ds=2024-01-09 raw/same && has out "~ raw/a  1 partition added, 1 partition changed" "4 repos differ" && leat diff master fix > out && has out "- ds=2024-01-09" && leat branch two && leat diff two fix > out && has out "- ds=2024-01-09" && leat diff master two > out && eq "$(cat out)" "0 repos differ, 4 the same"
'
test_expect 'an id of a change, a batch or a run alone: what it changed; two of them: what differs between the moments after' '
	cd w && mkdir -p jobs/n && printf "kind: sql\npartition: daily\n" > jobs/n/job.yaml && echo "select count(*) as n from raw.o where ds = {{ ds }}" > jobs/n/job.sql && for d in 1 2; do seq -f %g 0 $d > o.csv && leat put raw/o:/ds=2024-01-0$d/o.csv o.csv --json > put$d || return 1; done && leat diff $(json put2 "d[\"commit\"]") > out && has out "~ raw/o  1 partition added" "  + ds=2024-01-02" && leat run n 2024-01-01 --json > r1 && leat run n 2024-01-02 --json > r2 && id() { leat log n --json | json /dev/stdin "d[$1][\"run\"]"; } &&
	leat diff $(id 0) > out && has out "~ n  1 partition added" "+ ds=2024-01-02" "1 repo differs" && leat diff $(id 1) $(id 0) > out && has out "~ n  1 partition added" && leat diff $(id 0) $(id 1) > out && has out "~ n  1 partition deleted" && leat diff $(json put1 "d[\"commit\"][:12]") $(json put2 "d[\"commit\"]") > out && has out "+ ds=2024-01-02" && exits 1 leat diff 0123456789abcdef
'
test_expect 'columns that are new, gone or of another type are told for each table' '
	cd w && leat branch cols && parquet g.parquet "(1, 2.0::double, 1)" "id, n, gone" && parquet h.parquet "(1, 2, 3)" "id, n, fresh" && for d in 1 2; do leat put tables/s:/ds=2024-01-0$d/x.parquet g.parquet || return 1; done && leat put tables/s:/ds=2024-01-02/x.parquet h.parquet --on cols && leat diff cols > out && has out "  ~ column n  DOUBLE -> INTEGER" "  + column fresh  INTEGER" "  - column gone  INTEGER" && leat diff cols --json > out && has out "\"repo\":\"tables/s\",\"column\":\"n\",\"change\":\"changed\"" && leat diff cols --markdown > out && has out "Columns: \`n\` INTEGER, was DOUBLE"
'
test_expect '--rows over every table that differs, by key where it has one, with a summary each' '
	cd w && leat branch rows && parquet a.parquet "(1, 10), (2, 20)" "id, v" && parquet b.parquet "(1, 11), (3, 30)" "id, v" && parquet c.parquet "(1)" "other" && parquet d.parquet "(2)" "other" && leat put tables/k:/x.parquet a.parquet && leat put tables/l:/x.parquet a.parquet && leat put tables/m:/x.parquet c.parquet && leat put tables/k:/x.parquet b.parquet --on rows && leat put tables/l:/x.parquet b.parquet --on rows && leat put tables/m:/x.parquet d.parquet --on rows && leat put raw/pic:/p.png a.parquet --on rows &&
	leat diff rows --rows --key id > out 2> err && has out "~ tables/k  1 file changed" "  ~ id 1:  v 10 -> 11" "  - id 2:  v 20" "  + id 3:  v 30" "  rows: 1 added, 1 removed, 1 changed (v 1)" "  - other 1" "4 repos differ" && has err "tables/m has not the columns of --key: whole rows are compared" "raw/pic: no rows are compared" && eq "$(grep -c "rows: 1 added, 1 removed, 1 changed" out)" 2 &&
	leat diff rows --rows --key id --summary --json > out 2> /dev/null && eq "$(json out "[(r[\"repo\"], r[\"rows\"][\"changed\"]) for r in d if \"rows\" in r]")" "[[\"tables/k\", 1], [\"tables/l\", 1], [\"tables/m\", 0]]" && leat diff rows --rows --key id --markdown > out 2> /dev/null && has out "### tables/k" "| changed | id = 1 | v = 10 | v = 11 |"
'
test_expect 'of 1.5 million rows the counts are those of SQL' '
	cd w && leat branch big && for d in $(seq 10 12); do leat sql -o m$d.parquet "select i as id, i % 97 as a, i * 0.5 as b, (i % 1000)::varchar as c from range(($d - 10) * 500000, ($d - 9) * 500000) t(i)" && leat put tables/big:/ds=2024-01-$d/p.parquet m$d.parquet || return 1; done &&
	leat sql -o n.parquet "select i as id, case when i % 1000 = 3 then -1 else i % 97 end as a, i * 0.5 as b, case when i % 7000 = 5 then null else (i % 1000)::varchar end as c from range(500100, 1000100) t(i) where i % 777 <> 1" && leat put tables/big:/ds=2024-01-11/p.parquet n.parquet --on big && leat diff big --rows --key id,ds --summary --json > out &&
	leat sql "select count(*) filter (where o.id is null) a, count(*) filter (where n.id is null) r, count(*) filter (where o.id is not null and n.id is not null and (o.a is distinct from n.a or o.b is distinct from n.b or o.c is distinct from n.c)) c from tables.big o full join (select * from tables.\"big@big\") n on o.id = n.id and o.ds = n.ds" --format csv | tail -1 | tr -d "\r" > want && eq "$(json out "[\"%d,%d,%d\" % (r[\"rows\"][\"added\"], r[\"rows\"][\"removed\"], r[\"rows\"][\"changed\"]) for r in d if \"rows\" in r][0]")" "$(cat want)" && eq "$(json out "[r[\"partitions\"] for r in d if \"rows\" in r][0]")" "{\"compared\": 1, \"same\": 2}"
'
test_expect 'bad input is a sentence and exit status 2' '
	cd w && exits 2 leat diff master 2> err && has err "master is compared with what?" && exits 2 leat diff fix raw/a 2> err && has err "fix is a workspace branch, raw/a is not" && exits 2 leat diff raw/a fix 2> err && exits 2 leat diff master fix --patch 2> err && has err "two pins" && exits 2 leat diff rows --rows --key nono > out 2> err && has err "no table that differs has the columns of --key nono" && exits 2 leat diff fix --key id 2> err && has err "about rows" && exits 1 leat diff master nobranch 2> err && exits 2 leat diff master fix two && leat branch dup && parquet dup.parquet "(1, 1), (1, 2)" "id, v" && leat put tables/k:/x.parquet dup.parquet --on dup && exits 2 leat diff dup --rows --key id 2> err && has err "id"
'
test_done
