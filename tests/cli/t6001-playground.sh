#!/usr/bin/env bash
# leat playground: a workspace with data and a pipeline, run, offline, and what to type next (issue: "what a new user does").
. "$(dirname "$0")/../lib.sh"

mkdir -p bin && ln -s "$LEAT_BIN" bin/leat && export PATH=$TRASH/bin:$PATH

test_expect 'it makes a workspace, runs the pipeline, and shows a table, bars, where the Parquet lies and what to type next' '
	leat playground pg > out 2> err && has out "days" "snow" "█" "What to type next" && p=$(sed -n "s/^ *\(pg.*parquet\)$/\1/p" out) && test -f "$p" && eq "$(head -c 4 "$p")" PAR1 &&
	cd pg && count 30 leat ls tables/weather && count 30 leat ls marts/week && leat plan > ../plan && has ../plan "nothing to run" && leat status > ../st && has ../st "nothing wants attention" && leat fsck
'
test_expect 'every command that it says to type next works' '
	sed -n "/What to type next/,\$p" out | sed -n "s/^  //p" > next && test "$(wc -l < next)" -ge 3 && bash -e next > typed 2>&1 && has typed "3 passed" "nothing to run" && grep -q "made by\|up to date" typed
'
test_expect 'it shows the same each time' '
	leat playground zz > out2 2> /dev/null && sed "s/\bzz\b/pg/g" out2 > out3 && same out out3
'
test_expect 'changing a query of it makes work, and only downstream of it' '
	cd pg && sed -i "s/select/select 1 as one,/" jobs/kinds.sql && leat plan > ../plan && has ../plan kinds && lacks ../plan weather && has ../plan "1 to run" && leat run > /dev/null && leat plan > ../plan && has ../plan "nothing to run"
'
test_expect 'a folder that is a workspace already is refused with exit 2, and left' '
	state pg > before && exits 2 leat playground pg 2> err && has err "workspace already\|is there" || has err pg && state pg > after && same before after
'
test_expect 'fewer days, and a name of its own choice when none is given' '
	mkdir here && cd here && leat playground --days 3 > ../out && test -d leat-playground && count 3 leat -C leat-playground ls tables/weather && exits 2 leat playground x --days 0 2> ../err && has ../err days
'
test_expect 'real weather in place of the generated one' '
	printf "date,precipitation,temp_max,temp_min,wind,weather\n2012/01/01,0,12.8,5,4.7,drizzle\n2012/01/02,10.9,10.6,2.8,4.5,rain\n" > w.csv && leat playground real --weather w.csv > out && has out drizzle && count 2 leat -C real ls tables/weather &&
	printf "nope\n" > bad.csv && exits 2 leat playground bad --weather bad.csv 2> err && has err bad.csv:1:1
'
if [ "$(id -u)" = 0 ] && unshare -n true 2> /dev/null; then
	test_expect 'it needs no network' '
		unshare -n "$LEAT_BIN" playground off > out 2> /dev/null && has out "What to type next" && count 30 leat -C off ls tables/weather
	'
else
	test_skip 'it needs no network' 'no network namespace can be made here'
fi
test_done
