"""SQL cells of notebooks: `%%sql` shows the rows of a query, `%%sql NAME` also gives them to Python as a frame.

In a notebook that runs as a job it is there by itself; in Jupyter `%load_ext leat` brings it.
"""
from __future__ import annotations

import json
import re

from leat import _call, _data, _frame
from leat._table import Table, table_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

ROWS = 1000  # that are shown
CELL = 10000  # characters of a value on a page
_ROWS_TEXT = 40
_WIDTH = 60  # of a cell as text
_HOW = "%%sql, %%sql NAME or %%sql NAME --frame pandas|polars|pyarrow|rows; the query stands in the lines below"


class SqlError(_call.Error):
    """What is wrong with a SQL cell; notebooks show the sentence, not the way to it."""

    def _render_traceback_(self) -> List[str]:
        return ["%s: %s" % (type(self).__name__, line) if not n else line for n, line in enumerate(str(self).split("\n"))]


class Shown:
    """The first rows of a result, as a table for a page and for a terminal.

    >>> Shown(Table([{"day": "Mo", "n": 3}, {"day": None, "n": 12}]), 2)
    day   n
    ----  --
    Mo    3
    NULL  12
    """

    def __init__(self, rows: Table, all: Optional[int]):
        self.rows = rows
        self.all = all  # None: more than there are in rows

    def _sentence(self, shown: int) -> str:
        """
        >>> Shown(Table([{"n": 1}]), None)._sentence(1), Shown(Table([{"n": 1}]), 1)._sentence(1)
        ('the first row; there are more', '')
        """
        first = "the first %s" % ("row" if shown == 1 else "{:,} rows".format(shown))
        if self.all is None:
            return first + "; there are more"
        return "%s of %s" % (first, "{:,}".format(self.all)) if self.all > shown else ""

    def _repr_html_(self) -> str:
        from html import escape

        columns = self.rows.columns
        head = "".join("<th>%s</th>" % escape(c) for c in columns)
        body = "".join("<tr>%s</tr>" % "".join(
            "<td>%s</td>" % ("<em>NULL</em>" if row.get(c) is None else escape(str(row[c])[:CELL])) for c in columns)
            for row in self.rows)
        more = self._sentence(len(self.rows))
        return "<table><thead><tr>%s</tr></thead><tbody>%s</tbody></table>%s" % (
            head, body, "<p>%s</p>" % more if more else "")

    def __repr__(self) -> str:
        def text(v: Any) -> str:
            s = "NULL" if v is None else " ".join(str(v).split())
            return s if len(s) <= _WIDTH else s[:_WIDTH - 3] + "..."

        columns = self.rows.columns
        if not columns:
            return "no columns"
        lines = [[text(c) for c in columns]] + [[text(row.get(c)) for c in columns] for row in self.rows[:_ROWS_TEXT]]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        lines.insert(1, ["-" * w for w in widths])
        out = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in lines]
        more = self._sentence(min(len(self.rows), _ROWS_TEXT))
        return "\n".join(out + ([more] if more else []))


def words_of(line: str) -> Tuple[Optional[str], Optional[str]]:
    """The name and the kind of frame that the line of the magic says.

    >>> words_of(""), words_of("trips"), words_of("trips <<"), words_of("trips --frame rows")
    ((None, None), ('trips', None), ('trips', None), ('trips', 'rows'))
    """
    import keyword

    words = [w for w in line.split() if w != "<<"]
    name = frame = None
    while words:
        word = words.pop(0)
        if word == "--frame" and words:
            frame = words.pop(0)
        elif name is None and word.isidentifier() and not keyword.iskeyword(word):
            name = word
        else:
            raise SqlError("%r is no name of a variable" % word, "bad-request", hint=_HOW)
    return name, frame


def _plain(value: Any, name: str) -> Any:
    from datetime import date, time
    from decimal import Decimal

    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(v, name) for v in value]
    raise SqlError("{{ %s }} is a %s, which is no value of SQL" % (name, type(value).__name__), "bad-request",
                   hint="numbers, texts, days and lists of them are")


def values_of(query: str, names: Dict[str, Any]) -> Dict[str, Any]:
    """Of what {{ }} and {% %} in a query name, the notebook's own variables.

    >>> values_of("from t where a > {{ least }} and d = {{ ds }}", {"least": 3, "other": object()})
    {'least': 3}
    """
    found: Dict[str, Any] = {}
    for inside in re.findall(r"\{\{(.*?)\}\}|\{%(.*?)%\}", query, re.S):
        text = re.sub(r"'[^']*'|\"[^\"]*\"", "", inside[0] or inside[1])
        for name in re.findall(r"(?<![\w.])[A-Za-z_]\w*", re.sub(r"\|\s*\w+", "", text)):
            if name in names and name not in found and not callable(names[name]):
                found[name] = _plain(names[name], name)
    return found


def _head_of(frame: Any, kind: str) -> Table:
    if kind == "rows":
        return Table(frame[:ROWS], frame.columns, frame.types)
    if kind == "pandas":
        return Table(_frame.rows_of_pandas(frame.head(ROWS)), [str(c) for c in frame.columns])
    if kind == "polars":
        return Table(frame.head(ROWS).to_dicts(), frame.columns)
    return Table(frame.slice(0, ROWS).to_pylist(), frame.column_names)


def run(line: str, query: str, names: Dict[str, Any]) -> Optional[Shown]:
    """Runs a cell: what is to be shown of it. A name that its line says is set in `names`."""
    from leat import _task

    try:
        name, frame = words_of(line)
        kind = _frame.choose(frame)
        words = ["sql", *(["--inputs"] if _task.is_task() else [])]
        if "{{" in query or "{%" in query or "{#" in query:
            words += ["--vars", json.dumps(values_of(query, names))]
        if name is None:
            lines = _call.call([*words, "--format", "typed", "-o", "-", "--", query], lines=ROWS + 2).split(b"\n")
            rows = table_of(lines[:ROWS + 1])
            return Shown(rows, None if len(lines) > ROWS + 1 and lines[ROWS + 1] else len(rows))
        value = _frame.make(kind, lambda format: _call.call([*words, "--format", format, "-o", "-", "--", query]))
        names[name] = value
        return Shown(_head_of(value, kind), len(value))
    except SqlError:
        raise
    except _call.Error as why:
        place = re.fullmatch(r"query:(\d+)(?::(\d+))?", why.place or "")
        if place:  # the line of the magic is the first of the cell
            why.message = "line %d: %s" % (int(place[1]) + 1, why.message)
        raise SqlError(why.message, why.code, None if place else why.place, why.hint) from None


def load(shell: Any) -> None:
    """`%%sql` for IPython; an extension that the user loads later takes its place."""
    from IPython.core.magic import no_var_expand

    def sql(line: str, cell: Optional[str] = None) -> Any:
        if cell is not None:
            return run(line, cell, shell.user_ns)
        name, shift, query = line.partition("<<")
        return run(name, query, shell.user_ns) if shift and name.strip().isidentifier() else run("", line, shell.user_ns)

    shell.register_magic_function(no_var_expand(sql), "line_cell", "sql")
