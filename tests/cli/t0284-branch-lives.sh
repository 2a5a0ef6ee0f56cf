#!/usr/bin/env bash
# What happens to workspace branches beside other work: merges while a run is at work, jobs on data that owe changes,
# accept and saved plans on a branch, what is renamed there, two of one base, what gc takes of one that was deleted.
. "$(dirname "$0")/../lib.sh"
needs python3

said() { json run '"%d %d %d" % tuple(next(r for r in reversed(d if isinstance(d, list) else [d]) if "ran" in r)[k] for k in ("ran", "known", "failed"))'; }
runs() { leat run "$@" --json > run; said; } # "ran known failed"
stale() { leat plan "$@" --json > plan; json plan '" ".join(sorted("%s:%s" % (u["job"], u.get("ds") or "") for u in (d if isinstance(d, list) else [d]) if u.get("reason") not in (None, "up-to-date")))'; }
heads() { leat ls --json "$@" | sort; }
job() { # NAME 'SQL'
	mkdir -p "jobs/$1" && printf 'kind: sql\npartition: daily\n' > "jobs/$1/job.yaml" && echo "$2" > "jobs/$1/job.sql"
}
day() { { echo id && seq "$2"; } > d.csv && leat put "raw/o:/ds=2024-01-0$1/d.csv" d.csv "${@:3}" > /dev/null; } # DAY ROWS [option…]
slow() { # a job that waits for the file ../go
	mkdir -p jobs/slow && printf 'kind: script\npartition: daily\ninputs: {o: raw/o}\n' > jobs/slow/job.yaml && printf '#!/bin/sh\nfor i in $(seq 10000); do [ -e %s/go ] && break; sleep 0.02; done\ncat $(find -L $LEAT_INPUT_o -name d.csv) > $LEAT_OUTPUT/x.csv\n' "$TRASH" > jobs/slow/job.sh
}

test_expect 'while a run works on the branch a merge is refused with a sentence that names the run, and nothing moves; --dry-run is free; afterwards it takes what was made' '
	workspace w && day 1 1 && day 2 2 && slow && leat branch fix && day 3 3 --on fix && heads > before && { leat run slow --on fix > ../out 2>&1 9>&- & run=$!; } && wait_for 20 eval "leat runs --json | grep -q running" && id=$(leat runs --json | head -1 | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"run\"][:12])") &&
	exits 1 leat merge fix 2> err && has err "the run $id works on fix" "merge when it has ended" && heads > after && same before after && leat ls --on fix > /dev/null && leat merge fix --dry-run > dry && has dry raw/o &&
	touch ../go && wait $run && leat merge fix && eq "$(stale)" "" && leat cat slow:/ds=2024-01-03/x.csv > x && same x d.csv && leat fsck
'
test_expect 'while a run works on master the branch is merged, and the run publishes what it made beside it' '
	cd w && rm -f ../go && leat branch fix && day 1 7 --on fix && day 4 4 && { leat run slow 2024-01-04 > ../out 2>&1 9>&- & run=$!; } && wait_for 20 eval "leat runs --json | grep -q running" && leat merge fix --json > m && eq "$(json m "[(r[\"repo\"], r[\"how\"]) for r in (d if isinstance(d, list) else [d])]")" "[[\"raw/o\", \"merged\"]]" &&
	touch ../go && wait $run && leat cat slow:/ds=2024-01-04/x.csv | wc -l > n && eq "$(cat n)" 5 && eq "$(stale)" slow:2024-01-01 && eq "$(runs)" "1 0 0" && eq "$(leat cat slow:/ds=2024-01-01/x.csv | wc -l)" 8 && leat fsck
'

upper() { mkdir -p jobs/up && printf "kind: script\ninputs:\n  in: {repo: in, glob: \"/*\"}\n" > jobs/up/job.yaml && printf "#!/bin/sh\ntr a-z A-Z < \$in > \$LEAT_OUTPUT/\$(basename \$in)\n" > jobs/up/job.sh; }
one() { echo "$1" > "$1" && leat put in "$@" > /dev/null; } # FILE [option…]
test_expect 'a job on data that owes a change of the branch when it is merged: the merge runs nothing, and the next run makes just that' '
	workspace v && upper && one a && one b && eq "$(runs)" "2 0 0" && leat branch fix && one c --on fix && runs --on fix > /dev/null && one d --on fix && eq "$(stale --on fix)" up: && leat merge fix && exits 1 leat cat up:/d && eq "$(leat cat up:/c)" C && eq "$(stale)" up: && eq "$(runs)" "1 3 0" && eq "$(leat cat up:/d)$(leat cat up:/a)" DA && eq "$(stale)" ""
'
test_expect 'one that never ran on the branch takes what the merge brings' '
	cd v && leat branch fix && one e --on fix && leat merge fix && exits 1 leat cat up:/e && eq "$(runs | cut -d" " -f1,3)" "1 0" && eq "$(leat cat up:/e)" E && eq "$(stale)" ""
'
test_expect 'one that owes a change of master when it is merged still takes it, and runs nothing that the branch ran' '
	cd v && leat branch fix && one f --on fix && runs --on fix > /dev/null && one g && leat merge fix && eq "$(leat cat up:/f)" F && exits 1 leat cat up:/g && eq "$(stale)" up: && eq "$(runs | cut -d" " -f1,3)" "1 0" && eq "$(leat cat up:/f)$(leat cat up:/g)$(leat cat up:/a)" FGA && eq "$(stale)" "" && leat fsck
'
test_expect 'one that owes changes of both sides, of a file that one side took away: nothing is forgotten, nothing stays' '
	cd v && leat branch fix && leat rm in:/a --on fix && one h --on fix && runs --on fix > /dev/null && one i --on fix && one j && leat merge fix && runs > /dev/null && eq "$(runs | cut -d" " -f1,3)" "0 0" && for f in b c d e f g h i j; do eq "$(leat cat up:/$f)" "$(echo $f | tr a-z A-Z)" || return 1; done && exits 1 leat cat up:/a && eq "$(stale)" "" && leat fsck
'

test_expect 'accept on a branch counts there: no head moves, nothing is run; master goes on to call it stale until it is merged' '
	workspace a && day 1 1 && day 2 2 && job n "select count(*) as n from raw.o where ds = {{ ds }}" && job m "select n * 2 as n from n where ds = {{ ds }}" && runs > /dev/null && leat branch fix && job n "select 0 + count(*) as n from raw.o where ds = {{ ds }}" && heads > before && heads --on fix > on && leat accept n --because "the same sum" --on fix && heads > after && same before after && heads --on fix > after && same on after && eq "$(stale --on fix)" "" && eq "$(stale)" "n:2024-01-01 n:2024-01-02" &&
	leat why n 2024-01-01 --on fix > why && has why "accepted by" "the same sum" && leat why n 2024-01-01 > why && has why "is stale" && eq "$(runs --on fix)" "0 0 0" && leat merge fix && eq "$(stale)" "" && leat why n 2024-01-01 > why && has why "the same sum" && eq "$(runs)" "0 0 0"
'
test_expect 'what was accepted on a branch that is deleted is known to be the same, but was never said of master' '
	cd a && leat branch gone && job n "select 1 - 1 + count(*) as n from raw.o where ds = {{ ds }}" && leat accept n 2024-01-01 --because why --on gone && exits 2 leat accept n --on gone 2> err && has err "--because" && leat branch --delete gone && eq "$(stale n)" "n:2024-01-01 n:2024-01-02" && exits 1 leat accept n --because x --on gone 2> err && has err gone && eq "$(runs | cut -d" " -f3)" 0 && eq "$(stale)" ""
'

test_expect 'a plan that was saved on a branch runs there and nowhere else; on master and on another branch it is refused, each named' '
	cd a && leat branch p1 && leat branch p2 && day 3 3 --on p1 && leat plan --on p1 --save ../p.json > out && has out "2 to run" && eq "$(json ../p.json "d[\"on\"]")" p1 && heads > before &&
	exits 2 leat run --plan ../p.json 2> err && has err "is a plan on p1, and this is master" && exits 2 leat run --plan ../p.json --on p2 2> err && has err "is a plan on p1, and this is p2" && heads > after && same before after &&
	leat run --plan ../p.json --on p1 > out 2>&1 && has out "2 ran" && eq "$(stale --on p1)" "" && heads > after && same before after && leat merge p1 && eq "$(stale)" "" && exits 1 leat run --plan ../p.json --on p1 2> err && has err p1
'
test_expect 'one that was saved on master is refused on a branch; a plan on a branch is refused when a head of the branch, or of master where it reads that, has moved' '
	cd a && day 4 4 && leat plan --save ../m.json > /dev/null && exits 2 leat run --plan ../m.json --on p2 2> err && has err "is a plan on master, and this is p2" && leat plan --on p2 --save ../q.json > /dev/null && day 5 5 && exits 2 leat run --plan ../q.json --on p2 2> err && has err "raw/o moved: " && day 6 6 --on p2 && leat plan --on p2 --save ../q.json > /dev/null && day 7 7 --on p2 && exits 2 leat run --plan ../q.json --on p2 2> err && has err "raw/o moved: " "n 2024-01-07 would run too" && leat branch --delete p2 && runs > /dev/null && eq "$(stale)" ""
'
test_expect 'of a branch that was deleted and made anew under its name, the plan is no plan of this one unless nothing differs' '
	cd a && leat branch same && leat plan --on same --save ../s.json > /dev/null; day 8 8 --on same && leat plan --on same --save ../s.json > /dev/null && leat branch --delete same && leat branch same && exits 2 leat run --plan ../s.json --on same 2> err && has err "raw/o moved: " && day 8 8 --on same && leat branch --delete same
'

test_expect 'renamed on the branch: a job, whose units are not run again; an output and a source, which are new repos there and the old ones gone; merged, master has them and nothing is stale' '
	workspace r && day 1 1 && day 2 2 && leat put raw/old d.csv && job n "select count(*) as n from raw.o where ds = {{ ds }}" && job m "select n * 2 as n from n where ds = {{ ds }}" && echo "output: n" >> jobs/n/job.yaml && runs > /dev/null && leat branch fix && mv jobs/n jobs/numbers && eq "$(runs --on fix)" "0 0 0" &&
	sed -i "s/output: n/output: numbers/" jobs/numbers/job.yaml && job m "select n * 2 as n from numbers where ds = {{ ds }}" && eq "$(runs --on fix | cut -d" " -f3)" 0 && leat rm --repo n --on fix && leat cp raw/old:/ raw/new:/ --on fix && leat rm --repo raw/old --on fix && leat ls --on fix > out && has out raw/new numbers && lacks out raw/old && leat ls > out && has out raw/old && lacks out raw/new numbers &&
	leat merge fix --dry-run > out && has out raw/new raw/old numbers removed new && leat merge fix && leat ls > out && has out raw/new numbers m && lacks out raw/old && exits 1 leat cat n:/ds=2024-01-01/part-0.parquet && eq "$(stale)" "" && eq "$(runs)" "0 0 0" && [ ! -e datastore/raw/old ] && same datastore/raw/new/d.csv d.csv && leat fsck
'
test_expect 'two branches of one base with other changes of jobs, merged one after the other: both are there, 0 units run but for what nobody had made' '
	workspace two && day 1 1 && day 2 2 && job n "select count(*) as n from raw.o where ds = {{ ds }}" && job k "select 1 as k from raw.o where ds = {{ ds }}" && runs > /dev/null && leat branch one && leat branch other && job n "select count(*) * 10 as n from raw.o where ds = {{ ds }}" && eq "$(runs n --on one)" "2 0 0" && day 3 3 --on one && eq "$(runs --on one)" "2 0 0" &&
	job k "select 2 as k from raw.o where ds = {{ ds }} limit 1" && eq "$(runs k --on other)" "2 0 0" && leat merge one && eq "$(stale)" "k:2024-01-01 k:2024-01-02 k:2024-01-03" && leat merge other --json > m && eq "$(json m "[(r[\"repo\"], r[\"how\"]) for r in (d if isinstance(d, list) else [d])]")" "[[\"k\", \"merged\"]]" && eq "$(stale)" k:2024-01-03 && eq "$(runs)" "1 0 0" && eq "$(leat sql "select sum(n) from n" --format csv | tail -1)$(leat sql "select sum(k) from k" --format csv | tail -1)" 606 && leat fsck
'
test_expect 'a branch with outputs of jobs is deleted: gc takes what only it held, and keeps what is remembered until gc --memo' '
	workspace g && printf "kind: script\npartition: daily\ninputs: {o: raw/o}\n" > ../job.yaml && mkdir -p jobs/big && cp ../job.yaml jobs/big && printf "#!/bin/sh\nhead -c 200000 \$(find -L \$LEAT_INPUT_o -name big) > \$LEAT_OUTPUT/out.bin\n" > jobs/big/job.sh && for d in 1 2; do head -c 300000 /dev/urandom > ../b$d && leat put raw/o:/ds=2024-01-0$d/big ../b$d > /dev/null || return 1; done && leat run && leat branch fix && leat branch keeps && head -c 300000 /dev/urandom > ../b3 && leat put raw/o:/ds=2024-01-03/big ../b3 --on fix > /dev/null && leat put raw/o:/ds=2024-01-03/big ../b3 --on keeps > /dev/null &&
	sed -i s/200000/150000/ jobs/big/job.sh && leat run --on fix && at() { local h; h=$(sha256sum < ../b$1 | cut -c1-64) && [ -e .leat/blobs/${h:0:2}/${h:2} ]; } && known() { leat plan --json > plan && json plan "sum(bool(u.get(\"known\")) for u in d)"; } && eq "$(known)" 2 && leat branch --delete fix && heads > before && heads --on keeps > on && leat gc && eq "$(known)" 2 && at 1 && at 2 && at 3 && leat gc --memo && eq "$(known)" 0 && at 1 && at 2 && at 3 &&
	heads > after && same before after && heads --on keeps > after && same on after && leat cat raw/o:/ds=2024-01-03/big --on keeps | cmp - ../b3 && leat fsck && leat branch --delete keeps && leat gc && at 1 && at 2 && ! at 3 && leat fsck && eq "$(runs)" "2 0 0"
'
test_done
