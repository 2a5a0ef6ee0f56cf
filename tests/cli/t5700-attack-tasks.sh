#!/usr/bin/env bash
# Tasks that misbehave: whatever a script does to its folders, nobody else's files, no other run and no later command
# suffers from it.
. "$(dirname "$0")/../lib.sh"

# job NAME COMMANDS [MORE YAML]
job() {
	mkdir -p "jobs/$1" &&
		printf 'kind: script\npartition: none\ninputs: {x: raw/x}\noutput: marts/%s\n%s\n' "$1" "$3" >"jobs/$1/job.yaml" &&
		printf '#!/bin/bash\n%s\n' "$2" >"jobs/$1/job.sh"
}

test_expect 'a workspace with an input' '
	workspace w && echo hi > f && leat put raw/x f
'
test_expect 'a link to a folder of others in place of the output folder takes none of its files' '
	cd w && mkdir "$TRASH/victim" && echo mine > "$TRASH/victim/a" && chmod 640 "$TRASH/victim/a" &&
	job linked "rm -rf \$LEAT_OUTPUT; ln -s \"$TRASH/victim\" \$LEAT_OUTPUT" &&
	exits 1 leat run linked 2> err && has err "deleted or replaced its output folder" &&
	eq "$(cat "$TRASH/victim/a")" mine && eq "$(stat -c %a "$TRASH/victim/a")" 640 && exits 1 leat ls marts/linked
'
test_expect 'a task that deletes its output folder is told so' '
	cd w && job deletes "rm -rf \$LEAT_OUTPUT" && exits 1 leat run deletes 2> err && has err "deleted or replaced its output folder"
'
test_expect 'an output too deep to be kept is refused, and does not stand in the way of later runs' '
	cd w && job deep "cd \$LEAT_OUTPUT; for i in {1..300}; do mkdir dddddddddddddddddddddddd && cd dddddddddddddddddddddddd; done; echo x > f" &&
	exits 1 leat run deep && test -z "$(ls .leat/staging/run)" &&
	job plain "echo 1 > \$LEAT_OUTPUT/o" && leat run plain && leat fsck
'
test_expect 'a task that was stopped still hears that its time is over' '
	cd w && job stopped "trap \"echo heard; exit 4\" TERM; kill -STOP \$\$; sleep 100" "timeout: 3s
grace: 30s" &&
	exits 1 leat run stopped 2> err && has err "longer than its limit" && leat logs stopped > log && has log heard
'
test_expect 'who stops a run while very many files are taken in is heard, and nothing of it is visible' '
	cd w && job many "cd \$LEAT_OUTPUT; seq 1 40000 | split -l 1 -a 4 -; touch \"$TRASH/made\"" &&
	{ "$LEAT_BIN" run many > out 2>&1 9>&- & } && pid=$! && wait_for 60 test -e "$TRASH/made" > wait.log && sleep 0.1 && kill -TERM $pid &&
	got=0 && { wait $pid || got=$?; } && eq $got 1 && has out stopped && exits 1 leat ls marts/many && leat fsck && leat run plain
'
for what in fifo device folder; do
	test_expect "a job file that is a $what is named at once" "
		cd w && mkdir -p jobs/odd &&
		case $what in fifo) mkfifo jobs/odd/job.yaml;; device) ln -s /dev/zero jobs/odd/job.yaml;; folder) mkdir jobs/odd/job.yaml;; esac &&
		got=0 && timeout 60 \"\$LEAT_BIN\" plan 2> err > out || got=\$?; { [ \$got = 1 ] || [ \$got = 2 ]; } && has err jobs/odd/job.yaml && lacks out 'nothing to run' &&
		rm -r jobs/odd
	"
done
test_expect 'code that is a pipe or an endless device is named at once' '
	cd w && job odd "true" && rm jobs/odd/job.sh && mkfifo jobs/odd/job.sh && got=0 &&
	{ timeout 60 "$LEAT_BIN" run odd 2> err || got=$?; } && { [ $got = 1 ] || [ $got = 2 ]; } &&
	rm jobs/odd/job.sh && ln -s /dev/zero jobs/odd/job.sh && got=0 &&
	{ timeout 60 "$LEAT_BIN" run odd 2> err || got=$?; } && { [ $got = 1 ] || [ $got = 2 ]; } && rm -r jobs/odd
'
test_expect 'a leat.yaml that is a pipe is named at once' '
	mkdir p && cd p && mkfifo leat.yaml && got=0 && { timeout 60 "$LEAT_BIN" ls 2> err || got=$?; } && [ $got -gt 0 ] && [ $got -lt 3 ] && has err leat.yaml
'
test_expect 'a query from an endless file ends with a sentence' '
	cd w && got=0 && { timeout 60 "$LEAT_BIN" sql -f /dev/zero 2> err || got=$?; } && eq $got 1 && has err larger
'
test_done
