#!/usr/bin/env bash
# leat graph: the jobs and repos drawn as text, SVG and DOT.
. "$(dirname "$0")/../lib.sh"

# job NAME OUTPUT REPO…: a job of data; REPO@PIN is pinned
job() {
	local name=$1 output=$2 r
	shift 2
	mkdir -p "jobs/$name" && {
		printf 'kind: script\ncmd: ["true"]\noutput: %s\ninputs:\n' "$output"
		for r in "$@"; do
			case $r in
			*@*) printf '  %s: {repo: %s, pin: %s, glob: /}\n' "$(echo "${r%@*}" | tr '/.' __)" "${r%@*}" "${r#*@}" ;;
			*) printf '  %s: {repo: %s, glob: /}\n' "$(echo "$r" | tr '/.' __)" "$r" ;;
			esac
		done
	} > "jobs/$name/job.yaml"
}

test_expect 'a diamond of four jobs is drawn in layers, edges with corners, arrows before the jobs' '
	workspace w && job clean tables/clean raw/trips && job a a tables/clean && job b b tables/clean && job both marts/both a b &&
	leat graph > got && cat > want <<E && same want got
  raw/trips
      v
   [clean]
tables/clean
  +---+--+
  v      v
 [a]    [b]
  +--+---+
     v
  [both]
marts/both
E
'
test_expect 'an edge that passes a job goes beside it; a part that is not joined stands by itself; repos alone are named' '
	cd w && job end end marts/both tables/clean && job lone lone raw/other && echo x > x && leat put raw/nobody x && leat graph > got && cat got &&
	python3 - got <<PY && has got "[lone]" "no job reads or makes: raw/nobody" &&
import sys
lines = open(sys.argv[1]).read().split("\n")
assert max(map(len, lines)) <= 80, "too wide"
row = next(l for l in lines if "[both]" in l)
assert row.count("|") == 1, row
assert lines.index(next(l for l in lines if "[end]" in l)) > lines.index(row)
PY
	eq "$(grep -c "^$" got)" 2
'
test_expect 'of one job what leads to it and comes of it; of a repo what comes of it' '
	cd w && leat graph a > got && has got "[clean]" "[a]" "[both]" "[end]" && lacks got "[b]" lone nobody && leat graph raw/other > got &&
	has got "[lone]" && lacks got clean && leat graph tables/clean > one && leat graph clean > two && same one two && leat graph raw/nobody > got && has got raw/nobody
'
test_expect 'a graph too wide for the screen is a list, in the order of the jobs' '
	workspace wide && for i in $(seq 12); do job collector$i tables/collected_$i raw/trips; done && job top top $(seq -f tables/collected_%g 12) &&
	leat graph > got && has got "[collector1]  raw/trips -> tables/collected_1" && eq "$(tail -1 got | cut -c1-5)" "[top]"
'
test_expect 'a pinned version is a thing of its own, and a job may read what it made before' '
	workspace pins && echo 1 > f && leat put raw/x f && job old old raw/x@master.1 && job new new raw/x && leat graph > got && has got "raw/x@master.1" "[old]" "[new]" &&
	leat graph raw/x --json > rows && eq "$(json rows "sorted(r[\"repo\"] for r in d)")" "[\"new\", \"old\", \"raw/x\", \"raw/x@master.1\"]"
'
test_expect 'the SVG is XML that stands alone: no script, no file or address but that of its own language; light and dark' '
	cd w && leat graph --format svg > g.svg && python3 - g.svg <<PY &&
import sys, xml.etree.ElementTree as tree
text = open(sys.argv[1]).read()
root = tree.fromstring(text)
ns = "{http://www.w3.org/2000/svg}"
names = [t.text for t in root.iter(ns + "text")]
assert {"clean", "raw/trips", "both", "marts/both", "lone", "raw/nobody"} <= set(names), names
assert text.count("http") == 1 and "<script" not in text and "@import" not in text and "href" not in text
assert "prefers-color-scheme" in text and "currentColor" in text
width, height = int(root.get("width")), int(root.get("height"))
for r in root.iter(ns + "rect"):
    x, y, w, h = (int(r.get(k)) for k in ("x", "y", "width", "height"))
    assert 0 <= x and x + w <= width and 0 <= y and y + h <= height
PY
	if command -v rsvg-convert > /dev/null; then rsvg-convert g.svg -o g.png; fi
'
test_expect 'DOT names each job and repo, and --json what each reads' '
	cd w && leat graph --format dot > g.dot && has g.dot "\"repo raw/trips\" -> \"job clean\"" "\"job clean\" -> \"repo tables/clean\"" "digraph" &&
	if command -v dot > /dev/null; then dot -Tsvg g.dot > d.svg; fi &&
	leat graph --json > rows && eq "$(json rows "[r[\"reads\"] for r in d if r.get(\"job\") == \"both\"][0]")" "[\"a\", \"b\"]"
'
test_expect 'what is not there, a format that there is not, an empty workspace: a sentence' '
	cd w && exits 2 leat graph claen 2> err && has err clean && exits 2 leat graph --format png 2> err && has err svg && workspace none && leat graph 2> out && has out "no jobs"
'
test_done
