#!/usr/bin/env bash
# datastore/: what people drop, edit and delete there; by root and by an ordinary user (SEMANTICS 6).
. "$(dirname "$0")/../lib.sh"

# Who edits: this user, and where that is root an ordinary one too. The latter needs a folder that everybody may enter.
users=(self)
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then users+=(nobody); fi
HALL=$(mktemp -d /tmp/leat-hall.XXXXXX)
chmod 755 "$HALL"
cp "$LEAT_BIN" "$HALL/leat"
trap 'rm -rf "$HALL"; t_end' EXIT
as() { # USER command…
	if [ "$1" = self ]; then
		"${@:2}"
	else
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent PATH=/usr/local/bin:/usr/bin:/bin "${@:2}"
	fi
}
PY=$(command -v /usr/bin/python3 || command -v python3)

# edited USER 'how' 'shell command on $f': no version changes, the edit is named, commit makes it a version, restore the old
edited() {
	EDITOR=$1 HOW=$3
	test_expect "a file of datastore/ edited by $1 with $2: no version changes, it is named, commit adopts it, restore undoes it" '
		d=$HALL/$EDITOR.$RANDOM$RANDOM && mkdir -m 777 "$d" && as $EDITOR "$HALL/leat" init "$d/w" && cd "$d/w" && printf "id,n\n1,2\n3,4\n" > "$d/f.csv" && chmod 644 "$d/f.csv" &&
		l="as $EDITOR $HALL/leat" && $l put raw/x "$d/f.csv" && sha=$($l ls -l raw/x --json) && f=$d/w/datastore/raw/x/f.csv && sleep 0.05 &&
		as $EDITOR env f="$f" bash -c "$HOW" && ! cmp -s "$f" "$d/f.csv" && $l cat raw/x:/f.csv > "$TRASH/out" && same "$TRASH/out" "$d/f.csv" && $l ls -l raw/x --json > "$TRASH/now" &&
		eq "$(cat "$TRASH/now")" "$sha" && $l fsck && $l status > "$TRASH/out" && has "$TRASH/out" "datastore/raw/x/f.csv: edited" "leat commit" &&
		cp "$f" "$TRASH/edited" && $l commit && $l cat raw/x:/f.csv > "$TRASH/out" && same "$TRASH/out" "$TRASH/edited" && $l cat raw/x@^:/f.csv > "$TRASH/out" && same "$TRASH/out" "$d/f.csv" && $l fsck &&
		as $EDITOR env f="$f" bash -c "$HOW" && ! cmp -s "$f" "$TRASH/edited" && $l commit --restore && same "$f" "$TRASH/edited" && $l status > "$TRASH/out" && lacks "$TRASH/out" edited &&
		count 2 $l log raw/x --json && find "$d/w/.leat/lost+found" -name "f.csv*" | grep -q . && $l fsck
	'
}
for u in "${users[@]}"; do
	force='chmod u+w "$f" 2> /dev/null;'
	edited "$u" '>>' "$force"' echo 5,6 >> "$f"'
	edited "$u" 'open(f, "w")' "$force $PY -c 'import os; open(os.environ[\"f\"], \"a\").write(\"7,8\\n\")'"
	edited "$u" 'sed -i' 'sed -i "s/^\(.*\)$/\1,9/" "$f"'
	edited "$u" 'a rename over it' '{ cat "$f"; echo 9,9; } > "$f.new"; mv -f "$f.new" "$f"'
	edited "$u" 'what pandas does: read, truncate, write' "$force $PY -c 'import os; p = os.environ[\"f\"]; t = open(p).read(); g = open(p, \"w+\"); g.write(t + \"8,8\\n\"); g.close()'"
done

echo 1 > one; echo 2 > two
test_expect 'a folder dropped into datastore/ becomes a repo: zone and name, or the name alone; ds= is never part of it' '
	workspace dr && mkdir -p datastore/raw/trips/ds=2024-01-01 datastore/loose datastore/marts/a/b && cp ../one datastore/raw/trips/ds=2024-01-01/f && cp ../one datastore/loose/f && cp ../one datastore/marts/a/b/f &&
	leat status > ../out && has ../out "raw/trips" "new repo" "leat commit" && count 0 leat ls --json && leat commit > ../out && has ../out raw/trips@ loose@ marts/a@ &&
	eq "$(leat ls -R raw/trips)" /ds=2024-01-01/f && eq "$(leat ls -R marts/a)" /b/f && leat fsck
'
test_expect 'files added, changed and deleted by hand are one commit, whose message is kept' '
	cd dr && cp ../one datastore/raw/trips/ds=2024-01-01/g && leat commit -m second && count 2 leat log raw/trips --json && rm datastore/raw/trips/ds=2024-01-01/f && mkdir -p datastore/raw/trips/ds=2024-01-02 &&
	cp ../two datastore/raw/trips/ds=2024-01-02/h && sleep 0.05 && rm -f datastore/raw/trips/ds=2024-01-01/g && cp ../two datastore/raw/trips/ds=2024-01-01/g && leat commit -m third &&
	eq "$(leat diff raw/trips --json | python3 -c "import json, sys; print(sorted((r[\"change\"], r[\"path\"]) for r in map(json.loads, sys.stdin)))")" \
		"[('"'added', '/ds=2024-01-02/h'"'), ('"'changed', '/ds=2024-01-01/g'"'), ('"'deleted', '/ds=2024-01-01/f'"')]" && leat log raw/trips > ../out && has ../out second third &&
	leat commit > ../out 2>&1 && has ../out "nothing to commit"
'
test_expect 'commit of one repo leaves the others as they are' '
	cd dr && sleep 0.05 && cp ../one datastore/raw/trips/k && cp ../one datastore/loose/k && leat commit loose && leat ls loose:/k && exits 1 leat ls raw/trips:/k 2> /dev/null && leat commit && leat ls raw/trips:/k
'
test_expect 'a publish of another file is kept beside what a user changed: commit is a three-way merge' '
	cd dr && cp ../one datastore/loose/mine && leat put loose:/theirs ../two && test -f datastore/loose/mine && leat commit loose && leat ls loose > ../out && has ../out /mine /theirs
'
test_expect 'the same path changed here and by a commit: the files of the user go to lost+found, named, or the commit is refused as a conflict' '
	cd dr && leat put loose:/both ../one && sleep 0.05 && rm -f datastore/loose/both && echo mine > datastore/loose/both && leat put loose:/both ../two > ../out 2>&1; has ../out "loose/both" "lost+found" &&
	leat cat loose:/both > ../out && same ../out ../two && eq "$(find .leat/lost+found -type f -name "both*" -exec cat {} +)" mine && same datastore/loose/both ../two
'
test_expect 'a file of the user in a folder that a publish swaps stays, named by status' '
	cd dr && cp ../one datastore/raw/trips/ds=2024-01-01/notes.txt && leat put raw/trips --ds 2024-01-01 ../one ../two && test -f datastore/raw/trips/ds=2024-01-01/notes.txt && test -f datastore/raw/trips/ds=2024-01-01/two &&
	leat status > ../out && has ../out "notes.txt: new" && exits 1 leat ls raw/trips:/ds=2024-01-01/notes.txt 2> /dev/null
'
test_expect 'in the output of a job foreign files move to lost+found, named, and commit adopts nothing there' '
	cd dr && printf -- "#!/bin/sh\n# output: tables/o\n# partition: daily\necho \$DS > \$LEAT_OUTPUT/f\ncat /proc/uptime > \$LEAT_OUTPUT/g\n" > jobs/o.sh && chmod +x jobs/o.sh && leat run o 2024-01-01 && cp ../one datastore/tables/o/ds=2024-01-01/foreign &&
	leat commit > ../out 2>&1; has ../out "tables/o" "restore" && exits 1 leat ls tables/o:/ds=2024-01-01/foreign 2> /dev/null && leat run --again o 2024-01-01 > ../out 2>&1 && has ../out lost+found &&
	test ! -e datastore/tables/o/ds=2024-01-01/foreign && find .leat/lost+found -name "foreign*" | grep -q .
'
test_expect 'a file that is still being written is not adopted, and named; when it is closed it is' '
	workspace wr && leat put raw/x ../one && { exec 7> datastore/raw/x/growing && echo part >&7; } && exits 1 leat commit > ../out 2>&1 7>&- && has ../out growing "still being written" && exec 7>&- && leat commit && leat ls raw/x:/growing
'
test_expect 'a file edited within the clock tick in which it was hashed is seen (the racy stat cache)' '
	workspace ra && for i in 1 2 3 4 5 6 7 8; do
		mkdir -p datastore/raw/r && printf "aaaa$i" > datastore/raw/r/f && leat commit > /dev/null && chmod u+w datastore/raw/r/f && printf "bbbb$i" > datastore/raw/r/f && leat commit > /dev/null && eq "$(leat cat raw/r:/f)" bbbb$i
	done
'
test_expect 'an edit that keeps size and time is found by --rehash at the latest' '
	workspace rh && leat put raw/r ../one && sleep 0.05 && t=$(stat -c %y datastore/raw/r/one) && chmod u+w datastore/raw/r/one && echo 9 > datastore/raw/r/one && touch -d "$t" datastore/raw/r/one && leat commit --rehash && eq "$(leat cat raw/r:/one)" 9
'
test_expect 'unchanged files are not read again: a commit over many of them opens none' '
	workspace many && mkdir -p datastore/raw/m && for i in $(seq 300); do echo $i > datastore/raw/m/f$i; done && leat commit && sleep 0.05 && leat commit 2> /dev/null; leat status > /dev/null &&
	opens ../trace commit 2> /dev/null && has ../trace "leat.db" && lacks ../trace "raw/m/f"
'
test_expect 'datastore/ deleted as a whole is put back by commit --restore' '
	cd dr && leat commit > /dev/null 2>&1; rm -rf datastore/raw/trips && leat status > ../out && has ../out deleted && leat commit --restore raw/trips && leat get raw/trips -o ../trips && diff -r ../trips datastore/raw/trips
'
test_expect 'restore of one path leaves other edits alone' '
	workspace rp && leat put raw/r ../one ../two && sleep 0.05 && chmod u+w datastore/raw/r/* && echo x >> datastore/raw/r/one && echo y >> datastore/raw/r/two && leat commit --restore raw/r:/one && same datastore/raw/r/one ../one && eq "$(tail -1 datastore/raw/r/two)" y
'
test_expect 'a version that somebody broke in .leat/ is found by fsck with exit 1, naming what lost it' '
	workspace br && printf "PAR1 ...... PAR1" > ../par && leat put raw/r ../par && b=$(find .leat/blobs -type f) && chmod u+w "$b" && echo 7 > "$b" && exits 1 leat fsck > ../out 2>&1 && has ../out "$(basename "$b" | cut -c1-12)" raw/r
'
test_expect 'sql names files of its tables that nobody committed, and a table that lies in datastore/ uncommitted' '
	workspace unc && printf "a\n1\n" > f.csv && leat put raw/x f.csv && leat put raw/y f.csv && printf "a\n2\n" > datastore/raw/x/g.csv &&
	leat sql "select count(*) as n from raw.x" --format csv > out 2> err && eq "$(tail -1 out)" 1 && has err "raw/x" "1 file not committed" "leat commit raw/x" &&
	leat sql "from raw.y" > out 2> err && lacks err "not committed" &&
	mkdir datastore/raw/z && printf "a\n3\n" > datastore/raw/z/f.csv && exits 2 leat sql "from raw.z" 2> err && has err "no table raw.z" "leat commit raw/z" &&
	leat commit && leat sql "from raw.z" > out 2> err && lacks err "not committed"
'
test_done
