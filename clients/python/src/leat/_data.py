"""Tables and files: read, queried, written; of a task its inputs and its output, else of the workspace."""
from __future__ import annotations

import os

from leat import _frame, _task
from leat._call import call, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO, Any, List, Optional, Tuple, Union

_ONLY_INPUTS = "name it in job.yaml: inputs: {NAME: {repo: REPO, pin: PIN}}"


def _option(word: str, value: Optional[object]) -> List[str]:
    return [word, str(value)] if value is not None else []


def _query(query: str, words: List[str]) -> bytes:
    return call(["sql", *words, "--", query])


def sql(query: str, *, at: Optional[str] = None, ds: Optional[object] = None, frame: Optional[str] = None) -> Any:
    """The rows of a query over the tables, as a frame.

    at: tables as they were then: a branch, a commit, a global id, a run. ds: as a unit of that ds would read them.
    frame: pandas, polars, pyarrow or rows; without it the first of these that this Python has.
    In a task the tables are its inputs, by their names or those of their repos, and no others.

    >>> leat.sql("from tables.sales", at="master.31")      # doctest: +SKIP
    """
    kind = _frame.choose(frame)
    words = [*_option("--at", at), *_option("--ds", ds)]
    if _task.is_task():
        if words:
            refuse("a task reads its inputs as they are: at= and ds= are for queries outside of one", _ONLY_INPUTS)
        words = ["--inputs"]
    return _frame.make(kind, lambda format: _query(query, [*words, "--format", format, "-o", "-"]))


def table(name: str, *, at: Optional[str] = None, ds: Optional[object] = None, frame: Optional[str] = None) -> Any:
    """A whole table: `leat.table("tables/sales")`, `leat.table("tables.sales", at="master.31")`."""
    repo, _, pin = name.partition("@")
    if pin:
        if at is not None:
            refuse("%r names a pin, and so does at=" % name)
        at = pin
    if _task.is_task() and _task.input_called(repo) == repo:
        query = "from %s" % _frame.quoted(repo)
    else:
        schema, _, rest = _task.repo_of(repo).partition("/")
        query = "from " + (".".join(map(_frame.quoted, (schema, rest))) if rest else _frame.quoted(schema))
    return sql(query, at=at, ds=ds, frame=frame)


def _split(pin: str) -> Tuple[str, str]:
    repo, colon, path = pin.partition(":")
    if not colon or not path.strip("/"):
        refuse("%r names no file" % pin, "REPO[@PIN]:/PATH does")
    return repo, path.lstrip("/")


def _input_file(pin: str) -> Path:
    repo, path = _split(pin)
    name, _, rev = repo.partition("@")
    called = _task.input_called(name)
    if rev or called is None:
        refuse("%s is no input of this task" % repo, _ONLY_INPUTS)
    folder = _task.this_inputs().get(called)
    if folder is None:
        refuse("this unit has nothing of the input %s" % called)
    file = folder / path
    if not file.is_file() and path.startswith("ds=") and "/" in path:
        # The folder of one partition holds its files directly (docs/reference/tasks.md).
        label, _, rest = path.partition("/")
        if [label[3:]] == (_task.spec()["inputs"][called].get("partitions") or []):
            file = folder / rest
    if not file.is_file():
        from leat._call import Error

        raise Error("the input %s has no /%s" % (called, path), "not-found")
    return file


def read(pin: str) -> bytes:
    """The bytes of a file: `leat.read("raw/docs@master.3:/2024/a.pdf")`. In a task of an input: `leat.read("docs:/a")`."""
    if _task.is_task():
        return _input_file(pin).read_bytes()
    _split(pin)
    return call(["cat", "--", pin])


def open(pin: str, mode: str = "rb", encoding: Optional[str] = None) -> IO[Any]:
    """A file of a repo, open for reading; mode "r" gives text (UTF-8 unless said)."""
    if mode not in ("r", "rb", "rt"):
        refuse("a file of a repo is read ('r' or 'rb'), not opened with mode %r" % mode, "leat.write writes a table")
    if _task.is_task():
        return _input_file(pin).open(mode, encoding=encoding or (None if "b" in mode else "utf-8"))
    import io
    import tempfile

    _split(pin)
    # Through a file that has no name any more: a large one does not have to fit into memory.
    with tempfile.TemporaryDirectory(prefix="leat-") as folder:
        path = os.path.join(folder, "file")
        call(["get", "-o", path, "--", pin])
        f = io.open(path, "rb")
    return f if "b" in mode else io.TextIOWrapper(f, encoding=encoding or "utf-8")


def save(frame: Any, path: Union[str, Path]) -> None:
    """Writes a frame to a Parquet file of the machine."""
    words = ["--inputs"] if _task.is_task() else []
    _frame.save(frame, str(path), lambda rows, to: _frame.rows_to_parquet(
        rows, to, lambda ask: _query(ask[0], [*words, *ask[1:]])))


def write(frame: Any, repo: str, *, ds: Optional[object] = None, name: str = "part-0.parquet",
          message: Optional[str] = None) -> Optional[str]:
    """Writes a table: `leat.write(df, "tables/sales", ds="2018-01-02")`.

    In a task it goes into the task's output, and is published with its run; only the repo and the ds that the task
    makes can be written. Elsewhere it is a commit, whose id this gives. A file of that name is replaced, others stay.
    """
    if not name.endswith(".parquet") or name.startswith(("/", ".", "_")):
        refuse("%r is no name for a table's file: it ends in .parquet, and does not begin with / . or _" % name)
    label = str(ds) if ds is not None else None
    if _task.is_task():
        _write_output(frame, _task.repo_of(repo), label, name)
        return None
    import json
    import tempfile

    with tempfile.TemporaryDirectory(prefix="leat-") as folder:
        path = os.path.join(folder, os.path.basename(name))
        save(frame, path)
        where = "%s:/%s" % (_task.repo_of(repo), name)
        told = call(["put", "--json", *_option("--ds", label), *_option("--message", message), "--", where, path])
    return str(json.loads(told)["commit"])


def _write_output(frame: Any, repo: str, label: Optional[str], name: str) -> None:
    spec = _task.spec()
    own = spec.get("output")
    if own is not None and repo != own:
        refuse("this task writes %s, not %s" % (own, repo), "a job has one output; give %s a job of its own" % repo)
    if label is not None and label != _task.this_ds():
        refuse("this task makes %s, not ds=%s" % (
            "ds=%s" % _task.this_ds() if _task.this_ds() else "no partition", label), "leave ds= out")
    path = _task.this_output() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save(frame, path)
