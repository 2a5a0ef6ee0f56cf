#!/usr/bin/env bash
# put and get: where what lands (SEMANTICS 6, first rule), as a table of cases.
. "$(dirname "$0")/../lib.sh"

mkdir -p src/D/sub src/E && cd src && echo a > D/a && echo b > D/sub/b && echo f > f && echo g > g && echo e > E/a && cd ..
leat init w > /dev/null 2>&1
n=0
# lands 'sentence' 'words after put R' path…: into a repo of its own, exactly these paths
lands() {
	local name=$1 words=$2
	shift 2
	n=$((n + 1))
	WORDS=${words//R/raw/r$n} REPO=raw/r$n PATHS=$(printf '/%s\n' "$@" | sort)
	test_expect "$name" '
		cd src && leat -C ../w put $WORDS < f && eq "$(leat -C ../w ls -R $REPO | sort)" "$PATHS"
	'
}
lands 'put R F puts /F' 'R f' f
lands 'put R F G puts both at the root' 'R f g' f g
lands 'put R:/P F puts P' 'R:/P f' P
lands 'put R:/P/Q F puts P/Q' 'R:/P/Q f' P/Q
lands 'put R:/P/ F puts P/F' 'R:/P/ f' P/f
lands 'put R:/P F G puts into P/' 'R:/P f g' P/f P/g
lands 'put R D puts the content of folder D at the root' 'R D' a sub/b
lands 'put R D/ is put R D' 'R D/' a sub/b
lands 'put R:/P D puts the content of D under P' 'R:/P D' P/a P/sub/b
lands 'put R D F: with several arguments a folder keeps its name' 'R D f' D/a D/sub/b f
lands 'put R:/P D E F: under P each with its name' 'R:/P D E f' P/D/a P/D/sub/b P/E/a P/f
lands 'put R D/. F: a folder without a name gives its content' 'R D/. f' a sub/b f
lands 'put R:/P - puts standard input' 'R:/P -' P
lands 'put R - --name N puts standard input as N' 'R - --name N' N
lands 'put R --ds D - --name N' 'R --ds 2024-01-02 - --name N' ds=2024-01-02/N
lands 'put R:/P/ - --name N' 'R:/P/ - --name N' P/N
lands 'put --ds D prefixes the folder ds=D/' 'R f --ds 2024-01-02' ds=2024-01-02/f
lands 'put --ds with a folder' 'R D --ds 2024-01-02' ds=2024-01-02/a ds=2024-01-02/sub/b
lands 'put --ds with a path' 'R:/x/y f --ds 2024-01-02' ds=2024-01-02/x/y
lands 'ds may be an hour' 'R f --ds 2024-01-02T05' ds=2024-01-02T05/f
lands 'ds may be a week' 'R f --ds 2024-W01' ds=2024-W01/f
lands 'ds may be a month' 'R f --ds 2024-01' ds=2024-01/f
lands 'put R F --name N gives the file that name' 'R f --name N' N
lands 'the same file twice is one file' 'R f f' f

test_expect 'files that the folder does not have stay, those it has are replaced' '
	leat -C w put raw/stay src/f src/g && leat -C w put raw/stay src/D && eq "$(leat -C w ls -R raw/stay | paste -sd" ")" "/a /f /g /sub/b" &&
	leat -C w put raw/stay src/E && leat -C w cat raw/stay:/a > out && same out src/E/a && count 4 leat -C w ls -R raw/stay
'
test_expect 'put always makes a commit, of equal bytes too; content seen before is not stored again' '
	leat -C w put raw/same src/f && leat -C w put raw/same src/f && count 2 leat -C w log raw/same --json &&
	printf "PAR1 ...... PAR1" > par && leat -C w put raw/same par && stored() { find w/.leat/blobs w/.leat/packs -type f | wc -l && python3 -c "import sqlite3; print(sqlite3.connect(\"file:w/.leat/leat.db?mode=ro\", uri=True).execute(\"select count(*) from small\").fetchone())"; } &&
	b=$(stored) && leat -C w put raw/other src/f par && eq "$(stored)" "$b"
'
test_expect 'the id shown is what sha256sum prints, for a small file and a large one' '
	head -c 3000000 /dev/urandom > big && leat -C w put raw/big big src/f && leat -C w ls -l raw/big --json > out &&
	for f in big src/f; do has out "$(sha256sum < $f | cut -d" " -f1)"; done &&
	eq "$(sha256sum < w/datastore/raw/big/big)" "$(sha256sum < big)"
'
test_expect 'get gives back the bytes: a file, a folder, the whole repo, to a name, into a folder, to standard output' '
	leat -C w put raw/tree src && leat -C w get raw/tree:/D/sub/b && same b src/D/sub/b && leat -C w get raw/tree:/f -o name && same name src/f &&
	mkdir into && leat -C w get raw/tree:/f -o into && same into/f src/f && leat -C w get raw/tree:/f -o new/folder/ && same new/folder/f src/f &&
	leat -C w get raw/tree:/D -o dd && diff -r dd src/D && leat -C w get raw/tree && diff -r tree src && leat -C w get raw/tree:/f -o - > out && same out src/f
'
test_expect 'get writes over an older file whole, and what get made may be edited' '
	cd src && leat -C ../w get raw/tree:/g -o ../name && same ../name g && echo more >> ../name && leat -C ../w cat raw/tree:/g > ../out && same ../out g
'
test_expect 'get, cat and ls take --ds' '
	leat -C w put raw/days src/f --ds 2024-01-02 && leat -C w get raw/days:/f --ds 2024-01-02 -o gd && same gd src/f &&
	leat -C w cat raw/days:/f --ds 2024-01-02 > out && same out src/f && count 1 leat -C w ls raw/days --ds 2024-01-02 &&
	exits 1 leat -C w ls raw/days --ds 2024-01-03 2> err && has err "ds=2024-01-03"
'
test_expect 'a message is kept; standard input of any size and bytes; an empty file; an empty folder' '
	leat -C w put raw/msg src/f -m "first load" && leat -C w log raw/msg > out && has out "first load" &&
	head -c 1000003 /dev/urandom > r && leat -C w put raw/pipe:/r - < r && leat -C w cat raw/pipe:/r > r2 && same r r2 &&
	: > empty && leat -C w put raw/pipe empty && leat -C w cat raw/pipe:/empty > out && test ! -s out && test -f w/datastore/raw/pipe/empty &&
	mkdir nothing && leat -C w put raw/nothing nothing && count 0 leat -C w ls raw/nothing
'
test_expect 'a put to a branch that is not there begins it empty, and master stays' '
	leat -C w put raw/br src/f && leat -C w put raw/br@dev src/g && eq "$(leat -C w ls raw/br@dev)" /g && eq "$(leat -C w ls raw/br)" /f &&
	test ! -e w/datastore/raw/br/g
'
test_expect 'a link that is named is put as what it leads to; links inside a folder too, if they stay in it' '
	ln -s src/f link && leat -C w put raw/link link && leat -C w cat raw/link:/link > out && same out src/f &&
	mkdir L && echo x > L/x && ln -s x L/y && leat -C w put raw/links L && leat -C w cat raw/links:/y > out && same out L/x
'
test_expect 'files being put may belong to nobody who can be asked: modes and times do not matter' '
	cp src/f old && touch -d 1970-01-02 old && chmod 0640 old && leat -C w put raw/old old && leat -C w ls -l raw/old > a &&
	touch old && chmod 0444 old && leat -C w put raw/old old && leat -C w ls -l raw/old > b && same a b && test -r old
'
test_expect 'what is put is safe from the one who put it: writing to the source later changes nothing' '
	cp src/f mine && leat -C w put raw/mine mine && echo changed >> mine && leat -C w cat raw/mine:/mine > out && same out src/f
'
test_expect 'datastore/ shows the head as plain read-only files' '
	test -f w/datastore/raw/tree/D/sub/b && same w/datastore/raw/tree/D/sub/b src/D/sub/b && eq "$(stat -c %a w/datastore/raw/tree/f)" 444 &&
	leat -C w rm raw/tree:/f && test ! -e w/datastore/raw/tree/f && test -f w/datastore/raw/tree/g
'
test_done
