"""Runs the cells of a notebook for Leat, one at a time, in this process (src/note/python.h tells the frames)."""
import ast
import builtins
import gc
import io
import json
import linecache
import os
import signal
import sys
import threading
import traceback
import types

PIECE = 65000
GONE = b'j{"gone": true}'
SELF = sys.modules[__name__]  # its place as __main__ is the notebook's


def finite(value):
    """JSON knows no NaN and no infinities: they become null, as Jupyter sends them."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    return [finite(v) for v in value] if isinstance(value, (list, tuple)) else value


def as_json(message):
    try:
        return json.dumps(message, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(finite(message), default=str)


class Link:
    """
    One end of a SEQPACKET socket. What is told waits until it was heard, so that it keeps its place among what is
    printed, which goes by the pipes that are descriptors 1 and 2; the packet `a` and a number says so.
    """

    def __init__(self, fd):
        self.fd = fd
        self.owner = os.getpid()
        self.thread = threading.get_ident()
        self.lock = threading.RLock()
        self.busy = False  # a cell runs: nothing but such answers comes
        self.number = 0
        self.printed = None

    def send(self, message):
        if os.getpid() != self.owner:  # a child that the notebook has forked: only what it prints is told
            return
        sys.stdout.flush()
        sys.stderr.flush()
        self.tell(message)

    def tell(self, message):
        with self.lock:
            hears = self.busy and threading.get_ident() == self.thread
            if hears:
                self.number += 1
                message["ack"] = self.number
            data = as_json(message).encode("utf-8", "backslashreplace")
            last = max(0, len(data) - 1) // PIECE * PIECE
            for at in range(0, last, PIECE):
                os.write(self.fd, b"J" + data[at:at + PIECE])
            os.write(self.fd, b"j" + data[last:])
            heard = b"a%d" % self.number
            while hears:
                data = os.read(self.fd, PIECE + 1)
                hears = bool(data) and data != heard

    def turn(self, stream):
        """Output and errors keep their order: one of them is heard before the other goes on."""
        if self.printed is not stream and self.printed is not None and os.getpid() == self.owner:
            self.tell({"sync": True})
        self.printed = stream

    def receive(self):
        parts = []
        while True:
            data = os.read(self.fd, PIECE + 1)
            if not data:
                return None
            if data[:1] not in b"Jj":
                continue
            parts.append(data[1:])
            if data[:1] == b"j":
                return json.loads(b"".join(parts).decode("utf-8"))


class Raw(io.FileIO):
    def __init__(self, link, fd):
        super().__init__(fd, "wb", closefd=False)
        self.link = link

    def write(self, data):
        self.link.turn(self)
        return super().write(data)


def text_stream(link, fd):
    return io.TextIOWrapper(io.BufferedWriter(Raw(link, fd), PIECE), encoding="utf-8", errors="backslashreplace",
                            line_buffering=True)


class NoInput(EOFError):
    """input() where nobody can answer."""


def no_input(prompt="", *_, **__):
    raise NoInput("input() cannot ask here: nobody sits before a notebook that runs as a job; "
                  "take the value as a parameter")


def add_display_id(message, transient):
    if transient and transient.get("display_id"):
        message["id"] = str(transient["display_id"])
    return message


def encodable(data):
    """Bytes as JSON has them."""
    import base64
    return {k: base64.b64encode(v).decode() if isinstance(v, (bytes, bytearray)) else v for k, v in data.items()}


class Plain:
    """Without IPython: exec, the last expression shown, figures at the end of a cell."""

    name = "python"
    METHODS = (("_repr_html_", "text/html"), ("_repr_markdown_", "text/markdown"), ("_repr_svg_", "image/svg+xml"),
               ("_repr_png_", "image/png"), ("_repr_jpeg_", "image/jpeg"), ("_repr_latex_", "text/latex"),
               ("_repr_json_", "application/json"))

    def __init__(self, link, module):
        self.link = link
        self.ns = module.__dict__
        self.flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if hasattr(ast, "PyCF_ALLOW_TOP_LEVEL_AWAIT") else 0
        self.count = 0
        builtins.display = self.display

    def bundle(self, obj):
        data, meta = {}, {}
        if not isinstance(obj, type):
            whole = getattr(obj, "_repr_mimebundle_", None)
            if whole is not None:
                try:
                    got = whole(include=None, exclude=None)
                except TypeError:
                    got = whole()
                if isinstance(got, tuple):
                    got, meta = got
                data.update(got or {})
            for name, mime in self.METHODS:
                method = getattr(obj, name, None)
                if method is None or mime in data:
                    continue
                try:
                    got = method()
                except NotImplementedError:
                    continue
                if isinstance(got, tuple):
                    got, meta[mime] = got
                if got is not None:
                    data[mime] = got
        if "text/plain" not in data:
            data["text/plain"] = repr(obj)
        return encodable(data), meta

    def display(self, *objects, raw=False, display_id=None, metadata=None, **_):
        for obj in objects:
            data, meta = (obj, {}) if raw else self.bundle(obj)
            message = {"display": encodable(data), "meta": dict(meta, **(metadata or {}))}
            if display_id:
                message["id"] = str(display_id)
            self.link.send(message)

    def magic(self, source):
        """The sentence for a line that only IPython understands; None."""
        for number, line in enumerate(source.split("\n"), 1):
            word = line.strip()
            if word[:1] in ("%", "!") and word[1:2].strip():
                what = "a shell command" if word[0] == "!" else "a magic"
                return number, "%s is %s of IPython, which %s has not: `pip install ipython` (Debian: python3-ipython)" % (
                    word.split()[0][:60], what, sys.executable)
        return None

    def parse(self, source, name):
        if "%matplotlib" in source:  # figures are shown anyway
            source = "\n".join("" if line.strip().startswith("%matplotlib") else line for line in source.split("\n"))
        linecache.cache[name] = (len(source), None, [line + "\n" for line in source.split("\n")], name)
        try:
            tree = compile(source, name, "exec", self.flags | ast.PyCF_ONLY_AST, True)
        except SyntaxError as e:
            found = self.magic(source)
            if found and found[0] <= (e.lineno or found[0]):
                raise Unknown(found[1]) from None
            raise
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        return tree, last

    def evaluate(self, tree, name, mode):
        code = compile(tree, name, mode, self.flags, True)
        self.flags |= code.co_flags & FUTURES
        result = eval(code, self.ns)
        if code.co_flags & 0x80:  # a coroutine: it awaits at the top
            import asyncio
            result = asyncio.run(result)
        return result

    def figures(self):
        plt = sys.modules.get("matplotlib.pyplot")
        if plt is None:
            return
        for number in plt.get_fignums():
            out = io.BytesIO()
            fig = plt.figure(number)
            fig.savefig(out, format="png", bbox_inches="tight")
            self.link.send({"display": encodable({"image/png": out.getvalue(), "text/plain": repr(fig)}), "meta": {}})
        plt.close("all")

    def sql(self, source):
        line, _, query = source.lstrip()[len("%%sql"):].partition("\n")
        shown = sql_cells().run(line, query, self.ns)
        data, meta = self.bundle(shown)
        self.link.send({"result": data, "meta": meta, "count": self.count})

    def run(self, source, name):
        self.count += 1
        if source.lstrip().startswith(("%%sql\n", "%%sql ")):
            self.sql(source)
            return
        tree, last = self.parse(source, name)
        try:
            if tree.body:
                self.evaluate(tree, name, "exec")
            if last is not None:
                value = self.evaluate(last, name, "eval")
                if value is not None:
                    self.ns["_"] = value
                    data, meta = self.bundle(value)
                    self.link.send({"result": data, "meta": meta, "count": self.count})
        finally:
            self.figures()

    def rehearse(self):
        tree, last = self.parse("None", "cell 0")
        self.evaluate(last, "cell 0", "eval")
        self.bundle(0)

    def error(self, e):
        if hasattr(e, "_render_traceback_"):  # it has no need of one
            return {"ename": type(e).__name__, "evalue": str(e), "traceback": e._render_traceback_()}
        if isinstance(e, Unknown):
            return {"ename": "UsageError", "evalue": str(e), "traceback": ["UsageError: " + str(e)]}
        return describe(e)


def sql_cells():
    """Of the Python package leat, which every task finds."""
    try:
        from leat import _cell
    except (ImportError, SyntaxError) as e:
        raise Unknown("%%%%sql needs the Python package leat, which %s cannot import: %s" % (sys.executable, e)) from None
    return _cell


class Unknown(Exception):
    """A line that plain Python does not understand."""


def describe(e):
    tb = e.__traceback__
    while tb is not None and tb.tb_frame.f_globals is globals():
        tb = tb.tb_next
    lines = []
    for part in traceback.TracebackException(type(e), e, tb).format():
        lines += part.rstrip("\n").split("\n")
    try:
        text = str(e)
    except Exception:  # the user's own __str__
        text = "(its text cannot be made)"
    return {"ename": type(e).__name__, "evalue": text, "traceback": lines}


def futures():
    import __future__
    flags = 0
    for name in __future__.all_feature_names:
        flags |= getattr(__future__, name).compiler_flag
    return flags


FUTURES = futures()


def make_shell(link, module):
    """IPython's shell in this process; ImportError where there is none."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets import Type
    from traitlets.config import Config
    import warnings

    class Hook(DisplayHook):
        def start_displayhook(self):
            self.told = None

        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            self.told = {"result": encodable(format_dict), "meta": md_dict or {}, "count": self.prompt_count}

        def finish_displayhook(self):
            if self.told and self.told["result"]:
                link.send(self.told)
            self.told = None

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **_):
            key = "update" if update else "display"
            link.send(add_display_id({key: encodable(data), "meta": metadata or {}}, transient))

        def clear_output(self, wait=False):
            link.send({"clear": bool(wait)})

    class Shell(InteractiveShell):
        displayhook_class = Type(Hook)
        display_pub_class = Type(Publisher)
        told = None
        leaves = False

        def _showtraceback(self, etype, evalue, stb):
            self.told = {"ename": getattr(etype, "__name__", str(etype)), "evalue": str(evalue),
                         "traceback": "\n".join(stb).split("\n")}

        def ask_exit(self):
            self.leaves = True

        def enable_gui(self, gui=None):
            pass  # IPython 9 asks for it with %matplotlib inline as well, and there is no window to be had

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.autoindent = False
    shell = Shell.instance(config=config, user_module=module)
    try:
        sql_cells().load(shell)
    except Unknown:
        pass
    warnings.filterwarnings("ignore", message="To exit: use")
    return shell


class Rich:
    """With IPython: magics, rich display, and all that a kernel of Jupyter's would do."""

    name = "ipython"

    def __init__(self, link, module, shell=None):
        self.link = link
        self.shell = shell or make_shell(link, module)
        self.ns = self.shell.user_ns
        self.shell.execution_count = 1

    def run(self, source, name):
        shell = self.shell
        shell.told = None
        result = shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            raise error
        if shell.leaves:
            raise SystemExit(0)

    def rehearse(self):
        self.shell.run_cell("None", store_history=False, silent=True)
        self.shell.display_formatter.format(0)

    @property
    def count(self):
        return self.shell.execution_count - 1

    def error(self, e):
        if type(e).__name__ == "UsageError":  # an unknown magic: IPython prints a line of its own
            return {"ename": "UsageError", "evalue": str(e), "traceback": ["UsageError: %s" % e]}
        return self.shell.told or describe(e)


def make_engine(link, mode):
    """Of a zygote it is made once, before there is a link."""
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    engine, default = None, "agg"
    if mode != "python":
        try:
            engine = Rich(link, module)
            default = "module://matplotlib_inline.backend_inline"
        except ImportError:
            if mode == "ipython":
                raise
    engine = engine or Plain(link, module)
    os.environ.setdefault("MPLBACKEND", default)
    return engine


class Strikes:
    """Interrupts: one for each cell, and none for what stands around them."""

    ready = False

    @classmethod
    def strike(cls, *_):
        if cls.ready:
            cls.ready = False
            raise KeyboardInterrupt


def run_cell(engine, link, message):
    done = {"done": "ok"}
    link.busy = True
    try:
        Strikes.ready = True
        engine.run(message["run"], message["name"])
        Strikes.ready = False
    except SystemExit as e:
        if e.code in (None, 0, False):
            done = {"done": "exit"}
        else:
            done = dict(engine.error(e), done="error", ename="SystemExit", evalue=str(e.code))
    except BaseException as e:
        done = dict(engine.error(e), done="error")
    Strikes.ready = False
    if os.getpid() != link.owner:  # a child that the cell has forked and that came back here: the rest is the parent's
        sys.stdout.flush()
        os._exit(0 if done["done"] != "error" else 1)
    done["count"] = engine.count
    link.send(done)
    link.busy = False


def run_startup(engine, link, message):
    """config/startup.py: in the notebook's names, with no magics, as IPython runs such files."""
    name, source = message["name"], message["startup"]
    done = {"done": "ok", "count": 0}
    link.busy = True
    linecache.cache[name] = (len(source), None, [line + "\n" for line in source.split("\n")], name)
    try:
        Strikes.ready = True
        exec(compile(source, name, "exec", 0, True), engine.ns)
    except BaseException as e:
        Strikes.ready = False
        told = describe(e)
        tb, line = e.__traceback__, getattr(e, "lineno", None) if getattr(e, "filename", None) == name else None
        while tb is not None:
            if tb.tb_frame.f_code.co_filename == name:
                line = tb.tb_lineno
            tb = tb.tb_next
        sys.stderr.write("\n".join(told["traceback"]) + "\n")
        done = dict(told, done="error", count=0, line=line or 0)
    Strikes.ready = False
    link.send(done)
    link.busy = False


def leave(ns, link=None, status=0):
    """
    As an interpreter ends, but for what only takes time: what is open is closed, what was registered is called. The
    worker hears when all is said (GONE): what the process then still needs to give its memory back holds up nobody.
    """
    try:
        threading._shutdown()
        import atexit
        atexit._run_exitfuncs()
        ns.clear()
        gc.collect()
        sys.stdout.flush()
        sys.stderr.flush()
        if link and os.getpid() == link.owner:
            os.write(link.fd, GONE)
    finally:
        os._exit(status)


def serve(fd, mode, argv, engine=None):
    link = engine.link if engine else Link(fd)
    if engine:
        link.__init__(fd)
    sys.stdout = sys.__stdout__ = text_stream(link, 1)
    sys.stderr = sys.__stderr__ = text_stream(link, 2)
    sys.argv = argv
    builtins.input = no_input
    signal.signal(signal.SIGTERM, Strikes.strike)
    signal.signal(signal.SIGINT, Strikes.strike)
    engine = engine or make_engine(link, mode)
    link.send({"ready": {"version": sys.version.split()[0], "executable": sys.executable, "engine": engine.name,
                         "implementation": sys.implementation.name}})
    while True:
        message = link.receive()
        if message is None or "leave" in message:
            leave(engine.ns, link if message else None)
        if "vars" in message:
            engine.ns.update(message["vars"])
        elif "startup" in message:
            run_startup(engine, link, message)
        else:
            run_cell(engine, link, message)


if __name__ == "__main__" and len(sys.argv) > 2 and sys.argv[1] == "serve":
    serve(int(sys.argv[2]), sys.argv[3], sys.argv[4:])
