#!/usr/bin/env bash
# What a writer found in the store and gc takes away before it commits is taken in once more; nobody has to run it again.
. "$(dirname "$0")/../lib.sh"
needs_faults

stopped_at() { # POINT command…: stops there in the background; the test goes on with $stopped, then lets it `go`
	{ LEAT_STOP_AT=$1 "$LEAT_BIN" "${@:2}" <"${from:-/dev/null}" > ../stopped.out 2>&1 9>&- & } && stopped=$! && t_pids+=("$stopped") && wait_for 10 is_stopped "$stopped"
}
go() { kill -CONT "$stopped" && { wait "$stopped" || { cat ../stopped.out; return 1; }; }; }

garbage() { # bytes that the store holds and nothing needs: one large, one of a pack, one in a row
	head -c 200000 /dev/zero | tr '\0' L > large && head -c 70000 /dev/zero | split -b 700 -a 3 - many- && for f in many-*; do echo "$f" >> "$f"; done &&
		echo little > little && leat put raw/gone:/g/ large many-* && leat put raw/gone little && leat rm --repo raw/gone
}
all_there() { # PIN:/FOLDER
	leat cat "$1/large" | cmp - large && leat cat "$1/little" | cmp - little && for f in many-*; do leat cat "$1/$f" | cmp - "$f" || return 1; done
}

test_expect 'a run whose output was in the store, until gc swept it, publishes all the same' '
	workspace run && garbage && mkdir -p jobs/j && printf "kind: script\noutput: tables/t\npartition: none\n" > jobs/j/job.yaml &&
	printf "#!/bin/sh\ncp %s/large %s/little %s/many-* \"\$LEAT_OUTPUT\"\n" "$PWD" "$PWD" "$PWD" > jobs/j/job.sh &&
	stopped_at unit-output-ingested run j && leat gc > ../gc.out && has ../gc.out "objects that nothing needs" && go &&
	all_there tables/t: && leat fsck && leat gc && all_there tables/t: && leat fsck
'
test_expect 'so does a put' '
	workspace put && garbage && stopped_at ingest-placed put raw/new:/n/ large little many-* && leat gc && go && all_there raw/new:/n && leat fsck && leat gc && all_there raw/new:/n && leat fsck
'
test_expect 'so does a put of standard input, large and small, and one that appends: what came is kept until the commit stands' '
	for from in large little; do cd "$TRASH" && workspace stdin-$from && garbage && stopped_at ingest-placed put raw/new:/f - && leat gc && go && leat cat raw/new:/f | cmp - $from && leat fsck || return 1; done; from= &&
	cd "$TRASH" && workspace append && garbage && head -c 100 large >one && tail -c +101 large >two && leat put raw/new:/f one && stopped_at ingest-placed put -a raw/new:/f two && leat gc && go &&
	leat cat raw/new:/f | cmp - large && leat fsck
'
test_expect 'so does a put of what an archive holds' '
	workspace tar && garbage && tar cf all.tar large little many-* && stopped_at ingest-placed put --untar raw/new:/n all.tar && leat gc && go && all_there raw/new:/n && leat fsck
'
test_expect 'a put whose file was changed since says that it is to be run again, and commits nothing' '
	workspace changed && garbage && stopped_at ingest-placed put raw/new large && echo other > large && leat gc && kill -CONT $stopped && exits 1 wait $stopped && has ../stopped.out "run it again" &&
	exits 1 leat ls raw/new && leat fsck && leat put raw/new large && eq "$(leat cat raw/new:/large)" other
'
test_done
