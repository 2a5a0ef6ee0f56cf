#!/usr/bin/env bash
# Very many files in datastore/: what has not changed is not read, what has changed is seen, whatever else lies there.
. "$(dirname "$0")/../lib.sh"

many() { # FOLDER N: so many small files, of which none is new
	mkdir -p "$1" && (cd "$1" && seq -f '%08.0f' "$2" | split -a 4 -l 1 - f) && sleep 0.05
}
state() { leat commit > ../out 2>&1; cat ../out; }

test_expect 'the commit after the one that adopted very many files reads none of them' '
	workspace a && many datastore/raw/m/x 700 && many datastore/raw/m/y 700 && leat commit > ../out && has ../out "1400 added" && opens ../trace commit 2> ../err && has ../err "nothing to commit" &&
	has ../trace leat.db && lacks ../trace "raw/m/x/f" "raw/m/y/f"
'
test_expect 'an edit that keeps size and time, a renamed folder, two files that changed places: all are seen' '
	cd a && f=datastore/raw/m/x/faaac && t=$(stat -c %y $f) && chmod u+w $f && printf "99999999\n" > $f && touch -d "$t" $f && leat commit > ../out && has ../out "0 added, 1 changed, 0 deleted" && eq "$(leat cat raw/m:/x/faaac)" 99999999 &&
	mv datastore/raw/m/y datastore/raw/m/z && leat commit > ../out && has ../out "700 added, 0 changed, 700 deleted" && leat commit > ../out 2>&1 && has ../out "nothing to commit" &&
	mv datastore/raw/m/z/faaaa ../keep && mv datastore/raw/m/z/faaab datastore/raw/m/z/faaaa && mv ../keep datastore/raw/m/z/faaab && leat commit > ../out && has ../out "0 added, 2 changed, 0 deleted" &&
	eq "$(leat cat raw/m:/z/faaaa raw/m:/z/faaab)" "00000002
00000001" && leat fsck
'
test_expect 'links, pipes and loops beside very many files are named, and followed nowhere' '
	cd a && ln -s . datastore/raw/m/x/loop && ln -s /etc datastore/raw/m/x/etc && mkfifo datastore/raw/m/z/pipe && echo new > datastore/raw/m/z/new && leat commit > ../out 2>&1 && has ../out "1 added, 0 changed, 0 deleted" "m/x/loop is no plain file" "m/x/etc is no plain file" "m/z/pipe is no plain file" &&
	rm datastore/raw/m/x/loop datastore/raw/m/x/etc datastore/raw/m/z/pipe
'
test_expect 'a stat cache that is deleted, empty, cut short or of other bytes changes no answer' '
	cd a && leat commit > ../out 2>&1 && for how in "rm -f" "truncate -s 0" "truncate -s 1000" "dd conv=notrunc status=none if=/dev/urandom bs=100 seek=3 count=5 of="; do
		i=$(ls .leat/cache/image-*) && if [ "${how%=}" = "$how" ]; then $how "$i"; else $how"$i"; fi && leat commit > ../out 2>&1 && has ../out "nothing to commit" && test -e "$i" || return 1
	done && rm -rf .leat/cache && echo changed > datastore/raw/m/z/new && leat commit > ../out && has ../out "0 added, 1 changed, 0 deleted"
'
test_expect 'a folder that cannot be read is an error that names it, the same one each time, and nothing of the repo is taken for deleted' '
	if [ "$(id -u)" = 0 ] && ! command -v setpriv > /dev/null; then test_skip "no setpriv"; return; fi
	cd a && for d in x z; do mkdir datastore/raw/m/$d/shut && cp datastore/raw/m/z/new datastore/raw/m/$d/shut; done && leat commit > /dev/null && chmod 0 datastore/raw/m/x/shut datastore/raw/m/z/shut &&
	if [ "$(id -u)" = 0 ]; then hall=$(mktemp -d /tmp/leat-hall.XXXXXX) && chmod 755 "$hall" && cp "$LEAT_BIN" "$hall/leat" && cp -a . "$hall/w" && chown -R 65534 "$hall/w" && look() { (cd "$hall/w" && setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent PATH=/usr/bin:/bin "$hall/leat" commit); }; else look() { leat commit; }; fi &&
	for i in 1 2 3 4 5; do exits 2 look > ../out 2> ../err && has ../err "cannot open the folder" "raw/m/x/shut" && lacks ../err "z/shut" || return 1; done; r=$?; rm -rf "${hall:-../no}"; chmod 755 datastore/raw/m/x/shut datastore/raw/m/z/shut && return $r
'
test_expect 'what is deleted while nobody looks is deleted, a whole folder too, and comes back by restore' '
	cd a && rm -rf datastore/raw/m/x && leat commit > ../out && has ../out "0 added, 0 changed, 701 deleted" && rm datastore/raw/m/z/fa* && leat status > ../out && has ../out deleted && leat commit --restore raw/m > /dev/null && leat commit > ../out 2>&1 && has ../out "nothing to commit" &&
	eq "$(ls datastore/raw/m/z | wc -l)" 702 && leat fsck
'
test_done
