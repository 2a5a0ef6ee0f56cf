# tests/lib-data.sh: what tests of data-driven jobs share; sourced after lib.sh.

# job NAME GLOB REPO 'SCRIPT': a job of one input named `in`
job() {
	mkdir -p "jobs/$1"
	printf 'kind: script\ninputs:\n  in: {repo: %s, glob: "%s"}\n' "$3" "$2" >"jobs/$1/job.yaml"
	printf '#!/bin/sh\nset -e\n%s\n' "$4" >"jobs/$1/job.sh"
}

# says KEY N...: of the last row of `leat run --json` in the file `run`
says() {
	tail -n 1 run | python3 -c 'import json,sys
d = json.loads(sys.stdin.read())
want = dict(zip(sys.argv[1::2], map(int, sys.argv[2::2])))
have = {k: d[k] for k in want}
if have != want: sys.exit("%s, not %s" % (have, want))' "$@"
}

# The ids of a repo's commits, newest first.
ids() {
	leat log "$1" --json | python3 -c 'import json,sys
for l in sys.stdin: print(json.loads(l)["commit"])'
}
files() { leat ls "$1" | tr '\n' ' '; }
