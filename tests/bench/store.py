"""Figures of the store: reading it, checkout, commits of one file."""
import os
import shutil

from measure import ENV, LEAT, ROOM, TOOL, Row, best_of, call, fresh, leat, middle, quiet, timed, wall


def many_in_git(name, files, per_folder, changed=0):
    """The commits of bench-trees as git has them, made without files on disk."""
    room = os.path.join(ROOM, name)
    call(['git', 'init', '-q', room], ROOM)
    commands = os.path.join(ROOM, name + '.import')
    with open(commands, 'w') as f:
        for text, step in [('first', 1)] + ([('second', files // changed)] if changed else []):
            f.write('commit refs/heads/master\ncommitter b <b@example.org> 0 +0000\ndata 1\nx\n')
            for k in range(0, files, step):
                body = '%s %d\n' % (text, k)
                f.write('M 100644 inline d%04d/file-%06d.txt\ndata %d\n%s' % (k // per_folder, k, len(body), body))
    with open(commands) as f:
        os.chdir(room)
        pid = os.posix_spawnp('git', ['git', 'fast-import', '--quiet'], ENV,
                              file_actions=[(os.POSIX_SPAWN_DUP2, f.fileno(), 0)])
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError('git fast-import')
    os.remove(commands)
    call(['git', 'read-tree', 'HEAD'], room)
    return room


def lines_of(path):
    with open(path, 'rb') as f:
        return sum(1 for _ in f)


def case_read():
    """Whole commands whose output goes to a file. Their floor prints as much, by cat."""
    ws = fresh('read')
    call([TOOL + 'trees', ws, 'raw/x', '200000', '200', '2000'], ROOM)
    call([TOOL + 'trees', ws, 'raw/flat', '200000', '0', '2000'], ROOM)
    call([TOOL + 'trees', ws, 'raw/half', '100000', '200'], ROOM)
    git = many_in_git('read.git', 200000, 200, 2000) if shutil.which('git') else None
    list_half = ['git', 'ls-tree', '-r', '--name-only', 'HEAD'] + ['d%04d' % i for i in range(500)]
    list_all, changes = ['git', 'ls-tree', '-r', '-t', '--name-only', 'HEAD'], ['git', 'diff', '--name-status', 'HEAD~1', 'HEAD']
    wanted = [
        ('`ls -R` of 100,000 files', 100000, 0.1, ['ls', '-R', 'raw/half'], list_half),
        ('`glob **` over 200,000 files', 201000, 0.2, ['glob', 'raw/x:/**'], list_all),
        ('`glob **/*7.txt` over 200,000 files', 20000, 0.2, ['glob', 'raw/x:/**/*7.txt'], ['git', 'ls-files', '*7.txt']),
        ('`glob !(*7).txt` over 200,000 files in one folder', 180000, 0.2, ['glob', 'raw/flat:/!(*7).txt'], None),
        ('`glob d0007/*` of 200,000 files', 200, None, ['glob', 'raw/x:/d0007/*'], ['git', 'ls-files', 'd0007']),
        ('`diff --name-only` of 200,000 files, 1 % changed', 2000, 0.3, ['diff', '--name-only', 'raw/x'], changes),
        ('`diff --name-only`, the same in one folder', 2000, 0.3, ['diff', '--name-only', 'raw/flat'], None),
        ('`diff --stat` of 200,000 files, 1 % changed', 2, 0.3, ['diff', '--stat', 'raw/x'], changes),
        ('`find --name *7.txt` over 200,000 files', 20000, None, ['find', 'raw/x', '--name', '*7.txt'], None),
    ]
    rows, out, copy = [], os.path.join(ROOM, 'out'), os.path.join(ROOM, 'copy')
    with quiet():
        for what, lines, limit, ours, theirs in wanted:
            took = min(wall([LEAT, *ours], ws, out) for _ in range(9))
            if lines_of(out) != lines:
                raise RuntimeError('%s: %d lines, not %d' % (what, lines_of(out), lines))
            floor = min(wall(['cat', out], ws, copy) for _ in range(9))
            peers = {' '.join(theirs[:2]): min(wall(theirs, git, copy) for _ in range(3))} if git and theirs else None
            rows.append(Row(what + ', whole command', took, floor, 'cat of the same', limit=limit, peers=peers))
    return rows


SMALL, FOLDERS, TRIES = 100000, 100, 4


def others_with(src):
    """Those that are installed and now have the files of src: how each brings them to a new folder."""
    ways = {}
    if shutil.which('git'):
        git = os.path.join(ROOM, 'checkout.git')
        base = ['git', '-c', 'user.name=x', '-c', 'user.email=x@localhost', '--git-dir=' + git, '--work-tree=' + src]
        for words in (['init', '-q'], ['add', '-A'], ['commit', '-q', '-m', 'x']):
            call(base + words, src)
        ways['git checkout'] = lambda to: ['git', '--git-dir=' + git, '--work-tree=' + to, 'checkout', '-q', '-f', 'HEAD', '--', '.']
    if shutil.which('restic'):
        ENV['RESTIC_PASSWORD'], backup = 'x', os.path.join(ROOM, 'checkout.restic')
        call(['restic', '-q', '-r', backup, 'init'], ROOM)
        call(['restic', '-q', '-r', backup, 'backup', src], ROOM)
        ways['restic restore'] = lambda to: ['restic', '-q', '-r', backup, 'restore', 'latest', '--target', to]
    if shutil.which('borg'):
        ENV.update(BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK='yes', BORG_BASE_DIR=ENV['HOME'])
        archive = os.path.join(ROOM, 'checkout.borg')
        call(['borg', 'init', '-e', 'none', archive], ROOM)
        call(['borg', 'create', archive + '::a', '.'], src)
        ways['borg extract'] = lambda to: ['borg', 'extract', archive + '::a']
    return ways


def case_checkout():
    """
    The same 100,000 files out of leat and others, one after the other and again, each time to a new folder. The floor
    is a C program that writes as many files of as many bytes by as many threads as there are processors.
    """
    ws, src = fresh('checkout'), os.path.join(ROOM, 'checkout-files')
    for d in range(FOLDERS):
        os.makedirs(os.path.join(src, 'd%03d' % d))
        for i in range(SMALL // FOLDERS):
            with open(os.path.join(src, 'd%03d' % d, 'f%04d.json' % i), 'w') as f:
                f.write(''.join('{"folder": %d, "file": %d, "row": %d}\n' % (d, i, k * k * (d + i)) for k in range(70)))
    leat(ws, 'put', 'raw/small', src)
    size = os.path.getsize(os.path.join(src, 'd050', 'f0500.json'))
    ways = {'leat': lambda to: [LEAT, '-C', ws, 'checkout', 'raw/small', to],
            'bare': lambda to: [TOOL + 'files', to, str(FOLDERS), str(SMALL // FOLDERS), str(size), str(os.cpu_count())]}
    ways.update(others_with(src))
    walls, cpus = {}, {}

    def go(name, t):
        to = os.path.join(ROOM, 'out-%s-%d' % (name.split()[0], t))
        if name not in ('leat', 'bare'):
            os.makedirs(to)
        w, c = timed(ways[name](to), ROOM if name in ('leat', 'bare') else to)
        walls[name], cpus[name] = min(walls.get(name, w), w), min(cpus.get(name, c), c)
    os.sync()
    for t in range(TRIES):
        with quiet():
            for name in ways:
                if name in ('leat', 'bare', 'git checkout'):
                    go(name, t)
        os.sync()
    for name in ways:
        if name not in walls:
            with quiet():  # once: it takes long
                go(name, 0)
    if len(os.listdir(os.path.join(ROOM, 'out-leat-0', 'd007'))) != SMALL // FOLDERS:
        raise RuntimeError('the checkout is not whole')
    what, floor = 'checkout of 100,000 files of 3 KB', 'a C program that writes as many'
    again = best_of([LEAT, 'checkout', 'raw/small', os.path.join(ROOM, 'out-leat-0')], ws, 3)
    rows = [Row(what, walls['leat'], walls['bare'], floor, faster=3, peers={name: walls[name]})
            for name in ways if name not in ('leat', 'bare')]
    return rows + [Row(what + ', CPU time', cpus['leat'], cpus['bare'], floor,
                       peers={name: cpus[name] for name in ways if name not in ('leat', 'bare')}),
                   Row('the same into a checkout that has it', again)]


APPENDED = 80000 # bytes of log that a commit of one file writes


def durable_floor():
    """A process that appends as many bytes as such a commit, and waits for the disk."""
    return [wall([TOOL + 'append', os.path.join(ROOM, 'log'), str(APPENDED)], ROOM) for _ in range(30)]


def case_store():
    """Commits of one file, each a whole command, durable when it ends."""
    n, ws = 1000000, fresh('store')
    call([TOOL + 'trees', ws, 'raw/many', str(n), '200'], ROOM)
    one, git = os.path.join(ROOM, 'one'), None
    with open(one, 'w') as f:
        f.write('one\n')
    if shutil.which('git'):
        git = many_in_git('store.git', n, 200)
    put = lambda repo, i: wall([LEAT, 'put', '%s:/new/f%04d' % (repo, i), one], ws)
    with quiet():
        floor = middle(durable_floor())
        many = [put('raw/many', i) for i in range(100)]
        theirs = []
        for i in range(3 if git else 0):
            shutil.copy(one, os.path.join(git, 'f%d' % i))
            theirs.append(wall(['git', 'add', 'f%d' % i], git) +
                          wall(['git', '-c', 'user.name=x', '-c', 'user.email=x@localhost', 'commit', '-q', '-m', 'x'], git))
    peers = {'git add, commit': min(theirs)} if git else None
    shutil.rmtree(ws)
    return [Row('put one file into a repo of 1,000,000, the middle of 100', middle(many), floor, 'append, fdatasync', 0.030,
                peers=peers),
            Row('the slowest of them', max(many), floor, 'append, fdatasync')]


def case_history():
    """Whether a commit becomes dearer with the history before it: late and early ones by turns, each 22 times."""
    ws, one = fresh('history'), os.path.join(ROOM, 'history-one')
    with open(one, 'w') as f:
        f.write('one\n')
    put = lambda repo, i: wall([LEAT, 'put', '%s:/new/f%04d' % (repo, i), one], ws)
    early = ['raw/early%d' % i for i in range(2)]
    for repo, commits in [('raw/late', 990)] + [(repo, 5) for repo in early]:
        for i in range(commits):
            put(repo, i)
    late, first = [], []
    with quiet():
        for i in range(22):
            late.append(put('raw/late', 990 + i))
            first.append(put(early[i // 11], 5 + i % 11))
    shutil.rmtree(ws)
    return [Row('commit 1,000 (991 to 1,012) of a history of one file a commit', middle(late), middle(first),
                'commit 10 (6 to 16)', limit_ratio=1.2)]
