#!/usr/bin/env bash
# Backfill: what a dry run tells is what the run then does; its order, its places, and who carries it out.
. "$(dirname "$0")/../lib.sh"

slow() { # NAME: a unit of 1,000 bytes and 0.2 s that notes when it begins and ends; the first ones wait until as many are there as ~/meet says
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\nsandbox: off\noutput: raw/%s\n' "$1" >"jobs/$1/job.yaml" &&
		cat >"jobs/$1/job.sh" <<'X'
echo "+ $DS" >>"$HOME/order"
until [ $(grep -c "^+" "$HOME/order") -ge $(cat "$HOME/meet" 2>/dev/null || echo 1) ]; do sleep 0.02; done
sleep 0.2
head -c 1000 /dev/zero >"$LEAT_OUTPUT/x"
echo "- $DS" >>"$HOME/order"
X
}
began() { grep '^+' "$HOME/order" | cut -c11-12 | tr -d '\n'; }
most() { awk '/^\+/ { if (++n > m) m = n } /^-/ { n-- } END { print m + 0 }' "$HOME/order"; }
days() { # DAYS [options]: of a backfill from the first of March
	leat backfill slow --from 2026-03-01 --to "2026-03-$1" "${@:2}"
}

test_expect 'a dry run without a past tells the units and guesses nothing' '
	workspace w && slow slow && rm -f "$HOME/order" && days 02 --dry-run --json >dry &&
	eq "$(json dry "[(r[\"ds\"], r[\"runs\"], \"seconds\" in r) for r in d]")" "[[\"2026-03-01\", true, false], [\"2026-03-02\", true, false]]" &&
	[ ! -e "$HOME/order" ] && exits 1 leat ls raw/slow
'

test_expect 'with a past it tells units, seconds and bytes, and the run then makes just these units of these bytes' '
	cd w && days 02 --slots 1 >out && has out "2 ran" && days 06 --dry-run --json >dry &&
	eq "$(json dry "[r[\"ds\"][-2:] for r in d if r[\"runs\"]]")" "[\"03\", \"04\", \"05\", \"06\"]" &&
	eq "$(json dry "sum(r[\"bytes\"] for r in d if r[\"runs\"])")" 4000 &&
	eq "$(json dry "all(r[\"seconds\"] >= 0.2 for r in d if r[\"runs\"])")" true &&
	days 06 --dry-run >out && has out "4 to run, 0 known; about " &&
	rm "$HOME/order" && days 06 --slots 1 >out && has out "4 ran" && eq "$(began)" 03040506 &&
	eq "$(leat ls -R raw/slow --json | python3 -c "import json, sys; print(sum(r.get(\"size\", 0) for r in map(json.loads, sys.stdin) if r[\"path\"].endswith(\"x\")))")" 6000
'

test_expect '--slots says how many at a time: never more, and with one none beside another' '
	cd w && rm "$HOME/order" && days 04 --mode all --slots 1 >out && has out "4 ran" && eq "$(most)" 1 &&
	rm "$HOME/order" && echo 3 >"$HOME/meet" && days 06 --mode all --slots 3 >out && has out "6 ran" && eq "$(most)" 3 && rm "$HOME/meet"
'

test_expect '--reverse begins with the last partition' '
	cd w && rm "$HOME/order" && days 04 --mode all --slots 1 --reverse >out && eq "$(began)" 04030201 &&
	rm "$HOME/order" && days 04 --mode all --slots 1 >out && eq "$(began)" 01020304
'

test_expect 'with a daemon it is rows of requests in the same order, and with --local it is not' '
	cd w && serve . && rm "$HOME/order" &&
	days 03 --mode all --slots 1 --reverse >out 2>err && has err "backfill-1: 3 units" && eq "$(began)" 030201 && eq "$(most)" 1 &&
	rm "$HOME/order" && days 03 --mode all --slots 1 --local >out 2>err && has out "3 ran" && lacks err "backfill-" && eq "$(began)" 010203
'

test_expect 'what failed among many partitions is told of each, however many are asked' '
	cd w && mkdir -p jobs/odd && printf "kind: script\npartition: daily\nsandbox: off\noutput: raw/odd\n" >jobs/odd/job.yaml &&
	printf "case \$DS in *[05]) exit 3;; esac\necho \$DS >\$LEAT_OUTPUT/x\n" >jobs/odd/job.sh &&
	exits 1 leat backfill odd --from 2026-01-01 --to 2026-01-31 --local >out && leat backfill odd --from 2026-01-01 --to 2026-02-09 --dry-run --json >dry &&
	eq "$(json dry "[r[\"ds\"][-5:] for r in d if r[\"reason\"] == \"failed-before\"]")" "[\"01-05\", \"01-10\", \"01-15\", \"01-20\", \"01-25\", \"01-30\"]" &&
	eq "$(json dry "[r[\"ds\"][-5:] for r in d if r[\"reason\"] == \"missing\"][::8]")" "[\"02-01\", \"02-09\"]" &&
	leat backfill odd --from 2026-01-01 --to 2026-02-09 --mode missing --dry-run --json >dry && eq "$(json dry "sum(r[\"runs\"] for r in d)")" 9
'

test_done
