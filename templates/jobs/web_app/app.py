"""The application, by WSGI: `app` may as well be one of Flask (app = Flask(__name__)), Django (get_wsgi_application()) or FastAPI (app = FastAPI())."""
import json

import leat


def app(environ, start_response):
    if environ["PATH_INFO"] == "/health":
        kind, body = "text/plain", b"ok"
    else:
        count = leat.sql("select count(*) as n from data", frame="rows")[0]["n"]
        kind, body = "application/json", json.dumps({"rows": count}).encode()
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
