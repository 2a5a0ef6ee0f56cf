#!/usr/bin/env bash
# Downloads over a network that fails, a server that refuses, and authorities that are not known.
. "$(dirname "$0")/../lib.sh"
needs python3 openssl

job() { # NAME: job.yaml from standard input
	mkdir -p "jobs/$1" && cat >"jobs/$1/job.yaml"
}
serve() { # DIR options: a server of its own
	http_server "$@"
}
mkdir srv && seq 1 30000 >srv/n.csv && printf 'small\n' >srv/s.csv
leat init w >/dev/null || exit 1

test_expect 'a transfer that broke off is taken up where it ended' '
	serve $TRASH/srv --etag --drop /n.csv 50000 2
	cd w
	job n <<-E
	kind: download
	url: $HTTP_URL/n.csv
	output: raw/n
	E
	leat run n
	leat cat raw/n:/n.csv >back
	same back ../srv/n.csv
	has $HTTP_LOG "GET /n.csv 200 50000" "GET /n.csv 206 50000 Range=bytes=50000- If-Range=" "Range=bytes=100000-"
	http_stop
'

test_expect 'a server without ranges begins anew; one that never gets further fails and keeps what was there' '
	serve $TRASH/srv --etag --no-range --drop /n.csv 50000 1
	cd w
	sed -i "s|^url:.*|url: $HTTP_URL/n.csv|" jobs/n/job.yaml
	leat run n
	leat cat raw/n:/n.csv >back
	same back ../srv/n.csv
	http_stop
	serve $TRASH/srv --etag --no-range --drop /n.csv 50000 -1
	sed -i "s|^url:.*|url: $HTTP_URL/n.csv|" jobs/n/job.yaml
	exits 1 leat run n 2>err
	has err "broke off after 50000 bytes" "/n.csv"
	count 2 cat $HTTP_LOG
	leat cat raw/n:/n.csv >back
	same back ../srv/n.csv
	http_stop
'

test_expect 'what cannot be told apart from another version is not resumed, but retried as a whole' '
	serve $TRASH/srv --drop /n.csv 50000 1
	cd w
	job whole <<-E
	kind: download
	url: $HTTP_URL/n.csv
	retries: 1
	retry_delay: 10ms
	output: raw/whole
	E
	leat run whole
	lacks $HTTP_LOG "Range="
	count 2 cat $HTTP_LOG
	leat cat raw/whole:/n.csv >back
	same back ../srv/n.csv
	http_stop
'

test_expect '503 with Retry-After is tried again after that time; 404 is not tried again' '
	serve $TRASH/srv --status /s.csv 503 1 --retry-after 1
	cd w
	job late <<-E
	kind: download
	url: $HTTP_URL/s.csv
	retries: 3
	retry_delay: 5s
	output: raw/late
	E
	leat run late >out 2>&1
	has out "again in 1.0 s"
	count 2 cat $HTTP_LOG
	sed -i "s/s.csv/gone.csv/" jobs/late/job.yaml
	exits 1 leat run late 2>err
	has err "/gone.csv answered 404 Not Found: \"no such file\"" "jobs/late/job.yaml:2:"
	count 3 cat $HTTP_LOG
	http_stop
'

test_expect 'a server that stops sending is left, and the transfer taken up' '
	serve $TRASH/srv --etag --stall /n.csv 100000
	cd w
	job stall <<-E
	kind: download
	url: $HTTP_URL/n.csv
	stall_timeout: 1s
	output: raw/stall
	E
	leat run stall
	leat cat raw/stall:/n.csv >back
	same back ../srv/n.csv
	has $HTTP_LOG "Range=bytes=100000-"
	sed -i "s/n.csv/s.csv/" jobs/stall/job.yaml
	leat run stall
	http_stop
'

test_expect 'the time limit of the job ends a transfer; nothing of it is published' '
	serve $TRASH/srv --stall /n.csv 1000
	cd w
	job limit <<-E
	kind: download
	url: $HTTP_URL/n.csv
	timeout: 1s
	output: raw/limit
	E
	exits 1 leat run limit 2>err
	has err "limit of 1000 ms"
	exits 1 leat cat raw/limit:/n.csv 2>err
	http_stop
'

test_expect 'Ctrl-C ends the worker too and publishes nothing' '
	serve $TRASH/srv --stall /n.csv 1000
	cd w
	sed -i "s|^url:.*|url: $HTTP_URL/n.csv|; /^timeout/d" jobs/limit/job.yaml
	beside out "$LEAT_BIN" run limit
	pid=$BESIDE
	wait_for 20 test -s $HTTP_LOG
	wait_for 20 pgrep -P $pid
	worker=$(pgrep -P $pid)
	kill -INT $pid
	got=0
	wait $pid || got=$?
	[ $got -ne 0 ]
	wait_for 5 sh -c "! kill -0 $worker"
	exits 1 leat cat raw/limit:/n.csv 2>err
	http_stop
'

test_expect 'redirects are followed, and told; a loop of them ends' '
	serve $TRASH/srv --redirect /old /s.csv --redirect /loop /loop
	cd w
	job moved <<-E
	kind: download
	url: $HTTP_URL/old
	name: s.csv
	output: raw/moved
	E
	leat run moved
	leat cat raw/moved:/s.csv >back
	same back ../srv/s.csv
	leat why raw/moved:/s.csv --json >why
	eq "$(json why "d[\"made_by\"][\"facts\"][\"downloads\"][0][\"final_url\"]")" $HTTP_URL/s.csv
	sed -i "s|/old|/loop|" jobs/moved/job.yaml
	exits 1 leat run moved 2>err
	has err "more than 20 redirects"
	http_stop
'

test_expect 'another host that a redirect leads to sees neither password nor token' '
	serve $TRASH/srv
	other=${HTTP_URL/127.0.0.1/localhost} log=$HTTP_LOG
	port=$TRASH/.t/second
	python3 "$TESTS/fake/httpd.py" srv --port-file "$port" --log first.log --redirect /s.csv "$other/s.csv" >/dev/null 2>&1 9>&- &
	t_pids+=($!)
	wait_for 20 test -s $port
	cd w
	job leak <<-E
	kind: download
	url: http://joe:hunter2@127.0.0.1:$(cat $port)/s.csv
	headers: {X-Token: abc, Authorization: Bearer abc}
	output: raw/leak
	E
	leat run leak
	has ../first.log "Authorization="
	has $log "GET /s.csv 200"
	lacks $log "Authorization="
	http_stop
'

openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null

test_expect 'a certificate of nobody that is trusted is refused; ca_file: trusts its authority' '
	serve $TRASH/srv --tls $TRASH/cert.pem $TRASH/key.pem --redirect /down http://127.0.0.1:1/s.csv
	cd w
	job tls <<-E
	kind: download
	url: ${HTTP_URL/http:/https:}/s.csv
	retries: 2
	retry_delay: 10ms
	output: raw/tls
	E
	exits 1 leat run tls 2>err
	has err "certificate" "ca_file:"
	count 0 cat $HTTP_LOG
	cp ../cert.pem own.pem
	echo "ca_file: own.pem" >>jobs/tls/job.yaml
	leat run tls
	leat cat raw/tls:/s.csv >back
	same back ../srv/s.csv
	sed -i "s|/s.csv|/down|" jobs/tls/job.yaml
	exits 1 leat run tls 2>err
	has err "from https to http"
	count 2 cat $HTTP_LOG
	http_stop
'

test_expect 'the proxy of the caller is used, and no_proxy is obeyed' '
	serve $TRASH/srv --proxy
	cd w
	job proxied <<-E
	kind: download
	url: http://far.example/s.csv
	output: raw/proxied
	E
	http_proxy=$HTTP_URL leat run proxied
	has $HTTP_LOG "GET http://far.example/s.csv 200"
	HTTP_PROXY=$HTTP_URL leat run proxied
	count 2 cat $HTTP_LOG
	sed -i "s|http://far.example|$HTTP_URL|" jobs/proxied/job.yaml
	http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 leat run proxied
	http_proxy=http://127.0.0.1:1 exits 1 leat run proxied 2>err
	http_stop
'

test_expect 'a server that is not there is named, and tried again' '
	cd w
	job nobody <<-E
	kind: download
	url: http://127.0.0.1:1/x.csv
	retries: 1
	retry_delay: 10ms
	E
	exits 1 leat run nobody >out 2>&1
	has out "http://127.0.0.1:1/x.csv" "again in"
'

test_expect 'bytes of another SHA-256 are refused, and both are named; the right ones are taken' '
	serve $TRASH/srv
	cd w
	sum=$(sha256sum <../srv/s.csv | cut -d" " -f1)
	wrong=$(sha256sum <../srv/n.csv | cut -d" " -f1)
	job sum <<-E
	kind: download
	url: $HTTP_URL/s.csv
	sha256: $wrong
	output: raw/sum
	E
	exits 1 leat run sum 2>err
	has err $sum $wrong
	exits 1 leat cat raw/sum:/s.csv 2>err
	sed -i "s/$wrong/$sum/" jobs/sum/job.yaml
	leat run sum
	leat cat raw/sum:/s.csv >back
	same back ../srv/s.csv
	http_stop
'

test_expect 'more than max_size is refused, whether the server says how much it is or not' '
	serve $TRASH/srv
	cd w
	job big <<-E
	kind: download
	url: $HTTP_URL/n.csv
	max_size: 10kB
	output: raw/big
	E
	exits 1 leat run big 2>err
	has err "larger than 10000 bytes" "max_size:"
	http_stop
	serve $TRASH/srv --no-length
	sed -i "s|^url:.*|url: $HTTP_URL/n.csv|" jobs/big/job.yaml
	exits 1 leat run big 2>err
	has err "larger than 10000 bytes"
	sed -i "s|10kB|10 MiB|" jobs/big/job.yaml
	leat run big
	leat cat raw/big:/n.csv >back
	same back ../srv/n.csv
	http_stop
'
test_done
