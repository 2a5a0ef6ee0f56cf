"""Figures of the daemon: what it costs to stand by, and how soon what is due or has come is started."""
import json
import os
import sqlite3
import statistics
import time

from measure import (LEAT, ROOM, TOOL, Row, call, fresh, leat, libduckdb, quiet, spawn, timed, write)


class daemon:
    """`leat serve` over a workspace, ended with the block. env: more variables."""

    def __init__(self, ws):
        self.ws = ws

    def __enter__(self):
        start = time.monotonic()
        call([LEAT, 'serve'], self.ws)
        self.took = time.monotonic() - start
        with open(os.path.join(self.ws, '.leat', 'serve.json')) as f:
            self.pid = json.load(f)['pid']
        return self

    def __exit__(self, *_):
        call([LEAT, 'serve', '--stop'], self.ws)

    def cpu(self):
        with open('/proc/%d/stat' % self.pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def resident(self):
        with open('/proc/%d/status' % self.pid) as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith('VmRSS:'))


def rows_of(ws, query):
    return sqlite3.connect('file:%s?mode=ro' % os.path.join(ws, '.leat', 'leat.db'), uri=True).execute(query).fetchall()


def until(ws, query, seconds=60):
    end = time.monotonic() + seconds
    while not rows_of(ws, query)[0][0]:
        if time.monotonic() > end:
            raise RuntimeError('in vain: %s' % query)
        time.sleep(0.02)


def case_idle():
    ws = fresh('idle')
    for i in range(100):
        write(ws, 'jobs/j%03d.sql' % i, '-- output: tables/t%03d\n-- schedule: "0 0 1 1 *"\nselect %d as n\n' % (i, i))
    with daemon(ws) as d:
        time.sleep(1)
        before = d.cpu()
        time.sleep(5)
        used = d.cpu() - before
        return [Row('`leat serve` standing by, 100 jobs with schedules: memory', d.resident(), limit=20e6, unit='MB'),
                Row('CPU time in 5 s of it', used, limit=0)]


def case_stir():
    """From the commit that `put` makes to the start of the task that it causes, by the rows' own times."""
    ws = fresh('stir')
    write(ws, 'jobs/up/job.yaml', 'kind: script\ninputs: {raw: {repo: raw/x, glob: "/*"}}\noutput: tables/up\n')
    write(ws, 'jobs/up/job.sh', '#!/bin/sh\n:\n', 0o755)
    write(ws, 'one', 'x\n')
    leat(ws, 'put', 'raw/x', 'one')
    with daemon(ws):
        until(ws, "select count(*) from run where state = 'success'")
        for i in range(20):
            write(ws, 'one', 'x %d\n' % i)
            leat(ws, 'put', 'raw/x', 'one')
            until(ws, "select count(*) = %d from run where state = 'success'" % (i + 2))
    took = [r[0] / 1e3 for r in rows_of(
        ws, "select u.started - (select at from event e where e.id = u.global_id) from unit u"
        " where u.started is not null order by u.id")][1:]
    return [Row('commit to start of the task that it causes, daemon on, middle of 20', statistics.median(took), limit=0.020),
            Row('the slowest of them', max(took))]


def case_due():
    """1,000 jobs of one minute, two at a time: from the slot to the start of each one's run and unit."""
    ws = fresh('due')
    for i in range(1000):
        write(ws, 'jobs/j%04d.sql' % i, '-- output: tables/t%04d\n-- schedule: "* * * * *"\nselect %d as n\n' % (i, i))
    with daemon(ws):
        until(ws, "select count(*) > 0 from sqlite_master where name = 'request'", 90)
        until(ws, "select count(*) >= 1000 from request where finished is not null and slot is not null", 150)
    asked, units = [[r[0] / 1e3 for r in rows_of(ws, q + ' order by 1 limit 1000')] for q in (
        'select started - slot * 1000 from request where started is not null and slot is not null',
        'select u.started - r.slot * 1000 from unit u join request r on r.run = u.run where u.started is not null')]
    return [Row('1,000 schedules due at once: due to begun, middle', statistics.median(asked), limit=0.020,
                note='its run and its unit are recorded, it waits for one of 2 slots'),
            Row('... due to its unit in a slot, middle', statistics.median(units)),
            Row('... all of them', max(units))]


def case_true():
    """1,000 partitions of a job that is /bin/true, through the daemon's runner, in both modes of durability."""
    rows = []
    for mode, limit in (('process', 1.3), ('power', 1.6)):
        ws = fresh('true')
        write(ws, 'leat.yaml', 'name: true\nslots: 2\ndurability: %s\n' % mode)
        write(ws, 'jobs/nothing/job.yaml', 'kind: script\noutput: tables/nothing\npartition: daily\n')
        write(ws, 'jobs/nothing/job.sh', '#!/bin/sh\n:\n', 0o755)
        script = os.path.join(ws, 'jobs', 'nothing', 'job.sh')
        ours, floor = [], []
        for year in ('2000', '2010', '2020'):
            floor.append(spawn(1000, 2, script)['wall'])
            ours.append(timed([LEAT, 'backfill', 'nothing', '--from', year + '-01-01', '--to',
                               str(int(year) + 2) + '-09-26', '-j', '2'], ws)[0])
        rows.append(Row('1,000 no-op script units, 2 slots, surviving the death of a %s' % mode if mode == 'process' else
                        '1,000 no-op script units, 2 slots, surviving a power cut', min(ours), min(floor),
                        'posix_spawn of the same, 2 at a time', limit_ratio=limit))
    return rows


def case_hops():
    """100 jobs that are /bin/true, each after the one before: how long one takes to follow the other."""
    ours = []
    for _ in range(3):
        ws = fresh('hops')
        write(ws, 'leat.yaml', 'name: hops\nslots: 2\ndurability: process\n')
        for i in range(100):
            write(ws, 'jobs/h%02d/job.yaml' % i, 'kind: script\noutput: hops/h%02d\npartition: none\ncmd: [/bin/true]\n%s' % (
                i, 'after: h%02d\n' % (i - 1) if i else ''))
        leat(ws, 'jobs')
        ours.append(timed([LEAT, 'run'], ws)[0] / 100)
    floor = min(spawn(100, 1, '/bin/true')['wall'] for _ in range(3)) / 100
    return [Row('a hop of a chain of 100 `/bin/true`, surviving the death of a process', min(ours), floor,
                'posix_spawn of it, one after the other', limit=0.0015)]


STEPS = 20000
ROWS_OF = ('event', 'unit', 'attempt', 'current', 'memo')  # what leat writes of a step; runs are few


def rows_alone(ws, power):
    """Seconds that SQLite alone takes for the same rows in a database of the same shape, 1,000 in a transaction."""
    source, target = (os.path.join(ROOM, 'steps-%s.db' % n) for n in ('from', 'to'))
    for path in (source, target):
        for end in ('', '-wal', '-shm'):
            if os.path.exists(path + end):
                os.unlink(path + end)
    leat_db = sqlite3.connect(os.path.join(ws, '.leat', 'leat.db'))
    copy = sqlite3.connect(source)
    leat_db.backup(copy)
    copy.close()
    d = sqlite3.connect(target, isolation_level=None)
    for (sql,) in leat_db.execute("select sql from sqlite_master where sql is not null and tbl_name in %r"
                                  " and name not like 'sqlite%%' and type <> 'trigger' order by type desc" % (ROWS_OF,)):
        d.execute(sql)
    d.execute('pragma journal_mode = wal')
    d.execute('pragma synchronous = %s' % ('full' if power else 'off'))
    d.execute('attach ? as f', (source,))
    start = time.monotonic()
    for table in ROWS_OF:
        key = 'rowid' if table in ('event', 'unit') else 'unit'
        least, most = d.execute('select min(%s), max(%s) from f.%s' % (key, key, table)).fetchone()
        for n in range(least or 0, (most or -1) + 1, 1000):
            d.execute('begin immediate')
            d.execute('insert into main.%s select * from f.%s where %s >= ? and %s < ?' % (table, table, key, key), (n, n + 1000))
            d.execute('commit')
    return time.monotonic() - start


def hours(ws, job, years):
    """The best of some backfills of 20,000 hours, none of which was made before."""
    took = []
    for year in years:
        seconds = timed([LEAT, 'backfill', job, '--from', '%d-01-01T00' % year, '--to', '%d-04-14T07' % (year + 2), '-j', '2'], ws)[0]
        took.append(seconds)
    return min(took)


def case_steps():
    """Steps without a process: 20,000 hours of a job, and 1,000 jobs; and `select 1`, which is one of DuckDB's."""
    rows = []
    duck = 2 * duck_alone(['select 1'] * (STEPS // 2))  # as much as fits an argument
    for mode, limit in (('process', STEPS / 20000), ('power', STEPS / 5000)):
        told = 'the death of a process' if mode == 'process' else 'a power cut'
        for job, text, what in (('noop', 'kind: noop\n', 'no-op'), ('one', 'output: none\n', '`select 1` without output')):
            ws = fresh('steps')
            write(ws, 'leat.yaml', 'name: steps\nslots: 2\ndurability: %s\n' % mode)
            write(ws, 'jobs/%s/job.yaml' % job, text + 'partition: hourly\n')
            if job == 'one':
                write(ws, 'jobs/one/job.sql', 'select 1 as one\n')
            leat(ws, 'jobs')
            with quiet():
                ours = hours(ws, job, (2001, 2005, 2009))
                ws_rows = rows_alone(ws, mode == 'power') / 3
            made = rows_of(ws, "select count(*) from unit where state = 'success'")[0][0]
            if made != 3 * STEPS:
                raise RuntimeError('%d steps were made, not %d' % (made, 3 * STEPS))
            floor = ws_rows + (duck if job == 'one' else 0)
            rows.append(Row('20,000 steps, %s, of one job, surviving %s' % (what, told), ours, floor,
                            'SQLite alone writes the same rows%s' % (', DuckDB alone runs as many' if job == 'one' else ''),
                            limit=limit))
    ws = fresh('steps')
    write(ws, 'leat.yaml', 'name: steps\nslots: 2\ndurability: process\n')
    for i in range(1000):
        write(ws, 'jobs/n%03d/job.yaml' % i, 'kind: noop\npartition: none\n')
    leat(ws, 'jobs')
    with quiet():
        ours = min(timed([LEAT, 'run', '--again'], ws)[0] for _ in range(4))
    rows.append(Row('1,000 no-op jobs of one step each, surviving the death of a process', ours, note='its jobs are read too'))
    ws = fresh('steps')
    write(ws, 'leat.yaml', 'name: steps\nslots: 2\ndurability: process\n')
    write(ws, 'jobs/one.sql', '-- output: tables/one\n-- partition: daily\nselect 1 as one\n')
    ours = min(timed([LEAT, 'backfill', 'one', '--from', year + '-01-01', '--to', str(int(year) + 2) + '-09-26',
                      '-j', '2'], ws)[0] for year in ('2000', '2010', '2020'))
    return rows + [Row('1,000 steps `select 1` of SQL, each published as a table, surviving the death of a process', ours)]


def duck_alone(statements):
    """One process of DuckDB, warm: so many statements, one after the other."""
    def took(n):
        return json.loads(call([TOOL + 'duck', libduckdb(), '; '.join(statements[:n])], ROOM))['wall']
    return min(took(len(statements)) - took(1) for _ in range(3))
