"""Figures of trying: tests beside jobs, and what a save costs while somebody watches."""
import json
import os
import re
import signal
import subprocess
import time

from measure import ENV, LEAT, ROOM, TOOL, Row, best_of, call, fresh, leat, libduckdb, quiet, write

TESTS = 100
QUERY = 'select k, sum(v)::bigint + %d as s from %s group by k order by k'


def duck(statements):
    """One process of DuckDB: each query from its CSV into a Parquet file, which is read back."""
    return min(json.loads(call([TOOL + 'duck', libduckdb(), '; '.join(statements)], ROOM))['wall'] for _ in range(3))


def one(source, n, out):
    query = QUERY % (n, "read_csv('%s')" % source)
    return "copy (%s) to '%s' (format parquet); select * from read_parquet('%s')" % (query, out, out)


def case_tests():
    """100 jobs with a test each; every one of them has other files."""
    ws, floor = fresh('tests'), []
    for i in range(TESTS):
        job = 'jobs/agg%d' % i
        source = job + '/tests/day/inputs/raw/x/ds=2024-01-01/x.csv'
        write(ws, job + '/job.yaml', 'partition: daily\noutput: tables/agg%d\n' % i)
        write(ws, job + '/job.sql', QUERY % (i, 'raw.x') + '\n')
        write(ws, source, 'k,v\na,1\nb,2\na,%d\n' % i)
        write(ws, job + '/tests/day/case.yaml', 'ds: 2024-01-01\n')
        write(ws, job + '/tests/day/expected.csv', 'k,s\na,%d\nb,%d\n' % (1 + 2 * i, 2 + i))
        floor.append(one(os.path.join(ws, source), i, os.path.join(ROOM, 'tests-floor.parquet')))
    if '100 passed' not in leat(ws, 'test'):
        raise RuntimeError('not all tests pass')
    with quiet():
        ours, least = best_of([LEAT, 'test'], ws, 3), duck(floor)
    return [Row('`leat test` of %d tests of small SQL jobs' % TESTS, ours, least,
                'the same %d queries in one process of DuckDB, from CSV to Parquet and back' % TESTS, limit=2)]


def wait_line(process, pattern):
    for line in process.stdout:
        if re.search(pattern, line):
            return
    raise RuntimeError('it ended early')


def saves(ws, times):
    """Seconds from a save, by renaming, to the line that says that it ran; the best."""
    args = [LEAT, 'run', '--watch', 'sales']
    process = subprocess.Popen(args, cwd=ws, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    took = []
    wait_line(process, '^watching')
    for n in range(times):
        write(ws, 'new.sql', QUERY % (1000 + n, 'raw.x') + '\n')
        begin = time.monotonic()
        os.rename(os.path.join(ws, 'new.sql'), os.path.join(ws, 'jobs/sales/job.sql'))
        wait_line(process, '^1 ran')
        took.append(time.monotonic() - begin)
        wait_line(process, '^watching')
    process.send_signal(signal.SIGINT)
    if process.wait() != 0:
        raise RuntimeError('it ended with another status than 0')
    return min(took)


def case_watch():
    """A query is saved under `leat run --watch`."""
    ws, data = fresh('watch'), os.path.join(ROOM, 'watch-data')
    write(ws, 'jobs/sales/job.yaml', 'partition: daily\noutput: tables/sales\n')
    write(ws, 'jobs/sales/job.sql', QUERY % (0, 'raw.x') + '\n')
    write(data, 'x.csv', 'k,v\na,1\nb,2\na,3\n')
    leat(ws, 'put', 'raw/x', data, '--ds', '2024-01-01')
    with quiet():
        ours = saves(ws, 9)
        many = [one(os.path.join(data, 'x.csv'), n, os.path.join(ROOM, 'watch-floor.parquet')) for n in range(51)]
        least = (duck(many) - duck(many[:1])) / 50
    return [Row('a query is saved under `leat run --watch`: until its job has run', ours, least,
                'the same query in a DuckDB that is warm', limit=0.1)]
