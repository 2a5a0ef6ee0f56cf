"""Figures of notebooks: one cell cold, warm, many of them, a plot, a page, a killed interpreter; others beside."""
import json
import os
import shutil
import subprocess
import sys
import time

from measure import ENV, LEAT, Row, best_of, call, fresh, leat, middle, quiet, wall, write
from serving import daemon

PLOT = '''# %%
import pandas as pd
import matplotlib.pyplot as plt
df = pd.DataFrame({'a': range(1000)})
df['b'] = df['a'] ** 2
# %%
import io, time
fig, ax = plt.subplots()
ax.plot(df['a'], df['b'])
begun = time.perf_counter()
fig.savefig(io.BytesIO(), format='png')
open(outputs + '/savefig', 'w').write(str(time.perf_counter() - begun))
plt.show()
'''
SLEEPS = '''# %%
import os, time
open(outputs + '/pid', 'w').write(str(os.getpid()))
time.sleep(1000)
'''


# What warm cannot do without: a fork that runs a cell, and the two syncs of the commit (leat.db, then its log).
WARM_FLOOR = '''
import os, time
try:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config
    c = Config()
    c.HistoryManager.enabled = False
    run = InteractiveShell.instance(config=c).run_cell
except ImportError:
    run = exec
null, out, best = os.open(os.devnull, os.O_WRONLY), os.open('floor', os.O_WRONLY | os.O_CREAT), 9
for _ in range(20):
    begun = time.perf_counter()
    pid = os.fork()
    if not pid:
        os.dup2(null, 1)
        run('print(1)')
        os._exit(0)
    os.waitpid(pid, 0)
    for _ in range(2):
        os.write(out, b'x' * 4096)
        os.fdatasync(out)
    best = min(best, time.perf_counter() - begun)
print(best)
'''


def has(python, *modules):
    return not subprocess.run([python, '-c', 'import ' + ', '.join(modules)], capture_output=True).returncode


def job(ws, name, text, *lines):
    more = ''.join(line + '\n' for line in lines)
    write(ws, 'jobs/%s/job.yaml' % name, 'kind: notebook\npartition: daily\noutput: raw/%s\n%s' % (name, more))
    write(ws, 'jobs/%s/notebook.py' % name, text)


def days(ws, name, n, first=1):
    """Seconds of one `leat run` each, of so many days."""
    taken = []
    for d in range(first, first + n):
        begun = time.perf_counter()
        wall([LEAT, 'run', name, '2023-%02d-%02d' % (d // 28 + 1, d % 28 + 1)], ws)
        taken.append(time.perf_counter() - begun)
    return taken


def killed(ws):
    """From kill -9 of the interpreter to the end of `leat run`."""
    p = subprocess.Popen([LEAT, 'run', 'sleeps', '2023-01-01'], cwd=ws, env=ENV, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    root, pid = os.path.join(ws, '.leat', 'staging', 'run'), None
    while not pid:
        for folder, _, files in os.walk(root):
            if 'pid' in files:
                pid = open(os.path.join(folder, 'pid')).read()
        time.sleep(0.01)
    begun = time.perf_counter()
    os.kill(int(pid), 9)
    p.wait()
    return time.perf_counter() - begun


def peers(ws):
    """papermill and nbconvert, where they are, on the same notebook."""
    found = {}
    leat(ws, 'notebook', 'convert', 'jobs/one/notebook.py', 'one.ipynb')
    for name, words in (('papermill', ['papermill', '-k', 'python3', '-l', 'python', 'one.ipynb', 'out.ipynb']),
                        ('nbconvert', ['jupyter-nbconvert', '--execute', '--to', 'html', 'one.ipynb'])):
        program = shutil.which(words[0])
        if program:
            found[name] = wall([program] + words[1:], ws)
    return found


def case_notebook():
    ws = fresh('notebook')
    write(ws, 'leat.yaml', 'path: "%s:/usr/bin:/bin"\nslots: 2\n' % os.path.dirname(sys.executable))
    job(ws, 'one', '# %%\nprint(1)\n')
    job(ws, 'year', '# %%\nprint(1)\n')
    job(ws, 'sleeps', SLEEPS)
    cells = [{'cell_type': 'code', 'id': 'c%d' % i, 'metadata': {}, 'execution_count': i, 'source': 'print(%d)' % i,
              'outputs': [{'output_type': 'stream', 'name': 'stdout', 'text': '%d\n' % i}]} for i in range(100)]
    write(ws, 'hundred.ipynb', json.dumps({'cells': cells, 'metadata': {}, 'nbformat': 4, 'nbformat_minor': 5}))
    others = peers(ws)
    rows = []
    with quiet():
        python = best_of([sys.executable, '-c', 'pass'], ws)
        start = best_of([LEAT, '--version'], ws)
        fork = float(call([sys.executable, '-c', WARM_FLOOR], ws))
        page = best_of([LEAT, 'notebook', 'convert', 'hundred.ipynb', '--to', 'html'], ws)
        cold = min(days(ws, 'one', 5))
        kill = min(killed(ws) for _ in range(3))
    with quiet(), daemon(ws):
        days(ws, 'one', 3, 10)
        warm = middle(days(ws, 'one', 20, 20))
    with quiet():
        year = wall([LEAT, 'run', 'year', '2022-01-01..2022-12-31'], ws)
    rows += [Row('a notebook of one cell, everything cold: `leat run` to published, with ipynb and HTML', cold, python,
                 '`python3 -c pass`', limit=0.150, peers=others),
             Row('the same, warm, daemon on, middle of 20', warm, fork,
                 'a fork of IPython that runs the cell, and two fdatasync', limit=0.025, peers=others),
             Row('365 of them over a year, 2 slots', year, limit=10),
             Row('HTML of 100 cells with outputs', page, start, '`leat --version`', limit=0.005),
             Row('kill -9 of its interpreter to the end of `leat run`', kill, limit=0.050)]
    if has(sys.executable, 'pandas', 'matplotlib'):
        job(ws, 'plot', PLOT)
        with quiet(), daemon(ws):
            days(ws, 'plot', 3)
            plot = middle(days(ws, 'plot', 7, 10))
        savefig = float(leat(ws, "cat", "raw/plot:/ds=2023-01-13/savefig"))
        rows.append(Row('pandas and a matplotlib plot, warm, daemon on, middle of 7', plot, savefig, 'savefig alone',
                        limit=min(0.35, savefig + 0.1)))
    return rows
