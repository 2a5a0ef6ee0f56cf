"""A board: the table `data` as a picture and as rows, between two dates. Its columns are params of job.yaml."""
import datetime
import html
import http.server
import os
import subprocess
import urllib.parse

import leat

X, Y = leat.params["x_axis"], leat.params["y_axis"]
ROWS_MAX = 500
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "DECIMAL", "FLOAT", "DOUBLE")


def column(name):
    return '"' + name.replace('"', '""') + '"'


def between(first, last):
    """The query for what lies between two days; each may be left out."""
    where = [f"cast({column(X)} as varchar) {sign} '{day.isoformat()}'"
             for sign, day in ((">=", first), ("<", last and last + datetime.timedelta(days=1))) if day]
    return f"select * from data {'where ' + ' and '.join(where) if where else ''} order by {column(X)}"


def picture(query):
    made = subprocess.run([os.environ["LEAT_BIN"], "plot", "--inputs", "--format", "svg", "--width", "900", "-x", X, "-y", Y, query],
                          capture_output=True, text=True)
    return made.stdout if made.returncode == 0 else f"<pre>{html.escape(made.stderr)}</pre>"


def table(query):
    rows = leat.sql(f"from ({query}) limit {ROWS_MAX}", frame="rows")
    sides = [' class="n"' if kind.startswith(NUMBERS) else "" for kind in rows.types]
    cells = lambda tag, values: "".join(f"<{tag}{side}>{html.escape('' if v is None else str(v))}</{tag}>" for side, v in zip(sides, values))
    body = "".join(f"<tr>{cells('td', (row[c] for c in rows.columns))}</tr>" for row in rows)
    more = f"<p>the first {ROWS_MAX} rows</p>" if len(rows) == ROWS_MAX else ""
    return f"<div><table><tr>{cells('th', rows.columns)}</tr>{body}</table></div>{more}"


def day(text):
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        return None


def page(asked):
    first, last = day(asked.get("from")), day(asked.get("to"))
    with_rows = asked.get("rows", "1" if leat.params["include_table"] and not asked else "") == "1"
    query = between(first, last)
    title = html.escape(leat.params.get("title", "{{ name }}"))
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{% raw %}:root{{color-scheme:light dark}}
body{{font:15px system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}}form{{margin:1em 0;line-height:2}}
div{{overflow-x:auto}}table{{border-collapse:collapse;margin-top:1em;white-space:nowrap}}
td,th{{text-align:left;padding:.2em 1.2em .2em 0;border-bottom:1px solid #8884}}.n{{text-align:right;font-variant-numeric:tabular-nums}}{% endraw %}</style>
<h1>{title}</h1>
<form><label>from <input type="date" name="from" value="{first or ''}"></label> <label>to <input type="date" name="to" value="{last or ''}"></label>
<label><input type="checkbox" name="rows" value="1"{' checked' if with_rows else ''}> rows</label> <input type="hidden" name="asked" value="1">
<button>show</button></form>
{picture(query)}
{table(query) if with_rows else ''}
</html>"""


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/health":
            kind, body = "text/plain", "ok"
        elif url.path == "/":
            kind, body = "text/html; charset=utf-8", page(dict(urllib.parse.parse_qsl(url.query)))
        else:
            self.send_error(404)
            return
        data = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["LEAT_PORT"])), Answer).serve_forever()
