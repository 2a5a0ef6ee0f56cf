#!/usr/bin/env bash
# What starts after what: trigger rules, skips, depends_on_past, overlap, hooks, no_retry_on, rerun.
. "$(dirname "$0")/../lib.sh"

job() { # NAME [lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\nsandbox: off\noutput: raw/%s\n%b\n' "$1" "${2:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
simple() { # NAME [lines]: a job that tells that it ran
	job "$1" "${2:-}" <<X
echo $1 >>\$HOME/ran; echo $1 >\$LEAT_OUTPUT/x
X
}
state_of() { # JOB DS: of its last unit
	python3 -c 'import sqlite3, sys
r = sqlite3.connect(".leat/leat.db").execute("select state from unit where job = ? and ds = ? order by id desc limit 1", sys.argv[1:]).fetchone()
print(r[0] if r else "none")' "$@"
}
why_of() {
	python3 -c 'import sqlite3, sys
print(sqlite3.connect(".leat/leat.db").execute("select coalesce(error, ?) from unit where job = ? and ds = ? order by id desc limit 1", [""] + sys.argv[1:]).fetchone()[0])' "$@"
}
ran() { eq "$(sort "$HOME/ran" | tr '\n' ' ')" "$1"; }
runs_say() { leat runs --json >"$TRASH/runs" && has "$TRASH/runs" "$@"; }

test_expect 'a diamond of which B exits 3: C and E finish, D cannot start, exit 1, and the summary names B, the code and its last lines' '
	workspace w && rm -f "$HOME/ran" && simple a && simple c "inputs: [raw/a]" && simple e && simple d "inputs: [raw/b, raw/c]" &&
	job b "inputs: [raw/a]" <<\X &&
echo b >>$HOME/ran; for i in $(seq 30); do echo "line $i of b"; done
[ -e "$HOME/mended" ] && echo b >$LEAT_OUTPUT/x && exit 0
exit 3
X
	simple tidy "when: always\nafter: [b, d]" &&
	exits 1 leat run d 2026-03-01 -u >out 2>err && exits 0 leat run e 2026-03-01 2>/dev/null && ran "a b c e " &&
	has err "b 2026-03-01" "exit status 3" && has out "1 failed" "1 not started" && eq "$(state_of d 2026-03-01)" upstream-failed &&
	leat logs b 2026-03-01 | tail -1 | grep -qF "line 30 of b" && has err "b 2026-03-01: " "| line 11 of b" "| line 30 of b" && lacks err "line 10 of b" && count 20 grep -F "  | line" err &&
	exits 1 leat run b 2026-03-01 --json >out 2>err && tail -1 out >last && eq "$(json last "(d[\"failures\"][0][\"job\"], d[\"failures\"][0][\"status\"], len(d[\"failures\"][0][\"log\"]), d[\"failures\"][0][\"log\"][19])")" "[\"b\", 3, 20, \"line 30 of b\"]"
'

test_expect 'what a failed task printed cannot steer the terminal, and is bounded: lines are cut, few failures are shown, one that printed nothing says so' '
	workspace term && job esc "" <<\X &&
[ $DS = 2026-03-05 ] && exit 4
printf "\033[2Jred\007\nwith tab\there\r\n"; [ $DS = 2026-03-01 ] && exit 3; head -c 300000 /dev/zero | tr "\0" "y"; exit 3
X
	exits 1 leat run esc 2026-03-01 2>err && has err "with tab" "x1b[2Jred" && exits 1 grep -q "$(printf "\033")" err && [ "$(wc -c <err)" -lt 3000 ] &&
	exits 1 leat run esc 2026-03-01..2026-03-04 2>err && has err "... and 1 more failed" "| ...yyy" && [ "$(wc -c <err)" -lt 4000 ] && exits 1 leat run esc 2026-03-05 2>err && has err "it printed nothing" "exit status 4"
'

test_expect 'the summary of what the daemon ran for a command tells the same' '
	workspace dsum && job bad "" <<\X && serve . && exits 1 leat backfill bad --from 2026-03-01 --to 2026-03-01 2>err && has err "bad 2026-03-01: " "| the last words"
echo the last words; exit 3
X
'

test_expect 'a cleanup that always runs leaves the run failed' '
	cd w && rm -f "$HOME/ran" && exits 1 leat run tidy 2026-03-02 -u >out 2>err && has out "1 failed" && ran "a b c tidy " && eq "$(state_of tidy 2026-03-02)" success
'

test_expect 'rerun --failed runs B and D only, and the attempts before keep their logs' '
	cd w && rm -f "$HOME/ran" && touch "$HOME/mended" && first=$(leat runs b --json | head -1 >r; json r "d[\"run\"]") && exits 0 leat rerun --failed >out 2>err && ran "b d " && has out "2 ran" &&
	leat logs "$first" >log && has log "line 30 of b" && rm "$HOME/mended"
'

test_expect 'rerun --from runs a job and all behind it again, --all everything, and both at once are refused' '
	cd w && touch "$HOME/mended" && leat run d 2026-03-03 -u 2>/dev/null && b=$(leat runs d --json | head -1 >r; json r "d[\"batch\"]") && rm -f "$HOME/ran" &&
	leat rerun "$b" --from c 2>err && ran "c d " && rm -f "$HOME/ran" && leat rerun "$b" --all 2>err && ran "a b c d " && exits 2 leat rerun --all --failed 2>err && exits 2 leat rerun --from nosuch 2>err
'

test_expect 'trigger rules: each starts what it says, and what did not start says why' '
	workspace r
	rm -f "$HOME/ran"
	simple ok
	job bad "" <<\X
echo bad >>$HOME/ran; exit 1
X
	for w in all_success all_done all_failed one_success one_failed none_failed always; do simple "m_$w" "when: $w\nafter: [ok, bad]" && simple "b_$w" "when: $w\nafter: bad" && simple "g_$w" "when: $w\nafter: ok" || return 1; done
	python3 - <<\P >words
for w in "all_success all_done all_failed one_success one_failed none_failed always".split(): print("m_" + w, "b_" + w, "g_" + w)
P
	for j in $(cat words); do leat run $j 2026-03-01 -u --again >/dev/null 2>&1 || true; done
	got() { state_of $1 2026-03-01; }
	for w in all_success none_failed; do eq "$(got m_$w)$(got b_$w)$(got g_$w)" upstream-failedupstream-failedsuccess || return 1; done
	for w in all_done always; do eq "$(got m_$w)$(got b_$w)$(got g_$w)" successsuccesssuccess || return 1; done
	eq "$(got m_all_failed)$(got b_all_failed)$(got g_all_failed)" skippedsuccessskipped
	eq "$(got m_one_success)$(got b_one_success)$(got g_one_success)" successupstream-failedsuccess
	eq "$(got m_one_failed)$(got b_one_failed)$(got g_one_failed)" successsuccessskipped
	why_of g_one_failed 2026-03-01 | grep -qF "nothing that it reads failed"
'

test_expect 'a task says which jobs are not to run on what it gave: they are skipped with what hangs on them, now and by later commands' '
	workspace s && rm -f "$HOME/ran" && job pick "skips: true" <<\X &&
echo pick >>$HOME/ran; echo p >$LEAT_OUTPUT/x; [ "$DS" = 2026-03-02 ] || echo left >$LEAT_SKIP
X
	simple left "inputs: [raw/pick]" && simple right "inputs: [raw/pick]" && simple leftmost "inputs: [raw/left]" &&
	simple join "when: none_failed\ninputs: {l: {repo: raw/left, optional: true}, r: raw/right}" &&
	leat run join 2026-03-01 -u 2>err >out && ran "join pick right " && eq "$(state_of left 2026-03-01)" skipped && why_of left 2026-03-01 | grep -qF "what it reads says that it is not to run: pick 2026-03-01" &&
	exits 1 leat run leftmost 2026-03-01 -u 2>err && has err "raw/left" && ran "join pick right " && exits 0 leat run >out 2>err && ran "join pick right " && leat plan --json >plan && lacks plan "\"runs\":true" &&
	leat run join 2026-03-02 -u 2>err && leat run leftmost 2026-03-02 -u && eq "$(grep -c left "$HOME/ran")" 2
'

test_expect 'depends_on_past by hand: after the third of five days failed the others do not start, and say why' '
	workspace p && rm -f "$HOME/ran" "$HOME"/bad.* && job chain "depends_on_past: true" <<\X &&
echo $DS >>$HOME/ran; [ -e "$HOME/bad.$DS" ] && exit 1; echo x >$LEAT_OUTPUT/x
X
	touch "$HOME/bad.2026-03-03" && exits 1 leat run chain 2026-03-01..2026-03-05 2>err >out && ran "2026-03-01 2026-03-02 2026-03-03 " && has out "1 failed" "2 not started" && has err "depends_on_past: 2026-03-03 failed"
'

test_expect 'depends_on_past with the daemon: two done, two waiting with the reason; mending it and rerun releases them with no other command' '
	cd p && rm -f "$HOME/ran" && touch "$HOME/bad.2026-04-03" && serve . &&
	cp -r jobs/chain jobs/links && sed -i "s,raw/chain,raw/links," jobs/links/job.yaml && wait_for 20 grep -qF "jobs=2" .leat/logs/serve.log && exits 1 leat backfill links --from 2026-04-01 --to 2026-04-05 2>err >out && has err "depends_on_past: 2026-04-03 failed" && ran "2026-04-01 2026-04-02 2026-04-03 " &&
	leat runs --json >runs && eq "$(grep -c "\"state\":\"waiting\"" runs)" 2 && has runs "depends_on_past: 2026-04-03 failed" &&
	rm "$HOME/bad.2026-04-03" && leat rerun 2>err && wait_for 20 leat cat raw/links:/ds=2026-04-05/x && ran "2026-04-01 2026-04-02 2026-04-03 2026-04-03 2026-04-04 2026-04-05 " && ! leat runs --json | grep -q waiting
'

test_expect 'ten days, six good, two failed, two missing: dry run and real run of missing, failed and all make the same ones' '
	workspace m
	rm -f "$HOME"/bad.*
	job ten "memo: off" <<\X
echo $DS >>$HOME/ran; [ -e "$HOME/bad.$DS" ] && exit 1; echo $DS >$LEAT_OUTPUT/x
X
	fill() { leat backfill ten --from 2026-03-01 --to 2026-03-10 --mode "$@"; }
	both() { # MODE DAYS…: dry and real run do exactly these, each from the same beginning; here, and by the daemon
		local mode=$1 how
		shift
		for how in "" daemon; do
			rm -rf ../m2 "$HOME/ran"
			cp -a . ../m2
			cd ../m2
			fill $mode --dry-run --json >../dry
			eq "$(json ../dry "[r[\"ds\"][-2:] for r in d if r[\"runs\"]]")" "$*"
			[ -z "$how" ] || serve .
			fill $mode >out 2>&1
			eq "$(sort "$HOME/ran" | cut -c9- | xargs)" "$(echo "$*" | tr -d "[]\",")"
			[ -z "$how" ] || leat serve --stop
			cd ../m
		done
	}
	touch "$HOME/bad.2026-03-03" "$HOME/bad.2026-03-07"
	exits 1 leat backfill ten --from 2026-03-01 --to 2026-03-08 2>/dev/null
	rm "$HOME"/bad.*
	both missing "[\"09\", \"10\"]"
	both failed "[\"03\", \"07\", \"09\", \"10\"]"
	both all "[\"01\", \"02\", \"03\", \"04\", \"05\", \"06\", \"07\", \"08\", \"09\", \"10\"]"
'

test_expect 'after a failure that no_retry_on names there is no other try: by its exit status, by words' '
	workspace n && rm -f "$HOME/ran" && job code "retries: 3\nretry_delay: 1ms\nno_retry_on: [7, \"exit status 8\"]" <<\X &&
echo $DS >>$HOME/ran; case $DS in 2026-03-01) exit 7;; 2026-03-02) exit 8;; *) exit 9;; esac
X
	exits 1 leat run code 2026-03-01..2026-03-03 2>err && eq "$(sort "$HOME/ran" | uniq -c | awk "{print \$1}" | xargs)" "1 1 4" && sed -i "s/no_retry_on: .*/no_retry_on: {a: 1}/" jobs/code/job.yaml && exits 2 leat run code 2026-03-01 2>err && has err "jobs/code/job.yaml:7"
'

test_expect 'hooks run after a run with what became of it, and a hook that fails is said and changes nothing' '
	workspace h && rm -f "$HOME"/hook.* "$HOME"/bad.* && job hooked "on_success: echo \$LEAT_JOB \$LEAT_DS \$LEAT_STATE >>\$HOME/hook.ok\non_failure: echo \$LEAT_JOB \$LEAT_DS \$LEAT_STATE \$LEAT_ERROR >>\$HOME/hook.bad; exit 4\non_exit: echo \$LEAT_RUN >>\$HOME/hook.exit" <<\X &&
[ ! -e "$HOME/bad.$DS" ] && echo x >$LEAT_OUTPUT/x
X
	leat run hooked 2026-03-01 2>err && eq "$(cat "$HOME/hook.ok")" "hooked 2026-03-01 success" && exits 1 test -e "$HOME/hook.bad" && count 1 cat "$HOME/hook.exit" &&
	touch "$HOME/bad.2026-03-02" && exits 1 leat run hooked 2026-03-02 2>err && has err "on_failure of hooked" "exit status 4" && grep -qF "hooked 2026-03-02 failed exit status 1" "$HOME/hook.bad" && count 2 cat "$HOME/hook.exit" &&
	leat runs hooked --json | head -1 >r && eq "$(json r "d[\"run\"]")" "$(tail -1 "$HOME/hook.exit")" && eq "$(json r "d[\"state\"]")" failed
'

test_expect 'overlap: skip leaves the second out, cancel-old ends the first, allow runs both, queue waits' '
	workspace o && printf "\nslots: 8\n" >>leat.yaml && rm -f "$HOME"/go "$HOME"/began.* && for o in queue skip cancel-old allow; do job o_$o "overlap: $o\ngrace: 200ms" <<\X
touch $HOME/began.$LEAT_JOB.$DS; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; echo x >$LEAT_OUTPUT/x
X
	done && serve . && for o in queue skip cancel-old allow; do leat run o_$o 2026-03-01 --detach 2>/dev/null && wait_for 20 test -e "$HOME/began.o_$o.2026-03-01" && leat run o_$o 2026-03-02 --detach 2>/dev/null || return 1; done &&
	wait_for 20 test -e "$HOME/began.o_allow.2026-03-02" && wait_for 20 test -e "$HOME/began.o_cancel-old.2026-03-02" && wait_for 20 runs_say "\"state\":\"skipped\"" && leat runs o_skip --json >r && has r "overlap: run" &&
	leat runs o_queue --json >r && has r "overlap: run" "\"state\":\"waiting\"" && eq "$(state_of o_cancel-old 2026-03-01)" cancelled && touch "$HOME/go" &&
	for o in queue allow; do wait_for 20 leat cat raw/o_$o:/ds=2026-03-02/x && wait_for 20 leat cat raw/o_$o:/ds=2026-03-01/x || return 1; done &&
	wait_for 20 leat cat raw/o_cancel-old:/ds=2026-03-02/x && exits 1 leat cat raw/o_skip:/ds=2026-03-02/x
'

test_done
