#!/usr/bin/env bash
# Staging branches that are promoted, and branches that follow others: by number, size, rate or a clock.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"

clock() { echo "$1" >"$TRASH/clock"; }
export LEAT_CLOCK=$TRASH/clock
clock 2026-01-01T10:00:00Z
copy='cp $LEAT_INPUT_in/* $LEAT_OUTPUT/'
# moves FILE...: puts each to staging and says whether master moved
moves() {
	local was now
	for f in "$@"; do
		was=$(head_of in@master)
		leat put in@staging "$f" >/dev/null
		now=$(head_of in@master)
		if [ "$was" = "$now" ]; then echo no; else echo yes; fi
	done | tr '\n' ' '
}
head_of() { leat branch in --json | sed -n "s/.*\"branch\":\"${1#in@}\",\"commit\":\"\([0-9a-f]*\)\".*/\1/p"; }

test_expect 'a staging branch: three commits, no run; promotion: one run over all three' '
	workspace staging && job one "/*" in "$copy" && job two "/*" one "$copy" && leat run -q && for n in 1 2 3; do echo $n >f$n; leat put in@staging f$n; leat run --json >run; says ran 0 known 0; done &&
	exits 1 leat log two && leat branch in@master --head staging --json >moved && leat run --json >run && says ran 6 known 0 && count 1 leat log one --json && count 1 leat log two --json &&
	eq "$(files two)" "/f1 /f2 /f3 " && count 1 leat runs one --json
'
test_expect 'a trigger of two commits: master moves no, yes, no, yes; each time one run, of both commits' '
	workspace two && job one "/*" in "$copy" && touch a b c d && leat put in@other a && leat run -q &&
	leat branch in@master --trigger staging --trigger-commits 2 && eq "$(moves a b c d)" "no yes no yes " && leat run --json >run && says ran 4 &&
	count 2 leat log one --json && eq "$(files one@master.1)" "/a /b " && eq "$(files one)" "/a /b /c /d " && eq "$(head_of in@master)" "$(head_of in@staging)" &&
	eq "$(ids one)" "$(ids in@master | sed -n "1p;3p")"
'
test_expect 'a trigger fires in the transaction of the put: put --run makes what follows under its id' '
	cd two && touch e f && leat put in@staging e --run --json >out && [ "$(json out "d[\"repo\"]")" = in ] && leat put in@staging f --run --json >out &&
	[ "$(json out "[r[\"repo\"] for r in d]")" = "[\"in\", \"one\"]" ] && [ "$(json out "len(set(r[\"commit\"] for r in d))")" = 1 ]
'
test_expect 'by size: 100 bytes more, also in commits of a batch' '
	workspace size && head -c 60 /dev/zero >a && head -c 60 /dev/zero | tr "\\0" x >b && head -c 99 /dev/zero | tr "\\0" y >c && echo z >d &&
	leat put in@staging d && leat branch in@master --trigger staging --trigger-size 0.1K && eq "$(moves a b c d)" "no yes no no " && printf "put in@staging:/n a\nput in@staging:/m b\n" >list &&
	was=$(head_of in@master) && leat batch -f list && [ "$(head_of in@master)" != "$was" ] && eq "$(head_of in@master)" "$(head_of in@staging)"
'
test_expect 'by rate: with a commit, but once an hour' '
	workspace rate && touch a b c d && leat put in@staging a && leat branch in@master --trigger staging --trigger-rate @hourly && eq "$(moves b c)" "yes no " &&
	clock 2026-01-01T10:59:59Z && eq "$(moves d)" "no " && clock 2026-01-01T11:00:00Z && eq "$(moves a b)" "yes no " && clock 2026-01-01T10:00:00Z
'
test_expect 'any of two conditions, or all of them' '
	workspace both && head -c 200 /dev/zero >big && echo 1 >a && echo 2 >b && leat put in@staging a && leat branch in@master --trigger staging --trigger-size 100 --trigger-commits 3 &&
	eq "$(moves big a b a)" "yes no no yes " && leat branch in@master --trigger staging --trigger-size 100 --trigger-commits 2 --trigger-all &&
	head -c 200 /dev/zero | tr "\\0" x >big2 && eq "$(moves big2 a b)" "no yes no " && leat branch in >out && grep -q "staging: 100 bytes and 2 commits" out
'
test_expect 'by a clock: run moves it to where the other stood at the last time that has passed' '
	workspace cron && job one "/*" in "$copy" && touch a b c && leat put in@staging a && leat branch in@master --trigger staging --trigger-cron "0 * * * *" && eq "$(moves b)" "no " &&
	leat run --json >run && says ran 0 && clock 2026-01-01T12:30:00Z && eq "$(moves c)" "no " && leat run --json >run && says ran 2 && eq "$(files one)" "/a /b " && leat run --json >run && says ran 0 &&
	clock 2026-01-01T13:00:00Z && leat run --json >run && says ran 1 && eq "$(files one)" "/a /b /c " && leat run --json >run && says ran 0 && clock 2026-01-01T10:00:00Z
'
test_expect 'a clock moves branches where there is no job on data, too' '
	workspace none && touch a && leat branch in@master --trigger staging --trigger-cron @hourly 2>/dev/null || leat put in@staging a && leat branch in@master --trigger staging --trigger-cron @hourly &&
	clock 2026-01-01T11:00:00Z && leat run -q && eq "$(head_of in@master)" "$(head_of in@staging)" && clock 2026-01-01T10:00:00Z
'
test_expect 'branches that follow one another move together; to lead one back is no news for who follows it' '
	workspace chain && touch a b c d && leat put in@staging a && leat branch in@test --trigger staging --trigger-commits 1 && leat branch in@master --trigger test --trigger-commits 2 &&
	eq "$(moves b c)" "yes no " && eq "$(head_of in@test)" "$(head_of in@staging)" && was=$(head_of in@test) && leat branch in@staging --head staging~2 && eq "$(head_of in@test)" "$was"
'
test_expect 'a branch that follows none any more stays; one that is deleted takes its trigger with it' '
	cd chain && leat branch in@master --no-trigger && eq "$(moves d a b)" "no no no " && leat branch in@test --delete && leat branch in --json >out && [ "$(json out "[r[\"trigger\"] for r in d]")" = "[null, null]" ]
'
test_expect 'bad input: itself, a circle, no condition, a clock beside others, what is no time or no size, an output' '
	workspace bad && touch a && leat put in@staging a && exits 2 leat branch in@master --trigger master --trigger-commits 1 2>err && grep -q "in@master would follow itself" err &&
	leat branch in@b --trigger staging --trigger-commits 1 && leat branch in@c --trigger b --trigger-commits 1 && exits 2 leat branch in@staging --trigger c --trigger-commits 1 2>err && grep -q "would follow itself" err &&
	exits 2 leat branch in@x --trigger b 2>err && grep -q "when is b to be followed" err && exits 2 leat branch in@x --trigger b --trigger-cron @hourly --trigger-size 1K 2>err && grep -q "no other condition" err &&
	exits 2 leat branch in@x --trigger b --trigger-cron "0 24 * * *" 2>err && grep -q "the hour goes to 23" err && exits 2 leat branch in@x --trigger b --trigger-size big 2>err && grep -q "cannot be .big." err &&
	exits 2 leat branch in@x --trigger-commits 2 2>err && grep -q "which branch is to be followed" err && exits 2 leat branch in@x --trigger b --trigger-commits 0 2>err &&
	exits 2 leat branch in --trigger b --trigger-commits 1 2>err && exits 2 leat branch in@x --no-trigger --trigger b 2>err && exits 2 leat branch in@x --delete --trigger b 2>err &&
	exits 1 leat branch none@x --trigger b --trigger-commits 1 2>err && job one "/*" in "$copy" && leat branch in@master --head staging && leat run -q && leat branch one@b &&
	exits 2 leat branch one@master --trigger b --trigger-commits 1 2>err && grep -q "is the output of job one" err && count 4 leat branch in --json && leat fsck
'
test_expect 'an input of a Pachyderm spec with a trigger: its job runs when that much has come' '
	workspace spec && touch a b c d && printf "%s" "{\"pipeline\":{\"name\":\"p\"},\"transform\":{\"cmd\":[\"sh\"],\"stdin\":[\"cp /pfs/in/* /pfs/out/\"]},
	\"input\":{\"pfs\":{\"repo\":\"in\",\"branch\":\"staging\",\"glob\":\"/*\",\"trigger\":{\"commits\":2,\"size\":\"1K\",\"all\":false}}}}" >p.json && leat apply -f p.json 2>err &&
	grep -q "p reads in@p-trigger-1, which follows staging: 1000 bytes or 2 commits" err && for f in a b c; do leat put in@staging $f; leat run --json >run; tail -n 1 run >>runs; done && [ "$(json runs "[r[\"ran\"] for r in d]")" = "[0, 2, 0]" ] &&
	leat put in@staging d && leat run -q && eq "$(files p)" "/a /b /c /d " && count 2 leat log p --json &&
	sed "s/\"commits\":2,\"size\":\"1K\"/\"commits\":-1/" p.json >bad.json && exits 2 leat apply -f bad.json 2>err && grep -q "bad.json:2:.*cannot be" err && sed "s/\"commits\":2,\"size\":\"1K\",//" p.json >bad.json && exits 2 leat apply -f bad.json 2>err && grep -q "when is staging to be followed" err
'
test_done
