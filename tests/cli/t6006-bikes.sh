#!/usr/bin/env bash
# examples/bikes: the five steps of its README, each as it stands there.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"
needs curl make

bikes=$CHECKOUT/examples/bikes
mkdir -p bin c/build c/examples/docs && ln -s "$LEAT_BIN" bin/leat && ln -s "$LEAT_BIN" c/build/leat && cp -R "$bikes" c/examples/ || exit 1
# Ports of our own, since others may use those of the page.
a=$(port) b=$(port)
sed -i "s/8931/$a/g; s/8932/$b/g" c/examples/bikes/README.md c/examples/bikes/jobs/*/job.yaml
export COLUMNS=100
ended() { (cd "$TRASH/c/build/bikes" && none_left july && none_left now); }

test_expect 'prepare, wait for the commit of 31 July, a service at three pinned repos, look around, merge and plot: as the README shows' '
	cd c/examples/bikes && (unset -f leat && PATH=$TRASH/bin:$PATH && python3 "$TESTS/fake/readme.py" README.md)
'
test_expect 'nothing of it is left running' '
	ended
'
test_expect 'the twins are the same each time, and another seed gives others' '
	python3 "$bikes/twins.py" one && python3 "$bikes/twins.py" two && diff -r one two && python3 "$bikes/twins.py" three 7 && exits 1 diff -rq one three >/dev/null && eq "$(ls one/trips | wc -l) $(ls one/weather | wc -l)" "92 92"
'
test_expect 'the workspace is not made over one that is there' '
	exits 1 sh "$TRASH/c/examples/bikes/prep" "$TRASH/c/build/bikes" 2>err && has err "is there already"
'
test_done
