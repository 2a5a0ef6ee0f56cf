#!/usr/bin/env python3
"""An object store in memory that speaks as much of S3 as leat does, with faults, for tests (tests/lib-s3.sh).

Signatures and the SHA-256 of bodies are checked. Keys: leat / leatleatleat; `other` / `leatleatleat` may do nothing.
Each request is a line of the log: METHOD PATH?QUERY STATUS BYTES. Faults take a method (* for any) and a path glob.
"""
import argparse
import fnmatch
import hashlib
import re
import ssl
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

import s3

p = argparse.ArgumentParser(description=__doc__)
p.add_argument('--port', type=int, default=0)
p.add_argument('--port-file')
p.add_argument('--log')
p.add_argument('--status', nargs=4, action='append', default=[], metavar=('METHOD', 'GLOB', 'CODE', 'TIMES'),
               help='answer CODE for the first TIMES requests of each path (-1: always)')
p.add_argument('--drop', nargs=3, action='append', default=[], metavar=('METHOD', 'GLOB', 'TIMES'),
               help='close the connection instead of an answer')
p.add_argument('--stall', nargs=3, action='append', default=[], metavar=('METHOD', 'GLOB', 'TIMES'),
               help='read the request and never answer')
p.add_argument('--slow', nargs=3, action='append', default=[], metavar=('METHOD', 'GLOB', 'SECONDS'))
p.add_argument('--region', default='us-east-1')
p.add_argument('--tls', nargs=2, metavar=('CERT', 'KEY'))
args = p.parse_args()

KEYS = {'leat': 'leatleatleat', 'other': 'leatleatleat'}
buckets = {}  # name -> {key: (bytes, meta)}
uploads = {}  # id -> (bucket, key, meta, {number: bytes})
seen = {}
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body=b'', **headers):
        if args.log:
            with lock, open(args.log, 'a') as f:
                f.write('%s %s %d %d\n' % (self.command, self.path, status, len(self.body)))
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace('_', '-'), v)
        if 'Content_Length' not in headers:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def refuse(self, status, code, message='', **headers):
        self.answer(status, ('<?xml version="1.0"?><Error><Code>%s</Code><Message>%s</Message></Error>' % (code, escape(message))).encode(), **headers)

    def fault(self, path):
        """True: there was one, and it is over with."""
        with lock:
            n = seen[self.command, self.path] = seen.get((self.command, self.path), 0) + 1

        def fits(rules):
            for method, glob, *rest in rules:
                if method in ('*', self.command) and fnmatch.fnmatch(path, glob) and (int(rest[-1]) < 0 or n <= int(rest[-1])):
                    return rest
            return None
        for method, glob, seconds in args.slow:
            if method in ('*', self.command) and fnmatch.fnmatch(path, glob):
                time.sleep(float(seconds))
        status = fits(args.status)
        if status:
            self.refuse(int(status[0]), {'503': 'SlowDown', '500': 'InternalError'}.get(status[0], 'Odd'), 'as asked for')
            return True
        if fits(args.stall):
            time.sleep(3600)
        if fits(args.drop):
            self.close_connection = True
            self.connection.close()
            return True
        return False

    def signed(self, path, query):
        m = re.match(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=(\w+)$',
                     self.headers.get('authorization', ''))
        if not m:
            return self.refuse(403, 'AccessDenied', 'Access Denied.')
        key, _, region, names, sig = m.groups()
        if key not in KEYS:
            return self.refuse(403, 'InvalidAccessKeyId', 'The Access Key Id you provided does not exist in our records.')
        headers = {k.lower(): v for k, v in self.headers.items()}
        want = s3.signature(self.command, path, query, headers, names.split(';'), headers['x-amz-content-sha256'], headers['x-amz-date'], region, KEYS[key])
        if want != sig:
            return self.refuse(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match.')
        if region != args.region:
            return self.refuse(400, 'AuthorizationHeaderMalformed', 'the region is wrong', x_amz_bucket_region=args.region)
        if key == 'other':
            return self.refuse(403, 'AccessDenied', 'Access Denied.')
        if hashlib.sha256(self.body).hexdigest() != headers['x-amz-content-sha256']:
            return self.refuse(400, 'XAmzContentSHA256Mismatch', 'the bytes are others')
        return True

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get('content-length') or 0))
        path, _, text = self.path.partition('?')
        query = urllib.parse.parse_qsl(text, keep_blank_values=True)
        if self.fault(urllib.parse.unquote(path)) or not self.signed(path, query):
            return
        bucket, _, key = urllib.parse.unquote(path).lstrip('/').partition('/')
        with lock:
            reply = self.act(bucket, key, dict(query))
        (self.refuse if reply[0] >= 400 else self.answer)(*reply[:-1], **reply[-1])

    def act(self, bucket, key, q):
        meta = self.headers.get('x-amz-meta-leat-sha256', '')
        if self.command == 'PUT' and not key:
            buckets.setdefault(bucket, {})
            return 200, b'', {}
        if bucket not in buckets:
            return 404, 'NoSuchBucket', 'The specified bucket does not exist', {}
        objects = buckets[bucket]
        if 'uploads' in q:
            if self.command == 'POST':
                name = 'up-%d/+=' % (len(uploads) + 1)
                uploads[name] = (bucket, key, meta, {})
                return 200, ('<R><Bucket>%s</Bucket><UploadId>%s</UploadId></R>' % (bucket, name)).encode(), {}
            found = ''.join('<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload>' % (escape(k), u)
                            for u, (b, k, _, _) in uploads.items() if b == bucket and k.startswith(q.get('prefix', '')))
            return 200, ('<R>%s</R>' % found).encode(), {}
        if 'uploadId' in q:
            return self.part(objects, key, q)
        if self.command == 'PUT':
            objects[key] = (self.body, meta)
            return 200, b'', {'ETag': '"%s"' % hashlib.md5(self.body).hexdigest()}
        if self.command == 'DELETE':
            objects.pop(key, None)
            return 204, b'', {}
        if not key:
            found = ''.join('<Contents><Key>%s</Key><Size>%d</Size></Contents>' % (escape(k), len(objects[k][0]))
                            for k in sorted(objects) if k.startswith(q.get('prefix', '')) and k > q.get('start-after', ''))
            return 200, ('<R>%s</R>' % found).encode(), {}
        if key not in objects:
            return 404, 'NoSuchKey', 'The specified key does not exist.', {}
        data, meta = objects[key]
        return 200, data, {'x_amz_meta_leat_sha256': meta, 'Content_Length': str(len(data)), 'Last_Modified': formatdate(usegmt=True)}

    def part(self, objects, key, q):
        if q['uploadId'] not in uploads:
            return 404, 'NoSuchUpload', 'The specified upload does not exist.', {}
        _, _, meta, parts = uploads[q['uploadId']]
        if self.command == 'PUT':
            parts[int(q['partNumber'])] = self.body
            return 200, b'', {'ETag': '"%s"' % hashlib.md5(self.body).hexdigest()}
        del uploads[q['uploadId']]
        if self.command == 'POST':
            listed = re.findall(rb'<PartNumber>(\d+)</PartNumber><ETag>"(\w+)"</ETag>', self.body)
            if [(int(n), e.decode()) for n, e in listed] != [(n, hashlib.md5(b).hexdigest()) for n, b in sorted(parts.items())]:
                return 400, 'InvalidPart', 'the parts are others', {}
            objects[key] = (b''.join(b for _, b in sorted(parts.items())), meta)
        return 200, b'<R/>', {}

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # clients that are killed


server = Server(('127.0.0.1', args.port), Handler)
if args.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*args.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
if args.port_file:
    with open(args.port_file + '.new', 'w') as f:
        f.write(str(server.server_address[1]))
    import os
    os.rename(args.port_file + '.new', args.port_file)
server.serve_forever()
