#!/usr/bin/env python3
"""A static web server on loopback with faults, for tests (tests/lib.sh: http_server).

Each fault takes a path glob (fnmatch) so that one server plays several parts; the first N requests of a path can be
told from the later ones. Every request is one line of the log: METHOD PATH STATUS BYTES HEADER=value...
"""
import argparse
import email.utils
import fnmatch
import hashlib
import os
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

p = argparse.ArgumentParser(description=__doc__)
p.add_argument('dir')
p.add_argument('--port', type=int, default=0)
p.add_argument('--port-file', help='where the port is written once the server listens')
p.add_argument('--log')
p.add_argument('--drop', nargs=3, action='append', default=[], metavar=('GLOB', 'BYTES', 'TIMES'),
               help='close the connection after BYTES of the body, for the first TIMES requests')
p.add_argument('--status', nargs=3, action='append', default=[], metavar=('GLOB', 'CODE', 'TIMES'),
               help='answer CODE for the first TIMES requests (-1: always)')
p.add_argument('--retry-after', default=None, help='send this Retry-After with 429 and 503')
p.add_argument('--etag', action='store_true', help='send ETag and obey If-None-Match, If-Range')
p.add_argument('--last-modified', action='store_true', help='send Last-Modified and obey If-Modified-Since')
p.add_argument('--no-range', action='store_true', help='ignore Range')
p.add_argument('--no-length', action='store_true', help='send no Content-Length (chunked)')
p.add_argument('--redirect', nargs=2, action='append', default=[], metavar=('PATH', 'TARGET'))
p.add_argument('--slow', nargs=2, action='append', default=[], metavar=('GLOB', 'SECONDS'),
               help='wait before the answer')
p.add_argument('--stall', nargs=2, action='append', default=[], metavar=('GLOB', 'BYTES'),
               help='stop sending after BYTES and hold the connection')
p.add_argument('--posts', metavar='FILE', help='take POST: each body is a line of FILE')
p.add_argument('--auth', metavar='USER:PASSWORD', help='ask for basic authentication')
p.add_argument('--proxy', action='store_true', help='be an http proxy: absolute URLs answer from DIR too')
p.add_argument('--tls', nargs=2, metavar=('CERT', 'KEY'))
args = p.parse_args()

seen = {}
lock = threading.Lock()


def first(rules, path, n):
    """The argument of the first rule that fits this path and this request number."""
    for glob, value, times in rules:
        if fnmatch.fnmatch(path, glob) and (int(times) < 0 or n < int(times)):
            return int(value)
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def note(self, status, sent):
        if not args.log:
            return
        wanted = ('Range', 'If-None-Match', 'If-Modified-Since', 'If-Range', 'User-Agent', 'Authorization',
                  'Accept-Encoding')
        heads = ' '.join('%s=%s' % (h, self.headers[h]) for h in wanted if self.headers[h])
        with lock, open(args.log, 'a') as f:
            f.write('%s %s %d %d %s\n' % (self.command, self.path, status, sent, heads))

    # Noted first: who has the answer may look at the log at once.
    def answer(self, status, body=b'', **heads):
        self.note(status, len(body))
        self.send_response(status)
        for k, v in heads.items():
            self.send_header(k.replace('_', '-'), v)
        if status != 304:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD' and status != 304:
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        with lock:
            n = seen.get(path, 0)
            seen[path] = n + 1
        for glob, seconds in args.slow:
            if fnmatch.fnmatch(path, glob):
                time.sleep(float(seconds))
        status = first(args.status, path, n) or (201 if args.posts else 405)
        if status < 300:
            with lock, open(args.posts, 'ab') as f:
                f.write(body + b'\n')
        self.answer(status, b'status %d\n' % status)

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        with lock:
            n = seen.get(path, 0)
            seen[path] = n + 1
        for glob, seconds in args.slow:
            if fnmatch.fnmatch(path, glob):
                time.sleep(float(seconds))
        if args.auth:
            import base64
            want = 'Basic ' + base64.b64encode(args.auth.encode()).decode()
            if self.headers.get('Authorization') != want:
                return self.answer(401, b'who are you?\n', WWW_Authenticate='Basic realm="test"')
        for frm, target in args.redirect:
            if path == frm:
                return self.answer(302, b'', Location=target)
        status = first(args.status, path, n)
        if status:
            heads = {'Retry_After': args.retry_after} if args.retry_after and status in (429, 503) else {}
            return self.answer(status, b'status %d\n' % status, **heads)
        file = os.path.normpath(os.path.join(args.dir, path.lstrip('/')))
        if not (file + '/').startswith(os.path.abspath(args.dir) + '/') or not os.path.isfile(file):
            return self.answer(404, b'no such file\n')
        self.send_file(path, file, n)

    def send_file(self, path, file, n):
        with open(file, 'rb') as f:
            body = f.read()
        mtime = int(os.stat(file).st_mtime)
        heads = {}
        tag = '"%s"' % hashlib.md5(body).hexdigest()
        if args.etag:
            heads['ETag'] = tag
            if self.headers.get('If-None-Match') == tag:
                return self.answer(304, b'', **heads)
        if args.last_modified:
            stamp = email.utils.formatdate(mtime, usegmt=True)
            heads['Last-Modified'] = stamp
            since = self.headers.get('If-Modified-Since')
            if since and email.utils.parsedate_to_datetime(since).timestamp() >= mtime:
                return self.answer(304, b'', **heads)
        status, start, whole = 200, 0, len(body)
        want = self.headers.get('Range')
        if want and not args.no_range and want.startswith('bytes=') and self.headers.get('If-Range', tag) in (
                tag, heads.get('Last-Modified')):
            start = int(want[6:].split('-')[0] or 0)
            if start >= whole:
                return self.answer(416, b'', Content_Range='bytes */%d' % whole)
            status, body = 206, body[start:]
            heads['Content_Range'] = 'bytes %d-%d/%d' % (start, whole - 1, whole)
        if not args.no_range:
            heads['Accept_Ranges'] = 'bytes'
        limit = first(args.drop, path, n)
        stall = first([(g, b, -1) for g, b in args.stall], path, n)
        cut = min(x for x in (limit, stall, len(body)) if x is not None)
        chunked = args.no_length
        self.note(status, 0 if self.command == 'HEAD' else cut)
        self.send_response(status)
        for k, v in heads.items():
            self.send_header(k.replace('_', '-'), v)
        self.send_header(*(('Transfer-Encoding', 'chunked') if chunked else ('Content-Length', str(len(body)))))
        self.end_headers()
        if self.command == 'HEAD':
            return
        part = body[:cut]
        if chunked:
            part = b'%x\r\n%s\r\n' % (len(part), part) if part else b''
            part += b'0\r\n\r\n' if cut == len(body) else b''
        try:
            self.wfile.write(part)
            self.wfile.flush()
            if stall is not None and cut == stall:
                time.sleep(600)
        except (BrokenPipeError, ConnectionResetError):
            pass
        if cut < len(body):
            self.close_connection = True


def main():
    args.dir = os.path.abspath(args.dir)
    server = ThreadingHTTPServer(('127.0.0.1', args.port), Handler)
    server.daemon_threads = True
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    if args.port_file:
        with open(args.port_file + '.new', 'w') as f:
            f.write('%d\n' % server.server_address[1])
        os.rename(args.port_file + '.new', args.port_file)
    server.serve_forever()


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
