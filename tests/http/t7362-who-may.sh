#!/usr/bin/env bash
# Issue 7, part 7: a URL that lets one browser in once; off loopback only behind a proxy with TLS, with users' tokens.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

url() { leat ui --json | json /dev/stdin 'd["url"]'; }
cookie_of() { sed -n 's/^Set-Cookie: \([^;]*\);.*/\1/p' head; }
OUT=(-H "Host: leat.example.org" -H "X-Forwarded-For: 10.1.2.3" -H "X-Forwarded-Proto: https")
PUT="/api/v1/put?repo=raw/made:/x&file=-"
BODY=(-H "Content-Type: text/plain" -d x)

test_expect 'leat ui prints a URL that lets a browser in once, with a cookie that no page and no other site can use' '
	workspace w && exits 1 leat ui 2> err && has err "leat serve" && serve . && url=$(url) && eq "${url%%/enter*}" "$(url_of . | sed "s/127.0.0.1/localhost/")" &&
	curl -sS -D head -o body "$url" && has head "200 OK" "HttpOnly" "SameSite=Strict" "Referrer-Policy: no-referrer" && lacks head Secure && cookie=$(cookie_of) && [ -n "$cookie" ] &&
	curl -sS -D head -o body "$url" && has head "401 Unauthorized" && has body "has been used" && asked GET "/enter?code=x" 401 && asked GET /enter 400 &&
	asked GET "/api/v1/sql?query=select+1" 200 -H "Cookie: $cookie" && echo "$cookie" > cookie
'

test_expect 'by the cookie something is changed only from a page of the daemon itself' '
	cd w && asked POST "$PUT" 401 -H "Cookie: $(cat cookie)" "${BODY[@]}" &&
	asked POST "$PUT" 403 -H "Cookie: $(cat cookie)" -H "Origin: http://evil.example" "${BODY[@]}" &&
	asked POST "$PUT" 403 -H "Cookie: $(cat cookie)" -H "Origin: null" "${BODY[@]}" && exits 1 leat ls raw/made &&
	asked POST "$PUT" 200 -H "Cookie: $(cat cookie)" -H "Origin: $(url_of .)" "${BODY[@]}" && leat ls raw/made
'

test_expect 'what a proxy passes on is refused, and the remedy named, unless the daemon was told of it' '
	cd w && asked GET /api/v1/ls 403 -H "X-Forwarded-For: 10.1.2.3" && has body "leat serve --behind HOST" && asked GET /api/v1/ls 403 "${OUT[@]}" &&
	asked GET /healthz 403 -H "Via: 1.1 proxy" && leat serve --stop && exits 2 leat serve --behind leat.example.org 2> err && has err --port && exits 2 leat serve --behind https://x/ --port 9 2> err && has err "without https://"
'

test_expect 'behind a proxy nothing is read without a token, but by who asks on this machine' '
	cd w && port=$(python3 -c "import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])") && t_served+=("$PWD") && leat serve --port $port --behind leat.example.org &&
	asked GET /api/v1/ls 401 "${OUT[@]}" && has body "leat user add" && asked GET /metrics 401 "${OUT[@]}" && asked GET /api/v1/events 401 "${OUT[@]}" && asked GET /api/v1/openapi.json 401 "${OUT[@]}" &&
	asked GET /healthz 200 "${OUT[@]}" && asked GET /api/v1/ls 200 && asked GET /api/v1/ls 403 -H "X-Forwarded-For: 1.2.3.4" && has body leat.example.org &&
	asked GET /healthz 403 -H "Host: leat.example.org" -H "X-Forwarded-Proto: http" && has body "over TLS"
'

test_expect 'a user has a token of their own, which is only shown once and only kept as a hash' '
	cd w && leat user > out 2> err && has err "leat user add" && leat user add ada --json > made && t=$(json made "d[\"token\"]") && eq "$(stat -c %a .leat/serve.users)" 600 && lacks .leat/serve.users "$t" &&
	leat user add bob > out && eq "$(leat user --json | json /dev/stdin "[r[\"user\"] for r in d]")" "[\"ada\", \"bob\"]" && exits 2 leat user add ada 2> err && has err "already" &&
	exits 2 leat user ad ada && exits 2 leat user add && exits 2 leat user add "a b" && exits 1 leat user rm eve &&
	asked GET /api/v1/ls 200 "${OUT[@]}" -H "Authorization: Bearer $t" && asked POST "$PUT" 200 "${OUT[@]}" -H "Authorization: Bearer $t" "${BODY[@]}" &&
	asked GET /api/v1/ls 401 "${OUT[@]}" -H "Authorization: Bearer $(printf %064d 0)" && asked GET /api/v1/ls 401 "${OUT[@]}" -H "Authorization: Bearer $(cut -d" " -f2 .leat/serve.users | head -n 1)" &&
	leat user rm ada && asked GET /api/v1/ls 401 "${OUT[@]}" -H "Authorization: Bearer $t" && exits 1 leat user rm ada
'

test_expect 'a file of users that others may read lets nobody in, and is named' '
	cd w && leat user add eve --json > made && t=$(json made "d[\"token\"]") && asked GET /api/v1/ls 200 "${OUT[@]}" -H "Authorization: Bearer $t" && chmod 644 .leat/serve.users &&
	asked GET /api/v1/ls 401 "${OUT[@]}" -H "Authorization: Bearer $t" && exits 2 leat user 2> err && has err "chmod 600" && chmod 600 .leat/serve.users
'

test_expect 'a browser comes in by leat ui there too, over TLS alone, and its pages are those of that name' '
	cd w && url=$(url) && eq "${url%%\?*}" https://leat.example.org/enter && asked GET "/enter?${url#*\?}" 200 "${OUT[@]}" && has head "; Secure" && cookie=$(cookie_of) &&
	asked GET /api/v1/ls 200 "${OUT[@]}" -H "Cookie: $cookie" && asked POST "$PUT" 403 "${OUT[@]}" -H "Cookie: $cookie" -H "Origin: http://leat.example.org" "${BODY[@]}" &&
	asked POST "$PUT" 200 "${OUT[@]}" -H "Cookie: $cookie" -H "Origin: https://leat.example.org" "${BODY[@]}"
'

test_done
