"""Figures of letting go: how long gc holds others up."""
import json
import os
import re
import shutil
import subprocess
import threading
import time

from measure import ENV, LEAT, ROOM, TOOL, Row, call, fresh, leat, middle, quiet, wall

GB = float(os.environ.get('LEAT_BENCH_GB', '10'))
FILE_BYTES, CHANGED, CHANGES = 256 << 20, 64 << 10, 8
PUTS = 300


def versions_of_one_file(ws, n):
    """n versions of a file of 256 MiB, each with some changes of 64 KiB: all but the last are cold."""
    path = os.path.join(ROOM, 'large')
    with open(path, 'wb') as f:
        for _ in range(FILE_BYTES >> 20):
            f.write(os.urandom(1 << 20))
    for i in range(n):
        with open(path, 'r+b') as f:
            for k in range(CHANGES):
                f.seek((i * 7919 + k * FILE_BYTES // CHANGES) % (FILE_BYTES - CHANGED))
                f.write(os.urandom(CHANGED))
        leat(ws, 'put', 'raw/large', path)
    os.remove(path)


def one_file_puts(ws, repo, until):
    """Seconds of each of many whole commands, one after another, while until() says so."""
    one, times = os.path.join(ROOM, 'one-' + repo.replace('/', '-')), []
    with open(one, 'w') as f:
        f.write('one\n')
    while until(len(times)):
        times.append(wall([LEAT, '-C', ws, 'put', '%s:/f%05d' % (repo, len(times)), one], ROOM))
    return times


def beside(ws, repo, args):
    """The same while another command is at work; its output."""
    other = subprocess.Popen(args, cwd=ws, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out = []
    reader = threading.Thread(target=lambda: out.extend(other.communicate()))
    reader.start()
    times = one_file_puts(ws, repo, lambda n: other.poll() is None)
    reader.join()
    if other.returncode:
        raise RuntimeError('%s: status %d\n%s' % (' '.join(args[:4]), other.returncode, out[1][-2000:]))
    return times, out[0]


def longest_hold(trace):
    """Seconds between taking and giving back write.lock, as a trace of flock tells: the longest, and how many."""
    line = re.compile(r'^\d+ +(\d+\.\d+) flock\(\d+<[^>]*/write\.lock>, (\S+)\) += 0 <(\d+\.\d+)>')
    taken, longest, n = None, 0.0, 0
    with open(trace) as f:
        for text in f:
            m = line.match(text)
            if m and m.group(2).startswith('LOCK_EX'):
                taken = float(m.group(1)) + float(m.group(3))
            elif m and taken is not None:
                longest, n, taken = max(longest, float(m.group(1)) - taken), n + 1, None
    return longest, n


def case_gc():
    n, rows = max(2, round(GB * 1e9 / FILE_BYTES)), []
    ws = fresh('gc')
    call([TOOL + 'trees', ws, 'raw/small', '200000', '200', '100000'], ROOM)
    leat(ws, 'keep', 'raw/small', 'last', '1')
    versions_of_one_file(ws, n + 1)
    os.sync()
    what = 'gc and re-pack of %.3g GB of old versions and 100,000 dead files' % (n * FILE_BYTES / 1e9)
    with quiet():
        alone = one_file_puts(ws, 'raw/alone', lambda k: k < PUTS)
    trace = os.path.join(ROOM, 'gc.trace')
    traced = ['strace', '-f', '--seccomp-bpf', '-y', '-ttt', '-T', '-e', 'trace=flock', '-o', trace]
    with quiet():
        start = time.monotonic()
        times, out = beside(ws, 'raw/line', (traced if shutil.which('strace') else []) + [LEAT, 'gc', '--json'])
        took = time.monotonic() - start
    report = json.loads(out.splitlines()[-1])
    rows.append(Row(what + ', its longest write transaction (of %d)' % report['transactions'],
                    report['longest_transaction_ms'] / 1e3, limit=0.020))
    if os.path.exists(trace):
        longest, holds = longest_hold(trace)
        rows.append(Row('the same, longest hold of the write lock by a trace (of %d)' % holds, longest, limit=0.020))
    floor = 'the slowest of %d alone' % PUTS
    rows.append(Row('one-file puts meanwhile, the slowest of %d, whole command' % len(times), max(times), max(alone), floor,
                    limit=0.050))
    rows.append(Row('the middle one of them', middle(times), middle(alone), 'the middle one alone'))
    rows.append(Row('that gc, with the puts beside it', took))
    leat(ws, 'fsck')
    with quiet():
        other = subprocess.Popen(['sh', '-c', 'for i in $(seq %d); do "$0" put raw/other:/f$i "$1" || exit; done' % PUTS, LEAT,
                                  os.path.join(ROOM, 'one-raw-alone')], cwd=ws, env=ENV, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        times = one_file_puts(ws, 'raw/line2', lambda k: other.poll() is None)
    if other.returncode:
        raise RuntimeError('a put beside others failed')
    rows.append(Row('one-file puts beside those of another process, the slowest of %d' % len(times), max(times), max(alone),
                    floor, limit=0.050))
    rows += beside_a_large_put(ws, max(alone), floor)
    shutil.rmtree(ws)
    return rows


def beside_a_large_put(ws, alone, floor):
    src = os.path.join(ROOM, 'gc-files')
    for d in range(100):
        os.makedirs(os.path.join(src, 'd%03d' % d))
        for i in range(1000):
            with open(os.path.join(src, 'd%03d' % d, 'f%04d' % i), 'w') as f:
                f.write('%d %d\n' % (d, i) * 300)
    os.sync()
    with quiet():
        times, _ = beside(ws, 'raw/line3', [LEAT, 'put', 'raw/files', src])
    shutil.rmtree(src)
    return [Row('one-file puts beside a put of 100,000 files, the slowest of %d' % len(times), max(times), alone, floor,
                limit=0.050)]
