#!/usr/bin/env bash
# Issue 7, part 7: runs as OpenLineage events, to a file or a URL, with a daemon and without.
. "$(dirname "$0")/../lib.sh"
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0

events() { # FILE KEY: type, job and that key of each, if all of them are as the specification says
	python3 "$TESTS/fake/openlineage.py" "$@"
}
types() { # FILE: type and job of each, on one line
	[ ! -s "$1" ] || events "$1" eventType | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'
}
told() { eq "$(types "$1")" "$2" > /dev/null; } # for wait_for
job() { # NAME INPUT 'job.sh' KEY...
	mkdir -p "jobs/$1" && printf '%s\n' "$3" > "jobs/$1/job.sh" && printf '%s\n' "kind: script" "partition: daily" "inputs: [$2]" "output: tables/$1" "${@:4}" > "jobs/$1/.new" && mv "jobs/$1/.new" "jobs/$1/job.yaml"
}
pair() { # two jobs, one after the other
	job a raw/x 'cat $LEAT_INPUT_x/* > $LEAT_OUTPUT/f' && job b tables/a 'cat $LEAT_INPUT_a/* > $LEAT_OUTPUT/f'
}
full() { # with a small disk under it
	mount -t tmpfs -o size=4m tmpfs small && printf "lineage: {to: small/events.jsonl}\n" >> leat.yaml && run_again && mv small/events.jsonl ../whole && { head -c 100M /dev/zero > small/fill || true; } &&
	run_again 2>err && has err "OpenLineage events wait" "No space left" && eq "$(cat small/events.jsonl 2>/dev/null | tail -c1)" "" && rm small/fill && rm -f .leat/lineage.json && run_again && events small/events.jsonl eventType | wc -l | has - 8
}
head_of() { leat log "$1" --json -n 1 | head -1 | sed 's/.*"commit":"\([0-9a-f]*\)".*/\1/'; }

test_expect 'leat run alone appends START and COMPLETE of each run to the file that lineage.to names, in order, with what was read and written' '
	workspace w && printf "lineage: {to: out/events.jsonl, namespace: shop}\n" >> leat.yaml && pair && echo one > f && leat put raw/x f --ds 2026-03-01 && leat run && types out/events.jsonl | tee types | has - "START a" "COMPLETE a" "START b" "COMPLETE b" &&
	eq "$(wc -l < out/events.jsonl)" 4 && eq "$(events out/events.jsonl job.namespace | grep -c " shop$")" 4 &&
	events out/events.jsonl inputs.0.facets.version.datasetVersion > in && has in "COMPLETE a $(head_of raw/x)" "COMPLETE b $(head_of tables/a)" &&
	events out/events.jsonl outputs.0.facets.version.datasetVersion > made && has made "COMPLETE a $(head_of tables/a)" "COMPLETE b $(head_of tables/b)" "START a -" &&
	events out/events.jsonl run.facets.nominalTime.nominalStartTime | has - "START a 2026-03-01T00:00:00.000Z" && events out/events.jsonl run.facets.nominalTime.nominalEndTime | has - "COMPLETE b 2026-03-02T00:00:00.000Z"
'
test_expect 'the run is known by its own id, and by the batch that it was part of' '
	cd w && id=$(leat runs a --json | sed "s/.*\"run\":\"\([0-9a-f]*\).*/\1/") && events out/events.jsonl run.runId | tr -d - | has - "COMPLETE a $id" &&
	eq "$(events out/events.jsonl run.facets.parent.run.runId | sed "s/.* //" | sort -u | wc -l)" 1 && events out/events.jsonl run.facets.parent.job.name | has - "leat.run"
'
test_expect 'a run that fails is FAIL with its message, one that is cancelled ABORT; a command that runs nothing tells nothing' '
	cd w && : > out/events.jsonl && job bad raw/x "exit 7" && exits 1 leat run bad 2026-03-01 && told out/events.jsonl "START bad, FAIL bad" && events out/events.jsonl run.facets.errorMessage.message | has - "FAIL bad 2026-03-01: " 7 "START bad -" &&
	: > out/events.jsonl && leat put raw/x f --ds 2026-03-01 && eq "$(cat out/events.jsonl)" "" && job slow raw/x "echo x > $TRASH/begun; sleep 100" && { "$LEAT_BIN" run slow 2026-03-01 > /dev/null 2>&1 & } && wait_for 20 test -s "$TRASH/begun" && leat cancel slow && wait_for 20 told out/events.jsonl "START slow, ABORT slow" && rm -r jobs/bad jobs/slow
'
test_expect 'the query of a sql job stands in it as it ran, with the rows that it wrote and the columns of the CSV that it read' '
	cd w && : > out/events.jsonl && printf "day,n\n2026-03-01,4\n" > t.csv && leat put raw/t t.csv --ds 2026-03-01 && mkdir jobs/q && printf "kind: sql\npartition: daily\ninputs: {t: raw/t}\noutput: tables/q\ndescription: Counts\n" > jobs/q/job.yaml && printf "select n, n * 2 as m from raw.t\n" > jobs/q/job.sql && leat run q 2026-03-01 &&
	events out/events.jsonl job.facets.sql.query | has - "COMPLETE q select n, n * 2 as m from raw.t" && events out/events.jsonl outputs.0.outputFacets.outputStatistics.rowCount | has - "COMPLETE q 1" && events out/events.jsonl inputs.0.facets.schema.fields.1.name | has - "COMPLETE q n" && events out/events.jsonl job.facets.documentation.description | has - "START q Counts"
'
test_expect 'leat lineage shows events of runs that there are, also of before; --json prints them' '
	cd w && leat lineage a | has - COMPLETE raw/x tables/a && leat lineage --json -n 1000 > all && [ "$(events all eventType | wc -l)" -ge 8 ] && leat lineage "$(leat runs a --json | sed "s/.*\"run\":\"\([0-9a-f]*\).*/\1/" | cut -c1-8)" --json > one && eq "$(types one)" "START a, COMPLETE a" && exits 1 leat lineage nothing 2> err && has err "no job and no run" && exits 2 leat lineage -n x
'
test_expect 'a line that a crash cut off is told again whole, and what others wrote stays' '
	cd w && printf "# mine\n{\"eventTime\":\"2026-01-01T00:0" > out/events.jsonl && leat run a 2026-03-01 --again && eq "$(head -1 out/events.jsonl)" "# mine" && tail -n +2 out/events.jsonl > rest && eq "$(types rest)" "START a, COMPLETE a" &&
	printf mine > out/events.jsonl && leat run a 2026-03-01 --again && eq "$(head -1 out/events.jsonl)" mine && eq "$(wc -l < out/events.jsonl)" 3
'
test_expect 'to a URL: each by a POST, with the token that is a secret; http://HOST:PORT means its /api/v1/lineage' '
	mkdir -p www && http_server www --posts posts && workspace u && pair && mkdir -p secrets/marquez && (umask 077 && echo abc123 > secrets/marquez/key) && printf "lineage: {to: \"$HTTP_URL\", token: marquez/key}\n" >> leat.yaml && echo one > f && leat put raw/x f --ds 2026-03-01 && leat run &&
	eq "$(types ../posts | tr "," "\n" | sed "s/^ //" | sort | tr "\n" ,)" "COMPLETE a,COMPLETE b,START a,START b," && eq "$(grep -c "^POST /api/v1/lineage 201 .*Authorization=Bearer abc123" "$HTTP_LOG")" 4 && events ../posts job.namespace | has - " u"
'
test_expect 'a receiver that is dead fails nothing and loses nothing: a later command tells all, in order' '
	cd u && http_stop && : > ../posts && leat run a 2026-03-01 --again 2> err && has err "2 OpenLineage events wait" && leat status > st && has st "2 OpenLineage events wait" && leat run a 2026-03-01 --again && port=${HTTP_URL##*:} && http_server ../www --posts ../posts --port "$port" && rm .leat/lineage.json &&
	leat run b 2026-03-01 --again && told ../posts "START a, COMPLETE a, START a, COMPLETE a, START b, COMPLETE b" && leat status > st && lacks st OpenLineage
'
test_expect 'while it is known to be dead no command waits for it' '
	cd u && http_stop && leat run a 2026-03-01 --again 2> err && has err "events wait" && python3 -c "import json; d = json.load(open(\".leat/lineage.json\")); d[\"again\"] += 1000; json.dump(d, open(\".leat/lineage.json\", \"w\"))" && calls_of() { grep -c -- "--role.*lineage" "$1" || true; } &&
	strace -f -e trace=execve -o tr "$LEAT_BIN" run a 2026-03-01 --again && eq "$(calls_of tr)" 0
'
test_expect 'the daemon tells as it happens; a receiver that is down is tried again by itself, said once, and what came meanwhile is told in order' '
	: > posts && http_server www --posts posts && workspace d && pair && printf "lineage: {to: \"$HTTP_URL\"}\n" >> leat.yaml && job a raw/x "while [ ! -e $TRASH/go ]; do sleep 0.02; done; echo x > \$LEAT_OUTPUT/f" && serve . && echo one > f && leat put raw/x f --ds 2026-03-01 &&
	{ leat run a 2026-03-01 > /dev/null & } && wait_for 20 told ../posts "START a" && touch "$TRASH/go" && wait_for 20 told ../posts "START a, COMPLETE a" &&
	http_stop && leat run b 2026-03-01 && wait_for 20 grep -q "OpenLineage events wait" .leat/logs/serve.log && leat run b 2026-03-01 --again && port=${HTTP_URL##*:} && http_server ../www --posts ../posts --port "$port" &&
	wait_for 40 told ../posts "START a, COMPLETE a, START b, COMPLETE b, START b, COMPLETE b" && eq "$(grep -c "OpenLineage events wait" .leat/logs/serve.log)" 1 && wait_for 20 grep -q "told again" .leat/logs/serve.log
'
test_expect 'a daemon that is killed is followed by one that tells what came meanwhile' '
	cd d && kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status && : > ../posts && http_stop && leat run b 2026-03-01 --again 2> err && has err "events wait" && port=${HTTP_URL##*:} && http_server ../www --posts ../posts --port "$port" && serve . && wait_for 20 told ../posts "START b, COMPLETE b"
'
test_expect 'an event that the receiver refuses is named, and the others come' '
	cd d && : > ../posts && http_stop && port=${HTTP_URL##*:} && http_server ../www --posts ../posts --status "*" 422 1 --port "$port" && leat run b 2026-03-01 --again && wait_for 20 told ../posts "COMPLETE b" && grep "was refused" .leat/logs/serve.log | has - "START event of run" 422 && leat serve --stop
'
test_expect 'a workspace that says nothing of lineage has no table for it' '
	workspace none && pair && echo x > f && leat put raw/x f --ds 2026-03-01 && leat run && eq "$(python3 -c "import sqlite3; print(sqlite3.connect(\".leat/leat.db\").execute(\"select count(*) from sqlite_master where name like ?\", (\"lineage%\",)).fetchone()[0])")" 0
'
if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; then
	test_expect 'a file on a full disk gets no half line, and its events come when there is room' '
		workspace fill && pair && echo one > f && leat put raw/x f --ds 2026-03-01 && leat run && mkdir small && run_again() { leat run a 2026-03-01 --again && leat run b 2026-03-01 --again; } && declare -f > ../functions && declare -p TRASH TESTS LEAT_BIN >> ../functions && unshare -m bash -c ". ../functions; set -ex; full"
	'
fi
test_done
