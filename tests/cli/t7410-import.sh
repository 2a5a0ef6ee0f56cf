#!/usr/bin/env bash
# What runs elsewhere becomes jobs: crontabs, DAGs of dagu, and what every import has in common.
. "$(dirname "$0")/../lib.sh"

test_expect 'a crontab becomes jobs: times, settings, input, names after the programs' '
	workspace w && cat > ../tab <<-"END" &&
		# nightly
		SHELL=/bin/bash
		CRON_TZ=Europe/Paris
		FOO="a b"
		30 2 * * * /usr/local/bin/backup.sh --full >/dev/null 2>&1
		@midnight cd /srv && python3 tools/report.py --day $(date +\%F)
		*/5 9-17 * * mon-fri tr a-z A-Z > $LEAT_OUTPUT/x%hello $FOO {{ds}}%there
	END
	leat import cron ../tab > out 2> err && has out "backup " "report " "tr " "../tab:7" && has err "all of it was understood" &&
	has jobs/backup/job.yaml "cron: \"30 2 * * *\"" "timezone: Europe/Paris" "catchup: none" "partition: none" "FOO: \"a b\"" "/bin/bash" &&
	has jobs/report/job.yaml "cron: \"@daily\"" "report.py --day \$(date +%F)" &&
	leat run tr && leat cat tr:/x > out && printf "HELLO \$FOO {{DS}}\nTHERE\n" | cmp - out &&
	leat schedule sim backup --from 2024-01-01 --to 2024-01-02 > out && has out "2024-01-01 01:30"
'
test_expect 'the same import again changes nothing; what was changed is not overwritten, and nothing else is written, but with --force' '
	cd w && leat import cron ../tab > out && lacks out created updated && eq "$(grep -c unchanged out)" 3 &&
	echo "# mine" >> jobs/backup/job.yaml && rm -r jobs/report && exits 2 leat import cron ../tab 2> err &&
	has err "what is there is not overwritten: jobs/backup/job.yaml" --force && [ ! -e jobs/report ] &&
	leat import cron ../tab --dry-run > out 2> err && has out "backup  updated" "report  created" && has err "in the way" && [ ! -e jobs/report ] &&
	leat import cron ../tab --force > out && has out "backup  updated" "report  created" && lacks jobs/backup/job.yaml mine
'
test_expect 'standard input, /etc/crontab with users, and lines that are none' '
	workspace x && printf "0 1 * * * root /x/clean\n@reboot root /x/y\n61 * * * * root nope\n" | leat import cron - > out 2> err &&
	has out clean "standard input:1" && has err "standard input:2: not understood: @reboot" "standard input:3: not understood" "it ran as root" "2 things were not understood" &&
	leat import cron - --json < <(printf "0 1 * * * root /x/clean\n61 * * * * root nope\n") > out && eq "$(json out "d[-1][\"not_understood\"]")" 1 &&
	eq "$(json out "d[0][\"notes\"][0][\"kind\"]")" differs
'
test_expect 'files that are not of that kind, and other mistakes, are told in a sentence with exit status 2' '
	cd x && echo "print(1)" > a.py && exits 2 leat import cron a.py 2> err && has err "a.py:1:1: this is no line of a crontab" "crontab -l" &&
	exits 2 leat import dagu a.py 2> err && has err "no DAG of dagu" && printf "class: JupyterNotebook\n" > j.yaml && exits 2 leat import dagu j.yaml 2> err && has err "leat import dsflow" &&
	exits 2 leat import dsflow . 2> err && has err "is no dsflow project" && exits 2 leat import dsflow a.py 2> err && has err "is no folder" &&
	exits 1 leat import cron nope 2> err && has err nope && exits 2 leat import corn tab 2> err && has err "did you mean \"cron\"" &&
	exits 2 leat import cron jobs 2> err && has err "is a folder" && exits 2 leat import cron 2> err && has err FILE &&
	printf "\\0\\1" > bin && exits 2 leat import cron bin 2> err && has err "is no text" && : > empty && exits 2 leat import cron empty 2> err && has err "no job in it" &&
	mkdir -p pipelines/p/clean && printf "kind: script\n" > pipelines/p/clean/job.yaml && echo true > pipelines/p/clean/job.sh && rm -r jobs/clean &&
	exits 2 leat import cron - 2> err < <(echo "0 1 * * * clean") && has err "there is a job clean already: pipelines/p/clean/job.yaml"
'
test_expect 'a DAG of dagu becomes jobs: order, parameters, variables, scripts, retries, schedule' '
	workspace d && cat > ../etl.yaml <<-"END" &&
		name: nightly etl
		schedule: "CRON_TZ=Asia/Tokyo 5 9 * * *"
		params: "DAY=`echo monday` WHO=me 17"
		env:
		  - LOGS: /tmp/logs
		steps:
		  - name: extract
		    command: echo extract $WHO $1 $LOGS
		    retryPolicy: {limit: 3, intervalSec: 10}
		  - name: transform it
		    script: |
		      set -e
		      echo "day $DAY {{x}}"
		    depends: extract
		    continueOn: {failure: true}
		  - name: load
		    command: python3
		    script: |
		      print("hello")
		    depends: [transform it, nope]
		  - name: mail
		    executor: {type: mail}
		    depends: load
		    preconditions: [x]
	END
	leat import dagu ../etl.yaml > out 2> err && has out nightly-etl-extract "nightly-etl-transform-it  created  nightly-etl-extract" &&
	has err "etl.yaml:22: not understood: executor: mail" "etl.yaml:24: not understood: preconditions" "depends on a step that is not there: nope" &&
	has jobs/nightly-etl-extract/job.yaml "cron: \"5 9 * * *\"" "timezone: Asia/Tokyo" "retries: 3" "retry_delay: 10s" && has jobs/nightly-etl-load/job.yaml "when: all_done" "after: [nightly-etl-transform-it]" &&
	lacks jobs/nightly-etl-load/job.yaml schedule && leat run nightly-etl-load -u &&
	leat logs nightly-etl-extract > out && has out "extract me 17 /tmp/logs" && leat logs nightly-etl-transform-it > out && has out "day monday {{x}}" &&
	leat logs nightly-etl-load > out && has out hello && leat run nightly-etl-extract --param WHO=you && leat logs nightly-etl-extract > out && has out "extract you 17" &&
	exits 1 leat run nightly-etl-mail 2> err && leat logs nightly-etl-mail > out 2>&1 && has out "write jobs/nightly-etl-mail/job.sh"
'
test_expect 'type: chain, snake_case, run: and a DAG of one step' '
	cd d && printf "type: chain\nsteps:\n  - {id: a, run: echo 1}\n  - {id: b, run: echo 2, retry_policy: {limit: 2, interval_sec: 60}}\n  - {id: c, run: echo 3, depends: a}\n" > ../ch.yaml &&
	printf "steps:\n  - command: [echo, one]\n" > ../one.yaml && leat import dagu ../ch.yaml ../one.yaml > out && has out "ch-b  created  ch-a" "ch-c  created  ch-a" "one " && has jobs/ch-b/job.yaml "retry_delay: 1m" &&
	leat run one && leat logs one > out && has out one
'
test_done
