#!/usr/bin/env bash
# Spouts: tar archives that go into /pfs/out become commits; what depends on them runs. docs/how-to/services.md.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"
. "$TESTS/lib-data.sh"
needs tar

workspace w >/dev/null 2>&1 || exit 1
# spout NAME LINE...: a job whose shell does these lines
spout() {
	local name=$1 l
	shift
	mkdir -p "jobs/$name"
	printf 'kind: spout\ncmd: [sh]\nstdin:\n' >"jobs/$name/job.yaml"
	for l; do printf -- '- %s\n' "$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1]))' "$l")" >>"jobs/$name/job.yaml"; done
}
commits() { leat log "$1" --json 2>/dev/null | wc -l; }
has_commits() { [ "$(commits "$1")" = "$2" ]; }
at_least() { [ "$(commits "$1")" -ge "$2" ]; }
made_at() { [ "$(leat log upper --json 2>/dev/null | json /dev/stdin 'd["commit"] if isinstance(d, dict) else d[0]["commit"]')" = "$(leat log s --json | json /dev/stdin 'd["commit"] if isinstance(d, dict) else d[0]["commit"]')" ]; }

test_expect 'each archive that is written becomes a commit, over what was there' '
	cd w && spout s "echo 1 > a; echo x > keep; tar cf /pfs/out a keep" "echo 2 > a; mkdir -p d; echo 3 > d/b; tar cf /pfs/out a d" "sleep 1000 & wait" && job upper "/*" s "tr a-z A-Z < \$LEAT_INPUT_in/keep > \$LEAT_OUTPUT/up 2>/dev/null || true" && leat run -q &&
	up s >out && has out s spout running && wait_for 20 has_commits s 2 && eq "$(leat cat s:/a s:/d/b s:/keep | tr "\n" " ")" "2 3 x " && eq "$(leat cat s@master~1:/a)" 1 && eq "$(leat ls s@master~1 | tr "\n" " ")" "/a /keep "
'
test_expect 'what depends on it runs by itself, under the id of the commit' '
	cd w && wait_for 30 made_at && eq "$(leat cat upper:/up)" X
'
test_expect 'down ends it, and what it wrote last is committed' '
	cd w && spout last "trap \"echo 9 > z; tar cf /pfs/out z; exit 0\" TERM" "echo ready" "sleep 1000 & wait" && up last >/dev/null && wait_for 20 sh -c "\"$LEAT_BIN\" logs last | grep -q ready" && leat down >out && has out s last && eq "$(leat cat last:/z)" 9 && none_left s && none_left last && leat commit s 2>err && has err "commits by itself"
'
test_expect 'archives one after the other in one opened pipe are a commit each; GNU, pax and long names' '
	cd w && n=$(printf "n%.0s" $(seq 120)) && spout two "mkdir -p deep/$n; echo l > deep/$n/$n; echo 1 > a; tar cf one.tar --format=gnu a deep; echo 2 > a; tar cf two.tar --format=pax a deep; cat one.tar two.tar > /pfs/out" "sleep 1000 & wait" && up two >/dev/null && wait_for 20 has_commits two 2 && eq "$(leat cat two@master~1:/a two:/a two:/deep/$n/$n | tr "\n" " ")" "1 2 l " && leat down two >/dev/null
'
test_expect 'one that is cut short, none, and one with a link are not committed, and the log says so; the next is' '
	cd w && spout torn "echo 1 > a; tar cf a.tar a; head -c 700 a.tar > /pfs/out; sleep 1" "seq 3000 > /pfs/out; sleep 1" "ln -s /etc/passwd l; tar cf /pfs/out a l; sleep 1" "tar cf /pfs/out -P --transform s,a,../../evil, a; sleep 1" "echo 2 > good; tar cf /pfs/out good" "sleep 1000 & wait" && up torn >/dev/null && wait_for 20 has_commits torn 1 && eq "$(leat ls torn)" /good &&
	leat logs torn >log && has log "was not written to its end" "no tar archive" "l is no plain file" "../../evil" && leat down torn >/dev/null
'
test_expect 'a spout that ends is started again, later each time, and one that is killed hard loses no commit' '
	cd w && spout often "date +%N > t; tar cf /pfs/out t" && up often >/dev/null && wait_for 20 at_least often 3 && kill -9 "$(of often pid)" && wait_for 10 none_left often && n=$(commits often) && [ "$n" -ge 3 ] && leat fsck >/dev/null && up often >/dev/null && wait_for 20 at_least often $((n + 1)) && leat down often >/dev/null && none_left often
'
test_expect 'a Python program writes as spouts of Pachyderm 1.x do' '
	cd w && mkdir -p jobs/py && printf "kind: spout\n" >jobs/py/job.yaml && printf "%s\n" "import io, tarfile, time" "for i in range(3):" "    with open(\"/pfs/out\", \"wb\") as out, tarfile.open(fileobj=out, mode=\"w|\", encoding=\"utf-8\") as tar:" "        data = b\"message %d\" % i" "        info = tarfile.TarInfo(\"m%d\" % i)" "        info.size = len(data)" "        tar.addfile(info, io.BytesIO(data))" "time.sleep(1000)" >jobs/py/job.py &&
	up py >/dev/null && wait_for 30 has_commits py 3 && eq "$(leat cat py:/m2)" "message 2" && leat down py >/dev/null
'
test_done
