#!/usr/bin/env bash
# A task under its shim: what it leaves running, how it ends, what it prints.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: none\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}

test_expect 'issue 7: a child left behind by a finished task is ended, also one in a session of its own' '
	workspace w &&
	job leaves <<X &&
setsid sh -c "echo \\$\\$ >$TRASH/deep; trap : TERM; exec sleep 1000" &
env -i sleep 1000 & echo \$! >$TRASH/near
while [ ! -s $TRASH/deep ]; do sleep 0.01; done
echo x >"\$LEAT_OUTPUT/x"
X
	leat run leaves && ! lives "$(cat "$TRASH/deep")" && ! lives "$(cat "$TRASH/near")" &&
	eq "$(leat cat raw/leaves:/x)" x
'

test_expect 'issue 7: unless the job says detach: ok' '
	cd w &&
	job daemon "detach: ok" <<X &&
setsid sleep 60 </dev/null >/dev/null 2>&1 & echo \$! >$TRASH/daemon
X
	leat run daemon && lives "$(cat "$TRASH/daemon")" && kill "$(cat "$TRASH/daemon")" &&
	job wrong "detach: yes" <<X &&
X
	exits 2 leat run wrong 2>err && has err "job.yaml:4" && rm -r jobs/wrong
'

test_expect 'what cannot be started is told with its sentence, in a sandbox too, in the log as on the terminal' '
	cd w &&
	printf "kind: script\npartition: none\noutput: raw/no\ncmd: [no-such-program]\n" >jobs/no.yaml && mkdir jobs/no && mv jobs/no.yaml jobs/no/job.yaml &&
	exits 1 leat run no 2>err && has err "there is no program no-such-program on PATH" && leat logs no >log && has log "no-such-program" &&
	printf "sandbox: on\n" >>jobs/no/job.yaml && exits 1 leat run no 2>err && has err "no-such-program" &&
	job bad <<\X &&
#!/no/such/interpreter
X
	exits 1 leat run bad 2>err && has err "/no/such/interpreter"
'

test_expect 'a task that is killed, or whose shim is, fails with that reason and leaves nothing' '
	cd w &&
	job dies <<\X &&
kill -9 $$
X
	exits 1 leat run dies 2>err && has err "signal 9" &&
	job shot <<X &&
setsid sleep 1000 & echo \$! >$TRASH/shot
kill -9 \$PPID
sleep 1000
X
	exits 1 leat run shot 2>err && has err "the process that watched it was killed" && ! lives "$(cat "$TRASH/shot")"
'

test_expect 'a task leads no group that its terminal knows, and signals that it sends to its group meet only itself' '
	cd w &&
	job group <<\X &&
trap "echo heard >$LEAT_OUTPUT/x; exit 0" TERM
kill -TERM 0
exit 7
X
	leat run group && eq "$(leat cat raw/group:/x)" heard
'

test_expect 'tasks that follow each other in a slot have one shim, which is gone when the run has ended' '
	cd w &&
	mkdir -p jobs/days && printf "kind: script\npartition: daily\noutput: tables/days\n" >jobs/days/job.yaml &&
	printf "%s\n" "cat /proc/\$PPID/comm >\"\$LEAT_OUTPUT/who\"; echo \$PPID >\"\$LEAT_OUTPUT/pid\"" >jobs/days/job.sh &&
	leat backfill days --from 2024-01-01 --to 2024-01-05 -j 1 &&
	for d in 1 2 3 4 5; do leat cat tables/days:/ds=2024-01-0$d/pid && eq "$(leat cat tables/days:/ds=2024-01-0$d/who)" leat-shim || return 1; done >pids &&
	eq "$(sort -u pids | wc -l)" 1 && ! lives "$(head -1 pids)"
'

test_done
