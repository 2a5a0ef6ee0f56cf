"""What a task tells while it runs: metrics and a log."""
from __future__ import annotations

import json
import os
import sys

from leat._call import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

_MIME = "application/vnd.leat.metric+json"


def _plain(value: Any) -> Any:
    """A number of numpy or torch as Python's own."""
    if isinstance(value, (bool, int, float, str)):
        return value
    try:
        value = value.item()
    except (AttributeError, ValueError, RuntimeError):
        refuse("a metric is a number, a text or true or false, not a %s" % type(value).__name__)
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def put(name: str, value: Any) -> None:
    """Keeps a metric with the run: `leat.put("auc", 0.91)`.

    >>> put("auc", 0.91)
    ::metric auc=0.91
    """
    if not name or "=" in name or any(c.isspace() for c in name):
        refuse("%r is no name of a metric: one word without =" % (name,))
    value = _plain(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        log.warning("the metric %s is %r, and is not kept", name, value)
        return
    line = json.dumps({"name": name, "value": value}, ensure_ascii=False)
    path = os.environ.get("LEAT_METRICS")
    if path:
        # One write, so that processes of one task do not tear each other's lines.
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(fd, (line + "\n").encode())
        finally:
            os.close(fd)
        return
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        print("::metric %s=%s" % (name, value if isinstance(value, str) else json.dumps(value)), flush=True)
        return
    from IPython.display import display

    display({_MIME: json.loads(line), "text/plain": "%s = %s" % (name, value)}, raw=True)


class Log:
    """Lines for people, on standard error: coloured on a terminal, plain in a log.

    >>> Log(sys.stdout).warning("%d rows have no price", 3)
    warning: 3 rows have no price
    """

    _STYLE = {"debug": "2", "info": "36", "success": "32", "warning": "33", "error": "31;1"}

    def __init__(self, out: TextIO | None = None):
        self._out = out

    def _say(self, level: str, text: Any, args: Any) -> None:
        out = self._out if self._out is not None else sys.stderr
        body = str(text) % args if args else str(text)
        word = level
        if out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
            word = "\033[%sm%s\033[0m" % (self._STYLE[level], level)
        out.write("".join("%s: %s\n" % (word, line) for line in body.split("\n")))
        out.flush()

    def debug(self, text: Any, *args: Any) -> None:
        self._say("debug", text, args)

    def info(self, text: Any, *args: Any) -> None:
        self._say("info", text, args)

    def success(self, text: Any, *args: Any) -> None:
        self._say("success", text, args)

    def warning(self, text: Any, *args: Any) -> None:
        self._say("warning", text, args)

    def error(self, text: Any, *args: Any) -> None:
        self._say("error", text, args)


log = Log()
