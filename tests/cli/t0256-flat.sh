#!/usr/bin/env bash
# SEMANTICS 9: state changes in one short transaction. How much lies flat in the root of a repo makes none of them longer.
. "$(dirname "$0")/../lib.sh"
needs strace

held() { # leat's arguments: the system calls on leat.db in the longest hold of the write lock must be few
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -y --seccomp-bpf -e trace=flock,pread64,pwrite64,pwritev,fdatasync,fsync -o ../trace \
		"$LEAT_BIN" "$@" || return 1
	python3 "$TESTS/fake/held.py" ../trace | tee ../held
	[ "$(sed -n 's/^longest //p' ../held)" -le 120 ] && lacks ../held other
}

test_expect 'a job whose output is 3,000 files in the root publishes, twice, and holds the write lock for few pages only' '
	workspace w && echo "materialise: off" >>leat.yaml && mkdir -p jobs/flat && printf "kind: script\ninputs: {src: raw/src}\noutput: raw/flat\n" >jobs/flat/job.yaml &&
	printf "cd \$LEAT_OUTPUT && seq -f %%08.0f\$(cat \$LEAT_INPUT_src/n) 3000 | split -a 4 -l 1 - f\n" >jobs/flat/job.sh &&
	for n in 1 2; do echo $n >n && leat put raw/src n && held run -q || return 1; done &&
	eq "$(leat cat raw/flat:/faaab)" 000000022
'
test_expect 'a put of 3,000 files into the root does too, again and beside what is there' '
	mkdir m && (cd m && seq -f %08.0f 3000 | split -a 4 -l 1 - f) && cd w && held put raw/p ../m && held put raw/p ../m &&
	(cd ../m && seq -f %09.0f 3000 | split -a 4 -l 1 - f) && held put raw/p ../m && eq "$(leat cat raw/p:/faaab)" 000000002
'
test_expect 'so does a copy of them into another repo, and one over what is there' '
	cd w && held cp -r raw/p:/ raw/q && held cp -r raw/p@^:/ raw/q:/ && eq "$(leat cat raw/q:/faaab)" 00000002
'
test_expect 'so does the finish of an open commit with them, and their removal' '
	cd w && id=$(leat start raw/o) && leat put "raw/o@$id" ../m && echo x >x && leat put raw/o x && held finish raw/o &&
	eq "$(leat ls raw/o | wc -l)" 3001 && held rm -r raw/p:/
'
# What is known of the files in datastore/ is one file of a few hundred bytes a commit: a put of something new needs none of it.
cache_bytes() { # leat's arguments: how many bytes they read of .leat/cache/, and how many times it is opened to be read
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -y -e trace=openat,open,read,pread64,mmap -o ../trace "$LEAT_BIN" "$@" >../said &&
	grep -F .leat/cache/ ../trace | grep -vE "O_WRONLY|ENOENT" | tee ../reads | wc -l
}
test_expect 'a put at a path where nothing stands reads nothing of what 40 puts before it left in the cache, and the cache grows by it' '
	workspace v && for i in $(seq 40); do echo "put raw/h:/f$i ../x"; done >../b && echo x >../x && leat batch -f ../b && leat put raw/h:/one ../x &&
	cache=$(ls -t .leat/cache/stat-* | head -n 1) && size=$(stat -c %s "$cache") &&
	eq "$(cache_bytes put raw/h:/two ../x)" 0 && [ "$(stat -c %s "$cache")" -gt "$size" ] && leat status >s && lacks s raw/h
'
test_expect 'a put over a file there reads it, and knows that file for its own; a file of somebody else is still told from it' '
	cd v && echo y >../y && [ "$(cache_bytes put raw/h:/two ../y)" -gt 0 ] && eq "$(cat datastore/raw/h/two)" y && lacks ../said lost+found &&
	echo z >datastore/raw/h/three && echo zz >../z && leat put raw/h:/three ../z >../said 2>&1 && has ../said lost+found && eq "$(cat datastore/raw/h/three)" zz
'
test_expect 'a cache torn in its last row is written anew when it is looked at, what was added after it too' '
	cd v && cache=$(ls -t .leat/cache/stat-* | head -n 1) && truncate -s -7 "$cache" && leat put raw/h:/four ../x && leat put raw/h:/four ../y && leat put raw/h:/two ../x 2>said &&
	lacks said lost+found && eq "$(cat datastore/raw/h/four datastore/raw/h/two)" "y
x" && leat commit raw/h >said && leat status >s && lacks s raw/h
'
test_done
