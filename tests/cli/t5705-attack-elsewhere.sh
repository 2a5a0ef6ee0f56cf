#!/usr/bin/env bash
# What a store meets on other machines: a file system that only reads, another user, a clock that goes back, files that
# are mostly holes. Each: what can be done is done, what cannot is said, and nothing is lost.
. "$(dirname "$0")/../lib.sh"

mib_of() { du -sk "$@" | awk '{ n += $1 } END { print int(n / 1024) }'; }

test_expect 'a file of 64 MiB that is a hole but for two bytes takes no 64 MiB: put, commit, get and checkout keep the hole' '
	workspace holes && truncate -s 64M h && for at in 5000000 67108863; do printf x | dd of=h bs=1 seek=$at conv=notrunc status=none; done &&
	leat put raw/x h && test "$(mib_of .leat datastore)" -le 4 && leat get raw/x:/h -o back && same h back && test "$(mib_of back)" -le 2 &&
	leat checkout raw/x out && same h out/h && cp --sparse=always h h2 && printf y | dd of=h2 bs=1 seek=30000000 conv=notrunc status=none && mv h2 datastore/raw/x/h2 && leat commit &&
	test "$(mib_of .leat datastore)" -le 8 && leat cat raw/x:/h2 | cmp - datastore/raw/x/h2 && leat gc && leat fsck && leat cat raw/x:/h | cmp - h
'
test_expect 'a file of zeros only, and one that ends in a hole, have their own bytes and size' '
	workspace ends && truncate -s 3000001 zeros && head -c 200000 /dev/urandom > tail && truncate -s 2000003 tail && leat put raw/x zeros tail &&
	leat cat raw/x:/zeros | cmp - zeros && leat cat raw/x:/tail | cmp - tail && leat fsck && same tail datastore/raw/x/tail && test "$(mib_of .leat)" -le 1
'
test_expect 'a clock set back by ten years: commits stay in order, and retention by age lets none go that came after one it keeps' '
	workspace back && export LEAT_CLOCK=$TRASH/clock && for t in 2026-11-18 2026-11-20 2016-11-20 2016-11-21; do echo ${t}T12:00:00Z > $LEAT_CLOCK && echo $t > f && leat put raw/x f || return 1; done &&
	id=$(leat start raw/x | head -n 1) && leat put raw/x@$id:/open f && leat finish raw/x && echo 2026-11-21T10:00:00Z > $LEAT_CLOCK && leat put raw/x:/last f && leat keep raw/x 2d > out && has out 1 && leat gc && leat fsck &&
	eq "$(leat log raw/x --json | python3 -c "import json, sys; print(*[json.loads(l)[\"number\"] for l in sys.stdin])")" "6 5 4 3 2" && eq "$(leat cat raw/x@.3:/f)" 2016-11-20 && unset LEAT_CLOCK
'

# A workspace with something of everything, for the two that follow.
test_expect 'a workspace with history, a job that ran, an open commit' '
	workspace w && head -c 100000 /dev/urandom > big && echo one > f && leat put raw/x f && leat put raw/x:/big big && leat put raw/x:/f big && leat tag raw/x@t raw/x@.1 && mkdir -p jobs &&
	printf "#!/bin/sh\n# output: raw/o\n# partition: daily\necho hi > \$LEAT_OUTPUT/f\n" > jobs/o.sh && chmod +x jobs/o.sh && leat run o 2024-01-01 && leat start raw/x && echo dropped > datastore/raw/x/new
'
readings() { # COMMAND…: runs all that only reads, in the workspace, by that command
	local c
	for c in "ls raw/x" "cat raw/x@.1:/f" "log raw/x" "branch" "tag" "status" "plan" "diff raw/x@.1 raw/x" "du" "glob raw/x:/*" "jobs" "runs" "why o 2024-01-01" "keep" "fsck" "get raw/x -o ../got" "config name"; do
		"$@" $c > ../out 2> ../err || { echo "leat $c"; cat ../out ../err; return 1; }
	done
}
writings() { # WORD COMMAND…: all that writes is refused with that word, by that command
	local word=$1 c
	shift
	for c in "put raw/x f" "put raw/y f" "finish raw/x" "rm raw/x:/f" "rm --repo raw/x" "cp raw/x:/f raw/x:/g" "tag raw/x@new raw/x" "squash raw/x@.2" "drop raw/x@master" "keep raw/x last 2" "forget raw/x@.2" "commit" "gc" "run o 2024-01-02" "fsck --repair"; do
		exits 2 "$@" $c 2> ../err || { echo "leat $c"; return 1; }
		has ../err "$word" "can be read here, not changed" || { echo "leat $c"; return 1; }
	done
}
all_bytes() { (cd "$TRASH/w" && find . -type f ! -path "./.leat/leat.db-shm" | sort | xargs sha256sum); }
export -f readings writings all_bytes leat exits has t_grep
export LEAT_BIN TRASH

if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; then
	test_expect 'on a file system that only reads: all that reads works, fsck and plan too; all that writes says why not; no byte changes' '
		all_bytes > before && unshare -m bash -ec "mount --bind w w && mount -o remount,bind,ro w w && cd w && rm -rf ../got && readings leat && leat sql \"select 1 as n\" > ../out && writings Read-only leat" && all_bytes > after && same before after
	'
else
	test_skip 'on a file system that only reads' 'no mount namespace can be made here'
fi
if [ "$(id -u)" = 0 ] && as=$(mktemp -d /tmp/leat-test.XXXXXX) && chmod 755 "$as"; then
	other() { setpriv --reuid 54321 --regid 54321 --clear-groups env HOME=/nonexistent ASAN_OPTIONS=detect_leaks=0 "$as/leat" "$@"; }
	test_expect 'by another user, who may only read: the same' '
		cp "$LEAT_BIN" $as/leat && cp -a w $as/w && mkdir -m 777 $as/got && cd $as/w && find . -type f ! -name leat.db-shm | sort | xargs sha256sum > ../before &&
			chmod 777 $as && readings other && chmod 755 $as && touch ../err ../out && writings "Permission denied" other && find . -type f ! -name leat.db-shm | sort | xargs sha256sum > ../after && same ../before ../after
	'
	test_expect 'by another user, who may not even look into it: that is said, and not that there is none' '
		chmod 700 $as/w && cd $as/w && for c in ls status "put raw/x f" fsck; do exits 2 other $c 2> ../err && has ../err "cannot look for leat.yaml" "Permission denied" || return 1; done &&
			cd .. && exits 2 other -C $as/w ls 2> err && has err "Permission denied"
	'
	rm -rf "$as"
fi
test_done
