"""Serves app.py at the port that leat names. Where gunicorn or uvicorn is there, `cmd:` of job.yaml may name it instead."""
import os
import socketserver
import wsgiref.simple_server

from app import app


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    wsgiref.simple_server.make_server("127.0.0.1", int(os.environ["LEAT_PORT"]), app, server_class=Server).serve_forever()
