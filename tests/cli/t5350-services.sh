#!/usr/bin/env bash
# Services: leat up, down, services, logs; inputs that move; what they write. docs/how-to/services.md.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

workspace w >/dev/null 2>&1 || exit 1
mkdir -p jobs/look jobs/pinned "$TRASH/in" && echo one >"$TRASH/in/a" && leat put trips "$TRASH/in" >/dev/null || exit 1
body='stdin: ["trap \"echo bye; exit 0\" TERM", "ls /pfs/trips > /pfs/out/seen", "echo started at $trips_COMMIT", "touch /tmp/mine ~/mine", "sleep 1000 & wait"]'
printf 'kind: service\ninputs: {trips: trips}\ncmd: [sh]\n%s\n' "$body" >jobs/look/job.yaml
printf 'kind: service\ninputs: {trips: {repo: trips, pin: master.1}}\ncmd: [sh]\n%s\n' "$body" >jobs/pinned/job.yaml

test_expect 'up starts a service and says that it runs; services shows what it is attached to' '
	cd w && up look >out && has out look service running && eq "$(of look state)" running && eq "$(of look restarts)" 0 &&
	eq "$(of look inputs)" "{\"trips\": \"trips@$(leat log trips --json -n 1 | json /dev/stdin "d[\"commit\"]")\"}" && leat up look 2>err && has err "up already"
'
test_expect 'its log is followed while it is up' '
	cd w && wait_for 10 sh -c "\"$LEAT_BIN\" logs look | grep -q started" && beside followed "$LEAT_BIN" logs look -f && wait_for 10 has followed "started at"
'
test_expect 'what it has in /pfs/out becomes a commit by leat commit, which says from which inputs; the same again is none' '
	cd w && wait_for 10 test -s .leat/stay/look/out/seen && leat commit look -m "first look" >out && has out "look@" "1 added" && eq "$(leat cat look:/seen)" a &&
	leat log look --json >log && eq "$(json log "(d[\"message\"], d[\"meta\"][\"trips\"][:6])")" "[\"first look\", \"trips@\"]" && leat commit look 2>err && has err "nothing to commit" && eq "$(leat log look --json | wc -l)" 1
'
test_expect 'an input that is not pinned moves: it is started once more, and sees one file more; a pinned one is left alone' '
	cd w && up pinned >out && wait_for 10 test -s .leat/stay/pinned/out/seen && echo two >../in/b && leat put trips:/b ../in/b && wait_for 20 is look restarts 1 && wait_for 10 grep -q b .leat/stay/look/out/seen && wait_for 10 is look state running &&
	sleep 1 && eq "$(of look restarts)" 1 && eq "$(of pinned restarts)" 0 && eq "$(cat .leat/stay/pinned/out/seen)" a && eq "$(cat .leat/stay/look/out/seen | wc -l)" 2
'
test_expect 'a change elsewhere starts nothing anew, and neither does a commit that changes nothing' '
	cd w && leat put other ../in/a && leat put trips:/b ../in/b && sleep 1.2 && eq "$(of look restarts)" 1
'
test_expect 'down asks it to end, commits what it wrote, and leaves no process' '
	cd w && leat down look >out && has out look stopped && eq "$(leat cat look:/seen | tr "\n" " ")" "a b " && leat logs look >log && has log bye && none_left look && eq "$(leat log look --json | wc -l)" 2 && [ ! -e .leat/stay/look/out ] &&
	leat down look 2>err && has err "not up"
'
test_expect 'started again it finds in /pfs/out what it committed, as files of its own' '
	cd w && sed -i "s|ls /pfs/trips > /pfs/out/seen|cat /pfs/out/seen; echo more >> /pfs/out/seen|" jobs/look/job.yaml && up look >/dev/null && wait_for 10 grep -q more .leat/stay/look/out/seen && leat down look >/dev/null && eq "$(leat cat look:/seen | tr "\n" " ")" "a b more " && eq "$(leat cat look@master~1:/seen | tr "\n" " ")" "a b "
'
test_expect 'its output is its own: put, rm and run are refused, and runs pass it by' '
	cd w && exits 2 leat put look ../in/a 2>err && has err "output of job look" && exits 2 leat run look 2>err && has err "is a service" "leat up look" && leat run >out 2>err && leat plan --json >plan && lacks plan look && leat jobs >jobs.txt && has jobs.txt service
'
test_expect 'a keeper that is killed leaves no orphan, and what the service wrote is committed by down' '
	cd w && sed -i "s|echo more >> /pfs/out/seen|echo saved > /pfs/out/kept; (setsid sleep 2000 \&) ; sleep 1999 \&|" jobs/look/job.yaml && up look >/dev/null && wait_for 10 test -s .leat/stay/look/out/kept && kill -9 "$(of look pid)" && wait_for 10 none_left look && wait_for 10 is look state lost && leat down look >out && has out stopped && eq "$(leat cat look:/kept)" saved
'
test_expect 'keeper and guard killed at one time: the next command about services ends what is left' '
	cd w && up look >/dev/null && m=$(json .leat/stay/look/state.json "d[\"marker\"]") && wait_for 10 pgrep -f "guard $m" && wait_for 10 grep -q saved .leat/stay/look/out/kept && kill -9 "$(of look pid)" $(pgrep -f "guard $m") && wait_for 10 is look state lost && wait_for 10 none_left look && leat down look >/dev/null
'
test_expect 'one that does not end when asked is killed after its grace' '
	cd w && mkdir -p jobs/deaf && printf "kind: service\ngrace: 300ms\ncmd: [sh]\nstdin: [\"trap : TERM\", \"echo x > /pfs/out/x\", \"while :; do sleep 1; done\"]\n" >jobs/deaf/job.yaml && up deaf >/dev/null && wait_for 5 test -s .leat/stay/deaf/out/x && leat down deaf >/dev/null && none_left deaf && eq "$(leat cat deaf:/x)" x
'
test_expect 'a service that ends by itself is started again, later each time, and says why' '
	cd w && mkdir -p jobs/weak && printf "kind: service\ncmd: [sh]\nstdin: [\"sleep 0.5\", \"exit 3\"]\n" >jobs/weak/job.yaml && up weak >/dev/null && wait_for 20 is weak restarts 2 && leat logs weak >log && has log "it ended by itself: exit status 3; it is started again in 250 ms" "in 500 ms" && leat down weak >/dev/null && none_left weak
'
test_expect 'one that cannot even be started is named, with the end of its log, and is not up' '
	cd w && mkdir -p jobs/none jobs/quits && printf "kind: service\ncmd: [jupyter-notebook, --no-browser]\n" >jobs/none/job.yaml && printf "kind: service\nport: %s\nhealth: tcp\ncmd: [sh]\nstdin: [nosuchprogram]\n" $(port) >jobs/quits/job.yaml &&
	{ command -v jupyter-notebook || { exits 1 leat up none 2>err && has err "none was not started" jupyter-notebook "pip install notebook"; }; } && exits 1 leat up quits 2>err && has err "quits was not started" "exit status 127" "nosuchprogram" && eq "$(of quits state)" failed && none_left quits
'
test_expect 'health by HTTP: up waits until it answers; a port that is taken is named' '
	cd w && p=$(port) && mkdir -p jobs/web jobs/web2 && printf "kind: service\nport: %s\nhealth: /trips/a\ninputs: {trips: trips}\ncmd: [sh, -c, \"cd /pfs && exec python3 -m http.server \$LEAT_PORT --bind 127.0.0.1\"]\n" $p >jobs/web/job.yaml && sed "s/trips.a/nothing/" jobs/web/job.yaml >jobs/web2/job.yaml &&
	up web >out && has out good && python3 -c "import urllib.request; print(urllib.request.urlopen(\"http://127.0.0.1:$p/trips/a\").read().decode(), end=\"\")" >got && same ../in/a got && exits 1 leat up web2 2>err && has err "port $p" "another process" && leat down web >/dev/null && none_left web
'
test_expect 'one that does not answer in time is ended, and what it answered is told' '
	cd w && printf "start_timeout: 6s\n" >>jobs/web2/job.yaml && exits 1 leat up web2 2>err && has err "did not work within 6000 ms" "404" && none_left web2 && eq "$(of web2 state)" failed
'
test_expect 'what cannot be is said with its place' '
	cd w && mkdir -p jobs/bad && for l in "health: nowhere" "port: 70000" "health: tcp" "partition: daily" "prot: 1"; do printf "kind: service\ncmd: [sh]\n%s\n" "$l" >jobs/bad/job.yaml && exits 2 leat up bad 2>err && has err "job.yaml:3:" || return 1; done; rm -r jobs/bad &&
	printf "kind: script\ncmd: [true]\n" >jobs/plain.yaml && mkdir jobs/plain && mv jobs/plain.yaml jobs/plain/job.yaml && exits 2 leat up plain 2>err && has err "does not stay"
'
test_expect 'the pin that is not there is named at its place' '
	cd w && mkdir jobs/future && printf "kind: service\ncmd: [sh]\ninputs:\n  trips: trips@master.99\n" >jobs/future/job.yaml && exits 1 leat up future 2>err && has err "trips@master.99" && eq "$(of future state)" failed; rm -r jobs/future
'
test_expect 'down without names ends all that are up' '
	cd w && leat down >out 2>err && has out pinned && leat services --json >all && eq "$(json all "[s[\"job\"] for s in d if s[\"pid\"] and s[\"state\"] == \"running\"]")" "[]" && none_left pinned
'
test_done
