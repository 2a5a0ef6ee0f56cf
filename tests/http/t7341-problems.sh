#!/usr/bin/env bash
# Issue 7, part 7: every error is problem+json, also what the HTTP library refuses before a route is known.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

cat > "$TRASH/raw.py" <<'PY'
import json, socket, sys

port, want, text = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode().decode("unicode_escape").encode("latin-1")
for a in sys.argv[4:]:
    name, n = a.split("=")
    text = text.replace(name.encode(), b"x" * int(n))
s = socket.create_connection(("127.0.0.1", port), 30)
s.sendall(text)
got = b""
while True:
    try:
        more = s.recv(65536)
    except ConnectionResetError:
        break
    if not more:
        break
    got += more
head, _, body = got.partition(b"\r\n\r\n")
lines = head.decode("latin-1").split("\r\n")
d = json.loads(body)
assert int(lines[0].split()[1]) == want, lines[0]
assert "Content-Type: application/problem+json" in lines, lines
assert "X-Content-Type-Options: nosniff" in lines, lines
assert d["status"] == want and d["title"] and d["detail"] and d["type"] == "about:blank", d
print(d["code"])
PY
raw() { python3 "$TRASH/raw.py" "$(url_of . | sed "s/.*://")" "$@"; }

test_expect 'a header that is none, a wrong length: 400, no Host: 403, in problem+json' '
	workspace w && serve . && eq "$(raw 403 "GET /api/v1/ls HTTP/1.1\r\nConnection: close\r\n\r\n")" permission &&
	eq "$(raw 400 "POST /api/v1/ls HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n")" bad-request &&
	eq "$(raw 400 "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")" bad-request
'

test_expect 'a header that is too large: 431; a length that cannot be: 413; another HTTP: 505' '
	cd w && eq "$(raw 431 "GET /api/v1/ls HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: @LONG@\r\n\r\n" @LONG@=40000)" limit &&
	eq "$(raw 413 "POST /api/v1/ls HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999999\r\n\r\n")" limit &&
	eq "$(raw 505 "GET /api/v1/ls HTTP/3.7\r\nHost: localhost\r\n\r\n")" bad-request
'

test_expect 'what the daemon itself refuses is the same: 403, 404, 405, 413' '
	cd w && eq "$(raw 403 "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")" permission &&
	eq "$(raw 404 "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")" not-found &&
	eq "$(raw 405 "BREW /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")" bad-method &&
	eq "$(raw 413 "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9000000\r\n\r\n")" limit
'

test_expect 'they count among the answers of /metrics, and the daemon goes on' '
	cd w && get /metrics && n=$(sed -n "s/^leat_http_answers_total{class=.4xx.} //p" body) && [ "$n" -eq 9 ] && grep -q "class=.5xx.} 1" body || { grep answers body; return 1; }
'

test_done
