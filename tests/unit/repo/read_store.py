#!/usr/bin/env python3
"""Reads a store by docs/formats/store.md alone: read_store.py WORKSPACE REPO prints SHA-256, size and path of each file
of the head of master, checking every hash, sum and page boundary on the way. Shares no code with leat."""
import ctypes
import hashlib
import os
import sqlite3
import struct
import sys

EMPTY = bytes.fromhex("fb50dc0717ff266cf9baf82b1ce7a1c2ef6d9247859680b11a19fb7077f5f222")


def varint(b, at):
    v = shift = 0
    while True:
        c = b[at]
        v |= (c & 127) << shift
        at += 1
        shift += 7
        if c < 128:
            return v, at


def ends(level, name, n):
    if n == 512:
        return True
    if level and n < 2:
        return False
    h = 0xCBF29CE484222325
    for c in name:
        h = (h ^ c) * 0x100000001B3 % 2**64
    m = (h ^ h >> 32) * 0x9E3779B97F4A7C15 % 2**64
    return m >> (64 - 5 * (level % 10 + 1)) & 31 == 0


class Store:
    def __init__(self, leat):
        self.leat, self.packs, self.places = leat, {}, {}
        self.db = sqlite3.connect("file:%s/leat.db?mode=ro" % leat, uri=True)
        version = self.db.execute("pragma user_version").fetchone()[0]
        assert version == 9, "format %d" % version
        assert self.db.execute("pragma application_id").fetchone()[0] == 0x4C656174

    def page(self, id):
        row = self.db.execute("select body from tree where id = ?", (id,)).fetchone()
        body = row[0] if row else b"\1\0\0" if id == EMPTY else None
        assert body is not None and hashlib.sha256(body).digest() == id, "page " + id.hex()
        assert body[0] == 1
        level, at = body[1], 2
        count, at = varint(body, at)
        items, last = [], b""
        for n in range(1, count + 1):
            kind = 1
            if not level:
                kind, at = body[at], at + 1
            length, at = varint(body, at)
            name, at = body[at : at + length], at + length
            child, at = body[at : at + 32], at + 32
            size, at = varint(body, at)
            files = entries = 1
            if level or kind:
                files, at = varint(body, at)
            if level:
                entries, at = varint(body, at)
            assert name > last and b"/" not in name and b"\0" not in name
            assert n == count or not ends(level, name, n), "a page that should have ended"
            items.append((kind, name, child, size, files, entries))
            last = name
        assert at == len(body)
        return level, items

    def walk(self, id, path, level=None, final=True):
        """Yields (sha, size, path) of all files; returns (size, files, entries) of the page."""
        own, items = self.page(id)
        assert level is None or own == level
        assert level is not None or not own or len(items) > 1, "a root with one page below"
        if not final:
            assert ends(own, items[-1][1], len(items)), "a page that ended too early"
        size = files = entries = 0
        for i, (kind, name, child, s, f, n) in enumerate(items):
            if own:
                got = yield from self.walk(child, path, own - 1, final and i == len(items) - 1)
                assert got == (s, f, n), "sums of a page"
            elif kind:
                got = yield from self.walk(child, path + name + b"/")
                assert got[:2] == (s, f), "sums of a folder"
            else:
                yield child.hex(), s, path + name
            size, files, entries = size + s, files + f, entries + n
        return size, files, entries

    def blob(self, sha, size):
        """The bytes of an object, looked for where the page says, in its order."""
        self.bytes_of(bytes.fromhex(sha), size)

    def bytes_of(self, id, size, deep=True):
        one = lambda sql: self.db.execute(sql, (id,)).fetchone()
        path = os.path.join(self.leat, "blobs", id.hex()[:2], id.hex()[2:])
        if one("select 1 from blob where id = ?"):
            with open(path, "rb") as f:
                data = f.read()
            assert os.stat(path).st_mode & 0o777 == 0o444, path
            where = "whole"
        elif row := one("select p.name, o.at, o.stored, o.size from packed o join pack p on p.id = o.pack where o.id = ?"):
            data = self.record(id, *row)
            where = "packed"
        elif row := one("select body from small where id = ?"):
            data, where = row[0], "small"
        else:
            body = one("select body from recipe where id = ?")[0]
            assert deep and body[0] == 1
            count, at = varint(body, 1)
            data, where = b"", "recipe"
            for _ in range(count):
                source, at = body[at : at + 32], at + 32
                begin, at = varint(body, at)
                length, at = varint(body, at)
                data += self.bytes_of(source, None, False)[begin : begin + length]
            assert at == len(body)
        assert size is None or len(data) == size, id.hex()
        assert hashlib.sha256(data).digest() == id, id.hex()
        whole = len(data) >= 65536 or (len(data) >= 12 and data[:4] == data[-4:] == b"PAR1")
        assert not deep or whole == (where in ("whole", "recipe")), "%s lies %s" % (id.hex(), where)
        self.places[where] = self.places.get(where, 0) + 1
        return data

    def record(self, id, name, at, stored, size):
        if name not in self.packs:
            self.packs[name] = self.pack(name)
        data, entries = self.packs[name]
        assert entries[id] == (at, stored, size), "a row and the footer differ"
        record = data[at : at + stored]
        return record if stored == size else unzstd(record, size)

    def pack(self, name):
        path = os.path.join(self.leat, "packs", name + ".pack")
        with open(path, "rb") as f:
            data = f.read()
        assert data[:8] == b"leatpk01" and data[-8:] == b"leatpkff", path
        count = struct.unpack("<Q", data[-48:-40])[0]
        foot = data[len(data) - 48 - 48 * count : -40]
        assert hashlib.sha256(foot).digest() == data[-40:-8], path
        entries, ids, end = {}, [], 8
        for i in range(count):
            ids.append(foot[48 * i : 48 * i + 32])
            entries[ids[-1]] = struct.unpack("<QII", foot[48 * i + 32 : 48 * i + 48])
        assert ids == sorted(set(ids)), path
        for at, stored, size in sorted(entries.values()):
            assert at == end and stored <= size <= 2**20, path
            end += stored
        assert end == len(data) - 48 - 48 * count, path
        return data, entries


def unzstd(frame, size):
    z = ctypes.CDLL("libzstd.so.1")
    z.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(size)
    assert z.ZSTD_decompress(out, ctypes.c_size_t(size), frame, ctypes.c_size_t(len(frame))) == size
    return out.raw


def main():
    store = Store(os.path.join(sys.argv[1], ".leat"))
    row = store.db.execute(
        "select c.tree, c.files, c.bytes from repo r join branch b on b.repo = r.id and b.name = 'master'"
        " join commits c on c.repo = r.id and c.id = b.head where r.name = ? and r.ended is null",
        (sys.argv[2],),
    ).fetchone()
    assert row, "no such repo"
    files = size = 0
    for sha, n, path in store.walk(row[0], b""):
        store.blob(sha, n)
        files, size = files + 1, size + n
        sys.stdout.buffer.write(b"%s %d %s\n" % (sha.encode(), n, path))
    assert (files, size) == row[1:], "sums of the commit"
    print(" ".join("%s %d" % p for p in sorted(store.places.items())), file=sys.stderr)


main()
