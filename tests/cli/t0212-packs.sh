#!/usr/bin/env bash
# Packs and rows for small files: what is stored once, what datastore/ shows, older stores, what a change costs.
. "$(dirname "$0")/../lib.sh"
needs python3

many() { # DIR N: N small files in folders of 1000
	python3 -c 'import os, sys
for i in range(int(sys.argv[2])):
    d = "%s/%03d" % (sys.argv[1], i // 1000)
    if i % 1000 == 0: os.makedirs(d)
    open("%s/f%d" % (d, i), "w").write("%d\n" % i)' "$1" "$2"
}
stored() { du -sb --exclude=datastore --exclude=leat.db-wal . | cut -f1; } # the log is emptied again and again

test_expect 'ten copies of one file of 134 kB in five commits and two repos are stored once' '
	workspace once && head -c 134000 /dev/urandom > ../f && leat put raw/warm ../once/leat.yaml && before=$(stored) &&
	cp ../f ../f2 && for r in a b a b a; do leat put raw/$r:/$((++n))/ ../f ../f2 || return 1; done &&
	grown=$(($(stored) - before)) && echo "grown by $grown" && [ $grown -le 300000 ]
'
test_expect 'so are ten copies of a small one, and deleting one repo leaves the others readable' '
	cd once && head -c 20000 /dev/urandom > ../s && for i in 1 2 3 4 5; do leat put raw/a:/s$i ../s && leat put raw/b:/s$i ../s || return 1; done &&
	leat rm --repo raw/a && leat cat raw/b:/s5 > back && same back ../s && leat cat raw/b:/4/f2 > back && same back ../f && leat fsck
'
test_expect 'many commits of one small file make no file of their own in the store' '
	workspace rows && leat put raw/x leat.yaml && n=$(find .leat -type f | wc -l) && for i in $(seq 1 30); do echo $i | leat put raw/x:/f$i - || return 1; done &&
	[ "$(find .leat -type f | wc -l)" -le $((n + 1)) ] && leat cat raw/x:/f17 > out && eq "$(cat out)" 17 && leat fsck
'
test_expect 'a repo of more than 10,000 small files is not shown in datastore/ unasked, and that is said' '
	workspace big && many ../many 10001 && leat put raw/many ../many 2> err && has err "datastore/raw/many is not made" materialise && [ ! -e datastore/raw/many ] &&
	leat status > st && lacks st "not yet as published" && echo more > m && leat put raw/many m 2> err && lacks err "not made" && [ ! -e datastore/raw/many ] &&
	leat get raw/many -o back && rm back/m && diff -r ../many back && rm -r back && leat fsck
'
test_expect 'a file dropped into its folder is adopted over what the head has, and the rest stays as it was' '
	cd big && mkdir -p datastore/raw/many/003 && echo changed > datastore/raw/many/003/f3000 && echo new > datastore/raw/many/new &&
	leat commit > out && has out "1 added, 1 changed" && leat ls raw/many/ > /dev/null; leat log raw/many --json > log && json log "d[0][\"files\"] if isinstance(d, list) else d[\"files\"]" > n && has n 10003 &&
	leat cat raw/many:/003/f3000 > out && eq "$(cat out)" changed && leat commit > out && lacks out added
'
test_expect 'materialise: on shows it, off takes away what leat put there and keeps what people did' '
	cd big && printf "materialise: {raw/many: on}\n" >> leat.yaml && leat put raw/other m && [ "$(find datastore/raw/many -type f | wc -l)" = 10003 ] && same ../many/007/f7001 datastore/raw/many/007/f7001 &&
	echo mine > datastore/raw/many/mine && sed -i "s/on}/off}/" leat.yaml && leat put raw/other:/again m && [ "$(find datastore/raw/many -type f)" = datastore/raw/many/mine ] &&
	leat fsck
'
test_expect 'SQL over small CSV files reads them from a folder made once' '
	workspace csv && for d in 1 2 3; do mkdir -p in/ds=2024-01-0$d && printf "a,b\n$d,x\n" > in/ds=2024-01-0$d/f.csv; done && leat put raw/t in &&
	eq "$(sql "select sum(a) from raw.t" | tail -1)" 6 && eq "$(sql "select sum(a) from raw.t where ds = date '\''2024-01-02'\''" | tail -1)" 2
'
test_expect 'a store of format 1 is stepped up, and what was in it stays readable' '
	workspace old && echo kept > ../kept && sha=$(sha256sum < ../kept | cut -c1-64) && rm -f .leat/leat.db* && rm -rf .leat/packs &&
	python3 - "$TESTS/../src/defs/migrations.def" "$sha" ../kept <<-"EOT" &&
	import hashlib, os, re, sqlite3, sys
	text = re.search(r"\nM\(1,\n(.*?)\n\)\n", open(sys.argv[1]).read(), re.S).group(1)
	text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
	db = sqlite3.connect(".leat/leat.db")
	db.execute("pragma application_id = %d" % 0x4c656174)
	db.execute("pragma journal_mode = wal")
	db.executescript("".join(re.findall(r"\"((?:[^\"\\]|\\.)*)\"", text)))
	sha, data = bytes.fromhex(sys.argv[2]), open(sys.argv[3], "rb").read()
	path = ".leat/blobs/%s/%s" % (sys.argv[2][:2], sys.argv[2][2:])
	os.makedirs(os.path.dirname(path))
	open(path, "wb").write(data)
	os.chmod(path, 0o444)
	page = b"\1\0\1" + b"\0\4kept" + sha + bytes([len(data)])
	tree, event = hashlib.sha256(page).digest(), "0123456789abcdef0123456789abcdef"
	db.execute("insert into store values(?, ?), (?, ?)", ("created", 1, "workspace", event))
	db.execute("insert into blob values(?, ?, ?)", (sha, len(data), os.stat(path).st_mtime_ns))
	db.execute("insert into tree(id, body) values(?, ?)", (tree, page))
	db.execute("insert into repo(id, name, created) values(1, ?, 1)", ("raw/old",))
	db.execute("insert into event(id, batch, kind, at) values(?, ?, ?, 1)", (event, event, "put"))
	db.execute("insert into commits(repo, id, number, tree, files, bytes, at, batch) values(1, ?, 1, ?, 1, ?, 1, ?)", (event, tree, len(data), event))
	db.execute("insert into branch values(1, ?, ?)", ("master", event))
	db.execute("pragma user_version = 1")
	db.commit()
	EOT
	leat cat raw/old:/kept > out && same out ../kept && echo more | leat put raw/old:/more - && leat put raw/new ../kept && leat fsck && leat cat raw/new:/kept > out && same out ../kept &&
	same datastore/raw/old/kept ../kept && [ "$(find .leat/blobs -type f | wc -l)" = 1 ]
'

cost() { # FILE arguments…: bytes written and system calls of a command, into FILE
	local file=$1
	shift
	calls trace all "$@" > /dev/null || return 1
	python3 - > "$file" <<-"EOT"
	import re
	calls = written = 0
	for line in open("trace", errors="replace"):
	    m = re.match(r"\d+ +(\w+)\(.*= (-?\d+)", line)
	    if not m:
	        continue
	    calls += 1
	    if m.group(1) in ("write", "pwrite64", "writev", "copy_file_range"):
	        written += max(0, int(m.group(2)))
	print(calls, written)
	EOT
	cat "$file"
}
no_dearer() { # SMALL LARGE TIMES: calls and bytes of LARGE are at most TIMES those of SMALL
	python3 -c 'import sys
a, b = [list(map(int, open(f).read().split())) for f in sys.argv[1:3]]
t = float(sys.argv[3])
sys.exit(not (b[0] <= t * a[0] and b[1] <= t * a[1]))' "$1" "$2" "$3"
}
test_expect 'adding a file to a folder of 30,000, renaming it, and listing one folder cost what they change, not what the repo holds' '
	workspace costs && printf "materialise: off\n" >> leat.yaml && many ../wide 30000 && many ../thin 300 && echo x > x &&
	leat put raw/wide:/dir/ ../wide && leat put raw/thin:/dir/ ../thin && leat put raw/wide:/w x && leat put raw/thin:/w x && echo y > y && echo z > z &&
	cost thin.put put raw/thin:/dir/000/added y && cost wide.put put raw/wide:/dir/000/added z && no_dearer thin.put wide.put 2.5 &&
	printf "cp raw/thin:/dir raw/thin:/moved\nrm -r raw/thin:/dir\n" > thin.batch && printf "cp raw/wide:/dir raw/wide:/moved\nrm -r raw/wide:/dir\n" > wide.batch &&
	cost thin.mv batch -f thin.batch && cost wide.mv batch -f wide.batch && no_dearer thin.mv wide.mv 2 &&
	cost thin.ls ls raw/thin:/moved/000 && cost wide.ls ls raw/wide:/moved/000 && no_dearer thin.ls wide.ls 5 && leat fsck
'
test_done
