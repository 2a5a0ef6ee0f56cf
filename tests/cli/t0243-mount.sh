#!/usr/bin/env bash
. "$(dirname "$0")/../lib.sh"
needs python3
why=$(python3 - <<'P'
import ctypes, os
try:
    os.close(os.open('/dev/fuse', os.O_RDWR))
    ctypes.CDLL('libfuse3.so.3')
except OSError as e:
    print(e)
P
)
servers() { # the ids of those that this script has started
	local c
	for c in /proc/[0-9]*/cmdline; do
		case $(tr '\0' ' ' 2>/dev/null <"$c") in *"--role mount $TRASH/"*) c=${c#/proc/} && echo "${c%/cmdline}" ;; esac
	done
}
server_gone() { [ -z "$(servers)" ]; }
trap 'kill $(servers) 2>/dev/null; t_end' EXIT
mounted() { grep -q " $TRASH/$1 fuse.leat " /proc/mounts; }
unmounted() { ! mounted "$1"; }

test_expect 'a workspace with zones, branches, tags and a system repo' '
	workspace w && mkdir -p d/sub && echo one > d/a && head -c 3000000 /dev/urandom > d/big && echo x > "d/sub/with space" &&
	leat put raw/t d && echo two > d/a && leat put raw/t d && echo dev > a && leat put raw/t@dev:/a a && leat put plain a &&
	leat tag raw/t@v1 raw/t@master.1
'
test_expect 'without /dev/fuse or libfuse3 the sentence offers checkout' '
	cd w && if [ -n "$why" ]; then exits 2 leat mount ../m 2> ../err || exits 1 leat mount ../m 2> ../err; has ../err checkout; else
		leat doctor | grep "leat mount"; fi
'
if [ -n "$why" ]; then
	test_skip 'a mount' "nothing can be mounted here: $why"
	test_done
fi
if ! { cd w && "$LEAT_BIN" mount "$TRASH/probe" -b >/dev/null 2>&1; }; then
	test_skip 'a mount' 'this machine does not let us mount'
	test_done
fi
wait_for 10 mounted probe
umount "$TRASH/probe" 2>/dev/null || fusermount3 -u "$TRASH/probe"
wait_for 10 server_gone

test_expect 'mount shows every repo at its head, and returns when asked to' '
	cd w && leat mount ../m --background 2> ../err && has ../err "fusermount3 -u" && mounted m &&
	eq "$(ls ../m | tr "\n" " ")" "plain raw " && diff -r d ../m/raw/t && eq "$(cat ../m/plain/a)" dev
'
test_expect 'branches and tags are listed beside their repo, other pins are found by name' '
	eq "$(ls m/raw | tr "\n" " ")" "t t@dev t@v1 " && eq "$(cat m/raw/t@dev/a)" dev && eq "$(cat m/raw/t@v1/a)" one &&
	eq "$(cat m/raw/t@master.1/a)" one && eq "$(cat m/raw/t@master^/a)" one && exits 1 test -e m/raw/t@master.7 &&
	exits 1 test -e m/raw/nope && exits 1 test -e m/raw/t/nope && exits 1 test -e m/raw/t/a/b && exits 1 test -e "m/raw/t@" &&
	exits 1 test -e "m/raw/t:" && leat -C w log raw/t -n 1 --json > j && id=$(json j "d[\"commit\"]") &&
	eq "$(cat m/raw/t@$id/a)" two
'
test_expect 'it is read-only, and stat says sizes, modes and the time of the commit' '
	exits 1 touch m/x && exits 1 python3 -c "open(\"m/raw/t/a\", \"w\")" && exits 1 rm -f m/raw/t/a && exits 1 mkdir m/raw/n &&
	eq "$(stat -c "%s %a %F" m/raw/t/big)" "3000000 444 regular file" && eq "$(stat -c "%a %F" m/raw/t/sub)" "555 directory" &&
	test "$(stat -c %Y m/raw/t/a)" -gt 1700000000 && eq "$(stat -c %i m/raw/t/a)" "$(stat -c %i m/raw/t/a)"
'
test_expect 'a part of a large file comes as it is' '
	tail -c 1000001 m/raw/t/big | cmp - <(tail -c 1000001 w/d/big) &&
	dd if=m/raw/t/big bs=4096 skip=300 count=3 status=none | cmp - <(dd if=w/d/big bs=4096 skip=300 count=3 status=none)
'
test_expect 'the head moves while it is mounted, a reader that is in it stays at his commit' '
	cat > reader.py <<-"P" &&
	import os, sys
	d = os.open("m/raw/t", os.O_RDONLY)
	f = open("m/raw/t/a")
	print("ready", flush=True)
	sys.stdin.readline()
	g = os.open("a", os.O_RDONLY, dir_fd=d)
	print(f.read().strip(), os.read(g, 10).decode().strip(), open("m/raw/t/a").read().strip())
	P
	coproc R { python3 reader.py; } && read -r line <&${R[0]} && eq "$line" ready && echo three > w/d/a && leat -C w put raw/t:/a w/d/a &&
	eq "$(cat m/raw/t/a)" three && echo go >&${R[1]} && read -r line <&${R[0]} && eq "$line" "two two three" && wait $R_PID
'
test_expect 'a new repo, a removed repo and an empty branch show' '
	cd w && leat put zone/new a && wait_for 5 test -e ../m/zone/new/a && leat rm --repo zone/new && wait_for 5 test ! -e ../m/zone/new
'
test_expect 'a folder of 5,000 names is read in pages, from any place' '
	cd w && mkdir wide && (cd wide && seq -f "file-with-a-long-name-%.0f" 5000 | xargs touch) && leat put raw/wide wide &&
	count 5000 ls ../m/raw/wide && diff <(ls wide) <(ls ../m/raw/wide) && python3 - ../m/raw/wide <<-"P"
	import ctypes, os, sys
	libc = ctypes.CDLL(None)
	libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p
	libc.telldir.restype = ctypes.c_long
	for f in (libc.readdir, libc.telldir, libc.rewinddir, libc.closedir):
	    f.argtypes = [ctypes.c_void_p]
	libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
	def name(e):
	    return ctypes.string_at(e + 19)
	d = libc.opendir(sys.argv[1].encode())
	seen, at = [], {}
	while True:
	    where = libc.telldir(d)
	    e = libc.readdir(d)
	    if not e:
	        break
	    at[len(seen)] = where
	    seen.append(name(e))
	assert len(seen) == len(set(seen)) == 5002, len(seen)
	for i in (4000, 17, 2, 0, 5001, 2500):
	    libc.seekdir(d, at[i])
	    assert name(libc.readdir(d)) == seen[i], i
	libc.rewinddir(d)
	assert name(libc.readdir(d)) == seen[0]
	P
'
test_expect 'readers that are killed in the middle do no harm' '
	set -m # the whole group is killed, not a shell that leaves its readers behind
	for i in $(seq 20); do (find m -type f -print0 | xargs -0 cat > /dev/null) & p=$!; sleep 0.0$((i % 7)); kill -9 -- -$p; wait $p 2> /dev/null || true; done
	set +m
	diff -r w/wide m/raw/wide && eq "$(cat m/raw/t/a)" three
'
test_expect 'ten readers at once read the same' '
	for i in $(seq 10); do (cat m/raw/wide/* m/raw/t/big | sha256sum > sum$i) & p[i]=$!; done; for i in $(seq 10); do wait ${p[i]} || return 1; done
	count 1 sort -u sum1 sum2 sum3 sum4 sum5 sum6 sum7 sum8 sum9 sum10
'
test_expect 'bytes that were lost are an error of that one file' '
	cd w && sha=$(sha256sum d/big | cut -c1-64) && mv .leat/blobs/${sha:0:2}/${sha:2} ../kept && exits 1 cat ../m/raw/t@master.2/big > /dev/null 2> ../err &&
	has ../err "Input/output error" && eq "$(cat ../m/raw/t/a)" three && mv ../kept .leat/blobs/${sha:0:2}/${sha:2} && cmp d/big ../m/raw/t@master.2/big
'
test_expect 'a second mount beside it, and one on a folder that is in use is refused' '
	cd w && leat mount ../m2 -b && diff -r ../m/raw/t ../m2/raw/t && exits 2 leat mount ../m2 2> ../err && has ../err "not empty" &&
	exits 2 leat mount datastore/x 2> ../err && exits 2 leat mount . && umount ../m2 && wait_for 10 unmounted m2
'
test_expect 'an unmount from outside ends the server, and the folder is an empty folder again' '
	wait_for 10 fusermount3 -u m && wait_for 10 server_gone && count 0 ls -A m && rmdir m
'
stands_in() { [ "$(readlink "/proc/$1/cwd")" = "$2" ]; } # PID FOLDER
test_expect 'in the foreground it ends with Ctrl-C, also while a reader stands in it, and takes the folder away that it made' '
	cd w && beside ../err "$LEAT_BIN" mount ../m && p=$BESIDE && wait_for 10 has ../err "Ctrl-C ends it" && mounted m &&
	{ (cd ../m/raw/t && exec sleep 600 9>&-) & } && s=$! && t_pids+=($s) && wait_for 10 stands_in $s "$TRASH/m/raw/t" && kill -INT $p && wait $p && unmounted m &&
	wait_for 10 server_gone && test ! -e ../m && kill $s
'
test_expect 'when the command is killed its server goes, and unmounts' '
	cd w && mkdir ../m && beside ../err "$LEAT_BIN" mount ../m && p=$BESIDE && wait_for 10 mounted m && kill -9 $p && wait_for 10 unmounted m && wait_for 10 server_gone
'
test_expect 'when the server is killed the command says so, and the folder can be used again' '
	cd w && beside ../err "$LEAT_BIN" mount ../m && p=$BESIDE && wait_for 10 mounted m && kill -9 $(servers) && exits 1 wait $p &&
	has ../err "the server of the mount ended" && unmounted m && count 0 ls -A ../m &&
	leat mount ../m -b && kill -9 $(servers) && wait_for 10 server_gone && exits 2 ls ../m && leat mount ../m -b &&
	eq "$(cat ../m/raw/t/a)" three && fusermount3 -u ../m && wait_for 10 server_gone
'
test_expect 'its memory is bounded: beyond a limit the kernel is told to forget, and readers notice nothing' '
	mkdir -p m && { "$LEAT_BIN" --role mount "$TRASH/w" "$TRASH/m" stay nodes=500 > talk 9>&- & } && wait_for 10 mounted m &&
	for i in 1 2 3; do diff -r w/wide m/raw/wide && diff -r w/wide m/raw/wide@master || return 1; sleep 1.1; ls -l m/raw/t > /dev/null; done &&
	eq "$(cat m/raw/t/a)" three && fusermount3 -u m && wait_for 10 server_gone && lacks talk note
'
test_expect 'a commit that a mount shows has a reader lease while it is looked at' '
	cd w && leat mount ../m -b && test -e ../m/raw/t/a && grep -q "OFDLCK" /proc/locks && fusermount3 -u ../m && wait_for 10 server_gone
'
test_expect 'a mount point that is taken away under it ends the server' '
	cd w && mkdir -p ../gone && leat mount ../gone/m -b && umount -l ../gone/m && rm -r ../gone && wait_for 10 server_gone
'
test_done
