#!/usr/bin/env bash
# put: -a, -r, -i, --untar, --stdin, -p, URLs, author, metadata; the rows of docs/how-to/put.md that t1000 does not have.
. "$(dirname "$0")/../lib.sh"

mkdir -p src/D/sub src/E/a && cd src && echo a > D/a && echo b > D/sub/b && echo f > f && echo g > g && echo e > E/a/x && tar -cf D.tar -C D . && tar -czf D.tgz -C D . && cd ..
leat init w > /dev/null 2>&1
n=0
lands() { # 'sentence' 'words after put R' path…: into a repo of its own, exactly these paths
	local name=$1 words=$2
	shift 2
	n=$((n + 1))
	WORDS=${words//R/raw/r$n} REPO=raw/r$n PATHS=$(printf '/%s\n' "$@" | sort)
	test_expect "$name" '
		cd src && leat -C ../w put $WORDS < f && eq "$(leat -C ../w ls -R $REPO | sort)" "$PATHS"
	'
}
lands 'put -r R D is put R D' '-r R D' a sub/b
lands 'put R --stdin --name N is put R - --name N' 'R --stdin --name N' N
lands 'put R:/P --stdin is put R:/P -' 'R:/P --stdin' P
lands 'put R --untar T puts what the archive holds at the root' 'R --untar D.tar' a sub/b
lands 'put R:/P --untar T puts it under P' 'R:/P --untar D.tgz' P/a P/sub/b
lands 'put R:/P/ --untar T U: several archives, all under P' 'R:/P/ --untar D.tgz D.tar' P/a P/sub/b
lands 'put R --untar T --ds D' 'R --untar D.tar --ds 2024-01-02' ds=2024-01-02/a ds=2024-01-02/sub/b

test_expect '-a appends to a file that is there, and makes one that is not' '
	leat -C w put -a raw/app:/log src/f && leat -C w put -a raw/app:/log src/g && echo h | leat -C w put -a raw/app:/log - && printf "f\ng\nh\n" > want && leat -C w cat raw/app:/log > out && same want out &&
	leat -C w put raw/app:/log src/g && leat -C w cat raw/app:/log > out && same src/g out && count 4 leat -C w log raw/app --json && leat -C w cat raw/app@.2:/log > out && printf "f\ng\n" > want && same want out
'
test_expect '-a of a folder appends file by file; files beside them stay' '
	leat -C w put raw/fold src/D && leat -C w put -a -r raw/fold src/D && leat -C w put -a raw/fold:/new src/D && printf "a\na\n" > want && leat -C w cat raw/fold:/a > out && same want out && leat -C w cat raw/fold:/sub/b > out && printf "b\nb\n" > want && same want out &&
	leat -C w cat raw/fold:/new/sub/b > out && same src/D/sub/b out
'
test_expect '-a of large files: the bytes of both, and the id is their SHA-256' '
	head -c 3000000 /dev/urandom > big1 && head -c 200000 /dev/urandom > big2 && leat -C w put raw/big:/b big1 && leat -C w put -a raw/big:/b big2 && cat big1 big2 > want && leat -C w get raw/big:/b -o out && same want out &&
	leat -C w ls -l raw/big > ls && has ls "$(sha256sum < want | cut -d" " -f1)" && leat -C w fsck
'
test_expect '-a to a folder is refused, so is a link in a folder that is appended' '
	exits 2 leat -C w put -a raw/fold:/sub src/f 2> err && has err "is a folder" && mkdir -p L && echo x > L/x && ln -sf x L/y && exits 2 leat -C w put -a raw/fold L 2> err && has err "L/y" "plain"
'
test_expect 'several processes append to one file at once: every line is there once' '
	for p in 1 2 3 4; do (for k in $(seq 8); do echo $p.$k | leat -C w put -a raw/race:/log - || touch failed; done) > /dev/null & done; wait && test ! -e failed &&
	leat -C w cat raw/race:/log | sort > out && for p in 1 2 3 4; do for k in $(seq 8); do echo $p.$k; done; done | sort > want && same want out
'
test_expect '-a in an open commit appends to what is in it' '
	id=$(leat -C w start raw/app) && leat -C w put -a raw/app@$id:/log src/f && leat -C w put -a raw/app@$id:/log src/f && printf "g\nf\nf\n" > want && leat -C w cat raw/app@$id:/log > out && same want out && leat -C w cat raw/app:/log > out && same src/g out && leat -C w finish raw/app && leat -C w cat raw/app:/log > out && same want out
'
test_expect '-i LIST puts what its lines name, -i - those of standard input; blank lines do not count' '
	cd src && printf "f\n\ng\nD\n" > ../list && leat -C ../w put raw/list -i ../list && eq "$(leat -C ../w ls -R raw/list | paste -sd" ")" "/D/a /D/sub/b /f /g" &&
	printf "f\r\n" | leat -C ../w put raw/list2:/x/ -i - g && eq "$(leat -C ../w ls -R raw/list2 | paste -sd" ")" "/x/f /x/g" &&
	exits 1 leat -C ../w put raw/list3 -i nolist 2> err && has err nolist && printf "f\nnofile\n" > ../list && exits 1 leat -C ../w put raw/list3 -i ../list 2> err && has err nofile && exits 1 leat -C ../w ls raw/list3 2> err
'
test_expect 'without anything to put, and with standard input named twice: refused' '
	exits 2 leat -C w put raw/x 2> err && has err FILE && exits 2 leat -C w put raw/x:/y - --stdin 2> err < src/f && has err "once"
'
test_expect 'an archive with a path that leaves the folder, or a link, puts nothing' '
	python3 - <<P &&
import io, tarfile
for name, info in (("up.tar", tarfile.TarInfo("../up")), ("abs.tar", tarfile.TarInfo("/abs/x")), ("link.tar", tarfile.TarInfo("link"))):
    with tarfile.open(name, "w") as t:
        if name == "link.tar":
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            t.addfile(info)
        else:
            info.size = 1
            t.addfile(info, io.BytesIO(b"x"))
P
	exits 2 leat -C w put raw/evil --untar up.tar 2> err && exits 2 leat -C w put raw/evil --untar abs.tar 2> err && exits 2 leat -C w put raw/evil --untar link.tar 2> err && has err link && exits 1 leat -C w ls raw/evil 2> err && test ! -e up && exits 1 leat -C w put raw/evil --untar src/f 2> err && has err "src/f"
'
test_expect 'an archive from standard input; one that is cut short puts nothing' '
	leat -C w put raw/pipe --untar - < src/D.tgz && eq "$(leat -C w ls -R raw/pipe | paste -sd" ")" "/a /sub/b" && head -c 100 src/D.tgz > cut.tgz && exits 1 leat -C w put raw/cut --untar cut.tgz 2> err && exits 1 leat -C w ls raw/cut 2> err
'
test_expect 'nothing of ours is left in staging' '
	test -z "$(find w/.leat/staging -name "put-*")"
'
test_expect 'what a killed put leaves there goes with the next one; that of one at work stays' '
	{ sleep 600 | leat -C w put raw/slow:/x - & } && wait_for 20 sh -c "ls -d w/.leat/staging/put-*" && live=$(cd w/.leat/staging && echo put-*) && mkdir w/.leat/staging/put-dead && echo 1 > w/.leat/staging/put-dead/stdin &&
	leat -C w put raw/quick:/x - < src/f && eq "$(cd w/.leat/staging && echo put-*)" "$live" && pkill -P $$ sleep && wait
'
http_server src
test_expect 'http URLs: by their name, to a path, into a folder, several at once, with --name, with --untar' '
	leat -C w put raw/url $HTTP_URL/f && leat -C w put raw/url:/P $HTTP_URL/g && leat -C w put raw/url:/Q/ $HTTP_URL/f $HTTP_URL/g src/D -p 2 && leat -C w put raw/url $HTTP_URL/f --name N && leat -C w put raw/url:/T --untar $HTTP_URL/D.tgz &&
	eq "$(leat -C w ls -R raw/url | paste -sd" ")" "/N /P /Q/D/a /Q/D/sub/b /Q/f /Q/g /T/a /T/sub/b /f" && leat -C w cat raw/url:/Q/g > out && same out src/g && count 5 leat -C w log raw/url --json
'
test_expect 'twenty URLs from a list, four at a time' '
	for i in $(seq 20); do echo $i > src/n$i && echo $HTTP_URL/n$i; done > urls && leat -C w put raw/urls -i urls -p 4 && count 20 leat -C w ls raw/urls && leat -C w cat raw/urls:/n13 > out && same out src/n13
'
test_expect 'one URL of several that is not there: nothing is put, exit 1, the URL named' '
	exits 1 leat -C w put raw/part $HTTP_URL/f $HTTP_URL/nothing 2> err && has err "$HTTP_URL/nothing" 404 && exits 1 leat -C w ls raw/part 2> err
'
test_expect 'a URL that ends in no name needs one' '
	exits 2 leat -C w put raw/dir $HTTP_URL/ 2> err && has err "--name"
'
test_expect '-a appends what a URL gives' '
	leat -C w put -a raw/url:/N $HTTP_URL/g && printf "f\ng\n" > want && leat -C w cat raw/url:/N > out && same want out
'
test_expect 'a password in a URL is kept nowhere' '
	leat -C w put raw/url $(echo $HTTP_URL | sed s,//,//me:secret@,)/f && leat -C w log raw/url --json > out && lacks out secret && state w > st && lacks st me:secret
'
test_expect 'ftp URLs' '
	python3 "$TESTS/fake/ftpd.py" --port-file ftp.port src > ftp.log 2>&1 9>&- & t_pids+=($!) && wait_for 30 test -s ftp.port && FTP=ftp://127.0.0.1:$(cat ftp.port) &&
	leat -C w put raw/ftp $FTP/f $FTP/D/sub/b && leat -C w put raw/ftp:/t --untar $FTP/D.tgz && leat -C w cat raw/ftp:/b > out && same out src/D/sub/b && eq "$(leat -C w ls -R raw/ftp | paste -sd" ")" "/b /f /t/a /t/sub/b" && exits 1 leat -C w put raw/ftp2 $FTP/nothing 2> err && has err "$FTP/nothing" && exits 1 leat -C w ls raw/ftp2 2> err
'
test_expect '--author, --meta and --message are kept and shown by log' '
	leat -C w put raw/who src/f --author "Ada L" --meta b=2 --meta "a=x = y" -m hello && leat -C w log raw/who --json > out && eq "$(json out "[d[\"author\"], d[\"message\"], d[\"meta\"]]")" "[\"Ada L\", \"hello\", {\"a\": \"x = y\", \"b\": \"2\"}]" &&
	leat -C w log raw/who > out && has out hello "a=x = y" "b=2" && exits 2 leat -C w put raw/who src/f --meta nothing 2> err && has err "KEY=VALUE" && exits 2 leat -C w put raw/who src/f --meta a=1 --meta a=2 2> err && has err twice && leat -C w rm raw/who:/f --meta why=old && leat -C w log raw/who -n 1 --json > out && eq "$(json out "d[\"meta\"][\"why\"]")" old
'
test_done
