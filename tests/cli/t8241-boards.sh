#!/usr/bin/env bash
# Applications of web frameworks as supervised services: port, health, the commit they read, mode: dev (issue 8, part 9).
# WSGI is here with Python's own server; Streamlit, Flask, Django and FastAPI where they are installed for python3
# (LEAT_TEST_PATH: folders before PATH, of a virtual environment that is not below /tmp).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

export PATH=${LEAT_TEST_PATH:+$LEAT_TEST_PATH:}$PATH
workspace w > /dev/null 2>&1 || exit 1
printf 'n\n1\n2\n' > ../one.csv && printf 'n\n5\n' > ../two.csv && leat put tables/t --ds 2024-01-01 ../one.csv > /dev/null || exit 1
cd ..

# NAME KIND COMMAND HEALTH: a job whose app.py comes from standard input, at a port of its own ($P)
app() {
	P=$(port) && mkdir -p jobs/$1 && cat > jobs/$1/app.py && printf 'kind: %s\ninputs: {data: tables/t}\nport: %s\nhealth: %s\nmode: dev\nstart_timeout: 120s\ncmd: [sh, -c, "%s"]\n' "$2" "$P" "$4" "$3" > jobs/$1/job.yaml
}
says() { # TEXT
	curl -s -m 5 "http://127.0.0.1:$P/" > "$TRASH/.t/page" && grep -qF "$1" "$TRASH/.t/page"
}
# NAME: up, it answers with the rows of the commit it reads; data that move and code that is saved are what answers next; down
lives() {
	up $1 && wait_for 20 is $1 health good && says "one 2" && leat services $1 --json > out && has out "\"data\":\"tables/t@$(leat log tables/t --json -n 1 | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"commit\"])")\"" &&
	leat put tables/t --ds 2024-01-02 ../two.csv > out && wait_for 60 says "one 3" && sed -i "s/one/two/" jobs/$1/app.py && wait_for 60 says "two 3" &&
	leat down $1 > out && has out $1 && none_left $1 && leat rm tables/t:/ds=2024-01-02 -r > out
}
count_rows='leat.sql("select count(*) as n from data", frame="rows")[0]["n"]'

test_expect 'WSGI with Python alone: found at the commit it reads, health asked for, anew when data or code move' '
	cd w && app wsgi service "exec python3 app.py" /health <<-END && lives wsgi
		import os, wsgiref.simple_server
		import leat
		def app(environ, start_response):
		    start_response("200 OK", [("Content-Type", "text/plain")])
		    return [b"ok" if environ["PATH_INFO"] == "/health" else b"one %d" % $count_rows]
		wsgiref.simple_server.make_server("127.0.0.1", int(os.environ["LEAT_PORT"]), app).serve_forever()
	END
'
test_expect 'one whose health is bad is not up: exit 1 with what it answered, and nothing of it is left' '
	cd w && app ill service "exec python3 app.py" /health <<-END && sed -i "s/start_timeout: 120s/start_timeout: 2s/" jobs/ill/job.yaml && exits 1 up ill 2> err && has err ill 500 && none_left ill
		import os, wsgiref.simple_server
		def app(environ, start_response):
		    start_response("500 Oh", [])
		    return []
		wsgiref.simple_server.make_server("127.0.0.1", int(os.environ["LEAT_PORT"]), app).serve_forever()
	END
'
test_expect 'web_app serves what app is: a WSGI function with Python alone' '
	cd w && P=$(port) && leat new web_app api --set data=tables/t --set port=$P && up api && says "{\"rows\": 2}" && leat down api && none_left api
'
if python3 -c 'import uvicorn' 2> /dev/null; then
	test_expect 'web_app serves an ASGI application by uvicorn' '
		cd w && P=$(port) && leat new web_app asgi --set data=tables/t --set port=$P && cat > jobs/asgi/app.py <<-END && up asgi && says "one 2" && leat down asgi
			import leat
			async def app(scope, receive, send):
			    if scope["type"] == "http":
			        await send({"type": "http.response.start", "status": 200, "headers": []})
			        await send({"type": "http.response.body", "body": b"one %d" % $count_rows})
		END
	'
else
	test_expect 'web_app says what an ASGI application lacks where uvicorn is not there' '
		cd w && leat new web_app asgi --set data=tables/t --set port=$(port) && echo "async def app(scope, receive, send): pass" > jobs/asgi/app.py && exits 1 up asgi && leat logs asgi > log && has log "pip install uvicorn"
	'
fi
real() { # MODULE SENTENCE BODY: only where it is installed
	if python3 -c "import $1" 2> /dev/null; then test_expect "$2" "$3"; else test_skip "$2" "$1 is not installed for python3"; fi
}
real flask 'Flask, by its own server' '
	cd w && app flask service "exec flask --app app run --port \\\"\$LEAT_PORT\\\"" /health <<-END && lives flask
		from flask import Flask
		import leat
		app = Flask(__name__)
		@app.get("/health")
		def health():
		    return "ok"
		@app.get("/")
		def root():
		    return "one %d" % $count_rows
	END
'
real fastapi 'FastAPI, by uvicorn' '
	cd w && app fastapi service "exec uvicorn app:app --port \\\"\$LEAT_PORT\\\"" /health <<-END && lives fastapi
		from fastapi import FastAPI
		import leat
		app = FastAPI()
		app.get("/health")(lambda: "ok")
		app.get("/")(lambda: "one %d" % $count_rows)
	END
'
real django 'Django, by runserver' '
	cd w && app django service "exec python3 app.py runserver --noreload \\\"127.0.0.1:\$LEAT_PORT\\\"" /health <<-END && lives django
		import sys
		from django.conf import settings
		from django.core.management import execute_from_command_line
		from django.http import HttpResponse
		from django.urls import path
		import leat
		settings.configure(DEBUG=False, SECRET_KEY="x", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__)
		urlpatterns = [path("health", lambda r: HttpResponse("ok")), path("", lambda r: HttpResponse("one %d" % $count_rows))]
		if __name__ == "__main__":
		    execute_from_command_line(sys.argv)
	END
'
real streamlit 'Streamlit, as a board' '
	cd w && app streamlit board "exec streamlit run app.py --server.port \\\"\$LEAT_PORT\\\" --server.address 127.0.0.1 --server.headless true --browser.gatherUsageStats false" / <<-END && up streamlit && says "<title>Streamlit</title>" && curl -s http://127.0.0.1:$P/_stcore/health > out && has out ok && echo "# x" >> jobs/streamlit/app.py && wait_for 60 is streamlit restarts 1 && wait_for 60 says "<title>Streamlit</title>" && leat down streamlit && none_left streamlit
		import leat, streamlit as st
		st.write("one %d" % $count_rows)
	END
'
test_done
