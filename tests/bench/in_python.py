"""Figures of the Python package: what one call costs, and one unit of kind python."""
import os
import sys
import time

from measure import ENV, LEAT, Row, best_of, fresh, leat, quiet, write

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'clients', 'python', 'src')
ROWS = 100000
WIDE = 'select range as a, range * 1.5::double as b from range(%d)' % ROWS


def best(f, times=9):
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        f()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def case_python():
    ws = fresh('python')
    write(ws, 'leat.yaml', 'path: "%s:/usr/bin:/bin"\n' % os.path.dirname(sys.executable))
    write(ws, 't.csv', 'k,n,day\na,1,2018-01-01\nb,2,2018-01-03\n')
    leat(ws, 'put', 'raw/t', 't.csv')
    write(ws, 'jobs/script/job.yaml', 'kind: script\noutput: raw/script\n')
    write(ws, 'jobs/script/job.py', 'import os\nopen(os.environ["LEAT_OUTPUT"] + "/x", "w").write("1")\n')
    write(ws, 'jobs/kind/job.yaml', 'kind: python\noutput: raw/kind\n')
    write(ws, 'jobs/kind/job.py', 'def run(output): (output / "x").write_text("1")\n')
    write(ws, 'jobs/rows/job.yaml', 'kind: python\noutput: raw/rows\n')
    write(ws, 'jobs/rows/job.py', 'def run(): return [{"a": 1}]\n')
    os.environ['LEAT_BIN'] = LEAT
    ENV.update(LEAT_BIN=LEAT, PYTHONPATH=PACKAGE)
    sys.path.insert(0, PACKAGE)
    os.chdir(ws)
    import leat as package

    query = 'from raw.t'
    with quiet():
        program = best_of([LEAT, 'sql', '--format', 'typed', query], ws)
        one = best(lambda: package.sql(query, frame='rows'))
        bare = best_of([sys.executable, '-c', 'pass'], ws)
        whole = best_of([sys.executable, '-c', 'import leat; leat.sql("%s", frame="rows")' % query], ws)
        imported = best_of([sys.executable, '-c', 'import leat'], ws)
    with quiet():
        wide_program = best_of([LEAT, 'sql', '--format', 'typed', WIDE], ws, 3)
        wide = best(lambda: package.sql(WIDE, frame='rows'), 3)
        script = best_of([LEAT, 'run', 'script', '--again', '-q'], ws, 5)
        kind = best_of([LEAT, 'run', 'kind', '--again', '-q'], ws, 5)
        rows = best_of([LEAT, 'run', 'rows', '--again', '-q'], ws, 5)
    return [Row('`import leat`, a whole process', imported, bare, '`python3 -c pass`'),
            Row('`leat.sql` of a small table, from a Python that runs', one, program, '`leat sql` of the same'),
            Row('the same, a whole process', whole, program + bare, '`python3 -c pass` and `leat sql`'),
            Row('`leat.sql` of %d rows, without another package' % ROWS, wide, wide_program, '`leat sql` of the same'),
            Row('`leat run` of one unit of kind python that writes a file', kind, script, 'of kind script, a Python file'),
            Row('of one that returns a list of dicts', rows, script, 'of kind script, a Python file')]
