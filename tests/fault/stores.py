"""What the fault tests of the store share: a workspace that is driven by the real program, all that can be read in it,
and the operations on it that are tried, each with what stands before it."""
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import tempfile

SECONDS = 600  # no command takes longer, whatever the machine; it may be stopped for a minute while others measure


class Wrong(Exception):
    pass


def folder():
    """A folder of our own: in memory where it can be, since each try waits for the disk many times."""
    for at in (os.environ.get('LEAT_TEST_FAST', '/dev/shm'), os.environ.get('TRASH')):
        if at and os.path.isdir(at) and os.access(at, os.W_OK) and shutil.disk_usage(at).free > 1 << 29:
            return tempfile.mkdtemp(prefix='leat-test-', dir=at)
    return tempfile.mkdtemp(prefix='leat-test-')


def remove(path):
    """Folders that a checkout made read-only go too."""
    if not os.path.lexists(path):
        return
    for at, dirs, _ in os.walk(path):
        for d in dirs:
            if not os.path.islink(os.path.join(at, d)):
                os.chmod(os.path.join(at, d), 0o700)
    shutil.rmtree(path)


def clone(source, to):
    """A workspace, link for link and with its times: a blob's mtime is part of its record."""
    remove(to)
    subprocess.run(['cp', '-a', source, to], check=True)


def sha(data):
    return hashlib.sha256(data).hexdigest()


def files_of(path):
    """{/path: hash} of a folder on disk."""
    out = {}
    for at, _, names in os.walk(path):
        for n in names:
            full = os.path.join(at, n)
            with open(full, 'rb') as f:
                out['/' + os.path.relpath(full, path)] = sha(f.read())
    return out


class Result:
    def __init__(self, args, status, out, err):
        self.args, self.status, self.out, self.err = args, status, out, err

    def __str__(self):
        return 'leat %s: status %d: %s' % (' '.join(self.args), self.status, self.err.strip()[-600:])


class Workspace:
    """A workspace at a path; what is asked of it goes through the program."""

    def __init__(self, leat, path):
        self.leat, self.dir = os.path.abspath(leat), path
        self.env = {k: v for k, v in os.environ.items() if not k.startswith('LEAT_') or k == 'LEAT_LIBDUCKDB'}

    def popen(self, args, fault=(), **more):
        return subprocess.Popen([self.leat, *args], cwd=self.dir, env=dict(self.env, **dict(fault)), **more)

    def run(self, args, fault=(), stdin=b''):
        p = self.popen(args, fault, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = p.communicate(stdin, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            raise Wrong('leat %s did not end in %d s' % (' '.join(args), SECONDS))
        r = Result(args, p.returncode, out, err.decode(errors='replace'))
        if r.status == 99 or (r.status < 0 and r.status != -9) or 'BUG' in r.err:
            raise Wrong('crashed: %s' % r)
        return r

    def ok(self, *args, stdin=b''):
        r = self.run(args, stdin=stdin)
        if r.status:
            raise Wrong(str(r))
        return r.out

    def rows(self, *args):
        return [json.loads(line) for line in self.ok(*args).splitlines() if line.strip()]

    def content(self, pin):
        """{/path: hash} of a pin, by its bytes."""
        return self.contents([pin])[pin]

    def contents(self, pins):
        """{pin: {/path: hash}}: each folder as it is listed, and of each file that differs from others its bytes."""
        out, seen = {p: {} for p in pins}, {}
        alone = {p.split('@')[0]: p for p in pins} # a pin that is no commit's id stands alone for its repo
        for r in self.rows('ls', '-R', '--json', *pins) if pins else []:
            if r['type'] == 'file':
                pin = '%s@%s' % (r['repo'], r['commit'])
                pin = pin if pin in out else alone[r['repo']]
                out[pin][r['path']] = r['sha256']
                seen[r['sha256']] = ('%s:%s' % (pin, r['path']), r['size'])
        some = list(seen)
        while some:
            part, some = some[:500], some[500:]
            data, at = self.ok('cat', *[seen[h][0] for h in part]), 0
            for h in part:
                size = seen[h][1]
                if sha(data[at:at + size]) != h:
                    raise Wrong('%s holds other bytes' % seen[h][0])
                at += size
        return out

    def state(self, also=()):
        """All that can be read: {repo@branch: [(number, content)...]}, open commits, tags; ids are left out, so that
        two workspaces can be compared. self.ids has what each commit holds."""
        out, log, opened = {}, {}, {}
        for b in self.branches():
            name = '%s@%s' % (b['repo'], b['branch'])
            log[name] = self.rows('log', name, '--json') if b['number'] else []
            if b.get('open'):
                opened[name + ' open'] = '%s@%s' % (b['repo'], b['open'])
        pins = {'%s@%s' % (c['repo'], c['commit']) for rows in log.values() for c in rows if not c.get('forgotten')}
        self.ids = self.contents(sorted(pins | set(opened.values())))
        for name, rows in log.items():
            out[name] = [(c['number'], self.ids.get('%s@%s' % (c['repo'], c['commit']), 'forgotten')) for c in rows]
        out.update((name, self.ids[pin]) for name, pin in opened.items())
        out['tags'] = sorted((t['repo'], t['tag'], t['number']) for t in self.rows('tag', '--json'))
        for a in also:
            out[' '.join(a)] = self.ok(*a)
        return out

    def branches(self):
        return [b for r in self.rows('ls', '--json') for b in self.rows('branch', r['repo'], '--json')]

    def sound(self, when):
        r = self.run(['fsck'])
        if r.status:
            raise Wrong('%s: %s%s' % (when, r.out.decode(), r))

    def shown(self, state):
        """datastore/ shows the heads, byte for byte."""
        for name, commits in state.items():
            if not name.endswith('@master'):
                continue
            repo = name.removesuffix('@master')
            want = commits[0][1] if commits else {}
            have = files_of(os.path.join(self.dir, 'datastore', repo))
            if want != have:
                raise Wrong('datastore/%s shows %s, and the head is %s' % (repo, sorted(have), sorted(want)))

    def left(self):
        return [os.path.join(at, n) for at, dirs, names in os.walk(os.path.join(self.dir, '.leat', 'staging'))
                for n in dirs + names]


class Inputs:
    """The files that are put: the same for the same seed, others for another."""

    def __init__(self, path, seed):
        self.dir, self.r = path, random.Random(seed)
        r, n = self.r, self.r.randrange
        os.makedirs(path)
        self.size = 66000 + n(200000)
        big = r.randbytes(self.size)
        at = n(len(big) - 5000)
        self.file('big', big)
        self.file('big2', b'x' + big)
        self.file('big3', big[:at] + r.randbytes(4096) + big[at + 4096:])
        self.file('one', b'one %d\n' % n(1000))
        self.file('two', b'two %d\n' % n(1000))
        for i in range(12 + n(20)):
            self.file('few/%s%d' % (r.choice(('', 'a/', 'b/c/')), i), b'few %d\n' % n(1 << 40))
        for i in range(40 + n(60)):
            self.file('some/%d' % i, r.randbytes(1800 + n(1000)))
        for i in range(620):
            self.file('many/%d' % i, b'%d\n' % n(1 << 60))
        self.file('mixed/big', r.randbytes(self.size))
        self.file('mixed/s/one', b'one of mixed %d\n' % n(1000))
        with tarfile.open(os.path.join(path, 'all.tar'), 'w') as tar:
            for name in ('few', 'mixed', 'one'):
                tar.add(os.path.join(path, name), name)
        self.file('steps', ''.join('%s\n' % s for s in (
            'put raw/t:/d/new %s' % self['one'], 'rm raw/t:/d/1', 'put raw/other:/x %s' % self['big2'],
            'cp raw/u:/one raw/t:/copied', 'tag raw/u@batched')).encode())

    def file(self, name, data):
        full = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'wb') as f:
            f.write(data)

    def __getitem__(self, name):
        return os.path.join(self.dir, name)


# What stands before, as commands: < is a file of Inputs, > a place outside of the workspace, {open} the open commit.
BYSTANDER = ['put raw/u <one', 'put raw/u:/f <big']
FILES = BYSTANDER + ['put raw/t:/d/1 <one', 'put raw/t:/d/2 <two', 'put raw/t:/big <big']
OPEN = FILES + ['start raw/t', 'put raw/t@{open}:/d <few', 'put raw/t@{open}:/big <big2']
HISTORY = FILES + ['put raw/t:/big <big2', 'put raw/t:/big <big3', 'put raw/t:/d <few', 'tag raw/t@here raw/t@master.4']
# Something of everything that gc does: versions to re-pack, rows and packs that nothing needs, commits to let go.
LITTER = BYSTANDER + ['put raw/t:/f <big', 'put raw/t:/f <big2', 'put raw/t:/f <big3', 'put raw/p:/d <some', 'put raw/p:/one <one',
                      'put raw/gone <mixed', 'put raw/gone:/d <some', 'put raw/gone:/e <few', 'rm --repo raw/gone',
                      'put raw/k:/v <one', 'put raw/k:/v <two', 'put raw/k:/v <big', 'put raw/k:/v <mixed/s/one', 'keep raw/k last 2',
                      'rm -r raw/p:/d', 'keep raw/p last 1']
KEEP = (('keep', '--json'),)
# A workspace branch and master, each ahead of where it began.
AHEAD = FILES + ['branch fix', 'put raw/t@fix:/d/3 <one', 'put raw/t@fix:/e <few', 'put raw/u@fix:/f <big2', 'put raw/n@fix:/x <one',
                 'put raw/t:/big <big2', 'put raw/t:/d/4 <two']
ON = (('branch', '--json'),)

# (name, before, the command, what else is read as state)
SCENARIOS = [
    ('a put of some small files', FILES, 'put raw/t:/d <few'),
    ('a put of small files that fill a pack', FILES, 'put raw/t:/d <some'),
    ('a put of many small files', BYSTANDER, 'put raw/t <many'),
    ('a put of a big file', FILES, 'put raw/t:/big <big2'),
    ('a put of an archive', FILES, 'put raw/t --untar <all.tar'),
    ('a put that appends', FILES, 'put -a raw/t:/d/1 <two'),
    ('a first put, of a folder of both', BYSTANDER, 'put raw/t@side <mixed'),
    ('a start', FILES, 'start raw/t'),
    ('a put into an open commit', OPEN, 'put raw/t@{open}:/e <mixed'),
    ('a finish', OPEN, 'finish raw/t'),
    ('a drop of an open commit', OPEN, 'drop raw/t@{open}'),
    ('a squash', HISTORY, 'squash raw/t@master.2'),
    ('a drop', HISTORY, 'drop raw/t@master'),
    ('an rm of a folder', FILES, 'rm -r raw/t:/d'),
    ('an rm of a repo', HISTORY[:-1], 'rm --repo raw/t'),
    ('a keep', HISTORY, 'keep raw/t last 2', KEEP),
    ('a forget', HISTORY, 'forget raw/t@master.2'),
    ('a tag', FILES, 'tag raw/t@new raw/t@master.1'),
    ('a head that is moved back', HISTORY, 'branch raw/t@master --head raw/t@master.2'),
    ('a cp', FILES, 'cp raw/u:/f raw/t:/copied'),
    ('a batch', FILES, 'batch -f <steps'),
    ('a gc with re-pack', LITTER, 'gc --memo'),
    ('a gc that only sweeps', LITTER, 'gc --no-repack'),
    ('a checkout', HISTORY, 'checkout raw/t@master.4 >out'),
    ('a checkout that is moved', HISTORY + ['checkout raw/t@master.3 >out'], 'checkout raw/t@master >out'),
    ('an export', HISTORY, 'export >out'),
    ('a get', HISTORY, 'get raw/t -o >out'),
    ('a first put on a workspace branch', FILES + ['branch fix'], 'put raw/t@fix:/d <few'),
    ('a merge of a workspace branch', AHEAD, 'merge fix', ON),
    ('a merge of a workspace branch that goes on', AHEAD, 'merge fix --keep'),
    ('a workspace branch that is deleted', AHEAD, 'branch --delete fix', ON),
]


class Scenario:
    """One row of the table, with its workspace as it stands before, and its state before and after."""

    def __init__(self, leat, root, inputs, row):
        self.leat, self.root, self.inputs = leat, root, inputs
        self.name, before, self.command, self.also = (*row, ())[:4]
        self.bit_by_bit = self.command.startswith('gc') # retention goes repo by repo
        self.template, self.at, self.out = (os.path.join(root, n) for n in ('template', 'w', 'out'))
        for path in (self.template, self.at, self.out, self.out + '-template'):
            remove(path)
        w = Workspace(leat, root)
        w.ok('init', self.template)
        w.dir = self.template
        self.open = None
        for line in before:
            w.ok(*self.args(line))
            if line.startswith('start'):
                self.open = w.rows('branch', 'raw/t', '--json')[0]['open']
        if os.path.exists(self.out):
            os.rename(self.out, self.out + '-template')
        self.before = w.state(self.also)
        self.acked = dict(w.ids)
        count = os.path.join(root, 'count')
        open(count, 'w').close()
        r = self.fresh().run(self.args(self.command), {'LEAT_FAULT_COUNT': count})
        if r.status:
            raise Wrong(str(r))
        self.after, self.written = self.w.state(self.also), self.outside()
        with open(count) as f:
            self.ops = max((int(line.split()[0]) for line in f), default=0)

    def args(self, line=None):
        places = {'<': self.inputs.dir, '>': self.root}
        return [os.path.join(places[a[0]], a[1:]) if a[0] in places else a.replace('{open}', self.open or '')
                for a in (line or self.command).split()]

    def fresh(self):
        """The workspace as it stood before."""
        clone(self.template, self.at)
        remove(self.out)
        if os.path.exists(self.out + '-template'):
            clone(self.out + '-template', self.out)
        self.w = Workspace(self.leat, self.at)
        return self.w

    def outside(self):
        """What the command wrote outside of the workspace; Leat's own list of a checkout and of an export holds ids."""
        return {k: v for k, v in files_of(self.out).items() if '/.leat' not in k and 'leat-export' not in k}

    def look(self, when, status):
        """After the command: what was acknowledged is there, whole; the state is that before or after, and which."""
        state = self.w.state(self.also)
        if status == 0 and (state != self.after or self.outside() != self.written):
            raise Wrong('%s: ended well, and %s' % (when, differs(state, self.after)))
        mixed = all(state.get(n) in (self.before.get(n), self.after.get(n)) for n in {*state, *self.after})
        if state != self.before and state != self.after and not (mixed and self.bit_by_bit):
            raise Wrong('%s: not as before: %s; not as after: %s' % (
                when, differs(state, self.before), differs(state, self.after)))
        self.w.sound(when)
        return state == self.after and self.before != self.after

    def go_on(self, when, done):
        """The same command again ends well, where it did not take place; what is left behind goes with gc."""
        if not done:
            r = self.w.run(self.args())
            if r.status:
                raise Wrong('%s: the same again: %s' % (when, r))
            heads = {'%s@%s' % (b['repo'], b['branch']): (b['number'], '%s@%s' % (b['repo'], b['commit']))
                     for b in self.w.branches() if b['number']}
            want = {n: c[0] for n, c in self.after.items() if '@' in n and 'open' not in n and c}
            read = self.w.contents(sorted({pin for _, pin in heads.values()}))
            have = {n: (number, read[pin]) for n, (number, pin) in heads.items()}
            if have != want or self.outside() != self.written:
                raise Wrong('%s: after the same again %s' % (when, differs(have, want) or 'files outside differ'))
        else:
            self.w.ok('put', 'raw/u:/again', self.inputs['one']) # whoever writes next completes what lags
        self.w.shown({n: c for n, c in self.after.items() if n != 'raw/u@master'})
        self.w.ok('gc')
        if self.w.left():
            raise Wrong('%s: gc leaves %s' % (when, self.w.left()))
        self.w.sound(when + ', after gc')


def differs(have, want):
    """Where two states first differ."""
    for n in sorted({*have, *want}):
        h, w = have.get(n), want.get(n)
        if h != w and isinstance(h, list) and isinstance(w, list) and n.startswith('raw/'):
            numbers = [c[0] for c in h], [c[0] for c in w]
            for a, b in zip(h, w):
                if a != b and numbers[0] == numbers[1]:
                    h, w = ['%s=%s' % i for i in a[1].items() if i not in b[1].items()], ['%s=%s' % i for i in b[1].items() if i not in a[1].items()]
                    return '%s.%d has %s, not %s' % (n, a[0], h[:4], w[:4])
            return '%s has the commits %s, not %s' % (n, *numbers)
        if h != w and isinstance(h, tuple) and isinstance(w, tuple) and isinstance(h[1], dict):
            return '%s: number %s with %s, not %s with %s' % (n, h[0], sorted(h[1])[:9], w[0], sorted(w[1])[:9])
        if h != w:
            return '%s is %.300s, not %.300s' % (n, h, w)
    return ''


def sentence(r):
    """An error is for the user: a sentence that says what could not be done; nothing of our own insides."""
    lines = [t for t in r.err.splitlines() if t.startswith('leat: ')]
    return r.status in (1, 2) and lines and len(lines[-1]) > 15 and not re.search(r'internal|assert|\(null\)|errno', r.err)
