"""Figures of units that come from the data: from a put to what follows, very many files, long histories, why."""
import json
import os
import sqlite3
import subprocess
import time

from measure import ENV, LEAT, ROOM, TOOL, Row, call, floor_start, fresh, leat, middle, quiet, timed, wall, write

COPY = 'kind: script\ncmd: [cp, -r, /pfs/in/., /pfs/out]\noutput: %s\ninputs: {in: {repo: %s, glob: "%s"}}\n'


def floor_unit():
    """One fresh root and a cp in it, and a program that starts: what a command that runs one unit does at least."""
    room = os.path.join(ROOM, 'root-of-one')
    return min(json.loads(call([TOOL + 'root', '1', '1', room], ROOM))['wall'] for _ in range(9)) + floor_start()


def case_sandbox():
    ws = fresh('sandbox')
    data = os.path.join(ROOM, 'three')
    os.makedirs(data)
    ours, floor = [], []
    write(ws, 'jobs/copy/job.yaml', COPY % ('copies', 'files', '/*'))
    for turn in range(5):  # by turns, so that both see the same machine
        for i in range(1000):
            with open(os.path.join(data, str(i)), 'w') as f:
                f.write('%d %d\n' % (turn, i) * 300)
        leat(ws, 'put', 'files', data + '/')
        room = os.path.join(ROOM, 'roots%d' % turn)
        with quiet():
            floor.append(json.loads(call([TOOL + 'root', '1000', '2', room], ROOM)))
            ours.append(timed([LEAT, 'run', '-j', '2'], ws))
    done = sqlite3.connect(os.path.join(ws, '.leat', 'leat.db')).execute(
        "select count(*) from unit where state = 'success'").fetchone()[0]
    if done != 5000:
        raise RuntimeError('%d units, not 5,000' % done)
    what, floor_what = '1,000 units of data, cp of 3 KB in a sandbox, 2 slots', 'a fresh root and cp in C, 2 at a time'
    best = middle([o[0] for o in ours])
    return [Row(what + ', middle of five turns', best, middle([f['wall'] for f in floor]), floor_what, limit_ratio=1.5),
            Row('the same, at least 300 a second', best, limit=1000 / 300),
            Row(what + ', CPU', middle([o[1] for o in ours]), middle([f['cpu'] for f in floor]), floor_what)]


def put_file(ws, name, text, *options):
    path = os.path.join(ROOM, 'one-file')
    with open(path, 'w') as f:
        f.write(text)
    return wall([LEAT, 'put', 'files:/' + name, path, *options], ws)


def case_follow():
    ws = fresh('follow')
    write(ws, 'jobs/copy/job.yaml', COPY % ('copies', 'files', '/*'))
    put_file(ws, 'f', 'first\n', '--run')
    with quiet():
        times = [put_file(ws, 'f', 'text %d\n' % i, '--run') for i in range(31)]
    n = len(leat(ws, 'log', 'copies', '--json').splitlines())
    if n != 32:
        raise RuntimeError('%d commits of the output, not 32' % n)
    what = '`put --run` of a file to the output of its one unit published, sandboxed'
    return [Row(what + ', middle of 31', middle(times), floor_unit(), 'a fresh root and cp in C', limit=0.060),
            Row(what + ', slowest', max(times))]


def known(ws, files, per_folder):
    """A workspace whose job has taken in `files` files, one unit each, published by leat itself."""
    write(ws, 'jobs/copy/job.yaml', COPY % ('copies', 'files', '/*/*'))
    call([TOOL + 'trees', ws, 'files', str(files), str(per_folder)], ROOM)
    call([TOOL + 'known', ws, 'copy'], ROOM)
    last = json.loads(leat(ws, 'run', '--json').splitlines()[-1])
    if (last['ran'], last['known']) != (0, files):
        raise RuntimeError('the units are not known: %s' % last)


def case_wide():
    files = 200000
    ws = fresh('wide')
    known(ws, files, 1000)
    leat(ws, 'run')
    with quiet():
        same = [wall([LEAT, 'run'], ws) for _ in range(9)]
    changed = []
    for i in range(9):
        put_file(ws, 'd0%03d/file-%06d.txt' % (i * 7, i * 7000 + 5), 'changed %d\n' % i)
        with quiet():
            changed.append(wall([LEAT, 'run'], ws))
    out = os.path.join(ROOM, 'ran')
    wall([LEAT, 'cat', 'copies:/d0056/file-056005.txt'], ws, out)
    with open(out) as f:
        if f.read() != 'changed 8\n':
            raise RuntimeError('the changed file did not arrive')
    what = '`leat run`, {:,} input files, glob `/*/*`, '.format(files)
    return [Row(what + 'nothing changed', middle(same), floor_start(), 'empty C program', limit=0.5),
            Row(what + 'one changed', middle(changed), floor_unit(), 'a fresh root and cp in C', limit=1.0)]


def case_chain():
    ws = fresh('chain')
    for job, reads in (('one', 'files'), ('two', 'one'), ('three', 'two')):
        write(ws, 'jobs/%s/job.yaml' % job, COPY % (job, reads, '/*'))

    def commits(first, last):
        took = []
        for i in range(first, last + 1):
            put_file(ws, 'f%04d' % i, 'file %d\n' % i)
            took.append(wall([LEAT, 'run'], ws))
        return middle(took)

    def settled(first, last):
        os.sync() # what a thousand commits left to be written is not the next one's
        with quiet():
            return commits(first, last)

    commits(1, 5)
    early = settled(6, 14)
    commits(15, 991)
    late = settled(992, 1000)
    n = len(leat(ws, 'ls', 'three', '--json').splitlines())
    if n != 1000:
        raise RuntimeError('%d files at the end of the chain, not 1,000' % n)
    return [Row('`leat run`, three jobs one after the other, one new file, at commit 1,000', late, early,
                'at commit 10', limit_ratio=1.2, note='middle of nine')]


def why_rows(ws, units):
    """Of a workspace as known() makes it."""
    floor, rows = floor_start(), []
    name = 'd0555/file-555555.txt'
    for what, words in (('`why` of a file', ('why', 'copies:/' + name)),
                        ('`why --used-by` of a file', ('why', '--used-by', 'files:/' + name))):
        got = json.loads(leat(ws, *words, '--json'))
        if name not in json.dumps(got) or 'unit' not in json.dumps(got):
            raise RuntimeError('that is no answer: %s' % got)
        with quiet():
            times = [wall([LEAT, *words], ws) for _ in range(31)]
        rows.append(Row(what + ' among {:,} units, middle of 31'.format(units), middle(times), floor, 'empty C program',
                        limit=0.020))
        rows.append(Row(what + ' among {:,} units, slowest'.format(units), max(times)))
    return rows


def case_why():
    units = 1000000
    ws = fresh('why')
    known(ws, units, 1000)
    return why_rows(ws, units)


def whence_rows(ws, units):
    """Of a workspace as known() makes it, in which a job `large` has written a file of 1 MB by a real run."""
    db, rows = os.path.join(ws, '.leat', 'leat.db'), []
    made, text = os.path.join(ROOM, 'mailed'), os.path.join(ROOM, 'strange.txt')
    mine, data = os.path.join(ROOM, 'one-of-them'), os.path.join(ROOM, 'strange')
    wall([LEAT, 'get', 'large:/large', '-o', made], ws)
    wall([LEAT, 'get', 'copies:/d0555/file-555555.txt', '-o', mine], ws)
    with open(text, 'w') as f:
        f.writelines('line %d of a text that nobody has put\n' % i for i in range(24000))
    with open(data, 'wb') as f:
        f.write(os.urandom(1000000))
    for what, path, known, says in (('a file of 1 MB that a run made', made, 0, 'made by job large'),
                                    ('the file that one of the units wrote', mine, 0, 'file-555555.txt'),
                                    ('1 MB of bytes not known', data, 1, 'not known'),
                                    ('a text of 1 MB not known (its other forms are looked for)', text, 1, 'not known')):
        ask = [LEAT, 'whence', path]
        got = subprocess.run(ask, cwd=ws, env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if got.returncode != known or says not in got.stdout:
            raise RuntimeError('status %d: %s%s' % (got.returncode, got.stdout, got.stderr))
        with quiet():
            times = sorted(status_wall(ask, ws, known) for _ in range(31))
            floor = middle([wall([TOOL + 'whence', db, path], ws) for _ in range(31)])
        rows.append(Row('`whence` of %s, among {:,} units, middle of 31'.format(units) % what, middle(times), floor,
                        'its SHA-256 and one row of SQLite in C', limit=0.020))
    return rows


def status_wall(args, cwd, status):
    start = time.monotonic()
    r = subprocess.run(args, cwd=cwd, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    took = time.monotonic() - start
    if r.returncode != status:
        raise RuntimeError('%s: status %d' % (args, r.returncode))
    return took


def case_whence():
    units = 1000000
    ws = fresh('whence')
    known(ws, units, 1000)
    write(ws, 'jobs/large/job.yaml', 'kind: script\noutput: large\n')
    write(ws, 'jobs/large/job.sh', 'head -c 1000000 /dev/urandom > "$LEAT_OUTPUT/large"\n')
    leat(ws, 'run', 'large')
    return whence_rows(ws, units)


LIMITED = """kind: script
timeout: 1s
retries: 0
cmd: [bash]
stdin: [%s]
output: %s
inputs: {in: {repo: files, glob: "/"}}
"""
DEAF = '"trap \\"\\" TERM; setsid sleep 60 &", "while :; do sleep 60; done"'


def case_limit():
    """`sleep 60` under a limit of a second, the whole command: one that obeys, and one that does not and leaves its session."""
    rows = []
    for name, what, code in (('obeys', 'ended by SIGTERM', 'sleep 60'), ('deaf', 'SIGTERM ignored, by a child in its own session too', DEAF)):
        ws = fresh('limit-' + name)
        write(ws, 'jobs/slow/job.yaml', LIMITED % (code, 'slow'))
        put_file(ws, 'f', 'text\n')
        times = []
        with quiet():
            for _ in range(3):
                start = time.monotonic()
                r = subprocess.run([LEAT, 'run', 'slow'], cwd=ws, env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True)
                times.append(time.monotonic() - start)
                if r.returncode != 1 or 'longer than its limit' not in r.stderr:
                    raise RuntimeError('status %d: %s' % (r.returncode, r.stderr[-2000:]))
        if ws in call(['ps', '-eo', 'args'], ROOM):
            raise RuntimeError('something is left of the task')
        rows.append(Row('`leat run` of `sleep 60` under a limit of 1 s, %s, slowest of three' % what, max(times), limit=1.5))
    return rows
