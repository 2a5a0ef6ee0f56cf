#!/usr/bin/env bash
# A workspace that somebody else owns: what an ordinary user is told, and that nothing is written.
. "$(dirname "$0")/../lib.sh"
needs setpriv
needs_root

# The checkout may lie where only root may look: the program and the workspace are used from a folder for all.
HALL=$(mktemp -d /tmp/leat-hall.XXXXXX)
chmod 755 "$HALL"
cp "$LEAT_BIN" "$HALL/leat"
[ -z "${LEAT_LIBDUCKDB:-}" ] && [ -e "$CHECKOUT/.deps/libduckdb.so" ] && export LEAT_LIBDUCKDB=$HALL/libduckdb.so && cp "$CHECKOUT/.deps/libduckdb.so" "$HALL/"
trap 'rm -rf "$HALL"; t_end' EXIT
nobody() {
	(cd "$HALL/${IN:-.}" && setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent "$HALL/leat" "$@" 9>&-)
}
"$HALL/leat" init "$HALL/w" > /dev/null 2>&1
echo 1 > "$HALL/f"
"$HALL/leat" -C "$HALL/w" put raw/x "$HALL/f" > /dev/null

test_expect 'put into a workspace of another is refused, naming what may not be written, and nothing is' '
	state "$HALL/w" > before && exits 2 nobody -C "$HALL/w" put raw/x "$HALL/f" 2> err && has err "ermission" && state "$HALL/w" > after && same before after
'
test_expect 'init where one may not write is refused with exit 2 and leaves nothing' '
	mkdir -m 755 "$HALL/theirs" && exits 2 nobody init "$HALL/theirs/w" 2> err && has err "$HALL/theirs/w" && test -z "$(ls -A "$HALL/theirs")"
'
test_expect 'get to a folder where one may not write is refused, naming it' '
	exits 2 nobody -C "$HALL/w" get raw/x:/f -o "$HALL/theirs/f" 2> err && has err "$HALL/theirs" && test ! -e "$HALL/theirs/f"
'
test_expect 'a file that one may not read is named' '
	mkdir -m 777 "$HALL/mine" && nobody init "$HALL/mine/w" && echo secret > "$HALL/s" && chmod 600 "$HALL/s" &&
	exits 2 nobody -C "$HALL/mine/w" put raw/s "$HALL/s" 2> err && has err "$HALL/s" && exits 1 nobody -C "$HALL/mine/w" ls raw/s 2> err
'
test_expect 'an ordinary user has the whole program: put, edit in datastore/, commit, restore' '
	nobody -C "$HALL/mine/w" put raw/x "$HALL/f" && IN=mine/w && eq "$(nobody cat raw/x:/f)" 1 &&
	setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "cd $HALL/mine/w/datastore/raw/x && chmod u+w f && echo 2 >> f" &&
	eq "$(nobody cat raw/x:/f)" 1 && nobody status > out && has out "datastore/raw/x/f: edited" && nobody commit && eq "$(nobody cat raw/x:/f | paste -sd" ")" "1 2" &&
	eq "$(nobody cat raw/x@^:/f)" 1 && nobody fsck
'
test_done
