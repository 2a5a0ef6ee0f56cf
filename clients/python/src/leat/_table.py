"""Rows without any other package, and the way from what the program prints to Python's own types."""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

    _Rows = List[Dict[str, Any]]
else:
    _Rows = list  # typing takes a third of the time that all of this takes to import


class Table(_Rows):
    """A list of rows, each a dict; `columns` are their names, `types` what DuckDB calls their types.

    >>> t = Table([{"day": "Mo", "n": 3}, {"day": "Tu", "n": 5}])
    >>> t.columns, t.column("n"), t[1]["day"], len(t)
    (['day', 'n'], [3, 5], 'Tu', 2)
    """

    def __init__(self, rows: Iterable[Dict[str, Any]] = (), columns: Optional[Sequence[str]] = None,
                 types: Optional[Sequence[str]] = None):
        super().__init__(rows)
        self.columns: List[str] = list(columns) if columns is not None else list(self[0]) if self else []
        self.types: List[str] = list(types) if types is not None else []

    def column(self, name: str) -> List[Any]:
        """One column, as a list."""
        return [row[name] for row in self]

    def __repr__(self) -> str:
        return "Table(%s)" % super().__repr__()

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join("<th>%s</th>" % escape(c) for c in self.columns)
        body = "".join("<tr>%s</tr>" % "".join("<td>%s</td>" % escape(str(row.get(c))) for c in self.columns)
                       for row in self[:1000])
        more = "<p>%d rows</p>" % len(self) if len(self) > 1000 else ""
        return "<table><thead><tr>%s</tr></thead><tbody>%s</tbody></table>%s" % (head, body, more)


def _timestamp(text: str) -> Any:
    from datetime import datetime

    if text[-3:-2] in "+-":  # 3.8 reads an offset with its minutes only
        text += ":00"
    head, dot, rest = text.partition(".")
    if dot:  # six digits, and nothing of what lies below
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = head + "." + rest[:digits][:6].ljust(6, "0") + rest[digits:]
    return datetime.fromisoformat(text)


def _blob(text: str) -> bytes:
    """
    >>> _blob("a\\\\xFFb")
    b'a\\xffb'
    """
    parts = text.split("\\x")
    return parts[0].encode("latin-1") + b"".join(bytes([int(p[:2], 16)]) + p[2:].encode("latin-1") for p in parts[1:])


def reader_of(type: str) -> Optional[Callable[[Any], Any]]:
    """What makes Python's value of a cell of this type; None: it is that already.

    >>> [reader_of(t)("2018-01-02") for t in ("DATE", "TIMESTAMP")]
    [datetime.date(2018, 1, 2), datetime.datetime(2018, 1, 2, 0, 0)]
    >>> reader_of("DECIMAL(4,2)")("1.10"), reader_of("TIMESTAMP WITH TIME ZONE")("2017-12-31 22:00:00.5+00").isoformat()
    (Decimal('1.10'), '2017-12-31T22:00:00.500000+00:00')
    """
    if type.endswith("]"):
        return None
    if type in ("DOUBLE", "FLOAT"):
        return float
    if type.startswith("DECIMAL"):
        from decimal import Decimal

        return lambda v: Decimal(str(v))
    if type == "DATE":
        from datetime import date

        return date.fromisoformat
    if type.startswith("TIMESTAMP"):
        return _timestamp
    if type == "TIME":
        from datetime import time

        return time.fromisoformat
    if type == "BLOB":
        return _blob
    return None


def _value(reader: Callable[[Any], Any], cell: Any) -> Any:
    """A day that Python has no date for (the year 10000, infinity) stays a text."""
    try:
        return reader(cell)
    except ValueError:
        return cell


def unique(names: Iterable[str]) -> List[str]:
    """Two columns of one name get two.

    >>> unique(["a", "b", "a"])
    ['a', 'b', 'a_1']
    """
    seen: Dict[str, int] = {}
    out: List[str] = []
    for name in names:
        n = seen.get(name, 0)
        seen[name] = n + 1
        out.append("%s_%d" % (name, n) if n else name)
    return out


def table_of(lines: Iterable[bytes]) -> Table:
    """What `leat sql --format typed` prints: a line with the columns, then a list for each row.

    >>> table_of([b'{"columns": [{"name": "d", "type": "DATE"}]}', b'["2018-01-02"]', b'[null]'])
    Table([{'d': datetime.date(2018, 1, 2)}, {'d': None}])
    """
    import json

    columns: List[Dict[str, str]] = []
    names: List[str] = []
    readers: List[Any] = []
    rows: List[Dict[str, Any]] = []
    options: Dict[str, Any] = {}
    for line in lines:
        if not line.strip():
            continue
        if not columns:
            columns = json.loads(line)["columns"]
            names = unique(c["name"] for c in columns)
            readers = [reader_of(c["type"]) for c in columns]
            if any(c["type"].startswith("DECIMAL") for c in columns):
                from decimal import Decimal

                options = {"parse_float": Decimal}
            continue
        cells = json.loads(line, **options)
        rows.append({n: v if v is None or r is None else _value(r, v) for n, v, r in zip(names, cells, readers)})
    return Table(rows, names, [c["type"] for c in columns])
