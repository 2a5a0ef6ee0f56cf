#!/usr/bin/env python3
"""schema_pages.py .leat: the numbers of the pages of leat.db that say which tables there are, as it is with its log moved in;
walked from the first page (pages of overflow are left out)."""
import os
import shutil
import sqlite3
import sys
import tempfile

with tempfile.TemporaryDirectory() as t: # a copy: whoever closes it last would move the log
    for name in ('leat.db', 'leat.db-wal'):
        if os.path.exists(os.path.join(sys.argv[1], name)):
            shutil.copy(os.path.join(sys.argv[1], name), t)
    db = sqlite3.connect(os.path.join(t, 'leat.db'))
    db.execute('select count(*) from sqlite_master').fetchone()
    db.execute('pragma wal_checkpoint(truncate)')
    db.close()
    with open(os.path.join(t, 'leat.db'), 'rb') as f:
        data = f.read()

size = int.from_bytes(data[16:18], 'big')


def walk(number, head):
    page = data[(number - 1) * size:number * size]
    found = [number]
    if page[head] == 5:
        cells = int.from_bytes(page[head + 3:head + 5], 'big')
        at = [int.from_bytes(page[head + 12 + 2 * i:head + 14 + 2 * i], 'big') for i in range(cells)] + [head + 8]
        for a in at:
            found += walk(int.from_bytes(page[a:a + 4], 'big'), 0)
    return found


print(*walk(1, 100))
