#!/usr/bin/env bash
# why --used-by: what was made from a file, a commit, a run, a unit, through several levels; why of a unit down to its inputs.
. "$(dirname "$0")/../lib.sh"

# used FILE KEY...: of each job in order "level job output units files"
used() {
	python3 - "$1" <<'PY'
import json, sys
for g in json.load(open(sys.argv[1]))['used_by']:
    print(g['level'], g['job'], g['output'], g['n_units'], g['n_files'])
PY
}

test_expect 'a workspace: trips go file by file through copy, all of it into sum, and days of a table into a table' '
	workspace w && mkdir -p jobs/copy jobs/sum jobs/pair &&
	printf "kind: script\ncmd: [sh, -c, \"cp /pfs/trips/* /pfs/out/\"]\noutput: copies\ninputs: {trips: {repo: trips, glob: \"/*\"}}\n" > jobs/copy/job.yaml &&
	printf "kind: script\ncmd: [sh, -c, \"cat /pfs/copies/* > /pfs/out/all\"]\noutput: tables/sum\ninputs: {copies: {repo: copies, glob: \"/\"}}\n" > jobs/sum/job.yaml &&
	printf "kind: script\ncmd: [sh, -c, \"cat /pfs/*/* > /pfs/out/\$(ls /pfs/a)-\$(ls /pfs/b)\"]\noutput: pairs\ninputs: {a: {repo: trips, glob: \"/*\"}, b: {repo: side, glob: \"/*\"}}\n" > jobs/pair/job.yaml &&
	printf -- "-- partition: daily\n-- output: tables/daily\nselect count(*) as n from raw.sales\n" > jobs/daily.sql &&
	printf -- "-- output: tables/total\nselect sum(n) as n from tables.daily\n" > jobs/total.sql &&
	for i in 1 2 3; do echo $i > f$i; done && echo x > x && echo y > y && leat put side x y && leat put trips f1 f2 f3 &&
	for i in 1 2 3; do printf "n\n$i\n" > s.csv && leat put raw/sales s.csv --ds 2024-01-0$i; done && leat run
'
test_expect 'a file was read by a unit of each job that takes it in, and what they wrote by those below' '
	cd w && leat why --used-by trips:/f1 --json > u && used u > got && cat > want <<E &&
1 copy copies 1 1
1 pair pairs 2 2
2 sum tables/sum 1 1
E
	same want got && eq "$(json u "d[\"n_units\"]")" 4 && eq "$(json u "d[\"sha256\"]")" "$(sha256sum < f1 | cut -c1-64)" &&
	eq "$(json u "d[\"used_by\"][0][\"units\"][0][\"files\"][0][\"sha256\"]")" "$(sha256sum < f1 | cut -c1-64)" &&
	eq "$(json u "d[\"used_by\"][0][\"units\"][0][\"reads\"][0]")" trips:/f1 &&
	eq "$(json u "d[\"used_by\"][0][\"runs\"][0]")" "$(leat why copies:/f1 --json | python3 -c "import json, sys; print(json.load(sys.stdin)[\"made_by\"][\"run\"])")"
'
test_expect 'a whole repo, and what a job made, go into what read any of it' '
	cd w && leat why --used-by side --json > u && used u > got && echo "1 pair pairs 6 6" > want && same want got &&
	leat why --used-by copy --json > u && used u > got && echo "1 sum tables/sum 1 1" > want && same want got
'
test_expect 'a file of one day goes into that day, and that day into the total' '
	cd w && leat why --used-by raw/sales:/ds=2024-01-02/s.csv --json > u && used u > got && cat > want <<E &&
1 daily tables/daily 1 1
2 total tables/total 1 1
E
	same want got && eq "$(json u "d[\"used_by\"][0][\"units\"][0][\"ds\"]")" 2024-01-02 &&
	leat why --used-by daily 2024-01-03 --json > u && used u > got && echo "1 total tables/total 1 1" > want && same want got
'
test_expect 'both ways agree: every file that is said to have been made of a file names it in its own why' '
	cd w && leat why --used-by trips:/f2 --json > u && python3 - u > files <<PY &&
import json
for g in json.load(open("u"))["used_by"]:
    for x in g["units"]:
        for f in x["files"]:
            print(g["output"] + ":" + f["path"])
PY
	eq "$(wc -l < files)" 4 && hash=$(sha256sum < f2 | cut -c1-64) &&
	while read -r f; do leat why "$f" --json > y || return 1; grep -q "$hash" y || { echo "$f does not name f2"; return 1; }; done < files
'
test_expect 'a commit, a run and a unit by their ids: what came of what they brought' '
	cd w && echo 4 > f4 && leat put trips f4 --run && id=$(leat log trips --json | head -1 | python3 -c "import json, sys; print(json.load(sys.stdin)[\"commit\"])") &&
	leat why --used-by $id --json > u && eq "$(json u "d[\"type\"]")" event && used u > got && cat > want <<E &&
1 copy copies 1 1
1 pair pairs 2 2
2 sum tables/sum 1 1
E
	same want got && run=$(json u "d[\"used_by\"][0][\"runs\"][0]") && unit=$(json u "d[\"used_by\"][0][\"units\"][0][\"unit\"]") &&
	leat why --used-by $run --json > u && used u > got && echo "1 sum tables/sum 1 1" > want && same want got &&
	leat why --used-by $unit --json > u && used u > got && same want got
'
test_expect 'why of a unit goes down to the files that it read and to who put them' '
	cd w && unit=$(leat why copies:/f1 --json | python3 -c "import json, sys; print(json.load(sys.stdin)[\"made_by\"][\"unit\"])") &&
	leat why $unit --json > y && eq "$(json y "d[\"inputs\"][0][\"path\"]")" /f1 && has y "leat put trips f1 f2 f3"
'
test_expect 'an old version, a file that is gone: what was made from them then' '
	cd w && echo 11 > f1 && leat put trips f1 --run && leat rm trips:/f3 && leat run && leat why --used-by trips@master.1:/f1 --json > u &&
	used u > got && has got "1 copy copies 1 1" "1 pair pairs 2 2" "2 sum tables/sum" && leat why --used-by trips:/f1 --json > now &&
	[ "$(json u "d[\"used_by\"][0][\"units\"][0][\"unit\"]")" != "$(json now "d[\"used_by\"][0][\"units\"][0][\"unit\"]")" ] &&
	leat why --used-by trips@master.1:/f3 --json > u && used u > got && has got "1 copy copies 1 1" "1 pair pairs 2 2" &&
	eq "$(json u "d[\"used_by\"][0][\"units\"][0][\"reads\"][0]")" trips:/f3
'
test_expect 'an old file of a day: what was made from it then' '
	cd w && printf "n\n7\n8\n" > s.csv && leat put raw/sales s.csv --ds 2024-01-01 && leat run && leat why --used-by raw/sales@master.1:/ds=2024-01-01/s.csv --json > u &&
	used u > got && has got "1 daily tables/daily 1 1" "2 total tables/total" && leat why --used-by raw/sales:/ds=2024-01-01/s.csv --json > now &&
	[ "$(json u "d[\"used_by\"][0][\"units\"][0][\"unit\"]")" != "$(json now "d[\"used_by\"][0][\"units\"][0][\"unit\"]")" ]
'
test_expect 'nothing, what is not there, a ds of nothing: a sentence' '
	cd w && leat why --used-by tables/sum > out && has out "nothing was made from tables/sum" && exits 1 leat why --used-by trips:/nix 2> err && has err "no /nix" &&
	exits 1 leat why --used-by nix 2> err && has err "no run, event" && exits 1 leat why --used-by copy 2024-01-01 2> err && has err "ds=2024-01-01"
'
test_expect 'people get 40 lines at most, with -v all of them' '
	cd w && mkdir many && for i in $(seq 120); do echo m$i > many/m$i; done && leat put trips many && leat run && leat why --used-by trips > out &&
	{ eq "$(grep -c . out)" 1 || [ "$(wc -l < out)" -le 41 ]; } && has out "more (-v shows all)" && leat why -v --used-by trips > out && [ "$(wc -l < out)" -gt 240 ] &&
	has out "trips:/m77 -> /m77" && leat why trips > out && [ "$(wc -l < out)" -le 41 ] && leat why tables/sum:/all > out && [ "$(wc -l < out)" -le 41 ] &&
	leat why -v tables/sum:/all > all && [ "$(wc -l < all)" -gt 120 ]
'
test_expect 'looking changes nothing' '
	cd w && n=$(leat runs --json | wc -l) && leat why --used-by trips > out && eq "$(leat runs --json | wc -l)" $n && leat fsck
'
test_done
