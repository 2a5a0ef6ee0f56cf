#!/usr/bin/env bash
# Metrics of scripts and Python jobs: what a notebook's are, told in their logs.
. "$(dirname "$0")/../lib.sh"
needs python3

workspace w >/dev/null 2>&1 || exit 1
job() { # NAME KIND EXT: the program from standard input
	mkdir -p "jobs/$1" && printf 'kind: %s\noutput: raw/%s\n' "$2" "$1" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.$3"
}
metrics() { # NAME: of its last run
	leat runs "$1" --attempts --json -n 1 >rows && json rows 'd["metrics"]'
}

test_expect 'lines ::metric of a script are metrics of its run; the last value of a name counts' '
	cd w && job s script sh <<"X" &&
#!/bin/sh
echo "::metric auc=0.5"; echo "no ::metric x=1"; echo "::metric auc=0.91"; echo "::metric model=a b" >&2; echo "::metric of nothing"
echo hi >"$LEAT_OUTPUT/x"; printf "::metric last=7"
X
	leat run s && eq "$(metrics s)" "{\"auc\": 0.91, \"model\": \"a b\", \"last\": 7}"
'
test_expect 'leat.put of a script in Python, and of a job of kind python' '
	cd w && job p script py <<"X" &&
import leat
leat.put("rmse", 1.25)
leat.put("name", "ridge")
(leat.output / "x").write_text("x")
X
	job k python py <<"X" &&
import leat
def run(inputs, output, params):
    leat.put("n", 3)
    return [{"a": 1}]
X
	leat run p && eq "$(metrics p)" "{\"rmse\": 1.25, \"name\": \"ridge\"}" && leat run k && eq "$(metrics k)" "{\"n\": 3}"
'
test_expect 'one that failed has those that it told before' '
	cd w && job f script sh <<"X" &&
#!/bin/sh
echo "::metric seen=12"; exit 3
X
	exits 1 leat run f && eq "$(metrics f)" "{\"seen\": 12}"
'
test_expect 'a long log: what stands at its end is found; one without any has no metrics' '
	cd w && job l script sh <<"X" &&
#!/bin/sh
yes "a line that says nothing in particular" | head -n 200000; echo "::metric end=1"; echo >"$LEAT_OUTPUT/x"
X
	job none script sh <<"X" &&
#!/bin/sh
echo hello; echo >"$LEAT_OUTPUT/x"
X
	leat run l && eq "$(metrics l)" "{\"end\": 1}" && leat run none && leat runs none --attempts --json >rows && lacks rows metrics
'
test_done
