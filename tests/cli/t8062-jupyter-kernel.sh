#!/usr/bin/env bash
# The kernel `leat` of leat jupyter: a Python that is forked from one that has imported ipykernel already.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

if ! command -v jupyter-notebook >/dev/null; then
	test_skip 'the kernel leat' 'jupyter-notebook is not installed'
	test_done
	exit
fi
python=$(dirname "$(command -v jupyter-notebook)")/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import tornado.websocket, ipykernel' 2>/dev/null; then
	test_skip 'the kernel leat' 'the python3 of jupyter-notebook has no ipykernel'
	test_done
	exit
fi
workspace w >/dev/null 2>&1 || exit 1
(printf 1 >a && leat put trips a) >/dev/null 2>&1 || exit 1
p=$(port)
# The process that kernels of this session are forked from: a child of Jupyter, which has our port.
zygote() {
	local q
	for q in $(pgrep -f "zygote leat-kernel"); do
		grep -qs "port=$p" "/proc/$(sed -n "s/^PPid:[[:space:]]*//p" "/proc/$q/status" 2>/dev/null)/cmdline" && echo "$q"
	done
	true
}
cat >"$TRASH/talk.py" <<'X'
"""A kernel of Jupyter's over its HTTP API, as the browser has it: tells the text that each cell prints, or its error."""
import json, sys, uuid
import tornado.httpclient, tornado.ioloop, tornado.websocket

base, token = sys.argv[1].split("/?token=")
head = {"Authorization": "token " + token}
http = tornado.httpclient.AsyncHTTPClient()


async def ask(method, path, body=None):
    r = await http.fetch(base + path, method=method, headers=head, body=None if body is None else json.dumps(body),
                         allow_nonstandard_methods=True, request_timeout=120)
    return json.loads(r.body or b"null")


class Kernel:
    async def start(self, name):
        self.id = (await ask("POST", "/api/kernels", {"name": name}))["id"]
        await self.connect()

    async def connect(self):
        self.ws = await tornado.websocket.websocket_connect(tornado.httpclient.HTTPRequest(
            base.replace("http", "ws") + "/api/kernels/%s/channels" % self.id, headers=head, connect_timeout=120))

    async def run(self, code, when_busy=None):
        mid, out = uuid.uuid4().hex, ""
        await self.ws.write_message(json.dumps({"channel": "shell", "parent_header": {}, "metadata": {}, "buffers": [], "header": {
            "msg_id": mid, "msg_type": "execute_request", "username": "", "session": "s", "version": "5.3"}, "content": {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}}))
        while True:
            m = json.loads(await self.ws.read_message())
            if m["parent_header"].get("msg_id") != mid or m["channel"] != "iopub":
                continue
            if m["msg_type"] == "stream":
                out += m["content"]["text"]
                if when_busy and "busy" in out:
                    await when_busy()
                    when_busy = None
            elif m["msg_type"] == "error":
                out += m["content"]["ename"]
            elif m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                return out.strip()


HOW = "import os; print(os.getpid(), 'kernel' in open('/proc/%d/cmdline' % os.getppid()).read().split(chr(0)), os.getcwd(), __name__)"


async def main():
    names = (await ask("GET", "/api/kernelspecs"))["kernelspecs"]
    print("offered", sorted(names))
    k = Kernel()
    await k.start("leat")
    first = (await k.run(HOW)).split()
    print("forked", first[1], first[3])
    print(await k.run("a = 1\nimport sys; print(a, len(sys.path[0]), [p for p in sys.path if p == ''])"))
    print(await k.run("%%bash\necho magic"))
    print("interrupted", await k.run("print('busy', flush=True)\nwhile True: pass", lambda: ask("POST", "/api/kernels/%s/interrupt" % k.id, {})))
    print("goes on", await k.run("print(a + 1)"))
    await ask("POST", "/api/kernels/%s/restart" % k.id, {})
    k.ws.close()
    await k.connect()
    again = (await k.run(HOW)).split()
    print("restarted", again[1], again[0] != first[0], await k.run("print(a)"))
    other = Kernel()
    await other.start("leat")
    print("another", (await other.run(HOW)).split()[0] != again[0], await other.run("print('a' in globals())"))
    await ask("DELETE", "/api/kernels/" + k.id)
    print("left", [x["id"] == other.id for x in await ask("GET", "/api/kernels")], await other.run("print(5)"))
    print("pid", (await other.run(HOW)).split()[0])


tornado.ioloop.IOLoop.current().run_sync(main)
X

test_expect 'it is offered beside the others, runs cells, is interrupted, restarted and ended; what the session installs is the session'"'"'s' '
	cd w && leat jupyter --in trips --port $p -d --json >url && up jupyter >/dev/null 2>&1 && timeout 300 "$python" $TRASH/talk.py "$(json url "d[\"url\"]")" >told 2>err || { cat told err; false; } &&
	has told "leat" "python3" "forked True __main__" "magic" "interrupted busy" "KeyboardInterrupt" "goes on 2" "restarted True True NameError" "another True False" "left [True] 5" &&
	[ ! -e "$HOME/.local/share/jupyter/kernels/leat" ] && ! find "$HOME" -path "*kernels/leat*" | grep -q .
'
test_expect 'a kernel whose interpreter cannot be forked starts as any other' '
	cd w && z=$(zygote) && [ -n "$z" ] && kill -9 $z && forked() { [ -z "$(zygote)" ]; } && wait_for 60 forked &&
	cat >$TRASH/cold0.py <<X && sed "/^HOW/,\$d" $TRASH/talk.py >cold.py && cat $TRASH/cold0.py >>cold.py && timeout 300 "$python" cold.py "$(json url "d[\"url\"]")" >told 2>err || { cat told err; false; } && has told "cold 2"
async def main():
    k = Kernel()
    await k.start("leat")
    print("cold", await k.run("print(1 + 1)"))
tornado.ioloop.IOLoop.current().run_sync(main)
X
'
test_expect 'with the session all of it ends' '
	cd w && leat down >/dev/null && none_left jupyter
'
test_done
