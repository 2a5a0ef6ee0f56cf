#!/usr/bin/env python3
"""What a hostile client sends: hostile.py PORT malformed N | slow N SECONDS | gone N. Ends with 0 when it got through."""
import random
import socket
import sys
import time

port, what, n = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rnd = random.Random(7)
LINES = [
    b'GET / HTTP/9.9\r\n\r\n', b'\r\n\r\n\r\n', b'GET\r\n\r\n', b'GET / HTTP/1.1\r\n\r\n', b'\x00' * 100,
    b'GET /' + b'a' * 40000 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n',
    b'GET / HTTP/1.1\r\nHost: localhost\r\n' + b'X: ' + b'y' * 40000 + b'\r\n\r\n',
    b'GET / HTTP/1.1\r\n' + b''.join(b'H%d: v\r\n' % i for i in range(3000)) + b'\r\n',
    b'POST /api/v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n',
    b'POST /api/v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\nx',
    b'POST /api/v1/ls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n' + b'[' * 60000,
    b'POST /api/v1/ls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx\r\n',
    b'POST /api/v1/ls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    + b'8000\r\n' + b'1' * 32768 + b'\r\n' + (b'8000\r\n' + b'1' * 32768 + b'\r\n') * 8 + b'0\r\n\r\n',
    b'POST /hooks/orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nX-Hub-Signature-256: sha256=zz\r\n\r\nabc',
    b'GET /api/v1/ls?' + b'&'.join(b'repo=%%%02x' % (i % 256) for i in range(2000)) + b' HTTP/1.1\r\nHost: localhost\r\n\r\n',
    b'GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n',
    b'PUT / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n',
    b'GET /api/v1/events?from=-1 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: \xff\r\n\r\n',
]


def connect():
    s = socket.create_connection(('127.0.0.1', port), timeout=60)
    s.settimeout(5)
    return s


def malformed():
    for i in range(n):
        s = connect()
        try:
            line = bytearray(rnd.choice(LINES))
            for _ in range(rnd.randrange(3)):
                line[rnd.randrange(len(line))] = rnd.randrange(256)
            s.sendall(bytes(line))
            if i % 3 == 0:
                s.shutdown(socket.SHUT_WR)
            if i % 2 == 0:
                s.settimeout(0.02)
                s.recv(4096)
        except OSError:
            pass
        s.close()


def slow():
    until = time.time() + float(sys.argv[4])
    held = []
    for i in range(n):
        try:
            held.append(connect())
            held[-1].sendall(b'POST /api/v1/ls HTTP/1.1\r\nHost: localhost\r\n' + b'Content-Length: 1000\r\n\r\n' * (i % 2))
        except OSError:
            pass
    while time.time() < until:
        for s in held:
            try:
                s.sendall(b'X')
            except OSError:
                pass
        time.sleep(0.5)


def gone():
    for _ in range(n):
        s = connect()
        s.sendall(b'GET /api/v1/fsck HTTP/1.1\r\nHost: localhost\r\n\r\nGET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n')
        s.close()


{'malformed': malformed, 'slow': slow, 'gone': gone}[what]()
