#!/usr/bin/env bash
# dsflow's flow as its README has it, typed with leat, over a JSON source on loopback (issue 8, part 8).
. "$(dirname "$0")/../lib.sh"

mkdir site && python3 - <<'END'
import json
json.dump([{"recordid": f"r{i}", "city": "Paris", "temperature": 280 + i / 2} for i in range(8)], open("site/data", "w"))
END
http_server site || exit 1
workspace w > /dev/null 2>&1 || exit 1
cd ..

test_expect 'generate-job alone lists the templates' '
	cd w && leat generate-job > out && has out download_file create_table_from_json create_table_from_sql plotly_dash_app
'
test_expect 'generate-job download_file meteoparis, with a flag for each prompt, makes download-meteoparis' '
	cd w && leat generate-job download_file meteoparis --set "source_url=$HTTP_URL/data?format=json&timezone=Europe/Berlin" --set unzip=no > out && has out "made jobs/download-meteoparis" && has jobs/download-meteoparis/job.yaml "output: raw/meteoparis" "name: meteoparis.json"
'
test_expect 'generate-job create_table_from_json meteoparis and create_table_from_sql meteo_agg make create-table-...' '
	cd w && leat generate-job create_table_from_json meteoparis > out && has out "made jobs/create-table-meteoparis" && has jobs/create-table-meteoparis/job.sql "from raw.meteoparis" &&
	leat generate-job create_table_from_sql meteo_agg --set "query=select city, avg(temperature) - 273.15 as celsius, {{ ds }} as day from tables.meteoparis group by city" > out && has out "made jobs/create-table-meteo_agg" && has jobs/create-table-meteo_agg/job.sql "{{ ds }} as day"
'
test_expect 'run download-meteoparis 2017-11-09, run create-table-meteoparis, run create-table-meteo_agg: each makes its partition' '
	cd w && leat run download-meteoparis 2017-11-09 && leat run create-table-meteoparis 2017-11-09 && leat run create-table-meteo_agg 2017-11-09 && leat sql "select count(*) n from tables.meteoparis" > out && has out 8 &&
	leat sql "select city, round(celsius, 2) c, day from tables.meteo_agg" --format csv > out && has out "Paris,8.6,2017-11-09" && test -d datastore/tables/meteo_agg/ds=2017-11-09
'
test_expect 'tree and infer-schema show what came of it' '
	cd w && leat tree > out && has out meteoparis && leat infer-schema raw/meteoparis > out && has out temperature DOUBLE && leat get raw/meteoparis:/ds=2017-11-09/meteoparis.json -o ../m.json && leat infer-schema ../m.json > out && has out temperature
'
test_expect 'generate-adhoc NAME URL json, transform-notebook, generate-dag are words too' '
	cd w && leat generate-adhoc meteo_look "$HTTP_URL/data" json > out && has out "jobs/meteo_look" && leat run meteo_look && leat transform-notebook notebooks/meteo_look.py > out.ipynb && has out.ipynb "nbformat" &&
	leat generate-dag meteo download-meteoparis create-table-meteoparis > out && has jobs/create-table-meteoparis/job.yaml "pipeline: meteo"
'
test_expect 'start-dash and stop-all start and end dashboards' '
	cd w && p=$(python3 -c "import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])") && leat generate-job board meteo --set source_table_name=tables/meteo_agg --set x_axis=city --set y_axis=celsius --set port=$p > out && has out jobs/board-meteo && leat start-dash > out && curl -s http://127.0.0.1:$p/ > page.html && has page.html "<svg" Paris && leat stop-all && leat services > out && lacks out running
'
test_expect 'start-jupyter and start-notebook are leat jupyter' '
	cd w && leat jupyter --help > out && for c in start-jupyter start-notebook; do leat $c --help > out2 && same out out2 || return 1; done
'
test_done
