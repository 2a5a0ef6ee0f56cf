"""Figures of change: what differs between two versions of a table."""
import json
import os

from measure import LEAT, ROOM, TOOL, Row, best_of, call, fresh, leat, libduckdb, quiet

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
