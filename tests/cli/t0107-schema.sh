#!/usr/bin/env bash
# JSON Schemas of job.yaml and leat.yaml: an editor that goes by them finds no fault where Leat finds none, and sees what
# Leat refuses. docs/how-to/editor.md.
. "$(dirname "$0")/../lib.sh"

test_expect 'init and new name the schema in the first line of what they write, and it lies there' '
	workspace w && leat new sql a && leat new script b && leat new download c --set url=https://x.org/a.csv &&
	eq "$(head -1 leat.yaml)" "# yaml-language-server: \$schema=.leat/schema/leat.json" && for j in a b c; do eq "$(head -1 jobs/$j/job.yaml)" "# yaml-language-server: \$schema=../../.leat/schema/job.json" && test -f jobs/$j/../../.leat/schema/job.json; done &&
	leat config --schema job > s && same s .leat/schema/job.json && leat config --schema workspace > s && same s .leat/schema/leat.json
'
test_expect 'schemas of another version are written anew by the next new or init; they are no state of the store' '
	cd w && echo "{}" > .leat/schema/job.json && rm .leat/schema/leat.json && leat new sql d && leat config --schema job > s && same s .leat/schema/job.json && test -f .leat/schema/leat.json &&
	rm -r .leat/schema && leat status && leat fsck && leat new sql e && rm -r jobs/e && mkdir ../clone && cp -R leat.yaml jobs ../clone && cd ../clone && leat init && test -f .leat/schema/job.json && leat jobs
'
test_expect 'every key of the reference is in the schema, with its sentence, and no other' '
	cd w && leat __reference jobs | sed -n "s/^| \`\([^: ]*\)\` |.*/\1/p" | sort -u > want && json .leat/schema/job.json "\"\n\".join(sorted(set(d[\"properties\"])))" > got && same want got &&
	eq "$(json .leat/schema/job.json "all(p.get(\"description\") for p in d[\"properties\"].values())")" true && has got retries schedule
'
cat >"$TRASH/specs.json" <<'J'
[{"pipeline": {"name": "edges"}, "description": "Finds edges", "transform": {"image": "a/b:1", "cmd": ["sh"], "stdin": ["cp /pfs/trips/* /pfs/out"], "env": {"A": "1"}, "errCmd": ["true"], "acceptReturnCode": [4], "workingDir": "/pfs", "datumBatching": true}, "datumTries": 5, "datumTimeout": "300s", "jobTimeout": "1h", "reprocessSpec": "every_job", "outputBranch": "staging", "input": {"pfs": {"repo": "trips", "glob": "/*", "lazy": true}}},
 {"pipeline": {"name": "j"}, "transform": {"cmd": ["true"]}, "input": {"group": [{"join": [{"pfs": {"repo": "trips", "glob": "/(*)", "joinOn": "$1", "outerJoin": true, "groupBy": "$1"}}, {"pfs": {"repo": "weather", "glob": "/(*)", "join_on": "$1", "group_by": "$1"}}]}]}},
 {"pipeline": {"name": "x"}, "transform": {"cmd": ["true"]}, "input": {"cross": [{"pfs": {"repo": "trips", "glob": "/", "emptyFiles": true}}, {"union": [{"pfs": {"repo": "weather", "glob": "/*", "reference": true}}, {"cron": {"name": "tick", "spec": "@every 60s", "start": "2017-11-27T06:00:00Z", "overwrite": true}}]}]}},
 {"pipeline": {"name": "s"}, "transform": {"cmd": ["sleep", "1"]}, "service": {"internalPort": 8888, "externalPort": 30888}, "input": {"pfs": {"repo": "trips", "glob": "/"}}},
 {"pipeline": {"name": "o"}, "transform": {"cmd": ["sleep", "1"]}, "spout": {}},
 {"transform": {"cmd": ["true"]}, "inputs": [{"commit": {"repo": {"name": "trips"}, "id": "master/0"}, "glob": "/*"}, {"repo": {"name": "weather"}}]}]
J
printf '%s\n' 'kind: sql
inputs:
  speeds: tables/speeds
  cameras: {repo: tables/dim_cameras, optional: true}
  weather: {repo: raw/weather, pin: master.31, window: [-6, 0]}
output: tables/counts
pipeline: cameras
partition: {timezone: Europe/Paris}
schedule: {cron: "30 6 * * *", gap: skip, catchup: true}
params: {min_speed: 19}
retries: 3
retry_delay: 60s
timeout: 1h
checks: [row_count > 0, "duplicate_count(speed) = 0"]' >"$TRASH/good.yaml"
cat >"$TRASH/bad" <<'B'
kind: sqll\n
ouput: tables/x\n
retries: -1\n
retries: many\n
timeout: soon\n
partition: fortnightly\n
inputs: {a: {repo: raw/x, windw: all}}\n
inputs: {a: {optional: true}}\n
output: "a b"\n
kind: sql\ncmd: [true]\n
schedule: {crn: "* * * * *"}\n
kind: download\n
input: {cross: {pfs: {repo: a, glob: /}}}\n
inputs: {a: {repo: raw/x, optional: perhaps}}\n
params: 3\n
B
python3 "$TESTS/fake/schema.py" /dev/null 2>/dev/null
if [ $? != 3 ]; then
	test_expect 'an editor finds no fault in templates, examples, what apply makes of specs of Pachyderm, and the pages of docs' '
		cd w && echo 1 > f && leat put trips:/a f && leat put weather:/a f && leat apply -f ../specs.json && leat jobs > out && has out edges &&
		python3 "$TESTS/fake/schema.py" .leat/schema/job.json jobs/*/job.yaml "$CHECKOUT"/examples/*/jobs/*/job.yaml ../good.yaml "$CHECKOUT"/docs/*.md "$CHECKOUT"/docs/*/*.md "$CHECKOUT/README.md" > found 2> n && eq "$(cat found)" "" && test "$(cut -d" " -f1 n)" -ge 25
	'
	test_expect 'nor in leat.yaml, as init writes it and with every setting written out' '
		cd w && sed "s/^# \([a-z_]*: [^ ].*\)$/\1/" leat.yaml > all.yaml && has all.yaml "timezone: UTC" && python3 "$TESTS/fake/schema.py" .leat/schema/leat.json leat.yaml all.yaml > found && eq "$(cat found)" "" &&
		printf "name: s\ntables: {tables/shops: dim, tables/x: {kind: dim, columns: {a: integer}}}\npools: {pg: 2}\nslots: 2\nprotect: auto\nmemo_keep: 30d\nconnections: {s3: {endpoint: \"https://h:9000\"}}\n" > one.yaml && python3 "$TESTS/fake/schema.py" .leat/schema/leat.json one.yaml > found && eq "$(cat found)" "" && cp one.yaml leat.yaml && leat config > out
	'
	test_expect 'what Leat refuses of forms and names the editor shows too' '
		cd w
		rm -r jobs/*
		mkdir jobs/z
		echo "select 1 as a" > jobs/z/job.sql
		mapfile -t bad < ../bad
		test ${#bad[@]} -ge 15
		for line in "${bad[@]}"; do
			printf "%b" "$line" > jobs/z/job.yaml
			exits 2 leat plan z > out 2>&1
			python3 "$TESTS/fake/schema.py" .leat/schema/job.json jobs/z/job.yaml > found
			test -s found
		done
	'
else
	test_skip 'an editor finds no fault where Leat finds none, and sees what Leat refuses' 'python3 has no jsonschema or no yaml'
fi
test_done
