#!/usr/bin/env bash
# Publish groups: the jobs of one pipeline move together, ds by ds, or not at all.
. "$(dirname "$0")/../lib.sh"

chain() { # PIPELINE-LINE: five sql jobs, each reading the one before; the fourth's check fails on 2018-01-02
	local i
	for i in 1 2 3 4 5; do
		mkdir -p "jobs/j$i"
		printf 'kind: sql\npartition: daily\noutput: tables/t%s\n%s\n' $i "$1" >"jobs/j$i/job.yaml"
		echo "select n + 1 as n from tables.t$((i - 1))" >"jobs/j$i/job.sql"
	done
	sed -i 's/.*/select n + 1 as n from raw.src/' jobs/j1/job.sql
	printf 'checks:\n  - row_count > 0\n  - max(n) < 100\n' >>jobs/j4/job.yaml
	for i in 1 2 3; do printf 'n\n%s\n' $((i == 2 ? 99 : i)) | leat put raw/src --ds 2018-01-0$i - --name a.csv; done
}
heads() { # the partitions that each table shows
	for i in 1 2 3 4 5; do echo "t$i: $(leat ls tables/t$i 2>/dev/null | sed 's/.*ds=2018-01-0\(.\).*/\1/' | paste -sd" ")"; done
}

test_expect 'five jobs in one pipeline, the fourth fails its check for one day: none of them moves for that day, others do' '
	workspace w && chain "pipeline: five" &&
	exits 1 leat run 2>err && has err "max(n) < 100" "max(n) is 103" "jobs/j4/job.yaml" &&
	heads >got && printf "t%s: 1 3\n" 1 2 3 4 5 >want && same got want &&
	leat runs j1 --json >runs && has runs "1 not published"
'

test_expect 'what succeeded in a group that was held back is not run again when it publishes' '
	cd w && sed -i "s/max(n) < 100/max(n) < 1000/" jobs/j4/job.yaml &&
	leat run --json >out && heads >got && printf "t%s: 1 2 3\n" 1 2 3 4 5 >want && same got want &&
	eq "$(json out "[x[\"ran\"] for x in d if \"ran\" in x]")" "[2]" &&
	eq "$(json out "[x[\"known\"] for x in d if \"known\" in x]")" "[5]"
'

test_expect 'all heads of a group moved under one global id' '
	cd w && for i in 1 2 3 4 5; do leat log tables/t$i --json | head -1 >log && json log "d[\"commit\"] if isinstance(d, dict) else d[0][\"commit\"]"; done | sort -u >ids && count 1 cat ids
'

test_expect 'the same five in no pipeline: the first three are published' '
	workspace alone && chain "" && exits 1 leat run &&
	heads >got && printf "t1: 1 2 3\nt2: 1 2 3\nt3: 1 2 3\nt4: 1 3\nt5: 1 3\n" >want && same got want
'

test_expect 'a unit whose check failed is no memo hit, and its rows can be looked at' '
	cd alone && leat runs --json >runs && run=$(json runs "[x[\"run\"] for x in d if x[\"job\"] == \"j4\"][0]") &&
	eq "$(sql "select n from tables.t4" --at $run --ds 2018-01-02 | tail -1)" 103 &&
	exits 1 leat run --json >out && eq "$(json out "[x[\"failed\"] for x in d if \"failed\" in x]")" "[1]"
'

test_expect 'a job outside that reads a pipeline starts after it has published, and not at all where it was held back' '
	workspace after && chain "pipeline: five" && mkdir jobs/out &&
	printf "kind: sql\npartition: daily\noutput: marts/out\n" >jobs/out/job.yaml && echo "select n from tables.t2" >jobs/out/job.sql &&
	exits 1 leat run && eq "$(leat ls marts/out | grep -c ds=)" 2
'

test_expect 'jobs of a pipeline and one outside that read each other in a circle of groups publish together' '
	workspace circle && chain "pipeline: five" && sed -i /pipeline/d jobs/j3/job.yaml && sed -i /checks/,\$d jobs/j4/job.yaml &&
	leat run && heads >got && printf "t%s: 1 2 3\n" 1 2 3 4 5 >want && same got want
'

test_expect 'a run whose rows are equal makes no commit, and nothing downstream runs' '
	workspace equal && chain "pipeline: five" && sed -i "s/100/1000/" jobs/j4/job.yaml && leat run &&
	leat log tables/t5 >before &&
	printf "n\r\n1\r\n" | leat put raw/src --ds 2018-01-01 - --name a.csv &&
	leat run --json >out && eq "$(json out "[x[\"ran\"] for x in d if \"ran\" in x]")" "[1]" &&
	leat log tables/t5 >after && same before after
'
test_done
