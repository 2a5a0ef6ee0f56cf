#!/usr/bin/env bash
# A notebook of dsflow as a job: /data, TASK_SPECS with its paths, the module dsflow (issue 8, parts 1 and 8).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-notebook.sh"
. "$TESTS/lib-stay.sh"

leat doctor --json >.t/doctor 2>/dev/null
state=$(json .t/doctor '[r["state"] for r in (d if isinstance(d, list) else d["rows"]) if r["what"] == "sandbox"][0]')
[ "$state" = ok ] || skip_all "no sandboxes here"
workspace w > /dev/null 2>&1 || exit 1
mkdir ../m && for d in 23 24; do
	printf '[{"hour": "2017-11-%s 01:00", "rain": 1.5}, {"hour": "2017-11-%s 02:00", "rain": %s}]' $d $d $d > ../m/m.json
	leat put raw/meteoparis --ds 2017-11-$d ../m/m.json > /dev/null || exit 1
done
printf 'id,name\n1,north\n' > ../c.csv && leat put tables/dim_cameras --ds 2017-11-20 ../c.csv > /dev/null && leat put tables/plain ../c.csv > /dev/null || exit 1
cd .. || exit 1
cat > agg.py <<'END'
# %%
import dsflow
dsflow.load_tables()
dsflow.list_raw()
# %%
df = dsflow.sql("SELECT sum(rain) AS total FROM meteoparis WHERE ds = '2017-11-24' ;")
dsflow.display(df)
# %%
dsflow.sql("with x as (select max(hour) as last from MeteoParis) from x")
# %%
dsflow.sql("show tables")
# %%
import leat
leat.write(df, "raw/agg")
# %%
from dsflow.helpers import DsflowContext
context, spark = DsflowContext.create()
print("context", type(context).__name__, spark)
END
cat > specs.yaml <<'END'
env: {TASK_SPECS: '{"source_path": "/data/raw/meteoparis/ds={{ ds }}"}'}
END
said() { # JOB DS: what its cells printed and showed
	json "w/datastore/job_runs/$1/ds=$2/notebook.ipynb" '"".join("".join(o.get("text") or o["data"]["text/plain"]) + chr(10) for c in d["cells"] for o in c.get("outputs", []))'
}

test_expect 'a notebook as dsflow generated them reads and writes the paths of TASK_SPECS below /data' '
	cd w && notebook create-table-meteoparis "inputs: {meteoparis: raw/meteoparis}" "layout: dsflow" <<-"END" &&
		# %%
		import os
		import json
		from dsflow_core.helpers import DsflowContext
		dsflow = DsflowContext.create()
		# %%
		default_task_specs = """{"source_path": "/data/raw/meteoparis/ds=2001-01-01", "ds": "2001-01-01"}"""
		task_specs = json.loads(os.environ.get("TASK_SPECS", default_task_specs))
		dsflow.validade_task_specs(task_specs)
		print(json.dumps(task_specs))
		# %%
		rows = json.load(open(task_specs["source_path"] + "/m.json"))
		with open(task_specs["sink_path"] + "/part.csv", "w") as f:
		    f.write("hour,rain\n" + "".join("%s,%s\n" % (r["hour"], r["rain"]) for r in rows))
		dsflow.validade_task_output(task_specs)
	END
	sed -i "s,output: raw/create,output: tables/meteoparis # create," jobs/create-table-meteoparis/job.yaml &&
	leat run create-table-meteoparis 2017-11-23..2017-11-24 && leat sql "select sum(rain) s, count(*) n from tables.meteoparis" --format csv > out && has out "50.0,4" && cd .. &&
	said create-table-meteoparis 2017-11-24 > out && has out "{\"source_path\": \"/data/raw/meteoparis/ds=2017-11-24\", \"sink_path\": \"/data/tables/meteoparis/ds=2017-11-24\", \"ds\": \"2017-11-24\"}"
'
test_expect 'of /data nothing can be written but the sink, and nothing is there that is no input' '
	cd w && notebook look "inputs: {raw: raw/meteoparis, cameras: tables/dim_cameras, plain: tables/plain, two: {repo: tables/meteoparis, window: [-1, 0]}}" "layout: dsflow" "params: {limit: 3}" <<-"END" &&
		# %%
		import json, os
		specs = json.loads(os.environ["TASK_SPECS"])
		for d, dirs, files in sorted(os.walk("/data")):
		    print(*[os.path.join(d, f) for f in files], end="\n" if files else "")
		for f in ["/data/x", "/data/raw/x", specs["source_path"] + "/x", specs["source_path"] + "/m.json", "/data/tables/plain/x", os.path.dirname(specs["sink_path"]) + "/x"]:
		    try:
		        open(f, "a")
		        print("could write", f)
		    except OSError:
		        pass
		open(specs["sink_path"] + "/x.csv", "w").write("a\n%d\n" % specs["limit"])
	END
	leat run look 2017-11-24 && leat cat raw/look:/ds=2017-11-24/x.csv > out && has out 3 && cd .. && said look 2017-11-24 > out && lacks out could "ds=2017-11-23/m.json" &&
	has out /data/raw/meteoparis/ds=2017-11-24/m.json /data/tables/dim_cameras/ds=2017-11-20/c.csv /data/tables/plain/c.csv /data/tables/meteoparis/ds=2017-11-23/part.csv /data/tables/meteoparis/ds=2017-11-24/part.csv && [ ! -e /data/raw/meteoparis ]
'
test_expect 'dsflow.load_tables, sql, list_tables and display: its tables by their names in dsflow, though the input is called otherwise' '
	cd w && notebook agg "inputs: {rain: tables/meteoparis, r: raw/meteoparis}" "layout: dsflow" < ../agg.py && leat run agg 2017-11-24 && leat sql "from raw.agg" --format csv > out && has out "25.5,2017-11-24" && cd .. &&
	said agg 2017-11-24 > out && has out "INFO - meteoparis was successfully imported" "/data/raw/meteoparis" "Showing the first 10 rows" "total" 25.5 "2017, 11, 24, 2" "context DsflowContext None" && lacks out dim_cameras
'
test_expect 'a Spark session that is there is told of the tables, and its overwrite fills the sink' '
	cd w && mkdir -p python/pyspark/sql && touch python/pyspark/__init__.py && cat > python/pyspark/sql/__init__.py <<-"END" &&
		from pyspark.sql.readwriter import DataFrameWriter
		class SparkSession:
		    path = None
		    def __getattr__(self, name):
		        return self
		    def getOrCreate(self):
		        return self
		    def parquet(self, path):
		        self.path = path
		        return self
		    def createOrReplaceTempView(self, name):
		        print("spark has", name, "of", self.path)
		SparkSession.builder = SparkSession()
	END
	cat > python/pyspark/sql/readwriter.py <<-"END" &&
		import os, shutil
		class DataFrameWriter:
		    how = None
		    def mode(self, saveMode):
		        self.how = saveMode or self.how
		        return self
		    def parquet(self, path, mode=None):
		        self.mode(mode)
		        if self.how == "overwrite":
		            shutil.rmtree(path)
		        os.makedirs(path, exist_ok=True)
		        open(path + "/part.csv", "a").write("a\n1\n")
	END
	notebook spark "inputs: {rain: tables/meteoparis}" "layout: dsflow" <<-"END" &&
		# %%
		import json, os
		from dsflow_core.helpers import DsflowContext
		dsflow = DsflowContext.create()
		dsflow.load_tables()
		# %%
		from pyspark.sql.readwriter import DataFrameWriter
		sink = json.loads(os.environ["TASK_SPECS"])["sink_path"]
		os.makedirs(sink + "/old")
		DataFrameWriter().mode("overwrite").parquet(sink)
		DataFrameWriter().parquet(sink, mode="overwrite")
		os.makedirs("/tmp/elsewhere")
		DataFrameWriter().mode("overwrite").parquet("/tmp/elsewhere")
	END
	leat run spark 2017-11-24 && leat cat raw/spark:/ds=2017-11-24/part.csv > out && printf "a\n1\n" | cmp - out && leat ls raw/spark:/ds=2017-11-24 > out && lacks out old && cd .. && said spark 2017-11-24 > out && has out "spark has meteoparis of /data/tables/meteoparis" && rm -r w/python/pyspark
'
test_expect 'a job that reads what it made the day before finds both; two inputs of one repo share its folder, at two commits they are refused' '
	cd w && shown() { # NAME INPUTS
		mkdir -p jobs/$1 && printf "kind: script\npartition: daily\nlayout: dsflow\noutput: raw/$1\ninputs: $2\n" >jobs/$1/job.yaml && echo "cd /data/raw && find * -name m.json -o -name before.json | sort >/tmp/seen && cp /tmp/seen \$LEAT_OUTPUT/before.json" >jobs/$1/job.sh
	}
	shown days "{before: {repo: raw/days, window: [-1, -1], optional: true}, m: raw/meteoparis}" && leat run days 2017-11-23..2017-11-24 && leat cat raw/days:/ds=2017-11-24/before.json >out && has out days/ds=2017-11-23/before.json meteoparis/ds=2017-11-24/m.json &&
	shown share "{today: raw/meteoparis, before: {repo: raw/meteoparis, window: [-1, -1]}, week: {repo: raw/meteoparis, window: [-1, 0]}}" && leat run share 2017-11-24 && leat cat raw/share:/ds=2017-11-24/before.json | sort | tr "\\n" " " >out && has out "meteoparis/ds=2017-11-23/m.json meteoparis/ds=2017-11-24/m.json" &&
	echo "[]" >m.json && leat put raw/meteoparis --ds 2017-11-24 m.json && shown differ "{now: raw/meteoparis, then: {repo: raw/meteoparis, pin: master^}}" && exits 1 leat run differ 2017-11-24 2>err && has err "the inputs now and then differ" /data/raw/meteoparis/ds=2017-11-24 && leat put raw/meteoparis --ds 2017-11-24 ../m/m.json
'
test_expect 'what is no input of the job is named where the notebook looks for it' '
	cd w && notebook lost "layout: dsflow" "$(cat ../specs.yaml)" <<-"END" &&
		# %%
		import json, os
		from dsflow import DsflowContext
		DsflowContext.create().load_tables()
		# %%
		DsflowContext.create().validade_task_specs(json.loads(os.environ["TASK_SPECS"]))
	END
	exits 1 leat run lost 2017-11-24 2> err && has err "source_path /data/raw/meteoparis/ds=2017-11-24 is not there" && seen datastore/job_runs/lost/ds=2017-11-24/notebook.html > out && has out "no tables among its inputs"
'
test_expect 'without a layout TASK_SPECS names the folders that the job has, in a sandbox or not' '
	cd w && notebook plain "inputs: {m: raw/meteoparis}" "params: {limit: 3}" <<-"END" &&
		# %%
		import json, os
		specs = json.loads(os.environ["TASK_SPECS"])
		print(*os.listdir(specs["source_path"]), specs["sink_path"] == os.environ["LEAT_OUTPUT"], specs["ds"], specs["params"]["limit"])
	END
	leat run plain 2017-11-24 && cd .. && said plain 2017-11-24 > out && has out "m.json True 2017-11-24 3"
'
test_expect 'outside of a task the tables are those of the workspace, with pandas or without' '
	cd w && for python in python3 $(ls /usr/bin/python3); do
		PYTHONPATH=$CHECKOUT/clients/python/src LEAT_BIN=$LEAT_BIN $python -c "
import dsflow
dsflow.load_tables()
print(dsflow.display(dsflow.sql(\"select max(rain) as most, count(*) as n from meteoparis, dim_cameras\"), 1))" > out && has out "imported/updated" plain dim_cameras meteoparis most 24.0 || return 1
	done && sed -n "/most/,\$p" out | has - 24.0
'
test_expect 'a dashboard of dsflow finds /data too' '
	cd w && mkdir jobs/dash && P=$(port) && printf "kind: board\ninputs: {m: tables/meteoparis}\nlayout: dsflow\nport: $P\ncmd: [python3, app.py]\n" > jobs/dash/job.yaml && cat > jobs/dash/app.py <<-"END" &&
		import http.server, os
		class Answer(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(open("/data/tables/meteoparis/ds=2017-11-24/part.csv", "rb").read())
		http.server.HTTPServer(("127.0.0.1", int(os.environ["LEAT_PORT"])), Answer).serve_forever()
	END
	up dash && curl -s http://127.0.0.1:$P/ > out && has out hour 24 && leat down dash && none_left dash
'
test_expect 'it takes a sandbox: sandbox: off beside it is refused' '
	cd w && echo "sandbox: off" >> jobs/look/job.yaml && exits 1 leat run look 2017-11-23 2> err && has err "layout: dsflow shows /data in a sandbox only" && sed -i "s/layout: dsflow/layout: airflow/" jobs/look/job.yaml && exits 2 leat run look 2017-11-23 2> err && has err "jobs/look/job.yaml" layout dsflow
'
test_done
