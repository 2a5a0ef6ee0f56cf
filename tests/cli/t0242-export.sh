#!/usr/bin/env bash
. "$(dirname "$0")/../lib.sh"

test_expect 'export writes every repo as a plain folder, with commits and hashes' '
	workspace w && mkdir -p d/ds=2024-01-01 && echo 1 > d/ds=2024-01-01/x.csv && head -c 100000 /dev/urandom > d/big &&
	printf "%s" 2 > "d/with space" && leat put raw/t d && echo 2 > f && leat put docs f -m "a message" && leat put docs f &&
	leat export ../out && diff -r d ../out/raw/t && eq "$(cat ../out/docs/f)" 2 &&
	eq "$(stat -c %a ../out/raw/t/big)" 644 && eq "$(stat -c %h ../out/raw/t/big)" 1 && count 4 ls -A ../out &&
	eq "$(json ../out/leat-export.json "[(r[\"repo\"], r[\"number\"], r[\"files\"]) for r in d[\"repos\"]]")" \
		"[[\"docs\", 2, 1], [\"raw/t\", 1, 3]]" &&
	test ! -e ../out/.leat
'
test_expect 'sha256sum itself checks an export' '
	cd out && count 4 cat SHA256SUMS && sha256sum -c --strict --quiet SHA256SUMS && echo 3 > docs/f &&
	exits 1 sha256sum -c --quiet SHA256SUMS
'
test_expect 'names that sha256sum escapes are listed as it reads them' '
	cd w && mkdir odd && printf 1 > "odd/back\\slash" && leat put raw/odd odd && leat export raw/odd ../odd &&
	cd ../odd && sha256sum -c --strict --quiet SHA256SUMS
'
test_expect 'some repos, at a pin' '
	cd w && leat export docs@master.1 ../one && count 3 ls -A ../one && has ../one/leat-export.json "a message" &&
	leat export raw/t docs ../two --json > ../j && eq "$(json ../j "[d[\"repos\"], d[\"files\"]]")" "[2, 4]"
'
test_expect 'what cannot be is refused' '
	cd w && exits 2 leat export ../one 2> ../err && has ../err "not empty" && exits 2 leat export docs docs@master.1 ../n 2> ../err &&
	has ../err "named twice" && exits 2 leat export raw/t:/big ../n && exits 1 leat export raw/nope ../n &&
	exits 2 leat export . && exits 2 leat export datastore/x && exits 2 leat export && test ! -e ../n && mkdir ../empty &&
	leat export docs ../empty && count 3 ls -A ../empty
'
test_expect 'an export can be put into a new workspace again' '
	leat init back && cd back && leat put raw/t ../two/raw/t && leat export ../again && diff -r ../two/raw/t ../again/raw/t
'
test_done
