"""Leat in Python: its tables as frames, its files, the task that this runs in.

>>> import leat
>>> leat.sql("select 40 + 2 as answer", frame="rows")      # doctest: +SKIP
Table([{'answer': 42}])

Nothing is imported before it is used, and nothing but Python is needed: pandas, polars and pyarrow are used where they
are. All data comes from the program `leat` (or from the inputs of the task); its database is never opened here.
"""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Dict, List, Optional

    from leat._call import Error as Error
    from leat._data import open as open, read as read, sql as sql, table as table, write as write
    from leat._run import Run as Run, RunFailed as RunFailed, run as run
    from leat._say import Log as Log, log as log, put as put
    from leat._table import Table as Table
    from leat._task import Params as Params

    params: Params
    ds: Optional[str]
    inputs: Dict[str, Path]
    output: Path

__version__ = "0.1.0"

_HOME = {
    "Error": "_call",
    "Log": "_say", "log": "_say", "put": "_say",
    "Params": "_task",
    "Run": "_run", "RunFailed": "_run", "run": "_run",
    "Table": "_table",
    "open": "_data", "read": "_data", "sql": "_data", "table": "_data", "write": "_data",
}
_OF_TASK = ("ds", "inputs", "output", "params")

__all__ = sorted([*_HOME, *_OF_TASK])


def __getattr__(name: str) -> Any:
    # What depends on the task is asked for anew each time: a process forked from a warm one is another task.
    if name in _OF_TASK:
        from leat import _task

        return getattr(_task, "this_" + name)()
    if name in _HOME:
        from importlib import import_module

        value = getattr(import_module("leat." + _HOME[name]), name)
        globals()[name] = value
        return value
    if name == "connection":
        from leat._call import Error

        raise Error("leat.connection is not there yet", code="no-library")
    if name.startswith("_"):  # a submodule, which `from leat import _task` asks for here first
        raise AttributeError(name)
    from difflib import get_close_matches

    near = get_close_matches(name, __all__, 1)
    why = AttributeError("leat has no %r%s" % (name, "; did you mean %s?" % near[0] if near else ""))
    import sys

    if sys.version_info >= (3, 10):
        why.name = ""  # else the interpreter adds a guess of its own to ours
    raise why


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext leat`: the magic %%sql."""
    from leat import _cell

    _cell.load(shell)


def __dir__() -> List[str]:
    return sorted([*globals(), *__all__])
