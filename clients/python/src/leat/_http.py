"""The same calls over the HTTP API of `leat serve`: LEAT_URL names it, LEAT_TOKEN holds the token (docs/how-to/api.md).

Routes and arguments are made from the table that the command line has, so words become arguments one by one.
"""
from __future__ import annotations

import json
import os

from leat._call import Error, place_of, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

_SWITCHES = ("json", "upstream", "again")
_PLACES = {"sql": ["query"], "cat": ["repo"], "get": ["repo"], "log": ["repo"], "put": ["repo", "file"],
           "run": ["job", "ds"], "why": ["job", "ds"]}


def arguments(words: Sequence[str]) -> Dict[str, Any]:
    """
    >>> arguments(["run", "--json", "--param", "k=3", "--", "sales", "2018-01-01"])
    {'param': ['k=3'], 'job': 'sales', 'ds': ['2018-01-01']}
    >>> arguments(["sql", "--at", "master.3", "--format", "typed", "-o", "-", "--", "from t"])
    {'at': 'master.3', 'format': 'typed', 'output': '-', 'query': 'from t'}
    """
    at = list(words).index("--")
    out: Dict[str, Any] = {}
    options = iter(words[1:at])
    for word in options:
        name = "output" if word == "-o" else word[2:]
        if name in _SWITCHES:
            out[name] = True
        elif name == "param":
            out.setdefault(name, []).append(next(options))
        else:
            out[name] = next(options)
    out.pop("json", None)
    for name, value in zip(_PLACES[words[0]], words[at + 1:]):
        out[name] = [value] if name == "ds" else value
    return out


def _connect(url: str) -> Tuple[Any, str]:
    import http.client
    import socket

    scheme, _, rest = url.partition(":")
    if scheme == "unix":
        class Unix(http.client.HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(rest)

        return Unix("localhost"), ""
    host, slash, path = rest.lstrip("/").partition("/")
    if scheme not in ("http", "https") or not host:
        refuse("LEAT_URL is %r, which is no address" % url, "http://127.0.0.1:8787, https://HOST or unix:/PATH")
    made: Any = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return made(host), ("/" + path.rstrip("/")) if path else ""


def _problem(doc: Dict[str, Any]) -> Error:
    return Error(doc.get("detail") or doc.get("title") or "it failed", doc.get("code", "failed"), place_of(doc),
                 doc.get("hint"))


def call(url: str, words: Sequence[str]) -> bytes:
    """As leat._call.call, by the daemon at `url`."""
    from urllib.parse import urlencode

    verb, args = words[0], arguments(words)
    head = {"Accept": "application/x-ndjson, */*"}
    if os.environ.get("LEAT_TOKEN"):
        head["Authorization"] = "Bearer " + os.environ["LEAT_TOKEN"]
    to: Optional[str] = args.pop("output") if verb == "get" else None
    if verb == "get":
        verb = "cat"
    connection, base = _connect(url)
    path = "%s/api/v1/%s" % (base, verb)
    body: Any = None
    if verb == "put":
        with open(args["file"], "rb") as f:
            body = f.read()
        args["file"] = "-"
    if verb in ("put", "cat", "log", "why"):
        path += "?" + urlencode(args, doseq=True)
        head["Content-Type"] = "application/octet-stream"
    else:
        body = json.dumps(args).encode()
        head["Content-Type"] = "application/json"
    try:
        connection.request("POST" if verb in ("put", "sql", "run") else "GET", path, body, head)
        answer = connection.getresponse()
        data: bytes = answer.read()
    except OSError as why:
        raise Error("%s does not answer: %s" % (url, why.strerror or why), "network",
                    hint="`leat serve` prints where it is") from None
    finally:
        connection.close()
    if answer.status >= 400:
        try:
            doc = json.loads(data)
        except ValueError:
            raise Error("%s answered %d" % (url, answer.status), "network") from None
        raise _problem(doc)
    lines: List[bytes] = data.splitlines() if verb == "run" else []
    for line in lines:
        told = json.loads(line) if line.startswith(b"{") else {}
        if "detail" in told and "code" in told:
            raise _problem(told)
    if to is None:
        return data
    with open(to, "wb") as f:
        f.write(data)
    return b""
