"""Figures of running: the commands of every day, a year of days, many jobs, publishing."""
import json
import os
import shutil
import sqlite3

from measure import (DAYS, FIRST, LEAT, MIDDLE, ROOM, ROWS, TOOL, Row, best_of, call, floor_start, fresh, leat, libduckdb,
                     spawn, timed, watch_peak, write)


def case_start():
    ours = spawn(400, 1, LEAT, '--version')['best_ms'] / 1e3
    return [Row('`leat --version`', ours, floor_start(), 'empty C program', limit=0.005)]


def multiply_history(ws, jobs, want):
    """Copies the rows of real runs and units until there are `want` units: the past, without waiting for it."""
    db = sqlite3.connect(os.path.join(ws, '.leat', 'leat.db'))
    unit_columns = [r[1] for r in db.execute('pragma table_info(unit)') if r[1] not in ('id', 'run', 'ds')]
    run_columns = [r[1] for r in db.execute('pragma table_info(run)') if r[1] != 'id']
    have = db.execute('select count(*) from unit').fetchone()[0]
    per_job = want // jobs
    names = [r[0] for r in db.execute('select distinct job from unit order by job')]
    for job in names:
        run = db.execute('select id from run where job = ? limit 1', (job,)).fetchone()[0]
        for k in range((per_job - have // len(names)) // 100 + 1):
            new_run = '%032x' % (hash((job, k)) & (1 << 127) - 1)
            db.execute('insert into run(id, %s) select ?, %s from run where id = ?' % (
                ', '.join(run_columns), ', '.join(run_columns)), (new_run, run))
            db.execute("with recursive n(i) as (select 0 union all select i + 1 from n where i < 99) "
                       "insert into unit(run, ds, %s) select ?, date('2010-01-01', '+' || (? * 100 + i) || ' day'), %s "
                       "from n, (select * from unit where run = ? limit 1)" % (', '.join(unit_columns), ', '.join(unit_columns)),
                       (new_run, k, run))
    db.commit()
    count = db.execute('select count(*) from unit').fetchone()[0]
    db.execute('analyze')
    db.close()
    without_sums(os.path.join(ws, '.leat', 'leat.db'))
    return count


def without_sums(path):
    """Pages that were written by a program that is not leat: 0 stands for no checksum (docs/formats/store.md)."""
    with open(path, 'r+b') as f:
        page = int.from_bytes(f.read(18)[16:], 'big')
        for at in range(page - 8, os.path.getsize(path), page):
            f.seek(at)
            f.write(bytes(8))


def case_jobs():
    ws = fresh('jobs')
    for i in range(200):
        write(ws, 'jobs/j%03d.sh' % i, '#!/bin/sh\n# output: tables/t%03d\n# partition: daily\n# description: job %d\n'
              'echo "$DS" > "$LEAT_OUTPUT/f"\n' % (i, i))
    for i in range(200):
        leat(ws, 'run', 'j%03d' % i, '2023-01-01')
    units = multiply_history(ws, 200, 100000)
    spawn_one = spawn(60, 1, LEAT, '-C', ws, 'jobs')
    return [Row('`leat jobs`, 200 jobs, {:,} past units'.format(units), spawn_one['best_ms'] / 1e3, floor_start(),
                'empty C program', limit=0.015)]


def year_workspace():
    data = os.path.join(ROOM, 'data')
    os.makedirs(data, exist_ok=True)
    call([TOOL + 'gen', data, str(DAYS), str(ROWS)], ROOM)
    ws = fresh('year')
    leat(ws, 'put', 'raw/sales', data)
    write(ws, 'pipelines/year/load/job.yaml', 'kind: sql\noutput: tables/sales\npartition: daily\n')
    write(ws, 'pipelines/year/load/job.sql', 'select * from raw.sales\n')
    write(ws, 'pipelines/year/daily/job.yaml', 'kind: sql\noutput: marts/daily\npartition: daily\n')
    write(ws, 'pipelines/year/daily/job.sql', 'select shop, count(*) as n, sum(quantity) as quantity,\n'
          '  sum(quantity * price) as amount\nfrom tables.sales group by shop\n')
    return ws, data


def year_run():
    ws, data = year_workspace()
    seen = timed([LEAT, 'run'], ws)
    days = json.loads(leat(ws, 'sql', 'select count(distinct ds) as days, sum(n)::bigint as n from marts.daily',
                           '--format', 'json'))
    got = days[0] if isinstance(days, list) else days
    if (int(got['days']), int(got['n'])) != (DAYS, DAYS * ROWS):
        raise RuntimeError('the year came out wrong: %s' % got)
    return ws, data, seen


def case_year():
    target = os.path.join(ROOM, 'floor')
    floors, ours = [], []
    for _ in range(3):  # by turns, so that both see the same machine
        ws, data, seen = year_run()
        ours.append(seen)
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        floors.append(json.loads(call([TOOL + 'duck', libduckdb(), data, target, str(DAYS)], ROOM)))
    what = '%d days x {:,} CSV rows to Parquet to daily aggregate'.format(ROWS) % DAYS
    rows = [Row(what + ', CPU', min(o[1] for o in ours), min(f['cpu'] for f in floors), 'DuckDB alone in a loop',
                limit_ratio=1.3),
            Row(what + ', wall', min(o[0] for o in ours), min(f['wall'] for f in floors), 'DuckDB alone in a loop',
                limit_ratio=1.3)]
    again = [timed([LEAT, 'run'], ws) for _ in range(9)]
    rows.append(Row('the same again, nothing changed', min(a[0] for a in again), floor_start(), 'empty C program',
                    limit=0.05))
    rows.append(Row('the same again, nothing changed, CPU', min(a[1] for a in again)))
    changed = []
    for i in range(3):
        path = os.path.join(data, 'ds=' + MIDDLE, 'sales.csv')
        with open(path) as f:
            lines = f.read().splitlines(True)
        edited = os.path.join(ROOM, 'sales.csv')
        with open(edited, 'w') as f:
            f.writelines(lines[:-1 - i])
        leat(ws, 'put', 'raw/sales', '--ds', MIDDLE, edited)
        changed.append(timed([LEAT, 'run'], ws))
    n = leat(ws, 'sql', "select sum(n)::bigint as n from marts.daily where ds = '%s'" % MIDDLE, '--format', 'csv')
    if n.split()[-1] != str(ROWS - 3):
        raise RuntimeError('the changed day came out wrong: %s' % n)
    one = os.path.join(ROOM, 'one')
    shutil.rmtree(one, ignore_errors=True)
    os.makedirs(one)
    one_floor = best_of([TOOL + 'duck', libduckdb(), data, one, '1'], ROOM, 3)
    rows.append(Row('the same again, one day changed', min(c[0] for c in changed), one_floor,
                    'DuckDB started for one day', limit=0.2))
    rows.append(Row('the same again, one day changed, CPU', min(c[1] for c in changed)))
    return rows


def case_units():
    os.sync()  # what the cases before wrote is not this one's to wait for
    ws = fresh('units')
    write(ws, 'jobs/nothing/job.yaml', 'kind: script\noutput: tables/nothing\npartition: daily\n')
    write(ws, 'jobs/nothing/job.sh', '#!/bin/sh\n:\n', 0o755)
    script = os.path.join(ws, 'jobs', 'nothing', 'job.sh')
    ours, floor = [], []
    for year in ('2000', '2010', '2020'):  # by turns, so that both see the same machine
        floor.append(spawn(1000, 2, script))
        ours.append(timed([LEAT, 'backfill', 'nothing', '--from', year + '-01-01', '--to', str(int(year) + 2) + '-09-26',
                           '-j', '2'], ws))
    done = sqlite3.connect(os.path.join(ws, '.leat', 'leat.db')).execute(
        "select count(*) from unit where state = 'success'").fetchone()[0]
    if done != 3000:
        raise RuntimeError('%d units, not 3,000' % done)
    what, floor_what = '1,000 no-op script units, durable, 2 slots', 'posix_spawn of the same, 2 at a time'
    return [Row(what, min(o[0] for o in ours), min(f['wall'] for f in floor), floor_what, limit_ratio=1.5),
            Row(what + ', CPU', min(o[1] for o in ours), min(f['cpu'] for f in floor), floor_what)]


def case_many():
    ws = fresh('many')
    for i in range(10000):
        write(ws, 'jobs/j%05d.sql' % i, '-- output: tables/t%05d\n-- partition: daily\nselect %d as n, shop from %s\n' % (
            i, i, 'raw.sales' if i % 100 == 0 else 'tables.t%05d' % (i - 1)))
    shutil.rmtree(os.path.join(ws, '.leat', 'cache'), ignore_errors=True)
    first, first_cpu = timed([LEAT, 'plan', 'j00000', '--ds', FIRST], ws)
    again = []
    for i in range(3):
        write(ws, 'jobs/j05000.sql', '-- output: tables/t05000\n-- partition: daily\n\n-- edit %d\nselect %d as n, shop from raw.sales\n' % (i, i))
        again.append(timed([LEAT, 'plan', 'j05000', '--ds', FIRST], ws))
    rows = [Row('10,000 jobs, first full check', first, limit=5.0),
            Row('10,000 jobs, first full check, CPU', first_cpu),
            Row('10,000 jobs, `plan` after one edit', min(a[0] for a in again), limit=0.2),
            Row('10,000 jobs, `plan` after one edit, CPU', min(a[1] for a in again))]
    if shutil.which('strace'):
        write(ws, 'jobs/j05000.sql', '-- output: tables/t05000\n-- partition: daily\nselect 77 as n, shop from raw.sales\n')
        trace = os.path.join(ROOM, 'strace.out')
        call(['strace', '-f', '-e', 'trace=open,openat', '-o', trace, LEAT, 'plan', 'j05000', '--ds', FIRST], ws)
        with open(trace) as f:
            opened = {line.split('"')[1] for line in f if '.sql"' in line and 'ENOENT' not in line}
        rows.append(Row('10,000 jobs, job files read by that plan', len(opened), limit=1, unit='count'))
    return rows


def case_memory():
    ws, _ = year_workspace()
    peak = watch_peak([LEAT, 'run'], ws)
    return [Row('peak memory of `leat run` itself, over the year', peak, limit=30e6, unit='MB')]


def case_publish():
    """From outputs in their staging folders to heads that all readers see; datastore/ follows."""
    r = json.loads(call([TOOL + 'publish', os.path.join(ROOM, 'publish')], ROOM))
    floor = 'renames and syncs'
    return [Row('publish of one partition, staged to visible', r['one'], r['floor_one'], floor, limit=0.010),
            Row('publish of 100 tables together', r['hundred'], r['floor_hundred'], floor, limit=0.030),
            Row('publish of one partition and datastore/ after it', r['shown_one'], r['floor_one'], floor),
            Row('publish of 100 tables and datastore/ after them', r['shown_hundred'], r['floor_hundred'], floor)]
