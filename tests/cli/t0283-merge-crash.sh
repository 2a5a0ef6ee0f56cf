#!/usr/bin/env bash
# A merge that dies at each of its points: all of it or nothing, and it can be done again.
. "$(dirname "$0")/../lib.sh"
needs_faults

stale() { leat plan --json > plan && json plan '" ".join(sorted(u.get("ds") or "" for u in (d if isinstance(d, list) else [d]) if u.get("reason") not in (None, "up-to-date")))'; }
shop() { # a branch with a put, a changed job's output and a new repo
	rm -rf "$1" && workspace "$1" > /dev/null 2>&1 && printf 'id\n1\n2\n' > d.csv && mkdir -p jobs/n && printf 'kind: sql\npartition: daily\n' > jobs/n/job.yaml && echo 'select count(*) as n from raw.o where ds = {{ ds }}' > jobs/n/job.sql &&
		for d in 1 2; do leat put raw/o:/ds=2024-01-0$d/d.csv d.csv || return 1; done && leat run && leat branch fix && echo 'select count(*) * 2 as n from raw.o where ds = {{ ds }}' > jobs/n/job.sql && leat put raw/o:/ds=2024-01-03/d.csv d.csv --on fix && leat put raw/new:/f d.csv --on fix && leat run --on fix && leat put raw/o:/ds=2024-01-04/d.csv d.csv
}

for point in merge-head-moved merge-head-moved:2 commit-made merge-taken-over overlay-taken-away merge-before-commit; do
	test_expect "death at $point leaves master and the branch as they were; the merge then ends well" "
		shop w && leat ls --json > before && leat ls --on fix --json > on && dies_at $point leat merge fix && leat fsck && leat ls --json > after && same before after && leat ls --on fix --json > after && same on after && [ ! -e datastore/raw/new ] && leat merge fix && eq \"\$(stale)\" 2024-01-04 && leat cat raw/new:/f > f && same f d.csv && exits 1 leat ls --on fix && leat fsck
	"
done
for point in merge-committed datastore-built datastore-swapped; do
	test_expect "death at $point: it is merged, and the next command that writes shows it" "
		shop w && dies_at $point leat merge fix && leat fsck && exits 1 leat ls --on fix && eq \"\$(stale)\" 2024-01-04 && leat put raw/next d.csv && same datastore/raw/new/f d.csv && same datastore/raw/o/ds=2024-01-03/d.csv d.csv && eq \"\$(leat run --json | json /dev/stdin 'd[-1][\"ran\"]')\" 1
	"
done
test_expect 'kill -9 at any time of a merge: all heads have moved or none, and the branch has ended or not' '
	shop w && cd .. && for i in $(seq 12); do
		rm -rf k && cp -a w k && cd k && leat ls --json > ../before && { "$LEAT_BIN" merge fix > /dev/null 2>&1 9>&- & p=$!; sleep 0.0$((RANDOM % 70 + 10)); kill -9 $p 2> /dev/null; wait $p 2> /dev/null || true; } && leat fsck > /dev/null && leat ls --json > ../after &&
			if leat ls --on fix > /dev/null 2>&1; then same ../before ../after && leat merge fix > /dev/null; else [ "$(leat cat raw/new:/f | wc -l)" = 3 ]; fi && leat put raw/next d.csv && eq "$(stale)" 2024-01-04 && same datastore/raw/new/f d.csv && cd .. || return 1
	done
'
test_done
