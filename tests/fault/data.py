#!/usr/bin/env python3
"""Operations over data-driven jobs (the table below), killed with -9, and again: the same final commits.

    data.py LEAT kills TIMES [SEED]    TIMES deaths at random moments of the operations' real time, up to three in a row
    data.py LEAT points TIMES [SEED]   TIMES deaths at each named point (src/defs/faults.def) that one of them passes

After the deaths the operation is asked for again where it did not take place, and runs to its end. Then: each commit of
the input has one of each job under its id, with the files that a run without a death makes of it; no run is left
running, fsck finds nothing, gc leaves nothing behind. Says what was killed; ends 1 with what was wrong.
"""
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

from stores import Workspace, Wrong, clone, folder, remove, sha

DEFS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'src', 'defs', 'faults.def')
FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fake')
IN_A_ROW = 3
ROUNDS = 20  # of all operations, and then a point is not reached

JOB = 'kind: script\ninputs:\n  in: {repo: %s, glob: "%s"}\n'
COPY = '#!/bin/sh\nset -e\ncp $LEAT_INPUT_in/* $LEAT_OUTPUT/\n'
LIST = '#!/bin/sh\nset -e\nls $LEAT_INPUT_in >$LEAT_OUTPUT/list\n'
SPEC = {'transform': {'cmd': ['sh'], 'stdin': ['cp $LEAT_INPUT_in/* $LEAT_OUTPUT/']}}


BATCH = {'transform': {'cmd': ['bash'], 'datumBatching': True,
                       'stdin': ['while leat next; do . /pfs/.env; cat $LEAT_INPUT_in/* >$LEAT_OUTPUT/$(basename $in); done']}}
TABLES = 'kind: script\ninputs:\n  in: {repo: in, glob: "/"}\noutput: rows\n%s'
ROWS = '#!/bin/sh\nset -e\ncd $LEAT_INPUT_in\nfor f in *; do mkdir $LEAT_OUTPUT/$f; (echo text; cat $f) >$LEAT_OUTPUT/$f/1.csv; done\n'
ALL = 'kind: script\ninputs:\n  in: {repo: in, glob: "/"}\noutput: all\n%s'


class Home:
    """A workspace where job `one` copies `in` and job `two` lists `one`, with one change taken and others that are not."""

    def __init__(self, leat, root, r):
        self.leat, self.root, self.r, self.took = leat, root, r, {}
        self.template, self.at = os.path.join(root, 'template'), os.path.join(root, 'w')
        w = Workspace(leat, root)
        w.ok('init', self.template)
        w.dir = self.template
        for name, repo, glob, code in (('one', 'in', '/*', COPY), ('two', 'one', '/', LIST)):
            self.write('template/jobs/%s/job.yaml' % name, JOB % (repo, glob))
            self.write('template/jobs/%s/job.sh' % name, code)
        for name in 'abcd':
            self.write(name, 'first %s\n' % name)
        self.write('new/a', 'third a\n')
        self.write('new/e', 'first e\n')
        self.write('batch', 'put in %s\nput other %s\nrm in:/a\n' % (self.file('c'), self.file('d')))
        for name, glob in (('three', '/*'), ('four', '/')):
            spec = dict(SPEC, pipeline={'name': name}, input={'pfs': {'repo': 'in', 'name': 'in', 'glob': glob}})
            self.write(name + '.json', json.dumps(spec))
        self.write('both.json', '%s\n%s\n' % (self.read('three.json'), self.read('four.json')))
        self.write('changed.json', self.read('three.json').replace('cp ', 'sleep 0; cp '))
        w.ok('put', 'in', self.file('a'))
        w.ok('run', '-q')
        self.ready = os.path.join(root, 'ready') # nothing to do yet
        clone(self.template, self.ready)
        for args in (('put', 'in', self.file('b')), ('put', 'in', self.file('new')), ('rm', 'in:/b')):
            w.ok(*args)
        self.w, self.doing, self.server = Workspace(leat, self.at), '', None

    def stores(self):
        """Where an object store is, started when it is first asked for (tests/fake/s3d.py)."""
        if not self.server:
            port = self.file('port')
            self.server = subprocess.Popen([sys.executable, os.path.join(FAKE, 's3d.py'), '--port-file', port])
            while not os.path.exists(port):
                time.sleep(0.01)
            self.url = 'http://127.0.0.1:' + self.read('port')
            self.s3('make', 'out')
        return self.url

    def s3(self, *args):
        env = dict(os.environ, AWS_ACCESS_KEY_ID='leat', AWS_SECRET_ACCESS_KEY='leatleatleat')
        return subprocess.run([sys.executable, os.path.join(FAKE, 's3.py'), self.url, *args], env=env, check=True,
                              stdout=subprocess.PIPE).stdout

    def end(self):
        if self.server:
            self.server.kill()
            self.server.wait()

    def file(self, name):
        return os.path.join(self.root, name)

    def read(self, name):
        with open(self.file(name)) as f:
            return f.read()

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.file(name)), exist_ok=True)
        with open(self.file(name), 'w') as f:
            f.write(text)

    def log(self, repo):
        """Commit ids, oldest first; none where there is no such repo."""
        r = self.w.run(['log', repo, '--json'])
        return [json.loads(line)['commit'] for line in r.out.splitlines()][::-1] if not r.status else []

    def dies(self, args, fault):
        """Runs it with a fault, or to its death at some moment; says whether it died."""
        if fault:
            r = self.w.run(args, {'LEAT_CRASH_AT': fault})
            if r.status == 1 and 'ended without an answer' in r.err: # the process that pushed for it
                return True
            if r.status not in (0, -9):
                raise Wrong('with %s: %s' % (fault, r))
            return r.status == -9
        what = (self.doing, args[0])
        took, start = self.took.get(what, 0.2), time.monotonic()
        p = self.w.popen(args, stdin=-3, stdout=-3, stderr=-3) # DEVNULL
        timer = threading.Timer(self.r.random() * min(took, 5), p.kill)
        timer.start()
        p.wait()
        timer.cancel()
        if p.returncode not in (0, -9):
            raise Wrong('leat %s: status %d' % (' '.join(args), p.returncode))
        if not p.returncode:
            self.took[what] = 0.5 * took + 0.5 * (time.monotonic() - start)
        return p.returncode == -9


def take(h, die, args):
    """Dies as often as `die` wants, then runs to its end."""
    while die(args):
        pass
    h.w.ok(*args)


def run(h, die):
    take(h, die, ['run', '-q'])


def run_one(h, die):
    take(h, die, ['run', 'two', '-q'])
    h.w.ok('run', '-q')


def wait(h, die):
    take(h, die, ['wait', h.log('in')[-1]])


def wait_early(h, die):
    """For a change that others follow, which stay to be taken."""
    take(h, die, ['wait', h.log('in')[-3]])
    h.w.ok('run', '-q')


def changes(h, die, args, files):
    """A command that makes one commit of `in` itself: done when that stands. What a put --run had begun is taken then."""
    before = h.log('in')
    while True:
        died = die(args)
        new = h.log('in')[len(before):]
        if len(new) > 1:
            raise Wrong('%s made %d commits' % (args, len(new)))
        if new or not died:
            break
    if not new:
        h.w.ok(*args)
        new = h.log('in')[len(before):]
    for path in files:
        if h.w.content('in@' + new[0]).get(path) is None:
            raise Wrong('in@%s lacks %s' % (new[0], path))
    while die(['run', '-q']):
        pass
    h.w.ok('run', '-q')


def put_run(h, die):
    changes(h, die, ['put', 'in', h.file('c'), h.file('new/e'), '--run'], ['/c', '/e'])


def put_first(h, die):
    """A file that changes, with nothing before it to be taken."""
    changes(h, die, ['put', 'in', h.file('new/a'), '--run'], ['/a'])


def batch(h, die):
    other = len(h.log('other'))
    changes(h, die, ['batch', '-f', h.file('batch')], ['/c'])
    if h.log('other')[other:] != h.log('in')[-1:]:
        raise Wrong('a batch made %s of other and %s of in' % (h.log('other'), h.log('in')))


def apply(h, die, spec='three.json'):
    take(h, die, ['apply', '-f', h.file(spec)])
    take(h, die, ['run', '-q'])


def apply_both(h, die):
    apply(h, die, 'both.json')


def apply_changed(h, die):
    apply(h, lambda args: False)
    first = h.log('three')
    apply(h, die, 'changed.json')
    if h.log('three')[:1] != first or len(h.log('three')) != 2:
        raise Wrong('a changed spec made %s of %s' % (h.log('three'), first))


def delete(h, die):
    def left():
        return [n for n in os.listdir(os.path.join(h.at, 'jobs')) if 'three' in n]

    apply(h, lambda args: False)
    while left() and die(['apply', '--delete', 'three']): # killed late, it has deleted it
        pass
    if left():
        h.w.ok('apply', '--delete', 'three')
    if left():
        raise Wrong('apply --delete leaves %s' % left())
    h.w.ok('run', '-q')


def lazy(h, die):
    h.write('lazy.json', h.read('three.json').replace('"glob": "/*"', '"glob": "/*", "lazy": true').replace('cp $LEAT_INPUT_in/*', 'cat $in >$LEAT_OUTPUT/$(basename $in) #'))
    apply(h, die, 'lazy.json')


def batching(h, die, spec=BATCH):
    spec = dict(spec, pipeline={'name': 'three'}, input={'pfs': {'repo': 'in', 'name': 'in', 'glob': '/*'}})
    h.write('batching.json', json.dumps(spec))
    apply(h, die, 'batching.json')


def batching_lazy(h, die):
    spec = dict(BATCH, pipeline={'name': 'three'}, input={'pfs': {'repo': 'in', 'name': 'in', 'glob': '/*', 'lazy': True}})
    h.write('batching.json', json.dumps(spec))
    apply(h, die, 'batching.json')


def pushed(h, die, egress, template, code, holds):
    """Each of four states is published without egress, so that what dies is the push alone: that of a state that comes
    while the one before is half there, too."""
    job = 'w/jobs/push/job.yaml'
    h.write(job, template % '')
    h.write('w/jobs/push/job.sh', code)
    for change in (None, ('put', 'in', h.file('new/e')), ('put', 'in', h.file('c')), ('rm', 'in:/e')):
        h.write(job, template % '')
        if change:
            h.w.ok(*change)
        h.w.ok('run', '-q')
        h.write(job, template % ('egress: %s\n' % egress))
        if h.r.randrange(2): # else what died is left, and the next state comes over it
            take(h, die, ['run', '-q'])
            holds()
        else:
            die(['run', '-q'])
    h.w.ok('run', '-q')
    holds()


def want_files(h):
    return {path[1:]: sum_ for path, sum_ in h.w.content('in').items()}


def same(what, have, want):
    if have != want:
        raise Wrong('%s holds %s, not %s' % (what, have, want))


def egress_folder(h, die):
    target = h.file('target')
    shutil.rmtree(target, ignore_errors=True)

    def holds():
        have = {}
        for name in os.listdir(target):
            with open(os.path.join(target, name), 'rb') as f:
                have[name] = sha(f.read())
        same('the folder', have, want_files(h))
    pushed(h, die, '{URL: %s}' % target, ALL, COPY, holds)


def egress_store(h, die):
    url, at = h.stores(), 'r%d' % h.r.getrandbits(40)

    def holds():
        keys = [line.rsplit(' ', 1)[0] for line in h.s3('ls', 'out', at + '/').decode().splitlines()]
        names = [k[len(at) + 1:] for k in keys if not k.endswith('/_leat_egress')]
        same('the store', {n: sha(h.s3('cat', 'out', at + '/' + n)) for n in names}, want_files(h))
        listed = json.loads(h.s3('cat', 'out', at + '/_leat_egress'))
        same('its list', (listed['state'], {f['path']: f['sha256'] for f in listed['files']}), ('whole', want_files(h)))
    pushed(h, die, '{URL: "%s/out/%s"}' % (url.replace('//', '//leat:leatleatleat@'), at), ALL, COPY, holds)


def lines(h):
    return {path[1:]: h.w.ok('cat', 'in:' + path).decode().splitlines() for path in h.w.content('in')}


def egress_sqlite(h, die):
    target = h.file('target.db')
    for end in ('', '-journal', '-wal'):
        if os.path.exists(target + end):
            os.unlink(target + end)

    def holds():
        c = sqlite3.connect(target)
        names = [n for n, in c.execute("select name from sqlite_master where type = 'table'")]
        have = {n: [v for v, in c.execute('select text from "%s"' % n)] for n in names}
        c.close()
        same('the database', {n: v for n, v in have.items() if v}, lines(h)) # one whose files are gone is emptied
    pushed(h, die, '{sqlDatabase: {url: "sqlite://%s"}}' % target, TABLES, ROWS, holds)


def egress_duckdb(h, die):
    target = h.file('target.duckdb')
    for end in ('', '.wal'):
        if os.path.exists(target + end):
            os.unlink(target + end)

    def holds():
        have = {}
        for name in 'abce':
            r = h.w.run(['sql', '--format', 'csv', "commit; attach '%s' as there (read_only); begin transaction; select * from query('select text from there.%s')" % (target, name)])
            have[name] = r.out.decode().splitlines()[1:] if not r.status else []
        same('the database', {n: v for n, v in have.items() if v}, lines(h))
    pushed(h, die, '{sqlDatabase: {url: "duckdb://%s"}}' % target, TABLES, ROWS, holds)


OPERATIONS = [ # (name, begins with changes that are not taken, what is done, jobs that it makes)
    ('run', True, run, ()),
    ('run of a job', True, run_one, ()),
    ('wait', True, wait, ()),
    ('wait for one of several', True, wait_early, ()),
    ('put --run', True, put_run, ()),
    ('put --run with nothing before', False, put_first, ()),
    ('batch and run', True, batch, ()),
    ('apply and run', True, apply, ('three',)),
    ('apply of two and run', False, apply_both, ('three', 'four')),
    ('apply of a changed spec', False, apply_changed, ('three',)),
    ('apply --delete', True, delete, ()),
    ('lazy inputs', True, lazy, ('three',)),
    ('a batch of units', True, batching, ('three',)),
    ('a batch of units with lazy inputs', True, batching_lazy, ('three',)),
    ('egress to a folder', False, egress_folder, ()),
    ('egress to an object store', False, egress_store, ()),
    ('egress to SQLite', False, egress_sqlite, ()),
    ('egress to DuckDB', False, egress_duckdb, ()),
]


def right(h, jobs):
    """The commits of a run without a death."""
    ids, logs = h.log('in'), {job: h.log(job) for job in ('one', 'two')}
    for job, log in logs.items(): # the first was there before the jobs, and is taken under the id of the first run
        if len(log) != len(ids) or log[1:] != ids[1:] or log[0] != logs['one'][0]:
            raise Wrong('in has the commits %s and %s has %s' % (ids, job, log))
    for c, made in zip(ids, logs['one']):
        want = h.w.content('in@' + c)
        if h.w.content('one@' + made) != want:
            raise Wrong('one@%s holds %s, not %s' % (made, h.w.content('one@' + made), want))
        names = ''.join(p[1:] + '\n' for p in sorted(want)).encode()
        if h.w.content('two@' + made) != {'/list': sha(names)}:
            raise Wrong('two@%s does not list %s' % (made, names))
    for job in jobs:
        if h.w.content(job) != h.w.content('in'):
            raise Wrong('%s holds %s' % (job, h.w.content(job)))
    h.w.shown({'%s@master' % n: [(1, h.w.content(n))] for n in ('in', 'one', 'two', *jobs)})
    left = [r for r in h.w.rows('runs', '--json') if r['state'] == 'running']
    if left:
        raise Wrong('left running: %s' % left)
    h.w.sound('at the end')
    again = json.loads(h.w.ok('run', '--json').splitlines()[-1])
    if again['ran'] or again['known'] or h.log('one') != logs['one']:
        raise Wrong('it was not at its end: %s' % again)
    h.w.ok('gc')
    behind = [path for path in h.w.left() if os.path.basename(os.path.dirname(path)) != 'staging']
    if behind:
        raise Wrong('gc leaves %s' % behind)
    h.w.sound('after gc')


def one(h, operation, fault):
    """How many deaths. `fault` is a point (it dies there once), or None."""
    name, pending, act, jobs = operation
    h.doing = name
    clone(h.template if pending else h.ready, h.at)
    deaths, want = [], 1 if fault else h.r.randrange(1, IN_A_ROW + 1)

    def die(args):
        if len(deaths) == want:
            return False
        died = h.dies(args, fault)
        if died:
            deaths.append(' '.join(args[:1]))
        return died

    try:
        act(h, die)
        right(h, jobs)
    except Wrong as w:
        raise Wrong('%s, killed %s: %s' % (name, 'at %s' % fault if fault else 'within %s' % deaths, w))
    return len(deaths)


def points():
    with open(DEFS) as f:
        rows = re.findall(r'^F\("([a-z-]+)", "([^"]+)"\)', f.read(), re.M)
    # recovery, cron inputs, chains, very many runs: t6000, t6016, t5008, t7372; environments have tests of their own
    elsewhere = ('recover-half', 'ticks-made', 'run-folder-moved', 'runs-begun', 'environment-made')
    return [n for n, where in rows if n.startswith('egress-') or where.startswith('flow/') and n not in elsewhere] + [
        'commit-made', 'commit-done']


def at_points(h, times):
    told, passes = {p: {} for p in points()}, {}
    for n in range(ROUNDS):
        for operation in h.r.sample(OPERATIONS, len(OPERATIONS)):
            name = operation[0]
            for p, by in told.items():
                if sum(by.values()) >= times or p not in passes.get(name, told):
                    continue
                if p.startswith('egress-') != name.startswith('egress '):
                    continue
                if one(h, operation, '%s:%d' % (p, h.r.randrange(1, 5) if name in passes else 1)):
                    by[name] = by.get(name, 0) + 1
            passes.setdefault(name, {p for p, by in told.items() if by.get(name)})
        if all(sum(by.values()) >= times for by in told.values()):
            break
    for p, by in told.items():
        print('%s: %d deaths: %s' % (p, sum(by.values()), ', '.join('%d in %s' % (n, k) for k, n in by.items())))
    short = [p for p, by in told.items() if sum(by.values()) < times]
    if short:
        raise Wrong('not reached %d times: %s' % (times, short))


def at_random(h, times):
    told, n = {}, 0
    try:
        while sum(told.values()) < times:
            operation = OPERATIONS[n % len(OPERATIONS)]
            n += 1
            told[operation[0]] = told.get(operation[0], 0) + one(h, operation, None)
    finally:
        print('%d kills in %d times: %s' % (sum(told.values()), n, ', '.join('%d in %s' % (k, name) for name, k in told.items())))


def main():
    leat, mode, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    root = folder()
    keep, h = False, None
    try:
        h = Home(leat, root, random.Random(seed))
        {'kills': at_random, 'points': at_points}[mode](h, times)
        return 0
    except Wrong as w:
        print('wrong (seed %d): %.3000s' % (seed, w))
        keep = os.environ.get('LEAT_TEST_KEEP')
        return 1
    finally:
        if h:
            h.end()
        print('kept in ' + root) if keep else remove(root)


sys.exit(main())
