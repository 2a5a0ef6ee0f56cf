#!/usr/bin/env bash
# Pachyderm's notebook of trips, weather and sales as a job: the three pinned at 31 July, whatever came later.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-data.sh"
. "$TESTS/lib-notebook.sh"
needs_data citibike

bikes=$DATA/citibike
workspace w >/dev/null 2>&1 || exit 1
cd .. || exit 1
id_at() { leat log "$1" --json -n 1 | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["commit"])'; }

test_expect 'trips and weather come file by file, 35 of each, and sales follow each commit of trips' '
	cd w && mkdir -p jobs/sales && printf "kind: script\ninputs: {in: {repo: trips, glob: \"/\"}}\n" >jobs/sales/job.yaml &&
	cat >jobs/sales/job.sh <<\X &&
cat $(find -L "$LEAT_INPUT_in" -type f | sort) | awk -F, '"'"'/^[0-9]/ {print $1 "," 5 * $2}'"'"' >"$LEAT_OUTPUT/sales.csv"
X
	leat run -q &&
	for f in $(ls "$bikes"/trips/* | head -n 35); do leat put trips "$f" || return 1; done && for f in $(ls "$bikes"/weather/* | head -n 35); do leat put weather "$f" || return 1; done && leat run -q && leat cat sales@"$(id_at trips@master.31)":/sales.csv >sales && eq "$(wc -l <sales)" 31
'
test_expect 'the notebook pinned at the commits of 31 July gives the joined table of that day, byte for byte, and shows it' '
	cd w && mkdir -p jobs/rain && printf "kind: notebook\nengine: python\npartition: none\ninputs:\n  trips: {repo: trips, pin: master.31}\n  weather: {repo: weather, pin: master.31}\n  sales: {repo: sales, pin: %s}\n" "$(id_at trips@master.31)" >jobs/rain/job.yaml && cat >jobs/rain/notebook.py <<\X &&
# %% [markdown]
# # Does rain keep people from cycling?
# %% tags=["parameters"]
inputs = {}
outputs = "."
# %%
import csv, datetime, json, os
def day(text): return datetime.datetime.strptime(text, "%m/%d/%y").date().isoformat()
sales = {day(d): n for d, n in csv.reader(open(inputs["sales"] + "/sales.csv"))}
trips = {}
for f in os.listdir(inputs["trips"]):
    for row in csv.reader(open(os.path.join(inputs["trips"], f))):
        if row[0][0].isdigit(): trips[day(row[0])] = row[1]
rain = {f: json.load(open(os.path.join(inputs["weather"], f)))["daily"]["data"][0].get("precipProbability", 0) for f in os.listdir(inputs["weather"])}
print(len(sales), len(trips), len(rain))
# %%
with open(outputs + "/joined.csv", "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["date", "sales", "trips", "precip_probability"])
    w.writerows([d, sales[d], trips[d], rain[d]] for d in sorted(sales))
# %%
x, y = [rain[d] for d in sorted(sales)], [int(sales[d]) for d in sorted(sales)]
mx, my = sum(x) / len(x), sum(y) / len(y)
r = sum((a - mx) * (b - my) for a, b in zip(x, y)) / (sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y)) ** .5
print("r = %.6f" % r)
# %%
class Picture:
    def _repr_svg_(self):
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 100 60\">" + "".join("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1\"/>" % (a * 90 + 5, 60 - b / 5500) for a, b in zip(x, y)) + "</svg>"
Picture()
X
	leat run rain && leat get rain:/joined.csv -o joined.csv && same "$bikes/sales-expected/joined-commit30.csv" joined.csv && seen datastore/job_runs/rain/notebook.html >seen && has seen "31 31 31" "r = -0.507618" && has datastore/job_runs/rain/notebook.ipynb "image/svg+xml"
'
test_expect 'a later commit to any of them leaves it as it is' '
	cd w && printf "Date,Trips\n10/1/16,1\n" >10-01-16 && leat put trips 10-01-16 && leat run >out 2>&1 && leat get rain:/joined.csv -o again.csv && same joined.csv again.csv && eq "$(leat log rain --json | wc -l)" 1
'
if /usr/bin/python3 -c 'import matplotlib, pandas' 2>/dev/null; then
	test_expect 'with pandas and matplotlib, as its author wrote it: the same table, and its plot' '
		cd w && cp -r jobs/rain jobs/plot && sed -i "s|^engine: .*|python: /usr/bin/python3|" jobs/plot/job.yaml && cat >jobs/plot/notebook.py <<\X &&
# %% tags=["parameters"]
inputs = {}
outputs = "."
# %%
import glob, json, os
import pandas as pd
import matplotlib.pyplot as plt
s = pd.read_csv(inputs["sales"] + "/sales.csv", header=None, names=["date", "sales"])
t = pd.concat([pd.read_csv(f).iloc[:, :2].set_axis(["date", "trips"], axis=1) for f in sorted(glob.glob(inputs["trips"] + "/*"))])
j = s.merge(t, on="date")
j["date"] = pd.to_datetime(j["date"], format="%m/%d/%y").dt.strftime("%Y-%m-%d")
w = {os.path.basename(f): json.load(open(f))["daily"]["data"][0].get("precipProbability", 0) for f in glob.glob(inputs["weather"] + "/*")}
j["precip_probability"] = j["date"].map(lambda d: "%g" % w[d])
j.sort_values("date").to_csv(outputs + "/joined.csv", index=False)
# %%
_ = plt.scatter(j["precip_probability"].astype(float), j["sales"])
plt.show()
X
		leat run plot && leat get plot:/joined.csv -o plot.csv && same "$bikes/sales-expected/joined-commit30.csv" plot.csv && has datastore/job_runs/plot/notebook.ipynb "image/png"
	'
else
	test_skip 'with pandas and matplotlib' 'python3-pandas and python3-matplotlib are not installed'
fi
test_done
