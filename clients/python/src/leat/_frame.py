"""Frames: which libraries there are, what a frame is one of, and the way of each to and from Parquet."""
from __future__ import annotations

import sys

from leat._call import Error, refuse
from leat._table import Table, table_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Tuple

FRAMES = ("pandas", "polars", "pyarrow", "rows")
Ask = "Callable[[str], bytes]"  # a format of `leat sql` to what it prints


def has(module: str) -> bool:
    from importlib.machinery import PathFinder

    try:
        return module in sys.modules or PathFinder.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def need(module: str, what: str) -> None:
    if not has(module):
        raise Error("%s needs %s, which this Python does not have" % (what, module), "no-library",
                    hint="%s -m pip install %s" % (sys.executable or "python3", module))


def default() -> str:
    return next((name for name in FRAMES[:-1] if has(name)), "rows")


def choose(frame: Optional[str]) -> str:
    """
    >>> choose("rows")
    'rows'
    >>> choose("panda")
    Traceback (most recent call last):
    leat._call.Error: frame='panda' is none of pandas, polars, pyarrow, rows
    """
    if frame is None:
        return default()
    if frame not in FRAMES:
        refuse("frame=%r is none of %s" % (frame, ", ".join(FRAMES)))
    if frame != "rows":
        need(frame, "frame=%r" % frame)
    return frame


def _pandas_of_rows(t: Table) -> Any:
    import pandas

    df = pandas.DataFrame([[row[c] for c in t.columns] for row in t], columns=t.columns)
    for name, type in zip(t.columns, t.types):
        if type == "DATE" or type.startswith("TIMESTAMP"):
            try:
                df[name] = pandas.to_datetime(df[name])
            except (ValueError, OverflowError):
                pass  # a day beyond what pandas counts stays what it is
    return df


def make(frame: str, ask: Callable[[str], bytes]) -> Any:
    """A result as a frame of that kind; `ask` gives its bytes in a format of `leat sql`."""
    if frame == "rows" or (frame == "pandas" and not has("pyarrow")):
        t = table_of(ask("typed").split(b"\n"))
        return t if frame == "rows" else _pandas_of_rows(t)
    import io

    data = io.BytesIO(ask("parquet"))
    if frame == "polars":
        import polars

        return polars.read_parquet(data)
    import pyarrow.parquet

    arrow = pyarrow.parquet.ParquetFile(data).read()
    if frame == "pyarrow":
        return arrow
    try:
        return arrow.to_pandas(date_as_object=False)
    except (ValueError, OverflowError):
        return arrow.to_pandas()


def kind_of(value: Any) -> Optional[str]:
    """Which kind of frame a value is; None: none. By the names of its class, so that nothing is imported for it.

    >>> kind_of(Table([{"a": 1}])), kind_of([{"a": 1}]), kind_of(x for x in ()), kind_of(3), kind_of([3])
    ('rows', 'rows', 'rows', None, None)
    """
    for c in type(value).__mro__:
        home, name = c.__module__.partition(".")[0], c.__name__
        if home == "pandas" and name in ("DataFrame", "Series"):
            return "pandas"
        if home == "polars" and name in ("DataFrame", "LazyFrame"):
            return "polars"
        if home == "pyarrow" and name in ("Table", "RecordBatch", "RecordBatchReader"):
            return "pyarrow"
        if home in ("dask", "dask_expr") and name in ("DataFrame", "FrameBase"):
            return "dask"
        if home in ("duckdb", "_duckdb") and name == "DuckDBPyRelation":
            return "duckdb"
    if isinstance(value, list):
        return "rows" if all(isinstance(row, dict) for row in value) else None
    if hasattr(value, "__next__"):
        return "rows"
    return None


def _arrow_of_pandas(df: Any) -> Any:
    import pyarrow

    if hasattr(df, "to_frame"):
        df = df.to_frame()
    if any(name is not None for name in df.index.names):
        df = df.reset_index()
    df = df.set_axis([str(c) for c in df.columns], axis=1)
    table = pyarrow.Table.from_pandas(df, preserve_index=False)
    return table.replace_schema_metadata(None)


def rows_of_pandas(df: Any) -> List[Dict[str, Any]]:
    import pandas

    if hasattr(df, "to_frame"):
        df = df.to_frame()
    if any(name is not None for name in df.index.names):
        df = df.reset_index()

    def plain(v: Any) -> Any:
        if v is None or v is pandas.NaT or v is getattr(pandas, "NA", None):
            return None
        if isinstance(v, pandas.Timestamp):
            return v.to_pydatetime(warn=False)
        return v.item() if hasattr(v, "item") and not hasattr(v, "__len__") else v

    columns = [str(c) for c in df.columns]
    return [dict(zip(columns, map(plain, row))) for row in df.itertuples(index=False, name=None)]


def save(value: Any, path: str, convert: Callable[[Any, str], None]) -> None:
    """Writes a frame as one Parquet file; `convert` writes rows where no library here can."""
    kind = kind_of(value)
    if kind == "dask":
        value, kind = value.compute(), "pandas"
    if kind == "pandas" and not has("pyarrow"):
        value, kind = rows_of_pandas(value), "rows"
    if kind == "rows":
        convert(value, path)
    elif kind == "polars":
        (value.collect() if hasattr(value, "collect") else value).write_parquet(path)
    elif kind == "duckdb":
        value.write_parquet(path)
    elif kind in ("pandas", "pyarrow"):
        import pyarrow
        import pyarrow.parquet

        if kind == "pandas":
            value = _arrow_of_pandas(value)
        elif hasattr(value, "read_all"):
            value = value.read_all()
        elif not hasattr(value, "group_by"):
            value = pyarrow.Table.from_batches([value])
        pyarrow.parquet.write_table(value, path)
    else:
        refuse("a %s is no frame: pandas, polars, pyarrow, dask, duckdb or a list of dicts" % type(value).__name__)


# --- rows to Parquet, by the program ---

_WORDS: Dict[str, str] = {"bool": "BOOLEAN", "float": "DOUBLE", "str": "VARCHAR", "date": "DATE", "time": "TIME",
                          "bytes": "BLOB"}


def type_of(value: Any, where: str) -> Tuple[str, Any]:
    """The type of a value as (word, more): ("INT", digits), ("LIST", type), ("STRUCT", {name: type})."""
    from datetime import date, datetime, time
    from decimal import Decimal

    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if value is None:
        return "NULL", None
    if isinstance(value, bool):
        return "BOOLEAN", None
    if isinstance(value, int):
        return "INT", -(1 << 63) <= value < 1 << 63
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return "DECIMAL", max(0, -exponent) if isinstance(exponent, int) else 0
    if isinstance(value, datetime):
        return ("TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"), None
    for c, word in ((float, "float"), (str, "str"), (date, "date"), (time, "time"), (bytes, "bytes")):
        if isinstance(value, c):
            return _WORDS[word], None
    if isinstance(value, dict):
        return "STRUCT", {str(k): _inner(v, where) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        inner: Tuple[str, Any] = ("NULL", None)
        for v in value:
            inner = both(inner, _inner(v, where), where)
        return "LIST", inner
    refuse("%s holds a %s, which has no place in a table" % (where, type(value).__name__))


def _inner(value: Any, where: str) -> Tuple[str, Any]:
    if isinstance(value, bytes):
        refuse("%s holds bytes within a list or dict: they need a column of their own" % where)
    return type_of(value, where)


def both(a: Tuple[str, Any], b: Tuple[str, Any], where: str) -> Tuple[str, Any]:
    """The type that holds values of both.

    >>> both(("INT", True), ("DOUBLE", None), "x"), both(("NULL", None), ("DATE", None), "x")
    (('DOUBLE', None), ('DATE', None))
    """
    if a == b or b[0] == "NULL":
        return a
    if a[0] == "NULL":
        return b
    if a[0] == b[0]:
        if a[0] == "INT":
            return "INT", a[1] and b[1]
        if a[0] == "DECIMAL":
            return "DECIMAL", max(a[1], b[1])
        if a[0] == "LIST":
            return "LIST", both(a[1], b[1], where)
        merged = dict(a[1])
        for k, v in b[1].items():
            merged[k] = both(merged[k], v, where) if k in merged else v
        return "STRUCT", merged
    numbers = {a[0], b[0]}
    if numbers == {"INT", "DOUBLE"} or numbers == {"DECIMAL", "DOUBLE"}:
        return "DOUBLE", None
    if numbers == {"INT", "DECIMAL"}:
        return a if a[0] == "DECIMAL" else b
    if numbers == {"DATE", "TIMESTAMP"}:
        return "TIMESTAMP", None
    refuse("%s holds %s and %s: a column has one type" % (where, sql_type(a), sql_type(b)))


def quoted(name: str) -> str:
    return '"%s"' % name.replace('"', '""')


def sql_type(t: Tuple[str, Any]) -> str:
    """
    >>> sql_type(("LIST", ("STRUCT", {"a b": ("INT", True)}))), sql_type(("DECIMAL", 2))
    ('STRUCT("a b" BIGINT)[]', 'DECIMAL(38,2)')
    """
    if t[0] == "NULL":
        return "VARCHAR"
    if t[0] == "INT":
        return "BIGINT" if t[1] else "HUGEINT"
    if t[0] == "DECIMAL":
        return "DECIMAL(38,%d)" % min(t[1], 37)
    if t[0] == "LIST":
        return sql_type(t[1]) + "[]"
    if t[0] == "STRUCT":
        inner = ", ".join("%s %s" % (quoted(k), sql_type(v)) for k, v in t[1].items())
        return "STRUCT(%s)" % inner if inner else "VARCHAR"
    return t[0]


def plain(value: Any) -> Any:
    """A value as JSON that the program reads back as its type."""
    from datetime import date, datetime, time, timezone
    from decimal import Decimal

    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, datetime):
        return (value.astimezone(timezone.utc) if value.tzinfo else value).isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def rows_to_parquet(rows: Any, path: str, run: Callable[[List[str]], bytes]) -> None:
    """Writes rows, as they come, to a file of JSON lines; `run` then has `leat sql` make Parquet of it."""
    import json
    import os

    if os.environ.get("LEAT_URL") and "LEAT_SPEC" not in os.environ:
        refuse("rows become Parquet by the program, which is not here (LEAT_URL is set)",
               "with pyarrow or polars a frame is written here")
    types: Dict[str, Tuple[str, Any]] = {c: ("NULL", None) for c in getattr(rows, "columns", ())}
    lines = path + ".jsonl"
    try:
        longest = 1 << 20
        with open(lines, "wb") as f:
            for n, row in enumerate(rows, 1):
                if not isinstance(row, dict):
                    refuse("row %d is a %s, and no dict" % (n, type(row).__name__))
                for key, value in row.items():
                    where = "column %s" % key
                    t = type_of(value, where)
                    types[str(key)] = both(types.get(str(key), t), t, where)
                line = json.dumps(plain(row), ensure_ascii=False).encode() + b"\n"
                longest = max(longest, len(line))
                f.write(line)
        if not types:
            refuse("there are no rows, so the columns are not known",
                   "leat.Table([], columns=[...]) has columns without rows")
        columns = ", ".join("%s: '%s'" % (quoted(c), "VARCHAR" if t[0] == "BLOB" else sql_type(t).replace("'", "''"))
                            for c, t in types.items())
        cells = ", ".join("unhex(%s) as %s" % (quoted(c), quoted(c)) if t[0] == "BLOB" else quoted(c)
                          for c, t in types.items())
        query = "select " + cells.replace("%", "%%") + " from read_json('%s', columns = {%s}, format = 'newline_delimited', maximum_object_size = %d)"
        run([query % (os.path.abspath(lines).replace("'", "''"), columns, longest), "--format", "parquet", "-o", path])
    finally:
        if os.path.exists(lines):
            os.unlink(lines)
