"""Runs one unit of a job of kind python: python3 .../leat/_job.py FILE HOME NAME.

FILE has `def run(inputs, output, params)`; HOME is the folder with the job's code. What goes wrong in it is told in its
file NAME, as one JSON object: message, and file and line where they are the user's; the log has the traceback without
our own frames.
"""
from __future__ import annotations

import os
import sys

# As a program its folder stands first on the path: the package has to, and later the job's own code.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from leat import _task
from leat._call import Error, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple, Type

_OURS = os.path.join(sys.path[0], "leat") + os.sep
_GIVEN = ("inputs", "output", "params", "ds")


class Wrong(Error):
    """The job's code is not as it has to be."""


# --- what an argument wants ---

_ROOTS = {"pandas": "pandas", "pd": "pandas", "polars": "polars", "pl": "polars", "pyarrow": "pyarrow", "pa": "pyarrow",
          "dask": "dask", "dd": "dask", "dask_expr": "dask", "duckdb": "duckdb", "_duckdb": "duckdb", "pathlib": "path"}


def _of_text(text: str) -> str:
    """What an annotation wants whose names this Python does not have.

    >>> _of_text("pd.DataFrame"), _of_text("pl.LazyFrame"), _of_text("Optional[pa.Table]"), _of_text("Path")
    ('pandas', 'lazy', 'pyarrow', 'path')
    """
    inner = text.strip()
    if inner.startswith("Optional[") and inner.endswith("]"):
        inner = inner[9:-1]
    inner = inner.split("|")[0].strip()
    if inner.endswith("LazyFrame"):
        return "lazy"
    if inner == "Path":
        return "path"
    return _ROOTS.get(inner.partition(".")[0], inner)


def _bare(annotation: str) -> str:
    """A text in quotes, of a module whose annotations are all text, is the text.

    >>> _bare("'pd.DataFrame'")
    'pd.DataFrame'
    """
    return annotation[1:-1] if annotation[:1] in ("'", '"') and annotation[:1] == annotation[-1:] else annotation


def wants(annotation: Any, names: Dict[str, Any]) -> Tuple[str, bool]:
    """The kind of an argument by its annotation, and whether None will do.

    >>> from pathlib import Path
    >>> from typing import Any, Dict, List, Optional
    >>> [wants(a, {})[0] for a in (None, Any, Path, str, List[Dict[str, Any]], "pd.DataFrame", "list", int)]
    ['path', 'path', 'path', 'str', 'rows', 'pandas', 'rows', 'int']
    >>> wants(Optional[Path], {})
    ('path', True)
    """
    if isinstance(annotation, str):
        annotation = _bare(annotation)
        try:
            annotation = eval(annotation, names)  # the user's own text, in the user's own module
        except Exception:
            return _of_text(annotation), "Optional" in annotation or "None" in annotation
    origin = getattr(annotation, "__origin__", None)
    args = getattr(annotation, "__args__", ())
    if type(None) in args:
        inner = [a for a in args if a is not type(None)]
        return wants(inner[0] if len(inner) == 1 else None, names)[0], True
    if annotation is None or str(annotation) == "typing.Any":
        return "path", False
    made = origin or annotation
    home, name = getattr(made, "__module__", "").partition(".")[0], getattr(made, "__name__", str(made))
    if made is list or (home == "leat" and name == "Table"):
        return "rows", False
    if made is str:
        return "str", False
    if name == "LazyFrame":
        return "lazy", False
    return _ROOTS.get(home, name), False


def _each(annotation: Any, names: Dict[str, Any]) -> Tuple[str, bool]:
    """Of `inputs: dict[str, X]` what X wants."""
    if isinstance(annotation, str):
        annotation = _bare(annotation)
        try:
            annotation = eval(annotation, names)
        except Exception:
            head, bracket, rest = annotation.partition("[")
            return _of_text(rest.rpartition("]")[0].partition(",")[2]) if bracket else "path", False
    args: Tuple[Any, ...] = getattr(annotation, "__args__", ())
    return wants(args[1], names) if len(args) == 2 and not isinstance(args[1], _type_var()) else ("path", False)


def _type_var() -> Any:
    return type(sys.modules["typing"].TypeVar("T")) if "typing" in sys.modules else ()


def give(name: str, kind: str, optional: bool, places: List[str]) -> Any:
    """An input as the argument wants it; files that it lies in go to `places`."""
    from leat import _data, _frame

    folder = _task.this_inputs().get(name)
    if folder is None or (optional and not any(folder.iterdir())):
        if optional:
            return None
        if folder is None:
            refuse("this unit has nothing of the input %s" % name, "annotate it Optional[...] to get None")
    if kind in ("path", "str"):
        return folder if kind == "path" else str(folder)
    needs = {"lazy": "polars", "dask": "dask", "duckdb": "duckdb", "pandas": "pandas", "polars": "polars",
             "pyarrow": "pyarrow"}
    if kind not in needs and kind != "rows":
        raise Wrong("the argument %s is annotated %s, which no input can be" % (name, kind), "bad-config",
                    hint="a frame of pandas, polars, pyarrow, dask or duckdb, pathlib.Path, str or list")
    if kind in needs:
        _frame.need(needs[kind], "the argument %s" % name)
    if kind != "duckdb":
        frame = {"lazy": "polars", "dask": "pandas"}.get(kind, kind)
        value = _data.table(name, frame=frame)
        if kind == "lazy":
            return value.lazy()
        if kind == "dask":
            import dask.dataframe

            dd: Any = dask.dataframe
            return dd.from_pandas(value, npartitions=1)
        return value
    import tempfile

    import duckdb

    if not places:
        places.append(tempfile.mkdtemp(prefix="leat-"))
    path = os.path.join(places[0], "%d.parquet" % len(os.listdir(places[0])))
    with open(path, "wb") as f:
        f.write(_data._query("from " + _frame.quoted(name), ["--inputs", "--format", "parquet", "-o", "-"]))
    return duckdb.read_parquet(path)


# --- the call ---

def arguments(run: Callable[..., Any], names: Dict[str, Any], places: List[str]) -> Dict[str, Any]:
    code = run.__code__
    asked = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    notes = run.__annotations__
    inputs = list(_task.spec().get("inputs") or {})
    params = _task.this_params()
    with_default = {*asked[code.co_argcount - len(run.__defaults__ or ()):code.co_argcount],
                    *(run.__kwdefaults__ or {})}
    out: Dict[str, Any] = {}
    for a in asked:
        note = notes.get(a)
        if a in inputs:
            out[a] = give(a, *wants(note, names), places)
        elif a == "inputs":
            kind, optional = _each(note, names)
            out[a] = {n: give(n, kind, optional, places) for n in inputs
                      if n in _task.this_inputs() or not optional}
        elif a == "output":
            out[a] = str(_task.this_output()) if note is str or note == "str" else _task.this_output()
        elif a == "params":
            out[a] = dict(params) if note is dict or str(note).lower().startswith(("dict", "typing.dict")) else params
        elif a == "ds":
            out[a] = _date(_task.this_ds(), note)
        elif a in params:
            out[a] = params[a]
        elif a not in with_default:
            from difflib import get_close_matches

            known = [*inputs, *params, *_GIVEN]
            near = get_close_matches(a, known, 1)
            raise Wrong("run() takes %s, which is no input and no parameter" % a, "bad-config",
                        "%s:%d" % (code.co_filename, code.co_firstlineno),
                        "did you mean %s?" % near[0] if near else "there are: " + ", ".join(known))
    return out


def _date(label: Optional[str], note: Any) -> Any:
    if label is None or getattr(note, "__name__", note) not in ("date", "datetime.date", "dt.date"):
        return label
    from datetime import date

    return date.fromisoformat(label)


# --- what it returns ---

def keep(value: Any, where: str) -> None:
    """Writes what run() returned into the output: a frame, a dict of frames by name, a file or folder, or nothing."""
    from pathlib import Path

    from leat import _data, _frame

    output = _task.this_output()
    if value is None:
        return
    if isinstance(value, (str, Path)):
        _keep_path(Path(value), output, where)
        return
    if _frame.kind_of(value):
        _data.save(value, output / "part-0.parquet")
        return
    if not isinstance(value, dict) or not value:
        raise Wrong("run() returned %s" % _shown(value), "bad-data", where,
                    "a frame, a list of dicts, a dict of frames by file name, a path, or None")
    for name, frame in value.items():
        if not isinstance(name, str) or not _frame.kind_of(frame):
            raise Wrong("run() returned a dict with %s under %r" % (_shown(frame), name), "bad-data", where,
                        "a dict of frames by file name: {\"day\": df}")
        path = output / (name if name.endswith(".parquet") else name + ".parquet")
        if path.name[:1] in "._" or ".." in Path(name).parts or os.path.isabs(name):
            raise Wrong("%r is no name for a file of the output" % name, "bad-data", where)
        path.parent.mkdir(parents=True, exist_ok=True)
        _data.save(frame, path)


def _shown(value: Any) -> str:
    name = type(value).__name__
    return "%s %s" % ("an" if name[:1] in "aeiou" else "a", name)


def _keep_path(path: Any, output: Any, where: str) -> None:
    import shutil

    if not path.exists():
        raise Wrong("run() returned the path %s, which is not there" % path, "bad-data", where)
    real = path.resolve()
    if real == output.resolve() or output.resolve() in real.parents:
        return
    if path.is_dir():
        for entry in path.iterdir():
            to = output / entry.name
            shutil.copytree(entry, to) if entry.is_dir() else shutil.copy(entry, to)
    else:
        shutil.copy(path, output / path.name)


# --- what goes wrong ---

def _is_ours(file: str) -> bool:
    return file.startswith(_OURS) or file.startswith("<frozen")


def tell(why: BaseException, home: str, to: str) -> None:
    """The traceback without our frames to the log, and the place in the user's code to the run."""
    import json
    import traceback

    told = traceback.TracebackException(type(why), why, why.__traceback__)
    one: Any = told
    while one is not None:
        one.stack[:] = [f for f in one.stack if not _is_ours(f.filename)]
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    own = [f for f in told.stack if f.filename.startswith(home)]
    file: Optional[str] = own[-1].filename if own else None
    line: Optional[int] = own[-1].lineno if own else None
    if isinstance(why, Wrong):
        print("%s" % why, file=sys.stderr)
    else:
        sys.stderr.write("".join(told.format()))
    if isinstance(why, SyntaxError) and (why.filename or "").startswith(home):
        file, line = why.filename, why.lineno
    if isinstance(why, Wrong) and why.place:
        file, _, number = why.place.rpartition(":")
        line = int(number)
    text = why.message if isinstance(why, Error) else "".join(traceback.format_exception_only(type(why), why)).strip()
    if isinstance(why, SyntaxError):
        text = "%s: %s" % (type(why).__name__, why.msg)
    doc = {"message": text.split("\n")[0], "file": file[len(home):] if file and file.startswith(home) else None,
           "line": line, "hint": why.hint if isinstance(why, Error) else None}
    with open(to, "w", encoding="utf-8") as f:
        json.dump(doc, f)


def work(path: str, home: str, places: List[str]) -> None:
    name = os.path.splitext(os.path.basename(path))[0]
    module = type(sys)(name)
    module.__file__ = path
    sys.modules[name] = module
    startup = os.path.join(home, ".config", "startup.py")  # config/startup.py of the workspace
    if os.path.isfile(startup):
        with open(startup, "rb") as f:
            exec(compile(f.read(), startup, "exec", dont_inherit=True), module.__dict__)
    with open(path, "rb") as f:
        exec(compile(f.read(), path, "exec", dont_inherit=True), module.__dict__)
    run = module.__dict__.get("run")
    if not callable(run) or not hasattr(run, "__code__"):
        raise Wrong("there is no function run in it", "bad-config", path + ":1",
                    "def run(inputs, output, params): what it returns is the output")
    value = run(**arguments(run, module.__dict__, places))
    if hasattr(value, "__await__") and not hasattr(value, "compute"):
        import asyncio

        async def wait(it: Any = value) -> Any:
            return await it

        value = asyncio.run(wait())
    keep(value, "%s:%d" % (path, run.__code__.co_firstlineno))


def main(path: str, folder: str, name: str) -> int:
    home = os.path.join(folder, "")
    failed = home + name
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    sys.argv = [path]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    places: List[str] = []
    try:
        work(path, home, places)
        return 0
    except SystemExit as why:
        if why.code is None or why.code == 0:
            return 0
        if isinstance(why.code, int):
            return why.code
        tell(Wrong(str(why.code)), home, failed)
        return 1
    except BaseException as why:
        tell(why, home, failed)
        return 1
    finally:
        if places:
            import shutil

            shutil.rmtree(places[0], ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
