"""Figures of taking data in: many small files, large ones, and what was dropped into datastore/."""
import os
import random
import shutil
import time

from measure import LEAT, ROOM, TOOL, Row, call, fresh, leat, middle, quiet, timed, wall, watch_peak, write

FILES = 200000


def small_files(where, n):
    """n files of 3 kB of CSV in folders of 1000, no two alike."""
    rng = random.Random(1)
    words = ['%x' % rng.getrandbits(40) for _ in range(4000)]
    bodies = [''.join('%d,%s,%s,%d\n' % (k, rng.choice(words), rng.choice(words), rng.randrange(10**6)) for _ in range(130))
              for k in range(1000)]
    for i in range(n):
        if i % 1000 == 0:
            os.makedirs('%s/%03d' % (where, i // 1000))
        with open('%s/%03d/f%d.csv' % (where, i // 1000, i), 'w') as f:
            f.write(('%d,%s' % (i, bodies[rng.randrange(1000)]))[:3000])
    os.sync()


def looked_at(where, *how):
    """Seconds of a C program with a thread for each processor that looks at (or reads) as many files."""
    return min(wall([TOOL + 'walk', where, str(os.cpu_count()), *how], ROOM) for _ in range(3))


def warm(path):
    """
    Where the host of a virtual machine has to find memory first, that costs many times more than a copy: what comes
    next gets pages that were used just now, ours as well as the floor.
    """
    for i in range(3):
        call(['cp', path, '%s.%d' % (path, i)], ROOM)
    for i in range(3):
        os.remove('%s.%d' % (path, i))


def in_git(src):
    repo = os.path.join(ROOM, 'ingest.git')
    call(['git', 'init', '-q', repo], ROOM)
    with quiet():
        return wall(['git', '--git-dir', repo + '/.git', '--work-tree', src, '-c', 'gc.auto=0', 'add', '.'], repo)


def put_small(src):
    puts, what = [], 'put {:,} files of 3 kB'.format(FILES)
    looked_at(src, 'read')
    for _ in range(3):
        ws = fresh('ingest')
        with quiet():
            puts.append(wall([LEAT, 'put', 'raw/many', src], ws))
            floor = looked_at(src, 'read')
    peers = {'git add': in_git(src)} if shutil.which('git') else None
    ws = fresh('ingest')
    peak = watch_peak([LEAT, 'put', 'raw/many', src], ws)
    return [Row(what, min(puts), floor, 'reading them in C', FILES / 40000, peers=peers),
            Row('peak memory of the same', peak, limit=512e6, unit='MB')]


def adopted_small(src):
    """The files of src are moved into datastore/."""
    ws = fresh('adopt')
    where = os.path.join(ws, 'datastore/raw/many')
    path = os.path.join(where, '007', 'f7001.csv')
    os.makedirs(os.path.dirname(where))
    os.rename(src, where)
    with quiet():
        leat(ws, 'commit')
    what, how = 'commit over {:,} adopted files'.format(FILES), 'readdir and stat in C, all processors'
    with quiet():
        first = wall([LEAT, 'commit'], ws)
        floor = looked_at(where)
        again = min(wall([LEAT, 'commit'], ws) for _ in range(5))
        times = []
        for i in range(5):
            os.remove(path)
            write(ws, path, 'changed %d\n' % i)
            time.sleep(0.1)
            times.append(wall([LEAT, 'commit'], ws))
    shutil.rmtree(ws)
    return [Row(what + ', right after the adoption', first, floor, how, limit=0.4),
            Row(what + ', none changed', again, floor, how, limit=0.4),
            Row(what + ', one changed', min(times), floor, how, limit=0.45)]


def big_file():
    big, put, get, floor = os.path.join(ROOM, 'big'), [], [], []
    call(['dd', 'if=/dev/urandom', 'of=' + big, 'bs=1M', 'count=1024'], ROOM)
    os.sync()
    for _ in range(3):
        ws = fresh('big')
        with quiet():
            warm(big)
            copy = wall(['cp', big, big + '.copy'], ROOM)
            floor.append(copy + wall(['openssl', 'dgst', '-sha256', big], ROOM))
            os.remove(big + '.copy')
            warm(big)
            put.append(wall([LEAT, 'put', 'raw/big', big], ws))
            os.sync()
            warm(big)
            get.append(wall([LEAT, 'get', 'raw/big:/big', '-o', big + '.back'], ws))
        os.remove(big + '.back')
        shutil.rmtree(ws)
    os.remove(big)
    how = 'cp, then openssl sha256'
    return [Row('put a file of 1 GiB', min(put), min(floor), how, limit_ratio=1 / 0.8, note='durable, and a copy in datastore/'),
            Row('get it back', min(get), min(floor), how, limit_ratio=1 / 0.8)]


TURNS = 5


def large_tree():
    """16 files of 128 MiB, made once; it is moved from workspace to workspace, for adoption leaves what it copies."""
    master = os.path.join(ROOM, 'tree')
    names = ['f%d' % i for i in range(16)]
    if not os.path.exists(master):
        os.makedirs(master)
        for name in names:
            call(['dd', 'if=/dev/urandom', 'of=%s/%s' % (master, name), 'bs=1M', 'count=128'], ROOM)
        os.sync()
    return master, names


def adopted_large(protect):
    """
    By turns: the floor, then ours in a workspace of its own, each with as much memory just given back by a copy. The
    middle of the turns: single ones move with the memory that the host has to find.
    """
    master, names = large_tree()
    copy = os.path.join(ROOM, 'tree.copy')
    firsts, seconds, floors, looks = [], [], [], []
    for _ in range(TURNS):
        ws = fresh('adopt-' + protect)
        with open(os.path.join(ws, 'leat.yaml'), 'a') as f:
            f.write('protect: %s\n' % protect)
        tree = os.path.join(ws, 'datastore/raw/tree')
        os.makedirs(os.path.dirname(tree))
        os.rename(master, tree)
        files = [os.path.join(tree, name) for name in names]
        os.sync()
        with quiet():
            wall(['cp', '-r', tree, copy], ROOM)
            shutil.rmtree(copy)
            floor = wall(['openssl', 'dgst', '-sha256'] + files, ROOM)
            if protect == 'auto':
                floor += wall(['cp', '-r', tree, copy], ROOM)
                shutil.rmtree(copy)
            floors.append(floor)
            firsts.append(wall([LEAT, 'commit'], ws))
            seconds.append(wall([LEAT, 'commit'], ws))
            looks.append(looked_at(tree))
        os.rename(tree, master)
        shutil.rmtree(ws)
    how = 'cp, then openssl sha256' if protect == 'auto' else 'their SHA-256 by openssl'
    return [Row('adopt a tree of 2 GiB, protect: %s, the middle of %d' % (protect, TURNS), middle(firsts), middle(floors), how,
                limit_ratio=1 / 0.8),
            Row('the same a second time', max(seconds), min(looks), 'readdir and stat in C', limit=0.1)]


def case_small():
    os.makedirs(ROOM, exist_ok=True)
    src = os.path.join(ROOM, 'small')
    small_files(src, FILES)
    return put_small(src) + adopted_small(src)


def case_large():
    os.makedirs(ROOM, exist_ok=True)
    return big_file()


def case_adopt():
    os.makedirs(ROOM, exist_ok=True)
    rows = adopted_large('link') + adopted_large('auto')
    shutil.rmtree(os.path.join(ROOM, 'tree'))
    return rows
