#!/usr/bin/env bash
# leat new dag: a DAG of jobs that are there.
. "$(dirname "$0")/../lib.sh"

test_expect 'jobs become a DAG: one pipeline, an order where the data do not give it, one schedule' '
	workspace w && for j in load sales report; do mkdir -p jobs/$j && printf "kind: script\n# mine\npartition: daily\noutput: tables/$j\n" > jobs/$j/job.yaml && echo "echo $j >> $TRASH/order" > jobs/$j/job.sh || return 1; done
	printf "inputs: {l: tables/load}\n" >> jobs/sales/job.yaml
	leat new dag nightly load sales report --set schedule=@daily --set start=2024-01-01 --set catchup=all > out && has out "updated jobs/load" "updated jobs/report, after sales" &&
	has jobs/load/job.yaml "# mine" "pipeline: nightly" "cron: \"@daily\"" "start: 2024-01-01" "catchup: all" && lacks jobs/sales/job.yaml after: schedule: && has jobs/sales/job.yaml "pipeline: nightly" &&
	has jobs/report/job.yaml "after: [sales]" && lacks jobs/report/job.yaml schedule:
'
test_expect 'it runs in that order; the same again changes nothing; generate-dag is the old word' '
	cd w && leat run report 2024-01-02 -u && echo "load sales report" | diff - <(tr "\n" " " < $TRASH/order | sed "s/ $/\n/") &&
	leat generate-dag nightly load sales report > out && lacks out updated
'
test_expect 'mistakes are told' '
	cd w && exits 2 leat new dag nightly 2> err && has err "leat new dag nightly JOB JOB..." "there are: load, report, sales" && exits 2 leat new dag nightly lod 2> err && has err "did you mean \"load\"" &&
	exits 2 leat new dag other report load 2> err && has err "has another pipeline" && exits 2 leat new dag nightly load --set x=1 2> err && has err "asks for no" &&
	exits 2 leat new sql a b 2> err && has err "one too many" && exits 2 leat new dag nightly report load 2> err && has err "circle"
'
test_done
