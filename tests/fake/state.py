#!/usr/bin/env python3
"""Prints all state of a workspace as text: the rows of every SQLite table and, for each file of the store and of
datastore/, its kind, mode, size and SHA-256. Left out is what is no state: -wal and -shm files, lock files and .leat/cache/."""
import hashlib
import os
import sqlite3
import sys


def main(top):
    for folder, names, files in os.walk(top):
        names.sort()
        rel = os.path.relpath(folder, top)
        if rel == os.path.join('.leat', 'cache'):
            names.clear()
            continue
        print('dir', rel)
        for name in sorted(files):
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, top)
            if name.endswith(('-wal', '-shm')) or (rel == '.leat' and name.endswith('.lock')):
                continue
            if os.path.islink(path):
                print('link', shown, os.readlink(path))
            elif name.endswith('.db'):
                tables(path, shown)
            elif os.path.isfile(path):
                st = os.stat(path)
                with open(path, 'rb') as f:
                    digest = hashlib.sha256(f.read()).hexdigest()
                print('file', shown, oct(st.st_mode & 0o7777), st.st_size, digest)


def tables(path, shown):
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    db.text_factory = lambda b: b.decode('utf-8', 'backslashreplace')
    for line in db.iterdump():
        print('row', shown, line)
    db.close()


main(sys.argv[1])
