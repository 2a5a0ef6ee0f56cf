#!/usr/bin/env bash
# leat whence (docs/how-to/whence.md): from bytes found anywhere to what made them. Issue 6, "what to build" 5.
. "$(dirname "$0")/../lib.sh"
needs python3

shop() { # a workspace with raw/orders of two days, and a job over it that has run
	workspace "$1" && printf 'id,price\n1,10\n2,20\n' >../o1 && printf 'id,price\n3,30\n' >../o2 &&
		leat put raw/orders --ds 2024-03-04 --name orders.csv ../o1 && leat put raw/orders --ds 2024-03-05 --name orders.csv ../o2 &&
		printf -- '-- output: tables/sales\n-- partition: daily\n-- params: {least: 5}\nselect id, price from raw.orders where ds = {{ ds }} and price > {{ params.least }}\n' >jobs/sales.sql &&
		leat run sales 2024-03-04..2024-03-05
}
known() { leat whence "$@" --json >../out && json ../out 'd["known"]' | grep -qx true; } # FILE: is known, and ../out says how
say() { json ../out "$@"; }

test_expect 'the current output, found elsewhere under another name: job, run, code, parameters, inputs, and that it is the current answer' '
	shop w && cp datastore/tables/sales/ds=2024-03-04/part-0.parquet ../mailed && (cd .. && leat -C w whence mailed) > ../people && known ../mailed &&
	eq "$(say "d[\"repo\"], d[\"path\"], d[\"state\"], d[\"current\"]")" "[\"tables/sales\", \"/ds=2024-03-04/part-0.parquet\", \"current\", true]" &&
	eq "$(say "d[\"made_by\"][\"job\"], d[\"made_by\"][\"ds\"], d[\"made_by\"][\"params\"]")" "[\"sales\", \"2024-03-04\", {\"least\": 5}]" &&
	eq "$(say "[i[\"repo\"] + \" \" + i[\"ds\"] + \" \" + i[\"put\"][\"kind\"] for i in d[\"made_by\"][\"inputs\"]]")" "[\"raw/orders 2024-03-04 put\"]" &&
	eq "$(say "len(d[\"made_by\"][\"code\"])")" 64 && eq "$(say "d[\"made_by\"][\"run\"]")" "$(leat runs sales --json | python3 -c "import json, sys; print(json.loads(sys.stdin.readlines()[-1])[\"run\"])")" &&
	has ../people "mailed is tables/sales:/ds=2024-03-04/part-0.parquet, made by job sales in run" "it is what stands there now" "raw/orders ds=2024-03-04" "(put by" "least=5" "leat run sales 2024-03-04 --again" &&
	eq "$(wc -L < <(tail -n +2 ../people))" "$(wc -L < <(tail -n +2 ../people) | awk "{print (\$1 > 100 ? 100 : \$1)}")"
'
test_expect 'a file that people put is known by its put, also from standard input; the command that gets it again does' '
	cd w && known - < ../o2 && eq "$(say "d[\"file\"], d[\"repo\"], d[\"path\"]")" "[\"standard input\", \"raw/orders\", \"/ds=2024-03-05/orders.csv\"]" &&
	eq "$(say "d[\"put\"][\"kind\"], d[\"current\"]")" "[\"put\", true]" && has ../out "leat put raw/orders --ds 2024-03-05" &&
	eval "$(say "d[\"get\"]") -o ../again" && same ../again ../o2
'
test_expect 'one of last month, replaced since: who made it, what another stands there, what changed, and the bytes again' '
	cd w && cp datastore/tables/sales/ds=2024-03-04/part-0.parquet ../old && leat run sales 2024-03-04 -p least=15 && known ../old && eq "$(say "d[\"state\"], d[\"current\"]")" "[\"replaced\", false]" &&
	say "[c[\"text\"] for c in d[\"changes\"]]" > ../texts && has ../texts "least was 5, is 15" && eval "$(say "d[\"get\"]") -o ../got" && same ../got ../old && leat whence ../old > ../people && has ../people "another stands there now" "least was 5, is 15" "replaced" &&
	known datastore/tables/sales/ds=2024-03-04/part-0.parquet && has ../out "stale" && say "d[\"again\"]" > ../texts && has ../texts "leat run sales 2024-03-04 -p least=15"
'
test_expect 'what stands there but is out of date says what has changed: an input, the code' '
	cd w && f=datastore/tables/sales/ds=2024-03-05/part-0.parquet && printf "id,price\n3,31\n" > ../o3 && leat put raw/orders --ds 2024-03-05 --name orders.csv ../o3 &&
	known $f && eq "$(say "d[\"state\"]")" stale && say "[c[\"text\"] for c in d[\"changes\"]]" > ../texts && has ../texts "raw/orders ds=2024-03-05 changed" && known ../o2 && eq "$(say "d[\"state\"]")" replaced &&
	sed -i "s/price >/2 * price >/" jobs/sales.sql && known $f && say "[c[\"text\"] for c in d[\"changes\"]]" > ../texts && has ../texts "raw/orders ds=2024-03-05 changed" "changed"
'
test_expect 'the result of a query in a CSV and in a Markdown file: the query, its tables at their commits, whether they are as they were, the command' '
	cd w && for f in csv md parquet json; do leat sql -o ../r.$f "select id, price from tables.sales order by id" && known ../r.$f && eq "$(say "d[\"current\"], d[\"exports\"][0][\"name\"], d[\"exports\"][0][\"tables\"][0][\"repo\"]")" "[true, \"r.$f\", \"tables/sales\"]" || return 1; done &&
	has ../out "select id, price from tables.sales order by id" && cp ../r.csv ../first.csv && again=$(say "d[\"again\"]" | sed "s/leat sql/leat -C w sql/; s/json/csv/") && (cd .. && rm r.csv && eval "$again" && same r.csv first.csv) &&
	leat run && for f in csv md; do known ../r.$f && eq "$(say "d[\"state\"], d[\"current\"]")" "[\"changed\", false]" && say "[c[\"text\"] for c in d[\"changes\"]]" > ../texts && has ../texts "tables/sales has changed" "ds=2024-03-04 changed" || return 1; done &&
	leat whence ../r.md > ../people && has ../people "r.md is the result of a query" "its tables have changed since" "ds=2024-03-04 changed" "leat sql -o r.md"
'
test_expect 'a query at a pin, and one of a day, change only when what they read does' '
	cd w && leat sql --ds 2024-03-04 -o ../day.csv "select count(*) n from raw.orders" && leat sql -o ../pin.csv "select sum(price) s from raw.orders at (version => '\''master.1'\'')" &&
	leat put raw/orders --ds 2024-03-06 --name orders.csv ../o3 && known ../day.csv && eq "$(say "d[\"state\"]")" current && known ../pin.csv && eq "$(say "d[\"state\"]")" current &&
	leat put raw/orders --ds 2024-03-04 --name orders.csv ../o3 && known ../day.csv && eq "$(say "d[\"state\"]")" changed && known ../pin.csv && eq "$(say "d[\"state\"]")" current
'
test_expect 'a text whose line ends, last newline or byte order mark changed on the way is still found, exported or put' '
	cd w && for f in ../first.csv ../o1; do
		sed "s/\$/\r/" $f > ../crlf && printf "%s" "$(cat $f)" > ../short && (printf "\357\273\277"; cat ../crlf) > ../bom && (cat $f; echo) > ../long && printf "%s" "$(cat ../crlf)" > ../both &&
		for g in crlf short bom long both; do known ../$g && [ -n "$(say "d[\"as\"]")" ] || return 1; done || return 1
	done && leat whence ../crlf > ../texts && has ../texts "its line ends became CRLF" && leat whence ../short > ../texts && has ../texts "its last newline went" && leat whence ../bom > ../texts && has ../texts "a byte order mark was added" &&
	printf "a,b\r\nc,d\r\n" > ../dos && leat put raw/dos:/d.csv ../dos && tr -d "\r" < ../dos > ../unix && known ../unix && has ../out "its line ends became LF" &&
	printf "a\r\nb\nc\r\n" > ../mixed && leat put raw/dos:/mixed.txt ../mixed && tr -d "\r" < ../mixed > ../mixed.txt && known ../mixed.txt && has ../out "its line ends were made alike"
'
test_expect 'one edited by a byte is not known (exit 1), and the nearest by name is offered with what differs' '
	cd w && sed "s/20/21/" ../o1 > ../orders.csv && exits 1 leat whence ../orders.csv > ../people && has ../people "orders.csv is not known here" "raw/orders:/ds=" "nearest" &&
	printf "one\ntwo\nthree\n" > ../notes.txt && leat put raw/notes ../notes.txt && mkdir -p ../dl && sed "s/two/twa/" ../notes.txt > "../dl/notes (1).txt" && exits 1 leat whence "../dl/notes (1).txt" > ../people &&
	has ../people "raw/notes:/notes.txt: one byte differs, in line 2" && sed "s/10/11/" ../first.csv > ../dl/first.csv && cp ../first.csv ../r.csv && sed "s/id/ie/" ../r.csv > ../dl/r.csv && exits 1 leat whence ../dl/r.csv > ../people && has ../people "r.csv, exported" &&
	exits 1 leat whence ../o1 "../dl/notes (1).txt" --json > ../out && eq "$(python3 -c "import json; print([json.loads(l)[\"known\"] for l in open(\"../out\")])")" "[True, False]"
'
test_expect 'a file of another workspace is not known here; where it lies there, that workspace is named' '
	shop v && printf "id\n77\n" > ../o9 && leat put raw/other ../o9 && cd ../w && exits 1 leat whence ../v/datastore/raw/other/o9 > ../people && has ../people "is not known here" "another workspace" "leat -C $TRASH/v whence" &&
	leat -C ../v whence ../o9 > ../people && has ../people "raw/other:/o9"
'
test_expect 'the same bytes in several places: what a job made and a head shows comes first, the others are named' '
	workspace twice && seq 50 > a && leat put raw/a:/x a && leat put raw/b:/y a && leat cp raw/a:/x raw/a:/z && leat rm raw/b:/y && leat whence a --json > ../out &&
	eq "$(say "d[\"repo\"], sorted(x[\"repo\"] + x[\"path\"] for x in d[\"also\"])")" "[\"raw/a\", [\"raw/a/x\", \"raw/b/y\"]]" && eq "$(say "d[\"current\"]")" true
'
test_expect 'a file of a job whose units come from data: the unit, what it read, and after its input changed what it was' '
	workspace data && mkdir -p jobs/up && printf "kind: script\ncmd: [sh, -c, \"cd /pfs/in; for f in *; do tr a-z A-Z < \$f > /pfs/out/\$f; done\"]\noutput: ups\ninputs: {in: {repo: files, glob: \"/*\"}}\n" > jobs/up/job.yaml &&
	echo one > a && echo two > b && leat put files a b && leat run && leat get ups:/a -o old && known old && eq "$(say "d[\"repo\"], d[\"path\"], d[\"made_by\"][\"job\"], d[\"state\"]")" "[\"ups\", \"/a\", \"up\", \"current\"]" &&
	eq "$(say "[i[\"path\"] for i in d[\"made_by\"][\"inputs\"]]")" "[\"/a\"]" && echo three > a && leat put files a && known old && eq "$(say "d[\"state\"]")" stale && leat run && known old && eq "$(say "d[\"state\"], d[\"made_by\"][\"job\"]")" "[\"replaced\", \"up\"]" && has ../out "files:/a changed"
'
test_expect 'bytes that gc let go are still told: the repo, the run, that they are gone; of a repo that was ended too' '
	shop gone && cp datastore/tables/sales/ds=2024-03-04/part-0.parquet ../lost && leat run sales 2024-03-04 -p least=15 && for i in 1 2 3; do leat put raw/orders:/n$i ../o2; done && leat keep tables/sales last 1 && leat gc --memo && exits 1 leat cat tables/sales@.1:/ds=2024-03-04/part-0.parquet &&
	leat whence ../o2 > ../people && known ../lost && eq "$(say "d[\"state\"], d[\"repo\"], d[\"made_by\"][\"job\"], d[\"made_by\"][\"ds\"]")" "[\"let-go\", \"tables/sales\", \"sales\", \"2024-03-04\"]" && leat whence ../lost > ../people && has ../people "its bytes were let go" "leat run sales 2024-03-04" &&
	printf "only\n" > ../only && leat put raw/only ../only && leat rm --repo raw/only && known ../only && eq "$(say "d[\"state\"]")" ended && leat gc && leat gc && exits 1 leat whence ../only
'
test_expect 'bytes whose commit was squashed, dropped or forgotten are found where they still stand' '
	workspace still && for i in 1 2 3 4 5; do echo "file $i" > f$i && leat put raw/s f$i; done && leat squash raw/s@.2 && leat forget raw/s@.3 && leat whence f2 --json > ../out && eq "$(say "d[\"path\"], d[\"state\"], d[\"number\"]")" "[\"/f2\", \"current\", 4]" && has ../out "leat put raw/s f2" && leat gc && for i in 1 2 3 4 5; do known f$i && eq "$(say "d[\"state\"]")" current || return 1; done && leat drop raw/s@master && known f5 && eq "$(say "d[\"state\"]")" let-go && leat gc && known f5 && eq "$(say "d[\"state\"], d[\"repo\"]")" "[\"let-go\", \"raw/s\"]"
'
test_expect 'a folder, a pipe, a device, an empty file and one that is not there are each a sentence' '
	cd w && : > ../empty && mkfifo ../pipe && exits 2 leat whence .. 2> ../err && has ../err ".. is a folder" && exits 2 leat whence ../pipe 2> ../err && has ../err "is a pipe or a device" "leat whence - <" && exits 2 leat whence /dev/null &&
	exits 2 leat whence ../empty 2> ../err && has ../err "is empty" && exits 2 leat whence - < ../empty && exits 1 leat whence ../nowhere 2> ../err && has ../err "nowhere" && exits 2 leat whence
'
rows() { python3 -c "import sqlite3; print(sqlite3.connect('.leat/leat.db').execute(\"\"\"$1\"\"\").fetchone()[0])"; }
entries() { rows "select value from store where key = 'contents'" | tr ' ' '\n' | awk -F: '{n += $2} END {print n + 0}'; }
test_expect 'hundreds of files, commits and merged runs of the index: each version of each file is found, with an index, without one, with half of one' '
	workspace many && mkdir d && for i in $(seq 300); do echo "file $i" > d/f$i; done && leat put raw/m d && eq "$(entries)" 300 &&
	for k in $(seq 70); do echo "version $k" > v; if [ $k = 40 ]; then cp -r d e && for i in $(seq 300); do echo "again $i" > e/f$i; done && leat put raw/m e; fi; leat put raw/m:/v v; done > /dev/null &&
	[ "$(entries)" -ge 639 ] && all() { for k in 1 39 41 70; do echo "version $k" | leat whence - > ../o && has ../o "raw/m:/v" || return 1; done; for i in 1 77 300; do leat whence d/f$i > ../o && has ../o "raw/m:/f$i" && leat whence e/f$i > ../o && has ../o "raw/m:/f$i" || return 1; done; exits 1 leat whence - <<< nothing; } && all &&
	python3 "$TESTS/fake/edit_db.py" .leat/leat.db "delete from contents_page" "delete from store where key = '\''contents'\''" && all &&
	leat put raw/m:/w v && echo x > v && leat put raw/m:/w v && [ "$(entries)" -ge 639 ] && all && leat fsck
'
more() { for i in $(seq 70); do echo "$1 $i" > v; leat put raw/v v; done > /dev/null; } # so that what was done before is in the index
test_expect 'a file of a folder that was renamed, copied and copied on is told where it stands now, and where it stood' '
	workspace moved && mkdir -p d/sub && for i in $(seq 20); do echo "text $i" > d/sub/f$i; echo "more $i" > d/g$i; done && leat put raw/m:/a d && more one && leat cp raw/m:/a raw/m:/b && leat rm -r raw/m:/a && more two &&
	known d/sub/f7 && eq "$(say "d[\"repo\"] + d[\"path\"], d[\"state\"], [x[\"repo\"] + x[\"path\"] for x in d[\"also\"]]")" "[\"raw/m/b/sub/f7\", \"current\", [\"raw/m/a/sub/f7\"]]" && eval "$(say "d[\"get\"]") -o got" && same got d/sub/f7 &&
	leat cp raw/m:/b/sub raw/n:/deep/er && leat rm -r raw/m:/b && more three && known d/sub/f7 && eq "$(say "d[\"repo\"] + d[\"path\"], d[\"state\"], sorted(x[\"repo\"] + x[\"path\"] for x in d[\"also\"])")" "[\"raw/n/deep/er/f7\", \"current\", [\"raw/m/a/sub/f7\", \"raw/m/b/sub/f7\"]]" &&
	known d/g3 && eq "$(say "d[\"path\"], d[\"state\"]")" "[\"/b/g3\", \"removed\"]" && leat cp raw/n:/deep raw/o:/up && leat rm -r raw/n:/deep && known d/sub/f7 && eq "$(say "d[\"repo\"] + d[\"path\"], d[\"state\"]")" "[\"raw/o/up/er/f7\", \"current\"]" && more four && known d/sub/f7 && eq "$(say "d[\"repo\"] + d[\"path\"], d[\"state\"]")" "[\"raw/o/up/er/f7\", \"current\"]"
'
test_expect 'what a query printed into a file by > is known as what it wrote; by >>, a pipe, two commands or a file of others it is not' '
	cd w && leat sql --format csv "select id, price from tables.sales order by id" > ../printed.csv && known ../printed.csv && eq "$(say "d[\"current\"], d[\"exports\"][0][\"tables\"][0][\"repo\"]")" "[true, \"tables/sales\"]" &&
	cp ../printed.csv ../first.csv && again=$(say "d[\"again\"]" | sed "s/leat sql/leat -C w sql/") && (cd .. && rm printed.csv && eval "$again" && same printed.csv first.csv) && leat sql --json "select 41 c" > "../o k.json" && known "../o k.json" && grep -q "> .o k.json" ../out &&
	(leat sql "select 42 c"; leat sql "select 43 c") > ../both.txt && leat sql "select 44 c" | cat > ../piped.txt && echo x > ../more.txt && leat sql "select 45 c" >> ../more.txt && for f in both piped more; do exits 1 leat whence ../$f.txt || return 1; done &&
	exits 2 leat sql "select nonsense" > ../bad.txt && n=$(rows "select count(*) from exported") && leat jobs > ../jobs.txt && exits 1 leat whence ../jobs.txt && eq "$(rows "select count(*) from exported")" "$n"
'
if [ "$(id -u)" != 0 ] || command -v setpriv > /dev/null; then
	test_expect 'one who may only read the workspace writes results and asks all the same, and leaves no note' '
		had=$(cd w && rows "select count(*) from exported") && leat -C w sql -o n.csv "select 97 c" && lib=${LEAT_LIBDUCKDB:-$CHECKOUT/.deps/libduckdb.so} &&
		hall=$(mktemp -d /tmp/leat-hall.XXXXXX) && chmod 755 "$hall" && cp "$LEAT_BIN" "$hall/leat" && if [ -e "$lib" ]; then cp "$lib" "$hall/lib.so"; fi && cp -a w "$hall/w" && mkdir -m 777 "$hall/mine" &&
		if [ "$(id -u)" = 0 ]; then reader() { (cd "$hall/mine" && setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent ${lib:+LEAT_LIBDUCKDB="$hall/lib.so"} "$hall/leat" -C "$hall/w" "$@" 9>&-); }; else chmod -R a-w "$hall/w" && reader() { (cd "$hall/mine" && leat -C "$hall/w" "$@"); }; fi &&
		exits 2 reader put raw/x "$hall/leat" &&
		reader sql -o "$hall/mine/r.csv" "select 99 c" && test -s "$hall/mine/r.csv" && reader sql "select 98 c" > "$hall/mine/s.txt" && exits 1 reader whence "$hall/mine/r.csv" "$hall/mine/s.txt" &&
		reader whence "$TRASH/first.csv" > known.txt && grep "is the result of a query" known.txt && cp w/datastore/tables/sales/ds=2024-03-04/part-0.parquet "$hall/mine/p" && reader whence "$hall/mine/p" > known.txt && grep "made by job sales" known.txt &&
		eq "$(cd "$hall/w" && rows "select count(*) from exported")" "$((had + 1))"; rc=$?; chmod -R u+w "$hall"; rm -rf "$hall"; return $rc
	'
fi
test_expect 'notes of exports are bounded and can be turned off' '
	cd w && echo "exports_keep: 2" >> leat.yaml && for i in 1 2 3 4; do leat sql -o ../n$i.csv "select $i"; done && eq "$(rows "select count(*) from exported")" 2 && known ../n4.csv && exits 1 leat whence ../n1.csv &&
	sed -i "s/exports_keep: 2/exports_keep: 0/" leat.yaml && leat sql -o ../n5.csv "select 5" && exits 1 leat whence ../n5.csv && (export LEAT__EXPORTS_KEEP=-1; exits 2 leat status 2> ../err) && has ../err exports_keep
'
test_done
