#!/usr/bin/env bash
# gc beside a run: what its units have given and not yet published is needed.
. "$(dirname "$0")/../lib.sh"

wait_unit() { # JOB: until its unit has ended well
	for _ in $(seq 600); do
		python3 - "$1" <<'PY' && return 0
import sqlite3, sys
d = sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True)
sys.exit(0 if d.execute("select 1 from unit where job = ? and state = 'success' and commit_id is null", sys.argv[1:]).fetchone() else 1)
PY
		sleep 0.05
	done
	echo "no unit of $1 has ended" >&2
	return 1
}
jobs_of() { # FIRST LINES of the fast job
	printf -- '%b# output: tables/fast\n# partition: none\n# pipeline: p\ncp %s "$LEAT_OUTPUT/f"\n' "$1" "$PWD/../bytes" > jobs/fast.sh
	printf -- '# output: tables/slow\n# partition: none\n# pipeline: p\nfor i in $(seq 600); do test -e %s && break; sleep 0.05; done\necho "$LEAT_RUN" > "$LEAT_OUTPUT/f"\n' "$PWD/../go" > jobs/slow.sh
}
test_expect 'what a unit without a memo gave is there when its pipeline publishes it after a gc' '
	head -c 200000 /dev/urandom > bytes && workspace off && jobs_of "# memo: off\n" && { leat run > ../run1 2>&1 & } && run=$! &&
	wait_unit fast && leat gc && leat gc --memo && touch ../go && { wait $run || { cat ../run1 >&2; false; }; } &&
	leat cat tables/fast:/f | cmp - ../bytes && leat fsck
'
test_expect 'a remembered result that only its row holds is not taken from a run that is about to publish it' '
	rm -f go && workspace memo && jobs_of "" && leat run fast > ../run2 2>&1 && leat cat tables/fast:/f | cmp - ../bytes &&
	sed -i "s/^cp .*/echo x > \"\$LEAT_OUTPUT\/g\"/" jobs/fast.sh && leat run fast > ../run3 2>&1 &&
	leat squash tables/fast@master.1 && jobs_of "" && printf "true\n" >> jobs/slow.sh && { leat run > ../run4 2>&1 & } && run=$! &&
	wait_unit fast && leat gc --memo && touch ../go && { wait $run || { cat ../run4 >&2; false; }; } &&
	leat cat tables/fast:/f | cmp - ../bytes && eq "$(leat ls tables/fast | grep -c g$)" 0 && leat fsck
'
test_done
