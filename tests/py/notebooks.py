#!/usr/bin/env python3
"""Notebooks at random, and whether two hold the same; for tests/cli/t8000-notebook-convert.sh.

    notebooks.py again N PROGRAM       N notebooks with what is hard to keep, in this folder; PROGRAM takes each to Python
                                       and back; nbformat and Jupytext are judges of the files, where they are installed
    notebooks.py same FILE FILE        whether cells, tags and metadata are equal (not outputs, counts and ids)
    notebooks.py nbformat FILE         whether nbformat finds it valid, and would write the very same bytes
    notebooks.py upgrade OLD NEW       whether NEW holds what nbformat's own upgrade makes of OLD
    notebooks.py jupytext PY IPYNB     whether Jupytext reads in PY the cells of IPYNB
"""
import importlib.util
import json
import random
import subprocess
import sys

LINES = ['x = 1', '', 'print("%d items" % 3)', '%matplotlib inline', '# %matplotlib inline', '!ls -l', '# !important', 'y = !ls',
         '    !echo in a block', '"""', '%d of a text', "'''", '# %% no cell', '#%% no cell', 'df.head?', '?df', 'a = "# %% x"', '%%time',
         'if x:', '    y = 2', 'z = [1,', '     %s]' % 2, '# # %load', 'é = "ü 漢"', '# ---', 'r"\\"', "s = '\\''"]
TEXT = ['# Title', '', 'some *text*', '- item', '# %% looks like a cell', '"""', '%magic in text', '  indented', '```python', '| a | b |', '#', '# ']
TAGS = [['parameters'], ['skip-execution', 'a b'], [], ['remove-input']]
VALUES = [True, None, 3, 1.5, 'text', 'a "quoted" = [text]', ['a', {'b': 'c d'}], {'deep': {'er': [1, 2, '']}}, 'null', '12', '']


def pick(rng, lines):
    n = rng.randrange(6)
    got = [rng.choice(lines) for _ in range(n)]
    while got and not got[-1].strip():
        got.pop()
    return '\n'.join(got)


def metadata(rng):
    got = {}
    if rng.random() < 0.4:
        got['tags'] = rng.choice(TAGS)
    for key in ('title', 'collapsed', 'odd key', 'my-key', 'a.b', 'slideshow'):
        if rng.random() < 0.15:
            got[key] = rng.random() < 0.5 if key == 'collapsed' else rng.choice(VALUES)
    return got


def make(seed, path):
    rng = random.Random(seed)
    cells = []
    for i in range(rng.randrange(12)):
        kind = rng.choice(['code', 'code', 'markdown', 'raw'])
        cell = {'cell_type': kind, 'id': 'c%d' % i, 'metadata': metadata(rng)}
        source = pick(rng, LINES if kind == 'code' else TEXT)
        if kind == 'code':
            if rng.random() < 0.2:
                source = '%%' + rng.choice(['bash', 'bash -e', 'html', 'writefile x.txt', 'timeit', 'time x = 1']) + '\n' + source
            source = source.rstrip()
            cell.update(execution_count=None, outputs=[])
        if kind == 'markdown' and rng.random() < 0.1:
            cell['attachments'] = {'a.png': {'image/png': 'aGVsbG8='}}
        cell['source'] = source.splitlines(True)
        cells.append(cell)
    about = {'kernelspec': {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'}, 'odd: key': rng.choice(VALUES)}
    if rng.random() < 0.3:
        about = {}
    with open(path, 'w', encoding='utf-8') as f:
        json.dump({'cells': cells, 'metadata': about, 'nbformat': 4, 'nbformat_minor': 5}, f)


def cells_of(path):
    with open(path, encoding='utf-8') as f:
        nb = json.load(f)
    return nb['metadata'], [(c['cell_type'], ''.join(c['source']), c['metadata'], c.get('attachments')) for c in nb['cells']]


def same(a, b):
    (about, cells), (about_b, cells_b) = cells_of(a), cells_of(b)
    wrong = [] if about == about_b else ['metadata: %r became %r' % (about, about_b)]
    if len(cells) != len(cells_b):
        wrong.append('%d cells became %d' % (len(cells), len(cells_b)))
    wrong += ['cell %d: %r became %r' % (i, x, y) for i, (x, y) in enumerate(zip(cells, cells_b)) if x != y]
    return wrong


def by_nbformat(path):
    import nbformat
    nb = nbformat.read(path, 4)
    nbformat.validate(nb)
    with open(path, encoding='utf-8') as f:
        return [] if nbformat.writes(nb) + '\n' == f.read() else ['nbformat would write other bytes']


def upgrade(old, new):
    import nbformat
    a, b = nbformat.read(old, 4), nbformat.read(new, 4)
    for cell in a.cells + b.cells:
        cell.pop('id', None)
    return [] if a.cells == b.cells else ['%r is not %r' % (b.cells, a.cells)]


def by_jupytext(py, ipynb):
    import jupytext
    import nbformat
    a, b = jupytext.read(py, fmt='py:percent'), nbformat.read(ipynb, 4)
    got = [(c.cell_type, c.source) for c in a.cells]
    want = [(c.cell_type, c.source) for c in b.cells]
    return [] if got == want else ['Jupytext reads %r, not %r' % (x, y) for x, y in zip(got, want) if x != y] or ['another number of cells']


def again(n, program):
    judges = [name for name in ('nbformat', 'jupytext') if importlib.util.find_spec(name)]
    for seed in range(int(n)):
        make(seed, 'r.ipynb')
        for x, y in (('r.ipynb', 'r.py'), ('r.py', 'r2.ipynb')):
            subprocess.run([program, 'notebook', 'convert', '-f', x, y], check=True, stderr=subprocess.DEVNULL)
        wrong = same('r.ipynb', 'r2.ipynb')
        if 'nbformat' in judges:
            wrong += by_nbformat('r2.ipynb')
        if wrong:
            return ['seed %d: %s' % (seed, line) for line in wrong]
    return []


def main():
    what, args = sys.argv[1], sys.argv[2:]
    wrong = {'again': again, 'same': same, 'nbformat': by_nbformat, 'upgrade': upgrade, 'jupytext': by_jupytext}[what](*args)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
