"""The task that this runs in: what LEAT_SPEC and the other variables say (docs/reference/tasks.md)."""
from __future__ import annotations

import json
import os
import sys

from leat._call import Error, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Dict, Iterator, Optional, Tuple

_read: Tuple[Optional[str], Dict[str, Any]] = (None, {})


def is_task() -> bool:
    return "LEAT_SPEC" in os.environ


def spec() -> Dict[str, Any]:
    """The rendered job; {} outside of a task."""
    global _read
    path = os.environ.get("LEAT_SPEC")
    if path is None:
        return {}
    if _read[0] != (key := "%d %s" % (os.getpid(), path)):
        try:
            with open(path, encoding="utf-8") as f:
                _read = (key, json.load(f))
        except (OSError, ValueError) as why:
            raise Error("LEAT_SPEC cannot be read: %s" % why, "io") from None
    return _read[1]


class Params:
    """The parameters of the job, by name: `leat.params.min_speed` or `leat.params["min_speed"]`, typed as in job.yaml.

    >>> p = Params({"min_speed": 19, "cities": ["Paris"]})
    >>> p.min_speed, p["cities"], p.get("x", 7), "x" in p, dict(p)
    (19, ['Paris'], 7, False, {'min_speed': 19, 'cities': ['Paris']})
    >>> p.min_sped
    Traceback (most recent call last):
    AttributeError: there is no parameter 'min_sped'; did you mean min_speed?
    """

    __slots__ = ("_all",)

    def __init__(self, all: Dict[str, Any]):
        object.__setattr__(self, "_all", all)

    def _missing(self, name: str) -> str:
        from difflib import get_close_matches

        all: Dict[str, Any] = object.__getattribute__(self, "_all")
        near = get_close_matches(name, list(all), 1)
        return "there is no parameter %r%s" % (name, "; did you mean %s?" % near[0] if near else "")

    def __getattr__(self, name: str) -> Any:
        all: Dict[str, Any] = object.__getattribute__(self, "_all")
        if name in all:
            return all[name]
        why = AttributeError(self._missing(name))
        if sys.version_info >= (3, 10):
            why.name = ""  # else the interpreter adds a guess of its own to ours
        raise why

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("parameters are what job.yaml and --param say; they cannot be set")

    def __getitem__(self, name: str) -> Any:
        if name in self._all:
            return self._all[name]
        raise KeyError(self._missing(name))

    def get(self, name: str, default: Any = None) -> Any:
        return self._all.get(name, default)

    def keys(self) -> Any:
        return self._all.keys()

    def items(self) -> Any:
        return self._all.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, name: object) -> bool:
        return name in self._all

    def __dir__(self) -> Any:
        return [*object.__dir__(self), *self._all]

    def __repr__(self) -> str:
        return "Params(%r)" % (self._all,)


def variable_of(name: str) -> str:
    """
    >>> variable_of("raw-trips")
    'LEAT_INPUT_raw_trips'
    """
    return "LEAT_INPUT_" + "".join(c if c.isalnum() and c.isascii() else "_" for c in name)


def this_params() -> Params:
    return Params(spec().get("params") or {})


def this_ds() -> Optional[str]:
    """The ds of the task's unit; None where it has none."""
    return os.environ.get("LEAT_DS") or None


def this_inputs() -> Dict[str, Path]:
    """The folder of each input of the task. One that the unit has nothing of is not among them."""
    from pathlib import Path

    found = {}
    for name in spec().get("inputs") or {}:
        folder = os.environ.get(variable_of(name))
        if folder is not None:
            found[name] = Path(folder)
    return found


def this_output() -> Path:
    folder = os.environ.get("LEAT_OUTPUT")
    if folder is None:
        refuse("leat.output is the output folder of a task, and this is none", "leat.write(frame, REPO) makes a commit")
    from pathlib import Path

    return Path(folder)


def repo_of(name: str) -> str:
    """The repo that a table or repo is called by.

    >>> repo_of("tables.sales"), repo_of("raw/a.b"), repo_of("trips")
    ('tables/sales', 'raw/a.b', 'trips')
    """
    return name if "/" in name else name.replace(".", "/", 1)


def input_called(name: str) -> Optional[str]:
    """Which input of the task a name means: its own, or the repo that it reads."""
    inputs = spec().get("inputs") or {}
    if name in inputs:
        return name
    for key, one in inputs.items():
        if one.get("repo") == repo_of(name):
            return str(key)
    return None
