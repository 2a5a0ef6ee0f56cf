#!/usr/bin/env bash
# A dsflow project becomes jobs: specs of v0.3 and v0.2, scripts, notebooks, what notebooks read without saying so.
. "$(dirname "$0")/../lib.sh"

leat doctor --json >.t/doctor 2>/dev/null
state=$(json .t/doctor '[r["state"] for r in (d if isinstance(d, list) else d["rows"]) if r["what"] == "sandbox"][0]')
test_in_sandbox() { # as test_expect: notebooks of dsflow see /data, in a sandbox
	if [ "$state" = ok ]; then test_expect "$@"; else test_skip "$1" "no sandboxes here"; fi
}

specs() { # NAME CLASS SCRIPT LINES...
	mkdir -p jobs/$1 && { printf "version: '0.1'\ndescription: $1\nclass: $2\nimage: \"\"\nscript: $3\n"; shift 3; printf '%s\n' "$@"; } > jobs/$1/job_specs.yaml
}
notebook() { # a cell per line of standard input
	python3 -c 'import json, sys
print(json.dumps({"cells": [{"cell_type": "markdown", "source": ["# x"]}] + [{"cell_type": "code", "source": [l.replace(";;", "\n")]} for l in sys.stdin.read().splitlines()], "metadata": {}, "nbformat": 4, "nbformat_minor": 2}))'
}

test_expect 'a project with a download, notebooks, a dashboard, and a chain of v0.2' '
	mkdir p
	cd p
	specs fetch-meteo CommandLineTool fetch-meteo.sh "job_parameters:" "  - ds" "task_specs:" "  source_path: \"file:///x.json\"" "  sink_path: \"/data/raw/meteo/ds={{ ds }}\"" "  ds: \"{{ ds }}\""
	printf "#!/bin/sh\nmkdir -p \$2\ncd \$2\necho \"{\\\\\"v\\\\\": 1}\" > m.json\necho \$1 > from\n" > jobs/fetch-meteo/fetch-meteo.sh
	specs table-meteo JupyterNotebook table-meteo.ipynb "job_parameters:" "  - ds" "  - limit" "task_specs:" "  source_path: \"/data/raw/meteo/ds={{ ds }}\"" "  sink_path: \"/data/tables/meteo/ds={{ ds }}\"" "  ds: \"{{ ds }}\""
	printf "%s\n" "import os, json;;specs = json.loads(os.environ[\"TASK_SPECS\"])" "d = json.load(open(specs[\"source_path\"] + \"/m.json\"));;open(specs[\"sink_path\"] + \"/t.csv\", \"w\").write(f\"v,day\\n{d[\"v\"]},{specs[\"ds\"]}\\n\".replace(\"\\\\\\\\n\", chr(10)))" | sed "s/d\[\"v\"\]/d.get(chr(118))/; s/specs\[\"ds\"\]}/specs.get(chr(100)+chr(115))}/" | notebook > jobs/table-meteo/table-meteo.ipynb
	specs table-agg JupyterNotebook agg.ipynb "job_parameters:" "  - ds" "task_specs:" "  sink_path: \"/data/tables/agg/ds={{ ds }}\"" "  ds: \"{{ ds }}\"" "new_key: 1"
	printf "%s\n" "import os;;q = \"SELECT count(*) FROM meteo\"" "n = len(open(os.environ[\"LEAT_INPUT_meteo\"] + \"/t.csv\").readlines()) - 1;;open(os.environ[\"LEAT_OUTPUT\"] + \"/a.csv\", \"w\").write(str(n))" | notebook > jobs/table-agg/agg.ipynb
	specs dash PlotlyDashApplication dash.py
	echo "print(1)" > jobs/dash/dash.py
	mkdir -p jobs/old
	cat > jobs/old/dag_specs.yaml <<-"END"
		version: "0.1"
		pipeline: [dump, create, checks]
		schedule:
		  cron: daily
		  partition_type: ds
		datasets:
		  raw_old: {type: raw, path: "datastore:/raw/old/"}
		  old: {type: dim_table, path: "datastore:/tables/dim_old/"}
		tasks:
		  dump:
		    type: sh
		    parameters: {source: "http://127.0.0.1:1/a.csv", sink: raw_old}
		  create:
		    type: notebook
		    script: old.ipynb
		    parameters: {source: raw_old, sink: old}
		  checks:
		    sources: [old]
	END
	[ -s jobs/old/dag_specs.yaml ]
	echo "1" | notebook > jobs/old/old.ipynb
'
test_expect 'specs become jobs whose order is that of the data; what was not understood is told with its place' '
	workspace w && leat import dsflow ../p > out 2> err && has out fetch-meteo table-meteo table-agg dash old-dump old-create &&
	has jobs/table-meteo/job.yaml "meteo: raw/meteo" "output: tables/meteo" "partition: daily" "limit: null" && has jobs/table-agg/job.yaml "meteo: tables/meteo" "output: tables/agg" &&
	lacks jobs/table-meteo/job.yaml after && has jobs/table-meteo/job.yaml "kind: notebook" "code: table-meteo.ipynb" "layout: dsflow" "/data/raw/meteo/ds={{ ds }}" && has jobs/dash/job.yaml "kind: board" "port: 8050" "layout: dsflow" &&
	has err "table-agg/job_specs.yaml:11: not understood: new_key" "agg.ipynb names tables/meteo: taken for an input" "old/dag_specs.yaml:17: not understood: the task checks" &&
	has jobs/old-dump/job.yaml "kind: download" "url: \"http://127.0.0.1:1/a.csv\"" "cron: \"@daily\"" "catchup: all" "pipeline: old" && has jobs/old-create/job.yaml "old: raw/old" "output: tables/dim_old"
'
test_in_sandbox 'they run: the script with both paths, notebooks cell by cell with TASK_SPECS' '
	cd w && leat run fetch-meteo 2024-01-02 && leat cat raw/meteo:/ds=2024-01-02/from > out && echo file:///x.json | cmp - out &&
	leat run table-meteo 2024-01-02 --param limit=3 && leat cat tables/meteo:/ds=2024-01-02/t.csv > out && has out "1,2024-01-02" &&
	leat run table-agg 2024-01-02 && leat cat tables/agg:/ds=2024-01-02/a.csv > out && has out 1
'
test_in_sandbox 'a cell that fails fails the job' '
	cd p && printf "%s\n" "x = 1" "raise ValueError(x)" "open(\"/nowhere/x\")" | notebook > jobs/table-agg/agg.ipynb && cd ../w && exits 2 leat import dsflow ../p 2> err && has err "jobs/table-agg/agg.ipynb" &&
	leat import dsflow ../p --force > /dev/null && exits 1 leat run table-agg 2024-01-02 && leat logs table-agg 2024-01-02 > out 2>&1 && has out "cell 3 failed: ValueError: 1" && test -s datastore/job_runs/table-agg/ds=2024-01-02/agg.html
'
test_expect 'in the dsflow project itself each job.yaml comes beside the specs' '
	cd p && leat init --name p && leat import dsflow . > out && has out "table-agg " && [ -e jobs/table-agg/job_specs.yaml ] && leat import dsflow . > out && lacks out created updated && leat run fetch-meteo 2024-01-02
'
test_done
