#!/usr/bin/env bash
# A notebook as an HTML page: whole, small, nothing from outside, nothing that runs.
. "$(dirname "$0")/../lib.sh"

page() { # FILE CHECK: a page as a browser sees it: tags, attributes, text
	python3 - "$1" "$2" <<'EOF'
import html.parser, re, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attrs, self.texts, self.open = [], [], [], []
    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attrs += [(tag, k, v) for k, v in attrs]
    def handle_data(self, text):
        self.texts.append(text)
p = Page()
source = open(sys.argv[1], encoding='utf-8').read()
p.feed(source)
text = ''.join(p.texts)
outside = [a for a in p.attrs if a[1] in ('src', 'href', 'action', 'srcset', 'data') and not re.match(r'(data:image/|https?://|#|mailto:)', a[2] or '')]
fetched = [a for a in p.attrs if a[1] == 'src' and not a[2].startswith('data:')]
handlers = [a for a in p.attrs if a[1].startswith('on')]
sys.exit(0 if eval(sys.argv[2]) else print(sys.argv[2], 'does not hold', p.tags, handlers, outside) or 1)
EOF
}
notebook() { # FILE PYTHON: cells as the expression makes them with code() and text()
	python3 - "$1" "$2" <<'EOF'
import json, sys
def code(source, *outputs, **metadata):
    return {'cell_type': 'code', 'id': 'c%d' % len(source), 'metadata': metadata, 'source': source, 'execution_count': 1, 'outputs': list(outputs)}
def text(source):
    return {'cell_type': 'markdown', 'metadata': {}, 'source': source}
def said(text, name='stdout'):
    return {'output_type': 'stream', 'name': name, 'text': text}
def shown(**data):
    return {'output_type': 'display_data', 'metadata': {}, 'data': {k.replace('_', '/'): v for k, v in data.items()}}
json.dump({'cells': eval(sys.argv[2]), 'metadata': {}, 'nbformat': 4, 'nbformat_minor': 5}, open(sys.argv[1], 'w'))
EOF
}

test_expect 'a page of one cell is one file of less than 20 KB, and fetches nothing' '
	notebook one.ipynb "[code(\"print(1)\", said(\"1\n\"))]" && leat notebook convert one.ipynb one.html && [ "$(wc -c < one.html)" -lt 20000 ] &&
	page one.html "not fetched and not outside and \"link\" not in p.tags and \"print(1)\" in text" && has one.html "default-src '\''none'\''"
'
test_expect 'scripts, handlers, frames, forms and styles that cover the page are not in it; the table is' '
	notebook bad.ipynb "[code(\"x\", shown(text_html=\"<table><tr><td colspan=2 onclick=alert(1)>cell</td></tr></table><script>alert(2)</script><img src=x onerror=alert(3)><iframe src=//e.org></iframe>\" \
		\"<a href=\\\"javascript:alert(4)\\\">no</a><a href=\\\"https://e.org/?a=1&amp;b=2\\\">yes</a><form action=//e.org><input name=p></form><div style=\\\"position:fixed\\\">over</div><svg onload=alert(5)></svg><b>\")), text(\"<script>alert(6)</script> [x](javascript:alert(7))\"), code(\"y = 2\")]" &&
	leat notebook convert bad.ipynb bad.html && page bad.html "not handlers and not outside and not fetched and not set(p.tags) & {\"script\", \"iframe\", \"form\", \"input\", \"svg\", \"object\"}" &&
	page bad.html "(\"td\", \"colspan\", \"2\") in p.attrs and (\"a\", \"href\", \"https://e.org/?a=1&b=2\") in p.attrs and \"position\" not in str(p.attrs)" &&
	python3 -c "s = open(\"bad.html\").read(); s = s[s.index(\"id=cell-1\"):s.index(\"id=cell-3\")]; assert s.count(\"<b>\") == s.count(\"</b>\"), s"
'
test_expect 'colours of a terminal are kept, its other controls are not, a progress bar shows its end' '
	notebook ansi.ipynb "[code(\"x\", said(\"\\x1b[31mred\\x1b[0m \\x1b[2J\\x1b]0;title\\x07\\x08ok\n10%\\r50%\\r100%\n\"))]" && leat notebook convert ansi.ipynb ansi.html &&
	page ansi.html "\"red ok\n100%\n\" in text and \"title\\x07\" not in text and \"50%\" not in text" && has ansi.html "<span class=\"k1 \">red</span>"
'
test_expect 'tags decide: remove-cell, remove-input, hide-input' '
	notebook tags.ipynb "[code(\"gone = 1\", said(\"gone too\"), tags=[\"remove-cell\"]), code(\"hidden = 1\", said(\"seen\"), tags=[\"remove-input\"]), code(\"also = 1\", said(\"seen as well\"), tags=[\"hide-input\"])]" &&
	leat notebook convert tags.ipynb tags.html && page tags.html "\"gone\" not in text and \"hidden\" not in text and \"also =\" not in text and \"seen\" in text and \"seen as well\" in text"
'
test_expect 'images stand in the page as data; one that is no base64 does not' '
	notebook img.ipynb "[code(\"x\", shown(image_png=\"aGVsbG8=\n\", text_plain=\"<Figure>\")), code(\"y\", shown(image_png=\"\\\"><script>\", text_plain=\"instead\"))]" &&
	leat notebook convert img.ipynb img.html && page img.html "(\"img\", \"src\", \"data:image/png;base64,aGVsbG8=\") in p.attrs and \"instead\" in text and \"script\" not in p.tags"
'
test_expect 'five megabytes of output are cut in the page, which says so' '
	notebook big.ipynb "[code(\"x\", said(\"line of text\n\" * 400000))]" && leat notebook convert big.ipynb big.html && [ "$(wc -c < big.html)" -lt 4300000 ] && has big.html "The first 4 MB of 5.0; all of it is in the notebook"
'
test_done
