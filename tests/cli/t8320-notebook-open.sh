#!/usr/bin/env bash
# leat notebook FILE: one notebook in the user's Jupyter over chosen commits, written back when that ends. By a stand-in for
# Jupyter that saves what it is told to; and by the real one where it is.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"
needs python3 curl

workspace w >/dev/null 2>&1 || exit 1
(printf 1 >a && printf 2 >b && leat put trips a && leat put trips b) >/dev/null 2>&1 || exit 1
p=$(port)
mkdir -p "$TRASH/fake" && cat >"$TRASH/fake/jupyter-notebook" <<'X'
#!/usr/bin/env python3
# Listens as Jupyter does; /save/NAME writes a cell into out/NAME, /look tells its arguments and folders.
import http.server, json, os, sys
said = dict(a[2:].split("=", 1) for a in sys.argv[1:] if a.startswith("--") and "=" in a)
root = said["notebook-dir"]
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = ""
        if self.path.startswith("/save/"):
            name = os.path.join(root, "out", self.path[6:].split("?")[0])
            d = json.load(open(name))
            d["cells"].append({"cell_type": "code", "id": "new1", "execution_count": 1, "metadata": {}, "outputs": [], "source": ["saved = 'in jupyter'"]})
            json.dump(d, open(name, "w"))
        elif self.path.startswith("/look"):
            text = " ".join(sorted(os.listdir(root))) + " config=" + said.get("config", "none").rpartition("/")[2]
        self.send_response(200); self.end_headers(); self.wfile.write(text.encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(said["port"])), H).serve_forever()
X
chmod +x "$TRASH/fake/jupyter-notebook"
REAL_PATH=$PATH
# opened FILE [options]: the session, in the background, until it says where it is; $pid
opened() {
	rm -f url said
	"$LEAT_BIN" notebook "$@" --port "$p" --json >url 2>said &
	pid=$!
	t_pids+=("$pid")
	wait_for 60 grep -qs token= url
}
closed() { kill -INT "$pid" && { wait "$pid" || return 1; }; }
ipynb() { printf '{"cells": [{"cell_type": "code", "id": "c1", "execution_count": null, "metadata": {}, "outputs": [], "source": ["x = 1"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n' >"$1"; }

test_expect 'it is in out/, beside the commits that were chosen; what was saved is in the file when it ends' '
	cd w && PATH=$TRASH/fake:$REAL_PATH && ipynb n.ipynb && opened n.ipynb --in trips@master.1 && eq "$(json url "d[\"url\"].split(\"?\")[0].split(\"/\", 3)[3]")" notebooks/out/n.ipynb &&
	eq "$(curl -s "http://127.0.0.1:$p/look")" "out trips config=none" && curl -s "http://127.0.0.1:$p/save/n.ipynb" && closed && has n.ipynb "in jupyter" && has said "is as it was saved in Jupyter" && leat cat notebook:/n.ipynb >kept && same kept n.ipynb
'
test_expect 'one that was not changed stands as it was, to the byte' '
	cd w && ipynb m.ipynb && cp m.ipynb was && opened m.ipynb && closed && same was m.ipynb && has said "nothing of it was changed"
'
test_expect 'one that was changed meanwhile is not written over: what was saved lies beside it' '
	cd w && ipynb k.ipynb && opened k.ipynb && curl -s "http://127.0.0.1:$p/save/k.ipynb" && echo "mine" >k.ipynb && closed && eq "$(cat k.ipynb)" mine && has k.from-jupyter.ipynb "in jupyter" && has said "was changed meanwhile"
'
test_expect 'Python in cells is an .ipynb there, and Python again in the file' '
	cd w && printf "# %%%% [markdown]\n# # Title\n\n# %%%%\nx = 1\n" >s.py && opened s.py && curl -s "http://127.0.0.1:$p/save/s.ipynb" && closed && has s.py "# # Title" "x = 1" "saved = '\''in jupyter'\''" && lacks s.py "cell_type" &&
	cp s.py was && opened s.py && closed && same was s.py
'
test_expect 'settings of the workspace are given to it' '
	cd w && mkdir -p config && echo "c.X.y = 1" >config/jupyter_server_config.py && opened m.ipynb && eq "$(curl -s "http://127.0.0.1:$p/look")" "out config=jupyter_config.py" && closed
'
test_expect 'what cannot be is refused: no such file, no notebook, a session that is up' '
	cd w && exits 2 leat notebook nosuch.ipynb 2>err && has err "does not know nosuch.ipynb" && echo x >t.txt && exits 2 leat notebook t.txt 2>err && has err "no notebook by its name" && exits 1 leat notebook m.ipynb --in nosuch 2>err && has err nosuch &&
	opened m.ipynb && exits 1 leat notebook m.ipynb 2>err && has err "is up" && closed
'

PATH=$REAL_PATH
if ! command -v jupyter-notebook >/dev/null; then
	test_skip 'with the real one: opened, saved, written back; its settings count, and cannot open it to others' 'jupyter-notebook is not installed'
	test_done
	exit
fi
token() { json url 'd["url"].split("token=")[1]'; }
test_expect 'with the real one: opened, saved, written back; its settings count, and cannot open it to others' '
	cd w && ipynb r.ipynb && cat >config/jupyter_server_config.py <<\X &&
for app in (c.ServerApp, c.NotebookApp):
    app.token = ""
    app.password = ""
    app.ip = "0.0.0.0"
    app.allow_remote_access = True
    app.allow_unauthenticated_access = True
    app.tornado_settings = {"headers": {"X-Of-The-Workspace": "yes"}}
c.IdentityProvider.token = ""
c.PasswordIdentityProvider.token = ""
c.PasswordIdentityProvider.password_required = False
X
	opened r.ipynb --in trips@master.1 && eq "$(curl -s -o /dev/null -w "%{http_code}" "http://127.0.0.1:$p/api/contents/out")" 403 && curl -s -D headers -o /dev/null "http://127.0.0.1:$p/api/contents/out?token=$(token)" && grep -qi "x-of-the-workspace: yes" headers &&
	for other in $(hostname -I | tr " " "\n" | grep -v :); do exits 7 curl -s "http://$other:$p/api" || return 1; done
	curl -s "http://127.0.0.1:$p/api/contents/out/r.ipynb?token=$(token)" >got && has got "x = 1" && printf "{\"type\":\"notebook\",\"format\":\"json\",\"content\":%s}" "$(sed "s/x = 1/x = 2/" r.ipynb)" >body &&
	eq "$(curl -s -o answer -w "%{http_code}" -X PUT "http://127.0.0.1:$p/api/contents/out/r.ipynb?token=$(token)" -d @body)" 200 && closed && has r.ipynb "x = 2"
'
test_done
