#!/usr/bin/env bash
# merge of what jobs made on a workspace branch: nothing is run, and nothing of it is stale on master (SEMANTICS 7).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

said() { json "$1" '"%d %d %d" % tuple(next(r for r in reversed(d if isinstance(d, list) else [d]) if "ran" in r)[k] for k in ("ran", "known", "failed"))'; }
runs() { leat run "$@" --json > run; said run; } # "ran known failed"
stale() { leat plan "$@" --json > plan; json plan '" ".join(sorted("%s:%s" % (u["job"], u.get("ds") or "") for u in (d if isinstance(d, list) else [d]) if u.get("reason") not in (None, "up-to-date")))'; }
total() { leat sql "select sum(n) from $1" --format csv "${@:2}" | tail -1; }
day() { # DAY ROWS [option...]
	{ echo id && seq "$2"; } > d.csv && leat put "raw/o:/ds=2024-01-0$1/d.csv" d.csv "${@:3}" > /dev/null
}
job() { # NAME 'SQL'
	mkdir -p "jobs/$1" && printf 'kind: sql\npartition: daily\n' > "jobs/$1/job.yaml" && echo "$2" > "jobs/$1/job.sql"
}

test_expect 'a changed job run on a branch leaves master as it was; merged, 0 units run, all heads move and nothing is stale' '
	workspace w && for d in 1 2 3; do day $d $d || return 1; done && job counts "select count(*) as n from raw.o where ds = {{ ds }}" && job twice "select n * 2 as n from counts where ds = {{ ds }}" && eq "$(runs)" "6 0 0" && eq "$(total twice)" 12 && eq "$(stale)" "" &&
	leat branch fix && job counts "select count(*) * 10 as n from raw.o where ds = {{ ds }}" && leat ls --json > before && eq "$(runs --on fix)" "6 0 0" && leat ls --json > after && same before after && eq "$(total twice)" 12 && eq "$(total twice --on fix)" 120 && leat plan --on fix --json > p && eq "$(stale --on fix)" "" && eq "$(stale | wc -w)" 6 &&
	leat merge fix --json > out && eq "$(json out "[r[\"how\"] for r in d]")" "[\"fast\", \"fast\"]" && eq "$(total twice)" 120 && eq "$(stale)" "" && eq "$(runs)" "0 0 0" && leat why twice:/ds=2024-01-02 > why && has why counts && eq "$(leat sql "select n from counts where ds = \$\$2024-01-03\$\$" --format csv | tail -1)" 30 && leat fsck
'
test_expect 'with master moved in another partition: both are kept, and only what master has not seen is stale' '
	cd w && leat branch fix && job counts "select count(*) * 7 as n from raw.o where ds = {{ ds }}" && eq "$(leat run counts 2024-01-01 2024-01-02 --on fix --json > run; said run)" "2 0 0" && day 4 4 && eq "$(leat run counts 2024-01-04 --json > run; said run)" "1 0 0" && leat merge fix --json > out && eq "$(json out "[(r[\"repo\"], r[\"how\"]) for r in (d if isinstance(d, list) else [d])]")" "[[\"counts\", \"merged\"]]" &&
	eq "$(leat sql "select n from counts order by ds" --format csv | tail -n +2 | tr -d "\r" | tr "\n" " ")" "7 14 30 28 " && stale > s && eq "$(cat s)" "counts:2024-01-03 twice:2024-01-01 twice:2024-01-02 twice:2024-01-03 twice:2024-01-04" && lacks s "counts:2024-01-01" "counts:2024-01-02" "counts:2024-01-04" && runs && eq "$(stale)" ""
'
test_expect 'in the same one: the conflict is named and nothing has moved; --theirs takes it, with what it was made from' '
	cd w && leat branch fix && job counts "select count(*) * 5 as n from raw.o where ds = {{ ds }}" && leat run counts 2024-01-02 --on fix && job counts "select count(*) * 3 as n from raw.o where ds = {{ ds }}" && leat run counts 2024-01-02 && leat ls --json > before && exits 1 leat merge fix 2> err && has err "both changed counts ds=2024-01-02" && leat ls --json > after && same before after &&
	job counts "select count(*) * 5 as n from raw.o where ds = {{ ds }}" && leat merge fix --theirs counts && stale counts > s && lacks s counts:2024-01-02 && eq "$(leat sql "select n from counts where ds = \$\$2024-01-02\$\$" --format csv | tail -1)" 10 && runs && eq "$(stale)" ""
'
test_expect '--ours keeps what master made, and what that was made from' '
	cd w && leat branch fix && job counts "select count(*) * 11 as n from raw.o where ds = {{ ds }}" && leat run counts 2024-01-01 --on fix && job counts "select count(*) * 5 as n from raw.o where ds = {{ ds }}" && day 1 9 && runs > /dev/null && leat merge fix --ours counts && eq "$(stale)" "" && eq "$(leat sql "select n from counts where ds = \$\$2024-01-01\$\$" --format csv | tail -1)" 45
'
test_expect 'a job whose new code gives what there was: no head moves, and the merge brings that it is up to date' '
	cd w && leat branch fix && job counts "select 5 * count(*) as n from raw.o where ds = {{ ds }}" && eq "$(runs --on fix | cut -d" " -f3)" 0 && leat ls --json > before && stale counts > s && has s counts: && leat merge fix && eq "$(stale)" "" && leat ls --json > after && same before after
'
test_expect 'new jobs of the branch come with their outputs; a removed one leaves what it made' '
	cd w && leat branch fix && job fresh "select n from twice where ds = {{ ds }}" && runs --on fix && exits 1 leat ls fresh && leat merge fix && leat ls fresh > out && has out ds=2024-01-04 && eq "$(stale)" "" && leat branch fix && rm -r jobs/fresh && runs --on fix && leat merge fix && leat ls fresh > out && has out ds=2024-01-04
'
test_expect 'one piece: a job without partition that both sides made is a conflict as a whole' '
	cd w && mkdir -p jobs/sum && printf "kind: sql\npartition: none\n" > jobs/sum/job.yaml && echo "select sum(n) as n from counts" > jobs/sum/job.sql && runs && leat branch fix && echo "select sum(n) + 1 as n from counts" > jobs/sum/job.sql && leat run sum --on fix && echo "select sum(n) + 2 as n from counts" > jobs/sum/job.sql && leat run sum && exits 1 leat merge fix 2> err && has err "sum as a whole" && echo "select sum(n) + 1 as n from counts" > jobs/sum/job.sql && leat merge fix --theirs sum && eq "$(stale)" ""
'
test_expect 'a data-driven job: what it did on the branch is done on master too, datum by datum' '
	workspace v && leat put in "$TESTS/lib.sh" > /dev/null; mkdir -p jobs/up && printf "kind: script\ninputs:\n  in: {repo: in, glob: \"/*\"}\n" > jobs/up/job.yaml && printf "#!/bin/sh\ntr a-z A-Z < \$in > \$LEAT_OUTPUT/\$(basename \$in)\n" > jobs/up/job.sh &&
	for f in a b; do echo $f > $f && leat put in $f || return 1; done && leat run && leat branch fix && echo c > c && leat put in c --on fix && echo aa > a && leat put in a --on fix && leat run --on fix && eq "$(leat cat up:/c --on fix)" C && exits 1 leat cat up:/c && leat merge fix --json > out && eq "$(json out "[(r[\"repo\"], r[\"how\"]) for r in d]")" "[[\"in\", \"fast\"], [\"up\", \"fast\"]]" &&
	eq "$(leat cat up:/c)$(leat cat up:/a)" CAA && eq "$(stale)" "" && runs > r && eq "$(cut -d" " -f1,3 r)" "0 0" && echo d > d && leat put in d && eq "$(runs)" "1 4 0"
'
test_expect 'a data-driven job of which both sides moved the input: made again from what is remembered, 0 units run but for what nobody made' '
	cd v && leat branch fix && echo e > e && leat put in e --on fix && leat run --on fix && echo f > f && leat put in f && leat run && leat merge fix --json > out && eq "$(json out "[(r[\"repo\"], r[\"how\"]) for r in d]")" "[[\"in\", \"merged\"], [\"up\", \"merged\"]]" && eq "$(leat cat up:/e)$(leat cat up:/f)" EF && eq "$(runs | cut -d" " -f1,3)" "0 0" && eq "$(leat cat up:/e)$(leat cat up:/f)$(leat cat up:/c)" EFC && eq "$(stale)" "" && leat fsck
'
test_done
