#!/usr/bin/env bash
# Doubles as text: the fewest digits that give the same number back, whatever its size.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
cd ..

test_expect 'each of 60,000 doubles comes back as the same number, in as few digits as can be' '
	cd w
	sql "select ((hash(i) >> 11) / 9007199254740992.0 + (i % 3)) * pow(10.0, i % 61 - 30) as v, i % 1000 / 8.0 as w, round(i * 1.1, 2) as r from range(20000) t(i)" > out.csv
	python3 - <<\END
import csv

def digits(text):
    return len(text.lower().partition("e")[0].replace(".", "").replace("-", "").strip("0")) or 1

rows = list(csv.DictReader(open("out.csv")))
assert len(rows) == 20000
for row in rows:
    for text in row.values():
        v = float(text)
        assert digits(text) == digits(repr(v)), (text, repr(v))
for i, row in enumerate(rows):
    assert float(row["w"]) == i % 1000 / 8, row
END
	sql "select 0.1::double + 0.2, 1e22::double, 999999999999999.9::double, 9007199254740993::double, 5e-324::double, 1.7976931348623157e308::double, -0.3::double" > out && has out "0.30000000000000004,1e+22,999999999999999.9,9007199254740992.0,4.94065645841247e-324,1.7976931348623157e+308,-0.3"
'
test_expect 'they are the same numbers as DuckDB has' '
	cd w && sql "select sum((v <> t::double)::int) as wrong from (select v, v::varchar as t from (select (hash(i) >> 11) / 9007199254740992.0 * pow(10.0, i % 40 - 20) as v from range(20000) t(i)))" > out && eq "$(tail -n 1 out)" 0 && sql "select hash(i) / 1e3 as v, printf(\$\$%.17g\$\$, hash(i) / 1e3) as t from range(5000) t(i)" > out.csv && python3 -c "
import csv
for row in csv.DictReader(open(\"out.csv\")):
    assert float(row[\"v\"]) == float(row[\"t\"]), row
"
'
test_done
