"""The program `leat`, and what it says when something is wrong."""
from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, NoReturn, Optional, Sequence


class Error(Exception):
    """What went wrong, for the user: `code` (docs/reference/errors.md), `place` in their file, `hint` what to do.

    >>> print(Error("there is no table sale", code="bad-sql", place="query:1:6", hint="did you mean sales?"))
    query:1:6: there is no table sale
      did you mean sales?
    """

    def __init__(self, message: str, code: str = "failed", place: Optional[str] = None, hint: Optional[str] = None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        text = "%s: %s" % (self.place, self.message) if self.place else self.message
        return "%s\n  %s" % (text, self.hint) if self.hint else text

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.code, self.place, self.hint)


def place_of(problem: Dict[str, Any]) -> Optional[str]:
    """
    >>> place_of({"file": "jobs/x.sql", "line": 3, "col": 1})
    'jobs/x.sql:3:1'
    """
    parts = [str(problem[k]) for k in ("file", "line", "col") if problem.get(k)]
    return ":".join(parts) if problem.get("file") else None


def error_of(text: str, status: int) -> Error:
    """The error in what the program wrote to its standard error (notes may stand before it).

    >>> error_of('{"error":{"code":"busy","message":"somebody else holds it"}}', 1).code
    'busy'
    >>> print(error_of("killed", 137))
    leat ended with status 137: killed
    """
    for line in reversed(text.splitlines()):
        try:
            problem = json.loads(line)["error"]
        except (ValueError, KeyError, TypeError):
            continue
        return Error(problem["message"], problem.get("code", "failed"), place_of(problem), problem.get("hint"))
    last = text.strip().splitlines()[-1:] or ["it said nothing"]
    return Error("leat ended with status %d: %s" % (status, last[0]))


def program() -> str:
    """Where the program is: LEAT_BIN, else on PATH."""
    named = os.environ.get("LEAT_BIN")
    if named:
        if os.access(named, os.X_OK):
            return named
        raise Error("LEAT_BIN names %s, which is no program" % named, "no-library")
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", "leat")
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise Error("the program leat is not on PATH", "no-library", hint="put it there, or name it in LEAT_BIN")


def _take(out: int, say: int, lines: Optional[int] = None) -> List[bytes]:
    """What comes from two pipes, each to its end; of the first no more than so many lines."""
    import select

    got: Dict[int, List[bytes]] = {out: [], say: []}
    poll = select.poll()
    for fd in got:
        poll.register(fd, select.POLLIN)
    left = 2
    while left:
        for fd, _ in poll.poll():
            chunk = os.read(fd, 1 << 20)
            if chunk:
                got[fd].append(chunk)
                if lines is not None and fd == out:
                    lines -= chunk.count(b"\n")
                    if lines <= 0:
                        return [b"".join(got[out]), b""]
            else:
                poll.unregister(fd)
                left -= 1
    return [b"".join(got[out]), b"".join(got[say])]


def call(words: Sequence[str], ok: Sequence[int] = (0,), lines: Optional[int] = None) -> bytes:
    """Runs the program; what it printed. A status that is not among `ok` is an Error, and so is any but 0 where
    nothing was printed.

    lines: once it has printed so many it is ended, and that is fine.

    By posix_spawn: the import of subprocess alone takes longer than the program does to start.
    """
    url = os.environ.get("LEAT_URL")
    if url and "LEAT_SPEC" not in os.environ:
        from leat import _http

        return _http.call(url, words)
    argv: List[str] = [program(), *words]
    out, out_end = os.pipe()
    say, say_end = os.pipe()
    try:
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out_end, 1),
                       (os.POSIX_SPAWN_DUP2, say_end, 2)]
            try:
                pid = os.posix_spawn(argv[0], argv, dict(os.environ, LEAT_ERRORS="json"), file_actions=actions)
            except OSError as why:
                raise Error("%s cannot be started: %s" % (argv[0], why.strerror), "no-library") from None
        finally:
            for fd in (null, out_end, say_end):
                os.close(fd)
        try:
            printed, said = _take(out, say, lines)
            enough = lines is not None and printed.count(b"\n") >= lines
            if enough:
                import signal

                os.kill(pid, signal.SIGTERM)
        except BaseException:  # Ctrl-C: the terminal has told the program too, and it ends by itself
            import signal

            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
            raise
        status = os.waitpid(pid, 0)[1]
    finally:
        os.close(out)
        os.close(say)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    if not enough and (code not in ok or (code and not printed)):
        raise error_of(said.decode("utf-8", "replace"), code)
    return printed


def refuse(message: str, hint: Optional[str] = None) -> NoReturn:
    raise Error(message, "bad-request", hint=hint)
