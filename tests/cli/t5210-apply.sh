#!/usr/bin/env bash
# leat apply: Pachyderm specs become jobs. SEMANTICS 5, docs/how-to/pachyderm.md.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
mkdir -p "$TRASH/one" && echo x > "$TRASH/one/a" && (leat put trips "$TRASH/one" && leat put trips "$TRASH/one" && leat put weather "$TRASH/one") > /dev/null || exit 1
cat > "$TRASH/edges.json" << 'EOF'
{
  "pipeline": {"name": "edges"},
  "description": "Finds edges",
  "transform": {
    "image": "pachyderm/opencv:1.0",
    "cmd": ["sh"],
    "stdin": ["cp /pfs/trips/* /pfs/out", "echo it's done"]
  },
  "parallelism_spec": {"constant": 4},
  "resource_requests": {"memory": "1G"},
  "datum_tries": 5,
  "datumTimeout": "300s",
  "reprocessSpec": "every_job",
  "input": {"pfs": {"repo": "trips", "glob": "/*"}}
}
EOF
# What apply makes of a spec that is given as text; exits as it does.
apply() {
	printf '%s\n' "$1" > "$TRASH/s.json" && shift && leat apply -f "$TRASH/s.json" "$@"
}
t='"transform": {"cmd": ["true"]}'

test_expect 'a dry run says what would be made and makes nothing' '
	cd w && leat apply --dry-run -f ../edges.json --json > row 2> err && eq "$(json row "[d[k] for k in (\"job\", \"what\", \"path\", \"dry_run\")]")" "[\"edges\", \"created\", \"jobs/edges\", true]" && [ ! -e jobs/edges ]
'
test_expect 'a spec becomes a job that people can read, with the spec beside it as it came' '
	cd w && leat apply -f ../edges.json > out 2> err && has out edges created && same jobs/edges/.spec.json ../edges.json &&
	has jobs/edges/job.yaml "kind: script" "description: \"Finds edges\"" "repo: trips" "glob: \"/*\"" "retries: 4" "timeout: 300s" "reprocessSpec: every_job" "image: \"pachyderm/opencv:1.0\"" &&
	eq "$(leat jobs --json | json /dev/stdin "(d[\"job\"], d[\"kind\"], d[\"output\"])")" "[\"edges\", \"script\", \"edges\"]" && eq "$(leat units edges --json | json /dev/stdin "d[\"paths\"]")" /a
'
test_expect 'what is for Kubernetes only is listed as ignored, and the image is named once' '
	cd w && has err "edges: ignored" "parallelismSpec, resourceRequests" "no container engine" && count 1 grep "container engine" err
'
test_expect 'applied again it is unchanged; changed it is updated' '
	cd w && leat apply -f ../edges.json > out 2> err && has out unchanged && sed "s/Finds/Sees/" ../edges.json > ../edges2.json && leat apply -f ../edges2.json > out 2> err && has out updated && has jobs/edges/job.yaml "Sees edges"
'
test_expect 'several in one file: documents one after the other, a list, YAML; camelCase and snake_case; by their old names' '
	cd w && { cat ../edges.json; sed "s/\"edges\"/\"second\"/" ../edges.json; } > ../two.json && eq "$(leat create-pipeline -f ../two.json --json 2> err | wc -l)" 2 &&
	eq "$(apply "[{\"pipeline\": {\"name\": \"l1\"}, $t, \"input\": {\"pfs\": {\"repo\": \"trips\", \"glob\": \"/\"}}}, {\"pipeline\": {\"name\": \"l2\"}, $t}]" --json 2> err | wc -l)" 2 &&
	printf "%s\n" "pipeline: {name: y1}" "transform: {cmd: [python3, -c, \"print(1)\"]}" "input:" "  join:" "  - pfs: {repo: trips, glob: \"/(*)\", join_on: \$1, outer_join: true}" "  - pfs: {repo: weather, glob: \"/(*)\", joinOn: \$1}" --- "pipeline: {name: y2}" "transform: {cmd: [\"true\"]}" "input: {cron: {name: tick, spec: \"@every 60s\"}}" > ../y.yaml &&
	eq "$(leat update-pipeline -f ../y.yaml --json 2> err | wc -l)" 2 && has jobs/y1/job.yaml "joinOn: \"\$1\"" "outerJoin: true" && eq "$(leat units y1 --json | wc -l)" 1 && leat jobs --json > jobs.json && eq "$(json jobs.json "len(d)")" 6
'
test_expect 'a line and column of a later document are those of the file' '
	cd w && { cat ../edges.json; echo "{\"pipeline\": {\"name\": \"z\"}, $t, \"inptu\": 1}"; } > ../bad.json && exits 2 leat apply -f ../bad.json 2> err && has err "bad.json:16:" "unknown field \"inptu\"" "did you mean \"input\""
'
test_expect 'Pachyderm 1.x: inputs are crossed, atom is pfs, commits count from 0, said once' '
	cd w && apply "{$t, \"inputs\": [{\"commit\": {\"repo\": {\"name\": \"trips\"}, \"id\": \"master/1\"}, \"glob\": \"/*\"}, {\"repo\": {\"name\": \"weather\"}}, {\"commit\": {\"repo\": {\"name\": \"trips\"}, \"id\": \"master/1\"}, \"name\": \"again\", \"glob\": \"/\"}]}" > out 2> err &&
	has out "s " created && has err "no pipeline name" "trips/master/1 counts from 0, so it is trips@master.2" && count 1 grep "counts from 0" err &&
	has jobs/s/job.yaml "cross:" "pin: master.2" && eq "$(leat units s --json | json /dev/stdin "[i[\"path\"] for i in d[\"inputs\"]]")" "[\"/a\", \"/\", \"/\"]" &&
	apply "{\"pipeline\": {\"name\": \"old\"}, $t, \"input\": {\"atom\": {\"repo\": \"trips\", \"glob\": \"/\", \"commit\": \"trips/master/0\"}}}" 2> err && has jobs/old/job.yaml "pin: master.1"
'
test_expect 'delete takes the jobs away, by name or by their spec, and no others' '
	cd w && leat delete-pipeline second l2 2> err > out && [ ! -e jobs/second ] && leat apply --delete -f ../y.yaml --json 2> err | wc -l > n && eq "$(cat n)" 2 && [ ! -e jobs/y1 ] &&
	mkdir -p jobs/mine && echo "kind: script" > jobs/mine/job.yaml && echo true > jobs/mine/job.sh && exits 2 leat apply --delete mine 2> err && has err "was not made by apply" && [ -e jobs/mine/job.yaml ] &&
	touch jobs/edges/notes && exits 2 leat apply --delete edges 2> err && has err "notes was not made by apply" && rm jobs/edges/notes && exits 2 leat apply --delete nothere 2> err && has err "no job named"
'
test_expect 'no job of your own is written over' '
	cd w && exits 2 apply "{\"pipeline\": {\"name\": \"mine\"}, $t}" 2> err && has err "is a job that apply did not make"
'
test_expect 'a circle, an output that two jobs write, a pin that is not there: exit 2, and nothing is written' '
	cd w && p() { echo "{\"pipeline\": {\"name\": \"$1\"}, $t, \"input\": {\"pfs\": {\"repo\": \"$2\", \"glob\": \"/\"}}}"; } &&
	exits 2 apply "$(p c1 c2) $(p c2 c1)" 2> err && has err "in a circle" "s.json:1:" && [ ! -e jobs/c1 ] &&
	mkdir -p jobs/writer && printf "kind: script\noutput: taken\n" > jobs/writer/job.yaml && echo true > jobs/writer/job.sh && exits 2 apply "$(p taken trips)" 2> err && has err "two jobs write taken" && [ ! -e jobs/taken ] &&
	exits 2 apply "{\"pipeline\": {\"name\": \"pinned\"}, $t, \"input\": {\"pfs\": {\"repo\": \"trips\", \"glob\": \"/\", \"commit\": \"master/77\"}}}" 2> err && has err "s.json:1:" "2 commits" && [ ! -e jobs/pinned ]
'
test_expect 'fields that cannot be are refused with their place and what is near' '
	cd w && bad() { exits 2 apply "$1" 2> err && shift && has err "s.json:" "$@"; } &&
	bad "{\"pipeline\": {\"name\": \"b\"}, $t, \"input\": {\"pfs\": {\"repo\": \"trips\", \"glob\": \"/[\"}}}" "the pattern" &&
	bad "{\"pipeline\": {\"name\": \"b\"}, $t, \"input\": {\"pfs\": {\"repo\": \"trips\"}}}" "\"glob\" is missing" &&
	bad "{\"pipeline\": {\"name\": \"b\"}, \"transform\": {\"image\": \"x\"}}" "no command" &&
	bad "{\"pipeline\": {\"name\": \"a b\"}, $t}" "s.json:1:" &&
	bad "{\"pipeline\": {\"name\": \"b\"}, $t, \"s3Out\": true}" "s3Out" "/pfs/out" &&
	bad "{\"pipeline\": {\"name\": \"b\"}, \"transform\": {\"cmd\": [\"x\"]}, \"datumTries\": 0}" "datumTries" &&
	bad "{\"pipeline\": {\"name\": \"b\"}" "s.json:2:" && bad "[]" "no pipeline spec" && exits 2 leat apply 2> err && has err "no spec is named" && exits 1 leat apply -f nothere.json 2> err && has err nothere.json && [ ! -e jobs/b ]
'
test_expect 'a program that is not on this machine is named, with what to use instead' '
	cd w && apply "{\"pipeline\": {\"name\": \"nb\"}, \"transform\": {\"image\": \"jupyter/base\", \"cmd\": [\"/opt/nothere/jupyter-x\", \"notebook\"]}}" 2> err && has err "the program /opt/nothere/jupyter-x is not on this machine, it is in the image jupyter/base" "put it into jobs/nb/"
'
test_expect 'a job.yaml is no spec, exit 2' '
	cd w && exits 2 leat apply -f jobs/mine/job.yaml 2> err && has err "is no Pachyderm spec" "jobs/NAME/job.yaml"
'
test_expect 'a transform that is written wrong is an unknown field with the right word, not one that is missing' '
	cd w && echo "{\"pipeline\": {\"name\": \"z\"}, \"transfrom\": {\"cmd\": [\"true\"]}, \"input\": {\"pfs\": {\"repo\": \"in\", \"glob\": \"/\"}}}" >../bad.json && exits 2 leat apply -f ../bad.json 2>err && has err "bad.json:1:" "unknown field \"transfrom\"" "did you mean \"transform\"" &&
	echo "{\"pipeline\": {\"name\": \"z\"}}" >../bad.json && exits 2 leat apply -f ../bad.json 2>err && has err "the spec has no transform"
'
test_expect 'a folder in which an apply was killed before its first file stood is no job of somebody else: the same again makes it, and --delete takes it away' '
	cd w && mkdir -p jobs/begun jobs/both/x && touch jobs/begun/.leat-00ff.tmp && apply "{\"pipeline\": {\"name\": \"begun\"}, $t}" && test -f jobs/begun/job.yaml && test ! -e jobs/begun/.leat-00ff.tmp &&
	touch jobs/begun/.leat-00fe.tmp && leat apply --delete begun && test ! -e jobs/begun && mkdir jobs/_deleted-begun && touch jobs/_deleted-begun/job.yaml && leat apply --delete begun && test ! -e jobs/_deleted-begun &&
	exits 2 leat apply --delete begun && exits 2 apply "{\"pipeline\": {\"name\": \"both\"}, $t}" 2> err && has err "is a job that apply did not make" && rmdir jobs/both/x jobs/both
'
test_done
