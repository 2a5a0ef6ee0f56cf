#!/usr/bin/env bash
# docs/formats/store.md: a program that shares no code with leat reads the store by that page alone.
. "$(dirname "$0")/../lib.sh"
needs python3
READ=$TESTS/unit/repo/read_store.py

tree_of() { # REPO: the id of its root folder, from the database itself
	python3 -c 'import sqlite3, sys
print(sqlite3.connect("file:.leat/leat.db?mode=ro", uri=True).execute("select hex(c.tree) from repo r join branch b on b.repo = r.id"
	" join commits c on c.repo = r.id and c.id = b.head where r.name = ?", (sys.argv[1],)).fetchone()[0])' "$1"
}

test_expect 'a reader written by docs/formats/store.md alone finds the same files, hashes and sizes as leat' '
	workspace w &&
	mkdir -p d/deep/er && for i in $(seq 1 400); do echo "$i" > "d/file-$i.csv"; done &&
	cp d/file-1.csv "d/deep/er/été et hiver.csv" && : > d/deep/empty &&
	leat put raw/many d &&
	python3 "$READ" . raw/many > got &&
	(cd d && find . -type f | sed "s,^\./,," | while IFS= read -r f; do echo "$(sha256sum < "$f" | cut -c1-64) $(stat -c %s "$f") $f"; done) > want &&
	LC_ALL=C sort got > got.sorted && LC_ALL=C sort want > want.sorted && same want.sorted got.sorted
'

test_expect 'after edits it still does: pages are cut where a folder built at once would have them' '
	cd w &&
	for i in 7 70 300 399; do leat rm "raw/many:/file-$i.csv"; rm "d/file-$i.csv"; done &&
	echo more > d/file-0000.csv && leat put raw/many:/file-0000.csv d/file-0000.csv &&
	leat put raw/once d &&
	python3 "$READ" . raw/many > many && python3 "$READ" . raw/once > once && same once many &&
	[ "$(tree_of raw/many)" = "$(tree_of raw/once)" ]
'

test_expect 'it finds objects whole, in packs and in rows, each where the page says that it is' '
	cd w && head -c 70000 /dev/urandom > big && printf "PAR1 a small table PAR1" > t.parquet && head -c 900 /dev/zero > zeros &&
	leat put raw/mixed big t.parquet zeros && python3 "$READ" . raw/mixed 2> places && same - places <<-EOT &&
	small 1 whole 2
	EOT
	for i in $(seq 1 200); do seq $i $((i + 200)) > "d/f-$i"; done && leat put raw/mixed d && python3 "$READ" . raw/mixed 2> places &&
	grep -qE "^packed [0-9]{3} small [0-9] whole 2$" places && [ "$(find .leat/packs -type f | wc -l)" = 2 ]
'

test_expect 'the sums that a reader checks are the ones leat tells' '
	cd w && leat fsck && [ "$(wc -l < many)" = 399 ]
'

test_done
