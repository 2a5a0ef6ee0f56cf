#!/usr/bin/env bash
# Tasks that outlive the process that started them: the next command takes them over.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: none\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
start() { # ARGS...: leat beside us, with BG its number
	beside "$TRASH/bg" "$LEAT_BIN" "$@"
	BG=$BESIDE
}
shoot() { # kills it, and waits until it is gone
	kill -9 "$BG" && { wait "$BG" || true; }
}
lines() { # FILE N
	eq "$(wc -l <"$1" | tr -d ' ')" "$2"
}
waits() { # for a file NAME: what tasks do until they are let go
	printf 'while [ ! -e "%s/%s" ]; do sleep 0.02; done' "$TRASH" "$1"
}
state() { # JOB STATE
	leat runs "$1" --json | head -1 >"$TRASH/state" && has "$TRASH/state" "\"state\":\"$2\""
}
both() { # units at work
	[ "$(cat "$TRASH/n.each" 2>/dev/null | wc -l)" -ge 2 ]
}

test_expect 'issue 7: two tasks run, leat is killed, one ends meanwhile: the next command has the one with its code and whole log, follows the other, and starts nothing twice' '
	workspace w &&
	job short <<X &&
echo begin; echo x >>$TRASH/n.short; $(waits go); echo middle; sleep 0.1; echo end; head -c 200000 /dev/zero >\$LEAT_OUTPUT/big; echo s >\$LEAT_OUTPUT/x
X
	job long <<X &&
echo begin; echo x >>$TRASH/n.long; $(waits stop); echo end; echo l >\$LEAT_OUTPUT/x
X
	start run -j 2 && wait_for 10 test -s $TRASH/n.short -a -s $TRASH/n.long && shoot && run=$(leat runs short --json | sed "s/.*\"run\":\"\([0-9a-f]*\).*/\1/") &&
	: >$TRASH/go && sleep 0.4 && start run -j 2 && wait_for 10 state short success && state long running &&
	leat logs short >log && eq "$(tr "\n" " " <log)" "begin middle end " && eq "$(leat cat raw/short:/x)" s && count 1 leat runs short --json &&
	leat runs short --json | has - "$run" && eq "$(leat cat raw/short:/big | wc -c | tr -d " ")" 200000 &&
	leat logs long | has - begin && : >$TRASH/stop && wait $BG && leat logs long | has - end && eq "$(leat cat raw/long:/x)" l &&
	lines $TRASH/n.short 1 && lines $TRASH/n.long 1 && state long success && leat run | has - "0 ran" && eq "$(ls .leat/staging/run)" "" && leat fsck
'

test_expect 'its exit status is the failure that it is, and it is tried again as its job says' '
	cd w && rm -f $TRASH/go &&
	job fails "retries: 1\nretry_delay: 10ms" <<X &&
echo "try \$LEAT_ATTEMPT" >>$TRASH/n.fails; [ \$LEAT_ATTEMPT = 1 ] || { echo ok >\$LEAT_OUTPUT/x; exit 0; }
$(waits go); echo bad; exit 5
X
	start run fails && wait_for 10 test -s $TRASH/n.fails && shoot && : >$TRASH/go && sleep 0.3 &&
	leat run 2>err && has err "again in" && lines $TRASH/n.fails 2 && eq "$(leat cat raw/fails:/x)" ok &&
	leat logs fails --attempt 1 | has - bad && count 1 leat runs fails --json &&
	rm -f $TRASH/go && job once <<X &&
echo x >>$TRASH/n.once; $(waits go); exit 5
X
	start run once && wait_for 10 test -s $TRASH/n.once && shoot && : >$TRASH/go && sleep 0.3 &&
	exits 1 leat run once 2>err && has err "exit status 5"; rm -r jobs/once
'

test_expect 'a limit of time goes on while nobody watches, and who follows a task can stop it with all that it started' '
	cd w && rm -f $TRASH/go &&
	job limited "timeout: 3s\ngrace: 100ms" <<X &&
echo \$\$ >$TRASH/n.limited; sleep 1000
X
	start run limited && wait_for 10 test -s $TRASH/n.limited && shoot && lives $(cat $TRASH/n.limited) &&
	exits 1 leat run limited 2>err && has err "longer than its limit" && ! lives $(cat $TRASH/n.limited) && rm -r jobs/limited &&
	job hidden "grace: 100ms" <<X &&
python3 -c "import subprocess; subprocess.run([\"setsid\", \"sh\", \"-c\", \"echo \$\$ >$TRASH/n.hidden; trap : TERM; sleep 1000; sleep 1000\"])"
X
	start run hidden && wait_for 10 test -s $TRASH/n.hidden && shoot && lives $(cat $TRASH/n.hidden) &&
	start run hidden && wait_for 10 has $TRASH/bg "1 go on" && kill -TERM $BG && exits 1 wait $BG && ! lives $(cat $TRASH/n.hidden) &&
	state hidden cancelled && rm -r jobs/hidden
'

test_expect 'what is published together is published together: a task of a pipeline is remembered, and its group planned anew' '
	cd w && rm -f $TRASH/go && mkdir -p jobs/p1 jobs/p2 &&
	job p1 "pipeline: p" <<X &&
echo x >>$TRASH/n.p1; $(waits go); echo one >\$LEAT_OUTPUT/x
X
	job p2 "pipeline: p\ninputs: raw/p1" <<X &&
echo x >>$TRASH/n.p2; cat \$LEAT_INPUT_p1/x >\$LEAT_OUTPUT/x
X
	start run p2 -u && wait_for 10 test -s $TRASH/n.p1 && shoot && : >$TRASH/go && sleep 0.3 && leat run && lines $TRASH/n.p1 1 && lines $TRASH/n.p2 1 &&
	eq "$(leat cat raw/p2:/x)" one && eq "$(leat log raw/p1 --json | wc -l | tr -d " ")" 1
'

test_expect 'units that come from the data are taken over too' '
	cd w && rm -f $TRASH/go && echo a >a && echo b >b && leat put raw/files a b &&
	job each "sandbox: off\ninputs: {files: {repo: raw/files, glob: \"/*\"}}" <<X &&
echo x >>$TRASH/n.each; $(waits go); for f in \$LEAT_INPUT_files/*; do cat \$f >\$LEAT_OUTPUT/\$(basename \$f); done
X
	start run each -j 2 && wait_for 10 both && shoot && : >$TRASH/go && sleep 0.4 && leat run each &&
	lines $TRASH/n.each 2 && eq "$(leat cat raw/each:/a)" a && eq "$(leat cat raw/each:/b)" b
'

test_expect 'a try of which nobody knows how it ended is made again, unless its job says idempotent: false' '
	cd w && rm -f $TRASH/go &&
	job again <<X &&
echo \$PPID >>$TRASH/n.again; [ -e $TRASH/go ] || sleep 1000; echo x >\$LEAT_OUTPUT/x
X
	job never "idempotent: false" <<X &&
echo \$PPID >>$TRASH/n.never; [ -e $TRASH/go ] || sleep 1000; echo x >\$LEAT_OUTPUT/x
X
	start run -j 2 && wait_for 10 test -s $TRASH/n.again -a -s $TRASH/n.never && shoot && kill -9 $(cat $TRASH/n.again) $(cat $TRASH/n.never) && : >$TRASH/go &&
	leat run && lines $TRASH/n.again 2 && lines $TRASH/n.never 1 && state never lost &&
	leat run never && lines $TRASH/n.never 2 && eq "$(leat cat raw/never:/x)" x
'

test_expect 'commands that only read show what is: running, with nobody who watches' '
	cd w && rm -f $TRASH/go &&
	job alone <<X &&
echo x >>$TRASH/n.alone; $(waits go)
X
	start run alone && wait_for 10 test -s $TRASH/n.alone && leat runs alone | lacks - orphaned && shoot && leat runs alone | has - orphaned && leat runs alone --json | has - "\"orphaned\":true" &&
	: >$TRASH/go && leat run alone && state alone success && leat runs alone | lacks - orphaned
'

test_expect 'a log that an attempt before had no use for has its name while its task runs, and when leat is killed before that' '
	workspace named && rm -f $TRASH/go $TRASH/n.named &&
	mkdir -p jobs/named && printf "kind: script\npartition: daily\noutput: tables/named\n" >jobs/named/job.yaml && cat >jobs/named/job.sh <<X &&
case \$LEAT_DS in
*-01) exit 0 ;;
*-02) echo said; $(waits go) ;;
*-04) echo said; echo x >>$TRASH/n.named; kill -9 \$(ps -o ppid= -p \$PPID); sleep 0.1; echo end ;;
esac
X
	start backfill named --from 2024-01-01 --to 2024-01-02 -j 1 && wait_for 10 eval "leat logs named 2024-01-02 2>/dev/null | grep -q said" && : >$TRASH/go && wait $BG &&
	start backfill named --from 2024-01-03 --to 2024-01-04 -j 1 && { wait $BG || true; } && wait_for 10 test -s $TRASH/n.named &&
	leat run && leat logs named 2024-01-04 >log && eq "$(tr "\n" " " <log)" "said end " && lines $TRASH/n.named 1 && eq "$(ls .leat/logs/*/ | grep -c "01-01\|01-03")" 0
'

test_expect 'leat cancel ends a run whose process died, with the tasks that go on: all is cancelled, and the next run begins anew' '
	workspace orphaned && mkdir -p jobs/t && printf "kind: script\noutput: tables/t\n" > jobs/t/job.yaml &&
	printf "echo \$\$ > %s/pid\nexec sleep 3177\n" "$PWD" > jobs/t/job.sh &&
	{ "$LEAT_BIN" run t > ../out 2>&1 9>&- & } && p=$! && wait_for 20 test -s pid && kill -9 $p && { wait $p || true; } && leat status > ../out 2> ../err; has ../out "t still runs" &&
	run=$(json <(leat runs --json) "d[\"run\"]") && leat cancel "$run" > ../out && has ../out cancelled && wait_for 20 exits 1 kill -0 "$(<pid)" &&
	leat runs --json > ../out && eq "$(json ../out "d[\"state\"]")" cancelled && has ../out "cancelled by" && [ -z "$(ls .leat/staging/run 2>/dev/null)" ] &&
	leat fsck && printf "echo 1 > \$LEAT_OUTPUT/f\n" > jobs/t/job.sh && leat run t && leat cat tables/t:/f
'

test_done
