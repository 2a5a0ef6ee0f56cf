#!/usr/bin/env python3
"""kill -9 of operations on the store at random moments of their real time, in a store that several processes use.

    kill.py LEAT KILLS [SEED [WORKERS]]

Each worker has a repo of its own, and one that all write to; it puts (small files, big ones, archives), starts, puts
into and finishes open commits, squashes and drops; one lets gc with re-pack and retention run all the time. Each
writes down what was acknowledged, outside of the store. Every few kills all is compared with what was written down.
Only kills that hit a process at work are counted. Says what was done; ends 1 with what was wrong.
"""
import json
import os
import random
import subprocess
import sys
import threading
import time

from stores import Inputs, Workspace, Wrong, folder, remove, sha

ROUND = 25  # kills, and then all is looked at
SLOW = 3.0  # seconds: no kill waits longer than that


class Worker:
    """What one process after the other does to a repo that nobody else writes: so it is known what must be there."""

    def __init__(self, home, number):
        self.home, self.repo, self.r = home, 'raw/w%d' % number, random.Random(home.seed * 100 + number)
        self.number, self.open, self.opened, self.changes = number, None, {}, {}
        self.content = {}   # of the head, as acknowledged
        self.history = {}   # commit -> content, as acknowledged
        self.order = []     # commits, oldest first
        self.shared = {}    # what of ours is in the repo of all
        self.tries = self.kills = 0
        self.serial = 0
        self.took = {}      # kind of command -> how long it takes

    def data(self, big):
        self.serial += 1
        head = b'%d.%d\n' % (self.number, self.serial)
        return head + (self.home.big[self.r.randrange(2000):] if big else b'')

    def command(self, kind, args, stdin=b''):
        """Runs it, maybe to its death: True acknowledged, None killed. A refusal is a fault."""
        took = self.took.get(kind, 0.02)
        kill = self.r.random() < 0.6
        start = time.monotonic()
        p = self.home.w.popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        timer = threading.Timer(self.r.random() * min(took, SLOW), p.kill) if kill else None
        if timer:
            timer.start()
        out, err = p.communicate(stdin, timeout=300)
        if timer:
            timer.cancel()
        self.tries += 1
        self.home.counts[kind] = self.home.counts.get(kind, 0) + 1
        if p.returncode == -9 and kill:
            self.kills += 1
            self.home.killed[kind] = self.home.killed.get(kind, 0) + 1
            return None
        self.took[kind] = 0.7 * took + 0.3 * (time.monotonic() - start)
        err = err.decode(errors='replace')
        if p.returncode == 1 and 'again' in err and kind == 'put':
            return None # gc took bytes away that it counted on: it says so, and made nothing
        if p.returncode == 1 and 'another gc' in err:
            return None
        if p.returncode:
            raise Wrong('%s: status %d: %s' % (' '.join(args), p.returncode, err))
        return True

    def head(self):
        """None before the first commit, which a kill may have prevented."""
        r = self.home.w.run(['log', self.repo, '--json', '-n', '1'])
        if r.status and self.order:
            raise Wrong(str(r))
        return json.loads(r.out.splitlines()[0])['commit'] if r.out.strip() else None

    def settle(self, done, now):
        """After a command that was to make `now`: if it was killed, either stands; what stands is what counts."""
        w = self.home.w
        head = self.head()
        if done or head != (self.order[-1] if self.order else None):
            if head is None or head in self.history:
                raise Wrong('%s: acknowledged, and the head is %s' % (self.repo, head))
            got = w.content('%s@%s' % (self.repo, head))
            if got != now:
                raise Wrong('%s@%s holds %s, not %s' % (self.repo, head, got, now))
            self.order.append(head)
            self.history[head] = self.content = now
            return True
        return False

    def put(self):
        names = ['/f%d' % self.r.randrange(6) for _ in range(self.r.choice((1, 1, 3)))]
        big = self.r.random() < 0.4
        new = {n: self.data(big) for n in names}
        place = os.path.join(self.home.root, 'in%d' % self.number)
        remove(place)
        os.makedirs(place)
        for n, data in new.items():
            with open(place + n, 'wb') as f:
                f.write(data)
        now = dict(self.content, **{n: sha(d) for n, d in new.items()})
        if self.r.random() < 0.3:
            tar = subprocess.run(['tar', 'cf', '-', '-C', place, '.'], capture_output=True, check=True).stdout
            done = self.command('put', ['put', self.repo, '--untar', '-'], tar)
        else:
            done = self.command('put', ['put', self.repo, place])
        self.settle(done, now)

    def put_shared(self):
        name = '/%d/%d' % (self.number, self.r.randrange(4))
        data = self.data(self.r.random() < 0.2)
        if self.command('put', ['put', 'raw/all:' + name, '-'], data):
            self.shared[name] = {sha(data)}
        else: # either: the next look says which
            self.shared[name] = self.shared.get(name, {None}) | {sha(data)}

    def opening(self):
        """start, one or two puts, finish: each may die."""
        w = self.home.w
        if not self.open:
            self.command('start', ['start', self.repo])
            self.open = next((b['open'] for b in w.branches() if b['repo'] == self.repo), None)
            self.opened, self.changes = dict(self.content), {}
            if not self.open:
                return
        for _ in range(self.r.choice((1, 2))):
            name, data = '/o%d' % self.r.randrange(3), self.data(self.r.random() < 0.3)
            done = self.command('put', ['put', '%s@%s:%s' % (self.repo, self.open, name), '-'], data)
            got = w.content('%s@%s' % (self.repo, self.open))
            now = dict(self.opened, **{name: sha(data)})
            if got != now and (done or got != self.opened):
                raise Wrong('the open commit of %s holds %s, not %s' % (self.repo, got, now))
            if got == now:
                self.changes[name] = now[name]
            self.opened = got
        done = self.command('finish', ['finish', self.repo])
        if self.settle(done, dict(self.content, **self.changes)):
            if self.order[-1] != self.open:
                raise Wrong('finish of %s made %s' % (self.open, self.order[-1]))
            self.open = None

    def gone(self, commit):
        return self.home.w.run(['log', '%s@%s' % (self.repo, commit), '--json', '-n', '1']).status != 0

    def squash(self):
        if len(self.order) < 3 or self.open:
            return
        commit = self.r.choice(self.order[:-1])
        if self.command('squash', ['squash', '%s@%s' % (self.repo, commit)]) or self.gone(commit):
            if not self.gone(commit):
                raise Wrong('%s@%s was squashed and is there' % (self.repo, commit))
            self.order.remove(commit)
            del self.history[commit]

    def drop(self):
        if len(self.order) < 2 or self.open:
            return
        commit = self.order[-1]
        if self.command('drop', ['drop', '%s@%s' % (self.repo, commit)]) or self.gone(commit):
            if self.head() != self.order[-2]:
                raise Wrong('%s: after a drop the head is %s, not %s' % (self.repo, self.head(), self.order[-2]))
            self.order.pop()
            del self.history[commit]
            self.content = self.history[self.order[-1]]

    def step(self):
        self.r.choice((self.put, self.put, self.put_shared, self.opening, self.opening, self.squash, self.drop))()

    def look(self):
        """All that was acknowledged is there, and nothing else."""
        w = self.home.w
        if self.order:
            commits = [c['commit'] for c in w.rows('log', self.repo, '--json')]
            if commits != self.order[::-1]:
                raise Wrong('%s has the commits %s, not %s' % (self.repo, commits, self.order[::-1]))
        for commit, content in self.history.items():
            got = w.content('%s@%s' % (self.repo, commit))
            if got != content:
                raise Wrong('%s@%s holds %s, not %s' % (self.repo, commit, got, content))


class Collector(Worker):
    """gc, again and again, with versions to re-pack."""

    def step(self):
        if self.r.random() < 0.5:
            self.put()
        self.command('gc', ['gc', '--memo'] if self.r.random() < 0.8 else ['gc', '--no-repack'])
        time.sleep(0.01 * self.r.random())


class Home:
    def __init__(self, leat, root, seed, workers):
        self.root, self.seed, self.counts, self.killed = root, seed, {}, {}
        self.w = Workspace(leat, root)
        self.w.ok('init', os.path.join(root, 'w'))
        self.w.dir = os.path.join(root, 'w')
        self.inputs = Inputs(os.path.join(root, 'in'), seed)
        self.big = random.Random(seed).randbytes(100000)
        self.w.ok('put', 'raw/all:/first', self.inputs['one'])
        self.workers = [Collector(self, 0)] + [Worker(self, i) for i in range(1, workers)]
        self.first = sha(open(self.inputs['one'], 'rb').read())
        self.problems = []

    def kills(self):
        return sum(w.kills for w in self.workers)

    def round(self, until):
        def live(worker):
            try:
                while self.kills() < until and not self.problems:
                    worker.step()
            except Exception as e: # of any kind: it ends the round and is told
                self.problems.append('worker %d: %s' % (worker.number, e))

        threads = [threading.Thread(target=live, args=(w,)) for w in self.workers]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def look(self):
        self.w.sound('after %d kills' % self.kills())
        for w in self.workers:
            w.look()
        got = self.w.content('raw/all')
        for w in self.workers:
            for name, may in w.shared.items():
                if got.get(name) not in may:
                    raise Wrong('raw/all:%s holds %s, not %s' % (name, got.get(name), may))
                w.shared[name] = {got.get(name)}
        if got['/first'] != self.first:
            raise Wrong('raw/all:/first has changed')
        numbers = [c['number'] for c in self.w.rows('log', 'raw/all', '--json')]
        if numbers != list(range(len(numbers), 0, -1)):
            raise Wrong('raw/all has the numbers %s' % numbers)

    def end(self):
        self.w.ok('gc', '--memo')
        if self.w.left():
            raise Wrong('gc leaves %s' % self.w.left())
        self.look()


def main():
    leat, kills = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else 4
    root = folder()
    home = Home(leat, root, seed, workers)
    try:
        while home.kills() < kills and not home.problems:
            home.round(min(kills, home.kills() + ROUND))
            if not home.problems:
                home.look()
        if not home.problems:
            home.end()
    except Wrong as e:
        home.problems.append(str(e))
    finally:
        told = ', '.join('%d of %d %s' % (home.killed.get(k, 0), n, k) for k, n in sorted(home.counts.items()))
        print('%d kills: %s; %d commits stand' % (home.kills(), told, sum(len(w.history) for w in home.workers)))
        for p in home.problems:
            print('wrong: %.1500s' % p)
        if home.problems and os.environ.get('LEAT_TEST_KEEP'):
            print('kept in ' + root)
        else:
            remove(root)
    return 1 if home.problems else 0


sys.exit(main())
