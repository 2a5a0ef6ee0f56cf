#!/usr/bin/env python3
"""A small client of an object store that speaks S3, for tests: what it sees is not seen through leat's own eyes.

    s3.py ENDPOINT make BUCKET        s3.py ENDPOINT ls BUCKET [PREFIX]     keys and sizes
    s3.py ENDPOINT cat BUCKET KEY     s3.py ENDPOINT put BUCKET KEY FILE    s3.py ENDPOINT rm BUCKET KEY
    s3.py ENDPOINT get BUCKET PREFIX DIR      all objects below a prefix as files
    s3.py ENDPOINT parts BUCKET KEY           unfinished uploads of an object
    s3.py ENDPOINT begin BUCKET KEY           begins one, and sends a part
Keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY. LEAT_TEST_CA names a certificate to trust.
"""
import datetime
import hashlib
import hmac
import http.client
import os
import re
import ssl
import sys
import urllib.parse


def quote(s, safe='-_.~'):
    return urllib.parse.quote(s, safe=safe)


def signature(method, path, query, headers, names, payload, when, region, secret):
    """Signature Version 4. `path` is encoded, `query` is a list of pairs, `headers` has lower-case names."""
    query = '&'.join(sorted('%s=%s' % (quote(k), quote(v)) for k, v in query))
    text = '\n'.join([method, path, query] + ['%s:%s' % (n, headers[n].strip()) for n in names] + ['', ';'.join(names), payload])
    scope = '%s/%s/s3/aws4_request' % (when[:8], region)
    key = ('AWS4' + secret).encode()
    for part in (when[:8], region, 's3', 'aws4_request'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = '\n'.join(['AWS4-HMAC-SHA256', when, scope, hashlib.sha256(text.encode()).hexdigest()])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Store:
    def __init__(self, endpoint):
        self.url = urllib.parse.urlsplit(endpoint)
        self.key, self.secret = os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY']
        self.region = 'us-east-1'

    def call(self, method, path, query=(), body=b'', fine=(200, 204)):
        path = '/' + quote(path, '-_.~/')
        when = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')
        payload = hashlib.sha256(body).hexdigest()
        headers = {'host': self.url.netloc, 'x-amz-content-sha256': payload, 'x-amz-date': when}
        names = sorted(headers)
        sig = signature(method, path, query, headers, names, payload, when, self.region, self.secret)
        headers['authorization'] = 'AWS4-HMAC-SHA256 Credential=%s/%s/%s/s3/aws4_request,SignedHeaders=%s,Signature=%s' % (
            self.key, when[:8], self.region, ';'.join(names), sig)
        if self.url.scheme == 'https':
            c = http.client.HTTPSConnection(self.url.netloc, context=ssl.create_default_context(cafile=os.environ['LEAT_TEST_CA']))
        else:
            c = http.client.HTTPConnection(self.url.netloc)
        c.request(method, path + ('?' + urllib.parse.urlencode(query, quote_via=urllib.parse.quote) if query else ''), body, headers)
        r = c.getresponse()
        data = r.read()
        if r.status not in fine:
            sys.exit('%s %s: %d %s' % (method, path, r.status, data.decode(errors='replace')[:500]))
        return data

    def list(self, bucket, prefix):
        after = ''
        while True:
            query = [('list-type', '2'), ('prefix', prefix)] + ([('start-after', after)] if after else [])
            text = self.call('GET', bucket, query).decode()
            found = re.findall(r'<Contents>.*?<Key>(.*?)</Key>.*?<Size>(\d+)</Size>.*?</Contents>', text, re.S)
            for key, size in found:
                yield unescape(key), int(size)
            if '<IsTruncated>true' not in text:
                return
            after = unescape(found[-1][0])


def unescape(s):
    for a, b in (('&lt;', '<'), ('&gt;', '>'), ('&#34;', '"'), ('&#39;', "'"), ('&amp;', '&')):
        s = s.replace(a, b)
    return s


def main():
    s, what, bucket, rest = Store(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
    if what == 'make':
        s.call('PUT', bucket)
    elif what == 'ls':
        for key, size in s.list(bucket, rest[0] if rest else ''):
            print(key, size)
    elif what == 'cat':
        sys.stdout.buffer.write(s.call('GET', bucket + '/' + rest[0]))
    elif what == 'put':
        with open(rest[1], 'rb') as f:
            s.call('PUT', bucket + '/' + rest[0], body=f.read())
    elif what == 'rm':
        s.call('DELETE', bucket + '/' + rest[0])
    elif what == 'get':
        for key, _ in s.list(bucket, rest[0]):
            at = os.path.join(rest[1], os.path.relpath(key, rest[0]) if rest[0] else key)
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, 'wb') as f:
                f.write(s.call('GET', bucket + '/' + key))
    elif what == 'parts':
        text = s.call('GET', bucket, [('prefix', rest[0]), ('uploads', '')]).decode()
        print(len(re.findall('<Upload>', text)))
    elif what == 'begin':
        text = s.call('POST', bucket + '/' + rest[0], [('uploads', '')]).decode()
        upload = re.search('<UploadId>(.*?)</UploadId>', text).group(1)
        s.call('PUT', bucket + '/' + rest[0], [('partNumber', '1'), ('uploadId', upload)], b'x' * 100)
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main()
