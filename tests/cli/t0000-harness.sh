#!/usr/bin/env bash
# The harness itself: a test that cannot fail would prove nothing.
. "$(dirname "$0")/../lib.sh"

# Runs a small script of its own under the harness, outside this one's trash directory.
inner() { # BODY
	printf '#!/usr/bin/env bash\n. "%s/lib.sh"\n%s\n' "$TESTS" "$1" >inner.sh
	LEAT_TEST_TMP=$TRASH/inner bash inner.sh >inner.out 2>&1
}

test_expect 'the first command that fails ends a test' '
	exits 1 inner "test_expect one \"false; touch $TRASH/reached\"; test_done" &&
	has inner.out "not ok 1 - one" "1..1" && test ! -e reached
'
test_expect 'a failure inside a loop, an assignment or a pipe counts too' '
	exits 1 inner "test_expect one \"for i in 1 2; do false; done; true\"; test_done" &&
	exits 1 inner "test_expect one \"x=\\\$(false); true\"; test_done" &&
	exits 1 inner "test_expect one \"false | cat; true\"; test_done"
'
test_expect 'a chain that breaks anywhere fails the body that ends with it' '
	exits 1 inner "test_expect one \"false && true\"; test_done"
'
test_expect 'variables stay from test to test, the current folder does not' '
	inner "test_expect one \"x=7; cd /\"; test_expect two \"eq \\\$x 7; eq \\\$PWD \\\$TRASH\"; test_done" &&
	has inner.out "ok 2 - two"
'
test_expect 'a script that ends early fails' '
	exits 1 inner "test_expect one true; exit 0" && has inner.out "not ok 2" "reaches its end"
'
test_expect 'a body that does not parse fails' '
	exits 1 inner "test_expect one \"if\"; test_done" && has inner.out "not ok 1"
'
test_expect 'the trash directory goes away on success and is kept on failure' '
	rm -rf inner && inner "test_expect one true; test_done" && test -z "$(ls inner)" &&
	exits 1 inner "test_expect one false; test_done" && test -n "$(ls inner)"
'
test_expect 'exits asks for the exact status and never takes a crash' '
	exits 3 sh -c "exit 3" &&
	! exits 2 sh -c "exit 3" &&
	! exits 139 sh -c "kill -SEGV \$\$"
'
test_expect 'has, lacks and same can fail' '
	printf "one\ntwo\n" > f && has f one two && ! has f three && lacks f three && ! lacks f two &&
	cp f g && same f g && echo >> g && ! same f g
'
test_expect 'what is put beside a test writes into a file that holds nothing of an earlier one, hears SIGINT and ends with the script' '
	echo "ready" >out && beside out sh -c "sleep 0.3; echo ready; exec sleep 1000" && lacks out ready && wait_for 1 has out ready && kill -INT $BESIDE && { got=0; wait $BESIDE || got=$?; } && eq $got 130 &&
	inner "test_expect one \"beside o sleep 1000 && echo \\\$BESIDE >../pid\"; test_done" && wait_for 1 dead "$(cat inner/pid)"
'
test_expect 'the program says its version' '
	leat --version > out && has out "leat "
'
test_expect 'the test server serves a range, a tag, a fault' '
	mkdir -p www && printf 0123456789 > www/f && http_server www --etag --status "/busy" 503 1 --retry-after 1 &&
	python3 -c "
import urllib.request, urllib.error, sys
u = sys.argv[1]
r = urllib.request.urlopen(urllib.request.Request(u + \"/f\", headers={\"Range\": \"bytes=4-\"}))
assert r.status == 206 and r.read() == b\"456789\", r.status
try:
    urllib.request.urlopen(u + \"/busy\")
    raise SystemExit(\"no 503\")
except urllib.error.HTTPError as e:
    assert e.code == 503 and e.headers[\"Retry-After\"] == \"1\"
" "$HTTP_URL" &&
	has "$HTTP_LOG" "GET /f 206" "GET /busy 503"
'
test_done
