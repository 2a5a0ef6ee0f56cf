#!/usr/bin/env bash
# sci-pype's downloader and plot examples as notebooks of a lab: its shared folders, its four files (issue 8, part 8).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
needs_data sci-pype
http_server "$DATA/sci-pype" || exit 1
workspace w > /dev/null 2>&1 || exit 1
cd .. || exit 1

as_ipynb() { # a cell per paragraph of standard input, as sci-pype's notebooks are: nbformat 4.0, `collapsed`
	python3 -c 'import json, sys
cells = [{"cell_type": "code", "execution_count": None, "metadata": {"collapsed": False}, "outputs": [], "source": [l + "\n" for l in c.split("\n")]} for c in sys.stdin.read().strip().split("\n\n")]
json.dump({"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["## " + sys.argv[1]]}] + cells, "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}, "nbformat": 4, "nbformat_minor": 0}, sys.stdout)' "$1"
}
lab() { # NAME [line of job.yaml]: a lab whose notebook comes from standard input
	leat new notebook_lab "$1" --set notebook=yes > /dev/null 2>&1 && rm "jobs/$1/notebook.py" && as_ipynb "$1" > "jobs/$1/notebook.ipynb" && printf '%s\n' "${2:-engine: python}" >> "jobs/$1/job.yaml"
}
mkdir -p src
cat > src/download-csv.py <<'END'
#!/usr/bin/env python3
import os, sys, urllib.request
name = sys.argv[1]
urllib.request.urlretrieve(os.environ["STOCKS"] + "/" + name, os.path.join(os.environ["ENV_DATA_SRC_DIR"], name))
END
cat > src/downloader <<'END'
import os, shutil
csv_file = os.path.join(os.environ["ENV_DATA_SRC_DIR"], "spy.csv")
downloader = os.path.join(os.environ["ENV_DATA_BIN_DIR"], "download-csv.py")
if os.path.exists(csv_file):
    os.remove(csv_file)

for name in ("spy.csv", "IBM.csv", "MSFT.csv", "iris.csv"):
    status = os.system("python3 " + downloader + " " + name)
    print(name, "status", status)

if not os.path.exists(csv_file):
    raise SystemExit("ERROR: failed to find " + csv_file)
print("SUCCESS - file exists:", csv_file)

for name in os.listdir(os.environ["ENV_DATA_SRC_DIR"]):
    shutil.copy(os.path.join(os.environ["ENV_DATA_SRC_DIR"], name), os.environ["LEAT_OUTPUT"])
END
cat > src/plot-bare <<'END'
import csv, datetime, os
src, out = os.environ["ENV_DATA_SRC_DIR"], os.environ["ENV_DATA_OUTPUT_DIR"]
class Picture:
    def __init__(self, closes):
        low, high = min(closes), max(closes)
        self.points = " ".join("%.1f,%.1f" % (i * 800 / len(closes), 300 - (c - low) * 300 / (high - low)) for i, c in enumerate(closes))
    def _repr_svg_(self):
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 300"><polyline fill="none" stroke="navy" points="%s"/></svg>' % self.points

pictures = {}
for name in ("spy", "IBM", "MSFT"):
    with open(os.path.join(src, name + ".csv"), encoding="utf-8-sig", newline="") as f:
        rows = [(datetime.datetime.strptime(r["Date"], "%d-%b-%y").date(), float(r["Close"])) for r in csv.DictReader(f)]
    rows.sort()
    pictures[name] = Picture([close for _, close in rows])
    print(name, len(rows), rows[0], rows[-1])
    with open(os.path.join(out, name + "-close.svg"), "w") as f:
        f.write(pictures[name]._repr_svg_())

display(pictures["IBM"])
pictures["spy"]

import shutil
shutil.copytree(out, os.environ["LEAT_OUTPUT"], dirs_exist_ok=True)
END
cat > src/plot-pandas <<'END'
import os
import pandas as pd
import matplotlib.pyplot as plt
%matplotlib inline
plt.rcParams['figure.figsize'] = (15.0, 10.0)

csv_file = os.path.join(os.environ["ENV_DATA_SRC_DIR"], "spy.csv")
data = pd.read_csv(csv_file, encoding='utf-8-sig')
data["Date"] = pd.to_datetime(data["Date"], format='%d-%b-%y')
print(data.head())
data.describe()

all_dates, all_closes = data.columns.values[0], data.columns.values[4]
print('Plotting the data, x axis', all_dates, ', y axis', all_closes)
by_close_figure = data.plot(x=all_dates, y=all_closes)
by_close_figure.figure.savefig(os.path.join(os.environ["LEAT_OUTPUT"], "spy-close.png"))
END

test_expect 'the downloader calls its script of data/bin, and what came lies in data/src, byte for byte' '
	cd w && lab downloader < ../src/downloader && cp ../src/download-csv.py data/bin/ && echo "  STOCKS: $HTTP_URL" > add && sed -i "/^env:/r add" jobs/downloader/job.yaml && leat run downloader &&
	for f in spy IBM MSFT iris; do same data/src/$f.csv "$DATA/sci-pype/$f.csv" && leat cat marts/downloader:/$f.csv | cmp - "$DATA/sci-pype/$f.csv" || return 1; done &&
	page=$(find datastore/job_runs/downloader -name notebook.html) && seen "$page" > out && has out "SUCCESS - file exists:" "spy.csv status 0"
'
test_expect 'the plot example draws the closes of three papers with nothing but Python, through the traps of their files' '
	cd w && lab plot-bare < ../src/plot-bare && leat run plot-bare && page=$(find datastore/job_runs/plot-bare -name notebook.html) && seen "$page" > out &&
	has out "spy 251 (datetime.date(2015, 8, 3)" "(datetime.date(2016, 7, 29), 217.12)" "IBM 2514 (datetime.date(2000, 8, 1)" "(datetime.date(2010, 7, 30)" "MSFT 2513" &&
	eq "$(grep -o "data:image/svg+xml" "$page" | wc -l)" 2 && for f in spy IBM MSFT; do leat cat marts/plot-bare:/$f-close.svg | has - "<polyline" && test -s data/output/$f-close.svg || return 1; done
'
test_expect 'a shell of lab.sh sees the same folders as the notebooks' '
	cd w && eq "$(. jobs/plot-bare/lab.sh && ls "$ENV_DATA_SRC_DIR" | tr "\n" " ")" "IBM.csv MSFT.csv iris.csv spy.csv " && eq "$(. jobs/plot-bare/lab.sh && echo "$ENV_DATA_DIR $ENV_PROJ_DATA_DIR")" "$PWD/data $PWD/data" && for d in DST BIN SYNTHESIZE TIDY ANALYZE OUTPUT; do has jobs/plot-bare/job.yaml "ENV_DATA_${d}_DIR: \"{{ workspace }}/data/" && has jobs/plot-bare/lab.sh "ENV_DATA_${d}_DIR=" || return 1; done
'
test_expect 'a downloader whose source is away fails, and the page shows it' '
	cd w && rm data/src/spy.csv && sed -i "s,STOCKS: .*,STOCKS: http://127.0.0.1:1," jobs/downloader/job.yaml && exits 1 leat run downloader 2> err && has err "failed to find" && page=$(find datastore/job_runs/downloader -name notebook.html) && seen "$page" > out && has out "spy.csv status 256" "ERROR: failed to find" && cp "$DATA/sci-pype/spy.csv" data/src/
'
python=/usr/bin/python3
if $python -c 'import pandas, matplotlib, IPython' 2> /dev/null; then
	test_expect 'the plot example with pandas and matplotlib inline: the figure is in the notebook and in the output' '
		cd w && lab plot-pandas "python: $python" < ../src/plot-pandas && leat run plot-pandas && page=$(find datastore/job_runs/plot-pandas -name notebook.html) && has "$page" "image/png" && seen "$page" > out && has out "2016-07-29" "x axis Date , y axis Close" &&
		leat cat marts/plot-pandas:/spy-close.png | head -c 8 | od -An -tx1 | has - "89 50 4e 47"
	'
else
	test_skip 'the plot example with pandas and matplotlib inline: the figure is in the notebook and in the output' "pandas, matplotlib or IPython is not installed for $python"
fi
test_done
