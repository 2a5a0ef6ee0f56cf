#!/usr/bin/env python3
"""Writes the leat.db of a workspace anew in an older format, with the rows that fit there: old_store.py MIGRATIONS VERSION
DB. The steps are those of src/defs/migrations.def; what a newer step brought (columns, tables) is left behind."""
import os
import re
import sqlite3
import sys


def steps(path):
    """The SQL of each format, by its number."""
    text = re.sub(r'/\*.*?\*/', '', open(path).read(), flags=re.S)
    found = {}
    for part in re.split(r'^M\(', text, flags=re.M)[1:]:
        number, rest = part.split(',', 1)
        found[int(number)] = ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', rest))
    return found


def main():
    migrations, version, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if os.path.exists(path + '-shm'):
        os.unlink(path + '-shm')  # made anew from the whole log
    old = sqlite3.connect(path)
    new = sqlite3.connect(path + '.old')
    for number, sql in sorted(steps(migrations).items()):
        if number <= version:
            new.executescript(sql)
    new.execute('delete from store')
    tables = [r[0] for r in new.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite%'")]
    for table in tables:
        columns = [r[1] for r in new.execute('pragma table_info(%s)' % table)]
        rows = old.execute('select %s from %s' % (', '.join('"%s"' % c for c in columns), table)).fetchall()
        new.executemany('insert into %s(%s) values(%s)' % (table, ', '.join('"%s"' % c for c in columns),
                                                           ', '.join('?' * len(columns))), rows)
    if version < 2:
        new.execute("delete from store where key = 'gc_epoch'")
    new.execute('pragma application_id = 0x4c656174')
    new.execute('pragma user_version = %d' % version)
    new.commit()
    new.close()
    old.close()
    for end in ('-wal', '-shm', '-roots'):
        if os.path.exists(path + end):
            os.unlink(path + end)
    os.rename(path + '.old', path)


if __name__ == '__main__':
    main()
