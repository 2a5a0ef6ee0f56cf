"""Serves app.py at the port that leat names: WSGI by Python alone, ASGI by uvicorn. `cmd:` of job.yaml may name another server (gunicorn, uvicorn) instead."""
import inspect
import os
import socketserver
import wsgiref.simple_server

from app import app

HOST, PORT = "127.0.0.1", int(os.environ["LEAT_PORT"])


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


def is_asgi():
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))


if __name__ == "__main__":
    if not is_asgi():
        wsgiref.simple_server.make_server(HOST, PORT, app, server_class=Server).serve_forever()
    try:
        import uvicorn
    except ImportError:
        raise SystemExit("an ASGI application takes a server, and uvicorn is not there for this python3: pip install uvicorn")
    uvicorn.run(app, host=HOST, port=PORT)
