#!/usr/bin/env bash
# Archives that a download unpacks: what comes out, and what is refused.
. "$(dirname "$0")/../lib.sh"
needs python3

mkdir srv && printf 'a,b\n1,2\n' >srv/plain.csv
python3 - <<'E2'
import gzip, io, struct, tarfile, zipfile
text = open('srv/plain.csv', 'rb').read()
big = b'0123456789' * 200000
long = 'd' * 120 + '/' + 'e' * 120 + '/f.csv'

open('srv/plain.csv.gz', 'wb').write(gzip.compress(text))
open('srv/members.csv.gz', 'wb').write(gzip.compress(text) + gzip.compress(b'3,4\n'))
open('srv/cut.csv.gz', 'wb').write(gzip.compress(big)[:-40])
open('srv/bomb.csv.gz', 'wb').write(gzip.compress(b'\0' * (8 << 20)))

def tar(name, entries, mode='w', **more):
    with tarfile.open('srv/' + name, mode, **more) as t:
        for path, body in entries:
            i = tarfile.TarInfo(path)
            if isinstance(body, str):
                i.type, i.linkname = tarfile.SYMTYPE, body
                t.addfile(i)
            else:
                i.size = len(body)
                t.addfile(i, io.BytesIO(body))

tar('pax.tar.gz', [('./plain.csv', text), ('sub/big.bin', big), (long, text), ('sub/äöü.csv', text)], 'w:gz', format=tarfile.PAX_FORMAT)
tar('gnu.tar', [(long, text), ('plain.csv', text)], format=tarfile.GNU_FORMAT)
tar('ustar.tar', [('x' * 90 + '/' + 'y' * 60, text), ('empty', b'')], format=tarfile.USTAR_FORMAT)
tar('up.tar', [('fine.csv', text), ('../../evil', text)])
tar('abs.tar', [('/etc/evil', text)])
tar('link.tar', [('evil', '/etc/passwd'), ('evil/x', text)])
tar('twice.tar', [('a', text), ('a', text)])
b = open('srv/gnu.tar', 'rb').read()
open('srv/cut.tar', 'wb').write(b[:-9000][:1900])

def zipped(name, entries, how=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile('srv/' + name, 'w', how) as z:
        for path, body in entries:
            z.writestr(path, body)

zipped('z.zip', [('plain.csv', text), ('sub/big.bin', big), ('sub/', b'')])
zipped('stored.zip', [('plain.csv', text)], zipfile.ZIP_STORED)
zipped('up.zip', [('../evil', text)])
with zipfile.ZipFile('srv/zip64.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    with z.open('big.bin', 'w', force_zip64=True) as f:
        f.write(big)
link = zipfile.ZipInfo('evil')
link.create_system, link.external_attr = 3, 0o120777 << 16
zipped('link.zip', [(link, '/etc/passwd')])
b = bytearray(open('srv/stored.zip', 'rb').read())
b[b.index(b'1,2')] ^= 1
open('srv/damaged.zip', 'wb').write(b)
open('big.bin', 'wb').write(big)
open('long', 'w').write(long)
E2
http_server srv --etag
leat init w >/dev/null || exit 1

job() { # FILE HOW [line…]
	mkdir -p jobs/u && printf 'kind: download\noutput: raw/u\nurl: %s\nunpack: %s\n' "$HTTP_URL/$1" "$2" >jobs/u/job.yaml
	shift 2
	printf '%s\n' "$@" >>jobs/u/job.yaml
}
refused() { # FILE HOW text…: a run fails with these words and leaves the output as it was
	job "$1" "$2" && exits 1 leat run u 2>err && has err "$1" "${@:3}" && leat ls raw/u >listed && eq "$(cat listed)" /kept.csv
}

test_expect 'gunzip: the name loses .gz; members that follow each other are one file; again asks by ETag' '
	cd w
	job plain.csv.gz gunzip
	leat run u
	leat cat raw/u:/plain.csv >back
	same back ../srv/plain.csv
	leat run u
	has $HTTP_LOG "GET /plain.csv.gz 304"
	leat cat raw/u:/plain.csv >back
	same back ../srv/plain.csv
	job members.csv.gz gunzip
	leat run u
	leat cat raw/u:/members.csv >back
	eq "$(cat back)" "$(printf "a,b\n1,2\n3,4")"
	count 1 leat ls raw/u
'

test_expect 'untar: ustar, pax, GNU names, gzipped or not; what it holds is the whole output; again asks by ETag' '
	cd w
	job pax.tar.gz untar
	leat run u
	leat cat raw/u:/plain.csv >back
	same back ../srv/plain.csv
	leat cat raw/u:/sub/big.bin >back && same back ../big.bin
	leat cat raw/u:/$(cat ../long) >back
	same back ../srv/plain.csv
	leat cat raw/u:/sub/äöü.csv >back
	same back ../srv/plain.csv
	leat run u
	has $HTTP_LOG "GET /pax.tar.gz 304"
	leat cat raw/u:/sub/big.bin >back && same back ../big.bin
	job gnu.tar untar
	leat run u
	leat cat raw/u:/$(cat ../long) >back
	same back ../srv/plain.csv
	job ustar.tar untar
	leat run u
	leat cat raw/u:/$(printf x%.0s {1..90})/$(printf y%.0s {1..60}) >back && same back ../srv/plain.csv
'

test_expect 'unzip: deflated, stored, zip64' '
	cd w
	job z.zip unzip
	leat run u
	leat cat raw/u:/plain.csv >back
	same back ../srv/plain.csv
	leat cat raw/u:/sub/big.bin >back && same back ../big.bin
	job stored.zip unzip
	leat run u
	leat cat raw/u:/plain.csv >back
	same back ../srv/plain.csv
	job zip64.zip unzip && leat run u && leat cat raw/u:/big.bin >back && same back ../big.bin
'

test_expect 'sha256: is of what was fetched, before it is unpacked' '
	cd w
	job plain.csv.gz gunzip "sha256: $(sha256sum <../srv/plain.csv.gz | cut -d" " -f1)" "name: kept.csv"
	leat run u
	leat cat raw/u:/kept.csv >back
	same back ../srv/plain.csv
	count 1 leat ls raw/u
'

test_expect 'nothing is written outside of the output: .., absolute paths and links are refused' '
	cd w
	refused up.tar untar "../../evil"
	refused abs.tar untar "/etc/evil, an absolute path"
	refused link.tar untar "evil, a symbolic link"
	refused up.zip unzip "../evil"
	refused link.zip unzip "evil, a symbolic link"
	refused twice.tar untar "comes twice"
	[ ! -e /etc/evil ] && eq "$(find .. -name evil)" ""
'

test_expect 'archives that are cut, damaged or something else are refused' '
	cd w
	refused cut.csv.gz gunzip "ends in the middle"
	refused plain.csv gunzip "it is no gzip file"
	refused cut.tar untar "ends in the middle"
	refused plain.csv untar "is no tar archive"
	refused damaged.zip unzip "another checksum"
	refused plain.csv unzip "is no zip archive"
'

test_expect 'what unpacks to more than max_size is refused' '
	cd w
	job bomb.csv.gz gunzip "max_size: 1MB"
	exits 1 leat run u 2>err
	has err "unpacks to more than 1000000 bytes" "max_size:"
'
test_done
