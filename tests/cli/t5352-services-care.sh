#!/usr/bin/env bash
# How services are looked after: what moves them, what becomes of one that falls ill, what why tells of what they wrote.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

workspace w >/dev/null 2>&1 || exit 1
mkdir -p jobs "$TRASH/in" && echo one >"$TRASH/in/a.csv" && echo x >"$TRASH/in/x.txt"
leat put trips "$TRASH/in" >/dev/null && leat put rain "$TRASH/in/a.csv" >/dev/null || exit 1
# service NAME 'INPUTS'
service() {
	mkdir -p "jobs/$1" && printf 'kind: service\n%s\ncmd: [sh]\nstdin: ["ls /pfs/* >/pfs/out/seen", "sleep 1000 & wait"]\n' "$2" >"jobs/$1/job.yaml"
}

test_expect 'only what an input sees starts it anew: not a file beside its glob, nor a commit on another branch' '
	cd w && service csv "inputs: {trips: {repo: trips, glob: \"/*.csv\"}}" && service dev "inputs: {trips: {repo: trips, branch: dev, glob: \"/\"}}" && leat branch trips@dev --head trips@master >/dev/null && up csv dev >/dev/null &&
	echo y >../in/x.txt && leat put trips:/x.txt ../in/x.txt && sleep 1.5 && eq "$(of csv restarts) $(of dev restarts)" "0 0" && echo two >../in/b.csv && leat put trips:/b.csv ../in/b.csv && wait_for 20 is csv restarts 1 && wait_for 10 grep -q b.csv .leat/stay/csv/out/seen && eq "$(of dev restarts)" 0 &&
	leat put trips@dev:/c.csv ../in/b.csv && wait_for 20 is dev restarts 1 && eq "$(of csv restarts)" 1 && leat down csv dev >/dev/null && eq "$(leat cat csv:/seen | grep -c csv)" 2
'
test_expect '... nor a file that a join finds no other for' '
	cd w && mkdir -p jobs/pair && printf "kind: service\ninput: {join: [{pfs: {repo: trips, glob: \"/(*).csv\", joinOn: \"\$1\"}}, {pfs: {repo: rain, glob: \"/(*).csv\", joinOn: \"\$1\"}}]}\ncmd: [sh]\nstdin: [\"ls /pfs/* >/pfs/out/seen\", \"sleep 1000 & wait\"]\n" >jobs/pair/job.yaml &&
	up pair >/dev/null && leat put trips:/lone.csv ../in/b.csv && sleep 1.5 && eq "$(of pair restarts)" 0 && leat put rain:/b.csv ../in/b.csv && wait_for 20 is pair restarts 1 && leat down pair >/dev/null && eq "$(leat cat pair:/seen | grep -c csv)" 4
'
test_expect 'why of what a service wrote tells its program, its inputs with their pins, and what ended it' '
	cd w && service told "inputs: {trips: {repo: trips, pin: master.1}, rain: rain}" && up told >/dev/null && wait_for 10 test -s .leat/stay/told/out/seen && leat commit told >/dev/null && leat why told:/seen --json >why && eq "$(json why "(d[\"put\"][\"stayed\"][\"job\"], d[\"put\"][\"stayed\"][\"cmd\"], d[\"put\"][\"stayed\"][\"reason\"])")" "[\"told\", [\"sh\"], \"committed while it ran\"]" &&
	[ "$(json why "[(i[\"repo\"], i[\"pin\"]) for i in d[\"put\"][\"stayed\"][\"inputs\"]]")" = "[[\"trips\", \"master.1\"], [\"rain\", null]]" ] && has why "$(leat log trips@master.1 --json -n 1 | json /dev/stdin "d[\"commit\"]")" && echo more >>.leat/stay/told/out/seen && leat down told >/dev/null &&
	leat why "$(leat log told --json -n 1 | json /dev/stdin "d[\"commit\"]")" >why && has why "leat down ended it (uid $(id -u)" "kind         service" "ls /pfs/*" "trips@"
'
test_expect '... of one whose keeper was killed, and of a spout, too' '
	cd w && service lost "inputs: {rain: rain}" && up lost >/dev/null && wait_for 10 test -s .leat/stay/lost/out/seen && kill -9 "$(of lost pid)" && wait_for 10 is lost state lost && none_left lost && leat down lost >/dev/null && leat why lost:/seen >why && has why "its keeper was killed; this is what it had written" "rain@" &&
	mkdir -p jobs/drip && printf "kind: spout\ncmd: [sh]\nstdin: [\"cd /tmp; echo 1 >n; tar cf /pfs/out n\", \"sleep 1000 & wait\"]\n" >jobs/drip/job.yaml && up drip >/dev/null && wait_for 10 leat cat drip:/n && leat why drip:/n >why && has why "an archive was whole" "tar cf /pfs/out n" && leat down drip >/dev/null
'
# ill NAME 'SHELL': answers by HTTP while the file well is there; a server that needs no long time to begin
cat >"$TRASH/server.py" <<'P'
import os, socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(os.environ["LEAT_PORT"])))
s.listen(16)
while True:
    c = s.accept()[0]
    c.recv(4096)
    c.sendall(b"HTTP/1.0 %s\r\nContent-Length: 0\r\n\r\n" % (b"200 OK" if os.path.exists("well") else b"404 Not Found"))
    c.close()
P
ill() {
	mkdir -p "jobs/$1" && printf 'kind: service\nport: %s\nhealth: /well\nhealth_every: 100ms\nstart_timeout: 500ms\ngrace: 1s\ncmd: [sh]\nstdin: ["server=$PWD/server.py; cd /tmp; %s; exec python3 -S -E $server"]\n' "$p" "$2" >"jobs/$1/job.yaml" && cp "$TRASH/server.py" "jobs/$1/"
}
test_expect 'one that worked and answers badly three times is started anew after a while; log and services say why' '
	cd w && p=$(port) && ill web "touch well; { (until [ -e ~/go ]; do sleep 0.05; done; [ -e ~/once ] || { touch ~/once; rm well; }) & }" && sed -i "s/start_timeout: 500ms/start_timeout: 20s/" jobs/web/job.yaml && up web >/dev/null && touch .leat/stay/web/home/go && wait_for 30 is web restarts 1 && wait_for 30 is web health good && leat logs web >log && has log "it answered badly 3 times in a row" "404" "it is started again in 250 ms" && leat down web >/dev/null && none_left web
'
test_expect '... and after three times in a row it is given up: failed, with the answer, and no process left' '
	cd w && p=$(port) && ill dead "[ -e ~/once ] || { touch well ~/once; (until [ -e ~/go ]; do sleep 0.05; done; rm well) & }" && sed -i "s/start_timeout: 500ms/start_timeout: 3s/" jobs/dead/job.yaml && up dead >/dev/null && touch .leat/stay/dead/home/go && wait_for 120 is dead state failed && eq "$(of dead restarts)" 3 && leat services dead --json >all && has all "it was started anew 3 times and does not work" 404 && none_left dead && leat logs dead >log && has log "in 1000 ms"
'
test_done
