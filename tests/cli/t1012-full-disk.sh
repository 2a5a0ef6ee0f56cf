#!/usr/bin/env bash
# A full disk: exit 1 and a sentence, nothing half, and all is well when there is space again.
. "$(dirname "$0")/../lib.sh"
needs_root
unshare -m true 2> /dev/null || skip_all 'no mount namespace can be made here'

mkdir disk
# on_small 'commands': runs them in a file system of 6 MB at disk/
on_small() {
	unshare -m bash -ec 'mount -t tmpfs -o size=6m tmpfs "$1"/disk; cd "$1"/disk; leat() { "$LEAT_BIN" "$@"; }; '"$1" - "$TRASH"
}
export LEAT_BIN
head -c 9000000 /dev/urandom > large
echo small > small

test_expect 'a put that does not fit: exit 1, the disk is named, no commit, and smaller things still go' '
	on_small "leat init w > /dev/null; cd w; s=0; leat put raw/x ../../large 2> ../../err || s=\$?; test \$s = 1; leat put raw/x ../../small; leat ls raw/x; leat fsck; test -z \"\$(ls .leat/staging)\"; rm -rf .leat/old/*; df . | tail -1 > ../../df" > out && has err "space" && has out /small &&
	test "$(awk "{print \$5}" df | tr -d %)" -lt 30
'
test_expect 'a job whose output does not fit fails with exit 1 and publishes nothing; with space it runs' '
	on_small "leat init w > /dev/null; cd w; printf \"#!/bin/bash\n# output: raw/o\n# partition: daily\nhead -c \\\${BYTES:-9000000} /dev/urandom > \\\$LEAT_OUTPUT/f\n\" > jobs/o.sh; chmod +x jobs/o.sh; s=0; leat run o 2024-01-01 > ../../err 2>&1 || s=\$?; test \$s = 1; ! leat ls raw/o 2> /dev/null;
		sed -i s/9000000/1000/ jobs/o.sh; leat run o 2024-01-01; leat ls raw/o; leat fsck" > out && grep -q "full\|space" err && has out /ds=2024-01-01/
'
test_expect 'a table that does not fit fails with exit 1 and publishes nothing' '
	on_small "leat init w > /dev/null; cd w; printf -- \"-- output: tables/o\n-- partition: daily\nselect i, random() as r, uuid() as u from range(400000) t(i)\n\" > jobs/o.sql; s=0; leat run o 2024-01-01 > ../../err 2>&1 || s=\$?; test \$s = 1; ! leat ls tables/o 2> /dev/null;
		sed -i s/400000/1000/ jobs/o.sql; leat run o 2024-01-01; leat sql \"select count(*) from tables.o\" --format csv; leat fsck" > out && has err failed && has out 1000
'
test_done
