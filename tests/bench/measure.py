"""What the cases of tests/bench/run share: commands and their times, rows and the page that they stand on."""
import io
import json
import os
import platform
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, 'build')
LEAT = os.environ.get('LEAT_BIN', os.path.join(BUILD, 'leat'))
# A room of its own each time: ext4 gives out inodes that were deleted in the last minutes only after a long look, so
# what an earlier run left goes away when it is old. LEAT_BENCH_ROOM names another place, say a new file system.
ROOMS = os.environ.get('LEAT_BENCH_ROOM') or os.path.join(BUILD, 'bench')
ROOM = os.path.join(ROOMS, str(os.getpid()))
OLD_S = 900
HOOK = os.environ.get('LEAT_BENCH_HOOK')
TOOL = os.path.join(BUILD, 'tests', 'bench', 'bench-')
DAYS, ROWS = 365, 10000
FIRST, MIDDLE = '2023-01-01', '2023-06-15'

ENV = {k: v for k, v in os.environ.items() if not k.startswith('LEAT_') or k == 'LEAT_LIBDUCKDB'}
ENV.update(TZ='UTC', LANG='C.UTF-8', HOME=os.path.join(ROOM, 'home'))


class Row:
    """
    One line of the table. Values are seconds, or bytes when unit is 'MB'. The limit is absolute, or a ratio to the floor,
    or (faster) that many times faster than each of the peers, which are others that did the same in the same run.
    """

    def __init__(self, what, ours, floor=None, floor_what='', limit=None, limit_ratio=None, unit='s', note='', peers=None,
                 faster=None):
        self.what, self.ours, self.floor, self.floor_what = what, ours, floor, floor_what
        self.limit, self.limit_ratio, self.unit, self.note = limit, limit_ratio, unit, note
        self.peers, self.faster = peers or {}, faster

    def shown(self, value):
        if value is None:
            return '-'
        if self.unit == 'MB':
            return '%.1f MB' % (value / 1e6)
        if self.unit == 'count':
            return '%d' % value
        return '%.1f ms' % (value * 1e3) if value < 1 else '%.2f s' % value

    def held(self):
        if self.limit is not None:
            return self.ours <= self.limit
        if self.faster:
            return all(self.ours * self.faster <= v for v in self.peers.values()) if self.peers else None
        return self.ours <= self.limit_ratio * self.floor if self.limit_ratio else None

    def must(self):
        if self.limit is not None:
            return self.shown(self.limit)
        if self.faster:
            return '%.2gx faster than others' % self.faster
        return '%.2g x floor' % self.limit_ratio if self.limit_ratio else '-'

    def others(self):
        return ', '.join('%s %s' % (name, self.shown(v)) for name, v in self.peers.items()) or '-'

    def cells(self):
        ratio = '%.2f' % (self.ours / self.floor) if self.floor else '-'
        held = {True: 'yes', False: '**no**', None: '-'}[self.held()]
        floor = self.shown(self.floor) + (' (%s)' % self.floor_what if self.floor_what else '')
        return [self.what + (' (%s)' % self.note if self.note else ''), self.shown(self.ours), floor, ratio, self.must(),
                held, self.others()]


class quiet:
    """Around what is measured: LEAT_BENCH_HOOK names a program that makes the machine quiet (`begin`) and not (`end`)."""

    def __enter__(self):
        if HOOK:
            subprocess.run([HOOK, 'begin'], check=True)

    def __exit__(self, *_):
        if HOOK:
            subprocess.run([HOOK, 'end'], check=True)


def call(args, cwd, **kw):
    """Runs a command that must succeed; returns its standard output."""
    r = subprocess.run(args, cwd=cwd, env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True, **kw)
    if r.returncode:
        raise RuntimeError('%s: status %d\n%s%s' % (' '.join(args[:6]), r.returncode, r.stdout[-2000:], r.stderr[-2000:]))
    return r.stdout


def leat(ws, *args):
    return call([LEAT, *args], ws)


def timed(args, cwd):
    """Wall and CPU seconds (children too) of one command that must succeed."""
    before, start = os.times(), time.monotonic()
    call(args, cwd)
    wall, after = time.monotonic() - start, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def best_of(args, cwd, times=9):
    return min(timed(args, cwd)[0] for _ in range(times))


def spawn(n, slots, *program, cwd=None):
    return json.loads(call([TOOL + 'spawn', str(n), str(slots), *program], cwd or ROOM))


def watch_peak(args, cwd):
    """Peak resident bytes of the process itself, its children aside (VmHWM only grows, so the last look is the peak)."""
    p = subprocess.Popen(args, cwd=cwd, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors, peak = [], 0
    reader = threading.Thread(target=lambda: errors.append(p.stderr.read()))
    reader.start()
    while p.poll() is None:
        try:
            with open('/proc/%d/status' % p.pid) as f:
                for line in f:
                    if line.startswith('VmHWM:'):
                        peak = max(peak, int(line.split()[1]) * 1024)
        except OSError:
            pass
        time.sleep(0.002)
    reader.join()
    if p.returncode:
        raise RuntimeError('%s: status %d\n%s' % (args, p.returncode, errors[0].decode()[-2000:]))
    return peak


def fresh(name):
    path = os.path.join(ROOM, name)
    n = 1
    while os.path.exists(path):
        n += 1
        path = os.path.join(ROOM, '%s%d' % (name, n))
    os.makedirs(ROOM, exist_ok=True)
    os.makedirs(ENV['HOME'], exist_ok=True)
    leat(ROOM, 'init', path)
    return path


def write(ws, path, text, mode=0o644):
    full = os.path.join(ws, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'w') as f:
        f.write(text)
    os.chmod(full, mode)


def floor_start():
    return spawn(400, 1, TOOL + 'bare')['best_ms'] / 1e3


def libduckdb():
    for path in (os.environ.get('LEAT_LIBDUCKDB'), os.path.join(TOP, '.deps', 'libduckdb.so')):
        if path and os.path.exists(path):
            return path
    return 'libduckdb.so'


def wall(args, cwd, output=os.devnull):
    """Wall seconds of one command that must succeed, started as cheaply as can be: for those that take milliseconds."""
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        os.chdir(cwd)
        start = time.monotonic()
        pid = os.posix_spawnp(args[0], args, ENV, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1),
                                                                (os.POSIX_SPAWN_DUP2, out, 2)])
        status = os.waitpid(pid, 0)[1]
        took = time.monotonic() - start
    finally:
        os.close(out)
    if status:
        raise RuntimeError('%s: status %d' % (' '.join(args[:6]), os.waitstatus_to_exitcode(status)))
    return took


def middle(times):
    return sorted(times)[len(times) // 2]


# The page. A section is written whole, and the others stay as they are.

PAGE = os.path.join(TOP, 'docs', 'benchmarks.md')
HEAD = ['what', 'ours', 'floor', 'ratio', 'must reach', 'reached', 'others']
INTRO = """# Figures

Written by `make bench` (tests/bench/run). Each figure stands beside its floor, measured in the same run: the least
that the work costs on this machine without leat; and beside others that are installed. Both are the best of several
tries. Times move with the machine; compare the ratios.
"""


def print_table(rows, out):
    columns = len(HEAD) if any(r.peers for r in rows) else len(HEAD) - 1
    table = [HEAD[:columns]] + [r.cells()[:columns] for r in rows]
    widths = [max(len(line[i]) for line in table) for i in range(columns)]
    for k, line in enumerate(table):
        out.write('| ' + ' | '.join(c.ljust(w) for c, w in zip(line, widths)).rstrip() + ' |\n')
        if k == 0:
            out.write('|' + '|'.join('-' * (w + 2) for w in widths) + '|\n')


def section(title, rows, load):
    out = io.StringIO()
    cpu = next((line.split(':', 1)[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name')), '')
    out.write('## %s\n\n' % title)
    print_table(rows, out)
    out.write('\nMeasured %s on %s, %d cores, %s %s, leat %s, ' % (
        time.strftime('%Y-%m-%d'), cpu or platform.machine(), os.cpu_count(), platform.system(), platform.release(),
        call([LEAT, '--version'], TOP).split()[-1]))
    if HOOK:
        out.write('with other work on the\nmachine stopped.\n')
    else:
        out.write('load average\n%.1f at the beginning, %.1f at the end.\n' % (load, os.getloadavg()[0]))
    return out.getvalue()


def write_page(sections, order):
    """sections: by title; others are kept as the page has them."""
    have = {}
    with open(PAGE) as f:
        for part in f.read().split('\n## ')[1:]:
            have[part.split('\n', 1)[0]] = '## ' + part.rstrip('\n') + '\n'
    have.update(sections)
    with open(PAGE, 'w') as f:
        f.write(INTRO)
        for title in order:
            if title in have:
                f.write('\n' + have[title])
