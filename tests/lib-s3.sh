# tests/lib-s3.sh: object stores for tests, sourced after lib.sh: a stand-in with faults, and MinIO where it is installed.
export AWS_ACCESS_KEY_ID=leat AWS_SECRET_ACCESS_KEY=leatleatleat
unset AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_CA_BUNDLE

# s3_server [option...]: the stand-in; sets S3_URL and S3_LOG. Options: tests/fake/s3d.py --help.
s3_server() {
	local port=$TRASH/.t/s3.$RANDOM
	S3_LOG=$TRASH/.t/s3.log
	: >"$S3_LOG"
	python3 "$TESTS/fake/s3d.py" --port-file "$port" --log "$S3_LOG" "$@" >"$TRASH/.t/s3.out" 2>&1 </dev/null 9>&- &
	S3_PID=$!
	t_pids+=("$S3_PID")
	wait_for 30 test -s "$port" || { cat "$TRASH/.t/s3.out"; return 1; }
	S3_URL=http://127.0.0.1:$(cat "$port")
}
# LEAT_TEST_MINIO names the program, else it is looked for on PATH.
needs_minio() {
	MINIO=${LEAT_TEST_MINIO:-$(command -v minio)}
	[ -x "$MINIO" ] || skip_all "minio is not installed (go install github.com/minio/minio@latest; LEAT_TEST_MINIO names it)"
}
minio_server() { # [HOST]: sets S3_URL; with certs/public.crt in $TRASH/minio it speaks TLS
	local port
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') && mkdir -p "$TRASH/minio/data" "$TRASH/minio/certs" || return 1
	MINIO_ROOT_USER=leat MINIO_ROOT_PASSWORD=leatleatleat MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CI_CD=on \
		"$MINIO" server --quiet --certs-dir "$TRASH/minio/certs" --config-dir "$TRASH/minio/config" --address "127.0.0.1:$port" "$TRASH/minio/data" >"$TRASH/.t/minio.out" 2>&1 </dev/null 9>&- &
	S3_PID=$!
	t_pids+=("$S3_PID")
	S3_URL=http://127.0.0.1:$port
	[ ! -e "$TRASH/minio/certs/public.crt" ] || S3_URL=https://127.0.0.1:$port
	wait_for 60 curl -ksf "$S3_URL/minio/health/ready" || { cat "$TRASH/.t/minio.out"; return 1; }
}
stop_s3() {
	kill "$S3_PID" 2>/dev/null && wait "$S3_PID" 2>/dev/null || :
}
s3() { # as tests/fake/s3.py, of the server that was started last
	python3 "$TESTS/fake/s3.py" "$S3_URL" "$@"
}
certificate() { # DIR: an authority of its own (ca.crt), and public.crt and private.key of 127.0.0.1
	mkdir -p "$1" && (
		cd "$1" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test-authority -keyout ca.key -out ca.crt &&
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=127.0.0.1 -keyout private.key -out ask.csr &&
			printf 'subjectAltName=IP:127.0.0.1\n' >ext && openssl x509 -req -in ask.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out public.crt
	) 2>"$TRASH/.t/openssl"
}
connection() { # writes where the server is into leat.yaml, and the keys beside it
	printf 'connections:\n  lake: {endpoint: "%s", %s}\n' "$S3_URL" "${1:-region: us-east-1}" >>leat.yaml &&
		mkdir -p secrets/lake && printf 'leat\n' >secrets/lake/access_key && printf 'leatleatleat\n' >secrets/lake/secret_key && chmod 600 secrets/lake/*
}
job() { # NAME EGRESS: a job that copies the repo in
	mkdir -p "jobs/$1" && printf 'inputs: [{repo: in, glob: "/"}]\ncmd: [sh, -c, "cp -r $LEAT_INPUT_in/. $LEAT_OUTPUT"]\negress: %s\n' "$2" >"jobs/$1/job.yaml"
}
# The bucket holds, below the prefix, exactly the files of DIR and the list, which says whole, and names the commit of the output.
holds() { # BUCKET PREFIX DIR REPO
	rm -rf "$TRASH/.t/got" && mkdir "$TRASH/.t/got" && s3 get "$1" "$2" "$TRASH/.t/got" && mv "$TRASH/.t/got/_leat_egress" "$TRASH/.t/list" &&
		diff -r "$3" "$TRASH/.t/got" && leat log "$4" --json | head -1 >"$TRASH/.t/newest" &&
		eq "$(json "$TRASH/.t/list" 'd["state"] + " " + d["commit"] + " %d" % len(d["files"])')" "whole $(json "$TRASH/.t/newest" 'd["commit"]') $(find "$3" -type f | wc -l)"
}

# What any of the servers must give, in a workspace w that has a connection `lake` and a bucket `out`.
objects_follow() {
	mkdir -p in/d && echo 1 >in/a && echo 2 >in/d/b && echo blank >'in/a b+c%41é&<x>' && : >in/empty && head -c 100000 /dev/urandom >in/big && leat put in in &&
		job p '{URL: "s3://out/some/where/", connection: lake}' && leat run 2>err && has err "pushed to s3://out/some/where/: 5 files" && holds out some/where in p &&
		echo mine >mine && s3 put out some/where/mine mine && echo 3 >in/a && rm -r in/d && leat put in in/a && leat rm -r in:/d && leat run 2>err && has err ": 1 file" &&
		s3 cat out some/where/mine | same - mine && s3 rm out some/where/mine && holds out some/where in p && leat run 2>err && lacks err pushed
}
large_in_parts() { # 40 MiB in three parts; then the unfinished upload of somebody who was killed is let go
	head -c 41943040 /dev/urandom >in/large && leat put in in/large && leat run 2>err && has err ": 1 file" && holds out some/where in p && eq "$(s3 parts out some/where/large)" 0
}
