#!/usr/bin/env bash
# keep and forget: which history stays (SEMANTICS 8).
. "$(dirname "$0")/../lib.sh"

numbers() { leat log "$1" --json | python3 -c "import json, sys; print(*sorted(json.loads(l)[\"number\"] for l in sys.stdin))"; }
commits() { # REPO N: one file that changes N times
	for i in $(seq "$2"); do echo "version $i" > v && leat put "$1":/v v -m "$i" >/dev/null || return 1; done
}

test_expect 'keep last N: gc lets go the others, what stays reads as before, a number that went says so' '
	workspace last && commits raw/a 10 && leat keep raw/a last 3 > out && has out "last 3" && eq "$(numbers raw/a)" "1 2 3 4 5 6 7 8 9 10" &&
	leat gc && eq "$(numbers raw/a)" "8 9 10" && eq "$(leat cat raw/a@.8:/v)" "version 8" && eq "$(leat cat raw/a:/v)" "version 10" &&
	exits 1 leat cat raw/a@.2:/v 2> err && has err squashed && leat fsck && eq "$(leat cat raw/a@master^:/v)" "version 9"
'
test_expect 'tagged commits, heads of branches, bases of open commits and what jobs pin stay, and keep says so for jobs' '
	workspace stay && commits raw/a 8 && leat tag raw/a@gold raw/a@.2 && leat branch raw/a@side --head raw/a@.3 && printf "inputs:\n  a: {repo: raw/a, pin: master.4}\noutput: marts/x\n" > job.yaml && mkdir -p jobs/x && mv job.yaml jobs/x/ &&
	echo "cp \$LEAT_INPUT_a/v \$LEAT_OUTPUT/" > jobs/x/job.sh && leat keep raw/a tagged 2> note && has note "job x pins" && leat gc && eq "$(numbers raw/a)" "2 3 4 8" && leat fsck
'
test_expect 'keep by age lets go what is older; all takes the rule away; what says nothing is refused' '
	workspace age && commits raw/a 4 && leat keep raw/a 1d && leat gc && eq "$(numbers raw/a)" "1 2 3 4" && sleep 0.1 && leat keep raw/a 0.05s && leat gc &&
	eq "$(numbers raw/a)" "4" && leat keep raw/a all && leat keep --json > out && has out "\"keep\":\"all\"" && exits 2 leat keep raw/a sometimes 2> err && has err "last 30" &&
	exits 1 leat keep raw/none last 3
'
test_expect 'gc --dry-run counts what a rule would let go and lets nothing go' '
	workspace dry && commits raw/a 5 && leat keep raw/a last 2 && leat gc --dry-run --json > out && has out "\"commits\":3" && eq "$(numbers raw/a)" "1 2 3 4 5"
'
test_expect 'forget drops the data of a commit and keeps that it was there; what other commits hold stays' '
	workspace forget && echo common > c && head -c 200000 /dev/urandom > secret && leat put raw/a c secret && leat rm raw/a:/secret && cp secret ../copy &&
	leat forget raw/a@.1 && eq "$(numbers raw/a)" "1 2" && exits 1 leat cat raw/a@.1:/c 2> err && has err "was forgotten" && eq "$(leat cat raw/a:/c)" common &&
	leat gc && leat fsck && eq "$(find .leat/blobs -type f -size +100k | wc -l)" 0
'
test_expect 'a head, a tagged commit and one that a job pins cannot be forgotten' '
	workspace refuse && commits raw/a 4 && exits 2 leat forget raw/a 2> err && has err "is the head of" && leat tag raw/a@gold raw/a@.2 && exits 2 leat forget raw/a@.2 2> err &&
	has err "is tagged" && mkdir -p jobs/x && printf "inputs:\n  a: {repo: raw/a, pin: master.3}\noutput: marts/x\n" > jobs/x/job.yaml && echo true > jobs/x/job.sh &&
	exits 2 leat forget raw/a@.3 2> err && has err "job x pins" && leat forget raw/a@.1
'
test_done
