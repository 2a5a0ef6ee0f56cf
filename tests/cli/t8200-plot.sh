#!/usr/bin/env bash
# leat plot: a query in the terminal, as SVG and as PNG (issue 8, part 10).
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
cd ..
plot() { # query, options: in w, so that what comes out stands in the trash directory
	leat -C w plot "$@"
}
well_formed() { # FILE...: XML that a strict reader takes, with no script and nothing from outside
	python3 - "$@" <<'END'
import sys
import xml.etree.ElementTree as tree

for name in sys.argv[1:]:
    root = tree.parse(name).getroot()
    tags = {e.tag.split("}")[1] for e in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "path", "text"}, tags
    for e in root.iter():
        assert not any(k.startswith("on") or "href" in k for k in e.attrib), e.attrib
        for place in ("x", "y"):
            assert -50 <= float(e.get(place, 0)) <= 10000, e.attrib
    assert "url(" not in open(name, encoding="utf-8").read()
END
}
widest() { # FILE: columns of its longest line
	python3 -c 'import sys; print(max(len(l.rstrip("\n")) for l in open(sys.argv[1], encoding="utf-8")))' "$1"
}

test_expect 'the columns choose: text gives bars, a time or growing numbers a line, other numbers points, one column a histogram' '
	plot "select 1.5 * i a, i * i b from range(30) t(i)" -o line.svg 2> err && has err "30 rows drawn to" && grep -q "class=\"l s0" line.svg &&
	plot "select sin(i) a, cos(i) b from range(500) t(i)" -o points.svg && grep -q "class=\"p s0" points.svg && exits 1 grep -q "class=\"l s0" points.svg &&
	plot "select chr(65 + i::int) l, i v from range(5) t(i)" -o bars.svg && eq "$(grep -c "class=\"f0" bars.svg)" 5 &&
	plot "select date (date (\"2024-01-01\")) as d, 1 as v" -o time.svg 2> /dev/null || plot "select date '"'2024-01-01'"' as d, 1 as v" -o time.svg && grep -q "2024-01-01: 1" time.svg &&
	plot "select sin(i) v from range(500) t(i)" -o hist.svg && grep -q ">rows<" hist.svg &&
	plot "select i % 7 a, i % 3 b, i v from range(50) t(i)" --kind heat -o heat.svg && grep -q "fill=\"#" heat.svg && well_formed ./*.svg
'
test_expect 'a text column beside them gives each of its values a colour and a name; several columns of numbers do so too' '
	plot "select i, '"'north'"' || i % 3 r, i v from range(60) t(i) order by all" -o by.svg && has by.svg ">north0<" ">north1<" ">north2<" "s0" "s1" "s2" &&
	plot "select i, i * 2 as twice, i * 3 as thrice from range(60) t(i)" -o two.svg && has two.svg ">twice<" ">thrice<" &&
	plot "select i, i * 2 as twice, i * 3 as thrice from range(60) t(i)" -y thrice -o one.svg && has one.svg ">thrice<" && lacks one.svg twice
'
test_expect 'in the terminal it is 80 columns wide without one, as wide as asked, in braille and blocks or in ASCII' '
	plot "select i, sin(i / 9) v from range(100) t(i)" > line && eq "$(widest line)" 80 && grep -q "$(printf "\xe2\xa0\x89")" line &&
	plot "select i, sin(i / 9) v from range(100) t(i)" --width 50 --height 6 > small && eq "$(widest small)" 50 && eq "$(wc -l < small)" 9 &&
	LC_ALL=C plot "select i, sin(i / 9) v from range(100) t(i)" > ascii && exits 1 grep -qP "[^\x00-\x7f]" ascii && has ascii "*" &&
	LC_ALL=C plot "select chr(65 + i::int) l, i v from range(4) t(i)" --width 30 > bars && exits 1 grep -qP "[^\x00-\x7f]" bars && has bars "A   0" "D  ####" &&
	plot "select i, i s, 9 - i c from range(10) t(i)" --kind spark > spark && eq "$(wc -l < spark)" 2 && has spark "▁▁▂▃▄▅▆▇██" "0 to 9"
'
test_expect 'colour is for terminals: none in a file, none with NO_COLOR' '
	plot "select chr(65 + i::int) l, i v from range(4) t(i)" > out && exits 1 grep -q "$(printf "\033")" out &&
	CLICOLOR_FORCE=1 TERM=xterm plot "select chr(65 + i::int) l, i v from range(4) t(i)" > out && grep -q "$(printf "\033")" out &&
	NO_COLOR=1 CLICOLOR_FORCE=1 TERM=xterm plot "select chr(65 + i::int) l, i v from range(4) t(i)" > out && exits 1 grep -q "$(printf "\033")" out
'
test_expect 'a bar of less than nothing goes the other way' '
	plot "select '"'a'"' l, -4 v union all select '"'b'"', 4" --width 40 > out && grep -q "^a  █" out && grep -q "^b   .* █.* 4$" out
'
test_expect 'NULL, NaN and infinities are left out and counted; a line stops at them; nothing at all is told' '
	plot "select i a, case i when 5 then null when 6 then '"'nan'"'::double when 7 then '"'inf'"'::double else i end b from range(20) t(i)" --kind line -o gap.svg 2> err && has err "3 of 20 rows have no number" &&
	well_formed gap.svg && eq "$(grep -o "d=\"M[^\"]*\"" gap.svg | grep L | tail -1 | grep -o M | wc -l)" 2 &&
	plot "select 1 a, 2 b where false" > out && has out "no rows" && plot "select 1 a, 2 b where false" -o none.svg && has none.svg "no rows" &&
	for k in line bar hist scatter spark; do plot "select null::int a, null::int b" --kind $k > out && plot "select null::int a, null::int b" --kind $k -o n.svg && well_formed n.svg || return 1; done &&
	plot "select null::int a, null::int b" --kind heat -o n.svg && well_formed n.svg
'
test_expect 'one point, equal values, huge and tiny ones, dates far away, decimals: each is drawn' '
	n=0; for q in "select 1 a, 2.50::decimal(9,2) b" "select i a, 7 b from range(9) t(i)" "select i a, i * 1e298 b from range(9) t(i)" "select i a, i * 1e-320 b from range(9) t(i)" \
		"select date '"'0001-01-01'"' + (i * 400000)::int d, i v from range(9) t(i)" "select timestamp '"'2024-01-01'"' + to_microseconds(i) t, i v from range(9) t(i)" \
		"select timestamptz '"'2024-01-01 00:00:00+02'"' t, 1 v" "select '"'2024-W0'"' || (i + 1) ds, i v from range(5) t(i)" "select true b, 1::hugeint v"; do
		for k in auto line bar scatter; do [ $k = auto ] && o= || o="--kind $k"; plot "$q" $o > out && plot "$q" $o -o q.svg && well_formed q.svg && n=$((n + 1)) || return 1; done
	done && eq $n 36
'
test_expect 'long labels are cut or lie, 200 of them too; texts of others are only text' '
	plot "select repeat('"'long '"', 40) || i l, i v from range(200) t(i)" -o long.svg && well_formed long.svg && eq "$(grep -c "class=\"f0" long.svg)" 200 &&
	plot "select repeat('"'long '"', 40) || i l, i v from range(200) t(i)" > out && [ "$(widest out)" -le 81 ] && eq "$(wc -l < out)" 200 &&
	plot "select '"'<script>alert(1)</script>&'"' || chr(27) || chr(8238) l, 1 v" --title "<b>&</b>" -o bad.svg && well_formed bad.svg && lacks bad.svg "<script" "<b>" && exits 1 grep -q "$(printf "\033")" bad.svg &&
	plot "select chr(27) || chr(10) l, 1 v" > out && eq "$(wc -l < out)" 1 && exits 1 grep -q "$(printf "\033")" out
'
test_expect 'a million points are a small file, with the one that stands out still in it' '
	plot "select i, case when i = 543210 then 99 else i % 10 end v from range(1000000) t(i)" -o million.svg 2> err && has err "1000000 rows" && well_formed million.svg && [ "$(stat -c %s million.svg)" -lt 100000 ] &&
	plot "select i, case when i = 543210 then 99 else i % 10 end v from range(1000000) t(i)" > out && grep -q "^ *100 ┤" out
'
test_expect 'rows of one bar are summed; equal queries give equal bytes' '
	plot "select '"'a'"' l, i v from range(4) t(i)" > out && has out "6" && eq "$(wc -l < out)" 1 &&
	plot "select i, i v from range(9) t(i)" -o a.svg && plot "select i, i v from range(9) t(i)" -o b.svg && same a.svg b.svg && plot "select i, i v from range(9) t(i)" --format svg > c.svg && same a.svg c.svg
'
test_expect 'what cannot be drawn is refused, with the nearest or the remedy' '
	exits 2 plot "select 1 a, 2 b" --kind lines 2> err && has err "line, bar" && exits 2 plot "select 1 total, 2 b" -y totl 2> err && has err "no column" total &&
	exits 2 plot "select '"'a'"' l, 2 b" -y l 2> err && has err "VARCHAR" && exits 2 plot "select '"'a'"' l" --kind hist 2> err && has err "histogram" &&
	exits 2 plot "select 1 a" -o x.pdf 2> err && has err "FILE.svg" && test ! -e x.pdf && exits 2 plot "select 1 a" --format gif 2> err && exits 2 plot "select 1 a" --width 5 2> err &&
	exits 1 plot "select i, i::varchar l, i v from range(100) t(i)" 2> err && has err "cannot be told apart" && exits 2 plot "selct 1" 2> err && exits 2 plot "" 2> err && has err "no statement" &&
	exits 2 plot "select 1 a" --kind heat 2> err && has err "two columns" && exits 1 plot "select i::varchar l from range(6000) t(i)" 2> err && has err "group or limit"
'
test_expect 'a file that is there stays when the query fails, and whence knows what was drawn' '
	plot "select i, i v from range(9) t(i)" -o k.svg && cp k.svg before && exits 1 plot "select error('"'no'"'), 1" -o k.svg 2> err && same k.svg before && exits 2 leat -C w plot "from tables.nothing" -o k.svg 2> err && same k.svg before &&
	mkdir -p sub && plot "select i, i * 5 v from range(9) t(i)" -t "Five each" -y v -o sub/five.svg && leat -C w whence sub/five.svg > out && has out "leat plot" "Five each" "range(9)"
'
if python3 -c 'import ctypes; ctypes.CDLL("librsvg-2.so.2")' 2> /dev/null; then
	test_expect 'a PNG has as many pixels as asked' '
		plot "select i, i v from range(9) t(i)" -o a.png --width 400 --height 200 && python3 -c "
import struct
b = open(\"a.png\", \"rb\").read()
assert b[:8] == b\"\x89PNG\r\n\x1a\n\" and struct.unpack(\">II\", b[16:24]) == (400, 200) and len(b) > 1000"
	'
else
	test_skip 'a PNG has as many pixels as asked' 'librsvg2-2 is not installed'
fi
test_expect 'without librsvg a PNG is refused, naming the package' '
	printf "int x;" > e.c && { cc -shared -o librsvg-2.so.2 e.c; } && LD_LIBRARY_PATH=$PWD exits 1 plot "select 1 a, 2 b" -o no.png 2> err && has err "librsvg" && test ! -e no.png
'
test_done
