#!/usr/bin/env bash
# diff --rows: the rows in which two pins of a table differ, by key or as whole rows.
. "$(dirname "$0")/../lib.sh"

parquet() { # FILE VALUES COLUMNS
	leat sql -o "$1" "select * from (values $2) t($3)" 2> /dev/null
}
rows() { # what diff --rows prints, but for how many partitions were read
	leat diff --rows "$@" > rows && sed -i '/^partitions:/d' rows
}
workspace w > /dev/null 2>&1 || exit 1

test_expect 'by key: added, removed and changed rows, of these the columns that differ, and counts of each' '
	cd w && parquet a.parquet "(1, 1.5::double, \$\$a\$\$), (2, 2, \$\$b\$\$), (3, 3, null), (null, 9, \$\$z\$\$)" "id, amount, name" && parquet b.parquet "(1, 1.5, \$\$a\$\$), (2, 2.25::double, \$\$B\$\$), (4, 4, \$\$d\$\$), (null, 9, \$\$y\$\$)" "id, amount, name" &&
	for d in 1 2 3; do leat put raw/o:/a.parquet a.parquet --ds 2024-01-0$d || return 1; done && leat put raw/o:/a.parquet b.parquet --ds 2024-01-02 && rows --key id raw/o@master^ raw/o && same rows - <<O || return 1
~ id 2:  amount 2.0 -> 2.25, name b -> B
- id 3:  amount 3.0, name null, ds 2024-01-02
+ id 4:  amount 4.0, name d, ds 2024-01-02
~ id null:  name z -> y
rows: 1 added, 1 removed, 2 changed (amount 1, name 2)
O
	leat diff --rows --key id raw/o@master^ raw/o > out && has out "partitions: 1 compared, 2 the same and not read"
'
test_expect 'one pin alone is compared with its parent; a partition by its path; the same pin has no difference' '
	cd w && rows --key id raw/o && has rows "~ id 2" && rows --key id raw/o@master.2:/ds=2024-01-01 raw/o:/ds=2024-01-02 && has rows "rows: 1 added, 1 removed, 2 changed" && rows --key id raw/o:/ds=2024-01-02 raw/o:/ds=2024-01-01 && has rows "rows: 1 added, 1 removed, 2 changed" && rows --key id raw/o:/ds=2024-01-01 raw/o:/ds=2024-01-02 && has rows "rows: 1 added, 1 removed, 2 changed" &&
	rows --key id raw/o:/ds=2024-01-01 raw/o:/ds=2024-01-03 && eq "$(cat rows)" "rows: 0 added, 0 removed, 0 changed" && rows --key id raw/o raw/o && same rows - <<O && rows --key id raw/o@master.1 raw/o@master.2 && has rows "rows: 4 added, 0 removed, 0 changed"
rows: 0 added, 0 removed, 0 changed
O
'
test_expect 'as JSON: a row each, values of their kinds, counts at the end' '
	cd w && leat diff --rows --key id raw/o --json > out && eq "$(json out "d[0]")" "{\"change\": \"changed\", \"key\": {\"id\": 2}, \"old\": {\"amount\": 2.0, \"name\": \"b\"}, \"new\": {\"amount\": 2.25, \"name\": \"B\"}}" &&
	eq "$(json out "d[-1]")" "{\"rows\": {\"added\": 1, \"removed\": 1, \"changed\": 2, \"shown\": 4}, \"columns\": {\"amount\": 1, \"name\": 2}, \"partitions\": {\"compared\": 1, \"same\": 2}}"
'
test_expect 'for a pull request: a Markdown table, bars and line ends in cells escaped' '
	cd w && parquet c.parquet "(1, \$\$a|b\$\$ || chr(10) || \$\$c\$\$)" "id, t" && parquet d.parquet "(1, \$\$a\$\$)" "id, t" && leat put raw/m:/x.parquet c.parquet && leat put raw/m:/x.parquet d.parquet && leat diff --rows --key id --markdown raw/m > out && has out "| changed | id = 1 | t = a\\|b<br>c | t = a |" && eq "$(sed -n 1,2p out | tr "\n" " ")" "| | key | old | new | |---|---|---|---| " && has out "0 rows added, 0 removed, 1 changed."
'
test_expect 'without a key whole rows are compared, and how often each is there counts' '
	cd w && parquet e.parquet "(1, 2), (1, 2), (1, 2), (5, 6)" "a, b" && parquet f.parquet "(1, 2), (5, 6), (7, 8)" "a, b" && leat put raw/x:/x.parquet e.parquet && leat put raw/x:/x.parquet f.parquet && rows raw/x && same rows - <<O
- a 1, b 2  (2 times)
+ a 7, b 8
rows: 1 added, 2 removed, 0 changed
O
'
test_expect 'columns that are new, gone or of another type are told; numbers of two types are the same number' '
	cd w && parquet g.parquet "(1, 2.0::double, \$\$7\$\$, 1)" "id, n, t, gone" && parquet h.parquet "(1::bigint, 2, 7, 1)" "id, n, t, fresh" && leat put raw/s:/x.parquet g.parquet && leat put raw/s:/x.parquet h.parquet && rows --key ID raw/s && same rows - <<O
~ column id  INTEGER -> BIGINT
~ column n  DOUBLE -> INTEGER
~ column t  VARCHAR -> INTEGER
+ column fresh  INTEGER
- column gone  INTEGER
rows: 0 added, 0 removed, 0 changed
O
'
test_expect 'a tolerance for numbers: NaN is NaN, null is not 0, infinity is itself' '
	cd w && v() { echo "(1, 1.0::double), (2, \$\$nan\$\$::double), (3, \$\$inf\$\$::double), (4, null), (5, $1::double), (6, $2)"; } && parquet i.parquet "$(v 1 0)" "id, x" && parquet k.parquet "$(v 1.0000001 null)" "id, x" && leat put raw/t:/x.parquet i.parquet && leat put raw/t:/x.parquet k.parquet &&
	rows --key id --tolerance 1e-6 raw/t && same rows - <<O && rows --key id raw/t && has rows "0 removed, 2 changed" && rows --key id --tolerance 1e-8 raw/t && has rows "0 removed, 2 changed"
~ id 6:  x 0.0 -> null
rows: 0 added, 0 removed, 1 changed (x 1)
O
'
test_expect 'at most so many rows are given, all are counted; --summary gives none' '
	cd w && leat sql -o l.parquet "select i as id, 0::bigint as x from range(1000) t(i)" && leat sql -o m.parquet "select i as id, i % 2 as x from range(1000) t(i)" && leat put raw/l:/x.parquet l.parquet && leat put raw/l:/x.parquet m.parquet &&
	rows --key id raw/l && eq "$(wc -l < rows)" 102 && has rows "... and 400 more rows" && rows --key id -n 3 raw/l && eq "$(head -3 rows | tr "\n" " ")" "~ id 1:  x 0 -> 1 ~ id 3:  x 0 -> 1 ~ id 5:  x 0 -> 1 " && rows --key id -n 0 raw/l && eq "$(grep -c "^~" rows)" 500 &&
	leat diff --rows --key id --json raw/l > out && eq "$(json out "len(d)")" 501 && rows --key id --summary raw/l && same rows - <<O
rows: 0 added, 0 removed, 500 changed (x 500)
O
'
test_expect '1.5 million rows, one partition of thirty changed and then all: counted as SQL counts them' '
	cd w && make_day() { leat sql -o big.parquet "select i + $1 * 50000 as id, i % 7 as a, (i * $2) % 1000 as b, md5(i::varchar) as c from range(50000) t(i)$3"; } &&
	mkdir -p t && for d in $(seq -w 1 30); do mkdir -p t/ds=2024-01-$d && make_day $((10#$d)) 3 "" && mv big.parquet t/ds=2024-01-$d/ || return 1; done && leat put raw/big t && make_day 7 4 " where i % 100 <> 0" && leat put raw/big:/big.parquet big.parquet --ds 2024-01-07 &&
	want=$(leat sql --format csv "select (select count(*) from (select id from raw.\"big\" at (version => \$\$master.1\$\$) except select id from raw.\"big\")) || \$\$ \$\$ || (select count(*) from raw.\"big\" o at (version => \$\$master.1\$\$) join raw.\"big\" n using (id) where o.b <> n.b) as x" | tail -1) &&
	leat diff --rows --key id --summary --json raw/big > out && eq "$(json out "[d[\"rows\"][\"removed\"], d[\"rows\"][\"changed\"], d[\"columns\"], d[\"partitions\"]]")" "[${want% *}, ${want#* }, {\"b\": ${want#* }}, {\"compared\": 1, \"same\": 29}]"
'
test_expect 'what is no key, no column, no table or no number is told, exit 2' '
	cd w && exits 2 leat diff --rows --key idd raw/o 2> err && has err "has no column idd" && has err "did you mean id?" && exits 2 leat diff --rows --key b raw/x@master.1 raw/x 2> err && has err "has 3 rows with b = 2: that is no key" && has err "name more columns" &&
	exits 2 leat diff --rows --key "id,,x" raw/o 2> err && exits 2 leat diff --rows --key id --tolerance wide raw/o 2> err && has err "takes a number" && exits 2 leat diff --rows --tolerance 1 raw/o 2> err && has err "needs --key" && exits 2 leat diff --key id raw/o 2> err && has err "about rows" &&
	exits 2 leat diff --rows --stat raw/o 2> err && exits 2 leat diff --rows raw/o:/a.parquet 2> err && has err "is no table" && echo x > plain && leat put raw/p plain && leat put raw/p:/q plain && exits 1 leat diff --rows raw/p 2> err && has err "is no table"
'
test_done
