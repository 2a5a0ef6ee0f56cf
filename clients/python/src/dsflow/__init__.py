"""What dsflow's notebooks call, done by Leat: load_tables, sql, list_tables, list_raw, display.

    import dsflow
    dsflow.load_tables()
    dsflow.display(dsflow.sql("select count(*) from meteoparis where ds = '2017-11-24'"))

In a task the tables are its inputs (`layout: dsflow` shows them at /data too), elsewhere those of the workspace. Queries
run in DuckDB, by `leat sql`; a Spark session that is there is told of the tables as well. Frames are of pandas, polars or
pyarrow, whichever is there first, else plain rows.
"""
from __future__ import annotations

import os
import re

from leat import _data, _frame, _task
from leat._call import call
from leat._table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

DATA = "/data"
SHOWN = 1000

spark: Any = None


def _zone(zone: str) -> Dict[str, str]:
    """The repos of a zone that are to be seen here, by the names that dsflow gives them."""
    import json

    if _task.is_task():
        repos = [one.get("repo", "") for one in (_task.spec().get("inputs") or {}).values()]
    else:
        repos = [json.loads(line)["repo"] for line in call(["ls", "--json", zone]).splitlines() if line.strip()]
    return {repo[len(zone) + 1:]: repo for repo in sorted(repos) if repo.startswith(zone + "/")}


def _bound(query: str, tables: Dict[str, str]) -> str:
    """The query with the tables that it names by dsflow's names.

    >>> _bound("select * from meteo", {"meteo": "tables/meteo", "other": "tables/other"})
    'with "meteo" as (from "tables"."meteo") select * from meteo'
    >>> _bound("with x as (from meteo) from x", {"meteo": "tables/meteo"})
    'with "meteo" as (from "tables"."meteo"),  x as (from meteo) from x'
    >>> _bound("-- of all\\nwith meteo as (select 1) from meteo", {"meteo": "tables/meteo"})
    'with meteo as (select 1) from meteo'
    """
    query = re.sub(r"^(\s+|--[^\n]*(\n|$)|/\*.*?\*/)+", "", query, flags=re.S)
    its_own = r"(\bwith|\brecursive|,)\s*\"?%s\"?\s*(\([^()]*\)\s*)?as\s*((not\s+)?materialized\s*)?\("
    named = [name for name in tables if re.search(r"(?<![\w./])%s(?!\w)" % re.escape(name), query, re.I)
             and not re.search(its_own % re.escape(name), query, re.I)]
    if not named:
        return query
    parts = []
    for name in named:
        zone, _, rest = tables[name].partition("/")
        parts.append("%s as (from %s.%s)" % (_frame.quoted(name), _frame.quoted(zone), _frame.quoted(rest)))
    own = re.match(r"\s*with\b(\s+recursive\b)?", query, re.I)
    if own:
        return "with%s %s, %s" % (own.group(1) or "", ", ".join(parts), query[own.end():])
    return "with %s %s" % (", ".join(parts), query)


def _head(frame: Any, rows: int) -> Any:
    if hasattr(frame, "toPandas"):  # Spark's
        return frame.limit(rows).toPandas()
    if isinstance(frame, Table):
        return Table(frame[:rows], frame.columns, frame.types)
    if hasattr(frame, "head"):  # pandas, polars
        return frame.head(rows)
    return frame.slice(0, rows) if hasattr(frame, "slice") else frame


def _show(frame: Any) -> None:
    import builtins

    told = getattr(builtins, "display", None)  # of a notebook without IPython
    if told is None:
        try:
            from IPython.display import display as told
        except ImportError:
            told = print
    told(frame)


def _tables_of_spark(tables: Dict[str, str]) -> None:
    if spark is None:
        return
    for name, repo in tables.items():
        if os.path.isdir(os.path.join(DATA, repo)):
            spark.read.parquet(os.path.join(DATA, repo)).createOrReplaceTempView(name)


def _emptied(path: str) -> None:
    import shutil

    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _overwrite_mounts(writer: Any) -> None:
    """Spark's overwrite removes a folder before it writes to it, and the sink is a mount, which stays: it is emptied."""
    own_mode = writer.mode
    if hasattr(own_mode, "of_leat"):
        return

    def mode(self: Any, saveMode: Any = None) -> Any:
        if saveMode is not None:
            self.mode_said = saveMode
        return own_mode(self, saveMode)

    def kept(own: Any) -> Any:
        def write(self: Any, path: Any = None, *rest: Any, **options: Any) -> Any:
            said = options.get("mode") or getattr(self, "mode_said", None)
            if said == "overwrite" and isinstance(path, str) and os.path.ismount(path):
                _emptied(path)
                options.pop("mode", None)
                own_mode(self, "append")
            return own(self, path, *rest, **options)

        return write

    mode.of_leat = True  # type: ignore[attr-defined]
    writer.mode = mode
    for name in ("save", "parquet", "json", "csv", "orc", "text"):
        if hasattr(writer, name):
            setattr(writer, name, kept(getattr(writer, name)))


def sql(query: str) -> Any:
    """The rows of a query over the tables, by DuckDB, as a frame. A notebook shows it where it ends a cell."""
    if re.fullmatch(r"\s*show\s+tables\s*;?\s*", query, re.I):
        return list_tables()
    return _data.sql(_bound(query.rstrip().rstrip(";"), _zone("tables")))


def execute_sql(query: str) -> None:
    sql(query)


def list_tables() -> Any:
    """The tables that can be queried, as a frame."""
    rows = [{"database": "default", "tableName": name, "isTemporary": False} for name in _zone("tables")]
    table = Table(rows, ["database", "tableName", "isTemporary"], ["VARCHAR", "VARCHAR", "BOOLEAN"])
    if not _frame.has("pandas"):
        return table
    import pandas

    return pandas.DataFrame(list(table), columns=table.columns)


def load_tables() -> None:
    """Makes the tables known, as they stand here, and lists them. Queries find them without it too."""
    tables = _zone("tables")
    for name in tables:
        print("INFO - %s was successfully imported/updated" % name)
    if not tables and _task.is_task():
        print("INFO - this task has no tables among its inputs: name them in job.yaml, `inputs: {NAME: tables/NAME}`")
    _tables_of_spark(tables)
    _show(list_tables())


def list_raw() -> None:
    """The repos of raw data."""
    for name in _zone("raw"):
        print("%s/raw/%s" % (DATA, name))


def display(df: Any, num_rows: int = 10) -> Any:
    """The first rows of a frame."""
    print("Showing the first %d rows" % num_rows)
    return _head(df, num_rows)


class DsflowContext:
    """dsflow's object of that name: `dsflow = DsflowContext.create()`."""

    version = "leat"
    sql = staticmethod(sql)
    execute_sql = staticmethod(execute_sql)
    list_tables = staticmethod(list_tables)
    load_tables = staticmethod(load_tables)
    list_raw = staticmethod(list_raw)
    display = staticmethod(display)

    def __init__(self) -> None:
        self.spark = spark

    @classmethod
    def create(cls) -> DsflowContext:
        global spark
        if _frame.has("pyspark"):
            from pyspark.sql import SparkSession  # type: ignore[import-not-found]
            from pyspark.sql.readwriter import DataFrameWriter  # type: ignore[import-not-found]

            if _task.is_task():
                _overwrite_mounts(DataFrameWriter)
            spark = SparkSession.builder.getOrCreate()
        return cls()

    @staticmethod
    def validade_task_specs(task_specs: Dict[str, Any]) -> None:
        """Fails where the source is not there (the name is dsflow's own)."""
        from leat._call import Error

        source = str(task_specs.get("source_path") or "")
        if source.startswith("/") and not os.path.exists(source):
            raise Error("source_path %s is not there" % source, "not-found",
                        hint="the repo it names has to be among inputs: of job.yaml, with `layout: dsflow`")

    @staticmethod
    def validade_task_output(task_specs: Dict[str, Any]) -> None:
        """Fails where nothing was written to the sink."""
        from leat._call import Error

        sink = str(task_specs.get("sink_path") or "")
        if sink and not (os.path.isdir(sink) and os.listdir(sink)):
            raise Error("nothing was written to sink_path %s" % sink, "not-found")
