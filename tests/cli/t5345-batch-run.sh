#!/usr/bin/env bash
# put --run in a batch, and batch --run: what depends on the batch runs once, under its id.
. "$(dirname "$0")/../lib.sh"

test_expect 'one put in each of two inputs: two runs one after the other, one in a batch; its commits are printed' '
	workspace w && echo 1 >a && echo 2 >b && leat put left a && leat put right b && mkdir -p jobs/both &&
	printf "inputs:\n  left: {repo: left, glob: /}\n  right: {repo: right, glob: /}\ncmd: [sh, -c, \"cat \$LEAT_INPUT_left/* \$LEAT_INPUT_right/* >\$LEAT_OUTPUT/all\"]\n" >jobs/both/job.yaml && leat run -q &&
	runs() { leat runs --json | grep -c "\"job\":\"both\""; } && n=$(runs) && echo 3 >a && echo 4 >b && leat put left a --run && leat put right b --run && [ "$(runs)" = $((n + 2)) ] &&
	echo 5 >a && echo 6 >b && printf "put left a --run\nput right b\n" | leat batch -f - --json >out && [ "$(runs)" = $((n + 3)) ] && has out "\"repo\":\"both\"" &&
	eq "$(leat cat both:/all | tr "\n" " ")" "5 6 " && echo 7 >a && echo 7 >b && printf "put left a\nput right b\n" | leat batch -f - --run && eq "$(leat cat both:/all | tr "\n" " ")" "7 7 " && [ "$(runs)" = $((n + 4)) ] &&
	echo 8 >a && printf "put left a\n" | leat batch -f - && [ "$(runs)" = $((n + 4)) ]
'

test_expect 'a batch that cannot be leaves all as it was and runs nothing' '
	cd w && n=$(runs) && printf "put left a --run\nput right not-there\n" | exits 1 leat batch -f - 2>err && has err "not-there" && [ "$(runs)" = "$n" ] && eq "$(leat cat both:/all | tr "\n" " ")" "7 7 "
'
test_done
