#!/usr/bin/env bash
# Services with `mode: dev`: what is saved is what runs (issue 8, part 9).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

workspace w > /dev/null 2>&1 || exit 1
printf 'n\n1\n2\n' > ../t.csv && leat put tables/t ../t.csv > /dev/null
P=$(port)
mkdir -p jobs/page jobs/still python
cat > jobs/page/page.py <<'END'
import http.server, os, leat, words
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{words.HELLO} one {leat.params['who']}".encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["LEAT_PORT"])), Answer).serve_forever()
END
echo 'HELLO = "good day"' > python/words.py
cat > jobs/page/job.yaml <<END
kind: service
inputs: {data: tables/t}
port: $P
health: /
mode: dev
params: {who: ann}
env: {PYTHONPATH: $PWD/python}
sandbox: off
cmd: [python3, page.py]
END
sed "s/mode: dev/mode: run/; s/port: $P/port: $(port)/" jobs/page/job.yaml > jobs/still/job.yaml && cp jobs/page/page.py jobs/still/
says() { # TEXT: what the page answers, for wait_for
	[ "$(curl -s "http://127.0.0.1:$P/")" = "$1" ]
}

test_expect 'code that is saved is what answers a moment later' '
	cd w && up page still > out && says "good day one ann" && sed -i "s/ one / two /" jobs/page/page.py && wait_for 20 says "good day two ann" && eq "$(of page restarts)" 1
'
test_expect 'so are params of job.yaml, a new file beside it, and python/ of the workspace' '
	cd w && sed -i "s/who: ann/who: bob/" jobs/page/job.yaml && wait_for 20 says "good day two bob" && echo "THREE = \"three\"" > jobs/page/more.py && sed -i "s/^import/import more,/; s/ two / {more.THREE} /" jobs/page/page.py && wait_for 20 says "good day three bob" &&
	echo "HELLO = \"good night\"" > python/words.py && wait_for 20 says "good night three bob"
'
test_expect 'a mistake in the code fails until it is mended, and then works at once; one in job.yaml is told, and what was there goes on' '
	cd w && cp jobs/page/page.py ../good.py && echo "def (" >> jobs/page/page.py && wait_for 20 sh -c "! curl -s http://127.0.0.1:$P/ > /dev/null" && cp ../good.py jobs/page/page.py && wait_for 20 says "good night three bob" &&
	cp jobs/page/job.yaml ../good.yaml && echo "shedule: x" >> jobs/page/job.yaml && wait_for 20 sh -c "\"$LEAT_BIN\" logs page | grep -q shedule" && wait_for 20 says "good night three bob" && cp ../good.yaml jobs/page/job.yaml && wait_for 20 is page state running
'
test_expect 'an editor that writes three files makes one restart, and hidden files none' '
	cd w && wait_for 20 is page state running && sleep 0.5 && n=$(of page restarts) && k=$(of page pid) && kill -STOP $k && touch jobs/page/.page.swp && for i in 1 2 3; do echo "x = $i" > jobs/page/m$i.py; done && kill -CONT $k && wait_for 20 is page restarts $((n + 1)) && wait_for 20 says "good night three bob" && eq "$(of page restarts)" $((n + 1))
'
test_expect 'without it a service runs as it was when it was started' '
	cd w && sed -i "s/ one / nine /" jobs/still/page.py && sed -i "s/who: ann/who: eve/" jobs/still/job.yaml && leat put tables/other ../t.csv > /dev/null && eq "$(of still restarts)" 0 && leat down > out && has out page still && none_left page && none_left still
'
test_expect 'another word than run and dev is refused with its place' '
	cd w && sed -i "s/mode: run/mode: live/" jobs/still/job.yaml && exits 2 leat up still 2> err && has err "jobs/still/job.yaml:5" live
'
test_expect 'a board must have a port, and works when / answers' '
	cd w && sed -i "s/mode: live/mode: run/; s/kind: service/kind: board/; /^health/d" jobs/still/job.yaml && up still > out && has out board running good && leat down still && sed -i "/^port/d" jobs/still/job.yaml && exits 2 leat up still 2> err && has err "a board" "port: N"
'
test_done
