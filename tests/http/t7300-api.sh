#!/usr/bin/env bash
# Issue 7, part 7: the operations by HTTP.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

sales() {
	mkdir -p jobs/sales && printf "kind: script\ninputs: {orders: raw/orders}\noutput: tables/sales\npartition: daily\n" > jobs/sales/job.yaml &&
	printf "cat \$(find -L \$LEAT_INPUT_orders -type f) > \$LEAT_OUTPUT/s.csv; echo made \$DS\n" > jobs/sales/job.sh &&
	printf "a,b\n1,2\n" > o.csv &&
	for d in 01 02 03; do leat put raw/orders --ds 2024-03-$d o.csv || return 1; done
}

test_expect 'the daemon says where it listens, and where the token is that only its owner may read' '
	workspace w && sales && serve . --json > said &&
	eq "$(json said "d[\"url\"]")" "$(url_of .)" && eq "$(json said "d[\"token\"]")" "$PWD/.leat/serve.token" &&
	eq "$(stat -c %a .leat/serve.token)" 600 && eq "$(stat -c %a .leat/serve.sock)" 600 &&
	get /healthz && eq "$(cat body)" ok && get /readyz && eq "$(cat body)" ready
'

test_expect 'reading answers with the fields of --json, as items of one document' '
	cd w && get /api/v1/ls && leat ls --json > cli && eq "$(json body "d[\"items\"]")" "$(json cli "[d] if isinstance(d, dict) else d")" &&
	get "/api/v1/log?repo=raw/orders" && leat log raw/orders --json > cli && eq "$(json body "d[\"items\"]")" "$(json cli d)" &&
	get /api/v1/status && leat status --json > cli && eq "$(json body "sorted(d)")" "$(json cli "sorted(d)")" &&
	get /api/v1/jobs && eq "$(json body "d[\"items\"][0][\"job\"]")" sales
'

test_expect 'lists come in pages, and each says where the next one begins' '
	cd w && get "/api/v1/log?repo=raw/orders&limit=2" && eq "$(json body "[len(d[\"items\"]), d[\"next\"]]")" "[2, 2]" &&
	get "/api/v1/log?repo=raw/orders&limit=2&offset=2" && eq "$(json body "[len(d[\"items\"]), d.get(\"next\")]")" "[1, null]" &&
	get "/api/v1/ls?repo=raw/orders&recursive&limit=1&offset=1" && eq "$(json body "d[\"items\"][0][\"path\"]")" /ds=2024-03-02/o.csv
'

test_expect 'with Accept: application/x-ndjson a list is one object per line' '
	cd w && get "/api/v1/log?repo=raw/orders" -H "Accept: application/x-ndjson" && leat log raw/orders --json > cli && same body cli &&
	has head "Content-Type: application/x-ndjson"
'

test_expect 'what changes something is a POST with the token, by arguments of the same names' '
	cd w && asked POST /api/v1/run 401 -H "Content-Type: application/json" -d "{\"job\": \"sales\"}" &&
	eq "$(json body "d[\"code\"]")" unauthorized && has head "WWW-Authenticate: Bearer" &&
	asked GET /api/v1/run 405 && has head "Allow: POST" &&
	post /api/v1/run "{\"job\": \"sales\", \"ds\": [\"2024-03-01\", \"2024-03-02\"]}" &&
	eq "$(json body "[d[\"items\"][-1][\"ran\"], d[\"exit_status\"]]")" "[2, 0]" &&
	leat ls tables/sales | grep -q 2024-03-02
'

test_expect 'the unix socket of the workspace needs no token' '
	cd w && curl -sSf --unix-socket .leat/serve.sock -H "Content-Type: application/json" -d "{\"job\": \"sales\", \"ds\": \"2024-03-03\"}" http://leat/api/v1/run > body &&
	eq "$(json body "d[\"items\"][-1][\"ran\"]")" 1
'

test_expect 'a wrong token, or none, runs no SQL; with it the rows come' '
	cd w && asked GET "/api/v1/sql?query=select+1" 401 && asked GET "/api/v1/sql?query=select+1" 401 -H "Authorization: Bearer $(printf "%064d" 0)" &&
	post /api/v1/sql "{\"query\": \"select count(*) n from tables.sales\"}" && eq "$(json body "d[0][\"n\"]")" 3
'

test_expect 'errors are problem+json with the code, the sentence and the hint of the command line' '
	cd w && asked GET "/api/v1/log?repo=raw/nope" 404 && has head "Content-Type: application/problem+json" &&
	eq "$(json body "[d[\"code\"], d[\"status\"], d[\"detail\"], d[\"hint\"]]")" "[\"not-found\", 404, \"there is no repo raw/nope\", \"leat ls lists them\"]" &&
	asked GET "/api/v1/runs?lmit=3" 400 && eq "$(json body "d[\"hint\"]")" "did you mean '"'"'limit'"'"'?" &&
	asked GET /api/v1/log 400 && asked GET /api/v1/nothing 404 && asked GET /api/v1/mount 404 &&
	asked DELETE /api/v1/ls 405 && asked GET "/api/v1/ls?repo=%ff" 400 && asked GET "/api/v1/ls?repo=a%00b" 400 &&
	asked POST /api/v1/ls 400 -H "Content-Type: application/json" -d "{\"repo\": [[1]]}" &&
	asked POST /api/v1/ls 400 -H "Content-Type: application/json" -d "{" && asked POST /api/v1/ls 400 -H "Content-Type: application/json" -d "[]"
'

test_expect 'a job file that is wrong is told with its file, line and column' '
	cd w && mkdir -p jobs/bad && printf "kind: script\nretries: many\n" > jobs/bad/job.yaml &&
	asked POST /api/v1/run 400 -H "$(token)" -H "Content-Type: application/json" -d "{\"job\": \"bad\"}" &&
	rm -r jobs/bad && eq "$(json body "[d[\"file\"], d[\"line\"], d[\"col\"]]")" "[\"jobs/bad/job.yaml\", 2, 10]"
'

test_expect 'an option that begins like one of the command line stays a value' '
	cd w && asked GET "/api/v1/log?repo=--help" 400 && lacks body Usage && asked GET "/api/v1/cat?repo=-o" 400
'

test_expect 'the body of a request is what - stands for: bytes go in and come out as they are' '
	cd w && head -c 3000000 /dev/urandom > blob && curl -sSf -H "$(token)" -H "Content-Type: application/octet-stream" --data-binary @blob "$(url_of .)/api/v1/put?repo=raw/b:/x.bin&file=-" > body &&
	eq "$(json body "d[\"size\"]")" 3000000 && get "/api/v1/cat?repo=raw/b:/x.bin" && same body blob && rm blob &&
	get "/api/v1/get?repo=raw/b:/x.bin&range=0-9" && eq "$(stat -c %s body)" 10 &&
	asked POST "/api/v1/put?repo=raw/b:/y&file=-" 400 -H "$(token)" -H "Content-Type: application/json" -d ""
'

test_expect 'to name a file of this machine takes the token, and reading never writes beside the daemon' '
	cd w && asked GET "/api/v1/units?file=/etc/passwd" 401 && get "/api/v1/get?repo=raw/orders:/ds=2024-03-01/o.csv" && same body o.csv && [ ! -e ds=2024-03-01 ]
'

test_expect 'a page of another site gets in neither by its origin nor by its name' '
	cd w && asked GET /healthz 403 -H "Host: evil.example" && asked GET /api/v1/ls 403 -H "Origin: http://evil.example" &&
	asked POST /api/v1/run 403 -H "$(token)" -H "Origin: null" && asked GET /api/v1/ls 403 -H "Sec-Fetch-Site: cross-site" &&
	asked GET /healthz 200 -H "Host: localhost:1" && asked GET /healthz 200 -H "Origin: $(url_of .)"
'

test_expect 'a one-time code lets one browser in, once' '
	cd w && asked POST /api/v1/code 401 && curl -sSf --unix-socket .leat/serve.sock -X POST http://leat/api/v1/code > code &&
	asked POST /api/v1/login 200 -H "Content-Type: application/json" -d "{\"code\": \"$(json code "d[\"code\"]")\"}" && has head HttpOnly SameSite=Strict &&
	cookie=$(sed -n "s/^Set-Cookie: \([^;]*\);.*/\1/p" head) && asked POST /api/v1/login 401 -H "Content-Type: application/json" -d "{\"code\": \"$(json code "d[\"code\"]")\"}" &&
	asked GET "/api/v1/sql?query=select+1" 200 -H "Cookie: $cookie" && asked GET "/api/v1/sql?query=select+1" 401 -H "Cookie: leat_session=x"
'

test_expect 'a run with an Idempotency-Key is written down at once, and once, also for a daemon that is started anew' '
	cd w && post /api/v1/run "{\"job\": \"sales\", \"ds\": \"2024-03-01\"}" -H "Idempotency-Key: monday" && has head "202 Accepted" &&
	eq "$(json body "d[\"new\"]")" true && cp body first && leat serve --stop && serve . &&
	post /api/v1/run "{\"job\": \"sales\", \"ds\": \"2024-03-01\"}" -H "Idempotency-Key: monday" && has head "200 OK" &&
	eq "$(json body "d[\"requests\"]")" "$(json first "d[\"requests\"]")" &&
	asked POST /api/v1/run 404 -H "$(token)" -H "Idempotency-Key: x" -H "Content-Type: application/json" -d "{\"job\": \"nope\"}"
'

test_expect 'the figures of /metrics are in the format of Prometheus' '
	cd w && get /metrics && has head "text/plain; version=0.0.4" && has body "# TYPE leat_http_requests_total counter" "process_resident_memory_bytes "
'

test_expect 'an address that others reach is refused: users and TLS are a proxy'"'"'s' '
	cd w && leat serve --stop && exits 2 leat serve --port 70000 && exits 2 leat serve --port x
'

test_done
