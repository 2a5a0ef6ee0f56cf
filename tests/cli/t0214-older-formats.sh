#!/usr/bin/env bash
# A store of each older format (tests/formats/, made by the leat of its day): stepped up by whoever opens it, read, checked,
# written and collected as one of today. The older leat's answer to a newer store is t1001's.
. "$(dirname "$0")/../lib.sh"

sums() { leat ls -R "$1" --json | python3 -c "import json, sys; print(*sorted(r[\"path\"] + \" \" + r[\"sha256\"] for r in map(json.loads, sys.stdin) if r[\"type\"] == \"file\"), sep=\"\n\")"; }
whole() { leat fsck > ../fsck.out 2>&1 || { cat ../fsck.out; return 1; }; }

echo 2026-11-21T22:00:00Z > "$TRASH/clock" && export LEAT_CLOCK=$TRASH/clock # the open commits of the later ones have not ended

for n in 1 2 3 4 5 6; do
	# from 3 on: a tag, and what an open commit began from, stay too
	test_expect "format $n: nothing is damaged or stale, every version reads, and it goes on as any store" '
		mkdir f'$n' && cd f'$n' && tar xf "$TESTS/formats/store-'$n'.tar.xz" && cd store &&
		cp -a .leat ../probe && eq "$(python3 -c "import sqlite3; print(sqlite3.connect(\"../probe/leat.db\").execute(\"pragma user_version\").fetchone()[0])")" '$n' && whole && sums raw/a > ../got &&
		(cd datastore/raw/a && find . -type f | LC_ALL=C sort | while read -r f; do echo "${f#.} $(sha256sum < "$f" | cut -c1-64)"; done) | LC_ALL=C sort > ../want && LC_ALL=C sort -o ../got ../got && same ../got ../want && eq "$(wc -l < ../got)" 200 &&
		eq "$(leat cat raw/a@.2:/d/1)" "small 1" && eq "$(leat cat raw/a@.3:/d/1)" two && leat cat raw/a@.1:/big > ../big && eq "$(seq 20000 | sha256sum)" "$(sha256sum < ../big)" && count 4 leat log raw/a --json &&
		leat diff raw/a@.2 raw/a --name-only > ../diff && has ../diff /d/1 /d/2 && leat plan > ../plan && has ../plan "nothing to run" && leat commit raw/a && eq "$(sql "select sum(a) from tables.t" | tail -1)" 4 &&
		echo three > ../1 && leat put raw/a:/d/1 ../1 && mkdir ../more && for i in $(seq 300 420); do echo $i > ../more/$i; done && leat put raw/a:/d ../more && count 320 leat ls raw/a:/d && leat rm raw/a:/d/77 && count 319 leat ls raw/a:/d &&
		leat run t 2024-01-01 --again && leat keep raw/a last 2 && leat gc --memo && whole && count $(('$n' < 3 ? 2 : 4)) leat log raw/a --json && eq "$(leat cat raw/a:/d/1)" three && eq "$(leat cat raw/a@^:/d/77)" "small 77" && leat get raw/a -o ../out && count 319 ls ../out/d
	'
done
test_done
