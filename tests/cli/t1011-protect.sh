#!/usr/bin/env bash
# What somebody may open for writing is never the only copy; protect: link says who gives that up (SEMANTICS 6).
. "$(dirname "$0")/../lib.sh"

echo one > one
head -c 200000 /dev/urandom > big

test_expect 'by default no file of datastore/ is a hard link into the store' '
	workspace auto && leat put raw/x ../one ../big && for f in one big; do eq "$(stat -c %h datastore/raw/x/$f)" 1; done
'
test_expect 'with protect: link large files are links that cost no space, and read-only' '
	workspace link && sed -i "s/^name:.*/&\nprotect: link/" leat.yaml && leat put raw/x ../one ../big && test "$(stat -c %h datastore/raw/x/big)" -ge 2 && eq "$(stat -c %a datastore/raw/x/big)" 444 && same datastore/raw/x/big ../big
'
test_expect 'a blob that was written through such a link is found, named with what lost it, and never handed out as the old one' '
	cd link && chmod u+w datastore/raw/x/big && echo tail >> datastore/raw/x/big && exits 1 leat cat raw/x:/big > ../got 2> ../err && has ../err "SHA-256" "leat fsck" && exits 1 leat fsck > ../out 2>&1 && has ../out raw/x big && exits 1 cmp -s ../got ../big
'
test_expect 'the same bytes put again make it whole' '
	cd link && leat put raw/y ../big && leat cat raw/y:/big > ../got && same ../got ../big && leat cat raw/x:/big > ../got && same ../got ../big
'
test_expect 'what a task reads is read-only, and what it does to its inputs changes no version' '
	workspace task && leat put raw/x --ds 2024-01-01 ../one ../big && printf "#!/bin/bash\n# inputs: {x: raw/x}\n# output: raw/o\n# partition: daily\nfor f in \$LEAT_INPUT_x/*; do chmod u+w \$f; echo more >> \$f; done 2> \$LEAT_OUTPUT/said\ntrue\n" > jobs/o.sh && chmod +x jobs/o.sh &&
	leat run o 2024-01-01 && leat cat raw/x:/ds=2024-01-01/one > ../got && same ../got ../one && leat cat raw/x:/ds=2024-01-01/big > ../got && same ../got ../big && same datastore/raw/x/ds=2024-01-01/big ../big && leat fsck
'
copies='where no mount can be made, a task gets copies: what it does to its inputs changes no version either'
if unshare -U -r true 2> /dev/null; then
	without_mounts() { unshare -U -r sh -c "echo 0 > /proc/sys/user/max_mnt_namespaces && exec \"\$@\"" - "$LEAT_BIN" "$@"; }
elif unshare -m true 2> /dev/null; then
	test_skip "$copies" 'mounts can be made here, and nothing keeps a program from it'
	test_done
else
	without_mounts() { leat "$@"; }
fi
test_expect "$copies" '
	cd task && leat put raw/x --ds 2024-01-02 ../one ../big && leat put raw/whole ../one &&
	printf "#!/bin/bash\n# inputs: {x: {repo: raw/x, window: [-1, 0]}, y: raw/x, z: raw/whole}\n# output: raw/p\n# partition: daily\nfind \$LEAT_INPUT_x \$LEAT_INPUT_y \$LEAT_INPUT_z -type f | while read -r f; do chmod u+w \$f && echo more >> \$f && echo \$f; done > \$LEAT_OUTPUT/wrote\n" > jobs/p.sh && chmod +x jobs/p.sh &&
	without_mounts run p 2024-01-02 && leat cat raw/p:/ds=2024-01-02/wrote > ../wrote && count 7 cat ../wrote &&
	leat cat raw/whole:/one > ../got && same ../got ../one && leat cat raw/x:/ds=2024-01-02/big > ../got && same ../got ../big && leat cat raw/x:/ds=2024-01-01/big > ../got && same ../got ../big && leat fsck
'
test_done
