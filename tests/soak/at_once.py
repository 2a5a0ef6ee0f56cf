#!/usr/bin/env python3
"""Many processes at one repo, each command a process of its own.

    at_once.py LEAT history N        two writers make N commits each while a third process reads: all are there
    at_once.py LEAT mixture SECONDS  ten writers and ten readers: every commit whole, no reader sees a mixture

Ends 0 when all held; prints what was done and the longest time that one command took.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

LEAT = os.path.abspath(sys.argv[1])
WORDS = ('locked', 'damaged', 'internal', 'BUG')


class Room:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='leat-soak-')
        self.problems, self.longest, self.done = [], 0.0, {}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith('LEAT_') or k == 'LEAT_LIBDUCKDB'}
        self.run('init', self.dir, cwd='/')

    def run(self, *args, stdin=None, cwd=None):
        start = time.monotonic()
        r = subprocess.run([LEAT, *args], cwd=cwd or self.dir, env=self.env, input=stdin, capture_output=True)
        self.longest = max(self.longest, time.monotonic() - start)
        err = r.stderr.decode(errors='replace')
        if r.returncode or any(w in err for w in WORDS):
            self.problems.append('%s: status %d: %s' % (' '.join(args), r.returncode, err.strip()[:300]))
        return r.stdout

    def log(self, pin):
        return [json.loads(line) for line in self.run('log', pin, '--json').splitlines()]

    def together(self, jobs):
        threads = [threading.Thread(target=f, args=a) for f, *a in jobs]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def end(self, what):
        self.run('fsck')
        print('%s; longest command %.2f s' % (what, self.longest))
        for p in self.problems[:20]:
            print('problem: ' + p)
        shutil.rmtree(self.dir, ignore_errors=True)
        return 1 if self.problems else 0


def history(n):
    room = Room()
    room.run('put', 'raw/h:/first', '-', stdin=b'0')
    stop = threading.Event()

    def write(who):
        for i in range(n):
            room.run('put', 'raw/h:/%s/%d' % (who, i), '-', stdin=b'%d' % i)
            room.done[who] = i + 1
            other = room.done.get('b' if who == 'a' else 'a', 0)
            if i > 200 and i > 10 * (other + 20):
                room.problems.append('%s made %d commits while the other made %d' % (who, i, other))

    def read():
        last = 0
        while not stop.is_set():
            log = room.log('raw/h')
            numbers = [c['number'] for c in log]
            if numbers != list(range(len(log), 0, -1)) or len(log) < last:
                room.problems.append('a history of %d commits after one of %d' % (len(log), last))
            last = len(log)

    reader = threading.Thread(target=read)
    reader.start()
    room.together([(write, 'a'), (write, 'b')])
    stop.set()
    reader.join()
    log = room.log('raw/h')
    files = set(room.run('ls', '-R', 'raw/h').decode().split())
    if len(log) != 2 * n + 1:
        room.problems.append('%d commits, not %d' % (len(log), 2 * n + 1))
    missing = {'/%s/%d' % (w, i) for w in 'ab' for i in range(n)} - files
    if missing:
        room.problems.append('%d files are missing, such as %s' % (len(missing), sorted(missing)[0]))
    return room.end('%d commits' % len(log))


def mixture(seconds):
    room = Room()
    made, looks = [0] * 10, [0] * 10
    until = time.monotonic() + seconds

    def write(who):
        folder = os.path.join(room.dir, 'in-%d' % who)
        os.makedirs(folder)
        while time.monotonic() < until:
            for name in ('a', 'b', 'c'):
                with open(os.path.join(folder, name), 'w') as f:
                    f.write('%d.%d\n' % (who, made[who]) * (1 if name == 'a' else 30000))
            room.run('put', 'raw/m:/%d' % who, folder)
            made[who] += 1

    def read(who):
        to = os.path.join(room.dir, 'out-%d' % who)
        while time.monotonic() < until:
            if not made[who]:
                time.sleep(0.05)
                continue
            room.run('get', 'raw/m:/%d' % who, '-o', to)
            seen = set()
            for name in ('a', 'b', 'c'):
                with open(os.path.join(to, name)) as f:
                    seen |= set(f.read().split())
            if len(seen) != 1:
                room.problems.append('a reader saw %s in one commit' % sorted(seen)[:4])
            shutil.rmtree(to)
            looks[who] += 1

    room.together([(f, i) for i in range(10) for f in (write, read)])
    if len(room.log('raw/m')) != sum(made):
        room.problems.append('%d commits, not %d' % (len(room.log('raw/m')), sum(made)))
    for i in range(10):
        if made[i] * 10 < max(made) or not looks[i]:
            room.problems.append('writer %d made %d commits, another %d; its reader looked %d times' % (
                i, made[i], max(made), looks[i]))
        if made[i] and room.run('cat', 'raw/m:/%d/a' % i) != b'%d.%d\n' % (i, made[i] - 1):
            room.problems.append('the last write of %d is not there' % i)
    return room.end('%d commits, %d looks' % (sum(made), sum(looks)))


sys.exit({'history': history, 'mixture': mixture}[sys.argv[2]](int(sys.argv[3])))
