#!/usr/bin/env bash
# Templates of leat new: what each of them makes is run (issue 8, part 8).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

workspace w > /dev/null 2>&1 || exit 1
cd ..
mkdir site && printf 'id,city,amount\n1,Paris,5\n2,Lyon,7\n' > site/day.csv && printf '[{"id": 1, "fields": {"t": 20.5}}, {"id": 2, "fields": {"t": 18}}]' > site/day.json
http_server site || exit 1
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

cat > ask.py <<'END'
import os, pty, sys

answers = [line.encode() + b"\n" for line in sys.argv[2].split("|")]


def read(fd):
    data = os.read(fd, 1024)
    if answers and data.rstrip().endswith(b":"):
        os.write(fd, answers.pop(0))
    return data


sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[3:], read)))
END

test_expect 'all are listed with a sentence each, the DAG too' '
	cd w && leat new > out && for t in download_file create_table_from_csv create_table_from_json create_table_from_sql script explore notebook_lab board plotly_dash_app web_app dag; do
		grep -q "^$t  *[a-z]" out || return 1
	done
'
test_expect 'download_file fetches, and create_table_from_csv makes a table of it, with a test that holds and a README' '
	cd w && leat new download_file cars --set "url=$HTTP_URL/day.csv?d={{ ds }}" 2> err && has err "next:" "leat run cars" && leat run cars 2024-01-02 && leat new create_table_from_csv cars_table --set from=raw/cars --set output=tables/cars &&
	leat test cars_table && leat run cars_table 2024-01-02 && leat sql "select sum(amount) n from tables.cars" > out && has out 12 && has jobs/cars/README.md "Made by" "url" && has jobs/cars/job.yaml "{{ ds }}"
'
test_expect 'create_table_from_json reads objects, or unfolds them' '
	cd w && leat new download meteo --set "url=$HTTP_URL/day.json" && leat run meteo 2024-01-02 && leat new create_table_from_json meteo_table --set from=raw/meteo && leat test meteo_table && leat run meteo_table 2024-01-02 &&
	leat sql "select max(fields.t) t from tables.meteo_table" > out && has out 20.5 && leat new create_table_from_json flat --set from=raw/meteo --set unfold=fields && leat run flat 2024-01-02 && leat sql "select min(t) t from tables.flat" > out && has out 18
'
test_expect 'create_table_from_sql takes a query; what it binds is bound when it runs' '
	cd w && leat new create_table_from_sql agg --set "query=select {{ ds }} as label, count(*) as n from tables.cars" && has jobs/agg/job.sql "{{ ds }} as label" && leat run agg 2024-01-02 && leat sql "select label, n from tables.agg" > out && has out 2024-01-02 2 && test ! -e jobs/agg/tests
'
test_expect 'a repo whose name is not plain is quoted' '
	cd w && leat new sql odd --set from=raw/a-b/c && has jobs/odd/job.sql "raw.\"a-b/c\"" && leat test odd
'
test_expect 'script runs as it is, and its test holds' '
	cd w && leat new script hello && leat test hello && leat run hello 2024-01-02
'
test_expect 'explore fetches a file and brings a notebook that runs by any Python, without the package, and converts' '
	cd w && leat new explore look "$HTTP_URL/day.csv" csv && leat run look && PATH=$(dirname "$LEAT_BIN"):$PATH python3 notebooks/look.py > out && has out "2 rows" "amount" "Paris" && leat notebook convert notebooks/look.py look.ipynb
'
test_expect 'notebook_lab: tasks and shells see the same folders; what is in data/output is committed' '
	cd w && leat new notebook_lab lab && for d in src dst bin synthesize tidy analyze output; do test -d data/$d || return 1; done && printf "b\n a \n\n" > data/src/words.txt && leat run lab && eq "$(cat data/tidy/words.txt | tr "\n" " ")" "a b " &&
	leat cat marts/lab:/lines.csv > out && has out "words.txt,2" && eq "$(cd jobs && . lab/lab.sh && echo "$ENV_DATA_SRC_DIR")" "$(pwd)/data/src"
'
test_expect 'notebook_lab with a notebook: the job is one, and finds the same folders' '
	cd w && leat new notebook_lab nlab --set notebook=yes && test ! -e jobs/nlab/steps && test ! -e jobs/nlab/job.sh && leat run nlab && leat cat marts/nlab:/lines.csv > out && has out "words.txt,2" && find datastore/job_runs/nlab -name notebook.html | grep -q .
'
test_expect 'board: a page with a picture and the rows, between two dates; hostile words in its address are words' '
	cd w && p=$(free_port) && leat new board cars_board --set table=tables/cars --set x_axis=ds --set y_axis=amount --set port=$p 2> err && has err "127.0.0.1:$p" && leat up cars_board && curl -s "http://127.0.0.1:$p/" > page.html && has page.html "<svg" "Paris" "<td>2024-01-02</td>" &&
	curl -s "http://127.0.0.1:$p/?asked=1&from=2024-01-03" > page.html && has page.html "no rows" && lacks page.html Paris &&
	curl -s -G --data-urlencode "from=2024-01-01'"'"' or 1=1; <script>" --data-urlencode rows=1 "http://127.0.0.1:$p/" > page.html && has page.html Paris && lacks page.html "<script>" && leat down cars_board
'
test_expect 'web_app: a WSGI application that reads what its job declares' '
	cd w && p=$(free_port) && leat new web_app api --set data=tables/cars --set port=$p && leat up api && eq "$(curl -s http://127.0.0.1:$p/)" "{\"rows\": 2}" && leat down api
'
if python3 -c 'import dash' 2> /dev/null; then
	test_expect 'plotly_dash_app: the app answers, and its figure follows the dates' '
		cd w && p=$(free_port) && leat new plotly_dash_app dash --set table=tables/cars --set x_axis=ds --set y_axis=amount --set port=$p && leat up dash && curl -s "http://127.0.0.1:$p/_dash-layout" > out && has out DatePickerRange &&
		curl -s -H "Content-Type: application/json" "http://127.0.0.1:$p/_dash-update-component" -d "{\"output\": \"..figure.figure...table.children..\", \"outputs\": [{\"id\": \"figure\", \"property\": \"figure\"}, {\"id\": \"table\", \"property\": \"children\"}], \"inputs\": [{\"id\": \"days\", \"property\": \"start_date\", \"value\": \"2024-01-02\"}, {\"id\": \"days\", \"property\": \"end_date\", \"value\": \"2024-01-02\"}, {\"id\": \"shows\", \"property\": \"value\", \"value\": [\"rows\"]}], \"changedPropIds\": [\"days.start_date\"]}" > out &&
		has out Paris "\"y\":[5,7]" && leat down dash
	'
else
	test_skip 'plotly_dash_app: the app answers, and its figure follows the dates' 'dash is not installed for python3'
	test_expect 'plotly_dash_app says what to install where dash is not there' '
		cd w && leat new plotly_dash_app dash --set table=tables/cars --set port=$(free_port) && exits 1 leat up dash 2> err && leat logs dash > log && has log "pip install dash"
	'
fi
test_expect 'values are checked before anything is made: names, yes or no, too many words, what is there already' '
	cd w && exits 2 leat new board b --set "table=a b" 2> err && has err table && exits 2 leat new download d --set unzip=perhaps 2> err && has err "yes or no" && exits 2 leat new script s extra 2> err && has err "one too many" &&
	exits 2 leat new explore look2 "$HTTP_URL/x" csv extra 2> err && exits 2 leat new explore e --set "format=../x" 2> err && has err format && mkdir -p notebooks && echo mine > notebooks/look3.py && exits 2 leat new explore look3 2> err && has err "notebooks/look3.py is there already" &&
	eq "$(cat notebooks/look3.py)" mine && for j in b d s e look2 look3; do test ! -e jobs/$j || return 1; done
'
test_expect 'on a terminal it asks, shows the default, asks again what cannot be, and takes --set without asking' '
	cd w && python3 ../ask.py - "$HTTP_URL/day.csv|maybe|y||" "$LEAT_BIN" new download_file asked --set file=x.csv > out && has out "where the file is" "[no]" "yes or no, not" "[raw/asked]" && lacks out "to be called" && has jobs/asked/job.yaml "$HTTP_URL/day.csv" "unpack: unzip" "name: x.csv" "output: raw/asked"
'
test_done
