#!/usr/bin/env bash
# leat rerun: what failed in a batch, each job for the ds it failed at.
. "$(dirname "$0")/../lib.sh"

script() { # NAME 'body'
	mkdir -p "jobs/$1" && printf 'kind: script\noutput: raw/%s\npartition: daily\n' "$1" >"jobs/$1/job.yaml" &&
		printf '#!/bin/sh\n%s\necho $DS > $LEAT_OUTPUT/f\n' "$2" >"jobs/$1/job.sh"
}
days() { leat ls "raw/$1" 2>/dev/null | tr -d '/\n'; }

test_expect 'rerun runs each job for the ds at which it failed, and for no other' '
	workspace w && script a "[ \$DS != 2024-01-01 ] || exit 1" && script b "[ \$DS != 2024-01-02 ] || exit 1" &&
	sed -i "s/^partition: daily/partition: {start: 2024-01-01, end: 2024-01-02}\nschedule: \"0 6 * * *\"/" jobs/*/job.yaml &&
	exits 1 leat run && eq "$(days a)" ds=2024-01-02 && eq "$(days b)" ds=2024-01-01 &&
	sed -i "s/^\[.*/true/" jobs/*/job.sh && leat rerun --json > out &&
	eq "$(json out "sorted(r[\"job\"] + r[\"ds\"] for r in d if r.get(\"event\") == \"done\")")" "[\"a2024-01-01\", \"b2024-01-02\"]" &&
	eq "$(days a)" ds=2024-01-01ds=2024-01-02 && leat rerun 2> err && has err "nothing in" "failed"
'
test_expect 'rerun --all runs all units of a run again, those of jobs without partition too' '
	workspace all && script a true && script b true && sed -i "s/daily/none/" jobs/b/job.yaml &&
	leat backfill a --from 2024-01-01 --to 2024-01-03 && leat rerun --all --json > out &&
	eq "$(json out "len([r for r in d if r.get(\"event\") == \"done\"])")" 3 &&
	leat run b && leat rerun --all --json > out && eq "$(json out "[r[\"job\"] for r in d if r.get(\"event\") == \"done\"]")" "[\"b\"]"
'
test_done
