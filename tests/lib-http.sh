# tests/lib-http.sh: the HTTP API of a workspace that `serve` (lib.sh) has started. Sourced after lib.sh.

url_of() { # DIR
	python3 -c 'import json, sys; print("http://127.0.0.1:%d" % json.load(open(sys.argv[1] + "/.leat/serve.json"))["port"])' "$1"
}

# get PATH [option of curl…], in a workspace: the body to the file body, the header to head; fails unless it is a 2xx
get() {
	curl -sS -m 120 -D head -o body -f "$(url_of .)$1" "${@:2}"
}
# asked METHOD PATH STATUS [option…]: the answer has that status; the body to body, the header to head
asked() {
	local got
	got=$(curl -sS -m 120 -X "$1" -D head -o body -w '%{http_code}' "$(url_of .)$2" "${@:4}") || return 1
	[ "$got" = "$3" ] || { echo "status $got, not $3: $1 $2"; cat body; return 1; }
}
token() { # in a workspace: the header that holds it
	echo "Authorization: Bearer $(cat .leat/serve.token)"
}
# post PATH JSON [option…]: with the token
post() {
	curl -sS -m 120 -D head -o body -f -H "$(token)" -H 'Content-Type: application/json' -d "$2" "$(url_of .)$1" "${@:3}"
}
