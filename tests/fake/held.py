"""held.py TRACE: how many system calls on leat.db and its log a process made at most while it held write.lock, and on which
other files (but locks) it made any then. TRACE: strace -f -y -e trace=flock,pread64,pwrite64,..."""
import re
import sys

most, n, held, others = 0, 0, set(), set()
for line in open(sys.argv[1], errors="replace"):
    m = re.match(r"(\d+) +(\w+)\((?:AT_FDCWD<[^>]*>, )?(\d+)<([^>]*)>", line)
    if not m:
        continue
    pid, call, path = m.group(1), m.group(2), m.group(4)
    if call == "flock" and path.endswith("/write.lock"):
        if "LOCK_UN" in line:
            held.discard(pid)
        elif line.rstrip().endswith("= 0"):
            held.add(pid)
            n = 0
    elif pid in held and re.search(r"/leat\.db(-wal|-shm)?$", path):
        n += 1
        most = max(most, n)
    elif pid in held and call != "flock" and not path.endswith((".lock", "/.leat")):  # the folder: a log was begun
        others.add(call + " " + path)
print("longest", most)
for o in sorted(others)[:20]:
    print("other", o)
