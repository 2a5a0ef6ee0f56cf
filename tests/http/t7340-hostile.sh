#!/usr/bin/env bash
# Issue 7: a slow or hostile client costs nothing.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

hostile() { python3 "$TESTS/fake/hostile.py" "$(url_of . | sed "s/.*://")" "$@"; }
resident() { awk "/VmHWM/ { print \$2 }" "/proc/$(daemon_pid .)/status"; }
answers() { [ "$(curl -s -m 60 "$(url_of .)/healthz")" = ok ]; }
# A sanitized program holds several times the memory.
case $LEAT_BIN in *asan*) limit=400000 n=1000 ;; *) limit=30720 n=10000 ;; esac

test_expect '10,000 malformed requests leave the daemon alive, and at most 30 MB large' '
	workspace w && leat put raw/x "$T_SELF" && serve . && pid=$(daemon_pid .) && hostile malformed $n &&
	answers && eq "$(daemon_pid .)" "$pid" && [ "$(resident)" -le $limit ] && [ -z "$(grep level=error .leat/logs/serve.log)" ]
'

test_expect 'clients that send a byte now and then, more of them than there are places, keep nobody out' '
	cd w
	hostile slow 700 6 &
	slow=$!
	t_pids+=($slow)
	sleep 3
	for i in 1 2 3 4 5; do answers || return 1; done
	get /api/v1/ls
	wait $slow
	answers && [ "$(resident)" -le $limit ]
'

test_expect 'what nobody waits for any more is ended, if it only reads' '
	cd w && hostile gone 100 && wait_for 60 eval "get /metrics && grep -q \"children{kind=.reads.} 0\" body && grep -q \"children{kind=.queued.} 0\" body" &&
	[ -z "$(pgrep -P "$(daemon_pid .)")" ] && [ "$(resident)" -le $limit ]
'

test_expect 'bodies that are too large are refused before they are read' '
	cd w && head -c 3000000 /dev/zero > zero && asked POST /api/v1/ls 413 -H "Content-Type: application/json" --data-binary @zero -H Expect: &&
	asked POST /hooks/x 413 --data-binary @zero && asked POST /api/v1/login 413 --data-binary @zero && answers
'

test_expect 'descriptors are given back: none is left over when all have gone' '
	cd w && wait_for 60 eval "get /metrics && grep -q \"^leat_http_connections 1\" body" && fds=$(ls /proc/$(daemon_pid .)/fd | wc -l) && hostile malformed 300 &&
	wait_for 60 eval "[ \$(ls /proc/$(daemon_pid .)/fd | wc -l) -le $fds ]"
'

test_done
