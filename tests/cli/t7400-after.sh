#!/usr/bin/env bash
# after: an order between jobs of which none reads what the other writes.
. "$(dirname "$0")/../lib.sh"

job() { # NAME LINES < command
	mkdir -p jobs/$1 && printf "kind: script\npartition: daily\n$2\n" > jobs/$1/job.yaml && cat > jobs/$1/job.sh
}

test_expect 'a workspace with a chain of jobs that exchange nothing' '
	workspace w &&
	echo "sleep 0.2; echo first >> $TRASH/order" | job first "" &&
	echo "echo second >> $TRASH/order" | job second "after: first" &&
	echo "echo third >> $TRASH/order" | job third "after: [second, first]"
'
test_expect 'a unit is not started while the job that comes first has not succeeded for its ds, and says so' '
	cd w && exits 1 leat run third 2024-01-02 2> err && has err "third 2024-01-02: second has to succeed first, for ds=2024-01-02 (after); -u first makes" &&
	[ ! -e $TRASH/order ] && leat plan third --ds 2024-01-02 --json > out &&
	has out "input-missing"
'
test_expect '-u runs what comes first, in order' '
	cd w && leat run third 2024-01-02 -u && echo "first second third" | diff - <(tr "\n" " " < $TRASH/order | sed "s/ $/\n/")
'
test_expect 'the days of a job without inputs are those of the jobs that come first' '
	cd w && : > $TRASH/order && leat run first 2024-01-03 && leat run && echo "first second third" | diff - <(tr "\n" " " < $TRASH/order | sed "s/ $/\n/") &&
	leat run 2> err && echo "first second third" | diff - <(tr "\n" " " < $TRASH/order | sed "s/ $/\n/")
'
test_expect 'it counts in no key: another order, or code of the first, runs nothing of what follows' '
	cd w && : > $TRASH/order && echo "echo new >> $TRASH/order; echo x > \$LEAT_OUTPUT/x" | job first "" && leat run first 2024-01-02..2024-01-03 && leat run && echo "new new" | diff - <(tr "\n" " " < $TRASH/order | sed "s/ $/\n/") &&
	sed -i "s/after:.*/after: first/" jobs/third/job.yaml && leat plan --json > out && lacks out third
'
test_expect 'what follows a job that failed is not started' '
	cd w && : > $TRASH/order && echo "exit 3" | job first "" && exits 1 leat run third 2024-01-05 -u 2> err && eq "$(cat $TRASH/order)" "" &&
	leat runs --json > out && eq "$(json out "{r[\"job\"]: r[\"state\"] for r in (d if type(d) is list else [d])[:3]}[\"third\"]")" upstream-failed
'
test_expect 'a job without partition that gives nothing is made once, and what comes after it may start' '
	workspace none && echo true | job a "" && echo true | job b "after: a" && sed -i s/daily/none/ jobs/*/job.yaml && leat run a && leat plan a 2> out && leat plan a >> out && has out "nothing to run" &&
	leat run b && leat status
'
test_expect 'leat graph shows the order' '
	cd w && leat graph --json > out && has out "first" "third"
'
test_expect 'mistakes are told at their place' '
	workspace bad && echo true | job a "after: b" && echo true | job b "after: [a]" &&
	exits 2 leat plan 2> err && has err "jobs wait for each other in a circle" "a (jobs/a/job.yaml) comes after b" &&
	echo true | job b "after: [nope]" && exits 2 leat plan 2> err && has err "jobs/b/job.yaml:3:9: there is no job named \"nope\" to come after" &&
	echo true | job b "after: b" && exits 2 leat plan 2> err && has err "a job cannot come after itself" &&
	echo true | job b "after: [a]\ninputs: {x: {repo: raw/x, glob: /*}}" && exits 2 leat plan 2> err && has err "after is for jobs of the calendar, and b is one of data" &&
	printf "kind: script\npartition: weekly\n" > jobs/a/job.yaml && echo true | job b "" && mkdir -p jobs/c && printf "kind: script\npartition: monthly\nafter: a\n" > jobs/c/job.yaml && echo true > jobs/c/job.sh &&
	exits 2 leat plan 2> err && has err "weekly units of a do not fit into monthly ones"
'
test_expect 'a job that comes after a broken one cannot be used either' '
	workspace worse && echo true | job a "nokey: 1" && echo true | job b "after: a" && echo true | job c "after: b" && exits 2 leat plan 2> err && has err "nokey" "it comes after a, which cannot be used" "it comes after b, which"
'
test_done
