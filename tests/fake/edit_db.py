#!/usr/bin/env python3
"""Changes leat.db as a program that is not leat: edit_db.py DB SQL... [PARAMETERS as JSON]. Afterwards each page's
checksum is made right (docs/formats/store.md), as leat's own writing would: --no-sums leaves them wrong."""
import sqlite3
import struct
import sys

M = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9, 0x85ebca77c2b2ae63, 0x27d4eb2f165667c5)


def rotl(v, n):
    return ((v << n) | (v >> (64 - n))) & M


def lane(acc, v):
    return rotl((acc + v * P2) & M, 31) * P1 & M


def xx64(b, seed):
    n, i, h = len(b), 0, (seed + P5) & M
    if n >= 32:
        acc = [(seed + P1 + P2) & M, (seed + P2) & M, seed, (seed - P1) & M]
        while n - i >= 32:
            acc = [lane(a, v) for a, v in zip(acc, struct.unpack_from("<4Q", b, i))]
            i += 32
        h = (rotl(acc[0], 1) + rotl(acc[1], 7) + rotl(acc[2], 12) + rotl(acc[3], 18)) & M
        for a in acc:
            h = ((h ^ lane(0, a)) * P1 + P4) & M
    h = (h + n) & M
    while n - i >= 8:
        h = (rotl(h ^ lane(0, struct.unpack_from("<Q", b, i)[0]), 27) * P1 + P4) & M
        i += 8
    if n - i >= 4:
        h = (rotl(h ^ (struct.unpack_from("<I", b, i)[0] * P1 & M), 23) * P2 + P3) & M
        i += 4
    for c in b[i:]:
        h = rotl(h ^ (c * P5 & M), 11) * P1 & M
    h = (h ^ h >> 33) * P2 & M
    h = (h ^ h >> 29) * P3 & M
    return h ^ h >> 32


def page_sum(page, number):
    return struct.pack("<Q", xx64(page[:-8], number))


def fix(path):
    with open(path, "r+b") as f:
        head = f.read(100)
        size = struct.unpack(">H", head[16:18])[0]
        size = 65536 if size == 1 else size
        if head[20] != 8:
            return
        f.seek(0)
        number = 0
        while page := f.read(size):
            number += 1
            if any(page) and page_sum(page, number) != page[-8:]:
                f.seek(number * size - 8)
                f.write(page_sum(page, number))


def main():
    assert xx64(b"", 0) == 0xef46db3751d8e999 and xx64(b"abc", 0) == 0x44bc2cf5ad770999
    args = [a for a in sys.argv[1:] if a != "--no-sums"]
    db = sqlite3.connect(args[0])
    for sql in args[1:]:
        for row in db.execute(sql):
            print(*row)
    db.commit()
    db.close()
    if len(args) == len(sys.argv) - 1:
        fix(args[0])


if __name__ == "__main__":
    main()
