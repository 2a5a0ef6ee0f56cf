# tests/lib.sh: the harness of shell tests (bash). Prints TAP; tests/run reads it. A script looks like this:
#
#	#!/usr/bin/env bash
#	. "$(dirname "$0")/../lib.sh"
#	test_expect 'a put file comes back byte for byte' '
#		workspace w &&
#		echo hello > f && leat put raw/x f && leat cat raw/x:/f > back && same f back
#	'
#	test_done
#
# Each script runs in a trash directory of its own, which goes away when all passed and is kept (and named) otherwise.
# The body of a test runs in the script's own shell: the first command that fails ends it (as with `set -e`), variables
# stay for the next test, the current folder does not: each body begins in the trash directory ($TRASH). What it printed,
# with a trace of its commands, is shown when it fails. One `exits` beats three `|| true`.

set -o pipefail
T_SELF=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(dirname "$TESTS")
LEAT_BIN=$(realpath -m "${LEAT_BIN:-$CHECKOUT/build/leat}")
LEAT_FAULT_BIN=$(realpath -m "${LEAT_FAULT_BIN:-$CHECKOUT/build-test/leat}")
t_data=${LEAT_TEST_DATA:-$CHECKOUT/../shared/data}

# Nothing of the machine or of its user may change a result.
for t_v in $(compgen -e | grep -E '^(LEAT_|XDG_|LC_|GIT_|.*_proxy$|.*_PROXY$|CDPATH$|NO_COLOR$|PYTHON)'); do
	case $t_v in LEAT_BIN | LEAT_FAULT_BIN | LEAT_LIBDUCKDB | LEAT_TEST_*) ;; *) unset "$t_v" ;; esac
done
T_NAME=$(basename "$0" .sh)
TRASH=${LEAT_TEST_TMP:-$CHECKOUT/build/trash}/$T_NAME.$$
mkdir -p "$TRASH" && cd "$TRASH" && TRASH=$(pwd -P) || exit 1
mkdir -p "$TRASH/.home" "$TRASH/.t" || exit 1
export HOME=$TRASH/.home XDG_CONFIG_HOME=$TRASH/.home/.config XDG_CACHE_HOME=$TRASH/.home/.cache
export TZ=UTC LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM=dumb COLUMNS=100 PYTHONDONTWRITEBYTECODE=1
umask 022
# A report of a sanitizer fails the script wherever it came from, a worker's or a child's too.
export ASAN_OPTIONS=exitcode=99:detect_leaks=1:detect_stack_use_after_return=0:log_path=$TRASH/.t/san
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99:log_path=$TRASH/.t/san
export LSAN_OPTIONS=suppressions=$TESTS/lsan.supp:print_suppressions=0

t_n=0 t_bad=0 t_done=0 t_pids=() t_served=()

t_end() { # the EXIT trap: stops what the script started, and fails a script that ended early
	local status=$? p
	for p in "${t_pids[@]}"; do kill "$p" 2>/dev/null && kill -CONT "$p" 2>/dev/null; done
	for p in "${t_served[@]}"; do [ ! -e "$p/.leat/serve.json" ] || kill "$(daemon_pid "$p")" 2>/dev/null; done
	cd / || exit 1
	if [ "$t_done" = 0 ]; then
		echo "not ok $((t_n + 1)) - the script $T_NAME reaches its end"
		echo "# it ended with status $status before test_done"
		t_bad=1
	fi
	if [ "$t_bad" = 0 ]; then
		chmod -R u+rwX "$TRASH" 2>/dev/null
		rm -rf "$TRASH"
	else
		echo "# files kept in $TRASH"
	fi
	[ "$t_bad" = 0 ] || exit 1
}
trap t_end EXIT

# test_expect 'sentence that is true when it passes' 'commands'
test_expect() {
	local status=0 out=$TRASH/.t/out
	t_n=$((t_n + 1))
	cd "$TRASH" || exit 1
	if ! eval "t_body() {
		trap 'return 1' ERR
$2
	}" 2>"$out"; then
		status=1
	else
		exec 9>"$out"
		BASH_XTRACEFD=9 PS4='+ '
		set -x
		t_body >>"$out" 2>&1 9>>"$out" </dev/null
		{ status=$?; set +x; } 2>/dev/null
		unset BASH_XTRACEFD
		exec 9>&-
	fi
	cd "$TRASH" || exit 1
	if compgen -G "$TRASH/.t/san*" >/dev/null; then
		status=1
		cat "$TRASH"/.t/san* >>"$out"
		rm -f "$TRASH"/.t/san*
	fi
	if [ $status = 0 ]; then
		echo "ok $t_n - $1"
	else
		t_bad=1
		echo "not ok $t_n - $1"
		grep -vE '^\++ (\{ )?(status=|set \+x|trap )' "$out" | tail -n "${LEAT_TEST_LINES:-60}" | sed 's/^/#   /'
	fi
}

# For what cannot be tried on this machine: counted as skipped, with the reason.
test_skip() { # 'sentence' 'reason'
	t_n=$((t_n + 1))
	echo "ok $t_n - $1 # SKIP $2"
}

test_done() {
	t_done=1
	echo "1..$t_n"
	exit "$t_bad"
}

skip_all() { # 'reason': before the first test
	t_done=1
	echo "1..0 # SKIP $*"
	exit 0
}

# What the script cannot do without: needs CMD…; needs_data [PATH under the data folder]; needs_root; needs_faults
needs() {
	local c
	for c; do command -v "$c" >/dev/null || skip_all "$c is not installed"; done
}
needs_data() {
	[ -e "$t_data/${1:-}" ] || skip_all "the data for tests is not there (${1:-../shared/data}; LEAT_TEST_DATA names its folder)"
	DATA=$(cd "$t_data" && pwd)
}
needs_root() {
	[ "$(id -u)" = 0 ] || skip_all "needs root"
}
dies_at() { # POINT command…: the command must be killed there (needs_faults)
	local point=$1 got=0
	shift
	LEAT_CRASH_AT=$point "$@" || got=$?
	[ $got = 137 ] || {
		echo "$point was not reached (status $got): $*"
		return 1
	}
}

needs_faults() { # the whole script then drives the build that has fault points (LEAT_CRASH_AT, LEAT_FAULT)
	[ -x "$LEAT_FAULT_BIN" ] || skip_all "no build with fault points (make test makes build-test)"
	LEAT_BIN=$LEAT_FAULT_BIN
}

leat() {
	"$LEAT_BIN" "$@" 9>&-
}

workspace() { # [DIR]: a new workspace; the test goes on inside it
	leat init "${1:-w}" && cd "${1:-w}"
}

calls() { # FILE WHICH leat's arguments…: writes to FILE the system calls they make. Beside a tracer nobody can look for leaks
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -e trace="$2" -o "$1" "$LEAT_BIN" "${@:3}"
}

opens() { # FILE leat's arguments…: writes to FILE what they open
	calls "$1" openat,open "${@:2}"
}

sql() { # 'QUERY' [option…]: prints CSV
	local q=$1
	shift
	leat sql "$q" --format csv "$@"
}

# exits N command…: passes when the command ends with exactly N. A crash (a signal, a sanitizer) never passes.
exits() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	if [ $got -ge 128 ] || [ $got = 99 ]; then
		echo "crashed (status $got): $*"
		return 1
	fi
	[ "$got" = "$want" ] || {
		echo "status $got, not $want: $*"
		return 1
	}
}

has() { # FILE text…: FILE (- is standard input) holds each text
	t_grep 0 "$@"
}
lacks() { # FILE text…: FILE holds none of them
	t_grep 1 "$@"
}
t_grep() {
	local want=$1 file=$2 t got
	[ "$file" != - ] || { cat >"$TRASH/.t/stdin" && file=$TRASH/.t/stdin; }
	[ -f "$file" ] || { echo "no file $file"; return 1; }
	shift 2
	for t; do
		got=0
		grep -qF -- "$t" "$file" || got=1
		[ $got = "$want" ] || {
			[ "$want" = 0 ] && echo "$file lacks: $t" || echo "$file has: $t"
			echo "--- $file is:"
			head -n 40 "$file"
			return 1
		}
	done
}

same() { # A B: equal bytes; shows how they differ
	cmp -s -- "$1" "$2" || { diff -u -- "$1" "$2" | head -n 40; return 1; }
}

eq() { # GOT WANT: equal strings
	[ "$1" = "$2" ] || { printf 'got:  %s\nwant: %s\n' "$1" "$2"; return 1; }
}

count() { # N command…: the command prints exactly N lines
	local n=$1
	shift
	"$@" >"$TRASH/.t/count" && [ "$(wc -l <"$TRASH/.t/count")" = "$n" ] || {
		echo "$(wc -l <"$TRASH/.t/count") lines, not $n: $*"
		head -n 40 "$TRASH/.t/count"
		return 1
	}
}

json() { # FILE EXPRESSION: evaluates a Python expression over the document(s) `d` of FILE and prints it
	python3 -c 'import json, sys
text = open(sys.argv[1]).read()
try:
    d = json.loads(text)
except ValueError:
    d = [json.loads(line) for line in text.splitlines() if line.strip()]
r = eval(sys.argv[2])
print(r if isinstance(r, str) else json.dumps(r))' "$1" "$2"
}

lose_bytes() { # SHA…: the store has these bytes nowhere any more, whether in a file, a pack or a row
	local sha table sql=()
	for sha; do
		rm -f ".leat/blobs/${sha:0:2}/${sha:2}"
		for table in packed small recipe; do sql+=("delete from $table where id = x'$sha'"); done
	done
	python3 "$TESTS/fake/edit_db.py" .leat/leat.db "${sql[@]}"
}
# wait_for SECONDS command…: tries until it succeeds; for what another process does. A minute at least: the machine may be busy
wait_for() {
	local until=$((SECONDS + ($1 < 60 ? 60 : $1))) -
	set +x
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || { echo "waited in vain for: $*"; return 1; }
		sleep 0.05
	done
}

# beside FILE command…: the command in the background, what it prints in FILE; BESIDE is its process, which ends with the script. FILE is
# empty when this returns: nobody reads what an earlier one left. It hears SIGINT, which a shell lets others in the background ignore.
# (`leat` is a function here: to kill the program and not a shell around it, give "$LEAT_BIN".)
beside() {
	: >"$1"
	set -m
	"${@:2}" >"$1" 2>&1 </dev/null 9>&- &
	BESIDE=$!
	set +m
	t_pids+=("$BESIDE")
}
ends() { # STATUS: what is beside us ends by itself, with that status
	exits "$1" wait "$BESIDE"
}
lives() { # PID: a zombie whose parent does not care is dead
	kill -0 "$1" 2>/dev/null && ! grep -q '^State:.[ZX]' "/proc/$1/status" 2>/dev/null
}
dead() { # PID
	! lives "$1"
}
is_stopped() { # PID: by LEAT_STOP_AT, or a signal
	grep -q '^State:.T' "/proc/$1/status"
}
clock() { # TIME: what time it is by the file that LEAT_CLOCK names; whoever reads it sees the old time or the new one whole
	echo "$1" >"$LEAT_CLOCK.new" && mv "$LEAT_CLOCK.new" "$LEAT_CLOCK"
}

# serve DIR [option…]: a daemon for the workspace DIR, which ends with the script; daemon_pid DIR: its process
serve() {
	t_served+=("$(realpath "$1")")
	leat -C "$1" serve --port 0 "${@:2}"
}
daemon_pid() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/.leat/serve.json"))["pid"])' "$1"
}

# state DIR: all state of a workspace as text (every row of every table, every file of the store with its hash), so
# that two of them can be compared: `state w > before; ...; state w > after; same before after`.
state() {
	python3 "$TESTS/fake/state.py" "$1"
}

# http_server DIR [option…]: serves DIR on loopback; sets HTTP_URL, HTTP_PID and HTTP_LOG (one line per request).
# Options: tests/fake/httpd.py --help. It ends with the script; http_stop ends it sooner.
http_server() {
	local port=$TRASH/.t/port.$RANDOM
	HTTP_LOG=$TRASH/.t/http.log
	: >"$HTTP_LOG"
	python3 "$TESTS/fake/httpd.py" --port-file "$port" --log "$HTTP_LOG" "$@" >"$TRASH/.t/http.out" 2>&1 </dev/null 9>&- &
	HTTP_PID=$!
	t_pids+=("$HTTP_PID")
	wait_for 30 test -s "$port" || { cat "$TRASH/.t/http.out"; return 1; }
	HTTP_URL=http://127.0.0.1:$(cat "$port")
}
http_stop() {
	kill "$HTTP_PID"
	wait "$HTTP_PID" 2>/dev/null || true
}
