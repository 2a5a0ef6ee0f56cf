"""Running jobs from Python."""
from __future__ import annotations

import json

from leat import _task
from leat._call import Error, call, place_of, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional


class Run:
    """What a run came to: `state` ("success", or "up-to-date" where nothing was to be done), its `id`, the `units` that
    ran (dicts with job, ds, run, state), and `outputs`, the pins of what was published."""

    def __init__(self, job: str, state: str, id: Optional[str], units: List[Dict[str, Any]], outputs: List[str]):
        self.job = job
        self.state = state
        self.id = id
        self.units = units
        self.outputs = outputs

    def __repr__(self) -> str:
        return "Run(job=%r, state=%r, id=%r, outputs=%r)" % (self.job, self.state, self.id, self.outputs)


class RunFailed(Error):
    """A unit of it failed, or could not be started: the reason is the message; `run` is what it came to, `log` the
    last lines that the unit printed."""

    def __init__(self, message: str, code: str = "failed", place: Optional[str] = None, hint: Optional[str] = None,
                 run: Optional[Run] = None, log: Optional[List[str]] = None):
        super().__init__(message, code, place, hint)
        self.run = run
        self.log = log or []


def _events(printed: bytes) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith(b"{")]


def _outputs(id: str) -> List[str]:
    try:
        rows = _events(call(["log", "--json", "--", id]))
    except Error as e:
        if e.code == "not-found":  # it made no commit: a step without an output, or rows that were there already
            return []
        raise
    return ["%s@%s" % (row["repo"], row["commit"]) for row in rows if row.get("commit")]


def _why_not(job: str, ds: Optional[object]) -> Optional[str]:
    """What a unit that was not started waits for."""
    if ds is None or ".." in str(ds):
        return None
    try:
        told = _events(call(["why", "--json", "--", job, str(ds)], ok=(0, 1)))
    except Error:
        return None
    return next((t["detail"] for t in told if t.get("detail")), None)


def _failed(job: str, ds: Optional[object], events: List[Dict[str, Any]], last: Dict[str, Any], made: Run) -> RunFailed:
    told = next((e for e in events if e.get("error")), {})
    first: Dict[str, Any] = next(iter(last.get("failures") or []), {})
    problem: Dict[str, Any] = told.get("error") or {}
    reason = problem.get("message") or first.get("reason")
    if not last:
        problem = problem or {"hint": "leat runs %s tells what became of it" % job}
        reason = reason or "leat ended before it said how the run went"
    if not reason:
        waits = _why_not(job, ds)
        reason = "it was not started" + (": " + waits if waits else "")
        problem = {"code": "missing-input" if last.get("input_missing") else "failed", "hint": "leat why %s DS" % job}
    who = "%s %s" % (first.get("job") or job, first.get("ds") or (ds if ds is not None and not first else ""))
    return RunFailed("%s: %s" % (who.strip(), reason), problem.get("code", "failed"), place_of(problem),
                     problem.get("hint"), made, first.get("log"))


def run(job: str, ds: Optional[object] = None, *, upstream: bool = False, again: bool = False, **params: Any) -> Run:
    """Runs a job for a ds (or a range A..B; none: all that is stale of it), with parameters by hand.

    >>> leat.run("sales", "2018-01-02", min_price=5).state      # doctest: +SKIP
    'success'
    """
    if _task.is_task():
        refuse("a task starts no runs", "let the job read what %s writes, or name it in after:" % job)
    words = ["run", "--json", *(["--upstream"] if upstream else []), *(["--again"] if again else [])]
    for key, value in params.items():
        words += ["--param", "%s=%s" % (key, json.dumps(value))]
    words += ["--", job] + ([str(ds)] if ds is not None else [])
    events = _events(call(words, ok=(0, 1)))
    last: Dict[str, Any] = events[-1] if events and "event" not in events[-1] else {}
    ended = ("done", "failed", "timed-out", "cancelled", "known", "skipped")
    units = [dict(job=e.get("job"), ds=e.get("ds"), run=e.get("run"), state=e["event"])
             for e in events if e.get("event") in ended]
    id = last.get("batch")
    bad = not last or bool(last.get("failed") or last.get("not_started") or last.get("cancelled"))
    state = "failed" if bad else "success" if units else "up-to-date"
    made = Run(job, state, id, units, [] if bad or not id or not units else _outputs(id))
    if bad:
        raise _failed(job, ds, events, last, made)
    return made
