#!/usr/bin/env python3
"""An FTP server for tests (no package has one that is small): anonymous, passive, read-only, one folder.
usage: ftpd.py --port-file FILE DIR"""
import os
import socket
import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write((text + "\r\n").encode())

    def data(self):
        listener, self.listener = self.listener, None
        conn, _ = listener.accept()
        listener.close()
        return conn

    def handle(self):
        self.listener, cwd = None, "/"
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb, _, arg = line.partition(" ")
            verb = verb.upper()
            path = os.path.normpath(os.path.join(cwd, arg))
            real = root + path
            if verb == "USER":
                self.say("331 password")
            elif verb == "PASS":
                self.say("230 in")
            elif verb == "PWD":
                self.say('257 "%s"' % cwd)
            elif verb == "CWD":
                if os.path.isdir(real):
                    cwd = path
                self.say("250 there" if os.path.isdir(real) else "550 no such folder")
            elif verb == "TYPE":
                self.say("200 ok")
            elif verb == "SIZE":
                self.say("213 %d" % os.path.getsize(real) if os.path.isfile(real) else "550 no such file")
            elif verb == "EPSV":
                self.listener = socket.create_server(("127.0.0.1", 0))
                self.say("229 passive (|||%d|)" % self.listener.getsockname()[1])
            elif verb == "RETR" and os.path.isfile(real):
                self.say("150 here it comes")
                with self.data() as conn, open(real, "rb") as f:
                    conn.sendfile(f)
                self.say("226 done")
            elif verb == "RETR":
                self.say("550 no such file")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("502 not known")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


port_file, root = sys.argv[2], os.path.abspath(sys.argv[3])
server = Server(("127.0.0.1", 0), Session)
with open(port_file + ".tmp", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(port_file + ".tmp", port_file)
server.serve_forever()
