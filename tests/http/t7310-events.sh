#!/usr/bin/env bash
# Issue 7, part 7: server-sent events with resume, logs by byte offset, webhooks.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

follow() { # FILE PATH [option…]: in the background; ends with the script
	curl -sN -m 300 "$(url_of .)$2" "${@:3}" >"$1" 2>/dev/null </dev/null 9>&- &
	t_pids+=("$!")
	FOLLOWER=$!
}
ids() { sed -n 's/^id: //p' "$1"; }
job() { # NAME COMMANDS
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: none\noutput: tables/%s\n' "$1" > "jobs/$1/job.yaml" && printf '%s\n' "$2" > "jobs/$1/job.sh"
}
signed() { # FILE SECRET
	echo "sha256=$(openssl dgst -sha256 -hmac "$2" < "$1" | sed "s/.*= //")"
}

test_expect 'events tell what any process does, each with its number' '
	workspace w && job up "echo hello > \$LEAT_OUTPUT/f" && serve . &&
	follow "$TRASH/one" /api/v1/events && wait_for 20 grep -q retry "$TRASH/one" && echo 1 > a && leat put raw/x a && leat run up &&
	wait_for 20 grep -q "\"kind\":\"run\".*\"state\":\"success\"" "$TRASH/one" && grep -q "\"kind\":\"head\".*\"repo\":\"raw/x\"" "$TRASH/one" &&
	grep -q "\"kind\":\"unit\".*\"state\":\"running\".*\"job\":\"up\"" "$TRASH/one" && ids "$TRASH/one" | sort -nuc
'

test_expect 'who comes back with Last-Event-ID gets what came meanwhile, once, though the daemon was killed and another one started' '
	cd w && wait_for 20 test -s "$TRASH/one" && kill "$FOLLOWER" && last=$(ids "$TRASH/one" | tail -n 1) && echo 2 > b && leat put raw/x b &&
	kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status && echo 3 > c && leat put raw/y c && serve . && echo 4 > d && leat put raw/z d &&
	follow "$TRASH/two" /api/v1/events -H "Last-Event-ID: $last" && wait_for 20 grep -q raw/z "$TRASH/two" && grep -q raw/x "$TRASH/two" && grep -q raw/y "$TRASH/two" &&
	eq "$(ids "$TRASH/two" | head -n 1)" $((last + 1)) && eq "$(ids "$TRASH/two" | sort -n | uniq | wc -l)" "$(ids "$TRASH/two" | wc -l)"
'

test_expect 'a filter takes some of them; a number that never was, or is not kept any more, begins with a reset' '
	cd w && follow "$TRASH/three" "/api/v1/events?from=0&kind=head" && wait_for 20 grep -q raw/z "$TRASH/three" && lacks "$TRASH/three" "event: unit" "event: reset" &&
	follow "$TRASH/four" "/api/v1/events?from=999999" && wait_for 20 grep -q "event: reset" "$TRASH/four" &&
	asked GET "/api/v1/events?from=x" 400 && asked GET "/api/v1/events?what=1" 400
'

test_expect 'a log comes by byte offset, from its end too, and says where it goes on' '
	cd w && job talk "seq 1 20000; echo done > \$LEAT_OUTPUT/f" && leat run talk && run=$(leat runs talk --json | json /dev/stdin "d[\"run\"]") &&
	get "/api/v1/logs?run=$run" && seq 1 20000 > want && same body want && has head "Leat-Log-Ended: true" "Leat-Log-Next: $(stat -c %s want)" &&
	get "/api/v1/logs?run=$run&from=10000&limit=100" && head -c 10100 want | tail -c 100 > part && same body part && has head "Leat-Log-Next: 10100" &&
	get "/api/v1/logs?run=$run&from=-50" && tail -c 50 want > part && same body part &&
	get "/api/v1/logs?run=$run&from=99999999" && [ ! -s body ] && asked GET "/api/v1/logs?run=$run&from=x" 400 && asked GET "/api/v1/logs?run=nope" 404 &&
	leat logs $run --from -50 > part2 && same part part2 && leat logs $run --from 10 --limit 5 > part2 && head -c 15 want | tail -c 5 > part && same part part2
'

test_expect 'a log that is followed goes on until its attempt has ended, then ends by itself' '
	cd w && job slow "echo begun; while [ ! -e $TRASH/go ]; do sleep 0.05; done; echo over; echo x > \$LEAT_OUTPUT/f" && rm -f "$TRASH/go" &&
	post /api/v1/run "{\"job\": \"slow\"}" -H "Idempotency-Key: s1" && wait_for 30 eval "leat logs slow | grep -q begun" &&
	run=$(leat runs slow --json | json /dev/stdin "d[\"run\"]") && follow "$TRASH/log" "/api/v1/logs?run=$run&follow" && wait_for 20 grep -q begun "$TRASH/log" && lacks "$TRASH/log" over &&
	touch "$TRASH/go" && wait_for 30 eval "! kill -0 $FOLLOWER" && eq "$(cat "$TRASH/log")" "$(printf "begun\nover")"
'

test_expect 'a webhook that is signed starts its job once for each delivery, with parameters out of its body' '
	cd w && job hooked "echo \$LEAT_PARAM_order > \$LEAT_OUTPUT/f" && printf "params: {order: none}\n" >> jobs/hooked/job.yaml && mkdir -p secrets/shop && printf "s3cret\n" > secrets/shop/key && chmod 600 secrets/shop/key &&
	printf "hooks:\n  orders: {job: hooked, secret: shop/key, params: {order: order.id}}\n" >> leat.yaml && leat serve --stop && serve . &&
	printf "{\"order\": {\"id\": 17}}" > body.json && asked POST /hooks/orders 202 --data-binary @body.json -H "X-Hub-Signature-256: $(signed body.json s3cret)" -H "X-GitHub-Delivery: d1" &&
	n=$(json body "d[\"requests\"][0]") && asked POST /hooks/orders 200 --data-binary @body.json -H "X-Hub-Signature-256: $(signed body.json s3cret)" -H "X-GitHub-Delivery: d1" &&
	eq "$(json body "d[\"requests\"][0]")" "$n" && wait_for 30 leat cat tables/hooked:/f
'

test_expect 'one that is not signed, or wrongly, or has no name, starts nothing' '
	cd w && asked POST /hooks/orders 401 --data-binary @body.json && asked POST /hooks/orders 401 --data-binary @body.json -H "X-Hub-Signature-256: $(signed body.json wrong)" &&
	asked POST /hooks/orders 401 --data-binary @body.json -H "X-Hub-Signature-256: sha256=" && asked POST /hooks/nope 404 --data-binary @body.json &&
	printf "{" > bad.json && asked POST /hooks/orders 400 --data-binary @bad.json -H "X-Hub-Signature-256: $(signed bad.json s3cret)" &&
	printf "{}" > bad.json && asked POST /hooks/orders 400 --data-binary @bad.json -H "X-Hub-Signature-256: $(signed bad.json s3cret)" &&
	asked GET /hooks/orders 405
'

test_done
