#!/usr/bin/env bash
# A plan goes through the units only of jobs of which something moved since there was nothing to do (docs/decisions/0010); each of
# what a decision is made from, moved alone, is seen.
. "$(dirname "$0")/../lib.sh"

# twice: a file that was just written is read once more, and nothing is remembered of it
edit() { python3 "$TESTS/fake/edit_db.py" .leat/leat.db "$1"; }
idle() { leat plan > "$TRASH/idle" 2>&1; leat plan > "$TRASH/idle" 2>&1 && has "$TRASH/idle" "nothing to run" && test -s .leat/cache/plan; }
made() { leat run > "$TRASH/made" 2>&1 && idle; }
job() { # NAME FROM [KEY...]: a daily one
	local name=$1 from=$2 && shift 2 && { echo "-- output: tables/$name"; echo "-- partition: daily"; printf -- "-- %s\n" "$@" | grep -v "^-- $"; echo "select k, v from $from"; } > "jobs/$name.sql"
}
two_days() { for d in 1 2; do printf "k,v\n%d,7\n" $d | leat put "$1" --ds 2024-01-0$d --name f.csv - || return 1; done; }

test_expect 'what nothing moved of is not looked at again: its rows are not read, and as many are up to date' '
	workspace w && two_days raw/x && job one raw.x && job two tables.one && job three raw.x && made &&
	edit "drop trigger moved_up" && edit "update current set key = zeroblob(32)" && idle && leat run --json > out && has out "\"up_to_date\":6" &&
	rm .leat/cache/plan && leat plan > out && has out "0 to run, 6 known"
'
test_expect 'an edited query: that job, and who reads it' '
	workspace edit && two_days raw/x && job one raw.x && job two tables.one && job three raw.x && made && sed -i "s/k, v/k, v + 1 as v/" jobs/one.sql && leat plan > out &&
	has out "the code changed" "an input will be made first" one two && lacks out three && sed -i "s/k, v + 1 as v/k, v/" jobs/one.sql && idle
'
test_expect 'an input: another partition, one that went, one with other bytes' '
	cd edit && printf "k,v\n1,8\n" | leat put raw/x --ds 2024-01-02 --name f.csv - && leat plan > out && has out "an input changed" "2024-01-02" && made &&
	printf "k,v\n1,8\n" | leat put raw/x --ds 2024-01-03 --name f.csv - && leat plan > out && has out "its output is not there" "2024-01-03" && made &&
	leat rm -r raw/x:/ds=2024-01-03 && idle && leat plan -v > out && has out "an input was deleted" && leat run --json > a && rm .leat/cache/plan && leat run --json > b && same a b
'
test_expect 'what was made by hand, and what was said to be fine: the head is the same, its rows are not' '
	workspace hand && two_days raw/x && job one raw.x "params: {a: 1}" && made && leat run one 2024-01-01 --param a=2 && leat plan > out && has out "a was 2 by hand" && made &&
	sed -i "s/k, v/v, k/" jobs/one.sql && leat plan > out && has out "2 to run" && leat accept one --because "only their order" && idle && sed -i "s/v, k/k, v/" jobs/one.sql && leat plan > out && has out "the code changed" "0 to run, 2 known"
'
test_expect 'the head of an output that was moved by hand' '
	workspace head && two_days raw/x && job one raw.x && made && printf "k,v\n1,9\n" | leat put raw/x --ds 2024-01-02 --name f.csv - && made &&
	edit "update branch set head = (select c.parent from commits c where c.repo = branch.repo and c.id = branch.head) where repo = (select id from repo where name = '"'"'tables/one'"'"')" && leat plan > out && has out "its output is not what the run made"
'
test_expect 'a pin that moves, and one that does not' '
	workspace pin && two_days raw/x && leat branch raw/x@stable --head raw/x && mkdir jobs/one && printf "output: tables/one\npartition: daily\ninputs: {x: {repo: raw/x, pin: stable}}\n" > jobs/one/job.yaml && echo "select k, v from {{ inputs.x }}" > jobs/one/job.sql && made &&
	printf "k,v\n1,9\n" | leat put raw/x --ds 2024-01-02 --name f.csv - && idle && leat branch raw/x@stable --head raw/x && leat plan > out && has out "an input changed" "2024-01-02"
'
test_expect 'leat.yaml: the zone of days' '
	workspace yaml && two_days raw/x && job one raw.x && made && printf "name: yaml\ntimezone: Europe/Paris\n" > leat.yaml && leat plan --json > a && rm .leat/cache/plan && leat plan --json > b && same a b && has a "setting-changed"
'
test_expect 'a check that is new' '
	workspace check && two_days raw/x && job one raw.x && made && job one raw.x "checks: [row_count > 0]" && leat plan > out && has out "a check changed" && made
'
test_expect 'time, where slots begin with it' '
	echo 2024-01-03T06:00:00Z > "$TRASH/clock" && export LEAT_CLOCK=$TRASH/clock && workspace time && mkdir jobs/one && printf "output: tables/one\npartition: daily\nschedule: {cron: \"0 5 * * *\", start: 2024-01-01}\n" > jobs/one/job.yaml && printf "echo \$DS > \$LEAT_OUTPUT/f.csv\n" > jobs/one/job.sh &&
	made && echo 2024-01-04T06:00:00Z > "$TRASH/clock" && leat plan > out && has out "2024-01-03" && echo 2024-01-03T07:00:00Z > "$TRASH/clock" && idle
'
unset LEAT_CLOCK
test_expect 'bytes of which nothing is left' '
	workspace lost && two_days raw/x && job one raw.x && made && f=$(find datastore/tables/one/ds=2024-01-02 -type f) && sha=$(sha256sum < "$f" | cut -d" " -f1) && rm "$f" &&
	find .leat/blobs -name "*${sha:2}*" -delete && leat plan > out && cat out && has out "nothing is left of its output"
'
test_expect 'on a workspace branch the plan is of that branch' '
	cd hand && made && leat branch fix && printf "k,v\n1,9\n" | leat put raw/x --ds 2024-01-02 --name f.csv - --on fix && idle && leat plan --on fix > out && has out "an input changed" "2024-01-02" && leat run --on fix && idle &&
	leat merge fix && idle && leat plan --json > a && rm .leat/cache/plan && leat plan --json > b && same a b
'
test_expect 'another leat.db, the same rows, a damaged file: nothing is believed, nothing is wrong' '
	cd head && made && cp .leat/cache/plan ../kept && sed -i "s/k, v/v, k/" jobs/one.sql && leat plan --json > want && printf x | dd of=.leat/cache/plan bs=1 seek=90 conv=notrunc status=none && leat plan --json > a && same want a &&
	head -c 100 ../kept > .leat/cache/plan && leat plan --json > a && same want a && cp ../kept .leat/cache/plan && leat plan --json > a && same want a && echo > .leat/cache/plan && leat plan --json > a && same want a
'
# What is remembered says that there is nothing to do, and a look would see that the rows are others.
blind() { # [JOB]
	two_days raw/x && ${1:-job one raw.x} && made && edit "drop trigger moved_up" && edit "update current set key = zeroblob(32)" && idle
}
script() { # a job whose meaning no parser tells
	mkdir -p jobs/one && printf "kind: script\npartition: daily\ninputs: [raw/x]\noutput: tables/one\n" >jobs/one/job.yaml && echo "cp \$LEAT_INPUT_x/* \$LEAT_OUTPUT/" >jobs/one/job.sh
}
looks() { leat plan >"$TRASH/looked" 2>&1 && has "$TRASH/looked" "0 to run, 2 known"; }
lib=${LEAT_LIBDUCKDB:-$CHECKOUT/.deps/libduckdb.so}
if [ -e "$lib" ]; then
	test_expect 'another leat at the same place, in the same file, knows nothing of what this one decided: by the time of the file, and by its size' '
		(mkdir prog && cp -p "$LEAT_BIN" prog/leat && LEAT_BIN=$PWD/prog/leat && export LEAT_LIBDUCKDB=$lib && workspace newer && blind && touch -d "1 hour ago" "$LEAT_BIN" && looks &&
		cd .. && workspace longer && blind && cp -p "$LEAT_BIN" ../ref && printf x >>"$LEAT_BIN" && touch -r ../ref "$LEAT_BIN" && looks)
	'
	test_expect 'another parser may tell another meaning: nothing that was decided by the last one is believed' '
		(workspace parser && export LEAT_LIBDUCKDB=$lib && blind script && cp "$lib" ../other.so && LEAT_LIBDUCKDB=$(realpath ../other.so) && leat jobs && leat jobs && looks) && rm other.so
	'
else
	test_skip 'another leat, another parser' "no $lib"
fi
test_expect 'a leat.db that was put in the place of the other, with the same numbers of what moved in it, is another one' '
	workspace replaced && blind && cp -p .leat/leat.db ../copy && mv ../copy .leat/leat.db && looks
'
test_expect 'random changes, each plan with and without what is remembered' '
	TMPDIR=$TRASH python3 "$TESTS/soak/settled.py" "$LEAT_BIN" 40 7 > out && cat out
'
test_done
