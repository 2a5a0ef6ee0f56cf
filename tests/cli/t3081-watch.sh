#!/usr/bin/env bash
# Issue 6, part 7: what is saved runs at once.
. "$(dirname "$0")/../lib.sh"

shop() {
	workspace "$1" && mkdir -p jobs/sales jobs/week jobs/other d || return 1
	printf 'partition: daily\noutput: tables/sales\n' > jobs/sales/job.yaml
	echo 'select product, sum(amount)::bigint as total from raw.orders group by product' > jobs/sales/job.sql
	echo 'output: marts/week' > jobs/week/job.yaml
	echo 'select sum(total)::bigint as t from tables.sales' > jobs/week/job.sql
	echo 'output: marts/other' > jobs/other/job.yaml
	echo 'select count(*) as n from raw.other' > jobs/other/job.sql
	printf 'product,amount\nbread,2\nbread,3\n' > d/o.csv
	leat put raw/orders d --ds 2024-03-04 && leat put raw/other d && leat run
}

# The watching one, in the background; what it prints is in watch.out. ready N: it waits for the Nth time.
watch() {
	beside watch.out "$LEAT_BIN" run --watch "$@" && ready 1
}
waits() { [ "$(grep -c "^watching " watch.out)" -ge "$1" ]; }
ready() { wait_for 60 waits "$1"; }
stops() { # the one that watches ends with 0 on Ctrl-C
	kill -INT "$BESIDE" && ends 0
}
# What an editor does in a moment is seen at one time, however slow this shell is: save FILE TEXT, and at_once COMMAND…
at_once() {
	kill -STOP "$BESIDE" && "$@" && kill -CONT "$BESIDE"
}
write() { printf '%s\n' "$2" > "$1"; }
save() { at_once write "$@"; }
vim() { # FILE TEXT: a probe, a swap file, a rename
	touch "${1%/*}/4913" "${1%/*}/.job.sql.swp" && rm "${1%/*}/4913" && write "$1~" "$2" && mv "$1~" "$1"
}

test_expect 'without jobs nothing runs before a save; then what depends on the file runs, and its rows are shown' '
	shop w && leat runs --json | wc -l > ../before && watch &&
	leat runs --json | wc -l | same - ../before &&
	save jobs/sales/job.sql "select product, max(amount)::bigint as total from raw.orders group by product" && ready 2 &&
	has watch.out "jobs/sales/job.sql:" "done    sales 2024-03-04" "done    week" "2 ran" && grep "^bread *3 " watch.out &&
	lacks watch.out other &&
	eq "$(leat sql "select t from marts.week" --format csv | tail -1)" 3
'

test_expect 'an editor that writes by renaming is seen, once; what it leaves for a moment is not' '
	cd w && at_once vim jobs/sales/job.sql "select product, min(amount)::bigint as total from raw.orders group by product" && ready 3 && sleep 0.3 && eq "$(grep -c "^watching" watch.out)" 3 &&
	eq "$(leat sql "select t from marts.week" --format csv | tail -1)" 2
'

test_expect 'a query that does not bind is told with its place, master stays, and the next save mends it' '
	cd w && save jobs/sales/job.sql "select prduct from raw.orders" && ready 4 &&
	has watch.out "jobs/sales/job.sql:1:8: referenced column \"prduct\" not found" &&
	eq "$(leat sql "select t from marts.week" --format csv | tail -1)" 2 &&
	save jobs/sales/job.sql "select product, sum(amount)::bigint as total from raw.orders group by product" && ready 5 &&
	eq "$(leat sql "select t from marts.week" --format csv | tail -1)" 5
'

test_expect 'a broken job.yaml and a broken leat.yaml are told with their places, and the watching goes on' '
	cd w && cp jobs/sales/job.yaml ../kept && save jobs/sales/job.yaml "partition: dayly" && ready 6 &&
	has watch.out "jobs/sales/job.yaml:1:12: \"partition\" cannot be \"dayly\"" "did you mean \"daily\"" &&
	at_once cp ../kept jobs/sales/job.yaml && ready 7 &&
	cp leat.yaml ../kept2 && echo "slotz: 3" >> leat.yaml && ready 8 && grep "leat.yaml:[0-9]*:1: .*slotz" watch.out &&
	at_once cp ../kept2 leat.yaml && ready 9
'

test_expect 'a source in datastore/ is adopted, and what reads it runs' '
	cd w && save datastore/raw/orders/ds=2024-03-04/o.csv "$(printf "product,amount\nbread,40")" && ready 10 &&
	grep "^raw/orders@[0-9a-f]*: 0 files added, 1 changed" watch.out && eq "$(leat sql "select t from marts.week" --format csv | tail -1)" 40 &&
	lacks watch.out other
'

test_expect 'what another process puts is seen, a new job folder too, and one that goes' '
	cd w && printf "product,amount\nbread,50\n" > d/o.csv && leat put raw/orders d --ds 2024-03-04 && ready 11 &&
	eq "$(leat sql "select t from marts.week" --format csv | tail -1)" 50 &&
	mkdir jobs/more && echo "output: marts/more" > jobs/more/job.yaml && echo "select t + 1 as t from marts.week" > jobs/more/job.sql &&
	wait_for 60 leat sql "select t from marts.more" && eq "$(leat sql "select t from marts.more" --format csv | tail -1)" 51
'

test_expect 'Ctrl-C ends it with 0, and nothing is left half' '
	cd w && stops && leat fsck && leat plan --json > ../plan && eq "$(cat ../plan)" ""
'

test_expect 'with a job named it runs first, and only that one then; a partition narrows it' '
	cd w && leat put raw/orders d --ds 2024-03-05 && watch sales 2024-03-05 && has watch.out "done    sales 2024-03-05" && lacks watch.out week &&
	save jobs/sales/job.sql "select product, 7::bigint as total from raw.orders group by product" && ready 2 &&
	lacks watch.out week "2024-03-04 " && stops
'

test_expect 'Ctrl-C in the middle of a run ends it, publishes nothing, and is 0 too' '
	workspace s && mkdir -p jobs && printf "touch %s/began; sleep 600; echo x > \$LEAT_OUTPUT/x\n" "$PWD" > jobs/slow.sh &&
	beside watch.out "$LEAT_BIN" run --watch slow && wait_for 60 test -e began && stops &&
	has watch.out "stopping" && exits 1 leat ls slow && leat fsck
'

test_expect 'words that are wrong are refused at once, with status 2' '
	cd w && exits 2 leat run --watch saels 2> ../err && has ../err sales && exits 2 leat run --watch sales 2024-13-01 2> ../err && has ../err 2024-13-01
'
test_done
