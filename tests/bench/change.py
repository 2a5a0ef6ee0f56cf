"""Figures of change: what differs between two versions of a table, and merging workspace branches."""
import json
import os
import shutil
import sqlite3
import time

from measure import LEAT, ROOM, TOOL, Row, best_of, call, fresh, leat, libduckdb, middle, quiet, wall, write
from spine import without_sums

DAYS, PER_DAY = 30, 50000
COLUMNS = "i + %d * 50000 as id, md5((i + %d)::varchar) as name, i %% 7 as a, (i * %d) %% 1000 as b, i / 3 as c, i * 1.5 as d, \
date '2024-01-01' + (i %% 365)::int as e, i %% 2 = 0 as f, i::varchar as g, -i as h"


def day(ws, target, n, factor):
    path = os.path.join(target, 'ds=2024-01-%02d' % n)
    os.makedirs(path, exist_ok=True)
    query = 'select ' + COLUMNS % (n, n, factor) + ' from range(%d) t(i)' % PER_DAY
    leat(ws, 'sql', '-o', os.path.join(path, 'part-0.parquet'), query)


def join(one, other):
    """A full join of all rows of two folders, each column compared."""
    side = "(select * exclude (ds) from read_parquet('%s/*/*.parquet'))"
    differs = ' or '.join('o.%s is distinct from n.%s' % (c, c) for c in ('name', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'))
    return 'select count(*) from %s o full join %s n on o.id = n.id where o.id is null or n.id is null or %s' % (
        side % one, side % other, differs)


def case_rows():
    """1.5 million rows of 10 columns in 30 partitions; the second version has one other partition, the third all others."""
    ws = fresh('rows')
    first, third = os.path.join(ROOM, 'rows-first'), os.path.join(ROOM, 'rows-third')
    for n in range(1, DAYS + 1):
        day(ws, first, n, 3)
        day(ws, third, n, 4)
    leat(ws, 'put', 'raw/t', first)
    leat(ws, 'put', 'raw/t:/ds=2024-01-07/part-0.parquet', os.path.join(third, 'ds=2024-01-07', 'part-0.parquet'))
    leat(ws, 'put', 'raw/t', third)
    rows, shown = [], ['--rows', '--key', 'id', '--summary', '--json']
    for what, pins, pair, limits in (
            ('one partition of 30 changed', ['raw/t@master.1', 'raw/t@master.2'], 7, {'limit': 1}),
            ('all changed', ['raw/t@master.1', 'raw/t@master.3'], None, {'limit_ratio': 2})):
        counts = json.loads(leat(ws, 'diff', *shown, *pins).splitlines()[-1])
        if counts['rows']['changed'] != (PER_DAY if pair else DAYS * PER_DAY) * 999 // 1000:
            raise RuntimeError('%s: %s' % (what, counts))
        sql = join(first, third)
        if pair:
            sql = sql.replace('/*/*.parquet', '/ds=2024-01-%02d/*.parquet' % pair)
        with quiet():
            ours = best_of([LEAT, 'diff', *shown, *pins], ws, 5)
            floor = min(json.loads(call([TOOL + 'duck', libduckdb(), sql], ROOM))['wall'] for _ in range(5))
        rows.append(Row('`diff --rows --key` of 1.5 M rows of 10 columns, %s' % what, ours, floor, 'the same full join in DuckDB',
                        **limits))
    return rows


TABLES, TRIES = 200, 5


def rows_of_merge(path):
    """What a merge of 200 repos changes in the database, as one durable transaction by SQLite alone: its seconds."""
    d = sqlite3.connect(path, isolation_level=None)
    d.executescript('pragma journal_mode=wal; pragma synchronous=full;'
                    'create table branch(repo, name, head, primary key(repo, name)) without rowid;'
                    'create table base(repo primary key, base) without rowid;'
                    'create table head_move(seq integer primary key, repo, branch, old, new, event, at);')
    d.executemany('insert into branch values(?, ?, ?)', [(i, n, '%032x' % i) for i in range(TABLES) for n in ('master', 'fix')])
    d.executemany('insert into base values(?, ?)', [(i, '%032x' % i) for i in range(TABLES)])
    start = time.monotonic()
    d.execute('begin immediate')
    for i in range(TABLES):
        d.execute("update branch set head = ? where repo = ? and name = 'master'", ('%032x' % (i + 1000), i))
        d.execute("insert into head_move(repo, branch, old, new, event, at) values(?, 'master', ?, ?, ?, ?)",
                  (i, '%032x' % i, '%032x' % (i + 1000), 'e' * 32, 1))
        d.execute("delete from branch where repo = ? and name = 'fix'", (i,))
        d.execute('delete from base where repo = ?', (i,))
    d.execute('commit')
    took = time.monotonic() - start
    d.close()
    return took


def files_of_merge(path):
    """200 files copied beside those that they replace, and renamed over them: what datastore/ has to become."""
    for i in range(TABLES):
        os.makedirs(os.path.join(path, str(i), 'ds=2024-01-02'))
        write(path, '%d/ds=2024-01-02/a.csv' % i, 'id,v\n1,2\n')
    write(path, 'new', 'id,v\n1,3\n')
    start = time.monotonic()
    for i in range(TABLES):
        at = os.path.join(path, str(i), 'ds=2024-01-02')
        shutil.copyfile(os.path.join(path, 'new'), os.path.join(at, '.new'))
        os.rename(os.path.join(at, '.new'), os.path.join(at, 'a.csv'))
    return time.monotonic() - start


def ahead(name, materialise):
    """Copies of a workspace with a branch over 200 tables, of each of which it has written one partition of three."""
    ws = fresh(name)
    with open(os.path.join(ws, 'leat.yaml'), 'a') as f:
        f.write('materialise: %s\n' % materialise)
    write(ws, 'a.csv', 'id,v\n1,2\n')
    write(ws, 'b.csv', 'id,v\n1,3\n')
    write(ws, 'master.txt', ''.join('put tables/t%d:/ds=2024-01-0%d/a.csv a.csv\n' % (i, d)
                                    for i in range(TABLES) for d in (1, 2, 3)))
    write(ws, 'branch.txt', ''.join('put tables/t%d:/ds=2024-01-02/a.csv b.csv\n' % i for i in range(TABLES)))
    leat(ws, 'batch', '-f', 'master.txt')
    leat(ws, 'branch', 'fix')
    leat(ws, 'batch', '-f', 'branch.txt', '--on', 'fix')
    copies = [ws + '-%d' % i for i in range(TRIES)]
    for c in copies:
        call(['cp', '-a', ws, c], ROOM)
        leat(c, 'status')  # its files have other inodes: looked at once, as those of the workspace are
    return copies


def case_merge():
    plain, shown = ahead('merge', 'off'), ahead('merge-shown', 'on')
    os.sync()
    with quiet():
        ours = min(wall([LEAT, 'merge', 'fix'], c) for c in plain)
        whole = min(wall([LEAT, 'merge', 'fix'], c) for c in shown)
        start = min(wall([LEAT, '--version'], plain[0]) for _ in range(TRIES))
        rows = min(rows_of_merge(os.path.join(c, 'floor.db')) for c in plain)
        files = min(files_of_merge(os.path.join(c, 'floor')) for c in plain)
    for ws in plain[0], shown[0]:
        if leat(ws, 'cat', 'tables/t7:/ds=2024-01-02/a.csv') != 'id,v\n1,3\n':
            raise RuntimeError('nothing was merged')
    floor = 'leat --version, and the rows as one durable SQLite transaction'
    return [Row('merge of a workspace branch that has written 200 tables, all heads in one transaction', ours, start + rows,
                floor, limit=0.05),
            Row('the same where datastore/ shows them: 200 partitions of one file too', whole, start + rows + files,
                floor + ', the files copied and renamed by a bare program', limit=0.05)]


def rows_of_branch(path):
    """The row of a workspace branch and that of its event, as one durable transaction by SQLite alone: its seconds."""
    d = sqlite3.connect(path, isolation_level=None)
    d.executescript('pragma journal_mode=wal; pragma synchronous=full;'
                    'create table if not exists branch(id integer primary key, name, created);'
                    'create table if not exists event(seq integer primary key, id unique, kind, at);')
    start = time.monotonic()
    d.execute('begin immediate')
    d.execute("insert into branch(name, created) values('fix', 1)")
    d.execute('insert into event(id, kind, at) values(?, ?, 1)', (os.urandom(16).hex(), 'branch'))
    d.execute('commit')
    took = time.monotonic() - start
    d.close()
    return took


def case_branch():
    """A workspace branch over 200 tables is made: the first one of a workspace (with its tables of the database), and a later one."""
    ws = fresh('branch')
    write(ws, 'a.csv', 'id,v\n1,2\n')
    write(ws, 'lines.txt', ''.join('put tables/t%d:/a.csv a.csv\n' % i for i in range(TABLES)))
    leat(ws, 'batch', '-f', 'lines.txt')
    copies = [ws + '-%d' % i for i in range(TRIES)]
    for c in copies:
        call(['cp', '-a', ws, c], ROOM)
    os.sync()
    with quiet():
        first = min(wall([LEAT, 'branch', 'fix'], c) for c in copies)
        later = min(wall([LEAT, 'branch', 'fix%d' % i], copies[0]) for i in range(TRIES))
        start = min(wall([LEAT, '--version'], ws) for _ in range(TRIES))
        rows = min(rows_of_branch(os.path.join(ws, 'floor.db')) for _ in range(TRIES))
        prompt = min(wall([LEAT, 'status', '--short', '--on', 'fix'], c) for c in copies)
    if len(leat(copies[0], 'branch', '--json').splitlines()) != TRIES + 1:
        raise RuntimeError('not all were made')
    floor = 'leat --version, two rows as one durable SQLite transaction'
    return [Row('workspace branch over 200 tables: create, the first of the workspace', first, start + rows, floor, limit=0.01),
            Row('the same, a later one', later, start + rows, floor, limit=0.01),
            Row('`status --short` on it', prompt, start, 'leat --version', limit=start + 0.005)]


JOBS = 10000


def all_made(ws):
    """The state after `leat run` of all jobs, without the hours: the rows of the first one's output, with the keys that the plan tells."""
    keys = {}
    for line in leat(ws, 'plan', '--json').splitlines():
        u = json.loads(line)
        if u.get('key') and u.get('ds'):
            keys.setdefault(u['job'], {})[u['ds']] = bytes.fromhex(u['key'])
    path = os.path.join(ws, '.leat', 'leat.db')
    db = sqlite3.connect(path)
    first = db.execute("select id from repo where name = 'tables/t00000'").fetchone()[0]
    made = db.execute('select ds, tree, unit from current where repo = ?', (first,)).fetchall()
    columns = [r[1] for r in db.execute('pragma table_info(commits)') if r[1] != 'repo']
    for job in sorted(keys):
        repo = db.execute("insert into repo(name, role, job, created) values(?, 'output', ?, 1)", ('tables/t' + job[1:], job)).lastrowid
        db.execute('insert into commits(repo, %s) select ?, %s from commits where repo = ?' % (', '.join(columns), ', '.join(columns)),
                   (repo, first))
        db.execute('insert into branch(repo, name, head) select ?, name, head from branch where repo = ?', (repo, first))
        db.execute('insert into unshown(repo) values(?)', (repo,))
        db.executemany('insert into current(repo, ds, key, tree, unit) values(?, ?, ?, ?, ?)',
                       [(repo, ds, keys[job][ds], tree, unit) for ds, tree, unit in made])
    db.commit()
    db.execute('analyze')
    db.close()
    without_sums(path)


def case_plan():
    ws = fresh('plan')
    write(ws, 'leat.yaml', 'name: plan\nmaterialise: off\n')
    for i in range(JOBS):
        write(ws, 'jobs/j%05d.sql' % i, '-- output: tables/t%05d\n-- partition: daily\nselect %d as n, shop from raw.sales\n' % (i, i))
    for d in range(DAYS):
        write(ws, 'sales/ds=2024-01-%02d/s.csv' % (d + 1), 'shop,amount\na,%d\n' % d)
    leat(ws, 'put', 'raw/sales', 'sales')
    leat(ws, 'run', 'j00000')
    all_made(ws)
    if 'nothing to run' not in leat(ws, 'plan'):
        raise RuntimeError('not all are up to date: %s' % leat(ws, 'plan')[:2000])
    times = []
    with quiet():
        for i in range(5):
            write(ws, 'jobs/j05000.sql', '-- output: tables/t05000\n-- partition: daily\nselect %d as n, shop from raw.sales\n' % -i)
            times.append(wall([LEAT, 'plan'], ws))
        write(ws, 'jobs/j05000.sql', '-- output: tables/t05000\n-- partition: daily\nselect 5000 as n, shop from raw.sales\n')
        idle = [wall([LEAT, 'run'], ws) for _ in range(4)][1:]
        os.unlink(os.path.join(ws, '.leat', 'cache', 'plan'))
        anew = wall([LEAT, 'plan'], ws)
        write(ws, 'jobs/j05000.sql', '-- output: tables/t05000\n-- partition: daily\nselect -7 as n, shop from raw.sales\n')
        start = min(wall([LEAT, '--version'], ws) for _ in range(TRIES))
        rows = best_sql(os.path.join(ws, '.leat', 'leat.db'), 'select repo, ds, key, tree, unit, note from current order by repo, ds')
    told = leat(ws, 'plan', '--json').splitlines()
    if len(told) != DAYS or any(json.loads(line)['job'] != 'j05000' for line in told):
        raise RuntimeError('%d units are planned, not %d of one job' % (len(told), DAYS))
    return [Row('`plan` of {:,} jobs x {} days, all made, one query edited'.format(JOBS, DAYS), middle(times), start + rows,
                'leat --version, and SQLite reads the {:,} rows of what was made'.format(JOBS * DAYS), limit=0.3),
            Row('`run` with nothing to do, the same workspace', middle(idle), start + rows, 'the same'),
            Row('`plan` of it without what earlier plans remembered', anew, start + rows, 'the same')]


def case_days():
    """10,000 partitions of one job, and a year of a chain of five: what a whole command takes that plans them."""
    ws = fresh('days')
    write(ws, 'leat.yaml', 'name: days\nmaterialise: off\n')
    write(ws, 'jobs/one.sql', "-- output: tables/one\n-- partition: daily\nselect '{{ ds }}' as d\n")
    leat(ws, 'backfill', 'one', '--from', '1995-01-01', '--to', '2022-05-18', '--quiet')
    chain = fresh('chain')
    for i in range(1, 6):
        what = 'select * from x' if i > 1 else "select '{{ ds }}' as d"
        write(chain, 'jobs/j%d.sql' % i, '-- output: tables/t%d\n-- partition: daily\n%s%s\n' % (
            i, '-- inputs: {x: tables/t%d}\n' % (i - 1) if i > 1 else '', what))
    year = [LEAT, 'backfill', 'j5', '--from', '2023-01-01', '--to', '2023-12-31', '-u', '--dry-run']
    for path, args, want in ((ws, [LEAT, 'plan'], 'nothing to run'), (chain, year, '1825 to run')):
        if want not in call(args, path):
            raise RuntimeError('%s: %s' % (' '.join(args[1:]), call(args, path)[:2000]))
    def tries(args, at):
        return middle([wall(args, at) for _ in range(TRIES)])
    with quiet():
        start = min(wall([LEAT, '--version'], ws) for _ in range(TRIES))
        plan, backfill = tries([LEAT, 'plan'], ws), tries(year, chain)
        rows = best_sql(os.path.join(ws, '.leat', 'leat.db'), 'select repo, ds, key, tree, unit, note from current')
    write(ws, 'leat.yaml', 'name: days\nmaterialise: on\n')
    leat(ws, 'run')
    if len(os.listdir(os.path.join(ws, 'datastore', 'tables', 'one'))) != 10000:
        raise RuntimeError('datastore/ does not show them')
    leat(ws, 'plan')
    with quiet():
        shown = tries([LEAT, 'plan'], ws)
        look = min(wall([TOOL + 'walk', os.path.join(ws, 'datastore'), '2'], ws) for _ in range(TRIES))
    return [Row('`plan` of 10,000 partitions of a job, all up to date', plan, start + rows,
                'leat --version, and SQLite reads the rows of what was made', limit=0.02, note='datastore/ off'),
            Row('the same where datastore/ shows them in 10,000 folders', shown, start + look,
                'leat --version, and a program that stats every file there'),
            Row('`backfill -u --dry-run` of a year of a chain of five jobs, nothing made', backfill, start,
                'leat --version', limit=0.02)]


def best_sql(path, query):
    took = []
    for _ in range(3):
        d = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
        start = time.monotonic()
        d.execute('select count(*), max(length(key) + length(tree)) from (%s)' % query).fetchall()
        took.append(time.monotonic() - start)
        d.close()
    return min(took)
