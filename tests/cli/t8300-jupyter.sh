#!/usr/bin/env bash
# leat jupyter: the user's own Jupyter over chosen commits. What needs none is tried without it; the rest with the real one.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

workspace w >/dev/null 2>&1 || exit 1
(printf 1 >a && printf 2 >b && leat put trips a && leat put trips b && printf 3 >c && leat put raw/weather c) >/dev/null 2>&1 || exit 1
p=$(port)
token() { json url 'd["url"].split("token=")[1]'; }
# at PATH: what Jupyter's file browser lists there, sorted
at() {
	curl -s "http://127.0.0.1:$p/api/contents/$1?token=$(token)" >listed && json listed 'sorted(e["name"] for e in d["content"])'
}
# save PATH TYPE CONTENT: as the browser does; prints the status
save() {
	printf '{"type":"%s","format":"%s","content":%s}' "$2" "$([ "$2" = notebook ] && echo json || echo text)" "$3" |
		curl -s -o answer -w '%{http_code}' -X PUT "http://127.0.0.1:$p/api/contents/$1?token=$(token)" -d @-
}

test_expect 'what cannot be is refused with its reason, and no job is made' '
	cd w && exits 1 leat jupyter --in nosuch 2>err && has err nosuch && exits 2 leat jupyter --in trips:/a 2>err && has err "not a whole repo" && exits 2 leat jupyter --port 0 2>err && has err "from 1 to 65535" &&
	exits 2 leat jupyter --name ../x 2>err && exits 1 env PATH=/nowhere "$LEAT_BIN" jupyter --in trips 2>err && has err "no jupyter-notebook on the PATH" "pip install notebook" && exits 1 env PATH=/nowhere "$LEAT_BIN" jupyter --lab 2>err && has err "pip install jupyterlab" && [ ! -e jobs/jupyter ]
'
test_expect 'a job of that name that is the user'"'"'s own is not written over' '
	cd w && mkdir -p jobs/mine && printf "kind: service\ncmd: [sleep, 1000]\n" >jobs/mine/job.yaml && exits 2 leat jupyter --name mine --in trips 2>err && has err "did not make" "--name OTHER" && has jobs/mine/job.yaml "sleep, 1000"
'

if ! command -v jupyter-notebook >/dev/null; then
	test_skip 'with the real one' 'jupyter-notebook is not installed'
	test_done
	exit
fi

test_expect 'it says where it is, with a token that is in no log and no command line' '
	cd w && leat jupyter --in trips@master.1 --in weather=raw/weather --port $p -d --json >url && { up jupyter >/dev/null 2>&1; t=$(token) && [ ${#t} = 48 ] && leat logs jupyter >log && ! grep -q "$t" log && ! grep -lsz "$t" /proc/[0-9]*/cmdline; }
'
test_expect 'without the token nothing is told' '
	cd w && eq "$(curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:$p/api/contents/trips)" 403
'
test_expect 'its folders are the commits that were chosen, and out' '
	cd w && eq "$(at "")" "[\"out\", \"trips\", \"weather\"]" && eq "$(at trips)" "[\"a\"]" && eq "$(at weather)" "[\"c\"]"
'
test_expect 'later commits of a branch change nothing there, and do not end a kernel' '
	cd w && printf 4 >d && leat put raw/weather d && sleep 1 && eq "$(of jupyter restarts)" 0 && eq "$(at weather)" "[\"c\"]"
'
test_expect 'inputs refuse writes; a notebook in out is saved' '
	cd w && eq "$(save trips/x.txt file "\"x\"")" 500 && has answer "Read-only file system" && eq "$(at trips)" "[\"a\"]" &&
	eq "$(save out/n.ipynb notebook "{\"cells\":[],\"metadata\":{},\"nbformat\":4,\"nbformat_minor\":5}")" 201 && eq "$(save out/n.ipynb notebook "{\"cells\":[],\"metadata\":{},\"nbformat\":4,\"nbformat_minor\":5}")" 200
'
test_expect 'called again it says where it is; other commits are not mixed in' '
	cd w && cp url first && leat jupyter --json >url 2>err && same first url && exits 1 leat jupyter --in trips 2>err && has err "is up" "leat down jupyter"
'
test_expect 'ended, out is a commit that tells what it saw, without what Jupyter kept for itself' '
	cd w && leat down >/dev/null && eq "$(leat ls jupyter)" /n.ipynb && leat log jupyter --json >log && eq "$(json log "d[\"meta\"][\"trips\"] == \"trips@$(leat log trips@master.1 --json -n 1 | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"commit\"])")\"")" true && none_left jupyter
'
test_expect 'started again, what was saved is there' '
	cd w && leat jupyter -d --json >url && up jupyter >/dev/null 2>&1 && eq "$(at out)" "[\"n.ipynb\"]" && eq "$(at trips)" "[\"a\"]" && leat down >/dev/null
'
test_expect 'in the foreground Ctrl-C ends it, and commits' '
	cd w && rm -f url && { "$LEAT_BIN" jupyter --in trips --port $p --json >url 2>err & pid=$!; } && t_pids+=($pid) && wait_for 60 grep -qs token= url &&
	eq "$(save out/m.ipynb notebook "{\"cells\":[],\"metadata\":{},\"nbformat\":4,\"nbformat_minor\":5}")" 201 && kill -INT $pid && { wait $pid || false; } && leat ls jupyter >out && has out /m.ipynb /n.ipynb && none_left jupyter
'
test_done
