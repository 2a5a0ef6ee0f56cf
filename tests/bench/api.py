"""Figures of the HTTP API: a long past, a large log, and the daemon's start."""
import http.client
import json
import os
import socket
import sqlite3
import time

from measure import LEAT, Row, fresh, leat, middle, quiet, wall, write
from spine import without_sums

JOBS, UNITS = 200, 1000000
LOG = 1 << 30


def long_past(ws, units):
    """`units` runs of one unit each, of JOBS jobs; the last one has a log of 1 GB."""
    path = os.path.join(ws, '.leat', 'leat.db')
    db = sqlite3.connect(path)
    db.execute('pragma journal_mode = wal')
    db.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < %d) insert into run"
               "(id, job, batch, kind, state, created, started, finished) select printf('%%032x', i * 2654435761), "
               "'job' || (i %% %d), printf('%%032x', i), 'run', 'success', i * 1000, i * 1000, i * 1000 + 5 from n" % (units, JOBS))
    db.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < %d) insert into unit"
               "(run, job, ds, global_id, state, attempts, created, started, finished, ingredients) "
               "select printf('%%032x', i * 2654435761), 'job' || (i %% %d), date('2010-01-01', '+' || (i / %d) || ' day'), "
               "printf('%%032x', i), 'success', 1, i * 1000, i * 1000, i * 1000 + 5, '{}' from n" % (units, JOBS, JOBS))
    last = db.execute('select max(id) from unit').fetchone()[0]
    db.execute("insert into attempt(unit, n, state, started, finished, log) values(?, 1, 'success', 1, 2, 'logs/big.log')", (last,))
    run = db.execute('select run from unit where id = ?', (last,)).fetchone()[0]
    db.commit()
    db.execute('analyze')
    db.execute('pragma wal_checkpoint(truncate)')
    db.close()
    without_sums(path)
    return run


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def first_answer(ws, times=5):
    """Seconds from the start of `leat serve` to the first answer, each time of a new daemon."""
    took = []
    for _ in range(times):
        port = free_port()
        begin = time.monotonic()
        wall([LEAT, 'serve', '--port', str(port)], ws)
        c = http.client.HTTPConnection('127.0.0.1', port)
        c.request('GET', '/api/v1/runs?limit=1')
        if c.getresponse().status != 200:
            raise RuntimeError('no answer')
        took.append(time.monotonic() - begin)
        leat(ws, 'serve', '--stop')
    return took


def asked(c, path, times=30):
    took = []
    for _ in range(times):
        begin = time.monotonic()
        c.request('GET', path)
        r = c.getresponse()
        body = r.read()
        took.append(time.monotonic() - begin)
        if r.status != 200 or not body:
            raise RuntimeError('%s: status %d' % (path, r.status))
    return middle(took)


def some_past(units):
    ws = fresh('api')
    write(ws, 'jobs/job1/job.yaml', 'kind: script\noutput: tables/job1\npartition: daily\n')
    write(ws, 'jobs/job1/job.sh', 'true\n')
    run = long_past(ws, units)
    leat(ws, 'serve', '--port', '0')  # what a first daemon makes, once
    leat(ws, 'serve', '--stop')
    return ws, run


def case_api():
    small, _ = some_past(10000)
    ws, run = some_past(UNITS)
    with open(os.path.join(ws, '.leat', 'logs', 'big.log'), 'wb') as f:
        f.truncate(LOG - 1000)
        f.seek(0, 2)
        f.write(b'x' * 999 + b'\n')
    with quiet():
        start, start_small = middle(first_answer(ws)), middle(first_answer(small))
        version = min(wall([LEAT, '--version'], ws) for _ in range(20))
        leat(ws, 'serve', '--port', '0')
        with open(os.path.join(ws, '.leat', 'serve.json')) as f:
            place = json.load(f)
        c = http.client.HTTPConnection('127.0.0.1', place['port'])
        floor = asked(c, '/healthz')
        jobs = '&'.join('job=job%d' % i for i in range(50))
        rows = [('runs: the 50 newest', '/api/v1/runs?limit=50'), ('runs: the 50 newest of a job', '/api/v1/runs?limit=50&job=job7'),
                ('grid: 50 jobs, 30 days', '/api/v1/grid?last=30&' + jobs),
                ('the last 64 KB of a log of 1 GB', '/api/v1/logs?run=%s&from=-65536' % run),
                ('64 KB out of its middle', '/api/v1/logs?run=%s&from=%d&limit=65536' % (run, LOG // 2)),
                ('/metrics', '/metrics')]
        out = [Row('GET, over %d past units: %s' % (UNITS, what), asked(c, path), floor, '/healthz', limit=0.02)
               for what, path in rows]
        with open('/proc/%d/status' % place['pid']) as f:
            peak = [int(line.split()[1]) * 1024 for line in f if line.startswith('VmHWM:')][0]
        leat(ws, 'serve', '--stop')
    return out + [
        Row('`leat serve` to the first answer, with 10000 finished runs', start_small, version, '`leat --version`', limit=0.05),
        Row('the same, with %d past units' % UNITS, start, version, '`leat --version`', limit=0.1),
        Row('memory of the daemon after all that', peak, unit='MB', limit=30e6)]
