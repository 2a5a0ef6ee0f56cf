#!/usr/bin/env bash
# Requests: what waits says why; backfill as rows; cancel, approve, idempotency keys.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\nsandbox: off\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
runs_say() { # TEXT…: leat runs has them
	leat runs --json >"$TRASH/runs" && has "$TRASH/runs" "$@"
}
runs_text() {
	leat runs >"$TRASH/runs" && has "$TRASH/runs" "$@"
}
units() { # JOB DS: how many units of it there have been
	python3 -c 'import sqlite3, sys; print(sqlite3.connect(".leat/leat.db").execute("select count(*) from unit where job = ? and ds like ?", sys.argv[1:]).fetchone()[0])' "$@"
}

test_expect 'a backfill with the daemon on is rows that the daemon runs, and the command follows them to their end' '
	workspace w && echo "slots: 2" >>leat.yaml && serve . && job days "" <<\X &&
echo $DS >$LEAT_OUTPUT/x
X
	wait_for 20 grep -qF "jobs=1" .leat/logs/serve.log &&
	leat backfill days --from 2026-03-01 --to 2026-03-04 --slots 2 2>err >out && has err "backfill-1: 4 units" && has out "4 ran" &&
	leat ls raw/days >ls && [ "$(grep -c ds= ls)" = 4 ] &&
	leat backfill days --from 2026-03-01 --to 2026-03-04 2>err && has err "nothing to do: 4 up to date"
'

test_expect 'a request whose input is missing waits, names the partition, and goes when it comes' '
	cd w && job needs "inputs: {u: tables/src}" <<\X &&
cat $LEAT_INPUT_u/* >$LEAT_OUTPUT/x
X
	wait_for 20 grep -qF "jobs=2" .leat/logs/serve.log &&
	leat run needs 2026-03-01 --detach 2>err && wait_for 20 runs_say "\"state\":\"waiting\"" && runs_say "tables/src" "2026-03-01" &&
	runs_text "needs 2026-03-01" waiting && leat status >out && has out "needs 2026-03-01 is waiting: " &&
	echo hi >f && leat put tables/src --ds 2026-03-02 f && sleep 0.3 && runs_say "\"state\":\"waiting\"" &&
	leat put tables/src --ds 2026-03-01 f && wait_for 20 leat cat raw/needs:/ds=2026-03-01/x && wait_for 20 sh -c "! \"$LEAT_BIN\" runs --json | grep -q waiting"
'

test_expect 'a request that waits beside one that runs is not ended with it' '
	cd w && leat backfill needs --from 2026-03-01 --to 2026-03-02 --mode all --detach 2>err &&
	leat run needs 2026-03-03..2026-03-04 --detach 2>err && echo hi >g && leat put tables/src --ds 2026-03-03 g &&
	wait_for 20 leat cat raw/needs:/ds=2026-03-03/x && wait_for 20 runs_say "\"ds\":\"2026-03-04\",\"state\":\"waiting\"" &&
	leat cancel needs 2026-03-04 --json >out && eq "$(json out "d[\"state\"]")" cancelled && exits 1 leat cancel needs 2>err && has err "nothing of"
'

test_expect 'cancel ends what a task started, within its grace: nothing of it lives, state cancelled everywhere, no retry, and the next one goes' '
	cd w && job tree "retries: 3\nretry_delay: 1ms\ngrace: 300ms\noverlap: queue" <<\X &&
[ "$DS" != 2026-03-02 ] || { echo two >$LEAT_OUTPUT/x; exit 0; }
echo $$ >>$HOME/tree.pids
python3 -c "
import os, subprocess, time
p = subprocess.Popen([\"setsid\", \"sleep\", \"1000\"])
open(os.environ[\"HOME\"] + \"/tree.pids\", \"a\").write(\"%d\\n%d\\n\" % (os.getpid(), p.pid))
time.sleep(1000)"
X
	rm -f "$HOME/tree.pids" && wait_for 20 grep -qF "jobs=3" .leat/logs/serve.log &&
	leat run tree 2026-03-01 --detach 2>err && wait_for 20 sh -c "[ \$(wc -l <$HOME/tree.pids) = 3 ]" &&
	leat run tree 2026-03-02 --detach 2>err && wait_for 20 runs_say "overlap: run" &&
	leat cancel tree 2026-03-01 --json >out && eq "$(json out "d[\"state\"]")" cancelled &&
	for p in $(cat "$HOME/tree.pids"); do dead $p || return 1; done &&
	wait_for 20 leat cat raw/tree:/ds=2026-03-02/x && eq "$(wc -l <"$HOME/tree.pids")" 3 &&
	exits 1 leat cat raw/tree:/ds=2026-03-01/x && leat runs tree --json >runs && has runs "\"state\":\"cancelled\"" &&
	python3 - <<\P
import sqlite3
d = sqlite3.connect(".leat/leat.db")
assert d.execute("select state, attempts from unit where job = ? and ds = ?", ("tree", "2026-03-01")).fetchall() == [("cancelled", 1)]
assert d.execute("select state from request where job = ? and ds = ?", ("tree", "2026-03-01")).fetchall() == [("cancelled",)]
assert d.execute("select count(*) from attempt where finished is null").fetchone() == (0,)
P
'

test_expect 'one job of a runner that carries several is cancelled, and the others go on' '
	cd w && for j in one two; do job $j "grace: 200ms" <<\X
touch $HOME/$LEAT_JOB; while [ ! -e $HOME/go ]; do sleep 0.05; done; echo $LEAT_JOB >$LEAT_OUTPUT/x
X
	done && rm -f "$HOME/go" && wait_for 20 grep -qF "jobs=5" .leat/logs/serve.log &&
	leat run one 2026-03-01 --detach 2>err && leat run two 2026-03-01 --detach 2>err && wait_for 20 test -e "$HOME/one" -a -e "$HOME/two" &&
	leat cancel one --json >out && eq "$(json out "d[\"state\"]")" cancelled && touch "$HOME/go" &&
	wait_for 20 leat cat raw/two:/ds=2026-03-01/x && exits 1 leat cat raw/one:/ds=2026-03-01/x
'

test_expect 'a run by hand is cancelled from elsewhere by its id, and says so' '
	cd w && rm -f "$HOME/go" "$HOME/one" && { "$LEAT_BIN" run one 2026-03-05 >../h 2>&1 9>&- & } && h=$! && t_pids+=($h) &&
	wait_for 20 test -e "$HOME/one" && leat runs one --json | head -1 >run && leat cancel "$(json run "d[\"run\"][:10]")" --json >out &&
	eq "$(json out "d[\"state\"]")" cancelled && s=0 && { wait $h || s=$?; } && eq $s 1 && has ../h "cancelled by"
'

test_expect 'cancel of a backfill ends what runs of it and takes away what waits' '
	cd w && rm -f "$HOME/go" "$HOME/one" && leat backfill one --from 2026-04-01 --to 2026-04-10 --slots 1 --detach 2>err && wait_for 20 test -e "$HOME/one" &&
	b=$(grep -o "backfill-[0-9]*" err | head -1) && leat cancel $b --json >out && eq "$(json out "sorted({r[\"state\"] for r in d})")" "[\"cancelled\"]" && eq "$(wc -l <out)" 10 &&
	exits 1 leat ls raw/one:/ds=2026-04-01
'

test_expect 'the same ds asked of a backfill while the first has not ended is the same one' '
	cd w && rm -f "$HOME/go" "$HOME/one" && leat backfill one --from 2026-05-01 --to 2026-05-03 --detach 2>err && wait_for 20 test -e "$HOME/one" &&
	leat backfill one --from 2026-05-02 --to 2026-05-04 --detach 2>err && has err "2 of them were asked for already" "1 unit," && touch "$HOME/go" &&
	wait_for 20 leat cat raw/one:/ds=2026-05-04/x && wait_for 20 sh -c "! \"$LEAT_BIN\" runs one --json | grep -qE \"running|queued\""  && eq "$(units one 2026-05%)" 4
'

test_expect 'what needs a person waits for the word, and the row says whose it was' '
	cd w && job ask "approve: true" <<\X &&
echo yes >$LEAT_OUTPUT/x
X
	wait_for 20 grep -qF "jobs=6" .leat/logs/serve.log && leat run ask 2026-03-01 --detach 2>err && r=$(grep -o "r[0-9]*" err | head -1) &&
	wait_for 20 runs_say "approval: leat approve $r" && exits 1 leat cat raw/ask:/ds=2026-03-01/x &&
	leat approve $r --because "looked at it" --json >out && has out "looked at it" && wait_for 20 leat cat raw/ask:/ds=2026-03-01/x && exits 1 leat approve $r 2>err && has err "waits for an approval"
'

test_expect 'the same idempotency key is the same run, also after a restart of the daemon and without one' '
	cd w && job count "memo: off" <<\X &&
echo ran >>$HOME/counted; echo x >$LEAT_OUTPUT/x
X
	wait_for 20 grep -qF "jobs=7" .leat/logs/serve.log && rm -f "$HOME/counted" && leat run count 2026-03-01 --idempotency-key k1 >out 2>err && has out "1 ran" &&
	leat run count 2026-03-01 --idempotency-key k1 >out 2>err && has err "was asked for with this key" && has out "1 ran" &&
	leat serve --stop && serve . && leat run count 2026-03-01 --idempotency-key k1 >out 2>err && eq "$(wc -l <"$HOME/counted")" 1 &&
	leat serve --stop && leat run count 2026-03-01 --idempotency-key k1 2>err && leat run count 2026-03-02 --idempotency-key k2 2>err && leat run count 2026-03-02 --idempotency-key k2 2>err &&
	eq "$(wc -l <"$HOME/counted")" 2 && exits 2 leat run count 2026-03-01..2026-03-02 --idempotency-key k3 2>err && has err "of one partition" && exits 2 leat run --idempotency-key k4 2>err && has err "needs a job"
'

test_expect 'without a daemon --detach of a backfill says what is missing, and cancel of nothing says so' '
	cd w && exits 2 leat backfill days --from 2026-03-01 --to 2026-03-02 --mode all --detach 2>err && has err "none serves this workspace" &&
	exits 1 leat cancel r99999 2>err && has err "waits or runs" && exits 2 leat cancel days 2026-13-01 2>err && exits 2 leat cancel 2>err
'

test_done
