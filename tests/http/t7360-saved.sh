#!/usr/bin/env bash
# Issue 7: settings, webhooks and files of holidays count when they are saved; a broken one changes nothing and is named.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

signed() { # FILE SECRET
	echo "sha256=$(openssl dgst -sha256 -hmac "$2" < "$1" | sed "s/.*= //")"
}
loads() { grep -c 'msg="jobs loaded"' .leat/logs/serve.log || :; }
loaded() { # NUMBER: so many times
	[ "$(loads)" -ge "$1" ]
}
job() { # NAME
	mkdir -p "jobs/$1" && printf "kind: script\npartition: none\noutput: tables/$1\n" > "jobs/$1/job.yaml" && printf "echo 1 > \$LEAT_OUTPUT/f\n" > "jobs/$1/job.sh"
}
save() { # FILE, its text from standard input: it is there whole or as it was
	cat > "$1.new" && mv "$1.new" "$1"
}
deliver() { # HOOK STATUS
	echo "{}" > b.json && asked POST "/hooks/$1" "$2" --data-binary @b.json -H "X-Hub-Signature-256: $(signed b.json s3cret)"
}

test_expect 'a webhook that is written into leat.yaml while the daemon runs is there, and one that is taken out is gone' '
	workspace w && job hooked && mkdir -p secrets/shop && printf "s3cret\n" > secrets/shop/key && chmod 600 secrets/shop/key && cp leat.yaml plain.yaml && serve . && deliver orders 404 &&
	{ cat plain.yaml && printf "hooks:\n  orders: {job: hooked, secret: shop/key}\n"; } | save leat.yaml && wait_for 20 deliver orders 202 && wait_for 30 leat cat tables/hooked:/f &&
	cp leat.yaml good.yaml && save leat.yaml < plain.yaml && wait_for 20 deliver orders 404
'

test_expect 'a leat.yaml that is broken is told with its line, and the webhooks that were good go on' '
	cd w && save leat.yaml < good.yaml && wait_for 20 deliver orders 202 && printf "hooks:\n  orders: {job: hooked, secrt: shop/key}\n" | save leat.yaml &&
	wait_for 20 grep -q "leat.yaml:2" .leat/logs/serve.log && grep "leat.yaml:2" .leat/logs/serve.log | grep -q "level=error.*secrt" && deliver orders 202 &&
	n=$(loads) && save leat.yaml < good.yaml && wait_for 20 loaded $((n + 1)) && deliver orders 202
'

test_expect 'a file of holidays counts when it is saved: the slot of that day goes' '
	workspace h && mkdir -p jobs/bd cal && printf "kind: script\noutput: tables/bd\npartition: daily\nschedule: {at: \"06:30\", calendar: {days: business-days, holidays: cal/de.txt}}\n" > jobs/bd/job.yaml &&
	printf "echo \$DS > \$LEAT_OUTPUT/f\n" > jobs/bd/job.sh && echo "2026-12-25 Christmas Day" > cal/de.txt && export LEAT_CLOCK=$PWD/clock && clock 2026-12-20T12:00:00Z && serve . &&
	n=$(loads) && echo "2026-12-22 Holiday" >> cal/de.txt && wait_for 20 loaded $((n + 1)) &&
	clock 2026-12-21T12:00:00Z && wait_for 30 leat cat tables/bd:/ds=2026-12-20/f && clock 2026-12-22T12:00:00Z && clock 2026-12-23T12:00:00Z &&
	wait_for 30 leat cat tables/bd:/ds=2026-12-22/f && exits 1 leat cat tables/bd:/ds=2026-12-21/f
'

test_expect 'a file of holidays that is broken is told with its line, and its job goes on by the last good one' '
	cd h && export LEAT_CLOCK=$PWD/clock && n=$(loads) && cp cal/de.txt good.txt && printf "Easter\n" >> cal/de.txt && wait_for 20 loaded $((n + 1)) && grep "cal/de.txt:3" .leat/logs/serve.log | grep -q "level=error.*Easter" &&
	grep "jobs loaded" .leat/logs/serve.log | tail -n 1 | grep -q "jobs=1 broken=1" &&
	clock 2026-12-24T12:00:00Z && wait_for 30 leat cat tables/bd:/ds=2026-12-23/f && clock 2026-12-25T12:00:00Z && clock 2026-12-28T12:00:00Z &&
	wait_for 30 leat cat tables/bd:/ds=2026-12-27/f && exits 1 leat cat tables/bd:/ds=2026-12-24/f
'

test_expect 'so it does after a kill of the daemon; mended, it counts again' '
	cd h && export LEAT_CLOCK=$PWD/clock && kill -9 "$(daemon_pid .)" && wait_for 20 exits 1 leat serve --status && serve . && clock 2026-12-29T12:00:00Z && wait_for 30 leat cat tables/bd:/ds=2026-12-28/f &&
	n=$(loads) && cp good.txt cal/de.txt && echo "2026-12-30 Holiday" >> cal/de.txt && wait_for 20 loaded $((n + 1)) && wait_for 20 eval "grep \"jobs loaded\" .leat/logs/serve.log | tail -n 1 | grep -q \"broken=0\"" &&
	clock 2026-12-30T12:00:00Z && clock 2026-12-31T12:00:00Z && wait_for 30 leat cat tables/bd:/ds=2026-12-30/f && exits 1 leat cat tables/bd:/ds=2026-12-29/f
'

test_done
