#!/usr/bin/env bash
# lazy: true: the files of an input are named pipes, filled when they are read.
. "$(dirname "$0")/../lib.sh"

job() { # NAME: the rest of its job.yaml from standard input
	mkdir -p "jobs/$1" && cat >"jobs/$1/job.yaml"
}

test_expect 'a lazy file is a named pipe that gives its bytes: small and large ones, below folders, without and with a sandbox' '
	workspace w && mkdir -p in/d && echo small >in/a && echo deep >in/d/e && head -c 3000000 /dev/urandom >in/big && leat put in in &&
	for s in off auto; do
		job lazy-$s <<X &&
inputs: {in: {repo: in, glob: "/", lazy: true}}
sandbox: $s
cmd: [sh]
stdin:
  - cd "\$LEAT_INPUT_in" && test -p a && test -p big && test -p d/e || exit 3
  - cp d/e "\$LEAT_OUTPUT/deep"; cat big >"\$LEAT_OUTPUT/big"; cat a a >"\$LEAT_OUTPUT/small"
X
		leat run lazy-$s && leat cat lazy-$s:/big >big && same big in/big && eq "$(leat cat lazy-$s:/small | tr "\n" " ")" "small small " && eq "$(leat cat lazy-$s:/deep)" deep || return 1
	done
'

test_expect 'closing early is fine, so is another look from the beginning, and what nobody reads is no obstacle' '
	cd w && job early <<X &&
inputs: {in: {repo: in, glob: "/", lazy: true}}
cmd: [bash, -c, "cd \$LEAT_INPUT_in; head -c 10 big | wc -c; sleep 0.1; head -c 100000 big | wc -c; exec 3<big; read -r -n 1 -u 3 x; exec 3<&-; wc -c <big; wc -c <(cat big) >&2; echo x >\$LEAT_OUTPUT/x"]
X
	leat run early && leat logs early >log && has log "10" "100000" "3000000"
'

test_expect 'two that read it at the same time each get all of it' '
	cd w && job two <<X &&
inputs: {in: {repo: in, glob: "/big", lazy: true}}
cmd: [bash, -c, "wc -c <\$in >\$LEAT_OUTPUT/1 & sleep 0.2; wc -c <\$in >\$LEAT_OUTPUT/2; wait"]
X
	leat run two && eq "$(leat cat two:/1) $(leat cat two:/2)" "3000000 3000000"
'

test_expect 'bytes that the store has lost fail the unit; half a file is never taken for all of it' '
	cd w && blob=$(find .leat/blobs -type f -size +2M | head -1) && cp -p "$blob" keep && chmod u+w "$blob" && printf XXXX | dd of="$blob" bs=1 seek=2999000 conv=notrunc status=none &&
	job lost <<X &&
inputs: {in: {repo: in, glob: "/big", lazy: true}}
cmd: [sh, -c, "cat \$in >\$LEAT_OUTPUT/x"]
X
	exits 1 leat run lost 2>err && exits 1 leat cat lost:/x 2>/dev/null && leat logs lost | has - "lazy input cannot be read"
'

test_expect 'nothing is left of what fills them when the task ends, also at a limit of time' '
	workspace v && echo 1 >f && leat put in f && job hang <<X &&
inputs: {in: {repo: in, glob: "/*", lazy: true}}
timeout: 500ms
cmd: [sleep, 60]
X
	exits 1 leat run hang 2>err && has err "longer than its limit" && ! pgrep -f "role pipes $TRASH/v" && job more <<X &&
inputs: {in: {repo: in, glob: "/*", lazy: true}}
cmd: [sh, -c, "cat \$in >\$LEAT_OUTPUT/x"]
X
	leat run more && ! pgrep -f "role pipes $TRASH/v" && leat run more --unit 1 --json 2>/dev/null | has - "\"size\":2"
'
test_done
