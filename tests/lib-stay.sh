# tests/lib-stay.sh: what tests of services and spouts share; sourced after lib.sh.

# up JOB...: as `leat up`, and what it started ends with the script whatever happens.
up() {
	local pid status=0
	leat up "$@" || status=$?
	for pid in $(leat services --json | python3 -c 'import json, sys
for l in sys.stdin: print(json.loads(l)["pid"] or "")'); do t_pids+=("$pid"); done
	return $status
}
# of JOB KEY: what `leat services` says of it
of() {
	leat services "$1" --json >"$TRASH/.t/services" && json "$TRASH/.t/services" "d['$2']"
}
is() { # JOB KEY VALUE, for wait_for
	[ "$(of "$1" "$2")" = "$3" ]
}
# No process of this workspace is left: all bear a marker that state.json names.
none_left() { # JOB
	local marker
	marker=$(json ".leat/stay/$1/state.json" 'd["marker"]') && [ -z "$(grep -lszx "LEAT_TASK=$marker" /proc/[0-9]*/environ 2>/dev/null)" ] &&
		[ -z "$(grep -lsz "$marker" /proc/[0-9]*/cmdline 2>/dev/null)" ]
}
# A port that nobody has now, of four digits, so that tables stay as wide as in a page; not of the range the system deals out.
port() {
	python3 -c 'import random, socket
while True:
    n, s = random.randint(2000, 9999), socket.socket()
    try:
        s.bind(("", n))
    except OSError:
        continue
    print(n)
    break'
}
