#!/usr/bin/env bash
# Cron inputs: a repo that a clock writes, a commit per tick, made by `leat run` as they are due.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

export LEAT_CLOCK=$TRASH/clock
clock 2026-01-01T10:30:00Z

# ticking NAME 'CRON KEYS' 'SCRIPT'
ticking() {
	mkdir -p "jobs/$1"
	printf 'kind: script\ninput:\n  cron: {name: tick, %s}\n' "$2" >"jobs/$1/job.yaml"
	printf '#!/bin/sh\nset -e\n%s\n' "$3" >"jobs/$1/job.sh"
}
all='ls /pfs/tick >$LEAT_OUTPUT/seen'
each='cp -r /pfs/tick/* $LEAT_OUTPUT/'
hours() { # the ticks of hours A to B, as ls prints them
	for h in $(seq "$1" "$2"); do printf '/2026-01-01T%02d:30:00Z ' "$h"; done
}

test_expect 'a cron input every hour, started 10 hours ago, overwrite: 10 ticks, each a commit of one file named by its time' '
	workspace over && ticking o "spec: \"@every 1h\", start: 2026-01-01T00:30:00Z, overwrite: true" "$all" && leat run --json >run && says ran 10 failed 0 &&
	count 10 leat log o_tick --json && count 10 leat log o --json &&
	for n in $(seq 1 10); do eq "$(files o_tick@master.$n)" "$(hours $n $n)"; eq "$(leat cat o@master.$n:/seen)" "$(printf "2026-01-01T%02d:30:00Z" $n)"; done
'
test_expect 'without overwrite: 1, 2, 3, ... files, and one new unit at each tick' '
	workspace keep && ticking k "spec: \"@every 1h\", start: 2026-01-01T00:30:00Z" "$each" && leat run --json >run && says ran 10 known 45 &&
	for n in $(seq 1 10); do eq "$(files k_tick@master.$n)" "$(hours 1 $n)"; done &&
	eq "$(files k)" "$(hours 1 10)" && eq "$(ids k)" "$(ids k_tick)"
'
test_expect 'run again at once: no tick is due; an hour later: one; a tick has its own id, which names all that it caused' '
	cd keep && leat run --json >run && says ran 0 known 0 && count 10 leat log k_tick --json && clock 2026-01-01T11:29:59Z && leat run -q &&
	count 10 leat log k_tick --json && count 0 leat plan --json && clock 2026-01-01T11:30:00Z && leat plan --json >plan && [ "$(json plan "d[\"detail\"]")" = "1 change to take" ] && leat run --json >run && says ran 1 known 10 &&
	leat log "$(ids k_tick | head -n 1)" --json >log && [ "$(json log "[r[\"repo\"] for r in d]")" = "[\"k_tick\", \"k\"]" ] && [ "$(ls datastore/k_tick | wc -l)" = 11 ]
'
test_expect 'five fields; without a start it begins when the job is first seen' '
	clock 2026-01-01T10:30:00Z && workspace five && ticking f "spec: \"0,20 * * * *\"" "$each" && leat run --json >run && says ran 0 &&
	clock 2026-01-01T11:25:00Z && leat run --json >run && says ran 2 && eq "$(files f)" "/2026-01-01T11:00:00Z /2026-01-01T11:20:00Z " &&
	ticking f "spec: \"@hourly\"" "$each" && clock 2026-01-01T13:01:00Z && leat run --json >run && says ran 2 && count 4 leat log f_tick --json
'
test_expect 'a clock that never ticks does so when it is told to: run --tick, and as Pachyderm says it' '
	clock 2026-01-01T10:30:00Z && workspace never && ticking n "spec: never" "$each" && exits 1 leat run n 2>err && grep -q "n waits: tick has not ticked yet; next: never" err &&
	leat run n --tick --json >run && says ran 1 && eq "$(files n)" "/2026-01-01T10:30:00Z " && clock 2026-01-01T10:30:05Z && leat run-cron n -q && [ "$(leat ls n | wc -l)" = 2 ] &&
	job plain "/*" in true && exits 2 leat run plain --tick 2>err && grep -q "plain has no cron input" err && exits 2 leat run --tick 2>err && grep -q "needs a job" err
'
test_expect 'crossed with a repo: each tick runs all its units; two jobs that tick at the same time do it under one id' '
	clock 2026-01-01T10:30:00Z && workspace cross && mkdir -p jobs/x && touch 1 2 && leat put in 1 2 &&
	printf "kind: script\ninput:\n  cross:\n  - cron: {name: tick, spec: \"@every 1h\", start: 2026-01-01T08:30:00Z, overwrite: true}\n  - pfs: {repo: in, glob: \"/*\"}\n" >jobs/x/job.yaml &&
	printf "#!/bin/sh\nfor f in /pfs/in/*; do ls /pfs/tick >\$LEAT_OUTPUT/\${f##*/}; done\n" >jobs/x/job.sh &&
	ticking y "spec: \"@every 1h\", start: 2026-01-01T08:30:00Z" "$each" && leat run --json >run && says ran 6 && eq "$(leat cat x:/1)" 2026-01-01T10:30:00Z &&
	eq "$(ids x_tick)" "$(ids y_tick)"
'
test_expect 'a spec of Pachyderm with a cron input runs as it is; two commands at once make each tick once' '
	clock 2026-01-01T10:30:00Z && workspace spec && printf "%s" "{\"pipeline\":{\"name\":\"p\"},\"transform\":{\"cmd\":[\"sh\"],\"stdin\":[\"cp -r /pfs/tick/* /pfs/out/\"]},
	\"input\":{\"cron\":{\"name\":\"tick\",\"spec\":\"@every 60s\",\"start\":\"2026-01-01T10:20:00Z\",\"overwrite\":true}}}" >p.json && leat apply -f p.json &&
	{ leat run -q & } && leat run -q && wait && count 10 leat log p_tick --json && count 10 leat log p --json && eq "$(files p)" "/2026-01-01T10:30:00Z "
'
test_expect 'bad input: a time that is none, a start that is none, ticks without end, a repo that another job writes' '
	clock 2026-01-01T10:30:00Z && workspace bad && job good "/*" in true && ticking b "spec: \"61 * * * *\"" true && exits 2 leat run 2>err &&
	grep -q "jobs/b/job.yaml:3:[0-9]*: .spec. cannot be .61 \* \* \* \*." err && grep -q "the minute goes to 59" err &&
	ticking b "spec: \"@daily\", start: yesterday" true && exits 2 leat run 2>err && grep -q "jobs/b/job.yaml:3:[0-9]*: .start. cannot be .yesterday." err &&
	ticking b "spec: \"@every 1s\", start: 2020-01-01T00:00:00Z" true && exits 1 leat run 2>err && grep -q "more than 100000 ticks of tick are due since 2020-01-01T00:00:00Z" err &&
	rm -r jobs/b && touch f && leat put in f && job b_tick "/*" in "cp \$LEAT_INPUT_in/* \$LEAT_OUTPUT/" && leat run -q && ticking b "spec: \"@every 1h\", start: 2026-01-01T08:30:00Z" true &&
	exits 2 leat run 2>err && grep -q "the ticks of tick would lie in b_tick, which is the output of job b_tick" err && leat fsck
'
test_done
