#!/usr/bin/env python3
"""Bits that flip in the files of a store: each is found by fsck, which names the files it hits; what is whole is served.

    flip.py LEAT KIND TIMES [SEED]    TIMES flips in each file of that kind: blobs, packs, leat.db, roots (where its tables
                                      begin), log (its write-ahead log)

In what order things lie in a pack is read by docs/formats/store.md. Ends 1 with what was wrong.
"""
import glob
import os
import random
import re
import struct
import sys

from stores import Inputs, Workspace, Wrong, clone, folder, remove, sha

STORE = ['put raw/t:/deep/f <big', 'put raw/t:/deep/f <big2', 'put raw/t:/deep/f <big3', 'put raw/s:/d <some', 'put raw/s:/few <few',
         'put raw/one <one', 'put raw/m <mixed', 'put raw/none <two', 'rm raw/none:/two', 'gc', 'put raw/late:/in/rows <few', 'tag raw/t@old raw/t@master.1',
         'gc --no-repack'] # which empties the log: a page that stands in it comes from there
LOG = ['put raw/late:/more <one']


class Store:
    def __init__(self, leat, root, inputs, more):
        self.root, self.template, self.at = root, os.path.join(root, 'template'), os.path.join(root, 'w')
        w = Workspace(leat, root)
        w.ok('init', self.template)
        w.dir = self.template
        for line in STORE + more:
            w.ok(*[inputs[a[1:]] if a[0] == '<' else a for a in line.split()])
        w.sound('before any flip')
        w.state()
        self.want = w.ids  # commit -> {path: hash}
        self.w = Workspace(leat, self.at)

    def fresh(self):
        clone(self.template, self.at)

    def commits_of(self, hashes):
        """{(repo, path)} of all that hold one of these."""
        return {(pin.split('@')[0], p) for pin, c in self.want.items() for p, h in c.items() if h in hashes}

    def serve(self):
        """(repo, path) of what is refused, with a sentence; whatever is served is right, bytes and all."""
        refused = set()
        for pin, content in self.want.items():
            repo = pin.split('@')[0]
            r = self.w.run(['get', '--tar', pin])
            if not r.status and self.w.content(pin) == content:
                continue
            for path, h in content.items():
                r = self.w.run(['cat', '%s:%s' % (pin, path)])
                if r.status and not r.err.startswith('leat: '):
                    raise Wrong('no sentence: %s' % r)
                if r.status:
                    refused.add((repo, path))
                elif sha(r.out) != h:
                    raise Wrong('%s:%s was served with other bytes' % (pin, path))
        return refused


def flip(path, bit):
    """One bit; the times stay: it is the disk that did it, nobody wrote."""
    st = os.stat(path)
    os.chmod(path, 0o644)
    with open(path, 'r+b') as f:
        f.seek(bit // 8)
        b = f.read(1)[0]
        f.seek(bit // 8)
        f.write(bytes([b ^ 1 << bit % 8]))
    os.chmod(path, st.st_mode & 0o777)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


def records(path):
    """[(from, to, hash)] of a pack."""
    with open(path, 'rb') as f:
        data = f.read()
    n = struct.unpack('<Q', data[-48:-40])[0]
    foot = data[len(data) - 48 - 48 * n:]
    out = []
    for i in range(n):
        at, stored = struct.unpack('<QI', foot[48 * i + 32:48 * i + 44])
        out.append((at, at + stored, foot[48 * i:48 * i + 32].hex()))
    return out


def places(path, times, r, pages):
    """Bits of a file: its first and last byte, and others; of a database in every page in turn."""
    size = os.path.getsize(path)
    at = [0, size - 1] + [r.randrange(size) for _ in range(times - 2)]
    if pages:
        with open(path, 'rb') as f:
            page = int.from_bytes(f.read(18)[16:], 'big')
        at = [page * (i % (size // page)) + r.randrange(page) for i in r.sample(range(max(times, size // page)), times)]
    return [8 * a + r.randrange(8) for a in at[:times]]


def one(s, kind, name, bit):
    """How many files it hit."""
    s.fresh()
    path = os.path.join(s.at, name)
    when = 'bit %d of %s' % (bit, name)
    flip(path, bit)
    found = s.w.run(['fsck'])
    text = found.out.decode() + found.err
    if found.status != 1 or os.path.basename(name) not in text and kind not in text:
        raise Wrong('%s: fsck does not name it: %s%s' % (when, text, found))
    hit, refused = None, s.serve()
    if kind == 'blobs':
        hit = {name.replace('.leat/blobs/', '').replace('/', '')}
    elif kind == 'packs':
        hit = {h for a, b, h in records(os.path.join(s.template, name)) if a <= bit // 8 < b}
    if hit is not None:
        more = refused - s.commits_of(hit)
        # a recipe draws on them: what is put together of a damaged piece is damaged too
        if more - {('raw/t', '/deep/f')}:
            raise Wrong('%s: what is whole is refused: %s' % (when, sorted(more)[:4]))
        refused |= s.commits_of(hit)
    if found.err.startswith('leat: '):
        if kind != 'log': # what was committed last would be left out without a word
            raise Wrong('%s: fsck cannot open it: %s' % (when, text))
        return 0
    if 'does not say which tables' in text or kind == 'roots':
        if refused:
            raise Wrong('%s: it harms %s: %s' % (when, sorted(refused)[:4], text))
        whole_again(s, when)
    unnamed = [x for x in refused if not named(text, *x)]
    if unnamed:
        raise Wrong('%s: fsck does not name %s: %s' % (when, sorted(unnamed)[:4], text))
    return len(refused)


def whole_again(s, when):
    s.w.ok('fsck', '--repair')
    s.w.sound(when + ', after --repair')
    if s.serve():
        raise Wrong('%s: after --repair not all is served' % when)
    s.w.ok('put', 'raw/one:/again', '-', stdin=b'again')
    s.w.ok('gc')
    s.w.sound(when + ', after --repair, put and gc')


def named(text, repo, path):
    """The file itself, a folder above it whose list is damaged, or all of its repo; of one thing the first places are
    named, and how many more there are."""
    above = [path] + [path[:i + 1] for i, c in enumerate(path) if c == '/']
    return any(re.search('%s@[0-9a-f]+:%s(?![^\s,;])' % (re.escape(repo), re.escape(a)), text) for a in above) or \
        'commits of %s can' % repo in text or 'not all names of repos can' in text or re.search('%s@.* more$' % re.escape(repo), text, re.M)


def main():
    leat, kind, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    root, r, bad, hits, n = folder(), random.Random(seed), [], 0, 0
    patterns = {'blobs': '.leat/blobs/*/*', 'packs': '.leat/packs/*.pack', 'leat.db': '.leat/leat.db', 'roots': '.leat/leat.db-roots', 'log': '.leat/leat.db-wal'}
    try:
        s = Store(leat, root, Inputs(os.path.join(root, 'in'), seed), LOG if kind == 'log' else [])
        files = sorted(glob.glob(os.path.join(s.template, patterns[kind])))
        for path in files:
            for bit in places(path, times, r, kind == 'leat.db'):
                try:
                    n += 1
                    hits += one(s, kind, os.path.relpath(path, s.template), bit)
                except Wrong as w:
                    bad.append(str(w))
        print('%d flips in %d files (%s) of a store of %d commits: %d times a file was hit' % (n, len(files), kind, len(s.want), hits))
        for b in bad[:5]:
            print('wrong (seed %d): %.1500s' % (seed, b))
        if bad:
            print('%d were wrong' % len(bad))
        return 1 if bad or not n else 0
    finally:
        remove(root) if not os.environ.get('LEAT_TEST_KEEP') else print(root)


sys.exit(main())
