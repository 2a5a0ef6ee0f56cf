#!/usr/bin/env bash
# leat units: the units that the inputs of a job, or of a spec that is none yet, give.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
# Files in a folder, named by what follows the folder, put as one commit of the repo of that name.
repo() {
	local name=$1
	mkdir -p "$TRASH/in/$name" && shift && (cd "$TRASH/in/$name" && for f; do echo "$f" > "$f"; done) && leat put "$name" "$TRASH/in/$name"
}
units() { # a spec as text: how many units it gives
	printf '%s\n' "$1" > "$TRASH/spec.json" && leat units -f "$TRASH/spec.json" --json | wc -l
}
pipe() { # an input: a spec
	echo '{"pipeline": {"name": "p"}, "transform": {"cmd": ["true"]}, "input": '"$1"'}'
}

test_expect 'the glob / gives one unit, /* one for each entry at the top, before any job is there' '
	cd w && repo a 1 2 3 4 5 6 7 8 9 10 11 && repo b 1 2 3 4 5 6 7 && repo c 1 &&
	eq "$(units "$(pipe "{\"pfs\": {\"repo\": \"a\", \"glob\": \"/\"}}")")" 1 &&
	eq "$(units "$(pipe "{\"pfs\": {\"repo\": \"a\", \"glob\": \"/*\"}}")")" 11 &&
	eq "$(leat jobs --json)" ""
'
test_expect 'a cross of 11, 7 and 1 files is 77 units, and none with an empty repo' '
	cd w && x="{\"cross\": [{\"pfs\": {\"repo\": \"a\", \"glob\": \"/*\"}}, {\"pfs\": {\"repo\": \"b\", \"glob\": \"/*\"}}, {\"pfs\": {\"repo\": \"c\", \"glob\": \"/\"}}]}" &&
	eq "$(units "$(pipe "$x")")" 77 && repo empty x && leat rm empty:/x && eq "$(units "$(pipe "${x/\"c\"/\"empty\"}")")" 0 &&
	eq "$(units "$(pipe "${x/\"c\"/\"never\"}")")" 0
'
test_expect 'a union of two crosses of two pairs is 8 units, a cross of two unions 16' '
	cd w && for r in k q r s; do repo $r 1 2; done &&
	leaf() { printf "{\"pfs\": {\"repo\": \"%s\", \"glob\": \"/*\", \"name\": \"%s\"}}" "$1" "$2"; } &&
	eq "$(units "$(pipe "{\"union\": [{\"cross\": [$(leaf k k), $(leaf q q)]}, {\"cross\": [$(leaf r r), $(leaf s s)]}]}")")" 8 &&
	eq "$(units "$(pipe "{\"cross\": [{\"union\": [$(leaf k x), $(leaf q x)]}, {\"union\": [$(leaf r y), $(leaf s y)]}]}")")" 16
'
test_expect 'of files named by four binary digits (11*) and (*0) join in two units' '
	cd w && repo bits $(for i in 0 1; do for j in 0 1; do for k in 0 1; do for l in 0 1; do echo f$i$j$k$l; done; done; done; done) &&
	x="{\"join\": [{\"pfs\": {\"repo\": \"bits\", \"glob\": \"/f(11*)\", \"join_on\": \"\$1\"}}, {\"pfs\": {\"repo\": \"bits\", \"name\": \"other\", \"glob\": \"/f(*0)\", \"joinOn\": \"\$1\"}}]}" &&
	eq "$(units "$(pipe "$x")")" 2 && leat units -f "$TRASH/spec.json" > out && has out "/f1100 + /f1100" "/f1110 + /f1110"
'
test_expect 'padded with blanks they are three groups by their third digit' '
	cd w && repo padded "f   0" "f   1" "f  10" "f  11" "f 100" "f 101" "f 110" "f 111" f1000 f1001 f1010 f1011 f1100 f1101 f1110 f1111 &&
	eq "$(units "$(pipe "{\"group\": [{\"pfs\": {\"repo\": \"padded\", \"glob\": \"/f(?)(?)(?)(?)\", \"groupBy\": \"\$3\"}}]}")")" 3 &&
	leat units -f "$TRASH/spec.json" --json > rows && eq "$(json rows "[sorted(set(i[\"groupBy\"] for i in r[\"inputs\"])) for r in d]")" "[[\" \"], [\"0\"], [\"1\"]]"
'
test_expect 'a row names each input with its repo, commit, path and hash' '
	cd w && units "$(pipe "{\"pfs\": {\"repo\": \"c\", \"glob\": \"/*\", \"name\": \"see\"}}")" && leat units -f "$TRASH/spec.json" --json > rows &&
	eq "$(json rows "[(i[\"name\"], i[\"repo\"], i[\"path\"], i[\"size\"], len(i[\"commit\"])) for i in d[\"inputs\"]]")" "[[\"see\", \"c\", \"/1\", 2, 32]]" &&
	eq "$(json rows "d[\"inputs\"][0][\"sha256\"]")" "$(sha256sum < "$TRASH/in/c/1" | cut -d" " -f1)"
'
test_expect 'the units of a job are those of its globs, in the flat form too' '
	cd w && mkdir -p jobs/flat && printf "%s\n" "kind: script" "inputs:" "  a: {repo: a, glob: \"/*\"}" "  whole: b" > jobs/flat/job.yaml && echo true > jobs/flat/job.sh &&
	eq "$(leat units flat --json | wc -l)" 11 &&
	leat units flat -n 2 2> err > out && has out "/1 + /" && has err "11 units"
'
test_expect 'a job.yaml that is none yet is looked at with -f' '
	cd w && sed "s/flat/x/" jobs/flat/job.yaml > ../later.yaml && eq "$(leat units -f ../later.yaml --json | wc -l)" 11
'
test_expect 'a pin shows the units of that commit, for ever' '
	cd w && repo a 12 && eq "$(units "$(pipe "{\"pfs\": {\"repo\": \"a\", \"glob\": \"/*\"}}")")" 12 &&
	eq "$(units "$(pipe "{\"pfs\": {\"repo\": \"a\", \"glob\": \"/*\", \"commit\": \"a/master/0\"}}")")" 11
'
test_expect 'a pin that is not there is named with its place, exit 2' '
	cd w && pipe "{\"pfs\": {\"repo\": \"a\", \"glob\": \"/*\", \"pin\": \"master.9\"}}" > ../bad.json && exits 2 leat units -f ../bad.json 2> err && has err "bad.json:1:" "2 commits"
'
test_expect 'what cannot be is named with file, line and column, exit 2' '
	cd w && bad() { printf "%s\n" "$1" > ../bad.yaml && exits 2 leat units -f ../bad.yaml 2> err && shift && has err "bad.yaml:" "$@"; } &&
	t="transform: {cmd: [x]}" &&
	bad "{pipeline: {name: p}, $t, input: {pfs: {repo: a, glob: \"/[x\"}}}" "1:75: the pattern" "closing ]" &&
	bad "{pipeline: {name: p}, $t, input: {pfs: {repo: a, globb: /}}}" "unknown field \"globb\"" "did you mean \"glob\"" &&
	bad "{pipeline: {name: p}, $t, input: {pfs: {repo: a, glob: \"/(*)\", joinOn: \$1, join_on: \$1}}}" "\"joinOn\" stands twice, here as \"join_on\"" &&
	bad "{pipeline: {name: p}, $t, inptu: {pfs: {repo: a, glob: /}}}" "unknown field \"inptu\"" "did you mean \"input\"" &&
	bad "{pipeline: {name: p}, $t, input: {join: [{pfs: {repo: a, glob: \"/(*)\", joinOn: \$2}}]}}" "there is no \$2: the glob has 1 group" &&
	bad "{pipeline: {name: p}, $t, input: {cross: [{pfs: {repo: a, glob: /}}, {pfs: {repo: a, glob: /}}]}}" "two inputs are called \"a\""
'
test_expect 'a job of the calendar has no such units, exit 2, naming plan' '
	cd w && mkdir -p jobs/day && printf "kind: script\npartition: daily\n" > jobs/day/job.yaml && echo true > jobs/day/job.sh && exits 2 leat units day 2> err && has err "come from the calendar" "leat plan day"
'
test_done
