#!/usr/bin/env bash
. "$(dirname "$0")/../lib.sh"

upper_job() { # NAME INPUT OUTPUT
	mkdir -p "jobs/$1"
	printf 'kind: script\ninputs: {raw: {repo: %s, glob: "/*"}}\noutput: %s\n' "$2" "$3" > "jobs/$1/job.yaml"
	printf 'for f in $LEAT_INPUT_raw/*; do tr a-z A-Z < $f > $LEAT_OUTPUT/$(basename $f); done\n' > "jobs/$1/job.sh"
}
all_done() { ! requests . | grep -v "^success"; }
requests() { # of a workspace, as rows state|kind|job
	python3 -c 'import sqlite3, sys
for r in sqlite3.connect(sys.argv[1] + "/.leat/leat.db").execute("select state, kind, coalesce(job, ?) from request order by id", ("",)): print("|".join(r))' "$1"
}

test_expect 'a daemon starts in the background, says who it is, and is the only one of its workspace' '
	workspace w && upper_job up raw/x tables/up && rm -rf .leat/logs &&
	serve . --json > here &&
	[ "$(json here "d[\"state\"]")" = serving ] && [ "$(json here "d[\"pid\"]")" = "$(daemon_pid .)" ] &&
	exits 2 leat serve 2> err && grep -qF -- "pid $(daemon_pid .)" err && grep -qF -- "leat serve --stop" err &&
	leat serve --status --json > here && [ "$(json here "d[\"state\"]")" = serving ] &&
	leat status > out && grep -qF "served by pid $(daemon_pid .)" out
'

test_expect 'a commit starts the jobs that read it, though nobody runs them' '
	cd w && echo hello > f && leat put raw/x f &&
	wait_for 20 leat cat tables/up:/f && [ "$(leat cat tables/up:/f)" = HELLO ] &&
	[ "$(leat log tables/up --json | wc -l)" = 1 ]
'

test_expect 'a new job is taken up as its file is saved, and runs on what is there' '
	cd w && upper_job again tables/up tables/again && echo more > g && leat put raw/x g &&
	wait_for 20 leat cat tables/again:/g && [ "$(leat cat tables/again:/g)" = MORE ]
'

test_expect 'a job file that is broken is named with its place in the log, and the others go on' '
	cd w && mkdir -p jobs/broken && printf "kind: script\nretries: many\n" > jobs/broken/job.yaml &&
	wait_for 20 grep -F jobs/broken/job.yaml:2:10 .leat/logs/serve.log &&
	echo third > h && leat put raw/x h && wait_for 20 leat cat tables/again:/h && rm -r jobs/broken
'

test_expect 'a job that is saved with a mistake goes on as it was when it was good, code and all, until it is good again' '
	cd w && cp jobs/up/job.yaml good.yaml && wait_for 20 grep -F "broken=0" .leat/logs/serve.log &&
	printf "kind: script\nretries: many\n" > jobs/up/job.yaml && printf "exit 3\n" > jobs/up/job.sh &&
	wait_for 20 grep -F jobs/up/job.yaml:2:10 .leat/logs/serve.log &&
	echo fourth > i && leat put raw/x i && wait_for 20 leat cat tables/up:/i && [ "$(leat cat tables/up:/i)" = FOURTH ] &&
	leat jobs 2> err && grep -qF jobs/up/job.yaml:2:10 err &&
	upper_job up raw/x tables/up && sed -i "s/tr a-z A-Z/rev/" jobs/up/job.sh && : > .leat/logs/serve.log &&
	touch jobs/up/job.yaml && wait_for 20 grep -F "jobs=2 broken=0" .leat/logs/serve.log &&
	echo abc > j && leat put raw/x j && wait_for 20 eval "[ \"\$(leat cat tables/up:/j)\" = cba ]"
'

test_expect 'a daemon that is killed is followed by one that takes what came meanwhile' '
	cd w && kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status &&
	echo late > l && leat put raw/x l && exits 1 leat cat tables/up:/l &&
	serve . && wait_for 20 leat cat tables/again:/l && [ "$(leat cat tables/again:/l)" = ETAL ]
'

test_expect 'a runner outlives its daemon, and the next daemon neither starts its work twice nor loses it' '
	cd w && mkdir -p jobs/slow && printf "kind: script\ninputs: {raw: {repo: raw/slow, glob: /}}\noutput: tables/slow\nsandbox: off\n" > jobs/slow/job.yaml &&
	printf "echo begun >> $TRASH/begun\nwhile [ ! -e $TRASH/go ]; do sleep 0.05; done\necho done > \$LEAT_OUTPUT/f\n" > jobs/slow/job.sh &&
	wait_for 20 grep -F "jobs=3" .leat/logs/serve.log && leat put raw/slow f && wait_for 20 test -s $TRASH/begun &&
	kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status && serve . &&
	[ "$(requests . | grep -c "^running")" = 1 ] && touch "$TRASH/go" &&
	wait_for 20 leat cat tables/slow:/f && [ "$(wc -l < "$TRASH/begun")" = 1 ] &&
	wait_for 20 all_done
'

test_expect 'it ends when it is asked to, and --status then says so with exit status 1' '
	cd w && leat serve --stop 2> err && grep -qF -- "go on" err && exits 1 leat serve --status > out && grep -q stopped out &&
	exits 1 leat serve --stop 2> err && grep -qF -- "no daemon" err &&
	printf "schedule: \"0 6 * * *\"\n" >> jobs/slow/job.yaml && leat status > out &&
	grep -qF "1 job has a schedule and nobody keeps the clock" out
'

test_done
