#!/usr/bin/env python3
"""What a notebook does in the example this one follows: merges sales, trips and rain, and plots them, as a page.

It reads /pfs/trips, /pfs/weather and /pfs/sales, serves at the port that LEAT_PORT names, and leaves joined.csv and
plot.svg in /pfs/out.

    /  the page    /joined.csv    /plot.svg    /r  Pearson's r of sales and rain    /files  how many files it sees
"""
import csv
import http.server
import io
import json
import math
import os

TRIPS, WEATHER, SALES = (os.environ['LEAT_INPUT_' + n] for n in ('trips', 'weather', 'sales'))
OUT = os.environ['LEAT_OUTPUT']


def iso(text):
    """7/1/16"""
    month, day, year = map(int, text.split('/'))
    return '20%02d-%02d-%02d' % (year, month, day)


def merged():
    """Rows of (date, sales, trips, probability of rain), by date; numbers as they are written in the files."""
    sales, trips, rain = {}, {}, {}
    for name in sorted(os.listdir(SALES)):
        with open(os.path.join(SALES, name), encoding='utf-8', newline='') as f:
            sales.update((iso(row[0]), row[1]) for row in csv.reader(f))
    for name in sorted(os.listdir(TRIPS)):
        with open(os.path.join(TRIPS, name), encoding='utf-8', newline='') as f:
            trips.update((iso(row[0]), row[1]) for row in list(csv.reader(f))[1:])
    for name in sorted(os.listdir(WEATHER)):
        with open(os.path.join(WEATHER, name), encoding='utf-8') as f:
            day = json.load(f, parse_float=str)['daily']['data'][0]
        rain[name] = str(day['precipProbability'])
    return [(d, sales[d], trips[d], rain[d]) for d in sorted(sales) if d in trips and d in rain]


def pearson(pairs):
    n = len(pairs)
    if not n:
        return float('nan')
    mx, my = (sum(p[i] for p in pairs) / n for i in (0, 1))
    over = sum((x - mx) * (y - my) for x, y in pairs)
    under = math.sqrt(sum((x - mx) ** 2 for x, y in pairs) * sum((y - my) ** 2 for x, y in pairs))
    return over / under if under else float('nan')


def table(rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['date', 'sales', 'trips', 'precip_probability'])
    writer.writerows(rows)
    return out.getvalue()


def plot(rows):
    """Bars of sales, a line of rain."""
    width, height = 20 + 24 * len(rows), 320
    top = max([float(r[1]) for r in rows] or [1])
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="10">'
             % (width, height), '<title>Sales (bars) and probability of rain (line)</title>']
    line = []
    for i, (date, sales, _, rain) in enumerate(rows):
        x, h = 10 + 24 * i, 250 * float(sales) / top
        parts.append('<rect x="%d" y="%.1f" width="18" height="%.1f" fill="#7da7d9"><title>%s: %s</title></rect>'
                     % (x, 270 - h, h, date, sales))
        parts.append('<text x="%d" y="290" text-anchor="middle">%s</text>' % (x + 9, date[8:]))
        line.append('%d,%.1f' % (x + 9, 270 - 250 * float(rain)))
    parts.append('<polyline points="%s" fill="none" stroke="#b03060" stroke-width="2"/></svg>' % ' '.join(line))
    return '\n'.join(parts) + '\n'


ROWS = merged()
R = '%.6f\n' % pearson([(float(r[1]), float(r[3])) for r in ROWS])
FILES = ''.join('%s %d\n' % (name, len(os.listdir(path)))
                for name, path in (('trips', TRIPS), ('weather', WEATHER), ('sales', SALES)))
PAGES = {
    '/joined.csv': ('text/csv', table(ROWS)),
    '/plot.svg': ('image/svg+xml', plot(ROWS)),
    '/r': ('text/plain', R),
    '/files': ('text/plain', FILES),
    '/': ('text/html', '<!doctype html><meta charset="utf-8"><title>Bikes and rain</title><h1>Bikes and rain</h1>'
                       '<p>Pearson\'s r of sales and rain over %d days: %s</p><img src="/plot.svg" width="100%%">'
                       '<pre>%s</pre>' % (len(ROWS), R, FILES)),
}
for page in ('joined.csv', 'plot.svg'):
    with open(os.path.join(OUT, page), 'w', encoding='utf-8') as f:
        f.write(PAGES['/' + page][1])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, text = PAGES.get(self.path, ('text/plain', 'there is no such page\n'))
        self.send_response(200 if self.path in PAGES else 404)
        self.send_header('Content-Type', kind)
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == '__main__':
    http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['LEAT_PORT'])), Handler).serve_forever()
